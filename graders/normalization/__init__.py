"""Exercises on batch, layer, RMS and group norm, on their gradients, and on the running statistics of batch norm."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, Function, edge, extreme, special
from graders.normalization import _draws
from graders.normalization import misconceptions as wrong
from graders.normalization import misconceptions_batch as batch
from graders.normalization._programs import (
    all_at_once,
    as_in_the_paper,
    count,
    divided,
    node_by_node,
    of_features,
    others,
    torch_gradients,
)
from graders.normalization._samples import EVEN, FAR, FIRST, HUGE, ONE, SECOND, SMALL, THREE, TWO, X
from graders.normalization.groups import group_norm, group_norm_vjp
from graders.normalization.rows import layer_norm, layer_norm_vjp, rms_norm, rms_norm_vjp
from reference import normalization as reference
from reference._types import Array
from reference.normalization import NormGrads, RunningStatistics

__all__ = [
    "batch_norm", "batch_norm_vjp", "batch_norm_when_evaluating", "batch_norm_when_evaluating_vjp",
    "running_statistics", "layer_norm", "layer_norm_vjp", "rms_norm", "rms_norm_vjp", "group_norm", "group_norm_vjp",
]  # fmt: skip

_MIXED = [[1e4 + 0.3, 1.7e-3, 0.9], [-1e4 - 0.7, 0.4e-3, -0.6], [0.9, -0.8e-3, 1.9]]


# --- batch norm -------------------------------------------------------------------------------------------------------
def batch_norm_in_two_passes(x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5) -> Array:
    """The mean, the mean square of what is left, and the quotient."""
    return of_features(gamma, x) * divided(x, others(x), eps)[0] + of_features(beta, x)


def _torch_batch_norm(torch: Any, x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5) -> Array:
    return _native_batch_norm(torch, eps)(*map(torch.tensor, (x, gamma, beta))).numpy()


def _native_batch_norm(torch: Any, eps: float) -> Function:
    """Return what torch.nn.functional.batch_norm calls, unless there is one sample only."""
    return lambda x, gamma, beta: torch.native_batch_norm(x, gamma, beta, None, None, True, 0.1, eps)[0]


_BATCHES = (
    edge("small", x=X, **THREE),
    edge("eps of the variance's size", x=X, **THREE, eps=0.7),
    edge("two samples", x=X[:2], **THREE, eps=0.3),
    edge("one feature", x=[[0.3], [-1.7], [0.9]], **ONE, eps=0.1),
    edge("a constant feature", x=[[0.7, 0.3], [0.7, -1.7], [0.7, 0.9]], **TWO, eps=0.1),
    edge("images", x=[FIRST, SECOND], **TWO, eps=0.3),
    edge("one image of one channel", x=[FIRST[:1]], **ONE, eps=0.1),
    edge("images of one pixel", x=[[[[0.3]], [[-1.7]]], [[[0.9]], [[1.1]]], [[[0.4]], [[-0.6]]]], **TWO),
    edge("gains of zero", x=EVEN, gamma=[0.0, -1.3, 0.0], beta=[0.2, 1.9, -0.7]),
    extreme("far from zero", x=FAR, **THREE),
    extreme("features of different sizes", x=_MIXED, **THREE),
    extreme("huge", x=HUGE, **THREE),
    extreme("a variance below eps", x=SMALL, **THREE),
    extreme("a small variance, a smaller eps", x=SMALL, **THREE, eps=1.3e-14),
    extreme("next to no eps", x=X, **THREE, eps=1e-30),
)

batch_norm = Exercise(
    reference.batch_norm,
    programs=(batch_norm_in_two_passes,),
    misconceptions=(
        *wrong.in_x_hat(reference.batch_norm, *wrong.EVERY_HAT, *batch.EVERY_AXES),
        *wrong.every_mistake_in_gain_and_bias(reference.batch_norm),
    ),
    edges=(*_BATCHES, special("one sample, so the bias alone", x=X[:1], **THREE)),
    draw=_draws.batches,
    rivals={"torch": _torch_batch_norm},
)


def batch_norm_vjp_all_at_once(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    """One quotient, with sums in the place of means."""
    x_hat, dx = all_at_once(x, cotangent * of_features(gamma, x), others(x), eps)
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=others(x)), np.sum(cotangent, axis=others(x)))


def batch_norm_vjp_node_by_node(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    """Through the deviations, the root and the mean, one after the other."""
    x_hat, dx = node_by_node(x, cotangent * of_features(gamma, x), others(x), eps)
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=others(x)), np.sum(cotangent, axis=others(x)))


def batch_norm_vjp_as_in_the_paper(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    """By way of the gradients by the variance and the mean."""
    x_hat, dx = as_in_the_paper(x, cotangent * of_features(gamma, x), others(x), eps)
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=others(x)), np.sum(cotangent, axis=others(x)))


def _torch_batch_norm_vjp(
    torch: Any, x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    return NormGrads(*torch_gradients(torch, _native_batch_norm(torch, eps), (x, gamma, beta), cotangent))


batch_norm_vjp = Exercise(
    reference.batch_norm_vjp,
    misconceptions=(
        *wrong.in_dx(reference.batch_norm_vjp, *wrong.EVERY_STEP, *batch.EVERY_AXES_OF_DX),
        *wrong.every_mistake_in_sums(reference.batch_norm_vjp),
        batch.sums_over_the_samples_alone,
    ),
    programs=(batch_norm_vjp_all_at_once, batch_norm_vjp_node_by_node, batch_norm_vjp_as_in_the_paper),
    edges=_BATCHES,
    draw=_draws.batches_with_cotangent,
    rivals={"torch": _torch_batch_norm_vjp},
)


# --- batch norm with statistics that no longer change -----------------------------------------------------------------
def evaluated_by_division(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, *, eps: float = 1e-5
) -> Array:
    """x̂ first, gain and bias after it."""
    mean, root = of_features(running_mean, x), of_features(np.sqrt(running_var + eps), x)
    return of_features(gamma, x) * ((x - mean) / root) + of_features(beta, x)


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
    edge("small", x=X, **THREE, **_STATISTICS),
    edge("eps of the variance's size", x=X, **THREE, **_STATISTICS, eps=0.7),
    edge("one sample", x=X[:1], **THREE, **_STATISTICS, eps=0.3),
    edge("one feature", x=[[0.3], [-1.7]], **ONE, running_mean=[0.4], running_var=[1.3], eps=0.1),
    edge("a feature that was constant", x=X, **THREE, running_mean=[0.3, -0.2, 0.6], running_var=[0.7, 0.0, 0.4]),
    edge("images", x=[FIRST, SECOND], **TWO, **_TWO_STATISTICS, eps=0.3),
    edge("images of one pixel", x=[[[[0.3]], [[-1.7]]], [[[0.9]], [[1.1]]]], **TWO, **_TWO_STATISTICS),
    edge("statistics that no batch has moved yet", x=X, **THREE, running_mean=[0.0] * 3, running_var=[1.0] * 3),
    edge("gains of zero", x=X, gamma=[0.0, -1.3, 0.0], beta=[0.2, 1.9, -0.7], **_STATISTICS),
    extreme("far from zero", x=FAR, **THREE, running_mean=[1e4 + 0.7, 0.3 - 1e4, 0.4], running_var=[0.7, 1.3, 0.4]),
    extreme(
        "features of different sizes", x=_MIXED, **THREE, running_mean=[3.7, 1e-3, 0.6], running_var=[7e7, 1.1e-6, 2]
    ),
    extreme("huge", x=HUGE, **THREE, running_mean=[3e11, -2e11, 6e11], running_var=[0.7e24, 1.3e24, 0.4e24]),
    extreme("tiny", x=SMALL, **THREE, running_mean=[3e-7, -2e-7, 6e-7], running_var=[1e-12, 2e-12, 0.0], eps=1.3e-14),
)

batch_norm_when_evaluating = Exercise(
    reference.batch_norm_when_evaluating,
    misconceptions=(
        *batch.in_evaluated_x_hat(*batch.EVERY_EVALUATION),
        *wrong.every_mistake_in_gain_and_bias(reference.batch_norm_when_evaluating),
    ),
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
    root = of_features(np.sqrt(running_var + eps), x)
    x_hat = (x - of_features(running_mean, x)) / root
    dx = cotangent * of_features(gamma, x) / root
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=others(x)), np.sum(cotangent, axis=others(x)))


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
    return NormGrads(*torch_gradients(torch, function, (x, gamma, beta), cotangent))


batch_norm_when_evaluating_vjp = Exercise(
    reference.batch_norm_when_evaluating_vjp,
    misconceptions=(
        *batch.in_evaluated_dx(*batch.EVERY_SLOPE),
        batch.differentiates_the_training,
        batch.differentiates_the_running_statistics,
        *wrong.every_mistake_in_sums(reference.batch_norm_when_evaluating_vjp),
    ),
    programs=(evaluated_vjp_by_division,),
    edges=_EVALUATIONS,
    rivals={"torch": _torch_batch_norm_when_evaluating_vjp},
)


def running_statistics_by_a_step(
    x: Array, running_mean: Array, running_var: Array, *, momentum: float = 0.1
) -> RunningStatistics:
    """A step of m from the old statistics towards the new ones."""
    axes = others(x)
    mean = np.mean(x, axis=axes)
    off = x - of_features(mean, x)
    variance = np.sum(off * off, axis=axes) / (count(x, axes) - 1)
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
    misconceptions=batch.EVERY_UPDATE,
    conventions=(
        batch.weighs_the_old_statistics,
        batch.keeps_the_biased_variance,
        batch.weighs_the_old_and_keeps_the_biased_variance,
    ),
    programs=(running_statistics_by_a_step,),
    edges=(
        edge("small", x=X, **_STATISTICS),
        edge("half of the way", x=X, **_STATISTICS, momentum=0.5),
        edge("two samples", x=X[:2], **_STATISTICS, momentum=0.3),
        edge("one feature", x=[[0.3], [-1.7], [0.9]], running_mean=[0.4], running_var=[1.3], momentum=0.7),
        edge("from zeros and ones", x=X, running_mean=[0.0, 0.0, 0.0], running_var=[1.0, 1.0, 1.0], momentum=0.2),
        edge("images", x=[FIRST, SECOND], **_TWO_STATISTICS, momentum=0.3),
        edge("one image", x=[FIRST], **_TWO_STATISTICS),
        edge("no step", x=X, **_STATISTICS, momentum=0.0),
        edge("the whole way", x=X, **_STATISTICS, momentum=1.0),
        extreme("far from zero", x=FAR, running_mean=[1e4 + 0.7, 0.3 - 1e4, 0.4], running_var=[0.7, 1.3, 0.4]),
        extreme("features of different sizes", x=_MIXED, running_mean=[3.7, 1e-3, 0.6], running_var=[7e7, 1.1e-6, 2]),
        extreme("huge", x=HUGE, running_mean=[3e11, -2e11, 6e11], running_var=[0.7e24, 1.3e24, 0.4e24]),
        extreme("tiny", x=SMALL, running_mean=[3e-7, -2e-7, 6e-7], running_var=[1e-12, 2e-12, 0.0]),
        extreme("a small step", x=X, **_STATISTICS, momentum=1e-7),
    ),
    rivals={"torch": _torch_running_statistics},
)
