"""Which of the verdicts on functions of one name counts, on made-up reports."""

from __future__ import annotations

import pytest

from graders.harness.copies import counted
from graders.harness.report import ExerciseReport, Verdict
from graders.harness.sandbox.contract import Function


def report(function: str, verdict: Verdict, failed: int = 0, name: str = "toys.relu") -> ExerciseReport:
    score = None if verdict == "unscored" else float(verdict == "correct")
    return ExerciseReport(
        name, function, verdict, "", score, 1.0, {}, [], None, None, None, None, "", 9, failed, [], 0.0
    )


@pytest.mark.parametrize(
    "one, other, counts",
    [
        ("correct", "wrong", "wrong"),
        ("wrong", "correct", "wrong"),
        ("correct", "convention", "convention"),
        ("unstable", "inexact", "inexact"),
        ("unfilled", "correct", "correct"),
        ("correct", "incompatible", "correct"),
        ("timeout", "wrong", "wrong"),
        ("correct", "unscored", "unscored"),
        ("killed", "unfilled", "killed"),
    ],
)
def test_the_worst_of_those_that_answer_counts(one: Verdict, other: Verdict, counts: Verdict) -> None:
    (chosen,) = counted([report("a.relu", one), report("old.a.relu", other)], [])

    assert chosen.verdict == counts
    assert "stands in 2 files" in chosen.notes[0]
    assert f"a.relu is {one}" in chosen.notes[0]
    assert f"old.a.relu is {other}" in chosen.notes[0]


@pytest.mark.parametrize("failed, counts", [(9, "correct"), (0, "correct"), (3, "error")])
def test_what_raises_in_some_cases_only_is_an_answer(failed: int, counts: Verdict) -> None:
    (chosen,) = counted([report("a.relu", "correct"), report("b.relu", "error", failed)], [])

    assert chosen.verdict == counts


def test_other_names_other_exercises_and_other_classes_count_beside_each_other() -> None:
    functions = [Function(name, (("", "method", False),)) for name in ("a.ReLU.forward", "a.Relu.forward")]
    reports = [
        report("a.relu", "correct"), report("a.relu", "wrong", name="toys.relu6"), report("a.relu_forward", "wrong"),
        report("a.ReLU.forward", "correct"), report("a.Relu.forward", "wrong"),
    ]  # fmt: skip

    assert counted(reports, functions) == reports


def test_of_classes_only_what_to_remove_is_told() -> None:
    functions = [Function(name, (("", "method", False),)) for name in ("a.Relu.forward", "b.Relu.forward")]
    (chosen,) = counted([report("a.Relu.forward", "correct"), report("b.Relu.forward", "wrong")], functions)

    assert chosen.function == "b.Relu.forward"
    assert chosen.notes[0].endswith("; the worst counts: remove or rename what is not meant")
