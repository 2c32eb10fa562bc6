"""Laws over all functions of the reference, on one table of calls."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

import reference
from reference import activations, losses
from tests.reference.calls import CALLS, RNG, Call, G, Z, function, plain, run

MODULES = tuple(module.name for module in pkgutil.iter_modules(reference.__path__))
TOPICS = tuple(name for name in MODULES if not name.startswith("_"))


# --- what the laws do not say of every function, and why --------------------------------------------------------------
WITHOUT_FLOATS = {
    # classes, counts and indices are integers
    *("losses.predict_label", "training.linear_classifier", "training.confusion_matrix", "training.minibatches"),
    *("ensembles.bootstrap_sample", "ensembles.out_of_bag", "ensembles.bagging", "ensembles.majority_vote"),
    *("preprocessing.train_validation_test_split", "preprocessing.k_fold", "initialization.fans"),
    *("convolution.output_size", "convolution.n_parameters", "convolution.n_flops", "convolution.receptive_field"),
    *("layers.n_inception_parameters", "bounds.hoeffding_sample_size"),
    # a schedule is a Python number of a Python number
    *("optimizers.step_lr", "optimizers.exponential_lr", "optimizers.cosine_lr", "optimizers.warmup_lr"),
    *("optimizers.momentum_decay", "differences.gradient_check"),
    # blocks without parameters
    *("blocks.dropout_block", "blocks.activation_block", "blocks.max_pool_block", "blocks.global_avg_pool_block"),
    "blocks.flatten_block",
}
"""Functions without an array of floats among their results."""

FLOAT64_ONLY = {"differences.gradient_check"}
"""In float32 too little is left of a difference."""

SHARES = {
    "blocks.chain": "the parameters of the blocks are those of the whole; nothing writes into them",
    "blocks.residual_block": "as chain",
    "networks.mlp_forward": "the cache keeps the input, for the way back",
    "networks.mlp_errors": "the last error is the cotangent",
}
"""Results that refer to inputs."""

BY = {"networks.mlp_loss_grad": "layers"}
"""Gradients by one argument that is not the first: x is data there."""

BATCHWISE = {
    "normalization.batch_norm": "its statistics are those of the batch",
    "losses.mse_grad": "divided by the number of rows",
    "losses.softmax_cross_entropy_grad mean": "divided by the number of rows",
    "activations.softmax axis": "along the rows",
}
"""Functions of rows whose result for a row depends on the others."""


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """Apply a change to every array, and to every dtype, in a call, arguments or results."""
    if isinstance(value, Call):
        hyper = {name: mapped(change, part) for name, part in value.hyper.items()}
        return Call(mapped(change, value.arguments), hyper)
    if isinstance(value, tuple):
        parts = [mapped(change, part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return change(value) if isinstance(value, np.ndarray | np.generic) or value is np.float64 else value


def arrays_only(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, np.ndarray) else value


def cast(dtype: type[np.floating[Any]], call: Call) -> Call:
    """Return the call in another precision; integers stay."""

    def converted(value: Any) -> Any:
        if value is np.float64:
            return dtype
        return value.astype(dtype) if value.dtype.kind == "f" else value

    return mapped(converted, call)  # type: ignore[no-any-return]


def leaves(value: Any) -> list[Any]:
    if isinstance(value, Call):
        return leaves((*value.arguments, *value.hyper.values()))
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


def has_floats(value: Any) -> bool:
    return any(
        leaf is np.float64 or (isinstance(leaf, np.ndarray | np.generic) and leaf.dtype.kind == "f")
        for leaf in leaves(value)
    )


def numbers(value: Any) -> list[Any]:
    """Return what can be compared: all leaves but functions, generators, and None for what was not asked for."""
    others = (types.FunctionType, types.MethodType, np.random.Generator, types.NoneType)
    return [leaf for leaf in leaves(value) if not isinstance(leaf, others)]


def assert_same(got: Any, expected: Any, rtol: float = 0.0, atol: float = 0.0) -> None:
    for one, other in zip(numbers(got), numbers(expected), strict=True):
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


# --- the table --------------------------------------------------------------------------------------------------------
def test_every_public_function_stands_in_the_table() -> None:
    public = {
        f"{topic}.{name}"
        for topic in TOPICS
        for name, value in vars(importlib.import_module(f"reference.{topic}")).items()
        if inspect.isfunction(value) and value.__module__ == f"reference.{topic}" and not name.startswith("_")
    }

    assert {plain(name) for name in CALLS} == public


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_the_docstrings_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"reference.{module}"))

    assert result.failed == 0
    assert result.attempted > 0 or module == "_types"


@pytest.mark.parametrize("name", CALLS)
def test_every_function_has_an_example(name: str) -> None:
    assert ">>>" in (function(name).__doc__ or "")


# --- every function ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(name: str, dtype: type[np.floating[Any]]) -> None:
    call = cast(dtype, CALLS[name])
    if name in FLOAT64_ONLY and dtype == np.float32:
        with pytest.raises(TypeError, match="float64"):
            run(name, call)
        return

    result = run(name, call)

    expected = dtype if has_floats(CALLS[name]) else np.float64
    found = [leaf.dtype for leaf in leaves(result) if isinstance(leaf, np.ndarray | np.generic)]
    assert {dtype for dtype in found if dtype.kind == "f"} == (
        set() if name in WITHOUT_FLOATS else {np.dtype(expected)}
    )
    assert {dtype for dtype in found if dtype.kind != "f"} <= {np.dtype(np.int64)}


@pytest.mark.parametrize("name", [name for name in CALLS if name not in FLOAT64_ONLY])
def test_numbers_of_numpy_as_hyperparameters_change_nothing(name: str) -> None:
    def of_numpy(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(of_numpy(part) for part in value)
        kinds = {float: np.float64, int: np.int64}
        return kinds[type(value)](value) if type(value) in kinds else value

    call = cast(np.float32, CALLS[name])
    expected = run(name, call)

    result = run(name, replace(call, hyper={key: of_numpy(value) for key, value in call.hyper.items()}))

    assert_same(result, expected)
    arrays = [(got, kept) for got, kept in zip(leaves(result), leaves(expected), strict=True)]
    assert [got.dtype for got, _ in arrays if isinstance(got, np.ndarray)] == [
        kept.dtype for _, kept in arrays if isinstance(kept, np.ndarray)
    ]


@pytest.mark.parametrize("name", [name for name in CALLS if name not in FLOAT64_ONLY])
def test_the_float32_answer_is_the_float64_answer_rounded(name: str) -> None:
    narrow = run(name, cast(np.float32, CALLS[name]))

    assert_same(narrow, run(name, CALLS[name]), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", CALLS)
def test_inputs_are_never_written(name: str) -> None:
    def locked(x: Any) -> Any:
        copy = x.copy()
        copy.flags.writeable = False
        return copy

    run(name, mapped(arrays_only(locked), CALLS[name]))  # writing would raise


@pytest.mark.parametrize("name", CALLS)
def test_results_share_no_memory_with_inputs(name: str) -> None:
    call = mapped(arrays_only(lambda x: x.copy()), CALLS[name])
    result = run(name, call)

    shared = any(
        np.shares_memory(got, given)
        for got in leaves(result)
        for given in leaves(call)
        if isinstance(got, np.ndarray) and isinstance(given, np.ndarray)
    )
    assert shared == (name in SHARES)


@pytest.mark.parametrize("name", CALLS)
def test_strides_do_not_matter(name: str) -> None:
    def spread(x: Any) -> Any:
        return np.asfortranarray(np.repeat(x, 2, axis=-1))[..., ::2]

    assert_same(run(name, mapped(arrays_only(spread), CALLS[name])), run(name, CALLS[name]), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", CALLS)
def test_a_second_call_gives_the_same_answer(name: str) -> None:
    assert_same(run(name, CALLS[name]), run(name, CALLS[name]))


# --- gradients --------------------------------------------------------------------------------------------------------
def moved(value: Any, by: Any, h: float) -> Any:
    """Return value + h · by for arrays in tuples alike."""
    if isinstance(value, tuple):
        parts = [moved(part, step, h) for part, step in zip(value, by, strict=True)]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value + h * by


def inner(a: Any, b: Any) -> float:
    return float(sum(np.sum(x * y) for x, y in zip(leaves(a), leaves(b), strict=True)))


@pytest.mark.parametrize("name", [name for name in CALLS if plain(name).endswith(("_vjp", "_grad"))])
@pytest.mark.parametrize("seed", range(3))
def test_a_gradient_is_adjoint_to_differences_of_its_own_forward(name: str, seed: int) -> None:
    """⟨J v, u⟩ = ⟨v, Jᵀ u⟩, with J v by central differences; the u of a loss is 1."""
    rng = np.random.default_rng(seed)
    arguments, hyper = CALLS[name].arguments, CALLS[name].hyper
    forward, names = function(plain(name).rpartition("_")[0]), list(inspect.signature(function(name)).parameters)
    u: Any = 1.0
    if plain(name).endswith("_vjp"):
        u = rng.standard_normal(arguments[-1].shape)
        arguments = (*arguments[:-1], u)
    pulled = function(name)(*arguments, **hyper)
    inputs = arguments[:-1] if plain(name).endswith("_vjp") else arguments
    if name == "layers.residual_vjp":
        inputs = CALLS["layers.residual"].arguments
    by = (
        {names.index(field.removeprefix("d")): grad for field, grad in pulled._asdict().items()}
        if hasattr(pulled, "_fields")
        else {names.index(BY.get(plain(name), names[0])): pulled}
    )
    v = {i: mapped(lambda x: rng.standard_normal(x.shape), inputs[i]) for i in by}

    def along(h: float) -> Any:
        return forward(*(moved(x, v[i], h) if i in v else x for i, x in enumerate(inputs)), **hyper)

    h = 1e-5
    difference = inner((along(h) - along(-h)) / (2 * h), u)
    product = sum(inner(v[i], by[i]) for i in by)
    size = sum(inner(mapped(np.abs, v[i]), mapped(np.abs, by[i])) for i in by)

    assert size > 0
    assert abs(difference - product) <= 1e-6 * max(abs(product), 1e-2 * size)


# --- rows -------------------------------------------------------------------------------------------------------------
def axes(hint: Any) -> list[str]:
    """Return the names of the axes in an annotation; of a choice of arrays, of the first."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = typing.get_args(hint)[0]
    return str(hint.__metadata__[0]).split() if typing.get_origin(hint) is Annotated else []


