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
import ctypes
import gc
import importlib
import importlib.util
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import child, confine

MESSAGE = 1 << 16
CHANNEL, SINK = 3, 4  # the descriptors on which a child talks to the grader, and prints
PROBE_MEMORY = 4 << 30
ENDING = 1.0  # seconds after which a grader that has closed its socket, and lives, did so on purpose
STARTING_A_DRIVER = 60  # seconds of its CPU clock in which a child must have computed something on a GPU


class Device(NamedTuple):
    """What a child needs that may use a GPU: files to read, those of the device, and whether PyTorch is to try it."""

    readable: list[str]
    files: list[str]
    tried: bool


def main(descriptor: int) -> None:
    """Serve the grader's requests on this socket until it closes; if the grader was killed, remove its folder too."""
    control = socket.socket(fileno=_moved(descriptor))
    setup = json.load(sys.stdin)
    grader, root = _moved(setup["grader"]), _moved(setup["root"])
    if setup["scratch"]:  # bubblewrap is around: it must not go alone, and has set a variable
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        os.environ.pop("PWD", None)
    try:
        with contextlib.suppress(OSError):  # nobody is at the other end
            _serve(control, setup, root)
    finally:
        control.close()
        if select.select([grader], [], [], ENDING)[0]:
            shutil.rmtree(setup["folder"].lstrip("/"), ignore_errors=True, dir_fd=root)
        os._exit(0)


def _moved(descriptor: int) -> int:
    """Return a descriptor as a low number, which it need not have had in the grader: children close the low ones."""
    moved = os.dup(descriptor)
    os.close(descriptor)
    return moved


def _serve(control: socket.socket, setup: dict[str, Any], root: int) -> None:
    """Prepare what all children share, say what they give up, and fork them as they are asked for."""
    if setup["scratch"]:
        os.environ["TMPDIR"] = setup["scratch"]  # PyTorch cannot be imported without one
    for module in setup["preload"]:
        try:
            importlib.import_module(module)
        except ImportError:
            if setup["scratch"] and importlib.util.find_spec(module.partition(".")[0]):
                raise  # what it needs may lie where bubblewrap does not show it: let the grader do without
    device = Device(*setup["device"]) if setup["device"] else None
    _warm_up(device is None)
    if setup["scratch"]:
        if "torch" in sys.modules:
            importlib.import_module("torch._dynamo")  # the same, if the warming up did not get so far
        del os.environ["TMPDIR"]
        for folder, _, _ in os.walk(setup["scratch"]):
            os.chmod(folder, 0o500)
    rules, refused = _rules(setup["readable"])
    refused |= _refused(rules, set(refused), device)
    refused |= dict.fromkeys(setup["without"], "left out on purpose")
    layers = tuple(layer for layer in confine.LAYERS if layer not in refused)
    leaks = _leaks(rules, layers, setup["secret"], root, device)
    trouble = "" if device is None or leaks else _trouble(rules, layers, device)
    gc.freeze()  # what is here before the fork is not worth looking through in every child
    said = {"layers": layers, "refused": refused, "leaks": leaks, "trouble": trouble}
    control.send(json.dumps(said).encode())
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE, 2)
        if not message:  # the grader is gone; its children are told by the kernel
            return
        request = json.loads(message)
        if request["do"] == "fork":
            _fork(control, descriptors, rules, layers, request, device)
        else:
            status = _status(*descriptors)
            control.send(json.dumps({"status": status}).encode())


def _warm_up(steps: bool = True) -> None:
    """Have done once what every child would wait for: imports, and the first use of a compiler.

    Without `steps` PyTorch takes no optimizer step, which would ask the driver of a GPU whether there is one: after
    that no fork of this process could use it.
    """
    torch, numba = sys.modules.get("torch"), sys.modules.get("numba")
    if torch is not None:
        torch.set_num_threads(1)
        with contextlib.suppress(Exception), torch.no_grad():
            importlib.import_module("torch._dynamo")  # a second's work, that the first step would do
            weights = torch.nn.Parameter(torch.zeros(1, 1, 1, 1))
            weights.grad = torch.zeros_like(weights)
            torch.nn.functional.conv2d(torch.zeros(1, 1, 2, 2), weights)
            if steps:
                torch.optim.Adam([weights]).step()
    if numba is not None:
        with contextlib.suppress(Exception):
            _forget_compiled(importlib.import_module("numba.core.caching"))
            numpy = sys.modules["numpy"]
            numba.njit(lambda x: numpy.exp(x).sum())(numpy.ones(1))  # not in parallel: threads do not survive a fork


