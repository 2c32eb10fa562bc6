"""Exercises on schedules: the learning rate or the momentum after so many steps."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
from graders.optimizers import misconceptions_schedules as wrong
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
    misconceptions=(
        wrong.drops_at_every_step,
        wrong.does_not_round_down,
        wrong.rounds_up,
        wrong.drops_once_only,
        wrong.drops_one_step_late,
        wrong.takes_the_remainder,
        wrong.divides_by_gamma(reference.step_lr),
        wrong.multiplies_by_what_gamma_takes(reference.step_lr),
        wrong.multiplies_gamma_by_the_drops(reference.step_lr),
        wrong.falls_by_the_inverse_of_time(reference.step_lr),
        wrong.falls_by_a_power_of_e(reference.step_lr),
        wrong.counts_from_one(reference.step_lr),
        wrong.returns_the_factor(reference.step_lr),
        wrong.hard_codes(reference.step_lr, "gamma", "a factor of 0.1"),
    ),
    programs=(by_one_drop_after_another,),
    edges=(
        special("the first step", step=0, lr=0.3, step_size=3),
        edge("before the first drop", step=2, lr=0.37, step_size=3, gamma=0.7),
        edge("at the first drop", step=3, lr=0.37, step_size=3, gamma=0.7),
        edge("after the second", step=7, lr=0.37, step_size=3, gamma=0.6),
        edge("the usual factor", step=9, lr=0.3, step_size=4),
        edge("a drop at every step", step=5, lr=0.3, step_size=1, gamma=0.9),
        edge("growing", step=6, lr=0.03, step_size=2, gamma=1.3),
        edge("down to a trillionth", step=75, lr=0.3, step_size=6),
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
    misconceptions=(
        wrong.drops_once,
        wrong.raises_the_rate_too,
        wrong.exchanges_base_and_exponent,
        wrong.divides_by_gamma(reference.exponential_lr),
        wrong.multiplies_by_what_gamma_takes(reference.exponential_lr),
        wrong.multiplies_gamma_by_the_drops(reference.exponential_lr),
        wrong.falls_by_the_inverse_of_time(reference.exponential_lr),
        wrong.falls_by_a_power_of_e(reference.exponential_lr),
        wrong.counts_from_one(reference.exponential_lr),
        wrong.returns_the_factor(reference.exponential_lr),
    ),
    programs=(by_one_factor_after_another, by_the_exponential),
    edges=(
        special("the first step", step=0, lr=0.3, gamma=0.9),
        edge("one step", step=1, lr=0.37, gamma=0.7),
        edge("five steps", step=5, lr=0.37, gamma=0.7),
        edge("growing", step=7, lr=0.03, gamma=1.3),
        edge("falling fast", step=3, lr=2.3, gamma=0.04),
        edge("a small rate", step=4, lr=3e-5, gamma=0.6),
        edge("after many steps", step=60, lr=0.37, gamma=0.6),
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


def by_one_ratio_after_another(step: int, *, lr: float, T_max: int, eta_min: float = 0.0) -> Array:
    """Each rate from the one before, as PyTorch does it: past T_max the roundoff of the first small one is carried up.

    After many steps it is the closed form, of which nobody would take so many.
    """
    if step > MOST_STEPS:
        return by_the_cosine(step, lr=lr, T_max=T_max, eta_min=eta_min)
    turn = pi(np.multiply(lr, 1.0)) / T_max
    rate = np.multiply(lr, 1.0)
    for taken in range(1, step + 1):
        if (taken - 1 - T_max) % (2 * T_max) == 0:
            rate = rate + (lr - eta_min) * (1 - np.cos(turn)) / 2
        else:
            rate = (1 + np.cos(turn * taken)) / (1 + np.cos(turn * (taken - 1))) * (rate - eta_min) + eta_min
    return rate


MOST_STEPS = 1000


def stays_at_the_least_rate(step: int, *, lr: float, T_max: int, eta_min: float = 0.0) -> Array:
    """After T_max the rate stays at eta_min, as in Keras' CosineDecay and Optax's cosine_decay_schedule."""
    return by_the_cosine(min(step, T_max), lr=lr, T_max=T_max, eta_min=eta_min)


def restarts(step: int, *, lr: float, T_max: int, eta_min: float = 0.0) -> Array:
    """At T_max the rate starts at lr again, as in Loshchilov and Hutter and PyTorch's CosineAnnealingWarmRestarts."""
    return by_the_cosine(step % T_max, lr=lr, T_max=T_max, eta_min=eta_min)


