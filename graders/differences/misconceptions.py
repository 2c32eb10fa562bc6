"""Known mistakes in differences; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reference import differences as reference
from reference._types import Array
from reference.differences import Differences, GradientCheck

Function = Callable[[Any], Any]


# --- numerical_gradient -----------------------------------------------------------------------------------------------
def _differences(f: Function, x: Array, h: float, quotient: Callable[[Any, Any, Any, float], Any]) -> Array:
    """Return a quotient of f above, f below and f here for every entry."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[i] += h
        below[i] -= h
        gradient[i] = quotient(f(above), f(below), f(x), h)
    return gradient


def takes_forward_differences(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """You take (f(x + h) - f(x)) / h, whose error is of order h. Take central differences: theirs is of order h²."""
    return _differences(f, x, 1e-5, lambda above, below, here, h: (above - here) / h)


def takes_backward_differences(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """You take (f(x) - f(x - h)) / h, whose error is of order h. Take central differences: theirs is of order h²."""
    return _differences(f, x, 1e-5, lambda above, below, here, h: (here - below) / h)


def forgets_the_two(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """You divide by h. The two points are 2h apart."""
    return 2 * reference.numerical_gradient(f, x)


def divides_by_the_two_of_one_side(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """You divide by 2h a difference from f(x). Take f(x - h) for f(x), which is 2h away from x + h."""
    return _differences(f, x, 1e-5, lambda above, below, here, h: (above - here) / (2 * h))


def flips_the_sign(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """You exchanged the two points: the sign is the opposite one. It is f(x + h) - f(x - h)."""
    return -reference.numerical_gradient(f, x)


def forgets_to_divide(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """You did not divide by 2h."""
    return _differences(f, x, 1e-5, lambda above, below, here, h: above - below)


def moves_all_entries_at_once(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """You move all entries at once, so that each gets the sum of all slopes. Move one, and put it back."""
    total = (f(x + 1e-5) - f(x - 1e-5)) / 2e-5
    return np.full_like(x, total)


def never_puts_back(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """You do not put an entry back before you move the next: the slopes are those at other points."""
    moved, gradient, h = x.copy(), np.zeros_like(x), 1e-3
    for i in np.ndindex(x.shape):
        moved[i] += h
        above = f(moved)
        moved[i] -= 2 * h
        gradient[i] = (above - f(moved)) / (2 * h)
    return gradient


def moves_the_first_entry_only(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """You move the first entry only. Every entry has a slope of its own."""
    gradient = np.zeros_like(x)
    gradient.flat[0] = reference.numerical_gradient(f, x).flat[0]
    return gradient


def moves_by_too_little(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """Your step is so small that rounding is all that is left. About 1e-5 is right for central differences."""
    return _differences(f, x, 1e-15, lambda above, below, here, h: (above - below) / (2 * h))


def returns_the_absolute_slopes(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """You return absolute values. A slope has a sign."""
    return np.abs(reference.numerical_gradient(f, x))


def gradient_with_a_fixed_step(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """With one step for all entries."""
    return _differences(f, x, 1e-4, lambda above, below, here, h: (above - below) / (2 * h))


def gradient_with_four_points(f: Function, x: Array, *, method: Differences = "central") -> Array:
    """With differences of h and 2h."""
    near = _differences(f, x, 1e-3, lambda above, below, here, h: (above - below) / (2 * h))
    far = _differences(f, x, 2e-3, lambda above, below, here, h: (above - below) / (2 * h))
    return (4 * near - far) / 3


# --- gradient_check ---------------------------------------------------------------------------------------------------
def _said(f: Function, grad: Array, x: Array, passed: Any) -> GradientCheck:
    return reference.gradient_check(f, grad, x)._replace(passed=bool(passed))


def _off(f: Function, grad: Array, x: Array) -> tuple[Array, Array]:
    return np.asarray(grad), reference.numerical_gradient(f, x)


def always_passes(f: Function, grad: Array, x: Array) -> GradientCheck:
    """You let every gradient pass. Compare it with differences."""
    return _said(f, grad, x, True)


def never_passes(f: Function, grad: Array, x: Array) -> GradientCheck:
    """You let no gradient pass, or ask for more digits than differences have. Allow what they are worth."""
    one, two = _off(f, grad, x)
    return _said(f, grad, x, np.array_equal(one, two))


def compares_the_lengths(f: Function, grad: Array, x: Array) -> GradientCheck:
    """You compare the lengths of the two gradients. Compare entry by entry, or the length of the difference."""
    one, two = _off(f, grad, x)
    return _said(f, grad, x, abs(np.linalg.norm(one) - np.linalg.norm(two)) <= 1e-4 * np.linalg.norm(two))


def compares_the_sums(f: Function, grad: Array, x: Array) -> GradientCheck:
    """You compare the sums, so that errors of both signs cancel. Compare entry by entry."""
    one, two = _off(f, grad, x)
    return _said(f, grad, x, abs(one.sum() - two.sum()) <= 1e-4 * abs(two).sum())


def compares_the_first_entry(f: Function, grad: Array, x: Array) -> GradientCheck:
    """You compare the first entry only. Compare all."""
    one, two = _off(f, grad, x)
    return _said(f, grad, x, abs(one.flat[0] - two.flat[0]) <= 1e-4 * abs(two.flat[0]))


def forgets_the_absolute_value(f: Function, grad: Array, x: Array) -> GradientCheck:
    """You forgot the absolute value: what is too small passes. Compare |difference| with what is allowed."""
    one, two = _off(f, grad, x)
    return _said(f, grad, x, np.all(one - two <= 1e-4 * np.abs(two)))


def asks_for_one_entry_only(f: Function, grad: Array, x: Array) -> GradientCheck:
    """You are content if any entry is right. All must be."""
    one, two = _off(f, grad, x)
    return _said(f, grad, x, np.any(np.abs(one - two) <= 1e-4 * np.abs(two)))


def compares_the_absolute_values(f: Function, grad: Array, x: Array) -> GradientCheck:
    """You compare absolute values, so that a wrong sign passes."""
    one, two = _off(f, grad, x)
    return _said(f, grad, x, np.all(np.abs(np.abs(one) - np.abs(two)) <= 1e-4 * np.abs(two)))


def compares_the_directions(f: Function, grad: Array, x: Array) -> GradientCheck:
    """You compare the directions, so that a gradient twice too long passes. Compare the entries."""
    one, two = _off(f, grad, x)
    return _said(f, grad, x, one.ravel() @ two.ravel() >= (1 - 1e-6) * np.linalg.norm(one) * np.linalg.norm(two))


def passes_what_is_wrong(f: Function, grad: Array, x: Array) -> GradientCheck:
    """You say the opposite: what is beyond the allowed error fails."""
    return _said(f, grad, x, not reference.gradient_check(f, grad, x).passed)


def check_by_the_relative_error(f: Function, grad: Array, x: Array) -> GradientCheck:
    """The length of the difference over the sum of both lengths."""
    one, two = _off(f, grad, x)
    return _said(f, grad, x, np.linalg.norm(one - two) <= 1e-6 * (np.linalg.norm(one) + np.linalg.norm(two)))
