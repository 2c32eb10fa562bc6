"""Known mistakes in pooling; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.convolution.misconceptions import Function, takes_what
from graders.convolution.windows import Sweep, padded_back, pair, put_back, turned, windows
from reference import pooling as reference
from reference._types import Array

max_pool2d = takes_what(reference.max_pool2d)
max_pool2d_vjp = takes_what(reference.max_pool2d_vjp)
avg_pool2d = takes_what(reference.avg_pool2d)
avg_pool2d_vjp = takes_what(reference.avg_pool2d_vjp)


def sweep_of(kernel_size: Any, stride: Any = None, padding: Any = 0, **others: Any) -> Sweep:
    """Return how the windows of a pooling layer move."""
    return Sweep(pair(kernel_size), pair(kernel_size if stride is None else stride), pair(padding))


def pooled(f: Function, x: Array, sweep: Sweep, count_include_pad: bool = True, **how: Any) -> Array:
    """Return the largest or the mean entry of every window, however these move; f says which."""
    if f is reference.max_pool2d:
        return np.max(windows(x, sweep, fill=-np.inf, **how), axis=(-2, -1))
    inside = windows(np.ones_like(x[:1, :1]), sweep, fill=float(count_include_pad), **how)
    return np.sum(windows(x, sweep, **how), axis=(-2, -1)) / np.sum(inside, axis=(-2, -1))


# --- mistakes that many share: each takes the function that is misunderstood ------------------------------------------
def moves_by_the_window(f: Function) -> Function:
    """Make the mistake for either kind of pooling."""

    @takes_what(f)
    def moves_by_the_window(x: Array, *, kernel_size: Any, stride: Any = None, **others: Any) -> Array:
        """Your windows are as far apart as they are large, whatever the stride. Begin one every `stride` pixels."""
        return f(x, kernel_size=kernel_size, **others)

    return moves_by_the_window


def moves_by_one_by_default(f: Function) -> Function:
    """Make the mistake for either kind of pooling."""

    @takes_what(f)
    def moves_by_one_by_default(x: Array, *, kernel_size: Any, stride: Any = None, **others: Any) -> Array:
        """You took a stride of 1 where none is given. In pooling it is then the kernel size, as in PyTorch."""
        return f(x, kernel_size=kernel_size, stride=1 if stride is None else stride, **others)

    return moves_by_one_by_default


def moves_by_one_pixel(f: Function) -> Function:
    """Make the mistake for either kind of pooling."""

    @takes_what(f)
    def moves_by_one_pixel(x: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
        """Your windows are one pixel apart, though as many as the stride leaves. Number i begins at row stride · i."""
        sweep = sweep_of(**moves)
        return pooled(f, x, sweep, count_include_pad, outputs=sweep.outputs(x.shape), step=(1, 1))

    return moves_by_one_pixel


def ignores_the_padding(f: Function) -> Function:
    """Make the mistake for either kind of pooling."""

    @takes_what(f)
    def ignores_the_padding(x: Array, *, padding: Any = 0, count_include_pad: bool = True, **moves: Any) -> Array:
        """You ignored the padding. The first window begins `padding` rows above and columns before the map."""
        return pooled(f, x, sweep_of(**moves))

    return ignores_the_padding


def exchanges_rows_and_columns(f: Function) -> Function:
    """Make the mistake for either kind of pooling."""

    @takes_what(f)
    def exchanges_rows_and_columns(
        x: Array, *, kernel_size: Any, count_include_pad: bool = True, **moves: Any
    ) -> Array:
        """You exchanged the numbers of a pair. The first of a stride or padding is for the rows."""
        sweep = sweep_of(kernel_size, **{name: turned(value) for name, value in moves.items()})
        return pooled(f, x, sweep, count_include_pad)

    return exchanges_rows_and_columns


def leaves_out_the_last_windows(f: Function) -> Function:
    """Make the mistake for either kind of pooling."""

    @takes_what(f)
    def leaves_out_the_last_windows(x: Array, **options: Any) -> Array:
        """Your result lacks its last row and its last column. Along an axis there are ⌊(N + 2P − F) / S⌋ + 1."""
        return f(x, **options)[:, :, :-1, :-1]

    return leaves_out_the_last_windows


def pools_all_maps_together(f: Function) -> Function:
    """Make the mistake for either kind of pooling."""

    @takes_what(f)
    def pools_all_maps_together(x: Array, **options: Any) -> Array:
        """You pooled over samples and channels too. Every map is pooled by itself: use only the last two axes."""
        result = f(x, **options)
        total = np.max if f is reference.max_pool2d else np.mean
        return np.zeros_like(result) + total(result, axis=(0, 1))

    return pools_all_maps_together


def cuts_the_padding_off_to_nothing(f: Function) -> Function:
    """Make the mistake for the gradient of either kind of pooling."""

    @takes_what(f)
    def cuts_the_padding_off_to_nothing(x: Array, cotangent: Array, **options: Any) -> Array:
        """You cut the padding off dx by [P:−P], which is empty for P = 0. Cut by [P:P + h], then nothing is lost."""
        ph, pw = pair(options.get("padding", 0))
        dx = f(x, cotangent, **options)
        return dx if ph and pw else dx[:, :, : x.shape[2] if ph else 0, : x.shape[3] if pw else 0]

    return cuts_the_padding_off_to_nothing


def leaves_the_padding_on(f: Function) -> Function:
    """Make the mistake for the gradient of either kind of pooling."""

    @takes_what(f)
    def leaves_the_padding_on(x: Array, cotangent: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
        """Your dx still has the padding around it. Cut it off: dx has the shape of x."""
        sweep = sweep_of(**moves)
        return padded_back(shares(f, x, cotangent, sweep, count_include_pad), x.shape, sweep)

    return leaves_the_padding_on


def overwrites_the_windows(f: Function) -> Function:
    """Make the mistake for the gradient of either kind of pooling."""

    @takes_what(f)
    def overwrites_the_windows(x: Array, cotangent: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
        """Each window overwrites what others left in dx. A pixel in several windows gets the sum: += in place of =."""
        sweep = sweep_of(**moves)
        return put_back(shares(f, x, cotangent, sweep, count_include_pad), x.shape, sweep, order="windows")

    return overwrites_the_windows


def reads_windows_one_pixel_apart(f: Function) -> Function:
    """Make the mistake for the gradient of either kind of pooling."""

    @takes_what(f)
    def reads_windows_one_pixel_apart(
        x: Array, cotangent: Array, *, count_include_pad: bool = True, **moves: Any
    ) -> Array:
        """Your windows are one pixel apart whatever the stride. That of output i begins at row stride · i."""
        sweep = sweep_of(**moves)
        parts = shares(f, x, cotangent, sweep, count_include_pad, step=(1, 1))
        return put_back(parts, x.shape, sweep, step=(1, 1))

    return reads_windows_one_pixel_apart


def shares(f: Function, x: Array, g: Array, sweep: Sweep, count_include_pad: bool = True, **how: Any) -> Array:
    """Return what each window gives to its entries, (n, c, oh, ow, kh, kw), where windows begin anywhere."""
    outputs = (g.shape[2], g.shape[3])
    if f is reference.max_pool2d_vjp:
        return first_of_largest(windows(x, sweep, fill=-np.inf, outputs=outputs, **how)) * g[..., None, None]
    inside = windows(np.ones_like(x[:1, :1]), sweep, fill=float(count_include_pad), outputs=outputs, **how)
    counts = np.sum(inside, axis=(-2, -1))
    return np.broadcast_to((g / counts)[..., None, None], (*g.shape, *sweep.kernel))


def first_of_largest(read: Array, last: bool = False) -> Array:
    """Return ones where an entry of a window is the first (or the last) of its largest, zeros elsewhere."""
    flat = np.reshape(read, (*read.shape[:4], -1))
    width = flat.shape[-1]
    best = width - 1 - np.argmax(flat[..., ::-1], axis=-1) if last else np.argmax(flat, axis=-1)
    return np.reshape(best[..., None] == np.arange(width), read.shape).astype(read.dtype)


# --- max_pool2d -------------------------------------------------------------------------------------------------------
@max_pool2d
def starts_from_zero(x: Array, **moves: Any) -> Array:
    """Your maximum starts from 0, so that no result is negative. Start from −∞, or from the window's first entry."""
    return np.maximum(reference.max_pool2d(x, **moves), 0)


