"""Functions in the shape of the Deep Learning Specialization: features × samples, dictionaries of parameters, NHWC."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._adapters.objects import AS_IT_IS, Array, Ask, Turn, cropped, last, squared, tensors
from graders.harness.cases import Case
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, Typed, WrongAtSight, WrongKind, said
from graders.harness.sandbox.codec import Kept, Record
from graders.harness.sandbox.contract import Call, Outcome, Path, Raised, Returned
from graders.harness.sandbox.contract import Function as Found

Maker = Callable[[Exercise, Found, str], tuple[Binding, ...]]
T, COLUMN, KERNEL, NHWC, WIDE = (
    Turn((1, 0)),
    Turn(shape=(-1, 1)),
    Turn((2, 3, 1, 0)),
    Turn((0, 2, 3, 1)),
    Turn(shape=(1, 1, 1, -1)),
)
SAMPLES, IMAGES = "samples are columns", "images are NHWC"


def _restored(turn: Turn, value: Any, like: tuple[int, ...], what: str) -> Any:
    """Return a result in the canonical layout; raise `WrongKind` for one of another kind or shape than its own has."""
    wanted = turn.to(np.empty(like)).shape
    if not isinstance(value, np.ndarray):
        raise WrongKind(f"{what} is {said(value)}, expected an array of shape {wanted}")
    if value.shape != wanted:
        raise WrongAtSight(f"{what} is of shape {value.shape}, expected {wanted}")
    return turn.back(value, like)


def _back(turn: Turn, value: Any) -> Any:
    if isinstance(value, np.ndarray) and turn.axes and value.ndim == len(turn.axes):
        return np.ascontiguousarray(value.transpose(np.argsort(turn.axes)))
    return value


# ---------------------------------------------------------------- dense layers, convolution and pooling


def _layer(
    turns: Mapping[str, Turn], settings: Callable[[Case], dict[str, Any]] | None, fits: Callable[[Case], bool],
    held: frozenset[str], note: str, extra: tuple[Any, ...] = (), averaged: bool = False, square: bool = False,
) -> Maker:  # fmt: skip
    """Return what binds `f(arrays…, settings) -> (out, cache)` and `f(dout, cache) -> gradients` in another layout."""

    def made(exercise: Exercise, found: Found, forward: str) -> tuple[Binding, ...]:
        backward = exercise.forward is not None
        names = [name for name in turns if name != "cotangent"]
        out = turns["x"]

        def plan(case: Case) -> tuple[Call, ...]:
            every = squared(case.arguments) if square else case.arguments
            given = [turns[name].to(every[name]) for name in names]
            more = [settings(case)] if settings else []
            first = Call(forward, (*given, *more, *extra), read=() if backward else ((0,),), keep="forward")
            if not backward:
                return (replace(first, keep=""),)
            read: tuple[Path, ...] = tuple((i,) for i in range(len(names))) if len(names) > 1 else ((),)
            return first, Call(
                found.name, (out.to(case.arguments["cotangent"]), Kept("forward", (1,)), *extra), read=read
            )

        def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
            values = returned[-1].values
            if not backward:
                return {"": _back(out, values[0])}
            outputs = [""] if len(names) == 1 else [f"d{name}" for name in names]
            every = squared(case.arguments) if square else case.arguments
            made = {
                output: _restored(turns[name], value, every[name].shape, f"`d{name}`")
                for output, name, value in zip(outputs, names, values, strict=True)
            }
            for name in ("x", "w") if square else ():
                made[f"d{name}"] = cropped(made[f"d{name}"], case.arguments[name].shape, every[name].shape)
            return {
                k: v if k == "dx" or not averaged else v * np.dtype(case.dtype).type(len(case.arguments["x"]))
                for k, v in made.items()
            }

        return (Binding(exercise, found.name, plan, outputs, accepts=fits, held=held, note=note),)

    return made


def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _even(case: Case, *names: str) -> bool:
    pairs = [_pair(case.hyperparameters[name]) for name in names if case.hyperparameters[name] is not None]
    return all(rows == columns for rows, columns in pairs)


def _convolving(case: Case) -> dict[str, Any]:
    return {"stride": _pair(case.hyperparameters["stride"])[0], "pad": _pair(case.hyperparameters["padding"])[0]}


def _pooling(case: Case) -> dict[str, Any]:
    size, stride = case.hyperparameters["kernel_size"], case.hyperparameters["stride"]
    return {"f": _pair(size)[0], "stride": _pair(size if stride is None else stride)[0]}


_DENSE = _layer({"x": T, "W": T, "b": COLUMN}, None, lambda case: True, frozenset(), SAMPLES)
_MEANS = "dW and db are means over the samples, as the course has them: judged times their number"


def _dense_vjp(exercise: Exercise, found: Found, forward: str) -> tuple[Binding, ...]:
    """Bind `linear_backward`, whose parameters' gradients the course averages."""
    means = _layer(
        {"x": T, "W": T, "b": COLUMN}, None, lambda case: True, frozenset(), f"{SAMPLES}; {_MEANS}", averaged=True
    )
    return means(exercise, found, forward) + _DENSE(exercise, found, forward)


