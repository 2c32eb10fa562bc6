"""Convolution: sums over all integers of arrays that are 0 outside their axes, so that borders need no case.

Images are x[sample, channel, row, column], kernels w[out, in, row, column]; output (i, j) of a stride s and a padding P
reads x at (s i + p − P, s j + q − P).
"""

from __future__ import annotations

from typing import Any

from ._kernel import Argument, Claim, Erratum, Line, Part
from ._kernel.terms import Σ, Integer, array, indices, oo, sizes, steps, δ

n, c_in, c_out, h, v, kh, kw, oh, ow = sizes("n c_in c_out h v kh kw oh ow")
stride, dilation = sizes("stride dilation")
padding, shift = steps("padding shift")
r, r1 = indices("r r1", n)
c, c1 = indices("c c1", c_in)
o, o1 = indices("o o1", c_out)
a, b = indices("a", h), indices("b", v)
d_row, d_column = indices("a", kh), indices("b", kw)
i, j, p, q, u, t, m, k = indices("i j p q u t m k", oo)
x, w, bias, cotangent, flipped = map(array, ("x", "w", "b", "cotangent", "flipped"))

X = Argument("x", (n, c_in, h, v), padded=True)
W = Argument("w", (c_out, c_in, kh, kw), padded=True)
BIAS = Argument("b", (c_out,))
COTANGENT = Argument("cotangent", (n, c_out, oh, ow), padded=True)
STRIDE, PADDING = Argument("stride", (), "count"), Argument("padding", (), "zero_or_one")


def y(r: Any, o: Any, i: Any, j: Any) -> Any:
    """Output (i, j) of map o for sample r."""
    return (
        Σ(x[r, c, stride * i + p - padding, stride * j + q - padding] * w[o, c, p, q], c, p, q) + bias[o]
    )  # p and q are any integers: outside of the kernel w is 0


PULLED_BACK = Σ(cotangent[r, o, i, j] * y(r, o, i, j), r, o, i, j)

convolution_by_outputs_or_by_inputs = Claim(
    name="convolution.convolution_by_outputs_or_by_inputs",
    statement="A convolution may be read by outputs (each gathers its window) or by inputs (each is weighed by w).",
    parts=(
        Part(
            left=y(r, o, i, j),
            right=Σ(x[r, c, u, t] * w[o, c, u - stride * i + padding, t - stride * j + padding], c, u, t) + bias[o],
            axes=(r, o, i, j),
        ),
    ),
    arguments=(X, W, BIAS, STRIDE, PADDING),
    ids=("C14", "C17", "D48", "D51"),
    source="u = s i + p − P",
    note="Zero padding is nothing but reading 0 outside of the image.",
)

# Output places of a stride of 1; with another stride their number is a quotient, rounded down.
down, across = indices("i", h + 2 * padding - kh + 1), indices("j", v + 2 * padding - kw + 1)

conv2d = Claim(
    name="convolution.conv2d",
    statement="With a stride of 1 output (i, j) gathers the window that starts at (i − P, j − P), over all input maps.",
    parts=(
        Part(
            left=Σ(x[r, c, u, t] * w[o, c, u - down + padding, t - across + padding], c, u, t) + bias[o],
            right=Σ(x[r, c, down + p - padding, across + q - padding] * w[o, c, p, q], c, p, q) + bias[o],
            axes=(r, o, down, across),
        ),
    ),
    arguments=(X, W, BIAS, PADDING),
    covers={"groups": 1, "dilation": 1, "stride": 1},
    ids=("C14", "C17", "D48"),
    source="p = u − i + P",
    note="For every stride it is convolution_by_outputs_or_by_inputs, without the number of outputs.",
)

