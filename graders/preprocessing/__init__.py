"""Exercises on statistics and scales of features, on polar features, and on labels as rows of zeros and ones."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from graders.harness.drawing import Source
from graders.harness.exercise import Exercise, edge, extreme, special
from graders.preprocessing import misconceptions as wrong
from graders.preprocessing import misconceptions_features as wrong_features
from graders.preprocessing import misconceptions_scales as wrong_scales
from graders.preprocessing.drawn import add_noise as add_noise
from graders.preprocessing.drawn import cutout as cutout
from graders.preprocessing.drawn import mixup as mixup
from graders.preprocessing.drawn import random_crop as random_crop
from graders.preprocessing.drawn import random_flip as random_flip
from graders.preprocessing.misconceptions_scales import like as _like
from graders.preprocessing.splits import k_fold as k_fold
from graders.preprocessing.splits import train_validation_test_split as train_validation_test_split
from reference import preprocessing as reference
from reference._special import pi
from reference._types import Array, IntArray
from reference.preprocessing import Range, Statistics

# Distinct sizes, full mantissas.
_X = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6], [-0.8, 0.5, 1.9], [0.2, -0.3, 0.1]]
_CONSTANT = [[0.7, -1.7], [0.7, 0.4], [0.7, -0.3]]
_FAR = [[1e4 + 0.3, -1e3 - 1.7], [1e4 + 1.1, -1e3 + 0.4], [1e4 - 0.8, -1e3 + 0.5]]
_APART = [[1e4 + 0.3, 1e-3], [-1e4 - 0.7, -1.7e-3], [0.9, 0.4e-3]]
_HUGE = [[1.3e17, -0.7e17], [-0.9e17, 0.4e17], [0.2e17, 1.1e17]]
_TINY = [[1.3e-17, -0.7e-17], [-0.9e-17, 0.4e-17], [0.2e-17, 1.1e-17]]
_FIRST = [[[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]], [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]]]
_SECOND = [[[1.2, -0.8, 0.5], [-0.3, 0.7, 0.6]], [[-1.3, 0.4, 0.8], [-0.9, 0.2, 1.7]]]
_SQUARE = [[[[0.3, -1.7], [0.9, 1.1]], [[0.4, -0.6], [1.9, -0.2]]]]
"""Where a mean for each channel would fit the columns as well."""
_IMAGES = [_FIRST, _SECOND, [_SECOND[1], _FIRST[0]]]
_SCALE = [[[0.8, 1.7, 0.9], [1.1, 0.4, 0.6]], [[0.7, 0.2, 1.3], [0.4, 0.9, 0.3]]]


# --- statistics -------------------------------------------------------------------------------------------------------
def feature_statistics_in_two_passes(x: Array) -> Statistics:
    """The mean, and then the root of the mean square of what is left."""
    mean = np.mean(x, axis=0)
    off = x - mean
    return Statistics(mean, np.sqrt(np.mean(off * off, axis=0)))


def _torch_statistics(torch: Any, x: Array, axes: tuple[int, ...]) -> Statistics:
    std, mean = torch.std_mean(torch.tensor(x), dim=axes, correction=0)
    return Statistics(mean.numpy(), std.numpy())


feature_statistics = Exercise(
    reference.feature_statistics,
    misconceptions=(
        wrong.returns_the_variance(reference.feature_statistics),
        wrong.divides_by_n_minus_one(reference.feature_statistics),
        wrong.forgets_to_center(reference.feature_statistics),
        wrong.takes_absolute_deviations(reference.feature_statistics),
        wrong.sums_the_squares(reference.feature_statistics),
        wrong.sums_the_values(reference.feature_statistics),
        wrong.shares_one_statistic(reference.feature_statistics),
        wrong.keeps_the_averaged_axes(reference.feature_statistics),
        wrong.adds_a_small_number(reference.feature_statistics),
        wrong.subtracts_the_squared_mean(reference.feature_statistics),
        wrong.takes_the_statistics_of_rows,
    ),
    programs=(feature_statistics_in_two_passes,),
    edges=(
        edge("small", x=_X),
        edge("two rows", x=_X[:2]),
        edge("one feature", x=[[0.3], [-1.7], [0.9]]),
        edge("a feature of zeros", x=[[0.0, -1.7, 0.3], [0.0, 0.4, 1.1], [0.0, -0.3, -0.6]]),
        extreme("far from zero", x=_FAR),
        extreme("far apart", x=_APART),
        extreme("huge", x=_HUGE),
        extreme("tiny", x=_TINY),
    ),
    rivals={"torch": lambda torch, x: _torch_statistics(torch, x, (0,))},
)


def channel_statistics_channel_by_channel(x: Array) -> Statistics:
    """Every channel as one column of pixels."""
    columns = [np.reshape(x[:, channel], (-1, 1)) for channel in range(x.shape[1])]
    return feature_statistics_in_two_passes(np.concatenate(columns, axis=1))


channel_statistics = Exercise(
    reference.channel_statistics,
    misconceptions=(
        wrong.returns_the_variance(reference.channel_statistics),
        wrong.divides_by_n_minus_one(reference.channel_statistics),
        wrong.forgets_to_center(reference.channel_statistics),
        wrong.takes_absolute_deviations(reference.channel_statistics),
        wrong.sums_the_squares(reference.channel_statistics),
        wrong.sums_the_values(reference.channel_statistics),
        wrong.shares_one_statistic(reference.channel_statistics),
        wrong.keeps_the_averaged_axes(reference.channel_statistics),
        wrong.adds_a_small_number(reference.channel_statistics),
        wrong.subtracts_the_squared_mean(reference.channel_statistics),
        wrong.averages_over_the_images_alone,
        wrong.averages_over_the_pixels_alone,
        wrong.takes_the_last_axis_for_channels,
        wrong.averages_the_deviations_of_images,
        wrong.averages_the_deviations_of_pixels,
    ),
    programs=(channel_statistics_channel_by_channel,),
    edges=(
        edge("small", x=_IMAGES),
        edge("one image", x=[_FIRST]),
        edge("one channel", x=[[_FIRST[0]], [_SECOND[0]]]),
        edge("images of one pixel", x=[[[[0.3]], [[-1.7]]], [[[0.9]], [[1.1]]], [[[0.4]], [[-0.6]]]]),
        edge("a channel of zeros", x=[[[[0.0, 0.0, 0.0]], [[0.3, -1.7, 0.9]]]]),
        extreme("far from zero", x=[[_FAR], [_FAR[::-1]]]),
        extreme("one channel far from zero", x=[[[[1e4 + 0.3, 1e4 - 0.7, 1e4 + 1.1]], [[0.3, -1.7, 0.9]]]]),
        extreme("far apart", x=[[_APART]]),
        extreme("huge", x=[[_HUGE, [[0.3e17, -1.7e17], [0.9e17, 1.1e17], [0.4e17, -0.6e17]]]]),
        extreme("tiny", x=[[_TINY], [_TINY[::-1]]]),
    ),
    rivals={"torch": lambda torch, x: _torch_statistics(torch, x, (0, 2, 3))},
)


def mean_image_by_adding_images(x: Array) -> Array:
    """The sum of the images, divided by how many there are."""
    return sum(x[1:], start=x[0]) / len(x)


mean_image = Exercise(
    reference.mean_image,
    misconceptions=(
        wrong.sums_the_images,
        wrong.divides_by_the_channels,
        wrong.divides_by_one_image_less,
        wrong.averages_the_channels_too,
        wrong.averages_every_channel,
        wrong.averages_every_image,
        wrong.averages_everything,
        wrong.keeps_the_first_axis,
        wrong.flattens_the_mean_image,
        wrong.takes_the_median_of_images,
        wrong.takes_the_middle_of_the_range,
    ),
    programs=(mean_image_by_adding_images,),
    edges=(
        edge("small", x=_IMAGES),
        edge("two images", x=_IMAGES[:2]),
        edge("one image, which is its mean", x=[_FIRST]),
        edge("one channel", x=[[_FIRST[0]], [_SECOND[0]]]),
        edge("images of one pixel", x=[[[[0.3]], [[-1.7]]], [[[0.9]], [[1.1]]], [[[0.4]], [[-0.6]]]]),
        extreme("far from zero", x=[[_FAR], [_FAR[::-1]]]),
        extreme("far apart", x=[[_APART], [[[0.7, -1.3], [1e4, 0.9], [-1e4, 0.2]]]]),
        extreme("huge", x=[[_HUGE], [_HUGE[::-1]]]),
        extreme("tiny", x=[[_TINY], [_TINY[1:] + _TINY[:1]]]),
    ),
    rivals={"torch": lambda torch, x: torch.mean(torch.tensor(x), dim=0).numpy()},
)


def feature_range_by_negatives(x: Array) -> Range:
    """The smallest value as the largest of the negatives."""
    return Range(-np.max(-x, axis=0), np.max(x, axis=0))


def _torch_feature_range(torch: Any, x: Array) -> Range:
    return Range(*(values.numpy() for values in torch.aminmax(torch.tensor(x), dim=0)))


feature_range = Exercise(
    reference.feature_range,
    misconceptions=(
        wrong.swaps_low_and_high,
        wrong.takes_the_range_of_rows,
        wrong.shares_one_range,
        wrong.starts_at_zero,
        wrong.returns_the_extent,
        wrong.compares_the_sizes,
        wrong.takes_the_first_and_the_last_row,
        wrong.returns_the_places,
        wrong.keeps_the_axis_of_rows,
    ),
    programs=(feature_range_by_negatives,),
    edges=(
        edge("small", x=_X),
        edge("one row, both at once", x=[[0.3, -1.7, 0.9]]),
        edge("one feature", x=[[0.3], [-1.7], [0.9]]),
        edge("a constant feature", x=_CONSTANT),
        edge("negative values alone", x=[[-0.3, -1.7], [-0.9, -1.1]]),
        edge("values above any ordinary one, and below", x=[[1.3e12, -0.7e12], [0.9e12, -1.1e12]]),
        extreme("far from zero", x=_FAR),
        extreme("far apart", x=_APART),
        extreme("huge", x=_HUGE),
        extreme("tiny", x=_TINY),
    ),
    rivals={"torch": _torch_feature_range},
)


# --- scales -----------------------------------------------------------------------------------------------------------
def center_by_adding(x: Array, mean: Array) -> Array:
    """The sum with the negative mean."""
    return _like(-mean, x) + x


center = Exercise(
    reference.center,
    misconceptions=(
        wrong_scales.adds_the_mean,
        wrong_scales.subtracts_from_the_mean,
        wrong_scales.subtracts_its_own_mean,
        wrong_scales.subtracts_one_mean_from_all,
        wrong_scales.subtracts_the_mean_of_each_sample,
        wrong_scales.divides_by_the_mean,
        wrong_scales.ignores_the_mean,
        wrong_scales.standardizes_too,
        wrong_scales.takes_the_distance,
    ),
    programs=(center_by_adding,),
    edges=(
        edge("small", x=_X, mean=[0.2, -0.7, 1.9]),
        edge("one row", x=[[0.3, -1.7, 0.9]], mean=[0.2, -0.7, 1.9]),
        edge("one feature", x=[[0.3], [-1.7]], mean=[0.7]),
        edge("a mean image", x=_IMAGES, mean=_SECOND),
        edge("means of channels", x=_IMAGES, mean=[0.2, -0.7]),
        edge("as many columns as channels", x=_SQUARE, mean=[0.2, -0.7]),
        edge("means of zero", x=_X, mean=[0.0, 0.0, 0.0]),
        extreme("far from zero", x=_FAR, mean=[1e4 + 0.2, -1e3 - 0.3]),
        extreme("huge", x=_HUGE, mean=[0.2e17, -0.3e17]),
        extreme("tiny", x=_TINY, mean=[0.2e-17, -0.3e-17]),
        special("at the mean", x=[[0.3, -1.7, 0.9]], mean=[0.3, -1.7, 0.9]),
    ),
    rivals={"torch": lambda torch, x, mean: torch.sub(torch.tensor(x), torch.tensor(_like(mean, x))).numpy()},
)


def standardize_by_a_factor(x: Array, mean: Array, std: Array) -> Array:
    """Times 1/σ instead of divided by σ."""
    factor = 1 / np.where(std > 0, std, 1)
    return (x - _like(mean, x)) * _like(factor, x)


def _torch_standardize(torch: Any, x: Array, mean: Array, std: Array) -> Array:
    arrays = x, _like(mean, x), np.where(_like(std, x) > 0, _like(std, x), 1)
    data, center, scale = map(torch.tensor, arrays)
    return torch.div(torch.sub(data, center), scale).numpy()


standardize = Exercise(
    reference.standardize,
    misconceptions=(
        wrong_scales.divides_by_the_variance,
        wrong_scales.divides_by_the_root_of_the_deviation,
        wrong_scales.forgets_the_mean,
        wrong_scales.forgets_the_deviation,
        wrong_scales.divides_before_it_subtracts,
        wrong_scales.multiplies_by_the_deviation,
        wrong_scales.uses_its_own_statistics,
        wrong_scales.shares_one_deviation,
        wrong_scales.adds_a_small_number_to_the_deviation,
        wrong_scales.adds_eps_under_the_root,
        wrong_scales.divides_by_zero,
        wrong_scales.makes_constant_features_zero,
    ),
    programs=(standardize_by_a_factor,),
    edges=(
        edge("small", x=_X, mean=[0.2, -0.7, 1.9], std=[0.7, 1.3, 0.4]),
        edge("one row", x=[[0.3, -1.7, 0.9]], mean=[0.2, -0.7, 1.9], std=[0.7, 1.3, 0.4]),
        edge("one feature", x=[[0.3], [-1.7]], mean=[0.7], std=[1.3]),
        extreme("a feature that was constant", x=_X, mean=[0.2, -0.7, 1.9], std=[0.7, 0.0, 0.4]),
        edge("statistics of pixels", x=_IMAGES, mean=_SECOND, std=_SCALE),
        edge("statistics of channels", x=_IMAGES, mean=[0.2, -0.7], std=[0.7, 1.3]),
        edge("as many columns as channels", x=_SQUARE, mean=[0.2, -0.7], std=[0.7, 1.3]),
        extreme("far from zero", x=_FAR, mean=[1e4 + 0.2, -1e3 - 0.3], std=[0.77, 1.3]),
        extreme("huge", x=_HUGE, mean=[0.2e17, -0.3e17], std=[0.91e17, 0.77e17]),
        extreme("tiny", x=_TINY, mean=[0.2e-17, -0.3e-17], std=[0.91e-17, 0.77e-17]),
        extreme("deviations of next to nothing", x=_X, mean=[0.2, -0.7, 1.9], std=[1.3e-12, 0.7e-9, 1.1e-20]),
        special("at the mean", x=[[0.3, -1.7, 0.9]], mean=[0.3, -1.7, 0.9], std=[0.7, 1.3, 0.4]),
    ),
    rivals={"torch": _torch_standardize},
)


def minmax_by_a_factor(x: Array, low: Array, high: Array) -> Array:
    """Times one over the range."""
    extent = high - low
    factor = 1 / np.where(extent > 0, extent, 1)
    return (x - _like(low, x)) * _like(factor, x)


def _torch_minmax(torch: Any, x: Array, low: Array, high: Array) -> Array:
    return _torch_standardize(torch, x, low, high - low)


def _draw_range(source: Source, hyperparameters: Mapping[str, Any]) -> Mapping[str, Any]:
    del hyperparameters
    sizes = source.sizes(("n", "c", "h", "w"))
    shape = source.one_of((("n", "c"), ("n", "c", "h", "w")))
    fitted = source.one_of((shape[1:], ("c",)))
    low = source.real(tuple(sizes[axis] for axis in fitted))
    extent = source.array(low.shape, "positive")
    return {"x": source.real(tuple(sizes[axis] for axis in shape)), "low": low, "high": low + extent}


minmax = Exercise(
    reference.minmax,
    misconceptions=(
        wrong_scales.forgets_to_shift,
        wrong_scales.forgets_to_divide,
        wrong_scales.divides_by_the_high,
        wrong_scales.divides_before_it_shifts,
        wrong_scales.divides_by_the_sum_of_the_ends,
        wrong_scales.runs_from_high_to_low,
        wrong_scales.scales_to_minus_one_and_one,
        wrong_scales.clips_to_the_range,
        wrong_scales.uses_its_own_range,
        wrong_scales.shares_one_extent,
        wrong_scales.centers_at_the_middle,
        wrong_scales.adds_a_small_number_to_the_extent,
        wrong_scales.divides_by_an_extent_of_zero,
    ),
    programs=(minmax_by_a_factor,),
    edges=(
        edge("small", x=_X, low=[-0.8, -1.7, -0.6], high=[1.1, 0.5, 1.9]),
        edge("new data, beyond the range", x=[[1.7, -2.3, 0.4]], low=[-0.8, -1.7, -0.6], high=[1.1, 0.5, 1.9]),
        edge("one feature", x=[[0.3], [-1.7]], low=[-1.9], high=[0.7]),
        extreme("a feature that was constant", x=_X, low=[-0.8, 0.0, -0.6], high=[1.1, 0.0, 1.9]),
        edge("ranges of pixels", x=_IMAGES, low=_SECOND, high=(np.array(_SECOND) + np.array(_SCALE)).tolist()),
        edge("ranges of channels", x=_IMAGES, low=[-1.7, -1.3], high=[1.1, 1.9]),
        edge("as many columns as channels", x=_SQUARE, low=[-1.7, -1.3], high=[1.1, 1.9]),
        extreme("far from zero", x=_FAR, low=[1e4 - 0.9, -1e3 - 1.9], high=[1e4 + 1.3, -1e3 + 0.7]),
        extreme("a range far from zero", x=_FAR, low=[1e4 + 0.1, -1e3 - 1.7], high=[1e4 + 0.23, -1e3 - 1.63]),
        extreme("huge", x=_HUGE, low=[-0.9e17, -0.8e17], high=[1.3e17, 1.1e17]),
        extreme("tiny", x=_TINY, low=[-0.9e-17, -0.8e-17], high=[1.3e-17, 1.1e-17]),
        extreme("a range of next to nothing", x=_X, low=[0.0, 0.0, 0.0], high=[1.3e-12, 0.7e-9, 1.1e-20]),
        special("the range itself", x=[[-0.8, -1.7], [1.1, 0.5]], low=[-0.8, -1.7], high=[1.1, 0.5]),
    ),
    rivals={"torch": _torch_minmax},
    draw=_draw_range,
)


# --- polar features and labels ----------------------------------------------------------------------------------------
def measures_from_zero_to_a_full_turn(x: Array) -> Array:
    """Angles in [0, 2π), as OpenCV's cartToPolar gives them; NumPy's arctan2 gives those in (−π, π]."""
    radius, angle = reference.polar_features(x).T
    return np.stack([radius, np.where(angle < 0, angle + 2 * pi(angle), angle)], axis=1)


def polar_features_by_a_larger_side(x: Array) -> Array:
    """The root of a sum of squares, in units of the larger coordinate."""
    u, v = x[:, 0] + 0, x[:, 1] + 0
    larger = np.maximum(np.abs(u), np.abs(v))
    unit = np.where(larger > 0, larger, 1)
    radius = unit * np.sqrt((u / unit) * (u / unit) + (v / unit) * (v / unit))
    return np.stack([radius, np.arctan2(v, u)], axis=1)


def _torch_polar_features(torch: Any, x: Array) -> Array:
    u, v = torch.tensor(x + 0).unbind(dim=1)
    return torch.stack([torch.hypot(u, v), torch.atan2(v, u)], dim=1).numpy()


def _draw_points(source: Source, hyperparameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Draw points without zeros that are negative: on paper there are none, and np.arctan2 makes −π of some."""
    del hyperparameters
    return {"x": source.real((source.sizes(("n",))["n"], 2)) + 0}


