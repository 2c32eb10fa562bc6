"""How close to the truth each known mistake comes, at its worst ordinary case: the evidence for `diagnose.CLOSE`.

Run: python benchmarks/closeness.py. It prints the mistakes whose worst error, relative to the largest true value of
the output, is smallest; a gap between biased formulas and all others is where the bound belongs.
"""

from __future__ import annotations

import numpy as np

import gradproof  # noqa: F401  (takes the rooms)
from graders import _catalogue
from graders.harness.answers import plain_outputs
from graders.harness.certify import proved
from graders.harness.compare import compare
from graders.harness.diagnose import CLOSE
from graders.harness.exercise import Exercise, Function
from graders.harness.key import AnswerKey


def closeness(exercise: Exercise, wrong: Function, key: AnswerKey) -> float:
    """Return the largest error of a mistake over its ordinary cases in float64; inf for a wrong shape."""
    worst = 0.0
    for case in key.cases(exercise):
        if case.extreme or case.dtype != "float64":
            continue
        answer = key.find(exercise, case)
        assert answer is not None
        try:
            result = compare(case, answer, plain_outputs(exercise, wrong, case))
        except (ValueError, TypeError, IndexError):
            return np.inf
        worst = max(worst, np.inf if result.problem else result.closeness)
    return worst


def main() -> None:
    key = AnswerKey(0, proved)
    rows = sorted(
        (closeness(exercise, wrong, key), name, wrong.__name__)
        for name, exercise in _catalogue.exercises().items()
        for wrong in exercise.misconceptions
    )
    rows = [row for row in rows if row[0] > 0]
    for worst, name, wrong_name in rows[:12]:
        print(f"{worst:8.1e}  {'close' if worst <= CLOSE else '     '}  {name}: {wrong_name}")
    print(f"... and {len(rows) - 12} more, each further off")


if __name__ == "__main__":
    main()
