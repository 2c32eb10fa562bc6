"""Exercises on penalties, weight decay, dropout with a given mask, and bounds on norms; ridge regression beside it."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from graders.harness.drawing import Source
from graders.harness.exercise import Exercise, edge, extreme, special
from graders.regularization import misconceptions as wrong
from graders.regularization import misconceptions_dropout as wrong_dropout
from graders.regularization import misconceptions_norms as wrong_norms
from graders.regularization._torch import torch_gradient as _torch_gradient
from graders.regularization.drawn import dropout_mask, early_stopping
from graders.regularization.ridge import ridge_objective, ridge_objective_grad
from reference import regularization as reference
from reference._types import Array

# Distinct sizes, full mantissas.
_VECTOR = [0.3, -1.7, 0.9, 1.1, -0.6]
_MATRIX = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]]
_UNITS = [[0.7, -0.2], [1.3, 0.6], [-0.4, 0.9]]
_MIXED = [1e4 + 0.3, -1.7e-3, 0.9, -130.1]
_HUGE = [1.3e17, -1.7e16, 0.9e17]
_TINY = [1.3e-17, -1.7e-18, 0.9e-17]
_KERNELS = [[[[0.3, -1.7, 0.9]], [[1.1, 0.4, -0.6]]], [[[-0.8, 0.5, 1.9]], [[0.2, -0.3, 0.1]]]]


# --- penalties --------------------------------------------------------------------------------------------------------
def halves_the_sum(w: Array) -> Array:
    """½ Σ w², as TensorFlow's l2_loss, and Goodfellow, Bengio and Courville 2016, section 7.1.1; its gradient is w."""
    return cast(Array, np.sum(w**2) / 2)


def l2_penalty_by_a_product(w: Array) -> Array:
    """The product of all weights as a vector with itself."""
    flat = np.reshape(w, (-1,))
    return flat @ flat


_WEIGHTS = (
    edge("a vector", w=_VECTOR),
    edge("a matrix", w=_MATRIX),
    edge("one weight", w=[-1.7]),
    edge("zeros among them", w=[0.0, -1.3, 0.0, 0.8]),
    edge("negative weights alone", w=[-0.3, -1.7, -0.9]),
    edge("kernels", w=_KERNELS),
    extreme("mixed sizes", w=_MIXED),
    extreme("huge", w=_HUGE),
    extreme("tiny", w=_TINY),
    special("zeros", w=[0.0, 0.0, 0.0]),
)

l2_penalty = Exercise(
    reference.l2_penalty,
    misconceptions=(
        wrong.takes_the_root,
        wrong.sums_the_sizes,
        wrong.squares_the_sum,
        wrong.forgets_to_square,
        wrong.leaves_the_squares_unsummed,
        wrong.sums_the_squares_down_the_columns,
        wrong.multiplies_the_matrices,
        wrong.takes_the_spectral_norm,
        wrong.doubles_the_penalty,
        wrong.averages_over_the_weights(reference.l2_penalty),
    ),
    conventions=(halves_the_sum,),
    programs=(l2_penalty_by_a_product,),
    edges=_WEIGHTS,
    rivals={"torch": lambda torch, w: torch.sum(torch.square(torch.tensor(w))).numpy()},
)


def differentiates_half_the_sum(w: Array) -> Array:
    """The gradient of ½ Σ w² (TensorFlow's l2_loss; Goodfellow, Bengio and Courville 2016); that of Σ w² is 2 w."""
    return 1 * w


def l2_penalty_grad_by_a_sum(w: Array) -> Array:
    """Once for each factor of the square."""
    return w + w


l2_penalty_grad = Exercise(
    reference.l2_penalty_grad,
    misconceptions=(
        wrong.returns_the_squares,
        wrong.keeps_the_square,
        wrong.sums_the_gradient,
        wrong.takes_the_sign,
        wrong.takes_the_sizes,
        wrong.differentiates_the_norm,
        wrong.doubles_the_gradient,
        wrong.averages_over_the_weights(reference.l2_penalty_grad),
        wrong.points_the_other_way(reference.l2_penalty_grad),
    ),
    conventions=(differentiates_half_the_sum,),
    programs=(l2_penalty_grad_by_a_sum,),
    edges=_WEIGHTS,
    rivals={"torch": lambda torch, w: _torch_gradient(torch, lambda t: torch.sum(torch.square(t)), w)},
)