def hints(name: str) -> dict[str, Any]:
    return typing.get_type_hints(function(name), include_extras=True)


def of_rows(name: str, rows: Any) -> Call:
    """Return the call with these rows of every argument that has an axis n."""
    call, known = CALLS[name], hints(name)
    changed = []
    for parameter, argument in zip(inspect.signature(function(name)).parameters, call.arguments, strict=False):
        names = axes(known[parameter]) or (["n"] if parameter == "labels" else [])
        changed.append(np.take(argument, rows, axis=names.index("n")) if "n" in names else argument)
    return replace(call, arguments=tuple(changed))


def takes_rows(name: str) -> bool:
    known = hints(name)
    return "generator" not in known and any("n" in axes(known[p]) for p in inspect.signature(function(name)).parameters)


OF_ROWS = [name for name in CALLS if takes_rows(name) and axes(hints(name).get("return"))[:1] == ["n"]]
OF_BATCHES = [name for name in CALLS if takes_rows(name) and isinstance(run(name, CALLS[name]), np.floating)]


@pytest.mark.parametrize("name", [name for name in OF_ROWS if name not in BATCHWISE])
def test_a_row_knows_nothing_of_the_others(name: str) -> None:
    whole = run(name, CALLS[name])

    for rows in ([2], [2, 0, 0]):
        assert_same(run(name, of_rows(name, rows)), whole[rows], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", BATCHWISE)
def test_the_exceptions_are_none_too_many(name: str) -> None:
    got, whole = run(name, of_rows(name, [2, 0, 0])), run(name, CALLS[name])

    assert name in OF_ROWS
    assert not np.allclose(got, whole[[2, 0, 0]] if len(whole) > 2 else whole)


@pytest.mark.parametrize("name", OF_BATCHES)
def test_the_order_of_the_rows_does_not_matter(name: str) -> None:
    assert_same(run(name, of_rows(name, [2, 0, 3, 1])), run(name, CALLS[name]), rtol=1e-13)


# --- logits -----------------------------------------------------------------------------------------------------------
SHIFT_INVARIANT = [
    "activations.softmax",
    "activations.softmax_vjp",
    "activations.softmax_jacobian",
    "activations.log_softmax",
    "activations.log_softmax_vjp",
    "activations.logsumexp_vjp",
    "losses.softmax_cross_entropy",
    "losses.softmax_cross_entropy_grad",
    "losses.predict_label",
    "losses.accuracy",
]


@pytest.mark.parametrize("name", SHIFT_INVARIANT)
@pytest.mark.parametrize("shift", [-300.0, 0.7, 1e4])
def test_a_constant_added_to_the_logits_of_a_row_changes_nothing(name: str, shift: float) -> None:
    z, *others = CALLS[name].arguments
    rows = shift * np.arange(1, len(z) + 1)[:, None]
    call = replace(CALLS[name], arguments=(z + rows, *others))

    assert_same(run(name, call), run(name, CALLS[name]), rtol=1e-10, atol=1e-11)


def test_a_constant_added_to_the_logits_is_added_to_their_logsumexp() -> None:
    np.testing.assert_allclose(activations.logsumexp(Z + 40.0), activations.logsumexp(Z) + 40.0, rtol=1e-14)


LOGITS = ("activations", "losses.softmax", "losses.bce", "losses.logistic")


@pytest.mark.parametrize("name", [name for name in CALLS if name.startswith(LOGITS)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_ten_thousand_are_survived_without_a_warning(name: str, dtype: type[np.floating[Any]]) -> None:
    steep = np.array([[1e4, -1e4, 0.3], [-1e4, -1e4, -1e4], [705.0, -705.0, 88.9], [1e4, 1e4, -103.3]])
    call = replace(CALLS[name], arguments=(steep, *CALLS[name].arguments[1:]))

    assert np.isfinite(run(name, cast(dtype, call))).all()


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


# --- the notation -----------------------------------------------------------------------------------------------------
NOTATION = (Path(__file__).parents[2] / "docs" / "notation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(rf"`((?:{'|'.join(TOPICS)})\.\w+)", NOTATION))))
def test_the_notation_names_functions_that_exist(name: str) -> None:
    assert name in CALLS
