"""Judge libraries, and write the matrix to benchmarks/results/conform/: JSON, Markdown, HTML.

Run: python docs/make_conform.py [LIB...]. It takes minutes: JAX and tinygrad compile every operation for every shape.
Where libraries are named, the rows of the others stay as they are.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
from msgspec import structs

import gradproof  # noqa: F401  (takes the rooms)
from graders import _conform
from graders._conform import render
from graders.harness.report.json import document

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "conform"


def main() -> None:
    """Write the three files; say what is not as expected."""
    asked = sys.argv[1:] or list(_conform.LIBRARIES)
    result = _conform.conform(asked, progress=lambda name: print(name, file=sys.stderr))
    absent = [f"{library.name}: {library.reason}" for library in result.libraries if library.status == "absent"]
    if absent:
        sys.exit("\n".join(absent))
    found = {library.name: library for library in result.libraries}
    if sys.argv[1:]:
        found = {library.name: library for library in _read().libraries} | found
    ordered = [found[name] for name in _conform.LIBRARIES if name in found]
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "conform.json").write_text(document(structs.replace(result, libraries=ordered)), encoding="utf-8")
    kept = _read()
    (FOLDER / "conform.md").write_text(render.markdown(kept), encoding="utf-8")
    (FOLDER / "conform.html").write_text(render.page(kept), encoding="utf-8")
    sys.exit("\n".join(result.surprises) or 0)


def _read() -> _conform.Conformance:
    return msgspec.json.decode((FOLDER / "conform.json").read_bytes(), type=_conform.Conformance)


if __name__ == "__main__":
    main()
