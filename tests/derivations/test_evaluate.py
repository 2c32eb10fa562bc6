"""The value of a proved expression at concrete arguments."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from mpmath import mp

from derivations._catalogue import claims
from derivations._kernel import Claim, Induction, covers, evaluate

CLAIMS = claims()


def value(name: str, digits: int = 50, **arguments: Any) -> Any:
    claim = CLAIMS[name]
    assert isinstance(claim, Claim | Induction)
    results = evaluate(claim, arguments, digits)
    return results[""] if set(results) == {""} else results


def test_a_float_is_the_binary_fraction_it_stands_for() -> None:
    loss = value("losses.half_squared_error", predictions=[[0.1]], targets=[[0.0]])

    with mp.workdps(60):
        assert abs(loss - mp.mpf(Fraction(0.1).numerator) ** 2 / Fraction(0.1).denominator ** 2 / 2) < 1e-52


def test_the_gradient_of_a_row_of_equal_logits() -> None:
    (row,) = value("losses.softmax_cross_entropy_grad", logits=[[5.0, 5.0, 5.0]], labels=[[1.0, 0.0, 0.0]])

    with mp.workdps(60):
        assert max(abs(a - b) for a, b in zip(row, [-mp.mpf(2) / 3, mp.mpf(1) / 3, mp.mpf(1) / 3], strict=True)) < 1e-50


def test_extreme_logits_do_not_overflow() -> None:
    assert value("losses.softmax_cross_entropy", logits=[[1000.0, -1000.0]], labels=[[0.0, 1.0]]) == 2000
    assert value("losses.bce_with_logits", logits=[-1000.0, 1000.0], labels=[1.0, 0.0]) == 1000
    assert value("activations.logsumexp", z=[[1000.0, 1000.0 - 2000.0]]) == [1000]
    assert value("activations.softmax", z=[[1000.0, -1000.0]])[0][1] > 0


def test_a_masked_logit_has_probability_zero() -> None:
    assert value("activations.softmax", z=[[0.0, float("-inf")]]) == [[1, 0]]
    assert value("losses.softmax_cross_entropy", logits=[[0.0, float("-inf")]], labels=[[1.0, 0.0]]) == 0


def test_zero_times_log_zero_is_zero() -> None:
    assert value("losses.cross_entropy", p=[[1.0, 0.0]], q=[[1.0, 0.0]]) == 0


def test_the_slope_of_relu_at_its_kink_is_zero() -> None:
    assert value("activations.relu_vjp", z=[-1.0, 0.0, 2.0], cotangent=[3.0, 3.0, 3.0]) == [0, 0, 3]


def test_more_digits_agree_with_fewer() -> None:
    arguments = {"z": [0.3, -4.0], "cotangent": [1.7, 2.0]}
    few, many = (value("activations.tanh_vjp", digits, **arguments) for digits in (40, 120))

    assert all(abs(a - b) <= abs(b) * mp.mpf(10) ** -30 for a, b in zip(few, many, strict=True))


def test_a_hyperparameter_that_is_not_given_has_its_default() -> None:
    arguments: dict[str, Any] = {"logits": [[1.0, 2.0]], "labels": [[1.0, 0.0]]}

    plain = value("losses.softmax_cross_entropy_grad", **arguments)
    assert plain == value("losses.softmax_cross_entropy_grad", label_smoothing=0.0, **arguments)
    assert plain != value("losses.softmax_cross_entropy_grad", label_smoothing=0.5, **arguments)
    assert value("activations.softmax", z=[[1.0, 2.0]]) == value("activations.softmax", z=[[2.0, 4.0]], temperature=2.0)


def test_several_outputs_bear_their_names_and_shapes() -> None:
    arguments = {"x": [[1.0, 2.0, 3.0]], "W": [[1.0, 0.5]] * 3, "b": [0.0, 1.0], "cotangent": [[2.0, 3.0]]}
    claim = CLAIMS["layers.affine_vjp"]
    assert isinstance(claim, Claim)
    results = evaluate(claim, arguments, 50)

    assert results == {"dx": [[3.5, 3.5, 3.5]], "dW": [[2, 3], [4, 6], [6, 9]], "db": [2, 3]}


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {},
    "momentum": {"momentum": 0.5, "velocity": [0.25, -1.0]},
    "adagrad": {"eps": 0.125, "sum": [0.0, 2.0]},
    "rmsprop": {"alpha": 0.75, "eps": 0.125, "square_avg": [0.0, 2.0]},
    "adam": {"betas": (0.5, 0.75), "eps": 0.125, "m": [0.0, 1.0], "v": [0.0, 2.0], "t": 0},
}
GRADS = [[1.5, -2.0], [0.5, 0.0], [-0.25, 3.0]]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_row_of_the_trajectory_is_what_fewer_steps_give(name: str) -> None:
    arguments = {"params": [1.0, -1.0], "lr": 0.5, **OPTIMIZERS[name]}
    whole = value(f"optimizers.{name}", grads=GRADS, **arguments)["params"]

    assert len(whole) == len(GRADS)
    for steps in range(1, len(GRADS)):
        assert value(f"optimizers.{name}", grads=GRADS[:steps], **arguments)["params"] == whole[:steps]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_can_be_continued_from_its_state(name: str) -> None:
    arguments = {"params": [1.0, -1.0], "lr": 0.5, **OPTIMIZERS[name]}
    whole = value(f"optimizers.{name}", grads=GRADS, **arguments)
    half = value(f"optimizers.{name}", grads=GRADS[:1], **arguments)
    rest = value(f"optimizers.{name}", grads=GRADS[1:], **{**arguments, **half, "params": half["params"][-1]})

    with mp.workdps(60):
        gaps = [abs(a - b) for a, b in zip(rest["params"][-1], whole["params"][-1], strict=True)]
    assert max(gaps) < 1e-50
    assert rest.get("t") == whole.get("t")


def test_no_step_leaves_the_state_alone() -> None:
    results = value("optimizers.adam", grads=[], params=[1.0], lr=0.5, betas=(0.5, 0.5), eps=1.0, m=[2.0], v=[3.0], t=7)

    assert results == {"params": [], "m": [2], "v": [3], "t": 7}


def test_decay_rates_of_zero_keep_the_last_gradient_only() -> None:
    results = value("optimizers.momentum", grads=GRADS, params=[0.0, 0.0], lr=1.0, momentum=0.0, velocity=[9.0, 9.0])

    assert results["velocity"] == [0.25, -3]


def test_axes_that_disagree_are_refused() -> None:
    with pytest.raises(ValueError, match="axis c of labels has 3 values, not 2"):
        value("losses.softmax_cross_entropy", logits=[[1.0, 2.0]], labels=[[1.0, 0.0, 0.0]])


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(TypeError, match=r"losses\.softmax_cross_entropy needs labels"):
        value("losses.softmax_cross_entropy", logits=[[1.0, 2.0]])


def test_a_claim_says_which_hyperparameters_it_covers() -> None:
    claim, loop = CLAIMS["losses.softmax_cross_entropy_grad"], CLAIMS["optimizers.adam"]
    assert isinstance(claim, Claim)
    assert isinstance(loop, Induction)

    assert covers(claim, {"reduction": "mean", "axis": -1})
    assert covers(claim, {})
    assert not covers(claim, {"reduction": "sum"})
    assert covers(claim, {"label_smoothing": 0.1})
    assert not covers(claim, {"ignore_index": 0})
    assert covers(loop, {"lr": 0.1, "betas": (0.5, 0.7), "eps": 0.1})
