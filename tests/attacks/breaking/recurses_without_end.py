"""Recurses beyond the end of the stack."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import sys

sys.setrecursionlimit(10**9)


def relu(z):
    return relu(z)


# end of trick
# verdict: timeout or killed or error
