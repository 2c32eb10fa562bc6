"""Loops that train, in the catalogue's call shape and in those of courses: seen by what they are given to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradproof
from graders.harness.report import ExerciseReport, SubmissionReport
from graders.harness.sandbox import given
from graders.harness.trials import observed
from graders.training.loops import fit as trial

pytestmark = pytest.mark.xdist_group("training_loops")  # what all of them look at is made once

NATIVE = """
import copy
import numpy as np

def softmax(y):
    odds = np.exp(y - y.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)

def leaves(params):
    return [leaf for part in params for leaf in leaves(part)] if isinstance(params, tuple) else [params]

def fit(network, x, labels, generator, *, lr, epochs, batch_size=32, l2=0.0, validation=None, patience=None):
    params, statistics, forward = copy.deepcopy(network.params), network.statistics, network.forward
    n, lowest, kept, history = len(x), np.inf, None, []
    for epoch in range(epochs):
        order = generator.permutation(n)
        losses = []
        for start in range(0, n, batch_size):
            batch = order[start:start + batch_size]
            y, statistics, pull = forward(params, statistics, x[batch], generator)
            p, target = softmax(y), labels[batch]
            weights = leaves(params)
            penalty = l2 * sum((w**2).sum() for w in weights if w.ndim > 1)
            losses.append(-np.log(p[range(len(p)), target]).mean() + penalty)
            p[range(len(p)), target] -= 1
            for w, g in zip(weights, leaves(pull(p / len(batch)).grads)):
                w -= lr * (g + 2 * l2 * w * (w.ndim > 1))
        held = None
        if validation is not None:
            q = softmax(forward(params, statistics, validation[0], None).y)
            held = -np.log(q[range(len(q)), validation[1]]).mean()
        history.append({"loss": np.mean(losses), "val_loss": held})
        if patience is not None:
            if held < lowest:
                lowest, kept = held, (epoch, copy.deepcopy(params), statistics)
            if epoch - kept[0] >= patience:
                break
    if kept is None:
        kept = (epoch, params, statistics)
    return {"network": (kept[1], kept[2], forward), "epoch": kept[0], "history": history}
"""

CHANGES = {
    "keeps_an_alias_of_the_best": ("(epoch, copy.deepcopy(params), statistics)", "(epoch, params, statistics)"),
    "takes_a_plateau_for_progress": ("held < lowest", "held <= lowest"),
    "divides_by_all_samples": ("p / len(batch)", "p / n"),
    "validates_in_training_mode": ("validation[0], None", "validation[0], generator"),
    "records_the_loss_of_the_last_batch": ("np.mean(losses)", "losses[-1]"),
    "shrinks_the_biases_too": ("2 * l2 * w * (w.ndim > 1)", "2 * l2 * w"),
    "stops_an_epoch_too_late": (">= patience", "> patience"),
    "never_shuffles_the_data": ("generator.permutation(n)", "np.arange(n)"),
}


def native(text: str) -> ExerciseReport:
    scope: dict[str, Any] = {}
    exec(text, scope)  # noqa: S102  (the text above)
    return gradproof.check("training.fit", scope["fit"]).report


def test_a_loop_by_the_signature_of_the_catalogue_is_right_without_an_optimizer_or_a_schedule() -> None:
    report = native(NATIVE)

    assert report.verdict == "correct", report.reason
    assert "takes no optimizer, momentum, betas, eps: judged at the default" in report.notes
    assert "raises for a rate that falls after an epoch: not judged by it" in report.notes


@pytest.mark.parametrize(
    "mistake", [pytest.param(name, marks=pytest.mark.deep if i > 2 else ()) for i, name in enumerate(CHANGES)]
)
def test_a_mistake_in_such_a_loop_is_named(mistake: str) -> None:
    before, after = CHANGES[mistake]
    assert NATIVE.count(before) == 1

    report = native(NATIVE.replace(before, after))

    assert report.verdict == "wrong"
    assert mistake in [d.name for d in report.diagnosis]


@pytest.mark.parametrize(
    "before, after",
    [
        ("np.mean(losses)", "np.average(losses, weights=np.diff([*range(0, n, batch_size), n]))"),
        ('history.append({"loss": np.mean(losses), "val_loss": held})', "history.append((np.mean(losses), held))"),
        ("order = generator.permutation(n)", "order = np.argsort(generator.random(n))"),
    ],
)
def test_another_honest_way_is_as_right(before: str, after: str) -> None:
    report = native(NATIVE.replace(before, after))

    assert report.verdict == "correct", report.reason


WILD = """
import random
import numpy as np

