"""Exercises on networks: the multilayer perceptron, its backpropagation, and what depth does to a gradient."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from graders.harness.drawing import Source
from graders.harness.exercise import Exercise, edge, extreme
from graders.harness.sandbox.codec import Record
from graders.layers import textbook_slope, textbook_value
from graders.networks import misconceptions as wrong
from graders.networks import misconceptions_depth as deep
from reference import activations
from reference import networks as reference
from reference._types import Array
from reference.networks import Layer, MlpCache, MlpGrads

Drawn = Mapping[str, Any]

# Distinct sizes, full mantissas.
_X = [[0.3, -1.7], [1.1, 0.4], [-0.6, 2.3]]
_FIRST = {"W": [[0.7, -0.2, 1.3, 0.6], [-0.4, 0.9, 0.1, -1.6]], "b": [0.2, -0.7, 1.9, -1.1]}
_OFF = {"W": _FIRST["W"], "b": [-9.1, -8.7, -9.9, -9.3]}
_TAIL = {"W": _FIRST["W"], "b": [0.2, -5.7, 1.9, -6.1]}
_SECOND = {"W": [[1.2, -0.8], [0.5, -0.3], [0.83, -1.9], [-0.1, 0.37]], "b": [0.41, -0.29]}
_LAST = {"W": [[-0.57, 0.9, 1.3], [0.21, -1.4, 0.6]], "b": [-0.15, 0.07, 0.33]}
_LAYERS = (_FIRST, _SECOND, _LAST)
_SQUARE = (
    {"W": [[0.7, -0.2], [1.3, 0.6]], "b": [0.2, -0.7]},
    {"W": [[-0.4, 0.9], [0.1, -1.6]], "b": [0.41, -0.29]},
    {"W": [[1.2, -0.8], [0.5, 0.3]], "b": [-0.15, 0.33]},
)
_SEVEN = (*_SQUARE, *_SQUARE[::-1], {"W": [[0.83, -1.9], [0.37, 1.1]], "b": [0.07, -0.6]})
_EVERY_ACTIVATION = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "softplus", "gelu", "silu")


# --- forward ----------------------------------------------------------------------------------------------------------
def _drawn(source: Source, hyperparameters: Drawn) -> dict[str, Any]:
    """Return samples, and layers whose widths fit together."""
    n, *widths = source.sizes(("n", "d_0", "d_1", "d_2", "d_3", "d_4")).values()
    layers = tuple(  # the sums stay where no activation has become its tail, of which few formulas keep the digits
        Record("Layer", {"W": source.real((d_in, d_out), calm=True) / d_in**0.5, "b": source.real((d_out,), calm=True)})
        for d_in, d_out in pairwise(widths)
    )
    return {"x": source.real((n, widths[0])), "layers": layers[: source.integer(1, 4)]}


def _torch_activation(torch: Any, name: str) -> Any:
    return (lambda z: z) if name == "identity" else getattr(torch.nn.functional, name)


def _torch_output(torch: Any, x: Any, layers: Sequence[Any], activation: str) -> Any:
    g = _torch_activation(torch, activation)
    first, *others = layers
    z = x @ first[0] + first[1]
    for W, b in others:
        z = g(z) @ W + b
    return z


def _torch_tensors(torch: Any, x: Array, layers: Sequence[Layer]) -> tuple[Any, list[tuple[Any, Any]]]:
    return torch.tensor(x, requires_grad=True), [
        (torch.tensor(W, requires_grad=True), torch.tensor(b, requires_grad=True)) for W, b in layers
    ]


def _torch_mlp(torch: Any, x: Array, layers: Sequence[Layer], *, activation: str = "relu") -> Array:
    return _torch_output(torch, *_torch_tensors(torch, x, layers), activation).detach().numpy()


_NETWORKS = (
    edge("small", x=_X, layers=_LAYERS),
    edge("one layer", x=_X, layers=(_FIRST,), activation="tanh"),
    edge("layers as wide as they are long", x=_X, layers=_SQUARE, activation="tanh"),
    edge("seven layers", x=_X, layers=_SEVEN, activation="tanh"),
    edge("one layer, and so no rectifier", x=_X, layers=(_FIRST,)),
    edge("one unit in every layer", x=[[0.3]], layers=({"W": [[0.7]], "b": [0.13]}, {"W": [[0.9]], "b": [0.4]})),
    *(edge(f"two layers of {name}", x=_X, layers=(_FIRST, _SECOND), activation=name) for name in _EVERY_ACTIVATION),
    edge("units in the tail of gelu", x=_X, layers=(_TAIL, _SECOND), activation="gelu"),
    extreme("saturated", x=[[300.3, -170.7]], layers=(_FIRST, _SECOND), activation="sigmoid"),
    *(
        extreme(
            f"far beyond what e^z can hold, {name}", x=[[900.3, -1170.7]], layers=(_FIRST, _SECOND), activation=name
        )
        for name in ("sigmoid", "tanh", "softplus", "silu")
    ),
)


def by_columns(x: Array, layers: Sequence[Layer], *, activation: str = "relu") -> Array:
    """The transposed products, columns as samples, and the activations as books write them."""
    return forward_by_columns(x, layers, activation=activation).sums[-1]


def forward_by_columns(x: Array, layers: Sequence[Layer], *, activation: str = "relu") -> MlpCache:
    """The same, keeping what goes into each layer and what it sums."""
    inputs, sums = [x], [(layers[0].W.T @ x.T + layers[0].b[:, None]).T]
    for layer in layers[1:]:
        inputs.append(textbook_value(activation, sums[-1]))
        sums.append((layer.W.T @ inputs[-1].T + layer.b[:, None]).T)
    return MlpCache(tuple(inputs), tuple(sums))


mlp = Exercise(
    reference.mlp,
    misconceptions=tuple(map(wrong.output_of, (*wrong.FORWARD, wrong.exponentiates_large_sums))),
    programs=(by_columns,),
    edges=_NETWORKS,
    draw=_drawn,
    rivals={"torch": _torch_mlp},
)

mlp_forward = Exercise(
    reference.mlp_forward,
    misconceptions=(
        *wrong.FORWARD,
        wrong.exponentiates_large_sums,
        wrong.keeps_the_sums_as_inputs,
        wrong.keeps_the_values_as_sums,
        wrong.keeps_the_values_after_each_layer,
    ),
    programs=(forward_by_columns,),
    edges=_NETWORKS,
    draw=_drawn,
)


# --- backward ---------------------------------------------------------------------------------------------------------
def _drawn_with_cotangent(source: Source, hyperparameters: Drawn) -> dict[str, Any]:
    drawn = _drawn(source, hyperparameters)
    outputs = drawn["layers"][-1].fields["b"].shape
    return drawn | {"cotangent": source.gradient((len(drawn["x"]), *outputs))}


def _drawn_with_cache(source: Source, hyperparameters: Drawn) -> dict[str, Any]:
    """Return layers, and what a forward pass through them keeps."""
    drawn = _drawn_with_cotangent(source, hyperparameters)
    layers = [Layer(**layer.fields) for layer in drawn["layers"]]
    cache = reference.mlp_forward(drawn["x"], layers, activation=hyperparameters["activation"])
    return {
        "layers": drawn["layers"],
        "cache": Record("MlpCache", cache._asdict()),
        "cotangent": drawn["cotangent"],
    }


def _kept(x: Any, layers: Any, activation: Any = "relu", **others: Any) -> dict[str, Any]:
    """Return the arguments of an edge of a backward pass, from those of its forward."""
    named = [Layer(np.array(layer["W"]), np.array(layer["b"])) for layer in layers]
    cache = reference.mlp_forward(np.array(x), named, activation=activation)
    return {"layers": layers, "cache": cache._asdict(), "activation": activation, **others}


_G = [[0.6, -1.3], [-0.9, 0.1], [1.7, -0.2]]
_WIDE = [[0.6, -1.3, 0.4], [-0.9, 0.1, 1.9], [1.7, -0.2, -0.7]]
_PASSES = (
    edge("small", **_kept(_X, (_FIRST, _SECOND), cotangent=_G)),
    edge("three layers", **_kept(_X, _LAYERS, "tanh", cotangent=_WIDE)),
    edge("layers as wide as they are long", **_kept(_X, _SQUARE, "tanh", cotangent=_G)),
    edge("seven layers", **_kept(_X, _SEVEN, "tanh", cotangent=_G)),
    edge("one layer", **_kept(_X, ({"W": [[0.7, -0.2], [1.3, 0.6]], "b": [0.2, -0.7]},), cotangent=_G)),
    *(
        edge(f"two layers of {name}", **_kept(_X, (_FIRST, _SECOND), name, cotangent=_G))
        for name in _EVERY_ACTIVATION
        if name != "relu"
    ),
    extreme("saturated", **_kept([[300.3, -170.7]], (_FIRST, _SECOND), "tanh", cotangent=_G[:1])),
)


def errors_by_the_textbook(
    layers: Sequence[Layer], cache: MlpCache, cotangent: Array, *, activation: str = "relu"
) -> tuple[Array, ...]:
    """The slope of the activation by itself, from its value."""
    errors = [cotangent]
    for layer, z in zip(layers[:0:-1], cache.sums[-2::-1], strict=True):
        errors.append(errors[-1] @ layer.W.T * textbook_slope(activation, z))
    return tuple(errors[::-1])


def passed_back_by_the_textbook(
    layers: Sequence[Layer], cache: MlpCache, cotangent: Array, *, activation: str = "relu"
) -> MlpGrads:
    """The same, and what it makes of the gradients."""
    errors = errors_by_the_textbook(layers, cache, cotangent, activation=activation)
    grads = (Layer(h.T @ error, np.sum(error, axis=0)) for h, error in zip(cache.inputs, errors, strict=True))
    return MlpGrads(errors[0] @ layers[0].W.T, tuple(grads))


mlp_errors = Exercise(
    reference.mlp_errors,
    misconceptions=(*wrong.ERRORS, wrong.counts_from_the_top),
    programs=(errors_by_the_textbook,),
    edges=_PASSES,
    draw=_drawn_with_cache,
)
mlp_backward = Exercise(
    reference.mlp_backward,
    misconceptions=(*wrong.BACKWARD, wrong.multiplies_dx_by_a_slope),
    programs=(passed_back_by_the_textbook,),
    edges=_PASSES,
    draw=_drawn_with_cache,
)


def _torch_mlp_vjp(
    torch: Any, x: Array, layers: Sequence[Layer], cotangent: Array, *, activation: str = "relu"
) -> tuple[Array, tuple[tuple[Array, Array], ...]]:
    inputs, weights = _torch_tensors(torch, x, layers)
    _torch_output(torch, inputs, weights, activation).backward(torch.tensor(cotangent))
    return inputs.grad.numpy(), tuple((W.grad.numpy(), b.grad.numpy()) for W, b in weights)


def vjp_by_the_textbook(x: Array, layers: Sequence[Layer], cotangent: Array, *, activation: Any = "relu") -> MlpGrads:
    """A forward pass, and one back with slopes from the values of the activations."""
    cache = forward_by_columns(x, layers, activation=activation)
    return passed_back_by_the_textbook(layers, cache, cotangent, activation=activation)


mlp_vjp = Exercise(
    reference.mlp_vjp,
    misconceptions=(
        *map(wrong.vjp_of, (*wrong.BACKWARD, wrong.multiplies_dx_by_a_slope)),
        wrong.vjp_after(wrong.forgets_the_biases),
        wrong.vjp_after(wrong.activates_the_inputs),
    ),
    programs=(vjp_by_the_textbook,),
    edges=_NETWORKS,
    draw=_drawn_with_cotangent,
    rivals={"torch": _torch_mlp_vjp},
)


# --- losses -----------------------------------------------------------------------------------------------------------
def _drawn_with_labels(source: Source, hyperparameters: Drawn) -> dict[str, Any]:
    """Return labels that the head takes."""
    drawn = _drawn(source, hyperparameters)
    (classes,) = drawn["layers"][-1].fields["b"].shape
    n, head = len(drawn["x"]), hyperparameters["head"]
    if head == "softmax":
        hard = source.one_of((True, False))
        labels = source.array((n,), "classes", classes) if hard else source.array((n, classes), "simplex")
    else:
        labels = source.array((n, classes), "unit" if head == "sigmoid" else "real")
    return drawn | {"labels": labels}


def _torch_loss(torch: Any, output: Any, labels: Any, head: str) -> Any:
    f = torch.nn.functional
    match head:
        case "softmax":
            return f.cross_entropy(output, labels)
        case "sigmoid":
            return f.binary_cross_entropy_with_logits(output, labels)
    return f.mse_loss(output, labels, reduction="sum") / (2 * len(labels))


def _torch_mlp_loss(
    torch: Any, x: Array, layers: Sequence[Layer], labels: Array, *, activation: str = "relu", head: str = "softmax"
) -> Array:
    output = _torch_output(torch, *_torch_tensors(torch, x, layers), activation)
    return _torch_loss(torch, output, torch.tensor(labels), head).detach().numpy()


def _torch_mlp_loss_grad(
    torch: Any, x: Array, layers: Sequence[Layer], labels: Array, *, activation: str = "relu", head: str = "softmax"
) -> tuple[tuple[Array, Array], ...]:
    inputs, weights = _torch_tensors(torch, x, layers)
    output = _torch_output(torch, inputs, weights, activation)
    _torch_loss(torch, output, torch.tensor(labels), head).backward()
    return tuple((W.grad.numpy(), b.grad.numpy()) for W, b in weights)


_LABELLED = (
    edge("classes", x=_X, layers=_LAYERS, labels=[2, 0, 1]),
    edge("distributions", x=_X, layers=_LAYERS, labels=[[0.25, 0.5, 0.25], [0.0, 1.0, 0.0], [0.625, 0.125, 0.25]]),
    edge("one row", x=_X[:1], layers=_LAYERS, labels=[2], activation="silu"),
    edge("sigmoids between the layers", x=_X[:2], layers=_LAYERS, labels=[1, 2], activation="sigmoid"),
    edge("a sigmoid", x=_X, layers=(_FIRST, _SECOND), labels=[[0.0, 1.0], [1.0, 0.25], [0.5, 0.0]], head="sigmoid"),
    edge("targets", x=_X, layers=(_FIRST, _SECOND), labels=_G, head="identity", activation="tanh"),
    edge("units in the tail of gelu", x=_X, layers=(_TAIL, _SECOND), labels=[1, 0, 1], activation="gelu"),
    extreme("far apart", x=[[300.3, -170.7]], layers=_LAYERS, labels=[1]),
    extreme(
        "far beyond what e^z can hold",
        x=[[9.3, -1170.7]],
        layers=(_FIRST, _SECOND),
        labels=[[0.25, 0.75]],
        activation="softplus",
    ),
    extreme("far apart, a sigmoid", x=[[300.3, -170.7]], layers=(_FIRST, _SECOND), labels=[[0.0, 1.0]], head="sigmoid"),
)


def sums_over_the_batch(
    x: Array, layers: Sequence[Layer], labels: Array, *, activation: Any = "relu", head: Any = "softmax"
) -> Any:
    """The sum over the batch for the mean, as in the lectures' L = Σ_i L_i (001_85d2a45f19410a02.txt)."""
    loss, _ = reference._head(head)
    return loss(reference.mlp(x, layers, activation=activation), labels, reduction="sum")