polar_features = Exercise(
    reference.polar_features,
    misconceptions=(
        wrong_features.swaps_the_sides,
        wrong_features.loses_the_quarter,
        wrong_features.loses_the_sign_of_the_angle,
        wrong_features.loses_the_left_half,
        wrong_features.measures_in_degrees,
        wrong_features.forgets_the_root,
        wrong_features.sums_the_sides,
        wrong_features.swaps_radius_and_angle,
        wrong_features.lays_the_features_in_rows,
        wrong_features.turns_the_angle,
        wrong_features.squares_what_is_huge_or_tiny,
    ),
    conventions=(measures_from_zero_to_a_full_turn,),
    programs=(polar_features_by_a_larger_side,),
    edges=(
        edge("one point in every quarter", x=[[0.3, 1.7], [-0.9, 1.1], [-0.4, -0.6], [1.3, -0.2]]),
        edge("one point", x=[[0.7, -1.9]]),
        edge("on the axes", x=[[0.7, 0.0], [0.0, 1.3], [-0.9, 0.0], [0.0, -1.7]]),
        edge("the origin among others", x=[[0.0, 0.0], [0.7, -1.9]]),
        extreme("next to the cut", x=[[-1.3, 1e-9], [-1.3, -1e-9], [-0.7, 1e-30]]),
        extreme("next to the axis", x=[[1.3, 1e-9], [1.3, -1.7e-12], [1e-30, 0.7]]),
        extreme("huge", x=[[1.3e30, -1.7e29], [-0.9e37, 0.4e37]]),
        extreme("tiny", x=[[1.3e-30, -1.7e-31], [-0.9e-30, 0.4e-30]]),
    ),
    rivals={"torch": _torch_polar_features},
    draw=_draw_points,
)


