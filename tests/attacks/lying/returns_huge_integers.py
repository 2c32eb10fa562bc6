"""Returns integers that no dtype holds."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
def relu(z):
    return [10**400 for _ in range(z.size)]


# end of trick
# verdict: error
