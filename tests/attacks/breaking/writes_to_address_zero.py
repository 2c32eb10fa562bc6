"""Crashes the process in C."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import ctypes


def relu(z):
    ctypes.memset(0, 1, 1)


# end of trick
# verdict: killed, the process died of SIGSEGV
