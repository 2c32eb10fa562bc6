"""Sends replies of exactly the lengths at which the way they take changes, and then one that is a byte too long."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os
import sys

codec = sys.modules["gradproof_child.codec"]
child = sys.modules["gradproof_child.child"]
LENGTHS = [codec.SHORT - 1, codec.SHORT, codec.SHORT + 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1]
LEAST = len(codec.encode([[""], False]))
calls = iter(range(10**9))
true = child._Line.reply


def reply(line, number, value):
    if type(value) is not list:
        return true(line, number, value)
    body = codec.encode([["x" * (LENGTHS[next(calls) % len(LENGTHS)] - LEAST)], False])
    short = len(body) <= codec.SHORT
    if not short:
        line._arena[: len(body)] = body
    line._send(codec.REPLY.pack(number, len(body)) + (body if short else b""))
    if not short:
        os.read(3, 1)


child._Line.reply = reply


# end of trick
# verdict: killed, a reply of 262,145 bytes, at most 262,144 are read
