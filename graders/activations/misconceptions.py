"""Known mistakes in the activations; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from reference import activations as reference
from reference._types import Array

Function = Callable[..., Array]


# --- mistakes that many share: each takes the function that is misunderstood ------------------------------------------
def forgets_the_cotangent(vjp: Function) -> Function:
    """Make the mistake for a `_vjp` whose cotangent has the shape of its input."""

    def forgets_the_cotangent(z: Array, cotangent: Array, **hyper: Any) -> Array:
        """You returned the derivative by itself. Apply it to the incoming gradient, the cotangent."""
        return vjp(z, np.zeros_like(cotangent) + 1, **hyper)

    return with_signature_of(vjp, forgets_the_cotangent)


def reverses_the_sign(vjp: Function) -> Function:
    """Make the mistake for any `_vjp`."""

    def reverses_the_sign(z: Array, cotangent: Array, **hyper: Any) -> Array:
        """Your gradient points the other way: the sign is reversed. Check the order of the difference in it."""
        return -vjp(z, cotangent, **hyper)

    return with_signature_of(vjp, reverses_the_sign)


def ignores_the_axis(f: Function) -> Function:
    """Make the mistake for a function that has an axis, and does not lose it."""

    def ignores_the_axis(*arrays: Array, axis: int = -1, **hyper: Any) -> Array:
        """You work along the last axis whatever `axis` says. Hand the argument on to every maximum and sum."""
        return f(*arrays, **hyper)

    return with_signature_of(f, ignores_the_axis)


def runs_along_the_other_axis(f: Function) -> Function:
    """Make the mistake for a function that has an axis, and does not lose it."""

    def runs_along_the_other_axis(*arrays: Array, axis: int = -1, **hyper: Any) -> Array:
        """You run along the wrong axis. With axis=-1 every row is one sample, and sums run within the row."""
        return f(*arrays, axis=-1 - axis if len(arrays[0].shape) == 2 else axis, **hyper)

    return with_signature_of(f, runs_along_the_other_axis)


def ignores_the_temperature(f: Function) -> Function:
    """Make the mistake for a function that has a temperature."""

    def ignores_the_temperature(*arrays: Array, temperature: float = 1.0, **hyper: Any) -> Array:
        """You ignored the temperature. Divide the logits by it before the exponential."""
        return f(*arrays, **hyper)

    return with_signature_of(f, ignores_the_temperature)


def multiplies_by_the_temperature(f: Function) -> Function:
    """Make the mistake for a function that has a temperature."""

    def multiplies_by_the_temperature(*arrays: Array, temperature: float = 1.0, **hyper: Any) -> Array:
        """You multiplied by the temperature. Divide by it: a high temperature makes the probabilities more alike."""
        return f(*arrays, temperature=1 / temperature, **hyper)

    return with_signature_of(f, multiplies_by_the_temperature)


# --- sigmoid ----------------------------------------------------------------------------------------------------------
def forgets_the_minus_sign(z: Array) -> Array:
    """You wrote e^z for e^−z, so your sigmoid falls where it should rise. σ(z) = 1 / (1 + e^−z)."""
    return reference.sigmoid(-z)


def uses_tanh_for_the_sigmoid(z: Array) -> Array:
    """That is tanh, which runs from −1 to 1. The sigmoid runs from 0 to 1: σ(z) = 1 / (1 + e^−z)."""
    return reference.tanh(z)


def halves_the_logit(z: Array) -> Array:
    """You took the sigmoid of z/2. The factor ½ belongs to the form with tanh: σ(z) = (1 + tanh(z/2)) / 2."""
    return reference.sigmoid(z / 2)


def forgets_the_one(z: Array) -> Array:
    """You left out the 1 in the denominator. σ(z) = 1 / (1 + e^−z), which never exceeds one."""
    return np.exp(z)


def normalizes_over_the_row(z: Array) -> Array:
    """You divided by a sum over the row: that is softmax. The sigmoid looks at every entry by itself."""
    return reference.softmax(z)


def uses_the_hard_sigmoid(z: Array) -> Array:
    """You used the piecewise linear stand-in, z/6 + ½ cut to [0, 1]. Use the exponential: 1 / (1 + e^−z)."""
    return np.clip(z / 6 + 0.5, 0, 1)


def exponentiates_positive_logits(z: Array) -> Array:
    """Your e^z overflows for large z, and inf/inf is nan. For z ≥ 0 write 1 / (1 + e^−z), or use e^−|z| throughout."""
    e = np.exp(z)
    return e / (1 + e)


def clips_the_logits_of_the_sigmoid(z: Array) -> Array:
    """You cut the logits to ±30, so σ never falls below 9e-14. It needs no cutting: e^−|z| cannot overflow."""
    return reference.sigmoid(np.clip(z, -30, 30))


def clips_the_logits_at_500(z: Array) -> Array:
    """You cut the logits to ±500, so σ never falls below 7e-218. It needs no cutting: e^−|z| cannot overflow."""
    return reference.sigmoid(np.clip(z, -500, 500))


def clips_the_sigmoid(z: Array) -> Array:
    """You cut the result to [1e-7, 1 − 1e-7], which spoils the tails. Return σ as it is."""
    return np.clip(reference.sigmoid(z), 1e-7, 1 - 1e-7)


def cancels_in_the_tail(z: Array) -> Array:
    """(1 + tanh(z/2)) / 2 is σ on paper, but for z ≪ 0 it subtracts numbers that are nearly one. Use e^−|z|."""
    return 0.5 * (1 + np.tanh(0.5 * z))


# --- sigmoid_vjp ------------------------------------------------------------------------------------------------------
def expects_the_output_of_the_sigmoid(z: Array, cotangent: Array) -> Array:
    """You computed z (1 − z). That formula is for the output: take s = σ(z) first, then s (1 − s)."""
    return cotangent * z * (1 - z)


def forgets_one_minus_the_sigmoid(z: Array, cotangent: Array) -> Array:
    """You multiplied by σ alone. The derivative is σ (1 − σ)."""
    return cotangent * reference.sigmoid(z)


def squares_the_sigmoid(z: Array, cotangent: Array) -> Array:
    """You wrote 1 − σ², which is the derivative's form for tanh. Here it is σ (1 − σ)."""
    return cotangent * (1 - reference.sigmoid(z) ** 2)


