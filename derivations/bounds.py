"""Bounds: inequalities whose difference is seen to be at least 0, and what follows from them by a named theorem."""

from __future__ import annotations

from random import Random
from typing import Any

from ._kernel import Argument, Claim, Lemma, Measured, Part, Quantity, Scalar, Space
from ._kernel.terms import Σ, Integer, Step, Symbol, array, exp, indices, log, oo, scalars, sizes, sqrt, steps

n, c, outcomes = sizes("n c Omega")
i, j = indices("i j", n)
k, l = indices("k l", c)  # noqa: E741
ω = indices("omega", outcomes)
number = array("t", positive=True)[()]
p, q, v = array("p", positive=True), array("q", positive=True), array("v", positive=True)

TANGENT = "A function whose second derivative is nowhere negative lies above its tangents; the one at 1 is 0."

log_is_below_its_tangent = Claim(
    name="bounds.log_is_below_its_tangent",
    statement="log t ≤ t − 1 for every positive t.",
    parts=(
        Part(left=number - 1 - log(number), by=number, right=1 - 1 / number, output="slope"),
        Part(left=1 - 1 / number, by=number, right=number**-2, output="curvature"),
        Part(left=number**-2, right=Integer(0), relation=">", certificate=number**-2, output="it is convex"),
        Part(left=Integer(1) - 1 - log(Integer(1)), right=Integer(0), output="value at 1"),
        Part(left=1 - 1 / number - (number - 1) / number, right=Integer(0), output="slope, 0 at 1"),
        Part(left=number - 1, right=log(number), relation="≥", axiom=TANGENT, output="so"),
    ),
    arguments=(Argument("t", (), "positive"),),
    ids=("C03",),
    source="log t ≤ t − 1",
)

t = Symbol("t", positive=True)
GAP = Lemma("bounds.log_is_below_its_tangent", t, t - 1 - log(t), "positive")

kl_divergence_is_not_negative = Claim(
    name="bounds.kl_divergence_is_not_negative",
    statement="No distribution is closer to p than p itself: KL(p‖q) ≥ 0, so cross-entropy is at least entropy.",
    parts=(
        Part(
            left=Σ(p[k] * log(p[k] / q[k]), k),
            right=Integer(0),
            relation="≥",
            certificate=Σ(p[k] * GAP.at(q[k] / p[k]), k),
        ),
    ),
    arguments=(Argument("p", (c,), "distribution"), Argument("q", (c,), "distribution")),
    given=((Σ(p[k], k), 1), (Σ(q[k], k), 1)),
    lemmas=(GAP,),
    ids=("C03", "A05"),
    source="Gibbs' inequality",
)

z = array("z")


def σ(x: Any) -> Any:
    """The logistic sigmoid."""
    return 1 / (1 + exp(-x))


sigmoid_slope_is_at_most_a_quarter = Claim(
    name="bounds.sigmoid_slope_is_at_most_a_quarter",
    statement="The sigmoid's slope σ(1 − σ) lies above 0 and is at most a quarter, so that it saturates.",
    parts=(
        Part(
            left=Integer(1) / 4,
            right=σ(z[i]) * (1 - σ(z[i])),
            relation="≥",
            certificate=(1 - 2 * σ(z[i])) ** 2 / 4,
            axes=(i,),
            output="at most",
        ),
        Part(
            left=σ(z[i]) * (1 - σ(z[i])),
            right=Integer(0),
            relation=">",
            certificate=exp(-z[i]) / (1 + exp(-z[i])) ** 2,
            axes=(i,),
            output="above",
        ),
    ),
    arguments=(Argument("z", (n,)),),
    ids=("C21", "A19"),
    source="0 < σ' ≤ 1/4",
)

gap = scalars("gap", positive=True)
TAIL = Σ(exp(-gap) / (1 + v[k]), k)

