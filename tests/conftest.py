"""What all tests share: a cache apart from the user's, the answers to all exercises, and which run in one process."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from graders.harness.key import AnswerKey


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep every test from reading or filling the user's cache.

    Each process has one of its own, so that none replays what another has graded; but answers are made once for all.
    """
    folder = tmp_path_factory.mktemp("cache")
    root = tmp_path_factory.getbasetemp()
    together = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "answers"
    together.mkdir(exist_ok=True)
    (folder / "gradproof").mkdir(mode=0o700)
    (folder / "gradproof" / "answers").symlink_to(together)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield


@pytest.fixture(scope="session")
def key() -> AnswerKey:
    """Return the cases and answers of all exercises, which are made once."""
    from graders.harness.certify import proved
    from graders.harness.key import AnswerKey

    return AnswerKey(0, proved, keeps_seeded=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is asked about one name in one process (`--dist loadgroup`): its answers are then made only once.

    Of a test marked `one_in(3)` every third case is run, and all of them by `make deep`.
    """
    counts: Counter[str] = Counter()
    for item in items:
        mark = item.get_closest_marker("one_in")
        if mark is not None:
            test = item.nodeid.partition("[")[0]
            if counts[test] % mark.args[0]:
                item.add_marker(pytest.mark.deep)
            counts[test] += 1
        name = (
            item.callspec.params.get("name") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else 0
        )
        if isinstance(name, str):
            item.add_marker(pytest.mark.xdist_group(name))
