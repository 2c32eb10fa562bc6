"""A verdict's one case again: from the cache of this machine, the corpus, or the seed of its run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from graders import _api, _catalogue
from graders.harness import cases, judge
from graders.harness.answers import plain_outputs
from graders.harness.cases import Case
from graders.harness.certify import proved
from graders.harness.compare import Comparison
from graders.harness.exercise import Exercise
from graders.harness.key import AnswerKey, cache_folder, stored
from graders.harness.report import SCHEMA
from graders.harness.report.words import number
from graders.harness.sandbox.contract import Limits, Loaded
from graders.harness.submissions import Unusable, found_at
from graders.harness.witness import listed


def _found(exercise: Exercise, name: str, seed: int | None) -> tuple[Case, str]:
    """Return the case of that id, and the path of the submission it was found on, if known."""
    kept = stored(cache_folder() / "cases" / exercise.name / name) if name.isalnum() else None
    if isinstance(kept, dict):
        case = Case(
            kept["arguments"], {k: tuple(v) if isinstance(v, list) else v for k, v in kept["hyperparameters"].items()},
            kept["dtype"], kept["origin"], kept["extreme"],
        )  # fmt: skip
        return case, kept["path"]
    every = cases.edges(exercise)
    if seed is not None:
        every = every + cases.seeded(exercise, seed)
    for case in every:
        if case.id == name:
            return case, ""
    hint = (
        "give the run's --seed, which stands in its report" if seed is None else f"it is not among those of seed {seed}"
    )
    raise LookupError(f"the case {exercise.name}@{name} is not known on this machine: {hint}")


def replay(which: str, path: str | None, seed: int | None) -> dict[str, Any]:
    """Return a case, its true value and allowed error, and how the reference and a submission do on it."""
    name, at, identity = which.partition("@")
    if not at:
        raise LookupError(f"expected NAME@CASE, as a report prints it, got {which!r}")
    exercise = _api.one(name)
    case, known = _found(exercise, identity, seed)
    key = AnswerKey(seed or 0, proved)
    answer = key.find(exercise, case)
    if answer is None:
        raise LookupError(f"the truth of {which} cannot be found")
    result: dict[str, Any] = {
        "schema": SCHEMA,
        "name": exercise.name,
        "case": case.id,
        "why": case.origin,
        "dtype": case.dtype,
        "truth": answer.truth,
        "inputs": {k: listed(v) for k, v in {**case.arguments, **case.hyperparameters}.items()},
        "expected": {k: e.hi.tolist() for k, e in answer.outputs.items()},
        "allowed": {k: e.allowed.tolist() for k, e in answer.outputs.items()},
        "reference": {k: np.asarray(v).tolist() for k, v in plain_outputs(exercise, exercise.reference, case).items()},
        "submission": path or known or None,
        "got": None,
        "problem": None,
        "error_over_allowed": None,
        "passed": None,
    }
    if result["submission"] and (path or Path(known).exists()):
        comparison = _asked(exercise, case, key, Path(result["submission"]))
        result["problem"] = comparison.problem or None
        result["got"] = None if comparison.problem else {k: listed(v) for k, v in comparison.outputs.items()}
        result["error_over_allowed"] = None if comparison.problem else comparison.ratio
        result["passed"] = comparison.passed
    return result


def _asked(exercise: Exercise, case: Case, key: AnswerKey, path: Path) -> Comparison:
    submission = next(iter(found_at(path)))
    if isinstance(submission, Unusable):
        raise LookupError(str(submission))
    session = judge.Session(_api.opener_of(submission, _api.ALLOWED), Limits())
    try:
        session.box = session.open(session.limits)
        loaded = session.box.loaded
        if not isinstance(loaded, Loaded):
            raise LookupError(f"{path}: {judge.said_of(loaded)}")
        bound = _catalogue.bind(loaded.functions, {exercise.name: exercise})
        fitting = [b for b in bound.bindings if b.accepts(case)]
        if not fitting:
            raise LookupError(f"{path} has no function for {exercise.name}")
        return judge.compared(fitting[0], case, key, session.call(fitting[0].plan(case)))
    finally:
        session.close()


def as_text(result: dict[str, Any]) -> str:
    """Return a replayed case for a terminal."""
    lines = [f"{result['name']}@{result['case']} ({result['why']}; {result['dtype']})", ""]
    lines += [f"  {name} = {value}" for name, value in result["inputs"].items()]
    for output in result["expected"]:
        lines.append("")
        lines.append(f"  {output or 'result'}")
        lines.append(f"    should be  {result['expected'][output]}  by the {result['truth']}")
        lines.append(f"    allowed    ± {result['allowed'][output]}")
        lines.append(f"    reference  {result['reference'][output]}")
        if result["got"] and output in result["got"]:
            lines.append(f"    yours      {result['got'][output]}")
    if result["problem"]:
        lines += ["", f"  {result['submission']}: {result['problem']}"]
    elif result["passed"] is not None:
        verdict = "passes" if result["passed"] else "does not pass"
        ratio = number(result["error_over_allowed"], 3)
        lines += ["", f"  {result['submission']} {verdict}: its largest error is {ratio} of the allowed one"]
    return "\n".join(lines) + "\n"
