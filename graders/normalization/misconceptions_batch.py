"""Known mistakes in batch norm, in its evaluation and its running statistics."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graders.normalization._programs import Axes, all_at_once, count, of_features, others
from graders.normalization.misconceptions import Function, moments, standardized, told_as
from reference import normalization as reference
from reference._types import Array
from reference.normalization import NormGrads, RunningStatistics

Hat = Callable[[Array, Array, Array, float], Array]
"""From x, the running mean, the running variance and eps: x̂."""
Step = Callable[[Array, Array, Array, float], tuple[Array, Array]]
"""From the same: x̂ and what the gradient by it is multiplied by."""


# --- the wrong axes ---------------------------------------------------------------------------------------------------
def normalizes_every_sample(x: Array, axes: Axes, eps: float) -> Array:
    """You normalized every sample by itself, which is layer norm. A feature's mean is taken over the batch: axis 0."""
    return standardized(x, tuple(range(1, x.ndim)), eps)


def averages_over_the_samples_alone(x: Array, axes: Axes, eps: float) -> Array:
    """Every pixel got its own mean and variance. A channel's are over samples, rows and columns: axis=(0, 2, 3)."""
    return standardized(x, (0,), eps)


def normalizes_every_image(x: Array, axes: Axes, eps: float) -> Array:
    """Every image got its own mean and variance, which is instance norm. Average over the batch too: axis=(0, 2, 3)."""
    return standardized(x, (2, 3) if x.ndim == 4 else axes, eps)


def differentiates_every_sample(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """You averaged over every sample by itself, as in layer norm. A feature's means are over the batch: axis 0."""
    return all_at_once(x, h, tuple(range(1, x.ndim)), eps)


def differentiates_over_the_samples_alone(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Every pixel got its own means. Those of a channel are over samples, rows and columns: axis=(0, 2, 3)."""
    return all_at_once(x, h, (0,), eps)


def differentiates_every_image(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Every image got its own means. Those of a channel are over the batch too: axis=(0, 2, 3)."""
    return all_at_once(x, h, (2, 3) if x.ndim == 4 else axes, eps)


EVERY_AXES = (normalizes_every_sample, averages_over_the_samples_alone, normalizes_every_image)
EVERY_AXES_OF_DX = (differentiates_every_sample, differentiates_over_the_samples_alone, differentiates_every_image)


def sums_over_the_samples_alone(x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5) -> Any:
    """For images you summed dγ and dβ over the samples alone. Every pixel uses its channel's: axis=(0, 2, 3)."""
    x_hat = standardized(x, others(x), eps)
    dx = reference.batch_norm_vjp(x, gamma, beta, cotangent, eps=eps).dx
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=0), np.sum(cotangent, axis=0))


# --- evaluation -------------------------------------------------------------------------------------------------------
def in_evaluated_x_hat(*hats: Hat) -> tuple[Function, ...]:
    """Make mistakes in x̂ mistakes in the evaluation, with the right gain and bias."""
    return tuple(_evaluated(hat) for hat in hats)


def _evaluated(hat: Hat) -> Function:
    def wrong(
        x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, *, eps: float = 1e-5
    ) -> Array:
        x_hat = hat(x, of_features(running_mean, x), of_features(running_var, x), eps)
        return of_features(gamma, x) * x_hat + of_features(beta, x)

    return told_as(hat, wrong, reference.batch_norm_when_evaluating)


