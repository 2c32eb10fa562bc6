"""What the door hands out: check, grade and score, as plain functions of their arguments."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from graders import _assignment, _catalogue, _device, _doctor, _live, _symbolic, _workers
from graders._adapters import named, readings
from graders.harness import grade as grading
from graders.harness import tried
from graders.harness.cases import DTYPES
from graders.harness.certify import proved
from graders.harness.exercise import Exercise
from graders.harness.grade import Bound
from graders.harness.judge import Opener, Session
from graders.harness.key import AnswerKey
from graders.harness.narrow import ASKED, NarrowKey
from graders.harness.report import SCHEMA, ExerciseReport, Report, Run, SubmissionReport, Tier, hinted
from graders.harness.report.html import one_function as as_html
from graders.harness.report.text import one_function as as_text
from graders.harness.sandbox import parent, processes
from graders.harness.sandbox.contract import Function, Limits, Loaded, Raised
from graders.harness.submissions import Unusable, found_at
from graders.harness.trials import Trial

PACKAGES = ("numpy",)
ALLOWED = ("numpy", "scipy", "torch", "numba")
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
        return (
            as_html(self.report)
            + '<p style="margin: 0; padding: 0 0 0 18px; opacity: 0.75">self-check, not a grade</p>'
        )


class Key(NarrowKey):
    """The answer key, which keeps across runs only the answers to our own exercises.

    The digest under which answers are kept is that of our text: nothing would say that another's has changed.
    """

    def _folder(self, exercise: Exercise) -> Path | None:
        return super()._folder(exercise) if _catalogue.is_ours(exercise) else None


def one(name: str) -> Exercise:
    """Return the exercise of a dotted or bare name; raise LookupError, with the nearest."""
    if not isinstance(name, str):
        raise TypeError(f"expected the name of an exercise, such as 'losses.cross_entropy', got {name!r}")
    found = {k: e for k, e in _catalogue.exercises().items() if name in (k, k.partition(".")[2])}
    if not found:
        raise _catalogue.UnknownName(f"no exercise is called {name!r}{_catalogue.nearest(name)}")
    return next(iter(found.values()))


def trial_of(name: str | Exercise) -> Trial | None:
    """Return the trial of a dotted or bare name, or None if there is none of this name."""
    return next((t for k, t in _catalogue.trials().items() if name in (k, k.partition(".")[2])), None)


def check(
    name: str | Exercise,
    function: Callable[..., Any],
    *,
    seed: int = PUBLIC_SEED,
    dtypes: Sequence[str] = DTYPES,
    hints: bool = False,
) -> Check:
    """Return the verdict on a live function, called in this process: on any operating system, with any library.

    `name` is dotted ("losses.softmax_cross_entropy_grad") or bare, or an exercise of one's own. The cases
    are public: the same for everybody who does not choose a seed. Nothing stops a function that does not return.
    `dtypes` may have float16 and bfloat16 among them, in which less can be decided. With `hints` it is told where the
    function goes wrong, not what would be right.

    Raises LookupError for an unknown name, or where nothing can be decided, and TypeError for what cannot be called.
    """
    if not callable(function):
        raise TypeError(f"check needs a function to call, got {type(function).__name__}")
    trial = trial_of(name)
    if trial is not None:
        judged = _live.judge_trial(trial, function, seed)
        return Check(hinted.one_function(judged) if hints else judged)
    exercise = name if isinstance(name, Exercise) else one(name)
    unknown = [dtype for dtype in dtypes if dtype not in ASKED]
    if unknown or not dtypes or isinstance(dtypes, str):
        raise ValueError(f"dtypes: expected some of {', '.join(ASKED)}, in a list; got {dtypes!r}")
    key = Key(seed, proved, dtypes, keeps_seeded=True)  # nothing is kept from who calls it
    report = _live.judge(exercise, function, key, dtypes).report
    known = _catalogue.exercises().get(exercise.name) is exercise
    report = report if known else msgspec.structs.replace(report, replay="")
    return Check(hinted.one_function(report) if hints else report)


def opener_of(
    submission: parent.Submission,
    allowed: Sequence[str],
    admit: Callable[[Sequence[str]], object] = lambda packages: None,
    device: str = "cpu",
) -> Opener:
    """Return how to open a submission: with NumPy alone; again with a package that it turns out to need.

    What is not allowed or not installed becomes an empty shell, so that functions which do not need it are judged.
    Before anything is run beside some packages, `admit` may refuse, with `CannotStart`. With PyTorch it may use the
    device.
    """
    needed, absent = list(PACKAGES), list(submission.absent)

    def opened(limits: Limits) -> parent.ProcessBox:
        nonlocal needed
        while True:
            admit(needed)
            given, used = _raised(limits, needed, device), used_by(needed, device)
            box = parent.open(replace(submission, absent=tuple(absent)), tuple(needed), given, used)
            loaded = box.loaded
            missing = loaded.missing if isinstance(loaded, Raised) else None
            asked = loaded.imports if isinstance(loaded, Loaded) else ((missing or "").partition(".")[0],)
            asked += ("scipy",) if "numba" in asked else ()  # whose products of matrices it compiles into calls
            more = [root for root in asked if root in allowed and root not in needed and parent.is_installed(root)]
            if not more and (not missing or missing in absent or len(absent) == MAX_ABSENT):
                return box
            box.close()
            needed = sorted({*needed, *more})  # one kind of zygote, in whatever order they are asked for
            if not more and missing:
                absent.append(missing)

    return opened


def binder_of(
    opener: Opener, limits: Limits, key: AnswerKey, bind: Callable[[tuple[Function, ...], _catalogue.Ask], Bound]
) -> grading.Binder:
    """Return what binds a submission's functions to exercises, having asked it, apart, how they are to be called."""

    def bound(functions: tuple[Function, ...]) -> Bound:
        session = Session(opener, limits)
        try:
            made = bind(functions, session.call)
            chosen, notes = readings.settled(made.bindings, session, key)
            trials = tuple(tried.settled(binding, session, key.seed) for binding in made.trials)
        finally:
            session.close()
        return replace(made, bindings=tuple(chosen), notes=(*made.notes, *notes), trials=trials)

    return bound


