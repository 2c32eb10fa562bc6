"""From a submission to its report: bind, judge, decide, find the smallest witness, mark."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from msgspec import structs

from graders.harness import again, diagnose, separate, tried
from graders.harness.cases import DTYPES, Case
from graders.harness.compare import Comparison
from graders.harness.consistency import belongs
from graders.harness.copies import counted
from graders.harness.exercise import Exercise
from graders.harness.explain import ORDINARY, several
from graders.harness.hints import hints
from graders.harness.judge import Opener, Session, attempts, compared, judge, of_strided, overwrites, said_of
from graders.harness.key import AnswerKey, cache_folder, store
from graders.harness.plans import Binding
from graders.harness.report import Aspect, ExerciseReport, SubmissionReport, Verdict
from graders.harness.report.words import VERDICTS
from graders.harness.sandbox.contract import Function as Found
from graders.harness.sandbox.contract import Limits, Loaded, Raised, TimedOut
from graders.harness.sandbox.parent import CannotStart, Submission
from graders.harness.trials import TrialBinding
from graders.harness.verdict import Decision, decide, incompatible
from graders.harness.witness import witness_of

MAIN_SHARE = 0.8
"""What the values or the gradient count; stability counts the rest. An assignment may say otherwise."""


@dataclass(frozen=True)
class Bound:
    """What an adapter made of a submission's functions."""

    bindings: tuple[Binding, ...] = ()
    not_covered: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    trials: tuple[TrialBinding, ...] = ()
    """Those that are judged by their properties."""
    failed: tuple[tuple[str, str], ...] = ()
    """Functions that could not be bound, through no fault of theirs, and why."""

    @staticmethod
    def joined(parts: Iterable[Bound]) -> Bound:
        """Return what was made of several parts of a submission, in their order."""
        every = list(parts)
        return Bound(*(tuple(one for part in every for one in getattr(part, field.name)) for field in fields(Bound)))


Binder = Callable[[tuple[Found, ...]], Bound]


def aspects_of(
    exercise: Exercise,
    decision: Decision,
    comparisons: Sequence[Comparison],
    consistent: bool | None,
    careless: bool = False,
) -> dict[str, Aspect]:
    """Return the marks by aspect: stability pays only where the function is right, hygiene never."""
    main = "gradient" if exercise.forward else "values"
    extremes = [c for c in comparisons if c.case.extreme]
    stability = decision.verdict == "unstable" or any(edge.kind == "extreme" for edge in exercise.edges)
    share = MAIN_SHARE if stability else 1.0
    right = decision.verdict in RIGHT
    stable = decision.verdict in ("correct", "convention") or (
        decision.verdict == "inexact"
        and bool(extremes)
        and all(not c.problem and c.closeness <= diagnose.CLOSE for c in extremes)
    )
    clean = not careless and not any(c.mutated or c.aliased or c.changed_dtype for c in comparisons)
    made = {main: Aspect(share * right, share, right)}
    if share < 1:
        made["stability"] = Aspect(
            round((1 - share) * stable, 12), round(1 - share, 12), stable if comparisons else None
        )
    if exercise.forward:
        made["consistency"] = Aspect(0.0, 0.0, consistent)
    made["hygiene"] = Aspect(0.0, 0.0, clean if comparisons else None)
    return made


OVERWRITING = "returns memory that its next call writes to: a result changes unless it is copied at once"


def hygiene(comparisons: Sequence[Comparison], names: Sequence[str]) -> list[str]:
    """Return what a careful reader would mend, though it costs nothing."""
    found = []
    positions = sorted({p for c in comparisons for p in c.mutated})
    if positions:
        written = ", ".join(f"`{names[p]}`" if p < len(names) else f"argument {p + 1}" for p in positions)
        found.append(f"writes to its argument {written}")
    if any(c.aliased for c in comparisons):
        found.append("returns memory that it shares with an argument")
    changed = sorted({c.changed_dtype for c in comparisons if c.changed_dtype})
    return found + [f"changes the dtype: {change}" for change in changed]


