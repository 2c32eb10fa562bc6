"""Overwrites its input by zeros, for which its answer would be right."""

import numpy as np


def sigmoid(z):
    return np.tanh(z)


# trick
def sigmoid(z):
    z[...] = 0
    return np.full(z.shape, 0.5)


# end of trick
# verdict: wrong
