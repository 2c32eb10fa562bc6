"""Training: models with their loss, batches, searches, and the loop that fits a network.

Arrays share one dtype, float32 or float64, which the results keep (TypeError otherwise); sizes that do not fit, labels
outside their domain, an empty batch and numbers outside their range are a ValueError; what is no network, function,
generator or number where one is needed is a TypeError. What is random draws from the generator that it is given, and
from nothing else.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np

from reference import _numerics as numerics
from reference import optimizers
from reference._types import Array, Count, Fraction, Fractions, IntArray, Nonnegative, Positive
from reference.blocks import Block, Params, predict
from reference.layers import affine
from reference.losses import (
    bce_with_logits,
    bce_with_logits_grad,
    predict_label,
    softmax_cross_entropy,
    softmax_cross_entropy_grad,
)
from reference.networks import Head, _head, _require_labels
from reference.regularization import early_stopping

Weights = Annotated[Array, "d c"]
Inputs = Annotated[Array, "n d"]
Distributions = Annotated[Array, "n c", "simplex"]
Classes = Annotated[IntArray, "n", "classes"]
NumClasses = Annotated[int, "size of c"]
Vector = Annotated[Array, "d"]
Answers = Annotated[Array, "n", "unit"]

Point = TypeVar("Point")
Optimizer: TypeAlias = Literal["sgd", "momentum", "adam"]
Schedule: TypeAlias = Callable[[int], float]


class Found(NamedTuple, Generic[Point]):
    """The best point of a search, its loss, and the trial that found it, counted from zero."""

    params: Point
    loss: float
    trial: int


class Descent(NamedTuple):
    """The last point, and the loss at every point, the first and the last among them."""

    params: Array
    losses: Array


class LossAndGrads(NamedTuple):
    """The loss of a batch with its penalty, the gradients in the shape of the parameters, and the new statistics."""

    loss: Array
    grads: Params
    statistics: Params


class Update(NamedTuple):
    """The network after a step of an optimizer, and the loss before it."""

    network: Block
    loss: float
    lr: float


class Epoch(NamedTuple):
    """The mean loss of an epoch's batches, with its penalty, and the validation loss after it (None without data)."""

    loss: float
    validation_loss: float | None


class Fitted(NamedTuple):
    """The network that is kept, the epoch after which it was so, counted from zero, and all epochs that were run."""

    network: Block
    epoch: int
    history: tuple[Epoch, ...]


# --- models with their loss -------------------------------------------------------------------------------------------


def softmax_regression(W: Weights, x: Inputs, labels: Distributions | Classes, *, l2: Nonnegative = 0.0) -> Array:
    """Mean over the rows of `softmax_cross_entropy(x W, labels)`, plus l2 · Σ W².

    Shapes: W (d, c), x (n, d), labels (n, c), rows of probabilities, or (n,), integer classes; the result is a scalar.
    Convention: the penalty is l2 times the sum of squares, neither halved nor divided by n; a bias is a column of ones
    in x, and penalised with the rest. Source: 001_85d2a45f19410a02.txt, 002_8e0f3b4f5874cfed.txt.

    >>> round(float(softmax_regression(np.array([[1.0, -1.0]]), np.array([[0.0]]), np.array([1]), l2=0.5)), 6)
    1.693147
    """
    l2 = _require_model(W, x, l2)
    return softmax_cross_entropy(x @ W, labels) + l2 * np.sum(W**2)


def softmax_regression_grad(
    W: Weights, x: Inputs, labels: Distributions | Classes, *, l2: Nonnegative = 0.0
) -> Weights:
    """∂/∂W of `softmax_regression`: xᵀ (softmax(x W) − y) / n + 2 · l2 · W.

    Shapes and conventions as there; the result is (d, c).
    Source: 001_85d2a45f19410a02.txt, 003_bda8f24b635fcb71.txt (∂L/∂w = input · error).

    >>> softmax_regression_grad(np.array([[0.0, 0.0]]), np.array([[4.0]]), np.array([1]))
    array([[ 2., -2.]])
    """
    l2 = _require_model(W, x, l2)
    return x.T @ softmax_cross_entropy_grad(x @ W, labels) + 2 * l2 * W


def logistic_regression(w: Vector, x: Inputs, labels: Answers, *, l2: Nonnegative = 0.0) -> Array:
    """Mean over the rows of `bce_with_logits(x w, labels)`, plus l2 · Σ w²: two classes, one linear score.

    Shapes: w (d,), x (n, d), labels (n,) in [0, 1]; the result is a scalar. Conventions as in `softmax_regression`.
    Source: 003_bda8f24b635fcb71.txt (p(y = 1) = σ(wᵀx)).

    >>> round(float(logistic_regression(np.array([1.0]), np.array([[0.0]]), np.array([1.0]), l2=0.5)), 6)
    1.193147
    """
    l2 = _require_logistic(w, x, l2)
    return bce_with_logits(x @ w, labels) + l2 * np.sum(w**2)


