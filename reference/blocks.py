"""Blocks: layers of any kind as values, which are chained into a network and trained by `training.fit`.

A `Block` is its parameters, its running statistics, and a pure function of these and x, which returns the output, the
new statistics and a pull-back of gradients; `chain` makes one block of several, `residual_block` adds a shortcut.
Nothing keeps a state: a trained network is a new block. Arrays share one dtype, float32 or float64, which the results
keep (TypeError otherwise); sizes that do not fit are a ValueError, found when a block is made or when it is given an x.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from reference import _numerics as numerics
from reference._types import Array, Count, Fraction, Positive
from reference.convolution import conv2d, conv2d_vjp
from reference.initialization import he_normal
from reference.layers import (
    Activation,
    InceptionParams,
    _activation,
    affine,
    affine_vjp,
    flatten,
    flatten_vjp,
    inception,
    inception_vjp,
)
from reference.networks import Layer
from reference.normalization import (
    RunningStatistics,
    batch_norm,
    batch_norm_vjp,
    batch_norm_when_evaluating,
    batch_norm_when_evaluating_vjp,
    running_statistics,
)
from reference.pooling import global_avg_pool, global_avg_pool_vjp, max_pool2d, max_pool2d_vjp
from reference.regularization import dropout, dropout_mask, dropout_vjp

Initialization: TypeAlias = Callable[..., Array]
Params: TypeAlias = Any
"""Arrays in nested tuples; an empty tuple for a block without any."""


class Pulled(NamedTuple):
    """The gradients by the input of a block and by its parameters, in the shape of these."""

    dx: Array
    grads: Params


class Pass(NamedTuple):
    """One pass through a block: the output, the statistics after it, and the way back for a cotangent."""

    y: Array
    statistics: Params
    pull: Callable[[Array], Pulled]


class Block(NamedTuple):
    """Parameters, running statistics, and forward(params, statistics, x, generator), where None means evaluation."""

    params: Params
    statistics: Params
    forward: Callable[[Params, Params, Array, np.random.Generator | None], Pass]


def predict(network: Block, x: Array) -> Array:
    """The output of a network in use: running statistics instead of the batch's, and nothing dropped.

    >>> network = chain(dense_block(2, 3, np.random.default_rng(0)), dropout_block(p=0.5))
    >>> predict(network, np.zeros((1, 2)))
    array([[0., 0., 0.]])
    """
    numerics.require_kind(Block, network=network)
    numerics.require_floats(x=x)
    return network.forward(network.params, network.statistics, x, None).y


def chain(*blocks: Block) -> Block:
    """One block after another; the gradient goes back through them in the other order.

    Parameters and statistics are tuples with those of each block. Raises ValueError without any.
    Source: 003_bda8f24b635fcb71.txt (the chain rule).

    >>> half = activation_block("relu")
    >>> predict(chain(half, flatten_block()), np.array([[[-1.0], [2.0]]]))
    array([[0., 2.]])
    """
    if not blocks:
        raise ValueError("blocks: expected at least one block, got none")
    numerics.require_kind(Block, **{f"blocks[{i}]": block for i, block in enumerate(blocks)})

    def forward(params: Params, statistics: Params, x: Array, generator: np.random.Generator | None) -> Pass:
        _require_parts(len(blocks), params=params, statistics=statistics)
        passes: list[Pass] = []
        for block, own, known in zip(blocks, params, statistics, strict=True):
            passes.append(block.forward(own, known, passes[-1].y if passes else x, generator))

        def pull(cotangent: Array) -> Pulled:
            grads = []
            for one in reversed(passes):
                cotangent, grad = one.pull(cotangent)
                grads.append(grad)
            return Pulled(cotangent, tuple(reversed(grads)))

        return Pass(passes[-1].y, tuple(one.statistics for one in passes), pull)

    return Block(tuple(block.params for block in blocks), tuple(block.statistics for block in blocks), forward)


def residual_block(block: Block) -> Block:
    """x + f(x) for a block f that keeps the shape: what goes back is the cotangent plus f's own, (I + J)ᵀ g.

    Raises ValueError where f changes the shape. Source: He, Zhang, Ren and Sun 2016; 003_bda8f24b635fcb71.txt.

    >>> predict(residual_block(activation_block("relu")), np.array([[-1.0, 2.0]]))
    array([[-1.,  4.]])
    """
    numerics.require_kind(Block, block=block)

    def forward(params: Params, statistics: Params, x: Array, generator: np.random.Generator | None) -> Pass:
        inner = block.forward(params, statistics, x, generator)
        numerics.require_same_shape(x=x, **{"f(x)": inner.y})

        def pull(cotangent: Array) -> Pulled:
            dx, grads = inner.pull(cotangent)
            return Pulled(cotangent + dx, grads)

        return Pass(x + inner.y, inner.statistics, pull)

    return block._replace(forward=forward)


def dense_block(
    d_in: Count,
    d_out: Count,
    generator: np.random.Generator,
    *,
    bias: bool = True,
    initialization: Initialization = he_normal,
    dtype: npt.DTypeLike = np.float64,
) -> Block:
    """`affine`, with weights drawn by an initialization and a bias of zeros; its parameters are a `Layer`.

    With bias=False they are (W,): a bias before batch norm is taken off again with the mean, and its gradient is
    nothing but rounding.

    >>> dense_block(2, 3, np.random.default_rng(0)).params.b
    array([0., 0., 0.])
    """
    numerics.require_counts(d_in=d_in, d_out=d_out)
    numerics.require_flag(bias=bias)
    W = _drawn(initialization, (d_in, d_out), generator, dtype)
    zeros = np.zeros(d_out, W.dtype)

    def transformed(params: Params, x: Array) -> Array:
        numerics.require_shape(("n", d_in), x=x)
        return affine(x, params[0], params[1] if bias else zeros)

    def pulled(params: Params, x: Array, cotangent: Array) -> Pulled:
        dx, dW, db = affine_vjp(x, params[0], params[1] if bias else zeros, cotangent)
        return Pulled(dx, Layer(dW, db) if bias else (dW,))

    return _pure_block(
        Layer(W, zeros) if bias else (W,),
        transformed,
        pulled,
    )


def conv_block(
    in_channels: Count,
    out_channels: Count,
    generator: np.random.Generator,
    *,
    kernel_size: Count = 3,
    stride: Count = 1,
    padding: int = 0,
    bias: bool = True,
    initialization: Initialization = he_normal,
    dtype: npt.DTypeLike = np.float64,
) -> Block:
    """`conv2d`, with kernels drawn by an initialization and a bias of zeros; its parameters are (w, b).

    With bias=False they are (w,), as in `dense_block`.

    >>> [array.shape for array in conv_block(2, 3, np.random.default_rng(0), kernel_size=5).params]
    [(3, 2, 5, 5), (3,)]
    """
    numerics.require_counts(in_channels=in_channels, out_channels=out_channels, kernel_size=kernel_size)
    numerics.require_counts(stride=stride)
    numerics.require_counts(0, padding=padding)
    numerics.require_flag(bias=bias)
    w = _drawn(initialization, (out_channels, in_channels, kernel_size, kernel_size), generator, dtype)
    zeros = np.zeros(out_channels, w.dtype)

    def convolved(params: Params, x: Array) -> Array:
        numerics.require_shape(("n", in_channels, "h", "v"), x=x)
        return conv2d(x, params[0], params[1] if bias else zeros, stride=stride, padding=padding)

    def pulled(params: Params, x: Array, cotangent: Array) -> Pulled:
        kernels, biases = params[0], params[1] if bias else zeros
        dx, dw, db = conv2d_vjp(x, kernels, biases, cotangent, stride=stride, padding=padding)
        return Pulled(dx, (dw, db) if bias else (dw,))

    return _pure_block((w, zeros) if bias else (w,), convolved, pulled)


def batch_norm_block(
    d: Count, *, momentum: Fraction = 0.1, eps: Positive = 1e-5, dtype: npt.DTypeLike = np.float64
) -> Block:
    """`batch_norm` in training, which moves the running statistics, and `batch_norm_when_evaluating` in use.

    Its parameters are (gamma, beta), at first ones and zeros, its statistics `RunningStatistics`, zeros and ones.

    >>> predict(batch_norm_block(2, eps=3.0), np.array([[2.0, 4.0]]))
    array([[1., 2.]])
    """
    numerics.require_counts(d=d)
    numerics.require_positive(eps=eps)
    numerics.require_probabilities(momentum=momentum)

    def forward(params: Params, statistics: Params, x: Array, generator: np.random.Generator | None) -> Pass:
        _require_parts(2, params=params, statistics=statistics)
        (gamma, beta), (mean, var) = params, statistics
        numerics.require_shape(("n", d, "h", "v") if len(x.shape) == 4 else ("n", d), x=x)

        def pull(cotangent: Array) -> Pulled:
            if generator is None:
                grads = batch_norm_when_evaluating_vjp(x, gamma, beta, mean, var, cotangent, eps=eps)
            else:
                grads = batch_norm_vjp(x, gamma, beta, cotangent, eps=eps)
            return Pulled(grads.dx, (grads.dgamma, grads.dbeta))

        if generator is None:
            return Pass(batch_norm_when_evaluating(x, gamma, beta, mean, var, eps=eps), statistics, pull)
        moved = running_statistics(x, mean, var, momentum=momentum)
        return Pass(batch_norm(x, gamma, beta, eps=eps), moved, pull)

    kind = numerics.floating(dtype)
    ones, zeros = np.ones(d, kind), np.zeros(d, kind)
    return Block((ones, zeros), RunningStatistics(zeros, ones), forward)


def dropout_block(*, p: Fraction = 0.5) -> Block:
    """`dropout` with a new mask in every pass of training, drawn from the generator of the pass; nothing in use.

    >>> predict(dropout_block(p=0.5), np.array([[1.0, 2.0]]))
    array([[1., 2.]])
    """
    numerics.require_fraction(p=p)

    def forward(params: Params, statistics: Params, x: Array, generator: np.random.Generator | None) -> Pass:
        _require_parts(0, params=params, statistics=statistics)
        if generator is None:
            return Pass(x, statistics, lambda cotangent: Pulled(cotangent, ()))
        mask = dropout_mask(x, generator, p=p)
        return Pass(
            dropout(x, mask, p=p), statistics, lambda cotangent: Pulled(dropout_vjp(x, mask, cotangent, p=p), ())
        )

    return Block((), (), forward)


def inception_block(
    in_channels: Count,
    generator: np.random.Generator,
    *,
    ch1x1: Count,
    ch3x3red: Count,
    ch3x3: Count,
    ch5x5red: Count,
    ch5x5: Count,
    pool_proj: Count,
    initialization: Initialization = he_normal,
    dtype: npt.DTypeLike = np.float64,
) -> Block:
    """`inception`, with its kernels drawn by an initialization and biases of zeros; names as in torchvision.

    >>> sizes = {"ch1x1": 2, "ch3x3red": 3, "ch3x3": 4, "ch5x5red": 1, "ch5x5": 2, "pool_proj": 1}
    >>> predict(inception_block(5, np.random.default_rng(0), **sizes), np.ones((1, 5, 4, 6))).shape
    (1, 9, 4, 6)
    """
    numerics.require_counts(in_channels=in_channels, ch1x1=ch1x1, ch3x3red=ch3x3red, ch3x3=ch3x3)
    numerics.require_counts(ch5x5red=ch5x5red, ch5x5=ch5x5, pool_proj=pool_proj)
    shapes = (
        (ch1x1, in_channels, 1, 1),
        (ch3x3red, in_channels, 1, 1),
        (ch3x3, ch3x3red, 3, 3),
        (ch5x5red, in_channels, 1, 1),
        (ch5x5, ch5x5red, 5, 5),
        (pool_proj, in_channels, 1, 1),
    )
    made: list[Array] = []
    for shape in shapes:
        w = _drawn(initialization, shape, generator, dtype)
        made += [w if shape[2] > 1 else w[:, :, 0, 0], np.zeros(shape[0], w.dtype)]

    def concatenated(params: Params, x: Array) -> Array:
        numerics.require_shape(("n", in_channels, "h", "v"), x=x)
        return inception(x, params)

    return _pure_block(
        InceptionParams(*made),
        concatenated,
        lambda params, x, cotangent: Pulled(*inception_vjp(x, params, cotangent)),
    )


def activation_block(activation: Activation) -> Block:
    """An activation, entry by entry.

    >>> predict(activation_block("relu"), np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """
    f, f_vjp = _activation(activation)
    return _pure_block((), lambda _, x: f(x), lambda _, x, cotangent: Pulled(f_vjp(x, cotangent), ()))


def max_pool_block(*, kernel_size: Count = 2) -> Block:
    """`max_pool2d` whose windows do not overlap.

    >>> predict(max_pool_block(), np.array([[[[1.0, 2.0], [4.0, 3.0]]]]))
    array([[[[4.]]]])
    """
    numerics.require_counts(kernel_size=kernel_size)
    return _pure_block(
        (),
        lambda _, x: max_pool2d(x, kernel_size=kernel_size),
        lambda _, x, cotangent: Pulled(max_pool2d_vjp(x, cotangent, kernel_size=kernel_size), ()),
    )


def global_avg_pool_block() -> Block:
    """`global_avg_pool`: the mean of every channel.

    >>> predict(global_avg_pool_block(), np.array([[[[1.0, 2.0], [4.0, 3.0]]]]))
    array([[2.5]])
    """
    return _pure_block(
        (), lambda _, x: global_avg_pool(x), lambda _, x, cotangent: Pulled(global_avg_pool_vjp(x, cotangent), ())
    )


def flatten_block() -> Block:
    """`flatten`: every sample as one row.

    >>> predict(flatten_block(), np.zeros((3, 2, 4, 4))).shape
    (3, 32)
    """
    return _pure_block((), lambda _, x: flatten(x), lambda _, x, cotangent: Pulled(flatten_vjp(x, cotangent), ()))


# --- helpers ----------------------------------------------------------------------------------------------------------


def _require_parts(parts: int, **tuples: Params) -> None:
    """Raise where the parameters or the statistics of a block are not those of such a block."""
    numerics.require_kind(tuple, **tuples)
    for name, found in tuples.items():
        if len(found) != parts:
            raise ValueError(f"{name}: expected a tuple of {parts}, as the block was made with, got {len(found)}")


def _drawn(
    initialization: Initialization, shape: tuple[int, ...], generator: np.random.Generator, dtype: npt.DTypeLike
) -> Array:
    """Return first weights; raise unless the initialization gave them this shape and dtype."""
    numerics.require_function(initialization=initialization)
    numerics.require_generator(generator)
    kind = numerics.floating(dtype)
    w = initialization(shape, generator, dtype=kind)
    numerics.require_floats(**{"initialization(shape)": w, "dtype": np.empty(0, kind)})
    numerics.require_shape(shape, **{"initialization(shape)": w})
    return w


def _pure_block(
    params: Params, f: Callable[[Params, Array], Array], f_vjp: Callable[[Params, Array, Array], Pulled]
) -> Block:
    """Return a block without statistics that is the same in training and in use."""
    parts = len(params)

    def forward(params: Params, statistics: Params, x: Array, generator: np.random.Generator | None) -> Pass:
        _require_parts(parts, params=params)
        _require_parts(0, statistics=statistics)
        return Pass(f(params, x), statistics, lambda cotangent: f_vjp(params, x, cotangent))

    return Block(params, (), forward)
