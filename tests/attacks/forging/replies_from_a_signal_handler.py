"""Writes replies from a handler that a timer calls in the middle of the child's own work."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os
import signal
import sys

codec = sys.modules["gradproof_child.codec"]


def framed(number, value):
    body = codec.encode(value)
    return codec.REPLY.pack(number, len(body)) + body


reply = [[1.0], False]
signal.signal(signal.SIGALRM, lambda *arguments: os.write(3, framed(0, reply)))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)


def relu(z):
    for _ in range(2000):
        out = np.abs(z)
    return out


# end of trick
# verdict: killed or unreadable, it broke the protocol
