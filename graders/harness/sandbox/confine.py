"""What a child gives up before the first hostile byte: new privileges, files, networks, processes, system calls.

Linux alone has these layers, and each is asked of the kernel directly, through ctypes: Landlock (which files may be
read; nothing may be written, executed or connected to), capabilities, limits, and a seccomp filter that lets through
the system calls of computation and of nothing else. Order matters: what comes first is needed by what comes after, and
the filter comes last. A layer that the kernel refuses raises `Refused`; whether that is fatal is the caller's to say.

It runs in the child, from a folder of its own, and imports the standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable, Sequence

LAYERS = ("no_new_privs", "landlock", "limits", "capabilities", "seccomp")


class Refused(OSError):
    """The kernel does not offer a layer, or not here."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _asked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise Refused(number, f"{what}: {os.strerror(number)}")
    return result


# ---------------------------------------------------------------- no new privileges, capabilities

_SET_DUMPABLE, _SET_PDEATHSIG, _SET_NO_NEW_PRIVS, _CAPBSET_DROP = 4, 1, 38, 24
_CAPABILITIES = 0x20080522  # version 3


def give_up_privileges() -> None:
    """Make sure that nothing this process executes can have more than it has itself."""
    _asked(_libc().prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def end_with_parent(number: int) -> None:
    """Have the kernel send this signal when the parent dies, and let nobody look into this process."""
    _asked(_libc().prctl(_SET_PDEATHSIG, number, 0, 0, 0), "pdeathsig")
    _asked(_libc().prctl(_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")


def give_up_capabilities() -> None:
    """Drop every capability, of root too, and the right to gain one."""
    libc = _libc()
    for capability in range(64):
        libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)  # without CAP_SETPCAP there is nothing to drop
    header, data = struct.pack("<Ii", _CAPABILITIES, 0), bytes(24)
    _asked(libc.capset(header, data), "capset")


# ---------------------------------------------------------------- Landlock

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # on every architecture
_WRITE_FILE, _READ_FILE, _READ_DIR, _IOCTL = 1 << 1, 1 << 2, 1 << 3, 1 << 15
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights on files each version of Landlock knows; later ones know as many as the fifth."""
_NET_SINCE, _SCOPES_SINCE = 4, 6
LANDLOCK_WANTED = 6
"""From this version on connections, abstract sockets and signals are covered too."""
OWN_FILES, OWN_THREADS = ("/proc/self/comm", "/proc/self/maps", "/proc/self/status"), "/proc/self/task"
"""What the driver of a device reads of its process, and where it writes the names of its threads, or does not start."""


def landlock_version() -> int:
    """Return the version of Landlock that the kernel offers; 0 for none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, 1)))


def landlock_rules(readable: Iterable[str], usable: Iterable[str] = ()) -> int:
    """Return a descriptor of rules that let these files and folders be read, and nothing else be touched.

    What is in `usable`, a device, can be written to and controlled as well.
    """
    version = landlock_version()
    if not version:
        number = ctypes.get_errno()
        raise Refused(number, f"landlock: not offered by this kernel ({os.strerror(number)})")
    files = (1 << _RIGHTS[min(version, 5)]) - 1
    attributes = struct.pack("<QQQ", files, 3 if version >= _NET_SINCE else 0, 3 if version >= _SCOPES_SINCE else 0)
    size = 8 if version < _NET_SINCE else 16 if version < _SCOPES_SINCE else 24
    libc = _libc()
    rules = _asked(libc.syscall(_CREATE_RULESET, attributes, size, 0), "landlock_create_ruleset")
    use = (_WRITE_FILE | _IOCTL) & files
    for path, more in [*((path, 0) for path in readable), *((path, use) for path in usable)]:
        try:
            beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what is not there cannot be read
        try:
            rights = _READ_FILE | _READ_DIR if os.path.isdir(path) else _READ_FILE
            rule = struct.pack("<Qi", rights | more, beneath)
            _asked(libc.syscall(_ADD_RULE, rules, 1, rule, 0), f"landlock_add_rule {path}")
        finally:
            os.close(beneath)
    return rules


