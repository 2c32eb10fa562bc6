"""PyTorch on an NVIDIA GPU: how right its functions are, how fast, and what becomes of submissions that run there.

Run, wherever there is a GPU, with nothing but PyTorch, NumPy and this repository:

    for part in accuracy eager compile examples; do python benchmarks/cuda.py --part $part; done
    python benchmarks/cuda.py --page

Each part ends within eight minutes, writes what it has found after every function to `benchmarks/results/cuda/`, and
goes on from there when it is run again. What fails is written down as data, in its place. `--page` makes docs/cuda.md
of the data. `--prepare` writes the truths, which takes the whole package and no GPU. `--device cpu --quick` tries it
all without a GPU, in a folder of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import lzma
import math
import os
import platform
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import gradproof  # noqa: F401, E402  (takes the rooms)
from graders import _on_device  # noqa: E402
from graders._elsewhere import elsewhere  # noqa: E402
from graders.harness.answers import Answer, Expected  # noqa: E402
from graders.harness.cases import Case  # noqa: E402
from graders.harness.compare import compare  # noqa: E402
from graders.harness.exercise import Exercise  # noqa: E402
from graders.harness.plans import run_plain  # noqa: E402
from graders.harness.sandbox.codec import decode, encode  # noqa: E402
from graders.harness.speed import device as devices  # noqa: E402
from graders.harness.speed.statistics import Ratio  # noqa: E402
from graders.harness.speed.workloads import least_bytes, numbers  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "cuda"
TRUTHS = RESULTS / "truths.xz"
PAGE = ROOT / "docs" / "cuda.md"
PARTS = ("accuracy", "eager", "compile", "examples")
SECONDS = 440.0
"""In which a part begins its last function."""
SILENCE = 100.0
"""Seconds after which a process that has said nothing is ended: the function that it was at hangs."""
LONG_SILENCE = 420.0
"""The same where compilers run."""
PATIENCE = 30.0
"""Seconds after that in which the last function must have ended."""
MOST_PROCESSES = 40
SPENT, POISONED = 0, 75
"""How the process of a part ends: with all done that there was time for, or since the device answers no more."""
REPEATS = 5
FILLING = 1 << 24
"""Numbers in the largest array of a call: 64 MB in float32, which takes a modern GPU some thirty microseconds."""
NEAR = 1e-4
"""How near the results of a timed call must be, relative to the largest number: nearer than TF32 comes."""
NEAR_TF32 = 1e-2
SMALL = 2_000
"""Bytes below which a call does not hang on its size."""
KEPT = 900
"""Numbers of the cases of a function that are kept, in each dtype, about; six cases at least."""
FEWEST_CASES = 6

NUMPYS = (
    "__array__ method not producing",
    "'Tensor' object has no attribute 'astype'",
    "step must be greater than zero",
)
ON_THE_HOST = "what it is compared with computes with NumPy besides, on the host"

Row = dict[str, Any]


class Setting(NamedTuple):
    """What a part is run with."""

    kind: str
    quick: bool
    until: float

    @property
    def plan(self) -> devices.Plan:
        return devices.QUICK if self.quick else devices.Plan()

    @property
    def elements(self) -> int:
        return 1 << 12 if self.quick else FILLING


@functools.cache
def costs() -> Any:
    """Return the cost model, without the package around it, which asks for more than PyTorch and NumPy."""
    place = importlib.util.spec_from_file_location("costs_of_calls", ROOT / "graders" / "_bench" / "costs.py")
    assert place is not None
    assert place.loader is not None
    made = importlib.util.module_from_spec(place)
    place.loader.exec_module(made)
    return made


def said(error: BaseException) -> str:
    """Return an exception on one line, with where in this repository it arose."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if str(ROOT) in f.filename]
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:400]}{where}"


# ---------------------------------------------------------------- truths


def kept(cases: Sequence[Case], size: Callable[[Case], int]) -> list[Case]:
    """Return the smallest cases of each dtype whose numbers there is room for."""
    chosen = []
    for dtype in dict.fromkeys(case.dtype for case in cases):
        room = float(KEPT)
        ordered = sorted((case for case in cases if case.dtype == dtype), key=size)
        for at, case in enumerate(ordered):
            room -= size(case)
            if room >= 0 or at < FEWEST_CASES:
                chosen.append(case)
    return chosen


def prepare(path: Path, only: Sequence[str] = ()) -> int:
    """Write cases of every function with their truths; return how many functions there are."""
    from graders import _api, _catalogue
    from graders.harness.certify import proved

    key = _api.Key(_api.PUBLIC_SEED, proved)
    found: dict[str, Any] = {}
    for name, exercise in _on_device.exercises().items():
        if only and name not in only:
            continue
        answers = {case.id: key.find(exercise, case) for case in key.cases(_catalogue.exercises()[name])}

        def size(case: Case, answers: Mapping[str, Any] = answers) -> int:
            parts = [*numbers(tuple(case.arguments.values())), *(e.hi for e in answers[case.id].outputs.values())]
            return int(sum(part.size for part in parts))

        found[name] = [_as_data(case, answers[case.id]) for case in kept(key.cases(exercise), size)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(encode(found), preset=9 | lzma.PRESET_EXTREME))
    return len(found)


def _as_data(case: Case, answer: Any) -> list[Any]:
    with np.errstate(all="ignore"):
        outputs = {
            name: [
                e.hi,
                np.asarray(np.nan_to_num(e.lo / np.spacing(np.abs(e.hi))), np.float32),
                np.asarray(np.round(16 * np.log2(e.allowed)) / 16, np.float32),
            ]
            for name, e in answer.outputs.items()
        }  # fmt: skip
    return [dict(case.arguments), dict(case.hyperparameters), case.dtype, case.origin, outputs, answer.truth]


