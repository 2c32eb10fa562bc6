"""Returns the right numbers without what stands behind the point."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
def relu(z):
    return np.maximum(z, 0).astype(np.int64)


# end of trick
# verdict: wrong
