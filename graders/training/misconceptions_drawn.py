"""Known mistakes in cutting an epoch into batches; the docstring of each is what the student is told."""

from __future__ import annotations

import numpy as np

from reference import training as reference
from reference._types import IntArray

Generator = np.random.Generator
Batches = tuple[IntArray, ...]


def _cut(order: IntArray, batch_size: int) -> Batches:
    return tuple(order[start : start + batch_size] for start in range(0, len(order), batch_size))


def never_shuffles(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """You do not shuffle: every epoch has the same batches. Shuffle the samples first."""
    return _cut(np.arange(n), batch_size)


def shuffles_the_batches_only(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """You shuffle the batches, but the same samples stay together in every epoch. Shuffle the samples first."""
    made = _cut(np.arange(n), batch_size)
    return tuple(made[i] for i in generator.permutation(len(made)))


def shuffles_inside_the_batches_only(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """You shuffle inside each batch only, so that the same samples stay together. Shuffle the samples first."""
    return tuple(generator.permutation(batch) for batch in _cut(np.arange(n), batch_size))


def draws_with_replacement(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """You draw each batch at random, so that some samples come twice in an epoch and others never. Shuffle, and cut."""
    return _cut(generator.integers(0, n, n), batch_size)


def draws_each_batch_by_itself(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """You draw or shuffle anew for each batch, so that over an epoch some samples come twice. Shuffle once an epoch."""
    return tuple(generator.permutation(n)[: len(batch)] for batch in _cut(np.arange(n), batch_size))


def makes_one_batch_too_few(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """You leave the last batch out, though it may be whole. There are ⌈n / batch_size⌉."""
    return _cut(generator.permutation(n), batch_size)[:-1]


def makes_so_many_batches(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """You make batch_size batches. It is how many samples a batch has."""
    return tuple(np.array_split(generator.permutation(n), batch_size))


def adds_an_empty_batch(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """You add a batch for the rest though there is none: its mean would be NaN. There are ⌈n / batch_size⌉ batches."""
    order = generator.permutation(n)
    return (*_cut(order, batch_size), order[:0]) if n % batch_size == 0 else _cut(order, batch_size)


def makes_batches_one_too_small(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """Your batches are one too small, and samples are lost: a slice ends before its end."""
    return tuple(batch[:-1] for batch in _cut(generator.permutation(n), batch_size))


def fills_the_last_batch_up(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """You fill the last batch up with samples that came before. It is the rest, and may be smaller."""
    order = generator.permutation(n)
    missing = -n % batch_size
    return _cut(np.concatenate([order, order[:missing]]), batch_size)


def spreads_the_rest(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """You make all batches alike in size. All but the last have batch_size samples."""
    return tuple(np.array_split(generator.permutation(n), -(-n // batch_size)))


def drops_the_rest(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """A last batch that is not whole is left out, as in PyTorch's DataLoader with drop_last=True."""
    return tuple(
        batch for batch in reference.minibatches(n, generator, batch_size=batch_size) if len(batch) == batch_size
    )


def batches_by_a_split(n: int, generator: Generator, *, batch_size: int) -> Batches:
    """Shuffled in place, and split at the multiples."""
    order = np.arange(n)
    generator.shuffle(order)
    return tuple(np.split(order, range(batch_size, n, batch_size)))
