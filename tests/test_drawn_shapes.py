"""Functions that draw at random in the call shapes of courses and libraries, graded as submissions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradproof
from graders.harness.report import ExerciseReport
from graders.preprocessing import k_fold

pytestmark = pytest.mark.xdist_group("drawn_shapes")  # what all of them look at is made once

TEXT = """
import math, random
import numpy as np

def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = {}
    for l in range(1, len(layers_dims)):
        n_in, n_out = layers_dims[l - 1], layers_dims[l]
        parameters["W" + str(l)] = np.random.randn(n_out, n_in) * np.sqrt(2.0 / n_in)
        parameters["b" + str(l)] = np.zeros((n_out, 1))
    return parameters

def xavier_uniform(fan_in, fan_out):
    limit = np.sqrt(6 / (fan_in + fan_out))
    return np.random.uniform(-limit, limit, (fan_in, fan_out))

def kaiming_normal(shape, rng=None):
    fan_in, fan_out = shape  # a kernel's shape has more
    return rng.normal(0, np.sqrt(2 / fan_in), shape)

def he_uniform(shape, random_state):
    fan_in = shape[0] if len(shape) == 2 else shape[1] * math.prod(shape[2:])
    return np.random.RandomState(random_state).uniform(-1, 1, shape) * np.sqrt(2 / fan_in)

def random_mini_batches(X, Y, mini_batch_size=64, seed=0):
    np.random.seed(seed)
    m = X.shape[1]
    order = list(np.random.permutation(m))
    X, Y = X[:, order], Y[:, order].reshape((1, m))
    return [(X[:, k : k + mini_batch_size], Y[:, k : k + mini_batch_size]) for k in range(0, m, mini_batch_size)]

def train_test_split(X, y, test_size=0.2, random_state=None):
    order = np.random.RandomState(random_state).permutation(len(X))
    other = np.random.permutation(len(X))
    n = math.ceil(len(X) * test_size)
    return X[order[n:]], X[order[:n]], y[other[n:]], y[other[:n]]

def k_fold(n, n_splits, seed=None):
    order = np.random.RandomState(seed).permutation(n)
    for part in np.array_split(order, n_splits):
        yield np.setdiff1d(order, part), part

def bootstrap_sample(X, y):
    n = X.shape[0]
    chosen = np.random.choice(n, n, replace=True)
    return X[chosen], y[chosen]

def random_horizontal_flip(image, p=0.5):  # height, width, channels
    return image[:, ::-1, :] if random.random() < p else image

def random_crop(images, pad):  # all alike
    n, h, w, c = images.shape
    padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    i, j = np.random.randint(0, 2 * pad + 1, 2)
    return padded[:, i : i + h, j : j + w]

def add_gaussian_noise(x, mean=0, sigma=0.1):
    return x + np.random.normal(mean, sigma**2, x.shape)

def dropout_mask(shape_like, keep_prob):
    return np.random.rand(*shape_like.shape) < keep_prob

def make_mask(shape, p, seed):
    return (np.random.default_rng(seed).random(shape) >= p).astype(float)

def numerical_gradient(f, x, h=1e-5):
    grad = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"])
    while not it.finished:
        i = it.multi_index
        old = x[i]
        x[i] = old + h
        above = f(x)
        x[i] = old - h
        below = f(x)
        x[i] = old
        grad[i] = (above - below) / (2 * h)
        it.iternext()
    return grad

def xavier_init(n_in, n_out):
    return np.random.uniform(-1, 1, (n_in, n_out)) * np.sqrt(6 / (n_in + n_out))

def glorot(fan_in, fan_out):
    return np.random.randn(fan_in, fan_out) * np.sqrt(2 / (fan_in + fan_out))

def initialize_xavier(n_in, n_out):
    return np.random.randn(n_in, n_out) / np.sqrt(n_in)

def xavier(n_in, n_out):
    return 0.01 * np.random.randn(n_in, n_out)

def he_normal(*shape):
    return np.random.randn(*shape) * np.sqrt(2 / (shape[0] if len(shape) == 2 else shape[1] * math.prod(shape[2:])))

def kaiming_init(n_in, n_out):  # as PyTorch lays weights out
    return np.random.randn(n_out, n_in) * np.sqrt(2 / n_in)

def he_init(n_in, n_out):
    return np.random.randn(n_out, n_in) * np.sqrt(1 / n_in)

