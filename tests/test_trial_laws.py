"""Laws over all trials: every mistake is caught and named, no honest program fails, whatever the seed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from graders import _catalogue
from graders._exceptions import ALIKE
from graders.harness import trials
from graders.harness.audit_trials import audit
from graders.harness.exercise import Function
from graders.harness.observations import LIMIT, MOST
from graders.harness.trials import Trial

TRIALS = _catalogue.trials()
FITS = 3  # a misconception is named among so few that draw alike
ROLES = {
    role: [pytest.param(name, f, id=f"{name}-{f.__name__}") for name, t in TRIALS.items() for f in getattr(t, role)]
    for role in ("misconceptions", "conventions", "programs")
}
SEEDS = range(10, 16)

every_trial = pytest.mark.parametrize("name", TRIALS)


def test_bare_names_are_unique_over_exercises_and_trials() -> None:
    bare = [name.partition(".")[2] for name in _catalogue.names()]

    assert len(set(bare)) == len(bare)


@every_trial
def test_a_name_is_that_of_its_reference_and_of_the_value_that_holds_it(name: str) -> None:
    topic, _, bare = name.partition(".")

    assert TRIALS[name].reference.__module__ == f"reference.{topic}"
    assert getattr(__import__(f"graders.{topic}", fromlist=[bare]), bare) is TRIALS[name]


@every_trial
def test_a_trial_has_five_misconceptions_and_more_each_under_a_name_of_its_own(name: str) -> None:
    trial = TRIALS[name]
    names = [f.__name__ for f in (*trial.misconceptions, *trial.conventions, *trial.programs)]

    assert len(trial.misconceptions) >= 5
    assert trial.programs
    assert len(set(names)) == len(names)


@every_trial
def test_what_a_student_is_told_is_a_sentence(name: str) -> None:
    for function in (*TRIALS[name].misconceptions, *TRIALS[name].conventions):
        said = inspect.getdoc(function) or ""
        assert said.endswith("."), function
        assert len(said.split()) >= 4, function
        assert function.__name__.isidentifier()


@every_trial
def test_every_function_of_a_trial_takes_what_the_reference_takes(name: str) -> None:
    def taken(f: Function) -> list[Any]:
        return [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]

    trial = TRIALS[name]
    for function in (*trial.misconceptions, *trial.conventions, *trial.programs):
        assert taken(function) == taken(trial.reference), function


@every_trial
def test_observations_are_few_enough_for_the_rate_that_is_stated(name: str) -> None:
    seen = trials.observations(TRIALS[name], trials.draws_of(TRIALS[name], TRIALS[name].reference))

    assert len(seen) <= MOST
    assert all(o.chance(o.expected) >= LIMIT or o.expected != o.expected for o in seen.values())


@every_trial
def test_no_honest_program_is_rejected_whatever_the_seed(name: str) -> None:
    trial = TRIALS[name]
    for seed in SEEDS:
        for program in (trial.reference, *trial.programs):
            drawn = trials.draws_of(trial, program, seed)
            failing = [o.said for o in trials.observations(trial, drawn).values() if not o.passed]
            assert not failing, (program.__name__, seed)


@every_trial
def test_the_audit_is_sound(name: str) -> None:
    result = audit(TRIALS[name], ALIKE.get(name, {}), sample=10)

    assert result.sound, (result.not_caught, result.not_named, result.rejects, result.vacuous)
    assert result.caught == result.named == result.misconceptions
    assert not result.survivors
    assert result.killed + result.equivalent == result.mutants


@pytest.mark.parametrize("name, wrong", ROLES["misconceptions"])
def test_a_misconception_is_among_few_that_fit(name: str, wrong: Function) -> None:
    decision = trials.verdict_on(TRIALS[name], wrong)

    assert decision.verdict in ("wrong", "unstable", "error"), decision.reason
    assert wrong.__name__ in [d.name for d in decision.diagnosis]
    assert len(decision.diagnosis) <= FITS


def scaled(trial: Trial, by: float) -> Function:
    def off(*arguments: Any, **keywords: Any) -> Any:
        return by * trial.reference(*arguments, **keywords)

    return off


@pytest.mark.parametrize("name", [name for name in TRIALS if name.startswith("initialization.")])
@pytest.mark.parametrize("by", [0.94, 1.06])
def test_weights_that_are_six_percent_too_small_or_large_are_caught_whatever_the_seed(name: str, by: float) -> None:
    trial = TRIALS[name]

    assert all(trials.falls_short(trial, scaled(trial, by), seed) for seed in range(8))


def test_noise_that_is_six_percent_off_is_caught_whatever_the_seed() -> None:
    trial = TRIALS["preprocessing.add_noise"]

    def off(x: Any, generator: np.random.Generator, *, std: float) -> Any:
        return trial.reference(x, generator, std=1.06 * std)

    assert all(trials.falls_short(trial, off, seed) for seed in range(8))


@every_trial
@pytest.mark.parametrize("lie", [0.0, 1.0, float("nan")])
def test_a_constant_is_refused(name: str, lie: float) -> None:
    trial = TRIALS[name]

    def constant(*arguments: Any, **keywords: Any) -> Any:
        made = trial.reference(*arguments, **keywords)
        return np.full_like(made, lie, dtype=float) if isinstance(made, np.ndarray) else lie

    assert trials.falls_short(trial, constant)