softmax_of_a_dominating_logit = Claim(
    name="bounds.softmax_of_a_dominating_logit",
    statement="If one logit is above c others by at least Δ, softmax leaves those together at most c e^−Δ.",
    parts=(
        Part(
            left=c * exp(-gap),
            right=TAIL / (1 + TAIL),
            relation="≥",
            certificate=Σ(exp(-gap) * v[k] / (1 + v[k]), k) + TAIL**2 / (1 + TAIL),
        ),
    ),
    arguments=(Argument("gap", (), "positive"), Argument("v", (c,), "positive")),
    ids=("A03",),
    source="1 − s_j ≤ (n − 1) e^−Δ",
    note="The others lie below the largest by gap + log(1 + v_k), any number above the gap. At a temperature T the "
    "gap is Δ/T.",
)

T, Δ, others = Symbol("T", positive=True), Symbol("gap", positive=True), Symbol("others", positive=True)

softmax_tends_to_the_argmax = Scalar(
    name="bounds.softmax_tends_to_the_argmax",
    statement="As the temperature goes to 0, what softmax leaves to the smaller logits vanishes: it becomes e_argmax.",
    operation="limit",
    expression=others * exp(-Δ / T),
    variable=T,
    to=0,
    side="+",
    right=Integer(0),
    at=({others: 3, Δ: 2}, {others: 9, Δ: 1}),
    ids=("A03", "E12"),
    source="(n − 1) e^(−Δ/T) → 0",
)

softmax_tends_to_the_uniform_law = Scalar(
    name="bounds.softmax_tends_to_the_uniform_law",
    statement="As the temperature grows, the odds of any two classes go to 1: softmax becomes uniform.",
    operation="limit",
    expression=exp(-Δ / T),
    variable=T,
    to=oo,
    right=Integer(1),
    at=({Δ: 2}, {Δ: 5}),
    ids=("E12",),
    source="e^(−Δ/T) → 1",
)

a, b = array("a"), array("b")

cauchy_schwarz = Claim(
    name="bounds.cauchy_schwarz",
    statement="(a·b)² ≤ ‖a‖²‖b‖²: of all steps of one length none descends faster than the one along −gradient.",
    parts=(
        Part(
            left=Σ(a[i] ** 2, i) * Σ(b[i] ** 2, i),
            right=Σ(a[i] * b[i], i) ** 2,
            relation="≥",
            certificate=Σ((a[i] * b[j] - a[j] * b[i]) ** 2, i, j) / 2,
        ),
    ),
    arguments=(Argument("a", (n,)), Argument("b", (n,))),
    ids=("C05",),
    source="the Lagrange identity",
)

curvature, slack = scalars("curvature slack", positive=True)
INSIDE, BEYOND = 2 / (curvature * (1 + slack)), (2 + slack) / curvature

gradient_descent_converges_below_two_over_curvature = Claim(
    name="bounds.gradient_descent_converges_below_two_over_curvature",
    statement="On a quadratic of curvature L gradient descent contracts for steps 0 < ε < 2/L, and for no larger one.",
    parts=(
        Part(
            left=Integer(1),
            right=(1 - INSIDE * curvature) ** 2,
            relation=">",
            certificate=4 * slack / (1 + slack) ** 2,
            output="ε = 2/(L(1 + slack)), any step below 2/L",
        ),
        Part(
            left=(1 - BEYOND * curvature) ** 2,
            right=Integer(1),
            relation=">",
            certificate=slack * (2 + slack),
            output="ε = (2 + slack)/L, any step above 2/L",
        ),
        Part(left=(1 - 2 / curvature * curvature) ** 2, right=Integer(1), output="ε = 2/L oscillates for ever"),
    ),
    arguments=(Argument("curvature", (), "positive"), Argument("slack", (), "positive")),
    ids=("D26", "B20"),
    source="|1 − εL| < 1 iff 0 < ε < 2/L",
    note="After t steps the error is (1 − εL)^t times the first one: optimizers.",
)

μ, h, deviation = scalars("mu", positive=True), array("h")[()], scalars("t", positive=True)
MGF = 1 - μ + μ * exp(h)
LOG_MGF = -h * μ + log(MGF)
TILTED = μ * exp(h) / MGF
FRACTION, SLOPE = Argument("mu", (), "unit"), Argument("h")

