"""Crashes the compiler by an expression that is nested deeper than its stack."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
def relu(z):
    exec("(" * 10**6)


# end of trick
# verdict: error