cosine_lr = Exercise(
    reference.cosine_lr,
    lifted=cosine_lr_in_any_arithmetic,
    misconceptions=(
        wrong.forgets_the_half,
        wrong.forgets_the_one,
        wrong.halves_the_cosine_only,
        wrong.forgets_pi,
        wrong.uses_half_the_angle,
        wrong.uses_twice_the_angle,
        wrong.falls_as_a_quarter_wave,
        wrong.starts_at_the_least_rate,
        wrong.falls_on_a_line,
        wrong.measures_the_angle_in_degrees,
        wrong.ignores_the_least_rate,
        wrong.adds_the_least_rate,
        wrong.cuts_at_the_least_rate,
        wrong.ends_one_step_early,
        wrong.counts_from_one(reference.cosine_lr),
    ),
    conventions=(stays_at_the_least_rate, restarts),
    programs=(by_the_cosine, by_one_ratio_after_another),
    edges=(
        special("the first step", step=0, lr=0.3, T_max=5),
        edge("one step", step=1, lr=0.37, T_max=5),
        edge("one step is all", step=1, lr=0.37, T_max=1, eta_min=0.013),
        edge("long after the end", step=17, lr=0.37, T_max=5, eta_min=0.013),
        edge("half-way", step=4, lr=0.37, T_max=8, eta_min=0.013),
        edge("two thirds", step=4, lr=0.37, T_max=6, eta_min=0.013),
        edge("the end, with a least rate", step=7, lr=0.37, T_max=7, eta_min=0.013),
        edge("rising again", step=9, lr=0.37, T_max=7),
        edge("back at the start", step=14, lr=0.37, T_max=7, eta_min=0.013),
        edge("in the second wave", step=23, lr=0.37, T_max=7, eta_min=0.013),
        edge("rising from a least rate above the first", step=66, lr=0.24, T_max=36, eta_min=0.51),
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
    misconceptions=(
        wrong.starts_at_zero,
        wrong.never_stops_rising,
        wrong.adds_the_whole_rate,
        wrong.jumps,
        wrong.rises_by_equal_factors,
        wrong.falls_instead,
        wrong.takes_the_factor_for_a_rate,
        wrong.arrives_one_step_early,
        wrong.rises_in_fixed_steps,
        wrong.counts_from_one(reference.warmup_lr),
        wrong.returns_the_factor(reference.warmup_lr),
        wrong.hard_codes(reference.warmup_lr, "start_factor", "a factor of 1/3"),
        wrong.hard_codes(reference.warmup_lr, "total_iters", "five steps"),
    ),
    programs=(by_the_share_that_is_left, by_two_rates),
    edges=(
        edge("the first step", step=0, lr=0.37, start_factor=0.3),
        edge("the usual factor", step=3, lr=0.37),
        edge("one step is all", step=1, lr=0.37, total_iters=1, start_factor=0.3),
        edge("nearly no warming", step=2, lr=0.37, total_iters=7, start_factor=0.95),
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
    misconceptions=(
        wrong.falls_on_a_straight_line,
        wrong.returns_the_sum_of_the_weights,
        wrong.uses_the_share_that_is_over,
        wrong.goes_on_below_zero,
        wrong.forgets_the_momentum_below,
        wrong.divides_by_one_and_the_share,
        wrong.subtracts_the_share_below,
        wrong.forgets_the_share_above,
        wrong.counts_from_one(reference.momentum_decay),
        wrong.hard_codes(reference.momentum_decay, "momentum", "a momentum of 0.9"),
    ),
    programs=(by_the_share, by_the_sum_of_the_weights),
    edges=(
        edge("the first step", step=0, momentum=0.7, total_iters=5),
        edge("the usual momentum", step=2, total_iters=7),
        edge("one step", step=1, momentum=0.57, total_iters=3),
        special("one step is all", step=1, momentum=0.57, total_iters=1),
        edge("the last but one", step=6, momentum=0.83, total_iters=7),
        edge("a small momentum", step=3, momentum=0.03, total_iters=8),
        special("the end", step=5, momentum=0.7, total_iters=5),
        special("after the end", step=9, momentum=0.7, total_iters=5),
        special("no momentum", step=2, momentum=0.0, total_iters=5),
        extreme("a momentum near one", step=99_999, momentum=0.999999, total_iters=100_000),
    ),
)
