"""Exercises on squared errors, and on a Gaussian whose variance is predicted too."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
from graders.losses import misconceptions as shared
from graders.losses import misconceptions_regression as wrong
from graders.losses._torch import torch_grad, torch_reduced
from graders.losses.misconceptions import reduced, scaled
from reference import losses as reference
from reference._special import pi
from reference._types import Array, Reduction, ScalarReduction
from reference.losses import GaussianNllGrads

_Z = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_Y = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.6]]
_HALF_RIGHT = [[0.3, -1.7, 0.9], [-0.4, 0.9, 0.6]]
_LEVEL = [[1e4 + 0.3, 1e4 - 1.7, 1e4 + 0.9], [1e4 + 1.1, 1e4 + 0.4, 1e4 - 0.6]]
_NEAR_IT = [[1e4 + 0.7, 1e4 - 0.2, 1e4 + 1.3], [1e4 - 0.4, 1e4 + 0.9, 1e4 + 0.6]]
_V = [[0.7, 1.3, 0.2], [2.9, 0.4, 1.7]]

_PAIRS = (
    edge("small", predictions=_Z, targets=_Y),
    edge("one row", predictions=[[0.3, -1.7, 0.9]], targets=[[0.7, -0.2, 1.3]]),
    edge("one column", predictions=[[0.3], [-1.7], [0.9]], targets=[[0.7], [-0.2], [1.3]]),
    edge("no error in one row", predictions=_Z, targets=_HALF_RIGHT),
    edge("targets of zero", predictions=_Z, targets=[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    edge("mixed sizes", predictions=[[130.1, -1.7e-3], [0.9, 2.3e-5]], targets=[[-20.3, 0.4e-3], [0.7, -1.1e-5]]),
    special("no error at all", predictions=_Z, targets=_Z),
    extreme("on a height of 1e4", predictions=_LEVEL, targets=_NEAR_IT),
)
_REDUCED = (
    edge("a mean", predictions=_Z, targets=_Y, reduction="mean"),
    edge("a sum", predictions=_Z, targets=_Y, reduction="sum"),
)


# --- squared_error ----------------------------------------------------------------------------------------------------
def means_over_the_rows(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """The mean over the batch for the sum, as in the lectures' (1/n) Σ (y_i − ŷ_i)² (004_64b996b1ba6bbd2b.txt)."""
    return reference.squared_error(predictions, targets, reduction="mean" if reduction == "sum" else reduction)


