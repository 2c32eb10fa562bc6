"""Puts modules of its own in the place of NumPy, struct and json."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import sys
import types

for name in ("numpy", "struct", "json", "os", "gradproof_child.codec"):
    sys.modules[name] = types.ModuleType(name)
np.array = np.asarray = lambda *arguments, **keywords: 1.0
# end of trick
# verdict: wrong or error or killed
