"""Trials on augmentation: images are mirrored, cropped, cut and mixed at random, each by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from graders.harness.observations import (
    MIDDLE,
    Observation,
    by_themselves,
    every,
    mean,
    normal,
    pairs,
    share,
    tells,
)
from graders.harness.trials import Setting, Trial, array, enough, parts
from graders.preprocessing import misconceptions_drawn as wrong
from reference import preprocessing as reference

Array = np.ndarray[Any, Any]
_IMAGES = np.random.default_rng(0).standard_normal((600, 2, 5, 6))
_ROUNDING = {"float64": 1e-12, "float32": 1e-5}


def _neighbours(what: str, kinds: Array, alike: float) -> Observation:
    return share(f"the share of neighbours in the batch that are {what}", np.equal(*pairs(kinds, 0)), alike)


# --- random_flip ------------------------------------------------------------------------------------------------------
def flips(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether every image is as it was or mirrored, and how many are."""
    x, p = setting.arguments["x"], setting.arguments.get("p", 0.5)
    made = np.stack([array(draw, x.shape, "the batch") for draw in draws])
    axes = (2, 3, 4)
    mirrored = np.all(made == x[..., ::-1], axis=axes)
    yield every("each image is as it was, or mirrored", mirrored | np.all(made == x, axis=axes))
    if enough(setting, draws) or p in (0, 1):
        yield share("the share of images that are mirrored", mirrored, p)
    if 0 < p < 1 and len(x) <= 3 and enough(setting, draws):
        most = round(len(x) * p)
        chance = math.comb(len(x), most) * p**most * (1 - p) ** (len(x) - most)
        yield share(f"how often {most} of {len(x)} images are mirrored", mirrored.sum(axis=1) == most, chance)
    if 0 < p < 1 and len(x) > 3:
        yield _neighbours("both mirrored or both not", mirrored.ravel(), p**2 + (1 - p) ** 2)
    yield tells("the share turned upside down", np.all(made == x[:, :, ::-1], axis=axes))
    yield tells("the share turned around", np.all(made == x[:, :, ::-1, ::-1], axis=axes))
    yield tells("the share with channels reversed", np.all(made == x[:, ::-1], axis=axes))
    yield tells("the share of rows that are as they were or mirrored", np.all(
        (made == x) | (made == x[..., ::-1]), axis=(2, 4)))  # fmt: skip


random_flip = Trial(
    reference.random_flip,
    settings=(
        Setting("half of the images", {"x": _IMAGES}, draws=2),
        Setting("a fifth of them", {"x": _IMAGES, "p": 0.2}, draws=2),
        Setting("small batches, often", {"x": _IMAGES[:3]}, draws=120),
        Setting("a fifth of small batches, often", {"x": _IMAGES[3:6], "p": 0.2}, draws=120),
        Setting("all", {"x": _IMAGES[:7], "p": 1.0}),
        Setting("none", {"x": _IMAGES[:7], "p": 0.0}),
        Setting("float32", {"x": _IMAGES.astype(np.float32)}, draws=2),
    ),
    observe=flips,
    misconceptions=(
        wrong.flips_upside_down,
        wrong.flips_the_whole_batch_or_nothing,
        wrong.flips_with_one_minus_p,
        wrong.flips_half_whatever_p,
        wrong.flips_each_channel_by_itself,
        wrong.flips_each_row_by_itself,
        wrong.flips_both_axes,
        wrong.swaps_the_channels,
        wrong.always_flips,
        wrong.never_flips,
        wrong.shuffles_the_columns,
    ),
    programs=(wrong.flip_by_a_loop,),
)


_RAMPS = _IMAGES[:400] + 3 * np.arange(1, 7) + 20 * np.arange(1, 6)[:, None]


