"""Leaves threads behind that compute for ever."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import threading


def burn():
    a = np.ones((300, 300))
    while True:
        a @ a


def relu(z):
    for _ in range(4):
        threading.Thread(target=burn, daemon=True).start()
    return np.maximum(z, 0)


# end of trick
# verdict: error or timeout or correct
