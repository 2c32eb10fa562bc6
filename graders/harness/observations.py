"""What is seen of a function that draws at random: values, each with how likely an honest program is to give them.

The chance is never a normal approximation. For shares, and for means of numbers between two bounds, it is Hoeffding's
bound, exp(−n KL(mean ‖ expected)), which holds for every n (Hoeffding 1963, theorem 1, also for draws without
replacement); for the mean square of normal numbers it is Chernoff's, exp(−n/2 · (r − 1 − log r)); for the mean of
normal numbers it is the tail itself. A value whose chance is below `LIMIT` is rejected. A trial makes `MOST`
observations at most, so that by the union bound an honest program is rejected less than once in a million times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

FALSE_REJECTS = 1e-6
MOST = 1000
LIMIT = FALSE_REJECTS / MOST
ALIKE = 7.0
"""How many standard errors apart two programs may be and still count as the same: by chance once in 10¹¹ times."""

Numbers = np.ndarray[Any, Any]


class Misshapen(ValueError):
    """What was drawn has another shape, length or form than what was asked for; the message says so."""


@dataclass(frozen=True)
class Observation:
    """A value, what it should be, and how likely an honest program is to be as far off."""

    what: str
    value: float
    expected: float
    chance: Callable[[float], float]
    """A bound on the probability that an honest program is as far off as this value, on that side or the other."""
    noise: float = 0.0
    """The standard error of the value, judged by its own numbers: what another program's may differ by."""
    kind: Literal["chance", "exact", "every"] = "chance"
    """Whether it is left to chance, or holds for every honest program and draw: a number, or the share that holds."""
    problem: str = ""
    """Why there is no value, where there is none."""

    @property
    def passed(self) -> bool:
        """Return whether the value is one that an honest program may give."""
        return not self.problem and self.chance(self.value) >= LIMIT

    @property
    def allowed(self) -> float:
        """Return how far off a value may be, on the side on which this one is."""
        if self.problem or not math.isfinite(self.value):
            return 0.0
        side = 1.0 if self.value >= self.expected else -1.0
        low, high = 0.0, max(abs(self.expected), 1e-9)
        while self.chance(self.expected + side * high) >= LIMIT and high < 1e18:
            high *= 2
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.chance(self.expected + side * middle) >= LIMIT else (low, middle)
        return low if low > 1e-12 * abs(self.expected) else 0.0

    @property
    def said(self) -> str:
        """Return the value in words, beside what it should be."""
        if self.problem:
            return self.problem
        if self.kind == "every":
            share = f"{self.value:.3%}" if self.value < 1 else "all"
            return f"{self.what}: true of {share if self.value else 'none'} of them"
        off = self.value / self.expected if self.expected and math.isfinite(self.value) else 0.0
        factor = f": off by a factor {off:.3g}" if off > 0 and not 0.9 < off < 1.1 else ""
        allowed = f" ± {self.allowed:.2g}" if self.allowed else ""
        return f"{self.what} is {self.value:.4g}, expected {self.expected:.4g}{allowed}{factor}"


def agree(one: Observation, other: Observation, strictly: bool = False) -> bool:
    """Return whether two programs may be the same one, as far as this observation tells.

    Strictly, what holds for every draw of one holds for every draw of the other.
    """
    if one.problem or other.problem:
        return one.problem == other.problem
    if strictly and one.kind == other.kind != "chance" and one.passed != other.passed:
        return False
    if not (math.isfinite(one.value) and math.isfinite(other.value)):
        return one.value == other.value or (math.isnan(one.value) and math.isnan(other.value))
    rounding = 1e-6 * max(abs(one.value), abs(other.value))
    return abs(one.value - other.value) <= ALIKE * math.hypot(one.noise, other.noise) + rounding


def joined(runs: Sequence[Observation]) -> Observation:
    """Return what several runs of one program make of an observation: their mean, and how far they are apart.

    Where entries hang together, a run's own noise is far below that.
    """
    first = runs[0]
    if any(run.problem or not math.isfinite(run.value) for run in runs):
        return first
    values = np.array([run.value for run in runs])
    apart = float(values.std(ddof=1)) if len(runs) > 1 else 0.0
    alike = len({run.passed for run in runs}) == 1
    return replace(first, value=float(values.mean()), noise=math.hypot(first.noise, apart),
                   kind=first.kind if alike else "chance")  # fmt: skip


# ---------------------------------------------------------------- chances


def of_mean(value: float, n: int, expected: float) -> float:
    """Return Hoeffding's bound for the mean of n independent numbers in [0, 1] with this expected mean."""
    if not 0 <= value <= 1:  # nor is NaN
        return 0.0
    with np.errstate(divide="ignore"):
        above = value * np.log(value / expected) if value and expected else (0.0 if not value else np.inf)
        rest, other = 1 - value, 1 - expected
        below = rest * np.log(rest / other) if rest and other else (0.0 if not rest else np.inf)
    return min(1.0, 2 * math.exp(-min(float(n * max(above + below, 0.0)), 700.0)))


def of_mean_square(value: float, n: int, expected: float) -> float:
    """Return Chernoff's bound for the mean square of n independent normal numbers with mean 0 and this variance."""
    ratio = value / expected
    if not 0 < ratio < math.inf:
        return 0.0
    return min(1.0, 2 * math.exp(-min(n / 2 * max(ratio - 1 - math.log(ratio), 0.0), 700.0)))


