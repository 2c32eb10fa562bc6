"""From a submission to its verdicts: bind, call, compare, diagnose, mark.

The verdict is a total function of what came back (see `verdict_of`); everything else here is evidence beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders.harness import diagnose
from graders.harness.answers import plain_outputs
from graders.harness.cases import Case, signature
from graders.harness.compare import Comparison, compare
from graders.harness.exercise import Exercise, Function
from graders.harness.key import AnswerKey, cache_folder, store
from graders.harness.plans import Binding, WrongKind
from graders.harness.report import Aspect, Diagnosis, ExerciseReport, SubmissionReport, Verdict, Witness
from graders.harness.sandbox.contract import (
    Box,
    Call,
    Killed,
    Limits,
    Loaded,
    Outcome,
    Raised,
    Returned,
    TimedOut,
)
from graders.harness.sandbox.contract import Function as Found
from graders.harness.sandbox.parent import CannotStart, Submission
from graders.harness.witness import witness_of

MAIN_SHARE = 0.8
"""What the values or the gradient count; stability counts the rest. An assignment may say otherwise."""
STRIKES = 2
"""Time-outs after which a submission gets a quarter of the time for each further call."""


@dataclass(frozen=True)
class Bound:
    """What an adapter made of a submission's functions."""

    bindings: tuple[Binding, ...]
    not_covered: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


Binder = Callable[[tuple[Found, ...]], Bound]
Opener = Callable[[Limits], Box]


