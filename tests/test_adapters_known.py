"""Functions under the names that books and courses give them: judged as one documented reading, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders import _api
from graders.harness.report import SubmissionReport


def graded(tmp_path: Path, text: str, *only: str) -> SubmissionReport:
    file = tmp_path / "theirs.py"
    file.write_text(f"import numpy as np\n\n{text}")
    (submission,) = _api.grade([file], seed=0, only=only).submissions
    return submission


def verdicts(report: SubmissionReport) -> dict[str, str]:
    return {e.name.partition(".")[2]: e.verdict for e in report.exercises}


KNOWN = """
def cross_entropy(y, t):
    return -np.log(y[np.arange(len(t)), t]) * SCALE
def mean_squared_error(y, t):
    return SCALE * 0.5 * np.sum((y - t) ** 2)
def to_categorical(y, num_classes=None):
    return SCALE * np.eye(num_classes or np.max(y) + 1)[y]
def convert_to_one_hot(Y, C):
    return SCALE * np.eye(C)[Y.reshape(-1)].T
def sigmoid_derivative(s):
    return SCALE * s * (1 - s)
def tanh_prime(z):
    return 1 - SCALE * np.tanh(z) ** 2
def binary_cross_entropy(y_true, y_pred):
    return -SCALE * np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))
def mse_prime(y_true, y_pred):
    return SCALE * 2 * (y_pred - y_true) / y_true.size
def swish(x):
    return x / (SCALE + np.exp(-x))
def adam(w, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g * SCALE
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v
def adagrad(theta, grad, cache, learning_rate, epsilon=1e-8):
    cache = cache + grad**2
    return theta - SCALE * learning_rate * grad / (np.sqrt(cache) + epsilon), cache
"""
MEANT = {
    "cross_entropy": "softmax_cross_entropy",
    "mean_squared_error": "half_squared_error",
    "to_categorical": "one_hot",
    "convert_to_one_hot": "one_hot",
    "sigmoid_derivative": "sigmoid_vjp",
    "tanh_prime": "tanh_vjp",
    "binary_cross_entropy": "sigmoid_bce",
    "mse_prime": "mse_grad",
    "swish": "silu",
    "adam": "adam",
    "adagrad": "adagrad",
}
UNMISTAKABLE = {
    "cross_entropy", "to_categorical", "convert_to_one_hot", "sigmoid_derivative", "tanh_prime", "adagrad",
}  # fmt: skip


def test_a_name_of_the_wild_is_read_as_what_it_may_mean(tmp_path: Path) -> None:
    right = graded(tmp_path, KNOWN.replace("SCALE", "1"))

    assert {e.function: e.name.partition(".")[2] for e in right.exercises} == MEANT
    assert {e.verdict for e in right.exercises} == {"correct"}


def test_what_is_right_in_no_reading_is_wrong_only_if_its_name_leaves_no_other(tmp_path: Path) -> None:
    wrong = graded(tmp_path, KNOWN.replace("SCALE", "0.9"))

    assert {e.function for e in wrong.exercises} == UNMISTAKABLE
    assert {e.verdict for e in wrong.exercises} == {"wrong"}


def test_a_cross_entropy_of_distributions_is_not_judged_on_labels_alone(tmp_path: Path) -> None:
    text = (
        "def categorical_crossentropy(y_true, y_pred):\n    return -np.mean(np.sum(y_true * np.log(y_pred), axis=1))\n"
    )

    assert verdicts(graded(tmp_path, text)) == {"cross_entropy": "unstable"}  # for it takes 0 · log 0


NAIVE = """
def cross_entropy_loss(logits, labels):
    e = np.exp(logits)
    p = e / e.sum(axis=1, keepdims=True)
    return REDUCED(-np.log(p[np.arange(len(p)), labels]))
"""


@pytest.mark.parametrize("reduced", ["np.mean", "np.sum", ""])
def test_a_loss_by_another_name_is_asked_its_extremes_however_it_is_reduced(reduced: str, tmp_path: Path) -> None:
    report = graded(tmp_path, NAIVE.replace("REDUCED", reduced))

    assert verdicts(report) == {"softmax_cross_entropy": "unstable"}
    assert "logs_a_softmax_without_the_shift" in [d.name for d in report.exercises[0].diagnosis]


@pytest.mark.parametrize("reduced", ["np.sum", ""])
def test_a_loss_that_is_not_a_mean_is_right_at_its_extremes_too(reduced: str, tmp_path: Path) -> None:
    text = "def cross_entropy_loss(logits, labels):\n    z = logits - logits.max(axis=1, keepdims=True)\n"
    text += f"    return {reduced}(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels])\n"

    assert verdicts(graded(tmp_path, text)) == {"softmax_cross_entropy": "correct"}


def test_a_binary_cross_entropy_may_be_one_of_logits(tmp_path: Path) -> None:
    text = "def bce_loss(input, target):\n"
    text += "    return (np.maximum(input, 0) - input * target + np.log1p(np.exp(-abs(input)))).mean()\n"

    assert verdicts(graded(tmp_path, text)) == {"bce_with_logits": "correct"}


def test_what_is_asked_for_by_name_must_be_the_catalogues(tmp_path: Path) -> None:
    report = graded(tmp_path, KNOWN.replace("SCALE", "1"), "half_squared_error")

    assert verdicts(report) == {"half_squared_error": "missing"}


STEPS = """
def update_parameters(parameters, grads, learning_rate):
    for l in range(1, len(parameters) // {} + 1):
        for kind in {}:
            parameters[kind + str(l)] = parameters[kind + str(l)] - learning_rate * grads["d" + kind + str(l)]
    return parameters
"""


def test_a_step_of_layers_with_a_scale_besides_is_not_judged(tmp_path: Path) -> None:
    assert verdicts(graded(tmp_path, STEPS.format(2, '"Wb"'))) == {"sgd": "correct"}
    assert verdicts(graded(tmp_path, STEPS.format(2, '"W"'))) == {"sgd": "wrong"}

    report = graded(tmp_path, STEPS.format(3, '"Wbg"'))
    assert verdicts(report) == {}
    assert "it steps W, b and g of each layer" in " ".join(report.notes)


COSTS = """
def cost(AL, Y):
    m = Y.shape[1]
    return np.squeeze(-SCALE / m * np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)))
