"""Known mistakes in models with their loss, and in counting; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from reference import training as reference
from reference._types import Array, IntArray
from reference.activations import log_softmax, sigmoid, softmax, softplus

Function = Callable[..., Array]
Labels = Any


# --- mistakes that many share: each takes the objective, or its gradient, that is misunderstood -----------------------
def forgets_the_penalty(f: Function) -> Function:
    """Make the mistake for an objective."""

    def forgets_the_penalty(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You left out the penalty. Add l2 times the sum of the squared weights to the loss."""
        return f(W, x, labels)

    return with_signature_of(f, forgets_the_penalty)


def penalizes_the_sum(f: Function) -> Function:
    """Make the mistake for an objective."""

    def penalizes_the_sum(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You added l2 times the sum of the weights. Square them first."""
        return f(W, x, labels) + l2 * np.sum(W)

    return with_signature_of(f, penalizes_the_sum)


def penalizes_the_absolute_values(f: Function) -> Function:
    """Make the mistake for an objective."""

    def penalizes_the_absolute_values(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You added absolute values, which is the L1 penalty. L2 takes the squares of the weights."""
        return f(W, x, labels) + l2 * np.sum(np.abs(W))

    return with_signature_of(f, penalizes_the_absolute_values)


def penalizes_the_norm(f: Function) -> Function:
    """Make the mistake for an objective."""

    def penalizes_the_norm(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You took the root of the sum of squares. The penalty is l2 times the sum itself."""
        return f(W, x, labels) + l2 * np.sqrt(np.sum(W**2))

    return with_signature_of(f, penalizes_the_norm)


def penalizes_the_mean(f: Function) -> Function:
    """Make the mistake for an objective."""

    def penalizes_the_mean(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You took the mean of the squared weights. Take their sum."""
        return f(W, x, labels) + l2 * np.sum(W**2) / W.size

    return with_signature_of(f, penalizes_the_mean)


def rewards_large_weights(f: Function) -> Function:
    """Make the mistake for an objective."""

    def rewards_large_weights(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You subtracted the penalty. Add it: large weights are to cost more."""
        return f(W, x, labels) - l2 * np.sum(W**2)

    return with_signature_of(f, rewards_large_weights)


def reverses_the_loss(f: Function) -> Function:
    """Make the mistake for an objective."""

    def reverses_the_loss(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """The sign of your loss is reversed. It is −log of the right class's probability, which is not negative."""
        return -f(W, x, labels) + l2 * np.sum(W**2)

    return with_signature_of(f, reverses_the_loss)


def forgets_the_gradient_of_the_penalty(f: Function) -> Function:
    """Make the mistake for a gradient."""

    def forgets_the_gradient_of_the_penalty(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You left out the penalty's gradient. Add 2 · l2 times the weights."""
        return f(W, x, labels)

    return with_signature_of(f, forgets_the_gradient_of_the_penalty)


def adds_the_penalty_itself(f: Function) -> Function:
    """Make the mistake for a gradient."""

    def adds_the_penalty_itself(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You added the penalty, not its gradient. Its gradient is 2 · l2 times the weights."""
        return f(W, x, labels) + l2 * np.sum(W**2)

    return with_signature_of(f, adds_the_penalty_itself)


def adds_the_sum_of_the_weights(f: Function) -> Function:
    """Make the mistake for a gradient."""

    def adds_the_sum_of_the_weights(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You added the sum of all weights to every entry. Each weight adds its own gradient, 2 · l2 times itself."""
        return f(W, x, labels) + 2 * l2 * np.sum(W)

    return with_signature_of(f, adds_the_sum_of_the_weights)


def subtracts_the_gradient_of_the_penalty(f: Function) -> Function:
    """Make the mistake for a gradient."""

    def subtracts_the_gradient_of_the_penalty(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You subtracted the penalty's gradient. Add it; the optimizer does the subtracting."""
        return f(W, x, labels) - 2 * l2 * W

    return with_signature_of(f, subtracts_the_gradient_of_the_penalty)


def divides_the_penalty_too(f: Function) -> Function:
    """Make the mistake for a gradient."""

    def divides_the_penalty_too(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """You divided the penalty's gradient by the number of rows. Only the loss is a mean: add it undivided."""
        return f(W, x, labels, l2=l2 / len(x))

    return with_signature_of(f, divides_the_penalty_too)


def reverses_the_error(f: Function) -> Function:
    """Make the mistake for a gradient."""

    def reverses_the_error(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """Your error has the wrong sign. It is predicted minus observed."""
        return -f(W, x, labels) + 2 * l2 * W

    return with_signature_of(f, reverses_the_error)


# --- softmax_regression -----------------------------------------------------------------------------------------------
def divides_by_the_classes(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You divided the loss by the number of classes. The mean is over the samples, the rows of x."""
    return total(W, x, labels) / W.shape[1] + l2 * np.sum(W**2)


def leaves_out_the_log(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Any:
    """You averaged the probabilities of the labels. The loss is −log of each (the log is lost in the lectures)."""
    return -np.sum(distributions(W, labels) * softmax(x @ W)) / len(x) + l2 * np.sum(W**2)


def softmaxes_down_the_columns(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """Your softmax runs down the columns. Each row of x W is one sample: use axis=1."""
    log_s = log_softmax(x @ W, axis=0)
    losses = -np.sum(distributions(W, labels) * log_s, axis=1)
    return np.mean(losses) + l2 * np.sum(W**2)


def exponentiates_without_the_shift(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """Your Σ e^z overflows or vanishes. Subtract the maximum of each row of x W first; the loss stays the same."""
    z = x @ W
    log_s = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    losses = -np.sum(distributions(W, labels) * log_s, axis=1)
    return np.mean(losses) + l2 * np.sum(W**2)


def logs_an_underflowed_probability(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You took the log of a probability that had become 0. Compute log s directly: z − max − log Σ e^(z − max)."""
    y = distributions(W, labels)
    losses = np.where(y > 0, y * np.log(softmax(x @ W)), 0)
    return -np.sum(losses) / len(x) + l2 * np.sum(W**2)


def logs_a_share_of_the_largest_of_the_batch(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You subtracted the maximum of the whole batch: a row far below it becomes 0/0. Take each row's own maximum."""
    z = x @ W
    e = np.exp(z - np.max(z))
    y = distributions(W, labels)
    losses = np.where(y > 0, y * np.log(e / np.sum(e, axis=1, keepdims=True)), 0)
    return -np.sum(losses) / len(x) + l2 * np.sum(W**2)


# --- softmax_regression_grad ------------------------------------------------------------------------------------------
def divides_the_gradient_by_the_classes(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You divided by the number of classes. The mean is over the samples, the rows of x."""
    return x.T @ error_of(W, x, labels) / W.shape[1] + 2 * l2 * W


def forgets_the_softmax(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You subtracted the labels from x W itself; that is linear regression. Put x W through softmax first."""
    return x.T @ (x @ W - distributions(W, labels)) / len(x) + 2 * l2 * W


def multiplies_by_the_derivative_of_softmax(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You multiplied s − y by s (1 − s) once more. The logarithm has cancelled that factor: the error is s − y."""
    s = softmax(x @ W)
    return x.T @ (error_of(W, x, labels) * s * (1 - s)) / len(x) + 2 * l2 * W


def ignores_the_inputs(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You left x out of the gradient. Each weight's gradient is its input times the error: x.T @ (s − y)."""
    return np.sum(error_of(W, x, labels), axis=0) / len(x) + 2 * l2 * W


def predicts_without_the_shift(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """Your softmax overflows: e^1000 is inf. Subtract the maximum of each row of x W first."""
    e = np.exp(x @ W)
    s = e / np.sum(e, axis=1, keepdims=True)
    return x.T @ (s - distributions(W, labels)) / len(x) + 2 * l2 * W


def predicts_with_the_maximum_of_the_batch(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You subtracted the maximum of the whole batch: a row far below it becomes 0/0. Take each row's own maximum."""
    z = x @ W
    e = np.exp(z - np.max(z))
    s = e / np.sum(e, axis=1, keepdims=True)
    return x.T @ (s - distributions(W, labels)) / len(x) + 2 * l2 * W


# --- logistic_regression ----------------------------------------------------------------------------------------------
def forgets_the_negative_class(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Any:
    """You left out (1 − y) log(1 − σ). Without it a sample of class 0 costs nothing, whatever is predicted."""
    return np.mean(labels * softplus(-(x @ w))) + l2 * np.sum(w**2)


def swaps_the_classes(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """You exchanged the classes. The label y multiplies log σ, and 1 − y multiplies log(1 − σ)."""
    return reference.logistic_regression(w, x, 1 - labels, l2=l2)


def expects_labels_of_plus_and_minus_one(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Any:
    """log(1 + e^(−y z)) is the loss for labels −1 and 1. Here they are 0 and 1: −y log σ(z) − (1 − y) log σ(−z)."""
    return np.mean(softplus(-labels * (x @ w))) + l2 * np.sum(w**2)


def squares_the_error(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Any:
    """You averaged the squared errors (σ − y)². The loss is −y log σ − (1 − y) log(1 − σ)."""
    return np.mean((sigmoid(x @ w) - labels) ** 2) + l2 * np.sum(w**2)


def fits_a_line(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Any:
    """You averaged (x w − y)², which is linear regression. Put x w through the sigmoid, and take −log."""
    return np.mean((x @ w - labels) ** 2) + l2 * np.sum(w**2)


def forgets_the_log(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Any:
    """You averaged the probabilities of the labels. The loss is −log of each (the log is lost in the lectures)."""
    s = sigmoid(x @ w)
    return -np.mean(labels * s + (1 - labels) * (1 - s)) + l2 * np.sum(w**2)


def sums_the_rows_and_divides_by_the_weights(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """You divided the loss by the number of weights. The mean is over the samples, the rows of x."""
    return reference.logistic_regression(w, x, labels) * len(x) / len(w) + l2 * np.sum(w**2)


def logs_a_saturated_sigmoid(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """You took the log of a sigmoid that had become 0 or 1. Use max(z, 0) − y z + log1p(e^−|z|), with z = x w."""
    s = sigmoid(x @ w)
    losses = -np.where(labels > 0, labels * np.log(s), 0) - np.where(labels < 1, (1 - labels) * np.log(1 - s), 0)
    return np.mean(losses) + l2 * np.sum(w**2)


def exponentiates_positive_scores(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """log(1 + e^z) overflows for large z = x w. Write it as max(z, 0) + log1p(e^−|z|)."""
    z = x @ w
    return np.mean(np.log(1 + np.exp(z)) - labels * z) + l2 * np.sum(w**2)


def adds_a_small_number_to_the_sigmoid(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """log(σ + 1e-7) is not log σ, and no loss exceeds 16. Use max(z, 0) − y z + log1p(e^−|z|), with z = x w."""
    s = sigmoid(x @ w)
    return np.mean(-labels * np.log(s + 1e-7) - (1 - labels) * np.log(1 - s + 1e-7)) + l2 * np.sum(w**2)


def clips_the_sigmoid(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Any:
    """You cut σ to [1e-7, 1 − 1e-7], so no loss exceeds 16. Use max(z, 0) − y z + log1p(e^−|z|), with z = x w."""
    s = np.clip(sigmoid(x @ w), 1e-7, 1 - 1e-7)
    return np.mean(-labels * np.log(s) - (1 - labels) * np.log(1 - s)) + l2 * np.sum(w**2)


# --- logistic_regression_grad -----------------------------------------------------------------------------------------
def forgets_the_sigmoid(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """You subtracted the labels from x w itself; that is linear regression. Put x w through the sigmoid first."""
    return x.T @ (x @ w - labels) / len(x) + 2 * l2 * w


def multiplies_by_the_derivative_of_the_sigmoid(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """You multiplied σ − y by σ (1 − σ) once more. The logarithm has cancelled that factor: the error is σ − y."""
    s = sigmoid(x @ w)
    return x.T @ ((s - labels) * s * (1 - s)) / len(x) + 2 * l2 * w


def predicts_labels(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """You subtracted the labels from predicted labels, which is the perceptron's rule. Use the probability σ(x w)."""
    return x.T @ ((x @ w >= 0).astype(x.dtype) - labels) / len(x) + 2 * l2 * w


def leaves_out_the_negative_class(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """You left out the samples of class 0. The error is −y (1 − σ) + (1 − y) σ, which is σ − y."""
    return x.T @ (-labels * sigmoid(-(x @ w))) / len(x) + 2 * l2 * w


def differentiates_for_plus_and_minus_one(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """−y σ(−y z) is the error for labels −1 and 1. Here they are 0 and 1: σ(z) − y, with z = x w."""
    return x.T @ (-labels * sigmoid(-labels * (x @ w))) / len(x) + 2 * l2 * w


def sums_the_error(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """You left x out of the gradient. Each weight's gradient is its input times the error: x.T @ (σ − y)."""
    return np.sum(sigmoid(x @ w) - labels) / len(x) + 2 * l2 * w


def divides_by_the_weights(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """You divided by the number of weights. The mean is over the samples, the rows of x."""
    return x.T @ (sigmoid(x @ w) - labels) / len(w) + 2 * l2 * w


def exponentiates_large_scores(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """Your sigmoid e^z / (1 + e^z) is inf/inf for large z. Write it as 1 / (1 + e^−z) where z is positive."""
    e = np.exp(x @ w)
    return x.T @ (e / (1 + e) - labels) / len(x) + 2 * l2 * w


def divides_by_a_vanished_probability(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """You divided by σ (1 − σ) and multiplied by it again: 0/0 where the sigmoid is saturated. Write σ − y."""
    s = sigmoid(x @ w)
    return x.T @ ((-labels / s + (1 - labels) / (1 - s)) * (s * (1 - s))) / len(x) + 2 * l2 * w


# --- linear_classifier ------------------------------------------------------------------------------------------------
def forgets_the_bias(x: Array, W: Array, b: Array) -> IntArray:
    """You left out the bias. Add b to the scores x W before you compare them."""
    return np.argmax(x @ W, axis=1)


def subtracts_the_bias(x: Array, W: Array, b: Array) -> IntArray:
    """You subtracted the bias. Add it: x W + b."""
    return np.argmax(x @ W - b, axis=1)


def takes_the_lowest_score(x: Array, W: Array, b: Array) -> IntArray:
    """You took the class with the lowest score. Take the highest: np.argmax."""
    return np.argmin(x @ W + b, axis=1)


def takes_the_score_of_the_largest_size(x: Array, W: Array, b: Array) -> IntArray:
    """You compared the sizes of the scores. A very negative score speaks against its class: leave the signs."""
    return np.argmax(np.abs(x @ W + b), axis=1)


def counts_classes_from_one(x: Array, W: Array, b: Array) -> IntArray:
    """You counted classes from one. They are counted from zero, as columns are."""
    return np.argmax(x @ W + b, axis=1) + 1


def compares_the_samples(x: Array, W: Array, b: Array) -> IntArray:
    """You looked for the best sample of every class. Look for the best class of every sample, a row: axis=1."""
    return np.argmax(x @ W + b, axis=0)


def returns_the_highest_score(x: Array, W: Array, b: Array) -> Array:
    """You returned the highest score itself. Return its class, where it stands in the row: np.argmax."""
    return np.max(x @ W + b, axis=1)


def ranks_the_first_score_against_zero(x: Array, W: Array, b: Array) -> IntArray:
    """You asked only whether the first score is positive. Compare the scores of all classes: np.argmax."""
    return ((x @ W + b)[:, 0] > 0).astype(np.int64)


def exponentiates_the_scores(x: Array, W: Array, b: Array) -> IntArray:
    """Your softmax overflows: e^1000 is inf. Compare the scores themselves: the highest is the likeliest."""
    e = np.exp(x @ W + b)
    return np.argmax(e / np.sum(e, axis=1, keepdims=True), axis=1)


def squashes_the_scores(x: Array, W: Array, b: Array) -> IntArray:
    """You compared sigmoids, which are all 1 for large scores. Compare the scores themselves."""
    return np.argmax(sigmoid(x @ W + b), axis=1)


# --- confusion_matrix -------------------------------------------------------------------------------------------------
def counts_every_pair_once(labels: IntArray, predicted: IntArray, *, num_classes: int) -> IntArray:
    """Your cells hold 0 or 1: M[labels, predicted] += 1 counts equal pairs once. Use np.add.at or np.bincount."""
    return np.minimum(_counts(labels, predicted, num_classes), 1)


def divides_by_the_rows(labels: IntArray, predicted: IntArray, *, num_classes: int) -> Array:
    """You divided every row by its sum. Return the counts."""
    counts = _counts(labels, predicted, num_classes)
    return counts / np.maximum(np.sum(counts, axis=1, keepdims=True), 1)


def divides_by_the_samples(labels: IntArray, predicted: IntArray, *, num_classes: int) -> Array:
    """You divided by the number of samples. Return the counts."""
    return _counts(labels, predicted, num_classes) / len(labels)


def counts_the_right_ones_only(labels: IntArray, predicted: IntArray, *, num_classes: int) -> IntArray:
    """You counted only what was predicted right. What was confused with what stands beside the diagonal."""
    return np.eye(num_classes, dtype=np.int64) * _counts(labels, predicted, num_classes)


def counts_the_wrong_ones_only(labels: IntArray, predicted: IntArray, *, num_classes: int) -> IntArray:
    """You counted only what was predicted wrong. What was predicted right stands on the diagonal."""
    return (1 - np.eye(num_classes, dtype=np.int64)) * _counts(labels, predicted, num_classes)


def takes_classes_for_counted_from_one(labels: IntArray, predicted: IntArray, *, num_classes: int) -> IntArray:
    """You subtracted 1 from the classes. They count from zero, so that class 0 wrapped round to the last row."""
    return np.roll(_counts(labels, predicted, num_classes), (-1, -1), axis=(0, 1))


def leaves_out_classes_that_do_not_occur(labels: IntArray, predicted: IntArray, *, num_classes: int) -> IntArray:
    """You made room for the classes that occur only. There are `num_classes` rows and columns, some of zeros."""
    there = np.unique(np.concatenate([labels, predicted]))
    return _counts(labels, predicted, num_classes)[np.ix_(there, there)]


def counts_from_the_last_class(labels: IntArray, predicted: IntArray, *, num_classes: int) -> IntArray:
    """Your classes stand in falling order. Class 0 comes first, in rows and in columns."""
    return _counts(labels, predicted, num_classes)[::-1, ::-1]


def _counts(labels: IntArray, predicted: IntArray, num_classes: int) -> IntArray:
    return reference.confusion_matrix(labels, predicted, num_classes=num_classes)


# --- what they are made of --------------------------------------------------------------------------------------------
def distributions(W: Array, labels: Labels) -> Array:
    """Return labels of either kind as distributions."""
    return labels if labels.ndim == 2 else (labels[:, None] == np.arange(W.shape[1])).astype(W.dtype)


def total(W: Array, x: Array, labels: Labels) -> Any:
    """Return the sum of the losses of all rows."""
    return -np.sum(distributions(W, labels) * log_softmax(x @ W))


def error_of(W: Array, x: Array, labels: Labels) -> Array:
    """Return predicted minus observed."""
    return softmax(x @ W) - distributions(W, labels)
