"""Loss objects: `forward(prediction, truth)`, and `backward` with the same arguments or with none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders._adapters import reductions
from graders._adapters.objects import IT, Ask, Klass, got, tensors
from graders._adapters.objects import last as answered
from graders.harness.cases import Case, signature
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs
from graders.harness.sandbox.codec import Kept
from graders.harness.sandbox.contract import Call, Raised, Returned
from graders.harness.sandbox.contract import Function as Found

_SOFTMAX, _CE, _BCE, _LOGITS = (
    "losses.softmax_cross_entropy", "losses.cross_entropy", "losses.sigmoid_bce", "losses.bce_with_logits",
)  # fmt: skip
_SQUARED = ("losses.mse", "losses.half_squared_error", "losses.squared_error")
KINDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("mse", "meansquarederror", "squareerror", "l2", "squared", "meansquare"), _SQUARED),
    **dict.fromkeys(("softmaxcrossentropy", "softmaxwith", "softmaxwithloss", "crossentropywithlogits",
                     "softmaxwithcrossentropy", "crossentropywithsoftmax", "softmaxcrossentropywithlogits"),
                    (_SOFTMAX,)),
    **dict.fromkeys(("crossentropy", "categoricalcrossentropy", "ce"), (_SOFTMAX, _CE)),
    **dict.fromkeys(("binarycrossentropy", "bce"), (_BCE,)),
    **dict.fromkeys(("bcewithlogits", "binarycrossentropywithlogits", "sigmoidcrossentropy"), (_LOGITS,)),
}  # fmt: skip
"""The exercises that a loss of this name may answer, by worth."""
FORWARD = ("forward", "__call__", "calculate", "loss", "compute", "call")
BACKWARD = ("backward", "gradient", "grad", "derivative", "backprop", "prime", "backward_pass")
_TRUTH = re.compile(
    r"^_*(y|t|y_?true|y_?t|true\w*|targets?|labels?|actual|truth|y_?hot|ground_?truth|\w+_true)$", re.IGNORECASE
)
_GUESS = re.compile(r"pred|hat|out|logits|scores|^x$|^a$|^z$|^p$|probs?|inputs?|dvalues", re.IGNORECASE)


@dataclass(frozen=True)
class Way:
    """How a loss object is called."""

    forward: str
    truth_first: bool
    backward: str = ""
    given: int = 0
    """How many arguments backward takes: none, a cotangent of one, or prediction and truth."""
    at: tuple[Any, ...] | None = None
    """Where backward leaves the gradient, if it does not return it."""


def _two(found: Found) -> tuple[str, ...]:
    required = [n for n, kind, must in found.parameters or () if kind == "positional" and must]
    return tuple(required)


def _truth_first(names: Sequence[str]) -> bool:
    return len(names) == 2 and bool(_TRUTH.match(names[0])) and not _TRUTH.match(names[1])


def bind(klass: Klass, kind: str, exercises: Mapping[str, Exercise], ask: Ask) -> tuple[list[Binding], str]:
    """Bind a loss object to the exercises that its name may mean; the one that it answers is chosen later."""
    forward = klass.method(*FORWARD)
    if forward is None or len(_two(forward)) != 2 or any(must for _, must in klass.takes):
        return (
            [],
            f"{klass.name} is not judged: it has no forward(prediction, truth), or its constructor takes arguments",
        )
    if klass.is_module:
        forward = replace(forward, name=f"{klass.name}.__call__")
    backward = None if klass.is_module else klass.method(*BACKWARD)
    way = Way(forward.tail, _truth_first(_two(forward)))
    names = [name for name in KINDS[kind] if name in exercises]
    bindings = []
    if names:
        made = [b for name in names for b in _forward(exercises[name], klass, way)]
        bindings.append(replace(made[0], others=tuple(made[1:]), vague=len(KINDS[kind]) > 1))
    slopes = [f"{name}_grad" for name in KINDS[kind] if f"{name}_grad" in exercises]
    if backward is not None and slopes:
        found = _with_backward(klass, way, backward, exercises[slopes[0]], ask)
        if isinstance(found, str):
            return bindings, f"{klass.name}'s backward is not judged: {found}"
        made = [b for name in slopes for b in _backward(exercises[name], klass, found)]
        made += [b for one in made for b in _by_class(one.exercise, one)]
        bindings.append(replace(made[0], others=tuple(made[1:]), vague=len(KINDS[kind]) > 1))
    return bindings, ""


def _arguments(case: Case, klass: Klass, way: Way) -> tuple[Any, ...]:
    values = [value for name, value in case.arguments.items() if name not in ("cotangent", "variance")]
    guess, truth = values
    if next(iter(case.arguments)) == "p":  # cross_entropy(p, q): the truth comes first
        guess, truth = truth, guess
    pair = (truth, guess) if way.truth_first else (guess, truth)
    return tuple(tensors(value) for value in pair) if klass.uses_tensors else pair


def _start(klass: Klass) -> Call:
    return Call(klass.name, (), read=(), keep=IT)


def _forward(exercise: Exercise, klass: Klass, way: Way) -> tuple[Binding, ...]:
    """Bind the loss as one number, and as one number for each sample."""

    def plan(case: Case) -> tuple[Call, ...]:
        return (_start(klass), Call(f"{klass.name}.{way.forward}", (Kept(IT), *_arguments(case, klass, way))))

    def meaned(case: Case, returned: Sequence[Returned]) -> Outputs:
        value: Any = returned[-1].values[0]
        if isinstance(value, np.ndarray) and value.shape == (len(next(iter(case.arguments.values()))),):
            return {"": np.asarray(np.mean(value))}
        return {"": value}

    made = []
    for reduction, held, fits in _reductions(exercise):
        note = "; ".join(filter(None, [_says(exercise), reduction and f"reduction {reduction!r}"]))
        read = _read(exercise, reduction)
        sense = _sense(exercise, reduction)
        made.append(Binding(exercise, f"{klass.name}.{way.forward}", plan, read, fits, held, note, sense=sense))
    note = f"{_says(exercise)}; returns a loss for each sample: judged by their mean"
    each = replace(made[0], outputs=meaned, note=note, sense=_sense(exercise, "none"))
    return (*made, each, *_by_class(exercise, *made, each))


def _reductions(exercise: Exercise) -> list[tuple[str, frozenset[str], Callable[[Case], bool]]]:
    """Return how a loss may be reduced, "" for its default: how, what is held, and which cases ask for it."""
    hyperparameters = signature(exercise.reference).hyperparameters
    choices, default = hyperparameters.get("reduction", ((), None))
    held = frozenset(hyperparameters)
    found: list[tuple[str, frozenset[str], Callable[[Case], bool]]] = [("", held, lambda case: True)]

    others = [choice for choice in choices if choice != default]
    return found + [(other, held - {"reduction"}, reductions.asks_for(exercise, other)) for other in others]


def _read(exercise: Exercise, reduction: str) -> Callable[[Case, Sequence[Returned]], Outputs]:
    """Return how an answer of this reduction is read, "" for the default: as what the case asks for."""

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        value = returned[-1].values[0]
        return {"": reductions.as_asked(exercise, reduction, case, value) if reduction else value}

    return outputs


def _sense(exercise: Exercise, reduction: str) -> str:
    """Return as what a loss is read: as this one, and how reduced; one of single losses leaves that to its gradient."""
    _, default = signature(exercise.reference).hyperparameters.get("reduction", ((), ""))
    reduced = "" if reduction == "none" else reduction or default
    return f"{exercise.forward or exercise.name}: {reduced}"


def _by_class(exercise: Exercise, *bindings: Binding) -> tuple[Binding, ...]:
    """Return the readings with classes for labels only, as numbers or rows, where distributions are asked for too."""
    if len(signature(exercise.reference).arguments.get("labels", ())) < 2:
        return ()
    numbers = [replace(b, note=f"{b.note}; takes labels as classes: judged on those") for b in bindings]
    rows = [replace(b, plan=_in_rows(b), note=f"{b.note}; takes one-hot rows: judged on those") for b in bindings]
    return tuple(replace(b, accepts=_by_classes(b)) for b in (*numbers, *rows))


def _in_rows(binding: Binding) -> Callable[[Case], tuple[Call, ...]]:
    """Return the plan with classes as one-hot rows."""

    def row_of(value: Any, case: Case) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
            return np.eye(case.arguments["logits"].shape[1], dtype=case.dtype)[value]
        return value

    return lambda case: tuple(
        replace(call, arguments=tuple(row_of(value, case) for value in call.arguments)) for call in binding.plan(case)
    )


def _by_classes(binding: Binding) -> Callable[[Case], bool]:
    return lambda case: bool(case.form) and binding.accepts(case)


def _says(exercise: Exercise) -> str:
    return f"its name is read as {exercise.name}"


def _with_backward(klass: Klass, way: Way, backward: Found, exercise: Exercise, ask: Ask) -> Way | str:
    """Return the way with how backward is called, or why it is not known."""
    required = _two(backward)
    if len(required) > 2:
        return "what it takes is not known"
    way = replace(way, backward=backward.tail, given=len(required))
    random = np.random.default_rng(0)
    table = random.dirichlet(np.ones(3), 2)
    truths: list[Any] = [random.dirichlet(np.ones(3), 2)]
    truths += [np.array([2, 0])] * ("labels" in signature(exercise.reference).arguments)  # some take classes only
    tried = [
        _left_by(klass, way, Case({"predictions": table, "targets": t}, {}, "float64", "tried"), ask) for t in truths
    ]
    return next((found for found in tried if isinstance(found, Way)), tried[0])


def _left_by(klass: Klass, way: Way, case: Case, ask: Ask) -> Way | str:
    """Return the way with where backward leaves the gradient in a case, or why it is not known."""
    shape = case.arguments["predictions"].shape
    calls = _backwards(case, klass, way)
    last = answered(ask(calls))
    if isinstance(last, Returned) and isinstance(last.values[0], np.ndarray) and last.values[0].shape == shape:
        return way
    if isinstance(last, Returned) and last.values[0] is None:
        for at in (("dinputs",), ("d_inputs",), ("dinput",), ("dx",), ("grad",), ("grad_input",)):
            read = answered(ask([*calls, got(at)]))
            if isinstance(read, Returned) and isinstance(read.values[0], np.ndarray) and read.values[0].shape == shape:
                return replace(way, at=at)
        return way
    return f"{last.kind}: {last.message}" if isinstance(last, Raised) else "no gradient of the prediction's shape"


def _backwards(case: Case, klass: Klass, way: Way) -> list[Call]:
    pair = _arguments(case, klass, way)
    first = Call(f"{klass.name}.{way.forward}", (Kept(IT), *pair), read=())
    given: tuple[Any, ...] = pair if way.given == 2 else (1.0,) * way.given
    return [_start(klass), first, Call(f"{klass.name}.{way.backward}", (Kept(IT), *given))]


def _backward(exercise: Exercise, klass: Klass, way: Way) -> tuple[Binding, ...]:
    def plan(case: Case) -> tuple[Call, ...]:
        calls = _backwards(case, klass, way)
        return tuple(calls if way.at is None else [*calls[:-1], replace(calls[-1], read=()), got(way.at)])

    return tuple(
        Binding(
            exercise,
            f"{klass.name}.{way.backward}",
            plan,
            _read(exercise, reduction),
            fits,
            held,
            "; ".join(filter(None, [_says(exercise), reduction and f"reduction {reduction!r}"])),
            sense=_sense(exercise, reduction),
        )
        for reduction, held, fits in _reductions(exercise)
    )