def give_up_files(rules: int) -> None:
    """Keep what the rules allow, and nothing else."""
    _asked(_libc().syscall(_RESTRICT_SELF, rules, 0), "landlock_restrict_self")


# ---------------------------------------------------------------- limits


def limit(memory: int, seconds: int, device: bool = False) -> None:
    """Bound what this process can take; each limit can only be lowered from here.

    The driver of a device reserves an address space as large as all memory there is, so what is bounded for it is the
    private memory that can be written to; and it opens some thirty files for each device.
    """
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_DATA if device else resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: 1 << 16,
        resource.RLIMIT_NOFILE: 1024 if device else 64,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for what, value in wanted.items():
        _, most = resource.getrlimit(what)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(what, (value, value))


# ---------------------------------------------------------------- seccomp

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_THREAD = 0x100 | 0x800 | 0x10000  # CLONE_VM, CLONE_SIGHAND, CLONE_THREAD
_NAMESPACES = 0x7E020000 | 0x80  # every CLONE_NEW…
_LOAD, _EQUAL, _SET, _AND, _RETURN, _JUMP, _GREATER = 0x20, 0x15, 0x45, 0x54, 0x06, 0x05, 0x35
_NUMBER, _ARCHITECTURE = 0, 4


class _Machine:
    """The system calls of an architecture, by name: all that a child makes, and what the driver of a device adds."""

    def __init__(self, audit: int, names: str, device: str) -> None:
        self.audit = audit
        self.calls = self._numbers(names)
        self.device = self._numbers(device)

    @staticmethod
    def _numbers(names: str) -> dict[str, int]:
        return {name: int(number) for name, number in (pair.split("=") for pair in names.split())}


MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        "read=0 write=1 open=2 close=3 stat=4 fstat=5 lstat=6 poll=7 lseek=8 mmap=9 mprotect=10 munmap=11 brk=12 "
        "rt_sigaction=13 rt_sigprocmask=14 rt_sigreturn=15 pread64=17 readv=19 writev=20 access=21 pipe=22 select=23 "
        "sched_yield=24 mremap=25 msync=26 mincore=27 madvise=28 dup=32 dup2=33 pause=34 nanosleep=35 getitimer=36 "
        "alarm=37 setitimer=38 getpid=39 recvmsg=47 clone=56 exit=60 kill=62 uname=63 fcntl=72 getcwd=79 readlink=89 "
        "gettimeofday=96 getrlimit=97 getrusage=98 sysinfo=99 times=100 getuid=102 getgid=104 geteuid=107 getegid=108 "
        "getppid=110 getpgrp=111 getpgid=121 getsid=124 rt_sigpending=127 rt_sigtimedwait=128 rt_sigsuspend=130 "
        "sigaltstack=131 statfs=137 fstatfs=138 getpriority=140 sched_getparam=143 sched_getscheduler=145 "
        "sched_get_priority_max=146 sched_get_priority_min=147 prctl=157 gettid=186 time=201 futex=202 "
        "sched_getaffinity=204 getdents64=217 set_tid_address=218 restart_syscall=219 clock_gettime=228 "
        "clock_getres=229 clock_nanosleep=230 exit_group=231 tgkill=234 openat=257 newfstatat=262 readlinkat=267 "
        "faccessat=269 pselect6=270 ppoll=271 set_robust_list=273 dup3=292 pipe2=293 preadv=295 prlimit64=302 "
        "getcpu=309 getrandom=318 membarrier=324 statx=332 rseq=334 close_range=436 faccessat2=439 clone3=435 "
        "ptrace=101 mount=165 keyctl=250 unshare=272 perf_event_open=298 setns=308 process_vm_readv=310 "
        "process_vm_writev=311 bpf=321 userfaultfd=323 io_uring_setup=425 io_uring_enter=426 io_uring_register=427",
        "ioctl=16 socket=41 bind=49 listen=50 setsockopt=54 eventfd2=290",
    ),
    "aarch64": _Machine(
        0xC00000B7,
        "getcwd=17 dup=23 dup3=24 fcntl=25 statfs=43 fstatfs=44 faccessat=48 openat=56 close=57 pipe2=59 getdents64=61 "
        "lseek=62 read=63 write=64 readv=65 writev=66 pread64=67 preadv=69 pselect6=72 ppoll=73 readlinkat=78 "
        "newfstatat=79 fstat=80 exit=93 exit_group=94 set_tid_address=96 futex=98 set_robust_list=99 nanosleep=101 "
        "getitimer=102 setitimer=103 clock_gettime=113 clock_getres=114 clock_nanosleep=115 sched_getscheduler=120 "
        "sched_getparam=121 sched_getaffinity=123 sched_yield=124 sched_get_priority_max=125 "
        "sched_get_priority_min=126 restart_syscall=128 kill=129 tgkill=131 sigaltstack=132 rt_sigsuspend=133 "
        "rt_sigaction=134 rt_sigprocmask=135 rt_sigpending=136 rt_sigtimedwait=137 rt_sigreturn=139 getpriority=141 "
        "times=153 getpgid=155 getsid=156 uname=160 getrlimit=163 getrusage=165 prctl=167 getcpu=168 gettimeofday=169 "
        "getpid=172 getppid=173 getuid=174 geteuid=175 getgid=176 getegid=177 gettid=178 sysinfo=179 brk=214 "
        "recvmsg=212 munmap=215 mremap=216 clone=220 mmap=222 mprotect=226 msync=227 mincore=232 madvise=233 "
        "prlimit64=261 getrandom=278 membarrier=283 statx=291 rseq=293 close_range=436 faccessat2=439 clone3=435 "
        "ptrace=117 mount=40 keyctl=219 unshare=97 perf_event_open=241 setns=268 process_vm_readv=270 "
        "process_vm_writev=271 bpf=280 userfaultfd=282 io_uring_setup=425 io_uring_enter=426 io_uring_register=427",
        "eventfd2=19 ioctl=29 socket=198 bind=200 listen=201 setsockopt=208",
    ),
}
FATAL = (
    "ptrace", "mount", "keyctl", "unshare", "perf_event_open", "setns", "process_vm_readv", "process_vm_writev", "bpf",
    "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
)  # fmt: skip
"""Calls that no computation makes: asking for one ends the process."""
ABSENT = ("clone3",)
"""Calls that are said not to exist, so that the C library takes the older one, whose arguments can be looked at."""
CHECKED = ("clone", "fcntl", "kill", "tgkill", "mmap", "prctl", "prlimit64")
"""Calls that are let through with some arguments only."""

Instruction = tuple[int, int, int, int]


def _argument(position: int) -> int:
    """Return where the lower half of an argument lies; both architectures are little-endian."""
    return 16 + 8 * position


def _one_of(position: int, values: Sequence[int], mask: int = 0) -> list[Instruction]:
    """Let the call through if an argument, or these bits of it, are one of these."""
    lines: list[Instruction] = [(_LOAD, 0, 0, _argument(position))]
    lines += [(_AND, 0, 0, mask)] if mask else []
    lines += [(_EQUAL, len(values) - i, 0, value & 0xFFFFFFFF) for i, value in enumerate(values)]
    return [*lines, (_RETURN, 0, 0, _ERRNO | _EPERM), (_RETURN, 0, 0, _ALLOW)]


def _masked(*conditions: tuple[int, int, int]) -> list[Instruction]:
    """Let the call through if these bits of each of these arguments have this value: (position, bits, value)."""
    lines: list[Instruction] = []
    for i, (position, mask, value) in enumerate(conditions, 1):
        to_the_end = 3 * (len(conditions) - i) + 1
        lines += [(_LOAD, 0, 0, _argument(position)), (_AND, 0, 0, mask), (_EQUAL, 0, to_the_end, value)]
    return [*lines, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | _EPERM)]


