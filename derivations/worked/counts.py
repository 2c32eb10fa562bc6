"""Counted: updates, products, weights, maps; what a filter sees; and the slopes of a maximum at a tie."""

from __future__ import annotations

from typing import Any

from .._kernel import Argument, Claim, Erratum, Number, Part
from .._kernel.terms import Σ, Abs, Integer, Step, array, indices, oo, scalars, sizes

# --- batches and shrinkage -------------------------------------------------------------------------------------------

samples, batch = scalars("samples batch", positive=True)

updates_in_an_epoch = Number(
    name="worked.updates_in_an_epoch",
    statement="100,000 samples in batches of 1,000 are 100 updates.",
    value=samples / batch,
    printed="100",
    arguments={"samples": 100_000, "batch": 1_000},
    ids=("B31",),
    source="samples / batch",
)

span, penalty = scalars("span penalty", positive=True)
SHRINKS_BY = (span**2 / 12) / (span**2 / 12 + penalty)

weight_of_a_small_feature_shrinks = Number(
    name="worked.weight_of_a_small_feature_shrinks",
    statement="A feature uniform on [0, 1] has variance 1/12: a ridge of λ = 1 leaves .077 of its weight.",
    value=SHRINKS_BY,
    printed=".077",
    arguments={"span": 1, "penalty": 1},
    ids=("D58",),
    source="v/(v + λ)",
)

weight_of_a_large_feature_stays = Number(
    name="worked.weight_of_a_large_feature_stays",
    statement="A feature uniform on [0, 1000] has variance 10⁶/12: a ridge of λ = 1 leaves .99999 of its weight.",
    value=SHRINKS_BY,
    printed=".99999",
    arguments={"span": 1000, "penalty": 1},
    ids=("D58",),
    source="v/(v + λ)",
)

# --- filters and counts ----------------------------------------------------------------------------------------------

F, depth, K, K1, rows, columns, d = sizes("F D K K_1 rows columns d")
width, pad, stride = scalars("width pad stride")
ONE, TWO = Integer(1), Integer(2)


def count(*over: int) -> Any:
    """How many entries an array of this shape has."""
    return Σ(ONE, *(indices(f"i{axis}", size) for axis, size in enumerate(over)))


numbers_of_an_image = Number(
    name="worked.numbers_of_an_image",
    statement="An image of 32 × 32 pixels in 3 colours is a column of 3072 numbers.",
    value=count(32, 32, 3),
    printed="3072",
    ids=("C13",),
    source="32 · 32 · 3",
)

products_of_a_filter = Number(
    name="worked.products_of_a_filter",
    statement="A filter of 5 × 5 pixels over the full depth 3 is a dot product of 75 products.",
    value=count(5, 5, 3),
    printed="75",
    ids=("C14",),
    source="wᵀx + b over 5 · 5 · 3 entries",
)

POSITIONS = (width + 2 * pad - F) / stride + 1

width_of_a_map = Number(
    name="worked.width_of_a_map",
    statement="A filter of width 5 has 28 positions on an image of width 32 without padding.",
    value=POSITIONS,
    printed="28",
    arguments={"width": 32, "pad": 0, "F": 5, "stride": 1},
    ids=("C15",),
    source="(N + 2P − F)/S + 1",
)

numbers_of_six_maps = Number(
    name="worked.numbers_of_six_maps",
    statement="Six filters of width 5 make 28 × 28 × 6 = 4704 numbers of an image of width 32.",
    value=POSITIONS**2 * Σ(ONE, indices("k", 6)),
    printed="4704",
    arguments={"width": 32, "pad": 0, "F": 5, "stride": 1},
    ids=("C15",),
    source="28 × 28 × 6",
)

remainder = scalars("remainder")
size_by_floored_division = Number(
    name="worked.size_by_floored_division",
    statement="With width 32, padding 1, filter 5 and stride 2 there are ⌊29/2⌋ + 1 = 15 positions.",
    value=(width + 2 * pad - F - remainder) / stride + 1,
    printed="15",
    arguments={"width": 32, "pad": 1, "F": 5, "stride": 2, "remainder": 1},
    ids=("C18", "D52"),
    source="⌊(N + 2P − F)/S⌋ + 1, where 29 = 2 · 14 + 1",
)

