"""`gradproof bench --device cuda`: files whose functions take tensors, beside PyTorch's own on the same GPU.

The functions have the signatures of the reference, with tensors for arrays, whatever they are written in: PyTorch,
Triton, CUDA C++ by `load_inline`, CuPy. They are one's own: nothing is confined, and it is no grade.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graders import _api, _device, _on_device
from graders._bench import Bench, Interval, Row, Speed
from graders._bench.costs import operations
from graders._on_device import Effort, Limit, OnDevice
from graders.harness.answers import Answer
from graders.harness.cases import Case
from graders.harness.exercise import Exercise
from graders.harness.report import SCHEMA
from graders.harness.speed import device as devices
from graders.harness.speed.statistics import Ratio, score

SIZE = "filling"
FULL = Effort(elements=1 << 24)
COPIED, ROWS = 1 << 30, 4096
"""Bytes that are copied, and the rows of the matrices that are multiplied, to find what the device can do."""
TIMES = 10.0
"""Seconds for a function, by `seconds`: on the CPU that is for each process of each of several comparisons."""


class NoFile(LookupError):
    """There is nothing that could be timed on a device."""


def bench(
    paths: Sequence[str | Path],
    chosen: Mapping[str, Exercise],
    *,
    dtypes: Sequence[str],
    seconds: float,
    seed: int,
    progress: Callable[[Row], None],
    device: str = "cuda",
    effort: Effort = FULL,
) -> Bench:
    """Time the functions of these files on a device, and return the document.

    Raises `_device.NoDevice` where there is none, and `NoFile` without a file: the reference computes on the CPU.
    """
    place = _device.found(device)
    if not paths:
        raise NoFile("--device cuda: expected a PATH, a file whose functions take tensors; the reference takes none")
    there = devices.device_of(device)
    plan = devices.QUICK if device == "cpu" else devices.Plan()
    moved = devices.moving_rate(there, COPIED if device == "cuda" else 1 << 22, plan)
    products = {d: devices.product_rate(there, ROWS if device == "cuda" else 128, d, plan) for d in dtypes}
    rows: list[Row] = []
    problems: list[str] = []
    key = _api.Key(seed, lambda exercise: None)
    for path in map(Path, paths):
        for name in _names(path, chosen, problems):
            exercise = _on_device.exercises()[name]
            asked = [(case, answer) for case in key.cases(exercise) if (answer := key.find(exercise, case))]
            for dtype in dtypes:
                limit = Limit(moved, products[dtype], functools.partial(operations, name))
                spent = replace(effort, seconds=TIMES * seconds)
                found = _judged(device, path, exercise, asked, spent, dtype, limit)
                rows.append(_row(found, path, name, dtype))
                progress(rows[-1])
    machine: dict[str, Any] = {
        "system": platform.system(), "machine": platform.machine(), "cores": None, "threads": None,
        "device": place.name or device, "products": {d: round(rate / 1e9, 1) for d, rate in products.items()},
        "moved": {SIZE: round(moved / 1e9, 1)},
    }  # fmt: skip
    return Bench(SCHEMA, seed, machine, _api.versions() | _device.versions(place), rows, problems)


def _names(path: Path, chosen: Mapping[str, Exercise], problems: list[str]) -> Iterator[str]:
    """Yield the names of the catalogue that a file defines, and that PyTorch has a function for."""
    known = {name: exercise for name, exercise in _on_device.exercises().items() if name in chosen}
    try:
        found = list(_on_device.names_in(path, known))
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        problems.append(f"{path}: cannot be read: {error}")
        return
    if not found:
        problems.append(f"{path}: defines no function of the catalogue that PyTorch has one for")
    yield from found


def _judged(
    device: str, path: Path, exercise: Exercise, asked: Sequence[tuple[Case, Answer]], effort: Effort, dtype: str,
    limit: Limit,
) -> OnDevice:  # fmt: skip
    try:
        return _on_device.judged(device, path, exercise, asked, effort, dtype, limit)
    except ValueError as error:  # nothing of this size can be drawn
        return OnDevice("error", str(error))


def _row(found: OnDevice, path: Path, name: str, dtype: str) -> Row:
    right = found.verdict == "correct"
    reason = found.reason if right else f"it is {found.verdict}: {found.reason}"
    told = "; ".join(filter(None, [reason, found.warning]))
    reached = None
    if found.seconds is not None and found.torch_seconds is not None and found.floor_seconds is not None:
        reached = round(score(found.seconds, found.torch_seconds, found.floor_seconds), 4)
    speed: Speed = found.speed if right else "not timed"
    return Row(
        name, path.stem, name.partition(".")[2], SIZE, dtype, speed, told, None, None, _interval(found.ratio),
        reached, found.seconds, found.floor_seconds, None, found.elements, found.bytes_moved, found.operations,
        found.calls,
    )  # fmt: skip


def _interval(ratio: Ratio | None) -> Interval | None:
    if ratio is None:
        return None
    return Interval(round(ratio.ratio, 4), round(ratio.low, 4), round(ratio.high, 4), ratio.pairs, ratio.verdict)


__all__ = ["NoFile", "bench"]
