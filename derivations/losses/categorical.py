"""The categorical head: softmax and cross-entropy, the gradient step by step, and its reductions."""

from __future__ import annotations

from typing import Any

from .._kernel import Argument, Claim, Erratum, Line, Part
from .._kernel.terms import Σ, Index, Integer, Opaque, array, exp, log, scalars, δ
from ._rows import (
    ANY_LABELS,
    LABELS,
    LOGITS,
    MEAN,
    ONE_ROW,
    ROWS_SUM_TO_ONE,
    SOFTMAX,
    a,
    c,
    i,
    j,
    k,
    labels,
    logits,
    n,
    of_each_row,
    p,
    r,
    softmax,
    summed,
    uncancelled,
)

ε = scalars("label_smoothing")
SMOOTHING = Argument("label_smoothing", (), "unit", default=0)


def smoothed(r: Any, j: Any) -> Any:
    """Label (r, j), mixed with the uniform distribution."""
    return (1 - ε) * labels[r, j] + ε / c


def plain(r: Any, j: Any) -> Any:
    """Label (r, j) as it is."""
    return labels[r, j]


SMOOTHED_CROSS_ENTROPY = -Σ(smoothed(r, j) * log(softmax(r, j)), r, j) / n


def derivation(y: Any, r: Any) -> tuple[Line, ...]:
    """The gradient of −Σ_j y_j log s_j by z_i in row r, line by line."""
    s_i, other = softmax(r, i), 1 - δ(i, j)
    return (
        Line(
            -Σ(uncancelled(y(r, j), softmax(r, j) * (δ(i, j) - s_i), over=softmax(r, j)), j),
            "∂ log s = ∂s / s, and every s_j depends on z_i: ∂s_j/∂z_i = s_j (δ_ij − s_i)",
        ),
        Line(
            -uncancelled(y(r, i), s_i * (1 - s_i), over=s_i)
            + Σ(uncancelled(other, y(r, j), softmax(r, j) * s_i, over=softmax(r, j)), j),
            "the term j = i apart; 1 − δ_ij leaves it out of the sum",
        ),
        Line(-y(r, i) * (1 - s_i) + Σ(other * y(r, j) * s_i, j), "cancel s"),
        Line(s_i * Σ(y(r, j), j) - y(r, i), "y_i s_i joins the others to the whole sum"),
    )


SMOOTHED = (*SOFTMAX, (array("y")[r, j], smoothed(r, j)))

softmax_cross_entropy = Claim(
    name="losses.softmax_cross_entropy",
    statement="The cross-entropy of a softmax is log Σ exp z weighed by the labels, less the logits weighed by them.",
    parts=(
        Part(
            left=SMOOTHED_CROSS_ENTROPY,
            right=Σ(
                Σ(smoothed(r, j), j) * log(Σ(exp(logits[r, k]), k)) - Σ(smoothed(r, j) * logits[r, j], j),
                r,
            )
            / n,
            lines=(
                Line(
                    -Σ(smoothed(r, j) * (logits[r, j] - log(Σ(exp(logits[r, k]), k))), r, j) / n,
                    "the log of a quotient",
                ),
            ),
        ),
    ),
    arguments=(LOGITS, ANY_LABELS, SMOOTHING),
    covers={**MEAN, "axis": -1},
    where=SMOOTHED,
    ids=("A06", "A08", "C04", "A07"),
    source="−log softmax(z)_y = −z_y + log Σ exp z",
)

softmax_cross_entropy_summed = summed(
    softmax_cross_entropy,
    "The summed cross-entropy of a softmax is that of the mean without 1/n.",
)

softmax_cross_entropy_of_each_row = of_each_row(
    softmax_cross_entropy,
    "The cross-entropy of one row's softmax is log Σ exp z weighed by the labels, less the logits weighed by them.",
)

