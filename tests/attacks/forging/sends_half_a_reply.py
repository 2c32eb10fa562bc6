"""Sends the beginning of a reply, and then nothing."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os
import time


def relu(z):
    os.write(3, b"\1" * 7)
    time.sleep(60)


# end of trick
# verdict: timeout, of wall-clock time
