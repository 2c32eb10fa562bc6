"""Write the JSON Schema of each document that the command line prints into docs/schema/.

Run: python docs/make_schemas.py. A test holds the files against what this script makes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

import gradproof  # noqa: F401  (takes the rooms)
from graders._audits import Matrix
from graders._bench import Bench, Beside
from graders._bench.history import Entry
from graders._conform import Conformance
from graders._doctor import Examination
from graders._proofs import Proofs
from graders._symbolic import Answers
from graders.harness.audit import Audit
from graders.harness.certify import Certificate
from graders.harness.report import SCHEMA, Report

FOLDER = Path(__file__).with_name("schema")
NUMBERS = "A number that is not finite is one of the strings nan, inf and -inf, wherever a number is expected."


class Certificates(msgspec.Struct, frozen=True):
    """The document of `gradproof certify --json`."""

    schema: int
    functions: list[Certificate]
    against: Beside | None = None
    """The revision that `--against` named."""
    worse: list[str] = []
    """Functions, each with its dtype, that are less exact than they were there."""


class Audits(msgspec.Struct, frozen=True):
    """The document of `gradproof audit --json`."""

    schema: int
    exercises: list[Audit]


DOCUMENTS: dict[str, type] = {
    "grade": Report,
    "prove": Proofs,
    "answers": Answers,
    "certify": Certificates,
    "audit": Audits,
    "kill_matrix": Matrix,
    "doctor": Examination,
    "conform": Conformance,
    "bench": Bench,
    "bench_history": Entry,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return each schema by its command."""
    return {
        command: {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": f"schema {SCHEMA}. {NUMBERS}"}
        | msgspec.json.schema(document)
        for command, document in DOCUMENTS.items()
    }


def main() -> None:
    """Write the schemas."""
    FOLDER.mkdir(exist_ok=True)
    for command, schema in schemas().items():
        (FOLDER / f"{command}.json").write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
