"""Training: the linear softmax classifier, batches and epochs, early stopping, and what depth does to a gradient."""

from __future__ import annotations

from itertools import product
from typing import Any

from ._kernel import Argument, Claim, Erratum, Line, Number, Part, Scalar
from ._kernel.terms import Σ, Abs, Integer, Opaque, Step, Symbol, array, exp, indices, log, oo, scalars, sizes, δ

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

NAMES = ((array("z")[r, j], z(r, j)), (array("s")[r, j], s(r, j)))

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
    where=NAMES,
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
    where=NAMES,
    ids=("B23", "B24", "C08", "B15"),
    source="∂L/∂W = xᵀ(s − y)/N + 2λW",
    note="Needs labels whose rows sum to one.",
)

w, y = array("w"), array("labels")
SCORE = Σ(x[r, f] * w[f], f)
HIT, MISS = 1 / (1 + exp(-SCORE)), 1 / (1 + exp(SCORE))
LOGISTIC_PENALTY = l2 * Σ(w[f] ** 2, f)
LOGISTIC_LOSS = -Σ(y[r] * log(HIT) + (1 - y[r]) * log(MISS), r) / n + LOGISTIC_PENALTY
LOGISTIC_ARGUMENTS = (Argument("w", (d,)), X, Argument("labels", (n,), "unit"), L2)
LOGISTIC_NAMES = ((array("z")[r], SCORE), (array("σ")[r], HIT))

logistic_regression = Claim(
    name="training.logistic_regression",
    statement="With two classes the classifier's loss is the mean of softplus(z) − y z with z = xw, plus l2 Σ w².",
    parts=(
        Part(
            left=LOGISTIC_LOSS,
            right=Σ(log(1 + exp(SCORE)) - y[r] * SCORE, r) / n + LOGISTIC_PENALTY,
        ),
    ),
    arguments=LOGISTIC_ARGUMENTS,
    where=LOGISTIC_NAMES,
    ids=("D07", "B22"),
    source="p(y = 1|x) = σ(wᵀx)",
)