def logistic_regression_grad(w: Vector, x: Inputs, labels: Answers, *, l2: Nonnegative = 0.0) -> Vector:
    """∂/∂w of `logistic_regression`: xᵀ (σ(x w) − y) / n + 2 · l2 · w.

    Shapes and conventions as there; the result is (d,). Source: 003_bda8f24b635fcb71.txt.

    >>> logistic_regression_grad(np.array([0.0]), np.array([[4.0]]), np.array([1.0]))
    array([-2.])
    """
    l2 = _require_logistic(w, x, l2)
    return x.T @ bce_with_logits_grad(x @ w, labels) + 2 * l2 * w


def linear_classifier(x: Inputs, W: Weights, b: Annotated[Array, "c"]) -> Annotated[IntArray, "n"]:
    """argmax_j (x W + b)_j for every row: classes whose borders are flat, however W and b were found.

    Shapes: x (n, d), W (d, c), b (c,), result (n,), integers. Convention: the first of equal ones.
    Source: 002_8e0f3b4f5874cfed.txt.

    >>> linear_classifier(np.array([[2.0], [-2.0]]), np.array([[1.0, -1.0]]), np.array([0.0, 0.5]))
    array([0, 1])
    """
    scores = affine(x, W, b)
    numerics.require_finite(x=x, W=W, b=b)
    return predict_label(scores)


def confusion_matrix(labels: Classes, predicted: Classes, *, num_classes: NumClasses) -> Annotated[IntArray, "c c"]:
    """M[i, j] = how many samples of class i were predicted as class j; the truth in the rows.

    Shapes: labels and predicted (n,), integers in 0..c−1; the result is (c, c). Its trace over its sum is the accuracy.
    Source: scikit-learn's confusion_matrix, whose convention this is.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), num_classes=2)
    array([[1, 1],
           [0, 1]])
    """
    numerics.require_counts(num_classes=num_classes)
    numerics.require_integers(labels=labels, predicted=predicted)
    numerics.require_shape(("n",), labels=labels)
    numerics.require_shape(labels.shape, predicted=predicted)
    numerics.require_rows(labels=labels)
    _require_below(num_classes, labels=labels, predicted=predicted)
    cells = labels.astype(np.int64) * num_classes + predicted.astype(np.int64)  # unsigned ones would become floats
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


# --- batches ----------------------------------------------------------------------------------------------------------


def minibatches(n: Count, generator: np.random.Generator, *, batch_size: Count) -> tuple[IntArray, ...]:
    """One epoch: 0 … n−1, shuffled once and cut into batches; every sample is in exactly one.

    Convention: the last batch is the rest, smaller where batch_size does not divide n, as in PyTorch's DataLoader.
    There are ⌈n / batch_size⌉. Source: 001_85d2a45f19410a02.txt (100,000 samples by 1,000 are 100 updates).

    >>> minibatches(5, np.random.default_rng(0), batch_size=2)
    (array([2, 4]), array([3, 0]), array([1]))
    """
    numerics.require_counts(n=n, batch_size=batch_size)
    numerics.require_generator(generator)
    order = generator.permutation(n)
    return tuple(order[start : start + batch_size] for start in range(0, n, batch_size))


# --- searches ---------------------------------------------------------------------------------------------------------


def random_search(
    f: Callable[[Point], Any],
    draw: Callable[[np.random.Generator], Point],
    generator: np.random.Generator,
    *,
    trials: Count,
) -> Found[Point]:
    """Draw so many points, and keep the one with the lowest f: no gradient, and no progress to speak of.

    Convention: the first of equal ones; NaN is never the lowest. Raises ValueError where no loss was below infinity.
    Source: 002_8e0f3b4f5874cfed.txt (optimization as a search for good weights).

    >>> draw = lambda rng: int(rng.integers(10))
    >>> random_search(lambda x: (x - 3) ** 2, draw, np.random.default_rng(0), trials=9).loss
    0.0
    """
    numerics.require_counts(trials=trials)
    numerics.require_generator(generator)
    numerics.require_function(f=f, draw=draw)
    best: Found[Point] | None = None
    for trial in range(trials):
        params = draw(generator)
        value = f(params)
        numerics.require_scalar(**{"f(x)": value})
        loss = float(value)
        if loss < (best.loss if best else np.inf):
            best = Found(params, loss, trial)
    if best is None:
        raise ValueError(f"f: expected a finite loss in {trials} trials, got none")
    return best


