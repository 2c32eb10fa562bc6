"""Exercises on activations, and on what they do to gradients."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.activations import misconceptions as wrong
from graders.activations._torch import torch_vjp as _torch_vjp
from graders.activations.axes import ALONG_AN_AXIS, G_3, GRADIENTS_ALONG_AN_AXIS, Z_3
from graders.activations.jacobians import softmax_jacobian
from graders.activations.rectifiers import (
    gelu,
    gelu_vjp,
    leaky_relu,
    leaky_relu_vjp,
    silu,
    silu_vjp,
    softplus,
    softplus_vjp,
)
from graders.harness.exercise import Exercise, edge, extreme, special
from reference import activations as reference
from reference._types import Array

# Distinct sizes, full mantissas; no row is another's multiple.
_Z = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_G = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6]]
_WITH_ZEROS = [[0.0, -1.7, 0.9], [0.3, 0.0, -0.6]]
_TAILS = [[20.3, -20.3, -30.7], [31.1, -40.9, 45.2]]
_FAR = [[87.3, -87.3, -100.1], [700.7, -700.7, 0.3], [1000.3, -1000.3, -1.7], [1e4, -1e4, 0.9]]
_FAR_G = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6], [1.1, -1.6, 0.1], [-0.8, 0.5, -1.2]]

_LARGE = [[8.3, -9.7, 12.1], [-8.9, 10.3, -11.7]]
_LOW = [[-8.3, -9.7, -12.1], [-8.9, -10.3, -11.7]]

_MARGINS = [[1000.0, 0.3, -1000.0], [-1000.0, 1000.0, 999.5]]
_ROWS_APART = [[-500.3, -499.1, -501.2], [0.3, -1.7, 0.9], [500.2, 499.4, 501.1], [705.3, -705.1, 704.2]]
_ALL_LOW = [[-1000.3, -1001.1, -999.6], [-9999.5, -1e4, -1e4]]
_WIDE = [[0.3, -20.7, -79.1], [60.3, 75.1, -3.7]]


# --- sigmoid ----------------------------------------------------------------------------------------------------------
def sigmoid_as_written(z: Array) -> Array:
    """1 / (1 + e^−z): e^−z may become inf, and 1 / inf is the right 0."""
    return 1 / (1 + np.exp(-z))


def sigmoid_by_the_smaller_exponential(z: Array) -> Array:
    """e^min(z, 0) / (1 + e^−|z|)."""
    return np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))


sigmoid = Exercise(
    reference.sigmoid,
    misconceptions=(
        wrong.forgets_the_minus_sign,
        wrong.uses_tanh_for_the_sigmoid,
        wrong.halves_the_logit,
        wrong.forgets_the_one,
        wrong.normalizes_over_the_row,
        wrong.uses_the_hard_sigmoid,
        wrong.exponentiates_positive_logits,
        wrong.clips_the_logits_of_the_sigmoid,
        wrong.clips_the_logits_at_500,
        wrong.clips_the_sigmoid,
        wrong.cancels_in_the_tail,
    ),
    programs=(sigmoid_as_written, sigmoid_by_the_smaller_exponential),
    edges=(
        edge("small", z=_Z),
        edge("zeros", z=_WITH_ZEROS),
        edge("one entry", z=[[-1.7]]),
        edge("near zero", z=[[1e-3, -3e-5, 7e-9]]),
        edge("outside ±3, where the hard sigmoid is flat", z=[[4.3, -5.1, 3.7]]),
        edge("beyond ±8", z=_LARGE),
        edge("three axes", z=Z_3),
        extreme("tails", z=_TAILS),
        extreme("the left tail alone", z=[[-17.3, -30.7, -40.1, -80.9]]),
        extreme("far out", z=_FAR),
    ),
    rivals={"torch": lambda torch, z: torch.sigmoid(torch.tensor(z)).numpy()},
)


# --- sigmoid_vjp ------------------------------------------------------------------------------------------------------
def by_one_minus_the_sigmoid(z: Array, cotangent: Array) -> Array:
    """σ (1 − σ) as it is written."""
    s = reference.sigmoid(z)
    return cotangent * (s * (1 - s))


def by_one_exponential(z: Array, cotangent: Array) -> Array:
    """e^−|z| / (1 + e^−|z|)²."""
    e = np.exp(-np.abs(z))
    return cotangent * e / (1 + e) ** 2


sigmoid_vjp = Exercise(
    reference.sigmoid_vjp,
    misconceptions=(
        wrong.forgets_the_cotangent(reference.sigmoid_vjp),
        wrong.reverses_the_sign(reference.sigmoid_vjp),
        wrong.expects_the_output_of_the_sigmoid,
        wrong.forgets_one_minus_the_sigmoid,
        wrong.squares_the_sigmoid,
        wrong.applies_the_sigmoid_twice,
        wrong.exponentiates_negative_logits,
    ),
    programs=(by_one_minus_the_sigmoid, by_one_exponential),
    edges=(
        edge("small", z=_Z, cotangent=_G),
        edge("zeros", z=_WITH_ZEROS, cotangent=_G),
        edge("one entry", z=[[-1.7]], cotangent=[[0.6]]),
        edge("a cotangent with zeros", z=_Z, cotangent=_WITH_ZEROS),
        edge("below −8", z=_LOW, cotangent=_G),
        edge("three axes", z=Z_3, cotangent=G_3),
        extreme("the left tail", z=[[-20.3, -30.7, -40.1, -80.9]], cotangent=[[0.7, -0.2, 1.3, 0.4]]),
        extreme("far out", z=_FAR, cotangent=_FAR_G),
    ),
    rivals={"torch": lambda torch, z, cotangent: _torch_vjp(torch, torch.sigmoid, z, cotangent)},
)


# --- tanh -------------------------------------------------------------------------------------------------------------
def tanh_by_expm1(z: Array) -> Array:
    """(1 − e^−2|z|) / (1 + e^−2|z|), with the sign of z."""
    return -np.sign(z) * np.expm1(-2 * np.abs(z)) / (1 + np.exp(-2 * np.abs(z)))


tanh = Exercise(
    reference.tanh,
    misconceptions=(
        wrong.uses_the_sigmoid_for_tanh,
        wrong.halves_the_argument,
        wrong.inverts_the_ratio,
        wrong.loses_the_sign,
        wrong.cuts_to_plus_minus_one,
        wrong.exponentiates_both_signs,
        wrong.rescales_the_sigmoid,
    ),
    programs=(tanh_by_expm1,),
    edges=(
        edge("small", z=_Z),
        edge("zeros", z=_WITH_ZEROS),
        edge("one entry", z=[[-1.7]]),
        edge("nearly saturated", z=[[3.3, -5.7, 8.1]]),
        edge("three axes", z=Z_3),
        extreme("near zero", z=[[1e-3, -3e-5, 7e-9], [1e-10, -3e-12, 7e-15]]),
        extreme("far out", z=_FAR),
    ),
    rivals={"torch": lambda torch, z: torch.tanh(torch.tensor(z)).numpy()},
)


# --- tanh_vjp ---------------------------------------------------------------------------------------------------------
def by_one_minus_tanh_squared(z: Array, cotangent: Array) -> Array:
    """1 − tanh² as it is written."""
    return cotangent * (1 - np.tanh(z) ** 2)


def by_the_sigmoid(z: Array, cotangent: Array) -> Array:
    """4 σ'(2z), since tanh(z) = 2 σ(2z) − 1."""
    return 4 * reference.sigmoid_vjp(2 * z, cotangent)


