"""The page of the reference's speed, and the programs beside which it was measured."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from reference import normalization, optimizers

ROOT = Path(__file__).resolve().parents[1]


def loaded(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return dict(json.loads((ROOT / "benchmarks/results/reference_speed.json").read_text(encoding="utf-8")))


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make_speed.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_a_missed_goal_gives_its_reason_and_a_met_one_none(result: dict[str, Any]) -> None:
    assert result["rows"]
    for row in result["rows"]:
        assert bool(row["reason"]) == (row["ratio"] > row["goal"]), row["name"]


def test_a_changed_figure_changes_the_page(result: dict[str, Any]) -> None:
    page = loaded("docs/make_speed.py").page
    slower = json.loads(json.dumps(result))
    slower["rows"][0] |= {"ratio": 9.87, "reason": "It is slow."}

    assert page(slower) != page(result)
    assert f"- {slower['rows'][0]['name']}, 9.87 for {slower['rows'][0]['goal']:.2f}: It is slow." in page(slower)


def test_the_file_says_nothing_about_whose_machine_it_was(result: dict[str, Any]) -> None:
    assert set(result["machine"]) == {
        "cpu", "cores", "threads", "python", "numpy", "torch", "copy_gb_per_second", "product_gflops_float32",
        "product_gflops_float64",
    }  # fmt: skip


def test_what_is_left_out_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="the benchmark measures PyTorch; pip install gradproof[torch]")
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # as the benchmark does, but taken back
    benchmark = loaded("benchmarks/reference_speed.py")

    rng = np.random.default_rng(5)
    params, grad, m, v = rng.standard_normal((4, 70_000)).astype("float32")
    ours, state = optimizers.adam(params, grad, optimizers.AdamState(3, m, v * v))
    for got, expected in zip(benchmark.adam_into_buffers(params, grad, m, v * v), (ours, *state[1:]), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    x, gamma, beta = rng.standard_normal((8, 3, 9, 7)), rng.standard_normal(3), rng.standard_normal(3)
    np.testing.assert_allclose(
        benchmark.batch_norm_into_buffers(x, gamma, beta), normalization.batch_norm(x, gamma, beta), rtol=1e-11
    )
