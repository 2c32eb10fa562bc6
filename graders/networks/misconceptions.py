"""Known mistakes in networks; the docstring of each is what the student is told.

Most are mistakes in one place of backpropagation, and show in all that is made of it: the factories carry them there.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from reference import activations, losses
from reference import networks as reference
from reference._types import Array
from reference.activations import log_softmax, sigmoid, softmax
from reference.networks import Layer, MlpCache, MlpGrads

Function = Callable[..., Any]
Layers = Sequence[Layer]


# --- what they are made of --------------------------------------------------------------------------------------------
def activated(activation: str, z: Array) -> Array:
    """Return the activation of z."""
    return z if activation == "identity" else getattr(activations, activation)(z)


def slope(activation: str, z: Array) -> Array:
    """Return the derivative of the activation at z."""
    ones = np.ones_like(z)
    return ones if activation == "identity" else getattr(activations, f"{activation}_vjp")(z, ones)


def summed(h: Array, layer: Layer) -> Array:
    """Return what a layer makes of its inputs."""
    return h @ layer.W + layer.b


def observed(output: Array, labels: Array) -> Array:
    """Return labels of either kind as an array like the output."""
    if labels.ndim == 2:
        return labels
    return (labels[:, None] == np.arange(output.shape[1])).astype(output.dtype)


def predicted(output: Array, head: str) -> Array:
    """Return what a head makes of the last sums."""
    if head == "identity":
        return output
    return softmax(output) if head == "softmax" else sigmoid(output)


def named_for(function: Function, wrong: Function, mistake: Function) -> Function:
    """Give a mistake its name, what is told of it, and the signature of the function that it is made in."""
    wrong.__name__, wrong.__doc__ = mistake.__name__, mistake.__doc__
    wrong.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return wrong


# --- mistakes in the forward pass -------------------------------------------------------------------------------------
def forgets_the_biases(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """You left out the biases. Every layer adds its own: z = h W + b."""
    return reference.mlp_forward(x, [Layer(W, 0 * b) for W, b in layers], activation=activation)


def forgets_the_activation(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """You left out the activation between the layers. Without it they are all one affine layer (the lectures' W₂W₁)."""
    return reference.mlp_forward(x, layers, activation="identity")


def activates_the_output(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """You put the output through the activation too. None follows the last layer: its sums are what the head takes."""
    cache = reference.mlp_forward(x, layers, activation=activation)
    return MlpCache(cache.inputs, (*cache.sums[:-1], activated(activation, cache.sums[-1])))


def activates_the_inputs(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """You put x through the activation before the first layer. The first layer takes x as it is."""
    return reference.mlp_forward(activated(activation, x), layers, activation=activation)


def adds_the_bias_after_the_activation(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """You added the bias after the activation. It belongs to the sum inside: g(h W + b)."""
    inputs, sums = [x], [x @ layers[0].W]
    for before, layer in pairwise(layers):
        inputs.append(activated(activation, sums[-1]) + before.b)
        sums.append(inputs[-1] @ layer.W)
    return MlpCache(tuple(inputs), (*sums[:-1], sums[-1] + layers[-1].b))


def subtracts_the_biases(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """You subtracted the biases. Add them: z = h W + b."""
    return reference.mlp_forward(x, [Layer(W, -b) for W, b in layers], activation=activation)


def hard_codes_the_activation(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """You used ReLU whatever was asked for. Use the argument `activation`."""
    return reference.mlp_forward(x, layers)


def exponentiates_large_sums(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """Your activation takes e^z of large z, which overflows: inf, or nan from inf/inf. Let the exponent be −|z|."""
    inputs, sums = [x], [summed(x, layers[0])]
    for layer in layers[1:]:
        z = sums[-1]
        e, shrunk = np.exp(z), np.exp(-z)
        match activation:
            case "sigmoid":
                h = e / (1 + e)
            case "tanh":
                h = (e - shrunk) / (e + shrunk)
            case "softplus":
                h = np.log(1 + e)
            case "silu":
                h = z * e / (1 + e)
            case _:
                h = activated(activation, z)
        inputs.append(h)
        sums.append(summed(h, layer))
    return MlpCache(tuple(inputs), tuple(sums))


def keeps_the_sums_as_inputs(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """You kept the sums as the inputs of the next layer. What goes into it is g(z), and dW needs that."""
    _, sums = reference.mlp_forward(x, layers, activation=activation)
    return MlpCache((x, *sums[:-1]), sums)


def keeps_the_values_as_sums(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """You kept the activated values in place of the sums. Keep z itself too: the slope g'(z) is taken there."""
    inputs, sums = reference.mlp_forward(x, layers, activation=activation)
    return MlpCache(inputs, (*inputs[1:], sums[-1]))


def keeps_the_values_after_each_layer(x: Array, layers: Layers, *, activation: Any = "relu") -> MlpCache:
    """You kept what comes out of each layer as its inputs. Keep what goes in: x first, and no g(z) of the last one."""
    inputs, sums = reference.mlp_forward(x, layers, activation=activation)
    return MlpCache((*inputs[1:], activated(activation, sums[-1])), sums)


def output_of(mistake: Function) -> Function:
    """Return `mlp` with a mistake in its forward pass."""

    def wrong(x: Array, layers: Layers, *, activation: Any = "relu") -> Array:
        return mistake(x, layers, activation=activation).sums[-1]

    return named_for(reference.mlp, wrong, mistake)


def loss_of(mistake: Function) -> Function:
    """Return `mlp_loss` with a mistake in its forward pass."""

    def wrong(x: Array, layers: Layers, labels: Array, *, activation: Any = "relu", head: Any = "softmax") -> Array:
        loss, _ = reference._head(head)
        return loss(mistake(x, layers, activation=activation).sums[-1], labels)

    return named_for(reference.mlp_loss, wrong, mistake)


FORWARD = (
    forgets_the_biases,
    forgets_the_activation,
    activates_the_output,
    activates_the_inputs,
    adds_the_bias_after_the_activation,
    subtracts_the_biases,
    hard_codes_the_activation,
)
"""What makes every output wrong."""


# --- mistakes in the slope: each takes an activation and z ------------------------------------------------------------
def forgets_the_slope(activation: str, z: Array) -> Array:
    """You passed the error back without g'(z). Multiply it by the slope of the activation, entry by entry."""
    return np.ones_like(z)


def takes_the_slope_at_the_values(activation: str, z: Array) -> Array:
    """You took the slope at h = g(z), so the activation came twice. Take it at the sums: g'(z)."""
    return slope(activation, activated(activation, z))


def takes_the_sums_for_values(activation: str, z: Array) -> Array:
    """You put z into a formula for h = g(z): σ' is h (1 − h), and tanh' is 1 − h². Activate z first."""
    match activation:
        case "sigmoid":
            return z * (1 - z)
        case "tanh":
            return 1 - z**2
    return slope(activation, z)


def multiplies_by_the_activation(activation: str, z: Array) -> Array:
    """You multiplied the error by g(z). Multiply it by the slope g'(z)."""
    return activated(activation, z)


def multiplies_by_one_minus_sigma_twice(activation: str, z: Array) -> Array:
    """You multiplied σ' by 1 − σ, as the lectures do in one place. The slope of the sigmoid is σ (1 − σ)."""
    return slope(activation, z) * (1 - sigmoid(z)) if activation == "sigmoid" else slope(activation, z)


def hard_codes_the_slope(activation: str, z: Array) -> Array:
    """You used the slope of ReLU whatever was asked for. Use that of the `activation`."""
    return slope("relu", z)


SLOPES = (
    forgets_the_slope,
    takes_the_slope_at_the_values,
    takes_the_sums_for_values,
    multiplies_by_the_activation,
    multiplies_by_one_minus_sigma_twice,
    hard_codes_the_slope,
)


def passed_back(layers: Layers, sums: Sequence[Array], error: Array, slopes: Sequence[Array]) -> tuple[Array, ...]:
    """Return the errors of all layers, from that of the last and from slopes for all layers but it."""
    errors = [error]
    for layer, factor in zip(layers[:0:-1], slopes[::-1], strict=True):
        errors.append(errors[-1] @ layer.W.T * factor)
    return tuple(errors[::-1])


def errors_with(mistake: Function) -> Function:
    """Return `mlp_errors` with a mistake in the slope."""

    def wrong(layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu") -> tuple[Array, ...]:
        return passed_back(layers, cache.sums, cotangent, [mistake(activation, z) for z in cache.sums[:-1]])

    return named_for(reference.mlp_errors, wrong, mistake)


# --- other mistakes in the errors -------------------------------------------------------------------------------------
def multiplies_the_top_by_a_slope(
    layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu"
) -> tuple[Array, ...]:
    """You multiplied the error of the last layer by a slope. No activation follows that layer: its error is given."""
    top = cotangent * slope(activation, cache.sums[-1])
    return reference.mlp_errors(layers, cache, top, activation=activation)


def takes_one_slope_only(
    layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu"
) -> tuple[Array, ...]:
    """You took the slope of the layer itself but none of those above it. That is right for two layers, and no more."""
    straight = passed_back(layers, cache.sums, cotangent, [np.ones_like(z) for z in cache.sums[:-1]])
    slopes = [slope(activation, z) for z in cache.sums[:-1]]
    return (*(error * factor for error, factor in zip(straight, slopes, strict=False)), cotangent)


def divides_by_the_rows(
    layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu"
) -> tuple[Array, ...]:
    """You divided by the number of samples. A mean belongs to the loss, whose gradient has that factor already."""
    return reference.mlp_errors(layers, cache, cotangent / len(cotangent), activation=activation)


def divides_in_every_layer(
    layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu"
) -> tuple[Array, ...]:
    """You divided by the number of samples again in every layer. A mean is taken once, in the loss."""
    slopes = [slope(activation, z) / len(z) for z in cache.sums[:-1]]
    return passed_back(layers, cache.sums, cotangent, slopes)


def counts_from_the_top(
    layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu"
) -> tuple[Array, ...]:
    """Your errors stand in the order in which they are found, the last layer's first. Reverse them."""
    return reference.mlp_errors(layers, cache, cotangent, activation=activation)[::-1]


ERRORS = (
    *(errors_with(mistake) for mistake in SLOPES),
    multiplies_the_top_by_a_slope,
    takes_one_slope_only,
    divides_by_the_rows,
    divides_in_every_layer,
)
"""What makes every gradient wrong."""


def backward_of(mistake: Function) -> Function:
    """Return `mlp_backward` with a mistake in the errors."""

    def wrong(layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu") -> MlpGrads:
        errors = mistake(layers, cache, cotangent, activation=activation)
        return MlpGrads(errors[0] @ layers[0].W.T, reference._grads(cache, errors))

    return named_for(reference.mlp_backward, wrong, mistake)


# --- other mistakes in the backward pass ------------------------------------------------------------------------------
def averages_the_gradients_of_the_biases(
    layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu"
) -> MlpGrads:
    """You took the mean of the errors for a bias's gradient. Take their sum over the rows: Σ δ."""
    dx, grads = reference.mlp_backward(layers, cache, cotangent, activation=activation)
    return MlpGrads(dx, tuple(Layer(dW, db / len(cotangent)) for dW, db in grads))


def takes_the_sums_for_the_inputs(
    layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu"
) -> MlpGrads:
    """You multiplied the errors by the sums of the layer below. What goes into a layer is g(z): dW = hᵀ δ."""
    kept = MlpCache((cache.inputs[0], *cache.sums[:-1]), cache.sums)
    return reference.mlp_backward(layers, kept, cotangent, activation=activation)


def transposes_the_gradients_of_the_weights(
    layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu"
) -> MlpGrads:
    """Your dW is transposed. It has the shape of W, inputs in the rows: hᵀ δ."""
    dx, grads = reference.mlp_backward(layers, cache, cotangent, activation=activation)
    return MlpGrads(dx, tuple(Layer(dW.T, db) for dW, db in grads))


def multiplies_dx_by_a_slope(
    layers: Layers, cache: MlpCache, cotangent: Array, *, activation: Any = "relu"
) -> MlpGrads:
    """You multiplied dx by a slope. No activation stands before the first layer: dx = δ₁ W₁ᵀ."""
    dx, grads = reference.mlp_backward(layers, cache, cotangent, activation=activation)
    return MlpGrads(dx * slope(activation, cache.inputs[0]), grads)


BACKWARD = (
    *(backward_of(mistake) for mistake in ERRORS),
    averages_the_gradients_of_the_biases,
    takes_the_sums_for_the_inputs,
    transposes_the_gradients_of_the_weights,
)
"""What makes the gradients of weights or biases wrong."""


def vjp_of(mistake: Function) -> Function:
    """Return `mlp_vjp` with a mistake in its backward pass."""

    def wrong(x: Array, layers: Layers, cotangent: Array, *, activation: Any = "relu") -> MlpGrads:
        cache = reference.mlp_forward(x, layers, activation=activation)
        return mistake(layers, cache, cotangent, activation=activation)

    return named_for(reference.mlp_vjp, wrong, mistake)


def vjp_after(mistake: Function) -> Function:
    """Return `mlp_vjp` with a mistake in its forward pass."""

    def wrong(x: Array, layers: Layers, cotangent: Array, *, activation: Any = "relu") -> MlpGrads:
        cache = mistake(x, layers, activation=activation)
        return reference.mlp_backward(layers, cache, cotangent, activation=activation)

    return named_for(reference.mlp_vjp, wrong, mistake)


def loss_grad_of(mistake: Function) -> Function:
    """Return `mlp_loss_grad` with a mistake in its backward pass."""

    def wrong(
        x: Array, layers: Layers, labels: Array, *, activation: Any = "relu", head: Any = "softmax"
    ) -> tuple[Layer, ...]:
        cache = reference.mlp_forward(x, layers, activation=activation)
        _, grad = reference._head(head)
        return mistake(layers, cache, grad(cache.sums[-1], labels), activation=activation).layers

    return named_for(reference.mlp_loss_grad, wrong, mistake)


def loss_grad_after(mistake: Function) -> Function:
    """Return `mlp_loss_grad` with a mistake in its forward pass."""

    def wrong(
        x: Array, layers: Layers, labels: Array, *, activation: Any = "relu", head: Any = "softmax"
    ) -> tuple[Layer, ...]:
        cache = mistake(x, layers, activation=activation)
        _, grad = reference._head(head)
        return reference.mlp_backward(layers, cache, grad(cache.sums[-1], labels), activation=activation).layers

    return named_for(reference.mlp_loss_grad, wrong, mistake)


# --- mistakes in the loss: each takes the output, the labels and the head ---------------------------------------------
def loss_from(mistake: Function) -> Function:
    """Return `mlp_loss` with a mistake in what is made of the output."""

    def wrong(x: Array, layers: Layers, labels: Array, *, activation: Any = "relu", head: Any = "softmax") -> Array:
        return mistake(reference.mlp(x, layers, activation=activation), labels, head)

    return named_for(reference.mlp_loss, wrong, mistake)


@loss_from
def reverses_the_sign(output: Array, labels: Array, head: str) -> Any:
    """Your loss has the wrong sign. A loss is not negative (where the lectures turn the ratio over, it is)."""
    return -reference._head(head)[0](output, labels)


@loss_from
def forgets_the_log(output: Array, labels: Array, head: str) -> Any:
    """You averaged the probabilities of the labels. The loss is −log of each (the log is lost in the lectures)."""
    y, s = observed(output, labels), predicted(output, head)
    match head:
        case "softmax":
            return -np.sum(y * s) / len(output)
        case "sigmoid":
            return -np.mean(y * s + (1 - y) * (1 - s))
    return losses.half_squared_error(output, labels)


@loss_from
def applies_the_head_twice(output: Array, labels: Array, head: str) -> Array:
    """You gave probabilities to a loss that takes the last sums. It applies softmax or the sigmoid itself, once."""
    return reference._head(head)[0](predicted(output, head), labels)


@loss_from
def hard_codes_the_loss(output: Array, labels: Array, head: str) -> Any:
    """You used the softmax's loss whatever was asked for. Use that of the `head`."""
    return -np.sum(observed(output, labels) * log_softmax(output)) / len(output)


@loss_from
def divides_by_the_outputs(output: Array, labels: Array, head: str) -> Array:
    """You divided the sum by the number of outputs. Divide by the rows, and under a sigmoid by all entries."""
    return reference._head(head)[0](output, labels, reduction="sum") / output.shape[1]


@loss_from
def forgets_the_half(output: Array, labels: Array, head: str) -> Array:
    """You left out the ½ of the squared error, which makes its gradient predicted minus observed."""
    loss = reference._head(head)[0](output, labels)
    return 2 * loss if head == "identity" else loss


@loss_from
def logs_an_underflowed_probability(output: Array, labels: Array, head: str) -> Array:
    """You took the log of a probability that had become 0. Compute the loss from the last sums, as logsumexp does."""
    y, s = observed(output, labels), predicted(output, head)
    match head:
        case "softmax":
            return -np.sum(np.where(y > 0, y * np.log(s), 0)) / len(output)
        case "sigmoid":
            return -np.mean(np.where(y > 0, y * np.log(s), 0) + np.where(y < 1, (1 - y) * np.log(1 - s), 0))
    return losses.half_squared_error(output, labels)


@loss_from
def exponentiates_without_the_shift(output: Array, labels: Array, head: str) -> Array:
    """Your e^z overflows. Subtract the maximum of each row first, or write log(1 + e^z) with −|z| in the exponent."""
    y = observed(output, labels)
    match head:
        case "softmax":
            return np.mean(np.log(np.sum(np.exp(output), axis=1)) - np.sum(y * output, axis=1))
        case "sigmoid":
            return np.mean(np.log(1 + np.exp(output)) - y * output)
    return losses.half_squared_error(output, labels)


# --- mistakes at the top of the loss's gradient: each takes the output, the labels and the head -----------------------
def loss_grad_from(mistake: Function) -> Function:
    """Return `mlp_loss_grad` with a mistake in the error of the last layer."""

    def wrong(
        x: Array, layers: Layers, labels: Array, *, activation: Any = "relu", head: Any = "softmax"
    ) -> tuple[Layer, ...]:
        cache = reference.mlp_forward(x, layers, activation=activation)
        top = mistake(cache.sums[-1], labels, head)
        return reference.mlp_backward(layers, cache, top, activation=activation).layers

    return named_for(reference.mlp_loss_grad, wrong, mistake)


@loss_grad_from
def reverses_the_error(output: Array, labels: Array, head: str) -> Array:
    """Your error has the wrong sign. It is predicted minus observed."""
    return -reference._head(head)[1](output, labels)


@loss_grad_from
def forgets_the_head(output: Array, labels: Array, head: str) -> Array:
    """You subtracted the labels from the last sums. Put these through softmax or the sigmoid first."""
    return (output - observed(output, labels)) / _count(output, head)


@loss_grad_from
def hard_codes_the_head(output: Array, labels: Array, head: str) -> Array:
    """You used softmax whatever was asked for. Predict as the `head` says."""
    return (softmax(output) - observed(output, labels)) / len(output)


@loss_grad_from
def multiplies_by_the_derivative_of_the_head(output: Array, labels: Array, head: str) -> Array:
    """You multiplied predicted minus observed by s (1 − s) once more. The logarithm has cancelled that factor."""
    top, s = reference._head(head)[1](output, labels), predicted(output, head)
    return top if head == "identity" else top * s * (1 - s)


@loss_grad_from
def divides_the_error_by_the_outputs(output: Array, labels: Array, head: str) -> Array:
    """You divided by the number of outputs. Divide by the rows, and under a sigmoid by all entries."""
    return (predicted(output, head) - observed(output, labels)) / output.shape[1]


@loss_grad_from
def doubles_the_error(output: Array, labels: Array, head: str) -> Array:
    """You kept a factor 2 of the squared error. The ½ in the loss takes it away: predicted minus observed."""
    top = reference._head(head)[1](output, labels)
    return 2 * top if head == "identity" else top


@loss_grad_from
def predicts_without_the_shift(output: Array, labels: Array, head: str) -> Array:
    """Your softmax or sigmoid overflows: inf/inf is nan. Let no exponent be large: subtract the maximum first."""
    e = np.exp(output)
    s = {"softmax": e / np.sum(e, axis=1, keepdims=True), "sigmoid": e / (1 + e), "identity": output}[head]
    return (s - observed(output, labels)) / _count(output, head)


def _count(output: Array, head: str) -> int:
    """Return what the mean of a head's loss divides by."""
    return output.size if head == "sigmoid" else len(output)
