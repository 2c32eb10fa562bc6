"""All exercises by name, and how a submission's functions find theirs."""

from __future__ import annotations

import difflib
import fnmatch
import functools
import importlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from graders import _outside
from graders._adapters import (
    blocks,
    classes,
    columns,
    course,
    drawn_shapes,
    in_place,
    known_as,
    lists,
    loops,
    loosely,
    named,
    objects,
    overrides,
    random_masks,
    running_norms,
    spread,
    statics,
    stoppers,
    tensors,
)
from graders.harness.exercise import Exercise
from graders.harness.grade import Bound
from graders.harness.sandbox.contract import Call, Function, Outcome
from graders.harness.trials import Trial

UnusableExercises = _outside.UnusableExercises
OURS = _outside.OURS


ADAPTERS = (course, blocks, random_masks, running_norms, columns)
"""Adapters of functions by their names and call shapes, the first that fits."""
MOST_COPIES = 8
"""Functions of one name, each in a file of its own, that are judged."""
MOST_NEAR = 200
"""Names of a submission for which a name of the catalogue that looks alike is sought: each takes a millisecond."""


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
    "differences",
    "training",
    "ensembles",
    "bounds",
)


_files: tuple[Path, ...] = ()
"""Files whose exercises are in the catalogue too, while a block of `including` runs."""


@functools.cache
def _ours() -> dict[str, Exercise]:
    found: dict[str, Exercise] = {}
    for topic in TOPICS:
        module = importlib.import_module(f"graders.{topic}")
        found |= {value.name: value for value in vars(module).values() if isinstance(value, Exercise)}
    return found


@functools.cache
def trials() -> dict[str, Trial]:
    """Return every trial by its dotted name, in the order of the topics: what is judged by its properties."""
    found: dict[str, Trial] = {}
    for topic in TOPICS:
        module = importlib.import_module(f"graders.{topic}")
        found |= {value.name: value for value in vars(module).values() if isinstance(value, Trial)}
    return found


def names() -> list[str]:
    """Return every dotted name that can be graded, in the order of the topics."""
    every = [*exercises(), *trials()]
    return sorted(every, key=lambda name: (*TOPICS, name.partition(".")[0]).index(name.partition(".")[0]))


@functools.cache
def _joined(files: tuple[Path, ...]) -> _outside.Joined:
    return _outside.joined(_ours(), files)


def exercises() -> dict[str, Exercise]:
    """Return every exercise by its dotted name: ours in the order of the topics, then those from outside.

    Raises `_outside.UnusableExercises` where those of an installed package cannot be imported, or bear a name of ours.
    """
    return _joined(_files).exercises


def is_ours(exercise: Exercise) -> bool:
    """Return whether an exercise is one of gradproof's own."""
    return _ours().get(exercise.name) is exercise


def origin(name: str) -> _outside.Origin:
    """Return where an exercise of the catalogue comes from."""
    return _joined(_files).origins[name]


def is_included(path: str | Path) -> bool:
    """Return whether a path is that of a file whose exercises are in the catalogue now: it is no submission."""
    return Path(path).resolve() in _files


def included() -> tuple[Path, ...]:
    """Return the files whose exercises are in the catalogue now."""
    return _files


def include(files: Iterable[str | Path]) -> None:
    """Have the exercises of these files in the catalogue from now on; raise `_outside.UnusableExercises`."""
    global _files
    added = tuple(dict.fromkeys((*_files, *(Path(file).resolve() for file in files))))
    if added != _files:
        _joined.cache_clear()  # a file may have been edited since
        _files = added
        _joined(_files)


@contextmanager
def including(files: Iterable[str | Path]) -> Iterator[None]:
    """Have the exercises of these files in the catalogue while the block runs; raise `_outside.UnusableExercises`."""
    global _files
    before = _files
    try:
        include(files)
        yield
    finally:
        _files = before


def select(patterns: Sequence[str]) -> dict[str, Exercise]:
    """Return the exercises whose dotted or bare name fits one of the patterns; raise UnknownName, with the nearest.

    A pattern that fits trials only chooses no exercise.
    """
    chosen = chosen_names(patterns)
    return {name: exercise for name, exercise in exercises().items() if name in chosen}


def select_trials(patterns: Sequence[str]) -> dict[str, Trial]:
    """Return the trials whose name fits one of the patterns; raise UnknownName, with the nearest, as `select` does."""
    chosen = chosen_names(patterns)
    return {name: trial for name, trial in trials().items() if name in chosen}


