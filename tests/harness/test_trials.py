"""Trials: chances are bounds and not approximations, and a function is judged by what it draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest

from graders.harness import observations as seen
from graders.harness import trials, tried
from graders.harness.judge import Session
from graders.harness.observations import LIMIT, Misshapen, Observation, agree, every, exactly, normal, share
from graders.harness.plans import WrongKind
from graders.harness.report import Diagnosis
from graders.harness.report.words import evidence
from graders.harness.sandbox.contract import Call, Limits, Returned
from graders.harness.sandbox.live import LiveBox
from graders.harness.trials import Setting, Trial, TrialBinding

Generator = np.random.Generator

# ---------------------------------------------------------------- chances


def binomial_tail(hits: int, n: int, p: float) -> float:
    """Return the exact probability of a count as far out on its side, term by term."""
    outward = range(hits, n + 1) if hits > n * p else range(hits, -1, -1)
    total = 0.0
    for k in outward:
        ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        term = math.exp(ways + k * math.log(p) + (n - k) * math.log(1 - p))
        total += term
        if term < 1e-20 * total:
            break
    return total


@pytest.mark.parametrize("n, p", [(12, 0.5), (150, 0.02), (150, 0.33), (400, 0.9), (60_000, 0.3), (60_000, 0.0455)])
def test_no_binomial_count_is_rejected_more_often_than_is_said(n: int, p: float) -> None:
    rejected = [k for k in counts_around(n, p) if seen.of_mean(k / n, n, p) < LIMIT]
    low = [k for k in rejected if k < n * p]
    high = [k for k in rejected if k > n * p]
    exact = (binomial_tail(max(low), n, p) if low else 0.0) + (binomial_tail(min(high), n, p) if high else 0.0)

    assert exact <= LIMIT
    assert all(binomial_tail(k, n, p) <= seen.of_mean(k / n, n, p) for k in counts_around(n, p))


def counts_around(n: int, p: float) -> list[int]:
    std = math.sqrt(n * p * (1 - p))
    return sorted({min(max(round(n * p + z * std), 0), n) for z in np.linspace(-9, 9, 61)})


@pytest.mark.parametrize("n", [20, 15_360, 50_000])
def test_no_mean_square_of_normal_numbers_is_rejected_more_often_than_is_said(n: int) -> None:
    for z in np.linspace(-9, 9, 37):
        ratio = 1 + z * math.sqrt(2 / n)
        if ratio <= 0:
            continue
        below = mpmath.gammainc(n / 2, 0, n * ratio / 2, regularized=True)

        assert float(min(below, 1 - below)) <= seen.of_mean_square(ratio * 0.3, n, 0.3)


def test_the_mean_of_normal_numbers_is_judged_by_its_tail() -> None:
    assert seen.of_normal_mean(0.0, 100, 0.0, 2.0) == 1
    assert seen.of_normal_mean(0.2 * 6, 100, 0.0, 2.0) == pytest.approx(float(mpmath.erfc(6 / mpmath.sqrt(2))))
    assert seen.of_normal_mean(math.nan, 100, 0.0, 2.0) == 0


def test_as_many_observations_as_there_may_be_reject_an_honest_program_once_in_a_million() -> None:
    assert seen.MOST * LIMIT <= seen.FALSE_REJECTS == 1e-6


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.1, 1.1])
def test_what_is_no_share_has_no_chance(value: float) -> None:
    assert seen.of_mean(value, 10, 0.5) == 0
    assert seen.of_mean_square(value if not math.isfinite(value) else -1.0, 10, 0.5) == 0


def test_what_cannot_happen_has_no_chance_and_what_must_has_all() -> None:
    assert seen.of_mean(1.0, 10, 1.0) == seen.of_mean(0.0, 10, 0.0) == 1
    assert seen.of_mean(0.9, 10, 1.0) < LIMIT
    assert seen.of_mean(0.1, 10, 0.0) < LIMIT


# ---------------------------------------------------------------- observations


@pytest.mark.parametrize("off", [0.94, 1.06])
def test_a_deviation_that_is_six_percent_off_is_caught_whatever_the_seed(off: float) -> None:
    for seed in range(50):
        drawn = off * np.random.default_rng(seed).standard_normal(25_000)
        assert not all(o.passed for o in normal("the numbers", drawn, 1.0))


def test_the_allowed_error_is_where_the_chance_ends() -> None:
    one = share("heads", np.arange(1000) < 560, 0.5)

    assert one.passed
    assert one.chance(0.5 + 0.999 * one.allowed) >= LIMIT > one.chance(0.5 + 1.001 * one.allowed)
    assert exactly("a size", 3, 3).allowed == 0


@pytest.mark.parametrize(
    "one, said",
    [
        (every("all are there", [True, False, False, True]), "all are there: true of 50.000% of them"),
        (every("all are there", [False]), "all are there: true of none of them"),
        (exactly("the size", 3, 4), "the size is 3, expected 4: off by a factor 0.75"),
        (share("the share", np.arange(10_000) < 2500, 0.5),
         "the share is 0.25, expected 0.5 ± 0.033: off by a factor 0.5"),
    ],
)  # fmt: skip
def test_an_observation_is_said_in_words(one: Observation, said: str) -> None:
    assert one.said == said
    assert not one.passed


def test_two_programs_agree_within_their_noise_and_strictly_where_nothing_is_left_to_chance() -> None:
    half, more = (share("heads", np.arange(1000) < hits, 0.5) for hits in (500, 580))
    all_, most = every("whole", np.ones(2000)), every("whole", np.arange(2000) > 0)

    assert agree(half, more)
    assert not agree(half, share("heads", np.arange(1000) < 800, 0.5))
    assert agree(all_, most)
    assert not agree(all_, most, strictly=True)
    assert agree(exactly("x", math.nan, 1), exactly("x", math.nan, 1))
    assert not agree(exactly("x", math.nan, 1), exactly("x", math.inf, 1))


def test_what_only_tells_programs_apart_rejects_none() -> None:
    assert seen.tells("a mean", [3.0, 4.0]).passed
    assert seen.tells("a mean", []).passed
    assert not agree(seen.tells("a mean", [3.0, 3.0]), seen.tells("a mean", [4.0, 4.0]))


# ---------------------------------------------------------------- forms


@pytest.mark.parametrize(
    "read, kind, said",
    [
        (lambda: trials.array(None), WrongKind, "the result is None, expected an array"),
        (lambda: trials.array(np.zeros(3), (2,)), Misshapen, r"shape \(3,\), expected \(2,\)"),
        (lambda: trials.indices(np.array([0.5])), Misshapen, "holds 0.5, expected indices"),
        (lambda: trials.indices(np.zeros((2, 2))), Misshapen, "a row of indices"),
        (lambda: trials.parts({"a": 1}, ("a", "b")), WrongKind, "has no 'b'; it has 'a'"),
        (lambda: trials.parts({"b": 1, "c": 2}, ("a", "b")), WrongKind, "has no 'a'; it has 'b', 'c'"),
        (lambda: trials.parts([1], ("a", "b")), Misshapen, "holds 1 values, expected 2: a, b"),
        (lambda: trials.parts(3.0, ("a", "b")), WrongKind, "a float, expected 2 values"),
        (lambda: trials.sequence(3.0), WrongKind, "a float, expected a sequence"),
    ],
)
def test_what_is_no_draw_is_said_in_words(read: Callable[[], Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        read()


def test_lists_booleans_and_whole_floats_are_taken_for_what_they_mean() -> None:
    assert trials.array(np.array([True, False])).tolist() == [1, 0]
    assert trials.indices([0.0, 2.0]).tolist() == [0, 2]
    assert trials.indices([]).tolist() == []
    assert trials.parts({"b": 2, "a": 1}, ("a", "b")) == [1, 2]
    assert trials.parts({"point": 1, "b": 2}, ("a", "b")) == [1, 2]


# ---------------------------------------------------------------- a trial


def coin(n: int, generator: Generator, *, p: float = 0.5) -> Any:
    return (generator.random(n) < p).astype(float)


def wants_the_other_side(n: int, generator: Generator, *, p: float = 0.5) -> Any:
    """You count the other side."""
    return (generator.random(n) >= p).astype(float)


def counts_the_other_way(n: int, generator: Generator, *, p: float = 0.5) -> Any:
    """Heads are -1."""
    return 1 - 2 * coin(n, generator, p=p)


def heads(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    drawn = np.concatenate([trials.array(draw, (setting.arguments["n"],)) for draw in draws])
    yield every("each is 0 or 1", np.isin(drawn, (0, 1)))
    yield share("the share of heads", drawn == 1, setting.arguments["p"])


TOY = Trial(
    coin,
    (Setting("one", {"n": 2000, "p": 0.3}, draws=2), Setting("two", {"n": 7, "p": 0.9}, draws=60)),
    heads,
    misconceptions=(wants_the_other_side,),
    conventions=(counts_the_other_way,),
)


def bound(function: Callable[..., Any], seeded: bool = True) -> tuple[Session, TrialBinding]:
    from graders._adapters import drawn_shapes

    box = LiveBox({"coin": function})
    binding, note = drawn_shapes.bind(box.loaded.functions[0], TOY)
    assert binding is not None, note
    session = Session(lambda limits: box, Limits())
    return session, tried.settled(binding, session, 0)


def verdict(function: Callable[..., Any]) -> Any:
    return tried.grade(*bound(function), 5, "")


def test_the_reference_is_right_and_its_report_says_by_what_it_is_judged() -> None:
    report = verdict(coin)

    assert (report.verdict, report.score, report.truth) == ("correct", 1.0, None)
    assert report.notes == [
        "judged by 5 properties of its draws; chance fails an honest one at most once in 1,000,000 times"
    ]


def test_a_mistake_is_named_and_shown() -> None:
    report = verdict(wants_the_other_side)

    assert (report.verdict, report.score) == ("wrong", 0.0)
    assert [(d.kind, d.name) for d in report.diagnosis] == [("misconception", "wants_the_other_side")]
    assert report.reason.startswith("the share of heads is 0.7")
    assert report.witness.expected == 0.3
    assert "default_rng(" in report.witness.code
    assert tried.restored(TOY, report.replay.partition("@")[2], 5) == (0, 5, "")
    assert tried.restored(TOY, "nothing", 5) is None


def raises_for_few(wrong: Callable[..., Any]) -> Callable[..., Any]:
    def function(n: int, generator: Generator, *, p: float = 0.5) -> Any:
        if n < 10:
            raise ZeroDivisionError("too few")
        return wrong(n, generator, p=p)

    return function


def test_a_mistake_that_raises_in_some_draws_is_an_error_and_named_by_the_others() -> None:
    named = verdict(raises_for_few(wants_the_other_side))
    unknown = verdict(raises_for_few(lambda n, generator, p: np.ones(n)))
    right_elsewhere = verdict(raises_for_few(coin))

    assert {r.verdict for r in (named, unknown, right_elsewhere)} == {"error"}
    assert named.reason.startswith("raised ZeroDivisionError: too few")
    assert [(d.name, evidence(d).partition(" known as ")[2]) for d in named.diagnosis] == [
        ("wants_the_other_side", "wants_the_other_side draws as yours does where it returns")
    ]
    assert unknown.diagnosis == right_elsewhere.diagnosis == []


def test_no_numbers_are_said_to_be_the_same_where_two_programs_draw() -> None:
    (told,) = verdict(wants_the_other_side).diagnosis
    never_drawn = Diagnosis("misconception", "is_late", "You are late.", by="behaviour")

    assert evidence(told).endswith("draws as yours does")
    assert evidence(never_drawn).endswith("does as yours does")


def test_a_convention_is_accepted_and_named() -> None:
    report = verdict(counts_the_other_way)

    assert (report.verdict, [d.name for d in report.diagnosis]) == ("convention", ["counts_the_other_way"])


def test_one_that_seeds_itself_though_it_is_given_a_generator_is_wrong() -> None:
    report = verdict(lambda n, rng, p: coin(n, np.random.default_rng(0), p=p))

    assert report.verdict == "wrong"
    assert "gives the same numbers for every generator or seed" in report.reason
    assert [d.name for d in report.diagnosis] == ["another_seed"]


def test_one_that_seeds_itself_and_is_given_nothing_is_judged_by_its_one_draw() -> None:
    def seeds_itself(n: int, p: float) -> Any:
        np.random.seed(3)  # noqa: NPY002  (as a starter does)
        return (np.random.rand(n) < p) * 1.0  # noqa: NPY002

    report = verdict(seeds_itself)

    assert report.verdict == "correct"
    assert tried.SELF_SEEDED in report.notes


@pytest.mark.parametrize(
    "function",
    [
        lambda n, p: (np.random.rand(n) < p) * 1.0,  # noqa: NPY002
        lambda n, rng, p: (rng.random(n) < p) * 1.0,
        lambda n, rng, p: (rng.rand(n) < p) * 1.0,
        lambda n, p, random_state: (np.random.RandomState(random_state).rand(n) < p) * 1.0,
        lambda n, p, random_state: (random_state.rand(n) < p) * 1.0,
        lambda n, p, seed=None: (np.random.default_rng(seed).random(n) < p) * 1.0,
        lambda n, prob, generator=None: [float(x) for x in generator.random(n) < prob],
        lambda n, unused=None, *, p, rng: (rng.random(n) < p) * 1.0,
    ],
)
def test_numbers_come_from_where_the_function_wants_them(function: Callable[..., Any]) -> None:
    report = verdict(function)

    assert report.verdict == "correct", report.reason
    assert tried.UNREPEATABLE not in report.notes


def test_one_that_cannot_be_repeated_is_told_so() -> None:
    report = verdict(lambda n, p: (np.random.default_rng().random(n) < p) * 1.0)

    assert report.verdict == "correct"
    assert tried.UNREPEATABLE in report.notes


def nothing(n: int, p: float) -> Any:
    return None


def not_done(n: int, p: float) -> Any:
    raise NotImplementedError  # it is what the test hands in, not something left to do


def fails(n: int, p: float) -> Any:
    raise ZeroDivisionError("no")


@pytest.mark.parametrize(
    "function, verdict_, reason",
    [
        (nothing, "unfilled", "not attempted"),
        (not_done, "unfilled", "not attempted"),
        (lambda n, p: np.zeros(n), "unfilled", "not attempted"),
        (fails, "error", "raised ZeroDivisionError: no"),
        (lambda n, p: "heads", "error", "the result is a str, expected an array"),
        (lambda n, p: np.ones(n + 1), "wrong", "the result has shape (2001,), expected (2000,)"),
        (lambda n, p: np.full(n, np.nan), "wrong", "each is 0 or 1: true of none of them"),
    ],
)
def test_other_verdicts(function: Callable[..., Any], verdict_: str, reason: str) -> None:
    report = verdict(function)

    assert report.verdict == verdict_
    assert report.reason.startswith(reason)
    assert report.score == 0


def test_a_setting_that_is_extreme_makes_unstable_and_not_wrong() -> None:
    trial = Trial(coin, (TOY.settings[0], Setting("always", {"n": 5, "p": 1.0}, draws=2, extreme=True)), heads)

    def never_certain(n: int, generator: Generator, *, p: float = 0.5) -> Any:
        return coin(n, generator, p=p if p < 1 else 0.0)

    assert trials.verdict_on(trial, coin).verdict == "correct"
    assert trials.verdict_on(trial, never_certain).verdict == "unstable"
    assert trials.verdict_on(trial, wants_the_other_side).verdict == "wrong"


def test_seeds_of_draws_differ_and_do_not_tell_that_of_the_run() -> None:
    seeds = {trials.seed_of(7, at, draw) for at in range(30) for draw in range(30)}

    assert len(seeds) == 900
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert tried.identity(0, 7) != tried.identity(1, 7) != tried.identity(1, 8)


def test_what_is_written_to_an_argument_is_a_note() -> None:
    trial = Trial(lambda x: x, (Setting("", {"x": np.ones(3)}),), lambda s, d: [every("ones", trials.array(d[0]) == 1)])
    box = LiveBox({"f": lambda x: np.multiply(x, 1.0, out=x) + np.add(x, 1, out=x) * 0})
    binding = TrialBinding(trial, "f", lambda s, seed: (Call("f", (s.arguments["x"],)),), first_value, seeded=False)

    assert tried.grade(Session(lambda limits: box, Limits()), binding, 0, "").notes == ["writes to an argument"]


def first_value(setting: Setting, returned: Sequence[Returned]) -> Any:
    return np.ones_like(returned[0].values[0])
