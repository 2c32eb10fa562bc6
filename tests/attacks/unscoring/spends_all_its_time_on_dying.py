"""Computes for as long as its loading may take, and dies of the first call, as often as it is started."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os
import time

END = time.process_time() + 0.45
while time.process_time() < END:
    pass


def relu(z):
    os._exit(1)


# end of trick
# verdict: killed or timeout
