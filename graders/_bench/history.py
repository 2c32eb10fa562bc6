"""A file of benchmarks, a line of JSON for each run: ratios alone, since times of another day say little."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from graders._bench import FEWEST, Bench, Interval
from graders._bench.plots import Bar, Trend, trend
from graders.harness.report import SCHEMA
from graders.harness.report.json import document

MACHINE = ("system", "machine", "cpu", "cores", "threads", "device")
"""What is kept of a machine: what it is, not how fast it was."""


class UnusableHistory(ValueError):
    """A file that holds no history; the message says where and why."""


class Ratios(Struct, frozen=True):
    """What one run said of one function at one size."""

    name: str
    submission: str
    size: str
    dtype: str
    verdict: str
    ratio_reference: Interval | None
    ratio_torch_cpu: Interval | None
    ratio_against: Interval | None


class Entry(Struct, frozen=True):
    """One run: a line of the file."""

    schema: int
    revision: str
    """The commit of what was timed, with "+" where it had changes that were not committed; "" outside a repository."""
    when: str
    """In UTC."""
    machine: dict[str, Any]
    versions: dict[str, str]
    against: str
    benchmarks: list[Ratios]

    @property
    def said(self) -> str:
        """Return how a plot calls it."""
        commit = self.revision.removesuffix("+")
        return commit[:7] + "+" * self.revision.endswith("+") if commit else self.when[:10]

    @property
    def place(self) -> tuple[str, ...]:
        """Return what makes ratios of two runs comparable: the processor, and PyTorch's version."""
        place = next((self.machine[name] for name in ("device", "cpu", "machine") if self.machine.get(name)), "")
        return (str(place), self.versions.get("torch", ""))


def entry(bench: Bench, revision: str) -> Entry:
    """Return the line that a run adds."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    rows = [
        Ratios(r.name, r.submission, r.size, r.dtype, r.verdict, r.ratio_reference, r.ratio_torch_cpu, r.ratio_against)
        for r in bench.benchmarks
        if r.seconds is not None
    ]
    machine = {name: bench.machine[name] for name in MACHINE if name in bench.machine}
    beside = bench.against.commit or bench.against.name if bench.against is not None else ""
    return Entry(SCHEMA, revision, now, machine, bench.versions, beside, rows)


def read(path: Path) -> list[Entry]:
    """Return the runs of a file, none if there is no such file yet; raise `UnusableHistory`."""
    if not path.exists():
        return []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UnusableHistory(f"{path}: cannot be read ({error.strerror})") from None
    made = []
    for number, line in enumerate(lines, 1):
        try:
            made.append(msgspec.json.decode(line, type=Entry))
        except msgspec.MsgspecError as error:
            raise UnusableHistory(
                f"{path} line {number}: expected a run that `gradproof bench --history` wrote ({error}); remove the "
                "line, or name another file"
            ) from None
        if made[-1].schema != SCHEMA:
            raise UnusableHistory(
                f"{path} line {number}: has schema {made[-1].schema}, expected {SCHEMA}; name another file"
            )
    return made


def append(path: Path, added: Entry) -> None:
    """Add a run to a file, which is made if there is none; raise `UnusableHistory` if it cannot be written."""
    line = msgspec.json.encode(msgspec.json.decode(document(added))) + b"\n"
    try:
        with path.open("ab") as file:
            file.write(line)  # at once: two runs that end together leave two lines
    except OSError as error:
        raise UnusableHistory(f"{path}: cannot be written ({error.strerror})") from None


def trends(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """Yield a title and a plot for each function of which two runs or more tell a ratio to PyTorch, or the reference's.

    Runs on different processors, or beside different versions of PyTorch, are different lines.
    """
    labels = [one.said for one in entries]
    names = dict.fromkeys((r.submission, r.name, r.dtype) for one in entries for r in one.benchmarks)
    for submission, name, dtype in names:
        bars: dict[tuple[str, ...], list[Bar]] = {}
        beside = "PyTorch" if any(_told(r.ratio_torch_cpu) for r in _of(entries, submission, name, dtype)) else ""
        for at, one in enumerate(entries):
            for row in _of([one], submission, name, dtype):
                ratio = _told(row.ratio_torch_cpu if beside else row.ratio_reference)
                if ratio is not None:
                    bar = Bar(at, ratio.ratio, ratio.low, ratio.high)
                    bars.setdefault((row.size, *one.place), []).append(bar)
        if len({bar.at for found in bars.values() for bar in found}) < 2:
            continue
        places = dict.fromkeys(key[1:] for key in bars)
        shown = [Trend(_name(key, list(places)), tuple(found)) for key, found in bars.items()]
        title = " ".join(filter(None, (submission, name, dtype)))
        yield title, trend(title, f"time / that of {beside or 'the reference'}", labels, shown)


def _of(entries: Sequence[Entry], submission: str, name: str, dtype: str) -> Iterator[Ratios]:
    for one in entries:
        for row in one.benchmarks:
            if (row.submission, row.name, row.dtype) == (submission, name, dtype):
                yield row


def _told(interval: Interval | None) -> Interval | None:
    return interval if interval is not None and interval.pairs >= FEWEST else None


def _name(key: tuple[str, ...], places: Sequence[tuple[str, ...]]) -> str:
    size, cpu, torch = key
    return size if len(places) == 1 else f"{size}, {cpu}" + (f", PyTorch {torch}" if torch else "")
