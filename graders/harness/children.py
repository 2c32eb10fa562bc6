"""Work that may not end or may eat all memory, done one piece after the other in a forked child of this process."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

Made = TypeVar("Made")
SECONDS = 5.0
"""Of the processor's own time, for one piece of work: how busy the machine is plays no part."""
MEMORY = 2 * 2**30
"""Bytes that a child may take beyond what this process has."""

can_fork = hasattr(os, "fork") and sys.platform != "win32"


def worked_off(
    count: int, work: Callable[[int], Made], kind: type[Made], seconds: float = SECONDS, memory: int = MEMORY
) -> Iterator[Made | None]:
    """Yield work(0), … work(count − 1), each a value that msgspec can write; None for what ended the child.

    Nothing that a piece of work does to this process's memory is seen by this process.
    """
    done = 0
    while done < count:
        for made in _of_one_child(range(done, count), work, kind, seconds, memory):
            done += 1
            yield made
        if done < count:
            done += 1
            yield None


@contextmanager
def forking() -> Iterator[None]:
    """Let this process be forked though it has other threads, such as a test runner's: none holds a lock of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def within(seconds: float) -> None:
    """Give what is being done in a child so much more of the processor's time, and no more."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _of_one_child(
    pieces: range, work: Callable[[int], Made], kind: type[Made], seconds: float, memory: int
) -> Iterator[Made]:
    """Yield what a child makes until it ends."""
    reading, writing = os.pipe()
    with forking():
        child = os.fork()
    if not child:
        try:
            os.close(reading)
            _confine(memory)
            with os.fdopen(writing, "wb") as out:
                for piece in pieces:
                    within(seconds)
                    out.write(msgspec.json.encode(work(piece)) + b"\n")
                    out.flush()
        finally:
            os._exit(0)  # not through what the parent has still to do
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as lines:
            for line in lines:
                yield msgspec.json.decode(line, type=kind)
    finally:
        os.kill(child, signal.SIGKILL)  # if nobody wants the rest
        os.waitpid(child, 0)


def _confine(memory: int) -> None:
    import resource

    warnings.simplefilter("ignore")
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # which ends the child
    try:
        taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:  # no Linux: there the processor's time alone is limited
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = taken + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
