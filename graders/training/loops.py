"""A trial on the loop that trains a network: what it is given writes down what each step was taken on."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from graders.harness.observations import Misshapen, Observation, entries, every, exactly, share, tells
from graders.harness.plans import WrongKind, said
from graders.harness.sandbox.codec import Record
from graders.harness.sandbox.given import TRAINS, margins, steps_of
from graders.harness.trials import Setting, Trial, array, built, parts
from graders.training import misconceptions_loops as wrong
from reference import training as reference
from reference._types import Array
from reference.regularization import early_stopping

_EXACT = 1e-9
_RATE = 0.5
_HELD = 3
_SHARES = np.array([0.5, 1.0, 1.5])  # of the validation loss, by sample: their mean is 1


# --- settings ---------------------------------------------------------------------------------------------------------
def _recorded(n: int, size: int, epochs: int, losses: Sequence[float], lr: Any = _RATE) -> dict[str, Any]:
    """Return a run on a network that records it, whose validation loss is losses[0] at first, then by the epoch."""
    steps = -(-n // size)
    ids = np.arange(n + _HELD, dtype=float)
    labels = np.random.default_rng(n).integers(0, 2, n + _HELD)
    labels[[0, n]], labels[[1, n + 1]] = 0, 1
    ends = np.interp(np.arange(3 * steps * epochs + 1) / steps, np.arange(len(losses)), losses)
    fields = {
        "rate": _RATE,
        "rows": 3 * steps * epochs,
        "bases": np.random.default_rng(n + 1).uniform(-1.5, 1.5, n),
        "labels": labels,
        "held": ends[:, None] * _SHARES,
    }
    x = np.stack([ids, -ids], axis=1)
    return {
        "network": Record("given.recorder", fields),
        "x": x[:n],
        "labels": labels[:n],
        "lr": lr,
        "epochs": epochs,
        "batch_size": size,
        "validation": (x[n:], labels[n:]),
    }


def _unwatched(n: int, size: int, epochs: int, lr: Any = _RATE) -> dict[str, Any]:
    """Return such a run without validation data."""
    made = _recorded(n, size, epochs, [1.0] * (epochs + 1), lr)
    return {name: value for name, value in made.items() if name != "validation"}


def _stopped(n: int, size: int, losses: Sequence[float], patience: int) -> dict[str, Any]:
    """Return such a run that may be stopped early; the first loss is that before any step."""
    return _recorded(n, size, len(losses) - 1, losses) | {"patience": patience}


def _plain(**more: Any) -> dict[str, Any]:
    """Return a run on one layer, in which nothing is left to chance: all samples are in one batch, and all are alike.

    Which samples are taken, with whose labels, is seen elsewhere.
    """
    random = np.random.default_rng(5)
    return {
        "network": Record("given.dense", {"weights": random.normal(size=(2, 3)), "bias": random.normal(size=3)}),
        "x": np.tile(random.normal(size=2), (5, 1)),
        "labels": np.full(5, 1),
        "lr": 0.4,
        "epochs": 4,
        "batch_size": 5,
        **more,
    }


def _alike(n: int) -> dict[str, Any]:
    """Return so many samples that are all the same."""
    return {"x": np.tile([0.7, -1.1], (n, 1)), "labels": np.full(n, 1)}


def _schedule(*rates: float) -> Record:
    return Record("given.schedule", {"rates": np.array(rates)})


def rates(setting: Setting) -> Array:
    """Return the learning rates of the steps of a setting, the last one for ever."""
    lr = setting.arguments["lr"]
    return np.asarray(lr.fields["rates"] if isinstance(lr, Record) else [lr])


def per_epoch(setting: Setting) -> int:
    """Return how many steps an epoch has."""
    return -(-len(setting.arguments["x"]) // int(setting.arguments["batch_size"]))


def losses_held(setting: Setting) -> Array:
    """Return the validation loss after each epoch, if that is all that there is to a run."""
    held = setting.arguments["network"].fields["held"].mean(axis=1)
    return held[per_epoch(setting) :: per_epoch(setting)][: setting.arguments["epochs"]]


# --- what comes back --------------------------------------------------------------------------------------------------
class _Seen(NamedTuple):
    """A run by what came back of it; None for what a loop of another form does not tell."""

    params: Any
    statistics: Any
    epoch: float | None
    losses: Array | None
    held: Array | None


def _seen(draw: Any) -> _Seen:
    if isinstance(draw, Mapping) and set(draw) == {"params"}:
        return _Seen(draw["params"], None, None, None, None)
    network, epoch, history = parts(draw, ("network", "epoch", "history"))
    fields = [network[name] for name in ("params", "statistics") if name in network] if isinstance(
        network, Mapping
    ) else list(network)[:2] if isinstance(network, (tuple, list)) else []  # fmt: skip
    if len(fields) < 2:
        raise WrongKind(f"the network is {said(network)}, expected one with params, statistics and forward")
    losses, held = _history(history)
    return _Seen(fields[0], fields[1], float(array(epoch, (), "the epoch")), losses, held)


def _history(history: Any) -> tuple[Array, Array | None]:
    """Return the losses by epoch, and those of the validation, of a history in any of its forms."""
    if isinstance(history, Mapping):
        columns = [value for name, value in history.items() if not str(name).startswith("epoch")]
    elif isinstance(history, (tuple, list)):
        rows = [list(row.values()) if isinstance(row, Mapping) else row for row in history]
        rows = [list(row) if isinstance(row, (tuple, list)) else [row] for row in rows]
        if len({len(row) for row in rows}) > 1:
            raise Misshapen("the epochs of the history hold different numbers of values")
        columns = [list(column) for column in zip(*rows, strict=True)]
    else:
        raise WrongKind(f"the history is {said(history)}, expected a sequence of epochs")
    if not columns:
        raise Misshapen("the history holds no losses")
    held = columns[1] if len(columns) > 1 else [None]
    told = not (isinstance(held, (tuple, list)) and any(one is None for one in held))
    return _row(columns[0], "the losses"), _row(held, "the validation losses") if told else None


def _row(column: Any, what: str) -> Array:
    """Return one number for each epoch."""
    made = array(list(column) if isinstance(column, tuple) else column, None, f"what the history holds for {what}")
    if made.ndim != 1:
        raise Misshapen(f"what the history holds for {what} has shape {made.shape}, expected one for each epoch")
    return made


# --- observations -----------------------------------------------------------------------------------------------------
def runs(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe what each step was taken on, which network is kept, and what is recorded.

    The loss of an epoch may be the mean over its batches, or over its samples, or be taken after it.
    """
    seen = [_seen(draw) for draw in draws]
    if setting.arguments["network"].name == "given.dense":
        yield from _against_the_reference(setting, seen[0])
        return
    steps, epochs = per_epoch(setting), setting.arguments["epochs"]
    kept, trained = epochs - 1, epochs
    if setting.arguments.get("patience") is not None:
        best = early_stopping(zip(losses_held(setting).tolist(), range(epochs), strict=True),
                              patience=setting.arguments["patience"])  # fmt: skip
        kept, trained = best.epoch, best.epochs
    logs = [_log(setting, one.params) for one in seen]
    taken = [steps_of(batches) for batches, _ in logs]
    yield exactly(
        "the number of steps behind the network that is kept", float(np.mean(taken)), (kept + 1) * steps, 0.0,
        float(np.std(taken)),
    )  # fmt: skip
    told = [float(array(parts(one.statistics, ("count",))[0], (1,), "the running statistics")[0])
            for one in seen if one.statistics is not None]  # fmt: skip
    if told:
        yield exactly("the passes behind the running statistics that are kept", float(np.mean(told)),
                      (kept + 1) * steps, 0.0, float(np.std(told)))  # fmt: skip
    told = [one.epoch for one in seen if one.epoch is not None]
    if told:
        yield exactly("the epoch that is kept", float(np.mean(told)), kept, 0.0, float(np.std(told)))
    yield from _steps(setting, logs)
    yield from _order(setting, [batches for batches, _ in logs])
    yield from _recorded_losses(setting, seen, logs, kept, trained)


