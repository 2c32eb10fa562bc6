"""Functions of plain Python: of lists of numbers, in the shapes of courses that begin without NumPy."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders import _api
from graders.harness.report import ExerciseReport

MSE = "def mse(y_true, y_pred):\n    return sum((a - b) ** 2 for a, b in zip(y_true, y_pred)) / len(y_true)\n"
SLOPES = "def mse_grad(p, t):\n    return [2 * (a - b) / len(p) for a, b in zip(p, t)]\n"
TANH = "import math\ndef tanh(v):\n    return [math.tanh(x) for x in v]\n"
RELU = "def relu(v):\n    return [max(0.0, x) for x in v]\n"
ENTROPY = "import math\ndef entropy(probs):\n    return -sum(p * math.log(p) for p in probs if p > 0)\n"
IN_BITS = (
    "import math\ndef entropy(probs, base=2):\n    return -sum(p * math.log(p) / math.log(base) for p in probs if p)\n"
)
DIVERGENCE = (
    "import math\ndef kl_divergence(p, q):\n    return sum(a * math.log(a / b) for a, b in zip(p, q) if a > 0)\n"
)
OF_LABELS = (
    "def accuracy(y_true, y_pred):\n    if not y_true:\n        return 0.0\n"
    "    return sum(a == b for a, b in zip(y_true, y_pred)) / len(y_true)\n"
)
RIGHT = {
    "losses.mse": MSE,
    "losses.mse_grad": SLOPES,
    "activations.tanh": TANH,
    "activations.relu": RELU,
    "losses.entropy": ENTROPY,
    "losses.kl_divergence": DIVERGENCE,
    "losses.accuracy": OF_LABELS,
}
SPLIT = """
import random
def train_test_split(X, y, test_ratio=0.2, seed=42):
    random.seed(seed)
    order = list(range(len(X)))
    random.shuffle(order)
    cut = int(len(X) * (1 - test_ratio))
    return ([X[i] for i in order[:cut]], [y[i] for i in order[:cut]],
            [X[i] for i in order[cut:]], [y[i] for i in order[cut:]])
"""
IN_THREE = """
import random
def train_val_test_split(X, y, train_ratio=0.6, val_ratio=0.2, seed=42):
    random.seed(seed)
    order = list(range(len(X)))
    random.shuffle(order)
    first, second = int(len(X) * train_ratio), int(len(X) * (train_ratio + val_ratio))
    parts = order[:first], order[first:second], order[second:]
    return *([X[i] for i in part] for part in parts), *([y[i] for i in part] for part in parts)
