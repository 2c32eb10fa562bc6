"""Exercises on convolution: one map, images, their gradients, and what is counted."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
from reference import convolution as reference
from reference._types import Array

# Distinct sizes, full mantissas.
_MAP = [[0.3, -1.7, 0.9, 1.1], [0.4, -0.6, 2.3, -0.2], [1.9, 0.7, -1.3, 0.1]]
_KERNEL = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]]
_X = [[_MAP, [[1.2, -0.8, 0.5, -0.3], [0.6, -1.3, 0.4, 0.8], [-0.9, 0.1, 1.7, -0.2]]]]
_W = [[_KERNEL, [[1.1, 0.6, -0.7], [0.2, -1.9, 0.8]]], [[[-0.3, 1.4, 0.5], [0.9, -0.1, 0.3]], _KERNEL]]
_B = [0.83, -1.7]


# --- one map ----------------------------------------------------------------------------------------------------------
def _torch_cross_correlate2d(torch: Any, x: Array, w: Array) -> Array:
    return torch.nn.functional.conv2d(torch.tensor(x)[None, None], torch.tensor(w)[None, None])[0, 0].numpy()


def correlated_tap_by_tap(x: Array, w: Array) -> Array:
    """A sum over the taps of the kernel, each a shifted map."""
    oh, ow = x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1
    return sum(w[m, n] * x[m : m + oh, n : n + ow] for m in range(w.shape[0]) for n in range(w.shape[1]))


_MAPS = (
    edge("small", x=_MAP, w=_KERNEL),
    edge("a kernel of one", x=_MAP, w=[[0.7]]),
    edge("a kernel as large as the map", x=_MAP, w=_MAP),
    edge("one row", x=[[0.3, -1.7, 0.9, 1.1]], w=[[0.7, -0.2, 1.3]]),
    extreme("large values that cancel", x=[[1e4 + 0.3, 1e4 + 0.7, 1e4 - 0.1]], w=[[0.7, -0.7]]),
)

cross_correlate2d = Exercise(
    reference.cross_correlate2d,
    programs=(correlated_tap_by_tap,),
    edges=_MAPS,
    rivals={"torch": _torch_cross_correlate2d},
)


def convolved_tap_by_tap(x: Array, w: Array) -> Array:
    """A sum over the taps of the kernel, from its last to its first."""
    return correlated_tap_by_tap(x, w[::-1, ::-1])


convolve2d = Exercise(
    reference.convolve2d,
    programs=(convolved_tap_by_tap,),
    edges=_MAPS,
    rivals={"torch": lambda torch, x, w: _torch_cross_correlate2d(torch, x, w[::-1, ::-1].copy())},
)


# --- images -----------------------------------------------------------------------------------------------------------
_IMAGES = (
    edge("small", x=_X, w=_W, b=_B),
    edge("strides that differ", x=_X, w=_W, b=_B, stride=(1, 2), padding=(1, 0)),
    edge("padding that the stride leaves unread", x=_X, w=_W, b=_B, stride=3, padding=1),
    edge("dilated", x=_X, w=_W, b=_B, padding=2, dilation=(2, 1)),
    edge("depthwise", x=_X, w=[[_KERNEL], [_KERNEL[::-1]]], b=_B, groups=2),
    edge("kernels of one pixel", x=_X, w=[[[[0.7]], [[-0.2]]], [[[1.3]], [[0.6]]]], b=_B),
    extreme("large values that cancel", x=[[[[1e4 + 0.3, 1e4 + 0.7, 1e4 - 0.1]]]], w=[[[[0.7, -0.7]]]], b=[0.1]),
)


def _torch_conv2d(torch: Any, x: Array, w: Array, b: Array, **options: Any) -> Array:
    return torch.nn.functional.conv2d(*map(torch.tensor, (x, w, b)), **options).numpy()


conv2d = Exercise(reference.conv2d, edges=_IMAGES, rivals={"torch": _torch_conv2d})
