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
    edge("a kernel as large as the map", x=_MAP[:2], w=[[0.7, -0.2, 1.3, 0.6], [-0.4, 0.9, 0.1, -1.6]]),
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


def convolved_by_padding_first(
    x: Array, w: Array, b: Array, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Array:
    """Every tap a shifted and strided image, for each group of channels."""
    (sh, sw), (ph, pw), (dh, dw) = (v if isinstance(v, tuple) else (v, v) for v in (stride, padding, dilation))
    (c_out, width, kh, kw), (h, v) = w.shape, x.shape[2:]
    rows, columns = np.zeros_like(x[:, :, :1]), np.zeros_like(x[:, :, :, :1])
    tall = np.concatenate([rows] * ph + [x] + [rows] * ph, axis=2)
    columns = np.concatenate([columns[:, :, :1]] * (h + 2 * ph), axis=2)
    wide = np.concatenate([columns] * pw + [tall] + [columns] * pw, axis=3)
    oh, ow = (h + 2 * ph - dh * (kh - 1) - 1) // sh + 1, (v + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    outputs = []
    for o in range(c_out):
        first = o // (c_out // groups) * width
        taps = (
            w[o, c, p, q]
            * wide[:, first + c, p * dh : p * dh + sh * (oh - 1) + 1 : sh, q * dw :][:, :, ::sw][:, :, :ow]
            for c in range(width)
            for p in range(kh)
            for q in range(kw)
        )
        outputs.append(sum(taps) + b[o])
    return np.stack(outputs, axis=1)


conv2d = Exercise(
    reference.conv2d, programs=(convolved_by_padding_first,), edges=_IMAGES, rivals={"torch": _torch_conv2d}
)


def _torch_conv2d_vjp(torch: Any, x: Array, w: Array, b: Array, cotangent: Array, **options: Any) -> tuple[Array, ...]:
    inputs = [torch.tensor(value, requires_grad=True) for value in (x, w, b)]
    outputs = torch.nn.functional.conv2d(*inputs, **options)
    return tuple(grad.numpy() for grad in torch.autograd.grad(outputs, inputs, torch.tensor(cotangent)))


conv2d_vjp = Exercise(reference.conv2d_vjp, edges=_IMAGES, rivals={"torch": _torch_conv2d_vjp})


# --- kernels of one pixel ---------------------------------------------------------------------------------------------
_PIXELS = (
    edge("small", x=_X, w=[[0.7, -0.2], [1.3, 0.6], [-0.4, 0.9]], b=[0.83, -1.7, 0.4]),
    edge("one channel", x=[[_MAP], [_MAP[::-1]]], w=[[0.7], [-0.2]], b=_B),
    edge("one pixel", x=[[[[0.3]], [[-1.7]]], [[[0.9]], [[1.1]]]], w=[[0.7, -0.2], [1.3, 0.6]], b=_B),
    extreme("large values that cancel", x=[[[[1e4 + 0.3]], [[1e4 + 0.7]]]], w=[[0.7, -0.7]], b=[0.1]),
)


def _torch_pointwise(torch: Any, x: Array, w: Array, b: Array) -> Array:
    return _torch_conv2d(torch, x, w[:, :, None, None], b)


def _torch_pointwise_vjp(torch: Any, x: Array, w: Array, b: Array, cotangent: Array) -> tuple[Array, ...]:
    dx, dw, db = _torch_conv2d_vjp(torch, x, w[:, :, None, None], b, cotangent)
    return dx, dw[:, :, 0, 0], db


def affine_by_pixel(x: Array, w: Array, b: Array) -> Array:
    """The channels last, where the layer is an affine one."""
    return np.moveaxis(np.moveaxis(x, 1, -1) @ w.T + b, -1, 1)


pointwise_conv2d = Exercise(
    reference.pointwise_conv2d, programs=(affine_by_pixel,), edges=_PIXELS, rivals={"torch": _torch_pointwise}
)
pointwise_conv2d_vjp = Exercise(reference.pointwise_conv2d_vjp, edges=_PIXELS, rivals={"torch": _torch_pointwise_vjp})


# --- counted ----------------------------------------------------------------------------------------------------------
output_size = Exercise(
    reference.output_size,
    edges=(
        edge("as the lectures have it", size=32, kernel_size=5, padding=2),
        edge("a step too large for the last pixel", size=10, kernel_size=3, stride=4, padding=1),
        edge("dilated", size=17, kernel_size=3, stride=2, padding=1, dilation=3),
        special("a kernel as large as its input", size=7, kernel_size=7, stride=3),
    ),
)

n_parameters = Exercise(
    reference.n_parameters,
    edges=(
        edge("as the lectures have it", in_channels=3, out_channels=10, kernel_size=5),
        edge("a kernel of rows and columns that differ", in_channels=6, out_channels=9, kernel_size=(3, 2), groups=3),
        edge("depthwise", in_channels=8, out_channels=8, kernel_size=3, groups=8),
    ),
)

n_flops = Exercise(
    reference.n_flops,
    edges=(
        edge("small", in_channels=3, out_channels=6, kernel_size=5, output_size=28),
        edge("pairs", in_channels=6, out_channels=9, kernel_size=(3, 2), output_size=(4, 7), groups=3),
    ),
)

receptive_field = Exercise(
    reference.receptive_field,
    edges=(
        edge("two layers of three", kernel_sizes=(3, 3)),
        edge("a stride before the last layer", kernel_sizes=(3, 2, 5), strides=(1, 2, 3)),
        edge("dilated", kernel_sizes=(3, 3, 3), dilations=(1, 2, 4)),
        edge("all three", kernel_sizes=(7, 3, 2), strides=(2, 3, 2), dilations=(1, 2, 3)),
    ),
)
