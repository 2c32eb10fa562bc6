"""Training loops of courses: functions that are given a loss with its gradient, and classes that train themselves.

Of a class the loop alone is judged: its own loss, or its own step, is replaced by one that writes down what it is
called with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._adapters import draws
from graders._adapters.objects import IT, Ask, Klass, got, put
from graders.harness.plans import WrongKind, said
from graders.harness.sandbox.codec import Kept, Record
from graders.harness.sandbox.contract import Call, Function, Returned
from graders.harness.trials import LARGEST, Setting, Trial, TrialBinding, global_seed

TRIAL = "training.fit"
_ROLES: Mapping[str, str] = {
    "network": r"network|net|model|block",
    "both": r"(f_|compute_|calc_)?(loss|cost|value|objective)_?(and|n|with)?_?grad(ient)?s?(_?(fn|f|func|function))?",
    "grads": r"(compute_|calc_|get_|loss_|cost_)?grad(ient)?s?(_?(fn|f|func|function|of_loss))?|backprop(agation)?",
    "params": r"(init(ial)?_?|model_)?(params?|parameters|weights|theta)(_?(0|init))?|w0?",
    "x held": r"(x|data|inputs)_?(val(id(ation)?)?|dev)|(val(id(ation)?)?|dev)_?(x|data|inputs)",
    "labels held": r"(y|labels|targets)_?(val(id(ation)?)?|dev)|(val(id(ation)?)?|dev)_?(y|labels|targets)",
    "x": r"x(_?train(ing)?)?|train(ing)?_?x|inputs?|features",
    "labels": r"(y|t|labels?|targets?)(_?train(ing)?)?|train(ing)?_?(y|labels)",
    "lr": r"lr|learning_?rate|eta|step_?size|alpha",
    "epochs": r"((n|num|nb|max|number_of|n_of)_?)?epochs?(_num)?|n_?epoch",
    "steps": r"((n|num|nb|max|number_of)_?)?(iters?|iterations|steps)",
    "batch_size": r"((mini_?)?batch_?size|bs|batch|b|size_of_batch)",
    "decay": r"(lr|learning_?rate)_?decay(_?(rate|factor))?",
    "patience": r"(max_?)?patience",
    "reg": r"reg(ularization)?(_?(strength|param|lambda))?|l2(_?reg)?|lambda_?|lmbda|weight_decay",
    "momentum": r"momentum|mu|beta",
    "shuffled": r"shuffle",
    "silent": r"verbose|print_(every|cost|loss)|log_(every|interval)|debug",
}
"""By the role of a parameter, how it is called; the first that fits is taken."""
_OWN = {"reg": 0.0, "momentum": 0.0, "shuffled": True, "silent": False}
"""What is given for a parameter that no setting speaks of."""
_HARMLESS = re.compile(
    r"print|log|plot|save|path|name|title|callback|return|track|display|show|freq|every", re.IGNORECASE
)
"""Names of parameters that may be left at their default, since they do not change how a loop trains."""
_NAMES = re.compile(
    r"^_*((run_)?train(ing)?|fit)(_?(loop|epochs|network|net|model|nn|params|parameters|sgd|mini_?batch(es)?))?$"
    r"|^((mini_?batch|stochastic)_?)+(sgd|gd|gradient_descent)(_train(ing)?)?$|^sgd_(train(ing)?|loop|fit)$",
    re.IGNORECASE,
)
_FIRST = ("network", "x", "labels", "generator")
_METHODS = ("train", "fit")
_SIZES = re.compile(r"^_*((input|hidden|output|in|out|n|num|d|h)_?\w*|\w*(sizes?|dims?|units|features|classes))$", re.I)
KEPT = "params"
SAMPLING = "takes a number of steps: given those of so many epochs"


def bind(trial: Trial, found: Function, ask: Ask) -> TrialBinding:
    """Bind a function that trains; raise `draws.CannotBind` where how it is called is not understood.

    It is called once before: where nothing is written down, it does not train by the loss that it is given.
    """
    names = found.names("positional", "keyword", "others") if found.parameters is not None else ()
    if found.parameters is None or set(_FIRST) <= set(names):
        return draws.bind(trial, found)
    roles = _roles(found, ("network",))
    if not _is_loop(set(roles.values())):
        raise draws.CannotBind(
            f"it takes neither {', '.join(_FIRST)}, nor a loss with its gradient and what to train by"
        )
    slope = next(role for role in ("both", "grads") if role in roles.values())
    sources = next((draws.KINDS[kind] for kind in draws.KINDS if f"source {kind}" in roles.values()), ("",))
    for source in sources:
        for loss in (True,) if slope == "both" else (False, True):
            for kind in ("dict", "list", "array"):
                first, *others = (
                    _by_a_function(trial, found, roles, source, kind, loss, decay)
                    for decay in (_DECAYS if "decay" in roles.values() else _DECAYS[:1])
                )
                if _writes(first, ask):
                    return replace(first, others=tuple(others))
    raise draws.CannotBind("it does not train by the loss that it is given, called with parameters, samples and labels")


def _is_loop(roles: set[str]) -> bool:
    """Return whether parameters of these roles are what a loop needs."""
    needed = {"params", "x", "labels", "lr", "batch_size"} <= roles
    return needed and bool({"both", "grads"} & roles) and bool({"epochs", "steps"} & roles)


def _writes(binding: TrialBinding, ask: Ask) -> bool:
    """Return whether a loop that is called in this way writes anything down."""
    setting = next((setting for setting in binding.trial.settings if binding.accepts(setting)), None)
    outcomes = ask(binding.plan(setting, 0)) if setting is not None else []
    values = [value for outcome in outcomes[-2:] if isinstance(outcome, Returned) for value in outcome.values]
    is_whole = bool(outcomes) and all(isinstance(outcome, Returned) for outcome in outcomes)
    log = _log(setting)[0].shape if setting is not None else ()
    return is_whole and any(array.shape == log and array.any() for array in _arrays(values))


def fits(found: Function) -> bool:
    """Return whether a function of another name is a training loop, and all of its parameters are understood."""
    if not _NAMES.match(found.tail) or found.parameters is None:
        return False
    try:
        roles = _roles(found, ("network",))
    except draws.CannotBind:
        return False
    return _is_loop(set(roles.values()))


def bind_class(klass: Klass, among: Mapping[str, Trial], ask: Ask) -> TrialBinding | None:
    """Bind a class with a loop of its own, as CS231n's `train` or the `SGD` of Nielsen's book; None for any other.

    It is called once before: where nothing is written down, it does not train by what is replaced, and is not judged.
    """
    if TRIAL not in among or not klass.found.own or klass.uses_tensors:
        return None
    made = {name: 3 for name, must in klass.takes if must}
    if not all(_SIZES.match(name) for name in made):
        return None
    return next((binding for binding in _of_a_class(among[TRIAL], klass, made) if _writes(binding, ask)), None)


def _of_a_class(trial: Trial, klass: Klass, made: Mapping[str, int]) -> Iterator[TrialBinding]:
    """Yield the ways in which a class may train itself."""
    loop, loss = klass.method(*_METHODS), klass.method("loss")
    if loop is not None and loss is not None:
        try:
            roles = _roles(loop, ("network", "both", "grads", "params"))
        except draws.CannotBind:
            return
        if {"x", "labels", "lr"} <= set(roles.values()) and {"epochs", "steps"} & set(roles.values()):
            yield from (_by_a_class(trial, klass, loop, roles, made, kind) for kind in ("params", "W"))
    loop = klass.method("SGD", "sgd")
    if loop is not None and klass.method("update_mini_batch") is not None:
        binding = _by_a_step(trial, klass, loop, made)
        yield from [binding] if binding is not None else []


def _roles(found: Function, but: Sequence[str] = ()) -> dict[str, str]:
    """Return what each parameter is; raise `draws.CannotBind` where one that must be given is not known."""
    roles: dict[str, str] = {}
    for name, kind, must in found.parameters or ():
        if kind not in ("positional", "keyword"):
            continue
        source = draws.source_of(name)
        free = (role for role in _ROLES if role not in roles.values() and role not in but)
        role = f"source {source}" if source else next(
            (role for role in free if re.fullmatch(_ROLES[role], name.strip("_"), re.IGNORECASE)), ""
        )  # fmt: skip
        if role:
            roles[name] = role
        elif must or not _HARMLESS.search(name):
            raise draws.CannotBind(f"what its parameter `{name}` is, is not known")
    return roles


# ---------------------------------------------------------------- what is given


_DECAYS: tuple[Callable[[float], float], ...] = (lambda factor: factor, lambda factor: 1 / factor - 1)
"""What a decay may be: the factor after an epoch; or d, where the rate is divided by 1 + d · epochs."""


def _decay(setting: Setting) -> float | None:
    """Return by what the rate of a setting is multiplied after its first epoch; None where that does not describe it.

    A decay may be meant in several ways, which are the same in two epochs.
    """
    lr = setting.arguments["lr"]
    if not isinstance(lr, Record):
        return 1.0
    rates = np.asarray(lr.fields["rates"]).reshape(setting.arguments["epochs"], -1)
    alike = len(rates) == 2 and not np.ptp(rates, axis=1).any()
    return float(rates[1, 0] / rates[0, 0]) if alike else None


def _accepts(roles: set[str]) -> Callable[[Setting], bool]:
    """Return whether a loop with these parameters can be called in a setting."""

    def accepts(setting: Setting) -> bool:
        given = setting.arguments
        factor = _decay(setting)
        return (
            given["network"].name == "given.recorder"
            and factor is not None
            and (factor == 1.0 or {"decay", "epochs"} <= roles)  # courses decay before the first epoch of steps ends
            and ("patience" in roles if "patience" in given else True)
            and ("validation" not in given or {"x held", "labels held"} <= roles)
            and ("batch_size" in roles)
            and ("epochs" in roles or len(given["x"]) % given["batch_size"] == 0)
        )

    return accepts


def _given(setting: Setting, role: str) -> Any:
    """Return what a parameter of this role is given; LookupError where the setting does not speak of it."""
    given = setting.arguments
    steps = -(-len(given["x"]) // given["batch_size"])
    held = given.get("validation") or (given["x"][:0], given["labels"][:0])
    rate = given["lr"].fields["rates"][0] if isinstance(given["lr"], Record) else given["lr"]
    return {
        "x": given["x"], "labels": given["labels"], "lr": float(rate), "epochs": given["epochs"],
        "steps": steps * given["epochs"], "batch_size": given["batch_size"],
        "patience": given.get("patience"), "x held": held[0], "labels held": held[1], **_OWN,
    }[role]  # fmt: skip


def _arguments(
    found: Function, roles: Mapping[str, str], setting: Setting, own: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what is given by position and by name."""
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    in_order = True
    for name, kind, must in found.parameters or ():
        role = roles.get(name, "")
        if (
            not role
            or (role == "silent" and not must)
            or (role == "patience" and "patience" not in setting.arguments and not must)
        ):
            in_order = False
            continue
        value = own[role] if role in own else _given(setting, role)
        if in_order and kind == "positional":
            positional.append(value)
        else:
            keywords[name] = value
    return tuple(positional), keywords


