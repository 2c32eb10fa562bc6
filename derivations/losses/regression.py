"""The Gaussian head: squared errors in their three scalings, and the likelihood with a variance."""

from __future__ import annotations

from .._kernel import Argument, Claim, Erratum, Line, Part
from .._kernel.terms import Σ, array, exp, log, pi, scalars, sqrt, δ
from ._rows import MEAN, SUM, a, averaged, d, f, g, n, of_each_row, predictions, r, summed, targets

ERROR_ARGUMENTS = (Argument("predictions", (n, d)), Argument("targets", (n, d)))
HALF_SQUARED_ERROR = Σ((predictions[r, f] - targets[r, f]) ** 2, r, f) / (2 * n)

half_squared_error = Claim(
    name="losses.half_squared_error",
    statement="Half the squared error is the Gaussian's negative log-likelihood, less its constant d/2 · log 2π.",
    parts=(
        Part(
            left=Σ(
                -Σ(log(exp(-((targets[r, f] - predictions[r, f]) ** 2) / 2) / sqrt(2 * pi)), f) - d * log(2 * pi) / 2,
                r,
            )
            / n,
            right=HALF_SQUARED_ERROR,
        ),
    ),
    arguments=ERROR_ARGUMENTS,
    covers=MEAN,
    where=((array("N")[r, f], exp(-((targets[r, f] - predictions[r, f]) ** 2) / 2) / sqrt(2 * pi)),),
    ids=("D03", "D04"),
    source="p = N(y; z, I), −log p = ½‖y − z‖² + d/2 · log 2π",
)

half_squared_error_summed = summed(
    half_squared_error,
    "Half the summed squared error is the Gaussian's negative log-likelihood of all rows, less n d/2 · log 2π.",
)

half_squared_error_of_each_row = of_each_row(
    half_squared_error,
    "Half the squared error of one row is its Gaussian's negative log-likelihood, less the constant d/2 · log 2π.",
)

half_squared_error_grad = Claim(
    name="losses.half_squared_error_grad",
    statement="The gradient of half the squared error, summed over features and averaged over rows, is (z − y)/n.",
    parts=(
        Part(
            left=HALF_SQUARED_ERROR,
            by=predictions[a, g],
            axes=(a, g),
            right=(predictions[a, g] - targets[a, g]) / n,
        ),
    ),
    arguments=ERROR_ARGUMENTS,
    covers=MEAN,
    ids=("D05",),
    source="∂L/∂z = z − y",
)

half_squared_error_grad_summed = summed(
    half_squared_error_grad,
    "The gradient of half the squared error, summed over features and rows, is z − y.",
)

ONE_ROW = Σ((predictions[r, f] - targets[r, f]) ** 2, f) / 2

half_squared_error_summed_or_for_each_row = Claim(
    name="losses.half_squared_error_summed_or_for_each_row",
    statement="Half the squared error of one row has the gradient z − y, and so has their sum over the rows.",
    parts=(
        Part(
            left=ONE_ROW,
            by=predictions[a, g],
            axes=(r, a, g),
            right=δ(r, a) * (predictions[r, g] - targets[r, g]),
            lines=(Line(Σ((predictions[r, f] - targets[r, f]) * δ(r, a) * δ(f, g), f), "∂u²/2 = u"),),
            output="gradient of each row",
        ),
        Part(
            left=Σ(ONE_ROW, r),
            by=predictions[a, g],
            axes=(a, g),
            right=predictions[a, g] - targets[a, g],
            output="gradient of the sum",
        ),
    ),
    arguments=ERROR_ARGUMENTS,
    ids=("B04", "D05"),
    source="∂L/∂z_k = z_k − y_k",
)

SQUARED_ERROR = Σ((predictions[r, f] - targets[r, f]) ** 2, r, f)
MEAN_SQUARED_ERROR = SQUARED_ERROR / (n * d)
EXPANDED = (
    Σ(predictions[r, f] ** 2, r, f) - 2 * Σ(predictions[r, f] * targets[r, f], r, f) + Σ(targets[r, f] ** 2, r, f)
)

squared_error = Claim(
    name="losses.squared_error",
    statement="The squared error summed over all entries is ‖p‖² − 2 p·t + ‖t‖².",
    parts=(Part(left=EXPANDED, right=SQUARED_ERROR),),
    arguments=ERROR_ARGUMENTS,
    covers=SUM,
    ids=("B05", "D04"),
    source="Σ (s − y)²",
)

