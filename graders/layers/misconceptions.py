"""Known mistakes in layers; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from reference import activations
from reference import layers as reference
from reference._types import Array
from reference.layers import AffineGrads, ConcatenateChannelsGrads, ResidualUnitGrads

Function = Callable[..., Any]


# --- mistakes that many share: each takes the function that is misunderstood ------------------------------------------
def forgets_the_cotangent(f: Function) -> Function:
    """Make the mistake for gradients."""

    def forgets_the_cotangent(*arguments: Any, **hyper: Any) -> Any:
        """You left the incoming gradient out. Every gradient here is made from it, the cotangent."""
        *inputs, cotangent = arguments
        return f(*inputs, np.ones_like(cotangent), **hyper)

    return with_signature_of(f, forgets_the_cotangent)


def reverses_the_sign(f: Function) -> Function:
    """Make the mistake for gradients."""

    def reverses_the_sign(*arguments: Any, **hyper: Any) -> Any:
        """Your gradients point the other way. Leave the minus sign to the optimizer."""
        *inputs, cotangent = arguments
        return f(*inputs, -cotangent, **hyper)

    return with_signature_of(f, reverses_the_sign)


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


def ignores_the_input(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """Your dW does not depend on x. Each weight's gradient is its input times the error: x.T @ cotangent."""
    return _grads(x, W, b, cotangent)._replace(dW=np.sum(cotangent, axis=0) + np.zeros_like(W))


