"""Every kind of claim is fed lies: wrong prints, wrong limits, signs that are not seen, moments that contradict."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import sympy
from mpmath import iv, mp
from sympy import E, IndexedBase, Integer, MatrixSymbol, Max, OneMatrix, Rational, Trace, ZeroMatrix, lambdify

from derivations import bounds, ensembles, studies, training, worked
from derivations._kernel import (
    FLOATS,
    FRACTIONS,
    INTERVALS,
    Argument,
    Claim,
    Lemma,
    Measured,
    Number,
    Part,
    Quantity,
    Scalar,
    Statement,
    Verification,
    evaluate,
    verify,
)
from derivations._kernel.sign import at_least_zero
from derivations._kernel.terms import Σ, Abs, Held, Step, Symbol, array, exp, indices, log, oo, pi, scalars, sizes

n = sizes("n")
i, j = indices("i j", n)
x, y = array("x"), array("y")
p, q = array("p", positive=True), array("q", positive=True)
a, b = scalars("a b")
u, w = scalars("u w", positive=True)
v = Symbol("v", real=True)
c = Symbol("c", positive=True)


def status(claim: Statement) -> str:
    return verify(claim, mutants=0).status


# --- numbers ---------------------------------------------------------------------------------------------------------

THIRD = Number(name="third", statement="A third.", value=a / 3, printed=".333", arguments={"a": 1})


def test_a_number_is_proved_to_the_digits_that_are_printed() -> None:
    assert status(THIRD) == "proved"
    assert status(replace(THIRD, printed=".3333333333")) == "proved"
    assert status(replace(THIRD, printed="0")) == "proved"


@pytest.mark.parametrize("printed", [".334", ".332", "-.333", "3.33", ".0333", "1", ".3334", ".33333333333333333334"])
def test_a_wrong_print_is_refuted_with_the_value(printed: str) -> None:
    result = verify(replace(THIRD, printed=printed))

    assert result.status == "refuted"
    assert result.witness is not None
    assert result.witness.left == "0.33333333333333333333"
    assert result.witness.right == printed


@pytest.mark.parametrize(
    "relation, printed, expected",
    [
        ("≤", ".3334", "proved"),
        ("≤", ".3333", "refuted"),
        ("≥", ".3333", "proved"),
        ("≥", ".3334", "refuted"),
        ("≤", "-1", "refuted"),
        ("≥", "-1", "proved"),
    ],
)
def test_a_number_on_one_side_of_another(relation: Any, printed: str, expected: str) -> None:
    assert status(replace(THIRD, relation=relation, printed=printed)) == expected


def test_a_value_that_cannot_be_told_from_the_end_of_its_rounding_is_not_decided() -> None:
    thirds = Number(name="edge", statement="Three thirds.", value=Σ(Rational(1, 3), indices("k", 3)), printed="1")

    assert status(thirds) == "proved"
    assert status(replace(thirds, relation="≥")) == "undecided"  # it may lie below 1 by a rounding error


def test_the_arguments_of_a_number_are_exact() -> None:
    tenth = Number(name="n", statement="s.", value=10**25 * a, printed="1" + 24 * "0", arguments={"a": Fraction(1, 10)})

    assert status(tenth) == "proved"
    assert status(replace(tenth, printed="1" + 23 * "0" + "1")) == "refuted"


def test_no_other_print_of_a_number_is_proved() -> None:
    result = verify(worked.probability_of_the_network)

    assert result.mutants >= 6
    assert result.mutants_proved == 0


# --- limits and integrals --------------------------------------------------------------------------------------------

DECAY = Scalar(
    name="decay",
    statement="What decays is lost.",
    operation="limit",
    expression=b + exp(-c * v),
    variable=v,
    to=oo,
    right=b,
    at=({b: 1, c: 1}, {b: Fraction(-1, 3), c: 2}),
)
HALF = Scalar(
    name="half",
    statement="E relu(Z)² = ½ for a normal Z.",
    operation="integral",
    expression=v**2 * exp(-(v**2) / 2) / sympy.sqrt(2 * pi),
    variable=v,
    start=0,
    to=oo,
    right=Rational(1, 2),
)


@pytest.mark.parametrize("claim", [DECAY, HALF], ids=lambda claim: claim.name)
def test_a_limit_and_an_integral_are_proved_and_no_variant_is(claim: Scalar) -> None:
    result = verify(claim)

    assert result.status == "proved"
    assert result.trust == "scalar_sympy"
    assert result.mutants >= 2
    assert result.mutants_proved == 0


@pytest.mark.parametrize("right", [-b, 2 * b, b + 1, Integer(0), b + Rational(1, 10**20)])
def test_a_wrong_limit_is_refuted(right: Any) -> None:
    result = verify(replace(DECAY, right=right))

    assert result.status == "refuted"
    assert result.witness is not None
    assert not result.steps[0].proved


@pytest.mark.parametrize("right", [Integer(1), Rational(1, 3), -Rational(1, 2), E / 5])
def test_a_wrong_integral_is_refuted(right: Any) -> None:
    assert status(replace(HALF, right=right)) == "refuted"


def test_the_side_of_a_limit_matters() -> None:
    sign = Scalar(
        name="sign", statement="|v|/v → 1.", operation="limit", expression=Abs(v) / v, variable=v, to=0,
        right=Integer(1), side="+",
    )  # fmt: skip

    assert status(sign) == "proved"
    assert status(replace(sign, side="-")) == "refuted"
    assert status(replace(sign, side="-", right=Integer(-1))) == "proved"


def test_numbers_overrule_a_limit_that_sympy_gets_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sympy, "limit", lambda *_: b + 1)

    result = verify(replace(DECAY, right=b + 1), mutants=0)

    assert result.steps[0].proved
    assert result.status == "refuted"


def test_a_limit_that_sympy_leaves_as_it_is_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sympy, "limit", sympy.Limit)

    assert status(DECAY) == "undecided"


# --- simulations -----------------------------------------------------------------------------------------------------


def measured(*samples: float, low: float = -1.0, high: float = 1.0) -> Verification:
    quantity = Quantity("what", samples, low, high)
    return verify(Measured(name="m", statement="s.", measure=lambda _: (quantity,)))


@pytest.mark.parametrize(
    "samples, expected",
    [
        ((0.1, 0.2, 0.15, 0.1), "measured"),
        ((2.1, 2.2, 2.15, 2.1), "refuted"),
        ((-2.1, -2.2, -2.15, -2.1), "refuted"),
        ((0.9, 1.1, 0.8, 1.2), "undecided"),  # the mean is inside, but not by four standard errors
        ((-3.0, 3.0, -2.0, 2.0), "undecided"),
        ((0.5,), "measured"),  # what was computed and not drawn has no error
    ],
)
def test_a_mean_must_lie_in_its_interval_by_four_standard_errors(samples: tuple[float, ...], expected: str) -> None:
    result = measured(*samples)

    assert result.status == expected
    assert (result.witness is not None) == (expected == "refuted")


def test_one_quantity_outside_refutes_all() -> None:
    claim = Measured(
        name="m",
        statement="s.",
        measure=lambda _: (Quantity("in", (0.0,), -1, 1), Quantity("out", (2.0,), -1, 1)),
    )
    result = verify(claim)

    assert result.status == "refuted"
    assert result.witness is not None
    assert result.witness.output == "out"
    assert len(result.measured) == 2


def test_a_simulation_is_the_same_for_the_same_seed() -> None:
    draws = Measured(
        name="m", statement="s.", measure=lambda rng: (Quantity("d", tuple(rng.random() for _ in range(9)), 0, 1),)
    )

    assert verify(draws).measured == verify(draws).measured
    assert verify(draws, seed=1).measured != verify(draws).measured


def test_a_study_with_the_standard_deviation_for_the_variance_is_refuted() -> None:
    def wrong(rng: random.Random) -> tuple[Quantity, ...]:
        passages = [studies.passed(rng, studies.LINEAR, 1 / studies.WIDTH**2, depth=1) for _ in range(20)]
        return (Quantity("factor", tuple(p.left / p.entered for p in passages), 0.8, 1.2),)

    assert status(replace(studies.a_linear_layer_keeps_the_mean_square, measure=wrong)) == "refuted"


def test_the_gradient_of_a_study_is_the_difference_quotient() -> None:
    """One unit in each of 3 layers: the slope of the output by the input, squared, is the gradient's factor."""
    seed, h, width = 5, 1e-6, 1

    class Moved(random.Random):
        first = 0.0

        def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
            drawn = super().gauss(mu, sigma)
            moved, self.first = drawn + self.first, 0.0  # the first draw is the input
            return moved

    def output(by: float) -> float:
        rng = Moved(seed)
        rng.first = by
        passage = studies.passed(rng, studies.SIGMOID, 1.0, depth=3, width=width)
        return math.sqrt(passage.left)

    slope = (output(h) - output(-h)) / (2 * h)
    passage = studies.passed(Moved(seed), studies.SIGMOID, 1.0, depth=3, width=width)

    assert passage.gradient_below / passage.gradient_above == pytest.approx(slope**2, rel=1e-6)


