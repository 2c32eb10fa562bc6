"""The rig: a clock out of reach, inputs that are never the same, results that are all checked."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from graders import _api, _bench, _catalogue
from graders._adapters import named
from graders._bench import sides
from graders.harness.cases import Case
from graders.harness.plans import Binding
from graders.harness.sandbox.contract import Function, Returned
from graders.harness.sandbox.parent import ProcessBox, Submission
from graders.harness.speed import limits, rig, rounds
from graders.harness.speed.rig import UNLIMITED, CannotTime, Failed, Implausible, Side, Waits
from graders.harness.speed.statistics import FEWEST, Ratio, is_far, ratio_of
from graders.harness.speed.workloads import SIZES, Workload, least_bytes, numbers

linux = pytest.mark.skipif(sys.platform != "linux", reason="a submission is timed by Linux's clock of its process")


def workload(name: str, size: str = "small", **kwargs: Any) -> Workload:
    return Workload(_catalogue.exercises()[name], size, **kwargs)


def submission(text: str) -> Submission:
    return Submission("theirs", "theirs.py", "file", "theirs.py", {"theirs.py": text})


def side(at: Workload, text: str) -> Side:
    what = submission(text)
    with contextlib.closing(_api.opener_of(what, _api.ALLOWED)(UNLIMITED)) as box:
        assert isinstance(box, ProcessBox)
        binding: Binding = sides._bound(at, box)
    return sides.submitted(binding, what, at)


# ---------------------------------------------------------------- workloads


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "name", ["activations.softmax", "activations.softmax_jacobian", "layers.affine", "normalization.layer_norm",
             "convolution.conv2d_vjp", "optimizers.adam", "networks.mlp_loss_grad"],
)  # fmt: skip
def test_a_workload_is_as_large_as_its_size_says(name: str, size: str) -> None:
    at = workload(name, size)
    case = at.draw(0)
    moved = least_bytes(case, at.outputs(case))

    assert SIZES[size] <= moved <= 16 * 8 * SIZES[size]


def test_no_two_calls_get_the_same_input_and_all_do_the_same_work() -> None:
    at = workload("losses.softmax_cross_entropy")
    one, two = at.draw(1), at.draw(2)

    assert one.id != two.id
    assert one.id == workload("losses.softmax_cross_entropy").draw(1).id
    assert one.id != workload("losses.softmax_cross_entropy", seed=9).draw(1).id
    assert [a.shape for a in numbers(dict(one.arguments))] == [a.shape for a in numbers(dict(two.arguments))]
    assert one.hyperparameters == two.hyperparameters


def test_the_limit_grows_with_bytes_and_with_operations() -> None:
    assert 0 < limits.least_seconds(10_000) < limits.least_seconds(10_000_000)
    assert limits.least_seconds(10_000, 1e9) > limits.least_seconds(10_000)


# ---------------------------------------------------------------- the clock

ONE = "np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))"
RIGHT = f"import numpy as np\ndef bce_with_logits(z, y):\n    return {ONE}\n"
REPEATED = f"for _ in range(40):\n        r = {ONE}\n    return r"
SLOW = f"import numpy as np\ndef bce_with_logits(z, y):\n    {REPEATED}\n"
FEW = 5.0
"""Of forty times the work, what is seen at least, whatever else the machine does."""


@linux
def test_a_program_that_does_the_work_forty_times_is_slower() -> None:
    at = workload("losses.bce_with_logits")

    (timing,) = rig.compare(at, side(at, SLOW), [side(at, RIGHT)], seconds=0.15)

    assert timing.seconds[0] > FEW * timing.seconds[1]
    assert timing.calls > 0
    assert timing.in_full > 0


@linux
def test_a_wrong_result_of_a_timed_call_has_no_time() -> None:
    at = workload("losses.bce_with_logits")
    lies = (
        "import numpy as np\nn = 0\ndef bce_with_logits(z, y):\n    global n\n    n += 1\n"
        f"    return {ONE} if n < 9 else 0.0\n"
    )

    with pytest.raises(
        Failed, match=r"bce_with_logits: the result of a timed call is wrong in 100\.00% of its elements"
    ):
        rig.compare(at, side(at, lies), [side(at, RIGHT)], seconds=0.15)


@linux
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def bce_with_logits(z, y):\n    raise ValueError('no')\n", "bce_with_logits raised ValueError: no"),
        (
            "def bce_with_logits(z, y):\n    return [1, 2]\n",
            r"bce_with_logits: the result has shape \(2,\), expected shape \(\)",
        ),
        ("import os\ndef bce_with_logits(z, y):\n    os._exit(0)\n", "bce_with_logits the process ended itself"),
    ],
)
def test_what_fails_is_not_timed(text: str, said: str) -> None:
    at = workload("losses.bce_with_logits")

    with pytest.raises(CannotTime, match=said):
        rig.compare(at, side(at, text), [side(at, RIGHT)], seconds=0.1)


CLOCKS = """
import time, os
for name in ("perf_counter", "process_time", "monotonic", "time", "thread_time"):
    setattr(time, name, lambda: 0.0)
    setattr(time, name + "_ns", lambda: 0)