conv2d_vjp = Claim(
    name="convolution.conv2d_vjp",
    statement="The gradients of a convolution by its input, kernel and bias, for every stride, padding and size.",
    parts=(
        Part(
            left=PULLED_BACK,
            by=x[r1, c1, a, b],
            axes=(r1, c1, a, b),
            right=Σ(
                cotangent[r1, o, i, j] * w[o, c1, a - stride * i + padding, b - stride * j + padding], o, i, j
            ),
            lines=(
                Line(
                    Σ(
                        cotangent[r1, o, i, j]
                        * w[o, c1, p, q]
                        * δ(a, stride * i + p - padding)
                        * δ(b, stride * j + q - padding),
                        o, i, j, p, q,
                    ),
                    "x[a, b] is read where s i + p − P = a and s j + q − P = b",
                ),
            ),
            output="dx",
        ),
        Part(
            left=PULLED_BACK,
            by=w[o1, c1, d_row, d_column],
            axes=(o1, c1, d_row, d_column),
            right=Σ(
                cotangent[r, o1, i, j]
                * x[r, c1, stride * i + d_row - padding, stride * j + d_column - padding],
                r, i, j,
            ),
            output="dw",
        ),
        Part(
            left=PULLED_BACK,
            by=bias[o1],
            axes=(o1,),
            right=Σ(cotangent[r, o1, i, j], r, i, j),
            output="db",
        ),
    ),
    arguments=(X, W, BIAS, COTANGENT, STRIDE, PADDING),
    covers={"groups": 1, "dilation": 1},
    ids=("D48", "D51", "C14"),
    source="dx = g ∗ w, dw = g ⋆ x, db = Σ g",
)  # fmt: skip

line_x, line_w, line_g = (Argument("x", (h,), padded=True), Argument("w", (kh,), padded=True),
                          Argument("cotangent", (oh,), padded=True))  # fmt: skip
DILATED = Σ(cotangent[i] * Σ(x[stride * i + dilation * p - padding] * w[p], p), i)

dilated_convolution_vjp = Claim(
    name="convolution.dilated_convolution_vjp",
    statement="With a dilation of d the kernel's gradient reads each d-th input; an input's the taps that hit it.",
    parts=(
        Part(
            left=DILATED,
            by=w[d_row],
            axes=(d_row,),
            right=Σ(cotangent[i] * x[stride * i + dilation * d_row - padding], i),
            output="dw",
        ),
        Part(
            left=DILATED,
            by=x[a],
            axes=(a,),
            right=Σ(cotangent[i] * w[p] * δ(a, stride * i + dilation * p - padding), i, p),
            output="dx",
        ),
    ),
    arguments=(line_x, line_w, line_g, STRIDE, PADDING, Argument("dilation", (), "count")),
    ids=("D48",),
    source="y_i = Σ x[s i + d p − P] w_p",
)

image, kernel = Argument("x", (h, v), padded=True), Argument("w", (kh, kw), padded=True)

convolution_flips_the_kernel = Claim(
    name="convolution.convolution_flips_the_kernel",
    statement="A convolution is the cross-correlation with the kernel turned by half a turn.",
    parts=(
        Part(
            left=Σ(x[i - m, j - k] * w[m, k], m, k),
            right=Σ(x[i + m - (kh - 1), j + k - (kw - 1)] * flipped[m, k], m, k),
            axes=(i, j),
            lines=(Line(Σ(x[i + m, j + k] * w[-m, -k], m, k), "m → −m, k → −k"),),
        ),
    ),
    arguments=(image, kernel, Argument("flipped", (kh, kw), "given", padded=True)),
    given=((flipped[m, k], w[kh - 1 - m, kw - 1 - k]),),
    ids=("D49",),
    source="k'(m, n) = k(−m, −n)",
)

convolution_commutes = Claim(
    name="convolution.convolution_commutes",
    statement="In a convolution image and kernel may be exchanged.",
    parts=(
        Part(
            left=Σ(x[i - m, j - k] * w[m, k], m, k),
            right=Σ(w[i - m, j - k] * x[m, k], m, k),
            axes=(i, j),
        ),
    ),
    arguments=(image, kernel),
    ids=("D49",),
    source="m → i − m",
)

