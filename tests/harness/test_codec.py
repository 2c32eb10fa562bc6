"""The bytes between grader and child: whatever goes in comes out, and hostile bytes only ever raise `Malformed`."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import time
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from graders.harness.sandbox import codec, processes
from graders.harness.sandbox.codec import (
    REPLY,
    Kept,
    Malformed,
    Opaque,
    Rebuilt,
    Record,
    decode,
    decode_in_place,
    encode,
)
from graders.harness.sandbox.contract import Call, Killed, Limits, Loaded, Raised, Returned
from graders.harness.sandbox.parent import ProcessBox, Submission

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ARRAYS = st_numpy.arrays(
    st.sampled_from(codec.DTYPES),
    st_numpy.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
PATHS = st.lists(INTEGERS | TEXTS, max_size=3).map(tuple)
LEAVES = (
    st.none()
    | st.booleans()
    | INTEGERS
    | st.floats()
    | TEXTS
    | ARRAYS
    | st.builds(Kept, TEXTS, PATHS)
    | st.builds(Opaque, TEXTS)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(TEXTS, inner, max_size=3)
        | st.builds(Record, TEXTS, st.dictionaries(TEXTS, inner, max_size=3))
    ),
    max_leaves=6,
).filter(lambda value: depth(value) <= codec.MAX_DEPTH)


def depth(value: Any) -> int:
    """Return how deep the codec has to go for a value; a record or a path holds a container of its own."""
    if isinstance(value, Record):
        return 1 + depth(dict(value.fields))
    if isinstance(value, Kept):
        return 2
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else []
    return 1 + max(map(depth, inner), default=-1) if isinstance(value, (list, tuple, dict)) else 0


def identical(one: Any, two: Any) -> bool:
    """Return whether two values are the same to the last bit, and of the same types."""
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray):
        return bool(one.dtype == two.dtype) and one.shape == two.shape and one.tobytes() == two.tobytes()
    if isinstance(one, float):
        return struct.pack("<d", one) == struct.pack("<d", two)
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(map(identical, one, two))
    if isinstance(one, dict):
        return list(one) == list(two) and all(identical(one[key], two[key]) for key in one)
    if isinstance(one, Record):
        return one.name == two.name and identical(dict(one.fields), dict(two.fields))
    return bool(one == two)


def array_bytes(code: int, *shape: int, ndim: int | None = None, data: bytes = b"") -> bytes:
    return b"a" + struct.pack(f"<BB{len(shape)}q", code, len(shape) if ndim is None else ndim, *shape) + data


FLOAT64 = codec.DTYPES.index(np.dtype(np.float64))


# ---------------------------------------------------------------- what goes in comes out


@settings(deadline=None)
@given(VALUES)
def test_every_value_comes_back_to_the_last_bit(value: Any) -> None:
    assert identical(decode(encode(value)), value)


@pytest.mark.parametrize("bits", [0x7FF8_0000_0000_0001, 0xFFF8_DEAD_BEEF_0001, 0x8000_0000_0000_0000, 1, 0xFFF << 52])
def test_nan_payloads_negative_zero_and_denormals_keep_their_bits(bits: int) -> None:
    array = np.array([bits], dtype=np.uint64).view(np.float64)
    number = float(array[0])

    assert decode(encode(array)).view(np.uint64)[0] == bits
    assert identical(decode(encode(number)), number)


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(20.0)[::3],
        np.arange(6.0).reshape(2, 3)[::-1, ::-1],
        np.broadcast_to(np.float32(2.5), (3, 2)),
        np.arange(3, dtype=">f8"),
        np.arange(3, dtype=">i4"),
    ],
    ids=["Fortran order", "strided", "reversed", "broadcast", "big-endian floats", "big-endian integers"],
)
def test_an_array_comes_back_whatever_its_layout(array: np.ndarray[Any, Any]) -> None:
    back = decode(encode(array))

    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(back, array)


def test_a_decoded_array_is_fresh_and_writable() -> None:
    data = encode(np.zeros(3))

    first, second = decode(data), decode(data)
    first[0] = 1

    assert second[0] == 0


def test_the_order_of_a_dictionary_is_kept() -> None:
    assert list(decode(encode({"b": 1, "a": 2}))) == ["b", "a"]


def test_a_request_may_hold_any_number_of_items_and_a_reply_may_not() -> None:
    body = bytearray(encode([[1]] * codec.MAX_ITEMS))

    assert len(decode_in_place(body)) == codec.MAX_ITEMS
    with pytest.raises(Malformed):
        decode(body)


@settings(deadline=None)
@given(VALUES)
def test_arrays_in_place_are_the_same_aligned_and_lie_in_the_bytes(value: Any) -> None:
    data = bytearray(codec.ALIGNMENT + len(encode(value)))
    start = -np.frombuffer(data, np.uint8).ctypes.data % codec.ALIGNMENT
    body = memoryview(data)[start : start + len(encode(value))]
    body[:] = encode(value)

    found = decode_in_place(body)

    assert identical(found, value)
    if isinstance(found, np.ndarray) and found.size:
        assert found.ctypes.data % codec.ALIGNMENT == 0
        assert np.shares_memory(found, np.frombuffer(body, np.uint8))
        found.reshape(-1).view(np.uint8)[:] = 1
        assert identical(decode(body), found)


def test_a_value_encoded_before_is_aligned_where_it_is_put() -> None:
    inner = codec.Encoded(encode([np.arange(3.0), "x"]))
    data = encode(["y", inner, inner])

    text, first, second = decode(data)

    assert identical(first, [np.arange(3.0), "x"])
    assert identical(second, first)
    assert text == "y"
    assert [at % codec.ALIGNMENT for at in range(len(data)) if data.startswith(inner.data, at)] == [0, 0]


# ---------------------------------------------------------------- what cannot cross


class Sneaky(np.ndarray[Any, Any]):
    """An array whose class is not NumPy's."""


