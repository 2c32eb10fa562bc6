"""Exercises on optimizers: one step each, judged on whole trajectories with everything that is kept between steps."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme
from graders.optimizers import misconceptions as wrong
from graders.optimizers._torch import parameter as _parameter
from graders.optimizers._torch import values as _values
from graders.optimizers.adaptive import (
    adamax,
    adamw,
    adds_eps_before_the_correction,
    adds_eps_to_the_corrected_v,
    by_lerp,
    lion,
)
from graders.optimizers.misconceptions import (
    AdagradStep,
    AdamStep,
    Betas,
    MomentumStep,
    RmspropStep,
    moments,
)
from graders.optimizers.schedules import cosine_lr, exponential_lr, momentum_decay, step_lr, warmup_lr
from graders.optimizers.velocity import nesterov
from reference import optimizers as reference
from reference._types import Array
from reference.optimizers import AdagradState, AdamState, MomentumState, RmspropState

# Values off their defaults, amplified so that a wrong place for any of them shows in the first digit.
_MATRIX = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_MATRIX_GRADS = [[[0.7, -0.2, 1.3], [0.6, 0.9, -0.4]], [[-0.3, 0.8, 0.1], [1.2, -0.7, 0.5]]]
_MATRIX_STATE = [[0.2, 0.6, 0.4], [0.9, 0.3, 1.7]]
_PARAMS = [0.3, -1.7, 0.9]
_ZEROS = [0.0, 0.0, 0.0]
_GRADS = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6], [1.1, -1.6, 0.1], [-0.8, 0.5, -1.2]]
_LARGE_THEN_SMALL = [[10.3, -7.7, 5.1], [0.013, 0.027, -0.031], [0.011, -0.009, 0.017]]
_WITH_ZEROS = [[0.0, 0.0, 0.0], [0.7, 0.0, -0.2]]
_HUGE_AND_TINY = [[0.7e15, -0.2e-15, 1.3e-9], [-0.4e15, 0.9e-15, 0.6e-9]]


# --- sgd --------------------------------------------------------------------------------------------------------------
def sgd_by_adding(params: Array, grad: Array, *, lr: float) -> Array:
    """θ + (−lr) · g."""
    return params + -lr * grad


def _torch_sgd(torch: Any, params: Array, grad: Array, *, lr: float) -> Array:
    theta = _parameter(torch, params, grad)
    torch.optim.SGD([theta], lr=lr, foreach=False).step()
    return _values(theta)


sgd = Exercise(
    reference.sgd,
    misconceptions=(
        wrong.climbs,
        wrong.forgets_the_learning_rate,
        wrong.divides_by_the_learning_rate,
        wrong.hard_codes_lr,
        wrong.uses_the_sign_only,
        wrong.returns_the_step,
        wrong.shrinks_the_parameters,
    ),
    programs=(sgd_by_adding,),
    edges=(
        edge("small", params=_PARAMS, grad=[0.7, -0.2, 1.3], lr=0.3),
        edge("a large step", params=_PARAMS, grad=[-0.4, 0.9, 0.6], lr=2.5),
        edge("one parameter", params=[-1.7], grad=[0.6], lr=0.1),
        edge("no gradient", params=_PARAMS, grad=[0.0, 0.7, 0.0], lr=0.3),
        edge("parameters of zero", params=_ZEROS, grad=[0.7, -0.2, 1.3], lr=0.3),
        edge("mixed sizes", params=[1e4 + 0.3, -1.7e-3, 0.9], grad=[0.7, -2e-3, 130.1], lr=0.05),
        extreme("huge and tiny gradients", params=_ZEROS, grad=[0.7e30, -0.2e-30, 1.3e-9], lr=0.05),
    ),
    rivals={"torch": _torch_sgd},
)


# --- momentum ---------------------------------------------------------------------------------------------------------
def keeps_the_sum_of_gradients(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """v ← μ v + g, θ ← θ − lr · v, the learning rate outside, as in PyTorch's SGD(momentum=μ)."""
    v = momentum * state.velocity + grad
    return params - lr * v, MomentumState(v)


