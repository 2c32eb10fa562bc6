"""The conformance matrix for people: a row for each name, a column for each library."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator

from graders._conform import Conformance, Library, Row
from graders.harness.report import SHORT
from graders.harness.report.words import VERDICTS, apart, number, one_line, part_of

INTRODUCTION = (
    "Each library's own functions, called in float64 and float32 on hand-chosen and on drawn inputs, and held against "
    "the exact value with the error that rounding explains. A convention is right under another documented definition. "
    "The number is the largest error in float64 over ordinary inputs, as a share of the allowed error, or as so many "
    "times it (×). An empty cell: the library has no such function, or none is judged here."
)


def _shown(conformance: Conformance) -> list[str]:
    """Return the names that a library has, in the catalogue's order."""
    rows = [row for library in conformance.libraries for row in library.rows]
    has = {row.name for row in rows if row.verdict != "missing"}
    return [name for name in dict.fromkeys(row.name for row in rows) if name in has]


def _judged(conformance: Conformance) -> list[Library]:
    return [library for library in conformance.libraries if library.status == "judged"]


def _heads(conformance: Conformance) -> list[str]:
    return [f"{library.name} {next(iter(library.versions.values()), '')}".strip() for library in _judged(conformance)]


def _short(library: Library) -> Iterator[Row]:
    return (row for row in library.rows if row.verdict in SHORT and row.verdict != "missing")


def _counts(library: Library) -> str:
    counted = Counter(row.verdict for row in library.rows if row.verdict != "missing")
    return ", ".join(f"{count} {verdict}" for verdict, count in counted.most_common())


def _observed(row: Row) -> str:
    """Return the one number that shows it, in a line."""
    w = row.witness
    if w is None:
        return ""
    if w.problem:
        return one_line(w.problem)
    at = f"[{', '.join(map(str, w.index))}]" if w.index else ""
    got, expected = apart(w.got, w.expected)
    return f"result{part_of(w.output)}{at} is {got}, right is {expected} ± {number(w.allowed, 2)}"


def _share(row: Row) -> str:
    """Return the largest error beside the allowed one: "12 %", or from there on "3.4 ×"."""
    share = row.max_error_over_allowed
    if share is None:
        return ""
    return f"{number(100 * share, 2)} %" if share < 0.995 else f"{number(share, 2)} ×"


def _versions(conformance: Conformance) -> str:
    versions = dict(conformance.versions)
    for library in conformance.libraries:
        versions |= library.versions
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def text(conformance: Conformance) -> str:
    """Return the matrix for a terminal; what is absent or not as expected is told beside it, on standard error."""
    judged = _judged(conformance)
    wide = max([len(name) for name in _shown(conformance)], default=4)
    columns = [max(17, len(head)) for head in _heads(conformance)]
    heads = (f"{head:<{w}}" for head, w in zip(_heads(conformance), columns, strict=True))
    lines = [f"{'name':<{wide}}  {'  '.join(heads)}".rstrip()] if judged else []
    for name in _shown(conformance):
        cells = []
        for library, w in zip(judged, columns, strict=True):
            row = next(row for row in library.rows if row.name == name)
            cells.append(f"{'' if row.verdict == 'missing' else f'{row.verdict} {_share(row)}':<{w}}")
        lines.append(f"{name:<{wide}}  {'  '.join(cells)}".rstrip())
    for library in judged:
        lines += ["", f"{library.name}: {_counts(library)}"]
        for row in _short(library):
            known = f" (expected: {row.expected})" if row.expected else ""
            lines.append(f"  {row.name}: {row.verdict}, {one_line(row.reason)}{known}")
            lines += [f"    {_observed(row)}"] if row.witness else []
    return "".join(f"{line}\n" for line in lines)


def markdown(conformance: Conformance) -> str:
    """Return the matrix as Markdown."""
    judged = _judged(conformance)
    lines = [f"{INTRODUCTION}\n", f"| name | {' | '.join(_heads(conformance))} |", "|---" * (len(judged) + 1) + "|"]
    for name in _shown(conformance):
        cells = []
        for library in judged:
            row = next(row for row in library.rows if row.name == name)
            verdict = row.verdict if row.verdict not in SHORT else f"**{row.verdict}**"
            cells.append("" if row.verdict == "missing" else f"[{verdict}]({row.url}) {_share(row)}".rstrip())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for library in judged:
        lines += ["", f"## {library.name}", "", f"{_counts(library)}."]
        for row in _short(library):
            lines += ["", f"**{row.name}** ([{row.called}]({row.url})): {row.verdict}, {one_line(row.reason)}."]
            lines += [f"Expected: {row.expected}."] if row.expected else []
            lines += [f"{_observed(row)}."] if row.witness else []
            lines += ["", "```python", row.witness.code, "```"] if row.witness and row.witness.code else []
    lines += ["", f"Seed {conformance.seed}; {_versions(conformance)}."]
    return "\n".join(lines) + "\n"


STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; max-width: 75rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; font-size: .9rem; } td, th { text-align: left; padding: .15rem .8rem .15rem 0;
  border-top: 1px solid #ddd; white-space: nowrap; } td small { color: #666; }
a { color: inherit; text-decoration-color: #aaa; }
.short { color: #b3261e; font-weight: 600; } .convention { color: #00696f; }
pre { background: #f5f5f2; padding: .7rem; overflow-x: auto; font-size: .9rem; } .scroll { overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #161616; } pre { background: #242424; }
  td, th { border-color: #444; } td small { color: #b5b5b5; } .short { color: #ff8a80; }
  .convention { color: #6fd3d8; } }
"""


def page(conformance: Conformance) -> str:
    """Return the matrix as one HTML page that needs nothing else."""
    say = html.escape
    head = "".join(f"<th>{say(h)}</th>" for h in _heads(conformance))
    lines = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Conformance of libraries</title><style>{STYLE}</style></head><body>",
        f"<h1>Conformance of libraries</h1>\n<p>{say(INTRODUCTION)}</p>",
        f'<div class="scroll"><table>\n<tr><th>name</th>{head}</tr>',
    ]
    judged = _judged(conformance)
    for name in _shown(conformance):
        cells = [next(row for row in library.rows if row.name == name) for library in judged]
        lines.append(f"<tr><td>{say(name)}</td>{''.join(map(_cell, cells))}</tr>")
    lines.append("</table></div>")
    for library in judged:
        lines.append(f"<h2>{say(library.name)}</h2>\n<p>{say(_counts(library))}.</p>")
        for row in _short(library):
            known = f"<p>Expected: {say(row.expected)}.</p>" if row.expected else ""
            code = f"<pre>{say(row.witness.code)}</pre>" if row.witness and row.witness.code else ""
            lines.append(
                f'<h3>{say(row.name)}</h3>\n<p><a href="{say(row.url)}">{say(row.called)}</a> is {row.verdict}: '
                f"{say(VERDICTS[row.verdict])}; {say(one_line(row.reason))}. {say(_observed(row))}</p>{known}{code}"
            )
    lines.append(f"<p>Seed {conformance.seed}; {say(_versions(conformance))}.</p>\n</body></html>\n")
    return "\n".join(lines)


def _cell(row: Row) -> str:
    if row.verdict == "missing":
        return "<td></td>"
    share = f" <small>{_share(row)}</small>" if _share(row) else ""
    kind = "short" if row.verdict in SHORT else row.verdict
    name = html.escape(row.called)
    return f'<td><a class="{kind}" href="{html.escape(row.url)}" title="{name}">{row.verdict}</a>{share}</td>'