squared_error_averaged = averaged(squared_error, "The squared error averaged over the rows is (‖p‖² − 2 p·t + ‖t‖²)/n.")

squared_error_of_each_row = of_each_row(squared_error_averaged, "The squared error of one row is ‖p‖² − 2 p·t + ‖t‖².")

squared_error_grad = Claim(
    name="losses.squared_error_grad",
    statement="The gradient of the summed squared error is 2 (p − t).",
    parts=(
        Part(
            left=SQUARED_ERROR,
            by=predictions[a, g],
            axes=(a, g),
            right=2 * (predictions[a, g] - targets[a, g]),
            lines=(
                Line(Σ(2 * (predictions[r, f] - targets[r, f]) * δ(r, a) * δ(f, g), r, f), "∂u² = 2u, entry by entry"),
            ),
        ),
    ),
    arguments=ERROR_ARGUMENTS,
    covers=SUM,
    ids=("B05",),
    source="∂ Σ (s − y)²/∂s = 2 (s − y)",
)

squared_error_grad_averaged = averaged(
    squared_error_grad,
    "The gradient of the squared error averaged over the rows is 2 (p − t)/n.",
)

mse = Claim(
    name="losses.mse",
    statement="The mean squared error is the mean over the rows of twice half the squared error, over d.",
    parts=(Part(left=Σ(2 * ONE_ROW / d, r) / n, right=MEAN_SQUARED_ERROR),),
    arguments=ERROR_ARGUMENTS,
    ids=("B05", "E17"),
    source="(1/nd) Σ (p − t)²",
)

mse_grad = Claim(
    name="losses.mse_grad",
    statement="The gradient of the mean squared error over all n · d entries is 2 (p − t)/(n d).",
    parts=(
        Part(
            left=MEAN_SQUARED_ERROR,
            by=predictions[a, g],
            axes=(a, g),
            right=2 * (predictions[a, g] - targets[a, g]) / (n * d),
        ),
    ),
    arguments=ERROR_ARGUMENTS,
    ids=("B05", "E17"),
    source="2 (p − t)/(n d)",
)

log_variance, variance = array("log_variance"), array("variance", positive=True)
full = scalars("full")
miss = targets[r, f] - predictions[r, f]
GAUSSIAN = -Σ(log(exp(-(miss**2) / (2 * exp(log_variance[r, f]))) / sqrt(2 * pi * exp(log_variance[r, f]))), r, f) / n
OF_THE_VARIANCE = -Σ(log(exp(-(miss**2) / (2 * variance[r, f])) / sqrt(2 * pi * variance[r, f])), r, f) / n
far = targets[a, g] - predictions[a, g]
GAUSSIAN_ARGUMENTS = (
    *ERROR_ARGUMENTS,
    Argument("log_variance", (n, d)),
    Argument("variance", (n, d), "positive"),
)

DENSITIES = (
    (array("N")[r, f], exp(-(miss**2) / (2 * exp(log_variance[r, f]))) / sqrt(2 * pi * exp(log_variance[r, f]))),
    (array("N'")[r, f], exp(-(miss**2) / (2 * variance[r, f])) / sqrt(2 * pi * variance[r, f])),
)

HALF_LOG_2π = d * log(2 * pi) / 2
WITH_VARIANCE = (*ERROR_ARGUMENTS, Argument("variance", (n, d), "positive"))
ROW_SURPRISE = -Σ(log(exp(-(miss**2) / (2 * variance[r, f])) / sqrt(2 * pi * variance[r, f])), f)
ROW_LESS_CONSTANT = Σ((log(variance[r, f]) + miss**2 / variance[r, f]) / 2, f)

gaussian_nll = Claim(
    name="losses.gaussian_nll",
    statement="With variances v, −log N(y; z, v) is Σ ½ (log v + (y − z)²/v), plus d/2 · log 2π where full is 1.",
    parts=(
        Part(
            left=Σ(ROW_SURPRISE + (full - 1) * HALF_LOG_2π, r) / n,
            right=Σ(ROW_LESS_CONSTANT + full * HALF_LOG_2π, r) / n,
        ),
    ),
    arguments=(*WITH_VARIANCE, Argument("full", (), "zero_or_one", default=0)),
    covers=MEAN,
    where=DENSITIES[1:],
    ids=("D03",),
    source="½ log v + (y − z)²/(2v)",
)