time.clock_gettime = lambda clock: 0.0
os.times = lambda: (0.0,) * 5
"""
CHEATS = {
    "patches every clock": CLOCKS + "import numpy as np\ndef bce_with_logits(z, y):\n    " + REPEATED,
    "remembers what it has computed": (
        "import numpy as np\nseen = {}\ndef bce_with_logits(z, y):\n"
        "    key = z.tobytes(), y.tobytes()\n    if key in seen:\n"
        "        return seen[key]\n    " + REPEATED.replace("return r", "seen[key] = r\n    return r")
    ),
    "remembers by where the input lies": (
        "import numpy as np\nseen = {}\ndef bce_with_logits(z, y):\n"
        "    key = z.ctypes.data, y.ctypes.data\n    if key in seen:\n"
        "        return seen[key]\n    " + REPEATED.replace("return r", "seen[key] = r\n    return r")
    ),
    "works in another thread": (
        "import numpy as np\nfrom threading import Thread\ndef bce_with_logits(z, y):\n"
        "    found = []\n    def work():\n"
        f"        for _ in range(40):\n            r = {ONE}\n        found.append(r)\n"
        "    thread = Thread(target=work)\n    thread.start()\n    thread.join()\n    return found[0]"
    ),
    "sleeps while another works": (
        "import numpy as np, time\nfrom concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(2)\n"
        "def work(z, y):\n    " + REPEATED + "\ndef bce_with_logits(z, y):\n    done = pool.submit(work, z, y)\n"
        "    time.sleep(0)\n    return done.result()"
    ),
    "is quick in its first calls": (
        "import numpy as np\nn = 0\ndef bce_with_logits(z, y):\n    global n\n    n += 1\n    if n < 5:\n"
        f"        return {ONE}\n    {REPEATED}"
    ),
    "returns an object that computes when it is looked at": (
        "import numpy as np\nclass Lazy:\n    def __init__(self, z, y):\n        self.z, self.y = z, y\n"
        "    def __array__(self, dtype=None, copy=None):\n        return np.asarray(forty_times(self.z, self.y))\n"
        "def forty_times(z, y):\n    " + REPEATED + "\ndef bce_with_logits(z, y):\n    return Lazy(z, y)"
    ),
}  # fmt: skip
"""Programs that do the work forty times and hide it."""


@linux
@pytest.mark.parametrize("text", CHEATS.values(), ids=CHEATS)
def test_hidden_work_is_counted(text: str) -> None:
    at = workload("losses.bce_with_logits")

    (timing,) = rig.compare(at, side(at, text), [side(at, RIGHT)], seconds=0.15)

    assert timing.seconds[0] > FEW * timing.seconds[1]


GRADIENT = "def mse_grad(p, t):\n    return 2 * (p - t) / p.size\n"
LATER = {
    "returns what is not computed yet": (
        "import numpy as np\nfrom threading import Thread\ndef mse_grad(p, t):\n    out = np.empty_like(p)\n"
        "    def work():\n        out[...] = 2 * (p - t) / p.size\n    import time\n"
        "    Thread(target=lambda: (time.sleep(0.05), work())).start()\n    return out"
    ),
    "returns the result of the call before": (
        "import numpy as np\nlast = None\ndef mse_grad(p, t):\n    global last\n    out = 2 * (p - t) / p.size\n"
        "    was, last = (out if last is None else last), out\n    return was"
    ),
    "computes in half the precision": (
        "import numpy as np\ndef mse_grad(p, t):\n    p, t = p.astype(np.float32), t.astype(np.float32)\n"
        "    return (2 * (p - t) / p.size).astype(np.float64)"
    ),
    "computes a half of it": (
        "import numpy as np\ndef mse_grad(p, t):\n    out = np.zeros_like(p)\n    h = len(p) // 2\n"
        "    out[:h] = 2 * (p[:h] - t[:h]) / p.size\n    return out"
    ),
}


@linux
@pytest.mark.parametrize("size", ["small", "medium"])
@pytest.mark.parametrize("text", LATER.values(), ids=LATER)
def test_work_that_is_left_for_later_or_undone_does_not_pay(text: str, size: str) -> None:
    at = workload("losses.mse_grad", size)

    with pytest.raises(CannotTime):
        rig.compare(at, side(at, text), [side(at, GRADIENT)], seconds=0.02)


FORGETS = """
import sys
child = sys.modules["gradproof_child.child"]
def perform(functions, call, kept, through=()):
    function, arguments = call[:2]
    return [[functions[function](*arguments)], False]