def of_normal_mean(value: float, n: int, expected: float, std: float) -> float:
    """Return the probability that the mean of n independent normal numbers is as far from the expected one."""
    if not math.isfinite(value):
        return 0.0
    return math.erfc(abs(value - expected) * math.sqrt(n / 2) / std)


# ---------------------------------------------------------------- observations


def every(what: str, holds: Any) -> Observation:
    """Observe something that must hold for all: the value is the share for which it does."""
    true = np.asarray(holds, dtype=bool)
    value = float(true.mean()) if true.size else 1.0
    noise = math.sqrt(value * (1 - value) / max(true.size, 1))
    return Observation(what, value, 1.0, lambda v: float(v == 1), noise, "every")


def exactly(what: str, value: float, expected: float, within: float = 0.0, noise: float = 0.0) -> Observation:
    """Observe a number that nothing is left to chance of, up to rounding."""
    return Observation(
        what, float(value), float(expected), lambda v: float(abs(v - expected) <= within), noise, "exact"
    )


def entries(what: str, got: Any, expected: Any, within: float) -> list[Observation]:
    """Observe each entry of an array that nothing is left to chance of; `within` is relative to the largest of them."""
    truth = np.asarray(expected, dtype=float)
    allowed = within * float(np.abs(truth).max(initial=1e-300))
    seen = np.asarray(got, dtype=float)
    return [
        exactly(f"{what}{list(map(int, at)) if at else ''}", float(seen[at]), float(truth[at]), allowed)
        for at in np.ndindex(truth.shape)
    ]


def share(what: str, holds: Any, expected: float) -> Observation:
    """Observe the share of independent draws of which something is true."""
    true = np.asarray(holds, dtype=bool)
    n, hits = true.size, float(true.sum())
    if not n:
        raise Misshapen(f"{what}: there is nothing to count")
    smooth = (hits + 1) / (n + 2)
    noise = math.sqrt(smooth * (1 - smooth) / n)
    return Observation(what, hits / n, expected, lambda v: of_mean(v, n, expected), noise)


def mean(what: str, numbers: Any, expected: float, low: float, high: float) -> Observation:
    """Observe the mean of independent numbers between two bounds."""
    drawn = np.asarray(numbers, dtype=float).ravel()
    n, width = drawn.size, high - low
    value = float(drawn.mean())
    inside = bool(math.isfinite(value) and np.all((drawn >= low - 1e-6 * width) & (drawn <= high + 1e-6 * width)))
    noise = float(drawn.std()) / math.sqrt(n)

    def chance(v: float) -> float:
        return of_mean(min(max((v - low) / width, 0.0), 1.0), n, (expected - low) / width) if inside else 0.0

    return Observation(what, value, expected, chance, noise)


def tells(what: str, numbers: Any) -> Observation:
    """Observe the mean of something that tells programs apart, and by which none is rejected."""
    seen = np.asarray(numbers, dtype=float).ravel()
    if not seen.size:
        return Observation(what, math.nan, math.nan, lambda v: 1.0)
    value = float(seen.mean())
    return Observation(what, value, value, lambda v: 1.0, float(seen.std()) / math.sqrt(seen.size))


def normal(what: str, numbers: Any, std: float) -> list[Observation]:
    """Observe independent normal numbers with mean 0: their mean, variance and shape.

    Their shape is how many are nearer to zero than 0.6745 deviations (half of them), and how many beyond two.
    """
    drawn = np.asarray(numbers, dtype=float).ravel()
    n = drawn.size
    with np.errstate(all="ignore"):
        noise = float(drawn.std()) / math.sqrt(n)
        squares = drawn**2
    return [
        Observation(f"the mean of {what}", float(drawn.mean()), 0.0, lambda v: of_normal_mean(v, n, 0.0, std), noise),
        Observation(
            f"the variance of {what}", float(squares.mean()), std**2, lambda v: of_mean_square(v, n, std**2),
            float(squares.std()) / math.sqrt(n),
        ),
        share(f"the share of {what} within 0.67 of their deviations", np.abs(drawn) < MIDDLE * std, 0.5),
        share(f"the share of {what} beyond two deviations", np.abs(drawn) > 2 * std, math.erfc(math.sqrt(2))),
    ]  # fmt: skip


MIDDLE = 0.6744897501960817
"""Half of all normal numbers are within so many deviations of their mean."""


def pairs(numbers: Numbers, axis: int) -> tuple[Numbers, Numbers]:
    """Return neighbours along an axis, each entry in one pair at most, so that independent entries make such pairs."""
    moved = np.moveaxis(numbers, axis, 0)
    half = len(moved) // 2
    return moved[: 2 * half : 2], moved[1 : 2 * half : 2]


def by_themselves(what: str, kinds: Numbers, alike: float) -> list[Observation]:
    """Observe whether entries hang together along an axis: how many neighbours are of one kind."""
    return [
        share(f"the share of neighbours along axis {axis} that are {what}", np.equal(*pairs(kinds, axis)), alike)
        for axis in range(kinds.ndim)
        if kinds.shape[axis] > 1
    ]