hoeffding_lemma = Claim(
    name="bounds.hoeffding_lemma",
    statement="For a variable in [0, 1] with mean μ, log E[e^(h(X − μ))] is at most h²/8.",
    parts=(
        Part(left=LOG_MGF, by=h, right=TILTED - μ, output="slope"),
        Part(left=TILTED - μ, by=h, right=TILTED * (1 - TILTED), output="curvature"),
        Part(
            left=Integer(1) / 4,
            right=TILTED * (1 - TILTED),
            relation="≥",
            certificate=(TILTED - Integer(1) / 2) ** 2,
            output="curvature at most",
        ),
        Part(left=-0 * μ + log(1 - μ + μ * exp(Integer(0))), right=Integer(0), output="value at h = 0"),
        Part(left=μ * exp(Integer(0)) / (1 - μ + μ * exp(Integer(0))) - μ, right=Integer(0), output="slope at h = 0"),
        Part(
            left=h**2 / 8,
            right=LOG_MGF,
            relation="≥",
            axiom="Taylor's theorem: value and slope are 0 at h = 0, and the curvature is at most 1/4.",
            output="so",
        ),
    ),
    arguments=(FRACTION, SLOPE),
    ids=("E19",),
    source="Hoeffding 1963, equation 4.16",
    note="E[e^(hX)] ≤ 1 − μ + μ e^h, since on [0, 1] the convex e^(hx) lies below its chord; a Bernoulli variable "
    "attains it.",
)

P, X = array("P"), array("X")
AVERAGE = Σ(X[ω, i], i) / n

hoeffding_exponent = Claim(
    name="bounds.hoeffding_exponent",
    statement="Of all exponents −nht + nh²/8 the one at h = 4t is the smallest: −2nt².",
    parts=(
        Part(
            left=-n * h * deviation + n * h**2 / 8,
            right=-2 * n * deviation**2,
            relation="≥",
            certificate=n * (h - 4 * deviation) ** 2 / 8,
            output="for every h",
        ),
        Part(
            left=-n * (4 * deviation) * deviation + n * (4 * deviation) ** 2 / 8,
            right=-2 * n * deviation**2,
            output="at h = 4t",
        ),
    ),
    arguments=(Argument("n", (), "count"), SLOPE, Argument("t", (), "positive")),
    ids=("E19",),
    source="Chernoff's bound at its optimum",
)

low, high = scalars("low high")
ENDS = (Argument("low"), Argument("high"))
BEST = 4 * deviation / (high - low) ** 2

hoeffding_bound = Claim(
    name="bounds.hoeffding_bound",
    statement="For variables in [a, b] the exponent −nht + nh²(b − a)²/8 is −2nt²/(b − a)² at its best h, 4t/(b − a)².",
    parts=(
        Part(
            left=2 * exp(-n * BEST * deviation + n * BEST**2 * (high - low) ** 2 / 8),
            right=2 * exp(-2 * n * (deviation / (high - low)) ** 2),
        ),
    ),
    arguments=(Argument("n", (), "count"), Argument("t", (), "positive"), *ENDS),
    ids=("E19",),
    source="Hoeffding 1963, theorem 2",
    note="That it bounds the tails is bounds.hoeffding, for the variables (X − a)/(b − a) and t/(b − a).",
)

risk = scalars("delta", positive=True)
MARGIN = (high - low) * sqrt(log(2 / risk) / (2 * n))

hoeffding_margin_has_the_risk_it_is_made_for = Claim(
    name="bounds.hoeffding_margin_has_the_risk_it_is_made_for",
    statement="At t = (b − a) √(log(2/δ)/2n) the bound 2e^(−2nt²/(b − a)²) is δ.",
    parts=(Part(left=2 * exp(-2 * n * (MARGIN / (high - low)) ** 2), right=risk),),
    arguments=(Argument("n", (), "count"), Argument("delta", (), "unit"), *ENDS),
    ids=("E19",),
    source="Hoeffding 1963, theorem 2, solved for t",
)

