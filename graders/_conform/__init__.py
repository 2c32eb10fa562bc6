"""The conformance matrix: other libraries' own functions, judged by the exercises they have a function for."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import numpy as np
from msgspec import Struct

from graders import _api, _catalogue, _expected, _live
from graders.harness.cases import DTYPES, edges
from graders.harness.certify import proved
from graders.harness.plans import output_names
from graders.harness.report import SCHEMA, SHORT, ExerciseReport, Verdict, Witness

Function = Callable[..., Any]

LIBRARIES: Mapping[str, str] = {
    "torch": "torch", "jax": "jax", "scipy": "scipy", "scikit-learn": "sklearn", "autograd": "autograd",
    "tinygrad": "tinygrad", "onnxruntime": "onnxruntime",
}  # fmt: skip
"""By the name that is asked for, the module that must be importable; ours about it is `_<module>.py` beside this."""


class UnknownLibrary(LookupError):
    """A library that nothing here speaks of; the message says which ones there are."""


class UnknownDtype(ValueError):
    """A dtype in which libraries are not judged; the message says which ones there are."""


class Unusable(RuntimeError):
    """A library that is installed and does not run; the message says why, and what to do."""


@dataclass(frozen=True)
class Documented:
    """A library's function for an exercise: what it is called there, where it is documented, and how it is called."""

    called: str
    url: str
    function: Function
    """In the exercise's signature; a hyperparameter that the library lacks is left out, and held at its default."""


class Row(Struct, frozen=True):
    """How a library fares at one name."""

    name: str
    verdict: Verdict
    called: str
    url: str
    reason: str
    explained: list[str]
    """The known mistakes or the convention that give the library's numbers."""
    max_ulp: float | None
    """In float64, or else the finest dtype asked for, over ordinary cases; under a convention, by it."""
    expected: str
    """The reason in the library's file of expected failures."""
    witness: Witness | None
    notes: list[str]
    max_error_over_allowed: float | None = None
    """The largest error over the one that is allowed, of the cases that `max_ulp` is of."""

    @property
    def surprising(self) -> bool:
        """Return whether it falls short and is not expected to, or the other way round."""
        return (self.verdict in SHORT and self.verdict != "missing") != bool(self.expected)


class Library(Struct, frozen=True):
    """How a library fares."""

    name: str
    status: Literal["judged", "absent"]
    reason: str
    """Why it is not judged."""
    versions: dict[str, str]
    """Of what it is made of, its own first, and what else its numbers hang on."""
    dtypes: list[str]
    rows: list[Row]
    stale: list[str]
    """Lines of its file of expected failures that speak of nothing that is judged."""


class Conformance(Struct, frozen=True):
    """The document of `gradproof conform --json`."""

    schema: int
    seed: int
    versions: dict[str, str]
    libraries: list[Library]

    @property
    def surprises(self) -> list[str]:
        """Return what is not as the files of expected failures have it."""
        rows = [f"{library.name} {row.name}" for library in self.libraries for row in library.rows if row.surprising]
        return rows + [f"{library.name} {line}" for library in self.libraries for line in library.stale]


def conform(
    libraries: Sequence[str],
    only: Sequence[str] = (),
    seed: int = _api.PUBLIC_SEED,
    dtypes: Sequence[str] = DTYPES,
    progress: Callable[[str], None] = lambda name: None,
) -> Conformance:
    """Return how libraries fare, called in this process.

    Raises LookupError for an unknown library or exercise, and `UnknownDtype`.
    """
    for name in libraries:
        if name not in LIBRARIES:
            raise UnknownLibrary(f"nothing is known of the library {name!r}; known are {', '.join(LIBRARIES)}")
    if not dtypes or not set(dtypes) <= set(DTYPES):
        raise UnknownDtype(f"dtypes: expected some of {', '.join(DTYPES)}; got {', '.join(dtypes)}")
    chosen = _catalogue.chosen_names(only)
    key = _api.Key(seed, proved)
    made = [_judged(name, chosen, dtypes, key, progress) for name in dict.fromkeys(libraries)]
    return Conformance(SCHEMA, seed, _api.versions(), made)


