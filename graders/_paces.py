"""How fast a submission's right functions are, held against what an assignment asks: points for speed.

A function is timed as `gradproof bench` times it (graders.harness.speed): beside the other in one run, by CPU time, on
inputs that it has not seen. It loses points only where fresh processes show again that it is slower than was asked;
what cannot be told costs nothing. To fail, to be wrong or to wait while it is timed is the function's own doing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import msgspec

from graders._assignment import OPPONENTS, Threshold
from graders._bench import implausible, sides
from graders.harness.plans import Binding
from graders.harness.report import ExerciseReport, Pace, SubmissionReport
from graders.harness.sandbox.contract import Limits
from graders.harness.sandbox.parent import CannotStart, Submission
from graders.harness.speed import rounds
from graders.harness.speed.rig import CannotTime, Failed, Timing
from graders.harness.speed.statistics import Ratio
from graders.harness.speed.workloads import Workload

SECONDS = 0.5
"""CPU time of a pair of processes; there are three to six of them where an alarm is near."""
TOTAL = 120.0
"""Seconds that a submission may take for one comparison."""


@dataclass(frozen=True)
class Timer:
    """How one submission is timed."""

    submission: Submission
    packages: tuple[str, ...]
    limits: Limits
    seed: int
    on_device: bool = False

    def added(
        self, report: SubmissionReport, bindings: Iterable[Binding], asked: Mapping[str, Sequence[Threshold]]
    ) -> SubmissionReport:
        """Return a report with how fast the functions are for whose speed there are points."""
        bound = {(binding.exercise.name, binding.function): binding for binding in bindings}  # there may be copies
        exercises = [
            msgspec.structs.replace(one, paces=list(self._paces(one, bound[one.name, one.function], asked[one.name])))
            if (one.name, one.function) in bound and asked.get(one.name)
            else one
            for one in report.exercises
        ]
        return msgspec.structs.replace(report, exercises=exercises)

    def _paces(self, report: ExerciseReport, binding: Binding, asked: Sequence[Threshold]) -> Iterator[Pace]:
        """Yield one for each threshold, in their order; none where the function is not right."""
        if report.verdict not in ("correct", "convention"):
            return
        why = "right under another definition, it is not timed" if report.verdict == "convention" else ""
        why = why or ("it computes on a device, and is not timed" if self.on_device else "")
        timings: dict[tuple[str, str], tuple[Timing | None, bool, str]] = {}
        for threshold in asked:
            key = threshold.against, threshold.size
            if key not in timings:
                bounds = [t.ratio for t in asked if (t.against, t.size) == key]
                timings[key] = (None, True, why) if why else self._timed(binding, *key, bounds)
            yield _pace(threshold, *timings[key])

    def _timed(
        self, binding: Binding, against: str, size: str, bounds: Sequence[float]
    ) -> tuple[Timing | None, bool, str]:
        """Return the timing, or whether there are points without one, and why there is none."""
        workload = Workload(binding.exercise, size, "float64", self.seed)
        limits = replace(self.limits, total_seconds=TOTAL)

        def alarms(ratio: Ratio) -> tuple[bool, ...]:
            return tuple(ratio.over(bound).verdict == "slower" for bound in bounds)

        try:
            ours = sides.submitted(binding, self.submission, workload, limits, self.packages)
            (timing,) = rounds.confirmed(
                workload, ours, [sides.trusted(workload, against)], seconds=SECONDS, alarms=alarms, crude=True
            )
            why = implausible(timing, workload)
        except Failed as error:
            return None, False, str(error)
        except (CannotTime, ValueError, CannotStart) as error:
            return None, True, f"cannot tell: {error}"
        except Exception as error:  # ours: the marks that it has, and those of others, do not hang on it
            return None, True, f"cannot tell: the harness failed, {type(error).__name__}: {error}; please report it"
        if timing.reason:
            return None, not why, why or f"cannot tell: {timing.reason}"
        return timing, not why, why


def _pace(asked: Threshold, timing: Timing | None, passed: bool, why: str) -> Pace:
    against = cast(Literal["reference", "torch"], asked.against)
    if timing is None:
        return Pace(against, asked.size, asked.ratio, None, None, None, passed, why)
    ratio = timing.ratio
    slower = ratio.over(asked.ratio).verdict == "slower"
    said = (
        f"{ratio.ratio:.2f} times {OPPONENTS[asked.against]} time ({ratio.low:.2f} to {ratio.high:.2f}), "
        f"{asked.ratio:g} asked for"
    )
    return Pace(
        against, asked.size, asked.ratio, round(ratio.ratio, 4), round(ratio.low, 4), round(ratio.high, 4),
        passed and not slower, f"{said}: {why}" if why else said,
    )  # fmt: skip
