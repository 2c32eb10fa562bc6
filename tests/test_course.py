"""Course functions as they are: found by name and signature, called as the course calls them, judged fairly."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders import _api
from graders.harness.report import SubmissionReport

AFFINE = """
import numpy as np

def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)

def affine_backward(dout, cache):
    x, w, b = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)
"""
LINEAR = """
import numpy as np
from past.builtins import xrange
from random import shuffle
import matplotlib.pyplot as plt

plt.rcParams["figure.figsize"] = (10.0, 8.0)
figure, axes = plt.subplots()

def softmax_loss_vectorized(W, X, y, reg):
    s = X @ W
    s = s - s.max(axis=1, keepdims=True)
    n = len(X)
    log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    p = np.exp(log_p)
    p[np.arange(n), y] -= 1
    return -log_p[np.arange(n), y].mean() + LOSS, X.T @ p / n + GRADIENT
"""
ADAM = """
import numpy as np

def adam(w, dw, config=None):
    c = config
    c["t"] += 1
    c["m"] = c["beta1"] * c["m"] + (1 - c["beta1"]) * dw
    c["v"] = c["beta2"] * c["v"] + (1 - c["beta2"]) * dw * dw
    m, v = c["m"] / (1 - c["beta1"] ** c["t"]), c["v"] / (1 - c["beta2"] ** c["t"])
    return w - c["learning_rate"] * m / (np.sqrt(v) + c["epsilon"]), c
"""


def graded(tmp_path: Path, text: str) -> SubmissionReport:
    file = tmp_path / "layers.py"
    file.write_text(text)
    (submission,) = _api.grade([file], seed=0).submissions
    return submission


def verdicts(tmp_path: Path, text: str) -> dict[str, str]:
    return {e.name: e.verdict for e in graded(tmp_path, text).exercises}


def test_a_layer_and_its_backward_are_judged_through_its_own_cache(tmp_path: Path) -> None:
    assert verdicts(tmp_path, AFFINE) == {"layers.affine": "correct", "layers.affine_vjp": "correct"}


def test_the_cache_may_hold_what_cannot_cross_the_boundary(tmp_path: Path) -> None:
    text = AFFINE.replace("(x, w, b)\n\ndef", "lambda: (x, w, b)\n\ndef").replace("= cache\n", "= cache()\n")

    assert verdicts(tmp_path, text) == {"layers.affine": "correct", "layers.affine_vjp": "correct"}


def test_a_layer_flattens_images_as_the_course_asks(tmp_path: Path) -> None:
    text = AFFINE.replace("x.reshape(len(x), -1) @ w", "x @ w")

    assert verdicts(tmp_path, text)["layers.affine"] in ("wrong", "error")


def test_a_backward_must_return_the_shape_of_its_images(tmp_path: Path) -> None:
    text = AFFINE.replace("(dout @ w.T).reshape(x.shape)", "dout @ w.T")
    report = {e.name: e for e in graded(tmp_path, text).exercises}["layers.affine_vjp"]

    assert report.verdict == "error"
    assert "expected the shape of x" in report.reason


def test_a_backward_without_its_forward_is_said_to_be_alone(tmp_path: Path) -> None:
    text = AFFINE.replace("def affine_forward", "def forward")
    report = graded(tmp_path, text)

    assert not report.exercises
    assert any("needs the cache of affine_forward" in note for note in report.notes)


@pytest.mark.parametrize(
    ("loss", "gradient", "expected"),
    [
        ("reg * (W * W).sum()", "2 * reg * W", ("correct", "correct")),
        ("0.5 * reg * (W * W).sum()", "reg * W", ("convention", "convention")),
        ("0.5 * reg * (W * W).sum()", "2 * reg * W", ("convention", "wrong")),
        ("reg * (W * W).sum()", "reg * W", ("correct", "wrong")),
        ("reg * (W * W).sum()", "0", ("correct", "wrong")),
    ],
)
def test_a_penalty_and_its_gradient_must_belong_together(
    loss: str, gradient: str, expected: tuple[str, str], tmp_path: Path
) -> None:
    found = verdicts(tmp_path, LINEAR.replace("LOSS", loss).replace("GRADIENT", gradient))

    assert (found["training.softmax_regression"], found["training.softmax_regression_grad"]) == expected


def test_an_optimizer_steps_with_its_own_config(tmp_path: Path) -> None:
    assert verdicts(tmp_path, ADAM) == {"optimizers.adam": "correct"}


def test_a_counter_that_stands_still_is_found(tmp_path: Path) -> None:
    assert verdicts(tmp_path, ADAM.replace('    c["t"] += 1\n', '    c["t"] = 1\n')) == {"optimizers.adam": "wrong"}


# the bodies with which starters are handed out: each must be called unfilled
@pytest.mark.parametrize("body", ["pass", "next_w = None\n    return next_w, config", "raise NotImplementedError"])
def test_a_starter_is_unfilled(body: str, tmp_path: Path) -> None:
    assert verdicts(tmp_path, f"def rmsprop(w, dw, config=None):\n    {body}\n") == {"optimizers.rmsprop": "unfilled"}


def test_a_function_of_the_same_name_with_the_catalogues_signature_is_not_the_courses(tmp_path: Path) -> None:
    text = "def sgd(params, grad, *, lr):\n    return params - lr * grad\n"

    assert verdicts(tmp_path, text) == {"optimizers.sgd": "correct"}


def test_an_old_python_is_not_a_wrong_answer(tmp_path: Path) -> None:
    report = graded(tmp_path, "def relu_forward(x):\n    print 'hello'\n    return x, x\n")

    assert report.status == "unreadable"
    assert report.reason.startswith("needs an older Python")


def test_an_import_that_nothing_needs_costs_nothing(tmp_path: Path) -> None:
    report = graded(tmp_path, "from cs231n.fast_layers import *\nimport keras\n" + AFFINE)

    assert {e.verdict for e in report.exercises} == {"correct"}
    assert any("'keras', which is not allowed or not installed" in note for note in report.notes)


def test_what_needs_an_absent_package_is_incompatible_and_says_which(tmp_path: Path) -> None:
    text = "import keras\nimport numpy as np\n"
    text += "def relu(z):\n    return keras.relu(z)\ndef tanh(z):\n    return np.tanh(z)\n"
    found = {e.name: e for e in graded(tmp_path, text).exercises}

    assert found["activations.tanh"].verdict == "correct"
    assert found["activations.relu"].verdict == "incompatible"
    assert "'keras'" in found["activations.relu"].reason


def test_two_processes_are_asked_the_same(tmp_path: Path) -> None:
    for student in range(4):
        (tmp_path / f"s{student}.py").write_text(f"# {student}\n" + AFFINE)

    report = _api.grade([tmp_path], seed=0, jobs=2)

    assert [s.id for s in report.submissions] == [f"s{student}.py" for student in range(4)]
    assert {e.verdict for s in report.submissions for e in s.exercises} == {"correct"}


@pytest.mark.parametrize(("scale", "expected"), [("1", "correct"), ("2", "wrong")])
def test_a_softmax_loss_of_weights_is_that_of_a_linear_classifier(scale: str, expected: str, tmp_path: Path) -> None:
    text = f"""
