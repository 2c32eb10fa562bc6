"""The study of PyTorch on a GPU, and the clock of a device: the logic, with the CPU in the device's place."""

from __future__ import annotations

import ast
import importlib.util
import json
import runpy
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from graders import _api, _catalogue, _cli, _doctor, _on_device
from graders._bench import cuda as bench_on_device
from graders._bench import render
from graders.harness.speed import device as devices
from graders.harness.speed.device import Plan, Span

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is an extra and is not installed", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples" / "cuda"
TINY = _on_device.Effort(elements=1 << 12, rounds=2, seconds=1.0, few=1, many=3)


@pytest.fixture(scope="module")
def study() -> ModuleType:
    place = importlib.util.spec_from_file_location("study_of_cuda", ROOT / "benchmarks" / "cuda.py")
    assert place is not None
    assert place.loader is not None
    made = importlib.util.module_from_spec(place)
    sys.modules[place.name] = made
    place.loader.exec_module(made)
    return made


# ---------------------------------------------------------------- the clock


class Scripted:
    """A device whose calls take the seconds that they say."""

    kind, cache = "cpu", 1 << 20

    def __init__(self, late: float = 0.0) -> None:
        self.now, self.late, self.flushed = 0.0, late, 0
        self.order: list[str] = []

    def synchronize(self) -> None:
        pass

    def flush(self) -> None:
        self.flushed += 1

    def span(self, run: Callable[[], object]) -> Span:
        began = self.now
        run()
        return Span(self.now - began, self.now - began + self.late)

    def call(self, name: str, seconds: float) -> Callable[[int], int]:
        def made(slot: int) -> int:
            self.now += seconds
            self.order.append(name)
            return slot

        return made


def test_sides_are_sampled_there_and_back_with_a_cold_cache() -> None:
    device = Scripted()
    plan = Plan(samples=6, lasting=0.01, most_calls=4, warming=0.0, seconds=60.0)
    found = devices.sampled(device, {"a": device.call("a", 0.005), "b": device.call("b", 0.01)}, 3, plan)

    assert (found["a"].seconds, found["b"].seconds) == pytest.approx((0.005, 0.01))
    assert found["b"].ratio.ratio == pytest.approx(2.0)
    assert found["a"].ratio.ratio == 1.0
    assert (found["a"].samples, found["a"].calls, found["b"].calls) == (6, 12, 6)
    assert "".join(device.order) == "aaabbb" + 3 * "aabbaa"  # b's calls are as long as a's two
    assert device.flushed == 12
    assert found["a"].last == ((3 + 12 - 1) % 3, (3 + 12 - 1) % 3)
    assert not found["a"].warning


def test_two_clocks_that_disagree_are_a_warning() -> None:
    device = Scripted(late=0.5)
    plan = Plan(samples=2, lasting=0.01, warming=0.0)
    found = devices.sampled(device, {"a": device.call("a", 0.005)}, 1, plan)["a"]

    assert found.warning.startswith("in 2 of 2 samples: the device's events say 10 ms, the host's clock 510 ms")
    assert Span(1.0, 0.9).warning  # a host that is done before its device
    assert not Span(1e-5, 9e-5).warning  # the latency of one launch
    assert not Span(1.0, 1.05).warning


def test_inputs_in_slots_are_others_of_the_same_kind() -> None:
    import torch

    rows = np.arange(12.0).reshape(4, 3)
    given = devices.onto([rows, np.arange(4), 7], torch, "cpu")
    slots = devices.slots_of(given, cache=100)
    copy = devices.copied(given)

    assert len(slots) == 4  # of 128 bytes each, for four times 100
    assert [int(slot[0][0, 0]) for slot in slots] == [0, 3, 6, 9]
    assert [int(slot[1][0]) for slot in slots] == [0, 1, 2, 3]
    assert slots[1][2] == 7
    assert torch.equal(copy[0], given[0])
    assert copy[0].data_ptr() != given[0].data_ptr()
    assert devices.size_of(given) == 128
    np.testing.assert_array_equal(devices.rolled(rows, 5), [[9, 10, 11], [0, 1, 2], [3, 4, 5], [6, 7, 8]])
    np.testing.assert_array_equal(devices.back((given[0], 7))[0], rows)


