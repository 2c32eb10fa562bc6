"""Write docs/speed.md: how fast the reference is, from what benchmarks/reference_speed.py has measured.

Run: python docs/make_speed.py. With --check it changes nothing and fails if the file is out of date; a test does that.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "reference_speed.json"
PAGE = ROOT / "docs" / "speed.md"
LIMITS = {"copy": "a copy", "product": "a matrix product"}
HEAD = """\
# The speed of the reference

The reference is plain NumPy that is meant to be read; this is what that costs. Each ratio is CPU time of the reference
over that of PyTorch on the same numbers, one thread each, the two in turn: the median over all rounds, and the interval
that holds the middle half of them. Below 1 the reference is faster. Arrays are float32 unless a row says otherwise, and
gradients are PyTorch's by autograd. A goal is aimed at, and no condition.

The limit is what this machine can do at best: a copy of as many bytes as a row must read and write at least, or a
matrix product of as many operations as it must make. At 100 % of it there is nothing to gain.

Made by `python docs/make_speed.py` from `benchmarks/results/reference_speed.json`; do not edit. Measured by
`python benchmarks/reference_speed.py --output benchmarks/results/reference_speed.json`.
"""


def page(result: dict[str, Any]) -> str:
    """Return the whole page."""
    machine, rows = result["machine"], result["rows"]
    missed = [row for row in rows if row["ratio"] > row["goal"]]
    lines = [
        HEAD,
        f"One thread of {machine['cpu']}, Python {machine['python']}, NumPy {machine['numpy']}, PyTorch "
        f"{machine['torch']}. A copy moves {machine['copy_gb_per_second']} GB/s, read and written; a product of "
        f"1024 by 1024 matrices makes {machine['product_gflops_float32']} Gflop/s in float32 and "
        f"{machine['product_gflops_float64']} in float64.\n",
        f"{len(rows) - len(missed)} of {len(rows)} goals are met.\n",
        "| workload | ours / PyTorch | middle half | goal | | ours, ms | PyTorch, ms | share of the limit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        low, high = row["middle_half"]
        lines.append(
            f"| {row['name']} | {row['ratio']:.2f} | {low:.2f} to {high:.2f} | {row['goal']:.2f} | "
            f"{'missed' if row in missed else 'met'} | {row['ours_ms']:.2f} | {row['torch_ms']:.2f} | "
            f"{row['share_of_limit']:.0%} of {LIMITS[row['limit']]} |"
        )
    lines += ["", "## Why a goal is missed", ""]
    lines += [f"- {row['name']}, {row['ratio']:.2f} for {row['goal']:.2f}: {row['reason']}" for row in missed]
    lines += ["", "## Left out for the reading", ""]
    lines += ["These programs were measured beside ours, and compute the same; the benchmark holds their text.", ""]
    for faster in result["left_out"]:
        low, high = faster["middle_half"]
        lines.append(
            f"- {faster['name']}, {faster['ratio']:.2f} of our time ({low:.2f} to {high:.2f}): {faster['why']}."
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page, or check it."""
    made = page(json.loads(RESULT.read_text(encoding="utf-8")))
    if "--check" in sys.argv:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        sys.exit("docs/speed.md is out of date: run python docs/make_speed.py" if made != current else 0)
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
