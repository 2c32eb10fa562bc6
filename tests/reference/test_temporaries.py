"""No function of the reference needs more memory than it did: a gate that no load of the machine moves."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders import _catalogue
from graders.harness.speed.temporaries import peak
from graders.harness.speed.workloads import Workload

KNOWN = json.loads((Path(__file__).parents[2] / "benchmarks/results/temporaries.json").read_text())["peaks"]
MORE = 0.1
"""As a share of what is moved: Adam, who moves seven arrays, would pay 0.14 for another one."""


def test_every_function_that_moves_much_is_measured() -> None:
    names = set(_catalogue.exercises())

    assert set(KNOWN) <= names
    assert len(KNOWN) > 0.8 * len(names)


@pytest.mark.parametrize("name", KNOWN)
def test_a_function_needs_no_more_memory_than_it_did(name: str) -> None:
    share = peak(Workload(_catalogue.exercises()[name], "medium"))

    assert share is not None
    assert share <= KNOWN[name] + MORE, "if it must, say so by benchmarks/temporaries.py"


def test_one_array_more_is_seen() -> None:
    exercise = _catalogue.exercises()["activations.softmax"]

    @functools.wraps(exercise.reference)
    def wasteful(z: np.ndarray[Any, Any], **options: Any) -> Any:
        return exercise.reference(z.copy(), **options)

    share = peak(Workload(replace(exercise, reference=wasteful), "medium"))

    assert share is not None
    assert share > KNOWN["activations.softmax"] + MORE
