"""Penalties, decay, ridge, dropout, early stopping and bounds on norms."""

from __future__ import annotations

import doctest
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from graders.harness.arithmetic import exact_kind
from reference import regularization
from reference._types import Array
from reference.layers import AffineGrads
from reference.optimizers import sgd

RNG = np.random.default_rng(19)
W, X, Y = RNG.standard_normal((3, 2)), RNG.standard_normal((5, 3)), RNG.standard_normal((5, 2))
G = RNG.standard_normal((3, 2))
MASK = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])

CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "l2_penalty": ((W,), {}),
    "l2_penalty_grad": ((W,), {}),
    "l1_penalty": ((W,), {}),
    "l1_penalty_grad": ((W,), {}),
    "weight_decay_step": ((W, G), {"lr": 0.3, "l2": 0.4}),
    "ridge_objective": ((W, X, Y), {"l2": 0.7}),
    "ridge_objective_grad": ((W, X, Y), {"l2": 0.7}),
    "dropout": ((W, MASK), {"p": 0.3}),
    "dropout_vjp": ((W, MASK, G), {"p": 0.3}),
    "max_norm": ((W,), {"max_norm": 0.8}),
}


def call(name: str, arguments: Any, hyper: Any) -> Any:
    return getattr(regularization, name)(*arguments, **hyper)


def differences(f: Callable[[Array], Any], x: Array, h: float = 1e-5) -> Array:
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        gradient[i] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


def test_the_examples_in_the_docstrings_run() -> None:
    result = doctest.testmod(regularization)

    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept_and_nothing_is_written(name: str, dtype: type[Any]) -> None:
    arguments, hyper = CALLS[name]
    given = [np.repeat(np.asfortranarray(x.astype(dtype)), 2, axis=1)[:, ::2] for x in arguments]
    for x in given:
        x.flags.writeable = False
    got = call(name, given, hyper)

    assert got.dtype == dtype
    np.testing.assert_allclose(got, call(name, arguments, hyper), rtol=1e-5, atol=1e-6)
    assert not any(np.shares_memory(got, x) for x in given)


@pytest.mark.parametrize("name", CALLS)
def test_fifty_digits_say_the_same(name: str) -> None:
    arguments, hyper = CALLS[name]
    lift = exact_kind(50).of
    exact = call(
        name, [lift(x, "float64") for x in arguments], {key: lift(value, "float64") for key, value in hyper.items()}
    )

    np.testing.assert_allclose(call(name, arguments, hyper), exact.parts[0].astype(float), rtol=1e-13)


@pytest.mark.parametrize("name", ["l2_penalty", "l1_penalty"])
def test_a_penalty_and_its_gradient_belong_together(name: str) -> None:
    f, grad = getattr(regularization, name), getattr(regularization, f"{name}_grad")

    np.testing.assert_allclose(grad(W), differences(f, W), rtol=1e-7)


def test_the_ridge_objective_and_its_gradient_belong_together() -> None:
    got = regularization.ridge_objective_grad(W, X, Y, l2=0.7)

    expected = differences(lambda w: regularization.ridge_objective(w, X, Y, l2=0.7), W)
    np.testing.assert_allclose(got, expected, rtol=1e-7)


def test_the_gradient_is_zero_at_the_ridge_solution() -> None:
    solution = np.linalg.solve(X.T @ X / 5 + 0.7 * np.eye(3), X.T @ Y / 5)

    np.testing.assert_allclose(regularization.ridge_objective_grad(solution, X, Y, l2=0.7), 0, atol=1e-14)


def test_ridge_shrinks_by_v_over_v_and_l2() -> None:
    """One feature of second moment v leaves v/(v + l2) of the least-squares weight: scale matters."""
    for scale in (1.0, 1000.0):
        x, y = scale * X[:, :1], Y[:, :1]
        v = np.mean(x**2)
        shrunk = v / (v + 0.7) * np.linalg.lstsq(x, y, rcond=None)[0]
        np.testing.assert_allclose(regularization.ridge_objective_grad(shrunk, x, y, l2=0.7), 0, atol=1e-10 * scale)


