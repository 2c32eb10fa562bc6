"""Functions that bear the catalogue's names and have its signatures."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._adapters.shapes import COUNTED, Shape, shape_of
from graders.harness.cases import Case, signature
from graders.harness.compare import as_array
from graders.harness.exercise import Exercise
from graders.harness.plans import (
    Binding,
    Outputs,
    Typed,
    WrongAtSight,
    WrongKind,
    literal,
    named,
    output_names,
    outputs_of,
    said,
)
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
    own = found.names("positional")[: len(names)]
    aliases = {other: name for name, others in ALIASES.get(exercise.name, {}).items() for other in others}
    theirs = tuple(aliases.get(name, name) for name in own)
    if set(theirs) == set(names):
        return theirs
    if names in PAIRS and len(own) == 2 and TRUTH.match(own[0]) and GUESS.match(own[1]):
        return names[::-1]
    return names


PAIRS = (("predictions", "targets"), ("probabilities", "labels"), ("logits", "labels"))
TRUTH = re.compile(r"^(y|t|y_?true|y_?t|targets?|labels?|actual|truth|y_?real|\w+_true)$", re.IGNORECASE)
GUESS = re.compile(r"^(\w*pred\w*|y_?hat|yhat|a|al|out\w*|logits|scores|probs?|y_?p|z)$", re.IGNORECASE)
"""Names that leave no doubt that the truth comes first, where the exercise has the prediction first."""


def bind(exercise: Exercise, found: Found, shape: Shape | None = None) -> Binding:
    """Bind a function that bears the exercise's name and has its signature, or one of this shape."""
    takes = found.names("positional", "keyword")
    anything = found.parameters is None or any(kind == "others" for _, kind, _ in found.parameters)
    hyperparameters = signature(exercise.reference).hyperparameters
    told = {name: name for name in hyperparameters if anything or name in takes} if shape is None else shape.keywords
    held = frozenset(
        name for name, (_, default) in hyperparameters.items()
        if name not in told and default is not inspect.Parameter.empty
    )  # fmt: skip
    note = f"takes no {', '.join(sorted(held))}: judged at the default" if held else ""
    untold = shape.untold if shape is not None else ()
    told = {**{name: name for name in hyperparameters if name not in held and name not in untold}, **told}
    off: dict[str, Any] = dict.fromkeys(shape.switched_off if shape is not None else (), False)
    order = _order(exercise, found)
    names = shape.arrays if shape is not None and shape.by_name else ()
    made = (found.name, order, names, tuple(told.items()), tuple(off))
    binding = Binding(
        exercise,
        found.name,
        lambda case: case.once(made, lambda: _calls(exercise, found.name, case, told, order, names, off)),
        lambda case, returned: _outputs(exercise, case, returned),
        held=held,
        note=note,
        typed=lambda case: _typed(exercise, found.tail, case, told, order, names, off),
    )
    counts = "; ".join(filter(None, [note, "counts the classes itself: judged on such cases"]))
    # it may also be of two classes alone
    return replace(binding, accepts=_all_classes, note=counts, vague=True) if untold else binding


def _all_classes(case: Case) -> bool:
    """Return whether the largest class is among those that a case speaks of."""
    classes = [value for value in case.arguments.values() if isinstance(value, np.ndarray) and value.dtype.kind in "iu"]
    return any(value.size and np.max(value) + 1 == case.hyperparameters[COUNTED] for value in classes)


def fitted(exercise: Exercise, found: Found) -> tuple[Binding | None, str]:
    """Bind a function that bears the exercise's name, whatever its parameters are called, or say why it is none."""
    if found.parameters is None or found.names("others", "rest"):
        return bind(exercise, found), ""
    shape = shape_of(exercise, found)
    if isinstance(shape, str):
        return None, f"{found.name} is not judged: {shape}"
    return bind(exercise, found, shape), ""


def _calls(
    exercise: Exercise, function: str, case: Case, told: Mapping[str, str], order: Sequence[str], names: Sequence[str],
    off: dict[str, Any],
) -> tuple[Call, ...]:  # fmt: skip
    keywords = {told[k]: v for k, v in case.hyperparameters.items() if k in told} | off

    def call(given: Mapping[str, Any]) -> Call:
        values = [given[name] for name in order]
        if names:
            return Call(function, (), dict(zip(names, values, strict=True)) | keywords)
        return Call(function, tuple(values), keywords)

    if not exercise.unrolled:
        return (call(case.arguments),)
    params, state = case.arguments["params"], case.arguments["state"]
    calls = []
    for step, grad in enumerate(case.arguments["grads"]):
        again = Rebuilt(state.name, tuple(state.fields), Kept("step", (1,)))
        given = {"params": params, "grad": grad, "state": state}
        if step:
            given |= {"params": Kept("step", (0,)), "state": again}
        calls.append(replace(call(given), read=((0,), (1,)), keep="step"))
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
    for state in (returned[0].values[1], returned[-1].values[1]):
        made = named(state, names, "the new state")
        if isinstance(state, (tuple, list)):
            _in_order(made, case.arguments["state"].fields)
    return {"params": np.stack(steps), **made}


def _in_order(made: Outputs, given: Mapping[str, Any]) -> None:
    """Raise `WrongAtSight` for a plain tuple that has the shapes of the state that came in, but in another order."""
    shapes, wanted = ([np.shape(values[name]) for name in given] for values in (made, given))
    if shapes != wanted and sorted(shapes) == sorted(wanted):
        raise WrongAtSight(f"the new state is a plain tuple in another order, expected ({', '.join(given)})")


def _records_in(value: Any) -> dict[str, tuple[str, ...]]:
    """Return the fields of every kind of record in an argument, however deep, by its name."""
    parts = tuple(value.fields.values()) if isinstance(value, Record) else value
    found = {value.name: tuple(value.fields)} if isinstance(value, Record) else {}
    for part in parts if isinstance(parts, tuple) else ():
        found |= _records_in(part)
    return found


def _typed(
    exercise: Exercise, function: str, case: Case, told: Mapping[str, str], order: Sequence[str], names: Sequence[str],
    off: dict[str, Any],
) -> Typed:  # fmt: skip
    arrays = [f"{name}={one}" for name, one in zip(names, order, strict=True)] if names else list(order)
    settings = {told[k]: v for k, v in case.hyperparameters.items() if k in told} | off
    given = ", ".join([*arrays, *(f"{name}={value!r}" for name, value in settings.items())])
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
