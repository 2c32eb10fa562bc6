"""An assignment file: which exercises count and how much, what a submission may use, and functions of other names."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import msgspec

from graders import _catalogue
from graders._adapters.overrides import LAYOUTS, Described
from graders.harness.cases import signature
from graders.harness.grade import Bound
from graders.harness.report import Aspect, ExerciseReport, Pace, SubmissionReport
from graders.harness.sandbox.contract import Limits
from graders.harness.speed.workloads import SIZES

ASPECTS = ("values", "gradient", "stability", "consistency", "hygiene")
"""The sides of an answer; a gradient has no values, and any other function no gradient and no consistency."""
DEVICES = {"cpu": "", "cuda": "an NVIDIA GPU"}
POLICIES = {"accept": 1.0, "half": 0.5, "reject": 0.0}
"""What a convention pays, as a share of what it would pay as the default definition."""
_LIMITS = {"call_seconds": float, "load_seconds": float, "total_seconds": float, "memory": int}


class UnusableAssignment(ValueError):
    """An assignment file that cannot be used; the message says what, where, what was expected and what to do."""


@dataclass(frozen=True)
class Threshold:
    """Points for a function that is no slower than so many times another's time."""

    ratio: float
    points: float
    against: str = "reference"
    size: str = "medium"


@dataclass(frozen=True)
class Asked:
    """One exercise of an assignment."""

    points: float = 1.0
    conventions: str = "accept"
    required: bool = True
    aspects: Mapping[str, float] = field(default_factory=dict)
    """What each side of an answer weighs; the grader's own weights if empty."""
    speed: tuple[Threshold, ...] = ()
    """Points for speed, beside those for being right."""
    time_limit: float = 0.0
    """Seconds for one call; those of [limits] if 0."""


@dataclass(frozen=True)
class Assignment:
    """What an assignment file says."""

    title: str = ""
    hints: bool = False
    folders: bool = False
    """Whether each folder is one submission."""
    device: str = "cpu"
    seed: int | None = None
    packages: tuple[str, ...] | None = None
    limits: Limits | None = None
    exercises: Mapping[str, Asked] = field(default_factory=dict)
    """By dotted name; empty if every exercise counts 1."""
    functions: tuple[Described, ...] = ()

    @property
    def required(self) -> list[str]:
        """Return the exercises that a submission must have."""
        return [name for name, asked in self.exercises.items() if asked.required]

    @property
    def thresholds(self) -> dict[str, tuple[Threshold, ...]]:
        """Return what is asked of speed, by exercise."""
        return {name: asked.speed for name, asked in self.exercises.items() if asked.speed}

    def timed(self, bound: Bound) -> Bound:
        """Return what was bound with each call given the time that its exercise has."""
        return replace(
            bound,
            bindings=tuple(self._given_time(b, b.exercise.name) for b in bound.bindings),
            trials=tuple(self._given_time(t, t.trial.name) for t in bound.trials),
        )

    def _given_time(self, binding: Any, name: str) -> Any:
        seconds, plan = self.exercises.get(name, Asked()).time_limit, binding.plan
        if not seconds:
            return binding
        others = tuple(self._given_time(other, name) for other in binding.others)
        return replace(
            binding, others=others, plan=lambda *asked: tuple(replace(call, seconds=seconds) for call in plan(*asked))
        )

    def marked(self, report: SubmissionReport) -> SubmissionReport:
        """Return a report with this assignment's points."""
        if not self.exercises:
            return report
        marked = [_marked(e, self.exercises.get(e.name, Asked())) for e in report.exercises]
        unscored = any(e.score is None for e in marked)
        score = None if unscored or report.score is None else round(sum(e.score or 0.0 for e in marked), 12)
        return msgspec.structs.replace(
            report, exercises=marked, score=score, max_score=round(sum(e.max_score for e in marked), 12)
        )


def _marked(report: ExerciseReport, asked: Asked) -> ExerciseReport:
    """Return an exercise's report with its points, and with what a convention pays."""
    if asked.aspects and report.aspects:
        report = _weighed(report, asked.aspects)
    pays = POLICIES[asked.conventions] if report.verdict == "convention" else 1.0
    aspects = {
        name: msgspec.structs.replace(
            aspect, score=round(aspect.score * asked.points * pays, 12),
            max_score=round(aspect.max_score * asked.points, 12), passed=aspect.passed if pays else False,
        )
        for name, aspect in report.aspects.items()
    }  # fmt: skip
    made = msgspec.structs.replace(
        report,
        aspects=aspects,
        score=None if report.score is None else round(report.score * asked.points * pays, 12),
        max_score=round(report.max_score * asked.points, 12),
    )
    made = _with_speed(made, asked.speed, pays)
    if report.verdict == "convention" and not pays:
        return msgspec.structs.replace(
            made, verdict="wrong", reason=f"{report.reason}, and this assignment asks for its own"
        )
    return made


