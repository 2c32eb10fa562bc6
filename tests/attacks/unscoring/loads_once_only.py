"""Is loaded the first time, dies in a call, and dies at every later loading too."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os
import sys
import time

BORN = time.monotonic()
if int(BORN * 1e6) % 3:
    os._exit(0)


def relu(z):
    os._exit(0)


# end of trick
# verdict: killed or unreadable
