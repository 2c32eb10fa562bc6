"""Preprocessing: centered and standardized features, one-hot labels, polar features, new data out of old, and splits.

Statistics are fitted on the training data and applied to any: `standardize(x_test, *feature_statistics(x_train))`.
Images are (n, c, h, w). Random functions draw from the generator they are given, never from a hidden one, and what they
return is new; splits are arrays of indices. Arrays of floats are float32 or float64, which the results keep (TypeError
otherwise, and on what is no number, generator or integer where one is needed); wrong shapes, empty batches, numbers
outside their range, and NaN or inf in what statistics are taken of are a ValueError.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from reference import _numerics as numerics
from reference._types import Array, Count, IntArray, Nonnegative, Positive

Rows = Annotated[Array, "n d"]
Feature = Annotated[Array, "d"]
Deviation = Annotated[Array, "d", "nonnegative"]
Images = Annotated[Array, "n c h w"]
Image = Annotated[Array, "c h w"]
Channel = Annotated[Array, "c"]
Deviations = Deviation | Annotated[Array, "c h w", "nonnegative"] | Annotated[Array, "c", "nonnegative"]
Classes = Annotated[IntArray, "n", "classes"]
NumClasses = Annotated[int, "size of c"]
Distributions = Annotated[Array, "n c", "simplex"]
Plane = Annotated[Array, "n 2"]
Probability = Annotated[float, "fraction"]


class Statistics(NamedTuple):
    """Mean and standard deviation, what `standardize` takes."""

    mean: Array
    std: Array


class Range(NamedTuple):
    """Smallest and largest values, what `minmax` takes."""

    low: Array
    high: Array


class Mixed(NamedTuple):
    """Mixed inputs and their mixed labels."""

    x: Array
    labels: Distributions


class Split(NamedTuple):
    """Indices of three disjoint parts of a data set."""

    train: IntArray
    validation: IntArray
    test: IntArray


class Fold(NamedTuple):
    """Indices of what a fold trains on, and of what it is held against."""

    train: IntArray
    validation: IntArray


# --- statistics and scales --------------------------------------------------------------------------------------------
def feature_statistics(x: Rows) -> Statistics:
    """μ_j = Σ_i x_ij / n and σ_j = √(Σ_i (x_ij − μ_j)² / n), for every feature.

    Shapes: x (n, d), results (d,). Conventions: the square root of the variance, not the variance (the lectures' slip),
    and over n, not n − 1. Source: 001_85d2a45f19410a02.txt, 003_bda8f24b635fcb71.txt.

    >>> feature_statistics(np.array([[1.0, 5.0], [3.0, 5.0]]))
    Statistics(mean=array([2., 5.]), std=array([1., 0.]))
    """
    _require_data(("n", "d"), x)
    return _statistics(x.T)


def channel_statistics(x: Images) -> Statistics:
    """Mean and standard deviation of every channel, over all images and pixels.

    Shapes: x (n, c, h, w), results (c,). Conventions as in `feature_statistics`. Source: 002_8e0f3b4f5874cfed.txt.

    >>> channel_statistics(np.array([[[[1.0, 3.0]], [[5.0, 5.0]]]]))
    Statistics(mean=array([2., 5.]), std=array([1., 0.]))
    """
    _require_data(("n", "c", "h", "w"), x)
    return _statistics(np.reshape(np.moveaxis(x, 1, 0), (x.shape[1], -1)))


def mean_image(x: Images) -> Image:
    """The mean of every pixel over all images.

    Shapes: x (n, c, h, w), result (c, h, w). Source: 002_8e0f3b4f5874cfed.txt.

    >>> mean_image(np.array([[[[1.0, 3.0]]], [[[3.0, 5.0]]]]))
    array([[[2., 4.]]])
    """
    _require_data(("n", "c", "h", "w"), x)
    return np.reshape(_statistics(np.reshape(x, (len(x), -1)).T).mean, x.shape[1:])


def center(x: Rows | Images, mean: Feature | Image | Channel) -> Rows | Images:
    """x − μ, with the mean of the training data.

    Shapes: x (n, d) and mean (d,), or images (n, c, h, w) and a mean image (c, h, w) or channel means (c,); the result
    has the shape of x. Source: 002_8e0f3b4f5874cfed.txt.

    >>> center(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([2.0, 5.0]))
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    numerics.require_floats(x=x, mean=mean)
    numerics.require_rows(x=x)
    return x - _spread(x, mean=mean)


def standardize(x: Rows | Images, mean: Feature | Image | Channel, std: Deviations) -> Rows | Images:
    """(x − μ) / σ, with mean and standard deviation of the training data.

    Shapes as in `center`, std as mean. Convention: a feature that was constant, σ = 0, is centered and not divided.
    Raises ValueError on a negative σ. Source: 001_85d2a45f19410a02.txt, 002_8e0f3b4f5874cfed.txt.

    >>> train, test = np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, 6.0]])
    >>> standardize(test, *feature_statistics(train))
    array([[2., 1.]])
    """
    numerics.require_floats(x=x, mean=mean, std=std)
    numerics.require_rows(x=x)
    numerics.require_same_shape(mean=mean, std=std)
    numerics.require_nonnegative(std=std)
    return (x - _spread(x, mean=mean)) / _spread(x, std=_unless_zero(std))


def feature_range(x: Rows) -> Range:
    """The smallest and the largest value of every feature. Shapes as in `feature_statistics`.

    >>> feature_range(np.array([[1.0, 5.0], [3.0, 5.0]]))
    Range(low=array([1., 5.]), high=array([3., 5.]))
    """
    _require_data(("n", "d"), x)
    return Range(np.min(x, axis=0), np.max(x, axis=0))


def minmax(x: Rows | Images, low: Feature | Image | Channel, high: Feature | Image | Channel) -> Rows | Images:
    """(x − low) / (high − low): the training data's range becomes [0, 1].

    Shapes as in `center`, low and high as mean there. Convention: a feature that was constant is shifted and not
    divided. Raises ValueError where high is below low.

    >>> train, test = np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, 6.0]])
    >>> minmax(test, *feature_range(train))
    array([[1.5, 1. ]])
    """
    numerics.require_floats(x=x, low=low, high=high)
    numerics.require_rows(x=x)
    numerics.require_same_shape(low=low, high=high)
    if numerics.is_numpy(low) and not (low <= high).all():
        at = int(np.argmin(np.ravel(low <= high)))
        raise ValueError(f"high: expected at least low, got {np.ravel(high)[at]} below {np.ravel(low)[at]}")
    return (x - _spread(x, low=low)) / _spread(x, high=_unless_zero(high - low))


def polar_features(x: Plane) -> Plane:
    """(r, θ) of points (u, v): r = √(u² + v²), and θ in (−π, π] with u = r cos θ, v = r sin θ.

    Shapes: x (n, 2), result (n, 2). The inside of a circle around the origin is r < R, half a plane of these features.
    For another centre take it off first. Convention: θ = 0 at the origin. Source: 002_8e0f3b4f5874cfed.txt.

    >>> polar_features(np.array([[3.0, 4.0], [-2.0, 0.0]])).round(6)
    array([[5.      , 0.927295],
           [2.      , 3.141593]])
    """
    _require_data(("n", 2), x)
    u, v = x[:, 0] + 0, x[:, 1] + 0  # makes 0 of -0, whose angle is another
    return np.stack([np.hypot(u, v), np.arctan2(v, u)], axis=1)


def one_hot(labels: Classes, *, num_classes: NumClasses, dtype: npt.DTypeLike = np.float64) -> Distributions:
    """1 at the label and 0 elsewhere, for every row: (n,) integers in 0..c−1 become (n, c) floats.

    Source: 000_fca5766a905df26d.txt.

    >>> one_hot(np.array([2, 0]), num_classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    kind = numerics.floating(dtype)
    numerics.require_counts(num_classes=num_classes)
    numerics.require_integers(labels=labels)
    numerics.require_shape(("n",), labels=labels)
    numerics.require_rows(labels=labels)
    numerics.require_classes(labels, len(labels), num_classes)
    return (labels[:, None] == np.arange(num_classes)).astype(kind)


# --- new data out of old ----------------------------------------------------------------------------------------------
def random_flip(x: Images, generator: np.random.Generator, *, p: Probability = 0.5) -> Images:
    """Mirror every image, left for right, with probability p. Its label stays.

    Shapes: x (n, c, h, w), the result too. Source: Krizhevsky, Sutskever and Hinton 2012, section 4.1.

    >>> random_flip(np.array([[[[1.0, 2.0, 3.0]]]]), np.random.default_rng(0), p=1.0)
    array([[[[3., 2., 1.]]]])
    """
    _require_images(x, generator)
    numerics.require_probabilities(p=p)
    flipped = generator.random(len(x)) < p
    return np.where(flipped[:, None, None, None], x[..., ::-1], x)


def random_crop(x: Images, generator: np.random.Generator, *, padding: Count) -> Images:
    """Pad every image with zeros all around, and cut its old size out at a random place. Its label stays.

    Shapes: x (n, c, h, w), the result too; each of the (2 · padding + 1)² places is equally likely.
    Source: He, Zhang, Ren and Sun 2016, section 4.2 (padding 4).

    >>> random_crop(np.array([[[[1.0, 2.0, 3.0]]]]), np.random.default_rng(9), padding=1)
    array([[[[2., 3., 0.]]]])
    """
    _require_images(x, generator)
    numerics.require_counts(0, padding=padding)
    n, _, h, w = x.shape
    top, left = generator.integers(0, 2 * padding + 1, (2, n))
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return sliding_window_view(padded, (h, w), axis=(2, 3))[np.arange(n), :, top, left]


def add_noise(x: Rows, generator: np.random.Generator, *, std: Nonnegative) -> Rows:
    """x + std · ε with ε ~ N(0, 1) for every entry; any shape. The labels stay. Source: Bishop 1995.

    >>> add_noise(np.zeros(2), np.random.default_rng(0), std=0.5).round(4)
    array([ 0.0629, -0.0661])
    """
    numerics.require_floats(x=x)
    numerics.require_generator(generator)
    std = numerics.require_at_least_zero(std=std)
    return x + std * generator.standard_normal(x.shape).astype(x.dtype)


def cutout(x: Images, generator: np.random.Generator, *, size: Count) -> Images:
    """Set a square of size × size pixels in every image to zero, in all channels. Its label stays.

    Shapes: x (n, c, h, w), the result too. Convention: the square's centre is any pixel of the image, equally likely,
    so that at the border a part of the square is cut off. Center the data first: then zero is the mean.
    Source: DeVries and Taylor 2017.

    >>> cutout(np.ones((1, 1, 3, 4)), np.random.default_rng(3), size=2)
    array([[[[1., 1., 1., 1.],
             [0., 1., 1., 1.],
             [0., 1., 1., 1.]]]])
    """
    _require_images(x, generator)
    numerics.require_counts(size=size)
    n, _, h, w = x.shape
    top, left = (generator.integers(0, side, (n, 1)) - size // 2 for side in (h, w))
    rows = (np.arange(h) >= top) & (np.arange(h) < top + size)
    columns = (np.arange(w) >= left) & (np.arange(w) < left + size)
    inside = rows[:, None, :, None] & columns[:, None, None, :]
    return np.where(inside, 0, x)


def mixup(x: Rows, labels: Distributions, generator: np.random.Generator, *, alpha: Positive = 0.2) -> Mixed:
    """λ x + (1 − λ) x', λ y + (1 − λ) y' with the batch in another order as x', y', and one λ ~ Beta(α, α).

    Shapes: x (n, …), labels (n, c), rows of probabilities (`one_hot` makes them of classes); the results too. The same
    λ and the same order serve inputs and labels. Source: Zhang, Cissé, Dauphin and Lopez-Paz 2018.

    >>> mixed = mixup(np.array([[0.0], [8.0]]), np.eye(2), np.random.default_rng(1), alpha=1.0)
    >>> mixed.x.round(4).tolist(), mixed.labels.round(4).tolist()
    ([[4.6066], [3.3934]], [[0.4242, 0.5758], [0.5758, 0.4242]])
    """
    numerics.require_floats(x=x, labels=labels)
    numerics.require_shape(("n", "c"), labels=labels)
    if not x.shape:
        raise ValueError("x: expected samples along a first axis, got a scalar")
    numerics.require_rows(x=x, labels=labels)
    numerics.require_shape((x.shape[0], "c"), labels=labels)
    numerics.require_distributions(labels=labels)
    numerics.require_generator(generator)
    numerics.require_positive(alpha=alpha)
    share, order = float(generator.beta(alpha, alpha)), generator.permutation(len(x))
    return Mixed(share * x + (1 - share) * x[order], share * labels + (1 - share) * labels[order])


# --- splits -----------------------------------------------------------------------------------------------------------
def train_validation_test_split(
    n: int, generator: np.random.Generator, *, validation: float = 0.1, test: float = 0.1
) -> Split:
    """Split 0 … n−1, shuffled, into three parts: round(validation · n) and round(test · n) of them, and the rest.

    Raises ValueError if a share is outside [0, 1), if the training part would be empty, or a part that was asked for.

    >>> train, validation, test = train_validation_test_split(10, np.random.default_rng(0), validation=0.2, test=0.1)
    >>> len(train), len(validation), len(test)
    (7, 2, 1)
    """
    numerics.require_counts(n=n)
    numerics.require_generator(generator)
    numerics.require_fraction(validation=validation, test=test)
    n_validation, n_test = round(validation * n), round(test * n)
    for name, share, size in (("validation", validation, n_validation), ("test", test, n_test)):
        if share > 0 and size == 0:
            raise ValueError(f"{name}: expected a share that is at least one of n = {n} samples, got {share}")
    if n_validation + n_test >= n:
        raise ValueError(f"validation, test: expected to leave training data of n = {n}, got {validation} and {test}")
    order = generator.permutation(n)
    return Split(order[n_validation + n_test :], order[:n_validation], order[n_validation : n_validation + n_test])


def k_fold(n: int, generator: np.random.Generator, *, k: int) -> tuple[Fold, ...]:
    """Split 0 … n−1, shuffled, into k parts whose sizes differ by one at most; each is held out once.

    Raises ValueError unless 2 ≤ k ≤ n.

    >>> [len(fold.validation) for fold in k_fold(10, np.random.default_rng(0), k=3)]
    [4, 3, 3]
    """
    numerics.require_counts(n=n)
    numerics.require_counts(2, k=k)
    numerics.require_generator(generator)
    if k > n:
        raise ValueError(f"k: expected at most n = {n} folds, got {k}")
    parts = np.array_split(generator.permutation(n), k)
    return tuple(Fold(np.concatenate(parts[:i] + parts[i + 1 :]), part) for i, part in enumerate(parts))


# --- helpers ----------------------------------------------------------------------------------------------------------
def _statistics(columns: Array) -> Statistics:
    """Mean and deviation of every row, in float64, by the distances from its first entry: a constant has none."""
    wide = columns.astype(np.float64)
    first = wide[:, 0]
    away = wide - first[:, None]
    mean = np.mean(away, axis=1)
    std = np.sqrt(np.mean((away - mean[:, None]) ** 2, axis=1))
    return Statistics((first + mean).astype(columns.dtype), std.astype(columns.dtype))


def _spread(x: Array, **statistic: Array) -> Array:
    """Return a statistic in a shape that broadcasts over x: one for each feature, pixel or channel."""
    ((name, value),) = statistic.items()
    if value.shape == x.shape[1:]:
        return value
    if len(x.shape) == 4 and value.shape == x.shape[1:2]:
        return value[:, None, None]
    expected = f"{x.shape[1:]} or {x.shape[1:2]}" if len(x.shape) == 4 else f"{x.shape[1:]}"
    raise ValueError(f"{name}: expected shape {expected} for x of shape {x.shape}, got {value.shape}")


def _unless_zero(scale: Array) -> Array:
    return np.where(scale > 0, scale, 1)


def _require_data(shape: tuple[Any, ...], x: Array) -> None:
    numerics.require_floats(x=x)
    numerics.require_shape(shape, x=x)
    numerics.require_rows(x=x)
    numerics.require_finite(x=x)


def _require_images(x: Array, generator: np.random.Generator) -> None:
    numerics.require_floats(x=x)
    numerics.require_shape(("n", "c", "h", "w"), x=x)
    numerics.require_rows(x=x)
    numerics.require_generator(generator)
