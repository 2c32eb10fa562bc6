"""The conformance matrix: how libraries are judged, what is expected of them, and the committed results."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import structs

from graders import _catalogue, _cli, _conform
from graders._conform import Conformance, Documented, Library, Row, render
from graders._exceptions import TORCH_DEFECTS

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "conform"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gradproof", "conform", *arguments])
        status: Any = 0
        try:
            _cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return ran


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a library `mine` with three functions: one right, one of another definition, one wrong."""

    class Ours:
        DISTRIBUTIONS = ("numpy",)

        @staticmethod
        def functions() -> dict[str, Documented]:
            url = "https://example.org/{}.html"
            table: dict[str, Callable[..., Any]] = {
                "activations.relu": lambda z: np.maximum(z, 0),
                "activations.sigmoid": lambda z: 1 / (1 + np.exp(-z)) + 1e-3,
                "losses.bce_with_logits": lambda logits, labels: np.sum(np.logaddexp(0, logits) - logits * labels),
            }
            return {
                name: Documented(f"mine.{name.partition('.')[2]}", url.format(name), f) for name, f in table.items()
            }

    monkeypatch.setitem(sys.modules, "graders._conform._numpy", Ours)

    class Gone:
        DISTRIBUTIONS = ("gone", "beside-it")

    monkeypatch.setitem(sys.modules, "graders._conform._not_there_at_all", Gone)
    monkeypatch.setattr(_conform, "LIBRARIES", {"mine": "numpy", "gone": "not_there_at_all"})


