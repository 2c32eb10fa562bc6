"""Exercises on the label that is predicted, and how often it is right."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
from reference import losses as reference
from reference._types import Array, IntArray

_FOUR = [[0.3, -1.7, 0.9, 0.2], [1.1, 0.4, -0.6, -0.9], [-0.3, -0.2, -1.3, -0.7]]
_EIGHT = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6], [0.2, 0.7, -1.3]] * 2 + [[-0.4, 0.9, 0.6], [1.3, 0.1, -0.8]]
_TIES = [[0.0, 0.0, -0.3], [-0.4, 0.0, 0.0], [0.0, 0.0, 0.0]]
_NEAR = [[1.0, 1.0 + 2.0**-20, 0.3], [-1e4, -1e4 - 0.5, -1e4 + 0.5], [1000.0, 999.5, -1000.0]]


# --- predict_label ----------------------------------------------------------------------------------------------------
def label_by_counting_from_the_end(logits: Array) -> IntArray:
    """The last of the reversed row's largest, with its index turned round."""
    at_most = np.max(logits, axis=1, keepdims=True)
    return np.argmax(np.where(logits == at_most, 1.0 + 0 * logits, 0), axis=1)


predict_label = Exercise(
    reference.predict_label,
    programs=(label_by_counting_from_the_end,),
    edges=(
        edge("small", logits=_FOUR),
        edge("eight rows", logits=_EIGHT),
        edge("one row", logits=[[0.3, -1.7, 0.9, 0.2]]),
        edge("probabilities", logits=[[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.2, 0.2, 0.6]]),
        edge("equal ones", logits=_TIES),
        edge("two classes", logits=[[0.3, -1.7], [0.9, 1.1], [0.4, -0.6]]),
        special("one class", logits=[[0.3], [-1.7]]),
        extreme("near each other, and far out", logits=_NEAR),
    ),
    rivals={"torch": lambda torch, logits: torch.argmax(torch.tensor(logits), dim=1).numpy()},
)


# --- accuracy ---------------------------------------------------------------------------------------------------------
def accuracy_by_counting(logits: Array, labels: IntArray) -> Array:
    """The number of rows that are right, over all."""
    right = np.argmax(logits, axis=1) == labels
    count: Any = np.sum(np.where(right, 1.0 + 0 * logits[:, 0], 0))
    return count / len(labels)


def accuracy_by_the_errors(logits: Array, labels: IntArray) -> Array:
    """One less the share of rows that are wrong."""
    wrong = np.argmax(logits, axis=1) != labels
    share: Any = np.mean(np.where(wrong, 1.0 + 0 * logits[:, 0], 0))
    return 1 - share


def _torch_accuracy(torch: Any, logits: Array, labels: IntArray) -> Array:
    right = torch.argmax(torch.tensor(logits), dim=1) == torch.tensor(labels)
    return right.to(torch.tensor(logits).dtype).mean().numpy()


accuracy = Exercise(
    reference.accuracy,
    programs=(accuracy_by_counting, accuracy_by_the_errors),
    edges=(
        edge("two of three", logits=_FOUR, labels=[2, 0, 0]),
        edge("one of three", logits=_FOUR, labels=[2, 1, 0]),
        edge("three of seven", logits=_EIGHT[:7], labels=[2, 1, 1, 0, 0, 0, 1]),
        edge("probabilities", logits=[[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.2, 0.2, 0.6]], labels=[1, 1, 2]),
        edge("five of six", logits=_EIGHT[:6], labels=[2, 0, 1, 2, 1, 1]),
        edge("equal ones", logits=_TIES, labels=[0, 2, 0]),
        special("all right", logits=_FOUR, labels=[2, 0, 1]),
        special("none right", logits=_FOUR, labels=[1, 1, 0]),
        extreme("near each other, and far out", logits=_NEAR, labels=[1, 2, 1]),
    ),
    rivals={"torch": _torch_accuracy},
)
