"""The standard normal law, of which NumPy has no functions: its density φ and its distribution function Φ.

They are written as plain arithmetic, so that they run in any precision.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import cast

import numpy as np

from reference import _numerics as numerics
from reference._types import Array

SPACING = 35 / 64
SQUARES = (SPACING * (np.arange(20) + 0.5)) ** 2
PI = np.array([3.141592653589793, 1.2246467991473532e-16, -2.9947698097183397e-33])  # the sum has 48 right digits
FAR = 40.0  # beyond it the density and the tail are 0, in float64 too


def normal_pdf(z: Array) -> Array:
    """φ(z) = e^(−z²/2) / √(2π), entry by entry.

    >>> normal_pdf(np.array([0.0, 1.0, -np.inf])).round(6)
    array([0.398942, 0.241971, 0.      ])
    """
    half, rest = _half_square(np.minimum(np.abs(z), FAR))
    density = np.exp(-half) / np.sqrt(2 * pi(z))
    return density - density * rest


def normal_cdf(z: Array) -> Array:
    """Φ(z), the probability that a standard normal number is below z, entry by entry.

    >>> normal_cdf(np.array([0.0, 1.0, -np.inf, np.inf])).round(6)
    array([0.5     , 0.841345, 0.      , 1.      ])
    """
    tail = numerics.in_blocks(_normal_tail, np.abs(z))
    return np.where(z > 0, 1 - tail, tail)


def weighted_normal_tail(z: Array) -> Array:
    """|z| Φ(−|z|), entry by entry.

    >>> weighted_normal_tail(np.array([0.0, 1.0, -10.0, -np.inf]))
    array([0.00000000e+00, 1.58655254e-01, 7.61985302e-23, 0.00000000e+00])
    """
    return numerics.in_blocks(_weighted_tail, np.abs(z))


def _normal_tail(a: Array) -> Array:
    a = np.minimum(a, FAR)
    half, rest = _half_square(a)
    total, residue = _midpoint_rule(a, half)
    tail = np.exp(-half) * a * total
    return tail + (residue - tail * rest)


def _weighted_tail(a: Array) -> Array:
    a = np.minimum(a, FAR)
    half, rest = _half_square(a)
    total, residue = _midpoint_rule(a, half)
    e, double = np.exp(-half), 2 * total
    return e * half * double + (a * residue + e * rest * (1 - half) * double)  # a² is twice the half and the rest


def _midpoint_rule(a: Array, half: Array) -> tuple[Array, Array]:
    """Return S and r such that Φ(−a) = a e^(−a²/2) S + r, for a ≥ 0 and half a²/2.

    Φ(−a) = (a/π) ∫ e^(−(a² + s²)/2) / (a² + s²) ds over s > 0, by the midpoint rule with spacing h. As long as a < 2π/h
    the rule is short by r = 1/(1 + e^(2πa/h)), which the pole at s = ia costs; the share e^(−2π²/h²) that is then
    missing, for every a, is below 3e−29 (Chiarella and Reichel 1968; Hunter and Regan 1972). All terms are positive, so
    that no tail is lost.
    """
    rate = 2 * pi(a) / SPACING
    squares = _constants(a, SQUARES)
    weights = 2 * np.exp(-squares / 2) / rate
    total = sum(weights[k] / (2 * half + squares[k]) for k in reversed(range(len(SQUARES))))
    e = np.exp(-rate * a)
    return total, np.where(a < rate, e / (1 + e), 0)


def _half_square(a: Array) -> tuple[Array, Array]:
    """Return a²/2 as rounded, and the rest that was rounded away: e^(−a²/2) would be off by a²/2 ulps without it."""
    square, rest = product(a, a)
    return square / 2, rest / 2


def product(a: Array, b: Array) -> tuple[Array, Array]:
    """Return a b as rounded, and the rest that was rounded away, for numbers below 65,504 (Dekker 1971).

    >>> whole, rest = product(np.array([1 / 3]), np.array([1 / 7]))
    >>> from fractions import Fraction
    >>> error = Fraction(whole[0]) + Fraction(rest[0]) - Fraction(1 / 3) * Fraction(1 / 7)
    >>> bool(abs(error) < 2**-80)
    True
    """
    whole, high, other = a * b, _short(a), _short(b)
    return whole, (high * other - whole) + high * (b - other) + (a - high) * b


def _short(a: Array) -> Array:
    """Return the upper half of each number's digits, whose products are exact."""
    return a.astype(np.float32 if a.dtype == np.float64 else np.float16).astype(a.dtype)


def pi(like: Array) -> Array:
    """π in the arithmetic and the dtype of an array: with 48 digits where these are kept.

    >>> float(pi(np.zeros(3, np.float32)))
    3.1415927410125732
    """
    return constant(like, PI)[0]


def constant(like: Array, parts: Array) -> tuple[Array, Array]:
    """Return the sum of three numbers in the arithmetic and the dtype of an array, and the rest that was rounded away.

    >>> [float(part) for part in constant(np.zeros(3), PI)]
    [3.141592653589793, 1.2246467991473532e-16]
    """
    terms = np.zeros_like(like, shape=parts.shape) + parts
    whole = cast(Array, np.sum(terms)).astype(like.dtype)
    return whole, (terms[0] - whole + terms[1] + terms[2]).astype(like.dtype)


def _constants(like: Array, values: Array) -> Array:
    return (np.zeros_like(like, shape=values.shape) + values).astype(like.dtype)
