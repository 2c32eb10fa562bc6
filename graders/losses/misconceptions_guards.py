"""Small numbers that keep a logarithm finite, and losses from being right: added to a probability, or cutting it off.

Every size that is usual is a mistake of its own, as the numbers tell them apart.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from graders.losses.misconceptions import Function, reduced, smoothed
from reference import losses as reference
from reference._types import Array
from reference.activations import softmax

SIZES = (1e-8, 1e-9, 1e-10, 1e-12, 1e-15)
LEAVE_OUT = "Leave out the terms of weight 0 instead."
FROM_LOGITS = "Compute log s directly: z − max − log Σ e^(z − max)."


def _guarded(probability: Any, how: str, size: float) -> Any:
    match how:
        case "adds":
            return probability + size
        case "cuts":
            return np.clip(probability, size, 1)
    return np.clip(probability, size, 1 - size)


def _cross_entropy(how: str, size: float, p: Any, q: Any, *, reduction: str = "mean") -> Array:
    return reduced(-np.sum(p * np.log(_guarded(q, how, size)), axis=1), reduction)


def _softmax_cross_entropy(
    how: str, size: float, logits: Any, labels: Any, *, reduction: str = "mean", label_smoothing: float = 0.0
) -> Array:
    y = smoothed(logits, labels, label_smoothing)
    return reduced(-np.sum(y * np.log(_guarded(softmax(logits), how, size)), axis=1), reduction)


def _sigmoid_bce(how: str, size: float, probabilities: Any, labels: Any, *, reduction: str = "mean") -> Array:
    p, rest = _guarded(probabilities, how, size), _guarded(1 - probabilities, how, size)
    rest = rest if how == "adds" else 1 - p
    return reduced(-labels * np.log(p) - (1 - labels) * np.log(rest), reduction)


def _made(f: Function, loss: Callable[..., Array], how: str, size: float, instead: str) -> Function:
    def guarded(*arrays: Any, **hyper: Any) -> Array:
        return loss(how, size, *arrays, **hyper)

    most = f"no loss exceeds {-np.log(size):.0f}"
    end = f"{size:g}".replace("-", "_")
    told = {
        "adds": (f"adds_{end}", f"log(p + {size:g}) is not log p, and {most}."),
        "cuts": (f"cuts_at_{end}", f"You cut p to at least {size:g}, so {most}."),
        "cuts_both": (f"cuts_both_ends_at_{end}", f"You cut p to [{size:g}, 1 − {size:g}], so {most} and none is 0."),
    }
    name, says = told[how]
    guarded.__name__ = guarded.__qualname__ = name
    guarded.__doc__ = f"{says} {instead}"
    return with_signature_of(f, guarded)


of_cross_entropy = tuple(
    _made(reference.cross_entropy, _cross_entropy, how, size, LEAVE_OUT)
    for how, sizes in (("adds", SIZES), ("cuts", SIZES), ("cuts_both", (1e-7, 1e-8)))  # below, both ends look like one
    for size in sizes
)
of_softmax_cross_entropy = tuple(
    _made(reference.softmax_cross_entropy, _softmax_cross_entropy, how, size, FROM_LOGITS)
    for how in ("adds", "cuts", "cuts_both")
    for size in SIZES
    if (how, size) != ("cuts", 1e-12)  # has a name of its own, as those of 1e-7 have
)
of_sigmoid_bce = tuple(
    _made(reference.sigmoid_bce, _sigmoid_bce, how, size, LEAVE_OUT)
    for how in ("adds", "cuts_both")
    for size in SIZES
    if (how, size) != ("cuts_both", 1e-15)
)
