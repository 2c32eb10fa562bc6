"""What is easily lost: tails, saturation and cancellation, against fifty digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from reference import activations, losses
from reference._numerics import one_minus_power
from reference.optimizers import AdamState, adam

MP = mpmath.MPContext()
MP.dps = 50
LOGITS = (-700.3, -87.3, -50.7, -30.1, -17.0, -1.7, -1e-3, -1e-10, 0.0, 1e-10, 0.3, 1.7, 17.0, 30.1, 50.7, 87.3, 700.3)

TRUE: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda z: 1 / (1 + MP.exp(-z)),
    "tanh": MP.tanh,
    "sigmoid_vjp": lambda z: MP.exp(-z) / (1 + MP.exp(-z)) ** 2,
    "tanh_vjp": lambda z: 1 / MP.cosh(z) ** 2,
}


def assert_within(ulps: float, got: Any, truth: Any) -> None:
    """Assert that a float is so near to a number of fifty digits, where it is no subnormal."""
    spacing = float(np.spacing(np.abs(type(got)(float(truth)))))
    assert float(abs(MP.mpf(float(got)) - truth)) <= ulps * spacing, (got, truth)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TRUE)
@pytest.mark.parametrize("x", LOGITS)
def test_activations_are_accurate_in_their_tails(dtype: type[Any], name: str, x: float) -> None:
    z = np.array([x], dtype)
    f = getattr(activations, name)
    got = (f(z, np.ones(1, dtype)) if name.endswith("_vjp") else f(z))[0]

    truth = TRUE[name](MP.mpf(float(z[0])))
    if truth != 0 and abs(truth) < np.finfo(dtype).tiny:
        assert 0 <= got < np.finfo(dtype).tiny
    else:
        assert_within(6, got, truth)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("t", [0.0, 1.0])
@pytest.mark.parametrize("x", [x for x in LOGITS if abs(x) < 80])
def test_bce_keeps_its_small_losses_and_gradients(dtype: type[Any], t: float, x: float) -> None:
    z, labels = np.array([x], dtype), np.array([t], dtype)
    loss, grad = losses.bce_with_logits(z, labels), losses.bce_with_logits_grad(z, labels)

    exact = MP.mpf(float(z[0]))
    assert_within(4, loss, MP.log1p(MP.exp(exact if t == 0 else -exact)))
    assert_within(4, grad[0], 1 / (1 + MP.exp(-exact)) if t == 0 else -1 / (1 + MP.exp(exact)))


def test_a_confident_right_answer_still_costs_something_in_float32() -> None:
    loss = losses.bce_with_logits(np.array([-17.0], np.float32), np.array([0.0], np.float32))

    assert float(loss) == pytest.approx(4.1399375e-8, rel=1e-6)


@pytest.mark.parametrize("beta", [0.0, 1e-300, 1e-17, 1e-3, 0.5, 0.9, 0.999, 0.9999, 1 - 1e-9])
@pytest.mark.parametrize("t", [1, 2, 7, 1000, 100_000])
def test_one_minus_power_does_not_cancel(beta: float, t: int) -> None:
    assert_within(4, np.float64(one_minus_power(beta, t)), 1 - MP.mpf(beta) ** t)


def test_adam_at_a_beta_near_one() -> None:
    beta, g = 1 - 1e-9, np.array([0.7])
    state = AdamState(4, np.array([0.0]), np.array([1e-9 * 0.49]))
    theta, (_, _, v) = adam(np.array([0.0]), g, state, lr=1.0, betas=(0.0, beta), eps=1e-30)

    exact = MP.mpf(float(v[0])) / (1 - MP.mpf(beta) ** 5)
    assert_within(4, -theta[0], MP.mpf(0.7) / MP.sqrt(exact))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_at_a_margin_of_two_thousand(dtype: type[Any]) -> None:
    z = np.array([[1000.0, 0.0, -1000.0]], dtype)

    np.testing.assert_array_equal(activations.softmax(z), np.array([[1, 0, 0]], dtype))
    np.testing.assert_array_equal(activations.log_softmax(z), np.array([[0, -1000, -2000]], dtype))
    np.testing.assert_array_equal(activations.logsumexp(-z), np.array([1000], dtype))
    assert losses.softmax_cross_entropy(z, np.array([2])) == 2000
    np.testing.assert_array_equal(losses.softmax_cross_entropy_grad(z, np.array([2])), np.array([[1, 0, -1]], dtype))


def test_masked_logits_have_no_probability() -> None:
    z = np.array([[0.0, -np.inf, 0.0]])

    np.testing.assert_array_equal(activations.softmax(z), [[0.5, 0.0, 0.5]])
    assert activations.logsumexp(z)[0] == pytest.approx(np.log(2))


def test_masked_logits_cost_nothing_unless_they_are_the_label() -> None:
    logits, labels = np.array([[0.0, -np.inf], [0.0, -np.inf]]), np.array([0, 1])

    loss = losses.softmax_cross_entropy(logits, labels, reduction="none")

    np.testing.assert_array_equal(loss, [0, np.inf])


def test_the_slope_of_tanh_takes_any_cotangent() -> None:
    assert activations.tanh_vjp(np.array([0.0, 20.0]), np.full(2, 1.5e308))[0] == 1.5e308


def test_an_impossible_truth_costs_infinitely_much_without_a_warning() -> None:
    assert losses.cross_entropy(np.array([[0.5, 0.5]]), np.array([[0.0, 1.0]])) == np.inf
    assert losses.cross_entropy(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]])) == 0
