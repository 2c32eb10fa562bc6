"""Printed numbers of losses, softmax and Hoeffding's bound, and what is said about probabilities beside them."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Any

from .._kernel import Argument, Claim, Erratum, Number, Part, Scalar
from .._kernel.terms import Σ, Abs, Integer, Step, Symbol, array, exp, indices, log, oo, scalars, sizes


def σ(x: Any) -> Any:
    """The logistic sigmoid."""
    return 1 / (1 + exp(-x))


# --- cross-entropy and softmax ---------------------------------------------------------------------------------------

three = indices("i", 3)
s, y = array("s"), array("y")
CROSS_ENTROPY = -Σ(y[three] * log(s[three]), three)
THIRD_CLASS = (0, 0, 1)
CONFIDENT = (Fraction(2, 1000), Fraction(20, 1000), Fraction(978, 1000))
MORE_CONFIDENT = (Fraction(1, 100), Fraction(1, 100), Fraction(98, 100))

loss_of_a_confident_answer = Number(
    name="worked.loss_of_a_confident_answer",
    statement="With truth (0, 0, 1) and estimate (.002, .020, .978) the cross-entropy is −ln .978 = .02.",
    value=CROSS_ENTROPY,
    printed=".02",
    arguments={"y": THIRD_CLASS, "s": CONFIDENT},
    ids=("B02",),
    source="L = −Σ y log s",
    note="The natural logarithm; more digits are .022246.",
)

loss_of_a_confident_answer_in_base_ten = Number(
    name="worked.loss_of_a_confident_answer_in_base_ten",
    statement="The same loss with the logarithm of base ten is .0097 and rounds to .01: the lectures' log is natural.",
    value=CROSS_ENTROPY / log(10),
    printed=".0097",
    arguments={"y": THIRD_CLASS, "s": CONFIDENT},
    ids=("B02",),
    source="log₁₀ x = ln x / ln 10",
)

loss_of_a_more_confident_answer = Number(
    name="worked.loss_of_a_more_confident_answer",
    statement="With truth (0, 0, 1) and estimate (.01, .01, .98) the cross-entropy is −ln .98 = .0202.",
    value=CROSS_ENTROPY,
    printed=".0202",
    arguments={"y": THIRD_CLASS, "s": MORE_CONFIDENT},
    ids=("B03",),
    source="L = −Σ y log s",
)

a = array("a")
k3 = indices("k", 3)
FLAT_LOGITS = (Fraction(9, 10), Fraction(7, 10), Fraction(1, 10))


def probability(i: int) -> Any:
    """Entry i of the softmax of three logits."""
    return exp(a[i]) / Σ(exp(a[k3]), k3)


first_probability = Number(
    name="worked.first_probability",
    statement="The first entry of softmax(.9, .7, .1) is .44.",
    value=probability(0),
    printed=".44",
    arguments={"a": FLAT_LOGITS},
    ids=("E14",),
    source="e^a_l / Σ e^a_l'",
)

second_probability = Number(
    name="worked.second_probability",
    statement="The second entry of softmax(.9, .7, .1) is .36.",
    value=probability(1),
    printed=".36",
    arguments={"a": FLAT_LOGITS},
    ids=("E14",),
    source="e^a_l / Σ e^a_l'",
)

third_probability = Number(
    name="worked.third_probability",
    statement="The third entry of softmax(.9, .7, .1) is .19811, which rounds to .20.",
    value=probability(2),
    printed=".19811",
    arguments={"a": FLAT_LOGITS},
    ids=("E14",),
    source="e^a_l / Σ e^a_l'",
)

i4 = indices("i", 4)
WIDE_LOGITS = (10, -20, 700, -3)
TOTAL = Σ(exp(a[i4]), i4)

column_of_scaled_exponents_sums_to_four = Number(
    name="worked.column_of_scaled_exponents_sums_to_four",
    statement="If β = Σ e^a divided the exponents of (10, −20, 700, −3), the column would sum to 4 and not to 1.",
    value=Σ(exp(a[i4] / TOTAL), i4),
    printed="4.0000000000",
    arguments={"a": WIDE_LOGITS},
    ids=("E11", "E12"),
    source="e^(a/β) with β = Σ e^a",
)

column_of_scaled_exponentials_sums_to_one = Number(
    name="worked.column_of_scaled_exponentials_sums_to_one",
    statement="β = Σ e^a divides the exponentials of (10, −20, 700, −3): the column then sums to 1.",
    value=Σ(exp(a[i4]) / TOTAL, i4),
    printed="1.0000000000",
    arguments={"a": WIDE_LOGITS},
    ids=("E11", "E12"),
    source="e^a/β with β = Σ e^a",
)

exponential_beyond_float32 = Number(
    name="worked.exponential_beyond_float32",
    statement="e^700 is 1.0142 · 10³⁰⁴, and float32 ends at 3.4 · 10³⁸: the largest logit must be subtracted first.",
    value=exp(700),
    printed="1.0142E+304",
    ids=("E11",),
    source="the largest float32 is (2 − 2⁻²³) · 2¹²⁷",
)

n, k = sizes("n k")
i, j = indices("i j", k)
p, q = array("p", positive=True), array("q", positive=True)
share = scalars("share")

probability_vectors_are_mixed_to_probability_vectors = Claim(
    name="worked.probability_vectors_are_mixed_to_probability_vectors",
    statement="Two probability vectors over the same k classes, mixed in any proportion, sum to one again.",
    parts=(Part(left=Σ(share * p[i] + (1 - share) * q[i], i), right=Integer(1)),),
    arguments=(Argument("p", (k,), "distribution"), Argument("q", (k,), "distribution"), Argument("share")),
    given=((Σ(p[i], i), 1), (Σ(q[i], i), 1)),
    ids=("A04",),
    source="Δ_k = {v ∈ ℝ^k : v ≥ 0, Σ v = 1}",
)

low, rise = scalars("low rise", positive=True)

minus_log_decreases = Claim(
    name="worked.minus_log_decreases",
    statement="−ln decreases: a larger probability has a smaller loss.",
    parts=(Part(left=-log(low), right=-log(low + rise), relation=">", certificate=log(1 + rise / low)),),
    arguments=(Argument("low", (), "positive"), Argument("rise", (), "positive")),
    ids=("E16",),
    source="−ln a + ln (a + d) = ln (1 + d/a)",
)

v, z = Symbol("v", real=True), array("z")
label = Symbol("label", real=True)
LABELS = tuple({label: Fraction(t, 3)} for t in (0, 1, 3))

error_of_a_large_logit = Scalar(
    name="worked.error_of_a_large_logit",
    statement="As z grows the error σ(z) − y tends to 1 − y: to 0 if y is 1, and to 1, its full size, if y is 0.",
    operation="limit",
    expression=σ(v) - label,
    variable=v,
    to=oo,
    right=1 - label,
    at=LABELS,
    ids=("D09",),
    source="σ(z) → 1",
)

error_of_a_small_logit = Scalar(
    name="worked.error_of_a_small_logit",
    statement="As z falls the error σ(z) − y tends to −y: to 0 if y is 0, and to −1, its full size, if y is 1.",
    operation="limit",
    expression=σ(-v) - label,
    variable=v,
    to=oo,
    right=-label,
    at=LABELS,
    ids=("D09",),
    source="σ(−z) → 0",
)

stretch, shift = scalars("stretch", positive=True), scalars("shift")

predicted_label_has_no_slope = Claim(
    name="worked.predicted_label_has_no_slope",
    statement="The predicted label [z_1 > z_0] stays where the outputs are stretched and shifted; its slope is 0.",
    parts=(
        Part(left=Step(stretch * z[1] + shift - (stretch * z[0] + shift)), right=Step(z[1] - z[0]), output="label"),
        Part(left=Step(z[1] - z[0]), by=z[1], right=Integer(0), output="slope"),
    ),
    arguments=(Argument("z", (Integer(2),)), Argument("stretch", (), "positive"), Argument("shift")),
    ids=("E09",),
    source="argmax is piecewise constant",
    note="The slope is taken where the outputs differ; where they are equal the label jumps.",
)

# --- Hoeffding's bound for the mean of a thousand heights ------------------------------------------------------------

draws, deviation, range_ = scalars("n t range", positive=True)
BOUND = 2 * exp(-2 * draws * deviation**2 / range_**2)
HEIGHTS = {"n": 1000, "t": Fraction(1, 10), "range": 1}

bound_for_a_thousand_heights = Number(
    name="worked.bound_for_a_thousand_heights",
    statement="For 1000 heights within a range of 1 m and t = .1 m Hoeffding's bound is 2e⁻²⁰ = 4.122 · 10⁻⁹.",
    value=BOUND,
    printed="4.122E-9",
    arguments=HEIGHTS,
    ids=("E20", "E21", "E22"),
    source="2 exp(−2 n t² / (b − a)²)",
    note="The range of 1 m is an assumption; the probability is that of the mean, of which 1.7 m is one value.",
)

atom = indices("i", 2)
outcome = array("outcome")
heads = indices("i", 9)
chance = array("chance")

errata = (
    Erratum(
        id="E14",
        as_written=Number(
            name="worked.E14",
            statement="The third entry of softmax(.9, .7, .1) is .19.",
            value=probability(2),
            printed=".19",
            arguments={"a": FLAT_LOGITS},
        ),
        corrected_by="worked.third_probability",
        note=".19811 rounds to .20; the three printed entries would sum to .99.",
    ),
    Erratum(
        id="E19",
        as_written=Number(
            name="worked.E19",
            statement="Pr(|x̄ − μ| ≥ t) ≤ 2e^(−2nt²) for one draw of ±10 and t = 1: a certain event, bounded by .2707.",
            value=Σ(Step(Abs(outcome[atom]) - 1) / 2, atom),
            printed=".2707",
            arguments={"outcome": (10, -10)},
            relation="≤",
        ),
        corrected_by="bounds.hoeffding",
        note="Needs draws in [0, 1]; for draws in [a, b] the exponent is divided by (b − a)².",
    ),
    Erratum(
        id="E20",
        as_written=Number(
            name="worked.E20",
            statement="The bound 2e⁻²⁰ for n = 1000 and t = .1 holds whatever the range: here each draw is ±10.",
            value=1 - Σ(chance[heads], heads),  # the mean is within .1 for 496 … 504 draws of +10
            printed="4.123E-9",
            arguments={"chance": tuple(Fraction(comb(1000, k), 2**1000) for k in range(496, 505))},
            relation="≤",
        ),
        corrected_by="bounds.hoeffding",
        note="The range of 1 m is used and not stated; with a range of 20 the mean is off by .1 in 7 cases of 10.",
    ),
    Erratum(
        id="E21",
        as_written=Number(
            name="worked.E21",
            statement="The bound for a thousand heights is 2 · 1000 · .1².",
            value=BOUND,
            printed="20",
            arguments=HEIGHTS,
        ),
        corrected_by="worked.bound_for_a_thousand_heights",
        note="The exponential is lost: 20 is what stands in its exponent.",
    ),
    Erratum(
        id="E22",
        as_written=Number(
            name="worked.E22",
            statement="The bound for a thousand heights is .0000000004.",
            value=BOUND,
            printed=".0000000004",
            arguments=HEIGHTS,
        ),
        corrected_by="worked.bound_for_a_thousand_heights",
        note="Too small by a factor of ten.",
    ),
)