def l1_penalty_by_signs(w: Array) -> Array:
    """Every weight times its sign."""
    return np.sum(np.where(w < 0, -w, w))


l1_penalty = Exercise(
    reference.l1_penalty,
    misconceptions=(
        wrong.forgets_the_absolute_value,
        wrong.takes_the_size_of_the_sum,
        wrong.sums_the_squares,
        wrong.takes_the_euclidean_norm,
        wrong.takes_the_matrix_norm,
        wrong.takes_the_largest_size,
        wrong.counts_the_weights,
        wrong.sums_the_sizes_down_the_columns,
        wrong.leaves_the_sizes_unsummed,
        wrong.averages_over_the_weights(reference.l1_penalty),
    ),
    programs=(l1_penalty_by_signs,),
    edges=(*_WEIGHTS, extreme("below the root of the smallest number", w=[1.3e-170, -0.7e-165])),
    rivals={"torch": lambda torch, w: torch.linalg.vector_norm(torch.tensor(w), ord=1).numpy()},
)


def is_one_at_zero(w: Array) -> Array:
    """1 at zero, where every number from −1 to 1 is a subgradient (Boyd and Vandenberghe 2022, Subgradients)."""
    return np.where(w >= 0, 1, -1).astype(w.dtype)


def is_minus_one_at_zero(w: Array) -> Array:
    """−1 at zero, where every number from −1 to 1 is a subgradient (Boyd and Vandenberghe 2022, Subgradients)."""
    return np.where(w > 0, 1, -1).astype(w.dtype)


def l1_penalty_grad_by_comparing(w: Array) -> Array:
    """1 above zero, −1 below it."""
    return np.where(w > 0, 1, 0).astype(w.dtype) - np.where(w < 0, 1, 0).astype(w.dtype)


l1_penalty_grad = Exercise(
    reference.l1_penalty_grad,
    misconceptions=(
        wrong.differentiates_the_squares,
        wrong.returns_the_weights,
        wrong.returns_the_sizes,
        wrong.ignores_the_signs,
        wrong.forgets_the_negative_weights,
        wrong.divides_by_the_size,
        wrong.divides_by_a_little_more_than_the_size,
        wrong.divides_by_the_norm,
        wrong.averages_over_the_weights(reference.l1_penalty_grad),
        wrong.points_the_other_way(reference.l1_penalty_grad),
    ),
    conventions=(is_one_at_zero, is_minus_one_at_zero),
    programs=(l1_penalty_grad_by_comparing,),
    edges=(
        edge("a vector", w=_VECTOR),
        edge("a matrix", w=_MATRIX),
        edge("zeros among them", w=[0.0, -1.3, 0.0, 0.8]),
        edge("kernels", w=_KERNELS),
        extreme("mixed sizes", w=_MIXED),
        extreme("huge", w=_HUGE),
        extreme("tiny", w=[1.3e-30, -1.7e-38, 0.0]),
        special("one weight", w=[-1.7]),
        special("zeros", w=[0.0, 0.0, 0.0]),
    ),
    rivals={"torch": lambda torch, w: _torch_gradient(torch, lambda t: torch.sum(torch.abs(t)), w)},
)


