"""Malformed input: every function says which argument is wrong, what was expected and what it got.

The valid calls of `calls` are spoiled in one place at a time, in all ways that the words of the signature suggest. A
spoiled call must be refused by one of our own checks; it may be answered only where the tables here say that it still
means something, and nothing else may happen: no error out of NumPy's depths, no warning.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import _numerics as numerics
from reference.blocks import Block
from reference.bounds import Interval
from tests.reference.calls import CALLS, Call, function, run

NAN, INF = np.nan, np.inf

# --- what is wrong, by the word for the argument in the signature -----------------------------------------------------
Wrong: TypeAlias = dict[str, Any]

NO_NUMBER: Wrong = {"text": "0.5", "none": None, "bool": True, "complex": 1j, "array": np.ones(1), "list": [0.5]}
NO_REAL = NO_NUMBER | {"nan": NAN, "inf": INF, "-inf": -INF}
NO_COUNT = NO_NUMBER | {"nan": NAN, "a float": 2.0, "zero": 0, "negative": -1}
NO_SIZE: Wrong = {"text": "22", "none": None, "bool": True, "a float": 2.5, "negative": -1}
NO_SIZE |= {"one of a pair": (1,), "three": (1, 1, 1), "a negative pair": (1, -1), "a pair of floats": (1.0, 1.0)}
NO_FUNCTION: Wrong = {"none": None, "text": "f", "a number": 0.5}
NO_TUPLE: Wrong = {"none": None, "text": "text", "a number": 0.5, "a dictionary": {}, "an empty tuple": ()}

WRONG: dict[str, Wrong] = {
    "number": NO_REAL,
    "share": NO_REAL | {"negative": -0.5, "two": 2.0},
    "positive": NO_REAL | {"zero": 0.0, "negative": -0.5},
    "nonnegative": NO_REAL | {"negative": -0.5},
    "fraction": NO_REAL | {"negative": -0.5, "one": 1.0, "two": 2.0},
    "fractions": NO_TUPLE
    | {"one of a pair": (0.5,), "three": (0.5, 0.5, 0.5), "one": (0.5, 1.0), "nan": (NAN, 0.5), "negative": (-0.5, 0.5)}
    | {"a pair of texts": ("a", "b"), "a pair of bools": (False, False)},
    "count": NO_COUNT,
    "axis": NO_NUMBER | {"a float": 1.0, "beyond": 9, "far before": -9},
    "counts": NO_SIZE | {"zero": 0, "a pair with zero": (0, 1)},
    "padding": NO_SIZE,
    "layers": NO_TUPLE | {"zeros": (0, 0, 0), "floats": (1.0, 1.0, 1.0), "texts": "111", "too few": (1,)},
    "word": {"unknown": "unknown", "empty": "", "none": None, "bool": True, "a number": 1},
    "flag": {"text": "yes", "none": None, "a number": 1, "a fraction": 0.5},
    "generator": {"none": None, "a seed": 0, "text": "rng", "the old kind": np.random.RandomState(0)},
    "dtype": {"none": None, "half": np.float16, "integers": int, "complex": "complex128", "text": "text", "3": 3},
    "function": NO_FUNCTION
    | {"of nothing": lambda *_, **__: None, "of text": lambda *_, **__: "text"}
    | {"of another shape": lambda *_, **__: np.zeros((7, 7)), "of integers": lambda *_, **__: np.zeros((7, 7), int)},
    "draw": NO_FUNCTION,
    "schedule": NO_REAL | {"of nothing": lambda _: None, "of nan": lambda _: NAN, "of negative": lambda _: -0.5},
    "block": NO_TUPLE | {"a function": lambda x: x},
    "history": NO_TUPLE
    | {"losses alone": [0.5, 0.4], "no parameters": [(0.5,)], "a loss in words": [("0.5", 1)], "no loss": [(None, 1)]}
    | {"only nan": [(NAN, 1), (NAN, 2)]},
    "shape": NO_TUPLE
    | {"a list": [6, 2], "one axis": (6,), "an empty axis": (6, 0), "negative": (6, -1), "floats": (6.0, 2.0)}
    | {"bools": (True, True), "an unknown axis": (6, None)},
    "tuple": NO_TUPLE,
    "record": NO_TUPLE | {"one field": (np.zeros(3),), "another record": Interval(np.zeros(3), np.zeros(3))},
}
NO_ARRAY: Wrong = {"none": None, "text": "text", "a number": 0.5, "a dictionary": {}}

ENTRIES: dict[str, dict[str, float]] = {
    "real": {"nan": NAN, "inf": INF, "-inf": -INF},
    "simplex": {"nan": NAN, "inf": INF, "negative": -0.1, "a sum of not one": 0.987},
    "unit": {"nan": NAN, "inf": INF, "negative": -0.1, "above one": 1.5},
    "signs": {"nan": NAN, "inf": INF, "zero": 0.0, "two": 2.0},
    "mask": {"nan": NAN, "half": 0.5, "two": 2.0, "negative": -1.0},
    "positive": {"nan": NAN, "inf": INF, "zero": 0.0, "negative": -1.0},
    "nonnegative": {"nan": NAN, "inf": INF, "negative": -1.0},
    "open unit": {"nan": NAN, "inf": INF, "negative": -0.1, "above one": 1.5},
    "integers": {"negative": -1, "too large": 10**6},
}
DTYPES = {
    "f": ("int64", "float16", "longdouble", "complex128", "bool", "object", "str"),
    "i": ("float64", "bool", "object", "str"),
}

# --- what still means something ---------------------------------------------------------------------------------------
FROM_ZERO = {"step", "t", "padding", "state.n"}
"""Counts that may be 0: steps taken, pixels added, samples seen."""

WHOLE = {"normalization.running_statistics", "blocks.batch_norm_block", "preprocessing.random_flip"}
"""Where a fraction may be 1: the whole of the new statistic, every image."""

OF_ANY_SHAPE = re.compile(r"any shape|x any|Shapes: any|any axes|\(n, …\)|\(…, [cd]\)")
"""How a docstring says that an array may have other axes, or none, than the signature shows."""


def means_something(what: str, slot: Slot, spoilable: Spoilable) -> bool:
    """Tell whether a call that is spoiled in this way may be answered."""
    way, _, axis = what.partition(" of axis ")
    match way:
        case "none":
            return slot.optional
        case "zero" if slot.word == "count":
            return bool(FROM_ZERO & {slot.parameter, slot.path})
        case "one" if slot.word == "fraction":
            return spoilable.name in WHOLE
        case "nan":  # it spreads, as everywhere in NumPy, but into classes it cannot
            return slot.word == "real" and holds_floats(run(spoilable.name, CALLS[spoilable.name]))
        case "inf" | "-inf":
            return slot.word == "real"
        case "another integer":
            return True
        case "more axes" | "fewer axes" | "no axes":
            return spoilable.of_any_shape and not spoilable.has_alike(slot)
        case "nothing":
            return spoilable.of_any_shape and not spoilable.shares(slot, int(axis))
        case "a longer" | "a shorter" | "a single":
            return not spoilable.shares(slot, int(axis))
    return False


# --- where a call can be spoiled --------------------------------------------------------------------------------------
class Slot(NamedTuple):
    """A place in a call: the argument or field, the word for it, what stands there, and how to put something else."""

    parameter: str
    path: str
    word: str
    axes: tuple[frozenset[str], ...]
    value: Any
    optional: bool
    put: Callable[[Call, Any], Call]


class Spoilable(NamedTuple):
    """A call by name, and its places."""

    name: str
    slots: tuple[Slot, ...]

    @property
    def of_any_shape(self) -> bool:
        of = function(self.name)
        said = inspect.getmodule(of) if self.name.startswith("optimizers") else of  # there for all of them
        return bool(OF_ANY_SHAPE.search(said.__doc__ or ""))

    def others(self, slot: Slot) -> list[Slot]:
        """Return the other arrays."""
        return [other for other in self.slots if isinstance(other.value, np.ndarray) and other is not slot]

    def has_alike(self, slot: Slot) -> bool:
        """Tell whether another array has the same axes."""
        return any((other.axes, other.value.shape) == (slot.axes, slot.value.shape) for other in self.others(slot))

    def shares(self, slot: Slot, axis: int) -> bool:
        """Tell whether the length of an axis is decided by others too."""
        names = slot.axes[axis]
        if "?" in names and self.of_any_shape:
            return self.has_alike(slot)
        decided = "?" in names or any(map(str.isdecimal, names)) or slot.parameter == "cotangent"
        return decided or any(names & known for other in self.others(slot) for known in other.axes)


@functools.cache
def spoilable(name: str) -> Spoilable:
    """Return the places where the call of this name can be spoiled: its arguments, named or not, and their parts."""
    call, of = CALLS[name], function(name)
    known = typing.get_type_hints(of, include_extras=True)
    parameters = list(inspect.signature(of).parameters.values())
    slots: list[Slot] = []
    for i, value in enumerate(call.arguments):

        def at(call: Call, new: Any, i: int = i) -> Call:
            return Call((*call.arguments[:i], new, *call.arguments[i + 1 :]), call.hyper)

        key = parameters[min(i, len(parameters) - 1)].name
        slots += slots_of(key, key, known[key], value, call, at)
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY:

            def by(call: Call, new: Any, key: str = parameter.name) -> Call:
                return Call(call.arguments, call.hyper | {key: new})

            key = parameter.name
            slots += slots_of(key, key, known[key], call.hyper.get(key, parameter.default), call, by)
    return Spoilable(name, tuple(slots))


def slots_of(
    parameter: str, path: str, hint: Any, value: Any, call: Call, put: Callable[[Call, Any], Call]
) -> Iterator[Slot]:
    """Return the place of a value, and those of its parts."""
    word = word_of(parameter, hint, value, call)
    yield Slot(parameter, path, word, axes_of(path, hint, value), value, type(None) in choices(hint), put)
    if word not in ("tuple", "record") and not (word == "block" and parameter == "network"):
        return  # a block is looked at when it is run
    fields = getattr(value, "_fields", ())
    within = typing.get_args(hint)
    for i, part in enumerate(value):
        if not isinstance(part, np.ndarray | tuple | int):
            continue

        def inside(call: Call, new: Any, i: int = i) -> Call:
            parts = (*value[:i], new, *value[i + 1 :])
            return put(call, type(value)(*parts) if fields else parts)

        if fields:
            of_part = typing.get_type_hints(type(value), include_extras=True)[fields[i]]
            yield from slots_of(fields[i], f"{path}.{fields[i]}", of_part, part, call, inside)
        else:
            of_part = within[i] if len(within) == len(value) and ... not in within else next(iter(within), Any)
            yield from slots_of(parameter, f"{path}[{i}]", of_part, part, call, inside)


def choices(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union, also of one that is annotated as a whole."""
    if typing.get_origin(hint) is Annotated:
        hint = typing.get_args(hint)[0]
    union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    return typing.get_args(hint) if union else (hint,)


