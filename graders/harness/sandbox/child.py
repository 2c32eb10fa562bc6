"""The child: loads one submission, makes the calls that it is told to make, and sends back data.

It runs as a program of its own from a folder that holds only its runtime files (hence the relative imports), with
the standard library and the packages an exercise allows in view and nothing else: no reference, no expected value.
Nothing it reports is trusted beyond being data; comparison, clock and verdict stay with the parent.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import importlib
import io
import itertools
import mmap
import os
import random
import re
import socket
import sys
import traceback
import types
import warnings
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from . import devices
from .codec import (
    CODES,
    REPLY,
    REQUEST,
    SHORT,
    Kept,
    Malformed,
    Opaque,
    Rebuilt,
    Record,
    decode_in_place,
    encode,
    pieces,
)
from .describing import Functions, listing
from .given import GIVEN
from .loading import imported, load, starred

MAX_MESSAGE = 2000


# ---------------------------------------------------------------- calling


_AS_THEY_ARE = (np.ndarray, float, int, bool, str, types.NoneType)


def _build(value: Any, kept: Mapping[str, Any]) -> Any:
    """Return the argument that a description stands for; arrays are this call's own already."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Kept):
        if value.name not in kept:
            raise LookupError(f"an earlier call failed, so {value.name} is not there")
        return _part(kept[value.name], value.path)
    if isinstance(value, Rebuilt):
        return _kind(value.name, value.fields)(*_fields(_build(value.kept, kept), value.fields))
    if isinstance(value, Record):
        fields = {name: _build(field, kept) for name, field in value.fields.items()}
        return _MADE[value.name](**fields) if value.name in _MADE else _kind(value.name, tuple(fields))(**fields)
    if isinstance(value, (list, tuple)):
        return type(value)(_build(item, kept) for item in value)
    if isinstance(value, dict):
        return {key: _build(item, kept) for key, item in value.items()}
    return value


def _tensor(data: Any, grad: Any = None, parameter: bool = False) -> Any:
    """Return a tensor that lies where the array does, or on a device, so that to write to one is to write there."""
    torch = importlib.import_module("torch")
    made = devices.given(torch.from_numpy(np.asarray(data)))
    if parameter:
        made = torch.nn.Parameter(made.clone())
    if grad is not None:
        made.grad = grad.clone() if isinstance(grad, torch.Tensor) else devices.onto(torch.tensor(grad))
    return made


_MADE: Mapping[str, Callable[..., Any]] = {
    "torch.Tensor": _tensor,
    "types.SimpleNamespace": types.SimpleNamespace,
    **GIVEN,
}
"""Records that stand for more than a namedtuple; no namedtuple has a dot in its name."""


def own(value: Any) -> Any:
    """Return containers and arrays of the child's own, which may be written to: they are not the grader's."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, types.SimpleNamespace):
        return types.SimpleNamespace(**own(vars(value)))
    if type(value) in (list, tuple):
        return type(value)(own(item) for item in value)
    return {key: own(item) for key, item in value.items()} if type(value) is dict else value


def _put(value: Any, path: Sequence[int | str], new: Any) -> None:
    """Replace the part of an object that a path names; a tensor keeps its identity, and an array if it can."""
    *outer, last = path
    owner = _part(value, outer)
    held: Any = None
    with contextlib.suppress(LookupError):
        held = _part(owner, [last])
    if hasattr(held, "requires_grad") and hasattr(held, "detach"):
        held.data = new.detach().clone()
    elif isinstance(held, np.ndarray) and isinstance(new, np.ndarray) and _alike(held, new):
        held[...] = new
    elif isinstance(owner, (list, dict)):
        owner[last] = own(new)  # type: ignore[index]
    else:
        setattr(owner, str(last), own(new))


def _alike(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and one.flags.writeable


def _seed(seed: int) -> None:
    """Seed every global source of random numbers that a submission may draw from, so that a verdict can be replayed."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (it is what old submissions draw from)
    torch: Any = sys.modules.get("torch")
    if hasattr(torch, "default_generator"):  # torch.manual_seed looks for every kind of device: for milliseconds
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)


MOST_ITEMS = 5000


def _items(value: Any) -> Any:
    """Return what an iterator gives, so many items at most; anything else as it is."""
    return list(itertools.islice(value, MOST_ITEMS)) if isinstance(value, Iterator) else value