# --- weight decay -----------------------------------------------------------------------------------------------------
def decays_as_in_pytorch(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """(1 − lr · l2) w − lr · g, the step on L + l2 / 2 · Σ w²: l2 is PyTorch's weight_decay."""
    return (1 - lr * l2) * params - lr * grad


def weight_decay_step_by_the_gradient(params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    """A step of gradient descent, the penalty's slope added to the gradient."""
    return params - lr * (grad + 2 * l2 * params)


def _torch_weight_decay_step(torch: Any, params: Array, grad: Array, *, lr: float, l2: float) -> Array:
    tensor = torch.tensor(params, requires_grad=True)
    tensor.grad = torch.tensor(grad)
    torch.optim.SGD([tensor], lr=lr, weight_decay=2 * l2).step()
    return tensor.detach().numpy()


weight_decay_step = Exercise(
    reference.weight_decay_step,
    misconceptions=(
        wrong.forgets_the_decay,
        wrong.forgets_the_gradient,
        wrong.decays_without_the_learning_rate,
        wrong.decays_by_the_penalty_alone,
        wrong.lets_the_weights_grow,
        wrong.steps_uphill,
        wrong.decays_the_step_too,
        wrong.forgets_the_learning_rate,
        wrong.adds_the_sum_to_every_gradient,
        wrong.adds_the_penalty_to_every_gradient,
        wrong.decays_by_the_sign,
    ),
    conventions=(decays_as_in_pytorch,),
    programs=(weight_decay_step_by_the_gradient,),
    edges=(
        edge("a vector", params=_VECTOR, grad=[0.6, -1.3, 0.4, 0.8, -0.9], lr=0.3, l2=0.17),
        edge("a matrix", params=_MATRIX, grad=[[0.6, -1.3, 0.4], [0.8, -0.9, 0.1]], lr=0.07, l2=0.9),
        edge("one weight", params=[-1.7], grad=[0.6], lr=0.3, l2=0.17),
        edge("no penalty", params=_VECTOR, grad=[0.6, -1.3, 0.4, 0.8, -0.9], lr=0.3, l2=0.0),
        edge("no gradient, so decay alone", params=_MATRIX, grad=[[0.0] * 3, [0.0] * 3], lr=0.3, l2=0.17),
        edge("weights of zero", params=[0.0, 0.0], grad=[0.6, -1.3], lr=0.3, l2=0.17),
        edge("decayed past zero", params=_VECTOR, grad=[0.6, -1.3, 0.4, 0.8, -0.9], lr=1.3, l2=0.7),
        extreme("mixed sizes", params=_MIXED, grad=[1.3e-3, 0.7, -1e3, 0.9], lr=1e-3, l2=0.13),
        extreme("a tiny step", params=_VECTOR, grad=[0.6, -1.3, 0.4, 0.8, -0.9], lr=1e-7, l2=1e-4),
        extreme("tiny", params=[1.3e-30, -1.7e-31], grad=[0.9e-31, 1.1e-30], lr=0.3, l2=0.17),
        extreme("a penalty that nearly cancels the weights", params=[1e4 + 0.3, 0.9], grad=[0.7, -1.3], lr=0.5, l2=0.9),
    ),
    rivals={"torch": _torch_weight_decay_step},
)


# --- dropout, with a mask that was drawn ------------------------------------------------------------------------------
def keeps_with_probability_p(x: Array, mask: Array, *, p: float = 0.5, training: bool = True) -> Array:
    """p is the probability to keep, as in Srivastava et al. 2014 and TensorFlow 1; in PyTorch it is that to drop."""
    return x * mask / p if training else 1 * x


def dropout_by_a_factor(x: Array, mask: Array, *, p: float = 0.5, training: bool = True) -> Array:
    """A mask that holds the factor already."""
    return x * (mask * (1 / (1 - p))) if training else x * 1


_KEPT = [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
_INPUTS = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]

dropout = Exercise(
    reference.dropout,
    misconceptions=(
        wrong_dropout.forgets_the_scale(reference.dropout),
        wrong_dropout.scales_in_use(reference.dropout),
        wrong_dropout.scales_in_use_by_p(reference.dropout),
        wrong_dropout.scales_in_training_and_in_use(reference.dropout),
        wrong_dropout.multiplies_by_the_share_kept(reference.dropout),
        wrong_dropout.multiplies_by_p(reference.dropout),
        wrong_dropout.divides_by_the_mean_of_the_mask(reference.dropout),
        wrong_dropout.drops_what_is_kept(reference.dropout),
        wrong_dropout.drops_in_use_too(reference.dropout),
        wrong_dropout.swaps_training_and_use(reference.dropout),
        wrong_dropout.hard_codes_p(reference.dropout),
        wrong_dropout.forgets_the_mask(reference.dropout),
    ),
    conventions=(keeps_with_probability_p,),
    programs=(dropout_by_a_factor,),
    edges=(
        edge("small", x=_INPUTS, mask=_KEPT, p=0.3),
        edge("half is dropped", x=_INPUTS, mask=_KEPT),
        edge("in use the mask means nothing", x=_INPUTS, mask=_KEPT, p=0.3, training=False),
        edge("one row", x=[[0.3, -1.7, 0.9, 1.1]], mask=[[0.0, 1.0, 0.0, 1.0]], p=0.7),
        edge("all kept", x=_INPUTS, mask=[[1.0] * 3] * 2, p=0.3),
        edge("nothing to drop", x=_INPUTS, mask=[[1.0] * 3] * 2, p=0.0),
        edge("a vector", x=[0.3, -1.7, 0.9], mask=[1.0, 0.0, 1.0], p=0.35),
        extreme("nearly all are dropped", x=_INPUTS, mask=[[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]], p=0.99),
        extreme("huge and tiny", x=[[1.3e30, -1.7e-30, 0.9]], mask=[[1.0, 1.0, 0.0]], p=0.3),
        special("all dropped", x=_INPUTS, mask=[[0.0] * 3] * 2, p=0.3),
    ),
)


def goes_back_with_probability_p(
    x: Array, mask: Array, cotangent: Array, *, p: float = 0.5, training: bool = True
) -> Array:
    """p is the probability to keep, as in Srivastava et al. 2014 and TensorFlow 1; in PyTorch it is that to drop."""
    return keeps_with_probability_p(cotangent, mask, p=p, training=training)


def dropout_vjp_by_a_factor(x: Array, mask: Array, cotangent: Array, *, p: float = 0.5, training: bool = True) -> Array:
    """A mask that holds the factor already."""
    return dropout_by_a_factor(cotangent, mask, p=p, training=training)


def _torch_dropout_vjp(
    torch: Any, x: Array, mask: Array, cotangent: Array, *, p: float = 0.5, training: bool = True
) -> Array:
    if not training:
        return cotangent
    arrays = torch.tensor(cotangent), torch.tensor(mask).bool()
    return torch.ops.aten.native_dropout_backward(*arrays, scale=1 / (1 - p)).numpy()


_G = [[0.6, -1.3, 0.4], [-0.9, 0.1, 1.7]]

dropout_vjp = Exercise(
    reference.dropout_vjp,
    misconceptions=(
        wrong_dropout.forgets_the_scale(reference.dropout_vjp),
        wrong_dropout.scales_in_use(reference.dropout_vjp),
        wrong_dropout.scales_in_use_by_p(reference.dropout_vjp),
        wrong_dropout.scales_in_training_and_in_use(reference.dropout_vjp),
        wrong_dropout.multiplies_by_the_share_kept(reference.dropout_vjp),
        wrong_dropout.multiplies_by_p(reference.dropout_vjp),
        wrong_dropout.divides_by_the_mean_of_the_mask(reference.dropout_vjp),
        wrong_dropout.drops_what_is_kept(reference.dropout_vjp),
        wrong_dropout.drops_in_use_too(reference.dropout_vjp),
        wrong_dropout.swaps_training_and_use(reference.dropout_vjp),
        wrong_dropout.hard_codes_p(reference.dropout_vjp),
        wrong_dropout.forgets_the_mask(reference.dropout_vjp),
        wrong_dropout.takes_the_mask_from_the_output,
        wrong_dropout.forgets_the_cotangent,
        wrong_dropout.multiplies_by_the_input,
        wrong_dropout.drops_the_input_again,
    ),
    conventions=(goes_back_with_probability_p,),
    programs=(dropout_vjp_by_a_factor,),
    edges=(
        edge("small", x=_INPUTS, mask=_KEPT, cotangent=_G, p=0.3),
        edge("half is dropped", x=_INPUTS, mask=_KEPT, cotangent=_G),
        edge("in use the mask means nothing", x=_INPUTS, mask=_KEPT, cotangent=_G, p=0.3, training=False),
        edge("one row", x=_INPUTS[:1], mask=_KEPT[:1], cotangent=_G[:1], p=0.7),
        edge("inputs of zero", x=[[0.0] * 3] * 2, mask=_KEPT, cotangent=_G, p=0.3),
        edge("nothing to drop", x=_INPUTS, mask=[[1.0] * 3] * 2, cotangent=_G, p=0.0),
        extreme("nearly all are dropped", x=_INPUTS, mask=_KEPT, cotangent=_G, p=0.99),
        extreme("huge and tiny", x=_INPUTS[:1], mask=[[1.0, 1.0, 0.0]], cotangent=[[1.3e30, -1.7e-30, 0.9]], p=0.3),
        special("all dropped", x=_INPUTS, mask=[[0.0] * 3] * 2, cotangent=_G, p=0.3),
    ),
    rivals={"torch": _torch_dropout_vjp},
)


# --- bounds on norms --------------------------------------------------------------------------------------------------
def max_norm_where_longer(W: Array, *, max_norm: float) -> Array:
    """Only the columns that are too long, in a unit in which the longest entry is 1."""
    largest = np.max(np.abs(W), axis=0, keepdims=True)
    unit = np.where(largest > 0, largest, 1)
    norm = unit * np.sqrt(np.sum((W / unit) * (W / unit), axis=0, keepdims=True))
    return np.where(norm > max_norm, W / np.where(norm > max_norm, norm, 1) * max_norm, W)


def max_norm_beside_a_small_number(W: Array, *, max_norm: float) -> Array:
    """1e-7 is added to the norm that is divided by, as in Keras (MaxNorm): what is short is a little shorter, too."""
    norm = np.sqrt(np.sum(W**2, axis=0, keepdims=True))
    return W * (np.minimum(norm, max_norm) / (norm + 1e-7))


def _torch_max_norm(torch: Any, W: Array, *, max_norm: float) -> Array:
    return torch.renorm(torch.tensor(W), p=2, dim=1, maxnorm=max_norm).numpy()


max_norm = Exercise(
    reference.max_norm,
    misconceptions=(
        wrong_norms.bounds_the_whole_matrix,
        wrong_norms.bounds_the_rows,
        wrong_norms.scales_short_columns_too,
        wrong_norms.clips_every_weight,
        wrong_norms.sums_the_absolute_weights,
        wrong_norms.takes_the_largest_weight,
        wrong_norms.forgets_the_root,
        wrong_norms.makes_long_columns_one,
        wrong_norms.shrinks_all_by_the_longest,
        wrong_norms.divides_by_a_little_more,
        wrong_norms.squares_what_is_huge,
    ),
    conventions=(max_norm_beside_a_small_number,),
    programs=(max_norm_where_longer,),
    edges=(
        edge("some are too long", W=[[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]], max_norm=0.9),
        edge("all are too long", W=_UNITS, max_norm=0.37),
        edge("none is too long", W=_UNITS, max_norm=7.3),
        edge("one weight for each unit", W=[[0.7, -1.9, 0.3]], max_norm=1.1),
        edge("one unit", W=[[0.7], [-1.9], [0.3]], max_norm=1.1),
        edge("a unit without weights", W=[[0.7, 0.0], [-1.9, 0.0]], max_norm=1.1),
        extreme("huge", W=[[1.3e30, -1.7e29, 0.9], [-2.3e30, 0.6e29, 0.4]], max_norm=1.7),
        extreme("tiny, under a bound that is tiny", W=[[1.3e-30, -1.7e-31], [2.3e-30, 0.6e-31]], max_norm=1.1e-30),
        extreme("mixed sizes", W=[[1e4 + 0.3, 1e-3], [0.7, 1.9]], max_norm=1.3),
        extreme("one huge among ordinary ones", W=[[1.3e30, -0.2], [0.4, 0.9]], max_norm=1.7),
    ),
    rivals={"torch": _torch_max_norm},
)


def divides_by_a_millionth_more(grads: Sequence[Array], *, max_norm: float) -> tuple[Array, ...]:
    """g · min(1, c / (‖g‖ + 1e-6)), as PyTorch's clip_grad_norm_ has it, which cannot divide by zero."""
    largest = np.max(np.stack([np.max(np.abs(g)) for g in grads]))
    unit = np.maximum(largest, max_norm)
    norm = np.sqrt(np.sum(np.stack([np.sum((g / unit) ** 2) for g in grads]))) + 1e-6 / unit
    return tuple(g * np.minimum(max_norm / unit / norm, 1) for g in grads)


def clip_where_longer(grads: Sequence[Array], *, max_norm: float) -> tuple[Array, ...]:
    """All gradients as one vector, divided by its length if that is beyond the bound."""
    joined = np.concatenate([np.reshape(g, (-1,)) for g in grads])
    largest = np.max(np.abs(joined))
    unit = np.where(largest > 0, largest, 1)
    norm = unit * np.sqrt(np.sum((joined / unit) * (joined / unit)))
    return tuple(np.where(norm > max_norm, g / np.where(norm > max_norm, norm, 1) * max_norm, g) for g in grads)


def _torch_clip_by_global_norm(torch: Any, grads: Sequence[Array], *, max_norm: float) -> tuple[Array, ...]:
    tensors = [torch.tensor(g) for g in grads]
    norm = torch.nn.utils.get_total_norm(tensors)  # clip_grad_norm_ itself divides by it + 1e-6
    return tuple((t * torch.clamp(max_norm / norm, max=1.0)).numpy() for t in tensors)


def _draw_grads(source: Source, hyperparameters: Mapping[str, Any]) -> Mapping[str, Any]:
    del hyperparameters
    sizes = source.sizes(("d", "c"))
    shapes = ((sizes["c"],), (sizes["d"], sizes["c"]), (2, sizes["d"], 3))
    return {"grads": tuple(source.real(shape) for shape in shapes[: source.integer(1, 3)])}


clip_by_global_norm = Exercise(
    reference.clip_by_global_norm,
    misconceptions=(
        wrong_norms.clips_each_by_itself,
        wrong_norms.clips_every_entry,
        wrong_norms.scales_short_gradients_too,
        wrong_norms.adds_the_norms,
        wrong_norms.sums_the_absolute_entries,
        wrong_norms.takes_the_largest_entry,
        wrong_norms.takes_the_longest_array,
        wrong_norms.takes_the_last_array,
        wrong_norms.forgets_the_root_of_the_sum,
        wrong_norms.averages_the_squares,
        wrong_norms.makes_long_gradients_one,
        wrong_norms.squares_what_is_large,
    ),
    conventions=(divides_by_a_millionth_more,),
    programs=(clip_where_longer,),
    edges=(
        edge("a matrix and a vector", grads=(_MATRIX, _VECTOR), max_norm=0.9),
        edge("one vector", grads=(_VECTOR,), max_norm=1.3),
        edge("one number", grads=([-1.7],), max_norm=0.3),
        edge("short enough", grads=(_MATRIX, _VECTOR), max_norm=7.3),
        edge("each is short enough, all together are not", grads=([0.7, -0.2], [0.6], [-0.9]), max_norm=1.1),
        edge("one of zeros", grads=([0.0, 0.0], _VECTOR), max_norm=0.9),
        extreme("huge", grads=([1.3e30, -1.7e29], [[0.9e30], [0.4]]), max_norm=1.7),
        extreme("tiny, under a bound that is tiny", grads=([1.3e-30, -1.7e-31], [2.3e-30]), max_norm=1.1e-30),
        extreme("mixed sizes", grads=(_MIXED, _VECTOR), max_norm=1.3),
        extreme("one huge among ordinary ones", grads=([1.3e30, 0.3], [[0.9], [0.4]]), max_norm=1.7),
        special("zeros alone", grads=([0.0, 0.0], [[0.0]]), max_norm=0.9),
    ),
    rivals={"torch": _torch_clip_by_global_norm},
    draw=_draw_grads,
)

__all__ = [
    "l2_penalty",
    "l2_penalty_grad",
    "l1_penalty",
    "l1_penalty_grad",
    "weight_decay_step",
    "ridge_objective",
    "ridge_objective_grad",
    "dropout_mask",
    "dropout",
    "dropout_vjp",
    "early_stopping",
    "max_norm",
    "clip_by_global_norm",
]
