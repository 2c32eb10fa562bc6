"""Known mistakes in the entropy and the divergence; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from graders.losses.misconceptions import reduced
from reference import losses as reference
from reference._types import Array, Reduction


# --- entropy ----------------------------------------------------------------------------------------------------------
def forgets_the_minus(p: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out the minus. Logarithms of probabilities are negative, and the entropy is not: −Σ p log p."""
    return -reference.entropy(p, reduction=reduction)


def forgets_the_logarithm(p: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out the logarithm. It is −Σ p log p."""
    return reduced(-np.sum(p * p, axis=1), reduction)


def uses_the_gini_impurity(p: Array, *, reduction: Reduction = "mean") -> Array:
    """1 − Σ p² is the Gini impurity. The entropy is −Σ p log p."""
    return reduced(1 - np.sum(p * p, axis=1), reduction)


def forgets_the_weights(p: Array, *, reduction: Reduction = "mean") -> Array:
    """You summed −log p. Every class counts with its weight: −Σ p log p."""
    return reduced(-np.sum(np.log(np.where(p > 0, p, 1)), axis=1), reduction)


def counts_the_likeliest_class_only(p: Array, *, reduction: Reduction = "mean") -> Array:
    """You took −log of the largest probability alone. Every class counts with its weight: −Σ p log p."""
    return reduced(-np.log(np.max(p, axis=1)), reduction)


def adds_the_other_outcome(p: Array, *, reduction: Reduction = "mean") -> Array:
    """You added (1 − p) log(1 − p) for every class. That is for yes-or-no questions; here −Σ p log p is all."""
    other = np.where(p < 1, 1 - p, 1)
    return reduced(-np.sum(p * np.log(np.where(p > 0, p, 1)) + other * np.log(other), axis=1), reduction)


def divides_by_the_largest_entropy(p: Array, *, reduction: Reduction = "mean") -> Array:
    """You divided by log c, the entropy of a uniform row. Return the entropy itself."""
    return reference.entropy(p, reduction=reduction) / np.log(np.asarray(p.shape[1], p.dtype))


def returns_the_perplexity(p: Array, *, reduction: Reduction = "mean") -> Array:
    """You returned e to the entropy, the perplexity. Return the entropy itself."""
    return reduced(np.exp(reference.entropy(p, reduction="none")), reduction)


def takes_zero_times_log_zero(p: Array, *, reduction: Reduction = "mean") -> Array:
    """Where p is 0 you computed 0 · (−inf), which is nan. A class of probability 0 adds 0: leave it out."""
    return reduced(-np.sum(p * np.log(p), axis=1), reduction)


def adds_a_small_number_to_p(p: Array, *, reduction: Reduction = "mean") -> Array:
    """log(p + 1e-7) is not log p: every entropy is a little too small. Leave out the classes with p = 0 instead."""
    return reduced(-np.sum(p * np.log(p + 1e-7), axis=1), reduction)


def clips_p(p: Array, *, reduction: Reduction = "mean") -> Array:
    """You cut p to at least 1e-7, so classes that are rarer count too much. Leave out those with p = 0 instead."""
    p = np.clip(p, 1e-7, 1)
    return reduced(-np.sum(p * np.log(p), axis=1), reduction)


# --- kl_divergence ----------------------------------------------------------------------------------------------------
def swaps_the_arguments(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You computed KL(q‖p). The truth p weighs the logarithms: Σ p log(p/q)."""
    return reference.kl_divergence(q, p, reduction=reduction)


def inverts_the_ratio(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You have Σ p log(q/p), which is never positive. Turn the ratio over: Σ p log(p/q)."""
    return -reference.kl_divergence(p, q, reduction=reduction)


def forgets_the_entropy(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You computed the cross entropy −Σ p log q. Subtract the entropy of p from it: Σ p log(p/q)."""
    return reference.cross_entropy(p, q, reduction=reduction)


def adds_the_entropy(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You added the entropy of p to the cross entropy. Subtract it: Σ p log(p/q)."""
    return reference.cross_entropy(p, q, reduction=reduction) + reference.entropy(p, reduction=reduction)


def takes_q_for_its_logarithm(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out the logarithm of q. It is Σ p (log p − log q), and PyTorch's kl_div asks for log q."""
    return reduced(np.sum(p * (np.log(np.where(p > 0, p, 1)) - q), axis=1), reduction)


def forgets_the_weights_of_the_ratios(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You summed log(p/q). Every class counts with its weight p: Σ p log(p/q)."""
    return reduced(np.sum(np.where(p > 0, np.log(np.where(p > 0, p, 1)) - np.log(q), 0), axis=1), reduction)


def divides_the_logarithms(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You divided log p by log q. The logarithm of a ratio is the difference: log p − log q."""
    return reduced(np.sum(p * np.log(np.where(p > 0, p, 1)) / np.log(q), axis=1), reduction)


def forgets_the_logarithm_of_the_ratio(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out the logarithm. It is Σ p log(p/q)."""
    return reduced(np.sum(np.where(p > 0, p * p / q, 0), axis=1), reduction)


def takes_both_directions(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You added KL(p‖q) and KL(q‖p). Only the one that is weighed by the truth p is asked for."""
    return reference.kl_divergence(p, q, reduction=reduction) + reference.kl_divergence(q, p, reduction=reduction)


def takes_zero_times_the_log_of_zero(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """Where p is 0 you computed 0 · (−inf), which is nan. A class of weight 0 adds 0: leave it out."""
    return reduced(np.sum(p * np.log(p / q), axis=1), reduction)


def adds_a_small_number_to_both(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """log((p + 1e-7) / (q + 1e-7)) is not log(p/q). Leave out the classes with p = 0 instead."""
    return reduced(np.sum(p * np.log((p + 1e-7) / (q + 1e-7)), axis=1), reduction)


def clips_both(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You cut p and q to at least 1e-7, as Keras does. Leave out the classes with p = 0 instead."""
    p, q = np.clip(p, 1e-7, 1), np.clip(q, 1e-7, 1)
    return reduced(np.sum(p * np.log(p / q), axis=1), reduction)


def leaves_out_the_impossible(p: Array, q: Array, *, reduction: Reduction = "mean") -> Array:
    """You left out the classes with q = 0. What happens although it was ruled out costs inf; leave out p = 0 alone."""
    both = (p > 0) & (q > 0)
    ratio = np.log(np.where(both, p, 1)) - np.log(np.where(both, q, 1))
    return reduced(np.sum(p * ratio, axis=1), reduction)
