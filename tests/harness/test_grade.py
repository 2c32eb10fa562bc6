"""From a submission to its verdict: each of the design's verdicts earned by a toy, and diagnosed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, NoReturn

import numpy as np
import pytest

from graders._adapters import named
from graders.harness import grade as grading
from graders.harness.exercise import Exercise, edge, extreme, special
from graders.harness.grade import Bound, grade_function, grade_submission
from graders.harness.judge import Session
from graders.harness.key import AnswerKey
from graders.harness.report import SHORT, ExerciseReport, Report, Run, SubmissionReport
from graders.harness.sandbox import parent
from graders.harness.sandbox.contract import Function as Found
from graders.harness.sandbox.contract import Limits
from graders.harness.sandbox.live import LiveBox
from graders.harness.sandbox.parent import CannotStart, ProcessBox, Submission

# mypy: disable-error-code="no-any-return"

Array = np.ndarray[Any, Any]
Rows = Annotated[Array, "n d"]
Positive = Annotated[float, "positive"]


# ---------------------------------------------------------------- toys


def softplus(x: Rows, *, sharpness: Positive = 1.0) -> Rows:
    y = sharpness * x
    return (np.maximum(y, 0) + np.log1p(np.exp(-np.abs(y)))) / sharpness


def returns_the_slope(x: Rows, *, sharpness: Positive = 1.0) -> Rows:
    """You returned the derivative. Return the function itself."""
    return 1 / (1 + np.exp(-sharpness * x))


def forgets_to_divide(x: Rows, *, sharpness: Positive = 1.0) -> Rows:
    """You forgot to divide by the sharpness at the end."""
    return softplus(x, sharpness=sharpness) * sharpness


def overflows(x: Rows, *, sharpness: Positive = 1.0) -> Rows:
    """You take the exponential of a large number. Take the maximum out first."""
    return np.log(1 + np.exp(sharpness * x)) / sharpness


def in_bits(x: Rows, *, sharpness: Positive = 1.0) -> Rows:
    """The logarithm to base two."""
    return softplus(x, sharpness=sharpness) / np.log(2.0)


SOFTPLUS = Exercise(
    softplus,
    misconceptions=(returns_the_slope, forgets_to_divide, overflows),
    conventions=(in_bits,),
    edges=(
        edge("small", x=[[0.3, -1.7, 0.9]]),
        special("zero", x=[[0.0]], sharpness=0.5),
        extreme("far out", x=[[800.5, -20.3], [-800.7, 750.1]]),
    ),
)


def total(x: Rows, *, reduction: Literal["mean", "sum"] = "mean") -> Annotated[Array, ""]:
    return np.mean(x * x) if reduction == "mean" else np.sum(x * x)


def sums(x: Rows, *, reduction: Literal["mean", "sum"] = "mean") -> Annotated[Array, ""]:
    """The sum in place of the mean."""
    return np.sum(x * x)


TOTAL = Exercise(total, misconceptions=(), conventions=(sums,), edges=(edge("small", x=[[0.3, -1.7, 0.9]]),))


class Pair(NamedTuple):
    dx: Rows
    dw: Rows


def both(x: Rows, w: Rows) -> Pair:
    return Pair(np.tanh(w) * x, x / (2 + w * w))


BOTH = Exercise(both, misconceptions=())


class Velocity(NamedTuple):
    v: Annotated[Array, "d"]


def rolls(
    params: Annotated[Array, "d"], grad: Annotated[Array, "d"], state: Velocity, *, lr: Positive
) -> tuple[Array, Velocity]:
    v = 0.5 * state.v - lr * grad
    return params + v, Velocity(v)


ROLLS = Exercise(rolls, misconceptions=(), unrolled=True)


@pytest.fixture(scope="module")
def key() -> AnswerKey:
    return AnswerKey(0)


Grade = Callable[..., ExerciseReport]


@pytest.fixture
def grade(key: AnswerKey) -> Grade:
    def graded(function: Callable[..., Any], exercise: Exercise = SOFTPLUS) -> ExerciseReport:
        box = LiveBox({exercise.reference.__name__: function})
        (found,) = box.loaded.functions
        session = Session(lambda limits: box, Limits())
        return grade_function(session, named.bind(exercise, found), key, found.names("positional"), "")

    return graded


def binder(*exercises: Exercise) -> Callable[[tuple[Found, ...]], Bound]:
    def bound(functions: tuple[Found, ...]) -> Bound:
        by_name = {e.reference.__name__: e for e in exercises}
        return Bound(tuple(named.bind(by_name[f.name], f) for f in functions if f.name in by_name))

    return bound


def graded_apart(
    text: str, key: AnswerKey, *, opener: Any = None, wanted: tuple[str, ...] = (), limits: Limits | None = None
) -> SubmissionReport:
    submission = Submission("toy", "toy.py", "file", "toy.py", {"toy.py": textwrap.dedent(text)})
    opener = opener or (lambda limits: parent.open(submission, ("numpy",), limits))
    return grade_submission(
        submission, opener, binder(SOFTPLUS), key, limits or Limits(call_seconds=0.3, load_seconds=2), wanted
    )


def the_one(report: SubmissionReport) -> ExerciseReport:
    (exercise,) = report.exercises
    return exercise


# ---------------------------------------------------------------- right


def test_correct_is_the_reference_itself(grade: Grade) -> None:
    report = grade(softplus)

    assert (report.verdict, report.score, report.reason, report.witness) == ("correct", 1, "", None)
    assert report.failed_cases == 0
    assert report.cases > 10
    assert report.bits == 53
    assert report.truth == "reference"
    assert {name: a.max_score for name, a in report.aspects.items()} == {"values": 0.8, "stability": 0.2, "hygiene": 0}


def test_correct_is_another_formula_as_well(grade: Grade) -> None:
    def program(x: Array, sharpness: float = 1.0) -> Array:
        return np.logaddexp(0, sharpness * x) / sharpness

    assert grade(program).verdict == "correct"


def test_a_function_without_the_parameter_is_judged_at_its_default(grade: Grade) -> None:
    report = grade(lambda x: softplus(x))

    assert report.verdict == "correct"
    assert report.notes == ["takes no sharpness: judged at the default"]


def test_a_convention_is_right_and_named(grade: Grade) -> None:
    report = grade(in_bits)

    assert (report.verdict, report.score) == ("convention", 1)
    assert [(d.kind, d.name, d.message) for d in report.diagnosis] == [
        ("convention", "in_bits", "The logarithm to base two.")
    ]


def test_what_is_right_under_a_convention_is_counted_and_measured_by_it(grade: Grade) -> None:
    report = grade(in_bits)

    assert report.failed_cases == 0 < report.cases
    assert report.bits == 53
    assert report.max_ulp is not None
    assert report.max_ulp < 10
    assert report.max_error_over_allowed is not None
    assert report.max_error_over_allowed <= 1


def test_a_convention_whose_parameter_is_taken_is_wrong_and_named(grade: Grade) -> None:
    open_to_it = grade(lambda x: np.sum(x * x), TOTAL)
    told = grade(sums, TOTAL)

    assert open_to_it.verdict == "convention"
    assert told.verdict == "wrong"
    assert told.reason == "right under another definition, but `reduction` says which one is meant"
    assert [d.name for d in told.diagnosis] == ["sums"]


# ---------------------------------------------------------------- wrong


@pytest.mark.parametrize("mistake", SOFTPLUS.misconceptions[:2])
def test_wrong_is_a_known_mistake_and_named(mistake: Callable[..., Any], grade: Grade) -> None:
    report = grade(mistake)

    assert (report.verdict, report.score) == ("wrong", 0)
    assert [(d.kind, d.name) for d in report.diagnosis] == [("misconception", mistake.__name__)]
    assert report.diagnosis[0].message == mistake.__doc__
    assert report.witness is not None
    assert np.size(report.witness.inputs["x"]) == 1
    assert report.replay.startswith("test_grade.softplus@")


@pytest.mark.parametrize(
    "lie, pattern, words",
    [
        (lambda x, sharpness: -softplus(x, sharpness=sharpness), "sign", "wrong sign"),
        (lambda x, sharpness: 3 * softplus(x, sharpness=sharpness), "factor", "3 times"),
        (lambda x, sharpness: len(x) * softplus(x, sharpness=sharpness), "factor", "n times"),
        (lambda x, sharpness: softplus(x, sharpness=sharpness) / len(x), "factor", "divided by n"),
        (lambda x, sharpness: softplus(x, sharpness=sharpness).T, "transposed", "transposed"),
        (lambda x, sharpness: softplus(x, sharpness=sharpness)[None], "shape", "shape"),
    ],
)
def test_wrong_without_a_name_shows_its_pattern(
    lie: Callable[..., Any], pattern: str, words: str, grade: Grade
) -> None:
    report = grade(lie)

    assert report.verdict == "wrong"
    assert [(d.kind, d.name) for d in report.diagnosis] == [("pattern", pattern)]
    assert words in report.diagnosis[0].message


def test_a_wrong_shape_says_so(grade: Grade) -> None:
    report = grade(lambda x, sharpness: softplus(x, sharpness=sharpness).sum(axis=0))

    assert report.verdict == "wrong"
    assert report.witness is not None
    assert "the result is of shape (" in report.witness.problem
    assert report.witness.got is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_never_pass(value: float, grade: Grade) -> None:
    assert grade(lambda x, sharpness: x * 0 + value).verdict == "wrong"

    def sometimes(x: Array, sharpness: float) -> Array:
        y = softplus(x, sharpness=sharpness)
        y[-1, -1] = value
        return y

    assert grade(sometimes).verdict == "wrong"


def test_float32_inside_is_named(grade: Grade) -> None:
    report = grade(lambda x, sharpness: softplus(x.astype(np.float32), sharpness=sharpness).astype(x.dtype))

    assert report.verdict in ("inexact", "wrong")
    assert [d.name for d in report.diagnosis] == ["float32"]
    assert report.bits is not None
    assert 15 < report.bits < 33


def test_inexact_is_close_but_biased(grade: Grade) -> None:
    report = grade(lambda x, sharpness: softplus(x, sharpness=sharpness) + 1e-7)

    assert report.verdict == "inexact"
    assert report.aspects["values"].score == 0
    assert report.score < 1  # type: ignore[operator]


def test_unstable_is_right_but_breaks_at_extremes(grade: Grade) -> None:
    report = grade(overflows)

    assert report.verdict == "unstable"
    assert report.score == pytest.approx(0.8)
    assert [d.name for d in report.diagnosis] == ["overflows"]
    assert report.aspects["stability"].passed is False


def test_review_is_a_little_beyond_rounding(grade: Grade) -> None:
    def nearly(x: Array, sharpness: float) -> Array:
        return softplus(x, sharpness=sharpness) * (1 + 5e-14)

    report = grade(nearly)

    assert report.verdict == "review"
    assert "held for a person to look at" in report.reason


@pytest.mark.parametrize(
    "starter", [lambda x, sharpness: None, lambda x, sharpness: np.zeros_like(x), lambda x, sharpness: unfilled()]
)
def test_unfilled_is_the_starters_nothing(starter: Callable[..., Any], grade: Grade) -> None:
    report = grade(starter)

    assert (report.verdict, report.score) == ("unfilled", 0)


def unfilled() -> NoReturn:
    """Raise as an unwritten starter does: the grader must see that nothing was attempted."""
    raise NotImplementedError  # it is what the test hands in, not something left to do


@pytest.mark.parametrize(
    "lie, reason",
    [
        (lambda x, sharpness: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda x, sharpness: "text", "the result is a str, expected an array of shape ("),
        (lambda x, sharpness: object(), "the result is a object, expected an array of shape ("),
        (lambda: 1.0, "raised TypeError: "),
    ],
)
def test_error_is_what_raised_or_is_of_the_wrong_type(lie: Callable[..., Any], reason: str, grade: Grade) -> None:
    report = grade(lie)

    assert (report.verdict, report.score) == ("error", 0)
    assert reason in report.reason


@pytest.mark.parametrize(
    "lie, reason",
    [
        (lambda x, sharpness: getattr(np, "float_")(3), "needs an older NumPy: "),  # noqa: B009
        (lambda x, sharpness: getattr(np, "int")(3), "needs an older NumPy: "),  # noqa: B009
        (lambda x, sharpness: xrange(3), "needs an older Python: "),  # type: ignore[name-defined]  # noqa: F821
    ],
)
def test_incompatible_needs_what_is_not_here(lie: Callable[..., Any], reason: str, grade: Grade) -> None:
    report = grade(lie)

    assert report.verdict == "incompatible"
    assert report.reason.startswith(reason)


@pytest.mark.parametrize("copied", [False, True])
def test_a_result_that_the_next_call_overwrites_is_safe_and_told(copied: bool, grade: Grade) -> None:
    buffers: dict[tuple[int, ...], Array] = {}

    def reuses(x: Array, sharpness: float) -> Array:
        out = buffers.setdefault((*x.shape, x.itemsize), np.empty_like(x))
        out[...] = softplus(x, sharpness=sharpness)
        return out.copy() if copied else out

    report = grade(reuses)

    assert (report.verdict, report.score) == ("correct", 1)
    assert any("its next call writes to" in note for note in report.notes) is not copied
    assert report.aspects["hygiene"].passed is copied


def test_what_is_no_array_says_nothing_of_buffers(grade: Grade) -> None:
    assert grade(lambda x, sharpness: [[1.0], [1.0, 2.0]]).verdict == "error"


STRIDED = "for arrays that are not contiguous, such as slices and transposes"


@pytest.mark.parametrize(
    ("read", "note", "clean"),
    [
        (lambda x: x.ravel("K").reshape(x.shape), f"gives something else {STRIDED}", False),
        (lambda x: np.frombuffer(x, x.dtype).reshape(x.shape), f"raises ValueError {STRIDED}", True),
        (np.ascontiguousarray, None, True),
    ],
)
def test_where_the_entries_of_an_array_lie_makes_no_difference(
    read: Callable[[Array], Array], note: str | None, clean: bool, grade: Grade
) -> None:
    report = grade(lambda x, sharpness: softplus(read(x), sharpness=sharpness))

    assert (report.verdict, report.score) == ("correct", 1)
    assert report.notes == ([note] if note else [])
    assert report.aspects["hygiene"].passed is clean


def test_hygiene_is_told_and_changes_no_verdict(grade: Grade) -> None:
    def careless(x: Array, sharpness: float) -> Array:
        made = softplus(x, sharpness=sharpness)
        x[:] = made
        return x

    report = grade(careless)

    assert (report.verdict, report.score) == ("correct", 1)
    assert report.notes == ["writes to its argument `x`", "returns memory that it shares with an argument"]
    assert report.aspects["hygiene"].passed is False
    assert grade(lambda x, sharpness: softplus(x.astype(float), sharpness=sharpness)).notes == [
        "changes the dtype: float32 in, float64 out"
    ]


# ---------------------------------------------------------------- several results, and steps


@pytest.mark.parametrize("shape", [tuple, list, lambda pair: pair._asdict(), lambda pair: pair])
def test_several_results_may_come_in_any_container(shape: Callable[[Any], Any], grade: Grade) -> None:
    assert grade(lambda x, w: shape(both(x, w)), BOTH).verdict == "correct"


@pytest.mark.parametrize(
    "lie, reason",
    [
        (lambda x, w: both(x, w)[:1], "the result holds 1 values, expected 2: dx, dw"),
        (lambda x, w: {"dx": x}, "the result has no 'dw'; it has 'dx'"),
        (lambda x, w: x, "the result is an array of shape ("),
    ],
)
def test_a_result_with_parts_missing_says_which(lie: Callable[..., Any], reason: str, grade: Grade) -> None:
    report = grade(lie, BOTH)

    assert report.verdict == "error"
    assert reason in report.reason


def test_swapped_results_are_wrong(grade: Grade) -> None:
    assert grade(lambda x, w: both(x, w)[::-1], BOTH).verdict == "wrong"


def test_a_step_is_judged_over_whole_trajectories(grade: Grade) -> None:
    def forgets(params: Array, grad: Array, state: Velocity, lr: float) -> tuple[Array, Velocity]:
        v = 0.5 * state.v - lr * grad
        return params + v, state

    def stays(params: Array, grad: Array, state: Velocity, lr: float) -> tuple[Array, Velocity]:
        return params, state

    def plain(params: Array, grad: Array, state: Velocity, lr: float) -> tuple[Array, dict[str, Array]]:
        new, moved = rolls(params, grad, state, lr=lr)
        return new, moved._asdict()

    assert grade(rolls, ROLLS).verdict == "correct"
    assert grade(plain, ROLLS).verdict == "correct"
    assert grade(forgets, ROLLS).verdict == "wrong"
    assert grade(stays, ROLLS).verdict == "unfilled"


# ---------------------------------------------------------------- in a process apart

OURS = "import numpy as np\ndef softplus(x, *, sharpness=1.0):\n    return np.logaddexp(0, sharpness * x) / sharpness\n"


def test_a_right_file_is_correct(key: AnswerKey) -> None:
    report = graded_apart(OURS, key)

    assert (report.status, report.score, report.max_score) == ("graded", 1, 1)
    assert the_one(report).verdict == "correct"


@pytest.mark.parametrize(
    "body, verdict, reason",
    [
        ("while True: pass", "timeout", "took more than 0.3 s of CPU time"),
        ("os._exit(0)", "killed", "the process ended itself (exit status 0)"),
        ("os.kill(os.getpid(), 9)", "killed", "the process died of SIGKILL"),
        ("os.closerange(3, 64)", "killed", "the process ended itself (exit status 1)"),
    ],
)
def test_what_had_to_be_stopped_says_why(body: str, verdict: str, reason: str, key: AnswerKey) -> None:
    report = the_one(graded_apart(f"import os\ndef softplus(x, *, sharpness=1.0):\n    {body}\n", key))

    assert (report.verdict, report.score, report.reason) == (verdict, 0, reason)


def test_all_boxes_together_have_the_time_of_the_whole_submission(key: AnswerKey) -> None:
    """The first box dies late; what is left for the second one is not what the reason speaks of."""
    text = """
    import os, time
    end = time.process_time() + 0.3
    while time.process_time() < end: pass

    def softplus(x, **kw):
        os.abort()
    """
    limits = Limits(call_seconds=0.3, load_seconds=2, total_seconds=0.5)

    report = the_one(graded_apart(text, key, limits=limits))

    assert (report.verdict, report.reason) == ("timeout", "took more than 0.5 s for the whole submission")


def test_missing_is_what_was_asked_for_and_is_not_there(key: AnswerKey) -> None:
    report = graded_apart(OURS, key, wanted=("toys.other",))

    assert [(e.name, e.verdict, e.score) for e in report.exercises] == [
        ("test_grade.softplus", "correct", 1),
        ("toys.other", "missing", 0),
    ]
    assert report.max_score == 2


def test_a_submission_cannot_earn_unscored(key: AnswerKey) -> None:
    """A crash that only it provokes comes again in a fresh sandbox, twice, and is then its own."""
    opened: list[ProcessBox] = []
    crashing = Submission("c", "c.py", "file", "c.py", {"c.py": "import os\ndef softplus(x, **kw):\n    os.abort()\n"})

    def opener(limits: Limits) -> ProcessBox:
        opened.append(parent.open(crashing, ("numpy",), limits))
        return opened[-1]

    report = the_one(graded_apart("", key, opener=opener))

    assert (report.verdict, report.score) == ("killed", 0)
    assert len(opened) == 3
    for text in ("import os; os._exit(3)", "while True: pass", "raise SystemExit", "import sys; sys.stdout = None"):
        assert graded_apart(text, key, limits=Limits(load_seconds=0.3)).status in ("unreadable", "nothing_found")


def test_unscored_is_the_harness_failing(key: AnswerKey) -> None:
    def broken(limits: Limits) -> NoReturn:
        raise CannotStart("no room")

    report = graded_apart(OURS, key, opener=broken)

    assert (report.status, report.score, report.reason) == ("unscored", None, "no room")


def test_a_harness_that_fails_midway_leaves_that_function_unscored(key: AnswerKey) -> None:
    opened: list[ProcessBox] = []
    dying = Submission("c", "c.py", "file", "c.py", {"c.py": "import os\ndef softplus(x, **kw):\n    os.abort()\n"})

    def opener(limits: Limits) -> ProcessBox:
        if opened:
            raise CannotStart("out of everything")
        opened.append(parent.open(dying, ("numpy",), limits))
        return opened[-1]

    report = graded_apart("", key, opener=opener)

    assert (report.status, report.score) == ("unscored", None)
    assert (the_one(report).verdict, the_one(report).reason) == ("unscored", "out of everything")


# ---------------------------------------------------------------- the exit status


def report_of(*submissions: SubmissionReport, problems: tuple[str, ...] = ()) -> Report:
    return Report(1, Run(0, "given", "full", 1, {}), list(submissions), list(problems))


def submitted(*verdicts: str, status: Any = "graded") -> SubmissionReport:
    made = [grading.missing("a.b") for _ in verdicts]
    exercises = [ExerciseReport(*(_ for _ in _fields(e, verdict=v))) for e, v in zip(made, verdicts, strict=True)]
    return SubmissionReport("s", "s.py", status, "", 0.0, 1.0, exercises, [], [])


def _fields(report: ExerciseReport, **changed: Any) -> list[Any]:
    return [changed.get(name, getattr(report, name)) for name in report.__struct_fields__]


@pytest.mark.parametrize("verdict", SHORT)
def test_what_falls_short_fails_the_exit_status(verdict: str) -> None:
    assert report_of(submitted("correct", verdict)).exit_status == 1


def test_the_gravest_status_wins() -> None:
    right, wrong, unscored = submitted("correct", "convention"), submitted("wrong"), submitted("unscored")
    nothing, unreadable = submitted(status="nothing_found"), submitted(status="unreadable")

    assert report_of(right).exit_status == 0
    assert report_of(right, wrong).exit_status == 1
    assert report_of(right, nothing).exit_status == 1
    assert report_of(unreadable).exit_status == 1
    assert report_of(nothing).exit_status == 2
    assert report_of().exit_status == 2
    assert report_of(wrong, problems=("there is no such file",)).exit_status == 2
    assert report_of(wrong, unscored, problems=("there is no such file",)).exit_status == 3
