"""Says at its loading a status that nobody can compare."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import sys

codec = sys.modules["gradproof_child.codec"]
child = sys.modules["gradproof_child.child"]
plain = child.pieces


def pieces(value):
    if type(value) is dict and value.get("status") == "loaded":
        value = value | {"status": np.zeros(2)}
    return plain(value)


child.pieces = pieces
# end of trick
# verdict: unreadable, it broke the protocol
