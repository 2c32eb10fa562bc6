"""Functions of plain Python: `[math.tanh(x) for x in v]`, `sum((a - b) ** 2 for a, b in zip(y, p)) / len(y)`.

They take one list of numbers. An array of more axes they refuse, or take apart by its first axis, which says nothing of
what they compute: so their arrays are given as one list, or row by row as one list each.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._adapters.objects import Ask, last
from graders._adapters.reductions import REDUCTION, as_asked
from graders.harness.cases import Case, signature
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, WrongKind, output_names, said
from graders.harness.sandbox.contract import Call, Raised, Returned
from graders.harness.sandbox.contract import Function as Found

LARGEST = 64
"""Rows that are asked one by one."""
_TABLE = np.array([[0.25, 0.5, 0.25], [0.125, 0.75, 0.125]])
_IN_ROWS = ("losses.cross_entropy", "losses.entropy", "losses.kl_divergence")
"""Losses of distributions, one in each row."""
_OF_LABELS = "losses.accuracy"
_OF_ENTRIES = ("activations", "losses", "regularization")
"""Topics in which a function may be one of the single entries."""


def also(binding: Binding, found: Found, ask: Ask) -> Binding:
    """Return the binding with the readings in lists, where the function is one of lists.

    It is if it takes a list of numbers, and raises for a list of rows: then it is not NumPy's work. Labels are compared
    however deep they lie, so there it is if it raises for an array.
    """
    change = _change(binding.exercise)
    if change is None:
        return binding
    row, rows = _TABLE[0].tolist(), _TABLE.tolist()
    taken, refused = ([0, 1, 1], np.array([0, 1, 1])) if change is as_lists else (row, rows)
    count = len(signature(binding.exercise.reference).arguments)
    calls = (Call(found.name, (value,) * count, read=()) for value in (taken, refused))
    one, other = (last(ask([call])) for call in calls)
    if not isinstance(one, Returned) or not isinstance(other, Raised):
        return binding
    alike = (r for r in (replace(binding, others=()), *binding.others) if r.exercise is binding.exercise)
    return replace(binding, others=(*binding.others, *map(change, alike)))


def _change(exercise: Exercise) -> Callable[[Binding], Binding] | None:
    if exercise.unrolled or output_names(exercise) != ("",):
        return None
    if exercise.name in _IN_ROWS:
        return row_by_row
    if exercise.name == _OF_LABELS:
        return as_lists
    return as_one_list if exercise.topic in _OF_ENTRIES and _is_of_entries(exercise) else None


@functools.cache
def _is_of_entries(exercise: Exercise) -> bool:
    """Return whether it does not matter how the entries of the arguments lie in rows and columns."""
    arguments = [np.roll(_TABLE, shift) for shift in range(len(signature(exercise.reference).arguments))]
    try:
        made, *others = (
            np.asarray(exercise.reference(*(argument.reshape(shape) for argument in arguments)))
            for shape in ((2, 3), (6, 1), (1, 6))
        )
    except (TypeError, ValueError):
        return False
    return all(o.size == made.size and np.allclose(np.ravel(o), np.ravel(made), rtol=1e-12, atol=0) for o in others)


def as_lists(binding: Binding) -> Binding:
    """Return the reading of what takes rows of labels as lists."""

    def plan(case: Case) -> tuple[Call, ...]:
        return tuple(_with_arrays(call, np.ndarray.tolist) for call in binding.plan(case))

    return _noted(binding, "takes lists", plan=plan)


def as_one_list(binding: Binding) -> Binding:
    """Return the reading of what takes all entries as one list, and gives a number or a list of as many."""

    def plan(case: Case) -> tuple[Call, ...]:
        return tuple(_with_arrays(call, lambda array: np.ravel(array).tolist()) for call in binding.plan(case))

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        return binding.outputs(
            case, [replace(one, values=tuple(_shaped(v, case) for v in one.values)) for one in returned]
        )

    return _noted(binding, "takes a list of numbers: given all entries as one", plan=plan, outputs=outputs)


def row_by_row(binding: Binding) -> Binding:
    """Return the reading of what takes one row as a list, and gives a number."""
    reduced = REDUCTION in signature(binding.exercise.reference).hyperparameters

    def plan(case: Case) -> tuple[Call, ...]:
        (call,) = binding.plan(case)
        rows = range(len(next(iter(case.arguments.values()))))
        return tuple(_with_arrays(call, functools.partial(_row, row)) for row in rows)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        values = [one.values[0] for one in returned]
        wrong = next((value for value in values if not isinstance(value, (int, float))), None)
        if wrong is not None:
            raise WrongKind(f"the result for a row is {said(wrong)}, expected a number")
        made = np.array(values, next(iter(case.arguments.values())).dtype)
        return {"": as_asked(binding.exercise, "none", case, made) if reduced else made}

    def accepts(case: Case) -> bool:
        axes = {np.ndim(value) for value in case.arguments.values()}
        first = next(iter(case.arguments.values()))
        return binding.accepts(case) and axes == {2} and 0 < len(first) <= LARGEST

    return _noted(binding, "takes a list of numbers: judged row by row", plan=plan, outputs=outputs, accepts=accepts)


def _row(number: int, array: Any) -> Any:
    return array[number].tolist()


def _shaped(value: Any, case: Case) -> Any:
    """Return a list of as many numbers as an argument has in the argument's shape."""
    like = next(iter(case.arguments.values()))
    numbers = isinstance(value, list) and all(isinstance(one, (int, float)) for one in value)
    return np.array(value, like.dtype).reshape(like.shape) if numbers and len(value) == like.size else value


def _with_arrays(call: Call, change: Callable[[Any], Any]) -> Call:
    def changed(value: Any) -> Any:
        return change(value) if isinstance(value, np.ndarray) and value.ndim else value

    keywords = {name: changed(value) for name, value in call.keywords.items()}
    return replace(call, arguments=tuple(map(changed, call.arguments)), keywords=keywords)


def _noted(binding: Binding, note: str, **changes: Any) -> Binding:
    return replace(binding, note="; ".join(filter(None, [binding.note, note])), others=(), typed=None, **changes)
