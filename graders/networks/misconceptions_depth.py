"""Known mistakes in what depth does to a gradient; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graders.networks.misconceptions import Function, Layers, named_for, slope
from reference import networks as reference
from reference._types import Array


# --- jacobian_product -------------------------------------------------------------------------------------------------
def product(layers: Layers, slopes: Sequence[Array]) -> Array:
    """Return the product of the Jacobians of all layers, with these slopes between them, for every sample."""
    made = slopes[0][:, :, None] * layers[0].W.T
    for layer, factor in zip(layers[1:], slopes[1:], strict=True):
        made = factor[:, :, None] * (layer.W.T @ made)
    return made


def jacobian_with(mistake: Function) -> Function:
    """Return `jacobian_product` with a mistake in the slope."""

    def wrong(x: Array, layers: Layers, *, activation: Any = "relu") -> Array:
        *hidden, last = reference.mlp_forward(x, layers, activation=activation).sums
        return product(layers, [*(mistake(activation, z) for z in hidden), np.ones_like(last)])

    return named_for(reference.jacobian_product, wrong, mistake)


def jacobian_after(mistake: Function) -> Function:
    """Return `jacobian_product` with a mistake in the forward pass."""

    def wrong(x: Array, layers: Layers, *, activation: Any = "relu") -> Array:
        *hidden, last = mistake(x, layers, activation=activation).sums
        return product(layers, [*(slope(activation, z) for z in hidden), np.ones_like(last)])

    return named_for(reference.jacobian_product, wrong, mistake)


def multiplies_by_the_slope_of_the_output(x: Array, layers: Layers, *, activation: Any = "relu") -> Array:
    """You multiplied by a slope at the last sums. No activation follows the last layer."""
    sums = reference.mlp_forward(x, layers, activation=activation).sums
    return product(layers, [slope(activation, z) for z in sums])


def takes_the_lowest_slope_only(x: Array, layers: Layers, *, activation: Any = "relu") -> Array:
    """You took the slope of the first layer but none above it. That is right for two layers, and no more."""
    sums = reference.mlp_forward(x, layers, activation=activation).sums
    slopes = [np.ones_like(z) for z in sums]
    if len(layers) > 1:
        slopes[0] = slope(activation, sums[0])
    return product(layers, slopes)


def takes_the_slopes_of_the_first_sample(x: Array, layers: Layers, *, activation: Any = "relu") -> Array:
    """You used the first sample's slopes for all. Every sample has sums, and so slopes, of its own."""
    *hidden, last = reference.mlp_forward(x, layers, activation=activation).sums
    first = [slope(activation, z)[:1] + np.zeros_like(z) for z in hidden]
    return product(layers, [*first, np.ones_like(last)])


def averages_over_the_samples(x: Array, layers: Layers, *, activation: Any = "relu") -> Array:
    """You returned the mean over the samples. Every sample has a Jacobian of its own: (n, d_L, d_0)."""
    return np.mean(reference.jacobian_product(x, layers, activation=activation), axis=0)


def transposes_the_jacobian(x: Array, layers: Layers, *, activation: Any = "relu") -> Array:
    """Your Jacobian is transposed. Its rows are outputs and its columns inputs: (n, d_L, d_0)."""
    return np.swapaxes(reference.jacobian_product(x, layers, activation=activation), 1, 2)


def stops_at_the_first_layer(x: Array, layers: Layers, *, activation: Any = "relu") -> Array:
    """You stopped at the sums of the first layer. Multiply by W₁ᵀ too, which leads from x to them."""
    *hidden, last = reference.mlp_forward(x, layers, activation=activation).sums
    if not hidden:
        return np.eye(last.shape[1], dtype=x.dtype) + np.zeros_like(last)[:, :, None]
    made = slope(activation, hidden[0])[:, :, None] * np.eye(hidden[0].shape[1], dtype=x.dtype)
    for layer, z in zip(layers[1:], [*hidden[1:], None], strict=True):
        made = layer.W.T @ made
        made = made if z is None else slope(activation, z)[:, :, None] * made
    return made


# --- gradient_norms ---------------------------------------------------------------------------------------------------
def norms_of(mistake: Function) -> Function:
    """Return `gradient_norms` with a mistake in the errors."""

    def wrong(x: Array, layers: Layers, cotangent: Array, *, activation: Any = "relu") -> Array:
        cache = reference.mlp_forward(x, layers, activation=activation)
        errors = mistake(layers, cache, cotangent, activation=activation)
        return np.stack([reference._norm(error) for error in errors])

    return named_for(reference.gradient_norms, wrong, mistake)


def norms_by(measure: Callable[[Array], Array]) -> Function:
    """Return `gradient_norms` with another measure of the errors than their norm."""

    def wrong(x: Array, layers: Layers, cotangent: Array, *, activation: Any = "relu") -> Array:
        cache = reference.mlp_forward(x, layers, activation=activation)
        errors = reference.mlp_errors(layers, cache, cotangent, activation=activation)
        return np.stack([measure(error) for error in errors])

    return named_for(reference.gradient_norms, wrong, measure)


@norms_by
def forgets_the_root(error: Array) -> Any:
    """You summed the squares. The norm is the root of that sum."""
    return np.sum(error**2)


@norms_by
def divides_by_the_entries(error: Array) -> Array:
    """You took the root of the mean of the squares. The norm is the root of their sum."""
    return np.sqrt(np.mean(error**2))


@norms_by
def sums_the_sizes(error: Array) -> Array:
    """You summed absolute values. Sum the squares, and take the root: ‖δ‖ = √Σ δ²."""
    return np.sum(np.abs(error))


@norms_by
def averages_the_sizes(error: Array) -> Any:
    """You averaged absolute values. Sum the squares, and take the root: ‖δ‖ = √Σ δ²."""
    return np.mean(np.abs(error))


@norms_by
def takes_the_largest_size(error: Array) -> Array:
    """You took the largest entry. Sum the squares of all, and take the root: ‖δ‖ = √Σ δ²."""
    return np.max(np.abs(error))


@norms_by
def averages_the_norms_of_the_samples(error: Array) -> Array:
    """You averaged the norms of the samples. One norm is taken over all entries, samples and units together."""
    return np.mean(np.sqrt(np.sum(error**2, axis=1)))


@norms_by
def squares_without_a_unit(error: Array) -> Array:
    """Your squares overflow, or vanish, before the root is taken. Divide by the largest entry first, multiply last."""
    return np.sqrt(np.sum(error**2))


def measures_the_gradients_of_the_weights(
    x: Array, layers: Layers, cotangent: Array, *, activation: Any = "relu"
) -> Array:
    """You took the norms of the gradients by the weights. Asked for are those by the sums: ‖δ_l‖."""
    grads = reference.mlp_vjp(x, layers, cotangent, activation=activation).layers
    return np.stack([reference._norm(layer.W) for layer in grads])
