"""Optimizer objects, in the shapes of the field: over lists, dictionaries, arrays, layers or parameters with `.grad`.

How a class is called is found by two steps on a small vector. An object starts from a fresh state, so it is asked the
cases that do; what is judged is where the parameters go, step by step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graders._adapters.objects import IT, Array, Ask, Klass, inside, tensors
from graders.harness.cases import Case, signature
from graders.harness.compare import as_array
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, WrongKind, output_names, said
from graders.harness.sandbox.codec import Kept, Record
from graders.harness.sandbox.contract import Call, Path, Raised, Returned
from graders.harness.sandbox.contract import Function as Found

KINDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("sgd", "gd", "gradientdescent", "stochasticgradientdescent", "vanillasgd"), ("sgd",)),
    **dict.fromkeys(("momentum", "sgdmomentum", "momentumsgd", "sgdwithmomentum", "momentumgd"), ("momentum",)),
    **dict.fromkeys(("nesterov", "nag", "nesterovmomentum", "nesterovacceleratedgradient"), ("nesterov",)),
    "adagrad": ("adagrad",), "rmsprop": ("rmsprop",), "adam": ("adam",), "adamw": ("adamw",), "adamax": ("adamax",),
    "lion": ("lion",),
}  # fmt: skip
METHODS = (
    "update", "step", "update_params", "apply_gradients", "update_parameters", "optimize", "apply", "__call__",
    "apply_grads", "update_weights",
)  # fmt: skip
BEFORE, AFTER = "pre_update_params", "post_update_params"
_LR = re.compile(r"^_*(lr|learning_?rate|eta|step_?size|initial_lr)$", re.IGNORECASE)
_SETTINGS: Mapping[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "momentum": (("momentum", re.compile(r"^_*(momentum|mu|beta|gamma|rho|mom|alpha|b)$", re.IGNORECASE)),),
    "betas": (
        ("betas", re.compile(r"^_*(betas|beta)$", re.IGNORECASE)),
        ("beta1", re.compile(r"^_*(beta_?1|b1|decay_?rate_?1|decay1|rho1|beta_one)$", re.IGNORECASE)),
        ("beta2", re.compile(r"^_*(beta_?2|b2|decay_?rate_?2|decay2|rho2|beta_two)$", re.IGNORECASE)),
    ),
    "eps": (("eps", re.compile(r"^_*(eps|epsilon|e|delta)$", re.IGNORECASE)),),
    "alpha": (
        ("alpha", re.compile(r"^_*(alpha|rho|decay|decay_?rate|beta_?2?|gamma|momentum|smoothing)$", re.IGNORECASE)),
    ),
    "weight_decay": (("weight_decay", re.compile(r"^_*(weight_?decay|wd|lambda_?|l2)$", re.IGNORECASE)),),
}  # fmt: skip
_PARAMS = re.compile(
    r"^_*(params?|parameters?|weights?|w|theta|x|vars?|variables?|model_params|p)(_list|s)?$", re.IGNORECASE
)
_GRADS = re.compile(r"^_*(d\w*|g|gs|\w*grad\w*)$", re.IGNORECASE)
_KEY = re.compile(r"name|key|layer_?id|idx|index|^i$", re.IGNORECASE)


@dataclass(frozen=True)
class Way:
    """How an optimizer is made and told to step."""

    keywords: Mapping[str, str]
    """Parameter of the constructor → role."""
    method: str
    asks: tuple[tuple[str, str], ...]
    """The parameters of the method, and their roles."""
    holder: str
    """What the parameters are held in: array, list, dict, layer, layers, model, parameter or torch."""
    returned: bool = False
    """Whether the new parameters are what the method returns."""
    read: Path = ()
    attributes: Mapping[str, Path] = field(default_factory=dict)
    added: int = 0
    """Whether what the method returns is no parameters, but what is to be added to them (1) or taken off (−1)."""
    around: bool = False
    """Whether each step is between `pre_update_params` and `post_update_params`."""


_READ: Mapping[str, Path] = {
    "array": (), "list": (0,), "dict": ("W1",), "layer": ("weights",), "model": ("layers", 0, "W"),
    "layers": (0, "W"), "parameter": (0, "data"), "torch": (0,),
}  # fmt: skip
SAID = {
    "array": "an array", "list": "a list", "dict": "a dictionary", "layer": "a layer's weights and dweights",
    "model": "a model's layers with W and dW or dLdW", "parameter": "parameters with .data and .grad",
    "layers": "a list of layers with W and dW or grad_W",
    "torch": "torch parameters with .grad",
}  # fmt: skip


def _held(holder: str, params: Any, grad: Any) -> Any:
    """Return what holds the parameters, and their gradient where it stands beside them."""
    rest = {"biases": np.zeros(1), "dbiases": np.zeros(1)}
    match holder:
        case "list":
            return [params]
        case "dict":
            return {"W1": params}
        case "layer":
            return Record("types.SimpleNamespace", {"weights": params, "dweights": grad, **rest})
        case "model":
            layer = {"W": params, "dW": grad, "dLdW": grad, **{name: np.zeros(1) for name in ("b", "db", "dLdb")}}
            return Record("types.SimpleNamespace", {"layers": [Record("types.SimpleNamespace", layer)]})
        case "layers":
            layer = {"W": params, "dW": grad, "grad_W": grad, **{name: np.zeros(1) for name in ("b", "db", "grad_b")}}
            return [Record("types.SimpleNamespace", layer)]
        case "parameter":
            fields = {"data": params, "grad": grad, "requires_grad": True}
            return [Record("types.SimpleNamespace", fields)]
        case "torch":
            return [Record("torch.Tensor", {"data": params, "grad": grad, "parameter": True})]
    return params


_GRAD_AT: Mapping[str, tuple[list[int | str], ...]] = {
    "layer": (["dweights"],), "model": (["layers", 0, "dW"], ["layers", 0, "dLdW"]), "parameter": ([0, "grad"],),
    "torch": ([0, "grad"],), "layers": ([0, "dW"], [0, "grad_W"]),
}  # fmt: skip


def _value(role: str, hyperparameters: Mapping[str, Any]) -> Any:
    if role in ("beta1", "beta2"):
        return hyperparameters["betas"][role == "beta2"]
    if role == "no momentum":
        return 0.0
    return hyperparameters[role]


def _calls(klass: Klass, way: Way, params: Array, grads: Array, hyper: Mapping[str, Any]) -> list[Call]:
    """Return the calls that make the optimizer and take the steps; the last of each step reads the parameters."""
    holder = _held(way.holder, params, grads[0])
    calls = [Call("=own", (holder,), read=(), keep="params")]
    keywords = {n: Kept("params") if role == "params" else _value(role, hyper) for n, role in way.keywords.items()}
    calls.append(Call(klass.name, (), keywords, read=(), keep=IT))
    calls += [Call("=put", (Kept(IT), list(at), _value(r, hyper)), read=()) for r, at in way.attributes.items()]
    for grad in grads:
        new = tensors(grad) if way.holder == "torch" else grad
        for at in _GRAD_AT.get(way.holder, ()):  # an array of its own: some keep the gradient itself as their velocity
            fresh = [None, new] if way.holder != "torch" else [new]
            calls += [Call("=put", (Kept("params"), at, one), read=()) for one in fresh]
        given = {"params": Kept("params"), "grads": _held(way.holder, grad, None), "key": "W1"}
        arguments = [given[r] if r in given else _value(r, hyper) for _, r in way.asks]
        calls += [Call(f"{klass.name}.{BEFORE}", (Kept(IT),), read=())] * way.around
        step = Call(f"{klass.name}.{way.method}", (Kept(IT), *arguments), read=())
        calls.append(replace(step, read=(way.read,), keep="params") if way.returned else step)
        calls += [Call(f"{klass.name}.{AFTER}", (Kept(IT),), read=())] * way.around
        if not way.returned:
            calls.append(Call("=", (Kept("params"),), read=(_READ[way.holder],)))
    return calls


# ---------------------------------------------------------------- finding the way


def _roles(names: Sequence[tuple[str, bool]], settings: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return what the parameters stand for, and those that must be given and of which nothing is known."""
    roles: dict[str, str] = {}
    unknown = []
    for name, must in names:
        role = "lr" if _LR.match(name) else None
        for setting in () if role else settings:
            role = next(
                (r for r, pattern in _SETTINGS[setting] if pattern.match(name) and r not in roles.values()), None
            )
            if role:
                break
        if role is None and re.match(r"^_*alpha$", name) and "lr" not in roles.values():
            role = "lr"
        if role is None and re.match(r"^_*(momentum|mu)$", name):
            role = "no momentum"
        if role is None and must and (_PARAMS.match(name) or re.match(r"^_*(model|net|network|layers)$", name)):
            role = "params"
        if role is None and must:
            unknown.append(name)
        elif role is not None and role not in roles.values():
            roles[name] = role
    return roles, unknown


