"""Course functions in the shape of Stanford's CS231n: `(out, cache)`, `(loss, gradient)` and `(w, config)`.

A cache is private to a submission, so it stays in the child: `backward` is called with what its own `forward` kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graders._adapters.objects import Ask, last
from graders.harness.cases import Case, signature
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, Typed, WrongKind, literal, named, output_names, said
from graders.harness.sandbox.codec import Kept
from graders.harness.sandbox.contract import Call, Path, Raised, Returned
from graders.harness.sandbox.contract import Function as Found


@dataclass(frozen=True)
class Forward:
    """`f(x, …) -> (out, cache)`: the named arguments in this order, the output at `read`."""

    exercise: str
    arguments: tuple[str, ...]
    read: Path = (0,)
    integer_labels: bool = False
    flattens: bool = False
    """Whether the course has it flatten x of shape (n, d1, …, dk) to rows."""


@dataclass(frozen=True)
class Backward:
    """`f(dout, cache) -> gradients`, with the cache of the `forward` function of the same file."""

    exercise: str
    forward: str | tuple[str, ...]
    """Its name, or those that the courses give it."""
    arguments: tuple[str, ...]
    flattens: bool = False


OTHER_KEYS = {"epsilon": "eps", "momentum": "mu"}
"""Keys of the course's dictionaries that some give other names."""


@dataclass(frozen=True)
class Configured:
    """`f(w, dw, config) -> (w, config)`: hyperparameters and state in one dictionary, under the course's keys."""

    exercise: str
    hyperparameters: Mapping[str, str | tuple[str, ...]]
    state: Mapping[str, str] = field(default_factory=dict)


Shape = Forward | Backward | Configured

_LINEAR = ("W", "x", "labels", "l2")
_SOFTMAX = ("logits", "labels")
SHAPES: Mapping[str, tuple[Shape, ...]] = {
    "affine_forward": (Forward("layers.affine", ("x", "W", "b"), flattens=True),),
    "affine_backward": (Backward("layers.affine_vjp", "affine_forward", ("x", "W", "b"), flattens=True),),
    "relu_forward": (Forward("activations.relu", ("z",)),),
    "relu_backward": (Backward("activations.relu_vjp", ("relu_forward", "relu"), ("z",)),),
    "sigmoid_forward": (Forward("activations.sigmoid", ("z",)),),
    "sigmoid_backward": (Backward("activations.sigmoid_vjp", ("sigmoid_forward", "sigmoid"), ("z",)),),
    "tanh_backward": (Backward("activations.tanh_vjp", ("tanh_forward", "tanh"), ("z",)),),
    "softmax_loss": (
        Forward("losses.softmax_cross_entropy", _SOFTMAX, (0,), integer_labels=True),
        Forward("losses.softmax_cross_entropy_grad", _SOFTMAX, (1,), integer_labels=True),
    ),
    **{
        name: (
            Forward("training.softmax_regression", _LINEAR, (0,), integer_labels=True),
            Forward("training.softmax_regression_grad", _LINEAR, (1,), integer_labels=True),
        )
        for name in ("softmax_loss_naive", "softmax_loss_vectorized")
    },
    "sgd": (Configured("optimizers.sgd", {"lr": "learning_rate"}),),
    "sgd_momentum": (
        Configured(
            "optimizers.momentum", {"lr": "learning_rate", "momentum": "momentum"}, {"velocity": "velocity"}
        ),
    ),
    "rmsprop": (
        Configured(
            "optimizers.rmsprop",
            {"lr": "learning_rate", "alpha": "decay_rate", "eps": "epsilon"},
            {"square_avg": "cache"},
        ),
    ),
    "adam": (
        Configured(
            "optimizers.adam",
            {"lr": "learning_rate", "betas": ("beta1", "beta2"), "eps": "epsilon"},
            {"t": "t", "m": "m", "v": "v"},
        ),
    ),
}  # fmt: skip
"""The course's functions that the catalogue covers, by name."""

