"""What only a simulation can say: deep networks at their first step, variances, step sizes, scales. Pure Python.

Every study draws from the generator that it is given and returns what it measured with the interval in which the mean
must lie; samples of one quantity are independent. Deep networks are judged by log₁₀ of mean squares, whose spread over
the seeds is small against the effects.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log10, sqrt, tanh
from operator import mul
from random import Random
from typing import NamedTuple

from ._kernel import Erratum, Measured, Quantity

DEPTH, WIDTH, NETWORKS = 30, 50, 8


class Activation(NamedTuple):
    """A function, and its slope as a function of the argument and the value."""

    of: Callable[[float], float]
    slope: Callable[[float, float], float]


SIGMOID = Activation(lambda z: 1 / (1 + exp(-z)), lambda z, u: u * (1 - u))
TANH = Activation(tanh, lambda z, u: 1 - u * u)
RELU = Activation(lambda z: max(z, 0.0), lambda z, u: float(z > 0))
LINEAR = Activation(lambda z: z, lambda z, u: 1.0)


class Passage(NamedTuple):
    """Mean squares of what enters and leaves a deep network, and of the gradients there; the last layer's slope."""

    entered: float
    left: float
    gradient_above: float
    gradient_below: float
    slope: float

    @property
    def forward(self) -> float:
        """log₁₀ of what the mean square of the activations is multiplied by."""
        return log10(self.left / self.entered)

    @property
    def backward(self) -> float:
        """log₁₀ of what the mean square of the gradient is multiplied by, from the last layer down to the first."""
        return log10(self.gradient_below / self.gradient_above)


def mean_square(x: list[float]) -> float:
    """The mean of the squares."""
    total: float = sum(map(mul, x, x))
    return total / len(x)


def passed(rng: Random, g: Activation, variance: float, depth: int = DEPTH, width: int = WIDTH) -> Passage:
    """Send a random input up and a random gradient down a network of so many layers with weights of this variance."""
    std = sqrt(variance)
    u = [rng.gauss(0, 1) for _ in range(width)]
    entered = mean_square(u)
    layers = []
    for _ in range(depth):
        weights = [[rng.gauss(0, std) for _ in range(width)] for _ in range(width)]
        sums = [sum(map(mul, row, u)) for row in weights]
        u = [g.of(z) for z in sums]
        layers.append((weights, [g.slope(z, v) for z, v in zip(sums, u, strict=True)]))
    gradient = [rng.gauss(0, 1) for _ in range(width)]
    above = mean_square(gradient)
    for weights, slopes in reversed(layers):
        delta = list(map(mul, gradient, slopes))
        gradient = [sum(map(mul, column, delta)) for column in zip(*weights, strict=True)]
    return Passage(entered, mean_square(u), above, mean_square(gradient), sum(layers[-1][1]) / width)


def several(rng: Random, g: Activation, variance: float) -> list[Passage]:
    """Independent networks of one kind."""
    return [passed(rng, g, variance) for _ in range(NETWORKS)]


def backward(what: str, passages: list[Passage], low: float, high: float) -> Quantity:
    """What became of the gradient's mean square."""
    return Quantity(f"log₁₀ of the gradient's factor, {what}", tuple(p.backward for p in passages), low, high)


def forward(what: str, passages: list[Passage], low: float, high: float) -> Quantity:
    """What became of the activations' mean square."""
    return Quantity(f"log₁₀ of the activations' factor, {what}", tuple(p.forward for p in passages), low, high)


def _sigmoid_with_xavier(rng: Random) -> tuple[Quantity, ...]:
    return (backward("sigmoid with variance 1/n", several(rng, SIGMOID, 1 / WIDTH), -41.0, -34.5),)


def _kept_by_xavier_and_he(rng: Random) -> tuple[Quantity, ...]:
    he = several(rng, RELU, 2 / WIDTH)
    return (
        backward("tanh with variance 1/n", several(rng, TANH, 1 / WIDTH), -5.0, 1.0),
        backward("ReLU with variance 2/n", he, -4.5, 3.5),
        forward("ReLU with variance 2/n", he, -4.5, 3.5),
    )


