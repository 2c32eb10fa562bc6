"""Known mistakes in the squared errors and the Gaussian loss; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from graders.losses.misconceptions import Function, reduced, scaled
from reference import losses as reference
from reference._special import pi
from reference._types import Array, Reduction, ScalarReduction
from reference.losses import GaussianNllGrads


# --- mistakes that many share: each takes the function that is misunderstood ------------------------------------------
def adds_the_targets(f: Function) -> Function:
    """Make the mistake for a loss or a gradient of predictions and targets."""

    def adds_the_targets(predictions: Array, targets: Array, **hyper: Any) -> Array:
        """You added the targets. The error is the difference, z − y."""
        return f(predictions, -targets, **hyper)

    return with_signature_of(f, adds_the_targets)


def multiplies_by_the_prediction(f: Function) -> Function:
    """Make the mistake for a gradient by the predictions."""

    def multiplies_by_the_prediction(predictions: Array, targets: Array, **hyper: Any) -> Array:
        """You multiplied by the prediction once more. The gradient of (z − y)² by z is 2 (z − y)."""
        return predictions * f(predictions, targets, **hyper)

    return with_signature_of(f, multiplies_by_the_prediction)


def forgets_the_two(f: Function) -> Function:
    """Make the mistake for a gradient of a square."""

    def forgets_the_two(predictions: Array, targets: Array, **hyper: Any) -> Array:
        """You left out the factor 2. The loss has no ½ that would take it away: the gradient of e² is 2e."""
        return 0.5 * f(predictions, targets, **hyper)

    return with_signature_of(f, forgets_the_two)


def halves_the_loss(f: Function) -> Function:
    """Make the mistake for a loss of squares."""

    def halves_the_loss(predictions: Array, targets: Array, **hyper: Any) -> Array:
        """You have a factor ½, which belongs to half the squared error. Here the squares count in full."""
        return 0.5 * f(predictions, targets, **hyper)

    return with_signature_of(f, halves_the_loss)


# --- squared_error ----------------------------------------------------------------------------------------------------
def sums_the_absolute_errors(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """You took absolute values. Square the differences."""
    return reduced(np.sum(np.abs(predictions - targets), axis=1), reduction)


def takes_the_root_of_every_row(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """You took the root of every row's sum, its length. The loss is the sum of squares itself."""
    return reduced(np.sqrt(np.sum((predictions - targets) ** 2, axis=1)), reduction)


