"""Points at which an answer is held against the truth, random and special ones, within the claim's assumptions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

from derivations._kernel import Claim, Induction, sample
from derivations._kernel.agreement import satisfied
from derivations._kernel.terms import Index, Integer

from .intervals import Values, enclose

__all__ = ["POINTS", "entries", "named_values", "points"]

POINTS = 20
SIZES = 4  # combinations of sizes that the samples have
ENTRIES = 12  # at each point
SEED = 71


def points(claim: Claim | Induction, count: int = POINTS) -> Iterator[dict[str, Any]]:
    """Arguments with sizes from 1 to 4, of both signs; every other point is special (one-hot labels, ties, zeros).

    Then one with larger sizes, and one without a step where there are steps.
    """
    found, trial = 0, 0
    while found < count and trial < 3 * count:
        point = sample(claim, trial % SIZES, SEED + trial)
        change = CHANGES[trial // 2 % len(CHANGES)] if trial % 2 else None
        trial += 1
        if change is not None:
            point = {a.name: _changed(point[a.name], a, change, found) for a in claim.arguments if a.name in point}
        if change is None or satisfied(claim, point):
            found += 1
            yield point
    # Wider than any of these, and no step at all.
    names = {s for a in claim.arguments for size in a.shape for s in size.free_symbols}
    wide = {str(s): 5 + n % 2 for n, s in enumerate(sorted(names, key=str)) if s.is_positive}
    none = {str(s): 0 for s in names if not s.is_positive}
    yield sample(claim, 0, SEED + trial, wide)
    if none:
        yield sample(claim, 0, SEED + trial + 1, none)


def _changed(value: Any, argument: Any, change: Callable[..., Any], seed: int) -> Any:
    return change(value, argument.domain, seed) if argument.shape else value


def _one_hot(value: Any, domain: str, seed: int) -> Any:
    if isinstance(value[0], list):
        return [_one_hot(row, domain, seed + n) for n, row in enumerate(value)]
    if domain != "labels":
        return value
    return [Fraction(int(n == seed % len(value))) for n in range(len(value))]


def _large(value: Any, domain: str, seed: int) -> Any:
    if isinstance(value, list):
        return [_large(v, domain, seed) for v in value]
    return 7 * value if domain in ("real", "positive") else value


def _tied(value: Any, domain: str, seed: int) -> Any:
    if domain != "real":
        return value
    first = value
    while isinstance(first, list):
        first = first[0]
    return _filled(value, first)


def _filled(value: Any, one: Any) -> Any:
    return [_filled(v, one) for v in value] if isinstance(value, list) else one


def _turned(value: Any, domain: str, seed: int) -> Any:
    if isinstance(value, list):
        return [_turned(v, domain, seed) for v in value]
    return -value if domain == "real" else value


def _zero(value: Any, domain: str, seed: int) -> Any:
    return _filled(value, Fraction(0)) if domain == "real" else value


CHANGES: tuple[Callable[..., Any], ...] = (_one_hot, _large, _tied, _turned, _zero)


def named_values(claim: Claim | Induction, point: dict[str, Any]) -> dict[str, Any]:
    """The arguments and the sizes by name, as exact numbers."""
    values: dict[str, Any] = {}
    for argument in claim.arguments:
        given = values[argument.name] = point[argument.name]
        for size in argument.shape:
            if size.is_Symbol:
                values.setdefault(str(size), len(given))
            if not given:
                break
            given = given[0]
    return values


def entries(axes: tuple[Index, ...], values: dict[str, Any]) -> list[dict[Any, int]]:
    """Values of the free indices: all of them, or some that are spread over them."""
    ranges = [range(int(enclose(_size(axis), Values(values, {})))) for axis in axes]
    every = [dict(zip(axes, at, strict=True)) for at in product(*ranges)]
    return every if len(every) <= ENTRIES else random.Random(SEED).sample(every, ENTRIES)  # noqa: S311


def _size(axis: Index) -> Any:
    return axis.size if not isinstance(axis.size, int) else Integer(axis.size)