def _with_speed(report: ExerciseReport, thresholds: Sequence[Threshold], pays: float) -> ExerciseReport:
    """Return an exercise's report with points for speed: for each threshold that it is not seen to miss.

    Only what is right is timed, and has any.
    """
    if not thresholds:
        return report
    paces: dict[tuple[str, str, float], Pace] = {(p.against, p.size, p.within): p for p in report.paces}
    held = [paces.get((t.against, t.size, t.ratio)) for t in thresholds]
    points = [pays * t.points if pace and pace.passed else 0.0 for t, pace in zip(thresholds, held, strict=True)]
    notes = [
        f"speed, {t.size}: {pace.reason} ({given:g} of {t.points:g} point{'s' * (t.points != 1)})"
        for t, pace, given in zip(thresholds, held, points, strict=True)
        if pace
    ]
    if not report.paces and report.function:
        notes = ["speed: only what is right is timed"]
    earned, most = round(sum(points), 12), round(sum(t.points for t in thresholds), 12)
    passed = all(pace.passed for pace in report.paces) if report.paces else None
    return msgspec.structs.replace(
        report,
        aspects=report.aspects | {"speed": Aspect(earned, most, passed)},
        score=None if report.score is None else round(report.score + earned, 12),
        max_score=round(report.max_score + most, 12),
        notes=[*report.notes, *notes],
    )


def _weighed(report: ExerciseReport, weights: Mapping[str, float]) -> ExerciseReport:
    """Return an exercise's report with marks by these weights, over the sides that it has.

    What is clean, or consistent, but wrong is wrong: it earns nothing.
    """
    asked = {name: a for name, a in report.aspects.items() if a.passed is not None and weights.get(name)}
    whole = sum(weights[name] for name in asked)
    if not whole:
        return report
    right = report.verdict == "inexact" or any(report.aspects[n].score for n in ("values", "gradient") if n in asked)

    def weighed(name: str, aspect: Aspect) -> Aspect:
        most = weights[name] / whole if name in asked else 0.0
        share = aspect.score / aspect.max_score if aspect.max_score else float(bool(aspect.passed))
        return Aspect(most * share * right, most, aspect.passed)

    aspects = {name: weighed(name, aspect) for name, aspect in report.aspects.items()}
    score = None if report.score is None else sum(a.score for a in aspects.values())
    return msgspec.structs.replace(report, aspects=aspects, score=score, max_score=1.0)


# ---------------------------------------------------------------- reading


