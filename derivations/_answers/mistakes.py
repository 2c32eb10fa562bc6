"""Misconceptions recognised: a refuted answer that equals a wrong answer with a name."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any

from mpmath import iv
from sympy import Add, Integer, Mul, Pow, sstr

from derivations._kernel.terms import Delta, Entry, Index, Sum, free, put

from .intervals import Values, between, enclose
from .points import entries, named_values, points
from .questions import Question
from .tokens import Rejected

__all__ = ["misconception_of"]

TRIED = 3  # points at which an answer must equal the mistake
ALIKE = Fraction(1, 10**40)


def misconception_of(question: Question, answer: Any) -> tuple[str, str]:
    """The name of the mistake that gives this answer, and what to say; empty where none is known."""
    for name, wrong, says in _known(question):
        if _same(question, answer, wrong) and not _same(question, question.truth, wrong):
            return name, says
    return "", ""


def _same(question: Question, answer: Any, wrong: Any) -> bool:
    """Whether two wrong answers have the same values at some points."""
    iv.prec = 200
    compared = 0
    if free(answer) != free(wrong) and not (free(answer) | free(wrong)) <= set(question.axes):
        return False
    for point in points(question.claim, TRIED):
        values = named_values(question.claim, point)
        for at in entries(question.axes, values):
            here = Values(values, at)
            try:
                a, b = between(enclose(answer, here)), between(enclose(wrong, here))
            except (ArithmeticError, KeyError):
                continue
            if abs(a - b) > between(ALIKE) or (a > b) or (a < b):
                return False
            compared += 1
    return compared > 0


def _known(question: Question) -> Iterator[tuple[str, Any, str]]:
    truth = question.truth
    for mistake in question.mistakes:
        try:
            yield mistake.name, question.read(mistake.right), mistake.says
        except Rejected as error:
            raise ValueError(f"{question.name}: {mistake.name}: {error}") from None
    for id_, wrong, note in question.errata:
        yield f"erratum_{id_}", wrong, note
    incoming = {e: Integer(1) for e in truth.atoms(Entry) if str(e.name) == "cotangent"}
    if incoming:
        yield (
            "forgets_the_incoming_gradient",
            _without(truth, incoming),
            "The gradient that comes from above is missing.",
        )
    yield "wrong_sign", -truth, "The sign is wrong: this is the negative of what is right."
    yield from _sizes(truth)
    for factor in (2, 4):
        yield "wrong_factor", truth * factor, f"This is {factor} times what is right."
        yield "wrong_factor", truth / factor, f"What is right is {factor} times this."
    yield from _transposed(question)
    yield from _deltas(truth)
    yield from _sums(truth, question.axes)
    yield from _letters(truth, question.axes)
    yield from _steps(question)


def _without(e: Any, entries: dict[Any, Any]) -> Any:
    """The term with some entries replaced, under sums too."""
    if e in entries:
        return entries[e]
    if not e.args or isinstance(e, (Entry, Index)):
        return e
    if isinstance(e, Sum):
        return Sum(_without(e.body, entries), e.index)
    return e.func(*(_without(a, entries) if hasattr(a, "is_commutative") else a for a in e.args))


def _sizes(truth: Any) -> Iterator[tuple[str, Any, str]]:
    for size in sorted((s for s in truth.free_symbols if s.is_integer and s.is_positive), key=str):
        yield f"forgets_the_division_by_{size}", truth * size, f"The division by {size} is missing (a mean, not a sum)."
        yield f"divides_by_{size}", truth / size, f"There is one division by {size} too many."
        for by in (size - 1, size + 1):
            yield f"divides_by_{size}_{'less' if by == size - 1 else 'plus'}_one", truth * size / by, (
                f"The division is by {size}, not by {by}."
            )  # fmt: skip


def _transposed(question: Question) -> Iterator[tuple[str, Any, str]]:
    for i, j in combinations(question.axes, 2):
        if i.size == j.size:
            yield (
                "swaps_the_indices",
                put(question.truth, {i: j, j: i}),
                f"The indices {i.label} and {j.label} are swapped.",
            )


def _deltas(truth: Any) -> Iterator[tuple[str, Any, str]]:
    for delta in sorted(truth.atoms(Delta), key=str):
        a, b = delta.args
        without = truth.xreplace({delta: Integer(0)})
        with_one = truth.xreplace({delta: Integer(1)})
        only = f"Only the term with {a} = {b} is here; the others are not zero."
        yield "forgets_the_diagonal_term", without, f"The term with delta({a}, {b}), for {a} = {b}, is missing."
        yield "forgets_the_off_diagonal_terms", delta * truth, only
        yield "forgets_the_off_diagonal_terms", with_one, only


def _changed(e: Any, change: Any) -> Iterator[tuple[Any, Any]]:
    """Every expression in which one node is changed, and that node."""
    for other in change(e):
        yield other, e
    if isinstance(e, Sum):
        for body, node in _changed(e.body, change):
            yield Sum(body, e.index), node
    elif isinstance(e, (Add, Mul, Pow)) or (e.args and not isinstance(e, (Entry, Index))):
        for n, argument in enumerate(e.args):
            if hasattr(argument, "is_commutative"):
                for other, node in _changed(argument, change):
                    yield e.func(*e.args[:n], other, *e.args[n + 1 :]), node


def _sums(truth: Any, axes: tuple[Index, ...]) -> Iterator[tuple[str, Any, str]]:
    def change(e: Any) -> Iterator[Any]:
        if isinstance(e, Sum):
            yield from (put(e.body, {e.index: a}) for a in axes if a.size == e.index.size)

    for wrong, node in _changed(truth, change):
        yield (
            "loses_the_sum",
            wrong,
            f"The sum over {node.index.label} is lost: {sstr(node)} is more than one of its terms.",
        )


def _letters(truth: Any, axes: tuple[Index, ...]) -> Iterator[tuple[str, Any, str]]:
    def change(e: Any) -> Iterator[Any]:
        if isinstance(e, Entry):
            for n, at in enumerate(e.at):
                if isinstance(at, Index):
                    yield from (
                        Entry(e.name, *e.at[:n], a, *e.at[n + 1 :]) for a in axes if a.size == at.size and a != at
                    )

    for wrong, node in _changed(truth, change):
        yield "takes_another_index", wrong, f"Another index is needed: {sstr(node)}."


def _steps(question: Question) -> Iterator[tuple[str, Any, str]]:
    """Off by one: the number of steps, one more or one less."""
    step = getattr(question.claim, "step", None) or (getattr(question.claim, "by_steps", None) or (None,))[0]
    if step is not None:
        yield "counts_one_step_too_many", put(question.truth, {step: step + 1}), f"This is right for {step} + 1 steps."
        yield "counts_one_step_too_few", put(question.truth, {step: step - 1}), f"This is right for {step} - 1 steps."
