"""Batch norm with ε: its output, its gradient for any batch, images, the running statistics, and evaluation.

The variance is the biased one, the mean of the squared deviations. The gradient is written with the normalized x̂:
the cotangent g reaches x directly, through the mean and through the variance.
"""

from __future__ import annotations

from typing import Any

from sympy import Add, Mul

from .._kernel import Argument, Claim, Erratum, Induction, Line, Part, State
from .._kernel.terms import Σ, Integer, array, indices, scalars, sizes, sqrt, steps

n, d = sizes("n d")
r, a, b, s, t = indices("r a b s t", n)
j, k = indices("j k", d)
eps = scalars("eps", positive=True)
x, gamma, beta, cotangent = map(array, ("x", "gamma", "beta", "cotangent"))

X, GAMMA, BETA = Argument("x", (n, d)), Argument("gamma", (d,)), Argument("beta", (d,))
EPS, COTANGENT = Argument("eps", (), "positive"), Argument("cotangent", (n, d))


# --- batch norm: each feature over the batch -------------------------------------------------------------------------


def μ(j: Any) -> Any:
    """The mean of feature j over the batch."""
    return Σ(x[s, j], s) / n


def v(j: Any) -> Any:
    """The biased variance of feature j over the batch."""
    return Σ((x[b, j] - μ(j)) ** 2, b) / n


def x̂(r: Any, j: Any) -> Any:
    """The normalized entry (r, j)."""
    return (x[r, j] - μ(j)) / sqrt(v(j) + eps)


def batch_normed(r: Any, j: Any) -> Any:
    """Entry (r, j) of the output."""
    return gamma[j] * x̂(r, j) + beta[j]


def batch_dx(r: Any, j: Any) -> Any:
    """Entry (r, j) of the gradient by x."""
    g_sum, g_along = Σ(cotangent[t, j], t), Σ(cotangent[t, j] * x̂(t, j), t)
    return gamma[j] / (n * sqrt(v(j) + eps)) * (n * cotangent[r, j] - g_sum - x̂(r, j) * g_along)


STATISTICS = ((array("μ")[j], μ(j)), (array("v")[j], v(j)))
NAMES = (*STATISTICS, (array("x̂")[r, j], x̂(r, j)), (array("y")[r, j], batch_normed(r, j)))

variance_of_a_batch = Claim(
    name="normalization.variance_of_a_batch",
    statement="The variance σ², the mean of the squared deviations, is the mean of the squares less the squared mean.",
    parts=(
        Part(
            left=v(j),
            right=Σ(x[r, j] ** 2, r) / n - μ(j) ** 2,
            axes=(j,),
            lines=(
                Line(
                    Σ(x[r, j] ** 2, r) / n - 2 * μ(j) * Σ(x[r, j], r) / n + μ(j) ** 2,
                    "the square multiplied out, the mean is the same for every row",
                ),
            ),
        ),
    ),
    arguments=(X,),
    where=STATISTICS[:1],
    ids=("B16", "B17", "D64"),
    source="σ² = (1/N) Σ (x − μ)²",
)

deviations_from_the_mean_sum_to_zero = Claim(
    name="normalization.deviations_from_the_mean_sum_to_zero",
    statement="The mean with its 1/N is the number around which a batch's deviations sum to zero.",
    parts=(
        Part(left=Σ(x[r, j] - μ(j), r), right=Integer(0), axes=(j,), output="deviations"),
        Part(left=Σ(μ(j), r), right=Σ(x[r, j], r), axes=(j,), output="sum"),
    ),
    arguments=(X,),
    where=STATISTICS[:1],
    ids=("B16", "D63"),
    source="μ = (1/N) Σ x",
)

batch_norm = Claim(
    name="normalization.batch_norm",
    statement="Batch norm may take its variance as E x² − (E x)²: the output is γ (x − μ)/√(σ² + ε) + β.",
    parts=(
        Part(
            left=gamma[j] * (x[r, j] - μ(j)) / sqrt(Σ(x[a, j] ** 2, a) / n - μ(j) ** 2 + eps) + beta[j],
            right=batch_normed(r, j),
            axes=(r, j),
        ),
    ),
    arguments=(X, GAMMA, BETA, EPS),
    where=NAMES,
    ids=("A11", "B18", "D62"),
    source="x → γ (x − E x)/√(Var x + ε) + β",
    note="Equal as numbers; in floating point the first form cancels where the mean is large.",
)

