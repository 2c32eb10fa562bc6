"""Large arrays go block by block, with the same values."""

from __future__ import annotations

import numpy as np
import pytest

from graders.harness.arithmetic import exact_kind
from reference import _numerics as numerics
from reference._types import Array

RNG = np.random.default_rng(11)


@pytest.mark.parametrize("shape", [(100_001,), (7, 30_000), (40_000, 3), (1, 100_000), (0, 5), ()])
def test_a_function_of_entries_sees_blocks_that_fit_the_cache(shape: tuple[int, ...]) -> None:
    x = RNG.standard_normal(shape)
    sizes: list[int] = []

    def f(x: Array) -> Array:
        sizes.append(x.size)
        return 2 * x

    np.testing.assert_array_equal(numerics.in_blocks(f, x), 2 * x)
    assert sum(sizes) == x.size
    assert max(sizes) <= max(numerics.CACHED, x.size // max(1, len(x)) if shape else 1)


def test_several_arrays_and_results_along_another_axis() -> None:
    x, y = RNG.standard_normal((200, 5, 90)), RNG.standard_normal((1, 5))

    def f(x: Array, y: Array) -> tuple[Array, ...]:
        return x * y[:, :, None], np.sum(x, axis=2), y.astype(np.float32)

    for got, expected in zip(numerics.in_blocks(f, x, y, axis=1), f(x, y), strict=True):
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == expected.dtype
    assert len(numerics.blocks(x, 1)) > 1


def test_what_is_made_on_the_way_may_be_larger() -> None:
    x = np.zeros((10, 4))

    assert numerics.blocks(x) == [slice(None)]
    assert len(numerics.blocks(x, entries=5 * numerics.CACHED)) == 5
    assert len(numerics.blocks(x, entries=50 * numerics.CACHED)) == 10  # a row is never cut


def test_another_arithmetic_goes_through_whole() -> None:
    x = exact_kind(50).of(np.ones(3), "float64")

    assert numerics.blocks(x, entries=5 * numerics.CACHED) == [slice(None)]  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(50_000, 3), (900, numerics.SHORT + 9), (30, 50, 40), (5,)])
@pytest.mark.parametrize("axis", [-1, 0])
def test_rows_along_any_axis(shape: tuple[int, ...], axis: int) -> None:
    x = RNG.standard_normal(shape)

    def f(rows: Array) -> Array:
        assert len(rows.shape) == 2
        largest: Array = np.max(rows, axis=1, keepdims=True)
        return rows / largest

    np.testing.assert_array_equal(numerics.by_rows(f, x, axis), x / np.max(x, axis=axis, keepdims=True))


def test_short_rows_are_laid_out_by_column() -> None:
    layouts: list[bool] = []

    def f(rows: Array) -> Array:
        layouts.append(rows.flags.f_contiguous)
        return rows

    numerics.by_rows(f, np.zeros((9, numerics.SHORT)))
    numerics.by_rows(f, np.zeros((9, numerics.SHORT + 1)))
    assert layouts == [True, False]
