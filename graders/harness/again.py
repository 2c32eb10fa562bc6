"""How the function of a verdict was read, kept so that its case is asked in the same way when it is replayed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from graders.harness.key import cache_folder, store, stored


def keep(name: str, identity: str, path: str, function: str, note: str) -> None:
    """Keep by which of its functions, read in which way, a submission fell short in a case of an exercise or trial."""
    store(_place(name, identity, path), {"function": function, "note": note})


def kept(name: str, identity: str, path: str) -> tuple[str, str] | None:
    """Return the function and the note of its reading, if this machine has graded that path."""
    found = stored(_place(name, identity, path)) if identity.isalnum() else None
    return (found["function"], found["note"]) if isinstance(found, dict) else None


def _place(name: str, identity: str, path: str) -> Path:
    whose = hashlib.blake2b(str(Path(path).absolute()).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return cache_folder() / "readings" / name / f"{identity}-{whose}"
