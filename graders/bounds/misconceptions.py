"""Known mistakes in the bounds; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np

from reference import bounds as reference
from reference._types import Array
from reference.bounds import Interval, SampleMeanState


# --- sample_mean ------------------------------------------------------------------------------------------------------
def averages_the_two_means(x: Array, state: SampleMeanState) -> SampleMeanState:
    """You took the middle of the old mean and the batch's. Weigh each by its number of samples."""
    return SampleMeanState(state.n + len(x), (state.mean + np.mean(x, axis=0)) / 2)


def starts_anew(x: Array, state: SampleMeanState) -> SampleMeanState:
    """You returned the mean of this batch alone. Join it with the mean that the state brings."""
    return SampleMeanState(state.n + len(x), np.mean(x, axis=0))


def counts_batches(x: Array, state: SampleMeanState) -> SampleMeanState:
    """You counted the batch as one sample. It has len(x) samples: count them all, and weigh its mean by as many."""
    n = state.n + 1
    return SampleMeanState(n, state.mean + (np.mean(x, axis=0) - state.mean) / n)


def leaves_the_count_alone(x: Array, state: SampleMeanState) -> SampleMeanState:
    """Your mean is right, but the count is the old one. Return N + n in the state."""
    return reference.sample_mean(x, state)._replace(n=state.n)


def forgets_the_old_count(x: Array, state: SampleMeanState) -> SampleMeanState:
    """Your mean is right, but the count is that of this batch. Return N + n in the state."""
    return reference.sample_mean(x, state)._replace(n=len(x))


def returns_the_sum(x: Array, state: SampleMeanState) -> SampleMeanState:
    """You did not divide. The mean is the sum of all samples over their number."""
    n, mean = reference.sample_mean(x, state)
    return SampleMeanState(n, mean * n)


def adds_the_mean_as_if_it_were_a_sum(x: Array, state: SampleMeanState) -> SampleMeanState:
    """You added the old mean to the new samples as it is. It stands for N samples: multiply it by N first."""
    n = state.n + len(x)
    return SampleMeanState(n, (state.mean + np.sum(x, axis=0)) / n)


def weighs_the_old_mean_by_the_new_count(x: Array, state: SampleMeanState) -> SampleMeanState:
    """You multiplied the old mean by the new count. It stands for the samples before this batch: use the old count."""
    n = state.n + len(x)
    return SampleMeanState(n, (n * state.mean + np.sum(x, axis=0)) / n)


def divides_by_the_old_count(x: Array, state: SampleMeanState) -> SampleMeanState:
    """You divided by the count before this batch, which is 0 at first. Divide by N + n."""
    n = state.n + len(x)
    return SampleMeanState(n, state.mean + (np.mean(x, axis=0) - state.mean) * len(x) / np.float64(state.n))


def divides_by_one_less(x: Array, state: SampleMeanState) -> SampleMeanState:
    """You divided by N − 1. That is for a variance; a mean is the sum over the number of samples."""
    n, mean = reference.sample_mean(x, state)
    return SampleMeanState(n, mean * n / np.float64(n - 1))


def moves_a_tenth_of_the_way(x: Array, state: SampleMeanState) -> SampleMeanState:
    """You moved a tenth of the way to the batch's mean, as batch normalization does. Move n / N of it."""
    return SampleMeanState(state.n + len(x), 0.9 * state.mean + 0.1 * np.mean(x, axis=0))


def averages_all_columns_together(x: Array, state: SampleMeanState) -> SampleMeanState:
    """You averaged all entries of the batch. Every column has its own mean: axis=0."""
    return reference.sample_mean(np.zeros_like(x) + np.mean(x), state)


