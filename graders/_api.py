"""What the door hands out: check, grade, score and prove, as plain functions of their arguments."""

from __future__ import annotations

import importlib.metadata
import platform
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from graders import _catalogue, _doctor, _symbolic
from graders._adapters import named
from graders._proofs import prove as prove
from graders.harness import grade as grading
from graders.harness.certify import proved
from graders.harness.exercise import Exercise
from graders.harness.judge import Opener, Session
from graders.harness.key import AnswerKey
from graders.harness.report import SCHEMA, ExerciseReport, Report, Run, SubmissionReport, Tier
from graders.harness.report.html import one_function as as_html
from graders.harness.report.text import one_function as as_text
from graders.harness.sandbox import parent, processes
from graders.harness.sandbox.contract import Limits, Loaded, Raised
from graders.harness.sandbox.live import LiveBox
from graders.harness.submissions import Unusable, found_at

PACKAGES = ("numpy",)
ALLOWED = ("numpy", "scipy", "torch")
TORCH_MEMORY = 16 << 30  # address space, of which torch maps much and uses little
PUBLIC_SEED = 0
MAX_ABSENT = 8


@dataclass(frozen=True)
class Check:
    """The verdict on a live function: a self-check, not a grade. Print it, or show it in a notebook."""

    report: ExerciseReport
    tier: Tier = "none"

    @property
    def passed(self) -> bool:
        """Return whether nothing fell short."""
        return self.report.verdict in ("correct", "convention")

    @property
    def verdict(self) -> str:
        """Return the verdict in a word."""
        return self.report.verdict

    def __str__(self) -> str:
        return as_text(self.report) + "\nself-check, not a grade"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.report) + "<p>self-check, not a grade</p>"


def one(name: str) -> Exercise:
    """Return the exercise of a dotted or bare name; raise LookupError, with the nearest."""
    if not isinstance(name, str):
        raise TypeError(f"expected the name of an exercise, such as 'losses.cross_entropy', got {name!r}")
    found = {k: e for k, e in _catalogue.exercises().items() if name in (k, k.partition(".")[2])}
    if not found:
        raise _catalogue.UnknownName(f"no exercise is called {name!r}{_catalogue.nearest(name)}")
    return next(iter(found.values()))


def check(name: str | Exercise, function: Callable[..., Any], *, seed: int = PUBLIC_SEED) -> Check:
    """Return the verdict on a live function, called in this process: on any operating system, with any library.

    `name` is dotted ("losses.softmax_cross_entropy_grad") or bare, or an exercise of one's own. The cases
    are public: the same for everybody who does not choose a seed. Nothing stops a function that does not return.

    Raises LookupError for an unknown name and TypeError for what cannot be called.
    """
    exercise = name if isinstance(name, Exercise) else one(name)
    if not callable(function):
        raise TypeError(f"check needs a function to call, got {type(function).__name__}")
    tail = exercise.name.partition(".")[2]
    box = LiveBox({tail: function})
    key = AnswerKey(seed, proved)
    binding = named.bind(exercise, box.loaded.functions[0])
    session = Session(lambda limits: box, Limits())
    names = box.loaded.functions[0].names("positional")
    report = grading.grade_function(session, binding, key, names, "")
    known = exercise.name in _catalogue.exercises()
    return Check(report if known else msgspec.structs.replace(report, replay=""))


def opener_of(
    submission: parent.Submission,
    allowed: Sequence[str],
    admit: Callable[[Sequence[str]], object] = lambda packages: None,
) -> Opener:
    """Return how to open a submission: with NumPy alone; again with a package that it turns out to need.

    What is not allowed or not installed becomes an empty shell, so that functions which do not need it are judged.
    Before anything is run beside some packages, `admit` may refuse, with `CannotStart`.
    """
    needed, absent = list(PACKAGES), list(submission.absent)

    def opened(limits: Limits) -> parent.ProcessBox:
        while True:
            admit(needed)
            bounds = _with_torch(limits) if "torch" in needed else limits
            box = parent.open(replace(submission, absent=tuple(absent)), tuple(needed), bounds)
            loaded = box.loaded
            missing = loaded.missing if isinstance(loaded, Raised) else None
            asked = loaded.imports if isinstance(loaded, Loaded) else ((missing or "").partition(".")[0],)
            more = [root for root in asked if root in allowed and root not in needed and parent.is_installed(root)]
            if not more and (not missing or missing in absent or len(absent) == MAX_ABSENT):
                return box
            box.close()
            needed.extend(more)
            if not more and missing:
                absent.append(missing)

    return opened


