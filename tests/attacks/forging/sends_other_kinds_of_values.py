"""Sends every kind of value that the codec knows, where an array is expected."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import sys

codec = sys.modules["gradproof_child.codec"]
KINDS = [
    codec.Kept("a"), codec.Kept("", ("x", -1)), codec.Record("R", {"x": codec.Opaque("o")}), codec.Opaque("\x1b[2J" * 100),
    codec.Rebuilt("B", ("x",), codec.Kept("a")), {"": np.ones(1)}, {"status": "returned"}, [], (), [[], [1.0]], [{}],
    [codec.Kept("a")], ["1"], [None], True, "text", -(2**63), float("nan"), np.zeros((0, 7)), np.ones((1,) * 8),
    np.full(3, 2**64 - 1, np.uint64), np.array(True), np.float16([1]), [[[[[[1.0]]]]]], {"x": {"y": (1, [2, {}])}},
]  # fmt: skip
calls = iter(range(10**9))


def relu(z):
    sys.modules["gradproof_child.child"].plain = lambda value, *rest: KINDS[next(calls) % len(KINDS)]
    return np.abs(z)


# end of trick
# verdict: error
