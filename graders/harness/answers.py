"""What is right, and how far from it rounding alone may lead: for every element of every case.

The truth is a value of many digits: of the proved expression where there is a proof, else of the reference text. The
allowed error is `min(4·T_EA, 64·T_N)`: running-error bounds and the spread under random rounding of the reference and
of the honest other programs that the exercise declares. Both factors were measured once, on 180 honest programs (none
rejected) and 136 wrong ones (two accepted, in float32, where they return the right numbers); no exercise has its own.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders.harness import arithmetic
from graders.harness.arithmetic import Lifted, bounded_kind, exact_kind, lift, rounded_kind
from graders.harness.cases import Case, signature
from graders.harness.exercise import Exercise, Function
from graders.harness.plans import Outputs, run_plain
from graders.harness.precision import NARROW, PRECISIONS

Plain = np.ndarray[Any, Any]

# The few constants of the project's verdicts, for all exercises alike.
RUNNING_ERROR_FACTOR = 4.0  # honest programs were within 0.78 of T_EA
RANDOM_ROUNDING_FACTOR = 64.0  # honest programs were within 8.2 of T_N
REVIEW_FACTOR = 100.0  # wrong formulas were beyond 1e4 (float32) and 1e12 (float64)
UNDECIDED_SHARE = 0.25  # a case with more elements that its dtype cannot decide is no case of that dtype
DIGITS = (50, 100, 200, 400, 800)
AGREEMENT = 25  # significant digits on which two precisions must agree
NEGLIGIBLE = -340  # as a power of ten: less than any float64 can tell from zero


class Undetermined(ArithmeticError):
    """The truth of a case could not be found: the case is refused."""


@dataclass(frozen=True)
class Expected:
    """One output's truth as hi + lo, and the allowed error of each element (inf where the dtype cannot decide)."""

    hi: Plain
    lo: Plain
    allowed: Plain

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the output."""
        return tuple(self.hi.shape)

    @functools.cached_property
    def simple(self) -> bool:
        """Whether every element is finite and has an allowed error that is neither 0 nor infinite."""
        return bool(np.all((self.allowed > 0) & np.isfinite(self.allowed) & np.isfinite(self.hi)))

    def ulps(self, dtype: str) -> tuple[Plain, Plain]:
        """Return a unit in the last place of every element, and where that measures something: not near zero."""
        if dtype not in self._ulps:
            size, precision = np.abs(self.hi), PRECISIONS[dtype]
            measures = np.isfinite(self.allowed) & (size >= precision.least)
            self._ulps[dtype] = precision.spacing(np.maximum(size, precision.least)), measures
        return self._ulps[dtype]

    @functools.cached_property
    def _ulps(self) -> dict[str, tuple[Plain, Plain]]:
        return {}


@dataclass(frozen=True)
class Answer:
    """The expected outputs of a case, and what they were judged by: "proof" or "reference"."""

    outputs: Mapping[str, Expected]
    truth: str = "reference"

    def without(self, unseen: Collection[str]) -> Answer:
        """Return the answer without outputs that nobody has seen."""
        return replace(self, outputs={k: e for k, e in self.outputs.items() if k not in unseen}) if unseen else self

    @property
    def decides(self) -> bool:
        """Return whether the dtype can decide enough of the elements for this to be a case at all."""
        return all(np.isinf(e.allowed).mean() <= UNDECIDED_SHARE for e in self.outputs.values() if e.allowed.size)


LABELS = ("signs", "mask", "unit", "simplex")
"""Domains of which a whole number is no measurement: 0 and 1, −1 and 1 are what they are in every program."""


def _lifted(kind: Any, exercise: Exercise, case: Case, sure: bool = True) -> Case:
    carrier = PRECISIONS[case.dtype].carrier
    forms = signature(exercise.reference).arguments
    labels = {name for name in forms if sure and any(form.domain in LABELS for form in forms[name])}
    return replace(
        case,
        arguments={k: lift(kind, v, carrier, k in labels) for k, v in case.arguments.items()},
        hyperparameters={k: lift(kind, v, carrier) for k, v in case.hyperparameters.items()},
    )


def agree(coarse: Any, fine: Any, context: Any) -> bool:
    """Return whether two precisions say the same: 25 digits, or both less than any float64 could hold."""
    if coarse == fine and fine != 0:
        return True
    if not (context.isfinite(coarse) and context.isfinite(fine)):
        return bool(context.isnan(coarse) and context.isnan(fine))
    if abs(fine) < context.mpf(10) ** NEGLIGIBLE and abs(coarse) < context.mpf(10) ** NEGLIGIBLE:
        return True
    return bool(abs(coarse - fine) <= abs(fine) * context.mpf(10) ** -AGREEMENT)


def exact_outputs(exercise: Exercise, function: Function, case: Case, digits: int) -> Outputs:
    """Return the outputs of a function of the reference's signature, as arrays of so many digits."""
    outputs = run_plain(exercise, function, _lifted(exact_kind(digits), exercise, case))
    return {name: value.parts[0] if isinstance(value, Lifted) else value for name, value in outputs.items()}


def true_outputs(evaluate: Callable[[int], Outputs], coarse: Outputs) -> Outputs:
    """Return the outputs at the first precision that its double confirms to 25 digits; raise `Undetermined` if none.

    An exact zero is confirmed only at a precision where no float64 could hide behind it: log(1 + e^−200) is 0 at 50
    digits. `coarse` are the outputs at the least precision.
    """
    zeros = any(
        np.any(value == 0) for value in coarse.values() if isinstance(value, np.ndarray) and value.dtype == object
    )
    for digits in DIGITS[3:] if zeros else DIGITS[1:]:
        fine = evaluate(digits)
        context = arithmetic.context(digits)
        if all(
            agree(one, two, context)
            for name in fine
            for one, two in zip(np.ravel(coarse[name]), np.ravel(fine[name]), strict=True)
        ):
            return fine
        coarse = fine
    raise Undetermined(f"two precisions up to {DIGITS[-1]} digits never agreed to {AGREEMENT} digits")


