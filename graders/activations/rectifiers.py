"""Exercises on the relatives of ReLU: one leaks, the others are smooth."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.activations import misconceptions as shared
from graders.activations import misconceptions_rectifiers as wrong
from graders.activations._torch import torch_vjp
from graders.activations.axes import G_3, Z_3
from graders.harness.exercise import Exercise, edge, extreme
from reference import _special as special
from reference import activations as reference
from reference._types import Array
from reference.activations import Approximation, sigmoid

# Distinct sizes, full mantissas; no row is another's multiple.
_Z = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_G = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6]]
_WITH_ZEROS = [[0.0, -1.7, 0.9], [0.3, 0.0, -0.6]]
_TINY = [[3e-13, -1.7e-13, 2.3e-20], [-4.1e-9, 1.3e-30, 0.7e-5]]
_GRID = [[-4.0, -3.7, -3.1, -2.3, -1.3], [0.2, 1.9, 2.7, 3.3, 4.0]]
_GRID_G = [[0.7, -0.2, 1.3, 0.4, -1.1], [0.6, -0.9, 0.1, 1.7, -0.8]]
_AROUND_FIVE = [[-4.9, 5.3, -5.7], [4.8, -5.2, 6.1]]
_LEFT = [[-7.3, -11.1, 0.3], [-17.3, -30.7, -36.9]]
_TAILS = [[20.3, -20.3, -30.7], [31.1, -40.9, 45.2]]
_FAR = [[87.3, -87.3, -100.1], [700.7, -700.7, 0.3], [1000.3, -1000.3, -1.7], [1e4, -1e4, 0.9]]
_FAR_G = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6], [1.1, -1.6, 0.1], [-0.8, 0.5, -1.2]]
_HIGH = [[8.3, 9.7, 12.1], [8.9, 10.3, 11.7]]
_LOW = [[-8.3, -9.7, -12.1], [-8.9, -10.3, -11.7]]
_ABOVE_TWENTY = [[20.3, 21.7, 25.1], [28.9, 30.3, 1.7]]

_INPUTS = (
    edge("small", z=_Z),
    edge("zeros", z=_WITH_ZEROS),
    edge("one entry", z=[[-1.3]]),
    edge("above 8", z=_HIGH),
    edge("three axes", z=Z_3),
    edge("within ±4", z=_GRID),
    edge("tiny", z=_TINY),
    edge("one axis", z=[0.3, -1.7, 0.9, 2.3]),
    extreme("the left tail", z=_LEFT),
    extreme("tails", z=_TAILS),
    extreme("far out", z=_FAR),
)
_GRADIENTS = (
    edge("small", z=_Z, cotangent=_G),
    edge("zeros", z=_WITH_ZEROS, cotangent=_G),
    edge("one entry", z=[[-1.7]], cotangent=[[0.6]]),
    edge("above 8", z=_HIGH, cotangent=_G),
    edge("three axes", z=Z_3, cotangent=G_3),
    edge("within ±4", z=_GRID, cotangent=_GRID_G),
    edge("tiny", z=_TINY, cotangent=_G),
    edge("a cotangent with zeros", z=_Z, cotangent=_WITH_ZEROS),
    extreme("the left tail", z=_LEFT, cotangent=_G),
    extreme("tails", z=_TAILS, cotangent=_G),
    extreme("far out", z=_FAR, cotangent=_FAR_G),
)


# --- leaky_relu -------------------------------------------------------------------------------------------------------
def leaky_relu_by_the_mask(z: Array, *, negative_slope: float = 0.01) -> Array:
    """Z where z > 0, else a · z."""
    return np.where(z > 0, z, negative_slope * z)


def leaky_relu_by_its_slope(z: Array, *, negative_slope: float = 0.01) -> Array:
    """A slope for every entry, 1 or a, times z."""
    return z * np.where(z > 0, 1 + 0 * z, negative_slope)


def leaky_relu_by_the_absolute_value(z: Array, *, negative_slope: float = 0.01) -> Array:
    """(1 + a) / 2 · z + (1 − a) / 2 · |z|, as Theano and Lasagne have it: for z < 0 and a small slope it cancels."""
    return 0.5 * (1 + negative_slope) * z + 0.5 * (1 - negative_slope) * np.abs(z)


_SLOPES = (edge("a slope of 0.3", z=_Z, negative_slope=0.3), edge("steeper than one", z=_Z, negative_slope=1.7))

leaky_relu = Exercise(
    reference.leaky_relu,
    misconceptions=(
        wrong.ignores_the_slope(reference.leaky_relu),
        wrong.leaks_nothing,
        wrong.takes_the_larger_of_both,
        wrong.compares_with_the_slope,
        wrong.returns_the_slope,
        wrong.leaks_on_both_sides,
        wrong.leaks_upwards,
        wrong.leaks_on_the_wrong_side,
        wrong.divides_by_the_slope,
        wrong.bends_like_elu,
    ),
    programs=(leaky_relu_by_the_mask, leaky_relu_by_its_slope, leaky_relu_by_the_absolute_value),
    edges=(*_INPUTS, *_SLOPES, edge("no slope, which is ReLU", z=_Z, negative_slope=0.0), edge("below −8", z=_LOW)),
    rivals={
        "torch": lambda torch, z, *, negative_slope=0.01: torch.nn.functional.leaky_relu(
            torch.tensor(z), negative_slope
        ).numpy()
    },
)


# --- leaky_relu_vjp ---------------------------------------------------------------------------------------------------
def passes_at_zero(z: Array, cotangent: Array, *, negative_slope: float = 0.01) -> Array:
    """At 0 the slope from the right, 1, as in JAX, whose leaky_relu is z for z ≥ 0."""
    return np.where(z >= 0, cotangent, negative_slope * cotangent)


def passes_the_mean_at_zero(z: Array, cotangent: Array, *, negative_slope: float = 0.01) -> Array:
    """At 0 the mean of both slopes, as in JAX's and PyTorch's gradient of maximum(z, a z)."""
    below = negative_slope * cotangent
    return np.where(z > 0, cotangent, np.where(z < 0, below, 0.5 * (cotangent + below)))


def leaky_relu_vjp_by_its_slope(z: Array, cotangent: Array, *, negative_slope: float = 0.01) -> Array:
    """A slope for every entry, 1 or a, times the cotangent."""
    return cotangent * np.where(z > 0, 1 + 0 * z, negative_slope)


leaky_relu_vjp = Exercise(
    reference.leaky_relu_vjp,
    misconceptions=(
        shared.forgets_the_cotangent(reference.leaky_relu_vjp),
        shared.reverses_the_sign(reference.leaky_relu_vjp),
        wrong.lets_everything_through(reference.leaky_relu_vjp),
        wrong.multiplies_by_the_output(reference.leaky_relu, reference.leaky_relu_vjp),
        wrong.ignores_the_slope(reference.leaky_relu_vjp),
        wrong.masks_like_relu,
        wrong.forgets_the_gradient_below_zero,
        wrong.masks_by_the_cotangent,
        wrong.passes_on_the_wrong_side,
        wrong.passes_on_both_sides,
        wrong.turns_the_gradient_below_zero,
    ),
    conventions=(passes_at_zero, passes_the_mean_at_zero),
    programs=(leaky_relu_vjp_by_its_slope,),
    edges=(
        *_GRADIENTS,
        edge("a slope of 0.3", z=_Z, cotangent=_G, negative_slope=0.3),
        edge("steeper than one", z=_Z, cotangent=_G, negative_slope=1.7),
        edge("no slope, which is ReLU", z=_Z, cotangent=_G, negative_slope=0.0),
        edge("below −8", z=_LOW, cotangent=_G),
    ),
    rivals={
        "torch": lambda torch, z, cotangent, *, negative_slope=0.01: torch_vjp(
            torch, lambda x: torch.nn.functional.leaky_relu(x, negative_slope), z, cotangent
        )
    },
)


# --- softplus ---------------------------------------------------------------------------------------------------------
def softplus_by_logaddexp(z: Array) -> Array:
    """log(e⁰ + eᶻ)."""
    return np.logaddexp(0.0 * z, z)


def softplus_by_cases(z: Array) -> Array:
    """z + log(1 + e⁻ᶻ) where z > 0, else log(1 + eᶻ)."""
    return np.where(z > 0, z + np.log1p(np.exp(-z)), np.log1p(np.exp(z)))


softplus = Exercise(
    reference.softplus,
    misconceptions=(
        wrong.forgets_the_one,
        wrong.forgets_the_logarithm,
        wrong.reverses_the_argument,
        wrong.returns_its_derivative,
        wrong.keeps_the_corner,
        wrong.forgets_the_maximum,
        wrong.uses_the_logarithm_to_base_two,
        wrong.exponentiates_positive_inputs,
        wrong.overflows_in_log1p,
        wrong.loses_the_tail,
        wrong.logs_a_saturated_sigmoid,
        wrong.returns_the_input_above_twenty,
    ),
    programs=(softplus_by_logaddexp, softplus_by_cases),
    edges=(*_INPUTS, extreme("above 20, where PyTorch's is z itself", z=_ABOVE_TWENTY)),
    rivals={"torch": lambda torch, z: torch.nn.functional.softplus(torch.tensor(z)).numpy()},
)


# --- softplus_vjp -----------------------------------------------------------------------------------------------------
def softplus_vjp_as_written(z: Array, cotangent: Array) -> Array:
    """1 / (1 + e⁻ᶻ): e⁻ᶻ may become inf, and 1 / inf is the right 0."""
    return cotangent / (1 + np.exp(-z))


def softplus_vjp_by_logaddexp(z: Array, cotangent: Array) -> Array:
    """σ(z) = e^(z − log(e^z + 1)), as JAX and Autograd derive log(e^z + 1)."""
    return cotangent * np.exp(z - np.logaddexp(z, 0))


softplus_vjp = Exercise(
    reference.softplus_vjp,
    misconceptions=(
        shared.forgets_the_cotangent(reference.softplus_vjp),
        shared.reverses_the_sign(reference.softplus_vjp),
        wrong.lets_everything_through(reference.softplus_vjp),
        wrong.multiplies_by_the_output(reference.softplus, reference.softplus_vjp),
        wrong.differentiates_at_the_output(reference.softplus, reference.softplus_vjp),
        wrong.uses_the_step(reference.softplus_vjp),
        wrong.differentiates_once_too_often,
        wrong.reverses_the_sigmoid,
        wrong.forgets_to_divide,
        wrong.uses_tanh,
        wrong.divides_overflowing_exponentials,
        wrong.passes_all_above_twenty,
    ),
    programs=(softplus_vjp_as_written, softplus_vjp_by_logaddexp),
    edges=(*_GRADIENTS, extreme("above 20, where PyTorch's is the cotangent", z=_ABOVE_TWENTY, cotangent=_G)),
    rivals={
        "torch": lambda torch, z, cotangent: torch_vjp(torch, torch.nn.functional.softplus, z, cotangent),
    },
)


# --- silu -------------------------------------------------------------------------------------------------------------
def silu_by_one_division(z: Array) -> Array:
    """z / (1 + e⁻ᶻ)."""
    return z / (1 + np.exp(-z))


silu = Exercise(
    reference.silu,
    misconceptions=(
        wrong.returns_the_sigmoid,
        wrong.adds_the_sigmoid,
        wrong.reverses_the_gate,
        wrong.uses_the_hard_swish,
        wrong.uses_mish,
        wrong.uses_gelu,
        wrong.gates_by_tanh,
        wrong.squares_the_gate,
        wrong.overflows_for_large_inputs,
    ),
    programs=(silu_by_one_division,),
    edges=_INPUTS,
    rivals={"torch": lambda torch, z: torch.nn.functional.silu(torch.tensor(z)).numpy()},
)


# --- silu_vjp ---------------------------------------------------------------------------------------------------------
def silu_vjp_by_the_product_rule(z: Array, cotangent: Array) -> Array:
    """σ + z σ (1 − σ)."""
    s = sigmoid(z)
    return cotangent * (s + z * s * (1 - s))


def silu_vjp_by_its_output(z: Array, cotangent: Array) -> Array:
    """f + σ (1 − f) with f = z σ."""
    s = sigmoid(z)
    return cotangent * (z * s + s * (1 - z * s))


_AROUND_THE_LOWEST = [[-1.27, -1.28, -1.31], [-1.2, -1.4, 0.3]]

silu_vjp = Exercise(
    reference.silu_vjp,
    misconceptions=(
        shared.forgets_the_cotangent(reference.silu_vjp),
        shared.reverses_the_sign(reference.silu_vjp),
        wrong.lets_everything_through(reference.silu_vjp),
        wrong.multiplies_by_the_output(reference.silu, reference.silu_vjp),
        wrong.differentiates_at_the_output(reference.silu, reference.silu_vjp),
        wrong.uses_the_step(reference.silu_vjp),
        wrong.forgets_the_product_rule,
        wrong.keeps_the_second_term_only,
        wrong.differentiates_the_sigmoid_alone,
        wrong.forgets_the_input_in_the_second_term,
        wrong.subtracts_the_second_term,
        wrong.multiplies_by_the_output_twice,
        wrong.overflows_in_the_left_tail,
    ),
    programs=(silu_vjp_by_the_product_rule, silu_vjp_by_its_output),
    edges=(*_GRADIENTS, edge("around the lowest point", z=_AROUND_THE_LOWEST, cotangent=_G)),
    rivals={"torch": lambda torch, z, cotangent: torch_vjp(torch, torch.nn.functional.silu, z, cotangent)},
)


# --- gelu -------------------------------------------------------------------------------------------------------------
def always_by_tanh(z: Array, *, approximate: Approximation = "none") -> Array:
    """The tanh form without being asked, as in BERT and GPT-2 (Hendrycks and Gimpel 2016)."""
    return reference.gelu(z, approximate="tanh")


def gelu_as_written(z: Array, *, approximate: Approximation = "none") -> Array:
    """½ z (1 + erf(z / √2)), or ½ z (1 + tanh u), as PyTorch does it: small values at z < 0 cancel."""
    return 0.5 * z * (1 + (_erf(z) if approximate == "none" else np.tanh(_inner(z))))


def gelu_by_the_probability(z: Array, *, approximate: Approximation = "none") -> Array:
    """z Φ(z), or z σ(2u)."""
    return z * (special.normal_cdf(z) if approximate == "none" else sigmoid(2 * _inner(z)))


gelu = Exercise(
    reference.gelu,
    misconceptions=(
        wrong.ignores_the_approximation(reference.gelu),
        wrong.returns_the_probability,
        wrong.forgets_the_half,
        wrong.forgets_the_one_in_the_bracket,
        wrong.forgets_the_root_of_two,
        wrong.uses_silu,
        wrong.approximates_by_the_sigmoid,
        wrong.uses_the_density,
        wrong.approximates_erf_by_a_polynomial,
        wrong.forgets_the_cube,
        wrong.leaves_the_cube_outside,
        wrong.squares_for_the_cube,
        wrong.forgets_the_root_of_two_over_pi,
        wrong.drops_a_zero_of_the_coefficient,
    ),
    conventions=(always_by_tanh,),
    programs=(gelu_as_written, gelu_by_the_probability),
    edges=(
        *_INPUTS,
        edge("by tanh", z=_Z, approximate="tanh"),
        edge("by tanh, within ±4", z=_GRID, approximate="tanh"),
        edge("by tanh, zeros", z=_WITH_ZEROS, approximate="tanh"),
        edge("by tanh, around ±5", z=_AROUND_FIVE, approximate="tanh"),
        extreme("by tanh, the left tail", z=_LEFT, approximate="tanh"),
        extreme("by tanh, far out", z=_FAR, approximate="tanh"),
    ),
    rivals={
        "torch": lambda torch, z, *, approximate="none": torch.nn.functional.gelu(
            torch.tensor(z), approximate=approximate
        ).numpy()
    },
)


# --- gelu_vjp ---------------------------------------------------------------------------------------------------------
def always_by_the_tanh_form(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """The gradient of the tanh form without being asked, as in BERT and GPT-2 (Hendrycks and Gimpel 2016)."""
    return reference.gelu_vjp(z, cotangent, approximate="tanh")


def gelu_vjp_as_written(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """½ (1 + erf(z / √2)) + z φ(z), or ½ (1 + tanh u) + ½ z (1 − tanh² u) u': small values at z < 0 cancel."""
    if approximate == "none":
        return cotangent * (0.5 * (1 + _erf(z)) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * special.pi(z)))
    t = np.tanh(_inner(z))
    slope = np.sqrt(2 / special.pi(z)) * (1 + 3 * 0.044715 * z**2)
    return cotangent * (0.5 * (1 + t) + 0.5 * z * (1 - t**2) * slope)


