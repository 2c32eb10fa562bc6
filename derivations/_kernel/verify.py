"""Verification: the proof, the numbers that know nothing of it, the assumptions, and wrong variants that must fail."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from sympy import Dummy, Integer, Pow, sympify

from .agreement import AGREE, compare, differs, exceeded, sample, satisfied
from .calculus import D, Rule, rewritten, rules_from, zero
from .claim import Claim, Induction, Number, Part, Scalar, State, Statement
from .mutants import variants
from .numeric import verified_measure, verified_number, verified_scalar
from .sign import at_least_zero
from .terms import Entry, Sum, free, log, put
from .verification import Checked, Verification

__all__ = ["equal", "verify"]

TRIALS = 3  # sample points for each claim
MORE_TRIALS = 12  # and for a wrong inequality, which may hold at many points


def verify(claim: Statement, mutants: int = 8, seed: int = 0) -> Verification:
    """Prove a claim, compare it with numbers, and try to prove wrong variants of it."""
    start = time.perf_counter()
    if isinstance(claim, Claim | Induction):
        found = _verified(claim, mutants, seed)
    elif isinstance(claim, Number):
        found = verified_number(claim, mutants)
    elif isinstance(claim, Scalar):
        found = verified_scalar(claim, mutants, seed)
    else:
        found = verified_measure(claim, seed)
    return replace(found, seconds=time.perf_counter() - start)


def _verified(claim: Claim | Induction, mutants: int, seed: int) -> Verification:
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
        trust="exhaustive" if isinstance(claim, Claim) and (claim.cases or claim.regions) else "kernel",
        ids=claim.ids,
        source=claim.source,
        steps=steps,
        model=model,
        numeric_digits=numbers.digits,
        witness=numbers.witness,
        mutants=len(wrong),
        mutants_proved=sum(all(s.proved for s in _proof(w, rules)) for w in wrong),
        axioms=tuple(part.axiom for part in claim.parts if part.axiom) if isinstance(claim, Claim) else (),
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
        if below is part.right and part.relation != "=":
            yield from _bound(claim, part, above, rules)
        else:
            yield Checked(above, below, because, equal(claim, above - below, rules))
        above = below


def _bound(claim: Claim, part: Part, left: Any, rules: tuple[Rule, ...]) -> Iterator[Checked]:
    """left ≥ right: the difference is the certificate, and the certificate's sign can be seen."""
    if part.axiom:
        yield Checked(left, part.right, part.axiom, True, part.relation)
        return
    difference = left - part.right
    certificate = rewritten(difference, rules) if part.certificate is None else part.certificate
    yield Checked(difference, certificate, "the difference", equal(claim, difference - certificate, rules))
    seen = at_least_zero(certificate, claim.positive, claim.lemmas, strictly=part.relation == ">")
    yield Checked(certificate, Integer(0), "its sign is seen", seen, part.relation)


def equal(claim: Claim, difference: Any, rules: tuple[Rule, ...]) -> bool:
    """Whether a difference is proved to be zero by what the claim may use: its cases, its regions or its induction."""
    if claim.by_steps is not None:
        step, ratio = claim.by_steps
        sides = [side for given in claim.given for side in given]
        if any(step in e.free_symbols for e in [*sides, *free(difference)]):
            return False  # what is given of T steps, or an index below T, is not that of T + 1 steps
        if any(not p.args[1].is_nonnegative for p in sympify(ratio).atoms(Pow)) or sympify(ratio).has(log):
            return False  # a ratio without a value at some step ends the induction there
        following = put(difference, {step: step + 1})
        return _zero(put(difference, {step: Integer(0)}), rules) and _zero(following - ratio * difference, rules)
    split = rewritten(difference, rules) if claim.cases or claim.regions else difference
    return all(_zero(put(split, region), rules) for region in _regions(claim))


def _regions(claim: Claim) -> Iterator[dict[Any, Any]]:
    """The values by which a claim's entries are replaced, case by case; a single empty region where it has no cases."""
    splits: list[list[dict[Any, Any]]] = [[dict(region) for region in claim.regions]] if claim.regions else []
    for n, entry in enumerate(claim.cases):
        size = Dummy(f"size{n}", positive=True)
        splits.append([{entry: -size}, {entry: Integer(0)}, {entry: size}])
    for chosen in product(*splits):
        yield {entry: value for region in chosen for entry, value in region.items()}


def _zero(e: Any, rules: tuple[Rule, ...]) -> bool:
    try:
        return zero(e, rules)
    except ArithmeticError:  # it has no value: a wrong claim may divide by zero
        return False


def _induction(claim: Induction, state: State, rules: tuple[Rule, ...]) -> Iterator[Checked]:
    if state.update.has(Sum):
        raise ValueError("an update acts element by element")  # so that replacing entries cannot capture an index
    own = {str(s.entry.name) for s in claim.states if isinstance(s.entry, Entry)}
    if any(str(e.name) in own and e not in {s.entry for s in claim.states} for e in state.update.atoms(Entry)):
        raise ValueError("an update reads the variables at its own index")
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
        if isinstance(claim, Claim) and claim.parts[n].relation != "=":
            more = (sample(claim, trial, seed) for trial in range(TRIALS, MORE_TRIALS))
            is_wrong = any(exceeded(claim, claim.parts[n], variant, point) for point in (*points, *more))
        else:
            is_wrong = any(differs(claim, sides[n], variant, point) for point in points[:2])
        if is_wrong:
            wrong.append(_with(claim, n, variant))
    return wrong


def _with(claim: Claim | Induction, n: int, variant: Any) -> Claim | Induction:
    if isinstance(claim, Claim):
        part = replace(claim.parts[n], right=variant, lines=(), certificate=None, axiom="")
        return replace(claim, parts=(*claim.parts[:n], part, *claim.parts[n + 1 :]))
    state = replace(claim.states[n], closed=variant)
    return replace(claim, states=(*claim.states[:n], state, *claim.states[n + 1 :]))
