"""Models with their loss, ready for an optimizer: the objective as a function of the parameters, and its gradient.

Arrays share one dtype, float32 or float64, which the results keep (TypeError otherwise); sizes that do not fit, labels
outside their domain, an empty batch and a negative l2 are a ValueError.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from reference import _numerics as numerics
from reference._types import Array, IntArray, Nonnegative
from reference.losses import softmax_cross_entropy, softmax_cross_entropy_grad

Weights = Annotated[Array, "d c"]
Inputs = Annotated[Array, "n d"]
Distributions = Annotated[Array, "n c", "simplex"]
Classes = Annotated[IntArray, "n", "classes"]


def softmax_regression(W: Weights, x: Inputs, labels: Distributions | Classes, *, l2: Nonnegative = 0.0) -> Array:
    """Mean over the rows of `softmax_cross_entropy(x W, labels)`, plus l2 · Σ W².

    Shapes: W (d, c), x (n, d), labels (n, c), rows of probabilities, or (n,), integer classes; the result is a scalar.
    Convention: the penalty is l2 times the sum of squares, neither halved nor divided by n; a bias is a column of ones
    in x, and penalised with the rest. Source: 001_85d2a45f19410a02.txt, 002_8e0f3b4f5874cfed.txt.

    >>> round(float(softmax_regression(np.array([[1.0, -1.0]]), np.array([[0.0]]), np.array([1]), l2=0.5)), 6)
    1.693147
    """
    _require_model(W, x, l2)
    return softmax_cross_entropy(x @ W, labels) + l2 * np.sum(W**2)


def softmax_regression_grad(
    W: Weights, x: Inputs, labels: Distributions | Classes, *, l2: Nonnegative = 0.0
) -> Weights:
    """∂/∂W of `softmax_regression`: xᵀ (softmax(x W) − y) / n + 2 · l2 · W.

    Shapes and conventions as there; the result is (d, c).
    Source: 001_85d2a45f19410a02.txt, 003_bda8f24b635fcb71.txt (∂L/∂w = input · error).

    >>> softmax_regression_grad(np.array([[0.0, 0.0]]), np.array([[4.0]]), np.array([1]))
    array([[ 2., -2.]])
    """
    _require_model(W, x, l2)
    return x.T @ softmax_cross_entropy_grad(x @ W, labels) + 2 * l2 * W


def _require_model(W: Array, x: Array, l2: float) -> None:
    numerics.require_floats(W=W, x=x)
    numerics.require_shape(("n", "d"), x=x)
    numerics.require_shape((x.shape[1], "c"), W=W)
    numerics.require_nonnegative(l2=l2)
