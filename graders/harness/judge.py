"""A submission's function asked every case of its exercise, and each outcome held against its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders.harness.cases import Case
from graders.harness.compare import Comparison, compare
from graders.harness.key import AnswerKey
from graders.harness.plans import Binding, WrongKind
from graders.harness.sandbox.contract import (
    Box,
    Call,
    Killed,
    Limits,
    Loaded,
    Outcome,
    Raised,
    Returned,
    TimedOut,
)

NOT_DONE = NotImplementedError.__name__  # raised by submissions: it is what their starters were handed out with
STRIKES = 2
"""Time-outs after which a submission gets a quarter of the time for each further call."""


Opener = Callable[[Limits], Box]


@dataclass
class Session:
    """One submission behind the boundary, opened again after a death; the only state of a grading."""

    open: Opener
    limits: Limits
    box: Box | None = None
    strikes: int = 0

    def call(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make the calls, in a fresh box if the last one died."""
        if self.box is None:
            self.box = self.open(self.limits)
        if not isinstance(self.box.loaded, Loaded):
            loaded = self.box.loaded
            self.close()
            return [loaded]
        outcomes = self.box.call(calls)
        if outcomes and isinstance(outcomes[-1], (TimedOut, Killed)):
            self.strikes += isinstance(outcomes[-1], TimedOut)
            if self.strikes == STRIKES:
                self.limits = replace(self.limits, call_seconds=self.limits.call_seconds / 4)
            self.close()
        return outcomes

    def close(self) -> None:
        """End the submission."""
        if self.box is not None:
            left = max(0.0, self.limits.total_seconds - self.box.spent)
            self.limits = replace(self.limits, total_seconds=left)
            self.box.close()
            self.box = None


@dataclass(frozen=True)
class Judged:
    """How a function did, case by case, or what ended it early."""

    comparisons: tuple[Comparison, ...]
    ended: Outcome | None = None
    """The Raised, TimedOut or Killed that decides the verdict, if one does."""
    untouched: bool = False
    """Whether nothing was attempted: None, zeros or the weights as they came, in every case."""
    notes: tuple[str, ...] = ()


def attempts(session: Session, asked: Sequence[tuple[Binding, Case]]) -> list[Mapping[str, Any] | None]:
    """Return what functions make of cases, asked all at once; None for each that fails to answer."""
    plans = [binding.plan(case) for binding, case in asked]
    outcomes = session.call([call for plan in plans for call in plan])
    made: list[Mapping[str, Any] | None] = []
    at = 0
    for (binding, case), plan in zip(asked, plans, strict=True):
        part = outcomes[at : at + len(plan)]
        at += len(plan)
        returned = [o for o in part if isinstance(o, Returned)]
        try:
            made.append(binding.outputs(case, returned) if len(returned) == len(plan) else None)
        except WrongKind:
            made.append(None)
    return made


def compared(binding: Binding, case: Case, key: AnswerKey, outcomes: Sequence[Outcome]) -> Comparison:
    """Compare one case's outcomes with its answer; a failed call is a problem of that case."""
    answer = key.find(binding.exercise, case)
    assert answer is not None
    returned = [o for o in outcomes if isinstance(o, Returned)]
    if len(returned) < len(outcomes):
        failed = next(o for o in outcomes if not isinstance(o, Returned))
        failure = failed if isinstance(failed, Raised) else None
        return Comparison(case, answer, {}, np.inf, problem=said_of(failed), raised=True, failure=failure)
    try:
        outputs = binding.outputs(case, returned)
    except WrongKind as error:
        return Comparison(case, answer, {}, np.inf, problem=str(error), raised=True)
    mutated = tuple(sorted({position for r in returned for position in r.mutated}))
    return compare(case, answer, outputs, mutated=mutated, aliased=any(r.aliased for r in returned))


