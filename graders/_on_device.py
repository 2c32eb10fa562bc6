"""The speed of functions of tensors on a device: a submission's file beside PyTorch's own function, by our clock.

Each side is a process of its own. It is told to hold inputs that nobody has seen before, and then the clock runs: from
"make these calls" until sums of all results, with weights that the process is told only after it has said that it is
done, have come back. Work on another stream, or put off until somebody looks, is in that time; a result that was kept
from an earlier call has other sums. What asking costs, and reading the results once, is measured and taken off. What
the process itself says of its time, by the device's events, is evidence and decides nothing.

The processes are not confined: Triton and nvcc start compilers. So this is for one's own files, and is no grade.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import pkgutil
import runpy
import secrets
import socket
import statistics
import struct
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import graders
from graders.harness.answers import Answer
from graders.harness.cases import Case, built, signature
from graders.harness.compare import compare
from graders.harness.exercise import Exercise
from graders.harness.plans import output_names
from graders.harness.sandbox.codec import Malformed, decode, encode
from graders.harness.speed import device as devices
from graders.harness.speed.limits import IMPLAUSIBLE
from graders.harness.speed.statistics import FEWEST, Ratio, Verdict, log_ratio, ratio_of
from graders.harness.speed.trusted import Trusted
from graders.harness.speed.workloads import Workload, least_bytes

TORCH = "torch"
FEW, MANY = 2, 60
"""Calls of the two samples whose difference is the time: what asking costs cancels."""
CHECKED = 2
"""Calls of each sample whose sums are held against the reference's; which ones, nobody knows beforehand."""
BASES = 3
"""Inputs that are drawn; those of the timed calls are these with their rows moved on, by a secret number of rows."""
BLOCK = 1 << 14
"""Elements of a result that one sum is of."""
NEAR = {"float64": 1e-10, "float32": 1e-4}
"""How near a number must be, relative to the largest of its result: nearer than a lower precision could come."""
SIGMAS = 8.0
"""How far a sum may be off, in units of what independent errors of that size would make of it."""
LOADING, ANSWERING = 300.0, 60.0
"""Seconds within which a process must have loaded (nvcc takes a minute), and answered."""
HEAD = struct.Struct("<Q")
MOST_BYTES = 400 << 20
"""Of the arguments and results of a call."""
HELD_BYTES = {"cuda": 6 << 30, "cpu": 256 << 20}
"""Bytes of the inputs and results of one sample."""


# ---------------------------------------------------------------- the catalogue, without what grading needs besides


@functools.cache
def exercises() -> dict[str, Exercise]:
    """Return the exercises that PyTorch has a function for, by name; NumPy is all that this needs."""
    _stand_in_for_reports()
    topics = [module.name for module in pkgutil.iter_modules(graders.__path__) if not module.name.startswith("_")]
    found: dict[str, Exercise] = {}
    for topic in topics:
        if topic != "harness":
            values = vars(importlib.import_module(f"graders.{topic}")).values()
            found |= {value.name: value for value in values if isinstance(value, Exercise) and TORCH in value.rivals}
    return found


def _stand_in_for_reports() -> None:
    """Where msgspec is not installed, let what describes reports be imported: nothing here makes one."""
    try:
        importlib.import_module("msgspec")
    except ImportError:

        class Struct:
            def __init_subclass__(cls, **options: Any) -> None:
                pass

        made = types.ModuleType("msgspec")
        made.__dict__["Struct"] = Struct
        sys.modules["msgspec"] = made


def arguments_of(exercise: Exercise, case: Case) -> list[Any]:
    """Return the arguments of one call of a function of the reference's signature; of a loop, its first step."""
    read = signature(exercise.reference)
    if not exercise.unrolled:
        return [built(value, read.records) for value in case.arguments.values()]
    assert read.state is not None
    state = read.state(**case.arguments["state"].fields)
    return [case.arguments["params"], case.arguments["grads"][0], state]


def flat(value: Any) -> list[Any]:
    """Return the arrays and numbers of a result, one after the other."""
    return [part for item in value for part in flat(item)] if isinstance(value, (tuple, list)) else [value]


