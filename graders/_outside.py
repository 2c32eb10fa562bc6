"""Exercises from outside the catalogue: of installed packages, by their entry points, and of single files."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from graders.harness import cases
from graders.harness.exercise import Exercise

GROUP = "gradproof.exercises"
"""The group of entry points under which a package names the modules that hold its exercises."""


class UnusableExercises(LookupError):
    """Exercises from outside that cannot join the catalogue; the message says whose, why, and what to do."""


@dataclass(frozen=True)
class Origin:
    """Where an exercise comes from."""

    said: str
    """As a message names it: "the file mine.py"."""
    name: str = "gradproof"
    version: str = ""
    """The version of a distribution, or the digest of a file: a verdict depends on it."""
    mend: str = ""
    """What whoever reads a message about it can do."""


OURS = Origin("gradproof itself")


@dataclass(frozen=True)
class Joined:
    """The whole catalogue, and where each exercise of it comes from."""

    exercises: dict[str, Exercise]
    origins: dict[str, Origin]


def joined(ours: Mapping[str, Exercise], files: Sequence[Path]) -> Joined:
    """Return our exercises with those of installed packages and of these files; raise `UnusableExercises`."""
    made = Joined(dict(ours), dict.fromkeys(ours, OURS))
    bare = {name.partition(".")[2]: name for name in ours}
    for origin, exercises in (*_installed(), *map(_of_file, files)):
        for exercise in exercises:
            known = bare.get(exercise.name.partition(".")[2])
            if known is not None and made.exercises[known] is exercise:
                continue  # imported from us, or from a package that is here already
            if known is not None:
                raise UnusableExercises(_clash(exercise.name, origin, known, made.origins[known]))
            bare[exercise.name.partition(".")[2]] = exercise.name
            made.exercises[exercise.name] = exercise
            made.origins[exercise.name] = origin
    return made


def _clash(name: str, origin: Origin, known: str, before: Origin) -> str:
    tail = name.partition(".")[2]
    mend = f"{origin.mend.capitalize()}." if before is OURS else f"Either {before.mend}, or {origin.mend}."
    return (
        f"the exercises {known} of {before.said} and {name} of {origin.said} have one name: "
        f"a submission's function {tail} could be meant for either. {mend}"
    )


def _installed() -> Iterable[tuple[Origin, list[Exercise]]]:
    points = importlib.metadata.entry_points(group=GROUP)
    for point in sorted(points, key=lambda p: (p.dist.name if p.dist else "", p.name)):
        name, version = (point.dist.name, point.dist.version) if point.dist else ("unknown", "")
        said = f"the installed package {name} {version}".rstrip() + f" ({point.value})"
        origin = Origin(said, name, version, f"rename that of {name}, or uninstall it: pip uninstall {name}")
        try:
            loaded = point.load()
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # a module may even leave by sys.exit
            raise UnusableExercises(
                f"{said} offers exercises, but they cannot be imported: {_why(error)}. "
                f"Mend or uninstall it: pip uninstall {name}"
            ) from error
        yield origin, _held(loaded, origin)


def _of_file(path: Path) -> tuple[Origin, list[Exercise]]:
    said = f"the file {path}"
    if not path.stem.isidentifier() or path.suffix != ".py":
        raise UnusableExercises(
            f"{said} cannot hold exercises: its name is their topic, so it must be a word that ends in .py, as mine.py"
        )
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UnusableExercises(f"{said} cannot be read ({error.strerror})") from None
    digest = hashlib.sha256(text).hexdigest()[:12]
    origin = Origin(said, path.name, f"sha256:{digest}", f"rename the function in {path.name}")
    # of a name that no other module has; its last part is the topic
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    module = ModuleType(f"exercises_of_{place}.{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, str(path), "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        raise UnusableExercises(f"{said} cannot be imported: {_why(error, str(path))}") from error
    return origin, _held(module, origin)


def _why(error: BaseException, file: str = "") -> str:
    """Say what an exception is, and on which line of the file it arose."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    text = re.sub(r"\s+", " ", str(error.msg if isinstance(error, SyntaxError) else error)).strip()
    return f"{type(error).__name__}{': ' + text if text else ''}{f' (line {line})' if line else ''}"


def _held(loaded: Any, origin: Origin) -> list[Exercise]:
    """Return the exercises that a module holds, or the one that an entry point names."""
    values = vars(loaded).values() if isinstance(loaded, ModuleType) else [loaded]
    found = list(dict.fromkeys(value for value in values if isinstance(value, Exercise)))
    if not found:
        raise UnusableExercises(f"{origin.said} holds no exercise: no value is a graders.harness.exercise.Exercise")
    for exercise in found:
        try:
            read = cases.signature(exercise.reference)
            asked = bool(read.arguments) and not all(form == () for form in read.arguments.values())
        except Exception as error:
            raise UnusableExercises(f"{exercise.name} of {origin.said}: its signature cannot be read, "
                                    f"{_why(error)}; annotate every parameter") from error  # fmt: skip
        if not asked and exercise.draw is None:
            raise UnusableExercises(
                f"{exercise.name} of {origin.said}: its signature says of no argument what it is; annotate one at "
                'least, as Annotated[np.ndarray, "n d"], or give the exercise a `draw` of its own'
            )
    return found
