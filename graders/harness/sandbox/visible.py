"""What a submission may see: a folder with the runtime files and links to the allowed packages, and little else."""

from __future__ import annotations

import compileall
import functools
import importlib.metadata
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

RUNTIME = ("codec.py", "describing.py", "loading.py", "given.py", "devices.py", "child.py", "confine.py", "zygote.py")
PRELOADED = ("numpy", "scipy.special", "scipy.linalg", "scipy.signal", "torch", "numba")
"""Modules that a zygote imports once for all its children, if their packages are allowed."""
WHOLE = 32
"""From so many entries of a folder on that may be read, it is shown as a whole, and the others in it are hidden."""
SCRATCH = "/gradproof-scratch"
"""Where a zygote in an enclosure can write until it has imported everything."""


def _top_levels(distribution: importlib.metadata.Distribution) -> Iterator[Path]:
    """Yield the files and folders that a distribution puts directly into site-packages."""
    names = {path.parts[0] for path in distribution.files or () if path.parts and path.parts[0] != ".."}
    for name in names - {"__pycache__"}:
        yield Path(str(distribution.locate_file(name)))


def _with_requirements(packages: Sequence[str]) -> list[importlib.metadata.Distribution]:
    """Return the distributions of these packages and of all they need, as far as they are installed."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = list(packages)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for requirement in found[name].requires or ():
            if "extra ==" not in requirement:
                waiting += re.findall(r"^[A-Za-z0-9._-]+", requirement)
    return list(found.values())


_preparing = threading.Lock()


def visible(packages: Sequence[str]) -> str:
    """Return a folder that holds the runtime files and links to the packages, and nothing else to import."""
    with _preparing:  # two threads that made it at once would each throw the other's away
        return _prepared(tuple(packages)).name


@functools.lru_cache(maxsize=8)
def _prepared(packages: tuple[str, ...]) -> tempfile.TemporaryDirectory[str]:
    """Make that folder; it goes when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="gradproof-")
    runtime = Path(folder.name, "runtime", "gradproof_child")
    runtime.mkdir(parents=True)
    (runtime / "__init__.py").touch()
    for name in RUNTIME:
        shutil.copy(Path(__file__).with_name(name), runtime / name)
    compileall.compile_dir(runtime, quiet=2)  # once, not by every child
    Path(folder.name, "empty").mkdir(mode=0o555)
    links = Path(folder.name, "packages")
    links.mkdir()
    for distribution in _with_requirements(packages):
        for target in _top_levels(distribution):
            link = links / target.name
            if target.exists() and not link.exists():
                link.symlink_to(target)
    return folder