def chosen_names(patterns: Sequence[str]) -> list[str]:
    """Return the names, of exercises and trials, that fit one of the patterns; raise UnknownName, with the nearest."""
    chosen: set[str] = set()
    for pattern in patterns or ("*",):
        fitting = {
            name for name in names()
            if fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name.partition(".")[2], pattern)
        }  # fmt: skip
        if not fitting:
            raise UnknownName(f"no exercise is called {pattern!r}{nearest(pattern)}")
        chosen |= fitting
    return [name for name in names() if name in chosen]


def nearest(name: str) -> str:
    """Return "; did you mean …?" for a name like one of the catalogue's, else where to see them all."""
    tails = {known.partition(".")[2]: known for known in names()}
    near = difflib.get_close_matches(name, names(), 1, 0.8) or [
        tails[tail] for tail in difflib.get_close_matches(name.rpartition(".")[2], tails, 1, 0.8)
    ]
    return f"; did you mean {near[0]!r}?" if near else "; `gradproof list` shows all"


Ask = Callable[[Sequence[Call]], list[Outcome]]
"""Makes calls to a submission, in an instance of it that is not the one to be judged."""


def _choices(
    described: Sequence[overrides.Described], functions: tuple[Function, ...], ask: Ask
) -> tuple[list[overrides.Described], dict[str, list[Function]]]:
    """Return what describes how functions are called, and by exercise the functions that are merely chosen for it.

    A function is chosen where it is bound to that exercise without a description, and no more is said of it.
    """
    kept: list[overrides.Described] = []
    chosen: dict[str, list[Function]] = {}
    for one in described:
        meant = [f for f in functions if one.name in (f.name, f.tail)]
        others = {f.name for f in functions if f not in meant and f.tail in {m.tail for m in meant}}
        if meant and one == overrides.Described(one.name, one.exercise):
            among = {name: e for name, e in exercises().items() if name == one.exercise}
            among_trials = {name: t for name, t in trials().items() if name == one.exercise}
            bound = bind(tuple(f for f in functions if f.name not in others), among, ask, (), among_trials)
            judged = {b.function for b in bound.bindings} | {t.function for t in bound.trials}
            if judged & {f.name for f in meant}:
                chosen[one.exercise] = meant
                continue
        kept.append(one)
    return kept, chosen


TAKES_ITS_OWN = "{} is not judged: it takes objects of its own, with `.{}`"


