"""No honest program is ever rejected, on inputs that nobody chose: Hypothesis draws seeds, regimes and dtypes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graders._catalogue import exercises
from graders.harness import cases
from graders.harness.answers import answer, plain_outputs
from graders.harness.cases import Case
from graders.harness.compare import compare
from graders.harness.exercise import Exercise

EXERCISES = exercises()


def honest_ratio(exercise: Exercise, case: Case) -> float:
    """Return the largest error over the allowed one of any honest program; 0 if the dtype cannot decide the case."""
    key = answer(exercise, case)
    if not key.decides:
        return 0.0
    programs = (exercise.reference, *exercise.programs)
    return max(compare(case, key, plain_outputs(exercise, program, case)).ratio for program in programs)


@pytest.mark.parametrize("name", EXERCISES)
def test_honest_programs_stay_within_the_allowed_error(name: str) -> None:
    exercise = EXERCISES[name]

    @settings(max_examples=6, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def never_beyond(data: st.DataObject) -> None:
        case = data.draw(cases.strategy(exercise, data.draw(st.sampled_from(cases.DTYPES))))

        assert honest_ratio(exercise, case) <= 1

    never_beyond()


@pytest.mark.deep
@pytest.mark.parametrize("name", EXERCISES)
def test_honest_programs_stay_within_half_of_the_allowed_error_on_thousands(name: str) -> None:
    exercise = EXERCISES[name]
    regimes = [regime for regime in cases.regimes(exercise) if not regime.startswith(cases.OF_ODD_SIZES)]

    for seed in range(100):
        for dtype in cases.DTYPES:
            case = cases.drawn(exercise, seed, regimes[seed % len(regimes)], dtype)
            assert honest_ratio(exercise, case) <= 0.5, (seed, dtype)
