"""Two known mistakes made at once, where no single one gives the numbers.

A pair is what stands in the code when both mistakes are made. How two functions come together is not declared, so it
is tried: one mistake built on the other where the right function stood in it; the sum of what each adds to the truth;
the product of what each multiplies it by; each in outputs of its own; or one mistake and a factor on all its numbers.
What is tried counts only if it gives what was returned in every case, and if each of the two is needed in several.
"""

from __future__ import annotations

import ast
import functools
import itertools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graders.harness.answers import plain_outputs
from graders.harness.cases import Case
from graders.harness.compare import Comparison
from graders.harness.diagnose import agrees, fails, gives, made_by
from graders.harness.exercise import Exercise, Function
from graders.harness.mutants import mutants
from graders.harness.patterns import first_axis
from graders.harness.plans import Outputs
from graders.harness.rewriting import definition, helpers

NEEDED = 2
"""In how many cases each of two mistakes must be needed: one might be met by chance."""
SLIPS = 100
"""How many changes of the right text are tried before two mistakes are told of: a convolution has 500."""


# ---------------------------------------------------------------- how two functions come together


class _Room:
    """Stands for a module in a function that is built on another one than the right one."""

    def __init__(self, module: types.ModuleType, others: Mapping[str, Function]) -> None:
        self.__dict__.update({**vars(module), **others})


def built_on(wrong: Function, right: Function, other: Function) -> Function | None:
    """Return a mistake with another function wherever its text uses the right one; None where it does not.

    The function, and those of its own that it calls, are made again with other globals and closures: nothing that
    others see is changed.
    """
    if not isinstance(wrong, types.FunctionType):
        return None
    made: Function = _again(wrong, right, other, {wrong: wrong})
    return None if made is wrong else made


