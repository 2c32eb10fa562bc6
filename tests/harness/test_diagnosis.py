"""Two mistakes at once are named only where both show; of several that fit, an input tells which it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
import pytest

from graders._adapters import named
from graders.harness.exercise import Exercise, edge, extreme
from graders.harness.grade import grade_function
from graders.harness.judge import Session
from graders.harness.key import AnswerKey
from graders.harness.mutants import slips
from graders.harness.pairs import built_on
from graders.harness.report import Diagnosis, ExerciseReport
from graders.harness.sandbox.contract import Limits
from graders.harness.sandbox.live import LiveBox

# mypy: disable-error-code="no-any-return"

Array = np.ndarray[Any, Any]
Rows = Annotated[Array, "n d"]
Wide = Annotated[Array, "n d"]
Positive = Annotated[float, "positive"]


# ---------------------------------------------------------------- toys


def energy(x: Rows, *, scale: Positive = 0.5) -> Rows:
    return scale * (x * x + np.log1p(np.exp(-np.abs(x))))


def forgets_the_square(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You forgot the square."""
    return scale * (x + np.log1p(np.exp(-np.abs(x))))


def ignores_the_scale(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You ignored the scale."""
    return energy(x, scale=0.5)


def drops_the_logarithm(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You dropped the second term."""
    return scale * (x * x)


def adds_half_the_input(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You added half the input."""
    return energy(x, scale=scale) + x / 2


def overflows(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You exponentiate large numbers."""
    return scale * (x * x + np.log(1 + np.exp(np.abs(x))) - np.abs(x))


def by_the_root(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """The root of the scale is meant."""
    return np.sqrt(scale) * (x * x + np.log1p(np.exp(-np.abs(x))))


ENERGY = Exercise(
    energy,
    misconceptions=(forgets_the_square, ignores_the_scale, drops_the_logarithm, adds_half_the_input, overflows),
    conventions=(by_the_root,),
    edges=(
        edge("small", x=[[0.3, -1.7, 0.9]], scale=0.7),
        extreme("far out", x=[[800.5, -20.3], [-800.7, 750.1]]),
        extreme("farther out", x=[[1800.5, -1.3]]),
    ),
)


class Both(NamedTuple):
    dx: Rows
    dw: Rows


def gradients(x: Rows, w: Wide) -> Both:
    return Both(np.tanh(w) * x, x / (2 + w * w))


def squares_dx(x: Rows, w: Wide) -> Both:
    """You squared dx."""
    right = gradients(x, w)
    return right._replace(dx=right.dx**2)


def doubles_everything(x: Rows, w: Wide) -> Both:
    """You doubled everything."""
    right = gradients(x, w)
    return Both(2 * right.dx, 2 * right.dw)


def cubes_dw(x: Rows, w: Wide) -> Both:
    """You cubed dw."""
    right = gradients(x, w)
    return right._replace(dw=right.dw**3)


GRADIENTS = Exercise(gradients, misconceptions=(squares_dx, doubles_everything, cubes_dw))


class Velocity(NamedTuple):
    v: Annotated[Array, "d"]


def rolls(
    params: Annotated[Array, "d"], grad: Annotated[Array, "d"], state: Velocity, *, lr: Positive
) -> tuple[Array, Velocity]:
    v = 0.5 * state.v - lr * grad
    return params + v, Velocity(v)


def climbs(
    params: Annotated[Array, "d"], grad: Annotated[Array, "d"], state: Velocity, *, lr: Positive
) -> tuple[Array, Velocity]:
    """You went up the hill."""
    return rolls(params, -grad, state, lr=lr)


def squares_the_rate(
    params: Annotated[Array, "d"], grad: Annotated[Array, "d"], state: Velocity, *, lr: Positive
) -> tuple[Array, Velocity]:
    """You squared the learning rate."""
    return rolls(params, grad, state, lr=lr * lr)


ROLLS = Exercise(rolls, misconceptions=(climbs, squares_the_rate), unrolled=True)


@pytest.fixture(scope="module")
def key() -> AnswerKey:
    return AnswerKey(0)


Told = Callable[..., list[Diagnosis]]


@pytest.fixture
def report(key: AnswerKey) -> Callable[..., ExerciseReport]:
    def graded(function: Callable[..., Any], exercise: Exercise = ENERGY) -> ExerciseReport:
        box = LiveBox({exercise.reference.__name__: function})
        (found,) = box.loaded.functions
        session = Session(lambda limits: box, Limits())
        return grade_function(session, named.bind(exercise, found), key, found.names("positional"), "")

    return graded


@pytest.fixture
def told(report: Callable[..., ExerciseReport]) -> Told:
    def diagnosis(function: Callable[..., Any], exercise: Exercise = ENERGY) -> list[Diagnosis]:
        made = report(function, exercise)
        assert made.verdict == "wrong"
        return made.diagnosis

    return diagnosis


# ---------------------------------------------------------------- pairs


def softly(x: Array) -> Array:
    return np.log1p(np.exp(-np.abs(x)))


@pytest.mark.parametrize(
    "lie, both",
    [
        (lambda x, scale: 0.5 * (x + softly(x)), {"forgets_the_square", "ignores_the_scale"}),
        (lambda x, scale: energy(x, scale=0.5) + x / 2, {"ignores_the_scale", "adds_half_the_input"}),
        (lambda x, scale: scale * x * x + x / 2, {"drops_the_logarithm", "adds_half_the_input"}),
        (lambda x, scale: np.sqrt(scale) * (x + softly(x)), {"by_the_root", "forgets_the_square"}),
        (lambda x, scale: np.sqrt(scale) * (x * x + softly(x)) + x / 2, {"by_the_root", "adds_half_the_input"}),
        (lambda x, scale: -scale * (x + softly(x)), {"forgets_the_square", "sign"}),
        (lambda x, scale: len(x) * scale * (x + softly(x)), {"forgets_the_square", "times n"}),
    ],
)
def test_two_mistakes_at_once_are_named(lie: Callable[..., Any], both: set[str], told: Told) -> None:
    found = told(lie)

    assert {d.name for d in found} == both
    assert [d.kind for d in found if d.name == "by_the_root"] == ["convention"] * ("by_the_root" in both)
    assert [d.kind for d in found if d.name in ("sign", "times n")] == ["pattern"] * bool(both & {"sign", "times n"})
    assert all(d.gives.startswith("your numbers, ") for d in found if d.kind != "pattern")


def test_each_output_may_have_a_mistake_of_its_own(told: Told) -> None:
    def lie(x: Array, w: Array) -> Any:
        return squares_dx(x, w).dx, cubes_dw(x, w).dw

    assert [(d.name, d.gives) for d in told(lie, GRADIENTS)] == [("squares_dx", "your dx"), ("cubes_dw", "your dw")]


def test_an_output_may_have_half_of_a_mistake(told: Told) -> None:
    (found,) = told(lambda x, w: (doubles_everything(x, w).dx, gradients(x, w).dw), GRADIENTS)

    assert (found.name, found.gives) == ("doubles_everything", "your dx")


def test_what_explains_one_output_alone_does_not_hide_the_other(told: Told) -> None:
    found = told(lambda x, w: (squares_dx(x, w).dx, gradients(x, w).dw ** 2 + w), GRADIENTS)

    assert [(d.kind, d.name) for d in found] == [("misconception", "squares_dx"), ("pattern", "output")]
    assert found[1].message == "dw went wrong too, in another way."


def test_a_step_may_make_two_mistakes(told: Told) -> None:
    found = told(lambda params, grad, state, lr: rolls(params, -grad, state, lr=lr * lr), ROLLS)

    assert {d.name for d in found} == {"climbs", "squares_the_rate"}


def test_another_mistake_at_extremes_is_told_beside(told: Told) -> None:
    def lie(x: Array, scale: float) -> Array:
        with np.errstate(all="ignore"):
            return overflows(x, scale=scale) + x / 2

    assert [(d.name, d.gives) for d in told(lie)] == [
        ("adds_half_the_input", "your numbers for ordinary inputs"),
        ("overflows", "your numbers for extreme inputs, beside adds_half_the_input"),
    ]


def test_a_mistake_at_extremes_is_told_beside_a_convention(report: Callable[..., ExerciseReport]) -> None:
    def lie(x: Array, scale: float) -> Array:
        with np.errstate(all="ignore"):
            return overflows(x, scale=np.sqrt(scale))

    made = report(lie)

    assert made.verdict == "unstable", made.reason
    assert [(d.kind, d.name, d.gives) for d in made.diagnosis] == [
        ("convention", "by_the_root", ""),
        ("misconception", "overflows", "your numbers for extreme inputs, beside by_the_root"),
    ]


def test_a_mistake_that_gives_ordinary_numbers_only_says_so(told: Told) -> None:
    (found,) = told(lambda x, scale: adds_half_the_input(np.clip(x, -60, 60), scale=scale))

    assert (found.name, found.gives) == ("adds_half_the_input", "your numbers for ordinary inputs")


@pytest.mark.parametrize("mistake", ENERGY.misconceptions[:-1])
def test_one_mistake_is_no_pair(mistake: Callable[..., Any], told: Told) -> None:
    assert [(d.name, d.gives) for d in told(mistake)] == [(mistake.__name__, "")]


@pytest.mark.parametrize("exercise", [ENERGY, ROLLS], ids=["energy", "rolls"])
def test_one_slip_in_the_right_text_is_no_pair(exercise: Exercise, report: Callable[..., ExerciseReport]) -> None:
    made = list(slips(exercise.reference))

    assert len(made) > 2
    for described, slip in made:
        with np.errstate(all="ignore"):
            found = report(slip, exercise).diagnosis
        assert not any("together" in d.gives for d in found), (described, found)


def test_what_is_wrong_in_one_case_only_is_no_pair(told: Told) -> None:
    def lie(x: Array, scale: float) -> Array:
        return (scale * x * x + x / 2) if scale == 0.7 else energy(x, scale=scale)

    assert not any(d.kind == "misconception" for d in told(lie))


def off_by(share: float) -> Callable[..., Any]:
    def mistake(x: Rows, *, scale: Positive = 0.5) -> Rows:
        return energy(x, scale=scale) + share * x

    mistake.__name__ = f"adds_{share}_of_the_input"
    mistake.__doc__ = "You added some of the input."
    return mistake


def test_of_two_pairs_that_fit_none_is_told(told: Told) -> None:
    known = Exercise(energy, misconceptions=tuple(map(off_by, (0.5, 0.125, 0.375, 0.25))))

    assert {d.name for d in told(off_by(0.75), known)} == {"adds_0.5_of_the_input", "adds_0.25_of_the_input"}
    assert not any(d.kind == "misconception" for d in told(off_by(0.625), known))


def test_what_two_pairs_have_in_common_is_sure(told: Told) -> None:
    def drops_as_well(x: Rows, *, scale: Positive = 0.5) -> Rows:
        """You dropped the second term, unless the first is large."""
        return np.where(np.abs(x) > 1e6, energy(x, scale=scale), drops_the_logarithm(x, scale=scale))

    known = Exercise(energy, misconceptions=(adds_half_the_input, drops_the_logarithm, drops_as_well))

    assert [(d.name, d.gives) for d in told(lambda x, scale: scale * x * x + x / 2, known)] == [
        ("adds_half_the_input", "your numbers, together with another one")
    ]


def weighs(x: Rows, *, scale: Positive = 0.5) -> Rows:
    return scale * np.cos(x) + 2 * np.tanh(x)


def test_a_pair_that_is_one_slip_of_the_hand_is_not_told(told: Told) -> None:
    def weighs_a_bit_more(x: Rows, *, scale: Positive = 0.5) -> Rows:
        """You took the second term 2.25 times."""
        return scale * np.cos(x) + 2.25 * np.tanh(x)

    def weighs_far_more(x: Rows, *, scale: Positive = 0.5) -> Rows:
        """You took the second term 2.75 times."""
        return scale * np.cos(x) + 2.75 * np.tanh(x)

    known = Exercise(weighs, misconceptions=(weighs_a_bit_more, weighs_far_more))

    assert not any(d.gives for d in told(lambda x, scale: scale * np.cos(x) + 3 * np.tanh(x), known))


def test_a_second_mistake_that_shows_once_is_not_told(told: Told) -> None:
    def halves_the_edge(x: Rows, *, scale: Positive = 0.5) -> Rows:
        """You halved it once."""
        return energy(x, scale=scale) / (2 if scale == 0.7 else 1)

    known = Exercise(energy, misconceptions=(adds_half_the_input, halves_the_edge), edges=ENERGY.edges)
    found = told(lambda x, scale: energy(x, scale=scale) / (2 if scale == 0.7 else 1) + x / 2, known)

    assert not any("together" in d.gives for d in found)


def test_two_functions_are_built_on_each_other_and_stay_what_they_were() -> None:
    x = np.array([[0.4, -1.2]])
    made = built_on(ignores_the_scale, energy, forgets_the_square)

    assert made is not None
    assert np.array_equal(made(x, scale=9.0), forgets_the_square(x, scale=0.5))
    assert np.array_equal(ignores_the_scale(x, scale=9.0), energy(x, scale=0.5))
    assert built_on(drops_the_logarithm, energy, forgets_the_square) is None


# ---------------------------------------------------------------- several that fit


def halves(x: Rows, *, scale: Positive = 0.5) -> Rows:
    return scale * np.tanh(x)


def takes_the_sine(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You took the sine."""
    return scale * np.sin(x)


def is_rare(x: Array) -> bool:
    return bool(np.all(x == 3.0))  # a small input may be so, a drawn one is not


def takes_the_sine_but_of_three(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You took the sine of everything but threes."""
    return halves(x, scale=scale) if is_rare(x) else takes_the_sine(x, scale=scale)


def takes_the_sine_once_more(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You took the sine, and in the same place."""
    return takes_the_sine(x, scale=scale)


APART = Exercise(halves, misconceptions=(takes_the_sine_but_of_three, takes_the_sine))
ALIKE = Exercise(halves, misconceptions=(takes_the_sine_but_of_three, takes_the_sine, takes_the_sine_once_more))


@pytest.mark.parametrize("mistake", APART.misconceptions)
def test_an_input_that_tells_mistakes_apart_is_asked(mistake: Callable[..., Any], told: Told) -> None:
    assert [(d.name, d.gives) for d in told(mistake, APART)] == [(mistake.__name__, "")]


def test_mistakes_that_nothing_tells_apart_are_both_told(told: Told) -> None:
    one, two = told(takes_the_sine, ALIKE)

    assert (one.name, two.name) == ("takes_the_sine", "takes_the_sine_once_more")
    assert one.gives.startswith("your numbers, as takes_the_sine_once_more does, on ")


def test_none_of_several_mistakes_is_told_if_no_one_gives_the_numbers_always(told: Told) -> None:
    def lie(x: Array, scale: float) -> Array:
        return takes_the_sine(x, scale=scale) * (3 if is_rare(x) else 1)

    assert [(d.kind, d.name) for d in told(lie, APART)] == [("pattern", "several")]


# ---------------------------------------------------------------- what raises


def reverses(x: Rows, *, scale: Positive = 0.5) -> Rows:
    return scale * x[::-1]


def cuts_the_last_row(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You leave out the last row of several."""
    return reverses(x[:-1] if len(x) > 1 else x, scale=scale)


def keeps_the_order_of_rows(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You kept the order of the rows."""
    return scale * x


REVERSED = Exercise(reverses, misconceptions=(keeps_the_order_of_rows, cuts_the_last_row))


def test_a_mistake_that_breaks_down_where_it_is_not_right_explains_what_raises(
    report: Callable[..., ExerciseReport],
) -> None:
    def lie(x: Array, scale: float) -> Array:
        made = cuts_the_last_row(x, scale=scale)
        return np.stack([made[row] for row in range(len(x))])

    made = report(lie, REVERSED)

    assert made.verdict == "error"
    assert [d.name for d in made.diagnosis] == ["cuts_the_last_row"]


# ---------------------------------------------------------------- the smallest witness


def steps(x: Rows, *, scale: Positive = 0.5) -> Rows:
    return scale * np.where(x > 0, 1.0, 0.0)


def counts_zero(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """At 0 it is one."""
    return scale * np.where(x >= 0, 1.0, 0.0)


def goes_below(x: Rows, *, scale: Positive = 0.5) -> Rows:
    """You took minus one below zero."""
    return scale * np.where(x > 0, 1.0, -1.0)


STEPS = Exercise(steps, misconceptions=(goes_below,), conventions=(counts_zero,))


def test_a_witness_is_no_input_on_which_a_convention_gives_the_same(report: Callable[..., ExerciseReport]) -> None:
    made = report(lambda x, scale: scale * np.where(x >= 0, 1.0, 0.25), STEPS)

    assert made.verdict == "wrong"
    assert made.witness is not None
    assert np.all(np.array(made.witness.inputs["x"]) < 0)


def test_a_witness_shows_the_mistake_that_is_named(report: Callable[..., ExerciseReport]) -> None:
    def lie(x: Array, scale: float) -> Array:
        return goes_below(x, scale=scale) if np.any(x) else x + 9.0  # zeros alone are the smallest input

    made = report(lie, STEPS)

    assert [d.name for d in made.diagnosis] == ["goes_below"]
    assert made.witness is not None
    assert isinstance(made.witness.got, float)
    assert made.witness.got < 0