def sums_the_outputs_of_a_row(
    x: Array, layers: Sequence[Layer], labels: Array, *, activation: Any = "relu", head: Any = "softmax"
) -> Any:
    """Under a sigmoid the sum over the outputs, and the mean over the rows alone, as in Ng's course."""
    loss, _ = reference._head(head)
    return loss(reference.mlp(x, layers, activation=activation), labels, reduction="sum") / len(x)


def averages_all_squares(
    x: Array, layers: Sequence[Layer], labels: Array, *, activation: Any = "relu", head: Any = "softmax"
) -> Any:
    """The mean of all squared errors, without the ½, as in PyTorch's MSELoss."""
    output = reference.mlp(x, layers, activation=activation)
    loss, _ = reference._head(head)
    return np.mean((output - labels) ** 2) if head == "identity" else loss(output, labels)


def loss_by_the_textbook(
    x: Array, layers: Sequence[Layer], labels: Array, *, activation: Any = "relu", head: Any = "softmax"
) -> Any:
    """The logarithms of the probabilities of what is observed, or half the squares, and one sum."""
    z = by_columns(x, layers, activation=activation)
    y = wrong.observed(z, labels)
    if head == "softmax":
        return -np.sum(y * activations.log_softmax(z)) / len(z)
    if head == "sigmoid":
        return np.sum(activations.softplus(z) - y * z) / z.size
    return np.sum((z - y) ** 2) / (2 * len(z))


