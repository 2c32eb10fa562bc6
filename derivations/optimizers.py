"""Optimizers: what the loop has computed after any number T of steps, from any initial state; proved by induction.

Step number T (from 0) reads the gradient grads[T, j]. Every closed form is a polynomial in the decay rates, so that the
proof for positive rates holds for a rate of 0 as well (with 0⁰ = 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._kernel import Argument, Claim, Erratum, Induction, Part, State
from ._kernel.terms import Σ, Abs, Index, Integer, array, indices, scalars, sizes, sqrt, steps

d = sizes("d")
j = indices("j", d)
T = steps("T")
lr = scalars("lr")
eps, α = scalars("eps alpha", positive=True)
μ = scalars("momentum", positive=True)
params, grads = array("params"), array("grads")
velocity, total, square_avg, m, v = map(array, ("velocity", "sum", "square_avg", "m", "v"))
betas = array("betas", positive=True)
β1, β2 = betas[0], betas[1]
t = steps("t")
g = grads[T, j]

PARAMS, GRADS, LR = Argument("params", (d,)), Argument("grads", (T, d)), Argument("lr")
EPS = Argument("eps", (), "positive")


def decayed(rate: Any, start: Any, what: Callable[[Any], Any], T: Any) -> Any:
    """rate^T · start + Σ_{i<T} rate^(T−1−i) · what(i)."""
    i = Index("i", T)
    return rate**T * start + Σ(rate ** (T - 1 - i) * what(i), i)


def travelled(step: Callable[[Any], Any]) -> Any:
    """The parameters after T steps, where step(s) is what number s (from 0) subtracted."""
    s = Index("s", T)
    return params[j] - Σ(step(s), s)


sgd = Induction(
    name="optimizers.sgd",
    statement="After T steps of gradient descent the parameters have moved by −lr times the sum of the gradients.",
    step=T,
    states=(State(params[j], params[j] - lr * g, params[j] - lr * Σ(grads[Index("i", T), j], Index("i", T)), (j,)),),
    arguments=(PARAMS, GRADS, LR),
    ids=("B20", "B30", "C07", "D26"),
    source="w ← w − λ ∂L/∂w",
)


def velocity_after(T: Any) -> Any:
    """Momentum's velocity: the initial one decayed, less the decayed gradients."""
    return decayed(μ, velocity[j], lambda i: -lr * grads[i, j], T)


momentum = Induction(
    name="optimizers.momentum",
    statement="Momentum's velocity is −lr times a decayed sum of all gradients; the parameters add up the velocities.",
    step=T,
    states=(
        State(velocity[j], μ * velocity[j] - lr * g, velocity_after(T), (j,)),
        State(params[j], params[j] + (μ * velocity[j] - lr * g), travelled(lambda s: -velocity_after(s + 1)), (j,)),
    ),
    arguments=(PARAMS, GRADS, LR, Argument("momentum", (), "unit"), Argument("velocity", (d,))),
    covers={"nesterov": False, "dampening": 0},
    ids=("D27", "D28", "D35", "E07"),
    source="v ← αv − εg, θ ← θ + v",
)


def sum_after(T: Any) -> Any:
    """AdaGrad's accumulator."""
    i = Index("i", T)
    return total[j] + Σ(grads[i, j] ** 2, i)


adagrad = Induction(
    name="optimizers.adagrad",
    statement="AdaGrad's accumulator is the sum of all squared gradients; its root divides each step.",
    step=T,
    states=(
        State(total[j], total[j] + g**2, sum_after(T), (j,)),
        State(
            params[j],
            params[j] - lr * g / (sqrt(total[j] + g**2) + eps),
            travelled(lambda s: lr * grads[s, j] / (sqrt(sum_after(s + 1)) + eps)),
            (j,),
        ),
    ),
    arguments=(PARAMS, GRADS, LR, EPS, Argument("sum", (d,), "positive")),
    ids=("D30", "D31"),
    source="r ← r + g², Δθ = −εg/(δ + √r)",
)


def square_avg_after(T: Any) -> Any:
    """RMSProp's moving average of the squared gradients."""
    return decayed(α, square_avg[j], lambda i: (1 - α) * grads[i, j] ** 2, T)


