"""What windows read, and where that goes back to: index by index, so that a mistake needs to change one number only.

The reference reads by slices of a padded image and refuses what does not fit; here anything may be asked, and what
lies outside the image is the padding.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from reference._types import Array, IntArray
from reference.convolution import Size


class Sweep(NamedTuple):
    """How windows move over an image: a pair each, for rows and columns."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)

    @property
    def spans(self) -> tuple[int, int]:
        """Return how many rows and columns a window reaches over."""
        (kh, kw), (dh, dw) = self.kernel, self.dilation
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    def outputs(self, shape: Sequence[int]) -> tuple[int, int]:
        """Return how many windows fit, down and across; none is as few as it gets."""
        room = (n + 2 * p - span for n, p, span in zip(shape[-2:], self.padding, self.spans, strict=True))
        down, across = (max(0, r // s + 1) for r, s in zip(room, self.stride, strict=True))
        return down, across

    def reads(self, outputs: tuple[int, int], step: tuple[int, int] | None = None) -> tuple[IntArray, IntArray]:
        """Return the row and the column that each window's each entry reads: (oh, ow, kh, kw), maybe outside."""
        rows, columns = (
            s * np.arange(count)[:, None] - p + d * np.arange(k)
            for count, k, s, p, d in zip(
                outputs, self.kernel, step or self.stride, self.padding, self.dilation, strict=True
            )
        )
        at = np.broadcast_arrays(rows[:, None, :, None], columns[None, :, None, :])
        return at[0], at[1]


def pair(value: Size) -> tuple[int, int]:
    """Return a number for rows and one for columns."""
    return (value[0], value[1]) if isinstance(value, tuple | list) else (value, value)


def turned(value: Any) -> Any:
    """Return a pair with its numbers exchanged, and anything else as it is."""
    return value[::-1] if isinstance(value, tuple) else value


def windows(
    x: Array,
    sweep: Sweep,
    *,
    fill: float = 0.0,
    outputs: tuple[int, int] | None = None,
    step: tuple[int, int] | None = None,
) -> Array:
    """Return the windows of images (n, c, h, v) as (n, c, oh, ow, kh, kw), `fill` where they read outside."""
    i, j = sweep.reads(sweep.outputs(x.shape) if outputs is None else outputs, step)
    (h, v) = x.shape[2:]
    inside = (i >= 0) & (i < h) & (j >= 0) & (j < v)
    return np.where(inside, x[:, :, np.where(inside, i, 0), np.where(inside, j, 0)], x.dtype.type(fill))


def padded_back(
    parts: Array, shape: Sequence[int], sweep: Sweep, *, order: str = "add", step: tuple[int, int] | None = None
) -> Array:
    """Return padded images to which windows (n, c, oh, ow, kh, kw) are added, or assigned in the order named."""
    (h, v), (ph, pw) = shape[-2:], sweep.padding
    i, j = sweep.reads((parts.shape[2], parts.shape[3]), step)
    image = np.zeros((*parts.shape[:2], h + 2 * ph, v + 2 * pw), parts.dtype)
    if order == "add":
        for tap in np.ndindex(*parts.shape[4:]):  # which reads no pixel twice
            image[:, :, i[:, :, *tap] + ph, j[:, :, *tap] + pw] += parts[:, :, :, :, *tap]
        return image
    places = list(np.ndindex(*parts.shape[2:]))
    if order == "taps":
        places.sort(key=lambda place: place[2:])
    for place in places:
        image[:, :, i[place] + ph, j[place] + pw] = parts[:, :, *place]
    return image


def put_back(parts: Array, shape: Sequence[int], sweep: Sweep, **how: Any) -> Array:
    """Return images to which windows are added, or assigned: the padded ones without their padding."""
    (ph, pw), (h, v) = sweep.padding, shape[-2:]
    return padded_back(parts, shape, sweep, **how)[:, :, ph : ph + h, pw : pw + v]
