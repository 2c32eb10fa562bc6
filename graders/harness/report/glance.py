"""A class at a glance: how many have how many points, and which function falls short in how many, by which mistake."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from graders.harness.report import SHORT, SubmissionReport, Verdict


@dataclass(frozen=True)
class Name:
    """How the submissions fare at one name."""

    name: str
    there: int
    """In so many submissions there is a verdict on it."""
    short: int
    """So many of these fall short."""
    verdicts: tuple[tuple[Verdict, int], ...]
    """How many there are of each kind that falls short, the most frequent first."""
    mistakes: tuple[tuple[str, int], ...]
    """Which known mistakes were named, and in how many submissions, the most frequent first."""


def names(submissions: Sequence[SubmissionReport]) -> list[str]:
    """Return the names on which there are verdicts: topic by topic, each in the order in which it first appears."""
    found = dict.fromkeys(e.name for s in submissions for e in s.exercises)
    topics = list(dict.fromkeys(name.partition(".")[0] for name in found))
    return sorted(found, key=lambda name: topics.index(name.partition(".")[0]))


def by_name(submissions: Sequence[SubmissionReport]) -> list[Name]:
    """Return how the submissions fare at each name, where the most fall short first."""
    verdicts: dict[str, Counter[Verdict]] = {name: Counter() for name in names(submissions)}
    mistakes: dict[str, Counter[str]] = {name: Counter() for name in verdicts}
    there, short = Counter[str](), Counter[str]()
    for s in submissions:
        there.update({e.name for e in s.exercises})
        short.update({e.name for e in s.exercises if e.verdict in SHORT})
        told = {(e.name, d.name) for e in s.exercises for d in e.diagnosis if d.kind == "misconception"}
        for name, verdict in sorted({(e.name, e.verdict) for e in s.exercises if e.verdict in SHORT}):
            verdicts[name][verdict] += 1
        for name, mistake in sorted(told):
            mistakes[name][mistake] += 1
    made = [
        Name(name, there[name], short[name], tuple(kinds.most_common()), tuple(mistakes[name].most_common()))
        for name, kinds in verdicts.items()
    ]
    return sorted(made, key=lambda row: -row.short)


def points(submissions: Sequence[SubmissionReport]) -> str:
    """Say what points there are: of how many, from the fewest to the most, and the median."""
    scored = [(s.score, s.max_score) for s in submissions if s.score is not None and s.max_score]
    if not scored:
        return "no points"
    full = {of for _, of in scored}
    if len(full) == 1:
        got = [score for score, _ in scored]
        return f"{min(got):g} to {max(got):g} of {full.pop():g} points, median {statistics.median(got):g}"
    shares = [100 * score / of for score, of in scored]
    return f"{min(shares):.0f} to {max(shares):.0f} % of the points, median {statistics.median(shares):.0f} %"


def counted(counts: Sequence[tuple[str, int]], most: int) -> str:
    """Return "3 × this, 1 × that and 2 more kinds": no more of them than so many."""
    said = ", ".join(f"{count} × {what}" for what, count in counts[:most])
    rest = len(counts) - most
    return f"{said} and {rest} more kind{'s' * (rest > 1)}" if rest > 0 else said


def summary(submissions: Sequence[SubmissionReport]) -> str:
    """Return in a line how many submissions there are, what became of them, and their points."""
    became = Counter(s.status for s in submissions)
    other = [f"{count} {status.replace('_', ' ')}" for status, count in became.most_common() if status != "graded"]
    return f"{', '.join([f'{len(submissions)} submissions', *other])}; {points(submissions)}"
