"""Memory that the grader shares with one child: requests lie in it, and long answers."""

from __future__ import annotations

import mmap
import os
import sys
import tempfile

from graders.harness.sandbox.codec import aligned

SMALLEST = 1 << 22  # what is never touched costs nothing


def _memory(size: int) -> int:
    """Return a file without a name, of a size that nobody can change: a mapping of a file cut short ends the reader."""
    if sys.platform != "linux":
        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            return os.dup(file.fileno())
    import fcntl

    descriptor = os.memfd_create("arena", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return descriptor


class Arena:
    """Room for one answer, and behind it a place for each request; none is used twice, since arrays may be kept.

    The child may write wherever it likes: what is read from here is copied first, and is what a stranger says.
    """

    def __init__(self, room: int, length: int) -> None:
        """Make one with room for an answer of `room` bytes, and for a request of `length` bytes at least."""
        self.room = room
        self.size = aligned(room) + max(SMALLEST, aligned(length))
        self.descriptor = _memory(self.size)
        self._map = mmap.mmap(self.descriptor, self.size)
        self._free = aligned(room)

    def takes(self, room: int, length: int) -> bool:
        """Return whether such a request and its answer have a place here."""
        return room <= self.room and self._free + length <= self.size

    def put(self, body: bytes) -> int:
        """Write a request where none was before; return where that is."""
        at = self._free
        self._map[at : at + len(body)] = body
        self._free = aligned(at + len(body))
        return at

    def copy(self, at: int, length: int) -> bytes:
        """Return what lies there now."""
        return self._map[at : at + length]

    def close(self) -> None:
        """Let go of it; the child keeps what it has."""
        self._map.close()
        os.close(self.descriptor)


__all__ = ["Arena"]
