"""Cases: what a function is asked, drawn from its own annotated signature.

A case is arrays and hyperparameters, named by their content. It is drawn by a pure function of a seed and a regime, so
that a run's cases can be made again from its seed; Hypothesis drives that function in the tests, and makes small cases
element by element only where a failing function's smallest witness is sought. What the reference refuses as bad input
(a kernel larger than its image) is drawn again: its own checks say what is a case.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import math
import types
import typing
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from graders.harness.drawing import (
    ALL_SHORT,
    ALONE,
    EXTREME,
    FORM,
    KERNELS,
    LONG,
    ORDINARY,
    SHORT,
    Redrawn,
    Seeded,
    Shrinking,
    Source,
)
from graders.harness.exercise import Edge, Exercise, Function
from graders.harness.precision import PRECISIONS
from graders.harness.sandbox.codec import Record, encode

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Made = TypeVar("Made")
DTYPES = ("float64", "float32")
IN_FLOAT32 = ("normal", "wide", "mixed rows", *EXTREME)  # formulas are told apart in float64; here rounding is
OF_ODD_SIZES = (LONG, SHORT, ALL_SHORT, ALONE)
"""Begin the names of regimes that a reference may refuse altogether."""
MOST_WAYS = 24  # of options and forms, each of which is asked of one row
AGAIN = ("normal", "many")  # regimes that are asked again with other numbers of the same sizes
TRIES = 300  # draws that a reference may refuse before its exercise needs a `draw` of its own


class Refused(TypeError):
    """The reference took nothing of what was drawn for it."""


@dataclass(frozen=True)
class Form:
    """One way in which an argument may come: its axes and its domain; a number has no axes, and is drawn by a word."""

    axes: tuple[str, ...]
    domain: str
    number: bool = False


@dataclass(frozen=True)
class Signature:
    """What a case is drawn from: the annotated signature of a reference, read once."""

    arguments: Mapping[str, tuple[Form, ...]]
    """None for what is no array: a record, or what the exercise itself draws."""
    hyperparameters: Mapping[str, tuple[str | tuple[Any, ...], Any]]
    """By name: the domain's word, or the values to choose from; and the default (or `inspect.Parameter.empty`).

    What has a default and no word, such as a dtype, is never asked.
    """
    hints: Mapping[str, Any]
    records: Mapping[str, Any]
    """The named tuples that arguments are, or hold, by their name."""

    @property
    def state(self) -> type[Any] | None:
        """Return the named tuple that an argument is, the state of a step; None if there is none."""
        return next((h for h in self.hints.values() if _is_record(h)), None)

    @property
    def axes(self) -> list[str]:
        """Return the names of all axes that arrays and hyperparameters speak of."""
        forms = [form for forms in self.arguments.values() for form in forms]
        forms += [form for record in self.records.values() for form in fields(record).values()]
        words = [word for word, _ in self.hyperparameters.values() if isinstance(word, str)]
        named = {axis.partition("/")[0] for form in forms for axis in form.axes}
        named |= {word.removeprefix(SIZE_OF) for word in words if word.startswith(SIZE_OF)}
        return sorted(axis for axis in named if not axis.isdigit())


SIZE_OF = "size of "
"""Begins the word for a hyperparameter that is the size of an axis: the number of classes."""


@dataclass(frozen=True)
class Case:
    """What a function is asked, in one dtype. For an unrolled exercise `arguments` hold params, grads and state."""

    arguments: Mapping[str, Any]
    hyperparameters: Mapping[str, Any]
    dtype: str
    origin: str
    """The regime it was drawn in, or why it is among the edges."""
    extreme: bool = False
    """Whether it asks for stability."""
    special: bool = False
    """Whether its answer is too simple to refuse every lie by itself."""

    @functools.cached_property
    def id(self) -> str:
        """Return the name of its content: twelve hexadecimal digits."""
        content = [dict(self.arguments), dict(self.hyperparameters), self.dtype]
        return hashlib.sha256(encode(content)).hexdigest()[:12]

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what is made of this case, made once: a run asks the same of every submission."""
        made: Made = self._made[key] if key in self._made else self._made.setdefault(key, make())
        return made

    @functools.cached_property
    def _made(self) -> dict[Hashable, Any]:
        return {}

    @property
    def form(self) -> str:
        """Return which kind of labels it has, where an argument may come in several forms."""
        integers = [k for k, v in self.arguments.items() if isinstance(v, np.ndarray) and v.dtype.kind in "iu"]
        return "integer " + ", ".join(integers) if integers else ""

    @property
    def size(self) -> int:
        """Return how many numbers it holds."""
        return sum(np.size(v) for v in self.arguments.values() if isinstance(v, np.ndarray))


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields")


