"""Exercises from outside: of a single file and of an installed package, in every command; what is said of bad ones."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gradproof
from graders import _catalogue, _cli
from graders._api import Key
from graders._outside import UnusableExercises
from graders.harness.certify import proved

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples" / "own_exercise"
FILE = FOLDER / "mine.py"
NAMES = ["mine.pseudo_huber", "mine.pseudo_huber_grad"]

RIGHT = """
import numpy as np
def pseudo_huber(predictions, targets, *, delta=1.0):
    r = (predictions - targets) / delta
    return delta**2 * np.mean(r * r / (1 + np.sqrt(1 + r * r)))
"""
WRONG = """
import numpy as np
def pseudo_huber(predictions, targets, *, delta=1.0):
    total = 0.0
    for p, t in zip(predictions.ravel(), targets.ravel()):
        total += np.sqrt(1 + ((p - t) / delta) ** 2) - 1
    return total / predictions.size
"""
TINY = """
from typing import Annotated
import numpy as np
from graders.harness.exercise import Exercise, edge
def {name}(z: Annotated[np.ndarray, "n d"]) -> Annotated[np.ndarray, "n d"]:
    return {formula}
exercise = Exercise({name}, edges=(edge("small", z=[[0.3, -1.7]]),))
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Return the command line, run in this process from a folder of its own: status, output, errors."""
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gradproof", *arguments])
        status: Any = 0
        try:
            _cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return ran


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return what installs a distribution as pip would leave it: its modules, and its metadata beside them."""
    site = tmp_path / "site-packages"
    site.mkdir()

    def installed(name: str, points: dict[str, str], **files: str) -> None:
        info = site / f"{name.replace('-', '_')}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
        (info / "entry_points.txt").write_text(
            "\n".join(["[gradproof.exercises]", *(f"{key} = {value}" for key, value in points.items())]) + "\n"
        )
        for module, text in files.items():
            (site / f"{module}.py").write_text(text)
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.syspath_prepend(str(site))
        _catalogue._joined.cache_clear()

    yield installed
    for module in [m for m in sys.modules if m.partition(".")[0] in ("gradproof_mine", "their_module", "other_module")]:
        del sys.modules[module]
    _catalogue._joined.cache_clear()


def own(tmp_path: Path, name: str, text: str) -> str:
    (tmp_path / name).write_text(text)
    return name


# ---------------------------------------------------------------- the example, as a single file


def test_the_example_passes_its_own_audit(run: Run) -> None:
    status, out, _ = run("audit", "mine.*", "--exercises", str(FILE), "--json")
    audits = json.loads(out)["exercises"]

    assert status == 0
    assert [a["name"] for a in audits] == NAMES
    assert all(a["caught"] == a["named"] == a["misconceptions"] >= 3 for a in audits)
    assert all(a["accepted"] == a["conventions"] == 1 for a in audits)
    assert not any(a["survivors"] or a["vacuous"] for a in audits)


def test_a_submission_is_graded_by_an_exercise_of_a_file_and_its_mistake_named(run: Run, tmp_path: Path) -> None:
    own(tmp_path, "work.py", WRONG)

    status, out, _ = run("grade", "work.py", "--exercises", str(FILE), "--seed", "7", "--json")
    document = json.loads(out)
    (graded,) = document["submissions"][0]["exercises"]

    assert status == 1
    assert (graded["name"], graded["verdict"], graded["truth"]) == ("mine.pseudo_huber", "wrong", "reference")
    assert [d["name"] for d in graded["diagnosis"]] == ["forgets_the_factor"]
    assert document["run"]["versions"]["mine.py"].startswith("sha256:")
    assert document["run"]["exercises"] == len(_catalogue.names()) + 2


def test_a_verdict_by_an_exercise_of_a_file_is_replayed(run: Run, tmp_path: Path) -> None:
    own(tmp_path, "work.py", WRONG)
    _, out, _ = run("grade", "work.py", "--exercises", str(FILE))
    found = re.search(r"replay (mine\.\S+)", out)
    assert found is not None

    status, out, _ = run("replay", found[1], "--exercises", str(FILE))

    assert status == 1
    assert "work.py does not pass" in out


def test_list_show_and_certify_know_an_exercise_of_a_file(run: Run) -> None:
    _, listed, _ = run("list", "mine.*", "--exercises", str(FILE))
    _, shown, _ = run("show", "pseudo_huber", "--exercises", str(FILE))
    status, certified, _ = run("certify", "mine.*", "--exercises", str(FILE), "--json")

    assert [line.split()[0] for line in listed.splitlines()[:2]] == NAMES
    assert f"2 names, 0 with a proof of the same name; some from the file {FILE}" in listed
    assert "none: no claim speaks of an exercise of your own" in shown
    assert "forgets_the_factor" in shown
    assert status == 0
    assert {row["name"] for row in json.loads(certified)["functions"]} == set(NAMES)


