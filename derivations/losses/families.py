"""Why all heads have one error: an exponential family, its log-partition function, predicted less observed."""

from __future__ import annotations

from typing import Any

from .._kernel import Argument, Claim, Line, Part
from .._kernel.terms import Σ, Index, Opaque, array, exp, indices, log, pi, sizes, sqrt, δ
from ._rows import LOGITS, SOFTMAX, c, i, j, k, logits, n, r, softmax, σ

m = sizes("m")
o, u = indices("o u", m)
z, statistics, base = array("z"), array("statistics"), array("base", positive=True)
FAMILY = (Argument("z", (c,)), Argument("statistics", (m, c)), Argument("base", (m,), "positive"))


def weight(o: Any) -> Any:
    """An outcome's base measure times e^(z · its statistics)."""
    return base[o] * exp(Σ(z[j] * statistics[o, j], j))


def probability(o: Any) -> Any:
    """The outcome's probability: its weight over the weights of all."""
    return weight(o) / Σ(weight(u), u)


LOG_PARTITION = log(Σ(weight(u), u))
PREDICTED = Σ(probability(u) * statistics[u, i], u)

NAMES = (
    (array("w")[o], weight(o)),
    (array("P")[o], probability(o)),
    (array("A")[()], LOG_PARTITION),
    (array("E")[i], PREDICTED),
)

log_partition_gradient_is_the_expected_statistic = Claim(
    name="losses.log_partition_gradient_is_the_expected_statistic",
    statement="The log-partition function has the expected statistics as gradient and their covariance as curvature.",
    parts=(
        Part(left=LOG_PARTITION, by=z[i], axes=(i,), right=PREDICTED, output="gradient"),
        Part(
            left=PREDICTED,
            by=z[k],
            axes=(i, k),
            right=Σ(probability(u) * statistics[u, i] * statistics[u, k], u)
            - PREDICTED * Σ(probability(u) * statistics[u, k], u),
            output="curvature",
        ),
    ),
    arguments=FAMILY,
    where=NAMES,
    ids=("A08", "D11"),
    source="∇A(z) = E[T], ∇²A(z) = Cov[T]",
    note="For any finite set of outcomes, any statistics of them and any positive base measure.",
)

error_of_an_exponential_family_is_predicted_less_observed = Claim(
    name="losses.error_of_an_exponential_family_is_predicted_less_observed",
    statement="By the natural parameters −log p(o) has the gradient E[T] − T(o): predicted less observed statistics.",
    parts=(
        Part(
            left=-log(probability(o)),
            right=LOG_PARTITION - Σ(z[j] * statistics[o, j], j) - log(base[o]),
            axes=(o,),
            output="value",
        ),
        Part(
            left=-log(probability(o)),
            by=z[i],
            axes=(o, i),
            right=PREDICTED - statistics[o, i],
            lines=(
                Line(
                    Σ(weight(u) * statistics[u, i], u) / Σ(weight(u), u) - statistics[o, i],
                    "−log p = A(z) − z · T(o) − log h(o), and ∂A = ∂Σ/Σ",
                ),
            ),
            output="error",
        ),
    ),
    arguments=FAMILY,
    where=NAMES,
    ids=("D05", "D08", "D11"),
    source="p(o|z) = h(o) exp(z · T(o) − A(z))",
    note="For any finite set of outcomes, any statistics of them and any positive base measure.",
)

smooth = Opaque("A", 0, z[i])

error_for_any_log_partition_is_its_slope_less_observed = Claim(
    name="losses.error_for_any_log_partition_is_its_slope_less_observed",
    statement="For any smooth A, discrete or not, −log(h exp(z · T − A(z))) has the gradient ∂A − T.",
    parts=(
        Part(
            left=-log(base[o] * exp(Σ(z[j] * statistics[o, j], j) - smooth)),
            by=z[i],
            axes=(o, i),
            right=Opaque("A", 1, z[i]) - statistics[o, i],
            lines=(Line(Opaque("A", 1, z[i]) - Σ(statistics[o, j] * δ(i, j), j), "only z_i moves"),),
        ),
    ),
    arguments=FAMILY,
    ids=("D05", "D08", "D11"),
    source="∂(A(z) − z · T)/∂z_i",
    note="A stands for the log-partition function along z_i, the other parameters held still.",
)

z1, y1 = array("z")[r], array("y")[r]
b, t = array("logit")[r], array("label")[r]
observed = Index("y", c)
NORMAL = exp(-((y1 - z1) ** 2) / 2) / sqrt(2 * pi)
BERNOULLI = (1 / (1 + exp(-b))) ** t * (1 / (1 + exp(b))) ** (1 - t)

three_heads_have_one_error = Claim(
    name="losses.three_heads_have_one_error",
    statement="Gaussian, Bernoulli and categorical heads have one error, predicted − observed: z − y, σ(z) − y, s − y.",
    parts=(
        Part(
            left=-log(NORMAL),
            right=z1**2 / 2 - z1 * y1 + (y1**2 + log(2 * pi)) / 2,
            axes=(r,),
            output="Gaussian, A = z²/2",
        ),
        Part(left=-log(NORMAL), by=z1, axes=(r,), right=z1 - y1, output="Gaussian"),
        Part(
            left=-log(BERNOULLI),
            right=log(1 + exp(b)) - b * t,
            axes=(r,),
            lines=(Line(t * log(1 + exp(-b)) + (1 - t) * log(1 + exp(b)), "p = σ(z)^y (1 − σ(z))^(1 − y)"),),
            output="Bernoulli, A = log(1 + e^z)",
        ),
        Part(left=-log(BERNOULLI), by=b, axes=(r,), right=σ(b) - t, output="Bernoulli"),
        Part(
            left=-log(softmax(r, observed)),
            right=log(Σ(exp(logits[r, k]), k)) - Σ(logits[r, j] * δ(j, observed), j),
            axes=(r, observed),
            output="categorical, A = log Σ e^z",
        ),
        Part(
            left=-log(softmax(r, observed)),
            by=logits[r, i],
            axes=(r, observed, i),
            right=softmax(r, i) - δ(i, observed),
            output="categorical",
        ),
    ),
    arguments=(
        Argument("z", (n,)),
        Argument("y", (n,)),
        Argument("logit", (n,)),
        Argument("label", (n,), "unit"),
        LOGITS,
    ),
    where=SOFTMAX,
    ids=("D05", "D06", "D08", "D11"),
    source="−log p(y|z) = A(z) − z · y + const",
    note="The observed statistics are y itself, and for the class y the vector with a 1 in its place.",
)
