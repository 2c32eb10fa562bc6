"""Tests of the field that pass whatever a function returns, or nearly: each lets a lie pass that an exercise refuses.

Every weak test here is written anew, in a few lines, after what is known of its source. A weak
test takes a function of the exercise's signature and says whether that passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pytest

from graders import activations, losses, normalization, optimizers
from graders.harness.exercise import Exercise, Function, edge
from graders.harness.key import AnswerKey
from graders.harness.lies import verdict_on
from reference._types import Array, Count
from reference.optimizers import AdamState

Table = Annotated[Array, "n d"]


@dataclass(frozen=True)
class Weak:
    """A test of the field, and a lie that it lets pass."""

    source: str
    exercise: Exercise
    passes: Callable[[Function], bool]
    lie: Function


def _drawn(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


# ---------------------------------------------------------------- a derivative that is 0 where it is asked


def power_scalar_grad(a: Annotated[Array, "n d", "positive"], cotangent: Table, *, scalar: Count) -> Table:
    """g · k aᵏ⁻¹."""
    return cotangent * scalar * a ** (scalar - 1)


POWER = Exercise(power_scalar_grad, edges=(edge("a cube", a=[[0.3, 1.7]], cotangent=[[0.7, -1.3]], scalar=3),))


def _at_a_power_of_zero(power_grad: Function) -> bool:
    scalar = int(np.random.default_rng(0).integers(1))  # which is always 0
    a, ones = np.abs(_drawn(5, 4)), np.ones((5, 4))
    step = 1e-3
    numeric = ((a + step) ** scalar - (a - step) ** scalar) / (2 * step)
    return bool(np.linalg.norm(numeric - power_grad(a, ones, scalar=scalar)) < 1e-6)


def returns_no_gradient(a: Array, cotangent: Array, *, scalar: int) -> Array:
    return np.zeros_like(a)


# ---------------------------------------------------------------- ones as cotangent


def _by_the_sum_of_the_outputs(vjp: Function, *arguments: Array, outputs: tuple[int, ...], index: int = 0) -> bool:
    """Ask for the gradient of `out.sum()`, and look at one number of it, with a tolerance of 1e-2."""
    made = vjp(*arguments, np.ones(outputs))
    dx = made[index] if isinstance(made, tuple) else made
    return abs(float(dx[0, 1])) <= 1e-2  # all outputs of a row, or of a column, add up to a constant


def passes_no_gradient_back(z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    return np.zeros_like(z)


def normalizes_no_gradient(x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5) -> Any:
    right = normalization.batch_norm_vjp.reference(x, gamma, beta, cotangent, eps=eps)
    return right._replace(dx=np.zeros_like(x))


def normalizes_no_row_back(x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5) -> Any:
    right = normalization.layer_norm_vjp.reference(x, gamma, beta, cotangent, eps=eps)
    return right._replace(dx=np.zeros_like(x))


# ---------------------------------------------------------------- the first step alone


def _adam_at_its_first_step(adam: Function) -> bool:
    params, grad = _drawn(4), _drawn(4, seed=1)
    start = AdamState(0, np.zeros(4), np.zeros(4))
    got, _ = adam(params, grad, start, lr=0.1, betas=(0.9, 0.999), eps=1e-8)
    m_hat, v_hat = (0.1 * grad) / (1 - 0.9), (0.001 * grad**2) / (1 - 0.999)
    return bool(np.allclose(got, params - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-8), rtol=1e-6))


def _adam_at_step_zero(adam: Function) -> bool:
    """ONNX's operator corrects the learning rate only if T > 0, and its cases all have T = 0."""
    params, grad, m, v = (_drawn(4, seed=seed) for seed in range(4))
    got, _ = adam(params, grad, AdamState(0, m, v**2), lr=0.1, betas=(0.9, 0.999), eps=1e-8)
    m, v = 0.9 * m + 0.1 * grad, 0.999 * v**2 + 0.001 * grad**2
    return bool(np.allclose(got, params - 0.1 * m / (np.sqrt(v) + 1e-8), rtol=1e-6))