RMSPROP_AVERAGE = α * square_avg[j] + (1 - α) * g**2
ALPHA, SQUARE_AVG = Argument("alpha", (), "unit"), Argument("square_avg", (d,), "positive")

rmsprop = Induction(
    name="optimizers.rmsprop",
    statement="RMSProp divides each step by the root of a moving average of g², plus eps outside the root.",
    step=T,
    states=(
        State(square_avg[j], RMSPROP_AVERAGE, square_avg_after(T), (j,)),
        State(
            params[j],
            params[j] - lr * g / (sqrt(RMSPROP_AVERAGE) + eps),
            travelled(lambda s: lr * grads[s, j] / (sqrt(square_avg_after(s + 1)) + eps)),
            (j,),
        ),
    ),
    arguments=(PARAMS, GRADS, LR, ALPHA, EPS, SQUARE_AVG),
    covers={"centered": False, "momentum": 0},
    ids=("D33", "D34", "D36"),
    source="r ← ρr + (1 − ρ)g², Δθ = −εg/(δ + √r)",
)


def m_after(T: Any) -> Any:
    """Adam's first moment."""
    return decayed(β1, m[j], lambda i: (1 - β1) * grads[i, j], T)


def v_after(T: Any) -> Any:
    """Adam's second moment."""
    return decayed(β2, v[j], lambda i: (1 - β2) * grads[i, j] ** 2, T)


def adam_step(m: Any, v: Any, t: Any) -> Any:
    """What Adam subtracts, from its moments and the number of the step (from 1)."""
    return lr * (m / (1 - β1**t)) / (sqrt(v / (1 - β2**t)) + eps)


ADAM_M, ADAM_V = β1 * m[j] + (1 - β1) * g, β2 * v[j] + (1 - β2) * g**2
MOMENTS = (Argument("m", (d,)), Argument("v", (d,), "positive"))
BETAS, SO_FAR = Argument("betas", (Integer(2),), "unit"), Argument("t", (), "natural")

adam = Induction(
    name="optimizers.adam",
    statement="Adam's moments are moving averages of g and g²; each step uses bias-corrected copies of them.",
    step=T,
    states=(
        State(t, t + 1, t + T),
        State(m[j], ADAM_M, m_after(T), (j,)),
        State(v[j], ADAM_V, v_after(T), (j,)),
        State(
            params[j],
            params[j] - adam_step(ADAM_M, ADAM_V, t + 1),
            travelled(lambda s: adam_step(m_after(s + 1), v_after(s + 1), t + s + 1)),
            (j,),
        ),
    ),
    arguments=(PARAMS, GRADS, LR, BETAS, EPS, *MOMENTS, SO_FAR),
    covers={"weight_decay": 0, "amsgrad": False},
    ids=("C25", "D37", "D38", "D39", "D40", "D41", "D42"),
    source="s ← ρ₁s + (1 − ρ₁)g, r ← ρ₂r + (1 − ρ₂)g², Δθ = −ε ŝ/(δ + √r̂)",
)

i = Index("i", T)
ρ = scalars("rho", positive=True)
RHO, STEPS = Argument("rho", (), "unit"), Argument("T", (), "natural")
WEIGHTS = (1 - ρ) * Σ(ρ ** (T - 1 - i), i)

momentum_weights_sum = Claim(
    name="optimizers.momentum_weights_sum",
    statement="The weights of momentum's gradients sum to (1 − ρ^T)/(1 − ρ): a decaying sum, not an average.",
    parts=(Part(left=Σ(ρ ** (T - 1 - i), i), right=(1 - ρ**T) / (1 - ρ)),),
    arguments=(RHO, STEPS),
    by_steps=(T, ρ),
    ids=("D29",),
    source="1 + α + … + α^(t−1)",
    note="The difference f of the sides has f(0) = 0 and f(T + 1) = ρ f(T).",
)

adam_weights_sum_to_one_less_decay = Claim(
    name="optimizers.adam_weights_sum_to_one_less_decay",
    statement="The weights that a moving average started at zero gives to T gradients sum to 1 − ρ^T.",
    parts=(Part(left=WEIGHTS, right=1 - ρ**T),),
    arguments=(RHO, STEPS),
    by_steps=(T, ρ),
    ids=("D43",),
    source="Σ weights = 1 − ρ^t",
    note="The difference f of the sides has f(0) = 0 and f(T + 1) = ρ f(T).",
)

