"""Files of expected failures: on each line a pattern of names, then # and the reason."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

from graders import _catalogue


class Unusable(ValueError):
    """A line that says nothing; the message says which, and why."""


@dataclass(frozen=True)
class Expected:
    """A line of the file of expected failures."""

    pattern: str
    reason: str
    line: int

    def fits(self, name: str) -> bool:
        """Return whether it speaks of an exercise."""
        return any(fnmatch.fnmatchcase(n, self.pattern) for n in (name, name.partition(".")[2]))


def read(text: str, where: object) -> list[Expected]:
    """Return the lines of a file of expected failures; raise `Unusable` for one that says nothing."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        pattern, _, reason = (part.strip() for part in line.partition("#"))
        if not pattern:
            continue
        if not reason:
            raise Unusable(f"{where}, line {number}: {pattern!r} has no reason; write one after #")
        try:
            _catalogue.select([pattern])
        except _catalogue.UnknownName as error:
            raise Unusable(f"{where}, line {number}: {error.args[0]}") from None
        found.append(Expected(pattern, reason, number))
    return found


def first(expected: Iterable[Expected], name: str) -> Expected | None:
    """Return the first line that speaks of an exercise, or None."""
    return next((line for line in expected if line.fits(name)), None)
