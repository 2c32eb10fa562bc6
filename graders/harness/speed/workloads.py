"""What is timed: inputs of a size, new for every call, with what is right for each and what it must cost at least.

Inputs are drawn from the reference's annotated signature, like cases, with larger axes; hyperparameters stay at their
defaults, or at one draw where they have none, so that every call of a workload does the same work. The answer that a
result is held against is the reference's own in float64, within what running-error and random-rounding arithmetic allow
for this very input, twice over, since the reference may be off by as much: 50 digits of a million numbers take hours.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders.harness import cases
from graders.harness.answers import allowed_errors, plain_outputs
from graders.harness.cases import Case, cast, signature
from graders.harness.drawing import KERNELS, MAPS, Seeded, Value
from graders.harness.exercise import Exercise
from graders.harness.sandbox.codec import Record

SMALLEST = 250
SIZES = {"small": 1_000, "medium": 32_000, "large": 1_024_000}
"""Numbers in the largest array of a workload, about: in a core's first cache, in its second, and beyond them all."""
COLUMNS, CHANNELS, IMAGES, KERNEL = 64, 16, 8, 3
WITHIN = 2.0
"""How far beyond the allowed error a result may be, since what it is held against may be off as far as itself."""


class Sized(Seeded):
    """Numbers of a seed, in arrays of about so many elements."""

    def __init__(self, seed: Sequence[int], elements: int) -> None:
        super().__init__(0, "normal")
        self.random = np.random.default_rng(seed)
        self.elements = elements

    def one_of(self, options: Sequence[Value]) -> Value:
        """Return the same in every draw: class labels rather than distributions, a state after some steps."""
        return options[-1]

    def sizes(self, axes: Sequence[str]) -> dict[str, int]:
        """Return the size of each axis, in their order: rows are many, columns and channels as in a small network."""
        sizes = self._sizes(axes)
        return {axis: sizes[axis] for axis in axes}

    def _sizes(self, axes: Sequence[str]) -> dict[str, int]:
        kernels = [axis for axis in axes if axis in KERNELS]
        maps = [axis for axis in axes if axis in MAPS]
        plain = [axis for axis in axes if axis not in MAPS + KERNELS]
        made = dict.fromkeys(kernels, KERNEL)
        if maps:
            channels = [axis for axis in plain if axis != "n"]
            per_image = self.elements / (IMAGES if plain else 1) / (CHANNELS if channels else 1)
            made |= dict.fromkeys(channels, CHANNELS) | {"n": IMAGES}
            return made | dict.fromkeys(maps, max(4, round(math.sqrt(per_image))))
        if len(plain) <= 1:
            return made | dict.fromkeys(plain, self.elements)
        square = any(axis.startswith("d_") or axis == "m" for axis in plain)  # a product of matrices
        columns = round(math.sqrt(self.elements)) if square else min(COLUMNS, round(math.sqrt(self.elements)))
        made |= dict.fromkeys(plain, columns)
        return made | {"n" if "n" in plain else plain[0]: max(2, self.elements // columns)}


@dataclass(frozen=True)
class Workload:
    """One exercise at one size in one dtype."""

    exercise: Exercise
    size: str
    dtype: str = "float64"
    seed: int = 0

    @property
    def name(self) -> str:
        """Return how a report calls it."""
        return f"{self.exercise.name} {self.size} {self.dtype}"

    @functools.cached_property
    def elements(self) -> int:
        """Return what to ask of the axes, so that everything together is as large as the size says, and no larger.

        Some results are much larger than their arguments (a Jacobian), so it is found from below.
        """
        most, found = 8 * 8 * SIZES[self.size], SMALLEST
        while found * 4 <= SIZES[self.size]:
            case = self._drawn(self.seed, found * 4)
            if 2 * least_bytes(case, self.outputs(case)) > most:
                break
            found *= 4
        return found

    def draw(self, number: int) -> Case:
        """Return the input of a call; each number has another.

        Raises ValueError if the reference refuses all that is drawn at this size.
        """
        return self._drawn(number, self.elements)

    def _drawn(self, number: int, elements: int) -> Case:
        source = Sized([self.seed, number], elements)
        for _ in range(cases.TRIES):
            try:
                held = self._hyperparameters
                arguments, hyperparameters = cases.asked(self.exercise, source, held, lambda _, forms: forms[-1])
            except ValueError:
                continue
            if self.exercise.unrolled:
                arguments["grads"] = arguments["grads"][:1]
            return cast(Case(arguments, hyperparameters, "float64", self.size), self.dtype)
        raise ValueError(f"{self.name}: the reference refused {cases.TRIES} draws")

    @functools.cached_property
    def _hyperparameters(self) -> dict[str, Any]:
        """What stays the same in every call: the defaults."""
        asked = signature(self.exercise.reference).hyperparameters
        return {name: default for name, (_, default) in asked.items() if default is not inspect.Parameter.empty}

    def outputs(self, case: Case) -> dict[str, Any]:
        """Return what the reference makes of an input in its own dtype."""
        return plain_outputs(self.exercise, self.exercise.reference, case)

    def exact(self, case: Case) -> dict[str, Any]:
        """Return what is right for an input, in float64."""
        return self.outputs(cast(case, "float64"))

    def allowed(self, case: Case) -> dict[str, Any]:
        """Return how far from what is right for an input each element may be."""
        right = self.exact(case)
        truth = {name: (np.asarray(value, np.float64), np.zeros(np.shape(value))) for name, value in right.items()}
        programs = (self.exercise.text, *self.exercise.programs)
        allowed = allowed_errors(self.exercise, programs, case, truth, case.dtype)
        return {name: WITHIN * error for name, error in allowed.items()}


def numbers(values: Any) -> Iterator[np.ndarray[Any, Any]]:
    """Yield every array in arguments or results, however deep."""
    if isinstance(values, np.ndarray):
        yield values
    elif isinstance(values, Record):
        yield from numbers(tuple(values.fields.values()))
    elif isinstance(values, Mapping):
        yield from numbers(tuple(values.values()))
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from numbers(value)


def least_bytes(case: Case, outputs: Mapping[str, Any]) -> int:
    """Return the bytes that any program must move: every argument is read once and every result written once."""
    return sum(array.nbytes for array in (*numbers(dict(case.arguments)), *numbers(dict(outputs))))


def with_seed(workload: Workload, seed: int) -> Workload:
    """Return the workload with inputs of another seed."""
    return replace(workload, seed=seed)
