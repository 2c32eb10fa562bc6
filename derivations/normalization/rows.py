"""Layer, RMS and group norm with ε: each sample on its own; their gradients for every size."""

from __future__ import annotations

from typing import Any

from .._kernel import Argument, Claim, Line, Part
from .._kernel.terms import Σ, Integer, array, indices, scalars, sizes, sqrt, δ

n, d = sizes("n d")
r, a = indices("r a", n)
j, k, f, q = indices("j k f q", d)
eps = scalars("eps", positive=True)
x, gamma, beta, cotangent = map(array, ("x", "gamma", "beta", "cotangent"))

X, GAMMA, BETA = Argument("x", (n, d)), Argument("gamma", (d,)), Argument("beta", (d,))
EPS, COTANGENT = Argument("eps", (), "positive"), Argument("cotangent", (n, d))

# --- layer norm: each row over its features --------------------------------------------------------------------------


def row_mean(r: Any) -> Any:
    """The mean of row r."""
    return Σ(x[r, q], q) / d


def row_variance(r: Any) -> Any:
    """The biased variance of row r."""
    return Σ((x[r, f] - row_mean(r)) ** 2, f) / d


def row_hat(r: Any, j: Any) -> Any:
    """Entry (r, j), normalized within its row."""
    return (x[r, j] - row_mean(r)) / sqrt(row_variance(r) + eps)


PULLED_ROWS = Σ(cotangent[r, j] * (gamma[j] * row_hat(r, j) + beta[j]), r, j)
ROW_MEAN_SQUARE = Σ(x[r, k] ** 2, k) / d

ROW_NAMES = (
    (array("μ")[r], row_mean(r)),
    (array("v")[r], row_variance(r)),
    (array("x̂")[r, j], row_hat(r, j)),
    (array("y")[r, j], gamma[j] * row_hat(r, j) + beta[j]),
    (array("L")[()], PULLED_ROWS),
)

layer_norm = Claim(
    name="normalization.layer_norm",
    statement="Layer norm normalizes each row over its features, then gives each feature its own gain and bias.",
    parts=(
        Part(
            left=gamma[j] * (x[r, j] - row_mean(r)) / sqrt(ROW_MEAN_SQUARE - row_mean(r) ** 2 + eps) + beta[j],
            right=gamma[j] * row_hat(r, j) + beta[j],
            axes=(r, j),
        ),
    ),
    arguments=(X, GAMMA, BETA, EPS),
    where=ROW_NAMES,
    ids=("A11",),
    source="y = γ (x − μ_row)/√(σ²_row + ε) + β",
    note="Not in the lectures; with one number for γ and one for β it is batch norm of the transposed x.",
)

normalized_rows = Claim(
    name="normalization.normalized_rows",
    statement="Before gain and bias each row of layer norm has mean 0 and variance σ²/(σ² + ε).",
    parts=(
        Part(left=Σ(row_hat(r, j), j) / d, right=Integer(0), axes=(r,), output="mean"),
        Part(
            left=Σ(row_hat(r, j) ** 2, j) / d,
            right=row_variance(r) / (row_variance(r) + eps),
            axes=(r,),
            output="variance",
        ),
    ),
    arguments=(X, EPS),
    where=ROW_NAMES,
    ids=("A11",),
    source="Var x̂ = v/(v + ε)",
)

