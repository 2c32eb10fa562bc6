"""Bytes that carry data and nothing else: arrays, numbers, strings and containers of these.

A value is a tag byte and its content, little-endian. There is no tag for code, so that decoding hostile bytes can at
worst raise `Malformed`. The elements of an array begin at a multiple of `ALIGNMENT` from the first byte, so that they
can be used where they lie. Both sides of the boundary run this file; it imports the standard library and NumPy.

A request is a header on the channel (number, where its body begins in the arena, its length, how much room there is
for an answer) and a body in the arena, memory that both sides share. A reply is a header (number, length) and a body,
which follows on the channel if it is short, and lies at the start of the arena if it is long.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_BODY = 1 << 28
MAX_DEPTH = 12
MAX_ITEMS = 100_000
MAX_TEXT = 1 << 24
DTYPES = tuple(np.dtype(code) for code in "?bBhHiIqQefd")
ALIGNMENT = 64  # a cache line, and more than any vector instruction asks for
REQUEST = struct.Struct("<QQQQ")
REPLY = struct.Struct("<QQ")
SHORT = 1 << 16
"""Bytes of a reply that are sent through the channel; longer ones go through the arena."""

_INT = struct.Struct("<q")
_FLOAT = struct.Struct("<d")
_COUNT = struct.Struct("<I")
_SHAPES = tuple(struct.Struct(f"<{ndim}q") for ndim in range(9))
_LITTLE = tuple(dtype.newbyteorder("<") for dtype in DTYPES)
_SIZES = tuple(dtype.itemsize for dtype in DTYPES)
CODES = {dtype: code for code, dtype in enumerate(DTYPES)}
_HEADS = tuple(struct.Struct(f"<cBB{ndim}q") for ndim in range(9))


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


class _Body(bytearray):
    """The bytes of a value but for those of large arrays, which are not copied: they stand for themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.large: list[tuple[int, memoryview]] = []
        self.apart = 0

    @property
    def size(self) -> int:
        return len(self) + self.apart

    def add(self, elements: memoryview) -> None:
        self.large.append((len(self), elements))
        self.apart += elements.nbytes


def encode(value: Any) -> bytes:
    """Return the bytes of a value; raise `Malformed` on what cannot cross."""
    return b"".join(pieces(value))


def pieces(value: Any) -> list[bytes | memoryview]:
    """Return the bytes of a value in pieces, where those of a large array are where the array is; raise `Malformed`."""
    body = _Body()
    _write(value, body, MAX_DEPTH)
    if body.size > MAX_BODY:
        raise Malformed(f"a message of {body.size} bytes, at most {MAX_BODY}")
    made: list[bytes | memoryview] = []
    data, done = bytes(body), 0
    for at, elements in body.large:
        made += [data[done:at], elements]
        done = at
    return [*made, data[done:]]


def decode(data: bytes | bytearray | memoryview) -> Any:
    """Return the value of the bytes, all of them; raise `Malformed` on anything else. Arrays are fresh and writable."""
    return decode_some(data, MAX_ITEMS)[0]


def decode_some(data: bytes | bytearray | memoryview, items: int) -> tuple[Any, int]:
    """Return the value like `decode`, and how many of so many items are left: each costs more than its bytes."""
    reader = _Reader(bytes(data), copies=True, items=items)
    return _whole(reader), reader.left


def decode_in_place(data: bytearray | memoryview) -> Any:
    """Return the value of the bytes like `decode`, with arrays that lie in them: to write to one is to write there.

    They are the grader's own, which may make any number of calls at once: as many items as there are bytes.
    """
    return _whole(_Reader(data, copies=False, items=len(data)))


def _whole(reader: _Reader) -> Any:
    value = reader.value(MAX_DEPTH)
    if reader.at != len(reader.data):
        raise Malformed(f"{len(reader.data) - reader.at} bytes after the value")
    return value


