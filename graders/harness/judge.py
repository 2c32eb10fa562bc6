"""A submission's function asked every case of its exercise, and each outcome held against its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from graders.harness.cases import Case
from graders.harness.compare import Comparison, as_array, compare
from graders.harness.key import AnswerKey
from graders.harness.plans import Binding, WrongAtSight, WrongKind
from graders.harness.sandbox.codec import Kept, Record, encode
from graders.harness.sandbox.contract import (
    WHOLE,
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

BLANK = re.compile(r"=\s*None\s*(#.*)?$|\brange\(None\)|^(\w+) = \2\.astype\(|^assert\b")
"""A starter's line that is to be filled in, `(a, b) = None`, or that comes after one: `out = out.astype(x.dtype)`."""
STRIKES = 2
"""Time-outs after which a submission gets a quarter of the time for each further call."""


Opener = Callable[[Limits], Box]
T = TypeVar("T")


@dataclass
class Session:
    """One submission behind the boundary, opened again after a death; the only state of a grading."""

    open: Opener
    limits: Limits
    box: Box | None = None
    strikes: int = 0
    total: float = field(init=False)
    """Seconds that the submission may take for everything, all its boxes together."""

    def __post_init__(self) -> None:
        self.total = self.limits.total_seconds

    def call(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make the calls, in a fresh box if the last one died."""
        if self.box is None:
            if self.limits.total_seconds <= 0:
                return [TimedOut(self.total, WHOLE)]
            self.box = self.open(self.limits)
        if not isinstance(self.box.loaded, Loaded):
            loaded = self.box.loaded
            self.close()
            return [self._of_the_whole(loaded)]
        outcomes = self.box.call(calls)
        if outcomes and isinstance(outcomes[-1], (TimedOut, Killed)):
            self.strikes += isinstance(outcomes[-1], TimedOut)
            if self.strikes == STRIKES:
                self.limits = replace(self.limits, call_seconds=self.limits.call_seconds / 4)
            outcomes[-1] = self._of_the_whole(outcomes[-1])
            self.close()
        return outcomes

    def _of_the_whole(self, ended: T) -> T | TimedOut:
        """Return how a box ended, with all the time that was given instead of what was left for this box."""
        return TimedOut(self.total, WHOLE) if isinstance(ended, TimedOut) and ended.clock == WHOLE else ended

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
    found = key.find(binding.exercise, case)
    assert found is not None
    answer = found.without(binding.unseen)
    returned = [o for o in outcomes if isinstance(o, Returned)]
    if len(returned) < len(outcomes):
        failed = next(o for o in outcomes if not isinstance(o, Returned))
        failure = failed if isinstance(failed, Raised) else None
        return Comparison(case, answer, {}, np.inf, problem=said_of(failed), raised=True, failure=failure)
    try:
        outputs = binding.outputs(case, returned)
    except WrongKind as error:
        nothing = dict.fromkeys(answer.outputs)
        kind = not isinstance(error, WrongAtSight)
        return Comparison(case, answer, nothing, np.inf, problem=str(error), raised=kind)
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


def returned_nothing(outcomes: Sequence[Outcome]) -> bool:
    """Return whether the starter's own nothing came back: None, or the exception by which a hand-out says "to do"."""
    first = next((o for o in outcomes if not isinstance(o, Returned) or o.values), None)
    if isinstance(first, Raised):
        blank = "NoneType" in first.message and BLANK.search(first.text) is not None
        return blank or first.not_done or first.message.startswith("returned None,")
    return isinstance(first, Returned) and _is_nothing(first.values[0])


def _is_nothing(value: Any) -> bool:
    """Return whether a value is None, or a dictionary of the starter's keys with nothing behind them."""
    return value is None or (isinstance(value, dict) and bool(value) and all(map(_is_nothing, value.values())))


def _unchanged(comparison: Comparison) -> bool:
    """Return whether a case came back as zeros, or as the weights it was given."""
    arguments = comparison.case.arguments
    named = comparison.outputs.items()
    if comparison.case.special:  # zeros may be its answer: they tell nothing
        own = [value for value in arguments.values() if isinstance(value, np.ndarray)]
        return all(_is_nothing_new(value, own) for _, value in named)
    if named and all(name in arguments and np.array_equal(v, arguments[name]) for name, v in named):
        return True  # a state that was to be brought up to date, which now and then is right as it is
    if comparison.problem:
        return False
    outputs = [np.asarray(value) for name, value in comparison.outputs.items() if name in ("", "params")]
    outputs = outputs or [np.asarray(value) for value in comparison.outputs.values()]
    given = arguments.get("params")
    unmoved = given is not None and all(np.array_equal(step, given) for v in outputs for step in np.atleast_2d(v))
    # where the gradient is zero, to leave the weights as they are is right, and tells nothing
    return unmoved or (not comparison.passed and all(not np.any(value) for value in outputs))


def _is_nothing_new(value: Any, given: Sequence[np.ndarray[Any, Any]]) -> bool:
    """Return whether a value is None, zeros, or one of the arrays that were given."""
    made = as_array(value)
    if made is None:
        return value is None
    return not np.any(made) or any(np.array_equal(made, array) for array in given)


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
    nothing = [returned_nothing(part) and not _wrote(part) for _, part in split]
    untouched = bool(split) and (all(nothing) or all(map(_unchanged, comparisons)))
    comparisons, notes = _one_form(comparisons)
    return Judged(comparisons, ended, untouched, notes)


def _wrote(outcomes: Sequence[Outcome]) -> bool:
    """Return whether calls changed their arguments: what does that has been attempted."""
    return any(isinstance(outcome, Returned) and outcome.mutated for outcome in outcomes)


STRIDED = "for arrays that are not contiguous, such as slices and transposes"


def _telling(comparisons: Sequence[Comparison]) -> Case | None:
    """Return the ordinary case that says most of a function's manners: a large one, of those that it answers."""
    asked = [c for c in comparisons if not c.problem and not c.case.special]
    best = max(asked, key=lambda c: (not c.case.extreme, c.case.dtype == "float64", c.case.size), default=None)
    return None if best is None else best.case


def of_strided(session: Session, binding: Binding, key: AnswerKey, comparisons: Sequence[Comparison]) -> str:
    """Return what a function does with arrays that are not contiguous, as slices and transposes are: "" if it is right.

    An answer hangs on the values of its arguments, not on where they lie; to refuse them is no mistake.
    """
    case = _telling([c for c in comparisons if c.passed])
    if session.box is None or case is None or len(plan := binding.plan(case)) != 1 or plan[0].function[0] == "=":
        return ""
    arrays = {f"argument {at}": v for at, v in enumerate(plan[0].arguments) if isinstance(v, np.ndarray) and v.ndim}
    moved = [Kept(f"argument {at}") if f"argument {at}" in arrays else v for at, v in enumerate(plan[0].arguments)]
    made = [Call("=strided", (array,), read=(), keep=name) for name, array in arrays.items()]
    outcomes = session.call([*made, replace(plan[0], arguments=tuple(moved))]) if made else []
    if len(outcomes) <= len(made) or not made:
        return ""
    if isinstance(outcomes[-1], Raised):
        return f"raises {outcomes[-1].kind} {STRIDED}"
    return f"gives something else {STRIDED}" if compared(binding, case, key, outcomes[-1:]).failed else ""


EARLIER = "earlier"


def overwrites(session: Session, binding: Binding, comparisons: Sequence[Comparison]) -> bool:
    """Return whether a result changes when the function is called again, as that of one with a buffer of its own does.

    Every result is read before the next call, so that no verdict hangs on it.
    """
    case = _telling([c for c in comparisons if not c.problem and any(map(np.ndim, c.outputs.values()))])
    if session.box is None or case is None:
        return False
    turned = {
        k: np.flip(v, 0) if isinstance(v, np.ndarray) and v.ndim else v
        for k, v in case.arguments.items()
        if not isinstance(v, Record)
    }
    *before, last = binding.plan(case)
    if last.function.startswith("=") or last.keep or len(turned) < len(case.arguments):
        return False
    again = binding.plan(replace(case, arguments=turned))
    read = Call("=", (Kept(EARLIER),), read=last.read)
    outcomes = session.call([*before, replace(last, keep=EARLIER), *again, read])
    if len(outcomes) < len(before) + len(again) + 2:
        return False
    first, now = outcomes[len(before)], outcomes[-1]
    return isinstance(first, Returned) and isinstance(now, Returned) and encode(first.values) != encode(now.values)


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