tanh_vjp = Exercise(
    reference.tanh_vjp,
    misconceptions=(
        wrong.forgets_the_cotangent(reference.tanh_vjp),
        wrong.reverses_the_sign(reference.tanh_vjp),
        wrong.expects_the_output_of_tanh,
        wrong.forgets_to_square_tanh,
        wrong.uses_the_derivative_of_the_sigmoid,
        wrong.applies_tanh_twice,
        wrong.exponentiates_positive_arguments,
    ),
    programs=(by_one_minus_tanh_squared, by_the_sigmoid),
    edges=(
        edge("small", z=_Z, cotangent=_G),
        edge("zeros", z=_WITH_ZEROS, cotangent=_G),
        edge("one entry", z=[[-1.7]], cotangent=[[0.6]]),
        edge("near zero", z=[[1e-3, -3e-5, 7e-9]], cotangent=[[0.7, -0.2, 1.3]]),
        edge("three axes", z=Z_3, cotangent=G_3),
        extreme("saturated", z=[[5.3, -8.7, 12.1], [20.3, -30.7, 40.9]], cotangent=_G),
        extreme("far out", z=_FAR, cotangent=_FAR_G),
    ),
    rivals={"torch": lambda torch, z, cotangent: _torch_vjp(torch, torch.tanh, z, cotangent)},
)


