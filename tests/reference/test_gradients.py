"""Every gradient against central differences of its own forward, and every optimizer against a plain loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reference import activations, layers, losses, optimizers, training
from reference._types import Array

RNG = np.random.default_rng(3)
Z, G = RNG.standard_normal((2, 4, 3))
X, W, B, DY = (RNG.standard_normal(shape) for shape in ((4, 5), (5, 3), (3,), (4, 3)))
Y = RNG.dirichlet(np.ones(3), 4)
K = np.array([2, 0, 1, 1])
THETA, GRADS = RNG.standard_normal(5), RNG.standard_normal((6, 5))


def differences(f: Callable[[Array], Any], x: Array, h: float = 1e-5) -> Array:
    """Return the gradient of a scalar function by central differences."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        gradient[i] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


def assert_close(got: Any, expected: Any) -> None:
    np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "softmax", "log_softmax"])
def test_an_activation_and_its_vjp_belong_together(name: str) -> None:
    f, vjp = getattr(activations, name), getattr(activations, f"{name}_vjp")

    assert_close(vjp(Z, G), differences(lambda z: np.sum(f(z) * G), Z))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("temperature", [0.3, 2.5])
def test_softmax_along_any_axis_at_any_temperature(axis: int, temperature: float) -> None:
    hyper = {"axis": axis, "temperature": temperature}

    expected = differences(lambda z: np.sum(activations.softmax(z, **hyper) * G), Z)  # type: ignore[arg-type]
    assert_close(activations.softmax_vjp(Z, G, **hyper), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("axis", [0, 1])
def test_logsumexp_along_any_axis(axis: int) -> None:
    g = RNG.standard_normal(Z.shape[1 - axis])

    expected = differences(lambda z: np.sum(activations.logsumexp(z, axis=axis) * g), Z)
    assert_close(activations.logsumexp_vjp(Z, g, axis=axis), expected)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("labels", [Y, K], ids=["distributions", "classes"])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.3])
def test_softmax_cross_entropy(reduction: Any, labels: Any, label_smoothing: float) -> None:
    def loss(z: Array) -> Array:
        return losses.softmax_cross_entropy(z, labels, reduction=reduction, label_smoothing=label_smoothing)

    got = losses.softmax_cross_entropy_grad(Z, labels, reduction=reduction, label_smoothing=label_smoothing)
    assert_close(got, differences(loss, Z))


@pytest.mark.parametrize("name", ["bce_with_logits", "half_squared_error"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_loss_and_its_gradient_belong_together(name: str, reduction: Any) -> None:
    f, grad = getattr(losses, name), getattr(losses, f"{name}_grad")

    assert_close(grad(Z, Y, reduction=reduction), differences(lambda z: f(z, Y, reduction=reduction), Z))


def test_affine_by_every_input() -> None:
    dx, dW, db = layers.affine_vjp(X, W, B, DY)

    assert_close(dx, differences(lambda x: np.sum(layers.affine(x, W, B) * DY), X))
    assert_close(dW, differences(lambda w: np.sum(layers.affine(X, w, B) * DY), W))
    assert_close(db, differences(lambda b: np.sum(layers.affine(X, W, b) * DY), B))


@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_softmax_regression(l2: float) -> None:
    expected = differences(lambda w: training.softmax_regression(w, X, K, l2=l2), W)

    assert_close(training.softmax_regression_grad(W, X, K, l2=l2), expected)


def test_reductions_agree() -> None:
    each = losses.softmax_cross_entropy(Z, Y, reduction="none")

    assert each.shape == (4,)
    assert_close(losses.softmax_cross_entropy(Z, Y, reduction="sum"), np.sum(each))
    assert_close(losses.softmax_cross_entropy(Z, Y), np.mean(each))


def test_classes_are_one_hot_distributions() -> None:
    one_hot = np.eye(3)[K]

    assert_close(losses.softmax_cross_entropy(Z, K), losses.softmax_cross_entropy(Z, one_hot))
    assert_close(losses.softmax_cross_entropy_grad(Z, K), losses.softmax_cross_entropy_grad(Z, one_hot))


def test_cross_entropy_of_a_softmax_is_softmax_cross_entropy() -> None:
    assert_close(losses.cross_entropy(Y, activations.softmax(Z)), losses.softmax_cross_entropy(Z, Y))


def test_momentum_is_torchs_buffer_times_minus_lr() -> None:
    state, buffer = optimizers.MomentumState(np.zeros(5)), np.zeros(5)
    theta: Array = THETA
    other = THETA
    for g in GRADS:
        theta, state = optimizers.momentum(theta, g, state, lr=0.3, momentum=0.6)
        buffer = 0.6 * buffer + g
        other = other - 0.3 * buffer

    assert_close(theta, other)
    assert_close(state.velocity, -0.3 * buffer)


def test_adams_first_step_has_the_size_of_lr() -> None:
    theta, state = optimizers.adam(
        THETA, GRADS[0], optimizers.AdamState(0, np.zeros(5), np.zeros(5)), lr=0.3, eps=1e-30
    )

    assert state.t == 1
    assert_close(np.abs(theta - THETA), np.full(5, 0.3))


def test_a_state_may_be_stepped_again() -> None:
    state = optimizers.AdamState(2, GRADS[0], GRADS[1] ** 2)
    once, kept = optimizers.adam(THETA, GRADS[2], state)
    twice, again = optimizers.adam(THETA, GRADS[2], state)

    np.testing.assert_array_equal(once, twice)
    np.testing.assert_array_equal(kept.v, again.v)
