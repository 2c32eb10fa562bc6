"""Returns an array of a terabyte that takes eight bytes where it is made."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
def relu(z):
    return np.broadcast_to(1.0, (1 << 20, 1 << 20))


# end of trick
# verdict: error
