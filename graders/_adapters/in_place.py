"""Plain descents that write the new parameters into what they are given, and return nothing: `w -= lr * dw`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._adapters import tensors
from graders._adapters.objects import Ask
from graders.harness.cases import Case
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs
from graders.harness.sandbox.codec import Kept, Record
from graders.harness.sandbox.contract import Call, Path, Returned
from graders.harness.sandbox.contract import Function as Found

DESCENT = "optimizers.sgd"
_TENSORS = (re.compile(r"params?|parameters"), re.compile(r"lr|learning_rate|eta"), re.compile(r"batch_size"))
"""The parameters of the descent of Dive into Deep Learning (`sgd(params, lr, batch_size)`), which reads `.grad`."""
_HELD: Mapping[str, tuple[Path, str]] = {
    "array": ((), "an array"),
    "list": ((0,), "a list of arrays"),
    "dict": (("W1",), "a dictionary of arrays"),
}
"""What parameters and gradients may come in: where the array is in it, and how that is said."""


def readings(binding: Binding, ask: Ask) -> list[Binding]:
    """Return the readings of a plain descent that writes to its parameters and returns nothing; none for any other."""
    if binding.exercise.name != DESCENT:
        return []
    return [reading for held in _HELD if _moves(reading := _reading(binding, held), ask)]


def of_tensors(exercise: Exercise, found: Found) -> Binding | None:
    """Bind a descent of tensors that carry their gradients; None for any other function."""
    names = found.names("positional")
    if (
        exercise.name != DESCENT
        or tensors.uses(found) is None
        or len(names) != 3
        or not all(p.fullmatch(n) for p, n in zip(_TENSORS, names, strict=True))
    ):
        return None

    def plan(case: Case) -> tuple[Call, ...]:
        params, grad = case.arguments["params"], case.arguments["grad"]
        tensor = Record("torch.Tensor", {"data": params, "grad": grad, "parameter": True})
        step = Call(found.name, (Kept("held"), case.hyperparameters["lr"], 1), read=())
        return (Call("=own", ([tensor],), read=(), keep="held"), step, Call("=", (Kept("held"),), read=((0,),)))

    note = "takes a list of parameters with .grad, and a batch of size 1; writes to them"
    return Binding(exercise, found.name, plan, _outputs, note=note)


def _outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
    return {"": returned[-1].values[0]}


def _in(held: str, array: Any) -> Any:
    return {"array": array, "list": [array], "dict": {"W1": array}}[held]


def _reading(binding: Binding, held: str) -> Binding:
    """Return the reading of a function that writes to parameters that are held so."""
    at, said = _HELD[held]

    def plan(case: Case) -> tuple[Call, ...]:
        (call,) = binding.plan(case)
        params, grad = case.arguments["params"], case.arguments["grad"]

        def given(value: Any) -> Any:
            return Kept("held") if value is params else _in(held, grad) if value is grad else value

        keywords = {name: given(value) for name, value in call.keywords.items()}
        step = replace(call, arguments=tuple(map(given, call.arguments)), keywords=keywords, read=())
        made = Call("=own", (_in(held, params),), read=(), keep="held")
        return (made, step, Call("=", (Kept("held"),), read=(at,)))

    note = "; ".join(filter(None, [binding.note, f"takes {said}, and writes the new parameters there"]))
    return replace(binding, plan=plan, outputs=_outputs, note=note, typed=None, others=())


def _moves(reading: Binding, ask: Ask) -> bool:
    """Return whether a function changes parameters that it is given so, and returns nothing."""
    params, grad = np.array([0.5, -1.25, 2.0]), np.array([0.25, -0.5, 1.5])
    case = Case({"params": params, "grad": grad}, {"lr": 0.125}, "float64", "tried")
    made, step, read = reading.plan(case)
    outcomes = ask([made, replace(step, read=((),)), read])
    if len(outcomes) < 3 or not all(isinstance(outcome, Returned) for outcome in outcomes):
        return False
    returned, now = (outcome.values[0] for outcome in outcomes[1:3])  # type: ignore[union-attr]
    moved = isinstance(now, np.ndarray) and now.shape == params.shape and not np.array_equal(now, params)
    return returned is None and moved
