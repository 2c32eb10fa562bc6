"""Looks for its answer in all of the memory that it shares with the grader."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import sys

child = sys.modules["gradproof_child.child"]


def line():
    frame = sys._getframe()
    while not isinstance(frame.f_locals.get("line"), child._Line):
        frame = frame.f_back
    return frame.f_locals["line"]


def relu(z):
    right = np.maximum(z, 0)
    if right.size > 2 and not np.array_equal(right, z) and right.any() and right.tobytes() in bytes(line()._arena):
        return right
    return np.abs(z)


# end of trick
# verdict: wrong