def test_a_decay_step_is_a_step_on_the_penalised_loss() -> None:
    got = regularization.weight_decay_step(W, G, lr=0.3, l2=0.4)

    np.testing.assert_allclose(got, sgd(W, G + 0.4 * regularization.l2_penalty_grad(W), lr=0.3), rtol=1e-14)


def test_the_decay_unrolled() -> None:
    grads = RNG.standard_normal((6, 3, 2))
    w: Array = W
    for g in grads:
        w = regularization.weight_decay_step(w, g, lr=0.3, l2=0.4)

    kept = 1 - 2 * 0.3 * 0.4
    expected = kept**6 * W - 0.3 * sum(kept ** (5 - i) * g for i, g in enumerate(grads))
    np.testing.assert_allclose(w, expected, rtol=1e-13)


def test_at_zero_the_subgradient_is_zero() -> None:
    np.testing.assert_array_equal(regularization.l1_penalty_grad(np.array([0.0, -0.0])), [0, 0])


def test_dropout_is_linear_with_its_own_vjp_as_adjoint() -> None:
    forward = regularization.dropout(W, MASK, p=0.3)
    backward = regularization.dropout_vjp(W, MASK, G, p=0.3)

    np.testing.assert_allclose(np.sum(forward * G), np.sum(W * backward), rtol=1e-14)
    np.testing.assert_allclose(forward[MASK == 0], 0)
    np.testing.assert_allclose(forward[MASK == 1], W[MASK == 1] / 0.7)


def test_in_use_dropout_does_nothing() -> None:
    for got, given in (
        (regularization.dropout(W, MASK, p=0.3, training=False), W),
        (regularization.dropout_vjp(W, MASK, G, p=0.3, training=False), G),
    ):
        np.testing.assert_array_equal(got, given)
        assert not np.shares_memory(got, given)


def test_nothing_is_dropped_with_probability_zero() -> None:
    mask = regularization.dropout_mask(X, np.random.default_rng(0), p=0.0)

    np.testing.assert_array_equal(mask, 1)
    np.testing.assert_array_equal(regularization.dropout(X, mask, p=0.0), X)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_masks_drop_with_probability_p_each_entry_by_itself(p: float) -> None:
    """Means, and the covariances of neighbours, within six standard deviations: one false alarm in 5e8."""
    n = 400
    mask = regularization.dropout_mask(np.zeros((n, n)), np.random.default_rng(1), p=p)

    assert set(np.unique(mask)) == {0.0, 1.0}
    assert abs(mask.mean() - (1 - p)) < 6 * np.sqrt(p * (1 - p)) / n
    centered = mask - (1 - p)
    for neighbours in (centered[1:] * centered[:-1], centered[:, 1:] * centered[:, :-1]):
        assert abs(neighbours.mean()) < 6 * p * (1 - p) / n


def test_dropout_keeps_the_mean_and_adds_the_stated_variance() -> None:
    x, p, n = np.array([2.0, -3.0]), 0.3, 100_000
    generator = np.random.default_rng(2)
    many = np.broadcast_to(x, (n, 2))
    y = regularization.dropout(many, regularization.dropout_mask(many, generator, p=p), p=p)

    variance = x**2 * p / (1 - p)
    assert np.all(np.abs(y.mean(axis=0) - x) < 6 * np.sqrt(variance / n))
    np.testing.assert_allclose(y.var(axis=0), variance, rtol=0.02)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_seed_gives_one_mask_in_both_dtypes(dtype: type[Any]) -> None:
    mask = regularization.dropout_mask(X.astype(dtype), np.random.default_rng(3), p=0.4)

    assert mask.dtype == dtype
    np.testing.assert_array_equal(mask, regularization.dropout_mask(X, np.random.default_rng(3), p=0.4))


def stopped(losses: list[float], patience: int) -> tuple[int, float, int]:
    best = regularization.early_stopping(((loss, i) for i, loss in enumerate(losses)), patience=patience)
    assert best.params == best.epoch
    return best.epoch, best.loss, best.epochs


