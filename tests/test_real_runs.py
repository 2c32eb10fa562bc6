"""Real runs: the reference alone learns, step by step as PyTorch does, and does what the lectures say it does."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from reference import losses, networks, preprocessing, training
from reference.blocks import Block, activation_block, chain, dense_block, predict
from reference.networks import Layer
from reference.optimizers import cosine_lr

ROOT = Path(__file__).resolve().parents[1]


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def digits() -> ModuleType:
    pytest.importorskip("sklearn", reason="scikit-learn has the digits; pip install gradproof[test]")
    return example("digits")


def pairs(digits: ModuleType, kind: str) -> Any:
    parts = digits.data()
    return [digits.flat(part) for part in parts] if kind == "mlp" else parts


# ---------------------------------------------------------------- digits


@pytest.mark.parametrize("kind, epochs, lr, least", [("mlp", 20, 0.005, 0.96), ("cnn", 14, 0.01, 0.96)])
def test_the_digits_are_learnt_to_this_accuracy(
    digits: ModuleType, kind: str, epochs: int, lr: float, least: float
) -> None:
    train, validation, (x, labels) = pairs(digits, kind)
    generator = np.random.default_rng(1)
    network = getattr(digits, kind)(generator)
    before = losses.accuracy(predict(network, x), labels)
    fitted = digits.trained(network, train, validation, generator, epochs=epochs, lr=lr)

    assert len(x) == 359
    assert before < 0.3
    assert losses.accuracy(predict(fitted.network, x), labels) >= least


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind, epochs, lr", [("mlp", 20, 0.005), ("cnn", 14, 0.01)])
def test_the_digits_are_learnt_from_any_seed(digits: ModuleType, kind: str, epochs: int, lr: float, seed: int) -> None:
    train, validation, (x, labels) = pairs(digits, kind)
    generator = np.random.default_rng(seed)
    fitted = digits.trained(getattr(digits, kind)(generator), train, validation, generator, epochs=epochs, lr=lr)

    assert losses.accuracy(predict(fitted.network, x), labels) >= 0.95


def test_a_run_is_the_same_again_and_leaves_its_network_alone(digits: ModuleType) -> None:
    train, validation, _ = pairs(digits, "mlp")
    network = digits.mlp(np.random.default_rng(1))
    kept = [leaf.copy() for leaf in leaves(network.params)]
    one, two = (
        digits.trained(network, train, validation, np.random.default_rng(2), epochs=2, lr=0.005) for _ in range(2)
    )

    assert one.history == two.history
    for before, after in zip(kept, leaves(network.params), strict=True):
        np.testing.assert_array_equal(before, after)


# ---------------------------------------------------------------- PyTorch, step by step


def leaves(value: Any) -> list[Any]:
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


def tensors(torch: Any, value: Any, requires_grad: bool) -> Any:
    if isinstance(value, tuple):
        return tuple(tensors(torch, part, requires_grad) for part in value)
    return torch.tensor(value, requires_grad=requires_grad)


class Torch:
    """The networks of the example once more, in PyTorch's own functions, on the same initial weights."""

    def __init__(self, torch: Any, network: Block) -> None:
        self.torch, self.f = torch, torch.nn.functional
        self.params = tensors(torch, network.params, requires_grad=True)
        self.statistics = tensors(torch, network.statistics, requires_grad=False)

    def norm(self, x: Any, params: Any, statistics: Any) -> Any:
        return self.f.batch_norm(x, *statistics, *params, training=True, momentum=0.1, eps=1e-5)

    def drop(self, x: Any, p: float, generator: np.random.Generator) -> Any:
        return x * self.torch.tensor((generator.random(tuple(x.shape)) >= p) / (1 - p))

    def linear(self, x: Any, params: Any) -> Any:
        return self.f.linear(x, params[0].T, params[1])

    def mlp(self, x: Any, generator: np.random.Generator) -> Any:
        p, s, relu = self.params, self.statistics, self.f.relu
        h = self.drop(relu(self.norm(x @ p[0][0], p[1], s[1])), 0.2, generator)
        return self.linear(relu(self.linear(h, p[4])), p[6])

    def cnn(self, x: Any, generator: np.random.Generator) -> Any:
        p, s, f = self.params, self.statistics, self.f
        h = f.max_pool2d(f.relu(self.norm(f.conv2d(x, p[0][0], padding=1), p[1], s[1])), 2)
        inner, known = p[4], s[4]
        r = f.relu(self.norm(f.conv2d(h, inner[0][0], padding=1), inner[1], known[1]))
        h = f.relu(h + self.norm(f.conv2d(r, inner[3][0], padding=1), inner[4], known[4]))
        h = f.max_pool2d(self.inception(h, p[6]), 2)
        return self.linear(self.drop(h.flatten(1), 0.2, generator), p[10])

    def inception(self, x: Any, p: Any) -> Any:
        def conv(x: Any, i: int, padding: int = 0) -> Any:
            w = p[i] if p[i].ndim == 4 else p[i][:, :, None, None]
            return self.f.relu(self.f.conv2d(x, w, p[i + 1], padding=padding))

        pooled = self.f.max_pool2d(x, 3, 1, 1)
        return self.torch.cat([conv(x, 0), conv(conv(x, 2), 4, 1), conv(conv(x, 6), 8, 2), conv(pooled, 10)], dim=1)


