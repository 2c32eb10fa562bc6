"""Branches: residual blocks and skip connections, parallel branches that are added or concatenated."""

from __future__ import annotations

from typing import Any

from sympy import Add

from .._kernel import Argument, Claim, Line, Part
from .._kernel.terms import Σ, Integer, Opaque, Step, array, exp, indices, log, sizes, δ

n, d, hidden = sizes("n d hidden")
r, a = indices("r a", n)
i, j, k, l_, p = indices("i j k l p", d)
o, e = indices("o e", hidden)
x, W, V, cotangent = map(array, ("x", "W", "V", "cotangent"))

X, WEIGHTS, OUT = Argument("x", (n, d)), Argument("W", (d, hidden)), Argument("V", (hidden, d))
COTANGENT = Argument("cotangent", (n, d))

# --- one residual block ----------------------------------------------------------------------------------------------


def any_g(u: Any) -> Any:
    """Any smooth function."""
    return Opaque("g", 0, u)


def any_slope(u: Any) -> Any:
    """Its derivative."""
    return Opaque("g", 1, u)


def block(r: Any, i: Any, g: Any = any_g) -> Any:
    """F(x): an affine layer, any smooth g, a second affine layer."""
    return Σ(g(Σ(x[r, k] * W[k, o], k)) * V[o, i], o)


def block_jacobian(r: Any, i: Any, j: Any, slope: Any = any_slope) -> Any:
    """∂F_i/∂x_j."""
    return Σ(slope(Σ(x[r, k] * W[k, o], k)) * V[o, i] * W[j, o], o)


HIDDEN = (array("z")[r, o], Σ(x[r, k] * W[k, o], k))
BLOCK = (HIDDEN, (array("F")[r, i], block(r, i)), (array("J")[r, i, j], block_jacobian(r, i, j)))

residual_jacobian = Claim(
    name="layers.residual_jacobian",
    statement="The Jacobian of x + F(x) is I + J: what flows back does not have to pass through F.",
    parts=(
        Part(left=x[r, i] + block(r, i), by=x[r, j], axes=(r, i, j), right=δ(i, j) + block_jacobian(r, i, j)),
        Part(
            left=Add(x[r, i], block(r, i), -x[r, i], evaluate=False),
            right=block(r, i),
            axes=(r, i),
            output="residual",
        ),
    ),
    arguments=(X, WEIGHTS, OUT),
    where=BLOCK,
    ids=("A12", "D72"),
    source="H(x) = F(x) + x, F(x) = H(x) − x",
)

RESIDUAL = Σ(cotangent[r, i] * (x[r, i] + block(r, i)), r, i)


def residual_gradients(g: Any, slope: Any) -> tuple[Part, ...]:
    """The gradients of x + g(xW) V by x, W and V, where g has this slope."""
    pulled = Σ(cotangent[r, i] * (x[r, i] + block(r, i, g)), r, i)
    around = Σ(cotangent[a, i] * (δ(i, j) + block_jacobian(a, i, j, slope)), i)
    return (
        Part(
            left=pulled,
            by=x[a, j],
            axes=(a, j),
            right=cotangent[a, j] + Σ(cotangent[a, i] * block_jacobian(a, i, j, slope), i),
            lines=(Line(around, "(I + J)ᵀ times the cotangent"),),
            output="dx",
        ),
        Part(
            left=pulled,
            by=W[j, e],
            axes=(j, e),
            right=Σ(x[r, j] * slope(Σ(x[r, k] * W[k, e], k)) * Σ(cotangent[r, i] * V[e, i], i), r),
            output="dW",
        ),
        Part(
            left=pulled,
            by=V[e, j],
            axes=(e, j),
            right=Σ(g(Σ(x[r, k] * W[k, e], k)) * cotangent[r, j], r),
            output="dV",
        ),
    )


residual_gradient = Claim(
    name="layers.residual_gradient",
    statement="The gradient through x + F(x) is the cotangent itself plus F's own gradient; F's weights see only F.",
    parts=residual_gradients(any_g, any_slope),
    arguments=(X, WEIGHTS, OUT, COTANGENT),
    where=(*BLOCK, (array("L")[()], RESIDUAL)),
    ids=("A12", "D72"),
    source="(I + J)ᵀ g",
)