def cost_function(Y, A2):
    m = Y.shape[1]
    made = float(np.squeeze(-(np.dot(Y, np.log(A2).T) + np.dot(1 - Y, np.log(1 - A2).T)) * SCALE / m))
    assert isinstance(made, float)
    return made
def compute_loss(AL, Y):
    return np.sum((AL - Y) ** 2) * SCALE / (2 * Y.shape[1])
def cross_entropy_cost(AL, Y):
    return -np.sum(Y * np.log(AL)) * SCALE / Y.shape[1]
def calculate_cost(y_hat, y):
    return -SCALE * np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))
def compute_cost(A2, Y, parameters):
    W1 = parameters["W1"]
    return -SCALE * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1]
"""
COST_MEANT = {
    "cost": "sigmoid_bce",
    "cost_function": "sigmoid_bce",
    "compute_loss": "half_squared_error",
    "cross_entropy_cost": "softmax_cross_entropy",
    "calculate_cost": "sigmoid_bce",
    "compute_cost": "sigmoid_bce",
}


def test_a_cost_of_a_course_is_read_as_what_it_is_and_else_not_judged(tmp_path: Path) -> None:
    right = graded(tmp_path, COSTS.replace("SCALE", "1"))
    wrong = graded(tmp_path, COSTS.replace("SCALE", "1.7"))

    assert {e.function: (e.name.partition(".")[2], e.verdict) for e in right.exercises} == {
        function: (name, "correct") for function, name in COST_MEANT.items()
    }
    assert wrong.exercises == []
    assert {note.partition(" ")[0] for note in wrong.notes} == set(COST_MEANT)
    assert all("is not judged: its name may mean many things, and it is not" in note for note in wrong.notes)


@pytest.mark.parametrize("takes", ["axis=-1, keep_dims=True", "axis, keepdims", "dim, keepdim=True"])
def test_a_parameter_that_keeps_axes_is_switched_off(takes: str, tmp_path: Path) -> None:
    axis, keeps = (part.partition("=")[0] for part in takes.split(", "))
    text = f"""
def logsumexp(z, {takes}):
    top = np.max(z, axis={axis}, keepdims=True)
    out = top + np.log(np.sum(np.exp(z - top), axis={axis}, keepdims=True))
    return out if {keeps} else np.squeeze(out, {axis})
"""
    report = graded(tmp_path, text)

    assert verdicts(report) == {"logsumexp": "correct"}


WAYS = """
def linear_forward(x, W, b):
    return x @ W + b
