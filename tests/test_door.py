"""The door takes the rooms beside itself, whatever else bears their names, and needs no library to open."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

LIES = """
    import sys
    print("a student's file ran")
    def sigmoid(z): return z
    """
RIGHT = "lambda z: 1 / (1 + np.exp(-z))"
BLOCKED = """
    import sys
    class Blocker:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in {blocked!r}:
                raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    sys.meta_path.insert(0, Blocker())
    """


def python(program: str, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program as `python -c` does, the working directory first on the path, as in a notebook."""
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def folder_of_a_student(tmp_path: Path) -> Path:
    for name in ("reference", "graders", "derivations"):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(LIES))
    (tmp_path / "numbers_of_mine.py").write_text("one = 1\n")
    return tmp_path


def test_a_students_files_of_the_same_names_are_never_imported(folder_of_a_student: Path) -> None:
    program = f"""
        import gradproof, numbers_of_mine
        import numpy as np
        print(gradproof.check("activations.sigmoid", {RIGHT}).verdict)
        import reference.activations, graders, derivations
        print(all(m.__file__.endswith("__init__.py") for m in (reference, graders, derivations)))
        """
    done = python(program, folder_of_a_student)

    assert done.stderr == ""
    assert done.stdout.split("\n") == ["correct", "True", ""]


def test_a_students_folder_of_the_same_name_is_never_imported(tmp_path: Path) -> None:
    (tmp_path / "graders").mkdir()
    (tmp_path / "graders" / "__init__.py").write_text("print('a student\\'s file ran')\n")

    done = python("import gradproof, graders; print(graders.__doc__ is not None)", tmp_path)

    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.parametrize("room", ["reference", "graders", "derivations"])
def test_the_door_refuses_if_a_students_file_was_imported_first(room: str, folder_of_a_student: Path) -> None:
    done = python(f"import {room}\nimport gradproof", folder_of_a_student)

    assert done.returncode == 1
    assert "a student's file ran" in done.stdout
    assert done.stderr.strip().split("\n")[-1] == (
        f"ImportError: gradproof needs its own package {room!r}, but another module of that name is loaded already, "
        f"from {folder_of_a_student / room}.py. Import gradproof first, or rename that file."
    )


def test_the_door_refuses_a_module_of_no_known_place(tmp_path: Path) -> None:
    done = python(
        "import sys, types; sys.modules['reference'] = types.ModuleType('reference')\nimport gradproof", tmp_path
    )

    assert "from an unknown place. Import gradproof first" in done.stderr


def test_a_door_without_its_rooms_says_so(tmp_path: Path) -> None:
    import gradproof

    (tmp_path / "gradproof.py").write_text(Path(gradproof.__file__).read_text())

    done = python("import gradproof", tmp_path)

    assert "ImportError: gradproof is not installed whole" in done.stderr
    assert done.stderr.strip().endswith("is missing. Install it again.")


def test_a_student_cannot_stand_in_for_a_room_in_a_grade(folder_of_a_student: Path) -> None:
    (folder_of_a_student / "work.py").write_text("def sigmoid(z):\n    return z\n")
    program = "import sys; sys.argv = ['gradproof', 'grade', 'work.py']; import gradproof; gradproof.main()"

    done = python(program, folder_of_a_student)

    assert done.returncode == 1, done.stderr
    assert "a student's file ran" not in done.stdout
    assert "wrong" in done.stdout


def test_what_answers_are_kept_for_is_graded_without_the_derivations(tmp_path: Path) -> None:
    """To import SymPy and all proofs takes longer than to grade."""
    (tmp_path / "relu.py").write_text("import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n")
    program = (
        "import gradproof, sys; print(gradproof.grade('relu.py', seed=0).submissions[0].score, 'sympy' in sys.modules)"
    )
    first, second = (python(program, tmp_path) for _ in range(2))

    assert first.stdout.split()[0] == "1.0", first.stderr
    assert second.stdout.split() == ["1.0", "False"]


