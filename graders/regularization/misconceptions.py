"""Known mistakes in penalties, weight decay and ridge regression; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from graders.normalization.misconceptions import Function
from reference import regularization as reference
from reference._types import Array

Number = np.floating[Any]


# --- mistakes that many share: each takes the function that is misunderstood ------------------------------------------
def averages_over_the_weights(f: Function) -> Function:
    """Make the mistake for a penalty or its gradient."""

    def averages_over_the_weights(w: Array) -> Array:
        """You divided by the number of weights. A penalty is a sum over them, not a mean."""
        return f(w) / w.size

    return with_signature_of(f, averages_over_the_weights)


def points_the_other_way(f: Function) -> Function:
    """Make the mistake for the gradient of a penalty."""

    def points_the_other_way(w: Array) -> Array:
        """Your sign is reversed. A penalty grows with the weights' sizes, so its gradient has their signs."""
        return -f(w)

    return with_signature_of(f, points_the_other_way)


# --- l2_penalty -------------------------------------------------------------------------------------------------------
def takes_the_root(w: Array) -> Number:
    """You took the root, as np.linalg.norm does. The penalty is the square of the norm, Σ w² itself."""
    return np.sqrt(np.sum(w**2))


def sums_the_sizes(w: Array) -> Number:
    """You summed absolute values; that is the L1 penalty. Here it is the sum of squares."""
    return np.sum(np.abs(w))


def squares_the_sum(w: Array) -> Number:
    """You summed first and squared then, so that weights of opposite sign cancel. Square every weight first."""
    return np.sum(w) ** 2


def forgets_to_square(w: Array) -> Number:
    """You summed the weights themselves. Sum their squares."""
    return np.sum(w)


def leaves_the_squares_unsummed(w: Array) -> Array:
    """You returned the square of every weight. The penalty is one number, their sum."""
    return w**2


def sums_the_squares_down_the_columns(w: Array) -> Array:
    """You summed along the first axis alone. The penalty is one number, the sum over all entries: use no axis."""
    return np.sum(w**2, axis=0)


def multiplies_the_matrices(w: Array) -> Array:
    """wᵀw is one number for a vector only; for a matrix it is a matrix. Sum the squares of all entries."""
    return w.T @ w


def takes_the_spectral_norm(w: Array) -> Number:
    """np.linalg.norm(w, 2) of a matrix is its largest singular value. Sum the squares of all entries instead."""
    return np.linalg.norm(w, 2) ** 2


def doubles_the_penalty(w: Array) -> Number:
    """You have a factor 2 too many. It comes in with the gradient only; the penalty is Σ w²."""
    return 2 * np.sum(w**2)


# --- l2_penalty_grad --------------------------------------------------------------------------------------------------
def returns_the_squares(w: Array) -> Array:
    """You returned w², which is not differentiated yet. The gradient of w² is 2 w."""
    return w**2


def keeps_the_square(w: Array) -> Array:
    """You kept the exponent. The gradient of w² is 2 w."""
    return 2 * w**2


def sums_the_gradient(w: Array) -> Number:
    """You summed over the weights. A gradient has one entry for each weight: 2 w."""
    return 2 * np.sum(w)


def takes_the_sign(w: Array) -> Array:
    """You took the sign, the gradient of the L1 penalty. That of Σ w² is 2 w."""
    return np.sign(w)


def takes_the_sizes(w: Array) -> Array:
    """You lost the signs of the weights. The gradient of w² is 2 w, negative where w is."""
    return 2 * np.abs(w)


def differentiates_the_norm(w: Array) -> Array:
    """You differentiated the norm: w / ‖w‖. The penalty is its square, whose gradient is 2 w."""
    return w / np.sqrt(np.sum(w**2))


def doubles_the_gradient(w: Array) -> Array:
    """You have a factor 2 too many. The gradient of w² is 2 w."""
    return 4 * w


# --- l1_penalty -------------------------------------------------------------------------------------------------------
def forgets_the_absolute_value(w: Array) -> Number:
    """You summed the weights with their signs, so that they cancel. Sum their absolute values."""
    return np.sum(w)


def takes_the_size_of_the_sum(w: Array) -> Number:
    """You summed first and took the absolute value then. Take that of every weight first."""
    return np.abs(np.sum(w))


def sums_the_squares(w: Array) -> Number:
    """You summed squares; that is the L2 penalty. Here it is the sum of absolute values."""
    return np.sum(w**2)


def takes_the_euclidean_norm(w: Array) -> Number:
    """You took the root of the sum of squares, as np.linalg.norm does. Here it is the sum of absolute values."""
    return np.sqrt(np.sum(w**2))


def takes_the_matrix_norm(w: Array) -> Number:
    """np.linalg.norm(w, 1) of a matrix is its largest column sum. Sum the absolute values of all entries instead."""
    return np.linalg.norm(w, 1)


