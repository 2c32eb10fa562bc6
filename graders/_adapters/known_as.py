"""Functions that the field knows by other names: squared errors, cross-entropies, one-hot rows, slopes.

Such a name leaves open what is meant: which half, which mean, which argument first, labels or rows. Every documented
reading is tried, and where none is right, the function is not judged: it may be right as something else. Only a slope
and one-hot rows, which can hardly mean anything else, are then wrong.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._adapters import loosely, named, reductions, spread
from graders._adapters.columns import SAMPLES, in_columns, in_one_row
from graders._adapters.named import GUESS, TRUTH
from graders._adapters.objects import Ask, last
from graders._adapters.shapes import ALIASES
from graders.harness.cases import Case, signature
from graders.harness.compare import as_array
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, WrongKind, said
from graders.harness.sandbox.contract import Call, Returned
from graders.harness.sandbox.contract import Function as Found

Given = Callable[[Case], tuple[Any, Any]]
"""Returns of a case what is predicted, and what is true."""

_SQUARED = ("losses.mse", "losses.half_squared_error", "losses.squared_error")
_CROSS, _SOFTMAX = "losses.cross_entropy", "losses.softmax_cross_entropy"
_BCE, _LOGITS = "losses.sigmoid_bce", "losses.bce_with_logits"
LOSSES: Mapping[re.Pattern[str], tuple[str, ...]] = {
    re.compile(
        r"(mean|sum|half|sum_of|l2)?_?squ?are(d|s)?_?(error|loss)s?|(mse|l2)_?loss|(calc\w*|compute)_mse"
    ): _SQUARED,
    re.compile(r"((categorical|softmax)_?)?(cross_?entropy|ce)(_?(loss|error|cost))?|nll(_loss)?"): (_CROSS, _SOFTMAX),
    re.compile(r"(binary_?cross_?entropy|bce)(_?(loss|error|cost))?|log_?loss|logistic_cost"): (_BCE, _LOGITS),
    re.compile(r"(binary_?cross_?entropy|bce|sigmoid_?cross_?entropy)_?with_?logits(_?loss)?"): (_LOGITS,),
    re.compile(
        r"((compute|calc(ulate)?|get|eval(uate)?)_?)?((binary_|categorical_)?(cross_?entropy|ce|bce)_?)?(cost|loss)"
        r"(_?(func(tion)?|fn|f|value))?|(compute|calc(ulate)?|get|eval(uate)?)_(binary_|categorical_)?(cross_?entropy|bce)"
    ): (_BCE, _CROSS, _SOFTMAX, *_SQUARED, _LOGITS),
}
_NAMED_SQUARED, _DERIVED = r"(mse|(mean_?)?squared?_?error)(_?loss)?", r"(prime|deriv(ative)?|grad(ient)?)"
GRADIENTS: Mapping[re.Pattern[str], tuple[str, ...]] = {
    re.compile(rf"{_NAMED_SQUARED}_?{_DERIVED}|d_?{_NAMED_SQUARED}"): tuple(f"{name}_grad" for name in _SQUARED),
    re.compile(rf"(bce|binary_?cross_?entropy)(_?loss)?_?{_DERIVED}"): (f"{_BCE}_grad",),
}
_STEPS = "update|step"
RENAMED: Mapping[str, re.Pattern[str]] = {
    "activations.sigmoid": re.compile(r"sig|sigm|logistic|stable_sigmoid|sigmoid_(stable|function|activation)"),
    "activations.relu": re.compile(r"rectifier|relu_(function|activation)"),
    "activations.leaky_relu": re.compile(r"leakyrelu|lrelu"),
    "activations.silu": re.compile(r"swish"),
    "activations.softmax": re.compile(r"stable_softmax|softmax_(stable|function|activation)"),
    "activations.log_softmax": re.compile(r"logsoftmax"),
    "activations.logsumexp": re.compile(r"log_sum_exp"),
    "losses.accuracy": re.compile(r"accuracy_score|(compute|get|calc\w*)_?acc(uracy)?|acc"),
    "losses.kl_divergence": re.compile(r"kl(_?div)?|kullback_leibler(_divergence)?"),
    "layers.affine": re.compile(r"linreg|lin|linear|dense|fully_connected|(dense|fc|linear)_forward"),
    "convolution.cross_correlate2d": re.compile(r"corr_?2d|cross_?corr(elat(e|ion))?(_?2d)?"),
    "convolution.output_size": re.compile(
        r"((compute|calc(ulate)?|get)_)?conv(olution|2d)?_?(layer_)?out(put)?_?(size|dim(ension)?|width)"
    ),
    "convolution.conv2d": re.compile(r"conv(olution)?_?2?d?(_forward)?"),
    "pooling.max_pool2d": re.compile(r"max_?pool(ing)?_?(2d)?(_forward)?"),
    "pooling.avg_pool2d": re.compile(r"(avg|average|mean)_?pool(ing)?_?(2d)?(_forward)?"),
    "pooling.global_avg_pool": re.compile(r"gap|global_?(avg|average|mean)_?pool(ing)?_?(2d)?"),
    "normalization.batch_norm": re.compile(r"batch_?norm(ali[sz](ation|e))?_?([12]d|train)?"),
    "normalization.layer_norm": re.compile(r"layer_?norm(ali[sz](ation|e))?"),
    "normalization.group_norm": re.compile(r"group_?norm(ali[sz](ation|e))?"),
    "normalization.rms_norm": re.compile(r"rms_?norm(ali[sz](ation|e))?"),
    "regularization.l1_penalty": re.compile(r"l1_?(reg(ulari[sz](ation|er))?|loss|cost|norm)"),
    "regularization.l2_penalty": re.compile(r"l2_?(reg(ulari[sz](ation|er))?|loss|cost)|weight_decay_(loss|penalty)"),
    **{
        f"regularization.{norm}_penalty_grad": re.compile(
            rf"(grad|d)_?{norm}(_(reg\w*|penalty))?|{norm}_(reg\w*_)?(grad(ient)?|deriv\w*)"
        )
        for norm in ("l1", "l2")
    },
    "regularization.dropout": re.compile(r"(apply_)?dropout(_forward|_with_mask)?"),
    "regularization.max_norm": re.compile(r"max_?norm_?(constraint|clip(ping)?|projection|reg\w*)|clip_?max_?norm"),
    "regularization.ridge_objective": re.compile(r"ridge(_regression)?_(loss|cost|objective)"),
    "regularization.ridge_objective_grad": re.compile(r"ridge(_regression)?(_loss)?_grad(ient)?"),
    "regularization.clip_by_global_norm": re.compile(
        r"(clip|rescale|scale)_?grad(ient)?s?(_?(by_?)?(global_?)?norm_?)?|grad(ient)?_?(norm_?)?clip(ping)?"
    ),
    "optimizers.cosine_lr": re.compile(r"cosine_?(annealing|decay|schedule)?(_?(lr|schedule|rate))?"),
    "optimizers.exponential_lr": re.compile(r"exp(onential)?_?(decay|schedule)(_?(lr|rate))?"),
    "optimizers.step_lr": re.compile(r"step_?(decay|schedule)(_?(lr|rate))?"),
    "ensembles.majority_vote": re.compile(r"(majority|hard|plurality)_?vot(e|ing)"),
    "training.confusion_matrix": re.compile(r"conf(usion)?_mat(rix)?|compute_confusion_matrix"),
    **{
        f"optimizers.{name}": re.compile(rf"({written})_?({_STEPS}|optimi[sz](er|ation|e))?|({_STEPS})_({written})")
        for name, written in (
            ("sgd", "sgd|gd|gradient_descent|vanilla"), ("momentum", "(sgd_?)?momentum"), ("nesterov", "nesterov"),
            ("adagrad", "adagrad"), ("rmsprop", "rmsprop"), ("adam", "adam"), ("adamax", "adamax"),
            ("adamw", "adamw"), ("lion", "lion"),
        )
    },
}  # fmt: skip
"""Other names of functions that are called as the catalogue's are, or, of optimizers, with their state spread out."""
ONE_HOT = re.compile(
    r"to_?categorical|(to_?|get_?|make_?|convert_?to_?)?one_?hot(_?(encod\w*|vectors?|matrix|labels?))?|dense_to_one_hot"
)
_OF = "sigmoid|tanh|relu|leaky_relu|softplus|silu|gelu"
SLOPE = re.compile(rf"(?P<one>d_?|{_DERIVED}_(of_)?)?(?P<of>{_OF})(?P<two>_?({_DERIVED}|slope|d))?")
BY_THE_VALUE = ("activations.sigmoid_vjp", "activations.tanh_vjp", "activations.relu_vjp")
"""Slopes that books also write as functions of the value: s (1 − s)."""


