"""What a report looks like: each thing said once, what there is to see shown, whatever it is rendered as."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from graders.harness import grade
from graders.harness.report import (
    SCHEMA,
    Aspect,
    Diagnosis,
    ExerciseReport,
    Report,
    Run,
    SubmissionReport,
    Witness,
    glance,
    hinted,
)  # fmt: skip
from graders.harness.report import html as as_html
from graders.harness.report import junit as as_junit
from graders.harness.report import text as as_text
from graders.harness.report.json import document
from graders.harness.report.words import LETTERS, evidence, given
from graders.harness.sandbox.codec import Record
from graders.harness.tried import shown
from graders.harness.verdict import UNFILLED

CODE = "import numpy as np\nprint(1)"


def exercise(problem: str = "", reason: str = "1 of 2 ordinary cases", code: str = CODE) -> ExerciseReport:
    """Return a wrong function's report."""
    got, expected, allowed = (None, None, None) if problem else (1.0, 2.0, 0.5)
    witness = Witness({"x": [[1.0, 2.0]], "p": 0.5}, "", [], got, expected, allowed, problem, code)
    return ExerciseReport(
        "losses.mse", "mse", "wrong", reason, 0.0, 1.0, {"values": Aspect(0.0, 1.0, False)},
        [Diagnosis("pattern", "sign", "Wrong only where `x` is <0.")], witness, 3.0, 1e9, "proof", "", 2, 1, [], 0.1,
    )  # fmt: skip


def report(*exercises: ExerciseReport, title: str = "") -> Report:
    """Return a run's report on one submission."""
    submission = SubmissionReport("one", "one.py", "graded", "", 0.0, 1.0, list(exercises), [], [])
    return Report(SCHEMA, Run(1, "given", "full", 1, {}, title=title), [submission], [])


def test_a_problem_is_said_once() -> None:
    whole = report(exercise("raised ValueError: no", "raised ValueError: no in 2 of 2 ordinary cases"))

    for rendered in (as_text.render(whole), as_html.render(whole), as_junit.render(whole)):
        assert len(re.findall("raised ValueError: no", rendered.replace('message="Wrong', ""))) == 1


@pytest.mark.parametrize("code", ["", CODE])
def test_the_input_is_shown_by_code_or_else_in_words(code: str) -> None:
    one = exercise(code=code)

    for rendered in (as_text.render(report(one)), as_html.render(report(one)), as_html.one_function(one)):
        assert ("x = [[1.0, 2.0]], p = 0.5" in rendered) is not bool(code)
        assert ("print(1)" in rendered) is bool(code)


def test_a_long_input_is_at_the_end_and_cut() -> None:
    whole = {"x": [[0.123456789] * 4] * 3, "p": 0.5, "y": [0.5] * 1000, "z": [[1 / 3] * 12] * 30}
    long = {f"x{i}": [0.1234567] * 8 for i in range(20)} | {"p": 0.25}

    said = given(Witness(whole, "", [0], 1.0, 2.0, 0.0, "", ""))
    cut = given(Witness(long, "", [0], 1.0, 2.0, 0.0, "", ""))

    assert said.startswith("for p = 0.5, y = 1000 numbers, z = 360 numbers, x = [[0.123457, 0.123457,")
    assert cut.startswith("for p = 0.25, ")
    assert cut.endswith("…")
    assert len(cut) < 500


def test_a_function_that_was_given_is_shown_by_what_it_is() -> None:
    made = shown(Record("given.product", {"weights": np.full((3, 5), 0.5)}))
    witness = Witness({"f": made, "n": 2}, "", [], 1.0, 2.0, 0.0, "", "")

    assert (
        given(witness)
        == "for n = 2, f is f(x) = tanh(x W) less its mean over the rows, which are samples (weights = 15 numbers)"
    )


@pytest.mark.parametrize(
    "verdict, reason, once, left",
    [
        ("convention", "right under another documented definition", "right under another documented definition", ""),
        ("unfilled", UNFILLED, "not attempted", "it returns the starter"),
        ("missing", grade.missing("losses.mse").reason, "asked for", ""),
        ("review", "3 times beyond the allowed error: held for a person to look at", "person", "3 times beyond"),
    ],
)
def test_a_reason_that_the_verdict_tells_is_not_told_again(verdict: Any, reason: str, once: str, left: str) -> None:
    one = structs.replace(exercise(), verdict=verdict, reason=reason, diagnosis=[], witness=None)

    for rendered in (as_text.render(report(one)), as_html.render(report(one)), as_html.one_function(one)):
        said = rendered.lower()
        assert said.count(once) == 1
        assert left in said
    assert reason.split(":")[0] in as_text.one_function(one)


def test_what_is_the_same_of_several_functions_is_told_once() -> None:
    lost = [grade.missing(name) for name in ("losses.mse", "layers.affine", "losses.entropy")]
    broken = structs.replace(
        report(*(structs.replace(e, verdict="error", reason="line 3 is no Python") for e in lost)).submissions[0],
        status="unreadable", reason="line 3 is no Python",
    )  # fmt: skip

    for rendered in (as_text.render(report(*lost)), as_html.render(report(*lost))):
        assert rendered.lower().count("asked for, but the submission has no") == 1
        assert "losses.mse, layers.affine, losses.entropy" in rendered
    for render in (as_text.render, as_html.render):
        assert render(structs.replace(report(), submissions=[broken])).count("line 3 is no Python") == 1


# ---------------------------------------------------------------- many submissions


