"""Leaky ReLU, softplus, SiLU, GELU and the Jacobian of the softmax: truths, tails, gradients, laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from graders.harness.arithmetic import bounded_kind, exact_kind
from reference import _numerics as numerics
from reference import _special as special
from reference import activations
from reference._types import Array

MP = mpmath.MPContext()
MP.dps = 60
RNG = np.random.default_rng(11)
Z, G = RNG.standard_normal((2, 5, 4))
X = np.concatenate([RNG.uniform(-4, 4, 2000), RNG.uniform(-9, 9, 200)])
TAILS = np.array([-700.3, -87.3, -38.4, -37.6, -30.1, -17.0, -8.3, -1e-3, -1e-10, 0.0, 1e-10, 0.3, 8.3, 30.1, 700.3])

NORMAL = ("normal_cdf", "weighted_normal_tail", "normal_pdf")
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "leaky_relu": ("leaky_relu", {"negative_slope": 0.3}),
    "softplus": ("softplus", {}),
    "silu": ("silu", {}),
    "gelu": ("gelu", {}),
    "gelu by tanh": ("gelu", {"approximate": "tanh"}),
}
TRUE: dict[str, Callable[[Any], Any]] = {
    "leaky_relu": lambda z: z if z > 0 else MP.mpf(0.3) * z,
    "softplus": lambda z: MP.log1p(MP.exp(z)),
    "silu": lambda z: z / (1 + MP.exp(-z)),
    "gelu": lambda z: z * MP.erfc(-z / MP.sqrt(2)) / 2,
}


def forward(form: str) -> Callable[[Array], Array]:
    name, hyper = FORMS[form]
    return lambda z: getattr(activations, name)(z, **hyper)


def vjp(form: str) -> Callable[[Array, Array], Array]:
    name, hyper = FORMS[form]
    return lambda z, g: getattr(activations, f"{name}_vjp")(z, g, **hyper)


def ulps(got: Array, truth: list[Any]) -> Array:
    """Return errors in units of the last place, of the smallest normal number where the truth is smaller."""
    least = float(np.finfo(got.dtype).tiny)
    units = [float(np.spacing(got.dtype.type(max(abs(float(t)), least)))) for t in truth]
    return np.array([abs(float(MP.mpf(float(g)) - t)) / u for g, t, u in zip(got, truth, units, strict=True)])


@pytest.mark.parametrize(
    "form, most", [("leaky_relu", {8: 1, 4: 2}), ("softplus", {8: 2, 4: 4}), ("silu", {8: 4, 4: 5})]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_are_within_a_few_ulps_everywhere(form: str, most: dict[int, float], dtype: type[Any]) -> None:
    z = np.concatenate([X, TAILS]).astype(dtype)
    truth = [TRUE[form](MP.mpf(float(x))) for x in z]

    kept = np.array([abs(float(t)) >= 800 * np.finfo(dtype).tiny or t == 0 for t in truth])
    assert ulps(forward(form)(z), truth)[kept].max() <= most[z.itemsize]


@pytest.mark.parametrize("dtype, most", [(np.float64, 4.0), (np.float32, 6.0)])
def test_gelu_keeps_its_tail(dtype: type[Any], most: float) -> None:
    z = np.concatenate([X, TAILS]).astype(dtype)
    truth = [TRUE["gelu"](MP.mpf(float(x))) for x in z]

    assert ulps(forward("gelu")(z), truth).max() <= most


@pytest.mark.parametrize("z", [-37.0, -11.6, -11.4, -9.0, -1.7, -0.3, 0.0, 0.3, 3.0])
def test_the_normal_law_is_right_to_25_digits_where_they_are_kept(z: float) -> None:
    lifted: Any = exact_kind(60).of(np.array([z]), "float64")
    value, tail, slope = (getattr(special, name)(lifted).parts[0][0] for name in NORMAL)
    truth = MP.erfc(-MP.mpf(z) / MP.sqrt(2)) / 2

    assert abs(MP.mpf(value) / truth - 1) < MP.mpf(10) ** -25
    if z:
        weighted = MP.mpf(tail)
        assert abs(weighted / (abs(z) * MP.erfc(abs(MP.mpf(z)) / MP.sqrt(2)) / 2) - 1) < MP.mpf(10) ** -25
    density = MP.exp(-(MP.mpf(z) ** 2) / 2) / MP.sqrt(2 * MP.pi)
    assert abs(MP.mpf(slope) / density - 1) < MP.mpf(10) ** -45


@pytest.mark.parametrize("dtype, most", [(np.float64, 4.0), (np.float32, 6.0)])
def test_the_normal_distribution_and_its_density_are_within_a_few_ulps(dtype: type[Any], most: float) -> None:
    z = np.concatenate([X[::4], [-38.0, -12.9, 12.9]]).astype(dtype)
    values = [MP.erfc(-MP.mpf(float(x)) / MP.sqrt(2)) / 2 for x in z]
    slopes = [MP.exp(-(MP.mpf(float(x)) ** 2) / 2) / MP.sqrt(2 * MP.pi) for x in z]

    assert ulps(special.normal_cdf(z), values).max() <= most
    assert ulps(special.normal_pdf(z), slopes).max() <= most


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_tanh_form_of_gelu_keeps_its_tail(dtype: type[Any]) -> None:
    z = np.concatenate([X, TAILS]).astype(dtype)
    slope, cubic = MP.sqrt(8 / MP.pi), MP.mpf("0.044715")
    truth = [x / (1 + MP.exp(-slope * (x + cubic * x**3))) for x in (MP.mpf(float(x)) for x in z)]

    kept = np.array([abs(float(t)) >= 800 * np.finfo(dtype).tiny or t == 0 for t in truth])
    assert ulps(activations.gelu(z, approximate="tanh"), truth)[kept].max() <= 4


@pytest.mark.parametrize("form", FORMS)
def test_a_function_and_its_vjp_belong_together(form: str) -> None:
    h = 1e-5
    differences = (forward(form)(Z + h) - forward(form)(Z - h)) / (2 * h)

    np.testing.assert_allclose(vjp(form)(Z, G), G * differences, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_rounding_does_is_within_half_of_what_is_allowed(form: str, dtype: type[Any]) -> None:
    z, g = X[::8].astype(dtype), RNG.standard_normal(len(X[::8])).astype(dtype)
    for f, arguments in ((forward(form), (z,)), (vjp(form), (z, g))):
        exact: Any = f(*(exact_kind(50).of(a, str(z.dtype)) for a in arguments))  # type: ignore[arg-type]
        bounded: Any = f(*(bounded_kind(str(z.dtype)).of(a, str(z.dtype)) for a in arguments))  # type: ignore[arg-type]
        errors = [abs(float(MP.mpf(float(y)) - t)) for y, t in zip(f(*arguments), exact.parts[0], strict=True)]

        assert np.all(np.array(errors) <= 2 * bounded.parts[1])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ten_thousand_is_survived_without_a_warning(form: str, dtype: type[Any]) -> None:
    z = np.array([[1e4, -1e4, 705.0], [-705.0, 88.9, -103.3]], dtype)
    value, slope = forward(form)(z), vjp(form)(z, np.ones_like(z))

    assert value.dtype == slope.dtype == dtype
    np.testing.assert_allclose(value[z > 0], z[z > 0], rtol=1e-6)
    np.testing.assert_allclose(slope[z > 0], 1, rtol=1e-6)
    if form != "leaky_relu":
        np.testing.assert_allclose(value[z < 0], 0, atol=1e-30)
        np.testing.assert_allclose(slope[z < 0], 0, atol=1e-30)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_ends_of_the_line(dtype: type[Any]) -> None:
    ends = np.array([-np.inf, -1e30, 1e30, np.inf], dtype)

    np.testing.assert_array_equal(special.normal_cdf(ends), [0, 0, 1, 1])
    np.testing.assert_array_equal(special.normal_pdf(ends), 0)
    np.testing.assert_array_equal(activations.gelu(ends), [0, 0, ends[2], np.inf])
    np.testing.assert_array_equal(activations.gelu(ends[1:3], approximate="tanh"), [0, ends[2]])
    np.testing.assert_array_equal(activations.gelu_vjp(ends[1:3], np.ones(2, dtype), approximate="tanh"), [0, 1])


@pytest.mark.parametrize("form", FORMS)
def test_the_arguments_are_left_alone_and_strides_do_not_matter(form: str) -> None:
    wide = np.repeat(np.asfortranarray(Z), 2, axis=1)
    wide.flags.writeable = False

    np.testing.assert_array_equal(forward(form)(wide[:, ::2]), forward(form)(Z))
    np.testing.assert_array_equal(vjp(form)(wide[:, ::2], G), vjp(form)(Z, G))
    assert not np.shares_memory(forward(form)(Z), Z)


@pytest.mark.parametrize("form", FORMS)
def test_large_arrays_are_taken_in_blocks_with_the_same_values(form: str) -> None:
    z = RNG.standard_normal((3, numerics.CACHED // 2 + 5))

    whole = forward(form)(z)
    np.testing.assert_array_equal(whole[2, -7:], forward(form)(z[2, -7:]))
    assert whole.shape == z.shape


@pytest.mark.parametrize("form", [form for form in FORMS if form != "softplus"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_parts_that_mirror_each_other(form: str, sign: int) -> None:
    """f(z) - f(-z) = z for SiLU and both GELUs, and (1 + a) z for a leaky ReLU."""
    f = forward(form)

    np.testing.assert_allclose(f(sign * Z) - f(-sign * Z), sign * Z * (1.3 if form == "leaky_relu" else 1))


def test_softplus_less_its_mirror_image_is_the_identity() -> None:
    np.testing.assert_allclose(activations.softplus(Z) - activations.softplus(-Z), Z)


def test_at_zero() -> None:
    zero, one = np.zeros(1), np.ones(1)

    assert activations.leaky_relu_vjp(zero, one, negative_slope=0.3) == 0.3  # PyTorch's convention
    assert activations.softplus(zero) == np.log(2)
    assert activations.silu_vjp(zero, one) == activations.gelu_vjp(zero, one) == 0.5


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_the_jacobian_gives_the_vjp_and_its_rows_and_columns_sum_to_zero(temperature: float) -> None:
    jacobian = activations.softmax_jacobian(Z, temperature=temperature)

    assert jacobian.shape == (5, 4, 4)
    np.testing.assert_allclose(
        np.einsum("ni,nij->nj", G, jacobian), activations.softmax_vjp(Z, G, temperature=temperature), atol=1e-15
    )
    np.testing.assert_allclose(jacobian.sum(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(jacobian.sum(axis=2), 0, atol=1e-15)
    np.testing.assert_array_equal(jacobian, np.swapaxes(jacobian, 1, 2))


def test_the_jacobian_of_a_certain_answer_does_not_cancel() -> None:
    jacobian = activations.softmax_jacobian(np.array([50.0, 0.0]))

    assert jacobian[0, 0] == pytest.approx(np.exp(-50), rel=1e-14, abs=0)  # 1 - s is 0 here


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")


@pytest.mark.parametrize("form", FORMS)
def test_they_are_pytorchs(torch: Any, form: str) -> None:
    z = torch.tensor(Z, requires_grad=True)
    name, hyper = FORMS[form]
    value = getattr(torch.nn.functional, name)(z, **hyper)
    value.backward(torch.tensor(G))

    np.testing.assert_allclose(forward(form)(Z), value.detach().numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(vjp(form)(Z, G), z.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "attempt, kind, message",
    [
        (
            lambda: activations.gelu(Z, approximate="sigmoid"),  # type: ignore[arg-type]
            ValueError,
            'approximate: expected "none" or "tanh", got \'sigmoid\'',
        ),
        (
            lambda: activations.leaky_relu(Z, negative_slope=-0.1),
            ValueError,
            "negative_slope: expected a finite number of at least 0, got -0.1",
        ),
        (
            lambda: activations.softplus(np.array([1, 2])),
            TypeError,
            "z: expected dtype float32 or float64, got int64; write z.astype(np.float64)",
        ),
        (
            lambda: activations.silu_vjp(Z, Z[:2]),
            ValueError,
            "cotangent: expected the shape of z, (5, 4), got (2, 4)",
        ),
        (
            lambda: activations.softmax_jacobian(np.zeros((2, 0))),
            ValueError,
            "z: expected shape (..., c) with at least one class, got (2, 0)",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(attempt: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