def bind(found: Found, exercises: Mapping[str, Exercise], there: Collection[str], ask: Ask) -> Binding | None:
    """Bind a function of another name to what it may mean, or return None; names in `there` are judged as they are."""
    required = [name for name, kind, must in found.parameters or () if kind == "positional" and must]
    readings: list[Binding] = []
    tail = found.tail.lower()
    same = next((name for name, pattern in RENAMED.items() if pattern.fullmatch(tail)), "")
    if same in exercises and same.partition(".")[2] not in there:
        fitting, _ = named.fitted(exercises[same], found)
        fitting = None if fitting is None else loosely.also(fitting, found, ask)
        apart = spread.bind(exercises[same], found)
        if fitting is not None and apart is not None:
            fitting = spread.beside(fitting, apart)
        if (fitting := fitting or apart) is None:
            return None
        surely = same == "regularization.dropout" and "mask" in found.names("positional")
        return replace(fitting, note=_joined(f"its name is read as {same}", fitting.note), vague=not surely)
    if len(required) == 2:
        known = {**LOSSES, **GRADIENTS}
        meant = next((names for pattern, names in known.items() if pattern.fullmatch(tail)), ())
        of_one: list[Binding] = []
        for name in (n for n in meant if n in exercises and n.partition(".")[2] not in there):
            if name != _SOFTMAX or not _takes_distributions(found, ask):
                made = list(_losses(exercises[name], found))
                readings += made
                of_one += _one_by_one(made, ask) if name == _SOFTMAX else []
        readings = _likely(readings, ask) if meant in LOSSES.values() and readings else readings
        readings += of_one
    elif len(required) <= 1 and (of := SLOPE.fullmatch(tail)) and (of["one"] or of["two"]):
        name = f"activations.{of['of']}_vjp"
        readings += _slopes(exercises[name], exercises.get(name[:-4]), found) if name in exercises else []
    if ONE_HOT.fullmatch(tail) and "preprocessing.one_hot" in exercises and "one_hot" not in there:
        readings += _one_hot(exercises["preprocessing.one_hot"], found)
    if not readings:
        return None
    readings = [replace(r, note=_joined(f"its name is read as {r.exercise.name}", r.note)) for r in readings]
    unmistakable = readings[0].exercise.topic != "losses" and _answers(readings[0], ask)
    own = "negative_slope" in readings[0].held  # one that is written into its text, and may not be ours
    return replace(readings[0], others=tuple(readings[1:]), vague=own or not unmistakable)


