"""Write docs/certificate.md: how exact every function of the reference is, PyTorch beside it.

Run: python docs/make_certificate.py. With --check it changes nothing and fails if the file is out of date; a test does
that. The numbers are benchmarks/results/certificate.json, written by `gradproof certify --json` (`make deep`).
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import gradproof  # noqa: F401  (takes the rooms)
from graders._catalogue import trials
from graders._exceptions import LESS_EXACT, TORCH_DEFECTS, WITHOUT_EXERCISE

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "certificate.json"
PAGE = ROOT / "docs" / "certificate.md"
GOAL = 0.5
BY_PROPERTIES = "judged by properties, since it draws at random or takes functions: there is no value to measure"
GOALS_IN_ULP = {
    **dict.fromkeys(("sigmoid", "tanh", "relu", "leaky_relu", "softplus"), 2),
    **dict.fromkeys(("silu", "gelu"), 4),
    **dict.fromkeys(
        (f"{name}_vjp" for name in ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "silu", "gelu")), 4
    ),
}
"""What the functions of single entries are to reach in float64."""
HEAD = """\
# How exact the reference is

Each row is one function in one dtype, over its whole corpus: hand-chosen edges, and cases drawn in every regime. The
truth is the value of the proved expression at 50 digits or more where there is a proof, else of the reference's own
text in that arithmetic.

*ulp* is the largest distance to the truth in units of the last place of the true value. Where a sum cancels, no program
keeps its last places, so that a large number says something about the input alone. *share* is the largest error in
units of the allowed one, which rounding explains on that very input: at most 1 is right, and our goal is 0.5. Another
is that PyTorch is not more exact by more than 2 ulp and twice in share, and a third that the functions of single
entries are within 2 ulp in float64 (SiLU, GELU and all gradients: 4). The last column counts the cases, and those of
them whose truth is proved.

Made by `python docs/make_certificate.py` from `benchmarks/results/certificate.json`, which `gradproof certify --json`
writes; do not edit.
"""


def number(value: float | str | None) -> str:
    """Return a number as a cell: few digits, and a dash for what is not measured."""
    if value is None:
        return "—"
    return "beyond all" if value == "inf" else f"{float(value):.2g}"


def worse_than_torch(row: dict[str, Any]) -> bool:
    """Return whether PyTorch is clearly more exact: by more than 2 ulp, and twice in units of the allowed error."""
    ulp, share = (row[f"torch_{key}"] for key in ("max_ulp", "max_error_over_allowed"))
    if ulp is None:
        return False
    return bool(row["max_ulp"] > float(ulp) + 2 and row["max_error_over_allowed"] > 2 * float(share))


def goal_in_ulp(row: dict[str, Any]) -> float:
    """Return the ulps that a row may have, infinite for what has no such goal."""
    topic, _, name = row["name"].partition(".")
    wanted = topic == "activations" and row["dtype"] == "float64"
    return GOALS_IN_ULP.get(name, float("inf")) if wanted else float("inf")


def exceptions(rows: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Return the names that miss a goal, by what they miss."""
    return {
        "ours": {
            r["name"]
            for r in rows
            if r["max_error_over_allowed"] > GOAL or worse_than_torch(r) or r["max_ulp"] > goal_in_ulp(r)
        },
        "PyTorch's": {r["name"] for r in rows if float(r["torch_max_error_over_allowed"] or 0) > 1},
    }


def page(rows: list[dict[str, Any]]) -> str:
    """Return the whole page; exit where an exception has no reason, or a reason no exception."""
    found = exceptions(rows)
    for whose, reasons in (("ours", LESS_EXACT), ("PyTorch's", TORCH_DEFECTS)):
        if found[whose] != set(reasons):
            sys.exit(f"graders/_exceptions.py, {whose}: differs from what was measured: {found[whose] ^ set(reasons)}")
    lines = [HEAD]
    proved = sum(row["proved_cases"] > 0 for row in rows)
    worst = max(row["max_error_over_allowed"] for row in rows)
    cases = sum(row["cases"] for row in rows)
    functions = len({row["name"] for row in rows})
    lines += [
        f"{functions} functions, {cases} cases, our largest error is {worst:.2f} of the allowed one; "
        f"{proved} of {len(rows)} rows have proved cases.\n"
    ]
    head = "| function | dtype | ulp | share | PyTorch's ulp | PyTorch's share | cases (proved) |"
    for topic, group in groupby(rows, key=lambda row: row["name"].partition(".")[0]):
        lines += [f"## {topic}", "", head, "|---|---|---|---|---|---|---|"]
        for row in group:
            ours_, theirs = (
                [row[f"{whose}{key}"] for key in ("max_ulp", "max_error_over_allowed")] for whose in ("", "torch_")
            )
            cells = " | ".join(map(number, ours_ + theirs))
            lines.append(f"| `{row['name']}` | {row['dtype']} | {cells} | {row['cases']} ({row['proved_cases']}) |")
        lines.append("")
    lines += ["## Where we miss a goal", ""]
    lines += [f"- `{name}`: {reason}." for name, reason in sorted(LESS_EXACT.items())] or ["Nowhere."]
    lines += ["", "## Where PyTorch is off by more than rounding explains", ""]
    lines += [f"- `{name}`: {reason}." for name, reason in TORCH_DEFECTS.items()]
    lines += ["", "## What has no row", ""]
    lines.append(f"- {', '.join(f'`{name}`' for name in trials())}: {BY_PROPERTIES}.")
    for reason in dict.fromkeys(WITHOUT_EXERCISE.values()):
        names = ", ".join(f"`{name}`" for name, why in WITHOUT_EXERCISE.items() if why == reason)
        lines.append(f"- {names}: {reason}.")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page, or check it."""
    made = page(json.loads(RESULT.read_text(encoding="utf-8"))["functions"])
    if "--check" in sys.argv:
        late = made != PAGE.read_text(encoding="utf-8")
        sys.exit("docs/certificate.md is out of date: run python docs/make_certificate.py" if late else 0)
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
