"""All exercises by name, and how a submission's functions find theirs."""

from __future__ import annotations

import difflib
import fnmatch
import functools
import importlib
from collections.abc import Sequence

from graders._adapters import course, named
from graders.harness.exercise import Exercise
from graders.harness.grade import Bound
from graders.harness.sandbox.contract import Function


class UnknownName(LookupError):
    """A name or pattern that no exercise has; the message names the nearest."""


TOPICS = (
    "activations",
    "losses",
    "layers",
    "convolution",
    "pooling",
    "normalization",
    "regularization",
    "optimizers",
    "initialization",
    "preprocessing",
    "networks",
    "training",
    "ensembles",
    "bounds",
)


@functools.cache
def exercises() -> dict[str, Exercise]:
    """Return every exercise by its dotted name, in the order of the topics."""
    found: dict[str, Exercise] = {}
    for topic in TOPICS:
        module = importlib.import_module(f"graders.{topic}")
        found |= {value.name: value for value in vars(module).values() if isinstance(value, Exercise)}
    return found


def select(patterns: Sequence[str]) -> dict[str, Exercise]:
    """Return the exercises whose dotted or bare name fits one of the patterns; raise UnknownName, with the nearest."""
    chosen: dict[str, Exercise] = {}
    for pattern in patterns or ("*",):
        fitting = {
            name: exercise for name, exercise in exercises().items()
            if fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name.partition(".")[2], pattern)
        }  # fmt: skip
        if not fitting:
            raise UnknownName(f"no exercise is called {pattern!r}{nearest(pattern)}")
        chosen |= fitting
    return {name: exercise for name, exercise in exercises().items() if name in chosen}


def nearest(name: str) -> str:
    """Return "; did you mean …?" for a name like one of the catalogue's, else where to see them all."""
    tails = {known.partition(".")[2]: known for known in exercises()}
    near = difflib.get_close_matches(name, exercises(), 1, 0.8) or [
        tails[tail] for tail in difflib.get_close_matches(name.rpartition(".")[2], tails, 1, 0.8)
    ]
    return f"; did you mean {near[0]!r}?" if near else "; `gradproof list` shows all"


def bind(functions: tuple[Function, ...], among: dict[str, Exercise] | None = None) -> Bound:
    """Bind a submission's functions to exercises: by name and signature, as in the catalogue or as in a course."""
    wanted = exercises() if among is None else among
    tails = {name.partition(".")[2]: name for name in exercises()}
    by_name = {function.name: function for function in functions}
    bindings, not_covered, notes = [], [], []
    judged: set[str] = set()
    for function in functions:
        tail = function.tail
        if tail in judged and (tail in tails or tail in course.SHAPES):
            notes.append(f"{function.name}: this name stands in another module too, where it is judged")
            continue
        judged.add(tail)
        if course.fits(function) and function.own:
            made, note = course.bind(function, wanted, by_name)
            bindings += made
            notes += [note] if note else []
        elif tail in tails and not function.own:
            notes.append(f"{function.name} is imported from a library, not defined here: not judged")
        elif tail in tails:
            if tails[tail] in wanted:
                bindings.append(named.bind(wanted[tails[tail]], function))
        elif function.own:
            not_covered.append(function.name)
            near = difflib.get_close_matches(tail, tails, 1, 0.85)
            if near and near[0] not in {other.tail for other in functions}:
                notes.append(f"{function.name} is no name of the catalogue; did you mean {near[0]}?")
    order = list(exercises())
    bindings.sort(key=lambda binding: order.index(binding.exercise.name))
    return Bound(tuple(bindings), tuple(not_covered), tuple(notes))
