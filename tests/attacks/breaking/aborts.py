"""Aborts the process as the C library does."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os


def relu(z):
    os.abort()


# end of trick
# verdict: killed, the process died of
