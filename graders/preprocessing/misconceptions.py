"""Known mistakes in statistics of features, pixels and channels; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from graders.harness.exercise import with_signature_of
from graders.normalization.misconceptions import Function
from reference import preprocessing as reference
from reference._types import Array
from reference.preprocessing import Range, Statistics


# --- mistakes that many share: each takes the function that is misunderstood ------------------------------------------
def returns_the_variance(f: Function) -> Function:
    """Make the mistake for statistics of features or channels."""

    def returns_the_variance(x: Array) -> Statistics:
        """You returned the variance, the mean square (001_85d2a45f19410a02.txt). The standard deviation is its root."""
        mean, std = f(x)
        return Statistics(mean, std**2)

    return with_signature_of(f, returns_the_variance)


def divides_by_n_minus_one(f: Function) -> Function:
    """Make the mistake for statistics of features or channels."""

    def divides_by_n_minus_one(x: Array) -> Statistics:
        """You divided by n − 1, as torch.std and pandas do. Here it is the mean square: divide by n, as np.std does."""
        mean, std = f(x)
        n = x.size // x.shape[1]
        return Statistics(mean, std * np.sqrt(np.array(n, x.dtype) / np.array(n - 1, x.dtype)))

    return with_signature_of(f, divides_by_n_minus_one)


def forgets_to_center(f: Function) -> Function:
    """Make the mistake for statistics of features or channels."""

    def forgets_to_center(x: Array) -> Statistics:
        """You took the root of the mean of x². Subtract the mean from x before you square."""
        return Statistics(f(x).mean, np.sqrt(np.mean(_columns(x) ** 2, axis=1)))

    return with_signature_of(f, forgets_to_center)


def takes_absolute_deviations(f: Function) -> Function:
    """Make the mistake for statistics of features or channels."""

    def takes_absolute_deviations(x: Array) -> Statistics:
        """You took the mean of |x − μ|. The standard deviation is the root of the mean of (x − μ)²."""
        mean = f(x).mean
        return Statistics(mean, np.mean(np.abs(_columns(x) - mean[:, None]), axis=1))

    return with_signature_of(f, takes_absolute_deviations)


def sums_the_squares(f: Function) -> Function:
    """Make the mistake for statistics of features or channels."""

    def sums_the_squares(x: Array) -> Statistics:
        """You took the root of the sum of (x − μ)². Divide the sum by n before the root."""
        mean, std = f(x)
        return Statistics(mean, std * np.sqrt(np.array(x.size // x.shape[1], x.dtype)))

    return with_signature_of(f, sums_the_squares)


def sums_the_values(f: Function) -> Function:
    """Make the mistake for statistics of features or channels."""

    def sums_the_values(x: Array) -> Statistics:
        """You forgot to divide the sum of x by n (the lectures lost it once). A mean is the sum over n."""
        total = np.sum(_columns(x), axis=1)
        return Statistics(total, np.sqrt(np.mean((_columns(x) - total[:, None]) ** 2, axis=1)))

    return with_signature_of(f, sums_the_values)


def shares_one_statistic(f: Function) -> Function:
    """Make the mistake for statistics of features or channels."""

    def shares_one_statistic(x: Array) -> Statistics:
        """You took one mean and one deviation of everything. Every feature or channel has its own: name the axes."""
        return Statistics(np.asarray(np.mean(x)), np.asarray(np.std(x)))

    return with_signature_of(f, shares_one_statistic)


def keeps_the_averaged_axes(f: Function) -> Function:
    """Make the mistake for statistics of features or channels."""

    def keeps_the_averaged_axes(x: Array) -> Statistics:
        """You kept the axes that were averaged, as keepdims=True does. The result has one axis."""
        shape = (1, x.shape[1]) if x.ndim == 2 else (1, x.shape[1], 1, 1)
        return Statistics(*(np.reshape(statistic, shape) for statistic in f(x)))

    return with_signature_of(f, keeps_the_averaged_axes)


def adds_a_small_number(f: Function) -> Function:
    """Make the mistake for statistics of features or channels."""

    def adds_a_small_number(x: Array) -> Statistics:
        """You added 1e-8 to the deviation. What divides by it must see to zeros itself; here return it as it is."""
        mean, std = f(x)
        return Statistics(mean, std + 1e-8)

    return with_signature_of(f, adds_a_small_number)


def subtracts_the_squared_mean(f: Function) -> Function:
    """Make the mistake for statistics of features or channels."""

    def subtracts_the_squared_mean(x: Array) -> Statistics:
        """You took E[x²] − E[x]², whose digits cancel where the mean is large. Subtract the mean first, then square."""
        columns = _columns(x)
        mean = np.mean(columns, axis=1)
        return Statistics(mean, np.sqrt(np.mean(columns**2, axis=1) - mean**2))

    return with_signature_of(f, subtracts_the_squared_mean)


# --- feature_statistics -----------------------------------------------------------------------------------------------
def takes_the_statistics_of_rows(x: Array) -> Statistics:
    """You took the statistics of every row. Rows are samples: average over axis 0, one number for each feature."""
    return Statistics(np.mean(x, axis=1), np.std(x, axis=1))


# --- channel_statistics -----------------------------------------------------------------------------------------------
def averages_over_the_images_alone(x: Array) -> Statistics:
    """You averaged over the images alone, for every pixel. A channel's mean is over all images and pixels."""
    return Statistics(np.mean(x, axis=0), np.std(x, axis=0))


