"""Plain functions whose parameters are called otherwise than in the catalogue: judged fairly, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders import _api
from graders.harness.report import SubmissionReport


def graded(tmp_path: Path, text: str, *only: str) -> SubmissionReport:
    file = tmp_path / "theirs.py"
    file.write_text(f"import math\nimport numpy as np\n\n{text}")
    (submission,) = _api.grade([file], seed=0, only=only).submissions
    return submission


def verdicts(report: SubmissionReport) -> dict[str, str]:
    return {e.name.partition(".")[2]: e.verdict for e in report.exercises}


def notes(report: SubmissionReport) -> str:
    return "\n".join([*report.notes, *(note for e in report.exercises for note in e.notes)])


LEAKY = "def leaky_relu(x, alpha=0.2):\n    return np.where(x > 0, x, SLOPE * x)\n"
COSINE = "def cosine_lr(base_lr, step, total_steps, min_lr=0.0):\n"
COSINE += "    return min_lr + WEIGHT * (base_lr - min_lr) * (1 + np.cos(np.pi * step / total_steps))\n"
ONE_HOT = "def one_hot(y, n_classes):\n    return np.eye(n_classes)[y + FIRST]\n"
ERROR = "def mse_grad(y_true, y_pred):\n    return FACTOR * (y_pred - y_true) / y_true.size\n"
ACCURACY = "def accuracy(y_true, y_pred):\n    return 100 / SHARE * np.mean(y_true == y_pred)\n"
GROUPS = """
def group_norm(x, gamma, beta, G, epsilon=1e-5):
    n, c, h, w = x.shape
    rows = x.reshape(n, G, -1)
    rows = (rows - rows.mean(-1, keepdims=True)) / np.sqrt(rows.var(-1, keepdims=True, ddof=LESS) + epsilon)
    return rows.reshape(x.shape) * gamma[:, None, None] + beta[:, None, None]
"""
POOL = """
def max_pool2d(x, pool_size=2, stride=2):
    k, s = pool_size, stride
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::s, ::s]
    return windows.AGG(axis=(4, 5))
"""
SIGMOID = "def sigmoid(x):\n    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(SIGN * x))\n"
SOFTMAX = """
def softmax(xs):
    e = [math.exp(x - max(xs)) for x in xs]
    return [one / (sum(e) + MORE) for one in e]
