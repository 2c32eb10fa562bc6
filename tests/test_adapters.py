"""Call shapes of the wild: found without being told, judged fairly, and never by a mere likeness of names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graders import _api
from graders.harness.report import SubmissionReport

NUMPY = "import numpy as np\n\n"


def graded(tmp_path: Path, text: str, name: str = "theirs.py") -> SubmissionReport:
    file = tmp_path / name
    file.write_text(text if name.endswith(".ipynb") else NUMPY + text)
    (submission,) = _api.grade([file], seed=0).submissions
    return submission


def verdicts(report: SubmissionReport) -> dict[str, str]:
    return {e.name.partition(".")[2]: e.verdict for e in report.exercises}


def notes(report: SubmissionReport) -> str:
    return "\n".join([*report.notes, *(note for e in report.exercises for note in e.notes)])


# ---------------------------------------------------------------- CS231n's layers

BATCHNORM = """
def batchnorm_forward(x, gamma, beta, bn_param):
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    if bn_param["mode"] == "train":
        mean, var = x.mean(axis=0), x.var(axis=0)
        hat = (x - mean) / np.sqrt(var + eps)
        old_mean, old_var = bn_param.get("running_mean", 0 * mean), bn_param.get("running_var", 0 * var)
        bn_param["running_mean"] = momentum * old_mean + (1 - momentum) * mean
        bn_param["running_var"] = momentum * old_var + (1 - momentum) * var
        return gamma * hat + beta, (hat, gamma, var + eps)
    return TEST, None

def batchnorm_backward(dout, cache):
    hat, gamma, var = cache
    n, d = len(dout), dout * gamma
    dx = (n * d - d.sum(axis=0) - hat * (d * hat).sum(axis=0)) / (n * np.sqrt(var))
    return dx, (dout * hat).sum(axis=0), dout.sum(axis=0)
