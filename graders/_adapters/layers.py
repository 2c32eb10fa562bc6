"""Layer objects: `forward(x)` and `backward(dout)`, with parameters and gradients as attributes of any name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._adapters import objects
from graders._adapters.blocks import ends_whole
from graders._adapters.loosely import noted
from graders._adapters.objects import AS_IT_IS, IT, Array, Ask, Klass, got
from graders._adapters.tensors import in_float32
from graders._adapters.ways import (
    BACKWARD,
    DERIVATIVE,
    FAR,
    FORWARD,
    KINDS,
    Kind,
    NotFound,
    Way,
    backwards_of,
    calls_of,
    find,
    takes_pairs,
)
from graders.harness.cases import Case, signature
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, WrongKind, output_names, said
from graders.harness.sandbox.codec import Kept
from graders.harness.sandbox.contract import Call, Raised, Returned
from graders.harness.sandbox.contract import Function as Found


def bind(klass: Klass, kind: Kind, exercises: Mapping[str, Exercise], ask: Ask) -> tuple[list[Binding], str]:
    """Bind a layer's forward and backward to their exercises, or say why not."""
    names = [kind.exercise, f"{kind.exercise}_vjp"]
    if not any(name in exercises for name in names):
        return [], ""
    try:
        ways = find(kind, klass, ask)
    except NotFound as error:
        return [], f"{klass.name} is not judged: {error}"
    if "w" in kind.parameters:
        ways += [replace(way, square=True) for way in ways]
    elif "kernel_size" in kind.settings:
        ways = [replace(way, even=not takes_pairs(kind, klass, way, ask)) for way in ways]
    bindings, note = [], ""
    refuses = _refuses_a_rest(kind, klass, ways, ask)
    if names[0] in exercises:
        made = [_forward(exercises[names[0]], kind, klass, way) for way in ways]
        made += [in_float32(binding) for binding in made if klass.uses_tensors]
        made += [_of_whole_windows(binding) for binding in made] if refuses else []
        own = "negative_slope" in made[0].held  # written into its text, and perhaps not ours
        bindings.append(replace(made[0], others=tuple(made[1:]), vague=own))
    if names[1] in exercises and klass.method(*BACKWARD) is not None and not klass.is_module:
        outputs = {"x", *(p for p in kind.parameters)}
        complete = [way for way in ways if way.backward and outputs <= set(way.gradients)]
        if complete and kind.exercise == "activations.softmax" and _passes_on(kind, klass, complete[0], ask):
            note = f"{klass.name}'s backward is not judged: {PASSES_ON}"
        elif complete:
            made = [_backward(exercises[names[1]], kind, klass, way) for way in complete]
            made += [_averaged(binding) for binding in made if kind.exercise == "layers.affine"]
            made += _by_backward(exercises[names[1]], kind, klass, ways[0], ask)
            made += [_of_whole_windows(binding) for binding in made] if refuses else []
            own = "negative_slope" in made[0].held
            bindings.append(replace(made[0], others=tuple(made[1:]), vague=own))
        elif slopes := _by_backward(exercises[names[1]], kind, klass, ways[0], ask):
            bindings.append(replace(slopes[0], vague="negative_slope" in slopes[0].held))
        else:
            lacking = sorted(outputs - set(ways[0].gradients))
            note = f"{klass.name}'s backward is not judged: its gradient by {', '.join(lacking)} was not found"
    elif names[1] in exercises and _has_a_slope(kind):
        derivative = klass.method(*DERIVATIVE)
        binding = derivative and _by_derivative(exercises[names[1]], kind, klass, ways[0], derivative, ask)
        bindings += [replace(binding, vague="negative_slope" in binding.held)] if binding else []
    return bindings, note


PASSES_ON = "it passes on what it is given, as one does beside a loss whose gradient is by the scores"


def _passes_on(kind: Kind, klass: Klass, way: Way, ask: Ask) -> bool:
    """Return whether a backward gives its cotangent as it is."""
    random = np.random.default_rng(0)
    given = {kind.x: random.standard_normal(kind.shape), "cotangent": random.standard_normal(kind.shape)}
    *before, back = backwards_of(kind, klass, way, given)
    outcome = objects.last(ask([*before, replace(back, read=((),), keep="")]))
    value = outcome.values[0] if isinstance(outcome, Returned) else None
    return isinstance(value, np.ndarray) and np.array_equal(value, given["cotangent"])


