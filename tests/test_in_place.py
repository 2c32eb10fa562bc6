"""Plain descents that write the new parameters into what they are given, and return nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders import _api, _replay
from graders.harness.report import ExerciseReport

ARRAY = "def sgd(w, dw, lr):\n    w -= lr * dw\n"
LIST = "def sgd(params, grads, lr):\n    for p, g in zip(params, grads):\n        p -= lr * g\n"
DICTIONARY = "def sgd(params, grads, lr=0.1):\n    for k in params:\n        params[k] = params[k] - lr * grads[k]\n"
RENAMED = LIST.replace("sgd", "sgd_update")
TENSORS = """
import torch
def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()
"""
READ_AS = "takes a list of arrays, and writes the new parameters there"
READ = {
    ARRAY: "takes an array, and writes the new parameters there",
    LIST: READ_AS,
    DICTIONARY: "takes a dictionary of arrays, and writes the new parameters there",
    RENAMED: READ_AS,
}


def graded(tmp_path: Path, text: str, *only: str) -> list[ExerciseReport]:
    (tmp_path / "theirs.py").write_text(text)
    (submission,) = _api.grade([tmp_path / "theirs.py"], seed=0, only=only).submissions
    return submission.exercises


@pytest.mark.parametrize("text", READ)
def test_a_descent_in_place_is_judged_by_what_it_leaves_behind(text: str, tmp_path: Path) -> None:
    (report,) = graded(tmp_path, text)

    assert (report.name, report.verdict) == ("optimizers.sgd", "correct"), report.reason
    assert any(note.startswith(READ[text]) for note in report.notes)
    assert not any("writes to its argument" in note for note in report.notes)


@pytest.mark.parametrize(("text", "mistake"), [(ARRAY, "climbs"), (LIST, "climbs"), (DICTIONARY, "climbs")])
def test_a_wrong_descent_in_place_is_named_and_can_be_replayed(text: str, mistake: str, tmp_path: Path) -> None:
    text = text.replace("-= lr", "+= lr").replace("- lr", "+ lr")
    (report,) = graded(tmp_path, text)

    assert (report.verdict, [d.name for d in report.diagnosis]) == ("wrong", [mistake])
    again = _replay.replay(report.replay, str(tmp_path / "theirs.py"), 7)
    assert (again["passed"], again["problem"]) == (False, None)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("def sgd(w, dw, lr):\n    w = w - lr * dw\n", "unfilled"),
        ("def sgd(params, grads, lr):\n    for p, g in zip(params, grads):\n        p = p - lr * g\n", "unfilled"),
        (ARRAY + "    return w\n", "correct"),
        (ARRAY + "    return dw\n", "wrong"),
    ],
)
def test_what_leaves_nothing_behind_is_not_taken_for_a_descent_in_place(
    text: str, verdict: str, tmp_path: Path
) -> None:
    (report,) = graded(tmp_path, text)

    assert report.verdict == verdict


def test_what_is_asked_for_by_name_is_asked_to_return_the_new_parameters(tmp_path: Path) -> None:
    (report,) = graded(tmp_path, ARRAY, "optimizers.sgd")

    assert report.verdict != "correct"


def test_a_descent_of_tensors_reads_their_gradients(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (right,) = graded(tmp_path, TENSORS)
    (wrong,) = graded(tmp_path, TENSORS.replace("param -=", "param +="))

    assert (right.verdict, wrong.verdict) == ("correct", "wrong")


def test_each_of_two_submissions_is_replayed_as_it_was_read(tmp_path: Path) -> None:
    """They fall short in the same case, and the one that was graded last must not decide how the other is asked."""
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text(LIST.replace("-= lr", "+= lr"))
    other.write_text("def sgd(w, dw, lr):\n    return w + lr * dw\n")
    (first,), (second,) = (s.exercises for s in _api.grade([one, other], seed=0).submissions)
    assert first.replay == second.replay

    again = [_replay.replay(first.replay, str(path), None) for path in (one, other)]

    assert [result["problem"] for result in again] == [None, None]
    assert again[0]["got"] == again[1]["got"]