gelu_vjp = Exercise(
    reference.gelu_vjp,
    misconceptions=(
        shared.forgets_the_cotangent(reference.gelu_vjp),
        shared.reverses_the_sign(reference.gelu_vjp),
        wrong.lets_everything_through(reference.gelu_vjp),
        wrong.multiplies_by_the_output(reference.gelu, reference.gelu_vjp),
        wrong.differentiates_at_the_output(reference.gelu, reference.gelu_vjp),
        wrong.uses_the_step(reference.gelu_vjp),
        wrong.ignores_the_approximation(reference.gelu_vjp),
        wrong.forgets_the_second_term,
        wrong.forgets_the_first_term,
        wrong.forgets_the_input_before_the_density,
        wrong.subtracts_the_density,
        wrong.uses_the_gradient_of_silu,
        wrong.forgets_to_normalize_the_density,
        wrong.forgets_the_half_in_the_exponent,
        wrong.approximates_erf_in_the_slope,
        wrong.forgets_to_square_tanh,
        wrong.forgets_the_inner_derivative,
        wrong.forgets_the_three,
    ),
    conventions=(always_by_the_tanh_form,),
    programs=(gelu_vjp_as_written,),
    edges=(
        *_GRADIENTS,
        edge("around the lowest point", z=[[-0.74, -0.75, -0.76], [-0.7, -0.8, 0.3]], cotangent=_G),
        edge("by tanh", z=_Z, cotangent=_G, approximate="tanh"),
        edge("by tanh, within ±4", z=_GRID, cotangent=_GRID_G, approximate="tanh"),
        edge("by tanh, zeros", z=_WITH_ZEROS, cotangent=_G, approximate="tanh"),
        edge("by tanh, around ±5", z=_AROUND_FIVE, cotangent=_G, approximate="tanh"),
        extreme("by tanh, the left tail", z=_LEFT, cotangent=_G, approximate="tanh"),
        extreme("by tanh, far out", z=_FAR, cotangent=_FAR_G, approximate="tanh"),
    ),
    rivals={
        "torch": lambda torch, z, cotangent, *, approximate="none": torch_vjp(
            torch, lambda x: torch.nn.functional.gelu(x, approximate=approximate), z, cotangent
        )
    },
)


def _erf(z: Array) -> Array:
    """erf(z / √2) = ±(1 − 2 Φ(−|z|)), as far off as a library's function may be, for which the power stands."""
    return np.sign(z) * (1 - 2 * special.normal_cdf(-np.abs(z))) ** 1


def _inner(z: Array) -> Any:
    return np.sqrt(2 / special.pi(z)) * (z + 0.044715 * z**3)
