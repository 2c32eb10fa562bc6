"""Known mistakes in drawing weights; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from graders.harness.exercise import Function, with_signature_of
from reference import initialization as reference
from reference._types import Array
from reference.initialization import Fans, Shape

Generator = np.random.Generator
Variance = Callable[[Fans], float]
FAN_IN: Variance = lambda fans: 1 / fans.fan_in  # noqa: E731  (a formula, as in a table)
GLOROT: Variance = lambda fans: 2 / (fans.fan_in + fans.fan_out)  # noqa: E731
HE: Variance = lambda fans: 2 / fans.fan_in  # noqa: E731

Draw = Callable[[Shape, Generator, Fans], Array]


def _as(f: Function, name: str, told: str, draw: Draw) -> Function:
    """Return a mistake in a rule: its name, what the student is told, and what it draws."""

    def wrong(shape: Shape, generator: Generator, *, dtype: npt.DTypeLike = np.float64) -> Array:
        return draw(shape, generator, reference.fans(shape)).astype(dtype)

    wrong.__name__, wrong.__doc__ = name, told
    return with_signature_of(f, wrong)


def _normal(std: Variance) -> Draw:
    return lambda shape, generator, fans: generator.normal(0, std(fans), shape)


def _uniform(bound: Variance) -> Draw:
    return lambda shape, generator, fans: generator.uniform(-bound(fans), bound(fans), shape)


def _root(variance: Variance, times: float = 1.0) -> Variance:
    return lambda fans: times * math.sqrt(variance(fans))


def _swapped(variance: Variance) -> Variance:
    return lambda fans: variance(Fans(*fans[::-1]))


def _with_other_fans(
    law: Callable[[Variance], Draw], variance: Variance, other: Callable[[Shape], Fans], times: float
) -> Draw:
    return lambda shape, generator, fans: law(_root(lambda _: variance(other(shape)), times))(shape, generator, fans)


def _without_the_field(shape: Shape) -> Fans:
    return Fans(*shape) if len(shape) == 2 else Fans(shape[1], shape[0])


def _rows_for_units(shape: Shape) -> Fans:
    return Fans(shape[1] * math.prod(shape[2:]), shape[0] * math.prod(shape[2:]))


def _last_axes_for_channels(shape: Shape) -> Fans:
    *field, n_in, n_out = shape
    return Fans(n_in * math.prod(field), n_out * math.prod(field))


def _common(f: Function, law: Callable[[Variance], Draw], variance: Variance, times: float) -> tuple[Function, ...]:
    """Return the mistakes that every rule knows; `times` makes of a deviation what the law is given."""
    symmetric = variance is GLOROT
    made = [
        _as(
            f,
            "draws_one_row_for_all",
            "Your rows are all the same, so all inputs are weighted alike. Draw a number for each weight.",
            lambda shape, generator, fans: np.broadcast_to(
                law(_root(variance, times))((1, *shape[1:]), generator, fans), shape
            ).copy(),
        ),
        _as(
            f,
            "starts_from_small_numbers",
            "You draw from a fixed small range, 0.01 wide. How large weights should be "
            "depends on how many are summed: scale by the fans.",
            _normal(lambda fans: 0.01),
        ),
        _as(
            f,
            "starts_from_one_constant",
            "All your weights are the same, and so stay all units. Draw each at random.",
            lambda shape, generator, fans: np.full(shape, math.sqrt(variance(fans))),
        ),
        _as(
            f,
            "forgets_to_scale",
            "You do not scale what you draw. Its variance depends on the fans.",
            law(lambda fans: times),
        ),
    ]
    if not symmetric:  # else the fans of a kernel without its field are those of a dense layer: a convention
        made += [
            _as(
                f,
                "forgets_the_field",
                "You left out the field: a convolution's unit sums in · kh · kw numbers.",
                _with_other_fans(law, variance, _without_the_field, times),
            ),
            _as(
                f,
                "swaps_the_fans",
                "You took fan_out for fan_in. fan_in is how many numbers a unit sums.",
                law(_root(_swapped(variance), times)),
            ),
        ]
    return tuple(made)


def _standardized(drawn: Array) -> Array:
    return (drawn - drawn.mean()) / drawn.std()


def of_normal(f: Function, variance: Variance) -> tuple[Function, ...]:
    """Return the mistakes in a rule that draws normal numbers."""
    return (
        *_common(f, _normal, variance, 1.0),
        _as(
            f,
            "draws_positive_weights_only",
            "Your weights are all positive. Draw them around zero, as many below it as above.",
            lambda shape, generator, fans: np.abs(generator.normal(0, math.sqrt(variance(fans)), shape)),
        ),
        _as(
            f,
            "takes_the_variance_for_the_deviation",
            "You gave the variance where the standard deviation is asked for. Take its square root.",
            _normal(variance),
        ),
        _as(
            f,
            "takes_the_fourth_root",
            "You took the square root twice. The deviation is the root of the variance.",
            _normal(lambda fans: variance(fans) ** 0.25),
        ),
        _as(
            f,
            "draws_uniform_numbers",
            "You draw uniform numbers (rand). This rule draws normal ones.",
            _uniform(_root(variance, math.sqrt(3))),
        ),
        _as(
            f,
            "divides_uniform_numbers_by_the_root",
            "You scale numbers between 0 and 1 (rand). Draw normal ones.",
            lambda shape, generator, fans: generator.random(shape) * math.sqrt(variance(fans)),
        ),
        _as(
            f,
            "makes_each_draw_fit",
            "You shift and scale what you drew, so that its own mean and variance are exactly right. Then the weights "
            "hang together: the law is that of each number by itself. Leave them as they were drawn.",
            lambda shape, generator, fans: _standardized(generator.standard_normal(shape)) * math.sqrt(variance(fans)),
        ),
        _as(
            f,
            "divides_by_the_deviation",
            "You divide by the deviation. Multiply standard normal numbers by it.",
            _normal(lambda fans: 1 / math.sqrt(variance(fans))),
        ),
    )


def of_uniform(f: Function, variance: Variance) -> tuple[Function, ...]:
    """Return the mistakes in a rule that draws uniform numbers."""
    return (
        *_common(f, _uniform, variance, math.sqrt(3)),
        _as(
            f,
            "takes_the_deviation_for_the_bound",
            "You took the standard deviation for the bound. Uniform numbers on "
            "±a have variance a²/3, so the bound is √3 times the deviation.",
            _uniform(_root(variance)),
        ),
        _as(
            f,
            "takes_the_bound_squared",
            "You forgot the root: the bound is the root of three times the variance.",
            _uniform(lambda fans: 3 * variance(fans)),
        ),
        _as(
            f,
            "draws_normal_numbers",
            "You draw normal numbers (randn). This rule draws uniform ones, within a bound.",
            _normal(_root(variance)),
        ),
        _as(
            f,
            "takes_the_bound_for_the_width",
            "You took the bound for the width: your numbers are on ±a/2. Draw them on ±a, which is 2a wide.",
            _uniform(_root(variance, math.sqrt(3) / 2)),
        ),
        _as(
            f,
            "draws_from_zero_on",
            "You draw between 0 and the bound. Draw between -bound and +bound.",
            lambda shape, generator, fans: generator.uniform(0, math.sqrt(3 * variance(fans)), shape),
        ),
    )


def other_rule(f: Function, law: str, name: str, told: str, variance: Variance) -> Function:
    """Return the mistake of taking one rule for another."""
    return _as(f, name, told, _normal(_root(variance)) if law == "normal" else _uniform(_root(variance, math.sqrt(3))))


def _truncated(std: Variance) -> Draw:
    def draw(shape: Shape, generator: Generator, fans: Fans) -> Array:
        numbers = generator.standard_normal((4, *shape))
        inside = np.abs(numbers) <= 2  # of four numbers one is: all are beyond once in 230,000 times
        return std(fans) * np.take_along_axis(np.clip(numbers, -2, 2), np.argmax(inside, axis=0)[None], axis=0)[0]

    return draw


TRUNCATED = 0.87962566103423978
"""The standard deviation of a standard normal number that is drawn again until it is within ±2."""


def forgets_to_rescale_the_truncated(f: Function, variance: Variance) -> Function:
    """Return the mistake of a truncated normal whose deviation is 12 % too small."""
    told = "You truncate at two deviations, which leaves 0.88 of the deviation. Divide it by 0.8796 before you draw."
    return _as(f, "forgets_to_rescale_what_is_truncated", told, _truncated(_root(variance)))


def conventions(f: Function, variance: Variance, law: str) -> tuple[Function, ...]:
    """Return the rule with other layouts and, for normal numbers, as Keras draws them."""
    draw, times = (_normal, 1.0) if law == "normal" else (_uniform, math.sqrt(3))
    made = [
        _as(
            f,
            "takes_the_last_axes_for_channels",
            "A kernel is (…, in, out), as Keras holds it; a dense layer is as here.",
            _with_other_fans(draw, variance, _last_axes_for_channels, times),
        ),
        _as(
            f,
            "knows_dense_layers_only",
            "The fans are the first two axes, as for a dense layer; a kernel is not meant.",
            _with_other_fans(draw, variance, lambda shape: Fans(shape[0], shape[1]), times),
        ),
    ]
    if variance is not GLOROT:
        made.append(
            _as(
                f,
                "takes_rows_for_units",
                "W is (d_out, d_in), as in PyTorch's Linear and torch.nn.init.",
                _with_other_fans(draw, variance, _rows_for_units, times),
            )
        )
    if law == "normal":
        made.append(
            _as(
                f,
                "truncates_and_rescales",
                "A normal number that is drawn again until it is within two "
                "deviations, rescaled to the same variance, as in Keras (VarianceScaling).",
                _truncated(_root(variance, 1 / TRUNCATED)),
            )
        )
    return tuple(made)


def of_standard(f: Function, variance: Variance, law: str) -> Function:
    """Return the honest program that scales standard numbers."""
    if law == "normal":
        return _as(
            f,
            "scaled_standard_numbers",
            "Standard numbers, scaled.",
            lambda shape, generator, fans: generator.standard_normal(shape) * math.sqrt(variance(fans)),
        )
    return _as(
        f,
        "scaled_standard_numbers",
        "Standard numbers, scaled.",
        lambda shape, generator, fans: (2 * generator.random(shape) - 1) * math.sqrt(3 * variance(fans)),
    )


# --- orthogonal -------------------------------------------------------------------------------------------------------
def _matrix(shape: Shape) -> tuple[int, int]:
    return shape[0], math.prod(shape[1:])


def _orthonormal(rows: int, columns: int, generator: Generator) -> Array:
    q, r = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.where(np.diagonal(r) < 0, -1, 1)
    return q if rows >= columns else q.T


def forgets_the_gain(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """You left the gain out. The orthonormal matrix is multiplied by it."""
    return reference.orthogonal(shape, generator, dtype=dtype)


def squares_the_gain(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """You multiplied by the gain twice."""
    return reference.orthogonal(shape, generator, gain=gain**2, dtype=dtype)


def scales_each_row_only(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """You gave every row length 1, but the rows are not orthogonal to each other. Take Q of a QR decomposition."""
    drawn = generator.standard_normal(_matrix(shape))
    return (gain * drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).reshape(shape).astype(dtype)


def scales_each_column_only(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """You gave every column length 1, but the columns are not orthogonal. Take Q of a QR decomposition."""
    drawn = generator.standard_normal(_matrix(shape))
    return (gain * drawn / np.linalg.norm(drawn, axis=0)).reshape(shape).astype(dtype)


def draws_normal_numbers(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """You return the normal numbers themselves. Orthogonal is Q of their QR decomposition."""
    return (gain * generator.standard_normal(shape)).astype(dtype)


def starts_from_the_identity(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """You return the identity, whatever is drawn. Every orthonormal matrix should be as likely as any other."""
    return (gain * np.eye(*_matrix(shape))).reshape(shape).astype(dtype)


def permutes_the_identity(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """You exchange rows of the identity. Every orthonormal matrix should be as likely, not those of zeros and ones."""
    rows, columns = _matrix(shape)
    mixed = np.eye(max(rows, columns))[generator.permutation(max(rows, columns))]
    return (gain * mixed[:rows, :columns]).reshape(shape).astype(dtype)


def flattens_all_but_the_last_axis(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """You took the kernel's last axis for its units. A kernel (out, in, kh, kw) is taken as (out, in · kh · kw)."""
    return (gain * _orthonormal(math.prod(shape[:-1]), shape[-1], generator)).reshape(shape).astype(dtype)


def returns_r(shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64) -> Array:
    """You return R of the decomposition, which is triangular. Q is the orthonormal part."""
    rows, columns = _matrix(shape)
    r = np.linalg.qr(generator.standard_normal((rows, columns)), mode="complete")[1]
    return (gain * r[:rows, :columns]).reshape(shape).astype(dtype)


def leaves_the_signs_as_they_come(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """Q as the decomposition gives it: orthonormal, though with signs that are not left to chance (Mezzadri 2007)."""
    rows, columns = _matrix(shape)
    q = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns))))[0]
    return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)


def takes_singular_vectors(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """Singular vectors of a normal matrix, as in Lasagne: orthonormal, though chance does not decide the signs."""
    u, _, v = np.linalg.svd(generator.standard_normal(_matrix(shape)), full_matrices=False)
    return (gain * (u if u.shape == _matrix(shape) else v)).reshape(shape).astype(dtype)


def cut_from_a_square(
    shape: Shape, generator: Generator, *, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Array:
    """The first rows and columns of a square orthogonal matrix."""
    rows, columns = _matrix(shape)
    side = max(rows, columns)
    return (gain * _orthonormal(side, side, generator)[:rows, :columns]).reshape(shape).astype(dtype)
