"""Known mistakes in the relatives of ReLU; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.activations.misconceptions import Function
from graders.harness.exercise import with_signature_of
from reference import _special as special
from reference import activations as reference
from reference._types import Array
from reference.activations import Approximation, sigmoid


# --- mistakes that many share: each takes the function that is misunderstood ------------------------------------------
def ignores_the_slope(f: Function) -> Function:
    """Make the mistake for a function that has a negative slope."""

    def ignores_the_slope(*arrays: Array, negative_slope: float = 0.01) -> Array:
        """You used the slope 0.01 whatever was asked for. Use the argument `negative_slope`."""
        return f(*arrays)

    return with_signature_of(f, ignores_the_slope)


def ignores_the_approximation(f: Function) -> Function:
    """Make the mistake for a function that has an exact and a tanh form."""

    def ignores_the_approximation(*arrays: Array, approximate: Approximation = "none") -> Array:
        """You computed the exact form whatever `approximate` says. For "tanh" use ½ (1 + tanh u) in place of Φ."""
        return f(*arrays)

    return with_signature_of(f, ignores_the_approximation)


def lets_everything_through(vjp: Function) -> Function:
    """Make the mistake for any `_vjp`."""

    def lets_everything_through(z: Array, cotangent: Array, **hyper: Any) -> Array:
        """You passed the gradient on unchanged. Multiply it by the derivative at z."""
        return cotangent + 0 * z

    return with_signature_of(vjp, lets_everything_through)


def multiplies_by_the_output(f: Function, vjp: Function) -> Function:
    """Make the mistake for a `_vjp`, given the function itself."""

    def multiplies_by_the_output(z: Array, cotangent: Array, **hyper: Any) -> Array:
        """You multiplied the gradient by the function's value. Multiply it by its derivative."""
        return cotangent * f(z, **hyper)

    return with_signature_of(vjp, multiplies_by_the_output)


def differentiates_at_the_output(f: Function, vjp: Function) -> Function:
    """Make the mistake for a `_vjp`, given the function itself."""

    def differentiates_at_the_output(z: Array, cotangent: Array, **hyper: Any) -> Array:
        """You took the derivative at the function's output. Take it at its input z."""
        return vjp(f(z, **hyper), cotangent, **hyper)

    return with_signature_of(vjp, differentiates_at_the_output)


def uses_the_step(vjp: Function) -> Function:
    """Make the mistake for the `_vjp` of a smooth function."""

    def uses_the_step(z: Array, cotangent: Array, **hyper: Any) -> Array:
        """You used the mask z > 0, the derivative of ReLU. This function is smooth, and so is its derivative."""
        return cotangent * (z > 0)

    return with_signature_of(vjp, uses_the_step)


# --- leaky_relu -------------------------------------------------------------------------------------------------------
def leaks_nothing(z: Array, *, negative_slope: float = 0.01) -> Array:
    """You set negative inputs to 0; that is ReLU. Here they are multiplied by the slope."""
    return np.maximum(z, 0)


def takes_the_larger_of_both(z: Array, *, negative_slope: float = 0.01) -> Array:
    """max(z, a z) is right only for slopes a up to 1. Let the sign of z decide: max(z, 0) + a min(z, 0)."""
    return np.maximum(z, negative_slope * z)


def compares_with_the_slope(z: Array, *, negative_slope: float = 0.01) -> Array:
    """You wrote max(z, a), so nothing is ever below the slope a. Multiply negative inputs by it: a z."""
    return np.maximum(z, np.asarray(negative_slope, z.dtype))


def returns_the_slope(z: Array, *, negative_slope: float = 0.01) -> Array:
    """You put the slope a itself in the place of negative inputs. Multiply them by it: a z."""
    return np.where(z > 0, z, np.asarray(negative_slope, z.dtype))


def leaks_on_both_sides(z: Array, *, negative_slope: float = 0.01) -> Array:
    """You added a z on both sides, so positive inputs grow by 1 + a. Add a min(z, 0)."""
    return np.maximum(z, 0) + negative_slope * z


def leaks_upwards(z: Array, *, negative_slope: float = 0.01) -> Array:
    """You made negative inputs positive. They keep their sign: a z with a > 0."""
    return np.maximum(z, 0) - negative_slope * np.minimum(z, 0)


def leaks_on_the_wrong_side(z: Array, *, negative_slope: float = 0.01) -> Array:
    """You multiplied the positive inputs by the slope. They stay as they are; multiply the negative ones."""
    return np.where(z > 0, negative_slope * z, z)


