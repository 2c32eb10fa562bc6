"""Cases in float16 and bfloat16, by choice: those of float64 rounded to them, as far as that leaves a question.

The truth is that of the rounded numbers, the allowed error that of a program with so few digits. Of much nothing can
be said in them: which share of the elements that is, is told, and a case with more than a quarter of such is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graders.harness import cases
from graders.harness.cases import DTYPES, Case
from graders.harness.exercise import Exercise
from graders.harness.key import AnswerKey, Proved
from graders.harness.precision import NARROW, Plain
from graders.harness.sandbox.codec import Record

ASKED = (*DTYPES, *NARROW)
"""The dtypes that may be asked for."""


@dataclass(frozen=True)
class Undecided:
    """How much of an exercise a dtype can decide."""

    elements: int = 0
    undecidable: int = 0
    """Elements whose error has no bound in the dtype, those of cases that are left out among them."""
    cases: int = 0
    left_out: int = 0
    """Cases that are none in the dtype."""

    @property
    def counted(self) -> str:
        """Return the four numbers as a text, which `of` reads."""
        return f"{self.elements} {self.undecidable} {self.cases} {self.left_out}"

    @classmethod
    def of(cls, counted: str) -> Undecided:
        """Return what a text of `counted` says."""
        return cls(*map(int, counted.split()))

    def __add__(self, other: Undecided) -> Undecided:
        return Undecided(
            self.elements + other.elements, self.undecidable + other.undecidable,
            self.cases + other.cases, self.left_out + other.left_out,
        )  # fmt: skip

    def __str__(self) -> str:
        share = 100 * self.undecidable / self.elements if self.elements else 0.0
        said = f"{share:.1f} % of {self.elements:,} elements undecidable"
        return f"{said}, {self.left_out:,} of {self.cases:,} cases left out"


def rounded(case: Case, dtype: str) -> Case | None:
    """Return a case in float64 with its numbers rounded to a narrow dtype.

    None where one of them would become 0, infinite, or the border of what is allowed: then it asks something else.
    """
    made = cases.cast(case, dtype)
    pairs = zip(_arrays(case.arguments), _arrays(made.arguments), strict=True)
    return None if any(_loses(wide, narrow) for wide, narrow in pairs) else made


def _loses(wide: Plain, narrow: Plain) -> bool:
    shares = bool(np.all((wide >= 0) & (wide <= 1)))  # of which 1 may be the border: log(1 − p)
    borders = (narrow == 0) | ~np.isfinite(narrow) | ((narrow == 1) & shares)
    return bool(np.any(borders & (narrow != wide) & ~np.isnan(wide)))


def _arrays(value: Any) -> list[Plain]:
    if isinstance(value, Mapping | Record):
        value = tuple((value.fields if isinstance(value, Record) else value).values())
    if isinstance(value, tuple):
        return [array for item in value for array in _arrays(item)]
    return [value] if isinstance(value, np.ndarray) and value.dtype.kind == "f" else []


class NarrowKey(AnswerKey):
    """The answer key, with cases in narrow dtypes for whoever asks for them."""

    def __init__(
        self,
        seed: int,
        proved: Callable[[Exercise], Proved | None] = lambda exercise: None,
        dtypes: Sequence[str] = DTYPES,
        keeps_seeded: bool = False,
    ) -> None:
        super().__init__(seed, proved, keeps_seeded)
        self.dtypes = tuple(dtypes)
        self._narrow: dict[tuple[str, frozenset[str], str], tuple[list[Case], Undecided]] = {}

    def cases(self, exercise: Exercise, held: frozenset[str] = frozenset()) -> list[Case]:
        """Return the cases that decide, in the dtypes that are asked for."""
        made = [] if set(self.dtypes) <= set(NARROW) else self.wide(exercise, held)
        return made + [case for dtype in self.dtypes if dtype in NARROW for case in self._in(exercise, held, dtype)[0]]

    def wide(self, exercise: Exercise, held: frozenset[str]) -> list[Case]:
        """Return the cases in float64 and float32."""
        return super().cases(exercise, held)

    def drawn(self, exercise: Exercise, held: frozenset[str]) -> list[Case]:
        """Return the drawn cases in float64, of which narrow ones are made."""
        return [case for case in cases.seeded(exercise, self.seed, held) if case.dtype == "float64"]

    def undecided(self, exercise: Exercise, dtype: str, held: frozenset[str] = frozenset()) -> Undecided:
        """Return how much of an exercise a narrow dtype can decide."""
        return self._in(exercise, held, dtype)[1]

    def _candidates(self, exercise: Exercise, held: frozenset[str]) -> list[Case]:
        """Return the cases in float64 that narrow ones are made of."""
        edges = (cases.from_edge(exercise, edge, "float64") for edge in exercise.edges)
        defaults = {name: default for name, (_, default) in self._hyperparameters(exercise).items()}
        usable = [case for case in edges if all(case.hyperparameters[name] == defaults[name] for name in held)]
        return usable + self.drawn(exercise, held)

    def _in(self, exercise: Exercise, held: frozenset[str], dtype: str) -> tuple[list[Case], Undecided]:
        with self._locked(exercise):
            at = exercise.name, held, dtype
            if at not in self._narrow:
                self._narrow[at] = self._made(exercise, held, dtype)
            return self._narrow[at]

    def _made(self, exercise: Exercise, held: frozenset[str], dtype: str) -> tuple[list[Case], Undecided]:
        if len(cases.dtypes(exercise)) == 1:
            return [], Undecided()  # it is asked about no floats
        asked = self._candidates(exercise, held)
        kept, elements, undecidable = [], 0, 0
        for wide in asked:
            case = rounded(wide, dtype)
            answer = self.find(exercise, case) if case is not None else None
            if case is None or answer is None:
                continue
            bounds = [expected.allowed for expected in answer.outputs.values()]
            elements += sum(bound.size for bound in bounds)
            undecidable += sum(int(np.isinf(bound).sum()) for bound in bounds)
            if self._is_case(exercise, case):
                kept.append(case)
        if all(case.extreme or case.special for case in kept):  # by which alone nothing is right
            kept = []
        return kept, Undecided(elements, undecidable, len(asked), len(asked) - len(kept))