def takes_the_norm(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """You took the root of the whole sum, as np.linalg.norm does. The loss is the sum of squares itself."""
    if reduction == "none":
        return takes_the_root_of_every_row(predictions, targets, reduction=reduction)
    norm: Any = np.sqrt(np.sum((predictions - targets) ** 2))
    return norm / len(predictions) if reduction == "mean" else norm


def squares_the_sum_of_the_errors(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """You summed first and squared then, so that errors of opposite sign cancel. Square every difference first."""
    return reduced(np.sum(predictions - targets, axis=1) ** 2, reduction)


def subtracts_the_squares(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """You squared first and subtracted then, z² − y². Subtract first: (z − y)²."""
    return reduced(np.sum(predictions**2 - targets**2, axis=1), reduction)


def divides_by_the_columns(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """Your "mean" divides by the number of columns. Divide by the number of rows: there is one loss for each row."""
    losses = np.sum((predictions - targets) ** 2, axis=1)
    return reduced(losses, "sum") / predictions.shape[1] if reduction == "mean" else reduced(losses, reduction)


def sums_whatever_is_asked(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """You took the sum whatever `reduction` says. For "mean" divide by the rows; for "none" return one loss per row."""
    return reference.squared_error(predictions, targets, reduction="sum")


def expands_the_squares(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """Σ z² − 2 Σ z y + Σ y² cancels where z and y are large and close. Subtract first, then square."""
    square = np.sum(predictions**2, axis=1) - 2 * np.sum(predictions * targets, axis=1) + np.sum(targets**2, axis=1)
    return reduced(square, reduction)


# --- squared_error_grad -----------------------------------------------------------------------------------------------
def returns_the_sign(predictions: Array, targets: Array, *, reduction: ScalarReduction = "sum") -> Array:
    """You returned the sign of the error, which is the gradient of the absolute error. Here it is 2 (z − y)."""
    return scaled(np.sign(predictions - targets), reduction)


def keeps_the_square(predictions: Array, targets: Array, *, reduction: ScalarReduction = "sum") -> Array:
    """You returned the squares, the loss of each entry. Their derivative is 2 (z − y)."""
    return scaled((predictions - targets) ** 2, reduction)


def sums_the_errors_of_a_row(predictions: Array, targets: Array, *, reduction: ScalarReduction = "sum") -> Array:
    """You gave every prediction of a row the row's total error. Each has its own: 2 (z_k − y_k)."""
    return scaled(2 * np.sum(predictions - targets, axis=1, keepdims=True) + np.zeros_like(predictions), reduction)


def divides_the_gradient_by_the_columns(
    predictions: Array, targets: Array, *, reduction: ScalarReduction = "sum"
) -> Array:
    """Your "mean" divides by the number of columns. Divide by the number of rows: there is one loss for each row."""
    error = 2 * (predictions - targets)
    return error / predictions.shape[1] if reduction == "mean" else error


def sums_the_gradients_whatever_is_asked(
    predictions: Array, targets: Array, *, reduction: ScalarReduction = "sum"
) -> Array:
    """You returned the gradient of the sum whatever `reduction` says. For "mean" divide by the number of rows."""
    return reference.squared_error_grad(predictions, targets, reduction="sum")


# --- mse --------------------------------------------------------------------------------------------------------------
def returns_a_negative_loss(predictions: Array, targets: Array) -> Array:
    """Your loss is negative. A mean of squares is not: leave out the minus."""
    return -reference.mse(predictions, targets)


def forgets_the_mean(predictions: Array, targets: Array) -> Array:
    """You returned the sum of the squares. Divide it by their number, rows times columns."""
    return reference.squared_error(predictions, targets)


def divides_by_the_number_of_columns(predictions: Array, targets: Array) -> Array:
    """You divided by the number of columns alone. Divide by the number of entries, rows times columns."""
    return reference.squared_error(predictions, targets) / predictions.shape[1]


def divides_by_one_less(predictions: Array, targets: Array) -> Array:
    """You divided by one less than the number of entries, as for a sample variance. No mean was estimated here."""
    return reference.squared_error(predictions, targets) / (predictions.size - 1)


def takes_the_root_of_the_mean(predictions: Array, targets: Array) -> Array:
    """You took the root: that is the RMSE. The MSE is the mean of the squares itself."""
    return np.sqrt(reference.mse(predictions, targets))


def takes_the_mean_absolute_error(predictions: Array, targets: Array) -> Array:
    """You took absolute values: that is the MAE. Square the differences."""
    mean: Any = np.mean(np.abs(predictions - targets))
    return mean


def squares_the_mean(predictions: Array, targets: Array) -> Array:
    """You averaged first and squared then, so that errors of opposite sign cancel. Square every difference first."""
    mean: Any = np.mean(predictions - targets)
    return mean**2


def subtracts_the_means_of_squares(predictions: Array, targets: Array) -> Array:
    """You squared first and subtracted then, z² − y². Subtract first: (z − y)²."""
    mean: Any = np.mean(predictions**2 - targets**2)
    return mean


def keeps_one_for_each_row(predictions: Array, targets: Array) -> Array:
    """You returned one mean for each row. Take the mean of all entries: np.mean without an axis."""
    return np.mean((predictions - targets) ** 2, axis=1)


def keeps_one_for_each_column(predictions: Array, targets: Array) -> Array:
    """You returned one mean for each column. Take the mean of all entries: np.mean without an axis."""
    return np.mean((predictions - targets) ** 2, axis=0)


def expands_the_mean_of_squares(predictions: Array, targets: Array) -> Array:
    """The means of z², −2zy and y² cancel where z and y are large and close. Subtract first, then square."""
    mean: Any = np.mean(predictions**2) - 2 * np.mean(predictions * targets) + np.mean(targets**2)
    return mean


# --- mse_grad ---------------------------------------------------------------------------------------------------------
def forgets_to_divide(predictions: Array, targets: Array) -> Array:
    """You left out the mean. Divide 2 (z − y) by the number of entries, rows times columns."""
    return 2 * (predictions - targets)


def returns_the_error(predictions: Array, targets: Array) -> Array:
    """You returned z − y, the gradient of half the sum of squares. That of their mean is 2 (z − y) / (n d)."""
    return predictions - targets


def divides_the_error_by_the_columns(predictions: Array, targets: Array) -> Array:
    """You divided by the number of columns alone. Divide by the number of entries, rows times columns."""
    return 2 * (predictions - targets) / predictions.shape[1]


def returns_the_mean_sign(predictions: Array, targets: Array) -> Array:
    """You returned the sign of the error, which is the gradient of the absolute error. Here it is 2 (z − y) / (n d)."""
    return np.sign(predictions - targets) / predictions.size


def keeps_the_mean_square(predictions: Array, targets: Array) -> Array:
    """You did not differentiate the square. The derivative of e² is 2e."""
    return (predictions - targets) ** 2 / predictions.size


def averages_the_errors(predictions: Array, targets: Array) -> Array:
    """You returned one number, the mean of 2 (z − y). Every prediction has a gradient of its own."""
    mean: Any = np.mean(2 * (predictions - targets))
    return mean


def averages_the_errors_of_a_column(predictions: Array, targets: Array) -> Array:
    """You averaged over the rows. Every prediction has a gradient of its own: keep the shape (n, d)."""
    return np.mean(2 * (predictions - targets), axis=0)


# --- gaussian_nll -----------------------------------------------------------------------------------------------------
def returns_the_log_likelihood(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You returned the log likelihood, which is to be large. The loss is its negative."""
    return -reference.gaussian_nll(predictions, targets, variance, full=full, reduction=reduction)


def takes_the_variance_for_the_deviation(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You squared the variance as if it were the standard deviation σ. It is σ² already: ½ [log v + (y − z)² / v]."""
    score = (predictions - targets) / variance
    return _nll(2 * np.log(variance) + score**2, full, reduction)


def takes_the_variance_for_its_logarithm(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You took the variance for its own logarithm: v + (y − z)² e^−v. It is v itself: ½ [log v + (y − z)² / v]."""
    return _nll(variance + (predictions - targets) ** 2 * np.exp(-variance), full, reduction)


def forgets_the_half(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You left out the ½. It stands before both terms: ½ [log v + (y − z)² / v]."""
    return 2 * reference.gaussian_nll(predictions, targets, variance, full=full, reduction=reduction)


def forgets_the_half_of_the_logarithm(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You have log v where it is ½ log v. The logarithm of the standard deviation is half that of the variance."""
    return _nll(2 * np.log(variance) + (predictions - targets) ** 2 / variance, full, reduction)


def forgets_the_half_of_the_square(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You left out the ½ before the square. It stands before both terms: ½ [log v + (y − z)² / v]."""
    return _nll(np.log(variance) + 2 * (predictions - targets) ** 2 / variance, full, reduction)


def forgets_the_logarithm(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You left out ½ log v. Without it a model that claims a huge variance pays nothing for its errors."""
    return _nll((predictions - targets) ** 2 / variance, full, reduction)


def ignores_the_variance(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You ignored the variance. It divides the square and enters by its logarithm: ½ [log v + (y − z)² / v]."""
    return _nll((predictions - targets) ** 2, full, reduction)


def forgets_to_divide_by_the_variance(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You did not divide the square by the variance. A sure prediction pays more for its error: (y − z)² / v."""
    return _nll(np.log(variance) + (predictions - targets) ** 2, full, reduction)


def multiplies_by_the_variance(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You multiplied the square by the variance. Divide by it: a sure prediction pays more for its error."""
    return _nll(np.log(variance) + (predictions - targets) ** 2 * variance, full, reduction)


def divides_by_the_deviation(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You divided the square by the standard deviation. Divide it by the variance."""
    return _nll(np.log(variance) + (predictions - targets) ** 2 / np.sqrt(variance), full, reduction)


def forgets_the_constant(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You left out the constant where full=True asks for it. Add (d/2) log 2π to every row."""
    return reference.gaussian_nll(predictions, targets, variance, reduction=reduction)


def adds_the_constant_uncalled(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You added (d/2) log 2π although `full` is False. Add it only where it is asked for."""
    return reference.gaussian_nll(predictions, targets, variance, full=True, reduction=reduction)


def adds_the_constant_once(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You added ½ log 2π once for a row. Every feature brings one: (d/2) log 2π."""
    losses = reference.gaussian_nll(predictions, targets, variance, reduction="none")
    return reduced(losses + (0.5 * np.log(2 * pi(variance)) if full else 0), reduction)


def keeps_the_variance_from_zero(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You replaced variances below 1e-6 by 1e-6, as PyTorch does unless told otherwise. Use them as they are."""
    return reference.gaussian_nll(predictions, targets, np.maximum(variance, 1e-6), full=full, reduction=reduction)


def adds_a_small_number_to_the_variance(
    predictions: Array, targets: Array, variance: Array, *, full: bool = False, reduction: Reduction = "mean"
) -> Array:
    """You added 1e-6 to the variance. It is positive already: use it as it is."""
    return reference.gaussian_nll(predictions, targets, variance + 1e-6, full=full, reduction=reduction)


# --- gaussian_nll_grad ------------------------------------------------------------------------------------------------
def points_the_other_way(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """Both gradients point the other way. They are those of the negative log likelihood."""
    right = reference.gaussian_nll_grad(predictions, targets, variance, reduction=reduction)
    return GaussianNllGrads(-right.dpredictions, -right.dvariance)


def subtracts_the_prediction(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """Your gradient by the predictions has the wrong sign. It is predicted minus observed: (z − y) / v."""
    right = reference.gaussian_nll_grad(predictions, targets, variance, reduction=reduction)
    return GaussianNllGrads(-right.dpredictions, right.dvariance)


def leaves_the_error_undivided(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """Your gradient by the predictions is not divided by the variance. It is (z − y) / v."""
    right = reference.gaussian_nll_grad(predictions, targets, variance, reduction=reduction)
    return GaussianNllGrads(scaled(predictions - targets, reduction), right.dvariance)


def keeps_the_factor_two(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """Both gradients are twice as large as they should be. The ½ before the loss takes the factor away."""
    right = reference.gaussian_nll_grad(predictions, targets, variance, reduction=reduction)
    return GaussianNllGrads(2 * right.dpredictions, 2 * right.dvariance)


def forgets_the_half_by_the_variance(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """You left out the ½ in the gradient by the variance. It is (1 − (z − y)² / v) / 2v."""
    right = reference.gaussian_nll_grad(predictions, targets, variance, reduction=reduction)
    return GaussianNllGrads(right.dpredictions, 2 * right.dvariance)


def differentiates_by_the_deviation(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """You differentiated by the standard deviation σ. By the variance it is (1 − (z − y)² / v) / 2v."""
    right = reference.gaussian_nll_grad(predictions, targets, variance, reduction=reduction)
    return GaussianNllGrads(right.dpredictions, 2 * np.sqrt(variance) * right.dvariance)


def differentiates_by_the_logarithm(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """You differentiated by log v. By v itself there is a factor 1/v more: (1 − (z − y)² / v) / 2v."""
    right = reference.gaussian_nll_grad(predictions, targets, variance, reduction=reduction)
    return GaussianNllGrads(right.dpredictions, variance * right.dvariance)


def forgets_the_gradient_of_the_logarithm(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """You left out 1/2v, the derivative of ½ log v. Without it the variance would only ever grow."""
    return _nll_grads(predictions, targets, variance, -((predictions - targets) ** 2) / variance**2, reduction)


def adds_the_square(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """You added the square. The derivative of 1/v is −1/v²: (1 − (z − y)² / v) / 2v."""
    square = (predictions - targets) ** 2 / variance**2
    return _nll_grads(predictions, targets, variance, 1 / variance + square, reduction)


def divides_the_square_once(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """You divided the square by v. The derivative of 1/v is −1/v²: divide it by v²."""
    square = (predictions - targets) ** 2 / variance
    return _nll_grads(predictions, targets, variance, 1 / variance - square, reduction)


def squares_the_variance(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """You took the variance for the standard deviation σ: (z − y) / v² and 1/v − (z − y)² / v³. It is σ² already."""
    error = predictions - targets
    return GaussianNllGrads(
        scaled(error / variance**2, reduction), scaled(1 / variance - error**2 / variance**3, reduction)
    )


def divides_by_the_number_of_features(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """You divided by the number of columns. The mean is over the samples, so divide by the number of rows."""
    right = reference.gaussian_nll_grad(predictions, targets, variance, reduction="sum")
    columns = predictions.shape[1] if reduction == "mean" else 1
    return GaussianNllGrads(right.dpredictions / columns, right.dvariance / columns)


def ignores_the_reduction_of_the_gradient(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """You divided by the number of rows whatever `reduction` says. For "sum" do not divide."""
    return reference.gaussian_nll_grad(predictions, targets, variance, reduction="mean")


def floors_the_variance(
    predictions: Array, targets: Array, variance: Array, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """You replaced variances below 1e-6 by 1e-6, as PyTorch does unless told otherwise. Use them as they are."""
    return reference.gaussian_nll_grad(predictions, targets, np.maximum(variance, 1e-6), reduction=reduction)


# --- what they are made of --------------------------------------------------------------------------------------------
def _nll(terms: Array, full: bool, reduction: str) -> Array:
    """Return half of the sum over a row, with the constant where it is asked for."""
    constant = terms.shape[1] * np.log(2 * pi(terms)) if full else 0
    return reduced(0.5 * (np.sum(terms, axis=1) + constant), reduction)


def _nll_grads(predictions: Array, targets: Array, variance: Array, twice: Array, reduction: str) -> GaussianNllGrads:
    """Return the right gradient by the predictions beside half of what is wrong by the variance."""
    return GaussianNllGrads(scaled((predictions - targets) / variance, reduction), scaled(0.5 * twice, reduction))