def _held(exercise: Exercise, kind: Kind, way: Way) -> frozenset[str]:
    known = signature(exercise.reference).hyperparameters
    at_defaults = {name for name, (_, default) in known.items() if default is not inspect.Parameter.empty}
    return frozenset(at_defaults - way.settable(kind))


def _accepts(kind: Kind, way: Way) -> Callable[[Case], bool]:
    def accepts(case: Case) -> bool:
        x = case.arguments[kind.x]
        pairs = [case.hyperparameters.get(name) for name in ("stride", "padding")]
        pairs += [case.hyperparameters.get("kernel_size")] * way.even
        return x.ndim == len(kind.shape) and not any(isinstance(p, tuple) and p[0] != p[1] for p in pairs)

    return accepts


def _note(way: Way, held: frozenset[str]) -> str:
    said = []
    if way.turn.axes == (1, 0):
        said.append("samples are columns")
    elif way.turn.axes:
        said.append("images are NHWC")
    kept = [
        f"{name} as {'transposed' if t.axes else t.shape}"
        for name, w in way.parameters.items()
        for _, t in w[:1]
        if t != AS_IT_IS
    ]
    said += [f"keeps {', '.join(kept)}"] * bool(kept)
    said += ["kernels are given as squares"] * way.square
    said += ["takes one number for the size of a window: judged on square ones"] * way.even
    said += [f"takes no {', '.join(sorted(held))}: judged at the default"] * bool(held)
    return "; ".join(said)


def _given(case: Case, way: Way) -> dict[str, Any]:
    given = {**case.arguments, **case.hyperparameters}
    return objects.squared(given) if way.square else given


def _turned_back(way: Way, value: Any) -> Any:
    if isinstance(value, np.ndarray) and way.turn.axes and value.ndim == len(way.turn.axes):
        return np.ascontiguousarray(value.transpose(np.argsort(way.turn.axes)))
    return value


def _forward(exercise: Exercise, kind: Kind, klass: Klass, way: Way) -> Binding:
    held = _held(exercise, kind, way)

    def plan(case: Case) -> tuple[Call, ...]:
        calls = calls_of(kind, klass, way, _given(case, way), keep=False)
        return tuple([*calls, got(way.output_at)] if way.output is None else calls)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        return {"": _turned_back(way, returned[-1].values[0])}

    return Binding(exercise, f"{klass.name}.{way.forward}", plan, outputs, _accepts(kind, way), held, _note(way, held))


def _backward(exercise: Exercise, kind: Kind, klass: Klass, way: Way) -> Binding:
    held = _held(exercise, kind, way)
    order = ["x", *kind.parameters]
    names = output_names(exercise)

    def plan(case: Case) -> tuple[Call, ...]:
        given = _given(case, way)
        calls = backwards_of(kind, klass, way, given)
        returned = tuple(path for how, path, _ in (way.gradients[o] for o in order) if how == "returned")
        calls[-1] = replace(calls[-1], read=returned, keep="")
        return (*calls, *(got(path) for how, path, _ in (way.gradients[o] for o in order) if how != "returned"))

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        apart = sum(way.gradients[o][0] != "returned" for o in order)
        answers = list(returned[len(returned) - apart - 1].values)
        others = [r.values[0] for r in returned[len(returned) - apart :]]
        given = _given(case, way)
        made: Outputs = {}
        for name, one in zip(names, order, strict=True):
            how, _, turn = way.gradients[one]
            value = answers.pop(0) if how == "returned" else others.pop(0)
            argument = kind.x if one == "x" else one
            like, whole = case.arguments[argument], given[argument]
            if one == "x":
                value = _turned_back(way, value)
            else:
                value = turn.back(value, whole.shape)
                if how == "step":
                    if not isinstance(value, np.ndarray) or value.shape != whole.shape:
                        raise WrongKind(f"its {one} is {said(value)} after a step, expected shape {whole.shape}")
                    value = (whole - value) / whole.dtype.type(FAR)
            made[name] = objects.cropped(value, like.shape, whole.shape) if way.square and like.ndim == 4 else value
        return made

    note = _note(way, held)
    if any(how == "step" for how, _, _ in way.gradients.values()):
        note = "; ".join(filter(None, [note, "its gradients are read from the step that backward takes"]))
    return Binding(exercise, f"{klass.name}.{way.backward}", plan, outputs, _accepts(kind, way), held, note)