import numpy as np

def softmax_loss(W, X, y, reg=0.0):
    z = X @ W
    z = z - z.max(axis=1, keepdims=True)
    log_s = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -{scale} * log_s[np.arange(len(y)), y].mean() + reg * np.sum(W * W)
"""
    assert verdicts(tmp_path, text) == {"training.softmax_regression": expected}


def test_dropout_by_a_mask_that_is_given_is_not_the_courses(tmp_path: Path) -> None:
    text = """
import numpy as np

def dropout_forward(x, mask, p=0.5, training=True):
    return x * mask / (1 - p) if training else x.copy()
"""
    assert verdicts(tmp_path, text) == {"regularization.dropout": "correct"}
    assert verdicts(tmp_path, text.replace("(1 - p)", "(1 - p) ** 2")) == {"regularization.dropout": "wrong"}


WITHOUT_CACHE = """
import numpy as np

class NN:
    @staticmethod
    def relu(Z):
        return np.maximum(0, Z)

    @staticmethod
    def relu_backward(dA, cache):
        dZ = np.array(dA, copy=True)
        dZ[cache <= 0] = BEYOND
        return dZ
"""


@pytest.mark.parametrize(("beyond", "verdict"), [("0", "correct"), ("1", "wrong")])
def test_what_a_backward_calls_its_cache_is_z_where_its_forward_keeps_none(
    beyond: str, verdict: str, tmp_path: Path
) -> None:
    found = verdicts(tmp_path, WITHOUT_CACHE.replace("BEYOND", beyond))

    assert found == {"activations.relu": "correct", "activations.relu_vjp": verdict}


COST = """
import numpy as np

def compute_cost(A4, Y):
    return -np.sum(Y * np.log(A4)) / Y.shape[1]
"""
SOFTMAX = """
def softmax(Z):
    e = np.exp(Z - Z.max(axis=0))
    return e / e.sum(axis=0)
"""


def test_a_cost_beside_a_softmax_is_one_of_classes(tmp_path: Path) -> None:
    assert verdicts(tmp_path, COST)["losses.sigmoid_bce"] == "wrong"  # it forgets the negative class
    assert verdicts(tmp_path, COST + SOFTMAX)["losses.cross_entropy"] in ("correct", "unstable")
    assert verdicts(tmp_path, COST.replace("1]", "0]") + SOFTMAX)["losses.sigmoid_bce"] == "wrong"


@pytest.mark.parametrize(("layers", "sign", "verdict"), [(4, "-", "correct"), (4, "+", "wrong"), (3, "-", "correct")])
def test_an_update_has_as_many_layers_as_it_names(layers: int, sign: str, verdict: str, tmp_path: Path) -> None:
    steps = [
        f"    parameters['{key}'] = parameters['{key}'] {sign} learning_rate * gradients['d{key}']\n"
        for layer in range(1, layers + 1) for key in (f"W{layer}", f"b{layer}")
    ]  # fmt: skip
    text = "def update_parameters(parameters, gradients, learning_rate):\n" + "".join(steps) + "    return parameters\n"

    assert verdicts(tmp_path, text) == {"optimizers.sgd": verdict}


OWN_KINDS = """
import numpy as np