def gradient_descent(
    f: Callable[[Array], Any], grad: Callable[[Array], Array], x: Array, *, lr: Positive, steps: Count
) -> Descent:
    """x ← x − lr · ∇f(x), so many times. On a quadratic it converges iff lr < 2 / L, L the largest curvature.

    Shapes: x any, f a function of it to a scalar, grad one to its shape; the losses are (steps + 1,).
    Source: 002_8e0f3b4f5874cfed.txt (w ← w − η ∇E(w)).

    >>> gradient_descent(lambda x: x @ x, lambda x: 2 * x, np.array([4.0]), lr=0.25, steps=2)
    Descent(params=array([1.]), losses=array([16.,  4.,  1.]))
    """
    numerics.require_floats(x=x)
    numerics.require_counts(steps=steps)
    numerics.require_function(f=f, grad=grad)
    values = [f(x)]
    for _ in range(steps):
        x = optimizers.sgd(x, grad(x), lr=lr)
        values.append(f(x))
    numerics.require_scalar(**{f"f(x) at step {step}": value for step, value in enumerate(values)})
    return Descent(x, np.stack(values))


# --- a network, fitted ------------------------------------------------------------------------------------------------


def loss_and_grads(
    network: Block,
    x: Array,
    labels: Array | IntArray,
    generator: np.random.Generator,
    *,
    head: Head = "softmax",
    l2: Nonnegative = 0.0,
) -> LossAndGrads:
    """The mean loss of a batch under a head, plus l2 · Σ w², and its gradients: one pass forth and one back.

    Convention: the penalty takes matrices and kernels, arrays of two axes or more, and no bias, gain or shift; neither
    halved nor divided by n, so that PyTorch's weight_decay is 2 · l2. The generator draws what dropout needs.
    Source: 002_8e0f3b4f5874cfed.txt (∇L = (1/N) Σ ∇L_i + λ ∇R).

    >>> from reference.blocks import dense_block
    >>> zeros = lambda shape, generator, dtype: np.zeros(shape, dtype)
    >>> rng = np.random.default_rng(0)
    >>> network = dense_block(1, 2, rng, initialization=zeros)
    >>> loss_and_grads(network, np.array([[4.0]]), np.array([1]), rng).grads
    Layer(W=array([[ 2., -2.]]), b=array([ 0.5, -0.5]))
    """
    l2 = numerics.require_at_least_zero(l2=l2)
    numerics.require_generator(generator)
    network = _block(network)
    _require_samples(x=x, labels=labels)
    loss, grad = _head(head)
    passed = network.forward(network.params, network.statistics, x, generator)
    _require_labels(head, passed.y, labels)
    weights = _leaves(network.params)
    slopes = _leaves(passed.pull(grad(passed.y, labels)).grads)
    value = loss(passed.y, labels)
    if l2 > 0:
        value = value + l2 * sum(np.sum(w**2) for w in weights if _is_penalized(w))
        slopes = [g + 2 * l2 * w if _is_penalized(w) else g for g, w in zip(slopes, weights, strict=True)]
    return LossAndGrads(value, _rebuilt(network.params, slopes), passed.statistics)


