"""The grader's side of the boundary: starts a child, sends calls, reads replies, keeps the clock.

The child sees the standard library, the allowed packages and a few runtime files. What it sends is data from a
stranger: copied out of its reach, decoded by the codec, checked by the contract, never executed.
"""

from __future__ import annotations

import os
import secrets
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from graders.harness.sandbox import contract, processes
from graders.harness.sandbox.arena import Arena
from graders.harness.sandbox.codec import MAX_ITEMS, REPLY, REQUEST, SHORT, Malformed, aligned, decode_some, encode
from graders.harness.sandbox.contract import Call, Killed, Limits, Loaded, Outcome, Raised, Returned, TimedOut
from graders.harness.sandbox.processes import CannotStart
from graders.harness.sandbox.visible import is_installed

TOGETHER = 0.0002  # seconds
WAIT = 0.05  # seconds after which the clocks are looked at again
MOST_AHEAD = 1 << 26  # bytes of an arena that waits for requests to come
ITEMS = 1000  # values in the answer to a call, on the average: an array is one
MOST_THREADS = 256
SYSTEM = Path("/proc/stat")
STOLEN = 8  # where its first line says for how many ticks of the clock the cores were another machine's
LISTING = 1 << 20  # bytes of the answer to loading; that of most submissions takes a few thousand


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


