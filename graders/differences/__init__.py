"""Trials on differences: they are given functions whose gradients are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graders.differences import misconceptions as wrong
from graders.harness.observations import Misshapen, Observation, entries, exactly
from graders.harness.plans import WrongKind, said
from graders.harness.sandbox.codec import Record
from graders.harness.sandbox.given import slope_of_cubic
from graders.harness.trials import Setting, Trial, array, indices
from reference import differences as reference

_WITHIN = 2e-6
"""How far off a gradient by differences may be: central ones are, for any step from 1e-2 to 1e-7, far less."""


def _cubic(size: int, seed: int, bend: float = 300.0) -> Record:
    """Return a function with large second and small third derivatives: one-sided differences are far off."""
    random = np.random.default_rng(seed)
    curvature = random.standard_normal((size, size))
    slopes = random.standard_normal(size)
    fields = {"curvature": bend * (curvature + curvature.T), "cubes": 0.05 * slopes, "slope": 10 * slopes[::-1]}
    return Record("given.cubic", fields)


def _valley(x: Any, gradient: Any) -> Record:
    """Return a function of this gradient at x, of small values and large second derivatives: there even a short step to
    one side is seen, and no rounding of a long or short one to both."""
    curvature, cubes = 1000.0 * (np.eye(x.size) + 0.5), np.full(x.size, 0.005)
    slope = gradient - slope_of_cubic(curvature, cubes, 0.0)(x)
    return Record("given.cubic", {"curvature": curvature, "cubes": cubes, "slope": slope})


def _gradient(f: Record, x: Any) -> Any:
    return slope_of_cubic(**f.fields)(x)


# --- numerical_gradient -----------------------------------------------------------------------------------------------
def slopes(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether each entry is the slope along it."""
    x = setting.arguments["x"]
    got = array(draws[0], x.shape, "the gradient")
    yield from entries("the slope", got, _gradient(setting.arguments["f"], x), _WITHIN)


_POINT = np.array([0.3, -1.2, 0.7])
_TABLE = np.array([[0.4, -0.9], [1.1, 0.2]])
_NEAR_ZERO = np.array([0.01, -0.02, 0.015])

numerical_gradient = Trial(
    reference.numerical_gradient,
    settings=(
        Setting("a vector", {"f": _cubic(3, 0), "x": _POINT}),
        Setting("a matrix", {"f": _cubic(4, 1), "x": _TABLE}),
        Setting("one entry", {"f": _cubic(1, 2), "x": np.array([0.6])}),
        Setting("a steep valley", {"f": _valley(_NEAR_ZERO, np.array([1.0, -0.5, 0.75])), "x": _NEAR_ZERO}),
        Setting("a complex step", {"f": _cubic(3, 3), "x": _POINT, "method": "complex"}),
    ),
    observe=slopes,
    misconceptions=(
        wrong.takes_forward_differences,
        wrong.takes_backward_differences,
        wrong.forgets_the_two,
        wrong.divides_by_the_two_of_one_side,
        wrong.flips_the_sign,
        wrong.forgets_to_divide,
        wrong.moves_all_entries_at_once,
        wrong.never_puts_back,
        wrong.moves_the_first_entry_only,
        wrong.moves_by_too_little,
        wrong.returns_the_absolute_slopes,
    ),
    programs=(wrong.gradient_with_a_fixed_step, wrong.gradient_with_four_points),
)


# --- gradient_check ---------------------------------------------------------------------------------------------------
LARGE = 1e-3
"""From which relative error on a number that is returned for a verdict means that the gradient is wrong."""


def verdicts(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether a right gradient passes, and a wrong one does not."""
    f, grad, x = (setting.arguments[name] for name in ("f", "grad", "x"))
    right = bool(np.allclose(grad, _gradient(f, x), rtol=1e-9))
    yield exactly("whether the gradient passes", float(_passed(draws[0])), float(right))
    wrong_ones = np.flatnonzero(~np.isclose(grad, _gradient(f, x), rtol=1e-9))
    told = draws[0].get("at") if isinstance(draws[0], Mapping) else None
    if told is not None and len(wrong_ones) == 1:
        worst = indices(told if isinstance(told, (list, tuple)) else [told], "`at`")
        yield exactly("the entry that is said to be worst", float(worst[0]) if worst.size else np.nan, wrong_ones[0])


def _passed(draw: Any) -> bool:
    """Return what a check says: a boolean, alone or first or by name, or a relative error."""
    if isinstance(draw, Mapping):
        named = [draw[name] for name in ("passed", "ok", "success") if name in draw]
        draw = named[0] if named else draw
    if isinstance(draw, tuple) and draw:
        draw = draw[0]
    if isinstance(draw, np.ndarray) and draw.ndim == 0:
        draw = draw.item()
    if isinstance(draw, bool):
        return draw
    if isinstance(draw, float):
        if not draw >= 0:
            raise Misshapen(f"the relative error is {draw:.3g}, expected a number from 0 on")
        return draw < LARGE
    raise WrongKind(f"the result is {said(draw)}, expected whether the gradient passes, or a relative error")


def _checked(why: str, seed: int, change: Any) -> Setting:
    f = _cubic(3, seed, bend=2.0)
    return Setting(why, {"f": f, "grad": np.asarray(change(_gradient(f, _POINT))), "x": _POINT})


def _turned(g: Any) -> Any:
    """Return a gradient of the same length in another direction."""
    return g[[1, 2, 0]]


gradient_check = Trial(
    reference.gradient_check,
    settings=(
        _checked("a right gradient", 0, lambda g: g),
        _checked("another right gradient", 4, lambda g: g),
        _checked("twice too long", 0, lambda g: 2 * g),
        _checked("the other sign", 0, lambda g: -g),
        _checked("one entry is too small", 0, lambda g: g - np.array([0, 0.02, 0]) * np.abs(g)),
        _checked("all entries are too small", 1, lambda g: g - 0.1 * np.abs(g)),
        _checked("one entry is too large", 2, lambda g: g + np.array([0, 0, 0.02]) * np.abs(g)),
        _checked("the first entry alone is wrong", 3, lambda g: g * np.array([1.5, 1, 1])),
        _checked("two errors that cancel", 5, lambda g: g + np.array([0.5, 0, -0.5])),
        _checked("of the same length", 6, _turned),
        _checked("zeros", 2, lambda g: 0 * g),
    ),
    observe=verdicts,
    misconceptions=(
        wrong.always_passes,
        wrong.never_passes,
        wrong.compares_the_lengths,
        wrong.compares_the_sums,
        wrong.compares_the_first_entry,
        wrong.forgets_the_absolute_value,
        wrong.asks_for_one_entry_only,
        wrong.compares_the_absolute_values,
        wrong.compares_the_directions,
        wrong.passes_what_is_wrong,
    ),
    programs=(wrong.check_by_the_relative_error,),
)
