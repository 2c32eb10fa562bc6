"""How a child is started: forked from a warm zygote and confined; where that cannot be, an interpreter of its own."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from graders.harness.sandbox.contract import Limits
from graders.harness.sandbox.visible import preloaded, program, readable, visible

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ENVIRONMENT = ONE_THREAD | {"PATH": "/nonexistent", "HOME": "/nonexistent"}
ENDING = 0.5  # seconds in which a child that has closed its channel must have ended
STARTING = 60.0  # seconds in which a zygote must have imported all it needs
# as in `confine`, which only Linux can import; a test holds them alike
LAYERS = ("no_new_privs", "landlock", "limits", "capabilities", "seccomp")
Tier = Literal["full", "reduced", "basic"]


class CannotStart(RuntimeError):
    """The sandbox itself does not work on this machine: nothing was judged."""


@dataclass(frozen=True)
class Isolation:
    """How far a submission is kept from all else: *full*, *reduced* by a layer, or *basic*, a process with limits."""

    tier: Tier
    layers: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    """Why a layer is not there, in the kernel's words."""


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


class Zygote:
    """A warm interpreter that forks confined children (see `zygote`, which it runs)."""

    def __init__(self, packages: Sequence[str], without: Sequence[str] = ()) -> None:
        """Start one; `without` names layers to leave out, as if the kernel had refused them: to see what they do."""
        self._lock = threading.Lock()
        setup = {
            "readable": readable(packages), "preload": preloaded(packages), "secret": os.path.abspath(__file__),
            "without": list(without), "grader": os.getpid(), "folder": visible(packages),
        }  # fmt: skip
        try:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            written = _sink()
        except OSError as error:
            raise CannotStart(f"no process could be started: {error}") from error
        os.write(written, json.dumps(setup).encode())
        os.lseek(written, 0, os.SEEK_SET)
        self._control.settimeout(STARTING)
        try:
            self._process = subprocess.Popen(
                program(packages, "zygote", theirs.fileno()),
                stdin=written,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=ENVIRONMENT,
                cwd=os.path.join(visible(packages), "empty"),
                start_new_session=True,
            )
        except OSError as error:
            self._control.close()
            raise CannotStart(f"no process could be started: {error}") from error
        finally:
            theirs.close()
            os.close(written)
        try:
            said = json.loads(self._control.recv(1 << 16) or b"{}")
        except (OSError, ValueError) as error:
            self.close()
            raise CannotStart(f"the zygote did not start: {error}") from error
        if not {"layers", "refused", "leaks"} <= set(said):
            self.close()
            raise CannotStart("the zygote did not start: it ended before it was ready")
        if said["leaks"]:
            self.close()
            raise CannotStart(f"the sandbox's self-test failed, nothing is graded: it could {', '.join(said['leaks'])}")
        layers, missing = tuple(said["layers"]), dict(said["refused"])
        self.isolation = Isolation("full" if set(layers) == set(LAYERS) else "reduced", layers, missing)

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
        return said["pid"], descriptors[0]

    def status(self, pid: int) -> int | None:
        """Return the exit status of a child, which is then forgotten; None while it lives, or the zygote is gone."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            status: int | None = self._ask({"do": "status", "pid": pid})["status"]
            return status
        return None

    @property
    def alive(self) -> bool:
        """Whether children can be forked."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the zygote; the kernel ends its children."""
        self._control.close()
        self._process.kill()
        self._process.wait()


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
            self._ended = self._zygote.status(self.pid)
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


_zygotes: dict[tuple[str, ...], Zygote] = {}
_starting: dict[tuple[str, ...], threading.Lock] = {}


def _zygote(packages: tuple[str, ...]) -> Zygote:
    """Return the living zygote for these packages, started if there is none."""
    with _starting.setdefault(packages, threading.Lock()):  # PyTorch's takes seconds, for which NumPy's need not wait
        known = _zygotes.get(packages)
        if known is not None and not known.alive:
            known.close()
            known = None
        if known is None:
            known = _zygotes[packages] = Zygote(packages)
        return known


def start(packages: Sequence[str], limits: Limits) -> Child:
    """Return a new child, as confined as this machine allows; raise `CannotStart` where there is none to be had."""
    if os.name != "posix":
        raise CannotStart("grading in a process apart needs Linux or macOS; gradproof.check works everywhere")
    if sys.platform != "linux":
        return Interpreter(packages, limits)
    zygote = _zygote(tuple(packages))
    try:
        return Forked(zygote, limits)
    except CannotStart:
        if zygote.alive:
            raise
        return Forked(_zygote(tuple(packages)), limits)  # it had just died, which is not this submission's doing


def isolation(packages: Sequence[str] = ("numpy",)) -> Isolation:
    """Return how far this machine can keep a submission from everything else."""
    if sys.platform != "linux":
        return Isolation("basic", ("limits",), {layer: "needs Linux" for layer in LAYERS if layer != "limits"})
    return _zygote(tuple(packages)).isolation


def close_all() -> None:
    """End every zygote: what a run does at its end, and a test that wants a fresh one."""
    while _zygotes:
        _zygotes.popitem()[1].close()


if hasattr(os, "register_at_fork"):  # a copy of the grader must not talk on its sockets
    os.register_at_fork(after_in_child=_zygotes.clear)

__all__ = ["CannotStart", "Child", "Isolation", "close_all", "isolation", "start"]
