"""Reports exceptions that did not happen: to do, a package that is not there, an error without end."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import sys

# names of exceptions that mean something to the grader ("to do", a missing package, no sandbox), told without being
# raised: the first is what an unfilled starter raises
KINDS = iter(
    ["NotImplementedError", "ModuleNotFoundError", "CannotStart", "\x1b]0;title\x07", "KeyboardInterrupt"] * 10**4
)


def perform(*arguments):
    return {
        "status": "raised", "kind": next(KINDS), "message": "the harness failed\x1b[2J\n" * 1000, "line": -(2**62),
        "text": "\u202e" * 10**4, "file": "/etc/passwd", "missing": "numpy",
    }  # fmt: skip


sys.modules["gradproof_child.child"].perform = perform
# end of trick
# verdict: incompatible
