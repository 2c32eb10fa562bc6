"""What explains wrong numbers, the surest first: a known mistake, two of them, or a pattern in words.

A single mistake comes before a pair, and a pair before a part of the numbers; among patterns, those that give every
number come before pairs too: a factor of -2 is one mistake, not a sign and a factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graders.harness import diagnose
from graders.harness.compare import Comparison
from graders.harness.diagnose import agrees, made_by, told
from graders.harness.exercise import Exercise, Function
from graders.harness.pairs import TURNS, Pair, at_extremes, pairs
from graders.harness.patterns import exact, listed, patterns
from graders.harness.report import Diagnosis

ORDINARY = "your numbers for ordinary inputs"
"""What a mistake gives that is made beside another, or another formula, at extremes."""


def explained(exercise: Exercise, comparisons: Sequence[Comparison]) -> tuple[Diagnosis, ...]:
    """Return what explains a function that is wrong for ordinary inputs; nothing is told that the numbers do not show.

    `comparisons` are all; what is wrong in float64 decides.
    """
    ordinary = [c for c in comparisons if c.case.dtype == "float64" and not c.case.extreme]
    fits = closest(exercise, diagnose.misconceptions(exercise, ordinary), comparisons)
    if fits:
        return _of_mistakes(exercise, fits, comparisons)
    parts = diagnose.by_output(exercise, ordinary)
    common = [f for f in next(iter(parts.values()), []) if all(f in others for others in parts.values())]
    if common:
        return (named("misconception", common[0], f"your {listed(parts)}"),)
    whole = exact(ordinary)
    if whole:
        return tuple(whole)
    if parts and all(parts.values()):
        return _of_outputs(parts)
    together = _of_pairs(exercise, pairs(exercise, ordinary))
    if together:
        return together
    told_of = {name: found for name, found in parts.items() if found}
    return (*_of_outputs(told_of), *patterns(exercise, ordinary, frozenset(told_of)))


def named(kind: Any, function: Function, gives: str = "") -> Diagnosis:
    """Return what is told of a known mistake or convention."""
    return Diagnosis(kind, function.__name__, told(function), gives)


def closest(exercise: Exercise, fits: Sequence[Function], comparisons: Sequence[Comparison]) -> list[Function]:
    """Return those of several mistakes that no other one beats: that agrees where it does, and elsewhere besides.

    All of them give the numbers of ordinary cases. What decides are extreme cases, other dtypes, and whether an
    overflow ends in inf or in nan.
    """
    if len(fits) < 2:
        return list(fits)
    agreed = []
    for function in fits:
        made = [(c, made_by(exercise, function, c.case)) for c in comparisons if not c.raised]
        agreed.append(
            {c.case.id for c, m in made if agrees(c, m)} | {f"to the kind {c.case.id}" for c, m in made if _same(c, m)}
        )
    return [f for f, mine in zip(fits, agreed, strict=True) if not any(mine < other for other in agreed)]


def _same(comparison: Comparison, made: Any) -> bool:
    """Return whether what is not finite is of the same kind too."""
    return agrees(comparison, made) and all(
        np.array_equal(np.isnan(np.asarray(comparison.outputs[name], float)), np.isnan(value.astype(float)))
        for name, value in made.items()
        if name in comparison.answer.outputs
    )


def _of_mistakes(
    exercise: Exercise, fits: Sequence[Function], comparisons: Sequence[Comparison]
) -> tuple[Diagnosis, ...]:
    """Return what is told of the mistakes that fit; if it is one, with another one that shows at extremes."""
    if len(fits) > 1 or not _off_at_extremes(exercise, fits[0], comparisons):
        return tuple(named("misconception", f) for f in fits)
    return (named("misconception", fits[0], ORDINARY), *beside(exercise, fits[0], comparisons))


def beside(exercise: Exercise, first: Function, comparisons: Sequence[Comparison]) -> tuple[Diagnosis, ...]:
    """Return the mistake that, beside another one or a convention, gives what was returned at extremes; if one does."""
    double = [c for c in comparisons if c.case.dtype == "float64" and not c.raised]
    ordinary, extremes = [c for c in double if not c.case.extreme], [c for c in double if c.case.extreme]
    second = at_extremes(exercise, first, ordinary, extremes, _off_at_extremes(exercise, first, comparisons))
    if second is None:
        return ()
    return (named("misconception", second, f"your numbers for extreme inputs, beside {first.__name__}"),)


def _off_at_extremes(exercise: Exercise, function: Function, comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return the extreme cases in float64 in which a function gives something else."""
    extremes = (c for c in comparisons if c.case.dtype == "float64" and c.case.extreme and not c.raised)
    return [c for c in extremes if not agrees(c, made_by(exercise, function, c.case))]


def several(fits: Sequence[Function], asked: int, gives: str) -> tuple[Diagnosis, ...]:
    """Return what is told of those of several mistakes that are left after they were told apart on `asked` inputs."""
    if not fits:
        return (
            Diagnosis("pattern", "several", "Several known mistakes give your numbers here, but none of them always."),
        )
    if len(fits) == 1:
        return (named("misconception", fits[0], gives),)
    tried = "a further input that told others apart" if asked else "every further input that was tried"
    return tuple(
        named(
            "misconception", f,
            f"{gives or 'your numbers'}, as {listed(o.__name__ for o in fits if o is not f)} does, on {tried} too",
        )
        for f in fits
    )  # fmt: skip


def _of_outputs(parts: dict[str, list[Function]]) -> tuple[Diagnosis, ...]:
    gathered: dict[Function, list[str]] = {}
    for name, fits in parts.items():
        gathered.setdefault(fits[0], []).append(name)
    return tuple(named("misconception", f, f"your {listed(names)}") for f, names in gathered.items())


def _of_pairs(exercise: Exercise, found: Sequence[Pair]) -> tuple[Diagnosis, ...]:
    """Return what is told of the pair that fits; of several only what they have in common, for one of them is true."""
    if len(found) != 1:
        sure = [f for f in (found[0].one, found[0].two) if all(f in (p.one, p.two) for p in found)] if found else []
        return tuple(_of_a_pair(exercise, f, "together with another one") for f in sure if f is not None)
    one, two, turn = found[0].one, found[0].two, found[0].turn
    if two is None:
        first = _of_a_pair(exercise, one, "but for what is said below")
        return (first, Diagnosis("pattern", turn, TURNS[turn][1]))
    return (
        _of_a_pair(exercise, one, f"together with {two.__name__}"),
        _of_a_pair(exercise, two, f"together with {one.__name__}"),
    )


def _of_a_pair(exercise: Exercise, function: Function, how: str) -> Diagnosis:
    kind = "misconception" if function in exercise.misconceptions else "convention"
    return named(kind, function, f"your numbers, {how}")