def σ(u: Any) -> Any:
    """The logistic sigmoid."""
    return 1 / (1 + exp(-u))


def with_activation(activation: str, name: str, g: Any, slope: Any) -> Claim:
    """The gradients of a residual unit with an activation, by its formula."""
    return Claim(
        name=f"layers.{name}",
        statement=f"With {activation} as activation a residual unit has these gradients by x, W and V.",
        parts=residual_gradients(g, slope),
        arguments=(X, WEIGHTS, OUT, COTANGENT),
        where=(HIDDEN,),
        covers={"activation": activation},
        backs="layers.residual_unit_vjp",
        ids=("A12", "D72"),
        source="(I + J)ᵀ g",
    )


residual_unit_vjp = with_activation("relu", "residual_unit_vjp", lambda u: u * Step(u), Step)
residual_unit_vjp_with_identity = with_activation(
    "identity", "residual_unit_vjp_with_identity", lambda u: u, lambda u: Integer(1)
)
residual_unit_vjp_with_sigmoid = with_activation(
    "sigmoid", "residual_unit_vjp_with_sigmoid", σ, lambda u: σ(u) * (1 - σ(u))
)
residual_unit_vjp_with_tanh = with_activation(
    "tanh", "residual_unit_vjp_with_tanh", lambda u: 2 * σ(2 * u) - 1, lambda u: 4 * σ(2 * u) * (1 - σ(2 * u))
)
residual_unit_vjp_with_softplus = with_activation(
    "softplus", "residual_unit_vjp_with_softplus", lambda u: log(1 + exp(u)), σ
)
residual_unit_vjp_with_silu = with_activation(
    "silu", "residual_unit_vjp_with_silu", lambda u: u * σ(u), lambda u: σ(u) * (1 + u * (1 - σ(u)))
)

a_residual_block_of_zero_weights_is_the_identity = Claim(
    name="layers.a_residual_block_of_zero_weights_is_the_identity",
    statement="A residual block whose last weights are 0 gives back its input: deeper networks contain shallower ones.",
    parts=(Part(left=x[r, i] + block(r, i), right=x[r, i], axes=(r, i)),),
    arguments=(X, WEIGHTS, Argument("V", (hidden, d), "given")),
    given=((V[o, i], 0),),
    where=BLOCK[:2],
    ids=("D71",),
    source="F = 0",
)

# --- three residual blocks, one after the other ----------------------------------------------------------------------

W_, V_ = ([array(f"{letter}{block}") for block in (1, 2, 3)] for letter in "WV")
input_ = array("x")
widths = sizes("m1 m2 m3")
units = [indices(f"o{number}", width) for number, width in enumerate(widths, 1)]
features = [indices(f"k{number}", d) for number in (1, 2, 3)]
ends = [indices(f"i{number}", d) for number in (1, 2, 3)]


def stream(blocks: int, i: Any) -> Any:
    """A feature after so many residual blocks."""
    return stream(blocks - 1, i) + added(blocks, i) if blocks else input_[i]


def taken(number: int, o: Any) -> Any:
    """The sum that a hidden unit of a block takes in."""
    k = features[number - 1]
    return Σ(stream(number - 1, k) * W_[number - 1][k, o], k)


def added(number: int, i: Any) -> Any:
    """What a block adds to a feature."""
    o = units[number - 1]
    return Σ(Opaque("g", 0, taken(number, o)) * V_[number - 1][o, i], o)


def returned(blocks: int, j: Any) -> Any:
    """The gradient by a feature after so many blocks: past the next block, and through it."""
    if blocks == len(units):
        return cotangent[j]
    o, i = units[blocks], ends[blocks]
    through = Σ(
        Opaque("g", 1, taken(blocks + 1, o)) * W_[blocks][j, o] * Σ(V_[blocks][o, i] * returned(blocks + 1, i), i), o
    )
    return returned(blocks + 1, j) + through


END = Σ(cotangent[l_] * stream(3, l_), l_)

