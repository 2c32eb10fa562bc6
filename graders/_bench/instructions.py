"""Instructions in place of time: the same count on every run, whatever else the machine does.

Counted by valgrind's callgrind, since hardware counters are hidden from most virtual machines and containers. What a
call takes is the difference of two runs of one program, with one call and with many, over so many: to start Python
falls out. Valgrind knows no AVX-512 and no caches, so that NumPy may take another path than it does in earnest, and
memory costs nothing: it tells what changed in the program, not how fast that is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from graders._bench.revisions import SERVED, Tree, Unavailable
from graders.harness.plans import Binding
from graders.harness.sandbox.codec import encode
from graders.harness.sandbox.processes import ONE_THREAD
from graders.harness.sandbox.visible import visible
from graders.harness.speed.rig import CannotTime
from graders.harness.speed.statistics import Ratio
from graders.harness.speed.workloads import Workload

WORK = 200_000
"""Numbers that the counted calls work on together, about."""
FEWEST, MOST = 6, 200
NOISE = 2e-5
"""What two counts of one program may differ by, of all that is counted: Python looks at clocks and at addresses, …"""
LAYOUT = 0.01
"""… and of a call, by where its arrays happen to lie, on which the first and last steps of a loop depend."""
PATIENCE = 900.0


def demand() -> None:
    """Raise `Unavailable` where instructions cannot be counted."""
    if sys.platform != "linux" or shutil.which("valgrind") is None:
        raise Unavailable(
            "--clock instructions: they are counted by valgrind, which is not installed (apt install valgrind); "
            "leave it out to compare by CPU time"
        )


def calls(workload: Workload) -> int:
    """Return how many calls are counted."""
    return max(FEWEST, min(MOST, WORK // workload.elements))


def counted(workload: Workload, binding: Binding, ours: Tree, theirs: Tree) -> tuple[Ratio, float]:
    """Return how many instructions a call of ours takes for one of theirs, on the same input, and how many of ours.

    Raises `rig.CannotTime` where a count fails.
    """
    count = calls(workload)
    request = encode({"do": "call", "calls": [call.encoded for call in binding.plan(workload.draw(0))]})
    with tempfile.TemporaryDirectory(prefix="gradproof-calls-") as folder:
        file = Path(folder, "calls")
        file.write_bytes(request)
        runs = {tree.name: [_run(tree, workload, file, times) for times in (1, 1 + count)] for tree in (ours, theirs)}
    one, other = ((many - few) / count for few, many in (runs[ours.name], runs[theirs.name]))
    if min(one, other) <= 0:
        raise CannotTime("a call takes too few instructions to be told from what Python does besides")
    spread = NOISE * max(many for _, many in runs.values()) / count
    low, high = max(one - spread, 1.0) / (other + spread), (one + spread) / max(other - spread, 1.0)
    return Ratio(one / other, low / (1 + LAYOUT), high * (1 + LAYOUT), count), one


def _run(tree: Tree, workload: Workload, file: Path, times: int) -> int:
    runtime = os.path.join(visible(()), "runtime")
    program = [tree.python, "-s", "-P", str(SERVED), "count", str(tree.home), runtime, workload.exercise.name]
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *program, str(file), str(times)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, capture_output=True, check=False, text=True, timeout=PATIENCE,
        env=environment | ONE_THREAD | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise CannotTime(f"{workload.exercise.name} of {tree.name} could not be counted: {lines[-1]}")
    return int(found[1])
