"""Exercises on pooling: the largest or the mean entry of every window, the mean of every map, and their gradients."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
from graders.pooling import misconceptions as wrong
from reference import pooling as reference
from reference._types import Array, IntArray
from reference.convolution import Size

# Distinct sizes, full mantissas, no two entries of a map alike.
_MAP = [[0.3, -1.7, 0.9, 1.1, -0.4], [0.4, -0.6, 2.3, -0.2, 1.7], [1.9, 0.7, -1.3, 0.1, -2.6]]
_OTHER = [[1.2, -0.8, 0.5, -0.3, 0.7], [0.6, -1.3, 0.4, 0.8, -0.1], [-0.9, 0.1, 1.7, -0.2, 1.3]]
_PAIR = {"x": [[_MAP, _OTHER]]}
_BATCH = {"x": [[_MAP], [_OTHER]]}
_WIDE = {"x": [[[*_MAP, *_OTHER, _MAP[1][::-1]], [*_OTHER, *_MAP, _OTHER[0][::-1]]]]}
_PIXEL = {"x": [[[[0.3]], [[-1.7]]]]}
_NEGATIVE = {"x": [[[[-0.3, -1.7, -0.9], [-2.3, -0.6, -1.1]]]]}
_ZEROS = {"x": [[[[-1.3, 0.0, 0.0], [0.0, -0.7, 0.9]]]]}
_HIGH = {"x": [[[[1e4 + 0.3, 1e4 - 1.7, 1e4 + 0.9], [1e4 + 1.1, 1e4 + 0.4, 1e4 - 0.6]]]]}
_APART = {"x": [[[[1e4 + 0.7, -1e4 - 0.4, 1e4 + 2.3], [-1e4 + 0.3, 1e4 + 1.9, -1e4 - 0.7]]]]}
_TINY = {"x": [[[[1.3e-30, -1.7e-31, 0.9e-30], [-2.3e-30, 0.6e-30, 1.1e-31]]]]}
_HUGE = {"x": [[[[1.3e37, -1.7e36, 0.9e37], [-2.3e37, 0.6e37, 1.1e36]]]]}


def _pixels(
    shape: tuple[int, ...], kernel_size: Size, stride: Size | None, padding: Size
) -> tuple[IntArray, tuple[int, int]]:
    """Return which pixel every entry of every window reads, row by row, −1 in the padding; and how many windows."""

    def reads(size: int, kernel_size: int, stride: int, padding: int) -> IntArray:
        first = np.arange(0, size + 2 * padding - kernel_size + 1, stride) - padding
        read = first[:, None] + np.arange(kernel_size)
        return np.where((read >= 0) & (read < size), read, -1)

    sizes, strides, paddings = (
        number if isinstance(number, tuple) else (number, number)
        for number in (kernel_size, kernel_size if stride is None else stride, padding)
    )
    rows, columns = (reads(*axis) for axis in zip(shape[2:], sizes, strides, paddings, strict=True))
    i, j = rows[:, None, :, None], columns[None, :, None, :]
    pixels = np.where((i >= 0) & (j >= 0), i * shape[3] + j, -1)
    return pixels.reshape(len(rows) * len(columns), -1), (len(rows), len(columns))


def _entries(x: Array, pixels: IntArray, fill: float) -> Array:
    """Return the entries of every window, (n, c, windows, entries): the padding is one more pixel, the last."""
    flat = np.reshape(x, (*x.shape[:2], -1))
    return np.concatenate([flat, np.full((*x.shape[:2], 1), fill, x.dtype)], axis=2)[:, :, pixels]


def _placed(pixels: IntArray, x: Array) -> Array:
    """Return ones where an entry of a window is a pixel: (windows, entries, pixels)."""
    return (pixels[:, :, None] == np.arange(x.shape[2] * x.shape[3])).astype(x.dtype)


def _counted(pixels: IntArray, count_include_pad: bool) -> IntArray:
    return np.sum((pixels >= 0) | count_include_pad, axis=1)


# --- the largest entry ------------------------------------------------------------------------------------------------
def max_pool2d_by_windows(x: Array, *, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> Array:
    """Every window laid out as a row, and the largest of it."""
    pixels, windows = _pixels(x.shape, kernel_size, stride, padding)
    return np.reshape(np.max(_entries(x, pixels, -np.inf), axis=-1), (*x.shape[:2], *windows))


def _torch_max_pool2d(torch: Any, x: Array, **options: Any) -> Array:
    return torch.nn.functional.max_pool2d(torch.tensor(x), **options).numpy()


_MAXIMA = (
    edge("small, a ragged edge", **_PAIR, kernel_size=2),
    edge("windows that overlap", **_BATCH, kernel_size=(2, 3), stride=1),
    edge("strides that differ, padded", **_PAIR, kernel_size=3, stride=(1, 2), padding=1),
    edge("padding that differs", **_BATCH, kernel_size=(3, 2), stride=2, padding=(1, 0)),
    edge("a padding of zeros would win", **_NEGATIVE, kernel_size=2, stride=1, padding=1),
    edge("windows of one entry", **_PAIR, kernel_size=1, stride=2),
    edge("strides beyond the windows", **_WIDE, kernel_size=2, stride=4),
    edge("a padding of two", **_WIDE, kernel_size=(5, 4), stride=(2, 3), padding=2),
    edge("one window for the whole map", **_BATCH, kernel_size=(3, 5)),
    edge("one pixel", **_PIXEL, kernel_size=1),
    extreme("close together on a height of 1e4", **_HIGH, kernel_size=2, stride=1),
    extreme("huge", **_HUGE, kernel_size=2, stride=1, padding=1),
    extreme("tiny", **_TINY, kernel_size=2, stride=1),
    extreme("tiny, side by side", **_TINY, kernel_size=2),
    extreme("huge, side by side", **_HUGE, kernel_size=2),
)

max_pool2d = Exercise(
    reference.max_pool2d,
    misconceptions=(
        wrong.starts_from_zero,
        wrong.pads_with_zeros,
        wrong.pads_with_minus_a_billion,
        wrong.takes_the_mean,
        wrong.ignores_the_sign,
        wrong.keeps_the_ragged_edge,
        wrong.moves_by_the_window(reference.max_pool2d),
        wrong.moves_by_one_by_default(reference.max_pool2d),
        wrong.moves_by_one_pixel(reference.max_pool2d),
        wrong.ignores_the_padding(reference.max_pool2d),
        wrong.exchanges_rows_and_columns(reference.max_pool2d),
        wrong.leaves_out_the_last_windows(reference.max_pool2d),
        wrong.pools_all_maps_together(reference.max_pool2d),
    ),
    programs=(max_pool2d_by_windows,),
    edges=(*_MAXIMA, special("zeros that win", **_ZEROS, kernel_size=2, stride=1)),
    rivals={"torch": _torch_max_pool2d},
)


def max_pool2d_vjp_by_windows(
    x: Array, cotangent: Array, *, kernel_size: Size, stride: Size | None = None, padding: Size = 0
) -> Array:
    """Every window laid out as a row, and a matrix that puts its entries back."""
    pixels, _ = _pixels(x.shape, kernel_size, stride, padding)
    best = np.argmax(_entries(x, pixels, -np.inf), axis=-1)
    won = (best[..., None] == np.arange(pixels.shape[1])).astype(x.dtype)
    return _given_back(won * np.reshape(cotangent, (*x.shape[:2], -1, 1)), pixels, x)


def _given_back(shares: Array, pixels: IntArray, x: Array) -> Array:
    """Return images to whose pixels the shares of the entries of every window are added."""
    flat = np.reshape(shares, (*x.shape[:2], -1))
    return np.reshape(flat @ np.reshape(_placed(pixels, x), (pixels.size, -1)), x.shape)


def _largest(x: Array, pixels: IntArray) -> Array:
    """Return ones for all the largest entries of every window, zeros for the others."""
    entries = _entries(x, pixels, -np.inf)
    return (entries == np.max(entries, axis=-1, keepdims=True)).astype(x.dtype)


def gives_every_maximum_the_whole(
    x: Array, cotangent: Array, *, kernel_size: Size, stride: Size | None = None, padding: Size = 0
) -> Array:
    """Every one of equal maxima gets the whole cotangent, as by DeepLearning.AI's create_mask_from_window."""
    pixels, _ = _pixels(x.shape, kernel_size, stride, padding)
    return _given_back(_largest(x, pixels) * np.reshape(cotangent, (*x.shape[:2], -1, 1)), pixels, x)


