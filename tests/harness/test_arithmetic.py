"""One text, several arithmetics: each held against brute force and against NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from graders.harness import arithmetic
from graders.harness.arithmetic import (
    Bounded,
    Bounded32,
    Exact,
    Lifted,
    Unsupported,
    bounded_kind,
    exact_kind,
    lift,
    rounded_kind,
)
from graders.harness.sandbox.codec import Record

Array = np.ndarray[Any, Any]
KINDS = ("exact", "bounded", "rounded")


def kind_of(name: str, dtype: str = "float64") -> Any:
    return {"exact": exact_kind(50), "bounded": bounded_kind(dtype), "rounded": rounded_kind(dtype, 0)}[name]


def plain(value: Any) -> Array:
    """Return what a lifted array is about, as NumPy would have it: of many samples, the mean."""
    assert isinstance(value, Lifted)
    part = value.parts[0]
    if value.lead:
        part = part.mean(axis=0) if part.dtype != bool else part[0]
    return part if part.dtype == bool else part.astype(np.float64)


# ---------------------------------------------------------------- structure, against NumPy

A = np.arange(24.0).reshape(2, 3, 4) - 11.5
M = np.array([[0.5, -1.25, 3.0], [2.0, 0.0, -0.75]])
V = np.array([0.25, -2.0, 1.5])
SQUARE = np.array([[0.5, -1.25, 3.0], [2.0, 0.0, -0.75], [1.0, 1.5, -3.5]])
LABELS = np.array([2, 0])

STRUCTURAL: dict[str, Callable[..., Any]] = {
    "T": lambda a, m, v: a.T,
    "T of a vector": lambda a, m, v: v.T,
    "transpose": lambda a, m, v: np.transpose(a, (2, 0, 1)),
    "transpose, negative": lambda a, m, v: np.transpose(a, (-1, 0, -2)),
    "transpose, all": lambda a, m, v: np.transpose(m),
    "reshape": lambda a, m, v: np.reshape(a, (4, 6)),
    "reshape to a vector": lambda a, m, v: a.reshape(-1),
    "reshape by two": lambda a, m, v: a.reshape(3, 8),
    "reshape to one column": lambda a, m, v: np.reshape(v, (-1, 1)),
    "ravel": lambda a, m, v: np.ravel(m),
    "moveaxis": lambda a, m, v: np.moveaxis(a, 0, -1),
    "moveaxis back": lambda a, m, v: np.moveaxis(a, -1, 1),
    "swapaxes": lambda a, m, v: np.swapaxes(a, 0, 2),
    "swapaxes, negative": lambda a, m, v: np.swapaxes(a, -1, -3),
    "expand_dims": lambda a, m, v: np.expand_dims(m, 1),
    "expand_dims, last": lambda a, m, v: np.expand_dims(m, -1),
    "expand_dims, several": lambda a, m, v: np.expand_dims(v, (0, 2)),
    "squeeze": lambda a, m, v: np.squeeze(m[:, None], 1),
    "squeeze, last": lambda a, m, v: np.squeeze(m[..., None], axis=-1),
    "flip": lambda a, m, v: np.flip(m, 0),
    "flip, last": lambda a, m, v: np.flip(m, axis=-1),
    "flip, all": lambda a, m, v: np.flip(m),
    "broadcast_to": lambda a, m, v: np.broadcast_to(v, (4, 2, 3)),
    "broadcast_to, a column": lambda a, m, v: np.broadcast_to(m[:, :1], (2, 3)),
    "concatenate": lambda a, m, v: np.concatenate([m, m + 1, M]),
    "concatenate, columns": lambda a, m, v: np.concatenate([m, M[:, :1]], axis=1),
    "concatenate, last": lambda a, m, v: np.concatenate([m, m], axis=-1),
    "stack": lambda a, m, v: np.stack([v, V, v + v]),
    "stack, last": lambda a, m, v: np.stack([m, m], axis=-1),
    "stack, middle": lambda a, m, v: np.stack([m, m], axis=1),
    "take_along_axis": lambda a, m, v: np.take_along_axis(m, LABELS[:, None], axis=-1),
    "take_along_axis, rows": lambda a, m, v: np.take_along_axis(m, np.array([[1, 0, 1]]), axis=0),
    "take_along_axis, two": lambda a, m, v: np.take_along_axis(m, np.array([[0, 2], [1, 1]]), 1),
    "indexing": lambda a, m, v: a[1, :, ::-1],
    "indexing, new axes": lambda a, m, v: v[None, :, None],
    "indexing, ellipsis": lambda a, m, v: a[..., -1],
    "indexing, arrays": lambda a, m, v: m[np.arange(2), LABELS],
    "indexing, a mask": lambda a, m, v: v[np.array([True, False, True])],
    "copy": lambda a, m, v: np.copy(m) + m.copy(),
    "zeros_like": lambda a, m, v: np.zeros_like(m),
    "ones_like": lambda a, m, v: np.ones_like(m) + m,
    "astype": lambda a, m, v: m.astype(np.float64) + (m > 0).astype(np.float64),
}
REDUCING: dict[str, Callable[..., Any]] = {
    f"{name}, axis {axis}, keepdims {keepdims}": (
        lambda a, m, v, name=name, axis=axis, keepdims=keepdims: getattr(np, name)(a, axis=axis, keepdims=keepdims)
    )
    for name in ("sum", "mean", "max", "min", "argmax")
    for axis in (None, 0, 1, -1, -3)
    for keepdims in (False, True)
    if name != "argmax" or axis is not None
} | {
    "sum, two axes": lambda a, m, v: np.sum(a, axis=(0, 2)),
    "sum, two axes kept": lambda a, m, v: np.sum(a, axis=(-1, 0), keepdims=True),
    "mean, two axes": lambda a, m, v: np.mean(a, axis=(1, 2)),
    "max, two axes": lambda a, m, v: np.max(a, axis=(0, 1)),
    "amax": lambda a, m, v: np.amax(m, axis=1),
    "methods": lambda a, m, v: m.sum(axis=0) + m.mean() + m.max(axis=0),
    "of a scalar": lambda a, m, v: np.sum(np.sum(m)) + np.max(m[0, 0]) + np.mean(m[0, 0]),
}
ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "arithmetic": lambda a, m, v: (m + v) * m - v / (m * m + 2),
    "numbers on both sides": lambda a, m, v: 2 - 3 * (1 / (m + 7)) + m / 4,
    "broadcast of ranks": lambda a, m, v: a + V[:, None] * a - m[:, :, None],
    "a rank less on the left": lambda a, m, v: v * m + v - a[:, :, 0],
    "a scalar of an array": lambda a, m, v: m[0, 0] * a + v[0],
    "power": lambda a, m, v: m**2 + (m * m + 1) ** 0.5 + (m * m + 1) ** -1,
    "power of a number": lambda a, m, v: 0.5**v,
    "functions": lambda a, m, v: np.exp(v) + np.log(m * m + 1) + np.tanh(m) + np.expm1(m) + np.log1p(m * m),
    "angles": lambda a, m, v: np.sin(m) + np.cos(v) + np.hypot(m, v) + np.arctan2(v, m),
    "steps": lambda a, m, v: np.floor(m + 0.1) + np.ceil(v - 0.1),
    "roots": lambda a, m, v: np.sqrt(m * m + 0.5) + np.abs(m) - np.negative(v),
    "square and reciprocal": lambda a, m, v: np.square(m) + np.reciprocal(m * m + 1),
    "sign": lambda a, m, v: np.sign(m) * v,
    "logaddexp": lambda a, m, v: np.logaddexp(m, v),
    "extrema": lambda a, m, v: np.maximum(m, 0) + np.minimum(v, m) - np.maximum(0.5, m),
    "clip": lambda a, m, v: np.clip(m, -1.0, 1.0),
    "comparisons": lambda a, m, v: m > 0,
    "comparisons of arrays": lambda a, m, v: (m <= v) | ((m != 0) & (m >= 1.75)),
    "not": lambda a, m, v: ~(m < 0),
    "a mask as numbers": lambda a, m, v: v * (m > 0),
    "where": lambda a, m, v: np.where(m > 0, m, v),
    "where, a number": lambda a, m, v: np.where(m >= 0, 1, np.exp(m)),
    "where, a plain condition": lambda a, m, v: np.where(M > 0, v, 0.5),
    "where, ranks apart": lambda a, m, v: np.where(v > 0, a[:, :, :3], m[:, None]),
    "where, a higher condition": lambda a, m, v: np.where(a[:, :, :3] > 0, v, 2.0),
    "where, one truth for all": lambda a, m, v: np.where(V[0] > 0, m, -m),
}
PRODUCTS: dict[str, Callable[..., Any]] = {
    "matrix by matrix": lambda a, m, v: m @ SQUARE,
    "plain by lifted": lambda a, m, v: M @ m.T,
    "matrix by vector": lambda a, m, v: m @ v,
    "vector by matrix": lambda a, m, v: v @ m.T,
    "vector by vector": lambda a, m, v: v @ v,
    "stack by matrix": lambda a, m, v: np.moveaxis(a, 1, 2) @ SQUARE,
    "matrix by stack": lambda a, m, v: m @ a,
    "stack by stack": lambda a, m, v: a @ np.moveaxis(a, 1, 2),
    "stack by vector": lambda a, m, v: np.moveaxis(a, 1, 2) @ v,
    "vector by stack": lambda a, m, v: v @ a,
    "dot": lambda a, m, v: np.dot(m, v) + np.dot(m, SQUARE)[:, 0],
    "matmul": lambda a, m, v: np.matmul(m, SQUARE),
}
TEXTS = STRUCTURAL | REDUCING | ELEMENTWISE | PRODUCTS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TEXTS)
def test_every_arithmetic_gives_what_numpy_gives(name: str, kind: str) -> None:
    text = TEXTS[name]
    expected = np.asarray(text(A, M, V))

    made = text(*(lift(kind_of(kind), x, "float64") for x in (A, M, V)))

    assert made.shape == expected.shape
    assert made.ndim == expected.ndim
    assert made.size == expected.size
    np.testing.assert_allclose(plain(made), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_text_asks_of_an_array_is_answered(kind: str) -> None:
    lifted = lift(kind_of(kind, "float32"), M.astype(np.float32), "float32")

    assert (np.shape(lifted), np.ndim(lifted), np.size(lifted), len(lifted)) == ((2, 3), 2, 6, 2)
    assert lifted.dtype == np.float32
    assert lifted.astype(np.float64).dtype == np.float64


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text",
    [
        np.arcsin,
        np.cumsum,
        np.argmin,
        np.linalg.norm,
        np.sort,
        lambda x: np.einsum("ij->j", x),
        lambda x: np.sum(x, axis=0, dtype=np.float32),
        lambda x: np.sum(x, where=np.array(True)),
        lambda x: np.add.reduce(x),
        lambda x: np.add.outer(x, x),
        lambda x: np.exp(x, out=x),
        lambda x: np.pad(x, 1),
    ],
)
def test_what_has_no_rule_is_refused(text: Callable[[Any], Any], kind: str) -> None:
    with pytest.raises(Unsupported):
        text(lift(kind_of(kind), M, "float64"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ask", [bool, lambda x: 1 if x > 0 else 0, lambda x: x and 1, lambda x: max(x, 0)])
def test_a_lifted_value_has_no_truth(ask: Callable[[Any], Any], kind: str) -> None:
    with pytest.raises(Unsupported, match=r"numpy\.where"):
        ask(lift(kind_of(kind), np.float64(1.5), "float64"))


@pytest.mark.parametrize("kind", KINDS)
def test_only_floats_are_lifted(kind: str) -> None:
    labels = np.array([1, 2])
    record = lift(kind_of(kind), Record("State", {"t": 3, "m": V}), "float64")

    assert lift(kind_of(kind), labels, "float64") is labels
    assert lift(kind_of(kind), "mean", "float64") == "mean"
    assert lift(kind_of(kind), -1, "float64") == -1
    assert [type(x) for x in lift(kind_of(kind), (0.5, 3), "float64")][1] is int
    assert isinstance(lift(kind_of(kind), (0.5, 3), "float64")[0], Lifted)
    assert record.fields["t"] == 3
    assert isinstance(record.fields["m"], Lifted)


# ---------------------------------------------------------------- many digits

UNARY = ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sin", "cos")


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("x", [1e-30, 0.3, 1.0, 37.5, 700.25])
@pytest.mark.parametrize("digits", [50, 200])
def test_exact_functions_agree_with_mpmath_to_every_digit(name: str, x: float, digits: int) -> None:
    made = getattr(np, name)(exact_kind(digits).of(np.array([x]), "float64")).parts[0][0]

    with mpmath.workdps(digits + 20):
        truth = getattr(mpmath, name)(mpmath.mpf(x))
        assert abs(made - truth) <= abs(truth) * mpmath.mpf(10) ** (1 - digits)


def test_exact_arithmetic_keeps_what_float64_loses() -> None:
    x = exact_kind(50).of(np.array([1e-40]), "float64")

    assert ((1 + x) - 1).parts[0][0] == pytest.approx(1e-40, rel=1e-9)
    assert ((1.0 + np.array([1e-40])) - 1.0)[0] == 0


def test_exact_edges_are_those_of_the_extended_reals() -> None:
    zero, minus = (exact_kind(50).of(np.array([x]), "float64") for x in (0.0, -2.0))
    context = arithmetic.context(50)

    assert np.log(zero).parts[0][0] == -context.inf
    assert context.isnan(np.log(minus).parts[0][0])
    assert np.log1p(minus + 1).parts[0][0] == -context.inf
    assert context.isnan(np.sqrt(minus).parts[0][0])
    assert (minus / zero).parts[0][0] == -context.inf
    assert context.isnan((zero / zero).parts[0][0])


def test_each_precision_has_a_context_of_its_own() -> None:
    before = mpmath.mp.dps
    np.sqrt(exact_kind(400).of(np.array([2.0]), "float64"))

    assert mpmath.mp.dps == before
    assert arithmetic.context(50).dps == 50
    assert arithmetic.context(400).dps == 400


# ---------------------------------------------------------------- bounds and samples, against brute force

LEAF = st.sampled_from(["x", "y", "z", "0.5", "3.0", "1.0"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return (
        two.map(lambda p: f"({p[0]} + {p[1]})")
        | two.map(lambda p: f"({p[0]} - {p[1]})")
        | two.map(lambda p: f"({p[0]} * {p[1]})")
        | two.map(lambda p: f"({p[0]} / {p[1]})")
        | two.map(lambda p: f"np.maximum({p[0]}, {p[1]})")
        | two.map(lambda p: f"np.where({p[0]} > {p[1]}, {p[0]}, {p[1]} + 1.0)")
        | inner.map(lambda e: f"np.exp({e})")
        | inner.map(lambda e: f"np.expm1({e})")
        | inner.map(lambda e: f"np.tanh({e})")
        | inner.map(lambda e: f"np.log(np.abs({e}))")
        | inner.map(lambda e: f"np.log1p(np.abs({e}))")
        | inner.map(lambda e: f"np.sqrt(np.abs({e}))")
        | inner.map(lambda e: f"({e}) ** 2")
        | inner.map(lambda e: f"np.abs({e})")
        | inner.map(lambda e: f"np.sin({e})")
        | inner.map(lambda e: f"np.cos({e})")
        | inner.map(lambda e: f"np.floor({e})")
        | inner.map(lambda e: f"np.ceil({e})")
        | two.map(lambda p: f"np.hypot({p[0]}, {p[1]})")
        | two.map(lambda p: f"np.arctan2({p[0]} + 0.0, {p[1]} + 0.0)")  # many digits have no zero with a sign
    )


EXPRESSIONS = st.recursive(LEAF, _grown, max_leaves=6).filter(re.compile(r"\b[xyz]\b").search)
NUMBERS = st.floats(-30, 30, width=32).filter(lambda x: x == 0 or abs(x) > 1e-6)


def value_of(text: str, values: Any) -> Any:
    return eval(text, {"np": np}, dict(zip("xyz", values, strict=True)))  # noqa: S307  (made above)


def exactly(kind: type[Bounded], x: float, dtype: str) -> Bounded:
    """Return an input that nothing has rounded, so that the bound has no room but what it grants each operation."""
    return kind((np.array([x]), np.zeros(1)), np.dtype(dtype))


def computed(text: str, numbers: list[float], dtype: str) -> float:
    """Return what an honest program of that dtype returns, constants in the same dtype."""
    with np.errstate(all="ignore"):
        return float(value_of(text, [np.array([x], dtype=dtype) for x in numbers])[0])


def true_value(text: str, numbers: list[float]) -> Any:
    made = value_of(text, [exact_kind(60).of(np.array([x]), "float64") for x in numbers])
    return made.parts[0][0]


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, st.lists(NUMBERS, min_size=3, max_size=3), st.sampled_from(["float64", "float32"]))
def test_the_running_error_bound_holds(text: str, numbers: list[float], dtype: str) -> None:
    try:
        with np.errstate(all="ignore", over="raise"):  # what overflows could keep many digits busy for hours
            value_of(text, [np.array([x]) for x in numbers])
        truth = true_value(text, numbers)
    except (ArithmeticError, FloatingPointError):
        assume(False)
    assume(mpmath.isfinite(truth) and abs(truth) < (1e300 if dtype == "float64" else 1e37))
    with np.errstate(all="ignore"):
        bounded = value_of(text, [exactly(bounded_kind(dtype), x, dtype) for x in numbers])
    bound = float(bounded.parts[1][0])
    assume(not np.isnan(bound))

    got = computed(text, numbers, dtype)

    if np.isfinite(bound):
        assert np.isfinite(got)
        assert abs(got - truth) <= bound


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=9),
    st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=9),
    st.sampled_from(["float64", "float32"]),
)
def test_the_bounds_of_sums_and_products_hold_in_any_order(one: list[float], two: list[float], dtype: str) -> None:
    n = min(len(one), len(two))
    a, b = (np.array(x[:n], dtype=dtype) for x in (one, two))
    kind = bounded_kind(dtype)
    product = kind.of(a, dtype) @ kind.of(b, dtype)
    total = kind.of(a, dtype).sum()
    with mpmath.workdps(60):
        true_product = mpmath.fsum(mpmath.mpf(float(x)) * mpmath.mpf(float(y)) for x, y in zip(a, b, strict=True))
        true_total = mpmath.fsum(mpmath.mpf(float(x)) for x in a)
    for order in (slice(None), slice(None, None, -1)):
        running = summed = a.dtype.type(0)
        for x, y in zip(a[order], b[order], strict=True):
            running, summed = running + x * y, summed + x
        assert abs(float(running) - true_product) <= float(product.parts[1])
        assert abs(float(summed) - true_total) <= float(total.parts[1])


def test_a_bound_that_is_too_small_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The brute force above bites: with a roundoff claimed a thousand times smaller the bound does not hold."""
    monkeypatch.setattr(Bounded32, "unit", 2.0**-34)
    numbers = [0.7, 3.3, 0.1]
    bounded = value_of("x * y + z", [Bounded32.of(np.array([np.float32(x)]), "float32") for x in numbers])

    got = computed("x * y + z", numbers, "float32")

    assert abs(got - true_value("x * y + z", [float(np.float32(x)) for x in numbers])) > bounded.parts[1][0]


