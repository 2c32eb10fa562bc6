"""Dropout that draws its own mask: what it makes of every entry it drops and of every entry it keeps, and how many.

A case's mask cannot be given to such a function, or layer. It is called until every entry was dropped once and kept
once, and of these calls each entry is taken from one whose draw agrees with the case's mask.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders._adapters import lists
from graders._adapters.objects import IT, Ask, Klass, got, inside, tensors
from graders._adapters.ways import BACKWARD as BACKWARDS
from graders._adapters.ways import FORWARD as FORWARDS
from graders.harness.cases import Case
from graders.harness.compare import as_array
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, WrongAtSight, WrongKind, said
from graders.harness.sandbox.codec import Kept, Record
from graders.harness.sandbox.contract import Call, Returned
from graders.harness.sandbox.contract import Function as Found

FORWARD, BACKWARD = "dropout_forward", "dropout_backward"
PLAIN = ("dropout", "dropout_layer", FORWARD)
"""Names of functions that are given a probability, and perhaps whether it is training."""
INPUTS = ("x", "X", "input", "inputs", "x_in", "a", "A", "h", "H", "z", "Z", "data", "tensor", "input_tensor")
EITHER = ("p", "prob", "probability")
DROPS_BY = (
    "drop", "drop_p", "drop_prob", "drop_probability", "drop_rate", "droprate", "dropout", "dropout_p", "dropout_prob",
    "dropout_probability", "dropout_rate", "dropout_ratio", "p_drop", "p_dropout", "rate", "ratio",
)  # fmt: skip
KEEPS_BY = ("keep", "keep_p", "keep_prob", "keep_probability", "keep_rate", "p_keep", "retain_prob")
TRAINS = ("training", "train", "is_training", "is_train", "train_flg", "train_mode", "training_mode")
RESTS = ("deterministic", "inference", "is_test", "test", "testing", "evaluating", "prediction", "predicting")
SEEDS, GENERATORS = ("seed", "random_seed", "random_state"), ("rng", "generator", "gen")
DRAWS = 128
"""An entry that is dropped with probability 0.2 is not dropped in any of them once in 10¹² times."""
RATES = (0.2, 0.8)
SIGMAS = 7.0
LARGEST = 64
SAID = "it draws its own mask: judged by what it drops, keeps and scales in {DRAWS} draws of each case"
KEEPS = "your p is the probability to keep: the p that is spoken of here is 1 minus yours"
IN_TRAINING = "judged in training only"
CLASSIC = "scales when it does not train, as dropout did at first (Srivastava et al. 2014): read as that"
INVERTED = "inverted dropout"
LEFT = (
    ("output", "outputs", "out", "y", "a"),
    ("dinputs", "dinput", "d_inputs", "d_input", "dx", "grad_input", "grad"),
)
"""Attributes in which a layer leaves its result, and its gradient, where it returns none."""
KINDS = {"dropout": "dropout", "inverteddropout": "dropout"}
"""Names of layers."""
DROPS = "p is read as the probability to drop"


def fits(found: Found) -> bool:
    """Return whether a function has the course's name and call shape, or is given a probability."""
    if found.parameters is None or found.tail not in (*PLAIN, BACKWARD):
        return False
    required = sum(must for _, kind, must in found.parameters if kind == "positional")
    names = found.names("positional")
    masked = found.tail == FORWARD and "mask" in names  # it draws none: a mask is what the gradient is given
    course = found.tail in (FORWARD, BACKWARD) and required <= 2 <= len(names) and not masked
    return course or _probability(found) != ""


def _probability(found: Found) -> str:
    """Return which parameter is the probability, where all that must be given is known; "" elsewhere."""
    if found.tail not in PLAIN or found.parameters is None:
        return ""
    names = found.names("positional", "keyword")
    there = [name for name in names if name in (*EITHER, *DROPS_BY, *KEEPS_BY)]
    known = (*there[:1], *TRAINS, *RESTS, *SEEDS, *GENERATORS)
    must = [name for name, kind, must in found.parameters if must and kind in ("positional", "keyword")]
    plain = bool(names) and names[0] in INPUTS and set(must) <= {names[0], *known} and "mask" not in must
    return there[0] if there and plain else ""


