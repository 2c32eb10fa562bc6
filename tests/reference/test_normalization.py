"""Normalization against PyTorch, against its own sums, and where large means cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from graders.harness.arithmetic import bounded_kind, exact_kind, lift, rounded_kind
from reference import _numerics as numerics
from reference._types import Array
from reference.normalization import (
    batch_norm,
    batch_norm_vjp,
    batch_norm_when_evaluating,
    batch_norm_when_evaluating_vjp,
    group_norm,
    group_norm_vjp,
    layer_norm,
    layer_norm_vjp,
    rms_norm,
    rms_norm_vjp,
    running_statistics,
)

RNG = np.random.default_rng(17)
TABLE, IMAGES, MANY = (RNG.standard_normal(shape) for shape in ((5, 4), (3, 4, 2, 5), (6, 4, 90, 91)))
GAMMA, BETA, MEAN = RNG.standard_normal((3, 4))
VAR = RNG.random(4)
INPUTS = {
    "table": TABLE,
    "two rows": TABLE[:2],
    "a long table": RNG.standard_normal((40_000, 4)),
    "images": IMAGES,
    "one image": IMAGES[:1],
    "more than the cache": MANY,
    "a constant": np.full((3, 4), 0.7),
}
SEQUENCES = {"table": TABLE, "one row": TABLE[:1], "sequences": RNG.standard_normal((3, 5, 4)), "many": MANY[..., :4]}


def torches(f: Callable[..., Any], *arrays: Array) -> tuple[Array, ...]:
    """Return PyTorch's output, a random cotangent, and the gradients by every input."""
    torch = pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    y = f(torch.nn.functional, *tensors)
    g = RNG.standard_normal(y.shape)
    y.backward(torch.tensor(g))
    return (y.detach().numpy(), g, *(tensor.grad.numpy() for tensor in tensors))


def assert_near(got: Any, expected: Any, relative: float = 1e-13) -> None:
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=relative * max(1.0, np.abs(expected).max()))


def assert_all_near(got: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    for one, two in zip(got, expected, strict=True):
        assert_near(one, two)


@pytest.mark.parametrize("eps", [1e-5, 0.3])
@pytest.mark.parametrize("inputs", INPUTS)
def test_batch_norm_is_pytorchs(inputs: str, eps: float) -> None:
    x = INPUTS[inputs]
    y, g, *grads = torches(
        lambda F, x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps), x, GAMMA, BETA
    )

    assert_near(batch_norm(x, GAMMA, BETA, eps=eps), y)
    assert_all_near(batch_norm_vjp(x, GAMMA, BETA, g, eps=eps), tuple(grads))


@pytest.mark.parametrize("inputs", INPUTS)
def test_batch_norm_when_evaluating_is_pytorchs(inputs: str) -> None:
    x = INPUTS[inputs]
    y, g, *grads = torches(
        lambda F, x, gamma, beta: F.batch_norm(
            x, x.new_tensor(MEAN), x.new_tensor(VAR), gamma, beta, training=False, eps=0.3
        ),
        *(x, GAMMA, BETA),
    )

    assert_near(batch_norm_when_evaluating(x, GAMMA, BETA, MEAN, VAR, eps=0.3), y)
    assert_all_near(batch_norm_when_evaluating_vjp(x, GAMMA, BETA, MEAN, VAR, g, eps=0.3), tuple(grads))


@pytest.mark.parametrize("momentum", [0.0, 0.1, 0.7, 1.0])
@pytest.mark.parametrize("inputs", INPUTS)
def test_running_statistics_are_pytorchs(inputs: str, momentum: float) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")
    x = INPUTS[inputs]
    mean, var = torch.tensor(MEAN), torch.tensor(VAR)
    torch.nn.functional.batch_norm(torch.tensor(x), mean, var, training=True, momentum=momentum)

    assert_all_near(running_statistics(x, MEAN, VAR, momentum=momentum), (mean.numpy(), var.numpy()))