mean_of_a_normalized_batch = Claim(
    name="normalization.mean_of_a_normalized_batch",
    statement="After batch norm each feature's mean over the batch is β, and 0 before the affine part.",
    parts=(
        Part(left=Σ(x̂(r, j), r) / n, right=Integer(0), axes=(j,), output="before"),
        Part(left=Σ(batch_normed(r, j), r) / n, right=beta[j], axes=(j,), output="after"),
    ),
    arguments=(X, GAMMA, BETA, EPS),
    where=NAMES,
    ids=("B18", "D66"),
    source="E x̂ = 0",
)

variance_of_a_normalized_batch = Claim(
    name="normalization.variance_of_a_normalized_batch",
    statement="The variance of x̂ is σ²/(σ² + ε), a little less than 1 for ε > 0, and γ² times that after the gain.",
    parts=(
        Part(
            left=Σ((x̂(r, j) - Σ(x̂(a, j), a) / n) ** 2, r) / n,
            right=v(j) / (v(j) + eps),
            axes=(j,),
            lines=(Line(Σ((x[r, j] - μ(j)) ** 2, r) / (v(j) + eps) / n, "x̂ has mean 0"),),
            output="before",
        ),
        Part(
            left=Σ((batch_normed(r, j) - beta[j]) ** 2, r) / n,
            right=gamma[j] ** 2 * v(j) / (v(j) + eps),
            axes=(j,),
            output="after",
        ),
        Part(
            left=Integer(1),
            right=v(j) / (v(j) + eps),
            axes=(j,),
            relation=">",
            certificate=eps / (v(j) + eps),
            output="below 1",
        ),
    ),
    arguments=(X, GAMMA, BETA, EPS),
    where=NAMES,
    ids=("B18",),
    source="Var x̂ = v/(v + ε)",
)

column = array("x")
COLUMN = Argument("x", (n,))
M = Σ(column[s], s) / n
V = Σ((column[b] - M) ** 2, b) / n

COLUMN_NAMES = (
    (array("μ")[()], M),
    (array("v")[()], V),
    (array("σ")[()], sqrt(V)),
    (array("x̂")[r], (column[r] - M) / sqrt(V)),
)

normalized_without_epsilon = Claim(
    name="normalization.normalized_without_epsilon",
    statement="With ε = 0 a feature that is not constant over the batch gets mean 0 and variance 1.",
    parts=(
        Part(left=Σ((column[r] - M) / sqrt(V), r) / n, right=Integer(0), output="mean"),
        Part(left=Σ(((column[r] - M) / sqrt(V)) ** 2, r) / n, right=Integer(1), output="variance"),
        Part(
            left=column[r],
            right=Add(M, Mul(sqrt(V), (column[r] - M) / sqrt(V), evaluate=False), evaluate=False),
            axes=(r,),
            output="undone",
        ),
    ),
    arguments=(COLUMN,),
    positive=(V,),
    where=COLUMN_NAMES,
    ids=("D65", "D66"),
    source="x̂_ij = (x_ij − μ_j)/σ_j",
    note="Needs σ_j > 0: where all rows are equal, x̂ is 0/0.",
)

shift, scale = array("shift"), array("scale", positive=True)
MOVED = Σ(scale[j] * x[s, j] + shift[j], s) / n
MOVED_VARIANCE = Σ((scale[j] * x[b, j] + shift[j] - MOVED) ** 2, b) / n

MOVED_NAMES = (*NAMES[:3], (array("μ'")[j], MOVED), (array("v'")[j], MOVED_VARIANCE))

batch_norm_forgets_shift_and_scale = Claim(
    name="normalization.batch_norm_forgets_shift_and_scale",
    statement="Batch norm of a x + m, with ε grown by a², is batch norm of x: shift and positive scale are forgotten.",
    parts=(
        Part(
            left=(scale[j] * x[r, j] + shift[j] - MOVED) / sqrt(MOVED_VARIANCE + scale[j] ** 2 * eps),
            right=x̂(r, j),
            axes=(r, j),
        ),
    ),
    arguments=(X, Argument("shift", (d,)), Argument("scale", (d,), "positive"), EPS),
    where=MOVED_NAMES,
    ids=("B18", "D66"),
    source="Var(a x + m) = a² Var x",
    note="Hence a bias before batch norm has no effect and no gradient, and the gradient by x is orthogonal to 1.",
)

