"""What is known of a claim when it has been verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .agreement import Witness

__all__ = ["Checked", "Verification"]


@dataclass(frozen=True)
class Checked:
    """One equation (or inequality) of a chain, and whether it was proved."""

    left: Any
    right: Any
    because: str
    proved: bool
    relation: str = "="

    @property
    def equation(self) -> str:
        """The equation as text."""
        return f"{self.left} {self.relation} {self.right}"


@dataclass(frozen=True)
class Verification:
    """What is known of a claim."""

    name: str
    status: str
    scope: str
    trust: str
    ids: tuple[str, ...]
    source: str
    steps: tuple[Checked, ...]
    model: bool
    numeric_digits: int
    witness: Witness | None
    mutants: int
    mutants_proved: int
    seconds: float = 0.0
    axioms: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()

    @property
    def first_wrong(self) -> Checked | None:
        """The first equation that was not proved."""
        return next((step for step in self.steps if not step.proved), None)