child.perform = perform
"""
"""Replaces what serves the calls by what serves no others than its own."""
SLOWLY = """
import sys, time
child = sys.modules["gradproof_child.child"]
def perform(*arguments):
    until = time.perf_counter() + 2e-4
    while time.perf_counter() < until:
        pass
    return was(*arguments)
child.perform, was = perform, child.perform
"""


@linux
def test_to_replace_what_serves_the_calls_is_implausible() -> None:
    at = workload("losses.mse_grad")

    with pytest.raises(Implausible, match=r"mse_grad: its process serves a call of none of its functions in .* µs"):
        rig.compare(at, side(at, GRADIENT + FORGETS), [side(at, GRADIENT)], seconds=0.02)


@linux
def test_to_serve_calls_quicker_than_a_fresh_process_is_implausible() -> None:
    """How much quicker a replacement is depends on the machine, so here the fresh process is slow: by far."""
    at = workload("losses.mse_grad")
    slow = replace(side(at, GRADIENT).empty, open=side(at, GRADIENT + SLOWLY).open)

    with contextlib.ExitStack() as stack:
        ours, fresh = rig._started(side(at, GRADIENT), stack, asked=True), rig._started(slow, stack)
        with pytest.raises(Implausible, match=r"mse_grad: its process serves a call of none of its functions in .* µs"):
            rig._hold_served(ours, fresh)


@pytest.mark.parametrize(("takes", "is_held"), [(1.0, False), (0.97, False), (0.93, False), (0.8, True), (0.2, True)])
def test_what_serves_the_calls_is_held_by_many_looks_in_turn(takes: float, is_held: bool) -> None:
    noise = np.random.default_rng(0)

    class Box:
        def __init__(self, takes: float) -> None:
            self.takes, self.clock = takes, 0.0

        def call(self, calls: Sequence[Any]) -> list[Returned]:
            self.clock += len(calls) * self.takes * (1 + noise.exponential(0.1))
            return [Returned((0.0,))] * len(calls)

        def cpu_seconds(self) -> float:
            return self.clock

    def running(takes: float, asked: bool) -> Any:
        empty: Any = SimpleNamespace(kind=rig.SANDBOXED)
        return SimpleNamespace(side=empty, box=Box(takes), asked=asked)

    with pytest.raises(Implausible) if is_held else contextlib.nullcontext():
        rig._hold_served(running(takes, asked=True), running(1.0, asked=False))


@pytest.mark.parametrize("seed", range(20))
def test_the_moods_of_a_core_are_not_taken_for_what_serves_the_calls(seed: int) -> None:
    """Whose other half computes as well takes half as long again, for a while: whichever process it serves then."""
    noise = np.random.default_rng(seed)
    mood: dict[str, float] = {"takes": 1.0, "left": 0}

    class Box:
        clock = 0.0

        def call(self, calls: Sequence[Any]) -> list[Returned]:
            if not mood["left"]:
                mood.update(takes=float(noise.choice([0.6, 0.9, 1.0])), left=int(noise.integers(1, 8)))
            mood["left"] -= 1
            self.clock += len(calls) * mood["takes"]
            return [Returned((0.0,))] * len(calls)

        def cpu_seconds(self) -> float:
            return self.clock

    def running(asked: bool) -> Any:
        empty: Any = SimpleNamespace(kind=rig.SANDBOXED)
        return SimpleNamespace(side=empty, box=Box(), asked=asked)

    rig._hold_served(running(asked=True), running(asked=False))


def test_a_stall_is_not_counted_as_a_sign_of_another_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    at = workload("losses.bce_with_logits")
    came: list[Exception] = [Waits("waits"), Implausible("quick"), Implausible("quick")]

    def once(*_: Any) -> list[Any]:
        if came:
            raise came.pop(0)
        return []

    monkeypatch.setattr(rig, "_compared_once", once)
    assert rig.compare(at, side(at, RIGHT), [side(at, RIGHT)]) == []

    came += [Waits("waits"), Implausible("quick"), Implausible("quick"), Implausible("quick"), Waits("waits")]
    with pytest.raises(Implausible):
        rig.compare(at, side(at, RIGHT), [side(at, RIGHT)])


@linux
def test_what_serves_the_calls_is_as_quick_in_every_process() -> None:
    at = workload("losses.mse_grad")
    for _ in range(3):
        rig.compare(at, side(at, GRADIENT), [side(at, GRADIENT)], seconds=0.02)


@linux
def test_to_sleep_is_no_way_to_be_quick() -> None:
    """It costs no CPU time, and so few calls are timed that nothing could be told."""
    at = workload("losses.bce_with_logits")
    sleeps = "import time\n" + RIGHT.replace("    return", "    time.sleep(0.1)\n    return")

    with pytest.raises(
        Failed, match=r"bce_with_logits used .* s of CPU time and was idle for .* s besides: it sleeps, or waits"
    ):
        rig.compare(at, side(at, sleeps), [side(at, RIGHT)], seconds=0.05)


@linux
def test_a_machine_that_stalls_once_is_not_taken_for_a_side_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    at, stalls = workload("losses.bce_with_logits"), [0.0, 5.0]
    held = rig._hold_awake

    def stalled(sides: Sequence[rig._Running]) -> None:
        sides[0].idle += stalls.pop() if stalls else 0.0
        held(sides)

    monkeypatch.setattr(rig, "_hold_awake", stalled)
    (timing,) = rig.compare(at, side(at, SLOW), [side(at, RIGHT)], seconds=0.05)

    assert not stalls
    assert timing.calls > 0


@linux
def test_a_machine_that_stands_still_is_not_taken_for_a_side_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a virtual machine whose cores are given to others, each process seems to wait."""
    at = workload("losses.bce_with_logits")
    stalls = "import time\n" + RIGHT.replace("    return", "    time.sleep(0.1)\n    return")
    monkeypatch.setattr(rig, "stolen_seconds", time.monotonic)

    (timing,) = rig.compare(at, side(at, stalls), [side(at, RIGHT)], seconds=0.01)

    assert timing.calls > 0


