"""Exercises on models with their loss: the objective by its parameters, and its gradient."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special, with_signature_of
from graders.training import misconceptions as wrong
from graders.training.drawn import minibatches as minibatches
from graders.training.loops import fit as fit
from graders.training.misconceptions import Function, distributions, error_of
from graders.training.searches import gradient_descent as gradient_descent
from graders.training.searches import random_search as random_search
from reference import training as reference
from reference._types import Array, IntArray
from reference.activations import log_softmax, logsumexp, sigmoid

Labels = Any

# Distinct sizes, full mantissas; l2 large, so that a wrong penalty shows in the first digit.
_W = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]]
_X = [[0.3, -1.7], [1.1, 0.4], [-0.6, 0.9], [0.2, 1.4]]
_SOFT = [[0.2, 0.5, 0.3], [0.7, 0.1, 0.2], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]]
_STEEP = [[1000.3, -0.7, -1000.9], [300.1, 700.4, -0.6]]


# --- conventions that objectives and their gradients share ------------------------------------------------------------
def halves_the_penalty(f: Function) -> Function:
    """Return an objective, or its gradient, under the convention."""

    def halves_the_penalty(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """The penalty ½ · l2 · Σ w², whose gradient is l2 · w, as in PyTorch's weight_decay and several courses."""
        return f(W, x, labels, l2=0.5 * l2)

    return with_signature_of(f, halves_the_penalty)


