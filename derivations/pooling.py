"""Pooling: the largest or the mean of each window, map by map.

max(a, b) = (a + b + |a − b|)/2; every strict order of a window is a region in which the maximum is one of its entries.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

from ._kernel import Argument, Claim, Erratum, Part
from ._kernel.terms import Σ, Abs, Entry, Integer, Step, array, indices, oo, scalars, sizes, steps, δ

hs = array("h")
lowest = scalars("lowest")
gaps = scalars("gap1 gap2 gap3", positive=True)


def larger(a: Any, b: Any) -> Any:
    """The larger of two numbers."""
    return (a + b + Abs(a - b)) / 2


def orders(entries: tuple[Entry, ...]) -> tuple[tuple[tuple[Entry, Any], ...], ...]:
    """Every strict order: the smallest is any number, each of the others is above the one before by a positive gap."""
    heights = [lowest + sum(gaps[:n]) for n in range(len(entries))]
    return tuple(tuple(zip(order, heights, strict=True)) for order in permutations(entries))


def is_largest(k: int, entries: tuple[Entry, ...]) -> Any:
    """1 where entry k is above all others, else 0."""
    product = Integer(1)
    for n, other in enumerate(entries):
        product = product if n == k else product * Step(entries[k] - other)
    return product


pair = tuple(hs[k] for k in range(2))
window = tuple(hs[k] for k in range(4))
OF_TWO, OF_FOUR = larger(*pair), larger(larger(*window[:2]), larger(*window[2:]))
NO_TIES = "At a tie there is no derivative; the convention is that the first maximum gets all, as PyTorch's max_pool2d."

maximum_of_two_slopes = Claim(
    name="pooling.maximum_of_two_slopes",
    statement="The larger of two numbers has slope 1 by the larger one and 0 by the other.",
    parts=tuple(Part(left=OF_TWO, by=hs[k], right=is_largest(k, pair), output=f"h{k + 1}") for k in range(2)),
    arguments=(Argument("h", (Integer(2),)),),
    regions=orders(pair),
    ids=("D56", "D57", "A10", "C20"),
    source="∂h/∂h₁ = [h₁ > h₂]",
    note=NO_TIES,
)

maximum_of_four_slopes = Claim(
    name="pooling.maximum_of_four_slopes",
    statement="In a window of four without ties the largest entry has slope 1 and the three others 0.",
    parts=tuple(Part(left=OF_FOUR, by=hs[k], right=is_largest(k, window), output=f"h{k + 1}") for k in range(4)),
    arguments=(Argument("h", (Integer(4),)),),
    regions=orders(window),
    ids=("D56", "D57", "C20"),
    source="∂ max(h)/∂h_k = [h_k is the largest]",
    note=NO_TIES,
)

max_pooling_keeps_the_sum_of_the_gradient = Claim(
    name="pooling.max_pooling_keeps_the_sum_of_the_gradient",
    statement="Without ties just one entry of a window is the largest: its slopes sum to one.",
    parts=(Part(left=sum(is_largest(k, window) for k in range(4)), right=Integer(1)),),
    arguments=(Argument("h", (Integer(4),)),),
    regions=orders(window),
    ids=("C20", "D56"),
    source="Σ_k ∂ max(h)/∂h_k = 1",
)

a, b = hs[0], hs[1]
slopes_at_a_tie_differ_by_side = Claim(
    name="pooling.slopes_at_a_tie_differ_by_side",
    statement="At a tie the slope from above is 1 and from below 0: every share between is a subgradient.",
    parts=(
        Part(left=larger(b + gaps[0], b) - larger(b, b), right=gaps[0], output="one step up"),
        Part(left=larger(b, b) - larger(b - gaps[0], b), right=Integer(0), output="one step down"),
    ),
    arguments=(Argument("h", (Integer(2),)), Argument("gap1", (), "positive")),
    ids=("D56",),
    source="∂max(a, a)/∂a ∈ [0, 1]",
)

n, c, height, width, oh, ow, kh, kw = sizes("n c height width oh ow kh kw")
stride = sizes("stride")
r, r1 = indices("r r1", n)
m, m1 = indices("m m1", c)
row, column = indices("row", height), indices("column", width)
i, j, p, q = indices("i j p q", oo)
x, weights, cotangent = map(array, ("x", "weights", "cotangent"))

weighted_pooling_gradient = Claim(
    name="pooling.weighted_pooling_gradient",
    statement="Pooling with any fixed weights hands gradients back by them, map by map.",
    parts=(
        Part(
            left=Σ(
                cotangent[r, m, i, j] * Σ(x[r, m, stride * i + p, stride * j + q] * weights[p, q], p, q), r, m, i, j
            ),
            by=x[r1, m1, row, column],
            axes=(r1, m1, row, column),
            right=Σ(cotangent[r1, m1, i, j] * weights[row - stride * i, column - stride * j], i, j),
        ),
    ),
    arguments=(
        Argument("x", (n, c, height, width), padded=True),
        Argument("weights", (kh, kw), padded=True),
        Argument("cotangent", (n, c, oh, ow), padded=True),
        Argument("stride", (), "count"),
    ),
    ids=("C19",),
    source="dx[a] = Σ_i g[i] w[a − s i]",
    note="No other map enters: pooling acts on each map alone.",
)

kernel_size = sizes("kernel_size")
padding = steps("padding")
top, left = indices("p q", kernel_size)
KERNEL_SIZE, STRIDE = Argument("kernel_size", (), "count"), Argument("stride", (), "count")
PADDING = Argument("padding", (), "zero_or_one")
POOLED = (Argument("x", (n, c, height, width), padded=True), Argument("cotangent", (n, c, oh, ow), padded=True))


def average(r: Any, m: Any, i: Any, j: Any, stride: Any) -> Any:
    """The mean of window (i, j) of a map; the padding counts as entries that are 0."""
    return Σ(x[r, m, stride * i + top - padding, stride * j + left - padding], top, left) / kernel_size**2


def shares(r: Any, m: Any, stride: Any) -> Any:
    """What the windows that hold the entry (row, column) hand back to it."""
    places = δ(row, stride * i + top - padding) * δ(column, stride * j + left - padding)
    return Σ(cotangent[r, m, i, j] * places, i, j, top, left) / kernel_size**2


def average_pooling(name: str, statement: str, stride: Any, covers: dict[str, object]) -> Claim:
    """The gradient of average pooling with a stride."""
    return Claim(
        name=f"pooling.{name}",
        statement=statement,
        parts=(
            Part(
                left=Σ(cotangent[r, m, i, j] * average(r, m, i, j, stride), r, m, i, j),
                by=x[r1, m1, row, column],
                axes=(r1, m1, row, column),
                right=shares(r1, m1, stride),
            ),
        ),
        arguments=(*POOLED, KERNEL_SIZE, PADDING, *(() if stride is kernel_size else (STRIDE,))),
        covers={"count_include_pad": True, **covers},
        backs="pooling.avg_pool2d_vjp",
        ids=("C19",),
        source="dx[a] = Σ_i g[i]/F² over the windows that hold a",
        note="No other map enters: pooling acts on each map alone.",
    )


avg_pool2d_vjp = average_pooling(
    "avg_pool2d_vjp",
    "Average pooling hands 1/F² of each window's gradient to each of its F² entries; windows stand side by side.",
    kernel_size,
    {"stride": None},
)
avg_pool2d_vjp_of_any_stride = average_pooling(
    "avg_pool2d_vjp_of_any_stride",
    "With any stride an entry gets 1/F² of the gradient of every window that holds it.",
    stride,
    {},
)

f1, f2 = indices("f1", height), indices("f2", width)
global_avg_pool = Claim(
    name="pooling.global_avg_pool",
    statement="The mean of a map is the mean of the means of its rows.",
    parts=(
        Part(
            left=Σ(Σ(x[r, m, f1, f2], f2) / width, f1) / height,
            right=Σ(x[r, m, f1, f2], f1, f2) / (height * width),
            axes=(r, m),
        ),
    ),
    arguments=(Argument("x", (n, c, height, width)),),
    ids=("C19",),
    source="y = Σ x/(HW)",
)

global_avg_pool_vjp = Claim(
    name="pooling.global_avg_pool_vjp",
    statement="The mean over a whole map hands 1/(HW) of its gradient to each pixel.",
    parts=(
        Part(
            left=Σ(cotangent[r, m] * Σ(x[r, m, f1, f2], f1, f2) / (height * width), r, m),
            by=x[r1, m1, row, column],
            axes=(r1, m1, row, column),
            right=cotangent[r1, m1] / (height * width),
        ),
    ),
    arguments=(Argument("x", (n, c, height, width)), Argument("cotangent", (n, c))),
    ids=("C19",),
    source="dx = g/(HW)",
)

errata: tuple[Erratum, ...] = ()
