"""What is right, to many digits, and how far from it rounding alone may lead."""

from __future__ import annotations

from typing import Annotated, Any

import mpmath
import numpy as np
import pytest

from graders.harness import answers, key
from graders.harness.answers import Answer, Expected, Undetermined, answer, true_outputs
from graders.harness.cases import Case, seeded
from graders.harness.exercise import Exercise, edge, extreme
from graders.harness.key import AnswerKey, is_vacuous

Array = np.ndarray[Any, Any]
Rows = Annotated[Array, "n d"]


def softplus(x: Rows) -> Rows:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def naive_softplus(x: Rows) -> Rows:
    return np.log(1 + np.exp(x))  # type: ignore[no-any-return]


def minus_itself(x: Rows) -> Rows:
    return x - x


def hidden(x: Rows) -> Rows:
    return (1 + np.exp(-(x**2))) - 1  # type: ignore[no-any-return]


def cancels(x: Rows) -> Rows:
    return (x + 1e9) - 1e9


def case_of(*numbers: float, dtype: str = "float64") -> Case:
    return Case({"x": np.array([numbers], dtype=dtype)}, {}, dtype, "by hand")


def truth_of(function: Any, *numbers: float) -> list[float]:
    made = answer(Exercise(function, ()), case_of(*numbers)).outputs[""]
    return [float(x) for x in made.hi.ravel()]


def test_the_precision_doubles_until_a_naive_text_has_its_true_value() -> None:
    (value,) = truth_of(naive_softplus, -200.0)

    with mpmath.workdps(60):
        assert value == float(mpmath.log1p(mpmath.exp(-200)))
    assert value > 0


@pytest.mark.parametrize("x", [-700.0, -40.0, -0.3, 0.0, 2.5, 700.0])
def test_two_texts_have_one_truth(x: float) -> None:
    assert truth_of(naive_softplus, x) == truth_of(softplus, x)


def test_a_value_hidden_beyond_all_digits_is_refused() -> None:
    """e^(-60²) is 1e-1563: below what float64 can tell from zero, and so zero; at 50 digits it is 0 as well."""
    assert truth_of(hidden, 60.0) == [0.0]
    assert truth_of(hidden, 15.0) == pytest.approx([np.exp(-225.0)], rel=1e-12)


def test_a_truth_that_never_settles_is_undetermined() -> None:
    def restless(digits: int) -> dict[str, Any]:
        return {"": np.array([mpmath.mpf(digits)], dtype=object)}

    with pytest.raises(Undetermined, match="never agreed to 25 digits"):
        true_outputs(restless, restless(50))


def test_an_exact_zero_is_zero() -> None:
    assert truth_of(minus_itself, 0.3, -7.0) == [0.0, 0.0]


def test_the_truth_is_kept_beyond_float64() -> None:
    made = answer(Exercise(softplus, ()), case_of(0.3)).outputs[""]

    assert 0 < abs(made.lo[0, 0]) <= abs(np.spacing(made.hi[0, 0]))


def test_a_proof_is_the_truth_where_it_speaks_and_the_reference_elsewhere() -> None:
    def proved(case: Case, digits: int) -> dict[str, Any] | None:
        if case.arguments["x"][0, 0] < 0:
            return None
        return {"": np.array([[mpmath.mpf(7)]], dtype=object)}

    exercise = Exercise(softplus, ())
    by_proof, by_text = (answer(exercise, case_of(x), None, proved) for x in (1.0, -1.0))

    assert (by_proof.truth, by_proof.outputs[""].hi[0, 0]) == ("proof", 7)
    assert by_text.truth == "reference"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_allowed_error_is_some_roundoffs_and_grows_where_a_text_cancels(dtype: str) -> None:
    unit = 2.0**-53 if dtype == "float64" else 2.0**-24
    steady, cancelling = (
        answer(Exercise(f, ()), case_of(0.3, -1.7, dtype=dtype)).outputs[""] for f in (softplus, cancels)
    )

    assert (steady.allowed > unit * np.abs(steady.hi)).all()
    assert (steady.allowed < 1000 * unit * np.abs(steady.hi)).all()
    assert (cancelling.allowed > 1e8 * unit).all()


def test_honest_programs_widen_the_allowed_error() -> None:
    one = answer(Exercise(softplus, ()), case_of(-9.0)).outputs[""].allowed
    two = answer(Exercise(softplus, (), programs=(naive_softplus,)), case_of(-9.0)).outputs[""].allowed

    assert (two > 10 * one).all()


def leans(x: Rows) -> Rows:
    return np.where(np.sum(x, axis=1, keepdims=True) > 0, 1.0, -1.0) + x


def test_on_which_side_of_a_jump_rounding_leads_is_not_decided() -> None:
    allowed = answer(Exercise(leans, ()), case_of(0.1, 0.2, -0.3)).outputs[""].allowed

    assert np.all(allowed >= 2)
    assert np.all(answer(Exercise(leans, ()), case_of(0.1, 0.2, -0.4)).outputs[""].allowed < 1e-12)


