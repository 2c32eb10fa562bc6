"""How a child is started: forked from a warm zygote and confined; where that cannot be, an interpreter of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from graders.harness.sandbox.contract import Limits
from graders.harness.sandbox.visible import (
    SCRATCH,
    device_files,
    device_readable,
    drivers,
    enclosure,
    preloaded,
    program,
    readable,
    visible,
)

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ENVIRONMENT = ONE_THREAD | {"PATH": "/nonexistent", "HOME": "/nonexistent"}
NO_DEVICE = {"CUDA_VISIBLE_DEVICES": ""}  # PyTorch asks at each step of an optimizer whether there is one
FOR_A_DEVICE = {"CUDA_CACHE_DISABLE": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # nothing written; the same sums twice
WITHOUT_BOUNDS = {
    "bounds on the device": "a submission speaks directly to the driver of the GPU, a large part of the kernel, "
    "and what memory it takes through it has no limit"
}
ENDING = 0.5  # seconds in which a child that has closed its channel must have ended
STARTING = 60.0  # seconds in which a zygote must have imported all it needs
TRYING = 10.0  # seconds in which bubblewrap must have run an interpreter that has nothing to do
# as in `confine`, which only Linux can import; a test holds them alike
LAYERS = ("no_new_privs", "landlock", "limits", "capabilities", "seccomp")
Tier = Literal["full", "reduced", "basic"]
Device = Literal["", "cuda"]


class CannotStart(RuntimeError):
    """The sandbox itself does not work on this machine: nothing was judged."""


@dataclass(frozen=True)
class Isolation:
    """How far a submission is kept from all else: *full*, *reduced* by a layer, or *basic*, a process with limits."""

    tier: Tier
    layers: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    """Why a layer is not there, in the kernel's words."""
    around: Literal["bubblewrap", ""] = ""
    """What stands around the zygote as well: depth, on which no tier depends."""
    not_around: str = ""
    """Why nothing does."""


class Child(Protocol):
    """A started process that serves one submission."""

    pid: int
    channel: socket.socket

    def status(self) -> int | None:
        """Return the exit status (negative: the signal that ended it), or None while it lives."""
        ...

    def kill(self) -> None:
        """End it; from another thread, too."""
        ...

    def close(self) -> None:
        """End it, and leave nothing of it."""
        ...

    def printed(self, most: int) -> bytes:
        """Return what it has printed."""
        ...


