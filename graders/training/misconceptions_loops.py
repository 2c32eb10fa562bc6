"""Known mistakes in loops that train a network; the docstring of each is what the student is told."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from reference import training as reference
from reference._types import Array, IntArray
from reference.blocks import Block
from reference.training import Epoch, Fitted

Generator = np.random.Generator
Batches = Sequence[IntArray]
Function = Callable[..., Any]


# --- the loop, and its parts, one of which a mistake replaces ---------------------------------------------------------
@dataclass(frozen=True)
class Run:
    """What a loop is given, but for its habits."""

    network: Block
    x: Array
    labels: IntArray
    generator: Generator
    lr: Any
    epochs: int
    batch_size: int = 32
    optimizer: str = "sgd"
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    l2: float = 0.0
    validation: tuple[Array, IntArray] | None = None
    patience: int | None = None


def _cut(order: IntArray, size: int) -> list[IntArray]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def _shuffled(run: Run) -> Callable[[int], Batches]:
    return lambda epoch: _cut(run.generator.permutation(len(run.x)), run.batch_size)


def _rate(run: Run, step: int, epoch: int) -> float:
    return run.lr(step) if callable(run.lr) else run.lr


def _softmax(y: Array) -> Array:
    odds = np.exp(y - y.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _loss(y: Array, labels: IntArray) -> float:
    return -float(np.log(_softmax(y)[np.arange(len(y)), labels]).mean())


def _slope(run: Run, y: Array, labels: IntArray) -> Array:
    return (_softmax(y) - np.eye(y.shape[1])[labels]) / len(y)


def _squares(weights: Sequence[Array]) -> float:
    return sum(float(np.sum(w**2)) for w in weights if w.ndim > 1)


def _penalized(w: Array) -> bool:
    return w.ndim > 1


def _improves(loss: float, best: float, before: float) -> bool:
    return loss < best


@dataclass(frozen=True)
class Habits:
    """How a loop goes about it: as `reference.fit` does, unless a mistake says otherwise."""

    batches: Callable[[Run], Callable[[int], Batches]] = _shuffled
    label_of: Callable[[Run, IntArray], IntArray] = lambda run, batch: batch
    slope: Callable[[Run, Array, IntArray], Array] = _slope
    rate: Callable[[Run, int, int], float] = _rate
    at: str = "now"
    """The parameters at which gradients are taken: "now", or at the start of the "epoch"."""
    fresh: str = "run"
    """When the optimizer begins anew: with the "run", the "epoch" or the "step"; "params" begins with those too."""
    moves: Callable[[int, int], bool] = lambda batch, batches: True
    """Whether a step is taken after this batch of so many."""
    only_first: bool = False
    sign: float = 1.0
    penalized: Callable[[Array], bool] = _penalized
    penalty: float = 1.0
    recorded: float = 1.0
    """How much of the penalty is recorded with the loss."""
    validated: float = 0.0
    """How much of the penalty is added to the validation loss."""
    trains: bool = True
    """Whether the network is told that it is trained."""
    carries: bool = True
    """Whether the running statistics are carried on."""
    summed: Callable[[Sequence[float]], float] = lambda losses: math.fsum(losses) / len(losses)
    evaluates_with: bool = False
    """Whether the network is told that it is trained when it is evaluated."""
    evaluates_before: bool = False
    trains_on_validation: bool = False
    watched: str = "validation"
    improves: Callable[[float, float, float], bool] = _improves
    waits: int = 0
    stops: bool = True
    keeps: str = "best"
    """What is kept where there is a patience: the "best", an "alias", or the "last"."""
    always: bool = False
    """Whether the best is kept without a patience too."""
    counts_from: int = 0
    more: int = 0


def _loop(run: Run, habits: Habits) -> Fitted:
    """Train as `reference.fit` does, with these habits; its arrays are written to in place."""
    held = run.validation
    x = np.concatenate([run.x, held[0]]) if held and habits.trains_on_validation else run.x
    labels = np.concatenate([run.labels, held[1]]) if held and habits.trains_on_validation else run.labels
    run = Run(**{**vars(run), "x": x, "labels": labels})
    start = [w.copy() for w in reference._leaves(run.network.params)]
    weights, statistics = [w.copy() for w in start], run.network.statistics
    fresh, step = reference._stepper(run.optimizer, momentum=run.momentum, betas=run.betas, eps=run.eps)
    states = [fresh(w) for w in weights]
    batches_of = habits.batches(run)
    history: list[Epoch] = []
    best, since, taken, kept, before = math.inf, 0, 0, (0, weights, statistics), math.inf

    def evaluated() -> float | None:
        if held is None:
            return None
        generator = run.generator if habits.evaluates_with else None
        params = reference._rebuilt(run.network.params, weights)
        more = habits.validated * run.l2 * _squares(weights)
        return _loss(run.network.forward(params, statistics, held[0], generator).y, held[1]) + more

    for epoch in range(run.epochs + habits.more):
        known = evaluated() if habits.evaluates_before else None
        if habits.fresh == "params":
            weights = [w.copy() for w in start]
        if habits.fresh != "run":
            states = [fresh(w) for w in weights]
        at_start = [w.copy() for w in weights]
        made = batches_of(epoch)
        losses = []
        for number, batch in enumerate(made):
            at = at_start if habits.at == "epoch" else weights
            params = reference._rebuilt(run.network.params, at)
            passed = run.network.forward(params, statistics, x[batch], run.generator if habits.trains else None)
            theirs = labels[habits.label_of(run, batch)]
            grads = reference._leaves(passed.pull(habits.slope(run, passed.y, theirs)).grads)
            loss = _loss(passed.y, theirs)
            if run.l2:
                loss += habits.recorded * run.l2 * _squares(at)
                more = 2 * run.l2 * habits.penalty
                grads = [g + more * w if habits.penalized(w) else g for g, w in zip(grads, at, strict=True)]
            losses.append(loss)
            statistics = passed.statistics if habits.carries else statistics
            if not habits.moves(number, len(made)):
                continue
            if habits.fresh == "step":
                states = [fresh(w) for w in weights]
            rate = habits.rate(run, taken, epoch)
            for i, (w, g) in enumerate(zip(weights, grads, strict=True)):
                if run.optimizer == "sgd":
                    w -= rate * habits.sign * g * (not (habits.only_first and i))
                elif not (habits.only_first and i):
                    w[...], states[i] = step(w, habits.sign * g, states[i], rate)
            taken += 1
        known = known if habits.evaluates_before else evaluated()
        history.append(Epoch(habits.summed(losses), known))
        if known is None or (run.patience is None and not habits.always):
            kept = (epoch, weights, statistics)
            continue
        value = history[-1].loss if habits.watched == "training" else known
        if habits.improves(value, best, before):
            best, since = value, 0
            held_on = weights if habits.keeps == "alias" else [w.copy() for w in weights]
            kept = (epoch, held_on, statistics)
        else:
            since += 1
        before = value
        if habits.keeps == "last":
            kept = (epoch, weights, statistics)
        if run.patience is not None and habits.stops and since == run.patience + habits.waits:
            break
    epoch, weights, statistics = kept
    network = Block(reference._rebuilt(run.network.params, weights), statistics, run.network.forward)
    return Fitted(network, epoch + habits.counts_from, tuple(history))


def _fits(habits: Habits) -> Callable[[Function], Function]:
    """Return what makes a function that has a docstring only the loop with these habits."""

    def made(named: Function) -> Function:
        def fit(network: Block, x: Array, labels: IntArray, generator: Generator, **given: Any) -> Fitted:
            return _loop(Run(network, x, labels, generator, **given), habits)

        fit.__name__, fit.__doc__ = named.__name__, named.__doc__
        fit.__qualname__, fit.__module__ = named.__name__, named.__module__
        return with_signature_of(reference.fit, fit)

    return made


# --- batches ----------------------------------------------------------------------------------------------------------
def _in_order(run: Run) -> Callable[[int], Batches]:
    return lambda epoch: _cut(np.arange(len(run.x)), run.batch_size)


def _once(run: Run) -> Callable[[int], Batches]:
    order = run.generator.permutation(len(run.x))
    return lambda epoch: _cut(order, run.batch_size)


def _batches_shuffled(run: Run) -> Callable[[int], Batches]:
    made = _cut(np.arange(len(run.x)), run.batch_size)
    return lambda epoch: [made[i] for i in run.generator.permutation(len(made))]


def _short_of_one(run: Run) -> Callable[[int], Batches]:
    return lambda epoch: _shuffled(run)(epoch)[: max(len(run.x) // run.batch_size - 1, 1)]


def _everything(run: Run) -> Callable[[int], Batches]:
    return lambda epoch: [run.generator.permutation(len(run.x)) for _ in _shuffled(run)(epoch)]


def _same_batch(run: Run) -> Callable[[int], Batches]:
    return lambda epoch: [made[0] for made in [_shuffled(run)(epoch)] for _ in made]


def _whole_ones(run: Run) -> Callable[[int], Batches]:
    size = min(run.batch_size, len(run.x))
    return lambda epoch: [batch for batch in _shuffled(run)(epoch) if len(batch) == size]


def _with_replacement(run: Run) -> Callable[[int], Batches]:
    size, n = run.batch_size, len(run.x)
    return lambda epoch: [run.generator.choice(n, min(size, n)) for _ in range(-(-n // size))]


def _each_by_itself(run: Run) -> Callable[[int], Batches]:
    size, n = run.batch_size, len(run.x)
    return lambda epoch: [run.generator.permutation(n)[:size] for _ in range(-(-n // size))]


@_fits(Habits(batches=_in_order))
def never_shuffles_the_data() -> None:
    """You never shuffle: every epoch has the same batches in the same order. Shuffle the samples before each epoch."""


@_fits(Habits(batches=_once))
def shuffles_before_the_first_epoch_only() -> None:
    """You shuffle once, before the first epoch, so that all epochs have the same batches. Shuffle before each epoch."""


@_fits(Habits(batches=_batches_shuffled))
def shuffles_whole_batches() -> None:
    """You shuffle the batches, but the same samples stay together in every epoch. Shuffle the samples."""


@_fits(Habits(label_of=lambda run, batch: run.generator.permutation(len(run.x))[: len(batch)]))
def shuffles_samples_without_their_labels() -> None:
    """Your labels are not those of the samples beside them. Take both by the same indices."""


@_fits(Habits(batches=_short_of_one))
def leaves_out_a_whole_batch() -> None:
    """You leave out the last batch of every epoch though it is whole: those samples are not trained on."""


@_fits(Habits(batches=_everything))
def takes_all_samples_for_a_batch() -> None:
    """Every step is taken on all samples. Take the gradient of the batch only."""


@_fits(Habits(batches=_same_batch))
def takes_the_first_batch_again_and_again() -> None:
    """All steps of an epoch are taken on its first batch. Go on to the next one after every step."""


@_fits(Habits(trains_on_validation=True))
def trains_on_the_validation_data() -> None:
    """You train on the validation data too, so that they no longer tell how the network does on data it never saw."""


@_fits(Habits(batches=_whole_ones))
def leaves_out_the_rest() -> None:
    """A last batch that is not whole is left out, as in PyTorch's DataLoader with drop_last=True."""


