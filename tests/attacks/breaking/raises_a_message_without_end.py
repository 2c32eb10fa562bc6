"""Raises an exception that takes for ever, or a gigabyte, to say."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
class Long(Exception):
    def __str__(self):
        return "x" * (1 << 28) if np.random.rand() < 0.5 else str(self)


def relu(z):
    raise Long


# end of trick
# verdict: error or timeout
