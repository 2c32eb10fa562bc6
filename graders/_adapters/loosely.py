"""Other readings of a plain function that nobody told what to take: numbers for arrays, labels for logits, squares.

They are tried only where a function is not right as its exercise has it, and only where the exercise was not asked for
by name: then its own definition is the task.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._adapters import in_place
from graders._adapters.objects import Ask, last
from graders.harness.cases import Case, signature
from graders.harness.compare import as_array
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, WrongKind, output_names, said
from graders.harness.sandbox.contract import Call, Outcome, Raised, Returned
from graders.harness.sandbox.contract import Function as Found

LARGEST = 64
"""Entries of an array that are asked one by one."""
SIZES = ("kernel_size", "stride", "padding", "dilation")
_GRADIENT = re.compile(r"^(grads?|gradients?|dw|dtheta|dparams?|g)$", re.IGNORECASE)
TELLING: Mapping[str, re.Pattern[str]] = {
    "losses.entropy": re.compile(r"^(p|q|pk|probs?|probabilit\w*|dist\w*)$", re.IGNORECASE),
    "losses.cross_entropy": re.compile(r"^(p|q)$|true|pred|hat|^(y|t)$", re.IGNORECASE),
    "losses.mse": re.compile(r"true|pred|hat|targ|label|out|^(y|t|a|b|x|z|o|p)\d?$", re.IGNORECASE),
    "losses.accuracy": re.compile(r"true|pred|hat|targ|label|out|logits|scores|prob|^(y|t|x|z|o|p)\d?$", re.IGNORECASE),
    "layers.flatten": re.compile(r"^(x|z|a|inputs?|images?|batch|data|tensor|arr\w*)$", re.IGNORECASE),
    "layers.affine": re.compile(r"^(w|weights?|b|bias(es)?)\d?$", re.IGNORECASE),
    "regularization.dropout": re.compile(r"mask|^(m|d|keep|kept|drawn)$", re.IGNORECASE),
    **dict.fromkeys(("optimizers.nesterov", "optimizers.adagrad", "optimizers.rmsprop", "optimizers.adam"), _GRADIENT),
    "optimizers.sgd": _GRADIENT,
    "optimizers.momentum": _GRADIENT,
}
"""Names of parameters that tell what is meant by a name of many meanings; without one, a function is judged only if it
is right."""


def takes_its_own(found: Found, exercise: Exercise, ask: Ask) -> str:
    """Return what of its own kind a function takes, objects with an attribute or a dictionary of parameters, or ""."""
    if exercise.topic == "networks" and _takes_a_dictionary(found, exercise, ask):
        return "a dictionary of parameters of its own"
    if exercise.topic != "activations" or found.names("uses"):
        return ""
    said = _answer(found, exercise, ask).message
    asked = OWN.search(said)
    theirs = asked is not None and (asked.group(1).strip("_") in OF_THEIRS or asked.group(1) == found.tail)
    if asked is not None and theirs:
        return f"objects of its own, with `.{asked.group(1)}`"
    return "tensors of its own, which reduce along a `dim`" if OF_A_DIM.search(said) else ""


def _of_a_network(found: Found, exercise: Exercise, ask: Ask) -> Outcome:
    """Return what a function makes of a small network, whose layers come as pairs (W, b)."""
    layers = ((np.ones((3, 4)), np.zeros(4)), (np.ones((4, 2)), np.zeros(2)))
    x, labels = np.ones((2, 3)), np.array([0, 1])
    known = {"x": x, "layers": layers, "cotangent": np.ones((2, 2)), "labels": labels, "cache": (x, layers)}
    given = tuple(known[name] for name in signature(exercise.reference).arguments)
    return last(ask([Call(found.name, given)]))


def _takes_a_dictionary(found: Found, exercise: Exercise, ask: Ask) -> bool:
    """Return whether a network looks for its layers by their names."""
    outcome = _of_a_network(found, exercise, ask)
    return isinstance(outcome, Raised) and outcome.message.startswith("tuple indices must be integers or slices")


def _keeps_its_own(found: Found, exercise: Exercise, ask: Ask) -> bool:
    """Return whether a network gives its output, and beside it a cache of its own."""
    outcome = _of_a_network(found, exercise, ask)
    made = outcome.values[0] if isinstance(outcome, Returned) else None
    first = as_array(made[0]) if isinstance(made, (tuple, list)) and len(made) == 2 else None
    return first is not None and first.shape == (2, 2)


OWN = re.compile(r"^'numpy\.ndarray' object has no attribute '(\w+)'")
OF_A_DIM = re.compile(r"unexpected keyword argument '(dim|keepdim)'$")
OF_THEIRS = ("value", "val", "values", "grad", "requires_grad", "node", "arr", "array")
"""Attributes that an array of one's own kind has; it may also have the activation itself, as `x.tanh()`."""