def test_a_file_is_in_the_catalogue_for_one_command_only(run: Run) -> None:
    run("list", "--exercises", str(FILE))
    status, _, err = run("list", "mine.*")

    assert (status, err) == (2, "gradproof: no exercise is called 'mine.*'; `gradproof list` shows all\n")


def test_a_file_of_exercises_is_no_submission_of_the_folder_it_lies_in(run: Run, tmp_path: Path) -> None:
    shutil.copy(FILE, tmp_path / "mine.py")
    own(tmp_path, "work.py", RIGHT)

    status, out, _ = run("grade", ".", "--exercises", "mine.py", "--json")

    assert status == 0
    assert [Path(s["path"]).name for s in json.loads(out)["submissions"]] == ["work.py"]


def test_a_file_given_twice_is_there_once(run: Run) -> None:
    status, out, _ = run("list", "mine.*", "--exercises", str(FILE), "--exercises", str(FILE))

    assert (status, len(out.splitlines())) == (0, 4)


def test_the_door_takes_an_exercise_of_a_file() -> None:
    with _catalogue.including([FILE]):
        exercise = _catalogue.exercises()["mine.pseudo_huber"]
        checked = gradproof.check("mine.pseudo_huber", exercise.reference)
        scored = gradproof.score(WRONG, "mine.pseudo_huber", seed=1)

    assert (checked.verdict, scored.verdict) == ("correct", "wrong")
    assert gradproof.check(exercise, exercise.reference).verdict == "correct"
    assert gradproof.score(RIGHT, exercise, seed=1).verdict == "correct"
    assert gradproof.score("def relu(z):\n    return z\n", exercise, seed=1).verdict == "missing"


def test_a_submission_cannot_import_the_exercise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(FILE, tmp_path / "mine.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    asking = (
        "from mine import pseudo_huber as right\ndef pseudo_huber(*given, **more):\n    return right(*given, **more)\n"
    )
    with _catalogue.including([tmp_path / "mine.py"]):
        assert gradproof.score(asking, "mine.pseudo_huber").verdict == "incompatible"


def test_an_answer_kept_from_before_an_edit_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    verdicts = []
    for formula in ("2 * z", "3 * z"):
        file.write_text(TINY.format(name="scaled", formula=formula))
        with _catalogue.including([file]):
            exercise = _catalogue.exercises()["mine.scaled"]
            key = Key(0, proved)
            edge = next(case for case in key.cases(exercise) if case.origin == "small")
            answer = key.find(exercise, edge)
            assert answer is not None
            verdicts.append(float(answer.outputs[""].hi[0, 0]))

    assert verdicts == [0.6, pytest.approx(0.9)]


# ---------------------------------------------------------------- the example, as a package


def test_the_package_of_the_example_joins_the_catalogue_when_it_is_installed(run: Run, install: Install) -> None:
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text())
    points = project["project"]["entry-points"]["gradproof.exercises"]
    install(project["project"]["name"], points)
    site = Path(sys.path[0])
    for source, target in project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"].items():
        (site / target).parent.mkdir()
        shutil.copy(FOLDER / source, site / target)

    status, out, _ = run("list", "mine.*", "--json")

    assert status == 0
    assert [row["name"] for row in json.loads(out)["exercises"]] == NAMES
    assert {row["source"] for row in json.loads(out)["exercises"]} == {
        "the installed package gradproof-mine 0.1.0 (gradproof_mine.mine)"
    }
    assert gradproof.check("pseudo_huber", _catalogue.exercises()["mine.pseudo_huber"].reference).passed
    assert gradproof.score(WRONG, "mine.pseudo_huber", seed=1).verdict == "wrong"


def test_the_package_of_the_example_builds(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the builder of packages is not installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
               "--disable-pip-version-check", "--target", str(tmp_path / "site"), str(FOLDER)]  # fmt: skip
    shutil.copytree(FOLDER, tmp_path / "project")
    command[-1] = str(tmp_path / "project")

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "gradproof_mine" / "mine.py").read_text() == FILE.read_text()
    (info,) = (tmp_path / "site").glob("*.dist-info")
    (point,) = importlib.metadata.PathDistribution(info).entry_points
    assert (point.group, point.value) == ("gradproof.exercises", "gradproof_mine.mine")


def test_an_entry_point_may_name_one_exercise(install: Install) -> None:
    install("theirs", {"one": "their_module:exercise"}, their_module=TINY.format(name="doubled", formula="2 * z"))

    assert _catalogue.exercises()["their_module.doubled"].name == "their_module.doubled"


def test_exercises_of_a_package_may_use_those_of_gradproof(install: Install) -> None:
    text = "from graders.losses import mse\n" + TINY.format(name="doubled", formula="2 * z")
    install("theirs", {"all": "their_module"}, their_module=text)

    assert _catalogue.origin("losses.mse").name == "gradproof"
    assert _catalogue.origin("their_module.doubled").name == "theirs"


# ---------------------------------------------------------------- what is said of bad ones


