"""The grader's side of the boundary: starts a child, sends calls, reads replies, keeps the clock.

The child is a fresh interpreter that sees the standard library, the allowed packages and two runtime files. What it
sends is data from a stranger: decoded by the codec, checked by the contract, never executed.
"""

from __future__ import annotations

import compileall
import contextlib
import functools
import importlib.metadata
import os
import re
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from graders.harness.sandbox import contract
from graders.harness.sandbox.codec import HEADER, Malformed, decode, frame
from graders.harness.sandbox.contract import Call, Killed, Limits, Loaded, Outcome, Raised, TimedOut

RUNTIME = ("codec.py", "child.py")
TOGETHER = 0.0005
MAX_REPLY = 1 << 20  # a right answer takes a few thousand bytes
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class CannotStart(RuntimeError):
    """The sandbox itself does not work on this machine: nothing was judged."""


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


def _top_levels(distribution: importlib.metadata.Distribution) -> Iterator[Path]:
    """Yield the files and folders that a distribution puts directly into site-packages."""
    names = {path.parts[0] for path in distribution.files or () if path.parts and path.parts[0] != ".."}
    for name in names - {"__pycache__"}:
        yield Path(str(distribution.locate_file(name)))


def _with_requirements(packages: Sequence[str]) -> list[importlib.metadata.Distribution]:
    """Return the distributions of these packages and of all they need, as far as they are installed."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = list(packages)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for requirement in found[name].requires or ():
            if "extra ==" not in requirement:
                waiting += re.findall(r"^[A-Za-z0-9._-]+", requirement)
    return list(found.values())


_preparing = threading.Lock()


def visible(packages: Sequence[str]) -> str:
    """Return a folder that holds the runtime files and links to the packages, and nothing else to import."""
    with _preparing:  # two threads that made it at once would each throw the other's away
        return _prepared(tuple(packages)).name


@functools.lru_cache(maxsize=8)
def _prepared(packages: tuple[str, ...]) -> tempfile.TemporaryDirectory[str]:
    """Make that folder; it goes when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="gradproof-")
    runtime = Path(folder.name, "runtime", "gradproof_child")
    runtime.mkdir(parents=True)
    (runtime / "__init__.py").touch()
    for name in RUNTIME:
        shutil.copy(Path(__file__).with_name(name), runtime / name)
    compileall.compile_dir(runtime, quiet=2)  # once, not by every child
    links = Path(folder.name, "packages")
    links.mkdir()
    for distribution in _with_requirements(packages):
        for target in _top_levels(distribution):
            link = links / target.name
            if target.exists() and not link.exists():
                link.symlink_to(target)
    return folder


