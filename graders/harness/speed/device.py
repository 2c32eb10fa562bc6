"""The clock of a device: how long calls take on a GPU, by its own events and by the host's clock beside them.

A call is asynchronous there, so a sample is many calls between two events, and the host's clock runs until the device
has finished all of them: where the two disagree, that is said. Each sample starts with a cold cache, and its inputs
rotate through slots that together are larger than the cache. `Host` is the same for the CPU, so that everything that
uses a device runs without one.
"""

from __future__ import annotations

import contextlib
import importlib
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from graders.harness.speed.statistics import Ratio, log_ratio, ratio_of

Call = Callable[[int], Any]
"""Makes the call with the inputs of a slot, and returns what comes of it, which may not be finished yet."""
COLD = 4
"""The slots together, and what is written to make the cache cold, are this many times as large as the cache."""
LATENCY = 100e-6
"""Seconds by which the host's clock may be late: to launch the first call, and to hear that the last one ended."""
LATE, EARLY = 1.1, 0.98
"""Beyond these the host's clock and the device's events disagree."""


@dataclass(frozen=True)
class Span:
    """How long something took: by the device's own events, and by the host's clock."""

    device: float
    host: float

    @property
    def warning(self) -> str:
        """Return how far the two disagree, if they do."""
        if EARLY * self.device <= self.host <= LATE * self.device + LATENCY:
            return ""
        return f"the device's events say {1e3 * self.device:.3g} ms, the host's clock {1e3 * self.host:.3g} ms"


class Device(Protocol):
    """Where calls are made, and what tells their time."""

    kind: str
    """As PyTorch calls it."""
    cache: int
    """Bytes of its last cache."""

    def synchronize(self) -> None:
        """Wait until everything that was begun there is finished, on every stream."""
        ...

    def flush(self) -> None:
        """Make its cache cold."""
        ...

    def span(self, run: Callable[[], object]) -> Span:
        """Return how long it takes until everything that is begun by `run` is finished."""
        ...


class Cuda:
    """An NVIDIA GPU, the first one, through PyTorch."""

    kind = "cuda"

    def __init__(self) -> None:
        self._torch = importlib.import_module("torch")
        known = self._torch.cuda.get_device_properties(0)
        self.cache = int(getattr(known, "L2_cache_size", 0)) or (64 << 20)
        self._other = self._torch.ones(COLD * self.cache, dtype=self._torch.int8, device="cuda")

    def synchronize(self) -> None:
        """Wait for every stream."""
        self._torch.cuda.synchronize()

    def flush(self) -> None:
        """Write more than the cache holds."""
        self._other.add_(1)

    def span(self, run: Callable[[], object]) -> Span:
        """Return the time between two events, and on the host's clock till everything has ended."""
        first, last = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        self.synchronize()
        began = time.perf_counter()
        first.record()
        run()
        last.record()
        self.synchronize()
        host = time.perf_counter() - began
        return Span(first.elapsed_time(last) / 1e3, host)


class Host:
    """The CPU in a device's place."""

    kind = "cpu"

    def __init__(self, cache: int = 1 << 16) -> None:
        self.cache = cache
        self._other = np.ones(COLD * cache, np.int8)

    def synchronize(self) -> None:
        """Do nothing: a call has ended when it returns."""

    def flush(self) -> None:
        """Write more than the cache holds."""
        self._other += 1

    def span(self, run: Callable[[], object]) -> Span:
        """Return the time on the one clock there is."""
        began = time.perf_counter()
        run()
        took = time.perf_counter() - began
        return Span(took, took)


def device_of(kind: str) -> Device:
    """Return a device by its name."""
    return Cuda() if kind == "cuda" else Host()


# ---------------------------------------------------------------- samples


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    samples: int = 15
    """Of each side at most; they are taken in pairs."""
    lasting: float = 0.004
    """Seconds that a sample takes at least, over as many calls as that needs, …"""
    most_calls: int = 500
    """… but no more than these."""
    warming: float = 0.3
    """Seconds of calls before the first sample, and three calls at least."""
    seconds: float = 6.0
    """Seconds after which no sample is begun, once there are two."""