_ELSEWHERE = ("reduction", "label_smoothing", "axis", "temperature")
"""Hyperparameters that these call shapes have no place for."""


def _shapes(found: Found) -> tuple[Shape, ...] | None:
    """Return the call shapes of a function's name; `softmax_loss` is a layer's, or of weights that come first."""
    of_weights = found.tail == "softmax_loss" and re.match(r"(w|weights?|theta)$", found.names("positional")[0], re.I)
    return SHAPES.get("softmax_loss_naive" if of_weights else found.tail)


def fits(found: Found) -> bool:
    """Return whether a function has a course name and, by its parameters, the course's call shape."""
    shapes = _shapes(found) if found.names("positional") else None
    if shapes is None or found.parameters is None:
        return False
    positional = found.names("positional")
    shape = shapes[0]
    if isinstance(shape, Configured):
        required = sum(must for _, kind, must in found.parameters if kind == "positional")
        return required <= 3 <= len(positional) and positional[2] == "config"
    expected = len(shape.arguments) if isinstance(shape, Forward) else 2
    required = sum(must for _, kind, must in found.parameters if kind == "positional")
    return required <= expected <= len(positional)


def _only_a_loss(found: Found, ask: Ask) -> bool:
    """Return whether `softmax_loss(scores, y)`, or of weights, returns the loss alone, as other books have it."""
    scores = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
    of_scores: tuple[Any, ...] = (scores, np.array([2, 0]))
    of_weights: tuple[Any, ...] = (scores.T, scores, np.array([1, 0]), 0.5)
    outcome = last(ask([Call(found.name, of_scores if _shapes(found) is SHAPES[found.tail] else of_weights)]))
    return isinstance(outcome, Returned) and (
        isinstance(outcome.values[0], float)
        or (isinstance(outcome.values[0], np.ndarray) and not outcome.values[0].ndim)
    )


_TABLES = "takes tables only, where the course has it flatten images: judged on tables"


def _refuses_images(forward: Found, ask: Ask) -> bool:
    """Return whether an affine layer refuses x of shape (n, d, 1) in so many words, rather than fail at it.

    One that fails at it is the course's only if its parameters have the course's names.
    """
    refused = last(ask([Call(forward.name, (np.ones((2, 3, 1)), np.ones((3, 4)), np.ones(4)), read=())]))
    ours = forward.names("positional")[:3] == ("x", "w", "b")
    return isinstance(refused, Raised) and (not ours or refused.text.startswith(("raise ", "assert ")))


_TRIED: Mapping[str, tuple[Any, ...]] = {
    "affine_forward": (np.ones((2, 3)), np.ones((3, 4)), np.ones(4)),
    **dict.fromkeys(("relu_forward", "sigmoid_forward", "tanh_forward"), (np.ones((2, 3)),)),
}
"""Small arguments by which it is found out what a forward function returns."""


def _gives_a_dictionary(found: Found, others: Mapping[str, Found], ask: Ask) -> str:
    """Return the forward function, itself or the one beside it, that returns a dictionary; "" if there is none."""
    tail = found.tail.replace("_backward", "_forward")
    forward = found.name.removesuffix(found.tail) + tail
    if tail not in _TRIED or forward not in others:
        return ""
    outcome = last(ask([Call(forward, _TRIED[tail])]))
    return tail if isinstance(outcome, Returned) and isinstance(outcome.values[0], Mapping) else ""


def _takes(forward: Found, count: int) -> bool:
    """Return whether a function can be called with so many arguments."""
    required = sum(must for _, kind, must in forward.parameters or () if kind == "positional")
    return forward.parameters is None or required <= count


