"""Bubblewrap around the zygote: what is in view in there, what is not, and that nothing depends on it."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graders.harness.sandbox import parent, processes, visible
from graders.harness.sandbox.contract import Call, Killed, Limits, Loaded, Returned
from graders.harness.sandbox.parent import ProcessBox, Submission

if sys.platform != "linux":
    # it makes namespaces, which only Linux has; elsewhere no zygote is there to be put inside
    pytest.skip("bubblewrap is Linux's", allow_module_level=True)

inside = pytest.mark.skipif(
    "not processes.isolation().around", reason="bubblewrap is not installed or does not work here: see gradproof doctor"
)
REAL = shutil.which("bwrap") or ""


class Opener:
    """Opens submissions in children of zygotes that lack some layers."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.zygotes: list[processes.Zygote] = []
        self.boxes: list[ProcessBox] = []

    def __call__(self, text: str, *without: str) -> ProcessBox:
        zygote = processes.Zygote(("numpy",), without)
        self.zygotes.append(zygote)
        self._patch.setattr(processes, "start", lambda *given: processes.Forked(zygote, Limits()))
        box = ProcessBox(Submission("s", "s.py", "file", "s.py", {"s.py": text}), ("numpy",), Limits())
        self.boxes.append(box)
        assert isinstance(box.loaded, Loaded), box.loaded
        return box

    def close(self) -> None:
        for box in self.boxes:
            box.close()
        for zygote in self.zygotes:
            zygote.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    with contextlib.closing(Opener(monkeypatch)) as opener:
        yield opener


def value(box: ProcessBox, function: str, *arguments: Any) -> Any:
    (returned,) = box.call([Call(function, arguments)])
    assert isinstance(returned, Returned), returned
    return returned.values[0]


