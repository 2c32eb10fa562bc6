"""Makes every clock of Python stand still, and then takes its time."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import resource
import time

for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time", "clock_gettime"):
    setattr(time, name, lambda *arguments: 0.0)
resource.getrusage = lambda who: (0.0,) * 16


def relu(z):
    while True:
        np.abs(z)


# end of trick
# verdict: timeout, of CPU time
