"""Known mistakes in AdamW, AdaMax and Lion; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from graders.optimizers.misconceptions import AdamStep, Betas, corrected, moments
from reference import optimizers as reference
from reference._types import Array
from reference.optimizers import AdamaxState, AdamState, LionState

Function = Callable[..., Any]
AdamaxStep = tuple[Array, AdamaxState]
LionStep = tuple[Array, LionState]


# --- mistakes that many share: each takes the step that is misunderstood ----------------------------------------------
def swaps_the_betas(step: Function) -> Function:
    """Make the mistake for a step with two betas."""

    def swaps_the_betas(params: Array, grad: Array, state: Any, **hyper: Any) -> tuple[Array, Any]:
        """You exchanged the two betas. The formulas number them: the first one is β₁."""
        one, two = _all(step, hyper)["betas"]
        stepped: tuple[Array, Any] = step(params, grad, state, **hyper | {"betas": (two, one)})
        return stepped

    return with_signature_of(step, swaps_the_betas)


def hard_codes_the_betas(step: Function) -> Function:
    """Make the mistake for a step with two betas."""

    def hard_codes_the_betas(params: Array, grad: Array, state: Any, **hyper: Any) -> tuple[Array, Any]:
        """You used the default betas whatever was asked for. Use the argument."""
        stepped: tuple[Array, Any] = step(params, grad, state, **hyper | {"betas": _all(step, {})["betas"]})
        return stepped

    return with_signature_of(step, hard_codes_the_betas)


def forgets_the_decay(step: Function) -> Function:
    """Make the mistake for a step with decoupled decay."""

    def forgets_the_decay(params: Array, grad: Array, state: Any, **hyper: Any) -> tuple[Array, Any]:
        """You left out the weight decay. Multiply the old parameters by 1 − lr · λ."""
        return _undecayed(step, params, grad, state, hyper)

    return with_signature_of(step, forgets_the_decay)


def adds_the_decay_to_the_gradient(step: Function) -> Function:
    """Make the mistake for a step with decoupled decay."""

    def adds_the_decay_to_the_gradient(params: Array, grad: Array, state: Any, **hyper: Any) -> tuple[Array, Any]:
        """You added λ θ to the gradient, as an L2 penalty does. Keep it out of the averages: (1 − lr · λ) θ."""
        decay = _all(step, hyper)["weight_decay"]
        return _undecayed(step, params, grad + decay * params, state, hyper)

    return with_signature_of(step, adds_the_decay_to_the_gradient)


def grows_with_the_decay(step: Function) -> Function:
    """Make the mistake for a step with decoupled decay."""

    def grows_with_the_decay(params: Array, grad: Array, state: Any, **hyper: Any) -> tuple[Array, Any]:
        """You added the decay, so that the parameters grow. Subtract it: (1 − lr · λ) θ."""
        stepped, state = _undecayed(step, params, grad, state, hyper)
        return stepped + _decay(step, hyper) * params, state

    return with_signature_of(step, grows_with_the_decay)


def decays_twice(step: Function) -> Function:
    """Make the mistake for a step with decoupled decay."""

    def decays_twice(params: Array, grad: Array, state: Any, **hyper: Any) -> tuple[Array, Any]:
        """You decayed by 2 · lr · λ, as a penalty of λ Σ θ² would. Here the factor is 1 − lr · λ."""
        stepped, state = _undecayed(step, params, grad, state, hyper)
        return stepped - 2 * _decay(step, hyper) * params, state

    return with_signature_of(step, decays_twice)


def decays_after_the_step(step: Function) -> Function:
    """Make the mistake for a step with decoupled decay."""

    def decays_after_the_step(params: Array, grad: Array, state: Any, **hyper: Any) -> tuple[Array, Any]:
        """You decayed the new parameters, and so shrank the step too. Decay the old ones: (1 − lr · λ) θ − the step."""
        stepped, state = _undecayed(step, params, grad, state, hyper)
        return (1 - _decay(step, hyper)) * stepped, state

    return with_signature_of(step, decays_after_the_step)


def _all(step: Function, hyper: dict[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters, those that are left out at their defaults."""
    return {p.name: p.default for p in inspect.signature(step).parameters.values() if p.kind is p.KEYWORD_ONLY} | hyper


def _undecayed(step: Function, params: Array, grad: Array, state: Any, hyper: dict[str, Any]) -> tuple[Array, Any]:
    stepped: tuple[Array, Any] = step(params, grad, state, **hyper | {"weight_decay": 0.0})
    return stepped


def _decay(step: Function, hyper: dict[str, Any]) -> Any:
    given = _all(step, hyper)
    return given["lr"] * given["weight_decay"]


# --- adamw ------------------------------------------------------------------------------------------------------------
def decoupled(mistake: Function) -> Function:
    """Make a mistake in Adam's step the same one in AdamW's, the decay being right."""

    def wrong(
        params: Array,
        grad: Array,
        state: AdamState,
        *,
        lr: float = 0.001,
        weight_decay: float = 0.01,
        **hyper: Any,
    ) -> AdamStep:
        stepped, state = mistake(params, grad, state, lr=lr, **hyper)
        return stepped - lr * weight_decay * params, state

    wrong.__name__, wrong.__doc__ = mistake.__name__, mistake.__doc__
    return with_signature_of(reference.adamw, wrong)


