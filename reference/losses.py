"""Losses of a batch, and their gradients. Rows are samples, columns are classes or features.

Every loss takes `reduction`: the *mean* over the rows (the default), their *sum*, or *none* for one loss per row;
`bce_with_logits`, whose entries are questions of their own, reduces over all entries. The arrays of a call share one
dtype, float32 or float64, which the result keeps (TypeError otherwise); wrong shapes, empty batches, labels outside
their domain and unknown words are a ValueError.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Annotated, cast

import numpy as np

from reference import _numerics as numerics
from reference._types import Array, Fraction, IntArray, Reduction, ScalarReduction
from reference.activations import log_softmax, sigmoid, softmax

Rows = Annotated[Array, "n c"]
Distributions = Annotated[Array, "n c", "simplex"]
Classes = Annotated[IntArray, "n", "classes"]
Table = Annotated[Array, "n d"]
Labels01 = Annotated[Array, "n d", "unit"]


def cross_entropy(p: Distributions, q: Distributions, *, reduction: Reduction = "mean") -> Array:
    """H(p, q) = −Σ_j p_j log q_j, truth first, in nats.

    Shapes: p, q (n, c), rows of probabilities; the result is a scalar, or (n,) for reduction="none".
    Conventions: 0 · log 0 = 0; p_j > 0 where q_j = 0 costs inf. From logits use `softmax_cross_entropy`.
    Source: 002_8e0f3b4f5874cfed.txt (truth first; 000_fca5766a905df26d.txt writes the prediction first).

    >>> round(float(cross_entropy(np.array([[0.0, 0.0, 1.0]]), np.array([[0.002, 0.02, 0.978]]))), 6)
    0.022246
    """
    numerics.require_floats(p=p, q=q)
    numerics.require_shape(("n", "c"), p=p)
    numerics.require_same_shape(p=p, q=q)
    numerics.require_rows(p=p)
    numerics.require_distributions(p=p, q=q)
    numerics.require_reduction(reduction)
    with np.errstate(divide="ignore"):  # where p > 0 and q = 0 the answer is inf
        log_q = np.log(np.where(p > 0, q, 1))
    return numerics.reduced(-np.sum(p * log_q, axis=1), reduction)


def softmax_cross_entropy(
    logits: Rows,
    labels: Distributions | Classes,
    *,
    reduction: Reduction = "mean",
    label_smoothing: Fraction = 0.0,
) -> Array:
    """−Σ_j y_j log softmax(logits)_j for every row.

    Shapes: logits (n, c); labels (n, c), rows of probabilities, or (n,), integer classes in 0..c−1; the result is a
    scalar, or (n,) for reduction="none". Conventions: label smoothing α replaces y by (1 − α) y + α / c, as in PyTorch.
    Source: 001_85d2a45f19410a02.txt, 000_fca5766a905df26d.txt.

    >>> logits = np.array([[1.0, 2.0, 0.5]])
    >>> round(float(softmax_cross_entropy(logits, np.array([1]))), 6)
    0.464369
    """
    y = _targets(logits, labels, label_smoothing)
    numerics.require_reduction(reduction)
    return numerics.reduced(-np.sum(y * log_softmax(logits), axis=1), reduction)


def softmax_cross_entropy_grad(
    logits: Rows,
    labels: Distributions | Classes,
    *,
    reduction: ScalarReduction = "mean",
    label_smoothing: Fraction = 0.0,
) -> Rows:
    """∂/∂logits of `softmax_cross_entropy`: (softmax(logits) − y) / n, predicted minus observed.

    Shapes and conventions as there; the result is (n, c), not divided by n for reduction="sum".
    Source: 001_85d2a45f19410a02.txt (there the hypothesis Σ_j y_j = 1 is unstated).

    >>> softmax_cross_entropy_grad(np.zeros((1, 4)), np.array([2]))
    array([[ 0.25,  0.25, -0.75,  0.25]])
    """
    y = _targets(logits, labels, label_smoothing)
    numerics.require_reduction(reduction, ScalarReduction)
    error = softmax(logits) - y
    return error / len(logits) if reduction == "mean" else error


def bce_with_logits(logits: Table, labels: Labels01, *, reduction: Reduction = "mean") -> Array:
    """−[t log σ(x) + (1 − t) log σ(−x)], with −log σ(x) = log(1 + e⁻ˣ).

    Shapes: logits x and labels t alike, of any shape, t in [0, 1]; the result is a scalar, or of that shape for
    reduction="none"; the mean is over all entries, as in PyTorch. No term cancels: 4.1e−8 at x = −17, t = 0.
    Source: 003_bda8f24b635fcb71.txt.

    >>> round(float(bce_with_logits(np.array([2.0]), np.array([0.0]))), 6)
    2.126928
    """
    numerics.require_floats(logits=logits, labels=labels)
    numerics.require_same_shape(logits=logits, labels=labels)
    numerics.require_rows(logits=logits)
    numerics.require_unit(labels=labels)
    numerics.require_reduction(reduction)
    return numerics.reduced(labels * _softplus(-logits) + (1 - labels) * _softplus(logits), reduction)


def bce_with_logits_grad(logits: Table, labels: Labels01, *, reduction: ScalarReduction = "mean") -> Table:
    """∂/∂logits of `bce_with_logits`: (σ(x) − t) / number of entries.

    Shapes and conventions as there; the result has the shape of the logits, undivided for reduction="sum". Written
    (1 − t) σ(x) − t σ(−x), which does not cancel where the prediction is good. Source: 003_bda8f24b635fcb71.txt.

    >>> bce_with_logits_grad(np.array([0.0, 0.0]), np.array([0.0, 1.0]))
    array([ 0.25, -0.25])
    """
    numerics.require_floats(logits=logits, labels=labels)
    numerics.require_same_shape(logits=logits, labels=labels)
    numerics.require_rows(logits=logits)
    numerics.require_unit(labels=labels)
    numerics.require_reduction(reduction, ScalarReduction)
    error = (1 - labels) * sigmoid(logits) - labels * sigmoid(-logits)
    return error / logits.size if reduction == "mean" else error


def half_squared_error(predictions: Table, targets: Table, *, reduction: Reduction = "mean") -> Array:
    """½ Σ_k (z_k − y_k)² for every row: −log N(y; z, I) without its constant (d/2) log 2π.

    Shapes: predictions z and targets y (n, d); the result is a scalar, or (n,) for reduction="none".
    Conventions: a sum over the features, the mean over the rows. Source: 003_bda8f24b635fcb71.txt.

    >>> float(half_squared_error(np.array([[1.0, 2.0], [0.0, 0.0]]), np.zeros((2, 2))))
    1.25
    """
    _require_tables(predictions, targets)
    numerics.require_reduction(reduction)
    return numerics.reduced(0.5 * np.sum((predictions - targets) ** 2, axis=1), reduction)


def half_squared_error_grad(predictions: Table, targets: Table, *, reduction: ScalarReduction = "mean") -> Table:
    """∂/∂predictions of `half_squared_error`: (z − y) / n, predicted minus observed.

    Shapes and conventions as there; the result is (n, d), not divided by n for reduction="sum".
    Source: 003_bda8f24b635fcb71.txt.

    >>> half_squared_error_grad(np.array([[1.0, 2.0], [0.0, 0.0]]), np.zeros((2, 2)))
    array([[0.5, 1. ],
           [0. , 0. ]])
    """
    _require_tables(predictions, targets)
    numerics.require_reduction(reduction, ScalarReduction)
    error = predictions - targets
    return error / len(predictions) if reduction == "mean" else error


def _softplus(x: Array) -> Array:
    """log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|), which neither overflows nor loses its tail."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _targets(logits: Array, labels: Array | IntArray, label_smoothing: float) -> Array:
    """Return the labels as distributions (n, c), smoothed; check them and the logits."""
    numerics.require_floats(logits=logits)
    numerics.require_shape(("n", "c"), logits=logits)
    numerics.require_rows(logits=logits)
    numerics.require_fraction(label_smoothing=label_smoothing)
    n, c = logits.shape
    if len(labels.shape) == 1:
        numerics.require_classes(labels, n, c)
        y: Array = (labels[:, None] == np.arange(c)).astype(logits.dtype)
    else:
        numerics.require_floats(logits=logits, labels=labels)
        numerics.require_shape((n, c), labels=labels)
        y = cast(Array, labels)
        numerics.require_distributions(labels=y)
    return (1 - label_smoothing) * y + label_smoothing / c


def _require_tables(predictions: Array, targets: Array) -> None:
    numerics.require_floats(predictions=predictions, targets=targets)
    numerics.require_shape(("n", "d"), predictions=predictions)
    numerics.require_same_shape(predictions=predictions, targets=targets)
    numerics.require_rows(predictions=predictions)
