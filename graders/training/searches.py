"""Trials on searches, which are given the function whose lowest value they seek."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graders.harness.observations import Misshapen, Observation, entries, every, exactly, share, tells
from graders.harness.sandbox.codec import Record
from graders.harness.sandbox.given import cubic
from graders.harness.trials import Setting, Trial, array, built, enough, parts
from graders.training import misconceptions_searches as wrong
from reference import training as reference

_ROUNDING = 1e-9


def _quadratic(size: int, seed: int) -> dict[str, Record]:
    """Return f and its gradient: curvatures between 0.5 and 2, nothing cubic."""
    random = np.random.default_rng(seed)
    q = np.linalg.qr(random.standard_normal((size, size)))[0]
    fields = {
        "curvature": q @ np.diag(np.linspace(0.5, 2, size)) @ q.T,
        "cubes": np.zeros(size),
        "slope": random.standard_normal(size),
    }
    return {"f": Record("given.cubic", fields), "grad": Record("given.slope_of_cubic", fields)}


def _logistic(size: int, samples: int, seed: int) -> dict[str, Record]:
    """Return the loss of a logistic regression and its gradient: as many ones as zeros, or one more, in no order."""
    random = np.random.default_rng(seed)
    fields = {"x": random.standard_normal((samples, size)), "labels": random.permutation(samples) % 2.0}
    return {"f": Record("given.logistic", fields), "grad": Record("given.slope_of_logistic", fields)}


# --- gradient_descent -------------------------------------------------------------------------------------------------
def descents(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe where the steps led to, and the losses on the way where they are returned."""
    given = {name: built(value) for name, value in setting.arguments.items()}
    truth = reference.gradient_descent(**given)
    alone = isinstance(draws[0], np.ndarray)
    params, losses = (draws[0], None) if alone else parts(draws[0], ("params", "losses"))
    yield from entries("the parameters ", array(params, truth.params.shape, "the parameters"), truth.params, _ROUNDING)
    if losses is None:
        return
    seen = array(losses, None, "the losses")
    if seen.ndim != 1:
        raise Misshapen(f"the losses have shape {seen.shape}, expected a row of them")
    yield exactly("the number of losses", len(seen), len(truth.losses))
    yield exactly("the first loss", seen[0] if len(seen) else np.nan, truth.losses[0], _ROUNDING * abs(truth.losses[0]))
    yield exactly("the last loss", seen[-1] if len(seen) else np.nan, truth.losses[-1],
                  _ROUNDING * abs(truth.losses[0]))  # fmt: skip


gradient_descent = Trial(
    reference.gradient_descent,
    settings=(
        Setting("a vector", {**_quadratic(3, 0), "x": np.array([0.3, -1.2, 0.7]), "lr": 0.3, "steps": 4}),
        Setting("a matrix", {**_quadratic(4, 1), "x": np.array([[0.4, -0.9], [1.1, 0.2]]), "lr": 0.17, "steps": 7}),
        Setting("one step", {**_quadratic(2, 2), "x": np.array([1.5, -0.4]), "lr": 0.45, "steps": 1}),
        Setting(
            "a logistic regression", {**_logistic(3, 7, 4), "x": np.array([0.4, -0.7, 0.2, 0.6]), "lr": 0.7, "steps": 5}
        ),
        Setting("a logistic regression, from zeros", {**_logistic(2, 5, 5), "x": np.zeros(3), "lr": 1.9, "steps": 3}),
        Setting("it has converged", {**_quadratic(3, 4), "x": np.array([0.9, -0.4, 1.2]), "lr": 0.8, "steps": 20}),
        Setting("it diverges", {**_quadratic(3, 3), "x": np.array([0.2, 0.9, -0.6]), "lr": 1.3, "steps": 5}),
    ),
    observe=descents,
    misconceptions=(
        wrong.climbs,
        wrong.forgets_the_rate,
        wrong.makes_one_step_too_few,
        wrong.makes_one_step_too_many,
        wrong.keeps_the_first_gradient,
        wrong.divides_by_the_length,
        wrong.takes_the_sign,
        wrong.lets_the_rate_decay,
        wrong.divides_by_the_size,
        wrong.returns_the_start,
    ),
    conventions=(wrong.leaves_out_the_first_loss, wrong.leaves_out_the_last_loss),
    programs=(wrong.descent_in_place,),
)


