"""Other names for the arguments of a claim, and names for expressions; all of it data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ALIASES", "MACROS", "Shorthand"]

ALIASES: Mapping[str, tuple[str, ...]] = {
    "logits": ("z", "o"),
    "labels": ("y",),
    "targets": ("y",),
    "predictions": ("yhat", "z"),
    "cotangent": ("g", "dy", "G"),
    "grads": ("g",),
    "params": ("w", "theta", "θ"),
    "momentum": ("mu", "μ"),
    "velocity": ("vel", "v"),
    "lr": ("eta", "η"),
    "eps": ("epsilon", "ε"),
    "label_smoothing": ("epsilon", "ε"),
    "temperature": ("tau", "τ"),
    "alpha": ("α",),
    "rho": ("ρ",),
    "beta": ("β",),
    "gamma": ("γ",),
    "l2": ("lam", "λ"),
    "betas[0]": ("beta1", "β1"),
    "betas[1]": ("beta2", "β2"),
    "sum": ("acc",),
    "square_avg": ("avg",),
    "weights": ("w",),
    "n": ("N",),
}


@dataclass(frozen=True)
class Shorthand:
    """A name for an expression: s[r, j] for an entry of the softmax.

    `letters` say over which axis of which argument each index runs: x.1 is axis 1 of x, and x.1/2 demands that x has
    two axes. It is known in the claims that fit the pattern and have all the arguments that it needs.
    """

    name: str
    letters: Mapping[str, str]
    text: str
    needs: tuple[str, ...]
    claims: str = r".*"


ROWS = {"r": "logits.0/2", "j": "logits.1/2"}
Z_ROWS = {"r": "z.0/2", "j": "z.1/2"}
BATCH, LAYER, RMS = r"normalization\.batch_norm_vjp", r"normalization\.layer_norm_vjp", r"normalization\.rms_norm_vjp"
PER_COLUMN, PER_ROW, BOTH = {"k": "x.1/2"}, {"r": "x.0/2"}, {"r": "x.0/2", "k": "x.1/2"}
ATTENTION = r"attention\.scaled_dot_product_attention_vjp"
PAIR = {"a": "query.0/2", "b": "key.0/2"}

MACROS = (
    Shorthand("s", ROWS, "exp(logits[r, j]/temperature) / sum(exp(logits[r, k]/temperature), k)", ("temperature",)),
    Shorthand("s", ROWS, "softmax(logits)[r, j]", (), r"losses\..*"),
    Shorthand("s", {"r": "logits.0/1"}, "sigmoid(logits[r])", (), r"losses\..*"),
    Shorthand("s", Z_ROWS, "exp(z[r, j]/temperature) / sum(exp(z[r, k]/temperature), k)", ("temperature",)),
    Shorthand("s", Z_ROWS, "softmax(z)[r, j]", (), r"activations\..*"),
    Shorthand("s", {"e": "z.0/1"}, "sigmoid(z[e])", (), r"activations\.sigmoid.*"),
    Shorthand("z", {"r": "labels.0/2", "j": "labels.1/2"}, "sum(x[r, f]*W[f, j], f)", ("x", "W"), r"training\..*"),
    Shorthand("s", {"r": "labels.0/2", "j": "labels.1/2"}, "softmax(z)[r, j]", ("z",), r"training\..*"),
    Shorthand("z", {"r": "x.0/2", "i": "W.1/2"}, "sum(x[r, k]*W[k, i], k)", (),
              r"layers\.(backpropagation_step|sigmoid_hidden_weight_gradient)"),
    Shorthand("mean", PER_COLUMN, "sum(x[r, k], r)/n", (), BATCH),
    Shorthand("var", PER_COLUMN, "sum((x[r, k] - mean[k])**2, r)/n", (), BATCH),
    Shorthand("std", PER_COLUMN, "sqrt(var[k] + eps)", (), BATCH),
    Shorthand("xhat", BOTH, "(x[r, k] - mean[k])/std[k]", (), BATCH),
    Shorthand("mean", PER_ROW, "sum(x[r, k], k)/d", (), LAYER),
    Shorthand("var", PER_ROW, "sum((x[r, k] - mean[r])**2, k)/d", (), LAYER),
    Shorthand("std", PER_ROW, "sqrt(var[r] + eps)", (), LAYER),
    Shorthand("xhat", BOTH, "(x[r, k] - mean[r])/std[r]", (), LAYER),
    Shorthand("rms", PER_ROW, "sqrt(sum(x[r, k]**2, k)/d + eps)", (), RMS),
    Shorthand("xhat", BOTH, "x[r, k]/rms[r]", (), RMS),
    Shorthand("score", PAIR, "sum(query[a, k]*key[b, k], k)/sqrt(d)", (), ATTENTION),
    Shorthand("weight", PAIR, "softmax(score)[a, b]", (), ATTENTION),
)  # fmt: skip
