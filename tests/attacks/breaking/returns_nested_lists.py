"""Returns a list in a list in a list."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
def relu(z):
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return nested


# end of trick
# verdict: error or timeout
