"""Known mistakes in Nesterov's momentum; the docstring of each is what the student is told."""

from __future__ import annotations

from graders.optimizers.misconceptions import MomentumStep
from reference import optimizers as reference
from reference._types import Array
from reference.optimizers import MomentumState


# --- nesterov ---------------------------------------------------------------------------------------------------------
def moves_by_the_velocity(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You stepped by v itself: with the gradient at θ that is plain momentum. Step by μ v − lr · g with the new v."""
    return reference.momentum(params, grad, state, lr=lr, momentum=momentum)


def forgets_the_velocity(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You started from a velocity of zero in this step. Take the old one from the state: v ← μ v − lr · g."""
    return reference.nesterov(params, grad, MomentumState(0 * state.velocity), lr=lr, momentum=momentum)


def leaves_out_the_fresh_gradient(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You stepped by μ v alone. Subtract this gradient's own step too: μ v − lr · g."""
    v = momentum * state.velocity - lr * grad
    return params + momentum * v, MomentumState(v)


def adds_the_whole_velocity(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You stepped by v − lr · g. The new velocity is multiplied by μ once more: μ v − lr · g."""
    v = momentum * state.velocity - lr * grad
    return params + v - lr * grad, MomentumState(v)


def adds_the_old_velocity(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You added μ times the old velocity to (1 + μ) times the new one. Subtract it: (1 + μ) v − μ times the old v."""
    v = momentum * state.velocity - lr * grad
    return params + momentum * state.velocity + (1 + momentum) * v, MomentumState(v)


def keeps_the_step_as_velocity(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You kept the step μ v − lr · g for the velocity. Keep v as it was before looking ahead."""
    step = momentum * (momentum * state.velocity - lr * grad) - lr * grad
    return params + step, MomentumState(step)


def subtracts_the_whole_gradient(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You subtracted the gradient whole beside μ v. Multiply it by the learning rate: μ v − lr · g."""
    v = momentum * state.velocity - lr * grad
    return params + momentum * v - grad, MomentumState(v)


def looks_ahead_uphill(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """Your velocity grows along the gradient, uphill. v ← μ v − lr · g, and then θ + μ v − lr · g."""
    v = momentum * state.velocity + lr * grad
    return params + momentum * v + lr * grad, MomentumState(v)


def fixes_the_momentum(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """You used a momentum of 0.9 whatever was asked for. Use the argument."""
    return reference.nesterov(params, grad, state, lr=lr)
