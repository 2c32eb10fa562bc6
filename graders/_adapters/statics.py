"""Layers as classes of static methods, `Linear.forward(x, w, b) -> (out, cache)`, in the shape of Michigan's EECS 498.

They are the functions of CS231n under other names: each is bound as the one that it is, and called by its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from graders._adapters.objects import Ask
from graders.harness.cases import Case
from graders.harness.plans import Binding, Typed
from graders.harness.sandbox.contract import Call
from graders.harness.sandbox.contract import Function as Found

KNOWN_AS: Mapping[str, str] = {
    "Linear.forward": "affine_forward", "Linear.backward": "affine_backward",
    "ReLU.forward": "relu_forward", "ReLU.backward": "relu_backward",
    "Conv.forward": "conv_forward_naive", "Conv.backward": "conv_backward_naive",
    "MaxPool.forward": "max_pool_forward_naive", "MaxPool.backward": "max_pool_backward_naive",
    "BatchNorm.forward": "batchnorm_forward", "BatchNorm.backward": "batchnorm_backward",
    "BatchNorm.backward_alt": "batchnorm_backward_alt",
    "SpatialBatchNorm.forward": "spatial_batchnorm_forward", "SpatialBatchNorm.backward": "spatial_batchnorm_backward",
    "Dropout.forward": "dropout_forward", "Dropout.backward": "dropout_backward",
}  # fmt: skip


def known(functions: Sequence[Found]) -> dict[str, Found]:
    """Return the static methods that are a function of CS231n, by their own names, each under that function's name."""
    found = {}
    for function in functions:
        method = ".".join(function.name.split(".")[-2:])
        if method in KNOWN_AS:
            found[function.name] = replace(function, name=function.name.removesuffix(method) + KNOWN_AS[method])
    return found


def asking(ask: Ask, aliases: Mapping[str, Found]) -> Ask:
    """Return what asks by the names of the course, and calls the static methods."""
    own = {alias.name: name for name, alias in aliases.items()}
    return lambda calls: ask([_called(call, own) for call in calls])


def calling(binding: Binding, aliases: Mapping[str, Found]) -> Binding:
    """Return a binding, and its other readings, that call the static methods by their own names."""
    own = {alias.name: name for name, alias in aliases.items()}
    plan, typed = binding.plan, binding.typed
    return replace(
        binding,
        function=own.get(binding.function, binding.function),
        plan=lambda case: tuple(_called(call, own) for call in plan(case)),
        typed=_written(typed, own) if typed is not None else None,
        others=tuple(calling(other, aliases) for other in binding.others),
    )


def _called(call: Call, own: Mapping[str, str]) -> Call:
    return replace(call, function=own.get(call.function, call.function))


def _written(typed: Callable[[Case], Typed], own: Mapping[str, str]) -> Callable[[Case], Typed]:
    def made(case: Case) -> Typed:
        text = typed(case)
        call = text.call
        for course, name in own.items():
            method = ".".join(name.split(".")[-2:])
            call = call.replace(f"{course.rpartition('.')[2]}(", f"{method}(")
        return replace(text, call=call)

    return made