def _log(setting: Setting) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    fields = setting.arguments["network"].fields
    return np.zeros((fields["rows"], len(fields["labels"]))), np.zeros(len(fields["labels"]))


# ---------------------------------------------------------------- functions


def _by_a_function(
    trial: Trial, found: Function, roles: Mapping[str, str], source: str, kind: str, loss: bool,
    decay: Callable[[float], float],
) -> TrialBinding:  # fmt: skip
    def plan(setting: Setting, seed: int) -> tuple[Call, ...]:
        batches, visits = _log(setting)
        params = {"dict": {"W": batches, "b": visits}, "list": [batches, visits], "array": batches}[kind]
        slope = Record("given.recorded_loss", {**setting.arguments["network"].fields, "loss": loss})
        own = {"params": Kept(KEPT), "both": slope, "grads": slope, "decay": decay(_decay(setting) or 1.0)}
        own |= {role: draws._source(source, seed) for role in roles.values() if role.startswith("source")}
        positional, keywords = _arguments(found, roles, setting, own)
        return (
            Call(draws.SEED, (global_seed(seed),), read=()),
            Call("=own", (params,), read=(), keep=KEPT),
            Call(found.name, positional, keywords, largest=LARGEST),
            Call("=", (Kept(KEPT),), largest=LARGEST),
        )

    def draw(setting: Setting, returned: Sequence[Returned]) -> Any:
        value, written = returned[-2].values[0], returned[-1].values[0]
        arrays = list(_arrays(value)) or list(_arrays(written))
        if value is None and not any(array.any() for array in arrays):
            return None
        return _recorded(setting, arrays, f"the result is {said(value)}, expected the parameters")

    seeded = any(role.startswith("source") for role in roles.values())
    note = [] if "epochs" in roles.values() else [SAMPLING]
    return TrialBinding(
        trial, found.name, plan, draw, _accepts(set(roles.values())), seeded,
        "; ".join(["given a loss that says what it is called with", *note]),
    )  # fmt: skip


