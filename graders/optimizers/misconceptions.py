"""Known mistakes in the optimizers; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from reference import optimizers as reference
from reference._types import Array
from reference.optimizers import AdagradState, AdamState, MomentumState, RmspropState

Function = Callable[..., Any]
MomentumStep = tuple[Array, MomentumState]
AdagradStep = tuple[Array, AdagradState]
RmspropStep = tuple[Array, RmspropState]
AdamStep = tuple[Array, AdamState]
Betas = tuple[float, float]


# --- mistakes that many share: each takes the step that is misunderstood ----------------------------------------------
def climbs_the_gradient(step: Function) -> Function:
    """Make the mistake for a step with state."""

    def climbs_the_gradient(params: Array, grad: Array, state: Any, **hyper: Any) -> tuple[Array, Any]:
        """You stepped up the slope. Subtract the step from the parameters."""
        stepped, state = step(params, grad, state, **hyper)
        return 2 * params - stepped, state

    return with_signature_of(step, climbs_the_gradient)


def keeps_the_old_state(step: Function) -> Function:
    """Make the mistake for a step with state."""

    def keeps_the_old_state(params: Array, grad: Array, state: Any, **hyper: Any) -> tuple[Array, Any]:
        """You returned the state that came in, so nothing is remembered. Return the new one."""
        return step(params, grad, state, **hyper)[0], state

    return with_signature_of(step, keeps_the_old_state)


def multiplies_the_step_by_the_parameters(step: Function) -> Function:
    """Make the mistake for a step with state."""

    def multiplies_the_step_by_the_parameters(
        params: Array, grad: Array, state: Any, **hyper: Any
    ) -> tuple[Array, Any]:
        """You multiplied the step by the parameters (a stray θ in the lectures). The step is added as it is."""
        stepped, state = step(params, grad, state, **hyper)
        return params + params * (stepped - params), state

    return with_signature_of(step, multiplies_the_step_by_the_parameters)


def hard_codes_eps(step: Function) -> Function:
    """Make the mistake for a step that has eps."""

    def hard_codes_eps(params: Array, grad: Array, state: Any, *, eps: float = 1e-8, **hyper: Any) -> tuple[Array, Any]:
        """You used the default eps whatever was asked for. Use the argument."""
        stepped: tuple[Array, Any] = step(params, grad, state, **hyper)
        return stepped

    return with_signature_of(step, hard_codes_eps)


def hard_codes_the_learning_rate(step: Function) -> Function:
    """Make the mistake for a step with state whose learning rate has a default."""

    def hard_codes_the_learning_rate(
        params: Array, grad: Array, state: Any, *, lr: float = 0.01, **hyper: Any
    ) -> tuple[Array, Any]:
        """You used the default learning rate whatever was asked for. Use the argument `lr`."""
        stepped: tuple[Array, Any] = step(params, grad, state, **hyper)
        return stepped

    return with_signature_of(step, hard_codes_the_learning_rate)


# --- sgd --------------------------------------------------------------------------------------------------------------
def climbs(params: Array, grad: Array, *, lr: float) -> Array:
    """You stepped up the slope. Subtract: θ − lr · g."""
    return params + lr * grad


def forgets_the_learning_rate(params: Array, grad: Array, *, lr: float) -> Array:
    """You subtracted the whole gradient. Multiply it by the learning rate `lr` first."""
    return params - grad


def divides_by_the_learning_rate(params: Array, grad: Array, *, lr: float) -> Array:
    """You divided by the learning rate. Multiply by it: a small `lr` makes small steps."""
    return params - grad / lr


def hard_codes_lr(params: Array, grad: Array, *, lr: float) -> Array:
    """You used a learning rate of 0.01 whatever was asked for. Use the argument `lr`."""
    return params - 0.01 * grad


def uses_the_sign_only(params: Array, grad: Array, *, lr: float) -> Array:
    """You used the sign of the gradient. Its size counts too: θ − lr · g."""
    return params - lr * np.sign(grad)


def returns_the_step(params: Array, grad: Array, *, lr: float) -> Array:
    """You returned the step −lr · g by itself. Add it to the parameters."""
    return -lr * grad


def shrinks_the_parameters(params: Array, grad: Array, *, lr: float) -> Array:
    """You multiplied the parameters by the learning rate too. Only the gradient is: θ − lr · g."""
    return lr * (params - grad)


# --- momentum ---------------------------------------------------------------------------------------------------------
def adds_the_gradient_to_the_velocity(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """Your velocity grows along the gradient, uphill. v ← μ v − lr · g, and then θ + v."""
    v = momentum * state.velocity + lr * grad
    return params + v, MomentumState(v)


def forgets_the_old_velocity(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You left the old velocity out; that is plain gradient descent. v ← μ v − lr · g."""
    v = -lr * grad
    return params + v, MomentumState(v)


