"""Loading: a submission's texts become modules, and their functions and classes are collected.

It runs in the child, from a folder that holds only its runtime files, with nothing of ours in view.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import linecache
import os
import re
import sys
import traceback
import types
from collections.abc import Mapping, Sequence
from typing import Any

from .describing import Functions, methods, module_of

_INNER_IMPORT = re.compile(r'(?:^|"|\\n)[ \t]+(?:import|from)\s', re.MULTILINE)  # a notebook's lines are texts in JSON
STUBS = ("gradproof", "matplotlib", "matplotlib.pyplot", "past", "past.builtins")


class _Sources(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports modules from texts in memory, so that no path of a submission need be visible here.

    A folder is a package, whether there is an `__init__.py` in it or not.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.notes: list[str] = []
        self.folders = frozenset(file[:end] for file in files for end, sign in enumerate(file) if sign == "/")
        self.roots = {file.partition("/")[0].removesuffix(".py") for file in files}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        stem = name.replace(".", "/")
        for file, package in ((f"{stem}/__init__.py", True), (f"{stem}.py", False)):
            if file in self.files:
                return importlib.util.spec_from_loader(name, self, origin=file, is_package=package)
        if stem in self.folders:
            return importlib.util.spec_from_loader(name, self, origin=f"{stem}/__init__.py", is_package=True)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        origin = str(module.__spec__.origin) if module.__spec__ else module.__name__
        module.__file__ = origin
        self.notes += _load_file(self.files.get(origin, ""), origin, module, self)

    def defines(self, error: SyntaxError, what: str = "def|class") -> list[str]:
        """Return the names of the functions and classes of the file in which this error is."""
        return re.findall(rf"^(?:{what})[ \t]+(\w+)", self.files.get(error.filename or "", ""), re.MULTILINE)


class _Siblings(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports as `layers` what is `theirs.layers`, as if the folder were the one that Python was started in.

    Asked last: what Python or a package has of this name is meant, where there is such a thing.
    """

    def __init__(self, sources: _Sources, root: str) -> None:
        self.sources, self.root = sources, root

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] == self.root or self.sources.find_spec(f"{self.root}.{name}") is None:
            return None
        return importlib.util.spec_from_loader(name, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = importlib.import_module(f"{self.root}.{spec.name}")
        self.own = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        module.__spec__ = self.own  # one module under two names: a class of it is one class


class NotANotebook(ValueError):
    """A file that ends like a notebook and is none."""


class _Refused:
    """A function that cannot be had: to call it says why."""

    def __init__(self, why: BaseException) -> None:
        self._why = why

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        raise self._why.with_traceback(None)


class _AbsentValue:
    """Whatever a module that cannot be imported would have offered; using it says why."""

    loading = False
    """Whether the submission is being loaded: what its modules make of such values then, it may never need."""

    def __init__(self, why: BaseException) -> None:
        self._why = why

    def _refuse(self, *arguments: Any, **keywords: Any) -> Any:
        if _AbsentValue.loading:
            return self
        raise self._why.with_traceback(None)

    __getitem__ = __add__ = __radd__ = __mul__ = __rmul__ = __matmul__ = _refuse
    __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __pow__ = __neg__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __instancecheck__ = _refuse

    def __iter__(self) -> Any:
        raise self._why.with_traceback(None)

    __array__ = __float__ = __index__ = __iter__

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if _AbsentValue.loading and len(arguments) == 1 and callable(arguments[0]) and not keywords:
            return _Refused(self._why)  # it decorates a function, which then cannot be called
        return self._refuse()

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return ()

    def __getattr__(self, name: str) -> Any:
        if name == "__name__":
            return str(getattr(self._why, "name", None) or "")
        if name.startswith("__"):
            raise AttributeError(name)
        return self


starred: list[str] = []
"""The packages that are not here and of which everything was imported: a name that is not there may be theirs."""


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports packages that are not here as empty shells, so that what does not need them can still be judged."""

    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = tuple(packages)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if any(name == package or name.startswith(f"{package}.") for package in self.packages):
            return importlib.util.spec_from_loader(name, self, is_package=True)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        package = module.__name__.partition(".")[0]
        value = _AbsentValue(ModuleNotFoundError(f"No module named {package!r}", name=package))

        def missing(name: str) -> Any:
            if name == "__all__":  # `from package import *`: which names it would have brought, nobody knows
                starred.append(package)
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
    contexts = (ast.expr_context, ast.operator, ast.unaryop, ast.keyword)
    return not all(isinstance(part, (*harmless, *contexts)) or _makes(part) for part in ast.walk(node))


CONSTANTS = (
    "float", "int", "bool", "str", "tuple", "list", "dict", "set", "len", "abs", "min", "max", "range", "namedtuple",
    "finfo", "array", "asarray", "sqrt", "log", "exp", "zeros", "ones", "eye", "arange", "linspace", "float32",
    "float64", "TypeVar",
)  # fmt: skip
"""Functions that make a constant of constants."""


def _makes(node: ast.AST) -> bool:
    """Return whether a call makes a constant, such as `np.finfo(float).eps`."""
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    name = (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
    plain = isinstance(function, ast.Name) or (
        isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)
    )
    return plain and name in CONSTANTS


def _defines(statement: ast.stmt) -> bool:
    """Return whether a statement of a notebook defines something, rather than trains, plots or reads."""
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return statement.value is not None and not _has_effect(statement.value)
    if isinstance(statement, ast.Try):  # such as an import that may fail
        inner = [*statement.body, *statement.orelse, *(s for handler in statement.handlers for s in handler.body)]
        return not statement.finalbody and all(_defines(s) or isinstance(s, ast.Pass) for s in inner)
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
        plain = _without_magic(source)
        _remember(plain, name)
        try:
            statements = ast.parse(plain, name).body
        except SyntaxError as error:
            notes.append(f"cell {number} is not Python: {error.msg} (line {error.lineno})")
            continue
        notes += _define(statements, name, module, f"cell {number}, ")
    return notes


def _define(statements: Sequence[ast.stmt], filename: str, module: types.ModuleType, where: str = "") -> list[str]:
    """Execute the statements that define something, and return what became of those that failed."""
    notes = []
    for statement in filter(_defines, statements):
        code = _compiled(statement, statements, filename)
        try:
            exec(code, module.__dict__)  # noqa: S102
        except Exception as error:
            notes.append(f"{where}line {statement.lineno}: {type(error).__name__}: {error}")
            if isinstance(error, ModuleNotFoundError) and isinstance(statement, _IMPORTS):
                sys.meta_path.append(_Absent([error.name or ""]))  # a file that lacks a package is loaded again
                with contextlib.suppress(Exception):
                    exec(code, module.__dict__)  # noqa: S102
    return notes


def _shells() -> set[str]:
    """Return the packages that are imported as empty shells."""
    return {package for finder in sys.meta_path if isinstance(finder, _Absent) for package in finder.packages}


def _load_file(text: str, filename: str, module: types.ModuleType, sources: _Sources | None = None) -> list[str]:
    """Execute a file: past imports that fail, and where its script fails, for lack of data perhaps, its definitions.

    What the `__init__.py` of a package fails at is told, and does not fail the files beside it.
    """
    initial = sources is not None and os.path.basename(filename) == "__init__.py"
    try:
        _execute(text, filename, module)
    except (Exception, SystemExit) as error:
        if _is_lacking(error, sources):
            raise  # the grader may have the package, and loads the file again with it, or without
        if isinstance(error, SyntaxError) and error.filename == filename:
            if not initial:
                raise
            return [f"{filename}: {_told(error)}; the other files are judged without it"]
        statements = ast.parse(text, filename).body
        own = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == filename]
        failing = next((s for s in statements if own and s.lineno <= own[0] <= (s.end_lineno or 0)), None)
        if isinstance(failing, _IMPORTS) and (sources is not None or not getattr(failing, "level", 0)):
            notes = _execute_past_imports(statements, filename, module, sources)
            is_made = sources is not None or _functions_of(module, "")
        elif isinstance(error, (ImportError, SyntaxError)) and not (initial or _is_of_a_shell(error)):
            raise
        else:
            _define(statements, filename, module)
            at = f" (line {own[0]})" if own else ""
            said = _told(error).replace(type(error).__name__, f"{type(error).__name__}{at}", 1)
            notes = [f"running {filename} raised {said}; its definitions are judged"]
            is_made = initial or _functions_of(module, "")
        if not is_made:
            raise
        return notes
    return []


_IMPORTS = (ast.Import, ast.ImportFrom)


def _told(error: BaseException) -> str:
    """Return what an error says, without where a library lies on this machine."""
    said = re.sub(r" \(/.*\)$", "", str(error))
    return f"{type(error).__name__}{': ' * bool(said)}{said[:200]}"


def _is_of_a_shell(error: BaseException) -> bool:
    return isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _shells()


def _is_lacking(error: BaseException, sources: _Sources | None) -> bool:
    """Return whether it is a package that is lacking: none of the submission's own, and none that is known to be."""
    if not isinstance(error, ModuleNotFoundError) or _is_of_a_shell(error):
        return False
    return not (sources is not None and (error.name or "").partition(".")[0] in sources.roots)


def _execute_past_imports(
    statements: Sequence[ast.stmt], filename: str, module: types.ModuleType, sources: _Sources | None
) -> list[str]:
    """Execute statement by statement past imports that fail, and after another failure the definitions alone."""
    notes: list[str] = []
    is_whole = True
    for statement in statements:
        if not (is_whole or _defines(statement)):
            continue
        try:
            exec(_compiled(statement, statements, filename), module.__dict__)  # noqa: S102
        except (Exception, SystemExit) as error:
            if _is_lacking(error, sources):
                raise
            notes.append(f"{filename}, line {statement.lineno}: {_told(error)}")
            if isinstance(statement, _IMPORTS):
                notes[-1] += "; what needs this import cannot be judged"
                for name in _names(statement, error, sources):
                    module.__dict__.setdefault(name, _AbsentValue(error.with_traceback(None)))
            else:
                is_whole = False
    return notes


def _names(statement: ast.Import | ast.ImportFrom, error: BaseException, sources: _Sources | None) -> list[str]:
    """Return the names that an import would have brought."""
    names = [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
    if names == ["*"]:
        return sources.defines(error) if sources is not None and isinstance(error, SyntaxError) else []
    return names


def _compiled(statement: ast.stmt, among: Sequence[ast.stmt], filename: str) -> types.CodeType:
    """Return the code of one statement of a file, under what the file imports from `__future__`."""
    future = [s for s in among if isinstance(s, ast.ImportFrom) and s.module == "__future__" and not s.level]
    flags = 0
    for alias in (alias for s in future for alias in s.names):
        flags |= getattr(__future__, alias.name).compiler_flag
    code: types.CodeType = compile(ast.Module([statement], []), filename, "exec", flags, dont_inherit=True)
    return code


_ALONE: Mapping[str, types.ModuleType] = types.MappingProxyType({})


def _functions_of(module: types.ModuleType, prefix: str, of: Mapping[str, types.ModuleType] = _ALONE) -> Functions:
    """Return the functions and classes of a module, and what its classes have that needs no object.

    What another module `of` the same package defines under that name is listed there, and not wherever it is imported.
    """
    found: Functions = {}
    for name, value in list(vars(module).items()):
        if name.startswith("_") or not callable(value) or isinstance(value, (_Stub, _Nothing, _AbsentValue)):
            continue
        home = of.get(module_of(value), module)
        if home is not module and vars(home).get(name) is value:
            continue
        if not isinstance(value, type):
            found[prefix + name] = value
        elif own := methods(value):
            found[prefix + name] = value
            found |= {f"{prefix}{name}.{other}": f.__func__ for other, f in own if isinstance(f, staticmethod)}
    return found


def imported(kind: str, files: Mapping[str, str]) -> list[str]:
    """Return the packages that a submission imports inside its functions: they must be there by then.

    Of a package and a notebook it is all: a module or a cell that lacks one is left out, rather than all of it.
    """
    roots: set[str] = set()
    texts = files.values() if kind in ("package", "notebook") else filter(_INNER_IMPORT.search, files.values())
    for text in texts:
        with contextlib.suppress(Exception):
            sources = [text] if kind != "notebook" else map(_without_magic, _cells(text))
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


def _without_magic(source: str) -> str:
    """Return a cell without the lines that are commands to the notebook or to a shell."""
    return "\n".join("" if line.lstrip()[:1] in ("%", "!", "?") else line for line in source.split("\n"))


def load(name: str, kind: str, files: Mapping[str, str], absent: Sequence[str] = ()) -> tuple[Functions, list[str]]:
    """Execute a submission, as `_loaded` says, with no use of an absent package refused before it is called."""
    _AbsentValue.loading = True
    try:
        return _loaded(name, kind, files, absent)
    finally:
        _AbsentValue.loading = False


def _loaded(name: str, kind: str, files: Mapping[str, str], absent: Sequence[str]) -> tuple[Functions, list[str]]:
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
        notes = _load_file(text, name, module)
        return _functions_of(module, ""), notes
    sources = _Sources(files)
    sys.meta_path.insert(0, sources)
    sys.meta_path.insert(-1, _Siblings(sources, min(files, default="").partition("/")[0]))  # before empty shells
    if kind == "module":
        return _functions_of(importlib.import_module(name), ""), sources.notes
    notes = sources.notes
    functions: Functions = {}
    modules: dict[str, types.ModuleType] = {}
    for file in sorted(files):
        dotted = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        try:
            modules[dotted] = _import_in_part(dotted, sources)
        except BaseException as error:
            notes.append(f"{file}: {_told(error)}")
            if isinstance(error, SyntaxError) and error.filename == file:  # what it would define is judged as that
                prefix = dotted.partition(".")[2]
                functions |= {f"{prefix}.{name}": _Refused(error) for name in sources.defines(error, "def")}
    for dotted, module in modules.items():
        tail = dotted.partition(".")[2]
        functions |= _functions_of(module, f"{tail}." if tail else "", modules)
    return functions, notes


def _import_in_part(dotted: str, sources: _Sources) -> types.ModuleType:
    """Import a module of a package, with an empty shell for each package that is not here, and is not its own."""
    while True:
        try:
            return importlib.import_module(dotted)
        except ModuleNotFoundError as error:
            root = (error.name or "").partition(".")[0]
            if not root or not _is_lacking(error, sources):
                raise
            sys.meta_path.append(_Absent([root]))
            sources.notes.append(f"imports {root[:80]!r}, which is not here: what needs it cannot be judged")