def bind(
    functions: tuple[Function, ...],
    among: dict[str, Exercise] | None = None,
    ask: Ask = lambda calls: [],
    described: Sequence[overrides.Described] = (),
    among_trials: Mapping[str, Trial] | None = None,
    demanded: Sequence[str] = (),
) -> Bound:
    """Bind a submission's functions to exercises: by name and signature, as in the catalogue or as in a course.

    What `ask` is needed for, such as how the parameters of a class are called, is left out where it tells nothing.
    Functions that are `described` are bound as that says, and no others to the same exercises. What is `demanded` by
    name is judged even where it cannot be called as its exercise is.
    """
    if among_trials is None:
        among_trials = trials() if among is None else {}
    wanted = exercises() if among is None else among
    tails = {name.partition(".")[2]: name for name in names()}
    plain, kinds = objects.gathered(functions)
    static = statics.known(plain)
    by_name = {function.name: function for function in (*plain, *static.values())}
    there = {function.tail for function in functions}
    bindings, drawing, not_covered, notes = [], [], [], []
    copies: Counter[str] = Counter()
    described, chosen = _choices(described, functions, ask)
    picked = [function for some in chosen.values() for function in some]
    passed_over = [f for f in plain if f not in picked and f.tail in {one.tail for one in picked}]
    plain = [function for function in plain if function not in passed_over]
    notes += [f"{f.name}: not judged, since the assignment names another of this name" for f in passed_over]
    meant = ((one, f) for one in described for f in plain if one.name in (f.name, f.tail))
    for description, found in itertools.islice(meant, MOST_COPIES * len(described)):
        if description.exercise in wanted:
            bindings.append(overrides.bind(description, wanted[description.exercise], found))
        elif description.exercise in among_trials:
            made_of, note = drawn_shapes.bind(found, among_trials[description.exercise], ask)
            drawing += [made_of] if made_of else []
            notes += [note] if note else []
    taken = {b.function for b in bindings} | {d.function for d in drawing}
    among_trials = {name: t for name, t in among_trials.items() if name not in {d.trial.name for d in drawing}}
    wanted = {name: e for name, e in wanted.items() if name not in {b.exercise.name for b in bindings}}
    undemanded = {name: e for name, e in wanted.items() if name not in demanded}
    for function in (f for f in plain if f.name not in taken):
        tail = function.tail
        copies[tail] += 1
        if copies[tail] > MOST_COPIES and (tail in tails or tail in course.SHAPES):
            notes.append(f"{function.name}: not judged, since {MOST_COPIES} other files have this name: remove copies")
            continue
        known = drawn_shapes.meant(function, among_trials, ask) if tail not in tails else tails[tail]
        if function.own and known in trials():
            made_of, note = drawn_shapes.bind(function, trials()[known], ask) if known in among_trials else (None, "")
            own = drawn_shapes.takes_its_own(made_of, ask) if made_of and known not in demanded else ""
            drawing += [made_of] if made_of and not own else []
            notes += [TAKES_ITS_OWN.format(function.name, own)] * bool(own)
            notes += [note] if note else []
            continue
        shape = static.get(function.name, function)
        adapter = next((a for a in ADAPTERS if function.own and a.fits(shape)), None)
        if adapter is columns and columns.is_plain(shape, ask):
            adapter = None
        if adapter is not None:
            made, note = adapter.bind(shape, wanted, by_name, statics.asking(ask, static))
            if adapter is random_masks:
                takes = function.names("positional", "keyword")
                made = [random_masks.also(b, takes) if b.exercise.name in undemanded else b for b in made]
            made = [statics.calling(binding, static) for binding in made] if shape is not function else made
            bindings += [tensors.both(binding, function) for binding in made]
            notes += [note] if note else []
        elif tail in tails and not function.own:
            notes.append(f"{function.name} is imported from a library, not defined here: not judged")
        elif tail in tails:
            if tails[tail] in wanted:
                exercise = wanted[tails[tail]]
                fitting, note = named.fitted(exercise, function)
                asked = exercise.name in demanded
                apart = None if asked else spread.bind(exercise, function)
                only = None if asked else in_place.of_tensors(exercise, function)
                only = apart if only is None and fitting is None else only
                if only is not None:
                    bindings.append(tensors.both(only, function))
                    continue
                notes += [note] if note else []
                if fitting is None and exercise.name in demanded:
                    fitting = named.bind(exercise, function)
                elif fitting is not None and exercise.name not in demanded:
                    own = loosely.takes_its_own(function, exercise, ask)
                    if another := loosely.means_another(function, exercise, ask):
                        notes.append(f"{function.name} is not judged: {another}")
                        continue
                    fitting = None if own else loosely.also(fitting, function, ask)
                    fitting = None if fitting is None else known_as.also(fitting, function, wanted, ask)
                    fitting = spread.beside(fitting, apart) if fitting is not None and apart is not None else fitting
                    fitting = lists.also(fitting, function, ask) if fitting is not None else None
                    notes += [TAKES_ITS_OWN.format(function.name, own)] * bool(own)
                if fitting is not None:
                    bindings.append(tensors.both(columns.also(fitting, function), function))
        elif function.own and (other := known_as.bind(function, undemanded, there, ask)) is not None:
            bindings.append(tensors.both(lists.also(other, function, ask), function))
        elif function.own:
            not_covered.append(function.name)
            near = difflib.get_close_matches(tail, tails, 1, 0.85) if len(not_covered) <= MOST_NEAR else []
            if near and near[0] not in there:
                notes.append(f"{function.name} is no name of the catalogue; did you mean {near[0]}?")
    functions_too = set(copies)
    for klass in kinds:
        copies[klass.found.tail] += 1
        is_more = klass.found.tail in functions_too or copies[klass.found.tail] > MOST_COPIES
        if not is_more and not any(name.startswith(f"{klass.name}.") for name in static):
            stopper = stoppers.bind(klass, among_trials)
            if stopper is not None:
                drawing.append(stopper)
                continue
            loop = loops.bind_class(klass, among_trials, ask)
            drawing += [loop] if loop is not None else []
            answers = classes.bind(klass, wanted, undemanded, ask)
            bindings += answers[0] if answers else []
            notes += [answers[1]] if answers and answers[1] else []
            if klass.found.own and not (answers and answers[0]) and loop is None:
                not_covered.append(klass.name)
    alone = {name: {function.name for function in some} for name, some in chosen.items()}
    bindings = [b for b in bindings if b.function in alone.get(b.exercise.name, {b.function})]
    drawing = [d for d in drawing if d.function in alone.get(d.trial.name, {d.function})]
    order = list(exercises())
    bindings.sort(key=lambda binding: order.index(binding.exercise.name))
    drawing.sort(key=lambda binding: list(trials()).index(binding.trial.name))
    return Bound(tuple(bindings), tuple(not_covered), tuple(notes), tuple(drawing))
