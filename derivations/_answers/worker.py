"""The child in which answers are judged: one file of answers in, a line of JSON out for each; a fork for each answer.

A fork has limits that the operating system keeps: CPU time, memory, no files. When it ends without a word, the answer
is rejected as too long.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from derivations._kernel import limited

from .files import Asked, read
from .judging import Judgement, TooLong, judge
from .questions import questions
from .tokens import Rejected

__all__ = ["main"]

PRODUCTS = 20_000  # of terms, in a proof; the longest of the sample answers makes 155
PROOF_SECONDS, CPU_SECONDS, WALL_SECONDS = 0.9, 1.5, 2.0
MEMORY, ANSWER = 1 << 30, 1 << 20


def main() -> None:
    """Read a file of answers from standard input; write what is known of each to standard output."""
    try:
        asked = read(sys.stdin.buffer.read())
    except Rejected as error:
        _write({"unusable": str(error)})
        return
    questions()  # made once, before the forks
    for one in asked:
        _write(_judged(one))


def _write(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _judged(asked: Asked) -> dict[str, Any]:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _in_the_fork(asked, theirs)
    os.close(theirs)
    said = _heard(ours)
    os.close(ours)
    os.kill(child, signal.SIGKILL)  # it is not reaped yet, so this is it and nobody else
    os.waitpid(child, 0)
    try:
        return dict(json.loads(said))
    except ValueError:
        why = f"too long to judge: stopped after {WALL_SECONDS:g} s or 1 GB; write it more simply"
        return _as_data(Judgement(asked.question, "rejected", f"{asked.place}: {why}"))


def _heard(pipe: int) -> bytes:
    """What a fork says until it ends, or until its time is up."""
    said, end = b"", time.monotonic() + WALL_SECONDS
    while len(said) < ANSWER:
        ready, _, _ = select.select([pipe], [], [], max(0.0, end - time.monotonic()))
        more = os.read(pipe, 1 << 16) if ready else b""
        if not more:
            break
        said += more
    return said


def _in_the_fork(asked: Asked, pipe: int) -> None:
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        said = json.dumps(_as_data(judge(asked, _limited)))
        for start in range(0, len(said), 1 << 15):
            os.write(pipe, said[start : start + (1 << 15)].encode())
    except (RecursionError, MemoryError):
        pass  # it says nothing: too long
    except BaseException as error:
        why = f"the judge failed, {type(error).__name__}: {error}; please report it"
        os.write(pipe, json.dumps(_as_data(Judgement(asked.question, "undecided", why))).encode())
    finally:
        os._exit(0)


@contextmanager
def _limited() -> Iterator[None]:
    """Raise TooLong when the prover has used its share of the time, TooMuchWork when it makes too many terms."""

    def stop(number: int, frame: object) -> None:
        raise TooLong

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, PROOF_SECONDS)
    try:
        with limited(PRODUCTS):
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _as_data(found: Judgement) -> dict[str, Any]:
    data: dict[str, Any] = _plain(asdict(found))
    return data


def _plain(value: Any) -> Any:
    """Exact numbers as text: 3/7."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Fraction) else value