def _log(setting: Setting, params: Any) -> tuple[Array, Array]:
    """Return what the parameters say: the samples of each step, as shares of the rate that it should have, and all."""
    fields = setting.arguments["network"].fields
    batches, visits = parts(params, ("batches", "visits"), "the parameters")
    shape = (fields["rows"], len(fields["labels"]))
    made = array(batches, shape, "the first array of parameters")
    return made, array(visits, shape[1:], "the second array of parameters")


def _steps(setting: Setting, logs: Sequence[tuple[Array, Array]]) -> Iterator[Observation]:
    """Observe what holds of every step, whichever samples it is taken on."""
    n, expected = len(setting.arguments["x"]), rates(setting)
    made = [batches[: steps_of(batches)] for batches, _ in logs]
    rows = np.concatenate(made)
    if not len(rows):
        raise Misshapen("the parameters are those at the start: no step was taken")
    yield every("all arrays of parameters are updated",
                [np.allclose(batches.sum(axis=0), visits, rtol=0, atol=1e-6) for batches, visits in logs])  # fmt: skip
    yield every("the validation data are not trained on", ~rows[:, n:].any(axis=1))
    yield every("a step goes down the loss of each sample of its batch", (rows >= 0).all(axis=1))
    totals = [batches.sum(axis=1) for batches in made]
    for at in range(min(len(expected), len(made[0]))) if len(expected) > 1 else ():
        seen = np.array([each[at] for each in totals if at < len(each)]) * _RATE
        yield exactly(f"the learning rate of step {at}", seen.mean(), expected[at], 1e-6, seen.std())
    if len(expected) == 1:
        seen = np.concatenate(totals)
        yield exactly("how large a step is, by what it should be", seen.mean(), 1.0, 1e-6, seen.std())


