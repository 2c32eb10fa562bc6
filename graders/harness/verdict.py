"""The verdict: a total function of how the cases went, the first in the design's order that applies."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders.harness import diagnose
from graders.harness.answers import plain_outputs
from graders.harness.cases import Case, signature
from graders.harness.compare import Comparison, compare
from graders.harness.exercise import Exercise, Function
from graders.harness.judge import Judged, said_of
from graders.harness.key import AnswerKey
from graders.harness.plans import Binding
from graders.harness.report import Diagnosis, Verdict
from graders.harness.sandbox.contract import (
    Killed,
    Raised,
    TimedOut,
)


@dataclass(frozen=True)
class Decision:
    """A verdict, in words, with what explains it."""

    verdict: Verdict
    reason: str
    diagnosis: tuple[Diagnosis, ...] = ()
    decisive: Comparison | None = None
    """The comparison that shows it, to be made as small as it will go."""


OLD_NUMPY = (
    "alltrue",
    "asscalar",
    "cumproduct",
    "in1d",
    "msort",
    "product",
    "rank",
    "round_",
    "row_stack",
    "sometrue",
    "trapz",
)
"""Names that NumPy once had: any other that it lacks is a slip of the pen."""


def incompatible(raised: Raised) -> str | None:
    """Return what else a submission would need, if that is why it raised."""
    if raised.missing:
        return f"needs the package {raised.missing!r}, which is not allowed or not installed"
    old = ("Missing parentheses in call to 'print'", "multiple exception types must be parenthesized")
    if raised.kind == "SyntaxError" and (any(o in raised.message for o in old) or "leading zeros" in raised.message):
        return f"needs an older Python: {raised.message}"
    if raised.kind == "NameError" and any(f"'{n}'" in raised.message for n in ("xrange", "unicode", "raw_input")):
        return f"needs an older Python: {raised.message}"
    said = ("was removed in the NumPy 2.0 release", "was a deprecated alias", *(f"attribute '{n}'" for n in OLD_NUMPY))
    if raised.kind == "AttributeError" and "numpy" in raised.message.lower() and any(s in raised.message for s in said):
        return f"needs an older NumPy: {raised.message}"
    if raised.kind == "TypeError" and "unexpected keyword argument 'newshape'" in raised.message:
        return f"needs an older NumPy: {raised.message}"
    return None


def _fits_convention(
    binding: Binding, key: AnswerKey, comparisons: Sequence[Comparison]
) -> tuple[Function, list[Comparison]] | None:
    """Return the convention under which every ordinary case is right, and the comparisons with it."""
    for convention in binding.exercise.conventions:
        judged = []
        for c in sorted(comparisons, key=lambda c: c.passed):
            if c.problem:
                break
            answer = key.find(binding.exercise, c.case, convention)
            if answer is None or not answer.decides:
                continue
            with suppress(KeyError):
                judged.append(compare(c.case, answer, c.outputs, mutated=c.mutated, aliased=c.aliased))
            if judged and judged[-1].failed and not c.case.extreme:
                break
        else:
            if judged:
                return convention, judged
    return None


def _named_by(binding: Binding, convention: Function, judged: Sequence[Comparison]) -> str | None:
    """Return the parameter one of whose values means this convention, if the submission takes it.

    Then the task leaves nothing open: a function that was told `reduction="mean"` must not return the sum.
    """
    exercise = binding.exercise
    for name, (choices, default) in signature(exercise.reference).hyperparameters.items():
        if name in binding.held or not isinstance(choices, tuple):
            continue
        told = [c.case for c in judged if c.case.hyperparameters[name] == default]
        for other in choices:
            if other != default and told and all(_means(exercise, convention, case, name, other) for case in told):
                return name
    return None


def _means(exercise: Exercise, convention: Function, case: Case, name: str, other: Any) -> bool:
    """Return whether a convention gives what the reference gives for another value of a parameter."""
    told_so = replace(case, hyperparameters={**case.hyperparameters, name: other})
    one, two = plain_outputs(exercise, convention, case), plain_outputs(exercise, exercise.reference, told_so)
    return all(one[k].shape == two[k].shape and np.allclose(one[k], two[k], rtol=1e-4) for k in one)


def decide(binding: Binding, key: AnswerKey, judged: Judged) -> Decision:
    """Return the verdict: the first in the design's order that applies."""
    comparisons = judged.comparisons
    if judged.untouched:
        return Decision("unfilled", "not attempted: it returns the starter's None, zeros or unchanged weights")
    if isinstance(judged.ended, Raised):
        unfit = incompatible(judged.ended)
        return Decision("incompatible", unfit) if unfit else Decision("error", said_of(judged.ended))
    if isinstance(judged.ended, TimedOut):
        return Decision("timeout", said_of(judged.ended))
    if isinstance(judged.ended, Killed):
        return Decision("killed", said_of(judged.ended))
    ordinary = [c for c in comparisons if not c.case.extreme]
    raised = [c for c in ordinary if c.raised]
    if raised:
        worst = min(raised, key=lambda c: c.case.size)
        unfit = incompatible(worst.failure) if worst.failure else None
        if unfit:
            return Decision("incompatible", unfit, decisive=worst)
        where = f"{worst.problem} in {len(raised)} of {len(ordinary)} ordinary cases"
        return Decision("error", where + _called_as(binding, worst.failure), decisive=worst)
    return _decide_by_values(binding, key, comparisons, ordinary)