size_without_parentheses = Number(
    name="worked.size_without_parentheses",
    statement="Without parentheses the same formula gives 32.5 positions, which is no number of positions.",
    value=width + 2 * pad - F / stride + 1,
    printed="32.5",
    arguments={"width": 32, "pad": 1, "F": 5, "stride": 2},
    ids=("C18",),
    source="N + 2P − F/S + 1",
)

f1, f2 = indices("f1 f2", F)
channel, out, reduced = indices("c", depth), indices("o", K), indices("m", K1)
WEIGHTS_AND_BIASES = Σ(ONE, out, f1, f2, channel) + Σ(ONE, out)
COUNTS = (Argument("F", (), "count"), Argument("D", (), "count"), Argument("K", (), "count"))

parameters_of_a_convolution = Claim(
    name="worked.parameters_of_a_convolution",
    statement="K filters of F × F pixels over D channels have (F² D + 1) K parameters, a bias for each filter.",
    parts=(Part(left=WEIGHTS_AND_BIASES, right=(F**2 * depth + 1) * K),),
    arguments=COUNTS,
    ids=("D53", "D68"),
    source="one weight for each pixel of the window and each channel, and one bias, for each filter",
)

parameters_of_a_reduction = Claim(
    name="worked.parameters_of_a_reduction",
    statement="K₁ filters of one pixel over D channels make K₁ maps and have (D + 1) K₁ parameters.",
    parts=(Part(left=Σ(ONE, reduced, channel) + Σ(ONE, reduced), right=(depth + 1) * K1),),
    arguments=(COUNTS[1], Argument("K_1", (), "count")),
    ids=("D69",),
    source="1 × 1 convolution to K₁ channels",
)

reduction_saves_parameters = Claim(
    name="worked.reduction_saves_parameters",
    statement="A reduction to K₁ channels saves F² D K − K₁ (D + 1 + F² K): some iff K₁ < F² D K/(D + 1 + F² K).",
    parts=(
        Part(
            left=WEIGHTS_AND_BIASES
            - (Σ(ONE, reduced, channel) + Σ(ONE, reduced) + Σ(ONE, out, f1, f2, reduced) + Σ(ONE, out)),
            right=F**2 * depth * K - K1 * (depth + 1 + F**2 * K),
            output="saved",
        ),
        Part(
            left=(WEIGHTS_AND_BIASES - (depth + 1) * K1 - (F**2 * K1 + 1) * K) / (depth + 1 + F**2 * K),
            right=F**2 * depth * K / (depth + 1 + F**2 * K) - K1,
            output="per channel of the reduction",
        ),
    ),
    arguments=(*COUNTS, Argument("K_1", (), "count")),
    ids=("D70", "D69", "D68"),
    source="(F² D + 1) K against (D + 1) K₁ + (F² K₁ + 1) K",
    note="The divisor D + 1 + F² K is positive, so that the sign of the saving is the sign of the second line.",
)

image, kernel = array("image"), array("kernel")
here, there = indices("r s", oo)
m2, n2 = indices("m2 n2", 2)
IMAGE = Argument("image", (rows, columns), padded=True)


def seen(r: Any, s: Any) -> Any:
    """What a filter of 2 × 2 pixels sees at a place."""
    return Σ(image[r + m2, s + n2] * kernel[m2, n2], m2, n2)


filter_of_a_falling_diagonal = Claim(
    name="worked.filter_of_a_falling_diagonal",
    statement="The filter [[.5, 0], [0, .6]] adds .5 of a pixel and .6 of the one below and to the right of it.",
    parts=(
        Part(
            left=seen(here, there),
            right=image[here, there] / 2 + 3 * image[here + 1, there + 1] / 5,
            axes=(here, there),
        ),
    ),
    arguments=(IMAGE, Argument("kernel", (TWO, TWO), "given")),
    given=(
        (kernel[0, 0], Integer(1) / 2),
        (kernel[0, 1], Integer(0)),
        (kernel[1, 0], Integer(0)),
        (kernel[1, 1], Integer(3) / 5),
    ),
    ids=("D46",),
    source="S(i, j) = Σ I(i + m, j + n) K(m, n)",
)

