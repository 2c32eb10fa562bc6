"""Functions of one name in several files of a submission: the verdict on which of them counts.

It is the worst on those that give answers: which one is meant, nobody can tell, and a wrong one is not to be hidden
behind a right one. A starter that was left as it is, or a draft that does not run, beside one that does is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from graders.harness.report import ExerciseReport
from graders.harness.sandbox.contract import Function

_ANSWERS = ("error", "wrong", "inexact", "unstable", "review", "convention", "correct")
"""Verdicts on what gives answers, in some cases at least; the worst first."""


def counted(reports: Sequence[ExerciseReport], functions: Sequence[Function]) -> list[ExerciseReport]:
    """Return the reports with one for each name of a function and exercise: the worst, which names the others."""
    methods = {function.name for function in functions if function.names("method")}
    groups: dict[tuple[str, str], list[ExerciseReport]] = {}
    for report in reports:
        parts = report.function.split(".")
        own_name = ".".join(parts[-2:] if report.function in methods else parts[-1:])
        groups.setdefault((report.name, own_name), []).append(report)
    return [_worst(group, group[0].function in methods) for group in groups.values()]


def _answers(report: ExerciseReport) -> bool:
    raises = report.verdict == "error" and not 0 < report.failed_cases < report.cases
    return report.verdict in _ANSWERS and not raises


def _worst(group: Sequence[ExerciseReport], is_method: bool) -> ExerciseReport:
    if len(group) == 1:
        return group[0]
    ranked = sorted(filter(_answers, group), key=lambda report: _ANSWERS.index(report.verdict))
    unscored = [report for report in group if report.verdict == "unscored"]
    worst = [*unscored, *ranked, *group][0]
    there = ", ".join(f"{other.function} is {other.verdict}" for other in group if other is not worst)
    note = f"stands in {len(group)} files: {worst.function} is {worst.verdict} and counts; {there}"
    if ranked and ranked[-1].verdict != ranked[0].verdict:
        note += "; the worst counts: remove or rename what is not meant"
        named = f'[[function]] name = "{ranked[-1].function}", exercise = "{worst.name}"'
        note += "" if is_method else f", or let the assignment name what is: {named}"
    return structs.replace(worst, notes=[*worst.notes, note])
