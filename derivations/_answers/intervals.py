"""Enclosures: the value of a term lies between two numbers, at any precision; fractions stay exact.

A term is evaluated as it is written, so that what has no real value at a point (the log of a negative number, a
division by zero) shows there. Nothing is shared with the prover but the language of terms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import count
from typing import Any

from mpmath import iv
from mpmath.libmp.libmpf import ComplexResult
from sympy import Add, E, Mul, Pow

from derivations._kernel.terms import Abs, Delta, Entry, Index, Opaque, Step, Sum, Symbol, exp, free, log, pi

__all__ = ["AtASingularity", "NoRealValue", "Undecided", "Values", "between", "enclose"]

MAX_FRACTION_BITS = 2_000


class NoRealValue(ArithmeticError):
    """The root or the logarithm of a negative number."""


class AtASingularity(ArithmeticError):
    """A division by zero, or the logarithm of zero."""


class LogOfZero(AtASingularity):
    """0 · log 0 is 0, by convention."""


class NoEntry(NoRealValue):
    """An index beyond the end of an axis; 0 times it is 0."""


class Undecided(ArithmeticError):
    """A sign that this precision does not tell."""


class Values:
    """Values by name, the present values of the indices, and what has been computed with them.

    With `kinks` a step at 0 has no value: a derivative is asked for, and at a kink that is a convention.
    """

    def __init__(self, values: Mapping[str, Any], at: Mapping[Any, int], kinks: bool = False) -> None:
        self.values, self.at, self.kinks = values, dict(at), kinks
        self.memo: dict[Any, Any] = {}


def between(x: Any) -> Any:
    """A number as an enclosure."""
    if isinstance(x, Fraction):
        return iv.mpf(x.numerator) / x.denominator if x.denominator != 1 else iv.mpf(x.numerator)
    return x


def enclose(e: Any, here: Values) -> Any:
    """The value of a term: a Fraction where it is exact, else an enclosure."""
    return _compiled(e)(here)


Run = Callable[[Values], Any]
NUMBERS = count()


@lru_cache(maxsize=20_000)
def _compiled(e: Any) -> Run:
    """A term as a function; what it is worth is kept by the values of the indices on which it depends."""
    plain = _plain(e)
    if e.is_Rational or isinstance(e, Symbol | Index):
        return plain
    number, on = next(NUMBERS), tuple(free(e))

    def remembered(here: Values) -> Any:
        key = (number, *[here.at[i] for i in on])
        found = here.memo.get(key)
        if found is None:
            found = plain(here)
            if isinstance(found, Fraction) and _bits(found) > MAX_FRACTION_BITS:
                found = between(found)
            here.memo[key] = found
        return found

    return remembered


def _bits(x: Fraction) -> int:
    return x.numerator.bit_length() + x.denominator.bit_length()


def _plain(e: Any) -> Run:
    if e.is_Rational:
        number = Fraction(int(e.p), int(e.q))
        return lambda here: number
    if isinstance(e, Symbol):
        name = str(e.name)
        return lambda here: Fraction(here.values[name])
    if isinstance(e, Index):
        return lambda here: Fraction(here.at[e])
    if isinstance(e, Entry):
        return _entry(e)
    if isinstance(e, Sum):
        return _sum(e)
    if e is pi or e is E:
        return lambda here: +iv.pi if e is pi else +iv.e
    parts = [_compiled(a) for a in e.args if type(a).__name__ != "Str"]
    if isinstance(e, Add):
        return lambda here: _total([part(here) for part in parts])
    if isinstance(e, Mul):
        return lambda here: _product(parts, here)
    if isinstance(e, Pow):
        return lambda here: _power(parts[0](here), parts[1](here))
    if isinstance(e, exp):
        return lambda here: _exp(parts[0](here))
    if isinstance(e, log):
        return lambda here: _log(parts[0](here))
    if isinstance(e, Delta):
        return lambda here: Fraction(int(parts[0](here) == parts[1](here)))
    if isinstance(e, Step):
        return lambda here: _step(parts[0](here), here)
    if isinstance(e, Abs):
        return lambda here: abs(parts[0](here))
    if isinstance(e, Opaque):
        # A stand-in for any smooth function: a sine whose phase depends on the name.
        phase = sum(map(ord, str(e.args[0].name))) % 7
        return lambda here: iv.sin(between(parts[1](here)) + phase + between(parts[0](here)) * iv.pi / 2)
    raise TypeError(f"no enclosure for {type(e).__name__}")


def _exp(x: Any) -> Any:
    return Fraction(1) if isinstance(x, Fraction) and x == 0 else iv.exp(between(x))


def _step(x: Any, here: Values) -> Fraction:
    sign = _sign(x)
    if sign == 0 and here.kinks:
        raise AtASingularity("a kink: the derivative is a convention there")
    return Fraction(int(sign > 0))


def _entry(e: Entry) -> Run:
    name, at = str(e.name), [_compiled(i) for i in e.at]

    def look_up(here: Values) -> Any:
        found = here.values[name]
        for i in at:
            n = int(i(here))
            if n < 0 or n >= len(found):
                raise NoEntry(f"{name} has no entry {n}")
            found = found[n]
        return Fraction(found)

    return look_up


def _sum(e: Sum) -> Run:
    index, size, body = e.index, _compiled(e.index.size), _compiled(e.body)

    def add_up(here: Values) -> Any:
        outer = here.at.get(index)
        terms = []
        try:
            for n in range(int(size(here))):
                here.at[index] = n  # the innermost binding wins
                terms.append(body(here))
        finally:
            if outer is None:
                here.at.pop(index, None)
            else:
                here.at[index] = outer
        return _total(terms)

    return add_up


def _total(terms: list[Any]) -> Any:
    exact = sum((t for t in terms if isinstance(t, Fraction)), Fraction(0))
    others = [t for t in terms if not isinstance(t, Fraction)]
    return sum(others, between(exact)) if others else exact


def _product(parts: list[Run], here: Values) -> Any:
    """The product, with the convention 0 · log 0 = 0."""
    exact, others = Fraction(1), None
    missing: ArithmeticError | None = None
    for part in parts:
        try:
            x = part(here)
        except (LogOfZero, NoEntry) as error:
            missing = error
            continue
        if isinstance(x, Fraction):
            exact *= x
        else:
            others = x if others is None else others * x
    if exact == 0:
        return exact
    if missing is not None:
        raise missing
    return exact if others is None else between(exact) * others


def _sign(x: Any) -> int:
    if isinstance(x, Fraction):
        return (x > 0) - (x < 0)
    if x > 0:
        return 1
    if x < 0:
        return -1
    raise Undecided("a sign")


def _log(x: Any) -> Any:
    sign = _sign(x)
    if sign < 0:
        raise NoRealValue("the logarithm of a negative number")
    if sign == 0:
        raise LogOfZero("the logarithm of zero")
    return Fraction(0) if x == 1 else iv.log(between(x))


def _power(base: Any, exponent: Any) -> Any:
    if not isinstance(exponent, Fraction):
        if _sign(base) <= 0:
            raise NoRealValue("a broken power of a negative number")
        return iv.exp(exponent * iv.log(between(base)))
    if exponent.denominator == 1:
        n = int(exponent)
        if n < 0 and (base == 0 if isinstance(base, Fraction) else _sign(base) == 0):
            raise AtASingularity("a division by zero")
        return base**n if abs(n) <= 64 or not isinstance(base, Fraction) else between(base) ** n
    sign = _sign(base)
    if sign < 0:
        raise NoRealValue("the root of a negative number")
    if sign == 0:
        if exponent < 0:
            raise AtASingularity("a division by zero")
        return Fraction(0)
    root = exponent.denominator == 2
    try:
        one = iv.sqrt(between(base)) if root else iv.exp(iv.log(between(base)) / exponent.denominator)
    except ComplexResult:
        raise Undecided("a sign") from None
    return one**exponent.numerator