"""
DRAWN = (
    "import math, random\ndef kaiming_init(fan_in, fan_out):\n    std = math.sqrt(2 / fan_in)\n"
    "    return [[random.gauss(0, std) for _ in range(fan_in)] for _ in range(fan_out)]\n"
)


def graded(tmp_path: Path, *texts: str, seed: int = 0) -> list[ExerciseReport]:
    """Return the report on the one function of each file."""
    paths = [tmp_path / f"theirs_{number}.py" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return [report for submission in _api.grade(paths, seed=seed).submissions for report in submission.exercises]


def test_a_function_of_a_list_of_numbers_is_judged_by_lists(tmp_path: Path) -> None:
    reports = graded(tmp_path, *RIGHT.values())

    assert {report.name: report.verdict for report in reports} == dict.fromkeys(RIGHT, "correct")
    assert all("list" in "; ".join(report.notes) for report in reports if report.name != "losses.mse_grad")


def test_a_wrong_function_of_lists_is_wrong(tmp_path: Path) -> None:
    wrong = {
        MSE.replace("/ len(y_true)", "/ (2 * len(y_true))"): "halves",
        SLOPES.replace("2 * (a - b)", "2 * (b - a)"): "reverses_the_sign",
        TANH.replace("math.tanh(x)", "1 / (1 + math.exp(-x))"): "uses_the_sigmoid_for_tanh",
        RELU.replace("max(0.0, x)", "abs(x)"): "takes_the_absolute_value",
        ENTROPY.replace("-sum", "sum"): "forgets_the_minus",
        DIVERGENCE.replace("a / b", "b / a"): "",
        OF_LABELS.replace("a == b", "a != b"): "",
        IN_BITS.replace("math.log(base)", "2"): "",
    }
    reports = graded(tmp_path, *wrong)

    assert [report.verdict for report in reports] == ["wrong"] * len(wrong)
    for report, mistake in zip(reports, wrong.values(), strict=True):
        assert any(mistake in diagnosis.name for diagnosis in report.diagnosis) or not mistake, report.diagnosis


def test_what_numpy_computes_of_arrays_is_not_excused_by_lists(tmp_path: Path) -> None:
    """Of single rows it is right, as arrays and as lists; arrays of more axes are its task, too."""
    text = "import numpy as np\ndef relu(z):\n    z = np.asarray(z)\n    return np.maximum(z, 0) if z.ndim < 2 else z\n"
    (report,) = graded(tmp_path, text)

    assert report.verdict == "wrong"


def test_the_base_of_a_logarithm_is_told(tmp_path: Path) -> None:
    (report,) = graded(tmp_path, IN_BITS)

    assert (report.verdict, "given e" in "; ".join(report.notes)) == ("correct", True)


def test_parts_of_data_and_weights_come_as_lists(tmp_path: Path) -> None:
    swapped = DRAWN.replace("range(fan_in)]", "range(fan_out)]").replace("range(fan_out)]\n", "range(fan_in)]\n")
    reports = graded(tmp_path, SPLIT, IN_THREE, DRAWN, swapped)

    assert [report.verdict for report in reports] == ["correct", "convention", "correct", "correct"]


def test_wrong_parts_and_weights_in_lists_are_wrong(tmp_path: Path) -> None:
    wrong = {
        SPLIT.replace("[y[i] for i in order[cut:]]", "[y[i] for i in order[: len(X) - cut]]"): "labels of a part",
        SPLIT.replace("    random.shuffle(order)\n", ""): "same numbers for every",
        IN_THREE.replace("order[first:second]", "order[:second - first]"): "each sample is in one part",
        DRAWN.replace("2 / fan_in", "1 / fan_in"): "variance",
    }
    reports = graded(tmp_path, *wrong)

    assert [report.verdict for report in reports] == ["wrong"] * len(wrong)
    for report, reason in zip(reports, wrong.values(), strict=True):
        assert reason in report.reason


@pytest.mark.parametrize("seed", range(3))
def test_a_gelu_by_tanh_as_everybody_writes_it_is_never_wrong(seed: int, tmp_path: Path) -> None:
    """Small values beside large ones are lost in 1 + tanh, in ordinary cases too: that is no other formula."""
    text = """
import numpy as np
class GELU:
    def forward(self, x):
        self.x = x
        self.cdf = 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
        return x * self.cdf
    def backward(self, grad_output):
        x = self.x
        u = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
        slope = 0.5 * (1 - np.tanh(u) ** 2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)
        return grad_output * (self.cdf + x * slope)
"""
    reports = graded(tmp_path, text, seed=seed)

    assert [report.verdict for report in reports] == ["convention", "unstable"]
    assert all("right under another" in report.reason for report in reports)


def test_a_slope_with_a_leak_of_its_own_is_not_judged(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(
        "import numpy as np\ndef leaky_relu_prime(z):\n    return np.where(z > 0, 1, 0.1)\n"
    )
    (submission,) = _api.grade([tmp_path / "theirs.py"], seed=0).submissions

    assert submission.exercises == []
    assert any("leaky_relu_prime is not judged" in note for note in submission.notes)


NORM = """
import math
def layer_norm(values, epsilon=1e-5, gamma=1.0, beta=0.0):
    mean = sum(values) / len(values)
    var = sum((v - mean) ** 2 for v in values) / len(values)
    return [(v - mean) / math.sqrt(var + epsilon) * gamma + beta for v in values]
"""
WITH_WEIGHTS = """
import math
def layer_norm(x, gamma, beta, eps=1e-5):
    mean = sum(x) / len(x)
    var = sum((v - mean) ** 2 for v in x) / len(x)
    return [g * (v - mean) / math.sqrt(var + eps) + b for v, g, b in zip(x, gamma, beta)]
