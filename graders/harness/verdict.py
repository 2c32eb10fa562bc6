"""The verdict: a total function of how the cases went, the first in the design's order that applies."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders.harness import diagnose
from graders.harness.answers import Answer, plain_outputs
from graders.harness.cases import Case, signature
from graders.harness.compare import Comparison, compare
from graders.harness.exercise import Exercise, Function
from graders.harness.explain import beside, closest, explained
from graders.harness.judge import Judged, said_of
from graders.harness.key import AnswerKey
from graders.harness.patterns import digits_lost, in_decimals, rounded
from graders.harness.plans import Binding
from graders.harness.report import Diagnosis, Verdict
from graders.harness.sandbox.child import IN_PYTHON_2
from graders.harness.sandbox.contract import (
    Killed,
    Raised,
    TimedOut,
)


@dataclass(frozen=True)
class Decision:
    """A verdict, in words, with what explains it."""

    verdict: Verdict
    reason: str
    diagnosis: tuple[Diagnosis, ...] = ()
    decisive: Comparison | None = None
    """The comparison that shows it, to be made as small as it will go."""
    by_convention: tuple[Comparison, ...] = ()
    """The comparisons with the convention that it is right under, which says what is right then; none otherwise."""


OLD_NUMPY = (
    "alltrue",
    "asscalar",
    "cumproduct",
    "in1d",
    "msort",
    "product",
    "rank",
    "round_",
    "row_stack",
    "sometrue",
    "trapz",
)
"""Names that NumPy once had: any other that it lacks is a slip of the pen."""


OLD_PYTHON = ("xrange", "unicode", "raw_input", "basestring", "long", "unichr", "reduce", "cmp", "execfile")
"""Names that Python 2 had built in."""
MOVED = {
    "collections": ("Callable", "Hashable", "Iterable", "Mapping", "MutableMapping", "Sequence", "Sized"),
    "fractions": ("gcd",),
    "inspect": ("getargspec",),
    "time": ("clock",),
}
"""Names that modules of Python once had."""
OLD_SCIPY: Mapping[str, tuple[str, ...]] = {
    "scipy": ("cos", "exp", "log", "mean", "pi", "rand", "randn", "sin", "sqrt", "std", "var", "zeros"),
    "scipy.misc": ("comb", "derivative", "factorial", "imread", "imresize", "imsave", "logsumexp"),
    "scipy.integrate": ("cumtrapz", "simps", "trapz"),
}
"""Names that modules of SciPy once had."""
ITS_OWN = re.compile(r"\b(must|should|expected|has to|have to|needs?|only)\b.*\btensors?\b", re.IGNORECASE)
"""What a library of somebody's own says where it is given arrays."""

UNFILLED = "not attempted: it returns the starter's None, zeros or unchanged weights"


def incompatible(raised: Raised, always: bool = True) -> str | None:
    """Return what else a submission would need, if that is why it raised: some raises for whatever it is given."""
    if raised.missing:
        return f"needs the package {raised.missing!r}, which is not allowed or not installed"
    if raised.kind == "ImportError" and "attempted relative import" in raised.message:
        return "needs the folder that it stands in: say that the folder is one submission (--folders)"
    old = ("Missing parentheses in call to 'print'", "multiple exception types must be parenthesized")
    if raised.kind == "SyntaxError" and (any(o in raised.message for o in old) or "leading zeros" in raised.message):
        return f"needs an older Python: {raised.message}"
    if raised.text.startswith(("raise ", "assert ")) and ITS_OWN.search(raised.message):
        return f"takes objects of its own: {raised.message}"
    if raised.kind == "NameError" and any(f"'{n}'" in raised.message for n in OLD_PYTHON):
        return f"needs an older Python: {raised.message}"
    if raised.kind == "TabError":  # Python 2 took a tab for eight spaces
        return f"needs an older Python: {raised.message}"
    if raised.kind == "NameError" and (compiled := re.search(r"'(\w+_cython)'", raised.message)):
        return f"needs the compiled {compiled[1]}, which is not there"
    if raised.kind == "TypeError" and raised.message.endswith(IN_PYTHON_2):
        return f"needs an older Python: {raised.message}"
    if raised.kind in ("ImportError", "AttributeError") and any(
        f"'{n}'" in raised.message and f"'{module}'" in raised.message for module, names in MOVED.items() for n in names
    ):
        return f"needs an older Python: {raised.message.split(' (')[0]}"
    if raised.kind in ("ImportError", "AttributeError") and any(
        re.search(rf"'{re.escape(module)}'.*'{n}'|'{n}'.*'{re.escape(module)}'", raised.message)
        for module, names in OLD_SCIPY.items() for n in names
    ):  # fmt: skip
        return f"needs an older SciPy: {raised.message.split(' (')[0]}"
    said = ("was removed in the NumPy 2.0 release", "was a deprecated alias", *(f"attribute '{n}'" for n in OLD_NUMPY))
    if raised.kind == "AttributeError" and "numpy" in raised.message.lower() and any(s in raised.message for s in said):
        return f"needs an older NumPy: {raised.message}"
    scalars = "only 0-dimensional arrays can be converted to Python scalars"
    if always and raised.kind == "TypeError" and scalars in raised.message and "math." not in raised.text:
        return f"needs an older NumPy: {raised.message}"
    if raised.kind == "TypeError" and "unexpected keyword argument 'newshape'" in raised.message:
        return f"needs an older NumPy: {raised.message}"
    return None