def divides_by_the_slope(z: Array, *, negative_slope: float = 0.01) -> Array:
    """You divided negative inputs by the slope, as where a is above 1 (Xu et al. 2015). Multiply them by it."""
    return np.where(z > 0, z, z / np.asarray(negative_slope, z.dtype))


def bends_like_elu(z: Array, *, negative_slope: float = 0.01) -> Array:
    """a (e^z − 1) is the ELU. The leaky ReLU is a straight line below 0: a z."""
    return np.where(z > 0, z, negative_slope * np.expm1(np.minimum(z, 0)))


# --- leaky_relu_vjp ---------------------------------------------------------------------------------------------------
def masks_like_relu(z: Array, cotangent: Array, *, negative_slope: float = 0.01) -> Array:
    """You stopped the gradient where z < 0; that is ReLU. There it passes times the slope."""
    return cotangent * (z > 0)


def forgets_the_gradient_below_zero(z: Array, cotangent: Array, *, negative_slope: float = 0.01) -> Array:
    """Where z < 0 you returned the slope itself. Multiply it by the incoming gradient."""
    return np.where(z > 0, cotangent, np.asarray(negative_slope, z.dtype))


def masks_by_the_cotangent(z: Array, cotangent: Array, *, negative_slope: float = 0.01) -> Array:
    """You looked at the sign of the incoming gradient. The sign of the input decides: z > 0."""
    return np.where(cotangent > 0, cotangent, negative_slope * cotangent)


def passes_on_the_wrong_side(z: Array, cotangent: Array, *, negative_slope: float = 0.01) -> Array:
    """You applied the slope where z > 0. It belongs where z < 0; above, the gradient passes unchanged."""
    return np.where(z > 0, negative_slope * cotangent, cotangent)


def passes_on_both_sides(z: Array, cotangent: Array, *, negative_slope: float = 0.01) -> Array:
    """You added the slope on both sides, so the gradient grows by 1 + a where z > 0. There it passes unchanged."""
    return cotangent * ((z > 0) + np.asarray(negative_slope, z.dtype))


def turns_the_gradient_below_zero(z: Array, cotangent: Array, *, negative_slope: float = 0.01) -> Array:
    """Where z < 0 your gradient has the wrong sign. There it is the slope, which is positive, times the cotangent."""
    return np.where(z > 0, cotangent, -negative_slope * cotangent)


# --- softplus ---------------------------------------------------------------------------------------------------------
def forgets_the_one(z: Array) -> Array:
    """You left out the 1: log e^z is z itself. It is log(1 + e^z)."""
    return z + 0


def forgets_the_logarithm(z: Array) -> Array:
    """You left out the logarithm. It is log(1 + e^z)."""
    return 1 + np.exp(z)


def reverses_the_argument(z: Array) -> Array:
    """You computed log(1 + e^−z), which falls where it should rise. It is log(1 + e^z)."""
    return reference.softplus(-z)


def returns_its_derivative(z: Array) -> Array:
    """You returned the sigmoid, which is the derivative. The softplus is log(1 + e^z)."""
    return sigmoid(z)


def keeps_the_corner(z: Array) -> Array:
    """max(z, 0) is ReLU, which has a corner. The softplus is its smooth relative: add log(1 + e^−|z|)."""
    return np.maximum(z, 0)


def forgets_the_maximum(z: Array) -> Array:
    """You returned log(1 + e^−|z|) alone. Add max(z, 0)."""
    return np.log1p(np.exp(-np.abs(z)))


def uses_the_logarithm_to_base_two(z: Array) -> Array:
    """You took the logarithm to base 2. Use the natural one, np.log1p."""
    return reference.softplus(z) * 1.4426950408889634


def exponentiates_positive_inputs(z: Array) -> Array:
    """Your e^z overflows for large z, and for z ≪ 0 the sum 1 + e^z loses it. Use max(z, 0) + log1p(e^−|z|)."""
    return np.log(1 + np.exp(z))


def overflows_in_log1p(z: Array) -> Array:
    """np.log1p does not help where e^z itself overflows. Use max(z, 0) + log1p(e^−|z|)."""
    return np.log1p(np.exp(z))


def loses_the_tail(z: Array) -> Array:
    """For z ≪ 0 the sum 1 + e^−|z| is rounded, to 1 in the end. Use np.log1p(e^−|z|)."""
    return np.maximum(z, 0) + np.log(1 + np.exp(-np.abs(z)))


def logs_a_saturated_sigmoid(z: Array) -> Array:
    """−log(1 − σ(z)) is right on paper, but 1 − σ becomes 0 for large z. Use max(z, 0) + log1p(e^−|z|)."""
    return -np.log(1 - sigmoid(z))


