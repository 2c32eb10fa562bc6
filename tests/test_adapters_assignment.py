"""Assignment files: what they say is done, and a wrong one is refused with what, where and what to do."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from graders import _api, _assignment, _catalogue, _device
from graders.harness.report import Device

CODE = """
import numpy as np

def my_softmax(z):
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)

class Momentum:
    def __init__(self, lr, momentum):
        self.lr, self.mu, self.v = lr, momentum, 0.0
    def update(self, w, g):
        self.v = self.mu * self.v + (1 - self.mu) * g
        return w - self.lr * self.v
"""
FILE = """
[assignment]
title = "Homework 1"
seed = 3
packages = ["numpy"]

[limits]
call_seconds = 1

[[exercise]]
name = "softmax"
points = 4

[[exercise]]
name = "optimizers.momentum"
points = 3
conventions = "half"

[[exercise]]
name = "relu"

[[function]]
name = "my_softmax"
exercise = "activations.softmax"
layout = "features x samples"
"""


def test_an_assignment_gives_points_names_and_layouts(tmp_path: Path) -> None:
    (tmp_path / "hw.toml").write_text(FILE)
    (tmp_path / "theirs.py").write_text(CODE)

    report = _api.grade(tmp_path / "theirs.py", assignment=tmp_path / "hw.toml")
    (submission,) = report.submissions
    found = {e.name: (e.verdict, e.score, e.max_score) for e in submission.exercises}

    assert found == {
        "activations.softmax": ("correct", 4.0, 4.0),
        "optimizers.momentum": ("convention", 1.5, 3.0),
        "activations.relu": ("missing", 0.0, 1.0),
    }
    assert (submission.score, submission.max_score) == (5.5, 8.0)
    assert report.run.seed == 3


@pytest.mark.parametrize("format_", ["text", "html", "junit", "json"])
def test_the_title_stands_in_every_report(tmp_path: Path, format_: str) -> None:
    (tmp_path / "hw.toml").write_text('[assignment]\ntitle = "Homework 1\\u001b"\n')
    (tmp_path / "theirs.py").write_text("def relu(z):\n    return z * (z > 0)\n")

    report = _api.grade(tmp_path / "theirs.py", assignment=tmp_path / "hw.toml", seed=0)

    text = importlib.import_module(f"graders.harness.report.{format_}").render(report)
    assert "Homework 1" in text
    assert "\x1b" not in text


def test_an_exercise_may_have_a_time_limit_of_its_own(tmp_path: Path) -> None:
    body = "    began = time.process_time()\n    while time.process_time() < began + 0.3:\n        pass\n"
    code = f"import time\nimport numpy as np\n\ndef relu(z):\n{body}    return np.maximum(z, 0)\n"
    (tmp_path / "hw.toml").write_text('[[exercise]]\nname = "relu"\ntime_limit = 0.1\n')
    (tmp_path / "theirs.py").write_text(code)

    (submission,) = _api.grade(tmp_path / "theirs.py", assignment=tmp_path / "hw.toml", seed=0).submissions

    assert [(e.verdict, e.reason) for e in submission.exercises] == [("timeout", "took more than 0.1 s of CPU time")]


def test_the_device_of_an_assignment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hw.toml").write_text('[assignment]\ndevice = "cuda"\n')
    asked = []

    def found(device: str) -> Device:
        asked.append(device)
        return Device()

    monkeypatch.setattr(_device, "found", found)

    _api.grade([], assignment=tmp_path / "hw.toml")
    _api.grade([], assignment=tmp_path / "hw.toml", device="cpu")

    assert asked == ["cuda", "cpu"]


def test_an_assignment_may_ask_for_its_own_definition(tmp_path: Path) -> None:
    (tmp_path / "hw.toml").write_text(FILE.replace('"half"', '"reject"'))
    (tmp_path / "theirs.py").write_text(CODE)

    (submission,) = _api.grade(tmp_path / "theirs.py", assignment=tmp_path / "hw.toml").submissions
    (momentum,) = (e for e in submission.exercises if e.name == "optimizers.momentum")

    assert (momentum.verdict, momentum.score) == ("wrong", 0.0)
    assert "this assignment asks for its own" in momentum.reason
    assert momentum.diagnosis[0].kind == "convention"


ASPECTS = """
[[exercise]]
name = "relu"
points = 10
aspects = { values = 3, stability = 5, hygiene = 2 }