def splits_among_equal_maxima(
    x: Array, cotangent: Array, *, kernel_size: Size, stride: Size | None = None, padding: Size = 0
) -> Array:
    """Equal maxima get equal shares of the cotangent, as by PyTorch's amax."""
    pixels, _ = _pixels(x.shape, kernel_size, stride, padding)
    won = _largest(x, pixels)
    g, equals = np.reshape(cotangent, (*x.shape[:2], -1, 1)), np.sum(won, axis=-1, keepdims=True)
    # asked for one by one: a division by a number of comparisons has no bound on its rounding error, and is no integer
    numbers = range(1, pixels.shape[1] + 1)
    shares = sum((np.abs(equals - number) < 0.5).astype(x.dtype) * (g / number) for number in numbers)
    return _given_back(won * shares, pixels, x)


def _torch_vjp(torch: Any, function: Any, x: Array, cotangent: Array, **options: Any) -> Array:
    tensor = torch.tensor(x, requires_grad=True)
    function(tensor, **options).backward(torch.tensor(cotangent))
    return tensor.grad.numpy()


def _torch_max_pool2d_vjp(torch: Any, x: Array, cotangent: Array, **options: Any) -> Array:
    return _torch_vjp(torch, torch.nn.functional.max_pool2d, x, cotangent, **options)


