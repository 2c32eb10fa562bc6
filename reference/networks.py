"""Networks: the multilayer perceptron, its backpropagation, and what depth does to a gradient.

Functions of an input and a sequence of layers: forward, backward, the errors, the loss under one of three heads, the
Jacobian, and the norms that show whether gradients vanish or explode. Networks of other layers are chained of `blocks`.
Arrays share one dtype, float32 or float64, which the results keep (TypeError otherwise); sizes that do not fit and an
empty batch are a ValueError.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, NamedTuple, TypeAlias

import numpy as np

from reference import _numerics as numerics
from reference import losses
from reference._types import Array, IntArray
from reference.layers import Activation, _activation, affine

Inputs = Annotated[Array, "n d_in"]
Weights = Annotated[Array, "d_in d_out"]
Bias = Annotated[Array, "d_out"]
Outputs = Annotated[Array, "n d_out"]
Jacobians = Annotated[Array, "n d_out d_in"]

Head: TypeAlias = Literal["softmax", "sigmoid", "identity"]


class Layer(NamedTuple):
    """The weights and the bias of an affine layer."""

    W: Weights
    b: Bias


class MlpCache(NamedTuple):
    """What goes into each layer, h_0 … h_(L−1), and the sums that each makes, z_1 … z_L; the last are the output."""

    inputs: tuple[Array, ...]
    sums: tuple[Array, ...]


class MlpGrads(NamedTuple):
    """The gradients by x and by the weights and biases of each layer."""

    dx: Inputs
    layers: tuple[Layer, ...]


def mlp(x: Inputs, layers: Sequence[Layer], *, activation: Activation = "relu") -> Outputs:
    """The sums z_L of the last of L affine layers with an activation between them. Shapes, source as in `mlp_forward`.

    >>> mlp(np.array([[1.0, 2.0]]), [Layer(np.eye(2), np.array([-2.0, 1.0])), Layer(np.ones((2, 1)), np.zeros(1))])
    array([[3.]])
    """
    return mlp_forward(x, layers, activation=activation).sums[-1]


def mlp_forward(x: Inputs, layers: Sequence[Layer], *, activation: Activation = "relu") -> MlpCache:
    """h_0 = x, z_l = h_(l−1) W_l + b_l, h_l = g(z_l), keeping all of them for `mlp_backward`.

    Shapes: x (n, d_0), layers a sequence of (W, b) with W (d_(l−1), d_l) and b (d_l,). No activation follows the last
    layer: its sums are the logits or predictions that a head takes. Raises ValueError where there is no layer, where
    two do not fit, and on an unknown activation. Source: 002_8e0f3b4f5874cfed.txt, 003_bda8f24b635fcb71.txt.

    >>> layers = [Layer(np.eye(2), np.array([-2.0, 1.0])), Layer(np.ones((2, 1)), np.zeros(1))]
    >>> mlp_forward(np.array([[1.0, 2.0]]), layers).sums
    (array([[-1.,  3.]]), array([[3.]]))
    """
    layers = _layers(layers, x)
    g, _ = _activation(activation)
    inputs, sums = [x], [affine(x, *layers[0])]
    for layer in layers[1:]:
        inputs.append(g(sums[-1]))
        sums.append(affine(inputs[-1], *layer))
    return MlpCache(tuple(inputs), tuple(sums))


def mlp_errors(
    layers: Sequence[Layer], cache: MlpCache, cotangent: Outputs, *, activation: Activation = "relu"
) -> tuple[Array, ...]:
    """δ_L = the cotangent, δ_l = g'(z_l) (δ_(l+1) W_(l+1)ᵀ): the gradients by the sums z_l, for l = 1 … L.

    Shapes: the cotangent is like cache.sums[-1], and δ_l like z_l, (n, d_l).
    Source: 003_bda8f24b635fcb71.txt (δ_j = g'(z_j) Σ_k w_kj δ_k).

    >>> layers = [Layer(np.eye(2), np.array([-2.0, 1.0])), Layer(np.ones((2, 1)), np.zeros(1))]
    >>> mlp_errors(layers, mlp_forward(np.array([[1.0, 2.0]]), layers), np.array([[5.0]]))
    (array([[0., 5.]]), array([[5.]]))
    """
    layers = _layers(layers)
    _, g_vjp = _activation(activation)
    cache = _cache(layers, cache)
    numerics.require_floats(cotangent=cotangent, **{"cache.sums[-1]": cache.sums[-1]})
    numerics.require_shape(cache.sums[-1].shape, cotangent=cotangent)
    errors = [cotangent]
    for layer, z in zip(reversed(layers[1:]), reversed(cache.sums[:-1]), strict=True):
        errors.append(g_vjp(z, errors[-1] @ layer.W.T))
    return tuple(reversed(errors))


def mlp_backward(
    layers: Sequence[Layer], cache: MlpCache, cotangent: Outputs, *, activation: Activation = "relu"
) -> MlpGrads:
    """∂L/∂W_l = h_(l−1)ᵀ δ_l, ∂L/∂b_l = Σ_rows δ_l, ∂L/∂x = δ_1 W_1ᵀ, with the δ_l of `mlp_errors`.

    Shapes: as the layers and x. Nothing is divided by n: that belongs to the loss. Source: 003_bda8f24b635fcb71.txt.

    >>> layers = [Layer(np.eye(2), np.array([-2.0, 1.0])), Layer(np.ones((2, 1)), np.zeros(1))]
    >>> mlp_backward(layers, mlp_forward(np.array([[1.0, 2.0]]), layers), np.array([[5.0]])).dx
    array([[0., 5.]])
    """
    errors = mlp_errors(layers, cache, cotangent, activation=activation)
    first, *_ = _layers(layers)
    return MlpGrads(errors[0] @ first.W.T, _grads(cache, errors))


def mlp_vjp(x: Inputs, layers: Sequence[Layer], cotangent: Outputs, *, activation: Activation = "relu") -> MlpGrads:
    """The gradients through `mlp`: `mlp_forward`, and `mlp_backward` with what it kept. Shapes, source as in these.

    >>> layers = [Layer(np.eye(2), np.array([-2.0, 1.0])), Layer(np.ones((2, 1)), np.zeros(1))]
    >>> mlp_vjp(np.array([[1.0, 2.0]]), layers, np.array([[5.0]])).layers[0].W
    array([[ 0.,  5.],
           [ 0., 10.]])
    """
    cache = mlp_forward(x, layers, activation=activation)
    return mlp_backward(layers, cache, cotangent, activation=activation)


def mlp_loss(
    x: Inputs,
    layers: Sequence[Layer],
    labels: Array | IntArray,
    *,
    activation: Activation = "relu",
    head: Head = "softmax",
) -> Array:
    """The mean loss of an mlp under one of three heads, each the negative log-likelihood of what is observed.

    head="softmax": `softmax_cross_entropy`, labels (n,) classes or (n, c) probabilities; "sigmoid": `bce_with_logits`,
    labels (n, c) in [0, 1]; "identity": `half_squared_error`, labels (n, c). The result is a scalar.
    Source: 003_bda8f24b635fcb71.txt.

    >>> layer = Layer(np.array([[1.0, -1.0]]), np.zeros(2))
    >>> round(float(mlp_loss(np.array([[0.0]]), [layer], np.array([1]))), 6)
    0.693147
    """
    loss, _ = _head(head)
    output = mlp(x, layers, activation=activation)
    _require_labels(head, output, labels)
    return loss(output, labels)


def mlp_loss_grad(
    x: Inputs,
    layers: Sequence[Layer],
    labels: Array | IntArray,
    *,
    activation: Activation = "relu",
    head: Head = "softmax",
) -> tuple[Layer, ...]:
    """The gradients of `mlp_loss` by every W and b: for all three heads δ_L = (predicted − observed) / n.

    (With the sigmoid / (n c), since `bce_with_logits` is the mean over all entries.) Shapes and errors as there.
    Source: 003_bda8f24b635fcb71.txt.

    >>> layer = Layer(np.array([[1.0, -1.0]]), np.zeros(2))
    >>> mlp_loss_grad(np.array([[4.0]]), [layer], np.array([[6.0, 4.0]]), head="identity")[0].W
    array([[ -8., -32.]])
    """
    _, grad = _head(head)
    cache = mlp_forward(x, layers, activation=activation)
    _require_labels(head, cache.sums[-1], labels)
    return _grads(cache, mlp_errors(layers, cache, grad(cache.sums[-1], labels), activation=activation))


def jacobian_product(x: Inputs, layers: Sequence[Layer], *, activation: Activation = "relu") -> Jacobians:
    """∂z_L/∂x = W_Lᵀ G_(L−1) W_(L−1)ᵀ … G_1 W_1ᵀ with G_l = diag g'(z_l), the highest layer first, for every sample.

    Shapes: x (n, d_0), the result (n, d_L, d_0). Row i is the gradient of output i, which is what `mlp_vjp` gives for
    the i-th unit vector: a product of L matrices, which shrinks or grows with L as a power.
    Source: 001_85d2a45f19410a02.txt (the product of the layers' Jacobians).

    >>> layers = [Layer(np.eye(2), np.array([-2.0, 1.0])), Layer(np.ones((2, 1)), np.zeros(1))]
    >>> jacobian_product(np.array([[1.0, 2.0]]), layers)
    array([[[0., 1.]]])
    """
    layers = _layers(layers)
    _, g_vjp = _activation(activation)
    *hidden, last = mlp_forward(x, layers, activation=activation).sums
    top = layers[-1].W.T
    product = np.broadcast_to(top, (len(last), *top.shape)).copy()
    for layer, z in zip(reversed(layers[:-1]), reversed(hidden), strict=True):
        product = (product * g_vjp(z, np.ones_like(z))[:, None, :]) @ layer.W.T
    return product


def gradient_norms(
    x: Inputs, layers: Sequence[Layer], cotangent: Outputs, *, activation: Activation = "relu"
) -> Annotated[Array, "layers"]:
    """‖δ_l‖ = √Σ δ_l² over samples and units, for l = 1 … L, with the δ_l of `mlp_errors`.

    Towards the first layer they vanish or explode as a power of the depth. No square underflows or overflows: each norm
    is taken in units of its largest entry. Shapes: as in `mlp_vjp`; the result is (L,).
    Source: 001_85d2a45f19410a02.txt, 004_64b996b1ba6bbd2b.txt.

    >>> layers = [Layer(np.eye(2), np.zeros(2)), Layer(np.array([[3.0], [4.0]]), np.zeros(1))]
    >>> gradient_norms(np.array([[1.0, 2.0]]), layers, np.array([[2.0]]))
    array([10.,  2.])
    """
    cache = mlp_forward(x, layers, activation=activation)
    errors = mlp_errors(layers, cache, cotangent, activation=activation)
    return np.stack([_norm(error) for error in errors])


# --- helpers ----------------------------------------------------------------------------------------------------------


def _head(name: str) -> tuple[Callable[..., Array], Callable[..., Array]]:
    """Return the loss of a head, the mean over the rows, and its gradient by the last sums."""
    numerics.require_word(Head, head=name)
    loss = {"softmax": "softmax_cross_entropy", "sigmoid": "bce_with_logits", "identity": "half_squared_error"}[name]
    return getattr(losses, loss), getattr(losses, f"{loss}_grad")


def _grads(cache: MlpCache, errors: Sequence[Array]) -> tuple[Layer, ...]:
    """Return h_(l−1)ᵀ δ_l and Σ_rows δ_l for every layer."""
    inputs, _ = cache
    return tuple(Layer(h.T @ error, np.sum(error, axis=0)) for h, error in zip(inputs, errors, strict=True))


def _norm(x: Array) -> Array:
    """Return √Σ x² in units of the largest entry, so that no square underflows or overflows."""
    largest = np.max(np.abs(x))
    unit = np.where(largest > 0, largest, 1)
    return unit * np.sqrt(np.sum((x / unit) ** 2))


def _layers(layers: Sequence[Layer], x: Array | None = None) -> tuple[Layer, ...]:
    """Return the layers as such; raise where there is none, one is no pair, or two do not fit, or the first not x."""
    numerics.require_kind(tuple | list, layers=layers)
    if len(layers) == 0:
        raise ValueError("layers: expected at least one (W, b), got none")
    for i, layer in enumerate(layers):
        if not isinstance(layer, tuple | list) or len(layer) != 2:
            raise ValueError(f"layers[{i}]: expected a pair (W, b), got {type(layer).__name__}")
    named = tuple(Layer(*layer) for layer in layers)
    first = {"layers[0].W": named[0].W} if x is None else {"x": x}
    for i, (W, b) in enumerate(named):
        numerics.require_floats(**first | {f"layers[{i}].W": W, f"layers[{i}].b": b})
        before: int | str = "d_in" if i == 0 else named[i - 1].W.shape[1]
        numerics.require_shape((before, "d_out"), **{f"layers[{i}].W": W})
        numerics.require_rows(**{f"layers[{i}].W": W})
        numerics.require_shape((W.shape[1],), **{f"layers[{i}].b": b})
    if x is not None:
        numerics.require_shape(("n", named[0].W.shape[0]), x=x)
        numerics.require_rows(x=x)
    return named


def _cache(layers: Sequence[Layer], cache: MlpCache) -> MlpCache:
    """Return the cache as such; raise unless it is one of these layers, and of one batch."""
    if not isinstance(cache, tuple | list) or len(cache) != 2:
        raise TypeError(f"cache: expected a pair (inputs, sums), got {type(cache).__name__}")
    cache = MlpCache(*cache)
    for name, kept in cache._asdict().items():
        numerics.require_kind(tuple | list, **{f"cache.{name}": kept})
        if len(kept) != len(layers):
            raise ValueError(f"cache.{name}: expected one array for each of {len(layers)} layers, got {len(kept)}")
    for axis, (name, kept) in enumerate(cache._asdict().items()):
        arrays = {f"cache.{name}[{i}]": array for i, array in enumerate(kept)}
        numerics.require_floats(**arrays, **{"layers[0].W": layers[0].W})
        for (at, array), layer in zip(arrays.items(), layers, strict=True):
            numerics.require_shape(("n", layer.W.shape[axis]), **{at: array})
            numerics.require_shape((len(cache.inputs[0]), layer.W.shape[axis]), **{at: array})
            numerics.require_rows(**{at: array})
    return cache


def _require_labels(head: str, output: Array, labels: Array | IntArray) -> None:
    """Raise where labels are no targets; those of the other heads are checked by their losses."""
    if head == "identity":
        numerics.require_floats(labels=labels, output=output)
        numerics.require_shape(output.shape, labels=labels)
