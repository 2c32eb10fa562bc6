"""How long grading takes: one file, a class, what a wrong function adds, and to make all cases and answers anew.

Run: python benchmarks/grading.py [--output FILE.json]. Each command is a fresh process; "first" starts with an empty
cache of answers, "again" with the one that the run before has filled. Times are the least of some runs, in seconds; a
machine that does something else besides makes them longer, so the CPU time of all processes stands beside the wall
clock.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = [sys.executable, "-c"]
GRADPROOF = [*PYTHON, "import gradproof; gradproof.main()"]
RIGHT = ROOT / "examples" / "submissions" / "right.py"
WRONG = ROOT / "examples" / "submissions" / "wrong.py"
FEW, CLASS, LARGE, NAMES, JOBS, SEED = 20, 100, 1000, 20, 2, 12345
EVERY = 7  # of the misconceptions each seventh is handed in
RIGHT_ADAM = """
import numpy as np

def adam(params, grad, state, *, lr, betas, eps):
    t, m, v = state
    t = t + 1
    m = betas[0] * m + (1 - betas[0]) * grad
    v = betas[1] * v + (1 - betas[1]) * grad**2
    return params - lr * m / (1 - betas[0]**t) / (np.sqrt(v / (1 - betas[1]**t)) + eps), (t, m, v)
"""
PREPARING = f"""
import gradproof
from graders import _api, _catalogue
from graders.harness.certify import proved

key = _api.Key({SEED}, proved, keeps_seeded=True)
asked = [(exercise, frozenset()) for exercise in _catalogue.exercises().values()]
key.prepare(asked)
for exercise, held in asked:
    key.cases(exercise, held)
"""
FAILING = f"""
import json, time
import gradproof
import numpy as np
from graders import _api, _catalogue, _live
from graders.harness.certify import proved

def seconds(exercise, function):
    began = time.process_time()
    _live.judge(exercise, function, key)
    return time.process_time() - began

np.seterr(all="ignore")
key = _api.Key({SEED}, proved)
every = [(exercise, wrong) for exercise in _catalogue.exercises().values() for wrong in exercise.misconceptions]
right, found = {{}}, []
seconds(*every[0])  # what is imported once
for exercise, wrong in every[::{EVERY}]:
    if exercise.name not in right:
        key.cases(exercise)
        right[exercise.name] = min(seconds(exercise, exercise.reference) for _ in range(2))
    found.append([seconds(exercise, wrong) - right[exercise.name], exercise.name + ": " + wrong.__name__])
print(json.dumps(found))
"""


def _adopt() -> None:
    """Become the parent of processes whose own parent ends, so that their CPU time is counted here."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def _ended() -> float:
    """Wait for every process that was adopted, and return the CPU time of all that ever ended."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(commands: Sequence[Sequence[str]], cache: Path, times: int = 3, expected: int = 0) -> dict[str, float]:
    """Return the least wall-clock time of commands that are run at once, and the CPU time of all their processes."""
    walls, cpus = [], []
    for _ in range(times):
        before, began = _ended(), time.perf_counter()
        running = [
            subprocess.Popen(
                command, cwd=ROOT, env=os.environ | {"XDG_CACHE_HOME": str(cache)}, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            ) for command in commands
        ]  # fmt: skip
        for process in running:
            said = process.communicate()[1]
            if process.returncode != expected:
                sys.exit(f"{process.args!r} ended with {process.returncode}: {said.decode()[-2000:]}")
        walls.append(time.perf_counter() - began)
        cpus.append(_ended() - before)
    return {"wall": round(min(walls), 3), "cpu": round(min(cpus), 3)}


def graded(path: Path, cache: Path, *options: str, times: int = 3, expected: int = 0) -> dict[str, float]:
    """Return how long it takes to grade what stands at a path."""
    return measured([[*GRADPROOF, "grade", str(path), *options]], cache, times, expected)


def class_of(count: int, folder: Path) -> Path:
    """Make a folder of so many right submissions, which differ in a comment."""
    place = folder / f"class{count}"
    place.mkdir()
    for student in range(count):
        (place / f"student_{student:04}.py").write_text(f"# student {student}\n" + RIGHT.read_text())
    return place


def names_of(count: int) -> list[str]:
    """Return the options that ask for so many of the names in the right submission."""
    said = subprocess.run(
        [*GRADPROOF, "grade", str(RIGHT), "--json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [exercise["name"] for exercise in json.loads(said.stdout)["submissions"][0]["exercises"]]
    return [option for name in sorted(names)[:count] for option in ("--only", name)]


def rate(few: dict[str, float], many: dict[str, float], more: int) -> float:
    """Return how many submissions a second are graded once all is started and every answer is known."""
    return round(more / (many["wall"] - few["wall"]), 1)


def failing(cache: Path) -> dict[str, object]:
    """Return how many CPU seconds a wrong function takes beyond a right one, over the known mistakes."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    said = subprocess.run([*PYTHON, FAILING], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    found = sorted(json.loads(said.stdout))
    seconds = [max(0.0, taken) for taken, _ in found]
    return {
        "functions": len(found),
        "median": round(statistics.median(seconds), 3),
        "of 95 %": round(seconds[int(0.95 * len(seconds))], 3),
        "worst": round(seconds[-1], 3),
        "worst of all": found[-1][1],
        "above half a second": sum(taken > 0.5 for taken in seconds),
    }


