"""The attack corpus: a hostile file earns no more than the same file without its trick, and harms nobody.

Each file of `tests/attacks` is a submission. Its docstring says what it tries, the trick stands between two marks, and
its last line names the verdict, so that an attack cannot become harmless unseen. Without the trick it is its own honest
twin: worth nothing where the trick hopes for marks (and makes the function right if the forbidden thing succeeds), and
all marks where the trick only means to break something.
"""

from __future__ import annotations

import ast
import ctypes
import json
import os
import pwd
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import gradproof
from graders.harness.report import Report, SubmissionReport, html, junit, text
from graders.harness.report import json as as_json
from graders.harness.sandbox import processes
from graders.harness.sandbox.contract import Limits

CORPUS = Path(__file__).parents[1] / "attacks"
TRICK = re.compile(r"^# trick\n.*?^# end of trick\n", re.MULTILINE | re.DOTALL)
VERDICT = re.compile(r"^# verdict: ([a-z_]+(?: or [a-z_]+)*)(?:, (.*))?\n\Z", re.MULTILINE)
MARK = "gradproof-attack"
"""What every file that an attack tries to leave has in its name."""
# the CPU clock ends an attack; the wall clock behind it ends sleepers alone, and must not end an honest twin on a
# machine whose cores are another's for most of the time
LIMITS = Limits(call_seconds=0.25, load_seconds=1, wall_factor=20, total_seconds=8, memory=2 << 30)
HASTY = replace(LIMITS, wall_factor=4)
"""For what is to end by a clock, whichever comes first: it need not sleep for long."""
MOST_MEMORY = 100 << 20

HOPEFUL = ("lying", "stealing", "reaching", "escaping")
DESTRUCTIVE = ("breaking", "unscoring")
CONFINED = ("stealing", "reaching", "escaping")
"""Groups that only the layers of Linux can stop; in a plain process with limits some of them succeed."""

HONEST = """
import numpy as np

def relu(z):
    return np.maximum(z, 0)

def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a child process of its own needs POSIX")


@dataclass(frozen=True)
class Attack:
    """A hostile file of the corpus."""

    name: str
    text: str

    @property
    def group(self) -> str:
        return self.name.partition("/")[0]

    @property
    def twin(self) -> str:
        return TRICK.sub("", self.text)

    @property
    def verdicts(self) -> tuple[str, ...]:
        found = VERDICT.search(self.text)
        return tuple(found[1].split(" or ")) if found else ()

    @property
    def reason(self) -> str:
        found = VERDICT.search(self.text)
        return (found[2] or "") if found else ""


ATTACKS = [
    Attack(path.relative_to(CORPUS).with_suffix("").as_posix(), path.read_text())
    for path in sorted(CORPUS.glob("*/*.py"))
]
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can confine it")


def each(attacks: list[Attack]) -> list[object]:
    return [pytest.param(a, id=a.name, marks=[only_linux] if a.group in CONFINED else []) for a in attacks]


# ---------------------------------------------------------------- the corpus


def test_there_are_enough_attacks_of_every_kind() -> None:
    groups = [attack.group for attack in ATTACKS]

    assert len(ATTACKS) >= 150
    assert set(groups) == {"forging", *HOPEFUL, *DESTRUCTIVE}
    assert min(groups.count(group) for group in set(groups)) >= 10


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_says_what_it_tries_and_leaves_an_honest_twin(attack: Attack) -> None:
    said = ast.get_docstring(ast.parse(attack.text))
    imported = {
        name.name
        for node in ast.walk(ast.parse(attack.twin))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
    }

    assert said is not None
    assert "\n" not in said
    assert attack.text.count("# trick\n") == attack.text.count("# end of trick\n") == 1
    assert imported == {"numpy"}
    assert attack.verdicts


# ---------------------------------------------------------------- the law


def alive_below(pid: int) -> set[int]:
    """Return the living processes that a process has started, and those that they have."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state != "Z":
            parents[int(entry.name)] = int(parent)
    found: set[int] = set()
    waiting = {pid}
    while waiting:
        waiting = {child for child, parent in parents.items() if parent in waiting} - found
        found |= waiting
    return found


