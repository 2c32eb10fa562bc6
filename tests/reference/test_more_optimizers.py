"""Nesterov, AdamW, Adamax and Lion as whole trajectories, and the schedules as functions of the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from graders.harness.arithmetic import exact_kind
from reference import optimizers
from reference._types import Array
from reference.optimizers import AdamaxState, AdamState, LionState, MomentumState

RNG = np.random.default_rng(17)
THETA, GRADS = RNG.standard_normal(6), RNG.standard_normal((8, 6))
ZERO = np.zeros(6)

STEPS: dict[str, tuple[Any, dict[str, Any]]] = {
    "nesterov": (MomentumState(ZERO), {"lr": 0.3, "momentum": 0.6}),
    "adamw": (AdamState(0, ZERO, ZERO), {"lr": 0.3, "betas": (0.5, 0.7), "eps": 0.1, "weight_decay": 0.4}),
    "adamax": (AdamaxState(0, ZERO, ZERO), {"lr": 0.3, "betas": (0.5, 0.7), "eps": 0.1}),
    "lion": (LionState(ZERO), {"lr": 0.3, "betas": (0.5, 0.7), "weight_decay": 0.4}),
}


def run(name: str, theta: Any, state: Any, grads: Any, **hyper: Any) -> tuple[Any, Any]:
    for g in grads:
        theta, state = getattr(optimizers, name)(theta, g, state, **hyper)
    return theta, state


def lifted(value: Any) -> Any:
    if isinstance(value, tuple):
        parts = [lifted(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value if isinstance(value, int) else exact_kind(50).of(value, "float64")


def assert_close(got: Any, expected: Any) -> None:
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", STEPS)
def test_the_unrolled_sums(name: str) -> None:
    """The trajectories of the derivations: what every gradient has done by now, written as sums."""
    state, hyper = STEPS[name]
    theta, _ = run(name, THETA, state, GRADS, **hyper)
    lr, (b1, b2) = hyper["lr"], hyper.get("betas", (0, 0))
    mu, kept = hyper.get("momentum", 0), 1 - lr * hyper.get("weight_decay", 0)

    def average(beta: float, values: Any, t: int) -> Any:
        return sum((1 - beta) * beta ** (t - 1 - i) * values[i] for i in range(t))

    expected: Any = kept ** len(GRADS) * THETA
    for t in range(1, len(GRADS) + 1):
        if name == "nesterov":
            velocity = -lr * sum(mu ** (t - 1 - i) * GRADS[i] for i in range(t))
            step = mu * velocity - lr * GRADS[t - 1]
        elif name == "adamw":
            m_hat = average(b1, GRADS, t) / (1 - b1**t)
            v_hat = average(b2, GRADS**2, t) / (1 - b2**t)
            step = -lr * m_hat / (np.sqrt(v_hat) + 0.1)
        elif name == "adamax":
            largest = np.max([b2 ** (t - 1 - i) * (np.abs(GRADS[i]) + 0.1) for i in range(t)], axis=0)
            step = -lr / (1 - b1**t) * average(b1, GRADS, t) / largest
        else:
            step = -lr * np.sign(b1 * average(b2, GRADS, t - 1) + (1 - b1) * GRADS[t - 1])
        expected = expected + kept ** (len(GRADS) - t) * step
    assert_close(theta, expected)


def test_nesterov_is_sutskevers_from_the_point_ahead() -> None:
    """θ' ← θ' + v with the gradient taken at θ' + μ v, on a quadratic: our parameters are the point ahead."""
    curvature, mu, lr = np.linspace(0.2, 1.5, 6), 0.6, 0.3
    theirs, v = THETA, ZERO
    ours: Array = THETA
    state = MomentumState(ZERO)
    for _ in range(10):
        v = mu * v - lr * curvature * (theirs + mu * v)
        theirs = theirs + v
        ours, state = optimizers.nesterov(ours, curvature * ours, state, lr=lr, momentum=mu)

    assert_close(ours, theirs + mu * v)
    assert_close(state.velocity, v)


def test_adamw_without_decay_is_adam_and_with_it_is_not_adam_with_a_penalty() -> None:
    state, hyper = STEPS["adamw"]
    adam = {k: v for k, v in hyper.items() if k != "weight_decay"}

    np.testing.assert_array_equal(
        run("adamw", THETA, state, GRADS, **adam, weight_decay=0.0)[0], run("adam", THETA, state, GRADS, **adam)[0]
    )
    decayed, _ = optimizers.adamw(THETA, GRADS[0], state, **hyper)
    penalised, _ = optimizers.adam(THETA, GRADS[0] + 0.4 * THETA, state, **adam)
    assert np.abs(decayed - penalised).max() > 0.01


