"""Regularization: penalties on the weights, weight decay, ridge regression, bounds on norms, dropout."""

from __future__ import annotations

from typing import Any

from ._kernel import Argument, Claim, Erratum, Induction, Line, Part, Space, State
from ._kernel.terms import Σ, Abs, Index, Integer, Opaque, Step, array, indices, scalars, sizes, sqrt, steps, δ

d, n, c = sizes("d n c")
j, i, k = indices("j i k", d)
r, a = indices("r a", n)
o, q = indices("o q", c)
T = steps("T")
w, x, y, W, targets = map(array, ("w", "x", "y", "W", "targets"))
params, grads = array("params"), array("grads")
lr, l2 = scalars("lr l2")
bound = scalars("max_norm", positive=True)

WEIGHTS, LR, L2 = Argument("w", (d,)), Argument("lr"), Argument("l2")
INPUTS = Argument("x", (n, d))


def sign(u: Any) -> Any:
    """1 above zero, −1 below it, 0 at zero."""
    return Step(u) - Step(-u)


l2_penalty = Claim(
    name="regularization.l2_penalty",
    statement="The squared norm of the weights is wᵀw, the sum of their squares.",
    parts=(Part(left=Σ(w[i] * Σ(δ(i, j) * w[j], j), i), right=Σ(w[j] ** 2, j)),),
    arguments=(WEIGHTS,),
    ids=("B21", "B22"),
    source="R(w) = wᵀw = Σ w_i²",
)

l2_penalty_grad = Claim(
    name="regularization.l2_penalty_grad",
    statement="The gradient of Σ w² is 2w.",
    parts=(
        Part(
            left=Σ(w[i] ** 2, i),
            by=w[j],
            axes=(j,),
            right=2 * w[j],
            lines=(Line(Σ(2 * w[i] * δ(i, j), i), "∂w_i/∂w_j = δ_ij, in every term of the sum"),),
        ),
    ),
    arguments=(WEIGHTS,),
    ids=("B24", "B21"),
    source="∂ Σ w_i² / ∂w_j = 2w_j",
)

PENALISED = Opaque("L", 0, Σ(x[0, i] * w[i], i)) + l2 * Σ(w[i] ** 2, i)

l2_penalty_adds_to_the_gradient = Claim(
    name="regularization.l2_penalty_adds_to_the_gradient",
    statement="The gradient of L + l2 Σ w² is that of L plus 2 l2 w, for any smooth loss L of a linear unit.",
    parts=(
        Part(
            left=PENALISED,
            by=w[j],
            axes=(j,),
            right=Opaque("L", 1, Σ(x[0, i] * w[i], i)) * x[0, j] + 2 * l2 * w[j],
        ),
    ),
    arguments=(WEIGHTS, Argument("x", (Integer(1), d)), L2),
    ids=("B22", "B23", "C08"),
    source="∂L_total/∂w = ∂L/∂w + r ∂R/∂w",
    note="The total loss, the loss and the penalty are three functions: L + r R(w).",
)

absolute_value_is_the_weight_times_its_sign = Claim(
    name="regularization.absolute_value_is_the_weight_times_its_sign",
    statement="A weight's absolute value is the weight above zero and minus the weight below it.",
    parts=(Part(left=Abs(w[j]), right=w[j] * (2 * Step(w[j]) - 1), axes=(j,)),),
    arguments=(WEIGHTS,),
    cases=(w[j],),
    ids=("C08",),
    source="|w| = w · sign(w)",
)

ABOVE, BELOW = (Abs(w[i]) + w[i]) / 2, (Abs(w[i]) - w[i]) / 2

l1_penalty = Claim(
    name="regularization.l1_penalty",
    statement="The sum of the absolute weights is that of the positive weights less that of the negative ones.",
    parts=(Part(left=Σ(ABOVE, i) + Σ(BELOW, i), right=Σ(Abs(w[i]), i)),),
    arguments=(WEIGHTS,),
    ids=("C08",),
    source="|w| = max(w, 0) + max(−w, 0)",
)

l1_penalty_grad = Claim(
    name="regularization.l1_penalty_grad",
    statement="Off the kinks the gradient of Σ |w| is the sign of w.",
    parts=(
        Part(
            left=Σ(w[i] * sign(w[i]), i),
            by=w[j],
            axes=(j,),
            right=sign(w[j]),
        ),
    ),
    arguments=(WEIGHTS,),
    ids=("C08",),
    source="∂|w|/∂w = sign(w)",
    note="At w = 0 there is no derivative; every number from −1 to 1 is a subgradient, and the convention is 0.",
)

