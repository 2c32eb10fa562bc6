"""Schedules of the learning rate as classes are judged as functions of the step and of their settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders import _api
from graders.harness.report import SubmissionReport

CLASSES = """
import math

class StepLRScheduler:
    def __init__(self, initial_lr, step_size, gamma):
        self.lr, self.every, self.gamma = initial_lr, step_size, gamma
    def get_lr(self, epoch):
        return self.lr * self.gamma ** (epoch // self.every)

class CosineAnnealingLR:
    def __init__(self, initial_lr, T_max, min_lr=0.0):
        self.lr, self.T_max, self.least = initial_lr, T_max, min_lr
    def get_lr(self, step):
        return self.least + 0.5 * (self.lr - self.least) * (1 + math.cos(math.pi * step / self.T_max))

class ExponentialDecay:
    def __init__(self, lr, gamma):
        self.lr, self.gamma = lr, gamma
    def __call__(self, t):
        return self.lr * self.gamma**t
"""
BY_CLASS = {
    "StepLRScheduler": "optimizers.step_lr",
    "CosineAnnealingLR": "optimizers.cosine_lr",
    "ExponentialDecay": "optimizers.exponential_lr",
}


def graded(tmp_path: Path, text: str) -> SubmissionReport:
    (tmp_path / "theirs.py").write_text(text)
    (report,) = _api.grade([tmp_path / "theirs.py"], seed=0).submissions
    return report


def test_classes_are_found_by_their_names_and_judged(tmp_path: Path) -> None:
    made = graded(tmp_path, CLASSES).exercises

    assert {e.function: e.name for e in made} == BY_CLASS
    assert {e.verdict for e in made} == {"correct"}


@pytest.mark.parametrize(
    "old, new",
    [("epoch // self.every", "epoch / self.every"), ("0.5 * (self.lr", "0.4 * (self.lr"), ("self.gamma**t", "t")],
)
def test_what_is_another_schedule_is_not_judged(tmp_path: Path, old: str, new: str) -> None:
    report = graded(tmp_path, CLASSES.replace(old, new))

    assert len(report.exercises) == 2
    assert "its name may mean many things, and it is not optimizers." in report.notes[0]


def test_one_that_is_nearly_right_is_shown_by_a_call(tmp_path: Path) -> None:
    whole = "self.least + 0.5 * (self.lr - self.least) * (1 + math.cos(math.pi * step / self.T_max))"
    rounded = CLASSES.replace(whole, f"round({whole}, 4)")
    (nearly,) = (e for e in graded(tmp_path, rounded).exercises if e.verdict != "correct")

    assert nearly.verdict == "inexact"
    assert nearly.witness is not None
    code = nearly.witness.code
    assert "result = CosineAnnealingLR(initial_lr=" in code
    assert ").get_lr(step)" in code
    assert [d.name for d in nearly.diagnosis] == ["decimals"]


def test_a_scheduler_of_an_optimizer_is_not_judged(tmp_path: Path) -> None:
    text = CLASSES.replace("def __init__(self, lr, gamma):", "def __init__(self, optimizer, lr, gamma):")
    report = graded(tmp_path, text)

    assert len(report.exercises) == 2
    assert report.notes == ["ExponentialDecay is not judged: what its `optimizer` is, is not known"]
