"""Known mistakes in drawing masks and in stopping early; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from reference import regularization as reference
from reference._types import Array
from reference.regularization import EarlyStopping

Generator = np.random.Generator
History = Iterable[tuple[float, Any]]


# --- dropout_mask -----------------------------------------------------------------------------------------------------
def drops_whole_samples(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You drop a whole sample or nothing of it. Every entry is dropped by itself: draw as many numbers as x has."""
    rows = (generator.random(len(x)) >= p).astype(x.dtype)
    return np.broadcast_to(rows.reshape(-1, *[1] * (x.ndim - 1)), x.shape).copy()


def draws_one_mask_for_all_samples(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You draw one mask and use it for every sample of the batch. Draw as many numbers as x has, not as one row has."""
    row = (generator.random(x.shape[1:] or (1,)) >= p).astype(x.dtype)
    return np.broadcast_to(row, x.shape).copy()


def drops_the_same_number_every_time(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You drop the same number of entries in every draw. Each entry is dropped by itself, so the number varies."""
    mask = np.ones(x.size, x.dtype)
    mask[generator.permutation(x.size)[: round(p * x.size)]] = 0
    return mask.reshape(x.shape)


def drops_half_whatever_p(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You drop half of the entries, whatever p is. Compare the numbers that you draw with p."""
    return generator.integers(0, 2, x.shape).astype(x.dtype)


def compares_normal_numbers(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You compare normal numbers with p (randn). Only uniform numbers on [0, 1) are below p with probability p."""
    return (generator.standard_normal(x.shape) >= p).astype(x.dtype)


def returns_the_numbers_drawn(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You return the numbers that you drew. A mask is of zeros and ones: compare them with p."""
    return generator.random(x.shape).astype(x.dtype)


def never_drops(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You never drop an entry. Each is dropped with probability p."""
    return np.ones_like(x)


def scales_by_p(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You divide the mask by p, the share that is dropped. If the mask is to scale, divide by 1 - p, what is kept."""
    return reference.dropout_mask(x, generator, p=p) / np.asarray(p, x.dtype)


def flips_the_sign(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """Your mask is of -1 and 1. What is dropped must become 0, so a mask is of zeros and ones."""
    return 2 * reference.dropout_mask(x, generator, p=p) - 1


def drops_the_smallest(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """You drop the smallest entries of x. Which entries are dropped is left to chance and does not depend on x."""
    return (x >= np.quantile(x, p)).astype(x.dtype)


def scales_the_mask(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """The mask is 0 or 1 / (1 - p), so that it scales as well, as in CS231n."""
    return reference.dropout_mask(x, generator, p=p) / np.asarray(1 - p, x.dtype)


def takes_p_for_the_probability_to_keep(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """p is the probability to keep an entry, as in Srivastava et al. 2014."""
    return (generator.random(x.shape) < p).astype(x.dtype)


def takes_p_for_the_probability_to_keep_and_scales(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """p is the probability to keep an entry, and the mask is 0 or 1 / p, as in CS231n."""
    return (generator.random(x.shape) < p).astype(x.dtype) / np.asarray(p, x.dtype)


def mask_by_a_binomial_draw(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """One draw of a coin for every entry."""
    return generator.binomial(1, 1 - p, x.shape).astype(x.dtype)


def mask_by_a_choice(x: Array, generator: Generator, *, p: float = 0.5) -> Array:
    """A choice of 0 and 1 for every entry."""
    return generator.choice([0, 1], x.shape, p=[p, 1 - p]).astype(x.dtype)


# --- early_stopping ---------------------------------------------------------------------------------------------------
def _stopped(
    history: History,
    patience: int,
    *,
    better: Callable[[float, float], bool] = lambda loss, least: loss < least,
    stop: Callable[[int, int, float], bool] = lambda waited, patience, loss: waited >= patience,
    keep: Callable[[Any], Any] = copy.deepcopy,
    least: float = math.inf,
) -> EarlyStopping[Any]:
    """Stop early, with what counts as better, when to stop, what is kept, or the first best exchanged."""
    best = EarlyStopping(-1, least, np.full(2, -1.0), 0)
    epochs = 0
    for epoch, (loss, params) in enumerate(history):
        epochs = epoch + 1
        if better(loss, best.loss):
            best = EarlyStopping(epoch, loss, keep(params), epochs)
        elif stop(epoch - best.epoch, patience, loss):
            break
    return best._replace(epochs=epochs)


def never_stops_on_a_plateau(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You take an equal loss for a new low (<= for <), so that a plateau never stops. Only a lower loss is one."""
    return _stopped(history, patience, better=lambda loss, least: loss <= least)


def counts_nan_as_an_improvement(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You take NaN for a new low: `not loss >= best` is true of NaN. Ask `loss < best`, which is false of it."""
    return _stopped(history, patience, better=lambda loss, least: not loss >= least)


def keeps_an_alias(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You keep the parameters themselves, and training writes into them: your best are the last. Keep a copy."""
    return _stopped(history, patience, keep=lambda params: params)


def waits_one_epoch_too_long(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You stop one epoch too late (> for >=): after `patience` epochs without a new low no other is trained."""
    return _stopped(history, patience, stop=lambda waited, patience, loss: waited > patience)


def stops_one_epoch_too_early(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You stop one epoch too early. Count the epochs since the best, which is not one of them."""
    return _stopped(history, patience, stop=lambda waited, patience, loss: waited >= patience - 1)


def keeps_the_last(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You return the last parameters, not the best. Keep a copy of the parameters with every new low."""
    last: list[Any] = []

    def remembered() -> Iterator[tuple[float, Any]]:
        for loss, params in history:
            last[:] = [copy.deepcopy(params)]
            yield loss, params

    return _stopped(remembered(), patience)._replace(params=last[0])


def never_resets_the_patience(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You never start counting again at a new low: patience is for epochs in a row without one."""
    without = itertools.count(1)
    return _stopped(history, patience, stop=lambda waited, patience, loss: next(without) >= patience)


def compares_with_the_epoch_before(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You compare with the epoch before. A loss that falls again after a peak is no new low: compare with the best."""
    before = [math.inf]

    def fell(loss: float, least: float) -> bool:
        last, before[0] = before[0], loss
        return loss < last

    return _stopped(history, patience, better=fell)


def maximizes(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You keep the highest loss. What is best is lowest, unless it is an accuracy."""
    return _stopped(history, patience, better=lambda loss, least: loss > least, least=-math.inf)


def never_stops(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You read the history to its end. Stop after `patience` epochs without a new low."""
    return _stopped(history, patience, stop=lambda waited, patience, loss: False)


def counts_epochs_from_one(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You count the best epoch from one. The first epoch is epoch 0."""
    found = reference.early_stopping(history, patience=patience)
    return found._replace(epoch=found.epoch + 1)


def begins_with_a_fixed_best(history: History, *, patience: int) -> EarlyStopping[Any]:
    """You begin with a fixed number for the best loss. Begin with infinity, since a loss may be of any size."""
    return _stopped(history, patience, least=1.0)


def stops_at_the_first_nan(history: History, *, patience: int) -> EarlyStopping[Any]:
    """A loss that is NaN ends the training at once, as in PyTorch Lightning (check_finite)."""
    return _stopped(history, patience, stop=lambda waited, patience, loss: waited >= patience or math.isnan(loss))


def stops_by_the_distance_from_the_best(history: History, *, patience: int) -> EarlyStopping[Any]:
    """Stop when the epoch is as far from that of the best."""
    return _stopped(history, patience)
