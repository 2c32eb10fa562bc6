"""What a submission is given besides data: generators, functions, networks, each made in the child from numbers.

What comes back of them shows by itself what was done with them: nothing that the child says otherwise is believed.
"""

from __future__ import annotations

import itertools
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def history(losses: Sequence[float], size: int, in_place: bool) -> Iterator[tuple[float, Any]]:
    """Yield (validation loss, parameters) of an epoch, as a loop does that trains one array in its place, or new ones.

    In epoch e the parameters are all e, so that they say of which epoch they are: of the last, if they are no copy.
    """
    params = np.zeros(size)
    for epoch, loss in enumerate(losses):
        params = params if in_place else np.zeros(size)
        params[...] = epoch
        yield float(loss), params


def cubic(curvature: Any, cubes: Any, slope: Any) -> Callable[[Any], Any]:
    """Return f(x) = x·Cx/2 + d·x³ + s·x of the flattened x, which takes complex numbers too."""

    def f(x: Any) -> Any:
        flat = np.asarray(x).reshape(-1)
        return flat @ curvature @ flat / 2 + cubes @ flat**3 + slope @ flat

    return f


def slope_of_cubic(curvature: Any, cubes: Any, slope: Any) -> Callable[[Any], Any]:
    """Return the gradient of `cubic` for a symmetric C: Cx + 3 d x² + s, in the shape of x."""

    def gradient(x: Any) -> Any:
        flat = np.asarray(x).reshape(-1)
        return (curvature @ flat + 3 * cubes * flat**2 + slope).reshape(np.shape(x))

    return gradient


def logistic(x: Any, labels: Any) -> Callable[[Any], Any]:
    """Return the mean logistic loss of rows x with labels 0 and 1, as a function of the weights and, last, the bias."""

    def f(weights: Any) -> Any:
        z = x @ weights[:-1] + weights[-1]
        return np.mean(np.logaddexp(0, z) - labels * z)

    return f


def slope_of_logistic(x: Any, labels: Any) -> Callable[[Any], Any]:
    """Return the gradient of `logistic`."""

    def gradient(weights: Any) -> Any:
        off = 1 / (1 + np.exp(-(x @ weights[:-1] + weights[-1]))) - labels
        return np.append(x.T @ off, np.sum(off)) / len(x)

    return gradient


def draw_from(points: Any) -> Callable[..., Any]:
    """Return draw(generator): each call takes one of the points, all as likely; without a generator NumPy's own."""

    def draw(generator: Any = None) -> Any:
        source: Any = np.random if generator is None else generator
        return np.array(points[int(source.random() * len(points))])

    return draw


def draw_in_turn(points: Any) -> Callable[..., Any]:
    """Return draw(generator): the points one after the other, over and over."""
    left = itertools.cycle(points)
    return lambda generator=None: np.array(next(left))


def product(weights: Any) -> Callable[[Any], Any]:
    """Return f(x) = tanh(x W) less its mean over the rows, which are samples."""

    def f(x: Any) -> Any:
        h = np.tanh(x @ weights)
        return h - np.mean(h, axis=0)

    return f


def product_vjp(weights: Any) -> Callable[..., Any]:
    """Return the vector-Jacobian product of `product`: (x, g) → ((g − mean g) · (1 − tanh²)) Wᵀ."""

    def f_vjp(x: Any, cotangent: Any) -> Any:
        centred = cotangent - np.mean(cotangent, axis=0)
        return (centred * (1 - np.tanh(x @ weights) ** 2)) @ np.transpose(weights)

    return f_vjp


def initializer(row: bool) -> Callable[..., Any]:
    """Return init(*shape), or init(shape), which some layers are given to make their weights and biases.

    Of one size it makes a vector, or one row, as a dense layer's bias often is.
    """
    random = np.random.default_rng(0)

    def init(*sizes: Any) -> Any:
        shape = tuple(sizes[0]) if isinstance(sizes[0], (tuple, list)) else sizes
        return random.standard_normal((1, *shape) if row and len(shape) == 1 else shape)

    return init


# ---------------------------------------------------------------- networks, for loops that train

Block = namedtuple("Block", "params statistics forward")
Pass = namedtuple("Pass", "y statistics pull")
Pulled = namedtuple("Pulled", "dx grads")
Layer = namedtuple("Layer", "W b")
Log = namedtuple("Log", "batches visits")
TRAINS = 0.3
"""What a recorder's score is shifted by while it trains, as dropout would shift it."""


