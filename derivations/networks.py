"""Whole networks: the gradients of L layers by every weight and bias, the induction over layers, chains, and time."""

from __future__ import annotations

from typing import Any

from ._kernel import Argument, Claim, Erratum, Line, Part
from ._kernel.terms import Σ, Integer, Opaque, array, exp, indices, log, scalars, sizes

# --- networks with the softmax's cross-entropy on top ----------------------------------------------------------------


def network(depth: int) -> Claim:
    """The gradients of a network of so many affine layers, with any smooth g between them and a softmax on top."""
    width = sizes(" ".join(f"d{layer}" for layer in range(depth + 1)))
    p, k, o = ([indices(f"{label}{layer}", size) for layer, size in enumerate(width)] for label in "pko")
    i, j = indices("i j", width[depth])
    W = {layer: array(f"W{layer}") for layer in range(1, depth + 1)}
    b = {layer: array(f"b{layer}") for layer in range(1, depth + 1)}
    x, labels = array("x"), array("labels")

    def z(layer: int, unit: Any) -> Any:
        """The sum that a unit of a layer takes in."""
        return Σ(h(layer - 1, k[layer - 1]) * W[layer][k[layer - 1], unit], k[layer - 1]) + b[layer][unit]

    def h(layer: int, unit: Any) -> Any:
        """What a unit gives out; layer 0 is the input."""
        return Opaque("g", 0, z(layer, unit)) if layer else x[unit]

    def s(unit: Any) -> Any:
        """The softmax of the last layer."""
        return exp(z(depth, unit)) / Σ(exp(z(depth, i)), i)

    def error(layer: int, unit: Any) -> Any:
        """The derivative of the loss by a unit's sum."""
        if layer == depth:
            return s(unit) - labels[unit]
        above = o[layer + 1]
        return Opaque("g", 1, z(layer, unit)) * Σ(W[layer + 1][unit, above] * error(layer + 1, above), above)

    loss = -Σ(labels[j] * log(s(j)), j)
    parts: list[Part] = []
    for layer in range(depth, 0, -1):
        below, here = p[layer - 1], p[layer]
        by_weight, by_bias = h(layer - 1, below) * error(layer, here), error(layer, here)
        parts += [
            Part(loss, by_weight, by=W[layer][below, here], axes=(below, here), output=f"dW{layer}"),
            Part(loss, by_bias, by=b[layer][here], axes=(here,), output=f"db{layer}"),
        ]
    hidden = range(1, depth)
    where = (
        *((array(f"{n}{layer}")[p[layer]], of(layer, p[layer])) for layer in hidden for n, of in (("z", z), ("h", h))),
        (array(f"z{depth}")[p[depth]], z(depth, p[depth])),
        (array("s")[j], s(j)),
        *((array(f"δ{layer}")[p[layer]], error(layer, p[layer])) for layer in (depth, *reversed(hidden))),
        (array("L")[()], loss),
    )
    layers = "layer" if depth == 1 else "layers"
    return Claim(
        name=f"networks.network_of_{depth}_{layers}",
        statement=f"In a network of {depth} {layers} every ∂L/∂W is the input h times the error δ, every ∂L/∂b is δ; "
        "δ is s − y on top and g'(z) Σ W δ below.",
        parts=tuple(parts),
        arguments=(
            Argument("x", (width[0],)),
            *(Argument(f"W{layer}", (width[layer - 1], width[layer])) for layer in W),
            *(Argument(f"b{layer}", (width[layer],)) for layer in b),
            Argument("labels", (width[depth],), "labels"),
        ),
        given=((Σ(labels[j], j), 1),),
        where=where,
        ids=("A16", "A17", "D01", "D12", "D20", "D21", "D22", "D24"),
        source="δ_L = s − y, δ_l = g'(z_l) W_{l+1} δ_{l+1}, ∂L/∂W_l = h_{l−1} δ_l",
        note="For one sample; a batch's gradient is the mean of its samples'.",
    )


network_of_1_layer = network(1)
network_of_2_layers = network(2)
network_of_3_layers = network(3)
network_of_4_layers = network(4)
network_of_5_layers = network(5)