def _threads(pid: int) -> int:
    """Return how many threads another process has, as far as that can be known."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[17])
    except (OSError, ValueError, IndexError):
        return 0


def stolen_seconds() -> float:
    """Return how long this machine's cores had work and were another machine's, all together, as far as it is told.

    A virtual machine stands still meanwhile, now and then for a quarter of a second; a core that sleeps has no work.
    """
    try:
        return int(SYSTEM.read_bytes().split()[STOLEN]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


class ProcessBox:
    """A submission in a child process of its own."""

    def __init__(
        self,
        submission: Submission,
        packages: Sequence[str],
        limits: Limits,
        device: processes.Device = "",
        child: processes.Child | None = None,
    ) -> None:
        self._limits = limits
        self._nonce = secrets.randbits(62)
        self._text = "\n".join(submission.files.values())
        self.spent = 0.0
        self._waiting, self._read = b"", 0  # what has come, and how far it is read
        self._dead: Killed | TimedOut | None = None
        self._closed = False
        self._printed = b""
        self._child = child or (
            processes.start(packages, limits, device) if device else processes.start(packages, limits)
        )
        self._channel = self._child.channel
        self._channel.setblocking(False)
        self._arena: Arena | None = None
        self._at = 0  # where the last request lies in it
        self._items = 0  # how many values the answers to the last request may still hold
        self._counted = 0.0  # when its threads were counted last
        self._stolen = stolen_seconds()
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
            answer = self._exchange(encode(request), 1, self._limits.load_seconds, LISTING)[0]
        except Malformed as error:
            return Raised("unreadable", f"the submission is too large: {error}")
        made = answer if isinstance(answer, (TimedOut, Killed)) else contract.loaded(answer)
        if isinstance(made, Killed):
            self._end(made)
        if isinstance(made, Loaded):
            made = replace(made, imports=tuple(name for name in made.imports if name in self._text))
            made = replace(made, notes=made.notes + tuple(_without(submission, name) for name in submission.absent))
        return made

    def call(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make the calls in order; one outcome each (see the contract)."""
        if not calls:
            return []
        body = encode({"do": "call", "calls": [call.encoded for call in calls]})
        seconds = max(call.seconds or self._limits.call_seconds for call in calls)
        answers = self._exchange(body, len(calls), seconds, max(call.largest for call in calls))
        outcomes: list[Outcome] = []
        for answer, call in zip(answers, calls, strict=False):
            given = isinstance(answer, (TimedOut, Killed))
            outcomes.append(answer if given else self._believed(contract.outcome(answer, call)))
            if isinstance(outcomes[-1], Killed):
                self._end(outcomes[-1])
                break
        return self._with_what_was_written(body, calls, outcomes)

    def _end(self, how: TimedOut | Killed) -> None:
        """End the submission for this reason, the first of several."""
        self._dead = self._dead or how
        self.close()

    def _with_what_was_written(self, body: bytes, calls: Sequence[Call], outcomes: list[Outcome]) -> list[Outcome]:
        """Return the outcomes with the arguments that the submission wrote to, seen by the grader's own copy."""
        now = self._arena.copy(self._at, len(body)) if self._arena is not None and self._dead is None else body
        if now == body:
            return outcomes
        made: list[Outcome] = []
        end = len(encode({"do": "call", "calls": []}))
        for call, outcome in zip(calls, outcomes, strict=True):
            start = aligned(end + 1)
            end = start + len(call.encoded.data)
            try:
                written = contract.written(body[start:end], now[start:end])
            except Malformed:
                killed = Killed("it broke the protocol: it wrote over what it was asked")
                self._end(killed)
                return [killed]
            made.append(replace(outcome, mutated=written) if isinstance(outcome, Returned) else outcome)
        return made

    def _believed(self, outcome: Outcome) -> Outcome:
        """Return an outcome without what the submission's own text does not bear out: a package that it never names."""
        if isinstance(outcome, Raised) and outcome.missing and outcome.missing.partition(".")[0] not in self._text:
            return replace(outcome, missing=None)
        return outcome

    def _exchange(self, body: bytes, count: int, seconds: float, room: int) -> list[Any]:
        """Send a request and return `count` answers, the last of which may be how it ended early."""
        answers: list[Any] = []
        before = self.spent
        began = self._clocks()
        self._items = MAX_ITEMS + count * ITEMS
        if self._dead is None and not self._sent(body, room):
            self._end(self._death())
        while len(answers) < count and self._dead is None:
            answer = self._next_reply(self._nonce + len(answers), room)
            if answer is None:  # not here yet
                answer = self._awaited(self._nonce + len(answers), seconds, room)
                self.spent = before + self._charge(began)
            answers.append(answer)
            if isinstance(answer, (TimedOut, Killed)):
                self._end(answer)
        if self._dead is None:
            self.spent = before + self._charge(began)
        if not answers and self._dead:
            answers.append(self._dead)
        self._nonce = secrets.randbits(62)
        return answers

    def _sent(self, body: bytes, room: int) -> bool:
        """Send a request, in an arena that takes it; False if nobody is there to read it."""
        descriptors = []
        if self._arena is None or not self._arena.takes(room, len(body)):
            size = 0
            if self._arena is not None:
                size = min(2 * self._arena.size, MOST_AHEAD)
                self._arena.close()
            self._arena = Arena(room, max(size, len(body)))
            descriptors = [self._arena.descriptor]
        self._at = self._arena.put(body)
        header = REQUEST.pack(self._nonce, self._at, len(body), room)
        try:
            return socket.send_fds(self._channel, [header], descriptors) == len(header)
        except OSError:  # the other end is closed, or was never read
            return False

    def _clocks(self) -> tuple[float, float | None]:
        return time.monotonic(), _cpu_seconds(self._child.pid)

    def _since(self, began: tuple[float, float | None]) -> tuple[float, float]:
        """Return the seconds of the child's CPU clock since then, or of the wall clock where it has none, and these."""
        (wall_began, cpu_began), (wall, cpu) = began, self._clocks()
        return (wall - wall_began if cpu is None or cpu_began is None else cpu - cpu_began), wall - wall_began

    def _charge(self, began: tuple[float, float | None]) -> float:
        """Return what the time since then costs: to sleep, or to keep the grader busy, costs too, in the end."""
        used, wall = self._since(began)
        return max(used, wall / self._limits.wall_factor)

    def _awaited(self, sequence: int, seconds: float, room: int) -> Any:
        """Return the next answer when it comes, or TimedOut or Killed."""
        if self.spent >= self._limits.total_seconds:
            return TimedOut(self._limits.total_seconds, contract.WHOLE)
        began, longest = self._clocks(), seconds * self._limits.wall_factor
        while self._receive():
            answer = self._next_reply(sequence, room)
            if answer is not None:
                return answer
            used, wall = self._since(began)
            if self._has_too_many_threads():
                return Killed(f"it started more than {MOST_THREADS} threads")
            if used > seconds:
                return TimedOut(seconds, "of CPU time")
            if wall > longest and wall - self._stood_still() > longest:
                return TimedOut(longest, "of wall-clock time")
        return self._death()

    def _stood_still(self) -> float:
        """Return the seconds of the wall clock, since the child was started, that another machine had its core."""
        return (stolen_seconds() - self._stolen) / (os.cpu_count() or 1)

    def _has_too_many_threads(self) -> bool:
        """Return whether so many threads run that others may get none; looked at now and then."""
        now = time.monotonic()
        if now - self._counted < WAIT:
            return False
        self._counted = now
        return _threads(self._child.pid) > MOST_THREADS

    def _receive(self) -> bool:
        """Take what the child has sent, or wait a while for it; False once its replies have ended."""
        try:
            data = self._channel.recv(1 << 18)
        except BlockingIOError:
            if select.select([self._channel], [], [], WAIT)[0]:
                time.sleep(TOGETHER)  # quick calls reply one by one: to read some at once costs fewer awakenings
            return True
        except OSError:
            return False
        self._waiting = self._waiting[self._read :] + data
        self._read = 0
        return bool(data)

    def _next_reply(self, sequence: int, room: int) -> Any:
        """Return the answer with this number, if it is here; Killed if something else is."""
        at, end = self._read, len(self._waiting)
        if end - at < REPLY.size:
            return None
        number, length = REPLY.unpack_from(self._waiting, at)
        at += REPLY.size
        if number != sequence:
            return Killed("it broke the protocol: a reply that nobody asked for")
        if length > room:
            return Killed(f"it broke the protocol: a reply of {length:,} bytes, at most {room:,} are read")
        if length <= SHORT and end - at < length:
            return None
        try:
            if length <= SHORT:
                self._read = at + length
                body = self._waiting[at : at + length]
            else:
                self._read = at
                assert self._arena is not None
                body = self._arena.copy(0, length)
                self._channel.send(b"\0")  # the next answer may take its place
            allowed = min(self._items, MAX_ITEMS)
            answer, left = decode_some(body, allowed)
            self._items -= allowed - left
            return answer
        except (Malformed, RecursionError) as error:
            return Killed(f"it broke the protocol: {error}")
        except OSError:
            return self._death()

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
    def process(self) -> int:
        """Return the number of the child's process."""
        return self._child.pid

    def cpu_seconds(self) -> float:
        """Return the CPU time that the child has used, all its threads together; the wall clock's where it has none."""
        return _cpu_seconds(self._child.pid) or time.monotonic()

    @property
    def printed(self) -> bytes:
        """Return what the submission has printed, as far as it is kept."""
        return self._printed if self._closed else self._child.printed(self._limits.printed)

    def close(self) -> None:
        """End the child, and leave nothing of it."""
        if not self._closed:
            self._closed = True
            self._child.kill()
            self._child.status()
            self._printed = self._child.printed(self._limits.printed)
            self._child.close()
            if self._arena is not None:
                self._arena.close()
                self._arena = None

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
        return f"imports {root!r}, which lies beside it; to have it seen, say that the folder is one (--folders)"
    return f"imports {package!r}, which is not allowed or not installed: what needs it cannot be judged"


