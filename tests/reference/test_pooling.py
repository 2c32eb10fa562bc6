"""Pooling against PyTorch, at ties, borders and overlaps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graders.harness.arithmetic import bounded_kind, exact_kind, lift, rounded_kind
from reference.pooling import (
    avg_pool2d,
    avg_pool2d_vjp,
    global_avg_pool,
    global_avg_pool_vjp,
    max_pool2d,
    max_pool2d_vjp,
)

RNG = np.random.default_rng(13)
X = RNG.standard_normal((2, 3, 7, 6))
HYPER: dict[str, Any] = {"kernel_size": (3, 2), "stride": (2, 1), "padding": 1}
G = RNG.standard_normal(max_pool2d(X, **HYPER).shape)
KERNELS = (((1, 1), 0), ((2, 2), 0), ((2, 2), 1), ((3, 3), (1, 0)), ((3, 2), 1), ((2, 5), (1, 2)), ((4, 4), 2))
SHAPES: tuple[dict[str, Any], ...] = tuple(
    {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    for kernel_size, padding in KERNELS
    for stride in (None, 1, 2, (3, 1), 5)
)
INPUTS = {
    "random": X,
    "one sample": X[:1, :1],
    "negative": -1 - np.abs(X),
    "ties": np.round(X),
    "all equal": np.full_like(X, -0.5),
    "more than the cache": RNG.standard_normal((3, 4, 120, 119)),
}


def torches(name: str, x: Any, **hyper: Any) -> tuple[Any, Any, Any]:
    """Return PyTorch's output, a cotangent, and its gradient."""
    torch = pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")
    tensor = torch.tensor(x, requires_grad=True)
    y = getattr(torch.nn.functional, name)(tensor, **hyper)
    g = RNG.standard_normal(y.shape)
    y.backward(torch.tensor(g))
    return y.detach().numpy(), g, tensor.grad.numpy()


def assert_near(got: Any, expected: Any, relative: float = 1e-14) -> None:
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=relative * max(1e-300, np.abs(expected).max()))


@pytest.mark.parametrize("inputs", INPUTS)
def test_max_pooling_is_pytorchs(inputs: str) -> None:
    x = INPUTS[inputs]
    for hyper in SHAPES:
        y, g, dx = torches("max_pool2d", x, **hyper)

        np.testing.assert_array_equal(max_pool2d(x, **hyper), y)
        assert_near(max_pool2d_vjp(x, g, **hyper), dx)


@pytest.mark.parametrize("count_include_pad", [True, False])
@pytest.mark.parametrize("inputs", ["random", "one sample", "more than the cache"])
def test_average_pooling_is_pytorchs(inputs: str, count_include_pad: bool) -> None:
    x = INPUTS[inputs]
    for hyper in SHAPES:
        y, g, dx = torches("avg_pool2d", x, **hyper, count_include_pad=count_include_pad)

        assert_near(avg_pool2d(x, **hyper, count_include_pad=count_include_pad), y)
        assert_near(avg_pool2d_vjp(x, g, **hyper, count_include_pad=count_include_pad), dx)


def test_the_first_of_equal_maxima_gets_it_all() -> None:
    g = np.array([[[[1.0, 10.0], [100.0, 1000.0]]]])

    got = max_pool2d_vjp(np.zeros((1, 1, 3, 3)), g, kernel_size=2, stride=1)
    np.testing.assert_array_equal(got[0, 0], [[1, 10, 0], [100, 1000, 0], [0, 0, 0]])


def test_an_entry_that_wins_several_windows_gets_their_sum() -> None:
    x = np.zeros((1, 1, 3, 3))
    x[..., 1, 1] = 1
    g = np.array([[[[1.0, 10.0], [100.0, 1000.0]]]])

    assert max_pool2d_vjp(x, g, kernel_size=2, stride=1)[0, 0, 1, 1] == 1111


def test_max_pooling_keeps_the_sum_of_the_gradient() -> None:
    assert np.sum(max_pool2d_vjp(np.round(X), G, **HYPER)) == pytest.approx(np.sum(G), rel=1e-12)


def test_minus_infinity_stays_what_it_is() -> None:
    y = max_pool2d(np.full((1, 1, 4, 4), -np.inf), kernel_size=2, stride=1, padding=1)

    assert (y == -np.inf).all()


def test_no_gradient_is_lost_to_the_padding() -> None:
    x, g = np.full((1, 1, 4, 4), -np.inf), np.arange(1.0, 26).reshape(1, 1, 5, 5)

    assert np.sum(max_pool2d_vjp(x, g, kernel_size=2, stride=1, padding=1)) == np.sum(g)


def test_a_ragged_edge_is_read_by_none() -> None:
    x = X.copy()
    x[:, :, 6] = np.nan

    np.testing.assert_array_equal(max_pool2d(x, kernel_size=2), max_pool2d(X, kernel_size=2))
    np.testing.assert_array_equal(avg_pool2d(x, kernel_size=2), avg_pool2d(X, kernel_size=2))
    dx = max_pool2d_vjp(X, np.ones((2, 3, 3, 3)), kernel_size=2)
    assert not dx[:, :, 6].any()


