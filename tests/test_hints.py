"""Hints tell where a function goes wrong; no rendering of them tells what would be right."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import gradproof
from graders import _api, _catalogue, _live
from graders.harness import report as reports
from graders.harness.certify import proved
from graders.harness.diagnose import told
from graders.harness.exercise import Exercise, Function
from graders.harness.report import Diagnosis, ExerciseReport, Report, Run, SubmissionReport, Witness, hinted
from graders.harness.report import html as as_html
from graders.harness.report import json as as_json
from graders.harness.report import junit as as_junit
from graders.harness.report import text as as_text


def with_backticks(page: str) -> str:
    """Return a page with what is marked as code written as it is everywhere else."""
    return re.sub("</?code>|&#96;", "`", page)


RENDERINGS: dict[str, Callable[[Report], str]] = {
    "text": lambda report: as_text.render(report, verbose=True, width=10_000),
    "json": as_json.render,
    "html": lambda report: with_backticks(as_html.render(report)),
    "junit": as_junit.render,
    "in a notebook": lambda report: with_backticks(as_html.one_function(report.submissions[0].exercises[0])),
    "in a session": lambda report: as_text.one_function(report.submissions[0].exercises[0], width=10_000),
}
SAMPLED = (
    "activations.softmax", "losses.softmax_cross_entropy", "losses.gaussian_nll_grad", "optimizers.adam",
    "training.confusion_matrix",
)  # fmt: skip
SEED = 918_273_645


def as_report(exercise: ExerciseReport) -> Report:
    """Return a run's report on one function."""
    submission = SubmissionReport("one", "one.py", "graded", "", exercise.score, 1.0, [exercise], [], [])
    return Report(reports.SCHEMA, Run(SEED, "secret", "full", 1, {"gradproof": "0"}), [submission], [])


def secrets_of(exercise: Exercise, whole: ExerciseReport) -> Iterator[str]:
    """Yield all that gives an answer away: mistakes by name and text, lines of the reference, what would be right."""
    for known in (*exercise.misconceptions, *exercise.conventions):
        yield known.__name__
        yield from (part for part in re.split(r"(?<=[.:]) ", told(known)) if len(part) > 12)
    body = inspect.getsource(exercise.reference).split('"""')[-1]
    yield from (line.strip() for line in body.split("\n") if len(line.strip()) > 12)
    yield str(SEED)
    if whole.witness is not None:
        yield "should be"
        code, _, right = whole.witness.code.rpartition("should be ")
        shown = code + repr(whole.witness.got)  # one's own number may be the right one with another sign
        numbers = [*re.findall(r"\d+\.\d{5,}", right), *full_numbers(whole.witness.expected, whole.witness.allowed)]
        yield from (number for number in numbers if number not in shown)
    yield whole.replay or "gradproof replay"
    yield from full_numbers(whole.max_ulp)


def full_numbers(*values: Any) -> Iterator[str]:
    """Yield numbers as they may be printed, those that have digits enough to be no other number by chance."""
    yield from (f"{value:.4g}"[:6] for value in values if isinstance(value, float) and len(repr(value)) > 6)


