"""How long grading takes: help, a file of one function, 28 names, and a class that differs in a comment.

Run: python benchmarks/grading.py [--output FILE.json]. Each command is a fresh process; "first" starts with an empty
cache of answers, "again" with the one that the run before has filled. Times are the least of three, in seconds; a
machine that does something else besides makes them longer, so CPU time stands beside the wall clock.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GRADPROOF = [sys.executable, "-c", "import gradproof; gradproof.main()"]
CLASS = 100
WHOLE = f"{CLASS} submissions of 28 names, --jobs 2"
RIGHT_ADAM = """
import numpy as np

def adam(params, grad, state, *, lr, betas, eps):
    t, m, v = state
    t = t + 1
    m = betas[0] * m + (1 - betas[0]) * grad
    v = betas[1] * v + (1 - betas[1]) * grad**2
    return params - lr * m / (1 - betas[0]**t) / (np.sqrt(v / (1 - betas[1]**t)) + eps), (t, m, v)
"""


def measured(arguments: list[str], cache: Path, times: int = 3, expected: int = 0) -> dict[str, float]:
    """Return the least wall-clock and CPU time of a command, its children's CPU time included."""
    walls, cpus = [], []
    for _ in range(times):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [*GRADPROOF, *arguments], cwd=ROOT, env=os.environ | {"XDG_CACHE_HOME": str(cache)}, capture_output=True
        )
        walls.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if done.returncode != expected:
            sys.exit(f"{arguments} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return {"wall": round(min(walls), 3), "cpu": round(min(cpus), 3)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--output", type=Path, help="also write the figures to this JSON file")
    output = options.parse_args().output
    right = ROOT / "examples" / "submissions" / "right.py"
    with tempfile.TemporaryDirectory() as folder:
        cache, place = Path(folder, "cache"), Path(folder, "class")
        place.mkdir()
        one = Path(folder, "one.py")
        one.write_text(RIGHT_ADAM, encoding="utf-8")
        for student in range(CLASS):
            (place / f"student_{student:03}.py").write_text(f"# student {student}\n" + right.read_text())
        figures = {
            "help": measured(["--help"], cache),
            "one function, first": measured(["grade", str(one)], cache, times=1),
            "one function, again": measured(["grade", str(one)], cache),
            "28 names, first": measured(["grade", str(right)], cache, times=1),
            "28 names, again": measured(["grade", str(right)], cache),
            WHOLE: measured(["grade", str(place), "--jobs", "2"], cache, times=1),
        }
    whole = figures[WHOLE]
    rate = round(CLASS / whole["wall"], 1)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
    for name, figure in figures.items():
        print(f"{name:45} {figure['wall']:8.2f} s wall {figure['cpu']:8.2f} s CPU")
    print(f"{'submissions a second':45} {rate:8.1f}")
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        document = {"schema": 1, "machine": machine, "seconds": figures, "submissions_per_second": rate}
        output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
