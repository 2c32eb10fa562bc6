"""Known mistakes in the convolution of maps and images; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from graders.convolution.windows import Sweep, pair, turned, windows
from reference import convolution as reference
from reference._types import Array

Function = Callable[..., Any]


# --- mistakes that many share: each takes the function that is misunderstood ------------------------------------------
def takes_what(f: Function) -> Callable[[Function], Function]:
    """Give a mistake the signature of the function that it is made in."""

    def signed(wrong: Function) -> Function:
        wrong.__signature__ = inspect.signature(f)  # type: ignore[attr-defined]
        return wrong

    return signed


def keeps_the_size_of_the_map(f: Function) -> Function:
    """Make the mistake for a map and a kernel."""

    @takes_what(f)
    def keeps_the_size_of_the_map(x: Array, w: Array) -> Array:
        """You padded the map to keep its size (mode="same"). Keep the kernel within the map: mode="valid"."""
        (kh, kw), (h, v) = w.shape, x.shape
        return f(np.pad(x, ((kh // 2, kh), (kw // 2, kw))), w)[:h, :v]

    return keeps_the_size_of_the_map


def returns_every_overlap(f: Function) -> Function:
    """Make the mistake for a map and a kernel."""

    @takes_what(f)
    def returns_every_overlap(x: Array, w: Array) -> Array:
        """You let the kernel hang over the edge (mode="full"). Keep it within the map: mode="valid"."""
        (kh, kw) = w.shape
        return f(np.pad(x, ((kh - 1, kh - 1), (kw - 1, kw - 1))), w)

    return returns_every_overlap


def stops_one_window_early(f: Function) -> Function:
    """Make the mistake for a map and a kernel."""

    @takes_what(f)
    def stops_one_window_early(x: Array, w: Array) -> Array:
        """Your result lacks its last row and its last column. The kernel fits in h − kh + 1 places, not in h − kh."""
        return f(x, w)[:-1, :-1]

    return stops_one_window_early


def leaves_the_last_windows_zero(f: Function) -> Function:
    """Make the mistake for a map and a kernel."""

    @takes_what(f)
    def leaves_the_last_windows_zero(x: Array, w: Array) -> Array:
        """Your loops end one row and one column too soon, where zeros remain. Go on to h − kh and v − kw inclusive."""
        result = f(x, w)
        result[-1], result[:, -1] = 0, 0
        return result

    return leaves_the_last_windows_zero


def averages_the_products(f: Function) -> Function:
    """Make the mistake for a map and a kernel."""

    @takes_what(f)
    def averages_the_products(x: Array, w: Array) -> Array:
        """You took the mean of the products. Sum them."""
        return f(x, w) / w.size

    return averages_the_products


def reads_the_kernel_column_by_column(f: Function) -> Function:
    """Make the mistake for one kernel, or for kernels whose last two axes are rows and columns."""

    @takes_what(f)
    def reads_the_kernel_column_by_column(x: Array, w: Array, *others: Array, **options: Any) -> Array:
        """You read the kernel column by column, but windows row by row. w(m, n) belongs to row m and column n."""
        return f(x, np.reshape(np.swapaxes(w, -1, -2), w.shape), *others, **options)

    return reads_the_kernel_column_by_column


# --- one map ----------------------------------------------------------------------------------------------------------
def turns_the_kernel(x: Array, w: Array) -> Array:
    """You turned the kernel by half a turn; that is a convolution. A cross-correlation takes it as it is."""
    return reference.cross_correlate2d(x, w[::-1, ::-1])


def forgets_to_turn_the_kernel(x: Array, w: Array) -> Array:
    """You took the kernel as it is; that is a cross-correlation. Turn it by half a turn first: w(−m, −n)."""
    return reference.cross_correlate2d(x, w)


def mirrors_the_rows_only(x: Array, w: Array) -> Array:
    """You reversed the order of the kernel's rows only. Reverse that of its columns too: w[::-1, ::-1]."""
    return reference.cross_correlate2d(x, w[::-1])


def mirrors_the_columns_only(x: Array, w: Array) -> Array:
    """You reversed the order of the kernel's columns only. Reverse that of its rows too: w[::-1, ::-1]."""
    return reference.cross_correlate2d(x, w[:, ::-1])


def leaves_the_result_turned(x: Array, w: Array) -> Array:
    """Your result is right but for half a turn. Turn the kernel, and neither the map nor the result."""
    return reference.convolve2d(x, w)[::-1, ::-1]


def goes_around_the_edges(x: Array, w: Array) -> Array:
    """You convolved around the edges, as a product of Fourier transforms does. Keep where the kernel fits the map."""
    return np.sum([w[a, b] * np.roll(x, (a, b), (0, 1)) for a, b in np.ndindex(w.shape)], axis=0)


# --- images -----------------------------------------------------------------------------------------------------------
conv2d = takes_what(reference.conv2d)


