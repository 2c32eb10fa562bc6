"""Sends itself the signal that stops a process without ending it."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os
import signal


def relu(z):
    os.kill(os.getpid(), signal.SIGSTOP)


# end of trick
# verdict: timeout, of wall-clock time