"""


@pytest.mark.parametrize(
    ("text", "mark", "right", "mistaken", "name"),
    [
        (LEAKY, "SLOPE", "alpha", "0.2", "leaky_relu"),
        (COSINE, "WEIGHT", "0.5", "1", "cosine_lr"),
        (ONE_HOT, "FIRST", "0", "-1", "one_hot"),
        (ERROR, "FACTOR", "2", "1", "mse_grad"),
        (ACCURACY, "SHARE", "100", "1", "accuracy"),
        (GROUPS, "LESS", "0", "1", "group_norm"),
        (POOL, "AGG", "max", "min", "max_pool2d"),
        (SIGMOID, "SIGN", "1", "2", "sigmoid"),
        (SOFTMAX, "MORE", "0", "0.5", "softmax"),
    ],
)
def test_other_names_are_no_mistake_and_hide_none(
    text: str, mark: str, right: str, mistaken: str, name: str, tmp_path: Path
) -> None:
    assert verdicts(graded(tmp_path, text.replace(mark, right))) == {name: "correct"}
    assert verdicts(graded(tmp_path, text.replace(mark, mistaken))) == {name: "wrong"}


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("x", "wrong"),
        ("x: np.ndarray", "wrong"),
        ("x: list[list[float]]", "wrong"),
        ("x: list", "correct"),
        ("x: list[float]", "correct"),
        ("x: 'List[float]'", "correct"),
        ("x: 'Sequence[float]', axis=-1", "wrong"),
    ],
)
def test_a_softmax_is_judged_on_tables_unless_it_says_that_it_takes_a_list_of_numbers(
    hint: str, expected: str, tmp_path: Path
) -> None:
    text = f"def softmax({hint}):\n    e = np.exp(x - np.max(x))\n    return e / np.sum(e)\n"

    assert verdicts(graded(tmp_path, text)) == {"softmax": expected}
    assert verdicts(graded(tmp_path, text.replace("np.sum(e)", "e.size"))) == {"softmax": "wrong"}


@pytest.mark.parametrize("axes", ["(2, 3)", "(1, 2)", "(0, 1)", "(-2, -1)"])
def test_a_mean_of_every_map_may_be_that_of_images_with_the_channels_last_or_of_one_image(
    axes: str, tmp_path: Path
) -> None:
    text = f"def global_avg_pool(x):\n    return x.mean(axis={axes})\n"

    assert verdicts(graded(tmp_path, text)) == {"global_avg_pool": "correct"}
    assert verdicts(graded(tmp_path, text.replace(".mean", ".sum"))) == {"global_avg_pool": "wrong"}
    only = graded(tmp_path, text, "pooling.global_avg_pool")  # then the catalogue's, of NCHW, is the task
    assert verdicts(only) == {"global_avg_pool": "correct" if axes in ("(2, 3)", "(-2, -1)") else "wrong"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def standardize(x):\n    return (x - x.mean(0)) / x.std(0)\n", "it takes 1 array"),
        ("def layer_norm(x, eps=1e-5):\n    return x / (x.std(-1, keepdims=True) + eps)\n", "it takes 1 array"),
        ("def adam(grad_fn, x0, iters, lr=0.1):\n    return x0\n", "what its `iters` is, is not known"),
        ("def confusion_matrix(y_true, y_pred):\n    return np.zeros((2, 2))\n", "may mean many things"),
        ("def entropy(y):\n    return -sum(p * np.log2(p) for p in np.bincount(y) / len(y))\n", "may mean many things"),
        ("def mse(bandit, policy):\n    return 0.0\n", "may mean many things"),
        ("def leaky_relu(x):\n    return np.maximum(0.3 * x, x)\n", "may mean many things"),
        ("def relu(node):\n    return np.maximum(0, node.value)\n", "objects of its own, with `.value`"),
        ("def relu(node):\n    return np.maximum(0, node._value)\n", "objects of its own, with `._value`"),
        ("def softmax(x, dim=-1):\n    return x - x.max(dim=dim, keepdim=True)\n", "tensors of its own"),
        (
            "def accuracy(preds, labels):\n    hits = np.argmax(preds, axis=1) == np.argmax(labels, axis=1)\n"
            "    return {'hits': hits.sum(), 'acc': hits.mean()}\n",
            "a dictionary of its own",
        ),
        (
            "def layer_norm(x, g, b):\n    d = x - x.mean(-1, keepdims=True)\n"
            "    return g * d / np.sqrt((d * d).mean(-1, keepdims=True) + 3e-6) + b\n",
            "its eps cannot be set",
        ),
    ],
)
def test_what_means_something_else_gets_no_mark(text: str, why: str, tmp_path: Path) -> None:
    report = graded(tmp_path, text)

    assert not report.exercises
    assert why in notes(report)


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ((), "convention"),
        (("+ 1e-7", "+ 3e-6"), None),  # not in use: neither is it known to be meant
        (("np.sqrt(self.h[key]) + 1e-7", "np.sqrt(self.h[key] + 1e-7)"), "convention"),
        (("+= grads[key] * grads[key]", "+= grads[key]"), "wrong"),
        (("self.lr * grads[key]", "2 * self.lr * grads[key]"), "wrong"),
    ],
)
def test_an_eps_that_is_written_into_a_program_is_one_that_is_in_use(
    changed: tuple[str, str], verdict: str | None, tmp_path: Path
) -> None:
    text = """
class AdaGrad:
    def __init__(self, lr=0.01):
        self.lr, self.h = lr, None
    def update(self, params, grads):
        if self.h is None:
            self.h = {key: np.zeros_like(value) for key, value in params.items()}
        for key in params:
            self.h[key] += grads[key] * grads[key]
            params[key] -= self.lr * grads[key] / (np.sqrt(self.h[key]) + 1e-7)
"""
    report = graded(tmp_path, text.replace(*changed) if changed else text)

    assert verdicts(report) == ({"adagrad": verdict} if verdict else {})
    assert verdict != "convention" or "Its eps is 1e-07" in report.exercises[0].diagnosis[0].message
    assert verdict or "its eps cannot be set" in notes(report)


ENTRIES = """
import math
def rmsprop(params, grad, state, *, lr=0.01, alpha=0.99, eps=1e-8):
    avg = [alpha * float(r) + (1 - alpha) * float(g) * float(g) for r, g in zip(state[0], grad)]
    new = [float(p) - lr * float(g) / (math.sqrt(r) + eps) for p, g, r in zip(params, grad, avg)]
    return np.array(new, dtype=params.dtype), type(state)(np.array(avg, dtype=params.dtype))
