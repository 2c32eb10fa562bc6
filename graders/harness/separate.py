"""Several known mistakes that give the numbers: an input on which they differ is looked for, and asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from graders.harness.cases import Case, seeded, small
from graders.harness.compare import Comparison
from graders.harness.diagnose import found_by, gives, made_by
from graders.harness.exercise import Exercise, Function

ROUNDS = 2
"""How often the cases of a run are drawn once more, from other seeds."""
TRIES = 100
"""How many small inputs are tried besides: of zeros, equal entries and single rows, which drawn ones lack."""
ENOUGH = 3
"""How many inputs that tell mistakes apart the submission is asked."""


def told_apart(
    exercise: Exercise,
    fits: Sequence[Function],
    like: Case,
    seed: int,
    held: frozenset[str],
    ask: Callable[[Case], Comparison | None],
) -> tuple[list[Function], int]:
    """Return those of several mistakes that give what is returned for inputs on which they differ, and their number.

    `like` is a case in which all of them give what was returned; `ask` asks the submission. All are returned, and 0,
    where no input was found that tells them apart.
    """
    left, asked = list(fits), 0
    for case in itertools.islice(_separating(exercise, fits, like, seed, held), ENOUGH):
        comparison = ask(case)
        if comparison is not None and not comparison.raised:
            asked += 1
            left = [f for f in left if gives(exercise, f, comparison)]
    return left, asked


def _separating(
    exercise: Exercise, fits: Sequence[Function], like: Case, seed: int, held: frozenset[str]
) -> Iterator[Case]:
    """Yield inputs on which two of these mistakes differ."""

    def differ(case: Case) -> bool:
        return any(_differ(exercise, fits[0], other, case) for other in fits[1:])

    found = found_by(small(exercise, like), differ, TRIES, shrinks=False)
    if found is not None:
        yield found
    for case in seeded(exercise, seed + 1, held, ROUNDS):
        if case.dtype == like.dtype and (like.extreme or not case.extreme) and differ(case):
            yield case


def _differ(exercise: Exercise, one: Function, two: Function, case: Case) -> bool:
    """Return whether two mistakes give numbers that rounding does not explain."""
    first, second = (made_by(exercise, f, case) for f in (one, two))
    if first is None or second is None:
        return first is not second
    return any(
        np.shape(value) != np.shape(second[name])
        or not np.allclose(value.astype(float), second[name].astype(float), rtol=1e-6, atol=0, equal_nan=True)
        for name, value in first.items()
    )