def test_lion_moves_every_parameter_by_lr() -> None:
    theta, _ = optimizers.lion(THETA, GRADS[0], LionState(GRADS[1]), lr=0.3)
    still, _ = optimizers.lion(THETA, ZERO, LionState(ZERO), lr=0.3)

    assert_close(np.abs(theta - THETA), np.full(6, 0.3))
    np.testing.assert_array_equal(still, THETA)


@pytest.mark.parametrize("beta", [0.9, 1 - 1e-12])
def test_adamax_does_not_cancel_at_a_beta_near_one(beta: float) -> None:
    g = np.array([0.7])
    state = AdamaxState(2, 2 * (1 - beta) * g, g)
    theta, after = optimizers.adamax(np.zeros(1), g, state, lr=1.0, betas=(beta, 0.5), eps=1e-30)

    with mpmath.workdps(50):
        exact = mpmath.mpf(float(after.m[0])) / (1 - mpmath.mpf(beta) ** 3) / mpmath.mpf(0.7)
    assert -theta[0] == pytest.approx(float(exact), rel=1e-15, abs=0)


@pytest.mark.parametrize("name", STEPS)
def test_fifty_digits_say_the_same(name: str) -> None:
    state, hyper = STEPS[name]
    theta, _ = run(name, THETA, state, GRADS, **hyper)
    exact, _ = run(
        name, lifted(THETA), lifted(state), [lifted(g) for g in GRADS], **{k: lifted(v) for k, v in hyper.items()}
    )

    assert_close(theta, exact.parts[0].astype(float))


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept_and_nothing_is_written(name: str, dtype: type[Any]) -> None:
    def given(x: Any) -> Any:
        kept = np.repeat(np.asarray(x, dtype), 2)[::2]
        kept.flags.writeable = False
        return kept

    fresh, hyper = STEPS[name]
    state = type(fresh)(*(x if isinstance(x, int) else given(np.abs(GRADS[7])) for x in fresh))
    wide = type(fresh)(*(x if isinstance(x, int) else np.abs(GRADS[7]) for x in fresh))
    theta, after = run(name, given(THETA), state, [given(g) for g in GRADS[:3]], **hyper)

    assert all(x.dtype == dtype for x in (theta, *after) if not isinstance(x, int))
    np.testing.assert_allclose(theta, run(name, THETA, wide, GRADS[:3], **hyper)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", STEPS)
def test_permuted_parameters_are_stepped_alike(name: str) -> None:
    state, hyper = STEPS[name]
    order = RNG.permutation(6)

    theta, _ = run(name, THETA, state, GRADS, **hyper)
    permuted, _ = run(name, THETA[order], state, GRADS[:, order], **hyper)
    np.testing.assert_array_equal(permuted, theta[order])


def test_the_lr_falls_in_steps() -> None:
    got = [optimizers.step_lr(step, lr=0.8, step_size=3, gamma=0.5) for step in range(8)]

    assert got == [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]


def test_the_lr_falls_by_one_factor() -> None:
    got = [optimizers.exponential_lr(step, lr=0.8, gamma=0.7) for step in range(5)]

    np.testing.assert_allclose(np.array(got[1:]) / got[:-1], 0.7, rtol=1e-15)
    assert got[0] == 0.8


def test_the_lr_falls_along_a_cosine_and_rises_again() -> None:
    got = [optimizers.cosine_lr(step, lr=0.8, T_max=10, eta_min=0.2) for step in range(31)]

    np.testing.assert_allclose(got, 0.2 + 0.3 * (1 + np.cos(np.pi * np.arange(31) / 10)), rtol=1e-14)
    assert got[10] == got[30] == 0.2
    assert got[0] == got[20] == 0.8


def test_the_end_of_a_cosine_does_not_cancel() -> None:
    for steps in (999_999, 1_000_001, 2_999_999):
        got = optimizers.cosine_lr(steps, lr=1.0, T_max=1_000_000)
        assert got == pytest.approx(float(mpmath.sin(mpmath.pi / 2_000_000) ** 2), rel=1e-15, abs=0)


def test_the_lr_warms_up_on_a_line() -> None:
    got = [optimizers.warmup_lr(step, lr=0.8, total_iters=4, start_factor=0.5) for step in range(7)]

    np.testing.assert_allclose(got, [0.4, 0.5, 0.6, 0.7, 0.8, 0.8, 0.8], rtol=1e-15)


def test_every_optimizer_takes_the_first_step_of_a_warm_up() -> None:
    first = optimizers.warmup_lr(0, lr=0.75)

    assert first == 0.25
    np.testing.assert_array_equal(optimizers.sgd(THETA, THETA, lr=first), 0.75 * THETA)


def test_the_sum_of_a_gradients_weights_falls_on_a_line() -> None:
    got = np.array([optimizers.momentum_decay(step, momentum=0.9, total_iters=5) for step in range(8)])

    np.testing.assert_allclose(got / (1 - got), 9 * np.maximum(1 - np.arange(8) / 5, 0), rtol=1e-14)
    assert got[0] == 0.9


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")


@pytest.mark.parametrize("name, other", [("nesterov", "SGD"), ("adamw", "AdamW"), ("adamax", "Adamax")])
def test_eight_steps_are_pytorchs(torch: Any, name: str, other: str) -> None:
    state, hyper = STEPS[name]
    tensor = torch.tensor(THETA, requires_grad=True)
    optimizer = getattr(torch.optim, other)([tensor], **hyper, **({"nesterov": True} if name == "nesterov" else {}))
    for g in GRADS:
        tensor.grad = torch.tensor(g)
        optimizer.step()

    assert_close(run(name, THETA, state, GRADS, **hyper)[0], tensor.detach().numpy())


@pytest.mark.parametrize(
    "name, other, hyper",
    [
        ("step_lr", "StepLR", {"step_size": 3, "gamma": 0.5}),
        ("exponential_lr", "ExponentialLR", {"gamma": 0.7}),
        ("cosine_lr", "CosineAnnealingLR", {"T_max": 5, "eta_min": 0.05}),
        ("warmup_lr", "LinearLR", {"start_factor": 0.25, "total_iters": 4}),
        ("warmup_lr", "LinearLR", {}),
    ],
)
def test_twelve_steps_of_a_schedule_are_pytorchs(torch: Any, name: str, other: str, hyper: dict[str, Any]) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.8)
    schedule = getattr(torch.optim.lr_scheduler, other)(optimizer, **hyper)
    for step in range(12):
        assert getattr(optimizers, name)(step, lr=0.8, **hyper) == pytest.approx(
            optimizer.param_groups[0]["lr"], rel=1e-12
        )
        optimizer.step()
        schedule.step()


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: optimizers.nesterov(THETA, GRADS[0], MomentumState(np.zeros(2)), lr=0.1),
        ValueError,
        "velocity: expected the shape of params, (6,), got (2,)",
    ),
    (
        lambda: optimizers.adamw(THETA, GRADS[0], AdamState(0, ZERO, ZERO), weight_decay=-0.1),
        ValueError,
        "weight_decay: expected a finite number of at least 0, got -0.1",
    ),
    (
        lambda: optimizers.adamax(THETA, GRADS[0], AdamaxState(0, ZERO, ZERO - 1)),
        ValueError,
        "u: expected finite values of at least 0, got -1.0",
    ),
    (
        lambda: optimizers.adamax(THETA, GRADS[0], AdamaxState(0, ZERO, ZERO), eps=0.0),
        ValueError,
        "eps: expected a positive finite number, got 0.0",
    ),
    (
        lambda: optimizers.lion(THETA, GRADS[0], LionState(ZERO), betas=(1.0, 0.5)),
        ValueError,
        "beta1: expected a number in [0, 1), got 1.0",
    ),
    (
        lambda: optimizers.lion(np.arange(6), GRADS[0], LionState(ZERO)),  # type: ignore[arg-type]
        TypeError,
        "params: expected dtype float32 or float64, got int64; write params.astype(np.float64)",
    ),
    (
        lambda: optimizers.step_lr(-1, lr=0.1, step_size=2),
        ValueError,
        "step: expected at least 0, got -1",
    ),
    (
        lambda: optimizers.step_lr(1, lr=0.1, step_size=0),
        ValueError,
        "step_size: expected at least 1, got 0",
    ),
    (
        lambda: optimizers.exponential_lr(1.5, lr=0.1, gamma=0.5),  # type: ignore[arg-type]
        TypeError,
        "step: expected an int, got float",
    ),
    (
        lambda: optimizers.cosine_lr(1, lr=0.1, T_max=4, eta_min=-0.1),
        ValueError,
        "eta_min: expected a finite number of at least 0, got -0.1",
    ),
    (
        lambda: optimizers.warmup_lr(1, lr=0.1, start_factor=0.0),
        ValueError,
        "start_factor: expected a positive finite number, got 0.0",
    ),
    (
        lambda: optimizers.warmup_lr(1, lr=0.1, start_factor=1.5),
        ValueError,
        "start_factor: expected a number in [0, 1], got 1.5",
    ),
    (
        lambda: optimizers.warmup_lr(1, lr=-0.1),
        ValueError,
        "lr: expected a positive finite number, got -0.1",
    ),
    (
        lambda: optimizers.momentum_decay(1, momentum=1.0, total_iters=3),
        ValueError,
        "momentum: expected a number in [0, 1), got 1.0",
    ),
]  # fmt: skip


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused(attempt: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
