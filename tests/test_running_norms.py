"""Batch norm that is given its running statistics, as books and PyTorch have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders import _api

RETURNS = """
import numpy as np
def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    axes = 0 if X.ndim == 2 else (0, 2, 3)
    mean = X.mean(axes, keepdims=X.ndim == 4)
    var = ((X - mean) ** 2).mean(axes, keepdims=X.ndim == 4)
    moving_mean = momentum * moving_mean + (1.0 - momentum) * mean
    moving_var = momentum * moving_var + (1.0 - momentum) * var
    return gamma * (X - mean) / np.sqrt(var + eps) + beta, moving_mean, moving_var
"""
WRITES = """
import numpy as np
def batchnorm(x, running_mean, running_var, weight, bias, training=True, momentum=0.1, eps=1e-5):
    if training:
        mean, var, n = x.mean(0), x.var(0), len(x)
        running_mean[:] = (1 - momentum) * running_mean + momentum * mean
        running_var[:] = (1 - momentum) * running_var + momentum * var * n / (n - 1)
    else:
        mean, var = running_mean, running_var
    return (x - mean) / np.sqrt(var + eps) * weight + bias
"""


def verdicts(tmp_path: Path, text: str) -> dict[str, str]:
    (tmp_path / "theirs.py").write_text(text)
    (submission,) = _api.grade([tmp_path / "theirs.py"], seed=0).submissions
    return {e.name.partition(".")[2]: e.verdict for e in submission.exercises}


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("", "", {"batch_norm": "correct", "running_statistics": "convention"}),  # whose variance is the biased one
        ("np.sqrt(var + eps)", "(np.sqrt(var) + eps)", {"batch_norm": "wrong", "running_statistics": "convention"}),
        ("momentum * moving_mean", "moving_mean", {"batch_norm": "correct", "running_statistics": "wrong"}),
        # for images the statistics are of another shape then: they are judged by tables alone
        ("X.mean(axes", "X.mean(0", {"batch_norm": "wrong", "running_statistics": "convention"}),
    ],
)
def test_the_new_statistics_may_be_returned(right: str, wrong: str, expected: dict[str, str], tmp_path: Path) -> None:
    assert verdicts(tmp_path, RETURNS.replace(right, wrong) if right else RETURNS) == expected


ALL = ("batch_norm", "batch_norm_when_evaluating", "running_statistics")


@pytest.mark.parametrize(
    ("right", "wrong", "mistaken"),
    [
        ("", "", ""),
        ("mean, var = running_mean, running_var", "mean, var = running_mean, x.var(0)", ALL[1]),
        (" * n / (n - 1)", " * n", ALL[2]),
        ("* weight + bias", "* weight + 2 * bias", ALL[0]),
    ],
)
def test_they_may_be_written_where_the_old_ones_were(right: str, wrong: str, mistaken: str, tmp_path: Path) -> None:
    """Of tables only: what it does with images is not asked, as it would not get through them."""
    found = verdicts(tmp_path, WRITES.replace(right, wrong) if right else WRITES)

    assert set(found) == set(ALL)
    assert {name for name, verdict in found.items() if verdict != "correct"} >= ({mistaken} if mistaken else set())
    assert mistaken or set(found.values()) == {"correct"}
