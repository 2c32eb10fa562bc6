"""The child: loads one submission, makes the calls that it is told to make, and sends back data.

It runs as a program of its own from a folder that holds only this file and the codec (hence the relative import), with
the standard library and the packages an exercise allows in view and nothing else: no reference, no expected value.
Nothing it reports is trusted beyond being data; comparison, clock and verdict stay with the parent.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import io
import json
import linecache
import os
import re
import sys
import traceback
import types
import warnings
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .codec import HEADER, MAX_FRAME, Kept, Malformed, Opaque, Rebuilt, Record, decode, frame

Functions = dict[str, Callable[..., Any]]
MAX_MESSAGE = 2000
_INNER_IMPORT = re.compile(r'(?:^|"|\\n)[ \t]+(?:import|from)\s', re.MULTILINE)  # a notebook's lines are texts in JSON
STUBS = ("gradproof", "matplotlib", "matplotlib.pyplot", "past", "past.builtins")


# ---------------------------------------------------------------- loading


class _Sources(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports modules from texts in memory, so that no path of a submission need be visible here."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        stem = name.replace(".", "/")
        for file, package in ((f"{stem}/__init__.py", True), (f"{stem}.py", False)):
            if file in self.files:
                return importlib.util.spec_from_loader(name, self, origin=file, is_package=package)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        origin = str(module.__spec__.origin) if module.__spec__ else module.__name__
        module.__file__ = origin
        _execute(self.files[origin], origin, module)


class NotANotebook(ValueError):
    """A file that ends like a notebook and is none."""


class _AbsentValue:
    """Whatever a package that is not here would have offered; using it says which package that is."""

    def __init__(self, package: str) -> None:
        self._package = package

    def _refuse(self, *arguments: Any, **keywords: Any) -> Any:
        raise ModuleNotFoundError(f"No module named {self._package!r}", name=self._package)

    __getitem__ = __iter__ = __add__ = __radd__ = __mul__ = __rmul__ = __matmul__ = __array__ = _refuse

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if len(arguments) == 1 and callable(arguments[0]) and not keywords:
            return self._refuse  # it decorates a function, which then cannot be called
        return self if keywords and not arguments else self._refuse()

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports packages that are not here as empty shells, so that what does not need them can still be judged."""

    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = tuple(packages)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if any(name == package or name.startswith(f"{package}.") for package in self.packages):
            return importlib.util.spec_from_loader(name, self, is_package=True)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        value = _AbsentValue(module.__name__.partition(".")[0])

        def missing(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return value

        module.__dict__["__getattr__"] = missing


class _Nothing:
    """Whatever a plotting library offers: called, indexed or unpacked, it does nothing."""

    def _itself(self, *arguments: Any, **keywords: Any) -> Any:
        return self

    __call__ = __getitem__ = __enter__ = __exit__ = _itself

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __iter__(self) -> Any:
        return iter((self, self))  # figure, axes = plt.subplots()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


class _Stub(types.ModuleType):
    """A module whose every name does nothing: plotting has no part in a grade."""

    __path__: list[str] = []  # noqa: RUF012  (makes it a package)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing()


def _remember(text: str, filename: str) -> None:
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)


def _execute(text: str, filename: str, module: types.ModuleType) -> None:
    _remember(text, filename)
    exec(compile(text, filename, "exec", dont_inherit=True), module.__dict__)  # noqa: S102


def _has_effect(node: ast.expr) -> bool:
    """Return whether evaluating the expression could do more than make a constant or a function."""
    if isinstance(node, ast.Lambda):
        return False
    harmless = (ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.BinOp, ast.UnaryOp)
    contexts = (ast.expr_context, ast.operator, ast.unaryop)
    return not all(isinstance(part, (*harmless, *contexts)) for part in ast.walk(node))


def _defines(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return statement.value is not None and not _has_effect(statement.value)
    return isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef))


def _load_notebook(text: str, filename: str, module: types.ModuleType) -> list[str]:
    """Execute the definitions of each code cell, one by one: a half-written cell spoils itself only."""
    notes = []
    for number, source in enumerate(_cells(text), 1):
        name = f"{filename} cell {number}"
        magic = source.lstrip().split(maxsplit=1)[0] if source.strip() else ""
        if magic.startswith("%%") and magic not in ("%%time", "%%timeit", "%%capture"):
            notes.append(f"cell {number} is not Python but {magic}: left out")
            continue
        plain = "\n".join("" if line.lstrip()[:1] in ("%", "!", "?") else line for line in source.split("\n"))
        _remember(plain, name)
        try:
            statements = ast.parse(plain, name).body
        except SyntaxError as error:
            notes.append(f"cell {number} is not Python: {error.msg} (line {error.lineno})")
            continue
        for statement in filter(_defines, statements):
            code = compile(ast.Module([statement], []), name, "exec", dont_inherit=True)
            try:
                exec(code, module.__dict__)  # noqa: S102
            except Exception as error:
                notes.append(f"cell {number}, line {statement.lineno}: {type(error).__name__}: {error}")
    return notes


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


