"""What this machine can isolate: how it is found out, said in every report, and demanded."""

from __future__ import annotations

import json
import platform
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import msgspec
import pytest

from graders import _api, _cli, _doctor
from graders.harness.report import Isolation, Report, Run, SubmissionReport
from graders.harness.report import html as html_report
from graders.harness.report import json as json_report
from graders.harness.report import junit as junit_report
from graders.harness.report import text as text_report
from graders.harness.sandbox import confine, parent, processes, visible
from graders.harness.sandbox.parent import CannotStart

RIGHT = "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n"
REFUSED = "[Errno 0] landlock: not offered by this kernel"
REDUCED = processes.Isolation(
    "reduced", tuple(layer for layer in confine.LAYERS if layer != "landlock"), {"landlock": REFUSED}
)
BASIC = processes.Isolation(
    "basic", ("limits",), {layer: "needs Linux" for layer in confine.LAYERS if layer != "limits"}
)
FULL = processes.Isolation("full", confine.LAYERS)

Ran = tuple[int, str, str]
Command = Callable[..., Ran]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Command]:
    """Return the command line as `main` runs it, beside a right submission: its status, output and errors."""
    monkeypatch.chdir(tmp_path)
    Path("right.py").write_text(RIGHT)
    before = signal.getsignal(signal.SIGTERM)

    def ran(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["gradproof", *arguments])
        status: Any = 0
        try:
            _cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        return status, *capsys.readouterr()

    yield ran
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what makes this machine look as if it had that isolation, or a sandbox that does not work."""

    def made(numpy: processes.Isolation | CannotStart, torch: processes.Isolation | None = None) -> None:
        def isolation(packages: Sequence[str] = ("numpy",), device: str = "") -> processes.Isolation:
            if isinstance(numpy, CannotStart):
                raise numpy
            return torch if torch is not None and "torch" in packages else numpy

        monkeypatch.setattr(processes, "isolation", isolation)

    return made


# ---------------------------------------------------------------- doctor


def test_doctor_says_what_is_here_and_its_document_is_the_published_one(run: Command) -> None:
    status, out, err = run("doctor", "--json")

    found = msgspec.json.decode(out, type=_doctor.Examination)
    here = processes.isolation()
    assert err == ""
    assert found.schema == 1
    assert found.tier == here.tier
    assert {layer.name for layer in found.layers if layer.ok} == set(here.layers)
    assert (found.around, found.not_around) == (here.around, here.not_around)
    assert bool(found.around) != bool(found.not_around)
    assert status == (0 if found.tier == "full" else 1)
    assert found.self_test
    assert found.libraries[0].name == "numpy"
    assert found.libraries[0].usable
    assert found.libraries[0].version == _api.versions()["numpy"]
    assert found.cores >= 1
    assert bool(found.gpu) != bool(found.no_gpu)
    assert found.cache_writable


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes seconds: trying SciPy and PyTorch, and looking for a GPU."""
    monkeypatch.setattr(_doctor, "LIBRARIES", ("numpy", "no-such-library"))
    monkeypatch.setattr(_doctor, "gpu", lambda: ("", "not looked for"))


@pytest.mark.usefixtures("quick")
def test_doctor_names_a_missing_layer_its_reason_and_what_to_do(run: Command, machine: Callable[..., None]) -> None:
    machine(REDUCED)

    status, out, _ = run("doctor")

    assert status == 1
    assert "isolation: reduced, a layer is missing" in out
    assert "  landlock      missing: not offered by this kernel\n" in out
    assert "  seccomp       ok\n" in out
    assert "to get full isolation\n  - " in out
    assert "Landlock" in out.partition("to get full isolation")[2]
    assert "  no-such-library cannot be used: not installed\n" in out


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "around, not_around, said",
    [("bubblewrap", "", "ok"), ("", "bwrap: No \x1bpermissions", "not used: bwrap: No \ufffdpermissions")],
)
def test_doctor_says_whether_bubblewrap_is_around_and_asks_for_nothing(
    around: Any, not_around: str, said: str, run: Command, machine: Callable[..., None]
) -> None:
    machine(replace(FULL, around=around, not_around=not_around))

    status, out, _ = run("doctor")

    assert status == 0
    assert f"  bubblewrap    {said} (an extra around them, on which no tier depends)\n" in out
    assert "to get full isolation" not in out


