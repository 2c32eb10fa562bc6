"""Exercises on the losses of a batch, and on their gradients."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
from graders.losses import misconceptions as wrong
from graders.losses import misconceptions_guards as guards
from graders.losses._torch import torch_reduced as _torch_reduced
from graders.losses.binary import logistic_loss, logistic_loss_grad, sigmoid_bce, sigmoid_bce_grad
from graders.losses.categorical import accuracy, predict_label
from graders.losses.distributions import entropy, kl_divergence
from graders.losses.misconceptions import Labels, reduced, scaled, scaled_by_entries, smoothed
from graders.losses.regression import (
    gaussian_nll,
    gaussian_nll_grad,
    mse,
    mse_grad,
    squared_error,
    squared_error_grad,
)
from reference import losses as reference
from reference._types import Array, Reduction, ScalarReduction
from reference.activations import log_softmax, logsumexp, sigmoid, softmax

# Distinct sizes, full mantissas.
_Z = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_SOFT = [[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]]
_FOUR = [[0.3, -1.7, 0.9, 0.2], [1.1, 0.4, -0.6, -0.9]]
_EQUAL = [[0.7, 0.7, 0.7], [-0.4, -0.4, -0.4]]
_MARGINS = [[1000.0, 0.3, -1000.0], [-1000.0, 1000.0, 999.5]]
_OVER_FLOAT32 = [[705.0, -705.0, 1.3], [-705.0, -704.2, -703.1]]
_ROWS_APART = [[-500.3, -499.1, -501.2], [0.3, -1.7, 0.9], [500.2, 499.4, 501.1]]
_ALL_LOW = [[-1000.3, -1001.1, -999.6], [-9999.5, -1e4, -1e4]]
_HUGE = [[1e4, -1e4, 0.7], [-1e4, -1e4 + 1.5, -1e4]]


# --- cross_entropy ----------------------------------------------------------------------------------------------------
def sums_over_the_batch(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """The sum over the batch for the mean, as in the lectures' L = Σ_i L_i (001_85d2a45f19410a02.txt)."""
    return reference.cross_entropy(p, q, reduction="sum" if reduction == "mean" else reduction)


