"""A process of this house's own that serves trusted functions by a submission's protocol: the other side of a pair."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Sequence

from graders.harness.sandbox.contract import Limits
from graders.harness.sandbox.parent import CannotStart, ProcessBox, Submission
from graders.harness.sandbox.processes import ONE_THREAD

WAITING = 0.5  # seconds in which a process whose channel is closed must have ended


class Trusted:
    """A program that is told the number of its channel as its last argument; not confined."""

    def __init__(self, command: Sequence[str]) -> None:
        self.channel, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=os.environ | ONE_THREAD,
                start_new_session=True,  # Ctrl-C is the grader's; it ends this process itself
            )
        except OSError as error:
            self.channel.close()
            raise CannotStart(f"no process could be started: {error}") from error
        finally:
            theirs.close()
        self.pid = self._process.pid

    def status(self) -> int | None:
        """Return the exit status, or None while it lives."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(WAITING)
        return None

    def kill(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, and leave nothing of it."""
        self.kill()
        self._process.wait()
        self.channel.close()

    def printed(self, most: int) -> bytes:
        """Return nothing: what it prints is not kept."""
        return b""


def opened(command: Sequence[str], limits: Limits) -> ProcessBox:
    """Return the functions of a program behind the same boundary as a submission's."""
    what = Submission(command[-1], command[-1], "file", command[-1], {})
    return ProcessBox(what, (), limits, child=Trusted(command))


__all__ = ["Trusted", "opened"]