def averages_over_the_rows(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    """dW and db as means over the rows, as in courses whose loss gradient is not yet divided by their number."""
    n = len(x)
    dx, dW, db = _grads(x, W, b, cotangent)
    return AffineGrads(dx, dW / n, db / n)


# --- flatten ----------------------------------------------------------------------------------------------------------
def reads_every_sample_column_by_column(x: Array) -> Array:
    """You flattened with the first axis running fastest, as order="F" does. Let the last do so: x.reshape(n, -1)."""
    return _rows(np.transpose(x, (0, 3, 2, 1)))


def puts_the_channels_last(x: Array) -> Array:
    """You moved the channels behind the pixels before flattening. Keep the order of x: channel, row, column."""
    return _rows(np.transpose(x, (0, 2, 3, 1)))


def reads_every_image_down_its_columns(x: Array) -> Array:
    """You swapped rows and columns of every image before flattening. Keep the order of x: channel, row, column."""
    return _rows(np.transpose(x, (0, 1, 3, 2)))


def mixes_the_samples(x: Array) -> Array:
    """You mixed the samples, as reshape(-1, n).T does. Each must stay together: reshape(n, -1)."""
    return np.reshape(x, (-1, len(x))).T


def flattens_the_batch_too(x: Array) -> Array:
    """You made one long vector of the whole batch. Keep the first axis: one row for each sample, reshape(n, -1)."""
    return np.reshape(x, (-1,))


def keeps_the_channels_apart(x: Array) -> Array:
    """You flattened rows and columns, and left the channels an axis of their own. All axes but the first become one."""
    return np.reshape(x, (*x.shape[:2], -1))


def puts_the_samples_in_columns(x: Array) -> Array:
    """You made every sample a column. Here samples are rows: leave out the last transpose."""
    return _rows(x).T


def averages_every_channel(x: Array) -> Array:
    """You averaged over the pixels, which is global average pooling. Flatten keeps every number."""
    return np.mean(x, axis=(2, 3))


# --- flatten_vjp ------------------------------------------------------------------------------------------------------
def puts_back_column_by_column(x: Array, cotangent: Array) -> Array:
    """You reshaped with the first axis running fastest, as order="F" does. Let the last do so, as in `flatten`."""
    return np.transpose(np.reshape(cotangent, (len(x), *x.shape[:0:-1])), (0, 3, 2, 1))


def takes_the_channels_for_the_last_axis(x: Array, cotangent: Array) -> Array:
    """You put the numbers back as if the channels came last. They come before rows and columns: reshape(x.shape)."""
    n, c, h, v = x.shape
    return np.transpose(np.reshape(cotangent, (n, h, v, c)), (0, 3, 1, 2))


def fills_every_image_down_its_columns(x: Array, cotangent: Array) -> Array:
    """You filled every image column by column. Fill it row by row: reshape(x.shape)."""
    n, c, h, v = x.shape
    return np.transpose(np.reshape(cotangent, (n, c, v, h)), (0, 1, 3, 2))


def mixes_the_samples_back(x: Array, cotangent: Array) -> Array:
    """You transposed before the reshape, which mixes the samples. Each row of the cotangent is one sample's."""
    return np.reshape(cotangent.T, x.shape)


def leaves_the_gradient_flat(x: Array, cotangent: Array) -> Array:
    """You returned the cotangent as it came. The gradient by x has the shape of x: reshape(x.shape)."""
    return cotangent.copy()


def multiplies_by_the_input(x: Array, cotangent: Array) -> Array:
    """You multiplied by x. Flatten moves numbers and does not scale them: the gradient is the cotangent, reshaped."""
    return x * np.reshape(cotangent, x.shape)


# --- residual_unit ----------------------------------------------------------------------------------------------------
def forgets_the_shortcut(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """You left the shortcut out. Add x to what the two layers give."""
    return _maps(activation)[0](x @ W) @ V


def forgets_the_activation(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """You left the activation out, so two layers are one. Apply it between them: x + g(x W) V."""
    return x + x @ W @ V


def activates_the_sum(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """You applied the activation to the sum, as the first residual networks did. Here the sum is the result."""
    g = _maps(activation)[0]
    return g(x + g(x @ W) @ V)


def activates_the_second_layer(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """You applied the activation after V as well. It stands between the two layers alone: x + g(x W) V."""
    g = _maps(activation)[0]
    return x + g(g(x @ W) @ V)


def activates_before_the_first_layer(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """You applied the activation to x, before W. It stands between the two layers: x + g(x W) V."""
    return x + _maps(activation)[0](x) @ W @ V


def activates_the_shortcut(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """You applied the activation to the shortcut. It passes x on unchanged."""
    g = _maps(activation)[0]
    return g(x) + g(x @ W) @ V


def subtracts_the_input(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """You subtracted x. The layers learn what is left when x is taken off, so here it is added: F(x) + x."""
    return _maps(activation)[0](x @ W) @ V - x


def multiplies_the_shortcut(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """You multiplied by x. The shortcut adds it."""
    return x * (_maps(activation)[0](x @ W) @ V)


def halves_the_sum(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """You took the mean of x and what the layers give. Take their sum."""
    return (x + _maps(activation)[0](x @ W) @ V) / 2


def ignores_the_activation(x: Array, W: Array, V: Array, *, activation: Any = "relu") -> Array:
    """You applied a ReLU whatever was asked for. Use the argument `activation`."""
    return reference.residual_unit(x, W, V)


# --- residual_unit_vjp ------------------------------------------------------------------------------------------------
def forgets_the_shortcut_in_dx(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """Your dx leaves the shortcut out. Its gradient is the cotangent itself: add it to what the layers give back."""
    grads = _unit_grads(x, W, V, cotangent, activation)
    return grads._replace(dx=grads.dx - cotangent)


def stops_at_the_shortcut(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """Your dx is the shortcut's part alone. The layers see x too: add error @ W.T."""
    return _unit_grads(x, W, V, cotangent, activation)._replace(dx=cotangent.copy())


def counts_the_shortcut_twice(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """You added the cotangent to dx twice. The shortcut passes it back once."""
    grads = _unit_grads(x, W, V, cotangent, activation)
    return grads._replace(dx=grads.dx + cotangent)


def forgets_the_slope(x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu") -> ResidualUnitGrads:
    """You left the slope of the activation out. Multiply g Vᵀ by it, at x W, before going on to W and x."""
    return _through(x, W, V, cotangent, activation, cotangent @ V.T)


def takes_the_slope_at_the_output(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """You took the slope of the activation at its output. Take it at its input, x W."""
    g, g_vjp = _maps(activation)
    return _through(x, W, V, cotangent, activation, g_vjp(g(x @ W), cotangent @ V.T))


def takes_the_slope_at_the_gradient(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """You took the slope of the activation at the incoming gradient. Take it at the forward pass's x W."""
    error = cotangent @ V.T
    return _through(x, W, V, cotangent, activation, _maps(activation)[1](error, error))


def multiplies_by_the_activation(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """You multiplied by the activation itself. Multiply by its slope at x W."""
    return _through(x, W, V, cotangent, activation, _maps(activation)[0](x @ W) * (cotangent @ V.T))


def leaves_the_activation_out_of_dV(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """Your dV is made from x W. V sees what the activation makes of it: dV = g(x W)ᵀ times the cotangent."""
    return _unit_grads(x, W, V, cotangent, activation)._replace(dV=(x @ W).T @ cotangent)


def reshapes_W_for_dx(x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu") -> ResidualUnitGrads:
    """For dx you reshaped W to its transpose's shape, which mixes its entries. Transpose it: error @ W.T."""
    error = _maps(activation)[1](x @ W, cotangent @ V.T)
    turned = np.reshape(W, (W.shape[1], W.shape[0]))
    return _unit_grads(x, W, V, cotangent, activation)._replace(dx=cotangent + error @ turned)


def differentiates_a_relu(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """You differentiated a ReLU whatever was asked for. Use the argument `activation`."""
    return reference.residual_unit_vjp(x, W, V, cotangent)


def averages_both_weights_over_the_rows(
    x: Array, W: Array, V: Array, cotangent: Array, *, activation: Any = "relu"
) -> ResidualUnitGrads:
    """dW and dV as means over the rows, as in courses whose loss gradient is not yet divided by their number."""
    dx, dW, dV = _unit_grads(x, W, V, cotangent, activation)
    return ResidualUnitGrads(dx, dW / len(x), dV / len(x))


# --- concatenate_channels ---------------------------------------------------------------------------------------------
def puts_b_first(a: Array, b: Array) -> Array:
    """You put b before a. The channels of a come first."""
    return np.concatenate([b, a], axis=1)


def joins_the_whole_batches(a: Array, b: Array) -> Array:
    """You put all of a before all of b, which mixes the samples. Join them sample by sample: axis=1."""
    return np.reshape(np.concatenate([np.ravel(a), np.ravel(b)]), (len(a), -1, *a.shape[2:]))


def alternates_the_channels(a: Array, b: Array) -> Array:
    """You took channels of a and b in turn. All channels of a come first, then all of b."""
    return np.concatenate([a, b], axis=1)[:, _alternating(a, b)]


def writes_b_over_a(a: Array, b: Array) -> Array:
    """You wrote b from channel 0 on, over a. It starts where a ends: out[:, c_a:] = b."""
    made = np.concatenate([a, np.zeros_like(b)], axis=1)
    made[:, : b.shape[1]] = b
    return made


def leaves_b_out(a: Array, b: Array) -> Array:
    """You left b's channels at 0. Write b there: out[:, c_a:] = b."""
    return np.concatenate([a, np.zeros_like(b)], axis=1)


def swaps_rows_and_columns(a: Array, b: Array) -> Array:
    """You swapped rows and columns of the images. Only the channels are joined: axis=1."""
    return np.transpose(np.concatenate([a, b], axis=1), (0, 1, 3, 2))


# --- concatenate_channels_vjp -----------------------------------------------------------------------------------------
def cuts_as_if_b_came_first(a: Array, b: Array, cotangent: Array) -> ConcatenateChannelsGrads:
    """You gave a the last channels of the cotangent, and b the first. The channels of a come first."""
    meet = b.shape[1]
    return ConcatenateChannelsGrads(cotangent[:, meet:].copy(), cotangent[:, :meet].copy())


def gives_both_the_first_channels(a: Array, b: Array, cotangent: Array) -> ConcatenateChannelsGrads:
    """You gave b the first channels of the cotangent, like a. Those of b start where a's end: cotangent[:, c_a:]."""
    return ConcatenateChannelsGrads(cotangent[:, : a.shape[1]].copy(), cotangent[:, : b.shape[1]].copy())


def cuts_in_the_middle(a: Array, b: Array, cotangent: Array) -> ConcatenateChannelsGrads:
    """You cut the cotangent in the middle. Cut it where a's channels end, at c_a."""
    middle = cotangent.shape[1] // 2
    return ConcatenateChannelsGrads(cotangent[:, :middle].copy(), cotangent[:, middle:].copy())


def cuts_the_flat_gradient(a: Array, b: Array, cotangent: Array) -> ConcatenateChannelsGrads:
    """You cut the flattened cotangent, which mixes the samples. Cut every sample by itself, along axis 1."""
    flat = np.ravel(cotangent)
    return ConcatenateChannelsGrads(np.reshape(flat[: a.size], a.shape), np.reshape(flat[a.size :], b.shape))


def takes_every_other_channel(a: Array, b: Array, cotangent: Array) -> ConcatenateChannelsGrads:
    """You dealt the channels of the cotangent out in turn. The first c_a belong to a, the rest to b."""
    back = cotangent[:, np.argsort(_alternating(a, b))]
    return ConcatenateChannelsGrads(back[:, : a.shape[1]].copy(), back[:, a.shape[1] :].copy())


def halves_the_gradients(a: Array, b: Array, cotangent: Array) -> ConcatenateChannelsGrads:
    """You halved the gradients. Nothing is averaged here: each part gets its channels of the cotangent whole."""
    da, db = reference.concatenate_channels_vjp(a, b, cotangent)
    return ConcatenateChannelsGrads(da / 2, db / 2)


def multiplies_by_the_parts(a: Array, b: Array, cotangent: Array) -> ConcatenateChannelsGrads:
    """You multiplied by a and b. Joining scales nothing: the gradients are the channels of the cotangent."""
    da, db = reference.concatenate_channels_vjp(a, b, cotangent)
    return ConcatenateChannelsGrads(da * a, db * b)


# --- what they are made of --------------------------------------------------------------------------------------------
def _grads(x: Array, W: Array, b: Array, cotangent: Array) -> AffineGrads:
    return reference.affine_vjp(x, W, b, cotangent)


def _rows(x: Array) -> Array:
    return np.reshape(x, (len(x), -1))


def _maps(activation: str) -> tuple[Function, Function]:
    """Return the activation of this name and its vjp."""
    if activation == "identity":
        return (lambda z: z), (lambda z, cotangent: cotangent)
    return getattr(activations, activation), getattr(activations, f"{activation}_vjp")


def _unit_grads(x: Array, W: Array, V: Array, cotangent: Array, activation: Any) -> ResidualUnitGrads:
    return reference.residual_unit_vjp(x, W, V, cotangent, activation=activation)


def _through(x: Array, W: Array, V: Array, cotangent: Array, activation: Any, error: Array) -> ResidualUnitGrads:
    """Return the gradients that follow from an error at x W."""
    dV = _maps(activation)[0](x @ W).T @ cotangent
    return ResidualUnitGrads(cotangent + error @ W.T, x.T @ error, dV)


def _alternating(a: Array, b: Array) -> list[int]:
    """Return the channels of a and b in turn, by their place in the right order."""
    of_a, of_b = range(a.shape[1]), range(a.shape[1], a.shape[1] + b.shape[1])
    return sorted((*of_a, *of_b), key=lambda c: (c - of_b.start, 1) if c in of_b else (c, 0))
