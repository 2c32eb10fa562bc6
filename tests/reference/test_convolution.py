"""Convolution against PyTorch, against its own definition in plain loops, and against itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graders.harness.arithmetic import bounded_kind, exact_kind, lift, rounded_kind
from reference import _numerics as numerics
from reference._types import Array
from reference.convolution import (
    conv2d,
    conv2d_vjp,
    convolve2d,
    cross_correlate2d,
    n_flops,
    n_parameters,
    output_size,
    pointwise_conv2d,
    pointwise_conv2d_vjp,
    receptive_field,
)

RNG = np.random.default_rng(11)
X, W, B = RNG.standard_normal((2, 4, 5, 6)), RNG.standard_normal((6, 2, 3, 2)), RNG.standard_normal(6)
HYPER: dict[str, Any] = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}
G = RNG.standard_normal(conv2d(X, W, B, **HYPER).shape)
MATRIX, PIXELS = RNG.standard_normal((6, 4)), RNG.standard_normal((2, 6, 5, 6))

CHANNELS = ((1, 2, 3, 1), (3, 4, 6, 2), (2, 3, 3, 3))  # samples, in, out, groups
KERNELS = (
    ((1, 1), 0, 1),
    ((1, 1), 2, 1),
    ((3, 2), 0, 1),
    ((3, 2), (2, 0), 1),
    ((2, 5), 1, (2, 1)),
    ((3, 2), 3, (1, 3)),
)
SIZES, STRIDES = ((5, 7), (8, 6)), (1, 2, (3, 1), (6, 5))


def assert_near(got: Any, expected: Any, relative: float = 1e-13) -> None:
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=relative * max(1e-300, np.abs(expected).max(initial=0)))


def torches(arrays: tuple[Array, ...], g: Array | None, **hyper: Any) -> tuple[Array, ...]:
    """Return PyTorch's output, and the gradients by every input for the cotangent g, or for a random one."""
    torch = pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    y = torch.nn.functional.conv2d(*tensors, **hyper)
    g = RNG.standard_normal(y.shape) if g is None else g
    y.backward(torch.tensor(g))
    return (y.detach().numpy(), g, *(tensor.grad.numpy() for tensor in tensors))


