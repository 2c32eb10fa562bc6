"""Matches a pattern that takes exponential time."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import re


def relu(z):
    return re.match("(a+)+$", "a" * 60 + "b")


# end of trick
# verdict: timeout, of CPU time