def also(binding: Binding, found: Found, exercises: Mapping[str, Exercise], ask: Ask) -> Binding:
    """Return the binding of a cross-entropy with the readings for labels, if it takes no other distributions."""
    names = found.names("positional")
    known = binding.exercise.name == _CROSS and _SOFTMAX in exercises and len(names) >= 2
    ours = names[:2] == tuple(signature(binding.exercise.reference).arguments)
    if not known or ours or _takes_distributions(found, ask):
        return binding
    readings = list(of_classes(exercises[_SOFTMAX], found))
    more = (replace(r, note=_joined(f"read as {_SOFTMAX}", r.note)) for r in (*readings, *_one_by_one(readings, ask)))
    return replace(binding, others=(*binding.others, *more))


def _takes_distributions(found: Found, ask: Ask) -> bool:
    """Return whether a cross-entropy is one of distributions, not of labels only: it is judged by those alone."""
    p, q = np.array([[0.25, 0.5, 0.25], [0.125, 0.125, 0.75]]), np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])
    rows = -np.sum(p * np.log(q), axis=1)
    for order in ((p, q), (q, p)):
        outcome = last(ask([Call(found.name, order)]))
        value = outcome.values[0] if isinstance(outcome, Returned) else None
        if isinstance(value, (float, np.ndarray)):
            wanted = (rows, np.sum(rows), np.mean(rows), np.mean(rows) / 3)
            if any(np.shape(w) == np.shape(value) and np.allclose(w, value, rtol=1e-3) for w in wanted):
                return True
    return False


def _likely(readings: Sequence[Binding], ask: Ask) -> list[Binding]:
    """Return the readings of a loss under which it comes near on one small table; if none, one for each exercise."""
    tried = [(reading, case) for reading in readings for case in _tables(reading)]
    outcomes = ask([call for reading, case in tried for call in reading.plan(case)])
    near = []
    for (reading, case), outcome in zip(tried, outcomes, strict=False):
        with np.errstate(all="ignore"), contextlib.suppress(WrongKind, TypeError, ValueError, IndexError):
            if isinstance(outcome, Returned):
                value = reading.outputs(case, [outcome])[""]
                wanted = reading.exercise.reference(*case.arguments.values(), **case.hyperparameters)
                near += [reading] if np.allclose(value, wanted, rtol=1e-2) else []
    return near or list({reading.exercise.name: reading for reading in reversed(readings)}.values())[::-1]


