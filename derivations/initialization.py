"""Initialization: the variance of a layer's inputs, for weights of mean 0 that are independent of the layer below.

Weights live on one finite probability space (P, w), the activations below on another (Q, x): of the weights only their
moments are assumed, of the activations nothing at all, so that they may depend on each other.
"""

from __future__ import annotations

from typing import Any

from ._kernel import Argument, Claim, Erratum, Line, Part, Scalar, Space
from ._kernel.terms import Σ, Integer, Step, Symbol, array, indices, scalars, sizes, sqrt, δ

n_in, n_out, outcomes, settings = sizes("n_in n_out Omega Theta")
i, j = indices("i j", n_in)
ω, θ = indices("omega", outcomes), indices("theta", settings)
P, Q, w, x, z = map(array, ("P", "Q", "w", "x", "z"))
σ = scalars("std", positive=True)


def E(f: Any) -> Any:
    """The expectation over weights and activations, which are independent of each other."""
    return Σ(P[ω] * Σ(Q[θ] * f, θ), ω)


UNIT = Σ(w[ω, i] * x[θ, i], i)
SQUARE = Σ(Q[θ] * x[θ, i] ** 2, θ)


def weights(variance: Any) -> tuple[tuple[Any, Any], ...]:
    """Weights of mean 0 and this variance that are uncorrelated."""
    return (
        (Σ(P[ω], ω), Integer(1)),
        (Σ(P[ω] * w[ω, i], ω), Integer(0)),
        (Σ(P[ω] * w[ω, i] * w[ω, j], ω), variance * δ(i, j)),
        (Σ(P[ω] * w[ω, i] ** 2, ω), variance),
        (Σ(Q[θ], θ), Integer(1)),
    )


ARGUMENTS = (
    Argument("P", (outcomes,), "given"),
    Argument("w", (outcomes, n_in), "given"),
    Argument("Q", (settings,), "distribution"),
    Argument("x", (settings, n_in)),
)


def drawn(std: Any) -> tuple[Space, ...]:
    """The weights of the sample points."""
    return (Space(outcomes, "P", "w", "independent", std=std),)


variance_of_a_unit = Claim(
    name="initialization.variance_of_a_unit",
    statement="A unit's input Σ w x has mean 0 and variance Var(w) Σ E[x²], whatever ties the x to each other.",
    parts=(
        Part(left=E(UNIT), right=Integer(0), output="mean"),
        Part(
            left=E(UNIT**2),
            right=σ**2 * Σ(SQUARE, i),
            lines=(Line(Σ(σ**2 * δ(i, j) * Σ(Q[θ] * x[θ, i] * x[θ, j], θ), i, j), "E[w_i w_j] = σ² δ_ij"),),
            output="variance",
        ),
    ),
    arguments=(*ARGUMENTS, Argument("std", (), "positive")),
    given=weights(σ**2),
    spaces=drawn(σ),
    ids=("E03", "A20"),
    source="Var(Σ w_i x_i) = Var(w) Σ E[x_i²]",
)

normal_fan_in = Claim(
    name="initialization.normal_fan_in",
    statement="With a variance of 1/n_in a linear layer hands on the mean square of its inputs as it is.",
    parts=(Part(left=E(UNIT**2), right=Σ(SQUARE, i) / n_in),),
    arguments=ARGUMENTS,
    given=weights(1 / n_in),
    spaces=drawn(1 / sqrt(n_in)),
    ids=("A20", "E03", "E04", "C23"),
    source="w ~ N(0, 1/n_in)",
    note="The second argument of N is the variance. Backwards the same holds with n_out in place of n_in.",
)


def relu(u: Any) -> Any:
    """u where it is positive, else 0."""
    return u * Step(u)


relu_halves_the_mean_square = Claim(
    name="initialization.relu_halves_the_mean_square",
    statement="For every law that is even, the rectified variable has half the mean square.",
    parts=(
        Part(
            left=Σ(P[ω] * (relu(z[ω]) ** 2 + relu(-z[ω]) ** 2), ω) / 2,
            right=Σ(P[ω] * relu(z[ω]) ** 2, ω),
            output="an even law gives both signs one mean square",
        ),
    ),
    arguments=(Argument("P", (outcomes,), "given"), Argument("z", (outcomes,), "given")),
    given=((Σ(P[ω] * z[ω] ** 2 * Step(-z[ω]), ω), Σ(P[ω] * z[ω] ** 2 * Step(z[ω]), ω)),),
    spaces=(Space(outcomes, "P", "z", "symmetric"),),
    ids=("E05",),
    source="E[relu(z)²] = ½ E[z²]",
    note="relu(z)² + relu(−z)² is z², for every z: initialization.a_square_is_rectified_twice.",
)

number = array("u")
a_square_is_rectified_twice = Claim(
    name="initialization.a_square_is_rectified_twice",
    statement="relu(u)² + relu(−u)² is u², for every number.",
    parts=(Part(left=relu(number[()]) ** 2 + relu(-number[()]) ** 2, right=number[()] ** 2),),
    arguments=(Argument("u"),),
    cases=(number[()],),
    ids=("E05",),
    source="u² = relu(u)² + relu(−u)²",
)

he_normal = Claim(
    name="initialization.he_normal",
    statement="With a variance of 2/n_in the layer after a rectifier has the mean square of the rectifier's input.",
    parts=(Part(left=E(UNIT**2), right=Σ(2 * SQUARE, i) / n_in),),
    arguments=ARGUMENTS,
    given=weights(2 / n_in),
    spaces=drawn(sqrt(2 / n_in)),
    ids=("E05", "C23"),
    source="w ~ N(0, 2/n_in)",
    note="With x = relu(z) and an even z, 2 E[x²] is E[z²]: initialization.relu_halves_the_mean_square.",
)

bound = Symbol("bound", positive=True)
value = Symbol("value", real=True)

variance_of_a_uniform_law = Scalar(
    name="initialization.variance_of_a_uniform_law",
    statement="The uniform law on [−a, a] has variance a²/3: for a variance of v the bound is √(3v).",
    operation="integral",
    expression=value**2 / (2 * bound),
    variable=value,
    start=-bound,
    to=bound,
    right=bound**2 / 3,
    at=({bound: 2}, {bound: 5}),
    ids=("E04",),
    source="∫ x²/(2a) dx = a²/3",
)

GLOROT = 2 / (n_in + n_out)
glorot_normal = Claim(
    name="initialization.glorot_normal",
    statement="With Glorot's variance the factors of the forward and of the backward pass have the mean 1.",
    parts=(Part(left=(n_in * GLOROT + n_out * GLOROT) / 2, right=Integer(1)),),
    arguments=(Argument("n_in", (), "count"), Argument("n_out", (), "count")),
    ids=("E04",),
    source="Var(w) = 2/(n_in + n_out) (Glorot and Bengio 2010)",
    note="Forward the mean square is multiplied by n_in Var(w), backward by n_out Var(w).",
)

errata = (
    Erratum(
        id="E04",
        as_written=Claim(
            name="initialization.E04",
            statement="Xavier's initialization has variance 1/n_in.",
            parts=(Part(left=GLOROT, right=1 / n_in),),
            arguments=(Argument("n_in", (), "count"), Argument("n_out", (), "count")),
        ),
        corrected_by="initialization.glorot_normal",
        note="1/n_in keeps the variance of a linear layer; Glorot's (Xavier's) is 2/(n_in + n_out), the same "
        "only for n_in = n_out.",
    ),
)
