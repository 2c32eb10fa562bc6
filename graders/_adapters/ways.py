"""The ways in which a layer object is called: its constructor, forward and backward, and where it keeps its arrays.

How a class is called is found by trying it on small arrays of distinct sizes: which layout its forward takes, where
it keeps its parameters and in which shapes, and where it leaves its gradients. A way that is found is data: a plan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graders._adapters import objects
from graders._adapters.objects import AS_IT_IS, IT, Ask, Klass, Turn, places, put, tensors
from graders.harness.plans import said
from graders.harness.sandbox.codec import Kept, Record
from graders.harness.sandbox.contract import Call, Path, Raised, Returned
from graders.harness.sandbox.contract import Function as Found

FAR = 2.0**40
"""A learning rate so large that the weights before a step are lost in rounding beside it: what a step changes is the
gradient times this power of two."""


@dataclass(frozen=True)
class Kind:
    """A kind of layer: its exercise, its input, its parameters and the hyperparameters that its constructor takes."""

    exercise: str
    x: str
    shape: tuple[int, ...]
    """Of a small input to try it on; every size stands for another axis."""
    parameters: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    out: tuple[int, ...] = ()
    """The shape of what it makes of that input; empty if that of the input."""
    needed: tuple[str, ...] = ()
    """Settings without which nothing can be judged."""


_TABLE = (4, 3)
_NORM = {"gamma": (3,), "beta": (3,)}


def _activation(name: str, *settings: str) -> Kind:
    return Kind(f"activations.{name}", "z", _TABLE, settings=settings)


_AFFINE = Kind("layers.affine", "x", (4, 3), {"W": (3, 5), "b": (5,)}, out=(4, 5))
_BATCH = Kind("normalization.batch_norm", "x", _TABLE, _NORM, ("eps",), needed=("eps",))
_LAYER = Kind("normalization.layer_norm", "x", _TABLE, _NORM, ("eps",), needed=("eps",))
_CONV = Kind(
    "convolution.conv2d", "x", (2, 3, 7, 6), {"w": (4, 3, 2, 2), "b": (4,)}, ("kernel_size", "stride", "padding"),
    out=(2, 4, 6, 5), needed=("kernel_size",),
)  # fmt: skip
_POOLS = ("kernel_size", "stride", "padding")
_MAX_POOL = Kind("pooling.max_pool2d", "x", (2, 3, 6, 4), settings=_POOLS, out=(2, 3, 3, 2), needed=("kernel_size",))
_AVG_POOL = replace(_MAX_POOL, exercise="pooling.avg_pool2d")
KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("linear", "dense", "affine", "fullyconnected", "fc", "fclayer", "innerproduct"), _AFFINE),
    "relu": _activation("relu"), "rectifiedlinear": _activation("relu"), "rectifiedlinearunit": _activation("relu"),
    "sigmoid": _activation("sigmoid"), "logistic": _activation("sigmoid"), "tanh": _activation("tanh"),
    "hyperbolictangent": _activation("tanh"), "softmax": _activation("softmax"), "silu": _activation("silu"),
    "logsoftmax": _activation("log_softmax"), "swish": _activation("silu"), "softplus": _activation("softplus"),
    "gelu": _activation("gelu"), "leakyrelu": _activation("leaky_relu", "negative_slope"),
    "lrelu": _activation("leaky_relu", "negative_slope"),
    **dict.fromkeys(("batchnorm", "batchnorm1d", "batchnormalization", "batchnormalization1d"), _BATCH),
    **dict.fromkeys(("batchnorm2d", "batchnormalization2d", "spatialbatchnorm", "spatialbatchnormalization"),
                    replace(_BATCH, shape=(4, 3, 2, 5))),
    **dict.fromkeys(("layernorm", "layernormalization"), _LAYER),
    "rmsnorm": Kind("normalization.rms_norm", "x", _TABLE, {"gamma": (3,)}, ("eps",), needed=("eps",)),
    **dict.fromkeys(("conv2d", "conv", "convolution", "convolution2d", "convolutional", "convolutional2d"), _CONV),
    **dict.fromkeys(("maxpool2d", "maxpool", "maxpooling", "maxpooling2d", "pooling", "maxpool2"), _MAX_POOL),
    **dict.fromkeys(("avgpool2d", "avgpool", "averagepooling", "avgpooling", "averagepooling2d", "averagepool2d",
                     "meanpool2d", "meanpooling"), _AVG_POOL),
    **dict.fromkeys(("globalavgpool", "globalavgpool2d", "globalaveragepooling", "globalaveragepooling2d"),
                    Kind("pooling.global_avg_pool", "x", (2, 3, 5, 4), out=(2, 3))),
    "flatten": Kind("layers.flatten", "x", (2, 3, 5, 4), out=(2, 60)),
}  # fmt: skip
"""The kinds of layers that the catalogue covers, by the names that the field gives them."""

FORWARD = (
    "forward",
    "__call__",
    "call",
    "forward_pass",
    "forward_propagation",
    "feed_forward",
    "feedforward",
    "forwards",
)
BACKWARD = ("backward", "backprop", "backward_pass", "backward_propagation", "back_propagation", "backwards", "bprop")
DERIVATIVE = ("derivative", "gradient", "prime", "df", "deriv", "d", "grad")
_IN = re.compile(
    r"^_*(n|num|d|dim|size)?_*(in|inputs?|prev|previous|fan_?in)(_|$)|^(nin|din|in[A-Z]\w*|input\w*|.*_in|.*prev.*|in\w*(size|dim|feat|chan)\w*)$"
)
_OUT = re.compile(
    r"out|unit|neuron|node|hidden|n_?filters|num_?filters|filters|num_?kernels|kernels|channels$|fan_?out",
    re.IGNORECASE,
)
_WIDTH = re.compile(
    r"feature|dim|size|shape|width|channels|units|hidden|^_*(n|d|c|in|input\w*)$|d_model|in_", re.IGNORECASE
)
_RATE = re.compile(r"^_*(lr|learning_?rate|eta|step_?size|alpha)$", re.IGNORECASE)
_INITIALIZER = re.compile(r"^_*\w*init\w*_?(fn|func|function|er)$", re.IGNORECASE)
_TRAINS = re.compile(r"^_*(is_?)?(train|training|train_?mode|train_flg)$", re.IGNORECASE)
_DOUT = re.compile(
    r"^_*(d(?!ata|im)\w*|g|\w*grad\w*|delta\w*|\w*err\w*|e|upstream\w*|out\w*|top\w*|loss\w*|eta|acc\w*)$",
    re.IGNORECASE,
)


class NotFound(LookupError):
    """A class that cannot be judged; the message says why."""


@dataclass(frozen=True)
class Way:
    """How a class is called."""

    keywords: Mapping[str, str]
    """Parameter of the constructor → role: the name of a parameter, setting or size."""
    forward: str
    flags: Mapping[str, Any]
    """What forward is told besides."""
    turn: Turn
    """How x and the output are laid out."""
    given_tensors: bool = False
    output: Path | None = ()
    """Where the output is in what forward returns, or None …"""
    output_at: Path = ()
    """… if it is an attribute."""
    cached: bool = False
    """Whether backward takes what forward returned beside the output."""
    parameters: Mapping[str, tuple[tuple[Path, Turn], ...]] = field(default_factory=dict)
    attributes: Mapping[str, Path] = field(default_factory=dict)
    """Settings that the constructor does not take, and the object has."""
    backward: str = ""
    asks: tuple[str, ...] = ()
    """The roles of backward's arguments."""
    gradients: Mapping[str, tuple[str, Path, Turn]] = field(default_factory=dict)
    """By output: "returned", "held" or "step" (a change of the weights), where, and how it is laid out."""
    before: tuple[str, ...] = ()
    """Methods called between the constructor and forward, such as `eval`."""
    square: bool = False
    """Whether kernels are given as squares, filled with zeros."""
    pairs: bool = False
    """Whether sizes are given as pairs."""
    warm: bool = False
    """Whether it makes its parameters at the first forward: then it is run once before they are put in their place."""
    even: bool = False
    """Whether one number only can be told to it for the size of a window."""

    def settable(self, kind: Kind) -> set[str]:
        """Return the hyperparameters that can be told to it."""
        told = {*self.keywords.values(), *self.attributes}
        return {
            name for name in kind.settings if name in told or (name == "kernel_size" and told & {"kernel_rows", "w"})
        }


