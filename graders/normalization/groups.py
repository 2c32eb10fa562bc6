"""Exercises on group norm and its gradients."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, Function, edge, extreme
from graders.normalization import _draws
from graders.normalization import misconceptions as wrong
from graders.normalization import misconceptions_rows as group
from graders.normalization._programs import (
    all_at_once,
    as_in_the_paper,
    divided,
    grouped,
    node_by_node,
    of_features,
    others,
    torch_gradients,
)
from graders.normalization._samples import (
    EIGHT,
    FAR,
    FIRST,
    FOUR,
    HUGE,
    ONE,
    ROWS_FAR,
    SECOND,
    SIX,
    SMALL,
    THREE,
    TWO,
    X,
)
from reference import normalization as reference
from reference._types import Array
from reference.normalization import NormGrads


def group_norm_in_two_passes(x: Array, gamma: Array, beta: Array, *, num_groups: int, eps: float = 1e-5) -> Array:
    """The groups an axis of their own; the mean, the mean square of what is left, and the quotient."""
    x_hat = np.reshape(divided(grouped(x, num_groups), (2,), eps)[0], x.shape)
    return of_features(gamma, x) * x_hat + of_features(beta, x)


def _group_norm_in_torch(torch: Any, num_groups: int, eps: float) -> Function:
    return lambda x, gamma, beta: torch.nn.functional.group_norm(x, num_groups, gamma, beta, eps)


def _torch_group_norm(torch: Any, x: Array, gamma: Array, beta: Array, *, num_groups: int, eps: float = 1e-5) -> Array:
    return _group_norm_in_torch(torch, num_groups, eps)(*map(torch.tensor, (x, gamma, beta))).numpy()


_TABLE = [[0.3, -1.7, 0.9, 1.1], [0.4, -0.6, -0.8, 0.5], [1.9, 0.2, -0.3, 0.1]]
_SIX_CHANNELS = [
    [[[0.3, -1.7]], [[1.1, 0.4]], [[0.7, -0.2]], [[-0.4, 0.9]], [[0.6, -0.9]], [[1.7, 0.3]]],
    [[[1.2, -0.8]], [[-0.3, 0.7]], [[-1.3, 0.4]], [[0.8, -0.6]], [[0.1, 1.4]], [[-1.1, 0.5]]],
]
_ALL_FAR = [
    [[1e4 + 0.3, 1e4 - 1.7, 1e4 + 0.9], [1e4 + 1.1, 1e4 + 0.4, 1e4 - 0.6]],
    [[1.2 - 1e4, -0.8 - 1e4, 0.5 - 1e4], [-0.3 - 1e4, 0.7 - 1e4, 0.6 - 1e4]],
]
_MAPS = (
    edge("images", x=[FIRST + SECOND], **FOUR, num_groups=2, eps=0.3),
    edge("one group: layer norm of the sample", x=[FIRST, SECOND], **TWO, num_groups=1),
    edge("a group for each channel: instance norm", x=[FIRST, SECOND], **TWO, num_groups=2, eps=0.1),
    edge("a table", x=_TABLE, **FOUR, num_groups=2, eps=0.7),
    edge("a table, one group", x=X, **THREE, num_groups=1),
    edge("one channel", x=[[FIRST[0]], [SECOND[0]]], **ONE, num_groups=1, eps=0.3),
    edge("six channels in three groups", x=_SIX_CHANNELS, **SIX, num_groups=3, eps=0.3),
    edge("eight channels in four groups", x=[[*FIRST, *SECOND, *SECOND[::-1], *FIRST]], **EIGHT, num_groups=4, eps=0.3),
    edge("gains of zero", x=[FIRST, SECOND], gamma=[0.0, -1.3], beta=[0.2, 1.9], num_groups=1),
    extreme("far from zero", x=[[_ALL_FAR[0]], [_ALL_FAR[1]]], **ONE, num_groups=1),
    extreme("far apart", x=[[ROWS_FAR, FAR[::-1]]], **TWO, num_groups=2),
    extreme("channels of different sizes", x=[[ROWS_FAR, SMALL]], **TWO, num_groups=2),
    extreme("huge", x=[[HUGE, HUGE[::-1]], [FAR, HUGE]], **TWO, num_groups=1),
    extreme("a variance below eps", x=[[SMALL, SMALL[::-1]]], **TWO, num_groups=2),
    extreme("a small variance, a smaller eps", x=[[SMALL, SMALL[::-1]]], **TWO, num_groups=1, eps=1.3e-14),
)

group_norm = Exercise(
    reference.group_norm,
    misconceptions=(
        *wrong.in_x_hat(reference.group_norm, *wrong.EVERY_HAT),
        *group.in_groups(reference.group_norm, *group.EVERY_GROUPING),
        *wrong.every_mistake_in_gain_and_bias(reference.group_norm),
        group.gives_a_group_one_gain,
    ),
    programs=(group_norm_in_two_passes,),
    edges=_MAPS,
    draw=_draws.groups,
    rivals={"torch": _torch_group_norm},
)


def group_norm_vjp_all_at_once(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, num_groups: int, eps: float = 1e-5
) -> NormGrads:
    """One quotient, with sums in the place of means."""
    h = grouped(cotangent * of_features(gamma, x), num_groups)
    x_hat, dx = (np.reshape(made, x.shape) for made in all_at_once(grouped(x, num_groups), h, (2,), eps))
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=others(x)), np.sum(cotangent, axis=others(x)))


def group_norm_vjp_node_by_node(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, num_groups: int, eps: float = 1e-5
) -> NormGrads:
    """Through the deviations, the root and the mean, one after the other."""
    h = grouped(cotangent * of_features(gamma, x), num_groups)
    x_hat, dx = (np.reshape(made, x.shape) for made in node_by_node(grouped(x, num_groups), h, (2,), eps))
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=others(x)), np.sum(cotangent, axis=others(x)))


def group_norm_vjp_as_in_the_paper(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, num_groups: int, eps: float = 1e-5
) -> NormGrads:
    """By way of the gradients by the variance and the mean."""
    h = grouped(cotangent * of_features(gamma, x), num_groups)
    x_hat, dx = (np.reshape(made, x.shape) for made in as_in_the_paper(grouped(x, num_groups), h, (2,), eps))
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=others(x)), np.sum(cotangent, axis=others(x)))


def _torch_group_norm_vjp(
    torch: Any, x: Array, gamma: Array, beta: Array, cotangent: Array, *, num_groups: int, eps: float = 1e-5
) -> NormGrads:
    function = _group_norm_in_torch(torch, num_groups, eps)
    return NormGrads(*torch_gradients(torch, function, (x, gamma, beta), cotangent))


group_norm_vjp = Exercise(
    reference.group_norm_vjp,
    misconceptions=(
        *wrong.in_dx(reference.group_norm_vjp, *wrong.EVERY_STEP),
        *group.in_groups(reference.group_norm_vjp, *group.EVERY_GROUPING),
        *wrong.every_mistake_in_sums(reference.group_norm_vjp),
        group.leaves_the_samples_apart,
    ),
    programs=(group_norm_vjp_all_at_once, group_norm_vjp_node_by_node, group_norm_vjp_as_in_the_paper),
    edges=_MAPS,
    draw=_draws.groups_with_cotangent,
    rivals={"torch": _torch_group_norm_vjp},
)
