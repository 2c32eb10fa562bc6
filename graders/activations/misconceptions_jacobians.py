"""Known mistakes in the Jacobian of softmax; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from graders.activations.misconceptions import exponentiates_without_the_shift
from reference import activations as reference
from reference._types import Array


# --- softmax_jacobian -------------------------------------------------------------------------------------------------
def keeps_the_diagonal_only(z: Array, *, temperature: float = 1.0) -> Array:
    """You filled the diagonal, s_i (1 − s_i), alone. Every output depends on every logit: −s_i s_j beside it."""
    s = reference.softmax(z, temperature=temperature)
    return _unit(z) * (s * (1 - s))[..., None] / temperature


def forgets_the_diagonal(z: Array, *, temperature: float = 1.0) -> Array:
    """You used −s_i s_j on the diagonal too. There it is s_i (1 − s_i)."""
    s = reference.softmax(z, temperature=temperature)
    return -s[..., :, None] * s[..., None, :] / temperature


def adds_the_outer_product(z: Array, *, temperature: float = 1.0) -> Array:
    """You added s_i s_j. Subtract it: raising one logit lowers the other probabilities."""
    s = reference.softmax(z, temperature=temperature)
    return (_unit(z) * s[..., None] + s[..., :, None] * s[..., None, :]) / temperature


def uses_the_jacobian_of_log_softmax(z: Array, *, temperature: float = 1.0) -> Array:
    """δ_ij − s_j is the Jacobian of log softmax. That of softmax is s_i (δ_ij − s_j)."""
    s = reference.softmax(z, temperature=temperature)
    return (_unit(z) - s[..., None, :] + 0 * s[..., :, None]) / temperature


def reverses_the_sign(z: Array, *, temperature: float = 1.0) -> Array:
    """Your signs are reversed. A probability rises with its own logit and falls with the others: s_i (δ_ij − s_j)."""
    return -reference.softmax_jacobian(z, temperature=temperature)


def takes_the_logits_for_probabilities(z: Array, *, temperature: float = 1.0) -> Array:
    """You took the logits for probabilities: z_i (δ_ij − z_j). Put them through softmax first."""
    return z[..., :, None] * (_unit(z) - z[..., None, :]) / temperature


def applies_softmax_twice(z: Array, *, temperature: float = 1.0) -> Array:
    """You applied softmax to probabilities. Take s = softmax(z / T) once."""
    s = reference.softmax(z, temperature=temperature)
    return reference.softmax_jacobian(s) / temperature


def returns_the_diagonal_as_rows(z: Array, *, temperature: float = 1.0) -> Array:
    """You returned s (1 − s), one number for each logit. Return a matrix for each row, of shape (c, c)."""
    s = reference.softmax(z, temperature=temperature)
    return s * (1 - s) / temperature


def runs_softmax_down_the_columns(z: Array, *, temperature: float = 1.0) -> Array:
    """Your softmax runs down the columns. Each row is one sample, so sum and take the maximum over the last axis."""
    s = reference.softmax(z, axis=0, temperature=temperature)
    return s[..., :, None] * (_unit(z) - s[..., None, :]) / temperature


def forgets_the_inner_derivative(z: Array, *, temperature: float = 1.0) -> Array:
    """You forgot the inner derivative 1/T of z/T. Divide the matrix by the temperature."""
    return temperature * reference.softmax_jacobian(z, temperature=temperature)


def differentiates_an_overflowing_softmax(z: Array, *, temperature: float = 1.0) -> Array:
    """The softmax inside your Jacobian overflows. Subtract the maximum of each row before the exponentials."""
    s = exponentiates_without_the_shift(z, temperature=temperature)
    return s[..., :, None] * (_unit(z) - s[..., None, :]) / temperature


def shifts_by_the_maximum_of_all(z: Array, *, temperature: float = 1.0) -> Array:
    """You subtracted the maximum of the whole array: a row far below it becomes 0/0. Take each row's own maximum."""
    s = exponentiates_without_the_shift(z - np.max(z), temperature=temperature)
    return s[..., :, None] * (_unit(z) - s[..., None, :]) / temperature


def _unit(z: Array) -> Array:
    return np.eye(z.shape[-1], dtype=z.dtype)