PULLED = Σ(cotangent[r, j] * batch_normed(r, j), r, j)
DV = Σ(cotangent[r, k] * gamma[k] * (x[r, k] - μ(k)), r) * (-1 / (2 * sqrt(v(k) + eps) ** 3))
DM = -Σ(cotangent[r, k] * gamma[k], r) / sqrt(v(k) + eps)

batch_norm_vjp = Claim(
    name="normalization.batch_norm_vjp",
    statement="The gradient by x is γ/(N√(σ² + ε)) (N g − Σg − x̂ Σ g x̂), by γ it is Σ g x̂, by β Σ g.",
    parts=(
        Part(
            left=PULLED,
            by=x[a, k],
            axes=(a, k),
            right=batch_dx(a, k),
            lines=(
                Line(
                    cotangent[a, k] * gamma[k] / sqrt(v(k) + eps) + DM / n + DV * 2 * (x[a, k] - μ(k)) / n,
                    "x reaches y directly, through the mean (∂μ/∂x = 1/N) and the variance (∂σ²/∂x = 2(x − μ)/N)",
                ),
                Line(
                    gamma[k]
                    / sqrt(v(k) + eps)
                    * (cotangent[a, k] - Σ(cotangent[r, k], r) / n - x̂(a, k) * Σ(cotangent[r, k] * x̂(r, k), r) / n),
                    "γ/√(σ² + ε) is common to all, x − μ is x̂ √(σ² + ε)",
                ),
            ),
            output="dx",
        ),
        Part(left=PULLED, by=gamma[k], axes=(k,), right=Σ(cotangent[r, k] * x̂(r, k), r), output="dgamma"),
        Part(left=PULLED, by=beta[k], axes=(k,), right=Σ(cotangent[r, k], r), output="dbeta"),
    ),
    arguments=(X, GAMMA, BETA, EPS, COTANGENT),
    where=(*NAMES, (array("L")[()], PULLED)),
    ids=("A11", "B18"),
    source="the chain rule through x̂, σ² and μ",
)

DX = (*NAMES, (array("dx")[r, j], batch_dx(r, j)))

batch_norm_gradient_is_orthogonal = Claim(
    name="normalization.batch_norm_gradient_is_orthogonal",
    statement="The gradient by x sums to 0 over the batch, and its product with x̂ is ε/(σ² + ε) of γ Σ g x̂/√(σ² + ε).",
    parts=(
        Part(left=Σ(batch_dx(r, j), r), right=Integer(0), axes=(j,), output="sum"),
        Part(
            left=Σ(batch_dx(r, j) * x̂(r, j), r),
            right=eps / (v(j) + eps) * gamma[j] * Σ(cotangent[r, j] * x̂(r, j), r) / sqrt(v(j) + eps),
            axes=(j,),
            lines=(
                Line(
                    gamma[j] * Σ(cotangent[r, j] * x̂(r, j), r) * (1 - Σ(x̂(r, j) ** 2, r) / n) / sqrt(v(j) + eps),
                    "x̂ sums to 0, so the middle term drops out",
                ),
                Line(
                    gamma[j] * Σ(cotangent[r, j] * x̂(r, j), r) * (1 - v(j) / (v(j) + eps)) / sqrt(v(j) + eps),
                    "the variance of x̂ is σ²/(σ² + ε)",
                ),
            ),
            output="along",
        ),
    ),
    arguments=(X, GAMMA, EPS, COTANGENT),
    where=DX,
    ids=("B18",),
    source="batch norm forgets shift and scale",
    note="With ε = 0 the gradient is orthogonal to x̂ as well.",
)

running_mean, running_var = array("running_mean"), array("running_var", positive=True)
RUNNING = (Argument("running_mean", (d,)), Argument("running_var", (d,), "positive"))


def evaluated(r: Any, j: Any) -> Any:
    """Entry (r, j) of x normalized by the running statistics."""
    return (x[r, j] - running_mean[j]) / sqrt(running_var[j] + eps)


