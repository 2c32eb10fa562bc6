"""Activations: elementwise functions of z, and the softmax family row by row.

A `_vjp` is the gradient by z of the sum of cotangent · f(z).
"""

from __future__ import annotations

from typing import Any

from sympy import Rational

from ._kernel import Argument, Claim, Erratum, Line, Part
from ._kernel.terms import Σ, Abs, Integer, Opaque, Step, array, exp, indices, log, pi, scalars, sizes, sqrt, δ

d, n, c = sizes("d n c")
e, b = indices("e b", d)
r, a = indices("r a", n)
i, j, k = indices("i j k", c)
z, cotangent, m = array("z"), array("cotangent"), array("m")
τ = scalars("temperature", positive=True)
x = z[e]


def σ(x: Any) -> Any:
    """The logistic sigmoid."""
    return 1 / (1 + exp(-x))


def tanh_(x: Any) -> Any:
    """The hyperbolic tangent."""
    return (exp(x) - exp(-x)) / (exp(x) + exp(-x))


def relu_(x: Any) -> Any:
    """x where it is positive, else 0."""
    return x * Step(x)


def s(r: Any, j: Any) -> Any:
    """Entry (r, j) of the softmax, row by row."""
    return exp(z[r, j]) / Σ(exp(z[r, k]), k)


def tempered(r: Any, j: Any) -> Any:
    """Entry (r, j) of the softmax at a temperature."""
    return exp(z[r, j] / τ) / Σ(exp(z[r, k] / τ), k)


def lse(r: Any) -> Any:
    """The log of the sum of the exponentials of row r."""
    return log(Σ(exp(z[r, k]), k))


Z, COTANGENT = Argument("z", (d,)), Argument("cotangent", (d,))
ROWS, ROWS_COTANGENT = Argument("z", (n, c)), Argument("cotangent", (n, c))
SHIFT = Argument("m", (n,))
LAST_AXIS = {"axis": -1}
TEMPERATURE = Argument("temperature", (), "positive", default=1)

SIGMOID = ((array("σ")[e], σ(z[e])),)
TANH = ((array("tanh")[e], tanh_(z[e])),)
SOFTMAX, TEMPERED = ((array("s")[r, j], s(r, j)),), ((array("s")[r, j], tempered(r, j)),)

sigmoid = Claim(
    name="activations.sigmoid",
    statement="The sigmoid has two forms, one for each sign: 1/(1 + e^−z) = e^z/(1 + e^z).",
    parts=(Part(left=σ(x), right=exp(x) / (1 + exp(x)), axes=(e,)),),
    arguments=(Z,),
    ids=("D06",),
    source="numerator and denominator times e^z",
)

sigmoid_vjp = Claim(
    name="activations.sigmoid_vjp",
    statement="The sigmoid's derivative is σ(1 − σ).",
    parts=(
        Part(
            left=Σ(cotangent[e] * σ(z[e]), e),
            by=z[b],
            axes=(b,),
            right=cotangent[b] * σ(z[b]) * (1 - σ(z[b])),
            lines=(Line(cotangent[b] * exp(-z[b]) / (1 + exp(-z[b])) ** 2, "the derivative of a quotient"),),
        ),
    ),
    arguments=(Z, COTANGENT),
    where=SIGMOID,
    ids=("E01", "D22"),
    source="σ' = σ(1 − σ)",
)

sigmoid_derivative_is_a_quarter_less_a_square = Claim(
    name="activations.sigmoid_derivative_is_a_quarter_less_a_square",
    statement="σ(1 − σ) is a quarter less a square, hence at most a quarter.",
    parts=(Part(left=σ(x) * (1 - σ(x)), right=(1 - (2 * σ(x) - 1) ** 2) / 4, axes=(e,)),),
    arguments=(Z,),
    where=SIGMOID,
    ids=("C21", "A19"),
    source="σ' ≤ 1/4",
)

tanh = Claim(
    name="activations.tanh",
    statement="The hyperbolic tangent is a sigmoid, stretched: tanh z = 2σ(2z) − 1.",
    parts=(Part(left=2 * σ(2 * x) - 1, right=tanh_(x), axes=(e,)),),
    arguments=(Z,),
    ids=("C21",),
    source="tanh z = (e^z − e^−z)/(e^z + e^−z)",
)

