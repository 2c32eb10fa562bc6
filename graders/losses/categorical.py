"""Exercises on the label that is predicted, and how often it is right."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme, special
from graders.losses import misconceptions_categorical as wrong
from reference import losses as reference
from reference._types import Array, IntArray

_FOUR = [[0.3, -1.7, 0.9, 0.2], [1.1, 0.4, -0.6, -0.9], [-0.3, -0.2, -1.3, -0.7]]
_EIGHT = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6], [0.2, 0.7, -1.3]] * 2 + [[-0.4, 0.9, 0.6], [1.3, 0.1, -0.8]]
_TIES = [[0.0, 0.0, -0.3], [-0.4, 0.0, 0.0], [0.0, 0.0, 0.0]]
_NEARER = [[1.0, 1.0 + 2.0**-40, 0.3], [-3.0, -1.0, -1.0 + 2.0**-40], [2.0**-59, 2.0**-60, 0.0]]
"""Largest numbers that single precision, or rounding to a dozen digits, would not tell apart."""
_NEAR = [[1.0, 1.0 + 2.0**-20, 0.3], [-1e4, -1e4 - 0.5, -1e4 + 0.5], [1000.0, 999.5, -1000.0]]
_SQUARE = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6], [-0.3, 0.8, -1.3]]
_MANY_CLASSES = np.cos(0.01 * (np.arange(300) - np.array([[280], [140], [3]])))
"""Labels and counts beyond those that a byte holds."""
_MANY_ROWS = np.cos(np.arange(900.0)).reshape(300, 3)
_LABELS = np.where(np.arange(300) < 280, np.argmax(_MANY_ROWS, axis=1), np.argmin(_MANY_ROWS, axis=1))


# --- predict_label ----------------------------------------------------------------------------------------------------
def label_by_the_distance(logits: Array) -> IntArray:
    """The one that is at no distance from the largest."""
    return np.argmax(logits - np.max(logits, axis=1, keepdims=True), axis=1)


predict_label = Exercise(
    reference.predict_label,
    misconceptions=(
        wrong.counts_from_one,
        wrong.takes_the_smallest,
        wrong.takes_the_last_of_equal_ones,
        wrong.looks_down_the_columns,
        wrong.looks_at_the_whole_array,
        wrong.returns_the_logit,
        wrong.returns_one_hot_rows,
        wrong.keeps_the_axis,
        wrong.ignores_the_sign,
    ),
    programs=(label_by_the_distance,),
    edges=(
        edge("small", logits=_FOUR),
        edge("eight rows", logits=_EIGHT),
        edge("one row", logits=[[0.3, -1.7, 0.9, 0.2]]),
        edge("probabilities", logits=[[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.2, 0.2, 0.6]]),
        edge("equal ones", logits=_TIES),
        edge("two classes", logits=[[0.3, -1.7], [0.9, 1.1], [0.4, -0.6]]),
        edge("as many rows as classes", logits=_SQUARE),
        edge("three hundred classes", logits=_MANY_CLASSES),
        special("one class", logits=[[0.3], [-1.7]]),
        extreme("near each other, and far out", logits=_NEAR),
        extreme("nearer to each other", logits=_NEARER),
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
    misconceptions=(
        wrong.counts_the_right_ones,
        wrong.returns_the_share_of_errors,
        wrong.gives_percent,
        wrong.divides_by_the_classes,
        wrong.trusts_the_smallest,
        wrong.counts_labels_from_one,
        wrong.ignores_the_sign_of_the_logits,
        wrong.predicts_the_last_of_equal_ones,
        wrong.counts_ties_as_right,
        wrong.counts_the_two_best,
        wrong.compares_entry_by_entry,
        wrong.averages_over_the_classes,
        wrong.divides_whole_numbers,
    ),
    programs=(accuracy_by_counting, accuracy_by_the_errors),
    edges=(
        edge("two of three", logits=_FOUR, labels=[2, 0, 0]),
        edge("one of three", logits=_FOUR, labels=[2, 1, 0]),
        edge("three of seven", logits=_EIGHT[:7], labels=[2, 1, 1, 0, 0, 0, 1]),
        edge("probabilities", logits=[[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.2, 0.2, 0.6]], labels=[1, 1, 2]),
        edge("five of six", logits=_EIGHT[:6], labels=[2, 0, 1, 2, 1, 1]),
        edge("equal ones", logits=_TIES, labels=[0, 2, 0]),
        edge("as many rows as classes", logits=_SQUARE, labels=[2, 0, 0]),
        edge("280 of 300", logits=_MANY_ROWS, labels=_LABELS),
        special("all right", logits=_FOUR, labels=[2, 0, 1]),
        special("none right", logits=_FOUR, labels=[1, 1, 0]),
        extreme("near each other, and far out", logits=_NEAR, labels=[1, 2, 1]),
        extreme("nearer to each other", logits=_NEARER, labels=[1, 2, 1]),
    ),
    rivals={"torch": _torch_accuracy},
)