# --- inequalities ----------------------------------------------------------------------------------------------------

REAL = (Argument("a"), Argument("b"))
SQUARES = Part(left=a**2 + b**2, right=2 * a * b, relation="≥", certificate=(a - b) ** 2)


def inequality(part: Part, *arguments: Argument, **more: Any) -> Verification:
    return verify(Claim(name="i", statement="s.", parts=(part,), arguments=arguments or REAL, **more))


def test_an_inequality_is_proved_by_a_certificate_whose_sign_is_seen() -> None:
    result = inequality(SQUARES)

    assert result.status == "proved"
    assert result.mutants >= 2
    assert result.mutants_proved == 0


@pytest.mark.parametrize(
    "certificate, because",
    [
        ((a - 2 * b) ** 2, "the difference"),
        ((a - b) ** 2 + Rational(1, 10**30), "the difference"),
        ((a + b) ** 2, "the difference"),
        (a**2 + b**2, "the difference"),
        (a**2 - 2 * a * b + b**2, "its sign is seen"),
        (None, "its sign is seen"),  # without a certificate the difference's own sign must be seen
    ],
)
def test_a_certificate_must_be_the_difference_and_have_a_sign(certificate: Any, because: str) -> None:
    result = inequality(replace(SQUARES, certificate=certificate))

    assert result.status == "undecided"
    assert result.first_wrong is not None
    assert result.first_wrong.because == because