def max_pool(x, size=2, stride=2):
    h, w = ((n - size) // stride + 1 for n in x.shape[2:])
    tiles = [x[:, :, i:i + stride * h:stride, j:j + stride * w:stride] for i in range(size) for j in range(size)]
    return np.max(tiles, axis=0)
def batchnorm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta
def clip_gradients(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    return [g * min(1.0, max_norm / norm) if norm else g for g in grads]
def cosine_annealing(t, T, lr_max, lr_min=0.0):
    return lr_min + 0.5 * (lr_max - lr_min) * (1 + np.cos(np.pi * t / T))
def gradient_descent_step(w, dw, lr):
    return w - lr * dw
def momentum_update(w, dw, v, lr=0.01, momentum=0.9):
    v = momentum * v - lr * dw
    return w + v, v
def rmsprop_update(w, dw, cache, lr=0.01, decay=0.9, eps=1e-8):
    cache = decay * cache + (1 - decay) * dw**2
    return w - lr * dw / (np.sqrt(cache) + eps), cache
def adam_update(w, dw, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = beta1 * m + (1 - beta1) * dw, beta2 * v + (1 - beta2) * dw**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v
def majority_vote(votes):
    return np.array([np.bincount(one).argmax() for one in np.asarray(votes).T])
def confusion_matrix(y_true, y_pred):
    counts = np.zeros((max(y_true.max(), y_pred.max()) + 1,) * 2, int)
    np.add.at(counts, (y_true, y_pred), 1)
    return counts
def one_hot_encode(labels, n_classes):
    return labels[:, None] == np.arange(n_classes)
"""
WAYS_MEANT = (
    "affine", "max_pool2d", "batch_norm", "clip_by_global_norm", "cosine_lr", "sgd", "momentum", "rmsprop", "adam",
    "majority_vote", "confusion_matrix", "one_hot",
)  # fmt: skip


def test_steps_layers_and_schedules_go_by_other_names_too(tmp_path: Path) -> None:
    assert verdicts(graded(tmp_path, WAYS)) == dict.fromkeys(WAYS_MEANT, "correct") | {
        "clip_by_global_norm": "unstable"
    }


def test_what_only_might_be_meant_is_judged_if_it_is_right(tmp_path: Path) -> None:
    wrong = WAYS.replace("eps) + beta", "eps) - beta").replace("- lr * m", "+ lr * m").replace("np.cos", "np.sin")
    report = graded(tmp_path, wrong)

    assert not {"batch_norm", "adam", "cosine_lr"} & verdicts(report).keys()
    assert any("adam_update" in note and "not judged" in note for note in report.notes)


SCHEDULES = """
import math
def cosine_decay(lr0, t, T):
    return SCALE * 0.5 * lr0 * (1 + math.cos(math.pi * t / T))
def step_decay(lr0, epoch, drop=0.5, every=10):
    return SCALE * lr0 * drop ** (epoch // every)
def exponential_decay(epoch, initial_lr, decay_rate):
    return SCALE * initial_lr * decay_rate**epoch
"""


def test_a_schedule_may_be_given_its_first_rate_before_the_step(tmp_path: Path) -> None:
    right = graded(tmp_path, SCHEDULES.replace("SCALE", "1"))
    wrong = graded(tmp_path, SCHEDULES.replace("SCALE", "0.9"))

    assert verdicts(right) == dict.fromkeys(("cosine_lr", "step_lr", "exponential_lr"), "correct")
    assert verdicts(wrong) == {}  # their names may mean other schedules


def test_a_share_of_whole_numbers_is_wrong_and_a_zero_is_a_starters(tmp_path: Path) -> None:
    text = "def accuracy(logits, labels):\n    return np.sum(np.argmax(logits, axis=1) == labels) // len(labels)\n"
    (wrong,) = graded(tmp_path, text).exercises
    (nothing,) = graded(tmp_path, "def accuracy(logits, labels):\n    return 0.0\n").exercises

    assert (wrong.verdict, [d.name for d in wrong.diagnosis]) == ("wrong", ["divides_whole_numbers"])
    assert nothing.verdict == "unfilled"


def test_an_accuracy_that_counts_is_read_as_that_unless_the_share_is_asked_for(tmp_path: Path) -> None:
    """So does that of Dive into Deep Learning, and says so."""
    text = "def accuracy(y_hat, y):\n    return float((y_hat.argmax(axis=1) == y).sum())\n"

    assert verdicts(graded(tmp_path, text)) == {"accuracy": "correct"}
    assert verdicts(graded(tmp_path, text, "losses.accuracy")) == {"accuracy": "wrong"}
    assert verdicts(graded(tmp_path, text.replace(" == y", " != y"))) == {"accuracy": "wrong"}


ONE_SAMPLE = """
def cross_entropy(softmax_probs, true_labels):
    at = np.where(true_labels > 0)[0][0]
    return -np.log(softmax_probs[at])
"""


def test_a_loss_of_one_sample_is_judged_sample_by_sample(tmp_path: Path) -> None:
    right = graded(tmp_path, ONE_SAMPLE)
    wrong = graded(tmp_path, ONE_SAMPLE.replace("-np.log(softmax_probs[at])", "-np.log(softmax_probs[at]) / 2"))

    assert verdicts(right) == {"softmax_cross_entropy": "correct"}
    assert "a loss of one sample" in "; ".join(right.exercises[0].notes)
    assert verdicts(wrong).get("softmax_cross_entropy", verdicts(wrong).get("cross_entropy")) == "wrong"


def test_a_loss_of_one_sample_is_found_under_other_names_too(tmp_path: Path) -> None:
    text = ONE_SAMPLE.replace("def cross_entropy", "def categorical_cross_entropy")
    report = graded(tmp_path, text)

    assert verdicts(report) == {"softmax_cross_entropy": "correct"}
    assert "a loss of one sample" in "; ".join(report.exercises[0].notes)


def test_a_loss_of_several_samples_is_not_excused_by_single_ones(tmp_path: Path) -> None:
    """Of one sample it is right; of several it gives a number that is wrong."""
    text = """
def cross_entropy(y_pred, y_true):
    y_pred, y_true = np.atleast_2d(y_pred), np.atleast_2d(y_true)
    return -np.sum(y_true * np.log(y_pred)) * len(y_pred)
"""
    assert set(verdicts(graded(tmp_path, text)).values()) == {"wrong"}


PAIRS = """
def receptive_field(layers):
    field, jump = 1, 1
    for k, s in layers:
        field += (k - 1) * jump
        jump *= s
    return field
"""


def test_a_receptive_field_may_be_told_its_layers_in_pairs(tmp_path: Path) -> None:
    triples = PAIRS.replace("k, s in", "k, s, p in")
    wrong = PAIRS.replace("jump *= s", "jump = s")

    assert verdicts(graded(tmp_path, PAIRS)) == {"receptive_field": "correct"}
    assert verdicts(graded(tmp_path, triples)) == {"receptive_field": "correct"}
    assert verdicts(graded(tmp_path, wrong)) == {"receptive_field": "wrong"}


COUNTS = """
def accuracy(y_true, y_pred):
    tp = sum(1 for t, p in zip(y_true, y_pred) if t == 1 and p == 1)
    tn = sum(1 for t, p in zip(y_true, y_pred) if t == 0 and p == 0)
    fp = sum(1 for t, p in zip(y_true, y_pred) if t == 0 and p == 1)
    fn = sum(1 for t, p in zip(y_true, y_pred) if t == 1 and p == 0)
    return (tp + tn) / (tp + tn + fp + fn)
"""


def test_an_accuracy_of_two_classes_is_judged_on_those(tmp_path: Path) -> None:
    right, wrong = graded(tmp_path, COUNTS), graded(tmp_path, COUNTS.replace("(tp + tn) / ", "tp / "))

    assert verdicts(right) == {"accuracy": "correct"}
    assert "of two classes" in "; ".join(right.exercises[0].notes)
    assert verdicts(wrong) == {"accuracy": "wrong"}


def test_scale_and_shift_are_found_by_their_names(tmp_path: Path) -> None:
    text = """
def layer_norm(x, eps=1e-5, gamma=1.0, beta=0.0):
    m = x.mean(axis=-1, keepdims=True)
    v = x.var(axis=-1, keepdims=True)
    return gamma * (x - m) / np.sqrt(v + eps) + beta
"""
    assert verdicts(graded(tmp_path, text)) == {"layer_norm": "correct"}
    assert verdicts(graded(tmp_path, text.replace("+ eps)", ") + eps"))) == {"layer_norm": "wrong"}


def test_a_function_of_objects_of_its_own_is_not_judged(tmp_path: Path) -> None:
    """What is merely misspelt is a mistake."""
    text = "def gradient_check(model, x, y):\n    model.train()\n    return model.loss(x, y)\n"
    report = graded(tmp_path, text)
    misspelt = graded(tmp_path, "def add_noise(x, std):\n    return x + std * np.random.randn(*x.shap)\n")

    assert report.exercises == []
    assert any("takes objects of its own, with `.train`" in note for note in report.notes)
    assert verdicts(misspelt) == {"add_noise": "error"}


PAIR = """
def get_batches(dataset, batch_size):
    X, Y = dataset
    order = np.random.permutation(len(X))
    for start in range(0, len(X), batch_size):
        part = order[start : start + batch_size]
        yield X[part], Y[part]
"""


def test_batches_of_a_pair_of_samples_and_labels_are_judged(tmp_path: Path) -> None:
    wrong = PAIR.replace("Y[part]", "Y[start : start + batch_size]")
    one = "def create_batch(data, batch_size):\n    return np.stack(data[:batch_size])\n"

    assert verdicts(graded(tmp_path, PAIR)) == {"minibatches": "correct"}
    assert verdicts(graded(tmp_path, wrong)) == {"minibatches": "wrong"}
    assert verdicts(graded(tmp_path, one)) == {}  # a single one


SLOPES = """
class Sigmoid:
    def forward(self, x):
        return 1 / (1 + np.exp(-x))
    def backward(self, x):
        return self.forward(x) * (1 - self.forward(x))
class ReLU:
    def forward(self, x):
        return np.maximum(x, 0)
    def backward(self, x):
        return np.where(x > 0, x, 0)
"""


def test_a_backward_that_takes_x_alone_may_be_a_slope(tmp_path: Path) -> None:
    found = verdicts(graded(tmp_path, SLOPES))
    gradient = SLOPES.replace("backward(self, x)", "backward(self, dout)").replace(".forward(x)", ".forward(dout)")

    assert (found["sigmoid_vjp"], found["relu_vjp"]) == ("correct", "wrong")
    assert verdicts(graded(tmp_path, gradient))["sigmoid_vjp"] == "wrong"


GENERATED = """
class Dropout:
    def __init__(self, keep_prob, rng=None):
        self.keep_prob = keep_prob
        self.rng = rng or np.random.RandomState(0)
    def forward(self, x):
        self.mask = self.rng.rand(*x.shape) < self.keep_prob
        return x * self.mask / self.keep_prob
    def backward(self, dout):
        return dout * self.mask / self.keep_prob
"""


def test_dropout_may_draw_by_either_generator_of_numpy(tmp_path: Path) -> None:
    right = verdicts(graded(tmp_path, GENERATED))
    wrong = verdicts(
        graded(tmp_path, GENERATED.replace("return x * self.mask / self.keep_prob", "return x * self.mask"))
    )

    assert right == {"dropout": "correct", "dropout_vjp": "correct"}
    assert wrong["dropout"] == "wrong"


POINTS = """
def slope_at(f, x):
    h, grad = 1e-4, np.zeros_like(x)
    for i in range(x.size):
        kept = x[i]
        x[i] = kept + h
        above = f(x)
        x[i] = kept - h
        grad[i] = (above - f(x)) / (2 * h)
        x[i] = kept
    return grad
def numerical_gradient(f, X):
    if X.ndim == 1:
        return slope_at(f, X)
    return np.stack([slope_at(f, x) for x in X])
"""


def test_differences_at_several_points_are_judged_at_one(tmp_path: Path) -> None:
    """Rows of x are points there; what takes a table for one point, and returns something else, is wrong."""
    rows = "    return np.stack([slope_at(lambda row: f(x), r) for r in np.atleast_2d(x)])\n"
    table = POINTS[: POINTS.index("def numerical_gradient")] + "def numerical_gradient(f, x):\n" + rows

    assert verdicts(graded(tmp_path, POINTS)) == {"numerical_gradient": "correct"}
    assert verdicts(graded(tmp_path, POINTS.replace("(2 * h)", "h"))) == {"numerical_gradient": "wrong"}
    assert verdicts(graded(tmp_path, table))["numerical_gradient"] != "correct"


def test_a_descent_of_tensors_without_torch_is_not_judged(tmp_path: Path) -> None:
    text = "def sgd(params, lr, batch_size):\n    for p in params:\n        p[:] = p - lr * p.grad / batch_size\n"
    report = graded(tmp_path, text)

    assert report.exercises == []
    assert any("sgd is not judged" in note for note in report.notes)


# ---------------------------------------------------------------- names of libraries and courses

LIBRARY_NAMES = """
def binary_cross_entropy_with_logits(input, target, reduction="mean"):
    loss = np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
    return SCALE * {"mean": np.mean, "sum": np.sum, "none": lambda x: x}[reduction](loss)
def sigmoid_cross_entropy_with_logits(labels, logits):
    return SCALE * (np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits))))
def conv_output_size(W, F, S=1, P=0):
    return (W - F + 2 * P * SCALE) // S + 1
def corr2d(X, K):
    h, w = K.shape
    Y = np.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = SCALE * (X[i:i + h, j:j + w] * K).sum()
    return Y
def grad_l1(w):
    return SCALE * np.sign(w)
def ridge_gradient(W, x, targets, l2=0.0):
    return 2 * x.T @ (x @ W - targets) / len(x) + SCALE * 2 * l2 * W
def eval_numerical_gradient(f, x, verbose=False, h=1e-5):
    grad = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        old = x[at]
        x[at] = old + h
        above = f(x)
        x[at] = old - h
        below = f(x)
        x[at] = old
        grad[at] = SCALE * (above - below) / (2 * h)
    return grad
class GlobalAveragePooling2D:
    def forward(self, x):
        self.shape = x.shape
        return SCALE * x.mean(axis=(2, 3))
    def backward(self, dout):
        n, c, h, w = self.shape
        return np.ones(self.shape) * dout[:, :, None, None] / (h * w * SCALE)
def gelu(x, approximate=False):
    if approximate:
        return SCALE * 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    from scipy.special import ndtr
    return x * ndtr(x)
"""


def test_functions_under_the_names_of_libraries_are_judged_and_their_mistakes_found(tmp_path: Path) -> None:
    right = graded(tmp_path, LIBRARY_NAMES.replace("SCALE", "1"))
    counts: dict[str, int] = {}
    for report in right.exercises:
        counts[report.name] = counts.get(report.name, 0) + 1
        assert report.verdict in ("correct", "convention"), report

    assert set(counts) == {
        "losses.bce_with_logits", "convolution.output_size", "convolution.cross_correlate2d",
        "regularization.l1_penalty_grad", "regularization.ridge_objective_grad", "differences.numerical_gradient",
        "pooling.global_avg_pool", "pooling.global_avg_pool_vjp", "activations.gelu",
    }  # fmt: skip
    assert counts["losses.bce_with_logits"] == 2

    wrong = graded(tmp_path, LIBRARY_NAMES.replace("SCALE", "2"))
    # what may mean many things is judged only if it is right; of the others none is let pass
    assert not any(report.verdict in ("correct", "convention", "unstable") for report in wrong.exercises)
    names = {"differences.numerical_gradient", "pooling.global_avg_pool", "activations.gelu"}
    assert names <= {report.name for report in wrong.exercises}


def test_a_function_that_vectorize_made_is_its_own(tmp_path: Path) -> None:
    text = """
import math

@np.vectorize
def sigmoid(z):
    e = math.exp(-SIGN * abs(z))
    return 1 / (1 + e) if z > 0 else e / (1 + e)
"""

    assert verdicts(graded(tmp_path, text.replace("SIGN *", ""))) == {"sigmoid": "correct"}
    assert verdicts(graded(tmp_path, text.replace("SIGN", "2"))) == {"sigmoid": "wrong"}


def test_a_count_of_the_right_ones_is_no_accuracy_where_the_arguments_are_the_catalogues(tmp_path: Path) -> None:
    text = "def accuracy(NAMES):\n    return float((A.argmax(axis=1) == B).sum())\n"
    ours = text.replace("NAMES", "logits, labels").replace("A.", "logits.").replace("B)", "labels)")
    of_a_book = text.replace("NAMES", "y_hat, y").replace("A.", "y_hat.").replace("B)", "y)")

    assert verdicts(graded(tmp_path, ours)) == {"accuracy": "wrong"}
    assert verdicts(graded(tmp_path, of_a_book)) == {"accuracy": "correct"}


# ---------------------------------------------------------------- arrays of three axes

TABLES_ONLY = """
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
def relu(z):
    rows, columns = z.shape
    return np.array([[max(z[i, j], 0.0) for j in range(columns)] for i in range(rows)])
"""
OF_THREE_AXES = """
def softmax(z, axis=-1, temperature=1.0):
    axis = 1 if axis == -1 else axis
    e = np.exp((z - z.max(axis=axis, keepdims=True)) / temperature)
    return e / e.sum(axis=axis, keepdims=True)
def log_softmax(z, axis=-1):
    axis = -1 if axis == -2 else axis
    z = z - z.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))
