"""Layers: the affine layer and its gradients, residual blocks and branches; rows are samples."""

from __future__ import annotations

from . import dense
from .dense import (
    affine,
    affine_vjp,
    backpropagation_step,
    gradient_of_a_function_of_a_product,
    sigmoid_hidden_weight_gradient,
    two_affine_layers_are_one,
    weights_are_the_slopes_of_a_unit,
)
from .shortcuts import (
    a_residual_block_of_zero_weights_is_the_identity,
    added_branches_share_their_gradient,
    concatenate_channels_vjp,
    concatenated_branches_add_their_gradients,
    flatten_vjp,
    residual_gradient,
    residual_jacobian,
    residual_unit_vjp,
    residual_unit_vjp_with_identity,
    residual_unit_vjp_with_sigmoid,
    residual_unit_vjp_with_silu,
    residual_unit_vjp_with_softplus,
    residual_unit_vjp_with_tanh,
    three_residual_blocks,
)

__all__ = [
    "affine",
    "affine_vjp",
    "two_affine_layers_are_one",
    "backpropagation_step",
    "sigmoid_hidden_weight_gradient",
    "gradient_of_a_function_of_a_product",
    "weights_are_the_slopes_of_a_unit",
    "residual_jacobian",
    "residual_gradient",
    "residual_unit_vjp",
    "residual_unit_vjp_with_identity",
    "residual_unit_vjp_with_sigmoid",
    "residual_unit_vjp_with_tanh",
    "residual_unit_vjp_with_softplus",
    "residual_unit_vjp_with_silu",
    "a_residual_block_of_zero_weights_is_the_identity",
    "three_residual_blocks",
    "flatten_vjp",
    "concatenate_channels_vjp",
    "concatenated_branches_add_their_gradients",
    "added_branches_share_their_gradient",
    "errata",
]

errata = dense.errata
