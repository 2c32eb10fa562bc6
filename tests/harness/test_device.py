"""A submission that may use a GPU: what it gets for that, what it does not, and that nobody else gets it.

Where there is no GPU two harmless devices stand in for one, which shows the walls; that CUDA itself is content with
what is inside them takes a GPU, and the tests that need one say so.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders.harness.sandbox import processes, visible
from graders.harness.sandbox.contract import Call, Limits, Loaded, Outcome, Raised, Returned
from graders.harness.sandbox.parent import CannotStart, ProcessBox, Submission

if sys.platform != "linux":
    # elsewhere a submission cannot be kept apart from a GPU's other users, and is given none
    pytest.skip("a GPU is given to a submission under Linux only", allow_module_level=True)

from graders.harness.sandbox import confine, zygote

STAND_INS = ["/dev/full", "/dev/zero"]
FOR_TORCH = Limits(call_seconds=20, load_seconds=60, total_seconds=120, memory=16 << 30)
full = pytest.mark.skipif(
    "processes.isolation().tier != 'full'", reason="a layer is missing on this machine: see gradproof doctor"
)
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is an extra and is not installed"
)


@pytest.fixture(scope="module")
def with_device() -> Iterator[processes.Zygote]:
    """A zygote whose children have two devices that are no GPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "device_files", lambda: STAND_INS)
        patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        made = processes.Zygote(("numpy",), device="cuda")
    yield made
    made.close()


@contextlib.contextmanager
def child(of: processes.Zygote, text: str, packages: tuple[str, ...] = ("numpy",)) -> Iterator[ProcessBox]:
    limits = FOR_TORCH if "torch" in packages else Limits()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "start", lambda *given, **named: processes.Forked(of, limits))
        box = ProcessBox(Submission("s", "s.py", "file", "s.py", {"s.py": textwrap.dedent(text)}), packages, limits)
    with box:
        assert isinstance(box.loaded, Loaded), box.loaded
        yield box


def outcome(of: processes.Zygote, body: str, *arguments: Any) -> Outcome:
    text = "import ctypes, errno, fcntl, mmap, os, socket, threading\nimport numpy as np\n"
    text += "def control(path, number, mode=os.O_RDWR):\n    fcntl.ioctl(os.open(path, mode), number)\n"
    text += "def f(*a):\n    " + body.replace("\n", "\n    ")
    with child(of, text) as box:
        (made,) = box.call([Call("f", arguments)])
    return made


# ---------------------------------------------------------------- what it gets


@full
@pytest.mark.parametrize("device", STAND_INS)
@pytest.mark.parametrize("number", [0x46FF, 0x25, 0x30000001])
def test_it_opens_and_controls_its_device(with_device: processes.Zygote, device: str, number: int) -> None:
    made = outcome(with_device, f"control({device!r}, {number})")

    assert isinstance(made, Raised)
    assert "Inappropriate ioctl" in made.message  # the device itself has been asked, and does not know such a number


@full
@pytest.mark.parametrize(
    "body",
    [
        "d = os.open('/dev/zero', os.O_RDWR)\nmmap.mmap(d, 4096)[0] = 1",
        "mmap.mmap(-1, 4096)[0] = 1",
        "os.close(os.eventfd(0))",
        "open('/proc/self/maps').read(); open('/proc/self/status').read(); open('/proc/self/comm').read()",
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\ns.setsockopt(1, 16, 1)\ns.bind(b'\\0gradproof')\n"
        "s.listen(1)",
    ],
)
def test_it_gets_what_the_driver_needs_beside(with_device: processes.Zygote, body: str) -> None:
    assert outcome(with_device, f"{body}\nreturn 1") == Returned((1,))


