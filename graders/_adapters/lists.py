"""Functions of plain Python: `[math.tanh(x) for x in v]`, `sum((a - b) ** 2 for a, b in zip(y, p)) / len(y)`.

They take one list of numbers. An array of more axes they refuse, or take apart by its first axis, which says nothing of
what they compute: so their arrays are given as one list, or row by row as one list each.
"""

from __future__ import annotations

import functools
import inspect
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
from graders.harness.trials import Setting, TrialBinding

LARGEST = 64
"""Rows that are asked one by one."""
_TABLE = np.array([[0.25, 0.5, 0.25], [0.125, 0.75, 0.125]])
_IN_ROWS = ("losses.cross_entropy", "losses.entropy", "losses.kl_divergence")
"""Losses of distributions, one in each row."""
_OF_LABELS = "losses.accuracy"
_OF_FEATURES = ("normalization.layer_norm", "normalization.rms_norm")
"""What is computed of one row, whose entries may be scaled and shifted afterwards."""
_WHOLE, _BY_ROWS = ("differences.numerical_gradient",), ("preprocessing.add_noise",)
"""Trials whose x may be a list: of all its entries, or one for each row."""
_OF_ENTRIES = ("activations", "losses", "regularization")
"""Topics in which a function may be one of the single entries."""


def also(binding: Binding, found: Found, ask: Ask) -> Binding:
    """Return the binding with the readings in lists, where the function is one of lists.

    It is if it takes a list of numbers, and raises for a list of rows: then it is not NumPy's work. Labels are compared
    however deep they lie, so there it is if it raises for an array.
    """
    changes = _changes(binding.exercise, found)
    if not changes or not any(_is_of_lists(binding, change, found, ask) for change in changes):
        return binding
    alike = [r for r in (replace(binding, others=()), *binding.others) if r.exercise is binding.exercise]
    return replace(binding, others=(*binding.others, *(change(one) for change in changes for one in alike)))


Change = Callable[[Binding], Binding]


def _is_of_lists(binding: Binding, change: Change, found: Found, ask: Ask) -> bool:
    if change is as_lists:
        count = len(signature(binding.exercise.reference).arguments)
        given = [[Call(found.name, (labels,) * count, read=())] for labels in ([0, 1, 1], np.array([0, 1, 1]))]
    else:
        case = _tried(binding.exercise)
        of_rows = [with_arrays(call, np.ndarray.tolist) for call in binding.plan(case)]
        given = [list(change(binding).plan(case)), of_rows]
    one, other = map(last, map(ask, given))
    return isinstance(one, Returned) and isinstance(other, Raised)


def _tried(exercise: Exercise) -> Case:
    """Return two rows of numbers, for each argument, with the usual settings."""
    read = signature(exercise.reference)
    weights = _WEIGHTS if exercise.name in _OF_FEATURES else ()
    given = {name: _TABLE[0] if name in weights else np.roll(_TABLE, at) for at, name in enumerate(read.arguments)}
    settings = {name: 0.5 if d is inspect.Parameter.empty else d for name, (_, d) in read.hyperparameters.items()}
    return Case(given, settings, "float64", "tried")


def _changes(exercise: Exercise, found: Found) -> tuple[Change, ...]:
    if exercise.unrolled or output_names(exercise) != ("",):
        return ()
    if exercise.name in _IN_ROWS:
        return (row_by_row,)
    if exercise.name in _OF_FEATURES:
        must = {name for name, _, must in found.parameters or () if must}
        return (with_weights,) if must & set(_WEIGHTS) else (with_weights, without_weights)
    if exercise.name == _OF_LABELS:
        return (as_lists,)
    return (as_one_list,) if exercise.topic in _OF_ENTRIES and _is_of_entries(exercise) else ()


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
        return tuple(with_arrays(call, np.ndarray.tolist) for call in binding.plan(case))

    return _noted(binding, "takes lists", plan=plan)


def as_one_list(binding: Binding) -> Binding:
    """Return the reading of what takes all entries as one list, and gives a number or a list of as many."""

    def plan(case: Case) -> tuple[Call, ...]:
        return tuple(with_arrays(call, lambda array: np.ravel(array).tolist()) for call in binding.plan(case))

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
        return tuple(with_arrays(call, functools.partial(_row, row)) for row in rows)

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


_WEIGHTS = ("gamma", "beta")


def with_weights(binding: Binding) -> Binding:
    """Return the reading of what takes one row, and its weights, as lists."""
    return _of_features(binding, weighted=True)


def without_weights(binding: Binding) -> Binding:
    """Return the reading of what takes one row as a list, and one weight for all its entries, if any: none is given."""
    return _of_features(binding, weighted=False)


