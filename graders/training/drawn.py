"""Trials on training: an epoch has each sample once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from graders.harness.observations import Misshapen, Observation, every, exactly, share, tells
from graders.harness.trials import Setting, Trial, enough, indices, sequence
from graders.training import misconceptions_drawn as wrong
from reference import training as reference


# --- minibatches ------------------------------------------------------------------------------------------------------
def epochs(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether an epoch has each sample once, in batches of this size, and whether chance decides which."""
    n, size = setting.arguments["n"], setting.arguments["batch_size"]
    made = [[indices(batch, "a batch") for batch in sequence(draw, "the result")] for draw in draws]
    if not all(made):
        raise Misshapen("there is no batch")
    drawn = np.concatenate([batch for epoch in made for batch in epoch])
    yield every(f"the samples are in 0..{n - 1}", (drawn >= 0) & (drawn < n))
    counts = np.array([np.bincount(b[(b >= 0) & (b < n)], minlength=n) for b in map(np.concatenate, made)])
    yield every("each sample is in one batch", counts == 1)
    yield every("no sample is in two batches", counts <= 1)
    yield exactly("the number of batches", float(np.mean([len(epoch) for epoch in made])), -(-n // size))
    yield every(
        "each batch but the last has batch_size samples", [len(b) == size for e in made for b in e[:-1]] or [True]
    )
    last = [float(len(epoch[-1])) for epoch in made]
    yield exactly("the size of the last batch", float(np.mean(last)), (n - 1) % size + 1, 0.0, float(np.std(last)))
    yield tells("the share of samples that follow in order", np.concatenate([np.diff(epoch[0]) > 0 for epoch in made]))
    if enough(setting, draws) and size < n:
        first = np.array([[0 in epoch[0], 1 in epoch[0], n - 1 in epoch[0]] for epoch in made])
        both = size * (size - 1) / (n * (n - 1))
        yield share("how often the first sample is in the first batch", first[:, 0], size / n)
        yield share("how often the last sample is in the first batch", first[:, 2], size / n)
        yield share("how often the first two samples are in the first batch", first[:, 0] & first[:, 1], both)
        together = [any(0 in batch and 1 in batch for batch in epoch) for epoch in made]
        rest = n % size
        pairs = n // size * size * (size - 1) + rest * (rest - 1)
        yield share("how often the first two samples are in one batch", together, pairs / (n * (n - 1)))


minibatches = Trial(
    reference.minibatches,
    settings=(
        Setting("a rest", {"n": 11, "batch_size": 4}, draws=150),
        Setting("no rest", {"n": 12, "batch_size": 3}, draws=150),
        Setting("one batch", {"n": 5, "batch_size": 8}, draws=150),
        Setting("a rest of one", {"n": 9, "batch_size": 2}, draws=150),
        Setting("single samples", {"n": 4, "batch_size": 1}, draws=150),
        Setting("many samples", {"n": 1003, "batch_size": 100}),
    ),
    observe=epochs,
    misconceptions=(
        wrong.never_shuffles,
        wrong.shuffles_the_batches_only,
        wrong.shuffles_inside_the_batches_only,
        wrong.draws_with_replacement,
        wrong.draws_each_batch_by_itself,
        wrong.makes_one_batch_too_few,
        wrong.makes_so_many_batches,
        wrong.adds_an_empty_batch,
        wrong.makes_batches_one_too_small,
        wrong.fills_the_last_batch_up,
        wrong.spreads_the_rest,
    ),
    conventions=(wrong.drops_the_rest,),
    programs=(wrong.batches_by_a_split,),
)
