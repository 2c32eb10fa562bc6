"""Crashes after many right answers."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os

CALLS = []


def relu(z):
    CALLS.append(z)
    if len(CALLS) == 20:
        os.kill(os.getpid(), 11)
    return np.maximum(z, 0)


# end of trick
# verdict: killed, the process died of SIGSEGV