@full
def test_it_names_its_threads_in_proc_and_writes_nothing_else_there(with_device: processes.Zygote) -> None:
    body = """named = []
def name():
    path = f"/proc/self/task/{threading.get_native_id()}/comm"
    d = os.open(path, os.O_RDWR)
    os.write(d, b"a driver's")
    named.append(open(path).read().strip())
thread = threading.Thread(target=name)
thread.start()
thread.join()
refused = 0
for path in ("/proc/self/mem", "/proc/self/comm", "/proc/self/oom_score_adj", "/proc/self/clear_refs", "/proc/1/comm"):
    try:
        os.open(path, os.O_RDWR)
    except PermissionError:
        refused += 1
return named + [refused]"""

    assert outcome(with_device, body) == Returned((["a driver's", 5],))


@full
def test_the_files_that_its_rules_mean_are_held_open(with_device: processes.Zygote) -> None:
    paths = [*confine.OWN_FILES, confine.OWN_THREADS]
    body = f"""def number(d):
    try:
        return os.fstat(d).st_ino
    except OSError:
        return 0
held = {{number(d) for d in range(3, 30)}}
return [os.stat(path).st_ino in held for path in {paths!r}]"""

    assert outcome(with_device, body) == Returned(([True] * len(paths),))


@full
def test_it_may_reserve_any_address_space_and_fill_as_much_memory_as_others(with_device: processes.Zygote) -> None:
    body = """libc = ctypes.CDLL(None)
libc.mmap.restype, libc.mmap.argtypes = ctypes.c_ssize_t, [ctypes.c_ssize_t] * 6
reserved = libc.mmap(0, 1 << 42, 0, 0x22, -1, 0) != -1
try:
    np.ones(1 << 30)
except MemoryError:
    return reserved
"""
    assert outcome(with_device, body) == Returned((True,))


@full
def test_it_is_the_first_to_go_when_memory_ends(with_device: processes.Zygote) -> None:
    with child(with_device, "import os\ndef f():\n    return os.getpid()\n") as box:
        (made,) = box.call([Call("f", ())])
        assert isinstance(made, Returned)
        assert Path(f"/proc/{made.values[0]}/oom_score_adj").read_text() == "1000\n"


# ---------------------------------------------------------------- what it does not get


@full
@pytest.mark.parametrize(
    "body",
    [
        "os.open('/dev/null', os.O_RDWR)",
        "os.open('/dev/random', os.O_RDWR)",
        "os.open('/dev/tty', os.O_RDWR)",
        "control('/dev/urandom', 0x46ff, os.O_RDONLY)",  # it may be read, not controlled
        "control('/dev/zero', 0x5412)",  # what is typed at a terminal
        "control('/dev/zero', 0x8912)",  # the network's
        "fcntl.ioctl(3, 0x8912)",
        "open('/etc/passwd').read()",
        "open('x', 'w')",
        "open('/tmp/x', 'w')",
        "open('/dev/shm/x', 'w')",
        "os.truncate('/dev/zero', 0)",
        "os.mkfifo('/dev/x')",
        "os.memfd_create('x')",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "socket.socketpair()",
        "socket.socket()",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(b'\\0x')",
        "socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind('/tmp/x')",
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\ns.bind(b'\\0x')\ns.listen(1)\ns.accept()",
        "socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).setsockopt(1, 8, 4096)",
        "os.sched_setaffinity(0, {0})",
    ],
)
def test_all_else_is_refused_as_to_others(with_device: processes.Zygote, body: str) -> None:
    made = outcome(with_device, body)

    assert isinstance(made, Raised), made
    assert made.kind in ("PermissionError", "OSError")
    assert "Inappropriate" not in made.message


@full
def test_it_does_not_reach_into_another_child(with_device: processes.Zygote) -> None:
    with child(with_device, "import os\ndef f():\n    return os.getpid()\n") as box:
        (other,) = box.call([Call("f", ())])
        assert isinstance(other, Returned)
        made = outcome(with_device, "open(f'/proc/{a[0]}/task/{a[0]}/comm', 'w')", other.values[0])

    assert isinstance(made, Raised)
    assert made.kind == "PermissionError"


