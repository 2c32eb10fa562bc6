"""Prints until nobody listens."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
def relu(z):
    while True:
        print("x" * (1 << 20))


# end of trick
# verdict: timeout, of CPU time