# --- the induction over layers: any depth ----------------------------------------------------------------------------

below, here, above, losses = sizes("below here above losses")
k, p = indices("k p", below)
i, q = indices("i q", here)
o, e, t = indices("o e t", above)
m = indices("m", losses)
lower, W, b, z, W2, b2 = map(array, ("h", "W", "b", "z", "W_above", "b_above"))
logits, labels, c, z2 = map(array, ("logits", "labels", "c", "z_above"))

error_of_the_output_layer = Claim(
    name="networks.error_of_the_output_layer",
    statement="The base of backpropagation: on top, under a softmax and its cross-entropy, the error is s − y.",
    parts=(
        Part(
            left=-Σ(labels[o] * log(exp(logits[o]) / Σ(exp(logits[e]), e)), o),
            by=logits[t],
            axes=(t,),
            right=exp(logits[t]) / Σ(exp(logits[e]), e) - labels[t],
        ),
    ),
    arguments=(Argument("logits", (above,)), Argument("labels", (above,), "labels")),
    given=((Σ(labels[o], o), 1),),
    where=((array("s")[o], exp(logits[o]) / Σ(exp(logits[e]), e)),),
    ids=("A16", "D11"),
    source="δ_L = s − y",
)


def any_loss(z: Any) -> Any:
    """A loss of a layer's sums z(unit): a sum of any smooth ℓ of any linear combinations of them."""
    return Σ(Opaque("ℓ", 0, Σ(c[m, e] * z(e), e)), m)


def error_above(z: Any, unit: Any) -> Any:
    """The derivative of that loss by the sum of one unit."""
    return Σ(c[m, unit] * Opaque("ℓ", 1, Σ(c[m, e] * z(e), e)), m)


def from_z(unit: Any) -> Any:
    """A sum of the layer above, from the sums z of the layer."""
    return Σ(Opaque("g", 0, z[i]) * W2[i, unit], i) + b2[unit]


def from_h(unit: Any) -> Any:
    """A sum of the layer, from what the layer below gives out."""
    return Σ(lower[k] * W[k, unit], k) + b[unit]


def from_below(unit: Any) -> Any:
    """A sum of the layer above, from what the layer below gives out."""
    return Σ(Opaque("g", 0, from_h(i)) * W2[i, unit], i) + b2[unit]


HIDDEN_ERROR = Opaque("g", 1, from_h(q)) * Σ(W2[q, o] * error_above(from_below, o), o)

LAYERS = (
    (array("u")[o], from_z(o)),
    (array("δ")[o], error_above(from_z, o)),
    (array("L")[()], any_loss(from_z)),
    (array("z'")[i], from_h(i)),
    (array("u'")[o], from_below(o)),
    (array("δ'")[o], error_above(from_below, o)),
    (array("L'")[()], any_loss(from_below)),
)

backpropagation_from_layer_to_layer = Claim(
    name="networks.backpropagation_from_layer_to_layer",
    statement="The step: with errors δ by the sums of layer l + 1, those of layer l are g'(z) Σ W δ, ∂L/∂W_l is h δ_l.",
    parts=(
        Part(
            left=any_loss(lambda unit: z2[unit]),
            by=z2[t],
            axes=(t,),
            right=error_above(lambda unit: z2[unit], t),
            output="errors above",
        ),
        Part(
            left=any_loss(from_z),
            by=z[q],
            axes=(q,),
            right=Opaque("g", 1, z[q]) * Σ(W2[q, o] * error_above(from_z, o), o),
            lines=(
                Line(
                    Σ(error_above(from_z, o) * W2[q, o] * Opaque("g", 1, z[q]), o),
                    "Σ over the units above of the error there times the slope of its sum by z",
                ),
            ),
            output="errors",
        ),
        Part(left=any_loss(from_below), by=W[p, q], axes=(p, q), right=lower[p] * HIDDEN_ERROR, output="dW"),
        Part(left=any_loss(from_below), by=b[q], axes=(q,), right=HIDDEN_ERROR, output="db"),
    ),
    arguments=(
        Argument("h", (below,)),
        Argument("W", (below, here)),
        Argument("b", (here,)),
        Argument("z", (here,)),
        Argument("W_above", (here, above)),
        Argument("b_above", (above,)),
        Argument("z_above", (above,)),
        Argument("c", (losses, above)),
    ),
    where=LAYERS,
    ids=("A16", "A17", "D22", "D24"),
    source="δ_l = g'(z_l) W_{l+1} δ_{l+1}",
    note="The base is error_of_the_output_layer. From the base, L − 1 of these steps give the gradients of a network "
    "of any depth L: all that a step asks of the layers above is the loss as a function of their sums. The chain rule "
    "reads that loss through its slopes δ alone; here it is any sum of smooth functions of linear combinations.",
)

