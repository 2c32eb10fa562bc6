"""The kill matrix of the repository: complete, good enough, and still true, as far as a sample of the mutants tells.

`make deep` makes it anew; of single exercises `gradproof audit NAME --matrix benchmarks/results/kill_matrix.json` does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graders import _audits
from graders._catalogue import exercises
from graders._exceptions import EQUIVALENT
from graders.harness.audit import disagreements
from graders.harness.children import can_fork
from graders.harness.key import AnswerKey
from graders.harness.lies import Told, compared, killers, told

EXERCISES = exercises()
MATRIX = _audits.read(Path(__file__).parents[1] / "benchmarks" / "results" / "kill_matrix.json")
SAMPLE = 3

every_exercise = pytest.mark.parametrize("name", EXERCISES)


def test_every_exercise_has_a_row() -> None:
    assert list(MATRIX) == list(EXERCISES), "run gradproof audit NAME --matrix benchmarks/results/kill_matrix.json"


def test_so_many_mutants_are_killed() -> None:
    lies = sum(
        kills.killed + sum(len(kills.fates.get(f, ())) for f in ("held", "survived")) for kills in MATRIX.values()
    )
    killed = sum(kills.killed for kills in MATRIX.values())

    assert lies > 4000
    assert killed / lies >= 0.995


def test_what_is_said_to_compute_the_same_is_there_with_its_reason() -> None:
    for name, reasons in EQUIVALENT.items():
        assert set(reasons) == set(MATRIX[name].fates["listed"])
        assert all(len(reason.split()) >= 4 for reason in reasons.values())


@pytest.mark.skipif(not can_fork, reason="mutants are run in forked processes, which this system has not")
@every_exercise
def test_a_sample_of_the_lies_meets_the_fate_that_the_matrix_says(name: str, key: AnswerKey) -> None:
    exercise, kills = EXERCISES[name], MATRIX[name]
    doubtful = [lie for fate in ("held", "survived") for lie in kills.fates.get(fate, ())]
    lies = told(exercise, key, EQUIVALENT.get(name, {}), SAMPLE, doubtful)
    alone = {lie for lies_ in kills.only.values() for lie in lies_}
    mistakes = {wrong.__name__: wrong for wrong in exercise.misconceptions}
    for wrong in alone & set(mistakes):
        lies.append(Told(wrong, "killed", killers(compared(exercise, mistakes[wrong], key))))

    assert disagreements(kills, exercise, key, lies, mistakes) == []
