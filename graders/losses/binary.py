"""Exercises on questions with two answers: from probabilities, and with labels of −1 and +1."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme
from graders.losses import misconceptions as shared
from graders.losses import misconceptions_binary as wrong
from graders.losses import misconceptions_guards as guards
from graders.losses._torch import torch_grad, torch_reduced
from graders.losses.misconceptions import reduced, scaled, scaled_by_entries
from reference import losses as reference
from reference._types import Array, Reduction, ScalarReduction
from reference.activations import sigmoid

_Z = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_HARD = [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
_SOFT = [[0.2, 0.9, 0.4], [0.7, 0.3, 0.6]]
_P = [[0.3, 0.8, 0.6], [0.9, 0.2, 0.45]]
_SURER = [[0.0004, 0.9996, 0.02], [0.9985, 0.003, 0.97]]
_CERTAIN = [[0.0, 1.0, 0.3], [0.6, 0.2, 0.0]]
_WRONG = [[1.0, 0.0, 1.0], [0.0, 1.0, 0.3]]
_RIGHT = [[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]]
_SURE = [[1e-9, 1 - 1e-9, 1e-300], [0.999, 1.7e-30, 3e-5]]
_HUGE_SIGNS = {"logits": [[50.3, -700.7], [1000.3, -1e4]], "signs": [[-1.0, 1.0], [-1.0, 1.0]]}


# --- sigmoid_bce ------------------------------------------------------------------------------------------------------
def bce_summed(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """The sum over all entries for the mean, as in the lectures' L (003_bda8f24b635fcb71.txt)."""
    return reference.sigmoid_bce(probabilities, labels, reduction="sum" if reduction == "mean" else reduction)


def bce_averaged_over_the_rows(probabilities: Array, labels: Array, *, reduction: Reduction = "mean") -> Array:
    """A sum over the entries of a row, then the mean over the rows, as in the reconstruction loss of a VAE."""
    losses = reference.sigmoid_bce(probabilities, labels, reduction="none")
    return reduced(losses, "sum") / len(losses) if reduction == "mean" else reduced(losses, reduction)


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
    misconceptions=(
        shared.reverses_the_sign(reference.sigmoid_bce),
        wrong.forgets_the_negative_class,
        wrong.subtracts_the_negative_class,
        wrong.swaps_the_classes,
        wrong.swaps_the_arguments,
        wrong.applies_the_sigmoid_again,
        wrong.forgets_the_log,
        wrong.squares_the_error,
        shared.uses_the_logarithm_to_base_two(reference.sigmoid_bce),
        shared.uses_the_logarithm_to_base_ten(reference.sigmoid_bce),
        wrong.divides_by_the_columns(reference.sigmoid_bce),
        wrong.takes_the_mean_unasked(reference.sigmoid_bce),
        wrong.takes_zero_times_log_zero,
        wrong.adds_a_small_number,
        wrong.clips_the_probabilities,
        wrong.clips_the_probabilities_less,
        wrong.cuts_the_logarithm,
        *guards.of_sigmoid_bce,
    ),
    conventions=(bce_summed, bce_averaged_over_the_rows),
    programs=(bce_by_the_complement, bce_by_the_answer),
    edges=(
        edge("small", probabilities=_P, labels=_HARD),
        edge("one for each entry", probabilities=_P, labels=_HARD, reduction="none"),
        edge("soft labels and a sum", probabilities=_P, labels=_SOFT, reduction="sum"),
        edge("one entry", probabilities=[[0.3]], labels=[[1.0]]),
        edge("one axis", probabilities=[0.3, 0.8, 0.6, 0.1], labels=[1.0, 0.0, 1.0, 0.3]),
        extreme("certain and right", probabilities=_CERTAIN, labels=_RIGHT, reduction="none"),
        edge("the labels themselves", probabilities=_SOFT, labels=_SOFT),
        edge("surer answers", probabilities=_SURER, labels=_HARD),
        extreme("nearly certain", probabilities=_SURE, labels=_HARD, reduction="none"),
        extreme("nearly certain, in the mean", probabilities=_SURE, labels=_HARD),
        extreme("certain and wrong", probabilities=_CERTAIN, labels=_WRONG, reduction="none"),
    ),
    rivals={"torch": _torch_sigmoid_bce},
)