@dataclass
class Session:
    """One submission behind the boundary, opened again after a death; the only state of a grading."""

    open: Opener
    limits: Limits
    box: Box | None = None
    strikes: int = 0
    deaths: int = 0

    def call(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make the calls, in a fresh box if the last one died."""
        if self.box is None:
            self.box = self.open(self.limits)
        if not isinstance(self.box.loaded, Loaded):
            return [self.box.loaded]
        outcomes = self.box.call(calls)
        if outcomes and isinstance(outcomes[-1], (TimedOut, Killed)):
            self.deaths += 1
            self.strikes += isinstance(outcomes[-1], TimedOut)
            if self.strikes == STRIKES:
                self.limits = replace(self.limits, call_seconds=self.limits.call_seconds / 4)
            self.close()
        return outcomes

    def close(self) -> None:
        """End the submission."""
        if self.box is not None:
            self.box.close()
            self.box = None


@dataclass(frozen=True)
class Judged:
    """How a function did, case by case, or what ended it early."""

    comparisons: tuple[Comparison, ...]
    ended: Outcome | None = None
    """The Raised, TimedOut or Killed that decides the verdict, if one does."""
    untouched: bool = False
    """Whether nothing was attempted: None, zeros or the weights as they came, in every case."""
    notes: tuple[str, ...] = ()


# ---------------------------------------------------------------- calling and comparing


def _attempt(session: Session, binding: Binding, case: Case) -> tuple[Mapping[str, Any] | None, list[Outcome]]:
    outcomes = session.call(binding.plan(case))
    if len(outcomes) < len(binding.plan(case)) or not all(isinstance(o, Returned) for o in outcomes):
        return None, outcomes
    returned = [o for o in outcomes if isinstance(o, Returned)]
    try:
        return binding.outputs(case, returned), outcomes
    except WrongKind:
        return None, outcomes


def compared(binding: Binding, case: Case, key: AnswerKey, outcomes: Sequence[Outcome]) -> Comparison:
    """Compare one case's outcomes with its answer; a failed call is a problem of that case."""
    answer = key.find(binding.exercise, case)
    assert answer is not None
    returned = [o for o in outcomes if isinstance(o, Returned)]
    if len(returned) < len(outcomes):
        failed = next(o for o in outcomes if not isinstance(o, Returned))
        return Comparison(case, answer, {}, np.inf, problem=said_of(failed), raised=True)
    try:
        outputs = binding.outputs(case, returned)
    except WrongKind as error:
        return Comparison(case, answer, {}, np.inf, problem=str(error), raised=True)
    mutated = tuple(sorted({position for r in returned for position in r.mutated}))
    return compare(case, answer, outputs, mutated=mutated, aliased=any(r.aliased for r in returned))


def said_of(outcome: Outcome) -> str:
    """Return what went wrong with a call, as a report says it."""
    match outcome:
        case Raised(kind="unreadable", message=message):
            return message
        case Raised(kind=kind, message=message, line=line, text=text):
            where = f" (line {line}{': ' + text if text else ''})" if line else ""
            return f"raised {kind}{': ' + message if message else ''}{where}"
        case TimedOut(seconds=seconds, clock=clock):
            return f"took more than {seconds:g} s {clock}"
        case Killed(why=why):
            return why
    return "returned"


def _returned_nothing(outcomes: Sequence[Outcome]) -> bool:
    """Return whether the starter's own nothing came back: None, or NotImplementedError."""
    first = outcomes[0]
    if isinstance(first, Raised):
        return first.kind == "NotImplementedError" or first.message.startswith("returned None,")
    return isinstance(first, Returned) and all(value is None for value in first.values)


def _unchanged(comparison: Comparison) -> bool:
    """Return whether a case came back as zeros, or as the weights it was given."""
    if comparison.problem or comparison.passed:
        return False
    outputs = [np.asarray(value) for name, value in comparison.outputs.items() if name in ("", "params")]
    outputs = outputs or [np.asarray(value) for value in comparison.outputs.values()]
    given = comparison.case.arguments.get("params")
    return all(not np.any(value) for value in outputs) or (
        given is not None and all(np.array_equal(step, given) for value in outputs for step in np.atleast_2d(value))
    )


def judge(session: Session, binding: Binding, key: AnswerKey) -> Judged:
    """Ask the function every case, and compare."""
    asked = [case for case in key.cases(binding.exercise, binding.held) if binding.accepts(case)]
    plans = [binding.plan(case) for case in asked]
    outcomes = session.call([call for plan in plans for call in plan])
    if outcomes and isinstance(outcomes[-1], Killed):
        for _ in range(2):  # a crash is retried in a fresh sandbox: a submission's own crash comes again
            again = session.call([call for plan in plans for call in plan])
            outcomes = again
            if not isinstance(again[-1], Killed):
                break
    if not outcomes:
        return Judged((), Raised("unreadable", "there is no case that this call shape can express"))
    ended = outcomes[-1] if isinstance(outcomes[-1], (TimedOut, Killed)) else None
    if isinstance(outcomes[0], Raised) and len(outcomes) == 1 and len(plans) > 1:
        return Judged((), outcomes[0])  # it did not load a second time
    split: list[tuple[Case, list[Outcome]]] = []
    at = 0
    for case, plan in zip(asked, plans, strict=True):
        part = outcomes[at : at + len(plan)]
        at += len(plan)
        if len(part) < len(plan):
            break
        split.append((case, part))
    comparisons = tuple(compared(binding, case, key, part) for case, part in split)
    nothing = [_returned_nothing(part) for _, part in split]
    untouched = bool(split) and (all(nothing) or all(map(_unchanged, comparisons)))
    comparisons, notes = _one_form(comparisons)
    return Judged(comparisons, ended, untouched, notes)


def _one_form(comparisons: tuple[Comparison, ...]) -> tuple[tuple[Comparison, ...], tuple[str, ...]]:
    """Judge by one form of the labels if all of it is right and none of the other is: it takes that form only."""
    forms = sorted({c.case.form for c in comparisons})
    if len(forms) < 2:
        return comparisons, ()
    right = [f for f in forms if all(not c.failed for c in comparisons if c.case.form == f and not c.case.extreme)]
    alien = [f for f in forms if all(c.failed for c in comparisons if c.case.form == f and not c.case.extreme)]
    if len(right) == 1 and len(alien) == len(forms) - 1:
        kept = tuple(c for c in comparisons if c.case.form == right[0])
        return kept, (f"takes {right[0] or 'labels as distributions'} only: judged on those",)
    raising = [f for f in alien if all(c.raised for c in comparisons if c.case.form == f)]
    if raising and len(raising) < len(forms):
        kept = tuple(c for c in comparisons if c.case.form not in raising)
        taken = " and ".join(f or "labels as distributions" for f in forms if f not in raising)
        return kept, (f"takes {taken} only: judged on those",)
    return comparisons, ()


# ---------------------------------------------------------------- the verdict


@dataclass(frozen=True)
class Decision:
    """A verdict, in words, with what explains it."""

    verdict: Verdict
    reason: str
    diagnosis: tuple[Diagnosis, ...] = ()
    decisive: Comparison | None = None
    """The comparison that shows it, to be made as small as it will go."""
    precise: bool = True
    """Whether the ordinary cases passed in both dtypes, so that the formula is right."""


def _incompatible(raised: Raised) -> str | None:
    if raised.missing:
        return f"needs the package {raised.missing!r}, which is not allowed or not installed"
    old = ("Missing parentheses in call to 'print'", "multiple exception types must be parenthesized")
    if raised.kind == "SyntaxError" and (any(o in raised.message for o in old) or "leading zeros" in raised.message):
        return f"needs an older Python: {raised.message}"
    if raised.kind == "NameError" and any(f"'{n}'" in raised.message for n in ("xrange", "unicode", "raw_input")):
        return f"needs an older Python: {raised.message}"
    if raised.kind == "AttributeError" and "module 'numpy' has no attribute" in raised.message:
        return f"needs an older NumPy: {raised.message}"
    return None


def _fits_convention(
    binding: Binding, key: AnswerKey, comparisons: Sequence[Comparison]
) -> tuple[Function, list[Comparison]] | None:
    """Return the convention under which every ordinary case is right, and the comparisons with it."""
    for convention in binding.exercise.conventions:
        judged = []
        for c in sorted(comparisons, key=lambda c: c.passed):
            if c.problem:
                break
            answer = key.find(binding.exercise, c.case, convention)
            if answer is None or not answer.decides:
                continue
            with suppress(KeyError):
                judged.append(compare(c.case, answer, c.outputs, mutated=c.mutated, aliased=c.aliased))
            if judged and judged[-1].failed and not c.case.extreme:
                break
        else:
            if judged:
                return convention, judged
    return None


def _named_by(binding: Binding, convention: Function, judged: Sequence[Comparison]) -> str | None:
    """Return the parameter one of whose values means this convention, if the submission takes it.

    Then the task leaves nothing open: a function that was told `reduction="mean"` must not return the sum.
    """
    exercise = binding.exercise
    for name, (choices, default) in signature(exercise.reference).hyperparameters.items():
        if name in binding.held or not isinstance(choices, tuple):
            continue
        told = [c.case for c in judged if c.case.hyperparameters[name] == default]
        for other in choices:
            if other != default and told and all(_means(exercise, convention, case, name, other) for case in told):
                return name
    return None


def _means(exercise: Exercise, convention: Function, case: Case, name: str, other: Any) -> bool:
    """Return whether a convention gives what the reference gives for another value of a parameter."""
    told_so = replace(case, hyperparameters={**case.hyperparameters, name: other})
    one, two = plain_outputs(exercise, convention, case), plain_outputs(exercise, exercise.reference, told_so)
    return all(one[k].shape == two[k].shape and np.allclose(one[k], two[k], rtol=1e-4) for k in one)


def decide(binding: Binding, key: AnswerKey, judged: Judged) -> Decision:
    """Return the verdict: the first in the design's order that applies."""
    exercise, comparisons = binding.exercise, judged.comparisons
    if judged.untouched:
        return Decision("unfilled", "not attempted: it returns the starter's None, zeros or unchanged weights")
    if isinstance(judged.ended, Raised):
        incompatible = _incompatible(judged.ended)
        return Decision("incompatible", incompatible) if incompatible else Decision("error", said_of(judged.ended))
    if isinstance(judged.ended, TimedOut):
        return Decision("timeout", said_of(judged.ended))
    if isinstance(judged.ended, Killed):
        return Decision("killed", said_of(judged.ended))
    ordinary = [c for c in comparisons if not c.case.extreme]
    raised = [c for c in ordinary if c.raised]
    if raised:
        worst = min(raised, key=lambda c: c.case.size)
        outcome = worst.problem
        if "module 'numpy' has no attribute" in outcome:
            return Decision("incompatible", f"needs an older NumPy: {outcome}", decisive=worst)
        if "NameError" in outcome and "xrange" in outcome:
            return Decision("incompatible", f"needs an older Python: {outcome}", decisive=worst)
        return Decision("error", f"{outcome} in {len(raised)} of {len(ordinary)} ordinary cases", decisive=worst)
    return _decide_by_values(binding, key, comparisons, ordinary)


def _decide_by_values(
    binding: Binding, key: AnswerKey, comparisons: Sequence[Comparison], ordinary: Sequence[Comparison]
) -> Decision:
    exercise = binding.exercise
    double = [c for c in ordinary if c.case.dtype == "float64"]
    failing = [c for c in double if c.failed]
    beyond = [c for c in comparisons if c.failed]
    if failing:
        found = _fits_convention(binding, key, comparisons)
        if found:
            return _by_convention(binding, *found)
        share = f"{len(failing)} of {len(double)} ordinary cases in float64 are wrong"
        wrong = diagnose.misconceptions(exercise, double)
        decisive = min(failing, key=lambda c: (bool(c.problem), c.case.size))
        if wrong:
            return Decision("wrong", share, _named_as("misconception", wrong), decisive)
        shown = tuple(diagnose.patterns(exercise, double))
        if all(not c.problem and c.closeness <= diagnose.CLOSE for c in failing):
            near = f"{share}, all within {max(c.closeness for c in failing):.0e} of the truth but beyond rounding"
            return Decision("inexact", near, shown, decisive)
        return Decision("wrong", share, shown, decisive)
    if beyond:
        decisive = min(beyond, key=lambda c: (c.raised, c.case.dtype != "float64", c.case.size))
        single = [c for c in beyond if not c.case.extreme]
        fits = diagnose.misconceptions(exercise, [c for c in comparisons if c.case.dtype == "float64"])
        fits = fits or diagnose.misconceptions(exercise, comparisons)
        where = "in float32, even for ordinary inputs" if len(single) == len(beyond) else "at extreme inputs"
        reason = f"right for ordinary inputs in float64, but {len(beyond)} cases are wrong {where}"
        return Decision("unstable", reason, _named_as("misconception", fits), decisive)
    held = [c for c in comparisons if not c.passed]
    if held:
        found = _fits_convention(binding, key, comparisons)
        if found and all(c.passed for c in found[1]):
            return _by_convention(binding, *found)
        worst = max(held, key=lambda c: c.ratio)
        fits = diagnose.misconceptions(exercise, comparisons)
        reason = f"{worst.ratio:.3g} times beyond the allowed error in {len(held)} cases: held for a person to look at"
        return Decision("review", reason, _named_as("misconception", fits), worst)
    return Decision("correct", "")


def _by_convention(binding: Binding, convention: Function, judged: Sequence[Comparison]) -> Decision:
    named = _named_as("convention", [convention])
    parameter = _named_by(binding, convention, judged)
    failing = [c for c in judged if c.failed]
    if parameter:
        reason = f"right under another definition, but `{parameter}` says which one is meant"
        return Decision("wrong", reason, named, min(judged, key=lambda c: c.case.size))
    if failing:
        reason = f"right under another definition for ordinary inputs, but {len(failing)} extreme cases are wrong"
        return Decision("unstable", reason, named, min(failing, key=lambda c: c.case.size))
    if any(not c.passed for c in judged):
        worst = max(judged, key=lambda c: c.ratio)
        return Decision("review", f"{worst.ratio:.3g} times beyond the allowed error of its convention", named, worst)
    return Decision("convention", "right under another documented definition", named)


def _named_as(kind: Any, functions: Iterable[Function]) -> tuple[Diagnosis, ...]:
    return tuple(Diagnosis(kind, f.__name__, diagnose.told(f)) for f in functions)


# ---------------------------------------------------------------- marks and reports


def aspects_of(exercise: Exercise, decision: Decision, comparisons: Sequence[Comparison]) -> dict[str, Aspect]:
    """Return the marks by aspect: stability pays only where the function is right, hygiene is reported without marks."""
    main = "gradient" if exercise.forward else "values"
    extremes = [c for c in comparisons if c.case.extreme]
    share = MAIN_SHARE if any(edge.extreme for edge in exercise.edges) else 1.0
    right = decision.verdict in ("correct", "convention", "unstable")
    stable = decision.verdict in ("correct", "convention") or (
        decision.verdict == "inexact" and bool(extremes) and all(not c.problem and c.closeness <= diagnose.CLOSE for c in extremes)
    )
    clean = not any(c.mutated or c.aliased or c.changed_dtype for c in comparisons)
    made = {main: Aspect(share * right, share, right)}
    if share < 1:
        made["stability"] = Aspect((1 - share) * stable, round(1 - share, 12), stable if comparisons else None)
    made["hygiene"] = Aspect(0.0, 0.0, clean if comparisons else None)
    return made


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


def grade_function(session: Session, binding: Binding, key: AnswerKey, names: Sequence[str], path: str) -> ExerciseReport:
    """Return the verdict on one function."""
    began = time.monotonic()
    exercise = binding.exercise
    try:
        judged = judge(session, binding, key)
    except CannotStart as error:
        return _unscored(binding, str(error))
    decision = decide(binding, key, judged)
    comparisons = judged.comparisons
    decisive, witness, replay = decision.decisive, None, ""
    if decisive is not None:
        if not decisive.raised:
            decisive = _made_small(session, binding, key, decisive, decision)
        witness = witness_of(binding, decisive, path)
        replay = f"{exercise.name}@{decisive.case.id}"
        record = {
            "arguments": dict(decisive.case.arguments), "hyperparameters": dict(decisive.case.hyperparameters),
            "dtype": decisive.case.dtype, "origin": decisive.case.origin, "extreme": decisive.case.extreme, "path": path,
        }  # fmt: skip
        store(cache_folder() / "cases" / exercise.name / decisive.case.id, record)
    aspects = aspects_of(exercise, decision, comparisons)
    decided = [c for c in comparisons if c.case.dtype == "float64" and not c.case.extreme]
    truths = {c.answer.truth for c in comparisons}
    notes = [*judged.notes, *([binding.note] if binding.note else []), *hygiene(comparisons, names)]
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
        max_ulp=max((c.ulp for c in decided if not c.problem), default=None),
        truth=None if not truths else ("proof" if "proof" in truths else "reference"),
        replay=replay,
        cases=len(comparisons),
        failed_cases=sum(not c.passed for c in comparisons),
        notes=notes,
        seconds=round(time.monotonic() - began, 3),
    )


