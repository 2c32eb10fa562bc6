"""Batches, differences, searches, classifiers and the training loop: each against its definition in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.harness.arithmetic import bounded_kind, exact_kind, lift, rounded_kind
from reference import activations, differences, losses, optimizers, training
from reference._types import Array
from reference.blocks import Block, activation_block, batch_norm_block, chain, dense_block, dropout_block, predict
from reference.differences import gradient_check, numerical_gradient
from reference.networks import Layer
from reference.training import Optimizer

RNG = np.random.default_rng(29)
X, W, B = RNG.standard_normal((12, 4)), RNG.standard_normal((4, 3)), RNG.standard_normal(3)
K = RNG.integers(0, 3, 12)
SIGNS = RNG.random(12)


def leaves(value: Any) -> list[Any]:
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


def small(seed: int = 0, p: float = 0.0) -> Block:
    rng = np.random.default_rng(seed)
    return chain(
        dense_block(4, 5, rng),
        batch_norm_block(5),
        activation_block("tanh"),
        dropout_block(p=p),
        dense_block(5, 3, rng),
    )


# ---------------------------------------------------------------- batches


@given(n=st.integers(1, 60), batch_size=st.integers(1, 70), seed=st.integers(0, 2**32 - 1))
def test_an_epoch_holds_every_sample_exactly_once(n: int, batch_size: int, seed: int) -> None:
    batches = training.minibatches(n, np.random.default_rng(seed), batch_size=batch_size)

    assert sorted(np.concatenate(batches)) == list(range(n))
    assert len(batches) == math.ceil(n / batch_size)
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= batch_size


def test_epochs_are_shuffled_anew_and_evenly() -> None:
    rng = np.random.default_rng(0)
    places = [np.argsort(np.concatenate(training.minibatches(5, rng, batch_size=2))) for _ in range(4000)]
    counts = np.array([np.bincount(column, minlength=5) for column in np.transpose(places)])
    chi2 = ((counts - 800) ** 2 / 800).sum()  # 16 degrees of freedom: 60 is beyond 1e-6

    assert chi2 < 60


# ---------------------------------------------------------------- differences


@pytest.mark.parametrize("shape", [(), (3,), (2, 4), (2, 0)])
def test_differences_find_the_gradient_for_any_shape(shape: tuple[int, ...]) -> None:
    x = np.asarray(RNG.standard_normal(shape))
    exact = np.exp(np.sin(x)) * np.cos(x)

    def f(x: Any) -> Any:
        return np.sum(np.exp(np.sin(x)))

    np.testing.assert_allclose(numerical_gradient(f, x), exact, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(numerical_gradient(f, x, method="complex"), exact, rtol=4e-16, atol=0)
    assert numerical_gradient(f, x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
def test_differences_move_by_what_fits_the_size_of_an_entry(size: float) -> None:
    x = np.array([size])

    np.testing.assert_allclose(numerical_gradient(lambda x: np.sum(x * x), x), 2 * x, rtol=1e-9, atol=1e-10)


def test_the_complex_step_has_all_digits_where_differences_lose_them() -> None:
    x = np.array([1e-3])
    exact = np.cosh(x) - 1

    def f(x: Any) -> Any:
        return np.sum(np.sinh(x) - x)

    assert abs(numerical_gradient(f, x) / exact - 1)[0] > 1e-9
    assert abs(numerical_gradient(f, x, method="complex") / exact - 1)[0] < 1e-9


@pytest.mark.parametrize("wrong", ["one entry", "a factor", "a sign", "nan"])
def test_a_wrong_gradient_is_found_and_shown(wrong: str) -> None:
    x = RNG.standard_normal((3, 4))
    right = activations.tanh_vjp(x, np.ones_like(x))
    at = (1, 2)
    grad = {"a factor": right * (1 + 1e-6), "a sign": -right}.get(wrong, right.copy())
    if wrong == "one entry":
        grad[at] += 1e-6
    if wrong == "nan":
        grad[at] = np.nan

    def f(x: Array) -> Any:
        return np.sum(activations.tanh(x))

    check = gradient_check(f, grad, x)
    assert gradient_check(f, right, x).passed
    assert not check.passed
    if wrong in ("one entry", "nan"):
        assert check.at == at
    assert check.expected == pytest.approx(right[check.at], rel=1e-8)
    assert check.got == grad[check.at] or wrong == "nan"


@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1e-3, 1.0, 1e3]))
def test_a_right_gradient_passes_whatever_the_point(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    z, labels = scale * rng.standard_normal((3, 4)), rng.integers(0, 4, 3)

    def f(z: Array) -> Any:
        return losses.softmax_cross_entropy(z, labels)

    assert gradient_check(f, losses.softmax_cross_entropy_grad(z, labels), z).passed


def test_at_a_kink_there_is_no_gradient_to_agree_with() -> None:
    x = np.array([1.0, 0.0, -1.0])

    assert not gradient_check(lambda x: np.sum(activations.relu(x)), activations.relu_vjp(x, np.ones(3)), x).passed


# ---------------------------------------------------------------- searches


def test_random_search_keeps_the_first_best() -> None:
    drawn: list[float] = []

    def draw(rng: np.random.Generator) -> float:
        drawn.append(float(rng.integers(5)))
        return drawn[-1]

    found = training.random_search(lambda x: math.nan if x == 0 else x, draw, np.random.default_rng(4), trials=30)

    assert len(drawn) == 30
    assert (found.params, found.loss, found.trial) == (1.0, 1.0, drawn.index(1.0))
    assert drawn.count(1.0) > 1
    assert 0.0 in drawn


@pytest.mark.parametrize("lr, converges", [(0.3, True), (0.499, True), (0.501, False)])
def test_descent_on_a_quadratic_converges_below_two_over_its_curvature(lr: float, converges: bool) -> None:
    curvature = np.array([4.0, 0.5])
    descent = training.gradient_descent(
        lambda x: np.sum(curvature * x**2) / 2, lambda x: curvature * x, np.array([3.0, -2.0]), lr=lr, steps=50
    )

    np.testing.assert_allclose(descent.params, np.array([3.0, -2.0]) * (1 - lr * curvature) ** 50, rtol=1e-10)
    assert descent.losses.shape == (51,)
    assert (descent.losses[-1] < descent.losses[0]) == converges
    assert bool((np.diff(descent.losses) < 0).all()) == converges


# ---------------------------------------------------------------- classifiers


@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_logistic_regression_is_pytorchs(l2: float) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")
    w = torch.tensor(W[:, 0], requires_grad=True)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor(X) @ w, torch.tensor(SIGNS))
    (loss + l2 * (w**2).sum()).backward()

    assert training.logistic_regression(W[:, 0], X, SIGNS, l2=l2) == pytest.approx(
        float(loss.detach()) + l2 * np.sum(W[:, 0] ** 2), rel=1e-14
    )
    np.testing.assert_allclose(training.logistic_regression_grad(W[:, 0], X, SIGNS, l2=l2), w.grad.numpy(), rtol=1e-13)


@pytest.mark.parametrize("f", [training.logistic_regression, training.logistic_regression_grad])
def test_logistic_regression_runs_on_other_arithmetics(f: Callable[..., Any]) -> None:
    arguments = (W[:, 0], X, SIGNS)
    plain = f(*arguments, l2=0.3)
    exact, bounded, rounded = (
        f(*lift(kind, arguments, "float64"), l2=0.3)
        for kind in (exact_kind(50), bounded_kind("float64"), rounded_kind("float64", 0))
    )

    off = np.abs(np.asarray(exact.parts[0] - plain, dtype=float))
    assert (off <= bounded.parts[1]).all()
    assert np.isfinite(bounded.parts[1]).all()
    np.testing.assert_allclose(rounded.parts[0].mean(axis=0), plain, rtol=1e-9)
    single = f(*(a.astype(np.float32) for a in arguments), l2=0.3)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, plain, rtol=1e-4)


def test_a_linear_classifier_takes_the_largest_score() -> None:
    scores = X @ W + B

    np.testing.assert_array_equal(training.linear_classifier(X, W, B), [list(row).index(max(row)) for row in scores])
    np.testing.assert_array_equal(training.linear_classifier(0 * X, W, 0 * B), np.zeros(12))


@pytest.mark.parametrize("num_classes, kind", [(3, np.uint8), (5, np.uint64)])
def test_the_confusion_matrix_is_scikit_learns(num_classes: int, kind: type[Any]) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is an extra; pip install gradproof[test]")
    predicted = RNG.integers(0, 3, 12).astype(kind)
    got = training.confusion_matrix(K, predicted, num_classes=num_classes)

    np.testing.assert_array_equal(got, metrics.confusion_matrix(K, predicted, labels=range(num_classes)))
    assert (got != got.T).any()


# ---------------------------------------------------------------- the loop


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_the_gradients_of_a_network_are_those_of_its_loss(l2: float) -> None:
    network = small()

    def replaced(arrays: list[Array]) -> Block:
        return network._replace(params=training._rebuilt(network.params, arrays))

    def loss(network: Block) -> Any:
        return training.loss_and_grads(network, X, K, np.random.default_rng(1), l2=l2).loss

    arrays = leaves(network.params)
    made = training.loss_and_grads(network, X, K, np.random.default_rng(1), l2=l2)
    y = network.forward(network.params, network.statistics, X, np.random.default_rng(1)).y
    penalty = l2 * sum(np.sum(w**2) for w in (network.params[0].W, network.params[4].W))  # and of no bias

    assert made.loss == pytest.approx(losses.softmax_cross_entropy(y, K) + penalty, rel=1e-14)
    for i, (array, grad) in enumerate(zip(arrays, leaves(made.grads), strict=True)):
        assert gradient_check(lambda a, i=i: loss(replaced([*arrays[:i], a, *arrays[i + 1 :]])), grad, array).passed  # type: ignore[misc]
    assert type(made.grads[0]) is Layer


@pytest.mark.parametrize("optimizer", get_args(Optimizer))
def test_updates_are_batches_gradients_and_steps(optimizer: Optimizer) -> None:
    network, rng = small(p=0.3), np.random.default_rng(7)
    rates = [0.1 / (1 + t) for t in range(9)]
    made = list(
        training.updates(
            network,
            X,
            K,
            np.random.default_rng(7),
            lr=lambda t: rates[t],
            epochs=3,
            batch_size=5,
            optimizer=optimizer,
            l2=0.1,
        )
    )
    states = [
        optimizers.MomentumState(0 * w) if optimizer == "momentum" else optimizers.AdamState(0, 0 * w, 0 * w)
        for w in leaves(network.params)
    ]
    t = 0
    for _ in range(3):
        order = rng.permutation(12)
        for batch in (order[:5], order[5:10], order[10:]):
            loss, grads, statistics = training.loss_and_grads(network, X[batch], K[batch], rng, l2=0.1)
            weights = leaves(network.params)
            for i, (w, g) in enumerate(zip(weights, leaves(grads), strict=True)):
                if optimizer == "sgd":
                    weights[i] = w - rates[t] * g
                else:
                    weights[i], states[i] = getattr(optimizers, optimizer)(w, g, states[i], lr=rates[t])
            network = Block(training._rebuilt(network.params, weights), statistics, network.forward)
            assert made[t].loss == loss
            assert made[t].lr == rates[t]
            for one, two in zip(leaves(made[t].network[:2]), leaves(network[:2]), strict=True):
                np.testing.assert_array_equal(one, two)
            t += 1

    assert t == len(made) == 9


def test_training_writes_into_nothing_that_it_is_given() -> None:
    network, x, k = small(p=0.3), X.copy(), K.copy()
    for array in (x, k, *leaves(network.params), *leaves(network.statistics)):
        array.flags.writeable = False
    fitted = training.fit(network, x, k, np.random.default_rng(0), lr=0.1, epochs=2, batch_size=5)

    assert all((a != b).any() for a, b in zip(leaves(network.params), leaves(fitted.network.params), strict=True))


def test_a_network_may_be_of_another_type_with_the_fields_of_a_block() -> None:
    theirs = SimpleNamespace(**small()._asdict())
    one, other = (
        training.fit(network, X, K, np.random.default_rng(0), lr=0.1, epochs=1)  # type: ignore[arg-type]
        for network in (theirs, small())
    )

    assert type(one.network) is Block
    assert all((a == b).all() for a, b in zip(leaves(one.network[:2]), leaves(other.network[:2]), strict=True))


def test_the_dtype_of_the_network_is_kept() -> None:
    rng = np.random.default_rng(0)
    network = chain(dense_block(4, 3, rng, dtype=np.float32), batch_norm_block(3, dtype=np.float32))
    fitted = training.fit(
        network, X.astype(np.float32), K, rng, lr=0.1, epochs=2, batch_size=4, optimizer="adam", l2=0.1
    )

    assert {a.dtype for a in leaves(fitted.network[:2])} == {np.dtype(np.float32)}
    assert predict(fitted.network, X.astype(np.float32)).dtype == np.float32


def test_without_patience_all_epochs_are_run_and_the_last_network_is_kept() -> None:
    validation = (X[:4], K[:4])
    hyper: Any = {"lr": 0.1, "batch_size": 5}
    fitted = training.fit(small(), X, K, np.random.default_rng(1), epochs=4, validation=validation, **hyper)
    made = list(training.updates(small(), X, K, np.random.default_rng(1), epochs=4, **hyper))

    assert fitted.epoch == 3
    assert [epoch.loss for epoch in fitted.history] == [
        pytest.approx(np.mean([u.loss for u in made[3 * e : 3 * e + 3]]), rel=1e-15) for e in range(4)
    ]
    assert fitted.history[-1].validation_loss == losses.softmax_cross_entropy(predict(made[-1].network, X[:4]), K[:4])
    for one, two in zip(leaves(fitted.network[:2]), leaves(made[-1].network[:2]), strict=True):
        np.testing.assert_array_equal(one, two)
    assert training.fit(small(), X, K, np.random.default_rng(1), epochs=1, **hyper).history[0].validation_loss is None


def test_with_patience_the_best_network_comes_back_with_its_running_statistics() -> None:
    hyper: Any = {"lr": 3.0, "batch_size": 5, "validation": (X[:4], (K[:4] + 1) % 3)}  # learning makes this worse
    fitted = training.fit(small(), X, K, np.random.default_rng(1), epochs=50, patience=3, **hyper)
    known = [epoch.validation_loss for epoch in fitted.history]

    assert len(known) == fitted.epoch + 4 < 50
    assert known[fitted.epoch] == min(k for k in known if k is not None)
    assert known[fitted.epoch] == losses.softmax_cross_entropy(predict(fitted.network, X[:4]), (K[:4] + 1) % 3)


@pytest.mark.parametrize("head", ["sigmoid", "identity"])
def test_the_other_heads_are_fitted_too(head: Any) -> None:
    rng = np.random.default_rng(0)
    targets = X @ W + B if head == "identity" else (X @ W > 0).astype(float)
    fitted = training.fit(dense_block(4, 3, rng), X, targets, rng, lr=0.3, epochs=200, batch_size=12, head=head)

    assert fitted.history[-1].loss < 0.2 * fitted.history[0].loss


# ---------------------------------------------------------------- what is refused

ONE = np.ones(1)
REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: training.minibatches(0, RNG, batch_size=2),
        ValueError,
        "n: expected at least 1, got 0",
    ),
    (
        lambda: training.minibatches(5, RNG, batch_size=2.0),  # type: ignore[arg-type]
        TypeError,
        "batch_size: expected an int, got float",
    ),
    (
        lambda: training.minibatches(5, 3, batch_size=2),  # type: ignore[arg-type]
        TypeError,
        "generator: expected a numpy.random.Generator, got int; write np.random.default_rng(seed)",
    ),
    (
        lambda: numerical_gradient(lambda x: x, np.ones(2)),
        ValueError,
        "f: expected a scalar, got shape (2,); sum it, or take one entry",
    ),
    (
        lambda: numerical_gradient(np.sum, ONE, method="forward"),  # type: ignore[arg-type]
        ValueError,
        'method: expected "central" or "complex", got \'forward\'',
    ),
    (
        lambda: numerical_gradient(lambda x: np.sum(np.abs(x)), ONE, method="complex"),
        ValueError,
        "f: expected a complex result for a complex x; it drops the imaginary part: use central",
    ),
    (
        lambda: numerical_gradient(np.sum, np.array([1, 2])),
        TypeError,
        "x: expected dtype float32 or float64, got int64; write x.astype(np.float64)",
    ),
    (
        lambda: gradient_check(np.sum, ONE.astype(np.float32), ONE.astype(np.float32)),
        TypeError,
        "x: expected float64 for differences, got float32; write x.astype(np.float64)",
    ),
    (
        lambda: gradient_check(np.sum, ONE, np.ones(2)),
        ValueError,
        "grad: expected the shape of x, (2,), got (1,)",
    ),
    (
        lambda: gradient_check(np.sum, ONE[:0], ONE[:0]),
        ValueError,
        "x: expected at least one entry, got shape (0,)",
    ),
    (
        lambda: training.random_search(lambda x: math.inf, lambda rng: 0, RNG, trials=3),
        ValueError,
        "f: expected a finite loss in 3 trials, got none",
    ),
    (
        lambda: training.gradient_descent(np.sum, np.ones_like, ONE, lr=0.0, steps=3),
        ValueError,
        "lr: expected a positive finite number, got 0.0",
    ),
    (
        lambda: training.gradient_descent(np.sum, lambda x: np.ones(2), ONE, lr=0.1, steps=3),
        ValueError,
        "grad: expected the shape of params, (1,), got (2,)",
    ),
    (
        lambda: training.logistic_regression(W, X, SIGNS),
        ValueError,
        "w: expected shape (4,), got (4, 3)",
    ),
    (
        lambda: training.logistic_regression(W[:, 0], X, 2 * SIGNS + 1),
        ValueError,
        f"labels: expected values in [0, 1], got {2 * SIGNS[0] + 1}",
    ),
    (
        lambda: training.logistic_regression_grad(W[:, 0], X, SIGNS, l2=-1.0),
        ValueError,
        "l2: expected a finite number of at least 0, got -1.0",
    ),
    (
        lambda: training.linear_classifier(X, W, B[:2]),
        ValueError,
        "b: expected shape (3,), got (2,)",
    ),
    (
        lambda: training.confusion_matrix(K, K + 1, num_classes=3),
        ValueError,
        "predicted: expected classes in 0..2, got 3; classes count from zero",
    ),
    (
        lambda: training.confusion_matrix(K.astype(float), K, num_classes=3),
        TypeError,
        "labels: expected integers, got float64; write labels.astype(np.int64)",
    ),
    (
        lambda: training.confusion_matrix(K, K[:3], num_classes=3),
        ValueError,
        "predicted: expected shape (12,), got (3,)",
    ),
    (
        lambda: training.fit(small(), X, K[:3], RNG, lr=0.1, epochs=1),
        ValueError,
        "labels: expected one for each of the 12 samples of x, got shape (3,)",
    ),
    (
        lambda: training.fit(small(), X[:0], K[:0], RNG, lr=0.1, epochs=1),
        ValueError,
        "x: expected at least one row and one column, got shape (0, 4)",
    ),
    (
        lambda: training.fit(small(), X, K, RNG, lr=0.1, epochs=1, patience=2),
        ValueError,
        "validation: expected a pair (x, labels), which patience needs, got None",
    ),
    (
        lambda: training.fit(small(), X, K, RNG, lr=0.1, epochs=0),
        ValueError,
        "epochs: expected at least 1, got 0",
    ),
    (
        lambda: training.fit(small(), X, K, RNG, lr=0.1, epochs=1, batch_size=0),
        ValueError,
        "batch_size: expected at least 1, got 0",
    ),
    (
        lambda: training.fit(small(), X, K, RNG, lr=lambda step: 0.0, epochs=1),
        ValueError,
        "lr: expected a positive finite number, got 0.0",
    ),
    (
        lambda: training.fit(small(), X, K, RNG, lr=0.1, epochs=1, optimizer="lbfgs"),  # type: ignore[arg-type]
        ValueError,
        'optimizer: expected "sgd", "momentum" or "adam", got \'lbfgs\'',
    ),
    (
        lambda: training.loss_and_grads(small(), X, K, RNG, l2=-0.1),
        ValueError,
        "l2: expected a finite number of at least 0, got -0.1",
    ),
    (
        lambda: training.loss_and_grads(small(), X, K, None),  # type: ignore[arg-type]
        TypeError,
        "generator: expected a numpy.random.Generator, got NoneType; write np.random.default_rng(seed)",
    ),
]


@pytest.mark.parametrize("call, kind, message", REFUSED, ids=[m[:60] for _, _, m in REFUSED])
def test_what_makes_no_sense_is_refused(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as raised:
        call()

    assert str(raised.value) == message


def test_differences_are_named_by_their_signature() -> None:
    assert get_args(differences.Differences) == ("central", "complex")
