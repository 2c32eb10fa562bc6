"""What may be told before the deadline: where to look, and never what stands there when it is right."""

from __future__ import annotations

from collections.abc import Sequence

from graders.harness.circumstances import circumstances
from graders.harness.compare import Comparison
from graders.harness.patterns import exact, listed, outputs
from graders.harness.report import Diagnosis, Verdict

EVERYWHERE = "Wrong for every ordinary input. Work the one below out by hand, step by step, and compare."
HERE_AND_THERE = "Right for some ordinary inputs, wrong for others: what sets the one below apart?"
TWO = "More than one thing is wrong: mend one, and look again."
UNSTABLE = "The formula is right for ordinary inputs. Look at what each step of it makes of the input below."
CLOSE = "Very close, but not by rounding alone: is there a small constant in it that the formula does not have?"
ANOTHER = "It follows another definition than the one that is asked for: read the task again, word by word."
NARROWER = "Right in float64, wrong in a smaller dtype: which step loses digits, or leaves the range of that dtype?"
WHOLE = {
    "factor": "Every number is off by a factor; nothing else is wrong.",
    "sign": "Every number is off by a factor; nothing else is wrong.",
    "transposed": "The numbers are right, but not where they stand.",
    "decimals": "The numbers are right, but rounded: give all digits.",
}


def hints(
    comparisons: Sequence[Comparison], verdict: Verdict, diagnosis: Sequence[Diagnosis], own: str | None = None
) -> list[str]:
    """Return where a function that falls short goes wrong, in sentences that hold in every case asked.

    `own` is the submission's own function whose gradient this is, if that one is right.
    """
    double = [c for c in comparisons if c.case.dtype == "float64" and not c.raised]
    ordinary = [c for c in double if not c.case.extreme]
    said: list[str] = []
    if any(d.kind == "convention" for d in diagnosis):
        said.append(ANOTHER)
    if verdict == "wrong":
        said += [f"Your {own} is right; its gradient is not."] if own else []
        said += _wrong(comparisons, ordinary)
        mistakes = [d for d in diagnosis if d.kind == "misconception"]
        said += [TWO] if len(mistakes) + any(d.kind == "convention" for d in diagnosis) > 1 else []
        some = any(c.passed and not c.case.special for c in ordinary)
        return said or [HERE_AND_THERE if some else EVERYWHERE]
    if verdict == "inexact":
        rounded = any(d.name == "decimals" for d in diagnosis)
        return [*said, WHOLE["decimals"] if rounded else CLOSE, *_where(ordinary)]
    if verdict == "unstable":
        return [*said, UNSTABLE, *_where(double)]
    return said


def _wrong(comparisons: Sequence[Comparison], ordinary: Sequence[Comparison]) -> list[str]:
    if all(c.passed for c in ordinary):
        return [NARROWER] if any(not c.passed for c in comparisons if c.case.dtype != "float64") else []
    whole = exact(ordinary)
    if all(" shape " in c.problem for c in ordinary if not c.passed) and not whole:
        return ["The shape of your result is not the one that is asked for.", *_where(ordinary)]
    shown = [c for c in ordinary if not c.problem]
    wrong, right = outputs(shown)
    said = [f"Only {listed(wrong)} went wrong; the rest is right."] if right and wrong else []
    return [*said, *([WHOLE[whole[0].name]] if whole else []), *_where(ordinary)]


def _where(comparisons: Sequence[Comparison]) -> list[str]:
    return [d.message for d in circumstances(comparisons)]
