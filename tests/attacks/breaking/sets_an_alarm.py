"""Has itself killed by a timer in the middle of a call."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import signal

signal.setitimer(signal.ITIMER_REAL, 0.01)


def relu(z):
    while True:
        pass


# end of trick
# verdict: killed, the process died of SIGALRM
