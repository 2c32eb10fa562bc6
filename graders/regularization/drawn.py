"""Trials on regularization: the mask of dropout, and when training is stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graders.harness.observations import Observation, by_themselves, every, exactly, share
from graders.harness.sandbox.codec import Record
from graders.harness.trials import Setting, Trial, array, parts
from graders.regularization import misconceptions_drawn as wrong
from reference import regularization as reference
from reference._types import Array

# --- dropout_mask -----------------------------------------------------------------------------------------------------
_X = np.random.default_rng(0).standard_normal((200, 150))
_FEW = np.random.default_rng(1).standard_normal(20)


def masks(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe which entries are dropped: how many, whether by themselves, and whether anew in every draw."""
    x, p = setting.arguments["x"], setting.arguments.get("p", 0.5)
    made = np.stack([array(draw, x.shape, "the mask") for draw in draws])
    dropped = made == 0
    alike = p**2 + (1 - p) ** 2
    kept = made[~dropped]
    noise = float(kept.std()) / max(kept.size, 1) ** 0.5 if kept.size else 0.0
    yield every("what is kept is 1", kept == 1)
    yield exactly("the mean of what is kept", float(kept.mean()) if kept.size else np.nan, 1.0, 1e-6, noise)
    yield share("the share of entries that are dropped", dropped, p)
    yield share("the share of entries that are dropped where x > 0", dropped[:, x > 0], p)
    yield from by_themselves("both dropped or both kept", np.moveaxis(dropped, 0, -1), alike)
    yield from _counted(dropped.reshape(len(draws), -1), p)


def _counted(dropped: Array, p: float) -> Iterator[Observation]:
    """Observe how often as many entries are dropped as are expected: not always, if each is dropped by itself."""
    n = dropped.shape[1]
    if n <= 64 and len(dropped) > 1:
        counts, most = dropped.sum(axis=1), round(n * p)
        chance = float(np.prod([(n - i) / (most - i) for i in range(most)]) * p**most * (1 - p) ** (n - most))
        yield share(f"the share of draws in which exactly {most} of {n} are dropped", counts == most, chance)


dropout_mask = Trial(
    reference.dropout_mask,
    settings=(
        Setting("a table", {"x": _X, "p": 0.3}, draws=2),
        Setting("images", {"x": _X.reshape(20, 3, 25, 20), "p": 0.8}, draws=2),
        Setting("float32", {"x": _X.astype(np.float32), "p": 0.5}),
        Setting("a few entries, often", {"x": _FEW, "p": 0.25}, draws=200),
    ),
    observe=masks,
    misconceptions=(
        wrong.drops_whole_samples,
        wrong.draws_one_mask_for_all_samples,
        wrong.drops_the_same_number_every_time,
        wrong.drops_half_whatever_p,
        wrong.compares_normal_numbers,
        wrong.returns_the_numbers_drawn,
        wrong.never_drops,
        wrong.scales_by_p,
        wrong.flips_the_sign,
        wrong.drops_the_smallest,
    ),
    conventions=(
        wrong.scales_the_mask,
        wrong.takes_p_for_the_probability_to_keep,
        wrong.takes_p_for_the_probability_to_keep_and_scales,
    ),
    programs=(wrong.mask_by_a_binomial_draw, wrong.mask_by_a_choice),
)


# --- early_stopping ---------------------------------------------------------------------------------------------------
def stops(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe where training is stopped, and which weights are kept; of an object that only says when, only that."""
    losses, patience = setting.arguments["history"].fields["losses"], setting.arguments["patience"]
    told = ((float(loss), epoch) for epoch, loss in enumerate(losses))
    truth = reference.early_stopping(told, patience=patience)
    if isinstance(draws[0], Mapping) and set(draws[0]) == {"epochs"}:
        yield exactly("the number of epochs trained", draws[0]["epochs"], truth.epochs)
        return
    epoch, loss, params, epochs = parts(draws[0], ("epoch", "loss", "params", "epochs"))
    kept = array(params, (2,), "what is kept of the parameters")
    yield exactly("the best epoch", float(array(epoch, (), "the best epoch")), truth.epoch)
    yield exactly("the best loss", float(array(loss, (), "the best loss")), truth.loss)
    yield exactly("the epoch that the kept parameters are of", float(kept[0]), truth.epoch)
    yield exactly("the number of epochs trained", float(array(epochs, (), "the number of epochs")), truth.epochs)


def _losses(why: str, losses: Sequence[float], patience: int, in_place: bool = True) -> Setting:
    """Return a setting with a history of these losses; NaN makes an extreme one."""
    record = Record("given.history", {"losses": np.array(losses), "size": 2, "in_place": in_place})
    return Setting(why, {"history": record, "patience": patience}, extreme=bool(np.isnan(losses).any()))


_NAN = float("nan")
early_stopping = Trial(
    reference.early_stopping,
    settings=(
        _losses("new arrays in every epoch", [0.9, 0.5, 0.7, 0.6, 0.8, 0.1, 0.05], 3, in_place=False),
        _losses("a best epoch in the middle", [0.9, 0.5, 0.7, 0.6, 0.8, 0.1, 0.05], 3),
        _losses("a plateau", [0.9, 0.4, 0.4, 0.4, 0.4, 0.4, 0.3], 3),
        _losses("NaN after the best", [0.9, 0.4, _NAN, 0.6, 0.5, 0.7, 0.3], 4),
        _losses("NaN at first", [_NAN, 0.9, 0.4, 0.6, 0.5, 0.7, 0.3], 3),
        _losses("a patience of one", [0.9, 0.5, 0.6, 0.1], 1),
        _losses("it never gets worse", [0.9, 0.8, 0.7, 0.65], 2),
        _losses("the history ends before the patience does", [0.9, 0.3, 0.5], 5),
        _losses("losses below zero", [-0.5, -0.7, -0.6, -0.65, -0.9], 2),
        _losses("small steps", [0.9, 0.89, 0.88, 0.87, 0.86, 0.88, 0.87, 0.9, 0.1], 2),
        _losses("a high, then two lows", [0.5, 0.9, 0.4, 0.6, 0.3, 0.4, 0.5, 0.35, 0.1], 3),
        _losses("losses above one", [7.0, 3.0, 4.0, 2.5, 2.75, 2.6, 2.0], 2),
    ),
    observe=stops,
    misconceptions=(
        wrong.never_stops_on_a_plateau,
        wrong.counts_nan_as_an_improvement,
        wrong.keeps_an_alias,
        wrong.waits_one_epoch_too_long,
        wrong.stops_one_epoch_too_early,
        wrong.keeps_the_last,
        wrong.never_resets_the_patience,
        wrong.compares_with_the_epoch_before,
        wrong.maximizes,
        wrong.never_stops,
        wrong.counts_epochs_from_one,
        wrong.begins_with_a_fixed_best,
    ),
    conventions=(wrong.stops_at_the_first_nan,),
    programs=(wrong.stops_by_the_distance_from_the_best,),
)