def updates(
    network: Block,
    x: Array,
    labels: Array | IntArray,
    generator: np.random.Generator,
    *,
    lr: Positive | Schedule,
    epochs: Count,
    batch_size: Count = 32,
    optimizer: Optimizer = "sgd",
    momentum: Fraction = 0.9,
    betas: Fractions = (0.9, 0.999),
    eps: Positive = 1e-8,
    head: Head = "softmax",
    l2: Nonnegative = 0.0,
) -> Iterator[Update]:
    """Train: shuffle, cut into batches, and for each the loss, its gradients and a step; yield after every step.

    lr is a number, or a schedule: a function of the steps taken so far, counted from zero, to a positive number.
    momentum serves "momentum", betas and eps serve "adam"; the steps are those of `optimizers`. Raises ValueError on
    NaN or inf in x or the network, and where Adam's averages are no longer finite: the run has diverged.
    Source: 001_85d2a45f19410a02.txt (shuffle, segment, run through all: an epoch).

    >>> from reference.blocks import dense_block
    >>> rng = np.random.default_rng(0)
    >>> x, labels = np.array([[-1.0], [1.0], [2.0]]), np.array([0, 1, 1])
    >>> [update.lr for update in updates(dense_block(1, 2, rng), x, labels, rng, lr=0.5, epochs=2, batch_size=2)]
    [0.5, 0.5, 0.5, 0.5]
    """
    network = _block(network)
    _require_samples(x=x, labels=labels)
    numerics.require_counts(epochs=epochs, batch_size=batch_size)
    numerics.require_generator(generator)
    numerics.require_word(Head, head=head)
    numerics.require_at_least_zero(l2=l2)
    for field in ("params", "statistics"):
        for i, array in enumerate(_leaves(getattr(network, field))):  # counted through all nested tuples
            numerics.require_floats(x=x, **{f"network.{field}[{i}]": array})
            numerics.require_finite(x=x, **{f"network.{field}[{i}]": array})
    if not callable(lr):
        numerics.require_positive(lr=lr)
    fresh, step = _stepper(optimizer, momentum=momentum, betas=betas, eps=eps)

    def run(network: Block) -> Iterator[Update]:
        states = [fresh(w) for w in _leaves(network.params)]
        taken = 0
        for _ in range(epochs):
            for batch in minibatches(len(x), generator, batch_size=batch_size):
                rate = lr(taken) if callable(lr) else lr
                loss, grads, statistics = loss_and_grads(network, x[batch], labels[batch], generator, head=head, l2=l2)
                weights = _leaves(network.params)
                stepped = [step(*one, rate) for one in zip(weights, _leaves(grads), states, strict=True)]
                states = [state for _, state in stepped]
                network = Block(_rebuilt(network.params, [w for w, _ in stepped]), statistics, network.forward)
                taken += 1
                yield Update(network, float(loss), rate)

    return run(network)


