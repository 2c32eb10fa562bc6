"""Another revision of a git repository, laid out in a folder that goes away, with the Python that it runs in.

A revision is taken out of the repository as `git archive` writes it: nothing is written to the repository, so nothing
has to be put back there, however the run ends, and a tree with changes that are not committed stays as it is.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

PATIENCE = 600.0
"""Seconds that git, or the making of an environment, may take."""
SERVED = Path(__file__).with_name("served.py")


class Unavailable(LookupError):
    """A revision that cannot be had, or cannot run; the message says why, and what would do."""


@dataclass(frozen=True)
class Tree:
    """A tree of files with the Python that its reference runs in."""

    name: str
    """As a message names it: "revision main"."""
    home: Path
    commit: str = ""
    python: str = sys.executable
    numpy: str = ""
    names: frozenset[str] = field(default_factory=frozenset)
    """The dotted names that its reference has, of those that were asked for."""


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607  (the user's own git, wherever it is)
            capture_output=True, check=False, timeout=PATIENCE, env=os.environ | {"LC_ALL": "C"},
        )  # fmt: skip
    except FileNotFoundError:
        raise Unavailable("git is not installed, and a revision is taken out of the repository by git") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"


def repository(path: Path) -> Path:
    """Return the root of the git repository that a file or folder stands in; raise `Unavailable` if there is none."""
    folder = path if path.is_dir() else path.parent
    done = _git(folder, "rev-parse", "--show-toplevel")
    if done.returncode:
        raise Unavailable(
            f"{folder.resolve()} is not in a git repository ({_said(done)}), so there is no other revision of it; "
            "--against also takes a FILE"
        )
    return Path(os.fsdecode(done.stdout.removesuffix(b"\n")))


def commit_of(root: Path, revision: str) -> str:
    """Return the full name of the commit that a revision names; raise `Unavailable` if it names none."""
    done = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if done.returncode:
        raise Unavailable(
            f"{revision!r} is neither a file nor a revision of {root}: expected a branch, a tag or a commit there, "
            f"such as HEAD~1 (`git -C {root} log --oneline` shows them; a shallow clone has only the last)"
        )
    return done.stdout.decode().strip()


def is_changed(root: Path) -> bool:
    """Return whether files of a repository are changed, or new, since its last commit."""
    return bool(_git(root, "status", "--porcelain").stdout.strip())


def described(path: Path) -> str:
    """Return the commit that a file or folder is at, with "+" where it is changed since; "" outside a repository."""
    try:
        root = repository(path)
        return commit_of(root, "HEAD") + "+" * is_changed(root)
    except Unavailable:
        return ""


@contextlib.contextmanager
def taken_out(root: Path, revision: str, under: Sequence[str] = ()) -> Iterator[Tree]:
    """Yield a revision's tree in a folder of its own, which is removed whatever happens; only what is `under` these."""
    commit = commit_of(root, revision)
    there = set(_git(root, "ls-tree", "--name-only", commit, "--", *under).stdout.decode().splitlines())
    kept = [path for path in under if path.rstrip("/") in there]
    if under and not kept:
        raise Unavailable(f"revision {revision} ({commit[:9]}) of {root} has no {' or '.join(under)}")
    done = _git(root, "archive", "--format=tar", commit, "--", *kept)
    if done.returncode:
        raise Unavailable(f"revision {revision} of {root} cannot be read: {_said(done)}")
    with tempfile.TemporaryDirectory(prefix="gradproof-revision-") as folder:
        home = Path(folder, "tree")
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(home, filter="data")
        yield Tree(f"revision {revision}", home.resolve(), commit)


# ---------------------------------------------------------------- environments


def requirements(home: Path) -> tuple[str, tuple[str, ...]]:
    """Return what the reference of a tree needs: its Python, and the lines that name NumPy, all that it imports."""
    file = home / "pyproject.toml"
    if not file.is_file():
        return "", ()
    project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    lines = [line for line in project.get("dependencies", ()) if re.match(r"numpy\b", line, re.IGNORECASE)]
    return project.get("requires-python", ""), tuple(sorted(lines))


@contextlib.contextmanager
def with_python(tree: Tree, ours: Path) -> Iterator[Tree]:
    """Yield a tree with the Python for it: this one, or one with another NumPy where it asks for another than ours.

    So a ratio tells what the text has changed, unless the revision itself cannot run with what is installed.
    """
    theirs = requirements(tree.home)[1]
    if theirs == requirements(ours)[1] or not theirs:
        yield tree
        return
    with tempfile.TemporaryDirectory(prefix="gradproof-environment-") as folder:
        python = Path(folder, "bin", "python")
        for command in (
            [sys.executable, "-m", "venv", folder],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *theirs],
        ):
            done = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE)
            if done.returncode:
                raise Unavailable(
                    f"{tree.name} asks for {', '.join(theirs)}, not for what this tree does, and no environment with "
                    f"that could be made: {_said(done)}"
                )
        yield replace(tree, python=str(python))


def with_names(tree: Tree, wanted: Sequence[str]) -> Tree:
    """Return a tree with the names that its reference has, and the NumPy that it runs with.

    Raises `Unavailable` if its reference cannot be imported.
    """
    done = subprocess.run(
        [tree.python, "-I", str(SERVED), "names", str(tree.home)],
        input=json.dumps(list(wanted)).encode(), capture_output=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    if done.returncode:
        raise Unavailable(f"{tree.name}: its reference cannot be imported: {_said(done)}")
    found = json.loads(done.stdout)
    return replace(tree, numpy=found["numpy"], names=frozenset(found["names"]))
