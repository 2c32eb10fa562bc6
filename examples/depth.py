"""Thirty layers: what an initialization does to activations and gradients before the first step of training.

Run: python examples/depth.py (matplotlib must be installed); it writes docs/depth.png. Each curve is the root mean
square, over units and samples, of the gradient by the sums of a layer, which goes back from the last layer to the
first; the gradient that enters above has root mean square 1. All layers are as wide, so that 1/fan_in and Glorot's rule
are one, and orthogonal weights have their variance.
"""

from pathlib import Path

import numpy as np

from reference.initialization import glorot_normal, he_normal, normal_fan_in, orthogonal
from reference.networks import Layer, gradient_norms, mlp_forward

DEPTH, WIDTH, SAMPLES = 30, 100, 32
INITIALIZATIONS = {
    "0.01 N(0, 1)": lambda shape, generator: 0.01 * generator.standard_normal(shape),
    "N(0, 1)": lambda shape, generator: generator.standard_normal(shape),
    "1/fan_in": normal_fan_in,
    "Glorot": glorot_normal,
    "He": he_normal,
    "orthogonal": orthogonal,
}
STYLES = ("-", "-", "-", "--", "-", ":")
ACTIVATIONS = ("sigmoid", "tanh", "relu")


def passage(activation, initialization, generator, *, depth=DEPTH, width=WIDTH, samples=SAMPLES):
    """Return the root mean squares of the sums and of the gradients by them, layer by layer."""
    draw = INITIALIZATIONS[initialization]
    layers = [Layer(draw((width, width), generator), np.zeros(width)) for _ in range(depth)]
    x, cotangent = generator.standard_normal((2, samples, width))
    sums = np.stack([np.sqrt(np.mean(z**2)) for z in mlp_forward(x, layers, activation=activation).sums])
    return sums, gradient_norms(x, layers, cotangent, activation=activation) / np.sqrt(samples * width)


def plot(path):
    """Draw the gradients of every activation under every initialization."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(ACTIVATIONS), figsize=(11, 3.4), sharey=True, layout="constrained")
    for axis, activation in zip(axes, ACTIVATIONS, strict=True):
        for name, style in zip(INITIALIZATIONS, STYLES, strict=True):
            _, gradients = passage(activation, name, np.random.default_rng(0))
            axis.semilogy(np.arange(1, DEPTH + 1), gradients, style, label=name)
        axis.set(title=activation, xlabel="layer", ylim=(1e-24, 1e26))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("root mean square of the gradient")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    figure.savefig(path, dpi=90)


def main():
    print(f"root mean square of the gradient at the first of {DEPTH} layers, where 1 enters above the last")
    for activation in ACTIVATIONS:
        for name in INITIALIZATIONS:
            _, gradients = passage(activation, name, np.random.default_rng(0))
            print(f"{activation:8} {name:14} {gradients[0]:8.1e}")
    path = Path(__file__).resolve().parents[1] / "docs" / "depth.png"
    plot(path)
    print(f"drawn in {path}")


if __name__ == "__main__":
    main()