def handed_in(path: str, *verdicts: str) -> SubmissionReport:
    """Return the report on a submission with a verdict on each name; W is a mistake that is known by name."""
    made = []
    for name, letter in zip(("losses.mse", "layers.affine", "losses.entropy"), verdicts, strict=False):
        verdict: Any = next(v for v, known in LETTERS.items() if known == letter)
        told = [Diagnosis("misconception", f"forgets_{name[-3:]}", "")] if letter == "W" else []
        right = letter in "✓C"
        made.append(
            structs.replace(exercise(), name=name, verdict=verdict, diagnosis=told, score=float(right), witness=None)
        )
    status: Any = "graded" if verdicts else "unreadable"
    points = sum(e.score or 0.0 for e in made)
    return SubmissionReport(path, path, status, "" if verdicts else "line 3", points, 3.0, made, [], [])


TIMES = "\xa0\N{MULTIPLICATION SIGN}\xa0"
CLASS = [
    handed_in("zoe.py", "✓", "W", "✓"), handed_in("<b>.py", "W", "W", "C"), handed_in("amy.py"),
    handed_in("bob.py", "E", "W", "✓"),
]  # fmt: skip


def of_class(*submissions: SubmissionReport) -> Report:
    return structs.replace(report(), submissions=list(submissions))


class Rows(HTMLParser):
    """Reads a page: the rows of its tables, its links and its anchors."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.unscoped = 0
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.tags.add(tag)
        self.rows += [[]] if tag == "tr" else []
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.unscoped += tag == "th" and "scope" not in given
        self.links += [given["href"] or ""] if "href" in given else []
        self.anchors |= {given["id"] or ""} if "id" in given else set()

    def handle_endtag(self, tag: str) -> None:
        self.rows += [[]] if tag == "table" else []

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def test_a_class_is_to_be_seen_at_a_glance() -> None:
    page = Rows(as_html.render(of_class(*CLASS)))

    at = next(i for i, row in enumerate(page.rows) if row[:1] == ["submission"])
    assert page.rows[at] == ["submission", "points", "mse", "entropy", "affine"]
    assert page.rows[at + 1 : at + 5] == [
        ["zoe.py", "2 of 3", "✓", "✓", "W"], ["<b>.py", "1 of 3", "W", "C", "W"], ["amy.py", "0 of 3", "unreadable"],
        ["bob.py", "1 of 3", "E", "✓", "W"],
    ]  # fmt: skip
    assert [row for row in page.rows if row and "of 3" in row[1]][:2] == [
        ["layers.affine", "3 of 3", f"3{TIMES}wrong", f"3{TIMES}forgets_ine"],
        ["losses.mse", "2 of 3", f"1{TIMES}wrong, 1{TIMES}error", f"1{TIMES}forgets_mse"],
    ]
    assert {f"#s{i}" for i in range(1, 5)} <= set(page.links)
    assert {link.removeprefix("#") for link in page.links} <= page.anchors
    assert page.unscoped == 0
    assert not page.tags & {"script", "b", "img"}


def test_the_text_begins_with_the_class_at_a_glance() -> None:
    lines = as_text.render(of_class(*CLASS)).split("\n")

    assert lines[1] == "At a glance: 4 submissions, 1 unreadable; 0 to 2 of 3 points, median 1"
    cells = ["3 of 3", "layers.affine", f"3{TIMES}wrong", f"3{TIMES}forgets_ine"]
    assert re.split(r"  +", lines[3].strip()) == [cell.replace("\xa0", " ") for cell in cells]
    assert len([line for line in lines if line.startswith("  ") and " of 3  " in line]) == 2


def test_one_submission_is_no_class() -> None:
    for rendered in (as_text.render(of_class(CLASS[0])), as_html.render(of_class(CLASS[0]))):
        assert "At a glance" not in rendered


def test_a_glance_at_hints_names_no_mistake() -> None:
    told = hinted.hinted(of_class(*CLASS))

    assert "forgets" not in as_text.render(told) + as_html.render(told)


def test_points_are_shares_where_they_are_of_different_numbers() -> None:
    graded = [structs.replace(CLASS[0], max_score=4.0), CLASS[3], structs.replace(CLASS[0], score=None)]

    assert glance.points(graded) == "33 to 50 % of the points, median 42 %"
    assert glance.points([]) == "no points"


def test_a_large_class_makes_no_large_table() -> None:
    names = [f"losses.function_{i}" for i in range(20)]
    right = structs.replace(exercise(), verdict="correct", diagnosis=[], witness=None, reason="")
    one = structs.replace(CLASS[0], exercises=[structs.replace(right, name=name) for name in names])
    pages = [as_html.render(of_class(*[one] * many)) for many in (20, 120)]
    table = [len(page[page.index('id="letters"') : page.index('id="s1"')]) for page in pages]

    assert (table[1] - table[0]) / 100 < 20 * 25  # bytes for a row of 20 cells
    assert (len(pages[1]) - len(pages[0])) / 100 < 20 * 150


def test_what_stands_between_backticks_is_code_and_everything_else_is_text() -> None:
    page = as_html.render(report(exercise()))

    assert "Wrong only where <code>x</code> is &lt;0." in page


def test_nowhere_are_two_empty_lines() -> None:
    whole = report(exercise(), exercise(), title="Homework 1")

    assert "\n\n\n" not in as_text.render(whole)


def test_draws_are_alike_and_only_numbers_the_same() -> None:
    told = {by: evidence(Diagnosis("misconception", "name", "", by=by)) for by in ("numbers", "draws", "behaviour")}

    assert [by for by, said in told.items() if "exactly" in said] == ["numbers"]
    assert told["draws"].endswith("draws as yours does")


def test_a_number_of_numpys_is_a_number_in_the_document() -> None:
    made = document({"got": np.float64(0.5), "count": np.int64(3), "there": np.bool_(True)})

    assert json.loads(made) == {"got": 0.5, "count": 3, "there": True}
    with pytest.raises(TypeError, match="object has no place in a JSON document"):
        document({"got": object()})
