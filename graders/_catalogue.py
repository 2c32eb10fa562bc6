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
from dataclasses import dataclass, replace
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
from graders.harness.plans import Binding
from graders.harness.sandbox.contract import Call, Function, Outcome
from graders.harness.sandbox.parent import CannotStart
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


@dataclass(frozen=True)
class _Wanted:
    """What functions may be bound to, and what else is known of the submission that they stand in."""

    exercises: Mapping[str, Exercise]
    undemanded: Mapping[str, Exercise]
    trials: Mapping[str, Trial]
    demanded: Sequence[str]
    static: Mapping[str, Function]
    by_name: Mapping[str, Function]
    there: frozenset[str]
    """Names without their modules, of all functions."""
    ask: Ask

    @functools.cached_property
    def tails(self) -> dict[str, str]:
        """Return the names of the catalogue without their topics, and in full."""
        return {name.partition(".")[2]: name for name in names()}

    @functools.cached_property
    def spelt(self) -> dict[str, str]:
        """Return the exercises by their names without underscores, but for those that may mean many things so."""
        bare = {name.partition(".")[2].replace("_", ""): name for name in self.undemanded}
        return {tail: name for tail, name in bare.items()
                if name not in known_as.RENAMED or not known_as.RENAMED[name].fullmatch(tail)}  # fmt: skip

    def alike(self, tail: str) -> str:
        """Return the exercise of whose name this is another spelling, as `ReLU` or `softPlus`, or ""."""
        found = self.spelt.get(tail.lower().replace("_", ""), "")
        return found if found and found.partition(".")[2] not in self.there else ""


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
    name is judged even where it cannot be called as its exercise is. What fails here, fails for one function alone.
    """
    if among_trials is None:
        among_trials = trials() if among is None else {}
    wanted = exercises() if among is None else among
    plain, kinds = objects.gathered(functions)
    static = statics.known(plain)
    by_name = {function.name: function for function in (*plain, *static.values())}
    there = frozenset(function.tail for function in functions)
    described, chosen = _choices(described, functions, ask)
    picked = [function for some in chosen.values() for function in some]
    passed_over = [f for f in plain if f not in picked and f.tail in {one.tail for one in picked}]
    plain = [function for function in plain if function not in passed_over]
    first = [Bound(notes=tuple(f"{f.name}: not judged, since the assignment names another of this name"
                               for f in passed_over))]  # fmt: skip
    meant = ((one, f) for one in described for f in plain if one.name in (f.name, f.tail))
    for description, found in itertools.islice(meant, MOST_COPIES * len(described)):
        if description.exercise in wanted:
            first.append(Bound((overrides.bind(description, wanted[description.exercise], found),)))
        elif description.exercise in among_trials:
            made_of, note = drawn_shapes.bind(found, among_trials[description.exercise], ask)
            first.append(Bound(trials=(made_of,) if made_of else (), notes=(note,) if note else ()))
    told = Bound.joined(first)
    taken = {b.function for b in told.bindings} | {d.function for d in told.trials}
    wanted = {name: e for name, e in wanted.items() if name not in {b.exercise.name for b in told.bindings}}
    left = _Wanted(
        exercises=wanted,
        undemanded={name: e for name, e in wanted.items() if name not in demanded},
        trials={name: t for name, t in among_trials.items() if name not in {d.trial.name for d in told.trials}},
        demanded=demanded, static=static, by_name=by_name, there=there, ask=ask,
    )  # fmt: skip
    copies: Counter[str] = Counter()
    of_functions, of_classes = [], []
    for function in (f for f in plain if f.name not in taken):
        tail = function.tail
        copies[tail] += 1
        if copies[tail] > MOST_COPIES and (tail in left.tails or tail in course.SHAPES or left.alike(tail)):
            note = f"{function.name}: not judged, since {MOST_COPIES} other files have this name: remove copies"
            of_functions.append(Bound(notes=(note,)))
        else:
            of_functions.append(_alone(function.name, functools.partial(_of_a_function, function, left)))
    uncovered = itertools.islice((name for one in of_functions for name in one.not_covered), MOST_NEAR)
    near = Bound(notes=tuple(note for name in uncovered if (note := _near(name, left))))
    functions_too = set(copies)
    for klass in kinds:
        copies[klass.found.tail] += 1
        is_more = klass.found.tail in functions_too or copies[klass.found.tail] > MOST_COPIES
        if not is_more and not any(name.startswith(f"{klass.name}.") for name in static):
            of_classes.append(_alone(klass.name, functools.partial(_of_a_class, klass, left)))
    told = Bound.joined([told, *of_functions, near, *of_classes])
    alone = {name: {function.name for function in some} for name, some in chosen.items()}
    bindings = [b for b in told.bindings if b.function in alone.get(b.exercise.name, {b.function})]
    drawing = [d for d in told.trials if d.function in alone.get(d.trial.name, {d.function})]
    order = list(exercises())
    bindings.sort(key=lambda binding: order.index(binding.exercise.name))
    drawing.sort(key=lambda binding: list(trials()).index(binding.trial.name))
    return replace(told, bindings=tuple(bindings), trials=tuple(drawing))


def _alone(name: str, bound: Callable[[], Bound]) -> Bound:
    """Return what a function is bound to, or that binding it failed: the others are judged all the same."""
    try:
        return bound()
    except CannotStart:
        raise
    except Exception as error:  # ours: it met an answer that it was not made for
        return Bound(failed=((name, f"the harness failed, {type(error).__name__}: {error}; please report it"),))


def _near(name: str, among: _Wanted) -> str:
    """Return the note on a name that is nearly one of the catalogue's, or ""."""
    near = difflib.get_close_matches(name.rpartition(".")[2], among.tails, 1, 0.85)
    return f"{name} is no name of the catalogue; did you mean {near[0]}?" if near and near[0] not in among.there else ""


