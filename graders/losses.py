"""Exercises on the losses of a batch, and on their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme
from reference import losses as reference
from reference._types import Array


# --- softmax_cross_entropy_grad ---------------------------------------------------------------------------------------
def divides_by_the_classes(logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0) -> Array:
    """You divided by the number of classes. The mean is over the samples, so divide by the number of rows."""
    error = _error(logits, labels, label_smoothing)
    return error / logits.shape[1] if reduction == "mean" else error


def divides_by_all_entries(logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0) -> Array:
    """You divided by rows times classes. The loss has one value for each row, so divide by the number of rows alone."""
    error = _error(logits, labels, label_smoothing)
    return error / (logits.shape[0] * logits.shape[1]) if reduction == "mean" else error


def softmaxes_down_the_columns(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """Your softmax runs down the columns. Each row is one sample, so sum and take the maximum over axis 1."""
    y = _targets(logits, labels, label_smoothing)
    e = np.exp(logits - np.max(logits, axis=0, keepdims=True))
    return _scaled(e / np.sum(e, axis=0, keepdims=True) - y, reduction)


def normalizes_over_the_batch(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """Your softmax sums over the whole batch. Every row needs its own sum: use axis=1 and keepdims=True."""
    y = _targets(logits, labels, label_smoothing)
    e = np.exp(logits - np.max(logits))
    return _scaled(e / np.sum(e) - y, reduction)


def subtracts_the_prediction(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """You have the sign reversed. The gradient of the loss is predicted minus observed, softmax(z) − y."""
    return -_scaled(_error(logits, labels, label_smoothing), reduction)


def uses_the_logits_as_probabilities(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """You subtracted the labels from the logits themselves. Put the logits through softmax first."""
    return _scaled(logits - _targets(logits, labels, label_smoothing), reduction)


def stops_at_the_probabilities(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """You stopped at the gradient by the probabilities, −y/s. Multiply it by the Jacobian of softmax to reach s − y."""
    return _scaled(-_targets(logits, labels, label_smoothing) / _softmax(logits), reduction)


def keeps_the_diagonal_of_the_jacobian(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """You used only the diagonal of softmax's Jacobian. Every output depends on every logit: ∂s_j/∂z_i = s_j(δ_ij − s_i)."""
    y = _targets(logits, labels, label_smoothing)
    return _scaled(-y * (1 - _softmax(logits)), reduction)