def applies_the_sigmoid_twice(z: Array, cotangent: Array) -> Array:
    """You applied the sigmoid to its own output. Take s = σ(z) once, then s (1 − s)."""
    return reference.sigmoid_vjp(reference.sigmoid(z), cotangent)


def exponentiates_negative_logits(z: Array, cotangent: Array) -> Array:
    """e^−z overflows for z ≪ 0, and inf/inf is nan. Use e^−|z|: the derivative is even in z."""
    e = np.exp(-z)
    return cotangent * e / (1 + e) ** 2


# --- tanh -------------------------------------------------------------------------------------------------------------
def uses_the_sigmoid_for_tanh(z: Array) -> Array:
    """That is the sigmoid, which runs from 0 to 1. tanh runs from −1 to 1: tanh(z) = 2 σ(2z) − 1."""
    return reference.sigmoid(z)


def halves_the_argument(z: Array) -> Array:
    """2 σ(z) − 1 is tanh(z/2). Double the argument: tanh(z) = 2 σ(2z) − 1."""
    return reference.tanh(z / 2)


def inverts_the_ratio(z: Array) -> Array:
    """You turned the fraction over. tanh = (e^z − e^−z) / (e^z + e^−z): the difference is above."""
    return 1 / np.tanh(z)


def loses_the_sign(z: Array) -> Array:
    """Your tanh is never negative. tanh(−z) = −tanh(z): give the sign back after using |z|."""
    return np.abs(np.tanh(z))