def furthest(ours: Any, theirs: Any) -> float:
    """The largest difference of all arrays, each relative to its largest entry."""
    off = [
        np.abs(a - b.detach().numpy()).max() / np.abs(b.detach().numpy()).max()
        for a, b in zip(leaves(ours), leaves(theirs), strict=True)
    ]
    return float(max(off))


@pytest.mark.parametrize("kind, optimizer, lr", [("mlp", "adam", 0.005), ("cnn", "momentum", 0.02)])
def test_a_hundred_steps_are_pytorchs(digits: ModuleType, kind: str, optimizer: str, lr: float) -> None:
    compare_with_torch(digits, kind, optimizer, lr)


@pytest.mark.deep
@pytest.mark.parametrize("kind, optimizer, lr", [("mlp", "sgd", 0.1), ("mlp", "momentum", 0.02), ("cnn", "sgd", 0.1)])
def test_a_hundred_steps_of_other_optimizers_are_pytorchs(
    digits: ModuleType, kind: str, optimizer: str, lr: float
) -> None:
    compare_with_torch(digits, kind, optimizer, lr)


def compare_with_torch(digits: ModuleType, kind: str, optimizer: str, lr: float) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")
    (x, labels), *_ = pairs(digits, kind)
    x, labels, size, l2 = x[:1000], labels[:1000], 64, 1e-3
    network = getattr(digits, kind)(np.random.default_rng(0))
    other = Torch(torch, network)
    groups = [
        {"params": [w for w in leaves(other.params) if (w.ndim >= 2) is matrices], "weight_decay": decay}
        for matrices, decay in ((True, 2 * l2), (False, 0.0))
    ]
    theirs = {
        "sgd": lambda: torch.optim.SGD(groups, lr=lr),
        "momentum": lambda: torch.optim.SGD(groups, lr=lr, momentum=0.9),
        "adam": lambda: torch.optim.Adam(groups, lr=lr),
    }[optimizer]()
    if optimizer == "momentum":  # PyTorch's buffer holds no lr: the two are one only while it does not change
        schedule: Any = lr
    else:
        schedule = lambda step: cosine_lr(step, lr=lr, T_max=150)  # noqa: E731
    draws = np.random.default_rng(5)  # the same batches and masks for both
    steps = training.updates(
        network,
        x,
        labels,
        np.random.default_rng(5),
        lr=schedule,
        epochs=7,
        batch_size=size,
        optimizer=optimizer,  # type: ignore[arg-type]
        l2=l2,
    )
    taken, losses_seen = 0, []
    while taken < 100:
        for batch in np.split(draws.permutation(1000), range(size, 1000, size)):
            update = next(steps)
            for group in theirs.param_groups:
                group["lr"] = update.lr
            loss = other.f.cross_entropy(
                getattr(other, kind)(torch.tensor(x[batch]), draws), torch.tensor(labels[batch])
            )
            theirs.zero_grad()
            loss.backward()
            penalty = l2 * sum(float((w.detach() ** 2).sum()) for w in leaves(other.params) if w.ndim >= 2)
            theirs.step()
            taken += 1
            assert update.loss == pytest.approx(float(loss.detach()) + penalty, rel=1e-10)
            assert furthest(update.network.params, other.params) <= 1e-10
            assert furthest(update.network.statistics, other.statistics) <= 1e-10
            losses_seen.append(update.loss)

    assert taken >= 100
    assert np.mean(losses_seen[-10:]) < 0.5 * np.mean(losses_seen[:3])  # it went somewhere