def sweep_of(w: Array, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Sweep:
    """Return how the windows of these kernels move; in groups they do so alike."""
    return Sweep((w.shape[2], w.shape[3]), pair(stride), pair(padding), pair(dilation))


def products(read: Array, w: Array, groups: int = 1) -> Array:
    """Return the sum of products of windows (n, c, oh, ow, kh, kw) with kernels, group by group: (n, o, oh, ow)."""
    n, c_in, oh, ow, kh, kw = read.shape
    grouped = np.reshape(read, (n, groups, c_in // groups, oh, ow, kh, kw))
    kernels = np.reshape(w, (groups, -1, *w.shape[1:]))
    return np.reshape(np.einsum("ngcijpq,gocpq->ngoij", grouped, kernels), (n, len(w), oh, ow))


def layer(
    x: Array, w: Array, b: Array, groups: int = 1, /, outputs: Any = None, step: Any = None, **moves: Any
) -> Array:
    """Return the layer's result for any number of outputs, and windows that begin anywhere."""
    read = windows(x, sweep_of(w, **moves), outputs=outputs, step=step)
    return products(read, w, groups) + b[:, None, None]


@conv2d
def forgets_the_bias(x: Array, w: Array, b: Array, **options: Any) -> Array:
    """You left out the bias. Add b[o] to every entry of the output map o."""
    return reference.conv2d(x, w, np.zeros_like(b), **options)


@conv2d
def adds_the_bias_for_every_tap(x: Array, w: Array, b: Array, **options: Any) -> Array:
    """You added the bias once for every product. Add b[o] once to the finished sum."""
    return reference.conv2d(x, w, b * w[0].size, **options)


@conv2d
def adds_the_bias_for_every_channel(x: Array, w: Array, b: Array, **options: Any) -> Array:
    """You added the bias once for every input channel. Sum over the channels first, then add b[o] once."""
    return reference.conv2d(x, w, b * w.shape[1], **options)


@conv2d
def turns_the_kernels(x: Array, w: Array, b: Array, **options: Any) -> Array:
    """You turned the kernels by half a turn. A layer takes them as they are: a cross-correlation, as in PyTorch."""
    return reference.conv2d(x, w[:, :, ::-1, ::-1], b, **options)


@conv2d
def reshapes_the_kernels_without_transposing(x: Array, w: Array, b: Array, *, groups: int = 1, **moves: Any) -> Array:
    """You reshaped the kernels to (…, c_out), which mixes them. Reshape to (c_out, −1), then transpose."""
    mixed = np.swapaxes(np.reshape(w, (groups, -1, len(w) // groups)), 1, 2)
    return reference.conv2d(x, np.reshape(mixed, w.shape), b, groups=groups, **moves)


@conv2d
def keeps_the_last_channel_only(x: Array, w: Array, b: Array, *, groups: int = 1, **moves: Any) -> Array:
    """You kept the products of the last input channel only. Sum over all of them: write += where you have =."""
    alone = np.zeros_like(w)
    alone[:, -1] = w[:, -1]
    return reference.conv2d(x, alone, b, groups=groups, **moves)


@conv2d
def ignores_the_stride(x: Array, w: Array, b: Array, *, stride: Any = 1, groups: int = 1, **moves: Any) -> Array:
    """You ignored the stride. Windows begin `stride` rows and columns apart, so a larger one leaves fewer outputs."""
    return layer(x, w, b, groups, **moves)


@conv2d
def moves_by_one_pixel(x: Array, w: Array, b: Array, *, groups: int = 1, **moves: Any) -> Array:
    """You have as many outputs as the stride leaves, but windows one pixel apart. Output i begins at row stride · i."""
    outputs = sweep_of(w, **moves).outputs(x.shape)
    return layer(x, w, b, groups, outputs=outputs, step=(1, 1), **moves)


@conv2d
def ignores_the_padding(x: Array, w: Array, b: Array, *, padding: Any = 0, groups: int = 1, **moves: Any) -> Array:
    """You ignored the padding. Put `padding` rows and columns of zeros around each image first."""
    return layer(x, w, b, groups, **moves)


@conv2d
def pads_one_side_only(x: Array, w: Array, b: Array, *, padding: Any = 0, groups: int = 1, **moves: Any) -> Array:
    """Your images have zeros above and to the left only. Pad all four sides."""
    sweep = sweep_of(w, padding=padding, **moves)
    (ph, pw), (h, v) = sweep.padding, x.shape[2:]
    outputs = sweep._replace(padding=(0, 0)).outputs((h + ph, v + pw))
    return layer(x, w, b, groups, outputs=outputs, padding=padding, **moves)


@conv2d
def ignores_the_dilation(x: Array, w: Array, b: Array, *, dilation: Any = 1, groups: int = 1, **moves: Any) -> Array:
    """You ignored the dilation. Neighbouring taps of a kernel read pixels that are `dilation` apart."""
    return layer(x, w, b, groups, **moves)


@conv2d
def reads_the_first_channels_in_every_group(x: Array, w: Array, b: Array, *, groups: int = 1, **moves: Any) -> Array:
    """All your kernels read the first channels. Group g starts at channel g · c_in / groups."""
    return layer(x[:, : w.shape[1]], w, b, **moves)


@conv2d
def deals_the_kernels_out_in_turn(x: Array, w: Array, b: Array, *, groups: int = 1, **moves: Any) -> Array:
    """You gave kernel o to group o mod groups. The first c_out / groups kernels belong to the first group, and on."""
    kernels = np.arange(len(w)).reshape(-1, groups).T.reshape(-1)
    result = np.empty_like(reference.conv2d(x, w, b, groups=groups, **moves))
    result[:, kernels] = layer(x, w[kernels], b[kernels], groups, **moves)
    return result


@conv2d
def exchanges_rows_and_columns(x: Array, w: Array, b: Array, *, groups: int = 1, **moves: Any) -> Array:
    """You exchanged the numbers of a pair. The first of a stride, padding or dilation is for the rows."""
    return layer(x, w, b, groups, **{name: turned(value) for name, value in moves.items()})


@conv2d
def reshapes_the_result_without_moving_the_channels(x: Array, w: Array, b: Array, **options: Any) -> Array:
    """Your sums are right, but lie with the channels last. Bring these to axis 1 by a transpose, not a reshape."""
    result = reference.conv2d(x, w, b, **options)
    return np.reshape(np.moveaxis(result, 1, -1), result.shape)


@conv2d
def reshapes_the_result_without_moving_the_samples(x: Array, w: Array, b: Array, **options: Any) -> Array:
    """Your sums are right, but lie kernel by kernel. Bring the samples to axis 0 by a transpose, not a reshape."""
    result = reference.conv2d(x, w, b, **options)
    return np.reshape(np.swapaxes(result, 0, 1), result.shape)


@conv2d
def exchanges_the_sides_of_the_result(x: Array, w: Array, b: Array, **options: Any) -> Array:
    """Your outputs are right and in order, but of shape (…, ow, oh). Rows come before columns: (…, oh, ow)."""
    result = reference.conv2d(x, w, b, **options)
    return np.reshape(result, (*result.shape[:2], *result.shape[:1:-1]))


@conv2d
def leaves_out_the_last_windows(x: Array, w: Array, b: Array, **options: Any) -> Array:
    """Your result lacks its last row and its last column. There are ⌊(N + 2P − F) / S⌋ + 1 windows along an axis."""
    return reference.conv2d(x, w, b, **options)[:, :, :-1, :-1]


# --- kernels of one pixel ---------------------------------------------------------------------------------------------
def leaves_out_the_bias(x: Array, w: Array, b: Array) -> Array:
    """You left out the bias. Add b[o] to every pixel of the output map o."""
    return reference.pointwise_conv2d(x, w, np.zeros_like(b))


def adds_the_bias_with_every_channel(x: Array, w: Array, b: Array) -> Array:
    """You added the bias once for every input channel. Sum over the channels first, then add b[o] once."""
    return reference.pointwise_conv2d(x, w, b * w.shape[1])


def averages_over_the_channels(x: Array, w: Array, b: Array) -> Array:
    """You took the mean over the channels. Sum the products: Σ_c w[o, c] x[c]."""
    return reference.pointwise_conv2d(x, w / w.shape[1], b)


def keeps_the_last_channel(x: Array, w: Array, b: Array) -> Array:
    """You kept the products of the last input channel only. Sum over all of them: write += where you have =."""
    return reference.pointwise_conv2d(x[:, -1:], w[:, -1:], b)


def reshapes_the_weights_without_transposing(x: Array, w: Array, b: Array) -> Array:
    """You reshaped w to (c_in, c_out), which mixes its rows. Transpose it: w.T."""
    return reference.pointwise_conv2d(x, np.reshape(w, w.shape[::-1]).T, b)


def reshapes_the_images_without_moving_the_channels(x: Array, w: Array, b: Array) -> Array:
    """You reshaped x to (…, c_in), so that a row mixes pixels. Move the channels to the end by a transpose first."""
    return reference.pointwise_conv2d(_channels_mistaken(x), w, b)


def reshapes_the_pixels_without_moving_the_channels(x: Array, w: Array, b: Array) -> Array:
    """Your sums are right, but lie with the channels last. Bring these to axis 1 by a transpose, not a reshape."""
    result = reference.pointwise_conv2d(x, w, b)
    return np.reshape(np.moveaxis(result, 1, -1), result.shape)


def reshapes_in_place_of_every_transpose(x: Array, w: Array, b: Array) -> Array:
    """You reshaped x to (…, c_in) and the result back. Move the channels to the end by a transpose, then back."""
    return np.reshape(np.reshape(x, (-1, x.shape[1])) @ w.T + b, (len(x), len(w), *x.shape[2:]))


def applies_the_rectifier(x: Array, w: Array, b: Array) -> Array:
    """You applied the activation too. Return the sums as they are, negative ones among them."""
    return np.maximum(reference.pointwise_conv2d(x, w, b), 0)


def _channels_mistaken(x: Array) -> Array:
    """Return images (n, c, h, v) read as if their channels came last, as (n, c, h, v) again."""
    return np.moveaxis(np.reshape(x, (len(x), *x.shape[2:], x.shape[1])), -1, 1)
