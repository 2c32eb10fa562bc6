"""Activations and what they do to gradients: `f_vjp(z, cotangent)` is the cotangent times the Jacobian of f at z.

Arrays are float32 or float64, which the result keeps, and a cotangent has the dtype and the shape of the output
(TypeError and ValueError otherwise). Nothing here overflows or warns at logits of ±1e4.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import numpy as np

from reference import _numerics as numerics
from reference import _special as special
from reference._types import Array, Axis, Nonnegative, Positive

Rows = Annotated[Array, "n c"]
Table = Annotated[Array, "n d"]
Column = Annotated[Array, "n"]
Approximation: TypeAlias = Literal["none", "tanh"]

# with a = 0.044715: √(8/π) a and 1/a, each to 48 digits
SCALE = np.array([0.07135481627260025, -6.175149918155315e-19, -4.566588772833294e-35])
LEAST = np.array([22.363860002236386, -3.734262393014057e-17, 1.8096807009588302e-33])


def sigmoid(z: Table) -> Table:
    """σ(z) = 1 / (1 + e⁻ᶻ), entry by entry, for any shape.

    Written a − a u / (1 + u) with u = e^−|z| and a = e^min(z, 0), either 1 or u: half as far off as u / (1 + u).
    Source: 003_bda8f24b635fcb71.txt.

    >>> sigmoid(np.array([0.0, 1000.0, -1000.0]))
    array([0.5, 1. , 0. ])
    """
    numerics.require_floats(z=z)
    return numerics.in_blocks(_sigmoid, z)


def sigmoid_vjp(z: Table, cotangent: Table) -> Table:
    """σ'(z) = σ(z) (1 − σ(z)) = u / (1 + u)² with u = e^−|z|, times the cotangent; any shape.

    1 − σ itself cancels where σ is near one. Source: 003_bda8f24b635fcb71.txt, 004_64b996b1ba6bbd2b.txt (there with a
    prime too many).

    >>> sigmoid_vjp(np.array([0.0]), np.array([2.0]))
    array([0.5])
    """
    _require_cotangent(z, cotangent)
    u = np.exp(-np.abs(z))
    return cotangent * u / (1 + u) ** 2


def tanh(z: Table) -> Table:
    """(eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ), entry by entry, for any shape. Source: 002_8e0f3b4f5874cfed.txt.

    >>> tanh(np.array([0.0, 1000.0]))
    array([0., 1.])
    """
    numerics.require_floats(z=z)
    return np.tanh(z)


def tanh_vjp(z: Table, cotangent: Table) -> Table:
    """1 − tanh²(z) = 1 / cosh²(z) = 4u / (1 + u)² with u = e^−2|z|, times the cotangent; any shape.

    1 − tanh² itself cancels where tanh is near one. Source: 002_8e0f3b4f5874cfed.txt.

    >>> tanh_vjp(np.array([0.0]), np.array([3.0]))
    array([3.])
    """
    _require_cotangent(z, cotangent)
    u = np.exp(-2 * np.abs(z))
    return cotangent * (4 * u / (1 + u) ** 2)


def relu(z: Table) -> Table:
    """max(z, 0), entry by entry, for any shape. Source: 002_8e0f3b4f5874cfed.txt.

    >>> relu(np.array([-1.5, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    numerics.require_floats(z=z)
    return np.maximum(z, 0)


def relu_vjp(z: Table, cotangent: Table) -> Table:
    """The cotangent times [z > 0]; any shape.

    Convention: the subgradient at 0 is 0, as in PyTorch; an infinite cotangent is NaN where z ≤ 0, as 0 · ∞ is.
    Source: 003_bda8f24b635fcb71.txt.

    >>> relu_vjp(np.array([-1.5, 0.0, 2.0]), np.array([7.0, 7.0, 7.0]))
    array([0., 0., 7.])
    """
    _require_cotangent(z, cotangent)
    return cotangent * (z > 0)


def softmax(z: Rows, *, axis: Axis = -1, temperature: Positive = 1.0) -> Rows:
    """s_i = e^(z_i / T) / Σ_j e^(z_j / T) along an axis, for any shape.

    The maximum is taken off first: the value is the same, and no exponent is positive. Raises ValueError on an axis
    that is empty or not there, and on a temperature T that is not positive. Source: 000_fca5766a905df26d.txt.

    >>> softmax(np.array([[0.0, 0.0], [1000.0, 0.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    _require_logits(z, axis)
    temperature = numerics.require_positive(temperature=temperature)

    def of_rows(z: Array) -> Array:
        e = np.exp((z - np.max(z, axis=1, keepdims=True)) / temperature)
        return e / np.sum(e, axis=1, keepdims=True)

    return numerics.by_rows(of_rows, z, axis)


def softmax_vjp(z: Rows, cotangent: Rows, *, axis: Axis = -1, temperature: Positive = 1.0) -> Rows:
    """Σ_j g_j ∂s_j/∂z_i = s_i (g_i − Σ_j g_j s_j) / T, since ∂s_j/∂z_i = s_j (δ_ij − s_i) / T.

    Shapes, conventions and errors as in `softmax`. Source: 001_85d2a45f19410a02.txt.

    >>> softmax_vjp(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))
    array([[ 0.25, -0.25]])
    """
    _require_cotangent(z, cotangent)
    temperature = numerics.require_positive(temperature=temperature)
    s = softmax(z, axis=axis, temperature=temperature)
    return s * (cotangent - np.sum(cotangent * s, axis=axis, keepdims=True)) / temperature


def log_softmax(z: Rows, *, axis: Axis = -1) -> Rows:
    """log s_i = z_i − log Σ_j e^(z_j) along an axis, for any shape.

    The maximum is taken off first, and the logarithm is never taken of a probability that has become 0. Raises
    ValueError on an axis that is empty or not there. Source: 000_fca5766a905df26d.txt.

    >>> log_softmax(np.array([[1000.0, 0.0]]))
    array([[    0., -1000.]])
    """
    _require_logits(z, axis)

    def of_rows(z: Array) -> Array:
        d = z - np.max(z, axis=1, keepdims=True)
        return d - np.log(np.sum(np.exp(d), axis=1, keepdims=True))

    return numerics.by_rows(of_rows, z, axis)


def log_softmax_vjp(z: Rows, cotangent: Rows, *, axis: Axis = -1) -> Rows:
    """Σ_j g_j ∂(log s_j)/∂z_i = g_i − s_i Σ_j g_j, since ∂(log s_j)/∂z_i = δ_ij − s_i.

    Shapes, conventions and errors as in `log_softmax`. Source: 001_85d2a45f19410a02.txt.

    >>> log_softmax_vjp(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))
    array([[ 0.5, -0.5]])
    """
    _require_cotangent(z, cotangent)
    return cotangent - softmax(z, axis=axis) * np.sum(cotangent, axis=axis, keepdims=True)


def logsumexp(z: Rows, *, axis: Axis = -1) -> Column:
    """log Σ_j e^(z_j) along an axis, which the result no longer has; any shape.

    The maximum is taken off first and added again. Raises ValueError on an axis that is empty or not there.
    Source: 000_fca5766a905df26d.txt.

    >>> logsumexp(np.array([[1000.0, 1000.0], [0.0, -1000.0]])).round(6)
    array([1000.693147,    0.      ])
    """
    _require_logits(z, axis)
    top = np.max(z, axis=axis)
    return top + np.log(np.sum(np.exp(z - np.expand_dims(top, axis)), axis=axis))


def logsumexp_vjp(z: Rows, cotangent: Column, *, axis: Axis = -1) -> Rows:
    """∂/∂z_i log Σ_j e^(z_j) = s_i, times the cotangent of its row.

    The cotangent has the shape of `logsumexp(z, axis=axis)`; conventions and errors as there.
    Source: 000_fca5766a905df26d.txt.

    >>> logsumexp_vjp(np.array([[0.0, 0.0]]), np.array([3.0]))
    array([[1.5, 1.5]])
    """
    numerics.require_floats(z=z, cotangent=cotangent)
    numerics.require_axis(z, axis)
    numerics.require_shape(_without(z.shape, axis), cotangent=cotangent)
    return np.expand_dims(cotangent, axis) * softmax(z, axis=axis)


def leaky_relu(z: Table, *, negative_slope: Nonnegative = 0.01) -> Table:
    """max(z, 0) + a · min(z, 0) with a small slope a, entry by entry, for any shape.

    Raises ValueError on a negative slope. Source: Maas, Hannun and Ng 2013.

    >>> leaky_relu(np.array([-2.0, 0.0, 3.0]), negative_slope=0.25)
    array([-0.5,  0. ,  3. ])
    """
    numerics.require_floats(z=z)
    negative_slope = numerics.require_at_least_zero(negative_slope=negative_slope)
    return np.maximum(z, 0) + negative_slope * np.minimum(z, 0)


def leaky_relu_vjp(z: Table, cotangent: Table, *, negative_slope: Nonnegative = 0.01) -> Table:
    """The cotangent where z > 0, else the negative slope times it; any shape.

    Convention: at 0 the subgradient is the negative slope, as in PyTorch. Source: Maas, Hannun and Ng 2013.

    >>> leaky_relu_vjp(np.array([-2.0, 0.0, 3.0]), np.array([8.0, 8.0, 8.0]), negative_slope=0.25)
    array([2., 2., 8.])
    """
    _require_cotangent(z, cotangent)
    negative_slope = numerics.require_at_least_zero(negative_slope=negative_slope)
    return np.where(z > 0, cotangent, negative_slope * cotangent)


def softplus(z: Table) -> Table:
    """log(1 + eᶻ) = max(z, 0) + log(1 + e^−|z|), entry by entry, for any shape.

    The second form neither overflows nor loses its tail, e^z for z ≪ 0. Convention: no threshold, above which PyTorch's
    softplus is z itself. Source: 003_bda8f24b635fcb71.txt (−log σ(z) = softplus(−z)).

    >>> softplus(np.array([0.0, 1000.0, -30.0]))
    array([6.93147181e-01, 1.00000000e+03, 9.35762297e-14])
    """
    numerics.require_floats(z=z)
    return numerics.in_blocks(lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))), z)


def softplus_vjp(z: Table, cotangent: Table) -> Table:
    """σ(z) times the cotangent; any shape. Source: 003_bda8f24b635fcb71.txt.

    >>> softplus_vjp(np.array([0.0, 1000.0]), np.array([3.0, 3.0]))
    array([1.5, 3. ])
    """
    _require_cotangent(z, cotangent)
    return cotangent * sigmoid(z)


def silu(z: Table) -> Table:
    """z σ(z), entry by entry, for any shape. Source: Elfwing, Uchibe and Doya 2018.

    >>> silu(np.array([0.0, 2.0, -1000.0])).round(6)
    array([ 0.      ,  1.761594, -0.      ])
    """
    numerics.require_floats(z=z)
    return z * sigmoid(z)


def silu_vjp(z: Table, cotangent: Table) -> Table:
    """σ(z) + z σ(z) σ(−z) = σ(z) (1 + z σ(−z)), times the cotangent; any shape. Source: as `silu`.

    >>> silu_vjp(np.array([0.0, 1000.0]), np.array([3.0, 3.0]))
    array([1.5, 3. ])
    """
    _require_cotangent(z, cotangent)
    return cotangent * sigmoid(z) * (1 + z * sigmoid(-z))


def gelu(z: Table, *, approximate: Approximation = "none") -> Table:
    """z Φ(z) = max(z, 0) − |z| Φ(−|z|), with the standard normal distribution function Φ, entry by entry, any shape.

    approximate="tanh" is ½ z (1 + tanh u) = z σ(2u) with u = √(2/π) (z + 0.044715 z³); the second form does not cancel
    for z ≪ 0. Raises ValueError on another word. Source: Hendrycks and Gimpel 2016.

    >>> gelu(np.array([0.0, 2.0, -10.0]))
    array([ 0.00000000e+00,  1.95449974e+00, -7.61985302e-23])
    >>> gelu(np.array([0.0, 2.0, -10.0]), approximate="tanh")
    array([ 0.00000000e+00,  1.95459769e+00, -1.20409235e-37])
    """
    numerics.require_floats(z=z)
    numerics.require_word(Approximation, approximate=approximate)
    if approximate == "none":
        return np.maximum(z, 0) - special.weighted_normal_tail(z)
    return z * _steep_sigmoids(z)[0]


def gelu_vjp(z: Table, cotangent: Table, *, approximate: Approximation = "none") -> Table:
    """Φ(z) + z φ(z), with the standard normal density φ = Φ', times the cotangent; any shape.

    approximate="tanh": s (1 + z σ(−2u) 2u') with s = σ(2u) and u' = √(2/π) (1 + 0.134145 z²). Errors as in `gelu`.
    Source: as `gelu`.

    >>> gelu_vjp(np.array([0.0, 2.0]), np.array([1.0, 1.0])).round(6)
    array([0.5     , 1.085232])
    >>> gelu_vjp(np.array([0.0, 2.0]), np.array([1.0, 1.0]), approximate="tanh").round(6)
    array([0.5     , 1.086099])
    """
    _require_cotangent(z, cotangent)
    numerics.require_word(Approximation, approximate=approximate)
    if approximate == "none":
        return cotangent * (special.normal_cdf(z) + z * special.normal_pdf(z))
    one, other = _steep_sigmoids(z)
    return cotangent * one * (1 + z * other * _steep_slope(z))


def softmax_jacobian(z: Rows, *, temperature: Positive = 1.0) -> Annotated[Array, "n c c"]:
    """J_ij = ∂s_i/∂z_j = s_i (δ_ij − s_j) / T for the softmax along the last axis: (…, c) becomes (…, c, c).

    Every row of J sums to zero, and 1 − s_i on the diagonal, which cancels where s_i is near one, is taken from that.
    Errors as in `softmax`. Source: 001_85d2a45f19410a02.txt.

    >>> softmax_jacobian(np.array([0.0, 0.0]))
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    numerics.require_floats(z=z)
    if not z.shape or not z.shape[-1]:
        raise ValueError(f"z: expected shape (..., c) with at least one class, got {z.shape}")
    temperature = numerics.require_positive(temperature=temperature)
    s = softmax(z, temperature=temperature)
    same = np.eye(z.shape[-1], dtype=z.dtype)
    others = (same - 1) * s[..., :, None] * s[..., None, :] / temperature
    return others - same * np.sum(others, axis=-1, keepdims=True)


def _sigmoid(z: Array) -> Array:
    u, a = np.exp(-np.abs(z)), np.exp(np.minimum(z, 0))
    return a - a * (u / (1 + u))


def _steep_sigmoids(z: Array) -> tuple[Array, Array]:
    """σ(2u) and σ(−2u), without the rounding of 2u: where it is −11 that alone would cost 11 ulps."""
    v, rest = _steep(z)
    one, other = sigmoid(v), sigmoid(-v)
    shift = one * other * rest
    return one + shift, other - shift


def _steep(z: Array) -> tuple[Array, Array]:
    """2u = √(8/π) (z + a z³) = √(8/π) a · z (1/a + z²) with a = 0.044715 as rounded, and the rest.

    For z beyond ±40 it is as there: the sigmoid is 0 or 1 long before.
    """
    z = np.clip(z, -special.FAR, special.FAR)
    (scale, scale_rest), (least, least_rest) = special.constant(z, SCALE), special.constant(z, LEAST)
    square, square_rest = special.product(z, z)
    inner = least + square
    inner_rest = np.minimum(least, square) - (inner - np.maximum(least, square)) + (least_rest + square_rest)
    cubic, cubic_rest = special.product(z, inner)
    v, rest = special.product(scale, cubic)
    return v, rest + (scale * (cubic_rest + z * inner_rest) + scale_rest * cubic)


def _steep_slope(z: Array) -> Array:
    """2u' = √(8/π) a (1/a + 3 z²), as far as that."""
    z = np.clip(z, -special.FAR, special.FAR)
    return special.constant(z, SCALE)[0] * (special.constant(z, LEAST)[0] + 3 * z**2)


def _require_cotangent(z: Array, cotangent: Array) -> None:
    numerics.require_floats(z=z, cotangent=cotangent)
    numerics.require_same_shape(z=z, cotangent=cotangent)


def _require_logits(z: Array, axis: int) -> None:
    numerics.require_floats(z=z)
    numerics.require_axis(z, axis)


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    sizes = list(shape)
    del sizes[axis]
    return tuple(sizes)
