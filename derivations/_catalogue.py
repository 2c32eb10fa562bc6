"""All claims and errata, read from the topics' values; nothing registers itself."""

from __future__ import annotations

from types import ModuleType

from . import activations, layers, losses, optimizers, training
from ._kernel import Claim, Erratum, Induction

__all__ = ["claims", "errata"]

TOPICS: tuple[ModuleType, ...] = (activations, losses, layers, training, optimizers)


def claims() -> dict[str, Claim | Induction]:
    """Every claim by its dotted name, in the order of the topics."""
    return {
        f"{topic.__name__.rpartition('.')[2]}.{name}": value
        for topic in TOPICS
        for name, value in vars(topic).items()
        if isinstance(value, Claim | Induction)
    }


def errata() -> tuple[Erratum, ...]:
    """Every statement that is false as the lectures write it."""
    return tuple(erratum for topic in TOPICS for erratum in getattr(topic, "errata", ()))
