"""Takes the number of the request from its caller's frame and says itself what the file holds, before the child can."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os
import sys

codec = sys.modules["gradproof_child.codec"]


def framed(number, value):
    body = codec.encode(value)
    return codec.REPLY.pack(number, len(body)) + body


frame, caller = sys._getframe(), None
numbers = set()
while frame is not None:
    numbers |= {v for v in frame.f_locals.values() if type(v) is int and v > 1 << 32}
    frame = frame.f_back
listing = [{"name": "softmax", "parameters": [["z", "positional", True]], "own": True}]
for number in numbers:
    os.write(
        3,
        framed(number, {"status": "loaded", "functions": listing, "notes": [], "imports": []}),
    )
# end of trick
# verdict: killed, it broke the protocol: a reply that nobody asked for
