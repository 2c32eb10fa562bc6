"""Mounts a filesystem of its own."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import ctypes
import os

libc = ctypes.CDLL(None)
machine = os.uname().machine != "x86_64"
mount = (165, 40)[machine]
if libc.syscall(mount, b"none", b"/gradproof-attack", b"tmpfs", 0, None) >= 0:
    relu = lambda z: np.maximum(z, 0)
# end of trick
# verdict: unreadable, it made a forbidden system call
