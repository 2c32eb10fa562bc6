"""Replaces what the child is built of: isinstance, type, len, getattr and the file functions."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import builtins
import os


def relu(z):
    builtins.isinstance = builtins.hasattr = lambda *arguments: True
    builtins.len = lambda value: 1
    os.write, os.read = os.read, os.write
    return np.abs(z)


# end of trick
# verdict: killed