def _of_a_function(function: Function, among: _Wanted) -> Bound:
    """Return what a function is bound to."""
    tail, tails, ask = function.tail, among.tails, among.ask
    known = drawn_shapes.meant(function, among.trials, ask) if tail not in tails else tails[tail]
    if function.own and known in trials():
        return _of_a_trial(function, known, among)
    shape = among.static.get(function.name, function)
    adapter = next((a for a in ADAPTERS if function.own and a.fits(shape)), None)
    if adapter is columns and columns.is_plain(shape, ask):
        adapter = None
    if adapter is not None:
        made, note = adapter.bind(shape, among.exercises, among.by_name, statics.asking(ask, among.static))
        if adapter is random_masks:
            takes = function.names("positional", "keyword")
            made = [random_masks.also(b, takes) if b.exercise.name in among.undemanded else b for b in made]
        made = [statics.calling(binding, among.static) for binding in made] if shape is not function else made
        return Bound(tuple(tensors.both(binding, function) for binding in made), notes=(note,) if note else ())
    if tail in tails and not function.own:
        return Bound(notes=(f"{function.name} is imported from a library, not defined here: not judged",))
    if tail in tails:
        exercise = among.exercises.get(tails[tail])
        return Bound() if exercise is None else _of_its_name(function, exercise, among)
    if function.own and (alike := among.alike(tail)):
        told = _of_its_name(function, among.exercises[alike], among)
        note = f"its name is read as {alike}"
        return replace(told, bindings=tuple(_noted(binding, note) for binding in told.bindings))
    other = known_as.bind(function, among.undemanded, among.there, ask) if function.own else None
    if other is not None:
        return Bound((tensors.both(lists.also(other, function, ask), function),))
    return Bound(not_covered=(function.name,) if function.own else ())


def _noted(binding: Binding, note: str) -> Binding:
    others = tuple(_noted(other, note) for other in binding.others)
    return replace(binding, note="; ".join(filter(None, [note, binding.note])), others=others)


TAKES_ITS_OWN = "{} is not judged: it takes {}"


def _of_a_trial(function: Function, name: str, among: _Wanted) -> Bound:
    """Return what a function that is meant for a trial is bound to."""
    if name not in among.trials:
        return Bound()
    made, note = drawn_shapes.bind(function, trials()[name], among.ask)
    if made and name not in among.demanded and (own := drawn_shapes.takes_its_own(made, among.ask)):
        return Bound(notes=(TAKES_ITS_OWN.format(function.name, own),))
    return Bound(trials=(made,) if made else (), notes=(note,) if note else ())


def _of_its_name(function: Function, exercise: Exercise, among: _Wanted) -> Bound:
    """Return what a function that bears the name of an exercise is bound to."""
    fitting, note = named.fitted(exercise, function)
    asked = exercise.name in among.demanded
    apart = None if asked else spread.bind(exercise, function)
    only = None if asked else in_place.of_tensors(exercise, function)
    only = apart if only is None and fitting is None else only
    if only is not None:
        return Bound((tensors.both(only, function),))
    notes = [note] if note else []
    if fitting is None and asked:
        fitting = named.bind(exercise, function)
    elif fitting is not None and not asked:
        if another := loosely.means_another(function, exercise, among.ask):
            return Bound(notes=(*notes, f"{function.name} is not judged: {another}"))
        if own := loosely.takes_its_own(function, exercise, among.ask):
            return Bound(notes=(*notes, TAKES_ITS_OWN.format(function.name, own)))
        fitting = loosely.also(fitting, function, among.ask)
        fitting = known_as.also(fitting, function, among.exercises, among.ask)
        fitting = spread.beside(fitting, apart) if apart is not None else fitting
        fitting = lists.also(fitting, function, among.ask)
    made = () if fitting is None else (tensors.both(columns.also(fitting, function), function),)
    return Bound(made, notes=tuple(notes))


def _of_a_class(klass: objects.Klass, among: _Wanted) -> Bound:
    """Return what a class is bound to."""
    stopper = stoppers.bind(klass, among.trials)
    if stopper is not None:
        return Bound(trials=(stopper,))
    loop = loops.bind_class(klass, among.trials, among.ask)
    made, note = classes.bind(klass, among.exercises, among.undemanded, among.ask) or ((), "")
    covered = bool(made) or loop is not None or not klass.found.own
    return Bound(tuple(made), () if covered else (klass.name,), (note,) if note else (), (loop,) if loop else ())
