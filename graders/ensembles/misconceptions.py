"""Known mistakes in ensembles; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from reference import ensembles as reference
from reference._types import Array, IntArray


# --- out_of_bag -------------------------------------------------------------------------------------------------------
def returns_those_that_were_drawn(samples: IntArray, *, n: int) -> IntArray:
    """You returned the indices that were drawn. Return those that were not."""
    return np.unique(samples)


def returns_a_mask(samples: IntArray, *, n: int) -> IntArray:
    """You returned a yes or no for every index. Return the indices themselves: np.flatnonzero of it."""
    return np.isin(np.arange(n), samples, invert=True).astype(np.int64)


def returns_how_many(samples: IntArray, *, n: int) -> IntArray:
    """You returned how many are left out. Return which ones."""
    return np.array(len(reference.out_of_bag(samples, n=n)))


def counts_from_one(samples: IntArray, *, n: int) -> IntArray:
    """Your indices count from one. They count from zero, 0 to n − 1."""
    return reference.out_of_bag(samples, n=n) + 1


def starts_at_one(samples: IntArray, *, n: int) -> IntArray:
    """You never looked at index 0. The indices are 0 to n − 1."""
    return np.setdiff1d(np.arange(1, n), samples)


def forgets_the_last_index(samples: IntArray, *, n: int) -> IntArray:
    """You never looked at index n − 1. The indices are 0 to n − 1, which is range(n)."""
    return np.setdiff1d(np.arange(n - 1), samples)


def searches_as_many_as_were_drawn(samples: IntArray, *, n: int) -> IntArray:
    """You looked at as many indices as there are samples. There are n of them, however many were drawn."""
    return np.setdiff1d(np.arange(len(samples)), samples)


def stops_at_the_largest_sample(samples: IntArray, *, n: int) -> IntArray:
    """You looked no further than the largest sample. Those above it, up to n − 1, are left out too."""
    return np.setdiff1d(np.arange(np.max(samples)), samples)


def returns_those_drawn_once(samples: IntArray, *, n: int) -> IntArray:
    """You returned the indices that were drawn once. Return those that were not drawn at all."""
    return np.flatnonzero(np.bincount(samples, minlength=n) == 1)


def leaves_out_repeated_ones_only(samples: IntArray, *, n: int) -> IntArray:
    """You returned all indices but those that were drawn more than once. An index drawn once is in the bag too."""
    return np.flatnonzero(np.bincount(samples, minlength=n) <= 1)


def runs_backwards(samples: IntArray, *, n: int) -> IntArray:
    """Your indices run from the largest to the smallest. Return them in order."""
    return reference.out_of_bag(samples, n=n)[::-1]


# --- average_probabilities --------------------------------------------------------------------------------------------
def sums_the_probabilities(probabilities: Array) -> Array:
    """You summed the members' probabilities. Divide by how many members there are."""
    return np.sum(probabilities, axis=0)


def divides_by_the_samples(probabilities: Array) -> Array:
    """You divided by the number of samples. Divide by the number of members, the length of the first axis."""
    return np.sum(probabilities, axis=0) / probabilities.shape[1]


def divides_by_the_classes(probabilities: Array) -> Array:
    """You divided by the number of classes. Divide by the number of members, the length of the first axis."""
    return np.sum(probabilities, axis=0) / probabilities.shape[2]


def averages_over_the_samples(probabilities: Array) -> Array:
    """You averaged over the samples. Average over the members, axis 0."""
    return np.mean(probabilities, axis=1)


def averages_over_the_classes(probabilities: Array) -> Array:
    """You averaged over the classes. Average over the members, axis 0."""
    return np.mean(probabilities, axis=2)


def averages_over_everything_but_the_classes(probabilities: Array) -> Array:
    """You averaged over the samples too. Every sample has its own probabilities: average over axis 0 alone."""
    return np.mean(probabilities, axis=(0, 1))


def averages_the_votes(probabilities: Array) -> Array:
    """You averaged the members' labels, each as a row of zeros and a one. Average their probabilities."""
    classes = np.arange(probabilities.shape[2])
    return np.mean((np.argmax(probabilities, axis=2)[..., None] == classes).astype(probabilities.dtype), axis=0)


def multiplies_the_probabilities(probabilities: Array) -> Array:
    """You multiplied the members' probabilities and scaled them to sum one. Take their mean."""
    product = np.prod(probabilities, axis=0)
    return product / np.sum(product, axis=1, keepdims=True)