def eventually(happens: Callable[[], Any], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def living_with(mark: str) -> set[int]:
    """Return the processes that bear a text in their command line."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
        except OSError:  # it has just ended
            continue
    return found


# ---------------------------------------------------------------- what is in view, even without a layer

LOOKS = """
import os, socket

def sees(path):
    return os.path.lexists(path)

def interfaces():
    return [name for _, name in socket.if_nameindex()]

def numbers():
    return [os.getpid(), os.getppid()]

def descriptors():
    found = []
    for number in range(4096):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found

def written():
    found = []
    for folder, folders, files in os.walk("/"):
        try:
            open(os.path.join(folder, "written"), "w").close()
        except OSError:
            continue
        found.append(folder)
    return found
"""
ALL = processes.LAYERS


@inside
def test_a_file_outside_cannot_even_be_seen_without_any_layer(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    outside = [str(tmp_path / "secret"), str(tmp_path), "/etc/passwd", "/proc/self", "/home", parent.__file__]

    assert [path for path in outside if value(opened(LOOKS, *ALL), "sees", path)] == []
    assert value(opened(LOOKS, *ALL, "bubblewrap"), "sees", outside[0])


@inside
def test_there_is_no_network_without_any_layer(opened: Opener) -> None:
    here = [name for _, name in socket.if_nameindex()]

    assert value(opened(LOOKS, *ALL), "interfaces") in (["lo"], [])
    assert value(opened(LOOKS, *ALL, "bubblewrap"), "interfaces") == here


@inside
def test_nothing_can_be_written_without_landlock(opened: Opener) -> None:
    assert value(opened(LOOKS, "landlock"), "written") == []


@inside
def test_other_processes_have_no_number_in_there(opened: Opener) -> None:
    number, above = value(opened(LOOKS), "numbers")

    assert above == 1
    assert number < 100


@inside
def test_of_a_folder_that_is_shown_as_a_whole_other_packages_are_hidden(tmp_path: Path) -> None:
    library = tmp_path / "library"
    (library / "site-packages" / "forbidden").mkdir(parents=True)
    (library / "site-packages" / "forbidden" / "__init__.py").touch()
    (library / "site-packages" / "allowed.py").touch()
    for number in range(visible.WHOLE):
        (library / f"m{number}.py").touch()
    shown = [str(library / f"m{number}.py") for number in range(visible.WHOLE)]
    shown.append(str(library / "site-packages" / "allowed.py"))
    interpreter = os.path.realpath(sys.executable)
    options = visible.enclosure(("numpy",), [*visible.readable(("numpy",)), *shown], interpreter)
    look = f"import os; print(*sorted(os.path.join(f, n) for f, _, names in os.walk({str(tmp_path)!r}) for n in names))"

    command = [REAL, *options, interpreter, "-I", "-S", "-c", look]

    made = subprocess.run(command, capture_output=True, text=True, check=True)

    assert made.stdout.split() == sorted(shown)
    assert options.count(str(library)) == 2  # one mount for them all, from there to there


@pytest.mark.parametrize("without", [(), ("bubblewrap",)], ids=["inside", "outside"])
def test_a_child_has_no_descriptor_but_its_own_however_many_the_grader_has(
    without: tuple[str, ...], opened: Opener
) -> None:
    usual = value(opened(LOOKS, "limits", *without), "descriptors")
    many = [os.open(os.devnull, os.O_RDONLY) for _ in range(300)]
    try:
        found = value(opened(LOOKS, "limits", *without), "descriptors")
    finally:
        for one in many:
            os.close(one)

    assert found == usual
    assert found[:5] == [0, 1, 2, 3, 4]
    assert len(found) == 6  # the last is the arena


# ---------------------------------------------------------------- what the grader sees of a child

TRACE = 101 if os.uname().machine == "x86_64" else 117  # ptrace
WORKS = f"""
import ctypes, os, time

def works():
    until = time.process_time() + 0.02
    while time.process_time() < until:
        pass
    return time.process_time()

def ends(status):
    os._exit(status)

def dies():
    ctypes.string_at(0)

def asks():
    ctypes.CDLL(None).syscall({TRACE})
"""


@inside
def test_the_clock_is_that_of_the_child(opened: Opener) -> None:
    box = opened(WORKS)

    before = parent._cpu_seconds(box._child.pid)
    worked = value(box, "works")
    after = parent._cpu_seconds(box._child.pid)

    assert before is not None
    assert after is not None
    assert before < worked <= after
    assert box.spent >= worked - before


@inside
@pytest.mark.parametrize(
    "function, arguments, why",
    [
        ("ends", (7,), "the process ended itself (exit status 7)"),
        ("ends", (0,), "the process ended itself (exit status 0)"),
        ("dies", (), "the process died of SIGSEGV"),
        ("asks", (), "it made a forbidden system call"),
    ],
)
def test_how_a_child_ended_is_known(function: str, arguments: tuple[Any, ...], why: str, opened: Opener) -> None:
    assert opened(WORKS).call([Call(function, arguments)]) == [Killed(why)]


@inside
def test_children_of_one_zygote_are_told_apart() -> None:
    zygote = processes.Zygote(("numpy",))
    try:
        one, two = (processes.Forked(zygote, Limits()) for _ in range(2))
        assert one.pid != two.pid
        assert one.status() is None
        two.kill()
        assert two.status() == -signal.SIGKILL
        assert one.status() is None
        one.channel.close()
        assert one.status() == 0
        one.close()
        two.close()
    finally:
        zygote.close()


# ---------------------------------------------------------------- all end together


@inside
def test_what_is_around_it_does_not_go_alone() -> None:
    zygote = processes.Zygote(("numpy",))
    child = processes.Forked(zygote, Limits())
    try:
        zygote._process.kill()

        assert select.select([child._process], [], [], 20.0)[0]
        assert eventually(lambda: not zygote.alive)
    finally:
        zygote.close()
        child.close()


@inside
def test_a_zygote_outlives_the_thread_that_started_it() -> None:
    made: list[processes.Zygote] = []
    thread = threading.Thread(target=lambda: made.append(processes.Zygote(("numpy",))))
    thread.start()
    thread.join()
    (zygote,) = made
    try:
        assert zygote.isolation.around
        with pytest.raises(subprocess.TimeoutExpired):
            zygote._process.wait(0.2)
        child = processes.Forked(zygote, Limits())
        child.close()
    finally:
        zygote.close()
    assert eventually(lambda: not os.path.exists(f"/proc/{child.pid}"))


def named(name: str) -> list[Path]:
    """Return the processes that bear this name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):  # it has just ended
            found += [path] if path.read_text().strip() == name else []
    return found


@inside
def test_what_a_child_has_left_behind_ends_with_the_zygote(opened: Opener) -> None:
    name = f"left-{os.getpid()}"
    forks = f"""
        import ctypes, os, time
        def forks():
            if os.fork():
                return 1.0
            os.setsid()
            ctypes.CDLL(None).prctl(15, b"{name}")
            time.sleep(600)
        """
    box = opened(textwrap.dedent(forks), "seccomp")

    assert value(box, "forks") == 1.0
    box.close()
    assert eventually(lambda: named(name))
    opened.zygotes[0].close()
    assert eventually(lambda: not named(name))


