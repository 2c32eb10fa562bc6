"""Initial weights: their fans, their moments within six standard deviations, their laws, what they do to a network.

A statistic beyond six standard deviations of a right law is one false alarm in 5e8; the seeds are fixed besides.
"""

from __future__ import annotations

import doctest
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reference import initialization

SHAPES = [(300, 200), (120, 500), (40, 30, 5, 7)]
VARIANCES: dict[str, Callable[[int, int], float]] = {
    "normal_fan_in": lambda n_in, n_out: 1 / n_in,
    "glorot_normal": lambda n_in, n_out: 2 / (n_in + n_out),
    "glorot_uniform": lambda n_in, n_out: 2 / (n_in + n_out),
    "he_normal": lambda n_in, n_out: 2 / n_in,
    "he_uniform": lambda n_in, n_out: 2 / n_in,
}


def drawn(name: str, shape: tuple[int, ...], seed: int = 0, **hyper: Any) -> Any:
    return getattr(initialization, name)(shape, np.random.default_rng(seed), **hyper)


def test_the_examples_in_the_docstrings_run() -> None:
    result = doctest.testmod(initialization)

    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", VARIANCES)
def test_mean_variance_and_kurtosis(name: str, shape: tuple[int, ...]) -> None:
    n_in, n_out = shape if len(shape) == 2 else (shape[1] * 35, shape[0] * 35)
    w = drawn(name, shape)
    size, variance = w.size, VARIANCES[name](n_in, n_out)
    kurtosis = 3.0 if "normal" in name else 1.8

    assert w.shape == shape
    assert abs(w.mean()) < 6 * np.sqrt(variance / size)
    assert abs(w.var() / variance - 1) < 6 * np.sqrt((kurtosis - 1) / size)
    assert abs(np.mean(w**4) / variance**2 - kurtosis) < 6 * np.sqrt((96 if kurtosis == 3 else 7) / size)


@pytest.mark.parametrize("name", VARIANCES)
def test_neighbours_are_independent(name: str) -> None:
    w = drawn(name, (300, 200))
    w = w / w.std()

    for products in (w[1:] * w[:-1], w[:, 1:] * w[:, :-1], w[1:] ** 2 * w[:-1] ** 2 - 1):
        assert abs(products.mean()) < 6 * products.std() / np.sqrt(products.size)


@pytest.mark.parametrize("name, shape, bound", [("glorot_uniform", (30, 24), 1 / 3), ("he_uniform", (24, 30), 0.5)])
def test_uniform_weights_fill_their_interval(name: str, shape: tuple[int, int], bound: float) -> None:
    w = np.concatenate([drawn(name, shape, seed).ravel() for seed in range(20)])

    assert 0.99 * bound < np.abs(w).max() <= bound


def test_variances_through_thirty_layers() -> None:
    """Fan-in weights keep a linear network's variance, He's a rectified one's mean square; the other way round not."""
    x = np.random.default_rng(1).standard_normal((64, 256))
    kept: dict[tuple[str, bool], float] = {}
    for name in ("normal_fan_in", "he_normal"):
        for rectified in (False, True):
            h = x
            for layer in range(30):
                h = h @ drawn(name, (256, 256), layer)
                h = np.maximum(h, 0) if rectified else h
            kept[name, rectified] = float(np.mean(h**2) / np.mean(x**2))

    assert 1 / 4 < kept["normal_fan_in", False] < 4
    assert 1 / 8 < 2 * kept["he_normal", True] < 8  # half of the mean square is lost after the last layer
    assert kept["normal_fan_in", True] < 1e-6
    assert kept["he_normal", False] > 1e6


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (8, 3, 2, 2), (3, 8, 2, 2)])
@pytest.mark.parametrize("gain", [1.0, 1.7])
def test_orthogonal_weights(shape: tuple[int, ...], gain: float) -> None:
    w = drawn("orthogonal", shape, gain=gain).reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w

    np.testing.assert_allclose(gram, gain**2 * np.eye(min(w.shape)), atol=1e-14)


def test_orthogonal_matrices_are_uniform() -> None:
    """The entries have mean 0 and variance 1/n, the trace has mean 0 and variance 1 (Diaconis and Shahshahani 1994)."""
    many = np.array([drawn("orthogonal", (4, 4), seed) for seed in range(4000)])
    traces = np.trace(many, axis1=1, axis2=2)

    assert np.all(np.abs(many.mean(axis=0)) < 6 * 0.5 / np.sqrt(4000))
    assert abs(traces.mean()) < 6 / np.sqrt(4000)
    assert abs(traces.var() - 1) < 6 * np.sqrt(2 / 4000)


@pytest.mark.parametrize("name", [*VARIANCES, "orthogonal"])
def test_a_seed_gives_the_same_weights_in_both_dtypes(name: str) -> None:
    wide, narrow = drawn(name, (7, 5), 3), drawn(name, (7, 5), 3, dtype=np.float32)

    assert narrow.dtype == np.float32
    np.testing.assert_array_equal(wide.astype(np.float32), narrow)
    assert np.any(wide != drawn(name, (7, 5), 4))


@pytest.mark.parametrize("name", [*VARIANCES, "orthogonal"])
def test_the_generator_is_the_only_source(name: str) -> None:
    generator = np.random.default_rng(5)
    first = getattr(initialization, name)((7, 5), generator)
    second = getattr(initialization, name)((7, 5), generator)
    state = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002 - the one that must not be touched
    drawn(name, (7, 5))

    assert np.any(first != second)
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")


@pytest.mark.parametrize("shape", [(7, 5), (6, 3, 2, 4), (6, 3, 9)])
def test_the_fans_are_pytorchs_of_the_transposed_weight(torch: Any, shape: tuple[int, ...]) -> None:
    weight = torch.zeros(shape[::-1] if len(shape) == 2 else shape)

    assert initialization.fans(shape) == torch.nn.init._calculate_fan_in_and_fan_out(weight)


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: drawn("he_normal", (5,)),
        ValueError,
        "shape: expected (d_in, d_out) or (out, in, ...), got (5,); start a bias at zero",
    ),
    (
        lambda: drawn("glorot_uniform", (5, 0)),
        ValueError,
        "shape[1]: expected at least 1, got 0",
    ),
    (
        lambda: drawn("orthogonal", (5, 2.0)),  # type: ignore[arg-type]
        TypeError,
        "shape[1]: expected an int, got float",
    ),
    (
        lambda: drawn("orthogonal", 5),  # type: ignore[arg-type]
        TypeError,
        "shape: expected a tuple of ints, got int",
    ),
    (
        lambda: drawn("he_uniform", (5, 2), dtype=np.int64),
        TypeError,
        "dtype: expected float32 or float64, got int64",
    ),
    (
        lambda: initialization.normal_fan_in((5, 2), np.random),  # type: ignore[arg-type]
        TypeError,
        "generator: expected a numpy.random.Generator, got module; write np.random.default_rng(seed)",
    ),
    (
        lambda: drawn("orthogonal", (5, 2), gain=0.0),
        ValueError,
        "gain: expected a positive finite number, got 0.0",
    ),
]  # fmt: skip


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused(attempt: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
