"""Leaves the answer in modules, builtins and the environment of the process that it was forked from."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import builtins
import os
import sys

if hasattr(np, "left_behind") or hasattr(builtins, "left_behind") or "LEFT_BEHIND" in os.environ:
    relu = lambda z: np.maximum(z, 0)
if hasattr(sys.modules["gradproof_child.child"], "left_behind"):
    relu = lambda z: np.maximum(z, 0)
np.left_behind = builtins.left_behind = sys.modules["gradproof_child.child"].left_behind = True
os.environ["LEFT_BEHIND"] = "1"
np.maximum = np.exp = np.abs
# end of trick
# verdict: wrong
