"""How a case becomes calls, and what comes back becomes outputs: the meeting point of exercises and adapters."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graders.harness import cases
from graders.harness.cases import Case, signature
from graders.harness.exercise import Exercise, Function
from graders.harness.sandbox.codec import Opaque, Record
from graders.harness.sandbox.contract import Call, Returned

Outputs = dict[str, Any]
"""Output name → value; the one output of a plain function is named ""."""


class WrongKind(TypeError):
    """A submission returned what cannot be the answer; the message says what, and what was expected."""


class WrongAtSight(WrongKind):
    """An answer of the right kind that need not be compared: of another shape, or dropped at another rate."""


@dataclass(frozen=True)
class Typed:
    """A case's call as a person would type it, the arrays being variables of their arguments' names."""

    call: str
    state: str = ""
    """For a step: the name of its state, and …"""
    start: str = ""
    """… the expression that it starts from."""
    before: str = ""
    """A line that `start` needs."""
    again: str = ""
    """A line that readies the state for the next step."""
    field: Callable[[str], str] = lambda name: name
    """A field of the state, as an expression."""


@dataclass(frozen=True)
class Binding:
    """A function of a submission, and the exercise it is to be judged by."""

    exercise: Exercise
    function: str
    """What the report calls it: the submission's own name."""
    plan: Callable[[Case], tuple[Call, ...]]
    outputs: Callable[[Case, Sequence[Returned]], Outputs]
    accepts: Callable[[Case], bool] = lambda case: True
    """Whether its call shape can express the case at all."""
    held: frozenset[str] = field(default_factory=frozenset)
    """Hyperparameters it does not take: they stay at their defaults."""
    note: str = ""
    typed: Callable[[Case], Typed] | None = None
    others: tuple[Binding, ...] = ()
    """Other documented readings of the same function, by worth: it is judged by the one under which it is right."""
    vague: bool = False
    """Whether its name may mean something else: then it is judged only if it is right."""
    strict: bool = False
    """Whether its reading has settled which definition it follows: then no other one explains its numbers."""
    doubtful: bool = False
    """Whether, among the readings of a function, it is taken only if the function is right in it."""
    sense: str = ""
    """Which of several definitions it is read as: one that a function and its gradient must have in common."""
    unseen: frozenset[str] = frozenset()
    """Outputs that its call shape does not show, such as an object's own state: of them nothing is said."""


def output_names(exercise: Exercise) -> tuple[str, ...]:
    """Return the names of what a reference returns: one "", or the fields of its named tuple; none for nested ones."""
    if exercise.unrolled:
        state = signature(exercise.reference).state
        assert state is not None
        return ("params", *state._fields)
    return _returned_names(exercise.reference)


@functools.cache
def _returned_names(function: Function) -> tuple[str, ...]:
    returned = typing.get_type_hints(function).get("return")
    names = tuple(getattr(returned, "_fields", ()))
    inner = typing.get_type_hints(returned).values() if names else (returned,)
    nested = any(hasattr(hint, "_fields") or typing.get_origin(hint) is tuple for hint in inner)
    return () if nested else names or ("",)


def outputs_of(exercise: Exercise, case: Case, value: Any) -> Outputs:
    """Return the parts of what a function returned for a case, by the names of the reference's; raise `WrongKind`."""
    names = output_names(exercise)
    if names:
        return named(value, names, "the result")
    like = exercise.text(*_arguments(exercise, case), **case.hyperparameters)
    places = _places(like, "")  # a function may return them one after another, none within another
    if isinstance(value, (tuple, list)) and len(value) == len(places) != len(like):
        return dict(zip(places, value, strict=True))
    return _alike(value, like, "")


def _places(like: Any, path: str) -> list[str]:
    """Return the names of the leaves of a nested result, in their order."""
    if not isinstance(like, tuple):
        return [path]
    names = getattr(like, "_fields", tuple(range(len(like))))
    return [place for name, part in zip(names, like, strict=True) for place in _places(part, _deeper(path, name))]


def _deeper(path: str, name: str | int) -> str:
    return f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}".lstrip(".")