def means_over_all_entries(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """The mean over rows and columns for the sum, as PyTorch's mse_loss."""
    losses = reference.squared_error(predictions, targets, reduction="none")
    return reduced(losses, "sum") / predictions.size if reduction == "sum" else reduced(losses, reduction)


def squared_error_by_products(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """Each error times itself."""
    error = targets - predictions
    return reduced(np.sum(error * error, axis=1), reduction)


def _torch_squared_error(torch: Any, predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    squares = torch.nn.functional.mse_loss(torch.tensor(predictions), torch.tensor(targets), reduction="none")
    return torch_reduced(squares.sum(dim=1), reduction).numpy()


squared_error = Exercise(
    reference.squared_error,
    misconceptions=(
        shared.reverses_the_sign(reference.squared_error),
        wrong.halves_the_loss(reference.squared_error),
        wrong.sums_the_absolute_errors,
        wrong.takes_the_root_of_every_row,
        wrong.takes_the_norm,
        wrong.squares_the_sum_of_the_errors,
        wrong.subtracts_the_squares,
        wrong.adds_the_targets(reference.squared_error),
        wrong.divides_by_the_columns,
        wrong.sums_whatever_is_asked,
        wrong.expands_the_squares,
    ),
    conventions=(means_over_the_rows, means_over_all_entries),
    programs=(squared_error_by_products,),
    edges=(*_PAIRS, *_REDUCED, edge("one for each row", predictions=_Z, targets=_Y, reduction="none")),
    rivals={"torch": _torch_squared_error},
)


# --- squared_error_grad -----------------------------------------------------------------------------------------------
def divides_by_the_rows(predictions: Array, targets: Array, *, reduction: ScalarReduction = "sum") -> Array:
    """The gradient of the mean over the batch, as of the lectures' (1/n) Σ (y_i − ŷ_i)² (004_64b996b1ba6bbd2b.txt)."""
    return reference.squared_error_grad(predictions, targets, reduction="mean")


def divides_by_all_entries(predictions: Array, targets: Array, *, reduction: ScalarReduction = "sum") -> Array:
    """The gradient of the mean over rows and columns for the sum, as of PyTorch's mse_loss."""
    slope = reference.squared_error_grad(predictions, targets, reduction=reduction)
    return slope / predictions.size if reduction == "sum" else slope


def squared_error_grad_by_adding(predictions: Array, targets: Array, *, reduction: ScalarReduction = "sum") -> Array:
    """The error and the error."""
    error = scaled(predictions - targets, reduction)
    return error + error


def _torch_squared_error_grad(
    torch: Any, predictions: Array, targets: Array, *, reduction: ScalarReduction = "sum"
) -> Array:
    def loss(z: Any, y: Any) -> Any:
        return torch_reduced(torch.nn.functional.mse_loss(z, y, reduction="none").sum(dim=1), reduction)

    return torch_grad(torch, loss, predictions, targets)


squared_error_grad = Exercise(
    reference.squared_error_grad,
    misconceptions=(
        shared.reverses_the_sign(reference.squared_error_grad),
        wrong.forgets_the_two(reference.squared_error_grad),
        wrong.returns_the_sign,
        wrong.keeps_the_square,
        wrong.sums_the_errors_of_a_row,
        wrong.multiplies_by_the_prediction(reference.squared_error_grad),
        wrong.adds_the_targets(reference.squared_error_grad),
        wrong.divides_the_gradient_by_the_columns,
        wrong.sums_the_gradients_whatever_is_asked,
    ),
    conventions=(divides_by_the_rows, divides_by_all_entries),
    programs=(squared_error_grad_by_adding,),
    edges=(*_PAIRS, *_REDUCED),
    rivals={"torch": _torch_squared_error_grad},
)


# --- mse --------------------------------------------------------------------------------------------------------------
def averages_over_the_rows(predictions: Array, targets: Array) -> Array:
    """The mean of one squared length per row, the lectures' (1/n) Σ (y_i − ŷ_i)² (004_64b996b1ba6bbd2b.txt)."""
    return reference.squared_error(predictions, targets, reduction="mean")


def averages_half_over_the_rows(predictions: Array, targets: Array) -> Array:
    """Half of a sum over the columns, the mean over the rows, as Nielsen's quadratic cost and MATLAB's mse."""
    return reference.half_squared_error(predictions, targets)


def mse_by_one_division(predictions: Array, targets: Array) -> Array:
    """The sum of all squares over their number."""
    total: Any = np.sum((targets - predictions) ** 2)
    return total / predictions.size


def mse_by_rows(predictions: Array, targets: Array) -> Array:
    """The mean of the rows' means."""
    mean: Any = np.mean(np.mean((predictions - targets) ** 2, axis=1))
    return mean


mse = Exercise(
    reference.mse,
    misconceptions=(
        wrong.returns_a_negative_loss,
        wrong.forgets_the_mean,
        wrong.halves_the_loss(reference.mse),
        wrong.divides_by_the_number_of_columns,
        wrong.divides_by_one_less,
        wrong.takes_the_root_of_the_mean,
        wrong.takes_the_mean_absolute_error,
        wrong.squares_the_mean,
        wrong.subtracts_the_means_of_squares,
        wrong.adds_the_targets(reference.mse),
        wrong.keeps_one_for_each_row,
        wrong.keeps_one_for_each_column,
        wrong.expands_the_mean_of_squares,
    ),
    conventions=(averages_over_the_rows, averages_half_over_the_rows),
    programs=(mse_by_one_division, mse_by_rows),
    edges=_PAIRS,
    rivals={
        "torch": lambda torch, predictions, targets: torch.nn.functional.mse_loss(
            torch.tensor(predictions), torch.tensor(targets)
        ).numpy()
    },
)


# --- mse_grad ---------------------------------------------------------------------------------------------------------
def averages_the_gradients_over_the_rows(predictions: Array, targets: Array) -> Array:
    """Divided by the rows alone, as of the lectures' (1/n) Σ (y_i − ŷ_i)² (004_64b996b1ba6bbd2b.txt)."""
    return reference.squared_error_grad(predictions, targets, reduction="mean")


def averages_half_the_gradients_over_the_rows(predictions: Array, targets: Array) -> Array:
    """(z − y) / n, the gradient of Nielsen's quadratic cost and of MATLAB's mse."""
    return reference.half_squared_error_grad(predictions, targets)


def mse_grad_by_the_factor(predictions: Array, targets: Array) -> Array:
    """The factor 2 / (n d) first."""
    return (predictions - targets) * (2 / predictions.size)


mse_grad = Exercise(
    reference.mse_grad,
    misconceptions=(
        shared.reverses_the_sign(reference.mse_grad),
        wrong.forgets_the_two(reference.mse_grad),
        wrong.forgets_to_divide,
        wrong.returns_the_error,
        wrong.divides_the_error_by_the_columns,
        wrong.returns_the_mean_sign,
        wrong.keeps_the_mean_square,
        wrong.averages_the_errors,
        wrong.averages_the_errors_of_a_column,
        wrong.multiplies_by_the_prediction(reference.mse_grad),
        wrong.adds_the_targets(reference.mse_grad),
    ),
    conventions=(averages_the_gradients_over_the_rows, averages_half_the_gradients_over_the_rows),
    programs=(mse_grad_by_the_factor,),
    edges=_PAIRS,
    rivals={
        "torch": lambda torch, predictions, targets: torch_grad(
            torch, torch.nn.functional.mse_loss, predictions, targets
        )
    },
)


# --- gaussian_nll -----------------------------------------------------------------------------------------------------
def nll_summed_over_the_rows(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """The sum over the batch, as the likelihood of the whole sample has it (Bishop 2006, section 1.2.5)."""
    kept = "sum" if reduction == "mean" else reduction
    return reference.gaussian_nll(predictions, targets, variance, full=full, reduction=kept)


def nll_averaged_over_all_entries(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """The mean over rows and columns, as PyTorch's gaussian_nll_loss."""
    losses = reference.gaussian_nll(predictions, targets, variance, full=full, reduction="none")
    return reduced(losses, "sum") / predictions.size if reduction == "mean" else reduced(losses, reduction)


def nll_by_squares(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """(y − z)² / v as it is written, the constant with each logarithm."""
    constant = np.log(2 * pi(variance)) if full else 0
    terms = np.log(variance) + constant + (targets - predictions) ** 2 / variance
    return reduced(np.sum(terms, axis=1) / 2, reduction)


def nll_by_the_deviation(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """log σ + ½ ((y − z) / σ)², by the standard deviation σ."""
    deviation = np.sqrt(variance)
    terms = np.log(deviation) + 0.5 * ((targets - predictions) / deviation) ** 2
    constant = predictions.shape[1] * np.log(np.sqrt(2 * pi(variance))) if full else 0
    return reduced(np.sum(terms, axis=1) + constant, reduction)


def _torch_gaussian_nll(
    torch: Any,
    predictions: Array,
    targets: Array,
    variance: Array,
    *,
    full: bool = False,
    reduction: Reduction = "mean",
) -> Array:
    z, y, v = map(torch.tensor, (predictions, targets, variance))
    losses = torch.nn.functional.gaussian_nll_loss(z, y, v, full=full, eps=_NO_EPS, reduction="none")
    return torch_reduced(losses.sum(dim=1), reduction).numpy()


_NO_EPS = 1e-300  # PyTorch asks for some
_ROWS = {"predictions": _Z, "targets": _Y, "variance": _V}
_GAUSSIANS = (
    edge("small", **_ROWS),
    edge("one row", predictions=[[0.3, -1.7, 0.9]], targets=[[0.7, -0.2, 1.3]], variance=[[0.7, 1.3, 0.2]]),
    edge(
        "one column", predictions=[[0.3], [-1.7], [0.9]], targets=[[0.7], [-0.2], [1.3]], variance=[[1.3], [0.2], [2.9]]
    ),
    edge("variances of one", predictions=_Z, targets=_Y, variance=[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),
    edge("no error in one row", predictions=_Z, targets=_HALF_RIGHT, variance=_V),
    edge("a sum", **_ROWS, reduction="sum"),
    extreme("on a height of 1e4", predictions=_LEVEL, targets=_NEAR_IT, variance=_V),
    extreme(
        "tiny and huge variances", predictions=_Z, targets=_Y, variance=[[1.7e-9, 1.3e9, 0.2], [2.9e-12, 0.4e15, 1.7]]
    ),
)

gaussian_nll = Exercise(
    reference.gaussian_nll,
    misconceptions=(
        wrong.returns_the_log_likelihood,
        wrong.takes_the_variance_for_the_deviation,
        wrong.takes_the_variance_for_its_logarithm,
        wrong.forgets_the_half,
        wrong.forgets_the_half_of_the_logarithm,
        wrong.forgets_the_half_of_the_square,
        wrong.forgets_the_logarithm,
        wrong.ignores_the_variance,
        wrong.forgets_to_divide_by_the_variance,
        wrong.multiplies_by_the_variance,
        wrong.divides_by_the_deviation,
        wrong.forgets_the_constant,
        wrong.adds_the_constant_uncalled,
        wrong.adds_the_constant_once,
        shared.divides_by_the_classes(reference.gaussian_nll),
        shared.ignores_the_reduction(reference.gaussian_nll),
        wrong.keeps_the_variance_from_zero,
        wrong.adds_a_small_number_to_the_variance,
    ),
    conventions=(nll_summed_over_the_rows, nll_averaged_over_all_entries),
    programs=(nll_by_squares, nll_by_the_deviation),
    edges=(
        *_GAUSSIANS,
        edge("one for each row", **_ROWS, reduction="none"),
        edge("with its constant", **_ROWS, full=True),
        edge("with its constant, and a sum", **_ROWS, full=True, reduction="sum"),
    ),
    rivals={"torch": _torch_gaussian_nll},
)


# --- gaussian_nll_grad ------------------------------------------------------------------------------------------------
def gradients_of_the_sum(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """The gradients of the sum over the batch, as of the whole sample's likelihood (Bishop 2006, section 1.2.5)."""
    return reference.gaussian_nll_grad(predictions, targets, variance, reduction="sum")


def gradients_of_the_mean_over_all_entries(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """The gradients of the mean over rows and columns, as of PyTorch's gaussian_nll_loss."""
    entries = predictions.size if reduction == "mean" else 1
    right = reference.gaussian_nll_grad(predictions, targets, variance, reduction="sum")
    return GaussianNllGrads(right.dpredictions / entries, right.dvariance / entries)


def nll_grad_by_squares(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """(v − (z − y)²) / 2v² for the variance."""
    error = predictions - targets
    return GaussianNllGrads(
        dpredictions=scaled(error / variance, reduction),
        dvariance=scaled((variance - error**2) / (2 * variance**2), reduction),
    )


def nll_grad_by_the_deviation(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """By the error in standard deviations."""
    deviation = np.sqrt(variance)
    score = (predictions - targets) / deviation
    return GaussianNllGrads(
        dpredictions=scaled(score / deviation, reduction),
        dvariance=scaled((1 - score**2) / variance, reduction) / 2,
    )


def _torch_gaussian_nll_grad(
    torch: Any, predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    z, v = (torch.tensor(array, requires_grad=True) for array in (predictions, variance))
    losses = torch.nn.functional.gaussian_nll_loss(z, torch.tensor(targets), v, eps=_NO_EPS, reduction="none")
    torch_reduced(losses.sum(dim=1), reduction).backward()
    return GaussianNllGrads(z.grad.numpy(), v.grad.numpy())


gaussian_nll_grad = Exercise(
    reference.gaussian_nll_grad,
    misconceptions=(
        wrong.points_the_other_way,
        wrong.subtracts_the_prediction,
        wrong.leaves_the_error_undivided,
        wrong.keeps_the_factor_two,
        wrong.forgets_the_half_by_the_variance,
        wrong.differentiates_by_the_deviation,
        wrong.differentiates_by_the_logarithm,
        wrong.forgets_the_gradient_of_the_logarithm,
        wrong.adds_the_square,
        wrong.divides_the_square_once,
        wrong.squares_the_variance,
        wrong.divides_by_the_number_of_features,
        wrong.ignores_the_reduction_of_the_gradient,
        wrong.floors_the_variance,
    ),
    conventions=(gradients_of_the_sum, gradients_of_the_mean_over_all_entries),
    programs=(nll_grad_by_squares, nll_grad_by_the_deviation),
    edges=_GAUSSIANS,
    rivals={"torch": _torch_gaussian_nll_grad},
)