QUICK = Plan(samples=2, lasting=0.0002, most_calls=4, warming=0.0, seconds=0.2)


@dataclass(frozen=True)
class Sampled:
    """The times of one side."""

    seconds: float
    """Of a call, by the device's events: the median over samples."""
    low: float
    high: float
    """The middle half of the samples lies between these."""
    host: float
    """Of a call, by the host's clock."""
    calls: int
    samples: int
    warning: str
    ratio: Ratio
    """To the first side; 1 for that itself."""
    last: tuple[int, Any] = field(repr=False, default=(0, None))
    """The slot of the last call that was timed, and what it returned."""


def sampled(device: Device, sides: Mapping[str, Call], slots: int, plan: Plan) -> dict[str, Sampled]:
    """Return the times of several sides, measured in turn there and back (A B B A), each call on the next slot."""
    runs = {name: _Side(device, call, slots, plan) for name, call in sides.items()}
    for run in runs.values():
        run.warm()
    until = time.monotonic() + plan.seconds
    while True:
        for run in (*runs.values(), *reversed(runs.values())):
            run.sample()
        taken = len(next(iter(runs.values())).spans)
        if taken + 2 > plan.samples or time.monotonic() > until:
            break
    first = next(iter(runs.values()))
    return {name: run.result(first) for name, run in runs.items()}


