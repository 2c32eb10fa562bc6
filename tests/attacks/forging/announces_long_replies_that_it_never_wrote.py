"""Answers all calls with a long reply that it wrote before it was asked, and does not wait for its being read."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os
import sys

codec = sys.modules["gradproof_child.codec"]
child = sys.modules["gradproof_child.child"]
BODY = codec.encode([[[None] * (codec.SHORT + 1)], False])


def reply(line, number, value):
    line._arena[: len(BODY)] = BODY
    os.write(3, codec.REPLY.pack(number, len(BODY)))


child.perform = lambda *whatever: reply
true = child._Line.reply
child._Line.reply = lambda line, number, value: (reply if value is reply else true)(line, number, value)


# end of trick
# verdict: error or killed
