"""Exercises on distributions compared with themselves and with others."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
from graders.losses import misconceptions as shared
from graders.losses import misconceptions_distributions as wrong
from graders.losses._torch import torch_reduced
from graders.losses.misconceptions import reduced
from reference import losses as reference
from reference._types import Array, Reduction

_P = [[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]]
_Q = [[0.3, 0.3, 0.4], [0.1, 0.6, 0.3]]
_WITH_ZEROS = [[0.2, 0.8, 0.0], [0.0, 0.3, 0.7]]
_ONE_HOT = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
_RARE = [[1.7e-9, 0.3, 0.6999999983], [0.4, 2.3e-30, 0.6]]


# --- entropy ----------------------------------------------------------------------------------------------------------
def sums_the_entropies(p: Array, *, reduction: Reduction = "mean") -> Array:
    """The sum over the batch for the mean, as in the lectures' L = Σ_i L_i (001_85d2a45f19410a02.txt)."""
    return reference.entropy(p, reduction="sum" if reduction == "mean" else reduction)


def entropy_by_terms(p: Array, *, reduction: Reduction = "mean") -> Array:
    """Every term by itself, zeros left out, and one sum."""
    terms = np.where(p > 0, -p * np.log(np.where(p > 0, p, 1)), 0)
    if reduction == "none":
        return np.sum(terms, axis=1)
    return np.sum(terms) / len(p) if reduction == "mean" else np.sum(terms)


def entropy_by_surprise(p: Array, *, reduction: Reduction = "mean") -> Array:
    """Σ p log(1/p)."""
    return reduced(np.sum(p * np.log(1 / np.where(p > 0, p, 1)), axis=1), reduction)


def _torch_entropy(torch: Any, p: Array, *, reduction: Reduction = "mean") -> Array:
    made: Array = torch_reduced(torch.special.entr(torch.tensor(p)).sum(dim=1), reduction).numpy()
    return made


entropy = Exercise(
    reference.entropy,
    misconceptions=(
        wrong.forgets_the_minus,
        wrong.forgets_the_logarithm,
        wrong.uses_the_gini_impurity,
        wrong.forgets_the_weights,
        wrong.counts_the_likeliest_class_only,
        wrong.adds_the_other_outcome,
        wrong.divides_by_the_largest_entropy,
        wrong.returns_the_perplexity,
        shared.uses_the_logarithm_to_base_two(reference.entropy),
        shared.uses_the_logarithm_to_base_ten(reference.entropy),
        shared.divides_by_the_classes(reference.entropy),
        shared.divides_by_all_entries(reference.entropy),
        shared.ignores_the_reduction(reference.entropy),
        wrong.takes_zero_times_log_zero,
        wrong.adds_a_small_number_to_p,
        wrong.clips_p,
    ),
    conventions=(sums_the_entropies,),
    programs=(entropy_by_terms, entropy_by_surprise),
    edges=(
        edge("small", p=_P),
        edge("one for each row", p=_P, reduction="none"),
        edge("a sum", p=_P, reduction="sum"),
        edge("zeros", p=_WITH_ZEROS),
        edge("one row, two classes", p=[[0.3, 0.7]]),
        edge("uniform", p=[[0.2, 0.2, 0.2, 0.2, 0.2], [0.1, 0.3, 0.2, 0.2, 0.2]]),
        special("one-hot", p=_ONE_HOT),
        special("one class", p=[[1.0], [1.0]]),
        extreme("rare classes", p=_RARE, reduction="none"),
        extreme("rare classes, in the mean", p=_RARE),
        extreme("all but certain", p=[[1.7e-4, 1 - 1.7e-4], [1.7e-12, 1 - 1.7e-12], [1e-300, 1.0]], reduction="none"),
    ),
    rivals={"torch": _torch_entropy},
)


# --- kl_divergence ----------------------------------------------------------------------------------------------------
def sums_the_divergences(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """The sum over the batch for the mean, as PyTorch's kl_div with reduction="sum"."""
    return reference.kl_divergence(p, q, reduction="sum" if reduction == "mean" else reduction)


def divergence_by_one_ratio(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """Σ p log(p / q) as it is written."""
    ratio = np.where(p > 0, p, 1) / np.where(p > 0, q, 1)
    return reduced(np.sum(p * np.log(ratio), axis=1), reduction)


def divergence_by_two_logarithms(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """Σ p (log p − log q)."""
    log_p, log_q = np.log(np.where(p > 0, p, 1)), np.log(np.where(p > 0, q, 1))
    return reduced(np.sum(p * (log_p - log_q), axis=1), reduction)


def _torch_kl_divergence(torch: Any, p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    terms = torch.nn.functional.kl_div(torch.log(torch.tensor(q)), torch.tensor(p), reduction="none")
    made: Array = torch_reduced(terms.sum(dim=1), reduction).numpy()
    return made


kl_divergence = Exercise(
    reference.kl_divergence,
    misconceptions=(
        wrong.swaps_the_arguments,
        wrong.inverts_the_ratio,
        wrong.forgets_the_entropy,
        wrong.adds_the_entropy,
        wrong.takes_q_for_its_logarithm,
        wrong.forgets_the_weights_of_the_ratios,
        wrong.divides_the_logarithms,
        wrong.forgets_the_logarithm_of_the_ratio,
        wrong.takes_both_directions,
        shared.uses_the_logarithm_to_base_two(reference.kl_divergence),
        shared.uses_the_logarithm_to_base_ten(reference.kl_divergence),
        shared.divides_by_the_classes(reference.kl_divergence),
        shared.divides_by_all_entries(reference.kl_divergence),
        shared.ignores_the_reduction(reference.kl_divergence),
        wrong.takes_zero_times_the_log_of_zero,
        wrong.adds_a_small_number_to_both,
        wrong.clips_both,
        wrong.leaves_out_the_impossible,
    ),
    conventions=(sums_the_divergences,),
    programs=(divergence_by_one_ratio, divergence_by_two_logarithms),
    edges=(
        edge("small", p=_P, q=_Q),
        edge("one for each row", p=_P, q=_Q, reduction="none"),
        edge("a sum", p=_P, q=_Q, reduction="sum"),
        edge("zeros in p", p=_WITH_ZEROS, q=_Q),
        edge("one-hot", p=_ONE_HOT, q=_Q),
        edge("one row", p=[[0.2, 0.5, 0.3]], q=[[0.4, 0.1, 0.5]]),
        edge("two classes", p=[[0.3, 0.7], [0.9, 0.1]], q=[[0.6, 0.4], [0.7, 0.3]]),
        edge("zeros in both", p=_WITH_ZEROS, q=[[0.3, 0.7, 0.0], [0.0, 0.6, 0.4]]),
        special("the same", p=_P, q=_P),
        special("one class", p=[[1.0], [1.0]], q=[[1.0], [1.0]]),
        extreme("rare classes", p=_RARE, q=_Q, reduction="none"),
        extreme("nearly impossible", p=_Q, q=_RARE),
        extreme("impossible", p=_P, q=[[0.3, 0.7, 0.0], [0.1, 0.6, 0.3]], reduction="none"),
    ),
    rivals={"torch": _torch_kl_divergence},
)
