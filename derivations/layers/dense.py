"""The affine layer y = xW + b, and a hidden layer's error; rows are samples."""

from __future__ import annotations

from typing import Any

from .._kernel import Argument, Claim, Erratum, Line, Part
from .._kernel.terms import Σ, Opaque, array, exp, indices, sizes, δ

n, d_in, d_out, d_next = sizes("n d_in d_out d_next")
r, a = indices("r a", n)
k, p = indices("k p", d_in)
i, q = indices("i q", d_out)
o = indices("o", d_next)
x, W, b, cotangent = map(array, ("x", "W", "b", "cotangent"))
W2, b2 = array("W2"), array("b2")


def y(r: Any, i: Any) -> Any:
    """Entry (r, i) of xW + b."""
    return Σ(x[r, k] * W[k, i], k) + b[i]


X, WEIGHTS, BIAS = Argument("x", (n, d_in)), Argument("W", (d_in, d_out)), Argument("b", (d_out,))
COTANGENT = Argument("cotangent", (n, d_out))
PULLED_BACK = Σ(cotangent[r, i] * y(r, i), r, i)

with_one, with_bias = array("x_and_1"), array("W_and_b")
K = indices("K", d_in + 1)

affine = Claim(
    name="layers.affine",
    statement="A bias is the weight of an input that is always 1: [x, 1] [W; b] = xW + b.",
    parts=(Part(left=Σ(with_one[r, K] * with_bias[K, i], K), right=y(r, i), axes=(r, i)),),
    arguments=(
        X,
        WEIGHTS,
        BIAS,
        Argument("x_and_1", (n, d_in + 1), "given"),
        Argument("W_and_b", (d_in + 1, d_out), "given"),
    ),
    given=(
        (with_one[r, k], x[r, k]),
        (with_one[r, d_in], 1),
        (with_bias[k, i], W[k, i]),
        (with_bias[d_in, i], b[i]),
    ),
    ids=("C14", "D01", "D12"),
    source="z = Σ x_k w_ki + b_i",
)

AFFINE = ((array("y")[r, i], y(r, i)), (array("L")[()], PULLED_BACK))

affine_vjp = Claim(
    name="layers.affine_vjp",
    statement="The gradients through y = xW + b are dx = gWᵀ, dW = xᵀg and db, the sum of the rows of g.",
    parts=(
        Part(
            left=PULLED_BACK,
            by=x[a, p],
            axes=(a, p),
            right=Σ(cotangent[a, i] * W[p, i], i),
            output="dx",
        ),
        Part(
            left=PULLED_BACK,
            by=W[p, q],
            axes=(p, q),
            right=Σ(x[r, p] * cotangent[r, q], r),
            output="dW",
        ),
        Part(left=PULLED_BACK, by=b[q], axes=(q,), right=Σ(cotangent[r, q], r), output="db"),
    ),
    arguments=(X, WEIGHTS, BIAS, COTANGENT),
    where=AFFINE,
    ids=("A13", "D21"),
    source="input · error",
)

two_affine_layers_are_one = Claim(
    name="layers.two_affine_layers_are_one",
    statement="Without a non-linearity between them two layers are one, with weights W W₂ and bias b W₂ + b₂.",
    parts=(
        Part(
            left=Σ(y(r, i) * W2[i, o], i) + b2[o],
            right=Σ(x[r, k] * Σ(W[k, i] * W2[i, o], i), k) + Σ(b[i] * W2[i, o], i) + b2[o],
            axes=(r, o),
        ),
    ),
    arguments=(X, WEIGHTS, BIAS, Argument("W2", (d_out, d_next)), Argument("b2", (d_next,))),
    where=AFFINE[:1],
    ids=("C12",),
    source="(xW + b)W₂ + b₂ = x(WW₂) + (bW₂ + b₂)",
)

error = array("error")
HIDDEN = Σ(error[o] * Σ(Opaque("g", 0, Σ(x[r, k] * W[k, i], k)) * W2[i, o], i), o)
HIDDEN_ARGUMENTS = (X, WEIGHTS, Argument("W2", (d_out, d_next)), Argument("error", (d_next,)))

HIDDEN_SUM = (array("z")[r, i], Σ(x[r, k] * W[k, i], k))

backpropagation_step = Claim(
    name="layers.backpropagation_step",
    statement="A hidden weight's gradient is its input times the error g'(z_q) Σ_o error_o w_qo, for any smooth g.",
    parts=(
        Part(
            left=HIDDEN,
            by=W[p, q],
            axes=(r, p, q),
            right=x[r, p] * Opaque("g", 1, Σ(x[r, k] * W[k, q], k)) * Σ(error[o] * W2[q, o], o),
            lines=(
                Line(
                    Σ(error[o] * W2[q, o] * Opaque("g", 1, Σ(x[r, k] * W[k, q], k)) * x[r, p], o),
                    "only unit q depends on column q of W",
                ),
            ),
        ),
    ),
    arguments=HIDDEN_ARGUMENTS,
    where=(HIDDEN_SUM, (array("L")[()], HIDDEN)),
    ids=("A16", "D22", "D23", "D24", "C06"),
    source="δ_j = g'(z_j) Σ_k w_kj δ_k",
)


