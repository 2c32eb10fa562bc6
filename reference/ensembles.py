"""Ensembles: bootstrap samples, what each member of a bagged ensemble is given, and how their answers are joined.

Samples are arrays of indices, drawn from the generator that is given; the members' answers come as one array, member by
member. Their mean has the variance ρσ² + (1 − ρ)σ²/B for B members of variance σ² and correlation ρ: different data,
initializations and features make ρ small. Wrong shapes, empty ensembles and sizes below one are a ValueError,
another dtype, and a size that is no int, a TypeError.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from reference import _numerics as numerics
from reference._types import Array, Extent, IntArray

Answers = Annotated[Array, "b n c", "simplex"]
Distributions = Annotated[Array, "n c", "simplex"]
Votes = Annotated[IntArray, "b n", "classes"]
Classes = Annotated[IntArray, "n"]
NumClasses = Annotated[int, "size of c"]
Indices = Annotated[IntArray, "size", "classes"]


class Member(NamedTuple):
    """What one member of an ensemble is trained with: its samples, its features, and a generator for its weights."""

    samples: IntArray
    features: IntArray
    generator: np.random.Generator


def bootstrap_sample(n: int, generator: np.random.Generator, *, size: int | None = None) -> IntArray:
    """Draw `size` of the indices 0 … n−1 (n of them unless said otherwise), with replacement.

    About 1/e = 37 % of the samples are left out of a draw of n: see `out_of_bag`. Source: Efron 1979;
    001_85d2a45f19410a02.txt.

    >>> bootstrap_sample(5, np.random.default_rng(0))
    array([4, 3, 2, 1, 1])
    """
    size = n if size is None else size
    numerics.require_counts(n=n, size=size)
    numerics.require_generator(generator)
    return generator.integers(0, n, size)


def out_of_bag(samples: Indices, *, n: Extent) -> IntArray:
    """Return the indices of 0 … n−1 that are not among the samples, in order: a test set for that member.

    Source: Breiman 2001, section 3.1.

    >>> out_of_bag(np.array([4, 3, 2, 1, 1]), n=5)
    array([0])
    """
    numerics.require_counts(n=n)
    numerics.require_integers(samples=samples)
    numerics.require_shape(("size",), samples=samples)
    numerics.require_rows(samples=samples)
    _require_indices(samples, n, "samples")
    left_out = np.ones(n, dtype=bool)
    left_out[samples] = False
    return np.flatnonzero(left_out)


def bagging(
    n: int, d: int, generator: np.random.Generator, *, n_members: int, max_features: int | None = None
) -> tuple[Member, ...]:
    """Draw for each member a bootstrap sample of the n samples, a subset of the d features, and a generator of its own.

    The features are all d, or `max_features` of them drawn without replacement, in order. The generators are
    independent of each other, so that each member starts from weights of its own. Raises ValueError on max_features
    above d. Source: Breiman 1996; Ho 1998; 001_85d2a45f19410a02.txt.

    >>> member, other = bagging(5, 4, np.random.default_rng(0), n_members=2, max_features=2)
    >>> member.samples, member.features, len(other.samples)
    (array([4, 3, 2, 1, 1]), array([0, 3]), 5)
    """
    max_features = d if max_features is None else max_features
    numerics.require_counts(n=n, d=d, n_members=n_members, max_features=max_features)
    numerics.require_generator(generator)
    if max_features > d:
        raise ValueError(f"max_features: expected at most d = {d}, got {max_features}")
    return tuple(
        Member(
            bootstrap_sample(n, generator),
            np.sort(generator.choice(d, max_features, replace=False)),
            own,
        )
        for own in generator.spawn(n_members)
    )


def average_probabilities(probabilities: Answers) -> Distributions:
    """Σ_b p_b / B, the mean of the members' probabilities.

    Shapes: probabilities (b, n, c), their rows with sum one, result (n, c). Source: Breiman 1996, section 4.

    >>> average_probabilities(np.array([[[0.9, 0.1]], [[0.3, 0.7]], [[0.3, 0.7]]]))
    array([[0.5, 0.5]])
    """
    numerics.require_floats(probabilities=probabilities)
    numerics.require_shape(("b", "n", "c"), probabilities=probabilities)
    numerics.require_rows(probabilities=probabilities)
    b, n, c = probabilities.shape
    numerics.require_distributions(probabilities=np.reshape(probabilities, (b * n, c)))
    return np.mean(probabilities, axis=0)


def majority_vote(labels: Votes, *, num_classes: NumClasses) -> Classes:
    """argmax_j #{b : label_b = j}: for every sample the class that most members name.

    Shapes: labels (b, n), integers in 0..c−1, result (n,). Convention: of classes with as many votes the first. A mean
    of labels would be no label. Source: Breiman 1996, section 4.

    >>> majority_vote(np.array([[0, 2], [1, 2], [1, 0]]), num_classes=3)
    array([1, 2])
    """
    numerics.require_counts(num_classes=num_classes)
    numerics.require_integers(labels=labels)
    numerics.require_shape(("b", "n"), labels=labels)
    numerics.require_rows(labels=labels)
    _require_indices(labels, num_classes, "labels")
    n = labels.shape[1]
    ballots = labels.astype(np.int64) + num_classes * np.arange(n)  # a number for each sample and class
    return np.argmax(np.reshape(np.bincount(np.ravel(ballots), minlength=n * num_classes), (n, -1)), axis=1)


def _require_indices(values: IntArray, n: int, name: str) -> None:
    if ((values < 0) | (values >= n)).any():
        wrong = values[(values < 0) | (values >= n)].flat[0]
        raise ValueError(f"{name}: expected integers in 0..{n - 1}, got {wrong}; they count from zero")