layer_norm_vjp = Claim(
    name="normalization.layer_norm_vjp",
    statement="With h = gγ the gradient by x is (h − mean h − x̂ mean h x̂)/√(σ² + ε) in each row; by γ Σ g x̂, by β Σ g.",
    parts=(
        Part(
            left=PULLED_ROWS,
            by=x[a, k],
            axes=(a, k),
            right=(
                d * cotangent[a, k] * gamma[k]
                - Σ(cotangent[a, j] * gamma[j], j)
                - row_hat(a, k) * Σ(cotangent[a, j] * gamma[j] * row_hat(a, j), j)
            )
            / (d * sqrt(row_variance(a) + eps)),
            lines=(
                Line(
                    cotangent[a, k] * gamma[k] / sqrt(row_variance(a) + eps)
                    - Σ(cotangent[a, j] * gamma[j], j) / sqrt(row_variance(a) + eps) / d
                    - Σ(cotangent[a, j] * gamma[j] * (x[a, j] - row_mean(a)), j)
                    / (2 * sqrt(row_variance(a) + eps) ** 3)
                    * 2
                    * (x[a, k] - row_mean(a))
                    / d,
                    "row a alone, directly, through its mean and through its variance; γ stays within the sums",
                ),
            ),
            output="dx",
        ),
        Part(left=PULLED_ROWS, by=gamma[k], axes=(k,), right=Σ(cotangent[r, k] * row_hat(r, k), r), output="dgamma"),
        Part(left=PULLED_ROWS, by=beta[k], axes=(k,), right=Σ(cotangent[r, k], r), output="dbeta"),
    ),
    arguments=(X, GAMMA, BETA, EPS, COTANGENT),
    where=ROW_NAMES,
    ids=("A11",),
    source="the chain rule through x̂, σ² and μ, within a row",
)

# --- RMS norm: no mean -----------------------------------------------------------------------------------------------


def rms(r: Any) -> Any:
    """The root of the mean square of row r, with ε under the root."""
    return sqrt(Σ(x[r, q] ** 2, q) / d + eps)


PULLED_RMS = Σ(cotangent[r, j] * gamma[j] * x[r, j] / rms(r), r, j)

RMS_NAMES = ((array("rms")[r], rms(r)), (array("L")[()], PULLED_RMS))

rms_norm = Claim(
    name="normalization.rms_norm",
    statement="RMS norm divides each row by the root of its mean square, which is the variance plus the squared mean.",
    parts=(
        Part(
            left=gamma[j] * x[r, j] / sqrt(row_variance(r) + row_mean(r) ** 2 + eps),
            right=gamma[j] * x[r, j] / rms(r),
            axes=(r, j),
        ),
    ),
    arguments=(X, GAMMA, EPS),
    where=(*ROW_NAMES[:2], *RMS_NAMES),
    ids=("A11",),
    source="y = γ x/√(mean x² + ε)",
    note="Not in the lectures; where a row's mean is 0 it is layer norm without the bias.",
)

rms_norm_vjp = Claim(
    name="normalization.rms_norm_vjp",
    statement="The gradient through RMS norm is gγ/rms − x Σ gγx/(d rms³) by x, and Σ g x/rms by γ.",
    parts=(
        Part(
            left=PULLED_RMS,
            by=x[a, k],
            axes=(a, k),
            right=cotangent[a, k] * gamma[k] / rms(a)
            - x[a, k] * Σ(cotangent[a, j] * gamma[j] * x[a, j], j) / (d * rms(a) ** 3),
            lines=(
                Line(
                    Σ(cotangent[a, j] * gamma[j] * (δ(j, k) - x[a, j] * x[a, k] / (d * rms(a) ** 2)) / rms(a), j),
                    "∂(x_j/rms)/∂x_k: directly, and through 1/rms",
                ),
            ),
            output="dx",
        ),
        Part(left=PULLED_RMS, by=gamma[k], axes=(k,), right=Σ(cotangent[r, k] * x[r, k] / rms(r), r), output="dgamma"),
    ),
    arguments=(X, GAMMA, EPS, COTANGENT),
    where=RMS_NAMES,
    ids=("A11",),
    source="the chain rule through 1/rms",
)

# --- group norm: each sample over the channels of a group and all positions ------------------------------------------

groups, members, pixels = sizes("groups members pixels")
group, group_ = indices("group group_", groups)
u, u_, u2, u3 = indices("u u_ u2 u3", members)
p, p_, p2, p3 = indices("p p_ p2 p3", pixels)
IN_GROUP = members * pixels


def group_mean(r: Any, group: Any) -> Any:
    """The mean of a group of channels of one sample."""
    return Σ(x[r, group, u3, p3], u3, p3) / IN_GROUP


