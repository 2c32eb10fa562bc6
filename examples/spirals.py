"""Two spirals, which no line separates: a linear classifier guesses, an MLP of the reference does not.

Run: python examples/spirals.py (a second).
"""

import numpy as np

from reference.blocks import activation_block, chain, dense_block, predict
from reference.initialization import normal_fan_in
from reference.losses import accuracy
from reference.training import fit


def spirals(n, generator, *, turns=1.5, noise=0.02):
    """Return 2 n points, n on each of two spirals that turn around each other, and their labels."""
    labels = np.repeat([0, 1], n)
    r = np.sqrt(generator.uniform(0.02, 1, 2 * n))
    angle = 2 * np.pi * turns * r + np.pi * labels
    x = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    return x + noise * generator.standard_normal(x.shape), labels


def linear(generator):
    return dense_block(2, 2, generator)


def mlp(generator, width=32):
    return chain(
        dense_block(2, width, generator, initialization=lambda *a, **k: 4 * normal_fan_in(*a, **k)),
        activation_block("tanh"),
        dense_block(width, width, generator, initialization=normal_fan_in),
        activation_block("tanh"),
        dense_block(width, 2, generator, initialization=normal_fan_in),
    )


def shares_right(seed=0, *, epochs=60):
    """Return the test accuracy of the linear classifier and of the MLP."""
    generator = np.random.default_rng(seed)
    train, (x, labels) = spirals(300, generator), spirals(300, generator)
    made = [
        fit(network(generator), *train, generator, lr=0.01, epochs=epochs, batch_size=50, optimizer="adam")
        for network in (linear, mlp)
    ]
    return [float(accuracy(predict(fitted.network, x), labels)) for fitted in made]


if __name__ == "__main__":
    print("linear classifier {:.3f}, MLP {:.3f}".format(*shares_right()))
