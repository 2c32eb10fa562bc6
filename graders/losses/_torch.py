"""PyTorch's losses and gradients, beside which those of the reference stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference._types import Array


def torch_reduced(losses: Any, reduction: str) -> Any:
    """Return the mean, the sum, or the losses as they are."""
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def torch_grad(torch: Any, loss: Callable[..., Any], x: Array, *others: Array) -> Array:
    """Return the gradient of a loss by its first argument."""
    at = torch.tensor(x, requires_grad=True)
    loss(at, *map(torch.tensor, others)).backward()
    gradient: Array = at.grad.numpy()
    return gradient