@max_pool2d
def pads_with_zeros(x: Array, **moves: Any) -> Array:
    """You padded with zeros, which win where all entries are negative. Pad with −∞."""
    return np.max(windows(x, sweep_of(**moves)), axis=(-2, -1))


@max_pool2d
def pads_with_minus_a_billion(x: Array, **moves: Any) -> Array:
    """You put −1e9 where nothing is, which wins against entries that are smaller still. Use −∞."""
    return np.max(windows(x, sweep_of(**moves), fill=-1e9), axis=(-2, -1))


@max_pool2d
def takes_the_mean(x: Array, **moves: Any) -> Array:
    """You took the mean of every window. Take its largest entry."""
    return reference.avg_pool2d(x, **moves)


@max_pool2d
def ignores_the_sign(x: Array, **moves: Any) -> Array:
    """You took the largest absolute value. Compare the entries themselves: −2 is less than 1."""
    return reference.max_pool2d(np.abs(x), **moves)


@max_pool2d
def keeps_the_ragged_edge(x: Array, **moves: Any) -> Array:
    """You kept windows that hang over the end (PyTorch's ceil_mode=True). Keep only those that fit the padded map."""
    sweep = sweep_of(**moves)
    lengths = zip(x.shape[2:], sweep.kernel, sweep.stride, sweep.padding, strict=True)
    down, across = (
        min(-(-(n + 2 * p - k) // s) + 1, (n + p - 1) // s + 1) for n, k, s, p in lengths
    )  # the last one begins within the map
    return pooled(reference.max_pool2d, x, sweep, outputs=(down, across))


# --- max_pool2d_vjp ---------------------------------------------------------------------------------------------------
@max_pool2d_vjp
def overwrites_the_winner(x: Array, cotangent: Array, **moves: Any) -> Array:
    """You assigned to the largest entry where you must add. One that wins several windows gets the sum: += for =."""
    sweep = sweep_of(**moves)
    return _assigned(first_of_largest(windows(x, sweep, fill=-np.inf)), x, cotangent, sweep)


def _assigned(won: Array, x: Array, g: Array, sweep: Sweep) -> Array:
    """Return dx where every window sets the entries by which it was won, one window after the other."""
    i, j = sweep.reads((g.shape[2], g.shape[3]))
    dx = np.zeros_like(x)
    for n, c, *place in np.argwhere(won):
        dx[n, c, i[tuple(place)], j[tuple(place)]] = g[n, c, place[0], place[1]]
    return dx


def every_largest(x: Array, sweep: Sweep, **how: Any) -> Array:
    """Return ones where an entry of a window is one of its largest, zeros elsewhere."""
    read = windows(x, sweep, fill=-np.inf, **how)
    return (read == np.max(read, axis=(-2, -1), keepdims=True)).astype(x.dtype)


@max_pool2d_vjp
def overwrites_windows_of_equal_maxima(x: Array, cotangent: Array, **moves: Any) -> Array:
    """Each window overwrites what others left in dx. A pixel in several windows gets the sum: += in place of =.

    Besides, every one of equal maxima gets it all, as by a mask x == max(x): that alone would be a convention.
    """
    sweep = sweep_of(**moves)
    return put_back(every_largest(x, sweep) * cotangent[..., None, None], x.shape, sweep, order="windows")


@max_pool2d_vjp
def overwrites_every_winner(x: Array, cotangent: Array, **moves: Any) -> Array:
    """You assigned to the largest entries where you must add. One that wins several windows gets the sum: += for =.

    Besides, every one of equal maxima gets it all, as by a mask x == max(x): that alone would be a convention.
    """
    sweep = sweep_of(**moves)
    return _assigned(every_largest(x, sweep), x, cotangent, sweep)


@max_pool2d_vjp
def reads_windows_of_equal_maxima_one_pixel_apart(x: Array, cotangent: Array, **moves: Any) -> Array:
    """Your windows are one pixel apart whatever the stride. That of output i begins at row stride · i.

    Besides, every one of equal maxima gets it all, as by a mask x == max(x): that alone would be a convention.
    """
    sweep = sweep_of(**moves)
    outputs = (cotangent.shape[2], cotangent.shape[3])
    won = every_largest(x, sweep, outputs=outputs, step=(1, 1))
    return put_back(won * cotangent[..., None, None], x.shape, sweep, step=(1, 1))


@max_pool2d_vjp
def lets_the_padding_win(x: Array, cotangent: Array, **moves: Any) -> Array:
    """You padded with zeros, which take the gradient where all entries are negative. Pad with −∞."""
    sweep = sweep_of(**moves)
    return put_back(first_of_largest(windows(x, sweep)) * cotangent[..., None, None], x.shape, sweep)


@max_pool2d_vjp
def gives_it_to_the_last_of_equals(x: Array, cotangent: Array, **moves: Any) -> Array:
    """Of equal maxima you chose the last. Here the first one, row by row, gets the gradient, as in PyTorch."""
    sweep = sweep_of(**moves)
    won = first_of_largest(windows(x, sweep, fill=-np.inf), last=True)
    return put_back(won * cotangent[..., None, None], x.shape, sweep)


@max_pool2d_vjp
def shares_with_the_whole_window(x: Array, cotangent: Array, **moves: Any) -> Array:
    """You gave every entry of a window an equal share; that is mean pooling. The largest entry gets it all."""
    return reference.avg_pool2d_vjp(x, cotangent, **moves)


@max_pool2d_vjp
def gives_it_to_the_whole_window(x: Array, cotangent: Array, **moves: Any) -> Array:
    """You gave the cotangent to every entry of a window. Only its largest entry gets it, the others get 0."""
    sweep = sweep_of(**moves)
    return put_back(np.broadcast_to(cotangent[..., None, None], (*cotangent.shape, *sweep.kernel)), x.shape, sweep)


@max_pool2d_vjp
def forgets_the_cotangent(x: Array, cotangent: Array, **moves: Any) -> Array:
    """You marked the largest entries only. Multiply each mark by the cotangent of its window."""
    return reference.max_pool2d_vjp(x, np.ones_like(cotangent), **moves)


@max_pool2d_vjp
def gives_back_the_maximum(x: Array, cotangent: Array, **moves: Any) -> Array:
    """You multiplied by the largest entry itself. Its derivative is 1: give it the cotangent alone."""
    return reference.max_pool2d_vjp(x, cotangent * reference.max_pool2d(x, **moves), **moves)


# --- avg_pool2d -------------------------------------------------------------------------------------------------------
@avg_pool2d
def sums_the_window(x: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You summed every window. Divide by the number of its entries."""
    return np.sum(windows(x, sweep_of(**moves)), axis=(-2, -1))


@avg_pool2d
def divides_by_one_side(x: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You divided by the rows of a window only. It has rows times columns."""
    return np.sum(windows(x, sweep_of(**moves)), axis=(-2, -1)) / pair(moves["kernel_size"])[0]


@avg_pool2d
def takes_the_largest(x: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You took the largest entry of every window. Take their mean."""
    return reference.max_pool2d(x, **moves)


@avg_pool2d
def always_counts_the_padding(x: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You ignored `count_include_pad`. If it is False, divide by the number of entries within the map."""
    return reference.avg_pool2d(x, **moves)


@avg_pool2d
def never_counts_the_padding(x: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You divided by the number of entries within the map. Unless count_include_pad is False the padding counts too."""
    return reference.avg_pool2d(x, count_include_pad=False, **moves)


@avg_pool2d
def counts_what_is_not_zero(x: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You count entries that are not zero for those within the map. A zero of the map counts, as any other entry."""
    if count_include_pad:
        return reference.avg_pool2d(x, **moves)
    with np.errstate(invalid="ignore"):
        return reference.avg_pool2d(x, **moves) / reference.avg_pool2d((x != 0).astype(x.dtype), **moves)


# --- avg_pool2d_vjp ---------------------------------------------------------------------------------------------------
@avg_pool2d_vjp
def gives_all_to_each(x: Array, cotangent: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You gave the whole cotangent to every entry of a window. Divide it by the number of entries."""
    sweep = sweep_of(**moves)
    return put_back(np.broadcast_to(cotangent[..., None, None], (*cotangent.shape, *sweep.kernel)), x.shape, sweep)


@avg_pool2d_vjp
def divides_by_one_side_only(x: Array, cotangent: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You divided by the rows of a window only. It has rows times columns."""
    return reference.avg_pool2d_vjp(x, cotangent, **moves) * pair(moves["kernel_size"])[1]


@avg_pool2d_vjp
def divides_by_the_number_of_windows(
    x: Array, cotangent: Array, *, count_include_pad: bool = True, **moves: Any
) -> Array:
    """You divided by the number of windows. Divide by the number of entries of one window."""
    kh, kw = pair(moves["kernel_size"])
    share = cotangent * (kh * kw) / (cotangent.shape[2] * cotangent.shape[3])
    return reference.avg_pool2d_vjp(x, share, **moves)


@avg_pool2d_vjp
def gives_it_to_the_largest(x: Array, cotangent: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You gave the cotangent to the largest entry of a window. Every entry gets the same share of it."""
    return reference.max_pool2d_vjp(x, cotangent, **moves)


@avg_pool2d_vjp
def counts_the_padding_always(x: Array, cotangent: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You ignored `count_include_pad`. If it is False, divide by the number of entries within the map."""
    return reference.avg_pool2d_vjp(x, cotangent, **moves)


@avg_pool2d_vjp
def counts_the_padding_never(x: Array, cotangent: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You divided by the number of entries within the map. Unless count_include_pad is False the padding counts too."""
    return reference.avg_pool2d_vjp(x, cotangent, count_include_pad=False, **moves)


@avg_pool2d_vjp
def shares_among_what_is_not_zero(x: Array, cotangent: Array, *, count_include_pad: bool = True, **moves: Any) -> Array:
    """You count entries that are not zero for those within the map. A zero of the map counts, as any other entry."""
    if count_include_pad:
        return reference.avg_pool2d_vjp(x, cotangent, **moves)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = cotangent / reference.avg_pool2d((x != 0).astype(x.dtype), **moves)
        return reference.avg_pool2d_vjp(x, share, **moves)


@avg_pool2d_vjp
def multiplies_by_the_input(x: Array, cotangent: Array, **options: Any) -> Array:
    """You multiplied by x. A mean is linear, so its derivative does not hold the input: g / (F G)."""
    return x * reference.avg_pool2d_vjp(x, cotangent, **options)


# --- global_avg_pool --------------------------------------------------------------------------------------------------
def sums_every_map(x: Array) -> Array:
    """You summed every map. Divide by the number of its pixels."""
    return np.sum(x, axis=(2, 3))


def divides_by_the_rows(x: Array) -> Array:
    """You divided by the number of rows only. A map has rows times columns."""
    return np.sum(x, axis=(2, 3)) / x.shape[2]


def keeps_the_axes(x: Array) -> Array:
    """Your means are right, but of shape (n, c, 1, 1). Return (n, c): leave keepdims out, or reshape."""
    return np.mean(x, axis=(2, 3), keepdims=True)


def takes_the_channels_for_the_last_axis(x: Array) -> Array:
    """You averaged over axes 1 and 2. Here the channels are axis 1; rows and columns are axes 2 and 3."""
    return np.mean(x, axis=(1, 2))


def averages_over_the_channels(x: Array) -> Array:
    """You averaged over the channels. Average over rows and columns, axes 2 and 3, of every map."""
    return np.mean(x, axis=1)


def averages_over_the_samples(x: Array) -> Array:
    """You averaged over the samples too. Every sample keeps its own means: axes 2 and 3 only."""
    return np.mean(x, axis=(0, 2, 3))


def averages_everything(x: Array) -> Any:
    """You averaged over all entries. There is one mean for each map: axes 2 and 3 only."""
    return np.mean(x)


def takes_the_largest_of_every_map(x: Array) -> Array:
    """You took the largest pixel of every map. Take the mean."""
    return np.max(x, axis=(2, 3))


# --- global_avg_pool_vjp ----------------------------------------------------------------------------------------------
def gives_all_to_every_pixel(x: Array, cotangent: Array) -> Array:
    """You gave the whole cotangent to every pixel. Divide it by the number of pixels of a map."""
    return np.zeros_like(x) + cotangent[:, :, None, None]


def divides_by_the_rows_only(x: Array, cotangent: Array) -> Array:
    """You divided by the number of rows only. A map has rows times columns."""
    return np.zeros_like(x) + cotangent[:, :, None, None] / x.shape[2]


def divides_by_the_channels_too(x: Array, cotangent: Array) -> Array:
    """You divided by all entries of a sample. Every channel has a mean of its own, so divide by H W."""
    return np.zeros_like(x) + cotangent[:, :, None, None] / x[0].size


def divides_by_the_samples_too(x: Array, cotangent: Array) -> Array:
    """You divided by the number of samples too. The means are taken over rows and columns only: divide by H W."""
    return reference.global_avg_pool_vjp(x, cotangent) / len(x)


def gives_it_to_the_largest_pixel(x: Array, cotangent: Array) -> Array:
    """You gave the cotangent to the largest pixel of a map. Every pixel gets the same share of it."""
    return (x == np.max(x, axis=(2, 3), keepdims=True)) * cotangent[:, :, None, None]


def multiplies_by_the_map(x: Array, cotangent: Array) -> Array:
    """You multiplied by x. A mean is linear, so its derivative does not hold the input: g / (H W)."""
    return x * reference.global_avg_pool_vjp(x, cotangent)


def leaves_out_the_cotangent(x: Array, cotangent: Array) -> Array:
    """You returned 1 / (H W) everywhere. Multiply it by the cotangent of the map."""
    return np.full_like(x, 1 / (x.shape[2] * x.shape[3]))


def returns_one_share_for_each_map(x: Array, cotangent: Array) -> Array:
    """You returned one share for each map. Every pixel gets it, so the result has the shape of x."""
    return cotangent / (x.shape[2] * x.shape[3])