first, second, third = sizes("first second third")
a0, a1, a2 = indices("a0", first), indices("a1", second), indices("a2", third)
f0, f1, f2 = indices("f0", first), indices("f1", second), indices("f2", third)
p1, V, U = array("p1"), array("V"), array("U")


def p2(unit: Any) -> Any:
    """A unit of the second layer."""
    return Opaque("g", 0, Σ(p1[a0] * V[a0, unit], a0))


def slope2(unit: Any) -> Any:
    """The slope of g at a unit of the second layer."""
    return Opaque("g", 1, Σ(p1[a0] * V[a0, unit], a0))


IN3 = Σ(p2(a1) * U[a1, f2], a1)

JACOBIANS = ((array("z")[a1], Σ(p1[a0] * V[a0, a1], a0)), (array("y")[f2], IN3))

jacobians_multiply_from_the_top = Claim(
    name="networks.jacobians_multiply_from_the_top",
    statement="The Jacobian of two layers is the upper one's times the lower one's, in this order.",
    parts=(
        Part(
            left=Opaque("f", 0, IN3),
            by=p1[f0],
            axes=(f2, f0),
            right=Σ((Opaque("f", 1, IN3) * U[f1, f2]) * (slope2(f1) * V[f0, f1]), f1),
            output="by the input",
        ),
        Part(
            left=Opaque("f", 0, IN3),
            by=V[f0, f1],
            axes=(f2, f0, f1),
            right=(Opaque("f", 1, IN3) * U[f1, f2]) * (slope2(f1) * p1[f0]),
            output="by the weights",
        ),
    ),
    arguments=(Argument("p1", (first,)), Argument("V", (first, second)), Argument("U", (second, third))),
    where=JACOBIANS,
    ids=("A16", "B06"),
    source="∂p_L/∂p_i = ∂p_L/∂p_{i+1} · ∂p_{i+1}/∂p_i",
    note="Entry (row of the output, column of the input). In the other order the sizes do not even fit.",
)

# --- a chain of single units -----------------------------------------------------------------------------------------

w, x = array("w"), scalars("x")
LENGTH = 3


def unit(n: int) -> Any:
    """p_n = σ_n(w_n p_{n−1}), with p_0 = x; every layer has a smooth function of its own."""
    return Opaque(f"σ{n}", 0, w[n - 1] * unit(n - 1)) if n else x


def unit_slope(n: int) -> Any:
    """The slope of σ_n where unit n works."""
    return Opaque(f"σ{n}", 1, w[n - 1] * unit(n - 1))


def passed_on(n: int) -> Any:
    """∂p_n/∂p_{n−1}."""
    return unit_slope(n) * w[n - 1]


CHAIN = (Argument("w", (Integer(LENGTH),)), Argument("x"))

UNITS = tuple((array(f"p{n}")[()], unit(n)) for n in (1, 2, 3))

chain_of_units = Claim(
    name="networks.chain_of_units",
    statement="In a chain of three units ∂p_3/∂w_i is the product of all ∂p_{j+1}/∂p_j from i on, times ∂p_i/∂w_i.",
    parts=(
        Part(left=unit(3), by=w[2], right=unit_slope(3) * unit(2), output="w3"),
        Part(left=unit(3), by=w[1], right=passed_on(3) * (unit_slope(2) * unit(1)), output="w2"),
        Part(left=unit(3), by=w[0], right=passed_on(3) * passed_on(2) * (unit_slope(1) * x), output="w1"),
    ),
    arguments=CHAIN,
    where=UNITS,
    ids=("A14", "A15", "A16", "A18"),
    source="p_{i+1} = σ_{i+1}(w_{i+1} p_i)",
)