mlp_loss = Exercise(
    reference.mlp_loss,
    misconceptions=(
        *map(wrong.loss_of, wrong.FORWARD),
        wrong.reverses_the_sign,
        wrong.forgets_the_log,
        wrong.applies_the_head_twice,
        wrong.hard_codes_the_loss,
        wrong.divides_by_the_outputs,
        wrong.forgets_the_half,
        wrong.logs_an_underflowed_probability,
        wrong.exponentiates_without_the_shift,
        wrong.loss_of(wrong.exponentiates_large_sums),
    ),
    conventions=(sums_over_the_batch, sums_the_outputs_of_a_row, averages_all_squares),
    programs=(loss_by_the_textbook,),
    edges=_LABELLED,
    draw=_drawn_with_labels,
    rivals={"torch": _torch_mlp_loss},
)


def loss_grad_by_the_textbook(
    x: Array, layers: Sequence[Layer], labels: Array, *, activation: Any = "relu", head: Any = "softmax"
) -> tuple[Layer, ...]:
    """Predicted minus observed at the top, and slopes from the values of the activations."""
    cache = forward_by_columns(x, layers, activation=activation)
    _, grad = reference._head(head)
    error = grad(cache.sums[-1], labels)
    return passed_back_by_the_textbook(layers, cache, error, activation=activation).layers


