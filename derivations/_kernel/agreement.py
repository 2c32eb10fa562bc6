"""Claims against numbers: sample points, difference quotients of the definitions, loops replayed. No prover in here."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import product
from math import prod
from typing import Any

from mpmath import mp
from sympy import Integer, sympify

from .claim import Argument, Claim, Induction, Part, Space
from .evaluate import Padded, Scope, scope, table, value
from .terms import Entry, Index, free, oo

__all__ = [
    "AGREE",
    "DIGITS",
    "Comparison",
    "Witness",
    "common",
    "compare",
    "differs",
    "exceeded",
    "sample",
    "satisfied",
]

DIGITS = 130  # a difference quotient with h = 10^-40 then has an error of about 10^-80
WIDTH = 40
AGREE = 50  # digits to which the sides of a proved claim must agree
DIFFER = 25  # with fewer digits in common, two sides are different
WHOLE = {"natural": (1, 4), "count": (1, 3), "zero_or_one": (0, 1)}  # what whole numbers are drawn from
POINTS = 8  # entries compared for each output at each sample point


@dataclass(frozen=True)
class Witness:
    """A point at which the two sides differ."""

    output: str
    sizes: Mapping[str, int]
    at: tuple[int, ...]
    left: str
    right: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """To how many digits two sides agree, and where they do not."""

    digits: int
    witness: Witness | None


def sample(
    claim: Claim | Induction, trial: int, seed: int = 0, sizes: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Exact random arguments in their domains, with sizes that differ from axis to axis and from trial to trial.

    `sizes` gives some of them by name.
    """
    rng = random.Random(f"{claim.name} {trial} {seed}")  # noqa: S311
    names = sorted({str(s) for a in claim.arguments for size in a.shape for s in size.free_symbols})
    extent: dict[str, Any] = {name: (n + trial) % 3 + (2 if trial == 0 else 1) for n, name in enumerate(names)}
    padded = {str(s) for a in claim.arguments if a.padded for size in a.shape for s in size.free_symbols}
    # Windows need room: where an array is 0 outside of its axes, too short ones would leave nothing but zeros.
    extent |= {name: (n + trial) % 2 + 2 for n, name in enumerate(names) if name in padded}
    extent |= {name: size for name, size in (sizes or {}).items() if name in extent}
    spaces = claim.spaces if isinstance(claim, Claim) else ()
    extent |= {str(s.outcome): len(_outcomes(s, _draws(claim, s, extent))) for s in spaces}
    values = {}
    for argument in claim.arguments:
        shape = [int(size.xreplace({s: Integer(extent[str(s)]) for s in size.free_symbols})) for size in argument.shape]
        values[argument.name] = _random(argument, shape, rng)
    for space in spaces:
        values |= _enumerated(claim, space, extent, values)
    defined = {a.name for a in claim.arguments if a.domain == "given"} - {s.draws for s in spaces}
    for left, right in claim.given:
        if isinstance(left, Entry) and str(left.name) in defined:
            with mp.workdps(DIGITS):
                _define(left, right, scope(claim, values), values[str(left.name)])
    return values


def _draws(claim: Claim | Induction, space: Space, extent: Mapping[str, Any]) -> list[int]:
    """The shape of one outcome's draws."""
    (argument,) = (a for a in claim.arguments if a.name == space.draws)
    return [int(size.xreplace({s: Integer(extent[str(s)]) for s in size.free_symbols})) for size in argument.shape[1:]]


def _outcomes(space: Space, shape: list[int]) -> list[tuple[tuple[str, ...], list[int]]]:
    """Every outcome: which atoms of the law its probability is a product of, and which atom each draw is."""
    atoms = range(4 if space.law == "symmetric" else 2)
    count = prod(shape)
    each: list[tuple[tuple[str, ...], list[int]]] = [((), list(draws)) for draws in product(atoms, repeat=count)]
    if space.law != "exchangeable":
        return each
    together: tuple[str, ...] = ("together",)
    return [(("apart",), draws) for _, draws in each] + [(together, [atom] * count) for atom in atoms]


