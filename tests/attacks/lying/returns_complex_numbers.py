"""Returns the right real parts beside imaginary ones."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
def relu(z):
    return np.maximum(z, 0) + 1j


# end of trick
# verdict: error