[[exercise]]
name = "relu_vjp"
points = 10
aspects = { gradient = 2, consistency = 1, hygiene = 1 }
"""


@pytest.mark.parametrize(
    ("relu", "slope", "marks"),
    [
        ("np.maximum(z, 0)", "cotangent * (z > 0)", (10.0, 10.0)),
        ("np.maximum(z, 0, out=z)", "cotangent * (z > 0)", (8.0, 10.0)),  # it writes to its argument
        ("np.abs(z)", "cotangent * (z > 0)", (0.0, 7.5)),  # right, but no gradient of one's own
        ("np.abs(z)", "cotangent * np.sign(z)", (0.0, 0.0)),  # consistent and clean, and wrong
    ],
)
def test_aspects_weigh_as_the_file_says(relu: str, slope: str, marks: tuple[float, float], tmp_path: Path) -> None:
    (tmp_path / "hw.toml").write_text(ASPECTS)
    code = f"import numpy as np\ndef relu(z):\n    return {relu}\ndef relu_vjp(z, cotangent):\n    return {slope}\n"
    (tmp_path / "theirs.py").write_text(code)

    (submission,) = _api.grade(tmp_path / "theirs.py", assignment=tmp_path / "hw.toml", seed=0).submissions

    assert tuple(e.score for e in submission.exercises) == marks
    assert submission.max_score == 20


@pytest.mark.parametrize(
    ("described", "code"),
    [
        ('arguments = ["targets", "predictions"]', "def mine(t, p):\n    return 2 * (p - t) / p.size\n"),
        ("returns = 1", "def mine(p, t):\n    return 0.0, 2 * (p - t) / p.size\n"),
        ('returns = ["grad"]', "def mine(p, t):\n    return {'grad': 2 * (p - t) / p.size}\n"),
    ],
)
def test_a_function_is_called_as_the_file_says(described: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "hw.toml").write_text(f'[[function]]\nname = "mine"\nexercise = "mse_grad"\n{described}\n')
    (tmp_path / "theirs.py").write_text(code)

    (submission,) = _api.grade(tmp_path / "theirs.py", assignment=tmp_path / "hw.toml", seed=0).submissions

    assert [(e.function, e.verdict) for e in submission.exercises] == [("mine", "correct")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = Homework", "not TOML: Invalid value"),
        ("[assignmnt]", "the file: 'assignmnt' is not a table here; did you mean 'assignment'?"),
        ('[[exercise]]\nname = "sofmax"', "[[exercise]] 1 name: no exercise is called 'sofmax'; did you mean"),
        ("[[exercise]]\npoints = 1", "[[exercise]] 1: has no 'name'; add name ="),
        ('[[exercise]]\nname = "relu"\npoints = "two"', "[[exercise]] 1 points: got 'two', expected a number"),
        ('[[exercise]]\nname = "relu"\npoints = -1', "[[exercise]] 1 points: got -1, expected a number from 0 on"),
        (
            '[[exercise]]\nname = "relu"\nconventions = "acept"',
            "got 'acept', expected one of 'accept', 'half', 'reject'; did",
        ),
        (
            '[[exercise]]\nname = "relu"\naspects = { valeus = 1 }',
            "[[exercise]] 1 aspects: 'valeus' is not an aspect here; did you mean 'values'?",
        ),
        ('[[exercise]]\nname = "relu"\naspects = { values = -1 }', "aspects values: got -1, expected a number from 0"),
        ('[[exercise]]\nname = "relu"\naspects = { hygiene = 1 }', "neither values nor gradient weigh anything"),
        ('[exercise]\nname = "relu"', "[exercise]: got one table, expected a list of them; write [[exercise]]"),
        ("[limits]\ncall_seconds = 0", "[limits] call_seconds: got 0, expected a number of seconds above 0"),
        ("[assignment]\nseed = -1", "[assignment] seed: got -1, expected a whole number from 0 on"),
        ('[assignment]\ndevice = "gpu"', "[assignment] device: got 'gpu', expected one of 'cpu', 'cuda'"),
        ("[assignment]\nfolders = 1", "[assignment] folders: got 1, expected true or false"),
        ('[[exercise]]\nname = "relu"\ntime_limit = 0', "time_limit: got 0, expected a number above 0"),
        ('[assignment]\npackages = "numpy"', "[assignment] packages: got 'numpy', expected a list of texts"),
        ('[[function]]\nname = "f"\nexercise = "relu"\nlayout = "nhcw"', "layout: got 'nhcw', expected one of"),
        ('[[function]]\nname = "f"\nexercise = "adam"', "optimizers.adam is a step with a state"),
        ('[[function]]\nname = "f"\nexercise = "mse"\narguments = ["a"]', "expected ['predictions', 'targets']"),
        ('[[function]]\nname = "f"\nexercise = "k_fold"\nlayout = "NCHW"', "'layout' is not a key for preprocessing.k"),
        (
            '[[exercise]]\nname = "relu"\n[[function]]\nname = "f"\nexercise = "tanh"',
            "'activations.tanh' is not among the [[exercise]]s",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_what_to_do(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "hw.toml").write_text(text)

    with pytest.raises(_assignment.UnusableAssignment) as caught:
        _assignment.read(tmp_path / "hw.toml")

    assert str(caught.value).startswith(f"{tmp_path / 'hw.toml'}: ")
    assert message in str(caught.value)


def test_the_command_line_refuses_a_wrong_file_with_2(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(CODE)
    command = [sys.executable, "-c", "from graders._cli import main; main()", "grade", str(tmp_path / "theirs.py")]

    done = subprocess.run([*command, "--assignment", "nowhere.toml"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "gradproof: nowhere.toml: cannot be read (No such file or directory)\n"


COPIES = {
    "layers.py": "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n"
    "def make_folds(n, k, seed):\n    return np.array_split(np.random.default_rng(seed).permutation(n), k)\n",
    "old/layers.py": "import numpy as np\ndef relu(z):\n    return np.abs(z)\n"
    "def make_folds(n, k, seed):\n    return np.array_split(np.arange(n), k)[1:]\n",
    "starter.py": "def relu(z):\n    return None\ndef adam(a, b):\n    raise NotImplementedError\n",
}
CHOICE = """
[assignment]
folders = true
[[exercise]]
name = "relu"
[[exercise]]
name = "k_fold"
[[function]]
name = "layers.relu"
exercise = "relu"
[[function]]
name = "layers.make_folds"
exercise = "k_fold"
"""


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    for name, text in COPIES.items():
        (tmp_path / "alice" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "alice" / name).write_text(text)
    return tmp_path / "alice"


def test_of_one_name_in_several_files_the_worst_that_answers_counts(copies: Path) -> None:
    (submission,) = _api.grade(copies, seed=0, folders=True, only=["relu", "k_fold"]).submissions

    assert [(e.function, e.verdict) for e in submission.exercises] == [
        ("old.layers.relu", "wrong"), ("old.layers.make_folds", "wrong"),
    ]  # fmt: skip
    assert submission.exercises[0].notes == [
        "stands in 3 files: old.layers.relu is wrong and counts; layers.relu is correct, starter.relu is unfilled; the "
        "worst counts: remove or rename what is not meant, or let the assignment name what is: "
        '[[function]] name = "layers.relu", exercise = "activations.relu"'
    ]


def test_an_assignment_names_which_of_several_counts(copies: Path, tmp_path: Path) -> None:
    (tmp_path / "hw.toml").write_text(CHOICE)
    (submission,) = _api.grade(copies, seed=0, assignment=tmp_path / "hw.toml").submissions

    assert [(e.function, e.verdict) for e in submission.exercises] == [
        ("layers.relu", "correct"), ("layers.make_folds", "correct"),
    ]  # fmt: skip
    assert "old.layers.relu: not judged, since the assignment names another of this name" in submission.notes


def test_copies_beyond_a_few_are_told_and_not_judged(tmp_path: Path) -> None:
    for number in range(_catalogue.MOST_COPIES + 1):
        (tmp_path / "bob").mkdir(exist_ok=True)
        (tmp_path / "bob" / f"hw{number}.py").write_text("def relu(z):\n    return (z > 0) * z\n")
    (submission,) = _api.grade(tmp_path, seed=0, folders=True).submissions

    assert [e.name for e in submission.exercises] == ["activations.relu"]
    assert submission.notes == ["hw8.relu: not judged, since 8 other files have this name: remove copies"]