def test_rivals_leave_what_is_a_tensor_where_it_is() -> None:
    import torch

    x = torch.tensor([1.0, 2.0])
    with devices.staying(torch, "cpu") as there:
        same = there.tensor(x)
        differentiable = there.tensor(x, requires_grad=True)
        out = there.sigmoid(there.tensor(x)).numpy()
        number = there.tensor(3)
    assert same.data_ptr() == differentiable.data_ptr() == x.data_ptr()
    assert differentiable.requires_grad
    assert type(out) is torch.Tensor
    assert number.device.type == "cpu"
    assert type(x.numpy()) is np.ndarray
    with devices.staying(torch, "meta") as there:
        assert there.zeros(2).device.type == "meta"
        assert there.tensor([1.0, 2.0]).device.type == "meta"
        assert there.tensor(3.0).device.type == "cpu"  # a count of steps


def test_tf32_is_as_it_was_afterwards() -> None:
    import torch

    before = torch.backends.cuda.matmul.fp32_precision
    for on, word in ((True, "tf32"), (False, "ieee")):
        with devices.products(torch, on):
            assert torch.backends.cuda.matmul.fp32_precision == word
            assert torch.backends.cudnn.conv.fp32_precision == word
    assert torch.backends.cuda.matmul.fp32_precision == before


# ---------------------------------------------------------------- a file's function beside PyTorch's own


class Threaded:
    """A side's process that is a thread of this one, speaking the same protocol."""

    def __init__(self, command: list[str]) -> None:
        self.channel, theirs = socket.socketpair()
        thread = threading.Thread(target=_on_device.serve, args=(*command[-3:], str(theirs.detach())), daemon=True)
        thread.start()
        self._thread = thread

    def status(self) -> int:
        return 0

    def close(self) -> None:
        self.channel.close()
        self._thread.join(10)


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_on_device, "Trusted", Threaded)


RIGHT = "import torch\n\ndef tanh(z):\n    return torch.tanh(z)\n"
LIES = {
    "wrong at once": ("    return torch.tanh(z) * 1.001\n", "wrong", "expected"),
    "wrong where it is timed": (
        "    return torch.tanh(z) * (1 if z.numel() < 1000 else 1.001)\n", "wrong", "of a timed call is wrong",
    ),
    "wrong in one number": (
        "    y = torch.tanh(z)\n    if z.numel() > 1000:\n        y.view(-1)[5] += 0.01\n    return y\n", "wrong",
        "of a timed call is wrong",
    ),
    "an earlier result": (
        "    global kept\n    if z.numel() > 1000:\n        kept = globals().get('kept', torch.tanh(z))\n"
        "        return kept\n    return torch.tanh(z)\n", "wrong", "of a timed call is wrong",
    ),
    "another shape": ("    return torch.tanh(z).reshape(-1)\n", "wrong", "shape"),
    "something that computes later": (
        "    class Later(torch.Tensor):\n        pass\n    return torch.tanh(z).as_subclass(Later)\n", "error",
        "returned Later, expected a torch.Tensor",
    ),
    "an exception": ("    raise ZeroDivisionError('no')\n", "error", "ZeroDivisionError: no"),
}  # fmt: skip


def judged(tmp_path: Path, text: str, name: str = "activations.tanh") -> _on_device.OnDevice:
    file = tmp_path / "mine.py"
    file.write_text(text)
    exercise = _on_device.exercises()[name]
    key = _api.Key(0, lambda exercise: None)
    asked = [(case, answer) for case in key.cases(exercise)[:6] if (answer := key.find(exercise, case))]
    return _on_device.judged("cpu", file, exercise, asked, TINY)


@pytest.mark.usefixtures("in_threads")
def test_a_right_function_is_timed(tmp_path: Path) -> None:
    found = judged(tmp_path, RIGHT)

    assert (found.verdict, found.elements) == ("correct", 1 << 12)
    assert found.bytes_moved == 2 * 4 * 64 * 64
    assert found.calls == 2 * 2 * 4
    assert found.speed == "cannot tell"  # of two pairs nothing can be told


