"""Tests that share what is dear to make run in one process."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("in_one_process")
def test_a_group_is_seen_by_what_shares_the_tests_out(request: pytest.FixtureRequest) -> None:
    """Some releases of pytest and pytest-xdist do not go together, and say nothing: see constraints/ci.txt."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("tests are not shared out by groups here (-n 2 --dist loadgroup)")

    assert request.node.nodeid.endswith("@in_one_process")