ONE_STEP = params[j] - lr * (grads[T, j] + 2 * l2 * params[j])


def decayed_weights(T: Any) -> Any:
    """(1 − 2 lr l2)^T of the first weights, less the gradients, each decayed since its step."""
    s = Index("s", T)
    return (1 - 2 * lr * l2) ** T * params[j] - lr * Σ((1 - 2 * lr * l2) ** (T - 1 - s) * grads[s, j], s)


weight_decay_step = Induction(
    name="regularization.weight_decay_step",
    statement="Descent on L + l2 Σ w² decays the weights by 1 − 2 lr l2 a step, and each gradient since its step.",
    step=T,
    states=(State(params[j], (1 - 2 * lr * l2) * params[j] - lr * grads[T, j], decayed_weights(T), (j,)),),
    arguments=(Argument("params", (d,)), Argument("grads", (T, d)), LR, L2),
    ids=("B25", "B26"),
    source="w_t = (1 − 2λr)^t w_0 − λ Σ (1 − 2λr)^(t−1−i) g_i",
)

DECAY_ARGUMENTS = (WEIGHTS, Argument("g", (d,)), LR, L2)
g = array("g")

weight_decay_is_twice_the_penalty = Claim(
    name="regularization.weight_decay_is_twice_the_penalty",
    statement="One step on L + l2 Σ w² is PyTorch's step with weight_decay = 2 l2: it shrinks w by 1 − 2 lr l2.",
    parts=(
        Part(
            left=w[j] - lr * (g[j] + 2 * l2 * w[j]),
            right=(1 - 2 * lr * l2) * w[j] - lr * g[j],
            axes=(j,),
            lines=(Line(w[j] - 2 * lr * l2 * w[j] - lr * g[j], "multiply out"),),
        ),
    ),
    arguments=DECAY_ARGUMENTS,
    ids=("B25", "B26"),
    source="w − λ (g + 2r w) = (1 − 2λr) w − λ g",
    note="PyTorch adds weight_decay · w to the gradient g: the penalty is weight_decay/2 · Σ w².",
)


def ŷ(r: Any, q: Any) -> Any:
    """Entry (r, q) of the prediction xW."""
    return Σ(x[r, k] * W[k, q], k)


RIDGE = Σ((ŷ(r, o) - targets[r, o]) ** 2, r, o) / n + l2 * Σ(W[k, o] ** 2, k, o)
RIDGE_ARGUMENTS = (Argument("W", (d, c)), INPUTS, Argument("targets", (n, c)), L2)

RIDGE_NAMES = ((array("ŷ")[r, q], ŷ(r, q)), (array("J")[()], RIDGE))

ridge_objective = Claim(
    name="regularization.ridge_objective",
    statement="The ridge objective is a quadratic in W: the inputs' second moments with l2 added on the diagonal.",
    parts=(
        Part(
            left=Σ(W[k, o] * W[i, o] * (Σ(x[r, k] * x[r, i], r) / n + l2 * δ(k, i)), k, i, o)
            - 2 * Σ(W[k, o] * Σ(x[r, k] * targets[r, o], r), k, o) / n
            + Σ(targets[r, o] ** 2, r, o) / n,
            right=RIDGE,
        ),
    ),
    arguments=RIDGE_ARGUMENTS,
    where=RIDGE_NAMES[:1],
    ids=("D59", "B22"),
    source="J = (1/N) Σ ‖x W − y‖² + λ Σ W²",
)

ridge_objective_grad = Claim(
    name="regularization.ridge_objective_grad",
    statement="The gradient of the ridge objective is 2 xᵀ(xW − y)/n + 2 l2 W.",
    parts=(
        Part(
            left=RIDGE,
            by=W[i, q],
            axes=(i, q),
            right=2 * Σ(x[r, i] * (ŷ(r, q) - targets[r, q]), r) / n + 2 * l2 * W[i, q],
            lines=(
                Line(
                    Σ(2 * (ŷ(r, o) - targets[r, o]) * x[r, i] * δ(o, q), r, o) / n + 2 * l2 * W[i, q],
                    "the chain rule: ∂ŷ_ro/∂W_iq = x_ri δ_oq",
                ),
            ),
        ),
    ),
    arguments=RIDGE_ARGUMENTS,
    where=RIDGE_NAMES,
    ids=("D59", "B24"),
    source="∂J/∂W = 2 xᵀ(xW − y)/N + 2λW",
)

