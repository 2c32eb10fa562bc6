"""Many submissions, and sudden deaths: nothing piles up, nothing is left alive, and no submission pays for it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gradproof
from graders.harness.sandbox import processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

RIGHT = "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n"
SLOW = "import time\ntime.sleep(0.3)\n" + RIGHT.replace("    return", "    time.sleep(0.003)\n    return")
HANGS = "while True:\n    pass\n"
MIXED = (
    RIGHT,
    RIGHT.replace("maximum", "minimum"),
    "def relu(z):\n    raise ValueError\n",
    "def relu(z:\n",
    "import os\nos._exit(0)\n",
    RIGHT.replace("    return", "    print('x' * 100_000)\n    return"),
)


def of_each(texts: tuple[str, ...], count: int, folder: Path) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"s{number:05}.py").write_text(texts[number % len(texts)])
    return folder


def processes_with(mark: str) -> set[int]:
    """Return the living processes that bear a text in their command line: a forked child bears its zygote's."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "cmdline").read_bytes():
                    found.add(int(entry.name))
            except OSError:  # it has just ended
                continue
    return found


def children_of(pid: int) -> set[int]:
    """Return the processes that one has started and not yet taken leave of, dead ones among them."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.add(int(entry.name))
            except OSError:
                continue
    return found


def eventually(happens: Callable[[], Any], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


# ---------------------------------------------------------------- many submissions

MEASURING = """
import json, os, sys
from pathlib import Path
import gradproof
from graders.harness.sandbox import processes
from test_endurance import children_of

def memory(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def measure():
    zygotes = children_of(os.getpid())
    if processes.isolation().around:  # then they are in there
        zygotes = {zygote for around in zygotes for zygote in children_of(around)}
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "zygotes": len(zygotes),
        "children": sum(len(children_of(zygote)) for zygote in zygotes),
        "of_zygotes": [len(os.listdir(f"/proc/{zygote}/fd")) for zygote in zygotes],
        "folders": len(os.listdir(os.environ["TMPDIR"])),
        "grader": memory(os.getpid()),
        "zygote": sum(map(memory, zygotes)),
    }

seen, statuses = [], {}
def progress(report):
    statuses[report.status] = statuses.get(report.status, 0) + 1
    if sum(statuses.values()) in (warm, count):
        seen.append(measure())

warm, count = map(int, sys.argv[2:])
gradproof.grade(sys.argv[1], only=["activations.relu"], seed=1, progress=progress)
print(json.dumps([*seen, statuses]))
"""


def endured(count: int, tmp_path: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, int]]:
    """Grade many submissions in one run, and return what there was after some of them, at the end, and the statuses."""
    folder, own = of_each(MIXED, count, tmp_path / "class"), tmp_path / "tmp"
    own.mkdir()
    made = subprocess.run(
        [sys.executable, "-c", MEASURING, str(folder), "60", str(count)],
        env=os.environ | {"TMPDIR": str(own), "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert eventually(lambda: not processes_with(str(own)), 2)
    assert list(own.iterdir()) == []
    warm, end, statuses = json.loads(made.stdout)
    return warm, end, statuses


def nothing_piled_up(warm: dict[str, Any], end: dict[str, Any], growth: int) -> None:
    for what in ("descriptors", "zygotes", "children", "of_zygotes", "folders"):
        assert end[what] == warm[what], what
    assert end["children"] == 0
    assert end["grader"] - warm["grader"] < growth
    assert end["zygote"] - warm["zygote"] < 4 << 20


def test_many_submissions_in_one_run_leave_nothing_behind(tmp_path: Path) -> None:
    warm, end, statuses = endured(120, tmp_path)

    assert statuses == {"graded": 80, "unreadable": 40}
    nothing_piled_up(warm, end, 8 << 20)


@pytest.mark.deep
def test_ten_thousand_submissions_in_one_run_leave_nothing_behind(tmp_path: Path) -> None:
    warm, end, statuses = endured(10_002, tmp_path)

    assert statuses == {"graded": 6668, "unreadable": 3334}
    nothing_piled_up(warm, end, 128 << 20)  # of which the reports themselves are most


# ---------------------------------------------------------------- the grader is killed


def killed_after(delay: float, tmp_path: Path) -> None:
    """Kill a grader so long after it has begun to start processes; nothing of it may be alive two seconds later."""
    own = tmp_path / "tmp"
    own.mkdir()
    command = [
        sys.executable,
        "-c",
        "import gradproof; gradproof.main()",
        "grade",
        str(tmp_path / "class"),
        "--jobs",
        "2",
    ]
    grader = subprocess.Popen(
        command, env=os.environ | {"TMPDIR": str(own)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert eventually(lambda: processes_with(str(own)), 60)
        time.sleep(delay)
        assert grader.poll() is None
    finally:
        grader.kill()
        grader.wait()
    gone = eventually(lambda: not processes_with(str(own)), 2)
    for left in processes_with(str(own)):
        os.kill(left, signal.SIGKILL)
    assert gone


@pytest.mark.parametrize("number", range(3))
def test_killing_the_grader_at_any_moment_leaves_nothing_alive(number: int, tmp_path: Path) -> None:
    of_each((HANGS, *MIXED), 60, tmp_path / "class")

    killed_after(random.Random(number).random() * number / 4, tmp_path)  # noqa: S311


@pytest.mark.deep
@pytest.mark.parametrize("number", range(50))
def test_killing_the_grader_at_fifty_moments_leaves_nothing_alive(number: int, tmp_path: Path) -> None:
    of_each((HANGS, *MIXED), 60, tmp_path / "class")

    killed_after(random.Random(100 + number).random() * 1.5, tmp_path)  # noqa: S311


# ---------------------------------------------------------------- the zygote is killed


@pytest.fixture
def zygote() -> Iterator[Callable[[], None]]:
    """Return what kills the zygotes of this process."""
    processes.close_all()
    processes.isolation()
    killed: list[processes.Zygote] = []

    def kill() -> None:
        for zygote in list(processes._zygotes.values()):
            killed.append(zygote)
            zygote._process.send_signal(signal.SIGKILL)

    yield kill
    processes.close_all()
    for zygote in killed:
        zygote.close()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SLOW, id="while it loads"),
        pytest.param(SLOW.replace("0.3", "0").replace("0.003", "0.05"), id="while it is called"),
    ],
)
def test_a_submission_does_not_pay_for_a_zygote_that_dies(
    text: str, zygote: Callable[[], None], tmp_path: Path
) -> None:
    (tmp_path / "slow.py").write_text(text)
    gradproof.grade(tmp_path / "slow.py", only=["activations.relu"], seed=1)  # so that the answers are known
    at = threading.Timer(0.15, zygote)
    at.start()
    began = time.monotonic()
    report = gradproof.grade(tmp_path / "slow.py", only=["activations.relu"], seed=1)
    at.join()

    assert time.monotonic() - began < 30
    (submission,) = report.submissions
    assert submission.status in ("graded", "unscored"), submission.reason
    assert [e.verdict for e in submission.exercises] in (["correct"], ["unscored"], [])
    assert report.exit_status == (3 if submission.status == "unscored" else 0)


def test_a_run_goes_on_when_the_zygote_dies_between_two_submissions(zygote: Callable[[], None], tmp_path: Path) -> None:
    of_each((RIGHT,), 6, tmp_path / "class")

    def killing(done: Any) -> None:
        zygote()
        time.sleep(0.05)

    report = gradproof.grade(tmp_path / "class", only=["activations.relu"], seed=1, progress=killing)

    assert [s.status for s in report.submissions] == ["graded"] * 6
    assert report.exit_status == 0