GRADER = """
import sys
import gradproof
from graders.harness.sandbox import processes

def slow(packages, module, *arguments, whole=processes.program):
    *command, text = whole(packages, module, *arguments)
    first = "import time; from gradproof_child import zygote; zygote._warm_up = lambda: time.sleep(1.5)"
    return [*command, text.replace("from gradproof_child", first + "; from gradproof_child", 1)]

if sys.argv[1] == "starting":
    processes.program = slow
processes.start(("numpy",), processes.Limits())
print("started", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("moment", ["starting", "started"])
@pytest.mark.parametrize("around", [pytest.param(True, marks=inside, id="inside"), pytest.param(False, id="outside")])
def test_a_grader_that_is_killed_leaves_no_process_and_no_folder(moment: str, around: bool, tmp_path: Path) -> None:
    own = tmp_path / "tmp"
    own.mkdir()
    path = os.path.dirname(REAL) if around else str(tmp_path)
    grader = subprocess.Popen(
        [sys.executable, "-c", GRADER, moment],
        env=os.environ | {"TMPDIR": str(own), "PATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert grader.stdin is not None
    assert grader.stdout is not None
    with grader:
        try:
            if moment == "starting":
                assert eventually(lambda: living_with(str(own)) & living_with("gradproof_child.zygote"), 60)
            else:
                assert grader.stdout.readline() == b"started\n"
            assert len(list(own.iterdir())) == 1
        finally:
            grader.kill()

    assert eventually(lambda: not living_with(str(own)))
    assert eventually(lambda: not list(own.iterdir()))


# ---------------------------------------------------------------- a bubblewrap that does not work is passed over


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], str]:
    """Return what puts a script called bwrap on the path, and nothing else."""

    def made(text: str) -> str:
        script = tmp_path / "bwrap"
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return str(script)

    return made


def passed_over(said: str) -> None:
    """Start a zygote, which must be as good as any, and say this of bubblewrap."""
    zygote = processes.Zygote(("numpy",))
    try:
        assert zygote.isolation.around == ""
        assert zygote.isolation.not_around == said
        usual = replace(processes.isolation(), around="", not_around=said)
        assert zygote.isolation == usual
        child = processes.Forked(zygote, Limits())
        assert child.status() is None
        child.close()
    finally:
        zygote.close()


@pytest.mark.parametrize(
    "text, said",
    [
        ("exit 1", "it ended with status 1"),
        ("echo a warning >&2; echo 'bwrap: No permissions' >&2; exit 1", "bwrap: No permissions"),
        ("exit 0", "inside it the zygote did not start: it ended before it was ready"),
        ("kill -9 $$", "it ended with status -9"),
    ],
)
def test_one_that_fails_is_passed_over(text: str, said: str, fake: Callable[[str], str]) -> None:
    fake(text)

    passed_over(said)


@inside
def test_one_in_which_a_package_lacks_what_it_has_outside_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = visible.program

    def program(packages: Sequence[str], module: str, *arguments: int) -> list[str]:
        *command, text = whole(packages, module, *arguments)
        hidden = "import os, sys; os.path.exists('/etc/passwd') or sys.modules.update({'numpy.testing': None}); "
        return [*command, hidden + text]

    monkeypatch.setattr(processes, "program", program)
    monkeypatch.setattr(processes, "preloaded", lambda packages: ["numpy.testing", "no_such_package"])

    passed_over("inside it the zygote did not start: it ended before it was ready")


def test_one_that_hangs_is_passed_over_and_ended(fake: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    mark = f"6{os.getpid()}"
    fake(f"/bin/sleep {mark}\nexit")
    monkeypatch.setattr(processes, "TRYING", 0.5)

    passed_over("it did not end within 0.5 seconds")

    assert eventually(lambda: not living_with(f"/bin/sleep\0{mark}"))


def test_one_that_is_no_program_is_passed_over(fake: Callable[[str], str]) -> None:
    Path(fake("")).write_bytes(b"\x7fELF, it says")

    zygote = processes.Zygote(("numpy",))
    zygote.close()

    assert zygote.isolation.around == ""
    assert "Exec format error" in zygote.isolation.not_around


def test_it_is_sought_in_no_folder_that_depends_on_where_the_grader_runs(
    fake: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake(f"/bin/touch {tmp_path}/run; exit 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".::relative")

    passed_over("not installed")

    assert not (tmp_path / "run").exists()


def test_where_it_is_not_installed_nothing_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    passed_over("not installed")
