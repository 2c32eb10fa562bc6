"""A verdict's one case again: from the cache of this machine, the corpus, or the seed of its run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from graders import _api, _catalogue, _device
from graders._adapters import readings
from graders.harness import again, cases, judge, trials, tried
from graders.harness.answers import plain_outputs
from graders.harness.cases import Case
from graders.harness.certify import proved
from graders.harness.compare import Comparison
from graders.harness.exercise import Exercise
from graders.harness.key import AnswerKey, cache_folder, stored
from graders.harness.report import SCHEMA
from graders.harness.report.words import number
from graders.harness.sandbox.contract import Function, Limits, Loaded
from graders.harness.submissions import Unusable, found_at
from graders.harness.trials import Trial
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


def replay(which: str, path: str | None, seed: int | None, device: str = "cpu") -> dict[str, Any]:
    """Return a case, its true value and allowed error, and how the reference and a submission do on it, on a device.

    Raises LookupError for a case that is not known, and `_device.NoDevice` where there is no such device.
    """
    _device.found(device)
    name, at, identity = which.partition("@")
    if not at:
        raise LookupError(f"expected NAME@CASE, as a report prints it, got {which!r}")
    trial = _api.trial_of(name)
    if trial is not None:
        return _replayed(trial, identity, path, seed, device)
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
        "device": device,
        "got": None,
        "problem": None,
        "error_over_allowed": None,
        "passed": None,
    }
    if result["submission"] and (path or Path(known).exists()):
        comparison = _asked(exercise, case, key, Path(result["submission"]), device)
        result["problem"] = comparison.problem or None
        result["got"] = None if comparison.problem else {k: listed(v) for k, v in comparison.outputs.items()}
        result["error_over_allowed"] = None if comparison.problem else comparison.ratio
        result["passed"] = comparison.passed
    return result


def _replayed(trial: Trial, identity: str, path: str | None, seed: int | None, device: str) -> dict[str, Any]:
    """Return what is seen of the draws of one setting, of the reference and of a submission."""
    found = tried.restored(trial, identity, seed)
    if found is None:
        hint = (
            "give the run's --seed, which stands in its report" if seed is None else f"it is no setting of seed {seed}"
        )
        raise LookupError(f"the setting {trial.name}@{identity} is not known on this machine: {hint}")
    at, seed, known = found
    setting, where = trial.settings[at], path or known or None
    result: dict[str, Any] = {
        "schema": SCHEMA,
        "name": trial.name,
        "case": identity,
        "why": setting.why,
        "judged_by": "properties",
        "inputs": {name: tried.shown(value) for name, value in setting.arguments.items()},
        "draws": setting.draws,
        "reference": _rows(at, trials.observations(trial, trials.draws_of(trial, trial.reference, seed))),
        "submission": where,
        "device": device,
        "got": None,
        "problem": None,
        "passed": None,
    }
    if where and (path or Path(known).exists()):
        rows = _rows(at, _seen(trial, identity, seed, Path(where), device))
        result["got"] = rows or None
        result["problem"] = None if rows else "it did not return in every setting; grade it to see why"
        result["passed"] = bool(rows) and all(row["passed"] for row in rows)
    return result


def _rows(at: int, seen: trials.Observed) -> list[dict[str, Any]]:
    return [
        {
            "what": o.what,
            "value": o.value,
            "expected": o.expected,
            "allowed": o.allowed,
            "passed": o.passed,
            "said": o.said,
        }
        for (number, _), o in seen.items()
        if number in (at, trials.ALL)
    ]


@contextmanager
def _opened(path: Path, device: str) -> Iterator[tuple[judge.Session, tuple[Function, ...], judge.Session]]:
    """Open a submission while the block runs, and once more to ask how its functions are to be called.

    Raises LookupError where there is none.
    """
    submission = next(iter(found_at(path, folders=path.is_dir())))
    if isinstance(submission, Unusable):
        raise LookupError(str(submission))
    opener = _api.opener_of(submission, _api.ALLOWED, device=device)
    session, apart = judge.Session(opener, Limits()), judge.Session(opener, Limits())
    try:
        session.box = session.open(session.limits)
        loaded = session.box.loaded
        if not isinstance(loaded, Loaded):
            raise LookupError(f"{path}: {judge.said_of(loaded)}")
        yield session, loaded.functions, apart
    finally:
        session.close()
        apart.close()


def _asked(exercise: Exercise, case: Case, key: AnswerKey, path: Path, device: str) -> Comparison:
    """Return how a submission does in a case: read as it was when it was graded, if that is known."""
    was = again.kept(exercise.name, case.id, str(path))
    with _opened(path, device) as (session, functions, apart):
        bound = [
            _catalogue.bind(functions, {exercise.name: exercise}, apart.call, demanded=demanded).bindings
            for demanded in ([exercise.name], [])
        ]
        every = [one for some in bound for binding in some for one in (binding, *binding.others)]
        read = [one for one in every if (one.function, one.note) == was][:1]
        read = read or [one for some in bound for one in readings.settled(some, apart, key)[0]]
        found = [judge.compared(one, case, key, session.call(one.plan(case))) for one in read if one.accepts(case)]
    if not found:
        raise LookupError(f"{path} has no function for {exercise.name}")
    return next((comparison for comparison in found if not comparison.problem), found[0])


def _seen(trial: Trial, identity: str, seed: int, path: Path, device: str) -> trials.Observed:
    """Return what is seen of a submission's draws, read as they were when it was graded, if that is known."""
    was = again.kept(trial.name, identity, str(path))
    with _opened(path, device) as (session, functions, apart):
        bound = _catalogue.bind(functions, {}, apart.call, among_trials={trial.name: trial}).trials
        every = [one for binding in bound for one in (binding, *binding.others)]
        read = [one for one in every if (one.function, one.note) == was][:1]
        read = read or [tried.settled(binding, apart, seed) for binding in bound[:1]]
        if not read:
            raise LookupError(f"{path} has no function for {trial.name}")
        return trials.judged(trial, trials.ask(session, read[0], seed), read[0].seeded)[1]


def as_text(result: dict[str, Any]) -> str:
    """Return a replayed case for a terminal."""
    if result.get("judged_by") == "properties":
        return _trial_as_text(result)
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


def _trial_as_text(result: dict[str, Any]) -> str:
    draws = f"{result['draws']} draw{'s' * (result['draws'] != 1)}"
    lines = [f"{result['name']}@{result['case']} ({result['why']}; {draws})", ""]
    lines += [f"  {name} = {value}" for name, value in result["inputs"].items()]
    for whose in ("reference", "got"):
        rows = result[whose] or []
        lines += ["", f"  {'reference' if whose == 'reference' else 'yours'}"] if rows else []
        lines += [f"    {'passes' if row['passed'] else 'FAILS '}  {row['said']}" for row in rows]
    if result["problem"]:
        lines += ["", f"  {result['submission']}: {result['problem']}"]
    return "\n".join(lines) + "\n"
