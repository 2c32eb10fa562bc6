"""The judge: an answer is proved by the kernel, refuted at a point, or undecided. Agreement is no proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from mpmath import iv, mp
from sympy import Pow

from derivations._kernel.calculus import rewritten, rules_from
from derivations._kernel.terms import Step, Sum, free, log

from .files import Asked
from .grammar import WrongAxis, parse
from .intervals import NoRealValue, Undecided, Values, between, enclose
from .mistakes import misconception_of
from .points import POINTS, entries, named_values, points
from .proof import proves
from .questions import Question, find
from .tokens import Rejected

__all__ = ["Judgement", "Refutation", "judge"]

BITS = (450, 1_200)
NARROW = Fraction(1, 10**100)
END_DIGITS = 8
MANY = 200
QUICK = 4  # points that are tried before the prover: most wrong answers end here


@dataclass(frozen=True)
class Refutation:
    """A point at which two expressions differ: the values of all names and free indices, and both values."""

    arguments: Mapping[str, Any]
    at: Mapping[str, int]
    got: str
    expected: str
    enclosure: tuple[str, str] | None
    """The difference lies between these two numbers; None where the answer has no value at all."""


@dataclass(frozen=True)
class Judgement:
    """What is known of an answer."""

    question: str
    status: str  # proved, refuted, undecided, rejected
    message: str
    first_wrong_line: int | None = None
    witness: Refutation | None = None
    misconception: str = ""
    explanation: str = ""


@dataclass
class Numbers:
    """What the points say: a refutation, or how many points agree and what could not be compared."""

    refutation: Refutation | None = None
    agreed: int = 0
    without_value: list[str] = field(default_factory=list)


class TooLong(BaseException):
    """The prover's time is used up; nothing else may catch it."""


def judge(asked: Asked, limit: Callable[[], AbstractContextManager[None]] = nullcontext) -> Judgement:
    """Judge one answer; `limit` bounds the prover's time by raising TooLong."""
    question = find(asked.question) if not asked.problem else None
    if not isinstance(question, Question):
        return Judgement(asked.question, "rejected", f"{asked.place}: {asked.problem or question}")
    lines = []
    try:
        for rows in asked.lines:
            lines.append(parse(rows, question.names))
    except WrongAxis as error:
        if not lines:
            return _out_of_range(question, error, asked)
        return Judgement(question.name, "rejected", f"line {len(lines) + 1} of the chain, {error}")
    except Rejected as error:
        which = f"line {len(lines) + 1} of the chain, " if len(asked.lines) > 1 else ""
        return Judgement(question.name, "rejected", f"{which}{error}")
    found = _chain(question, lines, limit)
    return found if asked.is_chain else replace(found, first_wrong_line=None)


def _chain(question: Question, lines: list[Any], limit: Callable[[], AbstractContextManager[None]]) -> Judgement:
    """Each line against the truth, which all lines above the first wrong one are equal to."""
    undecided: list[tuple[int, str]] = []
    above = question.truth
    for n, line in enumerate(lines, start=1):
        status, numbers = _equal(question, above, line, limit)
        if status == "refuted":
            assert numbers.refutation is not None
            return _refuted(question, lines, n, numbers.refutation, undecided)
        if status == "undecided":
            undecided.append((n, _known(numbers)))
        else:
            above = line if not undecided else above
    if undecided:
        n, known = undecided[0]
        which = f"line {n}: " if len(lines) > 1 else ""
        return Judgement(question.name, "undecided", f"{which}{known}", n)
    steps = f"each of the {len(lines)} lines follows" if len(lines) > 1 else "equal to what is right, for every size"
    return Judgement(question.name, "proved", steps)


