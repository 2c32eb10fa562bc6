"""Losses of a batch, and their gradients. Rows are samples, columns are classes or features.

Every loss takes `reduction`: the *mean* over the rows (the default), their *sum*, or *none* for one loss per row;
`bce_with_logits`, `sigmoid_bce` and `logistic_loss`, whose entries are questions of their own, reduce over all entries.
By name `squared_error` is the sum (unless told otherwise), and `mse` and `accuracy` are means. The arrays of a call
share one dtype, float32 or float64, which the result keeps (TypeError otherwise); wrong shapes, empty batches, labels
outside their domain and unknown words are a ValueError.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, cast

import numpy as np

from reference import _numerics as numerics
from reference import _special as special
from reference._types import Array, Fraction, IntArray, Reduction, ScalarReduction
from reference.activations import log_softmax, sigmoid, softmax, softplus

Rows = Annotated[Array, "n c"]
Distributions = Annotated[Array, "n c", "simplex"]
Classes = Annotated[IntArray, "n", "classes"]
Table = Annotated[Array, "n d"]
Labels01 = Annotated[Array, "n d", "unit"]
Uncertain = Annotated[Array, "n d", "open unit"]
Signs = Annotated[Array, "n d", "signs"]
Variances = Annotated[Array, "n d", "positive"]
ClassLabels = Annotated[IntArray, "n"]


class GaussianNllGrads(NamedTuple):
    """The gradients by predictions and variance, in the order of the arguments."""

    dpredictions: Table
    dvariance: Table


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
    scalar, or (n,) for reduction="none". Conventions: label smoothing α replaces y by (1 − α) y + α / c, as in PyTorch;
    0 · ∞ = 0, so a class that is ruled out by a logit of −∞ costs nothing unless it is the label.
    Source: 001_85d2a45f19410a02.txt, 000_fca5766a905df26d.txt.

    >>> logits = np.array([[1.0, 2.0, 0.5]])
    >>> round(float(softmax_cross_entropy(logits, np.array([1]))), 6)
    0.464369
    """
    y = _targets(logits, labels, label_smoothing)
    numerics.require_reduction(reduction)
    log_s = np.where(y > 0, log_softmax(logits), 0)  # 0 · ∞ = 0 where a class is ruled out
    return numerics.reduced(-np.sum(y * log_s, axis=1), reduction)


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
    """−[t log σ(x) + (1 − t) log σ(−x)] = max((1 − t) x, −t x) + log(1 + e^−|x|), since −log σ(x) = log(1 + e⁻ˣ).

    Shapes: logits x and labels t alike, of any shape, t in [0, 1]; the result is a scalar, or of that shape for
    reduction="none"; the mean is over all entries, as in PyTorch. No term is negative: 4.1e−8 at x = −17, t = 0.
    Source: 003_bda8f24b635fcb71.txt.

    >>> round(float(bce_with_logits(np.array([2.0]), np.array([0.0]))), 6)
    2.126928
    """
    numerics.require_floats(logits=logits, labels=labels)
    numerics.require_same_shape(logits=logits, labels=labels)
    numerics.require_rows(logits=logits)
    numerics.require_unit(labels=labels)
    numerics.require_reduction(reduction)

    def surprise(x: Array, t: Array) -> Array:
        return np.maximum((1 - t) * x, -t * x) + np.log1p(np.exp(-np.abs(x)))

    return numerics.reduced(numerics.in_blocks(surprise, logits, labels), reduction)


def bce_with_logits_grad(logits: Table, labels: Labels01, *, reduction: ScalarReduction = "mean") -> Table:
    """∂/∂logits of `bce_with_logits`: (σ(x) − t) / number of entries.

    Shapes and conventions as there; the result has the shape of the logits, undivided for reduction="sum". Written
    (1 − t) σ(x) − t σ(−x), which does not cancel where the prediction is good, with σ(x) = a / (a + b) and
    σ(−x) = b / (a + b) as in `sigmoid`. Source: 003_bda8f24b635fcb71.txt.

    >>> bce_with_logits_grad(np.array([0.0, 0.0]), np.array([0.0, 1.0]))
    array([ 0.25, -0.25])
    """
    numerics.require_floats(logits=logits, labels=labels)
    numerics.require_same_shape(logits=logits, labels=labels)
    numerics.require_rows(logits=logits)
    numerics.require_unit(labels=labels)
    numerics.require_reduction(reduction, ScalarReduction)
    count = logits.size if reduction == "mean" else 1

    def slope(x: Array, t: Array) -> Array:
        a, b = np.exp(np.minimum(x, 0)), np.exp(-np.maximum(x, 0))
        return ((1 - t) * a - t * b) / (a + b) / count

    return numerics.in_blocks(slope, logits, labels)


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