_GUESSES = np.array([[0.7, 0.2, 0.1], [0.15, 0.25, 0.6], [0.3, 0.5, 0.2], [0.05, 0.05, 0.9]])
_TABLES: Mapping[str, tuple[Any, Any]] = {
    _BCE: (_GUESSES, np.eye(3)[[0, 2, 2, 1]]),
    _LOGITS: (3 * _GUESSES - 1, np.eye(3)[[0, 2, 2, 1]]),
    _SOFTMAX: (3 * _GUESSES - 1, np.array([0, 2, 2, 1])),
    _CROSS: (_GUESSES[::-1], _GUESSES),
    **dict.fromkeys(_SQUARED, (_GUESSES, np.eye(3)[[0, 2, 2, 1]])),
}
"""By the loss: what it is tried on."""


def _tables(reading: Binding) -> list[Case]:
    """Return the small table of a loss as a reading of it takes it, if there is one."""
    read = signature(reading.exercise.reference)
    defaults = {name: default for name, (_, default) in read.hyperparameters.items()}
    arguments = dict(zip(read.arguments, _TABLES[reading.exercise.name], strict=True))
    choices = read.hyperparameters.get("reduction", ((), None))[0]
    told = [{"reduction": choice} for choice in choices] if choices else [{}]
    cases = (Case(arguments, defaults | one, "float64", "tried") for one in told)
    return [case for case in cases if reading.accepts(case)][:1]


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _answers(binding: Binding, ask: Ask) -> bool:
    """Return whether a function returns numbers of the shape that a reading of it has."""
    z, labels = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]), np.array([2, 0, 1, 1])
    slope = binding.exercise.name != "preprocessing.one_hot"
    case = (
        Case(
            {"z": z, "cotangent": np.ones_like(z)}, {"negative_slope": 0.25, "approximate": "none"}, "float64", "tried"
        )
        if slope
        else Case({"labels": labels}, {"num_classes": 3}, "float64", "tried")
    )
    outcome = last(ask(list(binding.plan(case))))
    value = outcome.values[0] if isinstance(outcome, Returned) else None
    return isinstance(value, np.ndarray) and value.shape in ((z.shape,) if slope else ((4, 3), (3, 4)))


# ---------------------------------------------------------------- losses


def _losses(exercise: Exercise, found: Found) -> Iterator[Binding]:
    names = tuple(signature(exercise.reference).arguments)
    guess, truth = names[::-1] if exercise.name == _CROSS else names
    if exercise.name == _SOFTMAX:
        yield from of_classes(exercise, found)
        return
    made = _in_both_orders(exercise, found, lambda case: (case.arguments[guess], case.arguments[truth]))
    yield from made
    if exercise.name in _SQUARED or exercise.forward in _SQUARED:
        yield from map(in_columns, made)
    if exercise.name in (_BCE, _LOGITS):
        yield from (reading for one in made for reading in in_one_row(one))


def of_classes(exercise: Exercise, found: Found) -> Iterator[Binding]:
    """Yield the readings of a cross-entropy of what a softmax gives, or of logits, with classes or one-hot rows."""
    taken = {"of probabilities": _softmax, "of logits": lambda z: z}
    told = {
        "labels as classes": lambda y, z: y,
        "labels as one-hot rows": lambda y, z: np.eye(z.shape[1], dtype=z.dtype)[y],
    }
    for predicted, guess in taken.items():
        for labels, truth in told.items():

            def given(case: Case, guess: Any = guess, truth: Any = truth) -> tuple[Any, Any]:
                logits, classes = case.arguments["logits"], case.arguments["labels"]
                return guess(logits), truth(classes, logits)

            orders = _in_both_orders(exercise, found, given)
            if predicted == "of probabilities" and truth is not told["labels as classes"]:
                orders = [*orders, *map(_transposed_tables, orders)]
            for made in orders:
                inner, all_sizes = made.accepts, predicted == "of logits"  # a softmax has lost the extremes
                fits = lambda case, inner=inner, every=all_sizes: (  # noqa: E731
                    bool(case.form) and (every or not case.extreme) and inner(case)
                )
                yield replace(made, accepts=fits, note=_joined(made.note, f"{predicted}, {labels}"))