def _sink() -> int:
    """Return a file without a name: what a submission prints, what a zygote is told."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("printed")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Interpreter:
    """A child that is an interpreter of its own, with limits only."""

    def __init__(self, packages: Sequence[str], limits: Limits) -> None:
        self.channel, theirs = socket.socketpair()
        self._printed = _sink()
        self._place = tempfile.TemporaryDirectory(prefix="gradproof-")
        passed = (theirs.fileno(), self._printed)
        command = program(packages, "child", os.getpid(), *passed, limits.memory, limits.printed)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=passed,
                env=ENVIRONMENT,
                cwd=self._place.name,
                start_new_session=True,  # Ctrl-C is the grader's; it ends the child itself
            )
        except OSError as error:
            self.channel.close()
            os.close(self._printed)
            self._place.cleanup()
            raise CannotStart(f"no process could be started: {error}") from error
        finally:
            theirs.close()
        self.pid = self._process.pid

    def status(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(ENDING)
        return None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self._process.wait()
        self.channel.close()
        os.close(self._printed)
        self._place.cleanup()

    def printed(self, most: int) -> bytes:
        return os.pread(self._printed, most, 0)


_failures: dict[str, str] = {}  # of each bubblewrap that was tried, why it cannot be used; nothing if it can


def _bubblewrap(packages: Sequence[str], shown: Sequence[str]) -> tuple[list[str], str]:
    """Return the command that puts bubblewrap around another one, or none and the reason; it is tried before."""
    places = os.pathsep.join(filter(os.path.isabs, os.get_exec_path()))  # no other: a submission may lie there
    found = shutil.which("bwrap", path=places)
    if found is None:
        return [], "not installed"
    interpreter = os.path.realpath(sys.executable)
    command = [found, *enclosure(packages, shown, interpreter)]
    if found not in _failures:
        _failures[found] = _failure([*command, interpreter, "-I", "-S", "-c", "pass"])
    return ([], _failures[found]) if _failures[found] else (command, "")


def _failure(command: Sequence[str]) -> str:
    """Return why a command does not succeed, in its own words; nothing if it does."""
    said = _sink()
    try:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, env=ENVIRONMENT,
            start_new_session=True,
        ) as process:  # fmt: skip
            try:
                status = process.wait(TRYING)
            except subprocess.TimeoutExpired:
                return f"it did not end within {TRYING:g} seconds"
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
        last = os.pread(said, 4096, 0).decode(errors="replace").strip().rpartition("\n")[2]
        return "" if status == 0 else last or f"it ended with status {status}"
    except OSError as error:
        return str(error)
    finally:
        os.close(said)


class Zygote:
    """A warm interpreter that forks confined children (see `zygote`, which it runs), inside bubblewrap if that works.

    In there it has numbers of its own for processes, so a child is told by its descriptor alone. The kernel ends the
    children with the zygote, and the zygote with bubblewrap, but not bubblewrap with the grader: "with its parent"
    means with the thread that started it, and a grader's threads come and go. The zygote sees the grader's end itself.
    """

    def __init__(self, packages: Sequence[str], without: Sequence[str] = (), device: Device = "") -> None:
        """Start one; `without` names layers, or "bubblewrap", to leave out as if refused: to see what they do."""
        self._lock = threading.Lock()
        self._device: Device = device
        shown = readable(packages)
        around: list[str] = []
        if device:
            not_around = "the driver of a GPU needs /proc and /sys"
        elif "bubblewrap" in without:
            not_around = "left out on purpose"
        else:
            around, not_around = _bubblewrap(packages, shown)
        try:
            said = self._started(packages, shown, without, around)
        except CannotStart as error:
            if not around:
                raise
            around, not_around = [], f"inside it {error}"
            said = self._started(packages, shown, without, around)
        if said["leaks"]:
            self.close()
            raise CannotStart(f"the sandbox's self-test failed, nothing is graded: it could {', '.join(said['leaks'])}")
        layers, missing = tuple(said["layers"]), dict(said["refused"])
        if trouble := said.get("trouble"):
            self.close()
            raise CannotStart(f"a GPU cannot be used inside the sandbox: {trouble}; grade on the CPU instead")
        missing |= WITHOUT_BOUNDS if device else {}
        tier: Tier = "full" if set(layers) == set(LAYERS) and not device else "reduced"
        self.isolation = Isolation(tier, layers, missing, "bubblewrap" if around else "", not_around)

    def _started(
        self, packages: Sequence[str], shown: Sequence[str], without: Sequence[str], around: Sequence[str]
    ) -> dict[str, Any]:
        """Start the process, and return what it says of itself when it is ready."""
        try:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:
            raise CannotStart(f"no process could be started: {error}") from error
        with theirs, contextlib.ExitStack() as lent:
            try:
                lent.callback(os.close, written := _sink())
                lent.callback(os.close, grader := os.pidfd_open(os.getpid()))
                lent.callback(os.close, root := os.open("/", os.O_PATH))
                setup = {
                    "readable": list(shown), "preload": preloaded(packages), "secret": os.path.realpath(__file__),
                    "without": [one for one in without if one in LAYERS], "scratch": SCRATCH if around else "",
                    "folder": os.path.realpath(visible(packages)), "grader": grader, "root": root,
                    "device": _for_a_device(packages, shown) if self._device else None,
                }  # fmt: skip
                os.write(written, json.dumps(setup).encode())
                os.lseek(written, 0, os.SEEK_SET)
                self._control.settimeout(STARTING)
                command = program(packages, "zygote", theirs.fileno())
                self._process = subprocess.Popen(
                    [*around, os.path.realpath(command[0]), *command[1:]] if around else command,
                    stdin=written,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno(), grader, root],
                    env=_environment(packages, self._device),
                    cwd=os.path.join(visible(packages), "empty"),
                    start_new_session=True,
                )
            except OSError as error:
                self._control.close()
                raise CannotStart(f"no process could be started: {error}") from error
        try:
            said: dict[str, Any] = json.loads(self._control.recv(1 << 16) or b"{}")
        except (OSError, ValueError) as error:
            self.close()
            raise CannotStart(f"the zygote did not start: {error}") from error
        if not {"layers", "refused", "leaks"} <= set(said):
            self.close()
            raise CannotStart("the zygote did not start: it ended before it was ready")
        return said

    def _ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> Any:
        socket.send_fds(self._control, [json.dumps(request).encode()], list(descriptors))
        answer = self._control.recv(1 << 20)
        if not answer:
            raise OSError("it ended")
        return json.loads(answer)

    def fork(self, channel: int, printed: int, limits: Limits) -> tuple[int, int]:
        """Return the process and its descriptor of a new child that talks on this channel."""
        seconds = int(limits.total_seconds + limits.load_seconds) + 2
        request = {"do": "fork", "memory": limits.memory, "seconds": seconds, "printed": limits.printed}
        with self._lock:
            socket.send_fds(self._control, [json.dumps(request).encode()], [channel, printed])
            answer, descriptors, _, _ = socket.recv_fds(self._control, 1 << 16, 1)
        if not answer:
            raise CannotStart("the zygote ended")
        said = json.loads(answer)
        if "error" in said:
            raise CannotStart(f"no process could be started: {said['error']}")
        return _number(descriptors[0]) if self.isolation.around else said["pid"], descriptors[0]

    def status(self, process: int) -> int | None:
        """Return the exit status of a child, which is then forgotten; None while it lives, or the zygote is gone."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            status: int | None = self._ask({"do": "status"}, [process])["status"]
            return status
        return None

    @property
    def alive(self) -> bool:
        """Whether children can be forked."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the zygote and what is around it; the kernel ends its children."""
        self._control.close()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _for_a_device(packages: Sequence[str], shown: Sequence[str]) -> tuple[list[str], list[str], bool]:
    """Return what the zygote is told of the device: what to read, what to use, and whether PyTorch is to try it."""
    return [*shown, *device_readable()], device_files(), "torch" in packages