def _rebuilt(value: Any, right: Function, other: Function, done: dict[Any, Any]) -> Any:
    if value is right:
        return other
    if isinstance(value, functools.partial):
        function, *given = parts = [_rebuilt(part, right, other, done) for part in (value.func, *value.args)]
        same = all(new is old for new, old in zip(parts, (value.func, *value.args), strict=True))
        return value if same else functools.partial(function, *given, **value.keywords)
    if type(value) is tuple:
        items = tuple(_rebuilt(part, right, other, done) for part in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if not isinstance(value, types.FunctionType) or value.__module__ == right.__module__:
        return value  # what the reference itself is made of stays right
    if value not in done:
        done[value] = value  # one that calls itself
        done[value] = _again(value, right, other, done)
    return done[value]


def _again(function: types.FunctionType, right: Function, other: Function, done: dict[Any, Any]) -> Any:
    names = frozenset(_names(function.__code__))
    changed: dict[str, Any] = {}
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        if isinstance(value, types.ModuleType):
            inside = {n: other for n in names if vars(value).get(n) is right}
            changed |= {name: _Room(value, inside)} if inside else {}
        elif (new := _rebuilt(value, right, other, done)) is not value:
            changed[name] = new
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    cells = [_rebuilt(value, right, other, done) for value in held]
    if not changed and all(new is old for new, old in zip(cells, held, strict=True)):
        return function
    made = types.FunctionType(
        function.__code__, {**function.__globals__, **changed}, function.__name__, function.__defaults__,
        tuple(map(types.CellType, cells)) or None,
    )  # fmt: skip
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _added(one: Any, two: Any, right: Any) -> Any:
    return one + two - right


def _multiplied(one: Any, two: Any, right: Any) -> Any:
    return np.where(right == 0, one + two, one * two / np.where(right == 0, 1, right))


Way = Callable[[Any, Any, Any], Any]
WAYS: tuple[Way, ...] = (_added, _multiplied)


def _step_by_step(way: Way, one: Function, two: Function, right: Function) -> Function:
    """Return a step that makes two mistakes at once, in the parameters and in every field of the state."""

    def stepped(*arguments: Any, **hyper: Any) -> Any:
        results = [f(*arguments, **hyper) for f in (one, two, right)]
        params = way(*(result[0] for result in results))
        states = [result[1] for result in results]
        return params, type(states[2])(*(_field(way, *values) for values in zip(*states, strict=True)))

    return stepped


def _field(way: Way, one: Any, two: Any, right: Any) -> Any:
    return way(one, two, right) if isinstance(right, np.ndarray) else one + two - right


# ---------------------------------------------------------------- what gives the numbers


Maker = Callable[[Case], Outputs | None]
"""What would be returned for a case; None where it raises."""


def _together(exercise: Exercise, one: Function, two: Function) -> Iterator[Maker]:
    """Yield the ways in which two functions may come together."""
    right = exercise.reference
    for outer, inner in ((one, two), (two, one)):
        function = built_on(outer, right, inner)
        if function is not None:
            yield functools.partial(_called, exercise, function)
    for way in WAYS:
        if exercise.unrolled:
            yield functools.partial(_called, exercise, _step_by_step(way, one, two, right))
        else:
            yield functools.partial(_combined, exercise, way, one, two)


def _called(exercise: Exercise, function: Function, case: Case) -> Outputs | None:
    try:
        return plain_outputs(exercise, function, case)
    except Exception:  # as in `made_by`
        return None


def _combined(exercise: Exercise, way: Way, one: Function, two: Function, case: Case) -> Outputs | None:
    made = [made_by(exercise, f, case) for f in (one, two, exercise.reference)]
    if any(m is None for m in made):
        return None
    first, second, right = (m or {} for m in made)
    if any(np.shape(m.get(name, ())) != np.shape(right[name]) for name in right for m in (first, second)):
        return None
    with np.errstate(all="ignore"):
        return {name: way(first[name], second[name], right[name]) for name in right}


def _turned(exercise: Exercise, function: Function, turn: Callable[[Any, Case], Any], case: Case) -> Outputs | None:
    made = made_by(exercise, function, case)
    return None if made is None else {name: turn(value, case) for name, value in made.items()}


TURNS: Mapping[str, tuple[Callable[[Any, Case], Any], str]] = {
    "sign": (lambda value, case: -value, "Besides, every number has the wrong sign."),
    "twice": (lambda value, case: 2 * value, "Besides, every number is twice what it should be."),
    "half": (lambda value, case: value / 2, "Besides, every number is half of what it should be."),
    "times n": (lambda value, case: value * first_axis(case), "Besides, every number is n times what it should be."),
    "over n": (lambda value, case: value / first_axis(case), "Besides, every number is divided by n once too often."),
    "transposed": (lambda value, case: np.transpose(value), "Besides, rows and columns are exchanged."),
}
"""What may befall the numbers of a known mistake as a whole."""


@dataclass(frozen=True)
class Pair:
    """Two mistakes that together give the numbers: both known, or a known one and what befalls all its numbers."""

    one: Function
    two: Function | None
    turn: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Return the names of both."""
        return frozenset({self.one.__name__, self.two.__name__ if self.two else self.turn})


def pairs(exercise: Exercise, comparisons: Sequence[Comparison]) -> list[Pair]:
    """Return the pairs of mistakes that give what was returned, in every case.

    A convention may be one of the two: under its definition there is one mistake; or both, of which no course has both.
    """
    judged = sorted((c for c in comparisons if not c.raised), key=lambda c: (not c.failed, c.case.special, c.case.size))
    telling = [c for c in judged if c.failed and not c.case.special]
    if len(telling) < NEEDED or all(not np.any(e.allowed) for c in telling for e in c.answer.outputs.values()):
        return []  # whole numbers agree by chance
    if exercise.unrolled and telling[0].problem:
        return []  # a step that cannot be repeated
    for candidates in (_of_two_known, _of_one_and_a_turn):
        found: dict[frozenset[str], Pair] = {}
        for pair, made in candidates(exercise):
            if pair.names in found or not agrees(telling[0], made(telling[0].case)):
                continue
            if all(agrees(c, made(c.case)) for c in judged) and _needs_both(exercise, pair, judged):
                found[pair.names] = pair
        if found:
            return [] if _is_one_slip(exercise, judged) else list(found.values())
    return []


def _is_one_slip(exercise: Exercise, judged: Sequence[Comparison]) -> bool:
    """Return whether the reference with a single change gives the numbers: then there is one mistake, not two."""
    trees = [definition(helper) for helper in helpers(exercise.reference)]
    if any(isinstance(node, ast.While) for tree in trees if tree is not None for node in ast.walk(tree)):
        return False  # with a change in it, it may never end
    return any(all(_slips_alike(exercise, slip, c) for c in judged) for slip in _slips(exercise.reference))


@functools.cache
def _slips(right: Function) -> tuple[Function, ...]:
    return tuple(mutant.function() for mutant in mutants(right)[:SLIPS])


def _slips_alike(exercise: Exercise, slip: Function, comparison: Comparison) -> bool:
    try:
        return agrees(comparison, _called(exercise, slip, comparison.case))
    except (KeyError, TypeError, ValueError):  # it returns something else: a word, more values
        return False


def _of_two_known(exercise: Exercise) -> Iterator[tuple[Pair, Maker]]:
    for one, two in itertools.combinations((*exercise.misconceptions, *exercise.conventions), 2):
        for made in _together(exercise, one, two):
            yield Pair(one, two), made


def _of_one_and_a_turn(exercise: Exercise) -> Iterator[tuple[Pair, Maker]]:
    for one in (*exercise.misconceptions, *exercise.conventions):
        for name, (turn, _) in TURNS.items() if not exercise.unrolled else ():
            yield Pair(one, None, name), functools.partial(_turned, exercise, one, turn)


def _needs_both(exercise: Exercise, pair: Pair, judged: Sequence[Comparison]) -> bool:
    """Return whether each of the two is beyond doubt wrong, and not what was returned, in several cases."""
    telling = [c for c in judged if not c.case.special]
    return all(
        sum(not gives(exercise, f, c) for c in telling if c.failed) >= NEEDED
        and sum(fails(exercise, f, c) for c in telling) >= NEEDED
        for f in (pair.one, pair.two)
        if f is not None
    )


def at_extremes(
    exercise: Exercise,
    wrong: Function,
    ordinary: Sequence[Comparison],
    extremes: Sequence[Comparison],
    off: Sequence[Comparison],
) -> Function | None:
    """Return the one mistake that, beside another, gives what was returned in extreme cases; it is right elsewhere.

    `off` are the extreme cases in which the other one by itself gives something else.
    """
    if len(off) < NEEDED:
        return None
    found = []
    for other in exercise.misconceptions:
        ways = _together(exercise, wrong, other)
        if any(all(agrees(c, made(c.case)) for c in (*off, *extremes)) for made in ways) and not any(
            fails(exercise, other, c) for c in ordinary
        ):
            found.append(other)
    return found[0] if len(found) == 1 else None
