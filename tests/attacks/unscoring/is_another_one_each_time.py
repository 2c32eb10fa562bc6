"""Has its function at one loading and not at the next, and crashes in between."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import os
import time

if time.monotonic_ns() // 1000 % 2:
    del relu
else:

    def relu(z):
        os._exit(1)


# end of trick
# verdict: killed or error or nothing_found