# --- sigmoid_bce_grad -------------------------------------------------------------------------------------------------
def bce_grad_of_the_sum(probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """The gradient of the sum over all entries, as of the lectures' L (003_bda8f24b635fcb71.txt)."""
    return reference.sigmoid_bce_grad(probabilities, labels, reduction="sum")


def bce_grad_over_the_rows(probabilities: Array, labels: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """A sum over the entries of a row, then the mean over the rows, as in the reconstruction loss of a VAE."""
    return scaled(reference.sigmoid_bce_grad(probabilities, labels, reduction="sum"), reduction)


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
    misconceptions=(
        shared.reverses_the_sign(reference.sigmoid_bce_grad),
        wrong.returns_the_gradient_by_the_logits,
        wrong.multiplies_by_the_derivative,
        wrong.leaves_out_the_negative_class,
        wrong.forgets_the_inner_minus,
        wrong.exchanges_the_denominators,
        wrong.divides_by_one_factor,
        wrong.differentiates_the_squared_error,
        wrong.divides_by_the_columns(reference.sigmoid_bce_grad),
        wrong.takes_the_mean_unasked(reference.sigmoid_bce_grad),
        wrong.divides_zero_by_zero,
        wrong.keeps_the_denominator_from_zero,
        wrong.adds_a_small_number_to_the_denominators,
        wrong.differentiates_at_a_clipped_probability,
    ),
    conventions=(bce_grad_of_the_sum, bce_grad_over_the_rows),
    programs=(by_two_terms,),
    edges=(
        edge("small", probabilities=_P, labels=_HARD),
        edge("a sum", probabilities=_P, labels=_HARD, reduction="sum"),
        edge("soft labels and a sum", probabilities=_P, labels=_SOFT, reduction="sum"),
        edge("one entry", probabilities=[[0.3]], labels=[[1.0]]),
        edge("one axis", probabilities=[0.3, 0.8, 0.6, 0.1], labels=[1.0, 0.0, 1.0, 0.3]),
        extreme("certain and right", probabilities=_CERTAIN, labels=_RIGHT),
        edge("surer answers", probabilities=_SURER, labels=_HARD),
        edge("one label itself", probabilities=_P, labels=[[0.2, 0.8, 0.4], [0.7, 0.3, 0.6]]),
        extreme("nearly certain", probabilities=_SURE, labels=_HARD),
        extreme("certain and wrong", probabilities=_CERTAIN, labels=_WRONG, reduction="sum"),
    ),
    rivals={"torch": _torch_sigmoid_bce_grad},
)


# --- logistic_loss ----------------------------------------------------------------------------------------------------
def loss_summed(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """The sum over all entries for the mean, as in the objective of LIBLINEAR (Fan et al. 2008)."""
    return reference.logistic_loss(logits, signs, reduction="sum" if reduction == "mean" else reduction)


def loss_by_logaddexp(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """log(e⁰ + e^(−t x))."""
    return reduced(np.logaddexp(0.0 * logits, -signs * logits), reduction)


def loss_by_labels(logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    """`bce_with_logits` with labels of 0 and 1, by cases: (1 + t) / 2 is exact too, but its error bound is not 0."""
    return reference.bce_with_logits(logits, np.where(signs > 0, 1 + 0 * signs, 0), reduction=reduction)


def _torch_logistic_loss(torch: Any, logits: Array, signs: Array, *, reduction: Reduction = "mean") -> Array:
    losses = -torch.nn.functional.logsigmoid(torch.tensor(signs) * torch.tensor(logits))
    return torch_reduced(losses, reduction).numpy()


_SIGNS = [[-1.0, 1.0, 1.0], [1.0, -1.0, -1.0]]

logistic_loss = Exercise(
    reference.logistic_loss,
    misconceptions=(
        shared.reverses_the_sign(reference.logistic_loss),
        wrong.punishes_the_right_answer,
        wrong.expects_labels_of_zero_and_one,
        wrong.ignores_the_signs,
        wrong.uses_the_hinge,
        wrong.squares_the_distance,
        wrong.uses_the_exponential_loss,
        wrong.returns_the_probability_of_the_error,
        shared.uses_the_logarithm_to_base_two(reference.logistic_loss),
        shared.uses_the_logarithm_to_base_ten(reference.logistic_loss),
        wrong.divides_by_the_columns(reference.logistic_loss),
        wrong.divides_by_the_rows(reference.logistic_loss),
        wrong.takes_the_mean_unasked(reference.logistic_loss),
        wrong.overflows_for_a_wrong_margin,
        wrong.loses_the_small_losses,
        wrong.clips_the_sigmoid_of_the_margin,
    ),
    conventions=(loss_summed,),
    programs=(loss_by_logaddexp, loss_by_labels),
    edges=(
        edge("small", logits=_Z, signs=_SIGNS),
        edge("one for each entry", logits=_Z, signs=_SIGNS, reduction="none"),
        edge("a sum", logits=_Z, signs=_SIGNS, reduction="sum"),
        edge("one entry", logits=[[-1.3]], signs=[[-1.0]]),
        edge("one axis", logits=[0.3, -1.7, 0.9, 1.1], signs=[1.0, -1.0, -1.0, 1.0]),
        edge("logits of zero", logits=[[0.0, 0.0, 1.3]], signs=[[-1.0, 1.0, 1.0]]),
        edge("every sign plus", logits=_Z, signs=[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),
        edge("every sign minus", logits=_Z, signs=[[-1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]]),
        extreme("wrong by a margin of 20", logits=[[20.3, -20.7]], signs=[[-1.0, 1.0]]),
        extreme("wrong by a margin of 30", logits=[[30.1, -31.3]], signs=[[-1.0, 1.0]], reduction="none"),
        extreme(
            "right by 17 to 50", logits=[[-17.0, 30.3, -50.7, 40.9]], signs=[[-1.0, 1.0, -1.0, 1.0]], reduction="none"
        ),
        extreme("wrong by 50 to 1e4", **_HUGE_SIGNS),
    ),
    rivals={"torch": _torch_logistic_loss},
)


# --- logistic_loss_grad -----------------------------------------------------------------------------------------------
def grad_of_the_sum(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """The gradient of the sum over all entries, as of the objective of LIBLINEAR (Fan et al. 2008)."""
    return reference.logistic_loss_grad(logits, signs, reduction="sum")


def grad_by_labels(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """`bce_with_logits_grad` with labels of 0 and 1."""
    return reference.bce_with_logits_grad(logits, (1 + signs) / 2, reduction=reduction)


def grad_by_one_less_the_sigmoid(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """−t (1 − σ(t x)), which cancels where the prediction is good."""
    return scaled_by_entries(-signs * (1 - sigmoid(signs * logits)), reduction)


def grad_by_logaddexp(logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    """−t e^(−t x − log(e^(−t x) + 1)), as JAX derives log(e^(−t x) + 1)."""
    away = -signs * logits
    return scaled_by_entries(-signs * np.exp(away - np.logaddexp(away, 0)), reduction)


def _torch_logistic_loss_grad(torch: Any, logits: Array, signs: Array, *, reduction: ScalarReduction = "mean") -> Array:
    def loss(x: Any, t: Any) -> Any:
        return torch_reduced(-torch.nn.functional.logsigmoid(t * x), reduction)

    return torch_grad(torch, loss, logits, signs)


logistic_loss_grad = Exercise(
    reference.logistic_loss_grad,
    misconceptions=(
        shared.reverses_the_sign(reference.logistic_loss_grad),
        wrong.forgets_the_label_in_front,
        wrong.weighs_by_the_right_answer,
        wrong.subtracts_the_signs,
        wrong.differentiates_the_sigmoid,
        wrong.uses_the_gradient_of_the_hinge,
        wrong.corrects_the_wrong_answers_alone,
        wrong.differentiates_the_squared_distance,
        wrong.differentiates_the_exponential_loss,
        wrong.divides_by_the_columns(reference.logistic_loss_grad),
        wrong.divides_by_the_rows(reference.logistic_loss_grad),
        wrong.takes_the_mean_unasked(reference.logistic_loss_grad),
        wrong.divides_overflowing_exponentials,
    ),
    conventions=(grad_of_the_sum,),
    programs=(grad_by_labels, grad_by_one_less_the_sigmoid, grad_by_logaddexp),
    edges=(
        edge("small", logits=_Z, signs=_SIGNS),
        edge("a sum", logits=_Z, signs=_SIGNS, reduction="sum"),
        edge("one entry", logits=[[-1.3]], signs=[[-1.0]]),
        edge("one axis", logits=[0.3, -1.7, 0.9, 1.1], signs=[1.0, -1.0, -1.0, 1.0]),
        edge("logits of zero", logits=[[0.0, 0.0, 1.3]], signs=[[-1.0, 1.0, 1.0]]),
        edge("every sign plus", logits=_Z, signs=[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),
        edge("every sign minus", logits=_Z, signs=[[-1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]]),
        extreme("wrong by a margin of 20", logits=[[20.3, -20.7]], signs=[[-1.0, 1.0]]),
        extreme("wrong by a margin of 30", logits=[[30.1, -31.3]], signs=[[-1.0, 1.0]]),
        extreme("right by 17 to 50, and wrong", logits=[[-17.0, 30.3, -50.7, 40.9]], signs=[[-1.0, 1.0, 1.0, 1.0]]),
        extreme("wrong by 50 to 1e4", **_HUGE_SIGNS),
    ),
    rivals={"torch": _torch_logistic_loss_grad},
)