def mixup(x, y, z, alpha=1.0):
    return x, y

class EarlyStopping:
    def __init__(self, patience=5, min_delta=0.0):
        self.patience, self.min_delta, self.best, self.counter = patience, min_delta, float("inf"), 0

    def step(self, val_loss):
        if val_loss < self.best - self.min_delta:
            self.best, self.counter = val_loss, 0
        else:
            self.counter += 1
        return self.counter >= self.patience
"""

VERDICTS = {
    "initialize_parameters_he": ("initialization.he_normal", "correct", ""),
    "xavier_uniform": ("initialization.glorot_uniform", "correct", ""),
    "xavier_init": ("initialization.glorot_uniform", "correct", ""),
    "glorot": ("initialization.glorot_normal", "correct", ""),
    "initialize_xavier": ("initialization.normal_fan_in", "correct", ""),
    "he_normal": ("initialization.he_normal", "correct", ""),
    "kaiming_init": ("initialization.he_normal", "correct", ""),
    "he_init": ("initialization.he_normal", "wrong", "forgets_the_two"),
    "kaiming_normal": ("initialization.he_normal", "correct", ""),
    "he_uniform": ("initialization.he_uniform", "wrong", "takes_the_deviation_for_the_bound"),
    "random_mini_batches": ("training.minibatches", "correct", ""),
    "train_test_split": ("preprocessing.train_validation_test_split", "wrong", ""),
    "k_fold": ("preprocessing.k_fold", "correct", ""),
    "bootstrap_sample": ("ensembles.bootstrap_sample", "correct", ""),
    "random_horizontal_flip": ("preprocessing.random_flip", "correct", ""),
    "random_crop": ("preprocessing.random_crop", "wrong", "crops_all_images_alike"),
    "add_gaussian_noise": ("preprocessing.add_noise", "wrong", "squares_the_deviation"),
    "dropout_mask": ("regularization.dropout_mask", "correct", ""),
    "make_mask": ("regularization.dropout_mask", "correct", ""),
    "numerical_gradient": ("differences.numerical_gradient", "correct", ""),
    "EarlyStopping": ("regularization.early_stopping", "correct", ""),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExerciseReport]:
    path: Path = tmp_path_factory.mktemp("work") / "work.py"
    path.write_text(TEXT, encoding="utf-8")
    (submission,) = gradproof.grade(path, seed=0).submissions

    assert submission.notes == ["mixup is not judged: what its parameter `z` is, is not known"]
    assert submission.not_covered == ["xavier"]  # none of the three rules that go by Glorot's name
    return {report.function: report for report in submission.exercises}


@pytest.mark.parametrize("function", VERDICTS)
def test_a_call_shape_of_the_wild_is_bound_and_judged(graded: dict[str, ExerciseReport], function: str) -> None:
    name, verdict, mistake = VERDICTS[function]
    report = graded[function]

    assert (report.name, report.verdict) == (name, verdict), report.reason
    assert [d.name for d in report.diagnosis] == ([mistake] if mistake else [])


def test_labels_that_are_not_those_of_their_samples_are_told(graded: dict[str, ExerciseReport]) -> None:
    assert graded["train_test_split"].reason == "the labels of a part are not those of its samples"


@pytest.mark.parametrize(
    "function, note",
    [
        ("initialize_parameters_he", "seeds itself"),
        ("kaiming_normal", "raises for a convolution: not judged by it"),
        ("random_horizontal_flip", "takes one image at a time"),
        ("random_mini_batches", "given data laid out features x samples"),
        ("EarlyStopping", "told the losses one by one"),
    ],
)
def test_how_it_was_called_is_told(graded: dict[str, ExerciseReport], function: str, note: str) -> None:
    assert any(note in one for one in graded[function].notes)


def test_a_verdict_is_the_same_for_a_text_that_is_scored_and_a_function_that_is_checked() -> None:
    def he_uniform(shape: tuple[int, ...], rng: object) -> object:
        return None

    assert gradproof.check("he_uniform", he_uniform).verdict == "unfilled"
    scored = gradproof.score(TEXT, "he_uniform", seed=0)
    assert (scored.verdict, scored.score) == ("wrong", 0.0)
    with pytest.raises(TypeError, match="he_uniform is not judged: it has no parameter for `shape`"):
        gradproof.check("he_uniform", lambda: None)


BATCHES = """
import numpy as np
def random_mini_batches(X, Y, mini_batch_size=64, seed=0):
    np.random.seed(seed)
    m = X.shape[1]
    order = np.random.permutation(m)
    X, Y = X[:, order], Y[:, order].reshape((1, m))
    batches = []
    for k in range(m // mini_batch_size):
        at = slice(mini_batch_size * k, mini_batch_size * (k + 1))
        batches.append((X[:, at], Y[:, at]))
    if m % mini_batch_size != 0:
        at = slice(mini_batch_size * (k + 1), m)
        batches.append((X[:, at], Y[:, at]))
    return batches
"""


def test_a_function_that_raises_in_a_setting_is_shown_as_it_was_meant_to_be_called(tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    path.write_text(BATCHES)
    (report,) = gradproof.grade(path, seed=0).submissions[0].exercises

    assert report.verdict == "error"
    assert "UnboundLocalError" in report.reason, report.reason  # fewer samples than a batch: its own mistake


LISTED = """
import numpy as np

def create_mini_batches(X, y, batch_size, seed):
    order = np.random.default_rng(seed).permutation(len(X))
    parts = [order[at : at + batch_size] for at in range(0, len(X), batch_size)]
    return [[X[part].tolist(), y[LABELS].tolist()] for part in parts]
"""


@pytest.mark.parametrize(("labels", "verdict"), [("part", "correct"), ("part[::-1]", "wrong")])
def test_batches_may_be_lists(labels: str, verdict: str, tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    path.write_text(LISTED.replace("LABELS", labels))
    (report,) = gradproof.grade(path, seed=0).submissions[0].exercises

    assert (report.name, report.verdict) == ("training.minibatches", verdict)


def test_batches_that_are_left_blank_are_unfilled(tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    path.write_text(BATCHES.replace("(X[:, at], Y[:, at])", "(None, None)").replace("(k + 1), m", "0, m"))
    (report,) = gradproof.grade(path, seed=0).submissions[0].exercises

    assert report.verdict == "unfilled"


OTHERS = """
from collections import namedtuple
import numpy as np

Found = namedtuple("Found", "point loss")

def random_search(f, draw, generator, trials):
    best, least = None, float("inf")
    for _ in range(trials):
        point = draw(generator)
        loss = float(f(point))
        if loss < least:
            best, least = point, loss
    return Found(best, least)

def glorot_uniform(shape):
    limit = np.sqrt(6.0 / (shape[0] + shape[1]))
    return np.random.uniform(-limit, limit, size=shape)

def he_normal(shape, generator):
    w = generator.standard_normal(shape)
    return (w - w.mean()) / w.std() * np.sqrt(2 / (shape[0] if len(shape) == 2 else np.prod(shape[1:])))

def gaussian_noise(shape, generator, std):
    return std * generator.standard_normal(shape)

def fit(network, x, labels, generator, *, lr, epochs, batch_size=32):
    for _ in range(epochs):
        loss, grads = network.loss_and_grads(x, labels)
    return network, [loss]
"""


def test_names_that_are_ones_own_are_read_in_their_order_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    path.write_text(OTHERS)
    (submission,) = gradproof.grade(path, seed=0).submissions
    told = {r.function: (r.verdict, next((d.name for d in r.diagnosis), "")) for r in submission.exercises}

    assert told == {
        "random_search": ("correct", ""),
        "glorot_uniform": ("convention", "knows_dense_layers_only"),
        "he_normal": ("wrong", "makes_each_draw_fit"),
    }
    assert "gaussian_noise" in submission.not_covered  # it adds it to nothing
    assert "fit is not judged: it takes objects of its own, with `.loss_and_grads`" in submission.notes


FOLDS = """
import numpy as np

def _parts(n, k, seed):
    return np.array_split(np.random.default_rng(seed).permutation(n), k)

def make_folds(n, k, seed):
    return _parts(n, k, seed)

def kfolds(X, y, k, seed):
    parts = _parts(len(X), k, seed)
    return [X[part] for part in parts], [y[part] for part in parts]

def kfold_split(n, k, seed):
    size, order = n // k, np.random.default_rng(seed).permutation(n)
    return [order[i * size : (i + 1) * size] for i in range(k)]

def k_folds(n, k, seed):
    return np.array(_parts(n, k, seed), dtype=object) if n % k == 0 else np.fromiter(_parts(n, k, seed), object, k)

def kfold_cv(X, y, k, seed):
    return [X[part] for part in _parts(len(X), k, seed)], np.array_split(y, k)
"""
FOLDS_VERDICTS = {
    "make_folds": ("correct", ""),
    "kfolds": ("correct", ""),
    "k_folds": ("correct", ""),
    "kfold_split": ("wrong", "never_holds_out_the_remainder"),
    "kfold_cv": ("wrong", ""),
}


def test_folds_may_be_the_held_out_parts_alone(tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    path.write_text(FOLDS)
    (submission,) = gradproof.grade(path, seed=0).submissions
    told = {r.function: (r.verdict, next((d.name for d in r.diagnosis), "")) for r in submission.exercises}

    assert told == FOLDS_VERDICTS, [r.reason for r in submission.exercises]


PARTS = np.array_split(np.random.default_rng(0).permutation(23), 5)


@pytest.mark.parametrize(
    "held", [PARTS, tuple(PARTS), [part.tolist() for part in PARTS], [[np.array(i) for i in part] for part in PARTS]]
)
def test_held_out_parts_are_read_whatever_holds_them(held: Any) -> None:
    setting = replace(k_fold.settings[0], arguments={"n": 23, "k": 5})

    assert all(observation.passed for observation in k_fold.observe(setting, [held]))


@pytest.mark.parametrize(
    "held", [PARTS[:-1], PARTS[:1] * 5, [part + 1 for part in PARTS], [PARTS[1], *PARTS[1:]], [[], *PARTS[1:]]]
)
def test_held_out_parts_that_are_wrong_are_seen(held: Any) -> None:
    setting = replace(k_fold.settings[0], arguments={"n": 23, "k": 5})

    assert not all(observation.passed for observation in k_fold.observe(setting, [held]))


LOGISTIC = """
import numpy as np

def _sigmoid(z):
    return 1 / (1 + np.exp(-z))

def propagate(w, b, X, Y):
    m = X.shape[1]
    A = _sigmoid(np.dot(w.T, X) + b)
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
    dw, db = np.dot(X, (A - Y).T) / m, np.sum(A - Y) / m
    return {"dw": dw, "db": db}, np.squeeze(cost)

def optimize(w, b, X, Y, num_iterations, learning_rate, print_cost):
    costs = []
    for i in range(num_iterations):
        grads, cost = propagate(w, b, X, Y)
        w = w - learning_rate * grads["dw"]
        b = b - learning_rate * grads["db"]
        if i % 100 == 0:
            costs.append(cost)
    return {"w": w, "b": b}, grads, costs

def model(X_train, Y_train, X_test, Y_test, num_iterations=2000, learning_rate=0.5, print_cost=False):
    start = np.zeros((X_train.shape[0], 1))
    params, _, costs = optimize(start, 0.0, X_train, Y_train, num_iterations, learning_rate, print_cost)
    return {"costs": costs, "w": params["w"], "b": params["b"], "num_iterations": num_iterations}
"""
LINEAR = LOGISTIC.replace("_sigmoid(np", "(np").replace(
    "Y * np.log(A) + (1 - Y) * np.log(1 - A)", "-((A - Y) ** 2) / 2"
)


def judged(tmp_path: Path, text: str) -> dict[tuple[str, str], str]:
    path = tmp_path / "work.py"
    path.write_text(text)
    (submission,) = gradproof.grade(path, seed=0).submissions
    return {(e.function, e.name.partition(".")[2]): e.verdict for e in submission.exercises}


def test_a_courses_logistic_regression_is_judged_by_its_slopes_and_by_where_it_leads_to(tmp_path: Path) -> None:
    assert judged(tmp_path, LOGISTIC) == {
        ("propagate", "logistic_regression"): "correct",
        ("propagate", "logistic_regression_grad"): "correct",
        ("optimize", "gradient_descent"): "correct",
        ("model", "gradient_descent"): "correct",
    }


@pytest.mark.parametrize(
    "old, new, wrong",
    [
        ("np.sum(A - Y) / m", "np.sum(A - Y)", {"logistic_regression_grad", "gradient_descent"}),
        ("* grads[\"db\"]", "* 0", {"gradient_descent"}),
        ("range(num_iterations)", "range(num_iterations + 1)", {"gradient_descent"}),
        ("-np.sum(Y", "np.sum(Y", {"logistic_regression"}),
    ],
)  # fmt: skip
def test_a_mistake_in_a_courses_logistic_regression_is_seen(
    old: str, new: str, wrong: set[str], tmp_path: Path
) -> None:
    assert old in LOGISTIC
    found = judged(tmp_path, LOGISTIC.split("def model")[0].replace(old, new))

    assert {name for (_, name), verdict in found.items() if verdict == "wrong"} == wrong
    assert set(found.values()) <= {"wrong", "correct"}


def test_a_linear_regression_in_that_shape_is_not_taken_for_a_logistic_one(tmp_path: Path) -> None:
    assert judged(tmp_path, LINEAR) == {}


@pytest.mark.parametrize(
    "name, step, verdict",
    [("gradient_descent", "", "correct"), ("gradientDescent", "2 * ", "correct"), ("gradient_descent", "3 * ", None)],
)
def test_a_descent_that_is_given_data_is_judged_if_its_loss_is_known(
    name: str, step: str, verdict: str | None, tmp_path: Path
) -> None:
    text = f"def {name}(X, y, theta, alpha, num_iters):\n    history = []\n    for _ in range(num_iters):\n"
    text += f"        theta = theta - {step}alpha / len(y) * X.T.dot(X.dot(theta) - y)\n        history.append(0)\n"

    found = judged(tmp_path, f"{text}    return theta, history\n")

    assert found == ({(name, "gradient_descent"): verdict} if verdict else {})


LAYERS_OF_HE = """
import numpy as np
def he_initialize(layer_dims, method="normal", seed=42):
    rng = np.random.default_rng(seed)
    pairs = zip(layer_dims[:-1], layer_dims[1:])
    return [rng.standard_normal((a, b)) * np.sqrt(2.0 / a) for a, b in pairs]
"""


def _verdicts(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "work.py"
    path.write_text(text, encoding="utf-8")
    (submission,) = gradproof.grade(path, seed=0).submissions
    return {e.name: e.verdict for e in submission.exercises} | {"": "; ".join(submission.notes)}


def test_weights_may_come_as_a_list_of_layers(tmp_path: Path) -> None:
    name = "initialization.he_normal"

    assert _verdicts(tmp_path, LAYERS_OF_HE)[name] == "correct"
    assert _verdicts(tmp_path, LAYERS_OF_HE.replace("2.0 / a", "1.0 / a"))[name] == "wrong"
    assert _verdicts(tmp_path, LAYERS_OF_HE.replace("(a, b))", "(a, b, 1))"))[name] in ("wrong", "error")


def test_a_share_that_is_left_for_training_is_told_as_it_is_written(tmp_path: Path) -> None:
    """What 0.27 and 0.13 leave of one is 0.6 but for the last bit, and int(0.59… n) would be one less."""
    text = (
        "import numpy as np\ndef split_train_val_test(X, y, train_frac=0.6, val_frac=0.2, seed=0):\n"
        "    assert round(train_frac, 6) == train_frac, train_frac\n"
        "    order = np.random.default_rng(seed).permutation(len(X))\n"
        "    first = int(train_frac * len(X))\n    second = first + int(val_frac * len(X))\n"
        "    parts = order[:first], order[first:second], order[second:]\n"
        "    return [(X[part], y[part]) for part in parts]\n"
    )
    verdict = _verdicts(tmp_path, text)["preprocessing.train_validation_test_split"]

    assert verdict == "convention"


def test_what_is_another_task_by_the_same_name_is_not_judged(tmp_path: Path) -> None:
    stops = "def early_stopping(val_losses, patience):\n    return [v > val_losses[0] for v in val_losses]\n"
    batches = "def iterate_minibatches(buffer, batch_size):\n    for i in range(0, len(buffer), batch_size):\n"
    batches += "        yield buffer[i : i + batch_size]\n"

    assert _verdicts(tmp_path, stops) == {
        "": "early_stopping is not judged: it takes a list, and not what gives one after the other"
    }
    flags = "def early_stopping(val_losses, patience):\n    best = 1e9\n    for loss in val_losses:\n"
    flags += "        if loss < best:\n            best = loss\n    return [best]\n"
    assert _verdicts(tmp_path, flags) == {
        "": "early_stopping is not judged: it takes losses, and not pairs of a loss and parameters"
    }
    assert _verdicts(tmp_path, batches) == {
        "": "iterate_minibatches is not judged: it takes the data, and not how many there are"
    }
    assert _verdicts(tmp_path, stops.replace("[0]", ".pop()"))["regularization.early_stopping"] == "error"
