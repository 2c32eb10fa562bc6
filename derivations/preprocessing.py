"""Preprocessing: centered and standardized features, one-hot labels, polar features, and new data out of old."""

from __future__ import annotations

from typing import Any

from ._kernel import Argument, Claim, Line, Part
from ._kernel.terms import Σ, Integer, array, exp, indices, log, oo, scalars, sizes, sqrt, δ

n, c, h, w, k = sizes("n c h w k")
r = indices("r", n)
channel = indices("q", c)
row, column = indices("i", h), indices("j", w)
x = array("x")
ZERO = Integer(0)
IMAGES = Argument("x", (n, c, h, w))


def mean_image(q: Any, i: Any, j: Any) -> Any:
    """The mean of one pixel over all images."""
    return Σ(x[r, q, i, j], r) / n


def channel_mean(q: Any) -> Any:
    """The mean of one channel over all images and pixels."""
    return Σ(x[r, q, row, column], r, row, column) / (n * h * w)


centered_images_have_mean_zero = Claim(
    name="preprocessing.centered_images_have_mean_zero",
    statement="Less the mean image every pixel and every channel has mean 0; less the channel means every channel has.",
    parts=(
        Part(
            left=Σ(x[r, channel, row, column] - mean_image(channel, row, column), r) / n,
            right=ZERO,
            axes=(channel, row, column),
            output="pixel, less the mean image",
        ),
        Part(
            left=Σ(x[r, channel, row, column] - mean_image(channel, row, column), r, row, column) / (n * h * w),
            right=ZERO,
            axes=(channel,),
            output="channel, less the mean image",
        ),
        Part(
            left=Σ(x[r, channel, row, column] - channel_mean(channel), r, row, column) / (n * h * w),
            right=ZERO,
            axes=(channel,),
            output="channel, less its mean",
        ),
    ),
    arguments=(IMAGES,),
    ids=("C22",),
    source="the mean image, or one mean for each channel",
)

CHANNEL_VARIANCE = Σ((x[r, channel, row, column] - channel_mean(channel)) ** 2, r, row, column) / (n * h * w)
d = sizes("d")
feature = indices("j", d)
FEATURE_MEAN = Σ(x[r, feature], r) / n

feature_statistics = Claim(
    name="preprocessing.feature_statistics",
    statement="A feature's mean is that of its distances from the first sample; its variance the mean square less μ².",
    parts=(
        Part(
            left=x[0, feature] + Σ(x[r, feature] - x[0, feature], r) / n,
            right=FEATURE_MEAN,
            axes=(feature,),
            output="mean",
        ),
        Part(
            left=sqrt(Σ(x[r, feature] ** 2, r) / n - FEATURE_MEAN**2),
            right=sqrt(Σ((x[r, feature] - FEATURE_MEAN) ** 2, r) / n),
            axes=(feature,),
            output="std",
        ),
    ),
    arguments=(Argument("x", (n, d)),),
    ids=("B16", "B17"),
    source="σ² = Σ (x − μ)²/n",
)

channel_statistics = Claim(
    name="preprocessing.channel_statistics",
    statement="A channel's mean is the mean of its rows' means; its variance the mean square of its pixels less μ².",
    parts=(
        Part(
            left=Σ(Σ(x[r, channel, row, column], column) / w, r, row) / (n * h),
            right=channel_mean(channel),
            axes=(channel,),
            output="mean",
        ),
        Part(
            left=sqrt(Σ(x[r, channel, row, column] ** 2, r, row, column) / (n * h * w) - channel_mean(channel) ** 2),
            right=sqrt(CHANNEL_VARIANCE),
            axes=(channel,),
            output="std",
        ),
    ),
    arguments=(IMAGES,),
    ids=("C22",),
    source="σ² = Σ (x − μ)²/(nhw)",
)

centering_leaves_the_variance = Claim(
    name="preprocessing.centering_leaves_the_variance",
    statement="Taking the mean of each channel away leaves its variance: the mean of squares less the mean squared.",
    parts=(
        Part(
            left=CHANNEL_VARIANCE,
            right=Σ(x[r, channel, row, column] ** 2, r, row, column) / (n * h * w) - channel_mean(channel) ** 2,
            axes=(channel,),
        ),
    ),
    arguments=(IMAGES,),
    ids=("C22",),
    source="Var x = E x² − (E x)²",
)

f = array("f")
mean, spread = array("mean"), array("std", positive=True)
feature = indices("e", w)

standardized_channels_have_variance_one = Claim(
    name="preprocessing.standardized_channels_have_variance_one",
    statement="Centered and divided by its standard deviation a channel has mean square 1, unless it is constant.",
    parts=(
        Part(
            left=Σ(((x[r, channel, row, column] - channel_mean(channel)) / sqrt(CHANNEL_VARIANCE)) ** 2, r, row, column)
            / (n * h * w),
            right=Integer(1),
            axes=(channel,),
        ),
    ),
    arguments=(IMAGES,),
    positive=(CHANNEL_VARIANCE,),
    ids=("C22", "D66"),
    source="(x − μ_c)/σ_c",
    note="A channel that is constant has no standard deviation to be divided by.",
)

standardized_with_known_statistics = Claim(
    name="preprocessing.standardized_with_known_statistics",
    statement="New data standardized by the training statistics has mean (m − μ)/σ, 0 only if its mean m is theirs.",
    parts=(
        Part(
            left=Σ((f[r, feature] - mean[feature]) / spread[feature], r) / n,
            right=(Σ(f[r, feature], r) / n - mean[feature]) / spread[feature],
            axes=(feature,),
        ),
    ),
    arguments=(Argument("f", (n, w)), Argument("mean", (w,)), Argument("std", (w,), "positive")),
    ids=("C22",),
    source="fit on the training data, applied to the test data",
)

