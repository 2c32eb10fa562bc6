"""Live functions of this process, judged by exercises: what `check`, the pytest plugin and `conform` share."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from msgspec import structs

from graders._adapters import drawn_shapes, named, readings
from graders.harness import grade as grading
from graders.harness import tried
from graders.harness.cases import DTYPES, Case
from graders.harness.exercise import Exercise
from graders.harness.judge import Session
from graders.harness.key import AnswerKey
from graders.harness.narrow import NarrowKey, Undecided
from graders.harness.plans import Binding
from graders.harness.precision import NARROW
from graders.harness.report import ExerciseReport
from graders.harness.sandbox.contract import Call, Limits
from graders.harness.sandbox.live import LiveBox
from graders.harness.trials import Trial

Live = Callable[..., Any]


def inside(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Return a container with its items converted."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(convert, value))
    if isinstance(value, (tuple, list)):
        return type(value)(map(convert, value))
    return {key: convert(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def as_numpy(value: Any) -> Any:
    """Return an array of some library as NumPy's, by the protocols, widened if narrow; anything else as it is."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.astype(np.float32) if value.dtype.name in NARROW else value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    value = value.detach() if hasattr(value, "detach") else value
    if str(getattr(value, "dtype", "")) == "torch.bfloat16":  # of which NumPy knows nothing
        value = value.float()
    if hasattr(value, "__array__"):
        return as_numpy(np.asarray(value))
    return np.from_dlpack(value) if hasattr(value, "__dlpack__") else value


def returning_numpy(function: Live) -> Live:
    """Return a function whose results are NumPy's arrays, whatever library's they were."""

    def back(value: Any) -> Any:
        if isinstance(value, (tuple, list, Mapping)):
            return inside(value, back)
        return as_numpy(value)

    return functools.wraps(function)(lambda *arguments, **keywords: back(function(*arguments, **keywords)))


def in_narrow(function: Live, dtype: str) -> Live:
    """Return a function that is handed NumPy's arrays of a narrow dtype for those that carry it; results are widened.

    Raises LookupError where nothing has such arrays: bfloat16 is a package's, not NumPy's.
    """
    kind = np.dtype(np.float16) if dtype == "float16" else bfloat16()

    def there(value: Any) -> Any:
        carried = isinstance(value, np.ndarray) and value.dtype.kind == "f"
        return value.astype(kind) if carried else inside(value, there)

    return returning_numpy(
        functools.wraps(function)(lambda *arguments, **keywords: function(*there(arguments), **there(keywords)))
    )


def bfloat16() -> np.dtype[Any]:
    """Return the dtype of NumPy's arrays of bfloat16; raise LookupError where nothing has them."""
    try:
        made: np.dtype[Any] = np.dtype(importlib.import_module("ml_dtypes").bfloat16)
        return made
    except ImportError:
        raise LookupError(
            "NumPy has no bfloat16: install ml_dtypes, which has; or hand over a library's own arrays, by the hooks of "
            "the pytest plugin (docs/pytest.md)"
        ) from None


class Undecidable(LookupError):
    """Nothing of an exercise can be decided in the dtypes that are asked for; the message says how much can."""

    def __init__(self, undecided: Mapping[str, Undecided]) -> None:
        self.undecided = undecided
        super().__init__(
            "; ".join(
                f"{dtype} decides nothing of it: {said}" if said.cases else f"it takes no floats, so not in {dtype}"
                for dtype, said in undecided.items()
            )
        )


@dataclass(frozen=True)
class Judged:
    """A live function, and what became of it."""

    function: Live
    binding: Binding
    report: ExerciseReport
    undecided: Mapping[str, Undecided] = field(default_factory=dict)
    """How much of the exercise the narrow dtypes decide."""


def judge(
    exercise: Exercise,
    function: Live,
    key: AnswerKey,
    dtypes: Sequence[str] = DTYPES,
    forward: Judged | None = None,
    narrow: Callable[[Live, str], Live] = in_narrow,
) -> Judged:
    """Return the verdict on a function; a gradient is also held against the `forward` function it should belong to.

    Cases of other dtypes than `dtypes` are left out; `narrow` makes of the function one that takes what carries a
    narrow dtype. Raises `Undecidable` where no case is left.
    """
    tail = exercise.name.partition(".")[2]
    narrow_ones = [dtype for dtype in dtypes if dtype in NARROW]
    functions = {tail: function} | {f"{tail}@{dtype}": narrow(function, dtype) for dtype in narrow_ones}
    if forward is not None:
        functions[forward.binding.function] = forward.function
    box = LiveBox(functions)
    found = next(f for f in box.loaded.functions if f.name == tail)
    binding = named.bind(exercise, found)
    expressible = binding.accepts
    binding = replace(binding, accepts=lambda case: case.dtype in dtypes and expressible(case))
    undecided = {}
    if narrow_ones:
        assert isinstance(key, NarrowKey)
        undecided = {dtype: key.undecided(exercise, dtype, binding.held) for dtype in narrow_ones}
        binding = replace(binding, plan=_in_its_dtype(binding.plan))
        if not any(map(binding.accepts, key.cases(exercise, binding.held))):
            raise Undecidable(undecided)
    session = Session(lambda limits: box, Limits())
    (binding,), _ = readings.settled([binding], session, key)
    own = None if forward is None else (forward.binding, forward.report)
    report = grading.grade_function(session, binding, key, found.names("positional"), "", own)
    if "float64" not in dtypes:  # nothing is known of it
        said = report.reason.replace("right in float64, but ", "").replace(" in float64, but ", ", but ")
        report = structs.replace(report, reason=said)
    return Judged(function, binding, report, undecided)


def _in_its_dtype(plan: Callable[[Case], tuple[Call, ...]]) -> Callable[[Case], tuple[Call, ...]]:
    """Return a plan that calls, for a narrow case, the function that takes what carries its dtype."""

    def narrow(case: Case) -> tuple[Call, ...]:
        calls = plan(case)
        if case.dtype not in NARROW:
            return calls
        return tuple(replace(call, function=f"{call.function}@{case.dtype}") for call in calls)

    return narrow


def judge_trial(trial: Trial, function: Live, seed: int) -> ExerciseReport:
    """Return the verdict on a live function that is judged by its properties."""
    tail = trial.name.partition(".")[2]
    box = LiveBox({tail: returning_numpy(function)})
    binding, note = drawn_shapes.bind(box.loaded.functions[0], trial, box.call)
    if binding is None:
        raise TypeError(note)
    session = Session(lambda limits: box, Limits())
    report = tried.grade(session, tried.settled(binding, session, seed), seed, "")
    return structs.replace(report, replay="")