PREDICTION = Σ(x[r, k] * w[k], k)
ERROR = Opaque("L", 1, PREDICTION - y[r])
PENALISED_MEAN = Σ(Opaque("L", 0, PREDICTION - y[r]), r) / n + l2 * Σ(w[k] ** 2, k)
LINEAR_ARGUMENTS = (WEIGHTS, INPUTS, Argument("y", (n,)), L2)

LINEAR_NAMES = ((array("ŷ")[r], PREDICTION), (array("J")[()], PENALISED_MEAN))

penalised_gradient_is_the_mean_of_error_times_input = Claim(
    name="regularization.penalised_gradient_is_the_mean_of_error_times_input",
    statement="By one weight, a penalised mean loss has the gradient mean(error · its input) + 2 l2 w.",
    parts=(
        Part(
            left=PENALISED_MEAN,
            by=w[j],
            axes=(j,),
            right=Σ(ERROR * x[r, j], r) / n + 2 * l2 * w[j],
            lines=(Line(Σ(ERROR * Σ(x[r, k] * δ(j, k), k), r) / n + 2 * l2 * w[j], "∂ŷ/∂w_j = x_j, row by row"),),
        ),
    ),
    arguments=LINEAR_ARGUMENTS,
    where=LINEAR_NAMES,
    ids=("D59", "D60"),
    source="∂J/∂w_1 = E[∂L/∂ŷ · ∂ŷ/∂w_1] + 2λw_1",
    note="The loss is any smooth function L of prediction − target; E is the mean over the sample.",
)

one_x, one_y = x[r], y[r]
ONE_W, OLS = w[0], array("w_ols")[0]
MOMENT, CROSS = Σ(one_x**2, r) / n, Σ(one_x * one_y, r) / n
SHRUNK = MOMENT / (MOMENT + l2) * OLS
ONE_FEATURE = Σ((ONE_W * one_x - one_y) ** 2, r) / n + l2 * ONE_W**2
ONE_FEATURE_ARGUMENTS = (
    Argument("x", (n,)),
    Argument("y", (n,)),
    Argument("l2", (), "positive"),
    Argument("w", (Integer(1),)),
)
LEAST_SQUARES = ((OLS, Σ(one_x * one_y, r) / Σ(one_x**2, r)),)


def slope(at: Any) -> Any:
    """The derivative of the one-feature objective."""
    return 2 * Σ((at * one_x - one_y) * one_x, r) / n + 2 * l2 * at


ONE_FEATURE_NAMES = (
    (array("v")[()], MOMENT),
    (array("m")[()], CROSS),
    (array("w'")[()], SHRUNK),
    (array("J")[()], ONE_FEATURE),
)

ridge_shrinks_the_least_squares_weight = Claim(
    name="regularization.ridge_shrinks_the_least_squares_weight",
    statement="With one feature of second moment v, ridge multiplies the least-squares weight by v/(v + l2).",
    parts=(
        Part(left=ONE_FEATURE, by=ONE_W, right=slope(ONE_W), output="slope"),
        Part(
            left=slope(SHRUNK),
            right=Integer(0),
            lines=(Line(2 * (MOMENT + l2) * SHRUNK - 2 * CROSS, "v + λ times the weight, less the mean of x y"),),
            output="slope at the shrunk weight",
        ),
        Part(
            left=SHRUNK,
            right=Σ(one_x * one_y, r) / (Σ(one_x**2, r) + n * l2),
            output="ridge weight",
        ),
        Part(
            left=ONE_FEATURE,
            right=(MOMENT + l2) * (ONE_W - SHRUNK) ** 2 + Σ(one_y**2, r) / n - CROSS**2 / (MOMENT + l2),
            output="completed square",
        ),
    ),
    arguments=(*ONE_FEATURE_ARGUMENTS, Argument("w_ols", (Integer(1),), "given")),
    given=LEAST_SQUARES,
    where=ONE_FEATURE_NAMES,
    ids=("D58",),
    source="w = v/(v + λ) · w_ols",
    note="The completed square shows that the shrunk weight is the only minimum (v + λ > 0).",
)