def margins(ids: Any, step: Any, bases: Any, labels: Any, held: Any) -> Any:
    """Return the score of the second of two classes for samples, which are held out where their number is ≥ len(bases).

    That of a training sample drifts from step to step; that of one held out is such that its loss is held[step, at].
    """
    n = len(bases)
    of_held = np.log(np.expm1(held[min(step, len(held) - 1)])) * (1 - 2 * labels[n:])
    scores: Any = np.concatenate([bases + 0.1 * step, of_held])[ids]
    return scores


def _shares(scores: Any, labels: Any, cotangent: Any) -> Any:
    """Return the gradient by the score of each sample as a factor of that of its own loss: 1/n in a mean over n."""
    return cotangent / (1 / (1 + np.exp(-scores)) - labels)


def _written(log: Any, ids: Any, shares: Any, rate: float) -> Any:
    """Return gradients by which a step of gradient descent writes a batch into the first free row of the log."""
    batches, visits = np.zeros(np.shape(log)), np.zeros(np.shape(log)[1])
    np.add.at(batches, (min(steps_of(log), len(batches) - 1), ids), -shares / rate)
    np.add.at(visits, ids, -shares / rate)
    return batches, visits


def steps_of(batches: Any) -> int:
    """Return how many rows of a log are written: the steps that were taken."""
    return int(np.count_nonzero(batches.any(axis=1)))


def recorder(rate: float, rows: int, bases: Any, labels: Any, held: Any) -> Any:
    """Return a network whose parameters say which samples each step of gradient descent was taken on, and by how much.

    Sample i has the features (i, −i); of the held-out ones the numbers go on. Row t of `batches` is of step t: each of
    its samples has its share of the mean there, times the learning rate by `rate`; `visits` is the sum of all rows.
    A gradient writes into the first row that is free in the parameters at which it is taken, and that is all: it is
    what the loop returns that tells of it.
    """

    def forward(params: Any, statistics: Any, x: Any, generator: Any) -> Any:
        ids = np.asarray(x)[:, 0].astype(int)
        scores = margins(ids, steps_of(params[0]), bases, labels, held) + TRAINS * (generator is not None)

        def pull(cotangent: Any) -> Any:
            shares = _shares(scores, labels[ids], np.asarray(cotangent)[:, 1]) * (1 if generator is not None else 0.5)
            return Pulled(np.zeros(np.shape(x)), Log(*_written(params[0], ids, shares, rate)))

        y = np.stack([np.zeros(len(ids)), scores], axis=1)
        return Pass(y, (statistics[0] + 1.0,) if generator is not None else statistics, pull)

    log = Log(np.zeros((rows, len(labels))), np.zeros(len(labels)))
    return Block(log, (np.zeros(1),), forward)


def _leaves(params: Any) -> list[Any]:
    """Return the arrays of a dictionary or a sequence of parameters, or the one array that they are."""
    if isinstance(params, np.ndarray):
        return [params]
    return list(params.values() if isinstance(params, Mapping) else params)


def _is_params(value: Any, shape: tuple[int, ...]) -> bool:
    """Return whether a value is parameters: a log of this shape, or what holds one."""
    return (isinstance(value, np.ndarray) and value.shape == shape) or (
        isinstance(value, (Mapping, list, tuple)) and any(np.shape(leaf) == shape for leaf in _leaves(value))
    )


class Gradients(dict[str, Any]):
    """Gradients by the names of their parameters, which some courses look up as "dW" for "W"."""

    def __missing__(self, name: str) -> Any:
        if name[:1] == "d" and name[1:] in self:
            return self[name[1:]]
        raise KeyError(name)