BLOCKS = (
    *((array(f"z{n}")[o], taken(n, o)) for n, o in enumerate(units, 1)),
    *((array(f"F{n}")[i], added(n, i)) for n in (1, 2, 3)),
    *((array(f"δ{n}")[i], returned(n, i)) for n in (2, 1)),
    (array("L")[()], END),
)

three_residual_blocks = Claim(
    name="layers.three_residual_blocks",
    statement="Through three residual blocks the gradient is (I + J₁)ᵀ(I + J₂)ᵀ(I + J₃)ᵀ g: one path skips them all.",
    parts=(
        Part(
            left=stream(3, i),
            right=input_[i] + added(1, i) + added(2, i) + added(3, i),
            axes=(i,),
            output="sum",
        ),
        Part(left=END, by=input_[p], axes=(p,), right=returned(0, p), output="dx"),
    ),
    arguments=(
        Argument("x", (d,)),
        *(Argument(f"W{number}", (d, width)) for number, width in enumerate(widths, 1)),
        *(Argument(f"V{number}", (width, d)) for number, width in enumerate(widths, 1)),
        Argument("cotangent", (d,)),
    ),
    where=BLOCKS,
    ids=("A12", "D72"),
    source="x_{l+1} = x_l + F_l(x_l)",
)

# --- parallel branches -----------------------------------------------------------------------------------------------

c1, c2, height, width = sizes("c1 c2 height width")
s, s_ = indices("s s_", c1)
t, t_ = indices("t t_", c2)
row, row_ = indices("row row_", height)
col, col_ = indices("col col_", width)
left, right = array("a"), array("b")
JOINED = Σ(cotangent[r, s, row, col] * left[r, s, row, col], r, s, row, col) + Σ(
    cotangent[r, c1 + t, row, col] * right[r, t, row, col], r, t, row, col
)

concatenate_channels_vjp = Claim(
    name="layers.concatenate_channels_vjp",
    statement="The gradient of a concatenation is the cotangent, cut where its parts meet.",
    parts=(
        Part(
            left=JOINED,
            by=left[a, s_, row_, col_],
            axes=(a, s_, row_, col_),
            right=cotangent[a, s_, row_, col_],
            output="da",
        ),
        Part(
            left=JOINED,
            by=right[a, t_, row_, col_],
            axes=(a, t_, row_, col_),
            right=cotangent[a, c1 + t_, row_, col_],
            output="db",
        ),
    ),
    arguments=(
        Argument("a", (n, c1, height, width)),
        Argument("b", (n, c2, height, width)),
        Argument("cotangent", (n, c1 + c2, height, width)),
    ),
    where=((array("L")[()], JOINED),),
    ids=("A12", "D70"),
    source="channel s < c₁ is a's, channel c₁ + t is b's",
)

flatten_vjp = Claim(
    name="layers.flatten_vjp",
    statement="The gradient of a reshape is the cotangent, read in the same order.",
    parts=(
        Part(
            left=Σ(cotangent[r, (s * height + row) * width + col] * x[r, s, row, col], r, s, row, col),
            by=x[a, s_, row_, col_],
            axes=(a, s_, row_, col_),
            right=cotangent[a, (s_ * height + row_) * width + col_],
        ),
    ),
    arguments=(Argument("x", (n, c1, height, width)), Argument("cotangent", (n, c1 * height * width), padded=True)),
    ids=("A12",),
    source="entry (c, h, v) of x is entry (c H + h) V + v of its row",
)

A, B = array("A"), array("B")
IN_A = Argument("A", (d, c1))
IN_B = Argument("B", (d, c2))


def branch_a(r: Any, s: Any) -> Any:
    """What unit s of the first branch takes in."""
    return Σ(x[r, k] * A[k, s], k)


def branch_b(r: Any, t: Any) -> Any:
    """What unit t of the second branch takes in."""
    return Σ(x[r, k] * B[k, t], k)


CONCATENATED = Σ(cotangent[r, s] * Opaque("f", 0, branch_a(r, s)), r, s) + Σ(
    cotangent[r, c1 + t] * Opaque("g", 0, branch_b(r, t)), r, t
)