class Filling(Workload):
    """A workload of so many numbers as fill a device, or as its results leave memory for."""

    @functools.cached_property
    def elements(self) -> int:
        """Return what to ask of the axes: results may grow faster than arguments, so two small sizes say how fast."""
        small, larger = 4_096, 16_384
        wanted = int(self.size)
        if wanted <= larger:
            return wanted
        one, two = (self._bytes(size) for size in (small, larger))
        if not two > one > 0:  # it does not hang on the size
            return small
        power = max(1.0, float(np.log2(two / one)) / np.log2(larger / small))
        return min(wanted, int(larger * (MOST_BYTES / two) ** (1 / power)))

    def _bytes(self, elements: int) -> int:
        case = self._drawn(self.seed, elements)
        return least_bytes(case, {"": self.right(case)})

    def right(self, case: Case, by: int = 0) -> list[Any]:
        """Return what the reference makes of an input, its rows moved on by so many: one array after the other."""
        given = devices.rolled(arguments_of(self.exercise, case), by)
        with np.errstate(all="ignore"):
            return flat(self.exercise.reference(*given, **case.hyperparameters))


# ---------------------------------------------------------------- the process of a side


class _Channel:
    """Sends and takes values of the codec."""

    def __init__(self, channel: socket.socket) -> None:
        self._socket = channel

    def send(self, value: Any) -> None:
        data = encode(value)
        self._socket.sendall(HEAD.pack(len(data)) + data)

    def take(self) -> Any:
        (length,) = HEAD.unpack(self._read(HEAD.size))
        return decode(self._read(length))

    def _read(self, size: int) -> bytearray:
        data = bytearray()
        while len(data) < size:
            part = self._socket.recv(min(1 << 24, size - len(data)))
            if not part:
                raise EOFError("the other end has closed the channel")
            data += part
        return data


def serve(kind: str, what: str, name: str, channel: str) -> None:
    """Make the calls that are asked for, until the channel closes: of a file's function, or of PyTorch's own."""
    with contextlib.suppress(EOFError, OSError), socket.socket(fileno=int(channel)) as end:
        line = _Channel(end)
        try:
            served = _Served(kind, what, name)
            line.send(["ready"])
        except BaseException as error:  # whatever a file does when it is loaded
            line.send(["failed", _said(error)])
            return
        while True:
            question, *details = line.take()
            try:
                line.send(["done", getattr(served, question)(*details)])
            except EOFError:
                raise
            except Exception as error:
                line.send(["failed", _said(error)])


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:600]


class _Served:
    """What a side's process holds: its function, its inputs, and its results."""

    def __init__(self, kind: str, what: str, name: str) -> None:
        self._torch = importlib.import_module(TORCH)
        self._device = devices.device_of(kind)
        self._exercise = exercises()[name]
        tail = name.partition(".")[2]
        self._rival = what == TORCH
        if self._rival:
            self._function = self._exercise.rivals[TORCH]
        else:
            sys.path.insert(0, str(Path(what).parent))
            there = runpy.run_path(what, run_name="submission")
            if not callable(there.get(tail)):
                raise LookupError(f"{Path(what).name} has no function {tail}")
            self._function = there[tail]
        self._bases: dict[int, tuple[list[Any], dict[str, Any]]] = {}
        self._inputs: dict[int, tuple[list[Any], dict[str, Any]]] = {}
        self._results: dict[int, Any] = {}

    def take(self, base: int, arguments: dict[str, Any], keywords: dict[str, Any]) -> None:
        """Take an input, and put it on the device."""
        given = arguments_of(self._exercise, Case(arguments, keywords, "float64", ""))
        self._bases[base] = devices.onto(given, self._torch, self._device.kind), keywords

    def hold(self, inputs: list[list[int]]) -> None:
        """Make the inputs of slots: each of a base, its rows moved on by so many."""
        for slot, (base, by) in enumerate(inputs):
            given, keywords = self._bases[base]
            self._inputs[slot] = devices.rolled(given, by), keywords
        self._device.synchronize()

    def run(self, slots: list[int]) -> float:
        """Make the calls, and return what the device's events say of their time."""
        self._device.flush()
        stands = devices.staying(self._torch, self._device.kind) if self._rival else contextlib.nullcontext()
        with devices.products(self._torch, tf32=False), stands as torch:
            first = (torch,) if self._rival else ()

            def calls() -> None:
                for slot in slots:
                    given, keywords = self._inputs[slot]
                    self._results[slot] = self._function(*first, *given, **keywords)

            return self._device.span(calls).device

    def weigh(self, slots: list[int], weights: Any) -> list[list[Any]]:
        """Return the weighted sums of every block of every result: what only the finished numbers have."""
        torch = self._torch
        made = []
        on = torch.from_numpy(weights).to(self._device.kind)
        for slot in slots:
            sums = []
            for value in flat(self._results[slot]):
                if type(value) is not torch.Tensor:
                    if isinstance(value, (int, float, np.ndarray, np.generic)):
                        sums.append(weighed(np.asarray(value), weights))
                        continue
                    raise TypeError(f"returned {type(value).__name__}, expected a torch.Tensor")
                numbers = value.detach().reshape(-1).to(on.dtype)
                whole = len(numbers) // BLOCK * BLOCK
                parts = [numbers[:whole].view(-1, BLOCK) @ on] if whole else []
                if whole < len(numbers):
                    parts.append((numbers[whole:] @ on[: len(numbers) - whole]).reshape(1))
                sums.append(torch.cat(parts) if parts else numbers)
            made.append(sums)
        return [[s if isinstance(s, np.ndarray) else s.cpu().numpy() for s in sums] for sums in made]

    def fetch(self, slot: int) -> list[Any]:
        """Return a whole result."""
        return [np.asarray(value) for value in devices.back(self._results[slot])]

    def forget(self) -> None:
        """Let go of all inputs and results."""
        self._inputs.clear()
        self._results.clear()


