"""Convolution of images, its gradients by every input, and what can be counted without any image.

Images are x[sample, channel, row, column] and kernels w[out, in, row, column], as in PyTorch; a kernel is not flipped
(cross-correlation) but in `convolve2d`. Arrays share one dtype, float32 or float64, which the results keep (TypeError
otherwise). A stride, padding or dilation is an int, or a pair for rows and columns. A window stands only where it fits
the padded image, so rows and columns that are left over at the end are read by none. Sizes that do not fit, an empty
batch, a kernel larger than the padded image and a stride of 0 are a ValueError.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Annotated, NamedTuple, TypeAlias

import numpy as np

from reference import _numerics as numerics
from reference._types import Array, Count, Extent, IntArray, Whole

Size: TypeAlias = int | tuple[int, int]
Counts = Annotated[Size, "counts"]
Padding = Annotated[Size, "padding"]
Layers = Annotated[Sequence[int], "layers"]

Map = Annotated[Array, "h v"]
Kernel = Annotated[Array, "kh kw"]
MapOutputs = Annotated[Array, "oh ow"]
Images = Annotated[Array, "n c_in h v"]
Kernels = Annotated[Array, "c_out c_in/groups kh kw"]
Matrix = Annotated[Array, "c_out c_in"]
Bias = Annotated[Array, "c_out"]
Outputs = Annotated[Array, "n c_out oh ow"]
SameSize = Annotated[Array, "n c_out h v"]


class Conv2dGrads(NamedTuple):
    """The gradients by x, w and b, in the order of the arguments."""

    dx: Images
    dw: Kernels
    db: Bias


class PointwiseConv2dGrads(NamedTuple):
    """The gradients by x, w and b, in the order of the arguments."""

    dx: Images
    dw: Matrix
    db: Bias


# --- one map ----------------------------------------------------------------------------------------------------------


def cross_correlate2d(x: Map, w: Kernel) -> MapOutputs:
    """S(i, j) = Σ_mn x(i + m, j + n) w(m, n), wherever the kernel fits into the map.

    Shapes: x (h, v), w (kh, kw), result (h − kh + 1, v − kw + 1), as SciPy's correlate2d with mode="valid".
    Source: 003_bda8f24b635fcb71.txt.

    >>> cross_correlate2d(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([[0.5, 0.0], [0.0, 2.0]]))
    array([[10.5, 13. ]])
    """
    numerics.require_floats(x=x, w=w)
    numerics.require_shape(("h", "v"), x=x)
    numerics.require_shape(("kh", "kw"), w=w)
    numerics.require_rows(x=x, w=w)
    rows, columns = _tracks("w", x.shape, w.shape)
    windows = _unfolded(x[None, None], rows, columns)
    return np.reshape(np.reshape(w, (-1,)) @ windows[0], (rows.outputs, columns.outputs))


def convolve2d(x: Map, w: Kernel) -> MapOutputs:
    """(x ∗ w)(i, j) = Σ_ab x(i − a, j − b) w(a, b), wherever the kernel fits into the map: w turned by half a turn.

    Shapes as in `cross_correlate2d`, which it is with w(−m, −n) for w(m, n); the first output is the first one to which
    the whole kernel contributes, as SciPy's convolve2d with mode="valid". Source: 003_bda8f24b635fcb71.txt.

    >>> convolve2d(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([[0.5, 0.0], [0.0, 2.0]]))
    array([[4.5, 7. ]])
    """
    numerics.require_floats(x=x, w=w)
    numerics.require_shape(("kh", "kw"), w=w)
    return cross_correlate2d(x, np.flip(w, (0, 1)))


# --- images -----------------------------------------------------------------------------------------------------------


def conv2d(
    x: Images, w: Kernels, b: Bias, *, stride: Counts = 1, padding: Padding = 0, dilation: Counts = 1, groups: Count = 1
) -> Outputs:
    """y[o, i, j] = Σ_cpq x[c, s i + d p − P, s j + d q − P] w[o, c, p, q] + b[o], for every sample; outside, x is 0.

    Shapes: x (n, c_in, h, v), w (c_out, c_in / groups, kh, kw), b (c_out,), result (n, c_out, oh, ow) with the
    `output_size` of either axis. Each of `groups` equal shares of the outputs sees its share of the input channels
    alone, so groups = c_in is a depthwise convolution. Source: 003_bda8f24b635fcb71.txt.

    >>> x = np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
    >>> conv2d(x, np.array([[[[0.5, 0.0], [0.0, 2.0]]]]), np.array([1.0]), stride=2, padding=1)
    array([[[[3. , 7. ],
             [1. , 3.5]]]])
    """
    rows, columns = _require_convolution(x, w, b, stride, padding, dilation, groups)
    kernels = np.reshape(w, (groups, len(w) // groups, -1))

    def outputs(x: Array) -> Array:
        y = kernels @ _unfolded(x, rows, columns, groups)
        return np.reshape(y, (len(x), len(w), rows.outputs, columns.outputs)) + b[:, None, None]

    return numerics.in_blocks(outputs, x, entries=_unfolded_size(x, rows, columns))


def conv2d_vjp(
    x: Images,
    w: Kernels,
    b: Bias,
    cotangent: Outputs,
    *,
    stride: Counts = 1,
    padding: Padding = 0,
    dilation: Counts = 1,
    groups: Count = 1,
) -> Conv2dGrads:
    """dx[c, a] = Σ g[o, i] w[o, c, p] over s i + d p − P = a, dw[o, c, p] = Σ g[o, i] x[c, s i + d p − P], db = Σ g.

    Written for one axis and one sample; dw and db sum over samples and positions. Shapes and errors as in `conv2d`, the
    cotangent g has the shape of its result. An entry of x that no window reads gets 0.
    Source: 003_bda8f24b635fcb71.txt.

    >>> x, w, b = np.array([[[[1.0, 2.0, 3.0]]]]), np.array([[[[4.0, 5.0]]]]), np.array([0.0])
    >>> conv2d_vjp(x, w, b, np.array([[[[1.0, 10.0]]]]))
    Conv2dGrads(dx=array([[[[ 4., 45., 50.]]]]), dw=array([[[[21., 32.]]]]), db=array([11.]))
    """
    rows, columns = _require_convolution(x, w, b, stride, padding, dilation, groups)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_shape((len(x), len(w), rows.outputs, columns.outputs), cotangent=cotangent)
    kernels = np.reshape(w, (groups, len(w) // groups, -1))
    g = np.reshape(cotangent, (len(x), groups, len(w) // groups, -1))
    entries = _unfolded_size(x, rows, columns)

    dx = numerics.in_blocks(lambda g: _folded(np.swapaxes(kernels, 1, 2) @ g, rows, columns), g, entries=entries)
    by_block = (
        np.sum(_unfolded(x[block], rows, columns, groups) @ np.swapaxes(g[block], 2, 3), axis=0)
        for block in numerics.blocks(x, entries=entries)
    )
    dw = np.reshape(np.swapaxes(reduce(np.add, by_block), 1, 2), w.shape)
    return Conv2dGrads(dx=dx, dw=dw, db=np.sum(cotangent, axis=(0, 2, 3)))


def pointwise_conv2d(x: Images, w: Matrix, b: Bias) -> SameSize:
    """y[o, i, j] = Σ_c w[o, c] x[c, i, j] + b[o]: one affine layer for the channels of every pixel.

    Shapes: x (n, c_in, h, v), w (c_out, c_in), b (c_out,), result (n, c_out, h, v): `conv2d` with kernels of one pixel,
    w[:, :, None, None]. Source: 003_bda8f24b635fcb71.txt (1 × 1 filters reduce the channels).

    >>> pointwise_conv2d(np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]]), np.array([[1.0, -1.0]]), np.array([0.5]))
    array([[[[-1.5, -1.5]]]])
    """
    _require_pointwise(x, w, b)
    y = w @ np.reshape(x, (*x.shape[:2], -1)) + b[:, None]
    return np.reshape(y, (len(x), len(w), *x.shape[2:]))


def pointwise_conv2d_vjp(x: Images, w: Matrix, b: Bias, cotangent: SameSize) -> PointwiseConv2dGrads:
    """dx[c] = Σ_o w[o, c] g[o] at every pixel, dw[o, c] = Σ g[o] x[c] and db[o] = Σ g[o] over samples and pixels.

    Shapes and errors as in `pointwise_conv2d`, the cotangent g has the shape of its result.
    Source: 003_bda8f24b635fcb71.txt.

    >>> x, w, b = np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]]), np.array([[1.0, -1.0]]), np.array([0.5])
    >>> pointwise_conv2d_vjp(x, w, b, np.array([[[[1.0, 10.0]]]])).dw
    array([[21., 43.]])
    """
    _require_pointwise(x, w, b)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_shape((len(x), len(w), *x.shape[2:]), cotangent=cotangent)
    pixels = np.reshape(x, (*x.shape[:2], -1))
    g = np.reshape(cotangent, (*cotangent.shape[:2], -1))
    return PointwiseConv2dGrads(
        dx=np.reshape(w.T @ g, x.shape),
        dw=np.sum(g @ np.swapaxes(pixels, 1, 2), axis=0),
        db=np.sum(cotangent, axis=(0, 2, 3)),
    )


# --- counted ----------------------------------------------------------------------------------------------------------


def output_size(*, size: Extent, kernel_size: Count, stride: Count = 1, padding: Whole = 0, dilation: Count = 1) -> int:
    """⌊(N + 2P − d (F − 1) − 1) / S⌋ + 1, which is ⌊(N + 2P − F) / S⌋ + 1 without a dilation: positions along one axis.

    Raises ValueError if a number is less than 1, the padding less than 0, or the kernel larger than the padded input.
    Source: 002_8e0f3b4f5874cfed.txt, 003_bda8f24b635fcb71.txt (there without the floor).

    >>> output_size(size=32, kernel_size=5, stride=2, padding=1)
    15
    """
    numerics.require_counts(size=size, kernel_size=kernel_size, stride=stride, dilation=dilation)
    numerics.require_counts(0, padding=padding)
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError(
            f"kernel_size: expected a kernel within the padded input of {size + 2 * padding}, got one that spans "
            f"{dilation * (kernel_size - 1) + 1}; pad more, or make it smaller"
        )
    return room // stride + 1


def n_parameters(*, in_channels: Extent, out_channels: Extent, kernel_size: Counts, groups: Count = 1) -> int:
    """(F² D + 1) K: a weight for every tap and channel, and one bias, for each of the K kernels.

    A kernel of F rows and G columns has F G taps, and sees D / groups channels.
    Source: 003_bda8f24b635fcb71.txt (there the depth D is lost).

    >>> n_parameters(in_channels=3, out_channels=6, kernel_size=5)
    456
    """
    kh, kw = _pair("kernel_size", kernel_size)
    _require_groups(in_channels, out_channels, groups)
    return (kh * kw * (in_channels // groups) + 1) * out_channels


def n_flops(
    *, in_channels: Extent, out_channels: Extent, kernel_size: Counts, output_size: Counts, groups: Count = 1
) -> int:
    """2 F² D · W₂ H₂ K for one sample: as many additions as products, the bias being one of them.

    A kernel of F rows and G columns makes F G products for each of its D / groups channels and of the W₂ H₂ outputs.
    Source: 003_bda8f24b635fcb71.txt.

    >>> n_flops(in_channels=3, out_channels=6, kernel_size=5, output_size=28)
    705600
    """
    kh, kw = _pair("kernel_size", kernel_size)
    oh, ow = _pair("output_size", output_size)
    _require_groups(in_channels, out_channels, groups)
    return 2 * kh * kw * (in_channels // groups) * oh * ow * out_channels


def receptive_field(*, kernel_sizes: Layers, strides: Layers | None = None, dilations: Layers | None = None) -> int:
    """1 + Σ_l d_l (F_l − 1) Π_m<l S_m: how many inputs of one axis an output of the last layer depends on.

    One number for each layer, from the first on; strides and dilations are 1 unless given. Pooling counts as a layer.
    Raises ValueError if the lists differ in length, are empty, or hold a number less than 1; TypeError on what is no
    tuple or list of ints.
    Source: Araujo, Norris and Sim 2019.

    >>> receptive_field(kernel_sizes=[3, 2, 3], strides=[1, 2, 1])
    8
    """
    numerics.require_kind(tuple | list, kernel_sizes=kernel_sizes)
    layers = len(kernel_sizes)
    if layers == 0:
        raise ValueError("kernel_sizes: expected a number for each layer, got none")
    field, jump = 1, 1
    strides = [1] * layers if strides is None else strides
    dilations = [1] * layers if dilations is None else dilations
    numerics.require_kind(tuple | list, strides=strides, dilations=dilations)
    for name, values in (("strides", strides), ("dilations", dilations)):
        if len(values) != layers:
            raise ValueError(f"{name}: expected {layers} numbers, one for each of kernel_sizes, got {len(values)}")
    for layer, (kernel_size, stride, dilation) in enumerate(zip(kernel_sizes, strides, dilations, strict=True)):
        numerics.require_counts(
            **{f"kernel_sizes[{layer}]": kernel_size, f"strides[{layer}]": stride, f"dilations[{layer}]": dilation}
        )
        field += dilation * (kernel_size - 1) * jump
        jump *= stride
    return field


# --- windows along an axis, shared with pooling -----------------------------------------------------------------------


class _Track(NamedTuple):
    """One axis of an image, and how a window moves along it."""

    size: int
    padding: int
    outputs: int
    taps: list[slice]
    """What each tap reads of the padded axis."""


def _track(size: int, kernel_size: int, stride: int, padding: int, dilation: int) -> _Track:
    """Return the track on which tap p of output i reads the padded axis at s i + d p."""
    outputs = output_size(size=size, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    last = stride * (outputs - 1)
    taps = [slice(first, first + last + 1, stride) for first in range(0, dilation * kernel_size, dilation)]
    return _Track(size, padding, outputs, taps)


def _tracks(
    name: str,
    shape: tuple[int, ...],
    kernel_size: tuple[int, ...],
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
) -> tuple[_Track, _Track]:
    """Return the tracks of rows and columns; raise if the kernel, an argument of that name, does not fit."""
    (sh, sw), (ph, pw), (dh, dw) = _pair("stride", stride), _pair("padding", padding, 0), _pair("dilation", dilation)
    (h, v), (kh, kw) = shape[-2:], kernel_size[-2:]
    padded, spans = (h + 2 * ph, v + 2 * pw), (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    if spans[0] > padded[0] or spans[1] > padded[1]:
        raise ValueError(
            f"{name}: expected a kernel within the padded input, {padded}, got one that spans {spans}; "
            "pad more, or make it smaller"
        )
    return _track(h, kh, sh, ph, dh), _track(v, kw, sw, pw, dw)


def _outputs_at(tap: slice, length: int) -> IntArray:
    """Return the output for which a tap reads each place of a padded axis; −1 where it never does."""
    outputs = np.full(length, -1)
    outputs[tap] = np.arange(len(outputs[tap]))
    return outputs


def _read(x: Array, rows: _Track, columns: _Track, fill: float = 0.0) -> list[Array]:
    """Return what each tap reads of images (n, c, h, v), one array (n, c, oh, ow) for each, row by row."""
    for axis, padding in ((2, rows.padding), (3, columns.padding)):
        if padding:
            border = np.full((*x.shape[:axis], padding, *x.shape[axis + 1 :]), fill, x.dtype)
            x = np.concatenate([border, x, border], axis=axis)
    return [x[:, :, p, q] for p in rows.taps for q in columns.taps]


def _add_back(parts: Sequence[Array], rows: _Track, columns: _Track) -> Array:
    """Return the transpose of `_read`: images to which every tap adds its part where it would read it."""
    h, v = rows.size + 2 * rows.padding, columns.size + 2 * columns.padding
    taps = [(p, q) for p in rows.taps for q in columns.taps]
    if numerics.is_numpy(parts[0]):
        x = np.zeros((*parts[0].shape[:2], h, v), parts[0].dtype)
        for (p, q), part in zip(taps, parts, strict=True):
            x[:, :, p, q] += part
    else:  # array-likes that cannot be written into: each pixel asks every tap for what it has for it
        asked = ((_outputs_at(p, h)[:, None], _outputs_at(q, v)) for p, q in taps)
        x = reduce(
            np.add,
            (np.where((i >= 0) & (j >= 0), part[:, :, i, j], 0) for (i, j), part in zip(asked, parts, strict=True)),
        )
    return x[:, :, rows.padding : rows.padding + rows.size, columns.padding : columns.padding + columns.size]


def _unfolded(x: Array, rows: _Track, columns: _Track, groups: int = 1) -> Array:
    """Return windows as columns, (n, groups, c_in / groups · kh · kw, oh · ow) from (n, c_in, h, v): im2col."""
    windows = np.stack(_read(x, rows, columns), axis=2)
    return np.reshape(windows, (len(x), groups, -1, rows.outputs * columns.outputs))


def _folded(windows: Array, rows: _Track, columns: _Track) -> Array:
    """Return the transpose of `_unfolded`: every window added back to where it was read, col2im."""
    taps = len(rows.taps) * len(columns.taps)
    windows = np.reshape(windows, (len(windows), -1, taps, rows.outputs, columns.outputs))
    return _add_back([windows[:, :, tap] for tap in range(taps)], rows, columns)


def _unfolded_size(x: Array, rows: _Track, columns: _Track) -> int:
    n, c_in = x.shape[:2]
    return n * c_in * len(rows.taps) * len(columns.taps) * rows.outputs * columns.outputs


# --- checks -----------------------------------------------------------------------------------------------------------


def _pair(name: str, value: Size, least: int = 1) -> tuple[int, int]:
    """Return a number for rows and one for columns."""
    pair = value if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{name}: expected an int or a pair for rows and columns, got {value}")
    for number in pair:
        numerics.require_counts(least, **{name: number})
    return pair[0], pair[1]


def _require_groups(in_channels: int, out_channels: int, groups: int) -> None:
    numerics.require_counts(in_channels=in_channels, out_channels=out_channels, groups=groups)
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups:
            raise ValueError(f"groups: expected a divisor of the {channels} {name}, got {groups}")


def _require_convolution(
    x: Array, w: Array, b: Array, stride: Size, padding: Size, dilation: Size, groups: int
) -> tuple[_Track, _Track]:
    numerics.require_floats(x=x, w=w, b=b)
    numerics.require_shape(("n", "c_in", "h", "v"), x=x)
    numerics.require_shape(("c_out", "c_in", "kh", "kw"), w=w)
    numerics.require_rows(x=x, w=w)
    _require_groups(x.shape[1], len(w), groups)
    numerics.require_shape(("c_out", x.shape[1] // groups, "kh", "kw"), w=w)
    numerics.require_shape((len(w),), b=b)
    return _tracks("w", x.shape, w.shape, stride, padding, dilation)


def _require_pointwise(x: Array, w: Array, b: Array) -> None:
    numerics.require_floats(x=x, w=w, b=b)
    numerics.require_shape(("n", "c_in", "h", "v"), x=x)
    numerics.require_rows(x=x)
    numerics.require_shape(("c_out", x.shape[1]), w=w)
    numerics.require_rows(w=w)
    numerics.require_shape((len(w),), b=b)