def used_by(packages: Sequence[str], device: str) -> processes.Device:
    """Return the device that a submission with these packages may use: without PyTorch none."""
    return "cuda" if device == "cuda" and "torch" in packages else ""


def _raised(limits: Limits, packages: Sequence[str], device: str = "cpu") -> Limits:
    """Return the limits with what some packages need besides."""
    if used_by(packages, device):  # the first use of each kernel loads it
        limits = replace(
            limits, call_seconds=limits.call_seconds + 10, total_seconds=limits.total_seconds + 60,
            load_seconds=limits.load_seconds + 10,
        )  # fmt: skip
    if "torch" in packages:  # its first optimizer step imports a compiler that takes more than a second
        limits = replace(
            limits, memory=TORCH_MEMORY, load_seconds=limits.load_seconds + 20, call_seconds=limits.call_seconds + 5
        )
    if "numba" in packages:  # a first call compiles for each type of arguments, a convolution for two seconds
        limits = replace(
            limits,
            load_seconds=limits.load_seconds + 10,
            call_seconds=limits.call_seconds + 10,
            total_seconds=limits.total_seconds + 120,
        )
    return limits


def versions() -> dict[str, str]:
    """Return the versions that a verdict depends on: those of packages and files with exercises among them."""
    outside = [_catalogue.origin(name) for name in _catalogue.exercises()]
    return {
        "gradproof": importlib.metadata.version("gradproof"),
        "python": platform.python_version(),
        "numpy": np.__version__,
    } | {origin.name: origin.version for origin in outside if origin.version}


@dataclass(frozen=True)
class Options:
    """What holds for all submissions of a run: it can be sent to another process."""

    seed: int
    only: tuple[str, ...]
    packages: tuple[str, ...]
    limits: Limits
    assignment: _assignment.Assignment
    require_isolation: processes.Tier | None
    included: tuple[str, ...]
    """Files of exercises that are in the catalogue."""
    runs: bool = True
    """Whether there is code to run among the submissions."""
    keeps_seeded: bool = False
    """Whether answers to seeded cases are kept on disk, where no submission can read them."""
    device: str = "cpu"
    """What functions of tensors compute on."""


def _hides(isolation: processes.Isolation) -> bool:
    """Return whether submissions see none of the grader's files, the answers among them."""
    return "landlock" in isolation.layers or bool(isolation.around)


