"""How fast functions are: beside the reference, beside PyTorch, and beside what the machine can do at all.

Three numbers, never one: the ratio to the reference, the ratio to PyTorch on one thread of the same core, and
1 / (1 + (T − Ts) / (Tb − Ts)), which is 1 at the machine's limit Ts and 1/2 at the time Tb of PyTorch (or of the
reference, where PyTorch has no such function).
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from graders import _api, _catalogue
from graders._adapters import named
from graders._bench import instructions
from graders._bench.costs import operations
from graders._bench.sides import trusted
from graders._bench.timed import Beside, Timed, Unavailable, of_paths
from graders._bench.timed import against as held_against
from graders.harness.report import SCHEMA
from graders.harness.sandbox import parent
from graders.harness.sandbox.contract import Function
from graders.harness.speed import limits, rounds
from graders.harness.speed.rig import LOST, CannotTime, Side, Timing
from graders.harness.speed.statistics import FEWEST, Verdict, score
from graders.harness.speed.workloads import SIZES, Workload, least_bytes

REFERENCE, TORCH, AGAINST = "reference", "torch", "against"


Clock = Literal["cpu", "instructions"]
Speed = Literal["faster", "slower", "cannot tell", "implausible", "not timed"]
"""What is said of a row: that of its interval, or that there is no time."""


class Interval(Struct, frozen=True):
    """A ratio of times, ours divided by theirs, with its 95 % interval, and what may be said of it."""

    ratio: float
    low: float
    high: float
    pairs: int
    verdict: Verdict


class Row(Struct, frozen=True):
    """How fast one function is at one size."""

    name: str
    submission: str
    function: str
    size: str
    dtype: str
    verdict: Speed
    """Against what `--against` names, where it names something; else against the reference, or against PyTorch where it
    is the reference that is timed."""
    reason: str
    """Why nothing can be told, or why there is no time."""
    ratio_reference: Interval | None
    ratio_torch_cpu: Interval | None
    ratio_torch_cuda: Interval | None
    limit_score: float | None
    seconds: float | None
    limit_seconds: float | None
    overhead_seconds: float | None
    """What a call costs without the function, which is taken off."""
    elements: int
    bytes_moved: int
    operations: float
    calls: int
    """Calls that were timed, each with an input of its own, and whose results were checked."""
    ratio_against: Interval | None = None
    """To what `--against` names."""
    instructions: float | None = None
    """What a call takes, where they are counted in place of time."""


class Bench(Struct, frozen=True):
    """The document of `gradproof bench --json`."""

    schema: int
    seed: int
    machine: dict[str, Any]
    versions: dict[str, str]
    benchmarks: list[Row]
    problems: list[str]
    against: Beside | None = None
    """What `--against` named."""
    clock: Clock = "cpu"


def bench(
    paths: Sequence[str | Path] = (),
    *,
    only: Sequence[str] = (),
    sizes: Sequence[str] = tuple(SIZES),
    dtypes: Sequence[str] = ("float64",),
    seconds: float = 1.0,
    seed: int = 0,
    against: str | None = None,
    clock: Clock = "cpu",
    device: str = "cpu",
    progress: Callable[[Row], None] = lambda row: None,
) -> Bench:
    """Time what stands at the paths, or the reference where there are none, and return the document.

    A path may be the name of a library that `conform` knows. A function is timed if it is right; `seconds` of CPU time
    are given to each process of a comparison. With `against`, a file or a revision, each is held against the function
    of the same name there, and against nothing else; the reference against a revision also by the `clock`
    "instructions". On the `device` "cuda" the paths are files whose functions take
    tensors, held against PyTorch's own there. Raises LookupError for a pattern that fits no exercise,
    `Unavailable` for a revision that cannot be had, and ValueError for an unknown size.
    """
    unknown = [size for size in sizes if size not in SIZES]
    if unknown:
        raise ValueError(f"no size is called {unknown[0]!r}; there are {', '.join(SIZES)}")
    chosen = _catalogue.select(only)
    if device != "cpu":
        if against is not None:
            raise Unavailable(f"--against compares what computes on the CPU: leave out --device {device}, or --against")
        from graders._bench import cuda

        return cuda.bench(paths, chosen, dtypes=dtypes, seconds=seconds, seed=seed, progress=progress, device=device)
    if clock == "instructions":
        if against is None or paths or Path(against).exists():
            raise Unavailable("--clock instructions: expected --against REV and no PATH; other code is not counted")
        instructions.demand()
    problems: list[str] = []
    rows, beside = [], None
    with contextlib.ExitStack() as stack:
        timed: Iterable[Timed] = of_paths(paths, chosen, seed, problems) if paths else map(Timed, chosen.values())
        if against is not None:
            timed, beside = held_against(against, paths, chosen, seed, problems, stack)
        for one in timed:
            for size in sizes:
                for dtype in dtypes:
                    rows.append(row(one, Workload(one.exercise, size, dtype, seed), seconds, clock))
                    progress(rows[-1])
    return Bench(SCHEMA, seed, machine(dtypes), _versions(), rows, problems, beside, clock)


def _versions() -> dict[str, str]:
    beside = {name: importlib.metadata.version(name) for name in (TORCH,) if parent.is_installed(name)}
    return _api.versions() | beside


def machine(dtypes: Sequence[str]) -> dict[str, Any]:
    """Return what a time depends on besides the program: among it what the machine can do, in 10⁹ a second."""
    moved = {name: 8 * size for name, size in SIZES.items()}
    return {
        "system": platform.system(), "machine": platform.machine(), "cpu": processor(),
        "cores": os.cpu_count(), "threads": 1,
        "products": {dtype: round(limits.multiplications(dtype) / 1e9, 1) for dtype in dtypes},
        "moved": {name: round(size / limits.least_seconds(size) / 1e9, 1) for name, size in moved.items()},
    }  # fmt: skip


def processor() -> str:
    """Return what the processor is called, as far as that can be known."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor()