@pytest.mark.parametrize("name", SAMPLED)
def test_no_rendering_of_hints_gives_the_answer_away(name: str) -> None:
    exercise, key = _catalogue.exercises()[name], _api.Key(0, proved)
    for mistake in exercise.misconceptions[:: len(exercise.misconceptions) // 3]:
        whole = _live.judge(exercise, live(exercise, mistake), key).report
        assert whole.diagnosis or whole.verdict == "error"
        secrets = list(secrets_of(exercise, whole))
        full, short = as_report(whole), hinted.hinted(as_report(whole))
        for what, render in RENDERINGS.items():
            shown = render(short)
            given_away = [secret for secret in secrets if secret in shown]
            assert not given_away, (mistake.__name__, what, given_away)
        assert any(secret in as_json.render(full) for secret in secrets)  # the same search finds them in the whole


def live(exercise: Exercise, mistake: Function) -> Callable[..., Any]:
    """Return a mistake as a student's function of the same call shape."""

    def submitted(*arguments: Any, **keywords: Any) -> Any:
        return mistake(*arguments, **keywords)

    submitted.__signature__ = inspect.signature(exercise.reference)  # type: ignore[attr-defined]
    return submitted


def test_a_hint_says_where_and_shows_an_input() -> None:
    report = gradproof.check("relu", lambda z: np.abs(z), hints=True).report

    assert [(d.kind, d.message) for d in report.diagnosis] == [("hint", "Wrong only where `z` is negative.")]
    assert report.witness is not None
    assert (report.witness.got, report.witness.expected, report.witness.allowed) == (1.0, None, None)
    assert report.witness.code.endswith("\nprint(result)")
    assert str(gradproof.check("relu", lambda z: np.abs(z), hints=True)).count("yours[0, 0] = 1, which is wrong") == 1
    assert (report.bits, report.max_ulp, report.replay, report.hints) == (None, None, "", [])


def test_hints_change_neither_verdict_nor_marks() -> None:
    whole, short = (gradproof.check("tanh", overflowing, hints=hints).report for hints in (False, True))

    assert (short.verdict, short.score, short.aspects) == (whole.verdict, whole.score, whole.aspects)
    assert short.verdict == "unstable"
    assert short.reason.startswith("right for ordinary inputs in float64, but ")


def overflowing(z: Any) -> Any:
    with np.errstate(all="ignore"):
        e = np.exp(2 * z)
        return (e - 1) / (e + 1)


def test_a_right_function_has_no_hints() -> None:
    report = gradproof.check("relu", lambda z: np.maximum(z, 0), hints=True).report

    assert (report.verdict, report.diagnosis) == ("correct", [])


@pytest.mark.parametrize(
    "lie, hint",
    [
        (lambda z: 3 * np.maximum(z, 0), "Every number is off by a factor; nothing else is wrong."),
        (lambda z: -np.maximum(z, 0), "Every number is off by a factor; nothing else is wrong."),
        (lambda z: np.maximum(z, 0).T, "The numbers are right, but not where they stand."),
        (lambda z: np.sum(np.maximum(z, 0)), "The shape of your result is not the one that is asked for."),
        (lambda z: np.maximum(z, 0) if len(z) < 9 else z, "Wrong only where `z` is negative."),
        (lambda z: np.cos(z), "Wrong for every ordinary input."),
    ],
)
def test_hints_are_of_what_the_numbers_show(lie: Callable[[Any], Any], hint: str) -> None:
    said = gradproof.check("relu", lie, hints=True).report.diagnosis

    assert any(hint in d.message for d in said), said


def test_two_mistakes_are_said_to_be_two() -> None:
    whole = gradproof.check("layers.affine_vjp", two_mistakes).report
    short = gradproof.check("layers.affine_vjp", two_mistakes, hints=True).report

    assert len([d for d in whole.diagnosis if d.kind == "misconception"]) == 2
    assert [d.message for d in short.diagnosis] == [
        "Only dW and db went wrong; the rest is right.",
        "More than one thing is wrong: mend one, and look again.",
    ]


def two_mistakes(x: Any, W: Any, b: Any, cotangent: Any) -> Any:
    return cotangent @ W.T, -x.T @ cotangent, cotangent[0] + 0


def test_a_gradient_is_told_that_its_function_is_right(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(
        "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n"
        "def relu_vjp(z, cotangent):\n    return cotangent * np.cos(z)\n"
    )

    (submission,) = gradproof.grade(tmp_path / "work.py", hints=True).submissions

    assert "Your relu is right; its gradient is not." in [d.message for e in submission.exercises for d in e.diagnosis]


def test_a_convention_is_not_explained() -> None:
    def mean_of_rows(predictions: Any, targets: Any) -> Any:
        return 0.5 * np.mean((predictions - targets) ** 2) * predictions.shape[1]

    whole = gradproof.check("losses.mse", mean_of_rows).report
    short = gradproof.check("losses.mse", mean_of_rows, hints=True).report

    assert any(d.kind == "convention" for d in whole.diagnosis), whole
    assert [d.message for d in short.diagnosis if "another definition" in d.message] == [
        "It follows another definition than the one that is asked for: read the task again, word by word."
    ]


# ---------------------------------------------------------------- what is left of a reason


@pytest.mark.parametrize(
    "verdict, reason, left",
    [
        ("error", "raised ValueError: no (line 3: raise)", "raised ValueError: no (line 3: raise)"),
        (
            "error",
            "the result is None, expected an array of shape (2, 7) in 4 of 10 ordinary cases",
            "the result is None in 4 of 10 ordinary cases",
        ),
        ("error", "the result holds 3 values, expected 2: dx, dw", "the result holds 3 values"),
        ("wrong", "8 of 10 ordinary cases in float64 are wrong", "8 of 10 ordinary cases in float64 are wrong"),
        ("inexact", "8 of 10 ordinary cases in float64 are wrong, all within 3e-07 of the truth but beyond rounding",
         "8 of 10 ordinary cases in float64 are wrong"),
        ("wrong", "the mean is 0.3, expected 0.5 ± 0.01: off by a factor 0.6", "2 of 9 cases fall short"),
        ("wrong", "line 2 does not follow from line 1: at x = 2, 7 against 9", "line 2 does not follow from line 1"),
        ("review", "3.2 times beyond the allowed error in 1 of 9 cases: held", "2 of 9 cases fall short"),
    ],
)  # fmt: skip
def test_a_reason_keeps_what_the_submission_did(verdict: Any, reason: str, left: str) -> None:
    witness = Witness({"x": [[1.0]]}, "", [], None, None, None, "the result is of shape (1, 4), expected (4,)", "")
    whole = ExerciseReport(
        name="toys.toy", function="toy", verdict=verdict, reason=reason, score=0.0, max_score=1.0, aspects={},
        diagnosis=[Diagnosis("misconception", "takes_the_wrong_one", "Take the other one.")], witness=witness,
        bits=3.0, max_ulp=4.0, truth="proof", replay="toys.toy@0", cases=9, failed_cases=2, notes=["clean"],
        seconds=0.0, hints=["Look here."],
    )  # fmt: skip

    short = hinted.one_function(whole)

    assert short.reason == left
    assert [d.message for d in short.diagnosis] == ["Look here."]
    assert short.witness is not None
    assert short.witness.problem == "the result is of shape (1, 4)"
    assert short.notes == ["clean"]
    assert msgspec.structs.replace(short, reason="", diagnosis=[], witness=None) == msgspec.structs.replace(
        whole, reason="", diagnosis=[], witness=None, bits=None, max_ulp=None, replay="", hints=[]
    )


# ---------------------------------------------------------------- the door and the command line


@pytest.mark.parametrize("format_", ["text", "json", "html", "junit"])
def test_the_command_line_gives_hints_in_every_format(
    format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work.py").write_text("import numpy as np\ndef relu(z):\n    return np.abs(z)\n")
    monkeypatch.chdir(tmp_path)
    from graders import _cli

    with pytest.raises(SystemExit) as ended:
        _cli.cli.main(["grade", "work.py", "--hints", "--format", format_], standalone_mode=False)
    out = capsys.readouterr().out

    assert ended.value.code == 1
    assert "Wrong only where `z` is negative." in with_backticks(out)
    assert not any(secret in out for secret in ("should be", "takes_the_absolute_value", "max(z, 0)", "replay "))
    if format_ == "json":
        document = json.loads(out)
        assert (document["run"]["seed"], document["run"]["hints"]) == (None, True)
        assert document["submissions"][0]["exercises"][0]["witness"]["expected"] is None


def test_an_assignment_may_ask_for_hints(tmp_path: Path) -> None:
    (tmp_path / "hw.toml").write_text("[assignment]\nhints = true\nseed = 4\n[[exercise]]\nname = 'relu'\n")
    (tmp_path / "work.py").write_text("import numpy as np\ndef relu(z):\n    return np.abs(z)\n")

    report = _api.grade(tmp_path / "work.py", assignment=tmp_path / "hw.toml")

    assert (report.run.hints, report.run.seed) == (True, None)
    assert [d.kind for d in report.submissions[0].exercises[0].diagnosis] == ["hint"]