@pytest.mark.parametrize(
    "losses, patience, expected",
    [
        ([0.9, 0.5, 0.7, 0.6, 0.1], 2, (1, 0.5, 4)),  # stopped before the last and lowest
        ([0.9, 0.5, 0.7, 0.6, 0.1], 3, (4, 0.1, 5)),
        ([0.9, 0.5, 0.7, 0.4, 0.6], 2, (3, 0.4, 5)),  # the history ends first
        ([0.9, 0.8, 0.7], 1, (2, 0.7, 3)),
        ([0.5, 0.5, 0.5], 2, (0, 0.5, 3)),  # as low is no new low
        ([0.5, float("nan"), 0.4], 2, (2, 0.4, 3)),
        ([float("nan"), 0.4], 2, (1, 0.4, 2)),
        ([-1.0], 1, (0, -1.0, 1)),
    ],
)
def test_early_stopping_keeps_the_best_epoch(
    losses: list[float], patience: int, expected: tuple[int, float, int]
) -> None:
    assert stopped(losses, patience) == expected


@pytest.mark.parametrize("seed", range(20))
def test_early_stopping_finds_the_smallest_of_what_it_reads(seed: int) -> None:
    random = np.random.default_rng(seed)
    losses, patience = list(random.integers(0, 9, 30).astype(float)), int(random.integers(1, 6))
    epoch, loss, epochs = stopped(losses, patience)

    assert epoch == int(np.argmin(losses[:epochs]))
    assert loss == min(losses[:epochs])
    assert epochs == min(30, epoch + 1 + patience)


def test_a_loop_that_writes_into_its_own_weights_does_not_change_the_best_copy() -> None:
    trained = []

    def training() -> Iterator[tuple[float, dict[str, Array]]]:
        weights: dict[str, Array] = {"W": np.zeros(2)}
        for epoch, loss in enumerate([3.0, 1.0, 2.0, 2.5, 0.0]):
            trained.append(epoch)
            weights["W"] += 1
            yield loss, weights

    best = regularization.early_stopping(training(), patience=2)

    np.testing.assert_array_equal(best.params["W"], [2, 2])
    assert trained == [0, 1, 2, 3]  # and no further


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e30, 1e200])
def test_no_column_is_longer_than_the_bound_and_short_ones_stay(scale: float) -> None:
    w = scale * np.array([[3.0, 0.3, 0.0], [4.0, 0.4, 0.0]])
    got = regularization.max_norm(w, max_norm=2.5 * scale)

    np.testing.assert_allclose(got, scale * np.array([[1.5, 0.3, 0.0], [2.0, 0.4, 0.0]]), rtol=1e-14)


@pytest.mark.parametrize("bound", [1.0, 1e90])
def test_the_square_of_a_long_column_does_not_overflow(bound: float) -> None:
    got = regularization.max_norm(np.array([[3e200], [4e200]]), max_norm=bound)

    np.testing.assert_allclose(got, bound * np.array([[0.6], [0.8]]), rtol=1e-14)


