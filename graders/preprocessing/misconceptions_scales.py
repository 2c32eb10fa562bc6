"""Known mistakes in centering, standardizing and scaling; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from reference import preprocessing as reference
from reference._types import Array


def like(statistic: Array, x: Array) -> Array:
    """Return a statistic of each feature, pixel or channel with as many axes as a sample has."""
    channels = statistic.ndim == 1 and x.ndim == 4
    return np.reshape(statistic, (*statistic.shape, 1, 1)) if channels else statistic


# --- center -----------------------------------------------------------------------------------------------------------
def adds_the_mean(x: Array, mean: Array) -> Array:
    """You added the mean. Subtract it."""
    return x + like(mean, x)


def subtracts_from_the_mean(x: Array, mean: Array) -> Array:
    """You subtracted the data from the mean. It is the other way round, x − μ."""
    return like(mean, x) - x


def subtracts_its_own_mean(x: Array, mean: Array) -> Array:
    """You subtracted the mean of these data. Subtract the one that is given: new data are centered as the old were."""
    return x - like(np.mean(x, axis=_axes(x, mean)), x)


def subtracts_one_mean_from_all(x: Array, mean: Array) -> Array:
    """You subtracted one number everywhere, the mean of the means. Every feature, pixel or channel has its own."""
    return x - np.mean(mean)


def subtracts_the_mean_of_each_sample(x: Array, mean: Array) -> Array:
    """You subtracted every sample's own mean. Subtract the means that are given, one for each feature."""
    return x - np.mean(x, axis=tuple(range(1, x.ndim)), keepdims=True)


def divides_by_the_mean(x: Array, mean: Array) -> Array:
    """You divided by the mean. Subtract it."""
    return x / like(mean, x)


def ignores_the_mean(x: Array, mean: Array) -> Array:
    """You returned the data as they came. Subtract the mean."""
    return 1 * x


def standardizes_too(x: Array, mean: Array) -> Array:
    """You divided by the deviation of these data as well. Only subtract the mean."""
    return (x - like(mean, x)) / like(np.std(x, axis=_axes(x, mean)), x)


def takes_the_distance(x: Array, mean: Array) -> Array:
    """You took the absolute value. What is below the mean is to be negative."""
    return np.abs(x - like(mean, x))


# --- standardize ------------------------------------------------------------------------------------------------------
def divides_by_the_variance(x: Array, mean: Array, std: Array) -> Array:
    """You divided by σ². Divide by the standard deviation σ."""
    return (x - like(mean, x)) / like(_one_for_zero(std**2), x)


def divides_by_the_root_of_the_deviation(x: Array, mean: Array, std: Array) -> Array:
    """You divided by √σ, as if σ were the variance (001_85d2a45f19410a02.txt). It is the deviation: divide by σ."""
    return (x - like(mean, x)) / like(np.sqrt(_one_for_zero(std)), x)


def forgets_the_mean(x: Array, mean: Array, std: Array) -> Array:
    """You did not subtract the mean. It is (x − μ) / σ."""
    return x / like(_one_for_zero(std), x)


def forgets_the_deviation(x: Array, mean: Array, std: Array) -> Array:
    """You did not divide by the deviation. It is (x − μ) / σ."""
    return x - like(mean, x)


def divides_before_it_subtracts(x: Array, mean: Array, std: Array) -> Array:
    """You divided x alone. Subtract the mean first and divide the difference: (x − μ) / σ."""
    return x / like(_one_for_zero(std), x) - like(mean, x)


def multiplies_by_the_deviation(x: Array, mean: Array, std: Array) -> Array:
    """You multiplied by the deviation. Divide by it."""
    return (x - like(mean, x)) * like(_one_for_zero(std), x)


def uses_its_own_statistics(x: Array, mean: Array, std: Array) -> Array:
    """You took mean and deviation of these data. Use those of the training data, which are given."""
    axes = _axes(x, mean)
    return (x - like(np.mean(x, axis=axes), x)) / like(_one_for_zero(np.std(x, axis=axes)), x)


def shares_one_deviation(x: Array, mean: Array, std: Array) -> Array:
    """You divided by one number everywhere, the mean of the deviations. Every feature, pixel or channel has its own."""
    return (x - like(mean, x)) / np.mean(std)


def adds_a_small_number_to_the_deviation(x: Array, mean: Array, std: Array) -> Array:
    """You divided by σ + 1e-8, which is never quite right, and tiny where σ is 0. Use 1 there."""
    return (x - like(mean, x)) / (like(std, x) + 1e-8)