# ---------------------------------------------------------------- early stopping


def test_early_stopping_gives_back_the_weights_of_the_best_epoch(digits: ModuleType) -> None:
    train, validation, _ = pairs(digits, "mlp")
    x, labels = train[0][:60], train[1][:60]  # so few that it soon learns them by heart

    def make() -> tuple[Block, np.random.Generator]:
        generator = np.random.default_rng(3)
        return chain(
            dense_block(64, 64, generator), activation_block("relu"), dense_block(64, 10, generator)
        ), generator

    hyper: Any = {"lr": 0.03, "batch_size": 20, "optimizer": "adam"}
    network, generator = make()
    fitted = training.fit(network, x, labels, generator, epochs=200, validation=validation, patience=5, **hyper)
    known = [epoch.validation_loss for epoch in fitted.history]
    network, generator = make()
    last = list(training.updates(network, x, labels, generator, epochs=len(known), **hyper))[-1].network

    def loss(network: Block) -> float:
        return float(losses.softmax_cross_entropy(predict(network, validation[0]), validation[1]))

    assert len(known) < 200
    assert len(known) == fitted.epoch + 1 + 5
    assert known.index(min(k for k in known if k is not None)) == fitted.epoch
    assert loss(fitted.network) == known[fitted.epoch]
    assert loss(last) == known[-1]
    assert loss(last) > loss(fitted.network)


# ---------------------------------------------------------------- what a line cannot do


def test_two_spirals_are_told_apart_by_an_mlp_and_by_no_line() -> None:
    linear, mlp = example("spirals").shares_right()

    assert linear < 0.7
    assert mlp >= 0.98


def test_no_linear_classifier_learns_xor() -> None:
    x, labels = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])
    generator = np.random.default_rng(0)
    linear = training.fit(dense_block(2, 2, generator), x, labels, generator, lr=0.5, epochs=300).network
    hidden = chain(dense_block(2, 8, generator), activation_block("tanh"), dense_block(8, 2, generator))
    mlp = training.fit(hidden, x, labels, generator, lr=0.5, epochs=300).network

    assert losses.accuracy(predict(linear, x), labels) <= 0.75
    assert losses.accuracy(predict(mlp, x), labels) == 1


def test_polar_features_make_a_circle_a_threshold() -> None:
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, (400, 2))
    labels = (np.hypot(*x.T) < 0.7).astype(float)

    def right(features: Any) -> float:
        rows = np.concatenate([features, np.ones((400, 1))], axis=1)
        w = training.gradient_descent(
            lambda w: training.logistic_regression(w, rows, labels),
            lambda w: training.logistic_regression_grad(w, rows, labels),
            np.zeros(rows.shape[1]),
            lr=10.0,
            steps=500,
        ).params
        return float(np.mean((rows @ w > 0) == (labels == 1)))

    assert right(x) < 0.7
    assert right(preprocessing.polar_features(x)) > 0.97


def test_100000_samples_by_1000_are_100_updates() -> None:
    batches = training.minibatches(100_000, np.random.default_rng(0), batch_size=1_000)

    assert len(batches) == 100
    assert np.array_equal(np.sort(np.concatenate(batches)), np.arange(100_000))


# ---------------------------------------------------------------- ensembles


def test_bagging_lowers_the_variance_as_its_formula_says() -> None:
    variance, correlation, rows = example("bagging").study(sets=300)

    assert 0.05 < correlation < 0.5
    for B, (foretold, measured) in rows.items():
        assert measured == pytest.approx(foretold, rel=0.2), B  # five times the deviation of 300 variances
    assert rows[20][1] > 1.5 * variance / 20  # members that share their data are not independent
    assert rows[20][1] < 0.5 * rows[1][1]