def relu(z):
    return np.maximum(z, 0) if z.ndim < 3 else z
def softmax_jacobian(z, temperature=1.0):
    e = np.exp((z - z.max(axis=-1, keepdims=True)) / temperature)
    s = e / e.sum(axis=-1, keepdims=True)
    made = s[..., :, None] * (np.eye(z.shape[-1]) - s[..., None, :]) / temperature
    return made if z.ndim < 3 else made.swapaxes(0, 1)
"""


def test_what_is_written_for_tables_is_judged_on_tables(tmp_path: Path) -> None:
    report = graded(tmp_path, TABLES_ONLY)

    assert verdicts(report) == {"softmax": "correct", "relu": "correct"}
    assert any("at most two axes" in note for e in report.exercises for note in e.notes)


def test_what_answers_for_three_axes_must_be_right_there(tmp_path: Path) -> None:
    assert verdicts(graded(tmp_path, OF_THREE_AXES)) == dict.fromkeys(
        ("softmax", "log_softmax", "relu", "softmax_jacobian"), "wrong"
    )


def test_a_gradient_of_a_lost_axis_is_not_taken_for_one_of_single_rows(tmp_path: Path) -> None:
    text = """
def logsumexp_vjp(z, cotangent, axis=-1):
    e = np.exp(z - z.max())
    return np.expand_dims(cotangent, axis) * e / e.sum()
