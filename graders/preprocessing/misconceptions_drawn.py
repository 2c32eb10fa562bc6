"""Known mistakes in augmentation; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from reference import preprocessing as reference
from reference._types import Array
from reference.preprocessing import Mixed

Generator = np.random.Generator


def _chosen(x: Array, generator: Generator, p: float) -> npt.NDArray[np.bool_]:
    return (generator.random(len(x)) < p)[:, None, None, None]


# --- random_flip ------------------------------------------------------------------------------------------------------
def flips_upside_down(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You mirror the image upside down. Left for right is the last axis of (n, c, h, w)."""
    return np.where(_chosen(x, generator, p), x[:, :, ::-1], x)


def flips_the_whole_batch_or_nothing(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You draw once and mirror the whole batch or nothing of it. Draw for every image."""
    return x[..., ::-1].copy() if generator.random() < p else x.copy()


def flips_with_one_minus_p(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You mirror with probability 1 - p (> for <). A uniform number is below p with probability p."""
    return np.where(_chosen(x, generator, 1 - p), x[..., ::-1], x)


def flips_half_whatever_p(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You mirror half of the images, whatever p is."""
    return np.where(_chosen(x, generator, 0.5), x[..., ::-1], x)


def flips_each_channel_by_itself(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You draw for every channel, so that colours of one image come apart. Draw once for an image."""
    return np.where((generator.random(x.shape[:2]) < p)[:, :, None, None], x[..., ::-1], x)


def flips_each_row_by_itself(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You draw for every row of an image. Draw once for an image."""
    return np.where((generator.random(x.shape[:3]) < p)[..., None], x[..., ::-1], x)


def flips_both_axes(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You mirror both axes, which turns the image around. Mirror the last one only."""
    return np.where(_chosen(x, generator, p), x[:, :, ::-1, ::-1], x)


def swaps_the_channels(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You reverse the channels, not the columns. Left for right is the last axis of (n, c, h, w)."""
    return np.where(_chosen(x, generator, p), x[:, ::-1], x)


def always_flips(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You mirror every image. Draw a number for each, and mirror it with probability p."""
    return x[..., ::-1].copy()


def never_flips(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You never mirror an image, or return what you were given. Return the mirrored images."""
    return x.copy()


def shuffles_the_columns(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You shuffle the columns. A mirror image has them in the opposite order."""
    return np.where(_chosen(x, generator, p), x[..., generator.permutation(x.shape[-1])], x)


def flip_by_a_loop(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """Image by image."""
    return np.stack([image[..., ::-1] if generator.random() < p else image for image in x])


# --- random_crop ------------------------------------------------------------------------------------------------------
def _cropped(x: Array, padding: int, top: Any, left: Any, mode: Any = "constant") -> Array:
    n, _, h, w = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode)
    return sliding_window_view(padded, (h, w), axis=(2, 3))[np.arange(n), :, top, left]


def _places(x: Array, generator: Generator, places: int) -> tuple[Any, Any]:
    top, left = generator.integers(0, places, (2, len(x)))
    return top, left


def crops_all_images_alike(x: Array, generator: Generator, *, padding: int) -> Array:
    """You draw one place and crop every image there. Draw a place for every image."""
    top, left = generator.integers(0, 2 * padding + 1, 2)
    return _cropped(x, padding, np.full(len(x), top), np.full(len(x), left))


def never_reaches_the_last_place(x: Array, generator: Generator, *, padding: int) -> Array:
    """You never crop at the last place: there are 2 · padding + 1 of them, and integers ends before its bound."""
    return _cropped(x, padding, *_places(x, generator, 2 * padding))


def shifts_one_way_only(x: Array, generator: Generator, *, padding: int) -> Array:
    """You shift by 0 to padding, one way only. With padding on both sides there are 2 · padding + 1 places."""
    return _cropped(x, padding, *_places(x, generator, padding + 1))


def pads_with_the_edge(x: Array, generator: Generator, *, padding: int) -> Array:
    """You pad with the pixels of the edge. Here the padding is zeros."""
    return _cropped(x, padding, *_places(x, generator, 2 * padding + 1), mode="edge")


def pads_with_ones(x: Array, generator: Generator, *, padding: int) -> Array:
    """You pad with ones. Here the padding is zeros."""
    return _cropped(x - 1, padding, *_places(x, generator, 2 * padding + 1)) + 1


def reflects_at_the_edge(x: Array, generator: Generator, *, padding: int) -> Array:
    """You pad by reflection. Here the padding is zeros."""
    return _cropped(x, padding, *_places(x, generator, 2 * padding + 1), mode="reflect")


def wraps_around(x: Array, generator: Generator, *, padding: int) -> Array:
    """You roll the image, so that what leaves on one side enters on the other. There the padding should be seen."""
    return _cropped(x, padding, *_places(x, generator, 2 * padding + 1), mode="wrap")


def shifts_both_axes_alike(x: Array, generator: Generator, *, padding: int) -> Array:
    """You use one number for both axes. Draw rows and columns by themselves."""
    top = generator.integers(0, 2 * padding + 1, len(x))
    return _cropped(x, padding, top, top)


def shifts_the_columns_only(x: Array, generator: Generator, *, padding: int) -> Array:
    """You shift along one axis only. Draw a row and a column to begin at."""
    return _cropped(x, padding, padding, _places(x, generator, 2 * padding + 1)[1])


def takes_the_middle(x: Array, generator: Generator, *, padding: int) -> Array:
    """You crop out of the middle, which is the image itself. Draw where to begin."""
    return x.copy()


def returns_what_was_padded(x: Array, generator: Generator, *, padding: int) -> Array:
    """You return the padded images. Cut the old size out of them."""
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def crop_by_a_loop(x: Array, generator: Generator, *, padding: int) -> Array:
    """Image by image, into zeros."""
    out = np.zeros_like(x)
    h, w = x.shape[2:]
    for image, made in zip(x, out, strict=True):
        down, right = generator.integers(-padding, padding + 1, 2)
        rows, columns = np.arange(h) + down, np.arange(w) + right
        here, there = (rows >= 0) & (rows < h), (columns >= 0) & (columns < w)
        made[:, np.flatnonzero(here)[:, None], np.flatnonzero(there)] = image[:, rows[here][:, None], columns[there]]
    return out


# --- add_noise --------------------------------------------------------------------------------------------------------
def takes_the_variance_for_the_deviation(x: Array, generator: Generator, *, std: float) -> Array:
    """You gave std as a variance: its square root is your deviation. Multiply standard normal numbers by std."""
    return x + np.asarray(generator.normal(0, np.sqrt(std), x.shape), x.dtype)


def squares_the_deviation(x: Array, generator: Generator, *, std: float) -> Array:
    """You squared std before you drew: NumPy's normal takes the deviation, not the variance."""
    return x + np.asarray(generator.normal(0, std**2, x.shape), x.dtype)


def forgets_the_deviation(x: Array, generator: Generator, *, std: float) -> Array:
    """You forgot to multiply by std. Your noise has deviation 1."""
    return x + np.asarray(generator.standard_normal(x.shape), x.dtype)


def draws_uniform_noise(x: Array, generator: Generator, *, std: float) -> Array:
    """Your noise is uniform. Draw normal numbers."""
    return x + np.asarray(std * np.sqrt(12) * (generator.random(x.shape) - 0.5), x.dtype)


def draws_positive_noise(x: Array, generator: Generator, *, std: float) -> Array:
    """Your noise is never negative (rand for randn). Draw normal numbers, with mean 0."""
    return x + np.asarray(std * generator.random(x.shape), x.dtype)


def draws_one_noise_for_all_samples(x: Array, generator: Generator, *, std: float) -> Array:
    """You add the same noise to every sample. Draw as many numbers as x has."""
    return x + np.asarray(std * generator.standard_normal(x.shape[1:]), x.dtype)


def draws_one_number_for_a_sample(x: Array, generator: Generator, *, std: float) -> Array:
    """You add one number to all of a sample. Draw as many numbers as x has."""
    noise = std * generator.standard_normal(len(x))
    return x + np.asarray(noise.reshape(-1, *[1] * (x.ndim - 1)), x.dtype)


def multiplies_by_the_noise(x: Array, generator: Generator, *, std: float) -> Array:
    """Your noise grows with x: you multiply. Add it."""
    return x * np.asarray(1 + std * generator.standard_normal(x.shape), x.dtype)


def returns_the_noise(x: Array, generator: Generator, *, std: float) -> Array:
    """You return the noise alone. Add it to x."""
    return np.asarray(std * generator.standard_normal(x.shape), x.dtype)


def scales_by_the_data(x: Array, generator: Generator, *, std: float) -> Array:
    """Your noise is as wide as std times the deviation of the data. Here std is that of the noise itself."""
    return x + np.asarray(std * x.std() * generator.standard_normal(x.shape), x.dtype)


def clips_to_the_unit_interval(x: Array, generator: Generator, *, std: float) -> Array:
    """What is added is clipped to [0, 1], the range of images: so do Keras's denoising autoencoders (Chollet 2016)."""
    return np.clip(reference.add_noise(x, generator, std=std), 0, 1)


def noise_by_a_law(x: Array, generator: Generator, *, std: float) -> Array:
    """Normal numbers with x for their mean."""
    return np.asarray(generator.normal(x, std), x.dtype)


# --- cutout -----------------------------------------------------------------------------------------------------------
def _cut(x: Array, top: Any, left: Any, height: Any, width: Any, fill: Any = 0) -> Array:
    h, w = x.shape[2:]
    top, left, height, width = (np.broadcast_to(v, len(x))[:, None] for v in (top, left, height, width))
    rows = (np.arange(h) >= top) & (np.arange(h) < top + height)
    columns = (np.arange(w) >= left) & (np.arange(w) < left + width)
    return np.where(rows[:, None, :, None] & columns[:, None, None, :], fill, x)


def _corner(x: Array, generator: Generator, size: int) -> tuple[Any, Any]:
    h, w = x.shape[2:]
    return generator.integers(0, h, len(x)) - size // 2, generator.integers(0, w, len(x)) - size // 2


def cuts_half_of_the_images(x: Array, generator: Generator, *, size: int) -> Array:
    """You cut half of the images only. Cutout cuts a square out of every one; Random Erasing draws whether to."""
    return np.where(_chosen(x, generator, 0.5), _cut(x, *_corner(x, generator, size), size, size), x)


def cuts_all_images_alike(x: Array, generator: Generator, *, size: int) -> Array:
    """You draw one place and cut it out of every image. Draw a place for every image."""
    top, left = _corner(x[:1], generator, size)
    return _cut(x, top, left, size, size)


def cuts_one_channel(x: Array, generator: Generator, *, size: int) -> Array:
    """You cut one channel only. The square is cut out of all of them."""
    cut = _cut(x, *_corner(x, generator, size), size, size)
    return np.concatenate([cut[:, :1], x[:, 1:]], axis=1)


def takes_size_for_half_a_side(x: Array, generator: Generator, *, size: int) -> Array:
    """Your square is twice as wide: you go by size to both sides of the centre. size is the whole side."""
    top, left = _corner(x, generator, 2 * size)
    return _cut(x, top, left, 2 * size, 2 * size)


def cuts_an_even_square(x: Array, generator: Generator, *, size: int) -> Array:
    """The square goes by size // 2 to both sides of its centre, as in its authors' code: an odd side is one less."""
    return _cut(x, *_corner(x, generator, size), size // 2 * 2, size // 2 * 2)


def fills_with_noise(x: Array, generator: Generator, *, size: int) -> Array:
    """You fill the square with random numbers, as Random Erasing does. Cutout fills it with zeros."""
    return _cut(x, *_corner(x, generator, size), size, size, fill=generator.standard_normal(x.shape))


def fills_with_the_mean(x: Array, generator: Generator, *, size: int) -> Array:
    """You fill the square with the mean. Here it is filled with zeros, which is the mean of data that is centered."""
    return _cut(x, *_corner(x, generator, size), size, size, fill=x.mean())


def fills_with_ones(x: Array, generator: Generator, *, size: int) -> Array:
    """You fill the square with ones. It is filled with zeros."""
    return _cut(x, *_corner(x, generator, size), size, size, fill=1)


def keeps_the_square_only(x: Array, generator: Generator, *, size: int) -> Array:
    """You keep the square and cut out the rest. The square is what becomes zero."""
    return x - _cut(x, *_corner(x, generator, size), size, size)


def cuts_whole_rows(x: Array, generator: Generator, *, size: int) -> Array:
    """You cut whole rows. A square is bounded along both axes."""
    return _cut(x, _corner(x, generator, size)[0], 0, size, x.shape[3])


def drops_single_pixels(x: Array, generator: Generator, *, size: int) -> Array:
    """You cut single pixels here and there, as dropout does. Cut a square."""
    h, w = x.shape[2:]
    return np.where(generator.random((len(x), 1, h, w)) < size * size / (h * w), 0, x)


def keeps_the_square_inside(x: Array, generator: Generator, *, size: int) -> Array:
    """The whole square lies inside of the image, as in Random Erasing (Zhong et al. 2017)."""
    h, w = x.shape[2:]
    top, left = generator.integers(0, h - size + 1, len(x)), generator.integers(0, w - size + 1, len(x))
    return _cut(x, top, left, size, size)


def centers_on_the_other_middle_pixel(x: Array, generator: Generator, *, size: int) -> Array:
    """An even square has two middle rows and columns: here the centre is in the first of them, not in the second."""
    h, w = x.shape[2:]
    top, left = (generator.integers(0, side, len(x)) - (size - 1) // 2 for side in (h, w))
    return _cut(x, top, left, size, size)


def cutout_by_a_loop(x: Array, generator: Generator, *, size: int) -> Array:
    """Image by image."""
    out, (h, w) = x.copy(), x.shape[2:]
    for image in out:
        top, left = generator.integers(h) - size // 2, generator.integers(w) - size // 2
        image[:, max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = 0
    return out


# --- mixup ------------------------------------------------------------------------------------------------------------
def _mixed(x: Array, labels: Array, share: Any, order: Any, of_labels: Any = None, other: Any = None) -> Mixed:
    """Mix, with the share and the order of the labels exchanged where they are given."""
    of_labels = share if of_labels is None else of_labels
    other = order if other is None else other

    def mix(values: Array, weight: Any, at: Any) -> Array:
        weight = np.reshape(weight, (-1, *[1] * (values.ndim - 1)))
        return (weight * values + (1 - weight) * values[at]).astype(values.dtype)

    return Mixed(mix(x, share, order), mix(labels, of_labels, other))


def _share(generator: Generator, alpha: float) -> float:
    return float(generator.beta(alpha, alpha))


def leaves_the_labels(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You do not mix the labels. They are mixed as the inputs are."""
    return _mixed(x, labels, _share(generator, alpha), generator.permutation(len(x)), of_labels=1.0)


def swaps_the_shares_of_the_labels(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You mix the labels with 1 - λ for λ. The same λ serves inputs and labels."""
    share = _share(generator, alpha)
    return _mixed(x, labels, share, generator.permutation(len(x)), of_labels=1 - share)


def draws_another_share_for_the_labels(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You draw a second λ for the labels. The same λ serves inputs and labels."""
    share, other = generator.beta(alpha, alpha, 2)
    return _mixed(x, labels, share, generator.permutation(len(x)), of_labels=other)


def draws_another_order_for_the_labels(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You shuffle the labels in another order than the inputs. Draw one order, and use it for both."""
    n = len(x)
    return _mixed(x, labels, _share(generator, alpha), generator.permutation(n), other=generator.permutation(n))


def draws_a_uniform_share(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You draw λ between 0 and 1, all values alike. λ is drawn from Beta(α, α)."""
    return _mixed(x, labels, generator.random(), generator.permutation(len(x)))


def takes_one_for_the_second_parameter(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You draw λ from Beta(α, 1). Both parameters are α."""
    return _mixed(x, labels, generator.beta(alpha, 1), generator.permutation(len(x)))


def mixes_half_and_half(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You always mix half and half. λ is drawn from Beta(α, α)."""
    return _mixed(x, labels, 0.5, generator.permutation(len(x)))


def takes_alpha_for_the_share(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You take α for λ. λ is drawn from Beta(α, α)."""
    return _mixed(x, labels, alpha, generator.permutation(len(x)))


def mixes_with_samples_drawn_anew(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You draw partners with replacement: some serve twice and others never. Take the batch in another order."""
    return _mixed(x, labels, _share(generator, alpha), generator.integers(0, len(x), len(x)))


def adds_both_whole(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You forgot the factor 1 - λ: λ x + x' is no mean."""
    share, order = _share(generator, alpha), generator.permutation(len(x))
    mixed_x = (share * x + x[order]).astype(x.dtype)
    return Mixed(mixed_x, (share * labels + labels[order]).astype(labels.dtype))


def mixes_with_itself(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """You mix each sample with itself, so nothing changes. Mix the batch with itself in another order."""
    return Mixed(x.copy(), labels.copy())


def draws_a_share_for_each_sample(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """Each sample has a λ of its own, as in timm (mode "elem")."""
    return _mixed(x, labels, generator.beta(alpha, alpha, len(x)), generator.permutation(len(x)))


def keeps_the_larger_share(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """λ is the larger one of λ and 1 - λ, as in fastai and MixMatch."""
    share = _share(generator, alpha)
    return _mixed(x, labels, max(share, 1 - share), generator.permutation(len(x)))


def pairs_with_the_reversed_batch(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """The other order is the batch backwards, as in timm."""
    return _mixed(x, labels, _share(generator, alpha), np.arange(len(x))[::-1])


def pairs_with_the_next(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """The other order is the batch shifted by one, as in torchvision."""
    return _mixed(x, labels, _share(generator, alpha), np.roll(np.arange(len(x)), 1))


def mixup_by_a_shuffle(x: Array, labels: Array, generator: Generator, *, alpha: float = 0.2) -> Mixed:
    """With indices shuffled in place, and a λ from two gamma numbers."""
    order = np.arange(len(x))
    generator.shuffle(order)
    one, two = generator.gamma(alpha, size=2)
    return _mixed(x, labels, one / (one + two), order)