def said_of(outcome: Outcome) -> str:
    """Return what went wrong with a call, as a report says it."""
    match outcome:
        case Raised(kind="unreadable", message=message):
            return message
        case Raised(kind=kind, message=message, line=line, text=text):
            where = f" (line {line}{': ' + text if text else ''})" if line else ""
            return f"raised {kind}{': ' + message if message else ''}{where}"
        case TimedOut(seconds=seconds, clock=clock):
            return f"took more than {seconds:g} s {clock}"
        case Killed(why=why):
            return why
    return "returned"


def _returned_nothing(outcomes: Sequence[Outcome]) -> bool:
    """Return whether the starter's own nothing came back: None, or the exception by which a hand-out says "to do"."""
    first = next((o for o in outcomes if not isinstance(o, Returned) or o.values), None)
    if isinstance(first, Raised):
        return first.kind == NOT_DONE or first.message.startswith("returned None,")
    return isinstance(first, Returned) and first.values[0] is None


def _unchanged(comparison: Comparison) -> bool:
    """Return whether a case came back as zeros, or as the weights it was given."""
    if comparison.case.special:
        return True  # zeros may be its answer: it tells nothing
    if comparison.problem or comparison.passed:
        return False
    outputs = [np.asarray(value) for name, value in comparison.outputs.items() if name in ("", "params")]
    outputs = outputs or [np.asarray(value) for value in comparison.outputs.values()]
    given = comparison.case.arguments.get("params")
    return all(not np.any(value) for value in outputs) or (
        given is not None and all(np.array_equal(step, given) for value in outputs for step in np.atleast_2d(value))
    )


def judge(session: Session, binding: Binding, key: AnswerKey) -> Judged:
    """Ask the function every case, and compare."""
    asked = [case for case in key.cases(binding.exercise, binding.held) if binding.accepts(case)]
    plans = [binding.plan(case) for case in asked]
    outcomes = session.call([call for plan in plans for call in plan])
    if outcomes and isinstance(outcomes[-1], Killed):
        for _ in range(2):  # a crash is retried in a fresh sandbox: a submission's own crash comes again
            outcomes = session.call([call for plan in plans for call in plan])
            if not isinstance(outcomes[-1], Killed):
                break
    if not outcomes:
        return Judged((), Raised("unreadable", "there is no case that this call shape can express"))
    ended = outcomes[-1] if isinstance(outcomes[-1], (TimedOut, Killed)) else None
    if isinstance(outcomes[0], Raised) and len(outcomes) == 1 and len(plans) > 1:
        return Judged((), outcomes[0])  # it did not load a second time
    split: list[tuple[Case, list[Outcome]]] = []
    at = 0
    for case, plan in zip(asked, plans, strict=True):
        part = outcomes[at : at + len(plan)]
        at += len(plan)
        if len(part) < len(plan):
            break
        split.append((case, part))
    comparisons = tuple(compared(binding, case, key, part) for case, part in split)
    nothing = [_returned_nothing(part) for _, part in split]
    untouched = bool(split) and (all(nothing) or all(map(_unchanged, comparisons)))
    comparisons, notes = _one_form(comparisons)
    return Judged(comparisons, ended, untouched, notes)


def _one_form(comparisons: tuple[Comparison, ...]) -> tuple[tuple[Comparison, ...], tuple[str, ...]]:
    """Leave out a form of the labels that the function does not take: none is right, and most raise or lose shape."""
    forms = sorted({c.case.form for c in comparisons})
    if len(forms) < 2:
        return comparisons, ()
    alien = [f for f in forms if all(c.failed for c in comparisons if c.case.form == f and not c.case.extreme)]
    raising = [
        f
        for f in alien
        if 2 * sum(bool(c.problem) for c in comparisons if c.case.form == f)
        > sum(c.case.form == f for c in comparisons)
    ]
    if raising and len(raising) < len(forms):
        kept = tuple(c for c in comparisons if c.case.form not in raising)
        taken = " and ".join(f or "labels as distributions" for f in forms if f not in raising)
        return kept, (f"takes {taken} only: judged on those",)
    return comparisons, ()
