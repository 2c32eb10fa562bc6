"""Has a thread write replies while its answers are compared."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os
import sys
import threading
import time

codec = sys.modules["gradproof_child.codec"]


def framed(number, value):
    body = codec.encode(value)
    return codec.REPLY.pack(number, len(body)) + body


def forge():
    reply = [[1.0], False]
    while True:
        try:
            os.write(3, framed(7, reply))
        except OSError:
            return
        time.sleep(0.001)


threading.Thread(target=forge, daemon=True).start()
# end of trick
# verdict: unreadable or killed, it broke the protocol
