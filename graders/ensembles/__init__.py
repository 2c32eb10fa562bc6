"""Exercises on ensembles: who is left out of a sample, and how the members' answers are joined."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

import numpy as np

from graders.ensembles import misconceptions as wrong
from graders.ensembles.drawn import bagging as bagging
from graders.ensembles.drawn import bootstrap_sample as bootstrap_sample
from graders.harness.drawing import Source
from graders.harness.exercise import Exercise, edge, extreme, special
from reference import ensembles as reference
from reference._types import Array, IntArray


# --- out_of_bag -------------------------------------------------------------------------------------------------------
def left_out_by_a_set(samples: IntArray, *, n: int) -> IntArray:
    """All indices but those of the samples, sorted."""
    return np.array(sorted(set(range(n)) - set(samples.tolist())), dtype=np.int64)


def left_out_by_counting(samples: IntArray, *, n: int) -> IntArray:
    """Where the count of an index is zero."""
    return np.flatnonzero(np.bincount(samples, minlength=n) == 0)


def _samples(source: Source, hyperparameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Draw indices below n; about a third of them is left out."""
    n = hyperparameters["n"]
    return {"samples": source.array((n,), "classes", classes=n)}


out_of_bag = Exercise(
    reference.out_of_bag,
    misconceptions=(
        wrong.returns_those_that_were_drawn,
        wrong.returns_a_mask,
        wrong.returns_how_many,
        wrong.counts_from_one,
        wrong.starts_at_one,
        wrong.forgets_the_last_index,
        wrong.searches_as_many_as_were_drawn,
        wrong.stops_at_the_largest_sample,
        wrong.returns_those_drawn_once,
        wrong.leaves_out_repeated_ones_only,
        wrong.runs_backwards,
    ),
    programs=(left_out_by_a_set, left_out_by_counting),
    edges=(
        edge("small", samples=[4, 3, 0, 1, 1], n=5),
        edge("two are left out", samples=[4, 0, 2, 4, 2, 0], n=7),
        edge("the ends are left out", samples=[1, 3, 2, 1, 3], n=5),
        edge("one sample", samples=[2], n=4),
        edge("one of many is left out", samples=[*range(700), 701], n=702),
        edge("more samples than indices", samples=[3, 0, 3, 0, 0, 3, 3, 0, 0], n=4),
        special("one index", samples=[0], n=1),
        special("one of two", samples=[1, 1], n=2),
        special("nobody is left out", samples=[2, 0, 1], n=3),
    ),
    draw=_samples,
)


# --- average_probabilities --------------------------------------------------------------------------------------------
def averaged_by_the_sum(probabilities: Array) -> Array:
    """The sum over the members, divided by their number."""
    return np.sum(probabilities, axis=0) / len(probabilities)


def averaged_one_after_another(probabilities: Array) -> Array:
    """A mean that runs over the members."""
    mean = probabilities[0]
    for seen in range(1, len(probabilities)):
        mean = mean + (probabilities[seen] - mean) / (seen + 1)
    return mean


_ANSWERS = [
    [[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]],
    [[0.3, 0.3, 0.4], [0.1, 0.6, 0.3]],
    [[0.6, 0.15, 0.25], [0.45, 0.45, 0.1]],
]

average_probabilities = Exercise(
    reference.average_probabilities,
    misconceptions=(
        wrong.sums_the_probabilities,
        wrong.divides_by_the_samples,
        wrong.divides_by_the_classes,
        wrong.averages_over_the_samples,
        wrong.averages_over_the_classes,
        wrong.averages_over_everything_but_the_classes,
        wrong.averages_the_votes,
        wrong.multiplies_the_probabilities,
        wrong.averages_the_logarithms,
        wrong.applies_softmax_again,
        wrong.takes_the_median_member,
        wrong.takes_the_surest_member,
        wrong.halves_with_every_member,
    ),
    programs=(averaged_by_the_sum, averaged_one_after_another),
    edges=(
        edge("small", probabilities=_ANSWERS),
        edge("one member", probabilities=_ANSWERS[:1]),
        edge("two members", probabilities=_ANSWERS[1:]),
        edge("one sample", probabilities=[[[0.2, 0.8]], [[0.3, 0.7]], [[0.6, 0.4]]]),
        edge("certain members", probabilities=[[[0.0, 1.0]], [[1.0, 0.0]], [[1.0, 0.0]]]),
        edge("five members, four classes", probabilities=[[[0.1, 0.2, 0.3, 0.4]]] * 3 + [[[0.7, 0.1, 0.15, 0.05]]] * 2),
        special("one class", probabilities=[[[1.0], [1.0]], [[1.0], [1.0]]]),
        extreme("rare classes", probabilities=[[[1e-30, 1.0]], [[1.7e-12, 1 - 1.7e-12]], [[3e-300, 1.0]]]),
    ),
    rivals={"torch": lambda torch, probabilities: torch.tensor(probabilities).mean(dim=0).numpy()},
)


# --- majority_vote ----------------------------------------------------------------------------------------------------
def takes_the_first_named(labels: IntArray, *, num_classes: int) -> IntArray:
    """Of classes with as many votes the one that was named first, as Python's statistics.mode takes it."""
    return np.array([statistics.mode(votes) for votes in labels.T.tolist()])


def elected_one_after_another(labels: IntArray, *, num_classes: int) -> IntArray:
    """The votes of every sample, counted by themselves."""
    return np.array([np.argmax(np.bincount(votes, minlength=num_classes)) for votes in labels.T])


def elected_by_a_table(labels: IntArray, *, num_classes: int) -> IntArray:
    """A table of votes: members, samples, classes."""
    return np.argmax((labels[..., None] == np.arange(num_classes)).sum(axis=0), axis=-1)


majority_vote = Exercise(
    reference.majority_vote,
    misconceptions=(
        wrong.averages_the_labels,
        wrong.cuts_the_mean_of_the_labels,
        wrong.takes_the_median_of_the_labels,
        wrong.takes_the_last_of_equals,
        wrong.counts_the_votes_of_each_member,
        wrong.counts_all_votes_together,
        wrong.returns_the_votes,
        wrong.returns_the_table_of_votes,
        wrong.elects_the_least_named,
        wrong.follows_the_first_member,
        wrong.takes_the_largest_label,
        wrong.leaves_out_the_first_class,
    ),
    conventions=(takes_the_first_named,),
    programs=(elected_one_after_another, elected_by_a_table),
    edges=(
        edge("small", labels=[[0, 2], [1, 2], [1, 0]], num_classes=3),
        edge("a draw", labels=[[2, 1, 0], [1, 2, 2]], num_classes=3),
        edge("one member", labels=[[2, 0, 1, 2]], num_classes=3),
        edge("one sample", labels=[[2], [0], [2], [1], [2]], num_classes=3),
        edge("most members are beaten", labels=[[0, 3], [1, 0], [2, 3], [2, 1], [3, 2]], num_classes=4),
        edge("many classes", labels=[[299, 130, 0], [299, 43, 257], [43, 130, 257]], num_classes=301),
        edge("a class that nobody names", labels=[[0, 2, 2], [2, 2, 1], [2, 0, 1]], num_classes=5),
        special("one class", labels=[[0, 0], [0, 0]], num_classes=1),
    ),
    rivals={"torch": lambda torch, labels, *, num_classes: torch.mode(torch.tensor(labels), dim=0).values.numpy()},
)
