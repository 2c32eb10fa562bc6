"""The examples earn the verdicts that the demo shows, and the code in their reports does what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("examples")  # what all of them look at is made once

ROOT = Path(__file__).resolve().parents[1]
SUBMISSIONS = ROOT / "examples" / "submissions"

VERDICTS: dict[str, dict[str, str]] = {
    "wrong.py": {
        "activations.sigmoid": "unstable",
        "activations.relu_vjp": "wrong",
        "activations.softmax": "unstable",
        "activations.softmax_vjp": "wrong",
        "losses.cross_entropy": "wrong",
        "losses.softmax_cross_entropy": "inexact",
        "losses.softmax_cross_entropy_grad": "wrong",
        "losses.bce_with_logits": "convention",
        "losses.half_squared_error_grad": "wrong",
        "layers.affine": "inexact",
        "layers.affine_vjp": "wrong",
        "optimizers.sgd": "unfilled",
        "optimizers.momentum": "wrong",
        "optimizers.rmsprop": "wrong",
        "optimizers.adam": "wrong",
    },
    "course.py": {
        "normalization.batch_norm": "unfilled",
        "normalization.batch_norm_when_evaluating": "unfilled",
        "normalization.running_statistics": "unfilled",
        "activations.relu": "correct",
        "activations.relu_vjp": "correct",
        "losses.softmax_cross_entropy": "correct",
        "losses.softmax_cross_entropy_grad": "correct",
        "layers.affine": "correct",
        "layers.affine_vjp": "correct",
        "training.softmax_regression": "unstable",
        "training.softmax_regression_grad": "wrong",
        "optimizers.sgd": "correct",
        "optimizers.momentum": "correct",
        "optimizers.rmsprop": "correct",
        "optimizers.adam": "wrong",
    },
    "notebook.ipynb": {
        "activations.sigmoid": "correct",
        "losses.bce_with_logits_grad": "wrong",
        "optimizers.adagrad": "correct",
    },
}
NAMED = {
    "wrong.py": {
        "activations.sigmoid": "exponentiates_positive_logits",
        "activations.relu_vjp": "masks_by_the_cotangent",
        "activations.softmax": "exponentiates_without_the_shift",
        "activations.softmax_vjp": "keeps_the_diagonal_only",
        "losses.cross_entropy": "swaps_the_arguments",
        "losses.softmax_cross_entropy": "adds_a_small_number_to_the_probability",
        "losses.softmax_cross_entropy_grad": "divides_by_the_classes",
        "losses.half_squared_error_grad": "keeps_the_factor_two",
        "layers.affine": "float32",
        "optimizers.momentum": "adds_the_gradient_to_the_velocity",
        "optimizers.adam": "forgets_the_bias_correction",
    },
    "course.py": {
        "training.softmax_regression": "exponentiates_without_the_shift",
        "training.softmax_regression_grad": "forgets_the_gradient_of_the_penalty",
        "optimizers.adam": "corrects_by_beta_times_t",
    },
    "notebook.ipynb": {"losses.bce_with_logits_grad": "reverses_the_sign"},
}


def gradproof(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import gradproof; gradproof.main()", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", params=[0, pytest.param(2, marks=pytest.mark.deep)])
def report(request: pytest.FixtureRequest) -> dict[str, Any]:
    done = gradproof("grade", str(SUBMISSIONS), "--json", "--exit-zero", "--seed", str(request.param))

    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return {submission["id"]: submission for submission in document["submissions"]}


def test_the_demo_shows_these_verdicts(report: dict[str, Any]) -> None:
    for name, expected in VERDICTS.items():
        assert {e["name"]: e["verdict"] for e in report[name]["exercises"]} == expected


def test_the_right_submission_earns_every_point(report: dict[str, Any]) -> None:
    right = report["right.py"]

    assert len(right["exercises"]) == 28
    assert {e["verdict"] for e in right["exercises"]} == {"correct"}
    assert right["score"] == right["max_score"] == 28


def test_each_mistake_is_called_by_its_name(report: dict[str, Any]) -> None:
    for name, expected in NAMED.items():
        said = {e["name"]: [d["name"] for d in e["diagnosis"]] for e in report[name]["exercises"]}
        for exercise, mistake in expected.items():
            assert mistake in said[exercise], (name, exercise, said[exercise])


def test_the_code_of_a_witness_runs_and_shows_what_the_report_says(report: dict[str, Any]) -> None:
    shown = 0
    for name in ("wrong.py", "course.py"):
        for e in report[name]["exercises"]:
            witness = e["witness"]
            if witness is None:
                continue
            lines = witness["code"].split("\n")
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", witness["code"]],
                cwd=SUBMISSIONS,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (witness["code"], done.stderr)
            assert len(lines) <= 8
            printed = done.stdout.split()[0].strip("[],")
            if isinstance(witness["got"], float) and not any(witness["index"]) and not witness["problem"]:
                assert float(printed) == pytest.approx(witness["got"], rel=1e-6)
            shown += 1

    assert shown >= 12


def test_pytorchs_own_functions_earn_full_marks() -> None:
    pytest.importorskip("torch", reason="PyTorch is an extra and is not installed")
    done = gradproof("grade", "examples/pytorch.py", "--json", "--seed", "0")
    (submission,) = json.loads(done.stdout)["submissions"]

    assert done.returncode == 0, done.stdout
    assert {e["verdict"] for e in submission["exercises"]} == {"correct"}
    assert len(submission["exercises"]) == 23


def test_what_is_misspelt_or_not_covered_is_said(report: dict[str, Any]) -> None:
    assert report["wrong.py"]["not_covered"] == ["softmax_regresion"]
    assert any("did you mean softmax_regression?" in note for note in report["wrong.py"]["notes"])
    assert any(note.startswith("cell 6 is not Python") for note in report["notebook.ipynb"]["notes"])


def test_the_readme_shows_what_the_commands_print() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make_readme.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_the_schemas_are_those_of_the_documents() -> None:
    before = {path.name: path.read_text() for path in (ROOT / "docs" / "schema").glob("*.json")}
    script = (
        "import sys, json; sys.path.insert(0, 'docs'); import make_schemas; print(json.dumps(make_schemas.schemas()))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    made = json.loads(done.stdout)

    assert {f"{name}.json": schema for name, schema in made.items()} == {k: json.loads(v) for k, v in before.items()}
