"""Normalization: batch, layer, RMS and group norm, their gradients, and the running statistics of batch norm.

Arrays share one dtype, float32 or float64, which the results keep (TypeError otherwise). The variance is the biased
one, a mean of squared deviations from the mean (two passes over the data, so that a large mean does not cancel), with
eps inside the root; gamma is the gain and beta the bias, PyTorch's weight and bias. Sizes that do not fit, an empty
batch and an eps that is not positive are a ValueError.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from reference import _numerics as numerics
from reference._types import Array, Count, Positive

Table = Annotated[Array, "n d"]
Images = Annotated[Array, "n c h v"]
Features = Annotated[Array, "d"]
Variances = Annotated[Array, "d", "nonnegative"]
Channels = Annotated[Array, "c"]
Samples = Table | Images
PerFeature = Features | Channels
PerFeatureVariances = Variances | Annotated[Array, "c", "nonnegative"]
Rows = Table | Annotated[Array, "n t d"]
Maps = Annotated[Array, "n c"] | Images
Momentum = Annotated[float, "fraction"]


class NormGrads(NamedTuple):
    """The gradients by x, gamma and beta, in the order of the arguments."""

    dx: Table
    dgamma: Features
    dbeta: Features


class RmsNormGrads(NamedTuple):
    """The gradients by x and gamma, in the order of the arguments."""

    dx: Table
    dgamma: Features


class RunningStatistics(NamedTuple):
    """What evaluation normalizes with, in the order in which `batch_norm_when_evaluating` takes it."""

    running_mean: Features
    running_var: Variances


# --- batch norm: each feature over the batch --------------------------------------------------------------------------


def batch_norm(x: Samples, gamma: PerFeature, beta: PerFeature, *, eps: Positive = 1e-5) -> Samples:
    """y = γ (x − μ) / √(σ² + ε) + β with the mean μ and the biased variance σ² of each feature over the batch.

    This is training; evaluation is `batch_norm_when_evaluating`, with the `running_statistics`.
    Shapes: x (n, d), or images (n, c, h, v), where a channel is a feature and every pixel a sample; gamma and beta (d,)
    or (c,); the result is like x.
    Source: Ioffe and Szegedy 2015; 003_bda8f24b635fcb71.txt.

    >>> batch_norm(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([1.0, 1.0]), np.array([0.0, 7.0]), eps=3.0)
    array([[-0.5,  7. ],
           [ 0.5,  7. ]])
    """
    _require_features(x, gamma=gamma, beta=beta)
    eps = numerics.require_positive(eps=eps)

    def normed(x: Array, gamma: Array, beta: Array) -> Array:
        c, r = _standardized(_by_feature(x), eps)
        return _by_sample(c * (r * gamma.T) + beta.T, x.shape)

    return numerics.in_blocks(normed, x, gamma[None], beta[None], axis=1, entries=_entries(x))


def batch_norm_vjp(
    x: Samples, gamma: PerFeature, beta: PerFeature, cotangent: Samples, *, eps: Positive = 1e-5
) -> NormGrads:
    """dx = γ / √(σ² + ε) · (g − mean g − x̂ mean(g x̂)), dγ = Σ g x̂, dβ = Σ g, with x̂ = (x − μ) / √(σ² + ε).

    Sums and means are over the batch, for images over the pixels too. Shapes and errors as in `batch_norm`, the
    cotangent g has the shape of x; dx sums to 0 over the batch. Source: the chain rule through x̂, σ² and μ.

    >>> x, one = np.array([[1.0], [3.0]]), np.array([1.0])
    >>> batch_norm_vjp(x, one, one, np.array([[0.0], [8.0]]), eps=3.0)
    NormGrads(dx=array([[-1.5],
           [ 1.5]]), dgamma=array([4.]), dbeta=array([8.]))
    """
    _require_features(x, gamma=gamma, beta=beta)
    eps = numerics.require_positive(eps=eps)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_same_shape(x=x, cotangent=cotangent)

    def grads(x: Array, gamma: Array, cotangent: Array) -> tuple[Array, ...]:
        g = _by_feature(cotangent)
        c, r = _standardized(_by_feature(x), eps)
        mean_g, mean_gx = np.mean(g, axis=1, keepdims=True), r * _mean_of_products(g, c)
        dx = (g - mean_g - c * (r * mean_gx)) * (r * gamma.T)
        return _by_sample(dx, x.shape), mean_gx.T * g.shape[1], mean_g.T * g.shape[1]

    dx, dgamma, dbeta = numerics.in_blocks(grads, x, gamma[None], cotangent, axis=1, entries=_entries(x))
    return NormGrads(dx, dgamma[0], dbeta[0])


def batch_norm_when_evaluating(
    x: Samples,
    gamma: PerFeature,
    beta: PerFeature,
    running_mean: PerFeature,
    running_var: PerFeatureVariances,
    *,
    eps: Positive = 1e-5,
) -> Samples:
    """y = γ (x − running_mean) / √(running_var + ε) + β: batch norm with statistics that no longer change.

    Shapes: x (n, d) or images (n, c, h, v), all others (d,) or (c,), result like x: every sample by itself.
    Raises ValueError on a negative variance. Source: Ioffe and Szegedy 2015.

    >>> one = np.array([1.0])
    >>> batch_norm_when_evaluating(np.array([[1.0], [4.0]]), one, one, np.array([2.0]), np.array([3.0]), eps=1.0)
    array([[0.5],
           [2. ]])
    """
    _require_running(x, gamma, beta, running_mean, running_var)
    eps = numerics.require_positive(eps=eps)
    gain = gamma / np.sqrt(running_var + eps)
    return (x - _spread(running_mean, x)) * _spread(gain, x) + _spread(beta, x)


def batch_norm_when_evaluating_vjp(
    x: Samples,
    gamma: PerFeature,
    beta: PerFeature,
    running_mean: PerFeature,
    running_var: PerFeatureVariances,
    cotangent: Samples,
    *,
    eps: Positive = 1e-5,
) -> NormGrads:
    """dx = γ g / √(running_var + ε), dγ = Σ g x̂, dβ = Σ g: the statistics are constants and get no gradient.

    Shapes and errors as in `batch_norm_when_evaluating`, the cotangent g has the shape of x; sums are over the batch,
    for images over the pixels too. Source: the chain rule.

    >>> one, g = np.array([1.0]), np.array([[2.0], [4.0]])
    >>> batch_norm_when_evaluating_vjp(np.array([[1.0], [4.0]]), one, one, one * 2, one * 3, g, eps=1.0).dgamma
    array([3.])
    """
    _require_running(x, gamma, beta, running_mean, running_var)
    eps = numerics.require_positive(eps=eps)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_same_shape(x=x, cotangent=cotangent)
    r = 1 / np.sqrt(running_var + eps)
    others = tuple(axis for axis in range(len(x.shape)) if axis != 1)
    return NormGrads(
        dx=cotangent * _spread(gamma * r, x),
        dgamma=r * np.sum(cotangent * (x - _spread(running_mean, x)), axis=others),
        dbeta=np.sum(cotangent, axis=others),
    )


def running_statistics(
    x: Samples, running_mean: PerFeature, running_var: PerFeatureVariances, *, momentum: Momentum = 0.1
) -> RunningStatistics:
    """running ← (1 − m) running + m new, with the mean of the batch and its *unbiased* variance, over N − 1.

    Shapes: x (n, d) or images (n, c, h, v), the statistics (d,) or (c,), at first zeros and ones. Conventions as in
    PyTorch: the momentum m in [0, 1] is the weight of the new statistic, and the variance is unbiased here, though not
    where it normalizes. Raises ValueError where a feature has one value only. Source: Ioffe and Szegedy 2015.

    >>> running_statistics(np.array([[1.0], [3.0]]), np.array([0.0]), np.array([1.0]), momentum=0.5)
    RunningStatistics(running_mean=array([1.]), running_var=array([1.5]))
    """
    numerics.require_floats(x=x, running_mean=running_mean, running_var=running_var)
    _require_features(x, running_mean=running_mean, running_var=running_var)
    numerics.require_nonnegative(running_var=running_var)
    momentum = numerics.require_probabilities(momentum=momentum)
    values = _by_feature(x)
    count = values.shape[1]
    if count < 2:
        raise ValueError(f"x: expected at least two values of each feature for an unbiased variance, got {x.shape}")
    c = _centered(values)
    variance = _mean_of_products(c, c)[:, 0] * count / (count - 1)
    kept = 1 - momentum
    return RunningStatistics(
        running_mean=kept * running_mean + momentum * np.mean(values, axis=1),
        running_var=kept * running_var + momentum * variance,
    )


# --- layer, RMS and group norm: each sample by itself -----------------------------------------------------------------


def layer_norm(x: Rows, gamma: Features, beta: Features, *, eps: Positive = 1e-5) -> Rows:
    """y = γ (x − μ) / √(σ² + ε) + β with the mean μ and the biased variance σ² of each row, along the last axis.

    Shapes: x (n, d), or (…, d) with any axes before the last, gamma and beta (d,), result like x.
    Source: Ba, Kiros and Hinton 2016.

    >>> layer_norm(np.array([[1.0, 3.0]]), np.array([1.0, 2.0]), np.array([0.0, 7.0]), eps=3.0)
    array([[-0.5,  8. ]])
    """
    _require_last_axis(x, gamma=gamma, beta=beta)
    eps = numerics.require_positive(eps=eps)
    rows = np.reshape(x, (-1, x.shape[-1]))
    return np.reshape(numerics.in_blocks(lambda rows: _normalized(rows, eps) * gamma + beta, rows), x.shape)


def layer_norm_vjp(x: Rows, gamma: Features, beta: Features, cotangent: Rows, *, eps: Positive = 1e-5) -> NormGrads:
    """dx = (h − mean h − x̂ mean(h x̂)) / √(σ² + ε) with h = g γ, dγ = Σ g x̂, dβ = Σ g.

    The means are along a row, the sums over the rows. Shapes and errors as in `layer_norm`, the cotangent g has the
    shape of x; dx sums to 0 along every row. Source: the chain rule through x̂, σ² and μ, within a row.

    >>> x, one = np.array([[1.0, 3.0]]), np.array([1.0, 1.0])
    >>> layer_norm_vjp(x, one, one, np.array([[0.0, 8.0]]), eps=3.0).dx
    array([[-1.5,  1.5]])
    """
    _require_last_axis(x, gamma=gamma, beta=beta)
    eps = numerics.require_positive(eps=eps)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_same_shape(x=x, cotangent=cotangent)

    def grads(x: Array, g: Array) -> tuple[Array, ...]:
        x_hat, dx = _normalized_vjp(x, g * gamma, eps)
        return dx, g * x_hat

    rows, g = (np.reshape(array, (-1, x.shape[-1])) for array in (x, cotangent))
    dx, products = numerics.in_blocks(grads, rows, g)
    return NormGrads(np.reshape(dx, x.shape), np.sum(products, axis=0), np.sum(g, axis=0))


def rms_norm(x: Rows, gamma: Features, *, eps: Positive = 1e-5) -> Rows:
    """y = γ x / √(mean x² + ε), along the last axis: layer norm without the mean and the bias.

    Shapes: x (n, d), or (…, d) with any axes before the last, gamma (d,), result like x. Convention: eps inside the
    root; PyTorch's default for it is the machine epsilon of the dtype. Source: Zhang and Sennrich 2019.

    >>> rms_norm(np.array([[1.0, 7.0]]), np.array([1.0, 2.0]), eps=11.0)
    array([[0.16666667, 2.33333333]])
    """
    _require_last_axis(x, gamma=gamma)
    eps = numerics.require_positive(eps=eps)
    return numerics.in_blocks(lambda x: x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) * gamma, x)


def rms_norm_vjp(x: Rows, gamma: Features, cotangent: Rows, *, eps: Positive = 1e-5) -> RmsNormGrads:
    """dx = (h − x̂ mean(h x̂)) / √(mean x² + ε) with h = g γ and x̂ = x / √(mean x² + ε), dγ = Σ g x̂.

    The means are along a row, the sum over the rows. Shapes and errors as in `rms_norm`, the cotangent g has the shape
    of x. Source: the chain rule through the root.

    >>> rms_norm_vjp(np.array([[1.0, 7.0]]), np.array([1.0, 2.0]), np.array([[6.0, 0.0]]), eps=11.0).dgamma
    array([1., 0.])
    """
    _require_last_axis(x, gamma=gamma)
    eps = numerics.require_positive(eps=eps)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_same_shape(x=x, cotangent=cotangent)

    def grads(x: Array, g: Array) -> tuple[Array, ...]:
        r = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)
        h, x_hat = g * gamma, x * r
        return (h - x_hat * np.mean(h * x_hat, axis=-1, keepdims=True)) * r, g * x_hat

    dx, products = numerics.in_blocks(grads, x, cotangent)
    return RmsNormGrads(dx, np.sum(products, axis=tuple(range(len(x.shape) - 1))))


def group_norm(x: Maps, gamma: Channels, beta: Channels, *, num_groups: Count, eps: Positive = 1e-5) -> Maps:
    """y = γ (x − μ) / √(σ² + ε) + β with μ and σ² over a group of channels and all positions of each sample.

    Shapes: x (n, c, h, v), or (n, c) with any axes after it; gamma and beta (c,); result like x. The channels are cut
    into num_groups equal groups of neighbours: 1 is layer norm of the whole sample, c is instance norm.
    Source: Wu and He 2018.

    >>> x = np.array([[[[1.0, 3.0]], [[5.0, 9.0]]]])
    >>> group_norm(x, np.array([1.0, 1.0]), np.array([0.0, 7.0]), num_groups=2, eps=3.0).round(6)
    array([[[[-0.5     ,  0.5     ]],
    <BLANKLINE>
            [[ 6.244071,  7.755929]]]])
    """
    _require_groups(x, gamma, beta, num_groups)
    eps = numerics.require_positive(eps=eps)

    def normed(x: Array) -> Array:
        x_hat = np.reshape(_normalized(_by_group(x, num_groups), eps), x.shape)
        return x_hat * _spread(gamma, x) + _spread(beta, x)

    return numerics.in_blocks(normed, x)


def group_norm_vjp(
    x: Maps, gamma: Channels, beta: Channels, cotangent: Maps, *, num_groups: Count, eps: Positive = 1e-5
) -> NormGrads:
    """dx = (h − mean h − x̂ mean(h x̂)) / √(σ² + ε) with h = g γ, dγ = Σ g x̂, dβ = Σ g.

    The means are over a group, the sums over samples and positions. Shapes and errors as in `group_norm`, the cotangent
    g has the shape of x; dx sums to 0 over every group. Source: the chain rule through x̂, σ² and μ, within a group.

    >>> x, one = np.array([[[[1.0, 3.0]]]]), np.array([1.0])
    >>> group_norm_vjp(x, one, one, np.array([[[[0.0, 8.0]]]]), num_groups=1, eps=3.0).dx
    array([[[[-1.5,  1.5]]]])
    """
    _require_groups(x, gamma, beta, num_groups)
    eps = numerics.require_positive(eps=eps)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_same_shape(x=x, cotangent=cotangent)

    def grads(x: Array, g: Array) -> tuple[Array, ...]:
        groups, h = _by_group(x, num_groups), _by_group(g * _spread(gamma, x), num_groups)
        x_hat, dx = (np.reshape(rows, x.shape) for rows in _normalized_vjp(groups, h, eps))
        return dx, g * x_hat

    dx, products = numerics.in_blocks(grads, x, cotangent)
    others = tuple(axis for axis in range(len(x.shape)) if axis != 1)
    return NormGrads(dx, np.sum(products, axis=others), np.sum(cotangent, axis=others))


# --- what they share: rows of numbers, each normalized by itself ------------------------------------------------------


def _centered(x: Array) -> Array:
    """Return the rows without their means; twice, since the first mean is rounded, and of large numbers far off."""
    c = x - np.mean(x, axis=1, keepdims=True)
    return c - np.mean(c, axis=1, keepdims=True)


def _standardized(x: Array, eps: float) -> tuple[Array, Array]:
    """Return c = x − μ and r = 1 / √(σ² + ε) of each row, so that x̂ = c r."""
    c = _centered(x)
    return c, 1 / np.sqrt(_mean_of_products(c, c) + eps)


def _normalized(x: Array, eps: float) -> Array:
    """Return x̂ = (x − μ) / √(σ² + ε) of each row."""
    c, r = _standardized(x, eps)
    return c * r


def _normalized_vjp(x: Array, h: Array, eps: float) -> tuple[Array, Array]:
    """Return x̂, and the gradient (h − mean h − x̂ mean(h x̂)) / √(σ² + ε) by x, row by row."""
    c, r = _standardized(x, eps)
    x_hat = c * r
    return x_hat, (h - np.mean(h, axis=1, keepdims=True) - x_hat * _mean_of_products(h, x_hat)) * r


def _mean_of_products(a: Array, b: Array) -> Array:
    """Return the mean of a b along each row, as a column: a product of matrices, which stores no a b on its way."""
    return (a[:, None, :] @ b[:, :, None])[:, :, 0] / a.shape[1]


def _by_feature(x: Array) -> Array:
    """Return the values of each feature as a row: (d, n) from (n, d), (c, n · h · v) from (n, c, h, v)."""
    return np.reshape(np.moveaxis(x, 1, 0), (x.shape[1], -1))


def _by_sample(rows: Array, shape: tuple[int, ...]) -> Array:
    """Return the inverse of `_by_feature`, for x of this shape."""
    return np.moveaxis(np.reshape(rows, (shape[1], shape[0], *shape[2:])), 0, 1)


def _entries(x: Array) -> int:
    """Return how many numbers are worth cutting by features: none of a table, whose columns share their memory."""
    return x.size if len(x.shape) > 2 else 1


def _by_group(x: Array, num_groups: int) -> Array:
    """Return every group of every sample as a row."""
    return np.reshape(x, (len(x) * num_groups, -1))


def _spread(feature: Array, x: Array) -> Array:
    """Return a number for each feature in the shape in which it meets x."""
    return np.reshape(feature, (-1,) + (1,) * (len(x.shape) - 2))


# --- checks -----------------------------------------------------------------------------------------------------------


def _require_features(x: Array, **features: Array) -> None:
    numerics.require_floats(x=x, **features)
    if len(x.shape) not in (2, 4):
        raise ValueError(f"x: expected shape (n, d) or (n, c, h, v), got {x.shape}")
    numerics.require_rows(x=x)
    numerics.require_shape((x.shape[1],), **features)


def _require_running(x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array) -> None:
    _require_features(x, gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    numerics.require_nonnegative(running_var=running_var)


def _require_last_axis(x: Array, **features: Array) -> None:
    numerics.require_floats(x=x, **features)
    if len(x.shape) < 2:
        raise ValueError(f"x: expected shape (n, d), got {x.shape}; write x[None] for one row")
    numerics.require_rows(x=x)
    numerics.require_shape((x.shape[-1],), **features)


def _require_groups(x: Array, gamma: Array, beta: Array, num_groups: int) -> None:
    numerics.require_floats(x=x, gamma=gamma, beta=beta)
    if len(x.shape) < 2:
        raise ValueError(f"x: expected shape (n, c, h, v), got {x.shape}")
    numerics.require_rows(x=x)
    numerics.require_shape((x.shape[1],), gamma=gamma, beta=beta)
    numerics.require_counts(num_groups=num_groups)
    if x.shape[1] % num_groups:
        raise ValueError(f"num_groups: expected a divisor of the {x.shape[1]} channels, got {num_groups}")