def _fits_convention(
    binding: Binding, key: AnswerKey, comparisons: Sequence[Comparison]
) -> tuple[Function, list[Comparison]] | None:
    """Return the convention under which every ordinary case is right, but for rounding, and the comparisons with it."""
    for convention in () if binding.strict else binding.exercise.conventions:
        judged = []
        for c in sorted(comparisons, key=lambda c: c.passed):
            if c.problem:
                break
            answer = key.find(binding.exercise, c.case, convention)
            if answer is None or not answer.decides:
                continue
            with suppress(KeyError):
                seen = _allowing(answer, c.answer).without(binding.unseen)
                judged.append(compare(c.case, seen, c.outputs, mutated=c.mutated, aliased=c.aliased))
            if judged and not c.case.extreme and _is_wrong(judged[-1], LOST):
                break
        else:
            if judged:
                return convention, judged
    return None


def _rounded_by_convention(
    binding: Binding, key: AnswerKey, comparisons: Sequence[Comparison]
) -> tuple[Diagnosis, ...]:
    """Return the convention whose answers these are but for rounding to some decimals, and to how many."""
    for convention in () if binding.strict or not in_decimals(comparisons) else binding.exercise.conventions:
        asked = ((c, key.find(binding.exercise, c.case, convention)) for c in comparisons)
        judged = [compare(c.case, answer, c.outputs) for c, answer in asked if answer is not None and answer.decides]
        found = rounded(judged) if judged else None
        if found:
            return (*_named_as("convention", [convention]), found)
    return ()


def _allowing(convention: Answer, reference: Answer) -> Answer:
    """Return the answer by a convention with at least the relative error that the reference's own forms may make.

    Other honest forms are declared for the reference alone; what they lose does not hang on the definition.
    """
    outputs = dict(convention.outputs)
    for name in outputs.keys() & reference.outputs.keys():
        one, other = outputs[name], reference.outputs[name]
        if one.hi.shape == other.hi.shape:
            with np.errstate(all="ignore"):
                lost = other.allowed / np.abs(other.hi) * np.abs(one.hi)
            outputs[name] = replace(
                one, allowed=np.where(np.isfinite(lost), np.maximum(one.allowed, lost), one.allowed)
            )
    return replace(convention, outputs=outputs)


def _named_by(binding: Binding, convention: Function, judged: Sequence[Comparison]) -> str | None:
    """Return the parameter one of whose values means this convention, if the submission takes it.

    Then the task leaves nothing open: a function that was told `reduction="mean"` must not return the sum.
    """
    exercise = binding.exercise
    for name, (choices, default) in signature(exercise.reference).hyperparameters.items():
        if name in binding.held or not isinstance(choices, tuple):
            continue
        told = [c.case for c in judged if c.case.hyperparameters[name] == default]
        for other in choices:
            if other != default and told and all(_means(exercise, convention, case, name, other) for case in told):
                return name
    return None


def _means(exercise: Exercise, convention: Function, case: Case, name: str, other: Any) -> bool:
    """Return whether a convention gives what the reference gives for another value of a parameter."""
    told_so = replace(case, hyperparameters={**case.hyperparameters, name: other})
    try:
        one, two = plain_outputs(exercise, convention, case), plain_outputs(exercise, exercise.reference, told_so)
    except (TypeError, ValueError):  # the arguments are none for the other value: classes under a sigmoid
        return False
    return all(one[k].shape == two[k].shape and np.allclose(one[k], two[k], rtol=1e-4) for k in one)


