"""Whatever a function returns, it is judged: no answer of a submission is one that the harness is not made for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from graders import _api, _catalogue
from graders._adapters import known_as
from graders.harness.report import ExerciseReport, SubmissionReport
from graders.harness.sandbox.parent import CannotStart

ODD = {
    "nothing at all": "()",
    "rows of unequal length": "[[1.0], [2.0, 3.0]]",
    "those beside a number": "(1.0, [[1.0], [2.0, 3.0]])",
    "arrays beside text": "(np.zeros((2, 3)), 1.0, 'a', None)",
}
CALLS = (
    "relu(z)", "softmax(z, axis=-1)", "relu_forward(x)", "relu_backward(dout, cache)", "affine_forward(x, w, b)",
    "linear_forward(A, W, b)", "softmax_loss(x, y)", "loss_function(preds, target, reduction='mean')", "mse(a, b)",
    "cross_entropy_loss(y_pred, y_true)", "entropy(p)", "accuracy(y_true, y_pred)", "flatten(image)", "d_relu(x)",
    "one_hot_encode(labels)", "conv2d(x, w, b, stride=1, padding=0)", "max_pool2d(x, kernel_size)",
    "mlp_forward(x, layers)", "sgd(params, grad, lr)", "adam_step(w, g, m, v, t, lr=0.1)", "cosine_lr(step, base_lr)",
    "update_parameters(parameters, grads, learning_rate)", "propagate(w, b, X, Y)", "compute_cost(AL, Y)",
    "xavier_init(fan_in, fan_out)", "he_initialize(layer_dims)", "train_test_split(X, y, test_size=0.2, seed=None)",
    "random_mini_batches(X, Y, mini_batch_size=64, seed=0)", "k_fold(n, k, seed=None)", "bootstrap_sample(n)",
    "bagging(n, d, generator, n_members, max_features)", "dropout(x, p, seed=None)", "numerical_gradient(f, x)",
    "early_stopping(history, patience)", "confusion_matrix(y_true, y_pred)", "corr2d(X, K)",
)  # fmt: skip
LAYERS = """
class {name}:
    def __init__(self, *sizes, **settings):
        self.W, self.b, self.dW, self.db = np.zeros((3, 5)), np.zeros(5), None, None
    def forward(self, x):
        return {odd}
    def backward(self, dout):
        return {odd}
    def step(self, params, grads):
        return {odd}
"""


def _graded(folder: Path, text: str) -> SubmissionReport:
    path = folder / "odd.py"
    path.write_text(text)
    (report,) = _api.grade([path], seed=0).submissions
    return report


@pytest.mark.parametrize("odd", ODD.values(), ids=list(ODD))
def test_no_function_is_unscored_for_what_it_returns(odd: str, tmp_path: Path) -> None:
    functions = [f"def {call}:\n    return {odd}\n" for call in CALLS]
    classes = [LAYERS.format(name=name, odd=odd) for name in ("Linear", "Sigmoid", "MaxPool2D", "Dropout", "SGD")]
    report = _graded(tmp_path, "\n".join(["import numpy as np", *functions, *classes]))

    assert report.status == "graded"
    verdicts = {e.function: e.verdict for e in report.exercises}
    assert len(verdicts) >= 25
    assert not {"unscored", "correct", "convention"} & set(verdicts.values())


# ---------------------------------------------------------------- and if one is


def _by_function(exercises: Sequence[ExerciseReport]) -> dict[str, ExerciseReport]:
    return {e.function: e for e in exercises}


TWO = (
    "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n"
    "def logsoftmax(z):\n    return z\ndef tanh(z):\n    return np.tanh(z)\n"
)


def test_what_fails_in_binding_one_function_leaves_the_others_their_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(found: Any, *rest: Any) -> Any:
        raise KeyError("met what it was not made for") if found.tail == "logsoftmax" else AssertionError

    monkeypatch.setattr(known_as, "bind", failing)
    report = _graded(tmp_path, TWO)

    assert (report.status, report.score) == ("unscored", None)
    every = _by_function(report.exercises)
    assert {name: e.verdict for name, e in every.items()} == {
        "relu": "correct", "tanh": "correct", "logsoftmax": "unscored"
    }  # fmt: skip
    assert every["logsoftmax"].reason == (
        "the harness failed, KeyError: 'met what it was not made for'; please report it"
    )


def test_what_fails_in_choosing_a_reading_is_tried_in_earnest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*arguments: Any) -> Any:
        raise IndexError("none")

    monkeypatch.setattr("graders._adapters.readings._settled", failing)
    report = _graded(tmp_path, TWO)

    assert {e.function: e.verdict for e in report.exercises}["relu"] == "correct"


def test_a_failure_is_told_with_the_name_of_the_function() -> None:
    def failing() -> Any:
        raise IndexError("tuple index out of range")

    (told,) = _catalogue._alone("odd.relu", failing).failed

    assert told == ("odd.relu", "the harness failed, IndexError: tuple index out of range; please report it")


def test_a_sandbox_that_does_not_start_is_no_fault_of_one_function() -> None:
    def failing() -> Any:
        raise CannotStart("no process")

    with pytest.raises(CannotStart):
        _catalogue._alone("odd.relu", failing)