@pytest.mark.parametrize("eps", [1e-5, 0.3])
@pytest.mark.parametrize("inputs", SEQUENCES)
def test_layer_and_rms_norm_are_pytorchs(inputs: str, eps: float) -> None:
    x = SEQUENCES[inputs]
    y, g, *grads = torches(lambda F, x, *affine: F.layer_norm(x, (4,), *affine, eps=eps), x, GAMMA, BETA)
    assert_near(layer_norm(x, GAMMA, BETA, eps=eps), y)
    assert_all_near(layer_norm_vjp(x, GAMMA, BETA, g, eps=eps), tuple(grads))

    y, g, *grads = torches(lambda F, x, gamma: F.rms_norm(x, (4,), gamma, eps=eps), x, GAMMA)
    assert_near(rms_norm(x, GAMMA, eps=eps), y)
    assert_all_near(rms_norm_vjp(x, GAMMA, g, eps=eps), tuple(grads))


@pytest.mark.parametrize("num_groups", [1, 2, 4])
@pytest.mark.parametrize("inputs", ["images", "one image", "more than the cache", "sequences"])
def test_group_norm_is_pytorchs(inputs: str, num_groups: int) -> None:
    x = {**INPUTS, "sequences": np.swapaxes(SEQUENCES["sequences"], 1, 2)}[inputs]
    y, g, *grads = torches(lambda F, x, *affine: F.group_norm(x, num_groups, *affine, eps=0.3), x, GAMMA, BETA)

    assert_near(group_norm(x, GAMMA, BETA, num_groups=num_groups, eps=0.3), y)
    assert_all_near(group_norm_vjp(x, GAMMA, BETA, g, num_groups=num_groups, eps=0.3), tuple(grads))


def test_some_inputs_go_block_by_block() -> None:
    assert MANY.size > 2 * numerics.CACHED


@pytest.mark.parametrize("x", [TABLE, IMAGES], ids=["table", "images"])
def test_mean_and_variance_after_batch_norm(x: Array) -> None:
    over = (0,) if x.ndim == 2 else (0, 2, 3)
    y, v = batch_norm(x, np.ones(4), np.zeros(4), eps=0.3), np.var(x, axis=over)

    np.testing.assert_allclose(np.mean(y, axis=over), 0, atol=1e-15)
    np.testing.assert_allclose(np.var(y, axis=over), v / (v + 0.3), rtol=1e-14)


@pytest.mark.parametrize("x", [TABLE, IMAGES], ids=["table", "images"])
def test_the_gradient_of_batch_norm_sums_to_zero(x: Array) -> None:
    dx = batch_norm_vjp(x, GAMMA, BETA, np.cos(x) * 3)[0]

    np.testing.assert_allclose(np.sum(dx, axis=(0,) if x.ndim == 2 else (0, 2, 3)), 0, atol=1e-14)


def test_layer_norm_is_batch_norm_of_the_transpose() -> None:
    one, zero = np.ones(4), np.zeros(4)

    got = layer_norm(TABLE, one, zero, eps=0.3)
    assert_near(got, batch_norm(TABLE.T, np.ones(5), np.zeros(5), eps=0.3).T)
    assert_near(group_norm(TABLE, one, zero, num_groups=1, eps=0.3), got)


@pytest.mark.parametrize("dtype, ulps", [(np.float64, 16), (np.float32, 16)])
def test_a_mean_of_a_million_does_not_cancel(dtype: type[Any], ulps: int) -> None:
    mp = mpmath.MPContext()
    mp.dps = 50
    column = (1e6 + RNG.uniform(-1, 1, 37)).astype(dtype)
    numbers = [mp.mpf(float(value)) for value in column]
    mean = mp.fsum(numbers) / len(numbers)
    variance = mp.fsum((value - mean) ** 2 for value in numbers) / len(numbers)
    scale = 1 / mp.sqrt(variance + mp.mpf(1e-5))
    hats = [float((value - mean) * scale) for value in numbers]
    x = column[:, None] + np.zeros((1, 3), dtype)
    one, zero = np.ones(3, dtype), np.zeros(3, dtype)
    near = {"rtol": 0, "atol": ulps * np.finfo(dtype).eps}

    np.testing.assert_allclose(batch_norm(x, one, zero)[:, 1], hats, **near)
    np.testing.assert_allclose(layer_norm(x.T, one.repeat(13)[:37], zero.repeat(13)[:37])[1], hats, **near)
    grouped = group_norm(x.T[None], one, zero, num_groups=3)
    np.testing.assert_allclose(grouped[0, 1], hats, **near)
    unbiased = float(variance) * 37 / 36
    np.testing.assert_allclose(running_statistics(x, zero, one, momentum=1.0).running_var, unbiased, rtol=1e-5)
    dgamma = batch_norm_vjp(x, one, zero, np.abs(x - dtype(1e6)))[1]
    weighed = mp.fsum(abs(v - 1000000) * (v - mean) * scale for v in numbers)
    np.testing.assert_allclose(dgamma, float(weighed), rtol=0, atol=37 * ulps * np.finfo(dtype).eps)