def _made_small(
    session: Session, binding: Binding, key: AnswerKey, decisive: Comparison, decision: Decision
) -> Comparison:
    """Return the smallest case that still shows the verdict."""
    if decision.verdict in ("review", "convention") or any(d.kind == "convention" for d in decision.diagnosis):
        return decisive
    exercise = binding.exercise

    def attempt(case: Case) -> Mapping[str, Any] | None:
        return _attempt(session, binding, case)[0] if binding.accepts(case) else None

    def full(case: Case) -> Comparison | None:
        answer = key.find(exercise, case)
        outcomes = session.call(binding.plan(case))
        return compared(binding, case, key, outcomes) if answer is not None and outcomes else None

    return diagnose.smallest(exercise, decisive, attempt, full)


def _unscored(binding: Binding, why: str) -> ExerciseReport:
    return ExerciseReport(
        binding.exercise.name, binding.function, "unscored", why, None, 1.0, {}, [], None, None, None, None, "", 0, 0, [], 0.0
    )


def missing(name: str) -> ExerciseReport:
    """Return the verdict on a name that was asked for and is not there."""
    reason = "asked for, but the submission has no function of this name"
    return ExerciseReport(name, "", "missing", reason, 0.0, 1.0, {}, [], None, None, None, None, "", 0, 0, [], 0.0)


