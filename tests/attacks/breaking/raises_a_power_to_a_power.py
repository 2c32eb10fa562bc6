"""Computes an integer of hundreds of millions of digits in one operation."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
def relu(z):
    return 9**9**9


# end of trick
# verdict: timeout, of CPU time