EVALUATED = Σ(cotangent[r, j] * (gamma[j] * evaluated(r, j) + beta[j]), r, j)

EVALUATED_NAMES = ((array("x̂")[r, j], evaluated(r, j)), (array("L")[()], EVALUATED))

batch_norm_when_evaluating = Claim(
    name="normalization.batch_norm_when_evaluating",
    statement="With fixed statistics batch norm is one affine map of each feature: weight γ/√(var + ε), the rest bias.",
    parts=(
        Part(
            left=gamma[j] * evaluated(r, j) + beta[j],
            right=gamma[j] / sqrt(running_var[j] + eps) * x[r, j]
            + (beta[j] - gamma[j] * running_mean[j] / sqrt(running_var[j] + eps)),
            axes=(r, j),
        ),
    ),
    arguments=(X, GAMMA, BETA, *RUNNING, EPS),
    ids=("A11", "B18"),
    source="y = γ (x − running mean)/√(running var + ε) + β",
    note="So it can be folded into the weights of the layer before it.",
)

batch_norm_when_evaluating_vjp = Claim(
    name="normalization.batch_norm_when_evaluating_vjp",
    statement="With fixed statistics the gradient by x is g γ/√(var + ε), row by row; by γ it is Σ g x̂, by β Σ g.",
    parts=(
        Part(
            left=EVALUATED,
            by=x[a, k],
            axes=(a, k),
            right=cotangent[a, k] * gamma[k] / sqrt(running_var[k] + eps),
            output="dx",
        ),
        Part(left=EVALUATED, by=gamma[k], axes=(k,), right=Σ(cotangent[r, k] * evaluated(r, k), r), output="dgamma"),
        Part(left=EVALUATED, by=beta[k], axes=(k,), right=Σ(cotangent[r, k], r), output="dbeta"),
    ),
    arguments=(X, GAMMA, BETA, *RUNNING, EPS, COTANGENT),
    where=EVALUATED_NAMES,
    ids=("A11", "B18"),
    source="the statistics are constants",
)

T = steps("T")
momentum = scalars("momentum")
kept = 1 - momentum
batch_mean, batch_var = array("batch_mean"), array("batch_var")
i = indices("i", T)


def averaged(start: Any, of: Any) -> Any:
    """The running statistic after T batches."""
    return kept**T * start[j] + Σ(momentum * kept ** (T - 1 - i) * of[i, j], i)


running_statistics_after_any_number_of_batches = Induction(
    name="normalization.running_statistics_after_any_number_of_batches",
    statement="After T batches the running statistics weigh batch i by m (1 − m)^(T − 1 − i), m being the momentum.",
    step=T,
    states=(
        State(
            running_mean[j],
            kept * running_mean[j] + momentum * batch_mean[T, j],
            averaged(running_mean, batch_mean),
            (j,),
        ),
        State(
            running_var[j],
            kept * running_var[j] + momentum * batch_var[T, j],
            averaged(running_var, batch_var),
            (j,),
        ),
    ),
    arguments=(
        *RUNNING,
        Argument("batch_mean", (T, d)),
        Argument("batch_var", (T, d), "positive"),
        Argument("momentum", (), "unit"),
    ),
    inputs="batch_mean",
    trajectory="running_mean",
    ids=("A11", "B18"),
    source="running ← (1 − momentum) running + momentum new",
    note="The momentum is the weight of the new statistic; the variances that are averaged are the unbiased ones.",
)

N = sizes("N")
batch, other = indices("r s", N)
NEW_MEAN = Σ(x[other, j], other) / N
NEW_SQUARES = Σ(x[batch, j] ** 2, batch)
NEW_DEVIATIONS = Σ((x[batch, j] - NEW_MEAN) ** 2, batch)

running_statistics = Claim(
    name="normalization.running_statistics",
    statement="A batch moves the running statistics by m of the way to its mean and its unbiased variance.",
    parts=(
        Part(
            left=running_mean[j] + momentum * (NEW_MEAN - running_mean[j]),
            right=kept * running_mean[j] + momentum * NEW_MEAN,
            axes=(j,),
            output="running_mean",
        ),
        Part(
            left=running_var[j] + momentum * ((NEW_SQUARES - N * NEW_MEAN**2) / (N - 1) - running_var[j]),
            right=kept * running_var[j] + momentum * NEW_DEVIATIONS / (N - 1),
            axes=(j,),
            output="running_var",
        ),
    ),
    arguments=(Argument("x", (N, d)), *RUNNING, Argument("momentum", (), "unit")),
    ids=("A11", "B18"),
    source="running ← running + m (new − running)",
    note="Needs N ≥ 2.",
)

