"""Laws over the catalogue of claims."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import pytest

from derivations import optimizers
from derivations._catalogue import claims, errata
from derivations._kernel import Claim, Induction, Lemma, Measured, Verification, as_latex, as_text, verify
from derivations._kernel.calculus import D
from derivations._kernel.terms import array, put

CLAIMS = claims()
EQUATIONS = {name: claim for name, claim in CLAIMS.items() if isinstance(claim, Claim | Induction)}
CHAINS = {name: claim for name, claim in CLAIMS.items() if isinstance(claim, Claim) and claim.parts[0].lines}
ERRATA = {erratum.id: erratum for erratum in errata()}
FUNCTIONS = {
    "activations": (
        *("sigmoid", "sigmoid_vjp", "tanh", "tanh_vjp", "relu", "relu_vjp", "softmax", "softmax_vjp"),
        *("log_softmax", "log_softmax_vjp", "logsumexp", "logsumexp_vjp"),
    ),
    "losses": (
        *("cross_entropy", "softmax_cross_entropy", "softmax_cross_entropy_grad"),
        *("bce_with_logits", "bce_with_logits_grad", "half_squared_error", "half_squared_error_grad"),
    ),
    "layers": ("affine", "affine_vjp"),
    "training": ("softmax_regression", "softmax_regression_grad"),
    "optimizers": ("sgd", "momentum", "adagrad", "rmsprop", "adam"),
}


@lru_cache
def verified(name: str) -> Verification:
    return verify(CLAIMS[name], mutants=8)


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_is_proved_and_agrees_with_numbers(name: str) -> None:
    result = verified(name)
    measured = isinstance(CLAIMS[name], Measured)

    assert result.status == ("measured" if measured else "proved"), (result.first_wrong, result.witness)
    assert result.model
    assert measured or result.numeric_digits >= 50
    assert result.witness is None


@pytest.mark.parametrize("name", CLAIMS)
def test_no_mutant_of_a_claim_is_proved(name: str) -> None:
    result = verified(name)

    assert result.mutants >= 1 or isinstance(CLAIMS[name], Measured)  # what is simply 0 can be wrong in one way
    assert result.mutants_proved == 0


@pytest.mark.deep
@pytest.mark.parametrize("name", CLAIMS)
def test_none_of_all_mutants_is_proved(name: str) -> None:
    result = verify(CLAIMS[name], mutants=10_000, seed=1)

    assert result.mutants_proved == 0


@pytest.mark.parametrize("name", EQUATIONS)
def test_a_perturbed_claim_is_refuted_with_a_witness(name: str) -> None:
    result = verify(perturbed(EQUATIONS[name]), mutants=0)

    assert result.status == "refuted"
    assert result.witness is not None
    assert result.witness.left != result.witness.right
    assert result.first_wrong is not None


def perturbed(claim: Claim | Induction) -> Claim | Induction:
    if isinstance(claim, Claim):
        *parts, last = claim.parts
        wrong = last.right * 2 + 1 if last.relation == "=" else last.left + 1
        return replace(claim, parts=(*parts, replace(last, right=wrong, certificate=None, axiom="")))
    *states, end = claim.states
    return replace(claim, states=(*states, replace(end, closed=end.closed * 2 + 1)))


@pytest.mark.parametrize("name", [name for name in EQUATIONS if isinstance(EQUATIONS[name], Claim)])
def test_no_step_says_that_a_formula_is_itself(name: str) -> None:
    """SymPy cancels while a formula is written; what is then left of a step in a chain must still be a statement."""
    claim = EQUATIONS[name]
    assert isinstance(claim, Claim)
    vacuous = 0
    for part in claim.parts:
        chain = [
            part.left if part.by is None else D(part.left, part.by),
            *(line.value for line in part.lines),
            part.right,
        ]
        steps = list(pairwise(chain))[part.by is not None :]  # what a derivative is, is a statement
        vacuous += sum(above == below for above, below in steps) if part.lines else 0

    assert not vacuous


LEMMAS = {lemma.claim: lemma for claim in EQUATIONS.values() if isinstance(claim, Claim) for lemma in claim.lemmas}


@pytest.mark.parametrize("name", LEMMAS)
def test_a_lemma_is_what_its_claim_proves(name: str) -> None:
    lemma: Lemma = LEMMAS[name]
    claim = EQUATIONS[name]
    assert isinstance(claim, Claim)
    (argument,) = claim.arguments
    last = claim.parts[-1]
    variable = array(argument.name, positive=lemma.domain == "positive")[()]

    assert last.relation == "≥"
    assert argument.domain == lemma.domain
    assert put(lemma.expression, {lemma.variable: variable}) == last.left - last.right


@pytest.mark.parametrize("name", CHAINS)
def test_a_wrong_line_in_a_chain_is_the_first_wrong_step(name: str) -> None:
    claim = CHAINS[name]
    first, *others = claim.parts[0].lines
    wrong = replace(claim.parts[0], lines=(replace(first, value=2 * first.value + 1, because="wrong"), *others))

    result = verify(replace(claim, parts=(wrong, *claim.parts[1:])), mutants=0)

    assert result.status == "undecided"
    assert result.first_wrong is not None
    assert result.first_wrong.because == "wrong"


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_bears_its_catalogue_name_and_says_where_it_comes_from(name: str) -> None:
    claim = CLAIMS[name]

    assert claim.name == name
    assert claim.ids
    assert claim.source
    assert claim.statement.endswith(".")


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_can_be_shown(name: str) -> None:
    text, tex = as_text(CLAIMS[name]), as_latex(CLAIMS[name])

    assert text.splitlines()[0] == CLAIMS[name].statement
    assert tex.count(r"\begin{aligned}") == tex.count(r"\end{aligned}") >= 1
    assert tex.count("{") - tex.count(r"\{") == tex.count("}") - tex.count(r"\}")


def test_every_function_of_the_first_release_has_its_claim() -> None:
    assert {f"{topic}.{name}" for topic, names in FUNCTIONS.items() for name in names} <= set(CLAIMS)


@pytest.mark.parametrize("id_", ERRATA)
def test_every_erratum_is_refuted_as_written_and_proved_as_corrected(id_: str) -> None:
    erratum = ERRATA[id_]
    result = verify(erratum.as_written, mutants=0)

    assert result.status == "refuted"
    assert result.witness is not None
    assert verified(erratum.corrected_by).status in ("proved", "measured")


def test_assumptions_that_hold_nowhere_prove_nothing() -> None:
    claim = CLAIMS["losses.softmax_cross_entropy_grad"]
    assert isinstance(claim, Claim)
    ((left, _),) = claim.given

    result = verify(replace(claim, given=((left, 2),)))

    assert not result.model
    assert result.status == "undecided"


def test_the_gradient_is_not_proved_without_its_hypothesis() -> None:
    claim = CLAIMS["losses.softmax_cross_entropy_grad"]
    assert isinstance(claim, Claim)

    result = verify(replace(claim, given=()), mutants=0)

    assert result.status == "undecided"  # the sample points still have rows that sum to one


def test_an_induction_needs_its_base() -> None:
    claim = CLAIMS["optimizers.sgd"]
    assert isinstance(claim, Induction)
    (state,) = claim.states

    result = verify(replace(claim, states=(replace(state, closed=state.closed + 1),)), mutants=0)

    assert [step.proved for step in result.steps] == [False, True]


def test_verification_is_the_same_in_every_run() -> None:
    first, second = (replace(verify(optimizers.momentum), seconds=0) for _ in range(2))

    assert first == second