def _averaged(binding: Binding) -> Binding:
    """Return the reading of a dense layer whose loss is summed, and whose own gradients are means over the samples."""

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        count = np.dtype(case.dtype).type(len(case.arguments["x"]))
        made = binding.outputs(case, returned)
        return {k: v * count if k != "dx" and isinstance(v, np.ndarray) else v for k, v in made.items()}

    means = "dW and db are means over the samples, as CMU's 11-785 has had it: judged times their number"
    return replace(binding, outputs=outputs, note="; ".join(filter(None, [binding.note, means])))


def _refuses_a_rest(kind: Kind, klass: Klass, ways: Sequence[Way], ask: Ask) -> bool:
    """Return whether a layer that pools raises going forwards where its windows leave out a row and a column."""
    if kind.exercise not in ("pooling.max_pool2d", "pooling.avg_pool2d"):
        return False

    def raises(way: Way, size: int) -> bool:
        given = {kind.x: np.ones((1, 2, size, size)), "kernel_size": 2, "stride": 2, "padding": 0}
        return any(isinstance(outcome, Raised) for outcome in ask(calls_of(kind, klass, way, given, keep=False)))

    return any(raises(way, 5) and not raises(way, 4) for way in ways)


def _of_whole_windows(binding: Binding) -> Binding:
    """Return the reading of a layer that pools images without a rest, and refuses all others."""
    note = "refuses images that its windows do not fill: judged on the others"
    return noted(binding, note, accepts=lambda case: binding.accepts(case) and ends_whole(case))


_AT = re.compile(r"^(x|z|inputs?)$", re.IGNORECASE)
"""Names of an argument that is what `forward` takes, not a gradient."""


def _by_backward(exercise: Exercise, kind: Kind, klass: Klass, way: Way, ask: Ask) -> list[Binding]:
    """Return the reading of `backward(x)` as a slope at x, or of `backward()` as that where forward was, if it is."""
    backward = klass.method(*BACKWARD)
    names = backward.names("positional", "keyword") if backward is not None else ()
    if backward is None or len(names) > 1 or not all(map(_AT.match, names)) or not _has_a_slope(kind):
        return []
    slope = _by_derivative(exercise, kind, klass, way, backward, ask)
    return [slope] if slope else []


def _has_a_slope(kind: Kind) -> bool:
    """Return whether each entry of the result hangs on one of the input's."""
    return kind.exercise.startswith("activations.") and "softmax" not in kind.exercise


def _by_derivative(
    exercise: Exercise, kind: Kind, klass: Klass, way: Way, derivative: Found, ask: Ask
) -> Binding | None:
    """Bind `derivative(x)`, or `derivative()` of what forward was given last; None if it is neither."""
    held = _held(exercise, kind, way)
    told = sum(must for _, _, must in derivative.parameters or ())

    def calls(given: Mapping[str, Any]) -> tuple[Call, ...]:
        *make, forward = calls_of(kind, klass, way, given, keep=False)
        slope = Call(f"{klass.name}.{derivative.tail}", (Kept(IT), *[given[kind.x]] * told))
        return (*make, slope) if told else (*make, forward, slope)

    x = np.random.default_rng(0).standard_normal(kind.shape)
    outcome = objects.last(ask(calls({kind.x: x})))
    made = outcome.values[0] if isinstance(outcome, Returned) else None
    if told > 1 or (not told and not (isinstance(made, np.ndarray) and made.shape == x.shape)):
        return None

    def plan(case: Case) -> tuple[Call, ...]:
        return calls(_given(case, way))

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        value: Any = returned[-1].values[0]
        cotangent: Array = case.arguments["cotangent"]
        if isinstance(value, np.ndarray) and value.shape == cotangent.shape and value.dtype.kind in "biuf":
            with np.errstate(all="ignore"):
                return {"": (value * cotangent).astype(cotangent.dtype)}
        return {"": value}

    slope = f"{derivative.tail}({'x' * told})"
    note = "; ".join(filter(None, [_note(way, held), f"the cotangent times its {slope}"]))
    return Binding(exercise, f"{klass.name}.{derivative.tail}", plan, outputs, _accepts(kind, way), held, note)


__all__ = ["FORWARD", "KINDS", "bind"]
