"""Bagging: the mean of B networks has the variance ρσ² + (1 − ρ)σ²/B, and no number of them goes below ρσ².

Run: python examples/bagging.py (a second). A network has one random hidden layer and a last layer solved by least
squares, so that one is trained in microseconds. The variance is that over new training sets. σ² and ρ are measured on
pairs of members, and the formula foretells the variance of the means of B members on other training sets.
"""

import numpy as np

from reference.ensembles import bagging
from reference.networks import Layer, mlp, mlp_forward

AT = np.linspace(-2.5, 2.5, 11)[:, None]


def training_set(generator, n=40):
    """Return points of a noisy sine."""
    x = generator.uniform(-3, 3, (n, 1))
    return x, np.sin(2 * x) + 0.3 * generator.standard_normal((n, 1))


def prediction(x, y, generator, *, width=10, l2=1e-3):
    """Train one network, and return what it says at the places AT."""
    hidden = Layer(generator.standard_normal((1, width)), generator.uniform(-3, 3, width))
    layers = [hidden, Layer(np.eye(width), np.zeros(width))]
    h = mlp_forward(x, layers, activation="tanh").inputs[1]
    W = np.linalg.solve(h.T @ h + l2 * len(x) * np.eye(width), h.T @ (y - y.mean()))
    return mlp(AT, [hidden, Layer(W, y.mean(keepdims=True)[0])], activation="tanh")[:, 0]


def predictions(sets, members, generator):
    """Return what each member of a bagged ensemble says, for many training sets: (sets, members, places)."""
    said = []
    for _ in range(sets):
        x, y = training_set(generator)
        said.append(
            [
                prediction(x[member.samples], y[member.samples], member.generator)
                for member in bagging(len(x), 1, generator, n_members=members)
            ]
        )
    return np.array(said)


def variance_and_correlation(pairs):
    """Return σ² and ρ of members, from two for each training set: (sets, 2, places), averaged over the places."""
    centred = pairs - pairs.mean(axis=0)
    variance = np.mean(centred**2)
    return variance, np.mean(centred[:, 0] * centred[:, 1]) / variance


def study(seed=0, *, sets=400, sizes=(1, 2, 5, 20)):
    """Return σ², ρ, and for each B the variance that the formula foretells and the one that is measured."""
    generator = np.random.default_rng(seed)
    variance, correlation = variance_and_correlation(predictions(sets, 2, generator))
    said = predictions(sets, max(sizes), generator)
    rows = {
        B: (
            correlation * variance + (1 - correlation) * variance / B,
            np.mean(np.var(said[:, :B].mean(axis=1), axis=0)),
        )
        for B in sizes
    }
    return variance, correlation, rows


if __name__ == "__main__":
    variance, correlation, rows = study()
    print(f"one member: variance {variance:.4f}; two members: correlation {correlation:.3f}")
    for B, (foretold, measured) in rows.items():
        print(f"B = {B:2}: foretold {foretold:.4f}, measured {measured:.4f}")
