"""Known mistakes in drawing what the members of an ensemble are given; a docstring is what the student is told."""

from __future__ import annotations

import numpy as np

from reference import ensembles as reference
from reference._types import IntArray
from reference.ensembles import Member

Generator = np.random.Generator
Members = tuple[Member, ...]


# --- bootstrap_sample -------------------------------------------------------------------------------------------------
def draws_without_replacement(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You draw without replacement, so that no index comes twice. A bootstrap sample is drawn with replacement."""
    size = n if size is None else size
    order = generator.permutation(n)
    return order[np.arange(size) % n]


def never_draws_the_last(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You never draw the last index: the upper bound of `integers` is not drawn itself, so it should be n."""
    return generator.integers(0, n - 1, n if size is None else size)


def counts_from_one(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You draw from 1 to n. Indices go from 0 to n - 1."""
    return generator.integers(1, n + 1, n if size is None else size)


def never_draws_the_first(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You never draw index 0. Indices go from 0 to n - 1."""
    return generator.integers(1, n, n if size is None else size)


def returns_each_index_once(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You return the different ones of the indices that you drew. What is drawn twice counts twice."""
    return np.unique(reference.bootstrap_sample(n, generator, size=size))


def returns_those_left_out(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You return the indices that were not drawn, which are out of the bag. Return those that were."""
    return np.setdiff1d(np.arange(n), reference.bootstrap_sample(n, generator, size=size))


def draws_two_thirds(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You draw too few: two thirds. That two thirds of the samples come at all is the result of drawing n."""
    size = n if size is None else size
    return generator.integers(0, n, max(1, round(0.632 * size)))


def ignores_the_size(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You draw n indices, whatever size is."""
    return generator.integers(0, n, n)


def returns_counts(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You return how often each index was drawn. Return the indices."""
    return np.bincount(reference.bootstrap_sample(n, generator, size=size), minlength=n)


def draws_one_index_for_all(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You draw one index and repeat it. Draw each by itself."""
    return np.full(n if size is None else size, generator.integers(0, n))


def rounds_a_uniform_number(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """You round where you should cut: 0 and n - 1 come half as often as the others. Take the whole part of n · u."""
    return np.round(generator.random(n if size is None else size) * (n - 1)).astype(np.int64)


def sorts_the_sample(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """The sample is sorted: which samples are drawn, and how often, is the same."""
    return np.sort(reference.bootstrap_sample(n, generator, size=size))


def sample_by_a_choice(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """A choice of n with replacement."""
    return generator.choice(n, n if size is None else size)


def sample_of_whole_parts(n: int, generator: Generator, *, size: int | None = None) -> IntArray:
    """Whole parts of n · u."""
    return (n * generator.random(n if size is None else size)).astype(np.int64)


# --- bagging ----------------------------------------------------------------------------------------------------------
def _members(
    n: int, d: int, generator: Generator, n_members: int, max_features: int | None, size: int | None = None
) -> Members:
    found = reference.bagging(n, d, generator, n_members=n_members, max_features=max_features)
    return tuple(Member(member.samples[:size], *member[1:]) for member in found)


def gives_all_the_same_sample(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """You draw one sample and give it to all members. Draw one for each, or they will agree."""
    found = _members(n, d, generator, n_members, max_features)
    return tuple(Member(found[0].samples, *member[1:]) for member in found)


def draws_samples_without_replacement(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """You draw samples without replacement, so that all members have the same. Draw with replacement."""
    found = _members(n, d, generator, n_members, max_features)
    return tuple(Member(generator.permutation(n), *member[1:]) for member in found)


def draws_features_with_replacement(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """You draw features with replacement, so that some come twice. A subset has each once at most."""
    found, size = _members(n, d, generator, n_members, max_features), d if max_features is None else max_features
    return tuple(Member(m.samples, np.sort(generator.integers(0, d, size)), m.generator) for m in found)


def gives_all_the_same_features(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """You draw one set of features for all members. Draw one for each."""
    found = _members(n, d, generator, n_members, max_features)
    return tuple(Member(member.samples, found[0].features, member.generator) for member in found)


def takes_the_first_features(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """You take the first features, always. Draw which."""
    found, size = _members(n, d, generator, n_members, max_features), d if max_features is None else max_features
    return tuple(Member(member.samples, np.arange(size), member.generator) for member in found)


def ignores_max_features(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """You give every member all features, whatever max_features is."""
    return _members(n, d, generator, n_members, None)


def gives_all_the_same_generator(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """All members have the same generator, so that their weights hang together. Spawn one for each."""
    found = _members(n, d, generator, n_members, max_features)
    return tuple(Member(member.samples, member.features, generator) for member in found)


def makes_one_member_too_few(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """You make n_members - 1 members."""
    return _members(n, d, generator, n_members, max_features)[:-1]


def draws_too_few_samples(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """Your samples are of half the size. A bootstrap sample has as many as there are."""
    return _members(n, d, generator, n_members, max_features, n // 2)


def draws_features_from_one(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """You count features from one. They go from 0 to d - 1."""
    found = _members(n, d, generator, n_members, max_features)
    return tuple(Member(member.samples, member.features + 1, member.generator) for member in found)


def splits_the_samples_among_them(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """You split the samples among the members. Each draws its own from all of them."""
    found, split = (
        _members(n, d, generator, n_members, max_features),
        np.array_split(generator.permutation(n), n_members),
    )
    return tuple(Member(part, *member[1:]) for part, member in zip(split, found, strict=True))


def members_by_a_loop(
    n: int, d: int, generator: Generator, *, n_members: int, max_features: int | None = None
) -> Members:
    """Each member from a generator of its own, which is seeded by the one that was given."""
    made = []
    for _ in range(n_members):
        own = np.random.default_rng(generator.integers(0, 2**63))
        features = own.permutation(d)[:max_features]
        made.append(Member(own.choice(n, n), np.sort(features), own))
    return tuple(made)