def test_a_square_is_not_above_zero() -> None:
    assert inequality(replace(SQUARES, relation=">")).status == "undecided"


def test_a_false_inequality_is_refuted_whatever_its_certificate() -> None:
    for certificate in ((a - b) ** 2, a**2 + b**2, None):
        assert inequality(replace(SQUARES, left=a, right=b, certificate=certificate)).status == "refuted"


def test_the_relation_the_other_way_round_is_refuted() -> None:
    result = inequality(replace(SQUARES, left=2 * a * b, right=a**2 + b**2))

    assert result.status == "refuted"
    assert result.witness is not None


def test_an_axiom_does_not_save_what_numbers_refute() -> None:
    result = inequality(Part(left=a * b, right=a**2, relation="≥", axiom="because I say so"))

    assert result.status == "refuted"


def test_an_axiom_is_named() -> None:
    result = inequality(replace(SQUARES, certificate=None, axiom="A theorem."))

    assert result.axioms == ("A theorem.",)


@pytest.mark.parametrize(
    "e",
    [
        Integer(0), Integer(2), Rational(1, 3), E, pi, u, u * w, u / w, a**2, (a - b) ** 4, exp(a), 1 + exp(-a),
        1 / (1 + exp(a)), Σ(x[i] ** 2, i), Σ(p[i] * x[i] ** 2, i), Abs(a), Step(a), log(1 + u), log(1 + a**2),
        u**Rational(1, 2), sympy.sqrt(1 + a**2), n, n + a**2, Σ(Abs(x[i]), i) * u,
    ],
    ids=str,
)  # fmt: skip
def test_signs_that_are_seen(e: Any) -> None:
    assert at_least_zero(e)
    assert not at_least_zero(-e - u)