def bind(
    found: Found, exercises: Mapping[str, Exercise], others: Mapping[str, Found], ask: Ask = lambda calls: []
) -> tuple[list[Binding], str]:
    """Bind a course function to the exercises it answers; a backward without its forward is a note instead."""
    bindings = []
    shapes = _shapes(found) or ()
    if of_its_own := _gives_a_dictionary(found, others, ask):
        return [], f"{found.name} is not judged: {of_its_own} returns a dictionary, not an array and a cache"
    if found.tail == "softmax_loss" and _only_a_loss(found, ask):
        shapes = tuple(replace(s, read=()) for s in shapes[:1] if isinstance(s, Forward))
    for shape in shapes:
        if shape.exercise not in exercises:
            continue
        exercise = exercises[shape.exercise]
        if isinstance(shape, Backward):
            names = (shape.forward,) if isinstance(shape.forward, str) else shape.forward
            forwards = [found.name.removesuffix(found.tail) + name for name in names]
            forward = next((name for name in forwards if name in others), None)
            if forward is None:
                return [], f"{found.name} needs the cache of {names[0]}, which is not there: not judged"
            if not _takes(others[forward], len(shape.arguments)):
                return [], f"{found.name} is not judged: {others[forward].tail} is another function than the course's"
            tables = shape.flattens and _refuses_images(others[forward], ask)
            shape = replace(shape, flattens=False) if tables else shape
            if exercise.topic == "activations" and _keeps_nothing(forward, ask):
                bindings.append(_of_z(exercise, shape, found))
                continue
            bindings.append(replace(_backward(exercise, shape, found, forward), note=_TABLES * tables))
        elif isinstance(shape, Forward):
            tables = shape.flattens and _refuses_images(found, ask)
            shape = replace(shape, flattens=False) if tables else shape
            bindings.append(replace(_forward(exercise, shape, found), note=_TABLES * tables))
        else:
            bindings.append(_configured(exercise, shape, found))
            if renamed := {name: OTHER_KEYS[key] for name, key in shape.hyperparameters.items() if key in OTHER_KEYS}:
                own = replace(shape, hyperparameters={**shape.hyperparameters, **renamed})
                note = f"reads its settings under {', '.join(renamed.values())}, the course's under other keys"
                bindings[-1] = replace(bindings[-1], others=(replace(_configured(exercise, own, found), note=note),))
    return bindings, ""


def _held(exercise: Exercise) -> frozenset[str]:
    return frozenset(name for name in signature(exercise.reference).hyperparameters if name in _ELSEWHERE)


def _images(case: Case) -> bool:
    """Return whether a case's rows are given as (n, d, 1): every other one, by its name."""
    return int(case.id, 16) % 2 == 0


def _given(case: Case, shape: Forward | Backward) -> tuple[Any, ...]:
    every = {**case.arguments, **case.hyperparameters}
    if shape.flattens and _images(case):
        every["x"] = every["x"][..., None]
    return tuple(every[name] for name in shape.arguments)


def _written(case: Case, shape: Forward | Backward) -> str:
    """Return the arguments of a call as a person would type them."""
    image = shape.flattens and _images(case)
    names = (name if name in case.arguments else repr(case.hyperparameters[name]) for name in shape.arguments)
    return ", ".join(f"{name}[..., None]" if name == "x" and image else name for name in names)


def _forward(exercise: Exercise, shape: Forward, found: Found) -> Binding:
    part = f"[{shape.read[0]}]" if shape.read else ""

    def accepts(case: Case) -> bool:
        return bool(case.form) == shape.integer_labels

    def typed(case: Case) -> Typed:
        return Typed(f"{found.tail}({_written(case, shape)}){part}")

    return Binding(
        exercise,
        found.name,
        lambda case: (Call(found.name, _given(case, shape), read=(shape.read,)),),
        lambda case, returned: {"": returned[0].values[0]},
        accepts=accepts,
        held=_held(exercise),
        typed=typed,
    )


