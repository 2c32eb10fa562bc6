"""Exercises on penalties, weight decay, ridge regression, dropout with a given mask, and bounds on norms."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graders.harness.drawing import Source
from graders.harness.exercise import Exercise, edge, extreme, special
from reference import regularization as reference
from reference._types import Array

# Distinct sizes, full mantissas.
_VECTOR = [0.3, -1.7, 0.9, 1.1, -0.6]
_MATRIX = [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]]
_MIXED = [1e4 + 0.3, -1.7e-3, 0.9, -130.1]
_HUGE = [1.3e17, -1.7e16, 0.9e17]
_TINY = [1.3e-17, -1.7e-18, 0.9e-17]


# --- penalties --------------------------------------------------------------------------------------------------------
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
    extreme("mixed sizes", w=_MIXED),
    extreme("huge", w=_HUGE),
    extreme("tiny", w=_TINY),
    special("zeros", w=[0.0, 0.0, 0.0]),
)

l2_penalty = Exercise(
    reference.l2_penalty,
    programs=(l2_penalty_by_a_product,),
    edges=_WEIGHTS,
    rivals={"torch": lambda torch, w: torch.sum(torch.square(torch.tensor(w))).numpy()},
)


def l2_penalty_grad_by_a_sum(w: Array) -> Array:
    """Once for each factor of the square."""
    return w + w


def _torch_gradient(torch: Any, function: Any, w: Array) -> Array:
    tensor = torch.tensor(w, requires_grad=True)
    function(tensor).backward()
    return tensor.grad.numpy()


l2_penalty_grad = Exercise(
    reference.l2_penalty_grad,
    programs=(l2_penalty_grad_by_a_sum,),
    edges=_WEIGHTS,
    rivals={"torch": lambda torch, w: _torch_gradient(torch, lambda t: torch.sum(torch.square(t)), w)},
)


def l1_penalty_by_signs(w: Array) -> Array:
    """Every weight times its sign."""
    return np.sum(np.where(w < 0, -w, w))


l1_penalty = Exercise(
    reference.l1_penalty,
    programs=(l1_penalty_by_signs,),
    edges=_WEIGHTS,
    rivals={"torch": lambda torch, w: torch.linalg.vector_norm(torch.tensor(w), ord=1).numpy()},
)


def l1_penalty_grad_by_comparing(w: Array) -> Array:
    """1 above zero, −1 below it."""
    return np.where(w > 0, 1, 0).astype(w.dtype) - np.where(w < 0, 1, 0).astype(w.dtype)


l1_penalty_grad = Exercise(
    reference.l1_penalty_grad,
    programs=(l1_penalty_grad_by_comparing,),
    edges=(
        edge("a vector", w=_VECTOR),
        edge("a matrix", w=_MATRIX),
        edge("zeros among them", w=[0.0, -1.3, 0.0, 0.8]),
        extreme("mixed sizes", w=_MIXED),
        extreme("huge", w=_HUGE),
        extreme("tiny", w=[1.3e-30, -1.7e-38, 0.0]),
        special("one weight", w=[-1.7]),
        special("zeros", w=[0.0, 0.0, 0.0]),
    ),
    rivals={"torch": lambda torch, w: _torch_gradient(torch, lambda t: torch.sum(torch.abs(t)), w)},
)


# --- weight decay and ridge regression --------------------------------------------------------------------------------
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

_W = [[0.7, -0.2], [1.3, 0.6], [-0.4, 0.9]]
_X = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6], [-0.8, 0.5, 1.9], [0.2, -0.3, 0.1]]
_Y = [[1.2, -0.8], [0.5, -0.3], [0.7, 0.6], [-1.3, 0.4]]
_REGRESSIONS = (
    edge("small", W=_W, x=_X, targets=_Y, l2=0.3),
    edge("no penalty", W=_W, x=_X, targets=_Y),
    edge("one of everything", W=[[0.7]], x=[[-1.7]], targets=[[0.4]], l2=0.3),
    edge("one sample", W=_W, x=_X[:1], targets=_Y[:1], l2=1.7),
    edge("one feature", W=[[0.7, -0.2]], x=[[0.3], [-1.7], [0.9]], targets=_Y[:3], l2=0.3),
    edge("weights of zero", W=[[0.0] * 2] * 3, x=_X, targets=_Y, l2=0.3),
    edge("targets of zero", W=_W, x=_X, targets=[[0.0] * 2] * 4, l2=0.3),
    extreme("mixed sizes", W=[[1e-3, 0.7], [130.1, -0.2]], x=[[1e3 + 0.3, 0.9], [-0.4, 1e-2]], targets=_Y[:2], l2=0.3),
    extreme(
        "targets met but for a little, on a height of 1e3",
        W=[[1.3], [0.7]],
        x=[[1e3, -1.7], [1e3, 0.9], [1e3, 0.4]],
        targets=[[1299.3], [1301.1], [1300.9]],
        l2=1e-3,
    ),
    extreme("huge", W=[[1.3e8], [-0.7e8]], x=[[1.7e8, 0.9e8], [-0.3e8, 1.1e8]], targets=[[1e15], [-2.3e15]], l2=0.3),
    extreme("tiny", W=[[1.3e-8], [-0.7e-8]], x=[[1.7e-8, 0.9e-8], [1e-9, 1.1e-8]], targets=[[1e-15], [-3e-15]], l2=0.3),
    extreme("a penalty of next to nothing", W=_W, x=_X, targets=_Y, l2=1e-12),
)


def ridge_objective_by_samples(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The mean of each sample's own squared error."""
    error = targets - x @ W
    return np.mean(np.sum(error * error, axis=1)) + l2 * np.sum(W * W)