softmax_cross_entropy_grad = Claim(
    name="losses.softmax_cross_entropy_grad",
    statement="The gradient of the mean softmax cross-entropy is (softmax − labels)/n, the labels smoothed or not.",
    parts=(
        Part(
            left=SMOOTHED_CROSS_ENTROPY,
            by=logits[a, i],
            axes=(a, i),
            right=(softmax(a, i) - smoothed(a, i)) / n,
            lines=tuple(Line(line.value / n, line.because) for line in derivation(smoothed, a)),
        ),
    ),
    arguments=(LOGITS, LABELS, SMOOTHING),
    given=ROWS_SUM_TO_ONE,
    covers={**MEAN, "axis": -1},
    where=SMOOTHED,
    ids=("B01", "B10", "B12", "B13", "B15", "C08", "D11"),
    source="∂L/∂z = s − y",
    note="Needs labels whose rows sum to one. Only row a of the batch depends on the logits of row a.",
)

softmax_cross_entropy_grad_summed = summed(
    softmax_cross_entropy_grad,
    "The gradient of the summed softmax cross-entropy is softmax − labels, the labels smoothed or not.",
)

softmax_cross_entropy_gradient_for_any_labels = Claim(
    name="losses.softmax_cross_entropy_gradient_for_any_labels",
    statement="Without an assumption on the labels the gradient of one row is s_i Σ_j y_j − y_i.",
    parts=(
        Part(
            left=ONE_ROW,
            by=logits[r, i],
            axes=(r, i),
            right=softmax(r, i) * Σ(labels[r, j], j) - labels[r, i],
            lines=derivation(plain, r)[:-1],
        ),
    ),
    arguments=(LOGITS, ANY_LABELS),
    where=SOFTMAX,
    ids=("B06", "B09", "B12", "B13", "B15"),
    source="∂L/∂z = s Σ y − y",
)

softmax_cross_entropy_gradient_sums_to_zero = Claim(
    name="losses.softmax_cross_entropy_gradient_sums_to_zero",
    statement="The gradient softmax − labels of a row sums to zero: adding a number to a row leaves its loss as it is.",
    parts=(Part(left=Σ(softmax(r, i), i), right=Σ(labels[r, i], i), axes=(r,)),),
    arguments=(LOGITS, LABELS),
    given=ROWS_SUM_TO_ONE,
    where=SOFTMAX,
    ids=("A01", "B15"),
    source="Σ (s − y) = 1 − 1",
)

softmax_cross_entropy_hessian = Claim(
    name="losses.softmax_cross_entropy_hessian",
    statement="The second derivative of one row's loss is the softmax's covariance, s_i (δ_ij − s_j).",
    parts=(
        Part(
            left=softmax(r, i) * Σ(labels[r, k], k) - labels[r, i],
            by=logits[r, j],
            axes=(r, i, j),
            right=softmax(r, i) * (δ(i, j) - softmax(r, j)),
        ),
    ),
    arguments=(LOGITS, LABELS),
    given=ROWS_SUM_TO_ONE,
    where=SOFTMAX,
    ids=("B15",),
    source="∂²L/∂z² = diag(s) − s sᵀ",
)

softmax_cross_entropy_summed_or_for_each_row = Claim(
    name="losses.softmax_cross_entropy_summed_or_for_each_row",
    statement="Summed over the rows or for each of them, the loss and its gradient are those of the mean without 1/n.",
    parts=(
        Part(
            left=ONE_ROW,
            right=Σ(labels[r, j], j) * log(Σ(exp(logits[r, k]), k)) - Σ(labels[r, j] * logits[r, j], j),
            axes=(r,),
            output="each row",
        ),
        Part(
            left=Σ(ONE_ROW, r),
            right=Σ(log(Σ(exp(logits[r, k]), k)) - Σ(labels[r, j] * logits[r, j], j), r),
            output="sum",
        ),
        Part(
            left=Σ(ONE_ROW, r),
            by=logits[a, i],
            axes=(a, i),
            right=softmax(a, i) - labels[a, i],
            output="gradient of the sum",
        ),
        Part(
            left=ONE_ROW,
            by=logits[a, i],
            axes=(r, a, i),
            right=δ(r, a) * (softmax(r, i) - labels[r, i]),
            output="gradient of each row",
        ),
    ),
    arguments=(LOGITS, LABELS),
    given=ROWS_SUM_TO_ONE,
    where=SOFTMAX,
    ids=("B04", "C08", "D02"),
    source="Σ_i L_i against (1/N) Σ_i L_i",
    note="A convention: with the sum, the learning rate means something else for every batch size.",
)

