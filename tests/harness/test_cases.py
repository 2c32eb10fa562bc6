"""Cases: drawn from an annotated signature and a seed, and named by their content."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.harness import cases, drawing
from graders.harness.cases import Case, drawn, signature
from graders.harness.exercise import Exercise, edge, extreme, special
from graders.harness.plans import WrongKind, named, outputs_of, run_plain
from graders.harness.sandbox.codec import Record

Array = np.ndarray[Any, Any]
Positive = Annotated[float, "positive"]


class Memory(NamedTuple):
    t: Annotated[int, "count"]
    m: Annotated[Array, "d"]
    v: Annotated[Array, "d", "nonnegative"]


def mixed(
    x: Annotated[Array, "n d"],
    labels: Annotated[Array, "n", "classes"] | Annotated[Array, "n c", "simplex"],
    w: Annotated[Array, "d c"],
    soft: Annotated[Array, "n", "unit"],
    *,
    by: Positive = 1.0,
    decay: Annotated[float, "fraction"] = 0.5,
    betas: Annotated[tuple[float, float], "fractions"] = (0.9, 0.99),
    reduction: Literal["mean", "sum"] = "mean",
) -> Array:
    return x @ w


def along(z: Annotated[Array, "n d"], *, axis: Annotated[int, "axis"] = -1) -> Annotated[Array, "n"]:
    total: Array = np.sum(z, axis=axis)
    return total


def along_vjp(
    z: Annotated[Array, "n d"], cotangent: Annotated[Array, "n"], *, axis: Annotated[int, "axis"] = -1
) -> Annotated[Array, "n d"]:
    spread: Array = np.expand_dims(cotangent, axis)
    return z + spread


def step(
    params: Annotated[Array, "d"], grad: Annotated[Array, "d"], state: Memory, *, lr: Positive
) -> tuple[Array, Memory]:
    return params - lr * grad, state


MIXED = Exercise(mixed, misconceptions=())
ALONG = Exercise(along_vjp, misconceptions=())
STEP = Exercise(step, misconceptions=(), unrolled=True)
EXERCISES = st.sampled_from([MIXED, ALONG, STEP])
SEEDS = st.integers(0, 2**32 - 1)


def test_a_signature_is_read_from_the_annotations() -> None:
    read = signature(mixed)

    assert [(form.axes, form.domain) for form in read.arguments["labels"]] == [
        (("n",), "classes"),
        (("n", "c"), "simplex"),
    ]
    assert read.hyperparameters["reduction"] == (("mean", "sum"), "mean")
    assert read.hyperparameters["by"] == ("positive", 1.0)
    assert signature(step).state is Memory
    assert cases.fields(Memory)["v"].domain == "nonnegative"


@settings(deadline=None)
@given(EXERCISES, SEEDS, st.sampled_from(drawing.ORDINARY + drawing.EXTREME), st.sampled_from(cases.DTYPES))
def test_a_case_is_a_pure_function_of_its_seed_and_regime(
    exercise: Exercise, seed: int, regime: str, dtype: str
) -> None:
    one, two = (drawn(exercise, seed, regime, dtype) for _ in range(2))

    assert one.id == two.id
    assert drawn(exercise, seed + 1, regime, dtype).id != one.id


@settings(deadline=None)
@given(SEEDS, st.sampled_from(drawing.ORDINARY))
def test_what_is_drawn_lies_in_its_domain(seed: int, regime: str) -> None:
    case = drawn(MIXED, seed, regime)
    x, labels, w, soft = case.arguments.values()
    sizes = {"n": x.shape[0], "d": x.shape[1], "c": w.shape[1]}

    assert w.shape[0] == sizes["d"]
    if labels.ndim == 1:
        assert labels.dtype.kind == "i"
        assert case.form == "integer labels"
        assert ((labels >= 0) & (labels < sizes["c"])).all()
    else:
        assert case.form == ""
        assert (labels >= 0).all()
        np.testing.assert_allclose(labels.sum(axis=-1), 1)
    assert ((soft >= 0) & (soft <= 1)).all()
    assert len(set(sizes.values())) == (1 if regime == "alike" else 3)
    assert (sizes["n"] == 1) == (regime == "one row")
    assert case.hyperparameters["by"] > 0
    assert 0 <= case.hyperparameters["decay"] < 1
    assert all(0 <= beta < 1 for beta in case.hyperparameters["betas"])


@settings(deadline=None)
@given(SEEDS)
def test_numbers_are_off_their_defaults_unless_they_are_held(seed: int) -> None:
    free = drawn(MIXED, seed, "normal").hyperparameters
    held = drawn(MIXED, seed, "normal", held=frozenset({"by", "reduction"})).hyperparameters

    assert free["by"] != 1.0
    assert free["betas"] != (0.9, 0.99)
    assert (held["by"], held["reduction"]) == (1.0, "mean")
    assert held["decay"] != 0.5


def test_what_has_no_default_cannot_be_held() -> None:
    with pytest.raises(TypeError, match="lr has no default, so it cannot be held there"):
        drawn(STEP, 0, "normal", held=frozenset({"lr"}))


@settings(deadline=None)
@given(SEEDS)
def test_a_cotangent_follows_the_axis_that_is_asked(seed: int) -> None:
    case = drawn(ALONG, seed, "normal")
    z, cotangent = case.arguments.values()

    assert cotangent.shape == (z.shape[0] if case.hyperparameters["axis"] == -1 else z.shape[1],)
    assert len(set(cotangent.tolist())) > 1


@settings(deadline=None)
@given(SEEDS, st.sampled_from(cases.DTYPES))
def test_a_step_is_asked_for_whole_trajectories(seed: int, dtype: str) -> None:
    case = drawn(STEP, seed, "normal", dtype)
    params, grads, state = case.arguments.values()

    assert set(case.arguments) == {"params", "grads", "state"}
    assert 1 <= len(grads) <= 5
    assert grads.shape[1:] == params.shape
    assert isinstance(state, Record)
    assert type(state.fields["t"]) is int
    assert (state.fields["v"] >= 0).all()
    assert (state.fields["t"] == 0) == (not state.fields["m"].any())
    assert {params.dtype, grads.dtype, state.fields["m"].dtype} == {np.dtype(dtype)}


def test_a_name_is_that_of_the_content() -> None:
    x = np.array([1.0, 2.0])
    case = Case({"x": x}, {"by": 2.0}, "float64", "why")

    assert case.id == Case({"x": x.copy()}, {"by": 2.0}, "float64", "another why", extreme=True).id
    others = [
        Case({"x": np.array([1.0, np.nextafter(2, 3)])}, {"by": 2.0}, "float64", "why"),
        Case({"x": x}, {"by": 3.0}, "float64", "why"),
        Case({"y": x}, {"by": 2.0}, "float64", "why"),
        Case({"x": x.astype(np.float32)}, {"by": 2.0}, "float32", "why"),
        Case({"x": x[:, None]}, {"by": 2.0}, "float64", "why"),
    ]
    assert len({case.id, *(other.id for other in others)}) == 6
    assert len(case.id) == 12


def test_a_run_asks_every_regime_in_every_dtype_and_differs_by_exercise_and_seed() -> None:
    made = cases.seeded(MIXED, 7)

    asked = {dtype: {case.origin for case in made if case.dtype == dtype} for dtype in cases.DTYPES}
    again = {f"{regime}, other numbers" for regime in cases.AGAIN}
    assert asked["float64"] == set(cases.regimes(MIXED)) | again
    assert asked["float32"] == set(cases.regimes(MIXED)) & set(cases.IN_FLOAT32)
    assert len({case.id for case in made}) == len(made)
    assert [case.id for case in made] == [case.id for case in cases.seeded(MIXED, 7)]
    assert not {case.id for case in made} & {case.id for case in cases.seeded(MIXED, 8)}
    assert len(cases.seeded(MIXED, 7, rounds=2)) == 2 * len(made)


def test_some_cases_are_asked_again_with_other_numbers_of_the_same_shapes() -> None:
    made = {case.origin: case for case in cases.seeded(MIXED, 7) if case.dtype == "float64"}

    for regime in cases.AGAIN:
        first, other = made[regime], made[f"{regime}, other numbers"]
        assert first.hyperparameters == other.hyperparameters
        for name, array in first.arguments.items():
            assert np.shape(array) == np.shape(other.arguments[name])
        assert any(not np.array_equal(array, other.arguments[name]) for name, array in first.arguments.items())


def test_regimes_are_those_that_make_sense() -> None:
    assert "one row" in cases.regimes(MIXED)
    assert "far apart" in cases.regimes(MIXED)
    assert "one row" not in cases.regimes(STEP)
    assert "far apart" not in cases.regimes(STEP)


@pytest.mark.parametrize("seed", range(3))
def test_every_axis_is_long_once_and_of_length_one_once_and_all_are_alike_and_of_length_one(seed: int) -> None:
    made = cases.seeded(MIXED, seed)
    sizes = [(*case.arguments["x"].shape, case.arguments["w"].shape[1]) for case in made if case.dtype == "float64"]

    for axis in range(3):
        others = [[other for at, other in enumerate(size) if at != axis] for size in sizes]
        assert any(size[axis] > 64 and max(rest) < 20 for size, rest in zip(sizes, others, strict=True))
        assert any(size[axis] == 1 < min(rest) for size, rest in zip(sizes, others, strict=True))
    assert (1, 1, 1) in sizes
    assert any(len(set(size)) == 1 < size[0] for size in sizes)


@pytest.mark.parametrize("seed", range(3))
def test_options_and_forms_that_go_wrong_for_one_row_only_are_all_asked_of_one_row(seed: int) -> None:
    asked = {
        (case.arguments["labels"].ndim, case.hyperparameters["reduction"])
        for case in cases.seeded(MIXED, seed)
        if len(case.arguments["x"]) == 1
    }
    assert asked == {(1, "mean"), (1, "sum"), (2, "mean"), (2, "sum")}


def test_a_regime_of_odd_sizes_that_a_reference_refuses_is_left_out_and_no_other() -> None:
    def spread(x: Annotated[Array, "n d"]) -> Array:
        if len(x) < 2:
            raise ValueError("x: expected at least two rows")
        return x

    names = {case.origin for case in cases.seeded(Exercise(spread), 0, held=frozenset())}
    assert drawing.ALL_SHORT not in names
    assert f"{drawing.SHORT}1" not in names  # the rows; the columns come first
    assert f"{drawing.SHORT}0" in names
    assert "normal" in names


@pytest.mark.parametrize("seed", range(3))
def test_what_comes_from_above_is_beyond_where_gradients_are_clipped_and_below_where_they_are_dropped(
    seed: int,
) -> None:
    asked = [np.abs(case.arguments["cotangent"]) for case in cases.seeded(ALONG, seed)]
    assert max(map(np.max, asked)) > 20
    assert min(map(np.max, asked)) < 1e-3

    steps = [case.arguments["grads"] for case in cases.seeded(STEP, seed)]
    assert max(len(grads) for grads in steps) > 10
    assert max(np.max(np.abs(grads)) for grads in steps) > 20


def test_every_number_is_now_and_then_at_the_ends_of_its_range_and_at_its_default() -> None:
    asked = [case.hyperparameters for seed in range(20) for case in cases.seeded(MIXED, seed)]

    assert max(each["by"] for each in asked) > 10
    assert {0.0, 0.01, 0.99, 0.5} <= {each["decay"] for each in asked}
    assert {(0.99, 0.999), (0.9, 0.99)} <= {each["betas"] for each in asked}
    assert any(0.0 in each["betas"] for each in asked)
    assert any(each["by"] == 1.0 and each["reduction"] == "sum" for each in asked)
    counts = [case.arguments["state"].fields["t"] for seed in range(5) for case in cases.seeded(STEP, seed)]
    assert 0 in counts
    assert max(counts) > 100


def test_edges_become_cases_in_every_dtype() -> None:
    exercise = Exercise(
        along_vjp,
        (),
        edges=(
            edge("plain", z=[[1, 2]], cotangent=[3]),
            extreme("far", z=[[1e4, 2]], cotangent=[3], axis=0),
            special("zero", z=[[0.0]], cotangent=[0]),
        ),
    )
    made = cases.edges(exercise)

    assert [(c.origin, c.dtype, c.extreme, c.special) for c in made] == [
        ("plain", "float64", False, False),
        ("plain", "float32", False, False),
        ("far", "float64", True, False),
        ("far", "float32", True, False),
        ("zero", "float64", False, True),
        ("zero", "float32", False, True),
    ]
    assert made[0].hyperparameters == {"axis": -1}
    assert made[2].hyperparameters == {"axis": 0}
    assert all(v.dtype == case.dtype for case in made for v in case.arguments.values())


@settings(deadline=None, max_examples=30)
@given(st.data())
@pytest.mark.parametrize("exercise", [MIXED, ALONG, STEP], ids=lambda e: e.name)
def test_small_cases_are_of_the_same_kind_and_small(exercise: Exercise, data: st.DataObject) -> None:
    like = drawn(exercise, 5, "normal", "float32")
    case = data.draw(cases.small(exercise, like))

    assert set(case.arguments) == set(like.arguments)
    assert case.dtype == "float32"
    assert case.form == like.form
    assert case.size <= 3 * 3 * 4


@pytest.mark.parametrize("make", [cases.strategy])
def test_hypothesis_draws_from_what_runs_draw_from(make: Callable[[Exercise], st.SearchStrategy[Case]]) -> None:
    @settings(deadline=None, max_examples=20, database=None)
    @given(make(MIXED))
    def check(case: Case) -> None:
        assert case.origin in cases.regimes(MIXED)

    check()


# ---------------------------------------------------------------- arguments that hang together


class Layer(NamedTuple):
    W: Annotated[Array, "d_in d_out"]
    b: Annotated[Array, "d_out"]


class Seen(NamedTuple):
    n: Annotated[int, "count"]
    mean: Annotated[Array, "d"]


class Passed(NamedTuple):
    dx: Annotated[Array, "n d_in"]
    layers: tuple[Layer, ...]


def grouped(
    x: Annotated[Array, "n c h v"], w: Annotated[Array, "o c/groups kh kw"], *, groups: Annotated[int, "count"] = 1
) -> Annotated[Array, "n o"]:
    if x.shape[1] % groups or len(w) % groups:
        raise ValueError("groups: expected a divisor")
    made: Array = x.sum(axis=(1, 2, 3))[:, None] * w.sum(axis=(1, 2, 3))
    return made


def updated(x: Annotated[Array, "n d"], state: Seen) -> Seen:
    return Seen(state.n + len(x), state.mean + x.mean(axis=0))


def counted(
    labels: Annotated[Array, "n", "classes"], *, num_classes: Annotated[int, "size of c"], like: object = None
) -> Array:
    made: Array = np.bincount(labels, minlength=num_classes)
    return made


def chained(x: Annotated[Array, "n d_in"], layers: tuple[Layer, ...]) -> Passed:
    return Passed(2 * x, tuple(Layer(2 * W, b + 1) for W, b in layers))


def two_layers(source: drawing.Source, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    n, *widths = source.sizes(("n", "a", "b", "c")).values()
    shapes = list(pairwise(widths))
    layers = tuple(Record("Layer", {"W": source.real(shape), "b": source.real(shape[1:])}) for shape in shapes)
    return {"x": source.real((n, widths[0])), "layers": layers}


def never(x: Annotated[Array, "n"]) -> Array:
    raise ValueError("x: expected something else")


GROUPED, UPDATED, COUNTED = Exercise(grouped), Exercise(updated), Exercise(counted)
CHAINED = Exercise(chained, draw=two_layers)


@settings(deadline=None, max_examples=50)
@given(SEEDS, st.sampled_from(drawing.ORDINARY))
def test_what_the_reference_refuses_is_drawn_again(seed: int, regime: str) -> None:
    case = drawn(GROUPED, seed, regime)
    x, w = case.arguments.values()
    groups = case.hyperparameters["groups"]

    assert x.shape[1] % groups == len(w) % groups == 0
    assert w.shape[1] == x.shape[1] // groups
    assert min(x.shape[2:]) >= 4
    assert max(w.shape[2:]) <= (6 if regime == "many" else 3)


def test_a_reference_that_refuses_everything_needs_a_draw_of_its_own() -> None:
    with pytest.raises(TypeError, match="never: the reference refused 300 draws; give the exercise a `draw`"):
        drawn(Exercise(never), 0, "normal")


@pytest.mark.parametrize("regime", drawing.ORDINARY)
def test_a_record_is_drawn_field_by_field_and_called_as_what_it_stands_for(regime: str) -> None:
    case = drawn(UPDATED, 3, regime, "float32")
    outputs = run_plain(UPDATED, updated, case)

    state = case.arguments["state"]
    assert state.fields["mean"].shape == case.arguments["x"].shape[1:]
    assert state.fields["mean"].dtype == np.float32
    assert outputs["n"] == state.fields["n"] + len(case.arguments["x"])
    assert set(outputs) == {"n", "mean"}


def test_a_number_of_classes_is_the_size_of_their_axis_and_what_is_not_annotated_is_never_asked() -> None:
    for seed in range(20):
        case = drawn(COUNTED, seed, "normal")
        assert case.arguments["labels"].max() < case.hyperparameters["num_classes"]
        assert set(case.hyperparameters) == {"num_classes"}
    assert {case.dtype for case in cases.seeded(COUNTED, 0)} == {"float64"}
    assert cases.dtypes(UPDATED) == cases.dtypes(CHAINED) == cases.DTYPES


def test_nested_arguments_and_results_have_names_for_their_leaves() -> None:
    case = drawn(CHAINED, 1, "normal")
    outputs = run_plain(CHAINED, chained, case)
    first = case.arguments["layers"][0]

    assert list(outputs) == ["dx", "layers[0].W", "layers[0].b", "layers[1].W", "layers[1].b"]
    np.testing.assert_array_equal(outputs["layers[0].W"], 2 * first.fields["W"])
    assert cases.cast(case, "float32").arguments["layers"][1].fields["b"].dtype == np.float32


LEAVES = (np.ones((2, 3)), np.zeros(3))


@pytest.mark.parametrize(
    "theirs, said",
    [
        ((1.0, (LEAVES,)), "`layers` holds 1 values, expected 2"),
        ({"dx": 1.0}, "the result has no 'layers'; it has 'dx'"),
        ((1.0, (LEAVES, 3.0)), "`layers[1]` is a float, expected 2 values: W, b"),
        ((1.0, (LEAVES, {"W": 1.0})), "`layers[1]` has no 'b'; it has 'W'"),
    ],
)
def test_a_nested_result_of_another_form_is_said_to_be_so(theirs: Any, said: str) -> None:
    with pytest.raises(WrongKind, match=re.escape(said)):
        outputs_of(CHAINED, drawn(CHAINED, 1, "normal"), theirs)


def test_a_nested_result_may_come_in_any_containers() -> None:
    case = drawn(CHAINED, 1, "normal")
    made = outputs_of(CHAINED, case, {"layers": [{"b": 1.0, "W": 2.0}, (3.0, 4.0)], "dx": 0.0})

    assert made == {"dx": 0.0, "layers[0].W": 2.0, "layers[0].b": 1.0, "layers[1].W": 3.0, "layers[1].b": 4.0}


def test_a_result_of_several_parts_may_come_as_one_array_with_a_part_for_each() -> None:
    ends = named(np.array([[0.25, 0.5], [0.75, 1.0]]), ("low", "high"), "the result")

    assert {name: part.tolist() for name, part in ends.items()} == {"low": [0.25, 0.5], "high": [0.75, 1.0]}
    for other in (np.zeros((3, 2)), np.zeros(()), 1.0):
        with pytest.raises(WrongKind, match="expected 2 values: low, high"):
            named(other, ("low", "high"), "the result")


def test_an_edge_of_a_nested_argument_is_written_in_lists() -> None:
    given = edge("by hand", x=[[1, 2]], layers=({"W": [[1], [2]], "b": [3]},))
    case = cases.from_edge(Exercise(chained, edges=(given,), draw=two_layers), given, "float32")

    assert case.arguments["layers"][0].fields["W"].dtype == np.float32
    assert run_plain(CHAINED, chained, case)["layers[0].b"].tolist() == [4.0]


def test_a_cotangent_that_an_edge_leaves_out_is_drawn_in_the_shape_of_the_result() -> None:
    exercise = Exercise(along_vjp, edges=(edge("plain", z=[[1, 2, 3], [4, 5, 6]]),))
    one, other = cases.edges(exercise)

    assert one.arguments["cotangent"].shape == (2,)
    np.testing.assert_array_equal(one.arguments["cotangent"].astype(np.float32), other.arguments["cotangent"])


@settings(deadline=None, max_examples=20)
@given(st.data())
@pytest.mark.parametrize("exercise", [GROUPED, UPDATED, COUNTED, CHAINED], ids=lambda e: e.name)
def test_small_cases_of_these_are_small_too(exercise: Exercise, data: st.DataObject) -> None:
    case = data.draw(cases.small(exercise, drawn(exercise, 5, "normal")))

    assert case.size <= 2 * 3**4
    run_plain(exercise, exercise.reference, case)
