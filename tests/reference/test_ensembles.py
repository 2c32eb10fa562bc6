"""Bootstrap samples, what members are given, and how their answers are joined."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graders.harness.arithmetic import exact_kind
from reference import ensembles

RNG = np.random.default_rng(29)
P = RNG.dirichlet(np.ones(3), (4, 5))


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_examples_in_the_docstrings_run() -> None:
    result = doctest.testmod(ensembles)

    assert result.attempted > 0
    assert result.failed == 0


def test_a_bootstrap_sample_is_drawn_with_replacement() -> None:
    """Counts are binomial: mean 1, variance (n - 1)/n, and 1/e of the samples are left out."""
    n = 10_000
    sample = ensembles.bootstrap_sample(n, generator())
    counts = np.bincount(sample, minlength=n)

    assert sample.shape == (n,)
    assert abs(counts.var() - (1 - 1 / n)) < 6 * np.sqrt(2 / n)
    assert abs(np.mean(counts == 0) - np.exp(-1)) < 6 * np.sqrt(np.exp(-1) * (1 - np.exp(-1)) / n)
    means = [ensembles.bootstrap_sample(101, generator(seed)).mean() for seed in range(400)]
    assert abs(np.mean(means) - 50) < 6 * np.sqrt((101**2 - 1) / 12 / 101 / 400)


def test_every_sample_is_as_likely() -> None:
    shares = np.bincount(ensembles.bootstrap_sample(5, generator(), size=50_000), minlength=5) / 50_000

    assert np.all(np.abs(shares - 0.2) < 6 * np.sqrt(0.16 / 50_000))


@pytest.mark.parametrize("size", [1, 7, 30])
def test_a_bootstrap_sample_of_another_size(size: int) -> None:
    assert ensembles.bootstrap_sample(5, generator(), size=size).shape == (size,)


def test_out_of_bag_is_the_rest() -> None:
    sample = ensembles.bootstrap_sample(50, generator())
    rest = ensembles.out_of_bag(sample, n=50)

    np.testing.assert_array_equal(np.union1d(sample, rest), np.arange(50))
    assert np.intersect1d(sample, rest).size == 0
    assert ensembles.out_of_bag(np.arange(3), n=3).size == 0


def test_members_differ_in_data_features_and_initialization() -> None:
    members = ensembles.bagging(40, 6, generator(), n_members=30, max_features=4)
    samples, features = [tuple(m.samples) for m in members], [tuple(m.features) for m in members]
    weights = [m.generator.standard_normal() for m in members]

    assert len(set(samples)) == 30
    assert len(set(features)) > 5
    assert len(set(weights)) == 30
    for sample, chosen in zip(samples, features, strict=True):
        assert len(sample) == 40
        assert set(sample) <= set(range(40))
        assert list(chosen) == sorted(set(chosen))
        assert len(chosen) == 4
    shares = np.bincount(np.ravel(features), minlength=6) / 30
    assert np.all(np.abs(shares - 4 / 6) < 6 * np.sqrt(2 / 9 / 30))


def test_all_features_are_the_default_and_a_seed_gives_one_ensemble() -> None:
    one, two = (ensembles.bagging(5, 3, generator(7), n_members=2) for _ in range(2))

    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.features, [0, 1, 2])
        np.testing.assert_array_equal(a.samples, b.samples)
    drawn = one[0].generator.standard_normal(9)
    assert one[1].generator.standard_normal() == two[1].generator.standard_normal()  # whatever the other has drawn
    np.testing.assert_array_equal(two[0].generator.standard_normal(9), drawn)


def test_bagging_lowers_the_variance_as_its_formula_says() -> None:
    """The mean of b answers of variance 1 and correlation rho has the variance rho + (1 - rho) / b."""
    rho, members, runs = 0.3, 8, 40_000
    common, own = RNG.standard_normal((runs, 1)), RNG.standard_normal((runs, members))
    answers = np.sqrt(rho) * common + np.sqrt(1 - rho) * own
    x = np.clip(0.5 + 0.05 * answers, 0, 1)
    joined = ensembles.average_probabilities(np.stack([x, 1 - x], axis=-1).transpose(1, 0, 2))

    np.testing.assert_allclose(joined[:, 0].var() / 0.05**2, rho + (1 - rho) / members, rtol=0.05)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_average_of_probabilities_is_one(dtype: type[Any]) -> None:
    given = P.astype(dtype)
    given = given / given.sum(axis=-1, keepdims=True)
    given.flags.writeable = False
    got = ensembles.average_probabilities(given)

    assert got.dtype == dtype
    np.testing.assert_allclose(got, sum(P) / 4, rtol=1e-6)
    np.testing.assert_allclose(got.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(ensembles.average_probabilities(P[::-1]), sum(P) / 4, rtol=1e-15)
    exact: Any = ensembles.average_probabilities(exact_kind(50).of(P, "float64"))  # type: ignore[arg-type]
    np.testing.assert_allclose(ensembles.average_probabilities(P), exact.parts[0].astype(float), rtol=1e-15)


def test_the_votes_are_counted() -> None:
    labels = RNG.integers(0, 4, (9, 50))
    got = ensembles.majority_vote(labels, num_classes=4)

    for i, column in enumerate(labels.T):
        counts = [np.sum(column == j) for j in range(4)]
        assert got[i] == counts.index(max(counts))  # the first of equal ones
    np.testing.assert_array_equal(ensembles.majority_vote(labels.astype(np.uint64), num_classes=4), got)
    np.testing.assert_array_equal(ensembles.majority_vote(labels[::-1], num_classes=7), got)


def test_a_vote_is_no_mean_of_labels() -> None:
    assert ensembles.majority_vote(np.array([[0], [0], [2], [2], [2]]), num_classes=3) == 2
    assert ensembles.majority_vote(np.array([[0], [2]]), num_classes=3) == 0


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: ensembles.bootstrap_sample(0, generator()),
        ValueError,
        "n: expected at least 1, got 0",
    ),
    (
        lambda: ensembles.bootstrap_sample(3, generator(), size=0),
        ValueError,
        "size: expected at least 1, got 0",
    ),
    (
        lambda: ensembles.bootstrap_sample(3, 0),  # type: ignore[arg-type]
        TypeError,
        "generator: expected a numpy.random.Generator, got int; write np.random.default_rng(seed)",
    ),
    (
        lambda: ensembles.out_of_bag(np.array([0, 5]), n=5),
        ValueError,
        "samples: expected integers in 0..4, got 5; they count from zero",
    ),
    (
        lambda: ensembles.out_of_bag(np.array([0.0]), n=5),
        TypeError,
        "samples: expected integers, got float64; write samples.astype(np.int64)",
    ),
    (
        lambda: ensembles.bagging(5, 3, generator(), n_members=2, max_features=4),
        ValueError,
        "max_features: expected at most d = 3, got 4",
    ),
    (
        lambda: ensembles.bagging(5, 3, generator(), n_members=0),
        ValueError,
        "n_members: expected at least 1, got 0",
    ),
    (
        lambda: ensembles.average_probabilities(P[0]),
        ValueError,
        "probabilities: expected shape (b, n, c), got (5, 3)",
    ),
    (
        lambda: ensembles.average_probabilities(2 * P[:1, :1]),
        ValueError,
        "probabilities[0]: expected probabilities with sum 1, got sum 2; divide by the sum",
    ),
    (
        lambda: ensembles.majority_vote(np.array([[0, 3]]), num_classes=3),
        ValueError,
        "labels: expected integers in 0..2, got 3; they count from zero",
    ),
    (
        lambda: ensembles.majority_vote(np.zeros((0, 2), int), num_classes=3),
        ValueError,
        "labels: expected at least one row and one column, got shape (0, 2)",
    ),
]  # fmt: skip


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused(attempt: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
