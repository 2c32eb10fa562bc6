"""Moving averages started at zero: their first rows, their weights, and what the bias correction makes of them."""

from __future__ import annotations

from typing import Any

from .._kernel import Argument, Claim, Erratum, Line, Part
from .._kernel.terms import Σ, Index, Integer, array, log
from ._loop import GRADS, RHO, STEPS, THREE, T, d, decayed, grads, i, j, rows, ρ

G1, G2, G3 = (grads[t, j] for t in range(3))
S1, S2, S3 = rows(lambda s, t: ρ * s + (1 - ρ) * grads[t, j], Integer(0))
R1, R2, R3 = rows(lambda r, t: ρ * r + (1 - ρ) * grads[t, j] ** 2, Integer(0))


def row(what: Any, t: int) -> tuple[Line, ...]:
    """The closed form after t steps, as a line."""
    return (Line(decayed(ρ, 0, lambda i: (1 - ρ) * what(i), Integer(t)), f"the closed form for T = {t}"),)


def gradient(i: Any) -> Any:
    """The gradient of step i."""
    return grads[i, j]


def squared(i: Any) -> Any:
    """Its square."""
    return grads[i, j] ** 2


adam_moments_of_the_first_three_steps = Claim(
    name="optimizers.adam_moments_of_the_first_three_steps",
    statement="From zero, s₁ = (1 − ρ)g₁, s₂ = (1 − ρ)(ρg₁ + g₂) and s₃ = (1 − ρ)(ρ²g₁ + ρg₂ + g₃).",
    parts=(
        Part(left=S1, right=(1 - ρ) * G1, axes=(j,), lines=row(gradient, 1), output="s_1"),
        Part(left=S2, right=(1 - ρ) * (ρ * G1 + G2), axes=(j,), lines=row(gradient, 2), output="s_2"),
        Part(left=S3, right=(1 - ρ) * (ρ**2 * G1 + ρ * G2 + G3), axes=(j,), lines=row(gradient, 3), output="s_3"),
    ),
    arguments=(THREE, RHO),
    ids=("D37", "D41", "D42"),
    source="s ← ρs + (1 − ρ)g, three times from 0",
)

rmsprop_average_of_the_first_three_steps = Claim(
    name="optimizers.rmsprop_average_of_the_first_three_steps",
    statement="From zero, r₁ = (1 − ρ)g₁² and r₃ = (1 − ρ)(ρ²g₁² + ρg₂² + g₃²): the step's own gradient comes last.",
    parts=(
        Part(left=R1, right=(1 - ρ) * G1**2, axes=(j,), lines=row(squared, 1), output="r_1"),
        Part(left=R2, right=(1 - ρ) * (ρ * G1**2 + G2**2), axes=(j,), lines=row(squared, 2), output="r_2"),
        Part(
            left=R3,
            right=(1 - ρ) * (ρ**2 * G1**2 + ρ * G2**2 + G3**2),
            axes=(j,),
            lines=row(squared, 3),
            output="r_3",
        ),
    ),
    arguments=(THREE, RHO),
    ids=("D34", "D37"),
    source="r ← ρr + (1 − ρ)g², three times from 0",
)

adam_corrected_moments_of_the_first_three_steps = Claim(
    name="optimizers.adam_corrected_moments_of_the_first_three_steps",
    statement="Divided by 1 − ρ^t, the moments are g₁, (ρg₁ + g₂)/(1 + ρ) and (ρ²g₁ + ρg₂ + g₃)/(1 + ρ + ρ²).",
    parts=(
        Part(left=row(gradient, 1)[0].value / (1 - ρ), right=G1, axes=(j,), output="s_1"),
        Part(left=S2 / (1 - ρ**2), right=(ρ * G1 + G2) / (1 + ρ), axes=(j,), output="s_2"),
        Part(
            left=S3 / (1 - ρ**3),
            right=(ρ**2 * G1 + ρ * G2 + G3) / (1 + ρ + ρ**2),
            axes=(j,),
            lines=(Line((1 - ρ) * (ρ**2 * G1 + ρ * G2 + G3) / (1 - ρ**3), "the row s₃"),),
            output="s_3",
        ),
        Part(left=R3 / (1 - ρ**3), right=(ρ**2 * G1**2 + ρ * G2**2 + G3**2) / (1 + ρ + ρ**2), axes=(j,), output="r_3"),
        Part(left=1 + ρ + ρ**2, right=(1 - ρ**3) / (1 - ρ), output="z"),
    ),
    arguments=(THREE, RHO),
    ids=("D38", "D41", "D43", "D44"),
    source="ŝ_3 = ρ²/z g₁ + ρ/z g₂ + 1/z g₃ with z = 1 + ρ + ρ²",
)

WEIGHTS = (1 - ρ) * Σ(ρ ** (T - 1 - i), i)
A_LEMMA = ((Σ(ρ ** (-i), i), ρ ** (1 - T) * (1 - ρ**T) / (1 - ρ)),)
THE_LEMMA = "The given sum is optimizers.momentum_weights_sum, divided by ρ^(T−1)."