scale = scalars("scale")

SCALED_NAMES = (*ONE_FEATURE_NAMES[:2], (array("v'")[()], Σ((scale * one_x) ** 2, r) / n))

ridge_depends_on_the_scale_of_a_feature = Claim(
    name="regularization.ridge_depends_on_the_scale_of_a_feature",
    statement="A feature in other units, x · s, has the shrinkage s²v/(s²v + l2): a small scale is shrunk more.",
    parts=(
        Part(
            left=Σ((scale * one_x) ** 2, r) / n / (Σ((scale * one_x) ** 2, r) / n + l2),
            right=scale**2 * MOMENT / (scale**2 * MOMENT + l2),
            output="factor",
        ),
        Part(
            left=1 - scale**2 * MOMENT / (scale**2 * MOMENT + l2),
            right=l2 / (scale**2 * MOMENT + l2),
            output="what is lost",
        ),
        Part(
            left=Σ(scale * one_x * one_y, r) / Σ((scale * one_x) ** 2, r) * (scale * ONE_W),
            right=Σ(one_x * one_y, r) / Σ(one_x**2, r) * ONE_W,
            output="least squares predicts alike",
        ),
    ),
    arguments=(*ONE_FEATURE_ARGUMENTS, Argument("scale", (), "positive")),
    where=SCALED_NAMES,
    ids=("D58", "D61"),
    source="v → s²v",
    note="Least squares has no such effect: its weight times the feature stays as it is.",
)

NORM = sqrt(Σ(g[k] ** 2, k))
CLIP_ARGUMENTS = (Argument("g", (d,)), Argument("max_norm", (), "positive"))

NORM_NAMES = ((array("‖g‖")[()], NORM),)

clip_by_global_norm_makes_the_norm_the_bound = Claim(
    name="regularization.clip_by_global_norm_makes_the_norm_the_bound",
    statement="A gradient that is too long, times bound/‖g‖, has the bound as its norm and keeps its direction.",
    parts=(
        Part(left=sqrt(Σ((g[j] * bound / NORM) ** 2, j)), right=bound, output="norm"),
        Part(
            left=Σ(g[j] * (g[j] * bound / NORM), j),
            right=bound * NORM,
            output="along g",
        ),
    ),
    arguments=CLIP_ARGUMENTS,
    where=NORM_NAMES,
    ids=("A19",),
    source="g · c/‖g‖",
    note="All the gradients of a network count as one vector g.",
)

COLUMN = sqrt(Σ(W[k, q] ** 2, k))

max_norm_makes_each_column_as_long_as_the_bound = Claim(
    name="regularization.max_norm_makes_each_column_as_long_as_the_bound",
    statement="A unit whose incoming weights are too long gets them times bound/‖w‖, which are as long as the bound.",
    parts=(Part(left=sqrt(Σ((W[j, q] * bound / COLUMN) ** 2, j)), right=bound, axes=(q,)),),
    arguments=(Argument("W", (d, c)), CLIP_ARGUMENTS[1]),
    ids=("A19",),
    source="w · c/‖w‖ for each column",
)

mask, cotangent = array("mask"), array("cotangent")
p = scalars("p")
DROPOUT_ARGUMENTS = (
    Argument("x", (d,)),
    Argument("mask", (d,)),
    Argument("cotangent", (d,)),
    Argument("p", (), "unit"),
)

dropout_vjp = Claim(
    name="regularization.dropout_vjp",
    statement="For one mask, the gradient through inverted dropout is the cotangent times the same mask, over 1 − p.",
    parts=(
        Part(
            left=Σ(cotangent[i] * (x[i] * mask[i] / (1 - p)), i),
            by=x[j],
            axes=(j,),
            right=cotangent[j] * mask[j] / (1 - p),
        ),
    ),
    arguments=DROPOUT_ARGUMENTS,
    ids=("B27",),
    source="y = x · mask/(1 − p)",
    note="p is the probability to drop; the mask of the forward pass is used again.",
)

