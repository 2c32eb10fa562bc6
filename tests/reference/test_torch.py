"""The conventions are PyTorch's where they say so: the same numbers, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference import losses, optimizers

torch = pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")
F = torch.nn.functional

RNG = np.random.default_rng(5)
Z, Y, T = RNG.standard_normal((4, 3)), RNG.dirichlet(np.ones(3), 4), RNG.random((4, 3))
K = np.array([2, 0, 1, 1])
THETA, GRADS = RNG.standard_normal(6), RNG.standard_normal((8, 6))


def assert_close(got: Any, tensor: Any) -> None:
    np.testing.assert_allclose(got, tensor.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.3])
@pytest.mark.parametrize("labels", [Y, K], ids=["distributions", "classes"])
def test_softmax_cross_entropy(reduction: Any, label_smoothing: float, labels: Any) -> None:
    expected = F.cross_entropy(
        torch.tensor(Z), torch.tensor(labels), reduction=reduction, label_smoothing=label_smoothing
    )

    assert_close(
        losses.softmax_cross_entropy(Z, labels, reduction=reduction, label_smoothing=label_smoothing), expected
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_bce_with_logits(reduction: Any) -> None:
    expected = F.binary_cross_entropy_with_logits(torch.tensor(Z), torch.tensor(T), reduction=reduction)

    assert_close(losses.bce_with_logits(Z, T, reduction=reduction), expected)


@pytest.mark.parametrize(
    "name, other, state, hyper",
    [
        ("adagrad", "Adagrad", optimizers.AdagradState(np.zeros(6)), {"lr": 0.5, "eps": 0.1}),
        ("rmsprop", "RMSprop", optimizers.RmspropState(np.zeros(6)), {"lr": 0.5, "alpha": 0.7, "eps": 0.1}),
        (
            "adam",
            "Adam",
            optimizers.AdamState(0, np.zeros(6), np.zeros(6)),
            {"lr": 0.5, "betas": (0.5, 0.7), "eps": 0.1},
        ),
        ("momentum", "SGD", optimizers.MomentumState(np.zeros(6)), {"lr": 0.5, "momentum": 0.6}),
    ],
)
def test_eight_steps_of_an_optimizer(name: str, other: str, state: Any, hyper: dict[str, Any]) -> None:
    tensor = torch.tensor(THETA, requires_grad=True)
    optimizer = getattr(torch.optim, other)([tensor], **hyper)
    theta = THETA
    for g in GRADS:
        theta, state = getattr(optimizers, name)(theta, g, state, **hyper)
        tensor.grad = torch.tensor(g)
        optimizer.step()

    assert_close(theta, tensor)