def bind(
    found: Found, exercises: Mapping[str, Exercise], others: Mapping[str, Found], ask: Ask
) -> tuple[list[Binding], str]:
    """Bind the course's dropout, with p as the probability to keep or, as in its older years, to drop."""
    back = found.tail == BACKWARD
    name = "regularization.dropout" + "_vjp" * back
    forward = found.name.removesuffix(found.tail) + FORWARD
    if name not in exercises:
        return [], ""
    if forward not in others and back:
        return [], f"{found.name} needs the cache of {FORWARD}, which is not there: not judged"
    first = others[forward] if back else found
    by = _probability(first)
    made = {keeps: _bound(exercises[name], found.name, first, back, keeps, by) for keeps in (True, False)}
    if by in (*DROPS_BY, *KEEPS_BY):
        return [made[by in KEEPS_BY]], ""
    usual = not by  # the course's p is the probability to keep
    return [replace(made[usual], others=(made[not usual],))], ""


def also(binding: Binding, found: Sequence[str] = ()) -> Binding:
    """Return the binding with the readings of dropout that scales in use, where it tells training and use apart, of
    lists, and with NumPy's older generator where one of the names `found` among its parameters is that of a generator.
    """
    generator = bool(set(found) & set(GENERATORS))
    every = (replace(binding, others=()), *binding.others)
    if generator:
        older = tuple(map(_with_old_generators, every))
        every, binding = (*every, *older), replace(binding, others=(*binding.others, *older))
    back = binding.exercise.forward is not None  # which is read as its own function is
    classic = [_classic(one) for one in every if back or not one.note.endswith(IN_TRAINING)]
    of_lists = map(_in_lists, (*every, *classic))
    inverted = tuple(replace(one, sense=INVERTED) for one in binding.others)
    return replace(binding, others=(*inverted, *classic, *of_lists), sense=INVERTED)


def _with_old_generators(binding: Binding) -> Binding:
    """Return the reading of what takes NumPy's older generator, `np.random.RandomState`."""

    def older(value: Any) -> Any:
        known = isinstance(value, Record) and value.name == "numpy.random.Generator"
        return replace(value, name="numpy.random.RandomState") if known else value

    def plan(case: Case) -> tuple[Call, ...]:
        calls = binding.plan(case)
        told = [{name: older(value) for name, value in call.keywords.items()} for call in calls]
        return tuple(replace(call, keywords=keywords) for call, keywords in zip(calls, told, strict=True))

    return replace(binding, plan=plan, others=(), note=f"takes a RandomState; {binding.note}")


