"""Optimizers: what the loop has computed after any number T of steps, from any initial state; proved by induction.

Step number T (from 0) reads the gradient grads[T, j]. Every closed form is a polynomial in the decay rates, so that the
proof for positive rates holds for a rate of 0 as well (with 0⁰ = 1).
"""

from __future__ import annotations

from . import adaptive, moments, velocity
from .adaptive import (
    adagrad,
    adam,
    adam_first_step_has_size_lr,
    adamax,
    adamw,
    adamw_is_not_adam_with_an_l2_penalty,
    lion,
    rmsprop,
)
from .descent import (
    descent_on_a_quadratic_gains_by_the_curvature,
    gradient_descent_on_a_quadratic,
    sgd,
)
from .moments import (
    adam_bias_correction_is_unbiased,
    adam_corrected_moments_are_weighted_means,
    adam_corrected_moments_of_the_first_three_steps,
    adam_moments_of_the_first_three_steps,
    adam_second_moment_is_raw,
    adam_weights_sum_to_one_less_decay,
    rmsprop_average_of_the_first_three_steps,
)
from .velocity import (
    momentum,
    momentum_approaches_its_limit_speed,
    momentum_as_a_buffer,
    momentum_buffer_is_minus_velocity_over_lr,
    momentum_forms_differ_when_lr_changes,
    momentum_is_a_moving_average_scaled,
    momentum_of_the_first_three_steps,
    momentum_speed_of_a_constant_gradient,
    momentum_weights_sum,
    momentum_with_the_other_sign,
    nesterov,
    nesterov_conventions_are_one_sequence,
    nesterov_step_from_the_point_ahead,
)

__all__ = [
    "sgd",
    "gradient_descent_on_a_quadratic",
    "descent_on_a_quadratic_gains_by_the_curvature",
    "momentum",
    "momentum_of_the_first_three_steps",
    "momentum_as_a_buffer",
    "momentum_buffer_is_minus_velocity_over_lr",
    "momentum_with_the_other_sign",
    "momentum_forms_differ_when_lr_changes",
    "nesterov",
    "nesterov_step_from_the_point_ahead",
    "nesterov_conventions_are_one_sequence",
    "momentum_speed_of_a_constant_gradient",
    "momentum_approaches_its_limit_speed",
    "momentum_is_a_moving_average_scaled",
    "momentum_weights_sum",
    "adagrad",
    "rmsprop",
    "adam",
    "adamw",
    "adamax",
    "adam_first_step_has_size_lr",
    "adamw_is_not_adam_with_an_l2_penalty",
    "lion",
    "adam_moments_of_the_first_three_steps",
    "rmsprop_average_of_the_first_three_steps",
    "adam_corrected_moments_of_the_first_three_steps",
    "adam_weights_sum_to_one_less_decay",
    "adam_bias_correction_is_unbiased",
    "adam_corrected_moments_are_weighted_means",
    "adam_second_moment_is_raw",
    "errata",
]

errata = (*velocity.errata, *adaptive.errata, *moments.errata)
