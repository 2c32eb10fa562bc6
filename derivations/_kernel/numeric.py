"""Verification of what is not an equation of the kernel: printed numbers, limits and integrals, and simulations."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sympy
from mpmath import iv, mp
from sympy import oo

from .agreement import AGREE, DIGITS, Witness, common
from .calculus import zero
from .claim import Measured, Number, Scalar
from .evaluate import INTERVALS, Scope, value
from .mutants import variants
from .verification import Checked, Verification

__all__ = ["verified_measure", "verified_number", "verified_scalar"]

SLACK = 4  # standard errors between a measured mean and the end of its interval


# --- numbers ---------------------------------------------------------------------------------------------------------


def verified_number(claim: Number, mutants: int) -> Verification:
    """Enclose the value in an interval of sixty digits, every point of which rounds to what is printed."""
    enclosure = _enclosed(claim, claim.value)
    holds = _rounds_to(claim, enclosure)
    with mp.workdps(DIGITS):
        middle, width = (mp.mpf(enclosure.a) + mp.mpf(enclosure.b)) / 2, mp.mpf(enclosure.b) - mp.mpf(enclosure.a)
        shown = mp.nstr(middle, 20)
        sharp = width < mp.mpf(10) ** -AGREE * (1 + abs(middle))
    wrong = list(_wrong_prints(claim, enclosure))[:mutants]
    apart = _surely_not(claim, enclosure)
    return Verification(
        name=claim.name,
        status="proved" if holds else "refuted" if apart else "undecided",
        scope=claim.scope,
        trust="kernel",
        ids=claim.ids,
        source=claim.source,
        steps=(Checked(claim.value, claim.printed, f"it is {shown}", holds, claim.relation),),
        model=True,
        numeric_digits=AGREE if sharp else 0,
        witness=Witness("", {}, (), shown, claim.printed, claim.arguments) if apart else None,
        mutants=len(wrong),
        mutants_proved=sum(_rounds_to(w, enclosure) for w in wrong),
    )


def _enclosed(claim: Number, e: Any) -> Any:
    before, iv.dps = iv.dps, 60
    try:
        values = {name: _exactly(given) for name, given in claim.arguments.items()}
        return iv.mpf(value(e, Scope(values, {}, {}, INTERVALS)))
    finally:
        iv.dps = before


def _exactly(given: Any) -> Any:
    return [_exactly(g) for g in given] if isinstance(given, tuple) else INTERVALS.number(given)


def _ends(claim: Number) -> tuple[Any, Any]:
    """Between which two numbers the value must lie: those that round to what is printed, or all on one side of it."""
    printed = Decimal(claim.printed)
    half = Fraction(1, 2) * Fraction(10) ** int(printed.as_tuple().exponent) if claim.relation == "=" else Fraction(0)
    low, high = (_many(Fraction(printed) + sign * half) for sign in (-1, 1))
    return -mp.inf if claim.relation == "≤" else low, mp.inf if claim.relation == "≥" else high


def _many(x: Fraction) -> Any:
    return mp.mpf(x.numerator) / x.denominator


def _rounds_to(claim: Number, enclosure: Any) -> bool:
    with mp.workdps(DIGITS):
        low, high = _ends(claim)
        return bool(low <= enclosure.a and enclosure.b <= high)


def _surely_not(claim: Number, enclosure: Any) -> bool:
    with mp.workdps(DIGITS):
        low, high = _ends(claim)
        return bool(enclosure.b < low or high < enclosure.a)


def _wrong_prints(claim: Number, enclosure: Any) -> Iterator[Number]:
    """The same statement with another last digit, sign or power of ten, where the value does not round to it."""
    printed = Decimal(claim.printed)
    unit = Decimal(1).scaleb(int(printed.as_tuple().exponent))
    for other in (
        printed + unit,
        printed - unit,
        -printed,
        printed * 10,
        printed / 10,
        printed + 2 * unit,
        printed * 2,
    ):
        wrong = replace(claim, printed=str(other))
        if _surely_not(wrong, enclosure):
            yield wrong


# --- limits and integrals --------------------------------------------------------------------------------------------

FAR = 70  # a limit is compared at 10^±70, where what goes to 0 like 1/x has 70 digits of 0


def verified_scalar(claim: Scalar, mutants: int, seed: int) -> Verification:
    """SymPy's limit or integral, compared with the claim by the kernel, and with numbers that know neither."""
    found = _worked_out(claim)
    holds = _is_zero(found - claim.right)
    worst, witness = DIGITS, None
    with mp.workdps(DIGITS):
        for where in claim.at:
            measured, claimed = _measured(claim, where), value(claim.right, _at(where))
            digits = common(measured, claimed)
            worst = min(worst, digits)
            if digits < AGREE // 2:
                witness = Witness("", {}, (), mp.nstr(measured, 20), mp.nstr(claimed, 20), _named(where))
        pool = list(dict.fromkeys(variants(sympy.sympify(claim.right), ())))
        random.Random(f"{claim.name} {seed}").shuffle(pool)  # noqa: S311
        wrong = [v for v in pool if any(_apart(claim.right, v, where) for where in claim.at)][:mutants]
    return Verification(
        name=claim.name,
        status="refuted" if witness else "proved" if holds and worst >= AGREE else "undecided",
        scope=claim.scope,
        trust="scalar_sympy",
        ids=claim.ids,
        source=claim.source,
        steps=(Checked(_written(claim), claim.right, f"SymPy's {claim.operation}", holds),),
        model=True,
        numeric_digits=worst,
        witness=witness,
        mutants=len(wrong),
        mutants_proved=sum(_is_zero(found - v) for v in wrong),
    )


