"""Points for speed: who is seen to be too slow has none, and noise costs nobody any."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gradproof
from graders import _assignment, _catalogue, _paces
from graders._adapters import named
from graders._bench import sides
from graders.harness.report import Report, SubmissionReport
from graders.harness.sandbox.contract import Function, Limits
from graders.harness.sandbox.parent import Submission
from graders.harness.speed import rounds
from graders.harness.speed.rig import CannotTime

linux = pytest.mark.skipif(sys.platform != "linux", reason="a submission is timed by Linux's clock of its process")

HOMEWORK = """
[[exercise]]
name = "losses.bce_with_logits"
points = 2
conventions = "half"
[[exercise.speed]]
ratio = 1000
points = 1
size = "small"
[[exercise.speed]]
ratio = 8
points = 3
size = "small"
"""
ONE = "np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))"
TIMES = 60
"""How often the slow one computes it; eight times the reference's time is allowed."""


def program(body: str, before: str = "") -> str:
    return f"import numpy as np\n{before}\ndef bce_with_logits(z, y):\n    {body}\n"


RIGHT = program(f"return {ONE}")
SLOW = program(f"for _ in range({TIMES}):\n        r = {ONE}\n    return r")
SLEEPS = program(f"time.sleep(0.2 * (z.size > 500))\n    return {ONE}", "import time")
RAISES = program(f"if z.size > 500:\n        raise ValueError('too large')\n    return {ONE}")
WRONG_WHEN_LARGE = program(f"return {ONE} * (1 + (z.size > 500))")
WRONG = program(f"return -{ONE}")
SUMS = RIGHT.replace("np.mean", "np.sum")


@pytest.fixture
def graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    monkeypatch.setattr(_paces, "SECONDS", 0.05)

    def grade(*texts: str) -> Report:
        (tmp_path / "hw.toml").write_text(HOMEWORK)
        paths = [tmp_path / f"s{number}.py" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        return gradproof.grade(paths, assignment=tmp_path / "hw.toml", seed=3)

    return grade


def told(submission: SubmissionReport) -> Any:
    (exercise,) = submission.exercises
    return submission.score, submission.max_score, [pace.reason for pace in exercise.paces]


@linux
def test_points_for_speed_are_had_unless_it_is_seen_to_be_slower(graded: Callable[..., Report]) -> None:
    right, slow, sleeps, raises, wrong_when_large, wrong, sums, broken = map(
        told, graded(RIGHT, SLOW, SLEEPS, RAISES, WRONG_WHEN_LARGE, WRONG, SUMS, "def bce_with_logits(").submissions
    )

    assert right[:2] == (6, 6)
    assert slow[:2] == (3, 6)
    assert "8 asked for" in slow[2][1]
    assert sleeps[:2] == raises[:2] == wrong_when_large[:2] == (2, 6)
    assert "it sleeps, or waits" in sleeps[2][0]
    assert "bce_with_logits raised ValueError: too large" in raises[2][0]
    assert "wrong in 100.00% of its elements" in wrong_when_large[2][0]
    assert wrong == (0, 6, [])
    assert sums == (3, 6, ["right under another definition, it is not timed"] * 2)
    assert broken[:2] == (0, 6)


@linux
def test_what_cannot_be_told_costs_no_points(graded: Callable[..., Report], monkeypatch: pytest.MonkeyPatch) -> None:
    def noisy(*args: object, **kwargs: object) -> None:
        raise CannotTime("the machine is busy")

    monkeypatch.setattr(rounds, "compare", noisy)
    report = graded(SLOW).submissions[0]

    assert told(report) == (6, 6, ["cannot tell: the machine is busy"] * 2)
    assert report.exercises[0].aspects["speed"].passed
    assert report.exercises[0].notes[-1] == "speed, small: cannot tell: the machine is busy (3 of 3 points)"


def test_a_harness_that_fails_while_it_times_costs_nobody_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(sides, "submitted", broken)
    exercise = _catalogue.exercises()["losses.bce_with_logits"]
    binding = named.bind(exercise, Function("bce_with_logits", None))
    timer = _paces.Timer(Submission("s", "s.py", "file", "s.py", {"s.py": ""}), (), Limits(), 0)

    timing, passed, why = timer._timed(binding, "reference", "small", [8.0])

    assert (timing, passed) == (None, True)
    assert why == "cannot tell: the harness failed, KeyError: 'ours'; please report it"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[exercise.speed]]\npoints = 1", "[[exercise]] 1 speed 1: has no 'ratio'; add ratio = a number above 0"),
        ("[[exercise.speed]]\nratio = 0\npoints = 1", "speed 1 ratio: got 0, expected a number above 0"),
        ("[[exercise.speed]]\nratio = 2\npoints = 'a'", "speed 1 points: got 'a', expected a number above 0"),
        ("[[exercise.speed]]\nratio = 2\npoints = 1\nsize = 'big'", "speed 1 size: got 'big', expected one of 'small'"),
        ("[[exercise.speed]]\nratio = 2\npoints = 1\nagainst = 'jax'", "against: got 'jax', expected one of"),
        ("[[exercise.speed]]\nrato = 2\npoints = 1", "'rato' is not a key here; did you mean 'ratio'?"),
        ("[exercise.speed]\nratio = 2\npoints = 1", "[exercise.speed]: got one table, expected a list of them"),
    ],
)  # fmt: skip
def test_a_threshold_that_is_not_one_is_told(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "hw.toml").write_text(f'[[exercise]]\nname = "relu"\n{text}\n')

    with pytest.raises(_assignment.UnusableAssignment) as caught:
        _assignment.read(tmp_path / "hw.toml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "against", "said"),
    [
        ("regularization.dropout_mask", "reference", "regularization.dropout_mask draws at random"),
        ("bounds.hoeffding_bound", "torch", "PyTorch has no bounds.hoeffding_bound; ask for against = 'reference'"),
    ],
)
def test_what_cannot_be_timed_at_all_is_told(name: str, against: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "hw.toml").write_text(
        f'[[exercise]]\nname = "{name}"\n[[exercise.speed]]\nratio = 2\npoints = 1\nagainst = "{against}"\n'
    )

    with pytest.raises(_assignment.UnusableAssignment) as caught:
        _assignment.read(tmp_path / "hw.toml")
    assert said in str(caught.value)
