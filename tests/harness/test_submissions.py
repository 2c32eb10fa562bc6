"""What stands at a path: whatever its names, links and encodings are, it is a submission or a sentence."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradproof
from graders.harness import submissions
from graders.harness.submissions import Unusable, found_at

RIGHT = "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n"
posix = pytest.mark.skipif(os.name != "posix", reason="links and such names are made otherwise elsewhere")


def kinds(folder: Path) -> dict[str, str]:
    return {
        s.id: s.kind if not isinstance(s, Unusable) else "" for s in found_at(folder) if not isinstance(s, Unusable)
    }


@posix
@pytest.mark.parametrize("target", ["../alice/hw.py", "/etc/passwd", "/dev/zero", "nothing.py"])
def test_a_link_inside_a_folder_is_not_followed(tmp_path: Path, target: str) -> None:
    for name in ("alice", "bob"):
        (tmp_path / name).mkdir()
    (tmp_path / "alice" / "hw.py").write_text(RIGHT)
    (tmp_path / "bob" / "hw.py").symlink_to(target)

    found = {s.id: s for s in found_at(tmp_path) if not isinstance(s, Unusable)}

    assert found["alice/hw.py"].kind == "file"
    assert (found["bob/hw.py"].kind, found["bob/hw.py"].files) == ("unreadable", {})
    assert "symbolic link" in found["bob/hw.py"].name


@posix
@pytest.mark.parametrize("link", ["__init__.py", "other.py"])
def test_a_package_with_a_link_is_not_read(tmp_path: Path, link: str) -> None:
    package = tmp_path / "theirs"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / link).unlink(missing_ok=True)
    (package / link).symlink_to("/etc/passwd")

    (found,) = found_at(tmp_path)

    assert not isinstance(found, Unusable)
    assert (found.kind, found.files) == ("unreadable", {})
    assert f"theirs/{link} is a symbolic link" in found.name


@posix
def test_a_link_that_the_user_names_is_followed(tmp_path: Path) -> None:
    (tmp_path / "hw.py").write_text(RIGHT)
    (tmp_path / "latest.py").symlink_to("hw.py")

    (found,) = found_at(tmp_path / "latest.py")

    assert not isinstance(found, Unusable)
    assert found.files == {"latest.py": RIGHT}


@posix
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hw.py")

    (found,) = found_at(tmp_path)

    assert isinstance(found, Unusable)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "ascii", "shift_jis"])
def test_common_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "hw.py").write_bytes(f"# coding: {encoding}\n{RIGHT}".encode(encoding))

    (found,) = found_at(tmp_path / "hw.py")

    assert not isinstance(found, Unusable)
    assert RIGHT in found.files["hw.py"]


@pytest.mark.parametrize("encoding", ["punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf-7"])
def test_an_encoding_that_takes_long_or_hides_the_text_is_not_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "hw.py").write_bytes(f"# coding: {encoding}\n".encode() + b"a" * 1_000_000)
    began = time.monotonic()

    (found,) = found_at(tmp_path / "hw.py")

    assert not isinstance(found, Unusable)
    assert found.kind == "unreadable"
    assert "save it as UTF-8" in found.name
    assert time.monotonic() - began < 5


def test_a_file_and_a_package_too_large_are_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submissions, "MAX_BYTES", 1000)
    monkeypatch.setattr(submissions._bytes_of, "__defaults__", (1000,))
    (tmp_path / "big.py").write_text("#" * 1001)
    package = tmp_path / "many"
    package.mkdir()
    for name in ("__init__", *(f"m{n}" for n in range(9))):
        (package / f"{name}.py").write_text("#" * 900)

    assert kinds(tmp_path) == {"big.py": "unreadable", "many": "unreadable"}


@pytest.fixture
def folders_too_deep(tmp_path: Path) -> Iterator[Path]:
    """A folder with 1,200 within it, each in the one before: gone afterwards, since `shutil.rmtree`, by which pytest
    removes the folders of older runs, recurses before Python 3.13 and would end the run with a RecursionError."""
    levels = 1200
    (tmp_path / "a").mkdir()
    within = os.open(tmp_path / "a", os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("a", dir_fd=within)
        within = _moved(within, "a")
    yield tmp_path
    for _ in range(levels):
        within = _moved(within, "..")
        os.rmdir("a", dir_fd=within)
    os.close(within)


def _moved(folder: int, name: str) -> int:
    other = os.open(name, os.O_RDONLY, dir_fd=folder)
    os.close(folder)
    return other


@posix
def test_folders_too_deep_are_told_and_the_rest_is_found(folders_too_deep: Path) -> None:
    (folders_too_deep / "b.py").write_text(RIGHT)

    deep, found = found_at(folders_too_deep)

    assert isinstance(deep, Unusable)
    assert "folders within each other" in str(deep)
    assert not isinstance(found, Unusable)
    assert found.id == "b.py"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_a_name_that_is_no_text_can_be_reported(tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(tmp_path), b"a\xff.py"), "w") as file:
        file.write(RIGHT)

    report = gradproof.grade(tmp_path)

    (only,) = report.submissions
    assert only.score == 1
    only.id.encode()
    only.path.encode()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text(RIGHT)
    (tmp_path / "a").mkdir(mode=0)

    first, second = found_at(tmp_path)

    assert isinstance(first, Unusable)
    assert not isinstance(second, Unusable)


SCRIPTS = {
    "lacks its data": ("data = open('nowhere.csv')\n", "FileNotFoundError (line 1): [Errno 2]"),
    "has a wrong shape": ("import numpy as np\nnp.ones(3) @ np.ones(4)\n", "ValueError (line 2): matmul"),
    "exits": ("import sys\nsys.exit(2)\n", "SystemExit (line 2): 2"),
    "loops over what is not here": ("import cv2\nfor row in 255 - cv2.imread('x.png'):\n    pass\n", "ModuleNotFound"),
}


@posix
@pytest.mark.parametrize("what", SCRIPTS)
def test_a_file_whose_script_fails_is_judged_on_its_definitions(tmp_path: Path, what: str) -> None:
    script, said = SCRIPTS[what]
    (tmp_path / "hw.py").write_text(f"{script}\n{RIGHT}\nrelu(None)\n")

    (submission,) = gradproof.grade(tmp_path, seed=0).submissions

    assert [(e.name, e.verdict) for e in submission.exercises] == [("activations.relu", "correct")]
    (note,) = (note for note in submission.notes if note.startswith("running "))
    assert said in note
    assert note.endswith("; its definitions are judged")


@posix
def test_a_package_that_lacks_an_import_is_judged_on_what_does_not_need_it(tmp_path: Path) -> None:
    package = tmp_path / "mylib"
    package.mkdir()
    (package / "__init__.py").write_text("from . import layers\n")
    (package / "layers.py").write_text(
        f"import autogradient.numpy as anp\n{RIGHT}\ndef tanh(z):\n    return anp.tanh(z)\n"
    )

    (submission,) = gradproof.grade(package, seed=0).submissions

    verdicts = {e.name: e.verdict for e in submission.exercises}
    assert verdicts == {"activations.relu": "correct", "activations.tanh": "incompatible"}


# ---------------------------------------------------------------- folders without an __init__.py

COURSE = {
    "alice/layers.py": "from .helpers import *\ndef relu(z):\n    return positive(z)\n",
    "alice/helpers.py": "import numpy as np\ndef positive(z):\n    return np.maximum(z, 0)\n",
    "alice/net/deep.py": "from alice.layers import relu as one\ndef leaky_relu(z, negative_slope=0.01):\n"
    "    return one(z) - negative_slope * one(-z)\n",
    "b. smith/hw.py": "import numpy as np\nfrom ops import Half\nimport ops\ndef tanh(z):\n"
    "    return 2 * Half(z).value if Half is ops.Half else None\n",
    "b. smith/ops.py": "import numpy as np\nclass Half:\n    def __init__(self, z):\n"
    "        self.value = np.tanh(z) / 2\n",
}


@pytest.fixture
def students(tmp_path: Path) -> Path:
    for name, text in COURSE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@posix
def test_a_folder_is_one_submission_if_that_is_asked_for(students: Path) -> None:
    (students / "b. smith" / "more.ipynb").write_text('{"cells": []}')

    reports = gradproof.grade(students, seed=0, folders=True).submissions

    found = {s.id: {e.name.partition(".")[2]: e.verdict for e in s.exercises} for s in reports}
    assert found == {
        "alice": {"relu": "correct", "leaky_relu": "correct"},
        "b. smith": {"tanh": "correct"},
        "b. smith/more.ipynb": {},
    }


@posix
def test_all_hand_in_at_one_level_whatever_their_folders_hold(students: Path) -> None:
    for name in ("carol/src/nn/layers.py", "carol/tests/check.py"):
        (students / name).parent.mkdir(parents=True)
        (students / name).write_text(RIGHT)

    whole = [s.id for s in gradproof.grade(students, seed=0, folders=True).submissions]
    (students / "section").mkdir()
    for name in ("alice", "b. smith", "carol"):
        (students / name).rename(students / "section" / name)
    below = [s.id for s in gradproof.grade(students, seed=0, folders=True).submissions]

    assert whole == ["alice", "b. smith", "carol"]
    assert below == [f"section/{name}" for name in whole]


@posix
def test_a_folder_may_hold_a_package_of_its_own_name(tmp_path: Path) -> None:
    package = tmp_path / "net" / "net"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from net.ops import positive\n")
    (package / "ops.py").write_text("import numpy as np\ndef positive(z):\n    return np.maximum(z, 0)\n")
    (tmp_path / "net" / "hw.py").write_text("import net, net.ops\ndef relu(z):\n    return net.positive(z)\n")
    (tmp_path / "bob.py").write_text(RIGHT)

    (submission,) = gradproof.grade(tmp_path / "net", seed=0, folders=True).submissions

    assert [(e.name, e.verdict) for e in submission.exercises] == [("activations.relu", "correct")]
    assert not any("Error" in note for note in submission.notes)


@posix
def test_one_file_that_cannot_be_read_is_no_harm_to_the_others_of_its_folder(students: Path) -> None:
    (students / "alice" / "data.py").write_bytes(b"x = '\xff'\n")

    alice, _ = gradproof.grade(students, seed=0, folders=True).submissions

    assert {e.verdict for e in alice.exercises} == {"correct"}
    assert any("alice/data.py" in note and "save it as UTF-8" in note for note in alice.notes)


@posix
def test_a_folder_may_have_the_name_of_a_module_that_everybody_imports(tmp_path: Path) -> None:
    for name in ("numpy", "sys", "__main__"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "hw.py").write_text(RIGHT)

    reports = gradproof.grade(tmp_path, seed=0, folders=True).submissions

    assert [s.id for s in reports] == ["__main__", "numpy", "sys"]
    assert all([e.verdict for e in s.exercises] == ["correct"] for s in reports)


@posix
def test_one_file_of_a_folder_comes_with_what_it_imports_if_that_is_asked_for(students: Path) -> None:
    file = students / "b. smith" / "hw.py"

    (alone,) = gradproof.grade(file, seed=0).submissions
    (whole,) = gradproof.grade(file, seed=0, folders=True).submissions

    assert [e.verdict for e in alone.exercises] == ["incompatible"]
    assert any("'ops', which lies beside it; to have it seen" in note and "--folders" in note for note in alone.notes)
    assert [e.verdict for e in whole.exercises] == ["correct"]


@posix
def test_what_a_file_imports_shows_it_nothing_of_the_work_of_others(students: Path) -> None:
    for text in ("from ops import *\n", "from .ops import *\n", "from homework.ops import *\n"):
        (students / "homework").mkdir(exist_ok=True)
        (students / "homework" / "ops.py").write_text(RIGHT)
        (students / "homework" / "bob.py").write_text(text)

        reports = {s.id: s for s in gradproof.grade(students / "homework", seed=0).submissions}

        assert [e.verdict for e in reports["ops.py"].exercises] == ["correct"]
        assert [e.verdict for e in reports["bob.py"].exercises] == []


@posix
def test_a_name_that_a_package_which_is_not_here_may_have_brought_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "hw.py").write_text("from course.layers import *\ndef tanh(z):\n    return np.tanh(z)\n")
    (tmp_path / "own.py").write_text("def tanh(z):\n    return np.tanh(z)\n")

    theirs, own = gradproof.grade(tmp_path, seed=0).submissions

    assert [(e.verdict, "'course'" in e.reason) for e in theirs.exercises] == [("incompatible", True)]
    assert [e.verdict for e in own.exercises] == ["error"]


@posix
def test_a_file_of_a_folder_whose_script_fails_is_judged_on_its_definitions(tmp_path: Path) -> None:
    (tmp_path / "hw.py").write_text(f"{RIGHT}\nopen('train.csv')\n")
    (tmp_path / "net.py").write_text("from hw import relu\ndef relu6(z):\n    return relu(z) - relu(z - 6)\n")

    (submission,) = gradproof.grade(tmp_path, seed=0, folders=True).submissions

    assert "activations.relu" in {e.name for e in submission.exercises if e.verdict == "correct"}
    assert any("hw.py raised FileNotFoundError" in note for note in submission.notes)
