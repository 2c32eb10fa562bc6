"""Exercises on layer and RMS norm, and on their gradients."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, Function, edge, extreme, special
from graders.normalization import misconceptions as wrong
from graders.normalization import misconceptions_rows as row
from graders.normalization._programs import (
    all_at_once,
    as_in_the_paper,
    divided,
    leading,
    node_by_node,
    torch_gradients,
)
from graders.normalization._samples import HUGE, ONE, ROWS_FAR, SMALL, THREE, TWO, VAST, X
from reference import normalization as reference
from reference._types import Array
from reference.normalization import NormGrads, RmsNormGrads


# --- layer norm -------------------------------------------------------------------------------------------------------
def layer_norm_in_two_passes(x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5) -> Array:
    """The mean, the mean square of what is left, and the quotient."""
    return gamma * divided(x, (len(x.shape) - 1,), eps)[0] + beta


def _layer_norm_in_torch(torch: Any, eps: float) -> Function:
    return lambda x, gamma, beta: torch.nn.functional.layer_norm(x, gamma.shape, gamma, beta, eps)


def _torch_layer_norm(torch: Any, x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5) -> Array:
    return _layer_norm_in_torch(torch, eps)(*map(torch.tensor, (x, gamma, beta))).numpy()


_ROWS_MIXED = [[1e4 + 0.3, -1e4 - 0.7, 0.9], [1.7e-3, 0.4e-3, -0.8e-3], [0.9, -0.6, 1.9]]
_ROWS = (
    edge("small", x=X, **THREE),
    edge("eps of the variance's size", x=X, **THREE, eps=0.7),
    edge("one row", x=X[:1], **THREE, eps=0.3),
    edge("two features", x=[[0.3, -1.7], [0.9, 1.1], [0.4, -0.6]], **TWO, eps=0.1),
    edge("a constant row", x=[[0.7, 0.7, 0.7], [0.3, -1.7, 0.9]], **THREE, eps=0.1),
    edge("an axis between", x=[[X[0], X[1]], [X[2], X[3]]], **THREE, eps=0.3),
    edge("gains of zero", x=X, gamma=[0.0, -1.3, 0.0], beta=[0.2, 1.9, -0.7]),
    extreme("far from zero", x=ROWS_FAR, **THREE),
    extreme("rows of different sizes", x=_ROWS_MIXED, **THREE),
    extreme("huge", x=HUGE, **THREE),
    extreme("a variance below eps", x=SMALL, **THREE),
    extreme("a small variance, a smaller eps", x=SMALL, **THREE, eps=1.3e-14),
    extreme("next to no eps", x=X, **THREE, eps=1e-30),
)

layer_norm = Exercise(
    reference.layer_norm,
    misconceptions=(
        *wrong.in_x_hat(reference.layer_norm, *wrong.EVERY_HAT, *row.EVERY_ROW),
        *wrong.every_mistake_in_gain_and_bias(reference.layer_norm),
    ),
    programs=(layer_norm_in_two_passes,),
    edges=(*_ROWS, special("one feature, so the bias alone", x=[[0.3], [-1.7]], **ONE)),
    rivals={"torch": _torch_layer_norm},
)


def layer_norm_vjp_all_at_once(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    """One quotient, with sums in the place of means."""
    x_hat, dx = all_at_once(x, cotangent * gamma, (len(x.shape) - 1,), eps)
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=leading(x)), np.sum(cotangent, axis=leading(x)))


def layer_norm_vjp_node_by_node(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    """Through the deviations, the root and the mean, one after the other."""
    x_hat, dx = node_by_node(x, cotangent * gamma, (len(x.shape) - 1,), eps)
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=leading(x)), np.sum(cotangent, axis=leading(x)))


def layer_norm_vjp_as_in_the_paper(
    x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    """By way of the gradients by the variance and the mean."""
    x_hat, dx = as_in_the_paper(x, cotangent * gamma, (len(x.shape) - 1,), eps)
    return NormGrads(dx, np.sum(cotangent * x_hat, axis=leading(x)), np.sum(cotangent, axis=leading(x)))


def _torch_layer_norm_vjp(
    torch: Any, x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5
) -> NormGrads:
    return NormGrads(*torch_gradients(torch, _layer_norm_in_torch(torch, eps), (x, gamma, beta), cotangent))


layer_norm_vjp = Exercise(
    reference.layer_norm_vjp,
    misconceptions=(
        *wrong.in_dx(reference.layer_norm_vjp, *wrong.EVERY_STEP, *row.EVERY_ROW_STEP),
        *wrong.every_mistake_in_sums(reference.layer_norm_vjp),
        row.sums_over_the_first_axis_alone(reference.layer_norm_vjp),
    ),
    programs=(layer_norm_vjp_all_at_once, layer_norm_vjp_node_by_node, layer_norm_vjp_as_in_the_paper),
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
    edge("small", x=X, gamma=[0.7, -1.3, 0.4]),
    edge("eps of the mean square's size", x=X, gamma=[0.7, -1.3, 0.4], eps=0.7),
    edge("one row", x=X[:1], gamma=[0.7, -1.3, 0.4], eps=0.3),
    edge("one feature", x=[[0.3], [-1.7]], gamma=[-1.3], eps=0.1),
    edge("a row of zeros", x=[[0.0, 0.0, 0.0], [0.3, -1.7, 0.9]], gamma=[0.7, -1.3, 0.4], eps=0.1),
    edge("an axis between", x=[[X[0], X[1]], [X[2], X[3]]], gamma=[0.7, -1.3, 0.4], eps=0.3),
    edge("gains of zero", x=X, gamma=[0.0, -1.3, 0.0]),
    extreme("far from zero", x=ROWS_FAR, gamma=[0.7, -1.3, 0.4]),
    extreme("rows of different sizes", x=_ROWS_MIXED, gamma=[0.7, -1.3, 0.4]),
    extreme("huge", x=VAST, gamma=[0.7, -1.3, 0.4]),
    extreme("a mean square below eps", x=SMALL, gamma=[0.7, -1.3, 0.4]),
    extreme("a small mean square, a smaller eps", x=SMALL, gamma=[0.7, -1.3, 0.4], eps=1.3e-14),
    extreme("next to no eps", x=X, gamma=[0.7, -1.3, 0.4], eps=1e-30),
)

rms_norm = Exercise(
    reference.rms_norm,
    misconceptions=(
        *row.in_rms_norm(*row.EVERY_ROOT),
        wrong.forgets_gamma(reference.rms_norm),
        row.adds_one_to_gamma,
    ),
    conventions=(row.adds_eps_to_the_root,),
    programs=(rms_norm_by_a_factor,),
    edges=_RMS_ROWS,
    rivals={"torch": _torch_rms_norm},
)


def rms_norm_vjp_all_at_once(x: Array, gamma: Array, cotangent: Array, *, eps: float = 1e-5) -> RmsNormGrads:
    """One quotient, with a sum in the place of the mean."""
    d = x.shape[-1]
    root = np.sqrt(np.sum(x**2, axis=-1, keepdims=True) / d + eps)
    h, x_hat = cotangent * gamma, x / root
    dx = (d * h - x_hat * np.sum(h * x_hat, axis=-1, keepdims=True)) / (d * root)
    return RmsNormGrads(dx, np.sum(cotangent * x_hat, axis=leading(x)))


def _torch_rms_norm_vjp(torch: Any, x: Array, gamma: Array, cotangent: Array, *, eps: float = 1e-5) -> RmsNormGrads:
    return RmsNormGrads(*torch_gradients(torch, _rms_norm_in_torch(torch, eps), (x, gamma), cotangent))


rms_norm_vjp = Exercise(
    reference.rms_norm_vjp,
    misconceptions=(
        *row.in_rms_norm_vjp(*row.EVERY_ROOT_STEP),
        wrong.leaves_gamma_out_of_dx(reference.rms_norm_vjp),
        wrong.multiplies_by_x_for_gamma(reference.rms_norm_vjp),
        wrong.averages_the_gradients_of_the_parameters(reference.rms_norm_vjp),
        wrong.sums_the_gradient_of_x_hat(reference.rms_norm_vjp),
        wrong.reverses_the_sign(reference.rms_norm_vjp),
        row.sums_over_the_first_axis_alone(reference.rms_norm_vjp),
    ),
    conventions=(row.differentiates_eps_added_to_the_root,),
    programs=(rms_norm_vjp_all_at_once,),
    edges=_RMS_ROWS,
    rivals={"torch": _torch_rms_norm_vjp},
)