def averages_the_logarithms(probabilities: Array) -> Array:
    """You averaged logarithms and scaled the result to sum one. Take the mean of the probabilities themselves."""
    mean = np.exp(np.mean(np.log(probabilities), axis=0))
    return mean / np.sum(mean, axis=1, keepdims=True)


def applies_softmax_again(probabilities: Array) -> Array:
    """You applied softmax to the mean. The mean of probabilities is one already."""
    powers = np.exp(np.mean(probabilities, axis=0))
    return powers / np.sum(powers, axis=1, keepdims=True)


def takes_the_median_member(probabilities: Array) -> Array:
    """You took the median over the members. Take the mean."""
    return np.median(probabilities, axis=0)


def takes_the_surest_member(probabilities: Array) -> Array:
    """You took the largest probability that a member gives. Take the mean over the members."""
    return np.max(probabilities, axis=0)


def halves_with_every_member(probabilities: Array) -> Array:
    """You averaged what you had with each new member, so that the last counts half. All members weigh the same."""
    mean = probabilities[0]
    for own in probabilities[1:]:
        mean = (mean + own) / 2
    return 1 * mean


# --- majority_vote ----------------------------------------------------------------------------------------------------
def averages_the_labels(labels: IntArray, *, num_classes: int) -> IntArray:
    """You rounded the mean of the labels: between classes 0 and 2 it finds 1, which nobody named. Count the votes."""
    return np.rint(np.mean(labels, axis=0)).astype(np.int64)


def cuts_the_mean_of_the_labels(labels: IntArray, *, num_classes: int) -> IntArray:
    """You took the mean of the labels, cut to an integer. Count the votes for each class."""
    return np.mean(labels, axis=0).astype(np.int64)


def takes_the_median_of_the_labels(labels: IntArray, *, num_classes: int) -> IntArray:
    """You took the median of the labels. They have no order: count the votes for each class."""
    return np.median(labels, axis=0).astype(np.int64)


def takes_the_last_of_equals(labels: IntArray, *, num_classes: int) -> IntArray:
    """Of classes with as many votes you took the last one. Take the first, as np.argmax does."""
    return num_classes - 1 - np.argmax(_counts(labels, num_classes)[:, ::-1], axis=1)


def counts_the_votes_of_each_member(labels: IntArray, *, num_classes: int) -> IntArray:
    """You counted along the wrong axis, for each member. Count for each sample, over the members: axis 0."""
    return np.argmax(_counts(labels.T, num_classes), axis=1)


def counts_all_votes_together(labels: IntArray, *, num_classes: int) -> IntArray:
    """You counted the votes for all samples together. Every sample has an election of its own."""
    return np.full(labels.shape[1], np.argmax(np.bincount(np.ravel(labels))))


def returns_the_votes(labels: IntArray, *, num_classes: int) -> IntArray:
    """You returned how many votes the winner has. Return which class it is: np.argmax, not np.max."""
    return np.max(_counts(labels, num_classes), axis=1)


def returns_the_table_of_votes(labels: IntArray, *, num_classes: int) -> IntArray:
    """You returned the votes for every class. Return the class that has most of them, for each sample."""
    return _counts(labels, num_classes)


def elects_the_least_named(labels: IntArray, *, num_classes: int) -> IntArray:
    """You took the class with the fewest votes. Take the one with the most."""
    return np.argmin(_counts(labels, num_classes), axis=1)


def follows_the_first_member(labels: IntArray, *, num_classes: int) -> IntArray:
    """You returned the first member's labels. Count the votes of all members."""
    return 1 * labels[0]


def takes_the_largest_label(labels: IntArray, *, num_classes: int) -> IntArray:
    """You took the largest label. Take the one with the most votes."""
    return np.max(labels, axis=0)


def leaves_out_the_first_class(labels: IntArray, *, num_classes: int) -> IntArray:
    """You did not count the votes for class 0. The classes are 0 to c − 1."""
    counts = _counts(labels, num_classes)
    counts[:, 0] = 0
    return np.argmax(counts, axis=1)


def _counts(labels: IntArray, num_classes: int) -> IntArray:
    """Return how many members name each class, for each sample."""
    return np.sum(labels[..., None] == np.arange(num_classes), axis=0)