@_fits(Habits(batches=_with_replacement))
def draws_samples_with_replacement() -> None:
    """Every batch is drawn by itself, with replacement, as in CS231n's `train`: stochastic, but without epochs."""


@_fits(Habits(batches=_each_by_itself))
def draws_a_subset_for_each_batch() -> None:
    """Every batch is drawn by itself, as a subset of all samples: stochastic, but without epochs."""


# --- steps ------------------------------------------------------------------------------------------------------------
@_fits(Habits(sign=-1.0))
def climbs_the_loss() -> None:
    """You add the gradient, and climb. Subtract it."""


@_fits(Habits(at="epoch"))
def takes_gradients_at_the_start_of_the_epoch() -> None:
    """You take all gradients of an epoch at the parameters with which it began. Take each at those of that moment."""


@_fits(Habits(moves=lambda batch, batches: batch == batches - 1))
def steps_once_an_epoch() -> None:
    """You take one step an epoch, by the gradient of its last batch. Take one after every batch."""


@_fits(Habits(slope=lambda run, y, k: len(y) * _slope(run, y, k)))
def sums_the_gradients_of_a_batch() -> None:
    """Your gradient is the sum over the batch, so that a larger one makes larger steps. Take the mean."""


@_fits(Habits(slope=lambda run, y, k: len(y) / len(run.x) * _slope(run, y, k)))
def divides_by_all_samples() -> None:
    """You divide the gradient of a batch by the number of all samples. Divide by the size of the batch."""