def _members(hint: Any) -> tuple[Any, ...]:
    """Return the choices that a hint leaves, or itself alone."""
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _forms(hint: Any) -> tuple[Form, ...]:
    forms = []
    for member in _members(hint):
        if typing.get_origin(member) is not typing.Annotated:
            return ()
        kind, word, *domain = typing.get_args(member)
        number = kind is int
        forms.append(Form((), word, number) if number else Form(tuple(word.split()), domain[0] if domain else "real"))
    return tuple(forms)


def _word(hint: Any) -> str | tuple[Any, ...]:
    """Return the domain of a hyperparameter, or the values to choose from; none for what is never asked."""
    if typing.get_origin(hint) is Literal:
        return typing.get_args(hint)
    annotated = [member for member in _members(hint) if typing.get_origin(member) is typing.Annotated]
    return str(annotated[0].__metadata__[0]) if annotated else ""


def _records(hint: Any) -> Iterator[type[Any]]:
    """Yield the named tuples that a hint speaks of, however deep."""
    if _is_record(hint):
        yield hint
        for inner in typing.get_type_hints(hint, include_extras=True).values():
            yield from _records(inner)
    for inner in typing.get_args(hint):
        yield from _records(inner)


@functools.cache
def fields(record: Any) -> Mapping[str, Form]:
    """Return the form of every array and number in a named tuple."""
    hints = typing.get_type_hints(record, include_extras=True)
    return {name: _forms(hint)[0] for name, hint in hints.items() if _forms(hint)}


@functools.cache
def signature(function: Function) -> Signature:
    """Read the annotated signature of a reference function."""
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    arguments = [p.name for p in parameters if p not in keywords]
    return Signature(
        {name: _forms(hints[name]) for name in arguments},
        {p.name: (word, p.default) for p in keywords if (word := _word(hints[p.name])) or p.default is p.empty},
        {name: hints[name] for name in arguments},
        {record.__name__: record for name in arguments for record in _records(hints[name])},
    )


def dtypes(exercise: Exercise) -> tuple[str, ...]:
    """Return the dtypes that an exercise is asked in: where no argument holds floats there is nothing to choose."""
    return DTYPES if any(map(_holds_floats, signature(exercise.reference).hints.values())) else DTYPES[:1]


def _holds_floats(hint: Any) -> bool:
    if _is_record(hint):
        return any(map(_holds_floats, typing.get_type_hints(hint, include_extras=True).values()))
    if typing.get_origin(hint) in (tuple, Sequence, typing.Union, types.UnionType):
        return any(map(_holds_floats, typing.get_args(hint)))
    exact = all(form.number or form.domain == "classes" for form in _forms(hint))
    return hint not in (int, Ellipsis) and not (_forms(hint) and exact)


def built(value: Any, records: Mapping[str, type[Any]]) -> Any:
    """Return an argument as a reference takes it: records as the named tuples that they stand for."""
    if isinstance(value, Record):
        return records[value.name](**{name: built(part, records) for name, part in value.fields.items()})
    return tuple(built(item, records) for item in value) if isinstance(value, tuple) else value


# ---------------------------------------------------------------- drawing


