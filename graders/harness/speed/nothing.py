"""A function that does nothing: what a call costs before any is computed.

A submission's own process runs this text too, so it imports nothing but NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PAGE = 4096
SMALL = 4 * PAGE


def nothing(like: Any) -> Callable[..., Any]:
    """Return a function that costs what every call costs: it is handed the arguments, and hands back as much.

    It reads a number from each page of its arguments, since memory that was never looked at is not there yet, and
    returns arrays made beforehand: `like` is a shape and a dtype, or a list of such results.
    """
    result = _made(like)

    def handed(*arguments: Any, **keywords: Any) -> Any:
        for value in arguments:
            if isinstance(value, np.ndarray):
                if value.nbytes > SMALL:
                    value.reshape(-1)[:: PAGE // value.itemsize].max()
            elif isinstance(value, (tuple, list)):
                handed(*value)
        return result

    return handed


def _made(like: Any) -> Any:
    match like:
        case {"shape": shape, "dtype": dtype}:
            return np.ones(shape, dtype)
    return tuple(map(_made, like))
