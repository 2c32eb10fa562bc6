"""Starts threads until none can be started, and leaves them running."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import threading
import time


def relu(z):
    for _ in range(3000):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    return np.maximum(z, 0)


# end of trick
# verdict: error or timeout
