"""What is claimed: equations with the arguments they speak of, as data; nothing in a claim runs code.

A `Claim` states equations and inequalities, valid for every size. An `Induction` states what a loop has computed after
any number of steps. A `Scalar` is a limit or an integral, a `Number` a value that the lectures print, a `Measured` what
only a simulation can say. An `Erratum` keeps a statement that is false as the lectures write it, and names the claim
that corrects it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from .terms import Entry, Held, Index, Symbol, put

__all__ = [
    "Argument", "Claim", "Domain", "Erratum", "Induction", "Lemma", "Line", "Measured", "Number", "Part", "Quantity",
    "Scalar", "Space", "State", "Statement", "covers",
]  # fmt: skip

Domain = Literal["real", "positive", "unit", "labels", "distribution", "natural", "count", "zero_or_one", "given"]
Relation = Literal["=", "≥", ">"]


@dataclass(frozen=True)
class Argument:
    """An array or scalar by its name, its axes (sizes; none for a scalar), and where its values live.

    A row of "labels" sums to one and may hold zeros; a row of a "distribution" sums to one and is positive; "unit" is
    the open interval (0, 1); "natural" is a whole number from 0, "count" one from 1, "zero_or_one" either; "given"
    entries are what the claim's given equations or its probability spaces say they are. A `default` is the value where
    none is given. An array that is `padded` is 0 outside of its axes, and its indices may be any integers.
    """

    name: str
    shape: tuple[Any, ...] = ()
    domain: Domain = "real"
    default: int | None = None
    padded: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be: 0 outside of the axes, and positive everywhere."""
        if self.padded and self.domain in ("positive", "unit", "distribution"):
            raise ValueError(f"{self.name} is 0 outside of its axes, so it cannot be {self.domain}")


@dataclass(frozen=True)
class Line:
    """A line in a chain of equations: what the lines above are equal to, and why."""

    value: Any
    because: str


@dataclass(frozen=True)
class Part:
    """One equation: `left` (or its derivative by the entry `by`) is `right`; `axes` orders the free indices.

    With another relation `left` is at least, or above, `right`: their difference is `certificate`, whose sign can be
    seen (a square, a sum of positive terms, an instance of a lemma). With an `axiom` the relation follows from the
    parts above by the theorem it names, which is not proved here.
    """

    left: Any
    right: Any
    by: Entry | None = None
    axes: tuple[Index, ...] = ()
    lines: tuple[Line, ...] = ()
    output: str = ""
    relation: Relation = "="
    certificate: Any = None
    axiom: str = ""


@dataclass(frozen=True)
class Lemma:
    """The expression, nowhere negative for a variable of this domain; the named claim proves it."""

    claim: str
    variable: Symbol
    expression: Any
    domain: Literal["real", "positive"] = "real"

    def at(self, value: Any) -> Held:
        """The expression at a value of its variable."""
        return Held(self.claim, put(self.expression, {self.variable: value}), value)


@dataclass(frozen=True)
class Space:
    """A finite probability space that the sample points enumerate: Σ_ω weights[ω] f(draws[ω, …]) is an expectation.

    "independent" draws have the given mean and standard deviation (and are skewed, so that no claim of two moments is
    true by symmetry); "exchangeable" ones are all one draw with probability `rho`, else independent; a "mask" is 0 with
    probability `p`, else 1; "symmetric" draws have an even law.
    """

    outcome: Symbol
    weights: str
    draws: str
    law: Literal["independent", "exchangeable", "mask", "symmetric"]
    mean: Any = 0
    std: Any = 1
    p: Any = 0
    rho: Any = 0


