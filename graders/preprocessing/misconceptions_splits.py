"""Known mistakes in splitting data; the docstring of each is what the student is told."""

from __future__ import annotations

import math

import numpy as np

from reference import preprocessing as reference
from reference._types import IntArray
from reference.preprocessing import Fold, Split

Generator = np.random.Generator


# --- train_validation_test_split --------------------------------------------------------------------------------------
def _cut(order: IntArray, n_validation: int, n_test: int) -> Split:
    return Split(order[n_validation + n_test :], order[:n_validation], order[n_validation : n_validation + n_test])


def never_shuffles(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """You do not shuffle. Data often come in order, so that a part would hold other classes than the others."""
    return _cut(np.arange(n), round(validation * n), round(test * n))


def shuffles_each_part_only(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """You split first and shuffle each part after. Shuffle first, so that the parts are of one kind."""
    return Split(*map(generator.permutation, _cut(np.arange(n), round(validation * n), round(test * n))))


def draws_with_replacement(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """You draw with replacement: some samples are in two parts, and others in none. Shuffle, and cut."""
    return _cut(generator.integers(0, n, n), round(validation * n), round(test * n))


def draws_each_part_by_itself(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """You shuffle anew for each part, so that they overlap. Shuffle once."""
    return Split(*(_cut(generator.permutation(n), round(validation * n), round(test * n))[i] for i in range(3)))


def validates_on_training_data(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """Your validation samples are training samples too: what is validated on must not be trained on."""
    train, held, tested = reference.train_validation_test_split(n, generator, validation=validation, test=test)
    return Split(np.concatenate([train, held]), held, tested)


def takes_validation_data_for_tests(
    n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1
) -> Split:
    """You cut both parts from the same place, so that test and validation samples are the same."""
    order, first, second = generator.permutation(n), round(validation * n), round(test * n)
    return Split(order[first + second :], order[:first], order[:second])


def swaps_validation_and_test(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """You exchanged validation and test: each has the other's share."""
    train, held, tested = reference.train_validation_test_split(n, generator, validation=validation, test=test)
    return Split(train, tested, held)


def takes_the_test_share_of_the_rest(
    n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1
) -> Split:
    """You take the test share of what is left after validation. Both are shares of all samples."""
    first = round(validation * n)
    return _cut(generator.permutation(n), first, round(test * (n - first)))


def takes_the_validation_share_of_the_rest(
    n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1
) -> Split:
    """You take the validation share of what is left after the test part. Both are shares of all samples."""
    second = round(test * n)
    return _cut(generator.permutation(n), round(validation * (n - second)), second)


def loses_a_sample(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """You lose a sample: a slice ends before its end, so write order[k:] for the rest."""
    train, held, tested = reference.train_validation_test_split(n, generator, validation=validation, test=test)
    return Split(train[:-1], held, tested)


def loses_the_first_sample(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """You count samples from one: sample 0 is in no part. Indices go from 0 to n - 1."""
    split = reference.train_validation_test_split(n, generator, validation=validation, test=test)
    return Split(*(part[part != 0] for part in split))


def rounds_down(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """The sizes are rounded down, int(share · n)."""
    return _cut(generator.permutation(n), int(validation * n), int(test * n))


def rounds_up(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """The sizes are rounded up, as in scikit-learn's train_test_split."""
    return _cut(generator.permutation(n), math.ceil(validation * n), math.ceil(test * n))


def rounds_where_it_ends(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """Training comes first, int((1 - validation - test) · n) of it, then validation; the test part is the rest."""
    order, first = generator.permutation(n), int((1 - validation - test) * n)
    second = first + int(validation * n)
    return Split(order[:first], order[first:second], order[second:])


def rounds_the_ends(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """The places of the cuts are rounded down, int(train · n) and int((train + validation) · n)."""
    order, first = generator.permutation(n), int((1 - validation - test) * n)
    second = int((1 - test) * n)
    return Split(order[:first], order[first:second], order[second:])


def split_after_a_shuffle(n: int, generator: Generator, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """Training first, out of indices that were shuffled in place."""
    order = np.arange(n)
    generator.shuffle(order)
    n_test = round(test * n)
    first = n - n_test - round(validation * n)
    return Split(order[:first], order[first : n - n_test], order[n - n_test :])


# --- k_fold -----------------------------------------------------------------------------------------------------------
def _folds(parts: list[IntArray]) -> tuple[Fold, ...]:
    return tuple(Fold(np.concatenate(parts[:i] + parts[i + 1 :]), part) for i, part in enumerate(parts))


def drops_the_remainder(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """You drop the samples that are left over where k does not divide n. Give some folds one more."""
    order, size = generator.permutation(n), n // k
    return _folds([order[i * size : (i + 1) * size] for i in range(k)])


def never_holds_out_the_remainder(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """What is left over where k does not divide n is trained on in every fold and held out in none."""
    order, size = generator.permutation(n), n // k
    parts = [order[i * size : (i + 1) * size] for i in range(k)]
    return tuple(Fold(np.setdiff1d(order, part), part) for part in parts)


def swaps_training_and_validation(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """You exchanged training and validation: you train on one part and validate on the k - 1 others."""
    return tuple(Fold(fold.validation, fold.train) for fold in reference.k_fold(n, generator, k=k))


def draws_folds_with_replacement(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """You draw indices with replacement: some are held out twice and others never. Shuffle, and cut."""
    return _folds(np.array_split(generator.integers(0, n, n), k))


def shuffles_for_every_fold(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """You shuffle anew for every fold, so that some samples are held out twice and others never. Shuffle once."""
    return tuple(reference.k_fold(n, generator, k=k)[i] for i in range(k))


def trains_on_everything(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """You train on all samples, those that are held out among them. Leave these out."""
    return tuple(Fold(np.arange(n), fold.validation) for fold in reference.k_fold(n, generator, k=k))


def leaves_one_fold_out(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """You return k - 1 folds. Each of the k parts is held out once."""
    return reference.k_fold(n, generator, k=k)[:-1]


def makes_one_fold_more(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """You make k + 1 folds: the rest must not become a fold of its own."""
    order, size = generator.permutation(n), n // k
    return _folds([order[start : start + size] for start in range(0, n, size)])


def rounds_the_size_up(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """You round the size of a fold up, so that the last one is much smaller. Sizes should differ by one at most."""
    order, size = generator.permutation(n), math.ceil(n / k)
    return _folds([order[i * size : (i + 1) * size] for i in range(k)])


def trains_on_what_comes_before(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """You train on the parts before the one that is held out only. Train on all others."""
    parts = np.array_split(generator.permutation(n), k)
    return tuple(Fold(np.concatenate([part[:0], *parts[:i]]), part) for i, part in enumerate(parts))


def counts_from_one(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """You count samples from one. Indices go from 0 to n - 1."""
    return tuple(Fold(fold.train + 1, fold.validation + 1) for fold in reference.k_fold(n, generator, k=k))


def keeps_the_order(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """The samples are not shuffled, as in scikit-learn's KFold by default."""
    return _folds(np.array_split(np.arange(n), k))


def gives_the_remainder_to_the_last(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """The last fold holds what is left over."""
    order, size = generator.permutation(n), n // k
    return _folds([order[i * size : (i + 1) * size if i < k - 1 else n] for i in range(k)])


def deals_out_one_by_one(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """Every k-th sample of the shuffled ones."""
    order = generator.permutation(n)
    return _folds([order[i::k] for i in range(k)])


def folds_by_a_mask(n: int, generator: Generator, *, k: int) -> tuple[Fold, ...]:
    """The number of a fold for every sample, shuffled."""
    number = generator.permutation(np.arange(n) % k)
    return tuple(Fold(np.flatnonzero(number != i), np.flatnonzero(number == i)) for i in range(k))
