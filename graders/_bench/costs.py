"""How many multiplications and additions a function must make at least, where that is more than reading its arguments.

For products of matrices and what contains them: everything else is bound by the bytes it moves. A gradient is counted
without the forward pass that it may repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graders.harness.cases import Case
from graders.harness.speed.workloads import numbers

Given = Mapping[str, Any]


def _product(*names: str, times: int = 1) -> Callable[[Given], float]:
    """Return 2 · rows of the first · size of each matrix after it, so many times."""
    return lambda given: 2.0 * times * len(given[names[0]]) * sum(given[name].size for name in names[1:])


def _convolution(passes: int) -> Callable[[Given], float]:
    def operations(given: Given) -> float:
        x, w = given["x"], given["w"]
        out = given["cotangent"].size if "cotangent" in given else _outputs(x, w)
        return float(2 * passes * out * w[0].size)

    return operations


def _outputs(x: Any, w: Any) -> int:
    """Return how many numbers a convolution of stride 1 without padding returns."""
    height, width = x.shape[-2] - w.shape[-2] + 1, x.shape[-1] - w.shape[-1] + 1
    return int(x.shape[0] * w.shape[0] * height * width)


def _single(given: Given) -> float:
    x, w = given["x"], given["w"]
    return float(2 * w.size * (x.shape[0] - w.shape[0] + 1) * (x.shape[1] - w.shape[1] + 1))


def _pointwise(passes: int) -> Callable[[Given], float]:
    return lambda given: float(2 * passes * given["x"].size * len(given["w"]))


def _layers(passes: int) -> Callable[[Given], float]:
    """Return the operations of a network's layers, as far as their matrices tell."""
    return lambda given: 2.0 * passes * len(given["x"]) * sum(a.size for a in numbers(given["layers"]) if a.ndim == 2)


OPERATIONS: Mapping[str, Callable[[Given], float]] = {
    "layers.affine": _product("x", "W"),
    "layers.affine_vjp": _product("x", "W", times=2),
    "layers.residual_unit": _product("x", "W", "V"),
    "layers.residual_unit_vjp": _product("x", "W", "V", times=2),
    "convolution.cross_correlate2d": _single,
    "convolution.convolve2d": _single,
    "convolution.conv2d": _convolution(1),
    "convolution.conv2d_vjp": _convolution(2),
    "convolution.pointwise_conv2d": _pointwise(1),
    "convolution.pointwise_conv2d_vjp": _pointwise(2),
    "regularization.ridge_objective": _product("x", "W"),
    "regularization.ridge_objective_grad": _product("x", "W", times=2),
    "training.softmax_regression": _product("x", "W"),
    "training.softmax_regression_grad": _product("x", "W", times=2),
    "training.logistic_regression": _product("x", "w"),
    "training.logistic_regression_grad": _product("x", "w", times=2),
    "training.linear_classifier": _product("x", "W"),
    "networks.mlp": _layers(1),
    "networks.mlp_forward": _layers(1),
    "networks.mlp_vjp": _layers(2),
    "networks.mlp_loss": _layers(1),
    "networks.mlp_loss_grad": _layers(2),
}


def operations(name: str, case: Case) -> float:
    """Return the operations of one call; 0 where the bytes decide."""
    count = OPERATIONS.get(name)
    return count(case.arguments) if count is not None else 0.0