def multiplies_by_the_derivative_of_softmax(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """You multiplied s − y by s(1 − s) once more. The cross entropy cancels that factor: s − y is the whole gradient."""
    s = _softmax(logits)
    return _scaled((s - _targets(logits, labels, label_smoothing)) * s * (1 - s), reduction)


def ignores_the_label_smoothing(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """You ignored `label_smoothing`. Replace the labels y by (1 − α) y + α / c first."""
    return reference.softmax_cross_entropy_grad(logits, labels, reduction=reduction)


def smooths_the_wrong_classes_only(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """You spread α over the other c − 1 classes. Here, as in PyTorch, it is spread over all c: (1 − α) y + α / c."""
    y = _targets(logits, labels, 0.0)
    others = label_smoothing / max(logits.shape[1] - 1, 1)
    return _scaled(_softmax(logits) - ((1 - label_smoothing) * y + others * (1 - y)), reduction)


def exponentiates_without_the_shift(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """Your softmax overflows: e^1000 is inf. Subtract the maximum of each row first; the softmax stays the same."""
    e = np.exp(logits)
    y = _targets(logits, labels, label_smoothing)
    return _scaled(e / np.sum(e, axis=1, keepdims=True) - y, reduction)


def shifts_by_the_maximum_of_the_batch(
    logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    """You subtracted the maximum of the whole batch, so a row far below it becomes 0/0. Subtract each row's own maximum."""
    e = np.exp(logits - np.max(logits))
    y = _targets(logits, labels, label_smoothing)
    return _scaled(e / np.sum(e, axis=1, keepdims=True) - y, reduction)


def sums_over_the_batch(logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0) -> Array:
    """The sum over the batch instead of its mean, as in the lectures' L = Σ_i L_i and PyTorch's reduction="sum"."""
    return reference.softmax_cross_entropy_grad(logits, labels, reduction="sum", label_smoothing=label_smoothing)


def by_exp_of_log_softmax(logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0) -> Array:
    """Softmax as the exponential of z − logsumexp(z)."""
    d = logits - np.max(logits, axis=1, keepdims=True)
    s = np.exp(d - np.log(np.sum(np.exp(d), axis=1, keepdims=True)))
    return _scaled(s - _targets(logits, labels, label_smoothing), reduction)


def by_dividing_first(logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0) -> Array:
    """s/n − y/n, as an automatic gradient of the mean gives it."""
    n = len(logits) if reduction == "mean" else 1
    return _softmax(logits) / n - _targets(logits, labels, label_smoothing) / n


def _torch_ce_grad(
    torch: Any, logits: Array, labels: Any, *, reduction: Any = "mean", label_smoothing: float = 0
) -> Array:
    z = torch.tensor(logits, requires_grad=True)
    y = torch.tensor(labels)
    torch.nn.functional.cross_entropy(z, y, reduction=reduction, label_smoothing=label_smoothing).backward()
    grad: Array = z.grad.numpy()
    return grad


softmax_cross_entropy_grad = Exercise(
    reference.softmax_cross_entropy_grad,
    misconceptions=(
        divides_by_the_classes,
        divides_by_all_entries,
        softmaxes_down_the_columns,
        normalizes_over_the_batch,
        subtracts_the_prediction,
        uses_the_logits_as_probabilities,
        stops_at_the_probabilities,
        keeps_the_diagonal_of_the_jacobian,
        multiplies_by_the_derivative_of_softmax,
        ignores_the_label_smoothing,
        smooths_the_wrong_classes_only,
        exponentiates_without_the_shift,
        shifts_by_the_maximum_of_the_batch,
    ),
    conventions=(sums_over_the_batch,),
    programs=(by_exp_of_log_softmax, by_dividing_first),
    edges=(
        edge("small", logits=[[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]], labels=[[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]]),
        edge("integer classes", logits=[[0.3, -1.7, 0.9, 0.2], [1.1, 0.4, -0.6, -0.9]], labels=[2, 0]),
        edge("one row", logits=[[0.3, -1.7, 0.9]], labels=[1]),
        edge("one class", logits=[[0.3], [-1.7]], labels=[[1.0], [1.0]]),
        edge("all logits equal", logits=[[0.7, 0.7, 0.7], [-0.4, -0.4, -0.4]], labels=[0, 2]),
        edge(
            "smoothing and a sum",
            logits=[[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]],
            labels=[2, 0],
            label_smoothing=0.3,
            reduction="sum",
        ),
        extreme("margin of 2000", logits=[[1000.0, 0.3, -1000.0], [-1000.0, 1000.0, 999.5]], labels=[2, 2]),
        extreme("margin of 1400, rows apart", logits=[[705.0, -705.0, 1.3], [-705.0, -704.2, -703.1]], labels=[1, 0]),
        extreme(
            "rows far apart",
            logits=[[-500.3, -499.1, -501.2], [0.3, -1.7, 0.9], [500.2, 499.4, 501.1]],
            labels=[0, 1, 2],
        ),
        extreme("logits of 1e4", logits=[[1e4, -1e4, 0.7], [-1e4, -1e4 + 1.5, -1e4]], labels=[0, 0]),
    ),
    rivals={"torch": _torch_ce_grad},
)


def _softmax(logits: Array) -> Array:
    e = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    s: Array = e / np.sum(e, axis=1, keepdims=True)
    return s


def _targets(logits: Array, labels: Any, label_smoothing: float) -> Array:
    c = logits.shape[1]
    y = labels if labels.ndim == 2 else (labels[:, None] == np.arange(c)).astype(logits.dtype)
    smoothed: Array = (1 - label_smoothing) * y + label_smoothing / c
    return smoothed


def _error(logits: Array, labels: Any, label_smoothing: float) -> Array:
    return _softmax(logits) - _targets(logits, labels, label_smoothing)


def _scaled(error: Array, reduction: str) -> Array:
    return error / len(error) if reduction == "mean" else error
