"""Known mistakes in schedules; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from graders.harness.exercise import with_signature_of
from reference import optimizers as reference

Function = Callable[..., Any]


# --- mistakes that many share: each takes the schedule that is misunderstood ------------------------------------------
def counts_from_one(schedule: Function) -> Function:
    """Make the mistake for any schedule."""

    def counts_from_one(step: int, **hyper: Any) -> Any:
        """You are one step ahead. Steps are counted from zero: `step` is how many have been taken."""
        return schedule(step + 1, **hyper)

    return with_signature_of(schedule, counts_from_one)


def returns_the_factor(schedule: Function) -> Function:
    """Make the mistake for a schedule that multiplies the learning rate."""

    def returns_the_factor(step: int, *, lr: float, **hyper: Any) -> Any:
        """You returned the factor by itself. Multiply the learning rate `lr` by it."""
        return schedule(step, lr=1.0, **hyper)

    return with_signature_of(schedule, returns_the_factor)


def divides_by_gamma(schedule: Function) -> Function:
    """Make the mistake for a schedule with a factor γ."""

    def divides_by_gamma(step: int, *, lr: float, gamma: float = 0.1, **hyper: Any) -> Any:
        """You divided by γ. Multiply by it: a factor below one lowers the rate."""
        return schedule(step, lr=lr, gamma=1 / gamma, **hyper)

    return with_signature_of(schedule, divides_by_gamma)


def multiplies_by_what_gamma_takes(schedule: Function) -> Function:
    """Make the mistake for a schedule with a factor γ."""

    def multiplies_by_what_gamma_takes(step: int, *, lr: float, gamma: float = 0.1, **hyper: Any) -> Any:
        """You multiplied by 1 − γ. Here γ is the share that is left, not the share that is taken away."""
        drops = step // hyper["step_size"] if hyper else step
        return lr * (1 - gamma) ** drops

    return with_signature_of(schedule, multiplies_by_what_gamma_takes)


def multiplies_gamma_by_the_drops(schedule: Function) -> Function:
    """Make the mistake for a schedule with a factor γ."""

    def multiplies_gamma_by_the_drops(step: int, *, lr: float, gamma: float = 0.1, **hyper: Any) -> Any:
        """You multiplied γ by the number of drops. Raise it to that power: lr · γ · γ · …, once for every drop."""
        drops = step // hyper["step_size"] if hyper else step
        return lr * gamma * drops

    return with_signature_of(schedule, multiplies_gamma_by_the_drops)


def falls_by_the_inverse_of_time(schedule: Function) -> Function:
    """Make the mistake for a schedule with a factor γ."""

    def falls_by_the_inverse_of_time(step: int, *, lr: float, gamma: float = 0.1, **hyper: Any) -> Any:
        """You divided by 1 + γ times the number of drops; that is 1/t decay. Here every drop multiplies by γ."""
        drops = step // hyper["step_size"] if hyper else step
        return lr / (1 + gamma * drops)

    return with_signature_of(schedule, falls_by_the_inverse_of_time)


def falls_by_a_power_of_e(schedule: Function) -> Function:
    """Make the mistake for a schedule with a factor γ."""

    def falls_by_a_power_of_e(step: int, *, lr: float, gamma: float = 0.1, **hyper: Any) -> Any:
        """You took e^(−γ) for the factor of one drop, as in Stanford's CS231n. Here the factor is γ itself."""
        drops = step // hyper["step_size"] if hyper else step
        return lr * math.exp(-gamma * drops)

    return with_signature_of(schedule, falls_by_a_power_of_e)


def hard_codes(schedule: Function, parameter: str, told: str) -> Function:
    """Make the mistake of leaving one parameter at its default; it is named after it."""
    default = inspect.signature(schedule).parameters[parameter].default

    def wrong(step: int, **hyper: Any) -> Any:
        return schedule(step, **hyper | {parameter: default})

    wrong.__name__ = f"hard_codes_{parameter}"
    wrong.__doc__ = f"You used {told} whatever was asked for. Use the argument `{parameter}`."
    return with_signature_of(schedule, wrong)


