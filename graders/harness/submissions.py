"""What stands at a path: files, notebooks, packages and folders of them, read as texts and never imported here."""

from __future__ import annotations

import codecs
import difflib
import io
import os
import stat
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from graders.harness.sandbox.describing import FOREIGN
from graders.harness.sandbox.parent import Submission

MAX_BYTES = 4 << 20
SUFFIXES = (".py", ".ipynb")
ANSWERS, HEAD = ".txt", "question:"
"""A file of symbolic answers: a text whose first line that is no comment names a question."""
ENCODINGS = (
    "utf-8", "utf-8-sig", "ascii", "iso8859-1", "iso8859-15", "mac-roman", "koi8-r", "gbk", "gb18030", "gb2312", "big5",
    "shift_jis", "euc_jp", "euc_kr", *(f"cp125{n}" for n in range(9)), "cp932", "cp949",
)  # fmt: skip
DEEPEST = 50  # folders within each other
TAKEN = {*sys.stdlib_module_names, *FOREIGN, "__main__"}
"""Names that a folder may well have, but no package of a submission: it would stand in for what others import."""
SKIPPED = ("__pycache__", "node_modules", "venv", "site-packages")


LINK = "a symbolic link, which is not followed inside a folder; grade what it leads to by its own path"


class Unusable(ValueError):
    """A path at which there is nothing to grade; the message says why, and what would do."""


class Unreadable(ValueError):
    """A submission that cannot be read as one; the message says why, and what to do."""


def _shown(path: Path | str) -> str:
    """Return a path as text that every report can hold, whatever bytes its name is made of."""
    return os.fsencode(path).decode("utf-8", "replace")


def _bytes_of(path: Path, most: int = MAX_BYTES) -> bytes:
    """Return what a regular file holds; raise `Unreadable` on anything else, and on a file too large."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("not a regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise Unreadable(f"more than {most:,} bytes, which is all that is read")
    return data


def text_of(path: Path) -> str:
    """Return the text of a file in the encoding that it declares."""
    data = _bytes_of(path)
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0] if path.suffix == ".py" else "utf-8"
        if codecs.lookup(encoding).name not in ENCODINGS:  # some take a time that grows with the square of the length
            raise ValueError(f"{encoding} is not read")
        return data.decode(encoding)
    except (SyntaxError, ValueError, LookupError) as error:
        raise Unreadable(f"not text in its own encoding ({error}); save it as UTF-8") from None


def holds_answers(path: Path) -> bool:
    """Return whether a file is one of symbolic answers."""
    if path.suffix != ANSWERS or not path.is_file():
        return False
    try:
        data = _bytes_of(path)
    except Unreadable:
        return False
    for line in data.decode("utf-8-sig", "replace").splitlines():
        bare = line.split("#")[0].strip()
        if bare:
            return bare[: len(HEAD)].lower() == HEAD
    return False


def _package_root(path: Path) -> Path | None:
    """Return the outermost package that a file stands in; None if it stands in none."""
    root = None
    folder = path.resolve().parent
    while (folder / "__init__.py").is_file():
        root, folder = folder, folder.parent
    return root


def _holds_its_name(root: Path) -> bool:
    """Return whether a folder, which is no package, holds one of its own name: as repositories do, which mean that."""
    inside = (root / root.name).is_dir() or (root / f"{root.name}.py").is_file()
    return inside and not (root / "__init__.py").is_file()


def _named(path: Path, root: Path) -> str:
    """Return what a file of a package is called: no part of a module's name has a dot, as folders of students may."""
    outer, *inner = path.relative_to(root.parent).with_suffix("").parts
    outer += "\N{MIDDLE DOT}" * (outer in TAKEN or _holds_its_name(root))
    return _shown("/".join([outer, *inner]).replace(".", "\N{MIDDLE DOT}"))


def _package_files(root: Path) -> dict[str, str]:
    files: dict[str, str] = {}
    size = 0
    for folder, inner, names in os.walk(root):  # which follows no link
        if len(Path(folder).parts) - len(root.parts) >= DEEPEST:
            inner.clear()
        inner[:] = sorted(name for name in inner if name not in SKIPPED and not name.startswith("."))
        for path in (Path(folder, name) for name in sorted(names) if _is_python(name)):
            if path.is_symlink():
                raise Unreadable(f"{_shown(path.relative_to(root.parent))} is {LINK}")
            size += path.stat().st_size
            try:
                files[f"{_named(path, root)}.py"] = text_of(path)
            except Unreadable as error:  # the others are judged, and a note says what became of this one
                files[f"{_named(path, root)}.py"] = f"raise ImportError({str(error)!r})\n"
            if size > 4 * MAX_BYTES:
                raise Unreadable(f"a package of more than {4 * MAX_BYTES:,} bytes; grade its files one by one")
    return dict(sorted(files.items()))