def _arrays(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _arrays(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _arrays(part)


def _recorded(setting: Setting, arrays: Sequence[np.ndarray[Any, Any]], problem: str) -> Any:
    """Return the parameters as the trial reads them: a log, and the sum of its rows by every other array."""
    batches, visits = _log(setting)
    logs = [array for array in arrays if array.shape == batches.shape]
    sums = [array for array in arrays if array.shape == visits.shape]
    if not logs:
        raise WrongKind(problem)
    with np.errstate(all="ignore"):  # numbers of a stranger: they may overflow
        all_sums = [*sums, *(log.sum(axis=0) for log in logs)]
        wrong = [one for one in all_sums if not np.allclose(one, logs[0].sum(axis=0))]
    return {"params": {"batches": logs[0], "visits": (wrong or all_sums)[0]}}


# ---------------------------------------------------------------- classes


def _by_a_class(
    trial: Trial, klass: Klass, loop: Function, roles: Mapping[str, str], made: Mapping[str, int], kind: str
) -> TrialBinding:
    """Bind a loop that calls the class's own `loss`, and updates its `params`, a dictionary, or its `W`."""

    def plan(setting: Setting, seed: int) -> tuple[Call, ...]:
        batches, visits = _log(setting)
        params = (
            {"W1": batches, "b1": visits, "W2": batches.copy(), "b2": visits.copy()} if kind == "params" else batches
        )
        loss = Record("given.recorded_loss", {**setting.arguments["network"].fields, "owner": Kept(IT)})
        own = {role: draws._source("int", seed) for role in roles.values() if role.startswith("source")}
        own |= {"decay": _decay(setting) or 1.0}
        positional, keywords = _arguments(loop, roles, setting, own)
        return (
            Call(klass.name, (), made, read=(), keep=IT),
            put((kind,), params),
            put(("loss",), loss),
            put(("predict",), Record("given.always_zero", {})),
            Call(draws.SEED, (global_seed(seed),), read=()),
            Call(f"{klass.name}.{loop.tail}", (Kept(IT), *positional), keywords, read=()),
            replace(got((kind,)), largest=LARGEST),
        )

    def draw(setting: Setting, returned: Sequence[Returned]) -> Any:
        value = returned[-1].values[0]
        return _recorded(setting, list(_arrays(value)), f"`{kind}` is {said(value)}, expected the parameters")

    note = "judged by its loop: its loss is replaced"
    note += "" if "epochs" in roles.values() else f"; {SAMPLING}"
    return TrialBinding(trial, klass.name, plan, draw, _accepts(set(roles.values())), False, note)


_SGD: Mapping[str, str] = {
    "data": r"train(ing)?_?data|data",
    "epochs": _ROLES["epochs"],
    "batch_size": r"(mini_?)?batch_?size|bs",
    "lr": _ROLES["lr"],
    "reg": _ROLES["reg"],
}


def _by_a_step(trial: Trial, klass: Klass, loop: Function, made: Mapping[str, int]) -> TrialBinding | None:
    """Bind a loop that is given a list of pairs, and calls the class's own `update_mini_batch(pairs, eta)`."""
    roles = {
        name: next((role for role, pattern in _SGD.items() if re.fullmatch(pattern, name, re.IGNORECASE)), "")
        for name, kind, must in loop.parameters or ()
        if must and kind == "positional"
    }
    if not {"data", "epochs", "batch_size", "lr"} <= set(roles.values()) or "" in roles.values():
        return None
    widths = {name: [2, 3, 2] if name.lower() in ("sizes", "layers", "layer_sizes") else n for name, n in made.items()}

    def plan(setting: Setting, seed: int) -> tuple[Call, ...]:
        samples = np.arange(len(setting.arguments["x"]), dtype=float)
        pairs = [(np.array([[i], [i]]), np.array([[-i - 1], [0.0]])) for i in samples]
        rate = setting.arguments["network"].fields["rate"]
        step = Record("given.recorded_update", {"rate": rate, "owner": Kept(IT)})
        values = [pairs if role == "data" else _given(setting, role) for role in roles.values()]
        return (
            Call(klass.name, (), widths, read=(), keep=IT),
            put(("log",), _log(setting)[0]),
            put(("update_mini_batch",), step),
            Call(draws.SEED, (global_seed(seed),), read=()),
            Call(f"{klass.name}.{loop.tail}", (Kept(IT), *values), read=()),
            replace(got(("log",)), largest=LARGEST),
        )

    def draw(setting: Setting, returned: Sequence[Returned]) -> Any:
        return _recorded(setting, list(_arrays(returned[-1].values[0])), "no step was taken")

    there = {"epochs", "batch_size"}
    return TrialBinding(
        trial, klass.name, plan, draw, _accepts(there), False, "judged by its loop: its step is replaced"
    )


__all__ = ["SAMPLING", "TRIAL", "bind", "bind_class", "fits"]
