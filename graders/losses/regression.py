"""Exercises on squared errors, and on a Gaussian whose variance is predicted too."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
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
def squared_error_by_products(predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    """Each error times itself."""
    error = targets - predictions
    return reduced(np.sum(error * error, axis=1), reduction)


def _torch_squared_error(torch: Any, predictions: Array, targets: Array, *, reduction: Reduction = "sum") -> Array:
    squares = torch.nn.functional.mse_loss(torch.tensor(predictions), torch.tensor(targets), reduction="none")
    return torch_reduced(squares.sum(dim=1), reduction).numpy()


squared_error = Exercise(
    reference.squared_error,
    programs=(squared_error_by_products,),
    edges=(*_PAIRS, *_REDUCED, edge("one for each row", predictions=_Z, targets=_Y, reduction="none")),
    rivals={"torch": _torch_squared_error},
)


# --- squared_error_grad -----------------------------------------------------------------------------------------------
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
    programs=(squared_error_grad_by_adding,),
    edges=(*_PAIRS, *_REDUCED),
    rivals={"torch": _torch_squared_error_grad},
)


# --- mse --------------------------------------------------------------------------------------------------------------
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
    programs=(mse_by_one_division, mse_by_rows),
    edges=_PAIRS,
    rivals={
        "torch": lambda torch, predictions, targets: torch.nn.functional.mse_loss(
            torch.tensor(predictions), torch.tensor(targets)
        ).numpy()
    },
)


# --- mse_grad ---------------------------------------------------------------------------------------------------------
def mse_grad_by_the_factor(predictions: Array, targets: Array) -> Array:
    """The factor 2 / (n d) first."""
    return (predictions - targets) * (2 / predictions.size)


mse_grad = Exercise(
    reference.mse_grad,
    programs=(mse_grad_by_the_factor,),
    edges=_PAIRS,
    rivals={
        "torch": lambda torch, predictions, targets: torch_grad(
            torch, torch.nn.functional.mse_loss, predictions, targets
        )
    },
)


# --- gaussian_nll -----------------------------------------------------------------------------------------------------
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
    programs=(nll_grad_by_squares, nll_grad_by_the_deviation),
    edges=_GAUSSIANS,
    rivals={"torch": _torch_gaussian_nll_grad},
)