def means_another(found: Found, exercise: Exercise, ask: Ask) -> str:
    """Return what a function does that goes by the same name and that the catalogue does not have, or ""."""
    if _is_of_two_outcomes(found, exercise, ask):
        return "it is that of two outcomes, by the probability of one, and the exercise of many"
    if exercise.name == "networks.mlp_forward" and _keeps_its_own(found, exercise, ask):
        return "it gives its output and a cache of its own, and the exercise what each layer is given and makes"
    if exercise.name == "losses.accuracy" and _counts_more(found, ask):
        return "it gives a dictionary of its own"
    if exercise.name == "layers.flatten" and found.names("positional")[:1] != ("x",):
        x = np.arange(24.0).reshape(2, 3, 2, 2)
        outcome = last(ask([Call(found.name, (x,))]))
        made = as_array(outcome.values[0]) if isinstance(outcome, Returned) else None
        if made is not None and np.array_equal(made, x.ravel()):
            return "it gives all in one row, as numpy.ravel does, and the exercise has a row for each sample"
    return ""


def _counts_more(found: Found, ask: Ask) -> bool:
    """Return whether an accuracy comes beside other numbers, in a dictionary."""
    one_hot, classes = np.eye(3)[[0, 2, 1]], np.array([0, 2, 1])
    calls = ([Call(found.name, given)] for given in ((one_hot, one_hot), (one_hot, classes), (classes, classes)))
    made = (outcome.values[0] for outcome in map(last, map(ask, calls)) if isinstance(outcome, Returned))
    return any(isinstance(value, Mapping) for value in made)


def _is_of_two_outcomes(found: Found, exercise: Exercise, ask: Ask) -> bool:
    """Return whether an entropy is one of two outcomes, of which it is told the probability of one, entry by entry."""
    if exercise.name not in ("losses.entropy", "losses.cross_entropy"):
        return False
    p, q = np.array([[0.25, 0.5, 0.125], [0.75, 0.375, 0.625]]), np.array([[0.5, 0.25, 0.375], [0.125, 0.75, 0.5]])
    q = p if exercise.name == "losses.entropy" else q
    outcome = last(ask([Call(found.name, (p, q)[: len(signature(exercise.reference).arguments)])]))
    value = outcome.values[0] if isinstance(outcome, Returned) else None
    if not isinstance(value, np.ndarray) or value.shape != p.shape or value.dtype.kind != "f":
        return False
    wanted = -p * np.log(q) - (1 - p) * np.log(1 - q)
    return any(np.allclose(value, wanted / np.log(base), rtol=1e-5) for base in (np.e, 2, 10))


def also(binding: Binding, found: Found, ask: Ask) -> Binding:
    """Return the binding with the other readings of such a function."""
    exercise = binding.exercise
    counts: list[Binding] = []
    made = [with_squares(binding)] if any(size in _settings(exercise) for size in SIZES[:2]) else []
    made += [with_axes(one, count) for one in (binding, *made) for count in _counts(exercise)]
    if "eps" in binding.held and exercise.topic == "normalization":
        made += [where_eps_is_small(one) for one in (binding, *made)]
    if exercise.name in ("normalization.batch_norm", "normalization.group_norm"):
        made += [with_wide_parameters(one) for one in (binding, *made) if not one.note.endswith(EPS_IS_SMALL)]
    if "base" in found.names("positional", "keyword") and exercise.topic == "losses":
        made += [with_base_e(one) for one in (binding, *made)]
    if "approximate" in signature(exercise.reference).hyperparameters:
        made += [with_a_flag(one) for one in (binding, *made)]
    if exercise.name == "losses.accuracy":
        made += [with_labels(binding), with_one_hot_labels(binding)]
        ours = found.names("positional")[:2] == tuple(signature(exercise.reference).arguments)
        counts = [] if ours else [counting(one) for one in (binding, *made)]
        made += [of_two_classes(with_labels(binding))]
    if exercise.name == "layers.affine":
        made += [by_units(binding)]
    if exercise.name == "pooling.global_avg_pool":
        made += [of_images(binding, *how) for how in ((True, False), (False, True), (True, True))]
    if exercise.name == "convolution.receptive_field":
        made += [of_layers(binding, found, size) for size in (2, 3)]
    if exercise.name in ("regularization.clip_by_global_norm", "losses.accuracy", "losses.softmax_cross_entropy"):
        made += [first_of(one) for one in (binding, *made)]
    made += counts
    if exercise.topic == "activations" and output_names(exercise) == ("",):
        refuses = _refuses_tables(found, exercise, ask)
        if "axis" not in _settings(exercise):
            made += [by_numbers(binding)] if refuses else []
        elif "axis" in binding.held:  # one that is told the axis was written for tables
            made += [by_rows(binding)] if refuses or {*found.names("list")} & {*found.names("positional")} else []
    made += in_place.readings(binding, ask)
    telling = TELLING.get(exercise.name)
    vague = telling is not None and not any(telling.search(name) for name in found.names("positional"))
    vague = vague or "negative_slope" in binding.held  # one that is written into its text, and may not be ours
    return replace(binding, others=(*binding.others, *made), vague=binding.vague or vague)


