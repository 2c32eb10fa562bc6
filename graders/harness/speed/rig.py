"""Two sides timed in turn, each in a process of its own, by the CPU clock of that process read from outside.

Nothing that a side does to its own clock, its own NumPy or its own memory is believed: the time is the kernel's count
of what the process used, all its threads together; every call has an input that was never seen before; every result is
held against what is right for that input, some of them, chosen in secret, in full. What a call costs without the
function (to read the arguments, to send the result) is measured in the same run and taken off both sides.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from graders.harness.cases import Case
from graders.harness.compare import as_array
from graders.harness.judge import said_of
from graders.harness.plans import Binding, WrongKind
from graders.harness.sandbox.contract import Call, Limits, Loaded, Outcome, Returned
from graders.harness.sandbox.parent import ProcessBox, stolen_seconds
from graders.harness.speed.statistics import (
    CRUDE,
    FEWEST,
    Alarms,
    Ratio,
    Verdict,
    bounded_ratio,
    is_far,
    log_ratio,
    ratio_of,
)
from graders.harness.speed.workloads import Workload, least_bytes

BATCH = 0.002
"""Seconds of CPU time that a sample takes at least: to read a clock and to wake a process cost a hundredth of it."""
TOO_SHORT = 0.5
"""The share of it below which samples are taken anew, with more calls in each."""
LONGEST = 0.05
"""Seconds in one sample of the slowest side, at which there are calls enough: it is far slower than another."""
LOSING = 4
"""So many times as many samples are taken where too many are lost in what a call costs."""
MOST_CALLS = 256
MOST_BYTES = 48 << 20
"""Bytes of the arguments of one sample."""
LOST = 0.1
"""A function that takes less than this share of what a call costs without it is lost in that."""
IN_FULL = 0.02
"""The share of the small calls whose results are held against the allowed error of every element; one at least."""
NEAR = {"float64": 1e-10, "float32": 1e-4}
"""How near every other result must be, relative to the largest element: nearer than a lower precision could come."""
OVERRUN = 60.0
"""How many times what is asked for may be used, while the pairs are too few for an interval: of some seconds a call,
which is what a function may take that would rather be measured crudely."""
MOST_SECONDS = 30.0
"""… but no more than that."""
PATIENCE = 10.0
"""Wall-clock seconds that may pass for each of CPU time that is asked for: inputs are made, results checked; …"""
SLACK = 3.0
"""… and for each that may be used, while the pairs are too few."""
WAITING = 4.0
"""How many times as long as it computes a side may be idle, …"""
LONG = 0.2
"""… and so many seconds besides; three fresh processes must do so."""
TRIES = 3
"""Fresh processes in which one fault must show that a busy machine may seem to make."""
SANDBOXED = "sandboxed"
"""The kind of process in which a program may replace what serves its calls, …"""
QUICKER = 0.9
"""… which is seen where that takes less than this share of what it takes in a fresh one, …"""
ALIKE = 0.95
"""… and is not looked at again where it takes more than this, …"""
PROBES = 256
"""… in so many calls, …"""
LOOKS = 16
"""… looked at so often: a core whose other half is busy takes half as long again, for some tenths of a second."""
AWAKE = """
import collections, itertools, os, sys
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
os.sched_setaffinity(0, set(map(int, sys.argv[2].split(","))))
while os.getppid() == int(sys.argv[1]):
    collections.deque(itertools.repeat(None, 1_000_000), maxlen=0)
