"""A benchmark for people: a table, what is reached of what the machine can do, and how time grows with size."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from graders._bench import FEWEST, Bench, Interval, Row
from graders._bench.plots import Series, plot
from graders._bench.timed import Beside
from graders.harness.report.words import number, one_line

EXPLAINED = (
    "Times are CPU seconds of the process that runs the function, read by another, on one thread; what calling costs "
    "is taken off. Every call had an input of its own, and every result was checked. A ratio is ours divided by "
    "theirs, with the interval that holds it with 95 % confidence. The score is 1 at the machine's limit (the bytes "
    "moved at the rate of a copy, or the operations at that of a product of matrices) and 1/2 at PyTorch's time."
)


TREND = (
    "Each point is a ratio within one run, with its interval. Times of different runs are not compared, and runs on "
    "another processor, or beside another version of PyTorch, are other lines. The last point is this run."
)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{number(seconds / scale, 3)} {unit}"
    return f"{number(seconds / 1e-9, 3)} ns"


def _told(interval: Interval | None) -> Interval | None:
    """Return a ratio if there were pairs enough for its interval."""
    return interval if interval is not None and interval.pairs >= FEWEST else None


def _ratio(interval: Interval | None) -> str:
    if interval is None:
        return ""
    told = f"{interval.ratio:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
    return told if _told(interval) else f"not told by {interval.pairs} pair{'s' * (interval.pairs != 1)}"


def _columns(bench: Bench) -> dict[str, Callable[[Row], str]]:
    """Return what a table shows of a row, by the head of the column."""
    beside: dict[str, Callable[[Row], str]] = {
        "/ reference": lambda row: _ratio(row.ratio_reference),
        "/ PyTorch": lambda row: _ratio(row.ratio_torch_cuda or row.ratio_torch_cpu),
    }
    scored: dict[str, Callable[[Row], str]] = {
        "score": lambda row: "" if row.limit_score is None else f"{row.limit_score:.2f}"
    }
    if bench.against is not None:
        beside, scored = {f"/ {_short(bench.against)}": lambda row: _ratio(row.ratio_against)}, {}
    return {
        "name": lambda row: row.name, "size": lambda row: row.size, "dtype": lambda row: row.dtype,
        "verdict": lambda row: row.verdict, "a call": _call, **beside,
        "limit": lambda row: _time(row.limit_seconds), **scored,
    }  # fmt: skip


def _call(row: Row) -> str:
    """Return what a call takes."""
    return _time(row.seconds) if row.instructions is None else f"{number(row.instructions / 1e6, 3)} M instructions"


def text(bench: Bench) -> str:
    """Return the table for a terminal."""
    lines = []
    for submission in dict.fromkeys(row.submission for row in bench.benchmarks):
        rows = [row for row in bench.benchmarks if row.submission == submission]
        columns = _columns(bench)
        cells = [list(columns), *([cell(row) for cell in columns.values()] for row in rows)]
        wide = [max(len(line[at]) for line in cells) for at in range(len(columns))]
        lines += [f"{submission or 'the reference'}:"]
        for row, line in zip([None, *rows], cells, strict=True):
            shown = "  ".join(f"{cell:<{width}}" for cell, width in zip(line, wide, strict=True))
            lines.append(f"  {shown}".rstrip())
            if row is not None and row.reason:
                lines.append(f"      {one_line(row.reason)}")
        lines.append("")
    lines += [f"cannot be timed: {problem}" for problem in bench.problems]
    lines += [f"{_beside(bench.against)}."] if bench.against is not None else []
    lines.append(_machine(bench))
    return "\n".join(lines) + "\n"


def _short(against: Beside) -> str:
    return against.name if against.commit else Path(against.name).name


def _beside(against: Beside) -> str:
    """Return what was held against what, in words."""
    ours = "this tree, with changes that are not committed," if against.changed else "this tree"
    if not against.commit:
        return f"Beside the functions of the same names in {against.name}"
    numpy = f", run with NumPy {against.numpy}" if against.numpy not in ("", np.__version__) else ""
    return f"Beside {against.name} ({against.commit[:9]}){numpy}: a ratio above 1 says that {ours} is slower"


def _machine(bench: Bench) -> str:
    rates = ", ".join(f"{dtype} {number(rate, 3)} Gop/s" for dtype, rate in bench.machine["products"].items())
    moved = number(max(bench.machine["moved"].values()), 3)
    where = bench.machine.get("device", "one thread of this machine")
    return f"{where}: a product of matrices {rates}; memory up to {moved} GB/s; seed {bench.seed}"


STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; max-width: 75rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; font-size: .9rem; } td, th { text-align: left; padding: .15rem .8rem .15rem 0;
  border-top: 1px solid #ddd; white-space: nowrap; } td small { color: #666; } .scroll { overflow-x: auto; }
.slower, .implausible { color: #b3261e; font-weight: 600; } .faster { color: #2b6b26; font-weight: 600; }
.not-timed { color: #666; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1.5rem; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; fill: currentColor; } .grid { stroke: #ccc; }
.wide { max-width: 50rem; } .key span { margin-right: 1.2em; font-size: .85rem; }
.key i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 50%; }
@media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #161616; } td, th { border-color: #444; }
  td small, .not-timed { color: #b5b5b5; } .slower, .implausible { color: #ff8a80; } .faster { color: #8fd18a; }
  .grid { stroke: #444; } }
"""


