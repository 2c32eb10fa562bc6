"""Known mistakes in polar features and one-hot labels; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reference import preprocessing as reference
from reference._types import Array, IntArray


# --- polar_features ---------------------------------------------------------------------------------------------------
def swaps_the_sides(x: Array) -> Array:
    """You measured the angle from the other axis. It is np.arctan2(v, u), with the second coordinate first."""
    u, v = _sides(x)
    return np.stack([np.hypot(u, v), np.arctan2(u, v)], axis=1)


def loses_the_quarter(x: Array) -> Array:
    """arctan(v / u) is the same for a point and its opposite, and 0/0 at the origin. Use np.arctan2(v, u)."""
    u, v = _sides(x)
    return np.stack([np.hypot(u, v), np.arctan(v / u)], axis=1)


def loses_the_sign_of_the_angle(x: Array) -> Array:
    """arccos(u / r) is never negative, so points below the axis are lost. Use np.arctan2(v, u)."""
    u, v = _sides(x)
    r = np.hypot(u, v)
    return np.stack([r, np.arccos(np.clip(u / np.where(r > 0, r, 1), -1, 1)) * (r > 0)], axis=1)


def loses_the_left_half(x: Array) -> Array:
    """arcsin(v / r) is never beyond a right angle, so the left half is folded onto the right. Use np.arctan2(v, u)."""
    u, v = _sides(x)
    r = np.hypot(u, v)
    return np.stack([r, np.arcsin(np.clip(v / np.where(r > 0, r, 1), -1, 1))], axis=1)


def measures_in_degrees(x: Array) -> Array:
    """Your angles are in degrees. Leave them in radians."""
    r, angle = reference.polar_features(x).T
    return np.stack([r, np.degrees(angle)], axis=1)


def forgets_the_root(x: Array) -> Array:
    """You returned u² + v². The radius is its root."""
    r, angle = reference.polar_features(x).T
    return np.stack([r**2, angle], axis=1)


def sums_the_sides(x: Array) -> Array:
    """You added the sides. The radius is the root of the sum of their squares."""
    u, v = _sides(x)
    return np.stack([np.abs(u) + np.abs(v), np.arctan2(v, u)], axis=1)


def swaps_radius_and_angle(x: Array) -> Array:
    """You exchanged the columns. The radius comes first."""
    return reference.polar_features(x)[:, ::-1]


def lays_the_features_in_rows(x: Array) -> Array:
    """You laid radius and angle in rows. Every row is one point: np.stack with axis=1."""
    return reference.polar_features(x).T


def turns_the_angle(x: Array) -> Array:
    """Your angle has the other sign: it grows clockwise. It is np.arctan2(v, u)."""
    r, angle = reference.polar_features(x).T
    return np.stack([r, -angle], axis=1)


def squares_what_is_huge_or_tiny(x: Array) -> Array:
    """Your squares overflow or vanish: 1e30² is inf in float32, and 1e-30² is 0. Use np.hypot(u, v)."""
    u, v = _sides(x)
    return np.stack([np.sqrt(u**2 + v**2), np.arctan2(v, u)], axis=1)


# --- one_hot ----------------------------------------------------------------------------------------------------------
def counts_from_one(labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """You took labels for counted from one. They count from zero: label 0 is the first column."""
    return np.eye(num_classes, dtype=dtype)[labels - 1]


def lays_the_classes_in_rows(labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """You laid the classes in rows. Every row is one sample: (n, c)."""
    return np.eye(num_classes, dtype=dtype)[:, labels]


def marks_with_the_label(labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """You wrote the label itself into its column. Write 1."""
    return np.eye(num_classes, dtype=dtype)[labels] * labels[:, None]


def marks_all_up_to_the_label(labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """You wrote 1 into all columns up to the label. Write one 1 in each row."""
    return (np.arange(num_classes) <= labels[:, None]).astype(dtype)


def marks_all_but_the_label(labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """You exchanged zeros and ones. The 1 stands in the label's column."""
    return 1 - np.eye(num_classes, dtype=dtype)[labels]


def marks_every_label_in_every_row(labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """y[:, labels] = 1 writes into all rows. Give each row its own label: y[np.arange(n), labels] = 1."""
    y = np.zeros((len(labels), num_classes), dtype)
    y[:, labels] = 1
    return y


def counts_the_classes_that_are_there(
    labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64
) -> Array:
    """You made columns up to the largest label only. There are `num_classes`, whether a class occurs or not."""
    return np.eye(np.max(labels) + 1, dtype=dtype)[labels]


def ranks_the_labels(labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """You numbered the labels that occur anew. A label is its column, also where smaller ones do not occur."""
    return np.eye(num_classes, dtype=dtype)[np.unique(labels, return_inverse=True)[1]]


def marks_the_others_with_minus_one(labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """You wrote −1 beside the 1. Write 0."""
    return 2 * np.eye(num_classes, dtype=dtype)[labels] - 1


def leaves_out_the_first_class(labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """You left out the first class, as pandas does with drop_first=True. Every class has a column."""
    return np.eye(num_classes, dtype=dtype)[labels][:, 1:]


def _sides(x: Array) -> tuple[Array, Array]:
    """Return the coordinates, with 0 for −0, whose angle is another."""
    return x[:, 0] + 0, x[:, 1] + 0