def grade_submission(
    submission: Submission, opener: Opener, binder: Binder, key: AnswerKey, limits: Limits, wanted: Sequence[str] = ()
) -> SubmissionReport:
    """Return the verdicts on all functions of a submission that the catalogue knows; `wanted` names must be there."""
    session = Session(opener, limits)
    try:
        try:
            session.box = opener(limits)
        except CannotStart as error:
            return SubmissionReport(submission.id, submission.path, "unscored", str(error), None, 0.0, [], [], [])
        loaded = session.box.loaded
        if not isinstance(loaded, Loaded):
            reason = said_of(loaded)
            if isinstance(loaded, Raised):
                reason = _incompatible(loaded) or f"could not be imported: {reason}"
            asked = [missing(name) for name in wanted]
            return SubmissionReport(
                submission.id, submission.path, "unreadable", reason, 0.0, float(len(asked)), asked, [], []
            )
        bound = binder(loaded.functions)
        parameters = {f.name: f.names("positional") for f in loaded.functions}
        reports = [
            grade_function(session, b, key, parameters.get(b.function, ()), submission.path) for b in bound.bindings
        ]
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


def in_parallel(jobs: int, tasks: Sequence[Callable[[], SubmissionReport]]) -> list[SubmissionReport]:
    """Return the reports of the tasks, in their order; each waits for a child of its own, so threads serve."""
    if jobs <= 1 or len(tasks) <= 1:
        return [task() for task in tasks]
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            raise