def averages_over_the_pixels_alone(x: Array) -> Statistics:
    """You averaged over the pixels alone, for every image. A channel's mean is over all images and pixels."""
    return Statistics(np.mean(x, axis=(2, 3)), np.std(x, axis=(2, 3)))


def takes_the_last_axis_for_channels(x: Array) -> Statistics:
    """You took the last axis for the channels. Images are (n, c, h, w): average over the axes 0, 2 and 3."""
    return Statistics(np.mean(x, axis=(0, 1, 2)), np.std(x, axis=(0, 1, 2)))


def averages_the_deviations_of_images(x: Array) -> Statistics:
    """You averaged the deviations of the images. Take one deviation over all images and pixels at once."""
    return Statistics(reference.channel_statistics(x).mean, np.mean(np.std(x, axis=(2, 3)), axis=0))


def averages_the_deviations_of_pixels(x: Array) -> Statistics:
    """You averaged the deviations of the pixels. Take one deviation over all images and pixels at once."""
    return Statistics(reference.channel_statistics(x).mean, np.mean(np.std(x, axis=0), axis=(1, 2)))


# --- mean_image -------------------------------------------------------------------------------------------------------
def sums_the_images(x: Array) -> Array:
    """You summed the images. Divide by how many there are, len(x)."""
    return np.sum(x, axis=0)


def divides_by_the_channels(x: Array) -> Array:
    """You divided by the number of channels. Divide by the number of images, len(x)."""
    return np.sum(x, axis=0) / x.shape[1]


def divides_by_one_image_less(x: Array) -> Array:
    """You divided by n − 1. A mean divides by n."""
    return np.sum(x, axis=0) / np.array(len(x) - 1, x.dtype)


def averages_the_channels_too(x: Array) -> Array:
    """You averaged over the channels too. The mean image has channels of its own: average over axis 0 alone."""
    return np.mean(x, axis=(0, 1))


def averages_every_channel(x: Array) -> Array:
    """You returned one number for each channel. The mean image has one for each pixel: average over axis 0 alone."""
    return np.mean(x, axis=(0, 2, 3))


def averages_every_image(x: Array) -> Array:
    """You averaged every image by itself. Average over the images, axis 0, and keep the pixels."""
    return np.mean(x, axis=(1, 2, 3))


def averages_everything(x: Array) -> Array:
    """You averaged over everything. The mean image has one number for each pixel: average over axis 0 alone."""
    return np.asarray(np.mean(x))


def keeps_the_first_axis(x: Array) -> Array:
    """You kept the first axis, as keepdims=True does. The mean image is (c, h, w)."""
    return np.mean(x, axis=0, keepdims=True)


def flattens_the_mean_image(x: Array) -> Array:
    """You returned the mean image as a vector. Give it back its shape (c, h, w)."""
    return np.ravel(np.mean(x, axis=0))


def takes_the_median_of_images(x: Array) -> Array:
    """You took the median of every pixel. Take the mean."""
    return np.median(x, axis=0)


def takes_the_middle_of_the_range(x: Array) -> Array:
    """You took the middle between the smallest and the largest value. Take the mean of all values."""
    return (np.min(x, axis=0) + np.max(x, axis=0)) / 2


# --- feature_range ----------------------------------------------------------------------------------------------------
def swaps_low_and_high(x: Array) -> Range:
    """You exchanged the two. The smallest values come first."""
    return Range(np.max(x, axis=0), np.min(x, axis=0))


def takes_the_range_of_rows(x: Array) -> Range:
    """You took the range of every row. Rows are samples: take it over axis 0, one for each feature."""
    return Range(np.min(x, axis=1), np.max(x, axis=1))


def shares_one_range(x: Array) -> Range:
    """You took the smallest and largest value of everything. Every feature has its own: name axis 0."""
    return Range(np.asarray(np.min(x)), np.asarray(np.max(x)))


def starts_at_zero(x: Array) -> Range:
    """Your search starts at 0, which need not be among the values. Start it at the first row."""
    return Range(np.minimum(np.min(x, axis=0), 0), np.maximum(np.max(x, axis=0), 0))


def returns_the_extent(x: Array) -> Range:
    """You returned the extent, high − low, for the largest value. Return the two ends."""
    low = np.min(x, axis=0)
    return Range(low, np.max(x, axis=0) - low)


def compares_the_sizes(x: Array) -> Range:
    """You compared absolute values. The sign counts: −3 is smaller than 1."""
    return Range(np.min(np.abs(x), axis=0), np.max(np.abs(x), axis=0))


def takes_the_first_and_the_last_row(x: Array) -> Range:
    """You took the first and the last row, as if the values were sorted. Look at every row."""
    return Range(1 * x[0], 1 * x[-1])


def returns_the_places(x: Array) -> Range:
    """You returned the rows in which the extremes stand, as np.argmin does. Return the values themselves."""
    return Range(np.argmin(x, axis=0).astype(x.dtype), np.argmax(x, axis=0).astype(x.dtype))


def keeps_the_axis_of_rows(x: Array) -> Range:
    """You kept the axis of the rows, as keepdims=True does. The result has one axis, that of the features."""
    return Range(np.min(x, axis=0, keepdims=True), np.max(x, axis=0, keepdims=True))


# --- what they are made of --------------------------------------------------------------------------------------------
def _columns(x: Array) -> Array:
    """Return one row for each feature or channel."""
    return np.reshape(np.moveaxis(x, 1, 0), (x.shape[1], -1))