def _forget_compiled(caching: Any) -> None:
    """Let `cache=True` keep nothing, since nothing can be written: else it is an error to ask for it."""
    for name in ("cache_path", "load_overload", "save_overload", "enable", "disable", "flush"):
        setattr(caching.Cache, name, vars(caching.NullCache)[name])
    caching.Cache.__init__ = lambda cache, *function, **named: None


def _rules(readable: Sequence[str]) -> tuple[int | None, dict[str, str]]:
    try:
        return confine.landlock_rules(readable), {}
    except OSError as error:
        return None, {"landlock": str(error)}


# ---------------------------------------------------------------- children


def _fork(
    control: socket.socket, descriptors: list[int], rules: int | None, layers: Sequence[str], request: dict[str, Any],
    device: Device | None = None,
) -> None:  # fmt: skip
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
            _become_child((descriptors[0], descriptors[1]), rules, layers, request, device)
        finally:
            os._exit(1)
    for descriptor in descriptors:
        os.close(descriptor)
    process = os.pidfd_open(pid)
    socket.send_fds(control, [json.dumps({"pid": pid}).encode()], [process])
    os.close(process)


def _status(process: int) -> int | None:
    """Return the exit status of a child (negative: the signal that ended it), or None while it lives."""
    ended = os.waitid(os.P_PIDFD, process, os.WEXITED | os.WNOHANG)
    os.close(process)
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _become_child(
    descriptors: tuple[int, int], rules: int | None, layers: Sequence[str], request: dict[str, Any],
    device: Device | None = None,
) -> None:  # fmt: skip
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
    _confine(rules, layers, request["memory"], request["seconds"], device)
    if device is not None and device.tried:
        _compute_on_the_gpu()  # on the clock of loading, not on that of its first call
    child.serve(CHANNEL, SINK, request["printed"], device="cuda" if device is not None and device.tried else "")
    os._exit(0)


def _confine(rules: int | None, layers: Sequence[str], memory: int, seconds: int, device: Device | None = None) -> None:
    """Give up what these layers take; an error is fatal to the child, never passed over."""
    if device is not None:
        _go_first()
        rules = _rules_of_its_own(rules, device)
    if "no_new_privs" in layers:
        confine.give_up_privileges()
    if "landlock" in layers and rules is not None:
        confine.give_up_files(rules)
    if rules is not None:
        os.close(rules)
    if "limits" in layers:
        confine.limit(memory, seconds, device is not None)
    if "capabilities" in layers:
        confine.give_up_capabilities()
    confine.end_with_parent(signal.SIGKILL)
    if "seccomp" in layers:
        confine.give_up_system_calls(device is not None)


# ---------------------------------------------------------------- devices


def _go_first() -> None:
    """Have the kernel end this process before others when memory ends: what a driver takes of it no limit counts."""
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _rules_of_its_own(rules: int | None, device: Device) -> int | None:
    """Return the rules of a child with a device, which name files in /proc that are this process's own."""
    if rules is None:
        return None
    os.close(rules)
    for path in (*confine.OWN_FILES, confine.OWN_THREADS):
        os.open(path, os.O_PATH)  # left open: the kernel could forget the file, and make another one of that name
    return confine.landlock_rules([*device.readable, *confine.OWN_FILES], [*device.files, confine.OWN_THREADS])


def _compute_on_the_gpu() -> None:
    """Start the driver, here where all is given up already: its threads do too, and what it needs it has."""
    torch = importlib.import_module("torch")
    x = torch.ones(2, device="cuda")
    if float((x + x).sum()) != 4:
        raise ArithmeticError("it computes 2 + 2 wrongly")