def _one_by_one(readings: Sequence[Binding], ask: Ask) -> list[Binding]:
    """Return the readings of a loss of one sample, if of several it makes neither one number nor one for each."""
    tried = [(r, case) for r in readings if "reduction" in r.held for case in _tables(r)]
    return [_of_samples(r) for r, case in tried if not _is_of_several(r, case, ask) and _is_of_one(r, case, ask)]


def _is_of_several(binding: Binding, case: Case, ask: Ask) -> bool:
    outcome = last(ask(list(binding.plan(case))))
    made = as_array(outcome.values[0]) if isinstance(outcome, Returned) else None
    return made is not None and made.size in (1, len(case.arguments["labels"]))


def _is_of_one(binding: Binding, case: Case, ask: Ask) -> bool:
    """Return whether the mean of what it makes of each sample comes near the loss."""
    single = _of_samples(binding)
    calls = single.plan(case)
    losses = [outcome for outcome in ask(list(calls)) if isinstance(outcome, Returned)]
    if len(losses) < len(calls):
        return False
    with contextlib.suppress(WrongKind):
        wanted = binding.exercise.reference(*case.arguments.values(), **case.hyperparameters)
        return bool(np.isclose(single.outputs(case, losses)[""], wanted, rtol=1e-2))
    return False


def _of_samples(binding: Binding) -> Binding:
    def plan(case: Case) -> tuple[Call, ...]:
        (call,) = binding.plan(case)
        rows = zip(*call.arguments, strict=True)
        return tuple(replace(call, arguments=tuple(v if np.ndim(v) else v.item() for v in row)) for row in rows)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        values = [one.values[0] for one in returned]
        wrong = next((v for v in values if not isinstance(v, (float, np.ndarray)) or np.size(v) != 1), None)
        if wrong is not None:
            raise WrongKind(f"the loss of a sample is {said(wrong)}, expected a number")
        return {"": np.asarray(np.mean(np.array(values, case.dtype)))}

    accepts = lambda case: binding.accepts(case) and 0 < len(case.arguments["labels"]) <= loosely.LARGEST  # noqa: E731
    note = _joined(binding.note, "a loss of one sample: judged by the mean")
    return replace(binding, plan=plan, outputs=outputs, accepts=accepts, note=note, typed=None, others=())


def _transposed_tables(binding: Binding) -> Binding:
    """Return the reading of a loss of tables, of which it makes one number, whose samples are columns."""

    def plan(case: Case) -> tuple[Call, ...]:
        calls = binding.plan(case)
        return tuple(replace(c, arguments=tuple(np.ascontiguousarray(a.T) for a in c.arguments)) for c in calls)

    return replace(binding, plan=plan, note=_joined(binding.note, SAMPLES))


def _softmax(z: Any) -> Any:
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def _in_both_orders(exercise: Exercise, found: Found, given: Given) -> list[Binding]:
    """Return the readings of a function of two arrays, in the order that its names tell, or in either."""
    one, two = found.names("positional")[:2]
    orders = [False, True]
    if TRUTH.match(one) and GUESS.match(two):
        orders = [True]
    elif GUESS.match(one) and not TRUTH.match(one) and TRUTH.match(two):
        orders = [False]
    return [made for turned in orders for made in _reduced(exercise, found, given, turned)]


def _reduced(exercise: Exercise, found: Found, given: Given, turned: bool) -> Iterator[Binding]:
    """Yield the readings as the mean, the sum, or one loss for each row."""

    def plan(case: Case) -> tuple[Call, ...]:
        guess, truth = given(case)
        return (Call(found.name, (truth, guess) if turned else (guess, truth)),)

    hyperparameters = signature(exercise.reference).hyperparameters
    choices, default = hyperparameters.get("reduction", ((), None))
    held, note = frozenset(hyperparameters), "the truth comes first" if turned else ""
    total = _total if exercise.forward is None else _plain
    yield Binding(exercise, found.name, plan, total, held=held, note=note)
    if not choices and exercise.forward is None:
        rows = _joined(note, "a loss for each row or entry: judged by their mean")
        yield Binding(exercise, found.name, plan, _mean, held=held, note=rows)
    for choice in choices:
        if choice != default:
            asks, read = reductions.asks_for(exercise, choice), _read(exercise, choice, total)
            said_so = _joined(note, f"reduction {choice!r}")
            yield Binding(exercise, found.name, plan, read, asks, held - {"reduction"}, said_so)