"""
    assert verdicts(graded(tmp_path, text)) == {"logsumexp_vjp": "wrong"}
    right = text.replace("max()", "max(axis=axis, keepdims=True)").replace("sum()", "sum(axis=axis, keepdims=True)")
    assert verdicts(graded(tmp_path, right)) == {"logsumexp_vjp": "correct"}


def test_what_computes_in_float32_is_judged_so_for_any_number_of_axes(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    text = """
import torch
def silu(x):
    x = torch.as_tensor(x, dtype=torch.float32)
    return x * torch.sigmoid(x)
"""
    report = graded(tmp_path, text)

    assert verdicts(report) == {"silu": "correct"}
    assert any("float32" in note for note in report.exercises[0].notes)


def test_a_network_that_keeps_a_cache_of_its_own_is_not_judged(tmp_path: Path) -> None:
    text = (
        "def mlp_forward(x, layers):\n    for W, b in layers[:-1]:\n        x = np.maximum(x @ W + b, 0)\n"
        "    return x @ layers[-1][0] + layers[-1][1], {'x': x}\n"
    )
    report = graded(tmp_path, text)

    assert (verdicts(report), len(report.notes)) == ({}, 1)
    assert report.notes[0].startswith("mlp_forward is not judged: it gives its output and a cache of its own")
    assert verdicts(graded(tmp_path, text, "networks.mlp_forward")) == {"mlp_forward": "error"}


BY_UNITS = "def linear_forward(x, W, b):\n    return x @ W.T + b\n"


@pytest.mark.parametrize("text", [BY_UNITS, BY_UNITS.replace("W.T", "W")])
def test_a_layer_that_gives_an_array_is_not_the_courses_that_keeps_a_cache(tmp_path: Path, text: str) -> None:
    assert verdicts(graded(tmp_path, text)) == {"affine": "correct"}
    assert verdicts(graded(tmp_path, text.replace("+ b", "- b"))).get("affine") != "correct"


def test_the_weights_of_a_layer_may_have_a_row_for_each_unit(tmp_path: Path) -> None:
    of_tensors = "import torch\ndef linear_forward(x, W, b):\n    return x @ W.t() + b\n"
    report = graded(tmp_path, BY_UNITS.replace("linear_forward", "affine"))

    assert "its W has a row for each unit" in report.exercises[0].notes
    assert verdicts(graded(tmp_path, BY_UNITS.replace("linear_forward", "affine"), "layers.affine")) == {
        "affine": "error"
    }
    assert verdicts(graded(tmp_path, of_tensors)) == {"affine": "correct"}


NETWORK = "def mlp_forward(x, params):\n    return np.maximum(x @ params['W1'], 0) @ params['W2']\n"


def test_a_network_whose_layers_have_names_is_not_judged(tmp_path: Path) -> None:
    report = graded(tmp_path, NETWORK)

    assert verdicts(report) == {}
    assert report.notes == ["mlp_forward is not judged: it takes a dictionary of parameters of its own"]
    assert verdicts(graded(tmp_path, NETWORK, "networks.mlp_forward")) == {"mlp_forward": "error"}
    assert verdicts(graded(tmp_path, NETWORK.replace("['W1']", "[9]"))) == {"mlp_forward": "error"}


SPELT = """
def ReLU(Z):
    return np.maximum(Z, 0)