def _backward(exercise: Exercise, shape: Backward, found: Found, forward: str) -> Binding:
    names = output_names(exercise)
    read: tuple[Path, ...] = ((),) if names == ("",) else tuple((i,) for i in range(len(names)))

    def plan(case: Case) -> tuple[Call, ...]:
        return (
            Call(forward, _given(case, shape), read=(), keep="forward"),
            Call(found.name, (case.arguments["cotangent"], Kept("forward", (1,))), read=read),
        )

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        made = dict(zip(names, returned[1].values, strict=True))
        if shape.flattens and _images(case):
            dx, wanted = made["dx"], (*case.arguments["x"].shape, 1)
            if not isinstance(dx, np.ndarray) or dx.shape != wanted:
                raise WrongKind(f"dx is {said(dx)}, expected the shape of x, {wanted}")
            made["dx"] = dx[..., 0]
        return made

    def typed(case: Case) -> Typed:
        call = f"{found.tail}(cotangent, {forward.rpartition('.')[2]}({_written(case, shape)})[1])"
        return Typed(call)

    return Binding(exercise, found.name, plan, outputs, held=_held(exercise), typed=typed)


def _keeps_nothing(forward: str, ask: Ask) -> bool:
    """Return whether an activation returns its value alone: then what its backward takes for a cache is z."""
    outcome = last(ask([Call(forward, (np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]),))]))
    return isinstance(outcome, Returned) and isinstance(outcome.values[0], np.ndarray)


def _of_z(exercise: Exercise, shape: Backward, found: Found) -> Binding:
    return Binding(
        exercise,
        found.name,
        lambda case: (Call(found.name, (case.arguments["cotangent"], *_given(case, shape))),),
        lambda case, returned: {"": returned[0].values[0]},
        held=_held(exercise),
        typed=lambda case: Typed(f"{found.tail}(cotangent, {_written(case, shape)})"),
        note="is given z for the cache",
    )


def _settings(shape: Configured, case: Case) -> dict[str, Any]:
    """Return the hyperparameters under the course's keys."""
    made: dict[str, Any] = {}
    for name, key in shape.hyperparameters.items():
        if isinstance(key, str):
            made[key] = case.hyperparameters[name]
        else:
            made |= dict(zip(key, case.hyperparameters[name], strict=True))
    return made


def _configured(exercise: Exercise, shape: Configured, found: Found) -> Binding:
    def plan(case: Case) -> tuple[Call, ...]:
        settings = _settings(shape, case)
        if not exercise.unrolled:
            return (Call(found.name, (case.arguments["params"], case.arguments["grad"], settings), read=((0,),)),)
        state = case.arguments["state"].fields
        config = settings | {key: state[name] for name, key in shape.state.items()}
        calls = []
        for step, grad in enumerate(case.arguments["grads"]):
            first = step == 0
            weights = case.arguments["params"] if first else Kept("step", (0,))
            calls.append(
                Call(
                    found.name,
                    (weights, grad, config if first else Kept("step", (1,))),
                    read=((0,), *((1, key) for key in shape.state.values())),
                    keep="step",
                )
            )
        return tuple(calls)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        if not exercise.unrolled:
            return {"": returned[0].values[0]}
        steps = [step.values[0] for step in returned]
        wrong = [step for step in steps if not isinstance(step, np.ndarray) or step.shape != np.shape(steps[0])]
        if wrong:
            raise WrongKind(f"the new w is {said(wrong[0])}, expected an array of one shape at every step")
        return {"params": np.stack(steps), **named(returned[-1].values[1:], tuple(shape.state), "the new config")}

    def typed(case: Case) -> Typed:
        settings = _settings(shape, case)
        if not exercise.unrolled:
            return Typed(f"{found.tail}(params, grad, {literal(settings)})[0]")
        state = case.arguments["state"].fields
        return Typed(
            f"{found.tail}(params, grad, config)",
            state="config",
            start=literal(settings | {key: state[name] for name, key in shape.state.items()}),
            field=lambda name: f"config[{shape.state[name]!r}]",
        )

    return Binding(exercise, found.name, plan, outputs, typed=typed)