max_pool2d_vjp = Exercise(
    reference.max_pool2d_vjp,
    misconceptions=(
        wrong.overwrites_the_winner,
        wrong.overwrites_windows_of_equal_maxima,
        wrong.overwrites_every_winner,
        wrong.reads_windows_of_equal_maxima_one_pixel_apart,
        wrong.lets_the_padding_win,
        wrong.gives_it_to_the_last_of_equals,
        wrong.shares_with_the_whole_window,
        wrong.gives_it_to_the_whole_window,
        wrong.forgets_the_cotangent,
        wrong.gives_back_the_maximum,
        wrong.cuts_the_padding_off_to_nothing(reference.max_pool2d_vjp),
        wrong.leaves_the_padding_on(reference.max_pool2d_vjp),
        wrong.overwrites_the_windows(reference.max_pool2d_vjp),
        wrong.reads_windows_one_pixel_apart(reference.max_pool2d_vjp),
    ),
    conventions=(gives_every_maximum_the_whole, splits_among_equal_maxima),
    programs=(max_pool2d_vjp_by_windows,),
    edges=(
        *_MAXIMA,
        edge("of equal maxima the first", **_ZEROS, cotangent=[[[[0.6, -1.3]]]], kernel_size=2, stride=1),
        extreme("cotangents that cancel", **_HIGH, cotangent=[[[[1e5 + 0.3, 0.7 - 1e5]]]], kernel_size=2, stride=1),
    ),
    rivals={"torch": _torch_max_pool2d_vjp},
)


# --- the mean of a window ---------------------------------------------------------------------------------------------
def avg_pool2d_by_windows(
    x: Array,
    *,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    count_include_pad: bool = True,
) -> Array:
    """Every window laid out as a row, and the sum of it."""
    pixels, windows = _pixels(x.shape, kernel_size, stride, padding)
    sums = np.sum(_entries(x, pixels, 0.0), axis=-1)
    return np.reshape(sums / _counted(pixels, count_include_pad).astype(x.dtype), (*x.shape[:2], *windows))


def _torch_avg_pool2d(torch: Any, x: Array, **options: Any) -> Array:
    return torch.nn.functional.avg_pool2d(torch.tensor(x), **options).numpy()


