"""The grader's side of the boundary: starts a child, sends calls, reads replies, keeps the clock.

The child is a fresh interpreter that sees the standard library, the allowed packages and two runtime files. What it
sends is data from a stranger: decoded by the codec, checked by the contract, never executed.
"""

from __future__ import annotations

import secrets
import select
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from graders.harness.sandbox import contract, processes
from graders.harness.sandbox.codec import HEADER, Malformed, decode, frame
from graders.harness.sandbox.contract import Call, Killed, Limits, Loaded, Outcome, Raised, TimedOut
from graders.harness.sandbox.processes import CannotStart
from graders.harness.sandbox.visible import is_installed

TOGETHER = 0.0005
WAIT = 0.05  # seconds after which the clocks are looked at again
MAX_REPLY = 1 << 20  # a right answer takes a few thousand bytes


@dataclass(frozen=True)
class Submission:
    """What is graded: texts by relative path, and how to load them (see `child.load`)."""

    id: str
    path: str
    kind: str
    name: str
    files: Mapping[str, str] = field(repr=False)
    absent: tuple[str, ...] = ()
    """Packages it asks for that are not to be had: they are imported as empty shells."""


def _cpu_seconds(pid: int) -> float | None:
    """Return the CPU time of another process, read from outside: it cannot be forged, and a busy machine adds none."""
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None


_open: set[ProcessBox] = set()
_stopping = threading.Event()


def stop() -> None:
    """End every submission at once, and start no other until `resume`: what Ctrl-C does to a run of several threads."""
    _stopping.set()
    for box in list(_open):
        box.kill()


def resume() -> None:
    """Let submissions be started again."""
    _stopping.clear()


