"""Has a thread change a long answer while the grader copies it, from what is wrong to what can hardly be read."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import sys
import threading

codec = sys.modules["gradproof_child.codec"]
child = sys.modules["gradproof_child.child"]
LONG = [np.zeros(20_000)]


def line():
    frame = sys._getframe()
    while not isinstance(frame.f_locals.get("line"), child._Line):
        frame = frame.f_back
    return frame.f_locals["line"]


def swap(arena):
    one, two = codec.encode([[LONG], False]), codec.encode([["x" * 150_000], False])
    while True:
        arena[: len(one)] = one
        arena[: len(two)] = two


def relu(z):
    threading.Thread(target=swap, args=(line()._arena,), daemon=True).start()
    globals()["relu"] = lambda z: LONG
    return LONG


# end of trick
# verdict: error or killed or timeout