def _sizes(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    x = given[kind.x]
    sizes: dict[str, Any] = {"in": x.shape[1] if x.ndim == 4 else x.shape[-1], "dtype": x.dtype}
    sizes["width"] = len(given["gamma"]) if "gamma" in given else sizes["in"]
    if "W" in given:
        sizes["out"] = given["W"].shape[1]
    if "w" in given:
        sizes["out"] = len(given["w"])
        kernel = given["w"].shape[2:]
        sizes |= {"kernel_size": _alike(kernel), "kernel_rows": kernel[0], "kernel_columns": kernel[1]}
    elif "kernel_size" in given:
        rows, columns = _pair(given["kernel_size"])
        sizes |= {"kernel_rows": rows, "kernel_columns": columns, "kernel_size": _alike((rows, columns))}
        if given.get("stride") is None:
            sizes["stride"] = sizes["kernel_size"]
    return sizes


def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _alike(pair: tuple[int, int]) -> Any:
    return pair[0] if pair[0] == pair[1] else pair


def _value(kind: Kind, role: str, given: Mapping[str, Any], way: Way) -> Any:
    if role in kind.parameters:
        turn = way.parameters[role][0][1] if role in way.parameters else AS_IT_IS
        value = turn.to(given[role])
        return tensors(value) if way.given_tensors else value
    if role == "initializer":
        return Record("given.initializer", {"row": "W" in kind.parameters})
    sizes = _sizes(kind, given)
    value = sizes[role] if role in sizes else given.get(role, FAR)
    if way.pairs and role in ("kernel_size", "stride", "padding"):
        return _pair(value)
    return _alike(value) if isinstance(value, tuple) else value


def calls_of(kind: Kind, klass: Klass, way: Way, given: Mapping[str, Any], keep: bool) -> list[Call]:
    """Return the calls that make the object, give it its parameters and run it forwards."""
    keywords = {name: _value(kind, role, given, way) for name, role in way.keywords.items()}
    calls = [Call(klass.name, (), keywords, read=(), keep=IT)]
    if klass.is_module:
        width = "double" if given[kind.x].dtype == np.float64 else "float"
        calls.append(Call(f"{klass.name}.{width}", (Kept(IT),), read=()))
    x = way.turn.to(given[kind.x]) if given[kind.x].ndim == len(way.turn.axes or given[kind.x].shape) else given[kind.x]
    x = tensors(x) if way.given_tensors else x
    forward = Call(f"{klass.name}.{way.forward}", (Kept(IT), x), way.flags, read=())
    calls += [forward] * way.warm
    for parameter, where in way.parameters.items():
        if parameter in given:
            for path, turn in where:
                value = turn.to(given[parameter])
                calls.append(put(path, tensors(value) if way.given_tensors else value))
    calls += [put(path, _value(kind, name, given, way)) for name, path in way.attributes.items()]
    calls += [Call(f"{klass.name}.{method}", (Kept(IT),), read=()) for method in way.before]
    read: tuple[Path, ...] = () if way.output is None or keep else (way.output,)
    return [*calls, replace(forward, read=read, keep="out" if keep else "")]


# ---------------------------------------------------------------- finding the way


def takes_pairs(kind: Kind, klass: Klass, way: Way, ask: Ask) -> bool:
    """Return whether windows of unequal sides can be told to it: where one number is meant, a pair is a TypeError."""
    outcomes = ask(calls_of(kind, klass, way, {**_tried(kind), "kernel_size": (2, 3)}, keep=False))
    return not any(isinstance(outcome, Raised) and outcome.kind == "TypeError" for outcome in outcomes)


def _roles(kind: Kind, klass: Klass) -> list[dict[str, str]]:
    """Return what the parameters of a constructor may stand for; raise `NotFound` at one that nothing is known of."""
    chosen: dict[str, str] = {}
    unknown = []
    for name, must in klass.takes:
        role = _role(kind, name)
        if role is None and _RATE.match(name) and must:
            role = "rate"
        if role is None and _INITIALIZER.match(name) and must:
            role = "initializer"
        elif role is not None and role in chosen.values():
            role = None
        if role is None and must:
            unknown.append(name)
        elif role is not None and (must or role not in ("b", "beta", "W", "gamma", "w")):
            chosen[name] = role
    missing = [r for r in (("in", "out") if "out" in _probe_roles(kind) else ("width",)) if r not in chosen.values()]
    if kind.parameters and not set(chosen.values()) & set(kind.parameters) and unknown and len(unknown) <= len(missing):
        chosen |= dict(zip(unknown, missing, strict=False))
        unknown = []
    if unknown:
        raise NotFound(f"what its constructor's `{unknown[0]}` is, is not known")
    every = [chosen]
    swapped = {"in": "out", "out": "in"}
    if {"in", "out"} <= set(chosen.values()):
        every.append({name: swapped.get(role, role) for name, role in chosen.items()})
    return every


def _probe_roles(kind: Kind) -> tuple[str, ...]:
    return ("in", "out") if {"W", "w"} & set(kind.parameters) else ("width",) if kind.parameters else ()


def _role(kind: Kind, name: str) -> str | None:
    for setting in (*kind.settings, "kernel_rows", "kernel_columns"):
        if (setting in kind.settings or "kernel_size" in kind.settings) and objects.SETTINGS[setting].match(name):
            return setting
    for parameter in kind.parameters:
        if objects.PARAMETERS[parameter].fullmatch(name) and name.lower() != "bias":
            return parameter
    roles = _probe_roles(kind)
    if "out" in roles:
        return "in" if _IN.search(name) else "out" if _OUT.search(name) else None
    return "width" if roles and _WIDTH.search(name) else None


def _tried(kind: Kind) -> dict[str, Any]:
    """Return small arguments to try a class on, of distinct sizes."""
    random = np.random.default_rng(0)
    given: dict[str, Any] = {kind.x: random.standard_normal(kind.shape)}
    given |= {name: random.standard_normal(shape) for name, shape in kind.parameters.items()}
    settings = {
        "eps": 0.1,
        "negative_slope": 0.25,
        "stride": 1 if "w" in kind.parameters else 2,
        "padding": 0,
        "kernel_size": 2,
    }
    return given | {name: settings[name] for name in kind.settings}


def _turns(kind: Kind) -> tuple[Turn, ...]:
    if len(kind.shape) == 4:
        return (AS_IT_IS, Turn((0, 2, 3, 1)))
    return (AS_IT_IS, Turn((1, 0)))


def _flags(found: Found) -> dict[str, Any]:
    """Return what forward is told besides x; raise `NotFound` at what nothing is known of."""
    flags: dict[str, Any] = {}
    for name, kind, must in found.parameters or ():
        if kind not in ("positional", "keyword") or name == _first(found):
            continue
        if _TRAINS.match(name):
            flags[name] = True
        elif must:
            raise NotFound(f"what its {found.tail}'s `{name}` is, is not known")
    return flags


def _first(found: Found) -> str:
    positional = found.names("positional")
    return positional[0] if positional else ""


def find(kind: Kind, klass: Klass, ask: Ask) -> list[Way]:
    """Return the ways in which a class can be called, by worth; raise `NotFound` if there is none."""
    forward = klass.method(*FORWARD)
    if forward is None or not _first(forward):
        raise NotFound("it has no forward(x)")
    flags = _flags(forward)
    given = _tried(kind)
    problem, empty = "", None
    found: list[Way] = []
    pairs = (False, True) if "kernel_size" in kind.settings else (False,)
    tries = [(keywords, turn, two) for keywords in _roles(kind, klass) for turn in _turns(kind) for two in pairs]
    for keywords, turn, two in tries:
        way = Way(keywords, forward.tail, flags, turn, klass.uses_tensors, pairs=two)
        if klass.is_module:
            way = replace(way, forward="__call__")
        outcomes = ask(calls_of(kind, klass, way, given, keep=False))
        if not outcomes or not all(isinstance(o, Returned) for o in outcomes):
            failed = next((o for o in outcomes if isinstance(o, Raised)), None)
            if failed is not None and failed.not_done:
                empty = empty or way
            problem = problem or (f"{failed.kind}: {failed.message}" if failed else "it did not answer")
            continue
        last = outcomes[-1]
        assert isinstance(last, Returned)
        made = _with_output(kind, klass, way, given, last.values[0], ask)
        if made is None:
            empty = empty or (way if last.values[0] is None else None)
            problem = problem or f"its forward makes {said(last.values[0])} of {turn.to(given[kind.x]).shape}"
            continue
        whole = _with_parameters(kind, klass, made, given, ask)
        if isinstance(whole, str):
            problem = whole
            continue
        found.append(_with_backward(kind, klass, whole, given, ask))
    if found:
        return found
    if empty is not None:
        return [empty]
    raise NotFound(problem)


def _out_shape(kind: Kind) -> tuple[int, ...]:
    return kind.out or kind.shape


def _turned_shape(shape: tuple[int, ...], turn: Turn) -> tuple[int, ...]:
    return tuple(shape[axis] for axis in turn.axes) if len(turn.axes) == len(shape) else shape


def _with_output(kind: Kind, klass: Klass, way: Way, given: Mapping[str, Any], value: Any, ask: Ask) -> Way | None:
    wanted = _turned_shape(_out_shape(kind), way.turn)
    if isinstance(value, np.ndarray) and value.shape == wanted:
        return way
    if isinstance(value, (tuple, list)) and value and isinstance(value[0], np.ndarray) and value[0].shape == wanted:
        return replace(way, output=(0,), cached=True)
    if value is None:
        held = objects.inside(ask, calls_of(kind, klass, replace(way, output=None), given, keep=False))
        if isinstance(held, dict):
            named = re.compile(r"^_*(outputs?|out|a|y|activations?|result|forward)$", re.IGNORECASE)
            for path, array in held.items():
                if isinstance(array, np.ndarray) and array.shape == wanted and named.match(objects.spelled(path)):
                    return replace(way, output=None, output_at=path)
    return None


def _with_parameters(kind: Kind, klass: Klass, way: Way, given: Mapping[str, Any], ask: Ask) -> Way | str:
    """Return the way with where the object keeps its parameters and settings, or why they cannot be found."""
    held: dict[Path, Any] = {}
    for ready in (False, True):  # some make their parameters at the first forward
        calls = calls_of(kind, klass, way, given, keep=False)
        inside = objects.inside(ask, calls if ready else calls[:1])
        if not isinstance(inside, dict):
            return "its attributes cannot be read"
        held = inside
        where = {name: tuple(places(held, name, shape)) for name, shape in kind.parameters.items()}
        told = set(way.keywords.values())
        lacking = [name for name in kind.parameters if not where[name] and name not in told]
        if not lacking:
            break
    if lacking:
        return f"no attribute of it is its {lacking[0]}"
    attributes = {}
    for name in kind.settings:
        if name not in told and not (name == "kernel_size" and told & {"kernel_rows", *kind.parameters}):
            pattern = objects.SETTINGS[name]
            paths = [p for p, v in held.items() if type(v) in (int, float) and len(p) == 1 and pattern.match(str(p[0]))]
            if paths:
                attributes[name] = paths[0]
    needed = [n for n in kind.needed if n not in {*told, *attributes} and not told & {"kernel_rows", "w"}]
    if needed and not (needed == ["kernel_size"] and "w" in kind.parameters):
        return f"its {needed[0]} cannot be set"
    parameters = {name: where[name] for name in where if name not in told}
    modes = ("train",) if klass.is_module else ()
    way = replace(way, parameters=parameters, attributes=attributes, before=modes)
    if _keeps(kind, klass, way, given, ask):
        return way
    warm = replace(way, warm=True)
    return warm if _keeps(kind, klass, warm, given, ask) else "its forward makes its parameters anew"


def _keeps(kind: Kind, klass: Klass, way: Way, given: Mapping[str, Any], ask: Ask) -> bool:
    """Return whether the parameters that were put in their place are still there after a forward."""
    if not way.parameters:
        return True
    held = objects.inside(ask, calls_of(kind, klass, way, given, keep=False))
    if not isinstance(held, dict):
        return way.warm is False  # nothing is known of it
    return all(
        any(
            isinstance(held.get(path), np.ndarray)
            and held[path].shape == turn.to(given[name]).shape
            and np.allclose(held[path], turn.to(given[name]), rtol=1e-6)
            for path, turn in where
        )
        for name, where in way.parameters.items()
    )


def _with_backward(kind: Kind, klass: Klass, way: Way, given: Mapping[str, Any], ask: Ask) -> Way:
    """Return the way with how its backward is called and where its gradients are, as far as they can be found."""
    backward = klass.method(*BACKWARD)
    if klass.is_module or backward is None:
        return way
    asks = []
    for name, group, must in backward.parameters or ():
        if group not in ("positional", "keyword"):
            continue
        alone = len(backward.names("positional")) == 1
        if _RATE.match(name) and not alone:
            asks.append("rate")
        elif "dout" not in asks and (_DOUT.match(name) or not must or alone):
            asks.append("dout")
        elif re.match(r"^_*(cache|ctx|memory|saved)\w*$", name) and way.cached:
            asks.append("cache")
        elif re.match(r"^_*(x|z|inputs?|a|a_?prev|input_\w+)$", name, re.IGNORECASE):
            asks.append("x")
        elif must:
            return way
    way = replace(way, backward=backward.tail, asks=tuple(asks))
    if "dout" not in asks:
        return replace(way, backward="")
    cotangent = np.random.default_rng(1).standard_normal(_out_shape(kind))
    calls = backwards_of(kind, klass, way, {**given, "cotangent": cotangent})
    held = objects.inside(ask, calls)
    outcomes = ask([*calls[:-1], replace(calls[-1], read=((),), keep="")])
    last = outcomes[-1] if outcomes else None
    if isinstance(held, Raised) or not isinstance(held, dict) or not isinstance(last, Returned):
        return way
    return replace(way, gradients=_gradients(kind, way, held, last.values[0], "rate" in asks))


def backwards_of(kind: Kind, klass: Klass, way: Way, given: Mapping[str, Any]) -> list[Call]:
    """Return the calls that run it forwards and then backwards."""
    calls = calls_of(kind, klass, way, given, keep=True)
    cotangent = given["cotangent"]
    turned = way.turn.to(cotangent) if cotangent.ndim == len(way.turn.axes or cotangent.shape) else cotangent
    x = calls[-1].arguments[1]
    roles = {"dout": tensors(turned) if way.given_tensors else turned, "rate": FAR, "cache": Kept("out", (1,)), "x": x}
    arguments = (Kept(IT), *(roles[role] for role in way.asks))
    return [*calls, Call(f"{klass.name}.{way.backward}", arguments, read=(), keep="back")]


def _gradients(
    kind: Kind, way: Way, held: Mapping[Path, Any], returned: Any, steps: bool
) -> dict[str, tuple[str, Path, Turn]]:
    """Return where the gradients by x and by the parameters are, by the name of the exercise's output."""
    found: dict[str, tuple[str, Path, Turn]] = {}
    wanted = _turned_shape(kind.shape, way.turn)
    parts = list(enumerate(returned)) if isinstance(returned, (tuple, list)) else []
    if isinstance(returned, np.ndarray):
        found["x"] = ("returned", (), way.turn)
    for index, part in parts:
        if isinstance(part, np.ndarray) and part.shape == wanted and "x" not in found:
            found["x"] = ("returned", (index,), way.turn)
    if "x" not in found and (paths := objects.gradients(held, "x", {wanted})):
        found["x"] = ("held", paths[0], way.turn)
    for name, shape in kind.parameters.items():
        where = way.parameters.get(name) or (((), AS_IT_IS),)
        turn = where[0][1]
        kept = {turn.to(np.empty(shape)).shape} | ({shape} if len(shape) == 1 else set())
        spots = [index for index, part in parts if isinstance(part, np.ndarray) and part.shape in kept]
        same = [other for other, size in kind.parameters.items() if size == shape]
        if len(spots) >= len(same):
            found[name] = ("returned", (spots[same.index(name)],), turn)
        elif paths := objects.gradients(held, name, kept):
            found[name] = ("held", paths[0], turn)
        elif steps and way.parameters.get(name):
            found[name] = ("step", where[0][0], turn)
    return found
