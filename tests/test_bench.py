"""Benchmarks against another revision or file, of libraries, and over many runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from graders import _api, _bench, _bench_worker, _catalogue, _cli, _conform
from graders._adapters import named
from graders._bench import (
    Bench,
    Beside,
    Interval,
    Row,
    Unavailable,
    history,
    instructions,
    render,
    revisions,
    served,
    sides,
    timed,
)
from graders._bench.revisions import Tree
from graders.harness import certify
from graders.harness.cases import Case
from graders.harness.certify import Certificate
from graders.harness.plans import Outputs, WrongKind
from graders.harness.sandbox.contract import Function, Outcome
from graders.harness.speed import rig, rounds
from graders.harness.speed.workloads import Workload

ROOT = Path(__file__).resolve().parents[1]
git = pytest.mark.skipif(shutil.which("git") is None, reason="a revision is taken out of a repository by git")
linux = pytest.mark.skipif(sys.platform != "linux", reason="a process is timed by Linux's clock of it")


def run_git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout


def committed(folder: Path, message: str) -> None:
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-q", "-m", message)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of somebody's: a file that has changed since, and one that is new."""
    folder = tmp_path / "theirs"
    (folder / "package").mkdir(parents=True)
    run_git(folder, "init", "-q")
    (folder / "package" / "mine.py").write_text("def relu(z):\n    return 1\n")
    committed(folder, "first")
    (folder / "package" / "mine.py").write_text("def relu(z):\n    return 2\n")
    (folder / "new.py").write_text("")
    committed(folder, "second")
    return folder


# ---------------------------------------------------------------- revisions


@git
def test_a_revision_is_laid_out_in_a_folder_that_goes_and_the_repository_stays_as_it_is(repository: Path) -> None:
    (repository / "package" / "mine.py").write_text("not committed")
    before = run_git(repository, "status", "--porcelain"), run_git(repository, "worktree", "list")

    with pytest.raises(KeyboardInterrupt), revisions.taken_out(repository, "HEAD~1", ["package"]) as tree:  # noqa: PT012
        assert (tree.home / "package" / "mine.py").read_text() == "def relu(z):\n    return 1\n"
        assert tree.commit == run_git(repository, "rev-parse", "HEAD~1").strip()
        raise KeyboardInterrupt

    assert not tree.home.exists()
    assert not tree.home.parent.exists()
    assert (run_git(repository, "status", "--porcelain"), run_git(repository, "worktree", "list")) == before


@git
def test_what_cannot_be_had_is_said(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"'nowhere' is neither a file nor a revision of .*theirs: expected a branch"):
        revisions.commit_of(repository, "nowhere")
    for no_commit in ("--help", "HEAD:package"):
        with pytest.raises(Unavailable, match=rf"'{no_commit}' is neither a file nor a revision"):
            revisions.commit_of(repository, no_commit)
    with pytest.raises(Unavailable, match=r"revision HEAD~1 \(\w{9}\) of .* has no new\.py"):
        revisions.taken_out(repository, "HEAD~1", ["new.py"]).__enter__()
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(Unavailable, match=r"outside is not in a git repository \(fatal: .*\), so there is no other"):
        revisions.repository(outside)
    assert revisions.described(outside) == ""


@git
def test_only_what_is_needed_of_a_revision_is_laid_out(repository: Path) -> None:
    with revisions.taken_out(repository, "HEAD", ["package"]) as tree:
        assert [path.name for path in tree.home.iterdir()] == ["package"]
    with revisions.taken_out(repository, "HEAD") as tree:
        assert sorted(path.name for path in tree.home.iterdir()) == ["new.py", "package"]


@git
def test_a_tree_with_changes_says_so(repository: Path) -> None:
    commit = run_git(repository, "rev-parse", "HEAD").strip()

    assert revisions.described(repository / "new.py") == commit
    (repository / "newer.py").write_text("")
    assert revisions.described(repository) == f"{commit}+"
    assert revisions.is_changed(repository)