CALLS: dict[str, tuple[Callable[..., Any], tuple[Array, ...], dict[str, Any]]] = {
    "batch_norm": (batch_norm, (TABLE, GAMMA, BETA), {"eps": 0.3}),
    "batch_norm, images": (batch_norm, (IMAGES, GAMMA, BETA), {"eps": 0.3}),
    "batch_norm_vjp": (batch_norm_vjp, (TABLE, GAMMA, BETA, np.cos(TABLE)), {"eps": 0.3}),
    "batch_norm_vjp, images": (batch_norm_vjp, (IMAGES, GAMMA, BETA, np.cos(IMAGES)), {"eps": 0.3}),
    "batch_norm_when_evaluating": (batch_norm_when_evaluating, (IMAGES, GAMMA, BETA, MEAN, VAR), {"eps": 0.3}),
    "batch_norm_when_evaluating_vjp": (
        batch_norm_when_evaluating_vjp,
        (IMAGES, GAMMA, BETA, MEAN, VAR, np.cos(IMAGES)),
        {"eps": 0.3},
    ),
    "running_statistics": (running_statistics, (IMAGES, MEAN, VAR), {"momentum": 0.3}),
    "layer_norm": (layer_norm, (TABLE, GAMMA, BETA), {"eps": 0.3}),
    "layer_norm_vjp": (layer_norm_vjp, (TABLE, GAMMA, BETA, np.cos(TABLE)), {"eps": 0.3}),
    "rms_norm": (rms_norm, (TABLE, GAMMA), {"eps": 0.3}),
    "rms_norm_vjp": (rms_norm_vjp, (TABLE, GAMMA, np.cos(TABLE)), {"eps": 0.3}),
    "group_norm": (group_norm, (IMAGES, GAMMA, BETA), {"num_groups": 2, "eps": 0.3}),
    "group_norm_vjp": (group_norm_vjp, (IMAGES, GAMMA, BETA, np.cos(IMAGES)), {"num_groups": 2, "eps": 0.3}),
}