def _out_of_range(question: Question, error: WrongAxis, asked: Asked) -> Judgement:
    """An index in an axis that is not its own: at some sizes there is no such entry."""
    for point in points(question.claim):
        values = named_values(question.claim, point)
        here = Values(values, {})
        try:
            own, other = (int(enclose(size, here)) for size in (error.own, error.other))
        except (ArithmeticError, KeyError):
            break
        if own > other:
            found = Refutation(
                point, {error.letter: other}, f"nothing, for that axis has {other} entries", "a number", None
            )
            return Judgement(question.name, "refuted", str(error), 1 if asked.is_chain else None, found)
    return Judgement(question.name, "rejected", str(error))


def _refuted(
    question: Question, lines: list[Any], n: int, found: Refutation, undecided: list[tuple[int, str]]
) -> Judgement:
    where = ", ".join(f"{k} = {v}" for k, v in found.at.items())
    values = f"{'at ' + where + ' ' if where else ''}it is {found.got}, but should be {found.expected}"
    if len(lines) == 1:
        message = values
    elif n == 1:
        message = f"line 1 is not what is asked for: {values}"
    else:
        message = f"line {n} does not follow from line {n - 1}: {values}"
    if n < len(lines) and _equal_in_numbers(question, lines[-1], QUICK).refutation is None:
        message += "; the last line is right all the same"
    strangers = sorted(str(i) for i in free(lines[n - 1]) - set(question.axes))
    if strangers:
        asked = ", ".join(axis.label for axis in question.axes) or "none"
        message += f"; it has the free index {', '.join(strangers)}, where the question has {asked}"
    if undecided:
        message += f"; line {undecided[0][0]} is undecided ({undecided[0][1]})"
    name, says = misconception_of(question, lines[n - 1])
    return Judgement(question.name, "refuted", message, n, found, name, says)


def _known(numbers: Numbers) -> str:
    said = f"agrees at {numbers.agreed} points to 50 digits, but no proof was found" if numbers.agreed else (
        "no point was found at which it has a value"
    )  # fmt: skip
    return said + (f" ({numbers.without_value[0]})" if numbers.without_value else "")


def _equal(
    question: Question, above: Any, line: Any, limit: Callable[[], AbstractContextManager[None]]
) -> tuple[str, Numbers]:
    quick = _equal_in_numbers(question, line, QUICK)
    if quick.refutation is not None:
        return "refuted", quick
    try:
        with limit():
            if proves(question, line, above):
                return _with_a_value(question, line, quick)
            tiny = _tiny_difference(question, line)
    except TooLong:
        tiny = None
    if tiny is not None:
        return "refuted", replace(quick, refutation=tiny)
    # What is made of pieces may be wrong in a small one: it takes many points to hit it.
    numbers = _equal_in_numbers(question, line, MANY if line.has(Step) and not line.has(Sum) else POINTS)
    return ("refuted" if numbers.refutation is not None else "undecided"), numbers


def _with_a_value(question: Question, line: Any, quick: Numbers) -> tuple[str, Numbers]:
    """What is proved equal wherever both have values; roots and logarithms must have them at every point."""
    roots = [power.args[0] for power in line.atoms(Pow) if power.args[1].is_Rational and not power.args[1].is_Integer]
    if any(not e.is_positive for e in [*roots, *(e.args[0] for e in line.atoms(log))]):
        quick = _equal_in_numbers(question, line, POINTS)
    if quick.refutation is not None:
        return "refuted", quick
    return ("proved" if quick.agreed else "undecided"), quick


def _equal_in_numbers(question: Question, line: Any, count: int) -> Numbers:
    """The answer and what is right, in enclosures at some points."""
    numbers = Numbers()
    for point in points(question.claim, count):
        values = named_values(question.claim, point)
        agreed = False
        for at in entries(_free(question, line), values):
            try:
                expected = _at(question.truth, values, at, question.has_kinks)
            except ArithmeticError:
                continue  # the truth itself has no value here
            shown = {str(axis): n for axis, n in at.items()}
            try:
                found = _gap(question, line, values, at)
            except NoRealValue as error:
                numbers.refutation = Refutation(point, shown, f"no real number ({error})", _digits(expected), None)
                return numbers
            except ArithmeticError as error:  # 0 in a denominator, or a number too large to be written down
                numbers.without_value.append(f"it has no value at some points: {error}")
                continue
            if found is not None:
                gap, one, two = found
                numbers.refutation = Refutation(point, shown, *_apart(one, two), _ends(gap))
                return numbers
            agreed = True
        numbers.agreed += agreed
    return numbers


