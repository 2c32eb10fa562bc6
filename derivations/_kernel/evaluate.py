"""The value of an expression at any precision; shares nothing with the prover but the language of terms.

An expression is compiled once into closures. A sum is a loop over the values of its index; the value of every node is
kept by the values of the indices on which it depends, so that a normalising sum is computed once for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import mpmath
from mpmath import mp
from sympy import Add, E, Mul, Pow, sympify

from .claim import Claim, Induction, State
from .terms import Abs, Delta, Entry, Index, Opaque, Step, Sum, Symbol, exp, free, log, mentions, pi

__all__ = ["Scope", "evaluate", "scope", "table", "value"]

GUARD = 15  # digits more than asked for, so that rounding inside an expression does not reach the last digit asked for


class Scope(NamedTuple):
    """Values by name, the indices' present values, and what has been computed with them."""

    values: Mapping[str, Any]
    at: dict[Any, int]
    memo: dict[Any, Any]


Run = Callable[[Scope], Any]


def evaluate(claim: Claim | Induction, arguments: Mapping[str, object], digits: int) -> dict[str, Any]:
    """The proved right-hand sides at concrete arguments (numbers and nested lists), by output name.

    A loop's `trajectory` is given after each of its steps, its other variables after the last.
    """
    with mp.workdps(digits + GUARD):
        here = scope(claim, arguments)
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
        here = _after(claim, t, Scope(here.values, {}, kept))
        rows.append(table(state.closed, state.axes, here))
    return rows


def _after(claim: Induction, t: int, here: Scope) -> Scope:
    return Scope({**here.values, str(claim.step): t}, {}, here.memo)


def _require(claim: Claim | Induction, arguments: Mapping[str, object], values: list[Any]) -> None:
    needed = frozenset[str]().union(*map(mentions, values))
    missing = [a.name for a in claim.arguments if a.name in needed - set(arguments) and a.default is None]
    if missing:
        raise TypeError(f"{claim.name} needs {', '.join(missing)}")


def scope(claim: Claim | Induction, arguments: Mapping[str, object]) -> Scope:
    """The values of a claim's arguments, and of the sizes of their axes."""
    values: dict[str, Any] = {}
    for argument in claim.arguments:
        if argument.name not in arguments and argument.default is None:
            continue
        given = _nested(arguments.get(argument.name, argument.default))
        values[argument.name] = given
        for size in argument.shape:
            if not isinstance(given, list):
                raise ValueError(f"{argument.name} must have {len(argument.shape)} axes")
            if size.is_Symbol and values.setdefault(str(size), len(given)) != len(given):
                raise ValueError(f"axis {size} of {argument.name} has {len(given)} values, not {values[str(size)]}")
            if not given:
                break  # no rows (no step taken): the other axes are known from other arguments
            given = given[0]
    return Scope(values, {}, {})


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


def _nested(given: Any) -> Any:
    """Numbers as they are (a float is the binary fraction it stands for), sequences as lists."""
    if hasattr(given, "tolist"):
        given = given.tolist()
    if isinstance(given, list | tuple):
        return [_nested(g) for g in given]
    if isinstance(given, Fraction):
        return mp.mpf(given.numerator) / given.denominator
    return given if isinstance(given, int | mpmath.mpf) else mpmath.mpf(float(given))


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
        return (lambda here: p) if q == 1 else (lambda here: mp.mpf(p) / q)
    if e is pi or e is E:
        return (lambda here: +mp.pi) if e is pi else (lambda here: +mp.e)
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
        if e.args[1] == Fraction(1, 2):
            return lambda here: _real(mp.sqrt(base(here)))
        return lambda here: _power(base(here), power(here))
    if isinstance(e, exp):
        return lambda here: mp.exp(args[0](here))
    if isinstance(e, log):
        return lambda here: _real(mp.log(args[0](here)))
    if isinstance(e, Delta):
        return lambda here: int(args[0](here) == args[1](here))
    if isinstance(e, Step):
        return lambda here: int(args[0](here) > 0)
    if isinstance(e, Abs):
        return lambda here: abs(args[0](here))
    if isinstance(e, Opaque):
        # A stand-in for "any function": a sine whose phase depends on the name; its derivatives are known at any order.
        phase = sum(map(ord, str(e.args[0].name))) % 7
        return lambda here: mp.sin(args[1](here) + phase + args[0](here) * mp.pi / 2)
    raise TypeError(f"no value for {type(e).__name__}")


def _is_label(a: Any) -> bool:
    return type(a).__name__ == "Str"


def _entry(e: Entry) -> Run:
    name, at = str(e.name), tuple(_compiled(i) for i in e.at)

    def look_up(here: Scope) -> Any:
        found = here.values[name]
        for i in at:
            n = int(i(here))
            if n < 0:
                raise IndexError(f"{e} at {n}")
            found = found[n]
        return found

    return look_up


def _loop(e: Sum) -> Run:
    index, body, size = e.index, _compiled(e.body), _compiled(e.index.size)

    def add_up(here: Scope) -> Any:
        outer = here.at.get(index)
        total: Any = 0
        for n in range(int(size(here))):
            here.at[index] = n  # the innermost binding wins
            total = total + body(here)
        if outer is None:
            here.at.pop(index, None)
        else:
            here.at[index] = outer
        return total

    return add_up


def _product(factors: list[Any]) -> Any:
    """The product, with the convention 0 · log 0 = 0."""
    if any(f == 0 for f in factors):
        return 0
    product: Any = 1
    for f in factors:
        product = product * f
    return product


def _power(base: Any, power: Any) -> Any:
    return 1 / mp.mpf(base) if power == -1 else _real(mp.mpf(base) ** power)


def _real(result: Any) -> Any:
    """Every claim speaks of real numbers: the root or the log of a negative one is an error."""
    if isinstance(result, mpmath.mpc):
        raise ValueError("the root or logarithm of a negative number")
    return result
