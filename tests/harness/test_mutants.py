"""Mechanical mutants: what is changed and what is left alone, and what becomes of those that do not end."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any

import numpy as np
import pytest

from graders.harness.answers import Answer, Expected
from graders.harness.audit import BLUNT, audit, blunt_lies, disagreements, matrix
from graders.harness.cases import Case
from graders.harness.children import can_fork, worked_off
from graders.harness.exercise import Exercise, Function, edge
from graders.harness.honest import variants
from graders.harness.key import AnswerKey
from graders.harness.lies import Told, sampled, told
from graders.harness.mutants import mutants
from graders.harness.rewriting import helpers, rebuilt
from reference._types import Array

Rows = Annotated[Array, "n d"]

needs_fork = pytest.mark.skipif(not can_fork, reason="mutants are run in forked processes, which this system has not")


def require_rows(x: Array) -> None:
    """Raise where there is no row."""
    if not len(x):
        raise ValueError("no rows")


def _centred(x: Array) -> Array:
    mean: Array = np.mean(x, axis=0)
    return x - mean


def deviations(x: Rows, *, power: Annotated[int, "count"] = 2) -> Array:
    """Σ (x - mean)ᵏ by column."""
    require_rows(x)
    if x.ndim != 2:
        raise ValueError("no table")
    total: Array = 0 * x[0]
    for row in range(len(x)):
        total = total + _centred(x)[row] ** power
    return total


def nudged(x: Rows) -> Array:
    """A number that is off by less than anybody is held to."""
    return x + 7e-16 * x


EXERCISE = Exercise(deviations, edges=(edge("three rows", x=[[0.3, -1.7], [0.9, 1.1], [0.4, -0.6]]),))
NAMES = [mutant.name for mutant in mutants(deviations)]


@pytest.fixture(scope="module")
def key() -> AnswerKey:
    return AnswerKey(0)


def fates(key: AnswerKey, *names: str) -> dict[str, str]:
    return {lie.name: lie.fate for lie in told(EXERCISE, key, sample=0, always=names)}


# ---------------------------------------------------------------- what is changed


@pytest.mark.parametrize(
    "name",
    [
        "a dropped term: total + _centred(x)[row] ** power → total",
        "another operator: _centred(x)[row] ** power → _centred(x)[row] * power",
        "a dropped call: _centred(x) → x",
        "another range: range(len(x)) → range(0, len(x) - 1)",
        "another constant: x[0] → x[1]",
        "a deleted statement: total = total + _centred(x)[row] ** power → pass",
        "_centred: another operator: x - mean → x + mean",
        "_centred: the other way round: x - mean → mean - x",
        "_centred: another constant: axis=0 → axis=-1",
        "_centred: no axis: np.mean(x, axis=0) → np.mean(x)",
        "_centred: sum for mean: np.mean(x, axis=0) → np.sum(x, axis=0)",
    ],
)
def test_a_slip_of_the_hand_is_among_the_mutants(name: str) -> None:
    assert name in NAMES


def test_checks_of_the_arguments_are_left_alone() -> None:
    assert not [name for name in NAMES if "require" in name or "ndim" in name or "raise" in name]


def test_names_are_unique_and_texts_differ() -> None:
    assert len(set(NAMES)) == len(NAMES) > 20


def test_a_helper_is_changed_with_the_function_that_calls_it_and_nowhere_else() -> None:
    mutant = next(m for m in mutants(deviations) if m.name.startswith("_centred: another operator"))
    x = np.array([[1.0], [3.0]])

    assert [helper.__name__ for helper in helpers(deviations)] == ["deviations", "_centred"]
    assert mutant.function()(x) == 3.0**2 + 5.0**2
    assert deviations(x) == 2.0


def test_a_function_rebuilt_without_a_change_is_what_it_was() -> None:
    x = np.array([[1.0, 0.5], [3.0, 0.1]])

    assert np.array_equal(rebuilt(deviations, {})(x, power=3), deviations(x, power=3))


def test_a_sample_stays_the_same_and_holds_what_it_must() -> None:
    every = mutants(deviations)
    some = {mutant.name for mutant in sampled(every, 5, [NAMES[-1]])}

    assert {mutant.name for mutant in sampled(every[::-1], 5, [NAMES[-1]])} == some
    assert NAMES[-1] in some
    assert len(some) in (5, 6)
    assert sampled(every, None, []) == every


# ---------------------------------------------------------------- what becomes of them


@needs_fork
def test_a_mutant_is_killed_or_the_same_or_the_same_up_to_rounding_or_never_lived(key: AnswerKey) -> None:
    expected = {
        "a dropped call: _centred(x) → x": "killed",
        "another constant: x[0] → x[-1]": "same",
        "another range: range(len(x)) → reversed(range(len(x)))": "rounding",
        "a deleted statement: total: Array = 0 * x[0] → pass": "stillborn",
    }
    found = fates(key, *expected)

    assert found == expected


@needs_fork
def test_what_computes_something_else_behind_the_allowed_error_survives_unless_it_is_listed() -> None:
    exercise = Exercise(nudged, edges=(edge("two", x=[[0.3, -1.7]]),))
    name = "a dropped term: x + 7e-16 * x → x"

    (lie,) = told(exercise, AnswerKey(0), sample=0, always=[name])
    (listed,) = told(exercise, AnswerKey(0), [name], sample=0)

    assert (lie.name, lie.fate) == (name, "survived")
    assert listed.fate == "listed"


@needs_fork
def test_what_does_not_end_or_eats_the_memory_or_dies_ends_alone() -> None:
    def work(index: int) -> int:
        if index == 1:
            while True:
                pass
        if index == 2:
            np.ones(2**32)
        if index == 3:
            os._exit(1)
        return index

    began = time.process_time()

    assert list(worked_off(5, work, int, seconds=0.2)) == [0, None, None, None, 4]
    assert time.process_time() - began < 5


@needs_fork
def test_work_changes_nothing_here() -> None:
    seen: list[int] = []

    def work(index: int) -> int:
        seen.append(index)
        return len(seen)

    assert list(worked_off(2, work, int)) == [1, 2]
    assert seen == []


# ---------------------------------------------------------------- honest variants


def test_variants_are_right_and_some_have_other_bits(key: AnswerKey) -> None:
    x = np.random.default_rng(0).standard_normal((50, 3))
    made = {variant.name: np.asarray(variant.function(x, power=3)) for variant in variants(EXERCISE)}
    right = deviations(x, power=3)

    assert all(np.allclose(value, right, rtol=1e-12) for value in made.values())
    assert len({value.tobytes() for value in made.values()}) > 3


# ---------------------------------------------------------------- the matrix


@needs_fork
def test_the_matrix_says_which_case_is_the_only_killer_and_notices_what_is_no_longer_so(key: AnswerKey) -> None:
    names = ["a dropped call: _centred(x) → x", "another constant: x[0] → x[-1]"]
    lies = told(EXERCISE, key, sample=0, always=names)
    first = next(lie for lie in lies if lie.fate == "killed")
    alone = Told(first.name, "killed", first.killers[:1])
    made = matrix(EXERCISE, key, {"forgets_it": alone.killers}, [alone])

    assert made.only == {"three rows [float64]": ["forgets_it", first.name]}
    assert made.enough == ["three rows [float64]"]
    assert made.kills["three rows [float64]"] == 2
    assert not disagreements(made, EXERCISE, key, [alone], ["forgets_it"])
    assert "no mutant or mistake any more" in disagreements(made, EXERCISE, key, [alone])[0]
    assert "where the matrix says ['three rows" in disagreements(made, EXERCISE, key, lies, ["forgets_it"])[0]
    assert (
        "where the matrix says same"
        in disagreements(made, EXERCISE, key, [Told(NAMES[3], "survived", [])], ["forgets_it"])[0]
    )


@needs_fork
def test_a_sound_exercise_is_found_sound_and_an_unsound_one_not(key: AnswerKey) -> None:
    def forgets_the_mean(x: Any, *, power: int = 2) -> Any:
        """The mean is not subtracted."""
        return np.sum(x**power, axis=0)

    def is_right_after_all(x: Any, *, power: int = 2) -> Any:
        """It is not wrong."""
        return np.sum((x - np.mean(x, axis=0)) ** power, axis=0)

    def rounds_to_float16(x: Any, *, power: int = 2) -> Any:
        return deviations(x, power=power).astype(np.float16).astype(x.dtype)

    sound, _ = audit(Exercise(deviations, (forgets_the_mean,), edges=EXERCISE.edges), key, sample=2)
    lying, _ = audit(
        Exercise(deviations, (is_right_after_all,), programs=(rounds_to_float16,), edges=EXERCISE.edges), AnswerKey(1),
        sample=2,
    )  # fmt: skip

    assert sound.sound
    assert sound.refused == sound.blunt == 6
    assert sound.honest > 3
    assert not lying.sound
    assert lying.not_caught == ["is_right_after_all"]
    assert [reject.partition(":")[0] for reject in lying.rejects] == ["rounds_to_float16"]


class GenerousKey(AnswerKey):
    """A key that allows any error at all, once its cases are made."""

    generous = False

    def find(self, exercise: Exercise, case: Case, function: Function | None = None) -> Answer | None:
        found = super().find(exercise, case, function)
        if found is None or not self.generous:
            return found
        return Answer({name: Expected(e.hi, e.lo, np.full(e.shape, 1e300)) for name, e in found.outputs.items()})


def test_a_lie_that_every_case_believes_is_said() -> None:
    key = GenerousKey(0)
    key.cases(EXERCISE)
    before = blunt_lies(EXERCISE, key)
    key.generous = True
    lenient, believed = blunt_lies(EXERCISE, key)

    assert before[1] == []
    assert set(lenient) == set(BLUNT)
    assert set(BLUNT) - set(believed) <= {"half precision"}  # where it overflows, no error is small enough
    assert "three rows [float64]" in lenient["zeros"]
