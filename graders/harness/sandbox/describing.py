"""Describing: what an adapter may know of a submission's functions and classes before any of them is called.

It runs in the child, as loading does.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import linecache
import re
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

Functions = dict[str, Callable[..., Any]]


def _parameters(function: Callable[..., Any]) -> list[list[Any]] | None:
    kinds = {
        inspect.Parameter.POSITIONAL_ONLY: "positional",
        inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
        inspect.Parameter.KEYWORD_ONLY: "keyword",
        inspect.Parameter.VAR_POSITIONAL: "rest",
        inspect.Parameter.VAR_KEYWORD: "others",
    }
    try:
        parameters = inspect.signature(function).parameters.values()
    except Exception:  # a callable object may answer strangely to being looked at
        return None
    return [[p.name, kinds[p.kind], p.default is inspect.Parameter.empty] for p in parameters]


def methods(kind: type) -> list[tuple[str, Any]]:
    """Return what a class and its own bases define that can be called, by name; nothing for one from a library."""
    if home(kind) in FOREIGN:
        return []
    found: dict[str, Any] = {}
    with contextlib.suppress(Exception):  # a metaclass may answer strangely
        for base in kind.__mro__:
            if home(base) not in FOREIGN:
                for name, value in vars(base).items():
                    if (not name.startswith("_") or name == "__call__") and isinstance(value, _METHODS):
                        found.setdefault(name, value)
    return list(found.items())[:MOST_METHODS]


_METHODS = (types.FunctionType, staticmethod)
MOST_METHODS = 100
FOREIGN = ("numpy", "builtins", "torch", "scipy", "math", "random", "functools", "operator", "abc", "enum", "typing")


def module_of(function: Any) -> str:
    """Return the module that a function, or the class of a callable object, was defined in.

    Of what `functools.partial` or `numpy.vectorize` made of a function, it is that of the function.
    """
    inner = function.func if isinstance(function, functools.partial) else function
    with contextlib.suppress(Exception):  # a submission may have put something else in its place
        inner = function.pyfunc if isinstance(function, sys.modules["numpy"].vectorize) else inner
    module = type(inner).__module__
    with contextlib.suppress(Exception):
        module = inner.__module__ or module
    return str(module)


def home(function: Any) -> str:
    """Return the package that a function, or the class of a callable object, was defined in."""
    return module_of(function).partition(".")[0]


def _described(name: str, parameters: list[list[Any]] | None, own: bool) -> dict[str, Any]:
    return {"name": name, "parameters": parameters, "own": own}


def _tags(value: Any) -> list[list[Any]]:
    """Return, as parameters of a kind that no parameter has, what else an adapter may want to know of a function.

    That it names tensors (or that its file imports their library), or the foreign classes that a class derives from,
    or that it is a starter of which nothing was filled, or which parameters it says to be lists of numbers.
    """
    tags: list[list[Any]] = [["", "left open", False]] if _is_left_open(value) else []
    with contextlib.suppress(Exception):
        if isinstance(value, type):
            tags += [["", "class", False]]
            tags += [[f"{b.__module__}.{b.__qualname__}", "base", False] for b in value.__mro__[1:-1]][:20]
            value = vars(value).get("forward") or vars(value).get("step") or vars(value).get("__init__")
        inner = inspect.unwrap(value)
        said = {name: hint if isinstance(hint, str) else inspect.formatannotation(hint) for name, hint in _hints(inner)}
        tags += [[name, "list", False] for name, hint in said.items() if _LIST.match(hint)]
        inside = getattr(inner, "__globals__", {})
        torches = {k for k, v in list(inside.items()) if isinstance(k, str) and _root(v) == "torch"}
        if torches:
            words = {*inner.__code__.co_names, *re.findall(r"\w+", str(inner.__annotations__))}
            tags.append(["torch", "uses", bool(words & (torches | {"Tensor", "torch"}))])
    return tags


_LIST = re.compile(
    r"(typing\.|collections\.abc\.)?(list|sequence|iterable)(\[(float|int|float \| int|int \| float)\])?$", re.I
)
"""How a parameter is said to be a list of numbers, and none of rows."""


def _hints(function: Any) -> list[tuple[str, Any]]:
    return list(function.__annotations__.items()) if isinstance(function, types.FunctionType) else []


_PLACE = re.compile(r"\s*#.*\b(your code|code (goes )?here)\b", re.IGNORECASE)
_ITS_END = re.compile(r"\s*#.*\bends?\b", re.IGNORECASE)
_NAMES = r"[\w.]+(, *[\w.]+)*"
# a starter's own words for "to do", looked for in its text: the exception is named, and never raised here
_LEFT = re.compile(rf"\s*(pass|\.\.\.|raise NotImplementedError.*|return( {_NAMES})?|{_NAMES} *= *None)\s*(#.*)?$")
"""What stands where a starter wants code: nothing is done here."""


def _is_left_open(value: Any) -> bool:
    """Return whether a starter's places for code ("YOUR CODE HERE") are there, and not one of them was filled."""
    with contextlib.suppress(Exception):
        functions = [f for _, f in methods(value)] if isinstance(value, type) else [value]
        places = [is_open for function in functions for is_open in _places(inspect.unwrap(function).__code__)]
        return bool(places) and all(places)
    return False


def _places(code: types.CodeType) -> Iterator[bool]:
    """Yield of each place that a function's text has for code whether it is as it was handed out."""
    lines = linecache.getlines(code.co_filename)
    run = sorted(_run(code) - {code.co_firstlineno})
    last = max(run, default=code.co_firstlineno)
    for at in range(code.co_firstlineno, last):
        if not _PLACE.match(line := lines[at]) or _ITS_END.match(line):
            continue
        after = [other for other in run if other > at + 1]
        ends = next((n for n in range(at + 1, last) if _ITS_END.match(lines[n])), None)
        within = after[:1] if ends is None else [other for other in after if other <= ends]
        yield all(_LEFT.match(lines[other - 1]) for other in within)


def _run(code: types.CodeType) -> set[int]:
    """Return the lines of a function, and of those inside it, that are run."""
    inner = (one for one in code.co_consts if isinstance(one, types.CodeType))
    return {line for *_, line in code.co_lines() if line}.union(*map(_run, inner))


def _root(value: Any) -> str:
    name = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
    return name.partition(".")[0] if isinstance(name, str) else ""


def listing(functions: Functions) -> list[dict[str, Any]]:
    """Describe the functions and classes: name, parameters, and whether the submission itself defines them.

    A method follows its class as `Class.method`, and is tagged as one.
    """
    described = []
    for name, function in functions.items():
        own = home(function) not in FOREIGN
        parameters = _parameters(function)
        if not isinstance(function, type):
            described.append(_described(name, parameters and parameters + _tags(function), own))
        else:
            described.append(_described(name, (parameters or []) + _tags(function), own))
            for method, value in methods(function):
                taken = None if isinstance(value, staticmethod) else _parameters(value)
                if taken:
                    described.append(_described(f"{name}.{method}", [*taken, ["", "method", False]], own))
    return described
