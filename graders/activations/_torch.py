"""PyTorch's gradients, beside which those of the reference stand."""

from __future__ import annotations

from typing import Any

from reference._types import Array


def torch_vjp(torch: Any, f: Any, z: Array, cotangent: Array) -> Array:
    """Return what autograd makes of a function and a cotangent."""
    x = torch.tensor(z, requires_grad=True)
    f(x).backward(torch.tensor(cotangent))
    gradient: Array = x.grad.numpy()
    return gradient
