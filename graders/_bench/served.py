"""A reference that stands in some folder, of whatever revision, served by a submission's protocol.

Run as a program by the Python of that revision, which need have nothing but NumPy: of ours it takes the runtime files
of a submission's child, and the file of the function that does nothing. Both sides of a comparison of revisions run
it, so that what calling costs is the same on both.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Function = Callable[..., Any]


def found(name: str) -> Function | None:
    """Return the function of the reference that a dotted name names; None where there is no such topic or name."""
    topic, _, tail = name.partition(".")
    try:
        module = importlib.import_module(f"reference.{topic}")
    except ModuleNotFoundError as error:
        if error.name in ("reference", f"reference.{topic}"):
            return None
        raise
    function = getattr(module, tail, None)
    return with_records(function, vars(module)) if callable(function) else None


def with_records(function: Function, known: dict[str, Any]) -> Function:
    """Return a function that is handed its module's own named tuples for those that the protocol makes."""

    def own(value: Any) -> Any:
        if not isinstance(value, tuple):
            return value
        kind: Any = known.get(type(value).__name__)
        fields = map(own, value)
        return kind(*fields) if getattr(kind, "_fields", None) == getattr(value, "_fields", ()) else tuple(fields)

    return lambda *arguments, **keywords: function(*map(own, arguments), **keywords)


def nothing(like: str) -> Function:
    """Return the function that does nothing, from its file: that package of ours is not there for other Pythons."""
    file = Path(__file__).parents[1] / "harness" / "speed" / "nothing.py"
    spec = importlib.util.spec_from_file_location("nothing", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Function = module.nothing(json.loads(like))
    return made


def names(home: str) -> None:
    """Print which of the names on standard input a reference has, and NumPy's version."""
    import numpy

    sys.path.insert(0, home)
    asked = json.loads(sys.stdin.read())
    print(json.dumps({"numpy": numpy.__version__, "names": [name for name in asked if found(name) is not None]}))


def serve(home: str, runtime: str, grader: str, name: str, like: str, channel: str) -> None:
    """Serve a function until the grader closes the channel, or dies; one that does nothing if it has a `like`."""
    sys.path[:0] = [home, runtime]
    child = importlib.import_module("gradproof_child.child")
    child.end_with(int(grader))
    function = nothing(like) if like else found(name)
    functions = {} if function is None else {name.partition(".")[2]: function}
    child.serve(int(channel), os.open(os.devnull, os.O_WRONLY), 0, functions)


def count(home: str, runtime: str, name: str, calls: str, times: str) -> None:
    """Make calls so many times, for who counts what that takes; what they are is read from a file."""
    sys.path[:0] = [home, runtime]
    child = importlib.import_module("gradproof_child.child")
    function = found(name)
    assert function is not None
    seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def remembered(*arguments: Any, **keywords: Any) -> Any:
        seen.append((arguments, keywords))
        return function(*arguments, **keywords)

    request = importlib.import_module("gradproof_child.codec").decode_in_place(bytearray(Path(calls).read_bytes()))
    kept: dict[str, Any] = {}
    for call in request["calls"]:
        child.perform({name.partition(".")[2]: remembered}, call, kept)
    for _ in range(int(times)):
        for arguments, keywords in seen:
            function(*arguments, **keywords)


if __name__ == "__main__":
    {"names": names, "serve": serve, "count": count}[sys.argv[1]](*sys.argv[2:])  # type: ignore[operator]
