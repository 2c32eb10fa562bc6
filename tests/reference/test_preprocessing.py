"""Statistics, scales, labels, polar features, augmentation and splits."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from graders.harness.arithmetic import exact_kind
from reference import preprocessing
from reference._types import Array

RNG = np.random.default_rng(23)
X = RNG.standard_normal((7, 3)) * [1.0, 5.0, 0.1] + [0.0, 100.0, -3.0]
TEST = RNG.standard_normal((4, 3))
IMAGES = RNG.standard_normal((5, 3, 4, 6)) * np.array([1.0, 20.0, 0.3])[:, None, None] + 2.0
LABELS = np.eye(3)[[0, 2, 1, 1, 0]]
MARKED = np.arange(1.0, 1 + 200 * 3 * 5 * 4).reshape(200, 3, 5, 4)  # every pixel has a number of its own


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


CALLS: dict[str, Callable[[Any], Any]] = {
    "feature_statistics": lambda c: preprocessing.feature_statistics(c(X)),
    "channel_statistics": lambda c: preprocessing.channel_statistics(c(IMAGES)),
    "mean_image": lambda c: preprocessing.mean_image(c(IMAGES)),
    "center": lambda c: preprocessing.center(c(TEST), c(X[0])),
    "standardize": lambda c: preprocessing.standardize(c(TEST), c(X[0]), c(np.abs(X[1]))),
    "feature_range": lambda c: preprocessing.feature_range(c(X)),
    "minmax": lambda c: preprocessing.minmax(c(TEST), c(X[0] - 1), c(X[0] + 0.5)),
    "polar_features": lambda c: preprocessing.polar_features(c(TEST[:, :2])),
    "random_flip": lambda c: preprocessing.random_flip(c(IMAGES), generator()),
    "random_crop": lambda c: preprocessing.random_crop(c(IMAGES), generator(), padding=2),
    "add_noise": lambda c: preprocessing.add_noise(c(X), generator(), std=0.3),
    "cutout": lambda c: preprocessing.cutout(c(IMAGES), generator(), size=2),
    "mixup": lambda c: preprocessing.mixup(c(IMAGES), c(LABELS), generator(), alpha=1.0),
}


def leaves(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value]


def test_the_examples_in_the_docstrings_run() -> None:
    result = doctest.testmod(preprocessing)

    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept_and_nothing_is_written(name: str, dtype: type[Any]) -> None:
    kept = []

    def given(x: Array) -> Array:
        wide = np.repeat(np.asfortranarray(x.astype(dtype)), 2, axis=-1)[..., ::2]
        wide.flags.writeable = False
        kept.append(wide)
        return wide

    for got, expected in zip(leaves(CALLS[name](given)), leaves(CALLS[name](lambda x: x)), strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
        assert not any(np.shares_memory(got, x) for x in kept)


@pytest.mark.parametrize("name", list(CALLS)[:7])
def test_fifty_digits_say_the_same(name: str) -> None:
    exact = CALLS[name](lambda x: exact_kind(50).of(x, "float64"))

    for got, part in zip(leaves(CALLS[name](lambda x: x)), leaves(exact), strict=True):
        np.testing.assert_allclose(got, part.parts[0].astype(float), rtol=1e-13)


def test_statistics_are_those_of_exact_fractions() -> None:
    mean, std = preprocessing.feature_statistics(X)
    for j in range(3):
        column = [Fraction(x) for x in X[:, j]]
        mu = sum(column, Fraction()) / 7
        assert mean[j] == pytest.approx(float(mu), rel=1e-15)
        assert std[j] == pytest.approx(float(sum((x - mu) ** 2 for x in column) / 7) ** 0.5, rel=1e-14)


def test_training_data_become_standard_and_test_data_do_not_count() -> None:
    statistics = preprocessing.feature_statistics(X)
    train, test = preprocessing.standardize(X, *statistics), preprocessing.standardize(TEST, *statistics)

    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(train.std(axis=0), 1)  # over n, as here
    np.testing.assert_allclose(test * statistics.std + statistics.mean, TEST, atol=1e-13)


def test_channels_become_standard() -> None:
    got = preprocessing.standardize(IMAGES, *preprocessing.channel_statistics(IMAGES))

    np.testing.assert_allclose(got.mean(axis=(0, 2, 3)), 0, atol=1e-14)
    np.testing.assert_allclose(got.std(axis=(0, 2, 3)), 1)


def test_less_the_mean_image_every_pixel_has_mean_zero() -> None:
    image = preprocessing.mean_image(IMAGES)

    np.testing.assert_allclose(image, IMAGES.mean(axis=0))
    np.testing.assert_allclose(preprocessing.center(IMAGES, image).mean(axis=0), 0, atol=1e-14)
    means = preprocessing.channel_statistics(IMAGES).mean
    np.testing.assert_allclose(preprocessing.center(IMAGES, means), IMAGES - means[:, None, None])


@pytest.mark.parametrize("value", [0.1, 1e6 + 0.1, -1e-30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_feature_has_no_deviation_and_is_centered(value: float, dtype: type[Any]) -> None:
    x = np.full((1001, 2), value, dtype)
    statistics = preprocessing.feature_statistics(x)

    np.testing.assert_array_equal(statistics.std, 0)
    np.testing.assert_array_equal(preprocessing.standardize(x, *statistics), 0)
    np.testing.assert_array_equal(preprocessing.standardize(x + 1, *statistics), x + 1 - x)
    np.testing.assert_array_equal(preprocessing.minmax(x, *preprocessing.feature_range(x)), 0)


def test_a_large_mean_does_not_cancel() -> None:
    x = np.array([[1e8 + 1], [1e8 - 1], [1e8]])
    mean, std = preprocessing.feature_statistics(x)

    assert mean[0] == 1e8
    assert std[0] == pytest.approx((2 / 3) ** 0.5, rel=1e-14)


def test_many_rows_of_float32_are_summed_exactly_enough() -> None:
    x = RNG.random((100_000, 2)).astype(np.float32)
    mean, std = preprocessing.feature_statistics(x)

    np.testing.assert_allclose(mean, x.astype(float).mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(std, x.astype(float).std(axis=0), rtol=1e-7)


def test_the_range_becomes_the_unit_interval() -> None:
    got = preprocessing.minmax(X, *preprocessing.feature_range(X))

    np.testing.assert_array_equal(got.min(axis=0), 0)
    np.testing.assert_array_equal(got.max(axis=0), 1)
    np.testing.assert_array_equal(np.argsort(got, axis=0), np.argsort(X, axis=0))


def test_polar_features_lead_back_and_separate_a_circle() -> None:
    points = RNG.standard_normal((200, 2))
    r, angle = preprocessing.polar_features(points).T

    led_back = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    assert np.all(np.abs(led_back - points) <= 4 * np.finfo(float).eps * r[:, None])  # of its distance, not its height
    np.testing.assert_array_equal(r < 1.2, (points**2).sum(axis=1) < 1.44)
    turned = preprocessing.polar_features(points @ np.array([[0.0, 1.0], [-1.0, 0.0]]))
    np.testing.assert_allclose(turned[:, 0], r)
    np.testing.assert_allclose(np.exp(1j * turned[:, 1]), np.exp(1j * (angle + np.pi / 2)))
    np.testing.assert_array_equal(preprocessing.polar_features(np.zeros((1, 2))), 0)
    np.testing.assert_allclose(preprocessing.polar_features(np.array([[3e200, 4e200]]))[0, 0], 5e200)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_hot_rows_pick_an_entry(dtype: type[Any]) -> None:
    labels = np.array([2, 0, 3, 3], dtype=np.int8)
    y = preprocessing.one_hot(labels, num_classes=5, dtype=dtype)

    assert y.dtype == dtype
    np.testing.assert_array_equal(y, np.eye(5)[labels])


# --- new data out of old ----------------------------------------------------------------------------------------------
def test_flipped_images_are_mirrored_or_as_they_were() -> None:
    got = preprocessing.random_flip(MARKED, generator(), p=0.3)
    mirrored = (got == MARKED[..., ::-1]).all(axis=(1, 2, 3))
    same = (got == MARKED).all(axis=(1, 2, 3))

    assert np.all(mirrored ^ same)
    assert abs(mirrored.mean() - 0.3) < 6 * np.sqrt(0.21 / 200)
    np.testing.assert_array_equal(preprocessing.random_flip(MARKED, generator(), p=0.0), MARKED)
    np.testing.assert_array_equal(preprocessing.random_flip(MARKED, generator(), p=1.0), MARKED[..., ::-1])


def test_cropped_images_are_shifted_by_up_to_the_padding_with_zeros_coming_in() -> None:
    many = np.concatenate([MARKED] * 20)
    got = preprocessing.random_crop(many, generator(), padding=1)
    padded = np.pad(many, ((0, 0), (0, 0), (1, 1), (1, 1)))
    places = [(got == padded[:, :, i : i + 5, j : j + 4]).all(axis=(1, 2, 3)) for i in range(3) for j in range(3)]

    np.testing.assert_array_equal(np.sum(places, axis=0), 1)
    shares = np.mean(places, axis=1)
    assert np.all(np.abs(shares - 1 / 9) < 6 * np.sqrt(8 / 81 / len(many)))
    np.testing.assert_array_equal(preprocessing.random_crop(MARKED, generator(), padding=0), MARKED)


def test_noise_is_normal_with_the_deviation_that_is_asked_for() -> None:
    noise = preprocessing.add_noise(np.full((200, 200), 3.0), generator(), std=0.5) - 3.0

    assert abs(noise.mean()) < 6 * 0.5 / 200
    assert abs(noise.var() / 0.25 - 1) < 6 * np.sqrt(2) / 200
    assert abs(np.mean(noise**4) / 0.25**2 - 3) < 6 * np.sqrt(96) / 200
    np.testing.assert_array_equal(preprocessing.add_noise(X, generator(), std=0.0), X)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_square_is_cut_out_in_all_channels(size: int) -> None:
    images = np.concatenate([MARKED] * 10)
    got = preprocessing.cutout(images, generator(), size=size)
    out = got == 0

    assert np.all(out == out[:, :1])
    np.testing.assert_array_equal(got[~out], images[~out])
    rows, columns = out[:, 0].any(axis=2), out[:, 0].any(axis=1)
    np.testing.assert_array_equal(out[:, 0], rows[:, :, None] & columns[:, None, :])
    for side in (rows, columns):  # one run of up to `size`, shorter only at the border
        length = side.sum(axis=1)
        assert np.all((np.diff(side.astype(int), axis=1) == 1).sum(axis=1) <= 1)
        assert length.max() == size
        assert np.all((length == size) | side[:, 0] | side[:, -1])
        centres = np.arange(side.shape[1])  # equally likely
        reached = (centres[:, None] - size // 2 <= centres) & (centres < centres[:, None] - size // 2 + size)
        assert np.all(np.abs(side.mean(axis=0) - reached.mean(axis=0)) < 6 * 0.5 / np.sqrt(len(images)))


def test_mixed_data_carry_the_labels_of_what_they_are_mixed_of() -> None:
    """Inputs that are their own labels stay so: one share and one order serve both."""
    labels = np.eye(6)
    for seed in range(20):
        mixed = preprocessing.mixup(labels[:, :, None], labels, generator(seed), alpha=1.0)
        np.testing.assert_allclose(mixed.x[:, :, 0], mixed.labels, rtol=1e-15)
        np.testing.assert_allclose(mixed.labels.sum(axis=1), 1, rtol=1e-15)
        np.testing.assert_allclose(mixed.labels.sum(axis=0), 1, rtol=1e-15)  # everyone is someone's partner once
        assert len(np.unique(mixed.labels[(mixed.labels > 0) & (mixed.labels < 1)].round(12))) <= 2  # two shares


def test_the_share_is_beta_distributed() -> None:
    """Beta(a, a) has mean 1/2 and variance 1 / (4 (2a + 1)); here a = 2."""
    x, labels = np.array([[0.0], [1.0]]), np.eye(2)
    swapped = [preprocessing.mixup(x, labels, generator(seed), alpha=2.0).x[1, 0] for seed in range(4000)]
    shares = np.array([share for share in swapped if share != 1])  # partners differ in half of the draws

    assert abs(shares.mean() - 0.5) < 6 * np.sqrt(0.05 / len(shares))
    np.testing.assert_allclose(shares.var(), 0.05, rtol=0.1)


@pytest.mark.parametrize("name", list(CALLS)[8:])
def test_random_functions_draw_from_their_generator_only(name: str) -> None:
    state = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002 - the one that must not be touched
    first, second = CALLS[name](lambda x: x), CALLS[name](lambda x: x)

    for one, two in zip(leaves(first), leaves(second), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002


# --- splits -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n, validation, test", [(10, 0.2, 0.1), (100, 0.29, 0.57), (7, 0.0, 0.3), (3, 0.3, 0.3)])
def test_a_split_uses_every_sample_once(n: int, validation: float, test: float) -> None:
    split = preprocessing.train_validation_test_split(n, generator(), validation=validation, test=test)

    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(n))
    assert (len(split.validation), len(split.test)) == (round(n * validation), round(n * test))


def test_a_split_is_shuffled_fairly() -> None:
    """Every sample is as likely to be held out as any other."""
    held = np.zeros(10)
    for seed in range(4000):
        held[preprocessing.train_validation_test_split(10, generator(seed), validation=0.2, test=0.1).test] += 1

    assert np.all(np.abs(held / 4000 - 0.1) < 6 * np.sqrt(0.09 / 4000))


@pytest.mark.parametrize("n, k", [(10, 3), (12, 4), (5, 5), (11, 2)])
def test_every_sample_is_held_out_in_one_fold(n: int, k: int) -> None:
    folds = preprocessing.k_fold(n, generator(), k=k)

    assert len(folds) == k
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.validation for fold in folds])), np.arange(n))
    for fold in folds:
        np.testing.assert_array_equal(np.sort(np.concatenate(fold)), np.arange(n))
        assert len(fold.validation) in (n // k, n // k + 1)
    assert np.any(np.concatenate([fold.validation for fold in folds]) != np.arange(n))


# --- what makes no sense ----------------------------------------------------------------------------------------------
REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: preprocessing.feature_statistics(X[:0]),
        ValueError,
        "x: expected at least one row and one column, got shape (0, 3)",
    ),
    (
        lambda: preprocessing.feature_statistics(np.array([[1.0, 2.0], [3.0, np.nan]])),
        ValueError,
        "x[1, 1]: expected a finite number, got nan",
    ),
    (
        lambda: preprocessing.feature_range(np.array([[1.0, np.inf]])),
        ValueError,
        "x[0, 1]: expected a finite number, got inf",
    ),
    (
        lambda: preprocessing.channel_statistics(X),
        ValueError,
        "x: expected shape (n, c, h, w), got (7, 3)",
    ),
    (
        lambda: preprocessing.center(X, X[:, 0]),
        ValueError,
        "mean: expected shape (3,) for x of shape (7, 3), got (7,)",
    ),
    (
        lambda: preprocessing.center(IMAGES, np.zeros(4)),
        ValueError,
        "mean: expected shape (3, 4, 6) or (3,) for x of shape (5, 3, 4, 6), got (4,)",
    ),
    (
        lambda: preprocessing.standardize(X, X[0], -np.abs(X[1])),
        ValueError,
        f"std: expected finite values of at least 0, got {-np.abs(X[1]).max()}",
    ),
    (
        lambda: preprocessing.standardize(X, X[0], X[1].astype(np.float32)),
        TypeError,
        "expected one dtype for all arrays, got x float64, mean float64, std float32; convert them with .astype",
    ),
    (
        lambda: preprocessing.minmax(TEST, np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.5, 1.0])),
        ValueError,
        "high: expected at least low, got 0.5 below 1.0",
    ),
    (
        lambda: preprocessing.polar_features(X),
        ValueError,
        "x: expected shape (n, 2), got (7, 3)",
    ),
    (
        lambda: preprocessing.one_hot(np.array([0, 3]), num_classes=3),
        ValueError,
        "labels[1]: expected a class in 0..2, got 3; classes count from zero",
    ),
    (
        lambda: preprocessing.one_hot(np.array([0]), num_classes=3, dtype=int),
        TypeError,
        "dtype: expected float32 or float64, got int",
    ),
    (
        lambda: preprocessing.random_flip(IMAGES, generator(), p=1.5),
        ValueError,
        "p: expected a number in [0, 1], got 1.5",
    ),
    (
        lambda: preprocessing.random_crop(IMAGES, generator(), padding=-1),
        ValueError,
        "padding: expected at least 0, got -1",
    ),
    (
        lambda: preprocessing.add_noise(X, None, std=0.1),  # type: ignore[arg-type]
        TypeError,
        "generator: expected a numpy.random.Generator, got NoneType; write np.random.default_rng(seed)",
    ),
    (
        lambda: preprocessing.cutout(IMAGES, generator(), size=2.0),  # type: ignore[arg-type]
        TypeError,
        "size: expected an int, got float",
    ),
    (
        lambda: preprocessing.mixup(X, LABELS, generator()),
        ValueError,
        "labels: expected shape (7, c), got (5, 3)",
    ),
    (
        lambda: preprocessing.mixup(X[:5], 2 * LABELS, generator()),
        ValueError,
        "labels[0]: expected probabilities with sum 1, got sum 2; divide by the sum",
    ),
    (
        lambda: preprocessing.train_validation_test_split(4, generator(), validation=0.5, test=0.5),
        ValueError,
        "validation, test: expected to leave training data of n = 4, got 0.5 and 0.5",
    ),
    (
        lambda: preprocessing.train_validation_test_split(4, generator(), validation=0.5, test=0.1),
        ValueError,
        "test: expected a share that is at least one of n = 4 samples, got 0.1",
    ),
    (
        lambda: preprocessing.k_fold(4, generator(), k=5),
        ValueError,
        "k: expected at most n = 4 folds, got 5",
    ),
    (
        lambda: preprocessing.k_fold(4, generator(), k=1),
        ValueError,
        "k: expected at least 2, got 1",
    ),
]  # fmt: skip


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused(attempt: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
