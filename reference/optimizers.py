"""One step of each optimizer, pure: (params, grad, state) → (params, state). `sgd` has no state, and returns params.

Arrays may have any shape, all the same one, and share one dtype, float32 or float64, which the results keep; nothing is
written in place, so a state may be kept and stepped again. A fresh state is zeros (and t = 0). Hyperparameters are
Python numbers with PyTorch's names: lr and eps positive, momentum, alpha and betas in [0, 1); ValueError otherwise.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from reference import _numerics as numerics
from reference._types import Array, Count, Fraction, Fractions, Positive

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


def sgd(params: Vector, grad: Vector, *, lr: Positive) -> Vector:
    """θ ← θ − lr · g. Source: 003_bda8f24b635fcb71.txt.

    >>> sgd(np.array([1.0, 2.0]), np.array([2.0, -4.0]), lr=0.25)
    array([0.5, 3. ])
    """
    _require_alike(params=params, grad=grad)
    numerics.require_positive(lr=lr)
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
    _require_alike(params=params, grad=grad, velocity=state.velocity)
    numerics.require_positive(lr=lr)
    numerics.require_fraction(momentum=momentum)
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
    _require_alike(params=params, grad=grad, sum=state.sum)
    numerics.require_nonnegative(sum=state.sum)
    numerics.require_positive(lr=lr, eps=eps)
    r = state.sum + grad**2
    return params - lr * grad / (np.sqrt(r) + eps), AdagradState(r)


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
    _require_alike(params=params, grad=grad, square_avg=state.square_avg)
    numerics.require_nonnegative(square_avg=state.square_avg)
    numerics.require_positive(lr=lr, eps=eps)
    numerics.require_fraction(alpha=alpha)
    r = alpha * state.square_avg + (1 - alpha) * grad**2
    return params - lr * grad / (np.sqrt(r) + eps), RmspropState(r)


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
    _require_alike(params=params, grad=grad, m=state.m, v=state.v)
    numerics.require_nonnegative(t=state.t, v=state.v)
    numerics.require_positive(lr=lr, eps=eps)
    beta1, beta2 = betas
    numerics.require_fraction(beta1=beta1, beta2=beta2)
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * grad
    v = beta2 * state.v + (1 - beta2) * grad**2
    m_hat = m / numerics.one_minus_power(beta1, t).astype(m.dtype)
    v_hat = v / numerics.one_minus_power(beta2, t).astype(v.dtype)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def _require_alike(**arrays: Array) -> None:
    numerics.require_floats(**arrays)
    numerics.require_same_shape(**arrays)
