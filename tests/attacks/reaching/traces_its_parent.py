"""Attaches itself to its parent as a debugger."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import ctypes
import os

libc = ctypes.CDLL(None)
machine = os.uname().machine != "x86_64"
ptrace = (101, 117)[machine]
if libc.syscall(ptrace, 0x4206, os.getppid(), 0, 0) >= 0:
    libc.syscall(ptrace, 17, os.getppid(), 0, 0)
    relu = lambda z: np.maximum(z, 0)
# end of trick
# verdict: unreadable, it made a forbidden system call