def _asked(method: Found) -> list[tuple[str, str]] | None:
    """Return the roles of a method's parameters; None if one is not known."""
    positional = [(n, must) for n, kind, must in method.parameters or () if kind == "positional"]
    roles: list[tuple[str, str]] = []
    for name, must in positional:
        taken = [role for _, role in roles]
        if _LR.match(name) and must:
            roles.append((name, "lr"))
        elif _GRADS.match(name) and "grads" not in taken:
            roles.append((name, "grads"))
        elif "params" not in taken and (
            _PARAMS.match(name) or re.match(r"^_*(layer|model|net|network|params?\w*)$", name)
        ):
            roles.append((name, "params"))
        elif _KEY.search(name) and must:
            roles.append((name, "key"))
        elif must:
            left = [role for role in ("params", "grads") if role not in taken]
            if not left:
                return None
            roles.append((name, left[0]))
        else:
            break
    return roles


def find(klass: Klass, exercise: Exercise, ask: Ask) -> tuple[list[Way], str]:
    """Return the ways in which a class steps, and why there is none."""
    method = klass.method(*METHODS)
    if method is None:
        return [], "it has no update or step"
    hyper = {name: _TRIED[name] for name in signature(exercise.reference).hyperparameters}
    keywords, unknown = _roles(klass.takes, [n for n in hyper if n in _SETTINGS])
    if unknown:
        return [], f"what its constructor's `{unknown[0]}` is, is not known"
    asks = _asked(method)
    if asks is None:
        return [], f"how its {method.tail} is called is not known"
    if "lr" not in keywords.values() and "lr" not in [role for _, role in asks]:
        return [], "its learning rate cannot be set"
    params, grads = np.array([0.5, -1.25, 2.0]), np.array([[0.25, -0.5, 1.5], [1.0, 0.75, -0.125]])
    found, problem, untouched = [], "", None
    for way in _candidates(klass, keywords, method, asks):
        outcomes = ask(_calls(klass, way, params, grads, hyper))
        failed = next((o for o in outcomes if isinstance(o, Raised)), None)
        if not outcomes or failed is not None or not all(isinstance(o, Returned) for o in outcomes):
            if failed is not None and failed.not_done:
                untouched = untouched or way
            problem = problem or (f"{failed.kind}: {failed.message}" if failed else "it did not answer")
            continue
        seen = [o.values[0] for o in outcomes if isinstance(o, Returned) and o.values]
        if all(isinstance(v, np.ndarray) and v.shape == params.shape for v in seen):
            if not np.array_equal(seen[0], params):
                found.append(_with_attributes(klass, way, params, grads, hyper, ask))
                continue
            untouched = untouched or way
        problem = problem or f"its {method.tail} leaves no new parameters behind"
    if not found and untouched is not None:
        if untouched.holder == "model" and not _holds(klass, untouched, params, grads, hyper, ask):
            return [], "it takes none of a model's layers but those of its own classes"
        return [untouched], ""
    return found, problem