def row(timed: Timed, workload: Workload, seconds: float, clock: Clock = "cpu") -> Row:
    """Return how fast a function is at one size: timed only if it is right, and if the size makes sense."""
    try:
        if timed.verdict:
            raise CannotTime(timed.verdict)
        case = workload.draw(0)
        moved = least_bytes(case, workload.outputs(case))
        if moved < MOVED:
            raise CannotTime("it works on a few numbers, whatever the size")
        if clock == "instructions":
            return _counted(timed, workload, moved)
        return _measured(timed, workload, moved, operations(workload.exercise.name, case), seconds)
    except (CannotTime, ValueError, parent.CannotStart) as error:
        verdict: Speed = error.verdict if isinstance(error, CannotTime) else "not timed"
        return Row(
            workload.exercise.name, timed.submission, timed.function, workload.size, workload.dtype, verdict,
            str(error), None, None, None, None, None, None, None, 0, 0, 0.0, 0,
        )  # fmt: skip


MOVED = 2_000
"""Bytes below which a workload does not hang on its size."""


def _measured(timed: Timed, workload: Workload, moved: int, count: float, seconds: float) -> Row:
    exercise = workload.exercise
    others = _opponents(timed, workload)
    ours = timed.start(workload) if timed.start else trusted(workload, REFERENCE)
    if not others:
        raise CannotTime("PyTorch has no such function, and there is nothing else to hold it against")
    timings = rounds.confirmed(workload, ours, list(others.values()), seconds=seconds)
    found = dict(zip(others, timings, strict=True))
    first = timings[0]
    limit = limits.least_seconds(moved, count, workload.dtype)
    baseline = found.get(TORCH, first).seconds[1]
    verdict, reason = _verdict(first, limit)
    scored = AGAINST not in found and not any(timing.reason for timing in timings)
    return Row(
        exercise.name, timed.submission, timed.function, workload.size, workload.dtype, verdict, reason,
        _interval(found.get(REFERENCE)), _interval(found.get(TORCH)), None,
        round(score(first.seconds[0], baseline, limit), 4) if scored else None,
        first.seconds[0], limit, first.overhead, workload.elements, moved, count, first.calls,
        _interval(found.get(AGAINST)),
    )  # fmt: skip


def _counted(timed: Timed, workload: Workload, moved: int) -> Row:
    assert timed.trees is not None
    binding = named.bind(workload.exercise, Function(workload.exercise.name.partition(".")[2], None))
    ratio, count = instructions.counted(workload, binding, *timed.trees)
    told = Interval(round(ratio.ratio, 4), round(ratio.low, 4), round(ratio.high, 4), ratio.pairs, ratio.verdict)
    return Row(
        workload.exercise.name, "", "", workload.size, workload.dtype, ratio.verdict, "", None, None, None, None, None,
        None, None, workload.elements, moved, 0.0, instructions.calls(workload), told, count,
    )  # fmt: skip


def _opponents(timed: Timed, workload: Workload) -> dict[str, Side]:
    """Return what a function is held against, in the order in which a verdict asks for it."""
    if timed.against is not None:
        return {AGAINST: replace(timed.against(workload), checked=True)}
    exercise = workload.exercise
    has_rival = TORCH in exercise.rivals and parent.is_installed(TORCH) and timed.submission != TORCH
    names = [REFERENCE] * (timed.start is not None) + [TORCH] * has_rival
    return {name: trusted(workload, name) for name in names}


def _verdict(timing: Timing, limit: float) -> tuple[Verdict, str]:
    why = _too_fast(timing, limit)
    if why:
        return "implausible", why
    return ("cannot tell", timing.reason) if timing.reason else (timing.verdict, "")


def implausible(timing: Timing, workload: Workload) -> str:
    """Return why a time is not to be believed: it is faster than the machine; or nothing."""
    case = workload.draw(0)
    moved = least_bytes(case, workload.outputs(case))
    return _too_fast(timing, limits.least_seconds(moved, operations(workload.exercise.name, case), workload.dtype))


def _too_fast(timing: Timing, limit: float) -> str:
    if timing.seconds[0] < -LOST * timing.overhead:
        less = -1e6 * timing.seconds[0]
        return f"a call takes {less:.3g} µs less than that of a function that does nothing: look at it"
    if timing.reason:
        return ""
    least = timing.seconds[0] * timing.ratio.high / timing.ratio.ratio  # at the far end of the interval
    took, can = 1e6 * timing.seconds[0], 1e6 * limit
    if least < limits.IMPLAUSIBLE * limit:
        return f"a call takes {took:.3g} µs, and the machine needs {can:.3g} µs: look at it"
    return ""


def _interval(timing: Timing | None) -> Interval | None:
    if timing is None or timing.reason:
        return None
    r = timing.ratio
    return Interval(round(r.ratio, 4), round(r.low, 4), round(r.high, 4), r.pairs, timing.verdict)


__all__ = ["FEWEST", "SIZES", "Bench", "Beside", "Interval", "Row", "Timed", "Unavailable", "bench", "row"]