@full
@pytest.mark.parametrize(
    "body",
    [
        "os.open('/dev/zero', os.O_RDWR)",
        "control('/dev/null', 0x46ff, os.O_RDONLY)",
        "mmap.mmap(-1, 4096)",
        "os.eventfd(0)",
        "open('/proc/self/maps')",
        "open(f'/proc/self/task/{threading.get_native_id()}/comm', 'w')",
        "socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)",
    ],
)
def test_without_a_device_nothing_of_this_is_there(body: str) -> None:
    made = outcome(processes._zygote(("numpy",)), body)

    assert isinstance(made, Raised), made
    assert made.kind in ("PermissionError", "FileNotFoundError")


def test_the_tier_is_reduced_and_says_why(with_device: processes.Zygote) -> None:
    isolation = with_device.isolation

    assert isolation.tier == "reduced"
    assert "speaks directly to the driver of the GPU" in isolation.missing["bounds on the device"]
    assert not set(isolation.missing) & set(isolation.layers)


def test_the_self_test_bites_with_a_device_too() -> None:
    rules = confine.landlock_rules(["/usr/lib"])
    layers = confine.LAYERS
    try:
        assert zygote._leaks(rules, layers, __file__, None, zygote.Device(["/usr/lib"], STAND_INS, False)) == []
        leaks = zygote._leaks(rules, layers, __file__, None, zygote.Device(["/"], STAND_INS, False))
    finally:
        os.close(rules)

    assert "read the grader's own file" in leaks


# ---------------------------------------------------------------- whether there is one


def test_the_files_of_a_gpu_are_found_and_no_others(tmp_path: Path) -> None:
    for name in ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia", "nvidiaX", "nvme0", "kvm"):
        (tmp_path / name).touch()
    assert visible.device_files(str(tmp_path)) == []  # the driver is there, but no GPU

    (tmp_path / "nvidia0").touch()
    (tmp_path / "nvidia11").touch()
    (tmp_path / "nvidia-caps").mkdir()
    for number in (1, 2, 3, 30):
        (tmp_path / "nvidia-caps" / f"nvidia-cap{number}").touch()
    found = [Path(path).relative_to(tmp_path).as_posix() for path in visible.device_files(str(tmp_path))]
    assert found == [
        "nvidia-caps/nvidia-cap3", "nvidia-caps/nvidia-cap30", "nvidia-uvm", "nvidia-uvm-tools", "nvidia0", "nvidia11",
        "nvidiactl",
    ]  # fmt: skip


def test_without_a_gpu_nothing_starts_and_the_reason_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "device_files", list)

    with pytest.raises(CannotStart, match=r"^there is no GPU: /dev has no file nvidia0, nvidia1 …; grade on the CPU"):
        processes.start(("numpy", "torch"), Limits(), device="cuda")
    with pytest.raises(CannotStart, match="there is no GPU"):
        processes.isolation(("numpy", "torch"), device="cuda")


def test_without_pytorch_there_is_nothing_to_use_a_gpu_with() -> None:
    with pytest.raises(CannotStart, match="only PyTorch can use a GPU here, and it is not among the packages"):
        processes.start(("numpy",), Limits(), device="cuda")


@needs_torch
def test_a_gpu_that_does_not_compute_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "device_files", lambda: STAND_INS)

    refused = "a GPU cannot be used inside the sandbox: .*; grade on the CPU instead"  # in the words of this PyTorch
    with pytest.raises(CannotStart, match=refused):
        processes.Zygote(("numpy", "torch"), device="cuda")


# ---------------------------------------------------------------- nothing is forked that has asked for a GPU


