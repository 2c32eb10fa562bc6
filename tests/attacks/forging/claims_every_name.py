"""Says that it holds functions which it does not hold, with parameters that nobody can have."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import sys

NAMES = [
    "relu",
    "softmax",
    "sigmoid",
    "tanh",
    "affine",
    "mse",
    "nowhere.adam",
    "\x1b[31mrelu",
    "re\nlu",
    "",
    "x" * 10**4,
]
LISTING = [{"name": n, "parameters": [["z", "positional", True], ["\0", "odd", False]], "own": True} for n in NAMES]
sys.modules["gradproof_child.child"].listing = lambda functions: LISTING + LISTING
# end of trick
# verdict: error