def _checks(pid: int) -> dict[str, list[Instruction]]:
    """Return what is asked of the arguments of each checked call."""
    shared_memory = 0x01 | 0x20  # MAP_SHARED and MAP_ANONYMOUS, together a channel to a forked process
    return {
        "clone": _masked((0, _THREAD | _NAMESPACES, _THREAD)),
        "fcntl": _one_of(1, (0, 1, 2, 3, 4, 1030)),  # duplicate, and read or set the flags of a descriptor
        "kill": _one_of(0, (pid,)),
        "tgkill": _one_of(0, (pid,)),
        "mmap": [
            (_LOAD, 0, 0, _argument(3)),
            (_SET, 3, 0, 0x100 | 0x40000),  # growing downwards, huge pages
            (_AND, 0, 0, shared_memory),
            (_EQUAL, 1, 0, shared_memory),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _ERRNO | _EPERM),
        ],
        "prctl": _one_of(0, (15, 16)),  # the name of a thread
        "prlimit64": _one_of(0, (0, pid)),
    }


def _checks_for_a_device(pid: int) -> dict[str, list[Instruction]]:
    """Return the same for a child with a device, whose driver, in the process as CUDA, makes a few calls more.

    - ioctl is how a device is told and asked. Landlock says on which files; here the numbers are those of the GPU's two
      drivers, and not those of terminals, sockets and the like.
    - socket, setsockopt, bind, listen: CUDA waits, under a name without a file, for processes that would share its
      memory, and does not start if it cannot. Without connect and accept it reaches nobody, and nobody reaches it.
    - eventfd2 is how its threads wake each other: a number that can be waited for.
    - mmap of memory that is shared and has no file, once for each of its channels. No limit counts such memory but that
      of the address space, which is why others may not have it.
    """
    return _checks(pid) | {
        "ioctl": _one_of(1, (0x4600, 0x0000), mask=0xFF00),  # "F", the GPU's; 0, that of its memory
        "socket": _masked((0, 0xFFFFFFFF, 1), (1, 0xF, 5)),  # AF_UNIX, SOCK_SEQPACKET
        "setsockopt": _masked((1, 0xFFFFFFFF, 1), (2, 0xFFFFFFFF, 16)),  # SOL_SOCKET, SO_PASSCRED: who speaks
        "mmap": _masked((3, 0x100 | 0x40000, 0)),  # growing downwards, huge pages
    }


def filter_of(machine: str, pid: int, device: bool = False) -> list[Instruction]:
    """Return the program that decides on each system call of this process: (code, jump if true, if false, value)."""
    known = MACHINES[machine]
    lines: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, known.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        lines += [(_GREATER, 0, 1, 0x40000000), (_RETURN, 0, 0, _KILL)]  # another way to name calls (x32)
    checks = _checks_for_a_device(pid) if device else _checks(pid)
    for name, number in (known.calls | (known.device if device else {})).items():
        if name in checks:
            lines += [(_EQUAL, 0, len(checks[name]), number), *checks[name]]
        else:
            verdict = _KILL if name in FATAL else _ERRNO | _ENOSYS if name in ABSENT else _ALLOW
            lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, verdict)]
    return [*lines, (_RETURN, 0, 0, _ERRNO | _EPERM)]


def give_up_system_calls(device: bool = False) -> None:
    """Install the filter; from here on this process computes, and does nothing else."""
    machine = platform.machine()
    if machine not in MACHINES:
        raise Refused(errno.ENOSYS, f"seccomp: no filter is known for {machine}")
    lines = filter_of(machine, os.getpid(), device)
    program = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in lines))
    pointer = struct.pack("<HxxxxxxQ", len(lines), ctypes.addressof(program))
    _asked(_libc().prctl(22, 2, pointer, 0, 0), "seccomp")  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


__all__ = [
    "LANDLOCK_WANTED", "LAYERS", "MACHINES", "OWN_FILES", "OWN_THREADS", "Refused", "end_with_parent", "filter_of",
    "give_up_capabilities", "give_up_files", "give_up_privileges", "give_up_system_calls", "landlock_rules",
    "landlock_version", "limit",
]  # fmt: skip