@pytest.mark.parametrize(
    "program",
    [
        "import reference.activations, reference.optimizers",
        "import graders",
        "import gradproof",
        "import sys; sys.argv = ['gradproof', '--help']; import gradproof; gradproof.main()",
        "import sys; sys.argv = ['gradproof', 'grade', '--help']; import gradproof; gradproof.main()",
        "import sys; sys.argv = ['gradproof', 'list']; import gradproof; gradproof.main()",
        "import gradproof, numpy as np; print(gradproof.check('relu', lambda z: np.maximum(z, 0)).verdict)",
    ],
)
def test_nothing_needs_a_library_that_is_not_required(program: str, tmp_path: Path) -> None:
    blocked = textwrap.dedent(BLOCKED.format(blocked=("torch", "jax", "scipy", "matplotlib", "pytest")))

    done = python(blocked + program, tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_blocker_of_libraries_blocks(tmp_path: Path) -> None:
    blocked = textwrap.dedent(BLOCKED.format(blocked=("numpy",)))

    assert "No module named 'numpy'" in python(blocked + "import reference.activations", tmp_path).stderr


def test_the_reference_needs_numpy_alone(tmp_path: Path) -> None:
    blocked = ("derivations", "graders", "sympy", "mpmath", "hypothesis", "msgspec", "click", "rich", "jinja2", "torch")
    program = "from reference import activations, losses, layers, optimizers, training"

    done = python(textwrap.dedent(BLOCKED.format(blocked=blocked)) + program, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_door_has_what_it_promises_and_nothing_else() -> None:
    import gradproof

    assert all(callable(getattr(gradproof, name)) for name in gradproof.__all__)
    with pytest.raises(AttributeError, match="module 'gradproof' has no attribute 'grades'"):
        _ = gradproof.grades


def test_check_is_a_self_check_and_says_so() -> None:
    import gradproof

    right = gradproof.check("relu", lambda z: z * (z > 0))
    wrong = gradproof.check("activations.relu", abs)

    assert (right.passed, wrong.passed, wrong.verdict) == (True, False, "wrong")
    assert str(wrong).endswith("self-check, not a grade")
    assert "self-check, not a grade" in wrong._repr_html_()
    assert wrong.report.diagnosis[0].name == "takes_the_absolute_value"


def test_check_refuses_what_it_cannot_check() -> None:
    import gradproof

    with pytest.raises(LookupError, match=r"no exercise is called 'sigmoyd'; did you mean 'activations\.sigmoid'\?"):
        gradproof.check("sigmoyd", abs)
    with pytest.raises(TypeError, match="check needs a function to call, got float"):
        gradproof.check("relu", 3.0)  # type: ignore[arg-type]


def kept(cache: Path) -> int:
    """Return for how many seeds answers are kept."""
    return sum(file.name != "edges" for file in (cache / "gradproof" / "answers").glob("*/activations.relu/*"))


def test_answers_are_kept_where_nothing_is_to_be_kept_from_the_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gradproof
    from graders import _api
    from graders.harness.sandbox import processes

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n"

    gradproof.score(text, "relu")  # of a secret seed, which serves one run
    secret = kept(tmp_path)
    gradproof.check("relu", lambda z: z * (z > 0))
    checked = kept(tmp_path)
    gradproof.score(text, "relu", seed=5)

    assert (secret, checked) == (0, 1)
    assert kept(tmp_path) == 1 + _api._hides(processes.isolation(("numpy",)))


def test_score_judges_a_text_in_a_process_apart(tmp_path: Path) -> None:
    import gradproof

    file = tmp_path / "relu.py"
    file.write_text("def relu(z):\n    return z * (z > 0)\n")

    assert gradproof.score(file, "relu").score == 1
    assert gradproof.score("def relu(z):\n    return z\n", "activations.relu", seed=1).score == 0
    assert gradproof.score("def relu(z:\n", "relu").verdict == "error"
    assert gradproof.score("x = 1\n", "relu").verdict == "missing"
