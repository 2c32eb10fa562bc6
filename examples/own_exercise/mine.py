"""Exercises of one's own: the pseudo-Huber loss δ² (√(1 + (r/δ)²) − 1), r = prediction − target, and its gradient.

The name of this file is their topic: `mine.pseudo_huber`.
"""

from typing import Annotated

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special

Rows = Annotated[np.ndarray, "n d"]  # axes; a domain may follow: "simplex", "unit", "nonnegative", "classes"
Width = Annotated[float, "positive"]


# --- what is right ----------------------------------------------------------------------------------------------------
def pseudo_huber(predictions: Rows, targets: Rows, *, delta: Width = 1.0) -> float:
    """Mean over all entries; written as r² / (1 + √(1 + (r/δ)²)), in which nothing cancels."""
    r = predictions - targets
    return np.mean(r * r / (1 + np.sqrt(1 + (r / delta) ** 2)))


def pseudo_huber_grad(predictions: Rows, targets: Rows, *, delta: Width = 1.0) -> Rows:
    """By the predictions: r / √(1 + (r/δ)²), over the number of entries."""
    r = predictions - targets
    return r / np.sqrt(1 + (r / delta) ** 2) / r.size


# --- what goes wrong: the name is a verb phrase, the docstring is what the student is told ----------------------------
def forgets_to_subtract_one(predictions, targets, *, delta=1.0):
    """You left out the −1, so a perfect prediction costs δ². Subtract 1 from the root."""
    r = predictions - targets
    return np.mean(delta**2 * np.sqrt(1 + (r / delta) ** 2))


def forgets_the_factor(predictions, targets, *, delta=1.0):
    """You left out the factor δ² before the bracket. Multiply by it, so that small errors cost r²/2 for every δ."""
    return pseudo_huber(predictions, targets, delta=delta) / delta**2


def computes_the_huber_loss(predictions, targets, *, delta=1.0):
    """You computed the Huber loss, in two pieces that meet at |r| = δ. The pseudo-Huber loss is one smooth formula."""
    r = np.abs(predictions - targets)
    return np.mean(np.where(r <= delta, r * r / 2, delta * (r - delta / 2)))


def subtracts_one_from_the_root(predictions, targets, *, delta=1.0):
    """For a small r the root is 1 to the last digit, and the −1 leaves nothing. Use r² / (1 + √(1 + (r/δ)²))."""
    r = predictions - targets
    return np.mean(delta**2 * (np.sqrt(1 + (r / delta) ** 2) - 1))


def reverses_the_sign(predictions, targets, *, delta=1.0):
    """Your gradient has the opposite sign: r is the prediction minus the target."""
    return -pseudo_huber_grad(predictions, targets, delta=delta)


def clips_the_error(predictions, targets, *, delta=1.0):
    """You clipped r to ±δ, which is the gradient of the Huber loss. Divide r by √(1 + (r/δ)²)."""
    r = predictions - targets
    return np.clip(r, -delta, delta) / r.size


def forgets_the_root(predictions, targets, *, delta=1.0):
    """You divided by 1 + (r/δ)². Divide by its square root."""
    r = predictions - targets
    return r / (1 + (r / delta) ** 2) / r.size


# --- what is right by another definition ------------------------------------------------------------------------------
def sums_over_all(predictions, targets, *, delta=1.0):
    """The sum over all entries for the mean, as many papers write a loss."""
    return pseudo_huber(predictions, targets, delta=delta) * np.size(predictions)


def differentiates_the_sum(predictions, targets, *, delta=1.0):
    """The gradient of the sum over all entries, as many papers write a loss."""
    return pseudo_huber_grad(predictions, targets, delta=delta) * np.size(predictions)


# --- the exercises ----------------------------------------------------------------------------------------------------
SMALL = {"predictions": [[0.3, -1.7, 0.9], [2.1, 0.4, -0.6]], "targets": [[0.1, 0.8, 1.2], [-1.3, 0.5, 0.7]]}

loss = Exercise(
    pseudo_huber,
    misconceptions=(
        forgets_to_subtract_one, forgets_the_factor, computes_the_huber_loss, subtracts_one_from_the_root,
    ),
    conventions=(sums_over_all,),
    edges=(
        edge("small", **SMALL, delta=0.7),
        special("a perfect prediction", predictions=[[0.3]], targets=[[0.3]]),
        extreme("errors of 1e-9", predictions=[[1.7e-9, -0.3e-9]], targets=[[0.0, 0.0]], delta=0.9),
    ),
)  # fmt: skip

gradient = Exercise(
    pseudo_huber_grad,
    misconceptions=(reverses_the_sign, clips_the_error, forgets_the_root),
    conventions=(differentiates_the_sum,),
    edges=(edge("small", **SMALL, delta=0.7),),
)
