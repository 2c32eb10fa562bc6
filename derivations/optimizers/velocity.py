"""Momentum: its three forms and their conversions, Nesterov's two conventions, the speed that it approaches."""

from __future__ import annotations

from typing import Any

from .._kernel import Argument, Claim, Erratum, Induction, Line, Part, State
from .._kernel.terms import Σ, Integer, array
from ._loop import (
    GRADS,
    LR,
    MOMENTUM,
    PARAMS,
    RHO,
    STEPS,
    THREE,
    VELOCITY,
    T,
    d,
    decayed,
    g,
    grads,
    i,
    j,
    lr,
    params,
    rows,
    travelled,
    μ,
    ρ,
)

velocity, buffer, delta, ahead = map(array, ("velocity", "buffer", "delta", "ahead"))
START = (PARAMS, GRADS, LR, MOMENTUM)
NEXT = μ * velocity[j] - lr * g


def velocity_after(T: Any) -> Any:
    """Momentum's velocity: the initial one decayed, less the decayed gradients."""
    return decayed(μ, velocity[j], lambda i: -lr * grads[i, j], T)


def buffer_after(T: Any) -> Any:
    """PyTorch's buffer: the initial one and the gradients, all decayed."""
    return decayed(μ, buffer[j], lambda i: grads[i, j], T)


def delta_after(T: Any) -> Any:
    """What is subtracted in the form with the other sign."""
    return decayed(μ, delta[j], lambda i: lr * grads[i, j], T)


AFTER = ((velocity[T, j], velocity_after(T)), (buffer[T, j], buffer_after(T)), (delta[T, j], delta_after(T)))

momentum = Induction(
    name="optimizers.momentum",
    statement="Momentum's velocity is −lr times a decayed sum of all gradients; the parameters add up the velocities.",
    step=T,
    states=(
        State(velocity[j], μ * velocity[j] - lr * g, velocity_after(T), (j,)),
        State(params[j], params[j] + (μ * velocity[j] - lr * g), travelled(lambda s: -velocity_after(s + 1)), (j,)),
    ),
    arguments=(*START, VELOCITY),
    covers={"nesterov": False, "dampening": 0},
    where=AFTER,
    ids=("D27", "D28", "D35", "E07"),
    source="v ← αv − εg, θ ← θ + v",
)

V1, V2, V3 = rows(lambda v, t: μ * v - lr * grads[t, j], velocity[j])
G1, G2, G3 = (grads[t, j] for t in range(3))

momentum_of_the_first_three_steps = Claim(
    name="optimizers.momentum_of_the_first_three_steps",
    statement="Written out, v₁ = αv − εg₁, v₂ = α²v − ε(αg₁ + g₂) and v₃ = α³v − ε(α²g₁ + αg₂ + g₃).",
    parts=(
        Part(left=velocity_after(Integer(1)), right=V1, axes=(j,), output="v_1"),
        Part(left=V2, right=μ**2 * velocity[j] - lr * (μ * G1 + G2), axes=(j,), output="v_2"),
        Part(
            left=V3,
            right=μ**3 * velocity[j] - lr * (μ**2 * G1 + μ * G2 + G3),
            axes=(j,),
            lines=(Line(velocity_after(Integer(3)), "what optimizers.momentum says for T = 3"),),
            output="v_3",
        ),
    ),
    arguments=(THREE, LR, MOMENTUM, VELOCITY),
    ids=("D28",),
    source="v ← αv − εg, three times",
)

momentum_as_a_buffer = Induction(
    name="optimizers.momentum_as_a_buffer",
    statement="PyTorch keeps b ← μb + g, a decayed sum of the gradients without lr, and subtracts lr b.",
    step=T,
    states=(
        State(buffer[j], μ * buffer[j] + g, buffer_after(T), (j,)),
        State(params[j], params[j] - lr * (μ * buffer[j] + g), travelled(lambda s: lr * buffer_after(s + 1)), (j,)),
    ),
    arguments=(*START, Argument("buffer", (d,))),
    where=AFTER,
    ids=("D27", "D35", "E07"),
    source="b ← μb + g, θ ← θ − lr b",
)