def _written(claim: Scalar) -> Any:
    if claim.operation == "limit":
        return sympy.Limit(claim.expression, claim.variable, claim.to, claim.side)
    return sympy.Integral(claim.expression, (claim.variable, claim.start, claim.to))


def _worked_out(claim: Scalar) -> Any:
    if claim.operation == "limit":
        return sympy.limit(claim.expression, claim.variable, claim.to, claim.side)
    return sympy.integrate(claim.expression, (claim.variable, claim.start, claim.to))


def _is_zero(difference: Any) -> bool:
    try:
        return zero(difference)
    except (ArithmeticError, TypeError):  # SymPy left the limit as it is, or the variant has no value
        return False


def _measured(claim: Scalar, where: Any) -> Any:
    here = {**where}
    if claim.operation == "integral":
        ends = [
            mp.mpf(value(sympy.sympify(end), _at(here))) if abs(end) != oo else mp.inf * (1 if end is oo else -1)
            for end in (claim.start, claim.to)
        ]
        return mp.quad(lambda v: value(claim.expression, _at({**here, claim.variable: v})), ends)
    far = mp.mpf(10) ** FAR
    v = far if claim.to is oo else mp.mpf(str(claim.to)) + (1 if claim.side == "+" else -1) / far
    return value(claim.expression, _at({**here, claim.variable: v}))


def _at(where: Any) -> Scope:
    return Scope({str(symbol): _exact(given) for symbol, given in where.items()}, {}, {})


def _exact(given: Any) -> Any:
    return _many(given) if isinstance(given, Fraction) else given


def _named(where: Any) -> dict[str, Any]:
    return {str(symbol): given for symbol, given in where.items()}


def _apart(right: Any, variant: Any, where: Any) -> bool:
    try:
        gap = abs(value(right, _at(where)) - value(variant, _at(where)))
    except (ZeroDivisionError, ValueError):
        return False
    return bool(gap > mp.mpf(10) ** -(AGREE // 2))


# --- simulations -----------------------------------------------------------------------------------------------------


def verified_measure(claim: Measured, seed: int) -> Verification:
    """Run the simulation; each mean must lie in its interval by four standard errors."""
    quantities = claim.measure(random.Random(f"{claim.name} {seed}"))  # noqa: S311
    steps, said, outside = [], [], None
    for q in quantities:
        mean = statistics.fmean(q.samples)
        error = statistics.stdev(q.samples) / len(q.samples) ** 0.5 if len(q.samples) > 1 else 0.0
        inside = q.low <= mean - SLACK * error and mean + SLACK * error <= q.high
        if mean + SLACK * error < q.low or q.high < mean - SLACK * error:
            outside = Witness(q.what, {}, (), f"{mean:.6g}", f"[{q.low:.6g}, {q.high:.6g}]", {})
        said.append(f"{q.what} = {mean:.4g} ± {error:.1g}")
        steps.append(Checked(q.what, f"[{q.low:.6g}, {q.high:.6g}]", said[-1], inside, "∈"))
    return Verification(
        name=claim.name,
        status="refuted" if outside else "measured" if all(s.proved for s in steps) else "undecided",
        scope=claim.scope,
        trust="measured",
        ids=claim.ids,
        source=claim.source,
        steps=tuple(steps),
        model=True,
        numeric_digits=0,
        witness=outside,
        mutants=0,
        mutants_proved=0,
        measured=tuple(said),
    )
