"""pytest-benchmark beside the truth: what a library's author times is judged, and held against the reference.

The fixture `gradproof_benchmark` (gradproof_pytest.py) times a function as pytest-benchmark does, on an input that is
new for every round, and puts beside the times, in `extra_info`, what does not hang on the machine: the verdict, the
ulps, and the ratios to the reference and to PyTorch, which are called in turn with the function in this process.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import importlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from graders import _live
from graders._api import PUBLIC_SEED, Key, one
from graders._bench_worker import tensors_in_place, with_records
from graders._catalogue import UnknownName
from graders._plugin import FellShort, converted
from graders.harness.cases import Case
from graders.harness.certify import proved
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding
from graders.harness.report import SHORT
from graders.harness.report.text import one_function
from graders.harness.sandbox.codec import Record
from graders.harness.sandbox.parent import is_installed
from graders.harness.speed.statistics import FEWEST, log_ratio, ratio_of
from graders.harness.speed.workloads import SIZES, Workload

Function = Callable[..., Any]
Prepared = tuple[tuple[Any, ...], dict[str, Any]]

ROUNDS = 1000
"""Rounds at most: each has an input of its own."""
WARM = 3


def benchmarked(
    benchmark: Any, hook: Any, name: str, function: Function, size: str = "medium", dtype: str = "float64",
    seconds: float = 1.0,
) -> Any:  # fmt: skip
    """Time a function on inputs of a size; return its last result.

    Raises `FellShort`, with the diagnosis, if it is not right: then no time is worth anything; ValueError for a size or
    dtype that is none, and LookupError for a name.
    """
    exercise = _chosen(name, size, dtype)
    judged = _live.judge(exercise, converted(function, hook), Key(PUBLIC_SEED, proved, (dtype,)), (dtype,))
    report = judged.report
    if report.verdict in (*SHORT, "unscored"):
        raise FellShort(one_function(report))
    workload = Workload(exercise, size, dtype)
    inputs = _Inputs(workload, judged.binding)
    ours = _ready(function)
    took = _seconds(ours, inputs.next(hook))
    result = benchmark.pedantic(
        ours, setup=lambda: inputs.next(hook), rounds=_rounds(seconds, took), iterations=1, warmup_rounds=WARM
    )
    benchmark.extra_info |= {
        "exercise": exercise.name, "size": size, "dtype": dtype, "elements": workload.elements,
        "verdict": report.verdict, "max_ulp": report.max_ulp, "bits": report.bits, "truth": report.truth,
    }  # fmt: skip
    if benchmark.enabled:
        with _one_thread():
            for rival, theirs in _rivals(exercise).items():
                benchmark.extra_info |= _ratio(rival, ours, theirs, inputs, hook, seconds)
    return result


def _chosen(name: str, size: str, dtype: str) -> Exercise:
    try:
        exercise = one(name)
    except UnknownName as error:
        raise LookupError(f"gradproof_benchmark: {error.args[0]}") from None
    if size not in SIZES:
        raise ValueError(f"gradproof_benchmark: size is {size!r}, expected one of {', '.join(SIZES)}")
    if dtype not in ("float64", "float32"):
        raise ValueError(f"gradproof_benchmark: dtype is {dtype!r}, expected 'float64' or 'float32'")
    return exercise


class _Inputs:
    """Arguments that no call has had before."""

    def __init__(self, workload: Workload, binding: Binding) -> None:
        self._workload, self._binding = workload, binding
        self._numbers = itertools.count()

    def case(self) -> Case:
        """Return the next."""
        return self._workload.draw(next(self._numbers))

    def next(self, hook: Any) -> Prepared:
        """Return the arguments of the next call, as the library takes them."""
        return self.prepared(self.case(), hook)

    def prepared(self, case: Case, hook: Any) -> Prepared:
        """Return the arguments of a call."""
        (call,) = self._binding.plan(case)
        taken: list[Prepared] = []
        converted(lambda *a, **k: taken.append((a, k)), hook)(*map(_built, call.arguments), **call.keywords)
        return taken[0]


def _built(value: Any) -> Any:
    if isinstance(value, Record):
        fields = {name: _built(field) for name, field in value.fields.items()}
        return collections.namedtuple(value.name, list(fields))(**fields)
    return _live.inside(value, _built)


def _ready(function: Function) -> Function:
    """Return a function that has ended when it returns: what a library leaves for later is waited for."""

    @functools.wraps(function)
    def ended(*arguments: Any, **keywords: Any) -> Any:
        result = function(*arguments, **keywords)
        for part in _parts(result):
            if hasattr(part, "block_until_ready"):
                part.block_until_ready()
            elif getattr(part, "is_cuda", False):
                importlib.import_module("torch").cuda.synchronize(part.device)
        return result

    return ended


def _parts(value: Any) -> Iterator[Any]:
    items: Sequence[Any] = ()
    if isinstance(value, (tuple, list)):
        items = value
    elif isinstance(value, Mapping):
        items = list(value.values())
    else:
        yield value
    for item in items:
        yield from _parts(item)


def _seconds(function: Function, prepared: Prepared) -> float:
    arguments, keywords = prepared
    began = time.perf_counter()
    function(*arguments, **keywords)
    return time.perf_counter() - began


def _rounds(seconds: float, took: float) -> int:
    return max(2 * FEWEST, min(ROUNDS, int(seconds / max(took, 1e-6))))


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keep PyTorch to one thread, whichever side it is on: on small arrays its others wait for each other."""
    if not is_installed("torch"):
        yield
        return
    torch = importlib.import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _rivals(exercise: Exercise) -> dict[str, Function]:
    """Return what a function is held against: the reference, and PyTorch where it has it."""
    found: dict[str, Function] = {"reference": with_records(exercise.reference)}
    rival = exercise.rivals.get("torch")
    if rival is not None and is_installed("torch"):
        torch = tensors_in_place(importlib.import_module("torch"))
        found["torch"] = lambda *arguments, **keywords: rival(torch, *arguments, **keywords)
    return found


def _ratio(rival: str, ours: Function, theirs: Function, inputs: _Inputs, hook: Any, seconds: float) -> dict[str, Any]:
    """Return the ratio of our time to a rival's, of calls in turn (A B B A), with its 95 % interval and the verdict."""
    logs: list[float] = []
    until, look = time.perf_counter() + 2 * seconds, 2 * FEWEST
    while len(logs) < FEWEST or (time.perf_counter() < until and not (len(logs) == look and ratio_of(logs).is_settled)):
        look = 2 * look if len(logs) == look else look
        first, second = inputs.case(), inputs.case()
        quad = [
            _seconds(ours, inputs.prepared(first, hook)), _seconds(theirs, inputs.prepared(first, _NoHook)),
            _seconds(theirs, inputs.prepared(second, _NoHook)), _seconds(ours, inputs.prepared(second, hook)),
        ]  # fmt: skip
        logs.append(log_ratio(quad))
    ratio = ratio_of(logs)
    return {
        f"ratio_{rival}": round(ratio.ratio, 4),
        f"ratio_{rival}_interval": [round(ratio.low, 4), round(ratio.high, 4)],
        f"ratio_{rival}_verdict": ratio.verdict,
    }


class _NoHook:
    """Hands over NumPy's arrays as they are."""

    @staticmethod
    def pytest_gradproof_to_array(array: Any, dtype: str) -> None:
        return None

    @staticmethod
    def pytest_gradproof_from_array(array: Any, dtype: str) -> None:
        return None