tanh_vjp = Claim(
    name="activations.tanh_vjp",
    statement="The derivative of tanh is 1 − tanh².",
    parts=(
        Part(
            left=Σ(cotangent[e] * tanh_(z[e]), e),
            by=z[b],
            axes=(b,),
            right=cotangent[b] * (1 - tanh_(z[b]) ** 2),
        ),
    ),
    arguments=(Z, COTANGENT),
    where=TANH,
    ids=("C21",),
    source="tanh' = 1 − tanh²",
)

relu = Claim(
    name="activations.relu",
    statement="The rectified linear unit max(z, 0) = (z + |z|)/2 is z where z > 0, else 0.",
    parts=(Part(left=(x + Abs(x)) / 2, right=relu_(x), axes=(e,)),),
    arguments=(Z,),
    cases=(x,),
    ids=("C12",),
    source="max(z, 0)",
)

relu_vjp = Claim(
    name="activations.relu_vjp",
    statement="Off the kink the derivative of max(z, 0) is 1 where z > 0, else 0.",
    parts=(
        Part(
            left=Σ(cotangent[e] * (z[e] + Abs(z[e])) / 2, e),
            by=z[b],
            axes=(b,),
            right=cotangent[b] * Step(z[b]),
        ),
    ),
    arguments=(Z, COTANGENT),
    cases=(z[b],),
    ids=("D56", "D57"),
    source="relu' = [z > 0]",
    note="At z = 0 there is no derivative; the convention is 0, the subgradient that PyTorch takes.",
)

slope = scalars("negative_slope", positive=True)
SLOPE = Argument("negative_slope", (), "positive")


def leaky(x: Any) -> Any:
    """x where it is positive, else a small multiple of it: (1 + a)/2 x + (1 − a)/2 |x|."""
    return (1 + slope) / 2 * x + (1 - slope) / 2 * Abs(x)


leaky_relu = Claim(
    name="activations.leaky_relu",
    statement="The leaky rectifier max(z, 0) + a min(z, 0) is z where z > 0, else a z.",
    parts=(Part(left=leaky(x), right=x * Step(x) + slope * x * (1 - Step(x)), axes=(e,)),),
    arguments=(Z, SLOPE),
    cases=(x,),
    ids=("C12",),
    source="Maas, Hannun and Ng 2013",
)

leaky_relu_vjp = Claim(
    name="activations.leaky_relu_vjp",
    statement="Off the kink the leaky rectifier's derivative is 1 where z > 0, else a.",
    parts=(
        Part(
            left=Σ(cotangent[e] * leaky(z[e]), e),
            by=z[b],
            axes=(b,),
            right=cotangent[b] * (Step(z[b]) + slope * (1 - Step(z[b]))),
        ),
    ),
    arguments=(Z, COTANGENT, SLOPE),
    cases=(z[b],),
    ids=("C12",),
    source="[z > 0] + a [z ≤ 0]",
    note="At z = 0 there is no derivative; the convention is a, as PyTorch takes it.",
)

softplus = Claim(
    name="activations.softplus",
    statement="Softplus log(1 + e^z) is z + log(1 + e^−z): the one form serves small z, the other large z.",
    parts=(Part(left=log(1 + exp(x)), right=x + log(1 + exp(-x)), axes=(e,)),),
    arguments=(Z,),
    ids=("D07", "E15"),
    source="log(1 + e^z) = log(e^z (e^−z + 1))",
)

softplus_vjp = Claim(
    name="activations.softplus_vjp",
    statement="The derivative of softplus is the sigmoid.",
    parts=(Part(left=Σ(cotangent[e] * log(1 + exp(z[e])), e), by=z[b], axes=(b,), right=cotangent[b] * σ(z[b])),),
    arguments=(Z, COTANGENT),
    ids=("D07", "E15"),
    source="softplus' = σ",
)

silu = Claim(
    name="activations.silu",
    statement="SiLU z σ(z) is z e^z/(1 + e^z): a form for each sign.",
    parts=(Part(left=x * σ(x), right=x * exp(x) / (1 + exp(x)), axes=(e,)),),
    arguments=(Z,),
    ids=("C21",),
    source="Hendrycks and Gimpel 2016",
)

silu_vjp = Claim(
    name="activations.silu_vjp",
    statement="The derivative of z σ(z) is σ (1 + z (1 − σ)).",
    parts=(
        Part(
            left=Σ(cotangent[e] * z[e] * σ(z[e]), e),
            by=z[b],
            axes=(b,),
            right=cotangent[b] * σ(z[b]) * (1 + z[b] * (1 - σ(z[b]))),
            lines=(Line(cotangent[b] * (σ(z[b]) + z[b] * σ(z[b]) * (1 - σ(z[b]))), "the product rule, σ' = σ(1 − σ)"),),
        ),
    ),
    arguments=(Z, COTANGENT),
    ids=("C21",),
    source="(zσ)' = σ + zσ'",
)


