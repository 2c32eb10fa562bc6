"""Exercises on layers, and on the gradients by their inputs and parameters."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, edge, extreme
from reference import layers as reference
from reference._types import Array
from reference.layers import AffineGrads

# Distinct sizes, full mantissas.
_X = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]
_W = [[0.7, -0.2, 1.3, 0.6], [-0.4, 0.9, 0.1, -1.6], [1.2, -0.8, 0.5, -0.3]]
_B = [0.2, -0.7, 1.9, -1.1]
_G = [[0.6, -1.3, 0.4, 0.8], [-0.9, 0.1, 1.7, -0.2]]
_ONE = {"x": [[-1.7]], "W": [[0.6]], "b": [0.9]}
_WIDE = {"x": [[0.3, -1.7, 0.9, 1.1, 0.4]], "W": [[0.7], [-0.2], [1.3], [-0.6], [0.1]], "b": [0.83]}
_SQUARE = {"x": _X, "W": [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1], [1.2, -0.8, 0.5]], "b": [0.2, -0.7, 1.9]}
_SIZES = {
    "x": [[1e4 + 0.3, -1e4 + 0.7], [1.7e-3, 0.9]],
    "W": [[0.7, -0.2, 1.3], [0.6, -0.4, 0.9]],
    "b": [130.1, -1.7, 0.3],
}


# --- affine -----------------------------------------------------------------------------------------------------------
def forgets_the_bias(x: Array, W: Array, b: Array) -> Array:
    """You left out the bias. Add b to every row: x W + b."""
    return x @ W + 0 * b


def subtracts_the_bias(x: Array, W: Array, b: Array) -> Array:
    """You subtracted the bias. Add it: x W + b."""
    return x @ W - b


def adds_the_bias_to_the_weights(x: Array, W: Array, b: Array) -> Array:
    """You added the bias to every weight, so it counts once for every input. Add it after the product: x W + b."""
    return x @ (W + b)


def adds_the_sum_of_the_bias(x: Array, W: Array, b: Array) -> Array:
    """You added the sum of all biases to every output. Every output has its own: b_j."""
    return x @ W + np.sum(b)


def reads_the_weights_in_the_other_order(x: Array, W: Array, b: Array) -> Array:
    """You reshaped W to its transpose's shape, which mixes its entries. W is (d_in, d_out) already: x @ W."""
    return x @ np.reshape(W, (W.shape[1], W.shape[0])).T + b


def averages_the_inputs(x: Array, W: Array, b: Array) -> Array:
    """You divided by the number of inputs. The products are summed, not averaged: x @ W + b."""
    return x @ W / x.shape[1] + b


def applies_a_relu(x: Array, W: Array, b: Array) -> Array:
    """You cut negative outputs to 0. The activation is a layer of its own; this one is x W + b."""
    return np.maximum(x @ W + b, 0)


def affine_by_one_product(x: Array, W: Array, b: Array) -> Array:
    """The bias as one more row of W, with a column of ones in x."""
    ones = np.zeros_like(x[:, :1]) + 1
    return np.concatenate([x, ones], axis=1) @ np.concatenate([W, b[None, :]], axis=0)


def affine_by_columns(x: Array, W: Array, b: Array) -> Array:
    """The transposed product, columns as samples."""
    return (b[:, None] + W.T @ x.T).T


affine = Exercise(
    reference.affine,
    misconceptions=(
        forgets_the_bias,
        subtracts_the_bias,
        adds_the_bias_to_the_weights,
        adds_the_sum_of_the_bias,
        reads_the_weights_in_the_other_order,
        averages_the_inputs,
        applies_a_relu,
    ),
    programs=(affine_by_one_product, affine_by_columns),
    edges=(
        edge("small", x=_X, W=_W, b=_B),
        edge("one of everything", **_ONE),
        edge("one row, one output", **_WIDE),
        edge("a square W, which hides a transpose", **_SQUARE),
        edge("no input, so the bias alone", x=[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], W=_W, b=_B),
        extreme("mixed sizes", **_SIZES),
    ),
    rivals={"torch": lambda torch, x, W, b: torch.nn.functional.linear(*map(torch.tensor, (x, W.T, b))).numpy()},
)


