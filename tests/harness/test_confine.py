"""What a child gives up: the filter of system calls, read line by line; and a self-test that bites."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders.harness.sandbox import parent, processes
from graders.harness.sandbox.contract import Call, Killed, Limits, Loaded, Outcome, Raised, Returned, TimedOut
from graders.harness.sandbox.parent import ProcessBox, Submission

if sys.platform != "linux":
    # `confine` asks Linux for them, and has no other part; it cannot even be imported elsewhere
    pytest.skip("the layers are Linux's", allow_module_level=True)

from graders.harness.sandbox import confine, zygote

PID = 4711
EPERM, ENOSYS = confine._ERRNO | errno.EPERM, confine._ERRNO | errno.ENOSYS
ALLOW, KILL = confine._ALLOW, confine._KILL
MACHINES = list(confine.MACHINES)


def decided(machine: str, number: int, *arguments: int, audit: int | None = None, device: bool = False) -> int:
    """Return what the filter says of a system call: the program run by hand, as the kernel would."""
    architecture = confine.MACHINES[machine].audit if audit is None else audit
    data = struct.pack("<IIQ6Q", number, architecture, 0, *arguments, *(0,) * (6 - len(arguments)))
    lines = confine.filter_of(machine, PID, device)
    at = accumulator = 0
    for _ in range(10 * len(lines)):
        code, yes, no, value = lines[at]
        at += 1
        if code == confine._LOAD:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == confine._AND:
            accumulator &= value
        elif code == confine._RETURN:
            return value
        else:
            truth = {
                confine._EQUAL: accumulator == value,
                confine._SET: bool(accumulator & value),
                confine._GREATER: accumulator >= value,
            }[code]
            at += yes if truth else no
    raise AssertionError("the filter does not end")


def call(machine: str, name: str, *arguments: int, device: bool = False) -> int:
    known = confine.MACHINES[machine]
    return decided(machine, (known.calls | known.device)[name], *arguments, device=device)


@pytest.mark.parametrize("machine", MACHINES)
def test_what_computation_needs_is_let_through_and_what_it_never_makes_is_fatal(machine: str) -> None:
    for name in confine.MACHINES[machine].calls:
        if name not in confine.CHECKED:
            expected = KILL if name in confine.FATAL else ENOSYS if name in confine.ABSENT else ALLOW
            assert call(machine, name) == expected, name


@pytest.mark.parametrize("machine", MACHINES)
def test_every_other_number_is_refused(machine: str) -> None:
    known = set(confine.MACHINES[machine].calls.values())

    for number in set(range(1024)) - known:
        assert decided(machine, number) == EPERM, number


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_another_architecture_are_fatal(machine: str) -> None:
    assert decided(machine, 0, audit=0x40000003) == KILL  # i386, by int 0x80
    if machine == "x86_64":
        assert decided(machine, 0x40000000) == KILL  # x32
        assert decided(machine, 0xFFFFFFFF) == KILL


THREAD = 0x3D0F00  # what pthread_create asks of clone


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "name, arguments, expected",
    [
        ("clone", (THREAD,), ALLOW),
        ("clone", (17,), EPERM),  # fork
        ("clone", (0x4111,), EPERM),  # vfork
        ("clone", (THREAD | 0x10000000,), EPERM),  # into a user namespace
        ("clone", (THREAD | 0x80,), EPERM),  # into a time namespace
        ("clone", (0x100,), EPERM),
        ("fcntl", (3, 3), ALLOW),
        ("fcntl", (3, 1030), ALLOW),
        ("fcntl", (3, 8), EPERM),  # who is signalled
        ("fcntl", (3, 1033), EPERM),  # seals
        ("kill", (PID, 9), ALLOW),
        ("kill", (1, 0), EPERM),
        ("kill", (0xFFFFFFFF, 9), EPERM),
        ("kill", (0, 9), EPERM),
        ("tgkill", (PID, 5, 6), ALLOW),
        ("tgkill", (1, 1, 6), EPERM),
        ("mmap", (0, 4096, 3, 0x22), ALLOW),
        ("mmap", (0, 4096, 3, 0x02), ALLOW),
        ("mmap", (0, 4096, 3, 0x21), EPERM),
        ("mmap", (0, 4096, 3, 0x22 | 0x40000), EPERM),
        ("mmap", (0, 4096, 3, 0x22 | 0x100), EPERM),
        ("prctl", (15, 0), ALLOW),
        ("prctl", (22, 2), EPERM),  # another filter
        ("prctl", (4, 1), EPERM),  # to be looked into
        ("prlimit64", (0, 7), ALLOW),
        ("prlimit64", (PID, 7), ALLOW),
        ("prlimit64", (1, 7), EPERM),
    ],
)
def test_arguments_decide(machine: str, name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert call(machine, name, *arguments) == expected


# what the driver of a device may do beside, and nobody else
FOR_A_DEVICE = [
    ("ioctl", (3, 0xC020462A), ALLOW),  # of the GPU's driver
    ("ioctl", (3, 0x25), ALLOW),  # of that of its memory
    ("ioctl", (3, 0x30000001), ALLOW),
    ("ioctl", (3, 0x5412), EPERM),  # TIOCSTI
    ("ioctl", (3, 0x8912), EPERM),  # SIOCGIFCONF
    ("ioctl", (3, 0xC0184600 | 0x8000), EPERM),
    ("socket", (1, 5, 0), ALLOW),
    ("socket", (1, 5 | 0x80000, 0), ALLOW),  # closed when a program is executed
    ("socket", (1, 1, 0), EPERM),
    ("socket", (2, 5, 0), EPERM),
    ("socket", (16, 5, 0), EPERM),
    ("setsockopt", (3, 1, 16), ALLOW),
    ("setsockopt", (3, 1, 8), EPERM),
    ("setsockopt", (3, 6, 16), EPERM),
    ("bind", (3,), ALLOW),
    ("listen", (3, 16), ALLOW),
    ("eventfd2", (0, 0), ALLOW),
    ("mmap", (0, 4096, 3, 0x21), ALLOW),
    ("mmap", (0, 4096, 3, 0x22), ALLOW),
    ("mmap", (0, 4096, 3, 0x21 | 0x40000), EPERM),
    ("mmap", (0, 4096, 3, 0x22 | 0x100), EPERM),
]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name, arguments, expected", FOR_A_DEVICE)
def test_arguments_decide_for_a_device_too(machine: str, name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert call(machine, name, *arguments, device=True) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_a_device_changes_nothing_but_its_own_calls(machine: str) -> None:
    known = confine.MACHINES[machine]
    assert not set(known.device) & set(known.calls)

    for number in range(1024):
        if number in known.device.values():
            assert decided(machine, number, 1, 5) == EPERM
        elif number != known.calls["mmap"]:
            for arguments in [(), (PID, 0), (0, PID), (THREAD,), (1, 1030), (15,), (3, 3, 3, 0x21)]:
                assert decided(machine, number, *arguments) == decided(machine, number, *arguments, device=True)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_kernel(machine: str) -> None:
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        # a second witness where there is one; the filter itself is tested without it
        pytest.skip("libseccomp, which knows the numbers too, is not installed")
    resolve: Callable[[int, bytes], int] = library.seccomp_syscall_resolve_name_arch

    for name, number in (confine.MACHINES[machine].calls | confine.MACHINES[machine].device).items():
        assert resolve(ctypes.c_uint32(confine.MACHINES[machine].audit), name.encode()) == number, name  # type: ignore[arg-type]


# ---------------------------------------------------------------- the self-test


def test_the_self_test_finds_nothing_where_all_layers_are_in_place() -> None:
    rules = confine.landlock_rules(["/usr/lib"])
    try:
        assert zygote._leaks(rules, confine.LAYERS, __file__) == []
    finally:
        os.close(rules)


@pytest.mark.parametrize(
    "guard, layer, leak",
    [
        ("give_up_files", "landlock", "read the grader's own file"),
        ("give_up_system_calls", "seccomp", "open a network socket"),
    ],
)
def test_the_self_test_bites_where_a_layer_does_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, guard: str, layer: str, leak: str
) -> None:
    monkeypatch.chdir(tmp_path)
    rules = confine.landlock_rules(["/usr/lib"])
    monkeypatch.setattr(confine, guard, lambda *given: None)
    try:
        assert leak in zygote._leaks(rules, confine.LAYERS, __file__)
        assert leak not in zygote._leaks(rules, [name for name in confine.LAYERS if name != layer], __file__)
        if layer == "landlock":
            assert "write into the working directory" in zygote._leaks(rules, confine.LAYERS, __file__)
    finally:
        os.close(rules)
        for left in (*Path("/tmp").glob("written-by-gradproof-*"), *Path("/dev/shm").glob("written-by-gradproof-*")):  # noqa: S108
            left.unlink()


def test_a_zygote_that_leaks_grades_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "readable", lambda packages: ["/"])

    with pytest.raises(parent.CannotStart, match="self-test failed, nothing is graded: it could read the grader's own"):
        processes.Zygote(("numpy",))


def test_a_layer_that_is_missing_changes_the_tier() -> None:
    zygote = processes.Zygote(("numpy",), without=("landlock",))
    try:
        assert zygote.isolation.tier == "reduced"
        assert "landlock" not in zygote.isolation.layers
        assert zygote.isolation.missing == {"landlock": "left out on purpose"}
    finally:
        zygote.close()


def test_this_machine_says_which_layers_it_has() -> None:
    made = processes.isolation()

    assert made.tier == ("full" if not made.missing else "reduced")
    assert set(made.layers) | set(made.missing) == set(processes.LAYERS) == set(confine.LAYERS)


# ---------------------------------------------------------------- what is left to a child


def outcome(body: str, *arguments: Any, limits: Limits = Limits(call_seconds=2.0)) -> Outcome:  # noqa: B008
    text = "import ctypes, os, socket, threading\nimport numpy as np\ndef f(*a):\n    " + body.replace("\n", "\n    ")
    with ProcessBox(Submission("s", "s.py", "file", "s.py", {"s.py": text}), ("numpy",), limits) as box:
        assert isinstance(box.loaded, Loaded), box.loaded
        (made,) = box.call([Call("f", arguments)])
    return made


full = pytest.mark.skipif(
    "processes.isolation().tier != 'full'", reason="a layer is missing on this machine: see gradproof doctor"
)


@full
@pytest.mark.parametrize(
    "body",
    [
        "return open('/etc/passwd').read()",
        "return os.listdir('/')",
        f"return open({parent.__file__!r}).read()",
        "return open('/proc/self/maps').read()",
        "return open('/proc/1/environ').read()",
        "open('x', 'w')",
        "os.mkdir('/tmp/x')",
        "os.symlink('/etc', '/dev/shm/x')",
        "os.unlink('/tmp/x')",
        "socket.socket()",
        "socket.socketpair()",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), 9)",
        "os.killpg(0, 9)",
        "os.memfd_create('x')",
        "os.setpriority(os.PRIO_PROCESS, 0, -5)",
        "os.sched_setaffinity(0, {0})",
        "os.chmod('.', 0o777)",
        "os.chroot('/')",
        "os.mkfifo('x')",
    ],
)
def test_what_is_forbidden_is_an_error_of_the_submission(body: str) -> None:
    made = outcome(body)

    assert isinstance(made, Raised), made
    assert made.kind in ("PermissionError", "OSError", "FileNotFoundError")


@full
@pytest.mark.parametrize("name", ["ptrace", "bpf", "io_uring_setup", "process_vm_readv", "unshare", "keyctl"])
def test_what_no_computation_asks_for_ends_it(name: str) -> None:
    number = confine.MACHINES[os.uname().machine].calls[name]

    assert outcome(f"ctypes.CDLL(None).syscall({number}, 0, 0, 0, 0, 0)") == Killed("it made a forbidden system call")


@full
@pytest.mark.parametrize(
    "body, value",
    [
        ("return float(np.linalg.svd(np.eye(40))[1].sum())", 40.0),
        ("import decimal, fractions, statistics, json, csv\nreturn float(fractions.Fraction(1, 2))", 0.5),
        ("made = []\nt = threading.Thread(target=made.append, args=(2.0,)); t.start(); t.join()\nreturn made[0]", 2.0),
        ("import concurrent.futures as c\nreturn sum(c.ThreadPoolExecutor(4).map(float, range(5)))", 10.0),
        ("import random\nreturn float(0 <= random.random() < 1)", 1.0),
        ("import time\ntime.sleep(0.01)\nreturn float(time.time() > 0)", 1.0),
        ("return float(np.random.default_rng().random() < 1)", 1.0),
        ("import sys\nsys.setrecursionlimit(20000)\ng = lambda n: n and 1 + g(n - 1)\nreturn float(g(15000))", 15000.0),
        ("return float(np.fft.fft(np.ones(8))[0].real)", 8.0),
        ("return float(ctypes.CDLL(None).abs(-3))", 3.0),
        ("import inspect\nreturn float(len(inspect.signature(f).parameters))", 1.0),
    ],
)
def test_what_computation_needs_works(body: str, value: float) -> None:
    assert outcome(body) == Returned((value,))


@full
def test_torch_is_warm_and_trains_inside() -> None:
    pytest.importorskip("torch", reason="PyTorch is an extra and is not installed")
    text = """
        import torch
        def f(x):
            p = torch.nn.Parameter(torch.tensor(x))
            optimizer = torch.optim.Adam([p], lr=0.5)
            (p**2).sum().backward()
            optimizer.step()
            return p
        def g():
            torch.set_num_threads(2)
            a = torch.ones(300, 300, requires_grad=True)
            (a @ a).sum().backward()
            return float(a.grad[0, 0]), torch.cuda.is_available()
        """
    limits = Limits(call_seconds=1.0, memory=16 << 30)
    submission = Submission("s", "s.py", "file", "s.py", {"s.py": textwrap.dedent(text)})
    with ProcessBox(submission, ("numpy", "torch"), limits) as box:
        assert isinstance(box.loaded, Loaded), box.loaded
        stepped, others = box.call([Call("f", (np.ones(3),)), Call("g", ())])

    assert isinstance(stepped, Returned)
    np.testing.assert_allclose(stepped.values[0], 0.5)
    assert others == Returned(((600.0, False),))


@full
def test_scipy_works_inside() -> None:
    pytest.importorskip("scipy", reason="SciPy is not installed")
    text = "import scipy.stats, scipy.optimize as o\ndef f(x):\n    return o.brentq(lambda t: t * t - x, 0, 2)\n"
    with ProcessBox(Submission("s", "s.py", "file", "s.py", {"s.py": text}), ("numpy", "scipy"), Limits()) as box:
        (root,) = box.call([Call("f", (2.0,))])

    assert isinstance(root, Returned)
    assert root.values[0] == pytest.approx(2**0.5)


@full
def test_modules_autograd_and_schedules_of_torch_work_inside() -> None:
    pytest.importorskip("torch", reason="PyTorch is an extra and is not installed")
    text = """
        import torch
        import torch.nn.functional as F
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv, self.norm, self.out = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(8, 3)
            def forward(self, x):
                return self.out(F.relu(self.norm(self.conv(x))).flatten(1))
        class Square(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x
            @staticmethod
            def backward(ctx, g):
                return 2 * ctx.saved_tensors[0] * g
        def train(x, y):
            torch.manual_seed(0)
            net = Net()
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
            schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2)
            losses = []
            for _ in range(5):
                optimizer.zero_grad()
                loss = F.cross_entropy(net(torch.as_tensor(x)), torch.as_tensor(y))
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
            return losses[-1] < losses[0]
        def own(x):
            x = torch.tensor(x, requires_grad=True)
            Square.apply(x).sum().backward()
            return x.grad, torch.autograd.gradcheck(Square.apply, x)
        def functional(x):
            return torch.func.jacrev(lambda x: x**2)(torch.as_tensor(x))
        """
    limits = Limits(call_seconds=5.0, memory=16 << 30)
    submission = Submission("s", "s.py", "file", "s.py", {"s.py": textwrap.dedent(text)})
    images, labels = np.random.default_rng(0).random((4, 1, 4, 4), np.float32), np.array([0, 1, 2, 0])
    with ProcessBox(submission, ("numpy", "torch"), limits) as box:
        assert isinstance(box.loaded, Loaded), box.loaded
        calls = [Call("train", (images, labels)), Call("own", (np.arange(3.0),)), Call("functional", (np.ones(2),))]
        trained, own, functional = box.call(calls)

    assert trained == Returned((True,))
    assert isinstance(own, Returned)
    np.testing.assert_array_equal(own.values[0][0], [0, 2, 4])
    assert own.values[0][1] is True
    assert isinstance(functional, Returned)
    np.testing.assert_array_equal(functional.values[0], [[2, 0], [0, 2]])


@full
def test_the_parts_of_scipy_work_inside() -> None:
    pytest.importorskip("scipy", reason="SciPy is not installed")
    text = """
        import numpy as np
        from scipy import fft, integrate, linalg, ndimage, optimize, signal, sparse, special, stats
        import scipy.sparse.linalg
        def f(x):
            return [
                special.softmax(x).sum(), linalg.solve(np.eye(3), x).sum(), signal.fftconvolve(x, x).sum(),
                signal.convolve2d(np.eye(3), np.eye(2), mode="valid").sum(), stats.norm.cdf(0.0),
                optimize.minimize(lambda p: ((p - 1) ** 2).sum(), np.zeros(2)).x.sum(), ndimage.correlate1d(x, x).sum(),
                sparse.linalg.spsolve(sparse.eye(3, format="csc"), x).sum(), fft.fft(x)[0].real,
                integrate.quad(lambda t: 2 * t, 0, 1)[0],
            ]
        """
    submission = Submission("s", "s.py", "file", "s.py", {"s.py": textwrap.dedent(text)})
    with ProcessBox(submission, ("numpy", "scipy"), Limits(call_seconds=5.0)) as box:
        assert isinstance(box.loaded, Loaded), box.loaded
        (made,) = box.call([Call("f", (np.ones(3),))])

    assert isinstance(made, Returned)
    np.testing.assert_allclose(np.array(made.values[0], float), [1, 3, 9, 4, 0.5, 2, 9, 3, 3, 1], rtol=1e-6)


COMPILED = """
    import numba
    import numpy as np
    @numba.njit
    def total(x):
        s = 0.0
        for v in x:
            s += v
        return s
    @numba.njit(cache=True)
    def softmax(x):
        e = np.exp(x - x.max())
        return e / e.sum()
    @numba.njit(parallel=True, cache=True)
    def squares(x):
        s = 0.0
        for i in numba.prange(x.shape[0]):
            s += x[i] ** 2
        return s
    @numba.vectorize(["float64(float64)"], cache=True)
    def half(x):
        return x / 2
    @numba.guvectorize(["void(float64[:], float64[:])"], "(n)->(n)", target="parallel", cache=True)
    def third(x, out):
        for i in range(x.shape[0]):
            out[i] = x[i] / 3
    @numba.njit
    def product(a, b):
        return a @ b
    @numba.njit
    def endless():
        while True:
            pass
    """


@full
def test_numba_compiles_inside_with_threads_and_keeps_nothing() -> None:
    pytest.importorskip("numba", reason="numba is not installed: submissions may use it, nothing of ours does")
    limits = Limits(call_seconds=20.0, load_seconds=20.0, total_seconds=100.0)
    submission = Submission("s", "s.py", "file", "s.py", {"s.py": textwrap.dedent(COMPILED)})
    x = np.array([1.0, 2.0, 3.0])
    calls = [Call(name, (x,)) for name in ("total", "softmax", "squares", "half", "third")]
    with ProcessBox(submission, ("numpy", "scipy", "numba"), limits) as box:
        assert isinstance(box.loaded, Loaded), box.loaded
        made = box.call([*calls, Call("product", (np.eye(3), np.eye(3)))])

    expected = [6.0, np.exp(x) / np.exp(x).sum(), 14.0, x / 2, x / 3, np.eye(3)]
    for outcome, value in zip(made, expected, strict=True):
        assert isinstance(outcome, Returned), outcome
        np.testing.assert_allclose(outcome.values[0], value)


@full
def test_compiled_code_is_stopped_by_the_clock_as_any_other() -> None:
    pytest.importorskip("numba", reason="numba is not installed: submissions may use it, nothing of ours does")
    submission = Submission("s", "s.py", "file", "s.py", {"s.py": textwrap.dedent(COMPILED)})
    with ProcessBox(submission, ("numpy", "numba"), Limits(call_seconds=1.0, load_seconds=20.0)) as box:
        assert isinstance(box.loaded, Loaded), box.loaded
        assert box.call([Call("endless", ())]) == [TimedOut(1.0, "of CPU time")]


@full
def test_what_one_submission_changes_the_next_does_not_see() -> None:
    spoils = """
        import builtins, json, random, sys
        import numpy as np
        np.exp = np.add = None
        np.random.seed(1)
        random.seed(1)
        builtins.len = None
        json.dumps = None
        sys.modules["gradproof_child.codec"].encode = None
        sys.setrecursionlimit(60)
        np.ones(3)[0] = 2
        """
    sees = "import json, random\nimport numpy as np\ndef f():\n    return [np.exp(0.0), len('abc'), json.dumps(1)]\n"
    with ProcessBox(Submission("s", "s.py", "file", "s.py", {"s.py": textwrap.dedent(spoils)}), ("numpy",), Limits()):
        pass
    with ProcessBox(Submission("t", "t.py", "file", "t.py", {"t.py": sees}), ("numpy",), Limits()) as box:
        assert box.call([Call("f", ())]) == [Returned(([1.0, 3, "1"],))]