# --- step_lr ----------------------------------------------------------------------------------------------------------
def drops_at_every_step(step: int, *, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """You multiplied by γ at every step. Do so once every `step_size` steps: γ^⌊step / step_size⌋."""
    return lr * gamma**step


def does_not_round_down(step: int, *, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """You let the rate fall between the drops. Round the exponent down: γ^⌊step / step_size⌋, with // in Python."""
    return lr * gamma ** (step / step_size)


def rounds_up(step: int, *, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """You rounded the exponent up, so that every drop comes a stretch early. Round it down: ⌊step / step_size⌋."""
    return lr * gamma ** -(-step // step_size)


def drops_once_only(step: int, *, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """You dropped the rate once and never again. Multiply by γ after every stretch of `step_size` steps."""
    return lr * gamma if step >= step_size else lr


def drops_one_step_late(step: int, *, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """Your drops come one step late. After `step_size` steps the rate is lr · γ already: γ^⌊step / step_size⌋."""
    return lr * gamma ** (max(step - 1, 0) // step_size)


def takes_the_remainder(step: int, *, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """Your exponent is step % step_size, the remainder. It is the quotient: step // step_size."""
    return lr * gamma ** (step % step_size)


# --- exponential_lr ---------------------------------------------------------------------------------------------------
def drops_once(step: int, *, lr: float, gamma: float) -> float:
    """You multiplied by γ once, whatever the step. Multiply once for every step taken: γ^step."""
    return lr * gamma


def raises_the_rate_too(step: int, *, lr: float, gamma: float) -> float:
    """You raised lr to the power as well. Only γ is: lr · γ^step."""
    return (lr * gamma) ** step


def exchanges_base_and_exponent(step: int, *, lr: float, gamma: float) -> float:
    """You exchanged base and exponent. It is γ to the power of the step: lr · γ^step."""
    return lr * step**gamma


# --- cosine_lr --------------------------------------------------------------------------------------------------------
def waves(wave: Callable[[float], float]) -> Function:
    """Return the schedule with another wave, a function of step / T_max, than (1 + cos πt) / 2."""

    def made(step: int, *, lr: float, T_max: int, eta_min: float = 0.0) -> float:
        return eta_min + (lr - eta_min) * wave(step / T_max)

    made.__name__, made.__doc__ = wave.__name__, wave.__doc__
    return made


@waves
def forgets_the_half(t: float) -> float:
    """You left out the ½. 1 + cos runs from 2 down to 0; its half runs from 1."""
    return 1 + math.cos(math.pi * t)


@waves
def forgets_the_one(t: float) -> float:
    """You used the cosine by itself, which turns negative half-way. Use (1 + cos(π · step / T_max)) / 2."""
    return math.cos(math.pi * t)


@waves
def halves_the_cosine_only(t: float) -> float:
    """You halved the cosine but not the 1 before it. The ½ is of the whole: (1 + cos) / 2."""
    return 1 + math.cos(math.pi * t) / 2


@waves
def forgets_pi(t: float) -> float:
    """You left out π. At T_max the angle is π, where the cosine is −1: cos(π · step / T_max)."""
    return (1 + math.cos(t)) / 2


@waves
def uses_half_the_angle(t: float) -> float:
    """You used half the angle, so that T_max is only half of the way down. It is π · step / T_max."""
    return (1 + math.cos(math.pi * t / 2)) / 2


@waves
def uses_twice_the_angle(t: float) -> float:
    """You used a whole wave, which is back at the start at T_max. Half a wave leads down: π · step / T_max."""
    return (1 + math.cos(2 * math.pi * t)) / 2


@waves
def falls_as_a_quarter_wave(t: float) -> float:
    """You used a quarter of a wave, cos(π/2 · step / T_max). Half a wave is flat at both ends: (1 + cos) / 2."""
    return math.cos(math.pi * t / 2)


@waves
def starts_at_the_least_rate(t: float) -> float:
    """Your rate rises from eta_min. It falls from lr: the sign before the cosine is plus, (1 + cos) / 2."""
    return (1 - math.cos(math.pi * t)) / 2


@waves
def falls_on_a_line(t: float) -> float:
    """Your rate falls on a straight line. It follows half a wave of the cosine: (1 + cos(π · step / T_max)) / 2."""
    return 1 - t


@waves
def measures_the_angle_in_degrees(t: float) -> float:
    """You gave the cosine 180 degrees. It takes radians: π · step / T_max."""
    return (1 + math.cos(180 * t)) / 2


def ignores_the_least_rate(step: int, *, lr: float, T_max: int, eta_min: float = 0.0) -> float:
    """You left out `eta_min`, so that the rate falls to 0. It falls from lr to eta_min."""
    return reference.cosine_lr(step, lr=lr, T_max=T_max)


def adds_the_least_rate(step: int, *, lr: float, T_max: int, eta_min: float = 0.0) -> float:
    """You added eta_min to a wave of height lr, so that it starts too high. The wave is lr − eta_min high."""
    return eta_min + reference.cosine_lr(step, lr=lr, T_max=T_max)


def cuts_at_the_least_rate(step: int, *, lr: float, T_max: int, eta_min: float = 0.0) -> float:
    """You let the rate fall to 0 and cut it at eta_min. The whole wave lies above eta_min, lr − eta_min high."""
    return max(reference.cosine_lr(step, lr=lr, T_max=T_max), eta_min)


def ends_one_step_early(step: int, *, lr: float, T_max: int, eta_min: float = 0.0) -> float:
    """You divided by T_max − 1, so that the end comes a step early. Divide by T_max."""
    share = step / max(T_max - 1, 1)
    return eta_min + (lr - eta_min) * (1 + math.cos(math.pi * share)) / 2


# --- warmup_lr --------------------------------------------------------------------------------------------------------
def starts_at_zero(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """You started at 0. The first rate is start_factor · lr: lr · (f + (1 − f) · step / total_iters)."""
    return lr * min(step, total_iters) / total_iters


def never_stops_rising(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """You let the rate rise for ever. After `total_iters` steps it stays at lr."""
    return lr * (start_factor + (1 - start_factor) * step / total_iters)


def adds_the_whole_rate(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """You added the whole of lr to the start, so that it ends too high. Only 1 − f is still missing there."""
    return lr * (start_factor + min(step, total_iters) / total_iters)


def jumps(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """You kept the first rate and then jumped to lr. Rise in equal steps from one to the other."""
    return lr * start_factor if step < total_iters else lr


def rises_by_equal_factors(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """You rose by equal factors. A linear warm-up rises by equal steps: f + (1 − f) · step / total_iters."""
    return lr * start_factor ** (1 - min(step, total_iters) / total_iters)


def falls_instead(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """You went down from lr. A warm-up goes up, from start_factor · lr to lr."""
    return lr * (1 - (1 - start_factor) * min(step, total_iters) / total_iters)


def takes_the_factor_for_a_rate(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """You started at start_factor itself. It is a factor: start at start_factor · lr."""
    return start_factor + (lr - start_factor) * min(step, total_iters) / total_iters


def arrives_one_step_early(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """You divided by total_iters − 1, so that lr is reached a step early. Divide by total_iters."""
    return lr * (start_factor + (1 - start_factor) * min(step / max(total_iters - 1, 1), 1))


def rises_in_fixed_steps(step: int, *, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """You rose by lr / total_iters a step, and so reach lr early. Rise by (1 − f) of that."""
    return lr * min(start_factor + step / total_iters, 1)


# --- momentum_decay ---------------------------------------------------------------------------------------------------
def falls_on_a_straight_line(step: int, *, momentum: float = 0.9, total_iters: int) -> float:
    """You let μ itself fall on a line. It is μ / (1 − μ) that does, the sum of a gradient's weights."""
    return momentum * _left(step, total_iters)


def returns_the_sum_of_the_weights(step: int, *, momentum: float = 0.9, total_iters: int) -> float:
    """You returned w, the sum of the weights. The momentum that has it is w / (1 + w)."""
    return momentum / (1 - momentum) * _left(step, total_iters)


def uses_the_share_that_is_over(step: int, *, momentum: float = 0.9, total_iters: int) -> float:
    """You used the share of the steps that are over. Use the share that is left: 1 − step / total_iters."""
    share = 1 - _left(step, total_iters)
    return momentum * share / (1 - momentum + momentum * share)


def goes_on_below_zero(step: int, *, momentum: float = 0.9, total_iters: int) -> float:
    """Your momentum is negative after the last step. It stays at 0: the share that is left is never below 0."""
    share = 1 - step / total_iters
    return momentum * share / (1 - momentum + momentum * share)


def forgets_the_momentum_below(step: int, *, momentum: float = 0.9, total_iters: int) -> float:
    """You left out a μ below the line. Divide by 1 − μ + μ f, with the share f that is left."""
    share = _left(step, total_iters)
    return momentum * share / (1 - momentum + share)


def divides_by_one_and_the_share(step: int, *, momentum: float = 0.9, total_iters: int) -> float:
    """You divided by 1 + μ f. Take μ off the 1: divide by 1 − μ + μ f, so that the first momentum is μ."""
    share = _left(step, total_iters)
    return momentum * share / (1 + momentum * share)


def subtracts_the_share_below(step: int, *, momentum: float = 0.9, total_iters: int) -> float:
    """You divided by 1 − μ f. Divide by 1 − μ + μ f, so that the first momentum is μ."""
    share = _left(step, total_iters)
    return momentum * share / (1 - momentum * share)


def forgets_the_share_above(step: int, *, momentum: float = 0.9, total_iters: int) -> float:
    """You left out the share f above the line, so that the momentum grows. It is μ f / (1 − μ + μ f)."""
    return momentum / (1 - momentum + momentum * _left(step, total_iters))


def _left(step: int, total_iters: int) -> float:
    return max(1 - step / total_iters, 0)
