"""What is said when a call makes no sense: what, where, what came, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reference import activations, layers, losses, optimizers, training

Z = np.zeros((2, 3))
HALF = np.full((2, 3), 0.5)
K = np.array([2, 0])
ADAM = optimizers.AdamState(0, np.zeros(3), np.zeros(3))

REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: activations.sigmoid(0.5),  # type: ignore[arg-type]
        TypeError,
        "z: expected a NumPy array of float32 or float64, got float; write np.asarray(z, dtype=np.float64)",
    ),
    (
        lambda: activations.softmax(np.array([[1, 2]])),
        TypeError,
        "z: expected dtype float32 or float64, got int64; write z.astype(np.float64)",
    ),
    (
        lambda: activations.tanh_vjp(Z, Z.astype(np.float32)),
        TypeError,
        "expected one dtype for all arrays, got z float64, cotangent float32; convert them with .astype",
    ),
    (
        lambda: activations.softmax_vjp(Z, np.zeros((3, 2))),
        ValueError,
        "cotangent: expected the shape of z, (2, 3), got (3, 2)",
    ),
    (
        lambda: activations.logsumexp_vjp(Z, np.zeros(3)),
        ValueError,
        "cotangent: expected shape (2,), got (3,)",
    ),
    (
        lambda: activations.softmax(Z, axis=2),
        ValueError,
        "axis: expected an axis of an array of shape (2, 3), got 2",
    ),
    (
        lambda: activations.softmax(Z, axis=1.0),  # type: ignore[arg-type]
        TypeError,
        "axis: expected an int, got float",
    ),
    (
        lambda: activations.logsumexp(np.zeros((2, 0))),
        ValueError,
        "axis: expected at least one entry along axis -1, got shape (2, 0)",
    ),
    (
        lambda: activations.softmax(Z, temperature=0.0),
        ValueError,
        "temperature: expected a positive finite number, got 0.0",
    ),
    (
        lambda: losses.softmax_cross_entropy(Z[0], K),
        ValueError,
        "logits: expected shape (n, c), got (3,)",
    ),
    (
        lambda: losses.softmax_cross_entropy(Z[:0], K[:0]),
        ValueError,
        "logits: expected at least one row and one column, got shape (0, 3)",
    ),
    (
        lambda: losses.softmax_cross_entropy(Z, np.array([2, 3])),
        ValueError,
        "labels[1]: expected a class in 0..2, got 3; classes count from zero",
    ),
    (
        lambda: losses.softmax_cross_entropy(Z, np.array([2, 0, 1])),
        ValueError,
        "labels: expected shape (2,), got (3,)",
    ),
    (
        lambda: losses.softmax_cross_entropy(Z, np.array([2.0, 0.0])),
        TypeError,
        "labels: expected integer classes of shape (2,) or distributions of shape (2, 3), got float64 of shape (2,); "
        "write labels.astype(np.int64) for classes",
    ),
    (
        lambda: losses.softmax_cross_entropy_grad(Z, HALF),
        ValueError,
        "labels[0]: expected probabilities with sum 1, got sum 1.5; divide by the sum",
    ),
    (
        lambda: losses.softmax_cross_entropy_grad(Z, np.array([[1.0, 0.0, 0.0], [2.0, -1.0, 0.0]])),
        ValueError,
        "labels[1, 1]: expected a probability, got -1.0",
    ),
    (
        lambda: losses.softmax_cross_entropy_grad(Z, np.array([[1.0, 0.0, 0.0], [np.nan, 0.0, 1.0]])),
        ValueError,
        "labels[1, 0]: expected a probability, got nan",
    ),
    (
        lambda: losses.softmax_cross_entropy_grad(Z, K, reduction="none"),  # type: ignore[arg-type]
        ValueError,
        "reduction: expected \"mean\" or \"sum\", got 'none'",
    ),
    (
        lambda: losses.softmax_cross_entropy(Z, K, reduction="average"),  # type: ignore[arg-type]
        ValueError,
        "reduction: expected \"mean\", \"sum\" or \"none\", got 'average'",
    ),
    (
        lambda: losses.softmax_cross_entropy(Z, K, label_smoothing=1.0),
        ValueError,
        "label_smoothing: expected a number in [0, 1), got 1.0",
    ),
    (
        lambda: losses.cross_entropy(HALF, HALF),
        ValueError,
        "p[0]: expected probabilities with sum 1, got sum 1.5; divide by the sum",
    ),
    (
        lambda: losses.bce_with_logits(Z, HALF * 3),
        ValueError,
        "labels: expected values in [0, 1], got 1.5",
    ),
    (
        lambda: losses.half_squared_error(Z, Z.T),
        ValueError,
        "targets: expected the shape of predictions, (2, 3), got (3, 2)",
    ),
    (
        lambda: layers.affine(Z, np.zeros((2, 4)), np.zeros(4)),
        ValueError,
        "W: expected shape (3, d_out), got (2, 4)",
    ),
    (
        lambda: layers.affine_vjp(Z, np.zeros((3, 4)), np.zeros(4), Z),
        ValueError,
        "cotangent: expected shape (2, 4), got (2, 3)",
    ),
    (
        lambda: training.softmax_regression(np.zeros((3, 2)), Z, K, l2=-0.1),
        ValueError,
        "l2: expected a finite number of at least 0, got -0.1",
    ),
    (
        lambda: optimizers.sgd(np.zeros(3), np.zeros(3), lr=-1.0),
        ValueError,
        "lr: expected a positive finite number, got -1.0",
    ),
    (
        lambda: optimizers.adam(np.zeros(3), np.zeros(3), ADAM, betas=(0.9, 1.0)),
        ValueError,
        "beta2: expected a number in [0, 1), got 1.0",
    ),
    (
        lambda: optimizers.adam(np.zeros(3), np.zeros(3), ADAM._replace(v=np.array([0.0, -1.0, 0.0]))),
        ValueError,
        "v: expected finite values of at least 0, got -1.0",
    ),
    (
        lambda: optimizers.adam(np.zeros(2), np.zeros(2), ADAM),
        ValueError,
        "m: expected the shape of params, (2,), got (3,)",
    ),
]  # fmt: skip


@pytest.mark.parametrize("attempt, kind, message", REFUSED, ids=[message[:40] for _, _, message in REFUSED])
def test_what_makes_no_sense_is_refused_in_words(
    attempt: Callable[[], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as refused:
        attempt()

    assert str(refused.value) == message