@pytest.mark.usefixtures("in_threads")
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_not_timed(tmp_path: Path, lie: str) -> None:
    body, verdict, reason = LIES[lie]
    found = judged(tmp_path, f"import torch\n\ndef tanh(z):\n{body}")

    assert found.verdict == verdict
    assert reason in found.reason
    assert found.seconds is None


@pytest.mark.usefixtures("in_threads")
def test_a_step_of_an_optimizer_is_timed_too(tmp_path: Path) -> None:
    right = (
        "def momentum(params, grad, state, *, lr, momentum=0.9):\n"
        "    v = momentum * state.velocity - lr * grad\n"
        "    return params + v, type(state)(v)\n"
    )
    assert judged(tmp_path, right, "optimizers.momentum").verdict == "correct"
    wrong = judged(tmp_path, right.replace("+ v", "- v"), "optimizers.momentum")
    assert "of a timed call is wrong" in wrong.reason


@pytest.mark.usefixtures("in_threads")
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    assert "has no function tanh" in judged(tmp_path, "x = 1\n").reason
    assert "ModuleNotFoundError: No module named 'tritron'" in judged(tmp_path, f"import tritron\n{RIGHT}").reason


def test_the_clock_takes_off_what_asking_costs_and_counts_what_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(_on_device, "time", SimpleNamespace(perf_counter=lambda: now[0], monotonic=time.monotonic))

    class Lazy:
        """Asking takes 100 s, a call 3 s, to look at a result 2 s, and 7 s more the first time."""

        name, looked = "lazy", False

        def ask(self, question: str, *details: Any) -> Any:
            count = len(details[0]) if question in ("run", "weigh") else 0
            if question == "run":
                now[0] += 100 + 3 * count
                self.looked = False
                return 1.0 * count  # the device's events: one second a call
            if question == "weigh":
                now[0] += 100 + 2 * count + (0 if self.looked else 7 * count)
                self.looked = True
                return [[np.zeros(1)] for _ in details[0]]
            return None

    workload = _on_device.Filling(_on_device.exercises()["activations.tanh"], "4096", "float32", 1)
    side: Any = Lazy()
    other: Any = Lazy()
    taken = _on_device._Round(workload, (side, other), _on_device.Effort(few=2, many=6), "cpu")
    seconds, events = taken.sample(other, taken.inputs())

    assert seconds == pytest.approx(3 + 7)
    assert events == 1.0


def test_a_result_that_is_right_only_when_it_is_fetched_is_wrong() -> None:
    workload = _on_device.Filling(_on_device.exercises()["activations.tanh"], "4096", "float32", 1)

    class Late:
        name = "late"

        def __init__(self, share: float) -> None:
            self.inputs: list[list[int]] = []
            self.share = share  # of the numbers that are there in time

        def right(self, slot: int) -> list[Any]:
            base, by = self.inputs[slot]
            return workload.right(workload.draw(base), by)

        def ask(self, question: str, *details: Any) -> Any:
            if question == "hold":
                self.inputs = details[0]
            if question == "run":
                return 1.0
            if question == "fetch":
                return self.right(details[0])
            if question == "weigh":
                there = [[part * (np.arange(part.size) < self.share * part.size).reshape(part.shape)
                          for part in self.right(slot)] for slot in details[0]]  # fmt: skip
                return [[_on_device.weighed(part, details[1]) for part in parts] for parts in there]
            return None

    for share, passes in ((1.0, True), (0.9, False), (0.0, False)):
        side: Any = Late(share)
        taken = _on_device._Round(workload, (side, side), _on_device.Effort(few=1, many=2), "cpu")
        if passes:
            taken.sample(side, taken.inputs())
            continue
        with pytest.raises(_on_device.WrongWhileTimed, match="a result of a timed call is wrong"):
            taken.sample(side, taken.inputs())


def test_a_process_that_ends_or_is_silent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def __init__(self, command: list[str]) -> None:
            self.channel, self._theirs = socket.socketpair()

        def status(self) -> int:
            return 7

        def close(self) -> None:
            self.channel.close()
            self._theirs.close()

    class Ended(Silent):
        def __init__(self, command: list[str]) -> None:
            super().__init__(command)
            self._theirs.close()

    monkeypatch.setattr(_on_device, "LOADING", 0.05)
    for kind, said in ((Silent, "did not answer within"), (Ended, "its process ended, status 7")):
        monkeypatch.setattr(_on_device, "Trusted", kind)
        with pytest.raises(_on_device.SideFailed, match=said):
            _on_device.Side("cpu", "mine.py", "activations.tanh")


