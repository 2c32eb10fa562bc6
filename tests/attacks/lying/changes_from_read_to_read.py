"""Returns a mapping that holds something else each time one looks."""

import numpy as np


def affine_vjp(x, W, b, cotangent):
    return cotangent @ W.T, x.T @ cotangent, cotangent[0]


# trick
import collections.abc


class Shifty(collections.abc.Mapping):
    reads = 0

    def __getitem__(self, name):
        self.reads += 1
        return np.zeros(self.reads)

    def __iter__(self):
        self.reads += 1
        return iter(("dx", "dW", "db", "x")[: 3 + self.reads % 2])

    def __len__(self):
        return 3


def affine_vjp(x, W, b, cotangent):
    return Shifty()


# end of trick
# verdict: wrong