def _judged(
    name: str, chosen: Sequence[str], asked: Sequence[str], key: _api.Key, progress: Callable[[str], None]
) -> Library:
    ours = importlib.import_module(f"graders._conform._{LIBRARIES[name]}")
    try:
        importlib.import_module(LIBRARIES[name])
    except ImportError as error:
        return _absent(name, _lacking(name, error, ours.DISTRIBUTIONS))
    has = getattr(ours, "DTYPES", DTYPES)
    dtypes = [dtype for dtype in has if dtype in asked]
    if not dtypes:
        return _absent(name, f"judged in {', '.join(has)} only")
    try:
        functions: dict[str, Documented] = ours.functions()
    except Unusable as error:
        return _absent(name, str(error))
    except ImportError as error:
        return _absent(name, _lacking(name, error, ours.DISTRIBUTIONS))
    expected = expected_failures(name)
    done: dict[str, _live.Judged] = {}
    rows = []
    for exercise in chosen:
        line = _expected.first(expected, exercise)
        there = functions.get(exercise)
        if there is None or not _is_of(exercise, dtypes):
            rows.append(Row(exercise, "missing", "", "", "", [], None, "", None, []))
            continue
        progress(f"{name} {exercise}")
        report = _report(exercise, _live.returning_numpy(there.function), key, dtypes, done)
        # Without a dtype what is expected may not show.
        reason = line.reason if line and (report.verdict in SHORT or len(dtypes) == len(has)) else ""
        rows.append(
            Row(
                exercise, report.verdict, there.called, there.url, report.reason,
                [d.name for d in report.diagnosis], report.max_ulp, reason,
                report.witness, report.notes, report.max_error_over_allowed,
            )
        )  # fmt: skip
    stale = [] if len(chosen) < len(_catalogue.names()) else [
        f"line {line.line}: {line.pattern}" for line in expected if not any(map(line.fits, functions))
    ]  # fmt: skip
    versions = _versions(ours.DISTRIBUTIONS)
    return Library(name, "judged", "", versions | getattr(ours, "environment", dict)(), dtypes, rows, stale)


def _lacking(name: str, error: ImportError, distributions: Sequence[str]) -> str:
    """Say why a library cannot be imported, and how to install it."""
    why = "not installed" if error.name == LIBRARIES[name] else f"it cannot be imported ({error})"
    return f"{why}; pip install {' '.join(distributions)}"


def _versions(distributions: Sequence[str]) -> dict[str, str]:
    """Return the versions of the distributions that are installed: a library may do without one of them."""
    found = {}
    for distribution in distributions:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[distribution] = importlib.metadata.version(distribution)
    return found


def _absent(name: str, why: str) -> Library:
    return Library(name, "absent", why, {}, [], [], [])


def _is_of(name: str, dtypes: Sequence[str]) -> bool:
    """Return whether there is something to judge in these dtypes: what takes and gives integers is float64's alone."""
    known = _catalogue.exercises().get(name)
    return known is None or any(case.dtype in dtypes for case in edges(known))


def _report(
    name: str, function: Function, key: _api.Key, dtypes: Sequence[str], done: dict[str, _live.Judged]
) -> ExerciseReport:
    """Return the verdict on a function; what is `done` has the function that a gradient should belong to."""
    trial = _catalogue.trials().get(name)
    if trial is not None:
        return _live.judge_trial(trial, function, key.seed)
    known = _catalogue.exercises()[name]
    done[name] = _live.judge(known, function, key, dtypes, done.get(known.forward or ""))
    return done[name].report


def expected_failures(name: str) -> list[_expected.Expected]:
    """Return what is known to fall short in a library: the lines of its file beside this one."""
    file = resources.files(__package__) / f"{LIBRARIES[name]}.txt"
    return _expected.read(file.read_text(encoding="utf-8"), file.name) if file.is_file() else []


# ---------------------------------------------------------------- for the files of the libraries

Gradient = Callable[[Function, int], Function]
"""Makes a gradient of a function by the first so many of its arguments."""


def with_gradients(forwards: Mapping[str, Documented], vjp: Gradient, grad: Gradient) -> dict[str, Documented]:
    """Return forward functions together with the gradients of them that the catalogue asks for.

    `vjp` makes a function of the same arguments and a cotangent; `grad` one of the same arguments.
    """
    made = dict(forwards)
    for name, there in forwards.items():
        for ending, derive in (("_vjp", vjp), ("_grad", grad)):
            exercise = _catalogue.exercises().get(name + ending)
            if exercise is not None and name + ending not in made:
                function = functools.wraps(there.function)(derive(there.function, len(output_names(exercise))))
                made[name + ending] = Documented(there.called, there.url, function)
    return made


def reduced(losses: Any, reduction: str) -> Any:
    """Return the mean or the sum of losses, or all of them: of any library's arrays."""
    return losses if reduction == "none" else getattr(losses, reduction)()


def units_in_rows(draw: Function, shape: tuple[int, ...]) -> Any:
    """Return weights of a shape of ours, drawn by a library that has (d_out, d_in) where a dense layer has no field."""
    return np.swapaxes(draw(shape[::-1]), 0, 1) if len(shape) == 2 else draw(shape)
