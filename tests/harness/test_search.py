"""The search for a smallest witness: it finds small ones, and it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from graders.harness import cases, diagnose
from graders.harness.cases import Case
from graders.harness.drawing import SIMPLE, Shrinking
from graders.harness.exercise import Exercise

Array = np.ndarray[Any, Any]
Images = Annotated[Array, "n c h v"]


def total(x: Images) -> Images:
    return x + 1


TOTAL = Exercise(total)


def sought(fits: Callable[[Array], bool], shrinks: bool = True) -> tuple[Case | None, int]:
    """Return the case that is found among small ones, and how many were asked."""
    asked = 0

    def counted(case: Case) -> bool:
        nonlocal asked
        asked += 1
        return fits(case.arguments["x"])

    like = cases.seeded(TOTAL, 0)[0]
    return diagnose.found_by(cases.small(TOTAL, like), counted, 80, shrinks), asked


@pytest.mark.parametrize(
    "fits, largest",
    [
        pytest.param(lambda x: bool(np.any(x != 0)), 1, id="one number that is not 0"),
        pytest.param(lambda x: x.size > 1 and bool(x.flat[0] != x.flat[-1]), 2, id="two that differ"),
        pytest.param(lambda x: x.shape[2] > 1 and bool(np.all(x[:, :, 1] == 2)), 2, id="a value in the second row"),
    ],
)
def test_what_is_found_is_small(fits: Callable[[Array], bool], largest: int) -> None:
    case, _ = sought(fits)

    assert case is not None
    assert fits(case.arguments["x"])
    assert case.arguments["x"].size <= largest


def test_a_search_ends_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnose, "MOST", 20)
    case, asked = sought(lambda x: x.size > 8 and len(set(x.flat)) > 3)

    assert case is not None
    assert case.arguments["x"].size > 8
    assert asked == 20


def test_what_is_nowhere_is_not_found() -> None:
    case, asked = sought(lambda x: False)

    assert case is None
    assert asked <= diagnose.MOST


def test_every_pair_of_numbers_can_be_drawn_and_nothing_but_zeros_is_simplest() -> None:
    count = len(SIMPLE)
    drawn = [Shrinking(lambda strategy, number=number: number, steep=False).real((2,)) for number in range(count**2)]

    assert {tuple(pair) for pair in drawn} == {(one, two) for one in SIMPLE for two in SIMPLE}
    assert not np.any(drawn[0])
    assert Shrinking(lambda strategy: 1, steep=False).real((2, 4)).tolist() == [[0, 0, 0, 0], [0, 1, 0, 1]]


def test_what_is_found_does_not_hang_on_what_else_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis reads constants in modules outside site-packages, and draws them: those of a clone among them."""
    drawn: list[str] = []
    theirs = providers.HypothesisProvider._maybe_draw_constant

    def read() -> Any:  # all that this process has imported would take half a minute
        drawn.append("constants")
        return Constants()

    monkeypatch.setattr(providers, "_get_local_constants", read)
    found, _ = sought(lambda x: x.size > 8 and len(set(x.flat)) > 3)

    assert found is not None
    assert not drawn
    assert providers.HypothesisProvider._maybe_draw_constant is theirs  # other tests of the same process draw them
    # what is found last is not made small, which would take half a minute
    only_drawn = hypothesis.settings(phases=(hypothesis.Phase.generate,), database=None)
    hypothesis.find(st.lists(st.integers(), min_size=200), lambda some: sum(map(bool, some)) > 150, settings=only_drawn)
    assert drawn