def _strided(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an array of the same values whose entries lie apart in memory, and columns before rows."""
    room = np.full((*array.shape[::-1], 2), np.nan if array.dtype.kind == "f" else 1, array.dtype)
    view = room[..., 0].T
    view[...] = array
    return view


_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "=": lambda value: value,
    "=own": own,
    "=put": _put,
    "=seed": _seed,
    "=items": _items,
    "=strided": _strided,
}
"""What a plan needs besides the submission's own functions: to read of a kept value, to make and to change one."""


def _named(functions: Mapping[str, Callable[..., Any]], name: str) -> Callable[..., Any]:
    """Return the function, class or method of a class that a call names."""
    if name in _OPERATIONS:
        return _OPERATIONS[name]
    if name in functions:
        return functions[name]
    owner, _, method = name.rpartition(".")
    made: Callable[..., Any] = getattr(functions[owner], method)
    return made


@functools.lru_cache(maxsize=64)
def _kind(name: str, fields: tuple[str, ...]) -> Any:
    """Return the namedtuple of that name; to make one takes longer than most calls."""
    return namedtuple(name, fields)


def _fields(value: Any, names: tuple[str, ...]) -> list[Any]:
    """Return a state's fields: from a mapping or attributes by name, from a sequence in order, or the one there is."""
    bare = hasattr(type(value), "__array__")  # an array has methods of many names
    if isinstance(value, Mapping) or (not bare and all(hasattr(value, name) for name in names)):
        return [_part(value, (name,)) for name in names]
    if isinstance(value, (tuple, list)) and len(value) == len(names):
        return list(value)
    if len(names) == 1 and not isinstance(value, (tuple, list)):
        return [value]
    raise LookupError(f"the new state is {described(value)}, expected {len(names)} values: {', '.join(names)}")


def _part(value: Any, path: Sequence[int | str]) -> Any:
    """Return the part of a result that a path names; raise LookupError, in words, if it has no such part."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, (tuple, list)):
                raise LookupError(f"returned {described(value)}, expected a tuple of several results")
            if step >= len(value):
                raise LookupError(f"returned a tuple of {len(value)}, expected at least {step + 1}")
            value = value[step]
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        elif hasattr(value, step):
            value = getattr(value, step)
        else:
            raise LookupError(f"returned {described(value)}, expected it to hold {step!r}")
    return value


def described(value: Any) -> str:
    """Say in a few words what a value is: `an array of shape (3,)`, `None`, `a tuple of 2`."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" + (" of objects" if value.dtype == object else "")
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def plain(value: Any, depth: int = 6) -> Any:
    """Return the data of a result: base arrays, numbers, strings and containers; `Opaque` for whatever is none.

    Arrays are not copied: who keeps what is returned here copies it.
    """
    if type(value) is np.ndarray and value.dtype in CODES:
        return value
    if depth < 0:
        return Opaque("a structure nested too deeply")
    if value is None or type(value) in (bool, float, str):
        return value
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else Opaque("an integer of more than 64 bits")
    if isinstance(value, np.random.Generator):  # told apart by the numbers that it gives next
        return {"next": copy.deepcopy(value).random(4)}
    if isinstance(value, (np.ndarray, np.generic)):
        data = np.array(value, subok=False)
        if data.dtype == object and not data.ndim:
            return plain(data.item(), depth - 1)
        if data.dtype == object and data.size:  # parts such as folds, of several lengths or of one
            if data.ndim == 1 and all(type(row) is np.ndarray for row in data):
                return [plain(row, depth - 1) for row in data]
            if data.ndim == 2 and all(type(item) is int for item in data.flat):
                return plain(data.tolist(), depth - 1)
        if data.dtype.kind == "f" and data.dtype.itemsize > 8:
            data = data.astype(np.float64)
        return data if data.dtype.kind in "biuf" and data.dtype.itemsize <= 8 else Opaque(f"an array of {data.dtype}")
    if type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
        value = (
            value.float() if str(getattr(value, "dtype", "")) == "torch.bfloat16" else value
        )  # of which NumPy knows nothing
        return plain(value.detach().cpu().numpy(), depth)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {str(field): plain(item, depth - 1) for field, item in zip(value._fields, value, strict=False)}
    if isinstance(value, (list, tuple)):
        return (
            type(value)(plain(item, depth - 1) for item in value)
            if type(value) in (list, tuple)
            else Opaque(described(value))
        )
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth - 1) for key, item in value.items()}
    if hasattr(type(value), "__array__"):  # an array of another library, or of the submission's own
        return plain(np.asarray(value), depth - 1)
    if hasattr(type(value), "__dlpack__"):
        return plain(np.from_dlpack(value), depth - 1)
    if isinstance(value, types.SimpleNamespace):
        return {str(key): plain(item, depth - 1) for key, item in vars(value).items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name), depth - 1) for f in dataclasses.fields(value)}
    return Opaque(described(value))


