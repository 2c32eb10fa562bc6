"""A step size for each parameter: AdaGrad, RMSProp, Adam, AdamW and Lion after any number of steps."""

from __future__ import annotations

from typing import Any

from sympy import Mul, Pow, Rational

from .._kernel import Argument, Claim, Erratum, Induction, Part, State
from .._kernel.terms import Σ, Abs, Index, Integer, Step, array, scalars, sqrt, steps
from ._loop import ALPHA, EPS, GRADS, LR, PARAMS, T, d, decayed, eps, g, grads, j, lr, params, travelled, α

total, square_avg, m, v = map(array, ("sum", "square_avg", "m", "v"))
betas = array("betas", positive=True)
β1, β2 = betas[0], betas[1]
t = steps("t")
weight_decay = scalars("weight_decay")


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
    where=((total[T, j], sum_after(T)),),
    ids=("D30", "D31", "D32", "E08"),
    source="r ← r + g², Δθ = −εg/(δ + √r)",
)


def square_avg_after(T: Any) -> Any:
    """RMSProp's moving average of the squared gradients."""
    return decayed(α, square_avg[j], lambda i: (1 - α) * grads[i, j] ** 2, T)


RMSPROP_AVERAGE = α * square_avg[j] + (1 - α) * g**2
SQUARE_AVG = Argument("square_avg", (d,), "positive")

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
    where=((square_avg[T, j], square_avg_after(T)),),
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


def adam_step_number(s: Any) -> Any:
    """What Adam subtracts in step s (from 0) after the first t."""
    return adam_step(m_after(s + 1), v_after(s + 1), t + s + 1)


ADAM_M, ADAM_V = β1 * m[j] + (1 - β1) * g, β2 * v[j] + (1 - β2) * g**2
MOMENTS = (Argument("m", (d,)), Argument("v", (d,), "positive"))
BETAS, SO_FAR = Argument("betas", (Integer(2),), "unit"), Argument("t", (), "natural")
ADAM_STATES = (
    State(t, t + 1, t + T),
    State(m[j], ADAM_M, m_after(T), (j,)),
    State(v[j], ADAM_V, v_after(T), (j,)),
)

MOMENTS_AFTER = ((m[T, j], m_after(T)), (v[T, j], v_after(T)), (array("step")[T, j], adam_step_number(T)))

adam = Induction(
    name="optimizers.adam",
    statement="Adam's moments are moving averages of g and g²; each step uses bias-corrected copies of them.",
    step=T,
    states=(
        *ADAM_STATES,
        State(params[j], params[j] - adam_step(ADAM_M, ADAM_V, t + 1), travelled(adam_step_number), (j,)),
    ),
    arguments=(PARAMS, GRADS, LR, BETAS, EPS, *MOMENTS, SO_FAR),
    covers={"weight_decay": 0, "amsgrad": False},
    where=MOMENTS_AFTER,
    ids=("C25", "D37", "D38", "D39", "D40", "D41", "D42"),
    source="s ← ρ₁s + (1 − ρ₁)g, r ← ρ₂r + (1 − ρ₂)g², Δθ = −ε ŝ/(δ + √r̂)",
)

KEPT = 1 - lr * weight_decay
DECAY = Argument("weight_decay", (), "unit")


def shrunk(step: Any) -> Any:
    """The parameters after T steps that each keep 1 − lr · weight_decay of them and subtract step(s)."""
    s = Index("s", T)
    return KEPT**T * params[j] - Σ(KEPT ** (T - 1 - s) * step(s), s)


adamw = Induction(
    name="optimizers.adamw",
    statement="AdamW multiplies the weights by 1 − lr · weight_decay before Adam's step; its moments know no decay.",
    step=T,
    states=(
        *ADAM_STATES,
        State(params[j], KEPT * params[j] - adam_step(ADAM_M, ADAM_V, t + 1), shrunk(adam_step_number), (j,)),
    ),
    arguments=(PARAMS, GRADS, LR, BETAS, EPS, DECAY, *MOMENTS, SO_FAR),
    covers={"amsgrad": False},
    where=MOMENTS_AFTER,
    ids=("C25", "B26"),
    source="Loshchilov and Hutter 2019: θ ← θ − lr · weight_decay · θ − Adam's step",
)

grad, u = array("grad"), array("u", positive=True)
size, gap = scalars("size gap", positive=True)
FADED, FRESH = β2 * u[j], Abs(grad[j]) + eps
LARGER = (FADED + FRESH + Abs(FRESH - FADED)) / 2
NEW_U = FADED + (FRESH - FADED) * Step(FRESH - FADED)
ORDERS = (  # β₂u lies above |g| + eps, at it, between |g| and it; at |g|, below it
    *(
        ((grad[j], g_j), (u[j], (Abs(g_j) + more) / β2))
        for g_j in (size, Integer(0), -size)
        for more in (eps + gap, eps, eps / (1 + gap))
    ),
    *(((grad[j], sign * (FADED + more)),) for sign in (1, -1) for more in (0, gap)),
)

