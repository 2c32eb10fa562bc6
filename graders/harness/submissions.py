"""What stands at a path: files, notebooks, packages and folders of them, read as texts and never imported here."""

from __future__ import annotations

import difflib
import io
import os
import tokenize
from collections.abc import Iterator
from pathlib import Path

from graders.harness.sandbox.parent import Submission

MAX_BYTES = 4 << 20
SUFFIXES = (".py", ".ipynb")
ANSWERS, HEAD = ".txt", "question:"
"""A file of symbolic answers: a text whose first line that is no comment names a question."""
SKIPPED = ("__pycache__", "node_modules", "venv", "site-packages")


class Unusable(ValueError):
    """A path at which there is nothing to grade; the message says why, and what would do."""


class Unreadable(ValueError):
    """A submission that cannot be read as one; the message says why, and what to do."""


def _shown(path: Path) -> str:
    """Return a path as text that every report can hold, whatever bytes its name is made of."""
    return os.fsencode(path).decode("utf-8", "replace")


def text_of(path: Path) -> str:
    """Return the text of a file in the encoding that it declares."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise Unreadable(f"{size:,} bytes; at most {MAX_BYTES:,} are read")
    data = path.read_bytes()
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0] if path.suffix == ".py" else "utf-8"
        return data.decode(encoding)
    except (SyntaxError, ValueError, LookupError) as error:
        raise Unreadable(f"not text in its own encoding ({error}); save it as UTF-8") from None


def holds_answers(path: Path) -> bool:
    """Return whether a file is one of symbolic answers."""
    if path.suffix != ANSWERS or not path.is_file():
        return False
    with path.open("rb") as file:
        for line in file.read(MAX_BYTES).decode("utf-8-sig", "replace").splitlines():
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


def _package_files(root: Path) -> dict[str, str]:
    files: dict[str, str] = {}
    for path in sorted(root.rglob("*.py")):
        if path.is_file() and not any(
            part in SKIPPED or part.startswith(".") for part in path.parts[len(root.parts) :]
        ):
            files[path.relative_to(root.parent).as_posix()] = text_of(path)
    if sum(map(len, files.values())) > 4 * MAX_BYTES:
        raise Unreadable(f"a package of more than {4 * MAX_BYTES:,} bytes; grade its files one by one")
    return files


def from_file(path: Path, name: str) -> Submission:
    """Return the submission that one file is; a file of a package keeps its package, for its relative imports."""
    if path.suffix == ".ipynb":
        return Submission(name, _shown(path), "notebook", path.name, {path.name: text_of(path)})
    if path.suffix == ANSWERS:
        return Submission(name, _shown(path), "answers", path.name, {path.name: text_of(path)})
    root = _package_root(path)
    if root is not None:
        dotted = ".".join(path.resolve().relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")
        return Submission(name, _shown(path), "module", dotted, _package_files(root))
    return Submission(name, _shown(path), "file", path.name, {path.name: text_of(path)})


def found_at(path: Path) -> Iterator[Submission | Unusable]:
    """Yield the submissions at a path, each with an id of its own, and what could not be read."""
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        near = [name for name in difflib.get_close_matches(path.name, beside, 1, 0.75) if name != path.name]
        hint = f"; did you mean {path.with_name(near[0])}?" if near else ""
        yield Unusable(f"{path}: there is no such file or folder{hint}")
    elif path.is_dir():
        found = list(_in_folder(path, path))
        yield from found or [Unusable(f"{path}: holds no Python file, notebook or package")]
    elif (path.suffix not in SUFFIXES or not path.is_file()) and not _answers(path):
        yield Unusable(f"{path}: not a Python file (.py), notebook (.ipynb) or folder of these")
    else:
        yield _read(path, path.name)


def _answers(path: Path) -> bool:
    try:
        return holds_answers(path)
    except OSError:
        return False


def _read(path: Path, name: str) -> Submission | Unusable:
    try:
        return from_file(path, name)
    except Unreadable as error:
        return Submission(name, _shown(path), "unreadable", str(error), {})
    except OSError as error:
        return Unusable(f"{path}: cannot be read ({error.strerror})")


def _in_folder(folder: Path, top: Path) -> Iterator[Submission | Unusable]:
    if (folder / "__init__.py").is_file():
        name = folder.relative_to(top).as_posix() if folder != top else folder.name
        try:
            yield Submission(name, _shown(folder), "package", folder.resolve().name, _package_files(folder.resolve()))
        except Unreadable as error:
            yield Submission(name, _shown(folder), "unreadable", str(error), {})
        except OSError as error:
            yield Unusable(f"{folder}: cannot be read ({error.strerror})")
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in SKIPPED:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _in_folder(path, top)
        elif path.is_file() and (path.suffix in SUFFIXES or _answers(path)):
            yield _read(path, path.relative_to(top).as_posix())
