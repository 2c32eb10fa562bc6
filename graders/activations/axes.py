"""Inputs of three axes: an activation takes any shape, and which axis is meant shows only where there are several."""

from __future__ import annotations

from graders.harness.exercise import edge

Z_3 = [
    [[0.3, -1.7, 0.9, 0.2], [1.1, 0.4, -0.6, -1.3], [-0.8, 0.5, 1.6, -0.1]],
    [[-1.2, 0.7, 0.1, 1.9], [0.6, -0.3, -1.6, 0.8], [1.4, -0.9, 0.2, -0.4]],
]
G_3 = [
    [[0.7, -0.2, 1.3, 0.4], [-1.1, 0.6, -0.9, 0.1], [1.7, -0.8, 0.5, -1.2]],
    [[0.3, 1.1, -0.7, -1.6], [0.9, -0.4, 0.2, 1.4], [-0.3, 0.8, -1.3, 0.6]],
]
ALONG_AN_AXIS = (
    edge("three axes", z=Z_3),
    edge("three axes, along the middle one", z=Z_3, axis=1),
    edge("three axes, along the last but one", z=Z_3, axis=-2),
)
GRADIENTS_ALONG_AN_AXIS = (
    edge("three axes", z=Z_3, cotangent=G_3),
    edge("three axes, along the middle one", z=Z_3, cotangent=G_3, axis=1),
    edge("three axes, along the last but one", z=Z_3, cotangent=G_3, axis=-2),
)
