"""The report, and every other result, as one JSON document."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import numpy as np

from graders.harness.report import Report
from graders.harness.report.words import finite

STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def document(value: Any) -> str:
    """Return any result as a JSON document; non-finite numbers become strings.

    What could steer a terminal that the document is printed on (control characters, the direction of writing) is there
    by its number.
    """
    text = msgspec.json.format(
        msgspec.json.encode(finite(msgspec.to_builtins(value, enc_hook=_plain))), indent=2
    ).decode()
    return STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def _plain(value: Any) -> Any:
    """Return a number of NumPy's as Python's own."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")


def render(report: Report) -> str:
    """Return the whole report as a JSON document."""
    return document(report)