@pytest.fixture
def having(library: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the library `mine` with other functions."""

    def declared(**functions: Callable[..., Any]) -> None:
        named = {
            full: Documented(name, "https://example.org/", function)
            for name, function in functions.items()
            for full in _catalogue.chosen_names([name])
        }
        monkeypatch.setattr(sys.modules["graders._conform._numpy"], "functions", lambda: named)

    return declared


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("href", "src")]


# ---------------------------------------------------------------- how it is judged


def test_a_library_is_judged_function_by_function(library: None) -> None:
    (mine,) = _conform.conform(["mine"]).libraries
    rows = {row.name: row for row in mine.rows}

    assert list(rows) == _catalogue.names()
    assert mine.versions == {"numpy": np.__version__}
    assert rows["activations.relu"].verdict == "correct"
    assert rows["activations.relu"].max_ulp == 0
    assert rows["activations.sigmoid"].verdict in ("wrong", "inexact")
    assert rows["activations.sigmoid"].witness is not None
    assert rows["losses.bce_with_logits"].verdict == "convention"
    assert rows["losses.bce_with_logits"].explained == ["sums_over_all"]
    share = rows["losses.bce_with_logits"].max_error_over_allowed
    assert share is not None
    assert share <= 1
    assert rows["activations.tanh"].verdict == "missing"


def test_what_falls_short_is_a_surprise_unless_it_is_expected(
    library: None, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graders import _expected

    status, _, err = run("mine")
    assert (status, err) == (1, "gradproof: not as expected: mine activations.sigmoid\n")

    expected = _expected.read("sigmoid # is off by 0.001", "mine.txt")
    monkeypatch.setattr(_conform, "expected_failures", lambda name: expected)
    status, out, err = run("mine")
    assert (status, err) == (0, "")
    assert "(expected: is off by 0.001)" in out

    expected = _expected.read("sigmoid # is off\nrelu # was wrong once\nlosses.mse # is not there", "mine.txt")
    status, _, err = run("mine")
    assert status == 1
    assert err == "".join(
        f"gradproof: not as expected: {what}\n" for what in ("mine activations.relu", "mine line 3: losses.mse")
    )


def test_only_the_names_that_are_asked_for(library: None, run: Run) -> None:
    status, out, _ = run("mine", "--only", "activations.re*", "--json")

    assert status == 0
    assert {row["name"] for row in json.loads(out)["libraries"][0]["rows"]} == {
        name for name in _catalogue.exercises() if name.startswith("activations.re")
    }


def test_what_draws_at_random_is_judged_by_its_properties(having: Callable[..., None]) -> None:
    having(bootstrap_sample=lambda n, generator, *, size=None: generator.permutation(n)[:size])
    (mine,) = _conform.conform(["mine"], ["ensembles.bootstrap_sample", "ensembles.bagging"]).libraries
    verdicts = {row.name: row.verdict for row in mine.rows}

    assert verdicts == {"ensembles.bootstrap_sample": "wrong", "ensembles.bagging": "missing"}
    assert "of its draws" in mine.rows[1].notes[0]


def test_the_dtypes_that_are_asked_for(having: Callable[..., None], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from graders import _expected

    having(tanh=lambda z: np.tanh(z.astype(np.float32)), majority_vote=lambda labels, *, num_classes: labels[0])
    narrow = _expected.read("tanh # is computed in float32", "mine.txt")
    monkeypatch.setattr(_conform, "expected_failures", lambda name: narrow)
    status, out, _ = run("mine", "--only", "tanh", "--json")
    assert (status, json.loads(out)["libraries"][0]["rows"][0]["expected"]) == (0, "is computed in float32")

    status, out, err = run("mine", "--only", "tanh", "--dtypes", "float32", "--json")
    (mine,) = json.loads(out)["libraries"]
    assert (status, err) == (0, "")
    assert (mine["dtypes"], mine["rows"][0]["verdict"], mine["rows"][0]["expected"]) == (["float32"], "correct", "")

    (mine,) = _conform.conform(["mine"], ["majority_vote"], dtypes=["float32"]).libraries
    assert mine.rows[0].verdict == "missing"  # it has no floats

    monkeypatch.setattr(sys.modules["graders._conform._numpy"], "DTYPES", ("float32",), raising=False)
    status, _, err = run("mine", "--dtypes", "float64")
    assert (status, err) == (2, "gradproof: mine: judged in float32 only\n")


def test_a_library_that_does_not_run_says_why(library: None, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise _conform.Unusable("it needs a compiler: install one")

    monkeypatch.setattr(sys.modules["graders._conform._numpy"], "functions", refuse)
    assert run("mine") == (2, "", "gradproof: mine: it needs a compiler: install one\n")


def test_what_cannot_be_imported_is_said_once_and_how_to_install_it(
    library: None, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ImportError("mine is for another Python", name="numpy._core")

    status, out, err = run("gone", "mine", "--only", "relu")
    assert (status, err) == (2, "gradproof: gone: not installed; pip install gone beside-it\n")
    assert "gone" not in out

    monkeypatch.setattr(sys.modules["graders._conform._numpy"], "functions", broken)
    _, _, err = run("mine")
    assert err == "gradproof: mine: it cannot be imported (mine is for another Python); pip install numpy\n"


def test_a_library_may_do_without_one_of_its_distributions(library: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["graders._conform._numpy"], "DISTRIBUTIONS", ("numpy", "not-there-at-all"))

    assert list(_conform.conform(["mine"], ["relu"]).libraries[0].versions) == ["numpy"]


TIMES = "\N{MULTIPLICATION SIGN}"
SHARES = [(None, ""), (0.0, "0 %"), (0.0721, "7.2 %"), (1.0, f"1 {TIMES}"), (2.61, f"2.6 {TIMES}")]


@pytest.mark.parametrize("share, said", SHARES)
def test_an_error_is_shown_beside_the_allowed_one(share: float | None, said: str) -> None:
    row = Row("activations.gelu", "correct", "gelu", "https://x/", "", [], 9e10, "", None, [], share)
    result = Conformance(1, 0, {}, [Library("mine", "judged", "", {"mine": "1"}, ["float64"], [row], [])])

    assert f"| [correct](https://x/) {said}".rstrip() + " |\n" in render.markdown(result)
    assert f"activations.gelu  correct {said}".rstrip() + "\n" in render.text(result)
    assert (f"<small>{said}</small>" in render.page(result)) is bool(said)
    assert "9e+10" not in render.markdown(result) + render.text(result) + render.page(result)


def test_the_matrix_is_written_in_every_format(library: None, run: Run, tmp_path: Path) -> None:
    _, text, _ = run("mine")
    _, markdown, _ = run("mine", "--format", "markdown")
    status, nothing, _ = run("mine", "--format", "html", "--output", "matrix.html")
    page = Page((tmp_path / "matrix.html").read_text())

    assert (status, nothing) == (1, "")
    assert re.search(r"^activations\.relu +correct 0 %$", text, re.MULTILINE)
    assert "| activations.relu | [correct](https://example.org/activations.relu.html) 0 % |" in markdown
    assert "```python\nimport numpy as np" in markdown
    assert "script" not in page.tags
    assert set(page.links) == {f"https://example.org/{n}.html" for n in (
        "activations.relu", "activations.sigmoid", "losses.bce_with_logits",
    )}  # fmt: skip


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["numpy"], "nothing is known of the library 'numpy'; known are mine, gone"),
        (["mine", "--only", "activations.relo"], "no exercise is called 'activations.relo'; did you mean"),
        (["gone"], "gone: not installed"),
        (["mine", "--dtypes", "float16"], "dtypes: expected some of float64, float32; got float16"),
        (["mine", "--dtypes", ""], "dtypes: expected some of float64, float32; got "),
        (["mine", "--only", "relu", "--output", "no/such/folder"], "no/such/folder: cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(arguments: list[str], said: str, library: None, run: Run) -> None:
    status, _, err = run(*arguments)

    assert status == 2
    assert err.startswith(f"gradproof: {said}")


def test_what_a_library_says_becomes_no_tag() -> None:
    hostile = "<script>alert(1)</script>"
    row = Row("activations.relu", "wrong", hostile, "https://x/\"'><script>", hostile, [], 1.0, hostile, None, [])
    result = Conformance(1, 0, {hostile: "1"}, [Library("mine", "judged", "", {"mine": "1"}, ["float64"], [row], [])])

    assert "script" not in Page(render.page(result)).tags


# ---------------------------------------------------------------- what is declared


@pytest.mark.parametrize("name", _conform.LIBRARIES)
def test_what_is_declared_of_a_library_is_of_the_catalogue(name: str) -> None:
    module = _conform.LIBRARIES[name]
    pytest.importorskip(module, reason=f"{name} is not installed")
    functions = importlib.import_module(f"graders._conform._{module}").functions()

    assert functions
    assert set(functions) <= set(_catalogue.names())
    assert all(there.url.startswith("https://") and there.called for there in functions.values())


@pytest.mark.parametrize("name", _conform.LIBRARIES)
def test_every_expected_failure_has_its_reason_and_is_of_the_catalogue(name: str) -> None:
    assert all(line.reason for line in _conform.expected_failures(name))


def test_the_expected_failures_of_pytorch_are_those_that_the_laws_know() -> None:
    assert {line.pattern for line in _conform.expected_failures("torch")} == set(TORCH_DEFECTS)


def test_pytorch_and_scipy_are_judged_by_their_own_functions() -> None:
    pytest.importorskip("torch", reason="PyTorch is an extra and is not installed")
    pytest.importorskip("scipy", reason="SciPy is not installed")

    result = _conform.conform(["torch", "scipy"], ["activations.softplus", "activations.softmax"])
    verdicts = {(library.name, row.name): row.verdict for library in result.libraries for row in library.rows}

    assert verdicts["torch", "activations.softplus"] == "unstable"
    assert verdicts["torch", "activations.softmax"] == verdicts["scipy", "activations.softmax"] == "correct"
    assert result.surprises == []


# ---------------------------------------------------------------- the committed results


@pytest.fixture(scope="module")
def committed() -> Conformance:
    return msgspec.json.decode((RESULTS / "conform.json").read_bytes(), type=Conformance)


def test_the_committed_results_are_as_expected_and_the_pages_show_them(committed: Conformance) -> None:
    there = [library.name for library in committed.libraries]
    assert there == list(_conform.LIBRARIES)
    assert all(library.status == "judged" and library.versions for library in committed.libraries)
    assert committed.surprises == []
    assert (RESULTS / "conform.md").read_text() == render.markdown(committed)
    assert (RESULTS / "conform.html").read_text() == render.page(committed)


def test_the_committed_results_have_the_reasons_of_the_files(committed: Conformance) -> None:
    for library in committed.libraries:
        expected = {row.name: row.expected for row in library.rows if row.expected}
        assert set(expected.values()) == {line.reason for line in _conform.expected_failures(library.name)}


def test_a_changed_verdict_would_be_seen(committed: Conformance) -> None:
    library = committed.libraries[0]
    row = next(row for row in library.rows if row.verdict == "correct")
    changed = structs.replace(row, verdict="wrong")

    assert changed.surprising
    assert not row.surprising