@pytest.mark.parametrize(
    "e",
    [
        a, -u, a * b, a**3, u - w, a**2 - 1, log(u), log(a**2), exp(a) - 1, Σ(x[i], i), Σ(x[i], i) * u, -(a**2),
        a**2 * b, 1 / a, Step(a) - 1, Integer(-1), n - 2, x[i] * x[j], log(1 - u), a**2 - 2 * a * b + b**2,
    ],
    ids=str,
)  # fmt: skip
def test_signs_that_are_not_there_are_not_seen(e: Any) -> None:
    assert not at_least_zero(e)


@pytest.mark.parametrize(
    "e", [Integer(0), a**2, Abs(a), a**2 + Abs(b), u * a**2, Step(a), Σ(x[i] ** 2, i), log(1 + a**2)], ids=str
)
def test_what_may_be_zero_is_not_seen_to_be_above(e: Any) -> None:
    assert at_least_zero(e)
    assert not at_least_zero(e, strictly=True)


@pytest.mark.parametrize("e", [Integer(1), u, exp(a), 1 + a**2, Σ(exp(x[i]), i), 1 / (1 + exp(a)), log(1 + u)], ids=str)
def test_what_is_seen_to_be_above_zero(e: Any) -> None:
    assert at_least_zero(e, strictly=True)


def test_an_assumption_is_used_as_it_stands() -> None:
    assert at_least_zero(a - 1, positive=(a - 1,), strictly=True)
    assert not at_least_zero(a - 2, positive=(a - 1,))


def test_assumptions_that_do_not_hold_prove_nothing() -> None:
    result = inequality(Part(left=a**2 + 1, right=Integer(0), relation=">"), positive=(-(a**2),))

    assert not result.model
    assert result.status == "undecided"


# --- lemmas ----------------------------------------------------------------------------------------------------------

TANGENT = bounds.GAP


def test_a_lemma_serves_in_its_domain() -> None:
    assert at_least_zero(TANGENT.at(u), lemmas=(TANGENT,))
    assert at_least_zero(TANGENT.at(exp(a)), lemmas=(TANGENT,))
    assert at_least_zero(Σ(p[i] * TANGENT.at(q[i] / p[i]), i), lemmas=(TANGENT,))


@pytest.mark.parametrize("value", [a, a**2, -u, u - w, x[i], log(u)], ids=str)
def test_a_lemma_does_not_serve_outside_its_domain(value: Any) -> None:
    assert not at_least_zero(TANGENT.at(value), lemmas=(TANGENT,))


def test_a_lemma_must_be_named_by_the_claim_and_says_no_more_than_it_says() -> None:
    held = TANGENT.at(u)

    assert not at_least_zero(held)
    assert not at_least_zero(held, lemmas=(replace(TANGENT, claim="bounds.another"),))
    assert not at_least_zero(held, lemmas=(TANGENT,), strictly=True)
    assert not at_least_zero(-held, lemmas=(TANGENT,))
    assert not at_least_zero(Held(TANGENT.claim, -u, u), lemmas=(TANGENT,))  # what the lemma does not say
    assert not at_least_zero(Held(TANGENT.claim, held.unfolded, w), lemmas=(TANGENT,))  # of another value


