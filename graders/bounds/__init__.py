"""Exercises on bounds: the mean of a sample, and how far it may be from the expectation."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from graders.bounds import misconceptions as wrong
from graders.harness.exercise import Exercise, edge, extreme, special
from reference import bounds as reference
from reference._types import Array
from reference.bounds import Interval, SampleMeanState

if TYPE_CHECKING:
    from graders.harness.drawing import Source


# --- sample_mean ------------------------------------------------------------------------------------------------------
def mean_by_the_sums(x: Array, state: SampleMeanState) -> SampleMeanState:
    """The sum of all samples, divided by their number."""
    n = state.n + len(x)
    return SampleMeanState(n, (state.n * state.mean + np.sum(x, axis=0)) / n)


def mean_row_by_row(x: Array, state: SampleMeanState) -> SampleMeanState:
    """One row after another, as Welford does it."""
    n, mean = state
    for row in range(len(x)):
        n = n + 1
        mean = mean + (x[row] - mean) / n
    return SampleMeanState(n, mean)


_X = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_FRESH = {"n": 0, "mean": [0.0, 0.0, 0.0]}
_LEVEL = [[1e8 + 0.3, -1e8 - 1.7, 0.9], [1e8 + 1.1, -1e8 + 0.4, -0.6]]

sample_mean = Exercise(
    reference.sample_mean,
    misconceptions=(
        wrong.averages_the_two_means,
        wrong.starts_anew,
        wrong.counts_batches,
        wrong.leaves_the_count_alone,
        wrong.forgets_the_old_count,
        wrong.returns_the_sum,
        wrong.adds_the_mean_as_if_it_were_a_sum,
        wrong.weighs_the_old_mean_by_the_new_count,
        wrong.divides_by_the_old_count,
        wrong.divides_by_one_less,
        wrong.moves_a_tenth_of_the_way,
        wrong.averages_all_columns_together,
    ),
    programs=(mean_by_the_sums, mean_row_by_row),
    edges=(
        edge("fresh", x=_X, state=_FRESH),
        edge("resumed", x=_X, state={"n": 3, "mean": [0.2, 0.6, -0.4]}),
        edge("one row", x=[[0.3, -1.7, 0.9]], state={"n": 4, "mean": [0.2, 0.6, -0.4]}),
        edge("one row, fresh", x=[[0.3, -1.7, 0.9]], state=_FRESH),
        edge("one number a row", x=[[0.3], [-1.7], [0.9]], state={"n": 2, "mean": [0.7]}),
        edge("seven rows", x=[*_X, *_X, *_X, [0.7, -0.2, 1.3]], state={"n": 1, "mean": [0.2, 0.6, -0.4]}),
        edge("a mean that stays", x=[[0.2, 0.6, -0.4]], state={"n": 5, "mean": [0.2, 0.6, -0.4]}),
        extreme("on a height of 1e8", x=_LEVEL, state={"n": 3, "mean": [1e8 + 0.2, -1e8 + 0.6, -0.4]}),
        extreme("after a billion rows", x=_X, state={"n": 10**9, "mean": [0.2, 0.6, -0.4]}),
        extreme(
            "mixed sizes", x=[[1e25, -1e-25, 0.9], [-3e24, 3e-26, 0.4]], state={"n": 3, "mean": [2e24, 7e-26, 1.1]}
        ),
    ),
)


# --- hoeffding_bound --------------------------------------------------------------------------------------------------
def bound_by_the_formula(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """The squares apart, as the theorem is written."""
    return 2 * np.exp(-2 * n * t**2 / (high - low) ** 2)


def bound_by_adding_the_logarithm(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """e^(log 2 − 2nt² / (high − low)²)."""
    width = high - low
    return np.exp(np.log(0 * width + 2) - 2 * n * (t / width) * (t / width))


def bound_cut_at_one(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """The bound is cut at 1, above which no probability lies."""
    return np.minimum(reference.hoeffding_bound(n=n, t=t, low=low, high=high), 1)


_HEIGHTS = {"low": 1.13, "high": 2.17}

hoeffding_bound = Exercise(
    reference.hoeffding_bound,
    misconceptions=(
        wrong.forgets_the_exponential,
        wrong.bounds_one_side_only,
        wrong.ignores_the_range,
        wrong.forgets_to_square_the_range,
        wrong.measures_the_range_from_zero,
        wrong.multiplies_by_the_range,
        wrong.forgets_to_square_the_distance,
        wrong.forgets_the_two_in_the_exponent,
        wrong.halves_the_exponent_twice,
        wrong.bounds_the_sum,
        wrong.forgets_the_samples,
        wrong.subtracts_from_one,
        wrong.uses_chebyshev,
    ),
    conventions=(bound_cut_at_one,),
    programs=(bound_by_the_formula, bound_by_adding_the_logarithm),
    edges=(
        edge("a thousand", n=1000, t=0.1),
        edge("two hundred", n=200, t=0.07),
        edge("one", n=1, t=0.9),
        edge("heights", n=300, t=0.08, **_HEIGHTS),
        edge("from minus one to one", n=50, t=0.3, low=-1.0, high=1.0),
        edge("below zero", n=70, t=0.2, low=-3.1, high=-0.7),
        edge("above one, where it says nothing", n=3, t=0.07),
        extreme("a range far from zero", n=40, t=0.17, low=1e6 + 0.3, high=1e6 + 1.7),
        extreme("a million", n=1_000_000, t=0.013),
    ),
)


# --- hoeffding_sample_size --------------------------------------------------------------------------------------------
def sample_size_in_any_arithmetic(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> Array:
    """The reference's formula alone, by NumPy: Python's `math` knows floats only, and returns an int."""
    return np.maximum(np.ceil(((high - low) / t) ** 2 * np.log(2 / delta) / 2), 1)


def sample_size_by_the_formula(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> Array:
    """The squares apart."""
    return np.maximum(np.ceil((high - low) ** 2 * (np.log(2 / delta) / (2 * t**2))), 1)


hoeffding_sample_size = Exercise(
    reference.hoeffding_sample_size,
    misconceptions=(
        wrong.leaves_the_fraction,
        wrong.rounds_down,
        wrong.rounds_to_the_nearest,
        wrong.adds_one_more,
        wrong.guards_one_side_only,
        wrong.takes_the_range_for_one,
        wrong.takes_the_range_unsquared,
        wrong.takes_the_distance_unsquared,
        wrong.forgets_the_two_below,
        wrong.doubles_twice,
        wrong.uses_the_logarithm_to_base_ten,
        wrong.uses_the_logarithm_to_base_two,
        wrong.takes_the_confidence_for_the_risk,
        wrong.counts_by_chebyshev,
    ),
    lifted=sample_size_in_any_arithmetic,
    programs=(sample_size_by_the_formula,),
    edges=(
        edge("a tenth", t=0.1, delta=0.05),
        edge("a hundredth", t=0.01, delta=0.003),
        edge("heights", t=0.03, delta=0.05, **_HEIGHTS),
        edge("from minus one to one", t=0.3, delta=0.2, low=-1.0, high=1.0),
        edge("below zero", t=0.2, delta=0.01, low=-3.1, high=-0.7),
        edge("a large risk", t=0.07, delta=0.9),
        edge("a million samples, each digit of which counts", t=0.0012345678, delta=0.0123456789, low=-0.23456),
        edge("nearly no confidence asked", t=0.000137, delta=0.987654),
        special("one is enough", t=1.7, delta=0.3),
        extreme("a tiny risk", t=0.1, delta=1e-100),
        extreme("a tiny distance", t=1e-5, delta=0.05),
        extreme("a range far from zero", t=0.17, delta=0.05, low=1e6 + 0.3, high=1e6 + 1.7),
    ),
)


# --- hoeffding_interval -----------------------------------------------------------------------------------------------
def interval_by_the_formula(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """The range inside the root."""
    one = np.zeros_like(mean) + 1
    margin = np.sqrt(one * (high - low) ** 2 * np.log(one * 2 / delta) / (2 * n))
    return Interval(mean - margin, mean + margin)


def _means_within(source: Source, hyperparameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The mean of numbers in [low, high] is in it too."""
    low, high = hyperparameters["low"], hyperparameters["high"]
    within = source.array((source.sizes(("d",))["d"],), "open unit")
    return {"mean": low + (high - low) * within}