def _from_data(data: list[Any]) -> tuple[Case, Answer]:
    arguments, hyperparameters, dtype, origin, outputs, truth = data
    found = {}
    with np.errstate(all="ignore"):
        for name, (hi, lo, allowed) in outputs.items():
            low = np.where(lo == 0, 0.0, lo * np.spacing(np.abs(hi)))
            found[name] = Expected(hi, low, np.exp2(allowed.astype(np.float64)))
    return Case(arguments, hyperparameters, dtype, origin), Answer(found, truth)


@functools.cache
def truths(path: Path = TRUTHS) -> dict[str, list[tuple[Case, Answer]]]:
    """Return the cases with their truths, by function."""
    if not path.is_file():
        sys.exit(f"{path} is not there: `python benchmarks/cuda.py --prepare` writes it, with the whole package")
    return {
        name: [_from_data(one) for one in data] for name, data in decode(lzma.decompress(path.read_bytes())).items()
    }


# ---------------------------------------------------------------- what is measured


Item = tuple[str, Callable[[], Row]]
"""A key in the results, and what finds its row."""


def with_products(exercise: Exercise) -> bool:
    """Return whether a function multiplies matrices, or convolves, so that TF32 makes a difference."""
    return exercise.name in costs().OPERATIONS


def accuracy(setting: Setting, wanted: Mapping[str, Exercise]) -> Iterator[Item]:
    """Yield how far PyTorch's functions are from the truth, in each dtype; with TF32 too, where that is a choice."""
    known = truths()
    for name, exercise in wanted.items():
        cases = known.get(name, [])
        choices = [("float64", False), ("float32", False)] + [("float32", True)] * (
            with_products(exercise) and not setting.quick
        )
        for dtype, tf32 in choices:
            asked = [(case, answer) for case, answer in cases if case.dtype == dtype]
            if setting.quick:
                del asked[3:]
            if asked:
                key = f"{name} {dtype}{' TF32' * tf32}"
                yield key, lambda e=exercise, a=asked, t=tf32: _accuracy(setting, e, a, t)  # type: ignore[misc]


def _accuracy(setting: Setting, exercise: Exercise, asked: Sequence[tuple[Case, Answer]], tf32: bool) -> Row:
    torch = importlib.import_module("torch")
    rival = exercise.rivals["torch"]

    def function(*arguments: Any, **keywords: Any) -> Any:
        return rival(torch, *arguments, **keywords)

    def outputs(case: Case, kind: str) -> dict[str, Any]:
        with elsewhere(torch, kind, case.dtype, tf32):
            return {name: np.asarray(value) for name, value in run_plain(exercise, function, case).items()}

    there, here, raised, differing = [], [], [], 0
    for case, answer in asked:
        try:
            first = outputs(case, setting.kind)
            again = [outputs(case, setting.kind) for _ in range(1 if setting.quick else REPEATS - 1)]
        except Exception as error:  # whatever a kernel raises
            if _is_poisoned(setting.kind):
                raise
            raised.append(f"{case.origin}: {said(error)}")
            continue
        differing += any(not _same(first, other) for other in again)
        there.append(compare(case, answer, first))
        with contextlib.suppress(Exception):
            here.append(compare(case, answer, outputs(case, "cpu")))
    usable = [c for c in there if not c.problem]
    raised += [f"{c.case.origin}: {c.problem}" for c in there if c.problem]
    worst = max(usable, key=lambda c: c.ratio, default=None)
    return {
        "name": exercise.name, "dtype": asked[0][0].dtype, "tf32": tf32, "cases": len(asked),
        "proved": sum(answer.truth == "proof" for _, answer in asked),
        "max_ulp": max((c.worst_ulp for c in usable), default=None),
        "max_error_over_allowed": None if worst is None else worst.ratio,
        "bits": min((c.bits for c in usable), default=None),
        "beyond": sum(not c.passed for c in usable), "worst_case": "" if worst is None else worst.case.origin,
        "cpu_max_ulp": max((c.worst_ulp for c in here if not c.problem), default=None),
        "cpu_max_error_over_allowed": max((c.ratio for c in here if not c.problem), default=None),
        "repeats": REPEATS, "differing": differing, "raised": raised[:3], "raised_cases": len(raised),
    }  # fmt: skip


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(np.asarray(one[name]).tobytes() == np.asarray(other[name]).tobytes() for name in one)


class Ceilings(NamedTuple):
    """What the device can do at all, a second."""

    moved: float
    products: Mapping[str, float]

    def floor(self, moved: int, operations: float, way: str = "float32") -> tuple[float, str]:
        """Return the least seconds in which so much can be done, and what decides."""
        rate = self.products.get(way, 0.0)
        moving, making = moved / self.moved, operations / rate if rate else 0.0
        return (making, "product") if making > moving else (moving, "copy")

    def as_data(self) -> Row:
        return {"moved": self.moved, "products": dict(self.products)}


def ceilings(device: devices.Device, setting: Setting) -> Ceilings:
    """Measure them: a copy far larger than the cache, and products of large matrices of random numbers."""
    size = 1 << 22 if setting.quick else 1 << 31
    rows = 128 if setting.quick else 8192
    moved = devices.moving_rate(device, size, setting.plan)
    products = {}
    for way, dtype, tf32 in (("float32", "float32", False), ("TF32", "float32", True), ("float64", "float64", False),
                             ("bfloat16", "bfloat16", False)):  # fmt: skip
        with contextlib.suppress(Exception):
            products[way] = devices.product_rate(device, rows, dtype, setting.plan, tf32)
    return Ceilings(moved, products)


