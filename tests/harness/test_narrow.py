"""Cases in float16 and bfloat16: what they hold, that lies fail where anything is decided, and that honesty passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradproof
from graders import _api, _catalogue, _live
from graders.harness import arithmetic, narrow
from graders.harness.arithmetic import bounded_kind
from graders.harness.cases import Case
from graders.harness.certify import proved
from graders.harness.compare import compare
from graders.harness.key import KEPT_BITS, is_vacuous
from graders.harness.precision import NARROW, PRECISIONS, truncated

SOME = (
    "activations.relu",
    "activations.sigmoid",
    "losses.bce_with_logits_grad",
    "layers.affine",
    "optimizers.momentum",
)
Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def key() -> narrow.NarrowKey:
    return _api.Key(0, proved, NARROW)


# ---------------------------------------------------------------- rounding


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_numbers_are_rounded_as_numpy_rounds_them(dtype: str) -> None:
    random = np.random.default_rng(0)
    x = np.concatenate([
        random.standard_normal(1000) * 10.0 ** random.uniform(-9, 6, 1000),
        [0.0, -0.0, np.inf, -np.inf, np.nan, 65504.0, 65519.0, 65520.0, -7e4, 6e-8, 2.9e-8, 6.104e-5, 1e39, 5e-324],
    ])  # fmt: skip
    with np.errstate(over="ignore"):
        right = x.astype(dtype).astype(float)

    np.testing.assert_array_equal(PRECISIONS[dtype].rounded(x).astype(float), right)
    np.testing.assert_array_equal(np.signbit(PRECISIONS[dtype].rounded(x)), np.signbit(right))


def test_numbers_are_rounded_to_the_upper_half_of_float32() -> None:
    x = np.random.default_rng(1).standard_normal(1000).astype(np.float32)
    made = PRECISIONS["bfloat16"].rounded(x)

    assert not np.any(made.view(np.uint32) & 0xFFFF)
    assert np.max(np.abs(made - x) / np.abs(x)) <= 2**-8
    assert PRECISIONS["bfloat16"].rounded(np.array([3.38953139e38, 3.4e38])).tolist() == [3.3895313892515355e38, np.inf]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_unit_in_the_last_place_is_numpys(dtype: str) -> None:
    x = np.array([1.0, 1.5, 2.0, 0.1, 1000.0, float(np.finfo(dtype).tiny)])
    near = x.astype(dtype)

    np.testing.assert_array_equal(PRECISIONS[dtype].spacing(near.astype(float)), np.spacing(near).astype(float))


def test_a_case_that_its_dtype_cannot_hold_is_none() -> None:
    def made(*numbers: float) -> Case | None:
        return narrow.rounded(Case({"x": np.array(numbers)}, {}, "float64", "by hand"), "float16")

    kept = made(0.1, 0.0, 1.0)
    assert kept is not None
    assert kept.arguments["x"].dtype == np.float32
    assert kept.arguments["x"].tolist() == [0.0999755859375, 0.0, 1.0]
    assert made(1e5) is None  # infinite
    assert made(1e-9, 2.0) is None  # zero
    assert made(0.99999, 0.5) is None  # a share that would be the whole
    assert made(0.99999, -0.5) is not None
    assert made(np.inf, np.nan) is not None  # what it was before


def test_leading_bits_are_cut() -> None:
    assert truncated(np.array([1.9375, -0.9, 0.0, 3e5]), 2).tolist() == [1.5, -0.75, 0.0, 262144.0]


# ---------------------------------------------------------------- the allowed error


@pytest.mark.parametrize("dtype", NARROW)
def test_the_bound_knows_the_range(dtype: str) -> None:
    kind = bounded_kind(dtype)
    with np.errstate(over="ignore"):
        made = np.exp(kind.of(np.array([1.0, 12.0, 89.0]), "float32")).parts[1]

    assert np.isfinite(made).tolist() == [True, dtype == "bfloat16", False]
    assert made[0] > PRECISIONS[dtype].unit


def test_an_eps_that_float16_does_not_know_decides_nothing() -> None:
    for dtype, known in (("float16", False), ("bfloat16", True)):
        kind = bounded_kind(dtype)
        with np.errstate(divide="ignore", invalid="ignore"):
            made = (kind.of(np.array([1e-4]), "float32") / kind.of(np.array([1e-8]), "float32")).parts[1]
        assert bool(np.isfinite(made[0])) == known


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("dtype", NARROW)
def test_lies_fail_and_what_is_rounded_once_passes(name: str, dtype: str, key: narrow.NarrowKey) -> None:
    exercise = _catalogue.exercises()[name]
    made = [case for case in key.cases(exercise) if case.dtype == dtype]
    assert made

    def passed(case: Case, lie: Any) -> bool:
        answer = key.find(exercise, case)
        assert answer is not None
        outputs = {n: PRECISIONS[dtype].rounded(lie(e.hi)) for n, e in answer.outputs.items()}
        return compare(case, answer, outputs).passed

    assert all(passed(case, lambda hi: hi) for case in made)
    assert not any(passed(case, np.zeros_like) for case in made if not case.special)
    cut = [passed(case, lambda hi: truncated(hi, KEPT_BITS[dtype])) for case in made if not case.extreme]
    assert not any(cut)
    factor = 1.05 if dtype == "float16" else 1.25
    assert not all(passed(case, lambda hi: hi * factor) for case in made)


def test_a_case_that_lets_a_lie_pass_is_refused(key: narrow.NarrowKey) -> None:
    exercise = _catalogue.exercises()["activations.relu"]
    case = key.cases(exercise)[0]
    answer = key.find(exercise, case)
    assert answer is not None
    assert not is_vacuous(answer, case)

    loose = {n: type(e)(e.hi, e.lo, np.abs(e.hi) / 2 + 1e-9) for n, e in answer.outputs.items()}
    assert is_vacuous(type(answer)(loose), case)


def test_where_another_honest_program_overflows_nothing_is_decided(key: narrow.NarrowKey) -> None:
    exercise = _catalogue.exercises()["losses.gaussian_nll"]  # one program of it squares the distances first
    wide = next(case for case in key.drawn(exercise, frozenset()) if case.origin == "offset rows")
    case = narrow.rounded(wide, "float16")
    assert case is not None
    answer = key.find(exercise, case)
    assert answer is not None

    assert not answer.decides
    assert case.id not in {known.id for known in key.cases(exercise)}


def test_the_reference_in_numpys_own_float16_passes(key: narrow.NarrowKey, monkeypatch: pytest.MonkeyPatch) -> None:
    from reference import _numerics

    monkeypatch.setattr(_numerics, "require_floats", lambda **arrays: None)
    for name in SOME[:4]:
        exercise = _catalogue.exercises()[name]
        judged = _live.judge(exercise, exercise.reference, key, ("float16",))
        assert judged.report.verdict == "correct", judged.report
        assert 0 < judged.report.cases == judged.undecided["float16"].cases - judged.undecided["float16"].left_out


# ---------------------------------------------------------------- how much is decided


def test_the_share_is_counted_over_all_cases(key: narrow.NarrowKey) -> None:
    exercise = _catalogue.exercises()["activations.log_softmax"]
    said = key.undecided(exercise, "float16")

    assert said.cases == len(exercise.edges) + len(key.drawn(exercise, frozenset()))
    assert said.left_out == said.cases - sum(case.dtype == "float16" for case in key.cases(exercise))
    assert 0 < said.undecidable < said.elements / 4
    assert narrow.Undecided.of(said.counted) == said
    assert said + said == narrow.Undecided(2 * said.elements, 2 * said.undecidable, 2 * said.cases, 2 * said.left_out)
    assert str(narrow.Undecided(1000, 125, 20, 3)) == "12.5 % of 1,000 elements undecidable, 3 of 20 cases left out"


def test_what_nothing_is_decided_of_is_said_so_and_never_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrow.NarrowKey, "_is_case", lambda key, exercise, case: False)
    with pytest.raises(
        LookupError, match=r"^float16 decides nothing of it: .* undecidable, (\d+) of \1 cases left out$"
    ):
        gradproof.check("tanh", np.tanh, dtypes=["float16"])
    with pytest.raises(LookupError, match=r"^it takes no floats, so not in float16$"):
        gradproof.check("convolution.n_flops", lambda **named: 0, dtypes=["float16"])


def test_without_an_ordinary_case_nothing_is_decided(
    key: narrow.NarrowKey, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    exercise = _catalogue.exercises()["activations.tanh"]
    monkeypatch.setattr(narrow.NarrowKey, "_is_case", lambda key, exercise, case: case.extreme)

    assert narrow.NarrowKey(0, proved, ["float16"]).cases(exercise) == []


# ---------------------------------------------------------------- check


def sigmoid(z: Array) -> Array:
    assert z.dtype == np.float16
    wide = z.astype(np.float32)
    return np.asarray(np.where(wide < 0, np.exp(wide) / (1 + np.exp(wide)), 1 / (1 + np.exp(-wide))), np.float16)


def test_a_function_that_is_off_by_five_per_cent_fails_in_float16() -> None:
    right = gradproof.check("sigmoid", sigmoid, dtypes=["float16"])
    wrong = gradproof.check("sigmoid", lambda z: sigmoid(z) * np.float16(1.05), dtypes=["float16"])

    assert right.verdict == "correct"
    assert not wrong.passed
    assert "float64" not in str(wrong)


def test_beside_float64_a_narrow_dtype_is_named_where_it_fails() -> None:
    def narrowly_wrong(z: Array) -> Array:
        return np.maximum(z, 0) if z.dtype != np.float16 else np.abs(z)

    report = gradproof.check("relu", narrowly_wrong, dtypes=["float64", "float16"]).report

    assert report.verdict == "wrong"
    assert "right in float64, but" in report.reason
    assert report.reason.endswith("wrong in float16")


@pytest.mark.parametrize("dtypes", [["float8"], [], "float16"])
def test_unknown_dtypes_are_refused(dtypes: Any) -> None:
    with pytest.raises(
        ValueError, match="dtypes: expected some of float64, float32, float16, bfloat16, in a list; got"
    ):
        gradproof.check("relu", abs, dtypes=dtypes)


def test_without_arrays_of_bfloat16_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)

    with pytest.raises(LookupError, match="NumPy has no bfloat16: install ml_dtypes"):
        gradproof.check("relu", lambda z: np.maximum(z, 0), dtypes=["bfloat16"])


def test_tensors_of_bfloat16_come_back_widened() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is an extra and is not installed")
    made = _live.as_numpy(torch.tensor([1.5, 2.5], dtype=torch.bfloat16, requires_grad=True))

    assert made.dtype == np.float32
    assert made.tolist() == [1.5, 2.5]
    assert _live.as_numpy(np.ones(2, np.float16)).dtype == np.float32
    assert _live.as_numpy(np.ones(2)).dtype == np.float64


def test_no_library_is_granted_more_than_two_units() -> None:
    granted = {dtype: bounded_kind(dtype).library for dtype in PRECISIONS}

    assert granted == {"float64": 8.0, "float32": 8.0, "tf32": 8.0, "float16": 2.0, "bfloat16": 2.0}
    assert arithmetic.LIBRARY_ULPS == 8.0
