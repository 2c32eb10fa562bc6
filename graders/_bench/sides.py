"""The sides that a function is timed beside: the reference, a library's own function, and a call that does nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graders import _api, _catalogue
from graders._adapters import named
from graders._bench.revisions import SERVED, Tree
from graders.harness.plans import Binding
from graders.harness.sandbox.contract import Function, Limits, Loaded
from graders.harness.sandbox.parent import ProcessBox, Submission
from graders.harness.sandbox.visible import visible
from graders.harness.speed import nothing
from graders.harness.speed.rig import SANDBOXED, UNLIMITED, Empty, Side
from graders.harness.speed.trusted import opened
from graders.harness.speed.workloads import Workload

HOME = Tree("the working tree", Path(__file__).resolve().parents[2])
"""Where our rooms stand."""
PROGRAM = "import gradproof, sys; from graders import _bench_worker; _bench_worker.main(*sys.argv[1:])"


def trusted(workload: Workload, what: str) -> Side:
    """Return a trusted side of a comparison: "reference", or a library by its module, which has such a function."""

    def started(what: str) -> ProcessBox:
        if what in ("reference", "nothing") and _catalogue.is_ours(workload.exercise):  # starts four times as fast
            return _served(workload, HOME, json.dumps(_like(workload)) if what == "nothing" else "")
        like = json.dumps(_like(workload) if what == "nothing" else None)
        command = [sys.executable, "-c", PROGRAM, str(os.getpid()), what, workload.exercise.name, like]
        return opened(command, UNLIMITED)

    def bind(box: ProcessBox) -> Binding:
        return _bound(workload, box)

    return Side(what, lambda: started(what), bind, Empty("trusted", lambda: started("nothing"), bind))


def of_tree(workload: Workload, tree: Tree) -> Side:
    """Return the reference that stands in a tree, of this revision or another, as a side."""

    def started(like: str) -> ProcessBox:
        return _served(workload, tree, like)

    def bind(box: ProcessBox) -> Binding:
        return _bound(workload, box)

    empty = Empty(f"beside {tree.python}", lambda: started(json.dumps(_like(workload))), bind)
    return Side(f"{workload.exercise.name} of {tree.name}", lambda: started(""), bind, empty)


def _served(workload: Workload, tree: Tree, like: str) -> ProcessBox:
    """Start a process with the reference of a tree, or with a function that does nothing if it has a `like`."""
    runtime = os.path.join(visible(()), "runtime")
    arguments = [str(tree.home), runtime, str(os.getpid()), workload.exercise.name, like]
    return opened([tree.python, "-I", str(SERVED), "serve", *arguments], UNLIMITED)


def submitted(
    binding: Binding,
    submission: Submission,
    workload: Workload,
    limits: Limits = UNLIMITED,
    packages: Sequence[str] = _api.ALLOWED,
) -> Side:
    """Return a function of a submission as a side, in a sandbox as it is graded in."""
    tail = workload.exercise.name.partition(".")[2]
    text = f"{Path(nothing.__file__).read_text(encoding='utf-8')}\n\n{tail} = nothing({_like(workload)!r})\n"
    idle = Submission("nothing", "nothing.py", "file", "nothing.py", {"nothing.py": text})

    def started(what: Submission) -> ProcessBox:
        box = _api.opener_of(what, packages)(limits)
        assert isinstance(box, ProcessBox)
        return box

    empty = Empty(SANDBOXED, lambda: started(idle), lambda box: _bound(workload, box))
    return Side(binding.function, lambda: started(submission), lambda box: binding, empty)


def _bound(workload: Workload, box: ProcessBox) -> Binding:
    """Bind the function of the exercise's own name, which has its signature."""
    tail = workload.exercise.name.partition(".")[2]
    functions = box.loaded.functions if isinstance(box.loaded, Loaded) else ()
    found = next(iter(f for f in functions if f.name == tail), Function(tail, None))
    return named.bind(workload.exercise, found)


def _like(workload: Workload) -> Any:
    """Return the shapes and dtypes of a workload's results, in the structure in which a function returns them."""
    outputs = workload.outputs(workload.draw(0))
    leaves = [{"shape": np.shape(value), "dtype": np.asarray(value).dtype.str} for value in outputs.values()]
    if workload.exercise.unrolled:
        params, *state = leaves
        return [params | {"shape": params["shape"][1:]}, state]
    return leaves[0] if set(outputs) == {""} else leaves
