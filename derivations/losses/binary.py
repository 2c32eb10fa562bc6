"""The Bernoulli head: the sigmoid and the binary cross-entropy, from logits, from probabilities, for labels ±1."""

from __future__ import annotations

from .._kernel import Argument, Claim, Line, Part
from .._kernel.terms import Σ, array, exp, log, scalars, δ
from ._rows import BCE, BCE_ARGUMENTS, MEAN, SIGMOID, a, labels, logits, n, of_each_row, r, summed, y1, z1, σ

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
    where=SIGMOID,
    ids=("D07", "E15"),
    source="−[y log σ(z) + (1 − y) log(1 − σ(z))]",
)

bce_with_logits_summed = summed(
    bce_with_logits,
    "Summed over the entries the binary cross-entropy of σ(z) is Σ (softplus(z) − y z).",
)

bce_with_logits_of_each_row = of_each_row(
    bce_with_logits,
    "The binary cross-entropy of one entry is softplus(z) − y z.",
)

bce_with_logits_grad = Claim(
    name="losses.bce_with_logits_grad",
    statement="The gradient of the mean binary cross-entropy by the logits is (σ(z) − y)/n.",
    parts=(Part(left=BCE, by=logits[a], axes=(a,), right=(σ(logits[a]) - labels[a]) / n),),
    arguments=BCE_ARGUMENTS,
    covers=MEAN,
    where=SIGMOID,
    ids=("D08",),
    source="∂L/∂z = σ(z) − y",
)

bce_with_logits_grad_summed = summed(
    bce_with_logits_grad,
    "The gradient of the summed binary cross-entropy by the logits is σ(z) − y.",
)

ONE_ENTRY = -(y1 * log(σ(z1)) + (1 - y1) * log(1 - σ(z1)))

bce_with_logits_summed_or_for_each_entry = Claim(
    name="losses.bce_with_logits_summed_or_for_each_entry",
    statement="Summed, or for each entry, the binary cross-entropy and its gradient are those of the mean without 1/n.",
    parts=(
        Part(left=ONE_ENTRY, right=log(1 + exp(z1)) - y1 * z1, axes=(r,), output="each entry"),
        Part(left=Σ(ONE_ENTRY, r), right=Σ(log(1 + exp(z1)) - y1 * z1, r), output="sum"),
        Part(
            left=Σ(ONE_ENTRY, r),
            by=logits[a],
            axes=(a,),
            right=σ(logits[a]) - labels[a],
            output="gradient of the sum",
        ),
        Part(
            left=ONE_ENTRY,
            by=logits[a],
            axes=(r, a),
            right=δ(r, a) * (σ(z1) - y1),
            output="gradient of each entry",
        ),
    ),
    arguments=BCE_ARGUMENTS,
    where=SIGMOID,
    ids=("B04", "D07", "D08"),
    source="Σ_i L_i against (1/N) Σ_i L_i",
)

weight = scalars("pos_weight", positive=True)
WEIGHTED = -Σ(weight * y1 * log(σ(z1)) + (1 - y1) * log(1 - σ(z1)), r) / n
WEIGHTED_ARGUMENTS = (*BCE_ARGUMENTS, Argument("pos_weight", (), "positive", default=1))

bce_with_pos_weight = Claim(
    name="losses.bce_with_pos_weight",
    statement="With positives weighed by w, the loss is (1 − y) z + (1 + (w − 1) y) softplus(−z), averaged.",
    parts=(
        Part(
            left=WEIGHTED,
            right=Σ((1 - y1) * z1 + (1 + (weight - 1) * y1) * log(1 + exp(-z1)), r) / n,
            lines=(
                Line(
                    Σ(weight * y1 * log(1 + exp(-z1)) + (1 - y1) * (z1 + log(1 + exp(-z1))), r) / n,
                    "−log σ(z) = softplus(−z), −log(1 − σ(z)) = z + softplus(−z)",
                ),
            ),
        ),
    ),
    arguments=WEIGHTED_ARGUMENTS,
    covers=MEAN,
    where=SIGMOID,
    ids=("D07",),
    source="−[w y log σ(z) + (1 − y) log(1 − σ(z))]",
)

bce_with_pos_weight_gradient = Claim(
    name="losses.bce_with_pos_weight_gradient",
    statement="With positives weighed by w, the gradient by the logits is ((1 + (w − 1) y) σ(z) − w y)/n.",
    parts=(
        Part(
            left=WEIGHTED,
            by=logits[a],
            axes=(a,),
            right=((1 + (weight - 1) * labels[a]) * σ(logits[a]) - weight * labels[a]) / n,
            lines=(
                Line(
                    (-weight * labels[a] * (1 - σ(logits[a])) + (1 - labels[a]) * σ(logits[a])) / n,
                    "∂ log σ(z) = 1 − σ(z), ∂ log(1 − σ(z)) = −σ(z)",
                ),
            ),
        ),
    ),
    arguments=WEIGHTED_ARGUMENTS,
    covers=MEAN,
    where=SIGMOID,
    ids=("D08",),
    source="w y (σ(z) − 1) + (1 − y) σ(z)",
)

probabilities = array("probabilities", positive=True)
p1 = probabilities[r]
truth = array("labels", positive=True)[r]
PROBABILITY_ARGUMENTS = (Argument("probabilities", (n,), "unit"), Argument("labels", (n,), "unit"))
OF_PROBABILITIES = -Σ(truth * log(p1) + (1 - truth) * log(1 - p1), r) / n

