"""Says that it needs a package, and another one each time it has got one."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import itertools

for number in itertools.count():
    try:
        __import__(f"absent_{number}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(error.msg, name="absent_" + str(number)) from None
# end of trick
# verdict: unreadable, which is not allowed or not installed
