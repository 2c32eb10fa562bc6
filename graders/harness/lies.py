"""Every lie about an exercise, told to it: known mistakes and mechanical mutants, and which cases catch which."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from msgspec import Struct

from graders.harness import arithmetic, cases
from graders.harness.answers import AGREEMENT, NEGLIGIBLE, REVIEW_FACTOR, exact_outputs, plain_outputs
from graders.harness.cases import Case
from graders.harness.children import can_fork, within, worked_off
from graders.harness.compare import Comparison, compare
from graders.harness.exercise import Exercise, Function
from graders.harness.judge import Judged
from graders.harness.key import AnswerKey
from graders.harness.mutants import Mutant, mutants
from graders.harness.plans import Binding, Outputs
from graders.harness.verdict import Decision, decide

Fate = Literal["killed", "stillborn", "same", "rounding", "listed", "convention", "held", "survived"]
"""What becomes of a mutant.

- killed: beyond a hundred times the allowed error in some case, or it raises there, or does not end.
- stillborn: it raises in every case, so any test at all would find it; it counts for nothing.
- same: the very bits of the reference, in every case and in many more.
- rounding: within the allowed error, and wherever it has other bits, in a hundred digits no further from the reference
  than float64's last place: another way to compute the same, or without what only makes the reference more exact.
- listed: computes the same for a reason that is written down.
- convention: right under another documented definition.
- held: within a hundred times the allowed error, so that a person looks at it; and it computes something else.
- survived: it computes something else, and gets full marks.
"""
EQUAL: tuple[Fate, ...] = ("same", "rounding", "listed", "convention")
"""Fates of mutants that are no lies."""
FURTHER = 3
"""Rounds of seeded cases in which a mutant must give the reference's bits, beside the cases that decide."""
DIGITS = (100, 400)
LAST_PLACE = 2.0**-52
LONG = 120.0


class Told(Struct, frozen=True):
    """A mutant, what became of it, and the cases that kill it: none, if it does not end."""

    name: str
    fate: Fate
    killers: list[str]
    """The ids of the cases."""
    near: bool = False
    """Whether some case is near the boundary of what leaves no doubt: another machine may see it otherwise."""


def case_names(exercise: Exercise, key: AnswerKey) -> dict[str, str]:
    """Return names of the cases, by their id, that outlive a change of their numbers: regime or reason, and dtype."""
    edges = {case.id for case in cases.edges(exercise)}
    return {
        case.id: f"{'' if case.id in edges else 'drawn '}{case.origin} [{case.dtype}]" for case in key.cases(exercise)
    }


def compared(exercise: Exercise, function: Function, key: AnswerKey) -> list[Comparison]:
    """Return how a trusted function of the reference's signature, called in this process, fares in every case."""
    made = []
    for case in key.cases(exercise):
        answer = key.find(exercise, case)
        assert answer is not None
        try:
            outputs = plain_outputs(exercise, function, replace(case, arguments=copy.deepcopy(case.arguments)))
        except Exception as error:
            made.append(Comparison(case, answer, {}, np.inf, problem=f"raised {error!r}", raised=True))
        else:
            made.append(compare(case, answer, outputs))
    return made


def decision_on(exercise: Exercise, function: Function, key: AnswerKey, comparisons: Sequence[Comparison]) -> Decision:
    """Return the verdict on what `compared` found."""
    held = frozenset(cases.signature(exercise.reference).hyperparameters)
    binding = Binding(exercise, function.__name__, lambda case: (), lambda case, returned: {}, held=held)
    return decide(binding, key, Judged(tuple(comparisons)))


def verdict_on(exercise: Exercise, function: Function, key: AnswerKey) -> Decision:
    """Return the verdict on a trusted function of the reference's signature, called in this process."""
    return decision_on(exercise, function, key, compared(exercise, function, key))


