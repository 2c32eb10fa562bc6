"""Trials on splits: every sample is in one part, the parts are of the sizes asked for, and chance decides which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from graders.harness.observations import Misshapen, Observation, every, exactly, share, tells
from graders.harness.trials import Setting, Trial, enough, indices, parts, sequence
from graders.preprocessing import misconceptions_splits as wrong
from reference import preprocessing as reference

Array = np.ndarray[Any, Any]
_PARTS = ("train", "validation", "test")


def _within(n: int, drawn: Array) -> Observation:
    return every(f"the indices are in 0..{n - 1}", (drawn >= 0) & (drawn < n))


def _counts(n: int, drawn: Array) -> Array:
    """Return how often each index below n is there."""
    return np.bincount(drawn[(drawn >= 0) & (drawn < n)], minlength=n)


# --- train_validation_test_split --------------------------------------------------------------------------------------
def splits(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether the parts hold every sample once, how large they are, and whether chance decides."""
    n = setting.arguments["n"]
    shares = {name: setting.arguments.get(name, 0.1) for name in _PARTS[1:]}
    made = [[indices(part, f"the {name} part") for name, part in zip(_PARTS, parts(draw, _PARTS), strict=True)]
            for draw in draws]  # fmt: skip
    yield _within(n, np.concatenate([part for split in made for part in split]))
    counts = np.array([[_counts(n, part) for part in split] for split in made])
    yield every("each sample is in one part", counts.sum(axis=1) == 1)
    yield every("no sample is in two parts", (counts > 0).sum(axis=1) <= 1)
    sizes = np.mean([[len(part) for part in split] for split in made], axis=0)
    wanted = [n - sum(round(s * n) for s in shares.values()), *(round(s * n) for s in shares.values())]
    for name, size, right in zip(_PARTS, sizes, wanted, strict=True):
        yield exactly(f"the size of the {name} part", size, right)
    yield tells("the share of training samples that follow in order", np.concatenate([np.diff(s[0]) > 0 for s in made]))
    if enough(setting, draws):
        for name, at in (("first", 0), ("last", n - 1)):
            for part in (1, 2):
                hits = counts[:, part, at] > 0
                yield share(f"how often the {name} sample is in the {_PARTS[part]} part", hits, wanted[part] / n)
        yield share("how often the first sample is in the training part", counts[:, 0, 0] > 0, wanted[0] / n)
        together = (counts[:, :, 0] * counts[:, :, 1] > 0).any(axis=1)
        chance = sum(size * (size - 1) for size in wanted) / (n * (n - 1))
        yield share("how often the first two samples are in one part", together, chance)


train_validation_test_split = Trial(
    reference.train_validation_test_split,
    settings=(
        Setting("a tenth and a fifth", {"n": 103, "validation": 0.1, "test": 0.2}, draws=150),
        Setting("sizes that are not whole", {"n": 57, "validation": 0.13, "test": 0.27}, draws=150),
        Setting("no validation", {"n": 45, "validation": 0.0, "test": 0.3}, draws=150),
        Setting("no validation, and a quarter", {"n": 64, "validation": 0.0, "test": 0.25}, draws=150),
        Setting("no test", {"n": 38, "validation": 0.4, "test": 0.0}, draws=150),
        Setting("many samples", {"n": 5003, "validation": 0.3, "test": 0.15}),
    ),
    observe=splits,
    misconceptions=(
        wrong.never_shuffles,
        wrong.shuffles_each_part_only,
        wrong.draws_with_replacement,
        wrong.draws_each_part_by_itself,
        wrong.validates_on_training_data,
        wrong.takes_validation_data_for_tests,
        wrong.swaps_validation_and_test,
        wrong.takes_the_test_share_of_the_rest,
        wrong.takes_the_validation_share_of_the_rest,
        wrong.loses_a_sample,
        wrong.loses_the_first_sample,
    ),
    conventions=(wrong.rounds_down, wrong.rounds_up, wrong.rounds_where_it_ends, wrong.rounds_the_ends),
    programs=(wrong.split_after_a_shuffle,),
)


