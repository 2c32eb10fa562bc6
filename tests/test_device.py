"""Submissions on a device: the logic, on a CPU that stands in for one; what takes a GPU says so."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import gradproof
from graders import _api, _catalogue, _cli, _device, _doctor, _elsewhere
from graders.harness.precision import PRECISIONS
from graders.harness.report import Device, ExerciseReport, Report, Run, SubmissionReport
from graders.harness.report import html as html_report
from graders.harness.report import text as text_report
from graders.harness.sandbox import child, devices, parent, visible
from graders.harness.sandbox.codec import Record
from graders.harness.sandbox.contract import Limits

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is an extra and is not installed", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[1]
SUBMISSION = """
import numpy as np
import torch

def relu(z: torch.Tensor) -> torch.Tensor:
    return torch.clamp(z, min=0)

def sigmoid(z):
    return np.where(z < 0, np.exp(z), 1.0) / (1 + np.exp(-np.abs(z)))

def affine(x: torch.Tensor, W: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return x @ W + b
"""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU under another name: nothing is opened for it, and PyTorch's own functions stay here."""
    compared = _device.rival_comparisons
    monkeypatch.setattr(_device, "found", lambda device: Device("cuda", "a stand-in"))
    monkeypatch.setattr(_api, "used_by", lambda packages, device: "")
    monkeypatch.setattr(_device, "rival_comparisons", lambda e, cases, key, device: compared(e, cases, key, "cpu"))


def graded(path: Path, **options: Any) -> tuple[SubmissionReport, dict[str, ExerciseReport]]:
    (submission,) = gradproof.grade(path, seed=0, device="cuda", **options).submissions
    return submission, {e.name.partition(".")[2]: e for e in submission.exercises}


# ---------------------------------------------------------------- without one


def test_without_a_gpu_that_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(SUBMISSION)
    reasons = {
        "PyTorch is not installed": "install it with CUDA, as https://pytorch.org says, or leave --device out",
        "this PyTorch (2.13.0+cpu) is built for CPUs only": "install one that is built for CUDA, as https://pytorch.org",
        "PyTorch finds none: the driver is too old": "leave --device out to grade on the CPU",
    }
    for reason, mend in reasons.items():
        monkeypatch.setattr(_doctor, "gpu", lambda reason=reason: ("", reason))
        done = CliRunner().invoke(_cli.cli, ["grade", str(tmp_path / "s.py"), "--device", "cuda"])

        assert done.exit_code == _cli.UNUSABLE
        assert done.stdout == ""
        assert done.stderr.startswith(f"gradproof: there is no GPU to grade on: {reason}; {mend}")
        with pytest.raises(_device.NoDevice, match="there is no GPU to grade on"):
            gradproof.score(SUBMISSION, "relu", device="cuda")


def test_a_gpu_that_the_sandbox_would_not_find_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_doctor, "gpu", lambda: ("a name", ""))
    monkeypatch.setattr(_device, "device_files", list)

    with pytest.raises(_device.NoDevice, match="the sandbox would not: /dev has no file nvidia0"):
        _device.found("cuda")
    monkeypatch.setattr(_device, "device_files", lambda: ["/dev/nvidia0"])
    assert _device.found("cuda") == Device("cuda", "a name")


def test_another_device_is_refused() -> None:
    assert _device.found("cpu") == Device()
    with pytest.raises(ValueError, match="device: expected one of cpu, cuda, got 'tpu'"):
        gradproof.score(SUBMISSION, "relu", device="tpu")


# ---------------------------------------------------------------- a run


