"""Known mistakes in the label that is predicted, and in counting; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from reference import losses as reference
from reference._types import Array, IntArray


# --- predict_label ----------------------------------------------------------------------------------------------------
def counts_from_one(logits: Array) -> IntArray:
    """You counted the classes from one. The first one is class 0."""
    return np.argmax(logits, axis=1) + 1


def takes_the_smallest(logits: Array) -> IntArray:
    """You took the least likely class. The largest logit decides: np.argmax."""
    return np.argmin(logits, axis=1)


def takes_the_last_of_equal_ones(logits: Array) -> IntArray:
    """Of equal logits you took the last, as the end of np.argsort does. Take the first, as np.argmax does."""
    return logits.shape[1] - 1 - np.argmax(logits[:, ::-1], axis=1)


def looks_down_the_columns(logits: Array) -> IntArray:
    """You looked for the largest logit of every column. Each row is one sample: use axis=1."""
    return np.argmax(logits, axis=0)


def looks_at_the_whole_array(logits: Array) -> IntArray:
    """You looked for the largest logit of the whole array. Every row has a label of its own: use axis=1."""
    return np.argmax(logits)  # type: ignore[return-value]


def returns_the_logit(logits: Array) -> Array:
    """You returned the largest logit itself. Return where it stands: np.argmax, not np.max."""
    return np.max(logits, axis=1)


def returns_one_hot_rows(logits: Array) -> IntArray:
    """You returned a row of zeros and a one for every sample. Return the index of the one."""
    return (np.argmax(logits, axis=1)[:, None] == np.arange(logits.shape[1])).astype(np.int64)


def keeps_the_axis(logits: Array) -> IntArray:
    """You returned a column of shape (n, 1). The labels have the shape (n,): leave out keepdims."""
    return np.argmax(logits, axis=1, keepdims=True)


def ignores_the_sign(logits: Array) -> IntArray:
    """You took the logit that is farthest from 0. The largest one decides, and a negative one is small."""
    return np.argmax(np.abs(logits), axis=1)


# --- accuracy ---------------------------------------------------------------------------------------------------------
def counts_the_right_ones(logits: Array, labels: IntArray) -> Array:
    """You returned how many rows are right. Divide by the number of rows."""
    return reference.accuracy(logits, labels) * len(labels)


def returns_the_share_of_errors(logits: Array, labels: IntArray) -> Array:
    """You returned the share of the rows that are wrong. Return the share of those that are right."""
    return 1 - reference.accuracy(logits, labels)


def gives_percent(logits: Array, labels: IntArray) -> Array:
    """You returned percent. Return the share, between 0 and 1."""
    return 100 * reference.accuracy(logits, labels)


def divides_by_the_classes(logits: Array, labels: IntArray) -> Array:
    """You divided by the number of columns. Divide by the number of rows."""
    return reference.accuracy(logits, labels) * len(labels) / logits.shape[1]


def trusts_the_smallest(logits: Array, labels: IntArray) -> Array:
    """You took the least likely class as the prediction. The largest logit decides: np.argmax."""
    return _share(np.argmin(logits, axis=1) == labels, logits)


def counts_labels_from_one(logits: Array, labels: IntArray) -> Array:
    """You counted the predicted classes from one. The labels count from 0."""
    return _share(np.argmax(logits, axis=1) + 1 == labels, logits)


def ignores_the_sign_of_the_logits(logits: Array, labels: IntArray) -> Array:
    """You took the logit that is farthest from 0. The largest one decides, and a negative one is small."""
    return _share(np.argmax(np.abs(logits), axis=1) == labels, logits)


def predicts_the_last_of_equal_ones(logits: Array, labels: IntArray) -> Array:
    """Of equal logits you took the last, as the end of np.argsort does. Take the first, as np.argmax does."""
    return _share(takes_the_last_of_equal_ones(logits) == labels, logits)


def counts_ties_as_right(logits: Array, labels: IntArray) -> Array:
    """You counted a row as right where the label's logit is among the largest. Only the first of equal ones counts."""
    return _share(logits[np.arange(len(labels)), labels] >= np.max(logits, axis=1), logits)


def counts_the_two_best(logits: Array, labels: IntArray) -> Array:
    """You counted a row as right where the label is among the two best. Only the best one counts."""
    best = np.argsort(-logits, axis=1, kind="stable")[:, :2]
    return _share(np.any(best == labels[:, None], axis=1), logits)


def compares_entry_by_entry(logits: Array, labels: IntArray) -> Array:
    """You compared one-hot rows entry by entry, so every 0 that is right counts too. Compare the labels."""
    c = np.arange(logits.shape[1])
    return _share((np.argmax(logits, axis=1)[:, None] == c) == (labels[:, None] == c), logits)


def divides_whole_numbers(logits: Array, labels: IntArray) -> Array:
    """You divided with //, which leaves 0 of every share below one. Divide with /, or take the mean."""
    right = np.argmax(logits, axis=1) == labels
    return np.asarray(np.sum(right) // len(labels), logits.dtype)


def averages_over_the_classes(logits: Array, labels: IntArray) -> Array:
    """You took the accuracy of every class and then their mean, the balanced accuracy. Every row counts the same."""
    hit = np.argmax(logits, axis=1) == labels
    mean: Any = np.mean([np.mean(hit[labels == label]) for label in np.unique(labels)])
    return mean.astype(logits.dtype)


def _share(right: Any, logits: Array) -> Array:
    share: Any = np.mean(right.astype(logits.dtype))
    return share