def largest(x: Rows) -> Annotated[Array, "n"]:
    return np.argmax(x, axis=1)  # type: ignore[no-any-return]


def likeliest(x: Rows) -> Annotated[Array, "n"]:
    return np.argmax(x - np.log(np.sum(np.exp(x), axis=1, keepdims=True)), axis=1)  # type: ignore[no-any-return]


def test_which_of_two_is_the_largest_is_not_decided_where_an_honest_program_finds_them_alike() -> None:
    exercise, close = Exercise(largest, (), programs=(likeliest,)), case_of(-1.0, 1e-20, 2e-20)

    assert np.all(answer(exercise, close).outputs[""].allowed == np.inf)
    assert np.all(answer(exercise, case_of(-1.0, 1e-9, 2e-9)).outputs[""].allowed == 0)
    assert np.all(answer(Exercise(largest, ()), close).outputs[""].allowed == 0)


def test_of_two_that_are_equal_on_purpose_it_is_the_first() -> None:
    ties = case_of(-1.0, 0.0, 0.0)
    exercise = Exercise(largest, (), programs=(likeliest,), edges=(edge(ties.origin, x=[[-1.0, 0.0, 0.0]]),))

    assert np.all(answer(exercise, ties).outputs[""].allowed == 0)


def gated(x: Rows) -> Rows:
    return x * np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))  # type: ignore[no-any-return]


def by_one_division(x: Rows) -> Rows:
    return x / (1 + np.exp(-x))  # type: ignore[no-any-return]


def test_a_number_that_is_lost_below_the_range_is_no_mistake() -> None:
    lost = answer(Exercise(gated, (), programs=(by_one_division,)), case_of(-712.2)).outputs[""]

    assert np.all(np.abs(lost.hi) < lost.allowed)
    assert np.all(lost.allowed < 1e-300)


def test_what_the_dtype_cannot_decide_is_not_graded_and_too_much_of_it_is_no_case() -> None:
    naive = Exercise(naive_softplus, ())
    some = answer(naive, case_of(0.3, 0.4, 0.5, 0.6, 800.0))
    many = answer(naive, case_of(0.3, 800.0))

    assert np.isinf(some.outputs[""].allowed).tolist() == [[False, False, False, False, True]]
    assert (some.decides, many.decides) == (True, False)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ordinary_cases_with_telling_answers_are_not_vacuous(dtype: str) -> None:
    exercise = Exercise(softplus, ())
    case = case_of(0.3, -1.7, dtype=dtype)

    assert not is_vacuous(answer(exercise, case), case)


@pytest.mark.parametrize(
    "values, allowed",
    [
        ([0.0, 0.0], [1e-16, 1e-16]),
        ([0.3, 0.3], [1e-16, 1e-16]),
        ([0.5, 0.25], [1e-16, 1e-16]),
        ([0.3, 0.7], [1e-3, 1e-3]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([3.0, 3.0], [0.0, 0.0]),
        ([0.3, 0.7], [np.inf, np.inf]),
    ],
    ids=["zeros", "a constant", "half precision", "a coarse bound", "exact zeros", "an exact constant", "undecided"],
)
def test_a_case_that_a_lie_would_pass_is_vacuous(values: list[float], allowed: list[float]) -> None:
    made = Answer({"": Expected(np.array(values), np.zeros(2), np.array(allowed))})

    assert is_vacuous(made, case_of(0.1, 0.2))


def test_integers_are_a_case_though_nothing_rounds_them() -> None:
    made = Answer({"": Expected(np.array([2.0, 0.0]), np.zeros(2), np.zeros(2))})

    assert not is_vacuous(made, case_of(0.1, 0.2))


def test_a_key_makes_its_cases_once_and_drops_what_decides_nothing() -> None:
    exercise = Exercise(minus_itself, ())

    assert AnswerKey(0).cases(exercise) == []
    made = AnswerKey(0)
    real = Exercise(softplus, ())
    assert made.cases(real) is made.cases(real)
    assert {case.id for case in made.cases(real)} <= {case.id for case in seeded(real, 0)}


def test_answers_to_edges_outlive_the_run_and_broken_files_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = Exercise(softplus, (), edges=(extreme("far", x=[[300.5, -300.5]]),))
    first = AnswerKey(0)
    (case, *_) = [c for c in first.cases(exercise) if c.extreme]
    expected = first.find(exercise, case)
    made = []

    def counted(*given: Any, **keywords: Any) -> Answer:
        made.append(given)
        return answer(*given, **keywords)

    monkeypatch.setattr(answers, "answer", counted)

    second = AnswerKey(0)
    second.cases(exercise)
    assert not any(case.origin == "far" for _, case, *_ in made)
    found = second.find(exercise, case)
    assert found is not None
    assert expected is not None
    np.testing.assert_array_equal(found.outputs[""].hi, expected.outputs[""].hi)

    next(key.cache_folder().glob(f"answers/*/{exercise.name}/{key.EDGES}")).write_bytes(b"junk")
    AnswerKey(0).cases(exercise)
    assert any(case.origin == "far" for _, case, *_ in made)
