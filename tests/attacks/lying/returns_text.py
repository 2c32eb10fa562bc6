"""Returns numbers as text, records and dates."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
def relu(z):
    if z.ndim == 1:
        return np.array([("1.0", 2)] * z.size, dtype=[("a", "U8"), ("b", "i8")])
    return np.maximum(z, 0).astype(str)


# end of trick
# verdict: error