one, other = array("one"), array("other")
signal = array("signal")
place, o1, o2, o3 = indices("place o1 o2 o3", oo)

two_convolutions_without_an_activation_are_one = Claim(
    name="worked.two_convolutions_without_an_activation_are_one",
    statement="Two convolutions with nothing between them are one, with the convolved kernels; a network needs more.",
    parts=(
        Part(
            left=Σ(other[o1] * Σ(one[o2] * signal[place - o1 - o2], o2), o1),
            right=Σ(Σ(other[o1] * one[o3 - o1], o1) * signal[place - o3], o3),
            axes=(place,),
        ),
    ),
    arguments=tuple(
        Argument(name, (size,), padded=True) for name, size in (("one", F), ("other", K), ("signal", columns))
    ),
    ids=("C16", "C12"),
    source="k₂ ∗ (k₁ ∗ I) = (k₂ ∗ k₁) ∗ I",
)

h = array("h")
apart = scalars("apart", positive=True)

TIE = (1 - Step(h[0] - h[1])) * (1 - Step(h[1] - h[0]))
FIRST_SLOPE, SECOND_SLOPE = Step(h[0] - h[1]) + TIE, Step(h[1] - h[0])

slopes_of_a_maximum_at_a_tie = Claim(
    name="worked.slopes_of_a_maximum_at_a_tie",
    statement="If the first of two numbers also wins at a tie, the slopes of their maximum add to one everywhere.",
    parts=(
        Part(left=FIRST_SLOPE + SECOND_SLOPE, right=Integer(1), output="sum of the slopes"),
        Part(
            left=FIRST_SLOPE * h[0] + SECOND_SLOPE * h[1],
            right=(h[0] + h[1] + Abs(h[0] - h[1])) / 2,
            output="the winner is the maximum",
        ),
    ),
    arguments=(Argument("h", (TWO,)),),
    regions=(((h[1], h[0] - apart),), ((h[1], h[0]),), ((h[1], h[0] + apart),)),
    ids=("D56", "D57"),
    source="∂h/∂h_1 = [h_1 > h_2] + [h_1 = h_2], ∂h/∂h_2 = [h_2 > h_1]",
)

errata = (
    Erratum(
        id="D53",
        as_written=Claim(
            name="worked.D53",
            statement="A convolution has (F² + 1) K parameters.",
            parts=(Part(left=WEIGHTS_AND_BIASES, right=(F**2 + 1) * K),),
            arguments=COUNTS,
        ),
        corrected_by="worked.parameters_of_a_convolution",
        note="The depth is lost: 156 in place of 456 for F = 5, D = 3 and K = 6.",
    ),
    Erratum(
        id="D69",
        as_written=Claim(
            name="worked.D69",
            statement="D filters of one pixel reduce D channels to K₁.",
            parts=(
                Part(left=Σ(ONE, indices("m", depth), channel) + Σ(ONE, indices("m", depth)), right=(depth + 1) * K1),
            ),
            arguments=(COUNTS[1], Argument("K_1", (), "count")),
        ),
        corrected_by="worked.parameters_of_a_reduction",
        note="As many filters as maps that come out: K₁, not D.",
    ),
    Erratum(
        id="D56",
        as_written=Claim(
            name="worked.D56",
            statement="Where h_1 = h_2 too, the slopes [h_1 > h_2] and [h_2 > h_1] of the maximum add to one.",
            parts=(Part(left=Step(h[0] - h[1]) + Step(h[1] - h[0]), right=Integer(1)),),
            arguments=(Argument("h", (TWO,), "given"),),
            given=((h[1], h[0]),),
        ),
        corrected_by="worked.slopes_of_a_maximum_at_a_tie",
        note="A tie is left open: with strict signs the gradient is lost there; a convention must say who wins.",
    ),
)