rows, features = sizes("m d")
row, feature = indices("r", rows), indices("j", features)
seen, x, mean = steps("n"), array("x"), array("mean")

sample_mean = Claim(
    name="bounds.sample_mean",
    statement="The mean of all samples is the mean of those before, moved by the new ones' mean distance from it.",
    parts=(
        Part(left=seen + Σ(Integer(1), row), right=seen + rows, output="n"),
        Part(
            left=(seen * mean[feature] + Σ(x[row, feature], row)) / (seen + rows),
            right=mean[feature] + Σ(x[row, feature] - mean[feature], row) / (seen + rows),
            axes=(feature,),
            output="mean",
        ),
    ),
    arguments=(Argument("x", (rows, features)), Argument("n", (), "natural"), Argument("mean", (features,))),
    ids=("E18",),
    source="X̄ ← X̄ + Σ (x − X̄)/N",
)

MARKOV = (
    "Markov's inequality for e^(nh(X̄ − μ)), independence (the expectation of the product is the product of the "
    "expectations), bounds.hoeffding_lemma, and bounds.hoeffding_exponent at h = 4t."
)

hoeffding = Claim(
    name="bounds.hoeffding",
    statement="The mean of n independent variables in [0, 1] is off by t or more with probability at most 2e^(−2nt²).",
    parts=(
        Part(
            left=exp(-2 * n * deviation**2),
            right=Σ(P[ω] * Step(AVERAGE - μ - deviation), ω),
            relation="≥",
            axiom=MARKOV,
            output="above",
        ),
        Part(
            left=exp(-2 * n * deviation**2),
            right=Σ(P[ω] * Step(μ - AVERAGE - deviation), ω),
            relation="≥",
            axiom="The same for the variables 1 − X.",
            output="below",
        ),
        Part(
            left=2 * exp(-2 * n * deviation**2),
            right=Σ(P[ω] * Step(AVERAGE - μ - deviation), ω) + Σ(P[ω] * Step(μ - AVERAGE - deviation), ω),
            relation="≥",
            axiom="The sum of the two.",
            output="away",
        ),
    ),
    arguments=(
        Argument("P", (outcomes,), "given"),
        Argument("X", (outcomes, n), "given"),
        FRACTION,
        Argument("t", (), "unit"),
    ),
    given=((Σ(P[ω], ω), 1), (Σ(P[ω] * X[ω, i], ω), μ)),
    spaces=(Space(outcomes, "P", "X", "mask", p=1 - μ),),
    ids=("E19", "E20"),
    source="Hoeffding 1963, theorem 1",
    note="For variables in [a, b] the exponent is −2nt²/(b − a)². The points at which it is held against numbers are "
    "Bernoulli variables, every outcome of which is enumerated.",
)


def tails_of_coins(rng: Random) -> tuple[Quantity, ...]:
    """The exact tail of every binomial law with n ≤ 24 and 9 means, over its bound: the largest ratio is below 1."""
    from fractions import Fraction
    from math import ceil, comb, exp

    worst = 0.0
    for count in range(1, 25):
        for tenth in range(1, 10):
            mean = Fraction(tenth, 10)
            law = [comb(count, heads) * mean**heads * (1 - mean) ** (count - heads) for heads in range(count + 1)]
            for heads in range(ceil(mean * count), count + 1):
                away = Fraction(heads, count) - mean
                tail = sum(law[heads:]) + sum(w for m, w in enumerate(law) if mean - Fraction(m, count) >= away)
                worst = max(worst, float(tail) / (2 * exp(-2 * count * float(away) ** 2)))
    return (Quantity("the largest exact tail over its bound", (worst,), 0.0, 1.0),)


exact_tails_are_below_the_bound = Measured(
    name="bounds.exact_tails_are_below_the_bound",
    statement="The exact two-sided tails of coins stay below Hoeffding's bound.",
    measure=tails_of_coins,
    ids=("E19",),
    source="binomial sums in exact fractions",
)
