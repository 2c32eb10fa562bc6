"""Writes well-formed replies with guessed numbers to whatever is open."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os
import sys

frame = sys.modules["gradproof_child.codec"].frame


def relu(z):
    reply = ["returned", [np.maximum(z, 0)], [], False]
    for descriptor in range(3, 64):
        try:
            for number in range(4):
                os.write(descriptor, frame(number, reply))
        except OSError:
            pass
    return np.abs(z)


# end of trick
# verdict: killed, it broke the protocol: a reply that nobody asked for