def weighed(values: Any, weights: Any) -> Any:
    """Return the weighted sums of the blocks of an array, in float64."""
    numbers = np.asarray(values, np.float64).reshape(-1)
    starts = range(0, len(numbers), BLOCK)
    return np.array([numbers[at : at + BLOCK] @ weights[: len(numbers[at : at + BLOCK])] for at in starts])


# ---------------------------------------------------------------- the grader's side


class SideFailed(Exception):
    """A side cannot be timed: it raised, took too long, ended, or returned what is not right."""


class Side:
    """A process that makes calls on a device; to be closed."""

    def __init__(self, kind: str, what: str, name: str) -> None:
        """Start it for a file, or for "torch": PyTorch's own function."""
        self.name = "PyTorch" if what == TORCH else Path(what).name
        program = "import gradproof, sys; from graders import _on_device; _on_device.serve(*sys.argv[1:])"
        home = str(Path(graders.__file__).parents[1])
        start = f"import sys; sys.path.insert(0, {home!r}); {program}"
        self._process = Trusted([sys.executable, "-c", start, kind, what, name])
        self._line = _Channel(self._process.channel)
        try:
            self._answer(LOADING)
        except BaseException:
            self.close()
            raise

    def _answer(self, seconds: float) -> Any:
        self._process.channel.settimeout(seconds)
        try:
            said, *rest = self._line.take()
        except TimeoutError:
            raise SideFailed(f"{self.name} did not answer within {seconds:.0f} s") from None
        except (EOFError, ConnectionError):
            raise SideFailed(f"{self.name}: its process ended, status {self._process.status()}") from None
        except (Malformed, ValueError) as error:
            raise SideFailed(f"{self.name} broke the protocol: {error}") from None
        if said == "failed":
            raise SideFailed(f"{self.name}: {rest[0]}")
        return rest[0] if rest else None

    def ask(self, question: str, *details: Any, seconds: float = ANSWERING) -> Any:
        """Ask, and return the answer."""
        try:
            self._line.send([question, *details])
        except OSError:
            raise SideFailed(f"{self.name}: its process ended, status {self._process.status()}") from None
        return self._answer(seconds)

    def close(self) -> None:
        """End the process."""
        self._process.close()


@dataclass(frozen=True)
class OnDevice:
    """What became of a function."""

    verdict: str
    """Of its results, small ones and those of timed calls: "correct", "wrong" or "error"."""
    reason: str = ""
    speed: Verdict = "cannot tell"
    ratio: Ratio | None = None
    """To PyTorch's own function on the same device."""
    seconds: float | None = None
    torch_seconds: float | None = None
    floor_seconds: float | None = None
    events_seconds: float | None = None
    """What its own process says of the time of a call."""
    warning: str = ""
    calls: int = 0
    elements: int = 0
    bytes_moved: int = 0
    operations: float = 0.0


@dataclass(frozen=True)
class Limit:
    """What the device can do at all, a second, and how many multiplications and additions a call makes."""

    moved: float
    """Bytes that a copy reads and writes."""
    made: float
    """Multiplications and additions of a product of matrices."""
    operations: Callable[[Case], float]

    def least(self, moved: int, operations: float) -> float:
        """Return the least seconds in which so much can be done."""
        return max(moved / self.moved, operations / self.made)


@dataclass(frozen=True)
class Effort:
    """How much is measured of a function."""

    elements: int = 1 << 22
    rounds: int = 12
    seconds: float = 60.0
    few: int = FEW
    many: int = MANY


QUICK = Effort(elements=1 << 14, rounds=3, seconds=5.0, few=1, many=3)