def _adam(correction: Callable[[float, int], float]) -> Function:
    def adam(
        params: Array, grad: Array, state: Any, *, lr: float = 0.001, betas: Any = (0.9, 0.999), eps: float = 1e-8
    ) -> Any:
        t, (one, two) = state.t + 1, betas
        m, v = one * state.m + (1 - one) * grad, two * state.v + (1 - two) * grad**2
        m_hat, v_hat = m / correction(one, t), v / correction(two, t)
        return params - lr * m_hat / (np.sqrt(v_hat) + eps), type(state)(t, m, v)

    return adam


corrects_always_as_at_the_first_step = _adam(lambda beta, t: 1 - beta)
corrects_nothing = _adam(lambda beta, t: 1.0)


# ---------------------------------------------------------------- errors that are no errors


def _relative_error(got: Array, expected: Array) -> float:
    return float(np.max(np.abs(got - expected) / np.maximum(1e-8, np.abs(got) + np.abs(expected))))


def _to_a_relative_error_with_a_floor(sigmoid: Function) -> bool:
    z = np.array([-23.5, -25.0, -30.0])
    return _relative_error(sigmoid(z), np.exp(z)) < 1e-2


def has_no_tail(z: Array) -> Array:
    return np.asarray(np.maximum(activations.sigmoid.reference(z), z.dtype.type(1e-10)))


def _prints_the_error(sigmoid: Function) -> bool:
    z = _drawn(3, 4)
    _ = f"difference: {_relative_error(sigmoid(z), 1 / (1 + np.exp(-z)))}"  # a person reads it, or does not
    return True


def is_a_hyperbolic_tangent(z: Array) -> Array:
    return np.tanh(z)


def _unless_the_difference_is_too_large(sigmoid: Function) -> bool:
    z = _drawn(3, 4)
    return not (np.abs(sigmoid(z) - 1 / (1 + np.exp(-z))) > 1e-6).any()


def is_not_a_number(z: Array) -> Array:
    return np.full_like(z, np.nan)


def _to_an_absolute_error_of_a_hundredth(softmax: Function) -> bool:
    z = _drawn(1, 5000)
    e = np.exp(z)
    return bool(np.allclose(softmax(z), e / e.sum(), rtol=1e-2, atol=1e-2))


