"""Write docs/claims.md: every claim of the lectures, what is right, and the proof or measurement that says so.

Run: python docs/make_claims.py. With --check it changes nothing and fails if the file is out of date; a test does that.
The rows are docs/claims.csv; what is false as written, and why, comes from the errata in derivations/.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

from derivations._catalogue import claims, errata

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "docs" / "claims.csv"
PAGE = ROOT / "docs" / "claims.md"
SHOWN = {
    "any_size": "proved for all sizes",
    "any_step": "proved for any number of steps",
    "moments": "proved in moments",
    "all_cases": "proved in all cases",
    "number": "worked out as a number",
    "simulation": "measured",
    "qualitative": "a rule of thumb, of which a part is measured",
}
HEAD = """\
# The lectures' claims

Each row is one statement of the lecture notes: how it stands there, what is right, and the claim in `derivations/` by
which that is shown. `gradproof prove NAME` checks a claim, and `gradproof prove --show NAME` prints its proof.
Made by `python docs/make_claims.py`; do not edit.
"""


def rows() -> list[dict[str, str]]:
    """Return the rows of the table."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cell(text: str) -> str:
    """Return a text that may stand in a cell."""
    return text.replace("|", "\\|")


def page() -> str:
    """Return the whole page."""
    table, known = rows(), claims()
    wrong = {erratum.id: erratum for erratum in errata()}
    lines = [HEAD]
    for title, column, words in (("as written", "as_written", {}), ("shown", "status", SHOWN)):
        counted = Counter(row[column] for row in table)
        said = ", ".join(f"{n} {words.get(name, name)}" for name, n in counted.most_common())
        lines.append(f"{len(table)} statements, {title}: {said}.\n")
    lines += ["| id | as written | what is right | shown | by |", "|---|---|---|---|---|"]
    for row in table:
        by = f"`{row['claim']}`" if row["claim"] else "—"
        shown = SHOWN[row["status"]]
        lines.append(f"| {row['id']} | {row['as_written']} | {cell(row['statement'])} | {shown} | {by} |")
    lines += ["", "## What is false as written", ""]
    lines += ["Each of these is refuted with a witness, and the claim that corrects it is proved or measured.", ""]
    lines += ["| id | false | why | corrected by |", "|---|---|---|---|"]
    for row in table:
        if row["id"] in wrong:
            erratum = wrong[row["id"]]
            said = cell(erratum.as_written.statement)
            lines.append(f"| {erratum.id} | {said} | {cell(erratum.note)} | `{erratum.corrected_by}` |")
    lines += ["", "## All claims", "", "| claim | says | accounts for |", "|---|---|---|"]
    for name, claim in known.items():
        lines.append(f"| `{name}` | {cell(claim.statement)} | {', '.join(claim.ids)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page, or check it."""
    made = page()
    if "--check" in sys.argv:
        sys.exit(
            "docs/claims.md is out of date: run python docs/make_claims.py" if made != PAGE.read_text("utf-8") else 0
        )
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