_MEANS = (
    edge("small, a ragged edge", **_PAIR, kernel_size=2),
    edge("windows that overlap", **_BATCH, kernel_size=(2, 3), stride=1),
    edge("padding counts", **_PAIR, kernel_size=3, stride=(1, 2), padding=1),
    edge("padding does not count", **_PAIR, kernel_size=3, stride=(1, 2), padding=1, count_include_pad=False),
    edge("padding that differs", **_BATCH, kernel_size=(3, 2), stride=2, padding=(1, 0), count_include_pad=False),
    edge("zeros within the map count", **_ZEROS, kernel_size=2, stride=1, padding=1, count_include_pad=False),
    edge("windows of one entry", **_PAIR, kernel_size=1, stride=2),
    edge("strides beyond the windows", **_WIDE, kernel_size=2, stride=4),
    edge("a padding of two", **_WIDE, kernel_size=(5, 4), stride=(2, 3), padding=2),
    edge("one window for the whole map", **_BATCH, kernel_size=(3, 5)),
    edge("one pixel", **_PIXEL, kernel_size=1),
    extreme("on a height of 1e4", **_HIGH, kernel_size=2, stride=1),
    extreme("large values that cancel", **_APART, kernel_size=2, stride=1),
    extreme("huge", **_HUGE, kernel_size=2, stride=1, padding=1),
    extreme("huge, side by side", **_HUGE, kernel_size=2),
    extreme("tiny", **_TINY, kernel_size=2, stride=1, padding=1, count_include_pad=False),
)

avg_pool2d = Exercise(
    reference.avg_pool2d,
    misconceptions=(
        wrong.sums_the_window,
        wrong.divides_by_one_side,
        wrong.takes_the_largest,
        wrong.always_counts_the_padding,
        wrong.never_counts_the_padding,
        wrong.counts_what_is_not_zero,
        wrong.moves_by_the_window(reference.avg_pool2d),
        wrong.moves_by_one_by_default(reference.avg_pool2d),
        wrong.moves_by_one_pixel(reference.avg_pool2d),
        wrong.ignores_the_padding(reference.avg_pool2d),
        wrong.exchanges_rows_and_columns(reference.avg_pool2d),
        wrong.leaves_out_the_last_windows(reference.avg_pool2d),
        wrong.pools_all_maps_together(reference.avg_pool2d),
    ),
    programs=(avg_pool2d_by_windows,),
    edges=_MEANS,
    rivals={"torch": _torch_avg_pool2d},
)


def avg_pool2d_vjp_by_windows(
    x: Array,
    cotangent: Array,
    *,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    count_include_pad: bool = True,
) -> Array:
    """A matrix that gives every window's share to its pixels."""
    pixels, _ = _pixels(x.shape, kernel_size, stride, padding)
    shares = np.reshape(cotangent, (*x.shape[:2], -1)) / _counted(pixels, count_include_pad).astype(x.dtype)
    return np.reshape(shares @ np.sum(_placed(pixels, x), axis=1), x.shape)


def _torch_avg_pool2d_vjp(torch: Any, x: Array, cotangent: Array, **options: Any) -> Array:
    return _torch_vjp(torch, torch.nn.functional.avg_pool2d, x, cotangent, **options)


avg_pool2d_vjp = Exercise(
    reference.avg_pool2d_vjp,
    misconceptions=(
        wrong.gives_all_to_each,
        wrong.divides_by_one_side_only,
        wrong.divides_by_the_number_of_windows,
        wrong.gives_it_to_the_largest,
        wrong.counts_the_padding_always,
        wrong.counts_the_padding_never,
        wrong.shares_among_what_is_not_zero,
        wrong.multiplies_by_the_input,
        wrong.cuts_the_padding_off_to_nothing(reference.avg_pool2d_vjp),
        wrong.leaves_the_padding_on(reference.avg_pool2d_vjp),
        wrong.overwrites_the_windows(reference.avg_pool2d_vjp),
        wrong.reads_windows_one_pixel_apart(reference.avg_pool2d_vjp),
    ),
    programs=(avg_pool2d_vjp_by_windows,),
    edges=(
        *_MEANS,
        extreme("cotangents that cancel", **_HIGH, cotangent=[[[[1e5 + 0.3, 0.7 - 1e5]]]], kernel_size=2, stride=1),
        extreme("tiny cotangents", **_HIGH, cotangent=[[[[1.3e-30, -1.7e-31]]]], kernel_size=2, stride=1),
    ),
    rivals={"torch": _torch_avg_pool2d_vjp},
)