def words_of(hint: Any, value: Any) -> list[tuple[str, ...]]:
    """Return the words of an annotation; of a choice of arrays, of those that the value may be, the likeliest first."""
    annotated = [one for one in (hint, *choices(hint)) if typing.get_origin(one) is Annotated]
    if not isinstance(value, np.ndarray):
        return [one.__metadata__ for one in annotated]
    of_integers = value.dtype.kind == "i"
    fitting = [one for one in annotated if ("integer" in str(typing.get_args(one)[0])) == of_integers]
    return sorted((one.__metadata__ for one in fitting), key=lambda words: abs(len(words[0].split()) - value.ndim))


BY_NAME = {name: name for name in ("generator", "dtype", "history", "shape", "draw", "network", "blocks", "block")}
BY_NAME |= dict.fromkeys(("f", "f_vjp", "grad", "initialization"), "function")
BY_TYPE = {bool: "flag", int: "count", float: "positive"}


def word_of(parameter: str, hint: Any, value: Any, call: Call) -> str:
    """Return the word for what stands in a place: by its annotation, else by its name or type."""
    words = next(iter(words_of(hint, value)), ())
    if isinstance(value, np.ndarray):
        if parameter == "labels" and not words and value.dtype.kind == "f":
            return {"sigmoid": "unit", "identity": "real"}[call.hyper["head"]]
        return "integers" if value.dtype.kind == "i" else words[1] if len(words) > 1 else "real"
    if isinstance(value, Block):
        return "block"
    if any("Callable" in str(one) for one in choices(hint)) and isinstance(value, float):
        return "schedule"
    if hasattr(value, "_fields"):
        return "record"
    if words:
        return "count" if words[0].startswith(("size", "whole")) else words[0]
    if parameter in BY_NAME:
        return BY_NAME[parameter]
    if parameter in ("validation", "test") and isinstance(value, float):
        return "share"
    for one in choices(hint):
        if typing.get_origin(one) is Literal:
            return "flag" if isinstance(typing.get_args(one)[0], bool) else "word"
        if one in BY_TYPE:
            return BY_TYPE[one]
    return "tuple"