def is_installed(package: str) -> bool:
    """Return whether a package could be made visible to a submission."""
    return bool(_with_requirements([package]))


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
        if os.name != "posix":
            raise CannotStart("grading in a process apart needs Linux or macOS; gradproof.check works everywhere")
        self._limits = limits
        self._nonce = secrets.randbits(62)
        if _stopping.is_set():
            raise CannotStart("the run was interrupted")
        self._text = "\n".join(submission.files.values())
        self._place = tempfile.TemporaryDirectory(prefix="gradproof-")
        self.spent = 0.0
        self._waiting = bytearray()
        self._dead: Killed | TimedOut | None = None
        self.printed = bytearray()
        folder = visible(packages)
        program = (
            f"import sys; sys.path[:0] = [{folder + '/runtime'!r}, {folder + '/packages'!r}]; "
            f"from gradproof_child.child import main; main({os.getpid()})"
        )
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=ONE_THREAD | {"PATH": "/nonexistent", "HOME": "/nonexistent"},
                cwd=self._place.name,
                start_new_session=True,  # Ctrl-C is the grader's; it ends the child itself
            )
        except OSError as error:
            self._place.cleanup()
            raise CannotStart(f"no process could be started: {error}") from error
        _open.add(self)
        self._selector = selectors.DefaultSelector()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ)
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        self.loaded = self._load(submission)

    def _load(self, submission: Submission) -> Loaded | Raised | TimedOut | Killed:
        request = {
            "do": "load",
            "name": submission.name,
            "kind": submission.kind,
            "files": dict(submission.files),
            "memory": self._limits.memory,
            "absent": list(submission.absent),
        }
        try:
            answer = self._exchange(frame(self._nonce, request), 1, self._limits.load_seconds)[0]
        except Malformed as error:
            return Raised("unreadable", f"the submission is too large: {error}")
        made = answer if isinstance(answer, (TimedOut, Killed)) else contract.loaded(answer)
        if isinstance(made, Loaded):
            made = replace(made, notes=made.notes + tuple(_without(submission, name) for name in submission.absent))
        return made

    def call(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make the calls in order; one outcome each (see the contract)."""
        if not calls:
            return []
        request = frame(self._nonce, {"do": "call", "calls": [call.as_data() for call in calls]})
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
            return TimedOut(self._limits.total_seconds, "of CPU time for the whole submission")
        unsent = memoryview(request)
        began, cpu_began = time.monotonic(), _cpu_seconds(self._process.pid)
        stdin = self._process.stdin
        assert stdin is not None
        while True:
            answer = self._next_frame(sequence)
            now, cpu = time.monotonic() - began, _cpu_seconds(self._process.pid)
            used = now if cpu is None or cpu_began is None else cpu - cpu_began
            if answer is not None:
                self.spent += used
                return answer
            if used > seconds or now > seconds * self._limits.wall_factor:
                self.spent += max(used, seconds)
                clock = "of CPU time" if used > seconds else "of wall-clock time"
                return TimedOut(seconds if used > seconds else seconds * self._limits.wall_factor, clock)
            if unsent:
                try:
                    unsent = unsent[os.write(stdin.fileno(), unsent) :]
                except BlockingIOError:
                    pass
                except BrokenPipeError:
                    return self._death()
            if not self._receive(0.001 if unsent else 0.05):
                return self._death()

    def _receive(self, wait: float) -> bool:
        """Take what the child has sent and printed; False once its replies have ended."""
        ready = self._selector.select(wait)
        if ready:
            time.sleep(TOGETHER)  # quick calls reply one by one: to read some at once costs fewer awakenings
        for key, _ in ready:
            try:
                data = os.read(key.fd, 1 << 18)
            except BlockingIOError:
                continue
            if key.fileobj is self._process.stderr:
                if data:
                    self.printed += data[: max(0, self._limits.printed - len(self.printed))]
                else:
                    self._selector.unregister(key.fileobj)
            elif data:
                self._waiting += data
            else:
                return False
        return True

    def _next_frame(self, sequence: int) -> Any:
        if len(self._waiting) < HEADER.size:
            return None
        number, length = HEADER.unpack_from(self._waiting)
        if number != sequence:
            return Killed("it broke the protocol: a reply that nobody asked for")
        if length > MAX_REPLY:
            return Killed(f"it returned {length:,} bytes from one call, at most {MAX_REPLY:,} are read")
        if len(self._waiting) < HEADER.size + length:
            return None
        body = bytes(self._waiting[HEADER.size : HEADER.size + length])
        del self._waiting[: HEADER.size + length]
        try:
            return decode(body)
        except (Malformed, RecursionError) as error:
            return Killed(f"it broke the protocol: {error}")

    def _death(self) -> Killed:
        try:
            status = self._process.wait(2)
        except subprocess.TimeoutExpired:
            return Killed("it closed the channel to the grader")
        if status < 0:
            known = [s.name for s in signal.Signals if s == -status]
            return Killed(f"the process died of {known[0] if known else f'signal {-status}'}")
        return Killed(f"the process ended itself (exit status {status})")

    def kill(self) -> None:
        """End the child and its whole process group; from another thread, too."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the child, and leave nothing of it."""
        _open.discard(self)
        self.kill()
        self._process.wait()
        self._selector.close()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._place.cleanup()

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
    if isinstance(box.loaded, (Killed, TimedOut)) and submission is not CANARY:
        with open(CANARY, packages, limits) as canary:
            if not isinstance(canary.loaded, Loaded):
                raise CannotStart(f"not even an empty submission could be loaded: {canary.loaded}")
    return box
