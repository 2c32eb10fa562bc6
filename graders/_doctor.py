"""What this machine can isolate and measure, said plainly: for `gradproof doctor` and for `--require-isolation`."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from graders.harness import report
from graders.harness.key import cache_folder
from graders.harness.report.words import kept_apart, one_line, plain_reason
from graders.harness.sandbox import confine, parent, processes
from graders.harness.sandbox.contract import Call, Limits, Loaded, Returned

TIERS: tuple[report.Tier, ...] = ("none", "basic", "reduced", "full")
LIBRARIES = ("numpy", "scipy", "torch")


class Layer(Struct, frozen=True):
    """Something that a submission gives up before it is read."""

    name: str
    ok: bool
    reason: str
    advice: str


class Library(Struct, frozen=True):
    """What a submission may import: whether it can, and in which version, as one tried has said."""

    name: str
    version: str | None
    usable: bool
    reason: str


class Examination(Struct, frozen=True):
    """What this machine can isolate and measure."""

    schema: int
    tier: report.Tier
    layers: list[Layer]
    around: Literal["bubblewrap", ""]
    not_around: str
    self_test: bool
    self_test_reason: str
    system: str
    container: str
    python: str
    libraries: list[Library]
    cores: int
    gpu: str
    no_gpu: str
    cache: str
    cache_writable: bool
    advice: list[str]


# ---------------------------------------------------------------- what is required


def demand(isolation: processes.Isolation, required: processes.Tier | None) -> None:
    """Raise `CannotStart`, and say what is missing and how to get it, where submissions are kept apart too little."""
    if required is None:
        return
    if required not in TIERS[1:]:
        raise ValueError(f"no isolation is called {required!r}; there are full, reduced and basic")
    if TIERS.index(isolation.tier) < TIERS.index(required):
        said = kept_apart(isolation.tier, isolation.missing)
        how = " ".join(f"{one[0].upper()}{one[1:]}." for one in _advice(isolation))
        raise processes.CannotStart(
            f"{required} isolation is required, but this machine's is {said}. {how} `gradproof doctor` says more."
        )


def least(used: Sequence[processes.Isolation]) -> tuple[report.Tier, report.Isolation]:
    """Return the lowest tier of those that a run had, as its report says it."""
    if not used:
        return "none", report.Isolation()
    lowest = min(used, key=lambda isolation: TIERS.index(isolation.tier))
    around = lowest.around if all(isolation.around for isolation in used) else ""
    return lowest.tier, report.Isolation(list(lowest.layers), dict(lowest.missing), around)


# ---------------------------------------------------------------- how to get more


def _advice(isolation: processes.Isolation) -> list[str]:
    return list(dict.fromkeys(_advice_on(layer) for layer in isolation.missing))


def _advice_on(layer: str) -> str:
    """Say how to get a layer that is not there."""
    if sys.platform != "linux":
        return (
            "run gradproof inside Linux, in a virtual machine or container "
            "(macOS: Docker Desktop, OrbStack, Colima or Lima; Windows: WSL 2 or Docker Desktop)"
        )
    if layer == "landlock":
        return _advice_on_landlock()
    if layer == "bounds on the device":
        return "grade on the CPU, or give each worker a virtual machine: no layer covers the driver of a GPU"
    if layer == "seccomp" and platform.machine() not in confine.MACHINES:
        return f"use a machine of {' or '.join(confine.MACHINES)}: for {platform.machine()} no filter is known"
    if layer == "seccomp":
        return "use a kernel built with CONFIG_SECCOMP_FILTER, and let no outer sandbox forbid prctl(PR_SET_SECCOMP)"
    return f"run gradproof where no outer sandbox forbids {layer}: in a plain container or virtual machine"


def _advice_on_landlock() -> str:
    kernel = tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2])
    if kernel < (5, 13):
        return (
            f"use Linux 5.13 or newer (of the host, in a container), which has Landlock; this is {platform.release()}"
        )
    active = ""
    with contextlib.suppress(OSError):
        active = Path("/sys/kernel/security/lsm").read_text().strip()
    if active and "landlock" not in active.split(","):
        return f"switch Landlock on: boot the kernel with lsm=landlock,{active}"
    return (
        "use a kernel with Landlock switched on, in a container whose seccomp profile lets its three calls through "
        "(Docker 23 or newer does by default; gVisor has no Landlock)"
    )


def _container() -> str:
    """Return in what kind of container this runs, as far as can be told."""
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return "Kubernetes"
    marks = {"/.dockerenv": "Docker", "/run/.containerenv": "Podman"}
    outside = "WSL" if "microsoft" in platform.release().lower() else ""
    return next((name for path, name in marks.items() if os.path.exists(path)), outside)


# ---------------------------------------------------------------- what there is


def _library(name: str) -> Library:
    """Have a submission import a library."""
    from graders._api import opener_of
    from graders.harness.judge import said_of

    text = f"import {name}\ndef version():\n    return str({name}.__version__)\n"
    tried = parent.Submission(name, f"{name}.py", "file", "tried.py", {"tried.py": text})
    if not parent.is_installed(name):
        return Library(name, None, False, "not installed")
    try:
        with contextlib.closing(opener_of(tried, (name,))(Limits())) as box:
            said: Any = box.loaded
            if isinstance(said, Loaded) and said.notes:
                return Library(name, None, False, one_line(said.notes[0]))
            if isinstance(said, Loaded):
                (said,) = box.call([Call("version", ())])
    except processes.CannotStart as error:
        return Library(name, None, False, one_line(str(error)))
    if isinstance(said, Returned) and isinstance(said.values[0], str):
        return Library(name, said.values[0], True, "")
    return Library(name, None, False, one_line(said_of(said)))


def gpu() -> tuple[str, str]:
    """Return the GPU that PyTorch sees, or why it sees none."""
    try:
        import torch
    except ImportError:
        return "", "PyTorch is not installed"
    except Exception as error:  # a broken installation raises what it likes
        return "", one_line(f"PyTorch cannot be imported: {error}")
    if torch.version.cuda is None and torch.version.hip is None:
        return "", f"this PyTorch ({torch.__version__}) is built for CPUs only"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            if torch.cuda.is_available():
                return str(torch.cuda.get_device_name(0)), ""
        except Exception as error:
            return "", one_line(f"PyTorch finds none: {error}")
    why = one_line(str(told[0].message)) if told else "nvidia-smi says whether the driver does"
    return "", f"PyTorch finds none: {why}"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def examine() -> Examination:
    """Try what this machine can isolate and measure."""
    failed = ""
    try:
        isolation = processes.isolation()
        tier: report.Tier = isolation.tier
    except (processes.CannotStart, OSError) as error:
        failed, tier, isolation = one_line(str(error)), "none", processes.Isolation("basic")
    missing = isolation.missing
    names = () if failed else confine.LAYERS
    gpu_name, no_gpu = gpu()
    return Examination(
        schema=report.SCHEMA,
        tier=tier,
        layers=[
            Layer(name, True, "", "")
            if name in isolation.layers
            else Layer(name, False, plain_reason(name, missing.get(name, "not tried")), _advice_on(name))
            for name in names
        ],
        around=isolation.around,
        not_around=one_line(isolation.not_around),
        self_test=sys.platform == "linux" and not failed,
        self_test_reason=failed or ("" if sys.platform == "linux" else "there is no layer to test"),
        system=f"{platform.system()} {platform.release()} on {platform.machine()}",
        container=_container(),
        python=platform.python_version(),
        libraries=[Library(n, None, False, "the sandbox does not work") if failed else _library(n) for n in LIBRARIES],
        cores=_cores(),
        gpu=gpu_name,
        no_gpu=no_gpu,
        cache=str(cache_folder()),
        cache_writable=_is_writable(cache_folder()),
        advice=["mend what the self-test says: until then nothing is graded here"] if failed else _advice(isolation),
    )


# ---------------------------------------------------------------- how it is said

MEANING = {
    "full": "a submission computes, and can do nothing else",
    "reduced": "a layer is missing: for code of people you know",
    "basic": "a process with limits only: for your own code",
    "none": "nothing can be graded here",
}


def as_text(found: Examination) -> str:
    """Return an examination for a terminal."""
    rows = [(layer.name, "ok" if layer.ok else f"missing: {layer.reason}") for layer in found.layers]
    if found.layers:
        around = "ok" if found.around else f"not used: {found.not_around}"
        rows.append(("bubblewrap", f"{around} (an extra around them, on which no tier depends)"))
    tested = "passed: no attack succeeded" if found.self_test else found.self_test_reason
    machine = [
        ("system", found.system + (f", in {found.container}" if found.container else "")),
        ("cores", str(found.cores)),
        ("gpu", found.gpu or f"none: {found.no_gpu}"),
        ("cache", f"{found.cache} ({'can' if found.cache_writable else 'can NOT'} be written)"),
    ]
    usable = [("python", found.python)]
    usable += [
        (one.name, str(one.version) if one.usable else f"cannot be used: {one.reason}") for one in found.libraries
    ]
    parts = [
        (f"isolation: {found.tier}, {MEANING[found.tier]}", [*rows, ("self-test", tested)]),
        ("this machine", machine),
        ("what submissions can use", usable),
    ]
    text = "\n\n".join("\n".join([head, *(f"  {name:13} {said}" for name, said in rows)]) for head, rows in parts)
    advice = "".join(f"\n  - {one}" for one in found.advice)
    return f"{text}\n\nto get full isolation{advice}\n" if advice else f"{text}\n"


__all__ = ["Examination", "Layer", "Library", "as_text", "demand", "examine", "least"]
