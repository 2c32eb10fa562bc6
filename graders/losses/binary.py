"""Exercises on questions with two answers: from probabilities, and with labels of −1 and +1."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme
from graders.losses._torch import torch_grad, torch_reduced
from graders.losses.misconceptions import reduced, scaled_by_entries
from reference import losses as reference
from reference._types import Array, Reduction, ScalarReduction
from reference.activations import sigmoid

_Z = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_HARD = [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
_SOFT = [[0.2, 0.9, 0.4], [0.7, 0.3, 0.6]]
_P = [[0.3, 0.8, 0.6], [0.9, 0.2, 0.45]]
_CERTAIN = [[0.0, 1.0, 0.3], [0.6, 0.2, 0.0]]
_WRONG = [[1.0, 0.0, 1.0], [0.0, 1.0, 0.3]]
_RIGHT = [[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]]
_SURE = [[1e-9, 1 - 1e-9, 1e-300], [0.999, 1.7e-30, 3e-5]]
_HUGE_SIGNS = {"logits": [[50.3, -700.7], [1000.3, -1e4]], "signs": [[-1.0, 1.0], [-1.0, 1.0]]}


# --- sigmoid_bce ------------------------------------------------------------------------------------------------------
def bce_by_the_complement(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """log(1 − p) with the difference formed first."""
    log_p = np.log(np.where(labels > 0, probabilities, 1))
    log_not_p = np.log(np.where(labels < 1, 1 - probabilities, 1))
    return reduced(-labels * log_p - (1 - labels) * log_not_p, reduction)


def bce_by_the_answer(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """For certain labels −log of the probability of the answer, by cases."""
    yes = -np.log(np.where(labels > 0, probabilities, 1))
    no = -np.log1p(-np.where(labels < 1, probabilities, 0))
    mixed = labels * yes + (1 - labels) * no
    return reduced(np.where(labels == 1, yes, np.where(labels == 0, no, mixed)), reduction)


def _torch_sigmoid_bce(torch: Any, probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    p, t = torch.tensor(probabilities), torch.tensor(labels)
    return torch.nn.functional.binary_cross_entropy(p, t, reduction=reduction).numpy()


sigmoid_bce = Exercise(
    reference.sigmoid_bce,
    programs=(bce_by_the_complement, bce_by_the_answer),
    edges=(
        edge("small", probabilities=_P, labels=_HARD),
        edge("one for each entry", probabilities=_P, labels=_HARD, reduction="none"),
        edge("soft labels and a sum", probabilities=_P, labels=_SOFT, reduction="sum"),
        edge("one entry", probabilities=[[0.3]], labels=[[1.0]]),
        edge("one axis", probabilities=[0.3, 0.8, 0.6, 0.1], labels=[1.0, 0.0, 1.0, 0.3]),
        edge("certain and right", probabilities=_CERTAIN, labels=_RIGHT, reduction="none"),
        edge("the labels themselves", probabilities=_SOFT, labels=_SOFT),
        extreme("nearly certain", probabilities=_SURE, labels=_HARD, reduction="none"),
        extreme("certain and wrong", probabilities=_CERTAIN, labels=_WRONG, reduction="none"),
    ),
    rivals={"torch": _torch_sigmoid_bce},
)


# --- sigmoid_bce_grad -------------------------------------------------------------------------------------------------
def by_two_terms(probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """(1 − t) / (1 − p) − t / p."""
    p, t = probabilities, labels
    no, yes = np.where(t < 1, (1 - t) / np.where(t < 1, 1 - p, 1), 0), np.where(t > 0, t / np.where(t > 0, p, 1), 0)
    return scaled_by_entries(np.where(t == 1, -1 / p, np.where(t == 0, 1 / (1 - p), no - yes)), reduction)


def _torch_sigmoid_bce_grad(
    torch: Any, probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean"
) -> Array:
    def loss(p: Any, t: Any) -> Any:
        return torch.nn.functional.binary_cross_entropy(p, t, reduction=reduction)

    return torch_grad(torch, loss, probabilities, labels)


sigmoid_bce_grad = Exercise(
    reference.sigmoid_bce_grad,
    programs=(by_two_terms,),
    edges=(
        edge("small", probabilities=_P, labels=_HARD),
        edge("a sum", probabilities=_P, labels=_HARD, reduction="sum"),
        edge("soft labels and a sum", probabilities=_P, labels=_SOFT, reduction="sum"),
        edge("one entry", probabilities=[[0.3]], labels=[[1.0]]),
        edge("one axis", probabilities=[0.3, 0.8, 0.6, 0.1], labels=[1.0, 0.0, 1.0, 0.3]),
        edge("certain and right", probabilities=_CERTAIN, labels=_RIGHT),
        edge("one label itself", probabilities=_P, labels=[[0.2, 0.8, 0.4], [0.7, 0.3, 0.6]]),
        extreme("nearly certain", probabilities=_SURE, labels=_HARD),
        extreme("certain and wrong", probabilities=_CERTAIN, labels=_WRONG, reduction="sum"),
    ),
    rivals={"torch": _torch_sigmoid_bce_grad},
)


# --- logistic_loss ----------------------------------------------------------------------------------------------------
def loss_by_logaddexp(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """log(e⁰ + e^(−t x))."""
    return reduced(np.logaddexp(0.0 * logits, -signs * logits), reduction)


def loss_by_labels(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """`bce_with_logits` with labels of 0 and 1."""
    return reference.bce_with_logits(logits, (1 + signs) / 2, reduction=reduction)


def _torch_logistic_loss(torch: Any, logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    losses = -torch.nn.functional.logsigmoid(torch.tensor(signs) * torch.tensor(logits))
    return torch_reduced(losses, reduction).numpy()


_SIGNS = [[-1.0, 1.0, 1.0], [1.0, -1.0, -1.0]]

logistic_loss = Exercise(
    reference.logistic_loss,
    programs=(loss_by_logaddexp, loss_by_labels),
    edges=(
        edge("small", logits=_Z, signs=_SIGNS),
        edge("one for each entry", logits=_Z, signs=_SIGNS, reduction="none"),
        edge("a sum", logits=_Z, signs=_SIGNS, reduction="sum"),
        edge("one entry", logits=[[-1.3]], signs=[[-1.0]]),
        edge("one axis", logits=[0.3, -1.7, 0.9, 1.1], signs=[1.0, -1.0, -1.0, 1.0]),
        edge("logits of zero", logits=[[0.0, 0.0, 1.3]], signs=[[-1.0, 1.0, 1.0]]),
        extreme("wrong by a margin of 20", logits=[[20.3, -20.7]], signs=[[-1.0, 1.0]]),
        extreme(
            "right by 17 to 50", logits=[[-17.0, 30.3, -50.7, 40.9]], signs=[[-1.0, 1.0, -1.0, 1.0]], reduction="none"
        ),
        extreme("wrong by 50 to 1e4", **_HUGE_SIGNS),
    ),
    rivals={"torch": _torch_logistic_loss},
)


# --- logistic_loss_grad -----------------------------------------------------------------------------------------------
def grad_by_labels(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """`bce_with_logits_grad` with labels of 0 and 1."""
    return reference.bce_with_logits_grad(logits, (1 + signs) / 2, reduction=reduction)


def grad_by_one_less_the_sigmoid(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """−t (1 − σ(t x)), which cancels where the prediction is good."""
    return scaled_by_entries(-signs * (1 - sigmoid(signs * logits)), reduction)


def _torch_logistic_loss_grad(torch: Any, logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    def loss(x: Any, t: Any) -> Any:
        return torch_reduced(-torch.nn.functional.logsigmoid(t * x), reduction)

    return torch_grad(torch, loss, logits, signs)


logistic_loss_grad = Exercise(
    reference.logistic_loss_grad,
    programs=(grad_by_labels, grad_by_one_less_the_sigmoid),
    edges=(
        edge("small", logits=_Z, signs=_SIGNS),
        edge("a sum", logits=_Z, signs=_SIGNS, reduction="sum"),
        edge("one entry", logits=[[-1.3]], signs=[[-1.0]]),
        edge("one axis", logits=[0.3, -1.7, 0.9, 1.1], signs=[1.0, -1.0, -1.0, 1.0]),
        edge("logits of zero", logits=[[0.0, 0.0, 1.3]], signs=[[-1.0, 1.0, 1.0]]),
        extreme("wrong by a margin of 20", logits=[[20.3, -20.7]], signs=[[-1.0, 1.0]]),
        extreme("right by 17 to 50, and wrong", logits=[[-17.0, 30.3, -50.7, 40.9]], signs=[[-1.0, 1.0, 1.0, 1.0]]),
        extreme("wrong by 50 to 1e4", **_HUGE_SIGNS),
    ),
    rivals={"torch": _torch_logistic_loss_grad},
)