# --- relu -------------------------------------------------------------------------------------------------------------
def relu_by_the_mask(z: Array) -> Array:
    """Z where z > 0, else 0."""
    return np.where(z > 0, z, 0)


def relu_by_the_absolute_value(z: Array) -> Array:
    """(z + |z|) / 2."""
    return (z + np.abs(z)) / 2


relu = Exercise(
    reference.relu,
    misconceptions=(
        wrong.leaks,
        wrong.takes_the_absolute_value,
        wrong.keeps_the_negative_part,
        wrong.returns_the_step,
        wrong.cuts_at_one,
        wrong.smooths_the_corner,
    ),
    programs=(relu_by_the_mask, relu_by_the_absolute_value),
    edges=(
        edge("tiny", z=[[3e-13, -1.7e-13, 2.3e-20], [-4.1e-9, 1.3e-30, 0.7e-5]]),
        edge("small", z=[[0.3, -1.7, 1.9], [1.1, 0.4, -0.6]]),
        edge("zeros", z=_WITH_ZEROS),
        edge("one entry", z=[[1.7]]),
        edge("beyond ±8", z=_LARGE),
        edge("three axes", z=Z_3),
        extreme("far out", z=_FAR),
    ),
    rivals={"torch": lambda torch, z: torch.relu(torch.tensor(z)).numpy()},
)


# --- relu_vjp ---------------------------------------------------------------------------------------------------------
def passes_at_zero(z: Array, cotangent: Array) -> Array:
    """relu'(0) = 1: the slope from the right, as in max-based code that keeps z ≥ 0 and in PyTorch's clamp(min=0)."""
    return np.where(z >= 0, cotangent, 0)


def passes_half_at_zero(z: Array, cotangent: Array) -> Array:
    """relu'(0) = ½: the mean of both slopes, as in JAX's and PyTorch's gradient of maximum(z, 0)."""
    return np.where(z > 0, cotangent, np.where(z < 0, 0, 0.5 * cotangent))


def relu_vjp_by_the_mask(z: Array, cotangent: Array) -> Array:
    """The cotangent times the mask."""
    return cotangent * (z > 0)


relu_vjp = Exercise(
    reference.relu_vjp,
    misconceptions=(
        wrong.forgets_the_cotangent(reference.relu_vjp),
        wrong.reverses_the_sign(reference.relu_vjp),
        wrong.lets_everything_through,
        wrong.masks_by_the_cotangent,
        wrong.masks_by_both,
        wrong.multiplies_by_the_output,
        wrong.masks_the_positive_part,
    ),
    conventions=(passes_at_zero, passes_half_at_zero),
    programs=(relu_vjp_by_the_mask,),
    edges=(
        edge(
            "tiny",
            z=[[3e-13, -1.7e-13, 2.3e-20], [-4.1e-9, 1.3e-30, 0.7e-5]],
            cotangent=[[0.7, -0.2, 1.3], [0.6, 0.9, -0.4]],
        ),
        edge("small", z=_Z, cotangent=_G),
        edge("zeros", z=_WITH_ZEROS, cotangent=_G),
        edge("negative gradients at positive inputs", z=[[0.3, 1.7, 0.9]], cotangent=[[-0.7, -0.2, 1.3]]),
        edge("one entry", z=[[1.7]], cotangent=[[0.6]]),
        edge("beyond ±8", z=_LARGE, cotangent=_G),
        edge("three axes", z=Z_3, cotangent=G_3),
        extreme("far out", z=_FAR, cotangent=_FAR_G),
    ),
    rivals={"torch": lambda torch, z, cotangent: _torch_vjp(torch, torch.relu, z, cotangent)},
)


