"""Has a thread write noise over its requests while the grader compares them."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os
import sys
import threading

child = sys.modules["gradproof_child.child"]


def line():
    frame = sys._getframe()
    while not isinstance(frame.f_locals.get("line"), child._Line):
        frame = frame.f_back
    return frame.f_locals["line"]


def scribble(arena):
    while True:
        noise = os.urandom(1 << 16)
        for at in range(1 << 20, len(arena) - len(noise), len(noise)):
            arena[at : at + len(noise)] = noise
        once.set()


once = threading.Event()


def relu(z):
    if not once.is_set():  # one thread: more would only take the time from each other
        threading.Thread(target=scribble, args=(line()._arena,), daemon=True).start()
        once.wait()
    return np.maximum(z, 0)


# end of trick
# verdict: killed, it wrote over what it was asked