"""
"""What gives way to everything else, and ends with the process that started it."""
TIMES_ON = "gradproof times on core {}"
"""The name by which a grader takes a core."""
UNLIMITED = Limits(call_seconds=60, load_seconds=120, total_seconds=1e9, memory=24 << 30)

Open = Callable[[], ProcessBox]


@dataclass(frozen=True)
class Empty:
    """A process with a function that does nothing; sides with the same one share it."""

    kind: str
    open: Open
    bind: Callable[[ProcessBox], Binding]


class CannotTime(Exception):
    """A side cannot be timed; the message says which, and why."""

    verdict: Literal["not timed", "slower", "implausible"] = "not timed"
    """What that says of the speed of the side that is asked about."""


class Failed(CannotTime):
    """The side that is asked about failed, or returned what is not right: then there is no time."""


class Waits(Failed):
    """The side that is asked about sleeps, or waits for something: that costs no CPU time."""

    verdict = "slower"  # by the clock on the wall


class Implausible(Failed):
    """The process of the side that is asked about cannot be what it was when it was started."""

    verdict = "implausible"


@dataclass(frozen=True)
class Side:
    """One side of a comparison: how to start it, and how it is called."""

    name: str
    open: Open
    bind: Callable[[ProcessBox], Binding]
    empty: Empty
    """The same kind of process with a function that does nothing: what a call costs there."""
    checked: bool = False
    """Whether its results are held against what is right, too, as those of the side that is asked about always are."""


@dataclass
class _Running:
    """A side in its process."""

    side: Side | Empty
    box: ProcessBox
    binding: Binding
    asked: bool = False
    """Whether it is the side that is asked about."""
    cpu: float = 0.0
    idle: float = 0.0
    """Seconds in which it neither computed nor was kept from it by other processes."""
    charged: float | None = None
    """Where its clock stood when its last sample ended: what it does while others are timed is charged to the next."""

    @property
    def is_held(self) -> bool:
        """Return whether its results are held against what is right."""
        return self.asked or (isinstance(self.side, Side) and self.side.checked)

    def fault(self, what: str, between: str = " ") -> CannotTime:
        """Return what is wrong with it, to be raised."""
        return (Failed if self.asked else CannotTime)(f"{name_of(self.side)}{between}{what}")

    def _kept_from(self) -> float:
        """Return the seconds for which it, and the grader that it answers, had to wait for a core."""
        return queued_seconds(self.box.process) + queued_seconds(os.getpid()) + stolen_seconds()

    def calls(self, case: Case, largest: int) -> list[Call]:
        """Return the calls of a case: the same ones for every side that is called alike, so that they are made once."""
        plan = self.binding.plan(case)

        def made() -> tuple[Sequence[Call], list[Call]]:
            return plan, [replace(call, largest=max(call.largest, largest)) for call in plan]

        _, calls = case.once(("calls", largest, *map(id, plan)), made)  # the plan is kept, so its numbers are its own
        return calls

    def run(self, cases: Sequence[Case], largest: int) -> tuple[float, list[list[Outcome]]]:
        """Return the CPU seconds that the calls of these cases took together, and what came of each."""
        plans = [self.calls(case, largest) for case in cases]
        calls = [call for plan in plans for call in plan]
        for call in calls:
            call.encoded  # noqa: B018  (made now: it is the grader's work)
        began, kept_from = time.monotonic(), self._kept_from()
        before = self.box.cpu_seconds()
        outcomes = self.box.call(calls)
        now = self.box.cpu_seconds()
        self.idle += max(0.0, time.monotonic() - began - (now - before) - (self._kept_from() - kept_from))
        used = now - (before if self.charged is None else self.charged)
        self.charged = now
        self.cpu += used
        if len(outcomes) < len(calls) or not all(isinstance(o, Returned) for o in outcomes):
            failed = next(o for o in outcomes if not isinstance(o, Returned))
            raise self.fault(said_of(failed))
        split, at = [], 0
        for plan in plans:
            split.append(outcomes[at : at + len(plan)])
            at += len(plan)
        return used, split


@dataclass(frozen=True)
class Timing:
    """What a comparison found."""

    ratio: Ratio
    seconds: tuple[float, float]
    """CPU seconds of a call: the median of either side, without what a call costs anyway."""
    overhead: float
    calls: int
    """Calls of either side that were timed and checked."""
    in_full: int
    """Of these, results of the first side held against the allowed error of every element."""
    samples: tuple[float, ...] = field(repr=False, default=())
    whole: float = 0.0
    """The logarithm of the ratio of all the time that either side used."""
    reason: str = ""
    """Why nothing can be told, where that is so."""

    @property
    def verdict(self) -> Verdict:
        """Return what may be said of the first side."""
        return "cannot tell" if self.reason else self.ratio.verdict


@contextlib.contextmanager
def pinned(*boxes: ProcessBox) -> Iterator[None]:
    """Keep the sides on a core, and the grader off it, where there are two; as it was before, afterwards."""
    if sys.platform != "linux":
        yield
        return
    cores = sorted(os.sched_getaffinity(0))
    with socket.socket(socket.AF_UNIX) as name, contextlib.ExitStack() as stack:
        try:
            if len(cores) > 1:
                core = next((core for core in cores[:0:-1] if _took(name, core)), cores[-1])
                for box in boxes:
                    with contextlib.suppress(OSError):
                        os.sched_setaffinity(box.process, {core})
                os.sched_setaffinity(0, set(cores) - {core})
                for group in ({core}, set(cores) - {core}):
                    stack.enter_context(_kept_awake(group))
            yield
        finally:
            os.sched_setaffinity(0, cores)


@contextlib.contextmanager
def _kept_awake(cores: Collection[int]) -> Iterator[None]:
    """Keep one of these cores from sleeping, where a machine's cores are taken from it.

    A virtual machine's core that sleeps is given away, and must queue for it each time that it is woken: for every call
    of a side, and for every answer.
    """
    if not stolen_seconds():
        yield
        return
    told = (str(os.getpid()), ",".join(map(str, cores)))
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", AWAKE, *told], stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def _took(name: socket.socket, core: int) -> bool:
    """Return whether a core is ours: on which no other grader times anything.

    It is taken by the name of a socket in no folder, which goes with the grader, however that ends.
    """
    try:
        name.bind("\0" + TIMES_ON.format(core))
    except OSError:
        return False
    return True


class _Check:
    """Holds results against what is right: all of them cheaply, some in full, which ones nobody knows beforehand."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.in_full = 0
        self._secret = secrets.SystemRandom()

    def __call__(self, side: _Running, case: Case, outcomes: Sequence[Outcome], surely: bool) -> None:
        returned = [o for o in outcomes if isinstance(o, Returned)]
        binding = side.binding
        try:
            outputs = binding.outputs(case, returned)
        except WrongKind as error:
            raise side.fault(str(error), ": ") from None
        except Exception as error:  # whatever came back made it: to have no time for it would be a way to be excused
            raise side.fault(f"the result cannot be read ({type(error).__name__}: {error})", ": ") from None
        full = self.workload.size == "small" and (surely or self._secret.random() < IN_FULL)
        self.in_full += full and side.asked
        right = self.workload.exact(case) if full else self.workload.outputs(case)
        for name in (name for name in right if name not in binding.unseen):
            self._hold(side, name, outputs.get(name), np.asarray(right[name]), case, full)

    def _hold(self, side: _Running, name: str, got: Any, truth: Any, case: Case, full: bool) -> None:
        what = name or "the result"
        array = as_array(got)
        if array is None or array.shape != truth.shape:
            shape = "no array" if array is None else f"shape {array.shape}"
            raise side.fault(f"{what} has {shape}, expected shape {truth.shape}", ": ")
        if np.array_equal(array, truth):  # what is allowed takes far longer to find
            return
        with np.errstate(all="ignore"):
            off = np.abs(array.astype(np.float64) - truth)
            if full:
                allowed = self.workload.allowed(case)[name]
            else:
                finite = np.abs(truth[np.isfinite(truth)])
                allowed = NEAR[case.dtype] * (finite.max() if finite.size else 1.0)
            bad = ~((off <= allowed) | (array == truth) | np.isinf(allowed) | (np.isnan(array) & np.isnan(truth)))
        if np.any(bad):
            share = np.mean(bad)
            raise side.fault(f"{what} of a timed call is wrong in {share:.2%} of its elements: there is no time", ": ")