def measured_ceilings(path: Path) -> Ceilings:
    """Return those that are kept among a part's results; without them every floor is 0."""
    data = read(path)["rows"].get("ceilings", {})
    return Ceilings(data.get("moved", math.inf), data.get("products", {}))


def eager(setting: Setting, wanted: Mapping[str, Exercise], path: Path) -> Iterator[Item]:
    """Yield how fast PyTorch's functions are at a size that fills the device, beside the floor."""
    device = devices.device_of(setting.kind)
    yield "ceilings", lambda: ceilings(device, setting).as_data()
    for name, exercise in wanted.items():
        for tf32 in (False, True) if with_products(exercise) and not setting.quick else (False,):
            key = f"{name}{' TF32' * tf32}"
            yield key, lambda e=exercise, t=tf32: _eager(device, setting, e, t, measured_ceilings(path))  # type: ignore[misc]


class Filled(NamedTuple):
    """Inputs of a function that fill the device."""

    workload: _on_device.Filling
    case: Case
    slots: Sequence[list[Any]]
    moved: int
    right: list[Any]


@functools.lru_cache(maxsize=1)
def filled(kind: str, cache: int, setting: Setting, exercise: Exercise) -> Filled:
    """Draw an input, find what is right for it, and put it and others like it on the device."""
    torch = importlib.import_module("torch")
    workload = _on_device.Filling(exercise, str(setting.elements), "float32", 1)
    case = workload.draw(0)
    right = workload.right(case)
    given = devices.onto(_on_device.arguments_of(exercise, case), torch, kind)
    slots = devices.slots_of(given, cache, 3 if setting.quick else 64)
    return Filled(workload, case, slots, least_bytes(case, {"": right}), right)


def farthest(got: list[Any], right: list[Any]) -> float:
    """Return how far results are from what is right, relative to the largest number of each; inf for other shapes."""
    worst = 0.0 if len(got) == len(right) else math.inf
    for mine, truth in zip(got, right, strict=False):
        one, two = np.asarray(mine), np.asarray(truth)
        if one.shape != two.shape:
            return math.inf
        finite = np.isfinite(two)
        if finite.any():
            off = np.max(np.abs(one[finite].astype(np.float64) - two[finite]))
            worst = max(worst, float(off / (np.max(np.abs(two[finite]).astype(np.float64)) or 1.0)))
    return worst


def _eager(device: devices.Device, setting: Setting, exercise: Exercise, tf32: bool, limits: Ceilings) -> Row:
    torch = importlib.import_module("torch")
    made = filled(device.kind, device.cache, setting, exercise)
    if made.moved < SMALL:
        return {"name": exercise.name, "skipped": "it works on a few numbers, whatever the size"}
    count = costs().operations(exercise.name, made.case)
    rival, keywords = exercise.rivals["torch"], made.case.hyperparameters
    with devices.products(torch, tf32), devices.staying(torch, device.kind) as there:

        def fresh() -> Any:
            return rival(there, *devices.copied(made.slots[0]), **keywords)

        results = [_on_device.flat(fresh()) for _ in range(2 if setting.quick else REPEATS)]
        steady = all(torch.equal(a, b) for other in results[1:] for a, b in zip(results[0], other, strict=True)
                     if torch.is_tensor(a))  # fmt: skip
        del results[1:]
        inputs = [devices.copied(slot) for slot in made.slots]
        times = devices.sampled(
            device, {"PyTorch": lambda slot: rival(there, *inputs[slot], **keywords)}, len(inputs), setting.plan
        )["PyTorch"]
    distance = farthest(devices.back(results[0]), made.right)
    slot, last = times.last
    unchanged = all(
        _equal(torch, a, b) for a, b in zip(_on_device.flat(inputs), _on_device.flat(list(made.slots)), strict=True)
    )
    if unchanged:  # what a timed call returned is what it returns; who writes to its arguments is asked afresh above
        with devices.products(torch, tf32), devices.staying(torch, device.kind) as there:
            expected = _on_device.flat(rival(there, *devices.copied(made.slots[slot]), **keywords))
        distance = max(distance, farthest(devices.back(last), devices.back(expected)))
    least, limit = limits.floor(made.moved, count, "TF32" if tf32 else "float32")
    return {
        "name": exercise.name, "tf32": tf32, "elements": made.workload.elements, "bytes": made.moved,
        "operations": count, "seconds": times.seconds, "low": times.low, "high": times.high, "host": times.host,
        "calls": times.calls, "floor": least, "limit": limit, "share": least / times.seconds, "distance": distance,
        "right": bool(distance <= (NEAR_TF32 if tf32 else NEAR)), "repeatable": steady, "warning": times.warning,
        "writes_to_arguments": not unchanged,
    }  # fmt: skip


def _equal(torch: Any, one: Any, other: Any) -> bool:
    return bool(torch.equal(one, other)) if torch.is_tensor(one) else bool(one == other)


# ---------------------------------------------------------------- textbook formulas, and what a compiler makes of them