@linux
def test_to_be_far_too_slow_to_be_timed_often_is_slower() -> None:
    at = workload("losses.bce_with_logits")
    slow = SLOW.replace("range(40)", "range(20_000)")

    (timing,) = rig.compare(at, side(at, slow), [side(at, RIGHT)], seconds=0.001)

    assert timing.ratio.pairs < FEWEST
    assert timing.verdict == "slower"


WHEN = """
import time
n = 0
def spend(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""


@linux
def test_to_be_slow_in_the_first_call_does_not_have_the_other_side_timed_in_single_calls() -> None:
    """These find cold caches, and cost the quick side as much as the slow one."""
    at = workload("losses.bce_with_logits")
    slow = WHEN + SLOW.replace("    for", "    global n\n    n += 1\n    if n == 1:\n        spend(0.1)\n    for")

    (timing,) = rig.compare(at, side(at, slow), [side(at, RIGHT)], seconds=0.3)

    assert timing.seconds[1] < 0.1 * timing.seconds[0]
    assert timing.calls > 20 * timing.ratio.pairs


@linux
def test_to_take_very_long_now_and_then_does_not_make_the_interval_wide() -> None:
    """Few calls are timed then; but all the time together tells."""
    at = workload("losses.bce_with_logits")
    body = "    global n\n    n += 1\n    if n % 4 == 1:\n        spend(0.3)\n    for"
    slow = WHEN + SLOW.replace("    for", body)

    (timing,) = rig.compare(at, side(at, slow), [side(at, RIGHT)], seconds=0.01)

    assert timing.ratio.over(8).verdict == "slower"


def test_one_round_that_has_hardly_a_sample_does_not_undo_the_others() -> None:
    def timing(*samples: float) -> rig.Timing:
        return rig.Timing(ratio_of(samples), (1e-4, 1e-5), 1e-6, 9, 1, samples, min(samples))

    together = rounds.pooled([timing(*[1.0] * 20), timing(1.0), timing(*[1.0] * 9)])

    assert together.ratio.over(2).verdict == "slower"
    assert rounds.pooled([timing(*[1.0] * 3)] * 3).ratio.pairs == 9


def test_a_result_that_breaks_whoever_reads_it_is_the_fault_of_its_side() -> None:
    at = workload("losses.bce_with_logits")

    def breaks(*args: Any) -> dict[str, Any]:
        raise ValueError("inhomogeneous")

    binding = replace(named.bind(at.exercise, Function("theirs", None)), outputs=breaks)
    nowhere: Any = None
    asked = rig._Running(Side("theirs", nowhere, nowhere, nowhere), nowhere, binding, asked=True)

    with pytest.raises(Failed, match=r"theirs: the result cannot be read \(ValueError: inhomogeneous\)"):
        rig._Check(at)(asked, at.draw(0), [], surely=False)


@linux
def test_it_is_the_side_that_is_asked_about_that_fails() -> None:
    at = workload("losses.bce_with_logits")
    broken = side(at, "def bce_with_logits(z, y):\n    raise ValueError('no')\n")

    with pytest.raises(CannotTime) as caught:
        rig.compare(at, side(at, RIGHT), [broken], seconds=0.05)
    assert type(caught.value) is CannotTime


@pytest.mark.parametrize(
    ("took", "limit", "verdict"),
    [(1e-5, 1e-6, "slower"), (0.97e-6, 1e-6, "slower"), (1e-7, 1e-6, "implausible")],
)
def test_what_is_faster_than_the_machine_is_looked_at(took: float, limit: float, verdict: str) -> None:
    timing = rig.Timing(Ratio(1.2, 1.18, 1.22, 40), (took, took / 1.2), 1e-6, 100, 3, (0.1,) * 40)

    found, reason = _bench._verdict(timing, limit)

    assert found == verdict
    assert reason == ("a call takes 0.1 µs, and the machine needs 1 µs: look at it" if found == "implausible" else "")


@linux
def test_the_grader_runs_where_it_ran_before() -> None:
    before = os.sched_getaffinity(0)
    at = workload("losses.bce_with_logits")
    rig.compare(at, side(at, RIGHT), [side(at, RIGHT)], seconds=0.05)

    assert os.sched_getaffinity(0) == before


@linux
def test_nothing_is_left_of_the_processes() -> None:
    at = workload("losses.bce_with_logits")
    started: list[ProcessBox] = []
    ours = side(at, RIGHT)

    def opened() -> ProcessBox:
        started.append(ours.open())
        return started[-1]

    rig.compare(at, replace(ours, open=opened), [sides.trusted(at, "reference")], seconds=0.05)

    assert len(started) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(started[0].process, 0)


@linux
def test_time_that_is_over_when_samples_are_taken_anew_leaves_some_all_the_same() -> None:
    """Both are slow while they are warmed up, so that the first samples turn out to be too short."""
    at = workload("losses.bce_with_logits")
    text = (
        "import numpy as np, time\nn = 0\ndef bce_with_logits(z, y):\n    global n\n    n += 1\n"
        "    until = time.perf_counter() + 0.01 * (n < 2)\n    while time.perf_counter() < until:\n        pass\n"
        f"    return {ONE}\n"
    )

    (timing,) = rig.compare(at, side(at, text), [side(at, text)], seconds=0.0)

    assert timing.calls > 0


def test_a_sample_that_is_too_short_after_many_costs_no_time_of_those_that_follow() -> None:
    """All are taken anew, with more calls in each, and there is as much time for them as there was."""
    at = workload("losses.mse_grad")
    samples, noise = itertools.count(), np.random.default_rng(0)

    class Running:
        side, is_held, cpu, idle = SimpleNamespace(empty=SimpleNamespace(kind="trusted")), False, 1.0, 0.0

        def __init__(self, takes: float) -> None:
            self.takes = takes

        def run(self, cases: Sequence[Case], largest: int) -> tuple[float, list[Any]]:
            took = 0.38 if 318 <= next(samples) < 321 else noise.uniform(0.8, 1.25)
            return took * self.takes * len(cases), []

    ours, theirs, empty = Running(2.7e-3), Running(2.6e-3), Running(1e-5)
    sides_: Any = [ours, theirs]
    empties: Any = [empty, empty]
    (timing,) = rig._compared(at, sides_, empties, 0.6, 0, math.inf, None)

    assert timing.ratio.pairs > 2 * FEWEST
    assert timing.ratio.ratio == pytest.approx(1.04, abs=0.15)


def test_an_empty_function_hands_back_what_the_exercise_returns() -> None:
    from graders.harness.speed.nothing import nothing

    handed = nothing([{"shape": (2, 3), "dtype": "<f8"}, [{"shape": (), "dtype": "<i8"}]])
    params, state = handed(np.zeros((2, 3)), (np.zeros(10_000),), lr=0.1)

    assert params.shape == (2, 3)
    assert state[0].dtype == np.int64


# ---------------------------------------------------------------- rounds that confirm


def timing_of(ratio: float, pairs: int = 20, within: float = 0.02, reason: str = "") -> rig.Timing:
    samples = np.log(ratio) + np.linspace(-within, within, pairs)
    return rig.Timing(ratio_of(list(samples)), (1e-4, 1e-4), 1e-6, 9, 1, tuple(samples), float(np.log(ratio)), reason)


@pytest.mark.parametrize(
    ("ratios", "lasting", "verdict"),
    [
        ([1.005], [math.inf], "cannot tell"),
        ([3.0, 2.9, 3.1], [math.inf, rounds.SHORT, rounds.SHORT], "slower"),
        ([0.3, 0.3, 0.3], [math.inf, rounds.SHORT, rounds.SHORT], "faster"),
        ([1.1, 1.1, 1.1], [math.inf] * 3, "slower"),  # would be called faster, if it were far smaller
        ([3.0, 1.0, 1.0, 1.0, 1.0], [math.inf, rounds.SHORT, rounds.SHORT, math.inf, math.inf], "cannot tell"),
        ([1.1, 1.1, 0.99, 1.1, 0.99, 1.1], [math.inf] * 6, "cannot tell"),  # two pairs of processes say otherwise
        ([1.1, 1.1, 0.99, 1.1, 1.1], [math.inf] * 5, "slower"),  # one in five may
        ([1.012, 1.0], [math.inf] * 2, "cannot tell"),  # one pair came near to an alarm, two together do not
        ([0.988, 1.0], [math.inf] * 2, "cannot tell"),
        ([1.015, 1.06, 1.06], [math.inf] * 3, "slower"),  # one pair alone would have missed it
        ([1.05, 1.02, 1.02, 1.05, 1.06], [math.inf] * 5, "slower"),  # … and so would three
        ([1.035, 1.035, 1.035, 1.035, 1.035, 1.035], [math.inf] * 6, "slower"),  # it is near to none
        ([1.03, 1.015, 1.0], [math.inf] * 3, "cannot tell"),
    ],
)
def test_pairs_of_processes_are_added_until_an_alarm_is_confirmed_or_surely_none(
    monkeypatch: pytest.MonkeyPatch, ratios: list[float], lasting: list[float], verdict: str
) -> None:
    left, asked = [timing_of(ratio) for ratio in ratios], []
    firsts = set()

    def compare(*args: Any, seconds: float, first: int = 0, most: float = math.inf, **_: Any) -> list[rig.Timing]:
        asked.append(most)
        firsts.add(first)
        return [left.pop(0)]

    monkeypatch.setattr(rounds, "compare", compare)
    nobody: Any = None
    (found,) = rounds.confirmed(nobody, nobody, [nobody])

    assert (left, asked, found.verdict) == ([], lasting, verdict)
    assert len(firsts) == len(asked)  # each round has inputs of its own


def test_a_side_that_is_not_far_or_not_told_has_full_rounds() -> None:
    bounds = [2, 4]

    def alarms(ratio: Ratio) -> tuple[bool, ...]:
        return tuple(ratio.over(bound).verdict == "slower" for bound in bounds)

    assert is_far(timing_of(9).ratio, alarms)
    assert is_far(timing_of(2.9).ratio, alarms)
    for near in (3.9, 4.3, 1.9, 1.0):
        assert not is_far(timing_of(near).ratio, alarms)


@linux
def test_a_crude_ratio_will_do_for_who_is_far_too_slow() -> None:
    at = workload("losses.bce_with_logits")
    slow = side(at, SLOW.replace("range(40)", "range(8_000)"))

    def alarms(ratio: Ratio) -> tuple[bool, ...]:
        return (ratio.over(8).verdict == "slower",)

    (found,) = rig.compare(at, slow, [side(at, RIGHT)], seconds=0.05, alarms=alarms)

    assert found.ratio.pairs < FEWEST
    assert found.ratio.over(8).verdict == "slower"


def test_what_a_side_does_while_others_are_timed_is_charged_to_its_next_sample() -> None:
    clock = iter([5.0, 5.5, 7.0, 7.25])
    box: Any = SimpleNamespace(process=os.getpid(), cpu_seconds=lambda: next(clock), call=lambda calls: [])
    binding: Any = SimpleNamespace(plan=lambda case: [])
    nowhere: Any = None
    running = rig._Running(Side("theirs", nowhere, nowhere, nowhere), box, binding)
    case = workload("losses.mse").draw(0)

    assert [running.run([case], 0)[0] for _ in range(2)] == [0.5, 1.75]
    assert running.cpu == 2.25


@linux
def test_graders_that_time_at_once_take_different_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    took: list[tuple[int, set[int]]] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2})
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, cores: took.append((process, set(cores))))
    monkeypatch.setattr(rig, "TIMES_ON", f"a test of gradproof {os.getpid()} {{}}")
    boxes: list[Any] = [SimpleNamespace(process=process) for process in (7, 8, 9)]

    with rig.pinned(boxes[0]), rig.pinned(boxes[1]), rig.pinned(boxes[2]):
        pass
    with rig.pinned(boxes[0]):
        pass

    assert [cores for process, cores in took if process] == [{2}, {1}, {2}, {2}]  # none is left for the third
    assert [cores for process, cores in took if not process][:3] == [{0, 1}, {0, 2}, {0, 1}]
    assert took[-1] == (0, {0, 1, 2})


@linux
def test_cores_that_are_taken_from_a_machine_are_kept_awake_while_it_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what gives way to everything else, one for the core of the sides and one for those of the grader."""
    cores, started = os.sched_getaffinity(0), subprocess.Popen
    kept: list[subprocess.Popen[bytes]] = []

    def noted(*given: Any, **told: Any) -> subprocess.Popen[bytes]:
        kept.append(started(*given, **told))
        return kept[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    monkeypatch.setattr(rig, "stolen_seconds", lambda: 0.0)
    with rig.pinned():
        assert not kept

    monkeypatch.setattr(rig, "stolen_seconds", lambda: 0.01)
    with rig.pinned():
        assert len(kept) == (2 if len(cores) > 1 else 0)
        until = time.monotonic() + 20
        while time.monotonic() < until and any(os.sched_getscheduler(one.pid) != os.SCHED_IDLE for one in kept):
            time.sleep(0.01)
        assert all(os.sched_getscheduler(one.pid) == os.SCHED_IDLE for one in kept)
    assert all(one.returncode for one in kept)


@linux
def test_what_keeps_a_core_awake_ends_with_the_grader() -> None:
    core = str(min(os.sched_getaffinity(0)))

    ended = subprocess.run([sys.executable, "-I", "-S", "-c", rig.AWAKE, "0", core], timeout=60)

    assert ended.returncode == 0


@linux
def test_a_program_that_is_quicker_than_none_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have put something of its own in place of what serves it."""
    quick = rig.Timing(Ratio(1.0, 0.0, math.inf, 0), (-4e-6, 1e-6), 2e-5, 100, 3, reason="lost")

    assert _bench._verdict(quick, 1e-7) == (
        "implausible", "a call takes 4 µs less than that of a function that does nothing: look at it"
    )  # fmt: skip
    assert _bench._verdict(replace(quick, seconds=(-1e-6, 1e-6)), 1e-7) == ("cannot tell", "lost")