@pytest.mark.usefixtures("quick")
def test_doctor_sends_other_systems_to_linux(
    run: Command, machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(BASIC)
    monkeypatch.setattr(sys, "platform", "darwin")

    status, out, _ = run("doctor")

    assert status == 1
    assert "isolation: basic, a process with limits only" in out
    assert "  seccomp       missing: needs Linux\n" in out
    assert out.count("run gradproof inside Linux") == 1
    assert "there is no layer to test" in out


@pytest.mark.usefixtures("quick")
def test_doctor_says_that_the_self_test_failed(run: Command, machine: Callable[..., None]) -> None:
    machine(CannotStart("the sandbox's self-test failed, nothing is graded: it could fork"))

    status, out, _ = run("doctor")

    assert status == 1
    assert "isolation: none, nothing can be graded here" in out
    assert "it could fork" in out
    assert "  seccomp " not in out
    assert "numpy         cannot be used: the sandbox does not work" in out


@pytest.mark.parametrize(
    "release, active, said",
    [
        ("5.10.0-30-amd64", "lockdown,yama", "Use Linux 5.13 or newer"),
        ("6.8.0", "lockdown,capability,yama", "boot the kernel with lsm=landlock,lockdown,capability,yama"),
        ("6.8.0", "lockdown,landlock", "in a container whose seccomp profile lets its three calls through"),
        ("6.8.0", None, "Use a kernel with Landlock switched on"),
    ],
)
def test_the_advice_on_landlock_fits_the_kernel(
    release: str, active: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> str:
        if active is None:
            raise PermissionError(13, "Permission denied")
        return active + "\n"

    monkeypatch.setattr(platform, "release", lambda: release)
    monkeypatch.setattr(Path, "read_text", read)

    with pytest.raises(CannotStart, match=said):
        _doctor.demand(REDUCED, "full")


def test_a_library_that_cannot_be_imported_in_the_sandbox_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _doctor._library("no_such_library") == _doctor.Library("no_such_library", None, False, "not installed")
    monkeypatch.setattr(parent, "is_installed", lambda name: True)

    broken = _doctor._library("no_such_library")

    assert not broken.usable
    assert (
        broken.reason
        == "imports 'no_such_library', which is not allowed or not installed: what needs it cannot be judged"
    )


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert _doctor._is_writable(tmp_path / "new" / "folder")
    assert not _doctor._is_writable(tmp_path / "file" / "folder")


# ---------------------------------------------------------------- what is required


def test_what_this_machine_has_is_enough_for_what_it_has(run: Command) -> None:
    status, out, _ = run("grade", "right.py", "--require-isolation", processes.isolation().tier)

    assert status == 0
    assert f"isolation: {processes.isolation().tier}" in out


@pytest.mark.parametrize(
    "here, required, enough",
    [
        (FULL, "full", True), (FULL, "basic", True), (REDUCED, "reduced", True), (REDUCED, "full", False),
        (REDUCED, None, True), (BASIC, "basic", True), (BASIC, "reduced", False), (BASIC, "full", False),
    ],
)  # fmt: skip
def test_a_run_below_what_is_required_is_refused(
    here: processes.Isolation, required: str | None, enough: bool, run: Command, machine: Callable[..., None]
) -> None:
    machine(here)

    status, out, err = run("grade", "right.py", *(["--require-isolation", required] if required else []))

    assert status == (0 if enough else 3)
    if not enough:
        assert out == ""
        assert err.startswith(
            f"gradproof: {required} isolation is required, but this machine's is {here.tier} (without "
        )
        assert err.endswith(". `gradproof doctor` says more.\n")


def test_the_refusal_says_what_is_missing_why_and_how_to_get_it(run: Command, machine: Callable[..., None]) -> None:
    machine(REDUCED)

    _, _, err = run("grade", "right.py", "--require-isolation", "full")

    assert "this machine's is reduced (without landlock: not offered by this kernel). " in err
    assert "Landlock" in err.partition("). ")[2]


def test_what_is_required_holds_for_each_kind_of_child(machine: Callable[..., None], tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "one.py").write_text(RIGHT)
    (tmp_path / "two.py").write_text("import torch\ndef relu(z):\n    return torch.relu(torch.tensor(z)).numpy()\n")
    machine(FULL, torch=REDUCED)

    report = _api.grade(tmp_path, require_isolation="full")
    unasked = _api.grade(tmp_path)

    assert [s.status for s in report.submissions] == ["graded", "unscored"]
    assert "full isolation is required" in report.submissions[1].reason
    assert report.exit_status == 3
    assert [s.status for s in unasked.submissions] == ["graded", "graded"]
    assert unasked.run.tier == "reduced"  # the lowest that a submission had
    assert unasked.run.isolation.missing == {"landlock": REFUSED}


def test_an_unknown_tier_is_refused(run: Command, tmp_path: Path) -> None:
    assert run("grade", "right.py", "--require-isolation", "total")[0] == 2
    with pytest.raises(ValueError, match="no isolation is called 'total'; there are full, reduced and basic"):
        _api.grade(tmp_path / "right.py", require_isolation="total")  # type: ignore[arg-type]


# ---------------------------------------------------------------- fail closed


def broken_zygote(text: str) -> Callable[..., list[str]]:
    return lambda packages, module, *arguments: [sys.executable, "-c", text.format(*arguments)]


@pytest.mark.parametrize(
    "text, said",
    [
        ("raise SystemExit(1)", "the zygote did not start"),
        ("import os; os.abort()", "the zygote did not start"),
        ("import socket; socket.socket(fileno={}).send(b'no JSON')", "the zygote did not start"),
        ("import sys, time; sys.stdin.read(); time.sleep(60)", "the zygote did not start: timed out"),
        (
            "import json, socket, sys; sys.stdin.read(); socket.socket(fileno={}).send(json.dumps("
            "dict(layers=[], refused=dict(), leaks=['fork', 'trace a process'], trouble='')).encode())",
            "the sandbox's self-test failed, nothing is graded: it could fork, trace a process",
        ),
    ],
    ids=["exits", "crashes", "speaks nonsense", "never answers", "leaks"],
)
def test_a_zygote_that_does_not_work_is_status_3_and_never_a_lower_tier(
    text: str, said: str, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes.close_all()
    monkeypatch.setattr("graders.harness.sandbox.processes.program", broken_zygote(text))
    monkeypatch.setattr(processes, "STARTING", 1.0)

    status, out, err = run("grade", "right.py", "--exit-zero")

    assert (status, out) == (3, "")
    assert err.startswith(f"gradproof: {said}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_a_layer_that_is_put_on_but_does_nothing_is_found_by_the_self_test(
    layer: str, run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = visible.program
    nothing = {
        "landlock": "confine.give_up_files = lambda *given: None",
        "seccomp": "confine.give_up_system_calls = lambda *given: None",
    }[layer]

    def program(packages: Sequence[str], module: str, *arguments: int) -> list[str]:
        *command, text = whole(packages, module, *arguments)
        start = f"from gradproof_child.{module} import main"
        assert start in text
        return [*command, text.replace(start, f"from gradproof_child import confine; {nothing}; {start}")]

    processes.close_all()
    monkeypatch.setattr("graders.harness.sandbox.processes.program", program)

    status, out, err = run("grade", "right.py", "--require-isolation", "basic")

    for left in (*Path("/tmp").glob("written-by-gradproof-*"), *Path("/dev/shm").glob("written-by-gradproof-*")):  # noqa: S108
        left.unlink(missing_ok=True)
    assert (status, out) == (3, "")
    assert err.startswith("gradproof: the sandbox's self-test failed, nothing is graded: it could ")
    assert {"landlock": "read /etc/passwd", "seccomp": "fork"}[layer] in err


def test_replay_says_so_too(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("wrong.py").write_text(RIGHT.replace("maximum", "minimum"))
    _, out, _ = run("grade", "wrong.py", "--json")
    (exercise,) = json.loads(out)["submissions"][0]["exercises"]

    def cannot(*arguments: Any) -> NoReturn:
        raise CannotStart("no process could be started: out of everything")

    monkeypatch.setattr(parent, "open", cannot)

    assert run("replay", exercise["replay"]) == (3, "", "gradproof: no process could be started: out of everything\n")


# ---------------------------------------------------------------- what a report says


def report_of(isolation: processes.Isolation | None) -> Report:
    tier, value = _doctor.least([isolation] if isolation else [])
    graded = SubmissionReport("a.py", "a.py", "nothing_found", "", 0.0, 0.0, [], [], [])
    return Report(1, Run(0, "given", tier, 137, {"python": "3"}, value), [graded], [])


SAID: Mapping[str, tuple[processes.Isolation | None, str]] = {
    "full": (FULL, "full"),
    "reduced": (REDUCED, "reduced (without landlock: not offered by this kernel)"),
    "basic": (BASIC, "basic (without no_new_privs, landlock, capabilities, seccomp: needs Linux)"),
    "none": (None, "none (no code of a submission was run)"),
}


@pytest.mark.parametrize("tier", SAID)
def test_every_rendering_says_the_tier_what_is_missing_and_why(tier: str) -> None:
    isolation, said = SAID[tier]
    report = report_of(isolation)

    assert f"isolation: {said}\n" in text_report.render(report)
    assert f"isolation: {said};" in text_report.render(report, verbose=True)
    assert f"isolation: {said};" in html_report.render(report)
    document = json.loads(json_report.render(report))["run"]
    assert (document["tier"], document["isolation"]["missing"]) == (tier, dict(isolation.missing) if isolation else {})
    properties = ElementTree.fromstring(junit_report.render(report)).iter("property")  # noqa: S314  (our own)
    assert {p.get("name"): p.get("value") for p in properties}["isolation"] == said


def test_a_report_says_what_was_around_all_of_its_submissions() -> None:
    inside = replace(FULL, around="bubblewrap")

    assert json.loads(json_report.render(report_of(inside)))["run"]["isolation"]["around"] == "bubblewrap"
    assert _doctor.least([inside, FULL]) == _doctor.least([FULL, inside]) == ("full", Isolation(list(FULL.layers)))


def test_symbolic_answers_are_judged_where_nothing_can_be_isolated(
    machine: Callable[..., None], tmp_path: Path
) -> None:
    machine(CannotStart("no"))
    (tmp_path / "answers.txt").write_text("question: activations.relu_grad\n1\n")

    assert _api.grade(tmp_path / "answers.txt").run.tier == "none"
    with pytest.raises(CannotStart):
        _api.grade(tmp_path / "answers.txt", require_isolation="basic")


def test_a_self_check_is_isolated_from_nothing() -> None:
    made = _api.check("relu", lambda z: z)

    assert made.tier == "none"
    assert str(made).endswith("self-check, not a grade")


def test_a_report_of_an_earlier_version_can_be_read() -> None:
    assert Run(0, "given", "none", 1, {}).isolation == Isolation()
