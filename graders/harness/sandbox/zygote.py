"""The zygote: an interpreter that has imported what submissions need, and forks a confined child for each of them.

It is started afresh, not forked from the grader, so that there is nothing of the grader's in its memory: no reference,
no expected value, no seed. It never touches a submission; the child that it forks gives up everything but computation
(see `confine`) before it reads the first hostile byte. Requests come and answers go on one socket, with descriptors of
the channels between the grader and the children. When the grader dies the socket closes, the zygote ends, and the
kernel ends its children.

It runs from a folder that holds only this file, `confine`, `child` and the codec (hence the relative imports).
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

from . import child, confine

MESSAGE = 1 << 16
CHANNEL, SINK = 3, 4  # the descriptors on which a child talks to the grader, and prints
PROBE_MEMORY = 4 << 30


def main(descriptor: int) -> None:
    """Serve the grader's requests on this socket until it closes."""
    control = socket.socket(fileno=descriptor)
    setup = json.load(sys.stdin)
    for module in setup["preload"]:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    _warm_up()
    rules, refused = _rules(setup["readable"])
    refused |= _refused(rules, set(refused))
    refused |= dict.fromkeys(setup["without"], "left out on purpose")
    layers = tuple(layer for layer in confine.LAYERS if layer not in refused)
    leaks = _leaks(rules, layers, setup["secret"])
    gc.freeze()  # what is here before the fork is not worth looking through in every child
    control.send(json.dumps({"layers": layers, "refused": refused, "leaks": leaks}).encode())
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE, 2)
        if not message:  # the grader is gone; its children are told by the kernel
            if os.getppid() != setup["grader"]:
                shutil.rmtree(setup["folder"], ignore_errors=True)  # killed, it left its folder behind
            os._exit(0)
        request = json.loads(message)
        if request["do"] == "fork":
            _fork(control, descriptors, rules, layers, request)
        else:
            ended, status = os.waitpid(request["pid"], os.WNOHANG)
            control.send(json.dumps({"status": os.waitstatus_to_exitcode(status) if ended else None}).encode())


def _warm_up() -> None:
    """Have torch import what its first optimizer step would: a second's work, for which no child should wait."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    torch.set_num_threads(1)
    with contextlib.suppress(Exception), torch.no_grad():
        importlib.import_module("torch._dynamo")
        weights = torch.nn.Parameter(torch.zeros(1, 1, 1, 1))
        weights.grad = torch.zeros_like(weights)
        torch.nn.functional.conv2d(torch.zeros(1, 1, 2, 2), weights)
        torch.optim.Adam([weights]).step()


def _rules(readable: Sequence[str]) -> tuple[int | None, dict[str, str]]:
    try:
        return confine.landlock_rules(readable), {}
    except OSError as error:
        return None, {"landlock": str(error)}


# ---------------------------------------------------------------- children


def _fork(
    control: socket.socket, descriptors: list[int], rules: int | None, layers: Sequence[str], request: dict[str, Any]
) -> None:
    try:
        pid = os.fork()
    except OSError as error:
        control.send(json.dumps({"error": str(error)}).encode())
        for descriptor in descriptors:
            os.close(descriptor)
        return
    if pid == 0:
        try:
            control.detach()
            _become_child((descriptors[0], descriptors[1]), rules, layers, request)
        finally:
            os._exit(1)
    for descriptor in descriptors:
        os.close(descriptor)
    process = os.pidfd_open(pid)
    socket.send_fds(control, [json.dumps({"pid": pid}).encode()], [process])
    os.close(process)


def _become_child(
    descriptors: tuple[int, int], rules: int | None, layers: Sequence[str], request: dict[str, Any]
) -> None:
    """Serve one submission, confined; never return."""
    channel, printed = descriptors
    os.setsid()
    kept = 100  # above all that is open
    os.dup2(channel, kept)
    os.dup2(printed, kept + 1)
    if rules is not None:
        rules = os.dup2(rules, kept + 2)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.dup2(kept, CHANNEL)
    os.dup2(kept + 1, SINK)
    os.closerange(SINK + 1, kept + 2)
    _confine(rules, layers, request["memory"], request["seconds"])
    child.serve(CHANNEL, SINK, request["printed"])
    os._exit(0)


def _confine(rules: int | None, layers: Sequence[str], memory: int, seconds: int) -> None:
    """Give up what these layers take; an error is fatal to the child, never passed over."""
    if "no_new_privs" in layers:
        confine.give_up_privileges()
    if "landlock" in layers and rules is not None:
        confine.give_up_files(rules)
    if rules is not None:
        os.close(rules)
    if "limits" in layers:
        confine.limit(memory, seconds)
    if "capabilities" in layers:
        confine.give_up_capabilities()
    confine.end_with_parent(signal.SIGKILL)
    if "seccomp" in layers:
        confine.give_up_system_calls()


# ---------------------------------------------------------------- the self-test


def _in_a_child(act: Callable[[], Any]) -> tuple[Any, int]:
    """Return what an act in a forked child says, and its exit status."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            said = json.dumps(act()).encode()
            os.write(writing, said)
        finally:
            os._exit(0)
    os.close(writing)
    said = b""
    while chunk := os.read(reading, 1 << 16):
        said += chunk
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    return json.loads(said) if said else None, os.waitstatus_to_exitcode(status)