def _arrays(values: Any) -> list[np.ndarray[Any, Any]]:
    if isinstance(values, np.ndarray):
        return [values]
    if isinstance(values, (list, tuple)):
        return [array for value in values for array in _arrays(value)]
    return []


FOREIGN_FRAME = re.compile(r"/|[A-Za-z]:|<|.*\.(pyx|pxd|pxi)$")
"""Names of files that are no submission's: absolute ones, made-up ones, and those that packages were compiled of."""
NO_INTEGER = re.compile(r"'float' object cannot be interpreted as an integer|dtype\('float64'\) to dtype\('int64'\)")
IN_PYTHON_2 = " (in Python 2, for which this file was written, / of whole numbers is whole)"


def _is_of_python_2(error: BaseException) -> bool:
    """Return whether the file in which an error was raised last uses xrange, which nothing there defines."""
    trace = error.__traceback__
    frames = []
    while trace is not None:
        frames += [trace.tb_frame] if not os.path.isabs(trace.tb_frame.f_code.co_filename) else []
        trace = trace.tb_next
    there = frames[-1].f_globals if frames else {"xrange": range}
    codes = [getattr(value, "__code__", None) for value in list(there.values())]
    return "xrange" not in there and any("xrange" in code.co_names for code in codes if code is not None)


def failure(error: BaseException) -> dict[str, Any]:
    """Describe an exception as data: its type, its message, and the last line of the submission it passed."""
    line, text, where = None, "", ""
    with contextlib.suppress(Exception):
        if isinstance(error, SyntaxError):
            line, text, where = error.lineno, (error.text or "").strip(), error.filename or ""
        else:
            own = [f for f in traceback.extract_tb(error.__traceback__) if not FOREIGN_FRAME.match(f.filename)]
            if own:
                line, text, where = own[-1].lineno, own[-1].line or "", own[-1].filename
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error)[:MAX_MESSAGE]
    except BaseException:
        message = "(its message could not be read)"
    with contextlib.suppress(Exception):
        if isinstance(error, ImportError) and error.path:  # where packages lie is another place in each run
            message = message.removesuffix(f" ({error.path})")
    with contextlib.suppress(Exception):
        if isinstance(error, TypeError) and NO_INTEGER.search(message) and _is_of_python_2(error):
            message += IN_PYTHON_2
    missing = None
    with contextlib.suppress(Exception):
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        missing = starred[0] if type(error) is NameError and starred else missing
    return {
        "status": "raised",
        "kind": type(error).__name__[:100],
        "message": message,
        "line": line,
        "text": str(text)[:200],
        "file": str(where)[:200],
        "missing": str(missing) if missing else None,
    }


def perform(
    functions: Mapping[str, Callable[..., Any]],
    call: Sequence[Any],
    kept: dict[str, Any],
    through: tuple[type[BaseException], ...] = (),
) -> Any:
    """Make one call and describe what came of it: the parts of the result that were asked for, as data.

    A call is a list, and so is the answer to one that returned (the parts, and whether one shares memory with an
    argument), since these cross a thousand times for a submission.
    Exceptions of the kinds in `through` are the caller's own (Ctrl-C in a self-check) and pass.
    """
    function, arguments, keywords, read, keep = call if len(call) > 2 else (*call, {}, ((),), "")
    devices.forget()
    try:
        arguments = [_build(value, kept) for value in arguments]
        keywords = {name: _build(value, kept) for name, value in keywords.items()}
    except LookupError as error:
        kept.pop(keep, None)
        return {"status": "unreadable", "message": str(error)[:MAX_MESSAGE]}
    except BaseException as error:  # a state's own property may raise
        kept.pop(keep, None)
        return failure(error)
    kept.pop(keep, None)  # what was kept under this name is an argument now, or was meant to be replaced
    given = _arrays(arguments)
    try:
        result = devices.moved(_named(functions, function)(*arguments, **keywords))
        parts = []
        for path in read:
            try:
                parts.append(_part(result, path))
            except LookupError as error:
                return {"status": "unreadable", "message": str(error)[:MAX_MESSAGE]}
        if keep:
            kept[keep] = result
        aliased = function not in _OPERATIONS and any(
            np.may_share_memory(output, array) for output in _arrays(parts) for array in given
        )
        data = [plain(part) for part in parts]
        devices.write_back()
        return [data, aliased]
    except through:
        raise
    except BaseException as error:
        return failure(error)


