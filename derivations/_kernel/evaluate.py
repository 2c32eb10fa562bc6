"""The value of an expression in floats, many digits, intervals or fractions; it shares only the terms with the prover.

An expression is compiled once into closures. A sum is a loop over the values of its index; the value of every node is
kept by the values of the indices on which it depends, so that a normalising sum is computed once for each row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import mpmath
from mpmath import iv, mp
from sympy import Add, E, Mul, Pow, sympify

from .claim import Claim, Induction, State
from .terms import Abs, Delta, Entry, Held, Index, Opaque, Step, Sum, Symbol, exp, free, log, mentions, oo, pi

__all__ = [
    "DIGITS", "FLOATS", "FRACTIONS", "INTERVALS", "Arithmetic", "Scope", "evaluate", "scope", "table", "value",
]  # fmt: skip

GUARD = 15  # digits more than asked for, so that rounding inside an expression does not reach the last digit asked for


class Arithmetic(NamedTuple):
    """The numbers in which an expression is evaluated; `number` makes one from an int, float, Fraction or mpf."""

    number: Callable[[Any], Any]
    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    sin: Callable[[Any], Any]
    power: Callable[[Any, Any], Any]
    step: Callable[[Any], Any]
    pi: Callable[[], Any]


def _many_digits(x: Any) -> Any:
    if isinstance(x, Fraction):
        return mp.mpf(x.numerator) / x.denominator
    return x if isinstance(x, int | mpmath.mpf) else mpmath.mpf(float(x))


def _interval(x: Any) -> Any:
    if isinstance(x, Fraction):
        return iv.mpf(x.numerator) / x.denominator
    return x if isinstance(x, int | iv.mpf) else iv.mpf(x)


def _interval_log(x: Any) -> Any:
    x = iv.mpf(x)
    if x.a <= 0:
        raise ValueError("the logarithm of a number that may be negative or zero")
    return iv.log(x)


def _interval_power(base: Any, power: Any) -> Any:
    """A whole power is a product; any other needs a base that is not negative."""
    base, exponent = iv.mpf(base), iv.mpf(_interval(power))
    if exponent.a == exponent.b and mp.isint(mp.mpf(exponent.a)):
        whole = int(mp.mpf(exponent.a))
        if whole < 0 and base.a <= 0 <= base.b:
            raise ZeroDivisionError("division by a number that may be zero")
        return base**whole
    if base.a < 0 or (base.a == 0 and not exponent.a > 0):
        raise ValueError("the root of a number that may be negative")
    if power == Fraction(1, 2):
        return iv.sqrt(base)
    if base.a > 0:
        return iv.exp(exponent * iv.log(base))
    # A positive power grows with its base, from 0.
    top = iv.exp(exponent * iv.log(iv.mpf(base.b))).b if base.b > 0 else 0
    return iv.mpf([0, top])


def _interval_step(x: Any) -> Any:
    x = iv.mpf(x)
    return 1 if x.a > 0 else 0 if x.b <= 0 else iv.mpf([0, 1])


def _float_power(base: Any, power: Any) -> Any:
    if base < 0 and power != int(power):
        raise ValueError("the root of a negative number")
    return float(base) ** (int(power) if power == int(power) else float(power))


def _fraction_power(base: Any, power: Any) -> Any:
    if power != int(power):
        raise TypeError("a root has no exact fraction")
    return Fraction(base) ** int(power)


def _no_fraction(*_: Any) -> Any:
    raise TypeError("exp, log, π and e have no exact fraction")


def _digits_power(base: Any, power: Any) -> Any:
    if power == -1:
        return 1 / mp.mpf(base)
    return _real(mp.sqrt(base) if power == Fraction(1, 2) else mp.mpf(base) ** _many_digits(power))


def _sharp_step(x: Any) -> int:
    return int(x > 0)


FLOATS = Arithmetic(float, math.exp, math.log, math.sin, _float_power, _sharp_step, lambda: math.pi)
DIGITS = Arithmetic(
    _many_digits, lambda x: mp.exp(x), lambda x: _real(mp.log(x)), lambda x: mp.sin(x), _digits_power, _sharp_step,
    lambda: +mp.pi,
)  # fmt: skip
INTERVALS = Arithmetic(
    _interval, lambda x: iv.exp(x), _interval_log, lambda x: iv.sin(x), _interval_power, _interval_step, lambda: +iv.pi
)
FRACTIONS = Arithmetic(Fraction, _no_fraction, _no_fraction, _no_fraction, _fraction_power, _sharp_step, _no_fraction)


class Scope(NamedTuple):
    """Values by name, the indices' present values, what has been computed with them, and the kind of numbers."""

    values: Mapping[str, Any]
    at: dict[Any, int]
    memo: dict[Any, Any]
    numbers: Arithmetic = DIGITS


class Padded(list[Any]):
    """An axis outside of which every value is 0."""


Run = Callable[[Scope], Any]


