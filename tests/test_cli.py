"""The command line: exit statuses, documents, and what is said about bad input."""

from __future__ import annotations

import html
import json
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import pytest

from graders import _cli
from graders.harness.sandbox import parent
from graders.harness.sandbox.parent import CannotStart

RIGHT = "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n"
WRONG = "import numpy as np\ndef relu(z):\n    return np.abs(z)\n"


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Return the one JSON document on standard output; JSON has no NaN and no infinity."""

        def refuse(literal: str) -> NoReturn:
            raise AssertionError(f"{literal} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


Run = Callable[..., Ran]
Files = Callable[..., Path]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Run]:
    """Return the command line, run in this process as `main` runs it, from a folder of its own."""
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)

    def ran(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["gradproof", *arguments])
        status: Any = 0
        try:
            _cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        return Ran(status, *capsys.readouterr())

    yield ran
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    def write(**texts: str) -> Path:
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        return tmp_path

    return write


def only(document: Any) -> Any:
    (submission,) = document["submissions"]
    return submission


# ---------------------------------------------------------------- exit statuses


def test_0_if_nothing_fell_short(run: Run, files: Files) -> None:
    files(right=RIGHT)

    assert run("grade", "right.py").status == 0


def test_1_if_something_fell_short_and_0_if_asked_for(run: Run, files: Files) -> None:
    files(right=RIGHT, wrong=WRONG)

    assert run("grade", "right.py", "wrong.py").status == 1
    assert run("grade", "right.py", "wrong.py", "--exit-zero").status == 0


def test_2_if_a_path_does_not_exist_and_the_others_are_graded(run: Run, files: Files) -> None:
    files(right=RIGHT)

    ran = run("grade", "nowhere.py", "right.py", "--json")

    assert ran.status == 2
    assert ran.err == "gradproof: nowhere.py: there is no such file or folder\n"
    assert only(ran.document)["score"] == 1
    assert ran.document["problems"] == ["nowhere.py: there is no such file or folder"]


def test_the_gravest_status_wins_and_exit_zero_forgives_only_a_wrong_answer(run: Run, files: Files) -> None:
    files(wrong=WRONG)

    assert run("grade", "wrong.py", "nowhere.py").status == 2
    assert run("grade", "wrong.py", "nowhere.py", "--exit-zero").status == 2


def test_2_if_nothing_is_found(run: Run, files: Files) -> None:
    files(other="def cube(x):\n    return x ** 3\n")

    ran = run("grade", "other.py", "--json")

    assert ran.status == 2
    assert only(ran.document)["status"] == "nothing_found"


def test_2_for_a_bad_option(run: Run, files: Files) -> None:
    files(right=RIGHT)

    for bad in (("--format", "pdf"), ("--jobs", "0"), ("--seed", "-1"), ("--nonsense",)):
        ran = run("grade", "right.py", *bad)
        assert (ran.status, ran.out) == (2, "")
        assert bad[0] in ran.err
    assert run("grade").status == 2
    assert run("grades").status == 2


def test_2_for_an_unknown_name_with_the_nearest(run: Run, files: Files) -> None:
    files(right=RIGHT)

    ran = run("grade", "right.py", "--only", "losses.softmax_cross_entropy_gradd")

    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        "gradproof: no exercise is called 'losses.softmax_cross_entropy_gradd'; "
        "did you mean 'losses.softmax_cross_entropy_grad'?\n"
    )
    assert "`gradproof list` shows all" in run("grade", "right.py", "--only", "qqqqqq").err


def test_3_if_the_sandbox_cannot_start(run: Run, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files(right=RIGHT)

    def broken(*arguments: Any, **keywords: Any) -> NoReturn:
        raise CannotStart("no process could be started: out of everything")

    monkeypatch.setattr(parent, "open", broken)
    ran = run("grade", "right.py", "nowhere.py", "--exit-zero", "--json")

    assert ran.status == 3
    assert only(ran.document)["status"] == "unscored"
    assert only(ran.document)["score"] is None
    assert only(ran.document)["reason"] == "no process could be started: out of everything"


def test_130_on_ctrl_c(run: Run, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files(right=RIGHT)

    def interrupted(*arguments: Any, **keywords: Any) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(parent, "open", interrupted)
    ran = run("grade", "right.py")

    assert (ran.status, ran.out, ran.err.strip()) == (130, "", "gradproof: interrupted")


# ---------------------------------------------------------------- bad input


BAD_INPUT: Mapping[str, tuple[str, str, str]] = {
    "a syntax error": (
        "def relu(z:\n    return z\n",
        "unreadable",
        "could not be imported: raised SyntaxError: '(' was never closed (line 1: def relu(z:)",
    ),
    "raises at import": (
        "import numpy as np\nraise RuntimeError('no data')\n",
        "unreadable",
        "could not be imported: raised RuntimeError: no data (line 2: raise RuntimeError('no data'))",
    ),
    "exits at import": (
        "import sys\nsys.exit(0)\n",
        "unreadable",
        "could not be imported: raised SystemExit: 0 (line 2: sys.exit(0))",
    ),
    "ends the process at import": (
        "import os\nos._exit(0)\n",
        "unreadable",
        "the process ended itself (exit status 0)",
    ),
    "an old Python": (
        "def relu(z):\n    print 'here'\n",
        "unreadable",
        "needs an older Python: Missing parentheses in call to 'print'. Did you mean print(...)?",
    ),
    "no known function": (
        "def cube(x):\n    return x ** 3\n",
        "nothing_found",
        "no function of it bears a name of the catalogue, or has a call shape that an adapter knows",
    ),
    "empty": (
        "",
        "nothing_found",
        "no function of it bears a name of the catalogue, or has a call shape that an adapter knows",
    ),
}


@pytest.mark.parametrize("what", BAD_INPUT)
def test_bad_input_gets_its_message_and_the_others_are_graded(what: str, run: Run, files: Files) -> None:
    text, status, reason = BAD_INPUT[what]
    files(bad=text, right=RIGHT)

    ran = run("grade", "bad.py", "right.py", "--json")

    bad, right = ran.document["submissions"]
    assert (bad["status"], bad["reason"]) == (status, reason)
    assert (right["status"], right["score"]) == ("graded", 1)
    assert ran.status == 1


BAD_FUNCTIONS: Mapping[str, tuple[str, str, str]] = {
    "a wrong shape": ("return np.maximum(z, 0)[None]", "wrong", "the result is of shape (1, "),
    "a wrong type": ("return 'text'", "error", "the result is a str, expected an array of shape ("),
    "a list of objects": ("return [object()]", "error", "the result is a list, expected an array of shape ("),
    "an exception": (
        "raise ValueError('bad z')",
        "error",
        "raised ValueError: bad z (line 4: raise ValueError('bad z'))",
    ),
    "an old NumPy": ("return np.maximum(z, np.int(0))", "incompatible", "needs an older NumPy: "),
    "nothing": ("pass", "unfilled", "not attempted: it returns the starter's None, zeros or unchanged weights"),
    # a starter as it was handed out, which the grader must call unfilled
    "not implemented": ("raise NotImplementedError", "unfilled", "not attempted"),
    "NaN": ("return z * np.nan", "wrong", "ordinary cases in float64 are wrong"),
    "the end": ("os._exit(3)", "killed", "the process ended itself (exit status 3)"),
}


@pytest.mark.parametrize("what", BAD_FUNCTIONS)
def test_a_bad_function_gets_its_verdict_and_the_others_are_graded(what: str, run: Run, files: Files) -> None:
    body, verdict, reason = BAD_FUNCTIONS[what]
    files(work=f"import os\nimport numpy as np\ndef relu(z):\n    {body}\ndef tanh(z):\n    return np.tanh(z)\n")

    ran = run("grade", "work.py", "--json")

    tanh, relu = sorted(only(ran.document)["exercises"], key=lambda e: str(e["name"]), reverse=True)
    said = relu["reason"] + " " + (relu["witness"] or {"problem": ""})["problem"]
    assert relu["verdict"] == verdict
    assert reason in said
    assert relu["score"] == 0
    assert tanh["verdict"] == "correct"
    assert ran.status == 1


def test_a_function_that_never_returns_is_a_timeout_and_the_others_are_graded(
    run: Run, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graders import _api
    from graders.harness.sandbox.contract import Limits

    monkeypatch.setattr(_api, "Limits", lambda: Limits(call_seconds=0.2, wall_factor=100))
    files(work="import numpy as np\ndef relu(z):\n    while True: pass\ndef tanh(z):\n    return np.tanh(z)\n")

    exercises = {e["name"]: e for e in only(run("grade", "work.py", "--json").document)["exercises"]}

    assert exercises["activations.relu"]["verdict"] == "timeout"
    assert exercises["activations.relu"]["reason"] == "took more than 0.2 s of CPU time"
    assert exercises["activations.tanh"]["verdict"] == "correct"


def test_printing_megabytes_does_not_reach_the_report(run: Run, files: Files) -> None:
    files(loud="print('LOUD' * 2_000_000)\n" + RIGHT.replace("    return", "    print('LOUD')\n    return"))

    ran = run("grade", "loud.py", "--json")

    assert ran.status == 0
    assert "LOUD" not in ran.out + ran.err


def test_a_misspelt_function_suggests_the_nearest(run: Run, files: Files) -> None:
    files(work="def softmax_cross_entropy_gradd(logits, labels):\n    return logits\n")

    submission = only(run("grade", "work.py", "--json").document)

    assert submission["not_covered"] == ["softmax_cross_entropy_gradd"]
    assert submission["notes"] == [
        "softmax_cross_entropy_gradd is no name of the catalogue; did you mean softmax_cross_entropy_grad?"
    ]


def test_an_imported_function_is_not_judged(run: Run, files: Files) -> None:
    files(work="from numpy import tanh\n")

    submission = only(run("grade", "work.py", "--json").document)

    assert submission["notes"] == ["tanh is imported from a library, not defined here: not judged"]


def test_a_name_asked_for_that_is_not_there_is_missing(run: Run, files: Files) -> None:
    files(right=RIGHT)

    ran = run("grade", "right.py", "--only", "relu", "--only", "activations.tanh", "--json")

    verdicts = {e["name"]: e["verdict"] for e in only(ran.document)["exercises"]}
    assert verdicts == {"activations.relu": "correct", "activations.tanh": "missing"}
    assert ran.status == 1
    assert run("grade", "right.py", "--only", "activations.*").status == 0


def test_a_package_that_is_not_there_is_told_and_what_does_not_need_it_is_judged(run: Run, files: Files) -> None:
    files(work="import numpy as np\nimport cupy\n" + RIGHT + "def tanh(z):\n    return cupy.tanh(z)\n")

    submission = only(run("grade", "work.py", "--json").document)

    tanh, relu = sorted(submission["exercises"], key=lambda e: str(e["name"]), reverse=True)
    assert submission["notes"] == [
        "imports 'cupy', which is not allowed or not installed: what needs it cannot be judged"
    ]
    assert relu["verdict"] == "correct"
    assert tanh["verdict"] == "incompatible"
    assert "cupy" in tanh["reason"]


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("work.py", b"x = '\xff'", "not text in its own encoding (invalid or missing encoding declaration); save it"),
        (
            "work.py",
            b"# coding: no-such-code",
            "not text in its own encoding (unknown encoding: no-such-code); save it",
        ),
        ("work.ipynb", b"\xff", "not text in its own encoding ('utf-8' codec can't decode byte 0xff in position 0"),
        ("work.py", b"#" * (5 << 20), "more than 4,194,304 bytes, which is all that is read"),
        ("work.ipynb", b"[]", "not a notebook of format 4: no JSON object with a list of cells"),
    ],
)
def test_a_submission_that_cannot_be_read_says_why(
    name: str, content: bytes, said: str, run: Run, files: Files, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    files(right=RIGHT)

    ran = run("grade", name, "right.py", "--json")

    bad, right = ran.document["submissions"]
    assert (ran.status, bad["status"], bad["score"], right["score"]) == (1, "unreadable", 0, 1)
    assert said in bad["reason"]


def test_a_path_that_is_no_submission_says_what_would_be(run: Run, files: Files, tmp_path: Path) -> None:
    (tmp_path / "work.txt").write_text("relu")
    files(right=RIGHT)

    ran = run("grade", "work.txt", "right.py", "--json")

    assert ran.status == 2
    assert ran.err == "gradproof: work.txt: not a Python file (.py), notebook (.ipynb) or folder of these\n"
    assert only(ran.document)["score"] == 1


def test_a_path_like_another_is_suggested(run: Run, files: Files) -> None:
    files(homework=RIGHT)

    ran = run("grade", "homewrok.py", "--format", "junit")

    assert ran.err == "gradproof: homewrok.py: there is no such file or folder; did you mean homework.py?\n"


def test_a_problem_is_said_once_in_text(run: Run) -> None:
    ran = run("grade", "nowhere.py")

    assert ran.err == ""
    assert ran.out.count("nowhere.py: there is no such file or folder") == 1


def test_an_empty_folder_says_so_and_a_folder_is_read_with_its_folders(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "class" / "ann").mkdir(parents=True)
    (tmp_path / "class" / "ann" / "hw.py").write_text(RIGHT)
    (tmp_path / "class" / "bob.py").write_text(WRONG)
    (tmp_path / "class" / ".hidden.py").write_text(WRONG)

    nothing = run("grade", "empty", "--json")
    assert (nothing.status, nothing.document["problems"]) == (2, ["empty: holds no Python file, notebook or package"])
    graded = run("grade", "class", "--json", "--jobs", "2").document["submissions"]
    assert [(s["id"], s["score"]) for s in graded] == [("ann/hw.py", 1), ("bob.py", 0)]


# ---------------------------------------------------------------- renderings

HOSTILE = """
    import numpy as np
    def relu(z):
        raise ValueError("\\x1b[2J\\x1b[31mfaked\\x07 <script>alert(1)</script> \\u202e & ]]> \\x00 \\r gone")
    def tanh(z, **kw):
        return np.tanh(z) * 2
    """


def test_json_is_one_document_with_the_fields_of_the_design(run: Run, files: Files) -> None:
    files(work=HOSTILE)

    ran = run("grade", "work.py", "--json", "--seed", "5")

    document = ran.document
    assert ran.err == ""
    assert document["schema"] == 1
    assert {"seed", "seed_kind", "tier", "versions"} <= set(document["run"])
    assert (document["run"]["seed"], document["run"]["seed_kind"]) == (5, "given")
    submission = only(document)
    assert {"id", "path", "status", "reason", "score", "max_score", "exercises"} <= set(submission)
    for exercise in submission["exercises"]:
        assert {
            "name", "verdict", "reason", "score", "max_score", "aspects", "diagnosis", "witness", "bits", "max_ulp",
            "truth", "replay", "seconds",
        } <= set(exercise)  # fmt: skip
        for aspect in exercise["aspects"].values():
            assert set(aspect) == {"score", "max_score", "passed"}
        for diagnosis in exercise["diagnosis"]:
            assert {"kind", "name", "message"} <= set(diagnosis)
        assert {"inputs", "index", "got", "expected", "allowed", "code"} <= set(exercise["witness"])
    assert submission["score"] == sum(e["score"] for e in submission["exercises"])


@pytest.mark.parametrize("value", ["np.nan", "np.inf", "-np.inf"])
def test_json_says_nan_and_infinity_as_strings(value: str, run: Run, files: Files) -> None:
    files(work=f"import numpy as np\ndef relu(z):\n    return z * 0 + {value}\n")

    (exercise,) = only(run("grade", "work.py", "--json").document)["exercises"]

    assert exercise["verdict"] == "wrong"
    assert exercise["witness"]["got"] == value.replace("np.", "")


def test_json_says_a_secret_seed_is_secret(run: Run, files: Files) -> None:
    files(right=RIGHT)

    one, two = (run("grade", "right.py", "--json").document["run"] for _ in range(2))

    assert one["seed_kind"] == two["seed_kind"] == "secret"
    assert one["seed"] != two["seed"]


def test_the_same_seed_gives_the_same_report(run: Run, files: Files) -> None:
    files(wrong=WRONG)

    one, two = (run("grade", "wrong.py", "--json", "--seed", "3").out for _ in range(2))

    assert re.sub(r'"seconds": [\d.]+', "", one) == re.sub(r'"seconds": [\d.]+', "", two)


def test_junit_parses_and_its_counts_are_those_of_its_cases(run: Run, files: Files) -> None:
    files(work=HOSTILE, bad="def relu(z:\n", right=RIGHT)

    ran = run("grade", "work.py", "bad.py", "right.py", "nowhere.py", "--format", "junit")

    root = ElementTree.fromstring(ran.out)  # noqa: S314  (our own)
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["work.py", "bad.py", "right.py", "nowhere.py"]
    for suite in suites:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "-1")) == len(cases)
        assert int(suite.get("errors", "0")) == sum(case.find("error") is not None for case in cases)
        assert int(suite.get("failures", "0")) == sum(case.find("failure") is not None for case in cases)
    assert [suite.get("errors") for suite in suites] == ["1", "1", "0", "1"]
    assert suites[0].get("failures") == "1"


def test_html_needs_nothing_else_and_escapes_what_strangers_wrote(run: Run, files: Files, tmp_path: Path) -> None:
    files(work=HOSTILE)
    (tmp_path / "<script>alert(2).py").write_text(WRONG)

    page = run("grade", "work.py", "<script>alert(2).py", "--format", "html").out

    assert "http:" not in page
    assert "https:" not in page
    assert "<script" not in page.lower()
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;script&gt;alert(2)" in page
    assert not re.search(r"\b(src|on\w+)\s*=|\bhref\s*=(?!\"#)", page)  # links lead to other parts of the page
    assert "\x1b" not in page
    assert "default-src 'none'" in html.unescape(page)


@pytest.mark.parametrize("format_", ["text", "junit", "html"])
def test_control_characters_of_a_stranger_reach_no_reader(format_: str, run: Run, files: Files) -> None:
    files(work=HOSTILE)

    ran = run("grade", "work.py", "--format", format_, "--verbose")

    assert "faked" in ran.out
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", ran.out)


def test_a_stranger_cannot_fake_a_line_of_the_report(run: Run, files: Files) -> None:
    files(work="def relu(z):\n    raise ValueError('bad\\n  correct  activations.relu  1 / 1    53  proof')\n")

    ran = run("grade", "work.py")

    assert "bad correct  activations.relu" in ran.out
    assert not any(line.startswith("  correct") for line in ran.out.split("\n"))


def test_text_says_all_that_explains_a_wrong_answer(run: Run, files: Files) -> None:
    files(wrong=WRONG)

    ran = run("grade", "wrong.py")

    assert "wrong.py  0 of 1 points  (found 1 of " in ran.out
    assert "activations.relu: wrong, gives wrong values" in ran.out
    assert "(the mistake known as takes_the_absolute_value gives exactly your numbers)" in ran.out
    assert "should be 0, allowed ±" in ran.out
    assert "from wrong import relu" in ran.out
    assert "again: gradproof replay activations.relu@" in ran.out


def test_the_code_of_a_witness_runs_and_shows_the_failure(run: Run, files: Files, tmp_path: Path) -> None:
    files(wrong=WRONG)
    (exercise,) = only(run("grade", "wrong.py", "--json").document)["exercises"]
    code = exercise["witness"]["code"]
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert len(code.split("\n")) <= 8
    assert done.returncode == 0, done.stderr
    assert repr(exercise["witness"]["got"]).rstrip("0") in done.stdout
    assert "# should be" in code


RIGHT_AND_WRONG = {
    "activations.relu": ("z", "np.maximum(z, 0)", "np.minimum(z, 0)"),
    "activations.relu_vjp": ("z, cotangent", "np.where(z > 0, cotangent, 0)", "np.where(cotangent > 0, cotangent, 0)"),
    "losses.mse": ("predictions, targets", "np.mean((predictions - targets) ** 2)", "np.mean(targets)"),
    "training.confusion_matrix": (
        "labels, predicted, *, num_classes",
        "np.array([[sum((labels == i) & (predicted == j)) for j in range(num_classes)] for i in range(num_classes)])",
        "np.ones((num_classes, num_classes), int)",
    ),
}


@pytest.mark.parametrize("name", RIGHT_AND_WRONG)
def test_what_should_be_is_written_as_a_right_program_prints_it(
    name: str, run: Run, files: Files, tmp_path: Path
) -> None:
    arguments, right, wrong = RIGHT_AND_WRONG[name]
    text = f"import numpy as np\ndef {name.partition('.')[2]}({arguments}):\n    return "
    files(mine=text + wrong + "\n")
    (exercise,) = only(run("grade", "mine.py", "--json", "--seed", "1").document)["exercises"]
    code = exercise["witness"]["code"]
    files(mine=text + right + "\n")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert exercise["verdict"] == "wrong"
    assert code.endswith("  # should be " + " ".join(done.stdout.split()))


def test_a_report_is_written_to_a_file(run: Run, files: Files, tmp_path: Path) -> None:
    files(right=RIGHT)

    ran = run("grade", "right.py", "--json", "--output", "report.json")

    assert (ran.status, ran.out, ran.err) == (0, "", "the report is in report.json\n")
    assert json.loads((tmp_path / "report.json").read_text())["schema"] == 1
    unwritable = run("grade", "right.py", "--output", "no/such/folder.txt")
    assert unwritable.status == 2
    assert "no/such/folder.txt: cannot be written (No such file or directory)" in unwritable.err


# ---------------------------------------------------------------- replay


def test_replay_shows_a_failing_case_again(run: Run, files: Files) -> None:
    files(wrong=WRONG, right=RIGHT)
    (exercise,) = only(run("grade", "wrong.py", "--json").document)["exercises"]

    again = run("replay", exercise["replay"], "--json")
    mended = run("replay", exercise["replay"], "right.py", "--json")

    assert again.status == 1
    assert again.document["schema"] == 1
    assert again.document["inputs"] == {k: v for k, v in exercise["witness"]["inputs"].items() if k != "dtype"}
    assert again.document["passed"] is False
    assert again.document["submission"] == "wrong.py"
    at = exercise["witness"]["index"]
    got, expected = again.document["got"][""], again.document["expected"][""]
    for i in at:
        got, expected = got[i], expected[i]
    assert (got, expected) == (exercise["witness"]["got"], exercise["witness"]["expected"])
    assert mended.status == 0
    assert mended.document["passed"] is True
    assert "wrong.py does not pass" in run("replay", exercise["replay"]).out


def test_replay_of_a_folder_takes_it_for_one_submission(run: Run, files: Files, tmp_path: Path) -> None:
    (tmp_path / "hw").mkdir()
    (tmp_path / "hw" / "a.py").write_text("def positive(z):\n    return abs(z)\n")
    (tmp_path / "hw" / "b.py").write_text("from a import positive\ndef relu(z):\n    return positive(z)\n")
    (exercise,) = only(run("grade", "hw", "--folders", "--json").document)["exercises"]

    again = run("replay", exercise["replay"], "--json")

    assert (again.status, again.document["passed"]) == (1, False)
    assert (again.document["submission"], again.document["device"]) == ("hw", "cpu")


def test_replay_on_a_device_that_is_not_there_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders._doctor.gpu", lambda: ("", "PyTorch finds none"))

    ran = run("replay", "relu@0123456789ab", "--device", "cuda")

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("gradproof: there is no GPU to grade on: PyTorch finds none")


@pytest.mark.parametrize(
    "which, said",
    [
        ("activations.relu", "expected NAME@CASE, as a report prints it, got 'activations.relu'"),
        ("activations.relo@abc", "no exercise is called 'activations.relo'; did you mean 'activations.relu'?"),
        (
            "relu@0123456789ab",
            "the case activations.relu@0123456789ab is not known on this machine: give the run's --seed",
        ),
        ("relu@../../../etc/passwd", "the case activations.relu@../../../etc/passwd is not known on this machine"),
    ],
)
def test_replay_refuses_what_it_does_not_know(which: str, said: str, run: Run) -> None:
    ran = run("replay", which)

    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


# ---------------------------------------------------------------- the other commands


def test_list_has_a_line_for_each_name(run: Run) -> None:
    rows = run("list", "--json").document["exercises"]

    assert len(rows) >= 26
    assert {"name", "summary", "proved", "misconceptions"} <= set(rows[0])
    assert all(row["summary"] for row in rows)
    assert [row["name"] for row in run("list", "adam", "--json").document["exercises"]] == ["optimizers.adam"]
    assert "activations.relu " in run("list").out


def test_show_puts_a_name_on_a_page(run: Run) -> None:
    page = run("show", "softmax_cross_entropy_grad", "--json").document

    assert page["name"] == "losses.softmax_cross_entropy_grad"
    assert page["reference"].startswith("def softmax_cross_entropy_grad(")
    assert page["proof"]
    assert len(page["misconceptions"]) >= 4
    assert "misconceptions" in run("show", "relu").out


def test_show_says_what_a_name_without_a_claim_is_judged_by(run: Run, files: Files) -> None:
    files(mine="from typing import Annotated\nimport numpy as np\nfrom graders.harness.exercise import Exercise, edge\n"
          "Rows = Annotated[np.ndarray, 'n d']\ndef halved(z: Rows) -> Rows:\n    # no text\n    return z / 2\n"
          "exercise = Exercise(halved, misconceptions=(), edges=(edge('one', z=[[1.0, 2.0]]),))\n")  # fmt: skip
    told = {name: run("show", name).out for name in ("accuracy", "bootstrap_sample", "relu")}
    own = run("show", "halved", "--exercises", "mine.py")

    assert own.status == 0
    assert "proof\n\n    none: no claim speaks of an exercise of your own. The truth is the value of" in own.out
    assert "misconceptions\n\n    none\n" in own.out
    assert "none: the truth is the value of the reference text above" in told["accuracy"]
    assert "none: it is judged by properties" in told["bootstrap_sample"]
    assert "none: " not in told["relu"]


def test_prove_proves_and_refuses_mutants(run: Run) -> None:
    ran = run("prove", "activations.relu", "--json")

    (claim,) = ran.document["claims"]
    assert ran.status == 0
    assert {
        "name", "ids", "status", "scope", "trust", "source", "seconds", "numeric_digits", "mutants", "mutants_proved",
    } <= set(claim)  # fmt: skip
    assert (claim["name"], claim["status"], claim["mutants_proved"]) == ("activations.relu", "proved", 0)
    assert "1 of 1 claims proved" in run("prove", "relu", "--show").out


def test_certify_measures_in_both_dtypes(run: Run) -> None:
    ran = run("certify", "activations.relu", "--json")

    assert ran.status == 0
    functions = ran.document["functions"]
    assert [f["dtype"] for f in functions] == ["float64", "float32"]
    for f in functions:
        assert {
            "name", "dtype", "cases",
            "max_ulp", "max_error_over_allowed", "torch_max_ulp", "torch_max_error_over_allowed",
        } <= set(f)  # fmt: skip
        assert f["max_error_over_allowed"] <= 1
        assert f["proved_cases"] >= 1
    assert "activations.relu" in run("certify", "relu").out


def test_audit_counts_what_is_caught(run: Run) -> None:
    ran = run("audit", "activations.relu", "--json")

    (audited,) = ran.document["exercises"]
    assert ran.status == 0
    assert {
        "name", "misconceptions", "caught", "named", "mutants", "killed", "equivalent", "honest", "rejected",
        "vacuous_cases",
    } <= set(audited)  # fmt: skip
    assert audited["caught"] == audited["named"] == audited["misconceptions"] >= 4
    assert audited["rejected"] == audited["vacuous_cases"] == 0
    assert "activations.relu" in run("audit", "relu").out


@pytest.mark.parametrize("command", ["show", "list", "certify", "audit", "prove"])
def test_a_misspelt_name_suggests_the_nearest(command: str, run: Run) -> None:
    ran = run(command, "activations.sigmoidd")

    assert (ran.status, ran.out) == (2, "")
    assert "did you mean 'activations.sigmoid'?" in ran.err


def test_help_and_version_need_no_catalogue(run: Run) -> None:
    assert run("--help").status == 0
    assert re.fullmatch(r"gradproof \d+\.\d+\.\d+\n", run("--version").out)
