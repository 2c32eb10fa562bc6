"""Exercises on layers, and on the gradients by their inputs and parameters."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.drawing import Source
from graders.harness.exercise import Exercise, edge, extreme
from graders.harness.sandbox.codec import Record
from reference import activations
from reference import layers as reference
from reference._types import Array
from reference.layers import AffineGrads, InceptionParams, ResidualUnitGrads

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


# --- flatten ----------------------------------------------------------------------------------------------------------
_IMAGES = [[[[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]], [[[2.3, -0.2, 1.9], [0.7, -1.3, 0.1]]]]


def _torch_flatten_vjp(torch: Any, x: Array, cotangent: Array) -> Array:
    return torch.tensor(cotangent).reshape(x.shape).numpy()


_FLATTENED = (
    edge("small", x=_IMAGES),
    edge("one sample", x=_IMAGES[:1]),
    edge("channels that differ", x=[[[[0.3], [-1.7]], [[0.9], [1.1]], [[0.4], [-0.6]]]]),
)

flatten = Exercise(
    reference.flatten,
    edges=_FLATTENED,
    rivals={"torch": lambda torch, x: torch.flatten(torch.tensor(x), 1).numpy()},
)
flatten_vjp = Exercise(reference.flatten_vjp, edges=_FLATTENED, rivals={"torch": _torch_flatten_vjp})


# --- shortcuts and branches -------------------------------------------------------------------------------------------
_V = [[1.2, -0.8, 0.5], [-0.3, 0.83, -1.9], [-0.1, 0.37, 0.6], [0.41, -0.29, 1.4]]


def _torch_unit(torch: Any, x: Any, W: Any, V: Any, activation: str) -> Any:
    g = (lambda z: z) if activation == "identity" else getattr(torch.nn.functional, activation)
    return x + g(x @ W) @ V


def _torch_residual_unit(torch: Any, x: Array, W: Array, V: Array, *, activation: str = "relu") -> Array:
    return _torch_unit(torch, torch.tensor(x), torch.tensor(W), torch.tensor(V), activation).numpy()


def _torch_residual_unit_vjp(
    torch: Any, x: Array, W: Array, V: Array, cotangent: Array, *, activation: str = "relu"
) -> tuple[Array, ...]:
    inputs = [torch.tensor(value, requires_grad=True) for value in (x, W, V)]
    outputs = _torch_unit(torch, inputs[0], inputs[1], inputs[2], activation)
    grads = torch.autograd.grad(outputs, inputs, torch.tensor(cotangent))
    return tuple(grad.numpy() for grad in grads)


def unit_by_columns(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """The transposed products, columns as samples."""
    g = (lambda z: z) if activation == "identity" else getattr(activations, activation)
    return (x.T + V.T @ g(W.T @ x.T)).T


def textbook_slope(activation: str, z: Array) -> Array:
    """The derivative of an activation as books write it, in terms of its value: it is 0 far out, where 1 − σ is."""
    if activation == "sigmoid":
        s = activations.sigmoid(z)
        return s * (1 - s)
    if activation == "tanh":
        return 1 - activations.tanh(z) ** 2
    if activation == "identity":
        return np.ones_like(z)
    return getattr(activations, f"{activation}_vjp")(z, np.ones_like(z))


def unit_vjp_by_the_textbook(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """The slope of the activation by itself, from its value."""
    g = (lambda z: z) if activation == "identity" else getattr(activations, activation)
    z = x @ W
    error = textbook_slope(activation, z) * (cotangent @ V.T)
    return ResidualUnitGrads(cotangent + error @ W.T, x.T @ error, g(z).T @ cotangent)


_UNITS = (
    edge("small", x=_X, W=_W, V=_V),
    edge("one of everything", x=[[-1.7]], W=[[0.6]], V=[[1.3]], activation="tanh"),
    edge("V of zeros leaves x", x=_X, W=_W, V=np.zeros((4, 3))),
    *(
        edge(f"with {name}", x=_X, W=_W, V=_V, activation=name)
        for name in ("identity", "sigmoid", "tanh", "leaky_relu", "softplus", "gelu", "silu")
    ),
    extreme("saturated", x=np.multiply(_X, 300), W=_W, V=_V, activation="sigmoid"),
)

residual_unit = Exercise(
    reference.residual_unit, programs=(unit_by_columns,), edges=_UNITS, rivals={"torch": _torch_residual_unit}
)
residual_unit_vjp = Exercise(
    reference.residual_unit_vjp,
    programs=(unit_vjp_by_the_textbook,),
    edges=_UNITS,
    rivals={"torch": _torch_residual_unit_vjp},
)


def _torch_concatenate_channels_vjp(torch: Any, a: Array, b: Array, cotangent: Array) -> tuple[Array, ...]:
    inputs = [torch.tensor(value, requires_grad=True) for value in (a, b)]
    grads = torch.autograd.grad(torch.cat(inputs, 1), inputs, torch.tensor(cotangent))
    return tuple(grad.numpy() for grad in grads)


_BRANCHES = (
    edge("small", a=_IMAGES, b=np.multiply(_IMAGES, 1.3)[::-1].repeat(2, axis=1)),
    edge("one pixel", a=[[[[0.3]]]], b=[[[[-1.7]], [[0.9]]]]),
)

concatenate_channels = Exercise(
    reference.concatenate_channels,
    edges=_BRANCHES,
    rivals={"torch": lambda torch, a, b: torch.cat([torch.tensor(a), torch.tensor(b)], 1).numpy()},
)
concatenate_channels_vjp = Exercise(
    reference.concatenate_channels_vjp, edges=_BRANCHES, rivals={"torch": _torch_concatenate_channels_vjp}
)


# --- the inception module ---------------------------------------------------------------------------------------------
def _drawn_inception(source: Source, hyperparameters: Any) -> dict[str, Any]:
    """Return images, and kernels whose channels fit together."""
    sizes = source.sizes(("n", "c", "h", "v"))
    c = sizes["c"]
    c1, red3, c3, red5, c5, proj = (source.integer(1, 3) for _ in range(6))
    shapes = (
        (c1, c), (c1,), (red3, c), (red3,), (c3, red3, 3, 3), (c3,),
        (red5, c), (red5,), (c5, red5, 5, 5), (c5,), (proj, c), (proj,),
    )  # fmt: skip
    params = zip(InceptionParams._fields, (source.real(shape, calm=True) for shape in shapes), strict=True)
    return {"x": source.real(tuple(sizes.values())), "params": Record("InceptionParams", dict(params))}


def _drawn_inception_vjp(source: Source, hyperparameters: Any) -> dict[str, Any]:
    drawn = _drawn_inception(source, hyperparameters)
    kernels = drawn["params"].fields
    channels = sum(len(kernels[name]) for name in ("b1x1", "b3x3", "b5x5", "b_pool"))
    n, _, h, v = drawn["x"].shape
    return drawn | {"cotangent": source.real((n, channels, h, v), calm=True)}


def _torch_module(torch: Any, x: Any, params: Any) -> Any:
    """Return the module's output, each convolution followed by a rectifier."""
    f = torch.nn.functional

    def unit(x: Any, w: Any, b: Any) -> Any:
        kernels = w if w.ndim == 4 else w[:, :, None, None]
        return f.relu(f.conv2d(x, kernels, b, padding=kernels.shape[-1] // 2))

    branches = (
        unit(x, params[0], params[1]),
        unit(unit(x, params[2], params[3]), params[4], params[5]),
        unit(unit(x, params[6], params[7]), params[8], params[9]),
        unit(f.max_pool2d(x, 3, 1, 1), params[10], params[11]),
    )
    return torch.cat(branches, 1)


def _torch_inception(torch: Any, x: Array, params: InceptionParams) -> Array:
    return _torch_module(torch, torch.tensor(x), [torch.tensor(value) for value in params]).numpy()


def _torch_inception_vjp(torch: Any, x: Array, params: InceptionParams, cotangent: Array) -> tuple[Any, ...]:
    inputs = [torch.tensor(value, requires_grad=True) for value in (x, *params)]
    grads = torch.autograd.grad(_torch_module(torch, inputs[0], inputs[1:]), inputs, torch.tensor(cotangent))
    dx, *dparams = (grad.numpy() for grad in grads)
    return dx, tuple(dparams)


_TAPS = np.cos(np.arange(50.0)).reshape(1, 2, 5, 5)
_KERNELS = {
    "w1x1": [[0.7]], "b1x1": [0.3], "w3x3red": [[1.1], [-0.6]], "b3x3red": [0.2, 0.9],
    "w3x3": _TAPS[:, :, 1:4, 1:4], "b3x3": [0.41], "w5x5red": [[-0.8], [1.3]], "b5x5red": [0.5, -0.1],
    "w5x5": _TAPS, "b5x5": [-0.29], "w_pool": [[-1.9], [0.37]], "b_pool": [1.7, 0.6],
}  # fmt: skip
_MODULES = (
    edge("small", x=_IMAGES, params=_KERNELS),
    edge("one pixel, of which the kernels see the middle", x=[[[[0.9]]]], params=_KERNELS),
    edge("equal maxima", x=[[[[0.9, 0.9, 0.3], [0.9, 0.2, 0.9]]]], params=_KERNELS),
)

inception = Exercise(reference.inception, edges=_MODULES, draw=_drawn_inception, rivals={"torch": _torch_inception})
inception_vjp = Exercise(
    reference.inception_vjp, edges=_MODULES, draw=_drawn_inception_vjp, rivals={"torch": _torch_inception_vjp}
)

n_inception_parameters = Exercise(
    reference.n_inception_parameters,
    edges=(
        edge(
            "as the paper's table has it",
            in_channels=192, ch1x1=64, ch3x3red=96, ch3x3=128, ch5x5red=16, ch5x5=32, pool_proj=32,
        ),
        edge("small", in_channels=5, ch1x1=2, ch3x3red=3, ch3x3=4, ch5x5red=1, ch5x5=6, pool_proj=7),
    ),
)  # fmt: skip