def group_variance(r: Any, group: Any) -> Any:
    """The biased variance of a group of channels of one sample."""
    return Σ((x[r, group, u2, p2] - group_mean(r, group)) ** 2, u2, p2) / IN_GROUP


def group_hat(r: Any, group: Any, u: Any, p: Any) -> Any:
    """A value normalized within its group."""
    return (x[r, group, u, p] - group_mean(r, group)) / sqrt(group_variance(r, group) + eps)


GROUPED = (
    Argument("x", (n, groups, members, pixels)),
    Argument("gamma", (groups, members)),
    Argument("beta", (groups, members)),
    EPS,
)
PULLED_GROUPS = Σ(
    cotangent[r, group, u, p] * (gamma[group, u] * group_hat(r, group, u, p) + beta[group, u]), r, group, u, p
)

SCALED = gamma[group, u] * cotangent[r, group, u, p]
GROUP_NAMES = (
    (array("N")[()], IN_GROUP),
    (array("μ")[r, group], group_mean(r, group)),
    (array("v")[r, group], group_variance(r, group)),
    (array("x̂")[r, group, u, p], group_hat(r, group, u, p)),
    (array("y")[r, group, u, p], gamma[group, u] * group_hat(r, group, u, p) + beta[group, u]),
    (array("G")[r, group], Σ(SCALED, u, p)),
    (array("P")[r, group], Σ(SCALED * group_hat(r, group, u, p), u, p)),
    (array("L")[()], PULLED_GROUPS),
)

group_norm_with_an_axis_of_groups = Claim(
    name="normalization.group_norm_with_an_axis_of_groups",
    statement="Group norm normalizes a sample over a group's channels and positions; each channel has gain and bias.",
    parts=(
        Part(
            left=gamma[group, u]
            * (x[r, group, u, p] - group_mean(r, group))
            / sqrt(Σ(x[r, group, u2, p2] ** 2, u2, p2) / IN_GROUP - group_mean(r, group) ** 2 + eps)
            + beta[group, u],
            right=gamma[group, u] * group_hat(r, group, u, p) + beta[group, u],
            axes=(r, group, u, p),
        ),
    ),
    arguments=GROUPED,
    where=GROUP_NAMES,
    ids=("A11",),
    source="y = γ (x − μ_group)/√(σ²_group + ε) + β",
    note="Not in the lectures; axes are sample, group, channel within the group, position.",
)


group_norm_gradients_with_an_axis_of_groups = Claim(
    name="normalization.group_norm_gradients_with_an_axis_of_groups",
    statement="The gradient through group norm is layer norm's, with means over a group's channels and positions.",
    parts=(
        Part(
            left=PULLED_GROUPS,
            by=x[a, group_, u_, p_],
            axes=(a, group_, u_, p_),
            right=(
                IN_GROUP * cotangent[a, group_, u_, p_] * gamma[group_, u_]
                - Σ(cotangent[a, group_, u, p] * gamma[group_, u], u, p)
                - group_hat(a, group_, u_, p_)
                * Σ(cotangent[a, group_, u, p] * gamma[group_, u] * group_hat(a, group_, u, p), u, p)
            )
            / (IN_GROUP * sqrt(group_variance(a, group_) + eps)),
            output="dx",
        ),
        Part(
            left=PULLED_GROUPS,
            by=gamma[group_, u_],
            axes=(group_, u_),
            right=Σ(cotangent[r, group_, u_, p] * group_hat(r, group_, u_, p), r, p),
            output="dgamma",
        ),
        Part(
            left=PULLED_GROUPS,
            by=beta[group_, u_],
            axes=(group_, u_),
            right=Σ(cotangent[r, group_, u_, p], r, p),
            output="dbeta",
        ),
    ),
    arguments=(*GROUPED, Argument("cotangent", (n, groups, members, pixels))),
    where=GROUP_NAMES,
    ids=("A11",),
    source="the chain rule through x̂, σ² and μ, within a group",
)