# --- affine_vjp -------------------------------------------------------------------------------------------------------
def averages_the_gradient_of_the_bias(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """You took the mean for db. The same bias is added to every row, so its gradient is the sum over the rows."""
    return _grads(x, W, b, cotangent)._replace(db=np.mean(cotangent, axis=0))


def sums_the_gradient_of_the_bias_over_everything(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """You summed db over rows and outputs. Every output has its own bias: sum over the rows only, axis=0."""
    return _grads(x, W, b, cotangent)._replace(db=np.sum(cotangent) + 0 * b)


def takes_the_bias_from_the_first_row(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """You took db from one row. Every row uses the bias: sum the cotangent over the rows."""
    return _grads(x, W, b, cotangent)._replace(db=cotangent[0])


def weighs_the_bias(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """You multiplied db by b. The output grows with b at rate one: db is the sum of the cotangent over the rows."""
    return _grads(x, W, b, cotangent)._replace(db=np.sum(cotangent, axis=0) * b)


def reshapes_instead_of_transposing(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """For dx you reshaped W to its transpose's shape, which mixes its entries. Transpose it: cotangent @ W.T."""
    return _grads(x, W, b, cotangent)._replace(dx=cotangent @ np.reshape(W, (W.shape[1], W.shape[0])))


def reshapes_the_input(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """For dW you reshaped x to its transpose's shape, which mixes its entries. Transpose it: x.T @ cotangent."""
    return _grads(x, W, b, cotangent)._replace(dW=np.reshape(x, (x.shape[1], x.shape[0])) @ cotangent)


def forgets_the_cotangent(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """You left the incoming gradient out. Every gradient here is a product with it, the cotangent."""
    return _grads(x, W, b, np.zeros_like(cotangent) + 1)


def reverses_the_sign(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """Your gradients point the other way. Leave the minus sign to the optimizer."""
    return _grads(x, W, b, -cotangent)


def ignores_the_input(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """Your dW does not depend on x. Each weight's gradient is its input times the error: x.T @ cotangent."""
    return _grads(x, W, b, cotangent)._replace(dW=np.sum(cotangent, axis=0) + np.zeros_like(W))


def averages_over_the_rows(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """dW and db as means over the rows, as in courses whose loss gradient is not yet divided by their number."""
    n = len(x)
    dx, dW, db = _grads(x, W, b, cotangent)
    return AffineGrads(dx, dW / n, db / n)


def vjp_by_columns(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """Every product transposed, and db as a product with ones."""
    ones = np.zeros_like(x[:, :1]) + 1
    return AffineGrads(dx=(W @ cotangent.T).T, dW=(cotangent.T @ x).T, db=np.reshape(ones.T @ cotangent, (-1,)))


def _torch_affine_vjp(torch: Any, x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    inputs = [torch.tensor(array, requires_grad=True) for array in (x, W, b)]
    torch.addmm(inputs[2], inputs[0], inputs[1]).backward(torch.tensor(cotangent))
    return AffineGrads(*(tensor.grad.numpy() for tensor in inputs))


affine_vjp = Exercise(
    reference.affine_vjp,
    misconceptions=(
        averages_the_gradient_of_the_bias,
        sums_the_gradient_of_the_bias_over_everything,
        takes_the_bias_from_the_first_row,
        weighs_the_bias,
        reshapes_instead_of_transposing,
        reshapes_the_input,
        forgets_the_cotangent,
        reverses_the_sign,
        ignores_the_input,
    ),
    conventions=(averages_over_the_rows,),
    programs=(vjp_by_columns,),
    edges=(
        edge("small", x=_X, W=_W, b=_B, cotangent=_G),
        edge("one of everything", **_ONE, cotangent=[[0.3]]),
        edge("one row, one output", **_WIDE, cotangent=[[-1.3]]),
        edge("a square W, which hides a transpose", **_SQUARE, cotangent=[[0.6, -1.3, 0.4], [-0.9, 0.1, 1.7]]),
        edge("no input", x=[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], W=_W, b=_B, cotangent=_G),
        edge("no error in one row", x=_X, W=_W, b=_B, cotangent=[[0.0, 0.0, 0.0, 0.0], [-0.9, 0.1, 1.7, -0.2]]),
        extreme("mixed sizes", **_SIZES, cotangent=[[0.6, -1.3, 0.4], [1e3 + 0.7, 1.3e-3, -0.9]]),
    ),
    rivals={"torch": _torch_affine_vjp},
)


def _grads(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    return reference.affine_vjp(x, W, b, cotangent)
