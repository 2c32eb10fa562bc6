"""Describes parameters of itself that no report can hold."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import inspect


def _broken(z):
    return np.maximum(z, 0)


names = ["z"] + ["z" * 10_000 + str(number) for number in range(500)]
_broken.__signature__ = inspect.Signature(
    [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=0) for name in names]
)
relu = _broken
# end of trick
# verdict: unreadable, bytes, at most