def returns_the_input_above_twenty(z: Array) -> Array:
    """Above 20 you returned z itself, as PyTorch does. At 20 that is 2e-9 too little: add log1p(e^−z)."""
    return np.where(z > 20, z, reference.softplus(z))


# --- softplus_vjp -----------------------------------------------------------------------------------------------------
def differentiates_once_too_often(z: Array, cotangent: Array) -> Array:
    """You used σ (1 − σ), the derivative of the sigmoid. That of the softplus is σ itself."""
    return reference.sigmoid_vjp(z, cotangent)


def reverses_the_sigmoid(z: Array, cotangent: Array) -> Array:
    """You multiplied by 1 / (1 + e^z), which is σ(−z). The derivative is e^z / (1 + e^z) = σ(z)."""
    return cotangent * sigmoid(-z)


def forgets_to_divide(z: Array, cotangent: Array) -> Array:
    """You multiplied by e^z. The logarithm brings a denominator: e^z / (1 + e^z)."""
    return cotangent * np.exp(z)


def uses_tanh(z: Array, cotangent: Array) -> Array:
    """You multiplied by tanh(z). The derivative of log(1 + e^z) is σ(z)."""
    return cotangent * np.tanh(z)


def divides_overflowing_exponentials(z: Array, cotangent: Array) -> Array:
    """Your e^z overflows for large z, and inf/inf is nan. Write 1 / (1 + e^−z)."""
    e = np.exp(z)
    return cotangent * e / (1 + e)


def passes_all_above_twenty(z: Array, cotangent: Array) -> Array:
    """Above 20 you passed the gradient on unchanged, as PyTorch does. At 20 that is 2e-9 too much: use σ(z)."""
    return cotangent * np.where(z > 20, 1, sigmoid(z))


# --- silu -------------------------------------------------------------------------------------------------------------
def returns_the_sigmoid(z: Array) -> Array:
    """You returned the sigmoid alone. Multiply it by z."""
    return sigmoid(z)


def adds_the_sigmoid(z: Array) -> Array:
    """You added the sigmoid. Multiply z by it."""
    return z + sigmoid(z)


def reverses_the_gate(z: Array) -> Array:
    """You multiplied by σ(−z), so large inputs are shut out. Multiply by σ(z)."""
    return z * sigmoid(-z)


def uses_the_hard_swish(z: Array) -> Array:
    """z times z/6 + ½ cut to [0, 1] is the hard swish. Use the sigmoid: z σ(z)."""
    return z * np.clip(z / 6 + 0.5, 0, 1)


def uses_mish(z: Array) -> Array:
    """z tanh(softplus(z)) is Mish. SiLU is z σ(z)."""
    return z * np.tanh(reference.softplus(z))


def uses_gelu(z: Array) -> Array:
    """z Φ(z), with the normal distribution function, is GELU. SiLU is z σ(z)."""
    return reference.gelu(z)


def gates_by_tanh(z: Array) -> Array:
    """You multiplied by tanh(z), which is negative for z < 0. Multiply by σ(z)."""
    return z * np.tanh(z)


def squares_the_gate(z: Array) -> Array:
    """You multiplied by the sigmoid twice. Once is enough: z σ(z)."""
    return z * sigmoid(z) ** 2


def overflows_for_large_inputs(z: Array) -> Array:
    """Your e^z overflows for large z, and inf/inf is nan. Write z / (1 + e^−z)."""
    e = np.exp(z)
    return z * e / (1 + e)


# --- silu_vjp ---------------------------------------------------------------------------------------------------------
def forgets_the_product_rule(z: Array, cotangent: Array) -> Array:
    """You used σ alone. Both factors of z σ(z) depend on z: σ + z σ (1 − σ)."""
    return cotangent * sigmoid(z)


def keeps_the_second_term_only(z: Array, cotangent: Array) -> Array:
    """You used z σ (1 − σ) alone. Both factors of z σ(z) depend on z: add σ."""
    return z * reference.sigmoid_vjp(z, cotangent)


def differentiates_the_sigmoid_alone(z: Array, cotangent: Array) -> Array:
    """You used σ (1 − σ), the derivative of the sigmoid. That of z σ(z) is σ + z σ (1 − σ)."""
    return reference.sigmoid_vjp(z, cotangent)


def forgets_the_input_in_the_second_term(z: Array, cotangent: Array) -> Array:
    """You left out z in the second term. It is σ + z σ (1 − σ)."""
    return cotangent * sigmoid(z) + reference.sigmoid_vjp(z, cotangent)


def subtracts_the_second_term(z: Array, cotangent: Array) -> Array:
    """You subtracted z σ (1 − σ). Add it: the derivative of the sigmoid is positive."""
    return cotangent * sigmoid(z) - z * reference.sigmoid_vjp(z, cotangent)


