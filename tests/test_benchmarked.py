"""pytest-benchmark beside the truth: the fixture `gradproof_benchmark` in a library's own suite."""

from __future__ import annotations

import importlib
import importlib.util
import json
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

import gradproof
from graders import _benchmarked

pytest_plugins = ["pytester"]

SUITE = """
import numpy as np

def relu(z):
    return np.maximum(z, 0)

def momentum(params, grad, state, *, lr, momentum):
    velocity = momentum * state.velocity - lr * grad
    return params + velocity, {"velocity": velocity}
"""


@pytest.fixture(scope="module", autouse=True)
def everything_is_imported() -> None:
    """Each run forgets the modules that it was the first to import; PyTorch cannot be imported twice."""
    if importlib.util.find_spec("torch") is not None:
        importlib.import_module("torch")
    gradproof.check("relu", lambda z: z)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # in a worker of xdist pytest-benchmark times nothing

    def started(tests: str, *options: str) -> Any:
        pytester.makepyfile(test_speed=SUITE + textwrap.dedent(tests))
        return pytester.runpytest_inprocess("-p", "gradproof_pytest", "-p", "no:cacheprovider", *options)

    return started


def test_times_ulps_and_ratios_are_in_the_json_of_pytest_benchmark(
    run: Callable[..., Any], pytester: pytest.Pytester
) -> None:
    done = run(
        """
        def test_relu(gradproof_benchmark):
            result = gradproof_benchmark("relu", relu, size="small", dtype="float32", seconds=0.02)
            assert result.dtype == np.float32

        def test_momentum(gradproof_benchmark):
            gradproof_benchmark("optimizers.momentum", momentum, size="small", seconds=0.02)
        """,
        "--benchmark-json=out.json",
    )

    assert done.ret == 0, done.outlines
    one, other = (b["extra_info"] for b in json.loads((pytester.path / "out.json").read_text())["benchmarks"])
    assert (one["exercise"], one["size"], one["dtype"], one["verdict"]) == (
        "activations.relu", "small", "float32", "correct",
    )  # fmt: skip
    assert one["max_ulp"] == 0
    low, high = one["ratio_reference_interval"]
    assert 0 < low <= one["ratio_reference"] <= high
    assert one["ratio_reference_verdict"] in ("faster", "slower", "cannot tell")
    assert ("ratio_torch" in one) == (importlib.util.find_spec("torch") is not None)
    assert other["exercise"] == "optimizers.momentum"


def test_what_is_wrong_has_no_time(run: Callable[..., Any]) -> None:
    done = run(
        """
        def test_relu(gradproof_benchmark):
            gradproof_benchmark("relu", lambda z: abs(z), size="small", seconds=0.02)
        """
    )

    assert done.ret == 1
    assert any("You turned negative inputs into positive ones." in line for line in done.outlines)


def test_without_benchmarks_it_is_judged_all_the_same(run: Callable[..., Any]) -> None:
    done = run(
        """
        def test_relu(gradproof_benchmark):
            gradproof_benchmark("relu", relu, size="small")

        def test_size(gradproof_benchmark):
            gradproof_benchmark("relu", relu, size="tiny")
        """,
        "--benchmark-disable",
    )

    assert done.ret == 1
    assert done.parseoutcomes()["passed"] == 1
    assert any("size is 'tiny', expected one of small, medium, large" in line for line in done.outlines)


def test_without_pytest_benchmark_it_says_what_to_install(run: Callable[..., Any]) -> None:
    done = run("def test_relu(gradproof_benchmark): pass", "-p", "no:benchmark")

    assert any("gradproof_benchmark needs pytest-benchmark: pip install" in line for line in done.outlines)


def test_a_function_that_does_the_work_ten_times_is_slower(run: Callable[..., Any], pytester: pytest.Pytester) -> None:
    done = run(
        """
        def test_relu(gradproof_benchmark):
            def slow(z):
                for _ in range(30):
                    r = np.maximum(z, 0)
                return r
            gradproof_benchmark("relu", slow, seconds=0.05)
        """,
        "--benchmark-json=out.json",
    )

    assert done.ret == 0, done.outlines
    (found,) = json.loads((pytester.path / "out.json").read_text())["benchmarks"]
    assert found["extra_info"]["ratio_reference_verdict"] == "slower"


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_pytorch_has_its_threads_again() -> None:
    import torch

    before = torch.get_num_threads()
    with _benchmarked._one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
