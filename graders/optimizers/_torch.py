"""PyTorch's optimizers, beside which those of the reference stand."""

from __future__ import annotations

from typing import Any

from reference._types import Array


def parameter(torch: Any, params: Array, grad: Array) -> Any:
    """Return a parameter with its gradient."""
    theta = torch.tensor(params, requires_grad=True)
    theta.grad = torch.tensor(grad)
    return theta


def values(theta: Any) -> Array:
    """Return the values of a parameter."""
    made: Array = theta.detach().numpy()
    return made


def scheduled(torch: Any, step: int, lr: float, schedule: str, **options: Any) -> float:
    """Return the learning rate of a scheduler after so many steps."""
    theta = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=lr)
    scheduler = getattr(torch.optim.lr_scheduler, schedule)(optimizer, **options)
    for _ in range(step):
        optimizer.step()
        scheduler.step()
    rate: float = scheduler.get_last_lr()[0]
    return rate
