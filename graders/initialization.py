"""Exercises on initialization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graders.harness.drawing import Source
from graders.harness.exercise import Exercise, edge
from reference import initialization as reference


def _drawn(source: Source, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shape of a dense layer, or of a convolution of one axis or two."""
    return {"shape": tuple(source.integer(2, 9) for _ in range(source.integer(2, 4)))}


fans = Exercise(
    reference.fans,
    edges=(
        edge("a dense layer", shape=(784, 100)),
        edge("a convolution", shape=(32, 16, 3, 5)),
        edge("a convolution of one axis", shape=(4, 6, 5)),
        edge("one unit", shape=(7, 1)),
    ),
    draw=_drawn,
)