# --- hoeffding_bound --------------------------------------------------------------------------------------------------
def forgets_the_exponential(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> float:
    """You left out the exponential function: it is 2 e^(−2nt²), not 2nt² (the lectures lost it there)."""
    return 2 * n * (t / (high - low)) ** 2


def bounds_one_side_only(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """You bounded the error on one side. The mean may be too large or too small, so there is a factor of 2."""
    return _bound(n * (t / (high - low)) ** 2) / 2


def ignores_the_range(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """You took the range for 1. Divide t by high − low first (the lectures left it out)."""
    return _bound(n * t**2)


def forgets_to_square_the_range(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """You divided by the range once. It is squared: −2nt² / (high − low)²."""
    return _bound(n * t**2 / (high - low))


def measures_the_range_from_zero(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """You took `high` for the range. It is high − low."""
    return _bound(n * (t / high) ** 2)


def multiplies_by_the_range(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """You multiplied by the range. A wider one makes the bound weaker: divide t by high − low."""
    return _bound(n * (t * (high - low)) ** 2)


def forgets_to_square_the_distance(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """You forgot to square t. The exponent is −2nt² / (high − low)²."""
    return _bound(n * t / (high - low) ** 2)


def forgets_the_two_in_the_exponent(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """You left out the 2 in the exponent. It is −2nt² / (high − low)²."""
    return _bound(n * (t / (high - low)) ** 2 / 2)


def halves_the_exponent_twice(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """Your exponent is −nt² / 2 over the squared range, a quarter of the right one: −2nt² / (high − low)²."""
    return _bound(n * (t / (high - low)) ** 2 / 4)


def bounds_the_sum(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """You bounded the sum of the samples, with t²/n. For their mean it is n t²."""
    return _bound((t / (high - low)) ** 2 / n)


def forgets_the_samples(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """You left out n. More samples make the bound smaller: −2nt² / (high − low)²."""
    return _bound((t / (high - low)) ** 2)


def subtracts_from_one(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> Array:
    """You returned the probability of being near. Asked for is that of being t or more away, without the 1 −."""
    return 1 - reference.hoeffding_bound(n=n, t=t, low=low, high=high)


def uses_chebyshev(*, n: int, t: float, low: float = 0.0, high: float = 1.0) -> float:
    """You used Chebyshev's inequality with a variance of (high − low)² / 4. Hoeffding's has an exponential."""
    return ((high - low) / t) ** 2 / (4 * n)


def _bound(exponent: float) -> Array:
    """Return the bound for an exponent that lacks its factor of −2."""
    return 2 * np.exp(np.float64(-2 * exponent))


# --- hoeffding_sample_size --------------------------------------------------------------------------------------------
def leaves_the_fraction(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You did not round. Samples are whole, so round up: math.ceil."""
    return _samples(t, delta, high - low)


def rounds_down(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You rounded down, so the bound is still above δ. Round up: math.ceil."""
    return math.floor(_samples(t, delta, high - low))


def rounds_to_the_nearest(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You rounded to the nearest number, so the bound may still be above δ. Round up: math.ceil."""
    return round(_samples(t, delta, high - low))


def adds_one_more(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You rounded up and added 1. The number rounded up is enough."""
    return _rounded(t, delta, high - low) + 1


def guards_one_side_only(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You used log(1 / δ), which guards one side only. For both sides it is log(2 / δ)."""
    return _rounded(t, 2 * delta, high - low)


def takes_the_range_for_one(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You took the range for 1. The number grows with its square: (high − low)² log(2 / δ) / (2t²)."""
    return _rounded(t, delta, 1.0)


def takes_the_range_unsquared(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You multiplied by the range once. It is squared: (high − low)² log(2 / δ) / (2t²)."""
    return _rounded(t, delta, math.sqrt(high - low))


def takes_the_distance_unsquared(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You forgot to square t. Half the distance takes four times the samples: divide by 2t²."""
    return _rounded(math.sqrt(t), delta, high - low)


def forgets_the_two_below(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You left out the 2 in 2t². The number is half as large: (high − low)² log(2 / δ) / (2t²)."""
    return _rounded(t / math.sqrt(2), delta, high - low)


def doubles_twice(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You divided by t² / 2, not by 2t², so that the number is four times too large."""
    return _rounded(t / 2, delta, high - low)


def uses_the_logarithm_to_base_ten(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You took the logarithm to base 10. Use the natural one, math.log."""
    return math.ceil(_samples(t, delta, high - low) / math.log(10))


def uses_the_logarithm_to_base_two(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You took the logarithm to base 2. Use the natural one, math.log."""
    return math.ceil(_samples(t, delta, high - low) / math.log(2))


def takes_the_confidence_for_the_risk(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You used 1 − δ where δ stands. δ is the risk of being wrong, .05 for a confidence of .95."""
    return _rounded(t, 1 - delta, high - low)


def counts_by_chebyshev(*, t: float, delta: float, low: float = 0.0, high: float = 1.0) -> float:
    """You used Chebyshev's inequality with a variance of (high − low)² / 4. Hoeffding's has log(2 / δ) / 2."""
    return math.ceil(((high - low) / t) ** 2 / (4 * delta))


def _samples(t: float, delta: float, width: float) -> float:
    return (width / t) ** 2 * math.log(2 / delta) / 2


def _rounded(t: float, delta: float, width: float) -> int:
    return math.ceil(_samples(t, delta, width))


# --- hoeffding_interval -----------------------------------------------------------------------------------------------
def cuts_off_what_is_outside(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """The interval cut to [low, high], as statsmodels' proportion_confint cuts its own to [0, 1]."""
    ends = reference.hoeffding_interval(mean, n=n, delta=delta, low=low, high=high)
    return Interval(*(np.minimum(np.maximum(end, low), high) for end in ends))


def guards_one_end_only(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """You used log(1 / δ), which guards one end only. For both ends it is log(2 / δ)."""
    return _around(mean, _margin(n, 2 * delta) * (high - low))


def halves_the_risk_twice(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """You used log(4 / δ). The 2 in log(2 / δ) already splits the risk between the ends."""
    return _around(mean, _margin(n, delta / 2) * (high - low))


def forgets_the_root(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """You left out the root. The margin is (high − low) √(log(2 / δ) / 2n)."""
    return _around(mean, _margin(n, delta) ** 2 * (high - low))


def forgets_the_range(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """You took the range for 1. Multiply the root by high − low (the lectures left it out)."""
    return _around(mean, _margin(n, delta))


def squares_the_range(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """You multiplied the root by the squared range. The square is under the root; before it stands high − low."""
    return _around(mean, _margin(n, delta) * (high - low) ** 2)


def takes_the_root_of_the_range(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """You put the range under the root without squaring it. Before the root it is high − low."""
    return _around(mean, _margin(n, delta) * math.sqrt(high - low))


def forgets_the_two_below_the_root(
    mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0
) -> Interval:
    """You divided by n under the root. It is 2n: (high − low) √(log(2 / δ) / 2n)."""
    return _around(mean, _margin(n, delta) * math.sqrt(2) * (high - low))


def forgets_the_number_of_samples(
    mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0
) -> Interval:
    """You left out n. The interval shrinks with the root of it: (high − low) √(log(2 / δ) / 2n)."""
    return _around(mean, _margin(1, delta) * (high - low))


def halves_the_margin(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """You took the margin for the whole width. The interval reaches as far on either side."""
    return _around(mean, _margin(n, delta) * (high - low) / 2)


def returns_the_margin(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """You returned −margin and +margin. Add the mean to both."""
    return _around(np.zeros_like(mean), _margin(n, delta) * (high - low))


def exchanges_the_ends(mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """You exchanged the ends. The low one, mean − margin, comes first."""
    return _around(mean, -_margin(n, delta) * (high - low))


def takes_the_risk_for_the_confidence(
    mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0
) -> Interval:
    """You used 1 − δ where δ stands. δ is the risk of being wrong, .05 for a confidence of .95."""
    return _around(mean, _margin(n, 1 - delta) * (high - low))


def takes_the_logarithm_to_base_ten(
    mean: Array, *, n: int, delta: float, low: float = 0.0, high: float = 1.0
) -> Interval:
    """You took the logarithm to base 10. Use the natural one, np.log."""
    return _around(mean, _margin(n, delta) / math.sqrt(math.log(10)) * (high - low))


def _margin(n: int, delta: float) -> float:
    """Return √(log(2 / δ) / 2n); NaN where the logarithm is negative."""
    return float(np.sqrt(np.log(2 / np.float64(delta)) / (2 * n)))


def _around(mean: Array, margin: float) -> Interval:
    step = mean.dtype.type(margin)
    return Interval(mean - step, mean + step)
