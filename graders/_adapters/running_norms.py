"""Batch norm in one function, with its running statistics among the arguments, as books and PyTorch have it.

`batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum)` returns the new statistics beside the result, or
writes them where it got the old ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._adapters.blocks import heavy
from graders._adapters.loosely import with_axes
from graders._adapters.objects import Ask, roles_by_name
from graders._adapters.random_masks import RESTS, TRAINS
from graders.harness.cases import Case
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, WrongKind, said
from graders.harness.sandbox.codec import Kept
from graders.harness.sandbox.contract import Call, Returned
from graders.harness.sandbox.contract import Function as Found

_NAME = re.compile(r"(spatial_?)?batch_?norm(ali[sz](e|ation))?(_?([12]d|train|forward|layer))?", re.IGNORECASE)
_ROLES: Mapping[str, re.Pattern[str]] = {
    role: re.compile(pattern, re.IGNORECASE)
    for role, pattern in {
        "x": r"x|inputs?|z|a|h",
        "gamma": r"gamma|weight|scale|g",
        "beta": r"beta|bias|shift|b",
        "running_mean": r"(running|moving|run|global)_?(mean|mu|avg)",
        "running_var": r"(running|moving|run|global)_?(var(iance)?|sigma2)",
        "eps": r"eps(ilon)?",
        "momentum": r"momentum|decay|mom",
        "trains": "|".join((*TRAINS, *RESTS)),
    }.items()
}
_NEEDED = ("x", "gamma", "beta", "running_mean", "running_var")
NORM, EVALUATING, RUNNING = (
    "normalization.batch_norm", "normalization.batch_norm_when_evaluating", "normalization.running_statistics",
)  # fmt: skip
MOMENTUM = 0.1


def fits(found: Found) -> bool:
    """Return whether a function is batch norm by its name, and is given its running statistics."""
    return bool(_NAME.fullmatch(found.tail)) and set(_NEEDED) <= set(roles_by_name(found, _ROLES).values())


def bind(
    found: Found, exercises: Mapping[str, Exercise], others: Mapping[str, Found], ask: Ask
) -> tuple[list[Binding], str]:
    """Bind such a function to what it computes in training, in use if it can be told that, and to its statistics."""
    told = set(roles_by_name(found, _ROLES).values())
    wanted = [NORM, *([EVALUATING] if "trains" in told else []), *([RUNNING] if "momentum" in told else [])]
    bindings = []
    for name in (name for name in wanted if name in exercises):
        made = [reading for wide in (True, False) for reading in _readings(exercises[name], found, wide)]
        made += [with_axes(reading, count) for reading in made for count in (2, 4)]
        bindings.append(replace(made[0], others=tuple(made[1:])))
    return bindings, ""


def _readings(exercise: Exercise, found: Found, wide: bool) -> list[Binding]:
    note = "statistics, gains and shifts of images are of shape (1, c, 1, 1)" if wide else ""
    if exercise.name != RUNNING:
        held = frozenset() if "eps" in roles_by_name(found, _ROLES).values() else frozenset({"eps"})
        plan = _plan(found, wide, training=exercise.name == NORM)
        return [Binding(exercise, found.name, plan, _first, held=held, note=note)]
    made = []
    for old in (True, False):
        whose = f"momentum is the weight of the {'old' if old else 'new'} statistic"
        said_so = "; ".join(filter(None, [note, whose]))
        plan = _plan(found, wide, training=True, old=old)
        accepts: Callable[[Case], bool] = heavy if old else (lambda case: True)
        made.append(Binding(exercise, found.name, plan, _statistics, accepts, note=said_so))
    return made


def _plan(found: Found, wide: bool, training: bool, old: bool = True) -> Callable[[Case], tuple[Call, ...]]:
    """Return the calls of a case: its statistics are made first, since they may be written to, and read at last."""
    roles = roles_by_name(found, _ROLES)
    positional = found.names("positional")

    def plan(case: Case) -> tuple[Call, ...]:
        x = case.arguments["x"]
        width = (1, -1, 1, 1) if wide and np.ndim(x) == 4 else (-1,)
        ones = np.ones(x.shape[1], case.dtype)
        momentum = case.hyperparameters.get("momentum", MOMENTUM)
        every: dict[str, Any] = {"gamma": ones, "beta": 0 * ones, "running_mean": 0 * ones, "running_var": ones}
        every |= {name: value for name, value in case.arguments.items() if name != "x"}
        every = {name: value.reshape(width) for name, value in every.items()}
        statistics = [every["running_mean"], every["running_var"]]
        every |= {"x": x, "eps": case.hyperparameters.get("eps", 1e-5), "momentum": 1 - momentum if old else momentum}
        every |= {"running_mean": Kept("statistics", (0,)), "running_var": Kept("statistics", (1,))}
        given = {n: training == (n.lower() in TRAINS) if role == "trains" else every[role] for n, role in roles.items()}
        ordered = [given.pop(name) for name in positional if name in given]
        return (
            Call("=own", (statistics,), read=(), keep="statistics"),
            Call(found.name, tuple(ordered), given),
            Call("=", (Kept("statistics"),), read=((0,), (1,))),
        )

    return plan


def _first(case: Case, returned: Sequence[Returned]) -> Outputs:
    value = returned[1].values[0]
    return {"": value[0] if isinstance(value, (tuple, list)) and value else value}


def _statistics(case: Case, returned: Sequence[Returned]) -> Outputs:
    """Return the new statistics: those that were returned, or those that were written."""
    value, written = returned[1].values[0], returned[2].values
    made = value[1:3] if isinstance(value, (tuple, list)) and len(value) >= 3 else written
    flat = [v.reshape(-1) if isinstance(v, np.ndarray) else v for v in made]
    if any(not isinstance(v, np.ndarray) for v in flat):
        raise WrongKind(f"the new running mean is {said(made[0])}, expected an array")
    return {"running_mean": flat[0], "running_var": flat[1]}
