"""Loops when somebody asks for the parameters of its function."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
class Function:
    def __call__(self, z):
        return np.maximum(z, 0)

    @property
    def __signature__(self):
        while True:
            pass


relu = Function()
# end of trick
# verdict: unreadable, of CPU time