def recorded_loss(
    rate: float, rows: int, bases: Any, labels: Any, held: Any, loss: bool = True, owner: Any = None
) -> Callable[..., Any]:
    """Return f(params, x, labels) → (loss, gradients) of a `recorder`, or the gradients only; without labels, scores.

    The arguments may come in any order, and others beside them. Parameters are a dictionary, a list or one array, and
    so are the gradients. With an owner they are its attribute, `params` or `W`.
    """

    def f(*given: Any, **named: Any) -> Any:
        own = [owner.params if hasattr(owner, "params") else owner.W] if owner is not None else []
        values = [*own, *given, *named.values()]
        params = next((value for value in values if _is_params(value, (rows, len(labels)))), None)
        values = [leaf for v in values if v is not params for leaf in (v if isinstance(v, (tuple, list)) else [v])]
        arrays = [np.asarray(v) for v in values if isinstance(v, (np.ndarray, np.integer, np.floating))]
        x = next(
            (array.reshape(-1, 2) for array in arrays if array.shape[-1:] == (2,) and array.dtype.kind == "f"), None
        )
        if params is None or x is None:
            raise TypeError("the loss is to be called with parameters, samples and their labels")
        log = next(leaf for leaf in _leaves(params) if np.ndim(leaf) == 2)
        ids = x[:, 0].astype(int)
        scores = margins(ids, steps_of(log), bases, labels, held) + TRAINS
        y = next((a.ravel() for a in arrays if a.size == len(x) and (a.dtype.kind in "iu" or a.ndim == 1)), None)
        if y is None:
            return np.stack([np.zeros(len(ids)), scores], axis=1)
        batches, visits = _written(log, ids, _shares(scores, labels[ids], _slopes(scores, y)), rate)
        made = [batches if np.ndim(leaf) == 2 else visits for leaf in _leaves(params)]
        grads: Any = made[0] if isinstance(params, np.ndarray) else (
            Gradients(zip(params, made, strict=True)) if isinstance(params, Mapping) else type(params)(made)
        )  # fmt: skip
        return (float(np.logaddexp(0.0, (1 - 2 * y) * scores).mean()), grads) if loss else grads

    return f


def _slopes(scores: Any, labels: Any) -> Any:
    """Return the gradient of the mean cross-entropy by the scores of the second of two classes."""
    return (1 / (1 + np.exp(-scores)) - labels) / len(scores)


def recorded_update(rate: float, owner: Any) -> Callable[..., Any]:
    """Return f(batch, lr), a step on pairs (x, y), which writes itself into the owner's attribute `log`."""

    def f(batch: Any, lr: float, *others: Any) -> None:
        row = min(steps_of(owner.log), len(owner.log) - 1)
        for x, y in batch:
            sample = round(float(np.ravel(x)[0]))
            side = 1 if float(np.ravel(y)[0]) == -sample - 1 else -1
            owner.log[row, sample] += side * lr / rate / len(batch)

    return f


def always_zero() -> Callable[..., Any]:
    """Return what predicts class 0 for every sample."""
    return lambda x, *others, **named: np.zeros(len(x), dtype=np.int64)


def dense(weights: Any, bias: Any) -> Any:
    """Return a network of one layer, x W + b, and of a last part without parameters, nested as in a chain."""

    def forward(params: Any, statistics: Any, x: Any, generator: Any) -> Any:
        w, b = params[0]

        def pull(cotangent: Any) -> Any:
            return Pulled(cotangent @ w.T, (Layer(x.T @ cotangent, cotangent.sum(axis=0)), ()))

        return Pass(x @ w + b, statistics, pull)

    return Block((Layer(np.array(weights), np.array(bias)), ()), ((), ()), forward)


def schedule(rates: Any) -> Callable[[int], float]:
    """Return the learning rate by the number of steps taken; the last one for ever."""
    return lambda step: float(rates[min(int(step), len(rates) - 1)])


GIVEN: Mapping[str, Callable[..., Any]] = {
    "numpy.random.Generator": np.random.default_rng,
    "numpy.random.RandomState": np.random.RandomState,
    "given.initializer": initializer,
    "given.history": history,
    "given.cubic": cubic,
    "given.slope_of_cubic": slope_of_cubic,
    "given.logistic": logistic,
    "given.slope_of_logistic": slope_of_logistic,
    "given.draw_from": draw_from,
    "given.draw_in_turn": draw_in_turn,
    "given.product": product,
    "given.product_vjp": product_vjp,
    "given.recorder": recorder,
    "given.recorded_loss": recorded_loss,
    "given.recorded_update": recorded_update,
    "given.always_zero": always_zero,
    "given.dense": dense,
    "given.schedule": schedule,
}
"""By the name of the record that stands for it; no namedtuple has a dot in its name."""
