"""The table of the lectures' claims: every row has its claim, and every wrong one its erratum."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from derivations._catalogue import claims, errata

ROOT = Path(__file__).resolve().parents[2]
LAST = {"A": 22, "B": 32, "C": 25, "D": 72, "E": 22}
IDS = [f"{letter}{number:02}" for letter, last in LAST.items() for number in range(1, last + 1)]
FALSE = {"formula wrong", "number wrong", "hypothesis missing", "misnomer"}
AS_WRITTEN = {"right", "slip", "convention", "qualitative"} | FALSE
Row = dict[str, str]


def rows() -> list[Row]:
    with (ROOT / "docs" / "claims.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def faults(table: Iterable[Row]) -> list[str]:
    """What is wrong with the table, in words."""
    table, known = list(table), claims()
    corrected = {erratum.id: erratum.corrected_by for erratum in errata()}
    found = [] if [row["id"] for row in table] == IDS else ["the ids are not those of the ledger, in order"]
    for row in table:
        id_, name = row["id"], row["claim"]
        claim = known.get(name)
        if row["as_written"] not in AS_WRITTEN:
            found.append(f"{id_}: {row['as_written']} is no status")
        if not row["statement"].endswith("."):
            found.append(f"{id_}: the statement is no sentence")
        if not name and row["status"] == "qualitative":
            continue
        if claim is None:
            found.append(f"{id_}: there is no claim {name}")
            continue
        if id_ not in claim.ids:
            found.append(f"{id_}: {name} does not account for it")
        if claim.scope != row["status"]:
            found.append(f"{id_}: {name} holds for {claim.scope}, not for {row['status']}")
        if row["as_written"] in FALSE and id_ not in corrected:
            found.append(f"{id_}: nothing refutes it as written")
        if corrected.get(id_, name) != name:
            found.append(f"{id_}: its erratum names {corrected[id_]}")
    return found


def changed(id_: str, **values: str) -> list[Row]:
    return [row | (values if row["id"] == id_ else {}) for row in rows()]


def test_the_ledger_has_173_rows() -> None:
    assert len(IDS) == 173


def test_every_row_has_its_claim() -> None:
    assert faults(rows()) == []


def test_no_claim_accounts_for_what_is_not_in_the_ledger() -> None:
    assert {id_ for claim in claims().values() for id_ in claim.ids} <= set(IDS)


def test_every_erratum_is_a_row_that_is_wrong_or_can_be_misread() -> None:
    as_written = {row["id"]: row["as_written"] for row in rows()}

    assert {as_written[erratum.id] for erratum in errata()} <= FALSE | {"slip"}


def test_no_row_has_two_errata() -> None:
    ids = [erratum.id for erratum in errata()]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "id_, values, said",
    [
        ("B02", {"id": "B99"}, "the ids are not those of the ledger, in order"),
        ("B02", {"as_written": "fine"}, "B02: fine is no status"),
        ("B02", {"statement": ""}, "B02: the statement is no sentence"),
        ("B02", {"claim": "worked.nothing"}, "B02: there is no claim worked.nothing"),
        ("B02", {"claim": ""}, "B02: there is no claim "),
        (
            "B02",
            {"claim": "worked.third_probability"},
            "B02: worked.third_probability does not account for it",
        ),
        (
            "B02",
            {"status": "any_size"},
            "B02: worked.loss_of_a_confident_answer holds for number, not for any_size",
        ),
        ("B02", {"as_written": "number wrong"}, "B02: nothing refutes it as written"),
        ("E14", {"claim": "worked.first_probability"}, "E14: its erratum names worked.third_probability"),
    ],
)
def test_a_broken_table_is_noticed(id_: str, values: Row, said: str) -> None:
    assert said in faults(changed(id_, **values))


def test_a_lost_row_is_noticed() -> None:
    assert "the ids are not those of the ledger, in order" in faults(rows()[:-1])


def test_the_page_is_made_from_the_table() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make_claims.py", "--check"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
