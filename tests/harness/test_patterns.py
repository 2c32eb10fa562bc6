"""What wrong numbers have in common is told in words, where no known mistake gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradproof
from reference import convolution, layers, losses, regularization
from reference.activations import softmax


def told(name: str, function: Callable[..., Any]) -> list[tuple[str, str]]:
    report = gradproof.check(name, function).report
    assert report.verdict == "wrong", report
    return [(d.name, d.message) for d in report.diagnosis if d.kind == "pattern"]


def test_an_output_alone_is_named_with_its_factor() -> None:
    def affine_vjp(x: Any, W: Any, b: Any, cotangent: Any) -> Any:
        dx, dW, db = layers.affine_vjp(x, W, b, cotangent)
        return dx, -3 * dW, db

    assert told("layers.affine_vjp", affine_vjp) == [
        ("factor", "dW alone: every number is -3 times what it should be.")
    ]


def test_an_output_that_nothing_explains_is_named() -> None:
    def affine_vjp(x: Any, W: Any, b: Any, cotangent: Any) -> Any:
        dx, dW, db = layers.affine_vjp(x, W, b, cotangent)
        return dx, dW**3 + 0.1 * dW**2, db

    assert told("layers.affine_vjp", affine_vjp) == [("output", "Only dW went wrong; dx and db are right.")]


@pytest.mark.parametrize(
    "lie, name",
    [
        (lambda s: np.roll(s, 2, axis=1) if s.shape[1] > 2 else s[:, ::-1], "order"),
        (lambda s: s + 0.25, "constant"),
        (lambda s: np.concatenate([s[:-1] ** 2, s[-1:]]), "last"),
        (lambda s: np.concatenate([s[:1], s[1:] ** 2]), "first"),
    ],
)
def test_what_holds_of_all_cases_is_told(lie: Callable[[Any], Any], name: str) -> None:
    def wrong(z: Any, axis: int = -1, temperature: float = 1.0) -> Any:
        return lie(softmax(z, axis=axis, temperature=temperature))

    assert name in [pattern for pattern, _ in told("activations.softmax", wrong)]


def test_an_option_that_is_ignored_is_named() -> None:
    def conv2d(x: Any, w: Any, b: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1) -> Any:
        right = convolution.conv2d(x, w, b, stride=stride, padding=padding, dilation=dilation, groups=groups)
        return right if groups == 1 else right * 1.1 + 0.3

    ((name, message),) = told("convolution.conv2d", conv2d)
    assert name == "option"
    assert "Right only where `groups` is 1" in message


def test_nothing_is_said_of_numbers_that_have_nothing_in_common() -> None:
    def wrong(logits: Any, labels: Any, reduction: Any = "mean", label_smoothing: float = 0.0) -> Any:
        right = losses.softmax_cross_entropy_grad(logits, labels, reduction=reduction, label_smoothing=label_smoothing)
        return right + 0.1 * np.sin(50 * right)

    assert told("losses.softmax_cross_entropy_grad", wrong) == []


# ---------------------------------------------------------------- where it goes wrong


def where(name: str, function: Callable[..., Any]) -> list[str]:
    return [d.message for d in gradproof.check(name, function, hints=True).report.diagnosis]


@pytest.mark.parametrize(
    "lie, said",
    [
        (lambda z: np.where(z < 0, z / 7, np.maximum(z, 0)), "Wrong only where `z` is negative."),
        (lambda z: np.where(z > 0, z * z, 0), "Wrong only where `z` is positive."),
        (lambda z: np.where(np.abs(z) > 0.75, 0.3, np.maximum(z, 0)), "Wrong only where |z| is beyond 0.7"),
        (lambda z: np.where(z > 0.75, 0.3, np.maximum(z, 0)), "Wrong only where `z` is above 0.7"),
        (lambda z: np.where(z < -0.75, 0.3, np.maximum(z, 0)), "Wrong only where `z` is below -0.7"),
        (lambda z: np.maximum(z, 0) + (len(z) > 3) * np.cos(z), "Right where axis 0 of `z` has 3 entries or fewer"),
        (lambda z: np.maximum(z, 0) + (z.shape[1] < 4) * np.cos(z), "Wrong where axis 1 of `z` has 3 entries or fewer"),
        (lambda z: np.concatenate([np.maximum(z[:-1], 0), np.cos(z[-1:])]), "Only the last along axis 0 is wrong."),
        (lambda z: np.concatenate([np.cos(z[:1]), np.maximum(z[1:], 0)]), "Only the first along axis 0 is wrong."),
        (lambda z: np.where(np.arange(z.shape[-1]) == z.shape[-1] - 1, np.maximum(z, 0), np.cos(z)),
         "Only the last along axis 1 is right."),
        (lambda z: np.where(z < -0.75, np.nan, np.maximum(z, 0)), "Your result has nan or inf where it should have"),
    ],
)  # fmt: skip
def test_where_it_goes_wrong_is_told(lie: Callable[[Any], Any], said: str) -> None:
    assert [text for text in where("relu", lie) if text.startswith(said)], where("relu", lie)


def test_where_it_goes_wrong_is_told_by_the_size_of_the_inputs() -> None:
    def wrong(z: Any, axis: int = -1, temperature: float = 1.0) -> Any:
        return softmax(z, axis=axis, temperature=temperature) + (np.max(np.abs(z)) > 2.5) * np.cos(z)

    assert any(text.startswith("Right while every input is within ±2.") for text in where("activations.softmax", wrong))


def test_an_answer_that_was_kept_from_an_earlier_question_is_told() -> None:
    kept: dict[Any, Any] = {}

    def wrong(W: Any, x: Any, targets: Any, *, l2: float = 0.0) -> Any:
        asked = (W.shape, x.shape, str(x.dtype), l2)
        return kept.setdefault(asked, regularization.ridge_objective_grad(W, x, targets, l2=l2)).copy()

    assert told("regularization.ridge_objective_grad", wrong) == [
        ("kept", "It gave what it had given for other numbers of the same shape: keep nothing for later.")
    ]


def test_that_a_constant_is_right_now_and_then_is_not_taken_for_an_answer_that_was_kept() -> None:
    assert not any("keep nothing" in text for text in where("relu", lambda z: np.zeros_like(z) + 1))


def test_one_number_that_is_wrong_by_some_factor_has_no_factor() -> None:
    def wrong(predictions: Any, targets: Any) -> Any:  # right while no error is beyond 4
        return np.mean(np.clip(predictions - targets, -4, 4) ** 2)

    assert not any("times what it should be" in text for text in where("losses.mse", wrong))


def test_a_bound_of_nothing_is_none() -> None:
    assert not any("beyond 0" in text for text in where("activations.tanh", lambda z: np.tanh(z) * (1 + 0.1 * z * z)))


def test_no_place_is_told_where_there_is_none() -> None:
    assert where("relu", lambda z: np.maximum(z, 0) + 0.3 * np.cos(9 * z)) == [
        "Wrong for every ordinary input. Work the one below out by hand, step by step, and compare."
    ]


@pytest.mark.parametrize(("size", "names"), [(1e-9, ["adds_1e_09"]), (1e-15, ["adds_1e_15"]), (3e-9, []), (2e-8, [])])
def test_a_small_number_beside_a_probability_is_not_taken_for_single_precision(size: float, names: list[str]) -> None:
    """Its errors are as small, but all of one sign. That of a usual size is named."""

    def cross_entropy(p: Any, q: Any, reduction: str = "mean") -> Any:
        rows = -np.sum(p * np.log(q + size), axis=1)
        return {"none": rows, "sum": rows.sum(), "mean": rows.mean()}[reduction]

    report = gradproof.check("losses.cross_entropy", cross_entropy).report

    assert report.verdict in ("inexact", "unstable")
    assert [d.name for d in report.diagnosis] == names


def test_single_precision_is_named_where_errors_are_of_both_signs() -> None:
    def cross_entropy(p: Any, q: Any, reduction: str = "mean") -> Any:
        rows = losses.cross_entropy(p.astype(np.float32), q.astype(np.float32), reduction="none").astype(p.dtype)
        return {"none": rows, "sum": rows.sum(), "mean": rows.mean()}[reduction]

    report = gradproof.check("losses.cross_entropy", cross_entropy).report

    assert [d.name for d in report.diagnosis] == ["float32"]


@pytest.mark.parametrize("decimals", [2, 4, 7])
def test_rounded_numbers_are_told_with_how_many_decimals(decimals: int) -> None:
    report = gradproof.check("activations.softmax", lambda z, axis=-1: np.round(softmax(z, axis=axis), decimals)).report

    assert report.verdict == "inexact"
    assert [(d.name, d.message) for d in report.diagnosis] == [
        ("decimals", f"Your numbers are right, but rounded to {decimals} decimals.")
    ]
    assert "The numbers are right, but rounded: give all digits." in report.hints


@pytest.mark.parametrize(
    ("scale", "verdict", "named"), [(1, "inexact", ["always_by_tanh", "decimals"]), (1.01, "wrong", [])]
)
def test_rounded_numbers_of_another_definition_are_told_as_such(scale: float, verdict: str, named: list[str]) -> None:
    def gelu(z: Any) -> Any:
        return np.round(scale * 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))), 4)

    report = gradproof.check("activations.gelu", gelu).report

    assert (report.verdict, [d.name for d in report.diagnosis]) == (verdict, named)


@pytest.mark.parametrize(
    "lie",
    [
        lambda s: np.round(1.01 * s, 4),
        lambda s: np.round(s, 4) + 1e-4,
        lambda s: np.floor(s * 1e4) / 1e4,
        lambda s: np.round(s),  # zeros and ones may be the answer to anything
        lambda s: np.zeros_like(s),
    ],
)
def test_what_is_rounded_to_something_else_is_not_called_right(lie: Callable[[Any], Any]) -> None:
    report = gradproof.check("activations.softmax", lambda z, axis=-1: lie(softmax(z, axis=axis))).report

    assert "decimals" not in [d.name for d in report.diagnosis]
