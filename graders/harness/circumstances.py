"""Where numbers are wrong, in words, and never how they would be right: an option, a size, a sign, a bound, a place.

Each sentence holds in every case that was asked, and there are several on either side of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graders.harness.answers import Expected
from graders.harness.compare import Comparison, errors, ratios
from graders.harness.report import Diagnosis

Plain = np.ndarray[Any, Any]

CASES = 2
"""So many cases must go well, and so many go wrong, before what tells them apart is told."""
ELEMENTS = 6
"""The same for elements."""
TINY = 1e-6
"""A bound that is less than this share of the inputs beyond it bounds nothing."""


def circumstances(comparisons: Sequence[Comparison]) -> list[Diagnosis]:
    """Return where a function goes wrong: under which option, for which sizes, inputs and elements."""
    shown = [c for c in comparisons if not c.raised]
    passing, failing = [c for c in shown if c.passed], [c for c in shown if not c.passed]
    found: list[Diagnosis] = []
    if len(passing) >= CASES and len(failing) >= CASES:
        for tells in (_option, _size, _bound, _zeros):
            said = tells(passing, failing)
            if said is not None:
                found.append(said)
                break
    return [*found, *_elements([c for c in failing if not c.problem])]


def _said(name: str, text: str) -> Diagnosis:
    return Diagnosis("pattern", name, text)


# ---------------------------------------------------------------- what tells the cases apart


def _option(passing: Sequence[Comparison], failing: Sequence[Comparison]) -> Diagnosis | None:
    """Return the option on which right and wrong depend."""
    given = [[c.case.hyperparameters for c in side] for side in (passing, failing)]
    for name, good, bad in _options(*given):
        if len(good) == 1 and not good & bad:
            return _said("option", f"Right only where `{name}` is {min(good)}: is it used as it is given?")
        if len(bad) == 1 and not good & bad:
            return _said("option", f"Wrong only where `{name}` is {min(bad)}.")
    return None


def _options(
    passing: Sequence[Mapping[str, Any]], failing: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield the hyperparameters with the values that right cases have, and those that wrong ones have."""
    for name in dict.fromkeys(name for given in (*passing, *failing) for name in given):
        yield name, {repr(given.get(name)) for given in passing}, {repr(given.get(name)) for given in failing}


def _size(passing: Sequence[Comparison], failing: Sequence[Comparison]) -> Diagnosis | None:
    """Return the axis whose size tells right from wrong."""
    for name, values in failing[0].case.arguments.items():
        for axis in range(np.ndim(values) if isinstance(values, np.ndarray) else 0):
            sizes = [[np.shape(c.case.arguments.get(name, ())) for c in side] for side in (passing, failing)]
            if any(len(shape) <= axis for side in sizes for shape in side):
                continue
            good, bad = ([shape[axis] for shape in side] for side in sizes)
            what = f"`{name}` has" if np.ndim(values) == 1 else f"axis {axis} of `{name}` has"
            if max(good) < min(bad):
                return _said("size", f"Right where {what} {_at_most(max(good))}, wrong where it has more.")
            if max(bad) < min(good):
                return _said("size", f"Wrong where {what} {_at_most(max(bad))}, right where it has more.")
    return None


def _at_most(size: int) -> str:
    return "one entry" if size == 1 else f"{size} entries or fewer"


def _bound(passing: Sequence[Comparison], failing: Sequence[Comparison]) -> Diagnosis | None:
    """Return how large the inputs may be."""
    good, bad = (sorted(_largest(c) for c in side) for side in (passing, failing))
    if good[-1] < bad[0] and bad[0] > 1:
        return _said("bound", f"Right while every input is within ±{good[-1]:.3g}, wrong from ±{bad[0]:.3g} on.")
    return None


def _largest(comparison: Comparison) -> float:
    return max((float(np.max(np.abs(v), initial=0.0)) for _, v in _arrays(comparison)), default=0.0)


def _zeros(passing: Sequence[Comparison], failing: Sequence[Comparison]) -> Diagnosis | None:
    """Return the argument that holds a zero wherever it goes wrong, and nowhere else."""
    for name, _ in _arrays(failing[0]):
        zero = [
            [bool(np.any(dict(_arrays(c)).get(name, np.ones(1)) == 0)) for c in side] for side in (passing, failing)
        ]
        if all(zero[1]) and not any(zero[0]):
            return _said("zero", f"Wrong only where `{name}` holds a 0.")
    return None


