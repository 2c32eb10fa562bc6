"""Known mistakes in the inception module, its gradients and the number of its parameters."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from reference import layers as reference
from reference._types import Array
from reference.activations import relu, relu_vjp
from reference.convolution import conv2d, conv2d_vjp, pointwise_conv2d, pointwise_conv2d_vjp
from reference.layers import InceptionGrads, InceptionParams
from reference.pooling import avg_pool2d, avg_pool2d_vjp, max_pool2d, max_pool2d_vjp

Map = Callable[[Array], Array]
Vjp = Callable[[Array, Array], Array]


def identity(x: Array) -> Array:
    """Return x."""
    return x


def unchanged(x: Array, cotangent: Array) -> Array:
    """Return the cotangent."""
    return cotangent


def largest(x: Array) -> Array:
    """Return the module's pooling: over 3 × 3, with stride 1."""
    return max_pool2d(x, kernel_size=3, stride=1, padding=1)


def largest_vjp(x: Array, cotangent: Array) -> Array:
    """Return the gradient by its input."""
    return max_pool2d_vjp(x, cotangent, kernel_size=3, stride=1, padding=1)


def module(
    x: Array, p: InceptionParams, *, inner: Map = relu, outer: Map = relu, pool: Map = largest, turn: Map = identity
) -> list[Array]:
    """Return the four branches, with another activation inside or at the end, another pooling or turned kernels."""

    def reduced(w_red: Array, b_red: Array, w: Array, b: Array) -> Array:
        padding = (w.shape[2] // 2, w.shape[3] // 2)
        return outer(conv2d(inner(pointwise_conv2d(x, w_red, b_red)), turn(w), b, padding=padding))

    return [
        outer(pointwise_conv2d(x, p.w1x1, p.b1x1)),
        reduced(p.w3x3red, p.b3x3red, p.w3x3, p.b3x3),
        reduced(p.w5x5red, p.b5x5red, p.w5x5, p.b5x5),
        outer(pointwise_conv2d(pool(x), p.w_pool, p.b_pool)),
    ]


def joined(branches: Sequence[Array]) -> Array:
    """Return the branches with their channels one after the other."""
    return np.concatenate(list(branches), axis=1)


# --- inception --------------------------------------------------------------------------------------------------------
def forgets_the_rectifiers(x: Array, params: InceptionParams) -> Array:
    """You left the rectifiers out. There is one after every convolution."""
    return joined(module(x, params, inner=identity, outer=identity))


def rectifies_at_the_end_alone(x: Array, params: InceptionParams) -> Array:
    """You left out the rectifiers after the reductions. There is one after every convolution, of one pixel too."""
    return joined(module(x, params, inner=identity))


def rectifies_the_reductions_alone(x: Array, params: InceptionParams) -> Array:
    """You left out the rectifiers at the ends of the branches. There is one after every convolution."""
    return joined(module(x, params, outer=identity))


def forgets_the_biases(x: Array, params: InceptionParams) -> Array:
    """You left the biases out. Every convolution adds one to each of its channels."""
    none = {name: np.zeros_like(value) for name, value in params._asdict().items() if name.startswith("b")}
    return reference.inception(x, params._replace(**none))


def forgets_to_pool(x: Array, params: InceptionParams) -> Array:
    """You left the pooling out of the last branch. It takes the maximum over 3 × 3 before its projection."""
    return joined(module(x, params, pool=identity))


def pools_after_the_projection(x: Array, params: InceptionParams) -> Array:
    """You pooled after the 1×1 convolution. In the last branch the pooling comes first."""
    *first, _ = module(x, params)
    return joined([*first, largest(relu(pointwise_conv2d(x, params.w_pool, params.b_pool)))])


def averages_in_the_windows(x: Array, params: InceptionParams) -> Array:
    """You averaged over the windows. Take the largest entry of each."""
    return joined(module(x, params, pool=lambda x: avg_pool2d(x, kernel_size=3, stride=1, padding=1)))


def pads_the_maximum_with_zeros(x: Array, params: InceptionParams) -> Array:
    """You padded with zeros for the maximum, so negative entries lose at the edge. Pad with −inf."""
    inside = np.zeros_like(x)
    inside[:, :, 1:-1, 1:-1] = 1
    return joined(module(x, params, pool=lambda x: np.where(inside > 0, largest(x), np.maximum(largest(x), 0))))


def puts_the_pooled_branch_first(x: Array, params: InceptionParams) -> Array:
    """You put the pooled branch first. The order is 1×1, 3×3, 5×5, pooling."""
    *first, pooled = module(x, params)
    return joined([pooled, *first])


def swaps_the_large_kernels(x: Array, params: InceptionParams) -> Array:
    """You put the 5×5 branch before the 3×3. The order is 1×1, 3×3, 5×5, pooling."""
    a, b, c, d = module(x, params)
    return joined([a, c, b, d])


def flips_the_kernels(x: Array, params: InceptionParams) -> Array:
    """You flipped the kernels, as in a convolution on paper. Here, as in PyTorch, they are laid on as they are."""
    return joined(module(x, params, turn=lambda w: w[:, :, ::-1, ::-1].copy()))


def transposes_the_kernels(x: Array, params: InceptionParams) -> Array:
    """You swapped rows and columns of the kernels. Rows of a kernel lie on rows of the image."""
    return joined(module(x, params, turn=lambda w: np.transpose(w, (0, 1, 3, 2)).copy()))


# --- inception_vjp ----------------------------------------------------------------------------------------------------
def gradients(
    x: Array,
    p: InceptionParams,
    cotangent: Array,
    *,
    inner: Vjp = relu_vjp,
    outer: Vjp = relu_vjp,
    pool: Vjp = largest_vjp,
    starts: Sequence[int] | None = None,
) -> tuple[list[Array], InceptionParams]:
    """Return the four gradients by x, of which dx is the sum, and those by the parameters."""
    widths = [len(p.w1x1), len(p.w3x3), len(p.w5x5), len(p.w_pool)]
    at = starts if starts is not None else [sum(widths[:i]) for i in range(4)]
    parts = [cotangent[:, start : start + width] for start, width in zip(at, widths, strict=True)]

    def of_one_pixel(x: Array, w: Array, b: Array, g: Array, slope: Vjp) -> tuple[Array, Array, Array]:
        return pointwise_conv2d_vjp(x, w, b, slope(pointwise_conv2d(x, w, b), g))

    def reduced(w_red: Array, b_red: Array, w: Array, b: Array, g: Array) -> tuple[Array, Array, Array, Array, Array]:
        padding = (w.shape[2] // 2, w.shape[3] // 2)
        before = relu(pointwise_conv2d(x, w_red, b_red))
        large = conv2d_vjp(before, w, b, outer(conv2d(before, w, b, padding=padding), g), padding=padding)
        dx, dw_red, db_red = of_one_pixel(x, w_red, b_red, large.dx, inner)
        return dx, dw_red, db_red, large.dw, large.db

    first = of_one_pixel(x, p.w1x1, p.b1x1, parts[0], outer)
    second = reduced(p.w3x3red, p.b3x3red, p.w3x3, p.b3x3, parts[1])
    third = reduced(p.w5x5red, p.b5x5red, p.w5x5, p.b5x5, parts[2])
    last = of_one_pixel(largest(x), p.w_pool, p.b_pool, parts[3], outer)
    dxs = [first[0], second[0], third[0], pool(x, last[0])]
    return dxs, InceptionParams(*first[1:], *second[1:], *third[1:], *last[1:])


def summed(made: tuple[list[Array], InceptionParams]) -> InceptionGrads:
    """Return the gradients with those by x summed."""
    dxs, dparams = made
    return InceptionGrads(dxs[0] + dxs[1] + dxs[2] + dxs[3], dparams)


def forgets_the_slopes(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """You left out the slopes of all rectifiers. Where a rectifier's input is negative, no gradient passes."""
    return summed(gradients(x, params, cotangent, inner=unchanged, outer=unchanged))


def forgets_the_slopes_of_the_reductions(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """You left out the slopes of the rectifiers after the reductions. No gradient passes where they gave 0."""
    return summed(gradients(x, params, cotangent, inner=unchanged))


def forgets_the_slopes_at_the_end(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """You left out the slopes of the rectifiers at the ends of the branches. No gradient passes where they gave 0."""
    return summed(gradients(x, params, cotangent, outer=unchanged))


def leaves_the_pooled_branch_out_of_dx(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """Your dx leaves the pooled branch out. Each maximum hands its gradient to the entry it was taken from."""
    dxs, dparams = gradients(x, params, cotangent)
    return InceptionGrads(dxs[0] + dxs[1] + dxs[2], dparams)


def keeps_the_last_branch_alone(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """Your dx is that of the pooled branch alone. All four branches see x: add their gradients."""
    dxs, dparams = gradients(x, params, cotangent)
    return InceptionGrads(dxs[3], dparams)


def keeps_the_first_branch_alone(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """Your dx is that of the 1×1 branch alone. All four branches see x: add their gradients."""
    dxs, dparams = gradients(x, params, cotangent)
    return InceptionGrads(dxs[0], dparams)


def averages_the_branches(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """You averaged the gradients of the four branches. Add them: each sees all of x."""
    dx, dparams = summed(gradients(x, params, cotangent))
    return InceptionGrads(dx / 4, dparams)


def passes_the_gradient_around_the_pooling(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """You left the pooling out of the backward pass. Each maximum hands its gradient to the entry it came from."""
    return summed(gradients(x, params, cotangent, pool=unchanged))


def spreads_the_maximum(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """You spread the gradient of a maximum over its window. The largest entry gets all of it, the others nothing."""
    return summed(
        gradients(x, params, cotangent, pool=lambda x, g: avg_pool2d_vjp(x, g, kernel_size=3, stride=1, padding=1))
    )


def keeps_the_last_window_alone(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """In the pooling's gradient you assigned where you must add. An entry may be the largest of several windows."""
    return summed(gradients(x, params, cotangent, pool=_assigned))


def _assigned(x: Array, g: Array) -> Array:
    """Return the gradient by x where a window's overwrites that of the windows before it."""
    made = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        n, c, i, j = place
        top, left = max(i - 1, 0), max(j - 1, 0)
        window = x[n, c, top : i + 2, left : j + 2]
        row, column = np.unravel_index(np.argmax(window), window.shape)
        made[n, c, top + row, left + column] = g[place]
    return made


def gives_every_branch_the_first_channels(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """You gave every branch the first channels of the cotangent. Each gets its own, one after the other."""
    return summed(gradients(x, params, cotangent, starts=(0, 0, 0, 0)))


def flips_the_gradients_of_the_kernels(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """Your gradients of the 3×3 and 5×5 kernels are flipped. They are laid on as the kernels are."""
    dx, dparams = summed(gradients(x, params, cotangent))
    turned = {name: getattr(dparams, name)[:, :, ::-1, ::-1].copy() for name in ("w3x3", "w5x5")}
    return InceptionGrads(dx, dparams._replace(**turned))


def averages_the_gradients_of_the_biases(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """You averaged the gradients of the biases. Every sample and pixel uses the same bias, so they are sums."""
    dx, dparams = summed(gradients(x, params, cotangent))
    count = x.size / x.shape[1]
    means = {name: value / count for name, value in dparams._asdict().items() if name.startswith("b")}
    return InceptionGrads(dx, dparams._replace(**means))


def gives_every_maximum_the_gradient(x: Array, params: InceptionParams, cotangent: Array) -> InceptionGrads:
    """Each of equal maxima gets the whole gradient, as in many courses; in PyTorch the first of them gets it."""
    return summed(gradients(x, params, cotangent, pool=_all_of_largest))


def _all_of_largest(x: Array, g: Array) -> Array:
    """Return the gradient by x where all of a window's largest entries get it."""
    best = largest(x)
    made = np.zeros_like(x)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            made = made + _shifted(g, down, right) * (x >= _shifted(best, down, right))
    return made


def _shifted(x: Array, down: int, right: int) -> Array:
    """Return images moved by a pixel or none, with zeros where nothing moves in."""
    row, column = np.zeros_like(x[:, :, :1]), np.zeros_like(x[:, :, :, :1])
    if down:
        x = np.concatenate([row, x[:, :, :-1]] if down > 0 else [x[:, :, 1:], row], axis=2)
    if right:
        x = np.concatenate([column, x[:, :, :, :-1]] if right > 0 else [x[:, :, :, 1:], column], axis=3)
    return x


# --- n_inception_parameters -------------------------------------------------------------------------------------------
def counts_no_biases(
    *, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
) -> int:
    """You left the biases out. Every filter has one: (F² D + 1) K."""
    of_one_pixel = (ch1x1 + ch3x3red + ch5x5red + pool_proj) * in_channels
    return of_one_pixel + 9 * ch3x3red * ch3x3 + 25 * ch5x5red * ch5x5


def counts_a_bias_for_every_input(
    *, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
) -> int:
    """You counted a bias for every input channel. There is one for every filter: (F² D + 1) K."""
    weights = counts_no_biases(
        in_channels=in_channels, ch1x1=ch1x1, ch3x3red=ch3x3red, ch3x3=ch3x3, ch5x5red=ch5x5red, ch5x5=ch5x5,
        pool_proj=pool_proj,
    )  # fmt: skip
    return weights + 4 * in_channels + ch3x3red + ch5x5red


def forgets_the_depth(
    *, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
) -> int:
    """You counted F² weights a filter. A filter is as deep as its input: (F² D + 1) K."""
    return 2 * (ch1x1 + ch3x3red + ch5x5red + pool_proj) + 10 * ch3x3 + 26 * ch5x5


def forgets_the_square(
    *, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
) -> int:
    """You counted F weights a channel. A filter has F rows of F: (F² D + 1) K."""
    of_one_pixel = (in_channels + 1) * (ch1x1 + ch3x3red + ch5x5red + pool_proj)
    return of_one_pixel + (3 * ch3x3red + 1) * ch3x3 + (5 * ch5x5red + 1) * ch5x5


def forgets_the_reductions(
    *, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
) -> int:
    """You left the reductions out, so 3×3 and 5×5 see all channels. Count the 1×1 filters, and what they leave."""
    of_one_pixel = (in_channels + 1) * (ch1x1 + pool_proj)
    return of_one_pixel + (9 * in_channels + 1) * ch3x3 + (25 * in_channels + 1) * ch5x5


def feeds_all_channels_to_the_large_filters(
    *, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
) -> int:
    """You gave the 3×3 and 5×5 filters the depth of the module's input. They see what their reduction leaves."""
    of_one_pixel = (in_channels + 1) * (ch1x1 + ch3x3red + ch5x5red + pool_proj)
    return of_one_pixel + (9 * in_channels + 1) * ch3x3 + (25 * in_channels + 1) * ch5x5


def counts_the_large_filters_alone(
    *, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
) -> int:
    """You left the 1×1 filters of the two reductions out. They have (D + 1) K₁ parameters each, K₁ filters."""
    of_one_pixel = (in_channels + 1) * (ch1x1 + pool_proj)
    return of_one_pixel + (9 * ch3x3red + 1) * ch3x3 + (25 * ch5x5red + 1) * ch5x5


def reduces_to_as_many_channels(
    *, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
) -> int:
    """You counted D filters in a reduction, so nothing is reduced. It has K₁ filters (003_bda8f24b635fcb71.txt)."""
    of_one_pixel = (in_channels + 1) * (ch1x1 + 2 * in_channels + pool_proj)
    return of_one_pixel + (9 * ch3x3red + 1) * ch3x3 + (25 * ch5x5red + 1) * ch5x5


def forgets_the_projection(
    *, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
) -> int:
    """You left the 1×1 filters after the pooling out. Pooling itself has no parameters, its projection has."""
    of_one_pixel = (in_channels + 1) * (ch1x1 + ch3x3red + ch5x5red)
    return of_one_pixel + (9 * ch3x3red + 1) * ch3x3 + (25 * ch5x5red + 1) * ch5x5


def counts_the_pooling_as_filters(
    *, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
) -> int:
    """You counted the 3×3 pooling as filters. It has no parameters: only the 1×1 filters after it count."""
    of_one_pixel = (in_channels + 1) * (ch1x1 + ch3x3red + ch5x5red)
    return of_one_pixel + (9 * ch3x3red + 1) * ch3x3 + (25 * ch5x5red + 1) * ch5x5 + (9 * in_channels + 1) * pool_proj
