"""Recurrent cells: a plain one, an LSTM and a GRU, and their gradients for any sizes; one sample, one step.

Beyond the lectures. The weights of a cell's gates are stacked along the first axis; gate and act may be any smooth
functions: as a rule σ with the slope σ(1 − σ), and tanh with 1 − tanh².
"""

from __future__ import annotations

from typing import Any

from .._kernel import Argument, Claim, Part
from .._kernel.terms import Σ, Integer, Opaque, array, indices, sizes

d_in, d = sizes("d_in d")
k, p = indices("k p", d_in)
i, j, q, r = indices("i j q r", d)
x, h, c, W, U, b = map(array, ("x", "h", "c", "W", "U", "b"))
dh, dc = array("dh"), array("dc")


def smooth_gate(x: Any, slope: int = 0) -> Any:
    """A gate: any smooth function, or its slope."""
    return Opaque("gate", slope, x)


def act(x: Any, slope: int = 0) -> Any:
    """What bounds a state: any smooth function, or its slope."""
    return Opaque("act", slope, x)


def arguments(gates: int) -> tuple[Argument, ...]:
    """The arguments of a cell with so many gates."""
    return (
        Argument("x", (d_in,)),
        Argument("h", (d,)),
        Argument("W", (Integer(gates), d_in, d)),
        Argument("U", (Integer(gates), d, d)),
        Argument("b", (Integer(gates), d)),
        Argument("dh", (d,)),
    )


def taken_in(gate: int, i: Any) -> Any:
    """What unit i of a gate takes in."""
    return Σ(x[k] * W[gate, k, i], k) + Σ(h[j] * U[gate, j, i], j) + b[gate, i]


def gradients(loss: Any, error: Any, gates: int, past: Any = 0) -> tuple[Part, ...]:
    """The gradients by input, state and weights, from the errors error(gate, unit) of what the gates take in."""
    each = range(gates)
    return (
        Part(loss, sum(Σ(W[g, p, i] * error(g, i), i) for g in each), by=x[p], axes=(p,), output="dx"),
        Part(loss, sum(Σ(U[g, r, i] * error(g, i), i) for g in each) + past, by=h[r], axes=(r,), output="dh"),
        *(Part(loss, x[p] * error(g, q), by=W[g, p, q], axes=(p, q), output=f"dW{g}") for g in each),
        *(Part(loss, h[r] * error(g, q), by=U[g, r, q], axes=(r, q), output=f"dU{g}") for g in each),
        *(Part(loss, error(g, q), by=b[g, q], axes=(q,), output=f"db{g}") for g in each),
    )


# --- one layer -------------------------------------------------------------------------------------------------------

rnn_cell_gradients = Claim(
    name="attention.rnn_cell_gradients",
    statement="Through h' = act(xW + hU + b) the error is g act'; x gets Wδ, h gets Uδ, the weights input · δ.",
    parts=gradients(
        Σ(dh[i] * act(taken_in(0, i)), i), lambda gate, i: dh[i] * act(taken_in(gate, i), slope=1), gates=1
    ),
    arguments=arguments(1),
    where=((array("a0")[i], taken_in(0, i)), (array("L")[()], Σ(dh[i] * act(taken_in(0, i)), i))),
    ids=("A16", "D22"),
    source="h' = tanh(xW + hU + b)",
    note="Not in the lectures.",
)

# --- long short-term memory: gates i, f, g, o ------------------------------------------------------------------------


def gate(n: int, i: Any, slope: int = 0) -> Any:
    """The value of an LSTM's gate, or its slope: input, forget, candidate, output."""
    return (act if n == 2 else smooth_gate)(taken_in(n, i), slope)


def memory(i: Any) -> Any:
    """The new memory f c + i g."""
    return gate(1, i) * c[i] + gate(0, i) * gate(2, i)


def memory_error(i: Any) -> Any:
    """The derivative by the new memory: through the output, and directly."""
    return dh[i] * gate(3, i) * act(memory(i), slope=1) + dc[i]


def lstm_error(n: int, i: Any) -> Any:
    """The derivative by what a gate takes in."""
    if n == 3:
        return dh[i] * act(memory(i)) * gate(3, i, slope=1)
    return memory_error(i) * (gate(2, i), c[i], gate(0, i))[n] * gate(n, i, slope=1)


LSTM = Σ(dh[i] * gate(3, i) * act(memory(i)) + dc[i] * memory(i), i)

