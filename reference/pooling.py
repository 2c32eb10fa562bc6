"""Pooling: the largest or the mean entry of every window of a map, and what that does to gradients.

Images are x[sample, channel, row, column], every map is pooled by itself; arrays are float32 or float64, which the
results keep (TypeError otherwise). A kernel size, stride or padding is an int, or a pair for rows and columns; the
stride is the kernel size unless given, and the padding at most half of it, as in PyTorch. A window stands only where it
fits the padded map, so a ragged edge is read by none (PyTorch's ceil_mode=False). An empty batch, sizes that do not fit
and a stride of 0 are a ValueError.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Annotated, Literal, TypeAlias

import numpy as np

from reference import _numerics as numerics
from reference._types import Array
from reference.convolution import Counts, Padding, Size, _add_back, _pair, _read, _Track, _tracks

Images = Annotated[Array, "n c h v"]
Pooled = Annotated[Array, "n c oh ow"]
Averages = Annotated[Array, "n c"]
Stride = Annotated[Size | None, "counts"]
Flag: TypeAlias = Literal[True, False]


def max_pool2d(x: Images, *, kernel_size: Counts, stride: Stride = None, padding: Padding = 0) -> Pooled:
    """y[i, j] = max_pq x[s i + p − P, s j + q − P], for every map; the padding is −∞, so that it never wins.

    Shapes: x (n, c, h, v), result (n, c, oh, ow) with the `output_size` of either axis. A window that holds NaN has the
    maximum NaN. Source: 000_fca5766a905df26d.txt, 003_bda8f24b635fcb71.txt.

    >>> max_pool2d(np.array([[[[1.0, 4.0, 2.0], [3.0, 0.0, -1.0]]]]), kernel_size=2, stride=1)
    array([[[[4., 4.]]]])
    """
    rows, columns = _require_pooling(x, kernel_size, stride, padding)

    def largest(x: Array) -> Array:
        first, *others = _read(x, rows, columns, -np.inf)
        return reduce(np.maximum, others, np.copy(first))

    return numerics.in_blocks(largest, x)


def max_pool2d_vjp(
    x: Images, cotangent: Pooled, *, kernel_size: Counts, stride: Stride = None, padding: Padding = 0
) -> Images:
    """Every window's cotangent goes to its largest entry; an entry that wins several windows gets the sum.

    Shapes and errors as in `max_pool2d`, the cotangent has the shape of its result. Convention: of equal maxima the
    first one, row by row, gets it all, as in PyTorch (max pooling has no derivative there).
    Source: 003_bda8f24b635fcb71.txt (ties are left open there).

    >>> x = np.array([[[[1.0, 4.0, 2.0], [4.0, 0.0, -1.0]]]])
    >>> max_pool2d_vjp(x, np.array([[[[10.0, 1.0]]]]), kernel_size=2, stride=1)
    array([[[[ 0., 11.,  0.],
             [ 0.,  0.,  0.]]]])
    """
    rows, columns = _require_pooling(x, kernel_size, stride, padding)
    _require_cotangent(x, cotangent, rows, columns)

    least = np.finfo(x.dtype).min  # of a real entry, so that the padding does not win where all are infinite

    def shares(x: Array, g: Array) -> Array:
        entries = _read(np.maximum(x, least), rows, columns, -np.inf)
        return _add_back(_first_of_largest(entries, g), rows, columns)

    return numerics.in_blocks(shares, x, cotangent)


def avg_pool2d(
    x: Images,
    *,
    kernel_size: Counts,
    stride: Stride = None,
    padding: Padding = 0,
    count_include_pad: Flag = True,
) -> Pooled:
    """y[i, j] = Σ_pq x[s i + p − P, s j + q − P] / (F G), for every map and a window of F rows and G columns.

    Shapes: x (n, c, h, v), result (n, c, oh, ow) with the `output_size` of either axis. Convention: the padding counts
    as entries that are 0, as in PyTorch; with count_include_pad=False a window is divided by the number of entries
    that it has within the map. Source: 002_8e0f3b4f5874cfed.txt.

    >>> avg_pool2d(np.array([[[[1.0, 4.0, 2.0], [3.0, 0.0, -1.0]]]]), kernel_size=2, stride=1)
    array([[[[2.  , 1.25]]]])
    """
    rows, columns = _require_pooling(x, kernel_size, stride, padding)
    numerics.require_flag(count_include_pad=count_include_pad)
    counts = _counts(rows, columns, count_include_pad).astype(x.dtype)

    return numerics.in_blocks(lambda x: reduce(np.add, _read(x, rows, columns)) / counts, x)


def avg_pool2d_vjp(
    x: Images,
    cotangent: Pooled,
    *,
    kernel_size: Counts,
    stride: Stride = None,
    padding: Padding = 0,
    count_include_pad: Flag = True,
) -> Images:
    """dx[a, b] = Σ_ij g[i, j] / (F G) over the windows that hold the entry (a, b).

    Shapes, conventions and errors as in `avg_pool2d`, the cotangent g has the shape of its result. Of x only the shape
    and the dtype are used: the mean is linear. Source: 002_8e0f3b4f5874cfed.txt.

    >>> avg_pool2d_vjp(np.zeros((1, 1, 2, 3)), np.array([[[[4.0, 8.0]]]]), kernel_size=2, stride=1)
    array([[[[1., 3., 2.],
             [1., 3., 2.]]]])
    """
    rows, columns = _require_pooling(x, kernel_size, stride, padding)
    _require_cotangent(x, cotangent, rows, columns)
    numerics.require_flag(count_include_pad=count_include_pad)
    counts = _counts(rows, columns, count_include_pad).astype(x.dtype)

    def shares(g: Array) -> Array:
        return _add_back([g / counts] * (len(rows.taps) * len(columns.taps)), rows, columns)

    return numerics.in_blocks(shares, cotangent, entries=x.size)


def global_avg_pool(x: Images) -> Averages:
    """y = Σ_ij x[i, j] / (H W), the mean of every map.

    Shapes: x (n, c, h, v), result (n, c). Source: Lin, Chen and Yan 2014.

    >>> global_avg_pool(np.array([[[[1.0, 4.0], [3.0, 0.0]]]]))
    array([[2.]])
    """
    _require_images(x)
    return np.mean(x, axis=(2, 3))


def global_avg_pool_vjp(x: Images, cotangent: Averages) -> Images:
    """dx[i, j] = g / (H W): every pixel gets the same share.

    Shapes as in `global_avg_pool`, the cotangent g (n, c). Of x only the shape and the dtype are used.
    Source: Lin, Chen and Yan 2014.

    >>> global_avg_pool_vjp(np.zeros((1, 1, 2, 2)), np.array([[8.0]]))
    array([[[[2., 2.],
             [2., 2.]]]])
    """
    _require_images(x)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_shape(x.shape[:2], cotangent=cotangent)
    share = cotangent / (x.shape[2] * x.shape[3])
    return np.zeros_like(x) + share[:, :, None, None]


def _first_of_largest(entries: Sequence[Array], g: Array) -> list[Array]:
    """Return g for the first of the largest entries, 0 for the others."""
    best = entries[0]
    leads = [np.ones(best.shape, bool)]  # over all before it
    for entry in entries[1:]:
        leads.append(entry > best)
        best = np.maximum(best, entry)
    shares = []
    free = leads[0]  # not yet given to a later entry
    for lead in reversed(leads):
        shares.append(g * (lead & free))
        free = free & ~lead
    return shares[::-1]


def _counts(rows: _Track, columns: _Track, count_include_pad: bool) -> Array:
    """Return how many entries every window has, as (oh, ow)."""
    ones = np.ones((1, 1, rows.size, columns.size))
    return reduce(np.add, _read(ones, rows, columns, float(count_include_pad)))[0, 0]


def _require_images(x: Array) -> None:
    numerics.require_floats(x=x)
    numerics.require_shape(("n", "c", "h", "v"), x=x)
    numerics.require_rows(x=x)


def _require_pooling(x: Array, kernel_size: Size, stride: Size | None, padding: Size) -> tuple[_Track, _Track]:
    _require_images(x)
    sizes, paddings = _pair("kernel_size", kernel_size), _pair("padding", padding, 0)
    if paddings[0] > sizes[0] // 2 or paddings[1] > sizes[1] // 2:
        raise ValueError(f"padding: expected at most half of kernel_size {kernel_size}, got {padding}")
    return _tracks("kernel_size", x.shape, sizes, kernel_size if stride is None else stride, padding)


def _require_cotangent(x: Array, cotangent: Array, rows: _Track, columns: _Track) -> None:
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_shape((*x.shape[:2], rows.outputs, columns.outputs), cotangent=cotangent)
