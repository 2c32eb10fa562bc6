"""Exercises on AdamW, AdaMax and Lion: Adam's relatives."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme
from graders.optimizers import misconceptions_adaptive as wrong
from graders.optimizers._torch import parameter, values
from graders.optimizers.misconceptions import (
    AdamStep,
    Betas,
    climbs_the_gradient,
    corrected,
    corrects_by_beta,
    corrects_by_beta_times_t,
    corrects_with_the_old_t,
    forgets_the_bias_correction,
    forgets_the_moments,
    forgets_the_root,
    hard_codes_eps,
    hard_codes_the_learning_rate,
    keeps_the_old_state,
    like,
    moments,
    multiplies_the_step_by_the_parameters,
    never_advances_t,
    steps_along_the_gradient,
    stores_the_corrected_moments,
)
from graders.optimizers.misconceptions_adaptive import AdamaxStep, LionStep
from reference import optimizers as reference
from reference._types import Array
from reference.optimizers import AdamaxState, AdamState, LionState

_PARAMS = [0.3, -1.7, 0.9]
_ZEROS = [0.0, 0.0, 0.0]
_GRADS = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6], [1.1, -1.6, 0.1], [-0.8, 0.5, -1.2]]
_MATRIX = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_MATRIX_GRADS = [[[0.7, -0.2, 1.3], [0.6, 0.9, -0.4]], [[-0.3, 0.8, 0.1], [1.2, -0.7, 0.5]]]
_MATRIX_STATE = [[0.2, 0.6, 0.4], [0.9, 0.3, 1.7]]
_LARGE_THEN_SMALL = [[10.3, -7.7, 5.1], [0.013, 0.027, -0.031], [0.011, -0.009, 0.017]]
_WITH_ZEROS = [[0.0, 0.0, 0.0], [0.7, 0.0, -0.2]]
_HUGE = [[0.7e30, -0.2, 1.3e25], [-0.4e30, 0.9, 0.6e25]]
_TINY = [[0.7e-30, -0.2e-20, 1.3e-9], [-0.4e-30, 0.9e-20, 0.6e-9]]


def _edges(fresh: dict[str, Any], moving: dict[str, Any], **options: Any) -> tuple[Any, ...]:
    """Return what all of them are asked, from a fresh state and from one that has moved."""
    many = {"params": _PARAMS, "grads": _GRADS}
    one = {name: part if name == "t" else part[:1] for name, part in moving.items()}
    table = {name: part if name == "t" else _MATRIX_STATE for name, part in moving.items()}
    return (
        edge("one number", params=[-1.7], grads=[[0.6], [-0.4]], state=one, lr=0.3, betas=(0.6, 0.8), **options),
        edge("a matrix", params=_MATRIX, grads=_MATRIX_GRADS, state=table, lr=0.3, betas=(0.6, 0.8), **options),
        edge("resumed", **many, state=moving, lr=0.3, betas=(0.9, 0.99), **options),
        edge("fresh", **many, state=fresh, lr=0.5, betas=(0.5, 0.7), **options),
        edge("default betas", **many, state=fresh, lr=0.5, **options),
        edge("all defaults", **many, state=fresh),
        edge(
            "a large gradient, then small ones",
            params=_PARAMS,
            grads=_LARGE_THEN_SMALL,
            state=fresh,
            lr=1.0,
            betas=(0.7, 0.5),
            **options,
        ),
        edge("one step", params=_PARAMS, grads=[[0.7, -0.2, 1.3]], state=fresh, lr=1.0, betas=(0.5, 0.7), **options),
        edge("no gradient", params=_PARAMS, grads=_WITH_ZEROS, state=fresh, lr=0.5, betas=(0.5, 0.7), **options),
        edge("no memory", **many, state=fresh, lr=0.5, betas=(0.0, 0.0), **options),
        edge("betas near one", **many, state=fresh, lr=0.5, betas=(0.99, 0.9999), **options),
    )


# --- adam's conventions ----------------------------------------------------------------------------------------------
def by_lerp(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """The averages as m + (1 − β)(g − m), and the correction in the step size, as PyTorch does it."""
    t = state.t + 1
    m = state.m + (1 - betas[0]) * (grad - state.m)
    v = betas[1] * state.v + (1 - betas[1]) * grad * grad
    denominator = np.sqrt(v) / like(v, np.sqrt(1 - betas[1] ** t)) + eps
    return params - like(m, lr / (1 - betas[0] ** t)) * (m / denominator), AdamState(t, m, v)


def adds_eps_before_the_correction(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """Eps is added to √v before the correction ("epsilon hat"), as in the Adam paper's section 2 and in Keras."""
    t, m, v = moments(grad, state, betas)
    corrected_lr = lr * np.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
    return params - like(m, corrected_lr) * m / (np.sqrt(v) + eps), AdamState(t, m, v)