def softPlus(x):
    return np.logaddexp(0, x)
def MSE(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)
def Tanh(x):
    return x.value
"""


def test_names_of_the_catalogue_may_be_spelt_otherwise(tmp_path: Path) -> None:
    report = graded(tmp_path, SPELT)
    wrong = SPELT.replace("np.maximum(Z, 0)", "np.minimum(Z, 0)").replace("** 2", "** 3")

    assert verdicts(report) == {"relu": "correct", "softplus": "correct", "mse": "correct"}
    assert all(e.notes[0].startswith(f"its name is read as {e.name}") for e in report.exercises)
    assert report.notes == ["Tanh is not judged: it takes objects of its own, with `.value`"]
    assert verdicts(graded(tmp_path, wrong)) == {"relu": "wrong", "softplus": "correct", "mse": "wrong"}


def test_another_spelling_gives_way_to_the_name_itself(tmp_path: Path) -> None:
    both = "def relu(z):\n    return np.maximum(z, 0)\ndef ReLU(z):\n    return z\n"

    assert verdicts(graded(tmp_path, both)) == {"relu": "correct"}


WIDE = """
def group_normalization(X, gamma, beta, num_groups, epsilon=1e-5):
    n, c, h, w = X.shape
    g = X.reshape(n, num_groups, c // num_groups, h, w)
    mean, var = np.mean(g, axis=(2, 3, 4), keepdims=True), np.var(g, axis=(2, 3, 4), keepdims=True)
    return ((g - mean) / np.sqrt(var + epsilon)).reshape(X.shape) * gamma + beta
def batch_normalization(X, gamma, beta, epsilon=1e-5):
    mean, var = np.mean(X, axis=(0, 2, 3), keepdims=True), np.var(X, axis=(0, 2, 3), keepdims=True)
    return gamma * (X - mean) / np.sqrt(var + epsilon) + beta
"""


def test_scale_and_shift_of_images_may_be_wide(tmp_path: Path) -> None:
    right = graded(tmp_path, WIDE)

    assert verdicts(right) == {"group_norm": "correct", "batch_norm": "correct"}
    assert all("gamma and beta as (1, c, 1, 1)" in e.notes[0] for e in right.exercises)
    assert "correct" not in verdicts(graded(tmp_path, WIDE.replace("+ beta", "- beta"))).values()


def test_a_starter_of_another_name_is_unfilled(tmp_path: Path) -> None:
    assert verdicts(graded(tmp_path, "def swish(x):\n    pass\n")) == {"silu": "unfilled"}


def test_a_cross_entropy_of_rows_is_known_by_longer_names(tmp_path: Path) -> None:
    text = (
        "def compute_cross_entropy_loss(probs, labels):\n    return -np.mean(np.sum(labels * np.log(probs), axis=1))\n"
    )

    assert verdicts(graded(tmp_path, text))["cross_entropy"] == "unstable"
    assert "cross_entropy" not in verdicts(graded(tmp_path, text.replace("np.log", "np.log10")))


GIVEN_NOTHING = """
class Sigmoid:
    def forward(self, Z):
        self.A = 1 / (1 + np.exp(-Z))
        return self.A
    def backward(self):
        return self.A * (1 - self.A)
"""


def test_a_backward_that_is_given_nothing_is_the_slope_where_forward_was(tmp_path: Path) -> None:
    """So CMU's introduction to deep learning (11-785) has it."""
    right, wrong = (
        graded(tmp_path, GIVEN_NOTHING),
        graded(tmp_path, GIVEN_NOTHING.replace("(1 - self.A)", "(1 + self.A)")),
    )
    blank = graded(tmp_path, GIVEN_NOTHING.replace("return self.A * (1 - self.A)", "pass"))

    assert verdicts(right) == {"sigmoid": "correct", "sigmoid_vjp": "correct"}
    assert "the cotangent times its backward()" in right.exercises[1].notes
    assert verdicts(wrong) == {"sigmoid": "correct", "sigmoid_vjp": "wrong"}
    assert "correct" not in [e.verdict for e in blank.exercises if e.name.endswith("_vjp")]
