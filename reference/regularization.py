"""Regularization: penalties on the weights, weight decay, ridge regression, dropout, early stopping, bounds on norms.

Arrays share one dtype, float32 or float64, which the results keep (TypeError otherwise); sizes that do not fit, empty
batches and hyperparameters outside their range are a ValueError. A penalty is a sum over the weights it is given,
neither halved nor divided by n; a bias is penalised only by those who pass it.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Annotated, Generic, Literal, NamedTuple, TypeVar, cast

import numpy as np

from reference import _numerics as numerics
from reference._types import Array, Fraction, Nonnegative, Positive

Params = TypeVar("Params")
Vector = Annotated[Array, "d"]
Inputs = Annotated[Array, "n d"]
Weights = Annotated[Array, "d c"]
Parameters = Vector | Weights
Targets = Annotated[Array, "n c"]
Mask = Annotated[Array, "n d", "mask"]


class EarlyStopping(NamedTuple, Generic[Params]):
    """The best epoch of a history, counted from zero, its loss and its parameters, and how many epochs were run."""

    epoch: int
    loss: float
    params: Params
    epochs: int


def l2_penalty(w: Parameters) -> Array:
    """Σ w², for weights of any shape; the result is a scalar.

    Source: 001_85d2a45f19410a02.txt (R(w) = wᵀw).

    >>> float(l2_penalty(np.array([1.0, -3.0])))
    10.0
    """
    numerics.require_floats(w=w)
    return cast(Array, np.sum(w**2))


def l2_penalty_grad(w: Parameters) -> Parameters:
    """∂/∂w of `l2_penalty`: 2 w, not w, for any shape. Source: 001_85d2a45f19410a02.txt.

    >>> l2_penalty_grad(np.array([1.0, -3.0]))
    array([ 2., -6.])
    """
    numerics.require_floats(w=w)
    return 2 * w


def l1_penalty(w: Parameters) -> Array:
    """Σ |w|, for weights of any shape; the result is a scalar. Source: 002_8e0f3b4f5874cfed.txt (the R of the loss).

    >>> float(l1_penalty(np.array([1.0, -3.0])))
    4.0
    """
    numerics.require_floats(w=w)
    return np.sum(np.abs(w))


def l1_penalty_grad(w: Parameters) -> Parameters:
    """∂/∂w of `l1_penalty`: the sign of w, for any shape.

    Convention: at 0, where every number from −1 to 1 is a subgradient, it is 0. Source: as `l1_penalty`.

    >>> l1_penalty_grad(np.array([1.0, 0.0, -3.0]))
    array([ 1.,  0., -1.])
    """
    numerics.require_floats(w=w)
    return np.sign(w)


def weight_decay_step(params: Parameters, grad: Parameters, *, lr: Positive, l2: Nonnegative) -> Parameters:
    """w ← (1 − 2 · lr · l2) w − lr · g: one step of gradient descent on L + l2 · Σ w², with g = ∂L/∂w.

    Shapes: any, both alike. Convention: l2 stands before the whole square; PyTorch's weight_decay, added to the
    gradient as weight_decay · w, is 2 · l2. Source: 001_85d2a45f19410a02.txt (w_j (1 − 2λr) − λ ∂L/∂w_j).

    >>> weight_decay_step(np.array([1.0, -2.0]), np.array([1.0, 0.0]), lr=0.25, l2=0.5)
    array([ 0.5, -1.5])
    """
    numerics.require_floats(params=params, grad=grad)
    numerics.require_same_shape(params=params, grad=grad)
    lr, l2 = numerics.require_positive(lr=lr), numerics.require_at_least_zero(l2=l2)
    return (1 - 2 * lr * l2) * params - lr * grad


def ridge_objective(W: Weights, x: Inputs, targets: Targets, *, l2: Nonnegative = 0.0) -> Array:
    """Σ ‖x W − y‖² / n + l2 · Σ W².

    Shapes: W (d, c), x (n, d), targets y (n, c); the result is a scalar. Convention: a bias is a column of ones in x,
    and penalised with the rest. Source: 003_bda8f24b635fcb71.txt (J = L + λ Σ w²).

    >>> float(ridge_objective(np.array([[2.0]]), np.array([[1.0], [3.0]]), np.array([[1.0], [5.0]]), l2=0.25))
    2.0
    """
    l2 = _require_regression(W, x, targets, l2)
    return cast(Array, np.sum((x @ W - targets) ** 2) / len(x) + l2 * np.sum(W**2))


def ridge_objective_grad(W: Weights, x: Inputs, targets: Targets, *, l2: Nonnegative = 0.0) -> Weights:
    """∂/∂W of `ridge_objective`: 2 xᵀ (x W − y) / n + 2 · l2 · W.

    Shapes and conventions as there; the result is (d, c). Source: 003_bda8f24b635fcb71.txt (the mean of ∂L/∂ŷ times the
    input, plus 2λw).

    >>> ridge_objective_grad(np.array([[2.0]]), np.array([[1.0], [3.0]]), np.array([[1.0], [5.0]]), l2=0.25)
    array([[5.]])
    """
    l2 = _require_regression(W, x, targets, l2)
    return 2 * (x.T @ (x @ W - targets)) / len(x) + 2 * l2 * W


def dropout_mask(x: Inputs, generator: np.random.Generator, *, p: Fraction = 0.5) -> Mask:
    """Draw a mask of the shape and dtype of x: 0 (dropped) with probability p, else 1, each entry by itself.

    x may have any shape. Raises ValueError on p outside [0, 1) and TypeError on what is no numpy.random.Generator.
    Source: Srivastava et al. 2014.

    >>> dropout_mask(np.zeros((2, 5)), np.random.default_rng(3), p=0.5)
    array([[0., 0., 1., 1., 0.],
           [0., 0., 0., 1., 0.]])
    """
    numerics.require_floats(x=x)
    numerics.require_generator(generator)
    numerics.require_fraction(p=p)
    return (generator.random(x.shape) >= p).astype(x.dtype)


def dropout(x: Inputs, mask: Mask, *, p: Fraction = 0.5, training: Literal[True, False] = True) -> Inputs:
    """x · mask / (1 − p) in training, x itself in use: inverted dropout, which keeps the mean of every entry.

    Shapes: any, x and the mask alike; draw the mask with `dropout_mask`, with the same p, and keep it for
    `dropout_vjp`. Convention: p is the probability to drop, as in PyTorch. Raises ValueError on p outside [0, 1) and on
    a mask that is not of zeros and ones. Source: Srivastava et al. 2014, section 10 (scaled in training, so that
    nothing is scaled in use).

    >>> dropout(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0]), p=0.75)
    array([ 4.,  0., 12.])
    >>> dropout(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0]), p=0.75, training=False)
    array([1., 2., 3.])
    """
    p = _require_mask(x, mask, p, training)
    return x * mask / (1 - p) if training else x.copy()


def dropout_vjp(
    x: Inputs, mask: Mask, cotangent: Inputs, *, p: Fraction = 0.5, training: Literal[True, False] = True
) -> Inputs:
    """The cotangent · mask / (1 − p), with the mask of the forward pass; in use the cotangent itself.

    Shapes, conventions and errors as in `dropout`; the mask is no differentiable input. Source: as `dropout`.

    >>> dropout_vjp(np.array([1.0, 2.0]), np.array([1.0, 0.0]), np.array([3.0, 3.0]), p=0.25)
    array([4., 0.])
    """
    p = _require_mask(x, mask, p, training)
    numerics.require_floats(x=x, cotangent=cotangent)
    numerics.require_same_shape(x=x, cotangent=cotangent)
    return cotangent * mask / (1 - p) if training else cotangent.copy()


def early_stopping(history: Iterable[tuple[float, Params]], *, patience: int) -> EarlyStopping[Params]:
    """Take pairs (validation loss, parameters) until the loss has set no new low for `patience` epochs; keep the best.

    The history is read no further than that, so a generator that trains an epoch for each pair is stopped early; of the
    best parameters a deep copy is kept, since a loop may write into its own. Conventions: only a loss below all before
    is a new low, the first of equal ones is kept, and NaN is never one. Raises ValueError if there was no new low at
    all, and on a patience below 1; TypeError on what is no pair with a number. Source: 001_85d2a45f19410a02.txt.

    >>> losses = [0.9, 0.5, 0.7, 0.6, 0.1]
    >>> early_stopping(((loss, f"weights {i}") for i, loss in enumerate(losses)), patience=2)
    EarlyStopping(epoch=1, loss=0.5, params='weights 1', epochs=4)
    """
    numerics.require_counts(patience=patience)
    numerics.require_kind(Iterable, history=history)
    best: EarlyStopping[Params] | None = None
    epochs = 0
    for epoch, pair in enumerate(history):
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            raise TypeError(f"history[{epoch}]: expected a pair (loss, parameters), got {type(pair).__name__}")
        loss, params = pair
        numerics.require_real(**{f"history[{epoch}][0]": loss})
        epochs = epoch + 1
        if loss < (best.loss if best else np.inf):
            best = EarlyStopping(epoch, loss, copy.deepcopy(params), epochs)
        if epochs - (best.epochs if best else 0) == patience:
            break
    if best is None:
        raise ValueError(f"history: expected a finite loss among the first {patience} epochs, got {epochs} without one")
    return best._replace(epochs=epochs)


def max_norm(W: Weights, *, max_norm: Positive) -> Weights:
    """w · min(1, c / ‖w‖) for every column w of W, the weights into one unit: none is longer than c = max_norm.

    Shapes: W (d, c), the result too. A column of zeros stays so. Source: Srivastava et al. 2014, section 5.1.

    >>> max_norm(np.array([[3.0, 0.3, 0.0], [4.0, 0.4, 0.0]]), max_norm=2.5)
    array([[1.5, 0.3, 0. ],
           [2. , 0.4, 0. ]])
    """
    numerics.require_floats(W=W)
    numerics.require_shape(("d", "c"), W=W)
    numerics.require_rows(W=W)
    max_norm = numerics.require_positive(max_norm=max_norm)
    unit = np.maximum(np.max(np.abs(W), axis=0, keepdims=True), max_norm)  # no square overflows in this unit
    norm = np.sqrt(np.sum((W / unit) ** 2, axis=0, keepdims=True))
    return W * (max_norm / unit / np.maximum(norm, max_norm / unit))


def clip_by_global_norm(grads: Sequence[Array], *, max_norm: Positive) -> tuple[Array, ...]:
    """g · min(1, c / ‖g‖), where g is all gradients of a network as one vector, and c = max_norm.

    Shapes: a tuple or list of arrays of any shapes; the result is a tuple of such. The direction of g is kept.
    Convention: PyTorch's clip_grad_norm_ divides by ‖g‖ + 1e−6. Raises ValueError on an empty sequence or array.
    Source: Pascanu, Mikolov and Bengio 2013, algorithm 1.

    >>> clip_by_global_norm((np.array([3.0]), np.array([[0.0, 4.0]])), max_norm=2.5)
    (array([1.5]), array([[0., 2.]]))
    """
    numerics.require_kind(tuple | list, grads=grads)
    named = {f"grads[{i}]": g for i, g in enumerate(grads)}
    if not named:
        raise ValueError("grads: expected at least one array, got an empty sequence")
    numerics.require_floats(**named)
    numerics.require_rows(**named)
    max_norm = numerics.require_positive(max_norm=max_norm)
    largest = np.max(np.stack([np.max(np.abs(g)) for g in grads]))
    unit = np.maximum(largest, max_norm)  # no square overflows in this unit
    norm = np.sqrt(np.sum(np.stack([np.sum((g / unit) ** 2) for g in grads])))
    shrinkage = max_norm / unit / np.maximum(norm, max_norm / unit)
    return tuple(g * shrinkage for g in grads)


def _require_regression(W: Array, x: Array, targets: Array, l2: float) -> float:
    """Return l2 as a Python number; raise where it is none, or arrays do not fit."""
    numerics.require_floats(W=W, x=x, targets=targets)
    numerics.require_shape(("n", "d"), x=x)
    numerics.require_rows(x=x)
    numerics.require_shape((x.shape[1], "c"), W=W)
    numerics.require_shape((x.shape[0], W.shape[1]), targets=targets)
    numerics.require_rows(targets=targets)
    return numerics.require_at_least_zero(l2=l2)


def _require_mask(x: Array, mask: Array, p: float, training: bool) -> float:
    """Return p as a Python number; raise where it is none, or the mask does not fit."""
    numerics.require_floats(x=x, mask=mask)
    numerics.require_same_shape(x=x, mask=mask)
    p = numerics.require_fraction(p=p)
    numerics.require_flag(training=training)
    if numerics.is_numpy(mask) and (wrong := (mask != 0) & (mask != 1)).any():
        raise ValueError(f"mask: expected zeros (dropped) and ones (kept), got {np.asarray(mask)[wrong].flat[0]}")
    return p