def _functions_of(module: types.ModuleType, prefix: str) -> Functions:
    return {
        prefix + name: value
        for name, value in list(vars(module).items())
        if not name.startswith("_") and callable(value) and not isinstance(value, (type, _Stub, _Nothing, _AbsentValue))
    }


def imported(kind: str, files: Mapping[str, str]) -> list[str]:
    """Return the packages that a submission imports inside its functions: they must be there by then."""
    roots: set[str] = set()
    for text in filter(_INNER_IMPORT.search, files.values()):
        with contextlib.suppress(Exception):
            sources = [text] if kind != "notebook" else _cells(text)
            for node in (node for source in sources for node in _nodes(source)):
                if isinstance(node, ast.Import):
                    roots |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    roots.add(node.module.partition(".")[0])
    return sorted(root for root in roots if len(root) < 80)[:100]


def _nodes(source: str) -> list[ast.AST]:
    with contextlib.suppress(SyntaxError):
        return list(ast.walk(ast.parse(source)))
    return []


def _cells(text: str) -> list[str]:
    """Return the code cells of a notebook."""
    try:
        cells = json.loads(text)["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise NotANotebook("not a notebook of format 4: no JSON object with a list of cells") from None


def load(name: str, kind: str, files: Mapping[str, str], absent: Sequence[str] = ()) -> tuple[Functions, list[str]]:
    """Execute a submission and return its functions by name, with notes on what could not be loaded.

    The packages in `absent` are imported as empty shells.

    `kind` is "file" or "notebook" (one text, `name` its file name), "module" (`name` a dotted module inside the package
    that `files` hold) or "package" (every module of it).
    """
    for stub in STUBS:
        with contextlib.suppress(Exception):
            if importlib.util.find_spec(stub) is not None:
                continue
        sys.modules[stub] = _Stub(stub)
        outer, _, inner = stub.rpartition(".")
        if outer:  # `import matplotlib.pyplot as plt` reads the attribute
            setattr(sys.modules[outer], inner, sys.modules[stub])
    sys.modules["past.builtins"].__dict__.update(xrange=range, range=range, basestring=str, unicode=str)
    sys.meta_path.append(_Absent(absent))
    if kind in ("file", "notebook"):
        module = types.ModuleType(os.path.splitext(os.path.basename(name))[0])
        module.__file__ = name
        sys.modules.setdefault(module.__name__, module)
        (text,) = files.values()
        if kind == "notebook":
            notes = _load_notebook(text, name, module)
            return _functions_of(module, ""), notes
        _execute(text, name, module)
        return _functions_of(module, ""), []
    sys.meta_path.insert(0, _Sources(files))
    if kind == "module":
        return _functions_of(importlib.import_module(name), ""), []
    functions: Functions = {}
    notes = []
    for file in sorted(files):
        dotted = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        try:
            module = importlib.import_module(dotted)
        except BaseException as error:
            notes.append(f"{file}: {type(error).__name__}: {str(error)[:200]}")
            continue
        tail = dotted.partition(".")[2]
        functions |= _functions_of(module, f"{tail}." if tail else "")
    return functions, notes


def _home(function: Any) -> str:
    """Return the package that a function, or the class of a callable object, was defined in."""
    inner = function.func if isinstance(function, functools.partial) else function
    module = type(inner).__module__
    with contextlib.suppress(Exception):
        module = inner.__module__ or module
    return str(module).partition(".")[0]


def listing(functions: Functions) -> list[dict[str, Any]]:
    """Describe the functions: name, parameters, and whether the submission itself defines them."""
    foreign = ("numpy", "builtins", "torch", "scipy", "math", "random", "functools", "operator")
    return [
        {
            "name": name,
            "parameters": _parameters(function),
            "own": _home(function) not in foreign,
        }
        for name, function in functions.items()
    ]


# ---------------------------------------------------------------- calling


def _build(value: Any, kept: Mapping[str, Any]) -> Any:
    """Return the argument that a description stands for, fresh for every call."""
    if isinstance(value, Kept):
        if value.name not in kept:
            raise LookupError(f"an earlier call failed, so {value.name} is not there")
        return _part(kept[value.name], value.path)
    if isinstance(value, Rebuilt):
        return _kind(value.name, value.fields)(*_fields(_build(value.kept, kept), value.fields))
    if isinstance(value, Record):
        fields = {name: _build(field, kept) for name, field in value.fields.items()}
        return _kind(value.name, tuple(fields))(**fields)
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (list, tuple)):
        return type(value)(_build(item, kept) for item in value)
    if isinstance(value, dict):
        return {key: _build(item, kept) for key, item in value.items()}
    return value