momentum_buffer_is_minus_velocity_over_lr = Induction(
    name="optimizers.momentum_buffer_is_minus_velocity_over_lr",
    statement="If v = −lr b before the first step, so it is after every step, and both forms move alike.",
    step=T,
    states=(
        State(buffer[j], μ * buffer[j] + g, buffer_after(T), (j,)),
        State(velocity[j], NEXT, -lr * buffer_after(T), (j,)),
        State(params[j], params[j] + NEXT, travelled(lambda s: lr * buffer_after(s + 1)), (j,)),
    ),
    arguments=(*START, Argument("buffer", (d,)), Argument("velocity", (d,), "given")),
    given=((velocity[j], -lr * buffer[j]),),
    where=AFTER,
    ids=("D27", "D35", "E07"),
    source="v = −lr b",
    note="The parameters follow v here and b in optimizers.momentum_as_a_buffer, with one closed form. lr is constant.",
)

momentum_with_the_other_sign = Induction(
    name="optimizers.momentum_with_the_other_sign",
    statement="Δ ← ηΔ + αg with θ ← θ − Δ is momentum with v = −Δ, after every step.",
    step=T,
    states=(
        State(delta[j], μ * delta[j] + lr * g, delta_after(T), (j,)),
        State(velocity[j], NEXT, -delta_after(T), (j,)),
        State(params[j], params[j] - (μ * delta[j] + lr * g), travelled(lambda s: delta_after(s + 1)), (j,)),
    ),
    arguments=(*START, Argument("delta", (d,)), Argument("velocity", (d,), "given")),
    given=((velocity[j], -delta[j]),),
    where=AFTER,
    ids=("D35", "E07"),
    source="Δθ_k = ηΔθ_{k−1} + α∇l(θ_k), θ_{k+1} = θ_k − Δθ_k",
    note="The gradient is the one at the parameters θ_k.",
)

rates = array("lr")

momentum_forms_differ_when_lr_changes = Claim(
    name="optimizers.momentum_forms_differ_when_lr_changes",
    statement="When lr changes from ε₁ to ε₂, the buffer's form ends μ g₁ (ε₁ − ε₂) above the velocity's.",
    parts=(
        Part(
            left=-rates[0] * G1 - rates[1] * (μ * G1 + G2) - (-rates[0] * G1 + (μ * (-rates[0] * G1) - rates[1] * G2)),
            right=μ * G1 * (rates[0] - rates[1]),
            axes=(j,),
        ),
    ),
    arguments=(Argument("grads", (Integer(2), d)), Argument("lr", (Integer(2),)), MOMENTUM),
    ids=("E06", "E07"),
    source="lr (μb + g) against μv − lr g",
    note="Both start at rest. Old gradients count with the new lr in the buffer's form, with their own in the other.",
)

nesterov = Induction(
    name="optimizers.nesterov",
    statement="Nesterov's step is the new velocity, looked ahead once more: μ v − lr g with v ← μv − lr g.",
    step=T,
    states=(
        State(velocity[j], NEXT, velocity_after(T), (j,)),
        State(
            params[j],
            params[j] + μ * NEXT - lr * g,
            travelled(lambda s: lr * grads[s, j] - μ * velocity_after(s + 1)),
            (j,),
        ),
    ),
    arguments=(*START, VELOCITY),
    covers={"dampening": 0},
    where=AFTER,
    ids=("D27",),
    source="θ ← θ + μv − lr g (PyTorch: b ← μb + g, θ ← θ − lr (g + μb))",
)

nesterov_step_from_the_point_ahead = Claim(
    name="optimizers.nesterov_step_from_the_point_ahead",
    statement="Sutskever's step θ + v, seen at the point ahead θ + μv where the gradient is read, is PyTorch's step.",
    parts=(
        Part(
            left=(params[j] + (μ * velocity[j] - lr * G1)) + μ * (μ * velocity[j] - lr * G1),
            right=ahead[j] + μ * (μ * velocity[j] - lr * G1) - lr * G1,
            axes=(j,),
            output="ahead",
        ),
        Part(
            left=ahead[j] + μ * (-lr * (μ * buffer[j] + G1)) - lr * G1,
            right=ahead[j] - lr * (G1 + μ * (μ * buffer[j] + G1)),
            axes=(j,),
            output="buffer",
        ),
    ),
    arguments=(
        PARAMS,
        Argument("grads", (Integer(1), d)),
        LR,
        MOMENTUM,
        VELOCITY,
        Argument("buffer", (d,)),
        Argument("ahead", (d,), "given"),
    ),
    given=((ahead[j], params[j] + μ * velocity[j]),),
    ids=("D27",),
    source="φ = θ + μv, v = −lr b",
)

