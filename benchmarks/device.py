"""How right PyTorch's own functions are on a GPU, and whether a submission is graded there as it should be.

Run: python benchmarks/device.py [--dtypes float64,float32,float16,bfloat16] [--only PATTERN] [--output FILE.json].
Each function is asked the public cases of its exercise on the device, TF32 switched off, and held against the same
truth and the same allowed error as on the CPU. Then a submission of a few functions goes through the sandbox. Without
a GPU the reason is printed and nothing is measured; --device cpu tries the script itself.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradproof
from graders import _api, _catalogue, _device
from graders.harness.certify import library, proved
from graders.harness.report.words import finite

SUBMISSION = """
import torch

def relu(z: torch.Tensor):
    return torch.relu(z)

def softmax(z: torch.Tensor, *, axis=-1):
    return torch.softmax(z, axis)

def affine(x: torch.Tensor, W: torch.Tensor, b: torch.Tensor):
    return torch.addmm(b, x, W)

def conv2d(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, *, stride=1, padding=0, dilation=1, groups=1):
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        return torch.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups)

def log_softmax(z: torch.Tensor, *, axis=-1):
    return torch.log(torch.softmax(z, axis))  # wrong far out

"""
EXPECTED = {
    "relu": "correct",
    "softmax": "correct",
    "affine": "correct",
    "conv2d": "correct",
    "log_softmax": "unstable",
}


def environment(device: str) -> dict[str, Any]:
    """Return what the figures hang on."""
    torch = library("torch")
    made = {"machine": platform.machine(), "system": platform.release(), **_api.versions(), "torch": torch.__version__}
    if device == "cpu":
        return made | {"device": "cpu", "capability": torch.backends.cpu.get_cpu_capability()}
    known = torch.cuda.get_device_properties(0)
    return made | {
        "device": known.name, "capability": f"{known.major}.{known.minor}", "memory_gib": known.total_memory >> 30,
        "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(),
    }  # fmt: skip


def measured(device: str, dtypes: Sequence[str], only: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield how right each of PyTorch's functions is in each dtype."""
    key = _api.Key(_api.PUBLIC_SEED, proved, dtypes)
    for name, exercise in _catalogue.select(only).items():
        for dtype in dtypes if "torch" in exercise.rivals else ():
            asked = [case for case in key.cases(exercise) if case.dtype == dtype]
            made = list(_device.rival_comparisons(exercise, asked, key, device))
            if made:
                worst = max(made, key=lambda c: c.ratio)
                yield {
                    "name": name, "dtype": dtype, "cases": len(made), "beyond": sum(not c.passed for c in made),
                    "max_error_over_allowed": worst.ratio, "max_ulp": max(c.worst_ulp for c in made),
                    "worst_case": worst.case.origin, "problem": worst.problem,
                }  # fmt: skip


def graded(device: str) -> list[dict[str, Any]]:
    """Return what becomes of a submission that computes on the device, through the sandbox."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "submission.py")
        file.write_text(SUBMISSION, encoding="utf-8")
        report = gradproof.grade(file, seed=_api.PUBLIC_SEED, device=device)
    return [
        {"name": e.name, "verdict": e.verdict, "reason": e.reason, "notes": e.notes, "seconds": e.seconds}
        for submission in report.submissions for e in submission.exercises
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", choices=_device.DEVICES, default="cuda", help="cpu tries the script itself")
    options.add_argument("--dtypes", default="float64,float32,float16,bfloat16")
    options.add_argument("--only", action="append", default=[], metavar="PATTERN")
    options.add_argument("--output", type=Path, help="also write the figures to this JSON file")
    given = options.parse_args(arguments)
    if library("torch") is None:
        print("nothing is measured: PyTorch is not installed")
        return
    try:
        _device.found(given.device)
    except _device.NoDevice as error:
        print(f"nothing is measured: {error}")
        return
    functions = []
    for row in measured(given.device, given.dtypes.split(","), given.only):
        functions.append(row)
        said = row["problem"] or f"{row['max_error_over_allowed']:10.3g} of the allowed error, {row['max_ulp']:.3g} ulp"
        print(f"{row['name']:42} {row['dtype']:9} {said}", flush=True)
    submission = graded(given.device)
    for row in submission:
        print(f"{row['name']:42} {row['verdict']:9} {'; '.join(row['notes'])}")
    if given.output:
        document = {
            "schema": 1, "environment": environment(given.device), "functions": functions, "submission": submission,
        }  # fmt: skip
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(json.dumps(finite(document), indent=2) + "\n", encoding="utf-8")
    verdicts = {row["name"].partition(".")[2]: row["verdict"] for row in submission}
    sys.exit(any(verdicts.get(name) != verdict for name, verdict in EXPECTED.items()))


if __name__ == "__main__":
    main()