def _refuses_tables(found: Found, exercise: Exercise, ask: Ask) -> bool:
    """Return whether a function cannot take an array at all: what takes it, is judged by what it makes of it."""
    return bool(_answer(found, exercise, ask).kind)


def _answer(found: Found, exercise: Exercise, ask: Ask) -> Raised:
    """Return what a function raises for small tables; of no kind, if nothing."""
    table = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
    outcome = last(ask([Call(found.name, _tables(exercise, table), read=())]))
    return outcome if isinstance(outcome, Raised) else Raised("", "")


def _tables(exercise: Exercise, table: Any) -> tuple[Any, ...]:
    """Return a table for each argument, or one entry for each row where the reference has lost an axis."""
    count = len(signature(exercise.reference).arguments)
    try:
        exercise.reference(*(table,) * count)
    except ValueError:
        return (table, *(table[:, 0],) * (count - 1))
    return (table,) * count


def _settings(exercise: Exercise) -> set[str]:
    return set(signature(exercise.reference).hyperparameters)


def noted(binding: Binding, note: str, **changes: Any) -> Binding:
    """Return one reading of a function, changed so, and with a note that says how it is read."""
    return replace(binding, note="; ".join(filter(None, [binding.note, note])), others=(), **changes)


def _with_calls(binding: Binding, change: Callable[[Call], Call]) -> Callable[[Case], tuple[Call, ...]]:
    return lambda case: tuple(map(change, binding.plan(case)))


def with_squares(binding: Binding) -> Binding:
    """Return the reading of what takes one number for both axes."""

    def single(value: Any) -> Any:
        return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value

    def plan(case: Case) -> tuple[Call, ...]:
        given = {**case.hyperparameters}
        if "stride" in given and given["stride"] is None:  # in pooling it is then the size of the window
            given["stride"] = given["kernel_size"]
        alike = {name: single(value) if name in SIZES else value for name, value in given.items()}
        return binding.plan(replace(case, hyperparameters=alike))

    def accepts(case: Case) -> bool:
        given = [case.hyperparameters.get(name) for name in SIZES]
        return binding.accepts(case) and not any(isinstance(v, tuple) and len(set(v)) > 1 for v in given)

    note = "takes one number for both axes: judged on such cases"
    return noted(binding, note, plan=plan, accepts=accepts)


_FORMS: Mapping[str, tuple[int, ...]] = {
    "normalization.batch_norm": (2, 4),
    "normalization.batch_norm_vjp": (2, 4),
    "normalization.batch_norm_when_evaluating": (2, 4),
    "normalization.batch_norm_when_evaluating_vjp": (2, 4),
    "normalization.running_statistics": (2, 4),
    "normalization.group_norm": (4,),
    "normalization.group_norm_vjp": (4,),
    "preprocessing.center": (2,),
    "preprocessing.standardize": (2,),
    "preprocessing.minmax": (2,),
}
"""The number of axes for which such a function may be written, where its exercise leaves several open."""


def _counts(exercise: Exercise) -> tuple[int, ...]:
    return _FORMS.get(exercise.name, ())


def with_axes(binding: Binding, count: int) -> Binding:
    """Return the reading of what takes arrays of so many axes only."""
    accepts = lambda case: binding.accepts(case) and np.ndim(case.arguments["x"]) == count  # noqa: E731
    return noted(binding, f"takes arrays of {count} axes only: judged on those", accepts=accepts)


def with_wide_parameters(binding: Binding) -> Binding:
    """Return the reading of a norm of images whose gamma and beta are of shape (1, c, 1, 1)."""

    def wide(case: Case) -> Case:
        given = {name: v.reshape(1, -1, 1, 1) if name in ("gamma", "beta") else v for name, v in case.arguments.items()}
        return replace(case, arguments=given)

    accepts = lambda case: binding.accepts(case) and np.ndim(case.arguments["x"]) == 4  # noqa: E731
    note = "takes gamma and beta as (1, c, 1, 1), and images: judged on those"
    return noted(binding, note, plan=lambda case: binding.plan(wide(case)), accepts=accepts, typed=None)


