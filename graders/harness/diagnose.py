"""Which known mistake gives exactly these numbers, or what pattern they show; and the smallest input that does."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graders.harness.answers import REVIEW_FACTOR, plain_outputs
from graders.harness.cases import Case, small
from graders.harness.compare import Comparison, as_array, compare, errors, ratios
from graders.harness.exercise import Exercise, Function
from graders.harness.key import cache_folder
from graders.harness.plans import Outputs

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SAME = {"float64": 1e-10, "float32": 2e-5, "float16": 1e-2, "bfloat16": 6e-2}
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
        near = (np.abs(one - two) <= SAME[dtype] * np.maximum(np.abs(two), scale)) & np.isfinite(two)
    # which of inf and nan an overflow ends in hangs on the order of operations, not on the mistake
    return bool(np.all(near | (one == two) | ~(np.isfinite(one) | np.isfinite(two))))


def made_by(exercise: Exercise, function: Function, case: Case) -> Outputs | None:
    """Return what a known function makes of a case, worked out once in a run; None where it raises."""

    def make() -> Outputs | None:
        try:
            return plain_outputs(exercise, function, case)
        except Exception:  # a mistake may fail on some inputs, as the student's own does
            return None

    return case.once(("made by", function), make)


def agrees(comparison: Comparison, made: Outputs | None) -> bool:
    """Return whether these are the numbers that were returned in this case, in every output."""
    dtype = comparison.case.dtype
    return made is not None and all(
        _equal(comparison.outputs[name], other, _scale(comparison, name), dtype) and _as_right(comparison, name, other)
        for name, other in made.items()
        if name in comparison.answer.outputs  # the rest nobody has seen
    )


def _as_right(comparison: Comparison, name: str, other: np.ndarray[Any, Any]) -> bool:
    """Return whether no element is right in one and beyond doubt wrong in the other, however small it is."""
    expected = comparison.answer.outputs[name]
    if other.shape != expected.shape:
        return True
    one, two = (ratios(errors(np.asarray(value), expected), expected) for value in (comparison.outputs[name], other))
    return not np.any(((one <= 1) & (two > REVIEW_FACTOR)) | ((two <= 1) & (one > REVIEW_FACTOR)))


def gives(exercise: Exercise, function: Function, comparison: Comparison) -> bool:
    """Return whether a function gives what was returned in this case."""
    return agrees(comparison, made_by(exercise, function, comparison.case))


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
    try:
        made = plain_outputs(exercise, wrong, comparison.case)
    except Exception:  # a mistake that raises there is beyond doubt
        return True
    return compare(comparison.case, comparison.answer, made).failed


def crashing(exercise: Exercise, comparisons: Sequence[Comparison]) -> list[Function]:
    """Return the known mistakes that give what was returned in the cases that did not raise, and fail in the others.

    Where all that was returned is right no number speaks for a mistake: then it must break down in the others itself.
    """
    raised, returned = [c for c in comparisons if c.raised], [c for c in comparisons if not c.raised]
    if not returned or not all(c.passed for c in returned):
        return [w for w in misconceptions(exercise, comparisons) if all(fails(exercise, w, c) for c in raised)]
    return [
        wrong
        for wrong in exercise.misconceptions
        if all(_breaks(exercise, wrong, c) for c in raised) and all(gives(exercise, wrong, c) for c in returned)
    ]


def _breaks(exercise: Exercise, wrong: Function, comparison: Comparison) -> bool:
    """Return whether a mistake raises in a case, or returns what has another shape."""
    made = made_by(exercise, wrong, comparison.case)
    return made is None or bool(compare(comparison.case, comparison.answer, made).problem)


def by_output(exercise: Exercise, comparisons: Sequence[Comparison]) -> dict[str, list[Function]]:
    """Return, for each output that is beyond doubt wrong in some case, the known mistakes that give it in all.

    A mistake that spoils fewer outputs comes first: it says more of this one. There is nothing to say of a function
    that returns one thing only.
    """
    judged = [c for c in comparisons if not c.problem]
    names = list(dict.fromkeys(name for c in judged for name in c.answer.outputs))  # networks differ in their layers
    found: dict[str, list[Function]] = {}
    for name in names if len(names) > 1 else ():
        having = [alone(c, name) for c in judged if name in c.answer.outputs]
        lies = [c for c in having if c.failed]
        if lies:
            fits = [
                f for f in exercise.misconceptions
                if all(_gives_part(exercise, f, c, name) for c in lies)
                and all(_gives_part(exercise, f, c, name) for c in having)
            ]  # fmt: skip
            found[name] = sorted(fits, key=lambda f: _spoiled(exercise, f, judged))
    return found


def alone(comparison: Comparison, name: str) -> Comparison:
    """Return what a case says of one output by itself."""
    answer = replace(comparison.answer, outputs={name: comparison.answer.outputs[name]})
    return compare(comparison.case, answer, {name: comparison.outputs[name]})


def _gives_part(exercise: Exercise, function: Function, comparison: Comparison, name: str) -> bool:
    made = made_by(exercise, function, comparison.case) or {}
    return name in made and agrees(comparison, {name: made[name]})


def _spoiled(exercise: Exercise, wrong: Function, comparisons: Sequence[Comparison]) -> int:
    """Return how many outputs a mistake spoils."""
    spoiled = set()
    for c in comparisons:
        made = made_by(exercise, wrong, c.case) or {}
        for name, value in made.items():
            if (
                name in c.answer.outputs
                and compare(c.case, replace(c.answer, outputs={name: c.answer.outputs[name]}), {name: value}).failed
            ):
                spoiled.add(name)
    return len(spoiled)


def told(function: Function) -> str:
    """Return what a misconception or convention says: its docstring, on one line."""
    text = " ".join((function.__doc__ or "").split())
    return re.sub(r" \([^()]*\.txt\)", "", text)  # the source is for whoever reads the code


# ---------------------------------------------------------------- the smallest witness


def smallest(
    exercise: Exercise,
    failing: Comparison,
    attempt: Callable[[Case], Mapping[str, Any] | None],
    judge: Callable[[Case], Comparison | None],
    mistakes: Sequence[Function] = (),
    tries: int = 80,
) -> Comparison:
    """Return the smallest case that Hypothesis can find which fails for the same reason, or the one it was given.

    `attempt` asks the submission and returns its outputs (None where it failed to answer); `judge` compares in full.
    The search itself looks for a plain difference from the reference, which is cheap; its result is then judged. It
    must be one that no convention allows, and that one of the `mistakes` makes, if these explain the numbers.
    """

    def made_there(function: Function, case: Case, outputs: Mapping[str, Any]) -> bool:
        made = made_by(exercise, function, case)
        return made is not None and all(_equal(outputs[name], made[name], LEAST, case.dtype) for name in outputs)

    def fits(case: Case) -> bool:
        outputs = attempt(case)
        if outputs is None or not differs(case, outputs):
            return False
        if failing.problem or not (exercise.conventions or mistakes):
            return True
        return not any(made_there(convention, case, outputs) for convention in exercise.conventions) and (
            not mistakes or any(made_there(mistake, case, outputs) for mistake in mistakes)
        )

    def differs(case: Case, outputs: Mapping[str, Any]) -> bool:
        try:
            right = plain_outputs(exercise, exercise.reference, case)
        except (ValueError, TypeError):
            return False  # outside the domain
        for name in outputs:  # some of what is right may not be seen
            got, truth = as_array(outputs[name]), right[name]
            if got is None or got.shape != truth.shape:
                return bool(failing.problem)
            with np.errstate(all="ignore"):
                off = np.abs(got.astype(float) - truth)
                near = off <= SEEN[case.dtype] * np.maximum(np.abs(truth), LEAST)
            if not failing.problem and not np.all(near | (got == truth)):
                return True
        return False

    case = found_by(small(exercise, failing.case), fits, tries)
    try:
        found = judge(case) if case is not None else None
    except ArithmeticError:
        return failing
    return found if found is not None and found.failed else failing


def found_by(strategy: SearchStrategy[Case], fits: Callable[[Case], bool], tries: int, shrinks: bool = True) -> Any:
    """Return the case of a strategy that fits, as small as it will go if it `shrinks`; None if there is none.

    The search ends with what it has when so many cases were asked as `MOST`: some would be made smaller for seconds.
    """
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis.configuration import set_hypothesis_home_dir
    from hypothesis.errors import HypothesisException

    set_hypothesis_home_dir(cache_folder() / "hypothesis")  # not the folder that the user happens to be in
    options = settings(
        max_examples=tries,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate, *([Phase.shrink] if shrinks else [])],
        suppress_health_check=list(HealthCheck),
    )
    found: list[Case] = []
    asked = itertools.count()

    def noted(case: Case) -> bool:
        if next(asked) >= MOST:
            raise Enough
        fitting = fits(case)
        found.extend([case] * fitting)
        return fitting

    with suppress(HypothesisException, ArithmeticError, Enough), _the_same_everywhere():
        find(strategy, noted, settings=options)
    return found[-1] if found else None  # each is smaller than the one before


_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def _the_same_everywhere() -> Iterator[None]:
    """Keep Hypothesis from drawing constants that it reads in the modules of a clone, and not in those of an install.

    Else what is found hangs on where gradproof lies, and on which modules were imported before.
    """
    from hypothesis.internal.conjecture.providers import HypothesisProvider

    name = "_maybe_draw_constant"
    with _ONE_AT_A_TIME:
        theirs = getattr(HypothesisProvider, name, None)
        if theirs is None:  # another version draws none so
            yield
            return
        setattr(HypothesisProvider, name, lambda *given, **told: None)
        try:
            yield
        finally:
            setattr(HypothesisProvider, name, theirs)


MOST = 100


class Enough(BaseException):
    """Ends a search: an exception like others would count as one more case that fits."""


LEAST = 1e-3
"""Below this a number of a small case counts as zero: the simplest that it is made of are a hundred times larger."""
SEEN = {"float64": 1e-7, "float32": 1e-3, "float16": 0.1, "bfloat16": 0.5}
"""A relative difference that the eye can see in a printed witness, and that rounding does not make on small inputs."""
