"""Ensembles and samples: the variance of a mean, over any finite probability space.

An expectation is a sum over the outcomes ω of a space of any size, E[f] = Σ_ω P[ω] f(ω); what is assumed of the draws
are their moments, so that the claims hold for every law that has them.
"""

from __future__ import annotations

from typing import Any

from ._kernel import Argument, Claim, Line, Part, Space
from ._kernel.terms import Σ, array, indices, scalars, sizes, δ

B, outcomes = sizes("B Omega")
b, b1 = indices("b b1", B)
ω = indices("omega", outcomes)
P, X = array("P"), array("X")
μ = scalars("mu")
σ = scalars("sigma", positive=True)
ρ = scalars("rho", positive=True)


def E(f: Any) -> Any:
    """The expectation of f."""
    return Σ(P[ω] * f, ω)


def variance(f: Any) -> Any:
    """E[f²] − E[f]²."""
    return E(f**2) - E(f) ** 2


MEAN = Σ(X[ω, b], b) / B
DRAWS = (Argument("P", (outcomes,), "given"), Argument("X", (outcomes, B), "given"))
PARAMETERS = (Argument("mu"), Argument("sigma", (), "positive"))
SUMS_TO_ONE = (Σ(P[ω], ω), 1)
MEAN_IS_MU = (Σ(P[ω] * X[ω, b], ω), μ)
SECOND_MOMENT = (Σ(P[ω] * X[ω, b] ** 2, ω), μ**2 + σ**2)
INDEPENDENT = (
    SUMS_TO_ONE,
    MEAN_IS_MU,
    SECOND_MOMENT,
    (Σ(P[ω] * X[ω, b] * X[ω, b1], ω), μ**2 + σ**2 * δ(b, b1)),
)
EXCHANGEABLE = (
    SUMS_TO_ONE,
    MEAN_IS_MU,
    SECOND_MOMENT,
    (Σ(P[ω] * X[ω, b] * X[ω, b1], ω), μ**2 + σ**2 * (ρ + (1 - ρ) * δ(b, b1))),
)

mean_of_uncorrelated_draws = Claim(
    name="ensembles.mean_of_uncorrelated_draws",
    statement="The mean of n uncorrelated draws has their expectation, and 1/n of their variance.",
    parts=(
        Part(left=E(MEAN), right=μ, output="expectation"),
        Part(
            left=variance(MEAN),
            right=σ**2 / B,
            lines=(
                Line(Σ(E(X[ω, b] * X[ω, b1]), b, b1) / B**2 - μ**2, "E is linear"),
                Line(Σ(σ**2 * δ(b, b1), b, b1) / B**2, "uncorrelated: E[X_b X_c] = μ² + σ² δ_bc"),
            ),
            output="variance",
        ),
    ),
    arguments=(*DRAWS, *PARAMETERS),
    given=INDEPENDENT,
    spaces=(Space(outcomes, "P", "X", "independent", mean=μ, std=σ),),
    ids=("E18", "E17"),
    source="Var X̄ = σ²/n",
)

minibatch_gradient_is_unbiased = Claim(
    name="ensembles.minibatch_gradient_is_unbiased",
    statement="The mean gradient of a minibatch drawn at random has the full gradient's value in expectation, and a "
    "variance of σ²/B.",
    parts=(
        Part(left=E(MEAN), right=μ, output="expectation"),
        Part(left=E((MEAN - μ) ** 2), right=σ**2 / B, output="variance"),
    ),
    arguments=(*DRAWS, *PARAMETERS),
    given=INDEPENDENT,
    spaces=(Space(outcomes, "P", "X", "independent", mean=μ, std=σ),),
    ids=("C09", "B29"),
    source="E ĝ = ∇L, Var ĝ = σ²/B",
    note="X[ω, b] is the gradient of the b-th sample drawn, with replacement; μ is the mean over all samples.",
)

bagging = Claim(
    name="ensembles.bagging",
    statement="The mean of B predictors of variance σ² and correlation ρ has variance ρσ² + (1 − ρ)σ²/B.",
    parts=(
        Part(
            left=variance(MEAN),
            right=ρ * σ**2 + (1 - ρ) * σ**2 / B,
            lines=(Line(Σ(σ**2 * (ρ + (1 - ρ) * δ(b, b1)), b, b1) / B**2, "the covariances"),),
        ),
    ),
    arguments=(*DRAWS, *PARAMETERS, Argument("rho", (), "unit")),
    given=EXCHANGEABLE,
    spaces=(Space(outcomes, "P", "X", "exchangeable", mean=μ, std=σ, rho=ρ),),
    ids=("B28",),
    source="ρσ² + (1 − ρ)σ²/B",
    note="More predictors take away the second term only: what they have in common stays.",
)

biased_variance_is_too_small = Claim(
    name="ensembles.biased_variance_is_too_small",
    statement="The mean square about the sample's own mean has expectation (n − 1)/n of the variance.",
    parts=(Part(left=E(Σ((X[ω, b1] - MEAN) ** 2, b1) / B), right=(B - 1) * σ**2 / B),),
    arguments=(*DRAWS, *PARAMETERS),
    given=INDEPENDENT,
    spaces=(Space(outcomes, "P", "X", "independent", mean=μ, std=σ),),
    ids=("D64", "A11"),
    source="E[(1/n) Σ (x − x̄)²] = (n − 1)/n σ²",
)
