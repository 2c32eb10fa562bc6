"""`gradproof audit` over several exercises: its file, its totals, and the bound on what was not seen."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from graders import _audits, _cli
from graders.harness.audit import Audit, Kills
from graders.harness.children import can_fork

Run = Callable[..., tuple[int, str, str]]
NONE: list[str] = []


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gradproof", *arguments])
        status = 0
        try:
            _cli.main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        return status, *capsys.readouterr()

    return ran


def kills(name: str, mutants: int = 1) -> Kills:
    return Kills(name, mutants, 1, 0, {"small [float64]": 1}, {}, [], ["small [float64]"], {"held": ["a"]})


# ---------------------------------------------------------------- the file


def test_rows_are_put_in_the_order_of_the_catalogue_and_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    _audits.write(file, [kills("losses.mse"), kills("activations.relu"), kills("losses.of_yesterday")])
    _audits.write(file, [kills("losses.mse", 2)])

    assert list(_audits.read(file)) == ["activations.relu", "losses.mse"]
    assert _audits.read(file)["losses.mse"].mutants == 2
    assert _audits.read(file)["activations.relu"] == kills("activations.relu")
    assert len(file.read_text(encoding="utf-8").splitlines()) == 4  # a line for each, so that a change is a line
    assert _audits.read(tmp_path / "none.json") == {}


@pytest.mark.skipif(not can_fork, reason="mutants are run in forked processes, which this system has not")
def test_the_command_writes_the_matrix_and_two_at_once_say_what_one_says(run: Run, tmp_path: Path) -> None:
    names = ("activations.relu", "losses.predict_label")
    _, alone, _ = run("audit", *names, "--matrix", "matrix.json", "--json")
    status, together, _ = run("audit", *names, "--matrix", "together.json", "--jobs", "2", "--json")
    audited = json.loads(alone)["exercises"]

    assert status == 0
    assert alone == together
    assert (tmp_path / "matrix.json").read_bytes() == (tmp_path / "together.json").read_bytes()
    assert all(a["mutants"] >= a["killed"] > 0 and not a["survivors"] for a in audited)
    assert [*_audits.read(tmp_path / "matrix.json")] == [*names]


def test_a_file_that_is_no_matrix_is_refused_before_any_work(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("[1, 2]")

    status, out, err = run("audit", "relu", "--matrix", "mine.json")

    assert (status, out) == (2, "")
    assert err.startswith("gradproof: mine.json: expected what `gradproof audit --matrix` writes (")
    assert (tmp_path / "mine.json").read_text() == "[1, 2]"


def test_a_folder_that_is_not_there_is_said(run: Run) -> None:
    status, _, err = run("audit", "activations.tanh", "--matrix", "none/matrix.json")

    assert status == 2
    assert "none/matrix.json: cannot be written (No such file or directory)" in err


# ---------------------------------------------------------------- the totals


@pytest.mark.parametrize(
    "seen, of, said",
    [
        (0, 180, "at most 1.7 % with 95 % confidence"),  # 1 - 0.05 ** (1 / 180)
        (1, 100, "at most 4.7 % with 95 % confidence"),
        (3, 3, "nothing can be said"),
        (0, 0, "nothing can be said"),
    ],
)
def test_what_was_not_seen_is_bounded(seen: int, of: int, said: str) -> None:
    assert _audits.bound(seen, of) == said


@pytest.mark.parametrize("count, of, said", [(3, 3, "100 %"), (99_999, 100_000, "99.99 %"), (1, 3, "33.33 %")])
def test_a_share_is_never_rounded_up_to_the_whole(count: int, of: int, said: str) -> None:
    assert _audits.percent(count, of) == said


def test_totals_count_what_computes_the_same_neither_as_killed_nor_as_alive() -> None:
    audit = Audit(
        name="x", misconceptions=4, caught=4, named=3, conventions=1, accepted=1, mutants=12, killed=9, equivalent=2,
        stillborn=5, honest=180, rejected=0, blunt=6, refused=6, vacuous_cases=0, not_caught=NONE, not_named=NONE,
        survivors=["one"], rejects=NONE, vacuous=NONE,
    )  # fmt: skip

    assert _audits.totals([audit]) == [
        "mistakes    4 of 4 caught, 3 named",
        "mutants     9 of 10 killed (90.00 %), 2 more compute the same; 5 raise everywhere and do not count",
        "blunt lies  6 of 6 refused: zeros, a constant, half precision, half the data",
        "fairness    0 of 180 honest programs rejected (at most 1.7 % with 95 % confidence)",
        "            1 of 1 conventions accepted and named",
    ]