class Grader:
    """Grades one submission after the other, by cases and answers that are made once."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.used: list[processes.Isolation] = []
        self.key = Key(options.seed, proved)
        self._beside = _device.Beside(options.device, self.key)
        asked, only = options.assignment, options.only
        _catalogue.include(options.included)
        self._chosen = {k: e for k, e in _catalogue.select(only).items() if not asked.exercises or k in asked.exercises}
        self._trials = {
            k: t for k, t in _catalogue.select_trials(only).items() if not asked.exercises or k in asked.exercises
        }
        named_so = [_catalogue.chosen_names([pattern])[0] for pattern in only if not set(pattern) & set("*?[")]
        there = {**self._chosen, **self._trials}
        self.wanted = [*named_so, *(name for name in asked.required if name in there and name not in named_so)]

    def start(self) -> None:
        """Start what submissions run in, if there is code to run; raise `CannotStart` where that does not work."""
        if self.options.runs:
            self._admit(PACKAGES)

    def _admit(self, packages: Sequence[str]) -> None:
        isolation = processes.isolation(tuple(packages), used_by(packages, self.options.device))
        self.used.append(isolation)
        _doctor.demand(isolation, self.options.require_isolation)
        self.key.keeps_seeded = self.options.keeps_seeded and _hides(isolation)

    def __call__(self, submission: parent.Submission) -> SubmissionReport:
        """Return the report on a submission; what fails here leaves this one unscored, and the others as they are."""
        try:
            return self._graded(submission)
        except parent.CannotStart as error:
            why = str(error)
        except Exception as error:  # ours, not the submission's
            why = f"the harness failed, {type(error).__name__}: {error}; please report it"
        return SubmissionReport(submission.id, submission.path, "unscored", why, None, 0.0, [], [], [])

    def _graded(self, submission: parent.Submission) -> SubmissionReport:
        options = self.options
        if submission.kind == "answers":
            return _symbolic.graded(submission, options.only)

        def bind(functions: tuple[Function, ...], ask: _catalogue.Ask) -> Bound:
            described = options.assignment.functions
            bound = _catalogue.bind(functions, self._chosen, ask, described, self._trials, self.wanted)
            return options.assignment.timed(bound)

        opener = opener_of(submission, options.packages, self._admit, options.device)
        binder = binder_of(opener, options.limits, self.key, bind)
        if options.device != "cpu":
            binder = _device.noting(binder, options.device, self.key, self._beside)
        bound: list[Bound] = []

        def remembered(functions: tuple[Function, ...]) -> Bound:
            bound.append(binder(functions))
            return bound[-1]

        report = grading.grade_submission(submission, opener, remembered, self.key, options.limits, self.wanted)
        asked = options.assignment.thresholds
        if asked and bound:
            report = self._timed(submission, report, bound[-1], asked)
        return options.assignment.marked(report)

    def _timed(
        self,
        submission: parent.Submission,
        report: SubmissionReport,
        bound: Bound,
        asked: Mapping[str, Sequence[_assignment.Threshold]],
    ) -> SubmissionReport:
        from graders import _paces  # it opens submissions by what stands here

        options = self.options
        timer = _paces.Timer(submission, options.packages, options.limits, options.seed, options.device != "cpu")
        return timer.added(report, bound.bindings, asked)

    def lost(self, submission: parent.Submission, why: str) -> SubmissionReport:
        """Return the report on a submission that brings down whoever grades it."""
        return self.options.assignment.marked(grading.unreadable(submission, why, self.wanted, "killed"))


def grade(
    paths: str | Path | Iterable[str | Path],
    *,
    only: Sequence[str] = (),
    jobs: int = 1,
    seed: int | None = None,
    packages: Sequence[str] | None = None,
    limits: Limits | None = None,
    require_isolation: processes.Tier | None = None,
    assignment: str | Path | None = None,
    device: str | None = None,
    hints: bool = False,
    folders: bool = False,
    exercises: str | Path | Iterable[str | Path] = (),
    progress: Callable[[SubmissionReport], None] = lambda report: None,
) -> Report:
    """Grade what stands at a path or several, each submission in a process of its own, and return the report.

    `only` are names or patterns of exercises; a name without a wildcard must be there, else it is *missing*. The seed
    is drawn in secret unless one is given. An `assignment` file says which exercises count and how much, and what is
    not said here. On the `device` "cuda" functions of tensors are given tensors there. With `hints` the report tells
    where a function goes wrong, not what would be right. With `folders` each folder is one submission, as one with an
    `__init__.py` is anyway. `exercises` are files of one's own (docs/own-exercise.md). Raises LookupError for a pattern
    that fits no exercise, `_catalogue.UnusableExercises` for a file of these that cannot be used,
    `_assignment.UnusableAssignment` for a file that cannot be used, `_device.NoDevice` where there is none, and
    `parent.CannotStart` where the sandbox does not work, or keeps submissions apart less than is required.
    """
    own = [exercises] if isinstance(exercises, (str, Path)) else exercises
    with _catalogue.including(own):
        asked = _assignment.read(assignment) if assignment is not None else _assignment.Assignment()
        device = device or asked.device
        place = _device.found(device)
        given = asked.seed if seed is None else seed
        options = Options(
            secrets.randbits(31) if given is None else given,
            tuple(only),
            tuple(packages or asked.packages or ALLOWED),
            limits or asked.limits or Limits(),
            asked,
            require_isolation,
            tuple(map(str, _catalogue.included())),
            device=device,
        )
        Grader(options)  # a name that is unknown comes before what is wrong with a path
        paths = [paths] if isinstance(paths, (str, Path)) else paths
        found = [submission for path in paths for submission in found_at(Path(path), folders or asked.folders)]
        problems = [str(unusable) for unusable in found if isinstance(unusable, Unusable)]
        submissions = [s for s in found if not isinstance(s, Unusable) and not _catalogue.is_included(s.path)]
        if len({s.id for s in submissions}) < len(submissions):  # two folders with files of the same name
            submissions = [replace(s, id=s.path) for s in submissions]
        runs = bool(require_isolation) or any(s.kind not in ("answers", "unreadable") for s in submissions)
        together = jobs > 1 and len(submissions) > 1 and os.name == "posix"
        options = replace(options, runs=runs, keeps_seeded=together or given is not None)
        grader = Grader(options)
        if together:
            try:
                reports = _workers.graded(grader, "_api.Grader", options, submissions, jobs, progress)
            finally:
                if given is None:
                    grader.key.forget()
        else:
            grader.start()
            reports = []
            for submission in submissions:
                reports.append(grader(submission))
                progress(reports[-1])
        tier, isolation = _doctor.least(grader.used)
        kind: Literal["secret", "given"] = "secret" if given is None else "given"
        known = versions() | _device.versions(place)
        run = Run(options.seed, kind, tier, len(_catalogue.names()), known, isolation, place, title=asked.title)
        report = Report(SCHEMA, run, reports, problems)
        return hinted.hinted(report) if hints or asked.hints else report


def _bound(exercise: Exercise | Trial, functions: tuple[Function, ...], ask: _catalogue.Ask) -> Bound:
    """Bind an exercise: one of the catalogue as it binds it, another to the function that bears its name."""
    if isinstance(exercise, Trial):
        return _catalogue.bind(functions, {}, ask, among_trials={exercise.name: exercise})
    if _catalogue.exercises().get(exercise.name) is exercise:
        return _catalogue.bind(functions, {exercise.name: exercise}, ask, demanded=[exercise.name])
    tail = exercise.name.partition(".")[2]
    return Bound(tuple(named.bind(exercise, function) for function in functions if function.tail == tail))


def score(
    code: str | Path,
    name: str | Exercise,
    *,
    seed: int | None = None,
    limits: Limits | None = None,
    device: str = "cpu",
) -> ExerciseReport:
    """Return the verdict on one function of a text or file, in a process of its own: what a reward is made from.

    `name` is dotted or bare, or an exercise of one's own: then the function that bears its name is judged. On the
    `device` "cuda" a function of tensors is given tensors there.

    Raises LookupError for an unknown name, `_device.NoDevice` where there is none, and `parent.CannotStart` where no
    process can be started.
    """
    _device.found(device)
    exercise = name if isinstance(name, Exercise) else trial_of(name) or one(name)
    if isinstance(code, Path):
        submission = next(iter(found_at(code, folders=code.is_dir())))
        if isinstance(submission, Unusable):
            raise submission
    else:
        submission = parent.Submission("submission", "submission.py", "file", "submission.py", {"submission.py": code})
    key = Key(secrets.randbits(31) if seed is None else seed, proved)

    def admit(packages: Sequence[str]) -> None:
        if seed is not None:  # a secret one serves this once
            key.keeps_seeded = _hides(processes.isolation(tuple(packages), used_by(packages, device)))

    limits, opener = limits or Limits(), opener_of(submission, ALLOWED, admit, device)
    binder = binder_of(opener, limits, key, lambda functions, ask: _bound(exercise, functions, ask))
    if device != "cpu":
        binder = _device.noting(binder, device, key, _device.Beside(device, key))
    report = grading.grade_submission(submission, opener, binder, key, limits, [exercise.name])
    if not report.exercises:
        return msgspec.structs.replace(
            grading.missing(exercise.name), verdict="unscored", reason=report.reason, score=None
        )
    return min(report.exercises, key=lambda e: -1.0 if e.score is None else e.score)
