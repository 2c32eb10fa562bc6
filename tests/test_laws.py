"""Laws over the whole catalogue: every exercise tells right from wrong, and the three rooms agree."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import reference
from derivations._catalogue import claims
from graders._catalogue import exercises, trials
from graders._exceptions import LESS_EXACT, TORCH_DEFECTS, WITHOUT_EXERCISE
from graders.harness import cases
from graders.harness.answers import Answer, plain_outputs
from graders.harness.audit import blunt_lies, judged_honest, vacuous_edges
from graders.harness.cases import Case
from graders.harness.certify import confirm, proved, rival_function
from graders.harness.compare import compare
from graders.harness.exercise import Exercise, Function
from graders.harness.key import AnswerKey
from graders.harness.lies import verdict_on

EXERCISES = exercises()
PAIRS = {
    role: [pytest.param(name, f, id=f"{name}-{f.__name__}") for name, e in EXERCISES.items() for f in getattr(e, role)]
    for role in ("misconceptions", "conventions", "programs")
}
FITS = 4  # a misconception is named if it is among so few that give the same numbers in every case

LOOPS = ("networks.", "convolution.receptive_field")
"""What goes through layers one after the other; all else is written for whole arrays."""

every_exercise = pytest.mark.parametrize("name", EXERCISES)


def answered(key: AnswerKey, exercise: Exercise) -> list[tuple[Case, Answer]]:
    return [(case, answer) for case in key.cases(exercise) if (answer := key.find(exercise, case)) is not None]


# ---------------------------------------------------------------- names


def test_the_catalogue_is_not_empty() -> None:
    assert len(EXERCISES) >= 26


def test_bare_names_are_unique_over_all_topics() -> None:
    bare = [name.partition(".")[2] for name in EXERCISES]

    assert len(set(bare)) == len(bare)


@every_exercise
def test_a_name_is_that_of_its_reference_and_of_the_value_that_holds_it(name: str) -> None:
    exercise = EXERCISES[name]
    topic, _, bare = name.partition(".")
    module = __import__(f"graders.{topic}", fromlist=[bare])

    assert exercise.reference.__module__ == f"reference.{topic}"
    assert exercise.reference.__name__ == bare
    assert getattr(module, bare) is exercise


def test_every_gradient_has_its_forward_in_the_catalogue() -> None:
    for exercise in EXERCISES.values():
        assert exercise.forward is None or exercise.forward in EXERCISES


def test_the_tables_of_exceptions_name_what_is_there() -> None:
    assert set(TORCH_DEFECTS) | set(LESS_EXACT) <= set(EXERCISES)


def test_every_public_function_of_the_reference_is_an_exercise_or_has_a_reason() -> None:
    public = {
        f"{topic}.{name}"
        for topic in (module.name for module in pkgutil.iter_modules(reference.__path__))
        for name, f in vars(importlib.import_module(f"reference.{topic}")).items()
        if inspect.isfunction(f) and f.__module__ == f"reference.{topic}" and not f"{topic}.{name}".count("._")
    }

    assert {name for name in public if not name.startswith("_")} == {*EXERCISES, *trials(), *WITHOUT_EXERCISE}
    assert not {*EXERCISES, *trials()} & set(WITHOUT_EXERCISE)


# ---------------------------------------------------------------- what a topic declares


@every_exercise
def test_an_exercise_has_four_misconceptions_and_more_each_under_a_name_of_its_own(name: str) -> None:
    exercise = EXERCISES[name]
    names = [f.__name__ for f in (*exercise.misconceptions, *exercise.conventions, *exercise.programs)]

    assert len(exercise.misconceptions) >= 4
    assert len(set(names)) == len(names)


@every_exercise
def test_what_a_student_is_told_is_a_sentence(name: str) -> None:
    for function in (*EXERCISES[name].misconceptions, *EXERCISES[name].conventions):
        said = inspect.getdoc(function) or ""
        assert said.endswith("."), function
        assert len(said.split()) >= 4, function
        assert function.__name__.isidentifier()


@every_exercise
def test_every_function_of_an_exercise_takes_what_the_reference_takes(name: str) -> None:
    def taken(f: Function) -> list[Any]:
        return [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]

    exercise = EXERCISES[name]
    for function in (*exercise.misconceptions, *exercise.conventions, *exercise.programs):
        assert taken(function) == taken(exercise.reference), function


@every_exercise
def test_edges_are_told_apart_by_why_they_are_there(name: str) -> None:
    whys = [edge.why for edge in EXERCISES[name].edges]

    assert whys
    assert len(set(whys)) == len(whys)


# ---------------------------------------------------------------- right is right


@every_exercise
def test_the_reference_passes_its_own_exercise_in_both_dtypes(name: str, key: AnswerKey) -> None:
    exercise = EXERCISES[name]
    seen = set()
    for case, answer in answered(key, exercise):
        outputs = plain_outputs(exercise, exercise.reference, case)
        result = compare(case, answer, outputs)
        seen.add(case.dtype)
        assert result.passed, (case.origin, case.dtype, result.problem, result.ratio)
        assert not result.changed_dtype
    assert seen == set(cases.dtypes(exercise))
    assert verdict_on(exercise, exercise.reference, key).verdict == "correct"


@pytest.mark.parametrize("name, program", PAIRS["programs"])
def test_an_honest_program_is_accepted(name: str, program: Function, key: AnswerKey) -> None:
    decision = verdict_on(EXERCISES[name], program, key)

    assert decision.verdict == "correct", decision.reason


@pytest.mark.parametrize("name", [name for name, exercise in EXERCISES.items() if exercise.lifted])
def test_a_second_text_gives_what_the_reference_gives_and_says_why_it_is_there(name: str, key: AnswerKey) -> None:
    lifted = EXERCISES[name].lifted
    assert lifted is not None

    assert verdict_on(EXERCISES[name], lifted, key).verdict == "correct"
    assert len((inspect.getdoc(lifted) or "").split()) >= 4


@pytest.mark.parametrize("name, convention", PAIRS["conventions"])
def test_a_convention_is_accepted_and_named(name: str, convention: Function, key: AnswerKey) -> None:
    decision = verdict_on(EXERCISES[name], convention, key)

    assert decision.verdict == "convention", decision.reason
    assert [(d.kind, d.name) for d in decision.diagnosis] == [("convention", convention.__name__)]


@pytest.mark.parametrize("name", [name for name in EXERCISES if "torch" in EXERCISES[name].rivals])
def test_pytorchs_own_function_gets_full_marks(name: str, key: AnswerKey) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is an extra and is not installed")
    exercise = EXERCISES[name]
    decision = verdict_on(exercise, named_as(rival_function(exercise.rivals["torch"], torch)), key)

    assert (decision.verdict in ("correct", "convention")) != (name in TORCH_DEFECTS), decision.reason


def named_as(function: Callable[..., Any]) -> Function:
    function.__name__ = "theirs"
    return function


@pytest.mark.parametrize("name", [name for name in EXERCISES if name in claims()])
def test_proof_and_reference_text_have_one_value(name: str, key: AnswerKey) -> None:
    exercise = EXERCISES[name]
    value = proved(exercise)
    assert value is not None
    chosen = sorted(key.cases(exercise), key=lambda case: case.size)
    covered = 0
    for case in chosen:
        covered += confirm(exercise, case, value)
        if covered == 2:
            break

    assert covered >= 1


# ---------------------------------------------------------------- wrong is wrong


@pytest.mark.parametrize("name, wrong", PAIRS["misconceptions"])
def test_a_misconception_is_caught_and_named(name: str, wrong: Function, key: AnswerKey) -> None:
    decision = verdict_on(EXERCISES[name], wrong, key)

    assert decision.verdict in ("wrong", "inexact", "unstable", "error", "unfilled"), decision.reason
    assert [d.name for d in decision.diagnosis][:1] == [wrong.__name__], (decision.reason, decision.diagnosis)
    assert len(decision.diagnosis) <= FITS


@every_exercise
def test_a_reference_that_is_slightly_off_fails(name: str, key: AnswerKey) -> None:
    exercise = EXERCISES[name]
    decision = verdict_on(exercise, off_by(exercise, 1e-6), key)

    assert decision.verdict in ("wrong", "inexact")


@every_exercise
def test_a_reference_that_is_off_by_less_than_rounding_does_not_fail(name: str, key: AnswerKey) -> None:
    exercise = EXERCISES[name]
    decision = verdict_on(exercise, off_by(exercise, 0.0), key)

    assert decision.verdict == "correct"


def off_by(exercise: Exercise, share: float) -> Function:
    """Return the reference with every float that it returns times 1 + share."""

    def off(value: Any) -> Any:
        if isinstance(value, tuple):
            made = [off(item) for item in value]
            return type(value)(*made) if hasattr(value, "_fields") else tuple(made)
        if np.asarray(value).dtype.kind in "iu":
            return value + (share > 0)
        return value * np.asarray(value).dtype.type(1 + share)

    def slightly_off(*arguments: Any, **keywords: Any) -> Any:
        return off(exercise.reference(*arguments, **keywords))

    return slightly_off


Lie = Callable[[np.ndarray[Any, Any]], Any]
LIES: Mapping[str, Lie] = {
    "zeros": np.zeros_like,
    "one constant": lambda truth: np.full_like(truth, truth.flat[0]) if truth.size > 1 else np.ones_like(truth),
    "ones": np.ones_like,
    "half precision": lambda truth: halved(truth),
    "a truncated mantissa": lambda truth: truncated(truth),
    "NaN": lambda truth: np.full_like(truth, np.nan),
    "infinity": lambda truth: np.full_like(truth, np.inf),
    "the other sign": np.negative,
    "a transposed shape": lambda truth: truth[None],
}


ROUNDED = ("half precision", "a truncated mantissa")
"""Lies that do nothing where the answer is made of small integers."""


def halved(truth: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with np.errstate(over="ignore"):  # what half precision cannot hold is inf there
        return truth.astype(np.float16).astype(truth.dtype)


def truncated(truth: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    kept: np.ndarray[Any, Any]
    if truth.dtype == np.float64:
        kept = (truth.view(np.uint64) & np.uint64(0xFFFF_FFFF_0000_0000)).view(np.float64)
    else:
        kept = (truth.view(np.uint32) & np.uint32(0xFFFF_F000)).view(np.float32)
    return kept


@every_exercise
@pytest.mark.parametrize("lie", LIES)
def test_every_ordinary_case_refuses_a_lie(name: str, lie: str, key: AnswerKey) -> None:
    exercise = EXERCISES[name]
    asked = 0
    for case, answer in answered(key, exercise):
        if case.extreme or case.special:
            continue
        asked += 1
        right = plain_outputs(exercise, exercise.reference, case)
        floats = {output for output, value in right.items() if value.dtype.kind == "f"}
        if lie in ROUNDED and not any(np.any(answer.outputs[output].allowed > 0) for output in floats):
            continue
        if not floats:  # integers are lied about only where nothing else is returned
            outputs = {output: LIES[lie](value.astype(float)) for output, value in right.items()}
        else:
            outputs = {output: LIES[lie](value) if output in floats else value for output, value in right.items()}
        assert not compare(case, answer, outputs).passed, (case.origin, case.dtype)
    assert asked >= 10


@every_exercise
def test_most_cases_are_neither_extreme_nor_special(name: str, key: AnswerKey) -> None:
    asked = key.cases(EXERCISES[name])

    assert sum(case.special for case in asked) <= len(asked) / 4
    assert sum(case.extreme for case in asked) <= 0.7 * len(asked)


@every_exercise
def test_every_exercise_refuses_a_lie_that_knows_nothing(name: str, key: AnswerKey) -> None:
    lenient, believed = blunt_lies(EXERCISES[name], key)

    assert {"zeros", "one constant"} <= set(lenient)
    assert believed == []


@every_exercise
def test_every_hand_chosen_input_is_a_case(name: str, key: AnswerKey) -> None:
    assert vacuous_edges(EXERCISES[name], key) == []


@every_exercise
def test_the_reference_as_other_good_hands_would_write_it_is_accepted(name: str, key: AnswerKey) -> None:
    honest, rejects = judged_honest(EXERCISES[name], key, ("torch",))  # whose own functions have a test of their own

    assert rejects == []
    assert honest >= 1


# ---------------------------------------------------------------- one text


@every_exercise
def test_a_reference_is_short_and_says_its_source(name: str) -> None:
    source = inspect.getsource(EXERCISES[name].reference)
    tree = ast.parse(source)

    assert "Source:" in source or "as in" in source
    assert ">>>" in source
    assert len(source.splitlines()) <= 60
    assert name.startswith(LOOPS) or not [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While))]