def _torch_ridge(torch: Any, W: Any, x: Array, targets: Array, l2: float) -> Any:
    predictions = torch.tensor(x) @ W
    losses = torch.nn.functional.mse_loss(predictions, torch.tensor(targets), reduction="sum")
    return losses / len(x) + l2 * torch.sum(torch.square(W))


def _torch_ridge_objective(torch: Any, W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    return _torch_ridge(torch, torch.tensor(W), x, targets, l2).numpy()


ridge_objective = Exercise(
    reference.ridge_objective,
    programs=(ridge_objective_by_samples,),
    edges=_REGRESSIONS,
    rivals={"torch": _torch_ridge_objective},
)


def ridge_objective_grad_by_means(W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    """The errors' mean first, and the factor 2 last."""
    errors = (x @ W - targets) / len(x)
    return 2 * (x.T @ errors + l2 * W)


def _torch_ridge_objective_grad(torch: Any, W: Array, x: Array, targets: Array, *, l2: float = 0.0) -> Array:
    return _torch_gradient(torch, lambda t: _torch_ridge(torch, t, x, targets, l2), W)


ridge_objective_grad = Exercise(
    reference.ridge_objective_grad,
    programs=(ridge_objective_grad_by_means,),
    edges=_REGRESSIONS,
    rivals={"torch": _torch_ridge_objective_grad},
)


# --- dropout, with a mask that was drawn ------------------------------------------------------------------------------
def dropout_by_a_factor(x: Array, mask: Array, *, p: float = 0.5, training: bool = True) -> Array:
    """A mask that holds the factor already."""
    return x * (mask * (1 / (1 - p))) if training else x * 1


_KEPT = [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
_INPUTS = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]

dropout = Exercise(
    reference.dropout,
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


def _torch_max_norm(torch: Any, W: Array, *, max_norm: float) -> Array:
    return torch.renorm(torch.tensor(W), p=2, dim=1, maxnorm=max_norm).numpy()


max_norm = Exercise(
    reference.max_norm,
    programs=(max_norm_where_longer,),
    edges=(
        edge("some are too long", W=[[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]], max_norm=0.9),
        edge("all are too long", W=_W, max_norm=0.37),
        edge("none is too long", W=_W, max_norm=7.3),
        edge("one weight for each unit", W=[[0.7, -1.9, 0.3]], max_norm=1.1),
        edge("one unit", W=[[0.7], [-1.9], [0.3]], max_norm=1.1),
        edge("a unit without weights", W=[[0.7, 0.0], [-1.9, 0.0]], max_norm=1.1),
        extreme("huge", W=[[1.3e30, -1.7e29, 0.9], [-2.3e30, 0.6e29, 0.4]], max_norm=1.7),
        extreme("tiny, under a bound that is tiny", W=[[1.3e-30, -1.7e-31], [2.3e-30, 0.6e-31]], max_norm=1.1e-30),
        extreme("mixed sizes", W=[[1e4 + 0.3, 1e-3], [0.7, 1.9]], max_norm=1.3),
    ),
    rivals={"torch": _torch_max_norm},
)


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
        special("zeros alone", grads=([0.0, 0.0], [[0.0]]), max_norm=0.9),
    ),
    rivals={"torch": _torch_clip_by_global_norm},
    draw=_draw_grads,
)
