"""Exercises on schedules: the learning rate or the momentum after so many steps."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
from graders.optimizers._torch import scheduled
from reference import optimizers as reference
from reference._special import pi
from reference._types import Array


# --- step_lr ----------------------------------------------------------------------------------------------------------
def by_one_drop_after_another(step: int, *, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """Times γ whenever a stretch of steps is over, as PyTorch does it."""
    for taken in range(1, step + 1):
        lr = lr * gamma if taken % step_size == 0 else lr
    return lr


step_lr = Exercise(
    reference.step_lr,
    programs=(by_one_drop_after_another,),
    edges=(
        special("the first step", step=0, lr=0.3, step_size=3),
        edge("before the first drop", step=2, lr=0.37, step_size=3, gamma=0.7),
        edge("at the first drop", step=3, lr=0.37, step_size=3, gamma=0.7),
        edge("after the second", step=7, lr=0.37, step_size=3, gamma=0.6),
        edge("the usual factor", step=9, lr=0.3, step_size=4),
        edge("a drop at every step", step=5, lr=0.3, step_size=1, gamma=0.9),
        edge("growing", step=6, lr=0.03, step_size=2, gamma=1.3),
        extreme("after a thousand steps", step=1000, lr=0.3, step_size=3, gamma=0.97),
    ),
    rivals={
        "torch": lambda torch, step, *, lr, step_size, gamma=0.1: scheduled(
            torch, step, lr, "StepLR", step_size=step_size, gamma=gamma
        )
    },
)


# --- exponential_lr ---------------------------------------------------------------------------------------------------
def by_one_factor_after_another(step: int, *, lr: float, gamma: float) -> float:
    """Times γ at every step, as PyTorch does it."""
    for _ in range(step):
        lr = lr * gamma
    return lr


def by_the_exponential(step: int, *, lr: float, gamma: float) -> Array:
    """lr · e^(step · log γ)."""
    return lr * np.exp(step * np.log(gamma))


exponential_lr = Exercise(
    reference.exponential_lr,
    programs=(by_one_factor_after_another, by_the_exponential),
    edges=(
        special("the first step", step=0, lr=0.3, gamma=0.9),
        edge("one step", step=1, lr=0.37, gamma=0.7),
        edge("five steps", step=5, lr=0.37, gamma=0.7),
        edge("growing", step=7, lr=0.03, gamma=1.3),
        edge("falling fast", step=3, lr=2.3, gamma=0.04),
        edge("a small rate", step=4, lr=3e-5, gamma=0.6),
        extreme("a thousand steps near one", step=1000, lr=0.3, gamma=0.9997),
    ),
    rivals={
        "torch": lambda torch, step, *, lr, gamma: scheduled(torch, step, lr, "ExponentialLR", gamma=gamma),
    },
)


# --- cosine_lr --------------------------------------------------------------------------------------------------------
def cosine_lr_in_any_arithmetic(step: int, *, lr: float, T_max: int, eta_min: float = 0.0) -> Array:
    """The reference once more, with NumPy's sine and π in the arithmetic of lr: Python's `math` knows floats only."""
    left = abs(T_max - step % (2 * T_max))
    return eta_min + (lr - eta_min) * np.sin(pi(np.multiply(lr, 1.0)) * left / (2 * T_max)) ** 2


def by_the_cosine(step: int, *, lr: float, T_max: int, eta_min: float = 0.0) -> Array:
    """(1 + cos(π · step / T_max)) / 2, which cancels near the end."""
    return eta_min + (lr - eta_min) * (1 + np.cos(pi(np.multiply(lr, 1.0)) * step / T_max)) / 2


cosine_lr = Exercise(
    reference.cosine_lr,
    lifted=cosine_lr_in_any_arithmetic,
    programs=(by_the_cosine,),
    edges=(
        special("the first step", step=0, lr=0.3, T_max=5),
        edge("one step", step=1, lr=0.37, T_max=5),
        edge("half-way", step=4, lr=0.37, T_max=8, eta_min=0.013),
        edge("two thirds", step=4, lr=0.37, T_max=6, eta_min=0.013),
        edge("the end, with a least rate", step=7, lr=0.37, T_max=7, eta_min=0.013),
        edge("rising again", step=9, lr=0.37, T_max=7),
        edge("back at the start", step=14, lr=0.37, T_max=7, eta_min=0.013),
        edge("a least rate above the first", step=2, lr=0.03, T_max=5, eta_min=0.7),
        extreme("one step before the end of a hundred thousand", step=99_999, lr=0.3, T_max=100_000),
    ),
    rivals={
        "torch": lambda torch, step, *, lr, T_max, eta_min=0.0: scheduled(
            torch, step, lr, "CosineAnnealingLR", T_max=T_max, eta_min=eta_min
        )
    },
)


# --- warmup_lr --------------------------------------------------------------------------------------------------------
def by_the_share_that_is_left(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """From lr, less the share of it that is still to come."""
    return lr - lr * (1 - start_factor) * max(total_iters - step, 0) / total_iters


def by_two_rates(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """The first rate and the last one, weighted."""
    taken = min(step, total_iters)
    return (lr * start_factor * (total_iters - taken) + lr * taken) / total_iters


warmup_lr = Exercise(
    reference.warmup_lr,
    programs=(by_the_share_that_is_left, by_two_rates),
    edges=(
        edge("the first step", step=0, lr=0.37, start_factor=0.3),
        edge("the usual factor", step=3, lr=0.37),
        edge("the usual factor, first step", step=0, lr=0.37),
        edge("two of seven", step=2, lr=0.37, total_iters=7, start_factor=0.3),
        special("the last one", step=7, lr=0.37, total_iters=7, start_factor=0.3),
        special("long after", step=40, lr=0.37, total_iters=7, start_factor=0.3),
        edge("of one step", step=0, lr=0.37, total_iters=1, start_factor=0.7),
        special("nothing to warm up", step=2, lr=0.37, start_factor=1.0),
        extreme("from next to nothing, one of a million", step=1, lr=0.37, total_iters=1_000_000, start_factor=1e-12),
    ),
    rivals={
        "torch": lambda torch, step, *, lr, total_iters=5, start_factor=1 / 3: scheduled(
            torch, step, lr, "LinearLR", total_iters=total_iters, start_factor=start_factor
        )
    },
)


# --- momentum_decay ---------------------------------------------------------------------------------------------------
def by_the_share(step: int, *, momentum: float = 0.9, total_iters: int) -> Any:
    """μ f / (1 − μ + μ f) with a share f = 1 − step / total_iters."""
    share = np.maximum(1 - step / (0 * momentum + total_iters), 0)
    return momentum * share / ((1 - momentum) + momentum * share)


def by_the_sum_of_the_weights(step: int, *, momentum: float = 0.9, total_iters: int) -> float:
    """w / (1 + w), with the sum of the weights w = μ / (1 − μ) times what is left."""
    w = momentum / (1 - momentum) * max(total_iters - step, 0) / total_iters
    return w / (1 + w)


momentum_decay = Exercise(
    reference.momentum_decay,
    programs=(by_the_share, by_the_sum_of_the_weights),
    edges=(
        edge("the first step", step=0, momentum=0.7, total_iters=5),
        edge("the usual momentum", step=2, total_iters=7),
        edge("one step", step=1, momentum=0.57, total_iters=3),
        edge("the last but one", step=6, momentum=0.83, total_iters=7),
        edge("a small momentum", step=3, momentum=0.03, total_iters=8),
        special("the end", step=5, momentum=0.7, total_iters=5),
        special("after the end", step=9, momentum=0.7, total_iters=5),
        special("no momentum", step=2, momentum=0.0, total_iters=5),
        extreme("a momentum near one", step=99_999, momentum=0.999999, total_iters=100_000),
    ),
)
