"""The prover applied to an answer: what it can use are the claim's assumptions, its cases and its induction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from sympy import Integer

from derivations._kernel import Claim
from derivations._kernel.calculus import Rule, rewritten, rules_from, zero
from derivations._kernel.terms import Abs, Entry, Index, Step, Sum, free, put
from derivations._kernel.verify import equal

from .questions import Question

__all__ = ["proves"]


def proves(question: Question, line: Any, above: Any) -> bool:
    """Whether an answer is proved equal to what is right, or to the line above it, which is."""
    claim, rules = question.claim, rules_from(question.claim.given)
    line = _straightened(line)
    for right in (question.truth, above) if above is not question.truth else (question.truth,):
        if (
            _zero(line - right, rules)
            or _by_cases(question, line - right, rules)
            or (isinstance(claim, Claim) and _quietly(partial(equal, claim, line - right, rules)))
        ):
            return True
    return _by_the_loop(question, line, rules)


def _quietly(test: Callable[[], bool]) -> bool:
    """The test's result; where a term has no normal form, nothing is proved."""
    try:
        return test()
    except (ArithmeticError, ValueError, TypeError, AssertionError, RecursionError):
        return False


def _zero(e: Any, rules: tuple[Rule, ...]) -> bool:
    return _quietly(partial(zero, e, rules))


def _straightened(e: Any) -> Any:
    """Sums that run backwards, Σ_{i<T} f(i) g[T − 1 − i], turned round."""
    if not e.args or isinstance(e, Entry | Index):
        return e
    if not isinstance(e, Sum):
        return e.func(*(_straightened(a) if hasattr(a, "is_commutative") else a for a in e.args))
    body, index = _straightened(e.body), e.index
    last = index.size - 1
    backwards = any((at - last + index) == 0 for entry in body.atoms(Entry) for at in entry.at)
    return Sum(put(body, {index: last - index}) if backwards else body, index)


def _by_cases(question: Question, e: Any, rules: tuple[Rule, ...]) -> bool:
    """Where |u| or [u > 0] occurs for entries u, outside of sums: u below, at and above 0.

    At the kink of a function a derivative is a convention: there any value is accepted.
    """
    if not e.has(Step, Abs) or any(s.has(Step, Abs) for s in e.atoms(Sum)):
        return False
    signs = (-1, 1) if question.has_kinks else (-1, 0, 1)
    try:
        e = rewritten(e, rules)
    except (ArithmeticError, ValueError, TypeError, RecursionError):
        return False
    inside = {a.args[0] for a in e.atoms(Step, Abs)}
    entries = sorted({u for x in inside for u in x.atoms(Entry)}, key=str)
    if len(entries) > 3 or any(len(x.atoms(Entry)) != 1 for x in inside):
        return False
    differences = [e]
    for u in entries:
        differences = [case for d in differences for case in _cases(d, u, signs)]
    return all(_zero(d, rules) for d in differences)


def _cases(e: Any, u: Entry, signs: tuple[int, ...]) -> list[Any]:
    made = []
    for sign in signs:
        values: dict[Any, Any] = {}
        for atom in e.atoms(Step, Abs):
            ratio = (atom.args[0] / u).cancel() if sign else Integer(0)
            if not ratio.is_number or not ratio.is_real:
                continue
            above = bool(ratio * sign > 0)
            if isinstance(atom, Step):
                values[atom] = Integer(int(above))
            else:
                values[atom] = atom.args[0] if above else -atom.args[0]
        case = e.xreplace(values)
        made.append(case if sign else case.xreplace({u: Integer(0)}))
    return made


def _by_the_loop(question: Question, line: Any, rules: tuple[Rule, ...]) -> bool:
    """The claim's own induction, with the answer in the place of the closed form."""
    claim = question.claim
    if isinstance(claim, Claim) or free(line) - set(question.axes):
        return False
    state = next(s for s in claim.states if s is question.part)
    states = [replace(s, closed=line) if s is state else s for s in claim.states]
    put_closed = {s.entry: s.closed for s in states}
    first = put(line, {claim.step: Integer(0)})
    following = put(line, {claim.step: claim.step + 1})
    return _zero(first - state.entry, rules) and _zero(following - state.update.xreplace(put_closed), rules)