weights_of_running_statistics_sum_to_one = Claim(
    name="normalization.weights_of_running_statistics_sum_to_one",
    statement="The batches' weights sum to 1 − (1 − m)^T; the rest is the weight of the initial statistics.",
    parts=(Part(left=Σ(momentum * kept ** (T - 1 - i), i), right=1 - kept**T),),
    arguments=(Argument("momentum", (), "unit"), Argument("batch_mean", (T,))),
    by_steps=(T, kept),
    ids=("A11", "B18"),
    source="the geometric sum",
)

unbiased_variance = Claim(
    name="normalization.unbiased_variance",
    statement="Deviations over N − 1 are N/(N − 1) times the biased variance: half the mean square of all differences.",
    parts=(
        Part(
            left=Σ((column[r] - M) ** 2, r) / (n - 1),
            right=Σ((column[r] - column[a]) ** 2, r, a) / (2 * n * (n - 1)),
            lines=(Line(n / (n - 1) * V, "N/(N − 1) times the mean of the squared deviations"),),
        ),
    ),
    arguments=(COLUMN,),
    where=COLUMN_NAMES[:2],
    ids=("B17", "D64"),
    source="s² = N/(N − 1) σ²",
    note="Needs N ≥ 2. Running variances are unbiased, the variance that normalizes a batch is not.",
)

# --- batch norm of images: each channel over the batch and all positions ---------------------------------------------

c, height, width = sizes("c height width")
channel, m = indices("channel m", c)
row, row_, row2, row3 = indices("row row_ row2 row3", height)
col, col_, col2, col3 = indices("col col_ col2 col3", width)
COUNT = n * height * width


def channel_mean(m: Any) -> Any:
    """The mean of channel m over the batch and all positions."""
    return Σ(x[s, m, row3, col3], s, row3, col3) / COUNT


def channel_variance(m: Any) -> Any:
    """The biased variance of channel m."""
    return Σ((x[b, m, row2, col2] - channel_mean(m)) ** 2, b, row2, col2) / COUNT


def pixel(r: Any, m: Any, row: Any, col: Any) -> Any:
    """The normalized pixel."""
    return (x[r, m, row, col] - channel_mean(m)) / sqrt(channel_variance(m) + eps)


g = cotangent[r, m, row, col]
IMAGES = (Argument("x", (n, c, height, width)), Argument("gamma", (c,)), Argument("beta", (c,)), EPS)
IMAGES_COTANGENT = Argument("cotangent", (n, c, height, width))
PULLED_IMAGES = Σ(
    cotangent[r, channel, row, col] * (gamma[channel] * pixel(r, channel, row, col) + beta[channel]),
    *(r, channel, row, col),
)

IMAGE_NAMES = (
    (array("N")[()], COUNT),
    (array("μ")[m], channel_mean(m)),
    (array("v")[m], channel_variance(m)),
    (array("x̂")[r, m, row, col], pixel(r, m, row, col)),
    (array("y")[r, m, row, col], gamma[m] * pixel(r, m, row, col) + beta[m]),
    (array("G")[m], Σ(g, r, row, col)),
    (array("P")[m], Σ(g * pixel(r, m, row, col), r, row, col)),
    (array("L")[()], PULLED_IMAGES),
)

batch_norm_of_images = Claim(
    name="normalization.batch_norm_of_images",
    statement="For images each channel's output has mean β and variance γ² σ²/(σ² + ε) over batch, rows and columns.",
    parts=(
        Part(
            left=Σ(gamma[m] * pixel(r, m, row, col) + beta[m], r, row, col) / COUNT,
            right=beta[m],
            axes=(m,),
            output="mean",
        ),
        Part(
            left=Σ((gamma[m] * pixel(r, m, row, col)) ** 2, r, row, col) / COUNT,
            right=gamma[m] ** 2 * channel_variance(m) / (channel_variance(m) + eps),
            axes=(m,),
            output="variance",
        ),
    ),
    arguments=IMAGES,
    where=IMAGE_NAMES,
    ids=("A11", "B18", "D66"),
    source="each channel is one feature, each pixel one sample",
)