@pytest.mark.parametrize(
    "text, said",
    [
        ("import not_there", "ModuleNotFoundError: No module named 'not_there'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def f(:", "SyntaxError: invalid syntax"),
    ],
)
def test_a_package_that_cannot_be_imported_stops_every_command_and_is_named(
    text: str, said: str, run: Run, install: Install, tmp_path: Path
) -> None:
    install("theirs", {"all": "their_module"}, their_module=text)
    own(tmp_path, "work.py", RIGHT)
    expected = (
        r"the installed package theirs 0\.1\.0 \(their_module\) offers exercises, but they cannot be imported: "
        f"{re.escape(said)}.*\\. Mend or uninstall it: pip uninstall theirs"
    )

    for command in (["list"], ["audit", "relu"], ["grade", "work.py"], ["show", "relu"], ["certify", "relu"]):
        status, out, err = run(*command)
        assert (status, out) == (2, "")
        assert re.fullmatch(f"gradproof: {expected}\n", err)
    with pytest.raises(UnusableExercises, match=expected):
        gradproof.check("relu", abs)


def test_a_name_of_ours_is_refused_whatever_its_topic(run: Run, tmp_path: Path) -> None:
    file = own(tmp_path, "mine.py", TINY.format(name="relu", formula="z"))

    status, _, err = run("list", "--exercises", file)

    assert status == 2
    assert err == (
        "gradproof: the exercises activations.relu of gradproof itself and mine.relu of the file "
        f"{tmp_path / file} have one name: a submission's function relu could be meant for either. "
        "Rename the function in mine.py.\n"
    )


def test_two_packages_of_one_name_are_refused_and_both_are_named(install: Install) -> None:
    text = TINY.format(name="doubled", formula="2 * z")
    install("theirs", {"all": "their_module"}, their_module=text)
    install("others", {"all": "other_module"}, other_module=text)

    with pytest.raises(UnusableExercises) as refused:
        _catalogue.exercises()

    assert refused.value.args[0] == (
        "the exercises other_module.doubled of the installed package others 0.1.0 (other_module) and "
        "their_module.doubled of the installed package theirs 0.1.0 (their_module) have one name: a submission's "
        "function doubled could be meant for either. Either rename that of others, or uninstall it: pip uninstall "
        "others, or rename that of theirs, or uninstall it: pip uninstall theirs."
    )


@pytest.mark.parametrize(
    "name, text, said",
    [
        ("my-file.py", "", "cannot hold exercises: its name is their topic, so it must be a word that ends in .py"),
        ("mine.txt", "", "cannot hold exercises: its name is their topic"),
        ("mine.py", "", "holds no exercise: no value is a graders.harness.exercise.Exercise"),
        ("mine.py", "x = 1\nimport not_there", r"cannot be imported: ModuleNotFoundError: .* \(line 2\)"),
        ("mine.py", "\ndef f(:", r"cannot be imported: SyntaxError: .* \(line 2\)"),
        (
            "mine.py",
            "from graders.harness.exercise import Exercise\ndef f(z): return z\ne = Exercise(f)",
            r"mine\.f of the file .*: its signature cannot be read, KeyError: 'z'; annotate every parameter",
        ),
        (
            "mine.py",
            "from graders.harness.exercise import Exercise\ndef f(z: list): return z\ne = Exercise(f)",
            r"its signature says of no argument what it is; annotate one at least, as Annotated\[np\.ndarray",
        ),
    ],
)
def test_what_is_said_of_a_file_that_cannot_be_used(name: str, text: str, said: str, run: Run, tmp_path: Path) -> None:
    status, out, err = run("list", "--exercises", own(tmp_path, name, text))

    assert (status, out) == (2, "")
    assert re.search(said, err), err


def test_a_file_that_is_not_there_is_said_to_be_so(run: Run, tmp_path: Path) -> None:
    status, _, err = run("grade", "work.py", "--exercises", "mine.py")

    assert (status, err) == (
        2,
        f"gradproof: the file {tmp_path / 'mine.py'} cannot be read (No such file or directory)\n",
    )


# ---------------------------------------------------------------- the page


def test_the_page_shows_the_files_as_they_are() -> None:
    page = (ROOT / "docs" / "own-exercise.md").read_text()
    blocks = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)\n```", page, re.DOTALL))

    assert set(blocks) == {"examples/own_exercise/mine.py", "examples/own_exercise/pyproject.toml"}
    for file, text in blocks.items():
        assert text in (ROOT / file).read_text()
    assert len(page.splitlines()) <= 170


def test_a_program_grades_by_the_exercises_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(RIGHT)

    (submission,) = gradproof.grade(tmp_path, seed=1, exercises=FILE).submissions

    assert [(e.name, e.verdict) for e in submission.exercises] == [(NAMES[0], "correct")]
    assert NAMES[0] not in _catalogue.exercises()
    with pytest.raises(UnusableExercises, match=r"nothing\.py"):
        gradproof.grade(tmp_path, exercises=[tmp_path / "nothing.py"])