def _graded(x: Array, layers: Sequence[Layer], labels: Array, activation: Any, top: Any) -> tuple[Layer, ...]:
    """Return the gradients that belong to another error of the last layer, a function of its sums and the labels."""
    cache = reference.mlp_forward(x, layers, activation=activation)
    return reference.mlp_backward(layers, cache, top(cache.sums[-1], labels), activation=activation).layers


def sums_the_gradients_of_the_batch(
    x: Array, layers: Sequence[Layer], labels: Array, *, activation: Any = "relu", head: Any = "softmax"
) -> tuple[Layer, ...]:
    """The gradient of the sum over the batch, as in the lectures' L = Σ_i L_i (001_85d2a45f19410a02.txt)."""
    _, grad = reference._head(head)
    return _graded(x, layers, labels, activation, lambda z, y: grad(z, y, reduction="sum"))


def sums_the_gradients_of_a_row(
    x: Array, layers: Sequence[Layer], labels: Array, *, activation: Any = "relu", head: Any = "softmax"
) -> tuple[Layer, ...]:
    """Under a sigmoid that of the sum over the outputs, and the mean over the rows alone, as in Ng's course."""
    _, grad = reference._head(head)
    return _graded(x, layers, labels, activation, lambda z, y: grad(z, y, reduction="sum") / len(z))


