"""The exercise on Nesterov's momentum."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge
from graders.optimizers import misconceptions_velocity as wrong
from graders.optimizers._torch import parameter, values
from graders.optimizers.misconceptions import (
    MomentumStep,
    climbs_the_gradient,
    keeps_the_old_state,
    multiplies_the_step_by_the_parameters,
)
from reference import optimizers as reference
from reference._types import Array
from reference.optimizers import MomentumState

_PARAMS = [0.3, -1.7, 0.9]
_ZEROS = [0.0, 0.0, 0.0]
_GRADS = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6], [1.1, -1.6, 0.1], [-0.8, 0.5, -1.2]]
_MATRIX = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_MATRIX_GRADS = [[[0.7, -0.2, 1.3], [0.6, 0.9, -0.4]], [[-0.3, 0.8, 0.1], [1.2, -0.7, 0.5]]]
_MATRIX_STATE = [[0.2, 0.6, 0.4], [0.9, 0.3, 1.7]]
_AT_REST = {"velocity": _ZEROS}
_MOVING = {"velocity": [0.2, -0.6, 0.4]}


# --- nesterov ---------------------------------------------------------------------------------------------------------
def by_both_velocities(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """θ − μ v + (1 + μ) v', from the old velocity v and the new one."""
    v = momentum * state.velocity - lr * grad
    return params - momentum * state.velocity + (1 + momentum) * v, MomentumState(v)


def by_a_buffer(params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9) -> MomentumStep:
    """b ← μ b + g, θ ← θ − lr (g + μ b), as PyTorch does it."""
    b = momentum * (-state.velocity / lr) + grad
    return params - lr * (grad + momentum * b), MomentumState(-lr * b)


def keeps_the_sum_of_the_gradients(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """b ← μ b + g, θ ← θ − lr · (g + μ b), the learning rate outside, as in PyTorch's SGD(nesterov=True)."""
    b = momentum * state.velocity + grad
    return params - lr * (grad + momentum * b), MomentumState(b)


def keeps_the_velocity_with_the_other_sign(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """v ← μ v + lr · g, θ ← θ − μ v − lr · g, the velocity with the other sign, as in 004_64b996b1ba6bbd2b.txt."""
    v = momentum * state.velocity + lr * grad
    return params - momentum * v - lr * grad, MomentumState(v)


def _torch_nesterov(
    torch: Any, params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    theta = parameter(torch, params, grad)
    nesterov = momentum > 0  # PyTorch refuses it without momentum, and keeps no buffer then
    optimizer = torch.optim.SGD([theta], lr=lr, momentum=momentum, nesterov=nesterov, foreach=False)
    kept = optimizer.state[theta] = {"momentum_buffer": torch.tensor(-state.velocity / lr)}
    optimizer.step()
    buffer = kept["momentum_buffer"].numpy() if momentum else grad
    return values(theta), MomentumState(np.asarray(-lr * buffer))


nesterov = Exercise(
    reference.nesterov,
    misconceptions=(
        wrong.moves_by_the_velocity,
        wrong.forgets_the_velocity,
        wrong.leaves_out_the_fresh_gradient,
        wrong.adds_the_whole_velocity,
        wrong.adds_the_old_velocity,
        wrong.keeps_the_step_as_velocity,
        wrong.subtracts_the_whole_gradient,
        wrong.looks_ahead_uphill,
        wrong.fixes_the_momentum,
        keeps_the_old_state(reference.nesterov),
        climbs_the_gradient(reference.nesterov),
        multiplies_the_step_by_the_parameters(reference.nesterov),
    ),
    conventions=(keeps_the_sum_of_the_gradients, keeps_the_velocity_with_the_other_sign),
    programs=(by_both_velocities, by_a_buffer),
    edges=(
        edge("a matrix", params=_MATRIX, grads=_MATRIX_GRADS, state={"velocity": _MATRIX_STATE}, lr=0.3, momentum=0.6),
        edge("fresh", params=_PARAMS, grads=_GRADS, state=_AT_REST, lr=0.3, momentum=0.5),
        edge("default momentum", params=_PARAMS, grads=_GRADS, state=_AT_REST, lr=0.3),
        edge("already moving", params=_PARAMS, grads=_GRADS, state=_MOVING, lr=0.7, momentum=0.6),
        edge("no gradient", params=_PARAMS, grads=[_ZEROS, _ZEROS], state=_MOVING, lr=0.7, momentum=0.4),
        edge("one step", params=_PARAMS, grads=[[0.7, -0.2, 1.3]], state=_MOVING, lr=1.3, momentum=0.7),
        edge("no momentum", params=_PARAMS, grads=_GRADS, state=_AT_REST, lr=0.3, momentum=0.0),
        edge("momentum near one", params=_PARAMS, grads=_GRADS, state=_MOVING, lr=0.03, momentum=0.9999),
        edge("one number", params=[-1.7], grads=[[0.7], [-0.4]], state={"velocity": [0.0]}, lr=0.3, momentum=0.8),
    ),
    rivals={"torch": _torch_nesterov},
    unrolled=True,
)
