"""What the sandbox costs: a submission of 20 functions and 50 cases each, beside the ways in which others run it.

Run: python benchmarks/sandbox.py [--rounds N] [--output FILE.json]. All ways take turns in one process, and each is
timed by the wall clock, as a class would feel it; the least of the rounds is printed, with the median. The assignment
is the same everywhere: 20 functions are called on 50 inputs each and compared with stored answers.

- ours: a child forked from a warm zygote, every layer in place, 1,000 calls in one batch, compared in the grader;
- the same without a layer of confinement, which shows what these cost;
- a fresh Python process that imports the file, calls and compares (no isolation at all);
- a pytest process with one test for each function, which loops over the inputs;
- `otter run` on a notebook with one test file for each function, where otter-grader and ipykernel are installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import gradproof  # noqa: F401  (takes the rooms)
from graders.harness.sandbox import parent, processes
from graders.harness.sandbox.contract import Call, Limits, Returned

FUNCTIONS, CASES = 20, 50
RNG = np.random.default_rng(0)
INPUTS = [[RNG.standard_normal((int(RNG.integers(2, 9)), 10)) for _ in range(CASES)] for _ in range(FUNCTIONS)]
SOURCE = "import numpy as np\n" + "".join(
    f"def f{i}(x):\n"
    "    e = np.exp(x - x.max(axis=1, keepdims=True))\n"
    f"    return {i + 1} * e / e.sum(axis=1, keepdims=True)\n"
    for i in range(FUNCTIONS)
)


def answer(i: int, x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return (i + 1) * e / e.sum(axis=1, keepdims=True)


ANSWERS = [[answer(i, x) for x in INPUTS[i]] for i in range(FUNCTIONS)]
CALLS = [Call(f"f{i}", (x,)) for i in range(FUNCTIONS) for x in INPUTS[i]]
EXPECTED = [y for answers in ANSWERS for y in answers]


def in_a_child() -> None:
    submission = parent.Submission("bench", "bench.py", "file", "bench.py", {"bench.py": SOURCE})
    with parent.ProcessBox(submission, ("numpy",), Limits()) as box:
        outcomes = box.call(CALLS)
    for outcome, expected in zip(outcomes, EXPECTED, strict=True):
        assert isinstance(outcome, Returned)
        assert np.allclose(outcome.values[0], expected, rtol=1e-12)


def unconfined(zygote: processes.Zygote) -> Callable[[], None]:
    def run() -> None:
        start = processes.start
        processes.start = lambda packages, limits, device="": processes.Forked(zygote, limits)
        try:
            in_a_child()
        finally:
            processes.start = start

    return run


CHECK = """
import sys, numpy as np
sys.path.insert(0, {folder!r})
import bench
stored = np.load({folder!r} + "/stored.npz")
def check(i):
    for k in range({cases}):
        assert np.allclose(getattr(bench, f"f{{i}}")(stored[f"x{{i}}_{{k}}"]), stored[f"y{{i}}_{{k}}"], rtol=1e-12)