def test_the_catalogue_is_there_without_what_grading_needs() -> None:
    program = """
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"msgspec", "hypothesis", "click", "rich", "rich_click", "scipy"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import gradproof
from graders import _elsewhere, _on_device
from graders.harness import compare
print(len(_on_device.exercises()), "torch" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = [name for name, exercise in _catalogue.exercises().items() if "torch" in exercise.rivals]

    assert told.split() == [str(len(named)), "False"]
    assert set(_on_device.exercises()) == set(named)


# ---------------------------------------------------------------- the study


def test_every_function_with_a_counterpart_has_kept_truths(study: ModuleType) -> None:
    known = study.truths()

    assert set(known) == set(_on_device.exercises())
    for name, cases in known.items():
        asked = {case.dtype for case, _ in cases}
        assert asked <= {"float64", "float32"}, name
        assert all(answer.outputs for _, answer in cases), name


@pytest.mark.parametrize("name", ["activations.softplus", "losses.softmax_cross_entropy_grad"])
def test_kept_truths_are_those_that_submissions_are_graded_by(study: ModuleType, name: str) -> None:
    exercise = _on_device.exercises()[name]
    key = _api.Key(_api.PUBLIC_SEED, lambda exercise: None)
    by_content = {case.id: (case, answer) for case, answer in study.truths()[name]}
    edges = [case for case in key.cases(exercise) if case.id in by_content][:4]

    assert len(edges) == 4
    for case in edges:
        kept, answer = by_content[case.id]
        fresh = key.find(exercise, case)
        assert fresh is not None
        assert kept.origin == case.origin
        for output, expected in fresh.outputs.items():
            np.testing.assert_array_equal(answer.outputs[output].hi, expected.hi)
            lost = np.abs(answer.outputs[output].lo - expected.lo)
            assert np.all(lost <= 1e-6 * np.spacing(np.abs(expected.hi)))
            told = "the allowed errors are others by now: run python benchmarks/cuda.py --prepare"
            np.testing.assert_allclose(answer.outputs[output].allowed, expected.allowed, rtol=0.5, err_msg=told)


TWO = ("activations.softmax", "layers.affine")


def measured(
    study: ModuleType, part: str, folder: Path, only: tuple[str, ...] = TWO
) -> tuple[Mapping[str, Any], list[str]]:
    told: list[str] = []
    setting = study.Setting("cpu", True, time.time() + 600)
    assert study.here(part, setting, folder, only, told.append) == study.SPENT
    return json.loads((folder / f"{part}.json").read_text())["rows"], told


def test_a_part_goes_on_where_it_stopped(study: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, told = measured(study, "accuracy", tmp_path)
    assert set(rows) == {f"{name} {dtype}" for name in TWO for dtype in ("float64", "float32")}
    assert all(0 < row["max_error_over_allowed"] < 1 and row["bits"] in (24, 53) for row in rows.values())
    assert all(row["differing"] == 0 and not row["raised"] for row in rows.values())
    assert told[-1] == "all"

    again = measured(study, "accuracy", tmp_path)
    assert again == (rows, ["all"])  # there was nothing left to do
    monkeypatch.setattr(study, "environment", lambda kind: {"device": "another"})
    assert len(measured(study, "accuracy", tmp_path)[1]) > 1  # figures of two devices are not mixed


def test_speed_is_measured_and_checked(study: ModuleType, tmp_path: Path) -> None:
    rows, _ = measured(
        study, "eager", tmp_path, (*TWO, "optimizers.cosine_lr", "preprocessing.one_hot", "optimizers.adam")
    )

    assert rows["ceilings"]["moved"] > 0
    assert set(rows["ceilings"]["products"]) >= {"float32", "float64"}
    for name in (*TWO, "optimizers.adam"):
        assert rows[name]["right"], rows[name]
        assert rows[name]["repeatable"]
        assert float(rows[name]["seconds"]) > 0
        assert float(rows[name]["floor"]) > 0
    assert rows["layers.affine"]["operations"] > 1e5
    assert rows["optimizers.adam"]["writes_to_arguments"]
    assert "few numbers" in rows["optimizers.cosine_lr"]["skipped"]
    assert rows["preprocessing.one_hot"]["skipped"] == study.ON_THE_HOST


def test_a_wrong_result_is_seen(study: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = _on_device.exercises()["activations.relu"]
    wrong = {"torch": lambda torch, z: (torch.relu(torch.tensor(z)) * 1.001).numpy()}
    monkeypatch.setitem(_on_device.exercises(), "activations.relu", type(exercise)(exercise.reference, rivals=wrong))

    rows, _ = measured(study, "eager", tmp_path, ("activations.relu",))
    assert rows["activations.relu"]["right"] is False
    rows, _ = measured(study, "accuracy", tmp_path, ("activations.relu",))
    assert rows["activations.relu float64"]["beyond"] > 0
    assert rows["activations.relu float64"]["bits"] < 20


def test_what_fails_is_written_down(study: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("CUDA error: an illegal memory access")

    monkeypatch.setattr(study, "_accuracy", refuses)
    rows, _ = measured(study, "accuracy", tmp_path, ("activations.relu",))
    assert [row["failed"].startswith("RuntimeError: CUDA error: an illegal") for row in rows.values()] == [True, True]

    study.forget_failures(tmp_path / "accuracy.json")
    monkeypatch.setattr(study, "_is_poisoned", lambda kind: True)
    setting = study.Setting("cpu", True, time.time() + 600)
    assert study.here("accuracy", setting, tmp_path, ("activations.relu",), lambda line: None) == study.POISONED
    document = json.loads((tmp_path / "accuracy.json").read_text())
    assert len(document["rows"]) == 1  # the next process goes on after it

    late = study.Setting("cpu", True, time.time() - 1)
    told: list[str] = []
    assert study.here("accuracy", late, tmp_path, ("activations.relu",), told.append) == study.SPENT
    assert told == ["time"]
    assert "the part has to be run again" in study.page(tmp_path)


PROCESSES = {
    "dies": ("print('begin a', flush=True); os._exit(9)", 60.0, {"failed": "its process ended, status 9"}),
    "hangs": ("print('begin a', flush=True); time.sleep(60)", 1.0, {"failed": "it said nothing for 1 s"}),
}


@pytest.mark.parametrize("how", PROCESSES)
def test_a_function_that_kills_or_hangs_its_process_is_written_down(
    study: ModuleType, tmp_path: Path, how: str
) -> None:
    program, silence, row = PROCESSES[how]
    path = tmp_path / "accuracy.json"
    then = f"import os, sys, time; print('all') if os.path.exists({str(path)!r}) else ({program.replace('; ', ', ')})"
    study.supervised([sys.executable, "-c", then], path, silence, time.time() + 300)

    assert study.read(path)["rows"] == {"a": row}


def test_a_dozen_formulas_are_compiled(study: ModuleType) -> None:
    import torch

    formulas = study.textbook(torch)
    assert len(formulas) == 12
    assert set(formulas) <= set(_on_device.exercises())
    for name, formula in formulas.items():
        workload = _on_device.Filling(_on_device.exercises()[name], "4096", "float64", 1)
        case = workload.draw(0)
        given = devices.onto(_on_device.arguments_of(workload.exercise, case), torch, "cpu")
        made = devices.back(formula(*given, **case.hyperparameters))
        assert study.farthest(made, workload.right(case)) < 1e-12, name


def test_what_cannot_be_compiled_is_said(study: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def refuses(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("Cannot find a working triton installation")

    monkeypatch.setattr(torch, "compile", refuses)
    monkeypatch.setattr(torch, "_dynamo", SimpleNamespace(reset=lambda: None))
    rows, _ = measured(study, "compile", tmp_path, ("activations.softmax",))
    row = rows["activations.softmax"]

    assert set(row["sides"]) == {"PyTorch", "textbook"}
    assert all(side["right"] for side in row["sides"].values())
    assert "working triton" in row["not_compiled"]
    assert "not compiled: RuntimeError: Cannot find" in study.page(tmp_path)


# ---------------------------------------------------------------- the page


def test_the_page_is_up_to_date(study: ModuleType) -> None:
    assert study.page(study.RESULTS) == study.PAGE.read_text(encoding="utf-8")


def test_without_results_the_page_says_so(study: ModuleType, tmp_path: Path) -> None:
    assert "Nothing of this has been measured yet." in study.page(tmp_path)


def test_the_page_shows_what_was_found(study: ModuleType, tmp_path: Path) -> None:
    accuracy = {
        "name": "a.b", "dtype": "float32", "tf32": True, "cases": 3, "max_ulp": 1.5, "max_error_over_allowed": "inf",
        "bits": 10.25, "beyond": 2, "cpu_max_ulp": None, "cpu_max_error_over_allowed": 0.1, "differing": 1,
        "raised": ["x"], "raised_cases": 1,
    }  # fmt: skip
    eager = {
        "name": "a.b", "tf32": False, "seconds": 2e-5, "low": 1e-5, "high": 3e-5, "host": 4e-5, "floor": 1e-5,
        "share": 0.5, "limit": "copy", "right": False, "repeatable": False, "warning": "late",
        "writes_to_arguments": False,
    }  # fmt: skip
    example = {
        "file": "x.py", "what": "w", "verdict": "correct", "as_expected": False, "ratio": [0.5, 0.4, "inf", 8],
        "speed": "faster", "seconds": 1e-5, "events": None, "reason": "", "warning": "",
    }  # fmt: skip
    parts = {
        "accuracy": {"a.b float32 TF32": accuracy, "c": {"failed": "no"}}, "eager": {"a.b": eager},
        "examples": {"x.py": example, "y.py": {"file": "y.py", "what": "w", "not_run": "Triton is not installed"}},
    }  # fmt: skip
    for part, rows in parts.items():
        study.write(tmp_path / f"{part}.json", {"schema": 1, "environment": {"device": "a GPU"}, "rows": rows})
    made = study.page(tmp_path)

    assert "| device | a GPU |" in made
    assert "| a.b | float32 TF32 | 1.5 | inf | 10.2 | — | 0.1 | 3 | differs in 1 | beyond in 2; 1 raised |" in made
    assert "- c failed: no" in made
    assert "| a.b | 20.0 | 10.0 to 30.0 | 40.0 | 10.0 | 50% of a copy | late |" in made
    assert "Not near the reference: a.b." in made
    assert "| x.py | w | correct | **no** | 0.50 [0.40, inf] | faster | 10.0 | — |  |" in made
    assert "not run: Triton is not installed" in made
    assert "Not measured yet." in made  # the part that is missing


# ---------------------------------------------------------------- the examples


def test_the_examples_are_submissions_of_the_catalogue(study: ModuleType) -> None:
    assert {example.file for example in study.EXAMPLES} == {file.name for file in EXAMPLES.glob("*.py")}
    for example in study.EXAMPLES:
        text = (EXAMPLES / example.file).read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text))
        assert list(_on_device.names_in(EXAMPLES / example.file, _on_device.exercises())) == [example.name]


def test_an_example_that_cannot_run_here_says_why(study: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_HOME", "/nowhere")
    monkeypatch.setattr(study.shutil, "which", lambda name: None)
    monkeypatch.setattr(study.importlib.util, "find_spec", lambda name: None)

    assert study.lacking("triton", "cuda") == "Triton is not installed"
    assert study.lacking("nvcc", "cuda") == "nvcc is not on this machine"
    assert study.lacking("nvcc", "cpu") == "there is no GPU"
    assert study.lacking("", "cpu") == ""
    monkeypatch.setattr(study.shutil, "which", lambda name: "/bin/nvcc" if name == "nvcc" else None)
    assert study.lacking("nvcc", "cuda") == "ninja is not installed"


@pytest.mark.usefixtures("in_threads")
def test_the_examples_that_need_nothing_are_judged(study: ModuleType, tmp_path: Path) -> None:
    rows, _ = measured(study, "examples", tmp_path, ())

    assert [rows[e.file].get("not_run", "") for e in study.EXAMPLES] == ["there is no GPU"] * 3 + ["", ""]
    assert rows["remembered.py"]["verdict"] == "wrong"
    assert rows["remembered.py"]["as_expected"]
    assert rows["other_stream.py"]["verdict"] == "correct"


@pytest.mark.skipif("importlib.util.find_spec('triton') is None", reason="Triton is not installed")
def test_the_kernels_compute_what_they_say(monkeypatch: pytest.MonkeyPatch, study: ModuleType) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    import torch

    from graders.harness.compare import compare

    for example, right in zip(study.EXAMPLES[:2], (True, False), strict=True):
        function = runpy.run_path(str(EXAMPLES / example.file))[example.name.partition(".")[2]]
        exercise = _on_device.exercises()[example.name]
        passed = []
        for case, answer in study.truths()[example.name]:
            given = devices.onto(_on_device.arguments_of(exercise, case), torch, "cpu")
            outputs = devices.back(function(*given, **case.hyperparameters))
            passed.append(compare(case, answer, {"": outputs[0]}).passed)
        assert all(passed) is right


# ---------------------------------------------------------------- the command


def test_bench_on_a_device_that_is_not_there_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_doctor, "gpu", lambda: ("", "this PyTorch is built for CPUs only"))
    (tmp_path / "mine.py").write_text(RIGHT)
    done = CliRunner().invoke(_cli.cli, ["bench", str(tmp_path / "mine.py"), "--device", "cuda"])

    assert done.exit_code == _cli.UNUSABLE
    assert "this PyTorch is built for CPUs only" in done.stderr


@pytest.mark.usefixtures("in_threads")
def test_bench_on_a_device_is_a_document_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"{RIGHT}\n\ndef relu(z):\n    return z\n")
    (tmp_path / "other.py").write_text("x = 1\n")
    chosen = _catalogue.select(["tanh", "relu"])
    told: list[Any] = []
    made = bench_on_device.bench(
        [tmp_path / "mine.py", tmp_path / "other.py"], chosen, dtypes=["float32"], seconds=0.1, seed=0,
        progress=told.append, device="cpu", effort=TINY,
    )  # fmt: skip

    assert told == made.benchmarks
    by_name = {row.function: row for row in made.benchmarks}
    assert by_name["relu"].verdict == "not timed"
    assert by_name["relu"].reason.startswith("it is wrong: ")
    assert by_name["tanh"].calls > 0
    assert by_name["tanh"].limit_seconds is not None
    assert len(made.problems) == 1
    assert "defines no function of the catalogue" in made.problems[0]
    assert "cpu: a product of matrices float32" in render.text(made)
    with pytest.raises(bench_on_device.NoFile, match="expected a PATH"):
        bench_on_device.bench([], chosen, dtypes=[], seconds=1, seed=0, progress=told.append, device="cpu")


# ---------------------------------------------------------------- all of it


@pytest.mark.deep
def test_the_whole_study_runs_through_with_the_cpu_as_device(tmp_path: Path) -> None:
    script = [
        sys.executable,
        str(ROOT / "benchmarks" / "cuda.py"),
        "--device",
        "cpu",
        "--quick",
        "--output",
        str(tmp_path),
    ]
    subprocess.run([*script, "--part", "all"], check=True, capture_output=True)
    subprocess.run([*script, "--page"], check=True)
    made = (tmp_path / "cuda.md").read_text(encoding="utf-8")
    rows = {
        part: json.loads((tmp_path / f"{part}.json").read_text())["rows"] for part in ("accuracy", "eager", "compile")
    }

    assert "failed" not in made
    assert "Not measured yet" not in made
    assert len(rows["accuracy"]) > 200
    assert all(row.get("right", True) for row in rows["eager"].values())
    assert all("compiled" in row["sides"] for row in rows["compile"].values())


def there_is_none() -> bool:
    return bool(_doctor.gpu()[1])


@pytest.mark.skipif("there_is_none()", reason="there is no GPU here that PyTorch finds")
def test_the_examples_are_as_expected_on_a_gpu(study: ModuleType, tmp_path: Path) -> None:
    setting = study.Setting("cuda", False, time.time() + 600)
    study.here("examples", setting, tmp_path, (), print)
    rows = json.loads((tmp_path / "examples.json").read_text())["rows"]

    assert all(row.get("as_expected", True) for row in rows.values()), rows
