"""What pairs of times say about a ratio, on a machine that does other things besides.

Each pair is a quad of samples, one side before and after the other (A B B A), so that a drift of the machine's speed
falls on both alike; its datum is the logarithm of the ratio. The ratio is the median of these, its interval that of the
sign test (order statistics of the binomial law with p = 1/2), which asks nothing of how times are distributed.

An interval alone alarms too often: processes of the same code differ by a true per cent, by where their memory lies. So
a side is slower only by an effect that is large enough, and only if fresh processes say so again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

EFFECT = 1.03
"""A ratio below this is no difference worth a verdict, and …"""
SURE = 1.01
"""… the interval must lie beyond this one."""
PRECISION = 0.03
"""Pairs are added until the interval is this narrow on either side, and tells."""
CONFIDENCE = 0.95
SURELY = 0.999
"""The confidence with which the pooled samples of several pairs of processes confirm an alarm."""
FEWEST = 6
"""With fewer pairs no order statistic reaches the confidence, …"""
CRUDE = 10.0
"""… and the interval is this factor around them all: no load of a machine makes CPU time ten times as long."""
FAR = 1.25
"""So much smaller or larger a ratio may be that is far, and gives the same alarms."""

Verdict = Literal["faster", "slower", "cannot tell", "implausible"]


@dataclass(frozen=True)
class Ratio:
    """The time of one side divided by that of another, with the interval that holds it with a confidence."""

    ratio: float
    low: float
    high: float
    pairs: int

    @property
    def is_precise(self) -> bool:
        """Return whether the interval is as narrow as is asked for."""
        return self.high <= self.ratio * (1 + PRECISION) and self.low >= self.ratio / (1 + PRECISION)

    @property
    def is_settled(self) -> bool:
        """Return whether more pairs would tell little more: it is precise, and there is an effect, or surely none."""
        none = self.high < EFFECT and self.low > 1 / EFFECT
        return self.is_precise and (none or self.verdict != "cannot tell")

    def over(self, bound: float) -> Ratio:
        """Return the ratio to so many times the other side's time."""
        return Ratio(self.ratio / bound, self.low / bound, self.high / bound, self.pairs)

    @property
    def verdict(self) -> Verdict:
        """Return what may be said: an effect that is large enough, and an interval that leaves no effect out."""
        if self.ratio > EFFECT and self.low > SURE:
            return "slower"
        if self.ratio < 1 / EFFECT and self.high < 1 / SURE:
            return "faster"
        return "cannot tell"


Alarms = Callable[[Ratio], tuple[bool, ...]]
"""Which alarms a ratio gives, of those that should be confirmed."""


def of_verdicts(ratio: Ratio) -> tuple[bool, ...]:
    """Return whether a ratio is called slower, and whether it is called faster."""
    return ratio.verdict == "slower", ratio.verdict == "faster"


def is_far(ratio: Ratio, alarms: Alarms) -> bool:
    """Return whether a ratio gives alarm, and would give no other if it were far smaller or larger."""
    given = alarms(ratio)
    return any(given) and {given} == {alarms(ratio.over(by)) for by in (FAR, 1 / FAR)}


def log_ratio(quad: Sequence[float]) -> float:
    """Return log(A / B) of four times, in the order A, B, B, A.

    Raises ValueError on a time that is not above 0.
    """
    first, second, third, fourth = quad
    if min(quad) <= 0:
        raise ValueError(f"times: expected four above 0, got {list(quad)}")
    return (math.log(first) + math.log(fourth) - math.log(second) - math.log(third)) / 2


def _rank(count: int, confidence: float) -> int:
    """Return k, the largest for which the k-th smallest and the k-th largest enclose the median with confidence; or 0.

    They miss it with probability 2 P(X < k), X binomial with `count` trials and p = 1/2.
    """
    left, below, rank = (1 - confidence) / 2 * 2.0**count, 0.0, 0
    for k in range(count // 2):
        below += math.comb(count, k)
        if below > left:
            break
        rank = k + 1
    return rank


def ratio_of(log_ratios: Sequence[float], confidence: float = CONFIDENCE) -> Ratio:
    """Return the median ratio with its interval: a crude one where there are too few pairs for the sign test.

    Raises ValueError if there are none.
    """
    if not log_ratios:
        raise ValueError("log_ratios: expected one at least, got none")
    ordered = sorted(log_ratios)
    count = len(ordered)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    rank = _rank(min(count, 1000), confidence)  # 2.0 ** count is finite up to there, and so many are never needed
    if not rank:
        return Ratio(math.exp(middle), math.exp(ordered[0]) / CRUDE, math.exp(ordered[-1]) * CRUDE, count)
    return Ratio(math.exp(middle), math.exp(ordered[rank - 1]), math.exp(ordered[-rank]), count)


def bounded_ratio(log_ratios: Sequence[float], whole: float, confidence: float = CONFIDENCE) -> Ratio:
    """Return what samples say, beside `whole`, the logarithm of the ratio of all the time that either side used.

    Who takes very long now and then does not get a wide interval by it.
    """
    if not log_ratios:
        return Ratio(1.0, 0.0, float("inf"), 0)
    ratio = ratio_of(log_ratios, confidence)
    return replace(ratio, low=max(ratio.low, min(ratio.ratio, math.exp(whole) / CRUDE)))


def score(time: float, baseline: float, limit: float) -> float:
    """Return 1 / (1 + (T − Ts) / (Tb − Ts)): 1/2 at the baseline's time Tb, 1 at the limit Ts that no program passes.

    Where the baseline is at the limit itself, it is 1 for who is there too, else 0. Source: SOL-ExecBench (NVIDIA).
    """
    if baseline <= limit:
        return 1.0 if time <= limit else 0.0
    return 1 / (1 + max(0.0, time - limit) / (baseline - limit))
