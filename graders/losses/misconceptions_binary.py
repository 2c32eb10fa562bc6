"""Known mistakes in the losses of yes-or-no questions; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from graders.losses.misconceptions import Function, reduced, scaled_by_entries
from reference import losses as reference
from reference._types import Array, Reduction, ScalarReduction
from reference.activations import sigmoid


# --- mistakes that many share: each takes the function that is misunderstood ------------------------------------------
def divides_by_the_columns(f: Function) -> Function:
    """Make the mistake for a loss or a gradient whose mean is over all entries."""

    def divides_by_the_columns(*arrays: Any, reduction: str = "mean", **hyper: Any) -> Array:
        """You divided by the number of columns, m = Y.shape[1], as where samples are columns. Divide by all entries."""
        if reduction != "mean":
            return f(*arrays, reduction=reduction, **hyper)
        return f(*arrays, reduction="sum", **hyper) / arrays[0].shape[-1]

    return with_signature_of(f, divides_by_the_columns)


def divides_by_the_rows(f: Function) -> Function:
    """Make the mistake for a loss or a gradient whose mean is over all entries."""

    def divides_by_the_rows(*arrays: Any, reduction: str = "mean", **hyper: Any) -> Array:
        """You divided by the number of rows. Every entry is a question of its own: divide by all entries."""
        if reduction != "mean":
            return f(*arrays, reduction=reduction, **hyper)
        return f(*arrays, reduction="sum", **hyper) / len(arrays[0])

    return with_signature_of(f, divides_by_the_rows)


def takes_the_mean_unasked(f: Function) -> Function:
    """Make the mistake for a loss or a gradient of entries."""

    def takes_the_mean_unasked(*arrays: Any, reduction: str = "mean", **hyper: Any) -> Array:
        """You took the mean whatever `reduction` says. For "sum" do not divide; for "none" keep every entry."""
        return f(*arrays, reduction="mean", **hyper)

    return with_signature_of(f, takes_the_mean_unasked)


# --- sigmoid_bce ------------------------------------------------------------------------------------------------------
def forgets_the_negative_class(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out (1 − t) log(1 − p). Without it a sample of class 0 costs nothing, whatever is predicted."""
    return reduced(-np.where(labels > 0, labels * np.log(probabilities), 0), reduction)