def _in_lists(binding: Binding) -> Binding:
    """Return the reading of what takes a list of numbers, and gives such a list: all entries of an array as one."""

    def plan(case: Case) -> tuple[Call, ...]:
        return tuple(lists.with_arrays(call, lambda array: np.ravel(array).tolist()) for call in binding.plan(case))

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        x = case.arguments["x"]

        def shaped(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(map(shaped, value))
            numbers = lists.numbers_of(value)
            if numbers is None or len(numbers) != x.size:
                raise WrongKind(f"the result is {said(value)}, expected a list of {x.size} numbers")
            return np.array(numbers, x.dtype).reshape(x.shape)

        return binding.outputs(case, [replace(one, values=tuple(map(shaped, one.values))) for one in returned])

    note = f"{binding.note}; takes a list of numbers"
    sense = binding.sense or INVERTED
    return replace(binding, plan=plan, outputs=outputs, note=note, others=(), doubtful=True, sense=sense)


def _classic(binding: Binding) -> Binding:
    """Return the reading of dropout that multiplies by 1 − p when it does not train."""

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        kept = np.asarray(1 - case.hyperparameters["p"], case.dtype)
        made = {name: as_array(value) for name, value in binding.outputs(case, returned).items()}
        return {name: value if value is None else np.asarray(value / kept) for name, value in made.items()}

    note = f"{binding.note}; {CLASSIC}"
    return replace(binding, outputs=outputs, note=note, others=(), doubtful=True, sense="classic dropout")


# ---------------------------------------------------------------- layers


@dataclass(frozen=True)
class _Layer:
    """How a layer is made, told whether it trains, and called."""

    klass: Klass
    by: str
    """The parameter of the constructor that is the probability, and …"""
    seeds: tuple[str, ...]
    """… those that are seeds or generators."""
    forward: Found
    backward: Found | None
    flag: str
    """The argument of `forward`, or the attribute, that says whether it trains; "train" and "eval" may be methods."""
    told: str
    """By which of these it is told: "argument", "attribute", "method" or not at all, ""."""
    left: tuple[str, str] = ("", "")
    """Where `forward` and `backward` leave what they do not return."""

    def calls(self, case: Case, keeps: bool, back: bool) -> tuple[Call, ...]:
        """Return the calls of a case."""
        p, training = case.hyperparameters["p"], case.hyperparameters["training"]
        made = {self.by: 1 - p if keeps else p}
        made |= {
            name: Record("numpy.random.Generator", {"seed": 0}) if name in GENERATORS else 0 for name in self.seeds
        }
        name, says = self.klass.name, training == (self.flag not in RESTS)
        calls = [Call(name, (), made, read=(), keep=IT)]
        if self.told == "attribute":
            calls.append(Call("=put", (Kept(IT), [self.flag], says), read=()))
        elif self.told == "method":
            calls.append(Call(f"{name}.{'train' if training else 'eval'}", (Kept(IT),), read=()))
        x = tensors(case.arguments["x"]) if self.klass.uses_tensors else case.arguments["x"]
        flag = {self.flag: says} if self.told == "argument" else {}
        for _ in range(DRAWS if training else 1):
            calls += self._called(self.forward, (x,), flag, self.left[0])
            if back and self.backward is not None:
                given = (case.arguments["cotangent"], *[x] * (len(_must(self.backward)) - 1))
                calls += self._called(self.backward, given, {}, self.left[1])
        return tuple(calls)

    def _called(self, method: Found, given: tuple[Any, ...], flag: Mapping[str, bool], left: str) -> list[Call]:
        """Return the calls that give what a method returns, or leaves behind."""
        call = Call(f"{self.klass.name}.{method.tail}", (Kept(IT), *given), flag)
        return [replace(call, read=()), got((left,))] if left else [call]


def bind_layer(klass: Klass, exercises: Mapping[str, Exercise], ask: Ask) -> tuple[list[Binding], str]:
    """Bind a layer that draws its own mask, and its gradient, or say why not."""
    found = _layer(klass, ask)
    if isinstance(found, str):
        return [], f"{klass.name} is not judged: {found}"
    bindings = []
    for name, method in (("regularization.dropout", found.forward), ("regularization.dropout_vjp", found.backward)):
        if name in exercises and method is not None:
            keeps = [found.by in KEEPS_BY] if found.by in (*DROPS_BY, *KEEPS_BY) else [False, True]
            first, *others = (_of_layer(exercises[name], found, method, keep) for keep in keeps)
            bindings.append(replace(first, others=tuple(others)))
    return bindings, ""


def _must(method: Found) -> list[str]:
    """Return the arguments that a method must be given; the second of a backward is its input."""
    return [name for name, kind, must in method.parameters or () if must and kind in ("positional", "keyword")]


def _layer(klass: Klass, ask: Ask) -> _Layer | str:
    """Return how a layer is called, or why that is not known."""
    takes = dict(klass.takes)
    by = next((name for name in takes if name in (*EITHER, *DROPS_BY, *KEEPS_BY)), "")
    seeds = tuple(name for name in takes if name in (*SEEDS, *GENERATORS))
    odd = [name for name, must in takes.items() if must and name not in (by, *seeds)]
    forward = klass.method(*FORWARDS)
    if not by or odd or forward is None:
        return f"what its constructor's `{odd[0]}` is, is not known" if odd else "its probability is not known"
    names, flags = forward.names("positional", "keyword"), (*TRAINS, *RESTS)
    flag = next((name for name in names if name in flags), "")
    must = _must(forward)
    if len(set(must) - {flag}) != 1 or must[0] == flag:
        return f"how its {forward.tail} is called is not known"
    forward = replace(forward, name=f"{klass.name}.__call__") if klass.is_module else forward
    backward = None if klass.is_module else klass.method(*BACKWARDS)
    backward = backward if backward is not None and len(_must(backward)) <= 2 else None
    told = "argument" if flag else ""
    if not told and (klass.is_module or {"train", "eval"} <= set(klass.methods)):
        told = "method"
    elif not told:
        held = inside(ask, [Call(klass.name, (), {by: 0.5} | dict.fromkeys(seeds, 0), read=(), keep=IT)])
        attributes = held if isinstance(held, dict) else {}
        flag = next(
            (str(path[0]) for path, value in attributes.items() if path[0] in flags and type(value) is bool), ""
        )
        told = "attribute" if flag else ""
    layer = _Layer(klass, by, seeds, forward, backward, flag, told)
    return replace(layer, left=_left_behind(layer, ask))


def _left_behind(layer: _Layer, ask: Ask) -> tuple[str, str]:
    """Return in which attributes a layer leaves its result and its gradient; "" for what it returns."""
    x = np.array([[0.5, -1.25, 2.0]])
    case = Case({"x": x, "cotangent": x}, {"p": 0.5, "training": True}, "float64", "tried")
    back = layer.backward is not None
    *before, first = layer.calls(case, keeps=False, back=back)[: -2 * DRAWS + 2 if back else -DRAWS + 1]
    calls, found = [*before[: -1 if back else None]], ["", ""]
    for at, call in enumerate((before[-1], first) if back else (first,)):
        calls.append(call)
        outcomes = ask(calls)
        last = outcomes[-1] if len(outcomes) == len(calls) else None
        if isinstance(last, Returned) and last.values[0] is None:
            held = inside(ask, calls)
            shapes = {path: np.shape(value) for path, value in held.items()} if isinstance(held, dict) else {}
            found[at] = next((name for name in LEFT[at] if shapes.get((name,)) == x.shape), "")
    return found[0], found[1]


def _of_layer(exercise: Exercise, layer: _Layer, method: Found, keeps: bool) -> Binding:
    back = exercise.forward is not None
    told = bool(layer.told) and not back  # where it does not train, it may keep no mask for its gradient

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        values = [_first(answer.values[0]) for answer in returned if answer.values]
        outs, results = (values[::2], values[1::2]) if back else (values, values)
        return {"": chosen(case, outs, results) if case.hyperparameters["training"] else results[0]}

    reading = "" if layer.by in (*DROPS_BY, *KEEPS_BY) else f"{KEEPS if keeps else DROPS}; "
    note = reading + SAID.format(DRAWS=DRAWS) + ("" if told else "; " + IN_TRAINING)
    return Binding(
        exercise, f"{layer.klass.name}.{method.tail}", lambda case: layer.calls(case, keeps, back), outputs,
        accepts=lambda case: _accepted(case, not told), note=note, strict=True,
    )  # fmt: skip


# ---------------------------------------------------------------- masks


def _accepted(case: Case, trains_only: bool) -> bool:
    """Return whether the case's entries tell by themselves whether they were dropped, soon enough."""
    if trains_only and not case.hyperparameters["training"]:
        return False
    x = case.arguments["x"]
    if not case.hyperparameters["training"]:
        return bool(case.hyperparameters["p"] > 0)  # which some refuse when they are made
    seen = np.all(x != 0) and np.all(np.isfinite(x)) and x.size <= LARGEST
    return bool(seen and RATES[0] <= case.hyperparameters["p"] <= RATES[1])


def _given(forward: Found, by: str, p: float, training: bool, draw: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what a function gets after its input: positional arguments and keywords."""
    if not by:
        return ({"mode": "train" if training else "test", "p": p},), {}
    keywords: dict[str, Any] = {by: p}
    for name in forward.names("positional", "keyword"):
        if name in TRAINS or name in RESTS:
            keywords[name] = training == (name in TRAINS)
        elif name in SEEDS:
            keywords[name] = draw
        elif name in GENERATORS:
            keywords[name] = Record("numpy.random.Generator", {"seed": draw})
    return (), keywords


def _bound(exercise: Exercise, function: str, forward: Found, back: bool, keeps: bool, by: str) -> Binding:
    says = any(name in (*TRAINS, *RESTS) for name in forward.names("positional", "keyword"))
    told = not by or (says and not back)  # where it does not train, it may keep no mask for its gradient

    def plan(case: Case) -> tuple[Call, ...]:
        p, training = case.hyperparameters["p"], case.hyperparameters["training"]
        read: tuple[tuple[int | str, ...], ...] = ((),) if by and not back else ((0,),)
        calls = []
        for draw in range(DRAWS if training else 1):
            kept = f"draw {draw}" if back else ""
            positional, keywords = _given(forward, by, 1 - p if keeps else p, training, draw)
            arguments = (case.arguments["x"], *positional)
            calls.append(Call(forward.name, arguments, keywords, read=read, keep=kept))
            if back:
                calls.append(Call(function, (case.arguments["cotangent"], Kept(kept, (1,)))))
        return tuple(calls)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        values = [_first(answer.values[0]) for answer in returned]
        outs, results = (values[::2], values[1::2]) if back else (values, values)
        if not case.hyperparameters["training"]:
            return {"": results[0]}
        return {"": chosen(case, outs, results)}

    reading = "" if by in (*DROPS_BY, *KEEPS_BY) else f"{KEEPS if keeps else DROPS}; "
    note = reading + SAID.format(DRAWS=DRAWS) + ("" if told else "; " + IN_TRAINING)
    return Binding(
        exercise, function, plan, outputs, accepts=lambda case: _accepted(case, not told), note=note, strict=True
    )


def _first(value: Any) -> Any:
    """Return the output of what returned it with its mask."""
    return value[0] if isinstance(value, tuple) and value else value


def _drops(dropped: np.ndarray[Any, Any], share: float) -> bool:
    """Return whether so many entries are dropped as are if each is with this probability."""
    return bool(abs(dropped.sum() - share * dropped.size) <= SIGMAS * np.sqrt(dropped.size * share * (1 - share)) + 1)


def _is_drawn_for_each(dropped: np.ndarray[Any, Any], p: float) -> bool:
    """Return whether any two entries fare alike in about so many draws as they do if each has a draw of its own."""
    draws = len(dropped)
    one = dropped.reshape(draws, -1).astype(float)
    alike, share = one.T @ one + (1 - one).T @ (1 - one), p * p + (1 - p) ** 2
    far = np.abs(alike - share * draws) > SIGMAS * math.sqrt(draws * share * (1 - share)) + 1
    return draws == 1 or not np.any(far & ~np.eye(one.shape[1], dtype=bool))


def chosen(case: Case, outs: Sequence[Any], results: Sequence[Any]) -> Any:
    """Return the result, entry by entry from a draw that agrees with the case's mask; raise `WrongKind` on a rate."""
    x, mask, p = case.arguments["x"], case.arguments["mask"], case.hyperparameters["p"]
    arrays = []
    for value in (*outs, *results):
        array = as_array(value)
        if array is None:
            raise WrongKind(f"the result is {said(value)}, expected an array of shape {x.shape}")
        if array.shape != x.shape:
            raise WrongAtSight(f"the result is of shape {array.shape}, expected {x.shape}")
        arrays.append(array)
    dropped = np.stack(arrays[: len(outs)]) == 0
    total = dropped.size
    if not _drops(dropped, p):
        seen = f"it drops {dropped.sum()} of {total} entries, expected about {p * total:.0f}"
        normal = any(
            _drops(dropped, share) for share in (math.erfc((1 - p) / 2**0.5) / 2, 1 - math.erfc(p / 2**0.5) / 2)
        )
        raise WrongAtSight(seen + ", as a mask does that is drawn by randn: rand is uniform" * normal)
    if not _is_drawn_for_each(dropped, p):
        raise WrongAtSight("some entries are dropped and kept together: each needs a draw of its own")
    agrees = dropped == (mask == 0)
    if not agrees.any(axis=0).all():
        raise WrongAtSight(f"in {len(outs)} draws some entry is always dropped, or always kept")
    taken = np.argmax(agrees, axis=0)
    made: Any = np.take_along_axis(np.stack(arrays[len(outs) :]), taken[None], axis=0)[0]
    return made
