"""Functions that bear the catalogue's names and have its signatures."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from graders.harness.cases import Case, signature
from graders.harness.compare import as_array
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, Typed, WrongKind, literal, named, output_names, outputs_of, said
from graders.harness.sandbox.codec import Kept, Rebuilt, Record
from graders.harness.sandbox.contract import Call, Returned
from graders.harness.sandbox.contract import Function as Found

ALIASES = {
    "losses.cross_entropy": {"p": ("targets", "labels", "y_true", "truth"), "q": ("predictions", "y_pred", "probs")}
}
"""Other names that leave no doubt which argument is meant, where the order is often the other one."""


def _order(exercise: Exercise, found: Found) -> tuple[str, ...]:
    """Return the exercise's array arguments in the order in which the submission's own names ask for them."""
    names = tuple(signature(exercise.reference).arguments)
    aliases = {other: name for name, others in ALIASES.get(exercise.name, {}).items() for other in others}
    theirs = tuple(aliases.get(name, name) for name in found.names("positional")[: len(names)])
    return theirs if set(theirs) == set(names) else names


def bind(exercise: Exercise, found: Found) -> Binding:
    """Bind a function that bears the exercise's name and has its signature."""
    takes = found.names("positional", "keyword")
    anything = found.parameters is None or any(kind == "others" for _, kind, _ in found.parameters)
    hyperparameters = signature(exercise.reference).hyperparameters
    held = frozenset(
        name for name, (_, default) in hyperparameters.items()
        if not anything and name not in takes and default is not inspect.Parameter.empty
    )  # fmt: skip
    note = f"takes no {', '.join(sorted(held))}: judged at the default" if held else ""
    order = _order(exercise, found)
    return Binding(
        exercise,
        found.name,
        lambda case: case.once((found.name, held, order), lambda: _calls(exercise, found.name, case, held, order)),
        lambda case, returned: _outputs(exercise, case, returned),
        held=held,
        note=note,
        typed=lambda case: _typed(exercise, found.tail, case, held, order),
    )


def _calls(
    exercise: Exercise, function: str, case: Case, held: frozenset[str], order: tuple[str, ...]
) -> tuple[Call, ...]:
    keywords = {k: v for k, v in case.hyperparameters.items() if k not in held}
    if not exercise.unrolled:
        return (Call(function, tuple(case.arguments[name] for name in order), keywords),)
    params, state = case.arguments["params"], case.arguments["state"]
    calls = []
    for step, grad in enumerate(case.arguments["grads"]):
        again = Rebuilt(state.name, tuple(state.fields), Kept("step", (1,)))
        given = {"params": params, "grad": grad, "state": state}
        if step:
            given |= {"params": Kept("step", (0,)), "state": again}
        calls.append(Call(function, tuple(given[name] for name in order), keywords, read=((0,), (1,)), keep="step"))
    return tuple(calls)


def _outputs(exercise: Exercise, case: Case, returned: Sequence[Returned]) -> Outputs:
    if not exercise.unrolled:
        return outputs_of(exercise, case, returned[0].values[0])
    names = output_names(exercise)[1:]
    steps = [step for step in (as_array(r.values[0]) for r in returned) if step is not None]
    if len(steps) < len(returned):
        wrong = next(r.values[0] for r in returned if as_array(r.values[0]) is None)
        raise WrongKind(f"the new params are {said(wrong)}, expected an array")
    if len({step.shape for step in steps}) > 1:
        raise WrongKind(f"the shape of params changes from step to step: {', '.join(str(s.shape) for s in steps)}")
    return {"params": np.stack(steps), **named(returned[-1].values[1], names, "the new state")}


def _records_in(value: Any) -> dict[str, tuple[str, ...]]:
    """Return the fields of every kind of record in an argument, however deep, by its name."""
    parts = tuple(value.fields.values()) if isinstance(value, Record) else value
    found = {value.name: tuple(value.fields)} if isinstance(value, Record) else {}
    for part in parts if isinstance(parts, tuple) else ():
        found |= _records_in(part)
    return found


def _typed(exercise: Exercise, function: str, case: Case, held: frozenset[str], order: tuple[str, ...]) -> Typed:
    given = ", ".join([*order, *(f"{k}={v!r}" for k, v in case.hyperparameters.items() if k not in held)])
    if not exercise.unrolled:
        records = _records_in(tuple(case.arguments.values()))
        kinds = [f"{name} = collections.namedtuple({name!r}, {' '.join(names)!r})" for name, names in records.items()]
        return Typed(f"{function}({given})", before="; ".join(kinds))
    state = case.arguments["state"]
    return Typed(
        f"{function}({given})",
        state="state",
        start=f"State({', '.join(literal(value) for value in state.fields.values())})",
        before=f"State = collections.namedtuple({state.name!r}, {' '.join(state.fields)!r})",
        again="state = State(**state) if isinstance(state, dict) else State(*state)",
        field=lambda name: f"state.{name}",
    )
