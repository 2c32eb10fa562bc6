"""Laws over the catalogue of claims."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pytest

import reference
from derivations import optimizers
from derivations._catalogue import claims, errata
from derivations._kernel import Claim, Induction, Lemma, Measured, Verification, as_latex, as_text, verify
from derivations._kernel.calculus import D
from derivations._kernel.terms import array, mentions, put

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

DEFINITION = "its formula is its definition, and a claim needs two sides"
PICKED = "it picks entries by comparing them, and the kernel knows no largest one"
ROUNDED = "it rounds a quotient to a whole number, which the kernel cannot write"
LISTED = "it takes a list of any length, and an argument of a claim is an array"
GROUPED = "its channels are cut into groups; the claim, {}, has an axis for these"
PASSED = "it takes a function; {} proves it for two layers with any smooth activation between them"

WITHOUT_CLAIM: Mapping[str, str] = {
    "layers.flatten": "it moves entries; layers.flatten_vjp has their places",
    "layers.residual": PASSED.format("layers.residual_jacobian"),
    "layers.residual_vjp": PASSED.format("layers.residual_gradient"),
    "layers.residual_unit": DEFINITION,
    "layers.concatenate_channels": "it moves entries; layers.concatenate_channels_vjp has their places",
    "layers.inception": "it is made of convolutions, pooling and a concatenation, each of which has its own line",
    "layers.inception_vjp": "max pooling has none; layers.concatenated_branches_add_their_gradients is the rule",
    "layers.n_inception_parameters": "a sum over six convolutions of convolution.n_parameters",
    "losses.predict_label": PICKED,
    "losses.accuracy": PICKED,
    "networks.mlp": LISTED,
    "networks.mlp_forward": LISTED,
    "networks.mlp_errors": f"{LISTED}; networks.backpropagation_from_layer_to_layer is one step of it",
    "networks.mlp_backward": f"{LISTED}; networks.network_of_5_layers and those before it are whole networks",
    "networks.mlp_vjp": f"{LISTED}; networks.network_of_5_layers and those before it are whole networks",
    "networks.mlp_loss": LISTED,
    "networks.mlp_loss_grad": f"{LISTED}; networks.network_of_5_layers and those before it are whole networks",
    "networks.jacobian_product": f"{LISTED}; networks.jacobians_multiply_from_the_top is for three layers",
    "networks.gradient_norms": LISTED,
    "convolution.output_size": f"{ROUNDED}; convolution.output_size_by_division_with_remainder proves it",
    "convolution.receptive_field": LISTED,
    "pooling.max_pool2d": PICKED,
    "pooling.max_pool2d_vjp": f"{PICKED}; pooling.maximum_of_four_slopes proves it for a window without ties",
    "pooling.avg_pool2d": "the number of its windows is a quotient rounded down; pooling.avg_pool2d_vjp has a claim",
    "normalization.group_norm": GROUPED.format("normalization.group_norm_with_an_axis_of_groups"),
    "normalization.group_norm_vjp": GROUPED.format("normalization.group_norm_gradients_with_an_axis_of_groups"),
    "regularization.early_stopping": f"{PICKED}; training.early_stopping_keeps_the_first_lowest is a small case",
    "regularization.max_norm": f"{PICKED}; regularization.max_norm_makes_each_column_as_long_as_the_bound",
    "regularization.clip_by_global_norm": LISTED,
    "optimizers.step_lr": ROUNDED,
    "optimizers.exponential_lr": DEFINITION,
    "optimizers.cosine_lr": "the kernel knows no cosine",
    "optimizers.warmup_lr": PICKED,
    "optimizers.momentum_decay": PICKED,
    "initialization.fans": LISTED,
    "preprocessing.mean_image": DEFINITION,
    "preprocessing.center": DEFINITION,
    "preprocessing.standardize": DEFINITION,
    "preprocessing.feature_range": PICKED,
    "preprocessing.minmax": DEFINITION,
    "preprocessing.polar_features": "the kernel has no angles; preprocessing.polar_features_separate_a_circle is near",
    "preprocessing.one_hot": DEFINITION,
    "training.linear_classifier": PICKED,
    "training.confusion_matrix": DEFINITION,
    "training.gradient_descent": "it takes functions; optimizers.sgd is its step",
    "ensembles.out_of_bag": DEFINITION,
    "ensembles.average_probabilities": DEFINITION,
    "ensembles.majority_vote": PICKED,
    "bounds.hoeffding_sample_size": ROUNDED,
    "bounds.hoeffding_interval": "the margin is what is proved: bounds.hoeffding_margin_has_the_risk_it_is_made_for",
}
"""Functions of the reference that no claim backs, each with the reason."""


def public(name: str) -> dict[str, Callable[..., Any]]:
    """The functions that a topic of the reference defines, by their dotted names."""
    module = importlib.import_module(f"reference.{name}")
    return {
        f"{name}.{bare}": value
        for bare, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not bare.startswith("_")
    }


TOPICS = [module.name for module in pkgutil.iter_modules(reference.__path__) if not module.name.startswith("_")]
PUBLIC = {name: function for topic in TOPICS for name, function in public(topic).items()}
GRADIENTS = [name for name in PUBLIC if name.endswith(("_vjp", "_grad"))]
DETERMINISTIC = [
    name
    for name, function in PUBLIC.items()
    if "generator" not in inspect.signature(function).parameters
    and name.partition(".")[0] not in ("blocks", "differences")
]
"""What neither draws numbers nor is made of functions alone."""
BORNE = [name for name in DETERMINISTIC if name in EQUATIONS]
BACKING = [name for name, claim in EQUATIONS.items() if isinstance(claim, Claim) and claim.backs]


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


@pytest.mark.one_in(3)
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


# --- which claim backs which function --------------------------------------------------------------------------------


def test_there_are_gradients() -> None:
    assert len(GRADIENTS) >= 40
    assert set(GRADIENTS) <= set(DETERMINISTIC)


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_every_function_has_a_claim_of_its_name_or_a_reason_why_none(name: str) -> None:
    assert (name in CLAIMS) != (name in WITHOUT_CLAIM)


def test_reasons_are_given_for_functions_only() -> None:
    assert set(WITHOUT_CLAIM) <= set(DETERMINISTIC)
    assert all(len(reason.split()) >= 4 for reason in WITHOUT_CLAIM.values())


def test_a_reason_names_claims_that_there_are() -> None:
    named = {word for reason in WITHOUT_CLAIM.values() for word in re.findall(r"[a-z]+\.[a-z_0-9]+", reason)}

    assert len(named) >= 10
    assert named <= set(CLAIMS)


def taken(function: Callable[..., Any]) -> set[str]:
    """The names by which a claim may speak of a function's arguments: a record's fields stand beside the others."""
    names: set[str] = set()
    for name, hint in typing.get_type_hints(function).items():
        names |= set(getattr(hint, "_fields", (name,))) if name != "return" else set()
    return names | ({"grads"} if "grad" in names else set())


def given_back(function: Callable[..., Any]) -> set[str]:
    """The names of a function's outputs: the fields of its record, or one without a name."""
    hint = typing.get_type_hints(function)["return"]
    if typing.get_origin(hint) is tuple:  # a step of an optimizer
        return {"params", *typing.get_args(hint)[1]._fields}
    return set(getattr(hint, "_fields", ("",)))