def cuts_to_plus_minus_one(z: Array) -> Array:
    """You cut z to [−1, 1], the "hard" tanh. Use the exponentials, or np.tanh."""
    return np.clip(z, -1, 1)


def exponentiates_both_signs(z: Array) -> Array:
    """e^z or e^−z overflows for large |z|, and inf/inf is nan. Use np.tanh, or write it with e^−2|z|."""
    a, b = np.exp(z), np.exp(-z)
    return (a - b) / (a + b)


def rescales_the_sigmoid(z: Array) -> Array:
    """2 σ(2z) − 1 is tanh on paper, but near z = 0 the subtraction leaves no digits. Use np.tanh, or expm1."""
    return 2 * reference.sigmoid(2 * z) - 1


# --- tanh_vjp ---------------------------------------------------------------------------------------------------------
def expects_the_output_of_tanh(z: Array, cotangent: Array) -> Array:
    """You computed 1 − z². That formula is for the output: take t = tanh(z) first, then 1 − t²."""
    return cotangent * (1 - z**2)


def forgets_to_square_tanh(z: Array, cotangent: Array) -> Array:
    """You wrote 1 − tanh(z). The derivative is 1 − tanh²(z)."""
    return cotangent * (1 - np.tanh(z))


def uses_the_derivative_of_the_sigmoid(z: Array, cotangent: Array) -> Array:
    """You used t (1 − t), the sigmoid's form. For tanh it is 1 − t²."""
    t = np.tanh(z)
    return cotangent * t * (1 - t)


def applies_tanh_twice(z: Array, cotangent: Array) -> Array:
    """You applied tanh to its own output. Take t = tanh(z) once, then 1 − t²."""
    return reference.tanh_vjp(np.tanh(z), cotangent)


def exponentiates_positive_arguments(z: Array, cotangent: Array) -> Array:
    """e^2z overflows for large z, and inf/inf is nan. Use e^−2|z|: the derivative is even in z."""
    u = np.exp(2 * z)
    return cotangent * 4 * u / (1 + u) ** 2


# --- relu -------------------------------------------------------------------------------------------------------------
def leaks(z: Array) -> Array:
    """You let a hundredth of negative inputs through; that is the leaky ReLU. Here they become 0."""
    return np.where(z > 0, z, 0.01 * z)


def takes_the_absolute_value(z: Array) -> Array:
    """You turned negative inputs into positive ones. They become 0: max(z, 0)."""
    return np.abs(z)


def keeps_the_negative_part(z: Array) -> Array:
    """You kept the negative part, min(z, 0). Keep the positive one: max(z, 0)."""
    return z - np.maximum(z, 0)


def returns_the_step(z: Array) -> Array:
    """You returned the mask, 0 or 1. Multiply it by z."""
    return np.where(z > 0, np.zeros_like(z) + 1, 0)


def cuts_at_one(z: Array) -> Array:
    """You also cut at 1. ReLU has no upper end."""
    return np.clip(z, 0, 1)


def smooths_the_corner(z: Array) -> Array:
    """That is softplus, log(1 + e^z), ReLU's smooth relative. Use max(z, 0)."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


# --- relu_vjp ---------------------------------------------------------------------------------------------------------
def lets_everything_through(z: Array, cotangent: Array) -> Array:
    """You passed the gradient on unchanged. It is 0 where z < 0."""
    return cotangent + 0 * z


def masks_by_the_cotangent(z: Array, cotangent: Array) -> Array:
    """You masked by the sign of the incoming gradient. The mask comes from the input: z > 0."""
    return np.where(cotangent > 0, cotangent, 0)


def masks_by_both(z: Array, cotangent: Array) -> Array:
    """You also dropped negative incoming gradients. Only z decides: a negative gradient passes where z > 0."""
    return np.where(z > 0, np.maximum(cotangent, 0), 0)


def multiplies_by_the_output(z: Array, cotangent: Array) -> Array:
    """You multiplied the gradient by relu(z). Multiply it by the mask, which is 1 where z > 0."""
    return cotangent * np.maximum(z, 0)


def masks_the_positive_part(z: Array, cotangent: Array) -> Array:
    """Your mask is the wrong way round. The gradient passes where z > 0."""
    return np.where(z < 0, cotangent, 0)


# --- softmax ----------------------------------------------------------------------------------------------------------
def forgets_the_exponential(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You divided the logits by their sum. Take exponentials first: they make every entry positive."""
    return z / np.sum(z, axis=axis, keepdims=True)


