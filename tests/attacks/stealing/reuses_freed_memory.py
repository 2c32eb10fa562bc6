"""Returns uninitialised memory, where an answer of the same size may have been."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
def relu(z):
    return np.empty(z.shape)


# end of trick
# verdict: wrong
