"""Trials on residual connections, which are given the function that they go around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from graders.harness.observations import Observation, entries
from graders.harness.sandbox.codec import Record
from graders.harness.trials import Setting, Trial, array, built
from graders.layers import misconceptions_residual as wrong
from reference import layers as reference

_ROUNDING = {"float64": 1e-13, "float32": 1e-6}


def _branch(seed: int, width: int, dtype: str = "float64") -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "x": random.standard_normal((3, width)).astype(dtype),
        "weights": random.standard_normal((width, width)).astype(dtype),
        "cotangent": random.standard_normal((3, width)).astype(dtype),
    }


_SHAPES = (
    ("a table", 0, 2, "float64"),
    ("another table", 3, 2, "float64"),
    ("another width", 1, 4, "float64"),
    ("float32", 2, 3, "float32"),
)


def _observed(setting: Setting, draws: Sequence[Any], truth: Any, what: str) -> Iterator[Observation]:
    yield from entries(what, array(draws[0], truth.shape), truth, _ROUNDING[setting.arguments["x"].dtype.name])


def sums(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether the result is x + f(x)."""
    given = {name: built(value) for name, value in setting.arguments.items()}
    yield from _observed(setting, draws, reference.residual(**given), "the result ")


def gradients(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether the gradient is the cotangent and what comes back through f."""
    given = {name: built(value) for name, value in setting.arguments.items()}
    yield from _observed(setting, draws, reference.residual_vjp(**given), "the gradient ")


def _settings(name: str, record: str) -> tuple[Setting, ...]:
    made = []
    for why, seed, width, dtype in _SHAPES:
        branch = _branch(seed, width, dtype)
        given = {"x": branch["x"], name: Record(record, {"weights": branch["weights"]})}
        made.append(Setting(why, given | ({"cotangent": branch["cotangent"]} if name == "f_vjp" else {})))
    return tuple(made)


residual = Trial(
    reference.residual,
    settings=_settings("f", "given.product"),
    observe=sums,
    misconceptions=(
        wrong.forgets_the_shortcut,
        wrong.returns_the_input,
        wrong.subtracts_the_branch,
        wrong.multiplies_by_the_branch,
        wrong.applies_the_branch_twice,
        wrong.doubles_the_shortcut,
        wrong.takes_the_mean,
        wrong.rectifies_the_sum,
        wrong.goes_sample_by_sample,
    ),
    programs=(wrong.sum_in_place,),
)
residual_vjp = Trial(
    reference.residual_vjp,
    settings=_settings("f_vjp", "given.product_vjp"),
    observe=gradients,
    misconceptions=(
        wrong.forgets_the_cotangent_of_the_shortcut,
        wrong.returns_the_cotangent,
        wrong.adds_one,
        wrong.multiplies_the_cotangents,
        wrong.goes_back_sample_by_sample,
        wrong.forgets_the_cotangent_of_the_branch,
        wrong.adds_the_input,
        wrong.exchanges_the_arguments,
        wrong.subtracts_the_gradient,
    ),
    programs=(wrong.gradient_in_place,),
)
