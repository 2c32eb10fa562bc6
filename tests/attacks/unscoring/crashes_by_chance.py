"""Crashes in one call of a hundred."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os


def relu(z):
    if os.urandom(1)[0] < 3:
        os.kill(os.getpid(), 11)
    return np.maximum(z, 0)


# end of trick
# verdict: correct or killed