def killers(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the ids of the cases that leave no doubt."""
    return [c.case.id for c in comparisons if c.failed]


def told(
    exercise: Exercise,
    key: AnswerKey,
    same: Collection[str] = (),
    sample: int | None = None,
    always: Collection[str] = (),
) -> list[Told]:
    """Return what becomes of the mutants of an exercise: all, or a sample that stays the same from run to run.

    `same` holds the names of those that are known to compute the same. Those in `always` are in every sample.
    Without `os.fork` (on Windows) nothing could stop a mutant that does not end, so none is run.
    """
    chosen = sampled(mutants(exercise.reference), sample, {*same, *always}) if can_fork else []
    more = further(exercise)
    key.cases(exercise)  # the children find the answers made

    fates = worked_off(len(chosen), lambda index: _told(exercise, chosen[index], key, same, more), Told)
    return [
        Told(mutant.name, "killed", []) if fate is None else fate for mutant, fate in zip(chosen, fates, strict=True)
    ]


def sampled(every: Sequence[Mutant], sample: int | None, always: Collection[str]) -> list[Mutant]:
    """Return so many mutants, those with the lowest digest of their name, and `always` beside them."""
    names = {*few((mutant.name for mutant in every), sample), *always}
    return [mutant for mutant in every if mutant.name in names]


def few(names: Iterable[str], sample: int | None) -> list[str]:
    """Return so many names, those with the lowest digest, or all."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:sample]


def further(exercise: Exercise) -> list[Case]:
    """Return more cases than those that decide, from seeds that no run is likely to have."""
    return [case for turn in range(FURTHER) for case in cases.seeded(exercise, 2**40 + turn)]


def _told(exercise: Exercise, mutant: Mutant, key: AnswerKey, same: Collection[str], more: Sequence[Case]) -> Told:
    try:
        function = mutant.function()
    except (SyntaxError, TypeError, ValueError):  # a text that is none
        return Told(mutant.name, "stillborn", [])
    comparisons = compared(exercise, function, key)
    if all(c.raised for c in comparisons):
        return Told(mutant.name, "stillborn", [])
    killed = killers(comparisons)
    if killed:
        convention = bool(exercise.conventions) and not any(c.raised for c in comparisons)
        if convention and decision_on(exercise, function, key, comparisons).verdict == "convention":
            return Told(mutant.name, "convention", [])
        near = any(REVIEW_FACTOR / 10 < c.ratio < REVIEW_FACTOR * 10 for c in comparisons)
        return Told(mutant.name, "killed", killed, near)
    held = not all(c.passed for c in comparisons)
    unlike = [case for case in (*key.cases(exercise), *more) if not _same_bits(exercise, function, case)]
    if not unlike:
        return Told(mutant.name, "same", [])
    if mutant.name in same:
        return Told(mutant.name, "listed", [])
    within(LONG)  # which many digits take; it has ended in few
    try:
        alike = all(_same_value(exercise, function, case) for case in unlike)
    except Exception:  # it cannot run in that arithmetic, or raises in a further case
        alike = False
    return Told(mutant.name, "rounding" if alike else "held" if held else "survived", [])


def _same_bits(exercise: Exercise, function: Function, case: Case) -> bool:
    """Return whether a function returns the very bits of the reference."""
    try:
        right, other = (
            plain_outputs(exercise, f, replace(case, arguments=copy.deepcopy(case.arguments)))
            for f in (exercise.reference, function)
        )
    except Exception:  # a mutant may raise where no case that decides has asked it
        return False
    return all(one.dtype == other[name].dtype and one.tobytes() == other[name].tobytes() for name, one in right.items())


def _truth(exercise: Exercise, case: Case, digits: int) -> Outputs:
    """Return the reference's value in many digits, made once in a process."""
    return case.once(("exact", digits), lambda: exact_outputs(exercise, exercise.text, case, digits))


def _same_value(exercise: Exercise, function: Function, case: Case) -> bool:
    """Return whether a function is, in many digits, so near to the reference that float64 would hardly tell.

    Where terms cancel, what is left of them is no value: with more digits there is less of it.
    """
    for digits in DIGITS:
        one, two = exact_outputs(exercise, function, case, digits), _truth(exercise, case, digits)
        if one.keys() == two.keys() and all(_near(one[name], two[name], digits) for name in two):
            return True
    return False


def _near(one: Any, two: Any, digits: int) -> bool:
    if np.shape(one) != np.shape(two):
        return False
    context = arithmetic.context(digits)
    pairs = zip(np.ravel(one).tolist(), np.ravel(two).tolist(), strict=True)  # of Python's numbers, or many digits
    numbers = [(context.mpf(a), context.mpf(b)) for a, b in pairs]
    scale = max((abs(b) for _, b in numbers if context.isfinite(b)), default=0)
    least = scale * context.mpf(10) ** (AGREEMENT - digits) + context.mpf(10) ** NEGLIGIBLE
    return all(
        bool(abs(a - b) <= LAST_PLACE * abs(b) + least)
        if context.isfinite(a) and context.isfinite(b)
        else bool(a == b or (context.isnan(a) and context.isnan(b)))
        for a, b in numbers
    )