mean = array("mean")
adam_bias_correction_is_unbiased = Claim(
    name="optimizers.adam_bias_correction_is_unbiased",
    statement="If all gradients have one mean, so has Adam's bias-corrected moment started at zero.",
    parts=(Part(left=(1 - ρ) * Σ(ρ ** (T - 1 - i) * mean[j], i) / (1 - ρ**T), right=mean[j], axes=(j,)),),
    arguments=(RHO, STEPS, Argument("mean", (d,))),
    given=((Σ(ρ ** (-i), i), ρ ** (1 - T) * (1 - ρ**T) / (1 - ρ)),),
    ids=("D43", "D44"),
    source="E[s_t] = (1 − ρ^t) E[g]",
    note="The given sum is optimizers.momentum_weights_sum, divided by ρ^(T−1).",
)

g1 = grads[0, j]
adam_first_step_has_size_lr = Claim(
    name="optimizers.adam_first_step_has_size_lr",
    statement="From zero moments and with eps = 0, Adam's first step is lr · g/|g|, whatever the size of g.",
    parts=(
        Part(
            left=lr * ((1 - β1) * g1 / (1 - β1)) / sqrt((1 - β2) * g1**2 / (1 - β2)),
            right=lr * g1 / Abs(g1),
            axes=(j,),
        ),
    ),
    arguments=(GRADS, LR, BETAS),
    ids=("D40",),
    source="t = 1: ŝ = g, r̂ = g²",
)

errata = (
    Erratum(
        id="D33",
        as_written=Induction(
            name="optimizers.D33",
            statement="r ← ρr + (−ρ)g² is a moving average of g².",
            step=T,
            states=(State(square_avg[j], α * square_avg[j] - α * g**2, square_avg_after(T), (j,)),),
            arguments=(GRADS, ALPHA, SQUARE_AVG),
            trajectory="square_avg",
        ),
        corrected_by="optimizers.rmsprop",
        note="The weight is 1 − ρ; as written r becomes negative and its root is not a number.",
    ),
    Erratum(
        id="D34",
        as_written=Induction(
            name="optimizers.D34",
            statement="The moving average after t steps ends with g_{t−1}².",
            step=T,
            states=(
                State(
                    square_avg[j],
                    RMSPROP_AVERAGE,
                    decayed(α, square_avg[j], lambda i: 0, T)
                    + decayed(α, 0, lambda i: (1 - α) * grads[i, j] ** 2, T - 1),
                    (j,),
                ),
            ),
            arguments=(GRADS, ALPHA, SQUARE_AVG),
            trajectory="square_avg",
        ),
        corrected_by="optimizers.rmsprop",
        note="The last term is g_t²: the step's own gradient counts.",
    ),
    Erratum(
        id="D38",
        as_written=Claim(
            name="optimizers.D38",
            statement="The weights of the moment divided by 1 − ρ·t sum to one.",
            parts=(Part(left=WEIGHTS / (1 - ρ * T), right=Integer(1)),),
            arguments=(RHO, STEPS),
        ),
        corrected_by="optimizers.adam_bias_correction_is_unbiased",
        note="The correction is 1 − ρ^t, a power.",
    ),
    Erratum(
        id="D39",
        as_written=Induction(
            name="optimizers.D39",
            statement="The corrected moment may overwrite the moment.",
            step=T,
            states=(
                State(t, t + 1, t + T),
                State(
                    m[j],
                    ADAM_M / (1 - β1 ** (t + 1)),
                    decayed(β1, m[j], lambda i: (1 - β1) * grads[i, j], T) / (1 - β1 ** (t + T)),
                    (j,),
                ),
            ),
            arguments=(GRADS, BETAS, MOMENTS[0], SO_FAR),
            trajectory="m",
        ),
        corrected_by="optimizers.adam",
        note="The corrected moments are copies; else constant gradients of 1 give 1, 5.3, 17.9, 47, 104.",
    ),
)