@pytest.mark.parametrize("channels", CHANNELS, ids=str)
def test_conv2d_is_pytorchs(channels: tuple[int, int, int, int]) -> None:
    n, c_in, c_out, groups = channels
    for size, (kernel, padding, dilation), stride in itertools.product(SIZES, KERNELS, STRIDES):
        arrays = (
            RNG.standard_normal((n, c_in, *size)),
            RNG.standard_normal((c_out, c_in // groups, *kernel)),
            RNG.standard_normal(c_out),
        )
        hyper: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        y, g, *grads = torches(arrays, None, **hyper)

        assert_near(conv2d(*arrays, **hyper), y)
        for got, expected in zip(conv2d_vjp(*arrays, g, **hyper), grads, strict=True):
            assert_near(got, expected)


def test_a_batch_larger_than_the_cache_is_pytorchs() -> None:
    arrays = (RNG.standard_normal((7, 3, 40, 33)), RNG.standard_normal((4, 3, 5, 5)), RNG.standard_normal(4))
    y, g, *grads = torches(arrays, None, padding=2, stride=2)
    assert arrays[0].size * 25 // 4 > 2 * numerics.CACHED  # so it goes block by block

    assert_near(conv2d(*arrays, padding=2, stride=2), y)
    for got, expected in zip(conv2d_vjp(*arrays, g, padding=2, stride=2), grads, strict=True):
        assert_near(got, expected)


def test_conv2d_by_its_definition() -> None:
    (sh, sw), (ph, pw), (dh, dw) = HYPER["stride"], HYPER["padding"], HYPER["dilation"]
    expected = np.zeros_like(G)
    for n, o, i, j in np.ndindex(G.shape):
        expected[n, o, i, j] = B[o]
        for c, p, q in np.ndindex(W.shape[1:]):
            a, b = sh * i + dh * p - ph, sw * j + dw * q - pw
            if 0 <= a < X.shape[2] and 0 <= b < X.shape[3]:
                expected[n, o, i, j] += X[n, c + 2 * (o // 3), a, b] * W[o, c, p, q]

    assert_near(conv2d(X, W, B, **HYPER), expected)


def test_the_gradients_are_the_transpose_of_the_map() -> None:
    dx, dw, db = conv2d_vjp(X, W, B, G, **HYPER)
    vx, vw, vb = RNG.standard_normal(X.shape), RNG.standard_normal(W.shape), RNG.standard_normal(B.shape)
    zero = np.zeros_like(B)

    assert np.sum(conv2d(vx, W, zero, **HYPER) * G) == pytest.approx(np.sum(vx * dx), rel=1e-12)
    assert np.sum(conv2d(X, vw, zero, **HYPER) * G) == pytest.approx(np.sum(vw * dw), rel=1e-12)
    assert np.sum(vb[:, None, None] * G) == pytest.approx(np.sum(vb * db), rel=1e-12)


def test_moving_the_input_by_the_stride_moves_the_output_by_one() -> None:
    x = np.zeros((1, 4, 12, 12))
    x[:, :, 4:7, 4:8] = RNG.standard_normal((1, 4, 3, 4))
    y, moved, by_one = (
        conv2d(image, W, B, stride=2, groups=2) for image in (x, np.roll(x, 2, axis=2), np.roll(x, 1, axis=2))
    )

    np.testing.assert_array_equal(moved[:, :, 1:], y[:, :, :-1])
    assert not np.allclose(by_one[:, :, 1:], y[:, :, :-1])


def test_one_map_by_its_definition() -> None:
    x, w = X[0, 0], W[0, 0]
    expected = [[np.sum(x[i : i + 3, j : j + 2] * w) for j in range(5)] for i in range(3)]

    assert_near(cross_correlate2d(x, w), np.array(expected))
    assert_near(convolve2d(x, w), cross_correlate2d(x, w[::-1, ::-1]))
    assert not np.allclose(convolve2d(x, w), cross_correlate2d(x, w))
    assert_near(cross_correlate2d(x, x), np.sum(x * x)[None, None])


def test_a_pointwise_convolution_is_one_of_one_pixel() -> None:
    one_pixel = MATRIX[:, :, None, None]
    dx, dw, db = conv2d_vjp(X, one_pixel, B, PIXELS)
    got = pointwise_conv2d_vjp(X, MATRIX, B, PIXELS)

    assert_near(pointwise_conv2d(X, MATRIX, B), conv2d(X, one_pixel, B))
    for one, two in zip(got, (dx, dw[:, :, 0, 0], db), strict=True):
        assert_near(one, two)


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("dilation", [1, 3])
def test_output_size_counts_the_windows_that_fit(stride: int, dilation: int) -> None:
    for size, kernel_size, padding in itertools.product(range(1, 12), range(1, 5), range(3)):
        last = size + 2 * padding - dilation * (kernel_size - 1) - 1
        fitting = len([start for start in range(0, 40, stride) if start <= last])
        if fitting:
            got = output_size(size=size, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
            assert got == fitting


def test_what_the_lectures_count() -> None:
    assert output_size(size=32, kernel_size=5) == 28
    assert n_parameters(in_channels=3, out_channels=6, kernel_size=5) == 456
    assert n_parameters(in_channels=4, out_channels=6, kernel_size=(3, 2), groups=2) == W.size + B.size
    assert n_flops(in_channels=3, out_channels=6, kernel_size=5, output_size=28) == 2 * 75 * 28 * 28 * 6
    assert n_flops(in_channels=4, out_channels=6, kernel_size=(3, 2), output_size=(3, 5), groups=2) == 2 * 12 * 15 * 6


def test_a_receptive_field_is_where_the_gradient_arrives() -> None:
    layers = ((3, 2, 1), (2, 1, 2), (3, 3, 2), (2, 1, 1))  # kernel size, stride, dilation
    sizes = [61]
    for kernel_size, stride, dilation in layers:
        sizes.append(output_size(size=sizes[-1], kernel_size=kernel_size, stride=stride, dilation=dilation))
    g: Array = np.zeros((1, 1, 1, sizes[-1]))
    g[..., 1] = 1
    for size, (kernel_size, stride, dilation) in list(zip(sizes, layers, strict=False))[::-1]:
        x, w = np.zeros((1, 1, 1, size)), np.ones((1, 1, 1, kernel_size))
        g = conv2d_vjp(x, w, np.zeros(1), g, stride=(1, stride), dilation=(1, dilation)).dx
    reached = np.flatnonzero(g)
    kernel_sizes, strides, dilations = (list(column) for column in zip(*layers, strict=True))

    got = receptive_field(kernel_sizes=kernel_sizes, strides=strides, dilations=dilations)
    assert got == reached[-1] - reached[0] + 1
    assert receptive_field(kernel_sizes=[3, 3, 3]) == 7


CALLS: dict[str, tuple[Callable[..., Any], tuple[Array, ...], dict[str, Any]]] = {
    "cross_correlate2d": (cross_correlate2d, (X[0, 0], W[0, 0]), {}),
    "convolve2d": (convolve2d, (X[0, 0], W[0, 0]), {}),
    "conv2d": (conv2d, (X, W, B), HYPER),
    "conv2d_vjp": (conv2d_vjp, (X, W, B, G), HYPER),
    "conv2d_vjp, strides": (conv2d_vjp, (X, W, B, G[:, :, :2, :2]), {"stride": 2, "groups": 2, "dilation": (1, 3)}),
    "pointwise_conv2d": (pointwise_conv2d, (X, MATRIX, B), {}),
    "pointwise_conv2d_vjp": (pointwise_conv2d_vjp, (X, MATRIX, B, PIXELS), {}),
}


def outputs(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", CALLS)
def test_float32_is_kept_inputs_are_not_written_and_strides_do_not_matter(name: str) -> None:
    f, arrays, hyper = CALLS[name]
    narrow = [np.asfortranarray(np.repeat(x.astype(np.float32), 2, axis=-1))[..., ::2] for x in arrays]
    for x in narrow:
        x.flags.writeable = False

    for got, expected in zip(outputs(f(*narrow, **hyper)), outputs(f(*arrays, **hyper)), strict=True):
        assert got.dtype == np.float32
        assert not any(np.shares_memory(got, x) for x in narrow)
        assert_near(got, expected, 1e-6)


@pytest.mark.parametrize("name", CALLS)
def test_the_same_text_runs_in_other_arithmetics(name: str) -> None:
    f, arrays, hyper = CALLS[name]
    plain = outputs(f(*arrays, **hyper))
    exact, bounded, rounded = (
        outputs(f(*(lift(kind, x, "float64") for x in arrays), **hyper))
        for kind in (exact_kind(50), bounded_kind("float64"), rounded_kind("float64", 0))
    )

    for got, e, b, r in zip(plain, exact, bounded, rounded, strict=True):
        error = np.abs((e.parts[0] - got).astype(float))
        assert np.isfinite(b.parts[1]).all()
        assert (error <= 0.5 * b.parts[1]).all()
        assert r.shape == got.shape


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: conv2d(X[0], W, B), ValueError, "x: expected shape (n, c_in, h, v), got (4, 5, 6)"),
    (lambda: conv2d(X[:0], W, B), ValueError, "x: expected at least one row and one column, got shape (0, 4, 5, 6)"),
    (lambda: conv2d(X, W, B), ValueError, "w: expected shape (c_out, 4, kh, kw), got (6, 2, 3, 2)"),
    (lambda: conv2d(X, W, B[1:], groups=2), ValueError, "b: expected shape (6,), got (5,)"),
    (lambda: conv2d(X, W, B, groups=3), ValueError, "groups: expected a divisor of the 4 in_channels, got 3"),
    (lambda: conv2d(X, W, B, groups=4), ValueError, "groups: expected a divisor of the 6 out_channels, got 4"),
    (lambda: conv2d(X, W, B, groups=2, stride=0), ValueError, "stride: expected at least 1, got 0"),
    (lambda: conv2d(X, W, B, groups=2, padding=-1), ValueError, "padding: expected at least 0, got -1"),
    (lambda: conv2d(X, W, B, groups=2, padding=0.5), TypeError, "padding: expected an int, got float"),  # type: ignore[arg-type]
    (
        lambda: conv2d(X, W, B, groups=2, stride=(1, 2, 3)),  # type: ignore[arg-type]
        ValueError,
        "stride: expected an int or a pair for rows and columns, got (1, 2, 3)",
    ),
    (
        lambda: conv2d(X, W, B, groups=2, dilation=(3, 1)),
        ValueError,
        "w: expected a kernel within the padded input, (5, 6), got one that spans (7, 2); pad more, or make it smaller",
    ),
    (
        lambda: conv2d(X.astype(np.float32), W, B, groups=2),
        TypeError,
        "expected one dtype for all arrays, got x float32, w float64, b float64; convert them with .astype",
    ),
    (
        lambda: conv2d_vjp(X, W, B, G[:, :, 1:], **HYPER),
        ValueError,
        "cotangent: expected shape (2, 6, 3, 8), got (2, 6, 2, 8)",
    ),
    (lambda: pointwise_conv2d(X, W[:, :, 0, 0], B), ValueError, "w: expected shape (c_out, 4), got (6, 2)"),
    (
        lambda: pointwise_conv2d_vjp(X, MATRIX, B, X),
        ValueError,
        "cotangent: expected shape (2, 6, 5, 6), got (2, 4, 5, 6)",
    ),
    (
        lambda: cross_correlate2d(W[0, 0], X[0, 0]),
        ValueError,
        "w: expected a kernel within the padded input, (3, 2), got one that spans (5, 6); pad more, or make it smaller",
    ),
    (lambda: convolve2d(X[0], W[0, 0]), ValueError, "x: expected shape (h, v), got (4, 5, 6)"),
    (
        lambda: output_size(size=4, kernel_size=3, dilation=3),
        ValueError,
        "kernel_size: expected a kernel within the padded input of 4, got one that spans 7; "
        "pad more, or make it smaller",
    ),
    (
        lambda: output_size(size=2, kernel_size=5, padding=1),
        ValueError,
        "kernel_size: expected a kernel within the padded input of 4, got one that spans 5; "
        "pad more, or make it smaller",
    ),
    (lambda: output_size(size=4, kernel_size=3, stride=0), ValueError, "stride: expected at least 1, got 0"),
    (
        lambda: n_parameters(in_channels=3, out_channels=4, kernel_size=2, groups=2),
        ValueError,
        "groups: expected a divisor of the 3 in_channels, got 2",
    ),
    (
        lambda: receptive_field(kernel_sizes=[3, 3], strides=[1]),
        ValueError,
        "strides: expected 2 numbers, one for each of kernel_sizes, got 1",
    ),
    (lambda: receptive_field(kernel_sizes=[]), ValueError, "kernel_sizes: expected a number for each layer, got none"),
    (lambda: receptive_field(kernel_sizes=[3, 0]), ValueError, "kernel_sizes[1]: expected at least 1, got 0"),
]


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused_in_words(
    attempt: Callable[[], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