sigmoid_gradients_vanish_under_xavier = Measured(
    name="studies.sigmoid_gradients_vanish_under_xavier",
    statement="Through 30 sigmoid layers with variance 1/n the squared gradient falls to about 10⁻³⁸.",
    measure=_sigmoid_with_xavier,
    ids=("C23", "A19", "E02"),
    source="E σ'² ≈ .055 a layer, and .055³⁰ = 10⁻³⁸",
    note="The argument for 1/n asks for slope 1 and mean 0; the sigmoid has slope 1/4 at most and mean 1/2.",
)

gradients_are_kept_by_xavier_with_tanh_and_he_with_relu = Measured(
    name="studies.gradients_are_kept_by_xavier_with_tanh_and_he_with_relu",
    statement="Through 30 layers tanh with variance 1/n keeps 10⁻² of the squared gradient, ReLU with 2/n most of it.",
    measure=_kept_by_xavier_and_he,
    ids=("C23", "E03", "E04", "E05"),
    source="n · σ_w² · E g'² = 1",
)


def _too_small(rng: Random) -> tuple[Quantity, ...]:
    small = several(rng, TANH, 0.01 / WIDTH)
    return (
        forward("tanh with variance .01/n", small, -62.0, -58.0),
        backward("tanh with variance .01/n", small, -62.0, -58.0),
    )


def _too_big(rng: Random) -> tuple[Quantity, ...]:
    big = several(rng, TANH, 100 / WIDTH)
    return (
        backward("tanh with variance 100/n", big, 7.0, 27.0),
        Quantity("mean slope of the last layer, tanh with variance 100/n", tuple(p.slope for p in big), 0.0, 0.3),
    )


too_small_weights_let_everything_vanish = Measured(
    name="studies.too_small_weights_let_everything_vanish",
    statement="With weights ten times too small 30 layers of tanh take squared activations and gradients to 10⁻⁶⁰.",
    measure=_too_small,
    ids=("C24",),
    source="a factor .01 a layer for both mean squares",
)

too_big_weights_saturate_tanh_and_explode_its_gradients = Measured(
    name="studies.too_big_weights_saturate_tanh_and_explode_its_gradients",
    statement="With weights ten times too big most slopes of tanh are near 0, and yet the squared gradient explodes.",
    measure=_too_big,
    ids=("C24",),
    source="n · σ_w² · E g'² > 1, because few units are not saturated and their weights are big",
    note="By about 10¹⁷ at width 50; wider networks lie higher.",
)


def _xavier_layer(rng: Random) -> tuple[Quantity, ...]:
    linear = [passed(rng, LINEAR, 1 / WIDTH, depth=1, width=WIDTH) for _ in range(200)]
    ratios = tuple(p.left / p.entered for p in linear)
    back = tuple(p.gradient_below / p.gradient_above for p in linear)
    return (
        Quantity("a linear layer's factor of the mean square, variance 1/n", ratios, 0.8, 1.2),
        Quantity("its factor of the squared gradient", back, 0.8, 1.2),
    )


def _he_layer(rng: Random) -> tuple[Quantity, ...]:
    halved = [passed(rng, RELU, 1 / WIDTH, depth=1, width=WIDTH) for _ in range(200)]
    kept = [passed(rng, RELU, 2 / WIDTH, depth=1, width=WIDTH) for _ in range(200)]
    return (
        Quantity("a ReLU layer's factor, variance 1/n", tuple(p.left / p.entered for p in halved), 0.4, 0.6),
        Quantity("a ReLU layer's factor, variance 2/n", tuple(p.left / p.entered for p in kept), 0.8, 1.2),
    )


a_linear_layer_keeps_the_mean_square = Measured(
    name="studies.a_linear_layer_keeps_the_mean_square",
    statement="Weights of variance 1/n keep the mean square through a linear layer; 1/n is no standard deviation.",
    measure=_xavier_layer,
    ids=("A20", "E03", "E04"),
    source="N(0, 1/n), the second argument the variance",
)

rectified_layers_lose_half_of_the_mean_square = Measured(
    name="studies.rectified_layers_lose_half_of_the_mean_square",
    statement="A ReLU halves the mean square, so that variance 1/n loses half of it a layer and 2/n keeps it.",
    measure=_he_layer,
    ids=("E05",),
    source="E relu(z)² = ½ E z²",
)


