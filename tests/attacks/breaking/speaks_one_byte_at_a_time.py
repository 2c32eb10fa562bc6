"""Sends its replies byte by byte, with a little rest after each."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os
import sys
import time

child = sys.modules["gradproof_child.child"]


def send(line, data):
    for at in range(len(data)):
        os.write(3, data[at : at + 1])
        time.sleep(0.0001)


child._Line._send = send


# end of trick
# verdict: correct