class _Side:
    def __init__(self, device: Device, call: Call, slots: int, plan: Plan) -> None:
        self._device, self._call, self._slots, self._plan = device, call, slots, plan
        self._next, self._count = 0, 1
        self.spans: list[Span] = []
        self._last: tuple[int, Any] = (0, None)

    def _calls(self) -> None:
        for _ in range(self._count):
            slot, self._next = self._next, (self._next + 1) % self._slots
            self._last = slot, self._call(slot)

    def warm(self) -> None:
        """Make calls until what happens only once has happened, and find how many a sample needs."""
        until, took = time.monotonic() + self._plan.warming, 0.0
        for again in range(10_000):
            took = self._device.span(self._calls).device
            if again >= 2 and time.monotonic() >= until:
                break
        count = self._plan.lasting / max(took, 1e-7)
        self._count = max(1, min(self._plan.most_calls, round(count)))

    def sample(self) -> None:
        """Time so many calls."""
        self._device.flush()
        span = self._device.span(self._calls)
        self.spans.append(Span(span.device / self._count, span.host / self._count))

    def result(self, first: _Side) -> Sampled:
        """Return the times, and their ratio to the first side's."""
        took = sorted(span.device for span in self.spans)
        logs = [
            log_ratio([max(t, 1e-12) for t in (a.device, x.device, y.device, b.device)])
            for a, b, x, y in zip(self.spans[::2], self.spans[1::2], first.spans[::2], first.spans[1::2], strict=True)
        ]
        whole = [Span(span.device * self._count, span.host * self._count) for span in self.spans]
        told = [span.warning for span in whole if span.warning]
        return Sampled(
            statistics.median(took), took[len(took) // 4], took[-1 - len(took) // 4],
            statistics.median(span.host for span in self.spans), self._count * len(took), len(took),
            f"in {len(told)} of {len(took)} samples: {told[0]}" if 2 * len(told) > len(took) else "",
            ratio_of(logs), self._last,
        )  # fmt: skip


# ---------------------------------------------------------------- what the device can do at all


def moving_rate(device: Device, size: int, plan: Plan) -> float:
    """Return the bytes a second that a copy of so many bytes reads and writes."""
    torch = importlib.import_module("torch")
    one, other = (torch.ones(size // 4, device=device.kind) for _ in range(2))
    return 2 * size / sampled(device, {"copy": lambda slot: other.copy_(one)}, 1, plan)["copy"].seconds


def product_rate(device: Device, rows: int, dtype: str, plan: Plan, tf32: bool = False) -> float:
    """Return the multiplications and additions a second of a product of square matrices, of random numbers."""
    torch = importlib.import_module("torch")
    made = [torch.randn(rows, rows, device=device.kind).to(getattr(torch, dtype)) for _ in range(2)]
    with products(torch, tf32):
        times = sampled(device, {"product": lambda slot: made[0] @ made[1]}, 1, plan)
    return 2.0 * rows**3 / times["product"].seconds


@contextlib.contextmanager
def products(torch: Any, tf32: bool) -> Iterator[None]:
    """Let products and convolutions in float32 cut their inputs to TF32 while the block runs, or not.

    How, hangs on PyTorch's version.
    """
    cuda, cudnn = torch.backends.cuda, torch.backends.cudnn
    new = hasattr(cudnn, "conv")
    value: Any = ("tf32" if tf32 else "ieee") if new else tf32
    switches = [(part, "fp32_precision") for part in (cuda.matmul, cudnn.conv, cudnn.rnn)] if new else [
        (cuda.matmul, "allow_tf32"), (cudnn, "allow_tf32")
    ]  # fmt: skip
    before = [getattr(part, name) for part, name in switches]
    try:
        for part, name in switches:
            setattr(part, name, value)
        yield
    finally:
        for (part, name), old in zip(switches, before, strict=True):
            setattr(part, name, old)


# ---------------------------------------------------------------- tensors in place of arrays


def onto(value: Any, torch: Any, kind: str) -> Any:
    """Return arguments with tensors of a device for their arrays; each tensor is a copy."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy()).to(kind)
    if isinstance(value, (tuple, list)):
        parts = [onto(item, torch, kind) for item in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def back(value: Any) -> list[Any]:
    """Return the arrays and numbers of a result, one after the other, brought from their device."""
    if isinstance(value, (tuple, list)):
        return [array for item in value for array in back(item)]
    return [value.detach().cpu().numpy() if hasattr(value, "detach") else value]


def rolled(value: Any, by: int) -> Any:
    """Return arrays or tensors with their rows moved on by so many: other inputs of the same kind, always copied."""
    if isinstance(value, (tuple, list)):
        parts = [rolled(item, by) for item in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, np.ndarray):
        return np.roll(value, by, 0) if value.ndim else value.copy()
    if not hasattr(value, "roll"):
        return value
    return value.roll(by, 0).contiguous() if value.ndim else value.clone()


def copied(value: Any) -> Any:
    """Return tensors copied: some functions write to theirs."""
    return rolled(value, 0)


def size_of(value: Any) -> int:
    """Return the bytes of all tensors."""
    if isinstance(value, (tuple, list)):
        return sum(map(size_of, value))
    return value.numel() * value.element_size() if hasattr(value, "element_size") else 0


@contextlib.contextmanager
def staying(torch: Any, kind: str) -> Iterator[Any]:
    """Yield PyTorch as rivals use it, on a device where what is a tensor stays one: `tensor`, `numpy` move nothing."""

    def tensor(data: Any, *arguments: Any, requires_grad: bool = False, dtype: Any = None, **keywords: Any) -> Any:
        if not isinstance(data, torch.Tensor):
            if not np.ndim(data):  # a number, such as the count of steps, stays on the host, as in its optimizers
                keywords = {"device": "cpu", **keywords}
            return torch.tensor(data, *arguments, requires_grad=requires_grad, dtype=dtype, **keywords)
        made = data.detach() if dtype is None else data.detach().to(dtype)
        return made.requires_grad_() if requires_grad else made

    stand_in = type(torch)("torch")
    stand_in.__dict__.update(vars(torch), tensor=tensor)
    before = torch.Tensor.numpy
    torch.Tensor.numpy = lambda self, **keywords: self.detach()
    try:
        with torch.device(kind):  # what they make besides is made there
            yield stand_in
    finally:
        torch.Tensor.numpy = before


def slots_of(given: Any, cache: int, most: int = 64) -> Sequence[Any]:
    """Return inputs in so many slots that together they are larger than the cache: the rows moved on in each."""
    count = max(3, min(most, -(-COLD * cache // max(1, size_of(given)))))
    return [given, *(rolled(given, 7 * at) for at in range(1, count))]


__all__ = [
    "Cuda", "Device", "Host", "Plan", "QUICK", "Sampled", "Span", "back", "copied", "device_of", "moving_rate", "onto",
    "product_rate", "products", "rolled", "sampled", "size_of", "slots_of", "staying",
]  # fmt: skip
