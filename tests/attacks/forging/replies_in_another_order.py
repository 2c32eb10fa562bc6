"""Keeps its replies until all are made, and sends the last one first."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os
import sys

codec = sys.modules["gradproof_child.codec"]
child = sys.modules["gradproof_child.child"]
kept = []
true = child._Line.reply


def reply(line, number, value):
    if type(value) is not list:
        return true(line, number, value)
    body = codec.encode(value)
    kept.append(codec.REPLY.pack(number, len(body)) + body)
    for framed in reversed(kept if len(kept) == 12 else []):
        os.write(3, framed)


child._Line.reply = reply


def relu(z):
    return np.maximum(z, 0)


# end of trick
# verdict: killed, it broke the protocol: a reply that nobody asked for