def fits(claim: Any, function: Callable[..., Any]) -> bool:
    """Whether a claim can be evaluated where the function can, and has its outputs."""
    if isinstance(claim, Claim):
        values, outputs = [part.right for part in claim.parts], {part.output for part in claim.parts}
    else:
        values, outputs = [state.closed for state in claim.states], {state.name for state in claim.states}
    spoken = {a.name for a in claim.arguments} & frozenset[str]().union(*map(mentions, values))
    step = outputs == {"params"} and given_back(function) == {""}
    return spoken <= taken(function) and (step or outputs == given_back(function))


@pytest.mark.parametrize("name", BORNE)
def test_a_claim_that_bears_a_functions_name_takes_its_arguments_and_gives_its_outputs(name: str) -> None:
    assert fits(EQUATIONS[name], PUBLIC[name])


@pytest.mark.parametrize("name", BACKING)
def test_a_claim_that_backs_a_function_fits_it_and_says_for_what(name: str) -> None:
    claim = EQUATIONS[name]
    assert isinstance(claim, Claim)

    assert claim.backs in BORNE
    assert fits(claim, PUBLIC[claim.backs])
    assert name == claim.backs or name.startswith(f"{claim.backs}_")


def test_a_claim_of_other_arguments_or_outputs_does_not_fit() -> None:
    claim = CLAIMS["losses.gaussian_nll_grad"]
    assert isinstance(claim, Claim)
    function = PUBLIC["losses.gaussian_nll_grad"]
    renamed = [replace(argument, name=f"their_{argument.name}") for argument in claim.arguments]
    spoken = replace(claim.parts[0], right=claim.parts[0].right * array("their_targets")[0, 0])

    assert fits(claim, function)
    assert not fits(replace(claim, parts=(claim.parts[0],)), function)
    assert not fits(replace(claim, parts=(spoken, claim.parts[1]), arguments=(*claim.arguments, *renamed)), function)