def _refused(rules: int | None, known: set[str]) -> dict[str, str]:
    """Return the layers that cannot be put on here, each tried by itself in a child, with the kernel's reason."""
    reasons = {}
    for layer in confine.LAYERS:
        if layer in known:
            continue
        needed = (layer,) if layer == "no_new_privs" else ("no_new_privs", layer)

        def tried(needed: Sequence[str] = needed) -> str:
            try:
                _confine(os.dup(rules) if rules is not None else None, needed, PROBE_MEMORY, 10)
            except (OSError, ValueError) as error:
                return str(error)
            return ""

        said, status = _in_a_child(tried)
        if said != "":
            reasons[layer] = said or f"the process ended with {status}"
    return reasons


def _attempts(secret: str) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return what a hostile submission would try first: the layer that forbids it, and how it is done."""
    grader = os.getppid()

    def written(folder: str) -> None:
        path = os.path.join(folder, f"written-by-gradproof-{os.getpid()}")
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        with contextlib.suppress(OSError):  # it was written: that is bad enough
            os.unlink(path)

    def started() -> None:
        if os.fork() == 0:
            os._exit(0)

    def executed() -> None:
        os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})

    def connected() -> None:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()

    def spoke() -> None:
        one, two = socket.socketpair()
        one.close()
        two.close()

    def raised() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))

    return {
        "read the grader's own file": ("landlock", lambda: open(secret, "rb").read(1)),
        "read /etc/passwd": ("landlock", lambda: open("/etc/passwd", "rb").read(1)),
        "read /proc/self/mem": ("landlock", lambda: open("/proc/self/mem", "rb").seek(0)),
        "list the root": ("landlock", lambda: os.listdir("/")),
        "write into the working directory": ("landlock", lambda: written(".")),
        "write into /tmp": ("landlock", lambda: written("/tmp")),  # noqa: S108 - the attack, which must fail
        "write into /dev/shm": ("landlock", lambda: written("/dev/shm")),  # noqa: S108 - the same
        "fork": ("seccomp", started),
        "execute a program": ("seccomp", executed),
        "open a network socket": ("seccomp", connected),
        "open a local socket": ("seccomp", spoke),
        "keep memory under a name": ("seccomp", lambda: os.memfd_create("gradproof")),
        "signal the grader": ("seccomp", lambda: os.kill(grader, 0)),
        "signal everybody": ("seccomp", lambda: os.kill(-1, 0)),
        "change its user": ("seccomp", lambda: os.setresuid(1, 1, 1)),
        "change its root": ("seccomp", lambda: os.chroot(".")),
        "raise its limits": ("limits", raised),
    }


def _leaks(rules: int | None, layers: Sequence[str], secret: str) -> list[str]:
    """Return the attacks that succeed though the layer that forbids them is in place; none, or nothing is graded."""
    attempts = _attempts(secret)

    def tried() -> list[str]:
        _confine(os.dup(rules) if rules is not None else None, layers, PROBE_MEMORY, 10)
        done = []
        for name, (layer, attempt) in attempts.items():
            if layer in layers:
                try:
                    attempt()
                except (OSError, ValueError):
                    continue
                done.append(name)
        return done

    def fatal() -> str:
        _confine(os.dup(rules) if rules is not None else None, layers, PROBE_MEMORY, 10)
        import ctypes

        ctypes.CDLL(None).ptrace(0, 0, 0, 0)
        return "alive"

    done, status = _in_a_child(tried)
    leaks = [f"the self-test itself ended with {status}"] if done is None else list(done)
    if "seccomp" in layers and _in_a_child(fatal)[1] != -signal.SIGSYS:
        leaks.append("trace a process")
    return leaks


__all__ = ["main"]
