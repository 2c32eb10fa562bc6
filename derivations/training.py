"""Training: the linear softmax classifier with an L2 penalty; rows are samples."""

from __future__ import annotations

from typing import Any

from ._kernel import Argument, Claim, Line, Part
from ._kernel.terms import Σ, array, exp, indices, log, scalars, sizes, δ

n, d, c = sizes("n d c")
r = indices("r", n)
f, p = indices("f p", d)
i, j, k = indices("i j k", c)
W, x, labels = map(array, ("W", "x", "labels"))
l2 = scalars("l2")


def z(r: Any, j: Any) -> Any:
    """Entry (r, j) of the logits xW."""
    return Σ(x[r, f] * W[f, j], f)


def s(r: Any, j: Any) -> Any:
    """Entry (r, j) of the softmax of the logits."""
    return exp(z(r, j)) / Σ(exp(z(r, k)), k)


PENALTY = l2 * Σ(W[f, j] ** 2, f, j)
LOSS = -Σ(labels[r, j] * log(s(r, j)), r, j) / n + PENALTY
WEIGHTS, X, L2 = Argument("W", (d, c)), Argument("x", (n, d)), Argument("l2")

softmax_regression = Claim(
    name="training.softmax_regression",
    statement="The classifier's loss is the mean of (Σ labels) log Σ exp z − Σ labels · z with z = xW, plus l2 Σ W².",
    parts=(
        Part(
            left=LOSS,
            right=Σ(Σ(labels[r, j], j) * log(Σ(exp(z(r, k)), k)) - Σ(labels[r, j] * z(r, j), j), r) / n + PENALTY,
        ),
    ),
    arguments=(WEIGHTS, X, Argument("labels", (n, c)), L2),
    covers={"reduction": "mean"},
    ids=("B21", "B22", "C04", "C08"),
    source="L = (1/N) Σ L_i + λ R(W)",
)

softmax_regression_grad = Claim(
    name="training.softmax_regression_grad",
    statement="The gradient of the classifier's loss by its weights is xᵀ(softmax − labels)/n + 2 l2 W.",
    parts=(
        Part(
            left=LOSS,
            by=W[p, i],
            axes=(p, i),
            right=Σ(x[r, p] * (s(r, i) - labels[r, i]), r) / n + 2 * l2 * W[p, i],
            lines=(
                Line(
                    -Σ(labels[r, j] * (δ(i, j) - s(r, i)) * x[r, p], r, j) / n + 2 * l2 * W[p, i],
                    "∂ log s_j / ∂z_i = δ_ij − s_i and ∂z_i / ∂W_pi = x_p",
                ),
            ),
        ),
    ),
    arguments=(WEIGHTS, X, Argument("labels", (n, c), "labels"), L2),
    given=((Σ(labels[r, j], j), 1),),
    covers={"reduction": "mean"},
    ids=("B23", "B24", "C08", "B15"),
    source="∂L/∂W = xᵀ(s − y)/N + 2λW",
    note="Needs labels whose rows sum to one.",
)

a, b = array("a"), array("b")

steepest_descent_by_the_lagrange_identity = Claim(
    name="training.steepest_descent_by_the_lagrange_identity",
    statement="‖a‖²‖b‖² − (a·b)² is half a sum of squares, so no step of one length descends faster than −gradient.",
    parts=(
        Part(
            left=Σ(a[f] ** 2, f) * Σ(b[f] ** 2, f) - Σ(a[f] * b[f], f) ** 2,
            right=Σ((a[f] * b[p] - a[p] * b[f]) ** 2, f, p) / 2,
        ),
    ),
    arguments=(Argument("a", (d,)), Argument("b", (d,))),
    ids=("C05",),
    source="Cauchy–Schwarz",
)