def textbook(torch: Any) -> dict[str, Callable[..., Any]]:
    """Return a dozen formulas of the reference, as one writes them down in PyTorch."""

    def softmax(z: Any, **_: Any) -> Any:
        e = torch.exp(z - z.amax(-1, keepdim=True))
        return e / e.sum(-1, keepdim=True)

    def log_softmax(z: Any, **_: Any) -> Any:
        shifted = z - z.amax(-1, keepdim=True)
        return shifted - torch.exp(shifted).sum(-1, keepdim=True).log()

    def gelu(z: Any, **_: Any) -> Any:
        return 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))

    def silu(z: Any, **_: Any) -> Any:
        return z / (1 + torch.exp(-z))

    def softplus(z: Any, **_: Any) -> Any:
        return z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))

    def softmax_cross_entropy(logits: Any, labels: Any, **_: Any) -> Any:
        return -log_softmax(logits).gather(1, labels[:, None]).mean()

    def softmax_cross_entropy_grad(logits: Any, labels: Any, **_: Any) -> Any:
        classes = torch.arange(logits.shape[1], device=logits.device)
        return (softmax(logits) - (classes == labels[:, None]).to(logits.dtype)) / len(logits)

    def bce_with_logits(logits: Any, labels: Any, **_: Any) -> Any:
        return (softplus(logits) - labels * logits).mean()

    def layer_norm(x: Any, gamma: Any, beta: Any, *, eps: float = 1e-5, **_: Any) -> Any:
        centred = x - x.mean(-1, keepdim=True)
        return gamma * centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + eps) + beta

    def rms_norm(x: Any, gamma: Any, *, eps: float = 1e-5, **_: Any) -> Any:
        return gamma * x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps)

    def batch_norm(x: Any, gamma: Any, beta: Any, *, eps: float = 1e-5, **_: Any) -> Any:
        axes = [axis for axis in range(x.ndim) if axis != 1]
        wide = (1, -1) + (1,) * (x.ndim - 2)
        centred = x - x.mean(axes, keepdim=True)
        scale = gamma.view(wide) / torch.sqrt((centred * centred).mean(axes, keepdim=True) + eps)
        return centred * scale + beta.view(wide)

    def adam(
        params: Any, grad: Any, state: Any, *, lr: float = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8
    ) -> Any:
        t = state.t + 1
        m = betas[0] * state.m + (1 - betas[0]) * grad
        v = betas[1] * state.v + (1 - betas[1]) * grad * grad
        step = lr * (m / (1 - betas[0] ** t)) / (torch.sqrt(v / (1 - betas[1] ** t)) + eps)
        return params - step, (t, m, v)

    return {
        "activations.softmax": softmax, "activations.log_softmax": log_softmax, "activations.gelu": gelu,
        "activations.silu": silu, "activations.softplus": softplus,
        "losses.softmax_cross_entropy": softmax_cross_entropy,
        "losses.softmax_cross_entropy_grad": softmax_cross_entropy_grad, "losses.bce_with_logits": bce_with_logits,
        "normalization.layer_norm": layer_norm, "normalization.rms_norm": rms_norm,
        "normalization.batch_norm": batch_norm, "optimizers.adam": adam,
    }  # fmt: skip


def compiled(setting: Setting, wanted: Mapping[str, Exercise]) -> Iterator[Item]:
    """Yield how fast a dozen textbook formulas are beside PyTorch's own functions, written out and compiled."""
    torch = importlib.import_module("torch")
    device = devices.device_of(setting.kind)
    for name, formula in textbook(torch).items():
        if name in wanted:
            yield name, lambda e=wanted[name], f=formula: _compiled(device, setting, e, f)  # type: ignore[misc]


def _compiled(device: devices.Device, setting: Setting, exercise: Exercise, formula: Callable[..., Any]) -> Row:
    torch = importlib.import_module("torch")
    made = filled(device.kind, device.cache, setting, exercise)
    rival, keywords = exercise.rivals["torch"], dict(made.case.hyperparameters)
    row: Row = {"name": exercise.name, "elements": made.workload.elements, "bytes": made.moved}
    calls: dict[str, Callable[..., Any]] = {"textbook": formula}
    torch._dynamo.reset()
    began = time.perf_counter()
    try:
        fast = torch.compile(formula, backend="aot_eager" if setting.quick else "inductor", dynamic=False)
        fast(*devices.copied(made.slots[0]), **keywords)
        device.synchronize()
        calls["compiled"] = fast
        row["compile_seconds"] = time.perf_counter() - began
    except Exception as error:  # no compiler here, or it fails
        if _is_poisoned(setting.kind):
            raise
        row["not_compiled"] = said(error)
    inputs = [devices.copied(slot) for slot in made.slots]
    with devices.staying(torch, device.kind) as there:
        sides = {"PyTorch": lambda slot: rival(there, *inputs[slot], **keywords)}
        for what, call in tuple(calls.items()):
            sides[what] = lambda slot, call=call: call(*inputs[slot], **keywords)  # type: ignore[misc]
        calls["PyTorch"] = lambda *arguments, **options: rival(there, *arguments, **options)
        first = {what: call(*devices.copied(made.slots[0]), **keywords) for what, call in calls.items()}
        times = devices.sampled(device, sides, len(inputs), setting.plan)
    apart = {what: farthest(devices.back(result), made.right) for what, result in first.items()}
    row["sides"] = {
        what: {
            "seconds": one.seconds, "low": one.low, "high": one.high, "host": one.host, "warning": one.warning,
            "ratio": _interval(one.ratio), "verdict": one.ratio.verdict, "distance": apart[what],
            "right": bool(apart[what] <= NEAR),
        }
        for what, one in times.items()
    }  # fmt: skip
    return row


def _interval(ratio: Ratio | None) -> list[float] | None:
    return None if ratio is None else [ratio.ratio, ratio.low, ratio.high, ratio.pairs]


# ---------------------------------------------------------------- submissions


class Example(NamedTuple):
    """A submission, and what should become of it."""

    file: str
    name: str
    needs: str
    what: str
    verdict: str
    never: tuple[str, ...] = ()
    """Verdicts of its speed that would be wrong."""


