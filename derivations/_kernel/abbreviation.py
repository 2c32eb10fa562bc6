"""A formula with names for its parts: s[r, j] for every softmax. For readers only; the prover never sees a name.

A meaning is found whatever its bound indices are called and in whatever order SymPy keeps its terms and factors, also
as some of the factors of a product and some of the terms of a sum; the free indices of the name may stand for any of
their size, a free number of steps for any whole number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from sympy import Add, Dummy, Mul, Pow, Rational, exp

from .terms import Delta, Entry, Expr, Index, Sum, Symbol, free, fresh, mentions, oo, put

__all__ = ["Where", "abbreviated", "legend", "unfolded"]

Where = tuple[tuple[Entry, Any], ...]
Bound = dict[Any, Any]
Factor = tuple[Any, Any]


@lru_cache(maxsize=20_000)
def abbreviated(e: Any, where: Where) -> Any:
    """The expression with names for what they mean, the longest meaning first."""
    for name, meaning in sorted(where, key=lambda named: -_length(named[1])):
        own = {T: Dummy(str(T), integer=True, nonnegative=True) for T in name.at if isinstance(T, Symbol)}
        name, meaning = put(name, own), put(meaning, own)  # the expression may have a T of its own
        e = _folded(e, name, meaning, free(name) | frozenset(own.values()))
    return e


def unfolded(e: Any, where: Where) -> Any:
    """The expression with meanings for names."""
    if isinstance(e, Entry):
        for name, meaning in where:
            if e.name == name.name and len(e.at) == len(name.at):
                return unfolded(put(meaning, dict(zip(name.at, e.at, strict=True))), where)
    if not isinstance(e, Expr) or isinstance(e, Index | Entry) or not e.args:
        return e
    if isinstance(e, Sum):
        return Sum(unfolded(e.body, where), e.index)
    return e.func(*(unfolded(a, where) for a in e.args))


def legend(shown: Sequence[Any], where: Where) -> list[tuple[Entry, Any]]:
    """The names that occur in what is shown, each with its meaning in terms of shorter ones."""
    meanings = {}
    for name, meaning in where:
        shorter = tuple(other for other in where if _length(other[1]) < _length(meaning))
        meanings[name] = abbreviated(meaning, shorter)
    used: set[Entry] = set()
    reached = _entries(shown)
    while more := {name for name in meanings if (name.name, len(name.at)) in reached} - used:
        used |= more
        reached |= _entries([meanings[name] for name in more])
    return [(name, meanings[name]) for name, _ in where if name in used]


def _entries(formulas: Sequence[Any]) -> set[tuple[Any, int]]:
    return {(entry.name, len(entry.at)) for e in formulas for entry in e.atoms(Entry)}


def _length(meaning: Any) -> int:
    return len(str(meaning))


def _folded(e: Any, name: Entry, meaning: Any, wild: frozenset[Any]) -> Any:
    """The expression with the name for every part that is its meaning."""
    steps = {T.name for T in wild if isinstance(T, Symbol)}
    if not isinstance(e, Expr) or not mentions(meaning) - steps <= mentions(e):
        return e
    bound = next(_matchings(meaning, e, wild, {}), None)
    if bound is not None:
        return put(name, bound)
    if isinstance(e, Entry | Index) or not e.args:
        return e
    if isinstance(e, Sum):
        return Sum(_folded(e.body, name, meaning, wild), e.index)
    as_written = isinstance(e, Mul | Add | Pow) and e.func(*e.args) != e
    found = None if as_written else next(_within(name, meaning, e, wild), None)
    if found is not None:
        instance, rest = found
        return e.func(instance, _folded(rest, name, meaning, wild)) if rest is not None else instance
    parts = [_folded(a, name, meaning, wild) for a in e.args]
    folded = e.func(*parts)
    # 2μ² − μ² is not μ² to a reader who is shown how the square was multiplied out.
    gone = isinstance(e, Add) and len(Add.make_args(folded)) < len(parts)
    return e.func(*parts, evaluate=False) if as_written or gone else folded


def _within(name: Entry, meaning: Any, e: Any, wild: frozenset[Any]) -> Iterator[tuple[Any, Any]]:
    """The name, or less it, or one over it, for some terms or factors of e or for its root; and the rest."""
    if isinstance(e, Add) and isinstance(meaning, Add):
        for sign in (1, -1):
            for left, bound in _taken([sign * term for term in meaning.args], list(e.args), wild, {}):
                yield sign * put(name, bound), Add(*left)
    elif isinstance(e, Mul) and isinstance(meaning, Mul):
        for sign in (1, -1):
            wanted = [_power(factor) for factor in Mul.make_args(meaning**sign)]
            for rest, bound in _pulled(wanted, [_power(factor) for factor in e.args], wild, {}):
                yield put(name, bound) ** sign, Mul(*(Pow(base, exponent) for base, exponent in rest))
    elif isinstance(e, Pow) and isinstance(meaning, Pow):
        ratio = e.args[1] / meaning.args[1]
        if ratio.is_Integer or not ratio.is_Rational:
            for bound in _matchings(meaning.args[0], e.args[0], wild, {}):
                yield put(name, bound) ** ratio, None


def _power(factor: Any) -> Factor:
    if isinstance(factor, exp):
        times, argument = factor.args[0].as_coeff_Mul()
        return exp(argument), times
    return (factor.args[0], factor.args[1]) if isinstance(factor, Pow) else (factor, Rational(1))


def _pulled(
    wanted: list[Factor], factors: list[Factor], wild: frozenset[Any], bound: Bound
) -> Iterator[tuple[list[Factor], Bound]]:
    """What is left of the factors when the wanted ones are taken out: x̂ is also in (x − μ)²/(v + ε)."""
    if not wanted:
        yield factors, bound
        return
    (base, power), *others = wanted
    for n, (found, has) in enumerate(factors):
        if base.is_Rational and found == -base:
            yield from _pulled(others, [*factors[:n], (Rational(-1), Rational(1)), *factors[n + 1 :]], wild, bound)
        whole = power.is_Rational and has.is_Rational and power * has > 0 and abs(has) >= abs(power)
        if not whole and power != has:
            continue
        left = [*factors[:n], *([(found, has - power)] if power != has else []), *factors[n + 1 :]]
        for tried in _matchings(base, found, wild, bound):
            yield from _pulled(others, left, wild, tried)


def _taken(
    wanted: list[Any], parts: list[Any], wild: frozenset[Any], bound: Bound
) -> Iterator[tuple[list[Any], Bound]]:
    """What is left of the parts when the wanted ones are taken out."""
    if not wanted:
        yield parts, bound
        return
    for n, part in enumerate(parts):
        for tried in _matchings(wanted[0], part, wild, bound):
            yield from _taken(wanted[1:], [*parts[:n], *parts[n + 1 :]], wild, tried)


def _matchings(pattern: Any, e: Any, wild: frozenset[Any], bound: Bound) -> Iterator[Bound]:
    """Every way in which e is the pattern with something for each wild index."""
    if pattern in wild:
        if pattern in bound:
            fits = bound[pattern] == e
        elif isinstance(pattern, Index) and pattern.size is not oo:
            fits = isinstance(e, Index) and e.size == pattern.size
        else:
            fits = isinstance(e, Expr) and bool(e.is_integer)
        if fits:
            yield {**bound, pattern: e}
    elif isinstance(pattern, Index) or not isinstance(pattern, Expr) or not pattern.args:
        if pattern == e:
            yield bound
    elif isinstance(pattern, Sum):
        if isinstance(e, Sum):
            yield from _summed(pattern, e, wild, bound)
    elif (
        isinstance(e, Expr) and bound and wild & pattern.atoms(Symbol) and not wild & put(pattern, bound).atoms(Symbol)
    ):
        yield from _matchings(put(pattern, bound), e, wild, bound)  # T − 1 − i at T = s + 1 is s − i
    elif type(pattern) is type(e) and len(pattern.args) == len(e.args):
        if isinstance(pattern, Add | Mul | Delta):
            yield from (found for _, found in _taken(list(pattern.args), list(e.args), wild, bound))
        else:
            yield from _each(list(zip(pattern.args, e.args, strict=True)), wild, bound)


def _each(pairs: list[tuple[Any, Any]], wild: frozenset[Any], bound: Bound) -> Iterator[Bound]:
    if not pairs:
        yield bound
        return
    for found in _matchings(*pairs[0], wild, bound):
        yield from _each(pairs[1:], wild, found)


def _summed(pattern: Sum, e: Sum, wild: frozenset[Any], bound: Bound) -> Iterator[Bound]:
    """The sums' sizes, then their bodies with one name for both bound indices, which is no value for a wild one."""
    for sized in _matchings(pattern.index.size, e.index.size, wild, bound):
        put_in = put(pattern, {w: v for w, v in sized.items() if isinstance(w, Symbol)})
        taken = {i.label for i in free(put_in.body) | free(e.body) | wild if isinstance(i, Index)}
        common = fresh("·", e.index.size, taken)
        body, other = put(put_in.body, {put_in.index: common}), put(e.body, {e.index: common})
        for found in _matchings(body, other, wild, sized):
            if not any(common in free(value) for value in found.values()):
                yield found