def test_a_process_that_has_loaded_the_driver_is_not_forked(tmp_path: Path) -> None:
    copy = str(shutil.copy(np.random.bit_generator.__file__, tmp_path / "libcuda.so.1"))  # any library will do

    def asked() -> bool:
        ctypes.CDLL(copy)
        return zygote._asked_for_a_gpu()

    assert zygote._in_a_child(zygote._asked_for_a_gpu) == (False, 0)
    assert zygote._in_a_child(asked) == (True, 0)
    device = zygote.Device([], STAND_INS, False)
    assert zygote._trouble(None, (), device) == ""
    refused, _ = zygote._in_a_child(lambda: (ctypes.CDLL(copy), zygote._trouble(None, (), device))[1])
    assert refused == "PyTorch asks for the GPU when it is imported, after which no fork can use it"


@needs_torch
def test_before_children_with_a_device_are_forked_no_optimizer_takes_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    steps: list[bool] = []
    monkeypatch.setattr(torch.optim.Adam, "step", lambda optimizer: steps.append(True))
    threads = torch.get_num_threads()
    try:
        zygote._warm_up(steps=False)
        assert not steps
        zygote._warm_up()
        assert steps
    finally:
        torch.set_num_threads(threads)


@needs_torch
def test_without_a_device_pytorch_sees_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with child(processes._zygote(("numpy", "torch")), SEES, ("numpy", "torch")) as box:
        assert box.call([Call("f", ())]) == [Returned((["", None],))]


def test_with_a_device_cuda_is_told_where_it_is_and_what_to_leave(
    monkeypatch: pytest.MonkeyPatch, with_device: processes.Zygote
) -> None:
    with child(with_device, SEES) as box:
        (made,) = box.call([Call("f", ())])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")

    assert made == Returned((["0", ":4096:8"],))
    assert processes._environment(("torch",), "cuda")["CUDA_VISIBLE_DEVICES"] == "3"
    assert processes._environment(("torch",), "cuda")["CUDA_CACHE_DISABLE"] == "1"
    assert "CUDA_VISIBLE_DEVICES" not in processes._environment(("numpy",), "")


SEES = """
    import os
    def f():
        return [os.environ["CUDA_VISIBLE_DEVICES"], os.environ.get("CUBLAS_WORKSPACE_CONFIG")]
    """


def test_a_driver_that_lies_beside_the_system_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "libcuda.so.1").touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", f"relative:{tmp_path}:{tmp_path / 'absent'}")

    assert str(tmp_path) in visible.drivers()
    assert str(tmp_path) in visible.device_readable()
    assert "relative" not in visible.drivers()
    assert str(tmp_path) in processes._environment(("torch",), "cuda")["LD_LIBRARY_PATH"].split(":")


# ---------------------------------------------------------------- with a GPU


@full
@needs_torch
@pytest.mark.skipif("not visible.device_files()", reason="there is no GPU here: /dev has no file nvidia0, nvidia1 …")
def test_pytorch_trains_on_the_gpu_inside() -> None:
    text = """
        import torch
        def f(x):
            net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).cuda()
            optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
            x = torch.tensor(x, device="cuda", dtype=torch.float32)
            losses = []
            for _ in range(20):
                optimizer.zero_grad()
                loss = ((net(x) - x.sum(1, keepdim=True)) ** 2).mean()
                loss.backward()
                optimizer.step()
                losses.append(float(loss))
            return losses[0], losses[-1]
        def g(a):
            a = torch.tensor(a, device="cuda")
            return (a @ a).cpu().numpy()
        """
    submission = Submission("s", "s.py", "file", "s.py", {"s.py": textwrap.dedent(text)})
    with pytest.MonkeyPatch.context() as patch:
        start = processes.start
        patch.setattr(processes, "start", lambda packages, limits, *_: start(packages, limits, "cuda"))
        with ProcessBox(submission, ("numpy", "torch"), FOR_TORCH) as box:
            assert isinstance(box.loaded, Loaded), box.loaded
            trained, product = box.call([Call("f", (np.eye(3),)), Call("g", (np.eye(3) * 2,))])

    assert isinstance(trained, Returned), trained
    assert trained.values[0][1] < trained.values[0][0]
    assert isinstance(product, Returned), product
    np.testing.assert_array_equal(product.values[0], np.eye(3) * 4)