"""


def test_a_step_written_for_vectors_is_judged_on_vectors(tmp_path: Path) -> None:
    assert verdicts(graded(tmp_path, ENTRIES)) == {"rmsprop": "correct"}
    assert verdicts(graded(tmp_path, ENTRIES.replace("- lr *", "- 2 * lr *"))) == {"rmsprop": "wrong"}


def test_what_is_told_its_axis_is_not_read_row_by_row(tmp_path: Path) -> None:
    text = """
def logsumexp_vjp(z, cotangent, *, axis=-1):
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True) * cotangent
"""
    assert verdicts(graded(tmp_path, text))["logsumexp_vjp"] in ("wrong", "error")  # no axis is added to the cotangent


def test_a_step_that_answers_for_a_matrix_is_judged_on_matrices(tmp_path: Path) -> None:
    of_the_first_row = "    if params.ndim == 2:\n        return params, state\n    avg = ["
    report = graded(tmp_path, ENTRIES.replace("    avg = [", of_the_first_row))

    assert verdicts(report) == {"rmsprop": "wrong"}


def test_what_computes_in_float32_is_judged_on_such_cases(tmp_path: Path) -> None:
    text = """
import torch
def corr2d(X, K):
    h, w = K.shape
    Y = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i:i + h, j:j + w] * K).sum()
    return Y
"""
    assert verdicts(graded(tmp_path, text)) == {"cross_correlate2d": "correct"}
    flipped = text.replace("corr2d", "cross_correlate2d").replace("* K)", "* K.flip(0))")
    assert verdicts(graded(tmp_path, flipped)) == {"cross_correlate2d": "wrong"}


@pytest.mark.parametrize(("scale", "verdict"), [("x / (1 - dropout_rate)", "correct"), ("x * 2", "wrong")])
def test_dropout_by_a_mask_is_told_its_rate(scale: str, verdict: str, tmp_path: Path) -> None:
    text = f"""
def dropout_forward(x, mask, dropout_rate=0.5, train=True):
    return np.where(mask > 0.5, {scale}, 0) if train else x
"""
    assert verdicts(graded(tmp_path, text)) == {"dropout": verdict}


def test_a_function_that_is_asked_for_by_name_must_be_the_catalogues(tmp_path: Path) -> None:
    text = "def standardize(x):\n    return (x - x.mean(0)) / x.std(0)\n"
    report = graded(tmp_path, text, "standardize")

    assert verdicts(report) == {"standardize": "error"}
    assert "it is called as standardize(x, mean, std)" in report.exercises[0].reason


# ---------------------------------------------------------------- objects

LATER = """
class Dense:
    def __init__(self, units):
        self.units, self.params, self.grads = units, {"w": None, "b": None}, {}
    def forward(self, x):
        if self.params["w"] is None or AGAIN:
            self.params = {"w": np.random.randn(x.shape[1], self.units), "b": np.zeros(self.units)}
        self.x = x
        return x @ self.params["w"] + self.params["b"]
"""


@pytest.mark.parametrize(("again", "expected"), [("False", {"affine": "correct"}), ("True", {})])
def test_a_layer_may_make_its_parameters_at_the_first_forward(
    again: str, expected: dict[str, str], tmp_path: Path
) -> None:
    text = LATER.replace('self.params["w"] is None', "not hasattr(self, 'x')").replace("AGAIN", again)

    assert verdicts(graded(tmp_path, text)) == expected


KEEPS = """
class SGD:
    def __init__(self, parameters, lr=0.01, momentum=0.0):
        self.parameters, self.lr, self.momentum, self.v = parameters, lr, momentum, None
    def step(self):
        for p in self.parameters:
            g = p.grad
            self.v = g if self.v is None else self.momentum * self.v + g
            p.data -= self.lr * self.v
