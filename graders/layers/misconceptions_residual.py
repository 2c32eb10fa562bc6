"""Known mistakes around a residual connection; the docstring of each is what the student is told."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference._types import Array

Map = Callable[[Array], Array]
Vjp = Callable[[Array, Array], Array]


def forgets_the_shortcut(x: Array, f: Map) -> Array:
    """You return f(x) alone. The shortcut adds x to it."""
    return f(x)


def returns_the_input(x: Array, f: Map) -> Array:
    """You return x alone. Add f(x) to it."""
    return x.copy()


def subtracts_the_branch(x: Array, f: Map) -> Array:
    """You subtract f(x). Add it."""
    return x - f(x)


def multiplies_by_the_branch(x: Array, f: Map) -> Array:
    """You multiply by f(x). Add it."""
    return x * f(x)


def applies_the_branch_twice(x: Array, f: Map) -> Array:
    """You apply f twice. Apply it once, to x."""
    return x + f(f(x))


def doubles_the_shortcut(x: Array, f: Map) -> Array:
    """You add x twice."""
    return 2 * x + f(x)


def takes_the_mean(x: Array, f: Map) -> Array:
    """You halve the sum. A residual connection adds, and does not average."""
    return (x + f(x)) / 2


def rectifies_the_sum(x: Array, f: Map) -> Array:
    """You apply ReLU to the sum. Here what follows is not part of the connection."""
    return np.maximum(x + f(x), 0)


def goes_sample_by_sample(x: Array, f: Map) -> Array:
    """You apply f to one sample at a time. Give it the whole batch: f may look at several, as a batch norm does."""
    return np.stack([row + f(row[None])[0] for row in x])


def sum_in_place(x: Array, f: Map) -> Array:
    """Into what f returned."""
    made = np.array(f(x))
    made += x
    return made


def forgets_the_cotangent_of_the_shortcut(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """You left the shortcut out. Its gradient is the cotangent itself, which is added."""
    return f_vjp(x, cotangent)


def returns_the_cotangent(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """You return the cotangent alone. The gradient through f is added."""
    return cotangent.copy()


def adds_one(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """You add 1. The shortcut's Jacobian is the identity, so what is added is the cotangent."""
    return 1 + f_vjp(x, cotangent)


def multiplies_the_cotangents(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """You multiply what comes by the two ways. Gradients by several ways add up."""
    return cotangent * f_vjp(x, cotangent)


def forgets_the_cotangent_of_the_branch(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """You give the branch ones, and not the cotangent."""
    return cotangent + f_vjp(x, np.ones_like(cotangent))


def adds_the_input(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """You add x, as the forward pass does. Backwards the cotangent is added."""
    return x + f_vjp(x, cotangent)


def exchanges_the_arguments(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """You exchanged x and the cotangent in the call of f_vjp."""
    return cotangent + f_vjp(cotangent, x)


def subtracts_the_gradient(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """You subtract the gradient through f. Add it."""
    return cotangent - f_vjp(x, cotangent)


def gradient_in_place(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """Into what f_vjp returned."""
    made = np.array(f_vjp(x, cotangent))
    made += cotangent
    return made


def goes_back_sample_by_sample(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """You pass back one sample at a time. Give f's gradient the whole batch: f may look at several samples."""
    return np.stack([g + f_vjp(row[None], g[None])[0] for row, g in zip(x, cotangent, strict=True)])
