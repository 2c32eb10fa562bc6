"""How much memory a function needs besides what it is given: a number that no load of the machine changes."""

from __future__ import annotations

import gc
import tracemalloc

from graders.harness.answers import plain_outputs
from graders.harness.speed.workloads import Workload, least_bytes

LEAST = 20_000
"""Bytes that a function must move to be measured: below, Python's own objects are as large as its arrays."""


def peak(workload: Workload) -> float | None:
    """Return the most memory that the reference held at one time while it computed, as a share of what it must move.

    None where that is next to nothing. NumPy's arrays are counted as Python's own objects are (tracemalloc): results
    among them, the arguments not. One more array as large as the argument is 0.5 where a function reads one and writes
    one.
    """
    case = workload.draw(0)
    moved = least_bytes(case, workload.outputs(case))  # and what a first call keeps, it keeps from here on
    if moved < LEAST:
        return None
    tracing, collecting = tracemalloc.is_tracing(), gc.isenabled()
    gc.disable()  # what was garbage before must not be taken off while the function runs
    if not tracing:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        plain_outputs(workload.exercise, workload.exercise.reference, case)
        return (tracemalloc.get_traced_memory()[1] - before) / moved
    finally:
        if not tracing:
            tracemalloc.stop()
        if collecting:
            gc.enable()