def entropy(p: Distributions, *, reduction: Reduction = "mean") -> Array:
    """H(p) = −Σ_j p_j log p_j, in nats.

    Shapes: p (n, c), rows of probabilities; the result is a scalar, or (n,) for reduction="none".
    Convention: 0 · log 0 = 0. Source: 002_8e0f3b4f5874cfed.txt (H(P, Q) = H(P) + KL(P‖Q)).

    >>> round(float(entropy(np.array([[0.5, 0.5, 0.0]]))), 6)
    0.693147
    """
    numerics.require_floats(p=p)
    numerics.require_shape(("n", "c"), p=p)
    numerics.require_rows(p=p)
    numerics.require_distributions(p=p)
    numerics.require_reduction(reduction)
    return numerics.reduced(-np.sum(p * np.log(np.where(p > 0, p, 1)), axis=1), reduction)


def kl_divergence(p: Distributions, q: Distributions, *, reduction: Reduction = "mean") -> Array:
    """KL(p‖q) = Σ_j p_j log(p_j / q_j), truth first, in nats.

    Shapes and conventions as in `cross_entropy`: 0 · log 0 = 0, and p_j > 0 where q_j = 0 costs inf. Where p and q are
    near each other log(p/q) = log1p((p − q)/q), in which nothing cancels. By the logits of q = softmax(z) the gradient
    is that of `softmax_cross_entropy`. Source: 002_8e0f3b4f5874cfed.txt.

    >>> round(float(kl_divergence(np.array([[0.5, 0.5, 0.0]]), np.array([[0.25, 0.25, 0.5]]))), 6)
    0.693147
    """
    numerics.require_floats(p=p, q=q)
    numerics.require_shape(("n", "c"), p=p)
    numerics.require_same_shape(p=p, q=q)
    numerics.require_rows(p=p)
    numerics.require_distributions(p=p, q=q)
    numerics.require_reduction(reduction)
    near = np.abs(p - q) < q / 2
    difference = np.log1p(np.where(near, p - q, 0) / np.where(near, q, 1))
    with np.errstate(divide="ignore"):  # where p > 0 and q = 0 the answer is inf
        ratio = np.log(np.where(p > 0, p, 1)) - np.log(np.where(p > 0, q, 1))
    return numerics.reduced(np.sum(p * np.where(near, difference, ratio), axis=1), reduction)


def sigmoid_bce(probabilities: Uncertain, labels: Labels01, *, reduction: Reduction = "mean") -> Array:
    """−[t log p + (1 − t) log(1 − p)] of probabilities p = σ(x).

    Warning: from logits use `bce_with_logits`. A probability near one has lost the digits of 1 − p, and from x ≈ 37 on
    (17 in float32) it is one: this loss of a wrong answer is then inf. Shapes: probabilities p and labels t alike, of
    any shape, in [0, 1]; the result is a scalar, or of that shape for reduction="none"; the mean is over all entries.
    Conventions: 0 · log 0 = 0; PyTorch cuts the logarithm off at −100, here it is −inf.
    Source: 003_bda8f24b635fcb71.txt.

    >>> round(float(sigmoid_bce(np.array([0.8807970779778823]), np.array([0.0]))), 6)
    2.126928
    """
    _require_answers(probabilities, labels)
    numerics.require_reduction(reduction)
    with np.errstate(divide="ignore"):  # a certain answer that is wrong costs inf
        log_p = np.log(np.where(labels > 0, probabilities, 1))
        log_not_p = np.log1p(-np.where(labels < 1, probabilities, 0))
    return numerics.reduced(-(labels * log_p + (1 - labels) * log_not_p), reduction)


def sigmoid_bce_grad(probabilities: Uncertain, labels: Labels01, *, reduction: ScalarReduction = "mean") -> Table:
    """∂/∂probabilities of `sigmoid_bce`: (p − t) / (p (1 − p)) / number of entries.

    Warning: times σ' = p (1 − p) it is p − t again; from logits use `bce_with_logits_grad`, which divides by nothing.
    Shapes and conventions as in `sigmoid_bce`; undivided for reduction="sum"; a certain answer that is wrong has the
    gradient ±inf, a certain answer that is right the one-sided derivative ±1. Source: 003_bda8f24b635fcb71.txt.

    >>> sigmoid_bce_grad(np.array([0.5, 0.8, 1.0]), np.array([0.0, 1.0, 1.0]), reduction="sum")
    array([ 2.  , -1.25, -1.  ])
    """
    _require_answers(probabilities, labels)
    numerics.require_reduction(reduction, ScalarReduction)
    p, t = probabilities, labels
    with np.errstate(divide="ignore", invalid="ignore"):  # certain answers
        slope = np.where(t == 0, 1 / (1 - p), np.where(t == 1, -1 / p, (p - t) / (p * (1 - p))))
    return slope / p.size if reduction == "mean" else slope