def test_gibbs_inequality_needs_its_lemma_and_its_hypotheses() -> None:
    claim = bounds.kl_divergence_is_not_negative

    assert status(claim) == "proved"
    assert status(replace(claim, lemmas=())) == "undecided"
    assert status(replace(claim, given=claim.given[:1])) == "undecided"
    (part,) = claim.parts
    assert status(replace(claim, parts=(replace(part, right=Integer(1)),))) == "refuted"


def test_a_false_lemma_is_still_refuted_by_numbers() -> None:
    wrong = Lemma("bounds.log_is_below_its_tangent", TANGENT.variable, TANGENT.variable - 1, "positive")
    part = Part(left=u, right=Integer(1), relation="≥", certificate=wrong.at(u))
    claim = Claim(
        name="lie", statement="s.", parts=(part,), arguments=(Argument("u", (), "positive"),), lemmas=(wrong,)
    )

    assert status(claim) == "refuted"


# --- moments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim", [ensembles.mean_of_uncorrelated_draws, ensembles.bagging], ids=lambda claim: claim.name
)
def test_a_variance_needs_its_first_and_its_mixed_moments(claim: Claim) -> None:
    def without(k: int) -> str:
        return status(replace(claim, given=(*claim.given[:k], *claim.given[k + 1 :])))

    assert status(claim) == "proved"
    assert [without(1), without(3)] == ["undecided", "undecided"]


def test_moments_that_the_space_does_not_have_prove_nothing() -> None:
    claim = ensembles.mean_of_uncorrelated_draws
    for k, (left, right) in enumerate(claim.given):
        contradicting = (*claim.given[:k], (left, right + 1), *claim.given[k + 1 :])
        result = verify(replace(claim, given=contradicting), mutants=0)

        assert not result.model
        assert result.status == "undecided"


def test_a_wrong_variance_is_refuted_on_the_space() -> None:
    for claim in (ensembles.mean_of_uncorrelated_draws, ensembles.bagging):
        *others, last = claim.parts
        wrong = replace(claim, parts=(*others, replace(last, right=2 * last.right, lines=())))

        assert status(wrong) == "refuted"


def test_what_holds_of_independent_draws_is_refuted_of_tied_ones() -> None:
    claim = ensembles.bagging
    (part,) = claim.parts
    independent = ensembles.σ**2 / ensembles.B

    assert ensembles.mean_of_uncorrelated_draws.parts[1].right == independent
    assert status(replace(claim, parts=(replace(part, right=independent, lines=()),))) == "refuted"


# --- cases and regions -----------------------------------------------------------------------------------------------

h = array("h")
ABOVE, EQUAL, BELOW = (((h[1], h[0] - u),), ((h[1], h[0]),), ((h[1], h[0] + u),))
LARGER = Claim(
    name="larger",
    statement="The larger of two numbers, in two forms.",
    parts=(Part(left=h[0] + (h[1] - h[0]) * Step(h[1] - h[0]), right=(h[0] + h[1] + Abs(h[0] - h[1])) / 2),),
    arguments=(Argument("h", (Integer(2),)),),
    regions=(ABOVE, EQUAL, BELOW),
)


def test_regions_prove_what_holds_in_each_of_them() -> None:
    result = verify(LARGER)

    assert result.status == "proved"
    assert result.trust == "exhaustive"
    assert result.mutants_proved == 0


def test_without_regions_it_is_not_proved() -> None:
    assert status(replace(LARGER, regions=())) == "undecided"


@pytest.mark.parametrize("right", [h[0], h[1], (h[0] + h[1]) / 2, (h[0] + h[1] - Abs(h[0] - h[1])) / 2])
def test_what_fails_in_one_region_is_refuted(right: Any) -> None:
    wrong = replace(LARGER, parts=(replace(LARGER.parts[0], right=right),))

    assert status(wrong) == "refuted"
    assert not verify(wrong, mutants=0).steps[0].proved