EXAMPLES = (
    Example("fused.py", "losses.softmax_cross_entropy", "triton", "Triton, right", "correct", ("implausible",)),
    Example("padded.py", "activations.softmax", "triton", "Triton, counts its padding", "wrong"),
    Example("extension.py", "activations.silu", "nvcc", "CUDA C++, right", "correct", ("implausible",)),
    Example("remembered.py", "activations.tanh", "", "returns an earlier result", "wrong"),
    Example(
        "other_stream.py", "activations.sigmoid", "", "works on another stream", "correct", ("faster", "implausible")
    ),
)


def lacking(needs: str, kind: str) -> str:
    """Return why an example cannot run here; nothing if it can."""
    if needs and kind == "cpu":
        return "there is no GPU"
    if needs == "triton" and importlib.util.find_spec("triton") is None:
        return "Triton is not installed"
    if needs == "nvcc":
        home = os.environ.get("CUDA_HOME") or "/usr/local/cuda"
        if not (shutil.which("nvcc") or Path(home, "bin", "nvcc").is_file()):
            return "nvcc is not on this machine"
        if not (shutil.which("ninja") or importlib.util.find_spec("ninja")):
            return "ninja is not installed"
    return ""


def examples(setting: Setting, path: Path) -> Iterator[Item]:
    """Yield what becomes of each example."""
    device = devices.device_of(setting.kind)
    known = truths()
    yield "ceilings", lambda: ceilings(device, setting).as_data()
    for example in EXAMPLES:
        yield example.file, lambda e=example: _example(setting, e, known[e.name], path)  # type: ignore[misc]


def _example(setting: Setting, example: Example, asked: Sequence[tuple[Case, Answer]], path: Path) -> Row:
    row: Row = {
        "file": example.file, "name": example.name, "what": example.what, "expected": example.verdict,
        "never": list(example.never),
    }  # fmt: skip
    reason = lacking(example.needs, setting.kind)
    if reason:
        return row | {"not_run": reason}
    limits = measured_ceilings(path)
    count = costs().operations
    limit = _on_device.Limit(
        limits.moved, limits.products.get("float32", math.inf), lambda case: float(count(example.name, case))
    )
    exercise = _on_device.exercises()[example.name]
    effort = _on_device.QUICK if setting.quick else _on_device.Effort(elements=FILLING, rounds=10, seconds=30.0)
    found = _on_device.judged(
        setting.kind, ROOT / "examples" / "cuda" / example.file, exercise, asked[:3] if setting.quick else asked,
        effort, limit=None if setting.quick else limit,
    )  # fmt: skip
    return row | {
        "verdict": found.verdict, "reason": found.reason, "speed": found.speed, "ratio": _interval(found.ratio),
        "seconds": found.seconds, "torch_seconds": found.torch_seconds, "floor": found.floor_seconds,
        "events": found.events_seconds, "warning": found.warning, "calls": found.calls, "elements": found.elements,
        "as_expected": found.verdict == example.verdict and found.speed not in example.never,
    }  # fmt: skip


# ---------------------------------------------------------------- a part, resumable


def environment(kind: str) -> Row:
    """Return what the figures hang on."""
    torch = importlib.import_module("torch")
    made: Row = {
        "python": platform.python_version(), "numpy": np.__version__, "torch": str(torch.__version__),
        "system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count(), "device": kind,
    }  # fmt: skip
    with contextlib.suppress(Exception):
        made["triton"] = importlib.metadata.version("triton")
    if kind != "cuda":
        return made
    known = torch.cuda.get_device_properties(0)
    made |= {
        "device": known.name, "capability": f"{known.major}.{known.minor}",
        "memory_gib": round(known.total_memory / 2**30),
        "multiprocessors": known.multi_processor_count, "cache_mib": devices.Cuda().cache >> 20,
        "cuda": str(torch.version.cuda), "cudnn": torch.backends.cudnn.version(),
        "tf32": "off, where a row does not say otherwise; set alike for products and convolutions",
        "cudnn_benchmark": "on where times are taken, off where errors are", "deterministic_algorithms": "off",
    }  # fmt: skip
    with contextlib.suppress(Exception):
        asked = ["nvidia-smi", "--query-gpu=driver_version,clocks.max.sm,clocks.max.mem", "--format=csv,noheader"]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True).stdout
        made["driver"], made["max_sm_clock"], made["max_memory_clock"] = (
            p.strip() for p in told.split("\n")[0].split(",")
        )
    return made


