"""Normalization: batch, layer, RMS and group norm with ε, and their gradients for every size."""

from __future__ import annotations

from .batch import (
    batch_norm,
    batch_norm_forgets_shift_and_scale,
    batch_norm_gradient_is_orthogonal,
    batch_norm_of_images,
    batch_norm_of_images_vjp,
    batch_norm_vjp,
    batch_norm_when_evaluating,
    batch_norm_when_evaluating_vjp,
    deviations_from_the_mean_sum_to_zero,
    errata,
    mean_of_a_normalized_batch,
    normalized_without_epsilon,
    running_statistics,
    unbiased_variance,
    variance_of_a_batch,
    variance_of_a_normalized_batch,
    weights_of_running_statistics_sum_to_one,
)
from .rows import (
    group_norm,
    group_norm_vjp,
    layer_norm,
    layer_norm_vjp,
    normalized_rows,
    rms_norm,
    rms_norm_vjp,
)

__all__ = [
    "variance_of_a_batch",
    "deviations_from_the_mean_sum_to_zero",
    "batch_norm",
    "mean_of_a_normalized_batch",
    "variance_of_a_normalized_batch",
    "normalized_without_epsilon",
    "batch_norm_forgets_shift_and_scale",
    "batch_norm_vjp",
    "batch_norm_gradient_is_orthogonal",
    "batch_norm_when_evaluating",
    "batch_norm_when_evaluating_vjp",
    "running_statistics",
    "weights_of_running_statistics_sum_to_one",
    "unbiased_variance",
    "batch_norm_of_images",
    "batch_norm_of_images_vjp",
    "layer_norm",
    "normalized_rows",
    "layer_norm_vjp",
    "rms_norm",
    "rms_norm_vjp",
    "group_norm",
    "group_norm_vjp",
    "errata",
]