def compare(
    workload: Workload,
    ours: Side,
    others: Sequence[Side],
    *,
    seconds: float = 2.0,
    first: int = 0,
    most: float = math.inf,
    alarms: Alarms | None = None,
) -> list[Timing]:
    """Return how the time of one side compares with that of each other, each in one fresh process.

    Samples are taken until every interval is as narrow as `statistics.PRECISION` and tells, or there are `most` pairs
    of them, or all sides together have used so many `seconds` of CPU time; more while there are too few, unless these
    give their `alarms` even so. Calls get inputs number `first` and up. That our side waits, or is implausible, is
    believed only if it is so in several processes, one after the other: a machine stalls as well.

    Raises `CannotTime`, `Failed` where it is our side that fails or whose result is wrong, `Waits` where it is idle,
    `Implausible` where what serves its calls was replaced.
    """
    seen: list[type[Exception]] = []
    while True:
        try:
            return _compared_once(workload, ours, others, seconds, first, most, alarms)
        except (Waits, Implausible) as fault:
            seen.append(type(fault))
            if seen.count(type(fault)) == TRIES:
                raise


def _compared_once(
    workload: Workload,
    ours: Side,
    others: Sequence[Side],
    seconds: float,
    first: int,
    most: float,
    alarms: Alarms | None,
) -> list[Timing]:
    with contextlib.ExitStack() as stack:
        sides = [_started(side, stack, asked=side is ours) for side in (ours, *others)]
        kinds = {side.empty.kind: side.empty for side in (ours, *others)}
        empties = {kind: _started(empty, stack) for kind, empty in kinds.items()}
        with pinned(*(side.box for side in (*sides, *empties.values()))):
            idle = [empties[side.empty.kind] for side in (ours, *others)]
            return _compared(workload, sides, idle, seconds, first, most, alarms)


