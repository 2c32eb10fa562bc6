"""Which known mistake gives exactly these numbers, or what pattern they show; and the smallest input that does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders.harness.answers import allowed_errors, plain_outputs
from graders.harness.cases import Case, cast, small
from graders.harness.compare import Comparison, as_array, compare, errors
from graders.harness.exercise import Exercise, Function
from graders.harness.key import cache_folder
from graders.harness.report import Diagnosis

SAME = {"float64": 1e-10, "float32": 2e-5}
"""How near two wrong answers must be to count as the same one: far beyond rounding, far below any two mistakes."""
CLOSE = 1e-3
"""An error below this share of the largest true value is close to the truth. Measured once, by
`benchmarks/closeness.py`: biased formulas such as log(p + 1e-7) stay below 2e-5, any other mistake is beyond 0.08."""


def _equal(got: Any, other: np.ndarray[Any, Any], scale: float, dtype: str) -> bool:
    array = as_array(got)
    if array is None or array.shape != other.shape:
        return False
    one, two = array.astype(np.float64), other.astype(np.float64)
    with np.errstate(all="ignore"):
        near = np.abs(one - two) <= SAME[dtype] * np.maximum(np.abs(two), scale)
    # which of inf and nan an overflow ends in hangs on the order of operations, not on the mistake
    return bool(np.all(near | (one == two) | ~(np.isfinite(one) | np.isfinite(two))))


def gives(exercise: Exercise, function: Function, comparison: Comparison) -> bool:
    """Return whether a function gives what was returned in this case."""
    try:
        made = plain_outputs(exercise, function, comparison.case)
    except Exception:  # a mistake may fail on some inputs, as the student's own does
        return False
    dtype = comparison.case.dtype
    return all(_equal(comparison.outputs[name], other, _scale(comparison, name), dtype) for name, other in made.items())


def _scale(comparison: Comparison, name: str) -> float:
    """Return below what an element counts as zero: a thousandth of the largest true value of its output."""
    truth = comparison.answer.outputs[name].hi
    return float(np.max(np.abs(truth), where=np.isfinite(truth), initial=0.0)) * 1e-3


def misconceptions(exercise: Exercise, comparisons: Sequence[Comparison]) -> list[Function]:
    """Return the known mistakes that give what was returned, in every case: none that is right in all of them."""
    judged = [c for c in comparisons if not c.raised]
    judged.sort(key=lambda c: (c.passed, c.case.size))  # a failing case tells most mistakes apart at once
    if not judged or all(c.passed for c in judged):
        return []
    return [
        wrong
        for wrong in exercise.misconceptions
        if all(gives(exercise, wrong, c) and (not c.failed or fails(exercise, wrong, c)) for c in judged)
        and any(fails(exercise, wrong, c) for c in judged if not c.passed)
    ]


def fails(exercise: Exercise, wrong: Function, comparison: Comparison) -> bool:
    """Return whether a mistake is itself beyond doubt in a case: one that rounding hides there explains nothing."""
    return compare(comparison.case, comparison.answer, plain_outputs(exercise, wrong, comparison.case)).failed


def partly(exercise: Exercise, comparisons: Sequence[Comparison]) -> list[Function]:
    """Return the known mistakes that give at least one wrong output of several, in every case."""
    judged = [c for c in comparisons if not c.problem]
    names = list(judged[0].answer.outputs) if judged else []
    found = []
    for wrong in exercise.misconceptions if len(names) > 1 else ():
        made = [plain_outputs(exercise, wrong, c.case) for c in judged]
        for name in names:
            alone = [
                replace(
                    c, outputs={name: c.outputs[name]}, answer=replace(c.answer, outputs={name: c.answer.outputs[name]})
                )
                for c in judged
            ]
            lies = [compare(c.case, c.answer, c.outputs).failed for c in alone]
            if any(lies) and all(
                _equal(c.outputs[name], m[name], _scale(c, name), c.case.dtype)
                for c, m in zip(alone, made, strict=True)
            ):
                found.append(wrong)
                break
    return found


def told(function: Function) -> str:
    """Return what a misconception or convention says: its docstring, on one line."""
    text = " ".join((function.__doc__ or "").split())
    return re.sub(r" \([^()]*\.txt\)", "", text)  # the source is for whoever reads the code


def _factors(comparisons: Sequence[Comparison]) -> list[float] | None:
    """Return by what factor each case's answer is off, or None if it is not a factor."""
    found = []
    for c in comparisons:
        for name, expected in c.answer.outputs.items():
            got, truth = np.asarray(c.outputs[name], float), expected.hi
            square = float(np.sum(truth * truth))
            if not square or not (np.isfinite(got).all() and np.isfinite(truth).all()):
                return None
            factor = float(np.sum(got * truth)) / square
            if np.max(np.abs(got - factor * truth)) > 1e-9 * np.max(np.abs(truth)) * max(1.0, abs(factor)):
                return None
            found.append(factor)
    return found