# --- backpropagation through time ------------------------------------------------------------------------------------


def through_time(steps: int) -> Claim:
    """The gradients of a recurrent layer with shared weights after so many steps, and a loss at every step."""
    d_in, d = sizes("d_in d")
    f, p = indices("f p", d_in)
    q, r = indices("q r", d)
    k = [indices(f"k{time}", d) for time in range(steps + 1)]
    o = [indices(f"o{time}", d) for time in range(steps + 2)]
    x, h0, W, U, b, cotangent = map(array, ("x", "h0", "W", "U", "b", "cotangent"))

    def z(time: int, unit: Any) -> Any:
        """The sum that a unit takes in at a time from 1 on."""
        past = Σ(h(time - 1, k[time]) * U[k[time], unit], k[time])
        return Σ(x[time - 1, f] * W[f, unit], f) + past + b[unit]

    def h(time: int, unit: Any) -> Any:
        """What a unit remembers."""
        return Opaque("g", 0, z(time, unit)) if time else h0[unit]

    def error(time: int, unit: Any) -> Any:
        """The derivative of all losses by a unit's sum at a time."""
        later = Σ(U[unit, o[time + 1]] * error(time + 1, o[time + 1]), o[time + 1]) if time < steps else 0
        return Opaque("g", 1, z(time, unit)) * (cotangent[time - 1, unit] + later)

    times = range(1, steps + 1)
    loss = sum(Σ(cotangent[time - 1, o[0]] * h(time, o[0]), o[0]) for time in times)
    by_input = sum(x[time - 1, p] * error(time, q) for time in times)
    by_past = sum(h(time - 1, r) * error(time, q) for time in times)
    where = (
        *((array(f"{name}{time}")[q], of(time, q)) for time in times for name, of in (("z", z), ("h", h))),
        *((array(f"δ{time}")[q], error(time, q)) for time in reversed(times)),
        (array("L")[()], loss),
    )
    return Claim(
        name=f"networks.backpropagation_through_{steps}_steps_of_time",
        statement=f"The weights that {steps} steps share get the sum over time of input · error; an error is "
        "g'(z) times the step's own cotangent plus Σ U δ of the next step.",
        parts=(
            Part(loss, by_input, by=W[p, q], axes=(p, q), output="dW"),
            Part(loss, by_past, by=U[r, q], axes=(r, q), output="dU"),
            Part(loss, sum(error(time, q) for time in times), by=b[q], axes=(q,), output="db"),
            Part(loss, Σ(U[r, q] * error(1, q), q), by=h0[r], axes=(r,), output="dh0"),
        ),
        arguments=(
            Argument("x", (Integer(steps), d_in)),
            Argument("h0", (d,)),
            Argument("W", (d_in, d)),
            Argument("U", (d, d)),
            Argument("b", (d,)),
            Argument("cotangent", (Integer(steps), d)),
        ),
        where=where,
        ids=("A16", "A17", "D22"),
        source="h_t = g(x_t W + h_{t−1} U + b)",
        note="Not in the lectures: a recurrent layer is a deep network whose layers share their weights.",
    )


backpropagation_through_3_steps_of_time = through_time(3)
backpropagation_through_4_steps_of_time = through_time(4)

errata = (
    Erratum(
        id="A18",
        as_written=Claim(
            name="networks.A18",
            statement="∂p_L/∂p_i · ∂p_i/∂w_i = Π_{j=i}^{L−1} ∂p_{j+1}/∂p_j.",
            parts=(Part(left=unit(3), by=w[0], right=passed_on(3) * passed_on(2)),),
            arguments=CHAIN,
        ),
        corrected_by="networks.chain_of_units",
        note="The product is ∂p_L/∂p_i alone: the factor ∂p_i/∂w_i is lost. Written out for L = 3 and i = 1.",
    ),
)
