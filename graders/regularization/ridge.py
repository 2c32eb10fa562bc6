"""Exercises on ridge regression: its objective, and the gradient of that."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any, cast

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme
from graders.regularization import misconceptions as wrong
from graders.regularization._torch import torch_gradient as _torch_gradient
from reference import regularization as reference
from reference._types import Array

_W = [[0.7, -0.2], [1.3, 0.6], [-0.4, 0.9]]
_X = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6], [-0.8, 0.5, 1.9], [0.2, -0.3, 0.1]]
_Y = [[1.2, -0.8], [0.5, -0.3], [0.7, 0.6], [-1.3, 0.4]]
_REGRESSIONS = (
    edge("small", W=_W, x=_X, targets=_Y, l2=0.3),
    edge("no penalty", W=_W, x=_X, targets=_Y),
    edge("one of everything", W=[[0.7]], x=[[-1.7]], targets=[[0.4]], l2=0.3),
    edge("one sample", W=_W, x=_X[:1], targets=_Y[:1], l2=1.7),
    edge("one feature", W=[[0.7, -0.2]], x=[[0.3], [-1.7], [0.9]], targets=_Y[:3], l2=0.3),
    edge("weights of zero", W=[[0.0] * 2] * 3, x=_X, targets=_Y, l2=0.3),
    edge("targets of zero", W=_W, x=_X, targets=[[0.0] * 2] * 4, l2=0.3),
    extreme("mixed sizes", W=[[1e-3, 0.7], [130.1, -0.2]], x=[[1e3 + 0.3, 0.9], [-0.4, 1e-2]], targets=_Y[:2], l2=0.3),
    extreme(
        "targets met but for a little, on a height of 1e3",
        W=[[1.3], [0.7]],
        x=[[1e3, -1.7], [1e3, 0.9], [1e3, 0.4]],
        targets=[[1299.3], [1301.1], [1300.9]],
        l2=1e-3,
    ),
    extreme("huge", W=[[1.3e8], [-0.7e8]], x=[[1.7e8, 0.9e8], [-0.3e8, 1.1e8]], targets=[[1e15], [-2.3e15]], l2=0.3),
    extreme("tiny", W=[[1.3e-8], [-0.7e-8]], x=[[1.7e-8, 0.9e-8], [1e-9, 1.1e-8]], targets=[[1e-15], [-3e-15]], l2=0.3),
    extreme("a penalty of next to nothing", W=_W, x=_X, targets=_Y, l2=1e-12),
)


# --- other definitions ------------------------------------------------------------------------------------------------
# Libraries and books weigh the two terms in their own ways; a Σ (x W − y)² + b · l2 · Σ W² covers them all.
def _weighed(W: Array, x: Array, targets: Array, errors: float, penalty: float) -> Array:
    return cast(Array, errors * np.sum((x @ W - targets) ** 2) + penalty * np.sum(W**2))


def _weighed_grad(W: Array, x: Array, targets: Array, errors: float, penalty: float) -> Array:
    return 2 * errors * (x.T @ (x @ W - targets)) + 2 * penalty * W


def sums_the_squares(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The sum over the samples, not their mean, as scikit-learn's Ridge has it: Σ ‖x W − y‖² + l2 · Σ W²."""
    return _weighed(W, x, targets, 1, l2)


