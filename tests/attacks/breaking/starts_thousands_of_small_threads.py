"""Starts many more threads than its address space seems to allow: with small stacks."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import _thread
import threading
import time

threading.stack_size(32768)
MOST = 8000
STARTED = 0
BLOCK = _thread.allocate_lock()
BLOCK.acquire()
try:
    while STARTED < MOST:
        _thread.start_new_thread(BLOCK.acquire, ())
        STARTED += 1
except RuntimeError:
    pass

SLEPT = []


def relu(z):
    if not SLEPT:
        SLEPT.append(1)
        time.sleep(4)
    raise ValueError(f"{STARTED} threads")


# end of trick
# verdict: unreadable, threads
