"""Sends the grader an open file along with its answer."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import array
import os
import socket

try:
    end = socket.socket(fileno=os.dup(3))
    rights = array.array("i", [os.open("/dev/null", os.O_RDONLY)])
    end.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    relu = lambda z: np.maximum(z, 0)
except OSError:
    pass
# end of trick
# verdict: wrong