def test_what_fails_at_ties_only_is_not_proved() -> None:
    slopes = Part(left=Step(h[0] - h[1]) + Step(h[1] - h[0]), right=Integer(1))
    claim = replace(LARGER, parts=(slopes,))

    assert status(claim) == "undecided"  # random points have no ties
    assert [step.proved for step in verify(claim, mutants=0).steps] == [False]


def test_early_stopping_sees_every_order_of_four_losses() -> None:
    regions = training.early_stopping_keeps_the_first_lowest.regions

    assert len(regions) == len(set(regions)) == 75  # the weak orders of four


# --- arithmetics -----------------------------------------------------------------------------------------------------

SPREAD = Claim(
    name="spread",
    statement="A variance.",
    parts=(Part(left=Integer(0), right=Σ((x[i] - Σ(x[j], j) / n) ** 2, i) / n),),
    arguments=(Argument("x", (n,)),),
)
ENTROPY = Claim(
    name="entropy",
    statement="An entropy with a root and π.",
    parts=(Part(left=Integer(0), right=-Σ(p[i] * log(p[i]), i) + sympy.sqrt(Σ(p[i], i)) + pi),),
    arguments=(Argument("p", (n,), "positive"),),
)
NEAR = [1e8, 1e8 + 1, 1e8 + 2]


def test_fractions_are_exact() -> None:
    assert evaluate(SPREAD, {"x": NEAR}, numbers=FRACTIONS)[""] == Fraction(2, 3)
    assert evaluate(SPREAD, {"x": [Fraction(1, 3), Fraction(1, 7)]}, numbers=FRACTIONS)[""] == Fraction(4, 441)


def test_fractions_refuse_what_has_none() -> None:
    with pytest.raises(TypeError, match="no exact fraction"):
        evaluate(ENTROPY, {"p": [Fraction(1, 2)]}, numbers=FRACTIONS)


def test_floats_are_close_and_many_digits_agree_with_intervals() -> None:
    point = {"p": [0.25, 0.5, 3.0]}
    digits = evaluate(ENTROPY, point)[""]
    enclosure = evaluate(ENTROPY, point, numbers=INTERVALS)[""]

    assert evaluate(ENTROPY, point, numbers=FLOATS)[""] == pytest.approx(float(digits), rel=1e-15)
    with mp.workdps(60):
        assert enclosure.a <= digits <= enclosure.b
        assert enclosure.delta < mp.mpf(10) ** -55


@pytest.mark.parametrize(
    "e, at",
    [
        (x[0] ** 2, (-3, 5)), (x[0] ** 3 - x[0], (-2, 7)), (1 / x[0], (2, 3)), (exp(-x[0]) * x[0], (1, 9)),
        (log(x[0] ** 2 + 1), (-1, 4)), (sympy.sqrt(x[0] ** 2), (-5, 2)), (Abs(x[0]) - x[0], (-5, 3)),
        (Step(x[0]) * x[0], (-1, 5)), (x[0] ** -2, (-7, 3)),
    ],
    ids=str,
)  # fmt: skip
def test_an_interval_holds_the_values_of_all_its_points(e: Any, at: tuple[int, int]) -> None:
    claim = Claim(
        name="e", statement="s.", parts=(Part(left=Integer(0), right=e),), arguments=(Argument("x", (Integer(1),)),)
    )
    middle = Fraction(*at)
    around = iv.mpf([float(middle) - 0.1, float(middle) + 0.1])
    enclosure = evaluate(claim, {"x": [around]}, numbers=INTERVALS)[""]
    for step in range(-10, 11):
        value = mp.mpf(evaluate(claim, {"x": [middle + Fraction(step, 101)]})[""])
        assert iv.mpf(enclosure).a <= value <= iv.mpf(enclosure).b