"""
DROPOUT = """
import random
class Dropout:
    def __init__(self, p=0.5):
        self.p, self.training = p, True
    def forward(self, x):
        if not self.training:
            return list(x)
        self.mask = [0.0 if random.random() < self.p else 1 / (1 - self.p) for _ in x]
        return [v * m for v, m in zip(x, self.mask)]
    def backward(self, grad):
        return [g * m for g, m in zip(grad, self.mask)]
"""
BCE = """
import math
class BCELoss:
    def __call__(self, predicted, target):
        total = 0.0
        for p, t in zip(predicted, target):
            p = max(1e-7, min(1 - 1e-7, p))
            total -= t * math.log(p) + (1 - t) * math.log(1 - p)
        return total / len(predicted)
"""
NOISE = "import random\ndef add_noise(signal, sigma=0.05):\n    return [s + random.gauss(0, sigma) for s in signal]\n"
SLOPE = """
def numerical_gradient(f, x, h=1e-5):
    grad = []
    for i in range(len(x)):
        above, below = x[:], x[:]
        above[i] += h
        below[i] -= h
        grad.append((f(above) - f(below)) / (2 * h))
    return grad
"""


def test_layers_noise_and_differences_of_lists_are_judged_by_lists(tmp_path: Path) -> None:
    reports = graded(tmp_path, NORM, WITH_WEIGHTS, DROPOUT, BCE, NOISE, SLOPE)

    assert [(report.function, report.verdict) for report in reports] == [
        ("layer_norm", "correct"),
        ("layer_norm", "correct"),
        ("Dropout.forward", "correct"),
        ("Dropout.backward", "correct"),
        ("BCELoss.__call__", "unstable"),  # it clips
        ("add_noise", "correct"),
        ("numerical_gradient", "correct"),
    ]
    assert all("list of numbers" in "; ".join(report.notes) for report in reports)


def test_what_is_wrong_in_lists_is_wrong(tmp_path: Path) -> None:
    wrong = (
        NORM.replace("math.sqrt(var + epsilon)", "(var + epsilon)"),
        WITH_WEIGHTS.replace("math.sqrt(var + eps)", "(math.sqrt(var) + eps)").replace("g * (v", "g + (v"),
        DROPOUT.replace("0.0 if", "0.0 if i % 2 and").replace("for _ in x", "for i, _ in enumerate(x)"),
        BCE.replace("total / len(predicted)", "total / (2 * len(predicted))"),
        NOISE.replace("sigma)", "sigma ** 2)"),
        SLOPE.replace("(2 * h)", "h"),
    )
    reports = [graded(tmp_path, text)[0] for text in wrong]
    assert [report.verdict for report in reports] == ["wrong"] * len(wrong)


def test_what_changes_views_of_an_array_is_not_excused_by_lists(tmp_path: Path) -> None:
    """`x[:]` copies a list, and no array: what is meant for arrays gives one."""
    arrays = "import numpy as np\n" + SLOPE.replace("return grad", "return np.array(grad)")
    (report,) = graded(tmp_path, arrays)

    assert report.verdict == "unfilled"  # as zeros always are


def test_noise_of_arrays_that_is_one_number_for_a_row_is_not_excused_by_lists(tmp_path: Path) -> None:
    rows = "import numpy as np\ndef add_noise(x, std):\n    return x + np.random.normal(0, std, len(x))[:, None]\n"
    text = rows.replace("[:, None]", ".reshape(-1, *[1] * (np.ndim(x) - 1))")
    (report,) = graded(tmp_path, text)

    assert report.verdict == "wrong"


def test_noise_that_is_clipped_to_the_range_of_images_is_a_convention(tmp_path: Path) -> None:
    text = (
        "import numpy as np\ndef add_noise(images, sigma):\n"
        "    return np.clip(images + np.random.normal(0, sigma, images.shape), 0, 1)\n"
    )
    (right,) = graded(tmp_path, text)
    (wrong,) = graded(tmp_path, text.replace("0, sigma", "0.1, sigma"))

    assert (right.verdict, [d.name for d in right.diagnosis]) == ("convention", ["clips_to_the_unit_interval"])
    assert wrong.verdict == "wrong"