def axes_of(path: str, hint: Any, value: Any) -> tuple[frozenset[str], ...]:
    """Return the names of every axis: as annotated, "+" where there are more; else rows, "?" for what others decide."""
    if not isinstance(value, np.ndarray):
        return ()
    alternatives = [words[0].split() for words in words_of(hint, value)]
    if not alternatives:
        whose = "?" if set(path) & set(".[") else "n"
        return tuple(frozenset([f"{path}+{axis}" if axis > 1 else (whose, "?")[axis]]) for axis in range(value.ndim))
    same_rank = [names for names in alternatives if len(names) == value.ndim] or alternatives[:1]
    return tuple(
        frozenset(names[axis].partition("/")[0] if axis < len(names) else f"+{axis}" for names in same_rank)
        for axis in range(value.ndim)
    )


# --- how --------------------------------------------------------------------------------------------------------------
BESIDE_OTHERS = re.compile(r"(more|fewer|no) axes|nothing of|a (longer|shorter|single) of|not the others' dtype|of ")
"""What is wrong only beside the other arguments: sizes, one dtype, and what a function gives where it is called."""

BOUNDED = {"groups", "num_groups", "max_features", "k"}
"""Counts for which there is too large."""


def ways(slot: Slot, spoilable: Spoilable) -> Iterator[tuple[str, Any]]:
    """Return what to put into a place instead, each with words for it."""
    if not isinstance(slot.value, np.ndarray):
        yield from ((what, wrong) for what, wrong in WRONG[slot.word].items() if not (slot.value == () == wrong))
        has_input = any(other.parameter in ("x", "size") for other in spoilable.slots)
        if slot.parameter in BOUNDED or (slot.parameter == "kernel_size" and has_input):
            yield "too large", 97
        return
    x = slot.value
    yield from NO_ARRAY.items()
    yield "a list", x.tolist()
    yield "a masked array", np.ma.masked_array(x)
    if x.ndim == 2:
        yield "a matrix", x.view(np.matrix)  # whose * is a product of matrices
    for dtype in DTYPES[x.dtype.kind]:
        yield dtype, x.astype(dtype)
    if x.dtype.kind == "i":
        yield "another integer", x.astype(np.uint8)
    elif any(other.value.dtype.kind == "f" for other in spoilable.others(slot)):
        yield "not the others' dtype", x.astype(np.float32)
    yield "more axes", x[None]
    yield "fewer axes", x[0]
    yield "no axes", np.array(x.flat[0])
    for axis, size in enumerate(x.shape):
        yield f"a longer of axis {axis}", np.concatenate([x, x.take([0], axis)], axis)
        yield f"nothing of axis {axis}", x.take([], axis)
        if size > 2:
            yield f"a shorter of axis {axis}", x.take(range(size - 1), axis)
        if size > 1:
            yield f"a single of axis {axis}", x.take([0], axis)  # NumPy would broadcast it
        if slot.axes[axis] & {"kh", "kw"}:
            yield "larger than the input", x.take([0] * 97, axis)
    for what, entry in ENTRIES[slot.word].items():
        spoiled = x.copy()
        spoiled.flat[-1] = entry
        yield what, spoiled