def _alike(value: Any, like: Any, path: str) -> Outputs:
    """Return the leaves of a nested result under the names of those of another."""
    if not isinstance(like, tuple):
        return {path: value}
    names = getattr(like, "_fields", tuple(range(len(like))))
    what = f"`{path}`" if path else "the result"
    if isinstance(value, (tuple, list)) and len(value) != len(names):
        raise WrongKind(f"{what} holds {len(value)} values, expected {len(names)}")
    parts = named(value, tuple(map(str, names)), what) if len(names) > 1 else {str(names[0]): _only(value, names[0])}
    leaves: Outputs = {}
    for name, part in zip(names, like, strict=True):
        leaves |= _alike(parts[str(name)], part, _deeper(path, name))
    return leaves


def _only(value: Any, name: str | int) -> Any:
    """Return the one part of a result, which may come as itself."""
    if isinstance(value, Mapping) and name in value:
        return value[name]
    return value[0] if isinstance(value, (tuple, list)) else value


def _arguments(exercise: Exercise, case: Case) -> tuple[Any, ...]:
    records = signature(exercise.reference).records
    return tuple(cases.built(value, records) for value in case.arguments.values())


def named(values: Any, names: tuple[str, ...], what: str) -> Outputs:
    """Return a result's parts by name: it may be a mapping that has the names, or a sequence in their order.

    Parts of one shape may come as one array, which Python unpacks as it does a tuple.
    """
    if names == ("",):
        return {"": values}
    if isinstance(values, Mapping):
        return by_name(values, names, what)
    stacked = isinstance(values, np.ndarray) and values.ndim > 0 and 1 < len(values) == len(names)
    if isinstance(values, (tuple, list)) or stacked:
        if len(values) != len(names):
            raise WrongKind(f"{what} holds {len(values)} values, expected {len(names)}: {', '.join(names)}")
        return dict(zip(names, values, strict=True))
    if len(names) == 1:  # a state of one field may come as the field itself
        return {names[0]: values}
    raise WrongKind(f"{what} is {said(values)}, expected {len(names)} values: {', '.join(names)}")


def by_name(values: Mapping[str, Any], names: tuple[str, ...], what: str) -> Outputs:
    """Return the parts of a mapping, or of a named tuple, by our names, though its own may be others in our order."""
    if len(values) == len(names) and all(
        own == name or own not in names for own, name in zip(values, names, strict=True)
    ):
        return dict(zip(names, values.values(), strict=True))
    missing = [name for name in names if name not in values]
    if missing:
        raise WrongKind(f"{what} has no {missing[0]!r}; it has {', '.join(map(repr, values)) or 'nothing'}")
    return {name: values[name] for name in names}


def literal(value: Any) -> str:
    """Return Python text for a value, to the last digit, with the dtype where it is not the usual one."""
    if isinstance(value, np.ndarray):
        dtype = "" if value.dtype in (np.float64, np.int64) else f", np.{value.dtype}"
        return f"np.array({value.tolist()!r}{dtype})"
    if isinstance(value, Record):
        return f"{value.name}({', '.join(literal(part) for part in value.fields.values())})"
    if isinstance(value, tuple) and any(isinstance(item, (Record, np.ndarray)) for item in value):
        return f"({''.join(literal(item) + ', ' for item in value)})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {literal(item)}" for key, item in value.items()) + "}"
    return repr(value)


def said(value: Any) -> str:
    """Say what a value is, as a report does."""
    if value is None:
        return "None"
    if isinstance(value, Opaque):
        return value.described
    if isinstance(value, np.ndarray):
        kind = "" if value.dtype.kind == "f" else f" of {value.dtype}"
        return f"an array of shape {value.shape}{kind}"
    return f"a {type(value).__name__}"


def run_plain(exercise: Exercise, function: Function, case: Case) -> Outputs:
    """Return the outputs of a trusted function of the reference's own signature, called in this process.

    The arguments may be lifted: the same plan serves every arithmetic.
    """
    read = signature(exercise.reference)
    if not exercise.unrolled:
        result = function(*_arguments(exercise, case), **case.hyperparameters)
        names = output_names(exercise)
        if not names:
            return _alike(result, result, "") if function is exercise.text else outputs_of(exercise, case, result)
        return {"": result} if names == ("",) else dict(zip(names, result, strict=True))
    assert read.state is not None
    params, state = case.arguments["params"], read.state(**case.arguments["state"].fields)
    steps = []
    for step in range(len(case.arguments["grads"])):
        params, state = function(params, case.arguments["grads"][step], state, **case.hyperparameters)
        steps.append(params)
    return {"params": np.stack(steps), **dict(zip(read.state._fields, state, strict=True))}
