"""One case's outputs against its answer: the largest error in units of the allowed one, where it is, and in bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graders.harness.answers import REVIEW_FACTOR, Answer, Expected
from graders.harness.cases import Case
from graders.harness.plans import said
from graders.harness.precision import NARROW, PRECISIONS
from graders.harness.sandbox.contract import Raised


@dataclass(frozen=True)
class Comparison:
    """How one case went. `problem` says what made a comparison impossible: then there is no element to point at."""

    case: Case
    answer: Answer
    outputs: Mapping[str, Any]
    ratio: float = 0.0
    """The largest error over the allowed one; 1 passes, and up to 100 is for a person to look at."""
    closeness: float = 0.0
    """The largest error of a failing element, relative to the largest true value of its output."""
    output: str = ""
    index: tuple[int, ...] = ()
    got: float = 0.0
    expected: float = 0.0
    allowed: float = 0.0
    ulp: float = 0.0
    """The distance at that element, in units of the last place of the true value."""
    worst_ulp: float = 0.0
    """The largest such distance of any element that the dtype decides and that is not below its normal range."""
    problem: str = ""
    raised: bool = False
    """Whether the problem is that the call raised, or returned what is no array at all."""
    failure: Raised | None = None
    """The exception, if that is the problem."""
    changed_dtype: str = ""
    mutated: tuple[int, ...] = ()
    aliased: bool = False

    @property
    def passed(self) -> bool:
        """Return whether every element that the dtype can decide is within its allowed error."""
        return not self.problem and self.ratio <= 1

    @property
    def failed(self) -> bool:
        """Return whether it is beyond what a person would have to look at."""
        return bool(self.problem) or not self.ratio <= REVIEW_FACTOR

    @property
    def bits(self) -> float:
        """Return the precision that the worst error implies, capped by the dtype's own."""
        full = float(PRECISIONS[self.case.dtype].bits)
        if self.problem or not np.isfinite(self.ratio):
            return 0.0
        return full if self.ratio <= 1 else max(0.0, full - float(np.log2(self.ratio)))


def as_array(value: Any) -> np.ndarray[Any, Any] | None:
    """Return a number, array or list of numbers as an array; None for anything else."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return value if value.dtype.kind != "b" else value.astype(np.float64)  # of a comparison: zeros and ones
    if isinstance(value, list):  # from a program without NumPy; a tuple would be several results
        try:
            made = np.array(value)
        except ValueError:
            return None
        return made if made.dtype.kind in "fiu" else None
    if type(value) in (int, float):
        return np.asarray(float(value))
    return None


def errors(got: np.ndarray[Any, Any], expected: Expected) -> np.ndarray[Any, Any]:
    """Return the distance to the truth of every element: inf for a NaN, and for an infinity where there is none."""
    plain = got.astype(np.float64)
    with np.errstate(all="ignore"):
        off: np.ndarray[Any, Any] = np.abs((plain - expected.hi) - expected.lo)
        if not expected.simple:
            off = np.where((plain == expected.hi) & np.isinf(expected.hi), 0.0, off)
    return np.where(np.isnan(off), np.inf, off)


def ratios(off: np.ndarray[Any, Any], expected: Expected) -> np.ndarray[Any, Any]:
    """Return each error over its allowed error; 0 where the dtype cannot decide."""
    with np.errstate(all="ignore"):
        share: np.ndarray[Any, Any] = off / expected.allowed
        return share if expected.simple else np.where((off == 0) | np.isinf(expected.allowed), 0.0, share)


def compare(case: Case, answer: Answer, outputs: Mapping[str, Any], **seen: Any) -> Comparison:
    """Compare what came back with the answer. Type and shape come before any arithmetic: nothing is broadcast."""
    changed = ""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for name, expected in answer.outputs.items():
        what = f"`{name}` is" if name else "the result is"
        got = as_array(outputs[name])
        if got is None:
            problem = f"{what} {said(outputs[name])}, expected an array of shape {expected.shape}"
            return Comparison(case, answer, outputs, np.inf, output=name, problem=problem, raised=True, **seen)
        if got.shape != expected.shape:
            problem = f"{what} of shape {got.shape}, expected {expected.shape}"
            return Comparison(case, answer, outputs, np.inf, output=name, problem=problem, **seen)
        widened = case.dtype in NARROW  # what the dtype was before, nobody knows here
        if isinstance(outputs[name], np.ndarray) and got.dtype.kind == "f" and not widened and got.dtype != case.dtype:
            changed = f"{case.dtype} in, {got.dtype} out"
        arrays[name] = got
    worst: dict[str, Any] = {"ratio": 0.0}
    closeness = worst_ulp = 0.0
    for name, got in arrays.items():
        expected = answer.outputs[name]
        if not got.size:
            continue
        off = errors(got, expected)
        share = ratios(off, expected)
        beyond = share > 1
        if beyond.any():
            scale = float(np.max(np.abs(expected.hi), where=np.isfinite(expected.hi), initial=0.0)) or 1.0
            closeness = max(closeness, float(np.max(off[beyond])) / scale)
        spacings, measures = expected.ulps(case.dtype)
        with np.errstate(over="ignore"):
            ulps = off / spacings
        worst_ulp = max(worst_ulp, float(np.max(ulps, where=measures & np.isfinite(off), initial=0.0)))
        index = np.unravel_index(int(np.argmax(share)), share.shape)
        if share[index] > worst["ratio"] or "output" not in worst:
            worst = {
                "ratio": float(share[index]),
                "output": name,
                "index": tuple(int(i) for i in index),
                "got": float(got[index]),
                "expected": float(expected.hi[index]),
                "allowed": float(expected.allowed[index]),
                "ulp": float(ulps[index]),
            }
    return Comparison(
        case, answer, arrays, closeness=closeness, worst_ulp=worst_ulp, changed_dtype=changed, **worst, **seen
    )
