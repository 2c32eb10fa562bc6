"""Inputs of the exercises on norms: distinct sizes, full mantissas."""

from __future__ import annotations

X = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6], [-0.8, 0.5, 1.9], [0.2, -0.3, 0.1]]
FIRST = [[[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]], [[0.7, -0.2, 1.3], [-0.4, 0.9, 0.1]]]
SECOND = [[[1.2, -0.8, 0.5], [-0.3, 0.7, 0.6]], [[-1.3, 0.4, 0.8], [-0.9, 0.2, 1.7]]]
FAR = [[1e4 + 0.3, -1e4 - 1.7, 0.9], [1e4 + 1.1, 0.4 - 1e4, -0.6], [1e4 - 0.8, 0.5 - 1e4, 1.9]]
EVEN = [[0.25, -1.75, 1.0], [1.25, 0.5, -0.5], [-0.75, 0.5, 2.0], [0.25, -0.25, 0.5]]
"""Columns whose deviations from the mean sum up to zero without a rounding, where a gradient must be zero itself."""
HUGE = [[1.3e12, -0.7e12, 0.2e12], [-0.9e12, 0.4e12, 1.7e12], [0.2e12, 1.1e12, -0.6e12]]
"""As large as float32 takes it with (σ² + ε)^(−3/2), the form of the paper (arXiv:1502.03167), which is 0 beyond."""
VAST = [[1.3e17, -0.7e17, 0.2e17], [-0.9e17, 0.4e17, 1.7e17], [0.2e17, 1.1e17, -0.6e17]]
"""As large as float32 takes it with the squares of x, where 1 / rms³ is 0."""
SMALL = [[1.3e-6, -0.7e-6, 0.2e-6], [-0.9e-6, 0.4e-6, 1.7e-6], [0.2e-6, 1.1e-6, -0.6e-6]]
ROWS_FAR = [[1e4 + 0.3, 1e4 - 1.7, 1e4 + 0.9], [1.1 - 1e4, 0.4 - 1e4, -0.6 - 1e4], [0.7, -0.2, 1.3]]
ONE = {"gamma": [-1.3], "beta": [0.7]}
TWO = {"gamma": [0.7, -1.3], "beta": [0.2, 1.9]}
THREE = {"gamma": [0.7, -1.3, 0.4], "beta": [0.2, 1.9, -0.7]}
FOUR = {"gamma": [0.7, -1.3, 0.4, 1.1], "beta": [0.2, 1.9, -0.7, 0.3]}
EIGHT = {
    "gamma": [0.7, -1.3, 0.4, 1.1, -0.6, 0.9, 1.7, -0.8],
    "beta": [0.2, 1.9, -0.7, 0.3, 0.8, -1.1, 0.6, -0.4],
}
SIX = {"gamma": [0.7, -1.3, 0.4, 1.1, -0.6, 0.9], "beta": [0.2, 1.9, -0.7, 0.3, 0.8, -1.1]}
