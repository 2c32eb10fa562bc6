"""Entropy, cross-entropy and divergence of rows of probabilities, the truth p first."""

from __future__ import annotations

from .._kernel import Argument, Claim, Line, Part
from .._kernel.terms import Σ, log
from ._rows import LOGITS, MEAN, SOFTMAX, a, c, i, j, logits, n, of_each_row, p, q, r, softmax, summed

TRUTH, ESTIMATE = Argument("p", (n, c), "distribution"), Argument("q", (n, c), "distribution")
POSITIVE_TRUTH, POSITIVE_ESTIMATE = Argument("p", (n, c), "positive"), Argument("q", (n, c), "positive")
TRUTH_SUMS_TO_ONE = ((Σ(p[r, j], j), 1),)
ENTROPY = -Σ(p[r, j] * log(p[r, j]), r, j) / n
CROSS_ENTROPY = -Σ(p[r, j] * log(q[r, j]), r, j) / n

entropy = Claim(
    name="losses.entropy",
    statement="The entropy −Σ p log p is log c less the divergence from the uniform distribution.",
    parts=(
        Part(
            left=Σ(log(c) - Σ(p[r, j] * log(p[r, j] / (1 / c)), j), r) / n,
            right=ENTROPY,
            lines=(
                Line(
                    Σ(log(c) - Σ(p[r, j], j) * log(c) - Σ(p[r, j] * log(p[r, j]), j), r) / n,
                    "the log of a product",
                ),
            ),
        ),
    ),
    arguments=(TRUTH,),
    given=TRUTH_SUMS_TO_ONE,
    covers={**MEAN, "axis": -1},
    ids=("C03",),
    source="H(p) = −Σ p log p",
    note="In nats; 0 · log 0 is 0.",
)

entropy_summed = summed(
    entropy,
    "The summed entropy is n log c less the summed divergence from the uniform distribution.",
)

entropy_of_each_row = of_each_row(
    entropy,
    "The entropy of one row is log c less its divergence from the uniform distribution.",
)

entropy_gradient = Claim(
    name="losses.entropy_gradient",
    statement="The entropy's derivative by p is −(log p + 1); through a softmax it is −s (log s + H) by the logits.",
    parts=(
        Part(left=ENTROPY, by=p[a, i], axes=(a, i), right=-(log(p[a, i]) + 1) / n, output="by p"),
        Part(
            left=-Σ(softmax(r, j) * log(softmax(r, j)), r, j) / n,
            by=logits[a, i],
            axes=(a, i),
            right=-softmax(a, i) * (log(softmax(a, i)) - Σ(softmax(a, j) * log(softmax(a, j)), j)) / n,
            output="by the logits",
        ),
    ),
    arguments=(POSITIVE_TRUTH, LOGITS),
    where=SOFTMAX,
    ids=("C03", "B10"),
    source="∂(−p log p)/∂p = −log p − 1",
    note="By p as free numbers: they need not sum to one.",
)

cross_entropy = Claim(
    name="losses.cross_entropy",
    statement="The cross-entropy −Σ p log q is the entropy of p plus its divergence from q, averaged over the rows.",
    parts=(
        Part(
            left=Σ(-Σ(p[r, j] * log(p[r, j]), j) + Σ(p[r, j] * log(p[r, j] / q[r, j]), j), r) / n,
            right=CROSS_ENTROPY,
            lines=(
                Line(
                    Σ(Σ(-p[r, j] * log(p[r, j]) + p[r, j] * (log(p[r, j]) - log(q[r, j])), j), r) / n,
                    "the log of a quotient",
                ),
            ),
        ),
    ),
    arguments=(TRUTH, ESTIMATE),
    covers={**MEAN, "axis": -1},
    ids=("C03", "A05", "B01"),
    source="H(P, Q) = H(P) + KL(P‖Q)",
    note="The truth p comes first; 0 · log 0 is 0.",
)

cross_entropy_summed = summed(
    cross_entropy,
    "The summed cross-entropy is the summed entropy of p plus the summed divergence from q.",
)

cross_entropy_of_each_row = of_each_row(
    cross_entropy,
    "The cross-entropy of one row is the entropy of p plus its divergence from q.",
)

kl_divergence = Claim(
    name="losses.kl_divergence",
    statement="The divergence KL(p‖q) = Σ p log(p/q) is the cross-entropy less the entropy of p.",
    parts=(
        Part(
            left=Σ(p[r, j] * log(p[r, j] / q[r, j]), r, j) / n,
            right=Σ(p[r, j] * (log(p[r, j]) - log(q[r, j])), r, j) / n,
            lines=(Line(CROSS_ENTROPY - ENTROPY, "H(p, q) − H(p)"),),
        ),
    ),
    arguments=(TRUTH, ESTIMATE),
    covers={**MEAN, "axis": -1},
    ids=("C03",),
    source="KL(P‖Q) = H(P, Q) − H(P)",
    note="The truth p comes first; 0 · log 0 is 0.",
)

kl_divergence_summed = summed(
    kl_divergence,
    "The summed divergence is the summed cross-entropy less the summed entropy of p.",
)

kl_divergence_of_each_row = of_each_row(
    kl_divergence,
    "The divergence of one row is its cross-entropy less the entropy of p.",
)

DIVERGENCE = Σ(p[r, j] * log(p[r, j] / q[r, j]), r, j) / n

kl_divergence_gradients = Claim(
    name="losses.kl_divergence_gradients",
    statement="The divergence KL(p‖q) has the derivatives −p/q by q and log(p/q) + 1 by p.",
    parts=(
        Part(left=DIVERGENCE, by=q[a, i], axes=(a, i), right=-p[a, i] / q[a, i] / n, output="by q"),
        Part(left=DIVERGENCE, by=p[a, i], axes=(a, i), right=(log(p[a, i] / q[a, i]) + 1) / n, output="by p"),
    ),
    arguments=(POSITIVE_TRUTH, POSITIVE_ESTIMATE),
    ids=("C03", "B10"),
    source="∂(p log p − p log q)",
    note="By p and q as free numbers: they need not sum to one.",
)

kl_divergence_gradient_by_logits = Claim(
    name="losses.kl_divergence_gradient_by_logits",
    statement="By the logits of q = softmax(z) the divergence has the cross-entropy's gradient, (q − p)/n.",
    parts=(
        Part(
            left=Σ(p[r, j] * log(p[r, j] / softmax(r, j)), r, j) / n,
            by=logits[a, i],
            axes=(a, i),
            right=(softmax(a, i) - p[a, i]) / n,
            lines=(Line((softmax(a, i) * Σ(p[a, j], j) - p[a, i]) / n, "the entropy of p does not depend on z"),),
        ),
    ),
    arguments=(TRUTH, LOGITS),
    given=TRUTH_SUMS_TO_ONE,
    where=SOFTMAX,
    ids=("C03", "B15"),
    source="∂KL(p‖softmax(z))/∂z = q − p",
)