def one_hot_from_the_identity(labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """Rows of the identity matrix."""
    return np.eye(num_classes, dtype=dtype)[labels]


def _torch_one_hot(torch: Any, labels: IntArray, *, num_classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    return torch.nn.functional.one_hot(torch.tensor(labels), num_classes).numpy().astype(dtype)


one_hot = Exercise(
    reference.one_hot,
    misconceptions=(
        wrong_features.counts_from_one,
        wrong_features.lays_the_classes_in_rows,
        wrong_features.marks_with_the_label,
        wrong_features.marks_all_up_to_the_label,
        wrong_features.marks_all_but_the_label,
        wrong_features.marks_every_label_in_every_row,
        wrong_features.counts_the_classes_that_are_there,
        wrong_features.ranks_the_labels,
        wrong_features.marks_the_others_with_minus_one,
        wrong_features.leaves_out_the_first_class,
    ),
    programs=(one_hot_from_the_identity,),
    edges=(
        edge("small", labels=[2, 0], num_classes=3),
        edge("a class that is not there", labels=[3, 0, 1], num_classes=5),
        edge("every class", labels=[2, 0, 1, 3], num_classes=4),
        edge("one label", labels=[1], num_classes=3),
        edge("labels all alike", labels=[1, 1, 1], num_classes=2),
        edge("many classes", labels=[41, 0, 17], num_classes=43),
        edge("more classes than eight bits count", labels=[299, 0, 130, 43], num_classes=301),
        special("one class", labels=[0, 0], num_classes=1),
    ),
    rivals={"torch": _torch_one_hot},
)