def cross_entropy_by_terms(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """Every term by itself, zeros left out."""
    terms = np.where(p > 0, -p * np.log(np.where(p > 0, q, 1)), 0)
    if reduction == "none":
        return np.sum(terms, axis=1)
    return np.sum(terms) / len(p) if reduction == "mean" else np.sum(terms)


def _torch_cross_entropy(torch: Any, p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    losses = -torch.xlogy(torch.tensor(p), torch.tensor(q)).sum(dim=1)
    return _torch_reduced(losses, reduction).numpy()


cross_entropy = Exercise(
    reference.cross_entropy,
    misconceptions=(
        wrong.swaps_the_arguments,
        wrong.reverses_the_sign(reference.cross_entropy),
        wrong.forgets_the_log,
        wrong.uses_the_logarithm_to_base_two(reference.cross_entropy),
        wrong.uses_the_logarithm_to_base_ten(reference.cross_entropy),
        wrong.takes_the_log_of_the_sum,
        wrong.subtracts_the_entropy,
        wrong.adds_the_other_outcome,
        wrong.counts_the_likeliest_class_only,
        wrong.divides_by_the_classes(reference.cross_entropy),
        wrong.divides_by_all_entries(reference.cross_entropy),
        wrong.ignores_the_reduction(reference.cross_entropy),
        wrong.takes_zero_times_log_zero,
        wrong.adds_a_small_number_to_q,
        wrong.clips_q,
        *guards.of_cross_entropy,
    ),
    conventions=(sums_over_the_batch,),
    programs=(cross_entropy_by_terms,),
    edges=(
        edge("small", p=_SOFT, q=[[0.3, 0.3, 0.4], [0.1, 0.6, 0.3]]),
        edge("one for each row", p=_SOFT, q=[[0.3, 0.3, 0.4], [0.1, 0.6, 0.3]], reduction="none"),
        edge("one-hot, the lecture's example", p=[[0.0, 0.0, 1.0]], q=[[0.002, 0.02, 0.978]]),
        edge("one-hot, two rows", p=[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], q=_SOFT),
        edge("a prediction equal to the truth", p=_SOFT, q=_SOFT, reduction="sum"),
        extreme("0 · log 0", p=[[0.3, 0.7, 0.0], [0.0, 0.4, 0.6]], q=[[0.6, 0.4, 0.0], [0.0, 0.9, 0.1]]),
        extreme(
            "nearly impossible truths",
            p=[[1.0, 0.0], [0.0, 1.0], [0.3, 0.7]],
            q=[[1e-9, 1 - 1e-9], [1.0, 1e-20], [1.0, 1e-30]],
        ),
        extreme(
            "an impossible truth costs infinity",
            p=[[0.3, 0.7], [0.6, 0.4]],
            q=[[1.0, 0.0], [0.2, 0.8]],
            reduction="none",
        ),
    ),
    rivals={"torch": _torch_cross_entropy},
)


# --- softmax_cross_entropy --------------------------------------------------------------------------------------------
def sums_the_losses(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """The sum over the batch for the mean, as in the lectures' L = Σ_i L_i (001_85d2a45f19410a02.txt)."""
    kept = "sum" if reduction == "mean" else reduction
    return reference.softmax_cross_entropy(logits, labels, reduction=kept, label_smoothing=label_smoothing)


def by_logsumexp(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """Logsumexp minus the expected logit."""
    y = smoothed(logits, labels, label_smoothing)
    return reduced(logsumexp(logits) - np.sum(y * logits, axis=1), reduction)


def by_two_losses(
    logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """(1 − α) times the loss of the labels plus α times the mean loss of all classes, as PyTorch does it."""
    log_s = log_softmax(logits)
    loss = -np.sum(smoothed(logits, labels, 0.0) * log_s, axis=1)
    return reduced((1 - label_smoothing) * loss - label_smoothing * np.mean(log_s, axis=1), reduction)


def _torch_softmax_cross_entropy(
    torch: Any, logits: Array, labels: Labels, *, reduction: Reduction = "mean", label_smoothing: float = 0.0
) -> Array:
    z, y = torch.tensor(logits), torch.tensor(labels)
    return torch.nn.functional.cross_entropy(z, y, reduction=reduction, label_smoothing=label_smoothing).numpy()


softmax_cross_entropy = Exercise(
    reference.softmax_cross_entropy,
    misconceptions=(
        wrong.reverses_the_sign(reference.softmax_cross_entropy),
        wrong.forgets_the_normalizer,
        wrong.applies_softmax_twice,
        wrong.multiplies_by_the_probabilities,
        wrong.softmaxes_down_the_columns,
        wrong.normalizes_over_the_batch,
        wrong.uses_the_logarithm_to_base_two(reference.softmax_cross_entropy),
        wrong.uses_the_logarithm_to_base_ten(reference.softmax_cross_entropy),
        wrong.divides_by_the_classes(reference.softmax_cross_entropy),
        wrong.divides_by_all_entries(reference.softmax_cross_entropy),
        wrong.ignores_the_reduction(reference.softmax_cross_entropy),
        wrong.ignores_the_label_smoothing(reference.softmax_cross_entropy),
        wrong.smooths_over_the_other_classes,
        wrong.adds_the_smoothing,
        wrong.logs_a_softmax_without_the_shift,
        wrong.exponentiates_without_the_shift,
        wrong.logs_an_underflowed_probability,
        wrong.adds_a_small_number_to_the_probability,
        wrong.clips_the_probability,
        *guards.of_softmax_cross_entropy,
    ),
    conventions=(sums_the_losses,),
    programs=(by_logsumexp, by_two_losses),
    edges=(
        edge("one row, undivided", logits=[[0.3, -1.7, 0.9]], labels=[[0.2, 0.5, 0.3]], reduction="sum"),
        edge("small", logits=_Z, labels=_SOFT),
        special("one class", logits=[[0.3], [-1.7]], labels=[[1.0], [1.0]]),
        edge("integer classes, one loss for each row", logits=_FOUR, labels=[2, 0], reduction="none"),
        edge("one row", logits=[[0.3, -1.7, 0.9]], labels=[1]),
        edge("all logits equal", logits=_EQUAL, labels=[0, 2]),
        edge("smoothing and a sum", logits=_FOUR, labels=[2, 0], label_smoothing=0.3, reduction="sum"),
        edge("smoothed distributions", logits=_Z, labels=_SOFT, label_smoothing=0.4),
        extreme("one-hot, wrong by 2000", logits=_MARGINS, labels=[[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]),
        extreme("margin of 2000", logits=_MARGINS, labels=[2, 2]),
        extreme("margin of 1400, rows apart", logits=_OVER_FLOAT32, labels=[1, 0]),
        extreme("rows far apart", logits=_ROWS_APART, labels=[0, 1, 2]),
        extreme("all low", logits=_ALL_LOW, labels=_SOFT),
        extreme("logits of 1e4", logits=_HUGE, labels=[1, 0]),
    ),
    rivals={"torch": _torch_softmax_cross_entropy},
)


# --- softmax_cross_entropy_grad ---------------------------------------------------------------------------------------
def sums_the_gradients(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """The gradient of the sum over the batch, as in the lectures' s − y (001_85d2a45f19410a02.txt)."""
    return reference.softmax_cross_entropy_grad(logits, labels, reduction="sum", label_smoothing=label_smoothing)


def by_exp_of_log_softmax(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """Softmax as the exponential of log softmax."""
    return scaled(np.exp(log_softmax(logits)) - smoothed(logits, labels, label_smoothing), reduction)


def by_dividing_first(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """s/n − y/n, as an automatic gradient of the mean gives it."""
    n = len(logits) if reduction == "mean" else 1
    return softmax(logits) / n - smoothed(logits, labels, label_smoothing) / n


def by_the_chain_rule(
    logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    """s Σ y − y, through log softmax; y sums to one."""
    y = smoothed(logits, labels, label_smoothing)
    return scaled(softmax(logits) * np.sum(y, axis=1, keepdims=True) - y, reduction)


def _torch_softmax_cross_entropy_grad(
    torch: Any, logits: Array, labels: Labels, *, reduction: ScalarReduction = "mean", label_smoothing: float = 0.0
) -> Array:
    z, y = torch.tensor(logits, requires_grad=True), torch.tensor(labels)
    torch.nn.functional.cross_entropy(z, y, reduction=reduction, label_smoothing=label_smoothing).backward()
    return z.grad.numpy()


softmax_cross_entropy_grad = Exercise(
    reference.softmax_cross_entropy_grad,
    misconceptions=(
        wrong.reverses_the_sign(reference.softmax_cross_entropy_grad),
        wrong.divides_by_the_classes(reference.softmax_cross_entropy_grad),
        wrong.divides_by_all_entries(reference.softmax_cross_entropy_grad),
        wrong.ignores_the_reduction(reference.softmax_cross_entropy_grad),
        wrong.predicts_down_the_columns,
        wrong.predicts_over_the_batch,
        wrong.uses_the_logits_as_probabilities,
        wrong.stops_at_the_probabilities,
        wrong.keeps_the_diagonal_of_the_jacobian,
        wrong.multiplies_by_the_derivative_of_softmax,
        wrong.ignores_the_label_smoothing(reference.softmax_cross_entropy_grad),
        wrong.spreads_over_the_other_classes,
        wrong.predicts_without_the_shift,
        wrong.shifts_by_the_maximum_of_the_batch,
    ),
    conventions=(sums_the_gradients,),
    programs=(by_exp_of_log_softmax, by_dividing_first, by_the_chain_rule),
    edges=(
        edge("one row, undivided", logits=[[0.3, -1.7, 0.9]], labels=[[0.2, 0.5, 0.3]], reduction="sum"),
        edge("small", logits=_Z, labels=_SOFT),
        special("one class", logits=[[0.3], [-1.7]], labels=[[1.0], [1.0]]),
        edge("integer classes", logits=_FOUR, labels=[2, 0]),
        edge("one row", logits=[[0.3, -1.7, 0.9]], labels=[1]),
        edge("all logits equal", logits=_EQUAL, labels=[0, 2]),
        edge("smoothing and a sum", logits=_FOUR, labels=[2, 0], label_smoothing=0.3, reduction="sum"),
        extreme("one-hot, wrong by 2000", logits=_MARGINS, labels=[[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]),
        extreme("margin of 2000", logits=_MARGINS, labels=[2, 2]),
        extreme("margin of 1400, rows apart", logits=_OVER_FLOAT32, labels=[1, 0]),
        extreme("rows far apart", logits=_ROWS_APART, labels=[0, 1, 2]),
        extreme("all low", logits=_ALL_LOW, labels=_SOFT),
        extreme("logits of 1e4", logits=_HUGE, labels=[0, 0]),
    ),
    rivals={"torch": _torch_softmax_cross_entropy_grad},
)


# --- bce_with_logits --------------------------------------------------------------------------------------------------
def sums_over_all(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """The sum over all entries for the mean, as in the lectures' L (003_bda8f24b635fcb71.txt)."""
    return reference.bce_with_logits(logits, labels, reduction="sum" if reduction == "mean" else reduction)


def means_over_the_rows(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """A sum over the entries of a row, then the mean over the rows, as in the reconstruction loss of a VAE."""
    losses = reference.bce_with_logits(logits, labels, reduction="none")
    return reduced(losses, "sum") / len(losses) if reduction == "mean" else reduced(losses, reduction)


def by_max(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """max(x, 0) − x t + log1p(e^−|x|), as TensorFlow does it."""
    return reduced(np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits))), reduction)


def by_logaddexp(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """log(e⁰ + eˣ) − x t."""
    return reduced(np.logaddexp(0.0 * logits, logits) - logits * labels, reduction)


def by_one_log_sigmoid(logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """(1 − t) x − log σ(x), as PyTorch does it: small losses at x < 0 cancel."""
    log_sigmoid = -np.maximum(-logits, 0) - np.log1p(np.exp(-np.abs(logits)))
    return reduced((1 - labels) * logits - log_sigmoid, reduction)


def _torch_bce(torch: Any, logits: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    x, t = torch.tensor(logits), torch.tensor(labels)
    return torch.nn.functional.binary_cross_entropy_with_logits(x, t, reduction=reduction).numpy()


bce_with_logits = Exercise(
    reference.bce_with_logits,
    misconceptions=(
        wrong.reverses_the_sign(reference.bce_with_logits),
        wrong.forgets_the_negative_class,
        wrong.swaps_the_classes,
        wrong.expects_labels_of_plus_and_minus_one,
        wrong.takes_the_logits_for_probabilities,
        wrong.squares_the_error,
        wrong.uses_the_logarithm_to_base_two(reference.bce_with_logits),
        wrong.divides_by_the_classes(reference.bce_with_logits),
        wrong.ignores_the_reduction(reference.bce_with_logits),
        wrong.logs_a_saturated_sigmoid,
        wrong.exponentiates_positive_logits,
        wrong.adds_a_small_number_to_the_sigmoid,
        wrong.clips_the_sigmoid,
    ),
    conventions=(sums_over_all, means_over_the_rows),
    programs=(by_max, by_logaddexp, by_one_log_sigmoid),
    edges=(
        edge("small", logits=_Z, labels=[[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]),
        edge("one for each entry", logits=_Z, labels=[[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], reduction="none"),
        edge("soft labels and a sum", logits=_Z, labels=[[0.2, 0.9, 0.4], [0.7, 0.3, 0.6]], reduction="sum"),
        edge("one entry", logits=[[-1.7]], labels=[[0.0]]),
        edge("logits of zero", logits=[[0.0, 0.0]], labels=[[0.0, 1.0]]),
        extreme("wrong by a margin of 20", logits=[[20.3, -20.7]], labels=[[0.0, 1.0]]),
        extreme("right, x = −17", logits=[[-17.0, 15.9]], labels=[[0.0, 1.0]], reduction="none"),
        extreme("right, x = −30 and −50", logits=[[-30.3, -50.7, 40.9]], labels=[[0.0, 0.0, 1.0]], reduction="none"),
        extreme("wrong by 50 to 1e4", logits=[[50.3, -700.7], [1000.3, -1e4]], labels=[[0.0, 1.0], [0.0, 1.0]]),
        extreme("wrong, soft labels", logits=[[50.3, -700.7, 800.9]], labels=[[0.2, 0.9, 0.4]], reduction="none"),
    ),
    rivals={"torch": _torch_bce},
)


# --- bce_with_logits_grad ---------------------------------------------------------------------------------------------
def sums_the_gradients_of_all(logits: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """The gradient of the sum over all entries, as in the lectures' σ(z) − Y (003_bda8f24b635fcb71.txt)."""
    return reference.bce_with_logits_grad(logits, labels, reduction="sum")


def divides_by_the_rows(logits: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """A sum over the entries of a row, then the mean over the rows, as in the reconstruction loss of a VAE."""
    return scaled(reference.bce_with_logits_grad(logits, labels, reduction="sum"), reduction)


def by_one_difference(logits: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """σ(x) − t as it is written."""
    return scaled_by_entries(sigmoid(logits) - labels, reduction)


def grad_by_logaddexp(logits: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """(1 − t) σ(x) − t σ(−x), with σ(x) = e^(x − log(e^x + 1)), as JAX derives Optax's loss."""
    one, zero = np.exp(logits - np.logaddexp(logits, 0)), np.exp(-logits - np.logaddexp(-logits, 0))
    return scaled_by_entries((1 - labels) * one - labels * zero, reduction)


def _torch_bce_grad(torch: Any, logits: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    x, t = torch.tensor(logits, requires_grad=True), torch.tensor(labels)
    torch.nn.functional.binary_cross_entropy_with_logits(x, t, reduction=reduction).backward()
    return x.grad.numpy()


bce_with_logits_grad = Exercise(
    reference.bce_with_logits_grad,
    misconceptions=(
        wrong.reverses_the_sign(reference.bce_with_logits_grad),
        wrong.subtracts_from_the_logits,
        wrong.multiplies_by_the_derivative_of_the_sigmoid,
        wrong.stops_at_the_sigmoid,
        wrong.leaves_out_the_negative_class,
        wrong.differentiates_for_plus_and_minus_one,
        wrong.divides_by_the_classes(reference.bce_with_logits_grad),
        wrong.ignores_the_reduction(reference.bce_with_logits_grad),
        wrong.divides_by_a_vanished_probability,
    ),
    conventions=(sums_the_gradients_of_all, divides_by_the_rows),
    programs=(by_one_difference, grad_by_logaddexp),
    edges=(
        edge("small", logits=_Z, labels=[[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]),
        edge("soft labels and a sum", logits=_Z, labels=[[0.2, 0.9, 0.4], [0.7, 0.3, 0.6]], reduction="sum"),
        edge("one entry", logits=[[-1.7]], labels=[[0.0]]),
        edge("logits of zero", logits=[[0.0, 0.0, 1.3]], labels=[[0.0, 1.0, 0.0]]),
        extreme("wrong by a margin of 20", logits=[[20.3, -20.7]], labels=[[0.0, 1.0]]),
        extreme(
            "right by 17 to 50",
            logits=[[-17.0, 17.0, -30.3], [-50.7, 40.9, 33.1]],
            labels=[[0.0, 1.0, 0.0], [0.0, 1.0, 1.0]],
        ),
        extreme("wrong by 50 to 1e4", logits=[[50.3, -700.7], [1000.3, -1e4]], labels=[[0.0, 1.0], [0.0, 1.0]]),
        extreme("saturated, soft labels", logits=[[50.3, -700.7, 800.9]], labels=[[0.2, 0.9, 0.4]]),
    ),
    rivals={"torch": _torch_bce_grad},
)


# --- half_squared_error -----------------------------------------------------------------------------------------------
def sums_over_the_rows(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """The sum over the batch for the mean, as in the lectures' Σ (s − y)² (001_85d2a45f19410a02.txt)."""
    return reference.half_squared_error(predictions, targets, reduction="sum" if reduction == "mean" else reduction)


def means_over_all_entries(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """Half of the mean over rows and columns, as ½ · PyTorch's mse_loss."""
    losses = reference.half_squared_error(predictions, targets, reduction="none")
    return reduced(losses, "sum") / predictions.size if reduction == "mean" else reduced(losses, reduction)


def by_products(predictions: Array, targets: Array, *, reduction: Reduction = "mean") -> Array:
    """The factor ½ last."""
    error = predictions - targets
    return reduced(np.sum(error * error, axis=1), reduction) / 2


def _torch_half_squared_error(
    torch: Any, predictions: Array, targets: Array, *, reduction: Reduction = "mean"
) -> Array:
    squares = torch.nn.functional.mse_loss(torch.tensor(predictions), torch.tensor(targets), reduction="none")
    return _torch_reduced(squares.sum(dim=1) / 2, reduction).numpy()


_Y = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6]]
_SIZES = [[130.1, -1.7e-3], [0.9, 2.3e-5]]
_NEAR_SIZES = [[-20.3, 0.4e-3], [0.7, -1.1e-5]]
_LEVEL = [[1e4 + 0.3, 1e4 - 1.7, 1e4 + 0.9], [1e4 + 1.1, 1e4 + 0.4, 1e4 - 0.6]]
_NEAR_IT = [[1e4 + 0.7, 1e4 - 0.2, 1e4 + 1.3], [1e4 - 0.4, 1e4 + 0.9, 1e4 + 0.6]]

half_squared_error = Exercise(
    reference.half_squared_error,
    misconceptions=(
        wrong.forgets_the_half,
        wrong.takes_the_absolute_error,
        wrong.takes_the_root,
        wrong.squares_the_sum,
        wrong.adds_the_targets,
        wrong.reverses_the_sign(reference.half_squared_error),
        wrong.divides_by_the_classes(reference.half_squared_error),
        wrong.ignores_the_reduction(reference.half_squared_error),
        wrong.expands_the_square,
    ),
    conventions=(sums_over_the_rows, means_over_all_entries),
    programs=(by_products,),
    edges=(
        edge("small", predictions=_Z, targets=_Y),
        edge("one for each row", predictions=_Z, targets=_Y, reduction="none"),
        edge("a sum", predictions=_Z, targets=_Y, reduction="sum"),
        edge("one row", predictions=[[0.3, -1.7, 0.9]], targets=[[0.7, -0.2, 1.3]]),
        edge("one column", predictions=[[0.3], [-1.7]], targets=[[0.7], [-0.2]]),
        edge("mixed sizes", predictions=_SIZES, targets=_NEAR_SIZES),
        edge("no error in one row", predictions=_Z, targets=[[0.3, -1.7, 0.9], [-0.4, 0.9, 0.6]], reduction="none"),
        extreme("on a height of 1e4", predictions=_LEVEL, targets=_NEAR_IT),
    ),
    rivals={"torch": _torch_half_squared_error},
)


# --- half_squared_error_grad ------------------------------------------------------------------------------------------
def sums_the_errors(predictions: Array, targets: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """The gradient of the sum over the batch, as in the lectures' z − y (003_bda8f24b635fcb71.txt)."""
    return reference.half_squared_error_grad(predictions, targets, reduction="sum")


def divides_by_rows_and_columns(predictions: Array, targets: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """The gradient of half of the mean over rows and columns, as ½ · PyTorch's mse_loss."""
    return scaled_by_entries(predictions - targets, reduction)


def by_the_inverse(predictions: Array, targets: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """Times 1/n instead of divided by n."""
    return (predictions - targets) * (1 / len(predictions) if reduction == "mean" else 1)


def _torch_half_squared_error_grad(
    torch: Any, predictions: Array, targets: Array, *, reduction: ScalarReduction = "mean"
) -> Array:
    z = torch.tensor(predictions, requires_grad=True)
    loss = torch.nn.functional.mse_loss(z, torch.tensor(targets), reduction="sum") / 2
    (loss / len(predictions) if reduction == "mean" else loss).backward()
    return z.grad.numpy()


half_squared_error_grad = Exercise(
    reference.half_squared_error_grad,
    misconceptions=(
        wrong.reverses_the_sign(reference.half_squared_error_grad),
        wrong.keeps_the_factor_two,
        wrong.halves_the_error,
        wrong.returns_the_sign,
        wrong.sums_the_errors_of_a_row,
        wrong.multiplies_by_the_prediction,
        wrong.divides_by_the_classes(reference.half_squared_error_grad),
        wrong.ignores_the_reduction(reference.half_squared_error_grad),
    ),
    conventions=(sums_the_errors, divides_by_rows_and_columns),
    programs=(by_the_inverse,),
    edges=(
        edge("small", predictions=_Z, targets=_Y),
        edge("a sum", predictions=_Z, targets=_Y, reduction="sum"),
        edge("one row", predictions=[[0.3, -1.7, 0.9]], targets=[[0.7, -0.2, 1.3]]),
        edge("one column", predictions=[[0.3], [-1.7], [0.9]], targets=[[0.7], [-0.2], [1.3]]),
        edge("four rows", predictions=[[0.3], [-1.7], [0.9], [1.1]], targets=[[0.7], [-0.2], [1.3], [-0.4]]),
        edge("mixed sizes", predictions=_SIZES, targets=_NEAR_SIZES),
        edge("no error in one row", predictions=_Z, targets=[[0.3, -1.7, 0.9], [-0.4, 0.9, 0.6]]),
        extreme("on a height of 1e4", predictions=_LEVEL, targets=_NEAR_IT),
    ),
    rivals={"torch": _torch_half_squared_error_grad},
)

__all__ = (
    "accuracy",
    "bce_with_logits",
    "bce_with_logits_grad",
    "cross_entropy",
    "entropy",
    "gaussian_nll",
    "gaussian_nll_grad",
    "half_squared_error",
    "half_squared_error_grad",
    "kl_divergence",
    "logistic_loss",
    "logistic_loss_grad",
    "mse",
    "mse_grad",
    "predict_label",
    "sigmoid_bce",
    "sigmoid_bce_grad",
    "softmax_cross_entropy",
    "softmax_cross_entropy_grad",
    "squared_error",
    "squared_error_grad",
)
