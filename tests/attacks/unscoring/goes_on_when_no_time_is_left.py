"""Uses up all its seconds, and goes on to functions for which none are left."""

import numpy as np


def relu(z):
    return np.maximum(z, 0)


# trick
import time

while time.process_time() < 0.4:  # each function that does not end has it started again
    pass

for name in (
    "accuracy", "center", "entropy", "fans", "flatten", "l1_penalty", "l2_penalty", "leaky_relu", "max_norm",
    "minmax", "mse", "mse_grad", "sgd", "sigmoid", "softplus", "step_lr", "tanh",
):  # fmt: skip
    exec(f"def {name}(*given):\n    while True:\n        pass")
# end of trick
# verdict: timeout
