"""Variants of the cross-entropy: a temperature, smoothed labels, a teacher's probabilities, easy rows weighed down."""

from __future__ import annotations

from typing import Any

from .._kernel import Argument, Claim, Line, Part
from .._kernel.terms import Σ, array, exp, log, scalars, δ
from ._rows import ANY_LABELS, LABELS, LOGITS, ROWS_SUM_TO_ONE, SOFTMAX, a, c, i, j, k, labels, logits, n, r, softmax, τ

TEMPERATURE = Argument("temperature", (), "positive", default=1)
ε, γ = scalars("label_smoothing"), scalars("gamma", positive=True)
teacher = array("teacher")


def tempered(z: Any, r: Any, j: Any) -> Any:
    """Entry (r, j) of the softmax of z at the temperature."""
    return exp(z[r, j] / τ) / Σ(exp(z[r, k] / τ), k)


TEMPERED_CROSS_ENTROPY = -Σ(labels[r, j] * log(tempered(logits, r, j)), r, j) / n

TEMPERED = ((array("s")[r, j], tempered(logits, r, j)), (array("t")[r, j], tempered(teacher, r, j)))

softmax_cross_entropy_at_a_temperature = Claim(
    name="losses.softmax_cross_entropy_at_a_temperature",
    statement="At a temperature the cross-entropy is log Σ exp(z/T) weighed by the labels, less z/T weighed by them.",
    parts=(
        Part(
            left=TEMPERED_CROSS_ENTROPY,
            right=Σ(
                Σ(labels[r, j], j) * log(Σ(exp(logits[r, k] / τ), k)) - Σ(labels[r, j] * logits[r, j], j) / τ,
                r,
            )
            / n,
        ),
    ),
    arguments=(LOGITS, ANY_LABELS, TEMPERATURE),
    where=TEMPERED,
    ids=("A06", "A08", "E12"),
    source="−log softmax(z/T)_y = −z_y/T + log Σ exp(z/T)",
)

softmax_cross_entropy_gradient_at_a_temperature = Claim(
    name="losses.softmax_cross_entropy_gradient_at_a_temperature",
    statement="At a temperature T the gradient of the mean cross-entropy is (softmax(z/T) − labels)/(n T).",
    parts=(
        Part(
            left=TEMPERED_CROSS_ENTROPY,
            by=logits[a, i],
            axes=(a, i),
            right=(tempered(logits, a, i) - labels[a, i]) / (n * τ),
            lines=(
                Line(
                    -Σ(labels[a, j] * (δ(i, j) - tempered(logits, a, i)), j) / (n * τ),
                    "∂ log s_j / ∂z_i = (δ_ij − s_i)/T",
                ),
            ),
        ),
    ),
    arguments=(LOGITS, LABELS, TEMPERATURE),
    given=ROWS_SUM_TO_ONE,
    where=TEMPERED,
    ids=("B15", "E12"),
    source="∂L/∂z = (s − y)/T",
    note="Needs labels whose rows sum to one.",
)

SMOOTHING = Argument("label_smoothing", (), "unit")
SMOOTHED = -Σ(((1 - ε) * labels[r, j] + ε / c) * log(softmax(r, j)), r, j) / n

label_smoothing_mixes_two_losses = Claim(
    name="losses.label_smoothing_mixes_two_losses",
    statement="With smoothed labels the loss is 1 − ε times that of the labels plus ε times that of the uniform ones.",
    parts=(
        Part(
            left=SMOOTHED,
            right=-(1 - ε) * Σ(labels[r, j] * log(softmax(r, j)), r, j) / n
            + ε * (-Σ(log(softmax(r, j)), r, j) / (n * c)),
        ),
    ),
    arguments=(LOGITS, ANY_LABELS, SMOOTHING),
    where=SOFTMAX,
    ids=("B01",),
    source="y ← (1 − ε) y + ε/c",
)

label_smoothing_gradient = Claim(
    name="losses.label_smoothing_gradient",
    statement="With smoothed labels the gradient is (softmax − (1 − ε) labels − ε/c)/n, zero before softmax = labels.",
    parts=(
        Part(
            left=SMOOTHED,
            by=logits[a, i],
            axes=(a, i),
            right=(softmax(a, i) - (1 - ε) * labels[a, i] - ε / c) / n,
            lines=(
                Line(
                    (1 - ε) * (softmax(a, i) - labels[a, i]) / n + ε * (softmax(a, i) - 1 / c) / n,
                    "the gradients of the two losses that are mixed",
                ),
            ),
        ),
    ),
    arguments=(LOGITS, LABELS, SMOOTHING),
    given=ROWS_SUM_TO_ONE,
    where=SOFTMAX,
    ids=("B15",),
    source="∂L/∂z = s − (1 − ε) y − ε/c",
)

TEACHER, TAUGHT = tempered(teacher, r, j), tempered(logits, r, j)

distillation_gradient = Claim(
    name="losses.distillation_gradient",
    statement="The gradient of T² KL(teacher ‖ student), both at the temperature T, is T (student − teacher)/n.",
    parts=(
        Part(
            left=τ**2 * Σ(TEACHER * log(TEACHER / TAUGHT), r, j) / n,
            by=logits[a, i],
            axes=(a, i),
            right=τ * (tempered(logits, a, i) - tempered(teacher, a, i)) / n,
            lines=(
                Line(
                    -(τ**2) * Σ(tempered(teacher, a, j) * (δ(i, j) - tempered(logits, a, i)) / τ, j) / n,
                    "only the student's log-probabilities depend on z",
                ),
            ),
        ),
    ),
    arguments=(LOGITS, Argument("teacher", (n, c)), TEMPERATURE),
    where=TEMPERED,
    ids=("B15", "C03", "E12"),
    source="Hinton, Vinyals and Dean 2015",
    note="The factor T² keeps the gradient's size: s at temperature T differs from 1/c by about 1/T.",
)

MISSED = (1 - softmax(r, j)) ** γ

focal_loss_gradient = Claim(
    name="losses.focal_loss_gradient",
    statement="By log s the focal loss −(1 − s)^γ log s has the slope γ (1 − s)^(γ−1) s log s − (1 − s)^γ.",
    parts=(
        Part(
            left=-Σ(labels[r, j] * MISSED * log(softmax(r, j)), j),
            by=logits[r, i],
            axes=(r, i),
            right=Σ(
                labels[r, j]
                * (γ * (1 - softmax(r, j)) ** (γ - 1) * softmax(r, j) * log(softmax(r, j)) - MISSED)
                * (δ(i, j) - softmax(r, i)),
                j,
            ),
        ),
    ),
    arguments=(LOGITS, ANY_LABELS, Argument("gamma", (), "positive")),
    where=SOFTMAX,
    ids=("B15",),
    source="Lin et al. 2017",
    note="For at least two classes; γ = 0 is the cross-entropy.",
)