def logistic_loss(logits: Table, signs: Signs, *, reduction: Reduction = "mean") -> Array:
    """−log σ(t x) = log(1 + e^(−t x)) for labels t of −1 or +1.

    Shapes: logits x and signs t alike, of any shape; the result is a scalar, or of that shape for reduction="none"; the
    mean is over all entries. It is `bce_with_logits` with the labels (1 + t) / 2.
    Source: 004_64b996b1ba6bbd2b.txt.

    >>> round(float(logistic_loss(np.array([2.0]), np.array([-1.0]))), 6)
    2.126928
    """
    _require_signs(logits, signs)
    numerics.require_reduction(reduction)
    return numerics.reduced(softplus(-signs * logits), reduction)


def logistic_loss_grad(logits: Table, signs: Signs, *, reduction: ScalarReduction = "mean") -> Table:
    """∂/∂logits of `logistic_loss`: −t σ(−t x) / number of entries.

    Shapes and conventions as there; the result has the shape of the logits, undivided for reduction="sum".
    Source: 004_64b996b1ba6bbd2b.txt.

    >>> logistic_loss_grad(np.array([0.0, 0.0]), np.array([-1.0, 1.0]))
    array([ 0.25, -0.25])
    """
    _require_signs(logits, signs)
    numerics.require_reduction(reduction, ScalarReduction)
    slope = -signs * sigmoid(-signs * logits)
    return slope / logits.size if reduction == "mean" else slope


def squared_error(predictions: Table, targets: Table, *, reduction: Reduction = "sum") -> Array:
    """Σ_k (z_k − y_k)² for every row, and the sum of these.

    Shapes: predictions z and targets y (n, d); the result is a scalar, or (n,) for reduction="none".
    Convention: the sum over the rows unless told otherwise; twice `half_squared_error` else.
    Source: 001_85d2a45f19410a02.txt.

    >>> float(squared_error(np.array([[1.0, 2.0], [0.0, 3.0]]), np.zeros((2, 2))))
    14.0
    """
    _require_tables(predictions, targets)
    numerics.require_reduction(reduction)
    return numerics.reduced(np.sum((predictions - targets) ** 2, axis=1), reduction)


def squared_error_grad(predictions: Table, targets: Table, *, reduction: ScalarReduction = "sum") -> Table:
    """∂/∂predictions of `squared_error`: 2 (z − y).

    Shapes and conventions as there; the result is (n, d), divided by n for reduction="mean".
    Source: 001_85d2a45f19410a02.txt.

    >>> squared_error_grad(np.array([[1.0, 2.0]]), np.zeros((1, 2)))
    array([[2., 4.]])
    """
    _require_tables(predictions, targets)
    numerics.require_reduction(reduction, ScalarReduction)
    slope = 2 * (predictions - targets)
    return slope / len(predictions) if reduction == "mean" else slope


def mse(predictions: Table, targets: Table) -> Array:
    """Σ (z − y)² / (n d), the mean over all entries, as PyTorch's mse_loss.

    Shapes: predictions z and targets y (n, d); the result is a scalar. Source: 004_64b996b1ba6bbd2b.txt.

    >>> float(mse(np.array([[1.0, 2.0], [0.0, 3.0]]), np.zeros((2, 2))))
    3.5
    """
    _require_tables(predictions, targets)
    return cast(Array, np.mean((predictions - targets) ** 2))


def mse_grad(predictions: Table, targets: Table) -> Table:
    """∂/∂predictions of `mse`: 2 (z − y) / (n d). Shapes as there; the result is (n, d).

    Source: 004_64b996b1ba6bbd2b.txt.

    >>> mse_grad(np.array([[1.0, 2.0]]), np.zeros((1, 2)))
    array([[1., 2.]])
    """
    _require_tables(predictions, targets)
    return 2 * (predictions - targets) / predictions.size


def gaussian_nll(
    predictions: Table,
    targets: Table,
    variance: Variances,
    *,
    full: Literal[False, True] = False,
    reduction: Reduction = "mean",
) -> Array:
    """½ Σ_k [log v_k + (y_k − z_k)² / v_k] for every row: −log N(y; z, diag v) without its constant.

    Shapes: predictions z, targets y and variance v > 0 (n, d); the result is a scalar, or (n,) for reduction="none".
    Conventions: full=True adds the constant (d/2) log 2π; a sum over the features, the mean over the rows (PyTorch's is
    over all entries: this over d); no variance is replaced by a small eps. At v = 1 it is `half_squared_error`.
    Raises ValueError on a variance that is not positive. Source: 003_bda8f24b635fcb71.txt, for v = 1.

    >>> float(gaussian_nll(np.array([[1.0, 2.0]]), np.zeros((1, 2)), np.ones((1, 2))))
    2.5
    >>> round(float(gaussian_nll(np.zeros((1, 2)), np.zeros((1, 2)), np.ones((1, 2)), full=True)), 6)
    1.837877
    """
    _require_gaussian(predictions, targets, variance)
    numerics.require_flag(full=full)
    numerics.require_reduction(reduction)
    error = predictions - targets
    surprise = 0.5 * np.sum(np.log(variance) + error * (error / variance), axis=1)
    constant = 0.5 * predictions.shape[1] * np.log(2 * special.pi(variance)) if full else 0
    return numerics.reduced(surprise + constant, reduction)