# Places at which the whole kernel, h_w times v_w, lies on the map.
h_w, v_w = sizes("h_w v_w")
row, column = indices("i", h - h_w + 1), indices("j", v - v_w + 1)
MAP_AND_KERNEL = (image, Argument("w", (h_w, v_w), padded=True))

cross_correlate2d = Claim(
    name="convolution.cross_correlate2d",
    statement="An output gathers the window that starts at its place, or weighs each input by the tap that meets it.",
    parts=(
        Part(
            left=Σ(x[u, t] * w[u - row, t - column], u, t),
            right=Σ(x[row + m, column + k] * w[m, k], m, k),
            axes=(row, column),
        ),
    ),
    arguments=MAP_AND_KERNEL,
    ids=("D48",),
    source="S(i, j) = Σ I(i + m, j + n) K(m, n)",
)

convolve2d = Claim(
    name="convolution.convolve2d",
    statement="A convolution's places run against those of its input: the whole kernel meets the map from F − 1 on.",
    parts=(
        Part(
            left=Σ(x[u, t] * w[row + h_w - 1 - u, column + v_w - 1 - t], u, t),
            right=Σ(x[row + h_w - 1 - m, column + v_w - 1 - k] * w[m, k], m, k),
            axes=(row, column),
        ),
    ),
    arguments=MAP_AND_KERNEL,
    ids=("D49",),
    source="(x ∗ w)(i, j) = Σ x(i − m, j − n) w(m, n)",
)

two_rows, two_columns = indices("m", 2), indices("k", 2)

cross_correlation_of_a_kernel_of_two_by_two = Claim(
    name="convolution.cross_correlation_of_a_kernel_of_two_by_two",
    statement="Output (2, 2) of a two by two kernel is the sum of four products; none is flipped.",
    parts=(
        Part(
            left=Σ(x[2 + two_rows, 2 + two_columns] * w[two_rows, two_columns], two_rows, two_columns),
            right=x[2, 2] * w[0, 0] + x[3, 2] * w[1, 0] + x[2, 3] * w[0, 1] + x[3, 3] * w[1, 1],
        ),
    ),
    arguments=(Argument("x", (h + 3, v + 3)), Argument("w", (kh + 1, kw + 1))),
    ids=("D46", "D47"),
    source="S(2, 2) = I(2, 2) K(0, 0) + I(3, 2) K(1, 0) + …",
)


def shifted_output(i: Any, by: Any) -> Any:
    """Output i when the input is moved by so many places."""
    return Σ(x[stride * i + p - padding - by] * w[p], p)


convolution_is_shift_equivariant = Claim(
    name="convolution.convolution_is_shift_equivariant",
    statement="Moving the input by s·r places moves the output by r places, for a stride of s; other moves do not.",
    parts=(Part(left=shifted_output(i, stride * shift), right=shifted_output(i - shift, 0), axes=(i,)),),
    arguments=(line_x, line_w, STRIDE, PADDING, Argument("shift", (), "natural")),
    ids=("D50",),
    source="y'_i = y_(i−r)",
)

# --- one pixel -------------------------------------------------------------------------------------------------------

top, left = indices("top left", Integer(1))
PIXELS, MATRIX = Argument("x", (n, c_in, h, v)), Argument("w", (c_out, c_in))
WHOLE_COTANGENT = Argument("cotangent", (n, c_out, h, v))
at_row, at_column = indices("row", h), indices("col", v)


def pixel(r: Any, o: Any, a: Any, b: Any) -> Any:
    """One output pixel of a 1×1 convolution: the affine layer of the pixel's channels."""
    return Σ(w[o, c] * x[r, c, a, b], c) + bias[o]