def _called_as(binding: Binding, failure: Raised | None) -> str:
    """Say how a function is called, if it could not take the arguments."""
    if failure is None or failure.kind != "TypeError" or "argument" not in failure.message or binding.typed is None:
        return ""
    reference = binding.exercise.reference
    names = [str(p.replace(annotation=p.empty)) for p in inspect.signature(reference).parameters.values()]
    return f"; it is called as {reference.__name__}({', '.join(names)})"


def _decide_by_values(
    binding: Binding, key: AnswerKey, comparisons: Sequence[Comparison], ordinary: Sequence[Comparison]
) -> Decision:
    exercise = binding.exercise
    double = [c for c in ordinary if c.case.dtype == "float64"]
    failing = [c for c in double if c.failed]
    astray = [
        c for c in ordinary if c.case.dtype == "float32" and c.failed and (c.problem or c.closeness > diagnose.CLOSE)
    ]
    beyond = [c for c in comparisons if c.failed]
    if failing:
        found = _fits_convention(binding, key, comparisons)
        if found:
            return _by_convention(binding, *found)
        share = f"{len(failing)} of {len(double)} ordinary cases in float64 are wrong"
        wrong = diagnose.misconceptions(exercise, double)
        decisive = min(failing, key=lambda c: (bool(c.problem), c.case.size))
        shown = _named_as("misconception", wrong) or tuple(diagnose.patterns(exercise, double))
        shown = shown or _named_as("misconception", diagnose.partly(exercise, double))
        if all(not c.problem and c.closeness <= diagnose.CLOSE for c in failing):
            near = f"{share}, all within {max(c.closeness for c in failing):.0e} of the truth but beyond rounding"
            return Decision("inexact", near, shown, decisive)
        return Decision("wrong", share, shown, decisive)
    if astray:
        named = _named_as(
            "misconception", diagnose.misconceptions(exercise, [c for c in ordinary if c.case.dtype == "float32"])
        )
        reason = f"right in float64, but {counted(len(astray), 'ordinary case')} wrong in float32"
        return Decision("wrong", reason, named, min(astray, key=lambda c: (bool(c.problem), c.case.size)))
    if beyond:
        decisive = min(beyond, key=lambda c: (c.raised, c.case.dtype != "float64", c.case.size))
        single = [c for c in beyond if not c.case.extreme]
        fits = diagnose.misconceptions(exercise, [c for c in comparisons if c.case.dtype == "float64"])
        fits = fits or diagnose.misconceptions(exercise, comparisons)
        extremes = len(beyond) - len(single)
        parts = [f"{counted(extremes, 'extreme case')} wrong"] if extremes else []
        parts += [f"{counted(len(single), 'ordinary case')} too far off in float32"] if single else []
        reason = f"right for ordinary inputs in float64, but {' and '.join(parts)}"
        return Decision("unstable", reason, _named_as("misconception", fits), decisive)
    held = [c for c in comparisons if not c.passed]
    if held:
        found = _fits_convention(binding, key, comparisons)
        if found and all(c.passed for c in found[1]):
            return _by_convention(binding, *found)
        worst = max(held, key=lambda c: c.ratio)
        fits = diagnose.misconceptions(exercise, comparisons)
        share = f"{len(held)} of {len(comparisons)} cases"
        reason = f"{worst.ratio:.3g} times beyond the allowed error in {share}: held for a person to look at"
        return Decision("review", reason, _named_as("misconception", fits), worst)
    return Decision("correct", "")


def counted(count: int, what: str) -> str:
    """Return "1 case is" or "3 cases are"."""
    return f"{count} {what} is" if count == 1 else f"{count} {what}s are"


def _by_convention(binding: Binding, convention: Function, judged: Sequence[Comparison]) -> Decision:
    named = _named_as("convention", [convention])
    parameter = _named_by(binding, convention, judged)
    failing = [c for c in judged if c.failed]
    if parameter:
        reason = f"right under another definition, but `{parameter}` says which one is meant"
        return Decision("wrong", reason, named, min(judged, key=lambda c: c.case.size))
    if failing:
        reason = (
            f"right under another definition for ordinary inputs, but {counted(len(failing), 'extreme case')} wrong"
        )
        return Decision("unstable", reason, named, min(failing, key=lambda c: c.case.size))
    if any(not c.passed for c in judged):
        worst = max(judged, key=lambda c: c.ratio)
        return Decision("review", f"{worst.ratio:.3g} times beyond the allowed error of its convention", named, worst)
    return Decision("convention", "right under another documented definition", named)


def _named_as(kind: Any, functions: Iterable[Function]) -> tuple[Diagnosis, ...]:
    return tuple(Diagnosis(kind, f.__name__, diagnose.told(f)) for f in functions)