def halves_the_penalty_and_divides_it_by_the_rows(f: Function) -> Function:
    """Return an objective, or its gradient, under the convention."""

    def halves_the_penalty_and_divides_it_by_the_rows(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """The penalty l2 / (2 n) · Σ w², divided by the number of rows as the loss is, as in Ng's course."""
        return f(W, x, labels, l2=0.5 * l2 / len(x))

    return with_signature_of(f, halves_the_penalty_and_divides_it_by_the_rows)


def sums_over_the_batch(f: Function) -> Function:
    """Return an objective, or its gradient, under the convention."""

    def sums_over_the_batch(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
        """The sum over the batch for the mean, as in the lectures' L = Σ_i L_i (001_85d2a45f19410a02.txt)."""
        return len(x) * f(W, x, labels, l2=l2 / len(x))

    return with_signature_of(f, sums_over_the_batch)


# --- softmax_regression -----------------------------------------------------------------------------------------------
def by_logsumexp(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """Logsumexp minus the expected logit."""
    z = x @ W
    losses = logsumexp(z) - np.sum(distributions(W, labels) * z, axis=1)
    return np.mean(losses) + l2 * np.sum(W * W)


def by_one_sum(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """One sum over rows and classes, then divided by n."""
    return -np.sum(distributions(W, labels) * log_softmax(x @ W)) / len(x) + np.sum(l2 * W**2)


def _torch_objective(torch: Any, W: Any, x: Array, labels: Labels, l2: float) -> Any:
    z = torch.tensor(x) @ W
    return torch.nn.functional.cross_entropy(z, torch.tensor(labels)) + l2 * (W**2).sum()


def _torch_softmax_regression(torch: Any, W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    return _torch_objective(torch, torch.tensor(W), x, labels, l2).numpy()


softmax_regression = Exercise(
    reference.softmax_regression,
    misconceptions=(
        wrong.forgets_the_penalty(reference.softmax_regression),
        wrong.penalizes_the_sum(reference.softmax_regression),
        wrong.penalizes_the_absolute_values(reference.softmax_regression),
        wrong.penalizes_the_norm(reference.softmax_regression),
        wrong.penalizes_the_mean(reference.softmax_regression),
        wrong.rewards_large_weights(reference.softmax_regression),
        wrong.reverses_the_loss(reference.softmax_regression),
        wrong.divides_by_the_classes,
        wrong.leaves_out_the_log,
        wrong.softmaxes_down_the_columns,
        wrong.exponentiates_without_the_shift,
        wrong.logs_an_underflowed_probability,
        wrong.logs_a_share_of_the_largest_of_the_batch,
    ),
    conventions=(
        halves_the_penalty(reference.softmax_regression),
        halves_the_penalty_and_divides_it_by_the_rows(reference.softmax_regression),
        sums_over_the_batch(reference.softmax_regression),
    ),
    programs=(by_logsumexp, by_one_sum),
    edges=(
        edge("small, without penalty", W=_W, x=_X, labels=_SOFT),
        edge("small", W=_W, x=_X, labels=_SOFT, l2=0.5),
        edge("integer classes", W=_W, x=_X, labels=[2, 0, 1, 1], l2=0.3),
        edge("one row", W=_W, x=[[0.3, -1.7]], labels=[1], l2=0.4),
        edge("weights of zero", W=[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], x=_X, labels=[2, 0, 1, 1], l2=0.5),
        edge("the penalty leads", W=_W, x=_X, labels=[2, 0, 1, 1], l2=4.0),
        extreme("steep weights", W=_STEEP, x=_X, labels=[0, 1, 2, 0]),
        extreme("low logits", W=[[-1000.3, -1001.1, -999.6]], x=[[1.1], [0.9]], labels=[0, 2]),
    ),
    rivals={"torch": _torch_softmax_regression},
)


# --- softmax_regression_grad ------------------------------------------------------------------------------------------
def by_dividing_last(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The product first, then divided by n."""
    return x.T @ error_of(W, x, labels) / len(x) + l2 * (2 * W)


def by_columns(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The transposed product."""
    return (error_of(W, x, labels).T @ (x / len(x))).T + (l2 * W + l2 * W)


def _torch_softmax_regression_grad(torch: Any, W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    weights = torch.tensor(W, requires_grad=True)
    _torch_objective(torch, weights, x, labels, l2).backward()
    return weights.grad.numpy()


softmax_regression_grad = Exercise(
    reference.softmax_regression_grad,
    misconceptions=(
        wrong.forgets_the_gradient_of_the_penalty(reference.softmax_regression_grad),
        wrong.adds_the_penalty_itself(reference.softmax_regression_grad),
        wrong.adds_the_sum_of_the_weights(reference.softmax_regression_grad),
        wrong.subtracts_the_gradient_of_the_penalty(reference.softmax_regression_grad),
        wrong.divides_the_penalty_too(reference.softmax_regression_grad),
        wrong.reverses_the_error(reference.softmax_regression_grad),
        wrong.divides_the_gradient_by_the_classes,
        wrong.forgets_the_softmax,
        wrong.multiplies_by_the_derivative_of_softmax,
        wrong.ignores_the_inputs,
        wrong.predicts_without_the_shift,
        wrong.predicts_with_the_maximum_of_the_batch,
    ),
    conventions=(
        halves_the_penalty(reference.softmax_regression_grad),
        halves_the_penalty_and_divides_it_by_the_rows(reference.softmax_regression_grad),
        sums_over_the_batch(reference.softmax_regression_grad),
    ),
    programs=(by_dividing_last, by_columns),
    edges=softmax_regression.edges,
    rivals={"torch": _torch_softmax_regression_grad},
)


# --- logistic_regression ----------------------------------------------------------------------------------------------
def logistic_by_terms(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """log(1 + e^z) − y z for every row, one sum, then divided by n."""
    z = x @ w
    losses = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - labels * z
    return np.sum(losses) / len(x) + np.sum(l2 * w**2)


def logistic_by_logaddexp(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """y log(1 + e^−z) + (1 − y) log(1 + e^z)."""
    z = x @ w
    losses = labels * np.logaddexp(0 * z, -z) + (1 - labels) * np.logaddexp(0 * z, z)
    return np.mean(losses) + l2 * (w @ w)


def _torch_logistic_objective(torch: Any, w: Any, x: Array, labels: Array, l2: float) -> Any:
    z = torch.tensor(x) @ w
    return torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(labels)) + l2 * (w**2).sum()


def _torch_logistic_regression(torch: Any, w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    return _torch_logistic_objective(torch, torch.tensor(w), x, labels, l2).numpy()


_V = [0.7, -0.2]
_HARD = [1.0, 0.0, 0.0, 1.0]

logistic_regression = Exercise(
    reference.logistic_regression,
    misconceptions=(
        wrong.forgets_the_penalty(reference.logistic_regression),
        wrong.penalizes_the_sum(reference.logistic_regression),
        wrong.penalizes_the_absolute_values(reference.logistic_regression),
        wrong.penalizes_the_norm(reference.logistic_regression),
        wrong.penalizes_the_mean(reference.logistic_regression),
        wrong.rewards_large_weights(reference.logistic_regression),
        wrong.reverses_the_loss(reference.logistic_regression),
        wrong.forgets_the_negative_class,
        wrong.swaps_the_classes,
        wrong.expects_labels_of_plus_and_minus_one,
        wrong.squares_the_error,
        wrong.fits_a_line,
        wrong.forgets_the_log,
        wrong.sums_the_rows_and_divides_by_the_weights,
        wrong.logs_a_saturated_sigmoid,
        wrong.exponentiates_positive_scores,
        wrong.adds_a_small_number_to_the_sigmoid,
        wrong.clips_the_sigmoid,
    ),
    conventions=(
        halves_the_penalty(reference.logistic_regression),
        halves_the_penalty_and_divides_it_by_the_rows(reference.logistic_regression),
        sums_over_the_batch(reference.logistic_regression),
    ),
    programs=(logistic_by_terms, logistic_by_logaddexp),
    edges=(
        edge("small, without penalty", w=_V, x=_X, labels=_HARD),
        edge("small", w=_V, x=_X, labels=_HARD, l2=0.5),
        edge("soft labels", w=_V, x=_X, labels=[0.2, 0.8, 0.4, 0.7], l2=0.3),
        edge("one row", w=_V, x=[[0.3, -1.7]], labels=[1.0], l2=0.4),
        edge("a column of ones, penalised too", w=_V, x=[[1.0, 0.3], [1.0, -1.7]], labels=[1.0, 0.0], l2=0.4),
        edge("one weight", w=[-1.7], x=[[0.3], [1.1], [-0.6]], labels=[1.0, 0.0, 1.0], l2=0.4),
        edge("weights of zero", w=[0.0, 0.0], x=[[0.3, -1.7], [1.1, 0.4]], labels=[0.3, 1.0], l2=0.5),
        edge("the penalty leads", w=_V, x=_X, labels=_HARD, l2=4.0),
        extreme("steep weights", w=[1000.3, -700.9], x=_X, labels=_HARD),
        extreme("steep weights, all right", w=[-70.3, 20.9], x=_X, labels=[0.0, 0.0, 1.0, 1.0]),
    ),
    rivals={"torch": _torch_logistic_regression},
)


# --- logistic_regression_grad -----------------------------------------------------------------------------------------
def logistic_grad_by_dividing_last(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """The product first, then divided by n."""
    return (sigmoid(x @ w) - labels) @ x / len(x) + l2 * (2 * w)


def logistic_grad_by_rows(w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    """The mean of the gradients of all rows."""
    return np.mean((sigmoid(x @ w) - labels)[:, None] * x, axis=0) + 2 * l2 * w


def _torch_logistic_regression_grad(torch: Any, w: Array, x: Array, labels: Array, *, l2: float = 0.0) -> Array:
    weights = torch.tensor(w, requires_grad=True)
    _torch_logistic_objective(torch, weights, x, labels, l2).backward()
    return weights.grad.numpy()


logistic_regression_grad = Exercise(
    reference.logistic_regression_grad,
    misconceptions=(
        wrong.forgets_the_gradient_of_the_penalty(reference.logistic_regression_grad),
        wrong.adds_the_penalty_itself(reference.logistic_regression_grad),
        wrong.adds_the_sum_of_the_weights(reference.logistic_regression_grad),
        wrong.subtracts_the_gradient_of_the_penalty(reference.logistic_regression_grad),
        wrong.divides_the_penalty_too(reference.logistic_regression_grad),
        wrong.reverses_the_error(reference.logistic_regression_grad),
        wrong.forgets_the_sigmoid,
        wrong.multiplies_by_the_derivative_of_the_sigmoid,
        wrong.predicts_labels,
        wrong.leaves_out_the_negative_class,
        wrong.differentiates_for_plus_and_minus_one,
        wrong.sums_the_error,
        wrong.divides_by_the_weights,
        wrong.exponentiates_large_scores,
        wrong.divides_by_a_vanished_probability,
    ),
    conventions=(
        halves_the_penalty(reference.logistic_regression_grad),
        halves_the_penalty_and_divides_it_by_the_rows(reference.logistic_regression_grad),
        sums_over_the_batch(reference.logistic_regression_grad),
    ),
    programs=(logistic_grad_by_dividing_last, logistic_grad_by_rows),
    edges=logistic_regression.edges,
    rivals={"torch": _torch_logistic_regression_grad},
)


# --- linear_classifier ------------------------------------------------------------------------------------------------
def classified_by_one_product(x: Array, W: Array, b: Array) -> IntArray:
    """The bias as one more row of W, with a column of ones in x."""
    ones = np.zeros_like(x[:, :1]) + 1
    return np.argmax(np.concatenate([x, ones], axis=1) @ np.concatenate([W, b[None, :]], axis=0), axis=1)


def classified_by_probabilities(x: Array, W: Array, b: Array) -> IntArray:
    """The likeliest class under softmax."""
    return np.argmax(log_softmax(x @ W + b), axis=1)


_SCORED = {"x": _X, "W": _W, "b": [0.2, -0.7, 0.9]}

_CLOSE = [0.5, 0.75 + 2.0**-40]

linear_classifier = Exercise(
    reference.linear_classifier,
    misconceptions=(
        wrong.forgets_the_bias,
        wrong.subtracts_the_bias,
        wrong.takes_the_lowest_score,
        wrong.takes_the_score_of_the_largest_size,
        wrong.counts_classes_from_one,
        wrong.compares_the_samples,
        wrong.returns_the_highest_score,
        wrong.ranks_the_first_score_against_zero,
        wrong.exponentiates_the_scores,
        wrong.squashes_the_scores,
    ),
    programs=(classified_by_one_product, classified_by_probabilities),
    edges=(
        edge("small", **_SCORED),
        edge("one row", x=[[1.1, 0.4]], W=_W, b=[0.2, -0.7, 0.9]),
        edge("one feature", x=[[0.3], [-1.7], [0.9]], W=[[0.7, -0.2, 1.3]], b=[0.1, 0.9, -0.4]),
        edge("two classes", x=_X, W=[[0.7, -0.2], [-0.4, 0.9]], b=[0.2, -0.7]),
        edge("four classes", x=_X, W=[[0.7, -0.2, 1.3, 0.6], [-0.4, 0.9, 0.1, -1.6]], b=[0.2, -0.7, 0.9, 0.3]),
        special("weights of zero, so the bias alone", x=_X, W=[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], b=[0.2, -0.7, 0.9]),
        special("one class", x=_X, W=[[0.7], [-0.4]], b=[0.2]),
        extreme(
            "large scores, near each other", x=[[1e4, 1e4], [-1e4, 1e4]], W=[[0.7, 0.71], [0.3, 0.29]], b=[0.2, 0.3]
        ),
        extreme("steep weights", x=_X, W=_STEEP, b=[0.2, -0.7, 0.9]),
        extreme("scores that single precision does not tell apart", x=[[1.0], [3.0]], W=[[0.5, 0.25]], b=_CLOSE),
    ),
    rivals={"torch": lambda torch, x, W, b: torch.argmax(torch.addmm(*map(torch.tensor, (b, x, W))), dim=1).numpy()},
)


# --- confusion_matrix -------------------------------------------------------------------------------------------------
def puts_the_truth_in_the_columns(labels: IntArray, predicted: IntArray, *, num_classes: int) -> IntArray:
    """The predictions in the rows and the truth in the columns, as in R's caret."""
    return reference.confusion_matrix(predicted, labels, num_classes=num_classes)


def confusion_by_counting(labels: IntArray, predicted: IntArray, *, num_classes: int) -> IntArray:
    """One sample after another."""
    counts = np.zeros((num_classes, num_classes), dtype=np.int64)
    for truth, prediction in zip(labels, predicted, strict=True):
        counts[truth, prediction] += 1
    return counts


def confusion_by_a_product(labels: IntArray, predicted: IntArray, *, num_classes: int) -> IntArray:
    """A product of two tables of ones and zeros."""
    classes = np.arange(num_classes)
    return (labels[:, None] == classes).astype(int).T @ (predicted[:, None] == classes).astype(int)


_TRUTH = [2, 0, 1, 1, 0, 2, 2]
_PREDICTED = [2, 1, 1, 0, 0, 2, 0]

confusion_matrix = Exercise(
    reference.confusion_matrix,
    misconceptions=(
        wrong.counts_every_pair_once,
        wrong.divides_by_the_rows,
        wrong.divides_by_the_samples,
        wrong.counts_the_right_ones_only,
        wrong.counts_the_wrong_ones_only,
        wrong.takes_classes_for_counted_from_one,
        wrong.leaves_out_classes_that_do_not_occur,
        wrong.counts_from_the_last_class,
    ),
    conventions=(puts_the_truth_in_the_columns,),
    programs=(confusion_by_counting, confusion_by_a_product),
    edges=(
        edge(
            "more in a cell than eight bits count",
            num_classes=2,
            labels=[0] * 260 + [1] * 3,
            predicted=[0] * 258 + [1] * 5,
        ),
        edge("small", labels=_TRUTH, predicted=_PREDICTED, num_classes=3),
        edge("a class that no sample has", labels=_TRUTH, predicted=_PREDICTED, num_classes=4),
        edge("one sample", labels=[1], predicted=[0], num_classes=2),
        edge("all right", labels=[0, 1, 1, 2], predicted=[0, 1, 1, 2], num_classes=3),
        edge("all wrong", labels=[0, 1, 1, 2], predicted=[1, 2, 0, 1], num_classes=3),
        edge("one class is always predicted", labels=_TRUTH, predicted=[1] * 7, num_classes=3),
        special("one class", labels=[0, 0, 0], predicted=[0, 0, 0], num_classes=1),
    ),
)