def halves_the_sums(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """½ Σ ‖x W − y‖² + ½ · l2 · Σ W², as in Bishop 2006, equation 3.27."""
    return _weighed(W, x, targets, 0.5, l2 / 2)


def divides_both_by_twice_the_samples(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """(Σ ‖x W − y‖² + l2 · Σ W²) / 2n, as in Andrew Ng's course on machine learning."""
    return _weighed(W, x, targets, 1 / (2 * len(x)), l2 / (2 * len(x)))


def halves_the_penalty(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """Σ ‖x W − y‖² / n + ½ · l2 · Σ W², as in Géron 2019, equation 4-8."""
    return _weighed(W, x, targets, 1 / len(x), l2 / 2)


def halves_the_objective(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """Σ ‖x W − y‖² / 2n + ½ · l2 · Σ W², as in glmnet (Friedman, Hastie and Tibshirani 2010)."""
    return _weighed(W, x, targets, 1 / (2 * len(x)), l2 / 2)


def averages_over_all_entries(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The mean over the rows and columns of the targets, as PyTorch's mse_loss, plus l2 · Σ W²."""
    return _weighed(W, x, targets, 1 / (len(x) * W.shape[1]), l2)


def differentiates_the_sums(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The gradient of Σ ‖x W − y‖² + l2 · Σ W², as scikit-learn's Ridge has it: the sum over the samples."""
    return _weighed_grad(W, x, targets, 1, l2)


def differentiates_half_the_sums(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The gradient of ½ Σ ‖x W − y‖² + ½ · l2 · Σ W², as in Bishop 2006, equation 3.27."""
    return _weighed_grad(W, x, targets, 0.5, l2 / 2)


def divides_the_gradient_by_the_samples(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The gradient of (Σ ‖x W − y‖² + l2 · Σ W²) / 2n, as in Andrew Ng's course on machine learning."""
    return _weighed_grad(W, x, targets, 1 / (2 * len(x)), l2 / (2 * len(x)))


def differentiates_half_the_penalty(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The gradient of Σ ‖x W − y‖² / n + ½ · l2 · Σ W², as in Géron 2019, equation 4-8."""
    return _weighed_grad(W, x, targets, 1 / len(x), l2 / 2)


def differentiates_half_the_objective(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The gradient of Σ ‖x W − y‖² / 2n + ½ · l2 · Σ W², as in glmnet (Friedman, Hastie and Tibshirani 2010)."""
    return _weighed_grad(W, x, targets, 1 / (2 * len(x)), l2 / 2)


def differentiates_the_mean_over_all_entries(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The gradient of the mean over rows and columns, as PyTorch's mse_loss, plus l2 · Σ W²."""
    return _weighed_grad(W, x, targets, 1 / (len(x) * W.shape[1]), l2)


# --- ridge_objective --------------------------------------------------------------------------------------------------
def ridge_objective_by_samples(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The mean of each sample's own squared error."""
    error = targets - x @ W
    return np.mean(np.sum(error * error, axis=1)) + l2 * np.sum(W * W)


def _torch_ridge(torch: Any, W: Any, x: Array, targets: Array, l2: float) -> Any:
    predictions = torch.tensor(x) @ W
    losses = torch.nn.functional.mse_loss(predictions, torch.tensor(targets), reduction="sum")
    return losses / len(x) + l2 * torch.sum(torch.square(W))


def _torch_ridge_objective(torch: Any, W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    return _torch_ridge(torch, torch.tensor(W), x, targets, l2).numpy()


ridge_objective = Exercise(
    reference.ridge_objective,
    misconceptions=(
        wrong.forgets_the_penalty,
        wrong.subtracts_the_penalty,
        wrong.penalises_the_sizes,
        wrong.penalises_the_sum,
        wrong.penalises_the_norm,
        wrong.divides_the_penalty_by_the_samples,
        wrong.spares_the_first_row,
        wrong.divides_by_the_features,
        wrong.takes_absolute_errors,
        wrong.takes_the_root_of_the_errors,
        wrong.adds_the_targets,
    ),
    conventions=(
        sums_the_squares,
        halves_the_sums,
        divides_both_by_twice_the_samples,
        halves_the_penalty,
        halves_the_objective,
        averages_over_all_entries,
    ),
    programs=(ridge_objective_by_samples,),
    edges=_REGRESSIONS,
    rivals={"torch": _torch_ridge_objective},
)


# --- ridge_objective_grad ---------------------------------------------------------------------------------------------
def ridge_objective_grad_by_means(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The errors' mean first, and the factor 2 last."""
    errors = (x @ W - targets) / len(x)
    return 2 * (x.T @ errors + l2 * W)


def _torch_ridge_objective_grad(torch: Any, W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    return _torch_gradient(torch, lambda t: _torch_ridge(torch, t, x, targets, l2), W)


ridge_objective_grad = Exercise(
    reference.ridge_objective_grad,
    misconceptions=(
        wrong.forgets_the_gradient_of_the_penalty,
        wrong.subtracts_the_gradient_of_the_penalty,
        wrong.reverses_the_error,
        wrong.adds_the_error_and_the_target,
        wrong.multiplies_the_means,
        wrong.forgets_the_two_of_the_error,
        wrong.adds_the_sum_of_the_weights,
        wrong.adds_the_penalty_itself,
        wrong.adds_the_signs_of_the_weights,
        wrong.averages_the_penalty_over_the_samples,
        wrong.spares_the_gradient_of_the_first_row,
        wrong.averages_over_the_features,
    ),
    conventions=(
        differentiates_the_sums,
        differentiates_half_the_sums,
        divides_the_gradient_by_the_samples,
        differentiates_half_the_penalty,
        differentiates_half_the_objective,
        differentiates_the_mean_over_all_entries,
    ),
    programs=(ridge_objective_grad_by_means,),
    edges=_REGRESSIONS,
    rivals={"torch": _torch_ridge_objective_grad},
)