def test_a_choice_that_the_errors_could_turn_counts_both_ways() -> None:
    x = Bounded.of(np.array([0.1]), "float64")
    torn: Any = np.where(x * 3 > 0.30000000000000004, 1.0, 7.0)
    clear: Any = np.where(x * 3 > 0.2, 1.0, 7.0)

    assert torn.parts[1][0] >= 6
    assert clear.parts[1][0] == 0


def test_what_leaves_the_range_of_the_dtype_has_no_bound() -> None:
    for kind, dtype, x in ((Bounded32, "float32", 89.0), (Bounded, "float64", 710.0)):
        with np.errstate(over="ignore"):
            assert np.isinf(np.exp(kind.of(np.array([x]), dtype)).parts[1][0])
    assert np.isfinite(np.exp(Bounded.of(np.array([89.0]), "float64")).parts[1][0])


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_an_exact_zero_round_nothing(name: str) -> None:
    zeros = Bounded((np.zeros(1), np.zeros(1)), np.dtype(float))
    near: Any = Bounded((np.zeros(1), np.full(1, 1e-30)), np.dtype(float))

    with np.errstate(all="ignore"):
        assert name == "log" or getattr(np, name)(zeros).parts[1] == 0
        assert getattr(np, name)(near).parts[1] > 0


