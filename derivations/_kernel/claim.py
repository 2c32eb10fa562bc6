"""What is claimed: equations with the arguments they speak of, as data; nothing in a claim runs code.

A `Claim` states equations, valid for every size. An `Induction` states what a loop has computed after any number of
steps. An `Erratum` keeps a statement that is false as the lectures write it, and names the claim that corrects it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .terms import Entry, Index, Symbol

__all__ = ["Argument", "Claim", "Domain", "Erratum", "Induction", "Line", "Part", "State", "covers"]

Domain = Literal["real", "positive", "unit", "labels", "distribution", "natural", "given"]


@dataclass(frozen=True)
class Argument:
    """An array or scalar by its name, its axes (sizes; none for a scalar), and where its values live.

    A row of "labels" sums to one and may hold zeros; a row of a "distribution" sums to one and is positive; "unit" is
    the open interval (0, 1); "natural" is a whole number from 0; "given" entries are what the claim's given equations
    say they are. A `default` is the value where none is given.
    """

    name: str
    shape: tuple[Any, ...] = ()
    domain: Domain = "real"
    default: int | None = None


@dataclass(frozen=True)
class Line:
    """A line in a chain of equations: what the lines above are equal to, and why."""

    value: Any
    because: str


@dataclass(frozen=True)
class Part:
    """One equation: `left` (or its derivative by the entry `by`) is `right`; `axes` orders the free indices."""

    left: Any
    right: Any
    by: Entry | None = None
    axes: tuple[Index, ...] = ()
    lines: tuple[Line, ...] = ()
    output: str = ""


@dataclass(frozen=True)
class Claim:
    """Equations that hold for every size.

    `given` are assumptions (equations; a free index stands for every value); `cases` are entries whose sign is split
    into below, at and above 0; `by_steps` = (T, ρ) proves left = right by induction: the difference f has f(0) = 0 and
    f(T + 1) = ρ f(T). `covers` names the hyperparameters for which the formula is the function's.
    """

    name: str
    statement: str
    parts: tuple[Part, ...]
    arguments: tuple[Argument, ...]
    given: tuple[tuple[Any, Any], ...] = ()
    cases: tuple[Entry, ...] = ()
    by_steps: tuple[Symbol, Any] | None = None
    covers: Mapping[str, object] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    source: str = ""
    note: str = ""

    @property
    def scope(self) -> str:
        """For what the claim holds, in a word."""
        return "any_step" if self.by_steps else "all_cases" if self.cases else "any_size"


@dataclass(frozen=True)
class State:
    """A variable of a loop: its entry (or scalar symbol), what one step makes of it, and what it is after T steps.

    `update` speaks of the variables before the step; `closed` speaks of their values before the first step.
    """

    entry: Any
    update: Any
    closed: Any
    axes: tuple[Index, ...] = ()

    @property
    def name(self) -> str:
        """The variable's name."""
        return str(self.entry.name)


@dataclass(frozen=True)
class Induction:
    """What a loop has computed after any number of steps; step number T (from 0) reads row T of `inputs`.

    `trajectory` names the variable that is wanted after every step; the others are wanted after the last.
    """

    name: str
    statement: str
    step: Symbol
    states: tuple[State, ...]
    arguments: tuple[Argument, ...]
    inputs: str = "grads"
    trajectory: str = "params"
    given: tuple[tuple[Any, Any], ...] = ()
    covers: Mapping[str, object] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    source: str = ""
    note: str = ""

    @property
    def scope(self) -> str:
        """For what the claim holds, in a word."""
        return "any_step"


@dataclass(frozen=True)
class Erratum:
    """A statement that is false as written, and the name of the claim that says it right."""

    id: str
    as_written: Claim | Induction
    corrected_by: str
    note: str


def covers(claim: Claim | Induction, hyperparameters: Mapping[str, object]) -> bool:
    """Whether the claim speaks of the function at these hyperparameters; those it takes as arguments may be any."""
    free = {a.name for a in claim.arguments}
    return all(
        claim.covers[name] == value if name in claim.covers else name in free for name, value in hyperparameters.items()
    )
