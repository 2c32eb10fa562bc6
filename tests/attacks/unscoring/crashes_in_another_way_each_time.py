"""Dies of a signal, a system call, an exit or a closed channel, by chance."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import ctypes
import os


def relu(z):
    ways = (
        lambda: os.kill(os.getpid(), 9),
        lambda: os._exit(3),
        lambda: os.close(3),
        lambda: ctypes.CDLL(None).ptrace(0, 0, 0, 0),
        lambda: ctypes.memset(0, 1, 1),
    )
    ways[os.urandom(1)[0] % len(ways)]()


# end of trick
# verdict: killed