def _with_torch(limits: Limits) -> Limits:
    # its first optimizer step imports a compiler that takes more than a second
    return replace(
        limits, memory=TORCH_MEMORY, load_seconds=limits.load_seconds + 20, call_seconds=limits.call_seconds + 5
    )


def versions() -> dict[str, str]:
    """Return the versions that a verdict depends on."""
    return {
        "gradproof": importlib.metadata.version("gradproof"),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def grade(
    paths: str | Path | Iterable[str | Path],
    *,
    only: Sequence[str] = (),
    jobs: int = 1,
    seed: int | None = None,
    packages: Sequence[str] = ALLOWED,
    limits: Limits | None = None,
    require_isolation: processes.Tier | None = None,
    progress: Callable[[SubmissionReport], None] = lambda report: None,
) -> Report:
    """Grade what stands at a path or several, each submission in a process of its own, and return the report.

    `only` are names or patterns of exercises; a name without a wildcard must be there, else it is *missing*. The seed
    is drawn in secret unless one is given. Raises LookupError for a pattern that fits no exercise, and
    `parent.CannotStart` where the sandbox does not work, or keeps submissions apart less than is required.
    """
    limits = limits or Limits()
    used: list[processes.Isolation] = []

    def admit(packages: Sequence[str]) -> None:
        used.append(processes.isolation(tuple(packages)))
        _doctor.demand(used[-1], require_isolation)

    chosen = _catalogue.select(only)
    wanted = [one(pattern).name for pattern in only if not set(pattern) & set("*?[")]
    kind: Literal["secret", "given"] = "secret" if seed is None else "given"
    seed = secrets.randbits(31) if seed is None else seed
    paths = [paths] if isinstance(paths, (str, Path)) else paths
    found = [submission for path in paths for submission in found_at(Path(path))]
    problems = [str(unusable) for unusable in found if isinstance(unusable, Unusable)]
    submissions = [s for s in found if not isinstance(s, Unusable)]
    if len({s.id for s in submissions}) < len(submissions):  # two folders with files of the same name
        submissions = [replace(s, id=s.path) for s in submissions]
    key = AnswerKey(seed, proved)
    if require_isolation or any(s.kind not in ("answers", "unreadable") for s in submissions):
        admit(PACKAGES)

    def task(submission: parent.Submission) -> Callable[[], SubmissionReport]:
        def run() -> SubmissionReport:
            if submission.kind == "answers":
                report = _symbolic.graded(submission, only)
                progress(report)
                return report
            report = grading.grade_submission(
                submission,
                opener_of(submission, packages, admit),
                lambda functions: _catalogue.bind(functions, chosen),
                key,
                limits,
                wanted,
            )
            progress(report)
            return report

        return run

    reports = grading.in_parallel(jobs, [task(s) for s in submissions])
    tier, isolation = _doctor.least(used)
    run = Run(seed, kind, tier, len(_catalogue.exercises()), versions(), isolation)
    return Report(SCHEMA, run, reports, problems)


def score(code: str | Path, name: str, *, seed: int | None = None, limits: Limits | None = None) -> ExerciseReport:
    """Return the verdict on one function of a text or file, in a process of its own: what a reward is made from.

    Raises LookupError for an unknown name, and `parent.CannotStart` where no process can be started.
    """
    exercise = one(name)
    if isinstance(code, Path):
        submission = next(iter(found_at(code)))
        if isinstance(submission, Unusable):
            raise submission
    else:
        submission = parent.Submission("submission", "submission.py", "file", "submission.py", {"submission.py": code})
    key = AnswerKey(secrets.randbits(31) if seed is None else seed, proved)
    report = grading.grade_submission(
        submission,
        opener_of(submission, ALLOWED),
        lambda functions: _catalogue.bind(functions, {exercise.name: exercise}),
        key,
        limits or Limits(),
        [exercise.name],
    )
    if report.status == "unreadable":
        return msgspec.structs.replace(grading.missing(exercise.name), verdict="error", reason=report.reason)
    if not report.exercises:
        return msgspec.structs.replace(
            grading.missing(exercise.name), verdict="unscored", reason=report.reason, score=None
        )
    return min(report.exercises, key=lambda e: -1.0 if e.score is None else e.score)