def _of_features(binding: Binding, weighted: bool) -> Binding:
    def plan(case: Case) -> tuple[Call, ...]:
        (call,) = binding.plan(case)
        x = case.arguments["x"]
        return tuple(_given(call, x, row.tolist(), weighted) for row in x)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        x, rows = case.arguments["x"], [numbers_of(one.values[0]) for one in returned]
        wrong = next((at for at, row in enumerate(rows) if row is None or len(row) != x.shape[1]), None)
        if wrong is not None:
            got = said(returned[wrong].values[0])
            raise WrongKind(f"the result for a row is {got}, expected a list of {x.shape[1]} numbers")
        made = np.array(rows, x.dtype)
        if not weighted:
            with np.errstate(all="ignore"):
                made = made * case.arguments["gamma"] + case.arguments.get("beta", 0)
        return {"": np.asarray(made, x.dtype)}

    def accepts(case: Case) -> bool:
        x = case.arguments["x"]
        return binding.accepts(case) and x.ndim == 2 and 0 < len(x) <= LARGEST

    note = "takes a list of numbers: judged row by row" + ", scaled and shifted afterwards" * (not weighted)
    return _noted(binding, note, plan=plan, outputs=outputs, accepts=accepts)


def _given(call: Call, x: Any, row: list[float], weighted: bool) -> Call:
    """Return the call for a row; the weights are given as lists, or not at all."""

    def kept(value: Any) -> bool:
        return value is x or weighted or not isinstance(value, np.ndarray)

    def change(value: Any) -> Any:
        return row if value is x else value.tolist() if isinstance(value, np.ndarray) else value

    keywords = {name: change(value) for name, value in call.keywords.items() if kept(value)}
    return replace(call, arguments=tuple(change(v) for v in call.arguments if kept(v)), keywords=keywords)


def drawn(binding: TrialBinding) -> TrialBinding:
    """Return the binding of a trial with the readings of what takes x as a list of numbers, and gives such a list.

    What gives an array is NumPy's work, and is to take arrays.
    """
    if binding.trial.name not in _WHOLE + _BY_ROWS:
        return binding
    every = (replace(binding, others=()), *binding.others)
    return replace(binding, others=(*binding.others, *map(_drawn_in_lists, every)))


def _drawn_in_lists(binding: TrialBinding) -> TrialBinding:
    in_rows = binding.trial.name in _BY_ROWS

    def plan(setting: Setting, seed: int) -> tuple[Call, ...]:
        x = setting.arguments["x"]
        parts = [row.ravel() for row in x] if in_rows else [x.ravel()]
        settings = [replace(setting, arguments={**setting.arguments, "x": part}) for part in parts]
        calls = [call for at, one in enumerate(settings) for call in binding.plan(one, seed + at)]
        return tuple(with_arrays(call, np.ndarray.tolist) for call in calls)

    def draw(setting: Setting, returned: Sequence[Returned]) -> Any:
        x = setting.arguments["x"]
        made = [numbers_of(one.values[0]) for one in returned if one.values]
        size = x.size // len(made) if made else -1
        if not all(part is not None and len(part) == size for part in made):
            given = next((one.values[0] for one in returned if one.values), None)
            raise WrongKind(f"the result is {said(given)}, expected a list of {size} numbers")
        return np.array(made, x.dtype).reshape(x.shape)

    note = "; ".join(filter(None, [binding.note, "takes a list of numbers"]))
    return replace(binding, plan=plan, draw=draw, note=note, typed=None, others=())


def numbers_of(value: Any) -> list[float] | None:
    """Return a list of numbers as one of floats, and None for anything else; NumPy's numbers come as arrays."""
    if not isinstance(value, list):
        return None
    single = [v.item() if isinstance(v, np.ndarray) and v.shape == () and v.dtype.kind in "fiu" else v for v in value]
    return [float(v) for v in single] if all(isinstance(v, (int, float)) for v in single) else None


def _row(number: int, array: Any) -> Any:
    return array[number].tolist()


def _shaped(value: Any, case: Case) -> Any:
    """Return a list of as many numbers as an argument has in the argument's shape."""
    like = next(iter(case.arguments.values()))
    numbers = numbers_of(value)
    return value if numbers is None or len(numbers) != like.size else np.array(numbers, like.dtype).reshape(like.shape)


def with_arrays(call: Call, change: Callable[[Any], Any]) -> Call:
    def changed(value: Any) -> Any:
        return change(value) if isinstance(value, np.ndarray) and value.ndim else value

    keywords = {name: changed(value) for name, value in call.keywords.items()}
    return replace(call, arguments=tuple(map(changed, call.arguments)), keywords=keywords)


def _noted(binding: Binding, note: str, **changes: Any) -> Binding:
    return replace(binding, note="; ".join(filter(None, [binding.note, note])), others=(), typed=None, **changes)
