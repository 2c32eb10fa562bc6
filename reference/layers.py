"""Layers: the forward map, and its gradients by every input. Rows are samples.

Arrays share one dtype, float32 or float64, which the results keep (TypeError otherwise); sizes that do not fit are a
ValueError. Samples of more axes are flattened by the caller: x.reshape(len(x), -1).
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from reference import _numerics as numerics
from reference._types import Array

Inputs = Annotated[Array, "n d_in"]
Weights = Annotated[Array, "d_in d_out"]
Bias = Annotated[Array, "d_out"]
Outputs = Annotated[Array, "n d_out"]


class AffineGrads(NamedTuple):
    """The gradients by x, W and b, in the order of the arguments."""

    dx: Inputs
    dW: Weights  # noqa: N815 - the mathematical name
    db: Bias


def affine(x: Inputs, W: Weights, b: Bias) -> Outputs:
    """Y = x W + b, the same W and b for every row.

    Shapes: x (n, d_in), W (d_in, d_out), b (d_out,), result (n, d_out). W maps from rows to columns: W[i, j] leads from
    input i to output j (PyTorch's Linear holds the transpose). Source: 003_bda8f24b635fcb71.txt (w_ji: to, from).

    >>> affine(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), np.array([0.5, 0.0, 0.0]))
    array([[1.5, 2. , 3. ]])
    """
    _require_sizes(x, W, b)
    return x @ W + b


def affine_vjp(x: Inputs, W: Weights, b: Bias, cotangent: Outputs) -> AffineGrads:
    """dx = δ Wᵀ, dW = xᵀ δ, db = Σ_rows δ, for the cotangent δ of the output.

    Shapes as in `affine`, δ (n, d_out). Nothing is divided by n: that belongs to the loss.
    Source: 003_bda8f24b635fcb71.txt (∂L/∂w = input · error).

    >>> affine_vjp(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([0.0]), np.array([[5.0]]))
    AffineGrads(dx=array([[15., 20.]]), dW=array([[ 5.],
           [10.]]), db=array([5.]))
    """
    _require_sizes(x, W, b)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_shape((x.shape[0], W.shape[1]), cotangent=cotangent)
    return AffineGrads(dx=cotangent @ W.T, dW=x.T @ cotangent, db=np.sum(cotangent, axis=0))


def _require_sizes(x: Array, W: Array, b: Array) -> None:
    numerics.require_floats(x=x, W=W, b=b)
    numerics.require_shape(("n", "d_in"), x=x)
    numerics.require_shape((x.shape[1], "d_out"), W=W)
    numerics.require_shape((W.shape[1],), b=b)