def _asked_for_a_gpu() -> bool:
    """Return whether this process has asked the driver of a GPU for anything, be it how many there are.

    PyTorch does not say: it knows of what it has set up, not of what it asked. But to ask, the driver is loaded.
    """
    torch = sys.modules.get("torch")
    with open("/proc/self/maps") as file:
        return "/libcuda.so" in file.read() or (torch is not None and torch.cuda.is_initialized())


def _trouble(rules: int | None, layers: Sequence[str], device: Device) -> str:
    """Return why a child could not use the device; nothing if it can."""
    if _asked_for_a_gpu():
        return "PyTorch asks for the GPU when it is imported, after which no fork can use it"

    def tried() -> str:
        _confine(os.dup(rules) if rules is not None else None, layers, PROBE_MEMORY, STARTING_A_DRIVER, device)
        try:
            _compute_on_the_gpu()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""

    said, status = _in_a_child(tried) if device.tried else ("", 0)
    return f"the process ended with {status}" if said is None else str(said)


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


def _refused(rules: int | None, known: set[str], device: Device | None = None) -> dict[str, str]:
    """Return the layers that cannot be put on here, each tried by itself in a child, with the kernel's reason."""
    reasons = {}
    for layer in confine.LAYERS:
        if layer in known:
            continue
        needed = (layer,) if layer == "no_new_privs" else ("no_new_privs", layer)

        def tried(needed: Sequence[str] = needed) -> str:
            try:
                _confine(os.dup(rules) if rules is not None else None, needed, PROBE_MEMORY, 10, device)
            except (OSError, ValueError) as error:
                return str(error)
            return ""

        said, status = _in_a_child(tried)
        if said != "":
            reasons[layer] = said or f"the process ended with {status}"
    return reasons


def _attempts(secret: str, root: int | None = None) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return what a hostile submission would try first: the layer that forbids it, and how it is done.

    Files are sought from a root that is outside of everything around the zygote: no layer is to lean on that.
    """
    grader = os.getppid() or os.getpid()  # from a namespace of its own the zygote does not see the grader

    def outside(path: str) -> str:
        return path if root is None else path.lstrip("/") or "."

    def opened(path: str, flags: int = os.O_RDONLY) -> int:
        return os.open(outside(path), flags, dir_fd=root)

    def written(folder: str) -> None:
        path = os.path.join(folder, f"written-by-gradproof-{os.urandom(8).hex()}")
        os.close(opened(path, os.O_CREAT | os.O_WRONLY))
        with contextlib.suppress(OSError):  # it was written: that is bad enough
            os.unlink(outside(path), dir_fd=root)

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
        "read the grader's own file": ("landlock", lambda: os.read(opened(secret), 1)),
        "read /etc/passwd": ("landlock", lambda: os.read(opened("/etc/passwd"), 1)),
        "read /proc/self/mem": ("landlock", lambda: opened("/proc/self/mem")),
        "list the root": ("landlock", lambda: os.listdir(opened("/"))),
        "write into the working directory": ("landlock", lambda: written(os.getcwd())),
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


def _leaks(
    rules: int | None, layers: Sequence[str], secret: str, root: int | None = None, device: Device | None = None
) -> list[str]:
    """Return the attacks that succeed though the layer that forbids them is in place; none, or nothing is graded."""
    attempts = _attempts(secret, root)

    def tried() -> list[str]:
        _confine(os.dup(rules) if rules is not None else None, layers, PROBE_MEMORY, 10, device)
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
        _confine(os.dup(rules) if rules is not None else None, layers, PROBE_MEMORY, 10, device)
        import ctypes

        ctypes.CDLL(None).ptrace(0, 0, 0, 0)
        return "alive"

    done, status = _in_a_child(tried)
    leaks = [f"the self-test itself ended with {status}"] if done is None else list(done)
    if "seccomp" in layers and _in_a_child(fatal)[1] != -signal.SIGSYS:
        leaks.append("trace a process")
    return leaks


__all__ = ["main"]