pointwise_conv2d = Claim(
    name="convolution.pointwise_conv2d",
    statement="A 1×1 convolution is one affine layer, applied to the channels of every pixel.",
    parts=(
        Part(
            left=Σ(w[o, c] * x[r, c, a + top, b + left], c, top, left) + bias[o],
            right=pixel(r, o, a, b),
            axes=(r, o, a, b),
        ),
    ),
    arguments=(PIXELS, MATRIX, BIAS),
    ids=("C14", "D69"),
    source="the kernel has one offset, 0",
)

PULLED_PIXELS = Σ(cotangent[r, o, at_row, at_column] * pixel(r, o, at_row, at_column), r, o, at_row, at_column)

pointwise_conv2d_vjp = Claim(
    name="convolution.pointwise_conv2d_vjp",
    statement="Through a 1×1 convolution x gets wᵀg at each pixel, w Σ g x and b Σ g over samples and pixels.",
    parts=(
        Part(
            left=PULLED_PIXELS,
            by=x[r1, c1, a, b],
            axes=(r1, c1, a, b),
            right=Σ(cotangent[r1, o, a, b] * w[o, c1], o),
            output="dx",
        ),
        Part(
            left=PULLED_PIXELS,
            by=w[o1, c1],
            axes=(o1, c1),
            right=Σ(cotangent[r, o1, at_row, at_column] * x[r, c1, at_row, at_column], r, at_row, at_column),
            output="dw",
        ),
        Part(
            left=PULLED_PIXELS,
            by=bias[o1],
            axes=(o1,),
            right=Σ(cotangent[r, o1, at_row, at_column], r, at_row, at_column),
            output="db",
        ),
    ),
    arguments=(PIXELS, MATRIX, BIAS, WHOLE_COTANGENT),
    where=(
        (array("y")[r, o, at_row, at_column], pixel(r, o, at_row, at_column)),
        (array("L")[()], PULLED_PIXELS),
    ),
    ids=("D21", "D69"),
    source="input · error, summed over pixels",
)

# --- counted ---------------------------------------------------------------------------------------------------------

last, rest, less, spare = steps("last rest less spare")
STEP = rest + 1 + spare  # any stride above the remainder
NATURALS = tuple(
    Argument(name, (), "zero_or_one" if name == "less" else "natural") for name in ["last", "rest", "less", "spare"]
)

output_size_by_division_with_remainder = Claim(
    name="convolution.output_size_by_division_with_remainder",
    statement="A window that moves by S has ⌊(N + 2P − F)/S⌋ + 1 positions, for all whole numbers.",
    parts=(
        Part(
            left=last * STEP + rest,
            right=(last - less) * STEP,
            relation="≥",
            certificate=less * STEP + rest,
            output="position (quotient − anything) fits",
        ),
        Part(
            left=(last + 1 + less) * STEP,
            right=last * STEP + rest,
            relation=">",
            certificate=less * STEP + spare + 1,
            output="position (quotient + 1 + anything) does not",
        ),
    ),
    arguments=NATURALS,
    ids=("C18", "D52", "D55", "C15"),
    source="⌊(N + 2P − F)/S⌋ + 1",
    note=(
        "Division with remainder: N + 2P − F = last·S + rest with 0 ≤ rest < S, so S = rest + 1 + spare. Position k "
        "fits when k S ≤ N + 2P − F: just for k = 0 … last, and last is the floor."
    ),
)

N, F = sizes("N F")
P, S = steps("P"), sizes("S")

same_padding_keeps_the_size = Claim(
    name="convolution.same_padding_keeps_the_size",
    statement="With stride 1 and a padding of (F − 1)/2 the output is as large as the input.",
    parts=(Part(left=N + 2 * ((F - 1) / 2) - F + 1, right=N),),
    arguments=(Argument("N", (), "count"), Argument("F", (), "count")),
    ids=("C17", "D70"),
    source="N + 2P − F + 1 = N",
)

centres_give_the_same_size = Claim(
    name="convolution.centres_give_the_same_size",
    statement="Counting the centres from F/2 to N + 2P − F/2 gives the size that counting the windows gives.",
    parts=(Part(left=((N + 2 * P - F / 2) - F / 2) / S + 1, right=(N + 2 * P - F) / S + 1),),
    arguments=tuple(Argument(name, (), "count") for name in ("N", "F", "P", "S")),
    ids=("D54", "D55"),
    source="(W + 2P − F/2 − F/2)/S + 1",
)