def _interval(why: str, kind: Any = edge, **arguments: Any) -> Any:
    return kind(why, mean=[0.31, 0.77, 0.46], **arguments)


hoeffding_interval = Exercise(
    reference.hoeffding_interval,
    misconceptions=(
        wrong.guards_one_end_only,
        wrong.halves_the_risk_twice,
        wrong.forgets_the_root,
        wrong.forgets_the_range,
        wrong.squares_the_range,
        wrong.takes_the_root_of_the_range,
        wrong.forgets_the_two_below_the_root,
        wrong.forgets_the_number_of_samples,
        wrong.halves_the_margin,
        wrong.returns_the_margin,
        wrong.exchanges_the_ends,
        wrong.takes_the_risk_for_the_confidence,
        wrong.takes_the_logarithm_to_base_ten,
    ),
    conventions=(wrong.cuts_off_what_is_outside,),
    programs=(interval_by_the_formula,),
    edges=(
        _interval("two hundred", n=200, delta=0.05),
        _interval("one", n=1, delta=0.3),
        _interval("a tiny risk", n=5000, delta=1e-12),
        _interval("a large risk", n=70, delta=0.93),
        edge("heights", mean=[1.71, 1.83], n=300, delta=0.05, **_HEIGHTS),
        edge("one mean", mean=[0.3], n=40, delta=0.1),
        edge("below zero", mean=[-1.3, -2.9], n=70, delta=0.01, low=-3.1, high=-0.7),
        _interval("a billion", extreme, n=10**9, delta=0.05),
        _interval("a vanishing risk", extreme, n=40, delta=1e-30),
        extreme("a range far from zero", mean=[1e6 + 0.9], n=40, delta=0.05, low=1e6 + 0.3, high=1e6 + 1.7),
    ),
    draw=_means_within,
)
