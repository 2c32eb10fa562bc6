"""Known mistakes in layer, RMS and group norm, beside those in every norm."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from graders.normalization._programs import (
    Axes,
    all_at_once,
    count,
    divided,
    grouped,
    last,
    leading,
    node_by_node,
    of_features,
)  # fmt: skip
from graders.normalization.misconceptions import Function, mean, moments, standardized, told_as, unbiased
from reference import normalization as reference
from reference._types import Array
from reference.normalization import NormGrads, RmsNormGrads


# --- layer norm -------------------------------------------------------------------------------------------------------
def normalizes_every_feature(x: Array, axes: Axes, eps: float) -> Array:
    """You normalized every feature over the rows, which is batch norm. Each row is normalized by itself: axis=-1."""
    return standardized(x, leading(x), eps)


def normalizes_the_whole_sample(x: Array, axes: Axes, eps: float) -> Array:
    """You took one mean for all rows of a sample. Each row, along the last axis, has its own: axis=-1."""
    return standardized(x, tuple(range(1, x.ndim)), eps)


def normalizes_as_torch_std_does(x: Array, axes: Axes, eps: float) -> Array:
    """You divided by std + ε with N − 1 in std. Divide by √(σ² + ε), σ² over N (the Annotated Transformer's way)."""
    c, variance = moments(x, axes)
    return c / (np.sqrt(unbiased(variance, count(x, axes))) + eps)


def differentiates_every_feature(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """You averaged over the rows, as in batch norm. Every row has its own means, along the last axis."""
    return all_at_once(x, h, leading(x), eps)


def differentiates_the_whole_sample(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """You took one mean for all rows of a sample. Each row, along the last axis, has its own: axis=-1."""
    return all_at_once(x, h, tuple(range(1, x.ndim)), eps)


EVERY_ROW = (normalizes_every_feature, normalizes_the_whole_sample, normalizes_as_torch_std_does)
EVERY_ROW_STEP = (differentiates_every_feature, differentiates_the_whole_sample)


def sums_over_the_first_axis_alone(f: Function) -> Function:
    """Make the mistake for the gradients of layer or RMS norm."""

    def sums_over_the_first_axis_alone(x: Array, gamma: Array, *rest: Array, eps: float = 1e-5) -> Any:
        """You summed the gradients of the parameters over the first axis alone. Sum over all axes but the last."""
        dx, *sums = f(x, gamma, *rest, eps=eps)
        if x.ndim == 2:
            return (dx, *sums)
        x_hat = _by_mean_square(x, last(x), eps)[0] if len(sums) == 1 else standardized(x, last(x), eps)
        kept = (np.sum(rest[-1] * x_hat, axis=0), np.sum(rest[-1], axis=0))
        return (dx, *kept[: len(sums)])

    return with_signature_of(f, sums_over_the_first_axis_alone)


# --- RMS norm ---------------------------------------------------------------------------------------------------------
def in_rms_norm(*hats: Function) -> tuple[Function, ...]:
    """Make mistakes in x̂ mistakes in RMS norm, with the right gain."""
    return tuple(_with_gain(hat) for hat in hats)


def _with_gain(hat: Function) -> Function:
    def wrong(x: Array, gamma: Array, *, eps: float = 1e-5) -> Array:
        return gamma * hat(x, last(x), eps)

    return told_as(hat, wrong, reference.rms_norm)


def subtracts_the_mean(x: Array, axes: Axes, eps: float) -> Array:
    """You subtracted the mean, above and below the line, which is layer norm. RMS norm leaves the mean in."""
    return standardized(x, axes, eps)


def subtracts_the_mean_above(x: Array, axes: Axes, eps: float) -> Array:
    """You subtracted the mean from x. RMS norm leaves it in: x / √(mean x² + ε)."""
    return moments(x, axes)[0] / np.sqrt(mean(x * x, axes) + eps)


def divides_by_the_standard_deviation(x: Array, axes: Axes, eps: float) -> Array:
    """You divided by the standard deviation. Divide by the root of the mean of x², with the mean left in."""
    return x / np.sqrt(moments(x, axes)[1] + eps)


def divides_by_the_mean_square(x: Array, axes: Axes, eps: float) -> Array:
    """You divided by mean x² + ε itself. Divide by its root."""
    return x / (mean(x * x, axes) + eps)


def divides_by_the_norm(x: Array, axes: Axes, eps: float) -> Array:
    """You summed the squares and did not divide by d. Divide x by the root of their mean."""
    return x / np.sqrt(np.sum(x * x, axis=axes, keepdims=True) + eps)


def divides_by_the_mean_size(x: Array, axes: Axes, eps: float) -> Array:
    """You divided by the mean of |x|. Divide by the root of the mean of x²."""
    return x / (mean(np.abs(x), axes) + eps)


def divides_the_sum_by_one_less(x: Array, axes: Axes, eps: float) -> Array:
    """You divided the sum of the squares by d − 1. It is a plain mean: divide by d."""
    return x / np.sqrt(unbiased(mean(x * x, axes), count(x, axes)) + eps)


def leaves_eps_out_of_the_mean_square(x: Array, axes: Axes, eps: float) -> Array:
    """You left ε out. Divide by √(mean x² + ε), which is not 0 even for a row of zeros."""
    return x / np.sqrt(mean(x * x, axes))


def hard_codes_the_eps_of_rms_norm(x: Array, axes: Axes, eps: float) -> Array:
    """You used an ε of 1e-5 whatever was asked for. Use the argument."""
    return _by_mean_square(x, axes, 1e-5)[0]


def averages_the_squares_of_every_feature(x: Array, axes: Axes, eps: float) -> Array:
    """You averaged the squares of every feature over the rows. Each row has its own mean, along the last axis."""
    return _by_mean_square(x, leading(x), eps)[0]


def averages_all_squares(x: Array, axes: Axes, eps: float) -> Array:
    """You took one mean of all squares. Every row has its own: axis=-1, keepdims=True."""
    return _by_mean_square(x, tuple(range(x.ndim)), eps)[0]


def averages_the_squares_of_a_sample(x: Array, axes: Axes, eps: float) -> Array:
    """You took one mean for all rows of a sample. Each row, along the last axis, has its own: axis=-1."""
    return _by_mean_square(x, tuple(range(1, x.ndim)), eps)[0]


def adds_one_to_gamma(x: Array, gamma: Array, *, eps: float = 1e-5) -> Array:
    """You multiplied by 1 + γ. The gain here is γ itself, 1 at first and not 0 (Gemma's holds what is added to 1)."""
    return reference.rms_norm(x, gamma + 1, eps=eps)


def adds_eps_to_the_root(x: Array, gamma: Array, *, eps: float = 1e-5) -> Array:
    """x / (√mean x² + ε), the ε outside the root, as in the authors' own code (github.com/bzhangGo/rmsnorm)."""
    return gamma * (x / (np.sqrt(np.mean(x * x, axis=-1, keepdims=True)) + eps))


EVERY_ROOT = (
    subtracts_the_mean, subtracts_the_mean_above, divides_by_the_standard_deviation, divides_by_the_mean_square,
    divides_by_the_norm, divides_by_the_mean_size, divides_the_sum_by_one_less, leaves_eps_out_of_the_mean_square,
    hard_codes_the_eps_of_rms_norm, averages_the_squares_of_every_feature, averages_all_squares,
    averages_the_squares_of_a_sample,
)  # fmt: skip


# --- the gradients of RMS norm ----------------------------------------------------------------------------------------
def in_rms_norm_vjp(*steps: Function) -> tuple[Function, ...]:
    """Make mistakes in the gradient of x̂ mistakes in that of RMS norm, with the right sum for the gain."""
    return tuple(_with_sum(step) for step in steps)


def _with_sum(step: Function) -> Function:
    def wrong(x: Array, gamma: Array, cotangent: Array, *, eps: float = 1e-5) -> RmsNormGrads:
        x_hat, dx = step(x, cotangent * gamma, last(x), eps)
        return RmsNormGrads(dx, np.sum(cotangent * x_hat, axis=leading(x)))

    return told_as(step, wrong, reference.rms_norm_vjp)


def treats_the_root_as_a_constant(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """For dx you took the root for a constant. It depends on every x of the row: with h = g γ, h − x̂ mean(h x̂)."""
    x_hat, r = _by_mean_square(x, axes, eps)
    return x_hat, h * r


def halves_the_path_through_the_root(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx your second term is half of what it should be. The derivative of x² has a factor 2."""
    x_hat, r = _by_mean_square(x, axes, eps)
    return x_hat, (h - 0.5 * x_hat * mean(h * x_hat, axes)) * r


def doubles_the_path_through_the_root(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx your second term is twice what it should be. The derivative of v^(−½) has a factor ½."""
    x_hat, r = _by_mean_square(x, axes, eps)
    return x_hat, (h - 2 * x_hat * mean(h * x_hat, axes)) * r


def reverses_the_path_through_the_root(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx your second term has the wrong sign. x̂ shrinks as the root grows: subtract x̂ mean(h x̂), h = g γ."""
    x_hat, r = _by_mean_square(x, axes, eps)
    return x_hat, (h + x_hat * mean(h * x_hat, axes)) * r


def sums_where_a_mean_belongs(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx you subtracted x̂ Σ h x̂. Each x has a share of 1/d in the mean of the squares: x̂ mean(h x̂)."""
    x_hat, r = _by_mean_square(x, axes, eps)
    return x_hat, (h - x_hat * np.sum(h * x_hat, axis=axes, keepdims=True)) * r


def puts_x_for_x_hat(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx your second term holds x where x̂ belongs. It is x̂ mean(h x̂), both divided by the root."""
    x_hat, r = _by_mean_square(x, axes, eps)
    return x_hat, (h - x * mean(h * x, axes)) * r


def subtracts_the_mean_of_the_gradient(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx you subtracted mean h too, as in layer norm. RMS norm subtracts no mean from x, so nothing flows there."""
    x_hat, r = _by_mean_square(x, axes, eps)
    return x_hat, (h - mean(h, axes) - x_hat * mean(h * x_hat, axes)) * r


def differentiates_layer_norm(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """These are the gradients of layer norm. RMS norm subtracts no mean: x̂ = x / √(mean x² + ε)."""
    return node_by_node(x, h, axes, eps)


def leaves_eps_out_of_x_hat_and_not_of_the_root(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Your x̂ has no ε. Use the x̂ of the forward pass, x / √(mean x² + ε), in dx and dγ."""
    r = _by_mean_square(x, axes, eps)[1]
    x_hat = x / np.sqrt(mean(x * x, axes))
    return x_hat, (h - x_hat * mean(h * x_hat, axes)) * r


def hard_codes_eps_in_the_root(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """You used an ε of 1e-5 whatever was asked for. Use the argument."""
    x_hat, r = _by_mean_square(x, axes, 1e-5)
    return x_hat, (h - x_hat * mean(h * x_hat, axes)) * r


def differentiates_down_the_columns(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """You averaged over the rows. Every row has its own means, along the last axis."""
    x_hat, r = _by_mean_square(x, leading(x), eps)
    return x_hat, (h - x_hat * mean(h * x_hat, leading(x))) * r


EVERY_ROOT_STEP = (
    treats_the_root_as_a_constant, halves_the_path_through_the_root, doubles_the_path_through_the_root,
    reverses_the_path_through_the_root, sums_where_a_mean_belongs, puts_x_for_x_hat,
    subtracts_the_mean_of_the_gradient, differentiates_layer_norm, leaves_eps_out_of_x_hat_and_not_of_the_root,
    hard_codes_eps_in_the_root, differentiates_down_the_columns,
)  # fmt: skip


def differentiates_eps_added_to_the_root(
    x: Array, gamma: Array, cotangent: Array, *, eps: float = 1e-5
) -> RmsNormGrads:
    """The gradients of x / (√mean x² + ε), as in the authors' own code (github.com/bzhangGo/rmsnorm)."""
    h = cotangent * gamma
    root = np.sqrt(np.mean(x * x, axis=-1, keepdims=True))
    r = 1 / (root + eps)
    x_hat = x * r
    dx = (h - x_hat * np.mean(h * x, axis=-1, keepdims=True) / root) * r
    return RmsNormGrads(dx, np.sum(cotangent * x_hat, axis=leading(x)))


# --- group norm -------------------------------------------------------------------------------------------------------
def in_groups(f: Function, *groupings: Function) -> tuple[Function, ...]:
    """Make mistakes in who shares a mean mistakes in group norm; each grouping returns x̂ and the gradient by x."""
    return tuple(_regrouped(f, grouping) for grouping in groupings)


def _regrouped(f: Function, grouping: Function) -> Function:
    def wrong(x: Array, gamma: Array, beta: Array, *rest: Array, num_groups: int, eps: float = 1e-5) -> Any:
        g = rest[0] if rest else np.zeros_like(x)
        made = grouping(x, g * of_features(gamma, x), num_groups, eps)
        x_hat, dx = (np.reshape(array, x.shape) for array in made)
        if not rest:
            return of_features(gamma, x) * x_hat + of_features(beta, x)
        axes = (0, *range(2, x.ndim))
        return NormGrads(dx, np.sum(g * x_hat, axis=axes), np.sum(g, axis=axes))

    return told_as(grouping, wrong, f)


def ignores_the_groups(x: Array, h: Array, num_groups: int, eps: float) -> tuple[Array, Array]:
    """You took one mean and one variance for the whole sample. Every group of channels has its own."""
    return all_at_once(grouped(x, 1), grouped(h, 1), (2,), eps)


def normalizes_every_channel(x: Array, h: Array, num_groups: int, eps: float) -> tuple[Array, Array]:
    """You normalized every channel by itself, which is instance norm. The channels of a group share one mean."""
    channels = x.shape[1]
    return all_at_once(grouped(x, channels), grouped(h, channels), (2,), eps)


def takes_the_number_of_groups_for_their_size(x: Array, h: Array, num_groups: int, eps: float) -> tuple[Array, Array]:
    """You made groups of num_groups channels. It is the number of groups: each has c / num_groups channels."""
    groups = x.shape[1] // num_groups
    return all_at_once(grouped(x, groups), grouped(h, groups), (2,), eps)


def deals_the_channels_out(x: Array, h: Array, num_groups: int, eps: float) -> tuple[Array, Array]:
    """You dealt the channels out: channel i went to group i mod num_groups. A group is a run of neighbours."""
    dealt = [np.reshape(array, (len(x), x.shape[1] // num_groups, num_groups, -1)) for array in (x, h)]
    return all_at_once(dealt[0], dealt[1], (1, 3), eps)


def averages_across_the_groups(x: Array, h: Array, num_groups: int, eps: float) -> tuple[Array, Array]:
    """After the reshape to groups you averaged over the axis of groups. Average over the channels inside of one."""
    cut = [np.reshape(array, (len(x), num_groups, x.shape[1] // num_groups, -1)) for array in (x, h)]
    return all_at_once(cut[0], cut[1], (1, 3), eps)


def averages_over_the_batch_too(x: Array, h: Array, num_groups: int, eps: float) -> tuple[Array, Array]:
    """You averaged over the samples too. Group norm treats every sample by itself: leave axis 0 out."""
    return all_at_once(grouped(x, num_groups), grouped(h, num_groups), (0, 2), eps)


def normalizes_every_position(x: Array, h: Array, num_groups: int, eps: float) -> tuple[Array, Array]:
    """Every position got its own mean and variance. A group's are over its channels, rows and columns together."""
    cut = [np.reshape(array, (len(x), num_groups, x.shape[1] // num_groups, -1)) for array in (x, h)]
    return all_at_once(cut[0], cut[1], (2,), eps)


EVERY_GROUPING = (
    ignores_the_groups, normalizes_every_channel, takes_the_number_of_groups_for_their_size, deals_the_channels_out,
    averages_across_the_groups, averages_over_the_batch_too, normalizes_every_position,
)  # fmt: skip


def gives_a_group_one_gain(x: Array, gamma: Array, beta: Array, *, num_groups: int, eps: float = 1e-5) -> Array:
    """You gave all channels of a group the gain and bias of its first. Every channel has its own γ and β."""
    size = x.shape[1] // num_groups
    shared = [np.repeat(feature[::size], size) for feature in (gamma, beta)]
    return reference.group_norm(x, shared[0], shared[1], num_groups=num_groups, eps=eps)


def leaves_the_samples_apart(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, num_groups: int, eps: float = 1e-5
) -> NormGrads:
    """You summed dγ and dβ over the positions alone. All samples use them: sum over axis 0 too."""
    x_hat = np.reshape(divided(grouped(x, num_groups), (2,), eps)[0], x.shape)
    dx = reference.group_norm_vjp(x, gamma, beta, cotangent, num_groups=num_groups, eps=eps).dx
    axes = tuple(range(2, x.ndim))
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=axes), np.sum(cotangent, axis=axes))


def _by_mean_square(x: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Return x / √(mean x² + ε), and what x is multiplied by."""
    r = 1 / np.sqrt(mean(x * x, axes) + eps)
    return x * r, r
