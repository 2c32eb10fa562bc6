"""Known mistakes in the gradients of a convolution; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.convolution.misconceptions import Function, sweep_of, takes_what
from graders.convolution.windows import padded_back, put_back, windows
from reference import convolution as reference
from reference._types import Array
from reference.convolution import Conv2dGrads, PointwiseConv2dGrads

conv2d_vjp = takes_what(reference.conv2d_vjp)


# --- mistakes that both share: each takes the function that is misunderstood ------------------------------------------
def divides_by_the_samples(f: Function) -> Function:
    """Make the mistake for gradients by x, w and b."""

    @takes_what(f)
    def divides_by_the_samples(x: Array, w: Array, b: Array, cotangent: Array, **options: Any) -> Any:
        """You divided dw and db by the number of samples. The cotangent holds that already if the loss is a mean."""
        grads = f(x, w, b, cotangent, **options)
        return grads._replace(dw=grads.dw / len(x), db=grads.db / len(x))

    return divides_by_the_samples


def keeps_the_last_sample(f: Function) -> Function:
    """Make the mistake for gradients by x, w and b."""

    @takes_what(f)
    def keeps_the_last_sample(x: Array, w: Array, b: Array, cotangent: Array, **options: Any) -> Any:
        """Your dw and db are those of the last sample alone. Sum over the samples: write += where you have =."""
        last = f(x[-1:], w, b, cotangent[-1:], **options)
        return last._replace(dx=f(x, w, b, cotangent, **options).dx)

    return keeps_the_last_sample


def averages_the_gradient_of_the_bias(f: Function) -> Function:
    """Make the mistake for gradients by x, w and b."""

    @takes_what(f)
    def averages_the_gradient_of_the_bias(x: Array, w: Array, b: Array, cotangent: Array, **options: Any) -> Any:
        """Your db is a mean. The bias is added at every position of every sample, so sum the cotangent over them."""
        return f(x, w, b, cotangent, **options)._replace(db=np.mean(cotangent, axis=(0, 2, 3)))

    return averages_the_gradient_of_the_bias


def returns_the_kernel_first(f: Function) -> Function:
    """Make the mistake for gradients by x, w and b."""

    @takes_what(f)
    def returns_the_kernel_first(x: Array, w: Array, b: Array, cotangent: Array, **options: Any) -> Any:
        """You returned dw before dx. Return them in the order of the arguments: dx, dw, db."""
        grads = f(x, w, b, cotangent, **options)
        return grads._replace(dx=grads.dw, dw=grads.dx)

    return returns_the_kernel_first


def reshapes_the_cotangent_without_moving_the_channels(f: Function) -> Function:
    """Make the mistake for gradients by x, w and b."""

    @takes_what(f)
    def reshapes_the_cotangent_without_moving_the_channels(
        x: Array, w: Array, b: Array, cotangent: Array, **options: Any
    ) -> Any:
        """You reshaped the cotangent to (…, c_out), which mixes channels and pixels. Transpose first, then reshape."""
        n, c_out, oh, ow = cotangent.shape
        mixed = np.moveaxis(np.reshape(cotangent, (n, oh, ow, c_out)), -1, 1)
        return f(x, w, b, mixed, **options)._replace(db=np.sum(cotangent, axis=(0, 2, 3)))

    return reshapes_the_cotangent_without_moving_the_channels


def reshapes_dw_without_transposing(f: Function) -> Function:
    """Make the mistake for gradients by x, w and b."""

    @takes_what(f)
    def reshapes_dw_without_transposing(
        x: Array, w: Array, b: Array, cotangent: Array, *, groups: int = 1, **moves: Any
    ) -> Any:
        """Your dw is right as (…, c_out), but reshaped as it is. Transpose it first, then reshape to the shape of w."""
        grads = f(x, w, b, cotangent, **(moves if groups == 1 else {"groups": groups, **moves}))
        parts = np.reshape(grads.dw, (groups, len(w) // groups, -1))
        return grads._replace(dw=np.reshape(np.swapaxes(parts, 1, 2), w.shape))

    return reshapes_dw_without_transposing


# --- conv2d_vjp -------------------------------------------------------------------------------------------------------
def parts(w: Array, cotangent: Array, groups: int = 1) -> Array:
    """Return what every window gets, (n, c_in, oh, ow, kh, kw): the sum over the kernels of its group."""
    n, c_out, oh, ow = cotangent.shape
    g = np.reshape(cotangent, (n, groups, c_out // groups, oh, ow))
    kernels = np.reshape(w, (groups, -1, *w.shape[1:]))
    made = np.einsum("ngoij,gocpq->ngcijpq", g, kernels)
    return np.reshape(made, (n, groups * w.shape[1], oh, ow, *w.shape[2:]))


@conv2d_vjp
def unpads_to_nothing(x: Array, w: Array, b: Array, cotangent: Array, *, groups: int = 1, **moves: Any) -> Conv2dGrads:
    """You cut the padding off dx by [P:−P], which is empty for P = 0. Cut by [P:P + h], then nothing is lost."""
    sweep = sweep_of(w, **moves)
    (ph, pw), wide = sweep.padding, padded_back(parts(w, cotangent, groups), x.shape, sweep)
    return _with_dx(wide[:, :, ph:-ph, pw:-pw], x, w, b, cotangent, groups, **moves)


@conv2d_vjp
def leaves_the_padding_on_dx(
    x: Array, w: Array, b: Array, cotangent: Array, *, groups: int = 1, **moves: Any
) -> Conv2dGrads:
    """Your dx still has the padding around it. Cut it off: dx has the shape of x."""
    wide = padded_back(parts(w, cotangent, groups), x.shape, sweep_of(w, **moves))
    return _with_dx(wide, x, w, b, cotangent, groups, **moves)


@conv2d_vjp
def overwrites_dx_window_by_window(
    x: Array, w: Array, b: Array, cotangent: Array, *, groups: int = 1, **moves: Any
) -> Conv2dGrads:
    """Each window overwrites what others left in dx. A pixel in several windows gets their sum: += in place of =."""
    dx = put_back(parts(w, cotangent, groups), x.shape, sweep_of(w, **moves), order="windows")
    return _with_dx(dx, x, w, b, cotangent, groups, **moves)


@conv2d_vjp
def overwrites_dx_tap_by_tap(
    x: Array, w: Array, b: Array, cotangent: Array, *, groups: int = 1, **moves: Any
) -> Conv2dGrads:
    """Each tap overwrites what others left in dx. A pixel that several taps read gets their sum: += in place of =."""
    dx = put_back(parts(w, cotangent, groups), x.shape, sweep_of(w, **moves), order="taps")
    return _with_dx(dx, x, w, b, cotangent, groups, **moves)


@conv2d_vjp
def overwrites_dx_kernel_by_kernel(
    x: Array, w: Array, b: Array, cotangent: Array, *, groups: int = 1, **moves: Any
) -> Conv2dGrads:
    """Each kernel's windows overwrite what was in dx. Sum over the kernels and over the windows: += in place of =."""
    width = len(w) // groups
    last = parts(w[width - 1 :: width], cotangent[:, width - 1 :: width], groups)
    dx = put_back(last, x.shape, sweep_of(w, **moves), order="windows")
    return _with_dx(dx, x, w, b, cotangent, groups, **moves)