def differentiates_the_mean_of_all_squares(
    x: Array, layers: Sequence[Layer], labels: Array, *, activation: Any = "relu", head: Any = "softmax"
) -> tuple[Layer, ...]:
    """That of the mean of all squared errors, without the ½, as in PyTorch's MSELoss."""
    _, grad = reference._head(head)
    return _graded(
        x, layers, labels, activation, lambda z, y: 2 * (z - y) / z.size if head == "identity" else grad(z, y)
    )


mlp_loss_grad = Exercise(
    reference.mlp_loss_grad,
    misconceptions=(
        *map(wrong.loss_grad_of, wrong.BACKWARD),
        wrong.reverses_the_error,
        wrong.forgets_the_head,
        wrong.hard_codes_the_head,
        wrong.multiplies_by_the_derivative_of_the_head,
        wrong.divides_the_error_by_the_outputs,
        wrong.doubles_the_error,
        wrong.predicts_without_the_shift,
        wrong.loss_grad_after(wrong.exponentiates_large_sums),
    ),
    conventions=(
        sums_the_gradients_of_the_batch,
        sums_the_gradients_of_a_row,
        differentiates_the_mean_of_all_squares,
    ),
    programs=(loss_grad_by_the_textbook,),
    edges=_LABELLED,
    draw=_drawn_with_labels,
    rivals={"torch": _torch_mlp_loss_grad},
)


# --- depth ------------------------------------------------------------------------------------------------------------
def _torch_jacobian_product(torch: Any, x: Array, layers: Sequence[Layer], *, activation: str = "relu") -> Array:
    inputs, weights = _torch_tensors(torch, x, layers)
    rows = [
        torch.autograd.functional.jacobian(lambda row: _torch_output(torch, row, weights, activation), row)
        for row in inputs.detach()
    ]
    return torch.stack(rows).detach().numpy()