def _array(source: Source, form: Form, sizes: Mapping[str, int], given: Mapping[str, Any], calm: bool = False) -> Any:
    if form.number:
        return source.number(form.domain)
    shape = []
    for axis in form.axes:
        name, _, divisor = axis.partition("/")
        size = int(name) if name.isdigit() else sizes[name]
        shape.append(size // given[divisor] if divisor else size)
    return source.array(tuple(shape), form.domain, sizes.get("c", 0), calm)


def _record(source: Source, record: Any, sizes: Mapping[str, int]) -> Record:
    """Return a state: fresh, or as it may be after some steps."""
    fresh = source.one_of((True, False))
    made: dict[str, Any] = {}
    for name, form in fields(record).items():
        if form.number:
            made[name] = 0 if fresh else source.one_of((source.integer(1, 5), source.integer(6, 1000)))
        else:
            drawn_field = _array(source, form, sizes, {}, calm=True)
            made[name] = np.zeros_like(drawn_field) if fresh else drawn_field
    return Record(record.__name__, made)


def _hyperparameters(read: Signature, source: Source, sizes: Mapping[str, int], held: Mapping[str, Any]) -> Any:
    made: dict[str, Any] = {}
    for name, (word, default) in read.hyperparameters.items():
        if name in held or word == "":
            made[name] = held[name] if name in held else _default(name, default)
        elif default is not inspect.Parameter.empty and source.keeps_the_default():
            made[name] = default
        elif isinstance(word, tuple):
            made[name] = source.option(word)
        elif word.startswith(SIZE_OF):
            made[name] = sizes[word.removeprefix(SIZE_OF)]
        else:
            made[name] = None if default is None and source.one_of((True, False, False)) else source.number(word)
    return made


def _cotangent(exercise: Exercise, arguments: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> Any:
    """Return the shape of the cotangent: that of what the forward function makes of the same arguments."""
    reference = exercise.reference
    forward = getattr(importlib.import_module(reference.__module__), reference.__name__.removesuffix("_vjp"))
    taken = inspect.signature(forward).parameters
    return np.shape(_called(forward, arguments, {k: v for k, v in hyperparameters.items() if k in taken}))


def _called(function: Function, arguments: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> Any:
    records = signature(function).records
    with np.errstate(all="ignore"):
        return function(*(built(value, records) for value in arguments.values()), **hyperparameters)


def asked(
    exercise: Exercise, source: Source, held: Mapping[str, Any], form_of: Callable[[str, tuple[Form, ...]], Form]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a function is asked, from any source of numbers; raise ValueError where the reference refuses it."""
    read = signature(exercise.reference)
    sizes = source.sizes(read.axes)
    hyperparameters = _hyperparameters(read, source, sizes, held)
    if exercise.draw is not None:
        arguments = dict(exercise.draw(source, hyperparameters))
    else:
        arguments = {}
        for name, forms in read.arguments.items():
            if _is_record(read.hints[name]):
                arguments[name] = _record(source, read.hints[name], sizes)
            elif name == "cotangent" and exercise.name.endswith("_vjp"):
                arguments[name] = source.gradient(_cotangent(exercise, arguments, hyperparameters))
            else:
                arguments[name] = _array(source, form_of(name, forms), sizes, hyperparameters)
    if exercise.unrolled:
        steps, shape = source.steps(), arguments.pop("grad").shape
        state = arguments.pop("state")
        return arguments | {"grads": source.gradient((steps, *shape)), "state": state}, hyperparameters
    _called(exercise.reference, arguments, hyperparameters)
    return arguments, hyperparameters


def _cast(value: Any, dtype: str) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(dtype) if dtype in DTYPES else PRECISIONS[dtype].rounded(value)
    if isinstance(value, Record):
        return Record(value.name, {k: _cast(v, dtype) for k, v in value.fields.items()})
    if isinstance(value, tuple):
        return tuple(_cast(item, dtype) for item in value)
    return value


def drawn(
    exercise: Exercise,
    seed: int,
    regime: str,
    dtype: str = "float64",
    held: frozenset[str] = frozenset(),
    kind: type[Seeded] = Seeded,
) -> Case:
    """Return the case of this seed and regime; hyperparameters in `held` stay at their defaults."""
    source = kind(seed, regime)
    defaults = {name: default for name, (_, default) in signature(exercise.reference).hyperparameters.items()}
    at_defaults = {name: _default(name, defaults[name]) for name in held if name in defaults}
    for _ in range(TRIES):
        try:
            arguments, hyperparameters = asked(exercise, source, at_defaults, lambda _, forms: source.form(forms))
        except ValueError:
            continue
        case = Case(arguments, hyperparameters, "float64", regime, regime in EXTREME)
        return cast(case, dtype)
    raise Refused(f"{exercise.name}: the reference refused {TRIES} draws; give the exercise a `draw` of its own")


def _default(name: str, default: Any) -> Any:
    if default is inspect.Parameter.empty:
        raise TypeError(f"{name} has no default, so it cannot be held there")
    return default


def cast(case: Case, dtype: str) -> Case:
    """Return the case with its numbers rounded to another dtype."""
    return replace(case, arguments={k: _cast(v, dtype) for k, v in case.arguments.items()}, dtype=dtype)


def _given(hint: Any, value: Any) -> Any:
    """Return a hand-written argument as a case holds it: lists as arrays, a record's fields by their names."""
    if _is_record(hint):
        inner = typing.get_type_hints(hint, include_extras=True)
        return Record(hint.__name__, {name: _given(inner[name], part) for name, part in value.items()})
    if typing.get_origin(hint) in (tuple, Sequence):
        return tuple(_given(typing.get_args(hint)[0], item) for item in value)
    forms = _forms(hint)
    if hint is int or any(form.number for form in forms):
        return value
    plain = np.asarray(value)
    integers = plain.dtype.kind in "iu" and (not forms or any(form.domain == "classes" for form in forms))
    return plain if integers and hint is not None else plain.astype(float)


def from_edge(exercise: Exercise, edge: Edge, dtype: str) -> Case:
    """Return the case of a hand-chosen edge in this dtype; a cotangent that it leaves out is drawn."""
    read = signature(exercise.reference)
    given = dict(edge.arguments)
    hyperparameters = {
        name: given.pop(name) if name in given else _default(name, default)
        for name, (_, default) in read.hyperparameters.items()
    }
    arguments = {name: _given(read.hints.get(name), value) for name, value in given.items()}
    if exercise.name.endswith("_vjp") and "cotangent" not in arguments:
        shape = _cotangent(exercise, arguments, hyperparameters)
        arguments["cotangent"] = Seeded(len(edge.why), "normal").real(shape)
    extreme, special = edge.kind == "extreme", edge.kind == "special"
    return cast(Case(arguments, hyperparameters, "float64", edge.why, extreme, special), dtype)


def edges(exercise: Exercise) -> list[Case]:
    """Return the hand-chosen cases in every dtype."""
    return [from_edge(exercise, edge, dtype) for edge in exercise.edges for dtype in dtypes(exercise)]


def regimes(exercise: Exercise) -> tuple[str, ...]:
    """Return the regimes that make sense: one row where there are rows, extremes where arguments are real."""
    read = signature(exercise.reference)
    forms = [form for forms in read.arguments.values() for form in forms]
    rows = any("n" in form.axes for form in forms)
    bounded = any(form.domain == "simplex" for form in forms if "n" in form.axes) and not any(
        form.domain == "real" for form in forms
    )
    names = ORDINARY if rows else tuple(r for r in ORDINARY if r != "one row")
    steep = not bounded and not exercise.unrolled and dtypes(exercise) == DTYPES
    axes = range(sum(axis not in KERNELS for axis in read.axes))
    odd = [f"{kind}{axis}" for kind in (LONG, SHORT) for axis in axes] + [ALL_SHORT] * bool(axes)
    several = max((len(forms) for forms in read.arguments.values()), default=0)
    if several > 1:
        names = tuple(name for name in names if name != "alike")
        odd = [f"{name}{FORM}{which}" for name in ("alike", *odd) for which in range(several)]
    names += tuple(odd)
    if rows:
        names += tuple(f"{ALONE}{turn}" for turn in range(min(_ways(read), MOST_WAYS)) if _ways(read) > 1)
    return names + EXTREME if steep else names


def _ways(read: Signature) -> int:
    """Return in how many ways a function is asked: its options' words times the forms of its arguments."""
    words = [len(word) for word, _ in read.hyperparameters.values() if isinstance(word, tuple)]
    return math.prod(words) * math.prod(len(forms) for forms in read.arguments.values() if forms)


def seeded(exercise: Exercise, seed: int, held: frozenset[str] = frozenset(), rounds: int = 1) -> list[Case]:
    """Return the cases of a run: each regime, some of them in float32 too, `rounds` times."""
    stable = int.from_bytes(hashlib.sha256(exercise.name.encode()).digest()[:4], "big")
    made: list[Case] = []
    for turn in range(rounds):
        own_seed = seed * 1_000_003 + stable + turn
        for regime in regimes(exercise):
            try:
                first = drawn(exercise, own_seed, regime, DTYPES[0], held)
            except Refused:
                if regime.startswith((*OF_ODD_SIZES, "one row")):
                    continue  # a variance of one value, say, is none
                raise
            asked_in = dtypes(exercise) if regime in IN_FLOAT32 else DTYPES[:1]
            made += [first, *(cast(first, dtype) for dtype in asked_in[1:])]
            made += _redrawn(exercise, own_seed, held, first) if regime in AGAIN else []
    return made


def _redrawn(exercise: Exercise, seed: int, held: frozenset[str], first: Case) -> list[Case]:
    """Return a case once more, with other numbers in arrays of the same shapes, where a draw gives them."""
    with suppress(Refused):
        other = drawn(exercise, seed, first.origin, first.dtype, held, Redrawn)
        if other.id != first.id and _outline(other) == _outline(first):
            return [replace(other, origin=f"{first.origin}, other numbers")]
    return []


def _outline(case: Case) -> Any:
    """Return what of a case is left where the numbers in its arrays are not looked at."""

    def of(value: Any) -> Any:
        if isinstance(value, Record):
            return tuple((name, of(part)) for name, part in value.fields.items())
        if isinstance(value, tuple):
            return tuple(map(of, value))
        return (value.shape, value.dtype.str) if isinstance(value, np.ndarray) else value

    return {name: of(value) for name, value in case.arguments.items()}, dict(case.hyperparameters)


# ---------------------------------------------------------------- for Hypothesis


def strategy(exercise: Exercise, dtype: str = "float64") -> SearchStrategy[Case]:
    """Return a strategy over what the cases of runs are drawn from: seed and regime."""
    from hypothesis import strategies as st

    return st.builds(
        lambda seed, regime: drawn(exercise, seed, regime, dtype),
        st.integers(0, 2**32 - 1),
        st.sampled_from([regime for regime in regimes(exercise) if not regime.startswith(OF_ODD_SIZES)]),
    )


def small(exercise: Exercise, like: Case) -> SearchStrategy[Case]:
    """Return a strategy over small cases of simple numbers, like a given one: for a smallest witness."""
    from hypothesis import reject
    from hypothesis import strategies as st

    read = signature(exercise.reference)
    # held at its default, or left there by the edge
    kept = {
        name: value for name, value in like.hyperparameters.items()
        if value == read.hyperparameters[name][1] and not str(read.hyperparameters[name][0]).startswith(SIZE_OF)
    }  # fmt: skip

    def form_of(name: str, forms: tuple[Form, ...]) -> Form:
        value: Any = like.arguments.get(name)
        integers = isinstance(value, np.ndarray) and value.dtype.kind in "iu"
        alike = [f for f in forms if (f.domain == "classes") == integers and len(f.axes) == np.ndim(value)]
        return (alike or list(forms))[0]

    @st.composite
    def cases(draw: Any) -> Case:
        try:
            arguments, hyperparameters = asked(exercise, Shrinking(draw, like.extreme), kept, form_of)
        except ValueError:
            reject()
        return cast(Case(arguments, hyperparameters, "float64", "smallest", like.extreme), like.dtype)

    return cases()