@pytest.mark.parametrize(
    "value",
    [
        object(),
        1j,
        np.array([1j]),
        np.array([object()]),
        np.array(["text"]),
        np.zeros(2, dtype=[("a", "f8")]),
        np.array(["2020-01-01"], dtype="M8[D]"),
        np.zeros(2, dtype=np.longdouble),
        np.zeros(3).view(Sneaky),
        np.float64(1.0),
        2**63,
        -(2**63) - 1,
        b"bytes",
        {1, 2},
        {1: "a key that is no text"},
        iter([1.5]),
        len,
        type("Int", (int,), {})(3),
        type("List", (list,), {})(),
        np.zeros((1,) * 9),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_data_is_refused(value: Any) -> None:
    with pytest.raises(Malformed):
        encode(value)
    with pytest.raises(Malformed):
        encode([{"inside": value}])


def test_a_structure_too_deep_is_refused_on_both_sides() -> None:
    nested: Any = 1
    data = encode(nested)
    for _ in range(codec.MAX_DEPTH):
        nested, data = [nested], b"l" + struct.pack("<I", 1) + data
    assert decode(encode(nested)) == nested == decode(data)

    with pytest.raises(Malformed, match="nested too deeply"):
        encode([nested])
    with pytest.raises(Malformed, match="nested too deeply"):
        decode(b"l" + struct.pack("<I", 1) + data)


def test_a_structure_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(Malformed, match="nested too deeply"):
        encode(endless)


def test_a_message_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "MAX_BODY", 200)
    encode(np.zeros(8))

    with pytest.raises(Malformed, match="a message of"):
        encode(np.zeros(100))


# ---------------------------------------------------------------- hostile bytes


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Z",
        b"\x00",
        b"i\x01",
        b"f" + bytes(7),
        b"s" + struct.pack("<I", 2**32 - 1),
        b"s" + struct.pack("<I", 5) + b"four",
        b"l" + struct.pack("<I", 2**32 - 1),
        b"l" + struct.pack("<I", 2) + b"N",
        b"d" + struct.pack("<I", 1) + b"N",
        b"l" * 5000,
        (b"l" + struct.pack("<I", 1)) * 5000,
        b"NN",
        encode([1, 2]) + b"\x00",
        array_bytes(FLOAT64, 2**60),
        array_bytes(FLOAT64, 2**32, 2**32),
        array_bytes(FLOAT64, -1, data=bytes(8)),
        array_bytes(FLOAT64, -1, -1, data=bytes(8)),
        array_bytes(FLOAT64, 0, -(2**63)),
        array_bytes(FLOAT64, 0, 2**62, 4),
        array_bytes(FLOAT64, 2**62, 2**62, 0),
        array_bytes(FLOAT64, *(2,) * 9, data=bytes(8 * 2**9)),
        array_bytes(FLOAT64, ndim=255),
        array_bytes(len(codec.DTYPES)),
        array_bytes(255, 1, data=bytes(8)),
        array_bytes(0, 3, data=b"\x00\x01\x02"),
        b"k" + struct.pack("<I", 0) + b"N",
        b"k" + struct.pack("<I", 0) + encode([1.5]),
        b"k" + struct.pack("<I", 0) + encode([True]),
        b"r" + struct.pack("<I", 0) + encode([]),
        b"o",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_bytes_that_are_no_value_raise_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


def test_a_few_bytes_cannot_ask_for_many_items() -> None:
    many = b"l" + struct.pack("<I", codec.MAX_ITEMS + 1) + b"N" * (codec.MAX_ITEMS + 1)

    with pytest.raises(Malformed, match="too many items"):
        decode(many)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_random_bytes_decode_or_raise_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        encode(decode(data))


@settings(max_examples=300, deadline=None)
@given(VALUES, st.data())
@example(np.zeros((0, 4, 2)), None)
def test_mutated_frames_decode_or_raise_malformed(value: Any, data: st.DataObject | None) -> None:
    encoded = bytearray(encode(value))
    if data is None:  # a length that overflows beside a length of zero
        encoded[11:19] = struct.pack("<q", 2**62)
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Malformed):
        decode(encoded)