def from_file(path: Path, name: str, folders: bool = False) -> Submission:
    """Return the submission that one file is; a file of a package keeps its package, for its relative imports.

    With `folders` the folder that it stands in is a package without an `__init__.py`, too.
    """
    file = _shown(path.name)
    if path.suffix == ".ipynb":
        return Submission(name, _shown(path), "notebook", file, {file: text_of(path)})
    if path.suffix == ANSWERS:
        return Submission(name, _shown(path), "answers", file, {file: text_of(path)})
    root = _package_root(path) or (path.resolve().parent if folders else None)
    if root is not None:
        dotted = _named(path.resolve(), root).replace("/", ".").removesuffix(".__init__")
        return Submission(name, _shown(path), "module", dotted, _package_files(root))
    return Submission(name, _shown(path), "file", file, {file: text_of(path)})


def found_at(path: Path, folders: bool = False) -> Iterator[Submission | Unusable]:
    """Yield the submissions at a path, each with an id of its own, and what could not be read.

    A folder with an `__init__.py` is one submission. With `folders` all folders at one level are: at that of the
    outermost one that has a Python file, since all hand in at the same place, and what is below is theirs. What a file
    imports does not decide that: it would see the work of others whom it shares a folder with.
    """
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        near = [name for name in difflib.get_close_matches(path.name, beside, 1, 0.75) if name != path.name]
        hint = f"; did you mean {path.with_name(near[0])}?" if near else ""
        yield Unusable(f"{_shown(path)}: there is no such file or folder{hint}")
    elif path.is_dir():
        found = list(_in_folder(path, path, _level(path) if folders else None))
        yield from found or [Unusable(f"{path}: holds no Python file, notebook or package")]
    elif (path.suffix not in SUFFIXES or not path.is_file()) and not _answers(path):
        yield Unusable(f"{path}: not a Python file (.py), notebook (.ipynb) or folder of these")
    else:
        yield _read(path, _shown(path.name), folders)


def _answers(path: Path) -> bool:
    try:
        return holds_answers(path)
    except OSError:
        return False


def _read(path: Path, name: str, folders: bool = False) -> Submission | Unusable:
    try:
        return from_file(path, name, folders)
    except Unreadable as error:
        return Submission(name, _shown(path), "unreadable", str(error), {})
    except OSError as error:
        return Unusable(f"{path}: cannot be read ({error.strerror})")


def _is_python(name: str) -> bool:
    return name.endswith(".py") and name[0] != "."


def _levels(top: Path) -> Iterator[int]:
    """Yield how far below a folder each one stands that has a Python file; what may not be read is told elsewhere."""
    for folder, inner, names in os.walk(top):
        level = len(Path(folder).relative_to(top).parts)
        inner[:] = [name for name in inner if name not in SKIPPED and name[0] != "." and level < DEEPEST]
        if any(map(_is_python, names)):
            yield level


def _level(top: Path) -> int:
    """Return how far below a folder those stand of which each is a submission."""
    return min(_levels(top), default=0)


def _is_package(folder: Path, top: Path, level: int | None) -> bool:
    """Return whether a folder is one submission; who may not look into it is told so where it is read."""
    if level is None:
        return (folder / "__init__.py").is_file()
    return len(folder.relative_to(top).parts) == level and next(_levels(folder), None) is not None


def _in_folder(
    folder: Path, top: Path, level: int | None, suffixes: tuple[str, ...] = SUFFIXES
) -> Iterator[Submission | Unusable]:
    if ".py" in suffixes and _is_package(folder, top, level):
        name = _shown(folder.relative_to(top).as_posix() if folder != top else folder.name)
        try:
            whole = folder.resolve()
            yield Submission(name, _shown(folder), "package", _shown(whole.name), _package_files(whole))
        except Unreadable as error:
            yield Submission(name, _shown(folder), "unreadable", str(error), {})
        except OSError as error:
            yield Unusable(f"{folder}: cannot be read ({error.strerror})")
        if level is None:
            return
        suffixes = (".ipynb",)  # which is no part of it
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        yield Unusable(f"{_shown(folder)}: cannot be read ({error.strerror})")
        return
    if len(folder.parts) - len(top.parts) > DEEPEST:
        yield Unusable(
            f"{_shown(folder)[:200]}…: more than {DEEPEST} folders within each other; what is below is left out"
        )
        return
    for path in paths:
        if not path.name.startswith(".") and path.name not in SKIPPED:
            try:
                yield from _entry(path, top, level, suffixes)
            except OSError as error:
                yield Unusable(f"{_shown(path)}: cannot be read ({error.strerror})")


def _entry(path: Path, top: Path, level: int | None, suffixes: tuple[str, ...]) -> Iterator[Submission | Unusable]:
    name = _shown(path.relative_to(top).as_posix())
    if path.is_symlink():
        if path.suffix in suffixes:  # it may lead to another's work, or out of the folder
            yield Submission(name, _shown(path), "unreadable", LINK, {})
    elif path.is_dir():
        yield from _in_folder(path, top, level, suffixes)
    elif path.is_file() and (path.suffix in suffixes or _answers(path)):
        yield _read(path, name)
