"""Bounds: the mean of a sample, and how far it may be from the expectation (Hoeffding's inequality).

All that is assumed of the n variables is that they are independent and in [low, high]. Numbers outside their range are
a ValueError, and what is no number, array or state a TypeError.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

import numpy as np

from reference import _numerics as numerics
from reference._types import Array, Count, Extent, Fraction, Positive

Rows = Annotated[Array, "n d"]
Means = Annotated[Array, "d"]
Number = Annotated[float, "number"]


class SampleMeanState(NamedTuple):
    """How many samples were seen, and their mean."""

    n: Count
    mean: Means


class Interval(NamedTuple):
    """The ends of an interval."""

    low: Array
    high: Array


def sample_mean(x: Rows, state: SampleMeanState) -> SampleMeanState:
    """N ← N + n, X̄ ← X̄ + (x̄ − X̄) · n / N for a batch of n rows with mean x̄: the running mean.

    Shapes: x (n, …) and X̄ (…). A fresh state is zeros (and N = 0); nothing is written, so a state may be kept and
    used again. The mean of everything at once is `sample_mean(x, fresh).mean`.
    Source: 004_64b996b1ba6bbd2b.txt; Welford 1962, Chan, Golub and LeVeque 1983.

    >>> state = sample_mean(np.array([[1.0], [3.0]]), SampleMeanState(0, np.zeros(1)))
    >>> sample_mean(np.array([[8.0]]), state)
    SampleMeanState(n=3, mean=array([4.]))
    """
    numerics.require_kind(SampleMeanState, state=state)
    numerics.require_floats(x=x, mean=state.mean)
    if x.shape[1:] != state.mean.shape or not x.shape:
        raise ValueError(f"x: expected rows of the shape of the mean, {state.mean.shape}, got shape {x.shape}")
    numerics.require_rows(x=x)
    numerics.require_counts(0, n=state.n)
    n = int(state.n) + len(x)
    return SampleMeanState(n, state.mean + np.mean(x - state.mean, axis=0) * len(x) / n)


def hoeffding_bound(*, n: Extent, t: Positive, low: Number = 0.0, high: Number = 1.0) -> Array:
    """2 e^(−2nt² / (high − low)²), which Pr(|X̄ − μ| ≥ t) does not exceed.

    Above one it says nothing. Source: Hoeffding 1963, theorem 2; 004_64b996b1ba6bbd2b.txt (there without high − low; a
    thousand heights within a metre are off by .1 m or more with a probability of at most 4.1e−9).

    >>> print(f"{hoeffding_bound(n=1000, t=0.1):.3e}")
    4.122e-09
    """
    _require_sample(n, t, low, high)
    return 2 * np.exp(-2 * n * (t / (high - low)) ** 2)


def hoeffding_sample_size(*, t: Positive, delta: Fraction, low: Number = 0.0, high: Number = 1.0) -> int:
    """⌈(high − low)² log(2 / δ) / (2t²)⌉, the smallest n whose `hoeffding_bound` is at most δ.

    Source: Hoeffding 1963, theorem 2, solved for n.

    >>> hoeffding_sample_size(t=0.1, delta=0.05)
    185
    """
    _require_sample(1, t, low, high)
    _require_risk(delta)
    n = max(1, math.ceil(((high - low) / t) ** 2 * math.log(2 / delta) / 2))
    near = range(max(1, n - 1), n + 1)  # rounding may have taken n one off
    return next((m for m in near if hoeffding_bound(n=m, t=t, low=low, high=high) <= delta), n + 1)


def hoeffding_interval(mean: Means, *, n: Extent, delta: Fraction, low: Number = 0.0, high: Number = 1.0) -> Interval:
    """X̄ ± (high − low) √(log(2 / δ) / 2n), an interval that holds μ with a probability of at least 1 − δ.

    Shapes: any, both ends have that of the mean X̄ of n samples. The probability is over samples, not over μ. What of
    the interval is outside [low, high] may be cut off. Source: Hoeffding 1963, theorem 2, solved for t.

    >>> hoeffding_interval(np.array([0.5]), n=200, delta=0.05)
    Interval(low=array([0.40396772]), high=array([0.59603228]))
    """
    numerics.require_floats(mean=mean)
    numerics.require_numbers(mean=mean)
    _require_sample(n, 1.0, low, high)
    _require_risk(delta)
    margin = ((high - low) * np.sqrt(np.log(2 / delta) / (2 * n))).astype(mean.dtype)
    return Interval(mean - margin, mean + margin)


def _require_sample(n: int, t: float, low: float, high: float) -> None:
    numerics.require_counts(n=n)
    numerics.require_positive(t=t)
    numerics.require_real(low=low, high=high)
    if numerics.is_plain(low) and numerics.is_plain(high) and not -np.inf < low < high < np.inf:
        raise ValueError(f"low, high: expected finite numbers, low below high, got {low} and {high}")


def _require_risk(delta: float) -> None:
    numerics.require_real(delta=delta)
    if numerics.is_plain(delta) and not 0 < delta < 1:
        raise ValueError(f"delta: expected a number in (0, 1), got {delta}")