@settings(deadline=None)
@given(VALUES, st.data())
def test_a_frame_cut_short_never_decodes(value: Any, data: st.DataObject) -> None:
    encoded = encode(value)

    with pytest.raises(Malformed):
        decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


@given(VALUES, st.binary(min_size=1, max_size=5))
def test_bytes_after_the_value_are_refused(value: Any, more: bytes) -> None:
    with pytest.raises(Malformed):
        decode(encode(value) + more)


def test_text_that_is_no_unicode_does_no_harm() -> None:
    assert decode(b"s" + struct.pack("<I", 2) + b"\xff\xfe") == "��"
    assert "�" in decode(encode("lone \ud800 surrogate"))


# ---------------------------------------------------------------- hostile bytes, many

LISTED = [{"name": "f", "parameters": [["x", "positional", True]], "own": True}]
SEEDS: tuple[Any, ...] = (
    [[np.arange(6.0).reshape(2, 3)], True],
    {"status": "raised", "kind": "ValueError", "message": "no", "line": 3, "text": "x", "file": "", "missing": None},
    {"status": "loaded", "functions": LISTED, "notes": [], "imports": []},
    [np.array([True, False]), np.zeros((0, 4, 2)), np.arange(-1, 1), np.zeros(1, np.float32), np.array(2.5)],
    [Kept("state", ("m", 0)), Record("Adam", {"t": 1, "m": np.zeros(2)}), Rebuilt("S", ("a",), Kept("s", ()))],
    [(1, -(2**63)), 0.1, "é", None, Opaque("x")],
    [[[[[[1]]]]]],
)  # fmt: skip
"""Values of every kind that crosses, small, so that a random place is often a tag, a count, a dtype or a length."""
EXTREMES = (0, 1, 2, 7, 8, 9, 127, 128, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**62, 2**63 - 1, -1, -(2**63))
TAGS = b"NTFifsaeltdkrbo\x00\x80\xff"
ALLOWED_PER_BYTE = 400
"""Bytes of memory that a byte of a message may take while it is read: an empty array in a list takes most."""