EPS_IS_SMALL = "its eps is not ours"
LEAST = 1e-2
"""The variance, or slope, from which an eps of 1e-5 or less changes a norm, or a step, by less than what is close."""


def where_eps_is_small(binding: Binding) -> Binding:
    """Return the reading of what has an eps of its own: where that hardly matters, it is close to the truth."""

    def accepts(case: Case) -> bool:
        if "grads" in case.arguments:
            return binding.accepts(case) and not case.extreme and bool(np.all(np.abs(case.arguments["grads"]) >= LEAST))
        x = np.asarray(case.arguments["x"], np.float64)
        rows = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1]) if "batch" in binding.exercise.name else x.T
        with np.errstate(all="ignore"):
            least = np.min(np.var(rows, axis=0), initial=np.inf)
        return binding.accepts(case) and not case.extreme and bool(least >= LEAST)

    return noted(binding, EPS_IS_SMALL, accepts=accepts)


def with_a_flag(binding: Binding) -> Binding:
    """Return the reading of what is told to approximate by True, as Keras does it, not by the name of a form."""

    def told(case: Case) -> Case:
        flag = case.hyperparameters["approximate"] != "none"
        return replace(case, hyperparameters={**case.hyperparameters, "approximate": flag})

    plan, typed = binding.plan, binding.typed
    return noted(
        binding,
        "takes a flag for `approximate`",
        plan=lambda case: plan(told(case)),
        typed=None if typed is None else lambda case: typed(told(case)),
    )


def with_base_e(binding: Binding) -> Binding:
    """Return the reading of what takes the base of its logarithms, which is e."""
    plan = _with_calls(binding, lambda call: replace(call, keywords={**call.keywords, "base": math.e}))
    return noted(binding, "takes the base of its logarithms: given e", plan=plan, typed=None)


def with_labels(binding: Binding) -> Binding:
    """Return the reading of an accuracy of labels: what is predicted comes as a class, not as logits."""

    def labels(call: Call) -> Call:
        return replace(call, arguments=tuple(np.argmax(a, axis=1) if a.ndim == 2 else a for a in call.arguments))

    return noted(binding, "takes predicted labels for logits", plan=_with_calls(binding, labels), typed=None)


def by_units(binding: Binding) -> Binding:
    """Return the reading of a layer whose weights have a row for each unit, as torch.nn.Linear keeps them."""

    def turned(case: Case) -> Case:
        weights = np.ascontiguousarray(case.arguments["W"].T)
        return replace(case, arguments={**case.arguments, "W": weights})

    return noted(binding, "its W has a row for each unit", plan=lambda case: binding.plan(turned(case)), typed=None)


def of_images(binding: Binding, channels_last: bool, one: bool) -> Binding:
    """Return the reading of what takes images with the channels last, or one image only."""

    def plan(case: Case) -> tuple[Call, ...]:
        x = case.arguments["x"]
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if channels_last else x
        given = list(x) if one else [x]
        return tuple(call for part in given for call in binding.plan(replace(case, arguments={"x": part})))

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        if not one:
            return binding.outputs(case, returned)
        made = [as_array(answer.values[0]) for answer in returned]
        wanted = case.arguments["x"].shape[1:2]
        wrong = next((at for at, part in enumerate(made) if part is None or part.shape != wanted), None)
        if wrong is not None:
            raise WrongKind(f"the result for an image is {said(returned[wrong].values[0])}, expected shape {wanted}")
        return {"": np.array(made, case.arguments["x"].dtype)}

    def accepts(case: Case) -> bool:
        return binding.accepts(case) and 0 < len(case.arguments["x"]) <= LARGEST

    laid = " are NHWC" if not one else " come one by one" + ", with the channels last" * channels_last
    return noted(binding, f"images{laid}", plan=plan, outputs=outputs, accepts=accepts, typed=None)


def of_two_classes(binding: Binding) -> Binding:
    """Return the reading of an accuracy that counts true and false positives and negatives.

    Cases of two classes are few: of others it is given two that agree, and differ, in the same rows.
    """

    def halved(case: Case) -> Case:
        predicted, labels = (
            np.argmax(value, axis=1) if value.ndim == 2 else value
            for value in (case.arguments["logits"], case.arguments["labels"])
        )
        truth = labels % 2
        guess = np.where(predicted == labels, truth, 1 - truth)
        return replace(case, arguments={"logits": np.eye(2)[guess], "labels": truth})

    note = "of two classes: given those that agree where ours do"
    return noted(binding, note, plan=lambda case: binding.plan(halved(case)), typed=None)