# --- k_fold -----------------------------------------------------------------------------------------------------------
def folds(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether each sample is held out once and trained on in all other folds, and whether chance decides."""
    n, k = setting.arguments["n"], setting.arguments["k"]
    made = [_folds(draw, n) for draw in draws]
    number = [len(fold) for fold in made]
    yield exactly("the number of folds", float(np.mean(number)), k)
    yield _within(n, np.concatenate([part for fold in made for pair in fold for part in pair]))
    held = np.array([_counts(n, np.concatenate([held for _, held in fold])) for fold in made])
    yield every("each sample is held out once", held == 1)
    apart = [bool(np.intersect1d(train, held).size == 0) for fold in made for train, held in fold]
    yield every("no fold trains on what it holds out", apart)
    whole = [np.array_equal(np.sort(np.concatenate(pair)), np.arange(n)) for fold in made for pair in fold]
    yield every("each fold trains on all that it does not hold out", whole)
    sizes = np.array([[len(held) for _, held in fold] for fold in made if len(fold) == number[0]])
    yield every("the sizes of the folds differ by one at most", np.ptp(sizes, axis=1) <= 1)
    yield tells("the size of the last fold", sizes[:, -1])
    steps = np.concatenate([np.diff(held) for fold in made for _, held in fold])
    yield tells("the share of samples held out that follow the one before", steps == 1)
    if enough(setting, draws):
        first = np.array([_counts(n, fold[0][1])[[0, 1, n - 1]] > 0 for fold in made])
        # a fold of ⌊n/k⌋ or ⌈n/k⌉ samples holds any one sample so often
        size = sizes[0, 0]
        for name, column in (("first", 0), ("last", 2)):
            yield share(f"how often the {name} sample is in the first fold", first[:, column], size / n)
        together = np.array([any(_counts(n, held)[[0, 1]].all() for _, held in fold) for fold in made])
        pairs = float(np.sum(sizes[0] * (sizes[0] - 1))) / (n * (n - 1))
        yield share("how often the first two samples are in one fold", together, pairs)


def _folds(draw: Any, n: int) -> list[tuple[Array, Array]]:
    """Return folds as what is trained on and what is held out; parts alone are held out, the others trained on."""
    folds = sequence(draw, "the result")
    if not folds:
        raise Misshapen("the result holds no fold")
    if all(map(_is_row, folds)):
        rows = [indices(held, "a fold") for held in folds]
        return [(np.setdiff1d(np.arange(n), held), held) for held in rows]
    return [
        (indices(train, "a training part"), indices(held, "a validation part"))
        for train, held in (parts(fold, ("train", "validation"), "a fold") for fold in folds)
    ]


def _is_row(fold: Any) -> bool:
    """Return whether a fold is a row of numbers, and no pair of rows."""
    if isinstance(fold, np.ndarray):
        return fold.ndim == 1
    return isinstance(fold, (list, tuple)) and all(map(_is_number, fold))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) or (isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0)


k_fold = Trial(
    reference.k_fold,
    settings=(
        Setting("a remainder", {"n": 23, "k": 5}, draws=150),
        Setting("no remainder", {"n": 12, "k": 3}, draws=150),
        Setting("a large remainder", {"n": 19, "k": 4}, draws=150),
        Setting("two folds", {"n": 101, "k": 2}),
        Setting("one sample in each fold", {"n": 6, "k": 6}),
    ),
    observe=folds,
    misconceptions=(
        wrong.drops_the_remainder,
        wrong.never_holds_out_the_remainder,
        wrong.swaps_training_and_validation,
        wrong.draws_folds_with_replacement,
        wrong.shuffles_for_every_fold,
        wrong.trains_on_everything,
        wrong.leaves_one_fold_out,
        wrong.makes_one_fold_more,
        wrong.rounds_the_size_up,
        wrong.trains_on_what_comes_before,
        wrong.counts_from_one,
    ),
    conventions=(wrong.keeps_the_order, wrong.gives_the_remainder_to_the_last),
    programs=(wrong.deals_out_one_by_one, wrong.folds_by_a_mask),
)