adamax = Claim(
    name="optimizers.adamax",
    statement="AdaMax divides m̂ by the larger of β₂u and |g| + eps: by the second one where it is above the first.",
    parts=(
        Part(left=t + 1, right=1 + t, output="t"),
        Part(left=m[j] + (1 - β1) * (grad[j] - m[j]), right=β1 * m[j] + (1 - β1) * grad[j], axes=(j,), output="m"),
        Part(left=LARGER, right=NEW_U, axes=(j,), output="u"),
        Part(
            left=params[j] - lr * (m[j] + (1 - β1) * (grad[j] - m[j])) / (1 - β1 ** (t + 1)) / LARGER,
            right=params[j] - lr / (1 - β1 ** (t + 1)) * (β1 * m[j] + (1 - β1) * grad[j]) / NEW_U,
            axes=(j,),
            output="params",
        ),
    ),
    arguments=(
        PARAMS,
        Argument("grad", (d,)),
        LR,
        BETAS,
        EPS,
        Argument("m", (d,)),
        Argument("u", (d,), "positive"),
        SO_FAR,
    ),
    regions=ORDERS,
    ids=("C25",),
    source="Kingma and Ba 2015, algorithm 2, u ← max(β₂u, |g|)",
    note="One step, from any state after t steps. The regions are all orders of β₂u, |g| and |g| + eps.",
)


g1 = grads[0, j]


def corrected(g: Any, β: Any) -> Any:
    """The first row of a moving average from zero, corrected; SymPy would cancel 1 − β at once."""
    return Mul(1 - β, g, Pow(1 - β, -1), evaluate=False)


adam_first_step_has_size_lr = Claim(
    name="optimizers.adam_first_step_has_size_lr",
    statement="From zero moments and with eps = 0, Adam's first step is lr · g/|g|, whatever the size of g.",
    parts=(
        Part(
            left=Mul(lr, corrected(g1, β1), Pow(corrected(g1**2, β2), Rational(-1, 2), evaluate=False), evaluate=False),
            right=lr * g1 / Abs(g1),
            axes=(j,),
        ),
    ),
    arguments=(GRADS, LR, BETAS),
    ids=("D40",),
    source="t = 1: ŝ = g, r̂ = g²",
)

λ, w, plain, penalised = weight_decay, *(array(name, positive=True) for name in ("w", "g", "penalised"))
m_penalised, v_penalised = array("m_penalised"), array("v_penalised")
taken = array("taken", positive=True)


def first_step(m: Any, v: Any) -> Any:
    """Adam's first step with eps = 0, from the moments after it; taken is 1 − betas."""
    return lr * (m / taken[0]) / sqrt(v / taken[1])


ADAM_L2, ADAMW = first_step(m_penalised[j], v_penalised[j]), lr * λ * w[j] + first_step(m[j], v[j])

adamw_is_not_adam_with_an_l2_penalty = Claim(
    name="optimizers.adamw_is_not_adam_with_an_l2_penalty",
    statement="For positive w and g, the first steps of AdamW and of Adam on g + λw differ by lr λ w, not by zero.",
    parts=(
        Part(left=ADAM_L2, right=lr, axes=(j,), output="Adam with a penalty"),
        Part(left=ADAMW, right=lr * (1 + λ * w[j]), axes=(j,), output="AdamW"),
        Part(left=ADAMW - ADAM_L2, right=lr * λ * w[j], axes=(j,), output="difference"),
    ),
    arguments=(
        Argument("w", (d,), "positive"),
        Argument("g", (d,), "positive"),
        Argument("penalised", (d,), "positive"),
        Argument("taken", (Integer(2),), "unit"),
        *(Argument(name, (d,), "given") for name in ("m", "v", "m_penalised", "v_penalised")),
        Argument("lr", (), "positive"),
        DECAY,
    ),
    given=(
        (m[j], taken[0] * plain[j]),
        (v[j], taken[1] * plain[j] ** 2),
        (m_penalised[j], taken[0] * penalised[j]),
        (v_penalised[j], taken[1] * penalised[j] ** 2),
    ),
    ids=("C25", "B26"),
    source="lr · (g + λw)/|g + λw| against lr λ w + lr · g/|g|",
    note="eps = 0, moments from zero, taken = 1 − betas. The size of penalised, g + λw, does not matter: it is lost.",
)


def sign(u: Any) -> Any:
    """1 above zero, −1 below it, 0 at zero."""
    return Step(u) - Step(-u)


def slow_after(T: Any) -> Any:
    """Lion's moving average, with the second rate."""
    return decayed(β2, m[j], lambda i: (1 - β2) * grads[i, j], T)


def lion_step(s: Any) -> Any:
    """What Lion subtracts in step s."""
    return lr * sign(β1 * slow_after(s) + (1 - β1) * grads[s, j])


lion = Induction(
    name="optimizers.lion",
    statement="Lion steps by lr in the sign of a mix of its average and the gradient; the average has its own rate.",
    step=T,
    states=(
        State(m[j], β2 * m[j] + (1 - β2) * g, slow_after(T), (j,)),
        State(
            params[j],
            KEPT * params[j] - lr * sign(β1 * m[j] + (1 - β1) * g),
            shrunk(lion_step),
            (j,),
        ),
    ),
    arguments=(PARAMS, GRADS, LR, BETAS, DECAY, MOMENTS[0]),
    where=((m[T, j], slow_after(T)), (array("step")[T, j], lion_step(T))),
    ids=("E08",),
    source="Chen et al. 2023: θ ← θ − lr (sign(β₁m + (1 − β₁)g) + λθ), m ← β₂m + (1 − β₂)g",
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
