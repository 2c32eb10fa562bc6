"""What crosses the boundary: calls go in, outcomes come out. Whatever stands behind a `Box` may be replaced."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from graders.harness.sandbox.codec import Encoded, Kept, Malformed, Opaque, Record, decode, encode

Path = tuple[int | str, ...]
MOST_FUNCTIONS = 5000
"""Functions of a submission that are looked at."""


@dataclass(frozen=True)
class Call:
    """One call to make: `function(*arguments, **keywords)`; the parts of its result at `read` come back.

    An argument may be `Kept`, a part of an earlier call's result that stayed in the child, or a `Record`, which the
    child builds as a namedtuple. With `keep`, the whole result stays in the child under that name. At
    most `largest` bytes of the parts are read. Of calls that are made together the one that may take longest tells how
    many `seconds` each may; 0 stands for what holds for all of a submission's.
    """

    function: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    read: tuple[Path, ...] = ((),)
    keep: str = ""
    largest: int = 1 << 18
    seconds: float = 0.0

    @functools.cached_property
    def encoded(self) -> Encoded:
        """Return the call as the codec carries it, made once however often it is sent."""
        return Encoded(encode(self.as_data()))

    def as_data(self) -> list[Any]:
        """Return the call as what the codec can carry; what most calls leave as it is, is left out."""
        data: list[Any] = [self.function, list(self.arguments)]
        if self.keywords or self.keep or self.read != ((),):
            data += [dict(self.keywords), [list(path) for path in self.read], self.keep]
        return data


@dataclass(frozen=True)
class Returned:
    """The call returned: one value for each path that was read."""

    values: tuple[Any, ...]
    mutated: tuple[int, ...] = ()
    """Positions of the arguments that were written to, by the grader's own copy."""
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

    @property
    def not_done(self) -> bool:
        """Whether it is the exception by which a hand-out says "to do": the starter was not filled in."""
        return self.kind == NotImplementedError.__name__  # a submission's own, told by name; nothing here raises it


WHOLE = "for the whole submission"
"""The clock of a TimedOut that speaks of all calls together."""


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
    if type(reply) is list and list(map(type, reply)) == [list, bool]:
        if call is not None and len(reply[0]) != len(call.read):
            return Killed("it broke the protocol: a reply to another call")
        return Returned(tuple(reply[0]), aliased=reply[1])
    if _status(reply) == "unreadable":
        return Raised("unreadable", _text(reply, "message"))
    if _status(reply) == "raised":
        line = reply.get("line")
        return Raised(
            _text(reply, "kind", 100),
            _text(reply, "message"),
            line if type(line) is int else None,
            _text(reply, "text", 200),
            _text(reply, "file", 200),
            _text(reply, "missing", 200) or None,
        )
    return Killed("it broke the protocol: a reply of an unknown form")


def _status(reply: Any) -> str:
    """Return what a reply says it is; nothing else of it may be compared before its type is known."""
    status = reply.get("status") if type(reply) is dict else None
    return status if type(status) is str else ""


def _text(reply: Any, name: str, most: int = 2000) -> str:
    """Return a text that a reply holds under a name, cut where the child should have cut it."""
    value = reply.get(name)
    return value[:most] if type(value) is str else ""


def written(sent: bytes, now: bytes) -> tuple[int, ...]:
    """Return the positions of the arguments that differ between a call as it was sent and as it lies there now.

    Raise `Malformed` if more than the elements of its arrays has changed, which no function does by accident.
    """
    match decode(sent), decode(now):
        case [str(before), list(given), *rest], [str(after), list(found), *others]:
            if before == after and len(given) == len(found) and encode(rest) == encode(others):
                pairs = enumerate(zip(given, found, strict=True))
                return tuple(position for position, (one, two) in pairs if encode(one) != encode(two))
    raise Malformed("a call that was rewritten")


def loaded(reply: Any) -> Loaded | Raised | Killed:
    """Return what a child's answer to loading describes."""
    if _status(reply) == "loaded":
        functions, notes, imports = (reply.get(name) for name in ("functions", "notes", "imports"))
        if not (type(functions) is type(notes) is type(imports) is list):
            return Killed("it broke the protocol: a listing of an unknown form")
        listed = [_listed(one) for one in functions[:MOST_FUNCTIONS]]
        found = tuple(one for one in listed if one is not None)
        if len(found) < len(listed):
            return Killed("it broke the protocol: a listing of an unknown form")
        said = [note[:400] for note in notes[:100] if type(note) is str]
        if len(functions) > MOST_FUNCTIONS:
            said.append(f"defines {len(functions):,} functions, of which the first {MOST_FUNCTIONS:,} are looked at")
        return Loaded(found, tuple(said), tuple(n for n in imports[:100] if type(n) is str and len(n) <= 80))
    answer = outcome(reply)
    return answer if isinstance(answer, (Raised, Killed)) else Killed("it broke the protocol: a reply out of order")


def _listed(one: Any) -> Function | None:
    """Return the function that an entry of a listing describes, or None if it describes none."""
    if type(one) is not dict or type(one.get("name")) is not str or type(one.get("own")) is not bool:
        return None
    parameters = one.get("parameters")
    if parameters is None:
        return Function(one["name"][:200], None, one["own"])
    if type(parameters) is not list or any(
        type(p) is not list or [type(part) for part in p] != [str, str, bool] for p in parameters
    ):
        return None
    return Function(one["name"][:200], tuple((n, k, r) for n, k, r in parameters), one["own"])


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
    "WHOLE",
    "TimedOut",
    "loaded",
    "outcome",
    "written",
]
