"""Layers: the forward map, and its gradients by every input. Rows are samples.

Arrays share one dtype, float32 or float64, which the results keep (TypeError otherwise); sizes that do not fit and an
empty batch are a ValueError. Samples of more axes are flattened by the caller, with `flatten`.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple, TypeAlias

import numpy as np

from reference import _numerics as numerics
from reference import activations
from reference._types import Array, Count
from reference.convolution import conv2d, conv2d_vjp, n_parameters, pointwise_conv2d, pointwise_conv2d_vjp
from reference.pooling import max_pool2d, max_pool2d_vjp

Inputs = Annotated[Array, "n d_in"]
Weights = Annotated[Array, "d_in d_out"]
Bias = Annotated[Array, "d_out"]
Outputs = Annotated[Array, "n d_out"]
Images = Annotated[Array, "n c h v"]
Table = Annotated[Array, "n d"]
First = Annotated[Array, "n c_a h v"]
Second = Annotated[Array, "n c_b h v"]
Both = Annotated[Array, "n c h v"]
Widening = Annotated[Array, "d m"]
Narrowing = Annotated[Array, "m d"]

Map: TypeAlias = Callable[[Array], Array]
Vjp: TypeAlias = Callable[[Array, Array], Array]
Activation: TypeAlias = Literal["identity", "sigmoid", "tanh", "relu", "leaky_relu", "softplus", "gelu", "silu"]


class AffineGrads(NamedTuple):
    """The gradients by x, W and b, in the order of the arguments."""

    dx: Inputs
    dW: Weights  # noqa: N815 - the mathematical name
    db: Bias


class ResidualUnitGrads(NamedTuple):
    """The gradients by x, W and V, in the order of the arguments."""

    dx: Table
    dW: Widening  # noqa: N815 - the mathematical name
    dV: Narrowing  # noqa: N815 - the mathematical name


class ConcatenateChannelsGrads(NamedTuple):
    """The gradients by a and b, in the order of the arguments."""

    da: First
    db: Second


class InceptionParams(NamedTuple):
    """Weights and biases of an inception module: those of one pixel are matrices (out, in), the others (out, in, k, k).

    The four branches: 1×1; a reduction and 3×3; a reduction and 5×5; pooling and a projection.
    """

    w1x1: Array
    b1x1: Array
    w3x3red: Array
    b3x3red: Array
    w3x3: Array
    b3x3: Array
    w5x5red: Array
    b5x5red: Array
    w5x5: Array
    b5x5: Array
    w_pool: Array
    b_pool: Array


class InceptionGrads(NamedTuple):
    """The gradients by x and params, in the order of the arguments."""

    dx: Images
    dparams: InceptionParams


# --- one layer --------------------------------------------------------------------------------------------------------


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


def flatten(x: Images) -> Table:
    """Every sample as one row: (n, …) becomes (n, d), with the entries in the order in which they are indexed.

    Shapes: x of any shape but that of a scalar (ValueError), empty ones too.
    Source: 002_8e0f3b4f5874cfed.txt (32 × 32 × 3 pixels are 3072 numbers).

    >>> flatten(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    array([[1., 2., 3., 4.]])
    """
    numerics.require_floats(x=x)
    if not x.shape:
        raise ValueError("x: expected samples along a first axis, got a scalar")
    return np.reshape(x, (x.shape[0], int(np.prod(x.shape[1:])))).copy()


def flatten_vjp(x: Images, cotangent: Table) -> Images:
    """The cotangent in the shape of x. Shapes and errors as in `flatten`, the cotangent (n, d); source as there.

    >>> flatten_vjp(np.zeros((1, 2, 1)), np.array([[5.0, 6.0]]))
    array([[[5.],
            [6.]]])
    """
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_shape(flatten(x).shape, cotangent=cotangent)
    return np.reshape(cotangent, x.shape).copy()


# --- shortcuts and branches -------------------------------------------------------------------------------------------


def residual(x: Array, f: Map) -> Array:
    """x + f(x): f learns what is left of the wanted map when x is taken off.

    Shapes: x any, f a function that keeps the shape (ValueError otherwise) and the dtype (TypeError), such as a lambda
    with its weights.
    Source: He, Zhang, Ren and Sun 2016; 003_bda8f24b635fcb71.txt (F(x) = H(x) − x).

    >>> residual(np.array([1.0, 2.0]), lambda x: x * x)
    array([2., 6.])
    """
    numerics.require_floats(x=x)
    numerics.require_function(f=f)
    y = f(x)
    numerics.require_floats(x=x, **{"f(x)": y})
    numerics.require_same_shape(x=x, **{"f(x)": y})
    return x + y


def residual_vjp(x: Array, f_vjp: Vjp, cotangent: Array) -> Array:
    """(I + J)ᵀ g = g + Jᵀ g, with f_vjp(x, g) = Jᵀ g for the Jacobian J of f at x: the gradient by x.

    Shapes: x, the cotangent g and the result alike. What f's own weights get is f's business: they see g unchanged.
    Source: as `residual`.

    >>> residual_vjp(np.array([1.0, 2.0]), lambda x, g: 2 * x * g, np.array([1.0, 10.0]))
    array([ 3., 50.])
    """
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_same_shape(x=x, cotangent=cotangent)
    numerics.require_function(f_vjp=f_vjp)
    through = f_vjp(x, cotangent)
    numerics.require_floats(x=x, **{"f_vjp(x, cotangent)": through})
    numerics.require_same_shape(x=x, **{"f_vjp(x, cotangent)": through})
    return cotangent + through


def residual_unit(x: Table, W: Widening, V: Narrowing, *, activation: Activation = "relu") -> Table:
    """x + g(x W) V, a residual block of two layers without biases.

    Shapes: x (n, d), W (d, m), V (m, d), result (n, d). With V = 0 it is the identity. Source: as `residual`.

    >>> residual_unit(np.array([[1.0, 2.0]]), np.array([[3.0], [-1.0]]), np.array([[0.5, 10.0]]))
    array([[ 1.5, 12. ]])
    """
    _require_unit(x, W, V)
    g, _ = _activation(activation)
    return x + g(x @ W) @ V


def residual_unit_vjp(
    x: Table, W: Widening, V: Narrowing, cotangent: Table, *, activation: Activation = "relu"
) -> ResidualUnitGrads:
    """dx = g + δ Wᵀ, dW = xᵀ δ, dV = hᵀ g with h = a(x W), δ = a'(x W) (g Vᵀ), for the activation a.

    Shapes and errors as in `residual_unit`, the cotangent g has the shape of x. Source: as `residual`.

    >>> x, W, V = np.array([[1.0, 2.0]]), np.array([[3.0], [-1.0]]), np.array([[0.5, 10.0]])
    >>> residual_unit_vjp(x, W, V, np.array([[2.0, 1.0]])).dx
    array([[ 35., -10.]])
    """
    _require_unit(x, W, V)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_same_shape(x=x, cotangent=cotangent)
    a, a_vjp = _activation(activation)
    z = x @ W
    error = a_vjp(z, cotangent @ V.T)
    return ResidualUnitGrads(dx=cotangent + error @ W.T, dW=x.T @ error, dV=a(z).T @ cotangent)


def concatenate_channels(a: First, b: Second) -> Both:
    """The channels of a, then those of b: (n, c_a, h, v) and (n, c_b, h, v) become (n, c_a + c_b, h, v).

    Raises ValueError where samples, rows or columns differ. Source: Szegedy et al. 2015; 003_bda8f24b635fcb71.txt.

    >>> concatenate_channels(np.array([[[[1.0, 2.0]]]]), np.array([[[[3.0, 4.0]], [[5.0, 6.0]]]])).tolist()
    [[[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]]
    """
    _require_branches(a, b)
    return np.concatenate([a, b], axis=1)


def concatenate_channels_vjp(a: First, b: Second, cotangent: Both) -> ConcatenateChannelsGrads:
    """The cotangent, cut where the parts meet. Shapes, errors and source as in `concatenate_channels`.

    >>> a, b = np.zeros((1, 1, 1, 1)), np.zeros((1, 1, 1, 1))
    >>> concatenate_channels_vjp(a, b, np.array([[[[7.0]], [[8.0]]]])).db
    array([[[[8.]]]])
    """
    _require_branches(a, b)
    numerics.require_floats(a=a, cotangent=cotangent)
    meet = a.shape[1]
    numerics.require_shape((len(a), meet + b.shape[1], *a.shape[2:]), cotangent=cotangent)
    return ConcatenateChannelsGrads(cotangent[:, :meet].copy(), cotangent[:, meet:].copy())


# --- the inception module ---------------------------------------------------------------------------------------------


def inception(x: Images, params: InceptionParams) -> Images:
    """[r(1×1 x), r(3×3 r(1×1 x)), r(5×5 r(1×1 x)), r(1×1 pool x)], their channels concatenated, with the rectifier r.

    Shapes: x (n, c, h, v), result (n, c1 + c3 + c5 + c_pool, h, v): the paddings keep the size, and the maximum is
    taken over 3 × 3 with stride 1. The 1×1 convolutions before 3×3 and 5×5 reduce the channels, and so the cost.
    Source: Szegedy et al. 2015, figure 2b; 003_bda8f24b635fcb71.txt.

    >>> one, zero = np.ones((1, 1)), np.zeros(1)
    >>> kernels = [one, zero, one, zero, np.ones((1, 1, 3, 3)), zero, one, zero, np.ones((1, 1, 5, 5)), zero, one, zero]
    >>> inception(np.array([[[[1.0, -2.0]]]]), InceptionParams(*kernels)).tolist()
    [[[[1.0, 0.0]], [[1.0, 1.0]], [[1.0, 1.0]], [[1.0, 1.0]]]]
    """
    p = _require_inception(x, params)
    pooled = max_pool2d(x, kernel_size=3, stride=1, padding=1)
    a = activations.relu(pointwise_conv2d(x, p.w1x1, p.b1x1))
    b = _reduced(x, p.w3x3red, p.b3x3red, p.w3x3, p.b3x3)
    c = _reduced(x, p.w5x5red, p.b5x5red, p.w5x5, p.b5x5)
    d = activations.relu(pointwise_conv2d(pooled, p.w_pool, p.b_pool))
    return concatenate_channels(concatenate_channels(a, b), concatenate_channels(c, d))


def inception_vjp(x: Images, params: InceptionParams, cotangent: Images) -> InceptionGrads:
    """Each branch gets its channels of the cotangent, and x the sum of what the four give back.

    Shapes and errors as in `inception`, the cotangent has the shape of its result. Source: as there.

    >>> one, zero = np.ones((1, 1)), np.zeros(1)
    >>> kernels = [one, zero, one, zero, np.ones((1, 1, 3, 3)), zero, one, zero, np.ones((1, 1, 5, 5)), zero, one, zero]
    >>> inception_vjp(np.array([[[[1.0, -2.0]]]]), InceptionParams(*kernels), np.ones((1, 4, 1, 2))).dx
    array([[[[7., 0.]]]])
    """
    p = _require_inception(x, params)
    numerics.require_floats(x=x, cotangent=cotangent)
    widths = [len(p.w1x1), len(p.w3x3), len(p.w5x5), len(p.w_pool)]
    numerics.require_shape((len(x), sum(widths), *x.shape[2:]), cotangent=cotangent)
    first, second, third = (sum(widths[: i + 1]) for i in range(3))
    pooled = max_pool2d(x, kernel_size=3, stride=1, padding=1)
    a = _rectified_vjp(x, p.w1x1, p.b1x1, cotangent[:, :first])
    b = _reduced_vjp(x, p.w3x3red, p.b3x3red, p.w3x3, p.b3x3, cotangent[:, first:second])
    c = _reduced_vjp(x, p.w5x5red, p.b5x5red, p.w5x5, p.b5x5, cotangent[:, second:third])
    d = _rectified_vjp(pooled, p.w_pool, p.b_pool, cotangent[:, third:])
    through_pool = max_pool2d_vjp(x, d[0], kernel_size=3, stride=1, padding=1)
    return InceptionGrads(a[0] + b[0] + c[0] + through_pool, InceptionParams(*a[1:], *b[1:], *c[1:], *d[1:]))


def n_inception_parameters(
    *, in_channels: Count, ch1x1: Count, ch3x3red: Count, ch3x3: Count, ch5x5red: Count, ch5x5: Count, pool_proj: Count
) -> int:
    """The sum of (F² D + 1) K over the six convolutions of an inception module.

    Names as in torchvision. A reduction to K₁ channels before K filters of F × F saves parameters iff
    K₁ < F² D K / (D + 1 + F² K). Source: Szegedy et al. 2015, table 1; 003_bda8f24b635fcb71.txt (there D for K₁).

    >>> n_inception_parameters(in_channels=192, ch1x1=64, ch3x3red=96, ch3x3=128, ch5x5red=16, ch5x5=32, pool_proj=32)
    163696
    """
    numerics.require_counts(
        in_channels=in_channels,
        ch1x1=ch1x1,
        ch3x3red=ch3x3red,
        ch3x3=ch3x3,
        ch5x5red=ch5x5red,
        ch5x5=ch5x5,
        pool_proj=pool_proj,
    )
    of_one_pixel = ch1x1 + ch3x3red + ch5x5red + pool_proj
    return (
        n_parameters(in_channels=in_channels, out_channels=of_one_pixel, kernel_size=1)
        + n_parameters(in_channels=ch3x3red, out_channels=ch3x3, kernel_size=3)
        + n_parameters(in_channels=ch5x5red, out_channels=ch5x5, kernel_size=5)
    )


def _reduced(x: Array, w_red: Array, b_red: Array, w: Array, b: Array) -> Array:
    """Return a branch: a reduction of the channels, a convolution that keeps the size, a rectifier after each."""
    inner = activations.relu(pointwise_conv2d(x, w_red, b_red))
    return activations.relu(conv2d(inner, w, b, padding=_same(w)))


def _reduced_vjp(
    x: Array, w_red: Array, b_red: Array, w: Array, b: Array, cotangent: Array
) -> tuple[Array, Array, Array, Array, Array]:
    inner = activations.relu(pointwise_conv2d(x, w_red, b_red))
    error = activations.relu_vjp(conv2d(inner, w, b, padding=_same(w)), cotangent)
    outer = conv2d_vjp(inner, w, b, error, padding=_same(w))
    dx, dw_red, db_red = _rectified_vjp(x, w_red, b_red, outer.dx)
    return dx, dw_red, db_red, outer.dw, outer.db


def _rectified_vjp(x: Array, w: Array, b: Array, cotangent: Array) -> tuple[Array, Array, Array]:
    error = activations.relu_vjp(pointwise_conv2d(x, w, b), cotangent)
    return pointwise_conv2d_vjp(x, w, b, error)


def _same(w: Array) -> tuple[int, int]:
    """Return the padding that keeps the size, for a kernel of odd size."""
    return w.shape[2] // 2, w.shape[3] // 2


# --- helpers ----------------------------------------------------------------------------------------------------------


def _activation(name: str) -> tuple[Map, Vjp]:
    """Return the activation of this name and its vjp."""
    numerics.require_word(Activation, activation=name)
    if name == "identity":
        return (lambda z: z), (lambda z, cotangent: cotangent)
    return getattr(activations, name), getattr(activations, f"{name}_vjp")


def _require_unit(x: Array, W: Array, V: Array) -> None:
    numerics.require_floats(x=x, W=W, V=V)
    numerics.require_shape(("n", "d"), x=x)
    numerics.require_rows(x=x)
    numerics.require_shape((x.shape[1], "m"), W=W)
    numerics.require_rows(W=W)
    numerics.require_shape((W.shape[1], x.shape[1]), V=V)


def _require_branches(a: Array, b: Array) -> None:
    numerics.require_floats(a=a, b=b)
    numerics.require_shape(("n", "c_a", "h", "v"), a=a)
    numerics.require_shape((len(a), "c_b", *a.shape[2:]), b=b)
    numerics.require_rows(a=a, b=b)


def _require_sizes(x: Array, W: Array, b: Array) -> None:
    numerics.require_floats(x=x, W=W, b=b)
    numerics.require_shape(("n", "d_in"), x=x)
    numerics.require_rows(x=x)
    numerics.require_shape((x.shape[1], "d_out"), W=W)
    numerics.require_rows(W=W)
    numerics.require_shape((W.shape[1],), b=b)


def _require_inception(x: Array, params: InceptionParams) -> InceptionParams:
    """Return the parameters by name; raise where they do not fit each other or x."""
    fields = InceptionParams._fields
    numerics.require_kind(tuple | list, params=params)
    if len(params) != len(fields):
        raise ValueError(f"params: expected {len(fields)} arrays, {', '.join(fields)}, got {len(params)}")
    p = InceptionParams(*params)
    numerics.require_floats(x=x, **p._asdict())
    numerics.require_shape(("n", "c", "h", "v"), x=x)
    numerics.require_rows(x=x)
    one_pixel, kernels = ("w1x1", "w3x3red", "w5x5red", "w_pool"), (("w3x3", "w3x3red"), ("w5x5", "w5x5red"))
    for name in one_pixel:
        numerics.require_shape(("c_out", x.shape[1]), **{name: getattr(p, name)})
        numerics.require_rows(**{name: getattr(p, name)})
    for name, before in kernels:
        numerics.require_shape(("c_out", len(getattr(p, before)), "k", "k"), **{name: getattr(p, name)})
        numerics.require_rows(**{name: getattr(p, name)})
        if any(size % 2 == 0 for size in getattr(p, name).shape[2:]):
            raise ValueError(f"{name}: expected an odd size, which a padding can keep, got {getattr(p, name).shape}")
    for name in (*one_pixel, *(name for name, _ in kernels)):
        numerics.require_shape((len(getattr(p, name)),), **{f"b{name[1:]}": getattr(p, f"b{name[1:]}")})
    return p