CANARY = Submission("canary", "canary.py", "file", "canary.py", {"canary.py": "def alive(x):\n    return x\n"})


def open(  # noqa: A001  (as a file is opened: to be closed)
    submission: Submission,
    packages: Sequence[str] = ("numpy",),
    limits: Limits = Limits(),  # noqa: B008  (it is frozen)
    device: processes.Device = "",
) -> ProcessBox:
    """Return the submission behind the boundary; raise `CannotStart` if not even a harmless one can be opened."""
    box = ProcessBox(submission, packages, limits, device)
    for _ in range(2):  # its own crash comes again; that of the zygote, say, does not
        if isinstance(box.loaded, Killed):
            box.close()
            again = ProcessBox(submission, packages, limits, device)
            again.spent += box.spent
            box = again
    if isinstance(box.loaded, (Killed, TimedOut)) and submission is not CANARY:
        box.close()
        whole = replace(limits, total_seconds=Limits().total_seconds)  # of which the submission has none left, perhaps
        with open(CANARY, packages, whole, device) as canary:
            if not isinstance(canary.loaded, Loaded):
                raise CannotStart(f"not even an empty submission could be loaded: {canary.loaded}")
    return box


__all__ = ["CANARY", "CannotStart", "ProcessBox", "Submission", "is_installed", "open"]