def page(bench: Bench, trends: Iterable[tuple[str, str]] = ()) -> str:
    """Return the benchmark as one HTML page that needs nothing else, with plots of earlier runs and their titles."""
    say = html.escape
    lines = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Speed</title><style>{STYLE}</style></head><body>",
        f"<h1>Speed</h1>\n<p>{say(EXPLAINED)}</p>",
    ]
    for submission in dict.fromkeys(row.submission for row in bench.benchmarks):
        rows = [row for row in bench.benchmarks if row.submission == submission]
        lines.append(f"<h2>{say(submission or 'The reference')}</h2>")
        columns = _columns(bench)
        heads = "".join(f"<th>{say(head)}</th>" for head in columns)
        lines.append(f'<div class="scroll"><table><tr>{heads}</tr>')
        lines += (_line(row, columns) for row in rows)
        lines.append("</table></div>")
        lines.append(f'<div class="wide">{_roofline(bench, rows)}</div>' if any(r.seconds for r in rows) else "")
        lines.append(f'<div class="plots">{"".join(_growths(rows))}</div>')
    lines += [f"<p>Cannot be timed: {say(problem)}</p>" for problem in bench.problems]
    drawn = "".join(f"<div><h3>{say(title)}</h3>{plot_}</div>" for title, plot_ in trends)
    lines += [f'<h2>Over revisions</h2>\n<p>{TREND}</p>\n<div class="plots">{drawn}</div>'] if drawn else []
    lines += [f"<p>{say(_beside(bench.against))}.</p>"] if bench.against is not None else []
    lines.append(f"<p>{say(_machine(bench))}.</p>\n</body></html>\n")
    return "\n".join(lines)


def _line(row: Row, columns: Mapping[str, Callable[[Row], str]]) -> str:
    kind = row.verdict.replace(" ", "-")
    cells = [html.escape(cell(row)) for cell in columns.values()]
    cells[3] = f'<span class="{kind}">{cells[3]}</span>'
    why = f"<tr><td></td><td colspan={len(columns) - 1}><small>{html.escape(one_line(row.reason))}</small></td></tr>"
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>{why if row.reason else ''}"


def _roofline(bench: Bench, rows: list[Row]) -> str:
    """Return operations a second over operations for each byte, under what the machine can do."""
    timed = [row for row in rows if row.seconds and row.seconds > 0]
    series = []
    for dtype in dict.fromkeys(row.dtype for row in timed):
        of = [row for row in timed if row.dtype == dtype]
        points = [(_operations(r) / r.bytes_moved, _operations(r) / (r.seconds or 1.0)) for r in of]
        series.append(Series(dtype, tuple(points), labels=tuple(f"{r.name} {r.size}" for r in of)))
    for dtype, rate in bench.machine["products"].items():
        if any(row.dtype == dtype for row in timed):
            moved = max(bench.machine["moved"].values())
            ridge = rate / moved
            line = ((0.02, 0.02 * moved * 1e9), (ridge, rate * 1e9), (max(100.0, 4 * ridge), rate * 1e9))
            series.append(Series(f"limit, {dtype}", line, line=True, dashed=True))
    return plot(
        "What is reached of what the machine can do", "operations for each byte moved", "operations / s", series
    )


def _operations(row: Row) -> float:
    """Return what a call computes: one operation for each number moved where nothing more is counted."""
    return max(row.operations, row.bytes_moved / (8 if row.dtype == "float64" else 4))


def _growths(rows: list[Row]) -> Iterator[str]:
    """Yield a plot of time over size for each function that has more than one size."""
    for name, dtype in dict.fromkeys((row.name, row.dtype) for row in rows):
        of = [row for row in rows if (row.name, row.dtype) == (name, dtype) and row.seconds and row.seconds > 0]
        if len(of) < 2:
            continue
        theirs = [(r.elements, r.seconds / i.ratio) for r in of if r.seconds and (i := _told(r.ratio_torch_cpu))]
        base = [(r.elements, r.seconds / i.ratio) for r in of if r.seconds and (i := _told(r.ratio_reference))]
        other = [(r.elements, r.seconds / i.ratio) for r in of if r.seconds and (i := _told(r.ratio_against))]
        series = [
            Series("ours", tuple((float(r.elements), r.seconds or 0.0) for r in of), line=True),
            Series("reference", tuple((float(n), t) for n, t in base), line=True),
            Series("PyTorch", tuple((float(n), t) for n, t in theirs), line=True),
            Series("the other", tuple((float(n), t) for n, t in other), line=True),
            Series("limit", tuple((float(r.elements), r.limit_seconds or 0.0) for r in of), line=True, dashed=True),
        ]
        shown = [s for s in series if s.points]
        yield f"<div><h3>{html.escape(f'{name} {dtype}')}</h3>{plot(name, 'numbers', 'seconds', shown)}</div>"
