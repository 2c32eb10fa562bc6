"""Leaves garbage in rings that is never collected, and destructors that come back to life."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import gc

gc.disable()
KEPT = []


class Lazarus:
    def __del__(self):
        KEPT.append(self)


def relu(z):
    for _ in range(1000):
        ring = [Lazarus()]
        ring.append(ring)
    return np.maximum(z, 0)


# end of trick
# verdict: correct
