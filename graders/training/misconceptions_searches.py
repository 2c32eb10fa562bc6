"""Known mistakes in searches; the docstring of each is what the student is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reference import training as reference
from reference._types import Array
from reference.training import Descent, Found

Generator = np.random.Generator
Function = Callable[[Any], Any]
Draw = Callable[[Generator], Any]


# --- gradient_descent -------------------------------------------------------------------------------------------------
def _descended(
    f: Function, x: Array, steps: int, step: Callable[[Array, int], Array], losses: slice = slice(None)
) -> Descent:
    values = [f(x)]
    for i in range(steps):
        x = step(x, i)
        values.append(f(x))
    return Descent(x, np.array(values)[losses])


def climbs(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """You add the gradient, and climb. Subtract it."""
    return _descended(f, x, steps, lambda x, i: x + lr * grad(x))


def forgets_the_rate(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """You left the learning rate out."""
    return _descended(f, x, steps, lambda x, i: x - grad(x))


def makes_one_step_too_few(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """You make one step too few."""
    return _descended(f, x, steps - 1, lambda x, i: x - lr * grad(x))


def makes_one_step_too_many(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """You make one step too many."""
    return _descended(f, x, steps + 1, lambda x, i: x - lr * grad(x))


def keeps_the_first_gradient(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """You use the gradient at the start in every step. Ask for it anew at each point."""
    first = grad(x)
    return _descended(f, x, steps, lambda x, i: x - lr * first)


def divides_by_the_length(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """You divide the gradient by its length, so that every step is as long. Take it as it is."""
    return _descended(f, x, steps, lambda x, i: x - lr * grad(x) / np.linalg.norm(grad(x)))


def takes_the_sign(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """You go by the sign of the gradient. Take the gradient itself."""
    return _descended(f, x, steps, lambda x, i: x - lr * np.sign(grad(x)))


def lets_the_rate_decay(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """Your learning rate gets smaller from step to step. Here it is the same in all."""
    return _descended(f, x, steps, lambda x, i: x - lr / (1 + i) * grad(x))


def divides_by_the_size(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """You divide by the number of entries. The gradient is what `grad` returns."""
    return _descended(f, x, steps, lambda x, i: x - lr * grad(x) / x.size)


def returns_the_start(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """You return the point that you began with. Return where the steps led to."""
    return Descent(x.copy(), _descended(f, x, steps, lambda x, i: x - lr * grad(x)).losses)


def leaves_out_the_first_loss(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """The losses are those after each step: that at the start is left out."""
    return _descended(f, x, steps, lambda x, i: x - lr * grad(x), slice(1, None))


def leaves_out_the_last_loss(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """The losses are those before each step: that at the end is left out."""
    return _descended(f, x, steps, lambda x, i: x - lr * grad(x), slice(None, -1))


def descent_in_place(f: Function, grad: Function, x: Array, *, lr: float, steps: int) -> Descent:
    """In a copy, which every step writes to."""
    point = x.copy()
    values = [f(point)]
    for _ in range(steps):
        point -= lr * grad(point)
        values.append(f(point))
    return Descent(point, np.array(values))


# --- random_search ----------------------------------------------------------------------------------------------------
def _drawn(draw: Draw, generator: Generator, trials: int) -> list[Any]:
    return [draw(generator) for _ in range(trials)]


def keeps_the_last(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """You return the last point that was drawn. Keep the best."""
    point = _drawn(draw, generator, trials)[-1]
    return Found(point, float(f(point)), trials - 1)


def keeps_the_first(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """You return the first point that was drawn. Go on, and keep the best."""
    point = _drawn(draw, generator, trials)[0]
    return Found(point, float(f(point)), 0)


def keeps_the_worst(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """You keep the point with the highest loss. The lowest is best."""
    points = _drawn(draw, generator, trials)
    losses = [float(f(point)) for point in points]
    at = int(np.argmax(losses))
    return Found(points[at], losses[at], at)


def returns_the_last_loss(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """You return the loss of the last trial beside the best point. Return that of the best."""
    points = _drawn(draw, generator, trials)
    losses = [float(f(point)) for point in points]
    at = int(np.argmin(losses))
    return Found(points[at], losses[-1], at)


def returns_the_last_point(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """You return the last point beside the lowest loss. Return the point that it belongs to."""
    points = _drawn(draw, generator, trials)
    losses = [float(f(point)) for point in points]
    return Found(points[-1], min(losses), int(np.argmin(losses)))


def takes_the_smallest_size(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """You compare absolute values of the loss. A loss below zero is lower still."""
    points = _drawn(draw, generator, trials)
    losses = [float(f(point)) for point in points]
    at = int(np.argmin(np.abs(losses)))
    return Found(points[at], losses[at], at)


def begins_below_zero(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """You begin with a best loss of 0, which no loss above it beats. Begin with infinity."""
    points = _drawn(draw, generator, trials)
    losses = [float(f(point)) for point in points]
    at = int(np.argmin(losses))
    return Found(points[at], losses[at], at) if losses[at] < 0 else Found(points[0], 0.0, 0)


def counts_from_one(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """You count trials from one. The first is trial 0."""
    found = reference.random_search(f, draw, generator, trials=trials)
    return Found(found.params, found.loss, found.trial + 1)


def makes_one_trial_too_few(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """You draw one point too few. `trials` points are drawn, and each of them may be the best."""
    return reference.random_search(f, draw, generator, trials=max(1, trials - 1))


def makes_one_trial_too_many(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """You draw one point too many: the first one counts as a trial, too."""
    return reference.random_search(f, draw, generator, trials=trials + 1)


def search_of_a_list(f: Function, draw: Draw, generator: Generator, *, trials: int) -> Found[Any]:
    """Draw all, then take the lowest."""
    points = _drawn(draw, generator, trials)
    losses = [float(f(point)) for point in points]
    at = int(np.nanargmin(losses))
    return Found(points[at], losses[at], at)
