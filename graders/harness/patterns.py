"""What wrong numbers have in common, in words, where no known mistake gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

import numpy as np

from graders.harness.answers import Expected, allowed_errors, plain_outputs
from graders.harness.cases import DTYPES, Case, cast
from graders.harness.circumstances import circumstances
from graders.harness.compare import Comparison, errors, ratios
from graders.harness.exercise import Exercise
from graders.harness.precision import NARROW, PRECISIONS
from graders.harness.report import Diagnosis

Plain = np.ndarray[Any, Any]
Pair = tuple[Plain, Plain]
"""What was returned, and the truth."""

TO_SEVEN_DIGITS = (
    "The formula is right to about seven digits: something in it is computed in float32, or a constant in it is "
    "written with too few."
)
EQUAL = 1e-9
TELLING = 1000
"""Whole numbers up to this may be the answer to many a question."""
EXPLAINED = 0.25
"""The share of an error that may be left where rounded inputs explain it."""


def patterns(
    exercise: Exercise, comparisons: Sequence[Comparison], explained: frozenset[str] = frozenset()
) -> list[Diagnosis]:
    """Return what the failing cases have in common: their shape, a factor, a constant, an order, a circumstance.

    Of outputs that are `explained` already nothing is said.
    """
    failing = [c for c in comparisons if not c.passed]
    shapes = [c for c in failing if " shape " in c.problem and not c.raised]
    if shapes and len(shapes) == len(failing):
        return [_of_shapes(shapes)]
    ordinary = [c for c in comparisons if c.case.dtype == "float64" and not c.case.extreme and not c.problem]
    if all(c.passed for c in ordinary):
        return []
    if not explained and all(_is_of_an_earlier(c, ordinary) for c in ordinary if not c.passed):
        return [_said("kept", "It gave what it had given for other numbers of the same shape: keep nothing for later.")]
    lost = [] if explained else digits_lost(exercise, ordinary)
    if lost:
        return lost
    wrong, right = outputs(ordinary)
    wrong = [name for name in wrong if name not in explained]
    if not wrong:
        return []
    found = _of_values(ordinary, wrong) or _of_values([c for c in ordinary if not c.passed], wrong)
    if found is not None and (right or explained):
        found = _of_these(found, wrong)
    elif explained:
        found = _said("output", f"{listed(wrong)} went wrong too, in another way.")
    elif right:
        verb = "are" if len(right) > 1 else "is"
        found = _said("output", f"Only {listed(wrong)} went wrong; {listed(right)} {verb} right.")
    when = [] if explained else circumstances(ordinary)
    return [*([found] if found is not None else []), *when]


def _is_of_an_earlier(late: Comparison, comparisons: Sequence[Comparison]) -> bool:
    """Return whether an answer is, bit for bit, that to an earlier question, to which the truth is another."""
    kept = [np.asarray(late.outputs[name]) for name in late.answer.outputs if name in late.outputs]
    if not any(np.any((np.abs(value) > TELLING) | (value != np.round(value))) for value in kept):
        return False  # zeros and ones may be the answer to anything
    for early in takewhile(lambda c: c is not late, comparisons):
        before = [np.asarray(early.outputs.get(name)) for name in late.answer.outputs if name in late.outputs]
        if early.passed and _asks_alike(early.case, late.case) and all(map(np.array_equal, before, kept)):
            return True
    return False


def _asks_alike(one: Case, other: Case) -> bool:
    """Return whether two cases have other numbers in arrays of the same shapes, or have no arrays at all."""
    arrays = [[v for v in case.arguments.values() if isinstance(v, np.ndarray)] for case in (one, other)]
    return (
        [a.shape for a in arrays[0]] == [a.shape for a in arrays[1]]
        and (not arrays[0] or one.hyperparameters == other.hyperparameters)
        and (not arrays[0] or not all(map(np.array_equal, *arrays)))
    )


def exact(comparisons: Sequence[Comparison]) -> list[Diagnosis]:
    """Return the pattern that gives every number of what is wrong: a factor, a sign, rows for columns; or none."""
    shown = [c for c in comparisons if not c.problem]
    shapes = [c for c in comparisons if c.problem and not c.raised]
    if shapes:
        said = _of_shapes(shapes)
        pairs = [(np.asarray(c.outputs[n], float), e.hi) for c in shown for n, e in c.answer.outputs.items()]
        turned = said.name == "transposed" and all(_near(*pair) or _is_transposed(*pair) for pair in pairs)
        return [said] if turned else []
    wrong, right = outputs(shown)
    found = _of_values(shown, wrong)
    if found is None or found.name not in EXACT:
        return []
    return [_of_these(found, wrong) if right else found]


EXACT = ("factor", "sign", "transposed", "decimals")


def _of_these(found: Diagnosis, names: Sequence[str]) -> Diagnosis:
    """Return a pattern that holds of these outputs alone."""
    return _said(found.name, f"{listed(names)} alone: {found.message[0].lower()}{found.message[1:]}")


def _said(name: str, text: str) -> Diagnosis:
    return Diagnosis("pattern", name, text)


def _of_shapes(shapes: Sequence[Comparison]) -> Diagnosis:
    turned = all(
        np.shape(c.outputs[n]) == e.shape[::-1] != e.shape[:1] and len(e.shape) > 1
        for c in shapes for n, e in list(c.answer.outputs.items())[:1]
    )  # fmt: skip
    if turned:
        return _said("transposed", "Your result is transposed.")
    return _said("shape", "The shape of your result is not the one expected.")


def outputs(comparisons: Sequence[Comparison]) -> tuple[list[str], list[str]]:
    """Return the outputs that are wrong in some case, and those that never are."""
    names = dict.fromkeys(name for c in comparisons for name in c.answer.outputs)
    wrong = {
        name for c in comparisons for name, expected in c.answer.outputs.items()
        if not np.all(ratios(errors(np.asarray(c.outputs[name]), expected), expected) <= 1)
    }  # fmt: skip
    return [name for name in names if name in wrong], [name for name in names if name not in wrong]


def _of_values(comparisons: Sequence[Comparison], names: Sequence[str]) -> Diagnosis | None:
    """Return the first thing that holds of these outputs in every case."""
    pairs = _finite_pairs(comparisons, names)
    if not pairs:
        return None
    found = _by_a_factor(pairs) or _in_decimals(pairs)
    if found is not None:
        return found
    ways: Mapping[str, tuple[Callable[[Plain, Plain], bool], str]] = {
        "transposed": (_is_transposed, "Your numbers are right, but rows and columns are exchanged."),
        "order": (_is_another_order, "Your numbers are right, but in another order."),
        "constant": (_is_shifted, "Every number is off by the same amount within a case."),
        "absolute value": (_is_absolute, "Your numbers are right but for their signs."),
        "last": (_is_right_in_the_last, "Only the last along the first axis is right."),
        "first": (_is_right_in_the_first, "Only the first along the first axis is right."),
    }
    for name, (holds, text) in ways.items():
        telling = [pair for _, pair in pairs if not _near(*pair)]
        if telling and all(_near(*pair) or holds(*pair) for _, pair in pairs) and len(telling) > 1:
            return _said(name, text)
    return None


def _finite_pairs(comparisons: Sequence[Comparison], names: Sequence[str]) -> list[tuple[Comparison, Pair]]:
    """Return what was returned for these outputs beside the truth; nothing where any of it is not finite."""
    pairs = [
        (c, (np.asarray(c.outputs[name], float), c.answer.outputs[name].hi))
        for c in comparisons for name in names if name in c.answer.outputs
    ]  # fmt: skip
    return pairs if all(np.isfinite(got).all() and np.isfinite(truth).all() for _, (got, truth) in pairs) else []


def _near(got: Plain, truth: Plain) -> bool:
    scale = float(np.max(np.abs(truth), initial=0.0))
    return bool(np.all(np.abs(got - truth) <= EQUAL * scale))


def _by_a_factor(pairs: Sequence[tuple[Comparison, Pair]]) -> Diagnosis | None:
    factors, rows = [], []
    for c, (got, truth) in pairs:
        square = float(np.sum(truth * truth))
        if not square:
            continue
        factor = float(np.sum(got * truth)) / square
        if np.max(np.abs(got - factor * truth)) > EQUAL * np.max(np.abs(truth)) * max(1.0, abs(factor)):
            return None
        factors.append(factor)
        rows.append(first_axis(c.case))
    if not factors or any(np.any(got) for _, (got, truth) in pairs if not np.any(truth)):
        return None
    same = max(factors) - min(factors) < EQUAL * abs(factors[0])
    if same and abs(factors[0] + 1) < EQUAL:
        return _said("sign", "Every number has the wrong sign.")
    several = sum(np.count_nonzero(truth) for _, (_, truth) in pairs) > 1  # of one number each is some factor
    if same and several and abs(factors[0]) > 1e-12 and abs(factors[0] - 1) > 1e-6:
        return _said("factor", f"Every number is {factors[0]:.6g} times what it should be.")
    if all(abs(f - n) < EQUAL * n for f, n in zip(factors, rows, strict=True)):
        return _said("factor", "Every number is n times what it should be, n the first axis.")
    if all(abs(f * n - 1) < EQUAL for f, n in zip(factors, rows, strict=True)):
        return _said("factor", "Every number is divided by n once too often, n the first axis.")
    return None


MOST_DECIMALS = 9
TELLING_VALUES = 4
"""Different numbers, zero not among them, that must be rounded alike: a single one may be whole by chance."""


def rounded(comparisons: Sequence[Comparison]) -> Diagnosis | None:
    """Return to how many decimals all outputs of these cases are rounded, if to any."""
    pairs = _all_pairs(comparisons)
    return _in_decimals(pairs) if pairs else None


def in_decimals(comparisons: Sequence[Comparison]) -> bool:
    """Return whether all outputs of these cases are of a few decimals, be they right or not."""
    pairs = _all_pairs(comparisons)
    return bool(pairs) and _in_decimals([(c, (got, got)) for c, (got, _) in pairs]) is not None


def _all_pairs(comparisons: Sequence[Comparison]) -> list[tuple[Comparison, Pair]]:
    if any(c.problem for c in comparisons):
        return []
    return _finite_pairs(comparisons, list(dict.fromkeys(name for c in comparisons for name in c.answer.outputs)))


def _in_decimals(pairs: Sequence[tuple[Comparison, Pair]]) -> Diagnosis | None:
    """Return to how many decimals all numbers are rounded, if to any; a few different ones must show it."""
    got, truth = (np.concatenate([np.ravel(pair[side]) for _, pair in pairs]) for side in (0, 1))
    least = max(2.0 ** (1 - PRECISIONS[c.case.dtype].bits) for c, _ in pairs)
    if len(np.unique(got[got != 0])) < TELLING_VALUES:
        return None
    for decimals in range(MOST_DECIMALS + 1):
        scaled, spare = got * 10.0**decimals, EQUAL + 2 * least * np.abs(got) * 10.0**decimals
        half = 0.5 + spare
        if np.all((np.abs(scaled - np.rint(scaled)) <= spare) & (np.abs(scaled - truth * 10.0**decimals) <= half)):
            to = "whole numbers" if not decimals else f"{decimals} decimals"
            return _said("decimals", f"Your numbers are right, but rounded to {to}.")
    return None


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them: "dx, dW and db"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def first_axis(case: Case) -> int:
    """Return the length of the first axis of the first array."""
    arrays = (v for v in case.arguments.values() if isinstance(v, np.ndarray) and v.ndim)
    return next((len(array) for array in arrays), 1)


def _is_transposed(got: Plain, truth: Plain) -> bool:
    return truth.ndim == 2 and truth.shape[0] == truth.shape[1] > 1 and _near(got.T, truth)


def _is_another_order(got: Plain, truth: Plain) -> bool:
    return truth.size > 1 and _near(np.sort(got, axis=None), np.sort(truth, axis=None))


def _is_shifted(got: Plain, truth: Plain) -> bool:
    off = got - truth
    return truth.size > 1 and _near(off, np.full_like(off, off.flat[0]))


def _is_absolute(got: Plain, truth: Plain) -> bool:
    return _near(np.abs(got), np.abs(truth))


def _is_right_in_the_last(got: Plain, truth: Plain) -> bool:
    return truth.ndim > 0 and len(truth) > 1 and bool(np.any(truth[-1])) and _near(got[-1], truth[-1])


def _is_right_in_the_first(got: Plain, truth: Plain) -> bool:
    return truth.ndim > 0 and len(truth) > 1 and bool(np.any(truth[0])) and _near(got[0], truth[0])


def digits_lost(exercise: Exercise, comparisons: Sequence[Comparison]) -> list[Diagnosis]:
    """Return in which precision something in it is computed, if the errors are those of one."""
    asked = [c for c in comparisons if not c.problem and c.case.dtype in DTYPES]
    in_double = [c for c in asked if c.case.dtype == "float64"]
    if in_double and not _is_one_sided(in_double) and _as_in("float32", exercise, asked):
        return [_said("float32", TO_SEVEN_DIGITS)]
    if all(c.passed for c in asked):
        return []
    for dtype in NARROW:
        if all(_is_rounded_to(dtype, c, name) for c in asked for name in c.answer.outputs):
            return [_said(dtype, f"Your numbers are right, but rounded to {dtype}.")]
    if _as_in("tf32", exercise, asked) and _of_rounded_inputs(exercise, asked):
        text = (
            "The formula is right, but its inputs are rounded to 11 bits: in half precision, or in TF32, which PyTorch "
            "takes for convolutions on a GPU unless torch.backends.cudnn.allow_tf32 is False."
        )
        return [_said("tf32", text)]
    return []


MANY = 8


def _is_one_sided(comparisons: Sequence[Comparison]) -> bool:
    """Return whether all of many errors have the same sign, or make all numbers larger: those of rounding do not."""
    signs: list[Plain] = []
    for c in (c for c in comparisons if not c.passed):
        for name, expected in c.answer.outputs.items():
            got = np.asarray(c.outputs[name], float)
            off, truth = np.sign(got - expected.hi), np.sign(expected.hi)
            beyond = ratios(errors(got, expected), expected) > 1
            signs.append(np.stack([off[beyond], (off * truth)[beyond]]).reshape(2, -1))
    every = np.concatenate(signs, axis=1) if signs else np.zeros((2, 0))
    return every.shape[1] >= MANY and any(len(np.unique(one)) == 1 for one in every)


def _is_rounded_to(dtype: str, comparison: Comparison, name: str) -> bool:
    """Return whether an output is the truth as a narrow dtype has it, with two units in the last place to spare."""
    precision, truth = PRECISIONS[dtype], comparison.answer.outputs[name].hi
    got = np.asarray(comparison.outputs[name], float)
    with np.errstate(all="ignore"):
        near = np.abs(got - truth) <= 2 * precision.spacing(np.maximum(np.abs(truth), precision.least))
    return bool(np.all((precision.rounded(got) == got) & (near | (np.abs(truth) > precision.huge))))


def _of_rounded_inputs(exercise: Exercise, comparisons: Sequence[Comparison]) -> bool:
    """Return whether the numbers are those of inputs rounded to 11 bits, all of them or but for vectors.

    That errors are of that size says little: those of a rough approximation are, too.
    """
    failing = [c for c in comparisons if not c.passed]

    def left(c: Comparison, least: int) -> float:
        arrays = {k: v for k, v in c.case.arguments.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
        kept = {k: v.astype(np.float32) for k, v in arrays.items() if v.ndim < least}  # labels stay whole numbers
        rounded = cast(c.case, "tf32")
        like = replace(rounded, arguments={**rounded.arguments, **kept})
        made = plain_outputs(exercise, exercise.reference, like)
        return sum(_apart(c, name, made[name]) for name in c.answer.outputs)

    whole = sum(_apart(c, name, expected.hi) for c in failing for name, expected in c.answer.outputs.items())
    try:
        return any(sum(left(c, least) for c in failing) < EXPLAINED * whole for least in (0, 2))
    except ValueError:  # rounded so, shares no longer add up to one
        return False


def _apart(comparison: Comparison, name: str, other: Plain) -> float:
    """Return how far an output is from other numbers where it is beyond its allowed error, in units of that."""
    expected, got = comparison.answer.outputs[name], np.asarray(comparison.outputs[name], float)
    beyond = ratios(errors(got, expected), expected) > 1
    with np.errstate(all="ignore"):
        return float(np.sum(np.abs(got - other)[beyond] / expected.allowed[beyond]))


def _as_in(dtype: str, exercise: Exercise, comparisons: Sequence[Comparison]) -> bool:
    """Return whether the errors are those of a dtype: as large as the reference's own in it, and allowed in it."""
    if 2 * sum(_as_far_off(dtype, exercise, c) for c in comparisons) < len(comparisons):
        return False
    programs = (exercise.text, *exercise.programs)
    for c in comparisons:
        truth = {name: (e.hi, e.lo) for name, e in c.answer.outputs.items()}
        allowed = allowed_errors(exercise, programs, c.case, truth, dtype)
        if any(np.any(errors(np.asarray(c.outputs[n]), e) > allowed[n]) for n, e in c.answer.outputs.items()):
            return False
    return True


def _as_far_off(dtype: str, exercise: Exercise, comparison: Comparison) -> int:
    """Return how many outputs are off by what the reference itself is, in this dtype."""
    try:
        ours = plain_outputs(exercise, exercise.reference, cast(comparison.case, dtype))
    except ValueError:  # rounded so, its shares no longer add up to one
        return 0

    def worst(output: Any, expected: Expected) -> float:
        return float(np.max(errors(np.asarray(output), expected), initial=0.0))

    known = comparison.answer.outputs.items()
    return sum(worst(comparison.outputs[name], e) > 0.1 * worst(ours[name], e) > 0 for name, e in known)


__all__ = ["digits_lost", "exact", "first_axis", "listed", "outputs", "patterns", "rounded"]