def subtracts_the_negative_class(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """Your minus reaches only the first term. Put both in brackets: −[t log p + (1 − t) log(1 − p)]."""
    yes = np.where(labels > 0, labels * np.log(probabilities), 0)
    no = np.where(labels < 1, (1 - labels) * np.log1p(-probabilities), 0)
    return reduced(no - yes, reduction)


def swaps_the_classes(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You exchanged the classes. The label t multiplies log p, and 1 − t multiplies log(1 − p)."""
    return reference.sigmoid_bce(probabilities, 1 - labels, reduction=reduction)


def swaps_the_arguments(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You took the logarithms of the labels. They stand before them, and the prediction p inside."""
    return reference.sigmoid_bce(labels, probabilities, reduction=reduction)


def applies_the_sigmoid_again(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You put the probabilities through the sigmoid once more. They are no logits: take their logarithms."""
    return reference.bce_with_logits(probabilities, labels, reduction=reduction)


def forgets_the_log(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out the logarithms. It is −[t log p + (1 − t) log(1 − p)]."""
    return reduced(-labels * probabilities - (1 - labels) * (1 - probabilities), reduction)


def squares_the_error(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You used the squared error (p − t)². The cross entropy is −[t log p + (1 − t) log(1 − p)]."""
    return reduced((probabilities - labels) ** 2, reduction)


def takes_zero_times_log_zero(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """For a certain answer you computed 0 · (−inf), which is nan. A term of weight 0 adds 0: leave it out."""
    return reduced(-labels * np.log(probabilities) - (1 - labels) * np.log(1 - probabilities), reduction)


def adds_a_small_number(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """log(p + 1e-7) is not log p, and no loss exceeds 16. Leave out the terms of weight 0 instead."""
    log_p, log_not_p = np.log(probabilities + 1e-7), np.log(1 - probabilities + 1e-7)
    return reduced(-labels * log_p - (1 - labels) * log_not_p, reduction)


def clips_the_probabilities(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You cut p to [1e-7, 1 − 1e-7], so no loss exceeds 16. Leave out the terms of weight 0 instead."""
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return reduced(-labels * np.log(p) - (1 - labels) * np.log(1 - p), reduction)


def clips_the_probabilities_less(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You cut p to [1e-15, 1 − 1e-15], so no loss exceeds 35. Leave out the terms of weight 0 instead."""
    p = np.clip(probabilities, 1e-15, 1 - 1e-15)
    return reduced(-labels * np.log(p) - (1 - labels) * np.log(1 - p), reduction)


def cuts_the_logarithm(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """You cut the logarithms at −100, as PyTorch does. A certain answer that is wrong costs inf."""
    log_p, log_not_p = np.maximum(np.log(probabilities), -100), np.maximum(np.log1p(-probabilities), -100)
    return reduced(-labels * log_p - (1 - labels) * log_not_p, reduction)


# --- sigmoid_bce_grad -------------------------------------------------------------------------------------------------
def returns_the_gradient_by_the_logits(
    probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean"
) -> Array:
    """p − t is the gradient by the logits. By the probabilities it is divided by p (1 − p)."""
    return scaled_by_entries(probabilities - labels, reduction)


def multiplies_by_the_derivative(probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You multiplied by p (1 − p). Divide by it: (p − t) / (p (1 − p))."""
    return scaled_by_entries((probabilities - labels) * probabilities * (1 - probabilities), reduction)


def leaves_out_the_negative_class(probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You kept −t / p alone. The samples of class 0 add (1 − t) / (1 − p)."""
    return scaled_by_entries(-np.where(labels > 0, labels / probabilities, 0), reduction)


def forgets_the_inner_minus(probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """Your second term has the wrong sign. The derivative of log(1 − p) is −1 / (1 − p): add (1 − t) / (1 − p)."""
    return scaled_by_entries(-_share(labels, probabilities) - _share(1 - labels, 1 - probabilities), reduction)


def exchanges_the_denominators(probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You exchanged the denominators. It is (1 − t) / (1 − p) − t / p."""
    return scaled_by_entries(_share(1 - labels, probabilities) - _share(labels, 1 - probabilities), reduction)


def divides_by_one_factor(probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You divided by p alone. Divide p − t by p (1 − p)."""
    return scaled_by_entries(_share(probabilities - labels, probabilities), reduction)


def differentiates_the_squared_error(
    probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean"
) -> Array:
    """That is 2 (p − t), the gradient of the squared error. Here it is (p − t) / (p (1 − p))."""
    return scaled_by_entries(2 * (probabilities - labels), reduction)


def divides_zero_by_zero(probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """For a certain answer that is right you computed 0/0, which is nan. Leave out the term of weight 0: ±1 remains."""
    return scaled_by_entries((1 - labels) / (1 - probabilities) - labels / probabilities, reduction)


def keeps_the_denominator_from_zero(
    probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean"
) -> Array:
    """You kept p (1 − p) above 1e-12, as PyTorch does. Divide by it as it is: the gradient may exceed 1e12."""
    below = np.maximum(probabilities * (1 - probabilities), 1e-12)
    return scaled_by_entries((probabilities - labels) / below, reduction)


def adds_a_small_number_to_the_denominators(
    probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean"
) -> Array:
    """You added 1e-7 to the denominators, so gradients are a little too small. Divide by p and 1 − p as they are."""
    no, yes = (1 - labels) / (1 - probabilities + 1e-7), labels / (probabilities + 1e-7)
    return scaled_by_entries(no - yes, reduction)


def differentiates_at_a_clipped_probability(
    probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean"
) -> Array:
    """You cut p to [1e-7, 1 − 1e-7], so no gradient exceeds 1e7. Divide by p and 1 − p as they are."""
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return scaled_by_entries((1 - labels) / (1 - p) - labels / p, reduction)


# --- logistic_loss ----------------------------------------------------------------------------------------------------
def punishes_the_right_answer(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out the minus in the exponent, so right answers cost most. It is log(1 + e^(−t x))."""
    return reference.logistic_loss(logits, -signs, reduction=reduction)


def expects_labels_of_zero_and_one(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """−t log σ(x) − (1 − t) log(1 − σ(x)) is the loss for labels 0 and 1. Here they are −1 and 1: log(1 + e^(−t x))."""
    return reduced(np.logaddexp(0, logits) - signs * logits, reduction)


def ignores_the_signs(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out the labels: log(1 + e^−x) is the loss where every label is 1. Multiply x by t."""
    return reduced(np.logaddexp(0, -logits), reduction)


def uses_the_hinge(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """max(0, 1 − t x) is the hinge loss. The logistic one is log(1 + e^(−t x)), which is never 0."""
    return reduced(np.maximum(0, 1 - signs * logits), reduction)


def squares_the_distance(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """You used the squared error (x − t)², which also costs where x is right and large. It is log(1 + e^(−t x))."""
    return reduced((logits - signs) ** 2, reduction)


def uses_the_exponential_loss(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """e^(−t x) is the exponential loss. The logistic one is log(1 + e^(−t x))."""
    return reduced(np.exp(-signs * logits), reduction)


def returns_the_probability_of_the_error(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """You returned σ(−t x), the probability of the other answer. The loss is −log σ(t x)."""
    return reduced(sigmoid(-signs * logits), reduction)


def overflows_for_a_wrong_margin(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """Where x is wrong by 710 or more your loss is inf: e^(−t x) overflows. Use max(−t x, 0) + log1p(e^−|x|)."""
    return reduced(np.log(1 + np.exp(-signs * logits)), reduction)


def loses_the_small_losses(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """1 + e^−|x| is rounded, and to 1 beyond |x| = 37, so small losses are lost. Use np.log1p(e^−|x|)."""
    return reduced(np.maximum(-signs * logits, 0) + np.log(1 + np.exp(-np.abs(logits))), reduction)


def clips_the_sigmoid_of_the_margin(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """You cut σ to [1e-7, 1 − 1e-7], so no loss exceeds 16. Use max(−t x, 0) + log1p(e^−|x|), from the logits."""
    return reduced(-np.log(np.clip(sigmoid(signs * logits), 1e-7, 1 - 1e-7)), reduction)


# --- logistic_loss_grad -----------------------------------------------------------------------------------------------
def forgets_the_label_in_front(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You left out the factor t, the inner derivative of t x. It is −t σ(−t x)."""
    return scaled_by_entries(-sigmoid(-signs * logits), reduction)


def weighs_by_the_right_answer(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You multiplied by σ(t x), so right answers are corrected most. It is −t σ(−t x)."""
    return scaled_by_entries(-signs * sigmoid(signs * logits), reduction)


def subtracts_the_signs(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """σ(x) − t is the gradient for labels 0 and 1. Here they are −1 and 1: −t σ(−t x)."""
    return scaled_by_entries(sigmoid(logits) - signs, reduction)


def differentiates_the_sigmoid(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """You differentiated −σ(t x), without the logarithm. That takes a factor σ(t x) away: −t σ(−t x)."""
    return scaled_by_entries(-signs * sigmoid(-signs * logits) * sigmoid(signs * logits), reduction)


def uses_the_gradient_of_the_hinge(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """−t where t x < 1, else 0, is the gradient of the hinge loss. Here it is −t σ(−t x), which is never 0."""
    return scaled_by_entries(np.where(signs * logits < 1, -signs, 0), reduction)


def corrects_the_wrong_answers_alone(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """−t where t x < 0, else 0, is the perceptron's rule. Here it is −t σ(−t x), which is never 0."""
    return scaled_by_entries(np.where(signs * logits < 0, -signs, 0), reduction)


def differentiates_the_squared_distance(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """That is 2 (x − t), the gradient of the squared error. Here it is −t σ(−t x)."""
    return scaled_by_entries(2 * (logits - signs), reduction)


def differentiates_the_exponential_loss(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """−t e^(−t x) is the gradient of the exponential loss. Divide it by 1 + e^(−t x), which the logarithm brings."""
    return scaled_by_entries(-signs * np.exp(-signs * logits), reduction)


def divides_overflowing_exponentials(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """Where x is wrong by 710 or more you computed inf/inf, which is nan. Write −t / (1 + e^(t x))."""
    e = np.exp(-signs * logits)
    return scaled_by_entries(-signs * e / (1 + e), reduction)


# --- what they are made of --------------------------------------------------------------------------------------------
def _share(weights: Array, parts: Array) -> Array:
    """Divide, and make 0/0 to 0."""
    return np.where(weights == 0, 0, weights / parts)
