"""Exercises on layers, and on the gradients by their inputs and parameters."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from graders.activations.rectifiers import gelu_as_written, gelu_vjp_as_written, silu_vjp_by_the_product_rule
from graders.harness.drawing import Source
from graders.harness.exercise import Exercise, edge, extreme
from graders.harness.sandbox.codec import Record
from graders.layers import misconceptions as wrong
from graders.layers import misconceptions_inception as module
from graders.layers.residuals import residual as residual
from graders.layers.residuals import residual_vjp as residual_vjp
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
        wrong.forgets_the_bias,
        wrong.subtracts_the_bias,
        wrong.adds_the_bias_to_the_weights,
        wrong.adds_the_sum_of_the_bias,
        wrong.reads_the_weights_in_the_other_order,
        wrong.averages_the_inputs,
        wrong.applies_a_relu,
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
        wrong.averages_the_gradient_of_the_bias,
        wrong.sums_the_gradient_of_the_bias_over_everything,
        wrong.takes_the_bias_from_the_first_row,
        wrong.weighs_the_bias,
        wrong.reshapes_instead_of_transposing,
        wrong.reshapes_the_input,
        wrong.forgets_the_cotangent(reference.affine_vjp),
        wrong.reverses_the_sign(reference.affine_vjp),
        wrong.ignores_the_input,
    ),
    conventions=(wrong.averages_over_the_rows,),
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
    misconceptions=(
        wrong.reads_every_sample_column_by_column,
        wrong.puts_the_channels_last,
        wrong.reads_every_image_down_its_columns,
        wrong.mixes_the_samples,
        wrong.flattens_the_batch_too,
        wrong.keeps_the_channels_apart,
        wrong.puts_the_samples_in_columns,
        wrong.averages_every_channel,
    ),
    edges=_FLATTENED,
    rivals={"torch": lambda torch, x: torch.flatten(torch.tensor(x), 1).numpy()},
)
flatten_vjp = Exercise(
    reference.flatten_vjp,
    misconceptions=(
        wrong.puts_back_column_by_column,
        wrong.takes_the_channels_for_the_last_axis,
        wrong.fills_every_image_down_its_columns,
        wrong.mixes_the_samples_back,
        wrong.leaves_the_gradient_flat,
        wrong.multiplies_by_the_input,
        wrong.forgets_the_cotangent(reference.flatten_vjp),
        wrong.reverses_the_sign(reference.flatten_vjp),
    ),
    edges=_FLATTENED,
    rivals={"torch": _torch_flatten_vjp},
)


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
    return (x.T + V.T @ textbook_value(activation, W.T @ x.T)).T


def textbook_value(activation: str, z: Array) -> Array:
    """The activation as books write it: what 1 + erf leaves for z ≪ 0 is no more than the roundoff of 1."""
    match activation:
        case "identity":
            return z
        case "gelu":
            return gelu_as_written(z)
        case "softplus":
            return np.maximum(z, 0) + np.log(1 + np.exp(-np.abs(z)))
    return getattr(activations, activation)(z)


def textbook_slope(activation: str, z: Array) -> Array:
    """The derivative of an activation as books write it, in terms of its value: it is 0 far out, where 1 − σ is."""
    ones = np.ones_like(z)
    match activation:
        case "sigmoid":
            s = activations.sigmoid(z)
            return s * (1 - s)
        case "tanh":
            return 1 - activations.tanh(z) ** 2
        case "identity":
            return ones
        case "gelu":
            return gelu_vjp_as_written(z, ones)
        case "silu":
            return silu_vjp_by_the_product_rule(z, ones)
    return getattr(activations, f"{activation}_vjp")(z, ones)


def unit_vjp_by_the_textbook(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """The slope of the activation by itself, from its value."""
    z = x @ W
    error = textbook_slope(activation, z) * (cotangent @ V.T)
    return ResidualUnitGrads(cotangent + error @ W.T, x.T @ error, textbook_value(activation, z).T @ cotangent)


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
    reference.residual_unit,
    misconceptions=(
        wrong.forgets_the_shortcut,
        wrong.forgets_the_activation,
        wrong.activates_the_sum,
        wrong.activates_the_second_layer,
        wrong.activates_before_the_first_layer,
        wrong.activates_the_shortcut,
        wrong.subtracts_the_input,
        wrong.multiplies_the_shortcut,
        wrong.halves_the_sum,
        wrong.ignores_the_activation,
    ),
    programs=(unit_by_columns,),
    edges=_UNITS,
    rivals={"torch": _torch_residual_unit},
)
residual_unit_vjp = Exercise(
    reference.residual_unit_vjp,
    misconceptions=(
        wrong.forgets_the_shortcut_in_dx,
        wrong.stops_at_the_shortcut,
        wrong.counts_the_shortcut_twice,
        wrong.forgets_the_slope,
        wrong.takes_the_slope_at_the_output,
        wrong.takes_the_slope_at_the_gradient,
        wrong.multiplies_by_the_activation,
        wrong.leaves_the_activation_out_of_dV,
        wrong.reshapes_W_for_dx,
        wrong.differentiates_a_relu,
        wrong.forgets_the_cotangent(reference.residual_unit_vjp),
        wrong.reverses_the_sign(reference.residual_unit_vjp),
    ),
    conventions=(wrong.averages_both_weights_over_the_rows,),
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
    misconceptions=(
        wrong.puts_b_first,
        wrong.joins_the_whole_batches,
        wrong.alternates_the_channels,
        wrong.writes_b_over_a,
        wrong.leaves_b_out,
        wrong.swaps_rows_and_columns,
    ),
    edges=_BRANCHES,
    rivals={"torch": lambda torch, a, b: torch.cat([torch.tensor(a), torch.tensor(b)], 1).numpy()},
)
concatenate_channels_vjp = Exercise(
    reference.concatenate_channels_vjp,
    misconceptions=(
        wrong.cuts_as_if_b_came_first,
        wrong.gives_both_the_first_channels,
        wrong.cuts_in_the_middle,
        wrong.cuts_the_flat_gradient,
        wrong.takes_every_other_channel,
        wrong.halves_the_gradients,
        wrong.multiplies_by_the_parts,
        wrong.forgets_the_cotangent(reference.concatenate_channels_vjp),
        wrong.reverses_the_sign(reference.concatenate_channels_vjp),
    ),
    edges=_BRANCHES,
    rivals={"torch": _torch_concatenate_channels_vjp},
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
    return drawn | {"cotangent": source.gradient((n, channels, h, v))}


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


def inception_by_shifts(x: Array, params: InceptionParams) -> Array:
    """Every kernel as a sum of matrices, one for each place, of the images moved there."""
    p = params

    def moved(x: Array, by: int, fill: float) -> list[Array]:
        row = np.zeros_like(x[:, :, :1]) + fill
        tall = np.concatenate([row] * by + [x] + [row] * by, axis=2)
        column = np.zeros_like(tall[:, :, :, :1]) + fill
        framed = np.concatenate([column] * by + [tall] + [column] * by, axis=3)
        h, v = x.shape[2:]
        return [framed[:, :, i : i + h, j : j + v] for i in range(2 * by + 1) for j in range(2 * by + 1)]

    def unit(x: Array, w: Array, b: Array) -> Array:
        kernels = w if len(w.shape) == 4 else w[:, :, None, None]
        size = kernels.shape[-1]
        total = np.reshape(b, (-1, 1))
        for at, image in enumerate(moved(x, size // 2, 0.0)):
            total = total + kernels[:, :, at // size, at % size] @ np.reshape(image, (*x.shape[:2], -1))
        return np.maximum(np.reshape(total, (len(x), len(w), *x.shape[2:])), 0)

    pooled = functools.reduce(np.maximum, moved(x, 1, -np.inf))
    branches = (
        unit(x, p.w1x1, p.b1x1),
        unit(unit(x, p.w3x3red, p.b3x3red), p.w3x3, p.b3x3),
        unit(unit(x, p.w5x5red, p.b5x5red), p.w5x5, p.b5x5),
        unit(pooled, p.w_pool, p.b_pool),
    )
    return np.concatenate(branches, axis=1)


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

inception = Exercise(
    reference.inception,
    misconceptions=(
        module.forgets_the_rectifiers,
        module.rectifies_at_the_end_alone,
        module.rectifies_the_reductions_alone,
        module.forgets_the_biases,
        module.forgets_to_pool,
        module.pools_after_the_projection,
        module.averages_in_the_windows,
        module.pads_the_maximum_with_zeros,
        module.puts_the_pooled_branch_first,
        module.swaps_the_large_kernels,
        module.flips_the_kernels,
        module.transposes_the_kernels,
    ),
    programs=(inception_by_shifts,),
    edges=_MODULES,
    draw=_drawn_inception,
    rivals={"torch": _torch_inception},
)
inception_vjp = Exercise(
    reference.inception_vjp,
    misconceptions=(
        module.forgets_the_slopes,
        module.forgets_the_slopes_of_the_reductions,
        module.forgets_the_slopes_at_the_end,
        module.leaves_the_pooled_branch_out_of_dx,
        module.keeps_the_last_branch_alone,
        module.keeps_the_first_branch_alone,
        module.averages_the_branches,
        module.passes_the_gradient_around_the_pooling,
        module.spreads_the_maximum,
        module.keeps_the_last_window_alone,
        module.gives_every_branch_the_first_channels,
        module.flips_the_gradients_of_the_kernels,
        module.averages_the_gradients_of_the_biases,
        wrong.forgets_the_cotangent(reference.inception_vjp),
        wrong.reverses_the_sign(reference.inception_vjp),
    ),
    conventions=(module.gives_every_maximum_the_gradient,),
    edges=_MODULES,
    draw=_drawn_inception_vjp,
    rivals={"torch": _torch_inception_vjp},
)

n_inception_parameters = Exercise(
    reference.n_inception_parameters,
    misconceptions=(
        module.counts_no_biases,
        module.counts_a_bias_for_every_input,
        module.forgets_the_depth,
        module.forgets_the_square,
        module.forgets_the_reductions,
        module.feeds_all_channels_to_the_large_filters,
        module.counts_the_large_filters_alone,
        module.reduces_to_as_many_channels,
        module.forgets_the_projection,
        module.counts_the_pooling_as_filters,
    ),
    edges=(
        edge(
            "as the paper's table has it",
            in_channels=192, ch1x1=64, ch3x3red=96, ch3x3=128, ch5x5red=16, ch5x5=32, pool_proj=32,
        ),
        edge("small", in_channels=5, ch1x1=2, ch3x3red=3, ch3x3=4, ch5x5red=1, ch5x5=6, pool_proj=7),
    ),
)  # fmt: skip