_CONV = {"x": NHWC, "w": KERNEL, "b": WIDE}
_LEFT = frozenset({"dilation", "groups"})


def _conv(exercise: Exercise, found: Found, forward: str) -> tuple[Binding, ...]:
    """Bind a convolution on every case, and on those of square kernels, as the course has them."""

    def even(case: Case) -> bool:
        return _even(case, "stride", "padding")

    every = _layer(_CONV, _convolving, even, _LEFT, IMAGES)
    note = f"{IMAGES}; kernels are given as squares, as the course has them"
    squares = _layer(_CONV, _convolving, even, _LEFT, note, square=True)
    return every(exercise, found, forward) + squares(exercise, found, forward)


def _pool(mode: str) -> Maker:
    def fits(case: Case) -> bool:
        return _even(case, "kernel_size", "stride")

    held = frozenset({"padding", "count_include_pad"}) if mode == "average" else frozenset({"padding"})
    return _layer({"x": NHWC}, _pooling, fits, held, f"{IMAGES}, mode {mode!r}", (mode,))


# ---------------------------------------------------------------- activations with a cache, and the cost


def cached(binding: Binding) -> Binding:
    """Return the reading of `f(z) -> (a, cache)`."""

    def plan(case: Case) -> tuple[Call, ...]:
        return tuple(replace(call, read=((0,),)) for call in binding.plan(case))

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        return {"": returned[0].values[0]}

    typed = binding.typed

    def with_part(case: Case) -> Typed:
        assert typed is not None
        made = typed(case)
        return replace(made, call=f"{made.call}[0]")

    note = "; ".join(filter(None, [binding.note, "returns (A, cache)"]))
    return replace(binding, plan=plan, outputs=outputs, typed=with_part if typed else None, note=note)


def in_columns(binding: Binding) -> Binding:
    """Return the reading of a function of one table whose samples are columns."""
    inner, accepts = binding.outputs, binding.accepts

    def plan(case: Case) -> tuple[Call, ...]:
        return tuple(
            replace(call, arguments=tuple(T.to(a) if isinstance(a, np.ndarray) else a for a in call.arguments))
            for call in binding.plan(case)
        )

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        return {name: _back(T, value) for name, value in inner(case, returned).items()}

    note = "; ".join(filter(None, [binding.note, SAMPLES]))
    fits = lambda case: accepts(case) and all(np.ndim(a) == 2 for a in case.arguments.values())  # noqa: E731
    return replace(binding, plan=plan, outputs=outputs, accepts=fits, typed=None, note=note)


CACHED = ("relu", "sigmoid", "tanh", "softmax", "leaky_relu", "gelu", "softplus", "silu")
COLUMNS = ("softmax", "log_softmax")


def also(binding: Binding, found: Found) -> Binding:
    """Return the binding of an activation with the course's other readings of that name."""
    readings: list[Binding] = []
    if found.names("positional")[:1] == ("z",):
        return binding  # the catalogue's own name for it
    if (
        found.tail in CACHED
        and len([must for _, kind, must in found.parameters or () if must and kind == "positional"]) == 1
    ):
        readings.append(cached(binding))
        if found.tail in COLUMNS and "axis" in binding.held:
            readings += [in_columns(binding), in_columns(readings[0])]
    return replace(binding, others=(*binding.others, *readings)) if readings else binding


