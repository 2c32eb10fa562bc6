"""What this machine can do at all: how fast it moves so many bytes, and how fast it multiplies matrices.

Measured when asked for, in the run that uses it, on one thread, by CPU time: the best of several tries, since a limit
is what no program passes. A result faster than that was not computed in the time.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys

from graders.harness.sandbox.processes import ONE_THREAD, CannotStart
from graders.harness.speed import probes

IMPLAUSIBLE = 0.95
"""A time below this share of the limit is looked at, and earns nothing."""


@functools.cache
def _probed(what: str, of: str) -> float:
    """Return what a probe measures, in a process of one thread."""
    command = [sys.executable, "-I", probes.__file__, what, of]
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=os.environ | ONE_THREAD)
    try:
        return float(done.stdout)
    except ValueError:
        raise CannotStart(f"the limits of this machine could not be measured: {done.stderr.strip()[-500:]}") from None


def multiplications(dtype: str) -> float:
    """Return how many multiplications and additions a second the machine does in a product of matrices."""
    return 2.0 * probes.SIDE**3 / _probed("product", dtype)


def least_seconds(bytes_moved: int, operations: float = 0.0, dtype: str = "float64") -> float:
    """Return the least time in which so many bytes can be read or written, and so many operations made."""
    size = 1 << max(10, (bytes_moved - 1).bit_length())  # of the next power of two, in proportion: few are measured
    moving = _probed("moving", str(size)) * bytes_moved / size
    return max(moving, operations / multiplications(dtype) if operations else 0.0)
