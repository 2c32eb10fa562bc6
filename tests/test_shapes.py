"""Submissions whose arguments or results are no plain arrays: layers, caches, lists, integers, records."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gradproof
from graders import _api
from reference import networks

RIGHT = """
import numpy as np
from scipy.stats import norm

def conv2d(x, w, b, *, stride=1, padding=0, dilation=1, groups=1):
    (sh, sw), (ph, pw), (dh, dw) = (v if isinstance(v, tuple) else (v, v) for v in (stride, padding, dilation))
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    (n, _, h, v), (o, c, kh, kw) = x.shape, w.shape
    oh, ow = (h - dh * (kh - 1) - 1) // sh + 1, (v - dw * (kw - 1) - 1) // sw + 1
    y = np.zeros((n, o, oh, ow), x.dtype)
    for k in range(o):
        first = k // (o // groups) * c
        for i in range(oh):
            for j in range(ow):
                rows = slice(i * sh, i * sh + dh * (kh - 1) + 1, dh)
                columns = slice(j * sw, j * sw + dw * (kw - 1) + 1, dw)
                y[:, k, i, j] = (x[:, first : first + c, rows, columns] * w[k]).sum((1, 2, 3)) + b[k]
    return y

def mlp_vjp(x, layers, cotangent, *, activation="relu"):
    sigmoid = lambda z: np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))
    known = {
        "identity": (lambda z: z, lambda z: np.ones_like(z)),
        "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
        "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
        "sigmoid": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
        "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)),
        "softplus": (lambda z: np.logaddexp(z, 0), sigmoid),
        "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * sigmoid(-z))),
    }
    if activation == "gelu":
        known["gelu"] = lambda z: z * norm.cdf(z), lambda z: norm.cdf(z) + z * norm.pdf(z)
    g, slope = known[activation]
    inputs, sums = [x], []
    for W, b in layers:
        sums.append(inputs[-1] @ W + b)
        inputs.append(g(sums[-1]))
    error, grads = cotangent, []
    for i in reversed(range(len(layers))):
        grads.append({"W": inputs[i].T @ error, "b": error.sum(0)})
        error = error @ layers[i].W.T
        if i:
            error = error * slope(sums[i - 1])
    return error, grads[::-1]

def sample_mean(x, state):
    n, m = state
    return n + len(x), (n * m + x.sum(0)) / (n + len(x))

def fans(shape):
    field = int(np.prod(shape[2:]))
    return tuple(shape) if len(shape) == 2 else (shape[1] * field, shape[0] * field)

def receptive_field(*, kernel_sizes, strides=None, dilations=None):
    strides, dilations = strides or [1] * len(kernel_sizes), dilations or [1] * len(kernel_sizes)
    return 1 + sum(d * (k - 1) * int(np.prod(strides[:i])) for i, (k, d) in enumerate(zip(kernel_sizes, dilations)))

def linear_classifier(x, W, b):
    return np.argmax(x @ W + b, axis=1)

def one_hot(labels, *, num_classes):
    return np.eye(num_classes)[labels]
"""
WRONG = """
import numpy as np

def conv2d(x, w, b, *, stride=1, padding=0, dilation=1, groups=1):
    return x

def mlp_errors(layers, cache, cotangent, *, activation="relu"):
    return [cotangent] * len(layers)

def mlp_vjp(x, layers, cotangent, *, activation="relu"):
    return x, [(np.zeros_like(W), b) for W, b in layers]

def sample_mean(x, state):
    return state._replace(n=state.n + 1, mean=state.mean + x.mean(0))

def fans(shape):
    return {"fan_in": shape[0], "fan_out": shape[1]}

def receptive_field(kernel_sizes, strides=None, dilations=None):
    return 1 + sum(k - 1 for k in kernel_sizes)

def linear_classifier(x, W, b):
    return np.argmin(x @ W + b, axis=1)

def one_hot(labels, *, num_classes):
    return np.eye(num_classes)[labels - 1]

def clip_by_global_norm(grads, *, max_norm):
    return [g / 2 for g in grads]
"""


def test_right_programs_of_every_shape_are_right(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="the program imports SciPy, which is not installed")
    (tmp_path / "right.py").write_text(RIGHT)

    (submission,) = gradproof.grade(tmp_path / "right.py", seed=0).submissions

    verdicts = {e.name: (e.verdict, e.reason) for e in submission.exercises}
    assert len(verdicts) == 7
    assert {verdict for verdict, _ in verdicts.values()} == {"correct"}, verdicts


def test_wrong_programs_of_every_shape_are_shown_where_and_their_witness_runs(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)

    (submission,) = gradproof.grade(tmp_path / "wrong.py", seed=0).submissions

    assert len(submission.exercises) == 9
    for exercise in submission.exercises:
        assert exercise.verdict == "wrong", exercise.name
        assert exercise.witness is not None
        code = exercise.witness.code
        assert len(code.split("\n")) <= 9
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (exercise.name, code, done.stderr)
        assert re.search(r"# .*should be .*\d", code)


def test_the_part_of_a_nested_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)

    report = gradproof.grade(tmp_path / "wrong.py", only=["clip_by_global_norm", "mlp_errors"], seed=0)
    clipped, errors = report.submissions[0].exercises

    assert clipped.witness is not None
    assert clipped.witness.output == "[0]"
    assert "# [0] should be" in clipped.witness.code
    assert errors.witness is not None
    assert errors.witness.output == "[0]"
    assert "# [0] should be" in errors.witness.code


# ---------------------------------------------------------------- results under other names, and in one row

NAMED_OTHERWISE = """
import numpy as np
from typing import NamedTuple

class Grads(NamedTuple):
    dmu: np.ndarray
    dvar: np.ndarray

def gaussian_nll_grad(predictions, targets, variance, reduction="mean"):
    off, n = predictions - targets, len(predictions) if reduction == "mean" else 1
    return Grads(SCALE * off / variance / n, 0.5 * (1 - off**2 / variance) / variance / n)
"""
"""A named tuple of which no name is the reference's."""


@pytest.mark.parametrize(("scale", "expected"), [("1", "correct"), ("2", "wrong")])
def test_a_named_tuple_of_other_names_is_read_in_its_order(scale: str, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "theirs.py"
    file.write_text(NAMED_OTHERWISE.replace("SCALE", scale))

    (submission,) = _api.grade([file], seed=0).submissions
    assert {e.name: e.verdict for e in submission.exercises} == {"losses.gaussian_nll_grad": expected}


@pytest.mark.parametrize(("scale", "expected"), [("1", "correct"), ("2", "wrong")])
def test_the_parts_of_a_nested_result_may_come_in_one_row(scale: str, expected: str) -> None:
    def mlp_vjp(x: Any, layers: Any, cotangent: Any, *, activation: Any = "relu") -> Any:
        dx, grads = networks.mlp_vjp(x, [networks.Layer(*layer) for layer in layers], cotangent, activation=activation)
        return (dx, *(float(scale) * part for layer in grads for part in layer))

    assert gradproof.check("networks.mlp_vjp", mlp_vjp).verdict == expected
