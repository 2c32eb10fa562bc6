"""SciPy's own functions."""

from __future__ import annotations

from typing import Any

from graders._conform import Documented, Function, reduced

DISTRIBUTIONS = ("scipy",)
URL = "https://docs.scipy.org/doc/scipy/reference/generated/{}.html"


def functions() -> dict[str, Documented]:
    """Return SciPy's functions by exercise."""
    from scipy import signal, special, stats

    def logistic_loss(logits: Any, signs: Any, *, reduction: str) -> Any:
        return reduced(-special.log_expit(signs * logits), reduction)

    def rows(function: Function) -> Function:
        return lambda p, *, reduction: reduced(function(p).sum(axis=1), reduction)

    def pairs(function: Function) -> Function:
        return lambda p, q, *, reduction: reduced(function(p, q).sum(axis=1), reduction)

    table: dict[str, tuple[str, Function]] = {
        "activations.sigmoid": ("scipy.special.expit", lambda z: special.expit(z)),
        "activations.softmax": ("scipy.special.softmax", lambda z, *, axis: special.softmax(z, axis=axis)),
        "activations.log_softmax": ("scipy.special.log_softmax", lambda z, *, axis: special.log_softmax(z, axis=axis)),
        "activations.logsumexp": ("scipy.special.logsumexp", lambda z, *, axis: special.logsumexp(z, axis=axis)),
        "losses.logistic_loss": ("scipy.special.log_expit", logistic_loss),
        "losses.entropy": ("scipy.special.entr", rows(special.entr)),
        "losses.kl_divergence": ("scipy.special.rel_entr", pairs(special.rel_entr)),
        "losses.cross_entropy": ("scipy.special.xlogy", pairs(lambda p, q: -special.xlogy(p, q))),
        "convolution.cross_correlate2d": (
            "scipy.signal.correlate2d", lambda x, w: signal.correlate2d(x, w, mode="valid"),
        ),
        "ensembles.majority_vote": (
            "scipy.stats.mode", lambda labels, *, num_classes: stats.mode(labels, axis=0).mode,
        ),
        "convolution.convolve2d": ("scipy.signal.convolve2d", lambda x, w: signal.convolve2d(x, w, mode="valid")),
    }  # fmt: skip
    if hasattr(special, "softplus"):
        table["activations.softplus"] = ("scipy.special.softplus", lambda z: special.softplus(z))
    return {name: Documented(called, URL.format(called), function) for name, (called, function) in table.items()}