y, j, m = indices("y j m", k)
z = array("z")

a_one_hot_vector_picks_an_entry = Claim(
    name="preprocessing.a_one_hot_vector_picks_an_entry",
    statement="A one-hot vector sums to one, and its product with any vector is that vector's entry at the label.",
    parts=(
        Part(left=Σ(δ(j, y), j), right=Integer(1), axes=(y,), output="sum"),
        Part(left=Σ(δ(j, y) * z[j], j), right=z[y], axes=(y,), output="entry"),
        Part(
            left=-Σ(δ(j, y) * log(exp(z[j]) / Σ(exp(z[m]), m)), j),
            right=log(Σ(exp(z[m]), m)) - z[y],
            axes=(y,),
            output="loss",
        ),
    ),
    arguments=(Argument("z", (k,)),),
    ids=("A09", "A06"),
    source="e_y = (0, …, 1, …, 0)",
)

inner, outer = scalars("radius distance", positive=True)
u, v = array("u"), array("v")
RADIUS = sqrt(u[r] ** 2 + v[r] ** 2)

polar_features_separate_a_circle = Claim(
    name="preprocessing.polar_features_separate_a_circle",
    statement="r − R, linear in the polar radius, times r + R > 0 is x² + y² − R²: its sign says inside or outside.",
    parts=(
        Part(
            left=(RADIUS - inner) * (RADIUS + inner),
            right=u[r] ** 2 + v[r] ** 2 - inner**2,
            axes=(r,),
            output="sign",
        ),
        Part(left=RADIUS + inner, right=ZERO, axes=(r,), relation=">", output="factor"),
    ),
    arguments=(Argument("u", (n,)), Argument("v", (n,)), Argument("radius", (), "positive")),
    ids=("C11",),
    source="r = √(x² + y²)",
)

alpha, beta, gamma = scalars("a b c")


def line(across: Any, up: Any) -> Any:
    """Any affine function of the plane."""
    return alpha * across + beta * up + gamma


no_line_separates_a_circle = Claim(
    name="preprocessing.no_line_separates_a_circle",
    statement="An affine function has at the centre the mean of its values at two opposite points: no line does it.",
    parts=(
        Part(
            left=(line(u[r] + outer, v[r]) + line(u[r] - outer, v[r])) / 2,
            right=line(u[r], v[r]),
            axes=(r,),
            output="left and right",
        ),
        Part(
            left=(line(u[r], v[r] + outer) + line(u[r], v[r] - outer)) / 2,
            right=line(u[r], v[r]),
            axes=(r,),
            output="above and below",
        ),
    ),
    arguments=(
        Argument("u", (n,)),
        Argument("v", (n,)),
        *(Argument(name) for name in "abc"),
        Argument("distance", (), "positive"),
    ),
    ids=("C11", "C10"),
    source="f(c + v) + f(c − v) = 2 f(c)",
    note="If f is above 0 at both outer points, it is above 0 at the centre too.",
)

mixed = scalars("mixed")
first, second = array("first"), array("second")

mixed_labels_mix_the_loss = Claim(
    name="preprocessing.mixed_labels_mix_the_loss",
    statement="New data with mixed labels is labelled by a distribution, and its loss is the mix of the two losses.",
    parts=(
        Part(left=Σ(mixed * first[j] + (1 - mixed) * second[j], j), right=Integer(1), output="sum"),
        Part(
            left=-Σ((mixed * first[j] + (1 - mixed) * second[j]) * log(exp(z[j]) / Σ(exp(z[m]), m)), j),
            right=-mixed * Σ(first[j] * z[j], j) - (1 - mixed) * Σ(second[j] * z[j], j) + log(Σ(exp(z[m]), m)),
            lines=(
                Line(
                    -mixed * Σ(first[j] * log(exp(z[j]) / Σ(exp(z[m]), m)), j)
                    - (1 - mixed) * Σ(second[j] * log(exp(z[j]) / Σ(exp(z[m]), m)), j),
                    "the loss is linear in the labels",
                ),
            ),
            output="loss",
        ),
    ),
    arguments=(
        Argument("z", (k,)),
        Argument("first", (k,), "labels"),
        Argument("second", (k,), "labels"),
        Argument("mixed", (), "unit"),
    ),
    given=((Σ(first[j], j), 1), (Σ(second[j], j), 1)),
    ids=("A22",),
    source="mixup: x = λ x₁ + (1 − λ) x₂, y = λ y₁ + (1 − λ) y₂",
)

picture, seen = array("picture"), array("seen")
i = indices("i", oo)

flips_and_shifts_keep_the_sum = Claim(
    name="preprocessing.flips_and_shifts_keep_the_sum",
    statement="A mirrored or shifted row of pixels has its old sum, and with a mirrored filter its old product.",
    parts=(
        Part(left=Σ(picture[-i], i), right=Σ(picture[i], i), output="mirrored"),
        Part(left=Σ(picture[i + 3], i), right=Σ(picture[i], i), output="shifted"),
        Part(left=Σ(picture[2 - i] * seen[2 - i], i), right=Σ(picture[i] * seen[i], i), output="product"),
    ),
    arguments=(Argument("picture", (w,), padded=True), Argument("seen", (w,), padded=True)),
    ids=("A22",),
    source="augmentation by flips and shifts",
)