def in_one_row(binding: Binding) -> tuple[Binding, Binding]:
    """Return the readings of a loss of one row of samples, (1, m); the course has it assert that it gives a `float`."""
    inner, accepts = binding.plan, binding.accepts

    def plan(case: Case) -> tuple[Call, ...]:
        return tuple(
            replace(call, arguments=tuple(a.reshape(1, -1) if isinstance(a, np.ndarray) else a for a in call.arguments))
            for call in inner(case)
        )

    def fits(case: Case) -> bool:
        return case.dtype == "float64" and accepts(case)

    note = "; ".join(filter(None, [binding.note, f"{SAMPLES}: all entries in one row"]))
    asserts = "judged in float64 only, which alone passes for the `float` that the course has it assert"
    every = replace(binding, plan=plan, typed=None, note=note)
    return every, replace(every, accepts=fits, note=f"{note}; {asserts}")


def _takes_parameters(found: Found) -> bool:
    """Return whether a cost takes the parameters too, of which the course's own makes nothing."""
    must = [name for name, kind, must in found.parameters or () if must and kind == "positional"]
    return found.tail == "compute_cost" and len(must) == 3 and must[2] in ("parameters", "params")


def _as_number(value: Any) -> Any:
    """Return a cost that came as an array of one number, of any axes, as one of none."""
    return value.reshape(()) if isinstance(value, np.ndarray) and value.size == 1 else value


def _cost(exercise: Exercise, found: Found, forward: str) -> tuple[Binding, ...]:
    """Bind `compute_cost(AL, Y)`, the mean over one row of samples; some return it as an array of one number."""

    def plan(case: Case) -> tuple[Call, ...]:
        given = tuple(case.arguments[n] for n in ("probabilities", "labels"))
        return (Call(found.name, (*given, *[_split(np.ones(8))] * _takes_parameters(found))),)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        return {"": _as_number(returned[0].values[0])}

    made = Binding(exercise, found.name, plan, outputs, held=frozenset({"reduction"}), vague=_takes_parameters(found))
    return in_one_row(made)


_CROSS = "losses.cross_entropy"


def _gives_classes(found: Found) -> bool:
    """Return whether a function is a softmax: beside it a cost is that of many classes."""
    return bool(re.match(r"(stable_)?softmax", found.tail))


def _cost_of_classes(exercise: Exercise, found: Found) -> Binding:
    """Bind `compute_cost(AL, Y)` of classes: distributions are columns, the mean is over these."""

    def plan(case: Case) -> tuple[Call, ...]:
        return (Call(found.name, (T.to(case.arguments["q"]), T.to(case.arguments["p"]))),)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        return {"": _as_number(returned[0].values[0])}

    note = f"{SAMPLES}; a cost of classes, as it stands beside a softmax"
    return Binding(exercise, found.name, plan, outputs, held=frozenset({"reduction"}), note=note)


_SPLIT = 0.5
"""How much of a sum is given as bias, and taken off again by a feature of ones, so that both are looked at."""
_SURE = 6.0
"""The score from which a probability is so near 0 or 1 that it has lost digits of what is left."""


def _propagate(exercise: Exercise, found: Found, forward: str) -> tuple[Binding, ...]:
    """Bind `propagate(w, b, X, Y) -> ({"dw", "db"}, cost)` of a logistic regression.

    The exercise has no bias: there is one more feature, all ones, whose slope is then that of the bias.
    """
    is_slope = exercise.forward is not None

    def plan(case: Case) -> tuple[Call, ...]:
        w, x, labels = (case.arguments[name] for name in ("w", "x", "labels"))
        weights, columns = np.append(w, w.dtype.type(-_SPLIT))[:, None], np.vstack([x.T, np.ones_like(labels)])
        read: tuple[Path, ...] = ((0, "dw"), (0, "db")) if is_slope else ((1,),)
        return (Call(found.name, (weights, _SPLIT, columns, labels[None, :]), read=read),)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        value = returned[0].values[0]
        if not is_slope:
            return {"": _as_number(value)}
        db = returned[0].values[1]
        if not isinstance(value, np.ndarray) or value.shape != (len(case.arguments["w"]) + 1, 1):
            raise WrongAtSight(f"`dw` is {said(value)}, expected an array of the shape of w")
        if not isinstance(db, (float, np.ndarray)) or np.size(db) != 1:
            raise WrongAtSight(f"`db` is {said(db)}, expected a number")
        if not np.allclose(np.ravel(db)[0], value[-1, 0], rtol=1e-3, atol=1e-6, equal_nan=True):
            raise WrongAtSight(f"`db` is {np.ravel(db)[0]:.4g}, and `dw` of a feature of ones is {value[-1, 0]:.4g}")
        return {"": value[:-1, 0]}

    def is_sure(case: Case) -> bool:
        with np.errstate(all="ignore"):
            return bool(np.max(np.abs(case.arguments["x"] @ case.arguments["w"]), initial=0.0) > _SURE)

    note = f"{SAMPLES}; given a bias, and a feature of ones that takes it off again"
    if is_slope:
        return (Binding(exercise, found.name, plan, outputs, held=frozenset({"l2"}), note=note),)
    note += "; its cost is judged where no probability, of which the course has it made, comes near 0 or 1"
    return (
        Binding(
            exercise, found.name, plan, outputs, lambda case: not is_sure(case), frozenset({"l2"}), note
        ),
    )  # fmt: skip