sigmoid_bce = Claim(
    name="losses.sigmoid_bce",
    statement="The binary cross-entropy of probabilities is the entropy of the label plus the divergence from it.",
    parts=(
        Part(
            left=Σ(
                -(truth * log(truth) + (1 - truth) * log(1 - truth))
                + truth * (log(truth) - log(p1))
                + (1 - truth) * (log(1 - truth) - log(1 - p1)),
                r,
            )
            / n,
            right=OF_PROBABILITIES,
        ),
    ),
    arguments=PROBABILITY_ARGUMENTS,
    covers=MEAN,
    ids=("D07", "C03"),
    source="−[y log p + (1 − y) log(1 − p)]",
    note="From logits use bce_with_logits: 1 − σ(z) loses its digits, and its log is −∞ from z ≈ 37 on.",
)

sigmoid_bce_summed = summed(
    sigmoid_bce,
    "The summed binary cross-entropy is the sum of the entropies of the labels and the divergences.",
)

sigmoid_bce_of_each_row = of_each_row(
    sigmoid_bce,
    "The binary cross-entropy of one probability is the entropy of its label plus the divergence from it.",
)

sigmoid_bce_grad = Claim(
    name="losses.sigmoid_bce_grad",
    statement="By the probability the gradient of the binary cross-entropy is (p − y)/(p (1 − p)), averaged.",
    parts=(
        Part(
            left=OF_PROBABILITIES,
            by=probabilities[a],
            axes=(a,),
            right=(probabilities[a] - array("labels", positive=True)[a])
            / (probabilities[a] * (1 - probabilities[a]))
            / n,
            lines=(
                Line(
                    (
                        -array("labels", positive=True)[a] / probabilities[a]
                        + (1 - array("labels", positive=True)[a]) / (1 - probabilities[a])
                    )
                    / n,
                    "∂ log p = 1/p, ∂ log(1 − p) = −1/(1 − p)",
                ),
            ),
        ),
    ),
    arguments=PROBABILITY_ARGUMENTS,
    covers=MEAN,
    ids=("D07", "D08", "B10"),
    source="−y/p + (1 − y)/(1 − p)",
    note="Times σ' = p (1 − p) it is p − y again, the gradient by the logit.",
)

sigmoid_bce_grad_summed = summed(
    sigmoid_bce_grad,
    "By the probability the gradient of the summed binary cross-entropy is (p − y)/(p (1 − p)).",
)

signs = array("signs")
SIGNS = Argument("signs", (n,))
LOGISTIC = -Σ(log(σ(signs[r] * z1)), r) / n

logistic_loss = Claim(
    name="losses.logistic_loss",
    statement="For labels t = ±1 with P(t|z) = σ(t z), the mean of −log P is the mean of softplus(−t z).",
    parts=(Part(left=LOGISTIC, right=Σ(log(1 + exp(-signs[r] * z1)), r) / n),),
    arguments=(BCE_ARGUMENTS[0], SIGNS),
    covers=MEAN,
    ids=("E15",),
    source="−log σ(t z) = log(1 + e^(−t z))",
)

logistic_loss_summed = summed(logistic_loss, "For labels t = ±1 the sum of −log σ(t z) is the sum of softplus(−t z).")

logistic_loss_of_each_row = of_each_row(logistic_loss, "For a label t = ±1 the loss −log σ(t z) is softplus(−t z).")

logistic_loss_grad = Claim(
    name="losses.logistic_loss_grad",
    statement="The gradient of the mean of softplus(−t z) by the logits is −t σ(−t z)/n.",
    parts=(
        Part(
            left=LOGISTIC,
            by=logits[a],
            axes=(a,),
            right=-signs[a] * σ(-signs[a] * logits[a]) / n,
            lines=(Line(-signs[a] * (1 - σ(signs[a] * logits[a])) / n, "∂ log σ(u) = 1 − σ(u), with u = t z"),),
        ),
    ),
    arguments=(BCE_ARGUMENTS[0], SIGNS),
    covers=MEAN,
    ids=("E15", "D08"),
    source="−t σ(−t z)",
)

logistic_loss_grad_summed = summed(
    logistic_loss_grad,
    "The gradient of the sum of softplus(−t z) by the logits is −t σ(−t z).",
)

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
    arguments=(BCE_ARGUMENTS[0], SIGNS),
    where=SIGMOID,
    ids=("E15",),
    source="softplus(−z) for t = 1 and softplus(z) for t = −1",
)

focusing = scalars("gamma", positive=True)
RIGHT, WRONG = 1 / (1 + exp(-z1)), 1 / (1 + exp(z1))
BINARY_FOCAL = -(y1 * WRONG**focusing * log(RIGHT) + (1 - y1) * RIGHT**focusing * log(WRONG))

CHANCES = ((array("p")[r], σ(z1)), (array("q")[r], σ(-z1)))

binary_focal_loss_gradient = Claim(
    name="losses.binary_focal_loss_gradient",
    statement="For y = 1 the binary focal loss has the gradient (1 − p)^γ (γ p log p − (1 − p)) by z, with p = σ(z).",
    parts=(
        Part(
            left=BINARY_FOCAL,
            by=z1,
            axes=(r,),
            right=y1 * WRONG**focusing * (focusing * RIGHT * log(RIGHT) - WRONG)
            - (1 - y1) * RIGHT**focusing * (focusing * WRONG * log(WRONG) - RIGHT),
        ),
    ),
    arguments=(*BCE_ARGUMENTS, Argument("gamma", (), "positive")),
    where=CHANCES,
    ids=("D08",),
    source="Lin et al. 2017",
    note="For y = 0 the roles of p and 1 − p are exchanged; γ = 0 is the binary cross-entropy.",
)
