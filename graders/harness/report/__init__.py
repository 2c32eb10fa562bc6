"""The report: one frozen value. Every rendering is a pure function of it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

SCHEMA = 1

Verdict = Literal[
    "unscored",
    "missing",
    "unfilled",
    "incompatible",
    "error",
    "timeout",
    "killed",
    "wrong",
    "inexact",
    "unstable",
    "review",
    "convention",
    "correct",
]
Tier = Literal["full", "reduced", "basic", "none"]
"""How far submissions were kept from everything else; "none" where no code was run apart."""

SHORT: tuple[Verdict, ...] = (
    "missing", "unfilled", "incompatible", "error", "timeout", "killed", "wrong", "inexact", "unstable", "review",
)  # fmt: skip
"""Verdicts that fall short: they fail the exit status."""


HELD: tuple[Verdict, ...] = ("review", "incompatible")
"""Verdicts that a person has to settle: they pay nothing until then."""


class Aspect(Struct, frozen=True):
    """Marks for one side of an answer; `passed` is None where it was not asked."""

    score: float
    max_score: float
    passed: bool | None


class Diagnosis(Struct, frozen=True):
    """What explains the numbers, in words for whoever wrote the code."""

    kind: Literal["misconception", "convention", "pattern", "hint"]
    name: str
    message: str
    gives: str = ""
    """Of a mistake: which of the numbers it gives exactly, if not all of them: "your dW"."""
    by: Literal["numbers", "draws", "behaviour"] = "numbers"
    """What a mistake or convention is recognized by: numbers can be the same, draws only alike."""


class Witness(Struct, frozen=True):
    """The smallest input found on which the function falls short, and code that shows it."""

    inputs: dict[str, Any]
    output: str
    index: list[int]
    got: Any
    expected: Any
    allowed: Any
    problem: str
    code: str


class Pace(Struct, frozen=True):
    """How fast a function is beside another, held against what was asked: by CPU time, on one thread."""

    against: Literal["reference", "torch"]
    size: str
    within: float
    """So many times the other's time is asked for."""
    ratio: float | None
    low: float | None
    high: float | None
    """Between these the ratio lies, with 95 % confidence."""
    passed: bool
    """Whether it was not seen to be slower than that: noise costs nothing."""
    reason: str


class ExerciseReport(Struct, frozen=True):
    """The verdict on one function."""

    name: str
    function: str
    verdict: Verdict
    reason: str
    score: float | None
    max_score: float
    aspects: dict[str, Aspect]
    diagnosis: list[Diagnosis]
    witness: Witness | None
    bits: float | None
    """Measured, as `max_ulp` and the counts of cases are, by the convention where it is right under one."""
    max_ulp: float | None
    truth: Literal["proof", "reference"] | None
    replay: str
    cases: int
    failed_cases: int
    notes: list[str]
    seconds: float
    hints: list[str] = []
    """What may be told before the deadline: where it goes wrong, never how to put it right."""
    paces: list[Pace] = []
    """How fast it is, where an assignment gives points for that."""
    max_error_over_allowed: float | None = None
    """Of the cases that `max_ulp` is of; None where it is not finite."""


class SubmissionReport(Struct, frozen=True):
    """The verdicts on one submission."""

    id: str
    path: str
    status: Literal["graded", "unreadable", "nothing_found", "unscored"]
    reason: str
    score: float | None
    max_score: float
    exercises: list[ExerciseReport]
    not_covered: list[str]
    notes: list[str]


class Isolation(Struct, frozen=True):
    """What stood between the submissions and everything else."""

    layers: list[str] = []
    missing: dict[str, str] = {}
    """Why a layer was not there."""
    around: Literal["bubblewrap", ""] = ""
    """What stood around them all besides, which makes no tier."""


class Device(Struct, frozen=True):
    """What functions of tensors computed on; all others compute on the CPU."""

    kind: Literal["cpu", "cuda"] = "cpu"
    name: str = ""


class Run(Struct, frozen=True):
    """How the verdicts were reached."""

    seed: int | None
    """None where it is kept from whoever reads this."""
    seed_kind: Literal["secret", "given", "public"]
    tier: Tier
    exercises: int
    versions: dict[str, str]
    isolation: Isolation = Isolation()
    device: Device = Device()
    hints: bool = False
    """Whether all that gives an answer away was left out."""
    title: str = ""
    """What the assignment is called."""


class Report(Struct, frozen=True):
    """Everything that a run found out."""

    schema: int
    run: Run
    submissions: list[SubmissionReport]
    problems: list[str]
    """Paths that could not be graded at all, each with its reason."""

    @property
    def exit_status(self) -> int:
        """Return 3 if the harness failed, 2 if input was unusable, 1 if something fell short, else 0."""
        if any(s.status == "unscored" or any(e.verdict == "unscored" for e in s.exercises) for s in self.submissions):
            return 3
        if self.problems or all(s.status == "nothing_found" for s in self.submissions):
            return 2
        short = any(
            s.status in ("unreadable", "nothing_found") or any(e.verdict in SHORT for e in s.exercises)
            for s in self.submissions
        )
        return 1 if short else 0
