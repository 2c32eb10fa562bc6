"""Memory shared with a child: large arrays cross, nothing is used twice, and what the child does to it harms nobody."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

from graders.harness.sandbox.arena import SMALLEST, Arena
from graders.harness.sandbox.contract import Call, Kept, Killed, Limits, Raised, Returned
from graders.harness.sandbox.live import LiveBox
from graders.harness.sandbox.parent import ProcessBox, Submission

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a child process of its own needs POSIX")
LARGE = 3_000_000


def of(text: str) -> Submission:
    return Submission("a", "a.py", "file", "a.py", {"a.py": "import numpy as np\n" + textwrap.dedent(text)})


def opened(text: str) -> ProcessBox:
    return ProcessBox(of(text), ("numpy",), Limits())


def value(outcome: Any) -> Any:
    assert isinstance(outcome, Returned), outcome
    return outcome.values[0]


# ---------------------------------------------------------------- what crosses


def test_large_arrays_cross_both_ways_several_in_one_request() -> None:
    x = np.random.default_rng(0).normal(size=LARGE)
    calls = [Call("f", (x, float(k)), largest=9 * LARGE) for k in range(3)]

    with opened("def f(x, k):\n    return x + k\n") as box:
        outcomes = box.call([*calls, Call("f", (1.0, 2.0))])

    for k, outcome in enumerate(outcomes[:3]):
        np.testing.assert_array_equal(value(outcome), x + k)
    assert value(outcomes[3]) == 3.0


@pytest.mark.parametrize("size", [1 << 16, (1 << 16) + 8, 1 << 17])
def test_answers_about_as_long_as_what_the_channel_takes(size: int) -> None:
    sizes = [*range(size // 8 - 20, size // 8 + 3)]

    with opened("def f(n):\n    return np.arange(float(n))\n") as box:
        outcomes = box.call([Call("f", (n,)) for n in sizes])

    for n, outcome in zip(sizes, outcomes, strict=True):
        np.testing.assert_array_equal(value(outcome), np.arange(float(n)))


def test_an_answer_larger_than_allowed_is_told_and_the_next_call_is_made() -> None:
    with opened("def f(n):\n    return np.zeros(n)\n") as box:
        first, second = box.call([Call("f", (1000,), largest=4000), Call("f", (10,), largest=4000)])

    assert isinstance(first, Raised)
    assert "at most 4,000 are read" in first.message
    assert value(second).shape == (10,)


def test_an_answer_that_there_is_no_memory_for_is_told() -> None:
    text = "x = np.zeros(100_000_000)\ndef f():\n    return (x,) * 100\ndef g():\n    return 1.0\n"
    with ProcessBox(of(text), ("numpy",), Limits(memory=2 << 30, call_seconds=20)) as box:
        first, second = box.call([Call("f", ()), Call("g", ())])

    assert isinstance(first, Raised)
    assert value(second) == 1.0


# ---------------------------------------------------------------- what stays as it was


def test_an_array_that_is_kept_is_never_written_over() -> None:
    text = """
        kept = []
        def f(x):
            kept.append(x)
            return len(kept)
        def g(position):
            return kept[position]
    """
    sent = [np.full(SMALLEST // 24, float(k)) for k in range(30)]  # several arenas
    with opened(text) as box:
        for array in sent:
            box.call([Call("f", (array,))])
        for position, array in enumerate(sent):
            np.testing.assert_array_equal(value(box.call([Call("g", (position,), largest=SMALLEST)])[0]), array)


def test_who_walks_from_an_array_to_its_base_comes_to_an_end() -> None:
    """As MyGrad does, to learn whether memory may be written to."""
    walk = """
        def f(x):
            x = x[::2].T
            while x.base is not None:
                x = x.base
            return bool(x.flags.writeable)
    """

    with opened(walk) as box:
        (outcome,) = box.call([Call("f", (np.ones((4, 3)),))])

    assert value(outcome) is True


def test_arrays_are_writable_their_own_and_aligned() -> None:
    text = """
        def f(x, y):
            x[...] = 7
            return np.concatenate([x, y]), x.ctypes.data % 64, y.ctypes.data % 64, x.flags.c_contiguous
    """
    x = np.ones(3)
    with opened(text) as box:
        (outcome,) = box.call([Call("f", (x, x))])

    both, *aligned = value(outcome)
    np.testing.assert_array_equal(both, [7, 7, 7, 1, 1, 1])
    assert aligned == [0, 0, True]
    np.testing.assert_array_equal(x, 1)


# ---------------------------------------------------------------- what was written to


@pytest.mark.parametrize("kind", ["apart", "live"])
def test_what_is_written_to_is_seen_wherever_it_lies(kind: str) -> None:
    def nothing(x: Any, y: Any) -> float:
        return 1.0

    def second(x: Any, y: Any) -> float:
        y["W"][0] += 1
        return 1.0

    def nested(x: Any, y: Any) -> float:
        x[1][...] = np.nan
        return 1.0

    def undone(x: Any, y: Any) -> float:
        x[0] += 1
        x[0] -= 1
        return 1.0

    text = """
        def nothing(x, y): return 1.0
        def second(x, y): y["W"][0] += 1; return 1.0
        def nested(x, y): x[1][...] = np.nan; return 1.0
        def undone(x, y): x[0] += 1; x[0] -= 1; return 1.0
    """
    functions = {f.__name__: f for f in (nothing, second, nested, undone)}
    arguments = ([np.ones(2), np.ones(3)], {"W": np.array([np.nan, 2.0, 3.0])})
    arguments[1]["W"][0] = 5
    calls = [Call(name, arguments) for name in functions]

    with opened(text) if kind == "apart" else LiveBox(functions) as box:
        outcomes = box.call(calls)

    assert [o.mutated for o in outcomes if isinstance(o, Returned)] == [(), (1,), (0,), ()]


def test_a_submission_cannot_hide_that_it_writes_to_its_arguments() -> None:
    text = """
        import sys
        child = sys.modules["gradproof_child.child"]
        perform = child.perform
        def f(x):
            x *= 2
            return x.copy()
        def hidden(functions, call, kept, *rest):
            x = call[1][0]
            answer = perform(functions, call, kept, *rest)
            call[1][0] = x.copy()
            return answer
        child.perform = hidden
    """
    with opened(text) as box:
        (outcome,) = box.call([Call("f", (np.ones(3),))])

    assert isinstance(outcome, Returned)
    assert outcome.mutated == (0,)


def test_what_a_state_in_the_child_is_written_to_is_not_an_argument_of_ours() -> None:
    text = "def make():\n    return np.zeros(2)\ndef step(state, g):\n    state += g\n    return state\n"
    with opened(text) as box:
        _, stepped = box.call([Call("make", (), keep="s"), Call("step", (Kept("s"), np.ones(2)))])

    assert isinstance(stepped, Returned)
    assert stepped.mutated == ()
    np.testing.assert_array_equal(stepped.values[0], [1, 1])


# ---------------------------------------------------------------- hostile


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    np.lib.stride_tricks.as_strided(x, (20,), (-8,))[2:] = 1\n    return 1.0\n",
        "import ctypes\ndef f(x):\n    ctypes.memset(x.ctypes.data - 64, 0xFF, 64)\n    return 1.0\n",
    ],
    ids=["strides", "addresses"],
)
def test_writing_over_the_request_itself_ends_the_submission(text: str) -> None:
    with opened(text) as box:
        outcomes = box.call([Call("f", (np.ones(3),)), Call("f", (np.ones(3),))])

        assert isinstance(outcomes[-1], Killed), outcomes
        assert (
            "wrote over" in outcomes[-1].why or "broke the protocol" in outcomes[-1].why or "died" in outcomes[-1].why
        )
        assert isinstance(box.call([Call("f", (1.0,))])[0], Killed)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux seals a file")
def test_nobody_can_cut_an_arena_short_or_make_it_longer() -> None:
    arena = Arena(100, 100)
    try:
        for size in (0, arena.size + 4096):
            with pytest.raises(PermissionError):
                os.ftruncate(arena.descriptor, size)
    finally:
        arena.close()


def test_an_arena_gives_each_request_a_place_of_its_own() -> None:
    arena = Arena(1000, 100)
    try:
        first, second = arena.put(b"x" * 100), arena.put(b"y")
        assert (arena.copy(first, 100), arena.copy(second, 1)) == (b"x" * 100, b"y")
        assert first >= 1000
        assert second >= first + 100
        assert not arena.takes(1001, 1)
        assert not arena.takes(1000, arena.size)
        assert arena.takes(1000, 1)
    finally:
        arena.close()


def test_a_child_that_never_takes_its_answers_back_gets_a_verdict() -> None:
    text = """
        import os
        def f():
            return np.zeros(20_000)
        made = os.read
        os.read = lambda *a: b""
    """
    with opened(text) as box:  # it goes on before the grader has copied: only its own answers suffer
        outcomes = box.call([Call("f", ()), Call("f", ())])

    assert all(isinstance(o, (Returned, Killed)) for o in outcomes)