def _step_sizes(rng: Random) -> tuple[Quantity, ...]:
    curvatures = [[rng.uniform(0.5, 10) for _ in range(10)] for _ in range(40)]

    def left_after(lr: float, steps: int = 100) -> tuple[float, ...]:
        """log₁₀ of what is left of the loss ½ Σ c w², from w = 1."""
        return tuple(
            log10(sum(c * (1 - lr * c) ** (2 * steps) for c in curvature) / sum(curvature)) for curvature in curvatures
        )

    return (
        Quantity("log₁₀ of the loss left after 100 steps of .001", left_after(0.001), -1.0, -0.1),
        Quantity("of .01", left_after(0.01), -6.0, -1.5),
        Quantity("of .1", left_after(0.1), -40.0, -4.0),
        Quantity("of 1", left_after(1.0), 100.0, 250.0),
    )


step_sizes_of_a_ladder = Measured(
    name="studies.step_sizes_of_a_ladder",
    statement="On quadratics with curvatures of .5 to 10 each rung .001, .01, .1 is faster, and 1 diverges.",
    measure=_step_sizes,
    qualitative=True,
    ids=("A21",),
    source="(1 − η c)^(2t), which shrinks iff 0 < η < 2/c",
    note="The three rates are a rule of thumb; which one serves depends on the curvature.",
)


def _batches(rng: Random) -> tuple[Quantity, ...]:
    gradients = [rng.gauss(1, 2) for _ in range(500)]
    mean = sum(gradients) / len(gradients)
    variance = sum((g - mean) ** 2 for g in gradients) / len(gradients)
    found = []
    for size in (8, 32, 128):
        means = [sum(rng.choices(gradients, k=size)) / size - mean for _ in range(3000)]
        found.append(Quantity(f"error of the mean of {size}, in its σ", tuple(m * sqrt(size / variance) for m in means),
                              -0.25, 0.25))  # fmt: skip
        found.append(Quantity(f"its square over σ²/{size}", tuple(m * m * size / variance for m in means), 0.75, 1.25))
    return tuple(found)


minibatch_gradients_are_unbiased = Measured(
    name="studies.minibatch_gradients_are_unbiased",
    statement="The mean gradient of 8, 32 or 128 drawn samples has the full gradient as mean, and the variance σ²/B.",
    measure=_batches,
    ids=("C09",),
    source="Var ḡ = σ²/B, drawn with replacement",
)


class Fit(NamedTuple):
    """What a ridge leaves of two weights, and log₁₀ of how many times larger the second gradient is at w = 0."""

    small: float
    large: float
    gradients: float


def _fitted(rng: Random, penalty: float = 1.0, rows: int = 100) -> Fit:
    """Fit y = x₁ + x₂/1000 with features on [0, 1] and [0, 1000] by the penalised normal equations."""
    x1 = _centered([rng.uniform(0, 1) for _ in range(rows)])
    x2 = _centered([rng.uniform(0, 1000) for _ in range(rows)])
    y = [u + v / 1000 for u, v in zip(x1, x2, strict=True)]
    (a, b, c), (r, s) = (_product(x1, x1), _product(x1, x2), _product(x2, x2)), (_product(x1, y), _product(x2, y))
    a, c = a + penalty, c + penalty
    determinant = a * c - b * b
    return Fit((c * r - b * s) / determinant, 1000 * (a * s - b * r) / determinant, log10(abs(s / r)))


def _centered(x: list[float]) -> list[float]:
    mean = sum(x) / len(x)
    return [v - mean for v in x]


def _product(x: list[float], y: list[float]) -> float:
    total: float = sum(map(mul, x, y))
    return total / len(x)


def _ridge(rng: Random) -> tuple[Quantity, ...]:
    fits = [_fitted(rng) for _ in range(200)]
    return (
        Quantity(
            "what a ridge of 1 leaves of the weight of a feature on [0, 1]", tuple(f.small for f in fits), 0.05, 0.1
        ),
        Quantity("and of one on [0, 1000]", tuple(f.large for f in fits), 0.95, 1.05),
        Quantity("log₁₀ of the second gradient over the first", tuple(f.gradients for f in fits), 2.8, 3.2),
    )


a_ridge_shrinks_the_small_feature = Measured(
    name="studies.a_ridge_shrinks_the_small_feature",
    statement="Under one ridge a feature on [0, 1] keeps .08 of its weight, and one on [0, 1000] keeps it all.",
    measure=_ridge,
    ids=("D58", "D61"),
    source="(XᵀX/n + λ) w = Xᵀy/n",
)


