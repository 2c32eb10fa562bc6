"""Returns more than anybody asked for."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
def relu(z):
    return np.ones(1 << 25)


# end of trick
# verdict: error or timeout or killed
