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


def graded(tmp_path: Path, *texts: str, seed: int = 7) -> list[ExerciseReport]:
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

    assert [report.verdict for report in reports] == ["unstable", "unstable"]
    assert all("right under another definition" in report.reason for report in reports)


def test_a_slope_with_a_leak_of_its_own_is_not_judged(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(
        "import numpy as np\ndef leaky_relu_prime(z):\n    return np.where(z > 0, 1, 0.1)\n"
    )
    (submission,) = _api.grade([tmp_path / "theirs.py"], seed=7).submissions

    assert submission.exercises == []
    assert any("leaky_relu_prime is not judged" in note for note in submission.notes)
