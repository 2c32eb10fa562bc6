"""What is said of pairs of times: intervals that cover, effects that are seen, noise that is not."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from graders.harness.speed import rounds, statistics
from graders.harness.speed.rig import Timing
from graders.harness.speed.statistics import Ratio, bounded_ratio, log_ratio, ratio_of, score


def miss(count: int, rank: int) -> Fraction:
    """Return how often the order statistics of a rank from either end leave the median out, exactly."""
    return Fraction(2 * sum(math.comb(count, k) for k in range(rank)), 2**count)


@pytest.mark.parametrize("confidence", [statistics.CONFIDENCE, statistics.SURELY])
@pytest.mark.parametrize("count", [6, 7, 12, 25, 100, 1000])
def test_the_interval_holds_the_median_as_often_as_it_says_and_none_narrower_does(
    count: int, confidence: float
) -> None:
    rank = statistics._rank(count, confidence)
    most = 1 - Fraction(str(confidence))

    assert most < miss(count, rank + 1)
    assert not rank or miss(count, rank) <= most


def test_too_few_pairs_have_a_crude_interval() -> None:
    ratio = ratio_of([0.1] * (statistics.FEWEST - 1))

    assert ratio.low == pytest.approx(math.exp(0.1) / statistics.CRUDE)
    assert ratio.high == pytest.approx(math.exp(0.1) * statistics.CRUDE)
    assert ratio.verdict == "cannot tell"
    assert ratio_of([math.log(20)]).verdict == "slower"
    assert ratio_of([-math.log(20)]).verdict == "faster"
    assert ratio_of([0.1] * statistics.FEWEST).verdict == "slower"


def test_a_ratio_may_be_held_against_another_bound_than_1() -> None:
    ratio = ratio_of([math.log(1.5)] * statistics.FEWEST)

    assert ratio.verdict == ratio.over(1.4).verdict == "slower"
    assert ratio.over(1.5).verdict == ratio.over(1.46).verdict == "cannot tell"
    assert ratio.over(2).verdict == "faster"


@pytest.mark.parametrize(
    ("ratio", "low", "high", "settled"),
    [
        (1.0, 0.99, 1.01, True),  # surely no effect
        (1.0, 0.96, 1.04, False),  # not precise
        (1.02, 1.0, 1.04, False),  # precise, but it may be an effect
        (1.05, 1.005, 1.07, False),  # precise, and perhaps none
        (1.05, 1.03, 1.07, True),
        (0.95, 0.93, 0.97, True),
        (40.0, 20.0, 60.0, False),
    ],
)
def test_pairs_are_added_until_the_interval_tells(ratio: float, low: float, high: float, settled: bool) -> None:
    assert statistics.Ratio(ratio, low, high, 40).is_settled == settled


def test_no_pair_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected one at least"):
        ratio_of([])


def test_a_drift_of_the_machine_cancels_in_a_quad() -> None:
    drifting = [1.0 * 1.1, 1.2 * 1.2, 1.2 * 1.3, 1.0 * 1.4]  # B takes 1.2 of A, and everything takes longer and longer

    assert log_ratio(drifting) == pytest.approx(-math.log(1.2), abs=0.01)
    assert log_ratio(drifting[::-1]) == pytest.approx(log_ratio(drifting))


def test_a_time_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="above 0"):
        log_ratio([1.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (Ratio(1.06, 1.02, 1.1, 40), "slower"),
        (Ratio(1.06, 1.005, 1.1, 40), "cannot tell"),  # it may be no effect
        (Ratio(1.02, 1.015, 1.025, 40), "cannot tell"),  # it is one, and too small to matter
        (Ratio(0.9, 0.85, 0.95, 40), "faster"),
        (Ratio(0.9, 0.8, 0.995, 40), "cannot tell"),
        (Ratio(0.98, 0.97, 0.985, 40), "cannot tell"),
    ],
)
def test_a_verdict_needs_an_effect_that_is_large_and_sure(ratio: Ratio, verdict: str) -> None:
    assert ratio.verdict == verdict


def test_the_two_sides_are_treated_alike() -> None:
    rng = np.random.default_rng(1)
    logs = list(rng.normal(0.04, 0.05, 31))
    one, other = ratio_of(logs), ratio_of([-x for x in logs])

    assert other.ratio == pytest.approx(1 / one.ratio)
    assert [other.low, other.high] == pytest.approx([1 / one.high, 1 / one.low])


def test_a_wild_sample_moves_nothing() -> None:
    logs = [0.001 * k for k in range(-15, 16)]

    assert ratio_of([*logs[:-1], 50.0]).ratio == ratio_of(logs).ratio


def test_identical_programs_raise_no_alarm_and_a_slower_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """With noise as measured on a busy machine: a pair of samples 7 %, a pair of processes 0.9 %, at times far more."""
    rng = np.random.default_rng(7)

    def verdicts(effect: float, runs: int) -> Counter[str]:
        def compare(*_: Any, most: float = math.inf, **__: Any) -> list[Timing]:
            off = math.log(effect) + 0.009 * rng.standard_t(4) / math.sqrt(2)
            samples = tuple(off + rng.normal(0, 0.07, 48 if math.isinf(most) else int(most)))
            whole = math.log(effect)
            return [Timing(bounded_ratio(samples, whole), (1e-4, 1e-4), 1e-6, 9, 1, samples, whole)]

        monkeypatch.setattr(rounds, "compare", compare)
        nobody: Any = None
        return Counter(rounds.confirmed(nobody, nobody, [nobody])[0].verdict for _ in range(runs))

    assert verdicts(1.0, 1500)["cannot tell"] == 1500
    assert verdicts(1.05, 200)["slower"] >= 0.95 * 200
    assert verdicts(1 / 1.05, 200)["faster"] >= 0.95 * 200
    assert verdicts(1.10, 200)["slower"] >= 0.99 * 200


@pytest.mark.parametrize(
    ("time", "baseline", "limit", "expected"),
    [(2.0, 2.0, 1.0, 0.5), (1.0, 2.0, 1.0, 1.0), (0.5, 2.0, 1.0, 1.0), (5.0, 2.0, 1.0, 0.2), (3.0, 1.0, 1.0, 0.0)],
)
def test_the_score_is_one_at_the_limit_and_a_half_at_the_baseline(
    time: float, baseline: float, limit: float, expected: float
) -> None:
    assert score(time, baseline, limit) == pytest.approx(expected)


def test_an_alarm_is_confirmed_with_more_confidence_than_it_is_raised() -> None:
    samples = [0.05] * 15 + [-0.02] * 5  # with chance alone, that many are above 0 in 4 of 100 cases

    assert ratio_of(samples).verdict == "slower"
    assert ratio_of(samples, statistics.SURELY).verdict == "cannot tell"