def _counts(batches: Array) -> Array:
    """Return how often each sample is in each batch: by its share, in units of the smallest.

    Of a batch that has every sample twice the mean is that of half of it, and so are the counts.
    """
    size = np.abs(batches)
    unit = np.where(size > 0, size, np.inf).min(axis=1, initial=np.inf, keepdims=True)
    return np.divide(size, unit, out=np.zeros_like(size), where=np.isfinite(unit))


def _order(setting: Setting, logs: Sequence[Array]) -> Iterator[Observation]:
    """Observe whether an epoch has each sample once, and whether chance decides the batches, anew in every epoch.

    The samples are so many that all batches of an epoch are samples in a row, or those of the epoch before, less than
    once in 10¹⁰ times. How many of some samples are in a batch is hypergeometric, for which Hoeffding's bound holds.
    """
    n, size = len(setting.arguments["x"]), setting.arguments["batch_size"]
    if n < _MANY:
        return
    made = [_counts(batches[: steps_of(batches), :n]) for batches in logs]
    steps = _steps_per_epoch(setting, made[0])
    epochs = [batches[at : at + steps] for batches in made for at in range(0, len(batches), steps)]
    visits = np.array([batches.sum(axis=0) for batches in epochs])
    yield every("each sample is trained on once an epoch", np.abs(visits - 1) <= 1e-6)
    yield every("no sample is trained on twice an epoch", visits <= 1 + 1e-6)
    if n % size == 0:  # else the samples are too few for each batch that is drawn with replacement to show it
        yield every("no sample is twice in a batch", np.concatenate(made) <= 1 + 1e-6)
    sizes = np.concatenate([batches[: n // size].sum(axis=1) for batches in epochs])
    yield exactly("the usual size of a batch", float(np.median(sizes)), size, 1e-6)
    last = np.array([batches[-1].sum() for batches in epochs])
    yield exactly("the size of the last batch", last.mean(), (n - 1) % size + 1, 1e-6, last.std())
    pairs = [(batches[:steps] != 0, batches[steps : 2 * steps] != 0) for batches in made]
    pairs = [(one, two) for one, two in pairs if len(one) == len(two) == steps]
    if not pairs:
        return
    yield every("not every batch is just samples in a row", [
        (np.array([np.ptp(np.flatnonzero(row)) for row in one if row.any()]) >= size).any() for one, _ in pairs
    ])  # fmt: skip
    yield every("not every batch of an epoch comes again in the next", [
        not all((two == row).all(axis=1).any() for row in one) for one, two in pairs
    ])  # fmt: skip
    whole = [epoch for epoch in epochs if len(epoch) == steps]
    yield share("how often the first sample is in the first batch", [epoch[0, 0] > 0 for epoch in whole], size / n)
    yield share("how often the last sample is in the last batch", [epoch[-1, -1] > 0 for epoch in whole],
                ((n - 1) % size + 1) / n)  # fmt: skip
    flags = np.concatenate([epoch[0, :size] for pair in pairs for epoch in pair])
    yield share("how many of the first samples are in the first batch", flags, size / n)
    spans = [[(at[0], at[-1]) for at in map(np.flatnonzero, epoch)] for epoch in whole if epoch.any(axis=1).all()]
    follows = [after[0] == before[1] + 1 for epoch in spans for before, after in itertools.pairwise(epoch)]
    yield tells("the share of batches that lie behind the one before", follows)
    again = np.concatenate([two[0][one[0]] for one, two in pairs])
    yield share("how many of the first batch are in the first of the next epoch", again, size / n)


def _steps_per_epoch(setting: Setting, batches: Array) -> int:
    """Return how many steps an epoch has had: fewer where the rest is always left out."""
    whole = max(len(setting.arguments["x"]) // setting.arguments["batch_size"], 1)
    return whole if len(batches) == whole * setting.arguments["epochs"] else per_epoch(setting)


_MANY = 20


_ANOTHER_RUN = 0.05
"""How far the loss of an epoch in another run is off from this one's, where it is of some samples only."""


def _recorded_losses(
    setting: Setting, seen: Sequence[_Seen], logs: Sequence[tuple[Array, Array]], kept: int, trained: int
) -> Iterator[Observation]:
    """Observe the history where there is one; losses of training are known up to the epoch that is kept."""
    told = [(one.losses, one.held, batches) for one, (batches, _) in zip(seen, logs, strict=True)
            if one.losses is not None]  # fmt: skip
    if not told:
        return
    lengths = [float(losses.size) for losses, _, _ in told]
    yield exactly("the number of epochs in the history", float(np.mean(lengths)), trained, 0.0, float(np.std(lengths)))
    ratios = []
    for losses, _, batches in told:
        steps = _steps_per_epoch(setting, batches[: steps_of(batches)])
        for epoch in range(min(kept + 1, len(losses), steps_of(batches) // steps)):
            allowed = _epoch_losses(setting, batches, epoch, steps)
            ratios.append(float(losses[epoch] / allowed[np.argmin(np.abs(allowed - losses[epoch]))]))
    if ratios:
        right = np.allclose(ratios, 1.0, rtol=0, atol=_EXACT)
        noise = 0.0 if right else max(float(np.std(ratios)), _ANOTHER_RUN)
        yield exactly("the loss of an epoch, by what it should be", float(np.mean(ratios)), 1.0, _EXACT, noise)
    if "validation" not in setting.arguments:
        return
    for epoch, truth in enumerate(losses_held(setting)[:trained]):
        values = [float(held[epoch]) for _, held, _ in told if held is not None and epoch < len(held)]
        if len(values) < len(told):
            raise Misshapen("the history lacks the validation loss of an epoch")
        yield exactly(f"the validation loss after epoch {epoch}", float(np.mean(values)), truth, _EXACT,
                      float(np.std(values)))  # fmt: skip


def _epoch_losses(setting: Setting, batches: Array, epoch: int, steps: int) -> Array:
    """Return what may be recorded as the loss of an epoch: the mean over batches, over samples, or taken after it."""
    fields, n = setting.arguments["network"].fields, len(setting.arguments["x"])
    ids = np.arange(n)
    side = 1 - 2 * fields["labels"][:n]

    def losses(step: int, shift: float) -> Array:
        scores = margins(ids, step, fields["bases"], fields["labels"], fields["held"])
        return np.logaddexp(0.0, side * (scores + shift))

    rows = range(epoch * steps, (epoch + 1) * steps)
    weights = _counts(batches[rows.start : rows.stop, :n])
    each = np.array([losses(step, TRAINS) for step in rows])
    trained = weights.any(axis=1)
    if not trained.any():
        return np.array([np.nan])
    means = (each * weights).sum(axis=1)[trained] / weights.sum(axis=1)[trained]
    return np.array([means.mean(), (each * weights).sum() / weights.sum(), losses(rows.stop, 0.0).mean()])


def _against_the_reference(setting: Setting, seen: _Seen) -> Iterator[Observation]:
    """Observe the parameters and the losses of a run that nothing is left to chance in."""
    given = {name: built(value) for name, value in setting.arguments.items()}
    truth = reference.fit(**given, generator=np.random.default_rng(0))
    layer = seen.params[0] if isinstance(seen.params, (tuple, list)) and len(seen.params) else seen.params
    for what, got, right in zip("Wb", parts(layer, ("W", "b"), "the layer"), truth.network.params[0], strict=True):
        yield from entries(f"{what}", array(got, right.shape, what), right, _EXACT)
    if seen.losses is None:
        return
    if seen.losses.shape != (len(truth.history),):
        raise Misshapen(f"the history has {seen.losses.size} losses, expected {len(truth.history)}")
    yield from entries("the loss of epoch ", seen.losses, [epoch.loss for epoch in truth.history], _EXACT)
    if "validation" in setting.arguments:
        held = np.array([epoch.validation_loss for epoch in truth.history])
        if seen.held is None or seen.held.shape != held.shape:
            raise Misshapen("the history lacks the validation loss of an epoch")
        yield from entries("the validation loss of epoch ", seen.held, held, _EXACT)


# --- fit --------------------------------------------------------------------------------------------------------------
fit = Trial(
    reference.fit,
    settings=(
        Setting("a rest of one", _unwatched(25, 6, 2), draws=2),
        Setting("many samples", _unwatched(48, 6, 3), draws=4),
        Setting("validation data, and no patience", _recorded(6, 2, 4, [1.1, 0.9, 0.4, 0.7, 0.6])),
        Setting("a best epoch in the middle", _stopped(6, 3, [1.1, 0.9, 0.5, 0.7, 0.6, 0.8, 0.1], 3)),
        Setting("a plateau", _stopped(4, 2, [1.1, 0.9, 0.4, 0.4, 0.4, 0.3, 0.2], 2)),
        Setting("the epochs end before the patience does", _stopped(4, 2, [0.6, 0.9, 0.5, 0.7], 5)),
        Setting("small steps down after a step up", _stopped(4, 2, [0.6, 0.5, 0.8, 0.7, 0.6, 0.4, 0.9], 2)),
        Setting("a schedule by the step", _unwatched(6, 2, 2, _schedule(0.5, 0.4, 0.7, 0.2, 0.3, 0.6)), optional=True),
        Setting("a rate that falls after an epoch", _unwatched(6, 2, 2, _schedule(*[0.5] * 3, *[0.4] * 3)),
                optional=True),
        Setting("plain steps", _plain()),
        Setting("a penalty", _plain(l2=0.15)),
        Setting("a penalty, and validation data", _plain(l2=0.2, validation=(np.array([[0.4, -1.3]]), np.array([2])))),
        Setting("momentum", _plain(optimizer="momentum", momentum=0.7)),
        Setting("Adam", _plain(optimizer="adam", lr=0.1, betas=(0.7, 0.5), eps=0.1)),
        Setting("Adam, three steps an epoch", _plain(optimizer="adam", lr=0.1, betas=(0.7, 0.5), eps=0.1, batch_size=2,
                                                     epochs=2, **_alike(6))),
    ),
    observe=runs,
    misconceptions=(
        wrong.never_shuffles_the_data,
        wrong.shuffles_before_the_first_epoch_only,
        wrong.shuffles_whole_batches,
        wrong.shuffles_samples_without_their_labels,
        wrong.leaves_out_a_whole_batch,
        wrong.takes_all_samples_for_a_batch,
        wrong.takes_the_first_batch_again_and_again,
        wrong.trains_on_the_validation_data,
        wrong.climbs_the_loss,
        wrong.takes_gradients_at_the_start_of_the_epoch,
        wrong.steps_once_an_epoch,
        wrong.sums_the_gradients_of_a_batch,
        wrong.divides_by_all_samples,
        wrong.updates_the_first_parameters_only,
        wrong.begins_every_epoch_anew,
        wrong.forgets_the_state_after_an_epoch,
        wrong.gives_the_schedule_the_epoch,
        wrong.counts_steps_of_the_schedule_from_one,
        wrong.never_changes_the_rate,
        wrong.lowers_the_rate_after_every_step,
        wrong.leaves_the_penalty_out_of_the_gradient,
        wrong.shrinks_the_biases_too,
        wrong.halves_the_gradient_of_the_penalty,
        wrong.trains_in_evaluation_mode,
        wrong.forgets_the_running_statistics,
        wrong.trains_one_epoch_too_few,
        wrong.trains_one_epoch_too_many,
        wrong.records_the_loss_of_the_last_batch,
        wrong.adds_up_the_losses,
        wrong.records_the_loss_without_its_penalty,
        wrong.adds_the_penalty_to_the_validation_loss,
        wrong.validates_in_training_mode,
        wrong.validates_before_the_epoch,
        wrong.keeps_an_alias_of_the_best,
        wrong.returns_the_last_weights,
        wrong.watches_the_training_loss,
        wrong.takes_a_plateau_for_progress,
        wrong.compares_the_loss_with_the_epoch_before,
        wrong.stops_an_epoch_too_late,
        wrong.stops_an_epoch_too_early,
        wrong.never_stops_early,
        wrong.counts_the_epochs_from_one,
    ),
    conventions=(
        wrong.leaves_out_the_rest,
        wrong.draws_samples_with_replacement,
        wrong.draws_a_subset_for_each_batch,
        wrong.keeps_the_best_without_a_patience,
    ),
    programs=(wrong.fit_in_place, wrong.fit_by_a_shuffled_list, wrong.fit_by_drawing_without_replacement),
)  # fmt: skip
