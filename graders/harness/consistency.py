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
from graders.harness.judge import Session, attempts
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


def belongs(session: Session, gradient: Binding, forward: Binding, key: AnswerKey) -> bool | None:
    """Return whether the gradient is that of the forward; None where differences cannot tell."""
    read = signature(gradient.exercise.reference)
    differentiable = [name for name in read.arguments if name != "cotangent"][: len(output_names(gradient.exercise))]
    if not all(read.arguments[name] for name in differentiable) or not differentiable:
        return None  # gradients by what is no array: layers, parameters
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
    offsets = (-STEP, -STEP / 2, 0.0, STEP / 2, STEP)
    moved = [{name: case.arguments[name] + t * d for name, d in directions.items()} for t in offsets]
    outputs, *values = attempts(
        session, [(gradient, case), *((forward, _forward_case(case, forward, m)) for m in moved)]
    )
    projected = [_projected(case, value) for value in values]
    if outputs is None or any(p is None for p in projected):
        return None
    low, low_half, middle, high_half, high = (float(p) for p in projected if p is not None)
    coarse, fine = (high - low) / (2 * STEP), (high_half - low_half) / STEP
    bend, bend_half = (high - 2 * middle + low) / STEP, 2 * (high_half - 2 * middle + low_half) / STEP
    total = size = 0.0
    for value, direction in zip(outputs.values(), directions.values(), strict=True):
        array = as_array(value)
        if array is None or array.shape != direction.shape or not np.isfinite(array).all():
            return None
        total += float(np.sum(array * direction))
        size += float(np.sum(np.abs(array * direction)))
    better = (4 * fine - coarse) / 3
    scale = max(size, abs(better), 1e-12)
    # half the step halves the bend of a smooth function; at a kink it stays, and no difference is to be believed
    kinked = abs(bend_half) > 0.6 * abs(bend) + BELIEVED * scale
    if kinked or not np.isfinite(better) or abs(better - fine) > BELIEVED * scale:
        return None
    return bool(abs(total - better) <= 10 * BELIEVED * scale)


def _projected(case: Case, outputs: Mapping[str, Any] | None) -> float | None:
    """Return the forward's values along the cotangent; a loss is a number already."""
    cotangent = case.arguments.get("cotangent", np.float64(1.0))
    value = None if outputs is None else as_array(outputs[""])
    return None if value is None or value.shape != np.shape(cotangent) else float(np.sum(cotangent * value))
