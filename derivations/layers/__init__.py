"""Layers: the affine layer and its gradients, whole networks, residual blocks and branches; rows are samples."""

from __future__ import annotations

from . import dense, networks
from .dense import (
    affine,
    affine_vjp,
    backpropagation_step,
    gradient_of_a_function_of_a_product,
    pointwise_convolution_gradients,
    pointwise_convolution_is_an_affine_layer,
    sigmoid_hidden_weight_gradient,
    two_affine_layers_are_one,
    weights_are_the_slopes_of_a_unit,
)
from .networks import (
    backpropagation_from_layer_to_layer,
    backpropagation_through_3_steps_of_time,
    backpropagation_through_4_steps_of_time,
    chain_of_units,
    error_of_the_output_layer,
    jacobians_multiply_from_the_top,
    network_of_1_layer,
    network_of_2_layers,
    network_of_3_layers,
    network_of_4_layers,
    network_of_5_layers,
)
from .shortcuts import (
    a_residual_block_of_zero_weights_is_the_identity,
    added_branches_share_their_gradient,
    concatenate_channels_vjp,
    concatenated_branches_add_their_gradients,
    residual_gradient,
    residual_jacobian,
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
    "pointwise_convolution_is_an_affine_layer",
    "pointwise_convolution_gradients",
    "network_of_1_layer",
    "network_of_2_layers",
    "network_of_3_layers",
    "network_of_4_layers",
    "network_of_5_layers",
    "error_of_the_output_layer",
    "backpropagation_from_layer_to_layer",
    "jacobians_multiply_from_the_top",
    "chain_of_units",
    "backpropagation_through_3_steps_of_time",
    "backpropagation_through_4_steps_of_time",
    "residual_jacobian",
    "residual_gradient",
    "a_residual_block_of_zero_weights_is_the_identity",
    "three_residual_blocks",
    "concatenate_channels_vjp",
    "concatenated_branches_add_their_gradients",
    "added_branches_share_their_gradient",
    "errata",
]

errata = (*dense.errata, *networks.errata)
