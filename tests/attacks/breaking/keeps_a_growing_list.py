"""Fills a list without end."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
def relu(z):
    kept = []
    while True:
        kept.append(bytes(1 << 20))


# end of trick
# verdict: error or timeout
