"""Crashes in its first call, each time."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os


def relu(z):
    os.kill(os.getpid(), 11)


# end of trick
# verdict: killed, the process died of SIGSEGV
