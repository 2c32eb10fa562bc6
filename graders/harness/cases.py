"""Cases: what a function is asked, drawn from its own annotated signature.

A case is arrays and hyperparameters, named by their content. It is drawn by a pure function of a seed and a regime, so
that a run's cases can be made again from its seed; Hypothesis drives that function in the tests, and makes small cases
element by element only where a failing function's smallest witness is sought.

What the draws see to (accuracy is gained by amplifying mistakes, not by tightening tolerances): axis sizes differ,
hyperparameters are off their defaults, mantissas are full, a cotangent is random and never ones, one regime a case.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from graders.harness.exercise import Edge, Exercise
from graders.harness.sandbox.codec import Record, encode

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

DTYPES = ("float64", "float32")
ORDINARY = ("normal", "wide", "small", "negative", "sparse", "mixed rows", "one row", "halves", "many")
EXTREME = ("offset rows", "far apart")
IN_FLOAT32 = ("normal", "wide", "mixed rows", *EXTREME)  # formulas are told apart in float64; here rounding is
MANY, MANY_ROWS = 9, 17  # beyond what a formula written out by hand, or unrolled by eight or sixteen, would cover


@dataclass(frozen=True)
class Form:
    """One way in which an argument may come: its axes and its domain."""

    axes: tuple[str, ...]
    domain: str


@dataclass(frozen=True)
class Signature:
    """What a case is drawn from: the annotated signature of a reference, read once."""

    arguments: Mapping[str, tuple[Form, ...]]
    hyperparameters: Mapping[str, tuple[str | tuple[Any, ...], Any]]
    """By name: the domain's word, or the values to choose from; and the default (or `inspect.Parameter.empty`)."""
    state: type[Any] | None = None
    fields: Mapping[str, Form] = field(default_factory=dict)


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

    @property
    def form(self) -> str:
        """Return which kind of labels it has, where an argument may come in several forms."""
        integers = [k for k, v in self.arguments.items() if isinstance(v, np.ndarray) and v.dtype.kind in "iu"]
        return "integer " + ", ".join(integers) if integers else ""

    @property
    def size(self) -> int:
        """Return how many numbers it holds."""
        return sum(np.size(v) for v in self.arguments.values() if isinstance(v, np.ndarray))


def _form(annotation: Any) -> Form:
    metadata = typing.get_args(annotation)[1:]
    return Form(tuple(metadata[0].split()), metadata[1] if len(metadata) > 1 else "real")


def _forms(annotation: Any) -> tuple[Form, ...]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(_form(member) for member in typing.get_args(annotation))
    return (_form(annotation),)