def steep(x: Any) -> Any:
    """√(2/π) (x + 0.044715 x³), twice: the argument of the sigmoid in GELU's approximation."""
    return 2 * sqrt(2 / pi) * (x + Rational(44715, 1_000_000) * x**3)


def steepness(x: Any) -> Any:
    """The derivative of `steep`."""
    return 2 * sqrt(2 / pi) * (1 + 3 * Rational(44715, 1_000_000) * x**2)


BY_TANH = {"approximate": "tanh"}

gelu = Claim(
    name="activations.gelu",
    statement="GELU's approximation ½ z (1 + tanh u) is z σ(2u), which does not cancel for negative z.",
    parts=(Part(left=x / 2 * (1 + tanh_(steep(x) / 2)), right=x * σ(steep(x)), axes=(e,)),),
    arguments=(Z,),
    covers=BY_TANH,
    where=((array("s")[e], σ(steep(z[e]))),),
    ids=("C21",),
    source="Hendrycks and Gimpel 2016, u = √(2/π) (z + 0.044715 z³)",
)

gelu_vjp = Claim(
    name="activations.gelu_vjp",
    statement="The derivative of z σ(2u) is σ(2u) (1 + z (1 − σ(2u)) 2u').",
    parts=(
        Part(
            left=Σ(cotangent[e] * z[e] * σ(steep(z[e])), e),
            by=z[b],
            axes=(b,),
            right=cotangent[b] * σ(steep(z[b])) * (1 + z[b] * (1 - σ(steep(z[b]))) * steepness(z[b])),
        ),
    ),
    arguments=(Z, COTANGENT),
    covers=BY_TANH,
    where=((array("s")[e], σ(steep(z[e]))),),
    ids=("C21",),
    source="the product and the chain rule",
)

gelu_with_a_distribution_function = Claim(
    name="activations.gelu_with_a_distribution_function",
    statement="The derivative of z F(z) is F + z F', for any smooth F: GELU takes the normal distribution function.",
    parts=(
        Part(
            left=Σ(cotangent[e] * z[e] * Opaque("F", 0, z[e]), e),
            by=z[b],
            axes=(b,),
            right=cotangent[b] * (Opaque("F", 0, z[b]) + z[b] * Opaque("F", 1, z[b])),
        ),
    ),
    arguments=(Z, COTANGENT),
    ids=("C21",),
    source="(zΦ)' = Φ + zφ",
)

softmax = Claim(
    name="activations.softmax",
    statement="The softmax, at any temperature, does not change when a number is subtracted from a whole row.",
    parts=(
        Part(
            left=exp((z[r, j] - m[r]) / τ) / Σ(exp((z[r, k] - m[r]) / τ), k),
            right=tempered(r, j),
            axes=(r, j),
            lines=(
                Line(
                    exp(z[r, j] / τ) / (exp(m[r] / τ) * Σ(exp((z[r, k] - m[r]) / τ), k)),
                    "numerator and denominator times e^(m/τ), which then enters the sum",
                ),
            ),
        ),
    ),
    arguments=(ROWS, SHIFT, TEMPERATURE),
    covers=LAST_AXIS,
    ids=("A01", "C01", "E10", "E13", "B07"),
    source="e^(z_j) / Σ e^(z_k)",
)

two_logits = indices("k", 2)

softmax_of_two_classes_is_the_sigmoid = Claim(
    name="activations.softmax_of_two_classes_is_the_sigmoid",
    statement="With two classes the softmax is the sigmoid of the difference of the logits.",
    parts=(
        Part(
            left=exp(z[r, 1]) / Σ(exp(z[r, two_logits]), two_logits),
            right=σ(z[r, 1] - z[r, 0]),
            axes=(r,),
        ),
    ),
    arguments=(Argument("z", (n, Integer(2))),),
    ids=("C01", "D06"),
    source="e^b / (e^a + e^b) = σ(b − a)",
)

softmax_sums_to_one = Claim(
    name="activations.softmax_sums_to_one",
    statement="Each row of the softmax sums to one.",
    parts=(Part(left=Σ(s(r, j), j), right=Integer(1), axes=(r,)),),
    arguments=(ROWS,),
    ids=("A01", "A02", "E13"),
    source="Σ s = 1",
)

