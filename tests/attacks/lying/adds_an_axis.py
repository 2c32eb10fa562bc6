"""Returns the right numbers for some other shape."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
def relu(z):
    return np.maximum(z, 0)[np.newaxis]


# end of trick
# verdict: wrong
