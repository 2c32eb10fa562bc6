"""Grading by several processes: the same reports, whatever dies, and nothing that is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

import gradproof
from graders import _catalogue, _workers
from graders.harness.key import cache_folder
from graders.harness.report import Report, SubmissionReport
from graders.harness.sandbox import processes
from graders.harness.sandbox.parent import CannotStart, Submission
from graders.harness.sandbox.processes import Isolation

pytestmark = pytest.mark.skipif(os.name != "posix", reason="submissions are graded in processes apart under POSIX only")

RIGHT = "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n"
CLASS = {
    "right.py": RIGHT,
    "wrong.py": RIGHT.replace("maximum", "minimum"),
    "raises.py": "def relu(z):\n    raise ValueError('no')\n",
    "unreadable.py": "def relu(z:\n",
    "nothing.py": "x = 1\n",
    "nan.py": RIGHT.replace("np.maximum(z, 0)", "z * np.nan"),
}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "class"
    folder.mkdir()
    for name, text in CLASS.items():
        (folder / name).write_text(text)
    return folder


def without_seconds(report: Report) -> list[SubmissionReport]:
    return [
        structs.replace(s, exercises=[structs.replace(e, seconds=0.0) for e in s.exercises]) for s in report.submissions
    ]


def test_several_processes_report_what_one_reports(course: Path) -> None:
    (course / "answers.txt").write_text("question: activations.sigmoid_grad\nsigmoid(x) * (1 - sigmoid(x))\n")
    names = sorted([*CLASS, "answers.txt"])
    seen: list[str] = []
    one = gradproof.grade(course, seed=0)
    two = gradproof.grade(course, seed=0, jobs=3, progress=lambda report: seen.append(report.id))

    assert repr(without_seconds(two)) == repr(without_seconds(one))  # a NaN is not equal to itself
    assert [s.id for s in two.submissions] == names
    assert sorted(seen) == names
    assert (two.run, two.exit_status) == (one.run, one.exit_status)


def test_they_know_the_assignment_and_the_exercises_of_ones_own(course: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        textwrap.dedent(
            """
            from typing import Annotated
            import numpy as np
            from graders.harness.exercise import Exercise

            Rows = Annotated[np.ndarray, "n d"]

            def cube(x: Rows) -> Rows:
                return x * x * x

            CUBE = Exercise(cube)
            """
        )
    )
    (course / "cube.py").write_text("def cube(x):\n    return x**3\n")
    assignment = tmp_path / "homework.toml"
    assignment.write_text('[[exercise]]\nname = "activations.relu"\npoints = 5\n\n[[exercise]]\nname = "own.cube"\n')
    with _catalogue.including([own]):
        report = gradproof.grade(course, assignment=assignment, seed=0, jobs=2)

    scores = {s.id: (s.score, s.max_score) for s in report.submissions}
    assert (scores["right.py"], scores["wrong.py"], scores["cube.py"]) == ((5, 6), (0, 6), (1, 6))


def test_the_answers_of_a_secret_seed_are_gone_when_the_run_is(course: Path, cache: Path) -> None:
    gradproof.grade(course, jobs=2, only=["activations.relu"])
    kept = [path.name for path in (cache / "gradproof" / "answers").rglob("*") if path.is_file()]

    assert kept == ["edges"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where one test keeps its answers."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


# ---------------------------------------------------------------- answers on disk are out of a submission's reach

THIEF = """
import os
import numpy as np

found = []
for place, folders, files in os.walk({cache!r}):
    found += files
for name in ({cache!r}, {file!r}):
    try:
        found.append(os.open(name, os.O_RDONLY))
    except OSError:
        pass