LSTM_NAMES = (
    *((array(f"a{n}")[i], taken_in(n, i)) for n in range(4)),
    *((array(name)[i], gate(n, i)) for n, name in enumerate("IFGO")),
    (array("C")[i], memory(i)),
    (array("δ")[i], memory_error(i)),
    *((array(f"δ{n}")[i], lstm_error(n, i)) for n in range(4)),
    (array("L")[()], LSTM),
)

lstm_cell_gradients = Claim(
    name="attention.lstm_cell_gradients",
    statement="An LSTM's memory passes its error on through the forget gate alone; each gate has an error of its own.",
    parts=(
        Part(LSTM, memory_error(q) * gate(1, q), by=c[q], axes=(q,), output="dc"),
        *gradients(LSTM, lstm_error, gates=4),
    ),
    arguments=(*arguments(4), Argument("c", (d,)), Argument("dc", (d,))),
    where=LSTM_NAMES,
    ids=("A16", "D22"),
    source="c' = f c + i g, h' = o tanh(c')",
    note="Not in the lectures; gates in the order i, f, g, o. Where f is 1 the memory is a skip connection in time.",
)

# --- gated recurrent unit: gates r, z, n -----------------------------------------------------------------------------


def reset(i: Any, slope: int = 0) -> Any:
    """How much of the past the candidate sees."""
    return smooth_gate(taken_in(0, i), slope)


def update(i: Any, slope: int = 0) -> Any:
    """How much of the past stays."""
    return smooth_gate(taken_in(1, i), slope)


def past(i: Any) -> Any:
    """What the candidate takes from the past, before it is reset."""
    return Σ(h[j] * U[2, j, i], j) + hidden_bias[i]


def candidate(i: Any, slope: int = 0) -> Any:
    """The new state, if nothing of the past stays."""
    return act(Σ(x[k] * W[2, k, i], k) + b[2, i] + reset(i) * past(i), slope)


hidden_bias = array("b_hidden")
GRU = Σ(dh[i] * ((1 - update(i)) * candidate(i) + update(i) * h[i]), i)


def candidate_error(i: Any) -> Any:
    """The derivative by what the candidate takes in."""
    return dh[i] * (1 - update(i)) * candidate(i, slope=1)


def gru_error(n: int, i: Any) -> Any:
    """The derivative by what a gate takes in from x."""
    if n == 2:
        return candidate_error(i)
    if n == 1:
        return dh[i] * (h[i] - candidate(i)) * update(i, slope=1)
    return candidate_error(i) * past(i) * reset(i, slope=1)


def gru_past_error(n: int, i: Any) -> Any:
    """The derivative by what a gate takes in from h."""
    return candidate_error(i) * reset(i) if n == 2 else gru_error(n, i)


GATES = range(3)

GRU_NAMES = (
    *((array(f"a{n}")[i], taken_in(n, i)) for n in (0, 1)),
    (array("R")[i], reset(i)),
    (array("Z")[i], update(i)),
    (array("P")[i], past(i)),
    (array("a2")[i], Σ(x[k] * W[2, k, i], k) + b[2, i] + reset(i) * past(i)),
    (array("N")[i], candidate(i)),
    *((array(f"δ{n}")[i], gru_error(n, i)) for n in (2, 1, 0)),
    (array("L")[()], GRU),
)

gru_cell_gradients = Claim(
    name="attention.gru_cell_gradients",
    statement="A GRU passes z g straight on to the past state; the rest goes through its gates and the candidate.",
    parts=(
        Part(GRU, sum(Σ(W[n, p, i] * gru_error(n, i), i) for n in GATES), by=x[p], axes=(p,), output="dx"),
        Part(
            GRU,
            sum(Σ(U[n, r, i] * gru_past_error(n, i), i) for n in GATES) + dh[r] * update(r),
            by=h[r],
            axes=(r,),
            output="dh",
        ),
        *(Part(GRU, x[p] * gru_error(n, q), by=W[n, p, q], axes=(p, q), output=f"dW{n}") for n in GATES),
        *(Part(GRU, h[r] * gru_past_error(n, q), by=U[n, r, q], axes=(r, q), output=f"dU{n}") for n in GATES),
        *(Part(GRU, gru_error(n, q), by=b[n, q], axes=(q,), output=f"db{n}") for n in GATES),
        Part(GRU, gru_past_error(2, q), by=hidden_bias[q], axes=(q,), output="db_hidden"),
    ),
    arguments=(*arguments(3), Argument("b_hidden", (d,))),
    where=GRU_NAMES,
    ids=("A16", "D22"),
    source="h' = (1 − z) n + z h, n = tanh(xW + b + r (hU + b'))",
    note="Not in the lectures; gates in the order r, z, n, the reset after the product with U, as PyTorch has it.",
)
