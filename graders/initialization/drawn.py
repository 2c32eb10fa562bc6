"""Trials on initialization: weights are drawn with the right variance and law, each by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from graders.harness.exercise import Function
from graders.harness.observations import MIDDLE, Observation, by_themselves, every, exactly, mean, normal, share
from graders.harness.trials import Observe, Setting, Trial, array
from graders.initialization import misconceptions_drawn as wrong
from reference import initialization as reference

_SETTINGS = (
    Setting("a dense layer", {"shape": (250, 100)}, draws=2),
    Setting("a layer that widens", {"shape": (60, 400)}),
    Setting("a convolution", {"shape": (64, 12, 3, 5)}, optional=True),
)
_OFTEN = Setting("a small layer, often", {"shape": (6, 4)}, draws=60)


def _weights(law: str, variance: wrong.Variance) -> Observe:
    """Return what is observed of weights: their law with this variance, and that they do not hang together."""

    def observe(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
        shape = setting.arguments["shape"]
        made = np.stack([array(draw, shape, "the weights") for draw in draws])
        std = math.sqrt(variance(reference.fans(shape)))
        yield every("the weights are finite", np.isfinite(made))
        for axis, unit in enumerate(("row", "column") if len(shape) == 2 else ("kernel", "input channel")):
            yield every(f"no {unit} is another one, or its negative", [_distinct(one, axis) for one in made])
        yield from normal("the weights", made, std) if law == "normal" else _of_uniform(made, math.sqrt(3) * std)
        yield from by_themselves("of one sign", np.moveaxis(made > 0, 0, -1), 0.5)
        if law == "normal" and len(made) == _OFTEN.draws:
            yield from _left_to_chance(made.reshape(len(made), -1), std)

    return observe


def _left_to_chance(drawn: np.ndarray[Any, Any], std: float) -> Iterator[Observation]:
    """Observe whether the mean and the variance of each draw vary: numbers that are made to fit hang together."""
    n = drawn.shape[1]
    means, squares = drawn.mean(axis=1) * math.sqrt(n), (drawn**2).mean(axis=1)
    near = _chi_square_below(1.1 * n, n) - _chi_square_below(0.9 * n, n)
    yield share("the share of draws whose mean is within 0.67 of its deviations", np.abs(means) < MIDDLE * std, 0.5)
    yield share("the share of draws whose variance is within 10 %", np.abs(squares / std**2 - 1) < 0.1, near)


def _chi_square_below(x: float, n: int) -> float:
    """Return P(χ² < x) for an even number n of degrees of freedom: 1 − e^(−x/2) Σ_{k < n/2} (x/2)^k / k!."""
    return 1 - math.exp(-x / 2) * sum((x / 2) ** k / math.factorial(k) for k in range(n // 2))


def _distinct(weights: np.ndarray[Any, Any], axis: int) -> bool:
    """Return whether all slices along an axis differ, up to their sign: units that start alike stay alike."""
    slices = np.abs(np.moveaxis(weights, axis, 0)).reshape(weights.shape[axis], -1)
    return len({one.tobytes() for one in slices}) == len(slices)


def _of_uniform(made: np.ndarray[Any, Any], bound: float) -> Iterator[Observation]:
    """Observe uniform numbers: their bound, mean, variance, and how many are in the inner half."""
    yield every("the weights are within the bound", np.abs(made) <= bound * (1 + 1e-6))
    yield mean("the mean of the weights", made, 0.0, -bound, bound)
    yield mean("the variance of the weights", made**2, bound**2 / 3, 0.0, bound**2)
    yield share("the share of the weights within half of the bound", np.abs(made) < bound / 2, 0.5)


def _rule(f: Function, law: str, variance: wrong.Variance, *others: Function) -> Trial:
    """Return the trial of a rule that draws numbers of a law with a variance."""
    lists: dict[str, Callable[..., tuple[Function, ...]]] = {"normal": wrong.of_normal, "uniform": wrong.of_uniform}
    more = (wrong.forgets_to_rescale_the_truncated(f, variance),) if law == "normal" else ()
    return Trial(
        f,
        settings=(*_SETTINGS, _OFTEN) if law == "normal" else _SETTINGS,
        observe=_weights(law, variance),
        misconceptions=(*lists[law](f, variance), *more, *others),
        conventions=wrong.conventions(f, variance, law),
        programs=(wrong.of_standard(f, variance, law),),
    )


def _taken_for(f: Function, law: str, name: str, told: str, variance: wrong.Variance) -> Function:
    return wrong.other_rule(f, law, name, told, variance)


_TWO = "You forgot the 2. ReLU loses half of the mean square, so the variance is 2 / fan_in."
_NO_TWO = "Your variance is 2 / fan_in, which is for ReLU. Here it is 1 / fan_in."
_BOTH = "Your variance is 2 / (fan_in + fan_out), which is Glorot's rule. Here only fan_in counts."
_ONE = "You divide by fan_in alone. Glorot's variance is 2 / (fan_in + fan_out)."
_SUM = "Your variance is 1 / (fan_in + fan_out). Glorot's is twice that: one over the mean of both fans."
_OVER = "Your variance is 2 / fan_in, which is He's rule. Glorot's is 2 / (fan_in + fan_out)."

normal_fan_in = _rule(
    reference.normal_fan_in, "normal", wrong.FAN_IN,
    _taken_for(reference.normal_fan_in, "normal", "takes_the_rule_for_relu", _NO_TWO, wrong.HE),
    _taken_for(reference.normal_fan_in, "normal", "takes_both_fans", _BOTH, wrong.GLOROT),
)  # fmt: skip
glorot_normal = _rule(
    reference.glorot_normal, "normal", wrong.GLOROT,
    _taken_for(reference.glorot_normal, "normal", "takes_fan_in_alone", _ONE, wrong.FAN_IN),
    _taken_for(reference.glorot_normal, "normal", "forgets_the_two", _SUM, lambda fans: 1 / sum(fans)),
    _taken_for(reference.glorot_normal, "normal", "takes_the_rule_for_relu", _OVER, wrong.HE),
)  # fmt: skip
glorot_uniform = _rule(
    reference.glorot_uniform, "uniform", wrong.GLOROT,
    _taken_for(reference.glorot_uniform, "uniform", "takes_fan_in_alone", _ONE, wrong.FAN_IN),
    _taken_for(reference.glorot_uniform, "uniform", "forgets_the_two", _SUM, lambda fans: 1 / sum(fans)),
    _taken_for(reference.glorot_uniform, "uniform", "takes_the_rule_for_relu", _OVER, wrong.HE),
)  # fmt: skip
he_normal = _rule(
    reference.he_normal, "normal", wrong.HE,
    _taken_for(reference.he_normal, "normal", "forgets_the_two", _TWO, wrong.FAN_IN),
    _taken_for(reference.he_normal, "normal", "takes_both_fans", _BOTH, wrong.GLOROT),
)  # fmt: skip
he_uniform = _rule(
    reference.he_uniform, "uniform", wrong.HE,
    _taken_for(reference.he_uniform, "uniform", "forgets_the_two", _TWO, wrong.FAN_IN),
    _taken_for(reference.he_uniform, "uniform", "takes_both_fans", _BOTH, wrong.GLOROT),
)  # fmt: skip


# --- orthogonal -------------------------------------------------------------------------------------------------------
def orthonormal(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether rows or columns are orthonormal, and whether signs and directions are left to chance."""
    shape, gain = setting.arguments["shape"], setting.arguments.get("gain", 1.0)
    made = np.stack([array(draw, shape, "the weights") for draw in draws])
    rows, columns = shape[0], math.prod(shape[1:])
    flat = made.reshape(len(made), rows, columns) / gain
    products = flat @ np.swapaxes(flat, 1, 2) if rows <= columns else np.swapaxes(flat, 1, 2) @ flat
    lengths = np.diagonal(products, axis1=1, axis2=2)
    aside = products - lengths[..., None] * np.eye(products.shape[1])
    rounding = 2e-5 if any(getattr(draw, "dtype", None) == np.float32 for draw in draws) else 1e-10
    side = "rows" if rows <= columns else "columns"
    yield every(f"the {side} have length {gain:g}", np.abs(lengths - 1) <= rounding)
    yield exactly(f"the mean square length of the {side}", float(lengths.mean()), 1.0, rounding,
                  float(lengths.std()) / math.sqrt(lengths.size))  # fmt: skip
    yield every(f"the {side} are orthogonal to each other", np.abs(aside) <= rounding)
    yield every("no entry is zero", flat != 0)
    if len(made) > 1:
        square = flat[:, 0, 0] ** 2
        first = 1 / max(rows, columns)
        yield share("the share of first entries above 0", flat[:, 0, 0] > 0, 0.5)
        yield share("the share of entries of the second row above 0", flat[:, 1, 1] > 0, 0.5)
        yield mean("the mean square of the first entry", np.clip(square, 0, 1), first, 0.0, 1.0)


orthogonal = Trial(
    reference.orthogonal,
    settings=(
        Setting("a layer that narrows", {"shape": (40, 25), "gain": 1.7}),
        Setting("a layer that widens", {"shape": (25, 40)}),
        Setting("a convolution", {"shape": (24, 3, 2, 2)}, optional=True),
        Setting("a small layer, often", {"shape": (5, 3)}, draws=600),
    ),
    observe=orthonormal,
    misconceptions=(
        wrong.forgets_the_gain,
        wrong.squares_the_gain,
        wrong.scales_each_row_only,
        wrong.scales_each_column_only,
        wrong.draws_normal_numbers,
        wrong.starts_from_the_identity,
        wrong.permutes_the_identity,
        wrong.flattens_all_but_the_last_axis,
        wrong.returns_r,
    ),
    conventions=(wrong.leaves_the_signs_as_they_come, wrong.takes_singular_vectors),
    programs=(wrong.cut_from_a_square,),
)