def normalizes_with_the_batch(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """You normalized with the statistics of this batch, as in training. In evaluation use the running ones."""
    return standardized(x, others(x), eps)


def subtracts_the_mean_of_the_batch(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """You subtracted the mean of this batch. In evaluation subtract the running mean."""
    return moments(x, others(x))[0] / np.sqrt(variance + eps)


def divides_by_the_deviation_of_the_batch(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """You divided by the deviation of this batch. In evaluation divide by √(running_var + ε)."""
    return (x - mean) / np.sqrt(moments(x, others(x))[1] + eps)


def puts_eps_outside_the_running_root(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """You added ε to the root. It belongs under it: √(running_var + ε)."""
    return (x - mean) / (np.sqrt(variance) + eps)


def divides_by_the_running_variance(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """You divided by running_var + ε itself. It is a variance, so divide by its root."""
    return (x - mean) / (variance + eps)


def squares_the_running_variance(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """You squared running_var. It is a variance already, not a standard deviation: √(running_var + ε)."""
    return (x - mean) / np.sqrt(variance**2 + eps)


def leaves_eps_out_when_evaluating(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """You left ε out. Divide by √(running_var + ε), as in training."""
    return (x - mean) / np.sqrt(variance)


def hard_codes_eps_when_evaluating(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """You used an ε of 1e-5 whatever was asked for. Use the argument."""
    return (x - mean) / np.sqrt(variance + 1e-5)


def forgets_the_running_mean(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """You left the running mean out. Subtract it from x first."""
    return x / np.sqrt(variance + eps)


def corrects_the_running_variance(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """You multiplied running_var by N / (N − 1). It is ready for use: the correction belongs where it is updated."""
    n = count(x, others(x))
    return (x - mean) / np.sqrt(variance * n / (np.zeros_like(variance) + n - 1) + eps)


EVERY_EVALUATION = (
    normalizes_with_the_batch, subtracts_the_mean_of_the_batch, divides_by_the_deviation_of_the_batch,
    puts_eps_outside_the_running_root, divides_by_the_running_variance, squares_the_running_variance,
    leaves_eps_out_when_evaluating, hard_codes_eps_when_evaluating, forgets_the_running_mean,
    corrects_the_running_variance,
)  # fmt: skip


# --- the gradients of the evaluation ----------------------------------------------------------------------------------
def in_evaluated_dx(*steps: Step) -> tuple[Function, ...]:
    """Make mistakes in x̂ and its slope mistakes in the gradients of the evaluation."""
    return tuple(_evaluated_vjp(step) for step in steps)


def _evaluated_vjp(step: Step) -> Function:
    def wrong(
        x: Array,
        gamma: Array,
        beta: Array,
        running_mean: Array,
        running_var: Array,
        cotangent: Array,
        *,
        eps: float = 1e-5,
    ) -> NormGrads:
        x_hat, slope = step(x, of_features(running_mean, x), of_features(running_var, x), eps)
        axes = others(x)
        dx = cotangent * of_features(gamma, x) * slope
        return NormGrads(dx, np.sum(cotangent * x_hat, axis=axes), np.sum(cotangent, axis=axes))

    return told_as(step, wrong, reference.batch_norm_when_evaluating_vjp)


def divides_by_the_running_deviation_plus_eps(
    x: Array, mean: Array, variance: Array, eps: float
) -> tuple[Array, Array]:
    """You divided by √running_var + ε. The ε belongs under the root: √(running_var + ε)."""
    r = 1 / (np.sqrt(variance) + eps)
    return (x - mean) * r, r


def forgets_the_root_of_the_running_variance(x: Array, mean: Array, variance: Array, eps: float) -> tuple[Array, Array]:
    """You divided by running_var + ε itself. It is a variance, so divide by its root."""
    r = 1 / (variance + eps)
    return (x - mean) * r, r


def leaves_eps_out_of_the_running_root(x: Array, mean: Array, variance: Array, eps: float) -> tuple[Array, Array]:
    """You left ε out. Divide by √(running_var + ε), as the forward pass does."""
    r = 1 / np.sqrt(variance)
    return (x - mean) * r, r


def hard_codes_eps_in_the_running_root(x: Array, mean: Array, variance: Array, eps: float) -> tuple[Array, Array]:
    """You used an ε of 1e-5 whatever was asked for. Use the argument."""
    r = 1 / np.sqrt(variance + 1e-5)
    return (x - mean) * r, r


def takes_x_hat_from_the_batch(x: Array, mean: Array, variance: Array, eps: float) -> tuple[Array, Array]:
    """For dγ you normalized x with this batch. Use the x̂ of the forward pass, made with the running statistics."""
    return standardized(x, others(x), eps), 1 / np.sqrt(variance + eps)


def divides_by_the_deviation_of_this_batch(x: Array, mean: Array, variance: Array, eps: float) -> tuple[Array, Array]:
    """For dx you divided by the deviation of this batch. In evaluation the slope of x̂ is 1 / √(running_var + ε)."""
    return (x - mean) / np.sqrt(variance + eps), 1 / np.sqrt(moments(x, others(x))[1] + eps)


EVERY_SLOPE = (
    divides_by_the_running_deviation_plus_eps, forgets_the_root_of_the_running_variance,
    leaves_eps_out_of_the_running_root, hard_codes_eps_in_the_running_root, takes_x_hat_from_the_batch,
    divides_by_the_deviation_of_this_batch,
)  # fmt: skip


def differentiates_the_training(
    x: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    cotangent: Array,
    *,
    eps: float = 1e-5,
) -> NormGrads:
    """These are the gradients of training, through the statistics of the batch. In evaluation they are constants."""
    return reference.batch_norm_vjp(x, gamma, beta, cotangent, eps=eps)


def differentiates_the_running_statistics(
    x: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    cotangent: Array,
    *,
    eps: float = 1e-5,
) -> NormGrads:
    """You used the formula of training with the running statistics. They do not depend on x: dx is g γ / √(v + ε)."""
    axes = others(x)
    r = 1 / np.sqrt(of_features(running_var, x) + eps)
    x_hat, h = (x - of_features(running_mean, x)) * r, cotangent * of_features(gamma, x)
    means = np.mean(h, axis=axes, keepdims=True), np.mean(h * x_hat, axis=axes, keepdims=True)
    dx = (h - means[0] - x_hat * means[1]) * r
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=axes), np.sum(cotangent, axis=axes))


# --- running statistics -----------------------------------------------------------------------------------------------
def statistics(x: Array, n_less: int = 1) -> tuple[Array, Array]:
    """Return the mean of every feature, and its variance over so much less than N."""
    axes = others(x)
    variance = moments(x, axes)[1]
    n = count(x, axes)
    return np.mean(x, axis=axes), np.reshape(variance, (-1,)) * n / (n - n_less)


def forgets_the_old_statistics(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You returned the statistics of this batch. Keep a share 1 − m of the old ones, and add m times these."""
    return RunningStatistics(*statistics(x))


def returns_the_old_statistics(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You returned the statistics as they came. Move them towards those of the batch, by a share m of the way."""
    return RunningStatistics(running_mean, running_var)


def adds_without_forgetting(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You added m times the new statistics to all of the old ones, so they grow. Keep 1 − m of the old."""
    mean, variance = statistics(x)
    return RunningStatistics(running_mean + momentum * mean, running_var + momentum * variance)


def adds_the_new_in_full(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You added the new statistics in full. Multiply them by m: (1 − m) running + m new."""
    mean, variance = statistics(x)
    kept = 1 - momentum
    return RunningStatistics(kept * running_mean + mean, kept * running_var + variance)


def steps_away_from_the_batch(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You moved away from the batch's statistics. Add m (new − running), the other way round."""
    mean, variance = statistics(x)
    return RunningStatistics(
        running_mean - momentum * (mean - running_mean), running_var - momentum * (variance - running_var)
    )


def hard_codes_the_momentum(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You used a momentum of 0.1 whatever was asked for. Use the argument."""
    return reference.running_statistics(x, running_mean, running_var)


def updates_the_mean_alone(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You left the running variance as it was. It moves like the mean: (1 − m) running + m new."""
    moved = reference.running_statistics(x, running_mean, running_var, momentum=momentum)
    return RunningStatistics(moved.running_mean, running_var)


def averages_deviations(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You put the batch's standard deviation into running_var. It holds a variance: take no root here."""
    mean, variance = statistics(x)
    kept = 1 - momentum
    return RunningStatistics(kept * running_mean + momentum * mean, kept * running_var + momentum * np.sqrt(variance))


def averages_the_root_of_the_biased_variance(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You put the batch's standard deviation, np.std, into running_var. It holds a variance, np.var with ddof=1."""
    mean, variance = statistics(x, 0)
    kept = 1 - momentum
    return RunningStatistics(kept * running_mean + momentum * mean, kept * running_var + momentum * np.sqrt(variance))


def adds_eps_to_the_running_variance(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You put σ² + ε into running_var. It holds the variance; ε is added under the root, each time it is used."""
    mean, variance = statistics(x, 0)
    kept = 1 - momentum
    return RunningStatistics(kept * running_mean + momentum * mean, kept * running_var + momentum * (variance + 1e-5))


def weighs_the_variance_the_other_way(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You gave the old variance the weight m, and the old mean 1 − m. In both m is the weight of the new one."""
    mean, variance = statistics(x)
    kept = 1 - momentum
    return RunningStatistics(kept * running_mean + momentum * mean, momentum * running_var + kept * variance)


def measures_from_the_running_mean(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You took deviations from the running mean. The variance of a batch is measured from the batch's own mean."""
    axes = others(x)
    off = x - of_features(running_mean, x)
    variance = np.sum(off * off, axis=axes) / (count(x, axes) - 1)
    moved = reference.running_statistics(x, running_mean, running_var, momentum=momentum)
    return moved._replace(running_var=(1 - momentum) * running_var + momentum * variance)


def counts_samples_for_values(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """For images you corrected by n / (n − 1) with n the images. Count every pixel of a channel: n · h · v values."""
    mean, variance = statistics(x, 0)
    variance = variance * len(x) / (np.zeros_like(variance) + len(x) - 1)
    kept = 1 - momentum
    return RunningStatistics(kept * running_mean + momentum * mean, kept * running_var + momentum * variance)


def takes_a_difference_of_squares(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You took E[x²] − E[x]² for the variance, which loses its digits far from zero. Average (x − μ)² instead."""
    axes = others(x)
    n = count(x, axes)
    mean = np.mean(x, axis=axes)
    variance = (np.mean(x**2, axis=axes) - mean**2) * n / (n - 1)
    kept = 1 - momentum
    return RunningStatistics(kept * running_mean + momentum * mean, kept * running_var + momentum * variance)


def takes_one_mean_for_all_features(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """You took one mean and one variance for all features. Every feature has its own: average over axis 0."""
    off = x - np.mean(x)
    variance = np.sum(off * off) / (x.size - 1)
    kept = 1 - momentum
    return RunningStatistics(kept * running_mean + momentum * np.mean(x), kept * running_var + momentum * variance)


EVERY_UPDATE = (
    forgets_the_old_statistics, returns_the_old_statistics, adds_without_forgetting, adds_the_new_in_full,
    steps_away_from_the_batch, hard_codes_the_momentum, updates_the_mean_alone, averages_deviations,
    averages_the_root_of_the_biased_variance, adds_eps_to_the_running_variance,
    weighs_the_variance_the_other_way, measures_from_the_running_mean,
    counts_samples_for_values, takes_a_difference_of_squares, takes_one_mean_for_all_features,
)  # fmt: skip


# --- running statistics under other definitions -----------------------------------------------------------------------
def weighs_the_old_statistics(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """The momentum as the weight of the old statistics, as in TensorFlow's fused batch norm."""
    mean, variance = statistics(x)
    kept = 1 - momentum
    return RunningStatistics(momentum * running_mean + kept * mean, momentum * running_var + kept * variance)


def keeps_the_biased_variance(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """The variance over N, as it normalizes, and the momentum as the weight of the new: MLX had it so until 2026."""
    mean, variance = statistics(x, 0)
    kept = 1 - momentum
    return RunningStatistics(kept * running_mean + momentum * mean, kept * running_var + momentum * variance)


def weighs_the_old_and_keeps_the_biased_variance(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """The momentum as the weight of the old statistics, and the variance over N, as in ONNX and Keras."""
    mean, variance = statistics(x, 0)
    kept = 1 - momentum
    return RunningStatistics(momentum * running_mean + kept * mean, momentum * running_var + kept * variance)