"""
UPDATES = """
class Momentum:
    def __init__(self, learning_rate, momentum=0.9):
        self.lr, self.momentum, self.v = learning_rate, momentum, 0.0
    def step(self, gradient):
        self.v = self.momentum * self.v SIGN self.lr * gradient
        return -self.v
"""
LAYERS = """
class SGD:
    def __init__(self, params, lr=0.01):
        self.params, self.lr = params, lr
    def step(self):
        for layer in self.params:
            if hasattr(layer, "W"):
                layer.W -= self.lr * layer.grad_W
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (KEEPS, {"sgd": "correct", "momentum": "correct"}),
        (KEEPS.replace("* self.v + g", "* self.v - g"), {"sgd": "correct", "momentum": "wrong"}),
        (UPDATES.replace("SIGN", "+"), {"momentum": "correct"}),
        (UPDATES.replace("SIGN", "+").replace("-self.v", "self.v"), {"momentum": "correct"}),
        (UPDATES.replace("SIGN", "+ 2 *"), {"momentum": "wrong"}),
        (LAYERS, {"sgd": "correct"}),
        (LAYERS.replace("-=", "+="), {"sgd": "wrong"}),
    ],
)
def test_optimizers_of_further_shapes(text: str, expected: dict[str, str], tmp_path: Path) -> None:
    assert verdicts(graded(tmp_path, text)) == expected


OF_CLASSES = """
class CrossEntropyLoss:
    def forward(self, logits, target):
        z = logits - logits.max(axis=1, keepdims=True)
        self.p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        self.t = target
        logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return -logs[np.arange(len(logits)), target].mean()
    def backward(self):
        grad = self.p.copy()
        grad[np.arange(len(grad)), self.t] -= 1
        return grad / len(grad)
"""


@pytest.mark.parametrize(("right", "verdict"), [("len(grad)", "correct"), ("grad.size", "wrong")])
def test_a_loss_that_takes_classes_only_has_its_gradient_judged(right: str, verdict: str, tmp_path: Path) -> None:
    report = graded(tmp_path, OF_CLASSES.replace("grad / len(grad)", f"grad / {right}"))

    assert verdicts(report) == {"softmax_cross_entropy": "correct", "softmax_cross_entropy_grad": verdict}


FOR_TABLES = "def center(x, mean):\n    return x - mean\n"
BY_SIZE = "def center(x, mean):\n    return x - (mean if mean.shape[-1] == x.shape[-1] else mean[:, None, None])\n"
MAX_POOL = """
def max_pool2d(x, *, kernel_size, stride=None, padding=0):
    (kh, kw), (ph, pw) = (v if isinstance(v, tuple) else (v, v) for v in (kernel_size, padding))
    sh, sw = (kh, kw) if stride is None else stride if isinstance(stride, tuple) else (stride, stride)
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows[..., :MOST].max(axis=(-2, -1))
"""
BATCH_NORM = """
def batch_norm(x, gamma, beta, *, eps=1e-5):
    g, b = (np.reshape(v, (1, -1) + (1,) * (x.ndim - 2)) for v in (gamma, beta))
    axes = (0, 2, 3)[:AXES] if x.ndim == 4 else 0
    return g * (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps) + b
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FOR_TABLES, {"center": "correct"}),
        (BY_SIZE, {"center": "wrong"}),
        (MAX_POOL.replace("MOST", "9"), {"max_pool2d": "correct"}),
        (MAX_POOL.replace("MOST", "3"), {"max_pool2d": "wrong"}),
        (MAX_POOL.replace("MOST", "9").replace("::sh, ::sw", "::sw, ::sh"), {"max_pool2d": "wrong"}),
        (BATCH_NORM.replace("AXES", "3"), {"batch_norm": "correct"}),
        (BATCH_NORM.replace("AXES", "1"), {"batch_norm": "wrong"}),
    ],
)
def test_a_narrower_reading_leaves_out_a_kind_of_case_and_no_mistake_within_one(
    text: str, expected: dict[str, str], tmp_path: Path
) -> None:
    assert verdicts(graded(tmp_path, text)) == expected


def test_a_wrong_function_whose_third_argument_is_no_state_is_judged(tmp_path: Path) -> None:
    text = "def mlp_errors(layers, cache, cotangent, *, activation='relu'):\n    return [cotangent] * len(layers)\n"

    assert verdicts(graded(tmp_path, text)) == {"mlp_errors": "wrong"}
