"""Bytes that carry data and nothing else: arrays, numbers, strings and containers of these.

A frame is a header (sequence number, length) and one value. A value is a tag byte and its content, little-endian.
There is no tag for code, so that decoding hostile bytes can at worst raise `Malformed`. Both sides of the boundary run
this file; it imports the standard library and NumPy.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_FRAME = 1 << 26
MAX_DEPTH = 8
MAX_ITEMS = 100_000
MAX_TEXT = 1 << 24
DTYPES = tuple(np.dtype(code) for code in "?bBhHiIqQefd")
HEADER = struct.Struct("<QQ")

_INT = struct.Struct("<q")
_FLOAT = struct.Struct("<d")
_COUNT = struct.Struct("<I")
_SHAPES = tuple(struct.Struct(f"<{ndim}q") for ndim in range(9))
_LITTLE = tuple(dtype.newbyteorder("<") for dtype in DTYPES)


class Malformed(ValueError):
    """Bytes that are no value, or a value that no bytes stand for."""


@dataclass(frozen=True)
class Kept:
    """A value that stays in the child: the result kept as `name`, and the path to the part that is meant."""

    name: str
    path: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Record:
    """Named fields, which the child builds as a namedtuple: the state of an optimizer."""

    name: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Rebuilt:
    """A kept value with these fields, which the child makes a namedtuple again, whatever container they came in."""

    name: str
    fields: tuple[str, ...]
    kept: Kept


@dataclass(frozen=True)
class Encoded:
    """A value that was encoded before: the same calls are sent to every submission."""

    data: bytes


@dataclass(frozen=True)
class Opaque:
    """Stands for a result that cannot cross: what it was, in words."""

    described: str


def encode(value: Any) -> bytes:
    """Return the bytes of a value; raise `Malformed` on what cannot cross."""
    parts: list[bytes] = []
    _write(value, parts, MAX_DEPTH)
    return b"".join(parts)


def decode(data: bytes | bytearray | memoryview) -> Any:
    """Return the value of the bytes, all of them; raise `Malformed` on anything else. Arrays are fresh and writable."""
    reader = _Reader(bytes(data))
    value = reader.value(MAX_DEPTH)
    if reader.at != len(reader.data):
        raise Malformed(f"{len(reader.data) - reader.at} bytes after the value")
    return value


def frame(sequence: int, value: Any) -> bytes:
    """Return one message: header and value."""
    body = encode(value)
    if len(body) > MAX_FRAME:
        raise Malformed(f"a message of {len(body)} bytes, at most {MAX_FRAME}")
    return HEADER.pack(sequence, len(body)) + body


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")[:MAX_TEXT]
    return _COUNT.pack(len(data)) + data


def _write(value: Any, parts: list[bytes], depth: int) -> None:
    if depth < 0:
        raise Malformed("nested too deeply")
    kind = type(value)
    if kind is Encoded:
        parts.append(value.data)
    elif value is None:
        parts.append(b"N")
    elif kind is bool:
        parts.append(b"T" if value else b"F")
    elif kind is int:
        if not -(2**63) <= value < 2**63:
            raise Malformed("an integer of more than 64 bits")
        parts.append(b"i" + _INT.pack(value))
    elif kind is float:
        parts.append(b"f" + _FLOAT.pack(value))
    elif kind is str:
        parts.append(b"s" + _text(value))
    elif kind is np.ndarray:
        native = value.dtype.newbyteorder("=")
        if native not in DTYPES or value.ndim > 8:
            raise Malformed(f"an array of dtype {value.dtype}")
        header = struct.pack(f"<BB{value.ndim}q", DTYPES.index(native), value.ndim, *value.shape)
        parts.append(b"a" + header)
        parts.append(value.astype(value.dtype.newbyteorder("<"), order="C", copy=False).tobytes())
    elif kind is list or kind is tuple:
        parts.append((b"l" if kind is list else b"t") + _COUNT.pack(len(value)))
        for item in value:
            _write(item, parts, depth - 1)
    elif kind is dict:
        parts.append(b"d" + _COUNT.pack(len(value)))
        for key, item in value.items():
            if type(key) is not str:
                raise Malformed(f"a key of type {type(key).__name__}")
            parts.append(_text(key))
            _write(item, parts, depth - 1)
    elif kind is Kept:
        parts.append(b"k" + _text(value.name))
        _write(list(value.path), parts, depth - 1)
    elif kind is Record:
        parts.append(b"r" + _text(value.name))
        _write(dict(value.fields), parts, depth - 1)
    elif kind is Rebuilt:
        parts.append(b"b" + _text(value.name))
        _write([list(value.fields), value.kept], parts, depth - 1)
    elif kind is Opaque:
        parts.append(b"o" + _text(value.described))
    else:
        raise Malformed(f"a value of type {kind.__name__}")


class _Reader:
    """A place in bytes from a stranger, and how many values may still be read there."""

    __slots__ = ("at", "data", "left")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.left = MAX_ITEMS

    def take(self, size: int) -> int:
        """Return where the next so many bytes begin, which are passed."""
        at = self.at
        if at + size > len(self.data):
            raise Malformed("the bytes end early")
        self.at = at + size
        return at

    def value(self, depth: int) -> Any:
        """Return the next value."""
        self.left -= 1
        if depth < 0 or self.left < 0:
            raise Malformed("nested too deeply, or too many items")
        tag = self.data[self.take(1)]
        reader = _READERS.get(tag)
        if reader is None:
            raise Malformed(f"an unknown tag {bytes([tag])!r}")
        return reader(self, depth)

    def count(self) -> int:
        """Return a number of items, no more than may still be read."""
        size: int = _COUNT.unpack_from(self.data, self.take(4))[0]
        if size > self.left:
            raise Malformed("too many items")
        return size

    def text(self) -> str:
        """Return a text."""
        size = _COUNT.unpack_from(self.data, self.take(4))[0]
        if size > MAX_TEXT:
            raise Malformed(f"a text of {size} bytes")
        at = self.take(size)
        return self.data[at : at + size].decode("utf-8", "replace")

    def items(self, depth: int) -> list[Any]:
        """Return so many values as are announced."""
        value, deeper = self.value, depth - 1
        return [value(deeper) for _ in range(self.count())]

    def fields(self, depth: int) -> dict[str, Any]:
        """Return values by their names."""
        text, value, deeper = self.text, self.value, depth - 1
        return {text(): value(deeper) for _ in range(self.count())}

    def array(self) -> np.ndarray[Any, Any]:
        """Return an array of one's own, after its size is known to be there."""
        at = self.take(2)
        code, ndim = self.data[at], self.data[at + 1]
        if code >= len(DTYPES) or ndim > 8:
            raise Malformed(f"an array of dtype code {code} and {ndim} dimensions")
        shape = _SHAPES[ndim].unpack_from(self.data, self.take(8 * ndim))
        if min(shape, default=0) < 0:
            raise Malformed("a negative length")
        count = math.prod(shape)  # Python integers: no overflow to hide behind
        at = self.take(count * DTYPES[code].itemsize)
        if code == 0 and np.frombuffer(self.data, np.uint8, count, at).max(initial=0) > 1:
            raise Malformed("a truth value that is neither 0 nor 1")
        try:
            array = np.frombuffer(self.data, _LITTLE[code], count, at).reshape(shape)
        except ValueError:  # beside a length of zero, another may be longer than any array's
            raise Malformed(f"no array has the shape {shape}") from None
        return array.astype(DTYPES[code], copy=True)

    def kept(self, depth: int) -> Kept:
        """Return a value that stayed in the child."""
        name, path = self.text(), self.value(depth - 1)
        if not isinstance(path, list) or not all(type(step) in (int, str) for step in path):
            raise Malformed("a path that is no list of names and numbers")
        return Kept(name, tuple(path))

    def record(self, depth: int) -> Record:
        """Return named fields."""
        name, fields = self.text(), self.value(depth - 1)
        if not isinstance(fields, dict):
            raise Malformed("a record without fields")
        return Record(name, fields)

    def rebuilt(self, depth: int) -> Rebuilt:
        """Return a record to rebuild."""
        name = self.text()
        match self.value(depth - 1):
            case [list(fields), Kept() as kept] if all(type(field) is str for field in fields):
                return Rebuilt(name, tuple(fields), kept)
        raise Malformed("a record to rebuild without its fields")


_READERS: dict[int, Callable[[_Reader, int], Any]] = {
    ord("N"): lambda reader, depth: None,
    ord("T"): lambda reader, depth: True,
    ord("F"): lambda reader, depth: False,
    ord("i"): lambda reader, depth: _INT.unpack_from(reader.data, reader.take(8))[0],
    ord("f"): lambda reader, depth: _FLOAT.unpack_from(reader.data, reader.take(8))[0],
    ord("s"): lambda reader, depth: reader.text(),
    ord("a"): lambda reader, depth: reader.array(),
    ord("l"): _Reader.items,
    ord("t"): lambda reader, depth: tuple(reader.items(depth)),
    ord("d"): _Reader.fields,
    ord("k"): _Reader.kept,
    ord("r"): _Reader.record,
    ord("b"): _Reader.rebuilt,
    ord("o"): lambda reader, depth: Opaque(reader.text()),
}
