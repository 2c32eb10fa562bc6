"""Symbolic answers: judged in a child process with limits, reported as documents, text and verdicts of `grade`."""

from __future__ import annotations

import fnmatch
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from graders._nearest import nearest
from graders.harness.report import SCHEMA, Diagnosis, ExerciseReport, SubmissionReport, Verdict, Witness
from graders.harness.sandbox.parent import Submission

ROOM = Path(__file__).resolve().parents[1] / "derivations"
START_SECONDS, EACH_SECONDS = 60, 5
MOST_OF_A_NAME = 80  # of a name that a stranger typed, so much is printed

# The child finds our room by its path: nothing beside the file of answers, or in the environment, can take its place.
CHILD = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("derivations", sys.argv[1] + "/__init__.py",
                                              submodule_search_locations=[sys.argv[1]])
sys.modules["derivations"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["derivations"])
from derivations._answers.worker import main
main()
"""


class Unusable(ValueError):
    """A file that holds no answers; the message says why."""


class Point(Struct, frozen=True):
    """A point at which an answer is wrong: the arguments, the free indices, and both values."""

    arguments: dict[str, Any]
    at: dict[str, int]
    got: str
    expected: str


class AnswerReport(Struct, frozen=True):
    """What is known of one answer."""

    question: str
    status: Literal["proved", "refuted", "undecided", "rejected"]
    message: str
    first_wrong_line: int | None
    witness: Point | None
    enclosure: tuple[str, str] | None
    """The difference from what is right, at the witness, lies between these two numbers."""
    misconception: str | None
    explanation: str | None
    """What the misconception is, in a sentence."""


class Answers(Struct, frozen=True):
    """The document of `gradproof prove --answer`."""

    schema: int
    answers: list[AnswerReport]

    @property
    def all_proved(self) -> bool:
        """Return whether every answer is proved."""
        return all(answer.status == "proved" for answer in self.answers)


def judged(data: bytes) -> Answers:
    """Return what is known of each answer of a file, by its bytes; raise Unusable where there are none."""
    count = data.lower().count(b"question:")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", CHILD, str(ROOM)],
            input=data,
            capture_output=True,
            check=False,
            timeout=START_SECONDS + EACH_SECONDS * min(count, 1_000),
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError("the judge of symbolic answers did not end; please report it") from None
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().split("\n")[-1]
        raise RuntimeError(f"the judge of symbolic answers failed ({last}); please report it")
    if rows and "unusable" in rows[0]:
        raise Unusable(rows[0]["unusable"])
    if not rows:
        raise Unusable("no question found: write 'question: NAME' and below it the answer")
    return Answers(SCHEMA, [_answer(row) for row in rows])


def _answer(row: Mapping[str, Any]) -> AnswerReport:
    found = row["witness"]
    point = None if found is None else Point(found["arguments"], found["at"], found["got"], found["expected"])
    ends = found and found["enclosure"]
    return AnswerReport(
        row["question"], row["status"], row["message"], row["first_wrong_line"], point,
        None if not ends else (ends[0], ends[1]), row["misconception"] or None, row["explanation"] or None,
    )  # fmt: skip


def as_text(answers: Answers) -> str:
    """Return the answers for a terminal: a block for each question."""
    blocks = ["\n".join(_block(answer)) for answer in answers.answers]
    proved = sum(answer.status == "proved" for answer in answers.answers)
    return "\n\n".join([*blocks, f"{proved} of {len(answers.answers)} answers proved"]) + "\n"


def _block(answer: AnswerReport) -> Iterator[str]:
    name = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in answer.question[:MOST_OF_A_NAME])
    yield f"{answer.status.upper():9}  {name}"
    indent = " " * 11
    yield f"{indent}{answer.message}"
    if answer.explanation:
        yield f"{indent}{answer.explanation}"
    if answer.witness is not None:
        for name, value in answer.witness.arguments.items():
            yield f"{indent}  {name} = {_plainly(value)}"
    if answer.enclosure:
        low, high = answer.enclosure
        yield f"{indent}the difference lies in [{low}, {high}]"


def _plainly(value: Any) -> str:
    return f"[{', '.join(map(_plainly, value))}]" if isinstance(value, list) else str(value)


def asked(pattern: str = "*") -> str:
    """Return the questions whose names fit a pattern, each with what is asked and the names it may be answered in."""
    from derivations._answers.questions import questions, words_of

    chosen = [q for name, q in questions().items() if pattern == "*" or _fits(name, pattern)]
    if not chosen:
        near = nearest(pattern, list(questions()))
        raise LookupError(
            f"no question is called {pattern!r}; {f'did you mean {near}?' if near else '`prove --questions` lists all'}"
        )
    if pattern == "*":
        return "\n".join(q.name for q in chosen) + f"\n\n{len(chosen)} questions\n"
    blocks = []
    for q in chosen:
        letters = ", ".join(f"{axis.label} < {axis.size}" for axis in q.axes) or "none"
        blocks.append(
            f"{q.name}\n    asked: {q.prompt}\n    free indices: {letters}\n    names: {'; '.join(words_of(q))}\n"
        )
    return "\n".join(blocks)


# ---------------------------------------------------------------- inside `grade`

VERDICTS: Mapping[str, Verdict] = {
    "proved": "correct",
    "refuted": "wrong",
    "undecided": "review",
    "rejected": "error",
}


def graded(submission: Submission, only: Sequence[str] = ()) -> SubmissionReport:
    """Return the verdicts on a file of answers, one for each question; a question answered twice counts twice."""
    (text,) = submission.files.values()
    try:
        answers = judged(text.encode()).answers
    except Unusable as error:
        return SubmissionReport(submission.id, submission.path, "unreadable", str(error), 0.0, 0.0, [], [], [])
    except RuntimeError as error:
        return SubmissionReport(submission.id, submission.path, "unscored", str(error), None, 0.0, [], [], [])
    wanted = [a for a in answers if not only or any(_fits(a.question, pattern) for pattern in only)]
    if not wanted:
        reason = "no question of it was asked for"
        return SubmissionReport(submission.id, submission.path, "nothing_found", reason, 0.0, 0.0, [], [], [])
    reports = [_exercise(answer) for answer in wanted]
    score = sum(report.score or 0.0 for report in reports)
    reports.sort(key=lambda r: r.verdict != "review")
    return SubmissionReport(
        submission.id, submission.path, "graded", "", score, float(len(reports)), reports, [], []
    )  # fmt: skip


def _fits(question: str, pattern: str) -> bool:
    name = question.partition(" ")[0]
    return any(fnmatch.fnmatchcase(n, pattern) for n in (question, name, name.partition(".")[2]))


def _exercise(answer: AnswerReport) -> ExerciseReport:
    point = answer.witness
    witness = None
    if point is not None:
        given = "; ".join(f"{name} = {_plainly(value)}" for name, value in point.arguments.items())
        witness = Witness(
            inputs=point.arguments, output="", index=list(point.at.values()), got=point.got, expected=point.expected,
            allowed=0, problem=f"for {given}", code="",
        )  # fmt: skip
    diagnosis = (
        [Diagnosis("misconception", answer.misconception, answer.explanation or "")] if answer.misconception else []
    )
    right = answer.status == "proved"
    return ExerciseReport(
        name=answer.question, function="", verdict=VERDICTS[answer.status], reason="" if right else answer.message,
        score=float(right), max_score=1.0, aspects={}, diagnosis=diagnosis, witness=witness, bits=None, max_ulp=None,
        truth="proof", replay="", cases=0, failed_cases=0, notes=[], seconds=0.0,
    )  # fmt: skip