def judged(
    kind: str,
    path: str | Path,
    exercise: Exercise,
    asked: Sequence[tuple[Case, Answer]],
    effort: Effort = Effort(),
    dtype: str = "float32",
    limit: Limit | None = None,
) -> OnDevice:
    """Return what becomes of a file's function: right or not on these cases, and how fast beside PyTorch's own.

    `limit` is what the device can do at all, where that is known.
    """
    workload = Filling(exercise, str(effort.elements), dtype, secrets.randbits(40))
    try:
        with contextlib.closing(Side(kind, str(path), exercise.name)) as ours:
            wrong = first_wrong(ours, exercise, [(case, answer) for case, answer in asked if case.dtype == dtype])
            if wrong:
                return OnDevice("wrong", wrong)
            with contextlib.closing(Side(kind, TORCH, exercise.name)) as theirs:
                return _timed(kind, workload, ours, theirs, effort, limit)
    except SideFailed as error:
        return OnDevice("error", str(error))
    except WrongWhileTimed as error:
        return OnDevice("wrong", str(error))


class WrongWhileTimed(Exception):
    """A timed call returned what is not right: there is no time."""


def first_wrong(side: Side, exercise: Exercise, asked: Sequence[tuple[Case, Answer]]) -> str:
    """Return what is wrong with the first case that is beyond its allowed error; nothing if none is."""
    for case, answer in asked:
        if exercise.unrolled:
            return ""  # a trajectory: the timed calls, each one step, are held against the reference's
        side.ask("take", 0, dict(case.arguments), dict(case.hyperparameters))
        side.ask("hold", [[0, 0]])
        side.ask("run", [0])
        parts = side.ask("fetch", 0)
        side.ask("forget")
        names = output_names(exercise) or tuple(answer.outputs)
        if len(parts) != len(names):
            return f"{len(parts)} results, expected {len(names)}"
        found = compare(case, answer, dict(zip(names, parts, strict=True)))
        if found.problem:
            return f"{found.problem} ({case.origin})"
        if found.failed:
            where = f" at {list(found.index)}" if found.index else ""
            return f"{found.got:.7g}{where}, expected {found.expected:.7g} ({case.origin})"
    return ""


@dataclass
class _Times:
    nets: list[float] = field(default_factory=list)
    events: list[float] = field(default_factory=list)


class _Round:
    """Takes samples of either side, of inputs that neither has seen, and looks at the results of ours."""

    def __init__(self, workload: Filling, sides: tuple[Side, Side], effort: Effort, kind: str) -> None:
        self.secret = secrets.SystemRandom()
        self.workload, self.ours, self._effort = workload, sides[0], effort
        self.cases = [workload.draw(number) for number in range(BASES)]
        self.moved = least_bytes(self.cases[0], {"": workload.right(self.cases[0])})
        most = HELD_BYTES[kind] // max(1, self.moved)
        self.few = effort.few
        self.count = self.few + max(self.few + 1, min(effort.many, most))
        for side in sides:
            for base, case in enumerate(self.cases):
                side.ask("take", base, dict(case.arguments), dict(case.hyperparameters))

    def inputs(self) -> list[list[int]]:
        """Return which inputs a sample has: nobody could know them before."""
        return [[self.secret.randrange(BASES), self.secret.randrange(1, 1 << 30)] for _ in range(self.count)]

    def sample(self, side: Side, inputs: list[list[int]]) -> tuple[float, float]:
        """Return the seconds of a call by our clock, and by the side's own events."""
        side.ask("hold", inputs)
        few, many = list(range(self.few)), list(range(self.few, self.count))
        took, events = [], []
        for slots in (few, many):
            weights = _weights(self.secret, self.workload.dtype)
            again = _weights(self.secret, self.workload.dtype)
            began = time.perf_counter()
            events.append(side.ask("run", slots))
            sums = side.ask("weigh", slots, weights)
            ended = time.perf_counter()
            side.ask("weigh", slots, again)  # all is finished: this is what asking and reading cost
            took.append((ended - began) - (time.perf_counter() - ended))
            if side is self.ours:
                self._check(slots, inputs, sums, weights)
        side.ask("forget")
        more = len(many) - len(few)
        return (took[1] - took[0]) / more, max(0.0, (events[1] - events[0]) / more)

    def _check(self, slots: Sequence[int], inputs: list[list[int]], sums: Any, weights: Any) -> None:
        """Hold the sums of some results, and one of these whole, against those of the reference."""
        for number, at in enumerate(self.secret.sample(range(len(slots)), min(CHECKED, len(slots)))):
            slot = slots[at]
            base, by = inputs[slot]
            right = self.workload.right(self.cases[base], by)
            if len(sums[at]) != len(right):
                raise WrongWhileTimed(f"{len(sums[at])} results of a timed call, expected {len(right)}")
            near = NEAR[self.workload.dtype]
            for mine, truth in zip(sums[at], right, strict=True):
                spread = SIGMAS * np.sqrt(min(BLOCK, np.size(truth)))
                _hold(np.asarray(mine), weighed(truth, weights), near * _scale(truth) * spread)
            for mine, truth in zip(self.ours.ask("fetch", slot), right, strict=True) if number == 0 else ():
                _hold(mine, np.asarray(truth), near * _scale(truth))