def _read(
    exercise: Exercise, choice: str, total: Callable[[Case, Sequence[Returned]], Outputs]
) -> Callable[[Case, Sequence[Returned]], Outputs]:
    """Return how an answer of this reduction is read: as what the case asks for."""
    plain = _rows if choice == "none" else total

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        return {k: reductions.as_asked(exercise, choice, case, v) for k, v in plain(case, returned).items()}

    return outputs


def _total(case: Case, returned: Sequence[Returned]) -> Outputs:
    value = returned[-1].values[0]
    return {"": value.reshape(()) if isinstance(value, np.ndarray) and value.size == 1 else value}


def _plain(case: Case, returned: Sequence[Returned]) -> Outputs:
    return {"": returned[-1].values[0]}


def _mean(case: Case, returned: Sequence[Returned]) -> Outputs:
    value = returned[-1].values[0]
    shape = np.shape(next(iter(case.arguments.values())))
    several = isinstance(value, np.ndarray) and value.shape in (shape, shape[:1])
    return {"": np.asarray(np.mean(value)) if several else value}


def _rows(case: Case, returned: Sequence[Returned]) -> Outputs:
    """Return one loss for each row, of which a function may give the parts."""
    value = returned[-1].values[0]
    parts = isinstance(value, np.ndarray) and value.ndim == 2 and len(case.arguments) == 2
    shape = np.shape(next(iter(case.arguments.values())))
    return {"": np.sum(value, axis=1) if parts and value.shape == shape and "predictions" in case.arguments else value}


# ---------------------------------------------------------------- one-hot rows


def _one_hot(exercise: Exercise, found: Found) -> Iterator[Binding]:
    own = found.names("positional")
    more = [name for name in own[1:] if ALIASES["num_classes"].match(name)]

    def counts_itself(case: Case) -> bool:
        labels = case.arguments["labels"]
        return bool(labels.size and np.max(labels) + 1 == case.hyperparameters["num_classes"])

    def plan(case: Case) -> tuple[Call, ...]:
        told = dict.fromkeys(more[:1], case.hyperparameters["num_classes"])
        return (Call(found.name, (case.arguments["labels"],), told),)

    held = frozenset({"dtype"}) & frozenset(signature(exercise.reference).hyperparameters)
    fits, note = (lambda case: True, "") if more else (counts_itself, "counts the classes itself: judged on such cases")
    made = Binding(exercise, found.name, plan, _plain, fits, held, note)
    yield made
    yield replace(made, outputs=_transposed, note=_joined(note, "samples are columns"))


def _transposed(case: Case, returned: Sequence[Returned]) -> Outputs:
    value = returned[0].values[0]
    return {"": value.T if isinstance(value, np.ndarray) and value.ndim == 2 else value}


# ---------------------------------------------------------------- slopes


def _slopes(exercise: Exercise, forward: Exercise | None, found: Found) -> Iterator[Binding]:
    """Yield the readings of a slope by itself, as a function of z or of the value, times the cotangent."""
    hyperparameters = signature(exercise.reference).hyperparameters
    own = found.names("positional")[1:] + found.names("keyword")
    told = {
        name: other
        for name in hyperparameters
        for other in own
        if other == name or (name in ALIASES and ALIASES[name].match(other))
    }

    def asked(case: Case, at: Any) -> tuple[Call, ...]:
        return (Call(found.name, (at,), {other: case.hyperparameters[name] for name, other in told.items()}),)

    def at_the_value(case: Case) -> tuple[Call, ...]:
        assert forward is not None
        return asked(case, forward.reference(case.arguments["z"]))

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        slope, cotangent = returned[0].values[0], case.arguments["cotangent"]
        if not isinstance(slope, np.ndarray) or slope.shape != cotangent.shape or slope.dtype.kind not in "fiub":
            raise WrongKind(f"the slope is {said(slope)}, expected an array of shape {cotangent.shape}")
        with np.errstate(all="ignore"):
            return {"": slope * cotangent}

    held, note = frozenset(hyperparameters) - frozenset(told), "a slope by itself: judged times the cotangent"
    made = Binding(
        exercise, found.name, lambda case: asked(case, case.arguments["z"]), outputs, held=held, note=note
    )  # fmt: skip
    yield made
    if exercise.name in BY_THE_VALUE and forward is not None:
        yield replace(made, plan=at_the_value, note=_joined(note, "as a function of the value"))
