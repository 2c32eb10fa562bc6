"""The measurements behind `limits`, run as a program of their own, since a process is of one thread from its start.

Products of matrices and of vectors use every core where nothing says otherwise: then they would seem to need half the
CPU time of the thread that asked for them. It imports nothing but NumPy.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

TRIES = 7
LASTING = 0.004
"""Seconds that a try takes at least, over as many repetitions as that needs."""
SIDE = 512
"""Rows of the square matrices whose product tells the rate; larger ones are no faster."""


def least(run: Callable[[], object]) -> float:
    """Return the CPU seconds of a call, the least of several tries."""
    run()
    count = 1
    while True:
        took = timed(run, count)
        if took >= LASTING:
            break
        count = max(2 * count, int(1.2 * count * LASTING / max(took, LASTING / 100)))
    return min([took, *(timed(run, count) for _ in range(TRIES - 1))]) / count


def timed(run: Callable[[], object], count: int) -> float:
    """Return the CPU seconds of so many calls."""
    began = time.process_time()
    for _ in range(count):
        run()
    return time.process_time() - began


def moving_seconds(size: int) -> float:
    """Return the time to move so many bytes: the lesser of reading them, and of copying half of them to the rest."""
    one, other = np.ones(max(1, size // 16)), np.zeros(max(1, size // 16))
    return min(least(lambda: np.copyto(other, one)), least(lambda: one @ other))


def product_seconds(dtype: str) -> float:
    """Return the time of a product of matrices."""
    x = np.random.default_rng(0).standard_normal((SIDE, SIDE)).astype(dtype)
    out = np.empty_like(x)
    return least(lambda: np.matmul(x, x, out=out))


if __name__ == "__main__":
    print(moving_seconds(int(sys.argv[2])) if sys.argv[1] == "moving" else product_seconds(sys.argv[2]))
