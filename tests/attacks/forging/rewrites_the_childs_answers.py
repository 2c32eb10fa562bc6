"""Replaces the function of the child that makes a call by one that claims any answer."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import sys

child = sys.modules["gradproof_child.child"]
made = child.perform


def perform(functions, call, kept, *rest):
    answer = made(functions, call, kept, *rest)
    return [[1.0 for _ in answer[0]], False]


child.perform = perform
# end of trick
# verdict: wrong