"""
TEST = 'gamma * (x - bn_param["running_mean"]) / np.sqrt(bn_param["running_var"] + eps) + beta'
CONV = """
def conv_forward_naive(x, w, b, conv_param):
    s, p = conv_param["stride"], conv_param["pad"]
    (n, c, h, v), (f, _, k, l) = x.shape, w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    out = np.zeros((n, f, 1 + (h + 2 * p - k) // s, 1 + (v + 2 * p - l) // s))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            window = padded[:, None, :, i * s : i * s + k, j * s : j * s + l]
            out[:, :, i, j] = (window * w).sum(axis=(2, 3, 4)) + b
    return out, (x, w, b, conv_param)

def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    s, p = conv_param["stride"], conv_param["pad"]
    k, l = w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros(padded.shape), np.zeros(w.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * s, i * s + k), slice(j * s, j * s + l)
            g = dout[:, :, i, j]
            dw += np.einsum("nf,nckl->fckl", g, padded[:, :, rows, columns])
            dpadded[:, :, rows, columns] += np.einsum("nf,fckl->nckl", g, w)
    return UNPAD, dw, dout.sum(axis=(0, 2, 3))
"""
POOL = """
def max_pool_forward_naive(x, pool_param):
    k, l, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    n, c, h, v = x.shape
    CHECK
    out = np.zeros((n, c, 1 + (h - k) // s, 1 + (v - l) // s))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = x[:, :, i * s : i * s + k, j * s : j * s + l].max(axis=(2, 3))
    return out, (x, pool_param)
"""
DROPOUT = """
def dropout_forward(x, dropout_param):
    p, mask = dropout_param["p"], None
    if dropout_param["mode"] == "test":
        return x.copy(), (dropout_param, mask)
    mask = MASK
    return x * mask, (dropout_param, mask)

def dropout_backward(dout, cache):
    dropout_param, mask = cache
    return dout.copy() if dropout_param["mode"] == "test" else BACK
"""


def test_batch_norm_is_three_exercises(tmp_path: Path) -> None:
    found = verdicts(graded(tmp_path, BATCHNORM.replace("TEST", TEST)))

    assert found == {
        "batch_norm": "correct",
        "batch_norm_vjp": "correct",
        "batch_norm_when_evaluating": "correct",
        "running_statistics": "convention",  # its variance is the biased one, as the course has it
    }


def test_evaluation_without_gamma_and_beta_is_wrong_there_only(tmp_path: Path) -> None:
    found = verdicts(graded(tmp_path, BATCHNORM.replace("TEST", TEST.replace("gamma * ", "").replace(" + beta", ""))))

    assert found["batch_norm"] == "correct"
    assert found["batch_norm_when_evaluating"] == "wrong"


@pytest.mark.xdist_group("conv_forward")  # its answers take long, and are made once
@pytest.mark.parametrize(
    ("unpad", "verdict"),
    [
        ("dpadded[:, :, p : p + x.shape[2], p : p + x.shape[3]]", "correct"),
        ("dpadded[:, :, p:-p, p:-p]", "wrong"),
    ],
)
def test_convolution_with_a_dictionary_of_settings(unpad: str, verdict: str, tmp_path: Path) -> None:
    found = verdicts(graded(tmp_path, CONV.replace("UNPAD", unpad)))

    assert found == {"conv2d": "correct", "conv2d_vjp": verdict}


@pytest.mark.parametrize("check", ["pass", "assert (h - k) % s == 0 and (v - l) % s == 0"])
def test_pooling_may_assume_what_the_course_lets_it_assume(check: str, tmp_path: Path) -> None:
    report = graded(tmp_path, POOL.replace("CHECK", check))

    assert verdicts(report) == {"max_pool2d": "correct"}
    assert ("as the course has it" in notes(report)) == (check != "pass")


@pytest.mark.parametrize(
    ("mask", "back", "expected"),
    [
        ("(np.random.rand(*x.shape) < p) / p", "dout * mask", ("correct", "correct")),
        ("(np.random.rand(*x.shape) >= p) / (1 - p)", "dout * mask", ("correct", "correct")),
        ("(np.random.rand(*x.shape) < p) / p", "dout * (mask > 0)", ("correct", "wrong")),
        ("(np.random.rand(*x.shape) < p) * 1.0", "dout * mask", ("wrong", "wrong")),
        ("(np.random.rand(*x.shape) < 0.5) / p", "dout * mask", ("wrong", "wrong")),
        ("np.ones(x.shape) / p", "dout * mask", ("wrong", "wrong")),
    ],
)
def test_dropout_is_judged_by_what_it_draws(mask: str, back: str, expected: tuple[str, str], tmp_path: Path) -> None:
    found = verdicts(graded(tmp_path, DROPOUT.replace("MASK", mask).replace("BACK", back)))

    assert (found["dropout"], found["dropout_vjp"]) == expected


def test_what_the_catalogue_lacks_is_said_to_be_not_covered(tmp_path: Path) -> None:
    assert graded(tmp_path, "def svm_loss(x, y):\n    return 0.0, x\n").not_covered == ["svm_loss"]


def test_a_loss_without_a_gradient_is_judged_as_one(tmp_path: Path) -> None:
    text = "def softmax_loss(x, y):\n    s = x - x.max(axis=1, keepdims=True)\n"
    text += "    return (np.log(np.exp(s).sum(axis=1)) - s[np.arange(len(x)), y]).mean()\n"

    assert verdicts(graded(tmp_path, text)) == {"softmax_cross_entropy": "correct"}


# ---------------------------------------------------------------- layer objects

DENSE = """
class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.b = np.zeros((1, n_out))
    def forward(self, X):
        self.X = X
        return X @ self.W + self.b
    def backward(self, dout):
        self.dW = self.X.T @ dout
        self.db = dout.sum(axis=0, keepdims=True)
        return dout @ self.W.T
"""
ATTRIBUTES = """
class Layer_Dense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.1 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases
    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)
"""
DICTIONARIES = """
class FullyConnected:
    def __init__(self, input_dim, output_dim):
        self.params = {"W": np.random.randn(input_dim, output_dim), "b": np.zeros(output_dim)}
        self.grads = {}
    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]
    def backward(self, grad):
        self.grads["W"], self.grads["b"] = self.x.T @ grad, grad.sum(axis=0)
        return grad @ self.params["W"].T
"""
ARRAYS = """
class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b
    def backward(self, dout):
        self.dW, self.db = np.dot(self.x.T, dout), np.sum(dout, axis=0)
        return np.dot(dout, self.W.T)
"""
COLUMNS = """
class Dense:
    def __init__(self, input_size, output_size):
        self.weights = np.random.randn(output_size, input_size)
        self.bias = np.random.randn(output_size, 1)
    def forward(self, input):
        self.input = input
        return np.dot(self.weights, self.input) + self.bias
    def backward(self, output_gradient, learning_rate):
        weights_gradient = np.dot(output_gradient, self.input.T)
        input_gradient = np.dot(self.weights.T, output_gradient)
        self.weights -= learning_rate * weights_gradient
        self.bias -= learning_rate * output_gradient.sum(axis=1, keepdims=True)
        return input_gradient
"""
RELU = """
class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(0, x)
    def backward(self, dout):
        return dout * (self.x > 0)
"""


@pytest.mark.parametrize("text", [DENSE, ATTRIBUTES, DICTIONARIES, ARRAYS, COLUMNS])
def test_a_dense_layer_is_judged_however_it_keeps_its_parameters(text: str, tmp_path: Path) -> None:
    assert verdicts(graded(tmp_path, text)) == {"affine": "correct", "affine_vjp": "correct"}


@pytest.mark.parametrize(
    ("text", "right", "mistaken", "expected"),
    [
        (DENSE, "dout @ self.W.T", "dout @ self.W.T * 2", ("correct", "wrong")),
        (DENSE, "self.X.T @ dout", "self.X.T @ dout + self.W", ("correct", "wrong")),
        (DENSE, "X @ self.W + self.b", "X @ self.W", ("wrong", "correct")),
        (DENSE, "dout.sum(axis=0, keepdims=True)", "dout.mean(axis=0, keepdims=True)", ("correct", "wrong")),
        (ATTRIBUTES, "np.dot(self.inputs.T, dvalues)", "-np.dot(self.inputs.T, dvalues)", ("correct", "wrong")),
        (COLUMNS, "learning_rate * weights_gradient", "2 * learning_rate * weights_gradient", ("correct", "wrong")),
        (ARRAYS, "np.sum(dout, axis=0)", "np.sum(dout, axis=1)", ("correct", "wrong")),
    ],
)
def test_a_wrong_dense_layer_is_wrong(
    text: str, right: str, mistaken: str, expected: tuple[str, str | None], tmp_path: Path
) -> None:
    report = graded(tmp_path, text.replace(right, mistaken))
    found = verdicts(report)

    assert (found["affine"], found.get("affine_vjp")) == expected
    assert expected[1] or "its gradient by b was not found" in notes(report)


@pytest.mark.parametrize(
    ("right", "mistaken", "verdict"),
    [
        ("dout * (self.x > 0)", "dout * (self.x > 0)", "correct"),
        ("dout * (self.x > 0)", "dout * (self.x >= 0)", "convention"),
        ("dout * (self.x > 0)", "dout * (dout > 0)", "wrong"),
        ("dout * (self.x > 0)", "None", None),
    ],
)
def test_an_activation_has_no_parameters(right: str, mistaken: str, verdict: str | None, tmp_path: Path) -> None:
    found = verdicts(graded(tmp_path, RELU.replace(right, mistaken)))

    assert found["relu"] == "correct"
    assert found.get("relu_vjp") == verdict


def test_a_derivative_is_judged_times_the_cotangent(tmp_path: Path) -> None:
    text = "class Tanh:\n    def __call__(self, x):\n        return np.tanh(x)\n"
    text += "    def gradient(self, x):\n        return 1 - np.tanh(x) ** POWER\n"

    assert verdicts(graded(tmp_path, text.replace("POWER", "2")))["tanh_vjp"] in ("correct", "unstable")
    assert verdicts(graded(tmp_path, text.replace("POWER", "1")))["tanh_vjp"] == "wrong"


def test_a_slope_is_told_to_the_constructor(tmp_path: Path) -> None:
    text = "class LeakyReLU:\n    def __init__(self, alpha=0.2):\n        self.alpha = alpha\n"
    text += "    def forward(self, x):\n        return np.where(x > 0, x, SLOPE * x)\n"

    assert verdicts(graded(tmp_path, text.replace("SLOPE", "self.alpha"))) == {"leaky_relu": "correct"}
    assert verdicts(graded(tmp_path, text.replace("SLOPE", "0.2"))) == {"leaky_relu": "wrong"}


CONVOLUTION = """
class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.k, self.stride, self.padding = kernel_size, stride, padding
        self.weights = np.random.randn(AXES)
        self.bias = np.zeros(out_channels)
    def forward(self, x):
        s, p, k = self.stride, self.padding, self.k
        w = self.weights.transpose(TURN)
        x = np.pad(x.transpose(IMAGES), ((0, 0), (0, 0), (p, p), (p, p)))
        n, c, h, v = x.shape
        out = np.zeros((n, len(w), (h - k) // s + 1, (v - k) // s + 1))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                window = x[:, None, :, i * s : i * s + k, j * s : j * s + k]
                out[:, :, i, j] = (window * w).sum(axis=(2, 3, 4)) + self.bias
        return out.transpose(BACK)
"""


@pytest.mark.parametrize(
    ("axes", "turn", "images", "back", "said"),
    [
        ("out_channels, in_channels, kernel_size, kernel_size", "0, 1, 2, 3", "0, 1, 2, 3", "0, 1, 2, 3", ""),
        ("kernel_size, kernel_size, in_channels, out_channels", "3, 2, 0, 1", "0, 3, 1, 2", "0, 2, 3, 1", "NHWC"),
    ],
)
def test_a_convolution_is_judged_in_its_own_layout(
    axes: str, turn: str, images: str, back: str, said: str, tmp_path: Path
) -> None:
    text = CONVOLUTION.replace("AXES", axes).replace("TURN", turn).replace("IMAGES", images).replace("BACK", back)
    report = graded(tmp_path, text)

    assert verdicts(report) == {"conv2d": "correct"}
    assert said in notes(report)
    assert "kernels are given as squares" in notes(report)
    assert verdicts(graded(tmp_path, text.replace("i * s : i * s + k", "i : i + k"))) == {"conv2d": "wrong"}


def test_a_class_that_cannot_be_called_is_a_note_and_no_verdict(tmp_path: Path) -> None:
    text = "class Linear:\n    def __init__(self, gizmo, shape, thing):\n        pass\n"
    text += "    def forward(self, x):\n        return x\n"
    report = graded(tmp_path, text)

    assert not report.exercises
    assert "Linear is not judged: what its constructor's `gizmo` is, is not known" in notes(report)


def test_a_class_that_only_shares_a_name_is_not_judged(tmp_path: Path) -> None:
    assert not graded(tmp_path, "class Linear:\n    def plot(self):\n        pass\n").exercises


def test_an_eps_that_is_written_into_the_text_is_no_mistake(tmp_path: Path) -> None:
    text = "class LayerNorm:\n    def __init__(self, d):\n        self.gamma, self.beta = np.ones(d), np.zeros(d)\n"
    text += "    def forward(self, x):\n        m, v = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)\n"
    text += "        return self.gamma * (x - m) / np.sqrt(v + 1e-7) + self.beta\n"
    report = graded(tmp_path, text)

    assert not report.exercises
    assert "its eps cannot be set" in notes(report)


@pytest.mark.parametrize(
    ("formula", "gradient", "expected"),
    [
        ("((p - y) ** 2).mean()", "2 * (self.p - self.y) / self.p.size", {"mse": "correct", "mse_grad": "correct"}),
        (
            "((p - y) ** 2).sum()",
            "2 * (self.p - self.y)",
            {"squared_error": "correct", "squared_error_grad": "correct"},
        ),
        ("((p - y) ** 2).mean()", "2 * (self.p - self.y)", {"mse": "correct", "mse_grad": "wrong"}),
        ("((p - y) ** 2).mean()", "2 * (self.p - self.y) / len(self.p)", {"mse": "correct", "mse_grad": "wrong"}),
        ("(p - y).mean()", "self.y", {}),
    ],
)
def test_a_loss_is_judged_only_as_what_it_is(
    formula: str, gradient: str, expected: dict[str, str], tmp_path: Path
) -> None:
    text = f"class MSELoss:\n    def forward(self, p, y):\n        self.p, self.y = p, y\n        return {formula}\n"
    found = verdicts(graded(tmp_path, text + f"    def backward(self):\n        return {gradient}\n"))

    assert found == expected


# ---------------------------------------------------------------- dictionaries of parameters, samples as columns

COURSE = """
def linear_forward(A, W, b):
    return W @ A + b, (A, W, b)

def linear_backward(dZ, cache):
    A, W, b = cache
    m = A.shape[1]
    return W.T @ dZ, dZ @ A.T / m, dZ.sum(axis=1, keepdims=True) / m

def relu(Z):
    return np.maximum(0, Z), Z

def relu_backward(dA, cache):
    return np.where(cache > 0, dA, 0)

def softmax(Z):
    e = np.exp(Z - Z.max(axis=0))
    return e / e.sum(axis=0)

def compute_cost(AL, Y):
    return -(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)).sum() / Y.shape[1]

def update_parameters(parameters, grads, learning_rate):
    for key in parameters:
        parameters[key] = parameters[key] - learning_rate * grads["d" + key]
    return parameters

def update_parameters_with_adam(parameters, grads, v, s, t, learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    for key in parameters:
        v["d" + key] = beta1 * v["d" + key] + (1 - beta1) * grads["d" + key]
        s["d" + key] = beta2 * s["d" + key] + (1 - beta2) * grads["d" + key] ** 2
        m, r = v["d" + key] / (1 - beta1**t), s["d" + key] / (1 - beta2**t)
        parameters[key] = parameters[key] - learning_rate * m / (np.sqrt(r) + epsilon)
    return parameters, v, s
"""


def test_a_course_in_columns_and_dictionaries_is_right(tmp_path: Path) -> None:
    report = graded(tmp_path, COURSE)

    assert set(verdicts(report).values()) == {"correct"}
    assert set(verdicts(report)) == {
        "affine", "affine_vjp", "relu", "relu_vjp", "softmax", "sigmoid_bce", "sgd", "adam",
    }  # fmt: skip
    assert "samples are columns" in notes(report)


@pytest.mark.parametrize(
    ("right", "mistaken", "name"),
    [
        ("W @ A + b", "W @ A", "affine"),
        ("dZ @ A.T / m", "dZ @ A.T / len(dZ)", "affine_vjp"),
        ("e / e.sum(axis=0)", "e / e.sum()", "softmax"),
        (
            "for key in parameters:\n        parameters[key] =",
            "for key in ('W1', 'b1'):\n        parameters[key] =",
            "sgd",
        ),
        ("(1 - beta2**t)", "(1 - beta2)", "adam"),
    ],
)
def test_a_mistake_in_columns_is_a_mistake(right: str, mistaken: str, name: str, tmp_path: Path) -> None:
    assert verdicts(graded(tmp_path, COURSE.replace(right, mistaken)))[name] == "wrong"


# ---------------------------------------------------------------- optimizers

LISTS = """
class Momentum:
    def __init__(self, learning_rate, momentum=0.9):
        self.lr, self.momentum, self.v = learning_rate, momentum, None
    def update(self, params, grads):
        if self.v is None:
            self.v = [np.zeros_like(p) for p in params]
        for i in range(len(params)):
            self.v[i] = V
            params[i] += self.v[i]
"""
MAPPED = LISTS.replace(
    "[np.zeros_like(p) for p in params]", "{k: np.zeros_like(p) for k, p in params.items()}"
).replace("range(len(params))", "params")
RETURNS = """
class Momentum:
    def __init__(self, lr, momentum):
        self.lr, self.momentum, self.v = lr, momentum, [0.0]
        i = 0
    def update(self, w, grads, i=0):
        grads = [grads]
        self.v[i] = V
        return w + self.v[0]
"""
PARAMETERS = """
class SGD:
    def __init__(self, parameters, lr=0.1, momentum=0.0):
        self.parameters, self.lr, self.momentum = list(parameters), lr, momentum
        self.v = [np.zeros_like(p.data) for p in self.parameters]
    def step(self):
        grads = [p.grad for p in self.parameters]
        for i, p in enumerate(self.parameters):
            self.v[i] = V
            p.data = p.data + self.v[i]
"""
LAYERS = """
class Optimizer_Momentum:
    def __init__(self, learning_rate=1.0, momentum=0.0):
        self.lr, self.momentum = learning_rate, momentum
    def update_params(self, layer):
        if not hasattr(layer, "v"):
            layer.v = [np.zeros_like(layer.weights)]
        i, grads = 0, [layer.dweights]
        self.v = layer.v
        self.v[i] = V
        layer.weights += layer.v[0]
"""


@pytest.mark.parametrize("text", [LISTS, MAPPED, RETURNS, PARAMETERS, LAYERS])
@pytest.mark.parametrize(
    ("v", "verdict"),
    [
        ("self.momentum * self.v[i] - self.lr * grads[i]", "correct"),
        ("self.momentum * self.v[i] - (1 - self.momentum) * self.lr * grads[i]", "convention"),
        ("self.momentum * self.v[i] + self.lr * grads[i]", "wrong"),
        ("-self.lr * grads[i]", "wrong"),
    ],
)
def test_an_optimizer_in_five_shapes(text: str, v: str, verdict: str, tmp_path: Path) -> None:
    assert verdicts(graded(tmp_path, text.replace("= V", f"= {v}")))["momentum"] == verdict


def test_descent_with_a_momentum_answers_two_exercises(tmp_path: Path) -> None:
    text = PARAMETERS.replace("= V", "= self.momentum * self.v[i] - self.lr * grads[i]")

    assert verdicts(graded(tmp_path, text)) == {"sgd": "correct", "momentum": "correct"}


def test_nothing_is_said_of_a_state_that_nobody_has_seen(tmp_path: Path) -> None:
    text = MAPPED.replace("= V", "= 0.9 * grads[i] - 0.01 * self.lr * grads[i] ** 2")

    (report,) = [e for e in graded(tmp_path, text).exercises if e.name == "optimizers.momentum"]

    said = [*(d.message for d in report.diagnosis), *report.hints, report.reason]
    assert report.verdict == "wrong"
    assert not any("velocity" in s or "the rest is right" in s for s in said), said
    assert any("its own state (velocity) is not looked at" in note for note in report.notes)


def test_a_mistake_that_spoils_the_state_too_is_named_by_the_parameters(tmp_path: Path) -> None:
    text = MAPPED.replace("= V", "= -self.lr * grads[i]")

    (report,) = [e for e in graded(tmp_path, text).exercises if e.name == "optimizers.momentum"]

    assert "forgets_the_old_velocity" in [d.name for d in report.diagnosis]


def test_an_optimizer_that_does_nothing_is_unfilled(tmp_path: Path) -> None:
    text = "class SGD:\n    def __init__(self, lr):\n        self.lr = lr\n"
    text += "    def update(self, params, grads):\n        pass\n"

    assert verdicts(graded(tmp_path, text)) == {"sgd": "unfilled"}


# ---------------------------------------------------------------- notebooks and old files


def test_a_notebook_is_read_without_its_training(tmp_path: Path) -> None:
    cells = [
        "%matplotlib inline\nimport numpy as np\nEPS = np.finfo(float).eps",
        "def relu(z):\n    return np.maximum(z, 0) + 0 * EPS",
        "data = open('/nowhere/data.csv').read()\nfor epoch in range(10**9):\n    pass",
        "def half(written:",
        "class ReLU:\n    def forward(self, x):\n        return np.maximum(x, 0)",
    ]
    notebook = {"cells": [{"cell_type": "code", "source": [cell]} for cell in cells]}
    report = graded(tmp_path, json.dumps(notebook), "theirs.ipynb")

    assert {(e.function, e.verdict) for e in report.exercises} == {("relu", "correct"), ("ReLU.forward", "correct")}
    assert any("cell 4 is not Python" in note for note in report.notes)


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("from collections import Hashable\ndef relu(z):\n    return isinstance(z, Hashable)\n", "an older Python"),
        ("def relu(z):\n    return reduce(max, z)\n", "an older Python"),
        ("def relu(z):\n    return float(np.ones((1, 1))) * z\n", "an older NumPy"),
        ("from scipy.misc import logsumexp\ndef log_softmax(z):\n    return z - logsumexp(z)\n", "an older SciPy"),
        ("import scipy as sp\ndef sigmoid(z):\n    return 1 / (1 + sp.exp(-z))\n", "an older SciPy"),
    ],
)
def test_what_is_too_old_is_said_to_be(text: str, needs: str, tmp_path: Path) -> None:
    report = graded(tmp_path, text)
    reasons = [report.reason, *(e.reason for e in report.exercises)]

    if needs == "an older NumPy" and report.exercises and report.exercises[0].verdict != "incompatible":
        pytest.skip("this NumPy still takes it")
    assert any(reason.startswith(f"needs {needs}") for reason in reasons)


def test_an_import_that_is_too_old_costs_only_what_needs_it(tmp_path: Path) -> None:
    text = "from collections import Hashable\ndef relu(z):\n    return np.maximum(z, 0)\n"
    report = graded(tmp_path, text + "def tanh(z):\n    return np.tanh(z) if not isinstance(z, Hashable) else z\n")

    assert verdicts(report) == {"relu": "correct", "tanh": "incompatible"}
    assert report.notes == [
        "theirs.py, line 3: ImportError: cannot import name 'Hashable' from 'collections'; what needs this import "
        "cannot be judged"
    ]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("def relu(z):\n    print 'here'\n", "incompatible"),
        ("raise RuntimeError('no data')\n", "error"),
        ("import os\nos._exit(0)\n", "killed"),
    ],
)
def test_a_name_that_is_asked_of_a_file_that_does_not_load_gets_the_files_verdict(
    text: str, verdict: str, tmp_path: Path
) -> None:
    file = tmp_path / "theirs.py"
    file.write_text(text)

    (report,) = _api.grade([file], only=["activations.relu"], seed=0).submissions

    assert [(e.verdict, e.reason, e.score) for e in report.exercises] == [(verdict, report.reason, 0.0)]
    assert _api.score(text, "relu", seed=0).verdict == verdict


def test_a_starters_blank_that_is_unpacked_is_unfilled(tmp_path: Path) -> None:
    assert verdicts(graded(tmp_path, "def relu(z):\n    (a, b) = None\n    return a\n")) == {"relu": "unfilled"}


def test_what_a_module_makes_of_an_absent_package_costs_nothing(tmp_path: Path) -> None:
    text = "import progressbar\nwidgets = [progressbar.Bar(marker='-'), progressbar.ETA()]\n"
    text += "def relu(z):\n    return np.maximum(z, 0)\ndef tanh(z):\n    return widgets[0] + np.tanh(z)\n"
    found = verdicts(graded(tmp_path, text))

    assert found == {"relu": "correct", "tanh": "incompatible"}


# ---------------------------------------------------------------- torch


TORCH = """
import torch
from torch import nn

def relu(z: torch.Tensor) -> torch.Tensor:
    return z.clamp(min=BOUND)

class LayerNorm(nn.Module):
    def __init__(self, dim, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.scale = nn.Parameter(torch.ones(dim))
        self.shift = nn.Parameter(torch.zeros(dim))
    def forward(self, x):
        m, v = x.mean(dim=-1, keepdim=True), x.var(dim=-1, keepdim=True, unbiased=UNBIASED)
        return self.scale * (x - m) / torch.sqrt(v + self.eps) + self.shift

class Linear(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
    def forward(self, x):
        return x @ self.weight.T + self.bias

class MySGD(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.data = p.data - RATE * p.grad
"""


@pytest.mark.parametrize(
    ("bound", "unbiased", "rate", "expected"),
    [
        ("0", "False", "group['lr']", "correct"),
        ("1", "True", "2 * group['lr']", "wrong"),
    ],
)
def test_functions_modules_and_optimizers_of_torch(
    bound: str, unbiased: str, rate: str, expected: str, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    report = graded(tmp_path, TORCH.replace("BOUND", bound).replace("UNBIASED", unbiased).replace("RATE", rate))
    found = verdicts(report)

    assert found.pop("affine") == "correct"
    assert found == {"relu": expected, "layer_norm": expected, "sgd": expected}
    assert "takes tensors" in notes(report)
