"""Programs whose eps is written into their text: right with that one, where it is one that is in use."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graders.harness.exercise import Exercise, Function, with_signature_of
from graders.harness.plans import Binding

IN_USE: Mapping[str, Mapping[float, str]] = {
    "normalization": {
        1e-3: "Keras",
        1e-5: "PyTorch",
        1e-6: "Flax",
        1e-7: "Deep Learning from Scratch",
        1e-8: "the pixel norm of Karras et al. 2018",
        1e-12: "BERT",
    },
    "optimizers": {
        1e-6: "Lasagne",
        1e-7: "Keras and Deep Learning from Scratch",
        1e-8: "Kingma and Ba 2015",
        1e-10: "PyTorch's Adagrad",
    },
}
"""The sizes that an eps has in the exercises of a topic, and who has it."""


def with_usual_sizes(binding: Binding) -> Binding:
    """Return the binding with other sizes of an eps that cannot be told, as so many conventions."""
    if "eps" not in binding.held or binding.exercise.topic not in IN_USE:
        return binding
    return replace(binding, exercise=_of_any_eps(binding.exercise), others=tuple(map(with_usual_sizes, binding.others)))


@functools.cache
def _of_any_eps(exercise: Exercise) -> Exercise:
    definitions = (exercise.reference, *exercise.conventions)
    sized = [_sized(exercise, f, eps, user) for f in definitions for eps, user in IN_USE[exercise.topic].items()]
    return replace(exercise, conventions=(*exercise.conventions, *sized))


def _sized(exercise: Exercise, definition: Function, eps: float, user: str) -> Function:
    def sized(*arguments: Any, **hyperparameters: Any) -> Any:
        return definition(*arguments, **{**hyperparameters, "eps": eps})

    first = "" if definition is exercise.reference else f" {(definition.__doc__ or '').splitlines()[0]}"
    sized.__name__ = f"{definition.__name__}_with_eps_{eps:g}".replace("-", "_")
    sized.__doc__ = f"Its eps is {eps:g}, as in {user}, and cannot be set.{first}"
    return with_signature_of(exercise.reference, sized)