# --- random_crop ------------------------------------------------------------------------------------------------------
def crops(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether every image is cut out of the padded one, and whether all places are as likely."""
    x, padding = setting.arguments["x"], setting.arguments["padding"]
    made = np.concatenate([array(draw, x.shape, "the batch") for draw in draws])
    n, places = len(x), 2 * padding + 1
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.moveaxis(sliding_window_view(padded, x.shape[2:], axis=(2, 3)), 1, 3)
    windows = windows.reshape(n, places**2, *x.shape[1:])
    at = np.array([_place(windows[i % n], image) for i, image in enumerate(made)])
    found, chance = at >= 0, 1 / places
    yield every("each image is cut out of the padded one, which is zero outside", found)
    if enough(setting, draws):
        yield share("the share of images that are as they were", at == (places**2 - 1) // 2, 1 / places**2)
        for place in range(places):
            shift = f"{place - padding:+d}"
            yield share(f"the share of images shifted by {shift} rows", found & (at // places == place), chance)
            yield share(f"the share of images shifted by {shift} columns", found & (at % places == place), chance)
        alike = found & (at // places == at % places)
        yield share("the share of images shifted by as many rows as columns", alike, chance)
    if len(x) > 3:
        yield _neighbours("cut at one place", at, 1 / places**2)
    yield tells("the share of zeros at the edge", np.mean(made[..., 0] == 0, axis=(1, 2)))
    yield tells("the mean of the first column", made[..., 0].mean(axis=(1, 2)))
    yield tells("the mean of the last row", made[:, :, -1].mean(axis=(1, 2)))


def _place(windows: Array, image: Array) -> int:
    """Return which of the windows an image is, or -1."""
    fits = np.flatnonzero(np.all(windows == image, axis=(1, 2, 3)))
    return int(fits[0]) if fits.size else -1


random_crop = Trial(
    reference.random_crop,
    settings=(
        Setting("padded by two", {"x": _RAMPS, "padding": 2}, draws=2),
        Setting("padded by one", {"x": _RAMPS, "padding": 1}, draws=2),
        Setting("two images, often", {"x": _RAMPS[:2], "padding": 2}, draws=300),
        Setting("float32", {"x": _RAMPS.astype(np.float32), "padding": 1}, draws=2),
    ),
    observe=crops,
    misconceptions=(
        wrong.crops_all_images_alike,
        wrong.never_reaches_the_last_place,
        wrong.shifts_one_way_only,
        wrong.pads_with_the_edge,
        wrong.pads_with_ones,
        wrong.reflects_at_the_edge,
        wrong.wraps_around,
        wrong.shifts_both_axes_alike,
        wrong.shifts_the_columns_only,
        wrong.takes_the_middle,
        wrong.returns_what_was_padded,
    ),
    programs=(wrong.crop_by_a_loop,),
)


# --- add_noise --------------------------------------------------------------------------------------------------------
_TABLE = np.random.default_rng(2).standard_normal((250, 120)) + 0.5


def noises(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe what was added: normal numbers, each by itself, which do not depend on x."""
    x, std = setting.arguments["x"], setting.arguments["std"]
    made = np.stack([array(draw, x.shape, "the result") for draw in draws])
    if std == 0:
        yield every("without noise, x is as it was", made == x)
        return
    noise = made - x
    large = np.abs(x) > np.median(np.abs(x))
    yield from normal("the noise", noise, std)
    within = np.abs(noise) < MIDDLE * std
    yield share("the share of the noise within 0.67 of its deviation where x is large", within[:, large], 0.5)
    yield share("the share of the noise above 0 where x is", noise[:, x > 0] > 0, 0.5)
    yield share("the share of the noise above 0 where x is below", noise[:, x < 0] > 0, 0.5)
    yield from by_themselves("of one sign", np.moveaxis(noise > 0, 0, -1), 0.5)


add_noise = Trial(
    reference.add_noise,
    settings=(
        Setting("a table", {"x": _TABLE, "std": 0.3}, draws=2),
        Setting("images of limited brightness", {"x": 3 * np.clip(_TABLE, -1, 1).reshape(50, 3, 20, 10), "std": 2.5}),
        Setting("float32", {"x": _TABLE.astype(np.float32), "std": 0.6}),
        Setting("none", {"x": _TABLE[:3], "std": 0.0}),
    ),
    observe=noises,
    misconceptions=(
        wrong.takes_the_variance_for_the_deviation,
        wrong.squares_the_deviation,
        wrong.forgets_the_deviation,
        wrong.draws_uniform_noise,
        wrong.draws_positive_noise,
        wrong.draws_one_noise_for_all_samples,
        wrong.draws_one_number_for_a_sample,
        wrong.multiplies_by_the_noise,
        wrong.returns_the_noise,
        wrong.scales_by_the_data,
    ),
    conventions=(wrong.clips_to_the_unit_interval,),
    programs=(wrong.noise_by_a_law,),
)


# --- cutout -----------------------------------------------------------------------------------------------------------
_LARGER = np.random.default_rng(3).standard_normal((700, 2, 7, 9)) + 4.0


def cuts(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether a square is zero in every image and all else as it was, and where its centre is."""
    x, size = setting.arguments["x"], setting.arguments["size"]
    made = np.concatenate([array(draw, x.shape, "the batch") for draw in draws])
    h, w = x.shape[2:]
    cut = made == 0
    pixels = cut.all(axis=1)
    tops, rows = _spans(pixels.any(axis=2), size)
    lefts, columns = _spans(pixels.any(axis=1), size)
    square = pixels & ~rows[:, :, None] | pixels & ~columns[:, None, :]
    box = rows[:, :, None] & columns[:, None, :]
    yield every("all channels are cut alike", np.all(cut == cut[:, :1], axis=(1, 2, 3)))
    yield every("outside of the square, each image is as it was",
                np.all(cut | (made == np.tile(x, (len(draws), 1, 1, 1))), axis=(1, 2, 3)))  # fmt: skip
    yield every("what is cut is a rectangle", ~np.any(square | (box & ~pixels), axis=(1, 2)))
    found = (tops > -h) & (lefts > -w)
    yield every("what is cut is a square of this side, or its part in the image", found)
    if enough(setting, draws):
        for name, starts, length in (("row", tops, h), ("column", lefts, w)):
            for centre in range(length):
                hits = starts == centre - size // 2
                yield share(f"the share of squares whose centre is in {name} {centre}", hits, 1 / length)
    if len(x) > 3:
        yield _neighbours("cut at one place", tops * 100 + lefts, 1 / (h * w))
    other = made != np.tile(x, (len(draws), 1, 1, 1))
    changed = made[other]
    yield tells("the share of pixels that are changed", other.mean(axis=(1, 2, 3)))
    yield tells("the mean of what is changed", changed)
    yield tells("the mean square of what is changed", changed**2)


def _spans(lines: Array, size: int) -> tuple[Array, Array]:
    """Return where a square of this side begins that zeroes these lines (far below 0 if none does), and its lines."""
    length = lines.shape[1]
    starts = np.arange(length) - size // 2
    at = np.arange(length)
    spans = (at >= starts[:, None]) & (at < starts[:, None] + size)
    fits = np.all(lines[:, None] == spans, axis=2)
    return np.where(fits.any(axis=1), starts[np.argmax(fits, axis=1)], -length), lines


cutout = Trial(
    reference.cutout,
    settings=(
        Setting("an odd side", {"x": _LARGER, "size": 5}, draws=2),
        Setting("an even side", {"x": _LARGER, "size": 4}, draws=2),
        Setting("two images, often", {"x": _LARGER[:2], "size": 3}, draws=600),
        Setting("two images and an even side, often", {"x": _LARGER[:2], "size": 4}, draws=150),
    ),
    observe=cuts,
    misconceptions=(
        wrong.cuts_half_of_the_images,
        wrong.cuts_all_images_alike,
        wrong.cuts_one_channel,
        wrong.takes_size_for_half_a_side,
        wrong.fills_with_noise,
        wrong.fills_with_the_mean,
        wrong.fills_with_ones,
        wrong.keeps_the_square_only,
        wrong.cuts_whole_rows,
        wrong.drops_single_pixels,
    ),
    conventions=(
        wrong.keeps_the_square_inside,
        wrong.cuts_an_even_square,
        wrong.centers_on_the_other_middle_pixel,
    ),
    programs=(wrong.cutout_by_a_loop,),
)


# --- mixup ------------------------------------------------------------------------------------------------------------
_BATCH = 8


def mixes(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe with whom each sample is mixed, and by which share; inputs and labels are unit vectors, which tell."""
    alpha = setting.arguments.get("alpha", 0.2)
    n, rounding = _BATCH, _ROUNDING[setting.arguments["x"].dtype.name]
    mixed = [parts(draw, ("x", "labels")) for draw in draws]
    x = np.stack([array(x, setting.arguments["x"].shape, "the inputs") for x, _ in mixed]).reshape(-1, n, n)
    labels = np.stack([array(y, (n, n), "the labels") for _, y in mixed])
    own = np.diagonal(x, axis1=1, axis2=2)
    rest = x * (1 - np.eye(n))
    partner = np.where(rest.max(axis=2) > rounding, rest.argmax(axis=2), np.arange(n))
    alone = partner == np.arange(n)
    of_labels = np.diagonal(labels, axis1=1, axis2=2)
    yield every("the labels are mixed as the inputs are", np.all(np.abs(x - labels) <= rounding, axis=(1, 2)))
    yield every("the shares of a sample add up to one", np.abs(x.sum(axis=2) - 1) <= n * rounding)
    yield every("the shares of a label add up to one", np.abs(labels.sum(axis=2) - 1) <= n * rounding)
    yield every("a sample is mixed with one other at most", np.sum(rest > rounding, axis=2) <= 1)
    once = [len(set(row[~one])) == np.sum(~one) for row, one in zip(partner, alone, strict=True)]
    yield every("no sample is the other one twice", once)
    shares = [row[~one] for row, one in zip(own, alone, strict=True) if not one.all()]
    yield every("one share serves the whole batch", [np.ptp(row) <= 2 * rounding for row in shares])
    if shares:
        first = np.clip([row[0] for row in shares], 0, 1)
        yield mean("the mean of the share λ", first, 0.5, 0.0, 1.0)
        yield mean("the mean square of 2λ - 1", (2 * first - 1) ** 2, 1 / (2 * alpha + 1), 0.0, 1.0)
    seen = partner[own[:, 0] < 1 - 1e-3]
    if len(draws) >= 20:
        yield every("samples are mixed", [len(shares) > 0])
    yield tells("how far the shares of inputs and labels are apart", np.abs(own - of_labels).mean(axis=1))
    yield tells("the mean share of a label", of_labels.mean(axis=1))
    yield tells("the mean product of the shares of inputs and labels", (own * of_labels).mean(axis=1))
    yield tells("the mean partner of the second sample", partner[:, 1])
    yield tells(
        "the mean partner of the second label", (labels * (1 - np.eye(n))).argmax(axis=2)[:, 1] != partner[:, 1]
    )
    if len(seen) > 40:
        yield share("the share of first samples that are mixed with the last", seen[:, 0] == n - 1, 1 / (n - 1))
        yield share("the share of first samples that are mixed with the second", seen[:, 0] == 1, 1 / (n - 1))


def _units(shape: tuple[int, ...], alpha: float, dtype: str = "float64") -> dict[str, Any]:
    unit = np.eye(_BATCH, dtype=dtype)
    return {"x": unit.reshape(shape), "labels": unit, "alpha": alpha}


mixup = Trial(
    reference.mixup,
    settings=(
        Setting("shares near a half", _units((8, 8), 2.5), draws=300),
        Setting("shares near zero and one", _units((8, 2, 2, 2), 0.4), draws=400),
        Setting("float32", _units((8, 8), 1.0, "float32"), draws=20),
    ),
    observe=mixes,
    misconceptions=(
        wrong.leaves_the_labels,
        wrong.swaps_the_shares_of_the_labels,
        wrong.draws_another_share_for_the_labels,
        wrong.draws_another_order_for_the_labels,
        wrong.draws_a_uniform_share,
        wrong.takes_one_for_the_second_parameter,
        wrong.mixes_half_and_half,
        wrong.takes_alpha_for_the_share,
        wrong.mixes_with_samples_drawn_anew,
        wrong.adds_both_whole,
        wrong.mixes_with_itself,
    ),
    conventions=(
        wrong.draws_a_share_for_each_sample,
        wrong.keeps_the_larger_share,
        wrong.pairs_with_the_reversed_batch,
        wrong.pairs_with_the_next,
    ),
    programs=(wrong.mixup_by_a_shuffle,),
)
