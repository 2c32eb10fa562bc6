"""The grader graded: does it catch every known mistake and name it, and does it let every honest program pass?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from msgspec import Struct

from graders.harness import cases
from graders.harness.answers import plain_outputs
from graders.harness.cases import Case
from graders.harness.certify import library, rival_function
from graders.harness.compare import compare
from graders.harness.exercise import Exercise, Function
from graders.harness.honest import Honest, variants
from graders.harness.key import KEPT_BITS, AnswerKey
from graders.harness.lies import EQUAL, Fate, Told, case_names, compared, decision_on, killers, told, verdict_on
from graders.harness.mutants import mutants as mutants_of
from graders.harness.plans import Outputs
from graders.harness.precision import truncated

NO_MUTANTS: Mapping[str, str] = {}


class Audit(Struct, frozen=True, kw_only=True):
    """The power and the fairness of one exercise."""

    name: str
    misconceptions: int
    caught: int
    named: int
    conventions: int
    accepted: int
    mutants: int
    """Those that were run, but for the stillborn, which raise in every case: any test at all finds them."""
    killed: int
    equivalent: int
    """They compute what the reference computes, or what a convention does."""
    stillborn: int = 0
    honest: int
    rejected: int
    blunt: int = 0
    """Lies that know nothing of the exercise: zeros, a constant, half the precision, half the data.

    Fewer than six where one does nothing: half precision, where all answers are small integers.
    """
    refused: int = 0
    vacuous_cases: int
    not_caught: list[str]
    not_named: list[str]
    survivors: list[str]
    """Mutants with full marks, or before a person, that compute something else."""
    rejects: list[str]
    not_refused: list[str] = []
    vacuous: list[str]
    lenient: dict[str, list[str]] = {}
    """By blunt lie, the cases that would let it pass if they were alone."""

    @property
    def sound(self) -> bool:
        """Return whether nothing here needs mending; what survives is looked at one by one."""
        lost = self.not_caught or self.not_named or self.rejects or self.not_refused or self.vacuous
        return not lost and self.accepted == self.conventions


class Kills(Struct, frozen=True):
    """Which case of an exercise catches how many lies, and which it alone catches."""

    name: str
    mutants: int
    """Those that were run, but for the stillborn."""
    killed: int
    same: int
    """Those that give the very bits of the reference."""
    kills: dict[str, int]
    """By case, how many known mistakes and mutants it catches."""
    only: dict[str, list[str]]
    """By case, what no other case catches."""
    spare: list[str]
    """Hand-chosen cases that catch nothing that others do not, one by one: they may guard something else."""
    enough: list[str]
    """A small set of cases that catches all that all of them do."""
    fates: dict[Fate, list[str]]
    """Mutants that are neither killed, nor stillborn, nor give the very bits of the reference."""


def audit(
    exercise: Exercise,
    key: AnswerKey,
    same: Mapping[str, str] = NO_MUTANTS,
    defects: Collection[str] = (),
    sample: int | None = None,
) -> tuple[Audit, Kills]:
    """Return how an exercise fares on its own lies, conventions, honest programs and mechanical mutants.

    `same` holds mutants that compute what the reference computes, each with the reason; `defects` the libraries whose
    own function is known to be at fault. Of the mutants a `sample` of so many is tried, or all.
    """
    not_caught, not_named = [], []
    caught: dict[str, list[str]] = {}
    for wrong in exercise.misconceptions:
        comparisons = compared(exercise, wrong, key)
        caught[wrong.__name__] = killers(comparisons)
        decision = decision_on(exercise, wrong, key, comparisons)
        if decision.verdict in ("correct", "convention"):
            not_caught.append(wrong.__name__)
        if wrong.__name__ not in [d.name for d in decision.diagnosis]:
            not_named.append(f"{wrong.__name__}: {decision.verdict}")
    accepted = 0
    for convention in exercise.conventions:
        decision = verdict_on(exercise, convention, key)
        accepted += decision.verdict == "convention" and convention.__name__ == decision.diagnosis[0].name
    honest, rejects = judged_honest(exercise, key, defects)
    born = told(exercise, key, same, sample)
    mutants = [lie for lie in born if lie.fate != "stillborn"]
    survivors = [f"{lie.name} ({lie.fate})" for lie in mutants if lie.fate in ("held", "survived")]
    blunt, not_refused = blunt_lies(exercise, key)
    vacuous = vacuous_edges(exercise, key)
    count = len(exercise.misconceptions)
    made = Audit(
        name=exercise.name, misconceptions=count, caught=count - len(not_caught), named=count - len(not_named),
        conventions=len(exercise.conventions), accepted=accepted,
        mutants=len(mutants), killed=sum(lie.fate == "killed" for lie in mutants),
        equivalent=sum(lie.fate in EQUAL for lie in mutants), stillborn=len(born) - len(mutants),
        honest=honest, rejected=len(rejects), blunt=len(blunt), refused=len(blunt) - len(not_refused),
        vacuous_cases=len(vacuous), not_caught=not_caught, not_named=not_named, survivors=survivors, rejects=rejects,
        not_refused=not_refused, vacuous=vacuous, lenient={name: passed for name, passed in blunt.items() if passed},
    )  # fmt: skip
    return made, matrix(exercise, key, caught, mutants)


# ---------------------------------------------------------------- honest programs


def judged_honest(exercise: Exercise, key: AnswerKey, defects: Collection[str] = ()) -> tuple[int, list[str]]:
    """Return how many honest programs there are, and which of them get less than full marks.

    The reference, the programs declared beside it, other libraries' own functions where they are installed, and those
    variants of the reference's text that return other bits.
    """
    count, rejects = 0, []
    for program in _honest(exercise, key, defects):
        count += 1
        decision = verdict_on(exercise, program.function, key)
        if decision.verdict not in ("correct", "convention"):
            rejects.append(f"{program.name}: {decision.verdict}, {decision.reason}")
    return count, rejects


def _honest(exercise: Exercise, key: AnswerKey, defects: Collection[str]) -> Iterator[Honest]:
    for program in (exercise.reference, *exercise.programs):
        yield Honest(program.__name__, program)
    for name, rival in exercise.rivals.items():
        if name not in defects and (module := library(name)) is not None:
            function = rival_function(rival, module)
            function.__name__ = name
            yield Honest(name, function)
    known = [_bits(exercise, exercise.reference, key)]
    for variant in variants(exercise):
        bits = _bits(exercise, variant.function, key)
        if bits not in known:
            known.append(bits)
            yield variant


def _bits(exercise: Exercise, function: Function, key: AnswerKey) -> list[bytes]:
    made = []
    for case in key.cases(exercise):
        try:
            made += [value.tobytes() for value in plain_outputs(exercise, function, case).values()]
        except Exception:  # a variant that raises is judged like any other
            made.append(b"raised")
    return made


# ---------------------------------------------------------------- lies that know nothing

BluntLie = Callable[[Exercise, Case, Outputs], Outputs]


def _of_each(change: Callable[[np.ndarray[Any, Any]], Any], rounds: bool = False) -> BluntLie:
    """Return what is done to each output; a lie that `rounds` leaves integers as they are."""

    def lie(exercise: Exercise, case: Case, right: Outputs) -> Outputs:
        del exercise, case
        floats = any(value.dtype.kind == "f" for value in right.values())
        return {
            name: change(value) if value.dtype.kind == "f" or not (floats or rounds) else value
            for name, value in right.items()
        }

    return lie


def _one_constant(right: np.ndarray[Any, Any]) -> Any:
    return np.full_like(right, right.flat[0]) if right.size > 1 else np.ones_like(right)


def _first_half(right: np.ndarray[Any, Any]) -> Any:
    """Return an array whose second half, of the rows or of the entries of one row, was never written."""
    made = right.copy()
    flat = made if made.ndim and len(made) > 1 else made.reshape(-1)
    flat[(len(flat) + 1) // 2 :] = 0
    return made


def _half_read(exercise: Exercise, case: Case, right: Outputs) -> Outputs:
    """Return what comes of the first half of the rows alone; where nothing speaks of rows, half of what should be."""
    forms = cases.signature(exercise.reference).arguments
    given = dict(case.arguments)
    for name, value in given.items():
        if isinstance(value, np.ndarray) and any("n" in form.axes for form in forms.get(name, ())):
            axis = next(form.axes.index("n") for form in forms[name] if "n" in form.axes)
            given[name] = value.take(range((value.shape[axis] + 1) // 2), axis)
    try:
        half = plain_outputs(exercise, exercise.reference, replace(case, arguments=given))
    except (TypeError, ValueError, IndexError):
        half = {}
    return {
        name: half[name] if name in half and half[name].shape == value.shape else _first_half(value)
        for name, value in right.items()
    }


def _truncated(right: np.ndarray[Any, Any]) -> Any:
    return truncated(right.astype(np.float64), KEPT_BITS[str(right.dtype)]).astype(right.dtype)


BLUNT: Mapping[str, BluntLie] = {
    "zeros": _of_each(np.zeros_like),
    "one constant": _of_each(_one_constant),
    "half precision": _of_each(lambda right: right.astype(np.float16).astype(right.dtype), rounds=True),
    "half the digits": _of_each(_truncated, rounds=True),
    "half of it written": _of_each(_first_half),
    "half of it read": _half_read,
}


def blunt_lies(exercise: Exercise, key: AnswerKey) -> tuple[dict[str, list[str]], list[str]]:
    """Return the cases that do not refuse a lie, by lie, and the lies that no case refuses.

    A lie is told only where it changes something: one that changes nothing anywhere is not among them.
    """
    lenient: dict[str, list[str]] = {}
    believed = []
    names = case_names(exercise, key)
    for name, lie in BLUNT.items():
        told_, passed = 0, []
        for case in key.cases(exercise):
            answer = key.find(exercise, case)
            assert answer is not None
            with np.errstate(all="ignore"):
                right = plain_outputs(exercise, exercise.reference, case)
                outputs = lie(exercise, case, right)
            if any(outputs[part].tobytes() != value.tobytes() for part, value in right.items()):
                told_ += 1
                passed += [names[case.id]] * (not compare(case, answer, outputs).failed)
        if told_:
            lenient[name] = passed
            believed += [name] * (len(passed) == told_)
    return lenient, believed


def vacuous_edges(exercise: Exercise, key: AnswerKey) -> list[str]:
    """Return the hand-chosen inputs that are no case in any dtype: they would let a lie pass, or decide nothing."""
    decided = {case.id for case in key.cases(exercise)}
    return [
        edge.why
        for edge in exercise.edges
        if not any(cases.from_edge(exercise, edge, dtype).id in decided for dtype in cases.dtypes(exercise))
    ]


# ---------------------------------------------------------------- the kill matrix


def matrix(exercise: Exercise, key: AnswerKey, caught: Mapping[str, list[str]], mutants: Sequence[Told]) -> Kills:
    """Return which case catches how many lies, and which it alone catches."""
    names = case_names(exercise, key)
    lies = {**caught, **{lie.name: lie.killers for lie in mutants if lie.fate == "killed"}}
    only: dict[str, list[str]] = {}
    for lie, by in lies.items():
        if len(by) == 1:
            only.setdefault(names[by[0]], []).append(lie)
    fates: dict[Fate, list[str]] = {}
    for met in mutants:
        if met.fate not in ("killed", "same"):
            fates.setdefault(met.fate, []).append(met.name)
    return Kills(
        exercise.name,
        len(mutants),
        sum(lie.fate == "killed" for lie in mutants),
        sum(lie.fate == "same" for lie in mutants),
        {name: sum(id_ in by for by in lies.values()) for id_, name in names.items()},
        only,
        [names[case.id] for case in cases.edges(exercise) if case.id in names and names[case.id] not in only],
        [names[id_] for id_ in _enough(list(names), lies)],
        fates,
    )


def _enough(asked: Sequence[str], lies: Mapping[str, list[str]]) -> list[str]:
    """Return cases that catch every lie that is caught, each the one that catches most of what is left."""
    left = [set(by) for by in lies.values() if by]
    chosen = []
    while left:
        chosen.append(max(asked, key=lambda id_: sum(id_ in by for by in left)))
        left = [by for by in left if chosen[-1] not in by]
    return [id_ for id_ in asked if id_ in chosen]


def disagreements(
    committed: Kills, exercise: Exercise, key: AnswerKey, mutants: Sequence[Told], mistakes: Collection[str] = ()
) -> list[str]:
    """Return where the committed matrix says what is not so, as far as a sample of the mutants can tell.

    `mistakes` are the known mistakes by whose names the matrix may speak. Another machine may give other last bits: of
    what is near the boundary, nothing is said.
    """
    names = case_names(exercise, key)
    asked = set(names.values())
    if asked != set(committed.kills):
        new, gone = asked - set(committed.kills), set(committed.kills) - asked
        return [f"the cases {sorted(new)} are new, {sorted(gone)} are gone"]
    alone = {lie: [case] for case, lies in committed.only.items() for lie in lies}
    fates = {name: fate for fate, names in committed.fates.items() for name in names}
    found = [
        f"{lie}: no mutant or mistake any more"
        for lie in (*alone, *fates)
        if lie not in {*mistakes, *names_of(exercise)}
    ]
    for lie in mutants:
        fate: Fate = fates.get(lie.name, "killed" if lie.fate == "killed" else "same")
        if lie.near or lie.fate == "stillborn":
            continue
        if _kind(fate) != _kind(lie.fate):
            found.append(f"{lie.name}: {lie.fate}, where the matrix says {fate}")
            continue
        by = [names[id_] for id_ in lie.killers]
        if lie.fate == "killed" and alone.get(lie.name, []) != (by if len(by) == 1 else []):
            found.append(f"{lie.name}: caught by {by}, where the matrix says {alone.get(lie.name, 'several')}")
    return found


def _kind(fate: Fate) -> str:
    """Return what a fate says that hangs on no last bit."""
    return "equal" if fate in EQUAL else fate


def names_of(exercise: Exercise) -> set[str]:
    """Return the names of all mutants of an exercise."""
    return {mutant.name for mutant in mutants_of(exercise.reference)}
