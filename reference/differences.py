"""Gradients by differences, to check a gradient that was derived: no part of training, and slow.

The function is any Python function of one array to a scalar; for a function of several, or of more outputs, close over
the others and sum the outputs times a cotangent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from reference import _numerics as numerics
from reference._types import Array

Function: TypeAlias = Callable[[Any], Any]
Differences: TypeAlias = Literal["central", "complex"]


class GradientCheck(NamedTuple):
    """Whether every entry is within what is allowed, and the entry that is worst in units of it."""

    passed: bool
    at: tuple[int, ...]
    got: float
    expected: float
    allowed: float


def numerical_gradient(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """(f(x + h e_i) − f(x − h e_i)) / 2h, or Im f(x + i h e_i) / h, for every entry i of x.

    Shapes: x any, f a function of it to a scalar, the result like x. "central" takes h = ε^⅓ max(1, |x_i|), where
    rounding and the missing third derivative weigh alike: about ten digits in float64. "complex" subtracts nothing, so
    that h = 1e−40 and all digits are right; f must take complex128, and be analytic: no |x|, no maximum, no `.real`.
    Raises ValueError where f gives no scalar. Source: 004_64b996b1ba6bbd2b.txt; Squire and Trapp 1998.

    >>> numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0])).round(6)
    array([ 3., 12.])
    >>> numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0]), method="complex")
    array([ 3., 12.])
    """
    numerics.require_word(Differences, method=method)
    numerics.require_function(f=f)
    numerics.require_floats(x=x)
    if method == "central":
        return _central(f, x, 1.0)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        z = np.array(x, np.complex128)
        z[i] += 1e-40j
        value = f(z)
        _scalar(np.imag(value) if np.iscomplexobj(value) else value)
        if not np.iscomplexobj(value):
            raise ValueError("f: expected a complex result for a complex x; it drops the imaginary part: use central")
        gradient[i] = value.imag / 1e-40
    return gradient


def gradient_check(f: Function, grad: Array, x: Array) -> GradientCheck:
    """Compare a gradient with central differences D(h), as far as these can be trusted.

    Expected is (4 D(h/2) − D(h)) / 3, without the error of order h². An entry may be off by |D(h/2) − D(h)|, what the
    step is worth, plus 64 ε max(1, |f(x)|) / h, what rounding is. So no tolerance is set by hand; but what is smaller
    than that is not seen, and at a kink only the mean of both slopes passes. Shapes: x any, grad like x, f a function
    of x to a scalar. Raises TypeError unless x is float64: in float32 too little is left.
    Source: 004_64b996b1ba6bbd2b.txt.

    >>> x = np.array([1.0, 2.0])
    >>> gradient_check(lambda x: np.sum(x**3), 3 * x**2, x).passed
    True
    >>> wrong = gradient_check(lambda x: np.sum(x**3), np.array([3.0, 4.0]), x)
    >>> wrong.passed, wrong.at, wrong.got, round(wrong.expected, 6)
    (False, (1,), 4.0, 12.0)
    """
    numerics.require_function(f=f)
    numerics.require_floats(grad=grad, x=x)
    numerics.require_same_shape(x=x, grad=grad)
    if x.dtype != np.float64:
        raise TypeError("x: expected float64 for differences, got float32; write x.astype(np.float64)")
    if x.size == 0:
        raise ValueError(f"x: expected at least one entry, got shape {x.shape}")
    coarse, fine = _central(f, x, 1.0), _central(f, x, 0.5)
    expected = (4 * fine - coarse) / 3
    eps = np.finfo(np.float64).eps
    allowed = np.abs(fine - coarse) + 64 * eps * max(1.0, abs(float(_scalar(f(x))))) / (0.5 * _steps(x))
    off = np.abs(grad - expected) / allowed
    worst = np.unravel_index(int(np.argmax(off)), x.shape)  # NaN counts as the largest
    return GradientCheck(
        bool((off <= 1).all()),
        tuple(int(i) for i in worst),
        float(grad[worst]),
        float(expected[worst]),
        float(allowed[worst]),
    )


def _steps(x: Array) -> Array:
    """Return h = ε^⅓ max(1, |x|), a step for every entry."""
    return np.finfo(x.dtype).eps ** (1 / 3) * np.maximum(1, np.abs(x))


def _central(f: Function, x: Array, share: float) -> Array:
    """Return central differences, with this share of the step; the step is what x really moves by."""
    gradient, h = np.zeros_like(x), share * _steps(x)
    for i in np.ndindex(x.shape):
        above, below = np.array(x), np.array(x)
        above[i] += h[i]
        below[i] -= h[i]
        gradient[i] = (_scalar(f(above)) - _scalar(f(below))) / (above[i] - below[i])
    return gradient


def _scalar(value: Any) -> Any:
    numerics.require_scalar(f=value)
    return value
