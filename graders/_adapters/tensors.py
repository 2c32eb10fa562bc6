"""Functions that take and return torch tensors: any call shape, with tensors of the case's dtype for its arrays."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from graders._adapters.objects import tensors
from graders.harness.cases import Case
from graders.harness.plans import Binding, Typed
from graders.harness.sandbox.contract import Call
from graders.harness.sandbox.contract import Function as Found

SINGLE = "computes in float32: judged on such cases"


def uses(found: Found) -> bool | None:
    """Return whether a function's own text speaks of tensors; None if its file does not import them at all."""
    return next((must for _, kind, must in found.parameters or () if kind == "uses"), None)


def both(binding: Binding, found: Found) -> Binding:
    """Return the binding with tensors as its reading, or as another one, if the function's file imports torch."""
    direct = uses(found)
    if direct is None:
        return binding
    arrays = (replace(binding, others=()), *binding.others)
    readings = [with_tensors(reading) for reading in arrays]
    ordered = [*readings, *arrays] if direct else [*arrays, *readings]
    ordered += [in_float32(reading) for reading in readings]
    return replace(ordered[0], others=tuple(ordered[1:]))


def with_tensors(binding: Binding) -> Binding:
    """Return the same binding with tensors for arrays."""
    typed = binding.typed

    def plan(case: Case) -> tuple[Call, ...]:
        return tuple(
            replace(call, arguments=tensors(call.arguments), keywords=tensors(dict(call.keywords)))
            for call in binding.plan(case)
        )

    note = "; ".join(filter(None, [binding.note, "takes tensors"]))
    return replace(binding, plan=plan, note=note, typed=_typed(typed) if typed is not None else None)


def _typed(typed: Callable[[Case], Typed]) -> Callable[[Case], Typed] | None:
    def with_torch(case: Case) -> Typed:
        made = typed(case)
        names = "|".join(re.escape(name) for name in case.arguments)
        call = re.sub(rf"(?<![\w.'])({names})(?![\w(='])", r"torch.from_numpy(\1)", made.call)
        return replace(made, call=call, before="; ".join(filter(None, [made.before, "import torch"])))

    return with_torch


def in_float32(binding: Binding) -> Binding:
    """Return the reading of what computes in float32 whatever it is given, as the texts of language models do."""
    accepts, note = binding.accepts, "; ".join(filter(None, [binding.note, SINGLE]))
    return replace(binding, accepts=lambda case: case.dtype == "float32" and accepts(case), note=note)
