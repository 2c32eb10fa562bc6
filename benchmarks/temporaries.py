"""How much memory each reference function needs besides its arguments, as a share of what it must read and write.

python benchmarks/temporaries.py --output benchmarks/results/temporaries.json

The numbers hang on NumPy and on nothing else; tests/reference/test_temporaries.py holds every function to what is
committed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from graders import _catalogue
from graders.harness.speed.temporaries import LEAST, peak
from graders.harness.speed.workloads import Workload


def measured() -> dict[str, float]:
    """Return the share for each function whose work grows with its arguments."""
    found = {name: peak(Workload(exercise, "medium")) for name, exercise in _catalogue.exercises().items()}
    return {name: round(share, 2) for name, share in found.items() if share is not None}


def main() -> None:
    """Write the shares, or print them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path)
    output = parser.parse_args().output
    document = {"schema": 1, "numpy": np.__version__, "size": "medium", "at least": LEAST, "peaks": measured()}
    text = json.dumps(document, indent=1) + "\n"
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
