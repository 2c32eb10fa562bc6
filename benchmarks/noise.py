"""How often identical code is called slower, and how often slower code is: the rig measured by itself.

Run: python benchmarks/noise.py [--runs N] [--effects N] [--seconds S] [--jobs N] [--output FILE.json]. Each run
compares two submissions of the same text, or of one that does 5, 10 or 15 % more of the same work, in fresh processes,
by the rule that `gradproof bench` uses. Half a second for each is what points for speed are given by. The file is
written after every run and read again at the start, so that the script may be ended and started again; the short form
in CI makes a few runs and checks only that it works. With `--jobs` several comparisons are made at once, and disturb
each other as any load does. Bounds are Clopper and Pearson's, with 95 % confidence.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import itertools
import json
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import gradproof  # noqa: F401  (takes the rooms)
from graders import _catalogue
from graders._adapters import named
from graders._bench import sides
from graders.harness.sandbox.contract import Function
from graders.harness.sandbox.parent import Submission
from graders.harness.speed import rig, rounds
from graders.harness.speed.workloads import Workload

RESULT = Path(__file__).parent / "results" / "noise.json"
SECONDS = 0.5
WORK = {
    "losses.bce_with_logits": (
        "import numpy as np\nREPEAT = {repeat}\n\ndef bce_with_logits(logits, labels):\n"
        "    for _ in range(REPEAT):\n"
        "        loss = np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits)))\n"
        "    return np.mean(loss)\n"
    ),
    "layers.affine": (
        "import numpy as np\nREPEAT = {repeat}\n\ndef affine(x, W, b):\n"
        "    for _ in range(REPEAT):\n        y = x @ W + b\n    return y\n"
    ),
}
"""Programs that do their work so many times: 60 times of one and 63 of the other differ by 5 %."""
EFFECTS = {"0": (60, 60), "5": (63, 60), "10": (66, 60), "15": (69, 60)}
ALARMS = ("slower", "faster", "implausible", "not timed")
"""Verdicts that are false of identical code."""
GOALS = {"5": 0.95, "10": 0.99, "15": 0.99}


def side(workload: Workload, repeat: int) -> rig.Side:
    """Return the program that does its work so many times."""
    name = workload.exercise.name
    tail = name.partition(".")[2]
    text = WORK[name].format(repeat=repeat)
    what = Submission(f"{repeat}", "program.py", "file", "program.py", {"program.py": text})
    positional = workload.exercise.reference.__code__.co_varnames[: workload.exercise.reference.__code__.co_argcount]
    found = Function(tail, tuple((argument, "positional", True) for argument in positional))
    return sides.submitted(named.bind(workload.exercise, found), what, workload)


def run(name: str, effect: str, seed: int, seconds: float = SECONDS) -> dict[str, Any]:
    """Return one comparison: its verdict, and the ratio that led to it."""
    workload = Workload(_catalogue.exercises()[name], "small", "float64", seed)
    ours, theirs = (side(workload, repeat) for repeat in EFFECTS[effect])
    began = time.monotonic()
    try:
        (timing,) = rounds.confirmed(workload, ours, [theirs], seconds=seconds)
    except rig.CannotTime as error:  # of identical code that is a false alarm, too
        return {"name": name, "effect": effect, "seed": seed, "verdict": error.verdict, "reason": str(error)}
    return {
        "name": name, "effect": effect, "seed": seed, "verdict": timing.verdict, "ratio": round(timing.ratio.ratio, 4),
        "low": round(timing.ratio.low, 4), "high": round(timing.ratio.high, 4), "pairs": timing.ratio.pairs,
        "reason": timing.reason, "seconds": round(time.monotonic() - began, 2),
    }  # fmt: skip


def at_most(found: int, of: int) -> float:
    """Return the upper bound of a share, with 95 % confidence (Clopper and Pearson 1934)."""
    low, high = 0.0, 1.0
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, of + 1)))])
    counts = np.arange(found + 1)
    chosen = log_factorials[of] - log_factorials[counts] - log_factorials[of - counts]
    for _ in range(60):
        middle = (low + high) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = chosen + counts * np.log(middle) + (of - counts) * np.log1p(-middle)
        low, high = (middle, high) if np.exp(terms).sum() > 0.05 else (low, middle)
    return high


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the shares with their bounds."""
    made: dict[str, Any] = {}
    for effect in EFFECTS:
        of = [r for r in runs if r["effect"] == effect]
        if not of:
            continue
        count = {verdict: sum(r["verdict"] == verdict for r in of) for verdict in ALARMS}
        slower = count["slower"]
        made[effect] = {"runs": len(of), **count}
        if effect == "0":
            made[effect]["false_alarms_at_most"] = round(at_most(sum(count.values()), len(of)), 6)
        else:
            made[effect] |= {"caught": round(slower / len(of), 4), "goal": GOALS[effect]}
    return made


def runs_of(path: Path, seconds: float) -> list[dict[str, Any]]:
    """Return the runs that a file holds, none if there is no such file; those of other lengths are not mixed."""
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    if document["seconds"] != seconds:
        sys.exit(f"{path}: holds runs of {document['seconds']} s, expected {seconds} s; name another --output")
    runs: list[dict[str, Any]] = document["runs"]
    return runs


def to_make(runs: list[dict[str, Any]], wanted: dict[str, int]) -> Iterator[tuple[str, str, int]]:
    """Yield name, effect and seed of each run that is not made yet; all effects come forward together."""
    names = list(WORK)
    made = {(run["effect"], run["seed"]) for run in runs}
    left = [(seed / count, effect, seed) for effect, count in wanted.items() for seed in range(count)]
    for _, effect, seed in sorted(left):
        if (effect, seed) not in made:
            yield names[seed % len(names)], effect, seed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=100, help="comparisons of identical code to make in all")
    options.add_argument("--effects", type=int, default=0, help="comparisons with each of 5, 10 and 15 %% more work")
    options.add_argument("--seconds", type=float, default=SECONDS, help="CPU time of each, as `gradproof bench` has it")
    options.add_argument("--jobs", type=int, default=1, help="comparisons at once")
    options.add_argument("--output", type=Path, default=RESULT)
    asked = options.parse_args()
    runs = runs_of(asked.output, asked.seconds)
    wanted = {effect: asked.runs if effect == "0" else asked.effects for effect in EFFECTS}
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "numpy": np.__version__}
    about = {"schema": 1, "machine": machine, "seconds": asked.seconds, "jobs": asked.jobs}
    with concurrent.futures.ProcessPoolExecutor(asked.jobs, multiprocessing.get_context("spawn")) as pool:
        left = to_make(list(runs), wanted)
        going = {pool.submit(run, *one, asked.seconds) for one in itertools.islice(left, asked.jobs)}
        while going:
            done, going = concurrent.futures.wait(going, return_when=concurrent.futures.FIRST_COMPLETED)
            for one in done:
                runs.append(one.result())
                _written(asked.output, json.dumps({**about, "summary": summary(runs), "runs": runs}) + "\n")
                print(runs[-1], flush=True)
            going |= {pool.submit(run, *one, asked.seconds) for one in itertools.islice(left, len(done))}
    print(json.dumps(summary(runs), indent=2))


def _written(path: Path, text: str) -> None:
    """Write a file as a whole: a run may be ended at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


if __name__ == "__main__":
    main()
