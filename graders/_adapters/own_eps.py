"""Programs whose eps is written into their text: right with that one, where it is one that is in use."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from graders.harness.cases import signature
from graders.harness.exercise import Exercise, Function, with_signature_of
from graders.harness.plans import Binding

IN_USE = {
    1e-3: "Keras's normalization",
    1e-4: "",
    1e-5: "PyTorch's normalization",
    1e-6: "Flax",
    1e-7: "Keras and Deep Learning from Scratch",
    1e-8: "the paper on Adam",
    1e-10: "PyTorch's Adagrad",
    1e-12: "BERT's normalization",
}
"""The sizes that an eps usually has, and who has it."""


def with_usual_sizes(binding: Binding) -> Binding:
    """Return the binding with other sizes of an eps that cannot be told, as so many conventions."""
    if "eps" not in binding.held:
        return binding
    return replace(binding, exercise=_of_any_eps(binding.exercise), others=tuple(map(with_usual_sizes, binding.others)))


@functools.cache
def _of_any_eps(exercise: Exercise) -> Exercise:
    definitions = (exercise.reference, *exercise.conventions)
    sized = [_sized(exercise, f, eps, user) for f in definitions for eps, user in IN_USE.items()]
    return replace(exercise, conventions=(*exercise.conventions, *sized))


def _sized(exercise: Exercise, definition: Function, eps: float, user: str) -> Function:
    told = {"eps": eps} if "eps" in signature(exercise.reference).hyperparameters else {}

    def sized(*arguments: Any, **hyperparameters: Any) -> Any:
        return definition(*arguments, **{**hyperparameters, **told})

    as_in = f", as in {user}" if user else ""
    first = "" if definition is exercise.reference else f" {(definition.__doc__ or '').splitlines()[0]}"
    sized.__name__ = f"{definition.__name__}_with_eps_{eps:g}".replace("-", "_")
    sized.__doc__ = f"Its eps is {eps:g}{as_in}, and cannot be set.{first}"
    return with_signature_of(exercise.reference, sized)
