"""Never returns."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
def relu(z):
    while True:
        pass


# end of trick
# verdict: timeout, of CPU time