def _free(question: Question, line: Any) -> tuple[Any, ...]:
    """The free indices of the question, and those that the answer has too many."""
    return (*question.axes, *sorted(free(line) - set(question.axes), key=str))


def _gap(question: Question, line: Any, values: dict[str, Any], at: Mapping[Any, int]) -> tuple[Any, Any, Any] | None:
    """The difference from the truth, if its enclosure excludes 0, and both sides; None if it is 0 to 50 digits."""
    for bits in BITS:
        iv.prec = bits
        here = Values(values, at, question.has_kinks)
        try:
            one, two = enclose(line, here), enclose(question.truth, here)
        except Undecided:
            continue
        if isinstance(one, Fraction) and isinstance(two, Fraction):
            return None if one == two else (one - two, one, two)
        gap = between(one) - between(two)
        if gap > 0 or gap < 0:
            return gap, one, two
        if gap.delta < between(NARROW):
            return None
    raise Undecided("its sign cannot be told")


def _at(e: Any, values: dict[str, Any], at: Mapping[Any, int], kinks: bool = False) -> Any:
    iv.prec = BITS[0]
    return enclose(e, Values(values, at, kinks))


def _tiny_difference(question: Question, line: Any) -> Refutation | None:
    """The difference as the prover simplifies it, at some points: exp(−10000) has to be seen beside 1."""
    try:
        rest = rewritten(line - question.truth, rules_from(question.claim.given))
    except (ArithmeticError, ValueError, TypeError, RecursionError):
        return None
    for point in points(question.claim, QUICK):
        values = named_values(question.claim, point)
        for at in entries(_free(question, line), values):
            iv.prec = BITS[0]
            try:
                gap, got, expected = (
                    enclose(rest, Values(values, at)),
                    _at(line, values, at),
                    _at(question.truth, values, at),
                )
            except ArithmeticError:
                continue
            if gap > 0 or gap < 0:
                shown = {str(axis): n for axis, n in at.items()}
                return Refutation(point, shown, *_apart(got, expected), _ends(gap))
    return None


def _low(x: Any) -> Any:
    return mp.make_mpf(between(x)._mpi_[0])


def _high(x: Any) -> Any:
    return mp.make_mpf(between(x)._mpi_[1])


def _digits(x: Any, digits: int = 8) -> str:
    with mp.workprec(BITS[1]):
        return str(mp.nstr((_low(x) + _high(x)) / 2, digits))


def _apart(one: Any, two: Any) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart, up to 60."""
    for digits in (8, 20, 60):
        said = _digits(one, digits), _digits(two, digits)
        if said[0] != said[1]:
            return said
    return f"{said[0][:22]}… (more than 60 digits alike)", f"{said[1][:22]}…"


def _ends(gap: Any) -> tuple[str, str]:
    """The ends of an enclosure as decimals, rounded outwards; the same number twice where it is exact."""
    said = _digits(gap, END_DIGITS)
    if isinstance(gap, Fraction) and len(said) < 40 and "e" not in said and Fraction(said) == gap:
        return said, said
    return _rounded(_low(gap), mp.floor, -1), _rounded(_high(gap), mp.ceil, 1)


def _rounded(x: Any, to: Callable[[Any], Any], direction: int) -> str:
    with mp.workprec(BITS[1]):
        unit = mp.mpf(10) ** (int(mp.floor(mp.log10(abs(x)))) + 1 - END_DIGITS)
        digits = to(x / unit + direction * mp.mpf(2) ** -100)  # the division itself was rounded
        return str(mp.nstr(digits * unit, END_DIGITS))