@_fits(Habits(only_first=True))
def updates_the_first_parameters_only() -> None:
    """You update the first array of parameters only. All of them are trained."""


@_fits(Habits(fresh="params"))
def begins_every_epoch_anew() -> None:
    """You begin every epoch with the first parameters. Go on with those that the epoch before has made."""


@_fits(Habits(fresh="epoch"))
def forgets_the_state_after_an_epoch() -> None:
    """You make the optimizer's state anew in every epoch. Make it once, before the first."""


@_fits(Habits(fresh="step"))
def forgets_the_state_after_a_step() -> None:
    """You make the optimizer's state anew in every step, so that it remembers nothing. Make it once."""


@_fits(Habits(rate=lambda run, step, epoch: _rate(run, epoch, epoch)))
def gives_the_schedule_the_epoch() -> None:
    """You ask the schedule by the epoch. It is a function of the steps taken so far."""


@_fits(Habits(rate=lambda run, step, epoch: _rate(run, step + 1, epoch)))
def counts_steps_of_the_schedule_from_one() -> None:
    """You ask the schedule for the first step by 1. Steps are counted from zero."""


@_fits(Habits(rate=lambda run, step, epoch: _rate(run, 0, epoch)))
def never_changes_the_rate() -> None:
    """You use the first learning rate in all steps. Ask the schedule before every step."""