derivative_of_the_logarithm = Claim(
    name="losses.derivative_of_the_logarithm",
    statement="The derivative of log x is 1/x, and of log u it is u'/u, as for u = 1 + f(x)² with any smooth f.",
    parts=(
        Part(left=log(p[r, j]), by=p[r, j], axes=(r, j), right=1 / p[r, j], output="log x"),
        Part(
            left=log(1 + Opaque("f", 0, p[r, j]) ** 2),
            by=p[r, j],
            axes=(r, j),
            right=2 * Opaque("f", 0, p[r, j]) * Opaque("f", 1, p[r, j]) / (1 + Opaque("f", 0, p[r, j]) ** 2),
            output="log of 1 + f²",
        ),
    ),
    arguments=(Argument("p", (n, c), "positive"),),
    ids=("B10",),
    source="∂ log x/∂x = 1/x",
)

chances = array("chances", positive=True)
observed = Index("y", c)

negative_log_likelihood_is_the_mean_of_minus_log_p = Claim(
    name="losses.negative_log_likelihood_is_the_mean_of_minus_log_p",
    statement="The log-likelihood of independent rows, times −1/n, is the mean of −log p(y|x), the cross-entropy.",
    parts=(
        Part(
            left=-log(exp(Σ(log(chances[r]), r)), evaluate=False) / n,
            right=-Σ(log(chances[r]), r) / n,
            output="batch",
        ),
        Part(
            left=-Σ(δ(j, observed) * log(softmax(r, j)), j),
            right=log(Σ(exp(logits[r, k]), k)) - logits[r, observed],
            axes=(r, observed),
            lines=(Line(-log(softmax(r, observed)), "−log P(Y = y|x), for the class y of the row"),),
            output="one row",
        ),
    ),
    arguments=(LOGITS, Argument("chances", (n,), "unit")),
    where=SOFTMAX,
    ids=("C02", "D02", "D20"),
    source="J(θ) = −(1/N) Σ log p(y_i|x_i; θ)",
    note="chances are the p(y_i|x_i), whose product is the likelihood: the exponential of the sum of their logs.",
)

class_probabilities_have_logit_differences_as_log_odds = Claim(
    name="losses.class_probabilities_have_logit_differences_as_log_odds",
    statement="The probabilities e^(z_c)/Σ_c' e^(z_c') sum to one, and the log-odds of two classes are z_i − z_j.",
    parts=(
        Part(left=log(softmax(r, i) / softmax(r, j)), right=logits[r, i] - logits[r, j], axes=(r, i, j), output="odds"),
        Part(left=Σ(softmax(r, i), i), right=Integer(1), axes=(r,), output="total"),
    ),
    arguments=(LOGITS,),
    ids=("D10", "C01"),
    source="P(Y = c|x) = e^(z_c)/Σ_c' e^(z_c')",
)

squared_error_of_softmax_saturates = Claim(
    name="losses.squared_error_of_softmax_saturates",
    statement="The gradient of Σ (s − y)² by the logits carries the softmax's Jacobian as a factor.",
    parts=(
        Part(
            left=Σ((softmax(r, j) - labels[r, j]) ** 2, j),
            by=logits[r, i],
            axes=(r, i),
            right=2
            * softmax(r, i)
            * (softmax(r, i) - labels[r, i] - Σ(softmax(r, j) * (softmax(r, j) - labels[r, j]), j)),
            lines=(
                Line(
                    Σ(2 * (softmax(r, j) - labels[r, j]) * softmax(r, j) * (δ(i, j) - softmax(r, i)), j),
                    "2 (s − y), times the Jacobian",
                ),
            ),
        ),
    ),
    arguments=(LOGITS, ANY_LABELS),
    where=SOFTMAX,
    ids=("B05",),
    source="the alternative loss Σ (s − y)²",
)