def _bags(rng: Random) -> tuple[Quantity, ...]:
    members, together = 10, 0.6  # each prediction is 0.6 · shared + 0.8 · its own: ρ = .36
    squares = []
    for _ in range(4000):
        shared = rng.gauss(0, together)
        squares.append((sum(shared + rng.gauss(0, 0.8) for _ in range(members)) / members) ** 2)
    return (Quantity("variance of the mean of 10 predictions with ρ = .36", tuple(squares), 0.34, 0.51),)


bagging_is_limited_by_the_correlation = Measured(
    name="studies.bagging_is_limited_by_the_correlation",
    statement="Ten predictions of variance 1 and correlation .36 have a mean of variance .36 + .64/10 = .424.",
    measure=_bags,
    ids=("B28",),
    source="ρσ² + (1 − ρ)σ²/B",
)


def _dropped(rng: Random) -> tuple[Quantity, ...]:
    p, x = 0.3, 2.0
    draws = [x / (1 - p) * (rng.random() >= p) for _ in range(20_000)]
    return (
        Quantity("mean of inverted dropout of x = 2 with p = .3", tuple(draws), 1.9, 2.1),
        Quantity("its variance", tuple((v - x) ** 2 for v in draws), x * x * 0.38, x * x * 0.48),
    )


dropout_keeps_the_mean = Measured(
    name="studies.dropout_keeps_the_mean",
    statement="Inverted dropout has mean x and variance x² p/(1 − p), where p is the probability to drop.",
    measure=_dropped,
    ids=("B27",),
    source="x · mask/(1 − p)",
)


def _covariates(rng: Random) -> tuple[Quantity, ...]:
    drift, steady = [], []
    for _ in range(100):
        before = [rng.gauss(0, 1) for _ in range(64)]
        after = [3 * z + 5 for z in before]  # the layer below has moved
        drift.append(sum(after) / 64 - sum(before) / 64)
        steady.append(max(abs(a - b) for a, b in zip(_normalized(before), _normalized(after), strict=True)))
    return (
        Quantity("shift of a unit's mean when the layer below moves", tuple(drift), 4.0, 6.0),
        Quantity("change of the normalized unit", tuple(steady), 0.0, 1e-3),
    )


def _normalized(batch: list[float]) -> list[float]:
    mean = sum(batch) / len(batch)
    variance = sum((z - mean) ** 2 for z in batch) / len(batch)
    return [(z - mean) / sqrt(variance + 1e-5) for z in batch]


a_normalized_unit_does_not_see_the_shift = Measured(
    name="studies.a_normalized_unit_does_not_see_the_shift",
    statement="Where the layer below shifts and stretches a unit's inputs, a normalized unit stays as it was.",
    measure=_covariates,
    qualitative=True,
    ids=("D67",),
    source="x̂(a x + b) = x̂(x) for a > 0, but for ε",
    note="That normalized networks train better because of this is a conjecture of which this part can be measured.",
)


def _kept_gradient_of_a_sigmoid(rng: Random) -> tuple[Quantity, ...]:
    return (backward("sigmoid with variance 1/n", several(rng, SIGMOID, 1 / WIDTH), -5.0, 1.0),)


def _vanishing_gradient_of_big_weights(rng: Random) -> tuple[Quantity, ...]:
    return (backward("tanh with variance 100/n", several(rng, TANH, 100 / WIDTH), -200.0, -1.0),)


errata = (
    Erratum(
        id="C23",
        as_written=Measured(
            name="studies.C23",
            statement="Variance 1/n keeps the gradient of a sigmoid network.",
            measure=_kept_gradient_of_a_sigmoid,
        ),
        corrected_by="studies.sigmoid_gradients_vanish_under_xavier",
        note="The rule asks for slope 1 and mean 0, which tanh has at 0 and the sigmoid nowhere.",
    ),
    Erratum(
        id="C24",
        as_written=Measured(
            name="studies.C24",
            statement="Too big weights saturate tanh, and the gradient goes to 0.",
            measure=_vanishing_gradient_of_big_weights,
        ),
        corrected_by="studies.too_big_weights_saturate_tanh_and_explode_its_gradients",
        note="The slopes go to 0, most of them; the gradient that comes back explodes.",
    ),
)