def of_layers(binding: Binding, found: Found, size: int) -> Binding:
    """Return the reading of what takes one list of layers: of each its kernel and stride, and its padding if `size` is
    three, on which a receptive field does not depend."""
    name = next(iter(found.names("positional", "keyword")), "")

    def plan(case: Case) -> tuple[Call, ...]:
        kernels = case.hyperparameters["kernel_sizes"]
        strides = case.hyperparameters["strides"] or (1,) * len(kernels)
        layers = [(*layer, 0)[:size] for layer in zip(kernels, strides, strict=True)]
        return tuple(replace(call, keywords={name: layers}) for call in binding.plan(case))

    what = "(kernel, stride, padding)" if size > 2 else "(kernel, stride)"
    return noted(binding, f"takes {what} for each layer", plan=plan, held=frozenset({"dilations"}), typed=None)


def with_one_hot_labels(binding: Binding) -> Binding:
    """Return the reading of an accuracy whose labels come as rows of zeros and a one."""

    def rows(call: Call) -> Call:
        logits = next(a for a in call.arguments if a.ndim == 2)
        hot = np.eye(logits.shape[1], dtype=logits.dtype)
        return replace(call, arguments=tuple(a if a.ndim == 2 else hot[a] for a in call.arguments))

    return noted(binding, "takes one-hot labels", plan=_with_calls(binding, rows), typed=None)


def counting(binding: Binding) -> Binding:
    """Return the reading of an accuracy that counts the rows that are right, as Dive into Deep Learning's does."""

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        rows = np.asarray(len(case.arguments["labels"]), case.dtype)
        made = {name: as_array(value) for name, value in binding.outputs(case, returned).items()}
        return {name: value if value is None else np.asarray(value / rows) for name, value in made.items()}

    note = "returns how many are right, not their share: judged by that divided by the rows"
    return replace(noted(binding, note, outputs=outputs, typed=None), doubtful=True)


def first_of(binding: Binding) -> Binding:
    """Return the reading of what returns more than was asked for, the answer first."""
    plan = _with_calls(binding, lambda call: replace(call, read=((0,),)))
    return noted(binding, "returns more than one value: the first is judged", plan=plan, typed=None)


def by_numbers(binding: Binding) -> Binding:
    """Return the reading of what takes one number, as the functions of the module `math` do."""

    def plan(case: Case) -> tuple[Call, ...]:
        (call,) = binding.plan(case)
        arrays = [np.ravel(array).tolist() for array in call.arguments]
        return tuple(replace(call, arguments=numbers) for numbers in zip(*arrays, strict=True))

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        values = [_number(one.values[0]) for one in returned]
        like = next(iter(case.arguments.values()))
        return {"": np.array(values, like.dtype).reshape(like.shape)}

    def accepts(case: Case) -> bool:
        size = np.size(next(iter(case.arguments.values())))
        return binding.accepts(case) and 0 < size <= LARGEST

    note = "takes one number: judged entry by entry"
    return noted(binding, note, plan=plan, outputs=outputs, accepts=accepts, typed=None)


def by_rows(binding: Binding) -> Binding:
    """Return the reading of what takes one row, as a list of numbers."""

    def plan(case: Case) -> tuple[Call, ...]:
        (call,) = binding.plan(case)
        tables = [array.tolist() for array in call.arguments]
        return tuple(replace(call, arguments=rows) for rows in zip(*tables, strict=True))

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        rows = [one.values[0] for one in returned]
        try:
            made = np.array(rows, next(iter(case.arguments.values())).dtype)
        except (TypeError, ValueError):
            raise WrongKind(f"the result for a row is {said(rows[0])}, expected numbers") from None
        return {"": made}

    def accepts(case: Case) -> bool:
        arrays = list(case.arguments.values())
        rows = all(np.ndim(a) in (1, 2) for a in arrays) and np.ndim(arrays[0]) == 2
        return binding.accepts(case) and rows and case.hyperparameters.get("axis", -1) in (-1, 1)

    note = "takes one row: judged row by row"
    return noted(binding, note, plan=plan, outputs=outputs, accepts=accepts, typed=None)


def _number(value: Any) -> float:
    if type(value) in (int, float):
        return float(value)
    if isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind in "fiu":
        return float(value)
    raise WrongKind(f"the result for a number is {said(value)}, expected a number")
