"""What the exercises' comparisons with PyTorch share."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from reference._types import Array


def torch_gradient(torch: Any, function: Any, w: Array) -> Array:
    """Return the gradient of a function of one tensor."""
    tensor = torch.tensor(w, requires_grad=True)
    function(tensor).backward()
    return tensor.grad.numpy()
