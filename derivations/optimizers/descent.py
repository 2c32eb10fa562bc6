"""Gradient descent: the sum of the steps, and a quadratic on which every direction shrinks by its own factor."""

from __future__ import annotations

from .._kernel import Argument, Claim, Induction, Line, Part, State
from .._kernel.terms import Σ, Index, array, indices
from ._loop import GRADS, LR, PARAMS, T, d, g, grads, j, lr, params

sgd = Induction(
    name="optimizers.sgd",
    statement="After T steps of gradient descent the parameters have moved by −lr times the sum of the gradients.",
    step=T,
    states=(State(params[j], params[j] - lr * g, params[j] - lr * Σ(grads[Index("i", T), j], Index("i", T)), (j,)),),
    arguments=(PARAMS, GRADS, LR),
    ids=("B20", "B30", "C07", "D26"),
    source="w ← w − λ ∂L/∂w",
)

L, w = array("curvature"), params
k = indices("k", d)
CURVATURE = Argument("curvature", (d,))
FACTOR = 1 - lr * L[j]

gradient_descent_on_a_quadratic = Induction(
    name="optimizers.gradient_descent_on_a_quadratic",
    statement="On Σ L_j w_j²/2, T steps of gradient descent multiply w_j by (1 − lr L_j)^T.",
    step=T,
    states=(State(w[j], w[j] - lr * (L[j] * w[j]), FACTOR**T * w[j], (j,)),),
    arguments=(PARAMS, CURVATURE, LR, Argument("steps", (T,))),
    inputs="steps",
    ids=("B20", "D26"),
    source="w_T = (1 − εL)^T w_0",
    note="Only the number of the entries of `steps` counts: the gradient L_j w_j is that of the loop's own parameters.",
)

QUADRATIC = Σ(L[k] * w[k] ** 2, k) / 2

descent_on_a_quadratic_gains_by_the_curvature = Claim(
    name="optimizers.descent_on_a_quadratic_gains_by_the_curvature",
    statement="The squared factor of a direction falls short of 1 by lr L (2 − lr L): one step gains iff 0 < lr L < 2.",
    parts=(
        Part(left=QUADRATIC, by=w[j], axes=(j,), right=L[j] * w[j], output="gradient"),
        Part(
            left=1 - FACTOR**2,
            right=lr * L[j] * (2 - lr * L[j]),
            axes=(j,),
            output="factor",
        ),
        Part(
            left=QUADRATIC - Σ(L[k] * (w[k] - lr * (L[k] * w[k])) ** 2, k) / 2,
            right=Σ(L[k] * w[k] ** 2 / 2 * (lr * L[k] * (2 - lr * L[k])), k),
            lines=(Line(Σ(L[k] * w[k] ** 2 * (1 - (1 - lr * L[k]) ** 2), k) / 2, "every w_k shrinks by its factor"),),
            output="gain",
        ),
    ),
    arguments=(PARAMS, CURVATURE, LR),
    ids=("B20", "C05"),
    source="1 − (1 − εL)² = εL(2 − εL)",
)
