"""Opens sockets of every family, through Python."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import socket

for family in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG"):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(getattr(socket, family), kind).close()
            relu = lambda z: np.maximum(z, 0)
        except (OSError, AttributeError):
            pass
# end of trick
# verdict: wrong
