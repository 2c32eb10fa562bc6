"""Losses that are summed, or given one by one: what they are in a case that asks for their mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graders.harness.cases import Case
from graders.harness.exercise import Exercise

REDUCTION = "reduction"


def asks_for(exercise: Exercise, choice: str) -> Callable[[Case], bool]:
    """Return which cases a loss of this reduction is asked: those of it, and those of which it tells the mean.

    There are few of it alone, and no extremes: what is wrong in most others would be right under this reading.
    """

    def accepts(case: Case) -> bool:
        asked = case.hyperparameters[REDUCTION]
        return bool(asked == choice or _count(exercise, choice, case))

    return accepts


def as_asked(exercise: Exercise, choice: str, case: Case, value: Any) -> Any:
    """Return a loss of this reduction as that which the case asks for, as far as one follows from the other."""
    asked = case.hyperparameters[REDUCTION]
    if asked == choice or not isinstance(value, (float, np.ndarray, np.floating)):
        return value
    with np.errstate(all="ignore"):
        total = value if choice == "sum" else np.sum(value)
        return np.asarray(total / (_count(exercise, choice, case) if asked == "mean" else 1))


def _count(exercise: Exercise, choice: str, case: Case) -> int:
    """Return of how many losses a mean is taken; 0 where that cannot be told."""
    return case.once(("losses in the mean", exercise.name, choice), lambda: _counted(exercise, choice, case))


def _counted(exercise: Exercise, choice: str, case: Case) -> int:
    asked, given = case.hyperparameters[REDUCTION], case.arguments.values()
    if asked not in ("mean", "sum") or any(np.size(value) == 0 for value in given):
        return 0
    if asked == "sum":
        return int(choice == "none")

    def of(reduction: str) -> Any:
        return np.asarray(exercise.reference(*given, **{**case.hyperparameters, REDUCTION: reduction}))

    with np.errstate(all="ignore"):
        if choice == "none":
            return int(of(choice).size)
        total, mean = np.max(np.abs(of("sum")), initial=0.0), np.max(np.abs(of("mean")), initial=0.0)
        share = total / mean if mean > 0 else np.nan
    return round(float(share)) if np.isfinite(share) else 0


__all__ = ["as_asked", "asks_for"]