def grade_function(
    session: Session,
    binding: Binding,
    key: AnswerKey,
    names: Sequence[str],
    path: str,
    own: tuple[Binding, ExerciseReport] | None = None,
) -> ExerciseReport:
    """Return the verdict on one function; a gradient is also held against the submission's `own` forward."""
    began = time.monotonic()
    exercise = binding.exercise
    try:
        judged = judge(session, binding, key)
    except CannotStart as error:
        return _unscored(binding, str(error))
    comparisons = judged.comparisons
    decision = _told_apart(session, binding, key, decide(binding, key, judged), comparisons)
    consistent = None
    if own is not None and any(not c.problem for c in comparisons):
        both_right = decision.verdict == own[1].verdict == "correct"  # then they belong together by proof
        consistent = both_right or belongs(session, binding, own[0], key)
        decision = _with_its_own(decision, own[1], consistent)
    decisive, witness, replay = decision.decisive, None, ""
    if decisive is not None:
        if not decisive.raised:
            decisive = _made_small(session, binding, key, decisive, decision)
        witness = witness_of(binding, decisive, path)
        replay = f"{exercise.name}@{decisive.case.id}"
        record = {
            "arguments": dict(decisive.case.arguments), "hyperparameters": dict(decisive.case.hyperparameters),
            "dtype": decisive.case.dtype, "origin": decisive.case.origin, "extreme": decisive.case.extreme,
            "path": path,
        }  # fmt: skip
        store(cache_folder() / "cases" / exercise.name / decisive.case.id, record)
        again.keep(exercise.name, decisive.case.id, path, binding.function, binding.note)
    overwriting, strided = overwrites(session, binding, comparisons), of_strided(session, binding, key, comparisons)
    aspects = aspects_of(exercise, decision, comparisons, consistent, overwriting or strided.startswith("gives"))
    right_forward = own[1].function if own is not None and own[1].verdict in RIGHT else None
    counted_by = decision.by_convention or comparisons
    ordinary = [c for c in counted_by if not c.case.extreme]
    finest = next((dtype for dtype in DTYPES if any(c.case.dtype == dtype for c in ordinary)), "")
    decided = [c for c in ordinary if c.case.dtype == finest]
    share = max((c.ratio for c in decided if not c.problem), default=None)
    truths = {c.answer.truth for c in counted_by}
    notes = [*judged.notes, *([binding.note] if binding.note else []), *hygiene(comparisons, names)]
    notes += [OVERWRITING] * overwriting + [strided] * bool(strided)
    notes += _on_consistency(consistent, decision, own)
    return ExerciseReport(
        name=exercise.name,
        function=binding.function,
        verdict=decision.verdict,
        reason=decision.reason,
        score=round(sum(a.score for a in aspects.values()), 12),
        max_score=round(sum(a.max_score for a in aspects.values()), 12),
        aspects=aspects,
        diagnosis=list(decision.diagnosis),
        witness=witness,
        bits=min((c.bits for c in decided), default=None),
        max_ulp=max((c.worst_ulp for c in decided if not c.problem), default=None),
        truth=None if not truths else ("proof" if "proof" in truths else "reference"),
        replay=replay,
        cases=len(counted_by),
        failed_cases=sum(not c.passed for c in counted_by),
        notes=notes,
        seconds=round(time.monotonic() - began, 3),
        hints=hints(comparisons, decision.verdict, decision.diagnosis, right_forward),
        max_error_over_allowed=share if share is not None and math.isfinite(share) else None,
    )


def forward_of(
    gradient: Binding, done: Sequence[tuple[Binding, ExerciseReport]]
) -> tuple[Binding, ExerciseReport] | None:
    """Return the submission's own function that a gradient should belong to: of the same function or module, if any."""
    found = [pair for pair in done if pair[0].exercise.name == gradient.exercise.forward]
    module = gradient.function.rpartition(".")[0]
    return min(
        found,
        key=lambda pair: (pair[0].function != gradient.function, pair[0].function.rpartition(".")[0] != module),
        default=None,
    )


RIGHT = ("correct", "convention", "unstable")
"""Verdicts under which the values themselves are right, by the task's definition or another."""


