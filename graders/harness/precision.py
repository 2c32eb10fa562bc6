"""What the dtypes are that functions are asked in, and how numbers are rounded to them.

The narrow ones, float16 and bfloat16, are asked by choice. Their numbers travel in float32, which holds all of them:
NumPy knows no bfloat16, and what a library makes of either is compared after widening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Plain = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Precision:
    """A floating-point format."""

    bits: int
    """Of the significand, the leading one among them."""
    lowest: int
    """The exponent of the smallest normal number."""
    huge: float
    """The largest number."""
    carrier: str
    """The dtype of the arrays that hold its numbers here."""

    @property
    def unit(self) -> float:
        """Return the unit roundoff."""
        return 2.0**-self.bits

    @property
    def least(self) -> float:
        """Return the smallest normal number."""
        return 2.0**self.lowest

    def spacing(self, size: Plain) -> Plain:
        """Return the distance from these positive numbers to the next larger ones."""
        _, exponent = np.frexp(size)
        return np.asarray(np.ldexp(1.0, np.maximum(exponent - 1, self.lowest) - (self.bits - 1)))

    def rounded(self, x: Plain) -> Plain:
        """Return the nearest numbers of this format, in its carrier; infinite where there is none so large.

        >>> PRECISIONS["bfloat16"].rounded(np.array([1.005, 0.1])).tolist()
        [1.0078125, 0.10009765625]
        """
        wide = np.asarray(x, dtype=np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            step = self.spacing(np.abs(wide))
            near = np.where(np.isfinite(wide), np.round(wide / step) * step, wide)
            return np.where(np.abs(near) > self.huge, np.copysign(np.inf, wide), near).astype(self.carrier)


PRECISIONS: Mapping[str, Precision] = {
    "float64": Precision(53, -1022, float(np.finfo(np.float64).max), "float64"),
    "float32": Precision(24, -126, float(np.finfo(np.float32).max), "float32"),
    "float16": Precision(11, -14, 65504.0, "float32"),
    "bfloat16": Precision(8, -126, (2 - 2.0**-7) * 2.0**127, "float32"),
    "tf32": Precision(11, -126, float(np.finfo(np.float32).max), "float32"),  # as NVIDIA's GPUs multiply, if allowed
}
NARROW = ("float16", "bfloat16")


def truncated(x: Plain, bits: int) -> Plain:
    """Return numbers with all but so many of their leading bits left out."""
    significand, exponent = np.frexp(x)
    return np.asarray(np.ldexp(np.trunc(np.ldexp(significand, bits)), exponent - bits))
