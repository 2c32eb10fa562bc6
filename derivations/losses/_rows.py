"""What the losses have in common: rows of logits and labels, the softmax and the sigmoid, the reductions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sympy import Add, Mul, Pow

from .._kernel import Argument, Claim
from .._kernel.terms import Σ, Index, Sum, array, exp, indices, log, scalars, sizes

__all__ = [
    "ANY_LABELS",
    "BCE",
    "BCE_ARGUMENTS",
    "LABELS",
    "LOGITS",
    "MEAN",
    "ONE_ROW",
    "PER_ROW",
    "ROWS_SUM_TO_ONE",
    "SIGMOID",
    "SOFTMAX",
    "SUM",
    "a",
    "averaged",
    "c",
    "d",
    "f",
    "g",
    "i",
    "j",
    "k",
    "labels",
    "logits",
    "n",
    "of_each_row",
    "p",
    "predictions",
    "q",
    "r",
    "softmax",
    "summed",
    "targets",
    "uncancelled",
    "y1",
    "z1",
    "σ",
    "τ",
]

n, c, d = sizes("n c d")
r, a = indices("r a", n)
i, j, k = indices("i j k", c)
f, g = indices("f g", d)
p, q = array("p", positive=True), array("q", positive=True)
logits, labels = array("logits"), array("labels")
predictions, targets = array("predictions"), array("targets")
τ = scalars("temperature", positive=True)


def softmax(r: Any, j: Any) -> Any:
    """Entry (r, j) of the softmax of the logits, row by row."""
    return exp(logits[r, j]) / Σ(exp(logits[r, k]), k)


def σ(x: Any) -> Any:
    """The logistic sigmoid."""
    return 1 / (1 + exp(-x))


def uncancelled(*factors: Any, over: Any) -> Any:
    """A quotient as it is written: SymPy would cancel what a line is there to show."""
    return Mul(Pow(over, -1, evaluate=False), *factors, evaluate=False)


LOGITS = Argument("logits", (n, c))
LABELS = Argument("labels", (n, c), "labels")
ANY_LABELS = Argument("labels", (n, c))
SOFTMAX = ((array("s")[r, j], softmax(r, j)),)
SIGMOID = ((array("σ")[r], σ(logits[r])),)
MEAN, SUM, PER_ROW = {"reduction": "mean"}, {"reduction": "sum"}, {"reduction": "none"}
ROWS_SUM_TO_ONE = ((Σ(labels[r, j], j), 1),)
ONE_ROW = -Σ(labels[r, j] * log(softmax(r, j)), j)

z1, y1 = logits[r], labels[r]
BCE_ARGUMENTS = (Argument("logits", (n,)), Argument("labels", (n,), "unit"))
BCE = -Σ(y1 * log(σ(z1)) + (1 - y1) * log(1 - σ(z1)), r) / n


def summed(mean: Claim, statement: str) -> Claim:
    """The same of the sum over the rows: every side of a claim about their mean, times their number."""
    return _reduced(mean, "summed", statement, "sum", lambda side: n * side)


def averaged(total: Claim, statement: str) -> Claim:
    """The same of the mean over the rows: every side of a claim about their sum, over their number."""
    return _reduced(total, "averaged", statement, "mean", lambda side: side / n)


def of_each_row(mean: Claim, statement: str) -> Claim:
    """The same of each row: what the sums over the rows, in a claim about their mean, are sums of."""

    def terms(side: Any) -> Any:
        total = Add(*(n * term for term in Add.make_args(side)))
        factors = (factor for term in Add.make_args(total) for factor in Mul.make_args(term))
        return total.xreplace({f: f.body for f in factors if isinstance(f, Sum) and f.index == r})

    return _reduced(mean, "of_each_row", statement, "none", terms, axes=(r,))


def _reduced(
    claim: Claim,
    ending: str,
    statement: str,
    reduction: str,
    side: Callable[[Any], Any],
    axes: tuple[Index, ...] = (),
) -> Claim:
    return replace(
        claim,
        name=f"{claim.backs or claim.name}_{ending}",
        statement=statement,
        parts=tuple(
            replace(
                part,
                left=side(part.left),
                right=side(part.right),
                axes=axes or part.axes,
                lines=tuple(replace(line, value=side(line.value)) for line in part.lines),
            )
            for part in claim.parts
        ),
        covers={**claim.covers, "reduction": reduction},
        backs=claim.backs or claim.name,
    )