class Figures(dict[str, dict[str, float]]):
    """What was measured, printed as it comes."""

    def note(self, name: str, figure: dict[str, float]) -> None:
        """Keep a figure."""
        self[name] = figure
        print(f"{name:58} {figure['wall']:8.2f} s wall {figure['cpu']:8.2f} s CPU", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--output", type=Path, help="also write the figures to this JSON file")
    output = options.parse_args().output
    _adopt()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cache, whole = folder / "cache", folder / "whole"
        one = folder / "one.py"
        one.write_text(RIGHT_ADAM, encoding="utf-8")
        few, many, large = (class_of(count, folder) for count in (FEW, CLASS, LARGE))
        seeded = ("--seed", str(SEED))
        together = (*seeded, "--jobs", str(JOBS))
        names = names_of(NAMES)
        catalogue = "whole catalogue, cases and answers"
        figures = Figures()
        figures.note("help", measured([[*GRADPROOF, "--help"]], cache))
        figures.note("one function, first", graded(one, cache, times=1))
        figures.note("one function, again", graded(one, cache))
        figures.note("28 names, first", graded(RIGHT, cache, times=1))
        figures.note("28 names, again", graded(RIGHT, cache))
        figures.note("28 names, the same seed again", [graded(RIGHT, cache, *seeded) for _ in range(2)][1])
        figures.note(
            "wrong examples, the same seed again", [graded(WRONG, cache, *seeded, expected=1) for _ in range(2)][1]
        )
        figures.note(f"{catalogue}, empty cache, 2 processes", measured([[*PYTHON, PREPARING]] * JOBS, whole, times=1))
        figures.note(f"{catalogue}, kept", measured([[*PYTHON, PREPARING]], whole))
        figures.note(
            f"{catalogue}, empty cache, 1 process", measured([[*PYTHON, PREPARING]], folder / "alone", times=1)
        )
        figures.note(f"{FEW} submissions of {NAMES} names, {JOBS} jobs", graded(few, cache, *together, *names))
        figures.note(f"{CLASS} submissions of {NAMES} names, {JOBS} jobs", graded(many, cache, *together, *names))
        figures.note(f"{FEW} submissions of 28 names, {JOBS} jobs", graded(few, cache, *together))
        figures.note(f"{CLASS} submissions of 28 names, {JOBS} jobs", graded(many, cache, *together))
        figures.note(f"{CLASS} submissions of 28 names, 1 job", graded(many, cache, *seeded, times=1))
        figures.note(f"{LARGE} submissions of 28 names, {JOBS} jobs", graded(large, cache, *together, times=1))
        slow = failing(cache)
    rates = {
        f"{count} names": rate(
            figures[f"{FEW} submissions of {count} names, {JOBS} jobs"],
            figures[f"{CLASS} submissions of {count} names, {JOBS} jobs"],
            CLASS - FEW,
        ) for count in (NAMES, 28)
    }  # fmt: skip
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
    for name, per_second in rates.items():
        print(f"{f'submissions of {name} a second, {JOBS} jobs':58} {per_second:8.1f}")
    print(f"a wrong function adds, in CPU seconds: {json.dumps(slow)}")
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "schema": 1, "machine": machine, "seconds": figures, "submissions_per_second": rates["28 names"],
            "rates": rates, "a_wrong_function_adds": slow,
        }  # fmt: skip
        output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