def _holds(klass: Klass, way: Way, params: Array, grads: Array, hyper: Mapping[str, Any], ask: Ask) -> bool:
    """Return whether an object keeps the layers that it is made with: some look for classes of their own."""
    calls = _calls(klass, way, params, grads, hyper)
    made = next(i for i, call in enumerate(calls) if call.keep == IT) + 1
    held = inside(ask, calls[:made])
    return isinstance(held, dict) and any(path[-1] == "W" for path in held)


def _with_attributes(klass: Klass, way: Way, params: Array, grads: Array, hyper: Mapping[str, Any], ask: Ask) -> Way:
    """Return the way with the settings that the constructor does not take, and the object has as attributes."""
    calls = _calls(klass, way, params, grads, hyper)
    made = next(i for i, call in enumerate(calls) if call.keep == IT) + 1
    held = inside(ask, calls[:made])
    told = _told(way)
    attributes = {
        role: path
        for name in hyper if name not in told and name in _SETTINGS
        for role, pattern in _SETTINGS[name][-2:]
        for path, value in (held.items() if isinstance(held, dict) else ())
        if type(value) is float and len(path) == 1 and pattern.match(str(path[0]))
    }  # fmt: skip
    return replace(way, attributes=attributes)


_TRIED: Mapping[str, Any] = {
    "lr": 0.125, "momentum": 0.75, "betas": (0.75, 0.875), "eps": 0.0625, "alpha": 0.875, "weight_decay": 0.25,
}  # fmt: skip