def _enumerated(
    claim: Claim | Induction, space: Space, extent: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """The weights and draws of a space's outcomes, exact where its parameters are."""
    with mp.workdps(DIGITS):
        mean, std, p, rho = (
            value(parameter, scope(claim, values))
            for parameter in map(sympify, (space.mean, space.std, space.p, space.rho))
        )
        # Atoms with their probabilities: mean 0 and variance 1, but a third moment that is not 0.
        laws: dict[str, list[tuple[Any, Any]]] = {
            "independent": [(2, Fraction(1, 5)), (Fraction(-1, 2), Fraction(4, 5))],
            "exchangeable": [(2, Fraction(1, 5)), (Fraction(-1, 2), Fraction(4, 5))],
            "mask": [(1, 1 - p), (0, p)],
            "symmetric": [(a, Fraction(w, 10)) for a, w in ((-2, 1), (-1, 4), (1, 4), (2, 1))],
        }
        law = laws[space.law]
        shape = _draws(claim, space, extent)
        weights, draws = [], []
        for how, atoms in _outcomes(space, shape):
            together = how == ("together",)
            weight = rho if together else 1 - rho if how else mp.mpf(1)
            for atom in atoms[:1] if together else atoms:
                weight = weight * _exact(law[atom][1])
            weights.append(weight)
            draws.append(_shaped([mean + std * _exact(law[atom][0]) for atom in atoms], shape))
        return {space.weights: weights, space.draws: draws}


def _exact(x: Any) -> Any:
    return mp.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else x


def _shaped(flat: list[Any], shape: list[int]) -> Any:
    if not shape:
        return flat[0]
    each = len(flat) // shape[0] if shape[0] else 0
    return [_shaped(flat[n * each : (n + 1) * each], shape[1:]) for n in range(shape[0])]


def _define(entry: Entry, right: Any, here: Scope, array: list[Any]) -> None:
    """Set the entries of an array to what a given equation says."""
    extents, level = [], array
    for _ in entry.at:
        extents.append(len(level))
        level = level[0] if level else []
    axes = tuple(free(entry))
    spans = [
        range(extents[entry.at.index(i)] if i.size is oo else int(value(i.size, here))) for i in axes
    ]  # any integer: all that the array has
    for at in product(*spans):
        here = Scope(here.values, dict(zip(axes, at, strict=True)), {})
        *rows, last = (int(value(i, here)) for i in entry.at)
        row = array
        for n in rows:
            row = row[n]
        row[last] = value(right, here)


def _random(argument: Argument, shape: list[int], rng: random.Random) -> Any:
    if len(shape) > 1 or (shape and argument.domain not in ("labels", "distribution")):
        return [_random(argument, shape[1:], rng) for _ in range(shape[0])]
    if shape:
        low = 0 if argument.domain == "labels" else 1
        weights = [rng.randint(low, 6) for _ in range(shape[0])]
        weights[rng.randrange(shape[0])] += 1
        return [Fraction(w, sum(weights)) for w in weights]
    if argument.domain in WHOLE:
        return rng.randint(*WHOLE[argument.domain])
    if argument.domain in ("real", "given"):
        return Fraction(rng.choice((-1, 1)) * rng.randint(1, 1999), 997)
    return Fraction(rng.randint(100, 900), 997 if argument.domain == "unit" else 499)


def compare(claim: Claim | Induction, points: list[dict[str, Any]]) -> Comparison:
    """Both sides of every equation at every point, up to the first difference."""
    worst = DIGITS
    with mp.workdps(DIGITS):
        for point in points:
            for output, relation, at, left, right in _sides(claim, point):
                digits = common(left, right) if relation == "=" else _apart(left, right, relation)
                worst = min(worst, digits)
                if digits < DIFFER:
                    sizes = {k: v for k, v in scope(claim, point).values.items() if k not in point}
                    return Comparison(worst, Witness(output, sizes, at, _shown(left), _shown(right), point))
    return Comparison(worst, None)


def common(left: Any, right: Any) -> int:
    """To how many digits two values agree."""
    if left is None or right is None:
        return 0
    error = abs(left - right) / max(1, abs(right))
    return DIGITS if error == 0 else int(-mp.log10(error))


def _apart(left: Any, right: Any, relation: str) -> int:
    """DIGITS where the relation holds, else 0; what is equal to many digits is not above."""
    if left is None or right is None:
        return 0
    gap = (left - right) / max(1, abs(right))
    return DIGITS if gap > (0 if relation == ">" else -(mp.mpf(10) ** -AGREE)) else 0


def _shown(x: Any) -> str:
    return "no real value" if x is None else str(mp.nstr(mp.mpf(x), 20))


def _real(compute: Callable[[], Any]) -> Any:
    """A value, or None where there is none (0 in a denominator, the root of a negative number)."""
    try:
        return compute()
    except (ZeroDivisionError, ValueError):
        return None


def _sides(claim: Claim | Induction, point: dict[str, Any]) -> Iterator[tuple[str, str, tuple[int, ...], Any, Any]]:
    if isinstance(claim, Induction):
        yield from _replayed(claim, point)
        return
    for part in claim.parts:
        for at in _grid(part.axes, scope(claim, point)):
            here = scope(claim, point)
            here.at.update(zip(part.axes, at, strict=True))
            left, right = _real(partial(_left, part, here)), _real(partial(value, part.right, here))
            yield part.output, part.relation, at, left, right


def _grid(axes: tuple[Index, ...], here: Scope) -> list[tuple[int, ...]]:
    at = _all(axes, here)
    return at[:: max(1, len(at) // POINTS)]


def _all(axes: tuple[Index, ...], here: Scope) -> list[tuple[int, ...]]:
    return list(product(*(range(3) if i.size is oo else range(int(value(i.size, here))) for i in axes)))


def _left(part: Part, here: Scope) -> Any:
    """The left side by its definition: its value, or its difference quotient."""
    if part.by is None:
        return value(part.left, here)
    h = mp.mpf(10) ** -WIDTH
    ends = []
    at = [int(value(i, here)) for i in part.by.at]
    for sign in (1, -1):
        name = str(part.by.name)
        moved = {**here.values, name: _moved(here.values[name], at, sign * h)}
        ends.append(value(part.left, Scope(moved, dict(here.at), {})))
    return (ends[0] - ends[1]) / (2 * h)


def _moved(nested: Any, at: list[int], by: Any) -> Any:
    if not at:
        return nested + by
    axis = Padded if isinstance(nested, Padded) else list
    return axis(_moved(v, at[1:], by) if n == at[0] else v for n, v in enumerate(nested))


def _replayed(claim: Induction, point: dict[str, Any]) -> Iterator[tuple[str, str, tuple[int, ...], Any, Any]]:
    """The loop as it is written, against the closed forms after each step."""
    start = scope(claim, point)
    now = dict(start.values)
    for t in range(len(now[claim.inputs])):
        here = Scope({**now, str(claim.step): t}, {}, {})
        now.update({state.name: table(state.update, state.axes, here) for state in claim.states})
        for state in claim.states:
            closed = Scope({**start.values, str(claim.step): t + 1}, {}, {})
            replayed = Scope(now, {}, {})
            for at in _grid(state.axes, closed):
                for s in (closed, replayed):
                    s.at.update(zip(state.axes, at, strict=True))
                claimed = _real(partial(value, state.closed, closed))
                yield state.name, "=", (t + 1, *at), _real(partial(value, state.entry, replayed)), claimed


def satisfied(claim: Claim | Induction, point: dict[str, Any]) -> bool:
    """Whether the assumptions hold at a sample point: what holds nowhere would prove anything."""
    with mp.workdps(DIGITS):
        for left, right in claim.given:
            axes = tuple(sorted(free(left), key=str))
            for at in _grid(axes, scope(claim, point)):
                here = scope(claim, point)
                here.at.update(zip(axes, at, strict=True))
                if abs(value(left - right, here)) > mp.mpf(10) ** -100:
                    return False
        for e in claim.positive if isinstance(claim, Claim) else ():
            for at in _grid(tuple(sorted(free(e), key=str)), scope(claim, point)):
                here = scope(claim, point)
                here.at.update(zip(sorted(free(e), key=str), at, strict=True))
                if value(e, here) <= 0:
                    return False
    return True


def exceeded(claim: Claim, part: Part, right: Any, point: dict[str, Any]) -> bool:
    """Whether the left side is somewhere below another right side at a point."""
    wrong = replace(part, right=right)
    with mp.workdps(DIGITS):
        for _, relation, _, left, other in _sides(replace(claim, parts=(wrong,)), point):
            if left is not None and other is not None and not _apart(left, other, relation):
                return True
    return False


def differs(claim: Claim | Induction, left: tuple[Any, tuple[Index, ...]], right: Any, point: dict[str, Any]) -> bool:
    """Whether two expressions over the same axes have different values somewhere at a point."""
    e, axes = left
    with mp.workdps(AGREE):
        start = scope(claim, point)
        for steps in range(len(point[claim.inputs]) + 1) if isinstance(claim, Induction) else (0,):
            values = {**start.values, str(claim.step): steps} if isinstance(claim, Induction) else start.values
            for at in _grid(axes, Scope(values, {}, {})):
                here = Scope(values, dict(zip(axes, at, strict=True)), {})
                try:
                    gap = abs(value(e, here) - value(right, here))
                except (ZeroDivisionError, IndexError, ValueError, KeyError):
                    return False  # a variant without a value is no claim
                if gap > mp.mpf(10) ** -DIFFER:
                    return True
    return False
