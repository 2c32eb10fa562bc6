"""Signs that can be seen: squares, exponentials, sums and products of what is not negative, and proved lemmas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import Add, E, Mul, Pow, pi

from .claim import Lemma
from .terms import Abs, Delta, Held, Step, Sum, exp, log

__all__ = ["at_least_zero"]


def at_least_zero(e: Any, positive: Iterable[Any] = (), lemmas: Iterable[Lemma] = (), strictly: bool = False) -> bool:
    """Whether e is seen to be at least 0, or above 0; `positive` expressions are assumed to be above 0."""
    return _Signs(tuple(positive), {lemma.claim: lemma for lemma in lemmas}).seen(e, strictly)


class _Signs:
    """The assumptions, carried along."""

    def __init__(self, positive: tuple[Any, ...], lemmas: dict[str, Lemma]) -> None:
        self.positive, self.lemmas = positive, lemmas

    def seen(self, e: Any, strictly: bool) -> bool:
        if e in self.positive or e is E or e is pi:
            return True
        if e.is_Rational:
            return bool(e > 0 if strictly else e >= 0)
        if isinstance(e, exp) or e.is_positive:
            return True
        if isinstance(e, Add):
            return all(self.seen(a, False) for a in e.args) and (
                not strictly or any(self.seen(a, True) for a in e.args)
            )
        if isinstance(e, Mul):
            return all(self.seen(a, strictly) for a in e.args)
        if isinstance(e, Sum):  # a sum over an index has at least one term where its size is at least 1
            return self.seen(e.body, strictly) and (not strictly or bool(e.index.size.is_positive))
        if isinstance(e, Pow):
            return self._power(e.args[0], e.args[1], strictly)
        if isinstance(e, log):
            return self.seen(e.args[0] - 1, strictly)
        if isinstance(e, Held):
            return not strictly and self._held(e)
        if isinstance(e, Abs | Step | Delta):
            return not strictly
        return bool(e.is_positive if strictly else e.is_nonnegative)

    def _power(self, base: Any, power: Any, strictly: bool) -> bool:
        if self.seen(base, True):
            return True
        if not strictly and power.is_Integer and power % 2 == 0:
            return True
        return not strictly and bool(power.is_positive) and self.seen(base, False)

    def _held(self, e: Held) -> bool:
        name, _, value = e.args
        lemma = self.lemmas.get(str(name.name))
        return lemma is not None and lemma.at(value) == e and (lemma.domain == "real" or self.seen(value, True))