def _candidates(klass: Klass, keywords: Mapping[str, str], method: Found, asks: Sequence[tuple[str, str]]) -> list[Way]:
    given = {role for _, role in asks}
    base = Way(keywords, method.tail, tuple(asks), "array", around=BEFORE in klass.methods and AFTER in klass.methods)
    if klass.is_torch_optimizer or (klass.uses_tensors and "params" in keywords.values() and not given):
        return [replace(base, holder="torch")]
    if "params" in keywords.values():
        if "grads" in given:
            return [replace(base, holder=h) for h in ("list", "dict", "array")]
        return [replace(base, holder=h) for h in ("parameter", "model", "layers", "list")]
    if "grads" not in given:
        return [replace(base, holder=h) for h in ("layer", "parameter", "model", "layers")]
    if "params" not in given:
        return [replace(base, holder="array", returned=True, added=sign) for sign in (1, -1)]
    return [
        replace(base, holder="array", returned=True),
        replace(base, holder="dict"),
        replace(base, holder="list"),
        replace(base, holder="list", returned=True, read=(0,)),
        replace(base, holder="dict", returned=True, read=("W1",)),
        replace(base, holder="array"),
    ]


# ---------------------------------------------------------------- binding


def wanted(klass: Klass, kind: str) -> list[str]:
    """Return the exercises that a class answers: plain descent with a momentum answers two."""
    names = [f"optimizers.{name}" for name in KINDS[kind]]
    if kind == "sgd" and any(re.match(r"^_*(momentum|mu|mom|beta)$", name, re.IGNORECASE) for name, _ in klass.takes):
        names.append("optimizers.momentum")
    return names


def bind(klass: Klass, kind: str, exercises: Mapping[str, Exercise], ask: Ask) -> tuple[list[Binding], str]:
    """Bind an optimizer to its exercises, or say why not."""
    bindings, note = [], ""
    for name in wanted(klass, kind):
        if name not in exercises:
            continue
        ways, problem = find(klass, exercises[name], ask)
        if not ways:
            note = f"{klass.name} is not judged: {problem}"
            continue
        made = [_bound(exercises[name], klass, way) for way in ways]
        bindings.append(replace(made[0], others=tuple(made[1:])))
    return bindings, note


def _alike(arrays: Sequence[Array]) -> bool:
    return len({array.shape for array in arrays}) == 1


def _fresh(case: Case) -> bool:
    """Return whether a case starts where an object does: from zeros."""
    state = case.arguments.get("state")
    return state is None or all(not np.any(value) for value in state.fields.values())


def _told(way: Way) -> set[str]:
    roles = {*way.keywords.values(), *way.attributes, *(role for _, role in way.asks)}
    return roles | {"betas"} if {"beta1", "beta2"} <= roles else roles


def _bound(exercise: Exercise, klass: Klass, way: Way) -> Binding:
    """Bind one way to step. A state is an object's own affair: it is not looked at, and never decides."""
    held = frozenset(signature(exercise.reference).hyperparameters) - _told(way)

    def plan(case: Case) -> tuple[Call, ...]:
        grads = case.arguments["grads"] if exercise.unrolled else case.arguments["grad"][None]
        return tuple(_calls(klass, way, case.arguments["params"], grads, case.hyperparameters))

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        values = [r.values[0] for r in returned if r.values]
        if way.added and all(isinstance(v, np.ndarray) and v.dtype.kind == "f" for v in values):
            with np.errstate(all="ignore"):
                moved = [way.added * np.asarray(v) for v in values]
                values = list(np.cumsum([case.arguments["params"], *moved], axis=0)[1:]) if _alike(moved) else values
        steps = [step for step in map(as_array, values) if step is not None]
        wrong = [v for v in values if as_array(v) is None or np.shape(v) != np.shape(values[0])]
        if wrong:
            raise WrongKind(f"the new parameters are {said(wrong[0])}, expected an array of one shape at every step")
        if not exercise.unrolled:
            return {"": values[0]}
        return {"params": np.stack(steps)}

    gives = "returns what is added to them" if way.added > 0 else "returns what is taken off them"
    gives = f", {gives}" if way.added else ", returns the new ones" if way.returned else ""
    said_so = [f"takes {SAID[way.holder]}{gives}" if not way.added else f"takes gradients alone{gives}"]
    said_so += ["judged by where the parameters go, from a fresh state"] * exercise.unrolled
    unseen = output_names(exercise)[1:] if exercise.unrolled else ()
    said_so += [f"its own state ({', '.join(unseen)}) is not looked at"] * bool(unseen)
    said_so += [f"takes no {', '.join(sorted(held))}: judged at the default"] * bool(held)
    return Binding(
        exercise, f"{klass.name}.{way.method}", plan, outputs, accepts=_fresh, held=held, note="; ".join(said_so),
        unseen=frozenset(unseen),
    )  # fmt: skip
