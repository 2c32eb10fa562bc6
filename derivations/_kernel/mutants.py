"""Wrong variants of a right-hand side: a sign, a lost term or factor, another index or exponent, a dropped sum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy import Add, I, Mul, Pow, nan, oo, zoo

from .terms import Entry, Index, Sum, exp, log, put

__all__ = ["variants"]


def variants(e: Any, axes: tuple[Index, ...]) -> Iterator[Any]:
    """Every expression that differs from e in one place and is a real number."""
    yield -e
    yield e + 1
    yield from (variant for variant in _changed(e, axes) if _real(variant))


def _real(e: Any) -> bool:
    """Whether no part is infinite, complex or no number; the size of an index may be infinite."""
    if not hasattr(e, "is_commutative"):
        return True  # a name
    return isinstance(e, Index) or (e not in (I, nan, oo, -oo, zoo) and all(map(_real, e.args)))


def _changed(e: Any, known: tuple[Index, ...]) -> Iterator[Any]:
    yield from _here(e, known)
    if isinstance(e, Sum):
        for body in _changed(e.body, (*known, e.index)):
            yield Sum(body, e.index)
    elif not isinstance(e, Entry | Index):
        for n, argument in enumerate(e.args):
            if not _is_a_sign(argument, e) and hasattr(argument, "is_commutative"):
                for variant in _changed(argument, known):
                    yield e.func(*e.args[:n], variant, *e.args[n + 1 :])


def _is_a_sign(argument: Any, parent: Any) -> bool:
    """−1 as factor or exponent; what could be wrong with it is tried one level above."""
    return argument == -1 and isinstance(parent, Mul | Pow)


def _here(e: Any, known: tuple[Index, ...]) -> Iterator[Any]:
    if isinstance(e, Add):
        for n, term in enumerate(e.args):
            others = Add(*e.args[:n], *e.args[n + 1 :])
            yield others
            yield others - term
    elif isinstance(e, Mul):
        for n, factor in enumerate(e.args):
            yield Mul(*e.args[:n], *e.args[n + 1 :]) if factor != -1 else -e
    elif isinstance(e, Pow):
        base, power = e.args
        yield base
        yield base**-power
        yield base ** (power + 1)
    elif isinstance(e, exp):
        yield exp(-e.args[0])
        yield e.args[0]
    elif isinstance(e, log):
        yield e.args[0]
    elif isinstance(e, Sum):
        yield from (put(e.body, {e.index: other}) for other in known if other.size == e.index.size)
    elif isinstance(e, Entry):
        yield 2 * e
        yield from _entries(e, known)
    elif e.is_Rational:
        yield e + 1


def _entries(e: Entry, known: tuple[Index, ...]) -> Iterator[Entry]:
    for n, at in enumerate(e.at):
        for other in known:
            if isinstance(at, Index) and other.size == at.size and other != at:
                yield Entry(e.name, *e.at[:n], other, *e.at[n + 1 :])
        if isinstance(at, Add):  # a place reckoned from others: one further, or without one of its terms
            for place in (at + 1, *(at - term for term in at.args), *(at - 2 * term for term in at.args)):
                yield Entry(e.name, *e.at[:n], place, *e.at[n + 1 :])
