"""Where a submission's tensors lie: with the arrays that they are made of, or on a device.

What is written to a tensor on a device is written to its array too, once the call has ended: there the grader sees it.
It runs in the child, like the file beside it that calls.
"""

from __future__ import annotations

import sys
from typing import Any

_device = ""
_given: list[tuple[Any, Any]] = []
"""The tensors of this call: as they lie with their arrays, and on the device."""


def use(device: str) -> None:
    """Have tensors made on a device, from now on."""
    global _device
    _device = device


def onto(tensor: Any) -> Any:
    """Return a tensor of the device, if there is one."""
    return tensor.to(_device) if _device else tensor


def given(tensor: Any) -> Any:
    """Return a tensor that lies where an array does, or a copy on the device that is written back."""
    there = onto(tensor)
    if there is not tensor:
        _given.append((tensor, there))
    return there


def moved(result: Any) -> Any:
    """Return a result; one that is a module of PyTorch is on the device then, as whoever uses it there would see to."""
    torch = sys.modules.get("torch") if _device else None
    return result.to(_device) if torch is not None and isinstance(result, torch.nn.Module) else result


def write_back() -> None:
    """Write to the arrays what the tensors on the device hold now."""
    while _given:
        tensor, there = _given.pop()
        if there.shape == tensor.shape and there.dtype == tensor.dtype:
            tensor.copy_(there.detach())


def forget() -> None:
    """Forget the tensors of a call that failed."""
    _given.clear()


__all__ = ["forget", "given", "moved", "onto", "use", "write_back"]