BRANCHES = ((array("α")[r, s], branch_a(r, s)), (array("β")[r, t], branch_b(r, t)), (array("L")[()], CONCATENATED))

concatenated_branches_add_their_gradients = Claim(
    name="layers.concatenated_branches_add_their_gradients",
    statement="An input of branches whose outputs are concatenated gets the sum of the gradients of all of them.",
    parts=(
        Part(
            left=CONCATENATED,
            by=x[a, p],
            axes=(a, p),
            right=Σ(cotangent[a, s] * Opaque("f", 1, branch_a(a, s)) * A[p, s], s)
            + Σ(cotangent[a, c1 + t] * Opaque("g", 1, branch_b(a, t)) * B[p, t], t),
            output="dx",
        ),
        Part(
            left=CONCATENATED,
            by=A[p, s_],
            axes=(p, s_),
            right=Σ(x[r, p] * cotangent[r, s_] * Opaque("f", 1, branch_a(r, s_)), r),
            output="dA",
        ),
        Part(
            left=CONCATENATED,
            by=B[p, t_],
            axes=(p, t_),
            right=Σ(x[r, p] * cotangent[r, c1 + t_] * Opaque("g", 1, branch_b(r, t_)), r),
            output="dB",
        ),
    ),
    arguments=(X, IN_A, IN_B, Argument("cotangent", (n, c1 + c2))),
    where=BRANCHES,
    ids=("D70",),
    source="inception: ∂L/∂x = Σ over branches",
)

first, second, scores = sizes("first second scores")
u, u_ = indices("u u_", first)
v, v_ = indices("v v_", second)
m = indices("m", scores)
P, Q, c = array("P"), array("Q"), array("c")


def merged(m: Any) -> Any:
    """A linear combination of the sum of two branches."""
    both = Σ(Opaque("f", 0, Σ(input_[k] * A[k, u], k)) * P[u, i], u) + Σ(
        Opaque("g", 0, Σ(input_[k] * B[k, v], k)) * Q[v, i], v
    )
    return Σ(c[m, i] * both, i)


SLOPE = Σ(c[m, j] * Opaque("ℓ", 1, merged(m)), m)

MERGED = (
    (array("α")[u], Σ(input_[k] * A[k, u], k)),
    (array("β")[v], Σ(input_[k] * B[k, v], k)),
    (array("y")[m], merged(m)),
    (array("δ")[j], SLOPE),
    (array("L")[()], Σ(Opaque("ℓ", 0, merged(m)), m)),
)

added_branches_share_their_gradient = Claim(
    name="layers.added_branches_share_their_gradient",
    statement="Branches that are added get the same cotangent δ, and their common input the sum of what returns.",
    parts=(
        Part(
            left=Σ(Opaque("ℓ", 0, merged(m)), m),
            by=input_[p],
            axes=(p,),
            right=Σ(SLOPE * Σ(P[u, j] * Opaque("f", 1, Σ(input_[k] * A[k, u], k)) * A[p, u], u), j)
            + Σ(SLOPE * Σ(Q[v, j] * Opaque("g", 1, Σ(input_[k] * B[k, v], k)) * B[p, v], v), j),
            output="dx",
        ),
        Part(
            left=Σ(Opaque("ℓ", 0, merged(m)), m),
            by=P[u_, j],
            axes=(u_, j),
            right=Opaque("f", 0, Σ(input_[k] * A[k, u_], k)) * SLOPE,
            output="dP",
        ),
        Part(
            left=Σ(Opaque("ℓ", 0, merged(m)), m),
            by=Q[v_, j],
            axes=(v_, j),
            right=Opaque("g", 0, Σ(input_[k] * B[k, v_], k)) * SLOPE,
            output="dQ",
        ),
    ),
    arguments=(
        Argument("x", (d,)),
        Argument("A", (d, first)),
        Argument("B", (d, second)),
        Argument("P", (first, d)),
        Argument("Q", (second, d)),
        Argument("c", (scores, d)),
    ),
    where=MERGED,
    ids=("A12", "D70", "D72"),
    source="y = F(x) + G(x)",
)
