"""What the tests of the reference share: each draws its own numbers, whichever ran before it in its process."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

_BEGAN: dict[str, Any] = {}
"""The state of each module's generator when all modules were imported, and no test had run."""


def _source(module: Any) -> np.random.Generator | None:
    source = getattr(module, "RNG", None)
    return source if isinstance(source, np.random.Generator) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep where each module's generator begins."""
    for module in {item.module for item in items if isinstance(item, pytest.Function)}:
        if (source := _source(module)) is not None:
            _BEGAN[module.__name__] = copy.deepcopy(source.bit_generator.state)


@pytest.fixture(autouse=True)
def the_same_draws_in_any_order(request: pytest.FixtureRequest) -> None:
    """Set back the generator that the tests of a module share, so that the order of tests decides nothing."""
    if (source := _source(request.module)) is not None:
        source.bit_generator.state = copy.deepcopy(_BEGAN[request.module.__name__])