def _by_the_step(run: Run, step: int, epoch: int) -> float:
    steps = -(-len(run.x) // run.batch_size)
    return _rate(run, 0, 0) * (_rate(run, steps, 1) / _rate(run, 0, 0)) ** step


@_fits(Habits(rate=_by_the_step))
def lowers_the_rate_after_every_step() -> None:
    """You lower the learning rate after every step, by as much as is meant for an epoch. Do so once an epoch."""


@_fits(Habits(penalty=0.0))
def leaves_the_penalty_out_of_the_gradient() -> None:
    """You add the penalty to the loss, and not to the gradient: nothing holds the weights back."""


@_fits(Habits(penalized=lambda w: True))
def shrinks_the_biases_too() -> None:
    """You penalise the biases. Only arrays of two axes or more are."""


@_fits(Habits(penalty=0.5))
def halves_the_gradient_of_the_penalty() -> None:
    """Your loss has l2 · Σ w², and your gradient l2 · w. It is 2 · l2 · w."""


@_fits(Habits(trains=False))
def trains_in_evaluation_mode() -> None:
    """You train the network as if it were in use, without dropout. Give it the generator."""


@_fits(Habits(carries=False))
def forgets_the_running_statistics() -> None:
    """You do not carry the running statistics on: return the network with those that the last pass has made."""


@_fits(Habits(more=-1))
def trains_one_epoch_too_few() -> None:
    """You train one epoch too few."""


@_fits(Habits(more=1))
def trains_one_epoch_too_many() -> None:
    """You train one epoch too many."""


# --- what is recorded and kept ----------------------------------------------------------------------------------------
@_fits(Habits(summed=lambda losses: losses[-1]))
def records_the_loss_of_the_last_batch() -> None:
    """The loss of an epoch that you record is that of its last batch. Take the mean over all."""


@_fits(Habits(summed=math.fsum))
def adds_up_the_losses() -> None:
    """The loss of an epoch that you record is a sum, so that smaller batches make it larger. Take the mean."""


@_fits(Habits(recorded=0.0))
def records_the_loss_without_its_penalty() -> None:
    """The loss of an epoch that you record lacks the penalty, which is a part of what you lower."""


@_fits(Habits(validated=1.0))
def adds_the_penalty_to_the_validation_loss() -> None:
    """You add the penalty to the validation loss. It tells how the network does on these data, and that alone."""


@_fits(Habits(evaluates_with=True))
def validates_in_training_mode() -> None:
    """You take the validation loss as if you were training, with dropout. Give the network no generator."""


@_fits(Habits(evaluates_before=True))
def validates_before_the_epoch() -> None:
    """You take the validation loss before the epoch's steps. Take it after them."""


@_fits(Habits(keeps="alias"))
def keeps_an_alias_of_the_best() -> None:
    """What you keep as the best weights is trained on, and ends as the last. Keep a copy."""


@_fits(Habits(keeps="last"))
def returns_the_last_weights() -> None:
    """You stop early, and return the last weights. Return the best."""


@_fits(Habits(watched="training"))
def watches_the_training_loss() -> None:
    """You stop by the training loss. Stop by the validation loss."""


@_fits(Habits(improves=lambda loss, best, before: loss <= best))
def takes_a_plateau_for_progress() -> None:
    """You count a loss that equals the best as a new low, so that a plateau never stops. It must be below."""


@_fits(Habits(improves=lambda loss, best, before: loss < before))
def compares_the_loss_with_the_epoch_before() -> None:
    """You compare the validation loss with that of the epoch before. Compare it with the lowest so far."""


@_fits(Habits(waits=1))
def stops_an_epoch_too_late() -> None:
    """You stop one epoch too late: after so many epochs without a new low, not after one more."""


@_fits(Habits(waits=-1))
def stops_an_epoch_too_early() -> None:
    """You stop one epoch too early: the patience is how many epochs without a new low are waited for."""


@_fits(Habits(stops=False))
def never_stops_early() -> None:
    """You train all epochs. Stop when the patience is used up."""


@_fits(Habits(counts_from=1))
def counts_the_epochs_from_one() -> None:
    """You count epochs from one. The first is epoch 0."""


@_fits(Habits(always=True))
def keeps_the_best_without_a_patience() -> None:
    """The weights of the lowest validation loss are kept without a patience too, as in CS231n's Solver."""


# --- other loops ------------------------------------------------------------------------------------------------------
@_fits(Habits())
def fit_in_place() -> None:
    """The same, in arrays that every step writes to, with a copy of the best."""


def _by_a_shuffled_list(run: Run) -> Callable[[int], Batches]:
    order = list(range(len(run.x)))

    def batches(epoch: int) -> Batches:
        run.generator.shuffle(order)
        return _cut(np.array(order), run.batch_size)

    return batches


@_fits(Habits(batches=_by_a_shuffled_list))
def fit_by_a_shuffled_list() -> None:
    """One list of indices, which is shuffled once more before every epoch."""


def _drawn_to_the_end(run: Run) -> Callable[[int], Batches]:
    def batches(epoch: int) -> Batches:
        left, made = np.arange(len(run.x)), []
        while len(left):
            chosen = run.generator.choice(len(left), min(run.batch_size, len(left)), replace=False)
            made.append(left[chosen])
            left = np.delete(left, chosen)
        return made

    return batches


@_fits(Habits(batches=_drawn_to_the_end))
def fit_by_drawing_without_replacement() -> None:
    """Batches are drawn from the samples that are left, until none is."""
