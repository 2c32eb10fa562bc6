"""Softmax as a Triton kernel that counts its padding: right for 64 columns, wrong for 65.

A kernel works on a power of two of columns. Those beyond the row must be −∞, or they add to the sum; here they are 0.
"""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_of_rows(z, out, columns, width: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, width)
    there = at < columns
    numbers = tl.load(z + row * columns + at, mask=there, other=0.0)  # the mistake
    e = tl.exp(numbers - tl.max(numbers, axis=0))
    tl.store(out + row * columns + at, e / tl.sum(e, axis=0), mask=there)


def softmax(z: torch.Tensor, *, axis: int = -1, temperature: float = 1.0) -> torch.Tensor:
    """Return e^(z / temperature) over its sum, along an axis."""
    rows = (z / temperature).movedim(axis, -1).contiguous()
    out = torch.empty_like(rows)
    columns = rows.shape[-1]
    softmax_of_rows[(rows.numel() // columns,)](rows, out, columns, width=triton.next_power_of_2(columns))
    return out.movedim(-1, axis)