logistic_regression_grad = Claim(
    name="training.logistic_regression_grad",
    statement="The gradient of the classifier of two classes by its weights is xᵀ(σ(z) − y)/n + 2 l2 w.",
    parts=(
        Part(
            left=LOGISTIC_LOSS,
            by=w[p],
            axes=(p,),
            right=Σ(x[r, p] * (HIT - y[r]), r) / n + 2 * l2 * w[p],
            lines=(
                Line(
                    -Σ((y[r] * MISS - (1 - y[r]) * HIT) * x[r, p], r) / n + 2 * l2 * w[p],
                    "∂ log σ(z) = 1 − σ(z) = σ(−z), ∂z/∂w_p = x_p",
                ),
            ),
        ),
    ),
    arguments=LOGISTIC_ARGUMENTS,
    where=LOGISTIC_NAMES,
    ids=("D08", "B24"),
    source="∂L/∂w = xᵀ(σ − y)/N + 2λw",
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

# --- batches and epochs ----------------------------------------------------------------------------------------------

m = sizes("m")
g, member, lr = array("g"), array("member"), scalars("lr")
batch = indices("batch", m)


def sample_loss(r: Any) -> Any:
    """Any smooth loss of a linear unit at sample r of a batch."""
    return Opaque("L", 0, Σ(x[r, f] * w[f], f))


minibatch_step_is_the_mean_of_its_samples_steps = Claim(
    name="training.minibatch_step_is_the_mean_of_its_samples_steps",
    statement="A batch's mean loss has the mean of its samples' gradients as gradient, for any smooth loss of w · x.",
    parts=(
        Part(
            left=Σ(sample_loss(r), r) / n,
            by=w[p],
            axes=(p,),
            right=Σ(Opaque("L", 1, Σ(x[r, f] * w[f], f)) * x[r, p], r) / n,
            output="gradient",
        ),
        Part(
            left=w[p] - lr * Σ(Opaque("L", 1, Σ(x[r, f] * w[f], f)) * x[r, p], r) / n,
            right=Σ(w[p] - lr * Opaque("L", 1, Σ(x[r, f] * w[f], f)) * x[r, p], r) / n,
            axes=(p,),
            output="step",
        ),
    ),
    arguments=(X, Argument("w", (d,)), Argument("lr")),
    where=((array("z")[r], Σ(x[r, f] * w[f], f)),),
    ids=("B29", "B04"),
    source="sample a batch, forward, backward, update",
)

an_epoch_uses_every_sample_once = Claim(
    name="training.an_epoch_uses_every_sample_once",
    statement="If every sample is in exactly one batch, the batches add up to the data, whatever their sizes.",
    parts=(
        Part(
            left=Σ(Σ(member[r, batch] * g[r, f], r), batch),
            right=Σ(g[r, f], r),
            axes=(f,),
            output="gradients",
        ),
        Part(left=Σ(Σ(member[r, batch], r), batch), right=n, output="samples"),
    ),
    arguments=(Argument("g", (n, d)), Argument("member", (n, m), "labels")),
    given=((Σ(member[r, batch], batch), 1),),
    ids=("B32",),
    source="shuffle, cut into batches, run through all",
    note="The last batch may be smaller; an epoch's batches partition the samples.",
)

# --- early stopping --------------------------------------------------------------------------------------------------

EPOCHS = 4
validation, weights = array("validation"), array("weights")
GAPS = tuple(scalars(f"gap{t}", positive=True) for t in range(EPOCHS))
RANKS = tuple(ranks for ranks in product(range(EPOCHS), repeat=EPOCHS) if set(ranks) == set(range(max(ranks) + 1)))


def best_after(epochs: int) -> tuple[Any, Any]:
    """The lowest validation loss and the kept weights: a copy is made where the loss is below the lowest so far."""
    low, kept = validation[0], weights[0, f]
    for t in range(1, epochs):
        new = Step(low - validation[t])
        low, kept = low + new * (validation[t] - low), kept + new * (weights[t, f] - kept)
    return low, kept


def is_first_lowest(t: int) -> Any:
    """1 if epoch t is the first of those with the lowest validation loss, else 0."""
    flag = Integer(1)
    for s in range(EPOCHS):
        if s != t:
            flag *= Step(validation[s] - validation[t]) if s < t else 1 - Step(validation[t] - validation[s])
    return flag


BEST = (
    *(
        named
        for t in range(2, EPOCHS)
        for named in ((array(f"low{t}")[()], best_after(t)[0]), (array(f"kept{t}")[f], best_after(t)[1]))
    ),
    *((array(f"first{t}")[()], is_first_lowest(t)) for t in range(EPOCHS)),
)

early_stopping_keeps_the_first_lowest = Claim(
    name="training.early_stopping_keeps_the_first_lowest",
    statement="A copy at each new low leaves, after four epochs in any order with any ties, the first lowest one's.",
    parts=(
        Part(
            left=best_after(EPOCHS)[1],
            right=sum((is_first_lowest(t) * weights[t, f] for t in range(EPOCHS)), Integer(0)),
            axes=(f,),
            output="weights",
        ),
    ),
    arguments=(Argument("validation", (Integer(EPOCHS),)), Argument("weights", (Integer(EPOCHS), d))),
    regions=tuple(
        tuple(
            (validation[t], validation[ranks.index(0)] + sum(GAPS[1 : ranks[t] + 1], Integer(0)))
            for t in range(EPOCHS)
            if t != ranks.index(0)
        )
        for ranks in RANKS
    ),
    where=BEST,
    ids=("B19",),
    source="keep a copy when the validation loss reaches a new low",
    note="All 75 orders of four losses, with ties; the best of any number of epochs is found two at a time.",
)

# --- what a line cannot separate -------------------------------------------------------------------------------------

bias, corner, across, up = scalars("bias"), array("corner"), array("across"), array("up")


def affine(point: Any) -> Any:
    """Any affine function of d features at a point, given by its entry for feature f."""
    return Σ(w[f] * point, f) + bias


no_line_separates_xor = Claim(
    name="training.no_line_separates_xor",
    statement="An affine function has one sum over either diagonal of a parallelogram, so no line separates XOR.",
    parts=(
        Part(
            left=affine(corner[f] + across[f]) + affine(corner[f] + up[f]),
            right=affine(corner[f]) + affine(corner[f] + across[f] + up[f]),
            lines=(Line(2 * affine(corner[f]) + Σ(w[f] * (across[f] + up[f]), f), "w · x is linear"),),
        ),
    ),
    arguments=(*(Argument(name, (d,)) for name in ("w", "corner", "across", "up")), Argument("bias")),
    ids=("C10",),
    source="f(0, 1) + f(1, 0) = f(0, 0) + f(1, 1)",
    note="If f is above 0 on one diagonal and not above 0 on the other, the two sums cannot be equal.",
)

# --- depth -----------------------------------------------------------------------------------------------------------

weight, sum_in, before, slack = scalars("weight z gradient slack")
SLOPE = exp(-sum_in) / (1 + exp(-sum_in)) ** 2
TO_A_QUARTER = (1 / (1 + exp(-sum_in)) - Integer(1) / 2) ** 2 * (Integer(1) / 4 + SLOPE)

UNIT = ((array("σ")[()], 1 / (1 + exp(-sum_in))), (array("σ'")[()], SLOPE))

sigmoid_layer_keeps_the_gradient_below_its_bound = Claim(
    name="training.sigmoid_layer_keeps_the_gradient_below_its_bound",
    statement="If D² ≤ B², one more sigmoid layer of weight w has (w σ' D)² ≤ (w/4)² B²: L layers have (w/4)^L.",
    parts=(
        Part(
            left=weight**2 / 16 * (before**2 + slack**2),
            right=(weight * SLOPE * before) ** 2,
            relation="≥",
            certificate=weight**2 * slack**2 / 16 + weight**2 * before**2 * TO_A_QUARTER,
        ),
    ),
    arguments=tuple(Argument(name) for name in ("weight", "z", "gradient", "slack")),
    where=UNIT,
    ids=("A19", "E02", "C21", "C23"),
    source="|Π w σ'(z_l)| ≤ (w/4)^L",
    note="The hypothesis is written B² = D² + slack²; the claim is the step of an induction on the number of layers.",
)

excess, depth = Symbol("excess", positive=True), Symbol("depth", positive=True)

bound_of_a_sigmoid_chain_vanishes = Scalar(
    name="training.bound_of_a_sigmoid_chain_vanishes",
    statement="For w/4 = 1/(1 + a) < 1 the lost part 1 − (w/4)^L of the bound tends to 1 with the depth L.",
    operation="limit",
    expression=1 - (1 + excess) ** (-depth),
    variable=depth,
    to=oo,
    right=Integer(1),
    at=({excess: 1}, {excess: 3}),
    ids=("A19", "E02"),
    source="(w/4)^L → 0",
)

errata = (
    Erratum(
        id="A19",
        as_written=Number(
            name="training.A19",
            statement="The product of 30 factors w σ' explodes or vanishes, whatever w: |log (w/4)³⁰| ≥ 1 at w = 4.",
            value=Abs(log((weight / 4) ** 30)),
            printed="1",
            arguments={"weight": 4},
            relation="≥",
        ),
        corrected_by="training.sigmoid_layer_keeps_the_gradient_below_its_bound",
        note="It depends on the size of w σ': at w = 4 and z = 0 every factor is 1.",
    ),
    Erratum(
        id="E02",
        as_written=Number(
            name="training.E02",
            statement="The slope of 30 sigmoid units at z = 0 vanishes, whatever w: (w/4)³⁰ ≤ 1 at w = 8.",
            value=(weight / 4) ** 30,
            printed="1",
            arguments={"weight": 8},
            relation="≤",
        ),
        corrected_by="training.sigmoid_layer_keeps_the_gradient_below_its_bound",
        note="It vanishes if |w| < 4; at w = 8 and z = 0 it is 2³⁰.",
    ),
)
