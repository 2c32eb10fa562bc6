"""The report for a terminal: what fell short first in sight, then for each such function all that explains it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.harness.report import HELD, SHORT, ExerciseReport, Report, SubmissionReport, glance
from graders.harness.report.words import (
    HINTS,
    VERDICTS,
    apart,
    computed_on,
    evidence,
    given,
    kept_apart,
    number,
    one_line,
    part_of,
    together,
    why,
)  # fmt: skip

if TYPE_CHECKING:
    from rich.console import RenderableType

STYLE = {"correct": "green", "convention": "cyan", "review": "magenta", "unstable": "yellow", "inexact": "yellow"}

EXPLAINED = (*SHORT, "convention", "unscored")


def render(report: Report, *, width: int = 110, verbose: bool = False, colour: bool = False) -> str:
    """Return the whole report as text."""
    parts: list[RenderableType | Code] = [_plain(""), _plain(report.run.title, "bold")] if report.run.title else []
    parts += _at_a_glance(report.submissions) if len(report.submissions) > 1 else []
    parts += [part for submission in report.submissions for part in _submission(submission, report, verbose)]
    parts += [_plain(f"cannot be graded: {problem}", "red") for problem in report.problems]
    parts += [_plain("")] if report.submissions else []
    parts.append(_run(report, verbose or not report.submissions))
    return _printed(parts, width, colour)


def one_function(exercise: ExerciseReport, *, width: int = 110, colour: bool = False) -> str:
    """Return the verdict on one function as text."""
    head = _plain(f"{exercise.name}: {exercise.verdict}  {_marks(exercise.score, exercise.max_score)}", "bold")
    return _printed([head, *_explained(exercise, exercise.reason, False)], width, colour).rstrip("\n")


@dataclass(frozen=True)
class Code:
    """Lines to paste: at the left edge, and never wrapped."""

    text: str


def _printed(parts: Sequence[RenderableType | Code], width: int, colour: bool) -> str:
    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=colour, no_color=not colour, highlight=False, emoji=False)
    for part in parts:
        if isinstance(part, Code):
            clean = "\n".join(one_line(line) for line in part.text.split("\n"))
            console.print(Text(f"\n{clean}\n", style="cyan"), soft_wrap=True)
        else:
            console.print(part)
    lines = "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines)  # what ends with code, before what begins with an empty line


def _plain(text: str, style: str = "") -> RenderableType:
    from rich.text import Text

    return Text(one_line(text), style=style)


def _block(text: str, indent: int, style: str = "") -> RenderableType:
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(one_line(text), style=style), (0, 0, 0, indent))


def _at_a_glance(submissions: Sequence[SubmissionReport]) -> Iterator[RenderableType]:
    from rich.table import Table

    yield _plain("")
    yield _plain(f"At a glance: {glance.summary(submissions)}", "bold")
    short = [row for row in glance.by_name(submissions) if row.short]
    if short:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for column in ("  fell short", "name", "how", "known mistakes"):
            table.add_column(column, overflow="fold", no_wrap=column == "  fell short")
        for row in short[:MOST_NAMES]:
            mistakes = glance.counted(row.mistakes, 2)
            cells = (f"  {row.short} of {row.there}", row.name, glance.counted(row.verdicts, 3), mistakes)
            table.add_row(*map(_plain, cells))
        yield table
    if len(short) > MOST_NAMES:
        yield _plain(f"  and {len(short) - MOST_NAMES} more names on which a submission fell short", "dim")


MOST_NAMES = 12


def _submission(submission: SubmissionReport, report: Report, verbose: bool) -> Iterator[RenderableType | Code]:
    from rich.table import Table

    yield _plain("")
    if submission.status != "graded":
        yield _plain(f"{submission.path}  {submission.status.replace('_', ' ')}", "bold")
        if submission.reason:
            yield _block(submission.reason, 2, "red")
    else:
        found = len({e.name for e in submission.exercises if e.verdict != "missing"})
        points = _marks(submission.score, submission.max_score)
        yield _plain(f"{submission.path}  {points}  (found {found} of {report.run.exercises} names)", "bold")
    if submission.exercises:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for column in ("  verdict", "name", "score", *(("bits", "judged by") if verbose else ())):
            table.add_column(
                column,
                justify="right" if column in ("score", "bits") else "left",
                no_wrap=column != "name",
                overflow="fold",
            )
        for e in submission.exercises:
            tail = e.name.rpartition(".")[2]
            called = f"{e.name}" if e.function.rpartition(".")[2] in (tail, "") else f"{e.name} ({e.function})"
            table.add_row(
                _plain(f"  {e.verdict}", STYLE.get(e.verdict, "red")),
                _plain(called),
                "held" if e.verdict in HELD else "–" if e.score is None else f"{e.score:g} / {e.max_score:g}",
                *(("" if e.bits is None else f"{e.bits:.0f}", e.truth or "") if verbose else ()),
            )
        yield table
    explained = [e for e in submission.exercises if e.verdict in EXPLAINED or (verbose and e.notes)]
    known = submission.reason  # stands above
    groups = [group for group in together(explained) if not known or group[0].reason != known]
    for e in submission.exercises:
        if e.notes and e not in explained:
            yield _block(f"{e.name}: {'; '.join(e.notes)}", 2, "dim")
    for group in groups:
        e = group[0]
        yield _plain("")
        yield _block(
            f"{', '.join(e.name for e in group)}: {e.verdict}, {VERDICTS[e.verdict]}", 2, STYLE.get(e.verdict, "red")
        )
        yield from _explained(e, why(e), verbose)
    if groups and (submission.not_covered or submission.notes):
        yield _plain("")
    if submission.not_covered:
        yield _block(f"not covered by the catalogue: {', '.join(submission.not_covered)}", 2, "dim")
    for note in submission.notes:
        yield _block(note, 2, "dim")


def _explained(e: ExerciseReport, reason: str, verbose: bool) -> Iterator[RenderableType | Code]:
    for d in e.diagnosis:
        yield _block(d.message, 4, "bold")
        if evidence(d):
            yield _block(f"({evidence(d)})", 4, "dim")
    if reason:
        yield _block(reason, 4)
    w = e.witness
    if w is not None:
        if w.problem:
            if w.problem not in e.reason:
                yield _block(w.problem, 4)
        else:
            at = f"[{', '.join(map(str, w.index))}]" if w.index else ""
            off = "" if e.bits is None else f"   (as if computed in {e.bits:.0f} bits)"
            got, expected = apart(w.got, w.expected)
            should = f", should be {expected}, allowed ±{number(w.allowed, 2)}{off if verbose else ''}"
            yours = f"yours{part_of(w.output)}{at} = {got}"
            yield _block(f"{yours}, which is wrong" if w.expected is None else yours + should, 4)
        if given(w):
            yield _block(given(w), 4)
        if w.code:
            yield Code(w.code)
    for note in e.notes:
        yield _block(note, 4, "dim")
    if e.replay:
        yield _block(f"again: gradproof replay {e.replay}", 4, "dim")
    if verbose and e.cases:
        ulp = "" if e.max_ulp is None else f", at most {number(e.max_ulp, 3)} ulp off for ordinary inputs"
        passed = e.cases - e.failed_cases
        yield _block(f"{passed} of {e.cases} cases pass{ulp}; {e.seconds:g} s", 4, "dim")


def _run(report: Report, verbose: bool) -> RenderableType:
    run = report.run
    isolation = f"isolation: {kept_apart(run.tier, run.isolation.missing)}"
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    isolation = "; ".join(filter(None, [computed_on(run.device.kind, run.device.name), isolation]))
    seed = f"seed {run.seed} ({run.seed_kind})" if run.seed is not None else "the seed is not told"
    said = f"{seed}; {isolation}; {versions}" if verbose else isolation
    said = f"{HINTS} {said}" if run.hints else said
    return _plain(said, "dim" if run.tier == "full" else "yellow")


def _marks(score: Any, of: float) -> str:
    return "not scored" if score is None else f"{score:g} of {of:g} points"
