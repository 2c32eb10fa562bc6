"""Verification: the proof, the numbers that know nothing of it, the assumptions, and wrong variants that must fail."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sympy import Integer

from .agreement import AGREE, Witness, compare, differs, sample, satisfied
from .calculus import D, Rule, rewritten, rules_from, zero
from .claim import Claim, Induction, Part, State
from .mutants import variants
from .terms import Abs, Entry, Step, Sum, put

__all__ = ["Checked", "Verification", "verify"]

TRIALS = 3  # sample points for each claim


@dataclass(frozen=True)
class Checked:
    """One equation of a chain, and whether it was proved."""

    left: Any
    right: Any
    because: str
    proved: bool

    @property
    def equation(self) -> str:
        """The equation as text."""
        return f"{self.left} = {self.right}"


@dataclass(frozen=True)
class Verification:
    """What is known of a claim."""

    name: str
    status: str
    scope: str
    trust: str
    ids: tuple[str, ...]
    source: str
    steps: tuple[Checked, ...]
    model: bool
    numeric_digits: int
    witness: Witness | None
    mutants: int
    mutants_proved: int
    seconds: float

    @property
    def first_wrong(self) -> Checked | None:
        """The first equation that was not proved."""
        return next((step for step in self.steps if not step.proved), None)


def verify(claim: Claim | Induction, mutants: int = 8, seed: int = 0) -> Verification:
    """Prove a claim, compare it with numbers, and try to prove wrong variants of it."""
    start = time.perf_counter()
    rules = rules_from(claim.given)
    steps = tuple(_proof(claim, rules))
    points = [sample(claim, trial, seed) for trial in range(TRIALS)]
    numbers = compare(claim, points)
    model = all(satisfied(claim, point) for point in points)
    if numbers.witness and model:
        status = "refuted"  # numbers overrule a proof: that would be an error of the prover
    else:
        status = "proved" if model and numbers.digits >= AGREE and all(s.proved for s in steps) else "undecided"
    wrong = _wrong_claims(claim, points, mutants, seed) if status == "proved" else []
    return Verification(
        name=claim.name,
        status=status,
        scope=claim.scope,
        trust="kernel",
        ids=claim.ids,
        source=claim.source,
        steps=steps,
        model=model,
        numeric_digits=numbers.digits,
        witness=numbers.witness,
        mutants=len(wrong),
        mutants_proved=sum(all(s.proved for s in _proof(w, rules)) for w in wrong),
        seconds=time.perf_counter() - start,
    )


# --- proof -----------------------------------------------------------------------------------------------------------


def _proof(claim: Claim | Induction, rules: tuple[Rule, ...]) -> Iterator[Checked]:
    if isinstance(claim, Induction):
        for state in claim.states:
            yield from _induction(claim, state, rules)
    else:
        for part in claim.parts:
            yield from _chain(claim, part, rules)


def _chain(claim: Claim, part: Part, rules: tuple[Rule, ...]) -> Iterator[Checked]:
    above = part.left if part.by is None else D(part.left, part.by)
    for below, because in [*((line.value, line.because) for line in part.lines), (part.right, "the claim")]:
        yield Checked(above, below, because, _equal(claim, above - below, rules))
        above = below


def _equal(claim: Claim, difference: Any, rules: tuple[Rule, ...]) -> bool:
    if claim.by_steps is not None:
        step, ratio = claim.by_steps
        following = put(difference, {step: step + 1})
        return _zero(put(difference, {step: Integer(0)}), rules) and _zero(following - ratio * difference, rules)
    differences = [rewritten(difference, rules) if claim.cases else difference]
    for entry in claim.cases:
        differences = [case for d in differences for case in _cases(d, entry)]
    return all(_zero(d, rules) for d in differences)


def _zero(e: Any, rules: tuple[Rule, ...]) -> bool:
    try:
        return zero(e, rules)
    except ArithmeticError:  # it has no value: a wrong claim may divide by zero
        return False


def _cases(e: Any, u: Entry) -> Iterator[Any]:
    """The expression where u is below, at and above 0."""
    if e.has(Sum):
        raise ValueError("cases are split outside of sums")
    yield e.xreplace({Step(u): Integer(0), Abs(u): -u})
    yield e.xreplace({Step(u): Integer(0), Abs(u): Integer(0)}).xreplace({u: Integer(0)})
    yield e.xreplace({Step(u): Integer(1), Abs(u): u})


def _induction(claim: Induction, state: State, rules: tuple[Rule, ...]) -> Iterator[Checked]:
    if state.update.has(Sum):
        raise ValueError("an update acts element by element")  # so that replacing entries cannot capture an index
    first = put(state.closed, {claim.step: Integer(0)})
    yield Checked(first, state.entry, f"{state.name}: no step taken", _zero(first - state.entry, rules))
    following = put(state.closed, {claim.step: claim.step + 1})
    stepped = state.update.xreplace({s.entry: s.closed for s in claim.states})
    yield Checked(following, stepped, f"{state.name}: one more step", _zero(following - stepped, rules))


# --- mutants ---------------------------------------------------------------------------------------------------------


def _wrong_claims(
    claim: Claim | Induction, points: list[dict[str, Any]], count: int, seed: int
) -> list[Claim | Induction]:
    """Claims with one right-hand side changed, kept where the numbers differ."""
    sides = (
        [(part.right, part.axes) for part in claim.parts]
        if isinstance(claim, Claim)
        else [(state.closed, state.axes) for state in claim.states]
    )
    changed = {(n, variant): None for n, (right, axes) in enumerate(sides) for variant in variants(right, axes)}
    candidates = list(changed)  # a dictionary and not a set: the same order in every run
    random.Random(f"{claim.name} {seed}").shuffle(candidates)  # noqa: S311
    wrong: list[Claim | Induction] = []
    for n, variant in candidates:
        if len(wrong) == count:
            break
        if any(differs(claim, sides[n], variant, point) for point in points[:2]):
            wrong.append(_with(claim, n, variant))
    return wrong


def _with(claim: Claim | Induction, n: int, variant: Any) -> Claim | Induction:
    if isinstance(claim, Claim):
        part = replace(claim.parts[n], right=variant, lines=())
        return replace(claim, parts=(*claim.parts[:n], part, *claim.parts[n + 1 :]))
    state = replace(claim.states[n], closed=variant)
    return replace(claim, states=(*claim.states[:n], state, *claim.states[n + 1 :]))