def adds_eps_under_the_root(x: Array, mean: Array, std: Array) -> Array:
    """You divided by √(σ² + 1e-5), as batch normalization does. Here it is σ itself, and 1 where σ is 0."""
    return (x - like(mean, x)) / np.sqrt(like(std, x) ** 2 + 1e-5)


def divides_by_zero(x: Array, mean: Array, std: Array) -> Array:
    """You divided by a deviation of 0. A feature that was constant is only centered: divide it by 1."""
    return (x - like(mean, x)) / like(std, x)


def makes_constant_features_zero(x: Array, mean: Array, std: Array) -> Array:
    """You set a feature that was constant to 0. New data may differ from it: subtract its mean, and divide by 1."""
    return np.where(like(std, x) > 0, reference.standardize(x, mean, std), 0)


# --- minmax -----------------------------------------------------------------------------------------------------------
def forgets_to_shift(x: Array, low: Array, high: Array) -> Array:
    """You did not subtract the lower end. It is (x − low) / (high − low)."""
    return x / like(_one_for_zero(high - low), x)


def forgets_to_divide(x: Array, low: Array, high: Array) -> Array:
    """You did not divide by the extent. It is (x − low) / (high − low)."""
    return x - like(low, x)


def divides_by_the_high(x: Array, low: Array, high: Array) -> Array:
    """You divided by the upper end. Divide by the extent, high − low."""
    return (x - like(low, x)) / like(_one_for_zero(high), x)


def divides_before_it_shifts(x: Array, low: Array, high: Array) -> Array:
    """You divided x alone; there parentheses are missing. It is (x − low) / (high − low)."""
    return x / like(_one_for_zero(high - low), x) - like(low, x)


def divides_by_the_sum_of_the_ends(x: Array, low: Array, high: Array) -> Array:
    """You divided by high + low. Divide by the extent, high − low."""
    return (x - like(low, x)) / like(high + low, x)


def runs_from_high_to_low(x: Array, low: Array, high: Array) -> Array:
    """You measured from the upper end, so that it becomes 0 and the lower one 1. It is (x − low) / (high − low)."""
    return (like(high, x) - x) / like(_one_for_zero(high - low), x)


def scales_to_minus_one_and_one(x: Array, low: Array, high: Array) -> Array:
    """You made the range −1 to 1. It is to be 0 to 1: (x − low) / (high − low)."""
    return 2 * reference.minmax(x, low, high) - 1


def clips_to_the_range(x: Array, low: Array, high: Array) -> Array:
    """You cut off what is beyond the range of the training data. Leave it beyond 0 and 1."""
    return np.clip(reference.minmax(x, low, high), 0, 1)


def uses_its_own_range(x: Array, low: Array, high: Array) -> Array:
    """You took the range of these data. Use that of the training data, which is given."""
    axes = _axes(x, low)
    lowest = np.min(x, axis=axes)
    return (x - like(lowest, x)) / like(_one_for_zero(np.max(x, axis=axes) - lowest), x)


def shares_one_extent(x: Array, low: Array, high: Array) -> Array:
    """You used one range for all, from the least lower end to the largest upper one. Every feature has its own."""
    return (x - np.min(low)) / (np.max(high) - np.min(low))


def centers_at_the_middle(x: Array, low: Array, high: Array) -> Array:
    """You subtracted the middle of the range, so that it becomes −½ to ½. Subtract the lower end."""
    return reference.minmax(x, low, high) - 0.5 * like((high > low).astype(x.dtype), x)


def adds_a_small_number_to_the_extent(x: Array, low: Array, high: Array) -> Array:
    """You divided by high − low + 1e-8, which is never quite right, and tiny where both are equal. Use 1 there."""
    return (x - like(low, x)) / like(high - low + 1e-8, x)


def divides_by_an_extent_of_zero(x: Array, low: Array, high: Array) -> Array:
    """You divided by an extent of 0. A feature that was constant is only shifted: divide it by 1."""
    return (x - like(low, x)) / like(high - low, x)


def _axes(x: Array, statistic: Array) -> tuple[int, ...]:
    """Return the axes over which a statistic of this shape was taken."""
    return (0, 2, 3) if statistic.ndim == 1 and x.ndim == 4 else (0,)


def _one_for_zero(scale: Array) -> Array:
    return np.where(scale == 0, np.ones_like(scale), scale)
