"""Initialization: weights drawn so that a layer keeps the variance of what goes through it.

A shape of two axes is a dense layer's, W (d_in, d_out) with fans d_in and d_out; one of three or more is a
convolution's, (out, in, …) with a field of the remaining axes: the fans are in and out times the entries of the field.
(PyTorch's Linear holds W transposed, so that its fans are the other way round.) Every function draws from the generator
it is given and from nothing else, and a seed gives the same weights, rounded, in float32 as in float64. Raises
ValueError on a shape of one axis or with an empty one, TypeError on what is no tuple of ints, and on another dtype or
generator.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from reference import _numerics as numerics
from reference._types import Array

Shape: TypeAlias = tuple[int, ...]


class Fans(NamedTuple):
    """How many numbers a unit's sum has, and into how many sums an input goes."""

    fan_in: int
    fan_out: int


def fans(shape: Shape) -> Fans:
    """(d_in, d_out) of a dense layer, (in · field, out · field) of a convolution (out, in, …).

    Source: Glorot and Bengio 2010; He, Zhang, Ren and Sun 2015, section 2.2 (k² c and k² d).

    >>> fans((784, 100))
    Fans(fan_in=784, fan_out=100)
    >>> fans((32, 16, 3, 5))
    Fans(fan_in=240, fan_out=480)
    """
    if not isinstance(shape, tuple):
        raise TypeError(f"shape: expected a tuple of ints, got {type(shape).__name__}")
    if len(shape) < 2:
        raise ValueError(f"shape: expected (d_in, d_out) or (out, in, ...), got {shape}; start a bias at zero")
    numerics.require_counts(**{f"shape[{axis}]": size for axis, size in enumerate(shape)})
    if len(shape) == 2:
        return Fans(*shape)
    n_out, n_in, *field = shape
    return Fans(n_in * math.prod(field), n_out * math.prod(field))


def normal_fan_in(shape: Shape, generator: np.random.Generator, *, dtype: npt.DTypeLike = np.float64) -> Array:
    """N(0, 1 / fan_in), which keeps the variance of a linear layer.

    The lectures call it Xavier's; Glorot's own rule is `glorot_normal`. Source: 004_64b996b1ba6bbd2b.txt.

    >>> W = normal_fan_in((400, 300), np.random.default_rng(0))
    >>> W.shape, round(float(400 * W.var()), 2)
    ((400, 300), 1.0)
    """
    return _normal(shape, generator, dtype, 1 / fans(shape).fan_in)


def glorot_normal(shape: Shape, generator: np.random.Generator, *, dtype: npt.DTypeLike = np.float64) -> Array:
    """N(0, 2 / (fan_in + fan_out)), between keeping the variance forwards and keeping that of gradients backwards.

    Source: Glorot and Bengio 2010, equation 12; 004_64b996b1ba6bbd2b.txt names it after Xavier Glorot.

    >>> round(float(350 * glorot_normal((400, 300), np.random.default_rng(0)).var()), 2)
    1.0
    """
    return _normal(shape, generator, dtype, 2 / sum(fans(shape)))


def glorot_uniform(shape: Shape, generator: np.random.Generator, *, dtype: npt.DTypeLike = np.float64) -> Array:
    """Uniform on ±√(6 / (fan_in + fan_out)): the variance of `glorot_normal`, a third of the bound squared.

    Source: Glorot and Bengio 2010, equation 16.

    >>> round(float(350 * glorot_uniform((400, 300), np.random.default_rng(0)).var()), 2)
    1.0
    """
    return _uniform(shape, generator, dtype, 2 / sum(fans(shape)))


def he_normal(shape: Shape, generator: np.random.Generator, *, dtype: npt.DTypeLike = np.float64) -> Array:
    """N(0, 2 / fan_in), which keeps the mean square through ReLU, where half of it is lost.

    Source: He, Zhang, Ren and Sun 2015, equation 10; 004_64b996b1ba6bbd2b.txt.

    >>> round(float(200 * he_normal((400, 300), np.random.default_rng(0)).var()), 2)
    1.0
    """
    return _normal(shape, generator, dtype, 2 / fans(shape).fan_in)


def he_uniform(shape: Shape, generator: np.random.Generator, *, dtype: npt.DTypeLike = np.float64) -> Array:
    """Uniform on ±√(6 / fan_in): the variance of `he_normal`. Source: as there.

    >>> round(float(200 * he_uniform((400, 300), np.random.default_rng(0)).var()), 2)
    1.0
    """
    return _uniform(shape, generator, dtype, 2 / fans(shape).fan_in)


def orthogonal(
    shape: Shape,
    generator: np.random.Generator,
    *,
    gain: float = 1.0,
    dtype: npt.DTypeLike = np.float64,
) -> Array:
    """gain · Q with orthonormal rows or columns, whichever are fewer; every such Q is as likely as any other.

    Q is from the QR decomposition of a normal matrix, each column times the sign of its diagonal entry of R, without
    which it would not be uniform (Mezzadri 2007). A convolution's kernel is taken as (out, in · field).
    Source: Saxe, McClelland and Ganguli 2014.

    >>> W = orthogonal((5, 3), np.random.default_rng(0))
    >>> bool(np.allclose(W.T @ W, np.eye(3)))
    True
    """
    fans(shape)
    kind = _checked(generator, dtype)
    numerics.require_positive(gain=gain)
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.where(np.diagonal(r) < 0, -1, 1)
    return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(kind)


def _normal(shape: Shape, generator: np.random.Generator, dtype: npt.DTypeLike, variance: float) -> Array:
    kind = _checked(generator, dtype)
    return generator.normal(0, math.sqrt(variance), shape).astype(kind)


def _uniform(shape: Shape, generator: np.random.Generator, dtype: npt.DTypeLike, variance: float) -> Array:
    kind, bound = _checked(generator, dtype), math.sqrt(3 * variance)
    return generator.uniform(-bound, bound, shape).astype(kind)


def _checked(generator: np.random.Generator, dtype: npt.DTypeLike) -> np.dtype[np.floating[Any]]:
    numerics.require_generator(generator)
    return numerics.floating(dtype)