def takes_the_largest_size(w: Array) -> Number:
    """You took the largest absolute value. Sum them all."""
    return np.max(np.abs(w))


def counts_the_weights(w: Array) -> Number:
    """You counted the weights that are not zero. Sum their absolute values."""
    return np.sum(w != 0).astype(w.dtype)


def sums_the_sizes_down_the_columns(w: Array) -> Array:
    """You summed along the first axis alone. The penalty is one number, the sum over all entries: use no axis."""
    return np.sum(np.abs(w), axis=0)


def leaves_the_sizes_unsummed(w: Array) -> Array:
    """You returned the absolute value of every weight. The penalty is one number, their sum."""
    return np.abs(w)


# --- l1_penalty_grad --------------------------------------------------------------------------------------------------
def differentiates_the_squares(w: Array) -> Array:
    """You returned 2 w, the gradient of the L2 penalty. That of Σ |w| is the sign of w."""
    return 2 * w


def returns_the_weights(w: Array) -> Array:
    """You returned the weights. The gradient of |w| is their sign: 1 or −1, however large w is."""
    return 1 * w


def returns_the_sizes(w: Array) -> Array:
    """You returned |w|, which is not differentiated yet. The gradient of |w| is the sign of w."""
    return np.abs(w)


def ignores_the_signs(w: Array) -> Array:
    """You returned ones, the gradient of Σ w. Where w is negative, |w| falls: there it is −1."""
    return np.ones_like(w)


def forgets_the_negative_weights(w: Array) -> Array:
    """You returned 0 for negative weights, as for ReLU. There |w| falls, so its gradient is −1."""
    return np.where(w > 0, 1, 0).astype(w.dtype)


def divides_by_the_size(w: Array) -> Array:
    """You divided w by |w|, which is 0/0 for a weight of zero. Use np.sign, which is 0 there."""
    return w / np.abs(w)


def divides_by_a_little_more_than_the_size(w: Array) -> Array:
    """You divided w by |w| + 1e-8, which is not quite ±1, and far from it for tiny weights. Use np.sign."""
    return w / (np.abs(w) + 1e-8)


def divides_by_the_norm(w: Array) -> Array:
    """You divided w by its norm: that is the gradient of the norm. The gradient of Σ |w| is the sign of w."""
    return w / np.sqrt(np.sum(w**2))


