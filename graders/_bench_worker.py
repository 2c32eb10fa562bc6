"""The trusted side of a comparison: functions of this house or of a library, served like a submission's.

It speaks the same protocol through the same code as a submission's child, so that what crossing the boundary costs is
the same on both sides, and cancels. One starts for each pair of processes, so it imports little: not `graders._bench`,
which imports the proofs.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import os
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from graders.harness.cases import signature
from graders.harness.exercise import Exercise
from graders.harness.speed.nothing import nothing

Function = Callable[..., Any]


def tensors_in_place(torch: Any) -> Any:
    """Return PyTorch as rivals use it, where a tensor made of an array lies where the array does, and costs nothing."""

    def tensor(data: Any, *arguments: Any, requires_grad: bool = False, **keywords: Any) -> Any:
        if isinstance(data, np.ndarray) and not arguments and not keywords and data.flags.writeable:
            return torch.from_numpy(data).requires_grad_(requires_grad)
        return torch.tensor(data, *arguments, requires_grad=requires_grad, **keywords)

    stand_in = types.ModuleType("torch")
    stand_in.__dict__.update(vars(torch))
    stand_in.__dict__["tensor"] = tensor
    return stand_in


def with_records(reference: Function) -> Function:
    """Return the reference taking the named tuples that the protocol makes for those that it knows."""
    records = signature(reference).records

    def known(value: Any) -> Any:
        kind = records.get(type(value).__name__)
        if kind is not None:
            return kind(*map(known, value))
        return tuple(map(known, value)) if isinstance(value, tuple) else value

    return functools.wraps(reference)(lambda *arguments, **keywords: reference(*map(known, arguments), **keywords))


def exercise_of(name: str) -> Exercise:
    """Return an exercise, from its own topic alone where it is one of ours: the whole catalogue takes a second."""
    topic = name.partition(".")[0]
    if importlib.util.find_spec(f"graders.{topic}") is not None:
        for value in vars(importlib.import_module(f"graders.{topic}")).values():
            if isinstance(value, Exercise) and value.name == name:
                return value
    from graders import _catalogue

    return _catalogue.exercises()[name]


def functions_of(what: str, name: str) -> dict[str, Function]:
    """Return the functions that a side is to serve: "reference", or a library's module for its own function."""
    exercise = exercise_of(name)
    tail = name.partition(".")[2]
    if what == "reference":
        return {tail: with_records(exercise.reference)}
    library = importlib.import_module(what)
    if what == "torch":
        library.set_num_threads(1)
        library = tensors_in_place(library)
    rival = exercise.rivals.get(what)
    if rival is not None:
        return {tail: lambda *arguments, **keywords: rival(library, *arguments, **keywords)}
    from graders import _live

    functions = importlib.import_module(f"graders._conform._{what}").functions()
    return {tail: _live.returning_numpy(functions[name].function)}


def main(grader: str, what: str, name: str, like: str, channel: str) -> None:
    """Serve one function of a trusted side until the grader closes the channel, or dies."""
    from graders.harness.sandbox import child

    child.end_with(int(grader))
    idle = what == "nothing"
    functions = {name.partition(".")[2]: nothing(json.loads(like))} if idle else functions_of(what, name)
    child.serve(int(channel), os.open(os.devnull, os.O_WRONLY), 0, functions)
