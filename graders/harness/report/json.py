"""The report, and every other result, as one JSON document."""

from __future__ import annotations

from typing import Any

import msgspec

from graders.harness.report import Report
from graders.harness.report.words import finite


def document(value: Any) -> str:
    """Return any result as a JSON document; non-finite numbers become strings."""
    return msgspec.json.format(msgspec.json.encode(finite(msgspec.to_builtins(value))), indent=2).decode() + "\n"


def render(report: Report) -> str:
    """Return the whole report as a JSON document."""
    return document(report)
