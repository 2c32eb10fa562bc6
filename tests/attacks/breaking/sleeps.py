"""Waits, using no time of the processor's."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import time


def relu(z):
    time.sleep(3600)


# end of trick
# verdict: timeout, of wall-clock time