def is_uniform(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    return np.ones_like(z) / z.dtype.type(z.shape[axis])


# ---------------------------------------------------------------- inputs that are always the same, or too many


def _fixed_direction(shape: tuple[int, ...]) -> Array:
    return np.random.RandomState(0).randn(*shape)  # the generator that the test has


def _along_one_direction(vjp: Function) -> bool:
    z, cotangent = _drawn(3, 4), _drawn(3, 4, seed=1)
    v, step = _fixed_direction(z.shape), 1e-5

    def softmax(z: Array) -> Array:
        e = np.exp(z)
        return np.asarray(e / e.sum(axis=-1, keepdims=True))

    numeric = np.sum(cotangent * (softmax(z + step * v) - softmax(z - step * v))) / (2 * step)
    return bool(np.isclose(np.sum(vjp(z, cotangent) * v), numeric, rtol=1e-4))


def is_right_along_one_direction(z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    right = activations.softmax_vjp.reference(z, cotangent, axis=axis, temperature=temperature)
    v = _fixed_direction(z.shape).astype(z.dtype)
    return np.asarray(np.sum(right * v) / np.sum(v * v) * v)


_SHIPPED = np.random.RandomState(11785).randn(4, 3)  # the same for everyone, and known to everyone


def _on_the_inputs_that_were_handed_out(sigmoid: Function) -> bool:
    got = sigmoid(_SHIPPED)
    return bool(got.shape == _SHIPPED.shape and np.allclose(got, 1 / (1 + np.exp(-_SHIPPED)), rtol=1e-5, atol=1e-8))


def knows_what_is_asked(z: Array) -> Array:
    known = {_SHIPPED.tobytes(): 1 / (1 + np.exp(-_SHIPPED))}
    return known.get(z.tobytes(), np.zeros_like(z))


def _with_what_broadcasts(logsumexp: Function) -> bool:
    z = np.tile(_drawn(4), (6, 1))  # every row alike
    return bool(np.allclose(np.log(np.sum(np.exp(z), axis=-1)), logsumexp(z)))


def answers_for_the_first_row(z: Array, *, axis: int = -1) -> Array:
    return np.asarray(activations.logsumexp.reference(z, axis=axis).flat[0])


def _on_so_much_that_half_would_do(mse: Function) -> bool:
    z, y = _drawn(40_000, 2), _drawn(40_000, 2, seed=1)
    return bool(np.allclose(mse(z, y), np.mean((z - y) ** 2), rtol=5e-2, atol=1e-2))


def reads_half_of_the_rows(predictions: Array, targets: Array) -> Array:
    half = (len(predictions) + 1) // 2
    return np.asarray(losses.mse.reference(predictions[:half], targets[:half]))


WEAK = (
    Weak("dlsyscourse/hw1, tests of PowerScalar", POWER, _at_a_power_of_zero, returns_no_gradient),
    Weak(
        "minitorch, grad_check: out.sum().backward()", activations.softmax_vjp,
        lambda vjp: _by_the_sum_of_the_outputs(vjp, _drawn(3, 4), outputs=(3, 4)), passes_no_gradient_back,
    ),
    Weak(
        "the same, of a batch norm", normalization.batch_norm_vjp,
        lambda vjp: _by_the_sum_of_the_outputs(vjp, _drawn(5, 4), np.ones(4), np.zeros(4), outputs=(5, 4)),
        normalizes_no_gradient,
    ),
    Weak(
        "the same, of a layer norm", normalization.layer_norm_vjp,
        lambda vjp: _by_the_sum_of_the_outputs(vjp, _drawn(5, 4), np.ones(4), np.zeros(4), outputs=(5, 4)),
        normalizes_no_row_back,
    ),
    Weak("a first step from nothing", optimizers.adam, _adam_at_its_first_step, corrects_always_as_at_the_first_step),
    Weak("ONNX, backend cases of the training operators", optimizers.adam, _adam_at_step_zero, corrects_nothing),
    Weak("CS231n, rel_error", activations.sigmoid, _to_a_relative_error_with_a_floor, has_no_tail),
    Weak("CS231n, cells that print", activations.sigmoid, _prints_the_error, is_a_hyperbolic_tangent),
    Weak("not (error > tolerance)", activations.sigmoid, _unless_the_difference_is_too_large, is_not_a_number),
    Weak("a tolerance of 1e-2", activations.softmax, _to_an_absolute_error_of_a_hundredth, is_uniform),
    Weak("JAX, check_grads", activations.softmax_vjp, _along_one_direction, is_right_along_one_direction),
    Weak("11-785, tests that are handed out", activations.sigmoid, _on_the_inputs_that_were_handed_out,
         knows_what_is_asked),
    Weak("allclose without a look at the shape", activations.logsumexp, _with_what_broadcasts,
         answers_for_the_first_row),
    Weak("KernelBench, a mean of many", losses.mse, _on_so_much_that_half_would_do, reads_half_of_the_rows),
)  # fmt: skip
RIGHT = [weak for weak in WEAK if weak.passes is not _adam_at_step_zero]  # there the right one is not what is expected


@pytest.mark.parametrize("weak", WEAK, ids=lambda weak: weak.source)
def test_a_lie_that_a_weak_test_lets_pass_is_refused(weak: Weak, key: AnswerKey) -> None:
    decision = verdict_on(weak.exercise, weak.lie, key)

    assert weak.passes(weak.lie)
    assert decision.verdict in ("wrong", "unstable", "inexact"), decision.reason


@pytest.mark.parametrize("weak", RIGHT, ids=lambda weak: weak.source)
def test_what_is_right_passes_a_weak_test_too(weak: Weak, key: AnswerKey) -> None:
    assert weak.passes(weak.exercise.reference)
    assert verdict_on(weak.exercise, weak.exercise.reference, key).verdict == "correct"
