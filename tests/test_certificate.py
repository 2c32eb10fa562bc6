"""The page of the certificate: it is what was measured, and no miss goes without a reason."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graders._catalogue import exercises
from graders.harness.cases import dtypes

ROOT = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("make_certificate", ROOT / "docs/make_certificate.py")
assert SPEC is not None
assert SPEC.loader is not None
MAKE: Any = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(MAKE)


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    document = json.loads((ROOT / "benchmarks/results/certificate.json").read_text(encoding="utf-8"))
    return list(document["functions"])


def row(rows: list[dict[str, Any]], name: str, dtype: str = "float64") -> dict[str, Any]:
    return next(r for r in rows if (r["name"], r["dtype"]) == (name, dtype))


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make_certificate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_every_exercise_is_certified_in_each_of_its_dtypes(rows: list[dict[str, Any]]) -> None:
    measured = {(r["name"], r["dtype"]) for r in rows}

    assert measured == {(name, dtype) for name, e in exercises().items() for dtype in dtypes(e)}
    assert all(r["cases"] >= 5 for r in rows)


@pytest.mark.parametrize(
    "changed",
    [
        {"max_error_over_allowed": 0.51},
        {"max_ulp": 4.1, "max_error_over_allowed": 0.3, "torch_max_ulp": 2.0, "torch_max_error_over_allowed": 0.1},
        {"max_ulp": 2.1},
        {"torch_max_error_over_allowed": 1.1},
        {"torch_max_error_over_allowed": "inf"},
    ],
)
def test_a_miss_without_a_reason_is_refused(rows: list[dict[str, Any]], changed: dict[str, Any]) -> None:
    MAKE.page(rows)
    row(rows, "activations.sigmoid").update(changed)

    with pytest.raises(SystemExit, match=r"_exceptions\.py.*activations\.sigmoid"):
        MAKE.page(rows)


def test_a_reason_without_a_miss_is_refused_too(rows: list[dict[str, Any]]) -> None:
    row(rows, "activations.softplus").update(torch_max_error_over_allowed=0.5)

    with pytest.raises(SystemExit, match=r"PyTorch's.*activations\.softplus'"):
        MAKE.page(rows)


@pytest.mark.parametrize(
    "changed",
    [
        {"max_ulp": 1.9},
        {"max_ulp": 1.9, "max_error_over_allowed": 0.2, "torch_max_ulp": 0.1, "torch_max_error_over_allowed": 0.01},
        {"max_error_over_allowed": 0.5},
    ],
)
def test_what_meets_the_goals_needs_none(rows: list[dict[str, Any]], changed: dict[str, Any]) -> None:
    row(rows, "activations.sigmoid").update(changed)

    assert "## activations" in MAKE.page(rows)