# ---------------------------------------------------------------- serving


class _Memory(mmap.mmap):
    """Memory that arrays lie in, for those who walk from an array to its `base`, and on, to learn whose it is."""

    base = None
    flags = np.empty(0).flags


class _Line:
    """The child's end: takes requests, which lie in an arena that came with one of them, and sends replies."""

    def __init__(self, channel: int) -> None:
        self._channel = channel
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, channel)  # asks the kernel for nothing
        self._arena = memoryview(bytearray())
        self._room = 0

    def requests(self) -> Iterator[tuple[int, Any]]:
        """Yield the number and the content of each request until the channel closes."""
        while True:
            header, descriptors, _, _ = socket.recv_fds(self._socket, REQUEST.size, 1)
            while header and len(header) < REQUEST.size:
                header += os.read(self._channel, REQUEST.size - len(header))
            if not header:
                return
            for descriptor in descriptors:  # what lies in the arena before stays where arrays in it are in use
                self._arena = memoryview(_Memory(descriptor, 0))
                os.close(descriptor)
            number, at, length, self._room = REQUEST.unpack(header)
            yield number, decode_in_place(self._arena[at : at + length])

    def reply(self, number: int, value: Any) -> None:
        """Send an answer, or that it cannot be sent."""
        try:
            body = pieces(value)
            length = sum(map(len, body))
            if length > self._room:
                raise Malformed(f"{length:,} bytes, at most {self._room:,} are read")
        except (Malformed, MemoryError) as error:
            said = {"status": "unreadable", "message": f"returned {error or 'more than there is memory for'}"}
            body = [encode(said)]
            length = len(body[0])
        if length <= SHORT:
            self._send(REPLY.pack(number, length) + b"".join(body))
            return
        at = 0
        for piece in body:
            self._arena[at : at + len(piece)] = piece
            at += len(piece)
        self._send(REPLY.pack(number, length))
        os.read(self._channel, 1)  # the grader has taken it

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._channel, view) :]


def _limit(memory: int, printed: int) -> None:
    """Bound what this process can take, where nothing better is to be had than limits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (printed, printed))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


class _Capped(io.RawIOBase):
    """A descriptor to which so many bytes are written; what is printed beyond that is dropped, without an error."""

    def __init__(self, descriptor: int, left: int) -> None:
        self.descriptor = descriptor
        self.left = left

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def write(self, data: Any) -> int:
        kept = bytes(data[: self.left])
        with contextlib.suppress(OSError):
            os.write(self.descriptor, kept)
        self.left -= len(kept)
        return len(data)


def end_with(grader: int) -> None:
    """See to it that this process does not outlive its grader, which may have died before this was asked."""
    if sys.platform == "linux":
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != grader:
        os._exit(1)


def main(grader: int, channel: int, sink: int, memory: int, printed: int) -> None:
    """Serve the process `grader` from an interpreter of one's own, where no zygote can confine a child."""
    end_with(grader)
    _limit(memory, printed)
    serve(channel, sink, printed)


def serve(channel: int, sink: int, printed: int, trusted: Functions | None = None, device: str = "") -> None:
    """Serve the requests that arrive on a channel until it closes: first to load, then to call.

    Functions that are `trusted` are served in place of what there is to load. Tensors are made on the device, if any.

    What Python prints goes to the sink, so many bytes of it; what is written to the standard descriptors, nowhere.
    """
    capped: Any = _Capped(sink, printed)
    sys.stdout = sys.stderr = io.TextIOWrapper(capped, encoding="utf-8", errors="replace", write_through=True)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    devices.use(device)
    functions: Functions = {}
    line = _Line(channel)
    for number, request in line.requests():
        if request["do"] == "load":
            try:
                if trusted is None:
                    functions, notes = load(request["name"], request["kind"], request["files"], request["absent"])
                else:
                    functions, notes = trusted, []
                answer: dict[str, Any] = {"status": "loaded", "functions": listing(functions), "notes": notes}
                answer["imports"] = imported(request["kind"], request["files"])
            except BaseException as error:
                answer = failure(error)
            line.reply(number, answer)
            continue
        kept: dict[str, Any] = {}
        for offset, call in enumerate(request["calls"]):
            line.reply(number + offset, perform(functions, call, kept))


__all__ = ["described", "end_with", "failure", "listing", "load", "main", "own", "perform", "plain", "serve"]