# --- the mean of a map ------------------------------------------------------------------------------------------------
def global_avg_pool_by_rows_and_columns(x: Array) -> Array:
    """The mean of the rows' means."""
    return np.mean(np.mean(x, axis=3), axis=2)


def _torch_global_avg_pool(torch: Any, x: Array) -> Array:
    return torch.nn.functional.adaptive_avg_pool2d(torch.tensor(x), 1)[:, :, 0, 0].numpy()


global_avg_pool = Exercise(
    reference.global_avg_pool,
    misconceptions=(
        wrong.sums_every_map,
        wrong.divides_by_the_rows,
        wrong.keeps_the_axes,
        wrong.takes_the_channels_for_the_last_axis,
        wrong.averages_over_the_channels,
        wrong.averages_over_the_samples,
        wrong.averages_everything,
        wrong.takes_the_largest_of_every_map,
    ),
    programs=(global_avg_pool_by_rows_and_columns,),
    edges=(
        edge("small", **_PAIR),
        edge("two samples", **_BATCH),
        edge("one pixel", **_PIXEL),
        edge("one row", x=[[[[0.3, -1.7, 0.9]]]]),
        edge("one column", x=[[[[0.3], [-1.7]], [[0.9], [1.1]]]]),
        extreme("on a height of 1e4", **_HIGH),
        extreme("large values that cancel", **_APART),
        extreme("huge", **_HUGE),
        extreme("tiny", **_TINY),
    ),
    rivals={"torch": _torch_global_avg_pool},
)


def global_avg_pool_vjp_by_ones(x: Array, cotangent: Array) -> Array:
    """A map of 1 / (H W) for each, times the cotangent."""
    shares = np.ones(x.shape, x.dtype) / (x.shape[2] * x.shape[3])
    return shares * cotangent[:, :, None, None]


def _torch_global_avg_pool_vjp(torch: Any, x: Array, cotangent: Array) -> Array:
    return _torch_vjp(torch, torch.nn.functional.adaptive_avg_pool2d, x, cotangent[:, :, None, None], output_size=1)


global_avg_pool_vjp = Exercise(
    reference.global_avg_pool_vjp,
    misconceptions=(
        wrong.gives_all_to_every_pixel,
        wrong.divides_by_the_rows_only,
        wrong.divides_by_the_channels_too,
        wrong.divides_by_the_samples_too,
        wrong.gives_it_to_the_largest_pixel,
        wrong.multiplies_by_the_map,
        wrong.leaves_out_the_cotangent,
        wrong.returns_one_share_for_each_map,
    ),
    programs=(global_avg_pool_vjp_by_ones,),
    edges=(
        edge("small", **_PAIR, cotangent=[[0.6, -1.3]]),
        edge("two samples", **_BATCH, cotangent=[[0.4], [-0.9]]),
        edge("one pixel", **_PIXEL, cotangent=[[0.7, -1.3]]),
        edge("one row", x=[[[[0.3, -1.7, 0.9]]], [[[0.4, 1.1, -0.6]]]], cotangent=[[1.7], [-0.2]]),
        edge("no share for one map", **_PAIR, cotangent=[[0.0, -1.3]]),
        extreme("mixed sizes", **_PAIR, cotangent=[[1e4 + 0.7, 1.3e-3]]),
        extreme("tiny", **_PAIR, cotangent=[[1.3e-30, -1.7e-31]]),
    ),
    rivals={"torch": _torch_global_avg_pool_vjp},
)