def program(packages: Sequence[str], module: str, *arguments: int) -> list[str]:
    """Return the command that runs `main` of one of the runtime files in an interpreter that sees only the folder."""
    folder = visible(packages)
    text = (
        f"import sys; sys.path[:0] = [{folder + '/runtime'!r}, {folder + '/packages'!r}]; "
        f"from gradproof_child.{module} import main; main({', '.join(map(str, arguments))})"
    )
    return [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", text]


def readable(packages: Sequence[str]) -> list[str]:
    """Return what a child may read: the standard library, shared libraries, the packages, and two harmless devices.

    Of the folders of the system each entry is named, since packages that are not allowed may lie among them.
    """
    folder = visible(packages)
    library = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    targets = [os.path.realpath(link) for link in os.scandir(os.path.join(folder, "packages"))]
    multiarch = sysconfig.get_config_var("MULTIARCH")
    shared = [f"{root}/{multiarch}" for root in ("/lib", "/usr/lib", "/usr/local/lib") if multiarch]
    system = [entry for path in (*library, *shared, "/lib64", "/usr/lib64") for entry in _entries(path)]
    interpreter = [str(path) for path in Path(sys.base_prefix, "lib").glob("libpython*")]
    harmless = ["/etc/ld.so.cache", "/dev/null", "/dev/urandom", "/proc/cpuinfo", "/sys/devices/system/cpu"]
    own = [os.path.join(folder, name) for name in ("runtime", "packages", "empty")]
    return [*own, *targets, *system, *interpreter, *harmless]


def _entries(folder: str) -> list[str]:
    """Return what lies in a folder of the system, without the places of installed packages."""
    if not os.path.isdir(folder):
        return []
    names = (entry.name for entry in os.scandir(folder))
    return [os.path.join(folder, name) for name in names if not re.fullmatch(r"(site|dist)-packages|python.*", name)]


def enclosure(packages: Sequence[str], shown: Sequence[str], interpreter: str) -> list[str]:
    """Return what bubblewrap is told: namespaces of its own, and in view, read-only, what is shown and no more.

    There is no /proc, nothing can be written but the scratch folder, and the interpreter is the first process, with
    which all others end.
    """
    folder = visible(packages)
    environment = os.path.join(os.path.dirname(os.path.dirname(interpreter)), "pyvenv.cfg")
    links = [os.readlink(link) for link in os.scandir(os.path.join(folder, "packages"))]
    kept: defaultdict[str, set[str]] = defaultdict(set)
    for path in (*shown, *links, interpreter, environment, "/etc/alternatives"):
        within, name = os.path.split(path)
        kept[within].add(name)
    for within, names in list(kept.items()):  # links lead there by one name, the interpreter by the other
        kept[os.path.realpath(within)] |= names
    bound: set[str] = set()
    hidden: set[str] = set()
    for within, names in kept.items():
        others = [e for e in os.scandir(within) if e.name not in names] if len(names) >= WHOLE else []
        whole = len(names) >= WHOLE > len(others)
        bound |= {within} if whole else {os.path.join(within, name) for name in names}
        hidden |= {other.path for other in others if whole and other.is_dir(follow_symlinks=False)}
    hidden -= bound
    private = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    options = [*private, "--as-pid-1", "--cap-drop", "ALL"]
    for path in sorted({*bound, *hidden, SCRATCH}):  # what lies in a folder comes after it
        how = "--dev-bind-try" if path.startswith("/dev/") else "--ro-bind-try"
        options += [how, path, path] if path in bound else ["--tmpfs", path]
    for path in (*sorted(hidden), "/"):
        options += ["--remount-ro", path]
    return [*options, "--chdir", os.path.join(folder, "empty"), "--"]


def preloaded(packages: Sequence[str]) -> list[str]:
    """Return the modules that a zygote for these packages imports before it forks."""
    return [module for module in PRELOADED if module.partition(".")[0] in packages]


_GPU = re.compile(r"nvidia\d+")
_BESIDE_A_GPU = re.compile(r"nvidiactl|nvidia-uvm|nvidia-uvm-tools|nvidia-caps/nvidia-cap([3-9]|\d\d+)")
"""The control of all GPUs, their memory, and parts of one; the first two capabilities divide a GPU: not for a child."""
_DRIVERS = ("/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", "/usr/lib/wsl/lib", "/run/opengl-driver/lib")


def device_files(root: str = "/dev") -> list[str]:
    """Return the files through which CUDA uses the GPUs of this machine; none if it has no GPU."""
    folders = [(root, ""), (f"{root}/nvidia-caps", "nvidia-caps/")]
    names = [within + name for folder, within in folders if os.path.isdir(folder) for name in os.listdir(folder)]
    gpus = [name for name in names if _GPU.fullmatch(name)]
    beside = [name for name in names if _BESIDE_A_GPU.fullmatch(name)]
    return sorted(f"{root}/{name}" for name in (gpus + beside if gpus else []))


def drivers() -> list[str]:
    """Return the folders, beside those of the system, in which CUDA's driver lies: a container has it from outside."""
    places = [*_DRIVERS, *filter(os.path.isabs, os.environ.get("LD_LIBRARY_PATH", "").split(":"))]
    return [place for place in dict.fromkeys(places) if os.path.exists(os.path.join(place, "libcuda.so.1"))]


def device_readable() -> list[str]:
    """Return what CUDA's driver reads when it starts: how it is set, what the machine's memory is, where GPUs are."""
    gpus = "/proc/driver/nvidia/gpus"
    buses = os.listdir(gpus) if os.path.isdir(gpus) else []
    return [
        *drivers(), "/etc/nvidia", "/usr/share/nvidia", "/proc/driver/nvidia", "/proc/driver/nvidia-uvm",
        "/proc/devices", "/proc/modules", "/proc/sys/vm/mmap_min_addr", "/sys/devices/system/node",
        "/sys/devices/system/memory/block_size_bytes",
        *(os.path.realpath(f"/sys/bus/pci/devices/{bus}") for bus in buses),
    ]  # fmt: skip


def is_installed(package: str) -> bool:
    """Return whether a package could be made visible to a submission."""
    return bool(_with_requirements([package]))