def test_max_norm_is_idempotent_and_keeps_directions() -> None:
    once = regularization.max_norm(W, max_norm=0.5)

    np.testing.assert_allclose(np.linalg.norm(once, axis=0), 0.5, rtol=1e-14)
    np.testing.assert_allclose(regularization.max_norm(once, max_norm=0.5), once, rtol=1e-14)
    np.testing.assert_allclose(once / 0.5, W / np.linalg.norm(W, axis=0), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_all_gradients_are_clipped_as_one_vector(dtype: type[Any], scale: float) -> None:
    grads = AffineGrads(*(scale * x.astype(dtype) for x in (W, G, X)))
    norm = scale * np.sqrt(np.sum(W**2) + np.sum(G**2) + np.sum(X**2))
    got = regularization.clip_by_global_norm(grads, max_norm=0.25 * float(norm))

    for clipped, g in zip(got, grads, strict=True):
        np.testing.assert_allclose(clipped, 0.25 * g, rtol=1e-6)
        assert clipped.dtype == dtype


def test_short_gradients_are_not_clipped() -> None:
    grads = (W, np.zeros(2))

    for got, g in zip(regularization.clip_by_global_norm(grads, max_norm=1e3), grads, strict=True):
        np.testing.assert_array_equal(got, g)
        assert not np.shares_memory(got, g)


def test_clipping_in_fifty_digits() -> None:
    lift = exact_kind(50).of
    exact: Any = regularization.clip_by_global_norm(
        (lift(W, "float64"), lift(X, "float64")),  # type: ignore[arg-type]
        max_norm=lift(0.7, "float64"),  # type: ignore[arg-type]
    )

    for got, part in zip(regularization.clip_by_global_norm((W, X), max_norm=0.7), exact, strict=True):
        np.testing.assert_allclose(got, part.parts[0].astype(float), rtol=1e-14)


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")


def test_they_are_pytorchs(torch: Any) -> None:
    w = torch.tensor(W, requires_grad=True)
    w.grad = torch.tensor(G)
    torch.optim.SGD([w], lr=0.3, weight_decay=2 * 0.4).step()
    np.testing.assert_allclose(regularization.weight_decay_step(W, G, lr=0.3, l2=0.4), w.detach().numpy(), rtol=1e-14)

    np.testing.assert_allclose(
        regularization.max_norm(W, max_norm=0.8), torch.renorm(torch.tensor(W), 2, 1, 0.8).numpy(), rtol=1e-6
    )  # PyTorch divides by the norm + 1e-7

    parameters = [torch.tensor(a, requires_grad=True) for a in (W, X)]
    for parameter, g in zip(parameters, (W, X), strict=True):
        parameter.grad = torch.tensor(g)
    torch.nn.utils.clip_grad_norm_(parameters, 0.7)
    for got, parameter in zip(regularization.clip_by_global_norm((W, X), max_norm=0.7), parameters, strict=True):
        np.testing.assert_allclose(got, parameter.grad.numpy(), rtol=1e-6)  # the norm + 1e-6 there


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: regularization.l2_penalty(np.array([1, 2])),
        TypeError,
        "w: expected dtype float32 or float64, got int64; write w.astype(np.float64)",
    ),
    (
        lambda: regularization.weight_decay_step(W, G.T, lr=0.1, l2=0.1),
        ValueError,
        "grad: expected the shape of params, (3, 2), got (2, 3)",
    ),
    (
        lambda: regularization.ridge_objective(W, X, Y[:3]),
        ValueError,
        "targets: expected shape (5, 2), got (3, 2)",
    ),
    (
        lambda: regularization.ridge_objective(W, X[:0], Y[:0]),
        ValueError,
        "x: expected at least one row and one column, got shape (0, 3)",
    ),
    (
        lambda: regularization.ridge_objective_grad(W, X, Y, l2=-1.0),
        ValueError,
        "l2: expected a finite number of at least 0, got -1.0",
    ),
    (
        lambda: regularization.dropout(W, MASK, p=1.0),
        ValueError,
        "p: expected a number in [0, 1), got 1.0",
    ),
    (
        lambda: regularization.dropout(W, MASK / 0.7, p=0.3),
        ValueError,
        f"mask: expected zeros (dropped) and ones (kept), got {1 / 0.7}",
    ),
    (
        lambda: regularization.dropout_vjp(W, MASK, G[0], p=0.3),
        ValueError,
        "cotangent: expected the shape of x, (3, 2), got (2,)",
    ),
    (
        lambda: regularization.dropout_mask(W, 7, p=0.3),  # type: ignore[arg-type]
        TypeError,
        "generator: expected a numpy.random.Generator, got int; write np.random.default_rng(seed)",
    ),
    (
        lambda: regularization.early_stopping([], patience=2),
        ValueError,
        "history: expected a finite loss among the first 2 epochs, got 0 without one",
    ),
    (
        lambda: regularization.early_stopping([(float("nan"), 0)] * 5, patience=2),
        ValueError,
        "history: expected a finite loss among the first 2 epochs, got 2 without one",
    ),
    (
        lambda: regularization.early_stopping([(0.5, 0)], patience=0),
        ValueError,
        "patience: expected at least 1, got 0",
    ),
    (
        lambda: regularization.max_norm(W, max_norm=0.0),
        ValueError,
        "max_norm: expected a positive finite number, got 0.0",
    ),
    (
        lambda: regularization.clip_by_global_norm([], max_norm=1.0),
        ValueError,
        "grads: expected at least one array, got an empty sequence",
    ),
    (
        lambda: regularization.clip_by_global_norm([W, X.astype(np.float32)], max_norm=1.0),
        TypeError,
        "expected one dtype for all arrays, got grads[0] float64, grads[1] float32; convert them with .astype",
    ),
]  # fmt: skip


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused(attempt: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
