"""PyTorch's own functions on a device: the rivals of exercises, which are written for the CPU."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from graders.harness.precision import NARROW
from graders.harness.speed.device import products


@contextlib.contextmanager
def elsewhere(torch: Any, device: str, dtype: str = "", tf32: bool = False) -> Iterator[None]:
    """Have the rivals of exercises compute on a device, and in a narrow dtype if that is asked.

    Tensors are made there, and come back from there. Products are cut to TF32 only if that is asked; PyTorch does it in
    convolutions by itself.
    """
    modes = importlib.import_module("torch.overrides")
    floats = getattr(torch, dtype) if dtype in NARROW else None

    class Elsewhere(modes.TorchFunctionMode):  # type: ignore[misc, name-defined]
        def __torch_function__(self, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
            keywords = dict(keywords or {})
            if function is torch.tensor and floats is not None and _has_floats(arguments[0]):
                keywords["dtype"] = floats
            if function is torch.Tensor.numpy:
                here = arguments[0].cpu()
                return (here.float() if here.dtype is floats else here).numpy()
            return function(*arguments, **keywords)

    with products(torch, tf32), torch.device(device), Elsewhere():
        yield


def _has_floats(data: Any) -> bool:
    return isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind == "f"