D_1, K, W_2, H_2 = sizes("D_1 K W_2 H_2")
f1, f2 = indices("f1", F), indices("f2", F)
depth, maps, wide, high = indices("depth", D_1), indices("maps", K), indices("across", W_2), indices("down", H_2)

operations_of_a_convolution = Claim(
    name="convolution.operations_of_a_convolution",
    statement="A convolution makes 2F²D₁·W₂H₂K operations: for each output F²D₁ products and as many additions.",
    parts=(
        Part(
            left=Σ(Σ(Integer(1), f1, f2, depth) + Σ(Integer(1), f1, f2, depth), wide, high, maps),
            right=2 * F**2 * D_1 * W_2 * H_2 * K,
        ),
    ),
    arguments=tuple(Argument(name, (), "count") for name in ("F", "D_1", "W_2", "H_2", "K")),
    ids=("D54",),
    source="2F²D₁ W₂H₂D₂",
    note="The additions count the bias: F²D₁ − 1 among the products and one more.",
)

SQUARES = ("kernel_size", "in_channels", "out_channels", "output_size")
kernel_size, in_channels, out_channels, output = sizes(" ".join(SQUARES))
a1, a2 = indices("a1 a2", kernel_size)
taken, given, place1, place2 = (
    indices("taken", in_channels), indices("given", out_channels), indices("i1", output), indices("i2", output)
)  # fmt: skip

n_parameters = Claim(
    name="convolution.n_parameters",
    statement="A layer of K kernels F × F over D maps has (F²D + 1) K parameters: a weight for each tap, and K biases.",
    parts=(
        Part(
            left=Σ(Σ(Integer(1), taken, a1, a2) + 1, given),
            right=(kernel_size**2 * in_channels + 1) * out_channels,
        ),
    ),
    arguments=tuple(Argument(name, (), "count") for name in SQUARES[:3]),
    covers={"groups": 1},
    ids=("D53",),
    source="(F²D + 1) K",
)

n_flops = Claim(
    name="convolution.n_flops",
    statement="With square kernels and maps of W² outputs a convolution makes 2F²D · W²K operations.",
    parts=(
        Part(
            left=Σ(2 * Σ(Integer(1), taken, a1, a2), place1, place2, given),
            right=2 * kernel_size**2 * in_channels * output**2 * out_channels,
        ),
    ),
    arguments=tuple(Argument(name, (), "count") for name in SQUARES),
    covers={"groups": 1},
    ids=("D54",),
    source="2F²D · W²K",
)

errata = (
    Erratum(
        id="C18",
        as_written=Claim(
            name="convolution.C18",
            statement="The output has N + 2P − F/S + 1 positions.",
            parts=(
                Part(
                    left=(last * STEP + rest + F - 2 * P) + 2 * P - F / STEP + 1,
                    right=last + 1,
                ),
            ),
            arguments=(*NATURALS, Argument("F", (), "count"), Argument("P", (), "natural")),
        ),
        corrected_by="convolution.output_size_by_division_with_remainder",
        note="Parentheses and the floor are lost: 32.5 where 15 is right, at N = 32, P = 1, F = 5, S = 2.",
    ),
    Erratum(
        id="D50",
        as_written=Claim(
            name="convolution.D50",
            statement="A convolution's output does not change when its input is moved (shift invariance).",
            parts=(Part(left=shifted_output(i, stride * shift), right=shifted_output(i, 0), axes=(i,)),),
            arguments=(line_x, line_w, STRIDE, PADDING, Argument("shift", (), "count")),
        ),
        corrected_by="convolution.convolution_is_shift_equivariant",
        note="The output moves with the input: equivariant, not invariant.",
    ),
)