def verdict(spoilable: Spoilable, call: Call) -> str:
    """Return "answered", "refused" by one of our checks, or what else happened."""
    try:
        with np.errstate(all="ignore" if has_infinities(call.arguments) else "warn"):
            run(spoilable.name, call)
    except (TypeError, ValueError) as error:
        return "refused" if ours(spoilable.name).match(str(error)) else f"{type(error).__name__}: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "answered"


@functools.cache
def ours(name: str) -> re.Pattern[str]:
    """Return how our messages begin: with an argument or its part, or a function of it, then expected and got."""
    parts = {"beta1", "beta2", "gamma", "beta", "w"}  # of pairs
    names = {slot.parameter for slot in spoilable(name).slots} | parts
    one = rf"({'|'.join(map(re.escape, names))})(\[[^]]*\]|\.\w+|\([\w, ]*\))*( at step \d+)?"
    return re.compile(rf"{one}(, {one})*: expected .+, got |expected one dtype for all arrays, got ", re.DOTALL)


def holds_floats(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(holds_floats(part) for part in value)
    return isinstance(value, float) or getattr(value, "dtype", np.dtype(int)).kind == "f"


def has_infinities(value: Any) -> bool:
    """Tell whether arithmetic has something to say by itself: infinities meet, and NumPy warns."""
    if isinstance(value, tuple):
        return any(has_infinities(part) for part in value)
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isfinite(value).all()


# --- the laws ---------------------------------------------------------------------------------------------------------
def failures(name: str) -> Iterator[str]:
    """Return what happens to a call, spoiled in one place, that should not."""
    places = spoilable(name)
    for slot in places.slots:
        for what, value in ways(slot, places):
            got = verdict(places, slot.put(CALLS[name], value))
            if got != "refused" and not (got == "answered" and means_something(what, slot, places)):
                yield f"{slot.path} ({slot.word}): {what}: {got}"


@pytest.mark.parametrize("name", CALLS)
def test_a_spoiled_call_is_refused_in_words_unless_it_means_something(name: str) -> None:
    failed = list(failures(name))

    assert not failed, "\n".join(failed)


@given(st.data())
@settings(max_examples=500, deadline=None)
def test_two_spoiled_arguments_are_refused_in_words_too(data: st.DataObject) -> None:
    """What is wrong only beside the others may fit them again; whatever else is wrong stays so."""
    places = spoilable(data.draw(st.sampled_from(SEVERAL)))
    call, still_wrong = CALLS[places.name], False
    arguments = [slot.path for slot in places.slots if slot.path == slot.parameter]
    for argument in data.draw(st.permutations(arguments))[:2]:
        slot = next(slot for slot in places.slots if slot.path == argument)
        what = data.draw(st.sampled_from([what for what, _ in ways(slot, places)]))
        call = slot.put(call, dict(ways(slot, places))[what])
        still_wrong |= not (BESIDE_OTHERS.match(what) or means_something(what, slot, places))

    got = verdict(places, call)

    assert got == "refused" or (got == "answered" and not still_wrong)


SEVERAL = [name for name in CALLS if len({slot.path for slot in spoilable(name).slots}) > 1]


@pytest.mark.parametrize("check", [name for name in vars(numerics) if name.startswith("require_")])
def test_a_check_that_is_missing_is_missed(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numerics, check, lambda *_, **__: None)

    assert any(failure for name in CALLS for failure in failures(name))