@functools.cache
def signature(function: Callable[..., Any]) -> Signature:
    """Read the annotated signature of a reference function."""
    hints = typing.get_type_hints(function, include_extras=True)
    arguments: dict[str, tuple[Form, ...]] = {}
    hyperparameters: dict[str, tuple[str | tuple[Any, ...], Any]] = {}
    state, fields = None, {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        if parameter.kind is parameter.KEYWORD_ONLY:
            word = typing.get_args(hint) if typing.get_origin(hint) is Literal else typing.get_args(hint)[1]
            hyperparameters[name] = (word, parameter.default)
        elif isinstance(hint, type) and issubclass(hint, tuple):
            state = hint
            described = typing.get_type_hints(hint, include_extras=True)
            fields = {
                k: Form((), "count") if typing.get_args(v)[1] == "count" else _form(v) for k, v in described.items()
            }
        else:
            arguments[name] = _forms(hint)
    return Signature(arguments, hyperparameters, state, fields)


# ---------------------------------------------------------------- drawing


def _values(random: np.random.Generator, shape: tuple[int, ...], regime: str) -> np.ndarray[Any, Any]:
    x = random.standard_normal(shape)
    rows = (shape[0], *(1,) * (len(shape) - 1)) if shape else ()
    match regime:
        case "wide":
            return 2.5 * x
        case "small":
            return 0.03 * x
        case "negative":
            return -np.abs(x) - 0.1
        case "sparse":
            return x * (random.random(shape) < 0.5)
        case "mixed rows":
            return x * 10.0 ** random.uniform(-2, 0.5, rows)
        case "halves":  # ties and zeros, off the numbers that half precision knows
            return np.round(2 * x) / 2 * 1.1
        case "offset rows":
            return x + random.uniform(-1000, 1000, rows)
        case "far apart":
            return 300.0 * x
    return x


def _array(random: np.random.Generator, form: Form, sizes: Mapping[str, int], regime: str) -> np.ndarray[Any, Any]:
    shape = tuple(sizes[axis] for axis in form.axes)
    if form.domain == "classes":
        return random.integers(0, sizes["c"], shape)
    if form.domain == "simplex":
        weights = random.gamma(1.0, size=shape) + 1e-3
        if regime == "sparse" and shape[-1] > 1:
            weights[np.arange(shape[0]), random.integers(0, shape[-1], shape[0])] = 0.0
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
    if form.domain == "unit":
        soft = random.random(shape)
        return np.round(soft) if regime in ("normal", "halves", *EXTREME) else soft
    x = _values(random, shape, regime)
    return np.abs(x) if form.domain == "nonnegative" else x


def _following(form: Form, first: Form, hyperparameters: Mapping[str, Any]) -> Form:
    """Return the form of an argument that has the first one's axes but the last: `axis` says which is left out."""
    axis = hyperparameters.get("axis", -1)
    if axis == -1 or form.axes != first.axes[:-1]:
        return form
    return Form(tuple(a for i, a in enumerate(first.axes) if i != axis % len(first.axes)), form.domain)


def _number(random: np.random.Generator, word: str | tuple[Any, ...], default: Any) -> Any:
    if isinstance(word, tuple):
        return word[random.integers(len(word))]
    match word:
        case "positive":
            return float(10 ** random.uniform(-1, 0.3))
        case "nonnegative":
            return float(random.uniform(0.05, 0.9))
        case "fraction":
            return float(random.uniform(0.2, 0.95))
        case "fractions":
            return tuple(float(x) for x in random.permutation([random.uniform(0.3, 0.6), random.uniform(0.65, 0.95)]))
        case "axis":
            return 0 if random.random() < 0.3 else -1
    raise TypeError(f"no numbers are known for the domain {word!r} (default {default!r})")


def _default(name: str, default: Any) -> Any:
    if default is inspect.Parameter.empty:
        raise TypeError(f"{name} has no default, so it cannot be held there")
    return default


def _cast(value: Any, dtype: str) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(dtype)
    if isinstance(value, Record):
        return Record(value.name, {k: _cast(v, dtype) for k, v in value.fields.items()})
    return value


def drawn(
    exercise: Exercise, seed: int, regime: str, dtype: str = "float64", held: frozenset[str] = frozenset()
) -> Case:
    """Return the case of this seed and regime; hyperparameters in `held` stay at their defaults."""
    read = signature(exercise.reference)
    random = np.random.default_rng([seed, *regime.encode()])
    letters = sorted({axis for forms in read.arguments.values() for form in forms for axis in form.axes})
    smallest = MANY if regime == "many" else 2
    among = random.permutation(np.arange(smallest, smallest + max(4, len(letters))))
    sizes = dict(zip(letters, map(int, among), strict=False))
    if regime in ("one row", "many") and "n" in sizes:
        sizes["n"] = 1 if regime == "one row" else MANY_ROWS
    extreme = regime in EXTREME
    hyperparameters = {
        name: _default(name, default) if name in held else _number(random, word, default)
        for name, (word, default) in read.hyperparameters.items()
    }
    first = next(iter(read.arguments.values()))[0]
    arguments: dict[str, Any] = {}
    for name, forms in read.arguments.items():
        # an extreme input is one that a formula must survive; a cotangent of thousands would only scale the answer
        calm = "normal" if name == "cotangent" and regime != "one row" else regime
        form = _following(forms[random.integers(len(forms))], first, hyperparameters)
        arguments[name] = _array(random, form, sizes, calm)
    if exercise.unrolled:
        steps = int(random.integers(1, 6))
        shape = arguments.pop("grad").shape
        arguments["grads"] = _values(random, (steps, *shape), regime)
        arguments["state"] = _state(random, read, sizes, fresh=bool(random.random() < 0.5))
    return Case({k: _cast(v, dtype) for k, v in arguments.items()}, hyperparameters, dtype, regime, extreme)


def _state(random: np.random.Generator, read: Signature, sizes: Mapping[str, int], fresh: bool) -> Record:
    assert read.state is not None
    fields: dict[str, Any] = {}
    for name, form in read.fields.items():
        if form.domain == "count":
            fields[name] = 0 if fresh else 5
        else:
            drawn_field = _array(random, form, sizes, "normal")
            fields[name] = np.zeros_like(drawn_field) if fresh else drawn_field
    return Record(read.state.__name__, fields)


def cast(case: Case, dtype: str) -> Case:
    """Return the case with its numbers rounded to another dtype."""
    return replace(case, arguments={k: _cast(v, dtype) for k, v in case.arguments.items()}, dtype=dtype)


def from_edge(exercise: Exercise, edge: Edge, dtype: str) -> Case:
    """Return the case of a hand-chosen edge in this dtype."""
    read = signature(exercise.reference)
    given = dict(edge.arguments)
    hyperparameters = {
        name: given.pop(name) if name in given else _default(name, default)
        for name, (_, default) in read.hyperparameters.items()
    }
    arguments: dict[str, Any] = {}
    for name, value in given.items():
        if name == "state":
            assert read.state is not None
            state = {k: v if isinstance(v, int) else np.asarray(v, float) for k, v in value.items()}
            arguments[name] = Record(read.state.__name__, state)
        else:
            plain = np.asarray(value)
            classes = any(f.domain == "classes" for f in read.arguments.get(name, ())) and plain.dtype.kind in "iu"
            arguments[name] = plain if classes else plain.astype(float)
    return Case(
        {k: _cast(v, dtype) for k, v in arguments.items()},
        hyperparameters,
        dtype,
        edge.why,
        edge.kind == "extreme",
        edge.kind == "special",
    )


def edges(exercise: Exercise) -> list[Case]:
    """Return the hand-chosen cases in every dtype."""
    return [from_edge(exercise, edge, dtype) for edge in exercise.edges for dtype in DTYPES]


def regimes(exercise: Exercise) -> tuple[str, ...]:
    """Return the regimes that make sense: one row where there are rows, extremes where arguments are real."""
    read = signature(exercise.reference)
    forms = [form for forms in read.arguments.values() for form in forms]
    rows = any("n" in form.axes for form in forms)
    bounded = any(form.domain == "simplex" for form in forms if "n" in form.axes) and not any(
        form.domain == "real" for form in forms
    )
    names = ORDINARY if rows else tuple(r for r in ORDINARY if r != "one row")
    return names if bounded or exercise.unrolled else names + EXTREME


def seeded(exercise: Exercise, seed: int, held: frozenset[str] = frozenset(), rounds: int = 1) -> list[Case]:
    """Return the cases of a run: each regime, some of them in float32 too, `rounds` times."""
    stable = int.from_bytes(hashlib.sha256(exercise.name.encode()).digest()[:4], "big")
    return [
        drawn(exercise, seed * 1_000_003 + stable + turn, regime, dtype, held)
        for turn in range(rounds)
        for regime in regimes(exercise)
        for dtype in (DTYPES if regime in IN_FLOAT32 else DTYPES[:1])
    ]


# ---------------------------------------------------------------- for Hypothesis


def strategy(exercise: Exercise, dtype: str = "float64") -> SearchStrategy[Case]:
    """Return a strategy over what the cases of runs are drawn from: seed and regime."""
    from hypothesis import strategies as st

    return st.builds(
        lambda seed, regime: drawn(exercise, seed, regime, dtype),
        st.integers(0, 2**32 - 1),
        st.sampled_from(regimes(exercise)),
    )


SIMPLE = (0.0, 1.0, 2.0, -1.0, 0.5, 3.0, -2.0, 0.1, -0.3)
STEEP = (0.0, 1000.0, -1000.0, 1.0, 100.0, -100.0, 30.0, -30.0, 700.0)


def small(exercise: Exercise, like: Case) -> SearchStrategy[Case]:
    """Return a strategy over small cases of simple numbers, like a given one: for a smallest witness."""
    from hypothesis import strategies as st

    read = signature(exercise.reference)
    values = STEEP if like.extreme else SIMPLE
    letters = sorted({axis for forms in read.arguments.values() for form in forms for axis in form.axes})

    @st.composite
    def cases(draw: Any) -> Case:
        sizes = {letter: draw(st.integers(1, 3)) for letter in letters}

        def numbers(shape: tuple[int, ...], options: tuple[float, ...]) -> np.ndarray[Any, Any]:
            count = int(np.prod(shape))
            chosen = draw(st.lists(st.sampled_from(options), min_size=count, max_size=count))
            return np.array(chosen, dtype=float).reshape(shape)

        def array(form: Form, options: tuple[float, ...]) -> np.ndarray[Any, Any]:
            shape = tuple(sizes[axis] for axis in form.axes)
            if form.domain == "classes":
                labels = draw(st.lists(st.integers(0, sizes["c"] - 1), min_size=shape[0], max_size=shape[0]))
                return np.array(labels, dtype=np.int64)
            if form.domain == "simplex":
                weights = numbers(shape, (0.0, 1.0, 2.0, 3.0))
                weights[..., 0] += weights.sum(axis=-1) == 0
                return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
            if form.domain == "unit":
                return numbers(shape, (0.0, 1.0, 0.5, 0.3))
            made = numbers(shape, options)
            return np.abs(made) if form.domain == "nonnegative" else made

        hyperparameters = {}
        for name, (word, default) in read.hyperparameters.items():
            current = like.hyperparameters[name]
            options_of = {
                "positive": (0.5, 0.1, 1.0, 2.0), "nonnegative": (0.5, 0.0, 0.1), "fraction": (0.5, 0.25, 0.0, 0.9),
                "fractions": ((0.5, 0.75), (0.9, 0.5), (0.25, 0.9)), "axis": (-1, 0),
            }  # fmt: skip
            choices = word if isinstance(word, tuple) else options_of[word]
            kept = current == default  # held at its default, or left there by the edge
            hyperparameters[name] = current if kept else draw(st.sampled_from(choices))
        first = next(iter(read.arguments.values()))[0]
        arguments: dict[str, Any] = {}
        for name, forms in read.arguments.items():
            integers = isinstance(like.arguments.get(name), np.ndarray) and like.arguments[name].dtype.kind in "iu"
            form = next((f for f in forms if (f.domain == "classes") == integers), forms[0])
            options = SIMPLE if name == "cotangent" else values
            form = _following(form, first, hyperparameters)
            arguments[name] = array(form, options[1:] + options[:1] if name == "cotangent" else options)
        if exercise.unrolled:
            shape = arguments.pop("grad").shape
            arguments["grads"] = numbers((draw(st.integers(1, 3)), *shape), SIMPLE[1:] + SIMPLE[:1])
            fields = {
                name: draw(st.sampled_from((0, 1, 2))) if form.domain == "count" else array(form, SIMPLE)
                for name, form in read.fields.items()
            }
            if fields.get("t") == 0:
                fields = {k: v if k == "t" else np.zeros_like(v) for k, v in fields.items()}
            arguments["state"] = Record(like.arguments["state"].name, fields)
        return Case(
            {k: _cast(v, like.dtype) for k, v in arguments.items()},
            hyperparameters,
            like.dtype,
            "smallest",
            like.extreme,
        )

    return cases()
