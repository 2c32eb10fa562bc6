"""Laws over all functions of the reference, on one table of calls."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reference import _numerics, activations, layers, losses, optimizers, training
from reference.optimizers import AdagradState, AdamState, MomentumState, RmspropState

MODULES = (_numerics, activations, losses, layers, training, optimizers)
RNG = np.random.default_rng(7)
Z, G = RNG.standard_normal((2, 4, 3))
X, W, B, DY = (RNG.standard_normal(shape) for shape in ((4, 5), (5, 3), (3,), (4, 3)))
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
Y = np.roll(P, 1, axis=0)
T = (G > 0).astype(float)
K = np.array([2, 0, 1, 1])
THETA, GRAD, SQUARES = RNG.standard_normal(6), RNG.standard_normal(6), RNG.random(6)

CALLS: dict[str, tuple[Any, ...]] = {
    "activations.sigmoid": (Z,),
    "activations.sigmoid_vjp": (Z, G),
    "activations.tanh": (Z,),
    "activations.tanh_vjp": (Z, G),
    "activations.relu": (Z,),
    "activations.relu_vjp": (Z, G),
    "activations.softmax": (Z,),
    "activations.softmax_vjp": (Z, G),
    "activations.log_softmax": (Z,),
    "activations.log_softmax_vjp": (Z, G),
    "activations.logsumexp": (Z,),
    "activations.logsumexp_vjp": (Z, G[:, 0]),
    "losses.cross_entropy": (Y, P),
    "losses.softmax_cross_entropy": (Z, Y),
    "losses.softmax_cross_entropy_grad": (Z, Y),
    "losses.bce_with_logits": (Z, T),
    "losses.bce_with_logits_grad": (Z, T),
    "losses.half_squared_error": (Z, G),
    "losses.half_squared_error_grad": (Z, G),
    "layers.affine": (X, W, B),
    "layers.affine_vjp": (X, W, B, DY),
    "training.softmax_regression": (W, X, K),
    "training.softmax_regression_grad": (W, X, Y),
    "optimizers.sgd": (THETA, GRAD),
    "optimizers.momentum": (THETA, GRAD, MomentumState(SQUARES)),
    "optimizers.adagrad": (THETA, GRAD, AdagradState(SQUARES)),
    "optimizers.rmsprop": (THETA, GRAD, RmspropState(SQUARES)),
    "optimizers.adam": (THETA, GRAD, AdamState(3, GRAD, SQUARES)),
}


def function(name: str) -> Callable[..., Any]:
    topic, _, tail = name.partition(".")
    return getattr(importlib.import_module(f"reference.{topic}"), tail)  # type: ignore[no-any-return]


def call(name: str, arguments: tuple[Any, ...]) -> Any:
    f = function(name)
    return f(*arguments, lr=0.3) if "lr" in inspect.signature(f).parameters else f(*arguments)


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """Apply a change to every array of floats in arguments or results."""
    if isinstance(value, tuple):
        parts = [mapped(change, part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return change(value) if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f" else value


def leaves(value: Any) -> list[Any]:
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


def test_every_public_function_stands_in_the_table() -> None:
    public = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in MODULES[1:]
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }

    assert set(CALLS) == public


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.__name__))
def test_the_examples_in_the_docstrings_run(module: Any) -> None:
    result = doctest.testmod(module)

    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", CALLS)
def test_every_function_has_an_example(name: str) -> None:
    assert ">>>" in (function(name).__doc__ or "")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(name: str, dtype: type[np.floating[Any]]) -> None:
    result = call(name, mapped(lambda x: x.astype(dtype), CALLS[name]))

    assert all(np.asarray(leaf).dtype == dtype for leaf in leaves(result) if not isinstance(leaf, int))


@pytest.mark.parametrize("name", CALLS)
def test_the_float32_answer_is_the_float64_answer_rounded(name: str) -> None:
    narrow = call(name, mapped(lambda x: x.astype(np.float32), CALLS[name]))

    for got, expected in zip(leaves(narrow), leaves(call(name, CALLS[name])), strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", CALLS)
def test_inputs_are_never_written(name: str) -> None:
    def locked(x: Any) -> Any:
        copy = x.copy()
        copy.flags.writeable = False
        return copy

    call(name, mapped(locked, CALLS[name]))  # writing would raise


@pytest.mark.parametrize("name", CALLS)
def test_results_share_no_memory_with_inputs(name: str) -> None:
    arguments = mapped(lambda x: x.copy(), CALLS[name])
    result = call(name, arguments)

    assert not any(
        np.shares_memory(got, given)
        for got in leaves(result)
        for given in leaves(arguments)
        if isinstance(got, np.ndarray) and isinstance(given, np.ndarray)
    )


@pytest.mark.parametrize("name", CALLS)
def test_strides_do_not_matter(name: str) -> None:
    def spread(x: Any) -> Any:
        wide = np.repeat(np.asfortranarray(x), 2, axis=-1)
        return wide[..., ::2]

    for got, expected in zip(
        leaves(call(name, mapped(spread, CALLS[name]))), leaves(call(name, CALLS[name])), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", [n for n in CALLS if n.startswith(("activations", "losses.softmax", "losses.bce"))])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_ten_thousand_are_survived_without_a_warning(name: str, dtype: type[np.floating[Any]]) -> None:
    steep = np.array([[1e4, -1e4, 0.3], [-1e4, -1e4, -1e4], [705.0, -705.0, 88.9], [1e4, 1e4, -103.3]])
    result = call(name, mapped(lambda x: x.astype(dtype), (steep, *CALLS[name][1:])))

    assert np.isfinite(result).all()


def test_scalars_come_back_as_numpy_scalars_of_the_dtype() -> None:
    loss: object = losses.half_squared_error(Z.astype(np.float32), G.astype(np.float32))

    assert type(loss) is np.float32


def test_shapes_of_any_rank_are_taken() -> None:
    z, g = RNG.standard_normal((2, 2, 3, 4))

    assert activations.softmax_vjp(z, g, axis=1).shape == (2, 3, 4)
    assert activations.logsumexp(z, axis=1).shape == (2, 4)
    assert activations.logsumexp_vjp(z, g[:, 0], axis=1).shape == (2, 3, 4)
    np.testing.assert_allclose(
        activations.softmax(z, axis=1), np.moveaxis(activations.softmax(np.moveaxis(z, 1, -1)), -1, 1)
    )