class BCELoss:
    def forward(self, y_pred, y_true):
        if isinstance(y_pred, np.ndarray):
            raise TypeError("Input values must be tensors")
        return -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))

def tanh(x):
    return x.tanh()

def relu(x):
    return x.maximun(0)

def entropy(p):
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)
"""


def test_what_takes_objects_of_its_own_kind_is_not_wrong(tmp_path: Path) -> None:
    report = graded(tmp_path, OWN_KINDS)
    found = {e.name: e.verdict for e in report.exercises}

    assert found == {"activations.relu": "error", "losses.sigmoid_bce": "incompatible"}  # a slip is a slip
    assert {
        "tanh is not judged: it takes objects of its own, with `.tanh`",
        "entropy is not judged: it is that of two outcomes, by the probability of one, and the exercise of many",
    } <= set(report.notes)


@pytest.mark.parametrize(("kept", "verdict"), [("/ self.keep_prob", "correct"), ("", "wrong")])
def test_a_dropout_layer_may_refuse_to_keep_everything(kept: str, verdict: str, tmp_path: Path) -> None:
    text = f"""
import numpy as np

class DropoutLayer:
    def __init__(self, keep_prob):
        assert 0.0 < keep_prob < 1.0
        self.keep_prob = keep_prob

    def forward(self, X, prediction=False):
        if prediction:
            return X
        self.mask = (np.random.uniform(size=X.shape) < self.keep_prob) {kept}
        return X * self.mask

    def backward(self, d_prev, _):
        return d_prev * self.mask
"""
    assert verdicts(tmp_path, text) == {"regularization.dropout": verdict, "regularization.dropout_vjp": verdict}


TABLES = """
import numpy as np

def affine_forward({x}, W, b):
    return np.dot({x}, W) + b, ({x}, W, b)

def relu_forward(X, W, b):
    return np.maximum(np.dot(X, W) + b, 0), (X, W, b)

def relu_backward(dout, cache):
    X, W, b = cache
    return np.dot(dout, W.T) * (X != 0), np.dot(X.T, dout), dout.sum(axis=0)
"""


def test_functions_of_ones_own_under_the_courses_names_are_judged_by_what_they_take(tmp_path: Path) -> None:
    report = graded(tmp_path, TABLES.format(x="X"))

    assert {e.name: e.verdict for e in report.exercises} == {"layers.affine": "correct"}
    assert "relu_backward is not judged: relu_forward is another function than the course's" in report.notes
    assert verdicts(tmp_path, TABLES.format(x="x").replace("W", "w"))["layers.affine"] == "error"  # the course's own


def test_tabs_that_python_2_took_are_not_an_error(tmp_path: Path) -> None:
    text = "def sigmoid(z):\n    z = -z\n\treturn 1 / (1 + 2.718281828459045 ** z)\n"

    report = graded(tmp_path, text)

    assert report.status == "unreadable"
    assert (report.reason or "").startswith("needs an older Python")


CLASSES = """
import numpy as np

class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.s = e / e.sum(axis=1, keepdims=True)
        return self.s
    def backward(self, dout):
        return BACK

class LeakyReLU:
    def __init__(self, coef=0.1):
        self.coef = coef
    def forward(self, x):
        return np.where(x > 0, x, self.coef * x)

class LReLU:
    def forward(self, x):
        return np.where(x > 0, x, 0.3 * x)

def flatten(data):
    return np.ravel(data)
"""


def test_what_a_class_leaves_to_others_or_has_of_its_own_is_not_wrong(tmp_path: Path) -> None:
    report = graded(tmp_path, CLASSES.replace("BACK", "dout"))
    found = {(e.name, e.function): e.verdict for e in report.exercises}

    assert found == {
        ("activations.softmax", "Softmax.forward"): "correct",
        ("activations.leaky_relu", "LeakyReLU.forward"): "correct",
    }
    for said in (
        "Softmax's backward is not judged: it passes on what it is given",
        "LReLU.forward is not judged",
        "flatten is not judged: it gives all in one row",
    ):
        assert any(said in note for note in report.notes), report.notes
    assert verdicts(tmp_path, CLASSES.replace("BACK", "dout * self.s"))["activations.softmax_vjp"] == "wrong"


def test_layers_that_return_dictionaries_are_not_the_courses(tmp_path: Path) -> None:
    text = (
        "import numpy as np\ndef relu_forward(x):\n    return {'y': np.maximum(x, 0), 'cache': {'x': x}}\n"
        "def relu_backward(dout, cache):\n    return {'dx': dout * (cache['x'] > 0)}\n"
    )
    report = graded(tmp_path, text)

    assert report.exercises == []
    assert report.notes == [
        f"{name} is not judged: relu_forward returns a dictionary, not an array and a cache"
        for name in ("relu_forward", "relu_backward")
    ]
    assert verdicts(tmp_path, text.replace("{'y': np.maximum(x, 0), 'cache': {'x': x}}", "x, 1"))
