"""A live function behind the same contract, in this process: for a self-check, never for a grade."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from graders.harness.sandbox import child, contract
from graders.harness.sandbox.contract import Call, Loaded, Outcome


class LiveBox:
    """Functions of this process, called as the child would call them; no clock stops them."""

    def __init__(self, functions: dict[str, Callable[..., Any]]) -> None:
        self._functions = functions
        self.spent = 0.0
        answer = contract.loaded(
            {"status": "loaded", "functions": child.listing(functions), "notes": [], "imports": []}
        )
        assert isinstance(answer, Loaded)
        self.loaded = answer

    def call(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make the calls in order, one outcome each."""
        kept: dict[str, Any] = {}
        with np.errstate(all="ignore"):
            return [
                contract.outcome(child.perform(self._functions, call.as_data(), kept, (KeyboardInterrupt,)))
                for call in calls
            ]

    def close(self) -> None:
        """Nothing to end."""

    def __enter__(self) -> LiveBox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