adam_weights_sum_to_one_less_decay = Claim(
    name="optimizers.adam_weights_sum_to_one_less_decay",
    statement="The weights that a moving average started at zero gives to T gradients sum to 1 − ρ^T.",
    parts=(Part(left=WEIGHTS, right=1 - ρ**T),),
    arguments=(RHO, STEPS),
    by_steps=(T, ρ),
    ids=("D43",),
    source="Σ weights = 1 − ρ^t",
    note="The difference f of the sides has f(0) = 0 and f(T + 1) = ρ f(T).",
)

mean = array("mean")
adam_bias_correction_is_unbiased = Claim(
    name="optimizers.adam_bias_correction_is_unbiased",
    statement="If all gradients have one mean, so has Adam's bias-corrected moment started at zero.",
    parts=(Part(left=(1 - ρ) * Σ(ρ ** (T - 1 - i) * mean[j], i) / (1 - ρ**T), right=mean[j], axes=(j,)),),
    arguments=(RHO, STEPS, Argument("mean", (d,))),
    given=A_LEMMA,
    ids=("D43", "D44", "D38"),
    source="E[s_t] = (1 − ρ^t) E[g]",
    note=THE_LEMMA,
)

k = Index("k", T)


def weight(i: Any) -> Any:
    """What the corrected moment gives to gradient i: its power of ρ, over the sum of all of them."""
    return ρ ** (T - 1 - i) / Σ(ρ ** (T - 1 - k), k)


FIRST, SECOND = Σ(weight(i) * grads[i, j], i), Σ(weight(i) * grads[i, j] ** 2, i)

WEIGHTED = ((array("p")[i], weight(i)), (array("mean")[j], FIRST))

adam_corrected_moments_are_weighted_means = Claim(
    name="optimizers.adam_corrected_moments_are_weighted_means",
    statement="The corrected moments from zero are means of g and of g² with the weights ρ^(t−i)/z, which sum to one.",
    parts=(
        Part(left=Σ(weight(i), i), right=Integer(1), output="total weight"),
        Part(
            left=decayed(ρ, 0, lambda i: (1 - ρ) * grads[i, j], T) / (1 - ρ**T),
            right=FIRST,
            axes=(j,),
            output="first",
        ),
        Part(
            left=decayed(ρ, 0, lambda i: (1 - ρ) * grads[i, j] ** 2, T) / (1 - ρ**T),
            right=SECOND,
            axes=(j,),
            output="second",
        ),
    ),
    arguments=(GRADS, RHO),
    given=A_LEMMA,
    where=WEIGHTED[:1],
    ids=("D43", "D44"),
    source="ŝ_t = Σ_i p(i) g_i, r̂_t = Σ_i p(i) g_i² with p(i) = ρ^(t−i)/z, z = (1 − ρ^t)/(1 − ρ)",
    note=THE_LEMMA,
)

SPREAD = Σ(weight(i) * (grads[i, j] - FIRST) ** 2, i)

adam_second_moment_is_raw = Claim(
    name="optimizers.adam_second_moment_is_raw",
    statement="Adam's corrected second moment is the gradients' weighted variance plus their squared weighted mean.",
    parts=(Part(left=SPREAD + FIRST**2, right=SECOND, axes=(j,)),),
    arguments=(GRADS, RHO),
    where=WEIGHTED,
    ids=("D44",),
    source="E[g²] = Var[g] + (E g)²",
)

errata = (
    Erratum(
        id="D38",
        as_written=Claim(
            name="optimizers.D38",
            statement="The weights of the moment divided by 1 − ρ·t sum to one.",
            parts=(Part(left=WEIGHTS / (1 - ρ * T), right=Integer(1)),),
            arguments=(RHO, STEPS),
        ),
        corrected_by="optimizers.adam_bias_correction_is_unbiased",
        note="The correction is 1 − ρ^t, a power.",
    ),
    Erratum(
        id="D43",
        as_written=Claim(
            name="optimizers.D43",
            statement="The weights of the gradients have the total ∫ ρ^(t−s) ds from 0 to t.",
            parts=(Part(left=Σ(ρ ** (T - 1 - i), i), right=(1 - ρ**T) / -log(ρ)),),
            arguments=(RHO, STEPS),
        ),
        corrected_by="optimizers.adam_corrected_moments_are_weighted_means",
        note="Read literally, the integral over the time is (1 − ρ^t)/(−log ρ); steps are counted, so it is a sum.",
    ),
    Erratum(
        id="D44",
        as_written=Claim(
            name="optimizers.D44",
            statement="Adam's corrected second moment is the weighted variance of the gradients.",
            parts=(Part(left=SECOND, right=SPREAD, axes=(j,)),),
            arguments=(GRADS, RHO),
        ),
        corrected_by="optimizers.adam_second_moment_is_raw",
        note="It is the raw moment, the mean of g², and no variance, which is how the reading here takes it.",
    ),
)