def gaussian_nll_grad(
    predictions: Table, targets: Table, variance: Variances, *, reduction: ScalarReduction = "mean"
) -> GaussianNllGrads:
    """∂/∂predictions and ∂/∂variance of `gaussian_nll`: (z − y) / v and (1 − (z − y)² / v) / 2v, each over n.

    Shapes and conventions as there; the results are (n, d), not divided by n for reduction="sum".
    Source: 003_bda8f24b635fcb71.txt, for v = 1.

    >>> gaussian_nll_grad(np.array([[2.0]]), np.array([[0.0]]), np.array([[2.0]]))
    GaussianNllGrads(dpredictions=array([[1.]]), dvariance=array([[-0.25]]))
    """
    _require_gaussian(predictions, targets, variance)
    numerics.require_reduction(reduction, ScalarReduction)
    error, rows = predictions - targets, len(predictions) if reduction == "mean" else 1
    slope = error / variance
    return GaussianNllGrads(slope / rows, 0.5 * (1 - error * slope) / variance / rows)


def predict_label(logits: Rows) -> ClassLabels:
    """argmax_j z_j for every row, counted from zero.

    Shapes: logits or probabilities (n, c), the result (n,), integers. Convention: the first of equal ones, as NumPy and
    PyTorch. Raises ValueError on NaN, which is no largest number. Source: 004_64b996b1ba6bbd2b.txt.

    >>> predict_label(np.array([[0.1, 0.7, 0.2], [0.4, 0.2, 0.4]]))
    array([1, 0])
    """
    numerics.require_floats(logits=logits)
    numerics.require_shape(("n", "c"), logits=logits)
    numerics.require_rows(logits=logits)
    numerics.require_numbers(logits=logits)
    return np.argmax(logits, axis=1)


def accuracy(logits: Rows, labels: Classes) -> Array:
    """The share of rows whose largest logit is that of the label.

    Shapes: logits or probabilities (n, c), labels (n,), integers in 0..c−1; the result is a scalar, of the dtype of the
    logits. Conventions and errors as in `predict_label`. Source: 004_64b996b1ba6bbd2b.txt.

    >>> float(accuracy(np.array([[0.1, 0.7, 0.2], [0.4, 0.2, 0.4]]), np.array([1, 2])))
    0.5
    """
    predicted = predict_label(logits)
    numerics.require_classes(labels, *logits.shape)
    return cast(Array, np.mean((predicted == labels).astype(logits.dtype)))


def _targets(logits: Array, labels: Array | IntArray, label_smoothing: float) -> Array:
    """Return the labels as distributions (n, c), smoothed; check them and the logits."""
    numerics.require_floats(logits=logits)
    numerics.require_shape(("n", "c"), logits=logits)
    numerics.require_rows(logits=logits)
    label_smoothing = numerics.require_fraction(label_smoothing=label_smoothing)
    n, c = logits.shape
    if len(getattr(labels, "shape", ())) == 1:
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


def _require_answers(probabilities: Array, labels: Array) -> None:
    numerics.require_floats(probabilities=probabilities, labels=labels)
    numerics.require_same_shape(probabilities=probabilities, labels=labels)
    numerics.require_rows(probabilities=probabilities)
    numerics.require_unit(probabilities=probabilities, labels=labels)


def _require_signs(logits: Array, signs: Array) -> None:
    numerics.require_floats(logits=logits, signs=signs)
    numerics.require_same_shape(logits=logits, signs=signs)
    numerics.require_rows(logits=logits)
    if numerics.is_numpy(signs) and (wrong := np.abs(signs) != 1).any():
        got = np.asarray(signs)[wrong].flat[0]
        raise ValueError(f"signs: expected labels of -1 or 1, got {got}; from labels of 0 and 1 write 2 * labels - 1")


def _require_gaussian(predictions: Array, targets: Array, variance: Array) -> None:
    _require_tables(predictions, targets)
    numerics.require_floats(predictions=predictions, variance=variance)
    numerics.require_same_shape(predictions=predictions, variance=variance)
    if numerics.is_numpy(variance) and not ((variance > 0) & (variance < np.inf)).all():
        wrong = variance[~((variance > 0) & (variance < np.inf))].flat[0]
        raise ValueError(f"variance: expected positive finite values, got {wrong}")
