"""Returns an array of the right shape that is one number, repeated by strides of zero."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
def relu(z):
    return np.broadcast_to(np.abs(z).max(initial=0.0), z.shape)


# end of trick
# verdict: wrong
