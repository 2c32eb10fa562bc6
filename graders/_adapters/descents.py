"""Gradient descents of courses, which are given data where the catalogue's is given a function and its gradient.

That of a logistic regression, `optimize(w, b, X, Y, num_iterations, learning_rate)`, can mean nothing else; the others,
`gradient_descent(X, y, theta, alpha, num_iters)`, are judged only if they are right for one of the known losses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graders._adapters import draws
from graders._adapters.objects import Ask, roles_by_name
from graders.harness.observations import Misshapen
from graders.harness.plans import WrongKind, said
from graders.harness.sandbox.contract import Function, Returned
from graders.harness.trials import Setting, Trial, TrialBinding, built

TRIAL = "training.gradient_descent"
_NAMES = re.compile(r"optimi[sz]e|model|(batch_)?gradient_?descent", re.IGNORECASE)
_ROLES: Mapping[str, re.Pattern[str]] = {
    role: re.compile(pattern, re.IGNORECASE)
    for role, pattern in {
        "X held": r"x_(test|val|dev)",
        "Y held": r"y_(test|val|dev)",
        "X": r"x(_train)?",
        "Y": r"y(_train)?",
        "w": r"w(_in|_init)?|theta|weights?|beta",
        "b": r"b(_in|_init)?|bias",
        "lr": r"alpha|learning_?rate|lr|eta|step_?size",
        "silent": r"print_\w+|verbose|debug",
        "steps": r"(num|n|max)?_?iter(s|ations?)?|(num|n)?_?(epochs|steps)",
    }.items()
}
_UNMISTAKABLE = ("w", "b", "X", "Y", "steps", "lr")
"""The roles of the parameters of `optimize`, in the order of the course."""
_COLUMNS, _ROWS, _TABLES = "samples are columns", "samples are rows", "samples are rows, labels and weights columns"
_NEAR = 1e-6
_LOGISTIC = "a logistic regression"
_LOSSES: Mapping[str, tuple[str, float]] = {
    _LOGISTIC: ("given.logistic", 1.0),
    "half a mean squared error": ("given.cubic", 1.0),
    "a mean squared error": ("given.cubic", 0.5),
}
"""By the loss: the function of a setting that is one, and by what factor squares are to be multiplied for that."""


def fits(found: Function) -> bool:
    """Return whether a function descends for data that it is given, by its name and parameters."""
    roles = set(roles_by_name(found, _ROLES).values()) if _NAMES.fullmatch(found.tail) else set()
    return {"X", "Y", "lr", "steps"} <= roles and bool({"w", "X held"} & roles)


def bind(trial: Trial, found: Function, ask: Ask) -> TrialBinding:
    """Bind such a function; raise `draws.CannotBind` where no loss is known by which it descends."""
    roles = roles_by_name(found, _ROLES)
    readings = list(_readings(trial, found, roles))
    near = next((reading for reading in readings if _is_near(reading, ask)), None)
    if near is not None:
        return near
    if tuple(roles.values())[:6] != _UNMISTAKABLE or _is_linear(readings[0], ask):
        known = " nor ".join(_LOSSES)
        raise draws.CannotBind(f"it is given data, and its loss is neither of those known: {known}")
    return readings[0]


def _made(reading: TrialBinding, setting: Setting, ask: Ask) -> Any:
    """Return where a function leads to where it is called so; None if that cannot be told."""
    outcomes = ask(reading.plan(setting, 0))
    returned = [outcome for outcome in outcomes if isinstance(outcome, Returned)]
    if not outcomes or len(returned) < len(outcomes):
        return None
    try:
        return reading.draw(setting, returned)
    except (WrongKind, Misshapen):
        return None


def _is_near(reading: TrialBinding, ask: Ask) -> bool:
    """Return whether a function comes near the truth where it is called so."""
    setting = next(setting for setting in reading.trial.settings if reading.accepts(setting))
    truth = reading.trial.reference(**{name: built(value) for name, value in setting.arguments.items()}).params
    made = _made(reading, setting, ask)
    return isinstance(made, np.ndarray) and bool(np.allclose(made, truth, rtol=_NEAR, atol=_NEAR))


def _is_linear(reading: TrialBinding, ask: Ask) -> bool:
    """Return whether what takes w and b is the descent of a linear regression, of which the settings have none."""
    setting = next(setting for setting in reading.trial.settings if reading.accepts(setting))
    made = _made(reading, setting, ask)
    rows, wanted, start = _data(setting, with_bias=False)

    def led_to(factor: float) -> Any:
        weights = start
        for _ in range(setting.arguments["steps"]):
            weights = weights - factor * setting.arguments["lr"] * rows.T @ (rows @ weights - wanted) / len(rows)
        return weights

    return isinstance(made, np.ndarray) and any(np.allclose(made, led_to(f), rtol=_NEAR) for f in (1, 2))


def _readings(trial: Trial, found: Function, roles: Mapping[str, str]) -> Iterator[TrialBinding]:
    for layout in (_COLUMNS, _ROWS, _TABLES):
        for loss in _LOSSES:
            if loss == _LOGISTIC or not {"b", "X held"} & set(roles.values()):
                yield _reading(trial, found, roles, layout, loss)


def _data(setting: Setting, with_bias: bool, factor: float = 1.0) -> tuple[Any, Any, Any]:
    """Return rows, what they are to give, and the weights to start from: those of a logistic or of a linear regression.

    x·Cx/2 + s·x is, but for a constant, half the mean squared error of the n rows √n Lᵀ, where C = L Lᵀ.
    """
    fields, start = setting.arguments["f"].fields, np.ravel(setting.arguments["x"])
    if "labels" in fields:
        x = fields["x"]
        return x if with_bias else np.column_stack([x, np.ones(len(x))]), fields["labels"], start
    lower = np.linalg.cholesky(fields["curvature"])
    scale = np.sqrt(factor * len(start))
    return scale * lower.T, -scale * np.linalg.solve(lower, fields["slope"]), start


def _reading(trial: Trial, found: Function, roles: Mapping[str, str], layout: str, loss: str) -> TrialBinding:
    with_bias = bool({"b", "X held"} & set(roles.values()))
    function, factor = _LOSSES[loss]

    def plan(setting: Setting, seed: int) -> Any:
        rows, wanted, start = _data(setting, with_bias, factor)
        w = start[:-1] if with_bias else start
        x = np.ascontiguousarray(rows.T) if layout == _COLUMNS else rows
        y = {_COLUMNS: wanted[None, :], _ROWS: wanted, _TABLES: wanted[:, None]}[layout]
        given = {
            "X": x, "Y": y, "X held": x, "Y held": y, "w": w if layout == _ROWS else w[:, None], "b": float(start[-1]),
            "lr": setting.arguments["lr"], "steps": setting.arguments["steps"],
            "silent": False,
        }  # fmt: skip
        positional = [given[roles[name]] for name in found.names("positional") if name in roles]
        in_order = found.names("positional")[: len(positional)] == tuple(roles)[: len(positional)]
        keywords = {name: given[role] for name, role in roles.items() if not in_order or name in found.names("keyword")}
        return draws.drawing(trial, found.name, tuple(positional) if in_order else (), keywords, seed)

    def draw(setting: Setting, returned: Sequence[Returned]) -> Any:
        value = returned[-1].values[0]
        return None if value is None else _weights(value, setting, with_bias)

    def accepts(setting: Setting) -> bool:
        is_plain = not np.any(setting.arguments["f"].fields.get("cubes", 0))
        starts = "w" in roles.values() or not np.any(setting.arguments["x"])
        return setting.arguments["f"].name == function and is_plain and starts

    note = f"given data, {layout}: judged as the descent of {loss}, by where it leads to"
    return TrialBinding(trial, found.name, plan, draw, accepts, seeded=False, note=note)


def _weights(value: Any, setting: Setting, with_bias: bool) -> Any:
    """Return the weights of what a descent returns, alone or first of all, in the shape that it started from."""
    first = value[0] if isinstance(value, (tuple, list)) and value else value
    if isinstance(first, Mapping):
        parts = [first.get(name) for name in ("w", "b")]
    elif with_bias:
        parts = list(value[:2]) if isinstance(value, (tuple, list)) else []
    else:
        parts = [first]
    arrays = [part for part in parts if isinstance(part, (float, int, np.ndarray, np.number))]
    if not arrays or len(arrays) < len(parts):
        raise WrongKind(f"the result is {said(value)}, expected {'w and b' if with_bias else 'the weights'}")
    made = np.concatenate([np.ravel(array) for array in arrays])
    start = setting.arguments["x"]
    if made.size != start.size:
        raise Misshapen(f"the result holds {made.size} weights, expected {start.size}")
    return made.reshape(start.shape)