softmax_jacobian = Claim(
    name="activations.softmax_jacobian",
    statement="The derivative of s_i by z_j is s_i (δ_ij − s_j), divided by the temperature.",
    parts=(
        Part(
            left=tempered(r, i),
            by=z[r, j],
            axes=(r, i, j),
            right=tempered(r, i) * (δ(i, j) - tempered(r, j)) / τ,
        ),
    ),
    arguments=(ROWS, TEMPERATURE),
    covers=LAST_AXIS,
    where=TEMPERED,
    ids=("B08", "B14"),
    source="∂s_i/∂z_j = s_i (δ_ij − s_j)",
)

softmax_vjp = Claim(
    name="activations.softmax_vjp",
    statement="The gradient through the softmax is s (g − Σ g s), divided by the temperature.",
    parts=(
        Part(
            left=Σ(cotangent[r, j] * tempered(r, j), r, j),
            by=z[a, i],
            axes=(a, i),
            right=tempered(a, i) * (cotangent[a, i] - Σ(cotangent[a, k] * tempered(a, k), k)) / τ,
            lines=(
                Line(
                    Σ(cotangent[a, j] * tempered(a, j) * (δ(i, j) - tempered(a, i)), j) / τ, "the Jacobian, row a alone"
                ),
            ),
        ),
    ),
    arguments=(ROWS, ROWS_COTANGENT, TEMPERATURE),
    covers=LAST_AXIS,
    where=TEMPERED,
    ids=("B08", "B14"),
    source="Jᵀg",
)

logsumexp = Claim(
    name="activations.logsumexp",
    statement="Subtracting a number from the row and adding it afterwards does not change log Σ exp.",
    parts=(Part(left=m[r] + log(Σ(exp(z[r, k] - m[r]), k)), right=lse(r), axes=(r,)),),
    arguments=(ROWS, SHIFT),
    covers=LAST_AXIS,
    ids=("A08", "E11"),
    source="m + log Σ e^{z − m}",
)

logsumexp_vjp = Claim(
    name="activations.logsumexp_vjp",
    statement="The gradient of log Σ exp is the softmax.",
    parts=(Part(left=Σ(cotangent[r] * lse(r), r), by=z[a, i], axes=(a, i), right=cotangent[a] * s(a, i)),),
    arguments=(ROWS, Argument("cotangent", (n,))),
    covers=LAST_AXIS,
    where=SOFTMAX,
    ids=("A08",),
    source="∂ log Σ e^z / ∂z = s",
)

log_softmax = Claim(
    name="activations.log_softmax",
    statement="The log of the softmax is z − log Σ exp z.",
    parts=(Part(left=log(s(r, j)), right=z[r, j] - lse(r), axes=(r, j)),),
    arguments=(ROWS,),
    covers=LAST_AXIS,
    ids=("A08", "C04"),
    source="log(e^z / Σ e^z)",
)

log_softmax_vjp = Claim(
    name="activations.log_softmax_vjp",
    statement="The gradient through the log of the softmax is g − s Σ g.",
    parts=(
        Part(
            left=Σ(cotangent[r, j] * log(s(r, j)), r, j),
            by=z[a, i],
            axes=(a, i),
            right=cotangent[a, i] - s(a, i) * Σ(cotangent[a, k], k),
        ),
    ),
    arguments=(ROWS, ROWS_COTANGENT),
    covers=LAST_AXIS,
    where=SOFTMAX,
    ids=("B12", "B13"),
    source="∂ log s_j / ∂z_i = δ_ij − s_i",
)

derivative_of_a_sum_of_functions = Claim(
    name="activations.derivative_of_a_sum_of_functions",
    statement="The derivative of Σ_j f(x_j) by x_i is f'(x_i), for any smooth f.",
    parts=(Part(left=Σ(Opaque("f", 0, z[e]), e), by=z[b], axes=(b,), right=Opaque("f", 1, z[b])),),
    arguments=(Z,),
    ids=("B11",),
    source="∂/∂x_i Σ_j f(x_j)",
)

errata = (
    Erratum(
        id="B11",
        as_written=Claim(
            name="activations.B11",
            statement="∂/∂x_i Σ_i f(x_i) = Σ_i f'(x_i).",
            parts=(Part(left=Σ(Opaque("f", 0, z[e]), e), by=z[b], axes=(b,), right=Σ(Opaque("f", 1, z[e]), e)),),
            arguments=(Z,),
        ),
        corrected_by="activations.derivative_of_a_sum_of_functions",
        note="The bound index was captured: only the term j = i depends on x_i.",
    ),
)
