"""The report as JUnit XML: a suite for each submission, a case for each function."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from graders.harness.report import SHORT, ExerciseReport, Report, Run, SubmissionReport
from graders.harness.report.text import one_function
from graders.harness.report.words import kept_apart, one_line

ERRORS = ("error", "timeout", "killed", "incompatible")


def render(report: Report) -> str:
    """Return the whole report as JUnit XML; points stand in properties, which most readers show."""
    root = Element("testsuites", name=one_line(report.run.title) or "gradproof")
    for submission in report.submissions:
        _suite(root, submission, report.run)
    for problem in report.problems:
        suite = SubElement(root, "testsuite", name=one_line(problem.partition(":")[0]), tests="1", errors="1")
        case = SubElement(suite, "testcase", classname="gradproof", name="can be read")
        SubElement(case, "error", message=one_line(problem))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, submission: SubmissionReport, run: Run) -> None:
    verdicts = [e.verdict for e in submission.exercises]
    failures = sum(v in SHORT and v not in ERRORS for v in verdicts)
    errors = sum(v in ERRORS for v in verdicts)
    unscored = sum(v == "unscored" for v in verdicts)
    broken = submission.status not in ("graded",)
    suite = SubElement(
        root,
        "testsuite",
        name=one_line(submission.id),
        tests=str(len(verdicts) + broken),
        failures=str(failures),
        errors=str(errors + broken),
        skipped=str(unscored),
        time=f"{sum(e.seconds for e in submission.exercises):.3f}",
    )
    properties = SubElement(suite, "properties")
    score = "" if submission.score is None else f"{submission.score:g}"
    SubElement(properties, "property", name="score", value=score)
    SubElement(properties, "property", name="max_score", value=f"{submission.max_score:g}")
    SubElement(properties, "property", name="isolation", value=kept_apart(run.tier, run.isolation.missing))
    if broken:
        case = SubElement(suite, "testcase", classname=one_line(submission.id), name="can be graded")
        SubElement(case, "error", message=one_line(submission.reason), type=submission.status)
    for exercise in submission.exercises:
        _case(suite, submission, exercise)


def _case(suite: Element, submission: SubmissionReport, e: ExerciseReport) -> None:
    case = SubElement(suite, "testcase", classname=one_line(submission.id), name=_name(e), time=f"{e.seconds:.3f}")
    properties = SubElement(case, "properties")
    SubElement(properties, "property", name="points", value="" if e.score is None else f"{e.score:g}")
    SubElement(properties, "property", name="max_points", value=f"{e.max_score:g}")
    if e.verdict == "unscored":
        SubElement(case, "skipped", message=one_line(e.reason))
    elif e.verdict in SHORT:
        kind = "error" if e.verdict in ERRORS else "failure"
        said = e.diagnosis[0].message if e.diagnosis else e.reason
        fallen = SubElement(case, kind, message=one_line(said), type=e.verdict)
        fallen.text = "\n" + "\n".join(one_line(line) for line in one_function(e).split("\n")) + "\n"


def _name(e: ExerciseReport) -> str:
    tail = e.function.rpartition(".")[2]
    return one_line(e.name if tail in (e.name.rpartition(".")[2], "") else f"{e.name} ({e.function})")
