"""The lectures' network of ReLU units with x = (1, 2) and y = 0: its sums, its errors, its gradients.

Units are counted from 0; W[to, from]. The figure with W1 is lost: all that is asked of it is W1 x = (−1, 1).
"""

from __future__ import annotations

from typing import Any

from .._kernel import Argument, Claim, Number, Part
from .._kernel.terms import Delta, Integer, Step, array, exp, indices, log


def σ(x: Any) -> Any:
    """The logistic sigmoid."""
    return 1 / (1 + exp(-x))


W1, W2, W3, x = map(array, ("W1", "W2", "W3", "x"))
add1, add2, add3 = map(array, ("add1", "add2", "add3"))
to, source = indices("to from", 2)
TWO = Integer(2)
NETWORK = (
    Argument("W1", (TWO, TWO), "given"),
    Argument("W2", (TWO, TWO), "given"),
    Argument("W3", (TWO,), "given"),
    Argument("x", (TWO,), "given"),
)
GIVEN = (
    (x[0], Integer(1)),
    (x[1], Integer(2)),
    (W1[0, 0], -1 - 2 * W1[0, 1]),
    (W1[1, 0], 1 - 2 * W1[1, 1]),
    *((W2[m, 0], Integer(-1)) for m in range(2)),
    *((W2[m, 1], Integer(1)) for m in range(2)),
    *((W3[m], Integer(1)) for m in range(2)),
)
ADDED = tuple(Argument(f"add{m}", (Integer(size),), "given") for m, size in ((1, 2), (2, 2), (3, 1)))
NOTHING_ADDED = tuple((add[m], Integer(0)) for add, size in ((add1, 2), (add2, 2), (add3, 1)) for m in range(size))


def relu(u: Any) -> Any:
    """The larger of u and 0."""
    return u * Step(u)


def z1(m: int) -> Any:
    """The sum of unit m of the first layer; what is added to it shows its error."""
    return W1[m, 0] * x[0] + W1[m, 1] * x[1] + add1[m]


def z2(m: int) -> Any:
    """The sum of unit m of the second layer."""
    return W2[m, 0] * relu(z1(0)) + W2[m, 1] * relu(z1(1)) + add2[m]


Z3 = W3[0] * relu(z2(0)) + W3[1] * relu(z2(1)) + add3[0]
LOSS = -log(1 - σ(Z3))  # the binary cross-entropy for y = 0

two_layer_network = Claim(
    name="worked.two_layer_network",
    statement="With W2 = [[−1, 1], [−1, 1]], W3 = [1, 1] and every W1 with W1 (1, 2) = (−1, 1) the output is z = 2.",
    parts=(
        *(Part(left=z1(m), right=Integer(2 * m - 1), output=f"z1{m + 1}") for m in range(2)),
        *(Part(left=relu(z1(m)), right=Integer(m), output=f"u1{m + 1}") for m in range(2)),
        *(Part(left=z2(m), right=Integer(1), output=f"z2{m + 1}") for m in range(2)),
        *(Part(left=relu(z2(m)), right=Integer(1), output=f"u2{m + 1}") for m in range(2)),
        Part(left=Z3, right=Integer(2), output="z"),
        Part(left=σ(Z3), right=σ(Integer(2)), output="p"),
    ),
    arguments=(*NETWORK, *ADDED),
    given=(*GIVEN, *NOTHING_ADDED),
    ids=("D13", "D14"),
    source="z = W3 relu(W2 relu(W1 x))",
    note="z11 = −1, u11 = 0; z12 = u12 = 1; z21 = z22 = u21 = u22 = 1; p(y = 1) = σ(2).",
)

errors_of_the_two_layer_network = Claim(
    name="worked.errors_of_the_two_layer_network",
    statement="The errors of the network are σ(2) at the output and in the second layer, 0 and 2σ(2) in the first.",
    parts=(
        Part(left=LOSS, by=add3[0], right=σ(Integer(2)), output="δ_z"),
        *(Part(left=LOSS, by=add2[m], right=σ(Integer(2)), output=f"δ_2{m + 1}") for m in range(2)),
        Part(left=LOSS, by=add1[0], right=Integer(0), output="δ_11"),
        Part(left=LOSS, by=add1[1], right=2 * σ(Integer(2)), output="δ_12"),
    ),
    arguments=(*NETWORK, *ADDED),
    given=(*GIVEN, *NOTHING_ADDED),
    ids=("D15", "D16", "D17", "D18"),
    source="δ_j = g'(z_j) Σ_k w_kj δ_k, with δ_z = σ(z) − y",
    note="The error of a unit is the derivative of the loss by what is added to its sum.",
)

gradient_of_the_two_layer_network = Claim(
    name="worked.gradient_of_the_two_layer_network",
    statement="Each weight's gradient is what comes in times the error: 4σ(2) for w22 of layer 1, σ(2) of layer 2.",
    parts=(
        Part(
            left=LOSS,
            by=W1[to, source],
            axes=(to, source),
            right=2 * σ(Integer(2)) * Delta(to, 1) * (Delta(source, 0) + 2 * Delta(source, 1)),
            output="W1",
        ),
        Part(
            left=LOSS,
            by=W2[to, source],
            axes=(to, source),
            right=σ(Integer(2)) * Delta(source, 1) * (Delta(to, 0) + Delta(to, 1)),
            output="W2",
        ),
        Part(
            left=LOSS,
            by=W3[to],
            axes=(to,),
            right=σ(Integer(2)) * (Delta(to, 0) + Delta(to, 1)),
            output="W3",
        ),
    ),
    arguments=(*NETWORK, *ADDED),
    given=(*GIVEN, *NOTHING_ADDED),
    ids=("D19", "D21"),
    source="∂L/∂w_kj = δ_k u_j",
)

probability_of_the_network = Number(
    name="worked.probability_of_the_network",
    statement="The network's probability is σ(2) = .880797.",
    value=σ(Integer(2)),
    printed=".880797",
    ids=("D14", "D15", "D16"),
    source="p(y = 1) = σ(z)",
    note="It is also the error of the output and of both units below it, because y = 0.",
)

error_of_the_second_hidden_unit = Number(
    name="worked.error_of_the_second_hidden_unit",
    statement="The error of the second unit of the first layer is 2σ(2) = 1.761594.",
    value=2 * σ(Integer(2)),
    printed="1.761594",
    ids=("D18",),
    source="δ_12 = 1 · (δ_21 + δ_22)",
)

gradient_of_a_first_layer_weight = Number(
    name="worked.gradient_of_a_first_layer_weight",
    statement="The slope of the loss by w22 of the first layer is x_2 δ_12 = 4σ(2) = 3.5232.",
    value=4 * σ(Integer(2)),
    printed="3.5232",
    ids=("D19",),
    source="∂L/∂w_ji = δ_j x_i",
)

gradient_of_a_second_layer_weight = Number(
    name="worked.gradient_of_a_second_layer_weight",
    statement="The slope of the loss by w22 of the second layer is u_12 δ_22 = σ(2) = .8808.",
    value=σ(Integer(2)),
    printed=".8808",
    ids=("D19",),
    source="∂L/∂w_kj = δ_k u_j",
)