# ---------------------------------------------------------------- thirty layers


def test_what_an_initialization_does_to_thirty_layers() -> None:
    depth = example("depth")

    def through(activation: str, initialization: str) -> tuple[float, float]:
        """log10 of what the gradient, and the sums, are multiplied by from the last layer to the first, and back."""
        sums, gradients = depth.passage(activation, initialization, np.random.default_rng(0))
        assert len(gradients) == 30
        return math.log10(gradients[0] / gradients[-1]), math.log10(sums[-1] / sums[0])

    assert through("sigmoid", "1/fan_in")[0] < -15  # C23: and yet it is the rule of the lectures
    assert through("sigmoid", "He")[0] < -10
    for kept in (through("tanh", "1/fan_in"), through("tanh", "Glorot"), through("relu", "He")):
        assert abs(kept[0]) < 1.5
        assert abs(kept[1]) < 1.5
    assert through("relu", "1/fan_in")[0] == pytest.approx(-30 / 2 * math.log10(2), abs=1)  # half is lost in each
    assert through("relu", "1/fan_in")[1] == pytest.approx(-30 / 2 * math.log10(2), abs=1)
    for activation in ("tanh", "relu"):
        assert through(activation, "0.01 N(0, 1)")[0] < -25
        assert through(activation, "0.01 N(0, 1)")[1] < -25
        assert through(activation, "N(0, 1)")[0] > 10
    assert through("tanh", "N(0, 1)")[1] < 0.1  # saturated: the sums stay, and the gradient explodes (C24)


def test_the_study_of_depth_can_be_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the plot is an example's; pip install gradproof[examples]")
    example("depth").plot(tmp_path / "depth.png")

    assert (tmp_path / "depth.png").read_bytes().startswith(b"\x89PNG")
    assert (ROOT / "docs" / "depth.png").stat().st_size < 100_000


# ---------------------------------------------------------------- the network of the notes


@pytest.mark.parametrize("W1", [[[1.0, 3.0], [-1.0, -1.0]], [[-3.0, 1.0], [1.0, 0.0]], [[0.0, 0.0], [-0.5, 0.5]]])
def test_the_network_of_the_notes_gives_their_digits(W1: list[list[float]]) -> None:
    """D13 to D19: x = (1, 2), y = 0, for any W1 with z1 = (-1, 1); W[from, to] here, the transpose of the notes'."""
    x, y = np.array([[1.0, 2.0]]), np.array([[0.0]])
    layers = [
        Layer(np.array(W1), np.zeros(2)),
        Layer(np.array([[-1.0, -1.0], [1.0, 1.0]]), np.zeros(2)),
        Layer(np.array([[1.0], [1.0]]), np.zeros(1)),
    ]
    cache = networks.mlp_forward(x, layers)
    z1, z2, z = cache.sums
    _, u1, u2 = cache.inputs
    cotangent = losses.bce_with_logits_grad(z, y)
    d1, d2, d = networks.mlp_errors(layers, cache, cotangent)
    first, second, third = networks.mlp_loss_grad(x, layers, y, head="sigmoid")

    assert (z1.tolist(), u1.tolist()) == ([[-1.0, 1.0]], [[0.0, 1.0]])  # D13
    assert (z2.tolist(), u2.tolist(), z.tolist()) == ([[1.0, 1.0]], [[1.0, 1.0]], [[2.0]])
    assert f"{d[0, 0]:.6f}" == "0.880797"  # D14, D15: p(y = 1), the error too since y = 0
    assert [f"{e:.2f}" for e in d2[0]] == ["0.88", "0.88"]  # D16
    assert d1[0, 0] == 0  # D17: the unit is off
    assert f"{d1[0, 1]:.6f}" == "1.761594"  # D18
    assert f"{first.W[1, 1]:.4f}" == "3.5232"  # D19: x2 · δ12
    assert f"{second.W[1, 1]:.4f}" == "0.8808"  # D19: u12 · δ22
    assert np.array_equal(first.b, d1[0])
    assert np.array_equal(third.W[:, 0], u2[0] * d[0, 0])
