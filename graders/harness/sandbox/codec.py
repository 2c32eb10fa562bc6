"""Bytes that carry data and nothing else: arrays, numbers, strings and containers of these.

A frame is a header (sequence number, length) and one value. A value is a tag byte and its content, little-endian.
There is no tag for code, so that decoding hostile bytes can at worst raise `Malformed`. Both sides of the boundary run
this file; it imports the standard library and NumPy.
"""

from __future__ import annotations

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
    view = memoryview(data)
    value, at = _read(view, 0, MAX_DEPTH, [MAX_ITEMS])
    if at != len(view):
        raise Malformed(f"{len(view) - at} bytes after the value")
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
    if value is None:
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


def _take(view: memoryview, at: int, size: int) -> tuple[memoryview, int]:
    if size < 0 or at + size > len(view):
        raise Malformed("the bytes end early")
    return view[at : at + size], at + size


def _count(view: memoryview, at: int) -> tuple[int, int]:
    data, at = _take(view, at, 4)
    return _COUNT.unpack(data)[0], at


def _string(view: memoryview, at: int) -> tuple[str, int]:
    size, at = _count(view, at)
    if size > MAX_TEXT:
        raise Malformed(f"a text of {size} bytes")
    data, at = _take(view, at, size)
    return bytes(data).decode("utf-8", "replace"), at


def _array(view: memoryview, at: int) -> tuple[np.ndarray[Any, Any], int]:
    head, at = _take(view, at, 2)
    code, ndim = head[0], head[1]
    if code >= len(DTYPES) or ndim > 8:
        raise Malformed(f"an array of dtype code {code} and {ndim} dimensions")
    dims, at = _take(view, at, 8 * ndim)
    shape = struct.unpack(f"<{ndim}q", dims)
    size = DTYPES[code].itemsize
    for length in shape:
        if length < 0:
            raise Malformed("a negative length")
        size *= length  # Python integers: no overflow to hide behind
    data, at = _take(view, at, size)
    if code == 0 and np.frombuffer(data, np.uint8).max(initial=0) > 1:
        raise Malformed("a truth value that is neither 0 nor 1")
    try:
        array = np.frombuffer(bytes(data), dtype=DTYPES[code].newbyteorder("<")).reshape(shape)
    except ValueError:  # beside a length of zero, another may be longer than any array's
        raise Malformed(f"no array has the shape {shape}") from None
    return array.astype(DTYPES[code], copy=True), at


def _read(view: memoryview, at: int, depth: int, budget: list[int]) -> tuple[Any, int]:
    budget[0] -= 1
    if depth < 0 or budget[0] < 0:
        raise Malformed("nested too deeply, or too many items")
    tag, at = _take(view, at, 1)
    reader = _READERS.get(bytes(tag))
    if reader is None:
        raise Malformed(f"an unknown tag {bytes(tag)!r}")
    return reader(view, at, depth, budget)


def _read_items(view: memoryview, at: int, depth: int, budget: list[int]) -> tuple[list[Any], int]:
    size, at = _count(view, at)
    if size > budget[0]:
        raise Malformed("too many items")
    items = []
    for _ in range(size):
        item, at = _read(view, at, depth - 1, budget)
        items.append(item)
    return items, at


def _read_tuple(view: memoryview, at: int, depth: int, budget: list[int]) -> tuple[tuple[Any, ...], int]:
    items, at = _read_items(view, at, depth, budget)
    return tuple(items), at


def _read_dict(view: memoryview, at: int, depth: int, budget: list[int]) -> tuple[dict[str, Any], int]:
    size, at = _count(view, at)
    if size > budget[0]:
        raise Malformed("too many items")
    fields = {}
    for _ in range(size):
        key, at = _string(view, at)
        fields[key], at = _read(view, at, depth - 1, budget)
    return fields, at


def _read_int(view: memoryview, at: int, depth: int, budget: list[int]) -> tuple[int, int]:
    data, at = _take(view, at, 8)
    return _INT.unpack(data)[0], at


def _read_float(view: memoryview, at: int, depth: int, budget: list[int]) -> tuple[float, int]:
    data, at = _take(view, at, 8)
    return _FLOAT.unpack(data)[0], at


def _read_kept(view: memoryview, at: int, depth: int, budget: list[int]) -> tuple[Kept, int]:
    name, at = _string(view, at)
    path, at = _read(view, at, depth - 1, budget)
    if not isinstance(path, list) or not all(type(step) in (int, str) for step in path):
        raise Malformed("a path that is no list of names and numbers")
    return Kept(name, tuple(path)), at


def _read_record(view: memoryview, at: int, depth: int, budget: list[int]) -> tuple[Record, int]:
    name, at = _string(view, at)
    fields, at = _read(view, at, depth - 1, budget)
    if not isinstance(fields, dict):
        raise Malformed("a record without fields")
    return Record(name, fields), at


def _read_rebuilt(view: memoryview, at: int, depth: int, budget: list[int]) -> tuple[Rebuilt, int]:
    name, at = _string(view, at)
    content, at = _read(view, at, depth - 1, budget)
    match content:
        case [list(fields), Kept() as kept] if all(type(field) is str for field in fields):
            return Rebuilt(name, tuple(fields), kept), at
    raise Malformed("a record to rebuild without its fields")


def _read_opaque(view: memoryview, at: int, depth: int, budget: list[int]) -> tuple[Opaque, int]:
    described, at = _string(view, at)
    return Opaque(described), at


_READERS: dict[bytes, Callable[[memoryview, int, int, list[int]], tuple[Any, int]]] = {
    b"N": lambda view, at, depth, budget: (None, at),
    b"T": lambda view, at, depth, budget: (True, at),
    b"F": lambda view, at, depth, budget: (False, at),
    b"i": _read_int,
    b"f": _read_float,
    b"s": lambda view, at, depth, budget: _string(view, at),
    b"a": lambda view, at, depth, budget: _array(view, at),
    b"l": _read_items,
    b"t": _read_tuple,
    b"d": _read_dict,
    b"k": _read_kept,
    b"r": _read_record,
    b"b": _read_rebuilt,
    b"o": _read_opaque,
}