@conv2d_vjp
def forgets_to_turn_the_kernels(
    x: Array, w: Array, b: Array, cotangent: Array, *, groups: int = 1, **moves: Any
) -> Conv2dGrads:
    """The kernels in your dx are the wrong way round. If you correlate the cotangent with them, turn them first."""
    dx = put_back(parts(w[:, :, ::-1, ::-1], cotangent, groups), x.shape, sweep_of(w, **moves))
    return _with_dx(dx, x, w, b, cotangent, groups, **moves)


@conv2d_vjp
def turns_the_gradient_of_the_kernels(x: Array, w: Array, b: Array, cotangent: Array, **options: Any) -> Conv2dGrads:
    """Your dw is turned by half a turn. The kernels are not turned in this layer, so neither is their gradient."""
    grads = reference.conv2d_vjp(x, w, b, cotangent, **options)
    return grads._replace(dw=grads.dw[:, :, ::-1, ::-1])


@conv2d_vjp
def reads_windows_one_pixel_apart(
    x: Array, w: Array, b: Array, cotangent: Array, *, groups: int = 1, **moves: Any
) -> Conv2dGrads:
    """Your windows are one pixel apart whatever the stride. In dx and dw that of output i begins at row stride · i."""
    sweep = sweep_of(w, **moves)
    read = windows(x, sweep, outputs=(cotangent.shape[2], cotangent.shape[3]), step=(1, 1))
    dx = put_back(parts(w, cotangent, groups), x.shape, sweep, step=(1, 1))
    return Conv2dGrads(dx, _kernel_gradient(read, w, cotangent, groups), np.sum(cotangent, axis=(0, 2, 3)))


