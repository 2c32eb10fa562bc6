"""Known mistakes in bounds on norms; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reference._types import Array

Grads = Sequence[Array]


# --- max_norm ---------------------------------------------------------------------------------------------------------
def bounds_the_whole_matrix(W: Array, *, max_norm: float) -> Array:
    """You bounded the norm of the whole matrix. Every column has a norm of its own: sum over axis 0 alone."""
    return W * _shrinkage(np.sqrt(np.sum(W**2)), max_norm)


def bounds_the_rows(W: Array, *, max_norm: float) -> Array:
    """You bounded the rows. The weights into one unit are a column of W (d, c): sum over axis 0."""
    return W * _shrinkage(np.sqrt(np.sum(W**2, axis=1, keepdims=True)), max_norm)


def scales_short_columns_too(W: Array, *, max_norm: float) -> Array:
    """You gave every column the length c, the short ones too. A column that is short enough stays as it is."""
    return W * (max_norm / _lengths(W))


def clips_every_weight(W: Array, *, max_norm: float) -> Array:
    """You cut every weight off at ±c. Shorten a column as a whole, so that it keeps its direction."""
    return np.clip(W, -max_norm, max_norm)


def sums_the_absolute_weights(W: Array, *, max_norm: float) -> Array:
    """You took Σ |w| for the length of a column. It is the root of the sum of squares."""
    return W * _shrinkage(np.sum(np.abs(W), axis=0, keepdims=True), max_norm)


def takes_the_largest_weight(W: Array, *, max_norm: float) -> Array:
    """You took the largest weight for the length of a column. It is the root of the sum of squares."""
    return W * _shrinkage(np.max(np.abs(W), axis=0, keepdims=True), max_norm)


def forgets_the_root(W: Array, *, max_norm: float) -> Array:
    """You took Σ w² for the length of a column. Take its root."""
    return W * _shrinkage(np.sum(W**2, axis=0, keepdims=True), max_norm)


def makes_long_columns_one(W: Array, *, max_norm: float) -> Array:
    """You gave every long column the length 1. Its length is to be c: multiply by it."""
    norm = _lengths(W)
    return np.where(norm > max_norm, W / norm, W)


def shrinks_all_by_the_longest(W: Array, *, max_norm: float) -> Array:
    """You shortened all columns by what the longest one needs. Every column has a factor of its own."""
    return W * _shrinkage(np.max(_lengths(W)), max_norm)


def divides_by_a_little_more(W: Array, *, max_norm: float) -> Array:
    """You divided by ‖w‖ + 1e-7, as torch.renorm does: long columns end up a little shorter than c. Divide by ‖w‖."""
    norm = _lengths(W)
    return np.where(norm > max_norm, W * (max_norm / (norm + 1e-7)), W)


def squares_what_is_huge(W: Array, *, max_norm: float) -> Array:
    """Your squares overflow or vanish: 1e30² is inf in float32. Divide by the largest entry before you square."""
    return W * _shrinkage(_lengths(W), max_norm)


# --- clip_by_global_norm ----------------------------------------------------------------------------------------------
def clips_each_by_itself(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You took the norm of each array by itself. The global norm is that of all gradients as one vector."""
    return tuple(g * _shrinkage(np.sqrt(np.sum(g**2)), max_norm) for g in grads)


def clips_every_entry(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You cut every entry off at ±c, which turns the gradient. Shrink all of them by one factor."""
    return tuple(np.clip(g, -max_norm, max_norm) for g in grads)


def scales_short_gradients_too(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You gave the gradient the length c even where it was shorter. It is only shrunk: the factor is at most 1."""
    return tuple(g * (max_norm / _global_norm(grads)) for g in grads)


def adds_the_norms(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You added the norms of the arrays. Add their squares, and take the root of the sum."""
    return _scaled(grads, sum(np.sqrt(np.sum(g**2)) for g in grads), max_norm)


def sums_the_absolute_entries(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You took Σ |g| for the norm. It is the root of the sum of squares."""
    return _scaled(grads, sum(np.sum(np.abs(g)) for g in grads), max_norm)


def takes_the_largest_entry(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You took the largest entry for the norm. It is the root of the sum of squares."""
    return _scaled(grads, max(np.max(np.abs(g)) for g in grads), max_norm)


def takes_the_longest_array(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You took the largest norm of an array. The global norm is that of all gradients as one vector."""
    return _scaled(grads, max(np.sqrt(np.sum(g**2)) for g in grads), max_norm)


def takes_the_last_array(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You took the norm of the last array alone. Add up the squares of all of them before the root."""
    return _scaled(grads, np.sqrt(np.sum(grads[-1] ** 2)), max_norm)


def forgets_the_root_of_the_sum(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You took Σ g² for the norm. Take its root."""
    return _scaled(grads, _global_norm(grads) ** 2, max_norm)


def averages_the_squares(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You took the root of the mean square. The norm is the root of the sum of squares."""
    return _scaled(grads, _global_norm(grads) / np.sqrt(sum(g.size for g in grads)), max_norm)


def makes_long_gradients_one(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """You gave a gradient that is too long the length 1. Its length is to be c: multiply by it."""
    norm = _global_norm(grads)
    return tuple(g / norm if norm > max_norm else 1 * g for g in grads)


def squares_what_is_large(grads: Grads, *, max_norm: float) -> tuple[Array, ...]:
    """Your squares overflow or vanish: 1e30² is inf in float32. Divide by the largest entry before you square."""
    return _scaled(grads, _global_norm(grads), max_norm)


# --- what they are made of --------------------------------------------------------------------------------------------
def _lengths(W: Array) -> Array:
    return np.sqrt(np.sum(W**2, axis=0, keepdims=True))


def _global_norm(grads: Grads) -> Array:
    return np.sqrt(np.sum(np.stack([np.sum(g**2) for g in grads])))


def _shrinkage(norm: Any, max_norm: float) -> Any:
    """Return c / ‖w‖, at most 1."""
    return max_norm / np.maximum(norm, max_norm)


def _scaled(grads: Grads, norm: Any, max_norm: float) -> tuple[Array, ...]:
    return tuple(g * _shrinkage(norm, max_norm) for g in grads)
