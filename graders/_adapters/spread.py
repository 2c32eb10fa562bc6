"""Optimizers as functions with their state spread out: `adam(w, g, m, v, t, lr, …) -> (w, m, v)`.

What stands for what is told by the names of settings, and by the order of the rest: parameters, gradient, and the state
as the definition has it. As that is a guess, such a function is judged only if it is right.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._adapters.shapes import ALIASES
from graders.harness.cases import Case, fields, signature
from graders.harness.compare import as_array
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, WrongKind, said
from graders.harness.sandbox.codec import Kept
from graders.harness.sandbox.contract import Call, Path, Returned
from graders.harness.sandbox.contract import Function as Found

_STEP = re.compile(r"t|k|i|n|steps?|step_(count|num\w*)|iter\w*|time_?steps?|num_steps|epoch", re.IGNORECASE)
_BETAS = {"beta1": re.compile(r"(beta|b|rho|decay)_?1", re.IGNORECASE)}
_BETAS["beta2"] = re.compile(r"(beta|b|rho|decay)_?2", re.IGNORECASE)
_GRADIENT = re.compile(r"d?_?g|d\w+|\w*grad\w*", re.IGNORECASE)
_SMALL = re.compile(
    r"[a-z]_?[a-z0-9]{0,2}|\w*(vel|mom|avg|moment|cache|acc|sum|sq|cum|state|hist|buf|prev)\w*", re.IGNORECASE
)


def bind(exercise: Exercise, found: Found) -> Binding | None:
    """Bind a function that takes parameters, gradient and every part of the state by itself; None for any other."""
    read = signature(exercise.reference)
    if not exercise.unrolled or found.parameters is None or read.state is None:
        return None
    record: Any = read.state
    parts = fields(record)
    arrays = [name for name, form in parts.items() if not form.number]
    counts = [name for name, form in parts.items() if form.number]
    settings = _settings(exercise, found)
    names = found.names("positional", "keyword")
    left = [name for name in names if name not in settings]
    step = next((name for name in left[2:] if _STEP.fullmatch(name)), None) if counts else None
    slots = [name for name in left[2:] if name != step]
    told = set(settings.values())
    needed = [k for k, (_, default) in read.hyperparameters.items() if default is inspect.Parameter.empty]
    fits = (
        len(left) >= 2 and _GRADIENT.fullmatch(left[1]) and len(slots) == len(arrays) > 0
        and all(map(_SMALL.fullmatch, slots)) and bool(counts) == (step is not None) and told.issuperset(needed)
    )  # fmt: skip
    if not fits:
        return None
    held = frozenset(k for k in read.hyperparameters if k not in told and not (k == "betas" and "beta1" in told))
    order = [left[0], left[1], *slots]

    def plan(case: Case, counted: int) -> tuple[Call, ...]:
        state = case.arguments["state"].fields
        every = {**case.hyperparameters, **dict(zip(_BETAS, case.hyperparameters.get("betas", ()), strict=False))}
        rest = {name: every[meant] for name, meant in settings.items()}
        reads: tuple[Path, ...] = tuple((i,) for i in range(1 + len(arrays)))
        calls = []
        for taken, grad in enumerate(case.arguments["grads"]):
            first = [case.arguments["params"], *(state[name] for name in arrays)]
            params, *slots_now = [Kept("step", path) for path in reads] if taken else first
            given: dict[str, Any] = dict(zip(order, [params, grad, *slots_now], strict=True)) | rest
            given |= {step: state[counts[0]] + taken + counted} if step is not None else {}
            ordered = tuple(given.pop(name) for name in found.names("positional") if name in given)
            calls.append(Call(found.name, ordered, given, read=reads, keep="step"))
        return tuple(calls)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        steps = [as_array(one.values[0]) for one in returned]
        if any(one is None or one.shape != np.shape(case.arguments["params"]) for one in steps):
            raise WrongKind(f"the new {left[0]} is {said(returned[0].values[0])}, expected an array of its shape")
        ended = dict(zip(arrays, returned[-1].values[1:], strict=True))
        ended |= {name: case.arguments["state"].fields[name] + len(steps) for name in counts}
        return {"params": np.stack([one for one in steps if one is not None]), **ended}

    note = f"its {', '.join(slots)} are taken for the state's {', '.join(arrays)}"
    made = Binding(exercise, found.name, lambda case: plan(case, 1), outputs, held=held, note=note, vague=True)
    if step is None:
        return made
    counts_itself = replace(made, plan=lambda case: plan(case, 0), note=f"{note}; counts its steps itself")
    return replace(made, others=(counts_itself,))


def beside(binding: Binding, apart: Binding) -> Binding:
    """Return the binding with this as another reading: a `cache` may be the whole state, or the one array of it."""
    return replace(binding, others=(*binding.others, replace(apart, others=(), vague=False), *apart.others))


def _settings(exercise: Exercise, found: Found) -> dict[str, str]:
    """Return the function's own names of hyperparameters, and what they stand for."""
    wanted = signature(exercise.reference).hyperparameters
    roles: dict[str, str] = {}
    for name in found.names("positional", "keyword")[2:]:
        if name in wanted:
            roles[name] = name
            continue
        betas = [beta for beta, pattern in _BETAS.items() if "betas" in wanted and pattern.fullmatch(name)]
        others = [k for k in wanted if k in ALIASES and k not in roles.values() and ALIASES[k].match(name)]
        if (betas or others) and not (len(name) == 1 and name != "e"):
            roles[name] = (betas or others)[0]
    return roles