def _environment(packages: Sequence[str], device: Device) -> dict[str, str]:
    """Return the variables of a zygote, and so of its children: of all GPUs they see one, or none."""
    if device:
        seen = {"CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0")}
        found = {"LD_LIBRARY_PATH": ":".join(drivers())} if drivers() else {}
        return ENVIRONMENT | FOR_A_DEVICE | seen | found
    return ENVIRONMENT | (NO_DEVICE if "torch" in packages else {})


def _number(process: int) -> int:
    """Return the number by which the grader knows the process of a descriptor: what its clock is asked for by."""
    found = re.search(r"^Pid:\t(\d+)$", Path(f"/proc/self/fdinfo/{process}").read_text(), re.MULTILINE)
    if found is None:
        raise CannotStart("no process could be started: it ended at once")
    return int(found[1])


class Forked:
    """A child forked from a zygote."""

    def __init__(self, zygote: Zygote, limits: Limits) -> None:
        self._zygote = zygote
        try:
            self.channel, theirs = socket.socketpair()
            self._printed = _sink()
        except OSError as error:
            raise CannotStart(f"no process could be started: {error}") from error
        try:
            self.pid, self._process = zygote.fork(theirs.fileno(), self._printed, limits)
        except (OSError, CannotStart) as error:
            self.channel.close()
            os.close(self._printed)
            raise CannotStart(str(error)) from error
        finally:
            theirs.close()
        self._ended: int | None = None

    def status(self) -> int | None:
        if self._ended is None:
            select.select([self._process], [], [], ENDING)
            self._ended = self._zygote.status(self._process)
        return self._ended

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, OSError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self.status()
        self.channel.close()
        os.close(self._printed)
        os.close(self._process)

    def printed(self, most: int) -> bytes:
        return os.pread(self._printed, most, 0)


_Kind = tuple[tuple[str, ...], Device]
_zygotes: dict[_Kind, Zygote] = {}
_starting: dict[_Kind, threading.Lock] = {}


def _zygote(packages: Sequence[str], device: Device = "") -> Zygote:
    """Return the living zygote for these packages and this device, started if there is none."""
    kind = tuple(packages), device
    with _starting.setdefault(kind, threading.Lock()):  # PyTorch's takes seconds, for which NumPy's need not wait
        known = _zygotes.get(kind)
        if known is not None and not known.alive:
            known.close()
            known = None
        if known is None:
            known = _zygotes[kind] = Zygote(tuple(packages), device=device)
        return known


def _demand(device: Device, packages: Sequence[str]) -> None:
    """Raise `CannotStart`, and say why, where there is no such device for a submission."""
    if sys.platform != "linux":
        raise CannotStart("a submission is kept apart from a GPU's other users under Linux only; grade on the CPU")
    if "torch" not in packages:
        raise CannotStart("only PyTorch can use a GPU here, and it is not among the packages that are allowed")
    if not device_files():
        raise CannotStart(
            "there is no GPU: /dev has no file nvidia0, nvidia1 …; grade on the CPU, or, in a container, give it the "
            "GPUs of its host (docker run --gpus all)"
        )


def start(packages: Sequence[str], limits: Limits, device: Device = "") -> Child:
    """Return a new child, as confined as this machine allows; raise `CannotStart` where there is none to be had.

    With a device ("cuda") the child may use it, and is confined less: see `WITHOUT_BOUNDS`.
    """
    if device:
        _demand(device, packages)
    if os.name != "posix":
        raise CannotStart("grading in a process apart needs Linux or macOS; gradproof.check works everywhere")
    if sys.platform != "linux":
        return Interpreter(packages, limits)
    zygote = _zygote(packages, device)
    try:
        return Forked(zygote, limits)
    except CannotStart:
        if zygote.alive:
            raise
        return Forked(_zygote(packages, device), limits)  # it had just died, which is not this submission's doing


def isolation(packages: Sequence[str] = ("numpy",), device: Device = "") -> Isolation:
    """Return how far this machine can keep a submission from everything else."""
    if device:
        _demand(device, packages)
    if sys.platform != "linux":
        missing = {layer: "needs Linux" for layer in LAYERS if layer != "limits"}
        return Isolation("basic", ("limits",), missing, not_around="needs Linux")
    return _zygote(packages, device).isolation


def close_all() -> None:
    """End every zygote: what a run does at its end, and a test that wants a fresh one."""
    while _zygotes:
        _zygotes.popitem()[1].close()


if hasattr(os, "register_at_fork"):  # a copy of the grader must not talk on its sockets
    os.register_at_fork(after_in_child=_zygotes.clear)

__all__ = ["CannotStart", "Child", "Isolation", "close_all", "isolation", "start"]