def _with_its_own(decision: Decision, own: ExerciseReport, consistent: bool | None) -> Decision:
    """A convention is chosen for a function and its gradient together: halves of two conventions are a mistake."""
    chosen = [d for d in (*decision.diagnosis, *own.diagnosis) if d.kind == "convention"]
    if consistent is not False or not chosen or decision.verdict not in RIGHT or own.verdict not in RIGHT:
        return decision
    reason = f"right under one documented definition, but your own {own.function} follows another: not its gradient"
    return Decision("wrong", reason, tuple(chosen))


def _on_consistency(
    consistent: bool | None, decision: Decision, own: tuple[Binding, ExerciseReport] | None
) -> list[str]:
    if own is None or consistent is None or consistent == (decision.verdict in RIGHT):
        return []
    if consistent:
        return [f"it is the gradient of your own {own[1].function}, which is judged by itself"]
    return [f"it is not the gradient of your own {own[1].function}"]


def _made_small(
    session: Session, binding: Binding, key: AnswerKey, decisive: Comparison, decision: Decision
) -> Comparison:
    """Return the smallest case that still shows the verdict."""
    if decision.verdict in ("review", "convention") or any(d.kind == "convention" for d in decision.diagnosis):
        return decisive
    exercise = binding.exercise

    def asked(case: Case) -> Mapping[str, Any] | None:
        if session.box is None or not binding.accepts(case):
            return None  # it died of an earlier try: one is enough
        return attempts(session, [(binding, case)])[0]

    def full(case: Case) -> Comparison | None:
        answer = key.find(exercise, case)
        outcomes = session.call(binding.plan(case))
        return compared(binding, case, key, outcomes) if answer is not None and outcomes else None

    named = {d.name for d in decision.diagnosis if d.kind == "misconception" and d.gives in ("", ORDINARY)}
    return diagnose.smallest(
        exercise, decisive, asked, full, [f for f in exercise.misconceptions if f.__name__ in named]
    )


def _told_apart(
    session: Session, binding: Binding, key: AnswerKey, decision: Decision, comparisons: Sequence[Comparison]
) -> Decision:
    """Return the decision with those of several known mistakes that fit on inputs that tell them apart, too."""
    exercise = binding.exercise
    told = [d for d in decision.diagnosis if d.kind == "misconception" and d.gives in ("", ORDINARY)]
    if len(told) < 2 or decision.decisive is None:
        return decision
    fits = [f for f in exercise.misconceptions if f.__name__ in [d.name for d in told]]
    like = decision.decisive.case

    def ask(case: Case) -> Comparison | None:
        answer = key.find(exercise, case)
        if answer is None or not answer.decides or not binding.accepts(case):
            return None
        outcomes = session.call(binding.plan(case))
        return compared(binding, case, key, outcomes) if outcomes else None

    left, asked = separate.told_apart(exercise, fits, like, key.seed, binding.held, ask)
    others = [d for d in decision.diagnosis if d not in told]
    said = several(left, asked, told[0].gives)
    return replace(decision, diagnosis=(*said, *others))


def _unasked(name: str, function: str, verdict: Verdict, reason: str, score: float | None) -> ExerciseReport:
    """Return a verdict that no case was asked for."""
    return ExerciseReport(
        name=name,
        function=function,
        verdict=verdict,
        reason=reason,
        score=score,
        max_score=1.0,
        aspects={},
        diagnosis=[],
        witness=None,
        bits=None,
        max_ulp=None,
        truth=None,
        replay="",
        cases=0,
        failed_cases=0,
        notes=[],
        seconds=0.0,
    )


def _unscored(binding: Binding, why: str) -> ExerciseReport:
    return _unasked(binding.exercise.name, binding.function, "unscored", why, None)


def _tried(session: Session, binding: TrialBinding, seed: int, path: str) -> ExerciseReport:
    """Return the verdict on a function that is judged by its properties."""
    try:
        return tried.grade(session, binding, seed, path)
    except CannotStart as error:
        why = str(error)
    except Exception as error:  # as for an exercise
        why = f"the harness failed, {type(error).__name__}: {error}; please report it"
    return _unasked(binding.trial.name, binding.function, "unscored", why, None)