"""


def prepared(folder: Path) -> dict[str, Callable[[], None]]:
    """Write the same assignment for the other ways, and return how each is run."""
    (folder / "bench.py").write_text(SOURCE, encoding="utf-8")
    arrays = {f"x{i}_{k}": INPUTS[i][k] for i in range(FUNCTIONS) for k in range(CASES)}
    arrays |= {f"y{i}_{k}": ANSWERS[i][k] for i in range(FUNCTIONS) for k in range(CASES)}
    np.savez(folder / "stored.npz", **arrays)  # type: ignore[arg-type]
    check = CHECK.format(folder=str(folder), cases=CASES)
    (folder / "plain.py").write_text(check + f"for i in range({FUNCTIONS}): check(i)\n", encoding="utf-8")
    tests = "".join(f"def test_f{i}():\n    check({i})\n" for i in range(FUNCTIONS))
    (folder / "test_bench.py").write_text(check + tests, encoding="utf-8")

    def command(*arguments: str) -> Callable[[], None]:
        def run() -> None:
            subprocess.run(
                arguments, cwd=folder, check=True, capture_output=True, env=os.environ | processes.ONE_THREAD
            )

        return run

    ways = {
        "a fresh Python process, no isolation": command(sys.executable, "plain.py"),
        "a pytest process": command(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_bench.py"),
    }
    if installed("otter-grader"):
        otter_files(folder)
        ways["otter run"] = command(sys.executable, "-m", "otter", "run", "-a", "autograder.zip", "submission.ipynb")
    return ways


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def otter_files(folder: Path) -> None:
    """Write a notebook, one doctest file for each function, and the archive that otter makes of them."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": SOURCE,
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [cell | {"id": "a"}]}
    (folder / "submission.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    tests = folder / "tests"
    tests.mkdir()
    for i in range(FUNCTIONS):
        code = (
            f">>> import numpy as np\n>>> stored = np.load({str(folder / 'stored.npz')!r})\n"
            f">>> all(np.allclose(f{i}(stored[f'x{i}_{{k}}']), stored[f'y{i}_{{k}}']) for k in range({CASES}))\nTrue"
        )
        suite = {"cases": [{"code": code, "hidden": False, "locked": False}], "type": "doctest"}
        text = f"OK_FORMAT = True\ntest = {{'name': 'f{i}', 'points': 1, 'suites': [{suite!r}]}}\n"
        (tests / f"f{i}.py").write_text(text, encoding="utf-8")
    generate = [sys.executable, "-m", "otter", "generate", "-t", "tests", "-o", "autograder.zip"]
    subprocess.run(generate, cwd=folder, check=True, capture_output=True)


def small_calls(pinned: bool = False) -> float:
    """Return the microseconds for one call of a + 1 on 32 × 10, of a thousand in a batch; all on one core if pinned."""
    text = "def f(a):\n    return a + 1\n"
    submission = parent.Submission("bench", "bench.py", "file", "bench.py", {"bench.py": text})
    calls = [Call("f", (RNG.standard_normal((32, 10)),)) for _ in range(1000)]
    with parent.ProcessBox(submission, ("numpy",), Limits()) as box:
        box.call(calls)
        cores = os.sched_getaffinity(0)
        if pinned:
            os.sched_setaffinity(0, {max(cores)})
            os.sched_setaffinity(box._child.pid, {max(cores)})
        began = time.perf_counter()
        box.call(calls)
        taken = time.perf_counter() - began
        os.sched_setaffinity(0, cores)
        return taken * 1e3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--output", type=Path, help="also write the figures to this JSON file")
    given = options.parse_args()
    bare = processes.Zygote(("numpy",), without=(*processes.LAYERS, "bubblewrap"))
    with tempfile.TemporaryDirectory() as place:
        ways = {"ours": in_a_child, "ours, not confined": unconfined(bare), **prepared(Path(place))}
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        micros: dict[str, list[float]] = {"a small call in a batch": [], "the same, all on one core": []}
        for way in ways.values():
            way()
        for _ in range(given.rounds):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                seconds[name].append(time.perf_counter() - began)
            for pinned, values in enumerate(micros.values()):
                values.append(small_calls(bool(pinned)))
    bare.close()
    least = {name: min(values) for name, values in seconds.items()}
    for name, values in seconds.items():
        ratio = least[name] / least["ours"]
        print(f"{name:40} {1e3 * least[name]:8.1f} ms, median {1e3 * statistics.median(values):8.1f}  ×{ratio:.1f}")
    for name, values in micros.items():
        print(f"{name:40} {min(values):8.1f} µs, median {statistics.median(values):8.1f}")
    if given.output:
        document = {
            "schema": 1,
            "milliseconds": {name: [round(1e3 * value, 2) for value in values] for name, values in seconds.items()},
            "microseconds": {name: [round(value, 2) for value in values] for name, values in micros.items()},
            "tier": processes.isolation().tier,
            "machine": {
                "cores": os.cpu_count(), "python": platform.python_version(), "numpy": np.__version__,
                "pytest": installed("pytest"), "otter-grader": installed("otter-grader"), "kernel": platform.release(),
            },
        }  # fmt: skip
        given.output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