def _is_of_a_line(found: Found, ask: Ask) -> bool:
    """Return whether the cost is one of squares: with weights of zero, 0 for labels 0, and 1 or 1/2 for labels 1."""

    def cost(label: float) -> Any:
        given = np.zeros((2, 1)), 0.0, np.ones((2, 3)), np.full((1, 3), label)
        outcome = last(ask([Call(found.name, given, read=((1,),))]))
        return outcome.values[0] if isinstance(outcome, Returned) else None

    return bool(np.all(cost(0.0) == 0) and np.any(cost(1.0) == np.array([0.5, 1.0])))


# ---------------------------------------------------------------- updates of dictionaries

_KEYS = ("W1", "b1", "W2", "b2")
_MOST_LAYERS = 8
_LAYER_LACKS = re.compile(r"^'d?[Wb]\d+'$")
"""What a KeyError says of an update that asks for a layer which is not there."""


def _keys(layers: int) -> tuple[str, ...]:
    return tuple(f"{kind}{layer}" for layer in range(1, layers + 1) for kind in "Wb")


def _split(vector: Array, prefix: str = "", keys: Sequence[str] = _KEYS) -> dict[str, Array]:
    """Return a vector as the parameters of some layers, of which some may be empty."""
    parts = np.array_split(vector.ravel(), len(keys))
    return {prefix + key: part.reshape(-1, 1) for key, part in zip(keys, parts, strict=True)}


def _joined(
    value: Any, case: Case, prefix: str = "", what: str = "the new parameters", keys: Sequence[str] = _KEYS
) -> Array:
    params = case.arguments["params"]
    if not isinstance(value, Mapping):
        raise WrongKind(f"{what} are {said(value)}, expected a dictionary with {', '.join(prefix + k for k in keys)}")
    parts = []
    for key, part in _split(params, prefix, keys).items():
        if key not in value:
            raise WrongKind(f"{what} have no {key!r}")
        parts.append(_restored(COLUMN, value[key], (len(part),), f"{what[8:] or 'parameter'} {key!r}"))
    return np.concatenate(parts).reshape(params.shape)


_RATES: Mapping[str, tuple[str, ...]] = {
    "update_parameters": ("learning_rate",),
    "update_parameters_with_gd": ("learning_rate",),
    "update_parameters_with_momentum": ("v", "beta", "learning_rate"),
    "update_parameters_with_adam": ("v", "s", "t", "learning_rate", "beta1", "beta2", "epsilon"),
}


def _layers(found: Found, ask: Ask) -> int:
    """Return how many layers an update has: two, unless it asks for one by its number that two do not have."""
    for layers in range(2, _MOST_LAYERS + 1):
        outcome = last(ask([Call(found.name, _of_ones(found, _keys(layers)), read=())]))
        if not (isinstance(outcome, Raised) and outcome.kind == "KeyError" and _LAYER_LACKS.match(outcome.message)):
            return layers
    return 2


def _of_ones(found: Found, keys: Sequence[str]) -> tuple[Any, ...]:
    """Return the arguments of an update to try it with: all parameters, slopes and states are ones."""
    slopes = {f"d{key}": np.ones((2, 1)) for key in keys}
    rest = (_HALVES.get(name, slopes) for name in _RATES[found.tail])
    return ({key: np.ones((2, 1)) for key in keys}, slopes, *rest)


_HALVES: Mapping[str, Any] = dict.fromkeys(("learning_rate", "beta", "beta1", "beta2", "epsilon"), 0.5) | {"t": 2}


def _steps_more(found: Found, ask: Ask) -> bool:
    """Return whether an update is one of layers with a further parameter, such as the scale of a batch norm.

    It does not reach all entries of layers of W and b, of which it takes there to be fewer; and it moves that one.
    """
    at: Path = (0,) if "v" in found.names("positional") else ()

    def moved(keys: tuple[str, ...], key: str) -> bool:
        outcome = last(ask([Call(found.name, _of_ones(found, keys), read=((*at, key),))]))
        return isinstance(outcome, Returned) and not np.array_equal(outcome.values[0], np.ones((2, 1)))

    return not all(moved(_KEYS, key) for key in _KEYS) and moved(("W1", "b1", "g1", "W2", "b2", "g2"), "g1")