@functools.lru_cache(maxsize=64)
def _kind(name: str, fields: tuple[str, ...]) -> Any:
    """Return the namedtuple of that name; to make one takes longer than most calls."""
    return namedtuple(name, fields)


def _fields(value: Any, names: tuple[str, ...]) -> list[Any]:
    """Return a state's fields: from a mapping or attributes by name, from a sequence in order, or the one there is."""
    if isinstance(value, Mapping) or all(hasattr(value, name) for name in names):
        return [_part(value, (name,)) for name in names]
    if isinstance(value, (tuple, list)) and len(value) == len(names):
        return list(value)
    if len(names) == 1 and not isinstance(value, (tuple, list)):
        return [value]
    raise LookupError(f"the new state is {described(value)}, expected {len(names)} values: {', '.join(names)}")


def _part(value: Any, path: Sequence[int | str]) -> Any:
    """Return the part of a result that a path names; raise LookupError, in words, if it has no such part."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, (tuple, list)):
                raise LookupError(f"returned {described(value)}, expected a tuple of several results")
            if step >= len(value):
                raise LookupError(f"returned a tuple of {len(value)}, expected at least {step + 1}")
            value = value[step]
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        elif hasattr(value, step):
            value = getattr(value, step)
        else:
            raise LookupError(f"returned {described(value)}, expected it to hold {step!r}")
    return value


def described(value: Any) -> str:
    """Say in a few words what a value is: `an array of shape (3,)`, `None`, `a tuple of 2`."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" + (" of objects" if value.dtype == object else "")
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def plain(value: Any, depth: int = 6) -> Any:
    """Return the data of a result: base arrays, numbers, strings and containers; `Opaque` for whatever is none."""
    if depth < 0:
        return Opaque("a structure nested too deeply")
    if value is None or type(value) in (bool, float, str):
        return value
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else Opaque("an integer of more than 64 bits")
    if isinstance(value, (np.ndarray, np.generic)):
        data = np.array(value, subok=False)
        if data.dtype.kind == "f" and data.dtype.itemsize > 8:
            data = data.astype(np.float64)
        return data if data.dtype.kind in "biuf" and data.dtype.itemsize <= 8 else Opaque(f"an array of {data.dtype}")
    if type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
        return plain(value.detach().cpu().numpy(), depth)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {str(field): plain(item, depth - 1) for field, item in zip(value._fields, value, strict=False)}
    if isinstance(value, (list, tuple)):
        return (
            type(value)(plain(item, depth - 1) for item in value)
            if type(value) in (list, tuple)
            else Opaque(described(value))
        )
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth - 1) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name), depth - 1) for f in dataclasses.fields(value)}
    return Opaque(described(value))


def _arrays(values: Any) -> list[np.ndarray[Any, Any]]:
    if isinstance(values, np.ndarray):
        return [values]
    if isinstance(values, (list, tuple)):
        return [array for value in values for array in _arrays(value)]
    return []


def failure(error: BaseException) -> dict[str, Any]:
    """Describe an exception as data: its type, its message, and the last line of the submission it passed."""
    line, text, where = None, "", ""
    with contextlib.suppress(Exception):
        if isinstance(error, SyntaxError):
            line, text, where = error.lineno, (error.text or "").strip(), error.filename or ""
        else:
            own = [f for f in traceback.extract_tb(error.__traceback__) if not os.path.isabs(f.filename)]
            if own:
                line, text, where = own[-1].lineno, own[-1].line or "", own[-1].filename
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error)[:MAX_MESSAGE]
    except BaseException:
        message = "(its message could not be read)"
    missing = None
    with contextlib.suppress(Exception):
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return {
        "status": "raised",
        "kind": type(error).__name__[:100],
        "message": message,
        "line": line,
        "text": str(text)[:200],
        "file": str(where)[:200],
        "missing": str(missing) if missing else None,
    }