def read(path: str | Path) -> Assignment:
    """Return the assignment in a file; raise `UnusableAssignment`."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UnusableAssignment(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UnusableAssignment(f"{path}: not a text in UTF-8; save it as one") from None
    try:
        return _parsed(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UnusableAssignment(f'{path}: not TOML: {error}; a text stands in quotes: title = "Homework 1"') from None
    except UnusableAssignment as error:
        raise UnusableAssignment(f"{path}: {error}") from None


def _parsed(data: Mapping[str, Any]) -> Assignment:
    _known(data, ("assignment", "limits", "exercise", "function"), "the file", "a table")
    head = _table(data.get("assignment", {}), "[assignment]")
    _known(head, ("title", "hints", "folders", "device", "seed", "packages"), "[assignment]")
    title = _of(head, "title", str, "[assignment]", "a text", "")
    hints, folders = (_of(head, key, bool, "[assignment]", "true or false", False) for key in ("hints", "folders"))
    device = _of(head, "device", str, "[assignment]", "a text", "cpu")
    if device not in DEVICES:
        raise UnusableAssignment(f"[assignment] device: got {device!r}, expected one of {_listed(DEVICES)}")
    seed = _of(head, "seed", int, "[assignment]", "a whole number", None)
    if seed is not None and seed < 0:
        raise UnusableAssignment(f"[assignment] seed: got {seed}, expected a whole number from 0 on")
    packages = _texts(head, "packages", "[assignment]")
    limits = _limits(_table(data["limits"], "[limits]")) if "limits" in data else None
    exercises: dict[str, Asked] = {}
    for where, entry in _entries(data, "exercise"):
        exercises |= _exercise(entry, where)
    functions = tuple(_function(entry, where) for where, entry in _entries(data, "function"))
    names = [f.name for f in functions]
    for name in names:
        if names.count(name) > 1:
            raise UnusableAssignment(f"[[function]] name: {name!r} stands there twice; leave one")
    for function in functions:
        if exercises and function.exercise not in exercises:
            raise UnusableAssignment(
                f"[[function]] exercise: {function.exercise!r} is not among the [[exercise]]s; add it there"
            )
    return Assignment(title, hints, folders, device, seed, packages, limits, exercises, functions)


def _limits(table: Mapping[str, Any]) -> Limits:
    _known(table, tuple(_LIMITS), "[limits]")
    made = Limits()
    for name in table:
        value = table[name]
        if type(value) not in (int, float) or not value > 0 or (_LIMITS[name] is int and type(value) is not int):
            kind = "a whole number of bytes above 0" if _LIMITS[name] is int else "a number of seconds above 0"
            raise UnusableAssignment(f"[limits] {name}: got {value!r}, expected {kind}, such as {getattr(made, name)}")
        made = replace(made, **{name: _LIMITS[name](value)})
    return made


def _exercise(entry: Mapping[str, Any], where: str) -> dict[str, Asked]:
    _known(entry, ("name", *(f.name for f in fields(Asked))), where)
    pattern = _must(entry, "name", where, 'the name of an exercise, or a pattern such as "losses.*"')
    try:
        names = _catalogue.chosen_names([pattern])
    except _catalogue.UnknownName as error:
        raise UnusableAssignment(f"{where} name: {error.args[0]}") from None
    points = _of(entry, "points", (int, float), where, "a number", 1.0)
    if not 0 <= points < float("inf"):
        raise UnusableAssignment(f"{where} points: got {points!r}, expected a number from 0 on")
    policy = _of(entry, "conventions", str, where, "a text", "accept")
    if policy not in POLICIES:
        raise UnusableAssignment(
            f"{where} conventions: got {policy!r}, expected one of {_listed(POLICIES)}{_near(policy, POLICIES)}"
        )
    wild = bool(set(pattern) & set("*?["))
    required = _of(entry, "required", bool, where, "true or false", not wild)
    asked = Asked(
        float(points), policy, required, _weights(entry, where), _thresholds(entry, where, names),
        _positive(entry, "time_limit", where) if "time_limit" in entry else 0.0,
    )  # fmt: skip
    return dict.fromkeys(names, asked)


OPPONENTS = {"reference": "gradproof's own", "torch": "PyTorch's"}
"""What a function may be timed beside."""


def _thresholds(entry: Mapping[str, Any], where: str, names: Sequence[str]) -> tuple[Threshold, ...]:
    made = []
    for place, table in _entries(entry, "speed", f"{where} speed"):
        _known(table, tuple(f.name for f in fields(Threshold)), place)
        ratio, points = (_positive(table, key, place) for key in ("ratio", "points"))
        against, size = (_one_of(table, key, place, known) for key, known in (("against", OPPONENTS), ("size", SIZES)))
        for name in names:
            exercise = _catalogue.exercises().get(name)
            if exercise is None:
                raise UnusableAssignment(f"{place}: {name} draws at random or takes functions, and is not timed")
            if against == "torch" and "torch" not in exercise.rivals:
                raise UnusableAssignment(f"{place} against: PyTorch has no {name}; ask for against = 'reference'")
        made.append(Threshold(ratio, points, against, size))
    return tuple(made)


def _positive(table: Mapping[str, Any], key: str, where: str) -> float:
    value = _must(table, key, where, "a number above 0", (int, float))
    if not 0 < value < float("inf"):
        raise UnusableAssignment(f"{where} {key}: got {value!r}, expected a number above 0")
    return float(value)


def _one_of(table: Mapping[str, Any], key: str, where: str, known: Mapping[str, Any]) -> str:
    value: str = _of(table, key, str, where, "a text", getattr(Threshold, key))
    if value not in known:
        raise UnusableAssignment(f"{where} {key}: got {value!r}, expected one of {_listed(known)}{_near(value, known)}")
    return value


def _weights(entry: Mapping[str, Any], where: str) -> dict[str, float]:
    where = f"{where} aspects"
    table = _table(entry.get("aspects", {}), where)
    _known(table, ASPECTS, where, "an aspect")
    for name, weight in table.items():
        if type(weight) not in (int, float) or not 0 <= weight < float("inf"):
            raise UnusableAssignment(f"{where} {name}: got {weight!r}, expected a number from 0 on")
    if table and not any(table.get(name) for name in ("values", "gradient")):
        raise UnusableAssignment(
            f"{where}: neither values nor gradient weigh anything; add values = 0.8, gradient = 0.8"
        )
    return {name: float(weight) for name, weight in table.items()}


def _function(entry: Mapping[str, Any], where: str) -> Described:
    _known(entry, tuple(f.name for f in fields(Described)), where)
    name = _must(entry, "name", where, "the function's own name")
    asked = _must(entry, "exercise", where, "the dotted name of an exercise")
    found = {k: e for k, e in _catalogue.exercises().items() if asked in (k, k.partition(".")[2])}
    drawn = next((k for k in _catalogue.trials() if asked in (k, k.partition(".")[2])), None)
    if drawn is not None:
        _known(entry, ("name", "exercise"), where, f"a key for {drawn}, which is judged by its properties,")
        return Described(name, drawn)
    if not found:
        raise UnusableAssignment(f"{where} exercise: no exercise is called {asked!r}{_catalogue.nearest(asked)}")
    exercise = next(iter(found.values()))
    is_choice = set(entry) == {"name", "exercise"} and name.rpartition(".")[2] == exercise.name.partition(".")[2]
    if exercise.unrolled and not is_choice:
        raise UnusableAssignment(
            f"{where} exercise: {exercise.name} is a step with a state; give its function that name and signature"
        )
    layout = _of(entry, "layout", str, where, "a text", "samples x features")
    if layout not in LAYOUTS:
        raise UnusableAssignment(
            f"{where} layout: got {layout!r}, expected one of {_listed(LAYOUTS)}{_near(layout, LAYOUTS)}"
        )
    takes = signature(exercise.reference)
    arguments = _texts(entry, "arguments", where) or ()
    if arguments and sorted(arguments) != sorted(takes.arguments):
        raise UnusableAssignment(
            f"{where} arguments: got {list(arguments)}, expected {list(takes.arguments)} in the function's own order"
        )
    keywords = _table(entry.get("keywords", {}), f"{where} keywords")
    _known(keywords, tuple(takes.hyperparameters), f"{where} keywords", "a hyperparameter of the exercise")
    returns = entry.get("returns", [])
    path = tuple(returns) if isinstance(returns, list) else (returns,)
    if not all(type(step) in (int, str) for step in path):
        raise UnusableAssignment(
            f"{where} returns: got {returns!r}, expected a position (0), a name, or a list of these"
        )
    return Described(
        name, exercise.name, layout, arguments, {k: str(v) for k, v in keywords.items()}, path,
        _of(entry, "tensors", bool, where, "true or false", False),
    )  # fmt: skip


def _entries(data: Mapping[str, Any], name: str, within: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    entries, where = data.get(name, []), within or f"[[{name}]]"
    if not isinstance(entries, list):
        table = f"exercise.{name}" if within else name
        raise UnusableAssignment(f"[{table}]: got one table, expected a list of them; write [[{table}]]")
    return [(f"{where} {i}", _table(entry, f"{where} {i}")) for i, entry in enumerate(entries, 1)]


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UnusableAssignment(f"{where}: got {value!r}, expected a table")
    return value


def _listed(words: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, words))


def _near(word: str, words: Sequence[str] | Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(word, list(words), 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _known(table: Mapping[str, Any], known: Sequence[str], where: str, what: str = "a key") -> None:
    for key in table:
        if key not in known:
            raise UnusableAssignment(
                f"{where}: {key!r} is not {what} here{_near(key, known) or f'; there are {chr(44).join(known)}'}"
            )


def _must(table: Mapping[str, Any], key: str, where: str, what: str, kind: Any = str) -> Any:
    if key not in table:
        raise UnusableAssignment(f"{where}: has no {key!r}; add {key} = {what}")
    return _of(table, key, kind, where, what, "")


def _of(table: Mapping[str, Any], key: str, kind: Any, where: str, what: str, default: Any) -> Any:
    value = table.get(key, default)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if key in table and type(value) not in kinds:
        raise UnusableAssignment(f"{where} {key}: got {value!r}, expected {what}")
    return value


def _texts(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...] | None:
    if key not in table:
        return None
    value = table[key]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnusableAssignment(f'{where} {key}: got {value!r}, expected a list of texts, such as ["numpy"]')
    return tuple(value)