def divides_the_decay_too(
    params: Array,
    grad: Array,
    state: AdamState,
    *,
    lr: float = 0.001,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> AdamStep:
    """You divided the decay by √v̂ + eps as well. Only m̂ is divided: (1 − lr · λ) θ − lr · m̂ / (√v̂ + eps)."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = corrected(t, m, v, betas)
    return params - lr * (m_hat + weight_decay * params) / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def hard_codes_the_decay(
    params: Array,
    grad: Array,
    state: AdamState,
    *,
    lr: float = 0.001,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> AdamStep:
    """You used a weight decay of 0.01 whatever was asked for. Use the argument."""
    return reference.adamw(params, grad, state, lr=lr, betas=betas, eps=eps)


# --- adamax -----------------------------------------------------------------------------------------------------------
def forgets_the_correction(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You used m as it is. It starts at zero, too small: divide it by 1 − β₁ᵗ."""
    t, m, u = largest(grad, state, betas, eps)
    return params - lr * m / u, AdamaxState(t, m, u)


def corrects_by_beta_times_t(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You divided by 1 − β₁·t. It is β₁ to the power t: 1 − β₁ᵗ."""
    t, m, u = largest(grad, state, betas, eps)
    return params - lr * (m / (1 - betas[0] * t)) / u, AdamaxState(t, m, u)


def corrects_by_beta(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You divided by 1 − β₁ in every step, which is right for the first only. Divide by 1 − β₁ᵗ."""
    t, m, u = largest(grad, state, betas, eps)
    return params - lr * (m / (1 - betas[0])) / u, AdamaxState(t, m, u)


def corrects_with_the_old_t(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You corrected with t before counting this step; at t = 0 that divides by zero. Count first, then correct."""
    t, m, u = largest(grad, state, betas, eps)
    return params - lr * (m / (1 - betas[0] ** state.t)) / u, AdamaxState(t, m, u)


def corrects_the_largest_too(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You divided u by 1 − β₂ᵗ. It is a maximum, not an average, and needs no correction; only m does."""
    t, m, u = largest(grad, state, betas, eps)
    m_hat, u_hat = corrected(t, m, u, betas)
    return params - lr * m_hat / u_hat, AdamaxState(t, m, u)


def stores_the_corrected_average(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You kept m̂ for the next step. Keep m as it was, and correct a copy of it."""
    t, m, u = largest(grad, state, betas, eps)
    m_hat = m / (1 - betas[0] ** t)
    return params - lr * m_hat / u, AdamaxState(t, m_hat, u)


def never_advances_t(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You returned the old t, so that every step is corrected like the same one. Return t + 1 in the state."""
    params, (_, m, u) = reference.adamax(params, grad, state, lr=lr, betas=betas, eps=eps)
    return params, AdamaxState(state.t, m, u)


def averages_the_sizes(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You averaged the gradients' sizes. Take the larger of β₂ u and |g| + eps, entry by entry."""
    u = betas[1] * state.u + (1 - betas[1]) * (np.abs(grad) + eps)
    return _stepped(params, grad, state, u, lr, betas)


def keeps_the_largest_for_ever(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You never let u decay. Multiply the old one by β₂ before you compare: max(β₂ u, |g| + eps)."""
    return _stepped(params, grad, state, np.maximum(state.u, np.abs(grad) + eps), lr, betas)


def forgets_the_old_largest(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You used the size of this gradient alone. Compare it with what is left of the old u: max(β₂ u, |g| + eps)."""
    return _stepped(params, grad, state, np.abs(grad) + eps, lr, betas)


def forgets_the_absolute_value(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You compared with g itself, so that negative gradients never count. Take its size: max(β₂ u, |g| + eps)."""
    return _stepped(params, grad, state, np.maximum(betas[1] * state.u, grad + eps), lr, betas)


def shares_one_largest(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You took the largest gradient of all parameters. Every parameter has its own u, the largest over the steps."""
    return _stepped(params, grad, state, np.maximum(betas[1] * state.u, np.max(np.abs(grad)) + eps), lr, betas)


def takes_a_root(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You divided by the root of u. Unlike Adam's v it holds no squares: divide by u itself."""
    t, m, u = largest(grad, state, betas, eps)
    return params - lr * (m / (1 - betas[0] ** t)) / np.sqrt(u), AdamaxState(t, m, u)


def leaves_out_eps(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You left out eps; where no gradient has come yet that is 0/0. Add it to |g| (the paper's algorithm has none)."""
    return _stepped(params, grad, state, np.maximum(betas[1] * state.u, np.abs(grad)), lr, betas)


def divides_the_gradient_itself(
    params: Array, grad: Array, state: AdamaxState, *, lr: float = 0.002, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamaxStep:
    """You divided the raw gradient by u. Step along the corrected mean of the gradients, m / (1 − β₁ᵗ)."""
    t, m, u = largest(grad, state, betas, eps)
    return params - lr * grad / u, AdamaxState(t, m, u)


def _stepped(params: Array, grad: Array, state: AdamaxState, u: Array, lr: float, betas: Betas) -> AdamaxStep:
    """Step with another u than the right one."""
    t, m, _ = largest(grad, state, betas, 0.0)
    return params - lr * (m / (1 - betas[0] ** t)) / u, AdamaxState(t, m, u)


def largest(grad: Array, state: AdamaxState, betas: Betas, eps: float) -> tuple[int, Array, Array]:
    """Return t, m and u after this gradient."""
    m = betas[0] * state.m + (1 - betas[0]) * grad
    return state.t + 1, m, np.maximum(betas[1] * state.u, np.abs(grad) + eps)


# --- lion -------------------------------------------------------------------------------------------------------------
def lion(wrong: Callable[[Array, Array, Betas], tuple[Array, Array]]) -> Function:
    """Return the step whose direction and average, of the gradient, the old average and betas, are these."""

    def made(
        params: Array,
        grad: Array,
        state: LionState,
        *,
        lr: float = 0.0001,
        betas: Betas = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> LionStep:
        direction, m = wrong(grad, state.m, betas)
        return (1 - lr * weight_decay) * params - lr * direction, LionState(m)

    made.__name__, made.__doc__ = wrong.__name__, wrong.__doc__
    return made


def _blend(m: Array, grad: Array, beta: float) -> Array:
    return beta * m + (1 - beta) * grad


@lion
def steps_along_the_new_average(grad: Array, m: Array, betas: Betas) -> tuple[Array, Array]:
    """You took the sign of the new average. The step's blend has a beta of its own: sign(β₁ m + (1 − β₁) g), m old."""
    new = _blend(m, grad, betas[1])
    return np.sign(new), new


@lion
def updates_the_average_first(grad: Array, m: Array, betas: Betas) -> tuple[Array, Array]:
    """You updated m before the step, so this gradient counts twice in it. Blend with the old m, then update it."""
    new = _blend(m, grad, betas[1])
    return np.sign(_blend(new, grad, betas[0])), new


@lion
def keeps_the_blend(grad: Array, m: Array, betas: Betas) -> tuple[Array, Array]:
    """You kept the blend whose sign you took. The average that is kept has a beta of its own: β₂ m + (1 − β₂) g."""
    new = _blend(m, grad, betas[0])
    return np.sign(new), new


@lion
def averages_the_signs(grad: Array, m: Array, betas: Betas) -> tuple[Array, Array]:
    """You averaged the signs. Average the gradients: m ← β₂ m + (1 − β₂) g."""
    direction = np.sign(_blend(m, grad, betas[0]))
    return direction, _blend(m, direction, betas[1])


@lion
def forgets_the_sign(grad: Array, m: Array, betas: Betas) -> tuple[Array, Array]:
    """You stepped by the blend itself. Only its sign counts: every parameter moves by lr."""
    return _blend(m, grad, betas[0]), _blend(m, grad, betas[1])


@lion
def follows_the_gradient_alone(grad: Array, m: Array, betas: Betas) -> tuple[Array, Array]:
    """You took the sign of the gradient alone. Blend it with the average first: sign(β₁ m + (1 − β₁) g)."""
    return np.sign(grad), _blend(m, grad, betas[1])


@lion
def follows_the_average_alone(grad: Array, m: Array, betas: Betas) -> tuple[Array, Array]:
    """You took the sign of the old average alone. Blend this gradient in first: sign(β₁ m + (1 − β₁) g)."""
    return np.sign(m), _blend(m, grad, betas[1])


@lion
def exchanges_the_weights_of_the_blend(grad: Array, m: Array, betas: Betas) -> tuple[Array, Array]:
    """You exchanged the weights of the blend. The average gets β₁, the gradient 1 − β₁."""
    return np.sign(_blend(m, grad, 1 - betas[0])), _blend(m, grad, betas[1])


@lion
def gives_zero_a_sign(grad: Array, m: Array, betas: Betas) -> tuple[Array, Array]:
    """You gave zero the sign −1. Where the blend is 0 nothing moves: use np.sign."""
    direction = np.where(_blend(m, grad, betas[0]) > 0, 1.0, -1.0).astype(grad.dtype)
    return direction, _blend(m, grad, betas[1])


def decays_without_the_learning_rate(
    params: Array,
    grad: Array,
    state: LionState,
    *,
    lr: float = 0.0001,
    betas: Betas = (0.9, 0.99),
    weight_decay: float = 0.0,
) -> LionStep:
    """You shrank the parameters by 1 − λ. The learning rate multiplies the decay too: 1 − lr · λ."""
    stepped, state = reference.lion(params, grad, state, lr=lr, betas=betas)
    return stepped - weight_decay * params, state