def evaluate(
    claim: Claim | Induction, arguments: Mapping[str, object], digits: int = 50, numbers: Arithmetic = DIGITS
) -> dict[str, Any]:
    """The proved right-hand sides at concrete arguments (numbers and nested lists), by output name.

    A loop's `trajectory` is given after each of its steps, its other variables after the last. `digits` is the
    precision of DIGITS and INTERVALS; FLOATS are float64 and FRACTIONS exact (TypeError where they meet exp or a root).
    """
    before, iv.dps = iv.dps, digits + GUARD
    try:
        with mp.workdps(digits + GUARD):
            return _evaluated(claim, arguments, numbers)
    finally:
        iv.dps = before


def _evaluated(claim: Claim | Induction, arguments: Mapping[str, object], numbers: Arithmetic) -> dict[str, Any]:
    here = scope(claim, arguments, numbers)
    if isinstance(claim, Claim):
        _require(claim, arguments, [part.right for part in claim.parts])
        return {part.output: table(part.right, part.axes, here) for part in claim.parts}
    _require(claim, arguments, [state.closed for state in claim.states])
    total = len(here.values[claim.inputs])
    return {
        state.name: _trajectory(claim, state, total, here)
        if state.name == claim.trajectory
        else table(state.closed, state.axes, _after(claim, total, here))
        for state in claim.states
    }


def _trajectory(claim: Induction, state: State, total: int, here: Scope) -> list[Any]:
    rows = []
    for t in range(1, total + 1):
        # What does not depend on the number of steps has been computed for the row before.
        kept = {key: found for key, found in here.memo.items() if str(claim.step) not in mentions(key[0])}
        here = _after(claim, t, Scope(here.values, {}, kept, here.numbers))
        rows.append(table(state.closed, state.axes, here))
    return rows


def _after(claim: Induction, t: int, here: Scope) -> Scope:
    return Scope({**here.values, str(claim.step): t}, {}, here.memo, here.numbers)


def _require(claim: Claim | Induction, arguments: Mapping[str, object], values: list[Any]) -> None:
    needed = frozenset[str]().union(*map(mentions, values))
    missing = [a.name for a in claim.arguments if a.name in needed - set(arguments) and a.default is None]
    if missing:
        raise TypeError(f"{claim.name} needs {', '.join(missing)}")


def scope(claim: Claim | Induction, arguments: Mapping[str, object], numbers: Arithmetic = DIGITS) -> Scope:
    """The values of a claim's arguments, and of the sizes of their axes."""
    values: dict[str, Any] = {}
    for argument in claim.arguments:
        if argument.name not in arguments and argument.default is None:
            continue
        given = _nested(arguments.get(argument.name, argument.default), numbers, Padded if argument.padded else list)
        values[argument.name] = given
        for size in argument.shape:
            if not isinstance(given, list):
                raise ValueError(f"{argument.name} must have {len(argument.shape)} axes")
            if size.is_Symbol and values.setdefault(str(size), len(given)) != len(given):
                raise ValueError(f"axis {size} of {argument.name} has {len(given)} values, not {values[str(size)]}")
            if not given:
                break  # no rows (no step taken): the other axes are known from other arguments
            given = given[0]
    return Scope(values, {}, {}, numbers)


def table(e: Any, axes: tuple[Index, ...], here: Scope) -> Any:
    """The values of e over its free indices, as nested lists."""
    if not axes:
        return value(e, here)
    rows = []
    for n in range(_size(axes[0], here)):
        here.at[axes[0]] = n
        rows.append(table(e, axes[1:], here))
    del here.at[axes[0]]
    return rows


def value(e: Any, here: Scope) -> Any:
    """The value of e where every free index has one."""
    return _compiled(sympify(e))(here)


def _size(index: Index, here: Scope) -> int:
    return int(_compiled(index.size)(here))


def _nested(given: Any, numbers: Arithmetic, axis: type[list[Any]]) -> Any:
    """Numbers in the wanted arithmetic (a float is the binary fraction it stands for), sequences as lists."""
    if hasattr(given, "tolist"):
        given = given.tolist()
    if isinstance(given, list | tuple):
        return axis(_nested(g, numbers, axis) for g in given)
    return given if isinstance(given, int) else numbers.number(given)


@lru_cache(maxsize=20_000)
def _compiled(e: Any) -> Run:
    plain = _plain(e)
    if not isinstance(e, Sum | exp | log | Pow | Mul | Add):
        return plain
    # Indices of a size that depends on another index are themselves bound, so nodes are what tells indices apart.
    on = tuple(free(e))

    def remembered(here: Scope) -> Any:
        key = (e, *[here.at[i] for i in on])
        found = here.memo.get(key)
        if found is None:
            found = here.memo[key] = plain(here)
        return found

    return remembered