dropout = Claim(
    name="regularization.dropout",
    statement="For one mask, inverted dropout adds to each entry x a noise of x (mask − (1 − p))/(1 − p).",
    parts=(
        Part(
            left=x[j] + x[j] * (mask[j] - (1 - p)) / (1 - p),
            right=x[j] * mask[j] / (1 - p),
            axes=(j,),
        ),
    ),
    arguments=(DROPOUT_ARGUMENTS[0], DROPOUT_ARGUMENTS[1], DROPOUT_ARGUMENTS[3]),
    ids=("B27",),
    source="y = x · mask/(1 − p)",
    note="The noise has mean 0: dropout_keeps_the_mean.",
)

outcomes = sizes("Omega")
ω = indices("omega", outcomes)
P, kept = array("P"), array("kept")
drop = scalars("p", positive=True)
MASKS = (Argument("P", (outcomes,), "given"), Argument("kept", (outcomes, d), "given"), Argument("p", (), "unit"))
MASK_SPACE = (Space(outcomes, "P", "kept", "mask", p=drop),)
MASK_MOMENTS = (
    (Σ(P[ω], ω), Integer(1)),
    (Σ(P[ω] * kept[ω, j], ω), 1 - drop),
    (Σ(P[ω] * kept[ω, j] ** 2, ω), 1 - drop),
    (Σ(P[ω] * kept[ω, j] * kept[ω, i], ω), (1 - drop) ** 2 + drop * (1 - drop) * δ(i, j)),
)


def E(f: Any) -> Any:
    """The expectation over the masks: a sum over the outcomes of a finite probability space of any size."""
    return Σ(P[ω] * f, ω)


def dropped(j: Any) -> Any:
    """What inverted dropout hands on of input j."""
    return y[j] * kept[ω, j] / (1 - drop)


DROPPED = ((array("z")[ω, j], dropped(j)),)

dropout_keeps_the_mean = Claim(
    name="regularization.dropout_keeps_the_mean",
    statement="Inverted dropout leaves the mean of every input as it is and gives it the variance x² p/(1 − p).",
    parts=(
        Part(left=E(dropped(j)), right=y[j], axes=(j,), output="mean"),
        Part(left=E((dropped(j) - y[j]) ** 2), right=y[j] ** 2 * drop / (1 - drop), axes=(j,), output="variance"),
    ),
    arguments=(*MASKS, Argument("y", (d,))),
    given=MASK_MOMENTS,
    spaces=MASK_SPACE,
    where=DROPPED,
    ids=("B27", "D45"),
    source="x · mask/(1 − p), mask ~ Bernoulli(1 − p)",
    note="p is the probability of dropping, as in PyTorch.",
)

target = scalars("target")

dropout_on_a_linear_unit_is_a_ridge = Claim(
    name="regularization.dropout_on_a_linear_unit_is_a_ridge",
    statement="In expectation the squared error of a linear unit with dropout is that without it plus a ridge.",
    parts=(
        Part(
            left=E((target - Σ(w[j] * dropped(j), j)) ** 2),
            right=(target - Σ(w[j] * y[j], j)) ** 2 + drop / (1 - drop) * Σ(w[j] ** 2 * y[j] ** 2, j),
            lines=(
                Line(
                    target**2
                    - 2 * target * Σ(w[j] * E(dropped(j)), j)
                    + Σ(w[j] * w[i] * E(dropped(j) * dropped(i)), i, j),
                    "E is linear",
                ),
            ),
        ),
    ),
    arguments=(*MASKS, Argument("y", (d,)), Argument("w", (d,)), Argument("target")),
    given=MASK_MOMENTS,
    spaces=MASK_SPACE,
    where=DROPPED,
    ids=("D45", "B27"),
    source="Srivastava et al. 2014, section 9.1",
    note="The ridge weighs each weight by its input's square: units cannot rely on one another for free.",
)

errata = (
    Erratum(
        id="D60",
        as_written=Claim(
            name="regularization.D60",
            statement="∂J/∂w_j is mean(∂L/∂ŷ) times x_j, plus 2 l2 w_j.",
            parts=(
                Part(
                    left=PENALISED_MEAN,
                    by=w[j],
                    axes=(j,),
                    right=(Σ(ERROR, r) / n) * (Σ(x[a, j], a) / n) + 2 * l2 * w[j],
                ),
            ),
            arguments=LINEAR_ARGUMENTS,
        ),
        corrected_by="regularization.penalised_gradient_is_the_mean_of_error_times_input",
        note="The input is random too and stays under the mean. Outside it can only stand for its own mean: read so.",
    ),
)