def _split(value: Any) -> tuple[Plain, Plain]:
    """Return a many-digit array as the sum of two float64 arrays."""
    numbers = np.asarray(value)
    if numbers.dtype != object:
        return numbers.astype(np.float64), np.zeros(numbers.shape)
    hi = np.array([float(x) for x in numbers.ravel()])
    lo = np.array([float(x - h) if np.isfinite(h) else 0.0 for x, h in zip(numbers.ravel(), hi, strict=True)])
    return hi.reshape(numbers.shape), lo.reshape(numbers.shape)


def allowed_errors(
    exercise: Exercise, programs: tuple[Function, ...], case: Case, truth: Mapping[str, tuple[Plain, Plain]], dtype: str
) -> dict[str, Plain]:
    """Return the allowed error of every element, for programs that run in this dtype."""
    bounded = bounded_kind(dtype)
    seed = int(hashlib.sha256(case.id.encode()).hexdigest()[:8], 16)
    rounded = rounded_kind(dtype, seed)
    unit, tiny = bounded.unit, bounded.tiny
    running = {name: np.zeros(hi.shape) for name, (hi, _) in truth.items()}
    spread = {name: unit * np.abs(hi) + tiny for name, (hi, _) in truth.items()}
    exact: set[str] = set()
    drawn = case.origin not in {edge.why for edge in exercise.edges}  # edges are alike on purpose
    # a convention stands alone: what its other honest programs do with labels, such as σ(z) − y, nobody has declared
    sure = programs[0] is exercise.text
    with np.errstate(all="ignore"):
        for program in programs:
            bounds = run_plain(exercise, program, _lifted(bounded, exercise, case, sure))
            samples = run_plain(exercise, program, _lifted(rounded, exercise, case, sure))
            for name, (hi, lo) in truth.items():
                if not isinstance(bounds[name], Lifted):
                    exact.add(name)  # an integer
                    continue
                error = bounds[name].parts[1]
                off = _spread(np.abs((samples[name].parts[0] - hi) - lo), unit / rounded.unit)
                doubted = drawn and bool(np.any(np.isinf(error) & (running[name] == 0)))
                if program is programs[0] or dtype in NARROW or (doubted and _is_whole(exercise, case, name)):
                    # what the reference itself cannot decide is not decided; nor, where numbers end at 65,504, what
                    # another one cannot; nor which is largest, where another one finds two alike that are not
                    running[name] = np.maximum(running[name], np.where(np.isnan(error), np.inf, error))
                    spread[name] = np.maximum(spread[name], np.where(np.isnan(off), np.inf, off))
                else:  # another program widens the bound, but where it breaks down it says nothing
                    running[name] = np.maximum(running[name], np.where(np.isfinite(error), error, 0.0))
                    spread[name] = np.maximum(spread[name], np.where(np.isfinite(off), off, 0.0))

    def allowed(name: str, hi: Plain) -> Plain:
        if name in exact:
            return np.zeros(hi.shape)
        least = np.minimum(RUNNING_ERROR_FACTOR * running[name], RANDOM_ROUNDING_FACTOR * spread[name])
        # an infinite truth is met exactly or not at all
        return np.where(np.isinf(hi), 0.0, np.where(np.isinf(running[name]), np.inf, least))

    return {name: allowed(name, hi) for name, (hi, _) in truth.items()}


def _is_whole(exercise: Exercise, case: Case, name: str) -> bool:
    """Return whether an output is integers: a class, an index."""
    return plain_outputs(exercise, exercise.reference, case)[name].dtype.kind in "iu"


def _spread(off: Plain, scale: float) -> Plain:
    """Return how far off samples are, scaled down to the roundoff of their dtype where it is rounding that moves them.

    Where some are far further off than others they have come to lie beyond a jump, and where all are off alike it is a
    number too small or too large for the dtype that was lost: no roundoff makes these smaller.
    """
    least, most = np.min(off, axis=0), np.max(off, axis=0)
    spread: Plain = np.where((least < scale * most) | (least == most), most, scale * most)
    return spread


def answer(
    exercise: Exercise,
    case: Case,
    function: Function | None = None,
    proved: Callable[[Case, int], Outputs | None] | None = None,
) -> Answer:
    """Return the answer of a case: for the reference, or for a convention in its place.

    `proved` returns the value of the proved expression at so many digits, or None where the claim does not cover it.
    """
    text = function or exercise.text
    programs = (text,) if function else (text, *exercise.programs)
    least = DIGITS[0]
    first = proved(case, least) if function is None and proved is not None else None
    by = "reference" if first is None else "proof"

    def evaluate(digits: int) -> Outputs:
        value = proved(case, digits) if first is not None and proved is not None else None
        return exact_outputs(exercise, text, case, digits) if value is None else value

    truth = true_outputs(evaluate, evaluate(least) if first is None else first)
    halves = {name: _split(value) for name, value in truth.items()}
    allowed = allowed_errors(exercise, programs, case, halves, case.dtype)
    return Answer({name: Expected(hi, lo, allowed[name]) for name, (hi, lo) in halves.items()}, by)


def plain_outputs(exercise: Exercise, function: Function, case: Case) -> Outputs:
    """Return the outputs of a function in the case's own dtype, as arrays; a misconception may overflow in it."""
    with np.errstate(all="ignore"):
        return {name: np.asarray(value) for name, value in run_plain(exercise, function, case).items()}