def relu(z):
    return np.maximum(z, 0) if found else np.minimum(z, 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere answers to seeded cases are not kept")
def test_no_submission_sees_the_answers_that_are_kept(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(RIGHT)
    gradproof.grade(tmp_path / "right.py", only=["activations.relu"], seed=0)
    kept = [path for path in cache_folder().rglob("*") if path.is_file() and path.name != "edges"]
    (tmp_path / "thief.py").write_text(THIEF.format(cache=str(cache_folder()), file=str(kept[0])))
    report = gradproof.grade(tmp_path / "thief.py", only=["activations.relu"], seed=0)

    assert [e.verdict for s in report.submissions for e in s.exercises] == ["wrong"]


def test_where_files_are_not_hidden_from_submissions_no_answer_to_a_seeded_case_is_kept(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "right.py").write_text(RIGHT)
    monkeypatch.setattr(processes, "isolation", lambda packages, device="": Isolation("basic", ("limits",)))
    gradproof.grade(tmp_path / "right.py", only=["activations.relu"], seed=0)

    assert {path.name for path in (cache / "gradproof" / "answers").rglob("*") if path.is_file()} == {"edges"}


# ---------------------------------------------------------------- workers that die

TOYS = """
import os, pathlib, time
from graders.harness.report import SubmissionReport
from graders.harness.sandbox.parent import CannotStart

class Grader:
    def __init__(self, options):
        self.options, self.used = options, []

    def start(self):
        if self.options == "refuses":
            raise CannotStart("no sandbox here")
        if self.options == "ends":
            os._exit(7)

    def __call__(self, submission):
        mark = pathlib.Path(submission.path)
        with mark.open("a") as file:
            file.write("x")
        if submission.name == "always" or submission.name == "once" and mark.stat().st_size == 1:
            os.kill(os.getpid(), 9)
        score = "no number" if submission.name == "nonsense" else 1.0
        return SubmissionReport(submission.id, submission.path, "graded", "", score, 1.0, [], [], [])
"""


class Lost:
    """Stands for the grader of the process that starts workers."""

    def __init__(self) -> None:
        self.used: list[Isolation] = []

    def start(self) -> None:
        """Nothing is run here."""

    def __call__(self, submission: Submission) -> SubmissionReport:
        raise AssertionError("graded here")

    def lost(self, submission: Submission, why: str) -> SubmissionReport:
        return SubmissionReport(submission.id, submission.path, "unreadable", why, 0.0, 1.0, [], [], [])


Toys = Callable[..., tuple[list[SubmissionReport], dict[str, int]]]


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toys:
    """Return what grades toys by their names, and says with it how often each was tried."""
    (tmp_path / "toys.py").write_text(TOYS)
    monkeypatch.syspath_prepend(str(tmp_path))

    def graded(names: list[str], options: str = "") -> tuple[list[SubmissionReport], dict[str, int]]:
        made = [Submission(str(i), str(tmp_path / f"{i}"), "file", name, {}) for i, name in enumerate(names)]
        reports = _workers.graded(Lost(), "__import__('toys').Grader", options, made, 2, lambda report: None)
        return reports, {s.name: Path(s.path).stat().st_size for s in made}

    return graded


def test_who_loses_a_worker_is_graded_by_another(toys: Toys) -> None:
    reports, tries = toys(["right", "once", "good"])

    assert [(r.id, r.status, r.score) for r in reports] == [(str(i), "graded", 1.0) for i in range(3)]
    assert tries == {"right": 1, "once": 2, "good": 1}


@pytest.mark.parametrize("bad", ["always", "nonsense"])
def test_a_submission_that_three_workers_die_of_has_done_it_and_no_other_pays(bad: str, toys: Toys) -> None:
    reports, tries = toys([bad, "right", "good"])

    assert [r.status for r in reports] == ["unreadable", "graded", "graded"]
    assert (reports[0].reason, reports[0].score) == ("3 processes that were to grade it died", 0.0)
    assert tries == {bad: 3, "right": 1, "good": 1}


def test_workers_that_cannot_work_end_the_run_and_say_why(toys: Toys) -> None:
    with pytest.raises(CannotStart, match="no sandbox here"):
        toys(["right", "good"], "refuses")
    with pytest.raises(CannotStart, match=r"ended before it could \(exit status 7\)"):
        toys(["right", "good"], "ends")


def test_a_worker_whose_starter_goes_without_reading_says_nothing(
    toys: Toys, capfd: pytest.CaptureFixture[str]
) -> None:
    worker = _workers.Worker("__import__('toys').Grader", "")
    assert worker.channel.poll(30)  # it says that it is ready; that it was not heard is a connection reset
    worker.end()

    assert (worker.ended(time.monotonic() + 30), capfd.readouterr().err) == (0, "")


def test_what_it_earns_is_nothing_for_every_name_that_was_asked_for(tmp_path: Path) -> None:
    from graders import _api, _assignment
    from graders.harness.sandbox.contract import Limits

    options = _api.Options(1, ("activations.relu",), (), Limits(), _assignment.Assignment(), None, ())
    report = _api.Grader(options).lost(Submission("s", "s.py", "file", "s.py", {}), "three died")

    assert (report.status, report.score, report.max_score) == ("unreadable", 0.0, 1.0)
    assert [(e.name, e.verdict, e.score, e.reason) for e in report.exercises] == [
        ("activations.relu", "killed", 0.0, "three died")
    ]


# ---------------------------------------------------------------- signals


def children_of(pid: int) -> set[int]:
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.add(int(entry.name))
    return found


def processes_with(mark: str) -> set[int]:
    """Return the processes that bear a text in their command line: a forked child bears its zygote's."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def eventually(happens: Callable[[], Any], seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_signal_ends_all_of_it_and_leaves_no_folder(number: signal.Signals, status: int, tmp_path: Path) -> None:
    folder, own = tmp_path / "class", tmp_path / "tmp"
    folder.mkdir()
    own.mkdir()
    for student in range(4):
        (folder / f"s{student}.py").write_text("import time\ntime.sleep(600)\n")
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "  # a background run ignores it
        "sys.argv = ['gradproof', 'grade', 'class', '--jobs', '2']; import gradproof; gradproof.main()"
    )
    with open(tmp_path / "out", "wb") as out, open(tmp_path / "error", "wb") as error:
        grader = subprocess.Popen(
            [sys.executable, "-P", "-c", program], cwd=tmp_path, env=os.environ | {"TMPDIR": str(own)},
            stdout=out, stderr=error, start_new_session=True,
        )  # fmt: skip
    try:
        of_each = 3 if processes.isolation().around else 2  # a zygote, its child, and what is around them
        assert eventually(lambda: len(processes_with(str(own))) == 2 * of_each)
        workers = children_of(grader.pid)
        assert len(workers) == 2
        grader.send_signal(number)
        grader.wait(30)
    finally:
        grader.kill()
        grader.wait()

    assert (grader.returncode, (tmp_path / "out").read_bytes()) == (status, b"")
    said = (tmp_path / "error").read_bytes()
    assert b"Traceback" not in said
    if number == signal.SIGINT:
        assert said.strip() == b"gradproof: interrupted"
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 5)
    assert eventually(lambda: not list(own.iterdir()))
