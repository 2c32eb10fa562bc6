"""One case's outputs against its answer: nothing is broadcast, and nothing that is no number passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graders.harness.answers import Answer, Expected
from graders.harness.cases import Case
from graders.harness.compare import Comparison, compare
from graders.harness.sandbox.codec import Opaque

TRUTH = np.array([0.1, -2.0, 3.5])
CASE = Case({"x": np.ones(3)}, {}, "float64", "by hand")


def expecting(truth: Any = TRUTH, allowed: Any = 1e-15, lo: Any = 0.0) -> Answer:
    hi = np.asarray(truth, float)
    return Answer({"": Expected(hi, np.full(hi.shape, lo), np.broadcast_to(np.asarray(allowed, float), hi.shape))})


def held_against(got: Any, made: Answer | None = None, case: Case = CASE) -> Comparison:
    return compare(case, made or expecting(), {"": got})


def test_truth_values_are_zeros_and_ones() -> None:
    """As `labels[:, None] == np.arange(c)` gives one-hot rows."""
    made = expecting(np.array([1.0, 0.0, 1.0]))

    assert held_against(np.array([True, False, True]), made).passed
    assert held_against(np.array([True, True, True]), made).failed


def test_the_truth_passes() -> None:
    result = held_against(TRUTH)

    assert (result.passed, result.failed, result.ratio, result.bits) == (True, False, 0.0, 53.0)


@pytest.mark.parametrize(
    "factor, passed, failed", [(0.9, True, False), (1.1, False, False), (90, False, False), (110, False, True)]
)
def test_the_ratio_decides_between_pass_review_and_fail(factor: float, passed: bool, failed: bool) -> None:
    made = expecting(np.zeros(3), allowed=1e-10)
    result = held_against(np.array([0, factor * 1e-10, 0]), made)

    assert (result.passed, result.failed) == (passed, failed)
    assert result.ratio == pytest.approx(factor)
    assert result.index == (1,)


@pytest.mark.parametrize("lie", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("allowed", [0.0, 1e-300, 1e300])
def test_nan_and_infinity_never_pass(lie: float, allowed: float) -> None:
    result = held_against(np.array([0.1, lie, 3.5]), expecting(allowed=allowed))

    assert result.failed
    assert not result.passed
    assert result.bits == 0


def test_an_infinity_is_right_where_the_truth_is_that_infinity() -> None:
    made = expecting([np.inf, -np.inf, 1.0])

    assert held_against(np.array([np.inf, -np.inf, 1.0]), made).passed
    assert held_against(np.array([np.inf, np.inf, 1.0]), made).failed


def test_what_the_dtype_cannot_decide_is_not_held_against_anyone() -> None:
    made = expecting(allowed=[1e-15, np.inf, 1e-15])

    assert held_against(np.array([0.1, np.nan, 3.5]), made).passed
    assert held_against(np.array([0.2, np.nan, 3.5]), made).failed


def test_an_error_below_the_last_place_is_seen() -> None:
    made = expecting([1.0], allowed=1e-18, lo=1e-17)

    assert not held_against(np.array([1.0]), made).passed


@pytest.mark.parametrize(
    "got, problem",
    [
        (TRUTH[None], "the result is of shape (1, 3), expected (3,)"),
        (TRUTH[:, None], "the result is of shape (3, 1), expected (3,)"),
        (TRUTH[:1], "the result is of shape (1,), expected (3,)"),
        (0.1, "the result is of shape (), expected (3,)"),
        (np.zeros(0), "the result is of shape (0,), expected (3,)"),
    ],
)
def test_a_wrong_shape_says_so_and_nothing_is_broadcast(got: Any, problem: str) -> None:
    result = held_against(got)

    assert (result.problem, result.failed, result.raised) == (problem, True, False)


@pytest.mark.parametrize(
    "got, said",
    [
        (None, "None"),
        ("text", "a str"),
        ([0.1, "text", 3.5], "a list"),
        ([[0.1], [0.1, 3.5]], "a list"),
        ([True, False, True], "a list"),
        ((0.1, -2.0, 3.5), "a tuple"),
        (True, "a bool"),
        (Opaque("a generator"), "a generator"),
        ({"x": 1.0}, "a dict"),
    ],
)
def test_what_is_no_array_of_numbers_says_so(got: Any, said: str) -> None:
    result = held_against(got)

    assert result.problem == f"the result is {said}, expected an array of shape (3,)"
    assert result.raised


def test_numbers_of_python_and_integers_are_numbers() -> None:
    assert held_against(2.0, expecting(2.0)).passed
    assert held_against(2, expecting(2.0)).passed
    assert held_against([0.1, -2.0, 3.5]).passed
    assert held_against(np.array([1, 2]), expecting([1.0, 2.0])).passed


def test_another_dtype_is_seen_and_not_held_against_anyone() -> None:
    single = Case({"x": np.ones(3, np.float32)}, {}, "float32", "by hand")

    result = held_against(TRUTH, case=single)

    assert result.passed
    assert result.changed_dtype == "float32 in, float64 out"
    assert held_against(TRUTH).changed_dtype == ""


def test_the_worst_element_of_the_worst_output_is_shown() -> None:
    parts = {name: expecting().outputs[""] for name in ("dx", "dw")}
    got = {"dx": TRUTH, "dw": TRUTH + np.array([0, 1e-9, 1e-3])}

    result = compare(CASE, Answer(parts), got)

    assert (result.output, result.index) == ("dw", (2,))
    assert result.got - result.expected == pytest.approx(1e-3)
    assert result.closeness == pytest.approx(1e-3 / 3.5)


def test_bits_say_how_precise_an_answer_is() -> None:
    made = expecting([1.0], allowed=2.0**-53)

    assert held_against(np.array([1 + 2.0**-23]), made).bits == pytest.approx(23)
    assert held_against(np.array([2.0]), made).bits == 0
