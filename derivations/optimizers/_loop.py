"""What the loops have in common: T steps over gradients grads[T, j], moving averages, parameters that add up steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._kernel import Argument
from .._kernel.terms import Σ, Index, Integer, array, indices, scalars, sizes, steps

__all__ = [
    "ALPHA",
    "EPS",
    "GRADS",
    "LR",
    "MOMENTUM",
    "PARAMS",
    "RHO",
    "STEPS",
    "T",
    "THREE",
    "VELOCITY",
    "d",
    "decayed",
    "eps",
    "g",
    "grads",
    "i",
    "j",
    "lr",
    "params",
    "rows",
    "travelled",
    "α",
    "μ",
    "ρ",
]

d = sizes("d")
j = indices("j", d)
T = steps("T")
i = Index("i", T)
lr = scalars("lr")
eps, α, ρ = scalars("eps alpha rho", positive=True)
μ = scalars("momentum", positive=True)
params, grads = array("params"), array("grads")
g = grads[T, j]

PARAMS, GRADS, LR = Argument("params", (d,)), Argument("grads", (T, d)), Argument("lr")
EPS, ALPHA, MOMENTUM = Argument("eps", (), "positive"), Argument("alpha", (), "unit"), Argument("momentum", (), "unit")
RHO, STEPS = Argument("rho", (), "unit"), Argument("T", (), "natural")
VELOCITY = Argument("velocity", (d,))
THREE = Argument("grads", (Integer(3), d))


def decayed(rate: Any, start: Any, what: Callable[[Any], Any], T: Any) -> Any:
    """rate^T · start + Σ_{i<T} rate^(T−1−i) · what(i)."""
    i = Index("i", T)
    return rate**T * start + Σ(rate ** (T - 1 - i) * what(i), i)


def travelled(step: Callable[[Any], Any]) -> Any:
    """The parameters after T steps, where step(s) is what number s (from 0) subtracted."""
    s = Index("s", T)
    return params[j] - Σ(step(s), s)


def rows(update: Callable[[Any, int], Any], start: Any) -> tuple[Any, Any, Any]:
    """What a loop holds after its first three steps, written out."""
    one = update(start, 0)
    two = update(one, 1)
    return one, two, update(two, 2)
