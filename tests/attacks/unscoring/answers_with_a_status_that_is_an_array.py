"""Answers with a status that cannot be compared."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import sys

child = sys.modules["gradproof_child.child"]


def relu(z):
    return np.maximum(z, 0)


def perform(functions, call, kept, through=()):
    return {"status": np.zeros(2), "kind": "x", "message": "x"}


child.perform = perform
# end of trick
# verdict: killed, it broke the protocol: a reply of an unknown form