def forgets_to_normalize(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """Your probabilities do not sum to one. Divide the exponentials by their sum."""
    return np.exp((z - np.max(z, axis=axis, keepdims=True)) / temperature)


def normalizes_over_the_batch(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You divided by the sum over the whole array. Every row needs its own sum: give np.sum the axis, and keepdims."""
    e = np.exp((z - np.max(z)) / temperature)
    return e / np.sum(e)


def divides_the_probabilities(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You divided the probabilities by the temperature, so they sum to 1/T. Divide the logits by it instead."""
    return reference.softmax(z, axis=axis) / temperature


def uses_powers_of_two(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You used powers of 2. The base is e: np.exp."""
    return reference.softmax(z * 0.6931471805599453, axis=axis, temperature=temperature)


def adds_a_small_number_to_the_sum(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You added a small number to the sum. It is not needed, since the sum is at least 1, and it biases every entry."""
    e = np.exp((z - np.max(z, axis=axis, keepdims=True)) / temperature)
    return e / (np.sum(e, axis=axis, keepdims=True) + 1e-5)


def exponentiates_without_the_shift(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """Your exponentials overflow: e^1000 is inf. Subtract the maximum along the axis first; the result is the same."""
    e = np.exp(z / temperature)
    return e / np.sum(e, axis=axis, keepdims=True)


def shifts_by_the_minimum(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You subtracted the minimum, which leaves positive exponents that overflow. Subtract the maximum."""
    e = np.exp((z + np.max(-z, axis=axis, keepdims=True)) / temperature)
    return e / np.sum(e, axis=axis, keepdims=True)


def shifts_by_the_maximum_of_all(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You subtracted the maximum of the whole array: a row far below it becomes 0/0. Take it along the axis."""
    e = np.exp((z - np.max(z)) / temperature)
    return e / np.sum(e, axis=axis, keepdims=True)


def clips_the_logits(z: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You cut the logits to ±50, so larger ones all count the same. Subtract the maximum instead."""
    return reference.softmax(np.clip(z, -50, 50), axis=axis, temperature=temperature)


# --- softmax_vjp ------------------------------------------------------------------------------------------------------
def keeps_the_diagonal_only(z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You used s (1 − s), the Jacobian's diagonal. Every output depends on every logit: s_i (g_i − Σ_j g_j s_j)."""
    s = reference.softmax(z, axis=axis, temperature=temperature)
    return cotangent * s * (1 - s) / temperature


def drops_the_diagonal(z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You used −s_j s_i on the diagonal too. There it is s_i (1 − s_i): add s_i g_i."""
    s = reference.softmax(z, axis=axis, temperature=temperature)
    return -s * np.sum(cotangent * s, axis=axis, keepdims=True) / temperature


def adds_the_off_diagonal(z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You added Σ_j g_j s_j. Subtract it: raising one logit lowers the other probabilities."""
    s = reference.softmax(z, axis=axis, temperature=temperature)
    return s * (cotangent + np.sum(cotangent * s, axis=axis, keepdims=True)) / temperature


def uses_the_jacobian_of_log_softmax(z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You used δ_ij − s_i, which belongs to log softmax. For softmax it is s_j (δ_ij − s_i)."""
    s = reference.softmax(z, axis=axis, temperature=temperature)
    return (cotangent - s * np.sum(cotangent, axis=axis, keepdims=True)) / temperature


def forgets_the_outer_temperature(z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You forgot the inner derivative 1/T of z/T. Divide the gradient by the temperature."""
    return temperature * reference.softmax_vjp(z, cotangent, axis=axis, temperature=temperature)


def subtracts_the_plain_mean(z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """You subtracted the plain mean of the gradients. Subtract their mean under the probabilities, Σ_j g_j s_j."""
    s = reference.softmax(z, axis=axis, temperature=temperature)
    return s * (cotangent - np.mean(cotangent, axis=axis, keepdims=True)) / temperature


def differentiates_an_overflowing_softmax(
    z: Array, cotangent: Array, *, axis: int = -1, temperature: float = 1.0
) -> Array:
    """The softmax inside your gradient overflows. Subtract the maximum along the axis before the exponentials."""
    s = exponentiates_without_the_shift(z, axis=axis, temperature=temperature)
    return s * (cotangent - np.sum(cotangent * s, axis=axis, keepdims=True)) / temperature


# --- log_softmax ------------------------------------------------------------------------------------------------------
def forgets_the_log(z: Array, *, axis: int = -1) -> Array:
    """You returned the probabilities. Return their logarithms, z − log Σ e^z."""
    return reference.softmax(z, axis=axis)


def uses_the_logarithm_to_base_ten(z: Array, *, axis: int = -1) -> Array:
    """You took the logarithm to base 10. Use the natural one, np.log."""
    return reference.log_softmax(z, axis=axis) * 0.4342944819032518


def subtracts_the_maximum_only(z: Array, *, axis: int = -1) -> Array:
    """You only subtracted the maximum. Then subtract log Σ e^(z − max) as well."""
    return z - np.max(z, axis=axis, keepdims=True)


def logs_over_the_batch(z: Array, *, axis: int = -1) -> Array:
    """You summed over the whole array. Every row needs its own sum: give np.sum the axis, and keepdims."""
    d = z - np.max(z)
    return d - np.log(np.sum(np.exp(d)))


def logs_the_softmax(z: Array, *, axis: int = -1) -> Array:
    """You took the log of a probability that had already become 0. Compute z − max − log Σ e^(z − max) instead."""
    return np.log(reference.softmax(z, axis=axis))


def adds_a_small_number_before_the_log(z: Array, *, axis: int = -1) -> Array:
    """log(p + 1e-7) is not log p, and never falls below −16. Compute z − max − log Σ e^(z − max) instead."""
    return np.log(reference.softmax(z, axis=axis) + 1e-7)


def subtracts_an_overflowed_log(z: Array, *, axis: int = -1) -> Array:
    """Your Σ e^z overflows (or vanishes). Subtract the maximum along the axis from z first."""
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


def shifts_the_log_by_the_maximum_of_all(z: Array, *, axis: int = -1) -> Array:
    """You subtracted the maximum of the whole array: a row far below it becomes log 0. Take it along the axis."""
    return subtracts_an_overflowed_log(z - np.max(z), axis=axis)


# --- log_softmax_vjp --------------------------------------------------------------------------------------------------
def uses_the_jacobian_of_softmax(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """You used s_j (δ_ij − s_i), which belongs to softmax. For log softmax it is δ_ij − s_i: g_i − s_i Σ_j g_j."""
    return reference.softmax_vjp(z, cotangent, axis=axis)


def forgets_the_sum_of_the_cotangent(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """You wrote g − s, which is right only if the g sum to one. It is g_i − s_i Σ_j g_j."""
    return cotangent - reference.softmax(z, axis=axis)


def transposes_the_jacobian(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """You summed over the wrong index: g_i − Σ_j s_j g_j. This Jacobian is not symmetric; it is g_i − s_i Σ_j g_j."""
    s = reference.softmax(z, axis=axis)
    return cotangent - np.sum(s * cotangent, axis=axis, keepdims=True)


def keeps_the_diagonal_of_the_log(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """You used the diagonal 1 − s_i alone. Every output depends on every logit: g_i − s_i Σ_j g_j."""
    return cotangent * (1 - reference.softmax(z, axis=axis))


def differentiates_an_overflowing_log_softmax(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """The softmax inside your gradient overflows. Subtract the maximum along the axis before the exponentials."""
    s = exponentiates_without_the_shift(z, axis=axis)
    return cotangent - s * np.sum(cotangent, axis=axis, keepdims=True)


# --- logsumexp --------------------------------------------------------------------------------------------------------
def forgets_to_add_the_maximum(z: Array, *, axis: int = -1) -> Array:
    """You took the maximum off and did not give it back. Add it after the logarithm."""
    return reference.logsumexp(z, axis=axis) - np.max(z, axis=axis)


def takes_the_maximum(z: Array, *, axis: int = -1) -> Array:
    """You returned the maximum, which is only close. Add log Σ e^(z − max)."""
    return np.max(z, axis=axis)


def takes_the_mean_of_the_exponentials(z: Array, *, axis: int = -1) -> Array:
    """You took the logarithm of the mean. Take it of the sum."""
    top = np.max(z, axis=axis)
    return top + np.log(np.mean(np.exp(z - np.expand_dims(top, axis)), axis=axis))


def sums_the_logits(z: Array, *, axis: int = -1) -> Array:
    """log Σ e^z is not Σ log e^z: the logarithm of a sum is not a sum of logarithms."""
    return np.sum(z, axis=axis)


def uses_the_logarithm_to_base_two(z: Array, *, axis: int = -1) -> Array:
    """You took the logarithm to base 2. Use the natural one, np.log."""
    return reference.logsumexp(z, axis=axis) * 1.4426950408889634


def sums_exponentials_without_the_shift(z: Array, *, axis: int = -1) -> Array:
    """Your Σ e^z overflows, or all its terms vanish. Take off the maximum first, and add it after the logarithm."""
    return np.log(np.sum(np.exp(z), axis=axis))


def shifts_the_sum_by_the_maximum_of_all(z: Array, *, axis: int = -1) -> Array:
    """You took off the maximum of the whole array: a row far below it becomes log 0. Take it along the axis."""
    top = np.max(z)
    return top + np.log(np.sum(np.exp(z - top), axis=axis))


# --- logsumexp_vjp ----------------------------------------------------------------------------------------------------
def returns_the_probabilities(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """You returned softmax(z) by itself. Multiply each row by its incoming gradient, the cotangent."""
    return reference.softmax(z, axis=axis) + 0 * np.expand_dims(cotangent, axis)


def shares_alike(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """You shared the gradient equally. Larger logits get more: the shares are softmax(z)."""
    return (np.expand_dims(cotangent, axis) + np.zeros_like(z)) / z.shape[axis]


def gives_it_to_the_maximum(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """You gave the whole gradient to the largest logit, as for max. The shares are softmax(z)."""
    return np.where(z == np.max(z, axis=axis, keepdims=True), np.expand_dims(cotangent, axis), 0)


def differentiates_once_too_often(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """You used s (1 − s). The derivative of log Σ e^z is s itself."""
    s = reference.softmax(z, axis=axis)
    return np.expand_dims(cotangent, axis) * s * (1 - s)


def forgets_to_divide_by_the_sum(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """You multiplied by the exponentials. Divide them by their sum: the derivative of log Σ is 1/Σ."""
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return np.expand_dims(cotangent, axis) * e


def differentiates_an_overflowing_sum(z: Array, cotangent: Array, *, axis: int = -1) -> Array:
    """The softmax inside your gradient overflows. Subtract the maximum along the axis before the exponentials."""
    s = exponentiates_without_the_shift(z, axis=axis)
    return np.expand_dims(cotangent, axis) * s
