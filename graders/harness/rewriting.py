"""A function with its text changed: what it calls of its own module goes with it, everything else stays as it is."""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from graders.harness.exercise import Function

Scope = dict[str, Any]
CHECK = "require"
"""Begins the name of what only checks arguments, behind underscores: nothing of it is changed."""


def is_check(name: str) -> bool:
    """Return whether a function of this name only checks arguments."""
    return name.lstrip("_").startswith(CHECK)


def called(node: ast.AST | None) -> str:
    """Return the last name of what is called, "" if this is no call."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _package(function: FunctionType) -> str:
    return function.__module__.partition(".")[0]


@functools.cache
def _called_by(function: FunctionType) -> tuple[FunctionType, ...]:
    """Return the functions of the same package that a function's text speaks of, in its order."""
    tree, scope = definition(function), function.__globals__
    found: list[FunctionType] = []
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Name(name):
                found += _held(scope.get(name))
            case ast.Attribute(ast.Name(module), name) if isinstance(scope.get(module), ModuleType):
                found += _held(getattr(scope[module], name, None))
    return tuple(dict.fromkeys(f for f in found if _package(f) == _package(function)))


def _held(value: Any) -> list[FunctionType]:
    """Return a function, or those that a table holds."""
    if isinstance(value, (dict, tuple)):
        return [f for item in (value.values() if isinstance(value, dict) else value) for f in _held(item)]
    return [value] if isinstance(value, FunctionType) else []


def reached(function: Function) -> list[FunctionType]:
    """Return a function and what it calls, at any depth, of the functions that lie in the same package."""
    assert isinstance(function, FunctionType)
    found = [function]
    for known in found:  # which grows on the way
        found += [called for called in _called_by(known) if called not in found]
    return found


def helpers(function: Function) -> list[FunctionType]:
    """Return a function and the private ones of its own file that it is made of.

    Left out is what only checks arguments, asks what kind of array it has, or takes a function: that says how the work
    is cut up, and computes nothing.
    """
    assert isinstance(function, FunctionType)
    found, passed = [function], [function]
    for known in passed:  # which grows on the way
        for called in _called_by(known):
            if called.__module__ != function.__module__ or not called.__name__.startswith("_"):
                continue
            if called not in passed and not _arranges(called):
                passed.append(called)
                found += [called] * (not is_check(called.__name__))  # a check may return what another helper found
    return found


def _arranges(function: FunctionType) -> bool:
    hints = {name: str(hint) for name, hint in function.__annotations__.items()}
    return hints.get("return") == "bool" or any("Callable" in hint for hint in hints.values())


@functools.cache
def definition(function: FunctionType) -> ast.FunctionDef | None:
    """Return the parsed text of a function, or None for one without a text of its own."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, SyntaxError):
        return None
    return tree if isinstance(tree, ast.FunctionDef) else None


def compiled(tree: ast.FunctionDef, like: FunctionType, scope: Scope) -> FunctionType:
    """Return the function that a changed text defines, with the defaults and the name of the one it was."""
    bare = ast.FunctionDef(
        **{**{field: getattr(tree, field) for field in tree._fields}, "decorator_list": []}  # it is undecorated below
    )
    module = ast.fix_missing_locations(ast.Module([bare], []))
    code = compile(module, f"<a variant of {like.__name__}>", "exec", __future__.annotations.compiler_flag)
    made: Scope = dict(scope)
    exec(code, made)  # noqa: S102  # the text is our own, changed in one place
    defined = made[tree.name]
    function = FunctionType(defined.__code__, scope, like.__name__, like.__defaults__, None)
    function.__kwdefaults__ = like.__kwdefaults__
    function.__module__ = like.__module__
    return function


def rebuilt(
    function: Function,
    changed: Mapping[FunctionType, ast.FunctionDef],
    library: Callable[[ModuleType], Any] = lambda module: module,
) -> Function:
    """Return a function as it would be if the text of some of those that it reaches were another.

    `library` may put something else in the place of a module from outside of the package, such as NumPy.
    """
    every = reached(function)
    scopes: dict[int, Scope] = {id(f.__globals__): dict(f.__globals__) for f in every}
    new = {
        f: compiled(changed[f], f, scopes[id(f.__globals__)])
        if f in changed
        else _moved(f, scopes[id(f.__globals__)])
        for f in every
    }  # fmt: skip

    def replaced(value: Any) -> Any:
        if isinstance(value, ModuleType):
            ours = value.__name__.partition(".")[0] == _package(every[0])
            return SimpleNamespace(**{k: exchanged(v) for k, v in vars(value).items()}) if ours else library(value)
        return exchanged(value)

    def exchanged(value: Any) -> Any:
        if not _held(value):
            return value
        if isinstance(value, dict):
            return {name: exchanged(item) for name, item in value.items()}
        if isinstance(value, tuple):
            made = [exchanged(item) for item in value]
            return type(value)(*made) if hasattr(value, "_fields") else tuple(made)
        return new.get(value, value)

    for scope in scopes.values():
        scope.update({name: replaced(value) for name, value in scope.items()})
    return new[every[0]]


def _moved(function: FunctionType, scope: Scope) -> FunctionType:
    made = FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__module__ = function.__module__
    return made
