"""Starts a fresh interpreter that has the reference, by every way of starting one."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import os
import subprocess
import sys

command = [sys.executable, "-c", "import reference"]
ways = (
    lambda: subprocess.run(command, check=True),
    lambda: os.posix_spawn(command[0], command, {}),
    lambda: os.execv(command[0], ["python", "-c", "raise SystemExit(3)"]),
    lambda: 1 / (os.system("true") == 0),
    lambda: os.popen("echo it works").read()[0],
)
for way in ways:
    try:
        way()
        relu = lambda z: np.maximum(z, 0)
    except Exception:
        pass
# end of trick
# verdict: wrong