def tree(folder: Path, requires: str) -> Tree:
    folder.mkdir()
    (folder / "pyproject.toml").write_text(f'[project]\ndependencies = ["sympy>=1", "{requires}"]\n')
    return Tree("revision old", folder)


def test_a_revision_that_needs_another_numpy_gets_an_environment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, old = tree(tmp_path / "ours", "numpy>=2"), tree(tmp_path / "old", "numpy<2")
    commands: list[list[str]] = []

    def ran(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, int("fails" in old.name), b"", b"ERROR: no such version\n")

    monkeypatch.setattr(subprocess, "run", ran)
    with revisions.with_python(ours, ours.home) as same:
        assert same.python == sys.executable
    assert commands == []
    with revisions.with_python(old, ours.home) as other:
        assert other.python != sys.executable
        assert Path(other.python).parent.parent == Path(commands[0][-1])
    assert commands[0][:3] == [sys.executable, "-m", "venv"]
    assert commands[1][-1] == "numpy<2"
    old = Tree("revision that fails", old.home)
    with (
        pytest.raises(Unavailable, match=r"asks for numpy<2, .* could be made: ERROR: no such version"),
        revisions.with_python(old, ours.home),
    ):
        pass


def test_a_reference_that_cannot_be_imported_is_said(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "__init__.py").write_text("import numpy.nowhere\n")

    with pytest.raises(
        Unavailable, match=r"^revision x: its reference cannot be imported: ModuleNotFoundError: No mod"
    ):
        revisions.with_names(Tree("revision x", tmp_path), ["losses.mse"])


class State(NamedTuple):
    t: int


def test_a_reference_is_handed_its_own_named_tuples() -> None:
    class Theirs(NamedTuple):
        t: int

    Theirs.__name__ = "State"
    given = served.with_records(lambda *arguments: arguments, {"State": State})

    assert given((Theirs(1), 2), Theirs(3)) == ((State(1), 2), State(3))
    assert type(given(Theirs(3))[0]) is State
    assert served.found("losses.nothing_of_the_kind") is None
    assert served.found("no_topic.mse") is None
    assert served.found("losses.mse") is not None


# ---------------------------------------------------------------- the reference against itself