def left_files() -> set[str]:
    """Return what stands where attacks try to leave files, under the name that they all use."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    packages = Path(np.__file__).parent
    common = [Path("/", *place.split()) for place in ("", "tmp", "var tmp", "run lock", "dev shm", "dev mqueue")]
    near = [home, home / ".cache", packages, packages / "__pycache__", Path(os.__file__).parent, CORPUS, Path.cwd()]
    places = [*common, *near]
    return {str(path) for place in places for path in place.glob(f"*{MARK}*")}


def shared_segments() -> set[str]:
    """Return the System V objects that outlive their makers."""
    lines = [Path("/proc/sysvipc", kind).read_text().splitlines()[1:] for kind in ("shm", "sem", "msg")]
    return {line.split()[0] for kind in lines for line in kind if int(line.split()[0]) == 0x67726164}


def own_memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Surroundings:
    """What an attack could harm: the processes, files, descriptors, threads and memory around the grader."""

    processes: frozenset[int]
    files: frozenset[str]
    segments: frozenset[str]
    folder: tuple[tuple[str, int, int], ...]
    descriptors: int
    threads: int
    memory: int

    @classmethod
    def now(cls) -> Surroundings:
        inside = sorted(Path.cwd().rglob("*"))
        return cls(
            frozenset(alive_below(os.getpid())),
            frozenset(left_files()),
            frozenset(shared_segments()),
            tuple((str(p), p.lstat().st_size, p.lstat().st_mtime_ns) for p in inside),
            len(os.listdir("/proc/self/fd")),
            threading.active_count(),
            own_memory(),
        )

    def harm(self, after: Surroundings) -> list[str]:
        """Return what has changed for the worse."""
        found = [
            f"{what}: {before} became {now}"
            for what, before, now in (
                ("processes", set(self.processes), set(after.processes)),
                ("files", set(self.files), set(after.files)),
                ("segments", set(self.segments), set(after.segments)),
                ("the folder of the run", self.folder, after.folder),
                ("descriptors", self.descriptors, after.descriptors),
                ("threads", self.threads, after.threads),
            )
            if before != now
        ]
        grown = after.memory - self.memory
        return found + ([f"memory: grown by {grown >> 20} MB"] if grown > MOST_MEMORY else [])


@pytest.fixture
def adopted() -> Iterator[None]:
    """Make this process the parent of orphans below it, so that none of them escapes the count."""
    libc = ctypes.CDLL(None)
    if sys.platform == "linux":
        libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    yield
    if sys.platform == "linux":
        libc.prctl(36, 0, 0, 0, 0)


def graded(*paths: str, limits: Limits = LIMITS) -> Report:
    return gradproof.grade(paths, seed=5, packages=("numpy",), limits=limits)


def verdicts(submission: SubmissionReport) -> set[str]:
    return {e.verdict for e in submission.exercises} or {submission.status}


def reasons(submission: SubmissionReport) -> str:
    return "\n".join([submission.reason, *(e.reason for e in submission.exercises)])


def marks(submission: SubmissionReport) -> dict[str, float]:
    made = {e.name: e.score for e in submission.exercises}
    assert None not in made.values()
    return {name: score for name, score in made.items() if score is not None}


def assert_well_formed(report: Report) -> None:
    """Hold every rendering to be readable, and free of what could steer a terminal or a page."""
    document = as_json.render(report)
    assert json.loads(document)["schema"] == report.schema
    ElementTree.fromstring(junit.render(report))  # noqa: S314 - our own
    for rendered in (document, junit.render(report), text.render(report, verbose=True), html.render(report)):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", rendered)
        assert len(rendered) < 1 << 20


@pytest.mark.parametrize("attack", each(ATTACKS))
def test_an_attack_earns_no_more_than_its_twin_and_harms_nobody(
    attack: Attack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adopted: None
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in (("attack.py", attack.text), ("honest.py", HONEST), ("twin.py", attack.twin)):
        Path(name).write_text(content)
    graded("honest.py")  # the zygote and the answers are there from here on, lest they be taken for the attack's doing
    times = 2 if attack.group == "escaping" else 1  # what the first one leaves, the second would find
    limits = HASTY if "timeout" in attack.verdicts and "CPU" not in attack.reason else LIMITS
    before = Surroundings.now() if sys.platform == "linux" else None

    report = graded(*["attack.py"] * times, limits=limits)
    beside = graded("honest.py", "twin.py")  # in the same zygote

    attempts, (neighbour, twin) = report.submissions, beside.submissions
    if before is not None:
        assert before.harm(Surroundings.now()) == []
    assert_well_formed(report)
    assert verdicts(neighbour) == {"correct"}
    assert neighbour.score == neighbour.max_score == 2
    if attack.group in HOPEFUL:
        assert twin.score == 0
    if attack.group in DESTRUCTIVE:
        assert twin.score == twin.max_score == 1
    for attempt in attempts:
        assert attempt.status != "unscored"
        assert attempt.score is not None
        assert twin.score is not None
        assert attempt.score <= twin.score
        earned = marks(twin)
        assert all(score <= earned.get(name, 0) for name, score in marks(attempt).items())
        if report.run.tier == "full":  # elsewhere the same trick may come to another end
            assert verdicts(attempt) & set(attack.verdicts), (verdicts(attempt), reasons(attempt))
            assert attack.reason in reasons(attempt)


# ---------------------------------------------------------------- that the law bites


@only_linux
@pytest.mark.parametrize(
    "name",
    [
        "stealing/follows_the_finder_files",
        "stealing/imports_what_lies_beside_numpy",
        "stealing/reads_the_neighbours_file",
        "reaching/makes_a_file_in_memory",
        "reaching/opens_a_network_socket",
    ],
)
def test_in_a_process_with_limits_alone_it_earns_more_than_its_twin(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(processes, "start", processes.Interpreter)
    attack = next(attack for attack in ATTACKS if attack.name == name)
    for file, content in (("attack.py", attack.text), ("honest.py", HONEST), ("twin.py", attack.twin)):
        Path(file).write_text(content)

    patient = replace(LIMITS, load_seconds=20, total_seconds=60)  # to import much takes its time, and must succeed here
    attempt, twin = graded("attack.py", "twin.py", limits=patient).submissions

    assert attempt.score is not None
    assert attempt.score >= 1
    assert twin.score == 0


@only_linux
def test_harm_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adopted: None) -> None:
    monkeypatch.chdir(tmp_path)
    before = Surroundings.now()
    assert before.harm(Surroundings.now()) == []

    orphan = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)"
    subprocess.run([sys.executable, "-c", orphan], check=True)
    Path(f"{MARK}-left").touch()
    descriptor = os.open("/dev/null", os.O_RDONLY)
    waiting = threading.Event()
    thread = threading.Thread(target=waiting.wait)
    thread.start()
    kept = b"\1" * (2 * MOST_MEMORY)
    try:
        found = [harm.partition(":")[0] for harm in before.harm(Surroundings.now())]
    finally:
        waiting.set()
        thread.join()
        os.close(descriptor)
        (process,) = alive_below(os.getpid()) - before.processes
        os.kill(process, 9)
        os.waitpid(process, 0)

    assert kept
    assert found == ["processes", "files", "the folder of the run", "descriptors", "threads", "memory"]
