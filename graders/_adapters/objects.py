"""Classes of a submission: what they take, where an object keeps its parts, and in which shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders.harness.sandbox.codec import Kept, Opaque, Record
from graders.harness.sandbox.contract import Call, Outcome, Path, Raised, Returned
from graders.harness.sandbox.contract import Function as Found

Ask = Callable[[Sequence[Call]], list[Outcome]]
Array = np.ndarray[Any, Any]
IT = "it"
"""The name under which the child keeps the object."""


@dataclass(frozen=True)
class Klass:
    """A class that a submission defines."""

    found: Found
    methods: Mapping[str, Found]

    @property
    def name(self) -> str:
        """Return the name by which the child knows it."""
        return self.found.name

    @property
    def takes(self) -> list[tuple[str, bool]]:
        """Return the parameters of its constructor by name, and whether they must be given."""
        kinds = ("positional", "keyword")
        return [(name, must) for name, kind, must in self.found.parameters or () if kind in kinds]

    @property
    def anything(self) -> bool:
        """Return whether its constructor takes more than it names."""
        return bool(self.found.names("others", "rest"))

    @property
    def is_module(self) -> bool:
        """Return whether it derives from torch.nn.Module."""
        return "torch.nn.modules.module.Module" in self.found.names("base")

    @property
    def is_torch_optimizer(self) -> bool:
        """Return whether it derives from torch.optim.Optimizer."""
        return "torch.optim.optimizer.Optimizer" in self.found.names("base")

    @property
    def uses_tensors(self) -> bool:
        """Return whether what it computes with are tensors, as far as its text tells."""
        direct = any(kind == "uses" and must for _, kind, must in self.found.parameters or ())
        return self.is_module or self.is_torch_optimizer or direct

    def method(self, *names: str) -> Found | None:
        """Return the first of these methods that it has."""
        return next((self.methods[name] for name in names if name in self.methods), None)


def gathered(functions: Sequence[Found]) -> tuple[list[Found], list[Klass]]:
    """Return the plain functions of a submission, and its classes with their methods."""
    classes = {f.name: f for f in functions if f.names("class")}
    methods: dict[str, dict[str, Found]] = {name: {} for name in classes}
    plain = []
    for function in functions:
        owner, _, tail = function.name.rpartition(".")
        if function.names("method") and owner in methods:
            methods[owner][tail] = replace(function, parameters=(function.parameters or ())[1:])
        elif not function.names("class"):
            plain.append(function)
    return plain, [Klass(found, methods[name]) for name, found in classes.items()]


_AFFIXES = (
    "layer", "activation", "loss", "my", "custom", "numpy", "np", "simple", "naive", "manual", "function", "func",
    "optimizer", "scratch", "fromscratch", "module", "torch", "our", "basic",
)  # fmt: skip


def kind_of(tail: str, kinds: Mapping[str, Any]) -> str | None:
    """Return the kind that a class's name stands for, with or without words like "Layer" or "My" around it."""
    bare = re.sub(r"[^a-z0-9]", "", tail.lower())
    waiting, seen = [bare], set()
    while waiting:
        bare = waiting.pop(0)
        if bare in kinds:
            return bare
        for affix in _AFFIXES:
            for shorter in (bare.removeprefix(affix), bare.removesuffix(affix)):
                if shorter and shorter not in seen:
                    seen.add(shorter)
                    waiting.append(shorter)
    return None


def roles_by_name(found: Found, patterns: Mapping[str, re.Pattern[str]]) -> dict[str, str]:
    """Return what each parameter is, in order, by its name; nothing for a function that needs something else too."""
    roles: dict[str, str] = {}
    for name, kind, must in found.parameters or ():
        if kind not in ("positional", "keyword"):  # other entries tell of the function, and are not given
            continue
        role = next((r for r, p in patterns.items() if r not in roles.values() and p.fullmatch(name)), "")
        if role:
            roles[name] = role
        elif must:
            return {}
    return roles


# ---------------------------------------------------------------- values


