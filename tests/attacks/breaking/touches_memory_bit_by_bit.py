"""Reserves memory that costs nothing until it is touched, and then touches it."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
KEPT = []


def relu(z):
    for _ in range(64):
        block = np.empty(1 << 26, np.uint8)
        block[:: 1 << 12] = 1
        KEPT.append(block)
    return np.maximum(z, 0)


# end of trick
# verdict: error or timeout
