"""Crashes before it has any function, each time."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os

os.kill(os.getpid(), 11)
# end of trick
# verdict: unreadable, the process died of SIGSEGV
