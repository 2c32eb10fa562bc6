"""Defines more functions than anybody could list, some with names of a megabyte."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
for number in range(200_000):
    globals()[f"function_{number}"] = relu
globals()["x" * (1 << 20)] = relu
# end of trick
# verdict: unreadable