def _update(exercise: Exercise, found: Found, forward: str, layers: int = 2) -> tuple[Binding, ...]:
    """Bind an update of a dictionary, its arguments by their names, stepping with what it returned before."""
    keys = _keys(layers)
    slots = {"v": ("velocity", "m"), "s": ("v", "v")}
    own = found.names("positional")
    stateful = exercise.unrolled

    def plan(case: Case) -> tuple[Call, ...]:
        hyper = case.hyperparameters
        betas = hyper.get("betas", (0.9, 0.999))
        plain = {
            "learning_rate": hyper["lr"], "beta": hyper.get("momentum"), "beta1": betas[0], "beta2": betas[1],
            "epsilon": hyper.get("eps"),
        }  # fmt: skip
        state = case.arguments["state"].fields if stateful else {}
        grads = case.arguments["grads"] if stateful else case.arguments["grad"][None]
        calls = []
        for step, grad in enumerate(grads):
            first = step == 0
            given = {**plain, "t": int(state.get("t", 0)) + step + 1}
            for index, slot in enumerate(("v", "s"), 1):
                name = next((n for n in slots[slot] if n in state), None)
                if name is not None:
                    given[slot] = _split(state[name], "d", keys) if first else Kept("step", (index,))
            at: Path = (0,) if stateful else ()
            params: Any = _split(case.arguments["params"], "", keys) if first else Kept("step", at)
            arguments = [params, _split(grad, "d", keys), *(given[n] for n in own[2:] if n in given)]
            parts: tuple[Path, ...] = ((0,), (1,)) if "v" in own else ((),)
            parts = ((0,), (1,), (2,)) if "s" in own else parts
            calls.append(Call(found.name, tuple(arguments), read=parts, keep="step"))
        return tuple(calls)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        steps = [_joined(r.values[0], case, keys=keys) for r in returned]
        if not stateful:
            return {"": steps[0]}
        made: Outputs = {"params": np.stack(steps)}
        last = returned[-1].values
        state: Record = case.arguments["state"]
        for name in state.fields:
            slot = next((i for i, s in enumerate(("v", "s"), 1) if name in slots[s][: 2 if s == "v" else 1]), None)
            made[name] = (
                int(state.fields[name]) + len(steps) if slot is None
                else _joined(last[slot], case, "d", "the new v" if slot == 1 else "the new s", keys)
            )  # fmt: skip
        return made

    note = f"takes dictionaries W1, b1, …; judged on {_SAID[layers]} layers"
    return (Binding(exercise, found.name, plan, outputs, note=note),)


_SAID = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")


SHAPES: Mapping[str, tuple[int, str, tuple[tuple[str, Maker], ...]]] = {
    "linear_forward": (3, "linear_forward", (("layers.affine", _DENSE),)),
    "linear_backward": (2, "linear_forward", (("layers.affine_vjp", _dense_vjp),)),
    "conv_forward": (4, "conv_forward", (("convolution.conv2d", _conv),)),
    "conv_backward": (2, "conv_forward", (("convolution.conv2d_vjp", _conv),)),
    "pool_forward": (
        3, "pool_forward",
        (("pooling.max_pool2d", _pool("max")), ("pooling.avg_pool2d", _pool("average"))),
    ),
    "pool_backward": (
        3, "pool_forward",
        (("pooling.max_pool2d_vjp", _pool("max")), ("pooling.avg_pool2d_vjp", _pool("average"))),
    ),
    "compute_cost": (2, "", (("losses.sigmoid_bce", _cost),)),
    "propagate": (
        4, "", (("training.logistic_regression", _propagate), ("training.logistic_regression_grad", _propagate)),
    ),
    "update_parameters": (3, "", (("optimizers.sgd", _update),)),
    "update_parameters_with_gd": (3, "", (("optimizers.sgd", _update),)),
    "update_parameters_with_momentum": (5, "", (("optimizers.momentum", _update),)),
    "update_parameters_with_adam": (9, "", (("optimizers.adam", _update),)),
}  # fmt: skip
"""The course's functions: how many arguments, whose cache they need, and what they answer."""


