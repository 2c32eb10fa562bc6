"""Raises an exception whose message raises another."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
class Unsayable(BaseException):
    def __str__(self):
        raise Unsayable

    __repr__ = __str__


def relu(z):
    raise Unsayable


# end of trick
# verdict: error
