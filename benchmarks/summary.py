"""What the committed results say, in a few lines: the README shows them.

Run: python benchmarks/summary.py. The results are written by `make deep`, `benchmarks/sandbox.py` and
`benchmarks/grading.py`.
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
    functions = read("certificate")["functions"]

    def total(key: str) -> int:
        return sum(audit[key] for audit in audits)

    proved = sum(claim["status"] == "proved" for claim in proofs)
    mutants, lies = sum(c["mutants"] for c in proofs), sum(c["mutants_proved"] for c in proofs)
    ours = max(f["max_error_over_allowed"] for f in functions)
    beyond = {f["name"] for f in functions if float(f["torch_max_error_over_allowed"] or 0) > 1}
    names = {f["name"] for f in functions}
    sandbox, grading = read("sandbox")["milliseconds"], read("grading")
    added, prepared = grading["a_wrong_function_adds"], "whole catalogue, cases and answers, empty cache, 2 processes"
    least = {name: min(values) for name, values in sandbox.items()}
    measured = sum(claim["status"] == "measured" for claim in proofs)
    print(
        f"claims      {proved} of {len(proofs) - measured} proved, {measured} measured; "
        f"{lies} of {mutants} wrong variants proved ({at_most(mutants)});"
    )
    refuted = sum(erratum["as_written"] == "refuted" for erratum in errata)
    print(f"            {refuted} of {len(errata)} errata of the lectures refuted")
    print(f"mistakes    {total('caught')} of {total('misconceptions')} caught, {total('named')} named")
    changed = total("mutants") - total("equivalent")
    print(f"mutants     {total('killed')} of {changed} killed, {total('equivalent')} more compute the same")
    print(
        f"fairness    {total('rejected')} of {total('honest')} honest programs rejected ({at_most(total('honest'))});"
    )
    print(f"            {total('accepted')} of {total('conventions')} conventions accepted and named")
    print(f"accuracy    over {len(names)} functions our largest error is {ours:.2f} of the allowed one;")
    print(f"            PyTorch's is beyond it in {len(beyond)} of them")
    print(f"sandbox     a submission of 1,000 calls {least['ours']:.0f} ms; in a pytest process "
          f"{least['a pytest process'] / least['ours']:.0f} times,")  # fmt: skip
    print(f"            by otter run {least['otter run'] / least['ours']:.0f} times as long")
    noise = read("noise")
    alike, effects = noise["summary"]["0"], [effect for effect in ("5", "10", "15") if effect in noise["summary"]]
    false = sum(alike[verdict] for verdict in ("slower", "faster", "implausible", "not timed"))
    told = ", ".join(f"{100 * noise['summary'][effect]['caught']:.0f} % of +{effect} %" for effect in effects)
    print(f"speed       {false} of {alike['runs']} timings of identical code gave alarm "
          f"(at most {100 * alike['false_alarms_at_most']:.2g} %);")  # fmt: skip
    print(f"            {told} told, {noise['seconds']:g} s for each pair of processes")
    print(f"grading     {grading['rates']['20 names']:.0f} submissions of 20 functions a second on "
          f"{grading['machine']['cores']} cores; a wrong one adds {added['median']:.2f} s")  # fmt: skip
    print(f"            ({added['of 95 %']:.2f} s at most in 95 %); all cases and answers anew "
          f"{grading['seconds'][prepared]['wall']:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
