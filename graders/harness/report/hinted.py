"""A report before the deadline: where it goes wrong, on which input; no expected value, no mistake by its name.

It is made of a whole report, and goes where that one goes: every rendering takes either.
"""

from __future__ import annotations

import re

from msgspec import structs

from graders.harness.report import Diagnosis, ExerciseReport, Report, SubmissionReport, Witness

TOLD_BY_ITSELF = (
    "unscored", "missing", "unfilled", "incompatible", "error", "timeout", "killed", "convention", "correct",
)  # fmt: skip
"""Verdicts whose reason is what the submission did, and not how far it is from the truth."""


def hinted(report: Report) -> Report:
    """Return a report without all that gives an answer away; nor does it tell the seed."""
    run = structs.replace(report.run, seed=None, hints=True)
    return structs.replace(report, run=run, submissions=[submission(s) for s in report.submissions])


def submission(whole: SubmissionReport) -> SubmissionReport:
    """Return the report on one submission without all that gives an answer away."""
    return structs.replace(whole, exercises=[one_function(e) for e in whole.exercises])


def one_function(e: ExerciseReport) -> ExerciseReport:
    """Return the verdict on one function without all that gives the answer away."""
    told = [Diagnosis("hint", f"hint {i}", text) for i, text in enumerate(e.hints, 1)]
    return structs.replace(
        e,
        reason=_reason(e),
        diagnosis=told,
        hints=[],
        witness=None if e.witness is None else _input(e.witness),
        bits=None,
        max_ulp=None,
        max_error_over_allowed=None,
        replay="",
    )


def _reason(e: ExerciseReport) -> str:
    if e.verdict in TOLD_BY_ITSELF:
        return _without_expected(e.reason)
    safe = re.match(r"right (?!answer)[^:;]*|\d+ of \d+ ordinary cases in \w+ are wrong|line \d+ [^:;]*", e.reason)
    if safe:  # how many and which cases, or which line of a symbolic answer does not follow
        return safe[0]
    return f"{e.failed_cases} of {e.cases} cases fall short" if e.failed_cases else ""


def _without_expected(text: str) -> str:
    """Return what was found without what was expected: "the result is of shape (1, 4)"."""
    return re.sub(r", expected .*?(?= in \d+ of |;|$)", "", text)


def _input(witness: Witness) -> Witness:
    """Return the input alone, what the submission makes of it, and code that shows the same."""
    *lines, last = witness.code.split("\n")
    return structs.replace(
        witness,
        expected=None,
        allowed=None,
        problem=_without_expected(witness.problem),
        code="\n".join([*lines, last.partition("  # ")[0]]),
    )