def queued_seconds(process: int) -> float:
    """Return how long the threads of a process were ready and had no core, as far as the system tells."""
    total = 0
    for thread in Path(f"/proc/{process}/task").glob("[0-9]*/schedstat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            total += int(thread.read_bytes().split()[1])
    return total / 1e9


def name_of(side: Side | Empty) -> str:
    """Return how a message calls a side."""
    return side.name if isinstance(side, Side) else f"a function that does nothing ({side.kind})"


def _started(side: Side | Empty, stack: contextlib.ExitStack, asked: bool = False) -> _Running:
    box = stack.enter_context(side.open())
    if not isinstance(box.loaded, Loaded):
        raise (Failed if asked else CannotTime)(f"{name_of(side)} {said_of(box.loaded)}")
    return _Running(side, box, side.bind(box), asked)


@dataclass
class _Inputs:
    """Inputs that no call has had before."""

    workload: Workload
    number: int

    def take(self, count: int) -> list[Case]:
        """Return so many more."""
        self.number += count
        return [self.workload.draw(at) for at in range(self.number - count, self.number)]


def _compared(
    workload: Workload,
    sides: Sequence[_Running],
    empties: Sequence[_Running],
    seconds: float,
    first: int,
    most_pairs: float,
    alarms: Alarms | None,
) -> list[Timing]:
    inputs, check = _Inputs(workload, first), _Check(workload)
    (sample,) = inputs.take(1)
    outputs = workload.outputs(sample)
    largest = 4096 + 2 * sum(np.asarray(value).nbytes for value in outputs.values())
    most = max(1, min(MOST_CALLS, MOST_BYTES // max(1, least_bytes(sample, outputs))))
    count = _warmed(sides, empties, inputs, largest, most)
    ours, short = sides[0], TOO_SHORT * BATCH
    logs: list[list[float]] = [[] for _ in sides]
    nets: list[list[float]] = [[0.0, 0.0] for _ in sides]
    used: list[list[float]] = [[] for _ in sides]
    overheads: list[list[float]] = [[] for _ in sides]
    calls, spent, began, look = 0, 0.0, time.monotonic(), 2 * FEWEST
    while True:
        went: dict[int, float] = {}
        came: dict[int, float] = {}
        first_of_all = calls == 0
        for turn, times in ((sides, went), (sides[::-1], came)):
            # either way begins alike, after new inputs were made: else the side that runs twice in a row would find
            # what it needs still in the core's caches, and seem some per cent faster than it is
            cases = inputs.take(count)
            cost = {id(empty): empty.run(cases, largest)[0] / count for empty in {id(e): e for e in empties}.values()}
            for at, empty in enumerate(empties):
                overheads[at].append(cost[id(empty)])
            results: list[tuple[_Running, Case, list[Outcome]]] = []
            for side in turn:
                took, outcomes = side.run(cases, largest)
                times[id(side)] = took / count
                spent += took
                if side.is_held:
                    results += ((side, case, outcome) for case, outcome in zip(cases, outcomes, strict=True))
            for side, case, outcome in results:
                check(side, case, outcome, surely=first_of_all and case is cases[0])
            first_of_all = False
        calls += 2 * count
        for at, side in enumerate(sides):
            used[at] += [went[id(side)], came[id(side)]]
            base, other = statistics.median(overheads[0]), statistics.median(overheads[at])
            # at least what is lost in a call: beside single calls, which a very slow side makes of them, a quick one is
            theirs = [max(took[id(side)] - other, LOST * other) for took in (went, came)]
            net = [went[id(ours)] - base, *theirs, came[id(ours)] - base]
            if side is not ours and min(net) > 0:
                logs[at].append(log_ratio(net))
                nets[at] = [nets[at][0] + net[0] + net[3], nets[at][1] + net[1] + net[2]]
        _hold_awake(sides)
        least, slowest = min(*went.values(), *came.values()), max(*went.values(), *came.values())
        if count < most and count * least < short and count * slowest < LONGEST:
            # a side that was slow while it was warmed up is not any more: single calls find cold caches, all alike
            short, count = BATCH, min(most, _more(count, count * least))
            for found in (*logs, *used, *overheads):
                found.clear()
            nets = [[0.0, 0.0] for _ in sides]
            calls, spent, began, look = 0, 0.0, time.monotonic(), 2 * FEWEST
            continue
        pairs = min(map(len, logs[1:]))
        # what is lost in calling it makes no pairs, and a machine that is very busy loses some
        enough, few = False, pairs < FEWEST and calls < 2 * count * LOSING * FEWEST
        if pairs >= look:  # seldom: an interval that is looked at after every pair leaves the truth out far more often
            look = 2 * pairs
            enough = all(ratio_of(found).is_settled for found in logs[1:])
        elif alarms is not None and 0 < pairs < FEWEST:
            enough = all(is_far(ratio_of(found), alarms) for found in logs[1:])
        given = max(seconds, min(OVERRUN * seconds, MOST_SECONDS)) if few else seconds
        over = spent > given or time.monotonic() - began > max(PATIENCE * seconds, SLACK * given)
        if enough or over or pairs >= most_pairs:
            break
    if ours.side.empty.kind == SANDBOXED:  # type: ignore[union-attr]
        _hold_served(ours, empties[0])
    return [
        _timing(logs[at], nets[at], (used[0], used[at]), (overheads[0], overheads[at]), calls, check.in_full)
        for at in range(1, len(sides))
    ]


def _warmed(sides: Sequence[_Running], empties: Sequence[_Running], inputs: _Inputs, largest: int, most: int) -> int:
    """Return how many calls a sample needs, having made some: what a side does only once, it has done."""
    count = 1
    while True:
        cases = inputs.take(count)
        took = [side.run(cases, largest)[0] for side in sides]
        least = min(took)
        _hold_awake(sides)
        for empty in empties:
            empty.run(cases, largest)
        if least >= BATCH or max(took) >= LONGEST or count >= most:
            return count
        count = min(most, _more(count, least))


def _more(count: int, least: float) -> int:
    """Return how many calls to try next, where so many of the quickest side took so long."""
    return max(count + 1, int(1.3 * count * BATCH / max(least, BATCH / 8)))


def _hold_awake(sides: Sequence[_Running]) -> None:
    """Raise `Waits` if our side is idle for far longer than it computes, and than the others are idle."""
    ours, *others = sides
    if ours.idle > LONG + WAITING * max(ours.cpu, *(side.idle for side in others)):
        used, idle = f"{ours.cpu:.2g} s of CPU time", f"{ours.idle:.2g} s"
        raise Waits(f"{name_of(ours.side)} used {used} and was idle for {idle} besides: it sleeps, or waits")


def _hold_served(ours: _Running, fresh: _Running) -> None:
    """Raise `Implausible` where what serves a submission's calls has become quicker than it is in a fresh process.

    The calls that tell need none of its functions.
    """
    calls = [
        Call("=", (np.zeros(8),))
    ] * PROBES  # which needs no memory: where that lies differs from process to process
    took: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(LOOKS):
        for _ in range(TRIES):
            pair = {True: 0.0, False: 0.0}
            for side in (ours, fresh, fresh, ours):
                before = side.box.cpu_seconds()
                served = all(isinstance(outcome, Returned) for outcome in side.box.call(calls))
                pair[side.asked] += (side.box.cpu_seconds() - before) / (2 * PROBES) if served else 0.0
            for asked, spent in pair.items():
                took[asked].append(spent)
        # one beside the other, in turn: the quickest of each may lie in another of the core's moods
        share = statistics.median(
            mine / max(theirs, 1e-9) for mine, theirs in zip(took[True], took[False], strict=True)
        )
        if share > ALIKE:
            return
    if share > QUICKER:
        return
    ours_took, takes = (f"{1e6 * statistics.median(took[asked]):.1f} µs" for asked in (True, False))
    raise Implausible(
        f"{name_of(ours.side)}: its process serves a call of none of its functions in {ours_took}, a fresh one in "
        f"{takes}, so what serves them was replaced: look at it"
    )


def _timing(
    logs: Sequence[float],
    nets: Sequence[float],
    used: tuple[list[float], list[float]],
    overheads: tuple[list[float], list[float]],
    calls: int,
    in_full: int,
) -> Timing:
    bases = statistics.median(overheads[0]), statistics.median(overheads[1])
    base = max(bases)
    took = (statistics.median(used[0]) - bases[0], statistics.median(used[1]) - bases[1])
    reason = ""
    far = took[0] > CRUDE * LOST * base  # then ours is far slower, even if theirs took as long as could be lost
    if not logs or (min(took) < LOST * base and not far):
        least = 1e6 * max(0.0, min(took))
        reason = f"a call takes {least:.1f} µs, lost in the {1e6 * base:.0f} µs that calling it costs"
    whole = math.log(nets[0] / nets[1]) if logs else 0.0
    return Timing(bounded_ratio(logs, whole), took, base, calls, in_full, tuple(logs), whole, reason)