def multiplies_by_the_output_twice(z: Array, cotangent: Array) -> Array:
    """You wrote f + f (1 − σ) with f = z σ. The first term is σ, without z: σ + f (1 − σ)."""
    return cotangent * (reference.silu(z) + reference.silu(z) * sigmoid(-z))


def overflows_in_the_left_tail(z: Array, cotangent: Array) -> Array:
    """Your e^−z overflows for z ≪ 0, and inf/inf is nan. Write it with the sigmoid: σ + z σ (1 − σ)."""
    e = np.exp(-z)
    return cotangent * (1 + e + z * e) / (1 + e) ** 2


# --- gelu -------------------------------------------------------------------------------------------------------------
def returns_the_probability(z: Array, *, approximate: Approximation = "none") -> Array:
    """You returned Φ(z) alone. Multiply it by z."""
    return special.normal_cdf(z) if approximate == "none" else 0.5 * (1 + np.tanh(inner(z)))


def forgets_the_half(z: Array, *, approximate: Approximation = "none") -> Array:
    """You left out the ½. Φ(z) = ½ (1 + erf(z / √2)) runs from 0 to 1."""
    return 2 * reference.gelu(z, approximate=approximate)


def forgets_the_one_in_the_bracket(z: Array, *, approximate: Approximation = "none") -> Array:
    """You left out the 1 in the bracket. It is ½ z (1 + erf(z / √2)), or ½ z (1 + tanh u)."""
    return reference.gelu(z, approximate=approximate) - 0.5 * z


def forgets_the_root_of_two(z: Array, *, approximate: Approximation = "none") -> Array:
    """You wrote erf(z). The normal distribution function is ½ (1 + erf(z / √2))."""
    if approximate == "tanh":
        return reference.gelu(z, approximate="tanh")
    return z * special.normal_cdf(np.sqrt(2.0) * z).astype(z.dtype)


def uses_silu(z: Array, *, approximate: Approximation = "none") -> Array:
    """z σ(z) is SiLU. GELU is z Φ(z), with the normal distribution function."""
    return reference.silu(z)


def approximates_by_the_sigmoid(z: Array, *, approximate: Approximation = "none") -> Array:
    """z σ(1.702 z) is the quick approximation, off by about 0.02 at worst. Use Φ, or tanh where it is asked for."""
    return z * sigmoid(1.702 * z)


def uses_the_density(z: Array, *, approximate: Approximation = "none") -> Array:
    """You multiplied by the normal density φ. Multiply by the distribution function Φ."""
    return z * special.normal_pdf(z)


def approximates_erf_by_a_polynomial(z: Array, *, approximate: Approximation = "none") -> Array:
    """Your erf is off by up to 1.5e-7, the polynomial of Abramowitz and Stegun, 7.1.26. Use that of math or SciPy."""
    if approximate == "tanh":
        return reference.gelu(z, approximate="tanh")
    return z * _cdf_by_a_polynomial(z)


def forgets_the_cube(z: Array, *, approximate: Approximation = "none") -> Array:
    """You left out 0.044715 z³. It is u = √(2/π) (z + 0.044715 z³)."""
    return _gelu_by_tanh(z, _root(z) * z, approximate)


def leaves_the_cube_outside(z: Array, *, approximate: Approximation = "none") -> Array:
    """You added 0.044715 z³ outside the bracket. The root multiplies both terms: √(2/π) (z + 0.044715 z³)."""
    return _gelu_by_tanh(z, _root(z) * z + 0.044715 * z**3, approximate)


def squares_for_the_cube(z: Array, *, approximate: Approximation = "none") -> Array:
    """You squared z where it is cubed. It is u = √(2/π) (z + 0.044715 z³)."""
    return _gelu_by_tanh(z, _root(z) * (z + 0.044715 * z**2), approximate)


def forgets_the_root_of_two_over_pi(z: Array, *, approximate: Approximation = "none") -> Array:
    """You wrote 2/π without the root. It is u = √(2/π) (z + 0.044715 z³)."""
    return _gelu_by_tanh(z, _root(z) * inner(z), approximate)


def drops_a_zero_of_the_coefficient(z: Array, *, approximate: Approximation = "none") -> Array:
    """You wrote 0.44715 for 0.044715, ten times too much."""
    return _gelu_by_tanh(z, _root(z) * (z + 0.44715 * z**3), approximate)


