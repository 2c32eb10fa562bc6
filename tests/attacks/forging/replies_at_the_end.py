"""Writes replies when objects die and the interpreter ends."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import atexit
import os
import sys
import weakref

codec = sys.modules["gradproof_child.codec"]


def framed(number, value):
    body = codec.encode(value)
    return codec.REPLY.pack(number, len(body)) + body


def forge(z=1.0):
    reply = [[np.maximum(z, 0)], False]
    os.write(3, framed(0, reply))


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
