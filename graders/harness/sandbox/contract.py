"""What crosses the boundary: calls go in, outcomes come out. Whatever stands behind a `Box` may be replaced."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from graders.harness.sandbox.codec import Encoded, Kept, Opaque, Record, encode

Path = tuple[int | str, ...]


@dataclass(frozen=True)
class Call:
    """One call to make: `function(*arguments, **keywords)`; the parts of its result at `read` come back.

    An argument may be `Kept`, a part of an earlier call's result that stayed in the child, or a `Record`, which the
    child builds as a namedtuple. With `keep`, the whole result stays in the child under that name.
    """

    function: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    read: tuple[Path, ...] = ((),)
    keep: str = ""

    @functools.cached_property
    def encoded(self) -> Encoded:
        """Return the call as the codec carries it, made once however often it is sent."""
        return Encoded(encode(self.as_data()))

    def as_data(self) -> list[Any]:
        """Return the call as what the codec can carry."""
        read = [list(path) for path in self.read]
        return [self.function, list(self.arguments), dict(self.keywords), read, self.keep]


@dataclass(frozen=True)
class Returned:
    """The call returned: one value for each path that was read."""

    values: tuple[Any, ...]
    mutated: tuple[int, ...] = ()
    """Positions of the arguments that were written to."""
    aliased: bool = False
    """Whether the result shares memory with an argument."""


@dataclass(frozen=True)
class Raised:
    """The call raised, or returned what has no such part (then `kind` is "unreadable")."""

    kind: str
    message: str
    line: int | None = None
    text: str = ""
    file: str = ""
    missing: str | None = None
    """The package that could not be imported, if that is why."""


@dataclass(frozen=True)
class TimedOut:
    """The call took longer than it may."""

    seconds: float
    clock: str


@dataclass(frozen=True)
class Killed:
    """The process died or broke the protocol."""

    why: str


Outcome = Returned | Raised | TimedOut | Killed


@dataclass(frozen=True)
class Function:
    """A function that a submission has, as it describes itself."""

    name: str
    parameters: tuple[tuple[str, str, bool], ...] | None
    """Name, kind ("positional", "keyword", "rest", "others") and whether it must be given; None if unknown."""
    own: bool = True
    """Whether the submission defines it, rather than imports it."""

    @property
    def tail(self) -> str:
        """Return the bare name."""
        return self.name.rpartition(".")[2]

    def names(self, *kinds: str) -> tuple[str, ...]:
        """Return the names of its parameters of these kinds."""
        return tuple(name for name, kind, _ in self.parameters or () if kind in kinds)


@dataclass(frozen=True)
class Loaded:
    """The submission was loaded and has these functions."""

    functions: tuple[Function, ...]
    notes: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    """The packages that its functions import when they are called, if they do so at all."""


@dataclass(frozen=True)
class Limits:
    """What a submission may take: seconds of its own CPU clock, with a wall clock behind it, and bytes of memory."""

    call_seconds: float = 2.0
    load_seconds: float = 10.0
    wall_factor: float = 4.0
    total_seconds: float = 30.0
    memory: int = 4 << 30
    printed: int = 1 << 16


class Box(Protocol):
    """A submission behind the boundary."""

    spent: float
    """Seconds of its clock that the submission has used."""

    @property
    def loaded(self) -> Loaded | Raised | TimedOut | Killed:
        """What came of loading it."""
        ...

    def call(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make the calls in order; one outcome each. After TimedOut or Killed the rest were not made."""
        ...

    def close(self) -> None:
        """End the submission; nothing of it is left."""
        ...


def outcome(reply: Any, call: Call | None = None) -> Outcome:
    """Return the outcome that a child's reply to a call describes; a reply of any other form broke the protocol."""
    match reply:
        case ["returned", list(values), list(mutated), bool(aliased)]:
            positions = tuple(p for p in mutated if type(p) is int and p >= 0)
            if call is not None and (len(values) != len(call.read) or any(p >= len(call.arguments) for p in positions)):
                return Killed("it broke the protocol: a reply to another call")
            return Returned(tuple(values), positions, aliased)
        case {"status": "unreadable", "message": str(message)}:
            return Raised("unreadable", message)
        case {"status": "raised", "kind": str(kind), "message": str(message)}:
            line, missing = reply.get("line"), reply.get("missing")
            return Raised(
                kind,
                message,
                line if isinstance(line, int) else None,
                str(reply.get("text", "")),
                str(reply.get("file", "")),
                missing if isinstance(missing, str) else None,
            )
    return Killed("it broke the protocol: a reply of an unknown form")


def loaded(reply: Any) -> Loaded | Raised | Killed:
    """Return what a child's answer to loading describes."""
    match reply:
        case {"status": "loaded", "functions": list(functions), "notes": list(notes), "imports": list(imports)}:
            try:
                return Loaded(
                    tuple(
                        Function(
                            str(f["name"]),
                            None
                            if f["parameters"] is None
                            else tuple((str(n), str(k), bool(r)) for n, k, r in f["parameters"]),
                            bool(f["own"]),
                        )
                        for f in functions
                    ),
                    tuple(str(note) for note in notes),
                    tuple(name for name in imports if isinstance(name, str)),
                )
            except (TypeError, KeyError, ValueError):
                return Killed("it broke the protocol: a listing of an unknown form")
    answer = outcome(reply)
    return answer if isinstance(answer, (Raised, Killed)) else Killed("it broke the protocol: a reply out of order")


__all__ = [
    "Box",
    "Call",
    "Function",
    "Kept",
    "Killed",
    "Limits",
    "Loaded",
    "Opaque",
    "Outcome",
    "Path",
    "Raised",
    "Record",
    "Returned",
    "TimedOut",
    "loaded",
    "outcome",
]