def mutant_of(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return bytes that were a value: with extreme numbers, other tags, parts left out, doubled or another's."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(made) + 1)
        until = min(len(made), at + chance.randrange(1, 24))
        match chance.randrange(9):
            case 0:
                made[at : at + 1] = chance.randbytes(1)
            case 1:
                made[at : at + 1] = bytes([chance.choice(TAGS)])
            case 2:
                made[at : at + 4] = struct.pack("<I", chance.choice(EXTREMES) & 0xFFFFFFFF)
            case 3:
                made[at : at + 8] = struct.pack("<q", chance.choice(EXTREMES))
            case 4:
                del made[at:]
            case 5:
                del made[at:until]
            case 6:
                made[at:at] = made[at:until] * chance.choice((1, 2, 50))
            case 7:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                made[at:until] = other[start : start + chance.randrange(1, 40)]
            case 8:
                made[:0] = (b"l" + struct.pack("<I", 1)) * chance.randrange(1, 9)
    return bytes(made)


def attack_the_decoder(rounds: int, seed: int) -> int:
    """Decode mutants and return how many were values; raise on any other error, a long time, or much memory."""
    chance = random.Random(seed)  # noqa: S311  (to be repeated, not to be secret)
    encoded = [encode(value) for value in SEEDS]
    decoded = 0
    tracemalloc.start()
    try:
        before = None
        for number in range(rounds):
            data = mutant_of(chance.choice(encoded), encoded, chance)
            tracemalloc.reset_peak()
            held, began = tracemalloc.get_traced_memory()[0], time.process_time()
            value: Any = Malformed
            with contextlib.suppress(Malformed):
                value = decode(data)
            assert time.process_time() - began < 1, data
            assert tracemalloc.get_traced_memory()[1] - held < 50_000 + ALLOWED_PER_BYTE * len(data), data
            if value is not Malformed:
                decoded += 1
                again = encode(value)
                assert encode(decode(again)) == again, data
            if number == min(1000, rounds // 2):  # what is made once has been made
                before = tracemalloc.get_traced_memory()[0]
        del value
        assert before is not None
        assert tracemalloc.get_traced_memory()[0] - before < 100_000
    finally:
        tracemalloc.stop()
    return decoded


def test_twenty_thousand_mutants_are_values_or_malformed_in_no_time_and_leave_no_memory() -> None:
    decoded = attack_the_decoder(20_000, seed=1)

    assert 500 < decoded < 15_000  # neither only noise nor only what it was


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(10))
def test_two_million_mutants_are_values_or_malformed(seed: int) -> None:
    assert attack_the_decoder(200_000, seed=100 + seed)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(SEEDS) | VALUES, st.randoms(use_true_random=False))
def test_any_value_mutated_is_a_value_or_malformed(value: Any, chance: random.Random) -> None:
    encoded = [encode(value), *map(encode, SEEDS)]

    with contextlib.suppress(Malformed):
        decode(mutant_of(encoded[0], encoded, chance))


class Scripted:
    """A child that has said what it will say, whatever is asked, and is gone."""

    pid = 2**22 + 1  # no process has it

    def __init__(self, said: bytes) -> None:
        self.channel, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        self._theirs = theirs

    def status(self) -> int | None:
        return 0

    def kill(self) -> None:
        pass

    def close(self) -> None:
        self.channel.close()
        self._theirs.close()

    def printed(self, most: int) -> bytes:
        return b""


@pytest.mark.skipif(os.name != "posix", reason="a child process of its own needs POSIX")
def test_a_mutated_frame_is_an_outcome_for_the_grader_never_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(2)  # noqa: S311
    nonce = 12345
    monkeypatch.setattr("graders.harness.sandbox.parent.secrets.randbits", lambda bits: nonce)
    frames = [REPLY.pack(nonce, len(encode(value))) + encode(value) for value in SEEDS[:3]]
    outcomes: set[type] = set()
    began = time.monotonic()
    for _ in range(600):
        listed, answered = frames[2], mutant_of(chance.choice(frames), frames, chance)
        said = answered if chance.random() < 0.5 else listed + answered
        monkeypatch.setattr(processes, "start", lambda packages, limits, said=said: Scripted(said))
        with ProcessBox(Submission("a", "a.py", "file", "a.py", {"a.py": ""}), ("numpy",), Limits()) as box:
            outcomes.add(type(box.loaded))
            if isinstance(box.loaded, Loaded):
                outcomes |= {type(outcome) for outcome in box.call([Call("f", (1.0,))])}

    assert outcomes <= {Loaded, Returned, Raised, Killed}
    assert {Loaded, Raised, Killed} <= outcomes
    assert time.monotonic() - began < 60
