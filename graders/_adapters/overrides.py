"""A function as an assignment file describes it: its exercise, the order of its arguments, its layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graders._adapters import tensors
from graders._adapters.objects import Turn
from graders.harness.cases import Case, signature
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, outputs_of
from graders.harness.sandbox.contract import Call, Path, Returned
from graders.harness.sandbox.contract import Function as Found

LAYOUTS: Mapping[str, Mapping[int, Turn]] = {
    "samples x features": {},
    "features x samples": {2: Turn((1, 0))},
    "NCHW": {},
    "NHWC": {4: Turn((0, 2, 3, 1))},
}
"""By the number of axes: how arrays are laid out; beside NHWC images, kernels are (kh, kw, in, out)."""
_KERNEL = Turn((2, 3, 1, 0))


@dataclass(frozen=True)
class Described:
    """What an assignment says of a function."""

    name: str
    exercise: str
    layout: str = "samples x features"
    arguments: tuple[str, ...] = ()
    """The exercise's arguments in the function's order; empty if in the exercise's own."""
    keywords: Mapping[str, str] = field(default_factory=dict)
    """Hyperparameter of the exercise → the name that the function gives it; others are not told."""
    returns: Path = ()
    """The part of the result that is the answer."""
    tensors: bool = False


def _turn(layout: str, name: str, value: Any) -> Turn | None:
    if layout == "NHWC" and name in ("w", "dw"):
        return _KERNEL
    return LAYOUTS[layout].get(np.ndim(value)) if isinstance(value, np.ndarray) else None


def bind(described: Described, exercise: Exercise, found: Found) -> Binding:
    """Bind the function as it is described."""
    read = signature(exercise.reference)
    order = described.arguments or tuple(read.arguments)
    told = described.keywords
    taken = found.names("positional", "keyword")
    held = frozenset(name for name in read.hyperparameters if name not in told and name not in taken)

    def plan(case: Case) -> tuple[Call, ...]:
        given = []
        for name in order:
            value = case.arguments[name]
            turn = _turn(described.layout, name, value)
            given.append(value if turn is None else turn.to(value))
        keywords = {told.get(name, name): v for name, v in case.hyperparameters.items() if name not in held}
        return (Call(found.name, tuple(given), keywords, read=(described.returns,)),)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        made = outputs_of(exercise, case, returned[0].values[0])
        turns = {name: _turn(described.layout, name, value) for name, value in made.items()}
        return {name: _back(turns[name], value) for name, value in made.items()}

    note = "called as the assignment says" + (f", laid out {described.layout}" if LAYOUTS[described.layout] else "")
    binding = Binding(exercise, found.name, plan, outputs, held=held, note=note)
    return tensors.with_tensors(binding) if described.tensors else replace(binding)


def _back(turn: Turn | None, value: Any) -> Any:
    if turn is None:
        return value
    return np.ascontiguousarray(value.transpose(np.argsort(turn.axes)))
