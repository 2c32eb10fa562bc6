"""The pytest plugin: a library's functions as items of its own test suite, in processes as a user would start them."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

import gradproof
from graders import _plugin  # noqa: F401  (imported once for all runs)
from graders.harness.narrow import NarrowKey

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[1]

LIBRARY = """
    import numpy as np

    def relu(z):
        return np.maximum(z, 0)

    def sigmoid(z):
        return np.where(z < 0, np.exp(-z) * 0.0, 1 / (1 + np.exp(-z)))

    def helper(z):
        return z
    """
LOSSES = """
    import numpy as np

    def bce_with_logits(logits, labels):
        return np.sum(np.logaddexp(0, logits) - logits * labels)

    def bce_with_logits_grad(logits, labels):
        return 1 / (1 + np.exp(-logits)) - labels
    """
IMPORTED_BEFORE = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
"""What some releases of pytest say of a plugin that the process around it has, too."""
ITEMS = ["activations.sigmoid", "activations.relu", "losses.bce_with_logits", "losses.bce_with_logits_grad"]
WRAPPED = """
    import numpy as np

    class Array:  # of a library that takes nothing else
        def __init__(self, data, device):
            assert type(data) is np.ndarray
            self.data, self.device = data, device

    def relu(z):
        assert isinstance(z, Array) and z.device == "somewhere"
        return Array(np.maximum(z.data, 0), z.device)

    def momentum(params, grad, state, *, lr, momentum):
        step = momentum * state.velocity.data - lr * grad.data
        return Array(params.data + step, params.device), {"velocity": Array(step, params.device)}
    """
HOOKS = """
    import mylib

    def pytest_gradproof_to_array(array, dtype):
        assert dtype == array.dtype.name
        return mylib.Array(array, "somewhere")

    def pytest_gradproof_from_array(array, dtype):
        assert dtype == array.data.dtype.name
        return array.data
    """


class Suite:
    """A library's folder with its tests; `run` runs pytest there."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.folder = pytester.path
        pytester.syspathinsert()
        self.write("tests/test_own.py", "def test_of_its_own():\n    pass\n")

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))

    def run(self, *arguments: str, status: int = 0) -> str:
        """Return what a run in this process prints."""
        # by name: the entry point is there only where the package was installed since it has one
        plugins = ("-p", "gradproof_pytest", "-p", "no:cacheprovider")
        done = self.pytester.runpytest_inprocess(*plugins, "-W", IMPORTED_BEFORE, *arguments)
        out = "\n".join([*done.outlines, *done.errlines])
        assert done.ret == status, out
        return out

    def start(self, *arguments: str, status: int = 0) -> str:
        """Return what a run in a process of its own prints."""
        path = os.pathsep.join([str(ROOT), str(self.folder), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "pytest", "-p", "gradproof_pytest", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module", autouse=True)
def everything_is_imported() -> None:
    """Each run forgets the modules that it was the first to import; PyTorch cannot be imported twice."""
    if importlib.util.find_spec("torch") is not None:
        importlib.import_module("torch")
    gradproof.check("momentum", lambda params, grad, state: (params, state))


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    made = Suite(pytester)
    made.write("mylib/__init__.py", LIBRARY)
    made.write("mylib/losses.py", LOSSES)
    made.write("pytest.ini", "[pytest]\nfilterwarnings = error\n")
    return made


def ids(output: str) -> list[str]:
    return re.findall(r"^gradproof/mylib::(\S+)$", output, re.MULTILINE)


def test_a_librarys_functions_are_items_of_its_own_suite(suite: Suite) -> None:
    out = suite.run("--gradproof=mylib", "--collect-only", "-q")

    assert ids(out) == ITEMS
    assert "tests/test_own.py::test_of_its_own" in out
    assert "5 tests collected" in out


def test_a_function_that_falls_short_fails_with_the_diagnosis_and_no_traceback(suite: Suite) -> None:
    out = suite.run("--gradproof=mylib", status=1)

    assert re.search(r"gradproof .*: mylib has 4 of \d+ functions; seed 0; float64, float32; a self-check", out)
    assert "tests/test_own.py ." in out
    assert "gradproof/mylib F..." in out
    failure = out.partition("FAILURES")[2]
    assert "activations.sigmoid: wrong  0 of 1 points" in failure
    assert "cases in float64 are wrong" in failure
    assert "from mylib import sigmoid\n" in failure
    assert "result = sigmoid(z)" in failure
    assert "Traceback" not in failure
    assert ".py:" not in failure
    assert "replay" not in failure
    assert re.search("2 convention, 1 (wrong, 1 correct|correct, 1 wrong)", out)
    assert "another documented definition, accepted: losses.bce_with_logits: sums_over_all" in out


def parsed(file: Path) -> ElementTree.Element:
    return ElementTree.fromstring(file.read_text())  # noqa: S314  (pytest wrote it)


def test_many_processes_grade_the_same_items_and_junit_has_the_verdicts(suite: Suite) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")

    out = suite.start("--gradproof=mylib", "-n2", "--junitxml=out.xml", status=1)
    cases = {case.get("name"): case for case in parsed(suite.folder / "out.xml").iter("testcase")}

    assert "1 failed, 4 passed" in out
    assert re.search("2 convention, 1 (wrong, 1 correct|correct, 1 wrong)", out)
    assert set(cases) == {*ITEMS, "test_of_its_own"}
    assert {cases[name].get("classname") for name in ITEMS} == {"gradproof.mylib"}
    told = {name: {p.get("name"): p.get("value") for p in cases[name].iter("property")} for name in ITEMS}
    assert [told[name]["verdict"] for name in ITEMS] == ["wrong", "correct", "convention", "convention"]
    assert told["losses.bce_with_logits"]["diagnosis"] == "sums_over_all"
    assert told["activations.relu"]["max_ulp"] == "0"
    (failure,) = cases["activations.sigmoid"].iter("failure")
    assert "should be" in (failure.text or "")


def test_items_are_chosen_by_name(suite: Suite) -> None:
    assert ids(suite.run("--gradproof=mylib", "--collect-only", "-q", "-k", "bce_with_logits")) == ITEMS[2:]
    assert ids(suite.run("--gradproof=mylib", "--collect-only", "-q", "-k", "activations.relu")) == ITEMS[1:2]


def test_expected_failures_are_strict(suite: Suite) -> None:
    suite.write(
        "xfails.txt",
        """
        # what is known
        activations.sigm*  # is 0 below 0, issue 12
        relu  # was wrong once
        losses.mse  # is not there
        """,
    )

    out = suite.run("--gradproof=mylib", "--gradproof-xfails=xfails.txt", "-rxX", status=1)

    assert "XFAIL gradproof/mylib::activations.sigmoid - is 0 below 0, issue 12" in out
    assert "[XPASS(strict)] was wrong once" in out
    assert "1 failed, 3 passed, 1 xfailed" in out
    assert "line 5: losses.mse is expected to fall short, and in mylib there is no such function; take the line" in out


@pytest.mark.parametrize(
    "line, said",
    [
        ("relu", "line 1: 'relu' has no reason; write one after #"),
        (
            "activations.relo  # once",
            "line 1: no exercise is called 'activations.relo'; did you mean 'activations.relu'?",
        ),
    ],
)
def test_a_line_of_expected_failures_that_says_nothing_is_refused(line: str, said: str, suite: Suite) -> None:
    suite.write("xfails.txt", line)

    assert f"ERROR: xfails.txt, {said}" in suite.run("--gradproof=mylib", "--gradproof-xfails=xfails.txt", status=4)


def test_hooks_hand_over_arrays_of_the_library_and_take_them_back(suite: Suite) -> None:
    suite.write("mylib/__init__.py", WRAPPED)
    suite.write("conftest.py", HOOKS)

    out = suite.run("--gradproof=mylib", "-k", "relu or momentum")

    assert "2 correct" in out
    assert "2 passed" in out


def test_a_hook_says_which_functions_are_meant(suite: Suite) -> None:
    suite.write(
        "conftest.py",
        """
        def pytest_gradproof_functions(library):
            import mylib
            assert library == "mylib"
            return {"identity": mylib.helper, "activations.sigmoid": None, "leaky_relu": lambda z: mylib.relu(z)}
        """.replace("identity", "silu"),
    )

    out = suite.run("--gradproof=mylib", "--collect-only", "-q")

    assert set(ids(out)) == {"activations.relu", "activations.silu", "activations.leaky_relu", *ITEMS[2:]}


@pytest.mark.parametrize(
    "hook, said",
    [
        ("{'activations.relo': abs}", "no exercise is called 'activations.relo'; did you mean 'activations.relu'?"),
        ("{'relu': 3}", "relu is 3, and no function"),
        ("{'activations.*': abs}", "'activations.*' is a pattern"),
    ],
)
def test_a_hook_that_names_no_function_is_refused(hook: str, said: str, suite: Suite) -> None:
    suite.write("conftest.py", f"def pytest_gradproof_functions(library):\n    return {hook}\n")

    assert f"ERROR: pytest_gradproof_functions: {said}" in suite.run("--gradproof=mylib", status=4)


def test_arrays_of_another_library_come_back_by_its_protocols(suite: Suite) -> None:
    suite.write(
        "mylib/__init__.py",
        """
        import numpy as np

        class Converts:
            def __init__(self, data):
                self.data = data

            def __array__(self, dtype=None, copy=None):
                return self.data

        class Exchanges:
            def __init__(self, data):
                self.data = data

            def __dlpack__(self, **keywords):
                return self.data.__dlpack__(**keywords)

            def __dlpack_device__(self):
                return self.data.__dlpack_device__()

        def relu(z):
            return Converts(np.maximum(z, 0))

        def silu(z):
            return Exchanges(z * np.exp(-np.logaddexp(0, -z)))
        """,
    )

    assert "2 correct" in suite.run("--gradproof=mylib", "-k", "relu or silu")


def test_the_seed_and_the_number_of_cases_are_chosen(suite: Suite) -> None:
    suite.write(
        "mylib/__init__.py",
        """
        import hashlib, pathlib
        import numpy as np

        def relu(z):
            with pathlib.Path("seen.txt").open("a") as file:
                print(hashlib.sha256(z.tobytes()).hexdigest(), file=file)
            return np.maximum(z, 0)
        """,
    )

    def seen(*arguments: str) -> list[str]:
        (suite.folder / "seen.txt").unlink(missing_ok=True)
        suite.run("--gradproof=mylib", "-k", "relu", *arguments)
        return (suite.folder / "seen.txt").read_text().split()

    usual, other = seen("--gradproof-seed=0"), seen("--gradproof-seed=7")
    few, many = seen("--gradproof-max-examples=2"), seen("--gradproof-max-examples=60")
    single = seen("--gradproof-dtypes=float32")

    assert usual == seen()
    assert len(set(usual) & set(other)) < len(set(usual))
    assert len(few) < len(usual) < len(many) >= 50
    assert len(single) < len(usual)


def test_without_float64_nothing_is_said_of_it(suite: Suite) -> None:
    out = suite.run("--gradproof=mylib", "--gradproof-dtypes=float32", "-k", "sigmoid", status=1)

    assert "ordinary cases are wrong in float32" in out
    assert "float64" not in out.partition("FAILURES")[2]


NARROW = """
    import numpy as np

    def relu(z):
        assert z.dtype == np.float16
        return np.maximum(z, 0)

    def tanh(z):
        return np.tanh(z) * np.float16(1.05)

    def silu(z):
        return z

    def n_flops(*shape):
        return 0
    """


@pytest.fixture
def undecidable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one exercise no narrow dtype decides anything."""
    is_case = NarrowKey._is_case
    monkeypatch.setattr(
        NarrowKey, "_is_case", lambda key, e, case: e.name != "activations.silu" and is_case(key, e, case)
    )


@pytest.mark.usefixtures("undecidable")
def test_in_float16_a_function_that_is_off_fails_and_the_share_that_is_undecided_is_printed(suite: Suite) -> None:
    suite.write("mylib/__init__.py", NARROW)

    out = suite.run("--gradproof=mylib", "--gradproof-dtypes=float16", "-rs", status=1)
    told, lines = out.partition("- gradproof -")[2], out.splitlines()

    assert "1 failed, 4 passed, 2 skipped" in out
    assert "activations.tanh: review" in out
    assert "np.float16)\nresult = tanh(z)" in out
    assert "2 convention, 1 correct, 1 review" in told
    shares = {
        line.partition(":")[0].strip(): tuple(map(int, re.findall(r"(\d+) of (\d+) cases left out", line)[0]))
        for line in told.splitlines()
        if line.endswith("left out") and not line.startswith("SKIPPED")
    }
    whole, left_out = shares.pop("float16"), shares["activations.silu"]
    assert left_out[0] == left_out[1] > 0
    assert whole == tuple(map(sum, zip(*shares.values(), strict=True)))
    assert "convolution.n_flops" not in shares
    assert any("float16 decides nothing of it: " in line and line.startswith("SKIPPED") for line in lines)
    assert any("it takes no floats, so not in float16" in line for line in lines)


@pytest.mark.usefixtures("undecidable")
def test_of_what_was_skipped_junit_says_how_much_is_decided(suite: Suite) -> None:
    suite.write("mylib/__init__.py", NARROW)

    suite.run("--gradproof=mylib", "--gradproof-dtypes=float16", "-k", "silu or relu", "--junitxml=out.xml")
    cases = {case.get("name"): case for case in parsed(suite.folder / "out.xml").iter("testcase")}
    told = {name: {p.get("name"): p.get("value") for p in case.iter("property")} for name, case in cases.items()}

    assert list(cases["activations.silu"].iter("skipped"))
    assert re.fullmatch(r"\d+ \d+ (\d+) \1", told["activations.silu"]["float16 decides"] or "")
    assert told["activations.relu"]["verdict"] == "correct"


def test_hooks_hand_over_bfloat16_which_numpy_does_not_know(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    suite.write(
        "mylib/__init__.py",
        """
        import numpy as np

        class Array:  # whose numbers have eight bits
            def __init__(self, data):
                self.bits = (np.asarray(data, np.float32).view(np.uint32) >> 16).astype(np.uint16)

            @property
            def wide(self):
                return (self.bits.astype(np.uint32) << 16).view(np.float32)

        def relu(z):
            return Array(np.maximum(z.wide, 0))

        def silu(z):
            return Array(1.3 * z.wide / (1 + np.exp(-z.wide)))
        """,
    )
    suite.write(
        "conftest.py",
        """
        import mylib

        def pytest_gradproof_to_array(array, dtype):
            assert (dtype, array.dtype.name) == ("bfloat16", "float32")
            made = mylib.Array(array)
            assert (made.wide == array).all()  # it holds each of them as it is
            return made

        def pytest_gradproof_from_array(array, dtype):
            assert dtype == "bfloat16"
            return array.wide
        """,
    )

    out = suite.run("--gradproof=mylib", "--gradproof-dtypes=bfloat16", "-k", "relu or silu", status=1)

    assert "1 failed, 1 passed" in out
    assert "activations.silu: review" in out


def test_with_max_examples_narrow_cases_are_drawn_too(suite: Suite) -> None:
    suite.write("mylib/__init__.py", NARROW)

    def cases(most: str) -> int:
        out = suite.run(
            "--gradproof=mylib", "--gradproof-dtypes=float16", "-k", "relu", f"--gradproof-max-examples={most}"
        )
        return int(re.findall(r"of (\d+) cases", out)[-1])

    assert cases("30") == cases("2") + 28


def test_a_gradient_is_held_against_the_librarys_own_forward(suite: Suite) -> None:
    suite.write(
        "mylib/losses.py",
        """
        import numpy as np

        def bce_with_logits(logits, labels):
            return np.mean(np.logaddexp(0, logits) - logits * labels)

        def bce_with_logits_grad(logits, labels):
            return 1 / (1 + np.exp(-logits)) - labels
        """,
    )

    out = suite.run("--gradproof=mylib", "-k", "bce", status=1)

    assert "right under one documented definition, but your own bce_with_logits follows another" in out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--gradproof=not_there"], "--gradproof=not_there: it cannot be imported (No module named 'not_there')"),
        (["--gradproof=json"], "--gradproof=json: it has no function of a name that `gradproof list` shows"),
        (["--gradproof=mylib", "--gradproof-dtypes=float8"], "--gradproof-dtypes: expected some of float64, float32"),
        (
            ["--gradproof=mylib", "--gradproof-dtypes=float32,bfloat16"],
            "--gradproof-dtypes: NumPy has no bfloat16: install",
        ),
        (["--gradproof=mylib", "--gradproof-seed=-1"], "--gradproof-seed: expected 0 or more"),
        (["--gradproof=mylib", "--gradproof-max-examples=0"], "--gradproof-max-examples: expected 1 or more"),
        (["--gradproof=mylib", "--gradproof-xfails=no.txt"], "no.txt: cannot be read (No such file or directory)"),
        (["--gradproof=mylib", "--gradproof-exercises=no.py"], "no.py cannot be read (No such file or directory)"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    arguments: list[str], said: str, suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    out = suite.run(*arguments, status=4)

    assert f"ERROR: {said}" in out or (out.startswith("ERROR") and said in out)
    assert "Traceback" not in out


def test_exercises_of_a_file_are_graded_too(suite: Suite) -> None:
    suite.write("mylib/__init__.py", "def pseudo_huber(predictions, targets, *, delta=1.0):\n    return 0.5\n")
    file = ROOT / "examples" / "own_exercise" / "mine.py"

    out = suite.run("--gradproof=mylib", f"--gradproof-exercises={file}", "-k", "pseudo", status=1)

    assert "mine.pseudo_huber: wrong" in out


def test_a_run_that_does_not_ask_for_it_takes_no_room(suite: Suite) -> None:
    suite.write("reference.py", "whose = 'mine'\n")
    suite.write(
        "tests/test_own.py",
        """
        import sys
        import reference

        def test_of_its_own():
            assert reference.whose == "mine"
            assert not {"gradproof", "graders", "derivations"} & set(sys.modules)
        """,
    )
    suite.write("conftest.py", "import reference\n" + textwrap.dedent(HOOKS).replace("import mylib", ""))

    assert "1 passed" in suite.start("tests")


def test_the_page_shows_what_a_failure_says(suite: Suite) -> None:
    suite.write("mylib/__init__.py", "import numpy as np\n\ndef relu(z):\n    return np.abs(z)\n")
    page = (ROOT / "docs" / "pytest.md").read_text()
    shown = re.search(r"```text\n(activations\.relu: wrong.*?)\n```", page, re.DOTALL)
    assert shown is not None

    assert shown[1] in suite.run("--gradproof=mylib", "-k", "relu", status=1)


def test_hints_tell_where_and_not_what_would_be_right(suite: Suite) -> None:
    suite.write("mylib/__init__.py", "import numpy as np\n\ndef relu(z):\n    return np.abs(z)\n")

    out = suite.run("--gradproof=mylib", "--gradproof-hints", "-k", "relu", "--junitxml=out.xml", status=1)

    out += (suite.folder / "out.xml").read_text()
    assert "Wrong only where `z` is negative." in out
    assert not any(told in out for told in ("should be", "takes_the_absolute_value", "max(z, 0)", "max_ulp"))


def test_pytest_finds_the_plugin_under_the_name_of_its_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert project["project"]["entry-points"]["pytest11"] == {"gradproof_pytest": "gradproof_pytest"}
    assert "gradproof_pytest.py" in project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]


def test_pytorchs_own_functions_are_graded_as_tensors(suite: Suite) -> None:
    pytest.importorskip("torch", reason="PyTorch is an extra and is not installed")
    suite.write("pytest.ini", "[pytest]\n")
    suite.write(
        "conftest.py",
        """
        import torch

        def pytest_gradproof_functions(library):
            return {"relu": torch.relu, "softplus": lambda z: torch.nn.functional.softplus(z)}

        def pytest_gradproof_to_array(array, dtype):
            return torch.from_numpy(array)
        """,
    )

    out = suite.run("--gradproof=torch", "-k", "relu or softplus or sigmoid", status=1)

    assert "activations.softplus: unstable" in out or "activations.softplus: wrong" in out
    assert "1 failed" in out


DRAWS = """
import numpy as np
def dropout_mask(x, generator, *, p=0.5):
    return (generator.random(x.shape) >= p).astype(x.dtype)
def bootstrap_sample(n, generator, *, size=None):
    return np.sort(generator.permutation(n))[: size or n]
"""


def test_functions_that_draw_are_judged_by_their_properties(suite: Suite) -> None:
    suite.write("theirs.py", DRAWS)

    out = suite.run("--gradproof=theirs", "-k", "dropout_mask or bootstrap_sample or he_normal", status=1)

    assert "theirs has 2 of " in out
    assert "ensembles.bootstrap_sample: wrong" in out
    assert "dropout_mask: wrong" not in out