def _plain(e: Any) -> Run:
    if e.is_Rational:
        p, q = int(e.p), int(e.q)
        return (lambda here: p) if q == 1 else (lambda here: here.numbers.number(Fraction(p, q)))
    if e is pi or e is E:
        return (lambda here: here.numbers.pi()) if e is pi else (lambda here: here.numbers.exp(1))
    if isinstance(e, Symbol):
        name = str(e.name)
        return lambda here: here.values[name]
    if isinstance(e, Index):
        return lambda here: here.at[e]
    if isinstance(e, Entry):
        return _entry(e)
    if isinstance(e, Sum):
        return _loop(e)
    args = tuple(_compiled(a) for a in e.args if not _is_label(a))
    if isinstance(e, Add):
        return lambda here: sum((a(here) for a in args), 0)
    if isinstance(e, Mul):
        return lambda here: _product([a(here) for a in args])
    if isinstance(e, Pow):
        base, power = args
        if e.args[1].is_Rational:
            n = int(e.args[1].p) if e.args[1].is_Integer else Fraction(int(e.args[1].p), int(e.args[1].q))
            return lambda here: here.numbers.power(base(here), n)
        return lambda here: here.numbers.power(base(here), power(here))
    if isinstance(e, exp):
        return lambda here: here.numbers.exp(args[0](here))
    if isinstance(e, log):
        return lambda here: here.numbers.log(args[0](here))
    if isinstance(e, Delta):
        return lambda here: int(args[0](here) == args[1](here))
    if isinstance(e, Step):
        return lambda here: here.numbers.step(args[0](here))
    if isinstance(e, Held):
        return args[0]
    if isinstance(e, Abs):
        return lambda here: abs(args[0](here))
    if isinstance(e, Opaque):
        # A stand-in for "any function": a sine whose phase depends on the name; its derivatives are known at any order.
        phase = sum(map(ord, str(e.args[0].name))) % 7
        return lambda here: here.numbers.sin(args[1](here) + phase + args[0](here) * here.numbers.pi() / 2)
    raise TypeError(f"no value for {type(e).__name__}")


def _is_label(a: Any) -> bool:
    return type(a).__name__ == "Str"


def _entry(e: Entry) -> Run:
    name, at = str(e.name), tuple(_compiled(i) for i in e.at)

    def look_up(here: Scope) -> Any:
        found = here.values[name]
        for i in at:
            n = int(i(here))
            if isinstance(found, Padded) and not 0 <= n < len(found):
                return 0
            if n < 0:
                raise IndexError(f"{e} at {n}")
            found = found[n]
        return found

    return look_up


def _loop(e: Sum) -> Run:
    index, body = e.index, _compiled(e.body)
    if _nothing(e.body):
        return lambda here: 0
    span = _span(e) if index.size is oo else _finite(_compiled(index.size))

    def add_up(here: Scope) -> Any:
        outer = here.at.get(index)
        total: Any = 0
        for n in span(here):
            here.at[index] = n  # the innermost binding wins
            total = total + body(here)
        if outer is None:
            here.at.pop(index, None)
        else:
            here.at[index] = outer
        return total

    return add_up


def _nothing(body: Any) -> bool:
    return bool(body == 0) or (isinstance(body, Sum) and _nothing(body.body))


def _finite(size: Run) -> Callable[[Scope], range]:
    return lambda here: range(int(size(here)))


def _span(e: Sum) -> Callable[[Scope], range]:
    """The integers at which the body may differ from 0: where padded factors at ±index + rest are inside their axis."""
    bounds = []
    for entry, bound in _factors(e.body, frozenset()):
        for axis, at in enumerate(entry.at):
            for sign in (1, -1):
                rest = (at - sign * e.index).expand()
                if not free(rest) & (bound | {e.index}):
                    bounds.append((str(entry.name), axis, sign, _compiled(rest)))

    def span(here: Scope) -> range:
        low, high = [], []
        for name, axis, sign, rest in bounds:
            values = here.values[name]
            for _ in range(axis):
                values = values[0]
            if isinstance(values, Padded):
                ends = sorted(sign * (n - int(rest(here))) for n in (0, len(values) - 1))
                low.append(ends[0])
                high.append(ends[1])
        if not low:
            raise ValueError(f"no factor says where a sum over all integers ends: {e}")
        return range(max(low), min(high) + 1)

    return span


def _factors(e: Any, bound: frozenset[Index]) -> list[tuple[Entry, frozenset[Index]]]:
    """The entries by which all of e is multiplied, each with the indices that are bound around it."""
    if isinstance(e, Entry):
        return [(e, bound)]
    if isinstance(e, Sum):
        return _factors(e.body, bound | {e.index})
    if isinstance(e, Pow) and e.args[1].is_Integer and e.args[1] > 0:
        return _factors(e.args[0], bound)
    return [found for a in e.args for found in _factors(a, bound)] if isinstance(e, Mul) else []


def _product(factors: list[Any]) -> Any:
    """The product, with the convention 0 · log 0 = 0."""
    if any(f == 0 for f in factors):
        return 0
    product: Any = 1
    for f in factors:
        product = product * f
    return product


def _real(result: Any) -> Any:
    """Every claim speaks of real numbers: the root or the log of a negative one is an error."""
    if isinstance(result, mpmath.mpc):
        raise ValueError("the root or logarithm of a negative number")
    return result
