"""Exercises on models with their loss: the objective by its parameters, and its gradient."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
from reference import training as reference
from reference._types import Array, IntArray
from reference.activations import log_softmax, logsumexp, sigmoid, softmax

Labels = Any

# Distinct sizes, full mantissas; l2 large, so that a wrong penalty shows in the first digit.
_W = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]]
_X = [[0.3, -1.7], [1.1, 0.4], [-0.6, 0.9], [0.2, 1.4]]
_SOFT = [[0.2, 0.5, 0.3], [0.7, 0.1, 0.2], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]]
_STEEP = [[1000.3, -0.7, -1000.9], [300.1, 700.4, -0.6]]


# --- softmax_regression -----------------------------------------------------------------------------------------------
def forgets_the_penalty(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You left out the penalty. Add l2 · Σ W² to the loss."""
    return reference.softmax_regression(W, x, labels)


def penalizes_the_sum(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You added l2 times the sum of the weights. Square them first: l2 · Σ W²."""
    return reference.softmax_regression(W, x, labels) + l2 * np.sum(W)


def penalizes_the_absolute_values(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You added absolute values, which is the L1 penalty. L2 takes squares: l2 · Σ W²."""
    return reference.softmax_regression(W, x, labels) + l2 * np.sum(np.abs(W))


def penalizes_the_norm(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You took the root of the sum of squares. The penalty is l2 · Σ W² itself."""
    return reference.softmax_regression(W, x, labels) + l2 * np.sqrt(np.sum(W**2))


def penalizes_the_mean(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You took the mean of the squares. Take their sum: l2 · Σ W²."""
    return reference.softmax_regression(W, x, labels) + l2 * np.sum(W**2) / W.size


def rewards_large_weights(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You subtracted the penalty. Add it: large weights are to cost more."""
    return reference.softmax_regression(W, x, labels) - l2 * np.sum(W**2)


def divides_by_the_classes(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You divided the loss by the number of classes. The mean is over the samples, the rows of x."""
    return _total(W, x, labels) / W.shape[1] + l2 * np.sum(W**2)


def reverses_the_loss(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The sign of your loss is reversed. It is −log of the right class's probability, which is not negative."""
    return -_total(W, x, labels) / len(x) + l2 * np.sum(W**2)


def softmaxes_down_the_columns(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """Your softmax runs down the columns. Each row of x W is one sample: use axis=1."""
    log_s = log_softmax(x @ W, axis=0)
    losses = -np.sum(_distributions(W, labels) * log_s, axis=1)
    return np.mean(losses) + l2 * np.sum(W**2)


def exponentiates_without_the_shift(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """Your Σ e^z overflows or vanishes. Subtract the maximum of each row of x W first; the loss stays the same."""
    z = x @ W
    log_s = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    losses = -np.sum(_distributions(W, labels) * log_s, axis=1)
    return np.mean(losses) + l2 * np.sum(W**2)


def logs_an_underflowed_probability(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You took the log of a probability that had become 0. Compute log s directly: z − max − log Σ e^(z − max)."""
    y = _distributions(W, labels)
    losses = np.where(y > 0, y * np.log(softmax(x @ W)), 0)
    return -np.sum(losses) / len(x) + l2 * np.sum(W**2)


def halves_the_penalty(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The penalty ½ · l2 · Σ W², whose gradient is l2 · W, as in PyTorch's weight_decay and several courses."""
    return reference.softmax_regression(W, x, labels, l2=0.5 * l2)


def halves_the_penalty_and_divides_it_by_the_rows(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The penalty l2 / (2 n) · Σ W², divided by the number of rows as the loss is, as in Ng's course."""
    return reference.softmax_regression(W, x, labels, l2=0.5 * l2 / len(x))


def sums_over_the_batch(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The sum over the batch for the mean, as in the lectures' L = Σ_i L_i (001_85d2a45f19410a02.txt)."""
    return _total(W, x, labels) + l2 * np.sum(W**2)


def by_logsumexp(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """Logsumexp minus the expected logit."""
    z = x @ W
    losses = logsumexp(z) - np.sum(_distributions(W, labels) * z, axis=1)
    return np.mean(losses) + l2 * np.sum(W * W)


def by_one_sum(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """One sum over rows and classes, then divided by n."""
    return -np.sum(_distributions(W, labels) * log_softmax(x @ W)) / len(x) + np.sum(l2 * W**2)


def _torch_objective(torch: Any, W: Any, x: Array, labels: Labels, l2: float) -> Any:
    z = torch.tensor(x) @ W
    return torch.nn.functional.cross_entropy(z, torch.tensor(labels)) + l2 * (W**2).sum()


def _torch_softmax_regression(torch: Any, W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    return _torch_objective(torch, torch.tensor(W), x, labels, l2).numpy()


softmax_regression = Exercise(
    reference.softmax_regression,
    misconceptions=(
        forgets_the_penalty,
        penalizes_the_sum,
        penalizes_the_absolute_values,
        penalizes_the_norm,
        penalizes_the_mean,
        rewards_large_weights,
        divides_by_the_classes,
        reverses_the_loss,
        softmaxes_down_the_columns,
        exponentiates_without_the_shift,
        logs_an_underflowed_probability,
    ),
    conventions=(halves_the_penalty, halves_the_penalty_and_divides_it_by_the_rows, sums_over_the_batch),
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
def forgets_the_gradient_of_the_penalty(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You left out the penalty's gradient. Add 2 · l2 · W."""
    return reference.softmax_regression_grad(W, x, labels)


def adds_the_penalty_itself(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You added the penalty, not its gradient. The gradient of l2 · Σ W² is 2 · l2 · W."""
    return reference.softmax_regression_grad(W, x, labels) + l2 * np.sum(W**2)


def adds_the_sum_of_the_weights(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You added the sum of all weights to every entry. Each weight adds its own gradient, 2 · l2 · W."""
    return reference.softmax_regression_grad(W, x, labels) + 2 * l2 * np.sum(W)


def subtracts_the_gradient_of_the_penalty(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You subtracted the penalty's gradient. Add it; the optimizer does the subtracting."""
    return reference.softmax_regression_grad(W, x, labels) - 2 * l2 * W


def divides_the_penalty_too(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You divided the penalty's gradient by the number of rows. Only the loss is a mean: add 2 · l2 · W undivided."""
    return reference.softmax_regression_grad(W, x, labels, l2=l2 / len(x))


def reverses_the_error(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """Your error has the wrong sign. It is predicted minus observed, softmax(x W) − y."""
    return -reference.softmax_regression_grad(W, x, labels) + 2 * l2 * W


def divides_the_gradient_by_the_classes(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You divided by the number of classes. The mean is over the samples, the rows of x."""
    return x.T @ _error(W, x, labels) / W.shape[1] + 2 * l2 * W


def forgets_the_softmax(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You subtracted the labels from x W itself; that is linear regression. Put x W through softmax first."""
    return x.T @ (x @ W - _distributions(W, labels)) / len(x) + 2 * l2 * W


def multiplies_by_the_derivative_of_softmax(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You multiplied s − y by s (1 − s) once more. The logarithm has cancelled that factor: the error is s − y."""
    s = softmax(x @ W)
    return x.T @ (_error(W, x, labels) * s * (1 - s)) / len(x) + 2 * l2 * W


def ignores_the_inputs(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """You left x out of the gradient. Each weight's gradient is its input times the error: x.T @ (s − y)."""
    return np.sum(_error(W, x, labels), axis=0) / len(x) + 2 * l2 * W


def predicts_without_the_shift(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """Your softmax overflows: e^1000 is inf. Subtract the maximum of each row of x W first."""
    e = np.exp(x @ W)
    s = e / np.sum(e, axis=1, keepdims=True)
    return x.T @ (s - _distributions(W, labels)) / len(x) + 2 * l2 * W


def penalizes_with_half_the_gradient(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The gradient l2 · W of the penalty ½ · l2 · Σ W², as in PyTorch's weight_decay and several courses."""
    return reference.softmax_regression_grad(W, x, labels, l2=0.5 * l2)


def penalizes_by_the_rows(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The gradient l2 / n · W of the penalty l2 / (2 n) · Σ W², as in Ng's course."""
    return reference.softmax_regression_grad(W, x, labels, l2=0.5 * l2 / len(x))


def sums_the_gradients(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The gradient of the sum over the batch, as in the lectures' L = Σ_i L_i (001_85d2a45f19410a02.txt)."""
    return x.T @ _error(W, x, labels) + 2 * l2 * W


def by_dividing_last(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The product first, then divided by n."""
    return x.T @ _error(W, x, labels) / len(x) + l2 * (2 * W)


def by_columns(W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    """The transposed product."""
    return (_error(W, x, labels).T @ (x / len(x))).T + (l2 * W + l2 * W)


def _torch_softmax_regression_grad(torch: Any, W: Array, x: Array, labels: Labels, *, l2: float = 0.0) -> Array:
    weights = torch.tensor(W, requires_grad=True)
    _torch_objective(torch, weights, x, labels, l2).backward()
    return weights.grad.numpy()


softmax_regression_grad = Exercise(
    reference.softmax_regression_grad,
    misconceptions=(
        forgets_the_gradient_of_the_penalty,
        adds_the_penalty_itself,
        adds_the_sum_of_the_weights,
        subtracts_the_gradient_of_the_penalty,
        divides_the_penalty_too,
        reverses_the_error,
        divides_the_gradient_by_the_classes,
        forgets_the_softmax,
        multiplies_by_the_derivative_of_softmax,
        ignores_the_inputs,
        predicts_without_the_shift,
    ),
    conventions=(penalizes_with_half_the_gradient, penalizes_by_the_rows, sums_the_gradients),
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
    programs=(logistic_by_terms, logistic_by_logaddexp),
    edges=(
        edge("small, without penalty", w=_V, x=_X, labels=_HARD),
        edge("small", w=_V, x=_X, labels=_HARD, l2=0.5),
        edge("soft labels", w=_V, x=_X, labels=[0.2, 0.8, 0.4, 0.7], l2=0.3),
        edge("one row", w=_V, x=[[0.3, -1.7]], labels=[1.0], l2=0.4),
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

linear_classifier = Exercise(
    reference.linear_classifier,
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
    ),
    rivals={"torch": lambda torch, x, W, b: torch.argmax(torch.addmm(*map(torch.tensor, (b, x, W))), dim=1).numpy()},
)


# --- confusion_matrix -------------------------------------------------------------------------------------------------
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
    programs=(confusion_by_counting, confusion_by_a_product),
    edges=(
        edge("small", labels=_TRUTH, predicted=_PREDICTED, num_classes=3),
        edge("a class that no sample has", labels=_TRUTH, predicted=_PREDICTED, num_classes=4),
        edge("one sample", labels=[1], predicted=[0], num_classes=2),
        edge("all right", labels=[0, 1, 1, 2], predicted=[0, 1, 1, 2], num_classes=3),
        edge("all wrong", labels=[0, 1, 1, 2], predicted=[1, 2, 0, 1], num_classes=3),
        edge("one class is always predicted", labels=_TRUTH, predicted=[1] * 7, num_classes=3),
        special("one class", labels=[0, 0, 0], predicted=[0, 0, 0], num_classes=1),
    ),
)


def _distributions(W: Array, labels: Labels) -> Array:
    return labels if labels.ndim == 2 else (labels[:, None] == np.arange(W.shape[1])).astype(W.dtype)


def _total(W: Array, x: Array, labels: Labels) -> Any:
    return -np.sum(_distributions(W, labels) * log_softmax(x @ W))


def _error(W: Array, x: Array, labels: Labels) -> Array:
    return softmax(x @ W) - _distributions(W, labels)
