"""Exercises on what can be counted without any image, and the known mistakes in them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from graders.convolution.windows import pair
from graders.harness.exercise import Exercise, edge, special
from reference import convolution as reference
from reference.convolution import Size

Layers = Sequence[int] | None


# --- output_size ------------------------------------------------------------------------------------------------------
def divides_the_kernel_alone(
    *, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> float:
    """You divided only the kernel's size by the stride. Put N + 2P − F in brackets (the lectures left them out)."""
    return size + 2 * padding - (dilation * (kernel_size - 1) + 1) / stride + 1


def leaves_the_fraction(*, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> float:
    """You did not round. A window that does not fit is left out, so round down: // in place of /."""
    return _room(size, kernel_size, padding, dilation) / stride + 1


def rounds_up(*, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """You rounded up, which counts a window that hangs over the edge. Round down: //."""
    return -(-_room(size, kernel_size, padding, dilation) // stride) + 1


def rounds_to_the_nearest(*, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """You rounded to the nearest number, which may count a window that hangs over the edge. Round down: //."""
    return round(_room(size, kernel_size, padding, dilation) / stride) + 1


def forgets_the_first_window(
    *, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """You left out the + 1. The division counts the steps between windows, and there is one window more."""
    return _room(size, kernel_size, padding, dilation) // stride


def adds_one_before_dividing(
    *, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """You added the 1 before you divided. Divide N + 2P − F by the stride first, then add it."""
    return (_room(size, kernel_size, padding, dilation) + 1) // stride


def pads_once(*, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """You counted the padding once. It is on both sides: N + 2P."""
    return (_room(size, kernel_size, padding, dilation) - padding) // stride + 1


def leaves_out_the_padding(*, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """You left out the padding. It is on both sides: N + 2P."""
    return _room(size, kernel_size, 0, dilation) // stride + 1


def leaves_out_the_stride(*, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """You left out the stride. Divide N + 2P − F by it, round down, then add 1."""
    return _room(size, kernel_size, padding, dilation) + 1


def leaves_out_the_dilation(
    *, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """You left out the dilation. A kernel of F taps spans d (F − 1) + 1 pixels."""
    return _room(size, kernel_size, padding, 1) // stride + 1


def dilates_every_tap(*, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """You gave the kernel a span of d F. Only the F − 1 steps between its taps grow: d (F − 1) + 1."""
    return (size + 2 * padding - dilation * kernel_size) // stride + 1


def divides_the_size_alone(*, size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """You divided the size by the stride, rounded up (padding="same"). Windows must fit: (N + 2P − F) // S + 1."""
    return -(-size // stride)


def _room(size: int, kernel_size: int, padding: int, dilation: int) -> int:
    return size + 2 * padding - dilation * (kernel_size - 1) - 1


output_size = Exercise(
    reference.output_size,
    misconceptions=(
        divides_the_kernel_alone,
        leaves_the_fraction,
        rounds_up,
        rounds_to_the_nearest,
        forgets_the_first_window,
        adds_one_before_dividing,
        pads_once,
        leaves_out_the_padding,
        leaves_out_the_stride,
        leaves_out_the_dilation,
        dilates_every_tap,
        divides_the_size_alone,
    ),
    edges=(
        edge("as the lectures have it", size=32, kernel_size=5, padding=2),
        edge("a step too large for the last pixel", size=10, kernel_size=3, stride=4, padding=1),
        edge("more than half a step is left", size=34, kernel_size=5, stride=4, padding=1),
        edge("a quarter of a step is left", size=30, kernel_size=5, stride=4),
        edge("dilated", size=17, kernel_size=3, stride=2, padding=1, dilation=3),
        edge("half an even kernel on either side", size=10, kernel_size=4, padding=2),
        edge("a long signal", size=20_011, kernel_size=7, padding=2),
        special("a kernel as large as its input", size=7, kernel_size=7, stride=3),
    ),
)


# --- n_parameters -----------------------------------------------------------------------------------------------------
def loses_the_depth(*, in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1) -> int:
    """You left out the depth: (F² + 1) K. A kernel has F² weights for each channel it sees (the lectures lost D)."""
    return (math.prod(pair(kernel_size)) + 1) * out_channels


def forgets_the_biases(*, in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1) -> int:
    """You counted the weights only. Each of the K kernels has a bias too: (F² D + 1) K."""
    return math.prod(pair(kernel_size)) * (in_channels // groups) * out_channels


def counts_one_bias_for_all(*, in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1) -> int:
    """You counted one bias for the whole layer. Each of the K kernels has its own: (F² D + 1) K."""
    return math.prod(pair(kernel_size)) * (in_channels // groups) * out_channels + 1


def counts_a_bias_for_every_channel(*, in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1) -> int:
    """You counted a bias for every channel that a kernel sees. A kernel has one, whatever its depth: (F² D + 1) K."""
    return (math.prod(pair(kernel_size)) + 1) * (in_channels // groups) * out_channels


def counts_a_bias_for_every_input(*, in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1) -> int:
    """You counted a bias for each of the D inputs. There is one for each of the K kernels: F² D K + K."""
    return math.prod(pair(kernel_size)) * (in_channels // groups) * out_channels + in_channels


def counts_one_kernel(*, in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1) -> int:
    """You counted a single kernel. The layer has K of them: (F² D + 1) K."""
    return math.prod(pair(kernel_size)) * (in_channels // groups) + 1


def counts_one_side_of_the_kernel(*, in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1) -> int:
    """You counted the rows of a kernel only. It has rows times columns, so F² in (F² D + 1) K."""
    return (pair(kernel_size)[0] * (in_channels // groups) + 1) * out_channels


def squares_the_rows(*, in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1) -> int:
    """You took every kernel for a square. One of F rows and G columns has F G taps."""
    return (pair(kernel_size)[0] ** 2 * (in_channels // groups) + 1) * out_channels


def ignores_the_groups(*, in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1) -> int:
    """You ignored the groups. A kernel sees D / groups channels only."""
    return (math.prod(pair(kernel_size)) * in_channels + 1) * out_channels


def divides_the_biases_too(*, in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1) -> float:
    """You divided the whole count by the groups. Only the weights get fewer: there are still K biases."""
    return (math.prod(pair(kernel_size)) * in_channels + 1) * out_channels / groups


n_parameters = Exercise(
    reference.n_parameters,
    misconceptions=(
        loses_the_depth,
        forgets_the_biases,
        counts_one_bias_for_all,
        counts_a_bias_for_every_channel,
        counts_a_bias_for_every_input,
        counts_one_kernel,
        counts_one_side_of_the_kernel,
        squares_the_rows,
        ignores_the_groups,
        divides_the_biases_too,
    ),
    edges=(
        edge("as the lectures have it", in_channels=3, out_channels=10, kernel_size=5),
        edge("a kernel of rows and columns that differ", in_channels=6, out_channels=9, kernel_size=(3, 2), groups=3),
        edge("depthwise", in_channels=8, out_channels=8, kernel_size=3, groups=8),
        edge("more digits than float32 has", in_channels=509, out_channels=511, kernel_size=9),
    ),
)


# --- n_flops ----------------------------------------------------------------------------------------------------------
def counts_multiply_adds(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """A product and its addition counted as one operation, as fvcore and the ResNet paper do (He et al. 2016)."""
    return math.prod(pair(kernel_size)) * (in_channels // groups) * math.prod(pair(output_size)) * out_channels


def counts_the_bias_as_a_multiply_add(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """The bias counted as one product more: 2 (F² D + 1) W₂ H₂ K (Molchanov et al. 2017, appendix A.1)."""
    return (
        2 * (math.prod(pair(kernel_size)) * (in_channels // groups) + 1) * math.prod(pair(output_size)) * out_channels
    )


def counts_one_addition_too_few(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """You counted F² D − 1 additions, which is right without a bias. The bias is one more, so there are F² D."""
    return (
        (2 * math.prod(pair(kernel_size)) * (in_channels // groups) - 1) * math.prod(pair(output_size)) * out_channels
    )


def counts_one_output_only(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """You counted the operations of a single position. Every kernel is used at W₂ H₂ positions: multiply by them."""
    return 2 * math.prod(pair(kernel_size)) * (in_channels // groups) * out_channels


def counts_one_row_of_outputs(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """You multiplied by one side of the output only. There are W₂ H₂ positions."""
    return 2 * math.prod(pair(kernel_size)) * (in_channels // groups) * pair(output_size)[1] * out_channels


def counts_one_column_of_outputs(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """You multiplied by the number of output rows only. There are W₂ H₂ positions."""
    return 2 * math.prod(pair(kernel_size)) * (in_channels // groups) * pair(output_size)[0] * out_channels


def takes_the_output_for_a_square(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """You squared the number of output rows. With W₂ columns and H₂ rows there are W₂ H₂ positions."""
    return 2 * math.prod(pair(kernel_size)) * (in_channels // groups) * pair(output_size)[0] ** 2 * out_channels


def takes_the_kernel_for_a_square(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """You squared the number of the kernel's rows. One of F rows and G columns makes F G products for each channel."""
    return 2 * pair(kernel_size)[0] ** 2 * (in_channels // groups) * math.prod(pair(output_size)) * out_channels


def counts_one_side_of_each_kernel(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """You counted the rows of a kernel only. It has rows times columns: F² in 2 F² D · W₂ H₂ K."""
    return 2 * pair(kernel_size)[0] * (in_channels // groups) * math.prod(pair(output_size)) * out_channels


def loses_the_channels(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """You left out the depth. A kernel makes F² products for each of the D channels that it sees."""
    return 2 * math.prod(pair(kernel_size)) * math.prod(pair(output_size)) * out_channels


def counts_the_work_of_one_kernel(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """You counted a single kernel. The layer has K of them: 2 F² D · W₂ H₂ K."""
    return 2 * math.prod(pair(kernel_size)) * (in_channels // groups) * math.prod(pair(output_size))


def ignores_the_groups_in_the_work(
    *, in_channels: int, out_channels: int, kernel_size: Size, output_size: Size, groups: int = 1
) -> int:
    """You ignored the groups. A kernel sees D / groups channels only."""
    return 2 * math.prod(pair(kernel_size)) * in_channels * math.prod(pair(output_size)) * out_channels


n_flops = Exercise(
    reference.n_flops,
    misconceptions=(
        counts_one_addition_too_few,
        counts_one_output_only,
        counts_one_row_of_outputs,
        counts_one_column_of_outputs,
        takes_the_output_for_a_square,
        takes_the_kernel_for_a_square,
        counts_one_side_of_each_kernel,
        loses_the_channels,
        counts_the_work_of_one_kernel,
        ignores_the_groups_in_the_work,
    ),
    conventions=(counts_multiply_adds, counts_the_bias_as_a_multiply_add),
    edges=(
        edge("small", in_channels=3, out_channels=6, kernel_size=5, output_size=28),
        edge("a smaller kernel, and else as before", in_channels=3, out_channels=6, kernel_size=3, output_size=28),
        edge("smaller maps, and else as before", in_channels=3, out_channels=6, kernel_size=5, output_size=14),
        edge("pairs", in_channels=6, out_channels=9, kernel_size=(3, 2), output_size=(4, 7), groups=3),
        edge("more than 32 bits hold", in_channels=512, out_channels=512, kernel_size=3, output_size=(28, 56)),
        edge("more digits than float32 has", in_channels=509, out_channels=511, kernel_size=3, output_size=(27, 55)),
    ),
)


# --- receptive_field --------------------------------------------------------------------------------------------------
def multiplies_by_its_own_stride(
    *, kernel_sizes: Sequence[int], strides: Layers = None, dilations: Layers = None
) -> int:
    """You multiplied a layer's reach by its own stride too. Its taps are as far apart as the layers before it say."""
    return 1 + sum(d * (f - 1) * math.prod(s[: i + 1]) for i, f, s, d in _layers(kernel_sizes, strides, dilations))


def ignores_the_strides(*, kernel_sizes: Sequence[int], strides: Layers = None, dilations: Layers = None) -> int:
    """You ignored the strides. Multiply a layer's reach by the product of the strides before it."""
    return 1 + sum(d * (f - 1) for _, f, _, d in _layers(kernel_sizes, strides, dilations))


def ignores_the_dilations(*, kernel_sizes: Sequence[int], strides: Layers = None, dilations: Layers = None) -> int:
    """You ignored the dilations. The F − 1 steps between the taps of a layer are d long: d (F − 1)."""
    return 1 + sum((f - 1) * math.prod(s[:i]) for i, f, s, _ in _layers(kernel_sizes, strides, dilations))


def dilates_all_taps(*, kernel_sizes: Sequence[int], strides: Layers = None, dilations: Layers = None) -> int:
    """You gave a layer a reach of d F − 1. Only the F − 1 steps between its taps grow: d (F − 1)."""
    return 1 + sum((d * f - 1) * math.prod(s[:i]) for i, f, s, d in _layers(kernel_sizes, strides, dilations))


def adds_whole_kernels(*, kernel_sizes: Sequence[int], strides: Layers = None, dilations: Layers = None) -> int:
    """You added F for every layer. A kernel of F reaches over F − 1 pixels more: d (F − 1)."""
    return 1 + sum(d * f * math.prod(s[:i]) for i, f, s, d in _layers(kernel_sizes, strides, dilations))


def forgets_the_pixel_itself(*, kernel_sizes: Sequence[int], strides: Layers = None, dilations: Layers = None) -> int:
    """You started from 0. An output of no layer at all sees one pixel, so start from 1."""
    return sum(d * (f - 1) * math.prod(s[:i]) for i, f, s, d in _layers(kernel_sizes, strides, dilations))


def goes_from_the_last_layer(*, kernel_sizes: Sequence[int], strides: Layers = None, dilations: Layers = None) -> int:
    """You multiplied by the strides after a layer. Those before it count: they set how far apart its inputs are."""
    return 1 + sum(d * (f - 1) * math.prod(s[i + 1 :]) for i, f, s, d in _layers(kernel_sizes, strides, dilations))


def uses_one_stride_only(*, kernel_sizes: Sequence[int], strides: Layers = None, dilations: Layers = None) -> int:
    """You multiplied by the stride of the layer before only. Multiply by those of all layers before."""
    layers = _layers(kernel_sizes, strides, dilations)
    return 1 + sum(d * (f - 1) * (s[i - 1] if i else 1) for i, f, s, d in layers)


def multiplies_the_kernels(*, kernel_sizes: Sequence[int], strides: Layers = None, dilations: Layers = None) -> int:
    """You multiplied the kernel sizes. A layer adds to the field: two layers of 3 see 5 pixels, not 9."""
    return math.prod(kernel_sizes)


def counts_an_area(*, kernel_sizes: Sequence[int], strides: Layers = None, dilations: Layers = None) -> int:
    """You squared the result. It is asked for along one axis: two layers of 3 see 5 pixels."""
    return reference.receptive_field(kernel_sizes=kernel_sizes, strides=strides, dilations=dilations) ** 2


def _layers(
    kernel_sizes: Sequence[int], strides: Layers, dilations: Layers
) -> list[tuple[int, int, Sequence[int], int]]:
    """Return every layer's place, kernel size and dilation, and the strides of all layers."""
    ones = [1] * len(kernel_sizes)
    moves = ones if strides is None else strides
    return [(i, f, moves, d) for i, (f, d) in enumerate(zip(kernel_sizes, dilations or ones, strict=True))]


receptive_field = Exercise(
    reference.receptive_field,
    misconceptions=(
        multiplies_by_its_own_stride,
        ignores_the_strides,
        ignores_the_dilations,
        dilates_all_taps,
        adds_whole_kernels,
        forgets_the_pixel_itself,
        goes_from_the_last_layer,
        uses_one_stride_only,
        multiplies_the_kernels,
        counts_an_area,
    ),
    edges=(
        edge("two layers of three", kernel_sizes=(3, 3)),
        edge("a stride before the last layer", kernel_sizes=(3, 2, 5), strides=(1, 2, 3)),
        edge("dilated", kernel_sizes=(3, 3, 3), dilations=(1, 2, 4)),
        edge("all three", kernel_sizes=(7, 3, 2), strides=(2, 3, 2), dilations=(1, 2, 3)),
        edge("one dilated layer", kernel_sizes=(3,), strides=(2,), dilations=(4,)),
        edge("six layers", kernel_sizes=(7, 3, 2, 5, 1, 3), strides=(2, 1, 4, 3, 5, 2), dilations=(1, 5, 3, 2, 4, 1)),
    ),
)
