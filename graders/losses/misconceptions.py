"""Known mistakes in the losses; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from reference import losses as reference
from reference._types import Array, Reduction, ScalarReduction
from reference.activations import log_softmax, logsumexp, sigmoid, softmax

Function = Callable[..., Array]
Labels = Any


# --- mistakes that many share: each takes the function that is misunderstood ------------------------------------------
def reverses_the_sign(f: Function) -> Function:
    """Make the mistake for a loss or a gradient."""

    def reverses_the_sign(*arrays: Any, **hyper: Any) -> Array:
        """Your sign is reversed. A loss is not negative, and its gradient is predicted minus observed."""
        return -f(*arrays, **hyper)

    return with_signature_of(f, reverses_the_sign)


def divides_by_the_classes(f: Function) -> Function:
    """Make the mistake for a loss or a gradient."""

    def divides_by_the_classes(*arrays: Any, reduction: str = "mean", **hyper: Any) -> Array:
        """You divided by the number of columns. The mean is over the samples, so divide by the number of rows."""
        if reduction != "mean":
            return f(*arrays, reduction=reduction, **hyper)
        return f(*arrays, reduction="sum", **hyper) / arrays[0].shape[-1]

    return with_signature_of(f, divides_by_the_classes)


def divides_by_all_entries(f: Function) -> Function:
    """Make the mistake for a loss or a gradient of rows."""

    def divides_by_all_entries(*arrays: Any, reduction: str = "mean", **hyper: Any) -> Array:
        """You divided by rows times columns. There is one loss for each row, so divide by the number of rows alone."""
        if reduction != "mean":
            return f(*arrays, reduction=reduction, **hyper)
        return f(*arrays, reduction="sum", **hyper) / arrays[0].size

    return with_signature_of(f, divides_by_all_entries)


def ignores_the_reduction(f: Function) -> Function:
    """Make the mistake for a loss or a gradient."""

    def ignores_the_reduction(*arrays: Any, reduction: str = "mean", **hyper: Any) -> Array:
        """You took the mean whatever `reduction` says. For "sum" do not divide; for "none" return one loss per row."""
        return f(*arrays, reduction="mean", **hyper)

    return with_signature_of(f, ignores_the_reduction)


def ignores_the_label_smoothing(f: Function) -> Function:
    """Make the mistake for a loss or a gradient with label smoothing."""

    def ignores_the_label_smoothing(*arrays: Any, label_smoothing: float = 0.0, **hyper: Any) -> Array:
        """You ignored `label_smoothing`. Replace the labels y by (1 − α) y + α / c first."""
        return f(*arrays, **hyper)

    return with_signature_of(f, ignores_the_label_smoothing)


def uses_the_logarithm_to_base_two(f: Function) -> Function:
    """Make the mistake for a loss that is a logarithm."""

    def uses_the_logarithm_to_base_two(*arrays: Any, **hyper: Any) -> Array:
        """You took the logarithm to base 2. Use the natural one, np.log."""
        return f(*arrays, **hyper) * 1.4426950408889634

    return with_signature_of(f, uses_the_logarithm_to_base_two)


def uses_the_logarithm_to_base_ten(f: Function) -> Function:
    """Make the mistake for a loss that is a logarithm."""

    def uses_the_logarithm_to_base_ten(*arrays: Any, **hyper: Any) -> Array:
        """You took the logarithm to base 10. Use the natural one, np.log."""
        return f(*arrays, **hyper) * 0.4342944819032518

    return with_signature_of(f, uses_the_logarithm_to_base_ten)


# --- cross_entropy ----------------------------------------------------------------------------------------------------
def swaps_the_arguments(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You computed H(q, p). The truth p stands before the logarithm, the prediction q inside: −Σ p log q."""
    return reduced(-np.sum(q * np.log(p), axis=1), reduction)


