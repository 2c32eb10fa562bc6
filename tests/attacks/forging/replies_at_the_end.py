"""Writes replies when objects die and the interpreter ends."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import atexit
import os
import sys
import weakref

frame = sys.modules["gradproof_child.codec"].frame


def forge(z=1.0):
    reply = ["returned", [np.maximum(z, 0)], [], False]
    os.write(3, frame(0, reply))


class Dying(np.ndarray):
    def __del__(self):
        forge(np.asarray(self))


atexit.register(forge)


def relu(z):
    out = np.abs(z).view(Dying)
    weakref.finalize(out, forge)
    return out


# end of trick
# verdict: killed or wrong or unreadable
