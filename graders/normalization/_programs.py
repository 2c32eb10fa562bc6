"""The same in another order, for every kind of norm: other programs are put together from these."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Function
from reference._types import Array

Axes = tuple[int, ...]


def count(x: Array, axes: Axes) -> int:
    """Return over how many numbers a mean along some axes is taken."""
    return int(np.prod([x.shape[axis] for axis in axes]))


def divided(x: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Return x̂ and √(σ² + ε), by means along some axes."""
    off = x - np.mean(x, axis=axes, keepdims=True)
    root = np.sqrt(np.mean(off * off, axis=axes, keepdims=True) + eps)
    return off / root, root


def all_at_once(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Return x̂ and (n h − Σ h − x̂ Σ h x̂) / (n √(σ² + ε))."""
    x_hat, root = divided(x, axes, eps)
    n = count(x, axes)
    sums = np.sum(h, axis=axes, keepdims=True), np.sum(h * x_hat, axis=axes, keepdims=True)
    return x_hat, (n * h - sums[0] - x_hat * sums[1]) / (n * root)


def node_by_node(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Return x̂ and the gradient through the deviations, the root and the mean, one after the other."""
    x_hat, root = divided(x, axes, eps)
    by_root = -np.sum(h * x_hat, axis=axes, keepdims=True) / root
    by_deviation = h / root + by_root * x_hat / count(x, axes)
    return x_hat, by_deviation - np.mean(by_deviation, axis=axes, keepdims=True)


def as_in_the_paper(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Return x̂ and the gradient by way of those by σ² and μ, as Ioffe and Szegedy write it (arXiv:1502.03167)."""
    n = count(x, axes)
    off = x - np.mean(x, axis=axes, keepdims=True)
    inside = np.mean(off * off, axis=axes, keepdims=True) + eps
    by_variance = np.sum(h * off, axis=axes, keepdims=True) * (-0.5) * inside**-1.5
    by_mean = np.sum(-h / np.sqrt(inside), axis=axes, keepdims=True)
    by_mean = by_mean + by_variance * np.sum(-2 * off, axis=axes, keepdims=True) / n
    return off / np.sqrt(inside), h / np.sqrt(inside) + by_variance * 2 * off / n + by_mean / n


def of_features(feature: Array, x: Array) -> Array:
    """Return a number for each feature, or channel, as an array with the axes of x."""
    return np.reshape(feature, (1, -1, *(1,) * (len(x.shape) - 2)))


def others(x: Array) -> Axes:
    """Return the axes over which a feature, or channel, has its values."""
    return (0, *range(2, len(x.shape)))


def last(x: Array) -> Axes:
    """Return the axis along a row."""
    return (len(x.shape) - 1,)


def leading(x: Array) -> Axes:
    """Return the axes before the last."""
    return tuple(range(len(x.shape) - 1))


def grouped(x: Array, num_groups: int) -> Array:
    """Return x with an axis of groups: (n, groups, whatever a group holds)."""
    return np.reshape(x, (len(x), num_groups, -1))


def torch_gradients(torch: Any, function: Function, arrays: tuple[Array, ...], cotangent: Array) -> list[Array]:
    """Return the gradients by all arrays, as PyTorch finds them."""
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    return [grad.numpy() for grad in torch.autograd.grad(function(*tensors), tensors, torch.tensor(cotangent))]
