"""Exercises on convolution: one map, images, their gradients, and what is counted."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.convolution import misconceptions as wrong
from graders.convolution import misconceptions_vjp as wrong_vjp
from graders.convolution.counted import n_flops, n_parameters, output_size, receptive_field
from graders.convolution.windows import pair
from graders.harness.exercise import Exercise, edge, extreme
from reference import convolution as reference
from reference._types import Array
from reference.convolution import Conv2dGrads, PointwiseConv2dGrads

# Distinct sizes, full mantissas.
_MAP = [[0.3, -1.7, 0.9, 1.1], [0.4, -0.6, 2.3, -0.2], [1.9, 0.7, -1.3, 0.1]]
_KERNEL = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]]
_X = [[_MAP, [[1.2, -0.8, 0.5, -0.3], [0.6, -1.3, 0.4, 0.8], [-0.9, 0.1, 1.7, -0.2]]]]
_W = [[_KERNEL, [[1.1, 0.6, -0.7], [0.2, -1.9, 0.8]]], [[[-0.3, 1.4, 0.5], [0.9, -0.1, 0.3]], _KERNEL]]
_B = [0.83, -1.7]
_EIGHT = [[*_X[0], *_X[0][::-1], [row[::-1] for row in _MAP], _X[0][1][::-1], *_X[0]]]
_FOUR_GROUPS = [*_W, [_KERNEL[::-1], _W[0][1]], [_W[1][0], _KERNEL[::-1]]]
_SAMPLES = {"x": [[_MAP], [_X[0][1]]], "w": [[_KERNEL], [_W[0][1]], [_W[1][0]]], "b": [0.83, -1.7, 0.4]}


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
    misconceptions=(
        wrong.turns_the_kernel,
        wrong.reads_the_kernel_column_by_column(reference.cross_correlate2d),
        wrong.keeps_the_size_of_the_map(reference.cross_correlate2d),
        wrong.returns_every_overlap(reference.cross_correlate2d),
        wrong.stops_one_window_early(reference.cross_correlate2d),
        wrong.leaves_the_last_windows_zero(reference.cross_correlate2d),
        wrong.averages_the_products(reference.cross_correlate2d),
    ),
    programs=(correlated_tap_by_tap,),
    edges=_MAPS,
    rivals={"torch": _torch_cross_correlate2d},
)


def convolved_tap_by_tap(x: Array, w: Array) -> Array:
    """A sum over the taps of the kernel, from its last to its first."""
    return correlated_tap_by_tap(x, w[::-1, ::-1])


convolve2d = Exercise(
    reference.convolve2d,
    misconceptions=(
        wrong.forgets_to_turn_the_kernel,
        wrong.mirrors_the_rows_only,
        wrong.mirrors_the_columns_only,
        wrong.leaves_the_result_turned,
        wrong.goes_around_the_edges,
        wrong.reads_the_kernel_column_by_column(reference.convolve2d),
        wrong.keeps_the_size_of_the_map(reference.convolve2d),
        wrong.returns_every_overlap(reference.convolve2d),
        wrong.stops_one_window_early(reference.convolve2d),
        wrong.leaves_the_last_windows_zero(reference.convolve2d),
        wrong.averages_the_products(reference.convolve2d),
    ),
    programs=(convolved_tap_by_tap,),
    edges=_MAPS,
    rivals={"torch": lambda torch, x, w: _torch_cross_correlate2d(torch, x, w[::-1, ::-1].copy())},
)


# --- images -----------------------------------------------------------------------------------------------------------
_TALL: dict[str, Any] = {
    "x": [[[[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]]],
    "w": [[[[0.7, -0.2], [1.3, 0.6], [-0.4, 0.9], [0.17, -1.6], [-0.83, 0.5]]]], "b": [0.35],
}  # fmt: skip
_IMAGES = (
    edge("small", x=_X, w=_W, b=_B),
    edge("strides that differ", x=_X, w=_W, b=_B, stride=(1, 2), padding=(1, 0)),
    edge("padding that the stride leaves unread", x=_X, w=_W, b=_B, stride=3, padding=1),
    edge("two samples, three kernels", **_SAMPLES, stride=(2, 1), padding=1),
    edge("dilated", x=_X, w=_W, b=_B, padding=2, dilation=(2, 1)),
    edge("depthwise", x=_X, w=[[_KERNEL], [_KERNEL[::-1]]], b=_B, groups=2),
    edge("two groups, two kernels each", x=[_EIGHT[0][:4]], w=_FOUR_GROUPS, b=[*_B, 0.4, -0.2], groups=2),
    edge("four groups of two", x=_EIGHT, w=_FOUR_GROUPS, b=[*_B, 0.4, -0.2], padding=(0, 1), groups=4),
    edge("strides and dilations of four, a padding of three", x=_X, w=_W, b=_B, stride=4, padding=(3, 5), dilation=4),
    edge("a padding as wide as the kernel", x=_X, w=_W, b=_B, padding=3),
    edge("kernels of one pixel", x=_X, w=[[[[0.7]], [[-0.2]]], [[[1.3]], [[0.6]]]], b=_B),
    edge("a kernel that only the padding makes fit", **_TALL, padding=(2, 0)),
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
    reference.conv2d,
    misconceptions=(
        wrong.forgets_the_bias,
        wrong.adds_the_bias_for_every_tap,
        wrong.adds_the_bias_for_every_channel,
        wrong.turns_the_kernels,
        wrong.reads_the_kernel_column_by_column(reference.conv2d),
        wrong.reshapes_the_kernels_without_transposing,
        wrong.keeps_the_last_channel_only,
        wrong.ignores_the_stride,
        wrong.moves_by_one_pixel,
        wrong.ignores_the_padding,
        wrong.pads_one_side_only,
        wrong.ignores_the_dilation,
        wrong.reads_the_first_channels_in_every_group,
        wrong.deals_the_kernels_out_in_turn,
        wrong.exchanges_rows_and_columns,
        wrong.reshapes_the_result_without_moving_the_channels,
        wrong.reshapes_the_result_without_moving_the_samples,
        wrong.exchanges_the_sides_of_the_result,
        wrong.leaves_out_the_last_windows,
    ),
    programs=(convolved_by_padding_first,),
    edges=_IMAGES,
    rivals={"torch": _torch_conv2d},
)


def _torch_conv2d_vjp(torch: Any, x: Array, w: Array, b: Array, cotangent: Array, **options: Any) -> tuple[Array, ...]:
    inputs = [torch.tensor(value, requires_grad=True) for value in (x, w, b)]
    outputs = torch.nn.functional.conv2d(*inputs, **options)
    return tuple(grad.numpy() for grad in torch.autograd.grad(outputs, inputs, torch.tensor(cotangent)))


def gradients_by_matrices(
    x: Array,
    w: Array,
    b: Array,
    cotangent: Array,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Conv2dGrads:
    """Every tap a matrix that picks rows and one that picks columns; backwards they are transposed."""
    ((n, c_in, h, v), (oh, ow), (c_out, _, kh, kw)) = x.shape, cotangent.shape[2:], w.shape
    (sh, sw), (ph, pw), (dh, dw) = (pair(value) for value in (stride, padding, dilation))

    def picks(size: int, outputs: int, stride: int, first: int) -> Array:
        return (stride * np.arange(outputs)[:, None] + first == np.arange(size)).astype(x.dtype)

    g = np.reshape(cotangent, (n, groups, c_out // groups, -1))
    dx, by_tap = np.zeros_like(x), []
    for p, q in np.ndindex(kh, kw):
        rows, columns = picks(h, oh, sh, p * dh - ph), picks(v, ow, sw, q * dw - pw)
        kernels = np.reshape(w[:, :, p, q], (groups, c_out // groups, -1))
        parts = np.reshape(np.swapaxes(kernels, 1, 2) @ g, (n, c_in, oh, ow))
        dx = dx + rows.T @ (parts @ columns)
        read = np.reshape(rows @ (x @ columns.T), (n, groups, c_in // groups, -1))
        by_tap.append(np.reshape(np.sum(g @ np.swapaxes(read, 2, 3), axis=0), (c_out, -1)))
    return Conv2dGrads(dx, np.reshape(np.stack(by_tap, axis=2), w.shape), np.sum(cotangent, axis=(0, 2, 3)))


conv2d_vjp = Exercise(
    reference.conv2d_vjp,
    misconceptions=(
        wrong_vjp.unpads_to_nothing,
        wrong_vjp.leaves_the_padding_on_dx,
        wrong_vjp.overwrites_dx_window_by_window,
        wrong_vjp.overwrites_dx_tap_by_tap,
        wrong_vjp.overwrites_dx_kernel_by_kernel,
        wrong_vjp.forgets_to_turn_the_kernels,
        wrong_vjp.turns_the_gradient_of_the_kernels,
        wrong_vjp.reads_windows_one_pixel_apart,
        wrong_vjp.keeps_the_last_window_in_dw,
        wrong_vjp.divides_by_the_samples(reference.conv2d_vjp),
        wrong_vjp.keeps_the_last_sample(reference.conv2d_vjp),
        wrong_vjp.averages_the_gradient_of_the_bias(reference.conv2d_vjp),
        wrong_vjp.returns_the_kernel_first(reference.conv2d_vjp),
        wrong_vjp.reshapes_the_cotangent_without_moving_the_channels(reference.conv2d_vjp),
        wrong_vjp.reshapes_dw_without_transposing(reference.conv2d_vjp),
    ),
    programs=(gradients_by_matrices,),
    edges=_IMAGES,
    rivals={"torch": _torch_conv2d_vjp},
)


# --- kernels of one pixel ---------------------------------------------------------------------------------------------
_PIXELS = (
    edge("small", x=_X, w=[[0.7, -0.2], [1.3, 0.6], [-0.4, 0.9]], b=[0.83, -1.7, 0.4]),
    edge("one channel", x=[[_MAP], [_MAP[::-1]]], w=[[0.7], [-0.2]], b=_B),
    edge("two samples, three kernels", x=_SAMPLES["x"], w=[[0.7], [-0.2], [1.3]], b=_SAMPLES["b"]),
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
    reference.pointwise_conv2d,
    misconceptions=(
        wrong.leaves_out_the_bias,
        wrong.adds_the_bias_with_every_channel,
        wrong.averages_over_the_channels,
        wrong.keeps_the_last_channel,
        wrong.reshapes_the_weights_without_transposing,
        wrong.reshapes_the_images_without_moving_the_channels,
        wrong.reshapes_the_pixels_without_moving_the_channels,
        wrong.reshapes_in_place_of_every_transpose,
        wrong.applies_the_rectifier,
    ),
    programs=(affine_by_pixel,),
    edges=_PIXELS,
    rivals={"torch": _torch_pointwise},
)


def gradients_by_pixel(x: Array, w: Array, b: Array, cotangent: Array) -> PointwiseConv2dGrads:
    """The channels last and the pixels as rows, where the layer is an affine one."""
    g, pixels = (np.moveaxis(images, 1, -1) for images in (cotangent, x))
    rows, inputs = np.reshape(g, (-1, len(w))), np.reshape(pixels, (-1, w.shape[1]))
    return PointwiseConv2dGrads(np.moveaxis(g @ w, -1, 1), rows.T @ inputs, np.sum(rows, axis=0))


pointwise_conv2d_vjp = Exercise(
    reference.pointwise_conv2d_vjp,
    misconceptions=(
        wrong_vjp.averages_over_the_pixels,
        wrong_vjp.reshapes_the_weights_in_dx,
        wrong_vjp.keeps_the_last_kernel_in_dx,
        wrong_vjp.divides_by_the_samples(reference.pointwise_conv2d_vjp),
        wrong_vjp.keeps_the_last_sample(reference.pointwise_conv2d_vjp),
        wrong_vjp.averages_the_gradient_of_the_bias(reference.pointwise_conv2d_vjp),
        wrong_vjp.returns_the_kernel_first(reference.pointwise_conv2d_vjp),
        wrong_vjp.reshapes_the_cotangent_without_moving_the_channels(reference.pointwise_conv2d_vjp),
        wrong_vjp.reshapes_dw_without_transposing(reference.pointwise_conv2d_vjp),
    ),
    programs=(gradients_by_pixel,),
    edges=_PIXELS,
    rivals={"torch": _torch_pointwise_vjp},
)

__all__ = (
    "conv2d",
    "conv2d_vjp",
    "convolve2d",
    "cross_correlate2d",
    "n_flops",
    "n_parameters",
    "output_size",
    "pointwise_conv2d",
    "pointwise_conv2d_vjp",
    "receptive_field",
)