def test_average_pooling_is_linear_with_its_gradient_as_transpose() -> None:
    hyper = HYPER | {"count_include_pad": False}

    assert np.sum(avg_pool2d(X, **hyper) * G) == pytest.approx(np.sum(X * avg_pool2d_vjp(X, G, **hyper)), rel=1e-12)


def test_the_mean_of_a_whole_map() -> None:
    g = G[:, :, 0, 0]

    assert_near(global_avg_pool(X), avg_pool2d(X, kernel_size=(7, 6))[:, :, 0, 0])
    assert_near(global_avg_pool_vjp(X, g), avg_pool2d_vjp(X, g[:, :, None, None], kernel_size=(7, 6)))


CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = {
    "max_pool2d": (max_pool2d, (X,), HYPER),
    "max_pool2d, one entry": (max_pool2d, (X,), {"kernel_size": 1}),
    "max_pool2d_vjp": (max_pool2d_vjp, (X, G), HYPER),
    "avg_pool2d": (avg_pool2d, (X,), HYPER),
    "avg_pool2d_vjp": (avg_pool2d_vjp, (X, G), HYPER),
    "avg_pool2d, inner": (avg_pool2d, (X,), HYPER | {"count_include_pad": False}),
    "avg_pool2d_vjp, inner": (avg_pool2d_vjp, (X, G), HYPER | {"count_include_pad": False}),
    "global_avg_pool": (global_avg_pool, (X,), {}),
    "global_avg_pool_vjp": (global_avg_pool_vjp, (X, G[:, :, 0, 0]), {}),
}


@pytest.mark.parametrize("name", CALLS)
def test_float32_is_kept_inputs_are_not_written_and_strides_do_not_matter(name: str) -> None:
    f, arrays, hyper = CALLS[name]
    narrow = [np.asfortranarray(np.repeat(x.astype(np.float32), 2, axis=-1))[..., ::2] for x in arrays]
    for x in narrow:
        x.flags.writeable = False

    got = f(*narrow, **hyper)
    assert got.dtype == np.float32
    assert not any(np.shares_memory(got, x) for x in narrow)
    assert_near(got, f(*arrays, **hyper), 1e-6)


@pytest.mark.parametrize("name", CALLS)
def test_the_same_text_runs_in_other_arithmetics(name: str) -> None:
    f, arrays, hyper = CALLS[name]
    got = f(*arrays, **hyper)
    with np.errstate(invalid="ignore"):  # of two paddings, infinity is subtracted from itself
        exact, bounded, rounded = (
            f(*(lift(kind, x, "float64") for x in arrays), **hyper)
            for kind in (exact_kind(50), bounded_kind("float64"), rounded_kind("float64", 0))
        )

    error = np.abs((exact.parts[0] - got).astype(float))
    assert (error <= 0.6 * bounded.parts[1]).all()
    assert rounded.shape == got.shape
    np.testing.assert_allclose(rounded.parts[0].mean(axis=0), got, rtol=0, atol=1e-10)


def test_a_near_tie_is_not_decided() -> None:
    x = np.array([[[[1.0, np.nextafter(1.0, 2.0), 0.0, 3.0]]]])
    bounded = lift(bounded_kind("float64"), x, "float64")
    g = lift(bounded_kind("float64"), np.ones((1, 1, 1, 2)), "float64")
    dx: Any = max_pool2d_vjp(bounded, g, kernel_size=(1, 2))

    np.testing.assert_array_equal(dx.parts[1][0, 0, 0] >= 1, [True, True, False, False])


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: max_pool2d(X[0], kernel_size=2), ValueError, "x: expected shape (n, c, h, v), got (3, 7, 6)"),
    (
        lambda: max_pool2d(X[:0], kernel_size=2),
        ValueError,
        "x: expected at least one row and one column, got shape (0, 3, 7, 6)",
    ),
    (lambda: max_pool2d(X, kernel_size=0), ValueError, "kernel_size: expected at least 1, got 0"),
    (lambda: max_pool2d(X, kernel_size=2, stride=0), ValueError, "stride: expected at least 1, got 0"),
    (
        lambda: avg_pool2d(X, kernel_size=(4, 3), padding=(0, 2)),
        ValueError,
        "padding: expected at most half of kernel_size (4, 3), got (0, 2)",
    ),
    (
        lambda: max_pool2d(X, kernel_size=(3, 4), padding=2),
        ValueError,
        "padding: expected at most half of kernel_size (3, 4), got 2",
    ),
    (
        lambda: avg_pool2d(X, kernel_size=8),
        ValueError,
        "kernel_size: expected a kernel within the padded input, (7, 6), got one that spans (8, 8); "
        "pad more, or make it smaller",
    ),
    (
        lambda: max_pool2d_vjp(X, G[..., 1:], **HYPER),
        ValueError,
        "cotangent: expected shape (2, 3, 4, 7), got (2, 3, 4, 6)",
    ),
    (lambda: avg_pool2d_vjp(X, X, **HYPER), ValueError, "cotangent: expected shape (2, 3, 4, 7), got (2, 3, 7, 6)"),
    (lambda: global_avg_pool_vjp(X, G), ValueError, "cotangent: expected shape (2, 3), got (2, 3, 4, 7)"),
    (
        lambda: global_avg_pool(X.astype(int)),
        TypeError,
        "x: expected dtype float32 or float64, got int64; write x.astype(np.float64)",
    ),
]


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused_in_words(
    attempt: Callable[[], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