# --- gelu_vjp ---------------------------------------------------------------------------------------------------------
def forgets_the_second_term(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """You used Φ(z) alone. Both factors of z Φ(z) depend on z: Φ(z) + z φ(z), and likewise with tanh."""
    return cotangent * returns_the_probability(z, approximate=approximate)


def forgets_the_first_term(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """You used z φ(z) alone. Both factors of z Φ(z) depend on z: Φ(z) + z φ(z), and likewise with tanh."""
    return cotangent * z * _density(z, approximate)


def forgets_the_input_before_the_density(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """You left out z in the second term. It is Φ(z) + z φ(z), and likewise with tanh."""
    return cotangent * (returns_the_probability(z, approximate=approximate) + _density(z, approximate))


def subtracts_the_density(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """You subtracted the second term. Add it: Φ(z) + z φ(z), and likewise with tanh."""
    return cotangent * (returns_the_probability(z, approximate=approximate) - z * _density(z, approximate))


def uses_the_gradient_of_silu(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """That is the gradient of SiLU, z σ(z). GELU is z Φ(z): Φ(z) + z φ(z)."""
    return reference.silu_vjp(z, cotangent)


def forgets_to_normalize_the_density(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """You left out 1/√(2π). The normal density is φ(z) = e^(−z²/2) / √(2π)."""
    if approximate == "tanh":
        return reference.gelu_vjp(z, cotangent, approximate="tanh")
    return cotangent * (special.normal_cdf(z) + z * np.exp(-(z**2) / 2))


def approximates_erf_in_the_slope(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """Your erf is off by up to 1.5e-7, the polynomial of Abramowitz and Stegun, 7.1.26. Use that of math or SciPy."""
    if approximate == "tanh":
        return reference.gelu_vjp(z, cotangent, approximate="tanh")
    return cotangent * (_cdf_by_a_polynomial(z) + z * special.normal_pdf(z))


def forgets_the_half_in_the_exponent(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """You wrote e^(−z²). The normal density is φ(z) = e^(−z²/2) / √(2π)."""
    if approximate == "tanh":
        return reference.gelu_vjp(z, cotangent, approximate="tanh")
    return cotangent * (special.normal_cdf(z) + z * np.exp(-(z**2)) / np.sqrt(2 * special.pi(z)))


def forgets_to_square_tanh(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """You wrote 1 − tanh u. The derivative of tanh is 1 − tanh² u."""
    if approximate == "none":
        return reference.gelu_vjp(z, cotangent)
    t = np.tanh(inner(z))
    return cotangent * 0.5 * (1 + t + z * (1 - t) * _inner_slope(z))


def forgets_the_inner_derivative(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """You left out u', the inner derivative: u' = √(2/π) (1 + 0.134145 z²) multiplies ½ z (1 − tanh² u)."""
    if approximate == "none":
        return reference.gelu_vjp(z, cotangent)
    t = np.tanh(inner(z))
    return cotangent * 0.5 * (1 + t + z * (1 - t**2))


def forgets_the_three(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """You left out the 3 that the cube brings: u' = √(2/π) (1 + 3 · 0.044715 z²)."""
    if approximate == "none":
        return reference.gelu_vjp(z, cotangent)
    t = np.tanh(inner(z))
    return cotangent * 0.5 * (1 + t + z * (1 - t**2) * _root(z) * (1 + 0.044715 * z**2))


# --- what they are made of --------------------------------------------------------------------------------------------
def inner(z: Array) -> Any:
    """Return u = √(2/π) (z + 0.044715 z³)."""
    return _root(z) * (z + 0.044715 * z**3)


def _root(z: Array) -> Any:
    return np.sqrt(2 / special.pi(z))


def _inner_slope(z: Array) -> Any:
    return _root(z) * (1 + 3 * 0.044715 * z**2)


def _density(z: Array, approximate: Approximation) -> Array:
    """Return the derivative of what z is multiplied by."""
    if approximate == "none":
        return special.normal_pdf(z)
    return 0.5 * (1 - np.tanh(inner(z)) ** 2) * _inner_slope(np.clip(z, -special.FAR, special.FAR))


def _cdf_by_a_polynomial(z: Array) -> Array:
    """Return Φ with erf by Abramowitz and Stegun, 7.1.26."""
    x = np.abs(z) / np.sqrt(np.asarray(2, z.dtype))
    t = 1 / (1 + 0.3275911 * x)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return 0.5 * (1 + np.sign(z) * (1 - series * np.exp(-(x**2))))


def _gelu_by_tanh(z: Array, u: Array, approximate: Approximation) -> Array:
    """Return ½ z (1 + tanh u), which does not concern the exact form."""
    return 0.5 * z * (1 + np.tanh(u)) if approximate == "tanh" else reference.gelu(z)