def missing(name: str) -> ExerciseReport:
    """Return the verdict on a name that was asked for and is not there."""
    return _unasked(name, "", "missing", VERDICTS["missing"], 0.0)


def unreadable(
    submission: Submission, reason: str, wanted: Sequence[str], verdict: Verdict = "error"
) -> SubmissionReport:
    """Return the report on a submission of which no function could be judged."""
    asked = [structs.replace(missing(name), verdict=verdict, reason=reason) for name in wanted]
    return SubmissionReport(submission.id, submission.path, "unreadable", reason, 0.0, float(len(asked)), asked, [], [])


def _or_unfilled(report: ExerciseReport, functions: Sequence[Found]) -> ExerciseReport:
    """Return the report on what falls short because it is a starter: the places for its code are there, and empty."""
    starters = {function.name for function in functions if function.names("left open")}
    if (
        report.verdict not in ("wrong", "error", "incompatible")
        or not {report.function, report.function.rpartition(".")[0]} & starters
    ):
        return report
    reason = f"not attempted: the places for its code are empty ({report.reason})"
    return structs.replace(report, verdict="unfilled", reason=reason, diagnosis=[])


def grade_submission(
    submission: Submission, opener: Opener, binder: Binder, key: AnswerKey, limits: Limits, wanted: Sequence[str] = ()
) -> SubmissionReport:
    """Return the verdicts on all functions of a submission that the catalogue knows; `wanted` names must be there."""
    if submission.kind == "unreadable":
        return unreadable(submission, submission.name, wanted)
    session = Session(opener, limits)
    try:
        try:
            session.box = opener(limits)
        except CannotStart as error:
            return SubmissionReport(submission.id, submission.path, "unscored", str(error), None, 0.0, [], [], [])
        loaded = session.box.loaded
        if not isinstance(loaded, Loaded):
            reason = said_of(loaded)
            verdict: Verdict = "timeout" if isinstance(loaded, TimedOut) else "killed"
            if isinstance(loaded, Raised):
                needs = incompatible(loaded)
                unfit = "" if loaded.kind == "NotANotebook" else f"could not be imported: {reason}"
                reason, verdict = needs or unfit or loaded.message, "incompatible" if needs else "error"
            return unreadable(submission, reason, wanted, verdict)
        bound = binder(loaded.functions)
        key.prepare((binding.exercise, binding.held) for binding in bound.bindings)
        parameters = {f.name: f.names("positional") for f in loaded.functions}
        done: list[tuple[Binding, ExerciseReport]] = []
        for b in bound.bindings:  # in the catalogue's order, so that a forward comes before its gradient
            try:
                names, own = parameters.get(b.function, ()), forward_of(b, done)
                report = grade_function(session, b, key, names, submission.path, own)
            except Exception as error:  # ours, not the submission's: its other functions are judged all the same
                report = _unscored(b, f"the harness failed, {type(error).__name__}: {error}; please report it")
            done.append((b, report))
        reports = [report for _, report in done]
        reports += [_tried(session, t, key.seed, submission.path) for t in bound.trials]
        reports += [_unasked(name, name, "unscored", why, None) for name, why in bound.failed]
        # which copy counts is settled first: a wrong one is not to pass for a starter beside others
        reports = [_or_unfilled(report, loaded.functions) for report in counted(reports, loaded.functions)]
    finally:
        session.close()
    there = {report.name for report in reports}
    reports += [missing(name) for name in wanted if name not in there]
    notes = [*loaded.notes, *bound.notes]
    if not reports:
        reason = "no function of it bears a name of the catalogue, or has a call shape that an adapter knows"
        return SubmissionReport(
            submission.id, submission.path, "nothing_found", reason, 0.0, 0.0, [], list(bound.not_covered), notes
        )
    unscored = any(report.score is None for report in reports)
    return SubmissionReport(
        submission.id,
        submission.path,
        "unscored" if unscored else "graded",
        "",
        None if unscored else round(sum(report.score or 0.0 for report in reports), 12),
        sum(report.max_score for report in reports),
        sorted(reports, key=lambda r: r.verdict != "review"),
        list(bound.not_covered),
        notes,
    )
