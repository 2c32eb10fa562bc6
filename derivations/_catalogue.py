"""All claims and errata, read from the topics' values; nothing registers itself."""

from __future__ import annotations

from types import ModuleType

from . import (
    activations,
    attention,
    bounds,
    convolution,
    ensembles,
    initialization,
    layers,
    losses,
    networks,
    normalization,
    optimizers,
    pooling,
    preprocessing,
    regularization,
    studies,
    training,
    worked,
)  # fmt: skip
from ._kernel import Claim, Erratum, Induction, Measured, Number, Scalar, Statement

__all__ = ["claims", "errata"]

TOPICS: tuple[ModuleType, ...] = (
    activations, losses, layers, networks, convolution, pooling, normalization, regularization, optimizers,
    initialization, preprocessing, training, ensembles, bounds, attention, worked, studies,
)  # fmt: skip


def claims() -> dict[str, Statement]:
    """Every claim by its dotted name, in the order of the topics."""
    return {
        f"{topic.__name__.rpartition('.')[2]}.{name}": value
        for topic in TOPICS
        for name, value in vars(topic).items()
        if isinstance(value, Claim | Induction | Number | Scalar | Measured)
    }


def errata() -> tuple[Erratum, ...]:
    """Every statement that is false as the lectures write it."""
    return tuple(erratum for topic in TOPICS for erratum in getattr(topic, "errata", ()))
