"""A gradient is asked whether it belongs to the submission's own forward, whatever that computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders import _api
from graders.harness.report import ExerciseReport

RELU = "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n"
SQUARES = """
def half_squared_error(predictions, targets):
    return LOSS
def half_squared_error_grad(predictions, targets):
    return GRADIENT
"""


def graded(tmp_path: Path, text: str) -> dict[str, ExerciseReport]:
    file = tmp_path / "work.py"
    file.write_text(text)
    (submission,) = _api.grade([file], seed=0).submissions
    return {e.name.partition(".")[2]: e for e in submission.exercises}


def squares(tmp_path: Path, loss: str, gradient: str) -> ExerciseReport:
    return graded(tmp_path, SQUARES.replace("LOSS", loss).replace("GRADIENT", gradient))["half_squared_error_grad"]


HALF, WHOLE = (
    "((predictions - targets) ** 2).sum(axis=1).mean() / 2",
    "((predictions - targets) ** 2).sum(axis=1).mean()",
)


@pytest.mark.parametrize(
    ("loss", "gradient", "verdict", "consistent"),
    [
        (HALF, "(predictions - targets) / len(targets)", "correct", True),
        (WHOLE, "2 * (predictions - targets) / len(targets)", "wrong", True),
        (WHOLE, "(predictions - targets) / len(targets)", "correct", False),
        (HALF, "2 * (predictions - targets) / len(targets)", "wrong", False),
        (HALF, "predictions - targets", "wrong", False),
        (f"{HALF} * len(targets)", "predictions - targets", "convention", True),
    ],
)
def test_a_gradient_belongs_to_its_own_loss_or_does_not(
    loss: str, gradient: str, verdict: str, consistent: bool, tmp_path: Path
) -> None:
    found = squares(tmp_path, loss, gradient)

    assert (found.verdict, found.aspects["consistency"].passed) == (verdict, consistent)


def test_a_wrong_gradient_of_a_wrong_loss_is_told_so(tmp_path: Path) -> None:
    found = squares(tmp_path, WHOLE, "2 * (predictions - targets) / len(targets)")

    assert "it is the gradient of your own half_squared_error, which is judged by itself" in found.notes


def test_a_kink_makes_no_right_gradient_inconsistent(tmp_path: Path) -> None:
    found = graded(tmp_path, RELU + "def relu_vjp(z, cotangent):\n    return cotangent * (z >= 0)\n")["relu_vjp"]

    assert found.verdict == "convention"
    assert found.aspects["consistency"].passed is not False


def test_without_a_forward_nothing_is_asked(tmp_path: Path) -> None:
    found = graded(tmp_path, "def relu_vjp(z, cotangent):\n    return cotangent * (z > 0)\n")["relu_vjp"]

    assert found.aspects["consistency"].passed is None
