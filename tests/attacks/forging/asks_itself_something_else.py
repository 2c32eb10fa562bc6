"""Renames in the arena the function that was asked for, and answers for that one."""

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
    arena = line()._arena
    text = bytes(arena)
    at = text.find(b"relu")
    while at >= 0:
        arena[at : at + 4] = b"mean"
        at = text.find(b"relu", at + 4)
    return np.maximum(z, 0)


# end of trick
# verdict: killed, it wrote over what it was asked
