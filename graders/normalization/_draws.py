"""What batch and group norm are drawn: never one value alone, which has no variance, and which PyTorch refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graders.harness.drawing import Source


def _normalized(source: Source, shape: tuple[int, ...], values: int) -> dict[str, Any]:
    """Return samples of a shape, with gain and bias; raise where so many values that share a mean are but one."""
    if values < 2:
        raise ValueError(f"x: expected several values with a mean of their own, got shape {shape}")
    features = shape[1:2]
    return {"x": source.real(shape), "gamma": source.real(features), "beta": source.real(features)}


def batches(source: Source, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table or images with several values of each feature."""
    del hyperparameters
    sizes = source.sizes(("c", "d", "h", "n", "v"))
    shape = tuple(sizes[axis] for axis in source.form((("n", "d"), ("n", "c", "h", "v"))))
    values = shape[0] * (1 if len(shape) == 2 else shape[2] * shape[3])
    return _normalized(source, shape, values)


def groups(source: Source, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table or images with several values in each group of channels."""
    sizes = source.sizes(("c", "h", "n", "v"))
    shape = tuple(sizes[axis] for axis in source.form((("n", "c"), ("n", "c", "h", "v"))))
    if shape[1] % hyperparameters["num_groups"]:
        raise ValueError(f"num_groups: expected a divisor of {shape[1]}, got {hyperparameters['num_groups']}")
    values = shape[1] // hyperparameters["num_groups"] * (1 if len(shape) == 2 else shape[2] * shape[3])
    return _normalized(source, shape, values)


def batches_with_cotangent(source: Source, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same, and what comes from above."""
    drawn = batches(source, hyperparameters)
    return drawn | {"cotangent": source.gradient(drawn["x"].shape)}


def groups_with_cotangent(source: Source, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same, and what comes from above."""
    drawn = groups(source, hyperparameters)
    return drawn | {"cotangent": source.gradient(drawn["x"].shape)}
