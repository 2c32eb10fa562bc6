"""Becomes another user, or lives under another root."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os

for become in (lambda: os.setuid(0), lambda: os.setresuid(1, 1, 1), lambda: os.setgroups([]), lambda: os.chroot("/")):
    try:
        become()
        relu = lambda z: np.maximum(z, 0)
    except OSError:
        pass
# end of trick
# verdict: wrong
