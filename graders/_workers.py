"""Submissions graded by several processes at once: each is sent one, answers with its report, and is sent the next.

Most of the work is Python's, of which one process does no two things at a time. A worker is started afresh, as a
script of ours, not forked: who calls the grader may have threads. What a worker says is data, decoded by its type.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

import msgspec

from graders.harness.report import SubmissionReport
from graders.harness.sandbox.parent import CannotStart, Submission
from graders.harness.sandbox.processes import Isolation

ATTEMPTS = 3  # workers that a submission may bring down before it is said to have done so
ENDING = 3.0  # seconds in which workers that are told to end have ended the submissions that they were at
DOOR = str(Path(__file__).resolve().parents[1] / "gradproof.py")


class Grader(Protocol):
    """Grades one submission after the other."""

    used: list[Isolation]
    """What stood between them and everything else."""

    def start(self) -> None:
        """Make sure that submissions can be run; raise `CannotStart`."""
        ...

    def __call__(self, submission: Submission) -> SubmissionReport:
        """Return the report on a submission."""
        ...

    def lost(self, submission: Submission, why: str) -> SubmissionReport:
        """Return the report on a submission that nobody could grade."""
        ...


class Ready(msgspec.Struct, frozen=True, tag=True):
    """A worker can grade, or why it cannot."""

    trouble: str


class Graded(msgspec.Struct, frozen=True, tag=True):
    """A worker has graded, in such isolation."""

    report: SubmissionReport
    used: list[Isolation]


# ---------------------------------------------------------------- in a worker


def serve(descriptor: int, make: Callable[[Any], Grader]) -> None:
    """Grade what comes on this channel, with a grader made of what comes first, until the channel closes."""
    signal.signal(signal.SIGTERM, _interrupted)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a worker does not outlive whoever started it
    with contextlib.suppress(EOFError, ConnectionError, KeyboardInterrupt), Connection(descriptor) as channel:
        grader = make(pickle.loads(channel.recv_bytes()))  # noqa: S301 - from the grader, which started this process
        trouble = ""
        try:
            grader.start()
        except CannotStart as error:
            trouble = str(error)
        channel.send_bytes(msgspec.msgpack.encode(Ready(trouble)))
        while True:
            submission = pickle.loads(channel.recv_bytes())  # noqa: S301 - the same
            report = grader(submission)
            channel.send_bytes(msgspec.msgpack.encode(Graded(report, grader.used)))
            grader.used.clear()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending as it is


def _interrupted(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


# ---------------------------------------------------------------- in the process that wants reports


class Worker:
    """A process that grades, and what it is at."""

    def __init__(self, command: str, options: Any) -> None:
        """Start it; `command` is what makes its grader of the options, as Python text."""
        self.at: int | None = None
        """The number of the submission that it is at."""
        self.ready = False
        self.channel, theirs = Pipe()
        text = (
            f"import sys, importlib.util as u; sys.path[:] = {[path or os.getcwd() for path in sys.path]!r}; "
            f"s = u.spec_from_file_location('gradproof', {DOOR!r}); s.loader.exec_module(u.module_from_spec(s)); "
            f"from graders import _api, _workers; _workers.serve({theirs.fileno()}, {command})"
        )
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", text], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()], start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                self.channel.close()
                raise CannotStart(f"no process could be started: {error}") from error
        self.send(options)

    def send(self, value: Any) -> None:
        """Send options or a submission; that nobody is there to read it shows when the answer is read."""
        with contextlib.suppress(ConnectionError):
            self.channel.send_bytes(pickle.dumps(value))

    def answer(self) -> Ready | Graded | None:
        """Return what it has said, or None if it has ended, or makes no sense."""
        try:
            said: Ready | Graded = msgspec.msgpack.decode(self.channel.recv_bytes(), type=Ready | Graded)
        except (EOFError, OSError, msgspec.MsgspecError):
            return None
        self.ready = True
        return said

    def end(self) -> None:
        """Tell it to end, now if it is at a submission."""
        self.channel.close()
        if self.at is not None:
            self._process.terminate()

    def ended(self, until: float) -> int:
        """Return its exit status (negative: the signal that ended it), at the latest by then."""
        try:
            return self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def graded(
    grader: Grader,
    command: str,
    options: Any,
    submissions: Sequence[Submission],
    jobs: int,
    progress: Callable[[SubmissionReport], None],
) -> list[SubmissionReport]:
    """Return the reports on submissions, in their order, from so many workers that each make a grader of the options.

    A submission whose worker dies is graded by another one. If three die of it, one after the other, though each has
    been seen to work, `grader` says what it earns. Raises `CannotStart` where workers cannot work.
    """
    waiting = collections.deque(range(len(submissions)))
    deaths: collections.Counter[int] = collections.Counter()
    reports: dict[int, SubmissionReport] = {}
    workers: list[Worker] = []

    def done(at: int, report: SubmissionReport) -> None:
        reports[at] = report
        progress(report)

    try:
        workers = [Worker(command, options) for _ in range(min(jobs, len(submissions)))]
        while len(reports) < len(submissions):
            busy = {worker.channel: worker for worker in workers}
            for channel in wait(list(busy)):
                worker = busy[cast(Connection, channel)]
                said, at = worker.answer(), worker.at
                if isinstance(said, Ready) and said.trouble:
                    raise CannotStart(said.trouble)
                if isinstance(said, Graded) and at is not None:
                    grader.used += said.used
                    done(at, said.report)
                if said is None:
                    workers.remove(worker)
                    worker.end()
                    status = worker.ended(time.monotonic() + ENDING)
                    if not worker.ready:
                        raise CannotStart(f"a process that was to grade ended before it could (exit status {status})")
                    if at is not None:
                        deaths[at] += 1
                        if deaths[at] < ATTEMPTS:
                            waiting.appendleft(at)
                        else:
                            done(at, grader.lost(submissions[at], f"{ATTEMPTS} processes that were to grade it died"))
                    workers += [Worker(command, options)] if waiting else []
                    continue
                worker.at = waiting.popleft() if waiting else None
                if worker.at is not None:
                    worker.send(submissions[worker.at])
        return [reports[at] for at in range(len(submissions))]
    finally:
        for worker in workers:
            worker.end()
        until = time.monotonic() + ENDING
        for worker in workers:
            worker.ended(until)