def perform(
    functions: Mapping[str, Callable[..., Any]],
    call: Sequence[Any],
    kept: dict[str, Any],
    through: tuple[type[BaseException], ...] = (),
) -> Any:
    """Make one call and describe what came of it: the parts of the result that were asked for, as data.

    A call is a list, and so is the answer to one that returned, since these cross a thousand times for a submission.
    Exceptions of the kinds in `through` are the caller's own (Ctrl-C in a self-check) and pass.
    """
    function, arguments, keywords, read, keep = call
    try:
        arguments = [_build(value, kept) for value in arguments]
        keywords = {name: _build(value, kept) for name, value in keywords.items()}
    except LookupError as error:
        kept.pop(keep, None)
        return {"status": "unreadable", "message": str(error)[:MAX_MESSAGE]}
    except BaseException as error:  # a state's own property may raise
        kept.pop(keep, None)
        return failure(error)
    kept.pop(keep, None)  # what was kept under this name is an argument now, or was meant to be replaced
    given = [(position, array) for position, value in enumerate(arguments) for array in _arrays(value)]
    before = [array.copy() for _, array in given]
    try:
        result = functions[function](*arguments, **keywords)
        mutated = sorted(
            {
                position
                for (position, array), copy in zip(given, before, strict=True)
                if array.shape != copy.shape or array.tobytes() != copy.tobytes()
            }
        )
        parts = []
        for path in read:
            try:
                parts.append(_part(result, path))
            except LookupError as error:
                return {"status": "unreadable", "message": str(error)[:MAX_MESSAGE]}
        if keep:
            kept[keep] = result
        outputs = [array for part in parts for array in _arrays(part)]
        aliased = any(np.may_share_memory(output, array) for output in outputs for _, array in given)
        return ["returned", [plain(part) for part in parts], mutated, aliased]
    except through:
        raise
    except BaseException as error:
        return failure(error)


# ---------------------------------------------------------------- serving


def _read_exactly(stream: int, size: int) -> bytes:
    chunks = []
    while size:
        chunk = os.read(stream, min(size, 1 << 20))
        if not chunk:
            raise EOFError
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def _send(stream: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(stream, view) :]


def _limit(memory: int, printed: int) -> None:
    """Bound what this process can take, where nothing better is to be had than limits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (printed, printed))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


class _Capped(io.RawIOBase):
    """A descriptor to which so many bytes are written; what is printed beyond that is dropped, without an error."""

    def __init__(self, descriptor: int, left: int) -> None:
        self.descriptor = descriptor
        self.left = left

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def write(self, data: Any) -> int:
        kept = bytes(data[: self.left])
        with contextlib.suppress(OSError):
            os.write(self.descriptor, kept)
        self.left -= len(kept)
        return len(data)


def _end_with(grader: int) -> None:
    """See to it that this process does not outlive its grader, which may have died before this was asked."""
    if sys.platform == "linux":
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != grader:
        os._exit(1)


def _reply(sequence: int, value: Any) -> bytes:
    try:
        return frame(sequence, value)
    except Malformed as error:
        return frame(sequence, {"status": "unreadable", "message": f"returned {error}"})


def main(grader: int, channel: int, sink: int, memory: int, printed: int) -> None:
    """Serve the process `grader` from an interpreter of one's own, where no zygote can confine a child."""
    _end_with(grader)
    _limit(memory, printed)
    serve(channel, sink, printed)


def serve(channel: int, sink: int, printed: int) -> None:
    """Serve the requests that arrive on a channel until it closes: first to load, then to call.

    What Python prints goes to the sink, so many bytes of it; what is written to the standard descriptors, nowhere.
    """
    capped: Any = _Capped(sink, printed)
    sys.stdout = sys.stderr = io.TextIOWrapper(capped, encoding="utf-8", errors="replace", write_through=True)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    functions: Functions = {}
    while True:
        try:
            sequence, length = HEADER.unpack(_read_exactly(channel, HEADER.size))
        except EOFError:
            return
        if length > MAX_FRAME:
            return
        request = decode(_read_exactly(channel, length))
        if request["do"] == "load":
            try:
                functions, notes = load(request["name"], request["kind"], request["files"], request["absent"])
                answer: dict[str, Any] = {"status": "loaded", "functions": listing(functions), "notes": notes}
                answer["imports"] = imported(request["kind"], request["files"])
            except BaseException as error:
                answer = failure(error)
            _send(channel, _reply(sequence, answer))
            continue
        kept: dict[str, Any] = {}
        for offset, call in enumerate(request["calls"]):
            _send(channel, _reply(sequence + offset, perform(functions, call, kept)))


__all__ = ["described", "failure", "listing", "load", "main", "perform", "plain", "serve"]