def outputs(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", [name for name in CALLS if "_vjp" in name])
def test_a_gradient_belongs_to_its_own_forward(name: str) -> None:
    vjp, (*arrays, g), hyper = CALLS[name]
    f = CALLS[name.replace("_vjp", "")][0]
    grads = outputs(vjp(*arrays, g, **hyper))
    constants = arrays[len(grads) :]

    for k, grad in enumerate(grads):
        direction, h = RNG.standard_normal(arrays[k].shape), 1e-5

        def moved(by: float, k: int = k, direction: Any = direction) -> Any:
            varied = [a + by * direction if j == k else a for j, a in enumerate(arrays[: len(grads)])]
            return np.sum(f(*varied, *constants, **hyper) * g)

        assert (moved(h) - moved(-h)) / (2 * h) == pytest.approx(np.sum(grad * direction), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("name", CALLS)
def test_float32_is_kept_inputs_are_not_written_and_strides_do_not_matter(name: str) -> None:
    f, arrays, hyper = CALLS[name]
    narrow = [np.asfortranarray(np.repeat(x.astype(np.float32), 2, axis=-1))[..., ::2] for x in arrays]
    for x in narrow:
        x.flags.writeable = False

    for got, expected in zip(outputs(f(*narrow, **hyper)), outputs(f(*arrays, **hyper)), strict=True):
        assert got.dtype == np.float32
        assert not any(np.shares_memory(got, x) for x in narrow)
        assert_near(got, expected, 3e-6)


@pytest.mark.parametrize("name", CALLS)
def test_the_same_text_runs_in_other_arithmetics(name: str) -> None:
    f, arrays, hyper = CALLS[name]
    plain = outputs(f(*arrays, **hyper))
    exact, bounded, rounded = (
        outputs(
            f(
                *(lift(kind, x, "float64") for x in arrays),
                **{k: lift(kind, value, "float64") for k, value in hyper.items()},
            )
        )
        for kind in (exact_kind(50), bounded_kind("float64"), rounded_kind("float64", 0))
    )

    for got, e, b, r in zip(plain, exact, bounded, rounded, strict=True):
        error = np.abs((e.parts[0] - got).astype(float))
        assert np.isfinite(b.parts[1]).all()
        assert (error <= 0.5 * b.parts[1]).all()
        np.testing.assert_allclose(r.parts[0].mean(axis=0), got, rtol=0, atol=1e-9)


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: batch_norm(TABLE[:, :, None], GAMMA, BETA),
        ValueError,
        "x: expected shape (n, d) or (n, c, h, v), got (5, 4, 1)",
    ),
    (
        lambda: batch_norm(TABLE[:0], GAMMA, BETA),
        ValueError,
        "x: expected at least one row and one column, got shape (0, 4)",
    ),
    (lambda: batch_norm(TABLE, GAMMA[1:], BETA), ValueError, "gamma: expected shape (4,), got (3,)"),
    (lambda: batch_norm(TABLE, GAMMA, BETA[1:]), ValueError, "beta: expected shape (4,), got (3,)"),
    (
        lambda: batch_norm(TABLE, GAMMA, BETA, eps=0.0),
        ValueError,
        "eps: expected a positive finite number, got 0.0",
    ),
    (
        lambda: batch_norm(TABLE.astype(np.float32), GAMMA, BETA),
        TypeError,
        "expected one dtype for all arrays, got x float32, gamma float64, beta float64; convert them with .astype",
    ),
    (
        lambda: batch_norm_vjp(TABLE, GAMMA, BETA, TABLE[1:]),
        ValueError,
        "cotangent: expected the shape of x, (5, 4), got (4, 4)",
    ),
    (
        lambda: batch_norm_when_evaluating(TABLE, GAMMA, BETA, MEAN, -VAR),
        ValueError,
        f"running_var: expected finite values of at least 0, got {np.min(-VAR)}",
    ),
    (
        lambda: batch_norm_when_evaluating_vjp(TABLE, GAMMA, BETA, MEAN[1:], VAR, TABLE),
        ValueError,
        "running_mean: expected shape (4,), got (3,)",
    ),
    (
        lambda: running_statistics(TABLE[:1], MEAN, VAR),
        ValueError,
        "x: expected at least two values of each feature for an unbiased variance, got (1, 4)",
    ),
    (
        lambda: running_statistics(TABLE, MEAN, VAR, momentum=1.5),
        ValueError,
        "momentum: expected a number in [0, 1], got 1.5",
    ),
    (
        lambda: layer_norm(TABLE[0], GAMMA, BETA),
        ValueError,
        "x: expected shape (n, d), got (4,); write x[None] for one row",
    ),
    (lambda: layer_norm(TABLE, GAMMA, BETA[1:]), ValueError, "beta: expected shape (4,), got (3,)"),
    (lambda: layer_norm(TABLE, GAMMA, BETA, eps=-1.0), ValueError, "eps: expected a positive finite number, got -1.0"),
    (
        lambda: layer_norm_vjp(TABLE, GAMMA, BETA, TABLE[1:]),
        ValueError,
        "cotangent: expected the shape of x, (5, 4), got (4, 4)",
    ),
    (lambda: rms_norm(TABLE, GAMMA[1:]), ValueError, "gamma: expected shape (4,), got (3,)"),
    (
        lambda: rms_norm_vjp(TABLE, GAMMA, TABLE[1:]),
        ValueError,
        "cotangent: expected the shape of x, (5, 4), got (4, 4)",
    ),
    (
        lambda: group_norm(IMAGES, GAMMA, BETA, num_groups=3),
        ValueError,
        "num_groups: expected a divisor of the 4 channels, got 3",
    ),
    (
        lambda: group_norm(IMAGES, GAMMA, BETA, num_groups=0),
        ValueError,
        "num_groups: expected at least 1, got 0",
    ),
    (
        lambda: group_norm_vjp(IMAGES, GAMMA, BETA, TABLE, num_groups=2),
        ValueError,
        "cotangent: expected the shape of x, (3, 4, 2, 5), got (5, 4)",
    ),
]


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused_in_words(
    attempt: Callable[[], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