def fit(
    network: Block,
    x: Array,
    labels: Array | IntArray,
    generator: np.random.Generator,
    *,
    lr: Positive | Schedule,
    epochs: Count,
    batch_size: Count = 32,
    optimizer: Optimizer = "sgd",
    momentum: Fraction = 0.9,
    betas: Fractions = (0.9, 0.999),
    eps: Positive = 1e-8,
    head: Head = "softmax",
    l2: Nonnegative = 0.0,
    validation: tuple[Array, Array | IntArray] | None = None,
    patience: int | None = None,
) -> Fitted:
    """Train a network for some epochs of `updates`; with a patience, stop early and give back the best weights.

    validation is a pair (x, labels), whose mean loss, without penalty and dropout, is taken after every epoch. With a
    patience it is asked for, and the network kept is that of the lowest, its running statistics too; without, the last.
    Source: 001_85d2a45f19410a02.txt.

    >>> from reference.blocks import dense_block
    >>> rng = np.random.default_rng(0)
    >>> x, labels = np.array([[-1.0], [1.0], [2.0]]), np.array([0, 1, 1])
    >>> fitted = fit(dense_block(1, 2, rng), x, labels, rng, lr=0.5, epochs=20)
    >>> len(fitted.history), round(fitted.history[-1].loss, 3), np.argmax(predict(fitted.network, x), axis=1)
    (20, 0.047, array([0, 1, 1]))
    """
    network = _block(network)
    _require_samples(x=x, labels=labels)
    if patience is not None and validation is None:
        raise ValueError("validation: expected a pair (x, labels), which patience needs, got None")
    if validation is not None:
        _require_validation(validation, x, labels)
    if patience is not None:
        numerics.require_counts(patience=patience)
    steps = updates(
        network,
        x,
        labels,
        generator,
        lr=lr,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        momentum=momentum,
        betas=betas,
        eps=eps,
        head=head,
        l2=l2,
    )
    history: list[Epoch] = []
    loss_of, _ = _head(head)
    per_epoch = -(-len(x) // batch_size)

    def run() -> Iterator[tuple[float, Block]]:
        for _ in range(epochs):
            made = [next(steps) for _ in range(per_epoch)]
            trained = made[-1].network
            known = None if validation is None else float(loss_of(predict(trained, validation[0]), validation[1]))
            history.append(Epoch(math.fsum(update.loss for update in made) / per_epoch, known))
            yield math.nan if known is None else known, trained

    if patience is None:
        *_, (_, last) = run()
        return Fitted(last, epochs - 1, tuple(history))
    best = early_stopping(run(), patience=patience)
    return Fitted(best.params, best.epoch, tuple(history))


# --- helpers ----------------------------------------------------------------------------------------------------------


def _block(network: Block) -> Block:
    """Return a network as a block; raise TypeError for what has not the fields of one, whatever its own type is."""
    if not all(hasattr(network, field) for field in Block._fields):
        numerics.require_kind(Block, network=network)
    return Block(network.params, network.statistics, network.forward)


def _leaves(params: Params) -> list[Array]:
    """Return the arrays of nested tuples, in order."""
    return [leaf for part in params for leaf in _leaves(part)] if isinstance(params, tuple) else [params]


def _rebuilt(params: Params, leaves: list[Array]) -> Params:
    """Return nested tuples like params with these arrays."""
    left = iter(leaves)

    def rebuilt(part: Params) -> Params:
        if not isinstance(part, tuple):
            return next(left)
        parts = [rebuilt(inner) for inner in part]
        return type(part)(*parts) if hasattr(part, "_fields") else tuple(parts)

    return rebuilt(params)


def _is_penalized(w: Array) -> bool:
    return len(w.shape) >= 2


def _stepper(
    optimizer: str, *, momentum: float, betas: tuple[float, float], eps: float
) -> tuple[Callable[[Array], Any], Callable[[Array, Array, Any, float], tuple[Array, Any]]]:
    """Return what an optimizer starts with, and its step (params, grad, state, lr) → (params, state)."""
    numerics.require_word(Optimizer, optimizer=optimizer)
    numerics.require_fraction(momentum=momentum)
    optimizers._pair(betas)
    numerics.require_positive(eps=eps)
    if optimizer == "sgd":
        return lambda w: None, lambda w, g, state, lr: (optimizers.sgd(w, g, lr=lr), None)
    if optimizer == "momentum":
        return (
            lambda w: optimizers.MomentumState(np.zeros_like(w)),
            lambda w, g, state, lr: optimizers.momentum(w, g, state, lr=lr, momentum=momentum),
        )
    return (
        lambda w: optimizers.AdamState(0, np.zeros_like(w), np.zeros_like(w)),
        lambda w, g, state, lr: optimizers.adam(w, g, state, lr=lr, betas=betas, eps=eps),
    )


def _require_samples(**pair: Array | IntArray) -> None:
    """Raise unless the first array holds samples, and the second a label for each."""
    (of_x, x), (of_labels, labels) = pair.items()
    numerics.require_floats(**{of_x: x})
    if len(x.shape) < 2:
        raise ValueError(f"{of_x}: expected samples along the first axis, features along others, got shape {x.shape}")
    numerics.require_rows(**{of_x: x})
    numerics.require_kind(np.ndarray, **{of_labels: labels})
    if labels.shape[:1] != x.shape[:1]:
        raise ValueError(
            f"{of_labels}: expected one for each of the {len(x)} samples of {of_x}, got shape {labels.shape}"
        )


def _require_validation(validation: tuple[Array, Array | IntArray], x: Array, labels: Array | IntArray) -> None:
    """Raise unless these are samples and labels such as those that are trained on."""
    if not (isinstance(validation, tuple | list) and len(validation) == 2):
        raise TypeError(f"validation: expected a pair (x, labels), got {type(validation).__name__}")
    held_x, held_labels = validation
    _require_samples(**{"validation[0]": held_x, "validation[1]": held_labels})
    numerics.require_floats(x=x, **{"validation[0]": held_x})
    numerics.require_finite(**{"validation[0]": held_x})
    numerics.require_shape(("n", *x.shape[1:]), **{"validation[0]": held_x})
    numerics.require_shape(("n", *labels.shape[1:]), **{"validation[1]": held_labels})
    if held_labels.dtype.kind != labels.dtype.kind:
        raise TypeError(f"validation[1]: expected labels like those of x, {labels.dtype}, got {held_labels.dtype}")


def _require_below(num_classes: int, **arrays: IntArray) -> None:
    for name, classes in arrays.items():
        if (outside := (classes < 0) | (classes >= num_classes)).any():
            wrong = classes[outside][0]
            raise ValueError(f"{name}: expected classes in 0..{num_classes - 1}, got {wrong}; classes count from zero")


def _require_model(W: Array, x: Array, l2: float) -> float:
    """Return l2 as a Python number; raise where it is none, or W and x do not fit."""
    numerics.require_floats(W=W, x=x)
    numerics.require_shape(("n", "d"), x=x)
    numerics.require_rows(x=x)
    numerics.require_shape((x.shape[1], "c"), W=W)
    numerics.require_rows(W=W)
    return numerics.require_at_least_zero(l2=l2)


def _require_logistic(w: Array, x: Array, l2: float) -> float:
    """Return l2 as a Python number; raise where it is none, or w and x do not fit."""
    numerics.require_floats(w=w, x=x)
    numerics.require_shape(("n", "d"), x=x)
    numerics.require_rows(x=x)
    numerics.require_shape((x.shape[1],), w=w)
    return numerics.require_at_least_zero(l2=l2)