# --- softmax ----------------------------------------------------------------------------------------------------------
def by_exp_of_log_softmax(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """e to the log-softmax."""
    return np.exp(reference.log_softmax(z / temperature, axis=axis))


def by_exp_of_minus_logsumexp(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """e^(z/T − logsumexp(z/T)), where large logits lose digits that the shift would keep."""
    x = z / temperature
    return np.exp(x - np.expand_dims(reference.logsumexp(x, axis=axis), axis))


def by_scaling_first(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """The temperature first, then the shift."""
    x = z / temperature
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e * (1 / np.sum(e, axis=axis, keepdims=True))


def _torch_softmax(torch: Any, z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    return torch.softmax(torch.tensor(z) / temperature, dim=axis).numpy()


softmax = Exercise(
    reference.softmax,
    misconceptions=(
        wrong.forgets_the_exponential,
        wrong.forgets_to_normalize,
        wrong.normalizes_over_the_batch,
        wrong.runs_along_the_other_axis(reference.softmax),
        wrong.ignores_the_axis(reference.softmax),
        wrong.ignores_the_temperature(reference.softmax),
        wrong.multiplies_by_the_temperature(reference.softmax),
        wrong.divides_the_probabilities,
        wrong.uses_powers_of_two,
        wrong.adds_a_small_number_to_the_sum,
        wrong.exponentiates_without_the_shift,
        wrong.shifts_by_the_minimum,
        wrong.shifts_by_the_maximum_of_all,
        wrong.clips_the_logits,
    ),
    programs=(by_exp_of_log_softmax, by_exp_of_minus_logsumexp, by_scaling_first),
    edges=(
        edge("very hot", z=_Z, temperature=10.3),
        edge("very cold", z=_Z, temperature=0.07),
        edge("small", z=_Z),
        special("all equal", z=[[0.7, 0.7, 0.7]]),
        special("one class", z=[[0.3], [-1.7]]),
        edge("warm, down the columns", z=_Z, axis=0, temperature=2.5),
        edge("down the columns", z=_Z, axis=0),
        edge("cold", z=_Z, temperature=0.3),
        edge("one row", z=[[0.3, -1.7, 0.9, 0.2]]),
        *ALONG_AN_AXIS,
        edge("all equal in one row", z=[[0.7, 0.7, 0.7], [-0.4, 1.3, -0.4]]),
        edge("wide, so that small probabilities count", z=_WIDE),
        extreme("margins of 1000 and more", z=_MARGINS),
        extreme("rows far apart", z=_ROWS_APART),
        extreme("all low", z=_ALL_LOW),
        extreme("logits of 1e4", z=[[1e4, -1e4, 0.7], [-1e4, 9999.5, 1e4]]),
    ),
    rivals={"torch": _torch_softmax},
)


# --- softmax_vjp ------------------------------------------------------------------------------------------------------
def by_two_products(z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """S g − s Σ s g."""
    s = reference.softmax(z, axis=axis, temperature=temperature)
    return (s * cotangent - s * np.sum(s * cotangent, axis=axis, keepdims=True)) / temperature


def by_the_jacobian(z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """The Jacobian s_j (δ_ij − s_i) as a matrix, for every row."""
    s = np.moveaxis(reference.softmax(z, axis=axis, temperature=temperature), axis, -1)
    g = np.moveaxis(cotangent, axis, -1)
    jacobian = s[..., :, None] * (np.eye(s.shape[-1]).astype(z.dtype) - s[..., None, :])
    return np.moveaxis(np.sum(jacobian * g[..., None, :], axis=-1), -1, axis) / temperature


def by_two_products_of_minus_logsumexp(
    z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0
) -> Array:
    """S g − s Σ s g, with s = e^(z/T − logsumexp(z/T))."""
    s = by_exp_of_minus_logsumexp(z, axis=axis, temperature=temperature)
    return (s * cotangent - s * np.sum(s * cotangent, axis=axis, keepdims=True)) / temperature


softmax_vjp = Exercise(
    reference.softmax_vjp,
    misconceptions=(
        wrong.forgets_the_cotangent(reference.softmax_vjp),
        wrong.reverses_the_sign(reference.softmax_vjp),
        wrong.keeps_the_diagonal_only,
        wrong.drops_the_diagonal,
        wrong.adds_the_off_diagonal,
        wrong.uses_the_jacobian_of_log_softmax,
        wrong.subtracts_the_plain_mean,
        wrong.runs_along_the_other_axis(reference.softmax_vjp),
        wrong.ignores_the_axis(reference.softmax_vjp),
        wrong.ignores_the_temperature(reference.softmax_vjp),
        wrong.forgets_the_outer_temperature,
        wrong.differentiates_an_overflowing_softmax,
    ),
    programs=(by_two_products, by_the_jacobian, by_two_products_of_minus_logsumexp),
    edges=(
        edge("very hot", z=_Z, cotangent=_G, temperature=10.3),
        edge("very cold", z=_Z, cotangent=_G, temperature=0.07),
        edge("small", z=_Z, cotangent=_G),
        special("one class", z=[[0.3], [-1.7]], cotangent=[[0.7], [-0.2]]),
        edge("warm, down the columns", z=_Z, cotangent=_G, axis=0, temperature=2.5),
        edge("down the columns", z=_Z, cotangent=_G, axis=0),
        edge("cold", z=_Z, cotangent=_G, temperature=0.3),
        edge("one row", z=[[0.3, -1.7, 0.9, 0.2]], cotangent=[[0.7, -0.2, 1.3, 0.4]]),
        *GRADIENTS_ALONG_AN_AXIS,
        edge("all equal in one row", z=[[0.7, 0.7, 0.7], [-0.4, 1.3, -0.4]], cotangent=_G),
        extreme("ties on a height", z=[[1000.3, 1000.3, 999.6], [-1000.3, -1000.3, -1001.1]], cotangent=_G),
        extreme("rows far apart", z=_ROWS_APART, cotangent=_FAR_G),
        extreme("all low", z=_ALL_LOW, cotangent=_G),
    ),
    rivals={
        "torch": lambda torch, z, cotangent, *, axis=-1, temperature=1.0: _torch_vjp(
            torch, lambda x: torch.softmax(x / temperature, dim=axis), z, cotangent
        )
    },
)


# --- log_softmax ------------------------------------------------------------------------------------------------------
def by_subtracting_logsumexp(z: Array, *, axis: int = -1) -> Array:
    """Z − logsumexp(z), the maximum inside the second term."""
    return z - np.expand_dims(reference.logsumexp(z, axis=axis), axis)


log_softmax = Exercise(
    reference.log_softmax,
    misconceptions=(
        wrong.forgets_the_log,
        wrong.uses_the_logarithm_to_base_ten,
        wrong.subtracts_the_maximum_only,
        wrong.logs_over_the_batch,
        wrong.runs_along_the_other_axis(reference.log_softmax),
        wrong.ignores_the_axis(reference.log_softmax),
        wrong.logs_the_softmax,
        wrong.adds_a_small_number_before_the_log,
        wrong.subtracts_an_overflowed_log,
        wrong.shifts_the_log_by_the_maximum_of_all,
    ),
    programs=(by_subtracting_logsumexp,),
    edges=(
        edge("small", z=_Z),
        special("one class", z=[[0.3], [-1.7]]),
        edge("down the columns", z=_Z, axis=0),
        edge("one row", z=[[0.3, -1.7, 0.9, 0.2]]),
        *ALONG_AN_AXIS,
        edge("all equal in one row", z=[[0.7, 0.7, 0.7], [-0.4, 1.3, -0.4]]),
        edge("wide, so that small probabilities count", z=_WIDE),
        extreme("margins of 1000 and more", z=_MARGINS),
        extreme("rows far apart", z=_ROWS_APART),
        extreme("all low", z=_ALL_LOW),
        extreme("logits of 1e4", z=[[1e4, -1e4, 0.7], [-1e4, 9999.5, 1e4]]),
    ),
    rivals={"torch": lambda torch, z, *, axis=-1: torch.log_softmax(torch.tensor(z), dim=axis).numpy()},
)


# --- log_softmax_vjp --------------------------------------------------------------------------------------------------
def by_exp_of_the_log(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """From the output, as PyTorch does it: g − e^output Σ g."""
    return cotangent - np.exp(reference.log_softmax(z, axis=axis)) * np.sum(cotangent, axis=axis, keepdims=True)


def by_the_jacobian_of_the_log(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """The Jacobian δ_ij − s_i as a matrix, for every row."""
    s = np.moveaxis(reference.softmax(z, axis=axis), axis, -1)
    g = np.moveaxis(cotangent, axis, -1)
    jacobian = np.eye(s.shape[-1]).astype(z.dtype) - s[..., :, None]
    return np.moveaxis(np.sum(jacobian * g[..., None, :], axis=-1), -1, axis)


log_softmax_vjp = Exercise(
    reference.log_softmax_vjp,
    misconceptions=(
        wrong.forgets_the_cotangent(reference.log_softmax_vjp),
        wrong.reverses_the_sign(reference.log_softmax_vjp),
        wrong.uses_the_jacobian_of_softmax,
        wrong.forgets_the_sum_of_the_cotangent,
        wrong.transposes_the_jacobian,
        wrong.keeps_the_diagonal_of_the_log,
        wrong.runs_along_the_other_axis(reference.log_softmax_vjp),
        wrong.ignores_the_axis(reference.log_softmax_vjp),
        wrong.differentiates_an_overflowing_log_softmax,
    ),
    programs=(by_exp_of_the_log, by_the_jacobian_of_the_log),
    edges=(
        edge("small", z=_Z, cotangent=_G),
        special("one class", z=[[0.3], [-1.7]], cotangent=[[0.7], [-0.2]]),
        edge("down the columns", z=_Z, cotangent=_G, axis=0),
        edge("one row", z=[[0.3, -1.7, 0.9, 0.2]], cotangent=[[0.7, -0.2, 1.3, 0.4]]),
        *GRADIENTS_ALONG_AN_AXIS,
        edge("all equal in one row", z=[[0.7, 0.7, 0.7], [-0.4, 1.3, -0.4]], cotangent=_G),
        extreme("margins of 1000 and more", z=_MARGINS, cotangent=_G),
        extreme("rows far apart", z=_ROWS_APART, cotangent=_FAR_G),
        extreme("all low", z=_ALL_LOW, cotangent=_G),
    ),
    rivals={
        "torch": lambda torch, z, cotangent, *, axis=-1: _torch_vjp(
            torch, lambda x: torch.log_softmax(x, dim=axis), z, cotangent
        )
    },
)


# --- logsumexp --------------------------------------------------------------------------------------------------------
def by_log1p_of_the_others(z: Array, *, axis: int = -1) -> Array:
    """The maximum and log1p of what the others add: Σ e^(z − max) = 1 + (Σ e^(z − max) − 1)."""
    top = np.max(z, axis=axis, keepdims=True)
    return np.sum(top, axis=axis) + np.log1p(np.sum(np.exp(z - top), axis=axis) - 1)


logsumexp = Exercise(
    reference.logsumexp,
    misconceptions=(
        wrong.forgets_to_add_the_maximum,
        wrong.takes_the_maximum,
        wrong.takes_the_mean_of_the_exponentials,
        wrong.sums_the_logits,
        wrong.uses_the_logarithm_to_base_two,
        wrong.sums_exponentials_without_the_shift,
        wrong.shifts_the_sum_by_the_maximum_of_all,
    ),
    programs=(by_log1p_of_the_others,),
    edges=(
        edge("small", z=_Z),
        edge("down the columns", z=_Z, axis=0),
        edge("one class", z=[[0.3], [-1.7]]),
        edge("one row", z=[[0.3, -1.7, 0.9, 0.2]]),
        *ALONG_AN_AXIS,
        edge("all equal", z=[[0.7, 0.7, 0.7], [-0.4, -0.4, -0.4]]),
        extreme("all but the sum of the others", z=[[0.0, -16.3, -20.7], [-30.1, 0.0, -31.9]]),
        extreme("margins of 1000 and more", z=_MARGINS),
        extreme("rows far apart", z=_ROWS_APART),
        extreme("all low", z=_ALL_LOW),
        extreme("logits of 1e4", z=[[1e4, -1e4, 0.7], [-1e4, 9999.5, 1e4]]),
    ),
    rivals={"torch": lambda torch, z, *, axis=-1: torch.logsumexp(torch.tensor(z), dim=axis).numpy()},
)


# --- logsumexp_vjp ----------------------------------------------------------------------------------------------------
def by_exp_of_the_difference(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """e^(z − logsumexp(z)), from the output."""
    return np.expand_dims(cotangent, axis) * np.exp(z - np.expand_dims(reference.logsumexp(z, axis=axis), axis))


logsumexp_vjp = Exercise(
    reference.logsumexp_vjp,
    misconceptions=(
        wrong.reverses_the_sign(reference.logsumexp_vjp),
        wrong.returns_the_probabilities,
        wrong.shares_alike,
        wrong.gives_it_to_the_maximum,
        wrong.differentiates_once_too_often,
        wrong.forgets_to_divide_by_the_sum,
        wrong.differentiates_an_overflowing_sum,
    ),
    programs=(by_exp_of_the_difference,),
    edges=(
        edge("small", z=_Z, cotangent=[0.7, -0.2]),
        edge("down the columns", z=_Z, cotangent=[0.7, -0.2, 1.3], axis=0),
        edge("one class", z=[[0.3], [-1.7]], cotangent=[0.7, -0.2]),
        edge("one row", z=[[0.3, -1.7, 0.9, 0.2]], cotangent=[0.7]),
        edge("three axes", z=Z_3, cotangent=[[0.7, -0.2, 1.3], [0.4, -1.1, 0.6]]),
        edge("three axes, along the middle one", z=Z_3, cotangent=[row[0] for row in G_3], axis=1),
        edge("three axes, along the last but one", z=Z_3, cotangent=[row[1] for row in G_3], axis=-2),
        edge("all equal", z=[[0.7, 0.7, 0.7], [-0.4, -0.4, -0.4]], cotangent=[0.7, -0.2]),
        extreme("margins of 1000 and more", z=_MARGINS, cotangent=[0.7, -0.2]),
        extreme("rows far apart", z=_ROWS_APART, cotangent=[0.7, -0.2, 1.3, 0.4]),
        extreme("all low", z=_ALL_LOW, cotangent=[0.7, -0.2]),
    ),
    rivals={
        "torch": lambda torch, z, cotangent, *, axis=-1: _torch_vjp(
            torch, lambda x: torch.logsumexp(x, dim=axis), z, cotangent
        )
    },
)

__all__ = (
    "gelu",
    "gelu_vjp",
    "leaky_relu",
    "leaky_relu_vjp",
    "log_softmax",
    "log_softmax_vjp",
    "logsumexp",
    "logsumexp_vjp",
    "relu",
    "relu_vjp",
    "sigmoid",
    "sigmoid_vjp",
    "silu",
    "silu_vjp",
    "softmax",
    "softmax_jacobian",
    "softmax_vjp",
    "softplus",
    "softplus_vjp",
    "tanh",
    "tanh_vjp",
)
