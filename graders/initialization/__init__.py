"""Exercises on initialization."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graders.harness.drawing import Source
from graders.harness.exercise import Exercise, edge
from graders.initialization import misconceptions as wrong
from graders.initialization.drawn import glorot_normal as glorot_normal
from graders.initialization.drawn import glorot_uniform as glorot_uniform
from graders.initialization.drawn import he_normal as he_normal
from graders.initialization.drawn import he_uniform as he_uniform
from graders.initialization.drawn import normal_fan_in as normal_fan_in
from graders.initialization.drawn import orthogonal as orthogonal
from reference import initialization as reference
from reference.initialization import Fans, Shape


def _drawn(source: Source, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shape of a dense layer, or of a convolution of one axis or two."""
    return {"shape": tuple(source.integer(2, 9) for _ in range(source.integer(2, 4)))}


def takes_rows_for_units(shape: Shape) -> Fans:
    """W is (d_out, d_in), as in PyTorch's Linear and torch.nn.init; convolutions are as here."""
    return Fans(shape[1] * math.prod(shape[2:]), shape[0] * math.prod(shape[2:]))


def takes_the_last_axes_for_channels(shape: Shape) -> Fans:
    """A kernel is (…, in, out), as Keras holds it; a dense layer is as here."""
    *field, n_in, n_out = shape
    return Fans(n_in * math.prod(field), n_out * math.prod(field))


def fans_by_what_is_summed(shape: Shape) -> Fans:
    """All weights, divided by the units, and by the inputs."""
    units, inputs = shape[:2] if len(shape) > 2 else shape[::-1]
    return Fans(math.prod(shape) // units, math.prod(shape) // inputs)


fans = Exercise(
    reference.fans,
    misconceptions=(
        wrong.swaps_the_fans,
        wrong.forgets_the_field,
        wrong.swaps_the_fans_of_convolutions,
        wrong.forgets_the_field_of_the_fan_out,
        wrong.forgets_the_field_of_the_fan_in,
        wrong.multiplies_by_one_side,
        wrong.adds_the_sides,
        wrong.counts_all_weights,
        wrong.counts_the_bias,
        wrong.flattens_all_but_the_last_axis,
    ),
    conventions=(takes_rows_for_units, takes_the_last_axes_for_channels),
    programs=(fans_by_what_is_summed,),
    edges=(
        edge("a dense layer", shape=(784, 100)),
        edge("a convolution", shape=(32, 16, 3, 5)),
        edge("a convolution of one axis", shape=(4, 6, 5)),
        edge("a convolution of three axes", shape=(4, 6, 3, 5, 2)),
        edge("one unit", shape=(7, 1)),
    ),
    draw=_drawn,
)