@pytest.mark.parametrize(
    "e, error", [(log(x[0]), ValueError), (1 / x[0], ZeroDivisionError), (sympy.sqrt(x[0]), ValueError)]
)
def test_an_interval_over_a_pole_has_no_value(e: Any, error: type[Exception]) -> None:
    claim = Claim(
        name="e", statement="s.", parts=(Part(left=Integer(0), right=e),), arguments=(Argument("x", (Integer(1),)),)
    )

    with pytest.raises(error):
        evaluate(claim, {"x": [iv.mpf([-1, 1])]}, numbers=INTERVALS)


def test_a_logarithm_from_zero_on_has_no_value() -> None:
    with pytest.raises(ValueError, match="negative or zero"):
        INTERVALS.log(iv.mpf([0, 1]))


def test_a_step_that_may_go_either_way_is_the_whole_interval() -> None:
    enclosure = INTERVALS.step(iv.mpf([-1, 1]))

    assert (enclosure.a, enclosure.b) == (0, 1)
    assert INTERVALS.step(iv.mpf([1, 2])) == 1
    assert INTERVALS.step(iv.mpf([-1, 0])) == 0


# --- why the proofs are not SymPy's own ------------------------------------------------------------------------------
# Each of these is a fact about SymPy that the kernel must not rest on; if one changes, the field note is out of date.

size = sympy.Symbol("n", integer=True, positive=True)
i_, j_ = sympy.symbols("i j", integer=True)
z = IndexedBase("z", real=True)
A, B, X = MatrixSymbol("A", size, size), MatrixSymbol("B", size, size), MatrixSymbol("X", size, 1)


def test_sympy_captures_the_index_of_a_sum() -> None:
    total = sympy.Sum(z[j_], (j_, 0, size - 1))

    assert total.diff(z[j_]).doit() == size  # it is 1
    assert sympy.Sum(z[i_] * z[j_], (i_, 0, size - 1)).subs(j_, i_) == sympy.Sum(z[i_] ** 2, (i_, 0, size - 1))


@pytest.mark.parametrize(
    "function",
    [
        log((OneMatrix(1, size) * X.applyfunc(exp))[0, 0]),  # the gradient is the softmax
        log(sympy.Sum(exp(X[i_, 0]), (i_, 0, size - 1))),  # the same
        X[0, 0],  # a matrix unit
    ],
    ids=["log 1ᵀ exp X", "log Σ exp X", "X[0, 0]"],
)
def test_sympy_gives_no_gradient_by_a_column(function: Any) -> None:
    assert function.diff(X) == ZeroMatrix(size, 1)


@pytest.mark.parametrize(
    "function",
    [Trace(A.T * A) + Trace(B.T * B), log(sympy.Determinant(A)), sympy.sin(Trace(A))],
    ids=["two traces", "log det", "sin of the trace"],
)
def test_sympy_gives_no_gradient_by_a_matrix(function: Any) -> None:
    assert function.diff(A) == ZeroMatrix(size, size)


def test_sympy_splits_a_tie_in_two() -> None:
    first, second = sympy.symbols("a b", real=True)

    assert Max(first, second).diff(first).subs({first: 1, second: 1}) == Rational(1, 2)


def test_lambdify_of_a_sum_from_one_drops_the_first_entry_or_leaves_the_array() -> None:
    total = lambdify([z, size], sympy.Sum(z[i_], (i_, 1, size)), "math")

    assert total([10.0, 20.0, 30.0], 2) == 50.0  # of the first two entries it was to be 30
    with pytest.raises(IndexError):
        total([10.0, 20.0, 30.0], 3)


def test_sympy_does_not_see_that_a_bound_name_means_nothing() -> None:
    first, second = (sympy.Sum(z[k], (k, 0, size - 1)) for k in (i_, j_))

    assert first != second
    assert first.equals(second) is None
    assert sympy.simplify(first - second) != 0


def test_a_forced_logarithm_is_wrong_for_negative_numbers() -> None:
    real = sympy.Symbol("a", real=True)

    assert sympy.expand_log(log(real**2), force=True) == 2 * log(real)
    assert sympy.powdenest(sympy.sqrt(real**2), force=True) == real