@pytest.mark.usefixtures("stand_in")
def test_the_report_says_what_ran_where_and_pytorchs_own_error_beside(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(SUBMISSION)
    report = gradproof.grade(tmp_path / "s.py", seed=0, device="cuda")
    (submission,) = report.submissions
    notes = {e.name.partition(".")[2]: "; ".join(e.notes) for e in submission.exercises}

    assert report.run.device == Device("cuda", "a stand-in")
    assert {"torch", "cuda"} <= set(report.run.versions)
    assert [e.verdict for e in submission.exercises] == ["correct"] * 3
    assert "takes tensors; computed on cuda; PyTorch on this device: 0 of the allowed error" in notes["relu"]
    assert "takes no tensors: computed on the CPU" in notes["sigmoid"]
    assert "PyTorch" not in notes["sigmoid"]
    said = notes["affine"].partition("PyTorch on this device: ")[2].partition(" of the allowed error")[0]
    assert 0 < float(said) < 1
    assert "device: cuda (a stand-in); isolation: " in text_report.render(report)
    assert "device: cuda (a stand-in);" in html_report.render(report)


def test_on_the_cpu_nothing_is_said_of_devices(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(SUBMISSION)
    report = gradproof.grade(tmp_path / "s.py", seed=0, only=["relu"])

    assert report.run.device == Device()
    assert "torch" not in report.run.versions
    assert "device" not in text_report.render(report)
    assert not any("computed on" in note for e in report.submissions[0].exercises for note in e.notes)


def test_the_device_is_opened_for_submissions_with_pytorch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[tuple[str, ...], str, float]] = []
    opened = parent.open

    def noted(submission: Any, packages: Any, limits: Any, device: Any) -> Any:
        asked.append((packages, device, limits.call_seconds))
        return opened(submission, packages, limits)

    monkeypatch.setattr(_device, "found", lambda device: Device("cuda", "a stand-in"))
    monkeypatch.setattr(_device, "noting", lambda binder, *others: binder)
    monkeypatch.setattr(parent, "open", noted)
    plain, tensors = (
        "def relu(z):\n    return z * (z > 0)\n",
        "import torch\n\ndef relu(z):\n    return torch.relu(z)\n",
    )

    assert gradproof.score(plain, "relu", device="cuda").verdict == "correct"
    assert {(packages, device) for packages, device, _ in asked} == {(("numpy",), "")}
    asked.clear()
    assert gradproof.score(tensors, "relu", device="cuda").verdict == "correct"
    assert {(packages, device) for packages, device, _ in asked} == {(("numpy",), ""), (("numpy", "torch"), "cuda")}
    on_the_cpu = _api._raised(Limits(), ("numpy", "torch"))
    assert max(seconds for _, _, seconds in asked) > on_the_cpu.call_seconds


@pytest.mark.usefixtures("stand_in")
def test_what_pytorchs_own_function_raises_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(torch: Any, device: str, dtype: str = "") -> Iterator[None]:
        raise RuntimeError("no kernel image is available")

    monkeypatch.setattr(_device, "elsewhere", refuses)
    (note,) = [n for n in gradproof.score(SUBMISSION, "relu", device="cuda").notes if "PyTorch" in n]

    assert note.endswith("PyTorch on this device: raised RuntimeError: no kernel image is available")


# ---------------------------------------------------------------- PyTorch's own functions elsewhere


def test_rivals_make_their_tensors_on_the_device_and_bring_them_back() -> None:
    import torch

    with _elsewhere.elsewhere(torch, "meta"):
        assert torch.tensor(np.ones(2)).device.type == "meta"
        assert torch.zeros(2).device.type == "meta"
    with pytest.MonkeyPatch.context() as patch, _elsewhere.elsewhere(torch, "cpu"):
        patch.setattr(torch.Tensor, "cpu", lambda tensor: torch.full_like(tensor, 7))
        brought = torch.tensor(np.ones(2)).numpy()
    np.testing.assert_array_equal(brought, [7, 7])
    assert torch.zeros(2).device.type == "cpu"


def test_rivals_compute_in_a_narrow_dtype_where_that_is_asked() -> None:
    import torch

    with _elsewhere.elsewhere(torch, "cpu", "bfloat16"):
        x = torch.tensor(np.array([1.0, 3.0], np.float32), requires_grad=True)
        labels = torch.tensor(np.array([1, 2]))
        made = (x / 3).detach().numpy()

    assert (x.dtype, labels.dtype) == (torch.bfloat16, torch.int64)
    np.testing.assert_array_equal(made, PRECISIONS["bfloat16"].rounded(np.array([1 / 3, 1.0])))


def test_tf32_is_off_for_rivals_and_as_it_was_afterwards() -> None:
    import torch

    new = hasattr(torch.backends.cudnn, "conv")
    places = (torch.backends.cuda.matmul, torch.backends.cudnn.conv if new else torch.backends.cudnn)
    name, off = ("fp32_precision", "ieee") if new else ("allow_tf32", False)
    before = [getattr(place, name) for place in places]

    def fails() -> None:
        with _elsewhere.elsewhere(torch, "cpu"):
            assert [getattr(place, name) for place in places] == [off, off]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert [getattr(place, name) for place in places] == before


@pytest.mark.parametrize("name", ["layers.affine_vjp", "optimizers.adam", "losses.cross_entropy"])
def test_rivals_do_as_well_elsewhere_as_here(name: str) -> None:
    exercise = _catalogue.exercises()[name]
    key = _api.Key(0, lambda exercise: None)
    asked = [case for case in key.cases(exercise) if not case.extreme][:3]
    made = list(_device.rival_comparisons(exercise, asked, key, "cpu"))

    assert len(made) == 3
    assert all(c.passed for c in made), [c.problem or c.ratio for c in made]


# ---------------------------------------------------------------- in the child


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A device in the child that is other memory of this machine."""
    monkeypatch.setattr(devices, "onto", lambda tensor: tensor.clone())
    devices.use("cpu")
    yield
    devices.use("")
    devices.forget()


def record(*numbers: float) -> Record:
    return Record("torch.Tensor", {"data": np.array(numbers)})


@pytest.mark.usefixtures("elsewhere")
def test_what_a_function_writes_to_a_tensor_on_the_device_is_seen_in_the_array() -> None:
    def doubles(z: Any) -> Any:
        z *= 2
        return z + 1

    def refuses(z: Any) -> Any:
        z *= 0
        raise ValueError

    given, kept = record(1.0, 2.0), record(3.0)
    (values, _) = child.perform({"f": doubles}, ["f", [given]], {})
    np.testing.assert_array_equal(values[0], [3.0, 5.0])
    np.testing.assert_array_equal(given.fields["data"], [2.0, 4.0])
    child.perform({"f": refuses}, ["f", [kept]], {})
    child.perform({"f": lambda: 1}, ["f", []], {})
    np.testing.assert_array_equal(kept.fields["data"], [3.0])


def test_tensors_lie_where_they_are_told() -> None:
    import torch

    seen: list[str] = []

    def f(z: Any, w: Any) -> None:
        seen.extend([z.device.type, w.device.type, w.grad.device.type, str(w.is_leaf and w.requires_grad)])

    devices.use("meta")
    try:
        inner = Record("torch.Tensor", {"data": np.ones(2), "grad": np.ones(2), "parameter": True})
        child.perform({"f": f, "made": torch.nn.Linear}, ["f", [record(1.0), inner], {}, [], ""], {})
        module = devices.moved(torch.nn.Linear(2, 3))
    finally:
        devices.use("")
        devices.forget()
    assert seen == ["meta", "meta", "meta", "True"]
    assert module.weight.device.type == "meta"
    assert devices.moved(module) is module
    assert devices.onto(seen) is seen


def test_a_tensor_of_bfloat16_comes_back_widened() -> None:
    import torch

    (values, _) = child.perform({"f": lambda z: z.to(torch.bfloat16)}, ["f", [record(1.0, 0.1)]], {})

    assert values[0].dtype == np.float32
    assert values[0].tolist() == PRECISIONS["bfloat16"].rounded(np.array([1.0, 0.1])).tolist()


# ---------------------------------------------------------------- digits that a device leaves out


def tf32(x: Any) -> Any:
    return PRECISIONS["tf32"].rounded(x).astype(x.dtype)


def test_inputs_rounded_to_eleven_bits_are_named() -> None:
    from reference.convolution import cross_correlate2d

    def on_a_gpu(x: Any, w: Any) -> Any:
        return cross_correlate2d(tf32(x), tf32(w)) if x.dtype == np.float32 else cross_correlate2d(x, w)

    left_on = gradproof.check("cross_correlate2d", on_a_gpu).report
    everywhere = gradproof.check("tanh", lambda z: np.tanh(tf32(z))).report

    assert left_on.verdict == "unstable"
    assert left_on.reason.endswith("ordinary cases are too far off in float32")
    assert [d.name for d in left_on.diagnosis] == ["tf32"]
    assert "torch.backends.cudnn.allow_tf32 is False" in left_on.diagnosis[0].message
    assert [d.name for d in everywhere.diagnosis] == ["tf32"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_numbers_rounded_to_a_narrow_dtype_are_named(dtype: str) -> None:
    rounded = PRECISIONS[dtype].rounded
    report = gradproof.check("tanh", lambda z: rounded(np.tanh(z)).astype(z.dtype)).report

    assert report.verdict in ("wrong", "inexact")
    assert [d.message for d in report.diagnosis] == [f"Your numbers are right, but rounded to {dtype}."]


def test_a_rough_approximation_is_not_taken_for_it() -> None:
    report = gradproof.check("tanh", lambda z: np.tanh(z) * (1 + 3e-4 * np.cos(9 * z))).report

    assert report.verdict == "inexact"
    assert "tf32" not in [d.name for d in report.diagnosis]


# ---------------------------------------------------------------- the script that measures


def measured(*arguments: str) -> tuple[int, str]:
    """Return the exit status of benchmarks/device.py, and what it prints."""
    script = runpy.run_path(str(ROOT / "benchmarks" / "device.py"))
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            script["main"](arguments)
        except SystemExit as ended:
            return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_script_says_why_it_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_doctor, "gpu", lambda: ("", "PyTorch finds none: there is none"))

    status, out = measured()
    assert (status, out.count("\n")) == (0, 1)
    assert out.startswith("nothing is measured: there is no GPU to grade on: PyTorch finds none: there is none; leave")


def test_the_script_measures_what_stands_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gradproof, "grade", lambda *paths, **options: Report(1, Run(0, "given", "full", 1, {}), [], []))
    out = tmp_path / "figures" / "device.json"

    status, said = measured("--device", "cpu", "--only", "sgd", "--output", str(out), "--dtypes", "float32,float16")
    document = json.loads(out.read_text())

    assert status == 1  # nothing was graded
    assert [row["dtype"] for row in document["functions"]] == ["float32", "float16"]
    assert all(0 < row["max_error_over_allowed"] < 1 for row in document["functions"])
    assert document["environment"]["device"] == "cpu"
    assert "optimizers.sgd" in said


# ---------------------------------------------------------------- with a GPU


@pytest.mark.skipif(
    "not visible.device_files() or bool(_doctor.gpu()[1])", reason="there is no GPU here that PyTorch finds"
)
def test_a_submission_is_graded_on_the_gpu(tmp_path: Path) -> None:
    text = (
        SUBMISSION + "\n\ndef tanh(z: torch.Tensor):\n    assert z.is_cuda\n    z.zero_()\n    return torch.tanh(z)\n"
    )
    (tmp_path / "s.py").write_text(text)
    submission, reports = graded(tmp_path / "s.py")

    assert submission.status == "graded"
    assert [reports[name].verdict for name in ("relu", "sigmoid", "affine")] == ["correct"] * 3
    assert "computed on cuda" in "; ".join(reports["affine"].notes)
    assert reports["tanh"].verdict == "unfilled"
    assert "writes to its argument `z`" in reports["tanh"].notes


def test_the_documents_schema_knows_the_device() -> None:
    file = ROOT / "docs" / "schema" / "grade.json"
    defined = json.loads(file.read_text())["$defs"]

    assert defined["Device"]["properties"]["kind"]["enum"] == ["cpu", "cuda"]
    assert sys.platform != "linux" or isinstance(visible.device_files(), list)
