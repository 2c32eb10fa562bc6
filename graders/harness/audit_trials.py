"""Trials graded as exercises are: is every known mistake caught and named, does every honest program pass?"""

from __future__ import annotations

from collections.abc import Mapping

from graders.harness.audit import NO_MUTANTS, Audit
from graders.harness.exercise import Function
from graders.harness.lies import few
from graders.harness.mutants import slips
from graders.harness.trials import Trial, draws_of, failing_settings, falls_short, same_draws, verdict_on


def audit(trial: Trial, same: Mapping[str, str] = NO_MUTANTS, sample: int | None = None) -> Audit:
    """Return how a trial fares on its own lies, conventions, honest programs and mechanical mutants.

    A setting is vacuous if no mistake fails in it. `same` holds mutants that draw alike, each with the reason. Of the
    mutants a `sample` of so many is tried, or all.
    """
    found = {wrong: verdict_on(trial, wrong) for wrong in trial.misconceptions}
    not_caught = [wrong.__name__ for wrong, d in found.items() if d.verdict in ("correct", "convention")]
    not_named = [
        f"{wrong.__name__}: {d.verdict}"
        for wrong, d in found.items()
        if wrong.__name__ not in [diagnosis.name for diagnosis in d.diagnosis]
    ]
    accepted = 0
    for convention in trial.conventions:
        decision = verdict_on(trial, convention)
        accepted += decision.verdict == "convention" and decision.diagnosis[0].name == convention.__name__
    honest = (trial.reference, *trial.programs)
    judged = {program: verdict_on(trial, program) for program in honest}
    rejects = [f"{p.__name__}: {d.verdict}, {d.reason}" for p, d in judged.items() if d.verdict != "correct"]
    caught_in = {at for wrong in trial.misconceptions for at in failing_settings(trial, wrong)}
    vacuous = [setting.why for at, setting in enumerate(trial.settings) if at not in caught_in]
    lies = dict(slips(trial.reference))
    mutants = [(described, *_fate(trial, lies[described], described, same)) for described in few(lies, sample)]
    survivors = [described for described, killed, equivalent in mutants if not killed and not equivalent]
    count = len(trial.misconceptions)
    return Audit(
        name=trial.name, misconceptions=count, caught=count - len(not_caught), named=count - len(not_named),
        conventions=len(trial.conventions), accepted=accepted, mutants=len(mutants),
        killed=sum(killed for _, killed, _ in mutants), equivalent=sum(equivalent for *_, equivalent in mutants),
        honest=len(honest), rejected=len(rejects), vacuous_cases=len(vacuous), not_caught=not_caught,
        not_named=not_named, survivors=survivors, rejects=rejects, vacuous=vacuous,
    )  # fmt: skip


def _fate(trial: Trial, mutant: Function, described: str, same: Mapping[str, str]) -> tuple[bool, bool]:
    """Return whether a mutant is killed, and whether it draws what the reference draws."""
    if falls_short(trial, mutant):
        return True, False
    alike = same_draws(draws_of(trial, mutant), draws_of(trial, trial.reference))
    return False, alike or described in same