batch_norm_of_every_pixel = Claim(
    name="normalization.batch_norm_of_every_pixel",
    statement="For images the variance of a channel is the mean square of its pixels, in all images, less μ².",
    parts=(
        Part(
            left=gamma[m]
            * (x[r, m, row, col] - channel_mean(m))
            / sqrt(Σ(x[b, m, row2, col2] ** 2, b, row2, col2) / COUNT - channel_mean(m) ** 2 + eps)
            + beta[m],
            right=gamma[m] * pixel(r, m, row, col) + beta[m],
            axes=(r, m, row, col),
        ),
    ),
    arguments=IMAGES,
    backs="normalization.batch_norm",
    where=IMAGE_NAMES,
    ids=("A11", "B18"),
    source="each channel is one feature, each pixel one sample",
)

batch_norm_vjp_of_images = Claim(
    name="normalization.batch_norm_vjp_of_images",
    statement="For images the gradient through batch norm is that of N·H·W samples: sums run over batch and pixels.",
    parts=(
        Part(
            left=PULLED_IMAGES,
            by=x[a, m, row_, col_],
            axes=(a, m, row_, col_),
            right=gamma[m]
            * (
                COUNT * cotangent[a, m, row_, col_]
                - Σ(g, r, row, col)
                - pixel(a, m, row_, col_) * Σ(g * pixel(r, m, row, col), r, row, col)
            )
            / (COUNT * sqrt(channel_variance(m) + eps)),
            output="dx",
        ),
        Part(
            left=PULLED_IMAGES,
            by=gamma[m],
            axes=(m,),
            right=Σ(g * pixel(r, m, row, col), r, row, col),
            output="dgamma",
        ),
        Part(left=PULLED_IMAGES, by=beta[m], axes=(m,), right=Σ(g, r, row, col), output="dbeta"),
    ),
    arguments=(*IMAGES, IMAGES_COTANGENT),
    backs="normalization.batch_norm_vjp",
    where=IMAGE_NAMES,
    ids=("A11", "B18"),
    source="the chain rule through x̂, σ² and μ, with N·H·W for N",
)

sample, _sample, _again = indices("i sample again", d)  # as many samples as features: only then is σ_i defined


def deviation(j: Any) -> Any:
    """The standard deviation of feature j, in a batch of d samples, with ε under the root."""
    return sqrt(Σ((x[_sample, j] - Σ(x[_again, j], _again) / d) ** 2, _sample) / d + eps)


errata = (
    Erratum(
        id="B17",
        as_written=Claim(
            name="normalization.B17",
            statement="The standard deviation σ_j is (1/N) Σ (x_ij − μ_j)².",
            parts=(Part(left=sqrt(v(j)), right=Σ((x[r, j] - μ(j)) ** 2, r) / n, axes=(j,)),),
            arguments=(X,),
        ),
        corrected_by="normalization.variance_of_a_batch",
        note="That is the variance σ_j²: the root is missing.",
    ),
    Erratum(
        id="D63",
        as_written=Claim(
            name="normalization.D63",
            statement="The mean around which the deviations sum to zero is Σ_i x_ij.",
            parts=(Part(left=Σ(x[r, j] - Σ(x[s, j], s), r), right=Integer(0), axes=(j,)),),
            arguments=(X,),
        ),
        corrected_by="normalization.deviations_from_the_mean_sum_to_zero",
        note="The factor 1/N is lost.",
    ),
    Erratum(
        id="D65",
        as_written=Claim(
            name="normalization.D65",
            statement="x̂_ij = (x_ij − μ_j)/σ_i.",
            parts=(
                Part(
                    left=(x[sample, j] - Σ(x[_again, j], _again) / d) / deviation(j),
                    right=(x[sample, j] - Σ(x[_again, j], _again) / d) / deviation(sample),
                    axes=(sample, j),
                ),
            ),
            arguments=(Argument("x", (d, d)), EPS),
        ),
        corrected_by="normalization.normalized_without_epsilon",
        note="Feature j is divided by its own σ_j. Read with as many samples as features, else there is no σ_i.",
    ),
)