def jacobian_by_the_textbook(x: Array, layers: Sequence[Layer], *, activation: Any = "relu") -> Array:
    """The product from the bottom, with slopes from the values of the activations."""
    first, *others = layers
    hidden = forward_by_columns(x, layers, activation=activation).sums[:-1]
    product = np.zeros_like(x)[:, None, :] + first.W.T
    for layer, z in zip(others, hidden, strict=True):
        product = layer.W.T @ (textbook_slope(activation, z)[:, :, None] * product)
    return product


jacobian_product = Exercise(
    reference.jacobian_product,
    misconceptions=(
        *map(deep.jacobian_with, wrong.SLOPES),
        deep.jacobian_after(wrong.forgets_the_biases),
        deep.multiplies_by_the_slope_of_the_output,
        deep.takes_the_lowest_slope_only,
        deep.takes_the_slopes_of_the_first_sample,
        deep.averages_over_the_samples,
        deep.transposes_the_jacobian,
        deep.stops_at_the_first_layer,
    ),
    programs=(jacobian_by_the_textbook,),
    edges=tuple(
        one for one in _NETWORKS if one.kind == "ordinary"
    ),  # saturated, the slopes are too small to tell from 0
    draw=_drawn,
    rivals={"torch": _torch_jacobian_product},
)


def _torch_gradient_norms(
    torch: Any, x: Array, layers: Sequence[Layer], cotangent: Array, *, activation: str = "relu"
) -> Array:
    inputs, weights = _torch_tensors(torch, x, layers)
    g = _torch_activation(torch, activation)
    sums, h = [], inputs
    for W, b in weights:
        sums.append(h @ W + b)
        h = g(sums[-1])
    grads = torch.autograd.grad(sums[-1], sums, torch.tensor(cotangent))
    return torch.stack([torch.linalg.vector_norm(grad) for grad in grads]).numpy()


def norms_by_the_textbook(x: Array, layers: Sequence[Layer], cotangent: Array, *, activation: Any = "relu") -> Array:
    """Slopes from the values of the activations; every norm by `hypot`, in which no unit is uncertain."""
    cache = forward_by_columns(x, layers, activation=activation)
    errors = errors_by_the_textbook(layers, cache, cotangent, activation=activation)
    return np.stack([_length(np.ravel(error)) for error in errors])


def _length(x: Array) -> Array:
    """√Σ x², of two halves at a time."""
    while x.size > 1:
        half = x.size // 2
        x = np.concatenate([np.hypot(x[:half], x[half : 2 * half]), x[2 * half :]])
    return np.abs(x[0])


gradient_norms = Exercise(
    reference.gradient_norms,
    misconceptions=(
        *map(deep.norms_of, (*wrong.ERRORS, wrong.counts_from_the_top)),
        deep.forgets_the_root,
        deep.divides_by_the_entries,
        deep.sums_the_sizes,
        deep.averages_the_sizes,
        deep.takes_the_largest_size,
        deep.averages_the_norms_of_the_samples,
        deep.squares_without_a_unit,
        deep.measures_the_gradients_of_the_weights,
    ),
    programs=(norms_by_the_textbook,),
    edges=(
        *(
            edge(f"two layers of {name}", x=_X, layers=(_FIRST, _SECOND), cotangent=_G, activation=name)
            for name in _EVERY_ACTIVATION
        ),
        edge("three layers", x=_X, layers=_LAYERS, cotangent=_WIDE, activation="tanh"),
        edge("a first layer whose units are all off", x=_X, layers=(_OFF, _SECOND), cotangent=_G),
        extreme("saturated", x=[[30.3, -17.7]], layers=(_FIRST, _SECOND), cotangent=_G[:1], activation="tanh"),
        extreme("squares beyond the range", x=_X, layers=(_FIRST, _SECOND), cotangent=np.multiply(_G, 3e22)),
        extreme("squares below the range", x=_X, layers=(_FIRST, _SECOND), cotangent=np.multiply(_G, 3e-26)),
    ),
    draw=_drawn_with_cotangent,
    rivals={"torch": _torch_gradient_norms},
)
