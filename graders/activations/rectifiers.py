"""Exercises on the relatives of ReLU: one leaks, the others are smooth."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.activations._torch import torch_vjp
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
_LEFT = [[-7.3, -11.1, 0.3], [-17.3, -30.7, -36.9]]
_TAILS = [[20.3, -20.3, -30.7], [31.1, -40.9, 45.2]]
_FAR = [[87.3, -87.3, -100.1], [700.7, -700.7, 0.3], [1000.3, -1000.3, -1.7], [1e4, -1e4, 0.9]]
_FAR_G = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6], [1.1, -1.6, 0.1], [-0.8, 0.5, -1.2]]
_ABOVE_TWENTY = [[20.3, 21.7, 25.1], [28.9, 30.3, 1.7]]

_INPUTS = (
    edge("small", z=_Z),
    edge("zeros", z=_WITH_ZEROS),
    edge("one entry", z=[[-1.3]]),
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


_SLOPES = (edge("a slope of 0.3", z=_Z, negative_slope=0.3), edge("steeper than one", z=_Z, negative_slope=1.7))

leaky_relu = Exercise(
    reference.leaky_relu,
    programs=(leaky_relu_by_the_mask, leaky_relu_by_its_slope),
    edges=(*_INPUTS, *_SLOPES, edge("no slope, which is ReLU", z=_Z, negative_slope=0.0)),
    rivals={
        "torch": lambda torch, z, *, negative_slope=0.01: torch.nn.functional.leaky_relu(
            torch.tensor(z), negative_slope
        ).numpy()
    },
)


# --- leaky_relu_vjp ---------------------------------------------------------------------------------------------------
def leaky_relu_vjp_by_its_slope(z: Array, cotangent: Array, *, negative_slope: float = 0.01) -> Array:
    """A slope for every entry, 1 or a, times the cotangent."""
    return cotangent * np.where(z > 0, 1 + 0 * z, negative_slope)


leaky_relu_vjp = Exercise(
    reference.leaky_relu_vjp,
    programs=(leaky_relu_vjp_by_its_slope,),
    edges=(
        *_GRADIENTS,
        edge("a slope of 0.3", z=_Z, cotangent=_G, negative_slope=0.3),
        edge("steeper than one", z=_Z, cotangent=_G, negative_slope=1.7),
        edge("no slope, which is ReLU", z=_Z, cotangent=_G, negative_slope=0.0),
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
    programs=(softplus_by_logaddexp, softplus_by_cases),
    edges=(*_INPUTS, extreme("above 20, where PyTorch's is z itself", z=_ABOVE_TWENTY)),
    rivals={"torch": lambda torch, z: torch.nn.functional.softplus(torch.tensor(z)).numpy()},
)


# --- softplus_vjp -----------------------------------------------------------------------------------------------------
def softplus_vjp_as_written(z: Array, cotangent: Array) -> Array:
    """1 / (1 + e⁻ᶻ): e⁻ᶻ may become inf, and 1 / inf is the right 0."""
    return cotangent / (1 + np.exp(-z))


softplus_vjp = Exercise(
    reference.softplus_vjp,
    programs=(softplus_vjp_as_written,),
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
    programs=(silu_vjp_by_the_product_rule, silu_vjp_by_its_output),
    edges=(*_GRADIENTS, edge("around the lowest point", z=_AROUND_THE_LOWEST, cotangent=_G)),
    rivals={"torch": lambda torch, z, cotangent: torch_vjp(torch, torch.nn.functional.silu, z, cotangent)},
)


# --- gelu -------------------------------------------------------------------------------------------------------------
def gelu_as_written(z: Array, *, approximate: Approximation = "none") -> Array:
    """½ z (1 + erf(z / √2)), or ½ z (1 + tanh u), as PyTorch does it: small values at z < 0 cancel."""
    return 0.5 * z * (1 + (_erf(z) if approximate == "none" else np.tanh(_inner(z))))


def gelu_by_the_probability(z: Array, *, approximate: Approximation = "none") -> Array:
    """z Φ(z), or z σ(2u)."""
    return z * (special.normal_cdf(z) if approximate == "none" else sigmoid(2 * _inner(z)))


gelu = Exercise(
    reference.gelu,
    programs=(gelu_as_written, gelu_by_the_probability),
    edges=(
        *_INPUTS,
        edge("by tanh", z=_Z, approximate="tanh"),
        edge("by tanh, within ±4", z=_GRID, approximate="tanh"),
        edge("by tanh, zeros", z=_WITH_ZEROS, approximate="tanh"),
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
def gelu_vjp_as_written(z: Array, cotangent: Array, *, approximate: Approximation = "none") -> Array:
    """½ (1 + erf(z / √2)) + z φ(z), or ½ (1 + tanh u) + ½ z (1 − tanh² u) u': small values at z < 0 cancel."""
    if approximate == "none":
        return cotangent * (0.5 * (1 + _erf(z)) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * special.pi(z)))
    t = np.tanh(_inner(z))
    slope = np.sqrt(2 / special.pi(z)) * (1 + 3 * 0.044715 * z**2)
    return cotangent * (0.5 * (1 + t) + 0.5 * z * (1 - t**2) * slope)


gelu_vjp = Exercise(
    reference.gelu_vjp,
    programs=(gelu_vjp_as_written,),
    edges=(
        *_GRADIENTS,
        edge("around the lowest point", z=[[-0.74, -0.75, -0.76], [-0.7, -0.8, 0.3]], cotangent=_G),
        edge("by tanh", z=_Z, cotangent=_G, approximate="tanh"),
        edge("by tanh, within ±4", z=_GRID, cotangent=_GRID_G, approximate="tanh"),
        edge("by tanh, zeros", z=_WITH_ZEROS, cotangent=_G, approximate="tanh"),
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
    """erf(z / √2) = ±(1 − 2 Φ(−|z|))."""
    return np.sign(z) * (1 - 2 * special.normal_cdf(-np.abs(z)))


def _inner(z: Array) -> Any:
    return np.sqrt(2 / special.pi(z)) * (z + 0.044715 * z**3)
