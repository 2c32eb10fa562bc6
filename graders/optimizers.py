"""Exercises on optimizers: one step each, judged on whole trajectories with everything that is kept between steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge
from reference import optimizers as reference
from reference._types import Array
from reference.optimizers import AdamState

AdamStep = tuple[Array, AdamState]
Betas = tuple[float, float]

# Values off their defaults, amplified so that a wrong place for any of them shows in the first digit.
_PARAMS = [0.3, -1.7, 0.9]
_GRADS = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6], [1.1, -1.6, 0.1], [-0.8, 0.5, -1.2]]
_LARGE_THEN_SMALL = [[10.3, -7.7, 5.1], [0.013, 0.027, -0.031], [0.011, -0.009, 0.017]]


# --- adam -------------------------------------------------------------------------------------------------------------
def forgets_the_bias_correction(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You used m and v as they are. They start at zero and are too small at first: divide them by 1 − β₁ᵗ and 1 − β₂ᵗ."""
    t, m, v = _moments(grad, state, betas)
    return params - lr * m / (np.sqrt(v) + eps), AdamState(t, m, v)


def corrects_by_beta_times_t(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You divided by 1 − β·t. It is β to the power t: 1 − βᵗ."""
    t, m, v = _moments(grad, state, betas)
    m_hat, v_hat = m / (1 - betas[0] * t), v / (1 - betas[1] * t)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def corrects_by_beta(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You divided by 1 − β in every step, which is right for the first only. Divide by 1 − βᵗ."""
    t, m, v = _moments(grad, state, betas)
    m_hat, v_hat = m / (1 - betas[0]), v / (1 - betas[1])
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def corrects_the_first_moment_only(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You corrected m but then used v itself. Divide by √v̂ with v̂ = v / (1 − β₂ᵗ)."""
    t, m, v = _moments(grad, state, betas)
    m_hat, _ = _corrected(t, m, v, betas)
    return params - lr * m_hat / (np.sqrt(v) + eps), AdamState(t, m, v)


def corrects_the_second_moment_only(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You corrected v but then used m itself. Step along m̂ = m / (1 − β₁ᵗ)."""
    t, m, v = _moments(grad, state, betas)
    _, v_hat = _corrected(t, m, v, betas)
    return params - lr * m / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def stores_the_corrected_moments(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You kept m̂ and v̂ for the next step. Keep m and v as they were, and correct copies of them."""
    t, m, v = _moments(grad, state, betas)
    m_hat, v_hat = _corrected(t, m, v, betas)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m_hat, v_hat)


def corrects_with_the_old_t(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You corrected with t before counting this step; at t = 0 that divides by zero. Count first, then correct."""
    t, m, v = _moments(grad, state, betas)
    m_hat, v_hat = m / (1 - betas[0] ** state.t), v / (1 - betas[1] ** state.t)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def counts_one_step_too_many(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You corrected with t + 1 after counting the step. The first step has t = 1."""
    t, m, v = _moments(grad, state, betas)
    m_hat, v_hat = _corrected(t + 1, m, v, betas)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def never_advances_t(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You returned the old t, so that every step is corrected like the same one. Return t + 1 in the state."""
    params, (_, m, v) = reference.adam(params, grad, state, lr=lr, betas=betas, eps=eps)
    return params, AdamState(state.t, m, v)


def forgets_the_moments(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You started m and v anew in this step. Take them from the state and return them in it."""
    zero = AdamState(state.t, np.zeros_like(state.m), np.zeros_like(state.v))
    return reference.adam(params, grad, zero, lr=lr, betas=betas, eps=eps)


def swaps_the_betas(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You exchanged the betas. The first one is for the mean of the gradients, the second for the mean of their squares."""
    return reference.adam(params, grad, state, lr=lr, betas=(betas[1], betas[0]), eps=eps)


def hard_codes_the_betas(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You used betas of 0.9 and 0.999 whatever was asked for. Use the argument."""
    return reference.adam(params, grad, state, lr=lr, eps=eps)


def hard_codes_eps(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You used an eps of 1e-8 whatever was asked for. Use the argument."""
    return reference.adam(params, grad, state, lr=lr, betas=betas)


def forgets_the_root(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You divided by v̂ itself. Divide by its root, √v̂ + eps."""
    t, m, v = _moments(grad, state, betas)
    m_hat, v_hat = _corrected(t, m, v, betas)
    return params - lr * m_hat / (v_hat + eps), AdamState(t, m, v)


def forgets_to_square(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You averaged the gradients in v, not their squares. v ← β₂ v + (1 − β₂) g²."""
    t, m, _ = _moments(grad, state, betas)
    v = betas[1] * state.v + (1 - betas[1]) * np.abs(grad)
    m_hat, v_hat = _corrected(t, m, v, betas)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def climbs_the_gradient(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You stepped up the slope. Subtract the step from the parameters."""
    stepped, state = reference.adam(params, grad, state, lr=lr, betas=betas, eps=eps)
    return 2 * params - stepped, state


def steps_along_the_gradient(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """You divided the raw gradient by √v̂ + eps; that is RMSProp. Step along the mean of the gradients, m̂."""
    t, m, v = _moments(grad, state, betas)
    _, v_hat = _corrected(t, m, v, betas)
    return params - lr * grad / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def adds_eps_before_the_correction(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """Eps is added to √v before the correction ("epsilon hat"), as in the end of the Adam paper's section 2 and in Keras."""
    t, m, v = _moments(grad, state, betas)
    corrected_lr = lr * np.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
    return params - _like(m, corrected_lr) * m / (np.sqrt(v) + eps), AdamState(t, m, v)


def adds_eps_inside_the_root(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """Eps is added inside the root, √(v̂ + eps), as in several course texts and Optax's `eps_root`."""
    t, m, v = _moments(grad, state, betas)
    m_hat, v_hat = _corrected(t, m, v, betas)
    return params - lr * m_hat / np.sqrt(v_hat + eps), AdamState(t, m, v)


def by_plain_powers(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """1 − βᵗ as it is written."""
    t, m, v = _moments(grad, state, betas)
    m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), AdamState(t, m, v)


def by_lerp(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
) -> AdamStep:
    """The averages as m + (1 − β)(g − m), and the correction in the step size, as PyTorch does it."""
    t = state.t + 1
    m = state.m + (1 - betas[0]) * (grad - state.m)
    v = betas[1] * state.v + (1 - betas[1]) * grad * grad
    denominator = np.sqrt(v) / _like(v, np.sqrt(1 - betas[1] ** t)) + eps
    return params - _like(m, lr / (1 - betas[0] ** t)) * (m / denominator), AdamState(t, m, v)


def by_betas_in_the_dtype(
    params: Array, grad: Array, state: AdamState, *, lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8
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
    lr: float = 1e-3,
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


_FRESH_ADAM = {"t": 0, "m": [0.0, 0.0, 0.0], "v": [0.0, 0.0, 0.0]}

adam = Exercise(
    reference.adam,
    misconceptions=(
        forgets_the_bias_correction,
        corrects_by_beta_times_t,
        corrects_by_beta,
        corrects_the_first_moment_only,
        corrects_the_second_moment_only,
        stores_the_corrected_moments,
        corrects_with_the_old_t,
        counts_one_step_too_many,
        never_advances_t,
        forgets_the_moments,
        swaps_the_betas,
        hard_codes_the_betas,
        hard_codes_eps,
        forgets_the_root,
        forgets_to_square,
        climbs_the_gradient,
        steps_along_the_gradient,
    ),
    conventions=(adds_eps_before_the_correction, adds_eps_inside_the_root),
    programs=(by_plain_powers, by_lerp, by_betas_in_the_dtype),
    edges=(
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
    ),
    rivals={"torch": _torch_adam},
    unrolled=True,
)


def _moments(grad: Array, state: AdamState, betas: Betas) -> tuple[int, Array, Array]:
    m = betas[0] * state.m + (1 - betas[0]) * grad
    v = betas[1] * state.v + (1 - betas[1]) * grad**2
    return state.t + 1, m, v


def _corrected(t: int, m: Array, v: Array, betas: Betas) -> tuple[Array, Array]:
    return m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)


def _like(x: Array, number: Any) -> Any:
    """Return the number in x's dtype: NumPy's own float64 numbers would widen float32."""
    return np.multiply(number, 1.0).astype(x.dtype)


def _parameter(torch: Any, params: Array, grad: Array) -> Any:
    theta = torch.tensor(params, requires_grad=True)
    theta.grad = torch.tensor(grad)
    return theta


def _values(theta: Any) -> Array:
    values: Array = theta.detach().numpy()
    return values
