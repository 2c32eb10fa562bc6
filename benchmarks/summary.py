"""What the committed results say, in a few lines: the README shows them.

Run: python benchmarks/summary.py. The results are written by `make deep` and `benchmarks/grading.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")


def read(name: str) -> Any:
    """Return one result."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def at_most(count: int) -> str:
    """Return the bound on a share of which none was seen in so many, with 95 % confidence."""
    return f"at most {100 * (1 - 0.05 ** (1 / count)):.2g} %"


def main() -> None:
    """Print the summary."""
    audits, proofs, errata = read("audit")["exercises"], read("prove_deep")["claims"], read("prove_deep")["errata"]
    functions, grading = read("certificate")["functions"], read("grading")

    def total(key: str) -> int:
        return sum(audit[key] for audit in audits)

    proved = sum(claim["status"] == "proved" for claim in proofs)
    mutants, lies = sum(c["mutants"] for c in proofs), sum(c["mutants_proved"] for c in proofs)
    ours = max(f["max_error_over_allowed"] for f in functions)
    beyond = {f["name"] for f in functions if float(f["torch_max_error_over_allowed"] or 0) > 1}
    names = {f["name"] for f in functions}
    seconds, sandbox = grading["seconds"], read("sandbox")["milliseconds"]
    least = {name: min(values) for name, values in sandbox.items()}
    measured = sum(claim["status"] == "measured" for claim in proofs)
    print(
        f"claims      {proved} of {len(proofs) - measured} proved, {measured} measured; "
        f"{lies} of {mutants} wrong variants proved ({at_most(mutants)});"
    )
    refuted = sum(erratum["as_written"] == "refuted" for erratum in errata)
    print(f"            {refuted} of {len(errata)} errata of the lectures refuted")
    print(f"mistakes    {total('caught')} of {total('misconceptions')} caught, {total('named')} named")
    print(f"mutants     {total('killed')} of {total('mutants')} killed, {total('equivalent')} equivalent")
    print(
        f"fairness    {total('rejected')} of {total('honest')} honest programs rejected ({at_most(total('honest'))});"
    )
    print(f"            {total('accepted')} of {total('conventions')} conventions accepted and named")
    print(f"accuracy    over {len(names)} functions our largest error is {ours:.2f} of the allowed one;")
    print(f"            PyTorch's is beyond it in {len(beyond)} of them")
    print(f"speed       one function {seconds['one function, first']['wall']:.1f} s from a cold start, 28 names "
          f"{seconds['28 names, first']['wall']:.1f} s;")  # fmt: skip
    print(f"            {grading['submissions_per_second']} right submissions of 28 names a second on "
          f"{grading['machine']['cores']} cores")  # fmt: skip
    print(f"sandbox     a submission of 1,000 calls {least['ours']:.0f} ms; in a pytest process "
          f"{least['a pytest process'] / least['ours']:.0f} times,")  # fmt: skip
    print(f"            by otter run {least['otter run'] / least['ours']:.0f} times as long")


if __name__ == "__main__":
    main()