class ProcessBox:
    """A submission in a child process of its own."""

    def __init__(self, submission: Submission, packages: Sequence[str], limits: Limits) -> None:
        if _stopping.is_set():
            raise CannotStart("the run was interrupted")
        self._limits = limits
        self._nonce = secrets.randbits(62)
        self._text = "\n".join(submission.files.values())
        self.spent = 0.0
        self._waiting, self._at = b"", 0  # what has come, and how far it is read
        self._dead: Killed | TimedOut | None = None
        self._closed = False
        self._printed = b""
        self._child = processes.start(packages, limits)
        self._channel = self._child.channel
        self._channel.setblocking(False)
        _open.add(self)
        self.loaded = self._load(submission)

    def _load(self, submission: Submission) -> Loaded | Raised | TimedOut | Killed:
        request = {
            "do": "load",
            "name": submission.name,
            "kind": submission.kind,
            "files": dict(submission.files),
            "absent": list(submission.absent),
        }
        try:
            answer = self._exchange(frame(self._nonce, request), 1, self._limits.load_seconds)[0]
        except Malformed as error:
            return Raised("unreadable", f"the submission is too large: {error}")
        made = answer if isinstance(answer, (TimedOut, Killed)) else contract.loaded(answer)
        if isinstance(made, Loaded):
            made = replace(made, imports=tuple(name for name in made.imports if name in self._text))
            made = replace(made, notes=made.notes + tuple(_without(submission, name) for name in submission.absent))
        return made

    def call(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make the calls in order; one outcome each (see the contract)."""
        if not calls:
            return []
        request = frame(self._nonce, {"do": "call", "calls": [call.encoded for call in calls]})
        answers = self._exchange(request, len(calls), self._limits.call_seconds)
        return [
            a if isinstance(a, (TimedOut, Killed)) else self._believed(contract.outcome(a, call))
            for a, call in zip(answers, calls, strict=False)
        ]

    def _believed(self, outcome: Outcome) -> Outcome:
        """Return an outcome without what the submission's own text does not bear out: a package that it never names."""
        if isinstance(outcome, Raised) and outcome.missing and outcome.missing.partition(".")[0] not in self._text:
            return replace(outcome, missing=None)
        return outcome

    def _exchange(self, request: bytes, count: int, seconds: float) -> list[Any]:
        """Send a request and return `count` answers, the last of which may be how it ended early."""
        answers: list[Any] = []
        while len(answers) < count and self._dead is None:
            answer = self._answer(request, self._nonce + len(answers), seconds)
            request = b""
            answers.append(answer)
            if isinstance(answer, (TimedOut, Killed)):
                self._dead = answer
                self.close()
        if not answers and self._dead:
            answers.append(self._dead)
        self._nonce = secrets.randbits(62)
        return answers

    def _answer(self, request: bytes, sequence: int, seconds: float) -> Any:
        """Return the next answer, or TimedOut or Killed; send what is left of the request meanwhile."""
        if self.spent >= self._limits.total_seconds:
            return TimedOut(self._limits.total_seconds, "for the whole submission")
        unsent = memoryview(request)
        began, cpu_began = time.monotonic(), _cpu_seconds(self._child.pid)
        while True:
            answer = self._next_frame(sequence)
            now, cpu = time.monotonic() - began, _cpu_seconds(self._child.pid)
            used = now if cpu is None or cpu_began is None else cpu - cpu_began
            if answer is not None:
                self.spent += max(used, now / self._limits.wall_factor)  # to sleep costs too, in the end
                return answer
            if used > seconds or now > seconds * self._limits.wall_factor:
                self.spent += max(used, seconds)
                clock = "of CPU time" if used > seconds else "of wall-clock time"
                return TimedOut(seconds if used > seconds else seconds * self._limits.wall_factor, clock)
            if unsent:
                try:
                    unsent = unsent[self._channel.send(unsent) :]
                except BlockingIOError:
                    pass
                except OSError:  # the other end is closed
                    return self._death()
            if not self._receive(sending=bool(unsent)):
                return self._death()

    def _receive(self, sending: bool) -> bool:
        """Take what the child has sent, or find out that it can be sent more; False once its replies have ended."""
        if not select.select([self._channel], [self._channel] if sending else [], [], WAIT)[0]:
            return True
        time.sleep(TOGETHER)  # quick calls reply one by one: to read some at once costs fewer awakenings
        try:
            data = self._channel.recv(1 << 18)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._waiting += data
        return bool(data)

    def _next_frame(self, sequence: int) -> Any:
        at, end = self._at, len(self._waiting)
        if end - at < HEADER.size:
            self._waiting, self._at = self._waiting[at:], 0
            return None
        number, length = HEADER.unpack_from(self._waiting, at)
        if number != sequence:
            return Killed("it broke the protocol: a reply that nobody asked for")
        if length > MAX_REPLY:
            return Killed(f"it returned {length:,} bytes from one call, at most {MAX_REPLY:,} are read")
        if end - at < HEADER.size + length:
            return None
        self._at = at + HEADER.size + length
        try:
            return decode(self._waiting[at + HEADER.size : self._at])
        except (Malformed, RecursionError) as error:
            return Killed(f"it broke the protocol: {error}")

    def _death(self) -> Killed:
        status = self._child.status()
        if status is None:
            return Killed("it closed the channel to the grader")
        if status == -signal.SIGSYS:
            return Killed("it made a forbidden system call")
        if status < 0:
            known = [s.name for s in signal.Signals if s == -status]
            return Killed(f"the process died of {known[0] if known else f'signal {-status}'}")
        return Killed(f"the process ended itself (exit status {status})")

    @property
    def printed(self) -> bytes:
        """Return what the submission has printed, as far as it is kept."""
        return self._printed if self._closed else self._child.printed(self._limits.printed)

    def kill(self) -> None:
        """End the child; from another thread, too."""
        self._child.kill()

    def close(self) -> None:
        """End the child, and leave nothing of it."""
        _open.discard(self)
        if not self._closed:
            self._closed = True
            self._child.kill()
            self._child.status()
            self._printed = self._child.printed(self._limits.printed)
            self._child.close()

    def __enter__(self) -> ProcessBox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _without(submission: Submission, package: str) -> str:
    """Say that a package is not there, and what to do if it is a file beside the submission."""
    root = package.partition(".")[0]
    beside = Path(submission.path).parent
    package = package[:80]
    if len(root) < 80 and root.isidentifier() and ((beside / f"{root}.py").exists() or (beside / root).is_dir()):
        return f"imports {root!r}, which lies beside it; to have it seen, make the folder a package (add __init__.py)"
    return f"imports {package!r}, which is not allowed or not installed: what needs it cannot be judged"


CANARY = Submission("canary", "canary.py", "file", "canary.py", {"canary.py": "def alive(x):\n    return x\n"})


def open(submission: Submission, packages: Sequence[str] = ("numpy",), limits: Limits = Limits()) -> ProcessBox:  # noqa: A001, B008
    """Return the submission behind the boundary; raise `CannotStart` if not even a harmless one can be opened."""
    box = ProcessBox(submission, packages, limits)
    for _ in range(2):  # its own crash comes again; that of the zygote, say, does not
        if isinstance(box.loaded, Killed):
            box = ProcessBox(submission, packages, limits)
    if isinstance(box.loaded, (Killed, TimedOut)) and submission is not CANARY:
        with open(CANARY, packages, limits) as canary:
            if not isinstance(canary.loaded, Loaded):
                raise CannotStart(f"not even an empty submission could be loaded: {canary.loaded}")
    return box


__all__ = ["CANARY", "CannotStart", "ProcessBox", "Submission", "is_installed", "open", "resume", "stop"]