def aligned(at: int) -> int:
    """Return the next place, this one or a later, where the elements of an array may begin."""
    return -(-at // ALIGNMENT) * ALIGNMENT


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")[:MAX_TEXT]
    return _COUNT.pack(len(data)) + data


def _write(value: Any, data: _Body, depth: int) -> None:
    if depth < 0:
        raise Malformed("nested too deeply")
    kind = type(value)
    if kind is Encoded:
        data += b"e"
        data += bytes(-data.size % ALIGNMENT)
        data += value.data
    elif value is None:
        data += b"N"
    elif kind is bool:
        data += b"T" if value else b"F"
    elif kind is int:
        if not -(2**63) <= value < 2**63:
            raise Malformed("an integer of more than 64 bits")
        data += b"i" + _INT.pack(value)
    elif kind is float:
        data += b"f" + _FLOAT.pack(value)
    elif kind is str:
        data += b"s" + _text(value)
    elif kind is np.ndarray:
        ndim = value.ndim
        code = CODES.get(value.dtype if value.dtype.isnative else value.dtype.newbyteorder("="))
        if code is None or ndim > 8:
            raise Malformed(f"an array of dtype {value.dtype}")
        data += _HEADS[ndim].pack(b"a", code, ndim, *value.shape)
        data += bytes(-data.size % ALIGNMENT)
        elements = value.astype(_LITTLE[code], copy=False)
        if value.nbytes > SHORT:
            data.add(np.ascontiguousarray(elements).data.cast("B"))
        else:
            data += elements.tobytes()
    elif kind is list or kind is tuple:
        data += (b"l" if kind is list else b"t") + _COUNT.pack(len(value))
        for item in value:
            _write(item, data, depth - 1)
    elif kind is dict:
        data += b"d" + _COUNT.pack(len(value))
        for key, item in value.items():
            if type(key) is not str:
                raise Malformed(f"a key of type {type(key).__name__}")
            data += _text(key)
            _write(item, data, depth - 1)
    elif kind is Kept:
        data += b"k" + _text(value.name)
        _write(list(value.path), data, depth - 1)
    elif kind is Record:
        data += b"r" + _text(value.name)
        _write(dict(value.fields), data, depth - 1)
    elif kind is Rebuilt:
        data += b"b" + _text(value.name)
        _write([list(value.fields), value.kept], data, depth - 1)
    elif kind is Opaque:
        data += b"o" + _text(value.described)
    else:
        raise Malformed(f"a value of type {kind.__name__}")


class _Reader:
    """A place in bytes from a stranger, and how many values may still be read there."""

    __slots__ = ("at", "copies", "data", "left")

    def __init__(self, data: bytes | bytearray | memoryview, copies: bool, items: int) -> None:
        self.data = data
        self.copies = copies
        self.at = 0
        self.left = items

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
        reader = _READERS.get(self.data[self.take(1)])
        if reader is None:
            raise Malformed(f"an unknown tag {bytes(self.data[self.at - 1 : self.at])!r}")
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
        return str(self.data[at : at + size], "utf-8", "replace")

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
        if shape and min(shape) < 0:
            raise Malformed("a negative length")
        self.at += -self.at % ALIGNMENT
        count = math.prod(shape)  # Python integers: no overflow to hide behind
        at = self.take(count * _SIZES[code])
        if code == 0 and np.frombuffer(self.data, np.uint8, count, at).max(initial=0) > 1:
            raise Malformed("a truth value that is neither 0 nor 1")
        try:
            array: np.ndarray[Any, Any] = np.ndarray(shape, _LITTLE[code], self.data, at)
        except ValueError:  # beside a length of zero, another may be longer than any array's
            raise Malformed(f"no array has the shape {shape}") from None
        return array.astype(DTYPES[code]) if self.copies else array

    def encoded(self, depth: int) -> Any:
        """Return a value that was encoded by itself, and thus begins where its arrays are aligned."""
        self.at = aligned(self.at)
        return self.value(depth - 1)

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
    ord("e"): _Reader.encoded,
    ord("l"): _Reader.items,
    ord("t"): lambda reader, depth: tuple(reader.items(depth)),
    ord("d"): _Reader.fields,
    ord("k"): _Reader.kept,
    ord("r"): _Reader.record,
    ord("b"): _Reader.rebuilt,
    ord("o"): lambda reader, depth: Opaque(reader.text()),
}