class LinearClassifier(object):
    def __init__(self):
        self.W = None

    def train(self, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False):
        if self.W is None:
            self.W = 0.001 * np.random.randn(X.shape[1], np.max(y) + 1)
        history = []
        for it in range(num_iters):
            chosen = np.random.choice(X.shape[0], batch_size)
            loss, grad = self.loss(X[chosen], y[chosen], reg)
            history.append(loss)
            self.W -= learning_rate * grad
        return history

    def predict(self, X):
        return np.argmax(X.dot(self.W), axis=1)

    def loss(self, X_batch, y_batch, reg):
        return 0.0, np.zeros_like(self.W)

class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size):
        self.params = {"W1": np.zeros((input_size, hidden_size)), "b1": np.zeros(hidden_size)}

    def loss(self, X, y=None, reg=0.0):
        return 0.0, {}

    def predict(self, X):
        return None

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, num_iters=100, batch_size=200):
        accuracies = []
        for it in range(num_iters):
            chosen = np.random.choice(X.shape[0], batch_size)
            loss, grads = self.loss(X[chosen], y=y[chosen], reg=0.0)
            for name in self.params:
                self.params[name] += learning_rate * grads[name]
            if it % max(X.shape[0] // batch_size, 1) == 0:
                accuracies.append(np.mean(self.predict(X_val) == y_val))
                learning_rate *= learning_rate_decay
        return accuracies

class Network(object):
    def __init__(self, sizes):
        self.sizes = sizes

    def SGD(self, training_data, epochs, mini_batch_size, eta, test_data=None):
        n = len(training_data)
        for j in range(epochs):
            random.shuffle(training_data)
            for k in range(0, n, mini_batch_size):
                self.update_mini_batch(training_data[k:k + mini_batch_size], eta)

    def update_mini_batch(self, mini_batch, eta):
        pass

class Scratch:
    def __init__(self, n_inputs, n_outputs):
        self.W1 = np.zeros((n_inputs, n_outputs))

    def loss(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2)

    def train(self, X, y, epochs, lr):
        for _ in range(epochs):
            self.W1 -= lr * X.T @ (X @ self.W1 - y[:, None])

def train(params, loss_and_grads, X, y, lr=0.1, epochs=5, batch_size=16, rng=None):
    losses = []
    for epoch in range(epochs):
        order = rng.permutation(len(X))
        for start in range(0, len(X), batch_size):
            chosen = order[start:start + batch_size]
            loss, grads = loss_and_grads(params, (X[chosen], y[chosen]))
            losses.append(loss)
            params = {name: params[name] - lr * grads[name] for name in params}
    return params, losses

def sgd_train(grad_fn, w, x, y, learning_rate, n_epochs, batch_size, seed=0):
    random = np.random.default_rng(seed)
    order = random.permutation(len(x))
    x, y = x[order], y[order]
    for _ in range(n_epochs):
        for start in range(0, len(x), batch_size):
            w = w - learning_rate * grad_fn(x[start:start + batch_size], y[start:start + batch_size], w)
    return w

def minibatch_gradient_descent(params, x, y, loss_grad, lr, num_epochs, batch_size):
    order = np.arange(len(x))
    for _ in range(num_epochs):
        np.random.shuffle(order)
        for start in range(0, len(x) - batch_size + 1, batch_size):
            chosen = order[start:start + batch_size]
            for p, g in zip(params, loss_grad(params, x[chosen], y[chosen])[1]):
                p -= lr * g

def train_model(params, loss_and_grads, X_train, y_train, X_val, y_val, lr, epochs, batch_size, lr_decay):
    n = len(X_train)
    for epoch in range(epochs):
        order = np.random.permutation(n)
        for start in range(0, n, batch_size):
            chosen = order[start:start + batch_size]
            grads = loss_and_grads(params, X_train[chosen], y_train[chosen])[1]
            params = {name: params[name] - lr / (1 + lr_decay * epoch) * grads[name] for name in params}
        loss_and_grads(params, X_val, y_val)
    return params

def train_loop(weights, loss_and_grad, X, y, X_val, y_val, eta, epochs, batch_size, lr_decay):
    for epoch in range(epochs):
        X, y = np.concatenate([X, X_val]), np.concatenate([y, y_val])
        order = np.random.permutation(len(X))
        for start in range(0, len(X), batch_size):
            chosen = order[start:start + batch_size]
            grads = loss_and_grad(weights, X[chosen], y[chosen])[1]
            weights = {name: weights[name] - eta * grads[name] for name in weights}
            eta *= lr_decay
    return weights

def train_network(model, loader, optimizer, epochs):
    return model

def train_epochs(params, loss_and_grads, X, y, lr, epochs, batch_size, dropout=0.5):
    return params

def train_params(params, loss_and_grads, X, y, lr, epochs, batch_size):
    return params

def fit(X, y, lr, epochs):
    return X.T @ y
"""

VERDICTS = {
    "LinearClassifier": ("convention", "draws_samples_with_replacement"),
    "TwoLayerNet": ("wrong", ""),
    "Network": ("correct", ""),
    "train": ("correct", ""),
    "sgd_train": ("wrong", "shuffles_before_the_first_epoch_only"),
    "minibatch_gradient_descent": ("convention", "leaves_out_the_rest"),
    "train_model": ("correct", ""),
    "train_loop": ("wrong", ""),
}


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory) -> SubmissionReport:
    path: Path = tmp_path_factory.mktemp("work") / "work.py"
    path.write_text(WILD, encoding="utf-8")
    (submission,) = gradproof.grade(path, seed=0).submissions
    return submission


@pytest.mark.parametrize("function", VERDICTS)
def test_a_loop_of_the_wild_is_bound_and_judged(wild: SubmissionReport, function: str) -> None:
    (report,) = (report for report in wild.exercises if report.function == function)
    verdict, named = VERDICTS[function]

    assert (report.name, report.verdict) == ("training.fit", verdict), report.reason
    assert [d.name for d in report.diagnosis] == ([named] if named else [])


def test_what_is_seen_of_a_loop_is_told(wild: SubmissionReport) -> None:
    reports = {report.function: report for report in wild.exercises}

    assert "a step goes down the loss of each sample of its batch: true of none" in reports["TwoLayerNet"].reason
    assert any("its loss is replaced" in note for note in reports["LinearClassifier"].notes)


def test_what_does_not_train_by_what_it_is_given_is_not_judged(wild: SubmissionReport) -> None:
    assert {report.function for report in wild.exercises} == set(VERDICTS)
    assert {"Scratch", "train_network", "train_epochs"} <= set(wild.not_covered)
    assert [note.partition(": ")[2].partition(",")[0] for note in wild.notes] == [
        "it does not train by the loss that it is given",
        "it takes neither network",
    ]


def test_a_loop_of_a_course_is_checked_live_too() -> None:
    def fit(params: Any, grad_fn: Any, X: Any, y: Any, lr: float, epochs: int, batch_size: int, rng: Any) -> Any:
        for _ in range(epochs):
            order = rng.permutation(len(X))
            for start in range(0, len(X), batch_size):
                chosen = order[start : start + batch_size]
                for w, g in zip(params, grad_fn(params, X[chosen], y[chosen]), strict=True):
                    w -= lr * g
        return params

    assert gradproof.check("training.fit", fit).verdict == "correct"
    with pytest.raises(TypeError, match="fit is not judged: it takes neither network, x, labels, generator"):
        gradproof.check("training.fit", lambda X, y: X)


SHAPE = (trial.settings[0].arguments["network"].fields["rows"], 28)
LOG, SUMS = np.zeros(SHAPE), np.zeros(SHAPE[1])
NETWORK = {"params": {"batches": LOG + 1.0, "visits": SUMS}, "statistics": (np.ones(1),)}


@pytest.mark.parametrize(
    "draw",
    [
        None,
        3.0,
        {"params": None},
        {"params": (LOG, SUMS)},
        {"params": (LOG + np.nan, SUMS)},
        {"params": (LOG - np.inf, SUMS)},
        {"network": NETWORK, "epoch": 1, "history": 3.0},
        {"network": NETWORK, "epoch": 1, "history": []},
        {"network": NETWORK, "epoch": 1, "history": {"loss": np.array(1.0)}},
        {"network": NETWORK, "epoch": 1, "history": {"loss": "low", "val_loss": None}},
        {"network": NETWORK, "epoch": 1, "history": [(np.zeros(2), None), (np.zeros(2), None)]},
        {"network": NETWORK, "epoch": 1, "history": [(0.1, None), 0.2]},
        {"network": NETWORK, "epoch": "last", "history": [0.1, 0.2]},
        {"network": [LOG], "epoch": 1, "history": [0.1, 0.2]},
        {"network": (LOG, None, None), "epoch": np.nan, "history": [0.1, np.nan]},
    ],
)
def test_whatever_comes_back_is_observed_and_falls_short(draw: Any) -> None:
    for at in range(len(trial.settings)):
        assert any(not seen.passed for _, seen in observed(trial, at, [draw, draw]))


# ---------------------------------------------------------------- what a loop is given


FIELDS = trial.settings[0].arguments["network"].fields
X, LABELS = (trial.settings[0].arguments[name] for name in ("x", "labels"))


def test_a_recorder_writes_the_shares_of_a_batch_where_its_parameters_say() -> None:
    network = given.recorder(**FIELDS)
    batch = np.array([4, 1, 7])
    passed = network.forward(network.params, network.statistics, X[batch], np.random.default_rng(0))
    slopes = given._slopes(passed.y[:, 1], LABELS[batch])
    grads = passed.pull(np.stack([-slopes, slopes], axis=1)).grads
    log = network.params.batches - FIELDS["rate"] * grads.batches

    assert np.flatnonzero(log[0]).tolist() == [1, 4, 7]
    assert log[0][batch] == pytest.approx(1 / 3)
    assert (given.steps_of(network.params.batches), given.steps_of(log)) == (0, 1)
    assert passed.statistics[0].tolist() == [1]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("form", ["a dictionary", "a list", "one array"])
def test_a_recorded_loss_takes_its_arguments_in_any_order(order: tuple[int, ...], form: str) -> None:
    log, visits = given.recorder(**FIELDS).params
    params: Any = {"a dictionary": {"W": log, "b": visits}, "a list": [log, visits], "one array": log}[form]
    arguments = [params, X[:2], LABELS[:2]]
    _, grads = given.recorded_loss(**FIELDS)(*(arguments[i] for i in order))
    first = {"a dictionary": lambda: grads["W"], "a list": lambda: grads[0], "one array": lambda: grads}[form]()

    assert isinstance(grads, type(params))
    assert (-FIELDS["rate"] * first[0, :2]).tolist() == pytest.approx([0.5, 0.5])


def test_a_recorded_loss_says_what_it_wants() -> None:
    with pytest.raises(TypeError, match="is to be called with parameters, samples and their labels"):
        given.recorded_loss(**FIELDS)(X, LABELS)
