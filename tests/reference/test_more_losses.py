"""Entropy, divergence, losses of probabilities, signs and Gaussians, squared errors, accuracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from graders.harness.arithmetic import Bounded, Rounded, exact_kind, rounded_kind
from reference import losses
from reference._types import Array
from reference.activations import softmax

MP = mpmath.MPContext()
MP.dps = 50
RNG = np.random.default_rng(13)
Z, Y = RNG.standard_normal((2, 4, 3))
V = RNG.uniform(0.2, 2.0, (4, 3))
P, Q = RNG.dirichlet(np.ones(3), (2, 4))
U, T = RNG.uniform(0.05, 0.95, (2, 4, 3))
SIGNS = np.where(Y > 0, 1.0, -1.0)
K = np.array([2, 0, 1, 1])

CALLS: dict[str, tuple[Array, ...]] = {
    "entropy": (P,),
    "kl_divergence": (P, Q),
    "sigmoid_bce": (U, T),
    "sigmoid_bce_grad": (U, T),
    "logistic_loss": (Z, SIGNS),
    "logistic_loss_grad": (Z, SIGNS),
    "squared_error": (Z, Y),
    "squared_error_grad": (Z, Y),
    "mse": (Z, Y),
    "mse_grad": (Z, Y),
    "gaussian_nll": (Z, Y, V),
    "gaussian_nll_grad": (Z, Y, V),
}


def call(name: str, arguments: tuple[Any, ...], **hyper: Any) -> Any:
    return getattr(losses, name)(*arguments, **hyper)


def leaves(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value]


def differences(f: Callable[[Array], Any], x: Array, h: float = 1e-5) -> Array:
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        gradient[i] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


def assert_close(got: Any, expected: Any) -> None:
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", ["sigmoid_bce", "logistic_loss", "squared_error"])
def test_a_loss_and_its_gradient_belong_together(name: str, reduction: str) -> None:
    x, y = CALLS[name]
    got = call(f"{name}_grad", (x, y), reduction=reduction)

    expected = differences(lambda x: call(name, (x, y), reduction=reduction), x)
    np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-8)


def test_the_mean_squared_error_and_its_gradient_belong_together() -> None:
    np.testing.assert_allclose(losses.mse_grad(Z, Y), differences(lambda z: losses.mse(z, Y), Z), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_gaussian_loss_and_its_gradients_belong_together(reduction: Any) -> None:
    grads = losses.gaussian_nll_grad(Z, Y, V, reduction=reduction)

    by_predictions = differences(lambda z: losses.gaussian_nll(z, Y, V, reduction=reduction), Z)
    by_variance = differences(lambda v: losses.gaussian_nll(Z, Y, v, reduction=reduction), V)
    np.testing.assert_allclose(grads.dpredictions, by_predictions, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(grads.dvariance, by_variance, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", ["entropy", "kl_divergence", "squared_error", "gaussian_nll"])
def test_rows_are_reduced(name: str) -> None:
    each = call(name, CALLS[name], reduction="none")

    assert each.shape == (4,)
    assert_close(call(name, CALLS[name], reduction="sum"), each.sum())
    assert_close(call(name, CALLS[name], reduction="mean"), each.sum() / 4)
    assert_close(call(name, CALLS[name]), each.sum() / (1 if name == "squared_error" else 4))


@pytest.mark.parametrize("name", ["sigmoid_bce", "logistic_loss"])
def test_entries_are_reduced(name: str) -> None:
    each = call(name, CALLS[name], reduction="none")

    assert each.shape == (4, 3)
    assert_close(call(name, CALLS[name], reduction="sum"), each.sum())
    assert_close(call(name, CALLS[name]), each.sum() / 12)


def test_how_the_losses_hang_together() -> None:
    assert_close(losses.cross_entropy(P, Q), losses.entropy(P) + losses.kl_divergence(P, Q))
    assert_close(losses.entropy(np.full((2, 5), 0.2)), np.log(5))
    assert_close(losses.sigmoid_bce(1 / (1 + np.exp(-Z)), T), losses.bce_with_logits(Z, T))
    assert_close(losses.logistic_loss(Z, SIGNS), losses.bce_with_logits(Z, (1 + SIGNS) / 2))
    assert_close(losses.logistic_loss_grad(Z, SIGNS), losses.bce_with_logits_grad(Z, (1 + SIGNS) / 2))
    assert_close(losses.squared_error(Z, Y), 2 * losses.half_squared_error(Z, Y, reduction="sum"))
    assert_close(losses.squared_error_grad(Z, Y, reduction="mean"), 2 * losses.half_squared_error_grad(Z, Y))
    assert_close(losses.mse(Z, Y), losses.squared_error(Z, Y) / 12)
    assert_close(losses.gaussian_nll(Z, Y, np.ones_like(Z)), losses.half_squared_error(Z, Y))
    assert_close(losses.gaussian_nll_grad(Z, Y, np.ones_like(Z)).dpredictions, losses.half_squared_error_grad(Z, Y))
    assert_close(losses.gaussian_nll(Z, Y, V, full=True) - losses.gaussian_nll(Z, Y, V), 1.5 * np.log(2 * np.pi))
    assert_close(
        losses.gaussian_nll_grad(Z, Y, (Z - Y) ** 2).dvariance, 0
    )  # the likeliest variance is the squared error


def test_the_gaussian_loss_is_minus_the_log_of_the_density() -> None:
    density = np.prod(np.exp(-((Y - Z) ** 2) / (2 * V)) / np.sqrt(2 * np.pi * V), axis=1)

    assert_close(losses.gaussian_nll(Z, Y, V, full=True, reduction="none"), -np.log(density))


def test_the_gradient_of_the_divergence_by_logits_is_that_of_the_cross_entropy() -> None:
    expected = differences(lambda z: losses.kl_divergence(P, softmax(z)), Z)

    np.testing.assert_allclose(losses.softmax_cross_entropy_grad(Z, P), expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", CALLS)
def test_fifty_digits_say_the_same(name: str) -> None:
    exact = call(name, tuple(exact_kind(50).of(x, "float64") for x in CALLS[name]))

    for got, lifted in zip(leaves(call(name, CALLS[name])), leaves(exact), strict=True):
        np.testing.assert_allclose(got, lifted.parts[0].astype(float), rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("name", CALLS)
def test_the_other_arithmetics_take_it(name: str) -> None:
    kinds: list[Any] = [Bounded, rounded_kind("float64", 1)]
    for kind in kinds:
        lifted = call(name, tuple(kind.of(x, "float64") for x in CALLS[name]))
        for got, part in zip(leaves(call(name, CALLS[name])), leaves(lifted), strict=True):
            value = part.parts[0].mean(axis=0) if issubclass(kind, Rounded) else part.parts[0]
            np.testing.assert_allclose(value, got, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept_and_nothing_is_written(name: str, dtype: type[Any]) -> None:
    arguments = tuple(np.repeat(np.asfortranarray(x.astype(dtype)), 2, axis=1)[:, ::2] for x in CALLS[name])
    for x in arguments:
        x.flags.writeable = False

    for got, expected in zip(leaves(call(name, arguments)), leaves(call(name, CALLS[name])), strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-6)
        assert not any(np.shares_memory(got, x) for x in arguments)


@pytest.mark.parametrize("distance", [1e-2, 1e-5, 1e-9])
def test_a_small_divergence_does_not_cancel(distance: float) -> None:
    q = P * (1 + distance * RNG.standard_normal(P.shape))
    q = q / q.sum(axis=1, keepdims=True)
    lifted: Any = losses.kl_divergence(*(exact_kind(50).of(x, "float64") for x in (P, q)), reduction="none")  # type: ignore[arg-type]

    np.testing.assert_allclose(
        losses.kl_divergence(P, q, reduction="none"), lifted.parts[0].astype(float), rtol=0, atol=1e-15 * distance
    )


def test_zeros_of_distributions() -> None:
    assert losses.entropy(np.array([[1.0, 0.0]])) == 0
    assert losses.kl_divergence(np.array([[0.5, 0.5]]), np.array([[0.0, 1.0]])) == np.inf
    assert losses.kl_divergence(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]])) == 0
    assert losses.kl_divergence(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])) == np.inf
    tiny = np.array([[np.float32(1e-40), np.float32(1)]])  # its quotients overflow
    assert losses.kl_divergence(tiny[:, ::-1], tiny) == pytest.approx(40 * np.log(10), rel=1e-4)


def test_certain_answers() -> None:
    sure, y = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])

    np.testing.assert_array_equal(losses.sigmoid_bce(sure, y, reduction="none"), [0, 0, np.inf, np.inf])
    np.testing.assert_array_equal(losses.sigmoid_bce_grad(sure, y, reduction="sum"), [1, -1, -np.inf, np.inf])


@pytest.mark.parametrize("x", [-700.3, -30.1, -17.0, -1e-3, 0.0, 0.3, 17.0, 30.1, 1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_logistic_loss_keeps_its_tail(x: float, dtype: type[Any]) -> None:
    z = np.array([x], dtype)
    exact = MP.mpf(float(z[0]))

    tiny = np.finfo(dtype).tiny
    np.testing.assert_allclose(
        losses.logistic_loss(-z, -np.ones_like(z)), float(MP.log1p(MP.exp(-exact))), rtol=1e-6, atol=tiny
    )
    np.testing.assert_allclose(
        losses.logistic_loss_grad(z, np.ones_like(z)), float(-1 / (1 + MP.exp(exact))), rtol=1e-6, atol=tiny
    )


def test_a_square_over_a_variance_does_not_overflow_on_the_way() -> None:
    z, v = np.array([[1e30]], np.float32), np.array([[1e38]], np.float32)
    zero = np.zeros_like(z)

    assert losses.gaussian_nll(z, zero, v) == pytest.approx(0.5e22 + 0.5 * np.log(1e38), rel=1e-6)


def test_the_label_is_the_first_of_the_largest() -> None:
    z = np.array([[0.1, 0.7, 0.7], [0.4, 0.4, 0.4], [-3.0, -2.0, -np.inf], [0.0, -1.0, 2.0]])

    np.testing.assert_array_equal(losses.predict_label(z), [1, 0, 1, 2])
    np.testing.assert_array_equal(losses.predict_label(softmax(Z)), losses.predict_label(Z))
    assert losses.predict_label(z).dtype.kind == "i"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_accuracy_is_the_share_of_right_labels(dtype: type[Any]) -> None:
    z = np.array([[0.1, 0.7, 0.7], [0.4, 0.4, 0.4], [-3.0, -2.0, -5.0], [0.0, -1.0, 2.0]], dtype)

    assert losses.accuracy(z, np.array([1, 0, 1, 2])) == 1
    assert losses.accuracy(z, np.array([2, 1, 1, 2])) == 0.5
    assert losses.accuracy(z, np.array([2, 1, 1, 2])).dtype == dtype


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_they_are_pytorchs(torch: Any, reduction: Any) -> None:
    f, of = torch.nn.functional, torch.tensor

    rows = "batchmean" if reduction == "mean" else reduction
    divergence = f.kl_div(of(Q).log(), of(P), reduction=rows)
    got = losses.kl_divergence(P, Q, reduction=reduction)
    assert_close(got, divergence.sum(dim=1) if reduction == "none" else divergence)
    assert_close(
        losses.sigmoid_bce(U, T, reduction=reduction), f.binary_cross_entropy(of(U), of(T), reduction=reduction)
    )
    assert_close(
        losses.logistic_loss(Z, SIGNS, reduction=reduction), f.soft_margin_loss(of(Z), of(SIGNS), reduction=reduction)
    )
    squares = f.mse_loss(of(Z), of(Y), reduction="none").sum(dim=1).numpy()
    assert_close(
        losses.squared_error(Z, Y, reduction=reduction),
        squares if reduction == "none" else getattr(np, reduction)(squares),
    )
    for full in (False, True):
        each = f.gaussian_nll_loss(of(Z), of(Y), of(V), full=full, reduction="none").sum(dim=1).numpy()
        assert_close(
            losses.gaussian_nll(Z, Y, V, full=full, reduction=reduction),
            each if reduction == "none" else getattr(np, reduction)(each),
        )
    assert_close(losses.mse(Z, Y), f.mse_loss(of(Z), of(Y)))


def test_their_gradients_are_pytorchs(torch: Any) -> None:
    f = torch.nn.functional
    x, y, v, u, t, s = (torch.tensor(a, requires_grad=True) for a in (Z, Y, V, U, T, SIGNS))
    f.binary_cross_entropy(u, t.detach()).backward()
    assert_close(losses.sigmoid_bce_grad(U, T), u.grad)
    f.gaussian_nll_loss(x, y.detach(), v, reduction="sum").backward()
    grads = losses.gaussian_nll_grad(Z, Y, V, reduction="sum")
    assert_close(grads.dpredictions, x.grad)
    assert_close(grads.dvariance, v.grad)
    x.grad = None
    f.soft_margin_loss(x, s.detach()).backward()
    assert_close(losses.logistic_loss_grad(Z, SIGNS), x.grad)


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: losses.entropy(U),
        ValueError,
        f"p[{np.argmax(abs(U.sum(axis=1) - 1))}]: expected probabilities with sum 1, got sum "
        f"{U[np.argmax(abs(U.sum(axis=1) - 1))].sum():.12g}; divide by the sum",
    ),
    (
        lambda: losses.kl_divergence(P, Q[:2]),
        ValueError,
        "q: expected the shape of p, (4, 3), got (2, 3)",
    ),
    (
        lambda: losses.sigmoid_bce(Z * 9, T),
        ValueError,
        f"probabilities: expected values in [0, 1], got {(Z * 9)[(Z < 0) | (Z * 9 > 1)][0]}",
    ),
    (
        lambda: losses.sigmoid_bce_grad(U, T, reduction="none"),  # type: ignore[arg-type]
        ValueError,
        'reduction: expected "mean" or "sum", got \'none\'',
    ),
    (
        lambda: losses.logistic_loss(Z, T.round()),
        ValueError,
        "signs: expected labels of -1 or 1, got 0.0; from labels of 0 and 1 write 2 * labels - 1",
    ),
    (
        lambda: losses.logistic_loss_grad(Z, SIGNS.astype(np.float32)),
        TypeError,
        "expected one dtype for all arrays, got logits float64, signs float32; convert them with .astype",
    ),
    (
        lambda: losses.mse(Z[:0], Y[:0]),
        ValueError,
        "predictions: expected at least one row and one column, got shape (0, 3)",
    ),
    (
        lambda: losses.squared_error(Z[0], Y[0]),
        ValueError,
        "predictions: expected shape (n, d), got (3,)",
    ),
    (
        lambda: losses.gaussian_nll(Z, Y, 0 * V),
        ValueError,
        "variance: expected positive finite values, got 0.0",
    ),
    (
        lambda: losses.gaussian_nll_grad(Z, Y, V * np.nan),
        ValueError,
        "variance: expected positive finite values, got nan",
    ),
    (
        lambda: losses.predict_label(np.array([[0.0, np.nan]])),
        ValueError,
        "logits[0, 1]: expected a number, got nan",
    ),
    (
        lambda: losses.accuracy(Z, K + 1),
        ValueError,
        "labels[0]: expected a class in 0..2, got 3; classes count from zero",
    ),
]


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused(attempt: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