def _hold(mine: Any, truth: Any, allowed: float) -> None:
    if mine.shape != truth.shape:
        raise WrongWhileTimed(f"a result of a timed call has shape {mine.shape}, expected {truth.shape}")
    with np.errstate(all="ignore"):
        bad = np.isfinite(truth) & ~(np.abs(mine.astype(np.float64) - truth) <= allowed)
    if np.any(bad):
        raise WrongWhileTimed(f"a result of a timed call is wrong, {np.mean(bad):.0%} of what was looked at: no time")


def _timed(kind: str, workload: Filling, ours: Side, theirs: Side, effort: Effort, limit: Limit | None) -> OnDevice:
    taken = _Round(workload, (ours, theirs), effort, kind)
    times = {id(ours): _Times(), id(theirs): _Times()}
    for side in (ours, theirs):  # what happens only once has happened then
        taken.sample(side, taken.inputs())
    logs: list[float] = []
    until = time.monotonic() + effort.seconds
    for again in range(effort.rounds):
        there, back = taken.inputs(), taken.inputs()
        went: dict[int, list[float]] = {id(ours): [], id(theirs): []}
        for side, inputs in ((ours, there), (theirs, there), (theirs, back), (ours, back)):
            net, events = taken.sample(side, inputs)
            went[id(side)].append(net)
            times[id(side)].nets.append(net)
            times[id(side)].events.append(events)
        quad = [went[id(ours)][0], *went[id(theirs)], went[id(ours)][1]]
        if min(quad) > 0:
            logs.append(log_ratio(quad))
        if time.monotonic() > until and again > 0:
            break
    took, other = (statistics.median(times[id(side)].nets) for side in (ours, theirs))
    events = statistics.median(times[id(ours)].events)
    count = limit.operations(taken.cases[0]) if limit is not None else 0.0
    least = limit.least(taken.moved, count) if limit is not None else None
    calls = len(times[id(ours)].nets) * taken.count
    if not logs:
        reason = "a call is lost in what asking for it costs"
        return OnDevice(
            "correct", reason, calls=calls, floor_seconds=least, events_seconds=events, elements=workload.elements,
            bytes_moved=taken.moved, operations=count,
        )  # fmt: skip
    ratio, reason = ratio_of(logs), ""
    speed: Verdict = ratio.verdict if len(logs) >= FEWEST else "cannot tell"
    if least is not None and took < IMPLAUSIBLE * least:
        speed, reason = "implausible", f"a call takes {1e6 * took:.3g} µs, and the device needs {1e6 * least:.3g} µs"
    warning = ""
    if events < 0.8 * took and took - events > 20e-6:
        warning = f"its own events say {1e6 * events:.3g} µs a call, our clock {1e6 * took:.3g} µs"
    return OnDevice(
        "correct", reason, speed, ratio, took, other, least, events, warning, calls, workload.elements, taken.moved,
        count,
    )  # fmt: skip


def _weights(secret: secrets.SystemRandom, dtype: str) -> Any:
    made = np.random.default_rng(secret.getrandbits(64)).uniform(0.5, 1.5, BLOCK)
    signs = np.random.default_rng(secret.getrandbits(64)).choice([-1.0, 1.0], BLOCK)
    return (made * signs).astype(dtype)


def _scale(values: Any) -> float:
    finite = np.abs(np.asarray(values, np.float64)[np.isfinite(values)])
    return float(finite.max()) if finite.size else 1.0


def names_in(path: str | Path, known: Mapping[str, Exercise]) -> Iterator[str]:
    """Yield the names of the catalogue whose functions a Python file defines, without running it."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"), str(path))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    yield from (name for name in known if name.partition(".")[2] in defined)


__all__ = ["Effort", "Filling", "Limit", "OnDevice", "QUICK", "SideFailed", "exercises", "judged", "names_in", "serve"]
