"""The running mean, and Hoeffding's bound against exact binomial tails."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from fractions import Fraction
from math import comb, exp, log
from typing import Any

import numpy as np
import pytest

from graders.harness.arithmetic import exact_kind
from reference import bounds
from reference.bounds import SampleMeanState

RNG = np.random.default_rng(31)
X = RNG.standard_normal((20, 3)) + np.array([0.0, 50.0, -3.0])
FRESH = SampleMeanState(0, np.zeros(3))


def test_the_examples_in_the_docstrings_run() -> None:
    result = doctest.testmod(bounds)

    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("cuts", [[], [1], [5, 6, 19], list(range(1, 20))])
def test_the_mean_does_not_depend_on_how_the_sample_is_cut(cuts: list[int]) -> None:
    state = FRESH
    for batch in np.split(X, cuts):
        state = bounds.sample_mean(batch, state)

    assert state.n == 20
    expected = [float(sum(map(Fraction, column), Fraction()) / 20) for column in X.T]
    np.testing.assert_allclose(state.mean, expected, rtol=1e-14)


def test_after_each_sample_it_is_the_mean_so_far() -> None:
    state = FRESH
    for t, x in enumerate(X, start=1):
        state = bounds.sample_mean(x[None], state)
        np.testing.assert_allclose(state.mean, X[:t].sum(axis=0) / t, rtol=1e-13)


def test_a_large_mean_of_float32_does_not_drift() -> None:
    x = np.full((100_000, 1), 1e6 + 0.1, np.float32)
    state = SampleMeanState(0, np.zeros(1, np.float32))
    for batch in np.split(x, 100):
        state = bounds.sample_mean(batch, state)

    np.testing.assert_allclose(state.mean, x[0], rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept_and_nothing_is_written(dtype: type[Any]) -> None:
    x, mean = X.astype(dtype), X[0].astype(dtype)
    x.flags.writeable = mean.flags.writeable = False
    state = SampleMeanState(3, mean)
    once, twice = bounds.sample_mean(x, state), bounds.sample_mean(x, state)
    low, high = bounds.hoeffding_interval(mean, n=7, delta=0.1)

    assert once.mean.dtype == low.dtype == high.dtype == dtype
    np.testing.assert_array_equal(once.mean, twice.mean)
    assert bounds.sample_mean(x[0], SampleMeanState(0, dtype(0))).mean.dtype == dtype  # a sample of numbers


def test_a_count_of_numpy_keeps_the_dtype() -> None:
    state = SampleMeanState(np.int64(3), np.zeros(1, np.float32))  # type: ignore[arg-type]

    assert bounds.sample_mean(np.ones((1, 1), np.float32), state).mean.dtype == np.float32


def test_fifty_digits_say_the_same() -> None:
    lift: Any = exact_kind(50).of
    state: Any = bounds.sample_mean(lift(X, "float64"), SampleMeanState(3, lift(X[1], "float64")))
    bound: Any = bounds.hoeffding_bound(
        n=7, t=lift(0.3, "float64"), low=lift(-1.0, "float64"), high=lift(0.7, "float64")
    )
    interval: Any = bounds.hoeffding_interval(lift(X[0], "float64"), n=7, delta=lift(0.1, "float64"))

    np.testing.assert_allclose(
        bounds.sample_mean(X, SampleMeanState(3, X[1])).mean, state.mean.parts[0].astype(float), rtol=1e-14
    )
    assert bounds.hoeffding_bound(n=7, t=0.3, low=-1.0, high=0.7) == pytest.approx(float(bound.parts[0][()]), rel=1e-14)
    for got, part in zip(bounds.hoeffding_interval(X[0], n=7, delta=0.1), interval, strict=True):
        np.testing.assert_allclose(got, part.parts[0].astype(float), rtol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 5, 17, 40])
@pytest.mark.parametrize("mean", [Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)])
def test_exact_tails_of_coins_are_below_the_bound(n: int, mean: Fraction) -> None:
    law = [comb(n, k) * mean**k * (1 - mean) ** (n - k) for k in range(n + 1)]
    for k in range(n + 1):
        t = abs(Fraction(k, n) - mean)
        if t:
            tail = float(sum(p for j, p in enumerate(law) if abs(Fraction(j, n) - mean) >= t))
            assert tail <= bounds.hoeffding_bound(n=n, t=float(t)) * (1 + 1e-12)


def test_the_lectures_number() -> None:
    assert bounds.hoeffding_bound(n=1000, t=0.1) == pytest.approx(2 * exp(-20), rel=1e-14, abs=0)
    assert float(bounds.hoeffding_bound(n=1000, t=0.1)) == pytest.approx(4.1e-9, rel=0.01, abs=0)


def test_the_bound_knows_the_range() -> None:
    assert bounds.hoeffding_bound(n=9, t=2.0, low=-10.0, high=10.0) == pytest.approx(
        bounds.hoeffding_bound(n=9, t=0.1), rel=1e-14
    )
    assert bounds.hoeffding_bound(n=1, t=1.0, low=-10.0, high=10.0) > 1  # ±10 is off by 10 always


@pytest.mark.parametrize("t", [0.01, 0.1, 0.37, 5.0])
@pytest.mark.parametrize("delta", [1e-9, 0.05, 0.99])
@pytest.mark.parametrize("high", [1.0, 10.0])
def test_the_sample_size_is_the_smallest(t: float, delta: float, high: float) -> None:
    n = bounds.hoeffding_sample_size(t=t, delta=delta, high=high)

    assert type(n) is int
    assert bounds.hoeffding_bound(n=n, t=t, high=high) <= delta
    assert n == 1 or bounds.hoeffding_bound(n=n - 1, t=t, high=high) > delta


@pytest.mark.parametrize("n, t", [(1, 0.7), (3, 0.5), (5, 0.33), (9, 0.2), (185, 0.1), (1000, 0.1)])
def test_the_sample_size_of_a_bound_is_that_bounds(n: int, t: float) -> None:
    assert bounds.hoeffding_sample_size(t=t, delta=float(bounds.hoeffding_bound(n=n, t=t))) == n


def test_the_ends_of_the_interval_are_as_likely_as_stated() -> None:
    low, high = bounds.hoeffding_interval(np.array([0.4]), n=50, delta=0.05)

    assert bounds.hoeffding_bound(n=50, t=float(high[0] - low[0]) / 2) == pytest.approx(0.05, rel=1e-12)
    np.testing.assert_allclose((low + high) / 2, 0.4)
    assert high[0] - low[0] == pytest.approx(2 * (log(40) / 100) ** 0.5)
    wide = bounds.hoeffding_interval(np.array([0.4]), n=50, delta=0.05, low=-1.0, high=2.0)
    np.testing.assert_allclose(wide.high - wide.low, 3 * (high - low))


def test_intervals_hold_the_mean_at_least_as_often_as_stated() -> None:
    means = np.random.default_rng(0).binomial(30, 0.3, 2000) / 30
    low, high = bounds.hoeffding_interval(means, n=30, delta=0.2)

    assert np.mean((low <= 0.3) & (high >= 0.3)) >= 0.8


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: bounds.sample_mean(X[:0], FRESH),
        ValueError,
        "x: expected at least one row and one column, got shape (0, 3)",
    ),
    (
        lambda: bounds.sample_mean(X[:, :2], FRESH),
        ValueError,
        "x: expected rows of the shape of the mean, (3,), got shape (20, 2)",
    ),
    (
        lambda: bounds.sample_mean(X, SampleMeanState(-1, np.zeros(3))),
        ValueError,
        "n: expected at least 0, got -1",
    ),
    (
        lambda: bounds.sample_mean(X.astype(np.float32), FRESH),
        TypeError,
        "expected one dtype for all arrays, got x float32, mean float64; convert them with .astype",
    ),
    (
        lambda: bounds.hoeffding_bound(n=0, t=0.1),
        ValueError,
        "n: expected at least 1, got 0",
    ),
    (
        lambda: bounds.hoeffding_bound(n=5, t=0.0),
        ValueError,
        "t: expected a positive finite number, got 0.0",
    ),
    (
        lambda: bounds.hoeffding_bound(n=5, t=0.1, low=1.0),
        ValueError,
        "low, high: expected finite numbers, low below high, got 1.0 and 1.0",
    ),
    (
        lambda: bounds.hoeffding_sample_size(t=0.1, delta=0.0),
        ValueError,
        "delta: expected a number in (0, 1), got 0.0",
    ),
    (
        lambda: bounds.hoeffding_interval(np.array([np.nan]), n=5, delta=0.1),
        ValueError,
        "mean[0]: expected a number, got nan",
    ),
    (
        lambda: bounds.hoeffding_interval(0.5, n=5, delta=0.1),  # type: ignore[arg-type]
        TypeError,
        "mean: expected a NumPy array of float32 or float64, got float; write np.asarray(mean, dtype=np.float64)",
    ),
]  # fmt: skip


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused(attempt: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