def decide(binding: Binding, key: AnswerKey, judged: Judged) -> Decision:
    """Return the verdict: the first in the design's order that applies."""
    comparisons = judged.comparisons
    if judged.untouched:
        return Decision("unfilled", UNFILLED)
    if isinstance(judged.ended, Raised):
        unfit = incompatible(judged.ended)
        return Decision("incompatible", unfit) if unfit else Decision("error", said_of(judged.ended))
    if isinstance(judged.ended, TimedOut):
        return Decision("timeout", said_of(judged.ended))
    if isinstance(judged.ended, Killed):
        return Decision("killed", said_of(judged.ended))
    ordinary = [c for c in comparisons if not c.case.extreme]
    raised = [c for c in ordinary if c.raised]
    if raised:
        for c in sorted(raised, key=lambda c: c.case.size):
            unfit = incompatible(c.failure, always=len(raised) == len(ordinary)) if c.failure else None
            if unfit:  # it may refuse some cases before it comes to what is not there
                return Decision("incompatible", unfit, decisive=c)
        worst = min(raised, key=lambda c: c.case.size)
        where = f"{worst.problem} in {len(raised)} of {len(ordinary)} ordinary cases"
        named = diagnose.crashing(binding.exercise, [c for c in ordinary if c.case.dtype == "float64"])
        said = where + _called_as(binding, worst.failure)
        return Decision("error", said, _named_as("misconception", named), decisive=worst)
    return _decide_by_values(binding, key, comparisons, ordinary)


def _called_as(binding: Binding, failure: Raised | None) -> str:
    """Say how a function is called, if it could not take the arguments."""
    if failure is None or failure.kind != "TypeError" or "argument" not in failure.message or binding.typed is None:
        return ""
    reference = binding.exercise.reference
    names = [str(p.replace(annotation=p.empty)) for p in inspect.signature(reference).parameters.values()]
    return f"; it is called as {reference.__name__}({', '.join(names)})"


def _decide_by_values(
    binding: Binding, key: AnswerKey, comparisons: Sequence[Comparison], ordinary: Sequence[Comparison]
) -> Decision:
    exercise = binding.exercise
    double = [c for c in ordinary if c.case.dtype == "float64"]
    single = [c for c in ordinary if c.case.dtype != "float64"]
    failing, astray = ([c for c in some if _is_wrong(c)] for some in (double, single))
    beyond = [c for c in comparisons if c.failed]
    if beyond and not double:
        found = _fits_convention(binding, key, comparisons)
        if found:
            return _by_convention(binding, *found, comparisons)
    if failing:
        found = _fits_convention(binding, key, comparisons)
        if found:
            return _by_convention(binding, *found, comparisons)
        share = f"{len(failing)} of {len(double)} ordinary cases in float64 are wrong"
        decisive = min(failing, key=lambda c: (bool(c.problem), c.case.size))
        shown = explained(exercise, comparisons)
        if rounded(double):
            return Decision("inexact", f"{share}, {ROUNDED}", shown, decisive)
        other = _rounded_by_convention(binding, key, double)
        if other:
            return Decision("inexact", f"{share}: right under another definition, but {ROUNDED}", other, decisive)
        if all(not c.problem and c.closeness <= diagnose.CLOSE for c in failing):
            near = f"{share}, all within {max(c.closeness for c in failing):.0e} of the truth but beyond rounding"
            return Decision("inexact", near, shown, decisive)
        return Decision("wrong", share, shown, decisive)
    if astray:
        named = _named_as("misconception", diagnose.misconceptions(exercise, single))
        named = named or tuple(digits_lost(exercise, single))
        reason = f"{counted(len(astray), 'ordinary case')} wrong in {_dtypes(astray)}"
        reason = f"right in float64, but {reason}" if double else reason
        return Decision("wrong", reason, named, min(astray, key=lambda c: (bool(c.problem), c.case.size)))
    if beyond:
        decisive = min(beyond, key=lambda c: (c.raised, c.case.dtype != "float64", c.case.size))
        off = [c for c in single if c.failed]
        fits = diagnose.misconceptions(exercise, [c for c in comparisons if c.case.dtype == "float64"])
        fits = fits or diagnose.misconceptions(exercise, comparisons)
        fits = closest(exercise, fits, comparisons)
        reason = f"right for ordinary inputs in float64, but {_short_by(beyond)}"
        return Decision("unstable", reason, _named_as("misconception", fits) or _lost(exercise, off, single), decisive)
    held = [c for c in comparisons if not c.passed]
    if held:
        found = _fits_convention(binding, key, comparisons)
        if found and all(c.passed for c in found[1]):
            return _by_convention(binding, *found, comparisons)
        worst = max(held, key=lambda c: c.ratio)
        fits = diagnose.misconceptions(exercise, comparisons)
        share = f"{len(held)} of {len(comparisons)} cases"
        reason = f"{worst.ratio:.3g} times beyond the allowed error in {share}: held for a person to look at"
        shown = _named_as("misconception", fits) or tuple(filter(None, [rounded(comparisons)]))
        return Decision("review", reason, shown, worst)
    return Decision("correct", "")


