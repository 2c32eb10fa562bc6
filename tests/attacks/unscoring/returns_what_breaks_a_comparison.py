"""Returns whatever could make the grader's own arithmetic raise."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
ODD = [
    np.zeros((0,)), np.zeros((3, 0, 10**9)), np.ones((1,) * 30), np.full(2, 2**64 - 1, np.uint64), np.float64("inf"),
    [[1.0], [1.0, 2.0]], [[[]]], [float("nan")], [1, "a", None], [10**30], (), {}, {"": 1.0}, {1: 2}, np.array(["a"]),
    np.ma.masked_all(3), np.matrix([1.0]), np.rec.array([(1, 2.0)]), np.bool_(True), np.datetime64("2000"), np.void(b"1"),
    memoryview(b"abc"), range(10**9), iter(()), NotImplemented, Ellipsis, type, -0.0, 1e400, "\ud800", bytearray(9),
]  # fmt: skip
NEXT = iter(ODD * 100)


def relu(z):
    return next(NEXT)


# end of trick
# verdict: error