nesterov_conventions_are_one_sequence = Induction(
    name="optimizers.nesterov_conventions_are_one_sequence",
    statement="PyTorch's parameters are Sutskever's point ahead, θ + μv, after every step if before the first.",
    step=T,
    states=(
        State(velocity[j], NEXT, velocity_after(T), (j,)),
        State(params[j], params[j] + NEXT, travelled(lambda s: -velocity_after(s + 1)), (j,)),
        State(
            ahead[j],
            ahead[j] + μ * NEXT - lr * g,
            travelled(lambda s: -velocity_after(s + 1)) + μ * velocity_after(T),
            (j,),
        ),
    ),
    arguments=(*START, VELOCITY, Argument("ahead", (d,), "given")),
    given=((ahead[j], params[j] + μ * velocity[j]),),
    where=AFTER,
    ids=("D27",),
    source="Sutskever et al. 2013: v ← μv − ε∇f(θ + μv), θ ← θ + v",
    note="The gradients are read at the point ahead, which is the same point in both, so they are the same numbers.",
)

constant = array("g")
LIMIT = -lr * constant[j] / (1 - μ)
CONSTANT = (Argument("g", (d,)), LR, MOMENTUM, STEPS)

momentum_speed_of_a_constant_gradient = Claim(
    name="optimizers.momentum_speed_of_a_constant_gradient",
    statement="From rest, T steps with one gradient g give the velocity −lr g (1 − μ^T)/(1 − μ).",
    parts=(
        Part(
            left=decayed(μ, 0, lambda i: -lr * constant[j], T),
            right=-lr * constant[j] * (1 - μ**T) / (1 - μ),
            axes=(j,),
        ),
    ),
    arguments=CONSTANT,
    by_steps=(T, μ),
    ids=("D27", "D29"),
    source="v_T → −εg/(1 − α)",
    note="The difference f of the sides has f(0) = 0 and f(T + 1) = μ f(T).",
)

momentum_approaches_its_limit_speed = Claim(
    name="optimizers.momentum_approaches_its_limit_speed",
    statement="The speed −lr g/(1 − μ) stays as it is, and each step multiplies the distance from it by μ.",
    parts=(
        Part(left=μ * LIMIT - lr * constant[j], right=LIMIT, axes=(j,), output="fixed"),
        Part(
            left=decayed(μ, velocity[j], lambda i: -lr * constant[j], T) - LIMIT,
            right=μ**T * (velocity[j] - LIMIT),
            axes=(j,),
            output="distance",
        ),
    ),
    arguments=(*CONSTANT, VELOCITY),
    by_steps=(T, μ),
    ids=("D27", "D29"),
    source="v_T − v = α^T (v_0 − v)",
    note="The difference f of the sides has f(0) = 0 and f(T + 1) = μ f(T).",
)

average = array("average")

AVERAGE = decayed(μ, average[j], lambda i: (1 - μ) * grads[i, j], T)

momentum_is_a_moving_average_scaled = Induction(
    name="optimizers.momentum_is_a_moving_average_scaled",
    statement="The velocity is −lr/(1 − μ) times the moving average of the gradients with the same rate.",
    step=T,
    states=(
        State(
            average[j],
            μ * average[j] + (1 - μ) * g,
            AVERAGE,
            (j,),
        ),
        State(
            velocity[j],
            NEXT,
            -lr / (1 - μ) * AVERAGE,
            (j,),
        ),
    ),
    arguments=(GRADS, LR, MOMENTUM, Argument("average", (d,)), Argument("velocity", (d,), "given")),
    trajectory="velocity",
    given=((velocity[j], -lr / (1 - μ) * average[j]),),
    where=((average[T, j], AVERAGE),),
    ids=("D29", "D37"),
    source="v = −ε/(1 − α) · average",
)

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

errata = (
    Erratum(
        id="D29",
        as_written=Claim(
            name="optimizers.D29",
            statement="The velocity is a weighted average of the steps: their weights sum to one.",
            parts=(Part(left=Σ(ρ ** (T - 1 - i), i), right=Integer(1)),),
            arguments=(RHO, STEPS),
        ),
        corrected_by="optimizers.momentum_weights_sum",
        note="An exponentially decaying sum: the weights sum to (1 − α^t)/(1 − α).",
    ),
)