def _arrays(comparison: Comparison) -> list[tuple[str, Plain]]:
    """Return the arrays of floats that a function is called with, but the cotangent, which only scales."""
    given = comparison.case.arguments.items()
    return [(k, v) for k, v in given if isinstance(v, np.ndarray) and v.dtype.kind == "f" and k != "cotangent"]


# ---------------------------------------------------------------- what tells the elements apart


def _elements(failing: Sequence[Comparison]) -> list[Diagnosis]:
    """Return what the wrong elements have in common: not a finite number, the sign of their input, their place."""
    if not failing:
        return []
    names = list(dict.fromkeys(name for c in failing for name in c.answer.outputs))
    parts = [
        (c, np.asarray(c.outputs[name], float), c.answer.outputs[name])
        for c in failing for name in names if name in c.answer.outputs
    ]  # fmt: skip
    wrong = [ratios(errors(got, expected), expected) > 1 for _, got, expected in parts]
    if all(_is_no_number(got, expected, off) for (_, got, expected), off in zip(parts, wrong, strict=True)):
        return [_said("nan", "Your result has nan or inf where it should have finite numbers.")]
    if len(names) > 1:
        return []
    shapes = [(c, off) for (c, _, _), off in zip(parts, wrong, strict=True)]
    said = _sign(shapes) or _place(shapes)
    return [said] if said is not None else []


def _is_no_number(got: Plain, expected: Expected, off: Plain) -> bool:
    return not np.any(off & np.isfinite(got)) and bool(np.all(np.isfinite(expected.hi[off])))


def _sign(parts: Sequence[tuple[Comparison, Plain]]) -> Diagnosis | None:
    """Return the sign that the inputs of all wrong elements have, and those of no right one; or their bound."""
    for name in dict(_arrays(parts[0][0])):
        inputs = [dict(_arrays(c)).get(name) for c, _ in parts]
        if any(v is None or v.shape != off.shape for v, (_, off) in zip(inputs, parts, strict=True)):
            continue
        every = np.concatenate([np.ravel(v) for v in inputs if v is not None])
        off = np.concatenate([np.ravel(off) for _, off in parts])
        bad, good = every[off], every[~off]
        if min(len(bad), len(good)) < ELEMENTS:
            return None
        for text, holds in (("negative", every < 0), ("positive", every > 0), ("0", every == 0)):
            if np.array_equal(holds, off):
                return _said("sign of the input", f"Wrong only where `{name}` is {text}.")
        if TINY * np.max(np.abs(bad)) < np.max(np.abs(good)) < np.min(np.abs(bad)):  # right at 0 alone says nothing
            return _said("bound", f"Wrong only where |{name}| is beyond {np.max(np.abs(good)):.3g}.")
        if np.max(good) < np.min(bad):
            return _said("bound", f"Wrong only where `{name}` is above {np.max(good):.3g}.")
        if np.max(bad) < np.min(good):
            return _said("bound", f"Wrong only where `{name}` is below {np.min(good):.3g}.")
    return None


def _place(parts: Sequence[tuple[Comparison, Plain]]) -> Diagnosis | None:
    """Return where along an axis all wrong elements stand."""
    long = [(c, off) for c, off in parts if off.ndim and min(off.shape) > 1]
    axes = Counter(off.ndim for _, off in long)
    long = [(c, off) for c, off in long if off.ndim == axes.most_common(1)[0][0]]
    if len(long) < CASES:
        return None
    for axis in range(long[0][1].ndim):
        lines = [np.any(np.moveaxis(off, axis, 0).reshape(off.shape[axis], -1), axis=1) for _, off in long]
        what = "" if long[0][1].ndim == 1 else f" along axis {axis}"
        if all(line[-1] and not np.any(line[:-1]) for line in lines):
            return _said("last", f"Only the last{what} is wrong.")
        if all(line[0] and not np.any(line[1:]) for line in lines):
            return _said("first", f"Only the first{what} is wrong.")
        if all(not line[-1] and np.all(line[:-1]) for line in lines):
            return _said("last", f"Only the last{what} is right.")
        if all(not line[0] and np.all(line[1:]) for line in lines):
            return _said("first", f"Only the first{what} is right.")
    return None