gaussian_nll_summed = summed(
    gaussian_nll,
    "The summed −log N(y; z, v) is Σ ½ (log v + (y − z)²/v) over all rows, the constant apart.",
)

gaussian_nll_of_each_row = of_each_row(
    gaussian_nll,
    "With variances v, −log N(y; z, v) of one row is Σ ½ (log v + (y − z)²/v), the constant apart.",
)

gaussian_nll_grad = Claim(
    name="losses.gaussian_nll_grad",
    statement="With variances v the gradients are (z − y)/v by the mean and ½ (1/v − (y − z)²/v²) by v, averaged.",
    parts=(
        Part(
            left=Σ(ROW_SURPRISE, r) / n,
            by=predictions[a, g],
            axes=(a, g),
            right=(predictions[a, g] - targets[a, g]) / variance[a, g] / n,
            output="dpredictions",
        ),
        Part(
            left=Σ(ROW_SURPRISE, r) / n,
            by=variance[a, g],
            axes=(a, g),
            right=(1 - far**2 / variance[a, g]) / (2 * variance[a, g]) / n,
            output="dvariance",
        ),
    ),
    arguments=WITH_VARIANCE,
    covers=MEAN,
    where=DENSITIES[1:],
    ids=("D03", "D05"),
    source="∂/∂v (½ log v + (y − z)²/(2v))",
)

gaussian_nll_grad_summed = summed(
    gaussian_nll_grad,
    "Summed, the gradients are (z − y)/v by the mean and ½ (1/v − (y − z)²/v²) by v.",
)

gaussian_nll_with_a_variance = Claim(
    name="losses.gaussian_nll_with_a_variance",
    statement="With a log-variance s, −log N(y; z, e^s) is ½ (s + (y − z)² e^(−s)) plus the constant ½ log 2π.",
    parts=(
        Part(
            left=GAUSSIAN,
            right=Σ((log_variance[r, f] + miss**2 * exp(-log_variance[r, f])) / 2, r, f) / n + d * log(2 * pi) / 2,
            output="by log-variance",
        ),
        Part(
            left=OF_THE_VARIANCE,
            right=Σ((log(variance[r, f]) + miss**2 / variance[r, f]) / 2, r, f) / n + d * log(2 * pi) / 2,
            output="by variance",
        ),
    ),
    arguments=GAUSSIAN_ARGUMENTS,
    where=DENSITIES,
    ids=("D03",),
    source="½ log v + (y − z)²/(2v) + ½ log 2π",
)

gaussian_nll_gradients = Claim(
    name="losses.gaussian_nll_gradients",
    statement="By the mean the gradient is (z − y)/v, by the log-variance ½ (1 − (y − z)²/v): zero at v = (y − z)².",
    parts=(
        Part(
            left=GAUSSIAN,
            by=predictions[a, g],
            axes=(a, g),
            right=-far * exp(-log_variance[a, g]) / n,
            output="mean",
        ),
        Part(
            left=GAUSSIAN,
            by=log_variance[a, g],
            axes=(a, g),
            right=(1 - far**2 * exp(-log_variance[a, g])) / (2 * n),
            output="log-variance",
        ),
        Part(
            left=OF_THE_VARIANCE,
            by=variance[a, g],
            axes=(a, g),
            right=(1 / variance[a, g] - far**2 / variance[a, g] ** 2) / (2 * n),
            output="variance",
        ),
    ),
    arguments=GAUSSIAN_ARGUMENTS,
    where=DENSITIES,
    ids=("D03", "D05"),
    source="v = e^s, ∂v/∂s = v",
)

errata = (
    Erratum(
        id="D03",
        as_written=Claim(
            name="losses.D03",
            statement="−log N(y; z, I) is ½‖y − z‖² itself.",
            parts=(
                Part(
                    left=-Σ(log(exp(-((targets[r, f] - predictions[r, f]) ** 2) / 2) / sqrt(2 * pi)), f),
                    right=Σ((targets[r, f] - predictions[r, f]) ** 2, f) / 2,
                    axes=(r,),
                ),
            ),
            arguments=ERROR_ARGUMENTS,
        ),
        corrected_by="losses.half_squared_error",
        note="Equal up to the constant d/2 · log 2π, not proportional.",
    ),
)