def adds_eps_to_the_corrected_v(
    params: Array, grad: Array, state: AdamState, *, lr: float = 0.001, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """Eps is added inside the root, √(v̂ + eps), as in several course texts and Optax's `eps_root`."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = corrected(t, m, v, betas)
    return params - lr * m_hat / np.sqrt(v_hat + eps), AdamState(t, m, v)


# --- adamw ------------------------------------------------------------------------------------------------------------
def adamw_by_one_step(
    params: Array,
    grad: Array,
    state: AdamState,
    *,
    lr: float = 0.001,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> AdamStep:
    """Adam's direction and the decay in one step, as in the paper, with 1 − βᵗ as it is written."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
    return params - lr * (m_hat / (np.sqrt(v_hat) + eps) + weight_decay * params), AdamState(t, m, v)


def adamw_with_the_decay_last(
    params: Array,
    grad: Array,
    state: AdamState,
    *,
    lr: float = 0.001,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> AdamStep:
    """Adam's step, and then the decay of the old parameters."""
    t, m, v = moments(grad, state, betas)
    m_hat, v_hat = corrected(t, m, v, betas)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps) - lr * weight_decay * params, AdamState(t, m, v)


def decays_by_lambda_alone(
    params: Array,
    grad: Array,
    state: AdamState,
    *,
    lr: float = 0.001,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> AdamStep:
    """The decay λ θ without lr, as in Loshchilov and Hutter's algorithm 2 (with η = 1) and in TensorFlow Addons."""
    stepped, kept = reference.adamw(params, grad, state, lr=lr, betas=betas, eps=eps, weight_decay=0.0)
    return stepped - weight_decay * params, kept


def _torch_adamw(
    torch: Any,
    params: Array,
    grad: Array,
    state: AdamState,
    *,
    lr: float = 0.001,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> AdamStep:
    theta = parameter(torch, params, grad)
    optimizer = torch.optim.AdamW([theta], lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=False)
    kept = optimizer.state[theta] = {
        "step": torch.tensor(float(state.t)),
        "exp_avg": torch.tensor(state.m),
        "exp_avg_sq": torch.tensor(state.v),
    }
    optimizer.step()
    return values(theta), AdamState(int(kept["step"]), kept["exp_avg"].numpy(), kept["exp_avg_sq"].numpy())


def decays_the_step_too(
    params: Array,
    grad: Array,
    state: AdamState,
    *,
    lr: float = 0.001,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> AdamStep:
    """Eps before the correction, and the new parameters decayed, as Hugging Face's Transformers 4 had it."""
    stepped, state = adds_eps_before_the_correction(params, grad, state, lr=lr, betas=betas, eps=eps)
    return stepped - lr * weight_decay * stepped, state


_FRESH = {"t": 0, "m": _ZEROS, "v": _ZEROS}
_LATE = {"t": 700, "m": [0.2, -0.6, 0.4], "v": [0.9, 0.3, 1.7]}

adamw = Exercise(
    reference.adamw,
    misconceptions=(
        wrong.adds_the_decay_to_the_gradient(reference.adamw),
        wrong.forgets_the_decay(reference.adamw),
        wrong.decays_after_the_step(reference.adamw),
        wrong.decays_twice(reference.adamw),
        wrong.grows_with_the_decay(reference.adamw),
        wrong.divides_the_decay_too,
        wrong.hard_codes_the_decay,
        wrong.swaps_the_betas(reference.adamw),
        wrong.hard_codes_the_betas(reference.adamw),
        hard_codes_eps(reference.adamw),
        hard_codes_the_learning_rate(reference.adamw),
        *(
            wrong.decoupled(mistake)
            for mistake in (
                climbs_the_gradient(reference.adam),
                forgets_the_bias_correction,
                corrects_by_beta,
                corrects_by_beta_times_t,
                corrects_with_the_old_t,
                stores_the_corrected_moments,
                never_advances_t,
                forgets_the_moments,
                forgets_the_root,
                steps_along_the_gradient,
            )
        ),
    ),
    conventions=(
        decays_by_lambda_alone,
        wrong.decoupled(adds_eps_before_the_correction),
        wrong.decoupled(adds_eps_to_the_corrected_v),
        decays_the_step_too,
    ),
    programs=(adamw_by_one_step, wrong.decoupled(by_lerp), adamw_with_the_decay_last),
    edges=(
        *_edges(_FRESH, {"t": 3, "m": [0.2, -0.6, 0.4], "v": [0.9, 0.3, 1.7]}, eps=0.2, weight_decay=0.3),
        edge("default decay", params=_PARAMS, grads=_GRADS, state=_FRESH, lr=0.5, betas=(0.5, 0.7), eps=0.1),
        edge("no decay", params=_PARAMS, grads=_GRADS, state=_FRESH, lr=0.5, betas=(0.5, 0.7), weight_decay=0.0),
        edge("a decay above one, after 700 steps", params=_PARAMS, grads=_GRADS, state=_LATE, lr=0.5, weight_decay=1.3),
        extreme("tiny gradients", params=_ZEROS, grads=_TINY, state=_FRESH, lr=0.5, betas=(0.5, 0.7), eps=1e-8),
    ),
    rivals={"torch": _torch_adamw},
    unrolled=True,
)


# --- adamax -----------------------------------------------------------------------------------------------------------
def adamax_by_plain_powers(
    params: Array,
    grad: Array,
    state: AdamaxState,
    *,
    lr: float = 0.002,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
) -> AdamaxStep:
    """1 − β₁ᵗ as it is written, in the step size."""
    t = state.t + 1
    m = betas[0] * state.m + (1 - betas[0]) * grad
    u = np.maximum(betas[1] * state.u, np.abs(grad) + eps)
    return params - lr / (1 - betas[0] ** t) * (m / u), AdamaxState(t, m, u)


def adamax_by_lerp(
    params: Array,
    grad: Array,
    state: AdamaxState,
    *,
    lr: float = 0.002,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
) -> AdamaxStep:
    """The average as m + (1 − β₁)(g − m), as PyTorch does it."""
    t = state.t + 1
    m = state.m + (1 - betas[0]) * (grad - state.m)
    u = np.maximum(betas[1] * state.u, np.abs(grad) + eps)
    return params - lr * (m / ((1 - betas[0] ** t) * u)), AdamaxState(t, m, u)


def adds_eps_to_the_largest(
    params: Array,
    grad: Array,
    state: AdamaxState,
    *,
    lr: float = 0.002,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
) -> AdamaxStep:
    """u ← max(β₂ u, |g|), and eps is added where it divides, m̂ / (u + eps), as in Keras."""
    t = state.t + 1
    m = betas[0] * state.m + (1 - betas[0]) * grad
    u = np.maximum(betas[1] * state.u, np.abs(grad))
    return params - lr * (m / (1 - betas[0] ** t)) / (u + eps), AdamaxState(t, m, u)


def _torch_adamax(
    torch: Any,
    params: Array,
    grad: Array,
    state: AdamaxState,
    *,
    lr: float = 0.002,
    betas: Betas = (0.9, 0.999),
    eps: float = 1e-8,
) -> AdamaxStep:
    theta = parameter(torch, params, grad)
    optimizer = torch.optim.Adamax([theta], lr=lr, betas=betas, eps=eps, foreach=False)
    kept = optimizer.state[theta] = {
        "step": torch.tensor(float(state.t)),
        "exp_avg": torch.tensor(state.m),
        "exp_inf": torch.tensor(state.u),
    }
    optimizer.step()
    return values(theta), AdamaxState(int(kept["step"]), kept["exp_avg"].numpy(), kept["exp_inf"].numpy())


_FRESH_ADAMAX = {"t": 0, "m": _ZEROS, "u": _ZEROS}

adamax = Exercise(
    reference.adamax,
    misconceptions=(
        wrong.forgets_the_correction,
        wrong.corrects_by_beta,
        wrong.corrects_by_beta_times_t,
        wrong.corrects_with_the_old_t,
        wrong.corrects_the_largest_too,
        wrong.stores_the_corrected_average,
        wrong.never_advances_t,
        wrong.averages_the_sizes,
        wrong.keeps_the_largest_for_ever,
        wrong.forgets_the_old_largest,
        wrong.forgets_the_absolute_value,
        wrong.shares_one_largest,
        wrong.takes_a_root,
        wrong.leaves_out_eps,
        wrong.divides_the_gradient_itself,
        wrong.swaps_the_betas(reference.adamax),
        wrong.hard_codes_the_betas(reference.adamax),
        hard_codes_eps(reference.adamax),
        hard_codes_the_learning_rate(reference.adamax),
        climbs_the_gradient(reference.adamax),
        multiplies_the_step_by_the_parameters(reference.adamax),
    ),
    conventions=(adds_eps_to_the_largest,),
    programs=(adamax_by_plain_powers, adamax_by_lerp),
    edges=(
        *_edges(_FRESH_ADAMAX, {"t": 3, "m": [0.2, -0.6, 0.4], "u": [0.9, 0.3, 1.7]}, eps=0.2),
        extreme("huge gradients", params=_PARAMS, grads=_HUGE, state=_FRESH_ADAMAX, lr=0.5, betas=(0.5, 0.7)),
        extreme("tiny gradients", params=_ZEROS, grads=_TINY, state=_FRESH_ADAMAX, lr=0.5, betas=(0.5, 0.7)),
    ),
    rivals={"torch": _torch_adamax},
    unrolled=True,
)


# --- lion -------------------------------------------------------------------------------------------------------------
def lion_by_one_step(
    params: Array,
    grad: Array,
    state: LionState,
    *,
    lr: float = 0.0001,
    betas: Betas = (0.9, 0.99),
    weight_decay: float = 0.0,
) -> LionStep:
    """The sign and the decay in one step, as in the paper."""
    sign = np.sign(betas[0] * state.m + (1 - betas[0]) * grad)
    m = betas[1] * state.m + (1 - betas[1]) * grad
    return params - lr * (sign + weight_decay * params), LionState(m)


def lion_by_lerp(
    params: Array,
    grad: Array,
    state: LionState,
    *,
    lr: float = 0.0001,
    betas: Betas = (0.9, 0.99),
    weight_decay: float = 0.0,
) -> LionStep:
    """Both averages as m + (1 − β)(g − m)."""
    change = grad - state.m
    sign = np.sign(state.m + (1 - betas[0]) * change)
    return params * (1 - lr * weight_decay) - lr * sign, LionState(state.m + (1 - betas[1]) * change)


_FRESH_LION = {"m": _ZEROS}

lion = Exercise(
    reference.lion,
    misconceptions=(
        wrong.steps_along_the_new_average,
        wrong.updates_the_average_first,
        wrong.keeps_the_blend,
        wrong.averages_the_signs,
        wrong.forgets_the_sign,
        wrong.follows_the_gradient_alone,
        wrong.follows_the_average_alone,
        wrong.exchanges_the_weights_of_the_blend,
        wrong.gives_zero_a_sign,
        wrong.decays_without_the_learning_rate,
        wrong.forgets_the_decay(reference.lion),
        wrong.adds_the_decay_to_the_gradient(reference.lion),
        wrong.decays_after_the_step(reference.lion),
        wrong.decays_twice(reference.lion),
        wrong.grows_with_the_decay(reference.lion),
        wrong.swaps_the_betas(reference.lion),
        wrong.hard_codes_the_betas(reference.lion),
        hard_codes_the_learning_rate(reference.lion),
        keeps_the_old_state(reference.lion),
        climbs_the_gradient(reference.lion),
    ),
    programs=(lion_by_one_step, lion_by_lerp),
    edges=(
        *_edges(_FRESH_LION, {"m": [0.2, -0.6, 0.4]}, weight_decay=0.3),
        extreme("huge gradients", params=_PARAMS, grads=_HUGE, state=_FRESH_LION, lr=0.5, betas=(0.5, 0.7)),
        extreme("tiny gradients", params=_ZEROS, grads=_TINY, state=_FRESH_LION, lr=0.5, betas=(0.5, 0.7)),
    ),
    unrolled=True,
)
