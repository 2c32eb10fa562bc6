"""Says where it raised in a list of arrays, which takes long to be written out."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import sys

child = sys.modules["gradproof_child.child"]
ARRAYS = [np.full((2,) * 6 + (10,), 0.1 + 1 / 3, np.float16) for _ in range(370)]


def perform(functions, call, kept, through=()):
    return {"status": "raised", "kind": "E", "message": "m", "line": 1, "text": ARRAYS}


child.perform = perform
# end of trick
# verdict: error or killed
