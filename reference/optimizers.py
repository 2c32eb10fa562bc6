"""One step of each optimizer, pure: (params, grad, state) → (params, state). `sgd` has no state, and returns params.

Arrays may have any shape, all the same one, and share one dtype, float32 or float64, which the results keep; nothing is
written in place, so a state may be kept and stepped again. A fresh state is zeros (and t = 0). Hyperparameters are
Python numbers with PyTorch's names: lr and eps positive, momentum, alpha and betas in [0, 1), squares in a state finite
and at least 0; ValueError otherwise, and TypeError on what is no such array, number or state.

Below the optimizers stand schedules: lr or momentum as a function of the steps taken so far, counted from zero.
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

import numpy as np

from reference import _numerics as numerics
from reference._types import Array, Count, Extent, Fraction, Fractions, Nonnegative, Positive, Whole

Vector = Annotated[Array, "d"]
Squares = Annotated[Array, "d", "nonnegative"]


class MomentumState(NamedTuple):
    """The velocity: the last step taken."""

    velocity: Vector


class AdagradState(NamedTuple):
    """The sum of all squared gradients."""

    sum: Squares


class RmspropState(NamedTuple):
    """The moving average of the squared gradients."""

    square_avg: Squares


class AdamState(NamedTuple):
    """Steps taken, and the moving averages of the gradients and of their squares, not yet corrected."""

    t: Count
    m: Vector
    v: Squares


class AdamaxState(NamedTuple):
    """Steps taken, the moving average of the gradients, and the largest of their decayed sizes."""

    t: Count
    m: Vector
    u: Squares


class LionState(NamedTuple):
    """The moving average of the gradients."""

    m: Vector


def sgd(params: Vector, grad: Vector, *, lr: Positive) -> Vector:
    """θ ← θ − lr · g. Source: 003_bda8f24b635fcb71.txt.

    >>> sgd(np.array([1.0, 2.0]), np.array([2.0, -4.0]), lr=0.25)
    array([0.5, 3. ])
    """
    _require_alike(params=params, grad=grad)
    lr = numerics.require_positive(lr=lr)
    return params - lr * grad


def momentum(
    params: Vector, grad: Vector, state: MomentumState, *, lr: Positive, momentum: Fraction = 0.9
) -> tuple[Vector, MomentumState]:
    """v ← μ v − lr · g, θ ← θ + v.

    Convention: the velocity is the step itself, with lr inside and with its sign; PyTorch's buffer is −v / lr.
    Source: 003_bda8f24b635fcb71.txt (α for μ, ε for lr).

    >>> momentum(np.array([1.0]), np.array([2.0]), MomentumState(np.array([0.5])), lr=0.25, momentum=0.5)
    (array([0.75]), MomentumState(velocity=array([-0.25])))
    """
    numerics.require_kind(MomentumState, state=state)
    _require_alike(params=params, grad=grad, velocity=state.velocity)
    lr = numerics.require_positive(lr=lr)
    momentum = numerics.require_fraction(momentum=momentum)
    v = momentum * state.velocity - lr * grad
    return params + v, MomentumState(v)


def adagrad(
    params: Vector, grad: Vector, state: AdagradState, *, lr: Positive = 0.01, eps: Positive = 1e-10
) -> tuple[Vector, AdagradState]:
    """r ← r + g², θ ← θ − lr · g / (√r + eps).

    Convention: eps outside the root, as in PyTorch. Source: 003_bda8f24b635fcb71.txt (δ for eps).

    >>> adagrad(np.array([1.0]), np.array([3.0]), AdagradState(np.array([16.0])), lr=0.5, eps=1.0)
    (array([0.75]), AdagradState(sum=array([25.])))
    """
    numerics.require_kind(AdagradState, state=state)
    _require_alike(params=params, grad=grad, sum=state.sum)
    numerics.require_nonnegative(sum=state.sum)
    lr, eps = numerics.require_positive(lr=lr, eps=eps)

    def step(params: Array, grad: Array, r: Array) -> tuple[Array, ...]:
        r = r + grad**2
        return params - lr * grad / (np.sqrt(r) + eps), r

    params, r = numerics.in_blocks(step, params, grad, state.sum)
    return params, AdagradState(r)


def rmsprop(
    params: Vector,
    grad: Vector,
    state: RmspropState,
    *,
    lr: Positive = 0.01,
    alpha: Fraction = 0.99,
    eps: Positive = 1e-8,
) -> tuple[Vector, RmspropState]:
    """r ← α r + (1 − α) g², θ ← θ − lr · g / (√r + eps).

    Convention: eps outside the root, as in PyTorch. Source: 003_bda8f24b635fcb71.txt (ρ for α, δ for eps).

    >>> rmsprop(np.array([1.0]), np.array([4.0]), RmspropState(np.array([2.0])), lr=0.5, alpha=0.5, eps=1.0)
    (array([0.5]), RmspropState(square_avg=array([9.])))
    """
    numerics.require_kind(RmspropState, state=state)
    _require_alike(params=params, grad=grad, square_avg=state.square_avg)
    numerics.require_nonnegative(square_avg=state.square_avg)
    lr, eps = numerics.require_positive(lr=lr, eps=eps)
    alpha = numerics.require_fraction(alpha=alpha)

    def step(params: Array, grad: Array, r: Array) -> tuple[Array, ...]:
        r = alpha * r + (1 - alpha) * grad**2
        return params - lr * grad / (np.sqrt(r) + eps), r

    params, r = numerics.in_blocks(step, params, grad, state.square_avg)
    return params, RmspropState(r)


def adam(
    params: Vector,
    grad: Vector,
    state: AdamState,
    *,
    lr: Positive = 0.001,
    betas: Fractions = (0.9, 0.999),
    eps: Positive = 1e-8,
) -> tuple[Vector, AdamState]:
    """m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − lr · m̂ / (√v̂ + eps).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ), with t counted from one, are used and not kept.
    Convention: eps outside the root, after the correction, as in PyTorch. Source: Kingma and Ba 2015, algorithm 1;
    003_bda8f24b635fcb71.txt (s, r, ρ₁, ρ₂, δ for m, v, β₁, β₂, eps; there the powers are lost and m̂ overwrites m).

    >>> theta, state = adam(np.array([1.0]), np.array([2.0]), AdamState(0, np.zeros(1), np.zeros(1)), lr=0.5, eps=2.0)
    >>> theta, state.t
    (array([0.75]), 1)
    """
    numerics.require_kind(AdamState, state=state)
    _require_alike(params=params, grad=grad, m=state.m, v=state.v)
    numerics.require_counts(0, t=state.t)
    numerics.require_nonnegative(v=state.v)
    lr, eps = numerics.require_positive(lr=lr, eps=eps)
    beta1, beta2 = _pair(betas)
    t = state.t + 1
    correction1, correction2 = (numerics.one_minus_power(beta, t).astype(params.dtype) for beta in (beta1, beta2))

    def step(params: Array, grad: Array, m: Array, v: Array) -> tuple[Array, ...]:
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * grad**2
        m_hat, v_hat = m / correction1, v / correction2
        return params - lr * m_hat / (np.sqrt(v_hat) + eps), m, v

    params, m, v = numerics.in_blocks(step, params, grad, state.m, state.v)
    return params, AdamState(t, m, v)


def nesterov(
    params: Vector, grad: Vector, state: MomentumState, *, lr: Positive, momentum: Fraction = 0.9
) -> tuple[Vector, MomentumState]:
    """v ← μ v − lr · g, θ ← θ + μ v − lr · g: momentum that looks one step ahead.

    Convention: θ is the point ahead, at which g is taken, as in PyTorch (whose buffer is −v / lr); Sutskever's
    parameters are θ − μ v. Source: Sutskever, Martens, Dahl and Hinton 2013.

    >>> nesterov(np.array([1.0]), np.array([2.0]), MomentumState(np.array([0.5])), lr=0.25, momentum=0.5)
    (array([0.375]), MomentumState(velocity=array([-0.25])))
    """
    numerics.require_kind(MomentumState, state=state)
    _require_alike(params=params, grad=grad, velocity=state.velocity)
    lr = numerics.require_positive(lr=lr)
    momentum = numerics.require_fraction(momentum=momentum)
    v = momentum * state.velocity - lr * grad
    return params + momentum * v - lr * grad, MomentumState(v)


def adamw(
    params: Vector,
    grad: Vector,
    state: AdamState,
    *,
    lr: Positive = 0.001,
    betas: Fractions = (0.9, 0.999),
    eps: Positive = 1e-8,
    weight_decay: Nonnegative = 0.01,
) -> tuple[Vector, AdamState]:
    """θ ← (1 − lr · λ) θ, and then Adam's step, whose moments know nothing of the decay λ.

    Conventions as in `adam`. A penalty ½ λ Σ θ² inside the gradient is another optimizer: there Adam's division takes
    the decay away again. Source: Loshchilov and Hutter 2019, algorithm 2, with PyTorch's lr · λ.

    >>> fresh = AdamState(0, np.zeros(1), np.zeros(1))
    >>> theta, state = adamw(np.array([1.0]), np.array([2.0]), fresh, lr=0.5, eps=2.0, weight_decay=0.5)
    >>> theta, state.t
    (array([0.5]), 1)
    """
    numerics.require_floats(params=params)
    lr = numerics.require_positive(lr=lr)
    weight_decay = numerics.require_at_least_zero(weight_decay=weight_decay)
    return adam((1 - lr * weight_decay) * params, grad, state, lr=lr, betas=betas, eps=eps)


def adamax(
    params: Vector,
    grad: Vector,
    state: AdamaxState,
    *,
    lr: Positive = 0.002,
    betas: Fractions = (0.9, 0.999),
    eps: Positive = 1e-8,
) -> tuple[Vector, AdamaxState]:
    """m ← β₁ m + (1 − β₁) g, u ← max(β₂ u, |g| + eps), θ ← θ − lr / (1 − β₁ᵗ) · m / u, with t counted from one.

    Convention: eps beside |g|, as in PyTorch. Source: Kingma and Ba 2015, algorithm 2 (without eps).

    >>> fresh = AdamaxState(0, np.zeros(1), np.zeros(1))
    >>> theta, state = adamax(np.array([1.0]), np.array([2.0]), fresh, lr=0.5, eps=2.0)
    >>> theta, state.u
    (array([0.75]), array([4.]))
    """
    numerics.require_kind(AdamaxState, state=state)
    _require_alike(params=params, grad=grad, m=state.m, u=state.u)
    numerics.require_counts(0, t=state.t)
    numerics.require_nonnegative(u=state.u)
    lr, eps = numerics.require_positive(lr=lr, eps=eps)
    beta1, beta2 = _pair(betas)
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * grad
    u = np.maximum(beta2 * state.u, np.abs(grad) + eps)
    m_hat = m / numerics.one_minus_power(beta1, t).astype(m.dtype)
    return params - lr * m_hat / u, AdamaxState(t, m, u)


def lion(
    params: Vector,
    grad: Vector,
    state: LionState,
    *,
    lr: Positive = 0.0001,
    betas: Fractions = (0.9, 0.99),
    weight_decay: Nonnegative = 0.0,
) -> tuple[Vector, LionState]:
    """θ ← (1 − lr · λ) θ − lr · sign(β₁ m + (1 − β₁) g), m ← β₂ m + (1 − β₂) g.

    Conventions: sign 0 = 0; the step is taken with the old average m. Source: Chen et al. 2023, algorithm 2.

    >>> lion(np.array([1.0, 1.0]), np.array([2.0, 0.0]), LionState(np.zeros(2)), lr=0.25, betas=(0.5, 0.75))
    (array([0.75, 1.  ]), LionState(m=array([0.5, 0. ])))
    """
    numerics.require_kind(LionState, state=state)
    _require_alike(params=params, grad=grad, m=state.m)
    lr = numerics.require_positive(lr=lr)
    weight_decay = numerics.require_at_least_zero(weight_decay=weight_decay)
    beta1, beta2 = _pair(betas)
    direction = np.sign(beta1 * state.m + (1 - beta1) * grad)
    m = beta2 * state.m + (1 - beta2) * grad
    return (1 - lr * weight_decay) * params - lr * direction, LionState(m)


def step_lr(step: Whole, *, lr: Positive, step_size: Count, gamma: Positive = 0.1) -> float:
    """lr · γ^⌊step / step_size⌋, as PyTorch's StepLR. Source: 004_64b996b1ba6bbd2b.txt (the step size may change).

    >>> [step_lr(step, lr=1.0, step_size=2, gamma=0.5) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _require_step(step)
    numerics.require_counts(step_size=step_size)
    lr, gamma = numerics.require_positive(lr=lr, gamma=gamma)
    return lr * gamma ** (step // step_size)


def exponential_lr(step: Whole, *, lr: Positive, gamma: Positive) -> float:
    """lr · γ^step, as PyTorch's ExponentialLR. Source: 004_64b996b1ba6bbd2b.txt (the step size may change).

    >>> [exponential_lr(step, lr=1.0, gamma=0.5) for step in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    _require_step(step)
    lr, gamma = numerics.require_positive(lr=lr, gamma=gamma)
    return lr * gamma**step


def cosine_lr(step: Whole, *, lr: Positive, T_max: Extent, eta_min: Nonnegative = 0.0) -> float:
    """η + (lr − η) (1 + cos(π · step / T_max)) / 2, down to η = eta_min at T_max, as PyTorch's CosineAnnealingLR.

    Written with (1 + cos x) / 2 = sin²((π − x) / 2), which does not cancel near the end. Convention: after T_max it
    rises again, and is back at lr after 2 T_max. Source: Loshchilov and Hutter 2017, equation 5.

    >>> [round(cosine_lr(step, lr=1.0, T_max=4), 6) for step in (0, 1, 2, 4, 8)]
    [1.0, 0.853553, 0.5, 0.0, 1.0]
    """
    _require_step(step)
    numerics.require_counts(T_max=T_max)
    lr = numerics.require_positive(lr=lr)
    eta_min = numerics.require_at_least_zero(eta_min=eta_min)
    left = abs(T_max - step % (2 * T_max))
    return eta_min + (lr - eta_min) * math.sin(math.pi * left / (2 * T_max)) ** 2


def warmup_lr(step: Whole, *, lr: Positive, total_iters: Extent = 5, start_factor: Positive = 1 / 3) -> float:
    """lr · (f + (1 − f) · min(step / total_iters, 1)), from f · lr up to lr, as PyTorch's LinearLR.

    Convention: f = start_factor is in (0, 1], and 1/3 unless said otherwise, as there: no optimizer takes a step of 0.
    Source: Goyal et al. 2017, section 2.2.

    >>> [warmup_lr(step, lr=1.0, total_iters=4, start_factor=0.5) for step in range(6)]
    [0.5, 0.625, 0.75, 0.875, 1.0, 1.0]
    """
    _require_step(step)
    numerics.require_counts(total_iters=total_iters)
    lr, start_factor = numerics.require_positive(lr=lr, start_factor=start_factor)
    numerics.require_probabilities(start_factor=start_factor)
    return lr * (start_factor + (1 - start_factor) * min(step, total_iters) / total_iters)


def momentum_decay(step: Whole, *, momentum: Fraction = 0.9, total_iters: Extent) -> float:
    """μ f / (1 − μ + μ f) with the share f = 1 − step / total_iters that is left: from μ down to 0, and 0 then.

    The sum of a gradient's weights, μ / (1 − μ), falls on a straight line. Source: Chen, Wolfe, Li and Kyrillidis 2022
    (Demon), equation 1.

    >>> [momentum_decay(step, momentum=0.5, total_iters=2) for step in range(4)]
    [0.5, 0.3333333333333333, 0.0, 0.0]
    """
    _require_step(step)
    numerics.require_counts(total_iters=total_iters)
    momentum = numerics.require_fraction(momentum=momentum)
    left = max(total_iters - step, 0)
    return momentum * left / ((1 - momentum) * total_iters + momentum * left)


def _require_step(step: int) -> None:
    numerics.require_counts(0, step=step)


def _pair(betas: tuple[float, float]) -> tuple[float, float]:
    """Return two numbers in [0, 1)."""
    if not (isinstance(betas, tuple | list) and len(betas) == 2):
        raise TypeError(f"betas: expected a pair of numbers in [0, 1), got {betas!r}")
    beta1, beta2 = betas
    beta1, beta2 = numerics.require_fraction(beta1=beta1, beta2=beta2)
    return beta1, beta2


def _require_alike(**arrays: Array) -> None:
    numerics.require_floats(**arrays)
    numerics.require_same_shape(**arrays)
