"""Ignores all signals that can be ignored, swallows every exception and loops."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import signal

for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass


def relu(z):
    while True:
        try:
            while True:
                np.abs(z)
        except BaseException:
            pass


# end of trick
# verdict: timeout, of CPU time
