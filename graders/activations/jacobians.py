"""The exercise on the Jacobian of softmax, a matrix for every row."""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from graders.activations import misconceptions as shared
from graders.activations import misconceptions_jacobians as wrong
from graders.activations.axes import Z_3
from graders.harness.exercise import Exercise, edge, extreme, special
from reference import activations as reference
from reference._types import Array

_Z = [[0.3, -1.7, 0.9], [1.1, 0.4, -0.6]]


# --- softmax_jacobian -------------------------------------------------------------------------------------------------
def jacobian_as_written(z: Array, *, temperature: float = 1.0) -> Array:
    """s_i (δ_ij − s_j) / T."""
    s = reference.softmax(z, temperature=temperature)
    return s[..., :, None] * (np.eye(z.shape[-1]).astype(z.dtype) - s[..., None, :]) / temperature


def jacobian_by_the_outer_product(z: Array, *, temperature: float = 1.0) -> Array:
    """A diagonal matrix of the probabilities, less their outer product."""
    s = reference.softmax(z, temperature=temperature)
    return (np.eye(z.shape[-1]).astype(z.dtype) * s[..., None] - s[..., :, None] * s[..., None, :]) / temperature


def jacobian_of_minus_logsumexp(z: Array, *, temperature: float = 1.0) -> Array:
    """s_i (δ_ij − s_j) / T, with s = e^(z/T − logsumexp(z/T)), where large logits lose digits."""
    x = z / temperature
    s = np.exp(x - np.expand_dims(reference.logsumexp(x), -1))
    return s[..., :, None] * (np.eye(z.shape[-1]).astype(z.dtype) - s[..., None, :]) / temperature


def _torch_softmax_jacobian(torch: Any, z: Array, *, temperature: float = 1.0) -> Array:
    def softmax(row: Any) -> Any:
        return torch.softmax(row / temperature, dim=-1)

    rows = torch.tensor(z).reshape(-1, z.shape[-1])
    made = torch.stack([torch.autograd.functional.jacobian(softmax, row) for row in rows])
    return made.reshape(*z.shape, z.shape[-1]).numpy()


softmax_jacobian = Exercise(
    reference.softmax_jacobian,
    misconceptions=(
        wrong.keeps_the_diagonal_only,
        wrong.forgets_the_diagonal,
        wrong.adds_the_outer_product,
        wrong.uses_the_jacobian_of_log_softmax,
        wrong.reverses_the_sign,
        wrong.takes_the_logits_for_probabilities,
        wrong.applies_softmax_twice,
        wrong.returns_the_diagonal_as_rows,
        wrong.runs_softmax_down_the_columns,
        shared.ignores_the_temperature(reference.softmax_jacobian),
        shared.multiplies_by_the_temperature(reference.softmax_jacobian),
        wrong.forgets_the_inner_derivative,
        wrong.differentiates_an_overflowing_softmax,
        wrong.shifts_by_the_maximum_of_all,
    ),
    programs=(jacobian_as_written, jacobian_by_the_outer_product, jacobian_of_minus_logsumexp),
    edges=(
        edge("small", z=_Z),
        edge("one row", z=[[0.3, -1.7, 0.9, 0.2]]),
        edge("one axis", z=[0.3, -1.7, 0.9, 0.2]),
        edge("three axes", z=Z_3),
        edge("two classes", z=[[0.3, -1.7], [0.9, 1.1], [0.4, -0.6]]),
        edge("all equal in one row", z=[[0.7, 0.7, 0.7], [-0.4, 1.3, -0.4]]),
        edge("warm", z=_Z, temperature=2.5),
        edge("very cold", z=_Z, temperature=0.07),
        special("one class", z=[[0.3], [-1.7]]),
        extreme("one class leads by 20", z=[[20.3, 0.3, -1.7], [0.9, 25.1, 1.1]]),
        extreme("ties on a height", z=[[1000.3, 1000.3, 999.6], [-1000.3, -1000.3, -1001.1]]),
        extreme("rows far apart", z=[[-500.3, -499.1, -501.2], [0.3, -1.7, 0.9], [500.2, 499.4, 501.1]]),
    ),
    rivals={"torch": _torch_softmax_jacobian},
)
