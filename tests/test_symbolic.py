"""Symbolic answers on the command line: exit statuses, documents, text, and files of answers inside `grade`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest

from graders import _cli, _symbolic

ROOT = Path(__file__).parents[1]
RIGHT = "question: losses.bce_with_logits_grad\n(sigmoid(z[a]) - y[a])/n\n"
WRONG = "question: losses.bce_with_logits_grad\nsigmoid(z[a]) - y[a]\n"
UNREADABLE = "question: losses.bce_with_logits_grad\n2 z[a]\n"
CHAIN = """
    # a chain
    question: losses.softmax_cross_entropy_gradient_for_any_labels
    = -sum(y[r, j]*(delta(i, j) - s[r, i]), j)
    = s[r, i] - y[r, i]
    """

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Iterator[Run]:
    """Return the command line, run in this process from a folder of its own."""
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)

    def ran(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gradproof", *arguments])
        status: Any = 0
        try:
            _cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        out, err = capfdbinary.readouterr()
        return status, out.decode(), err.decode()

    yield ran
    signal.signal(signal.SIGTERM, before)


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(exist_ok=True, parents=True)
    Path(path).write_text(textwrap.dedent(text), encoding="utf-8")


# ---------------------------------------------------------------- prove --answer


def test_0_if_all_are_proved(run: Run) -> None:
    write("a.txt", RIGHT)

    status, out, err = run("prove", "--answer", "a.txt")

    assert (status, err) == (0, "")
    assert out == (
        "PROVED     losses.bce_with_logits_grad\n"
        "           equal to what is right, for every size\n\n"
        "1 of 1 answers proved\n"
    )


def test_1_if_one_is_not(run: Run) -> None:
    for text in (WRONG, UNREADABLE, "question: nothing\n1\n"):
        write("a.txt", RIGHT + text)
        assert run("prove", "--answer", "a.txt")[0] == 1


def test_2_if_nothing_can_be_judged(run: Run) -> None:
    write("empty.txt", "# nothing here\n")
    write("plain.txt", "z[a] - y[a]\n")
    Path("latin.txt").write_bytes("question: é\n1\n".encode("latin-1"))

    for file, message in (
        ("nowhere.txt", "cannot be read (No such file or directory)"),
        (".", "cannot be read (Is a directory)"),
        ("empty.txt", "no question found: write 'question: NAME' and below it the answer"),
        (
            "plain.txt",
            "line 1, column 1: a file of answers starts with 'question: NAME', and its answer on the lines below",
        ),
        ("latin.txt", "the file is not UTF-8 (byte 10 is 0xe9); save it as UTF-8"),
    ):
        assert run("prove", "--answer", file) == (2, "", f"gradproof: {file}: {message}\n")


def test_3_if_the_judge_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.txt", RIGHT)
    monkeypatch.setattr(_symbolic, "CHILD", "raise ValueError('broken')")

    status, out, err = run("prove", "--answer", "a.txt")

    assert (status, out) == (3, "")
    assert err == "gradproof: the judge of symbolic answers failed (ValueError: broken); please report it\n"


def test_the_document(run: Run) -> None:
    write("a.txt", RIGHT + WRONG + UNREADABLE + textwrap.dedent(CHAIN))

    status, out, err = run("prove", "--answer", "a.txt", "--json")
    document = json.loads(out)

    assert (status, err) == (1, "")
    assert msgspec.convert(document, _symbolic.Answers, strict=True).schema == 1
    right, wrong, unreadable, chain = document["answers"]
    assert right == {
        "question": "losses.bce_with_logits_grad",
        "status": "proved",
        "message": "equal to what is right, for every size",
        "first_wrong_line": None,
        "witness": None,
        "enclosure": None,
        "misconception": None,
        "explanation": None,
    }
    assert wrong["status"] == "refuted"
    assert wrong["misconception"] == "forgets_the_division_by_n"
    assert set(wrong["witness"]) == {"arguments", "at", "got", "expected"}
    assert set(wrong["witness"]["arguments"]) == {"logits", "labels"}
    low, high = map(float, wrong["enclosure"])
    assert low <= float(wrong["witness"]["got"]) - float(wrong["witness"]["expected"]) <= high
    assert (unreadable["status"], unreadable["message"]) == (
        "rejected",
        "line 6, column 3: there is no sign between '2' and 'z': write a product with *",
    )
    assert (chain["status"], chain["first_wrong_line"], chain["misconception"]) == ("refuted", 2, "erratum_B15")


def test_standard_input(run: Run) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import gradproof; gradproof.main()", "prove", "--answer", "-"],
        input=RIGHT, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("PROVED")


def test_the_text_shows_the_point_and_the_mistake(run: Run) -> None:
    write("a.txt", WRONG)

    out = run("prove", "--answer", "a.txt")[1].splitlines()

    assert out[0] == "REFUTED    losses.bce_with_logits_grad"
    assert out[1].startswith("           at a = 0 it is ")
    assert out[2] == "           The division by n is missing (a mean, not a sum)."
    assert out[3].startswith("             logits = [")
    assert out[5].startswith("           the difference lies in [")


def test_the_questions_are_listed_and_shown(run: Run) -> None:
    status, out, _ = run("prove", "--questions")
    assert status == 0
    assert "losses.bce_with_logits_grad\n" in out

    status, out, _ = run("prove", "--questions", "losses.bce_with_logits_grad")
    assert status == 0
    assert out == (
        "losses.bce_with_logits_grad\n"
        "    asked: the derivative by logits[a] of -sum((1 - labels[r])*log(1 - 1/(1 + exp(-logits[r]))) + "
        "labels[r]*log(1/(1 + exp(-logits[r]))), r)/n\n"
        "    free indices: a < n\n"
        "    names: logits[n] (also z, o); labels[n] (also y); n (also N); s[r] = sigmoid(logits[r])\n"
    )
    assert run("prove", "--questions", "qqq")[0] == 2


def test_nothing_beside_the_file_takes_our_place(run: Run) -> None:
    for name in ("derivations", "sympy", "mpmath", "json", "resource"):
        write(f"{name}.py", "raise SystemExit('taken')\n")
    write("derivations/__init__.py", "raise SystemExit('taken')\n")
    write("a.txt", RIGHT)

    assert run("prove", "--answer", "a.txt")[0] == 0


def test_hostile_answers_end_in_time_and_the_others_are_judged(run: Run) -> None:
    hostile = ("9**9**9", "exp(exp(exp(exp(exp(1000000)))))", "((1 + z[a])**8)**8", "__import__('os')", "(" * 2000)
    write("a.txt", "".join(f"question: losses.bce_with_logits_grad\n{h}\n\n" for h in hostile) + RIGHT)

    start = time.monotonic()
    status, out, _ = run("prove", "--answer", "a.txt", "--json")

    assert time.monotonic() - start < 2.5 * len(hostile)
    statuses = [answer["status"] for answer in json.loads(out)["answers"]]
    assert statuses == ["rejected"] * len(hostile) + ["proved"]
    assert status == 1


# ---------------------------------------------------------------- inside grade


def graded(run: Run, *arguments: str) -> tuple[int, Any]:
    status, out, _ = run("grade", *arguments, "--json")
    return status, json.loads(out)


def test_a_file_of_answers_is_graded(run: Run) -> None:
    write("a.txt", "# mine\n" + RIGHT + WRONG + UNREADABLE)

    status, document = graded(run, "a.txt")
    (submission,) = document["submissions"]

    assert status == 1
    assert (submission["status"], submission["score"], submission["max_score"]) == ("graded", 1, 3)
    assert [e["verdict"] for e in submission["exercises"]] == ["correct", "wrong", "error"]
    assert {e["name"] for e in submission["exercises"]} == {"losses.bce_with_logits_grad"}
    wrong = submission["exercises"][1]
    assert wrong["diagnosis"] == [
        {
            "kind": "misconception",
            "name": "forgets_the_division_by_n",
            "message": "The division by n is missing (a mean, not a sum).",
            "gives": "",
            "by": "numbers",
        }
    ]
    assert wrong["witness"]["inputs"]["labels"]


def test_an_undecided_answer_is_held_for_a_person(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.txt", RIGHT)
    held = _symbolic.AnswerReport("losses.x", "undecided", "agrees at 20 points", None, None, None, None, None)
    monkeypatch.setattr(_symbolic, "judged", lambda data: _symbolic.Answers(1, [held]))

    status, document = graded(run, "a.txt")
    (exercise,) = document["submissions"][0]["exercises"]

    assert (status, exercise["verdict"], exercise["score"]) == (1, "review", 0)
    assert exercise["reason"] == "agrees at 20 points"


def test_answers_stand_in_folders_beside_code(run: Run) -> None:
    write("all/ada/derivation.txt", RIGHT)
    write("all/ada/notes.txt", "remember the bias\n")
    write("all/ada/code.py", "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n")

    status, document = graded(run, "all")

    assert status == 0
    assert [(s["id"], s["score"]) for s in document["submissions"]] == [("ada/code.py", 1), ("ada/derivation.txt", 1)]


def test_only_chooses_questions(run: Run) -> None:
    write("a.txt", RIGHT + "question: layers.affine_vjp db\nsum(g[r, q], r)\n")

    _, document = graded(run, "a.txt", "--only", "layers.*")

    assert [e["name"] for e in document["submissions"][0]["exercises"]] == ["layers.affine_vjp db"]


def test_every_rendering_shows_answers(run: Run) -> None:
    write("a.txt", RIGHT + WRONG)

    for format_ in ("text", "junit", "html"):
        status, out, _ = run("grade", "a.txt", "--format", format_)
        assert status == 1
        assert "losses.bce_with_logits_grad" in out
        assert "The division by n is missing" in out


def test_a_failing_judge_is_not_the_submissions_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.txt", RIGHT)

    def broken(data: bytes) -> NoReturn:
        raise RuntimeError("the judge of symbolic answers failed (x); please report it")

    monkeypatch.setattr(_symbolic, "judged", broken)
    status, document = graded(run, "a.txt")

    assert status == 3
    assert document["submissions"][0]["status"] == "unscored"


def test_the_example_does_what_the_documentation_says(run: Run) -> None:
    status, out, _ = run("prove", "--answer", str(ROOT / "examples" / "answers.txt"), "--json")

    found = [(a["status"], a["first_wrong_line"], a["misconception"]) for a in json.loads(out)["answers"]]
    assert status == 1
    assert found == [
        ("proved", None, None),
        ("refuted", 3, "erratum_B15"),
        ("refuted", None, "forgets_the_off_diagonal_terms"),
        ("refuted", None, "decays_once_too_often"),
    ]


def test_the_time_for_a_file_grows_with_its_questions_however_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def run(*arguments: Any, timeout: float, **more: Any) -> NoReturn:
        given.append(timeout)
        raise subprocess.TimeoutExpired("judge", timeout)

    monkeypatch.setattr(subprocess, "run", run)
    for head in (b"question: a\n1\n", b"Question: a\n1\n", b"QUESTION: a\n1\n"):
        with pytest.raises(RuntimeError, match="did not end"):
            _symbolic.judged(head * 7)

    assert len(set(given)) == 1
    assert given[0] > _symbolic.START_SECONDS + 6 * _symbolic.EACH_SECONDS


def test_what_a_stranger_typed_as_a_name_cannot_steer_a_terminal() -> None:
    text = _symbolic.as_text(_symbolic.judged("question: a\u202eb\u2028c\u009bd{}\n1\n".format("x" * 500).encode()))

    assert not set("\u202e\u2028\u009b") & set(text)
    assert "x" * 100 not in text.splitlines()[0]