def keeps_the_velocity_uphill(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """v ← μ v + lr · g, θ ← θ − v, the velocity with the other sign, as in 004_64b996b1ba6bbd2b.txt."""
    v = momentum * state.velocity + lr * grad
    return params - v, MomentumState(v)


def averages_the_gradients(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """v ← μ v + (1 − μ) g, θ ← θ − lr · v, an average of the gradients, as in several courses."""
    v = momentum * state.velocity + (1 - momentum) * grad
    return params - lr * v, MomentumState(v)


def momentum_in_one_line(
    params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    """The new parameters from the old velocity, without the sum in between."""
    v = momentum * state.velocity + -lr * grad
    return params + momentum * state.velocity - lr * grad, MomentumState(v)


def _torch_momentum(
    torch: Any, params: Array, grad: Array, state: MomentumState, *, lr: float, momentum: float = 0.9
) -> MomentumStep:
    theta = _parameter(torch, params, grad)
    optimizer = torch.optim.SGD([theta], lr=lr, momentum=momentum, foreach=False)
    kept = optimizer.state[theta] = {"momentum_buffer": torch.tensor(-state.velocity / lr)}
    optimizer.step()
    buffer = kept["momentum_buffer"].numpy() if momentum else grad  # without momentum PyTorch keeps none
    return _values(theta), MomentumState(-lr * buffer)


_AT_REST = {"velocity": _ZEROS}
_MOVING = {"velocity": [0.2, -0.6, 0.4]}

momentum = Exercise(
    reference.momentum,
    misconceptions=(
        wrong.adds_the_gradient_to_the_velocity,
        wrong.forgets_the_old_velocity,
        wrong.remembers_one_gradient,
        wrong.steps_with_the_old_velocity,
        wrong.keeps_the_old_state(reference.momentum),
        wrong.looks_ahead,
        wrong.hard_codes_the_momentum,
        wrong.keeps_the_whole_velocity,
        wrong.multiplies_the_velocity_by_the_learning_rate,
        wrong.multiplies_the_step_by_the_parameters(reference.momentum),
    ),
    conventions=(keeps_the_sum_of_gradients, keeps_the_velocity_uphill, averages_the_gradients),
    programs=(momentum_in_one_line,),
    edges=(
        edge("a matrix", params=_MATRIX, grads=_MATRIX_GRADS, state={"velocity": _MATRIX_STATE}, lr=0.3, momentum=0.6),
        edge("fresh", params=_PARAMS, grads=_GRADS, state=_AT_REST, lr=0.3, momentum=0.5),
        edge("default momentum", params=_PARAMS, grads=_GRADS, state=_AT_REST, lr=0.3),
        edge("already moving", params=_PARAMS, grads=_GRADS, state=_MOVING, lr=0.7, momentum=0.6),
        edge(
            "no gradient, only the velocity",
            params=_PARAMS,
            grads=[_ZEROS, _ZEROS],
            state=_MOVING,
            lr=0.7,
            momentum=0.4,
        ),
        edge("one step", params=_PARAMS, grads=[[0.7, -0.2, 1.3]], state=_MOVING, lr=1.3, momentum=0.7),
        edge("no momentum", params=_PARAMS, grads=_GRADS, state=_AT_REST, lr=0.3, momentum=0.0),
        edge("momentum near one", params=_PARAMS, grads=_GRADS, state=_MOVING, lr=0.03, momentum=0.9999),
        extreme("huge and tiny gradients", params=_ZEROS, grads=_HUGE_AND_TINY, state=_AT_REST, lr=0.03, momentum=0.7),
        edge(
            "one parameter",
            params=[-1.7],
            grads=[[0.7], [-0.4], [1.1]],
            state={"velocity": [0.0]},
            lr=0.3,
            momentum=0.8,
        ),
    ),
    rivals={"torch": _torch_momentum},
    unrolled=True,
)


# --- adagrad ----------------------------------------------------------------------------------------------------------
def adds_eps_to_the_sum(
    params: Array, grad: Array, state: AdagradState, *, lr: float = 0.01, eps: float = 1e-10
) -> AdagradStep:
    """Eps is added inside the root, √(r + eps), as in Keras and Optax."""
    r = state.sum + grad**2
    return params - lr * grad / np.sqrt(r + eps), AdagradState(r)


def adagrad_by_products(
    params: Array, grad: Array, state: AdagradState, *, lr: float = 0.01, eps: float = 1e-10
) -> AdagradStep:
    """A step size for every parameter, then the step."""
    r = state.sum + grad * grad
    return params - lr / (np.sqrt(r) + eps) * grad, AdagradState(r)


def _torch_adagrad(
    torch: Any, params: Array, grad: Array, state: AdagradState, *, lr: float = 0.01, eps: float = 1e-10
) -> AdagradStep:
    theta = _parameter(torch, params, grad)
    optimizer = torch.optim.Adagrad([theta], lr=lr, eps=eps, foreach=False)
    kept = optimizer.state[theta] = {"step": torch.tensor(0.0), "sum": torch.tensor(state.sum)}
    optimizer.step()
    return _values(theta), AdagradState(kept["sum"].numpy())


_NO_SUM = {"sum": _ZEROS}

adagrad = Exercise(
    reference.adagrad,
    misconceptions=(
        wrong.divides_by_the_sum_of_squares,
        wrong.forgets_the_earlier_squares,
        wrong.sums_the_gradients_unsquared,
        wrong.lets_the_sum_decay,
        wrong.divides_by_the_old_sum,
        wrong.shares_one_sum,
        wrong.keeps_the_old_state(reference.adagrad),
        wrong.climbs_the_gradient(reference.adagrad),
        wrong.multiplies_the_step_by_the_parameters(reference.adagrad),
        wrong.hard_codes_eps(reference.adagrad),
        wrong.hard_codes_the_learning_rate(reference.adagrad),
    ),
    conventions=(adds_eps_to_the_sum,),
    programs=(adagrad_by_products,),
    edges=(
        edge("one parameter", params=[-1.7], grads=[[0.6], [-0.4]], state={"sum": [0.3]}, lr=0.3, eps=0.2),
        edge("a matrix", params=_MATRIX, grads=_MATRIX_GRADS, state={"sum": _MATRIX_STATE}, lr=0.3, eps=0.2),
        edge("fresh", params=_PARAMS, grads=_GRADS, state=_NO_SUM, lr=0.5, eps=0.1),
        edge("default eps", params=_PARAMS, grads=_GRADS, state=_NO_SUM, lr=0.5),
        edge("all defaults", params=_PARAMS, grads=_GRADS, state=_NO_SUM),
        edge(
            "a large gradient, then small ones", params=_PARAMS, grads=_LARGE_THEN_SMALL, state=_NO_SUM, lr=1.3, eps=0.7
        ),
        edge("resumed", params=_PARAMS, grads=_GRADS, state={"sum": [0.9, 0.3, 1.7]}, lr=0.3, eps=0.2),
        edge("one step", params=_PARAMS, grads=[[0.7, -0.2, 1.3]], state=_NO_SUM, lr=1.3, eps=0.5),
        edge("no gradient", params=_PARAMS, grads=_WITH_ZEROS, state=_NO_SUM, lr=0.5, eps=0.3),
        extreme("huge and tiny gradients", params=_ZEROS, grads=_HUGE_AND_TINY, state=_NO_SUM, lr=0.5),
    ),
    rivals={"torch": _torch_adagrad},
    unrolled=True,
)


# --- rmsprop ----------------------------------------------------------------------------------------------------------
def adds_eps_to_the_average(
    params: Array, grad: Array, state: RmspropState, *, lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8
) -> RmspropStep:
    """Eps is added inside the root, √(r + eps), as in TensorFlow 1 and in several textbooks."""
    _, (r,) = reference.rmsprop(params, grad, state, lr=lr, alpha=alpha, eps=eps)
    return params - lr * grad / np.sqrt(r + eps), RmspropState(r)


def rmsprop_by_lerp(
    params: Array, grad: Array, state: RmspropState, *, lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8
) -> RmspropStep:
    """The average as r + (1 − α)(g² − r)."""
    r = state.square_avg + (1 - alpha) * (grad * grad - state.square_avg)
    return params - lr * (grad / (np.sqrt(r) + eps)), RmspropState(r)


def rmsprop_by_alpha_in_the_dtype(
    params: Array, grad: Array, state: RmspropState, *, lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8
) -> RmspropStep:
    """1 − α formed in the dtype of the arrays."""
    one = np.zeros_like(grad) + 1
    a = alpha * one
    r = a * state.square_avg + (one - a) * grad**2
    return params - lr / (np.sqrt(r) + eps) * grad, RmspropState(r)


def _torch_rmsprop(
    torch: Any,
    params: Array,
    grad: Array,
    state: RmspropState,
    *,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
) -> RmspropStep:
    theta = _parameter(torch, params, grad)
    optimizer = torch.optim.RMSprop([theta], lr=lr, alpha=alpha, eps=eps, foreach=False)
    kept = optimizer.state[theta] = {"step": torch.tensor(0.0), "square_avg": torch.tensor(state.square_avg)}
    optimizer.step()
    return _values(theta), RmspropState(kept["square_avg"].numpy())


_NO_AVERAGE = {"square_avg": _ZEROS}

rmsprop = Exercise(
    reference.rmsprop,
    misconceptions=(
        wrong.weighs_the_new_square_negatively,
        wrong.exchanges_the_weights,
        wrong.sums_all_squares,
        wrong.forgets_the_weight_of_the_square,
        wrong.divides_by_the_average_itself,
        wrong.divides_by_the_old_average,
        wrong.averages_the_gradients_unsquared,
        wrong.keeps_the_old_state(reference.rmsprop),
        wrong.climbs_the_gradient(reference.rmsprop),
        wrong.hard_codes_alpha,
        wrong.hard_codes_eps(reference.rmsprop),
        wrong.hard_codes_the_learning_rate(reference.rmsprop),
    ),
    conventions=(adds_eps_to_the_average,),
    programs=(rmsprop_by_lerp, rmsprop_by_alpha_in_the_dtype),
    edges=(
        edge(
            "one parameter",
            params=[-1.7],
            grads=[[0.6], [-0.4]],
            state={"square_avg": [0.3]},
            lr=0.3,
            alpha=0.6,
            eps=0.2,
        ),
        edge(
            "a matrix",
            params=_MATRIX,
            grads=_MATRIX_GRADS,
            state={"square_avg": _MATRIX_STATE},
            lr=0.3,
            alpha=0.6,
            eps=0.2,
        ),
        edge("fresh", params=_PARAMS, grads=_GRADS, state=_NO_AVERAGE, lr=0.5, alpha=0.7, eps=0.1),
        edge("default alpha", params=_PARAMS, grads=_GRADS, state=_NO_AVERAGE, lr=0.5, eps=0.3),
        edge("all defaults", params=_PARAMS, grads=_GRADS, state=_NO_AVERAGE),
        edge(
            "a large gradient, then small ones",
            params=_PARAMS,
            grads=_LARGE_THEN_SMALL,
            state=_NO_AVERAGE,
            lr=1.3,
            alpha=0.6,
            eps=0.7,
        ),
        edge(
            "resumed", params=_PARAMS, grads=_GRADS, state={"square_avg": [0.9, 0.3, 1.7]}, lr=0.3, alpha=0.8, eps=0.2
        ),
        edge("one step", params=_PARAMS, grads=[[0.7, -0.2, 1.3]], state=_NO_AVERAGE, lr=1.3, alpha=0.7, eps=0.5),
        edge("no gradient", params=_PARAMS, grads=_WITH_ZEROS, state=_NO_AVERAGE, lr=0.5, alpha=0.7, eps=0.3),
        edge("no memory", params=_PARAMS, grads=_GRADS, state=_NO_AVERAGE, lr=0.5, alpha=0.0, eps=0.3),
        extreme("huge and tiny gradients", params=_ZEROS, grads=_HUGE_AND_TINY, state=_NO_AVERAGE, lr=0.5, alpha=0.7),
    ),
    rivals={"torch": _torch_rmsprop},
    unrolled=True,
)


# --- adam -------------------------------------------------------------------------------------------------------------
def by_plain_powers(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """1 − βᵗ as it is written."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def by_betas_in_the_dtype(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """1 − β formed in the dtype of the arrays: in float32, 1 − 0.999 has eight bits less."""
    one = np.zeros_like(grad) + 1
    beta1, beta2 = betas[0] * one, betas[1] * one
    t = state.t + 1
    m = beta1 * state.m + (one - beta1) * grad
    v = beta2 * state.v + (one - beta2) * grad**2
    m_hat, v_hat = m / (one - beta1**t), v / (one - beta2**t)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def _torch_adam(
    torch: Any,
    params: Array,
    grad: Array,
    state: AdamState,
    *,
    lr: float = 0.001,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
) -> AdamStep:
    theta = _parameter(torch, params, grad)
    optimizer = torch.optim.Adam([theta], lr=lr, betas=betas, eps=eps, foreach=False)
    kept = {
        "step": torch.tensor(float(state.t)),
        "exp_avg": torch.tensor(state.m),
        "exp_avg_sq": torch.tensor(state.v),
    }
    optimizer.state[theta] = kept
    optimizer.step()
    return _values(theta), AdamState(int(kept["step"]), kept["exp_avg"].numpy(), kept["exp_avg_sq"].numpy())


_FRESH_ADAM = {"t": 0, "m": _ZEROS, "v": _ZEROS}

_LATE_ADAM = {"t": 700, "m": [0.2, -0.6, 0.4], "v": [0.9, 0.3, 1.7]}
"""Where 1 − β₂ᵗ is still far from one, with the usual betas."""

adam = Exercise(
    reference.adam,
    misconceptions=(
        wrong.forgets_the_bias_correction,
        wrong.corrects_by_beta_times_t,
        wrong.corrects_by_beta,
        wrong.corrects_the_first_moment_only,
        wrong.corrects_the_second_moment_only,
        wrong.stores_the_corrected_moments,
        wrong.corrects_with_the_old_t,
        wrong.counts_one_step_too_many,
        wrong.never_advances_t,
        wrong.forgets_the_moments,
        wrong.swaps_the_betas,
        wrong.hard_codes_the_betas,
        wrong.hard_codes_eps(reference.adam),
        wrong.hard_codes_the_learning_rate(reference.adam),
        wrong.forgets_the_root,
        wrong.forgets_to_square,
        wrong.climbs_the_gradient(reference.adam),
        wrong.steps_along_the_gradient,
    ),
    conventions=(adds_eps_before_the_correction, adds_eps_to_the_corrected_v),
    programs=(by_plain_powers, by_lerp, by_betas_in_the_dtype),
    edges=(
        edge(
            "one parameter",
            params=[-1.7],
            grads=[[0.6], [-0.4]],
            state={"t": 3, "m": [0.3], "v": [0.7]},
            lr=0.3,
            betas=(0.6, 0.8),
            eps=0.2,
        ),
        edge(
            "a matrix",
            params=_MATRIX,
            grads=_MATRIX_GRADS,
            state={"t": 1, "m": _MATRIX_STATE, "v": _MATRIX_STATE},
            lr=0.3,
            betas=(0.6, 0.8),
            eps=0.2,
        ),
        edge(
            "resumed at t = 200",
            params=_PARAMS,
            grads=_GRADS,
            state={"t": 200, "m": [0.2, -0.6, 0.4], "v": [0.9, 0.3, 1.7]},
            lr=0.3,
            betas=(0.9, 0.99),
            eps=0.2,
        ),
        edge("fresh", params=_PARAMS, grads=_GRADS, state=_FRESH_ADAM, lr=0.5, betas=(0.5, 0.7), eps=0.1),
        edge("default betas", params=_PARAMS, grads=_GRADS, state=_FRESH_ADAM, lr=0.5, eps=0.5),
        edge("all defaults", params=_PARAMS, grads=_GRADS, state=_FRESH_ADAM),
        edge(
            "a large gradient, then small ones",
            params=_PARAMS,
            grads=_LARGE_THEN_SMALL,
            state=_FRESH_ADAM,
            lr=1.0,
            betas=(0.7, 0.5),
            eps=0.3,
        ),
        edge(
            "resumed at t = 5",
            params=_PARAMS,
            grads=_GRADS,
            state={"t": 5, "m": [0.2, -0.6, 0.4], "v": [0.9, 0.3, 1.7]},
            lr=0.3,
            betas=(0.6, 0.8),
            eps=0.2,
        ),
        edge(
            "one step", params=_PARAMS, grads=[[0.7, -0.2, 1.3]], state=_FRESH_ADAM, lr=1.0, betas=(0.5, 0.7), eps=0.5
        ),
        edge(
            "no gradient",
            params=_PARAMS,
            grads=[[0.0, 0.0, 0.0], [0.7, 0.0, -0.2]],
            state=_FRESH_ADAM,
            lr=0.5,
            betas=(0.5, 0.7),
            eps=0.1,
        ),
        edge("resumed after 700 steps", params=_PARAMS, grads=_GRADS, state=_LATE_ADAM, lr=0.5),
        edge("resumed after 2300 steps", params=_PARAMS, grads=_GRADS, state=_LATE_ADAM | {"t": 2300}, lr=0.5),
        edge(
            "an eps below the default",
            params=_PARAMS,
            grads=[[1.3e-9, -0.7e-9, 0.4e-9], [0.6e-9, 0.9e-9, -1.1e-9]],
            state=_FRESH_ADAM,
            lr=0.5,
            betas=(0.5, 0.7),
            eps=1e-11,
        ),
        edge(
            "no memory of the gradients",
            params=_PARAMS,
            grads=_GRADS,
            state=_FRESH_ADAM,
            lr=0.5,
            betas=(0.0, 0.7),
            eps=0.1,
        ),
        edge(
            "betas near one",
            params=_PARAMS,
            grads=_GRADS,
            state=_FRESH_ADAM,
            lr=0.5,
            betas=(0.99, 0.9999),
            eps=1e-3,
        ),
        extreme(
            "huge and tiny gradients", params=_ZEROS, grads=_HUGE_AND_TINY, state=_FRESH_ADAM, lr=0.5, betas=(0.5, 0.7)
        ),
    ),
    rivals={"torch": _torch_adam},
    unrolled=True,
)


__all__ = (
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "cosine_lr",
    "exponential_lr",
    "lion",
    "momentum",
    "momentum_decay",
    "nesterov",
    "rmsprop",
    "sgd",
    "step_lr",
    "warmup_lr",
)