@dataclass(frozen=True)
class Claim:
    """Equations that hold for every size.

    `given` are assumptions (equations; a free index stands for every value); `cases` are entries whose sign is split
    into below, at and above 0; `regions` replace entries by expressions of positive symbols, one region after another
    (every strict order of some numbers, say; the proof is for these regions alone); `by_steps` = (T, ρ) proves left =
    right by induction: the difference f has f(0) = 0 and f(T + 1) = ρ f(T). `positive` are expressions assumed to be
    above 0, `lemmas` the inequalities that certificates may use. `covers` names the hyperparameters for which the
    formula is the function's; `backs` names that function where it is not the claim's own name (the sum of a loss
    whose name the mean bears). `where` names parts of the formulas for readers: with (s[r, j], softmax(r, j)) an s
    stands for each softmax. The proof does not see it.
    """

    name: str
    statement: str
    parts: tuple[Part, ...]
    arguments: tuple[Argument, ...]
    given: tuple[tuple[Any, Any], ...] = ()
    cases: tuple[Entry, ...] = ()
    regions: tuple[tuple[tuple[Entry, Any], ...], ...] = ()
    positive: tuple[Any, ...] = ()
    lemmas: tuple[Lemma, ...] = ()
    spaces: tuple[Space, ...] = ()
    by_steps: tuple[Symbol, Any] | None = None
    covers: Mapping[str, object] = field(default_factory=dict)
    backs: str = ""
    where: tuple[tuple[Entry, Any], ...] = ()
    ids: tuple[str, ...] = ()
    source: str = ""
    note: str = ""

    @property
    def scope(self) -> str:
        """For what the claim holds, in a word."""
        if self.by_steps:
            return "any_step"
        return "all_cases" if self.cases or self.regions else "moments" if self.spaces else "any_size"


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

    `trajectory` names the variable that is wanted after every step; the others are wanted after the last. `where` names
    parts of the formulas for readers; its names may have the step as an index: m[T, j] is m after any number of steps.
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
    where: tuple[tuple[Entry, Any], ...] = ()
    ids: tuple[str, ...] = ()
    source: str = ""
    note: str = ""

    @property
    def scope(self) -> str:
        """For what the claim holds, in a word."""
        return "any_step"


@dataclass(frozen=True)
class Number:
    """A number that the lectures work out: the expression's value is `printed`, to the digits that are printed.

    `arguments` are exact: integers and fractions, or nested tuples of them. With relation "≥" or "≤" the value is only
    said to lie on that side of `printed`.
    """

    name: str
    statement: str
    value: Any
    printed: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    relation: Literal["=", "≥", "≤"] = "="
    ids: tuple[str, ...] = ()
    source: str = ""
    note: str = ""

    @property
    def scope(self) -> str:
        """For what the claim holds, in a word."""
        return "number"


@dataclass(frozen=True)
class Scalar:
    """A limit or an integral in one variable, for all values of the other symbols; SymPy works it out.

    A limit is taken at `to` from the side `side`, an integral from `start` to `to`; `at` gives values (exact) of the
    other symbols at which it is held against numbers.
    """

    name: str
    statement: str
    operation: Literal["limit", "integral"]
    expression: Any
    variable: Symbol
    to: Any
    right: Any
    start: Any = None
    side: Literal["+", "-"] = "-"
    at: tuple[Mapping[Any, Any], ...] = ({},)
    ids: tuple[str, ...] = ()
    source: str = ""
    note: str = ""

    @property
    def scope(self) -> str:
        """For what the claim holds, in a word."""
        return "any_size"


@dataclass(frozen=True)
class Quantity:
    """What was measured: samples whose mean must lie in [low, high], by at least four standard errors."""

    what: str
    samples: tuple[float, ...]
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """A statement that can only be measured: a function of a seeded random generator returns the quantities.

    `qualitative` says that the statement is a rule of thumb of which only this part can be measured.
    """

    name: str
    statement: str
    measure: Callable[[Random], tuple[Quantity, ...]]
    qualitative: bool = False
    ids: tuple[str, ...] = ()
    source: str = ""
    note: str = ""

    @property
    def scope(self) -> str:
        """For what the claim holds, in a word."""
        return "qualitative" if self.qualitative else "simulation"


Statement = Claim | Induction | Number | Scalar | Measured


@dataclass(frozen=True)
class Erratum:
    """A statement that is false as written, and the name of the claim that says it right."""

    id: str
    as_written: Statement
    corrected_by: str
    note: str


def covers(claim: Claim | Induction, hyperparameters: Mapping[str, object]) -> bool:
    """Whether the claim speaks of the function at these hyperparameters; those it takes as arguments may be any."""
    free = {a.name for a in claim.arguments}
    return all(
        claim.covers[name] == value if name in claim.covers else name in free for name, value in hyperparameters.items()
    )
