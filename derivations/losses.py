"""Losses and their gradients; rows are samples, and every loss is the mean over the rows."""

from __future__ import annotations

from typing import Any

from ._kernel import Argument, Claim, Erratum, Line, Part
from ._kernel.terms import Σ, array, exp, indices, log, pi, scalars, sizes, sqrt, δ

n, c, d = sizes("n c d")
r, a = indices("r a", n)
i, j, k = indices("i j k", c)
f, g = indices("f g", d)
p, q = array("p", positive=True), array("q", positive=True)
logits, labels = array("logits"), array("labels")
predictions, targets = array("predictions"), array("targets")


def softmax(r: Any, j: Any) -> Any:
    """Entry (r, j) of the softmax of the logits, row by row."""
    return exp(logits[r, j]) / Σ(exp(logits[r, k]), k)


def σ(x: Any) -> Any:
    """The logistic sigmoid."""
    return 1 / (1 + exp(-x))


LOGITS = Argument("logits", (n, c))
LABELS = Argument("labels", (n, c), "labels")
ANY_LABELS = Argument("labels", (n, c))
MEAN = {"reduction": "mean"}
ε = scalars("label_smoothing")
SMOOTHING = Argument("label_smoothing", (), "unit", default=0)


def smoothed(r: Any, j: Any) -> Any:
    """Label (r, j), mixed with the uniform distribution."""
    return (1 - ε) * labels[r, j] + ε / c


ROWS_SUM_TO_ONE = ((Σ(labels[r, j], j), 1),)
ONE_ROW = -Σ(labels[r, j] * log(softmax(r, j)), j)
SMOOTHED_CROSS_ENTROPY = -Σ(smoothed(r, j) * log(softmax(r, j)), r, j) / n

cross_entropy = Claim(
    name="losses.cross_entropy",
    statement="The cross-entropy −Σ p log q is the entropy of p plus its divergence from q, averaged over the rows.",
    parts=(
        Part(
            left=Σ(-Σ(p[r, j] * log(p[r, j]), j) + Σ(p[r, j] * log(p[r, j] / q[r, j]), j), r) / n,
            right=-Σ(p[r, j] * log(q[r, j]), r, j) / n,
            lines=(
                Line(
                    Σ(Σ(-p[r, j] * log(p[r, j]) + p[r, j] * (log(p[r, j]) - log(q[r, j])), j), r) / n,
                    "the log of a quotient",
                ),
            ),
        ),
    ),
    arguments=(Argument("p", (n, c), "distribution"), Argument("q", (n, c), "distribution")),
    covers={**MEAN, "axis": -1},
    ids=("C03", "A05", "B01"),
    source="H(P, Q) = H(P) + KL(P‖Q)",
    note="The truth p comes first; 0 · log 0 is 0.",
)

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
    ids=("A06", "A08", "C04"),
    source="−log softmax(z)_y = −z_y + log Σ exp z",
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
            lines=(
                Line(
                    -Σ(smoothed(a, j) * (δ(i, j) - softmax(a, i)), j) / n,
                    "∂ log s_j / ∂z_i = δ_ij − s_i, and only row a depends on z_a",
                ),
                Line((softmax(a, i) * Σ(smoothed(a, j), j) - smoothed(a, i)) / n, "contract the delta"),
            ),
        ),
    ),
    arguments=(LOGITS, LABELS, SMOOTHING),
    given=ROWS_SUM_TO_ONE,
    covers={**MEAN, "axis": -1},
    ids=("B12", "B13", "B15", "C08", "D11"),
    source="∂L/∂z = s − y",
    note="Needs labels whose rows sum to one.",
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
        ),
    ),
    arguments=(LOGITS, ANY_LABELS),
    ids=("B15", "B09"),
    source="∂L/∂z = s Σ y − y",
)

softmax_cross_entropy_gradient_sums_to_zero = Claim(
    name="losses.softmax_cross_entropy_gradient_sums_to_zero",
    statement="The gradient softmax − labels of a row sums to zero: adding a number to a row leaves its loss as it is.",
    parts=(Part(left=Σ(softmax(r, i), i), right=Σ(labels[r, i], i), axes=(r,)),),
    arguments=(LOGITS, LABELS),
    given=ROWS_SUM_TO_ONE,
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
    ids=("B15",),
    source="∂²L/∂z² = diag(s) − s sᵀ",
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
        ),
    ),
    arguments=(LOGITS, ANY_LABELS),
    ids=("B05",),
    source="the alternative loss Σ (s − y)²",
)