def clocks() -> str:
    """Return the clocks of the GPU now, and why they are low if they are."""
    asked = ["nvidia-smi", "--query-gpu=clocks.sm,clocks.mem,temperature.gpu,clocks_throttle_reasons.active"]
    try:
        done = subprocess.run([*asked, "--format=csv,noheader"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _is_poisoned(kind: str) -> bool:
    """Return whether the device answers no more: after a fault in a kernel every call fails, in this process."""
    if kind != "cuda":
        return False
    torch = importlib.import_module("torch")
    try:
        torch.cuda.synchronize()
        torch.ones(1, device="cuda").sum().item()
    except Exception:
        return True
    return False


def read(path: Path) -> Row:
    """Return a part's results so far."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"schema": 1, "environment": {}, "rows": {}}
    return dict(found)


def write(path: Path, document: Row) -> None:
    """Write them, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(_finite(document), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(beside, path)


def forget_failures(path: Path) -> None:
    """Take from a part's results what failed, so that it is measured again."""
    document = read(path)
    document["rows"] = {key: row for key, row in document["rows"].items() if "failed" not in row}
    write(path, document)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.6g}") if math.isfinite(value) else str(float(value))
    return value.item() if isinstance(value, np.generic) else value


def here(part: str, setting: Setting, folder: Path, only: Sequence[str], tell: Callable[[str], None]) -> int:
    """Measure what is missing of a part, in this process; return how it ends."""
    torch = importlib.import_module("torch")
    torch.backends.cudnn.benchmark = part != "accuracy"
    if setting.kind == "cpu":
        torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    path = folder / f"{part}.json"
    now = environment(setting.kind)
    document = read(path)
    if any(document["environment"].get(key) != now.get(key) for key in ("device", "torch", "cuda")):
        document["rows"] = {}  # another device's, or another PyTorch's: not to be mixed
    document["environment"] = now
    wanted = {name: e for name, e in _on_device.exercises().items() if not only or name in only}
    items = {
        "accuracy": lambda: accuracy(setting, wanted), "eager": lambda: eager(setting, wanted, path),
        "compile": lambda: compiled(setting, wanted), "examples": lambda: examples(setting, path),
    }[part]()  # fmt: skip
    for key, find in items:
        if key in document["rows"] and "not_finished" not in document["rows"][key]:
            continue
        if time.time() > setting.until:
            document["rows"].setdefault("unfinished", {"not_finished": "there was no time left: run the part again"})
            write(path, document)
            tell("time")
            return SPENT
        tell(f"begin {key}")
        began = time.perf_counter()
        try:
            row = find()
        except Exception as error:
            row = {"skipped": ON_THE_HOST} if any(part in str(error) for part in NUMPYS) else {"failed": said(error)}
        row["took"] = time.perf_counter() - began
        poisoned = "failed" in row and _is_poisoned(setting.kind)
        document["rows"][key] = row
        document["rows"].pop("unfinished", None)
        write(path, document)
        tell(f"end {key}: {row.get('failed') or summary(row)}")
        if poisoned:
            return POISONED
        if setting.kind == "cuda":
            with contextlib.suppress(Exception):
                torch.cuda.empty_cache()  # what one function leaves is not what the next finds
    document["rows"].pop("unfinished", None)
    document["clocks_at_the_end"] = clocks() if setting.kind == "cuda" else ""
    write(path, document)
    tell("all")
    return SPENT


def summary(row: Row) -> str:
    """Return a row in a few words."""
    for key in ("skipped", "not_run", "reason"):
        if row.get(key):
            return f"{row.get('verdict', '')} {row[key]}".strip()
    if "max_ulp" in row:
        ulp, share = row["max_ulp"], row["max_error_over_allowed"]
        return "every case raised" if ulp is None else f"{ulp:.3g} ulp, {share:.3g} of the allowed error"
    if "share" in row:
        return (
            f"{1e6 * row['seconds']:.1f} µs, {row['share']:.0%} of a {row['limit']}{'' if row['right'] else ', WRONG'}"
        )
    if "sides" in row:
        return ", ".join(f"{what} {1e6 * one['seconds']:.1f} µs" for what, one in row["sides"].items())
    return str(row.get("verdict") or row.get("moved") or "done")


def supervised(command: Sequence[str], path: Path, silence: float, until: float) -> None:
    """Run a part in processes of its own, another where one dies or hangs, until all is found or the time is over."""
    for _ in range(MOST_PROCESSES):
        at, over, why = watched(command, silence, until)
        if at:
            document = read(path)
            document["rows"][at] = {"failed": why} if time.time() < until + PATIENCE else {"not_finished": why}
            write(path, document)
            print(f"end {at}: {why}", flush=True)
        elif not over and why:
            print(why, flush=True)
            return
        if over or time.time() > until:
            return


def watched(command: Sequence[str], silence: float, until: float) -> tuple[str, bool, str]:
    """Run a process and pass on what it says; return what it was at, whether all is done, and why it ended if not."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=_pass_on, args=(process, lines), daemon=True)
    reader.start()
    at, over, why = "", False, ""
    while True:
        left = until + PATIENCE - time.time()
        try:
            line = lines.get(timeout=max(0.1, min(silence, left)))
        except queue.Empty:
            why = (
                "it was not finished when the time was over" if left < silence else f"it said nothing for {silence:g} s"
            )
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            break
        if not line:
            break
        print(line, end="", flush=True)
        word, _, rest = line.strip().partition(" ")
        at = rest if word == "begin" else "" if word == "end" else at
        over = over or word in ("all", "time")
    status = process.wait()
    reader.join(10)  # something that the process has started may hold its output open
    return at, over, why or ("" if status in (SPENT, POISONED) else f"its process ended, status {status}")


def _pass_on(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.put(line)
    lines.put("")


# ---------------------------------------------------------------- the page


HEAD = """\
# PyTorch on a GPU

Made by `python benchmarks/cuda.py --page` from `benchmarks/results/cuda/*.json`; do not edit. How it is measured stands
at the end.
"""
NOTHING = """\
**Nothing of this has been measured yet.** The study is written and runs through on a CPU in the device's place, but no
machine with an NVIDIA GPU was at hand. Where there is one,

```sh
for part in accuracy eager compile examples; do python benchmarks/cuda.py --part $part; done
python benchmarks/cuda.py --page
```

measures it, with nothing but PyTorch, NumPy and this repository: each part within eight minutes, and from where it
stopped when it is run again.
"""
METHOD = """\
## How it is measured

- *Errors*: the cases and truths are those that submissions are graded by: the value of the proved expression, or of the
  reference's text, at 50 digits or more. They are never the GPU's own output. Of each function and dtype the smaller
  cases are asked. *ulp* is the largest distance in units of the last place; *share* is the largest error in units of
  the allowed one, and at most 1 is right; *bits* is the precision that it implies. TF32 is off where a row does not say
  otherwise.
- *Repeated*: every call is made five times; the results are the same bit for bit, or not.
- *Times*: a sample is some milliseconds of calls between two events of the device, the host's clock beside them until
  the device has finished; where the two disagree, that is said. The cache is cold before each sample, and the inputs
  rotate through slots that together are four times as large as the cache. All is warm before the first sample. The
  results of timed calls are held against the reference.
- *Floor*: the bytes that a call must read and write at least at the rate of a copy, or its multiplications and
  additions at the rate of a product of matrices, whichever takes longer; both rates are measured in the same run.
- *Ratios* are of samples taken in turn there and back (A B B A): the median, and the interval that holds it with 95 %
  confidence.
- *Submissions* run in a process of their own. The clock is ours: it stops when sums of all results, with weights that
  are secret until the process has said that it is done, have come back. What asking costs is taken off.
"""


def page(folder: Path) -> str:
    """Return the page for the results in a folder."""
    parts = {part: read(folder / f"{part}.json") for part in PARTS}
    if not any(part["rows"] for part in parts.values()):
        return f"{HEAD}\n{NOTHING}\n{METHOD}"
    known = next(part["environment"] for part in parts.values() if part["rows"])
    lines = [HEAD, "## Where it was measured", "", "| | |", "|---|---|"]
    lines += [f"| {key.replace('_', ' ')} | {value} |" for key, value in known.items()]
    lines += [""]
    for part, write_down in (
        ("accuracy", _accuracy_page), ("eager", _eager_page), ("compile", _compile_page), ("examples", _examples_page)
    ):  # fmt: skip
        rows = {key: row for key, row in parts[part]["rows"].items() if key != "unfinished"}
        lines += write_down(rows) if rows else [f"## {TITLES[part]}", "", "Not measured yet.", ""]
        if "unfinished" in parts[part]["rows"]:
            lines += ["Not all of it is measured: the part has to be run again.", ""]
        failed = {key: row.get("failed") or row.get("not_finished") for key, row in rows.items()}
        for key, why in failed.items():
            lines += [f"- {key} failed: {why}"] if why else []
        lines += [""] if any(failed.values()) else []
    return "\n".join(lines) + "\n" + METHOD


TITLES = {
    "accuracy": "How right PyTorch's functions are there", "eager": "How fast they are",
    "compile": "Textbook formulas, and what `torch.compile` makes of them", "examples": "Submissions",
}  # fmt: skip


def _cell(value: Any, digits: int = 2) -> str:
    if value is None:
        return "—"
    return value if isinstance(value, str) else f"{value:.{digits}g}"


def _micro(seconds: Any) -> str:
    return "—" if seconds is None else f"{1e6 * float(seconds):.1f}"


def _accuracy_page(rows: Mapping[str, Row]) -> list[str]:
    done = [row for row in rows.values() if "cases" in row]
    plain = [row for row in done if not row["tf32"]]
    beyond = sorted({row["name"] for row in plain if row["beyond"]})
    worse = sorted({r["name"] for r in plain if not _as_good(r)})
    differing = [row for row in done if row["differing"]]
    lines = [
        f"## {TITLES['accuracy']}", "",
        f"{len(done)} rows for {len({row['name'] for row in done})} functions. With TF32 off, "
        f"{len(beyond)} functions are beyond the allowed error somewhere{': ' + ', '.join(beyond) if beyond else ''}. "
        f"{len(worse)} have more than twice the error of PyTorch on the CPU, and more than a tenth of the allowed one"
        f"{': ' + ', '.join(worse) if worse else ''}. "
        f"{len(differing)} rows were not the same bit for bit when repeated.", "",
        "| function | dtype | ulp | share | bits | CPU: ulp | CPU: share | cases | repeated | |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in done:
        dtype = row["dtype"] + " TF32" * row["tf32"]
        notes = [f"beyond in {row['beyond']}"] * bool(row["beyond"]) + [f"{row['raised_cases']} raised"] * bool(
            row["raised"]
        )
        lines.append(
            f"| {row['name']} | {dtype} | {_cell(row['max_ulp'])} | {_cell(row['max_error_over_allowed'])} | "
            f"{_cell(row['bits'], 3)} | {_cell(row['cpu_max_ulp'])} | {_cell(row['cpu_max_error_over_allowed'])} | "
            f"{row['cases']} | {'same' if not row['differing'] else 'differs in ' + str(row['differing'])} | "
            f"{'; '.join(notes)} |"
        )
    return [*lines, ""]


def _as_good(row: Row) -> bool:
    mine, theirs = (float(row[key] or 0) for key in ("max_error_over_allowed", "cpu_max_error_over_allowed"))
    return mine <= max(0.1, 2 * theirs)


def _rates(rows: Mapping[str, Row]) -> list[str]:
    found = rows.get("ceilings", {})
    if "moved" not in found:
        return []
    made = ", ".join(f"{rate / 1e12:.3g} Tflop/s in {way}" for way, rate in found["products"].items())
    return [f"A copy moves {found['moved'] / 1e12:.3g} TB/s, read and written; a product of matrices makes {made}.", ""]


def _eager_page(rows: Mapping[str, Row]) -> list[str]:
    done = sorted((row for row in rows.values() if "share" in row), key=lambda row: -float(row["share"]))
    wrong = [row["name"] for row in done if not row["right"]]
    unsteady = [row["name"] + " TF32" * row["tf32"] for row in done if not row["repeatable"]]
    lines = [
        f"## {TITLES['eager']}", "", *_rates(rows),
        f"PyTorch's own functions in float32, eager, at about {FILLING / 1e6:.0f} million numbers. Not the same bit for"
        f" bit when repeated at this size: {', '.join(unsteady) or 'none'}."
        + (f" Not near the reference: {', '.join(wrong)}." if wrong else ""), "",
        "| function | µs | middle half | host's clock | floor, µs | share of the floor | |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in done:
        notes = [row["warning"]] * bool(row["warning"]) + ["writes to its arguments"] * bool(row["writes_to_arguments"])
        lines.append(
            f"| {row['name']}{' TF32' * row['tf32']} | {_micro(row['seconds'])} | {_micro(row['low'])} to "
            f"{_micro(row['high'])} | {_micro(row['host'])} | {_micro(row['floor'])} | {float(row['share']):.0%} of a "
            f"{row['limit']} | {'; '.join(notes)} |"
        )
    return [*lines, ""]


def _compile_page(rows: Mapping[str, Row]) -> list[str]:
    lines = [
        f"## {TITLES['compile']}", "",
        "Below 1 a formula is faster than PyTorch's own function.", "",
        "| function | PyTorch, µs | textbook / PyTorch | compiled / PyTorch | compiling, s | |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in (row for row in rows.values() if "sides" in row):
        sides = row["sides"]
        cells = [_with_interval(sides.get(what, {}).get("ratio")) for what in ("textbook", "compiled")]
        far = [f"{what} is {_cell(one['distance'])} away" for what, one in sides.items() if not one["right"]]
        told = [f"not compiled: {row['not_compiled']}"] if "not_compiled" in row else []
        lines.append(
            f"| {row['name']} | {_micro(sides['PyTorch']['seconds'])} | {' | '.join(cells)} | "
            f"{_cell(row.get('compile_seconds'))} | {'; '.join(far + told).replace('|', '/')} |"
        )
    return [*lines, ""]


def _with_interval(ratio: Sequence[Any] | None) -> str:
    return "—" if ratio is None else f"{float(ratio[0]):.2f} [{float(ratio[1]):.2f}, {float(ratio[2]):.2f}]"


def _examples_page(rows: Mapping[str, Row]) -> list[str]:
    lines = [
        f"## {TITLES['examples']}", "", *_rates(rows),
        "| in `examples/cuda/` | what it is | verdict | as expected | / PyTorch | speed | µs | its own events, µs | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in (row for row in rows.values() if "file" in row):
        if "not_run" in row:
            lines.append(f"| {row['file']} | {row['what']} | not run: {row['not_run']} | — | — | — | — | — | |")
            continue
        notes = "; ".join(filter(None, [row["reason"], row["warning"]])).replace("|", "/")
        lines.append(
            f"| {row['file']} | {row['what']} | {row['verdict']} | {'yes' if row['as_expected'] else '**no**'} | "
            f"{_with_interval(row['ratio'])} | {row['speed'] if row['verdict'] == 'correct' else '—'} | "
            f"{_micro(row['seconds'])} | {_micro(row['events'])} | {notes} |"
        )
    return [*lines, ""]


# ---------------------------------------------------------------- the command


def no_device(kind: str) -> str:
    """Return why nothing can be measured here; nothing if it can."""
    try:
        torch: types.ModuleType = importlib.import_module("torch")
    except Exception as error:
        return f"PyTorch cannot be imported: {said(error)}"
    if kind == "cuda" and not torch.cuda.is_available():
        return f"PyTorch {torch.__version__} finds no GPU; --device cpu --quick tries the script itself"
    return ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a part, or make the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--part", choices=(*PARTS, "all"), help="what to measure")
    options.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu tries the script itself")
    options.add_argument("--quick", action="store_true", help="small sizes and few samples, to try the script")
    options.add_argument("--only", action="append", default=[], metavar="NAME", help="this function only")
    options.add_argument("--again", action="store_true", help="measure again what failed")
    options.add_argument("--output", type=Path, metavar="FOLDER", help="where the results lie")
    options.add_argument("--seconds", type=float, default=SECONDS, help="in which a part begins its last function")
    options.add_argument("--page", action="store_true", help="write docs/cuda.md from the results")
    options.add_argument("--check", action="store_true", help="with --page: change nothing, fail if it is out of date")
    options.add_argument("--prepare", action="store_true", help="write the truths; needs the whole package, no GPU")
    options.add_argument("--here", type=float, help=argparse.SUPPRESS)
    given = options.parse_args(arguments)
    own = given.device == "cuda" and not given.quick
    folder = given.output or (RESULTS if own else Path(tempfile.gettempdir(), f"gradproof-cuda-{os.getuid()}"))
    if given.prepare:
        print(f"the truths of {prepare(TRUTHS)} functions, {TRUTHS.stat().st_size:,} bytes: {_digest(TRUTHS)}")
        return
    if given.page:
        made = page(folder)
        if given.check:
            current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
            sys.exit("docs/cuda.md is out of date: run python benchmarks/cuda.py --page" if made != current else 0)
        (PAGE if own else folder / "cuda.md").write_text(made, encoding="utf-8")
        return
    if not given.part:
        options.error("expected --part, --page or --prepare")
    why = no_device(given.device)
    if why:
        print(f"nothing is measured: {why}")
        return
    if given.here:
        setting = Setting(given.device, given.quick, given.here)
        sys.exit(here(given.part, setting, folder, given.only, lambda line: print(line, flush=True)))
    passed = ["--device", given.device, "--output", str(folder), *(["--quick"] * given.quick)]
    passed += [word for name in given.only for word in ("--only", name)]
    for part in PARTS if given.part == "all" else (given.part,):
        print(f"{part}, to {folder / part}.json", flush=True)
        if given.again:
            forget_failures(folder / f"{part}.json")
        until = time.time() + given.seconds
        command = [sys.executable, __file__, "--part", part, "--here", str(until), *passed]
        silence = LONG_SILENCE if part in ("examples", "compile") else SILENCE
        supervised(command, folder / f"{part}.json", silence, until)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


if __name__ == "__main__":
    main()