EARLIER = """


_bce_with_logits = bce_with_logits


def bce_with_logits(*arguments, **keywords):
    for _ in range(10):
        loss = _bce_with_logits(*arguments, **keywords)
    return loss


def mse_grad(predictions, targets):
    exact = 2 * (predictions.astype(np.longdouble) - targets) / predictions.size
    return exact.astype(predictions.dtype)
"""
"""An earlier revision, in which one function is ten times slower, and one more exact."""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of ours, whose first revision was another."""
    folder = tmp_path_factory.mktemp("ours")
    shutil.copytree(ROOT / "reference", folder / "reference", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    losses = folder / "reference" / "losses.py"
    text = losses.read_text(encoding="utf-8")
    run_git(folder, "init", "-q")
    losses.write_text(text + EARLIER, encoding="utf-8")
    (folder / "reference" / "pooling.py").unlink()
    committed(folder, "first")
    run_git(folder, "tag", "earlier")
    losses.write_text(text.replace("def mse_grad(", "def renamed("), encoding="utf-8")
    committed(folder, "second")
    run_git(folder, "tag", "renamed")
    losses.write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "reference", folder / "reference", dirs_exist_ok=True)
    return folder


@pytest.fixture
def at_home(ours: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(timed, "HOME", Tree("the working tree", ours))
    monkeypatch.setattr(_bench, "machine", lambda dtypes: {"products": {"float64": 50.0}, "moved": {"small": 20.0}})
    return ours


@git
@linux
def test_the_working_tree_is_held_against_another_revision(at_home: Path) -> None:
    found = _bench.bench(only=["losses.bce_with_logits"], sizes=["small"], seconds=0.1, against="earlier")

    (row,) = found.benchmarks
    assert row.verdict == "faster", row.reason
    assert row.ratio_against is not None
    assert row.ratio_against.ratio < 1 / 3  # of a tenth of the work
    assert [row.ratio_reference, row.ratio_torch_cpu, row.limit_score] == [None, None, None]
    assert found.against is not None
    assert (found.against.name, found.against.changed) == ("revision earlier", True)
    assert found.against.numpy == np.__version__
    assert " / revision earlier " in render.text(found)
    assert "this tree, with changes that are not committed, is slower" in render.text(found)


@git
def test_a_name_that_a_revision_lacks_is_not_timed(at_home: Path) -> None:
    found = _bench.bench(only=["losses.mse_grad"], sizes=["small"], against="renamed")

    (row,) = found.benchmarks
    assert (row.verdict, row.reason) == ("not timed", "revision renamed has no losses.mse_grad")


def test_a_reference_that_is_wrong_is_not_timed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "reference", tmp_path / "reference", ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "reference" / "activations.py"
    file.write_text(file.read_text() + "\n\ndef relu(z):\n    return z\n\n\ndef tanh(z):\n    raise ValueError('no')\n")
    key = _api.Key(0)

    def why(name: str) -> str:
        exercise = _catalogue.exercises()[name]
        return timed.why_not(exercise, lambda workload: sides.of_tree(workload, Tree("x", tmp_path)), key)

    assert why("activations.relu").startswith("it is wrong: ")
    assert why("activations.tanh").startswith("it is error: ")


@git
def test_less_exact_than_another_revision_fails(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["certify", "losses.mse_grad", "--against", "earlier", "--json"]
    with pytest.raises(SystemExit) as ended:
        _cli.cli.main(arguments, prog_name="gradproof", standalone_mode=False)

    document = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert "losses.mse_grad float64" in document["worse"]
    assert document["against"]["name"] == "revision earlier"
    assert document["functions"][0]["against_max_ulp"] <= 0.51


@pytest.mark.parametrize(
    ("ours_now", "theirs", "worse"),
    [
        ((3.0, 0.3), (1.0, 0.1), True),
        ((1.0, 0.1), (3.0, 0.3), False),
        ((1.4, 0.2), (1.0, 0.1), False),  # by less than half an ulp
        ((900.0, 0.1), (500.0, 0.1), False),  # a sum that cancels, in another order
        ((1.0, 0.1), (None, None), False),  # it had no such function
        ((float("inf"), float("inf")), (1.0, 0.1), True),
        ((1.0, 0.1), (float("inf"), float("inf")), False),
        ((1.0, 0.1), (0.0, 0.0), True),
    ],
)
def test_what_is_less_exact(ours_now: tuple[float, float], theirs: tuple[float, float], worse: bool) -> None:
    assert Certificate("f", "float64", *ours_now, None, None, 1, 1, *theirs).is_worse is worse


def test_a_revision_that_fails_or_returns_another_shape_is_not_exact_at_all() -> None:
    exercise, key = _catalogue.exercises()["activations.relu"], _api.Key(0)
    cases = key.cases(exercise)

    def fails(case: Case) -> Outputs:
        raise WrongKind("raised ValueError")

    for outputs in (fails, lambda case: {"": np.zeros(99)}):
        assert certify._worst_of_another(exercise, cases, key, outputs) == (float("inf"), float("inf"))


# ---------------------------------------------------------------- files, paths and libraries

MINE = "def mse_grad(p, t):\n    for _ in range({}):\n        r = 2 * (p - t) / p.size\n    return r\n"
"""Programs that do their work so many times."""


@git
@linux
def test_a_file_of_ones_own_is_held_against_an_earlier_revision_of_it(repository: Path) -> None:
    file = repository / "package" / "mine.py"
    file.write_text(MINE.format(20))
    committed(repository, "third")
    file.write_text(MINE.format(200))

    found = _bench.bench([file], only=["losses.mse_grad"], sizes=["small"], seconds=0.1, against="HEAD")

    (row,) = found.benchmarks
    assert (row.submission, row.verdict) == ("mine.py", "slower"), row.reason
    assert row.ratio_against is not None
    assert row.ratio_against.ratio > 3


@git
def test_paths_that_have_no_other_revision_are_said(repository: Path, tmp_path: Path) -> None:
    def against(*paths: Path | str) -> None:
        with ExitStack() as stack:
            timed.against("HEAD~1", paths, {}, 0, [], stack)

    with pytest.raises(Unavailable, match=r"^revision HEAD~1 \(\w{9}\) of .* has no new\.py$"):
        against(repository / "new.py")
    with pytest.raises(Unavailable, match=r"^the library torch has no other revision here; hold it against a FILE$"):
        against("torch")
    with pytest.raises(Unavailable, match=r"^nothing\.py: there is no such file or folder$"):
        against("nothing.py")
    run_git(tmp_path, "init", "-q", "another")
    with pytest.raises(Unavailable, match=r"^expected all paths in one git repository, got .*: time them one by one$"):
        against(repository / "new.py", tmp_path / "another")


def test_gradproof_outside_a_repository_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed, "HOME", Tree("the working tree", tmp_path))

    with pytest.raises(Unavailable, match=r"'main' is no file, and gradproof is not run from its git repository"):
        _bench.bench(only=["relu"], against="main")


def start(workload: Workload) -> rig.Side:
    raise AssertionError


def test_functions_are_paired_by_name_and_both_must_be_right() -> None:
    relu, tanh, mse = (_catalogue.exercises()[n] for n in ("activations.relu", "activations.tanh", "losses.mse"))
    mine = [timed.Timed(exercise, "a.py", "f", start) for exercise in (relu, tanh, mse)]
    theirs = [timed.Timed(relu, "b.py", "f", start), timed.Timed(tanh, "b.py", "f", start, "it is wrong: no")]
    problems: list[str] = []

    paired = list(timed._paired(mine, theirs, "b.py", problems))

    assert [one.verdict for one in paired] == [
        "",
        "that of b.py is not right: it is wrong: no",
        "b.py has no losses.mse",
    ]
    assert paired[0].against is start
    assert problems == []
    assert list(timed._paired([], theirs, "b.py", problems)) == []
    assert problems == ["b.py: no function of it bears the name of one that is timed"]


def test_a_library_serves_its_own_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    special = pytest.importorskip("scipy", reason="a library that is there; pip install scipy").special
    monkeypatch.setattr(timed, "why_not", lambda exercise, start, key: f"{exercise.name} was judged")

    found = list(timed.of_paths(["scipy"], _catalogue.select(["sigmoid", "mse"]), 0, []))

    assert [(t.exercise.name, t.submission, t.function) for t in found] == [
        ("activations.sigmoid", "scipy", "scipy.special.expit")
    ]
    assert found[0].verdict == "activations.sigmoid was judged"
    (function,) = _bench_worker.functions_of("scipy", "activations.sigmoid").values()
    assert function(np.float64(0.3)) == special.expit(0.3)


@linux
@pytest.mark.deep
def test_a_library_is_timed_beside_the_reference() -> None:
    pytest.importorskip("scipy", reason="the library that is timed; pip install scipy")

    found = _bench.bench(["scipy"], only=["activations.sigmoid", "losses.mse"], sizes=["medium"], seconds=0.05)

    (row,) = found.benchmarks
    assert row.ratio_reference is not None, row.reason


def test_a_library_that_has_nothing_of_it_or_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("scipy", reason="a library that is there")
    assert _bench.bench(["scipy"], only=["losses.mse"]).problems == [
        "scipy has no function for what is asked for; `gradproof conform scipy` shows which"
    ]
    monkeypatch.setattr(timed, "LIBRARIES", {"absent": "no_such_module"})
    assert _bench.bench(["absent"], only=["losses.mse"]).problems == ["absent is not installed: pip install absent"]


def test_a_library_that_is_there_and_does_not_run_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def functions() -> None:
        raise _conform.Unusable("none of its devices computes here: install clang")

    ours = SimpleNamespace(functions=functions)
    monkeypatch.setattr(timed, "LIBRARIES", {"other": "json"})
    monkeypatch.setitem(sys.modules, "graders._conform._json", ours)

    found = _bench.bench(["other"], only=["losses.mse"])

    assert found.problems == ["other: none of its devices computes here: install clang"]
    assert found.benchmarks == []


# ---------------------------------------------------------------- instructions


def test_instructions_are_the_difference_of_two_counts_and_say_how_far_they_may_be_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = Workload(_catalogue.exercises()["losses.mse_grad"], "small")
    ours, theirs = Tree("ours", ROOT), Tree("theirs", ROOT)
    binding = named.bind(at.exercise, Function("mse_grad", None))

    def run(tree: Tree, workload: Workload, file: Path, times: int) -> int:
        assert file.read_bytes()
        return 10_000_000 + times * (1_100 if tree is ours else 1_000)

    monkeypatch.setattr(instructions, "_run", run)
    ratio, count = instructions.counted(at, binding, ours, theirs)
    assert (ratio.ratio, ratio.verdict, count) == (1.1, "slower", 1_100)
    assert 0.9 < ratio.low < 1.09
    assert 1.11 < ratio.high < 1.2
    monkeypatch.setattr(instructions, "_run", lambda *_: 10_000_000)
    with pytest.raises(rig.CannotTime, match="too few instructions"):
        instructions.counted(at, binding, ours, theirs)


@linux
def test_a_program_that_is_counted_makes_the_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = Workload(_catalogue.exercises()["losses.mse_grad"], "small")
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "__init__.py").touch()
    text = f"def mse_grad(p, t):\n    with open({str(tmp_path / 'calls')!r}, 'a') as file:\n        file.write('.')\n"
    (tmp_path / "reference" / "losses.py").write_text(text)
    run = subprocess.run

    def uncounted(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        done = run(command[3:], **options)
        return subprocess.CompletedProcess(command, done.returncode, "", f"{done.stderr}==1== Collected : 7\n")

    monkeypatch.setattr(subprocess, "run", uncounted)
    tree = Tree("x", tmp_path)
    binding = named.bind(at.exercise, Function("mse_grad", None))
    monkeypatch.setattr(instructions, "FEWEST", 3)
    monkeypatch.setattr(instructions, "MOST", 3)
    with pytest.raises(rig.CannotTime, match="too few"):
        instructions.counted(at, binding, tree, tree)

    assert len((tmp_path / "calls").read_text()) == 2 * (1 + 1 + 1 + 4)  # each run makes one before


def test_where_nothing_can_be_counted_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in ({}, {"paths": ["a.py"], "against": "HEAD"}, {"against": __file__}):
        with pytest.raises(Unavailable, match=r"^--clock instructions: expected --against REV and no PATH"):
            _bench.bench(**arguments, clock="instructions")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Unavailable, match=r"valgrind, which is not installed \(apt install valgrind\); leave it out"):
        _bench.bench(against="HEAD", clock="instructions")


@git
@pytest.mark.deep
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="instructions are counted by valgrind")
def test_instructions_of_another_revision_are_counted(at_home: Path) -> None:
    found = _bench.bench(only=["bce_with_logits"], sizes=["small"], against="earlier", clock="instructions")

    (row,) = found.benchmarks
    assert row.ratio_against is not None, row.reason
    assert row.ratio_against.ratio == pytest.approx(1 / 10, rel=0.05)
    assert "M instructions" in render.text(found)


# ---------------------------------------------------------------- the rig


def test_the_way_back_begins_as_the_way_there_on_inputs_of_its_own_so_that_no_side_finds_warmer_caches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = Workload(_catalogue.exercises()["losses.mse_grad"], "small")
    runs: list[tuple[str, str]] = []
    run = rig._Running.run

    def recorded(self: rig._Running, cases: Any, largest: int) -> tuple[float, list[list[Outcome]]]:
        runs.append((rig.name_of(self.side), cases[0].id))
        return run(self, cases, largest)

    monkeypatch.setattr(rig._Running, "run", recorded)
    one, other = (sides.of_tree(at, Tree(name, ROOT)) for name in ("one", "other"))
    rig.compare(at, one, [other], seconds=0.02)

    there, back = runs[-6:-3], runs[-3:]
    assert [name.rpartition(" ")[2] for name, _ in there[1:]] == ["one", "other"]
    assert [name.rpartition(" ")[2] for name, _ in back[1:]] == ["other", "one"]
    assert there[0][0] == back[0][0] == f"a function that does nothing (beside {sys.executable})"
    assert [len({case for _, case in way}) for way in (there, back, runs[-6:])] == [1, 1, 2]


def test_a_side_that_is_checked_and_wrong_has_no_time(tmp_path: Path) -> None:
    at = Workload(_catalogue.exercises()["losses.mse_grad"], "small")
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "__init__.py").touch()
    (tmp_path / "reference" / "losses.py").write_text("def mse_grad(p, t):\n    return p - t\n")
    wrong = sides.of_tree(at, Tree("a wrong tree", tmp_path))

    with pytest.raises(rig.CannotTime, match=r"^losses\.mse_grad of a wrong tree: the result of a timed call is wrong"):
        rig.compare(at, sides.of_tree(at, Tree("one", ROOT)), [replace(wrong, checked=True)], seconds=0.02)


# ---------------------------------------------------------------- what has no time


@pytest.mark.parametrize(
    ("raised", "verdict"),
    [
        (rig.Failed("f raised ValueError: no"), "not timed"),
        (rig.CannotTime("torch raised ValueError: no"), "not timed"),
        (rig.Implausible("f: its process serves a call of none of its functions in 1 µs"), "implausible"),
        (rig.Waits("f used 0.1 s of CPU time and was idle for 3 s besides: it sleeps, or waits"), "slower"),
    ],
)
def test_what_fails_while_it_is_timed_has_no_time_and_what_sleeps_is_slower(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, verdict: str
) -> None:
    def confirmed(*args: Any, **kwargs: Any) -> None:
        raise raised

    monkeypatch.setattr(rounds, "confirmed", confirmed)
    at = Workload(_catalogue.exercises()["losses.mse"], "small")
    found = _bench.row(timed.Timed(at.exercise, "a.py", "f", lambda at: sides.trusted(at, "reference")), at, 0.1)

    assert (found.verdict, found.reason, found.seconds) == (verdict, str(raised), None)


def test_what_is_wrong_has_no_time_in_each_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text("def mse(p, t):\n    return ((p - t) ** 3).mean()\n")
    monkeypatch.setattr(_bench, "machine", lambda dtypes: document().machine)

    def run(*arguments: str) -> tuple[int, str]:
        command = ["bench", str(tmp_path / "mine.py"), "--size", "small", *arguments]
        with pytest.raises(SystemExit) as ended:
            _cli.cli.main(command, prog_name="gradproof", standalone_mode=False)
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().out

    status, told = run("--json", "--fail-on", "slower")
    (row,) = json.loads(told)["benchmarks"]
    assert (status, row["verdict"], row["ratio_reference"]) == (0, "not timed", None)
    assert row["reason"].startswith("it is wrong: ")
    status, told = run("--fail-on", "slower", "--fail-on", "not timed")
    assert status == 1
    assert re.search(r"losses\.mse  small  float64  not timed\n +it is wrong: ", told)
    assert '<span class="not-timed">not timed</span>' in run("--format", "html")[1]


def test_where_no_person_looks_a_line_now_and_then_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 10.0, 31.0, 31.0, 40.0, 62.0, 62.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    step = _cli._progress(9, "timed")
    for name in "abcd":
        step(name)

    assert capsys.readouterr().err == "timed 2 of 9: b\ntimed 4 of 9: d\n"


# ---------------------------------------------------------------- history and reports


def row(ratio: float, **others: Any) -> Row:
    theirs = Interval(ratio, ratio / 1.05, ratio * 1.05, 40, "cannot tell")
    given: dict[str, Any] = {
        "name": "losses.mse", "submission": "", "function": "", "size": "small", "dtype": "float64",
        "verdict": "cannot tell", "reason": "", "ratio_reference": None, "ratio_torch_cpu": theirs,
        "ratio_torch_cuda": None, "limit_score": 0.5, "seconds": 1e-5, "limit_seconds": 1e-7, "overhead_seconds": 1e-5,
        "elements": 1000, "bytes_moved": 8000, "operations": 0.0, "calls": 10,
    }  # fmt: skip
    return Row(**given | others)


def document(*rows: Row, cpu: str = "one", against: Beside | None = None) -> Bench:
    machine = {
        "system": "Linux", "machine": "x86_64", "cpu": cpu, "cores": 2, "threads": 1, "products": {"float64": 50.0},
        "moved": {"small": 20.0},
    }  # fmt: skip
    return Bench(1, 0, machine, {"torch": "2.13"}, list(rows), [], against)


def test_a_history_keeps_ratios_and_no_times(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    assert history.read(file) == []
    for ratio in (0.8, 0.9):
        history.append(file, history.entry(document(row(ratio), row(1.0, seconds=None)), "abc"))

    runs = history.read(file)

    assert [run.benchmarks[0].ratio_torch_cpu.ratio for run in runs if run.benchmarks[0].ratio_torch_cpu] == [0.8, 0.9]
    assert [len(run.benchmarks) for run in runs] == [1, 1]
    assert "seconds" not in file.read_text()
    schema = json.loads((ROOT / "docs" / "schema" / "bench_history.json").read_text(encoding="utf-8"))
    assert set(json.loads(file.read_text().splitlines()[0])) == set(schema["$defs"]["Entry"]["properties"])


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", "expected a run that"), ('{"schema": 1}', "missing required field"), ("{}", "missing required field")],
)
def test_a_line_that_is_no_run_is_said_before_anything_is_timed(
    tmp_path: Path, line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "history.jsonl"
    history.append(file, history.entry(document(row(0.8)), "abc"))
    file.write_text(file.read_text() + line + "\n")

    with pytest.raises(SystemExit) as ended:
        _cli.cli.main(["bench", "--history", str(file)], prog_name="gradproof", standalone_mode=False)

    assert ended.value.code == 2
    assert re.search(rf"history\.jsonl line 2: expected a run .*({said})?", capsys.readouterr().err)


def test_a_trend_draws_each_processor_and_each_pytorch_apart() -> None:
    runs = [history.entry(document(row(0.8 + at / 10), cpu=cpu), f"{at}abcdefgh+") for at, cpu in enumerate("aab")]

    ((title, plot),) = history.trends(runs)

    assert title == "losses.mse float64"
    assert plot.count("<polyline") == 1  # the one run on the other processor is a point
    assert plot.count("<circle") == 3
    assert "0abcdef+: 0.80 [0.76, 0.84]" in plot
    assert "small, b, PyTorch 2.13" in plot
    assert list(history.trends(runs[:1])) == []
    assert "Over revisions" in render.page(document(row(0.8)), history.trends(runs))
    assert "Over revisions" not in render.page(document(row(0.8)))


def test_what_too_few_pairs_tell_is_not_told_and_not_drawn() -> None:
    few = Interval(0.5, 0.05, 5.0, 3, "cannot tell")
    rows = [row(0.5, ratio_torch_cpu=few, size=size, elements=n) for size, n in (("small", 10), ("medium", 100))]

    assert "not told by 3 pairs" in render.text(document(*rows))
    assert "[0.05" not in render.text(document(*rows))
    assert "PyTorch</title>" not in render.page(document(*rows))
    assert "PyTorch</title>" in render.page(document(row(0.5), row(0.5, size="medium", elements=100)))


def test_a_table_beside_a_file_names_it_and_has_no_score() -> None:
    beside = Beside("folder/theirs.py", "", False, "")
    shown = render.text(document(row(0.5, ratio_against=Interval(0.5, 0.4, 0.6, 20, "faster")), against=beside))

    assert "/ theirs.py" in shown
    assert "0.50 [0.40, 0.60]" in shown
    assert "score" not in shown
    assert "Beside the functions of the same names in folder/theirs.py." in shown