def remembers_one_gradient(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You kept only the last gradient's step, so older ones are forgotten. Keep the whole velocity μ v − lr · g."""
    return params + momentum * state.velocity - lr * grad, MomentumState(-lr * grad)


def steps_with_the_old_velocity(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You moved by the velocity before its update. Update it first, then θ + v."""
    return params + state.velocity, MomentumState(momentum * state.velocity - lr * grad)


def looks_ahead(params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9) -> MomentumStep:
    """That is Nesterov's momentum, which steps by μ v − lr · g with the new v. Here the step is v itself."""
    v = momentum * state.velocity - lr * grad
    return params + momentum * v - lr * grad, MomentumState(v)


def hard_codes_the_momentum(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You used a momentum of 0.9 whatever was asked for. Use the argument."""
    return reference.momentum(params, grad, state, lr=lr)


def keeps_the_whole_velocity(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You never let the velocity decay. Multiply the old one by the momentum μ first."""
    v = state.velocity - lr * grad
    return params + v, MomentumState(v)


def multiplies_the_velocity_by_the_learning_rate(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You applied the learning rate twice: it is in the velocity already. The step is v."""
    v = momentum * state.velocity - lr * grad
    return params + lr * v, MomentumState(v)


# --- adagrad ----------------------------------------------------------------------------------------------------------
def divides_by_the_sum_of_squares(
    params: Array, grad: Array, state: AdagradState, *, lr: float = 0.01, eps: float = 1e-10
) -> AdagradStep:
    """You divided by r itself. Divide by its root, √r + eps."""
    r = state.sum + grad**2
    return params - lr * grad / (r + eps), AdagradState(r)


def forgets_the_earlier_squares(
    params: Array, grad: Array, state: AdagradState, *, lr: float = 0.01, eps: float = 1e-10
) -> AdagradStep:
    """You used the square of this gradient alone. Add it to the sum of all earlier ones."""
    r = grad**2 + 0 * state.sum
    return params - lr * grad / (np.sqrt(r) + eps), AdagradState(r)


def sums_the_gradients_unsquared(
    params: Array, grad: Array, state: AdagradState, *, lr: float = 0.01, eps: float = 1e-10
) -> AdagradStep:
    """You summed the gradients' sizes. Sum their squares: r ← r + g²."""
    r = state.sum + np.abs(grad)
    return params - lr * grad / (np.sqrt(r) + eps), AdagradState(r)


def lets_the_sum_decay(
    params: Array, grad: Array, state: AdagradState, *, lr: float = 0.01, eps: float = 1e-10
) -> AdagradStep:
    """You let the old squares decay; that is RMSProp. AdaGrad sums them all: r ← r + g²."""
    r = 0.9 * state.sum + (1 - 0.9) * grad**2
    return params - lr * grad / (np.sqrt(r) + eps), AdagradState(r)


def divides_by_the_old_sum(
    params: Array, grad: Array, state: AdagradState, *, lr: float = 0.01, eps: float = 1e-10
) -> AdagradStep:
    """You divided by the root of the sum before this gradient. Add g² first, then divide."""
    return params - lr * grad / (np.sqrt(state.sum) + eps), AdagradState(state.sum + grad**2)


def shares_one_sum(
    params: Array, grad: Array, state: AdagradState, *, lr: float = 0.01, eps: float = 1e-10
) -> AdagradStep:
    """You used one sum for all parameters. Every parameter has its own: r ← r + g², entry by entry."""
    r = state.sum + np.sum(grad**2)
    return params - lr * grad / (np.sqrt(r) + eps), AdagradState(r)


# --- rmsprop ----------------------------------------------------------------------------------------------------------
def weighs_the_new_square_negatively(
    params: Array,
    grad: Array,
    state: RmspropState,
    *,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
) -> RmspropStep:
    """You weighed the new square by −α, so that r turns negative (the lectures lost a 1 there). The weight is 1 − α."""
    r = alpha * state.square_avg - alpha * grad**2
    return params - lr * grad / (np.sqrt(r) + eps), RmspropState(r)


def exchanges_the_weights(
    params: Array,
    grad: Array,
    state: RmspropState,
    *,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
) -> RmspropStep:
    """You exchanged the weights. The old average keeps α, and the new square gets 1 − α."""
    r = (1 - alpha) * state.square_avg + alpha * grad**2
    return params - lr * grad / (np.sqrt(r) + eps), RmspropState(r)


def sums_all_squares(
    params: Array,
    grad: Array,
    state: RmspropState,
    *,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
) -> RmspropStep:
    """You summed the squares without decay; that is AdaGrad. r ← α r + (1 − α) g²."""
    r = state.square_avg + grad**2
    return params - lr * grad / (np.sqrt(r) + eps), RmspropState(r)


def forgets_the_weight_of_the_square(
    params: Array,
    grad: Array,
    state: RmspropState,
    *,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
) -> RmspropStep:
    """You added the new square with weight 1. Its weight is 1 − α, so that r is an average."""
    r = alpha * state.square_avg + grad**2
    return params - lr * grad / (np.sqrt(r) + eps), RmspropState(r)


def divides_by_the_average_itself(
    params: Array,
    grad: Array,
    state: RmspropState,
    *,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
) -> RmspropStep:
    """You divided by r itself. Divide by its root, √r + eps."""
    _, (r,) = reference.rmsprop(params, grad, state, lr=lr, alpha=alpha, eps=eps)
    return params - lr * grad / (r + eps), RmspropState(r)


def divides_by_the_old_average(
    params: Array,
    grad: Array,
    state: RmspropState,
    *,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
) -> RmspropStep:
    """You divided by the root of the average before this gradient. Update r first, then divide."""
    _, kept = reference.rmsprop(params, grad, state, lr=lr, alpha=alpha, eps=eps)
    return params - lr * grad / (np.sqrt(state.square_avg) + eps), kept


def averages_the_gradients_unsquared(
    params: Array,
    grad: Array,
    state: RmspropState,
    *,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
) -> RmspropStep:
    """You averaged the gradients' sizes. Average their squares."""
    r = alpha * state.square_avg + (1 - alpha) * np.abs(grad)
    return params - lr * grad / (np.sqrt(r) + eps), RmspropState(r)


def hard_codes_alpha(
    params: Array,
    grad: Array,
    state: RmspropState,
    *,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
) -> RmspropStep:
    """You used an alpha of 0.99 whatever was asked for. Use the argument."""
    return reference.rmsprop(params, grad, state, lr=lr, eps=eps)


# --- adam -------------------------------------------------------------------------------------------------------------
def forgets_the_bias_correction(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You used m and v as they are. They start at zero, too small: divide them by 1 − β₁ᵗ and 1 − β₂ᵗ."""
    t, m, v = moments(grad, state, betas)
    return params - lr * m / (np.sqrt(v) + eps), AdamState(t, m, v)


def corrects_by_beta_times_t(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You divided by 1 − β·t. It is β to the power t: 1 − βᵗ."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = m / (1 - betas[0] * t), v / (1 - betas[1] * t)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def corrects_by_beta(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You divided by 1 − β in every step, which is right for the first only. Divide by 1 − βᵗ."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = m / (1 - betas[0]), v / (1 - betas[1])
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def corrects_the_first_moment_only(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You corrected m but then used v itself. Divide by √v̂ with v̂ = v / (1 − β₂ᵗ)."""
    t, m, v = moments(grad, state, betas)
    m_hat, _ = corrected(t, m, v, betas)
    return params - lr * m_hat / (np.sqrt(v) + eps), AdamState(t, m, v)


def corrects_the_second_moment_only(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You corrected v but then used m itself. Step along m̂ = m / (1 − β₁ᵗ)."""
    t, m, v = moments(grad, state, betas)
    _, v_hat = corrected(t, m, v, betas)
    return params - lr * m / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def stores_the_corrected_moments(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You kept m̂ and v̂ for the next step. Keep m and v as they were, and correct copies of them."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = corrected(t, m, v, betas)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m_hat, v_hat)


def corrects_with_the_old_t(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You corrected with t before counting this step; at t = 0 that divides by zero. Count first, then correct."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = m / (1 - betas[0] ** state.t), v / (1 - betas[1] ** state.t)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def counts_one_step_too_many(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You corrected with t + 1 after counting the step. The first step has t = 1."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = corrected(t + 1, m, v, betas)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def never_advances_t(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You returned the old t, so that every step is corrected like the same one. Return t + 1 in the state."""
    params, (_, m, v) = reference.adam(params, grad, state, lr=lr, betas=betas, eps=eps)
    return params, AdamState(state.t, m, v)


def forgets_the_moments(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You started m and v anew in this step. Take them from the state and return them in it."""
    zero = AdamState(state.t, np.zeros_like(state.m), np.zeros_like(state.v))
    return reference.adam(params, grad, zero, lr=lr, betas=betas, eps=eps)


def swaps_the_betas(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You exchanged the betas. The first is for the gradients' average, the second for that of their squares."""
    return reference.adam(params, grad, state, lr=lr, betas=(betas[1], betas[0]), eps=eps)


def forgets_the_root(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You divided by v̂ itself. Divide by its root, √v̂ + eps."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = corrected(t, m, v, betas)
    return params - lr * m_hat / (v_hat + eps), AdamState(t, m, v)


def forgets_to_square(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You averaged the gradients in v, not their squares. v ← β₂ v + (1 − β₂) g²."""
    t, m, _ = moments(grad, state, betas)
    v = betas[1] * state.v + (1 - betas[1]) * np.abs(grad)
    m_hat, v_hat = corrected(t, m, v, betas)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def steps_along_the_gradient(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You divided the raw gradient by √v̂ + eps; that is RMSProp. Step along the mean of the gradients, m̂."""
    t, m, v = moments(grad, state, betas)
    _, v_hat = corrected(t, m, v, betas)
    return params - lr * grad / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def hard_codes_the_betas(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You used betas of 0.9 and 0.999 whatever was asked for. Use the argument."""
    return reference.adam(params, grad, state, lr=lr, eps=eps)


# --- what they are made of --------------------------------------------------------------------------------------------
def moments(grad: Array, state: AdamState, betas: Betas) -> tuple[int, Array, Array]:
    """Return t, m and v after this gradient."""
    m = betas[0] * state.m + (1 - betas[0]) * grad
    v = betas[1] * state.v + (1 - betas[1]) * grad**2
    return state.t + 1, m, v


def corrected(t: int, m: Array, v: Array, betas: Betas) -> tuple[Array, Array]:
    """Return m and v divided by 1 − βᵗ."""
    return m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)


def like(x: Array, number: Any) -> Any:
    """Return the number in x's dtype: NumPy's own float64 numbers would widen float32."""
    return np.multiply(number, 1.0).astype(x.dtype)