def patterns(exercise: Exercise, comparisons: Sequence[Comparison]) -> list[Diagnosis]:
    """Return what the numbers have in common where no known mistake gives them."""
    failing = [c for c in comparisons if not c.passed]
    shapes = [c for c in failing if c.problem and not c.raised]
    if shapes and len(shapes) == len(failing):
        turned = all(
            np.shape(c.outputs[n]) == e.shape[::-1] != e.shape[:1] and len(e.shape) > 1
            for c in shapes for n, e in list(c.answer.outputs.items())[:1]
        )  # fmt: skip
        message = "Your result is transposed." if turned else "The shape of your result is not the one expected."
        return [Diagnosis("pattern", "transposed" if turned else "shape", message)]
    ordinary = [c for c in comparisons if c.case.dtype == "float64" and not c.case.extreme and not c.problem]
    if not ordinary or not any(not c.passed for c in ordinary):
        return []
    if _as_float32(exercise, ordinary):
        return [Diagnosis("pattern", "float32", "The formula is right, but something in it is computed in float32.")]
    factors = _factors(ordinary)
    if factors is not None:
        same = max(factors) - min(factors) < 1e-9 * abs(factors[0])
        if same and abs(factors[0] + 1) < 1e-9:
            return [Diagnosis("pattern", "sign", "Every number has the wrong sign.")]
        if same and abs(factors[0]) > 1e-12 and abs(factors[0] - 1) > 1e-6:
            return [Diagnosis("pattern", "factor", f"Every number is {factors[0]:.6g} times what it should be.")]
        if len(factors) == len(ordinary):
            rows = [_first_axis(c.case) for c in ordinary]
            if all(abs(f - n) < 1e-9 * n for f, n in zip(factors, rows, strict=True)):
                return [Diagnosis("pattern", "factor", "Every number is n times what it should be, n the first axis.")]
            if all(abs(f * n - 1) < 1e-9 for f, n in zip(factors, rows, strict=True)):
                return [
                    Diagnosis("pattern", "factor", "Every number is divided by n once too often, n the first axis.")
                ]
    return []


def _first_axis(case: Case) -> int:
    arrays = (v for v in case.arguments.values() if isinstance(v, np.ndarray) and v.ndim)
    return next((len(array) for array in arrays), 1)


def _as_float32(exercise: Exercise, comparisons: Sequence[Comparison]) -> bool:
    """Return whether the errors are those of float32: allowed in it, and as large as the reference's own in it."""
    programs = (exercise.text, *exercise.programs)
    alike = 0
    for c in comparisons:
        truth = {name: (e.hi, e.lo) for name, e in c.answer.outputs.items()}
        allowed = allowed_errors(exercise, programs, c.case, truth, "float32")
        ours = plain_outputs(exercise, exercise.reference, cast(c.case, "float32"))
        for name, expected in c.answer.outputs.items():
            off = errors(np.asarray(c.outputs[name]), expected)
            if np.any(off > allowed[name]):
                return False
            alike += bool(np.max(off, initial=0.0) > 0.1 * np.max(errors(ours[name], expected), initial=0.0) > 0)
    return 2 * alike >= len(comparisons)


# ---------------------------------------------------------------- the smallest witness


def smallest(
    exercise: Exercise,
    failing: Comparison,
    attempt: Callable[[Case], Mapping[str, Any] | None],
    judge: Callable[[Case], Comparison | None],
    tries: int = 80,
) -> Comparison:
    """Return the smallest failing case that Hypothesis can find, or the one it was given.

    `attempt` asks the submission and returns its outputs (None where it failed to answer); `judge` compares in full.
    The search itself looks for a plain difference from the reference, which is cheap; its result is then judged.
    """
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis.configuration import set_hypothesis_home_dir
    from hypothesis.errors import HypothesisException

    set_hypothesis_home_dir(cache_folder() / "hypothesis")  # not the folder that the user happens to be in

    def differs(case: Case) -> bool:
        outputs = attempt(case)
        if outputs is None:
            return False
        try:
            right = plain_outputs(exercise, exercise.reference, case)
        except (ValueError, TypeError):
            return False  # outside the domain
        for name, truth in right.items():
            got = as_array(outputs[name])
            if got is None or got.shape != truth.shape:
                return bool(failing.problem)
            with np.errstate(all="ignore"):
                off = np.abs(got.astype(float) - truth)
                near = off <= SEEN[case.dtype] * np.maximum(np.abs(truth), 1e-3)
            if not failing.problem and not np.all(near | (got == truth)):
                return True
        return False

    options = settings(
        max_examples=tries,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        found = judge(find(small(exercise, failing.case), differs, settings=options))
    except (HypothesisException, ArithmeticError):
        return failing
    return found if found is not None and found.failed else failing


SEEN = {"float64": 1e-7, "float32": 1e-3}
"""A relative difference that the eye can see in a printed witness, and that rounding does not make on small inputs."""