def test_exact_zeros_and_ones_round_nothing() -> None:
    kind = Bounded
    x = kind.of(np.array([0.3, 0.7]), "float64")
    one_hot = np.array([0.0, 1.0])

    np.testing.assert_array_equal((x * one_hot).parts[1], x.parts[1] * one_hot)
    assert np.sum(x * one_hot).parts[1] == x.parts[1][1]


SPREADS: dict[str, tuple[Callable[[Any], Any], float]] = {
    "one product": (lambda x: x * x, 1.0),
    "a sum": (lambda x: np.sum(x), 3.0),
    "a cancellation": (lambda x: (x + 1000.0) - 1000.0, 1000.0),
    "an exponential": (lambda x: np.exp(10 * x), 10.0),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", SPREADS)
def test_the_spread_under_random_rounding_is_of_the_order_of_the_roundoff(name: str, dtype: str) -> None:
    text, amplified = SPREADS[name]
    x = np.linspace(0.3, 1.9, 7)
    kind = rounded_kind(dtype, seed=3)

    samples = text(kind.of(x, dtype)).parts[0]

    off = np.max(np.abs(samples - text(x)), axis=0) / np.max(np.abs(text(x))) / kind.unit
    assert samples.shape == (arithmetic.SAMPLES, *np.shape(text(x)))
    assert 0.05 * amplified < np.max(off) < 20 * amplified


def test_random_rounding_is_drawn_from_its_seed() -> None:
    def samples(seed: int) -> Array:
        kind = rounded_kind("float64", seed)
        made: Array = np.exp(kind.of(V, "float64")).parts[0]
        return made

    np.testing.assert_array_equal(samples(1), samples(1))
    assert np.any(samples(1) != samples(2))


def test_exact_is_what_its_name_says() -> None:
    assert exact_kind(50) is exact_kind(50)
    assert issubclass(exact_kind(50), Exact)
    assert exact_kind(50) is not exact_kind(100)


def test_the_larger_of_two_bounded_numbers_has_its_own_error_where_it_wins_for_certain() -> None:
    close, far, low = (Bounded((np.array([v]), np.array([e])), np.dtype(float)) for v, e in
                       ((1.0, 0.5), (9.0, 0.1), (-np.inf, 0.0)))  # fmt: skip
    maximum: Any = np.maximum  # the protocol is NumPy's, the types are not
    minimum: Any = np.minimum

    def largest(parts: Any) -> Any:
        return np.max(np.concatenate(parts))

    unknown = Bounded((np.array([-np.inf]), np.array([np.inf])), np.dtype(float))

    assert maximum(close, far).parts[1] == 0.1
    assert minimum(close, far).parts[1] == 0.5
    assert maximum(close, close + 0.25).parts[1] >= 0.5
    assert maximum(low, low).parts[1] == 0
    assert maximum(unknown, far).parts[1] == np.inf
    assert largest([close, far, low]).parts[1] == 0.1
    assert largest([unknown, far]).parts[1] == np.inf


def test_the_largest_entry_is_undecided_where_errors_could_turn_it() -> None:
    sure: Any = Bounded((np.array([1.0, 2.0, 0.0]), np.array([0.4, 0.4, 0.0])), np.dtype(float))
    unsure: Any = Bounded((np.array([1.0, 1.7, 0.0]), np.array([0.4, 0.4, 0.0])), np.dtype(float))
    equal: Any = Bounded((np.array([1.0, 2.0, 2.0]), np.zeros(3)), np.dtype(float))
    perhaps_equal: Any = Bounded((np.array([1.9, 2.0]), np.array([0.1, 0.0])), np.dtype(float))
    equal_above_unsure: Any = Bounded((np.array([2.0, 2.0, 1.0]), np.array([0.0, 0.0, 0.4])), np.dtype(float))

    assert [part.tolist() for part in np.argmax(sure, axis=0).parts] == [1.0, 0.0]
    assert np.argmax(unsure, axis=0).parts[1] == np.inf
    assert [part.tolist() for part in np.argmax(equal, axis=0).parts] == [1.0, 0.0]
    assert np.argmax(perhaps_equal, axis=0).parts[1] == np.inf
    assert [part.tolist() for part in np.argmax(equal_above_unsure, axis=0).parts] == [0.0, 0.0]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_labels_that_are_whole_are_certain_and_soft_ones_are_not(dtype: str) -> None:
    labels = np.array([0.0, 1.0, -1.0, 0.25])
    bounded = lift(bounded_kind(dtype), labels, "float64", labels=True).parts[1]
    samples = lift(rounded_kind(dtype, 0), labels, "float64", labels=True).parts[0]

    assert (bounded > 0).tolist() == [False, False, False, True]
    assert (np.ptp(samples, axis=0) > 0).tolist() == [False, False, False, True]
    assert lift(bounded_kind(dtype), labels, "float64").parts[1][1] > 0


def test_equal_inputs_stay_equal_in_every_sample() -> None:
    samples = lift(kind_of("rounded"), np.array([[0.3, -1.7], [0.3, 0.9]]), "float64").parts[0]

    assert np.array_equal(samples[:, 0, 0], samples[:, 1, 0])
    assert len(np.unique(samples[:, 0, 0])) > 1
