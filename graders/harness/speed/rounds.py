"""How often fresh processes are asked: pairs of them are added until an alarm is confirmed, or there surely is none.

Two processes of the same program differ by a true per cent or so, by where their memory happens to lie. So one pair of
them neither gives an alarm nor rules it out where it comes near.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from graders.harness.speed.rig import Side, Timing, compare
from graders.harness.speed.statistics import FEWEST, SURELY, Alarms, Ratio, bounded_ratio, is_far, of_verdicts
from graders.harness.speed.workloads import Workload

PAIRS = 3
"""Pairs of fresh processes whose samples an alarm is confirmed by at least, …"""
MOST_PAIRS = 6
"""… and at most, where these leave one in doubt: …"""
DOUBT = 0.02
"""… an alarm is given, or there surely is none, where the same would be said of a ratio so much smaller or larger. For
several pairs of processes together it is less, by the root of their number, as their median is nearer to the truth."""
MANY = 5
"""Of so many pairs of processes the furthest on either side need not say so: memory may lie worse than noise tells."""
SHORT = 2 * FEWEST
"""Pairs of samples in a further round that confirms what is far."""
APART = 1_000_000
"""How far apart the numbers of the rounds' inputs begin."""


def confirmed(
    workload: Workload,
    ours: Side,
    others: Sequence[Side],
    *,
    seconds: float = 2.0,
    alarms: Alarms = of_verdicts,
    crude: bool = False,
) -> list[Timing]:
    """Return comparisons that, if they give alarm, are over the samples of several pairs of processes.

    Each is timed as long as the first. The further rounds are short where all sides are far apart, and stay so in the
    pooled samples. If a `crude` ratio will do, no more samples are taken of a side that is far slower.

    Raises what `rig.compare` raises.
    """
    hasty = alarms if crude else None
    numbers = itertools.count()

    def timed(most: float = math.inf) -> list[Timing]:
        first = next(numbers) * APART
        return compare(workload, ours, others, seconds=seconds, first=first, most=most, alarms=hasty)

    once = timed()
    if all(_is_far(timing, alarms) for timing in once):
        together = _together([once, *(timed(SHORT) for _ in range(1, PAIRS))])
        if all(_is_far(timing, alarms) for timing in together):
            return together
    rounds = [once]
    while True:
        together = _together(rounds)
        if len(rounds) == MOST_PAIRS or not any(_is_open(timing, alarms, len(rounds)) for timing in together):
            return together
        rounds.append(timed())


def _together(rounds: Sequence[Sequence[Timing]]) -> list[Timing]:
    """Return what several rounds say of each of the other sides."""
    return [pooled(timings) for timings in zip(*rounds, strict=True)]


def _is_open(timing: Timing, alarms: Alarms, rounds: int) -> bool:
    """Return whether another pair of processes may change which alarms so many rounds together give."""
    if timing.reason:
        return False
    ratio = timing.ratio
    given = alarms(ratio)
    if ratio.pairs < FEWEST:  # it is so slow that another round would not tell more
        return any(given) and rounds < PAIRS
    off = 1 + DOUBT / math.sqrt(rounds)
    points = (ratio.ratio * by for by in (1 / off, 1.0, off))
    said = tuple(zip(*(alarms(Ratio(at, at, at, ratio.pairs)) for at in points), strict=True))
    if rounds < PAIRS:
        return any(map(any, said))
    return any(any(near) and not (told and all(near)) for near, told in zip(said, given, strict=True))


def _is_far(timing: Timing, alarms: Alarms) -> bool:
    return not timing.reason and is_far(timing.ratio, alarms)


def pooled(timings: Sequence[Timing]) -> Timing:
    """Return what several comparisons of the same sides say together, each with as many samples."""
    if len(timings) == 1:
        return timings[0]
    # none says more than the middle one; one that has hardly any, in a busy moment, does not undo the others
    most = max(FEWEST, statistics.median_low(len(timing.samples) for timing in timings))
    samples = [sample for timing in timings for sample in timing.samples[:most]]
    whole = min(timing.whole for timing in timings)
    ratio = bounded_ratio(samples, whole, SURELY)
    if ratio.pairs >= FEWEST:  # processes differ: the interval holds what each pair of them says by itself
        said = sorted(timing.ratio.ratio for timing in timings if timing.ratio.pairs >= FEWEST)
        said = said[1:-1] if len(said) >= MANY else said
        ratio = replace(ratio, low=min([ratio.low, *said]), high=max([ratio.high, *said]))
    return Timing(
        ratio,
        (statistics.median(t.seconds[0] for t in timings), statistics.median(t.seconds[1] for t in timings)),
        statistics.median(timing.overhead for timing in timings),
        sum(timing.calls for timing in timings),
        sum(timing.in_full for timing in timings),
        tuple(samples),
        whole,
        next((timing.reason for timing in timings if timing.reason), ""),
    )
