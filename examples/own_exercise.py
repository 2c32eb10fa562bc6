"""An exercise of one's own, complete: softsign(z) = z / (1 + |z|)."""

from typing import Annotated

import numpy as np

import gradproof
from graders.harness.exercise import Exercise, edge, extreme

Rows = Annotated[np.ndarray, "n d"]  # axes; a domain may follow: "simplex", "unit", "nonnegative", "classes"


def softsign(z: Rows) -> Rows:
    """z / (1 + |z|), between −1 and 1."""
    return z / (1 + np.abs(z))


def forgets_the_absolute_value(z):
    """You divided by 1 + z, which is 0 at z = −1. Divide by 1 + |z|."""
    return z / (1 + z)


def squares_instead(z):
    """You computed z / √(1 + z²), another sigmoid. Softsign divides by 1 + |z|."""
    return z / np.sqrt(1 + z * z)


exercise = Exercise(
    softsign,
    misconceptions=(forgets_the_absolute_value, squares_instead),
    programs=(lambda z: np.sign(z) - np.sign(z) / (1 + np.abs(z)),),  # another honest formula: it must pass
    edges=(
        edge("both signs", z=[[0.3, -1.7], [2.1, -0.4]]),
        extreme("far out", z=[[1e4, -1e4, 0.3]]),
    ),
)

if __name__ == "__main__":
    print(gradproof.check(exercise, lambda z: z / np.sqrt(1 + z**2)))
