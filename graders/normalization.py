"""Exercises on batch, layer, RMS and group norm, on their gradients, and on the running statistics of batch norm."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, Function, edge, extreme, special
from reference import normalization as reference
from reference._types import Array
from reference.normalization import NormGrads, RmsNormGrads, RunningStatistics

# Distinct sizes, full mantissas.
_X = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6], [-0.8, 0.5, 1.9], [0.2, -0.3, 0.1]]
_FIRST = [[[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]], [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]]]
_SECOND = [[[1.2, -0.8, 0.5], [-0.3, 0.7, 0.6]], [[-1.3, 0.4, 0.8], [-0.9, 0.2, 1.7]]]
_FAR = [[1e4 + 0.3, -1e4 - 1.7, 0.9], [1e4 + 1.1, 0.4 - 1e4, -0.6], [1e4 - 0.8, 0.5 - 1e4, 1.9]]
_MIXED = [[1e4 + 0.3, 1.7e-3, 0.9], [-1e4 - 0.7, 0.4e-3, -0.6], [0.9, -0.8e-3, 1.9]]
_HUGE = [[1.3e17, -0.7e17, 0.2e17], [-0.9e17, 0.4e17, 1.7e17], [0.2e17, 1.1e17, -0.6e17]]
_SMALL = [[1.3e-6, -0.7e-6, 0.2e-6], [-0.9e-6, 0.4e-6, 1.7e-6], [0.2e-6, 1.1e-6, -0.6e-6]]
_THREE = {"gamma": [0.7, -1.3, 0.4], "beta": [0.2, 1.9, -0.7]}
_TWO = {"gamma": [0.7, -1.3], "beta": [0.2, 1.9]}
_ONE = {"gamma": [-1.3], "beta": [0.7]}


# --- the same in another order, for every kind of norm ----------------------------------------------------------------
def _count(x: Array, axes: tuple[int, ...]) -> int:
    return int(np.prod([x.shape[axis] for axis in axes]))


def _divided(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array]:
    """Return x̂ and √(σ² + ε), by means along some axes."""
    off = x - np.mean(x, axis=axes, keepdims=True)
    root = np.sqrt(np.mean(off * off, axis=axes, keepdims=True) + eps)
    return off / root, root


def _all_at_once(x: Array, h: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array]:
    """Return x̂ and (n h − Σ h − x̂ Σ h x̂) / (n √(σ² + ε))."""
    x_hat, root = _divided(x, axes, eps)
    n = _count(x, axes)
    sums = np.sum(h, axis=axes, keepdims=True), np.sum(h * x_hat, axis=axes, keepdims=True)
    return x_hat, (n * h - sums[0] - x_hat * sums[1]) / (n * root)


def _node_by_node(x: Array, h: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array]:
    """Return x̂ and the gradient through the deviations, the root and the mean, one after the other."""
    x_hat, root = _divided(x, axes, eps)
    by_root = -np.sum(h * x_hat, axis=axes, keepdims=True) / root
    by_deviation = h / root + by_root * x_hat / _count(x, axes)
    return x_hat, by_deviation - np.mean(by_deviation, axis=axes, keepdims=True)


def _of_features(feature: Array, x: Array) -> Array:
    """Return a number for each feature as an array with the axes of x."""
    return np.reshape(feature, (1, -1, *(1,) * (len(x.shape) - 2)))


def _others(x: Array) -> tuple[int, ...]:
    """Return the axes over which a feature has its values."""
    return (0, *range(2, len(x.shape)))


# --- batch norm -------------------------------------------------------------------------------------------------------
def batch_norm_in_two_passes(x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5) -> Array:
    """The mean, the mean square of what is left, and the quotient."""
    return _of_features(gamma, x) * _divided(x, _others(x), eps)[0] + _of_features(beta, x)


def _torch_gradients(torch: Any, function: Function, arrays: tuple[Array, ...], cotangent: Array) -> list[Array]:
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    return [grad.numpy() for grad in torch.autograd.grad(function(*tensors), tensors, torch.tensor(cotangent))]


def _torch_batch_norm(torch: Any, x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5) -> Array:
    return _native_batch_norm(torch, eps)(*map(torch.tensor, (x, gamma, beta))).numpy()


def _native_batch_norm(torch: Any, eps: float) -> Function:
    """Return what torch.nn.functional.batch_norm calls, unless there is one sample only."""
    return lambda x, gamma, beta: torch.native_batch_norm(x, gamma, beta, None, None, True, 0.1, eps)[0]


_BATCHES = (
    edge("small", x=_X, **_THREE),
    edge("eps of the variance's size", x=_X, **_THREE, eps=0.7),
    edge("two samples", x=_X[:2], **_THREE, eps=0.3),
    edge("one feature", x=[[0.3], [-1.7], [0.9]], **_ONE, eps=0.1),
    edge("a constant feature", x=[[0.7, 0.3], [0.7, -1.7], [0.7, 0.9]], **_TWO, eps=0.1),
    edge("images", x=[_FIRST, _SECOND], **_TWO, eps=0.3),
    edge("one image of one channel", x=[_FIRST[:1]], **_ONE, eps=0.1),
    edge("images of one pixel", x=[[[[0.3]], [[-1.7]]], [[[0.9]], [[1.1]]], [[[0.4]], [[-0.6]]]], **_TWO),
    edge("gains of zero", x=_X, gamma=[0.0, -1.3, 0.0], beta=[0.2, 1.9, -0.7]),
    extreme("far from zero", x=_FAR, **_THREE),
    extreme("features of different sizes", x=_MIXED, **_THREE),
    extreme("huge", x=_HUGE, **_THREE),
    extreme("a variance below eps", x=_SMALL, **_THREE),
    extreme("a small variance, a smaller eps", x=_SMALL, **_THREE, eps=1.3e-14),
    extreme("next to no eps", x=_X, **_THREE, eps=1e-30),
)

batch_norm = Exercise(
    reference.batch_norm,
    programs=(batch_norm_in_two_passes,),
    edges=(*_BATCHES, special("one sample, so the bias alone", x=_X[:1], **_THREE)),
    rivals={"torch": _torch_batch_norm},
)


def batch_norm_vjp_all_at_once(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    """One quotient, with sums in the place of means."""
    x_hat, dx = _all_at_once(x, cotangent * _of_features(gamma, x), _others(x), eps)
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=_others(x)), np.sum(cotangent, axis=_others(x)))


def batch_norm_vjp_node_by_node(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    """Through the deviations, the root and the mean, one after the other."""
    x_hat, dx = _node_by_node(x, cotangent * _of_features(gamma, x), _others(x), eps)
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=_others(x)), np.sum(cotangent, axis=_others(x)))


def _torch_batch_norm_vjp(
    torch: Any, x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    return NormGrads(*_torch_gradients(torch, _native_batch_norm(torch, eps), (x, gamma, beta), cotangent))


batch_norm_vjp = Exercise(
    reference.batch_norm_vjp,
    programs=(batch_norm_vjp_all_at_once, batch_norm_vjp_node_by_node),
    edges=_BATCHES,
    rivals={"torch": _torch_batch_norm_vjp},
)


# --- batch norm with statistics that no longer change -----------------------------------------------------------------
def evaluated_by_division(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, *, eps: float = 1e-5
) -> Array:
    """x̂ first, gain and bias after it."""
    mean, root = _of_features(running_mean, x), _of_features(np.sqrt(running_var + eps), x)
    return _of_features(gamma, x) * ((x - mean) / root) + _of_features(beta, x)


def _evaluated_in_torch(torch: Any, running_mean: Array, running_var: Array, eps: float) -> Function:
    statistics = torch.tensor(running_mean), torch.tensor(running_var)
    return lambda x, gamma, beta: torch.nn.functional.batch_norm(x, *statistics, gamma, beta, eps=eps)


def _torch_batch_norm_when_evaluating(
    torch: Any, x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, *, eps: float = 1e-5
) -> Array:
    function = _evaluated_in_torch(torch, running_mean, running_var, eps)
    return function(*map(torch.tensor, (x, gamma, beta))).numpy()


_STATISTICS = {"running_mean": [0.3, -0.2, 0.6], "running_var": [0.7, 1.3, 0.4]}
_TWO_STATISTICS = {"running_mean": [0.3, -0.2], "running_var": [0.7, 1.3]}
_EVALUATIONS = (
    edge("small", x=_X, **_THREE, **_STATISTICS),
    edge("eps of the variance's size", x=_X, **_THREE, **_STATISTICS, eps=0.7),
    edge("one sample", x=_X[:1], **_THREE, **_STATISTICS, eps=0.3),
    edge("one feature", x=[[0.3], [-1.7]], **_ONE, running_mean=[0.4], running_var=[1.3], eps=0.1),
    edge("a feature that was constant", x=_X, **_THREE, running_mean=[0.3, -0.2, 0.6], running_var=[0.7, 0.0, 0.4]),
    edge("images", x=[_FIRST, _SECOND], **_TWO, **_TWO_STATISTICS, eps=0.3),
    edge("images of one pixel", x=[[[[0.3]], [[-1.7]]], [[[0.9]], [[1.1]]]], **_TWO, **_TWO_STATISTICS),
    edge("gains of zero", x=_X, gamma=[0.0, -1.3, 0.0], beta=[0.2, 1.9, -0.7], **_STATISTICS),
    extreme("far from zero", x=_FAR, **_THREE, running_mean=[1e4 + 0.7, 0.3 - 1e4, 0.4], running_var=[0.7, 1.3, 0.4]),
    extreme(
        "features of different sizes", x=_MIXED, **_THREE, running_mean=[3.7, 1e-3, 0.6], running_var=[7e7, 1.1e-6, 2]
    ),
    extreme("huge", x=_HUGE, **_THREE, running_mean=[3e16, -2e16, 6e16], running_var=[0.7e34, 1.3e34, 0.4e34]),
    extreme("tiny", x=_SMALL, **_THREE, running_mean=[3e-7, -2e-7, 6e-7], running_var=[1e-12, 2e-12, 0.0], eps=1.3e-14),
)

batch_norm_when_evaluating = Exercise(
    reference.batch_norm_when_evaluating,
    programs=(evaluated_by_division,),
    edges=_EVALUATIONS,
    rivals={"torch": _torch_batch_norm_when_evaluating},
)


def evaluated_vjp_by_division(
    x: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    cotangent: Array,
    *,
    eps: float = 1e-5,
) -> NormGrads:
    """Products with x̂ itself."""
    root = _of_features(np.sqrt(running_var + eps), x)
    x_hat = (x - _of_features(running_mean, x)) / root
    dx = cotangent * _of_features(gamma, x) / root
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=_others(x)), np.sum(cotangent, axis=_others(x)))


def _torch_batch_norm_when_evaluating_vjp(
    torch: Any,
    x: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    cotangent: Array,
    *,
    eps: float = 1e-5,
) -> NormGrads:
    function = _evaluated_in_torch(torch, running_mean, running_var, eps)
    return NormGrads(*_torch_gradients(torch, function, (x, gamma, beta), cotangent))


batch_norm_when_evaluating_vjp = Exercise(
    reference.batch_norm_when_evaluating_vjp,
    programs=(evaluated_vjp_by_division,),
    edges=_EVALUATIONS,
    rivals={"torch": _torch_batch_norm_when_evaluating_vjp},
)


def running_statistics_by_a_step(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """A step of m from the old statistics towards the new ones."""
    axes = _others(x)
    mean = np.mean(x, axis=axes)
    off = x - _of_features(mean, x)
    variance = np.sum(off * off, axis=axes) / (_count(x, axes) - 1)
    return RunningStatistics(
        running_mean + momentum * (mean - running_mean), running_var + momentum * (variance - running_var)
    )


def _torch_running_statistics(
    torch: Any, x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    mean, variance = torch.tensor(running_mean), torch.tensor(running_var)
    torch.nn.functional.batch_norm(torch.tensor(x), mean, variance, training=True, momentum=momentum)
    return RunningStatistics(mean.numpy(), variance.numpy())


running_statistics = Exercise(
    reference.running_statistics,
    programs=(running_statistics_by_a_step,),
    edges=(
        edge("small", x=_X, **_STATISTICS),
        edge("half of the way", x=_X, **_STATISTICS, momentum=0.5),
        edge("two samples", x=_X[:2], **_STATISTICS, momentum=0.3),
        edge("one feature", x=[[0.3], [-1.7], [0.9]], running_mean=[0.4], running_var=[1.3], momentum=0.7),
        edge("from zeros and ones", x=_X, running_mean=[0.0, 0.0, 0.0], running_var=[1.0, 1.0, 1.0], momentum=0.2),
        edge("images", x=[_FIRST, _SECOND], **_TWO_STATISTICS, momentum=0.3),
        edge("one image", x=[_FIRST], **_TWO_STATISTICS),
        edge("no step", x=_X, **_STATISTICS, momentum=0.0),
        edge("the whole way", x=_X, **_STATISTICS, momentum=1.0),
        extreme("far from zero", x=_FAR, running_mean=[1e4 + 0.7, 0.3 - 1e4, 0.4], running_var=[0.7, 1.3, 0.4]),
        extreme("features of different sizes", x=_MIXED, running_mean=[3.7, 1e-3, 0.6], running_var=[7e7, 1.1e-6, 2]),
        extreme("huge", x=_HUGE, running_mean=[3e16, -2e16, 6e16], running_var=[0.7e34, 1.3e34, 0.4e34]),
        extreme("tiny", x=_SMALL, running_mean=[3e-7, -2e-7, 6e-7], running_var=[1e-12, 2e-12, 0.0]),
        extreme("a small step", x=_X, **_STATISTICS, momentum=1e-7),
    ),
    rivals={"torch": _torch_running_statistics},
)


# --- layer and RMS norm -----------------------------------------------------------------------------------------------
def layer_norm_in_two_passes(x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5) -> Array:
    """The mean, the mean square of what is left, and the quotient."""
    return gamma * _divided(x, (len(x.shape) - 1,), eps)[0] + beta


def _layer_norm_in_torch(torch: Any, eps: float) -> Function:
    return lambda x, gamma, beta: torch.nn.functional.layer_norm(x, gamma.shape, gamma, beta, eps)


def _torch_layer_norm(torch: Any, x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5) -> Array:
    return _layer_norm_in_torch(torch, eps)(*map(torch.tensor, (x, gamma, beta))).numpy()


_ROWS_FAR = [[1e4 + 0.3, 1e4 - 1.7, 1e4 + 0.9], [1.1 - 1e4, 0.4 - 1e4, -0.6 - 1e4], [0.7, -0.2, 1.3]]
_ROWS_MIXED = [[1e4 + 0.3, -1e4 - 0.7, 0.9], [1.7e-3, 0.4e-3, -0.8e-3], [0.9, -0.6, 1.9]]
_ROWS = (
    edge("small", x=_X, **_THREE),
    edge("eps of the variance's size", x=_X, **_THREE, eps=0.7),
    edge("one row", x=_X[:1], **_THREE, eps=0.3),
    edge("two features", x=[[0.3, -1.7], [0.9, 1.1], [0.4, -0.6]], **_TWO, eps=0.1),
    edge("a constant row", x=[[0.7, 0.7, 0.7], [0.3, -1.7, 0.9]], **_THREE, eps=0.1),
    edge("an axis between", x=[[_X[0], _X[1]], [_X[2], _X[3]]], **_THREE, eps=0.3),
    edge("gains of zero", x=_X, gamma=[0.0, -1.3, 0.0], beta=[0.2, 1.9, -0.7]),
    extreme("far from zero", x=_ROWS_FAR, **_THREE),
    extreme("rows of different sizes", x=_ROWS_MIXED, **_THREE),
    extreme("huge", x=_HUGE, **_THREE),
    extreme("a variance below eps", x=_SMALL, **_THREE),
    extreme("a small variance, a smaller eps", x=_SMALL, **_THREE, eps=1.3e-14),
    extreme("next to no eps", x=_X, **_THREE, eps=1e-30),
)

layer_norm = Exercise(
    reference.layer_norm,
    programs=(layer_norm_in_two_passes,),
    edges=(*_ROWS, special("one feature, so the bias alone", x=[[0.3], [-1.7]], **_ONE)),
    rivals={"torch": _torch_layer_norm},
)


def _leading(x: Array) -> tuple[int, ...]:
    return tuple(range(len(x.shape) - 1))


def layer_norm_vjp_all_at_once(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    """One quotient, with sums in the place of means."""
    x_hat, dx = _all_at_once(x, cotangent * gamma, (len(x.shape) - 1,), eps)
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=_leading(x)), np.sum(cotangent, axis=_leading(x)))


def layer_norm_vjp_node_by_node(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    """Through the deviations, the root and the mean, one after the other."""
    x_hat, dx = _node_by_node(x, cotangent * gamma, (len(x.shape) - 1,), eps)
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=_leading(x)), np.sum(cotangent, axis=_leading(x)))


def _torch_layer_norm_vjp(
    torch: Any, x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    return NormGrads(*_torch_gradients(torch, _layer_norm_in_torch(torch, eps), (x, gamma, beta), cotangent))


layer_norm_vjp = Exercise(
    reference.layer_norm_vjp,
    programs=(layer_norm_vjp_all_at_once, layer_norm_vjp_node_by_node),
    edges=_ROWS,
    rivals={"torch": _torch_layer_norm_vjp},
)


def rms_norm_by_a_factor(x: Array, gamma: Array, *, eps: float = 1e-5) -> Array:
    """Times 1 / √(mean x² + ε), in an axis of its own."""
    factor = 1 / np.sqrt(np.sum(x**2, axis=-1) / x.shape[-1] + eps)
    return gamma * (x * factor[..., None])


def _rms_norm_in_torch(torch: Any, eps: float) -> Function:
    return lambda x, gamma: torch.nn.functional.rms_norm(x, gamma.shape, gamma, eps)


def _torch_rms_norm(torch: Any, x: Array, gamma: Array, *, eps: float = 1e-5) -> Array:
    return _rms_norm_in_torch(torch, eps)(*map(torch.tensor, (x, gamma))).numpy()


_RMS_ROWS = (
    edge("small", x=_X, gamma=[0.7, -1.3, 0.4]),
    edge("eps of the mean square's size", x=_X, gamma=[0.7, -1.3, 0.4], eps=0.7),
    edge("one row", x=_X[:1], gamma=[0.7, -1.3, 0.4], eps=0.3),
    edge("one feature", x=[[0.3], [-1.7]], gamma=[-1.3], eps=0.1),
    edge("a row of zeros", x=[[0.0, 0.0, 0.0], [0.3, -1.7, 0.9]], gamma=[0.7, -1.3, 0.4], eps=0.1),
    edge("an axis between", x=[[_X[0], _X[1]], [_X[2], _X[3]]], gamma=[0.7, -1.3, 0.4], eps=0.3),
    edge("gains of zero", x=_X, gamma=[0.0, -1.3, 0.0]),
    extreme("far from zero", x=_ROWS_FAR, gamma=[0.7, -1.3, 0.4]),
    extreme("rows of different sizes", x=_ROWS_MIXED, gamma=[0.7, -1.3, 0.4]),
    extreme("huge", x=_HUGE, gamma=[0.7, -1.3, 0.4]),
    extreme("a mean square below eps", x=_SMALL, gamma=[0.7, -1.3, 0.4]),
    extreme("a small mean square, a smaller eps", x=_SMALL, gamma=[0.7, -1.3, 0.4], eps=1.3e-14),
    extreme("next to no eps", x=_X, gamma=[0.7, -1.3, 0.4], eps=1e-30),
)

rms_norm = Exercise(
    reference.rms_norm, programs=(rms_norm_by_a_factor,), edges=_RMS_ROWS, rivals={"torch": _torch_rms_norm}
)


def rms_norm_vjp_all_at_once(x: Array, gamma: Array, cotangent: Array, *, eps: float = 1e-5) -> RmsNormGrads:
    """One quotient, with a sum in the place of the mean."""
    d = x.shape[-1]
    root = np.sqrt(np.sum(x**2, axis=-1, keepdims=True) / d + eps)
    h, x_hat = cotangent * gamma, x / root
    dx = (d * h - x_hat * np.sum(h * x_hat, axis=-1, keepdims=True)) / (d * root)
    return RmsNormGrads(dx, np.sum(cotangent * x_hat, axis=_leading(x)))


def _torch_rms_norm_vjp(torch: Any, x: Array, gamma: Array, cotangent: Array, *, eps: float = 1e-5) -> RmsNormGrads:
    return RmsNormGrads(*_torch_gradients(torch, _rms_norm_in_torch(torch, eps), (x, gamma), cotangent))


rms_norm_vjp = Exercise(
    reference.rms_norm_vjp,
    programs=(rms_norm_vjp_all_at_once,),
    edges=_RMS_ROWS,
    rivals={"torch": _torch_rms_norm_vjp},
)


# --- group norm -------------------------------------------------------------------------------------------------------
def _grouped(x: Array, num_groups: int) -> Array:
    """Return x with an axis of groups: (n, groups, whatever a group holds)."""
    return np.reshape(x, (len(x), num_groups, -1))


def group_norm_in_two_passes(x: Array, gamma: Array, beta: Array, *, num_groups: int, eps: float = 1e-5) -> Array:
    """The groups an axis of their own; the mean, the mean square of what is left, and the quotient."""
    x_hat = np.reshape(_divided(_grouped(x, num_groups), (2,), eps)[0], x.shape)
    return _of_features(gamma, x) * x_hat + _of_features(beta, x)


def _group_norm_in_torch(torch: Any, num_groups: int, eps: float) -> Function:
    return lambda x, gamma, beta: torch.nn.functional.group_norm(x, num_groups, gamma, beta, eps)


def _torch_group_norm(torch: Any, x: Array, gamma: Array, beta: Array, *, num_groups: int, eps: float = 1e-5) -> Array:
    return _group_norm_in_torch(torch, num_groups, eps)(*map(torch.tensor, (x, gamma, beta))).numpy()


_FOUR = {"gamma": [0.7, -1.3, 0.4, 1.1], "beta": [0.2, 1.9, -0.7, 0.3]}
_TABLE = [[0.3, -1.7, 0.9, 1.1], [0.4, -0.6, -0.8, 0.5], [1.9, 0.2, -0.3, 0.1]]
_MAPS = (
    edge("images", x=[_FIRST + _SECOND], **_FOUR, num_groups=2, eps=0.3),
    edge("one group: layer norm of the sample", x=[_FIRST, _SECOND], **_TWO, num_groups=1),
    edge("a group for each channel: instance norm", x=[_FIRST, _SECOND], **_TWO, num_groups=2, eps=0.1),
    edge("a table", x=_TABLE, **_FOUR, num_groups=2, eps=0.7),
    edge("a table, one group", x=_X, **_THREE, num_groups=1),
    edge("one channel", x=[[_FIRST[0]], [_SECOND[0]]], **_ONE, num_groups=1, eps=0.3),
    edge("gains of zero", x=[_FIRST, _SECOND], gamma=[0.0, -1.3], beta=[0.2, 1.9], num_groups=1),
    extreme("far from zero", x=[[_ROWS_FAR, _FAR[::-1]]], **_TWO, num_groups=2),
    extreme("channels of different sizes", x=[[_ROWS_FAR, _SMALL]], **_TWO, num_groups=2),
    extreme("huge", x=[[_HUGE, _HUGE[::-1]], [_FAR, _HUGE]], **_TWO, num_groups=1),
    extreme("a variance below eps", x=[[_SMALL, _SMALL[::-1]]], **_TWO, num_groups=2),
    extreme("a small variance, a smaller eps", x=[[_SMALL, _SMALL[::-1]]], **_TWO, num_groups=1, eps=1.3e-14),
)

group_norm = Exercise(
    reference.group_norm,
    programs=(group_norm_in_two_passes,),
    edges=_MAPS,
    rivals={"torch": _torch_group_norm},
)


def group_norm_vjp_all_at_once(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, num_groups: int, eps: float = 1e-5
) -> NormGrads:
    """One quotient, with sums in the place of means."""
    h = _grouped(cotangent * _of_features(gamma, x), num_groups)
    x_hat, dx = (np.reshape(made, x.shape) for made in _all_at_once(_grouped(x, num_groups), h, (2,), eps))
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=_others(x)), np.sum(cotangent, axis=_others(x)))


def group_norm_vjp_node_by_node(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, num_groups: int, eps: float = 1e-5
) -> NormGrads:
    """Through the deviations, the root and the mean, one after the other."""
    h = _grouped(cotangent * _of_features(gamma, x), num_groups)
    x_hat, dx = (np.reshape(made, x.shape) for made in _node_by_node(_grouped(x, num_groups), h, (2,), eps))
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=_others(x)), np.sum(cotangent, axis=_others(x)))


def _torch_group_norm_vjp(
    torch: Any, x: Array, gamma: Array, beta: Array, cotangent: Array, *, num_groups: int, eps: float = 1e-5
) -> NormGrads:
    function = _group_norm_in_torch(torch, num_groups, eps)
    return NormGrads(*_torch_gradients(torch, function, (x, gamma, beta), cotangent))


group_norm_vjp = Exercise(
    reference.group_norm_vjp,
    programs=(group_norm_vjp_all_at_once, group_norm_vjp_node_by_node),
    edges=_MAPS,
    rivals={"torch": _torch_group_norm_vjp},
)