_ONE = {"stride": 1, "pad": 0}
_OTHERWISE: Mapping[str, tuple[tuple[Any, ...], tuple[Any, ...], Maker]] = {
    "linear_forward": (
        (np.ones((3, 4)), np.ones((5, 3)), np.ones((5, 1))),
        (np.ones((4, 3)), np.ones((3, 5)), np.ones(5)),
        _layer(dict.fromkeys(("x", "W", "b"), AS_IT_IS), None, lambda case: True, frozenset(), "samples are rows"),
    ),
    "conv_forward": (
        (np.ones((2, 5, 4, 3)), np.ones((2, 2, 3, 6)), np.ones((1, 1, 1, 6)), _ONE),
        (np.ones((2, 3, 5, 4)), np.ones((6, 3, 2, 2)), np.ones(6), _ONE),
        _layer(
            dict.fromkeys(_CONV, AS_IT_IS), _convolving, lambda case: _even(case, "stride", "padding"), _LEFT,
            "images are NCHW",
        ),
    ),
}  # fmt: skip
"""Names that other courses have too, with samples as rows and images as NCHW: small arguments in either layout."""


def is_plain(found: Found, ask: Ask) -> bool:
    """Return whether a layer by the course's name gives an array, where the course's gives its cache besides."""
    if found.tail != "linear_forward":
        return False
    weights_by_units = np.ones((4, 3)), np.ones((5, 3)), np.ones(5)
    tries = [ask_either(found.name, given, ask) for given in (*_OTHERWISE[found.tail][:2], weights_by_units)]
    return any(isinstance(one, Returned) and isinstance(one.values[0], np.ndarray) for one in tries)


def ask_either(function: str, given: tuple[Any, ...], ask: Ask, read: tuple[Path, ...] = ((),)) -> Outcome:
    """Return what a function makes of arrays, or of tensors where it refuses these."""
    made = last(ask([Call(function, given, read=read)]))
    return made if isinstance(made, Returned) else last(ask([Call(function, tuple(map(tensors, given)), read=read)]))


def _otherwise(forward: str, ask: Ask) -> Maker | None:
    """Return what binds a function that refuses the course's layout and takes the other; None for any other."""
    tail = forward.rpartition(".")[2]
    if tail not in _OTHERWISE:
        return None
    course, other, maker = _OTHERWISE[tail]

    def takes(arguments: tuple[Any, ...]) -> bool:
        return isinstance(ask_either(forward, arguments, ask, read=()), Returned)

    return maker if not takes(course) and takes(other) else None


def fits(found: Found) -> bool:
    """Return whether a function has a name of the course and, by its parameters, its call shape."""
    if found.tail not in SHAPES or found.parameters is None:
        return False
    count = SHAPES[found.tail][0]
    positional = found.names("positional")
    required = sum(must for _, kind, must in found.parameters if kind == "positional")
    if found.tail == "propagate":
        return positional[:4] == ("w", "b", "X", "Y") and required == count
    if found.tail in _RATES:
        return len(positional) == count and positional[2:] == _RATES[found.tail]
    return required - _takes_parameters(found) <= count <= len(positional)


def bind(
    found: Found, exercises: Mapping[str, Exercise], others: Mapping[str, Found], ask: Ask
) -> tuple[list[Binding], str]:
    """Bind a course function to the exercises it answers; a backward without its forward is a note instead."""
    _, partner, answers = SHAPES[found.tail]
    forward = found.name.removesuffix(found.tail) + partner
    if partner and forward not in others:
        return [], f"{found.name} needs the cache of {partner}, which is not there: not judged"
    if found.tail in _RATES and _steps_more(found, ask):
        return [], f"{found.name} is not judged: it steps W, b and g of each layer, the exercise W and b"
    if found.tail == "propagate" and _is_of_a_line(found, ask):
        return [], f"{found.name} is not judged: it is that of a linear regression, the exercise of a logistic one"
    bindings = []
    otherwise = _otherwise(forward, ask)
    for name, maker in answers:
        if name in exercises:
            if found.tail in _RATES and (layers := _layers(found, ask)) > 2:
                maker = functools.partial(_update, layers=layers)
            readings = (otherwise or maker)(exercises[name], found, forward)
            if found.tail == "compute_cost" and _CROSS in exercises and any(map(_gives_classes, others.values())):
                readings += (_cost_of_classes(exercises[_CROSS], found),)
            bindings.append(replace(readings[0], others=readings[1:]))
    return bindings, ""