def forgets_the_log(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out the logarithm. It is −Σ p log q."""
    return reduced(-np.sum(p * q, axis=1), reduction)


def takes_the_log_of_the_sum(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You took the logarithm last: −log Σ p q. Take it of every q first: −Σ p log q. For one-hot p they agree."""
    return reduced(-np.log(np.sum(p * q, axis=1)), reduction)


def subtracts_the_entropy(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You computed the divergence KL(p‖q) = Σ p log(p/q). The cross entropy is that plus the entropy of p."""
    kl = np.where(p > 0, p * (np.log(np.where(p > 0, p, 1)) - np.log(np.where(p > 0, q, 1))), 0)
    return reduced(np.sum(kl, axis=1), reduction)


def adds_the_other_outcome(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You added (1 − p) log(1 − q) for every class. That is for yes-or-no questions; here −Σ p log q is all."""
    return reduced(-np.sum(p * np.log(q) + (1 - p) * np.log(1 - q), axis=1), reduction)


def counts_the_likeliest_class_only(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You took −log q of the likeliest class alone. Every class counts with its weight p: −Σ p log q."""
    likeliest = p == np.max(p, axis=1, keepdims=True)
    return reduced(-np.sum(np.where(likeliest, np.log(np.where(likeliest, q, 1)), 0), axis=1), reduction)


def takes_zero_times_log_zero(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """Where p and q are both 0 you computed 0 · (−inf), which is nan. A class of weight 0 adds 0: leave it out."""
    return reduced(-np.sum(p * np.log(q), axis=1), reduction)


def adds_a_small_number_to_q(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """log(q + 1e-7) is not log q: every loss is a little too small. Leave out the classes with p = 0 instead."""
    return reduced(-np.sum(p * np.log(q + 1e-7), axis=1), reduction)


def clips_q(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You cut q to at least 1e-7, so no loss exceeds 16. Leave out the classes with p = 0 instead."""
    return reduced(-np.sum(p * np.log(np.clip(q, 1e-7, 1)), axis=1), reduction)


# --- softmax_cross_entropy --------------------------------------------------------------------------------------------
def forgets_the_normalizer(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You took the logits for logarithms of probabilities. Subtract log Σ e^z of the row from them first."""
    return reduced(-np.sum(smoothed(logits, labels, label_smoothing) * logits, axis=1), reduction)


def applies_softmax_twice(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You applied softmax to probabilities. This loss takes the logits and applies it itself, once."""
    return reference.softmax_cross_entropy(
        softmax(logits), labels, reduction=reduction, label_smoothing=label_smoothing
    )


def multiplies_by_the_probabilities(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You left out the logarithm. It is −Σ y log s, not −Σ y s."""
    return reduced(-np.sum(smoothed(logits, labels, label_smoothing) * softmax(logits), axis=1), reduction)


def softmaxes_down_the_columns(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """Your softmax runs down the columns. Each row is one sample, so sum and take the maximum over axis 1."""
    y = smoothed(logits, labels, label_smoothing)
    return reduced(-np.sum(y * log_softmax(logits, axis=0), axis=1), reduction)


def normalizes_over_the_batch(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """Your softmax sums over the whole batch. Every row needs its own sum: use axis=1 and keepdims=True."""
    d = logits - np.max(logits)
    y = smoothed(logits, labels, label_smoothing)
    return reduced(-np.sum(y * (d - np.log(np.sum(np.exp(d)))), axis=1), reduction)


def smooths_over_the_other_classes(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You spread α over the other c − 1 classes. Here, as in PyTorch, it is spread over all c: (1 − α) y + α / c."""
    y = _smoothed_over_the_others(logits, labels, label_smoothing)
    return reduced(-np.sum(y * log_softmax(logits), axis=1), reduction)


def adds_the_smoothing(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You added α / c to the labels without taking α from them, so they no longer sum to one: (1 − α) y + α / c."""
    y = smoothed(logits, labels, 0.0) + label_smoothing / logits.shape[1]
    return reduced(-np.sum(y * log_softmax(logits), axis=1), reduction)


def exponentiates_without_the_shift(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """Your Σ e^z overflows or vanishes. Subtract the maximum of each row first; the loss stays the same."""
    log_s = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return reduced(-np.sum(smoothed(logits, labels, label_smoothing) * log_s, axis=1), reduction)


def logs_an_underflowed_probability(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You took the log of a probability that had become 0. Compute log s directly: z − max − log Σ e^(z − max)."""
    y = smoothed(logits, labels, label_smoothing)
    return reduced(-np.sum(np.where(y > 0, y * np.log(softmax(logits)), 0), axis=1), reduction)


def logs_a_softmax_without_the_shift(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """Your e^z overflows or vanishes, and the log is of inf / inf or 0. Use log s = z − max − log Σ e^(z − max)."""
    y = smoothed(logits, labels, label_smoothing)
    e = np.exp(logits)
    log_s = np.log(e / np.sum(e, axis=1, keepdims=True))
    return reduced(-np.sum(np.where(y > 0, y * log_s, 0), axis=1), reduction)


def adds_a_small_number_to_the_probability(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """log(s + 1e-7) is not log s, and no loss exceeds 16. Compute log s directly: z − max − log Σ e^(z − max)."""
    y = smoothed(logits, labels, label_smoothing)
    return reduced(-np.sum(y * np.log(softmax(logits) + 1e-7), axis=1), reduction)


def clips_the_probability(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You cut s to at least 1e-12, so no loss exceeds 28. Compute log s directly: z − max − log Σ e^(z − max)."""
    y = smoothed(logits, labels, label_smoothing)
    return reduced(-np.sum(y * np.log(np.clip(softmax(logits), 1e-12, 1)), axis=1), reduction)


# --- softmax_cross_entropy_grad ---------------------------------------------------------------------------------------
def predicts_down_the_columns(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """Your softmax runs down the columns. Each row is one sample, so sum and take the maximum over axis 1."""
    return scaled(softmax(logits, axis=0) - smoothed(logits, labels, label_smoothing), reduction)


def predicts_over_the_batch(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """Your softmax sums over the whole batch. Every row needs its own sum: use axis=1 and keepdims=True."""
    e = np.exp(logits - np.max(logits))
    return scaled(e / np.sum(e) - smoothed(logits, labels, label_smoothing), reduction)


def uses_the_logits_as_probabilities(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You subtracted the labels from the logits themselves. Put the logits through softmax first."""
    return scaled(logits - smoothed(logits, labels, label_smoothing), reduction)


def stops_at_the_probabilities(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You stopped at the gradient by the probabilities, −y/s. Multiply it by the Jacobian of softmax to reach s − y."""
    return scaled(-smoothed(logits, labels, label_smoothing) / softmax(logits), reduction)


def keeps_the_diagonal_of_the_jacobian(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You used softmax's Jacobian on the diagonal only. Every output depends on every logit: s_j (δ_ij − s_i)."""
    return scaled(-smoothed(logits, labels, label_smoothing) * (1 - softmax(logits)), reduction)


def multiplies_by_the_derivative_of_softmax(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You multiplied s − y by s (1 − s) once more. The logarithm has cancelled that factor: s − y is all."""
    s = softmax(logits)
    return scaled((s - smoothed(logits, labels, label_smoothing)) * s * (1 - s), reduction)


def spreads_over_the_other_classes(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You spread α over the other c − 1 classes. Here, as in PyTorch, it is spread over all c: (1 − α) y + α / c."""
    return scaled(softmax(logits) - _smoothed_over_the_others(logits, labels, label_smoothing), reduction)


def predicts_without_the_shift(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """Your softmax overflows: e^1000 is inf. Subtract the maximum of each row first; the softmax stays the same."""
    e = np.exp(logits)
    return scaled(e / np.sum(e, axis=1, keepdims=True) - smoothed(logits, labels, label_smoothing), reduction)


def shifts_by_the_maximum_of_the_batch(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """You subtracted the maximum of the whole batch: a row far below it becomes 0/0. Take each row's own maximum."""
    e = np.exp(logits - np.max(logits))
    return scaled(e / np.sum(e, axis=1, keepdims=True) - smoothed(logits, labels, label_smoothing), reduction)


# --- bce_with_logits --------------------------------------------------------------------------------------------------
def forgets_the_negative_class(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out (1 − t) log(1 − σ). Without it a sample of class 0 costs nothing, whatever is predicted."""
    return reduced(labels * logsumexp(_with_zero(-logits)), reduction)


def swaps_the_classes(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You exchanged the classes. The label t multiplies log σ(x), and 1 − t multiplies log(1 − σ(x))."""
    return reference.bce_with_logits(logits, 1 - labels, reduction=reduction)


def expects_labels_of_plus_and_minus_one(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """log(1 + e^(−tx)) is the loss for labels −1 and 1. Here they are 0 and 1: −t log σ(x) − (1 − t) log σ(−x)."""
    return reduced(logsumexp(_with_zero(-labels * logits)), reduction)


def takes_the_logits_for_probabilities(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You took the logarithm of the logits. They are no probabilities yet: put them through the sigmoid."""
    return reduced(-(labels * np.log(logits) + (1 - labels) * np.log(1 - logits)), reduction)


def squares_the_error(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You used the squared error (σ − t)². The cross entropy is −t log σ(x) − (1 − t) log(1 − σ(x))."""
    return reduced((sigmoid(logits) - labels) ** 2, reduction)


def logs_a_saturated_sigmoid(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You took the log of a sigmoid that had become 0 or 1. Use max(x, 0) − x t + log1p(e^−|x|), from the logits."""
    s = sigmoid(logits)
    return reduced(
        -np.where(labels > 0, labels * np.log(s), 0) - np.where(labels < 1, (1 - labels) * np.log(1 - s), 0), reduction
    )


def exponentiates_positive_logits(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """log(1 + e^x) overflows for large x. Write it as max(x, 0) + log1p(e^−|x|)."""
    return reduced(np.log(1 + np.exp(logits)) - logits * labels, reduction)


def adds_a_small_number_to_the_sigmoid(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """log(σ + 1e-7) is not log σ, and no loss exceeds 16. Use max(x, 0) − x t + log1p(e^−|x|), from the logits."""
    s = sigmoid(logits)
    return reduced(-(labels * np.log(s + 1e-7) + (1 - labels) * np.log(1 - s + 1e-7)), reduction)


def clips_the_sigmoid(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You cut σ to [1e-7, 1 − 1e-7], so no loss exceeds 16. Use max(x, 0) − x t + log1p(e^−|x|), from the logits."""
    s = np.clip(sigmoid(logits), 1e-7, 1 - 1e-7)
    return reduced(-(labels * np.log(s) + (1 - labels) * np.log(1 - s)), reduction)


# --- bce_with_logits_grad ---------------------------------------------------------------------------------------------
def subtracts_from_the_logits(logits: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You subtracted the labels from the logits. Put them through the sigmoid first: σ(x) − t."""
    return scaled_by_entries(logits - labels, reduction)


def multiplies_by_the_derivative_of_the_sigmoid(
    logits: Array, labels: Array, *, reduction: ScalarReduction = "mean"
) -> Array:
    """You multiplied σ − t by σ (1 − σ) once more. The logarithm has cancelled that factor: σ − t is all."""
    s = sigmoid(logits)
    return scaled_by_entries((s - labels) * s * (1 - s), reduction)


def stops_at_the_sigmoid(logits: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You stopped at the gradient by the probability. Multiply it by σ (1 − σ), which leaves σ − t."""
    s = sigmoid(logits)
    return scaled_by_entries((s - labels) / (s * (1 - s)), reduction)


def leaves_out_the_negative_class(logits: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You left out the samples of class 0. The gradient is −t (1 − σ) + (1 − t) σ, which is σ − t."""
    return scaled_by_entries(-labels * sigmoid(-logits), reduction)


def differentiates_for_plus_and_minus_one(
    logits: Array, labels: Array, *, reduction: ScalarReduction = "mean"
) -> Array:
    """−t σ(−tx) is the gradient for labels −1 and 1. Here they are 0 and 1: σ(x) − t."""
    return scaled_by_entries(-labels * sigmoid(-labels * logits), reduction)


def divides_by_a_vanished_probability(logits: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You divided by σ (1 − σ) and multiplied by it again: 0/0 where the sigmoid is saturated. Write σ − t."""
    s = sigmoid(logits)
    return scaled_by_entries((-labels / s + (1 - labels) / (1 - s)) * (s * (1 - s)), reduction)


# --- half_squared_error -----------------------------------------------------------------------------------------------
def forgets_the_half(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out the ½. With it the gradient is simply predicted minus observed."""
    return 2 * reference.half_squared_error(predictions, targets, reduction=reduction)


def takes_the_absolute_error(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """You took absolute values. Square the differences."""
    return reduced(0.5 * np.sum(np.abs(predictions - targets), axis=1), reduction)


def takes_the_root(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """You took the root of the sum. The loss is ½ times the sum of squares itself."""
    return reduced(0.5 * np.sqrt(np.sum((predictions - targets) ** 2, axis=1)), reduction)


def squares_the_sum(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """You summed first and squared then, so that errors of opposite sign cancel. Square every difference first."""
    return reduced(0.5 * np.sum(predictions - targets, axis=1) ** 2, reduction)


def adds_the_targets(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """You added the targets. The error is the difference, z − y."""
    return reference.half_squared_error(predictions, -targets, reduction=reduction)


def expands_the_square(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """Σ z² − 2 Σ z y + Σ y² cancels where z and y are large and close. Subtract first, then square."""
    square = np.sum(predictions**2, axis=1) - 2 * np.sum(predictions * targets, axis=1) + np.sum(targets**2, axis=1)
    return reduced(0.5 * square, reduction)


# --- half_squared_error_grad ------------------------------------------------------------------------------------------
def keeps_the_factor_two(predictions: Array, targets: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You kept a factor 2. The ½ in the loss takes it away: z − y."""
    return 2 * reference.half_squared_error_grad(predictions, targets, reduction=reduction)


def halves_the_error(predictions: Array, targets: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You kept the ½. The square's derivative brings a factor 2 that takes it away: z − y."""
    return 0.5 * reference.half_squared_error_grad(predictions, targets, reduction=reduction)


def returns_the_sign(predictions: Array, targets: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You returned the sign of the error, which is the gradient of the absolute error. Here it is z − y."""
    return scaled(np.sign(predictions - targets), reduction)


def sums_the_errors_of_a_row(predictions: Array, targets: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You gave every prediction of a row the row's total error. Each has its own: z_k − y_k."""
    return scaled(np.sum(predictions - targets, axis=1, keepdims=True) + np.zeros_like(predictions), reduction)


def multiplies_by_the_prediction(predictions: Array, targets: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You multiplied the error by the prediction. That factor is not there: the gradient is z − y."""
    return scaled((predictions - targets) * predictions, reduction)


# --- what they are made of --------------------------------------------------------------------------------------------
def reduced(losses: Array, reduction: str) -> Array:
    """Return the mean, the sum, or the losses as they are."""
    if reduction == "none":
        return losses
    total: Any = np.mean(losses) if reduction == "mean" else np.sum(losses)
    return total


def scaled(error: Array, reduction: str) -> Array:
    """Divide by the rows for a mean."""
    return error / len(error) if reduction == "mean" else error


def scaled_by_entries(error: Array, reduction: str) -> Array:
    """Divide by all entries for a mean."""
    return error / error.size if reduction == "mean" else error


def smoothed(logits: Array, labels: Labels, label_smoothing: float) -> Array:
    """Return labels of either kind as smoothed distributions."""
    c = logits.shape[1]
    y = labels if labels.ndim == 2 else (labels[:, None] == np.arange(c)).astype(logits.dtype)
    return (1 - label_smoothing) * y + label_smoothing / c


def _smoothed_over_the_others(logits: Array, labels: Labels, label_smoothing: float) -> Array:
    y = smoothed(logits, labels, 0.0)
    return (1 - label_smoothing) * y + label_smoothing / max(logits.shape[1] - 1, 1) * (1 - y)


def _with_zero(x: Array) -> Array:
    """Pair every entry with 0, so that logsumexp of the pair is log(1 + eˣ)."""
    x = x[..., None]
    return np.concatenate([np.zeros_like(x), x], axis=-1)