def tensors(value: Any) -> Any:
    """Return a value whose arrays the child makes tensors of."""
    if isinstance(value, np.ndarray):
        return Record("torch.Tensor", {"data": value})
    if isinstance(value, Record) and "." not in value.name:
        return Record(value.name, {name: tensors(part) for name, part in value.fields.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(tensors(item) for item in value)
    if isinstance(value, dict):
        return {key: tensors(item) for key, item in value.items()}
    return value


@dataclass(frozen=True)
class Turn:
    """How an array is kept: its axes in another order, then in another shape (with one −1)."""

    axes: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()

    def to(self, array: Array) -> Array:
        """Return a canonical array as it is kept."""
        turned = np.ascontiguousarray(array.transpose(self.axes)) if self.axes else array
        return turned.reshape(self.shape) if self.shape else turned

    def back(self, value: Any, like: tuple[int, ...]) -> Any:
        """Return what was kept as a canonical array of this shape; what is of no such shape, as it is."""
        if not isinstance(value, np.ndarray):
            return value
        axes = self.axes or tuple(range(len(like)))
        turned = tuple(like[axis] for axis in axes)
        if self.shape and value.size == int(np.prod(like)) and value.shape == self.to(np.empty(like)).shape:
            value = value.reshape(turned)
        if self.axes and value.ndim == len(axes):
            value = np.ascontiguousarray(value.transpose(np.argsort(axes)))
        return value


AS_IT_IS = Turn()
TURNS: Mapping[int, tuple[Turn, ...]] = {
    1: (AS_IT_IS, Turn(shape=(1, -1)), Turn(shape=(-1, 1)), Turn(shape=(1, -1, 1, 1)), Turn(shape=(1, 1, 1, -1)),
        Turn(shape=(1, 1, -1)), Turn(shape=(-1, 1, 1))),
    2: (AS_IT_IS, Turn((1, 0))),
    4: (AS_IT_IS, Turn((2, 3, 1, 0)), Turn((0, 2, 3, 1)), Turn((1, 2, 3, 0))),
}  # fmt: skip
"""The layouts in which the field keeps vectors, matrices (d_in, d_out) and kernels (out, in, kh, kw)."""


def turn_to(shape: tuple[int, ...], kept: tuple[int, ...]) -> Turn | None:
    """Return how an array of a canonical shape is kept in another one; None if it cannot be."""
    for turn in TURNS.get(len(shape), ()):
        if turn.to(np.empty(shape)).shape == kept:
            return turn
    return None


# ---------------------------------------------------------------- looking into an object


def flat(value: Any, path: Path = (), depth: int = 3) -> Iterator[tuple[Path, Any]]:
    """Yield what an object's attributes hold, however deep, by path."""
    if isinstance(value, Mapping) and depth:
        for key, item in value.items():
            yield from flat(item, (*path, key), depth - 1)
    elif isinstance(value, (list, tuple)) and depth and len(value) < 8:
        for index, item in enumerate(value):
            yield from flat(item, (*path, index), depth - 1)
    else:
        yield path, value


def inside(ask: Ask, calls: Sequence[Call]) -> dict[Path, Any] | Raised | None:
    """Return what the kept object holds after these calls, or what was raised."""
    outcomes = ask([*calls, Call("=", (Kept(IT),), read=(("__dict__",),))])
    raised = next((o for o in outcomes if isinstance(o, Raised)), None)
    if raised is not None or len(outcomes) <= len(calls) or not isinstance(outcomes[-1], Returned):
        return raised
    held = dict(flat(outcomes[-1].values[0]))
    wrapped = [path for path, value in held.items() if isinstance(value, Opaque) and path[0] not in _ODD][:8]
    if wrapped:  # objects that wrap an array, such as a Tensor with .data and .grad
        deeper = ask([*calls, *(Call("=", (Kept(IT),), read=((*path, "__dict__"),)) for path in wrapped)])
        for path, outcome in zip(wrapped, deeper[len(calls) :], strict=False):
            if isinstance(outcome, Returned):
                held |= dict(flat(outcome.values[0], path))
    return held


_ODD = ("_modules", "_buffers_", "_backward_hooks", "_forward_hooks")
GRADIENT = re.compile(
    r"(^|[._])_*d(?!ata|im|rop|type|efault|ecay|ict|epth|ense|ilat)[A-Za-z_]*$|grad|nabla|deriv|delta"
)
_ANY_CASE = re.IGNORECASE
_STEPS = r"(running|moving|avg|ema|run|test|global|pop)"
PARAMETERS = {
    "W": re.compile(r"(^|[._])(w|weights?|kernels?|filters?|theta|0)\d?$", _ANY_CASE),
    "w": re.compile(r"(^|[._])(w|weights?|kernels?|filters?|theta|0)\d?$", _ANY_CASE),
    "b": re.compile(r"(^|[._])(b|bias|biases|1)\d?$", _ANY_CASE),
    "gamma": re.compile(r"(^|[._])(g|gamma|weights?|scaler?|gain|w|bw|0)$", _ANY_CASE),
    "beta": re.compile(r"(^|[._])(b|beta|bias|shift|offset|intercept|bb|1)$", _ANY_CASE),
    "running_mean": re.compile(rf"{_STEPS}\w*(mean|mu)|(mean|mu)\w*(running|avg|ema)|^rm$", _ANY_CASE),
    "running_var": re.compile(rf"{_STEPS}\w*var|var\w*(running|avg|ema)|^rv$", _ANY_CASE),
}
SETTINGS = {
    "eps": re.compile(r"^_*(eps|epsilon|e)$", _ANY_CASE),
    "negative_slope": re.compile(r"^_*(alpha|slope|negative_slope|leak|leakage|leaky\w*|coeff?\w*|a|k)$", _ANY_CASE),
    "stride": re.compile(r"^_*(strides?|s)$", _ANY_CASE),
    "padding": re.compile(r"^_*(pad|padding|pads|p)$", _ANY_CASE),
    "kernel_size": re.compile(
        r"^_*(kernel_?(size|shape)?|pool_?(size|shape)|filter_?(size|shape)|ksize|k|f|size)$", _ANY_CASE
    ),
    "kernel_rows": re.compile(r"^_*(pool|kernel|filter|f)_?(h|height)$", _ANY_CASE),
    "kernel_columns": re.compile(r"^_*(pool|kernel|filter|f)_?(w|width)$", _ANY_CASE),
}


def spelled(path: Path) -> str:
    """Return a path as a word for the patterns: without the mangling of private names, a trailing `.data` left out."""
    words = [re.sub(r"^_[A-Za-z0-9]+__", "", str(step)) for step in path]
    while len(words) > 1 and words[-1].strip("_") in ("data", "value", "array", "values", "val"):
        words.pop()
    return ".".join(word if i else word.lstrip("_") for i, word in enumerate(words))


def places(held: Mapping[Path, Any], parameter: str, shape: tuple[int, ...]) -> list[tuple[Path, Turn]]:
    """Return where an object keeps a parameter of this canonical shape, and how."""
    found = []
    for path, value in held.items():
        word = spelled(path)
        if isinstance(value, np.ndarray) and not GRADIENT.search(word) and PARAMETERS[parameter].search(word):
            turn = turn_to(shape, value.shape)
            if turn is not None:
                found.append((path, turn))
    return found


def gradients(held: Mapping[Path, Any], parameter: str, kept: set[tuple[int, ...]]) -> list[Path]:
    """Return where an object keeps the gradient by a parameter that it keeps in one of these shapes.

    What bears its name alone, in another shape, is a wrong gradient.
    """
    every = [path for path, value in held.items() if isinstance(value, np.ndarray) and GRADIENT.search(spelled(path))]
    fitting = [path for path in every if held[path].shape in kept]
    letter = _GRADIENTS[parameter]
    named, misshapen = ([path for path in some if letter.search(spelled(path))] for some in (fitting, every))
    if named or (parameter in ("W", "w", "x") and len(fitting) == 1):
        return named or fitting
    return misshapen if len(misshapen) == 1 else []


_GRADIENTS = {
    "W": re.compile(r"(w|weights?|kernels?|filters?|theta|0)(_?grad\w*)?(\.grad)?$", re.IGNORECASE),
    "w": re.compile(r"(w|weights?|kernels?|filters?|theta|0)(_?grad\w*)?(\.grad)?$", re.IGNORECASE),
    "b": re.compile(r"(b|bias|biases|1)(_?grad\w*)?(\.grad)?$", re.IGNORECASE),
    "gamma": re.compile(r"(g|gamma|weights?|scaler?|w|0)(_?grad\w*)?(\.grad)?$", re.IGNORECASE),
    "beta": re.compile(r"(b|beta|bias|shift|intercept|1)(_?grad\w*)?(\.grad)?$", re.IGNORECASE),
    "x": re.compile(r"(x|inputs?|a|z|a_?prev)(_?grad\w*)?$", re.IGNORECASE),
}


def put(path: Path, value: Any) -> Call:
    """Return the call that replaces a part of the object."""
    return Call("=put", (Kept(IT), list(path), value), read=())


def got(path: Path) -> Call:
    """Return the call that reads a part of the object."""
    return Call("=", (Kept(IT),), read=(path,))


def last(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the last of some outcomes, or that there was none."""
    return outcomes[-1] if outcomes else Raised("unreadable", "it did not answer")


def squared(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a convolution's arguments with a square kernel: zeros added to kernel and image alike."""
    rows, columns = arguments["w"].shape[2:]
    size = max(rows, columns)
    below = ((0, 0), (0, 0), (0, size - rows), (0, size - columns))
    return {**arguments, "x": np.pad(arguments["x"], below), "w": np.pad(arguments["w"], below)}


def cropped(value: Any, like: tuple[int, ...], larger: tuple[int, ...]) -> Any:
    """Return a gradient of the larger shape without what was added; one of another shape as it is."""
    if not isinstance(value, np.ndarray) or value.shape != larger:
        return value
    return value[..., : like[2], : like[3]]