def σ(x: Any) -> Any:
    """The logistic sigmoid."""
    return 1 / (1 + exp(-x))


def z(r: Any, i: Any) -> Any:
    """The input of hidden unit i."""
    return Σ(x[r, k] * W[k, i], k)


SIGMOID_HIDDEN = Σ(error[o] * Σ(σ(z(r, i)) * W2[i, o], i), o)

sigmoid_hidden_weight_gradient = Claim(
    name="layers.sigmoid_hidden_weight_gradient",
    statement="With the sigmoid a hidden weight's gradient is x_p σ(z_q)(1 − σ(z_q)) Σ_o error_o w_qo.",
    parts=(
        Part(
            left=SIGMOID_HIDDEN,
            by=W[p, q],
            axes=(r, p, q),
            right=x[r, p] * σ(z(r, q)) * (1 - σ(z(r, q))) * Σ(error[o] * W2[q, o], o),
        ),
    ),
    arguments=HIDDEN_ARGUMENTS,
    where=(HIDDEN_SUM, (array("σ")[r, i], σ(z(r, i))), (array("L")[()], SIGMOID_HIDDEN)),
    ids=("E01",),
    source="∂f/∂w_ij = a_i σ(in_j)(1 − σ(in_j)) Σ_k Δ_k w_jk",
)

p_, w = array("p"), array("w")
PRODUCT = Σ(p_[k] * w[k], k)

gradient_of_a_function_of_a_product = Claim(
    name="layers.gradient_of_a_function_of_a_product",
    statement="The gradient by w of any smooth function ℓ of p·w is ℓ'(p·w) p.",
    parts=(
        Part(
            left=Opaque("ℓ", 0, PRODUCT),
            by=w[p],
            axes=(p,),
            right=Opaque("ℓ", 1, PRODUCT) * p_[p],
        ),
    ),
    arguments=(Argument("p", (d_in,)), Argument("w", (d_in,))),
    ids=("A13",),
    source="∇_w ℓ(pᵀw) = ℓ'(pᵀw) ∂(pᵀw)/∂w",
)

inputs = array("u")

weights_are_the_slopes_of_a_unit = Claim(
    name="layers.weights_are_the_slopes_of_a_unit",
    statement="The derivative of a unit's sum by one of its inputs is the weight between them, by a weight its input.",
    parts=(
        Part(
            left=Σ(inputs[k] * W[k, i], k) + b[i],
            by=inputs[p],
            axes=(p, i),
            right=W[p, i],
            output="by the input",
        ),
        Part(
            left=Σ(inputs[k] * W[k, i], k) + b[i],
            by=W[p, q],
            axes=(p, q, i),
            right=inputs[p] * δ(i, q),
            output="by the weight",
        ),
    ),
    arguments=(Argument("u", (d_in,)), WEIGHTS, BIAS),
    ids=("D12", "D25"),
    source="z_k = Σ_j u_j w_kj, ∂z_k/∂u_j = w_kj",
)

SLOPE = σ(z(r, q)) * (1 - σ(z(r, q)))
errata = (
    Erratum(
        id="E01",
        as_written=Claim(
            name="layers.E01",
            statement="∂f/∂w_ij = Σ_k Δ_k w_jk σ'(in_j)(1 − σ(in_j)) a_i.",
            parts=(
                Part(
                    left=SIGMOID_HIDDEN,
                    by=W[p, q],
                    axes=(r, p, q),
                    right=Σ(error[o] * W2[q, o], o) * SLOPE * (1 - σ(z(r, q))) * x[r, p],
                ),
            ),
            arguments=HIDDEN_ARGUMENTS,
        ),
        corrected_by="layers.sigmoid_hidden_weight_gradient",
        note="The prime is wrong: σ' is σ(1 − σ) already.",
    ),
    Erratum(
        id="D23",
        as_written=Claim(
            name="layers.D23",
            statement="∂L/∂w_ji = Σ_k δ_k [w_kj/(∂u_j/∂z_j)] [u_i/(∂z_j/∂w_ji)].",
            parts=(
                Part(
                    left=HIDDEN,
                    by=W[p, q],
                    axes=(r, p, q),
                    right=Σ(error[o] * W2[q, o] / Opaque("g", 1, z(r, q)) * (x[r, p] / x[r, p]), o),
                ),
            ),
            arguments=HIDDEN_ARGUMENTS,
        ),
        corrected_by="layers.backpropagation_step",
        note="What stands under the braces names the factors; it does not divide them.",
    ),
    Erratum(
        id="D24",
        as_written=Claim(
            name="layers.D24",
            statement="∂L/∂w_ji = u_i (∂u_j/∂z_j)/(Σ_k w_kj δ_k) δ_j.",
            parts=(
                Part(
                    left=HIDDEN,
                    by=W[p, q],
                    axes=(r, p, q),
                    right=x[r, p]
                    * Opaque("g", 1, z(r, q))
                    / Σ(error[o] * W2[q, o], o)
                    * (Opaque("g", 1, z(r, q)) * Σ(error[o] * W2[q, o], o)),
                ),
            ),
            arguments=HIDDEN_ARGUMENTS,
        ),
        corrected_by="layers.backpropagation_step",
        note="The gradient is u_i δ_j; the labels of the braces are read as denominators.",
    ),
)