@conv2d_vjp
def keeps_the_last_window_in_dw(
    x: Array, w: Array, b: Array, cotangent: Array, *, groups: int = 1, **moves: Any
) -> Conv2dGrads:
    """Each window overwrites dw, so only the last one of the last sample is left. Sum over all: += in place of =."""
    grads = reference.conv2d_vjp(x, w, b, cotangent, groups=groups, **moves)
    read = windows(x, sweep_of(w, **moves))[-1:, :, -1:, -1:]
    return grads._replace(dw=_kernel_gradient(read, w, cotangent[-1:, :, -1:, -1:], groups))


def _kernel_gradient(read: Array, w: Array, cotangent: Array, groups: int) -> Array:
    """Return dw for windows (n, c_in, oh, ow, kh, kw), summed over samples and windows."""
    n, c_in, oh, ow, kh, kw = read.shape
    grouped = np.reshape(read, (n, groups, c_in // groups, oh, ow, kh, kw))
    g = np.reshape(cotangent, (n, groups, -1, oh, ow))
    return np.reshape(np.einsum("ngoij,ngcijpq->gocpq", g, grouped), w.shape)


def _with_dx(dx: Array, x: Array, w: Array, b: Array, cotangent: Array, groups: int, **moves: Any) -> Conv2dGrads:
    return reference.conv2d_vjp(x, w, b, cotangent, groups=groups, **moves)._replace(dx=dx)


# --- pointwise_conv2d_vjp ---------------------------------------------------------------------------------------------
def averages_over_the_pixels(x: Array, w: Array, b: Array, cotangent: Array) -> PointwiseConv2dGrads:
    """You took means over the pixels for dw and db. Weights and biases are used at every pixel, so sum over them."""
    grads = reference.pointwise_conv2d_vjp(x, w, b, cotangent)
    pixels = x.shape[2] * x.shape[3]
    return grads._replace(dw=grads.dw / pixels, db=grads.db / pixels)


def reshapes_the_weights_in_dx(x: Array, w: Array, b: Array, cotangent: Array) -> PointwiseConv2dGrads:
    """You reshaped w to (c_in, c_out) in dx, which mixes its rows. Transpose it: dx[c] = Σ_o w[o, c] g[o]."""
    mixed = np.reshape(w, w.shape[::-1]).T
    return reference.pointwise_conv2d_vjp(x, mixed, b, cotangent)


def keeps_the_last_kernel_in_dx(x: Array, w: Array, b: Array, cotangent: Array) -> PointwiseConv2dGrads:
    """Your dx is that of the last output channel alone. Sum over all of them: write += where you have =."""
    grads = reference.pointwise_conv2d_vjp(x, w, b, cotangent)
    return grads._replace(dx=w[-1][:, None, None] * cotangent[:, -1:])