z1, y1 = logits[r], labels[r]
BCE_ARGUMENTS = (Argument("logits", (n,)), Argument("labels", (n,), "unit"))
BCE = -Σ(y1 * log(σ(z1)) + (1 - y1) * log(1 - σ(z1)), r) / n

bce_with_logits = Claim(
    name="losses.bce_with_logits",
    statement="The binary cross-entropy of σ(z) is softplus(z) − y z, averaged over the elements.",
    parts=(
        Part(
            left=BCE,
            right=Σ(log(1 + exp(z1)) - y1 * z1, r) / n,
            lines=(
                Line(
                    -Σ(y1 * (z1 - log(1 + exp(z1))) - (1 - y1) * log(1 + exp(z1)), r) / n,
                    "log σ(z) = z − log(1 + e^z), log(1 − σ(z)) = −log(1 + e^z)",
                ),
            ),
        ),
    ),
    arguments=BCE_ARGUMENTS,
    covers=MEAN,
    ids=("D07", "E15"),
    source="−[y log σ(z) + (1 − y) log(1 − σ(z))]",
)

bce_with_logits_grad = Claim(
    name="losses.bce_with_logits_grad",
    statement="The gradient of the mean binary cross-entropy by the logits is (σ(z) − y)/n.",
    parts=(Part(left=BCE, by=logits[a], axes=(a,), right=(σ(logits[a]) - labels[a]) / n),),
    arguments=BCE_ARGUMENTS,
    covers=MEAN,
    ids=("D08",),
    source="∂L/∂z = σ(z) − y",
)

ERROR_ARGUMENTS = (Argument("predictions", (n, d)), Argument("targets", (n, d)))
HALF_SQUARED_ERROR = Σ((predictions[r, f] - targets[r, f]) ** 2, r, f) / (2 * n)

half_squared_error = Claim(
    name="losses.half_squared_error",
    statement="Half the squared error is the Gaussian's negative log-likelihood, less its constant d/2 · log 2π.",
    parts=(
        Part(
            left=Σ(
                -Σ(log(exp(-((targets[r, f] - predictions[r, f]) ** 2) / 2) / sqrt(2 * pi)), f) - d * log(2 * pi) / 2,
                r,
            )
            / n,
            right=HALF_SQUARED_ERROR,
        ),
    ),
    arguments=ERROR_ARGUMENTS,
    covers=MEAN,
    ids=("D03", "D04"),
    source="p = N(y; z, I), −log p = ½‖y − z‖² + d/2 · log 2π",
)

half_squared_error_grad = Claim(
    name="losses.half_squared_error_grad",
    statement="The gradient of half the squared error, summed over features and averaged over rows, is (z − y)/n.",
    parts=(
        Part(
            left=HALF_SQUARED_ERROR,
            by=predictions[a, g],
            axes=(a, g),
            right=(predictions[a, g] - targets[a, g]) / n,
        ),
    ),
    arguments=ERROR_ARGUMENTS,
    covers=MEAN,
    ids=("D05",),
    source="∂L/∂z = z − y",
)

signs = array("signs")
bce_with_signs = Claim(
    name="losses.bce_with_signs",
    statement="With y = (1 + t)/2 the cross-entropy mixes softplus(−z) and softplus(z): softplus(−tz) for t = ±1.",
    parts=(
        Part(
            left=-((1 + signs[r]) / 2 * log(σ(z1)) + (1 - signs[r]) / 2 * log(1 - σ(z1))),
            right=(1 + signs[r]) / 2 * log(1 + exp(-z1)) + (1 - signs[r]) / 2 * log(1 + exp(z1)),
            axes=(r,),
        ),
    ),
    arguments=(BCE_ARGUMENTS[0], Argument("signs", (n,))),
    ids=("E15",),
    source="softplus(−z) for t = 1 and softplus(z) for t = −1",
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
        id="D03",
        as_written=Claim(
            name="losses.D03",
            statement="−log N(y; z, I) is ½‖y − z‖² itself.",
            parts=(
                Part(
                    left=-Σ(log(exp(-((targets[r, f] - predictions[r, f]) ** 2) / 2) / sqrt(2 * pi)), f),
                    right=Σ((targets[r, f] - predictions[r, f]) ** 2, f) / 2,
                    axes=(r,),
                ),
            ),
            arguments=ERROR_ARGUMENTS,
        ),
        corrected_by="losses.half_squared_error",
        note="Equal up to the constant d/2 · log 2π, not proportional.",
    ),
)