# --- weight_decay_step ------------------------------------------------------------------------------------------------
def forgets_the_decay(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You left the penalty out; that is plain gradient descent. Multiply the weights by 1 − 2 · lr · l2 as well."""
    return params - lr * grad


def forgets_the_gradient(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You let the weights decay and did not step. Subtract lr · g as well."""
    return (1 - 2 * lr * l2) * params


def decays_without_the_learning_rate(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You multiplied the weights by 1 − 2 · l2. The learning rate belongs there too: 1 − 2 · lr · l2."""
    return (1 - 2 * l2) * params - lr * grad


def decays_by_the_penalty_alone(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You multiplied the weights by 1 − l2. It is 1 − 2 · lr · l2, with the learning rate and the 2 of the square."""
    return (1 - l2) * params - lr * grad


def lets_the_weights_grow(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You multiplied the weights by 1 + 2 · lr · l2, so that they grow. Decay has a minus: 1 − 2 · lr · l2."""
    return (1 + 2 * lr * l2) * params - lr * grad


def steps_uphill(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You added the gradient, which leads uphill. Subtract lr · g."""
    return (1 - 2 * lr * l2) * params + lr * grad


def decays_the_step_too(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You let the step decay too, as if it came first. Only the old weights are multiplied by 1 − 2 · lr · l2."""
    return (1 - 2 * lr * l2) * (params - lr * grad)


def forgets_the_learning_rate(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You subtracted the whole gradient. Multiply it by the learning rate: − lr · g."""
    return (1 - 2 * lr * l2) * params - grad


def adds_the_sum_to_every_gradient(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You added l2 · Σ w to the gradient of every weight. A weight's own part is 2 · l2 · w, without a sum."""
    return params - lr * (grad + l2 * np.sum(params))


def adds_the_penalty_to_every_gradient(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You added the penalty l2 · Σ w² itself to the gradient. Add its gradient, 2 · l2 · w."""
    return params - lr * (grad + l2 * np.sum(params**2))


def decays_by_the_sign(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """You subtracted lr · l2 times the sign, as for an L1 penalty. For Σ w² it is 2 · lr · l2 · w."""
    return params - lr * (grad + l2 * np.sign(params))


# --- ridge_objective --------------------------------------------------------------------------------------------------
def forgets_the_penalty(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You left the penalty out. Add l2 · Σ W² to the mean squared error."""
    return reference.ridge_objective(W, x, targets)


def subtracts_the_penalty(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You subtracted the penalty, which rewards large weights. Add l2 · Σ W²."""
    return _objective(W, x, targets) - l2 * np.sum(W**2)


def penalises_the_sizes(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You penalised absolute values; that is the lasso. Ridge penalises squares: l2 · Σ W²."""
    return _objective(W, x, targets) + l2 * np.sum(np.abs(W))


def penalises_the_sum(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You added l2 · Σ W. Square the weights first: l2 · Σ W²."""
    return _objective(W, x, targets) + l2 * np.sum(W)


def penalises_the_norm(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You added l2 times the norm. The penalty is its square: l2 · Σ W²."""
    return _objective(W, x, targets) + l2 * np.sqrt(np.sum(W**2))


def divides_the_penalty_by_the_samples(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You divided the penalty by n too. Only the squared errors are averaged over the samples."""
    return _objective(W, x, targets) + l2 * np.sum(W**2) / len(x)


def spares_the_first_row(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You left the first row of W out of the penalty, as if it were a bias. Here every row is penalised."""
    return _objective(W, x, targets) + l2 * np.sum(W[1:] ** 2)


def divides_by_the_features(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You divided the squared errors by the number of features. Divide by the number of samples, len(x)."""
    return np.sum((x @ W - targets) ** 2) / x.shape[1] + l2 * np.sum(W**2)


def takes_absolute_errors(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You took the absolute values of the errors. Square them."""
    return np.sum(np.abs(x @ W - targets)) / len(x) + l2 * np.sum(W**2)


def takes_the_root_of_the_errors(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You took the root of the mean squared error. Leave it squared, and add l2 · Σ W²."""
    return np.sqrt(_objective(W, x, targets)) + l2 * np.sum(W**2)


def adds_the_targets(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You added the targets. The error is the difference, x W − y."""
    return reference.ridge_objective(W, x, -targets, l2=l2)


# --- ridge_objective_grad ---------------------------------------------------------------------------------------------
def forgets_the_gradient_of_the_penalty(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You left the penalty out. Its gradient is 2 · l2 · W; add it."""
    return _slope(W, x, targets)


def subtracts_the_gradient_of_the_penalty(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You subtracted the penalty's gradient. Add 2 · l2 · W."""
    return _slope(W, x, targets) - 2 * l2 * W


def reverses_the_error(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You have the error with the other sign. It is predicted minus observed: 2 xᵀ (x W − y) / n."""
    return -_slope(W, x, targets) + 2 * l2 * W


def adds_the_error_and_the_target(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You added the targets. The error is the difference, x W − y."""
    return reference.ridge_objective_grad(W, x, -targets, l2=l2)


def multiplies_the_means(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You multiplied the mean error by the mean input, as the lectures write it. Take the mean of the products."""
    mean_error = np.mean(x @ W - targets, axis=0)
    return 2 * np.mean(x, axis=0)[:, None] * mean_error + 2 * l2 * W


def forgets_the_two_of_the_error(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You left out the factor 2 of the squared errors. It stands in both terms: 2 xᵀ (x W − y) / n + 2 · l2 · W."""
    return 0.5 * _slope(W, x, targets) + 2 * l2 * W


def adds_the_sum_of_the_weights(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You added l2 · Σ W to every entry. A weight's own part of the gradient is 2 · l2 · W, without a sum."""
    return _slope(W, x, targets) + l2 * np.sum(W)


def adds_the_penalty_itself(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You added the penalty l2 · Σ W² to every entry. Add its gradient, 2 · l2 · W."""
    return _slope(W, x, targets) + l2 * np.sum(W**2)


def adds_the_signs_of_the_weights(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You added l2 times the signs; that is the lasso. The gradient of l2 · Σ W² is 2 · l2 · W."""
    return _slope(W, x, targets) + l2 * np.sign(W)


def averages_the_penalty_over_the_samples(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You divided the penalty's gradient by n too. Only the errors are averaged over the samples."""
    return _slope(W, x, targets) + 2 * l2 * W / len(x)


def spares_the_gradient_of_the_first_row(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You left the first row of W out of the penalty, as if it were a bias. Here every row is penalised."""
    return _slope(W, x, targets) + 2 * l2 * np.concatenate([0 * W[:1], W[1:]])


def averages_over_the_features(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """You divided the errors' part by the number of features. Divide by the number of samples, len(x)."""
    return 2 * (x.T @ (x @ W - targets)) / x.shape[1] + 2 * l2 * W


# --- what they are made of --------------------------------------------------------------------------------------------
def _objective(W: Array, x: Array, targets: Array) -> Array:
    return reference.ridge_objective(W, x, targets)


def _slope(W: Array, x: Array, targets: Array) -> Array:
    return reference.ridge_objective_grad(W, x, targets)
