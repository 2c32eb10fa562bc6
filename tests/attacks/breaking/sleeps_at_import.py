"""Waits before it has any function."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import time

time.sleep(3600)
# end of trick
# verdict: unreadable, of wall-clock time