errata = (
    Erratum(
        id="A07",
        as_written=Claim(
            name="losses.A07",
            statement="The cross-entropy of one row is −log(Σ_j exp z_j / exp z_y).",
            parts=(
                Part(
                    left=ONE_ROW,
                    right=-Σ(labels[r, j] * log(Σ(exp(logits[r, k]), k) / exp(logits[r, j])), j),
                    axes=(r,),
                ),
            ),
            arguments=(LOGITS, LABELS),
            given=ROWS_SUM_TO_ONE,
        ),
        corrected_by="losses.softmax_cross_entropy",
        note="The ratio is inverted: the loss changes its sign.",
    ),
    Erratum(
        id="B06",
        as_written=Claim(
            name="losses.B06",
            statement="∂L/∂z_i = ∂L/∂s_i · ∂s_i/∂z_i.",
            parts=(
                Part(
                    left=ONE_ROW,
                    by=logits[r, i],
                    axes=(r, i),
                    right=-labels[r, i] / softmax(r, i) * (softmax(r, i) * (1 - softmax(r, i))),
                ),
            ),
            arguments=(LOGITS, LABELS),
            given=ROWS_SUM_TO_ONE,
        ),
        corrected_by="losses.softmax_cross_entropy_gradient_for_any_labels",
        note="Every s_j depends on z_i: the chain rule sums over j.",
    ),
    Erratum(
        id="B09",
        as_written=Claim(
            name="losses.B09",
            statement="∂L/∂z_i = −Σ_j y_j (∂ log s_j/∂s_j) ∂s_j/∂z_j.",
            parts=(
                Part(
                    left=ONE_ROW,
                    by=logits[r, i],
                    axes=(r, i),
                    right=-Σ(labels[r, j] * (1 - softmax(r, j)), j),
                ),
            ),
            arguments=(LOGITS, LABELS),
            given=ROWS_SUM_TO_ONE,
        ),
        corrected_by="losses.softmax_cross_entropy_gradient_for_any_labels",
        note="The derivative is by z_i, not by the summed z_j.",
    ),
    Erratum(
        id="B15",
        as_written=Claim(
            name="losses.B15",
            statement="∂L/∂z_i = s_i − y_i, whatever the labels.",
            parts=(Part(left=ONE_ROW, by=logits[r, i], axes=(r, i), right=softmax(r, i) - labels[r, i]),),
            arguments=(LOGITS, ANY_LABELS),
        ),
        corrected_by="losses.softmax_cross_entropy_grad",
        note="Needs Σ y = 1, which is not stated.",
    ),
    Erratum(
        id="D02",
        as_written=Claim(
            name="losses.D02",
            statement="The loss to minimise, the mean of −log p(y|x), is the mean of −p(y|x).",
            parts=(Part(left=-Σ(log(chances[r]), r) / n, right=-Σ(chances[r], r) / n),),
            arguments=(Argument("chances", (n,), "unit"),),
        ),
        corrected_by="losses.negative_log_likelihood_is_the_mean_of_minus_log_p",
        note="The logarithm is lost.",
    ),
    Erratum(
        id="D10",
        as_written=Claim(
            name="losses.D10",
            statement="P(Y = c|x) = e^(z_c)/Σ_c e^(z_c), the class c and the index of the sum being one.",
            parts=(
                Part(
                    left=softmax(r, i),
                    right=exp(logits[r, i]) / Σ(exp(logits[r, i]), k),
                    axes=(r, i),
                ),
            ),
            arguments=(LOGITS,),
        ),
        corrected_by="losses.class_probabilities_have_logit_differences_as_log_odds",
        note="Read with c as the class asked for in every term of the sum too: each class gets 1/(number of classes).",
    ),
)
