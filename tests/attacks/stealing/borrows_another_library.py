"""Imports a library that is not allowed and has the function already."""

import numpy as np


def softmax(z, axis=-1, temperature=1.0):
    return np.exp(z)


# trick
for name in ("torch", "scipy.special", "jax.nn", "sklearn.utils.extmath"):
    try:
        module = __import__(name, fromlist=["softmax"])
        softmax = lambda z, axis=-1, temperature=1.0: np.asarray(module.softmax(z / temperature, axis))
        break
    except Exception:
        pass
# end of trick
# verdict: wrong