ROUNDED = "rounded to fewer digits than float64 has"
LOST = 16
"""Roundoffs of the largest element within which a small one beside it may be lost under a convention, which was written
for no exactness: 1 − tanh² has an error of one, and the slope of GELU by tanh takes it times 12 at z = −5.8."""


def _is_wrong(comparison: Comparison, roundoffs: float = 1) -> bool:
    """Return whether an ordinary case is beyond what instability explains: in a lower precision, more than rounding."""
    if comparison.case.dtype == "float64":
        return comparison.failed and not _loses_the_small(comparison, roundoffs)
    return comparison.failed and bool(comparison.problem or comparison.closeness > diagnose.CLOSE)


def _short_by(failing: Sequence[Comparison]) -> str:
    """Return in words which cases an unstable function fails."""
    ordinary = [c for c in failing if not c.case.extreme]
    off = [c for c in ordinary if c.case.dtype != "float64"]
    extremes, small = len(failing) - len(ordinary), len(ordinary) - len(off)
    parts = [f"{counted(extremes, 'extreme case')} wrong"] if extremes else []
    parts += [f"{counted(len(off), 'ordinary case')} too far off in {_dtypes(off)}"] if off else []
    parts += [f"in {small} the smallest elements are lost beside the largest"] if small else []
    return " and ".join(parts)


def _loses_the_small(comparison: Comparison, roundoffs: float) -> bool:
    """Return whether a case is off by hardly more than a roundoff of its largest element: what is small there is lost.

    That is a matter of stability: log(1 + e^z) at z = −27 has no right digit, and is right beside that at z = 3.
    """
    least = roundoffs * np.finfo(comparison.case.dtype).eps
    return not comparison.problem and bool(comparison.closeness <= least)


def _lost(exercise: Exercise, off: Sequence[Comparison], single: Sequence[Comparison]) -> tuple[Diagnosis, ...]:
    """Return in which precision something is computed, where ordinary cases beside those in float64 are off."""
    return tuple(digits_lost(exercise, single)) if off else ()


def _dtypes(comparisons: Sequence[Comparison]) -> str:
    return " and ".join(dict.fromkeys(c.case.dtype for c in comparisons))


def counted(count: int, what: str) -> str:
    """Return "1 case is" or "3 cases are"."""
    return f"{count} {what} is" if count == 1 else f"{count} {what}s are"


def _by_convention(
    binding: Binding, convention: Function, judged: Sequence[Comparison], comparisons: Sequence[Comparison]
) -> Decision:
    named = _named_as("convention", [convention])
    parameter = _named_by(binding, convention, judged)
    failing = [c for c in judged if c.failed]
    if parameter:
        reason = f"right under another definition, but `{parameter}` says which one is meant"
        return Decision("wrong", reason, named, min(judged, key=lambda c: c.case.size))
    if failing:
        reason = f"right under another definition for ordinary inputs, but {_short_by(failing)}"
        shown = named + beside(binding.exercise, convention, comparisons)
        return Decision("unstable", reason, shown, min(failing, key=lambda c: c.case.size), tuple(judged))
    # no convention was written for the extremes, nor for small numbers beside large ones
    doubtful = [c for c in judged if not (c.passed or c.case.extreme or _loses_the_small(c, LOST))]
    if doubtful:
        worst = max(doubtful, key=lambda c: c.ratio)
        reason = f"{worst.ratio:.3g} times beyond the allowed error of its convention"
        return Decision("review", reason, named, worst, tuple(judged))
    return Decision("convention", "right under another documented definition", named, None, tuple(judged))


def _named_as(kind: Any, functions: Iterable[Function]) -> tuple[Diagnosis, ...]:
    return tuple(Diagnosis(kind, f.__name__, diagnose.told(f)) for f in functions)
