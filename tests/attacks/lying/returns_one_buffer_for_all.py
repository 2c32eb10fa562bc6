"""Returns the same memory for every call, so that all answers look like the last one."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
BUFFER = np.zeros(1 << 16)


def relu(z):
    out = BUFFER[: z.size].reshape(z.shape)
    out[...] = np.abs(z)
    return out


# end of trick
# verdict: wrong
