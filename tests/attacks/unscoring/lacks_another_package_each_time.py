"""Computes for a while, and then lacks a package: another one each time it is loaded."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import time

END = time.process_time() + 0.3
while time.process_time() < END:
    pass
for number in range(20):
    __import__(f"no_such_package_{number}")


# end of trick
# verdict: unreadable
