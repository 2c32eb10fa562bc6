"""A live function behind the same contract, in this process: for a self-check, never for a grade."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

import numpy as np

from graders.harness.sandbox import child, contract
from graders.harness.sandbox.codec import decode_in_place
from graders.harness.sandbox.contract import Call, Loaded, Outcome, Returned


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
            return [self._called(call, kept) for call in calls]

    def _called(self, call: Call, kept: dict[str, Any]) -> Outcome:
        given = bytearray(call.encoded.data)
        reply = child.perform(self._functions, decode_in_place(given), kept, (KeyboardInterrupt,))
        outcome = contract.outcome(child.own(reply))  # a function may keep what it returns, and write to it later
        if isinstance(outcome, Returned) and given != call.encoded.data:
            return replace(outcome, mutated=contract.written(call.encoded.data, bytes(given)))
        return outcome

    def close(self) -> None:
        """Nothing to end."""

    def __enter__(self) -> LiveBox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
