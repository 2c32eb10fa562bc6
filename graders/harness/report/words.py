"""Words and numbers that all renderings share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

VERDICTS = {
    "unscored": "the harness failed; nothing is recorded",
    "missing": "asked for and not there",
    "unfilled": "not attempted",
    "incompatible": "cannot run here",
    "error": "raised, or returned the wrong type",
    "timeout": "took too long",
    "killed": "stopped",
    "wrong": "gives wrong values",
    "inexact": "close to the truth, but not by rounding alone",
    "unstable": "right on paper, breaks where numbers get large or small",
    "review": "slightly beyond what rounding explains: a person decides",
    "convention": "right under another documented definition",
    "correct": "within rounding of the truth everywhere",
}


def number(value: Any, digits: int = 6) -> str:
    """Return a number as a person reads it."""
    if not isinstance(value, (int, float)):
        return str(value)
    if math.isnan(value) or math.isinf(value):
        return str(value)
    return f"{value:.{digits}g}"


def apart(one: Any, two: Any, digits: int = 6) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to see that they differ."""
    while number(one, digits) == number(two, digits) and digits < 17 and one != two:
        digits += 1
    return number(one, digits), number(two, digits)


def part_of(output: str) -> str:
    """Return how a part of a result is written behind its name: `.dW`, `[0].W`."""
    return output if not output or output.startswith("[") else f".{output}"


def one_line(text: str) -> str:
    """Return text from a stranger on one line, without control characters: it cannot move the cursor or fake a line."""
    line = re.sub(r"\s*\n\s*", " ", text)
    return re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]",
        "\ufffd",
        line,
    )


def kept_apart(tier: str, missing: Mapping[str, str]) -> str:
    """Say how far submissions are kept from everything else, and what is missing: "reduced (without landlock: …)"."""
    if tier == "none":
        return "none (no code of a submission was run)"
    layers: dict[str, list[str]] = {}
    for layer, reason in missing.items():
        layers.setdefault(plain_reason(layer, reason), []).append(layer)
    said = "; ".join(f"without {', '.join(names)}: {reason}" for reason, names in layers.items())
    return f"{tier} ({said})" if said else tier


def plain_reason(layer: str, reason: str) -> str:
    """Return the kernel's reason for refusing a layer without its number and the layer's own name."""
    return one_line(re.sub(r"^\[Errno \d+\] ", "", reason).removeprefix(f"{layer}: "))


def finite(value: Any) -> Any:
    """Return data with non-finite numbers as the strings "nan", "inf" and "-inf": JSON knows no others."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