# --- random_search ----------------------------------------------------------------------------------------------------
def searches(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether what is found is a point that was drawn, with its own loss, and how often it is the best of all.

    The points are few, so that it is known how often each is the lowest of so many draws.
    """
    source, tries = setting.arguments["draw"], setting.arguments["trials"]
    points, f = source.fields["points"], cubic(**setting.arguments["f"].fields)
    losses = np.array([float(f(point)) for point in points])
    order = losses.argsort()
    found = [_found(draw, points) for draw in draws]
    at = np.array([which for which, _, _ in found])
    yield every("what is found is a point that was drawn", at >= 0)
    if source.name == IN_TURN:
        yield every(f"what is found is the best of the first {tries}", at == int(np.nanargmin(losses[:tries])))
    own = [which >= 0 and abs(loss - losses[which]) <= 1e-9 * max(1.0, abs(losses[which])) for which, loss, _ in found]
    yield every("the loss is that of the point", own)
    if source.name == IN_TURN:
        return
    rank = order.argsort()
    yield tells("the rank of what is found", rank[at])
    yield tells("the mean loss", [loss for _, loss, _ in found])
    numbers = [number for *_, number in found if number is not None]
    if numbers:
        yield tells("the mean trial", numbers)
        yield every(f"the trial is in 0..{tries - 1}", [0 <= number < tries for number in numbers])
        yield every("a best one of one trial is trial 0", [tries > 1 or number == 0 for number in numbers])
    if len(numbers) >= _MANY:  # so many searches all find it before the last trial less than once in 10¹⁰ times
        yield every("the last trial counts too", [max(numbers) == tries - 1])
    if enough(setting, draws):
        lowest, second = at == order[0], at == order[1]
        k = len(points)
        best = 1 - (1 - 1 / k) ** tries
        yield share("how often the best of all points is found", lowest, best)
        yield share("how often the second best is", second, (1 - 1 / k) ** tries - (1 - 2 / k) ** tries)


IN_TURN = "given.draw_in_turn"


def _found(draw: Any, points: Any) -> tuple[int, float, int | None]:
    """Return which point was found (or -1), its loss, and in which trial, where that is returned."""
    given = draw
    if isinstance(draw, Mapping) and "params" in draw:
        given = [draw[name] for name in ("params", "loss", "trial") if name in draw]
    number = None
    if isinstance(given, (tuple, list)) and len(given) == 3:
        *given, last = given
        number = int(array(last, (), "the trial"))
    params, loss = parts(given, ("params", "loss"))
    seen = array(params, points.shape[1:], "the point")
    which = np.flatnonzero([np.array_equal(seen, point) for point in points])
    return int(which[0]) if which.size else -1, float(array(loss, (), "the loss")), number


_MANY = 200
_FALLING = np.array([[1.52, 0.93], [1.18, 0.71], [0.87, 0.45], [0.64, 0.22], [0.31, 0.14]])
_WITHOUT_THE_FIRST = np.array([[np.nan, 0.4], *_FALLING[1:]])
_PLACES = np.array([[0.31, 1.24], [0.87, 0.45], [1.52, 0.93], [0.64, 0.22], [1.18, 1.71]])


def _line(
    slope: tuple[float, float], tries: int, draw: str = "given.draw_from", points: Any = _PLACES
) -> dict[str, Any]:
    """Return a search among five points for the lowest value of a linear function."""
    fields = {"curvature": np.zeros((2, 2)), "cubes": np.zeros(2), "slope": np.array(slope)}
    return {"f": Record("given.cubic", fields), "draw": Record(draw, {"points": points}), "trials": tries}


random_search = Trial(
    reference.random_search,
    settings=(
        Setting("losses of both signs", _line((1.7, -1.3), 3), draws=200),
        Setting("losses below zero", _line((-0.8, -0.6), 2), draws=200),
        Setting("losses above one", _line((3.1, 2.7), 5), draws=200),
        Setting("one trial", _line((0.9, 0.4), 1), draws=200),
        Setting("each point is better than those before it", _line((1.3, 0.9), 3, IN_TURN, _FALLING)),
        Setting("the first loss is no number", _line((1.3, 0.9), 4, IN_TURN, _WITHOUT_THE_FIRST), extreme=True),
    ),
    observe=searches,
    misconceptions=(
        wrong.keeps_the_last,
        wrong.keeps_the_first,
        wrong.keeps_the_worst,
        wrong.returns_the_last_loss,
        wrong.returns_the_last_point,
        wrong.takes_the_smallest_size,
        wrong.begins_below_zero,
        wrong.counts_from_one,
        wrong.makes_one_trial_too_few,
        wrong.makes_one_trial_too_many,
    ),
    programs=(wrong.search_of_a_list,),
)
