"""Does a gradient belong to the submission's own forward function, whatever that computes?

A gradient may be wrong because the forward is, and right for it; or right by itself, and not that of the loss it is
used with. Central differences of the submission's own values along a random direction tell, with Richardson's
extrapolation to know how far they can be trusted. They are evidence, never a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from graders.harness.cases import Case, signature
from graders.harness.compare import as_array
from graders.harness.judge import Session, attempt
from graders.harness.key import AnswerKey
from graders.harness.plans import Binding, output_names

STEP = 2.0**-8
BELIEVED = 1e-4
"""Differences that their own extrapolation moves by more than this share say nothing."""
CASES = 3


def _forward_case(case: Case, forward: Binding, moved: Mapping[str, Any]) -> Case:
    read = signature(forward.exercise.reference)
    return replace(
        case,
        arguments={name: moved.get(name, case.arguments[name]) for name in read.arguments},
        hyperparameters={name: case.hyperparameters[name] for name in read.hyperparameters},
    )


def _slope(
    session: Session, forward: Binding, case: Case, directions: Mapping[str, Any], step: float
) -> tuple[float, float] | None:
    """Return the central difference of <cotangent, forward> along the directions, and by how much its halves differ."""
    values = []
    for sign in (-1.0, 0.0, 1.0):
        moved = {name: case.arguments[name] + sign * step * d for name, d in directions.items()}
        outputs = attempt(session, forward, _forward_case(case, forward, moved))
        value = None if outputs is None else as_array(outputs[""])
        cotangent = case.arguments.get("cotangent", np.float64(1.0))
        if value is None or value.shape != np.shape(cotangent):
            return None
        values.append(float(np.sum(cotangent * value)))
    low, middle, high = values
    return (high - low) / (2 * step), (high - 2 * middle + low) / step


def belongs(session: Session, gradient: Binding, forward: Binding, key: AnswerKey) -> bool | None:
    """Return whether the gradient is that of the forward; None where differences cannot tell."""
    read = signature(gradient.exercise.reference)
    differentiable = [name for name in read.arguments if name != "cotangent"][: len(output_names(gradient.exercise))]
    held = gradient.held | forward.held
    asked: list[bool | None] = []
    for case in key.cases(gradient.exercise, gradient.held):
        fitting = case.dtype == "float64" and not case.extreme and not case.special
        defaults = {name: default for name, (_, default) in read.hyperparameters.items()}
        at_defaults = all(case.hyperparameters[name] == defaults[name] for name in held if name in defaults)
        if not fitting or not at_defaults or not gradient.accepts(case):
            continue
        asked.append(_agrees(session, gradient, forward, case, differentiable))
        if len(asked) == 2 * CASES or sum(answer is not None for answer in asked) == CASES:
            break
    decided = [answer for answer in asked if answer is not None]
    return all(decided) if decided else None


def _agrees(
    session: Session, gradient: Binding, forward: Binding, case: Case, differentiable: list[str]
) -> bool | None:
    random = np.random.default_rng(int(case.id, 16))
    directions = {name: random.standard_normal(np.shape(case.arguments[name])) for name in differentiable}
    outputs = attempt(session, gradient, case)
    if outputs is None:
        return None
    total = size = 0.0
    for (_, value), (_, direction) in zip(outputs.items(), directions.items(), strict=True):
        array = as_array(value)
        if array is None or array.shape != direction.shape or not np.isfinite(array).all():
            return None
        total += float(np.sum(array * direction))
        size += float(np.sum(np.abs(array * direction)))
    coarse, fine = (_slope(session, forward, case, directions, step) for step in (STEP, STEP / 2))
    if coarse is None or fine is None or not np.isfinite([coarse, fine]).all():
        return None
    better = (4 * fine[0] - coarse[0]) / 3
    scale = max(size, abs(better), 1e-12)
    # half the step halves the bend of a smooth function; at a kink it stays, and no difference is to be believed
    kinked = abs(fine[1]) > 0.6 * abs(coarse[1]) + BELIEVED * scale
    if kinked or abs(better - fine[0]) > BELIEVED * scale:
        return None
    return bool(abs(total - better) <= 10 * BELIEVED * scale)
