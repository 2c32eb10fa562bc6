"""The answer key on disk: for its owner alone, made once by however many processes, and never without bound."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

from graders.harness import answers
from graders.harness import key as keys
from graders.harness.answers import Answer
from graders.harness.cases import Case
from graders.harness.exercise import Exercise, edge
from graders.harness.key import AnswerKey

# mypy: disable-error-code="no-any-return"

Array = np.ndarray[Any, Any]
Rows = Annotated[Array, "n d"]


def cube(x: Rows) -> Rows:
    return x * x * x


def fourth(x: Rows) -> Rows:
    return x * x * x * x


CUBE = Exercise(cube, misconceptions=(), edges=(edge("small", x=[[0.3, -1.7, 0.9]]),))
FOURTH = Exercise(fourth, misconceptions=())
NOTHING_HELD: frozenset[str] = frozenset()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the cache of one test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "gradproof"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the cases whose answers are worked out while a test runs."""
    found: list[str] = []
    real = answers.answer

    def noted(exercise: Exercise, case: Case, *others: Any) -> Answer:
        found.append(case.id)
        return real(exercise, case, *others)

    monkeypatch.setattr(answers, "answer", noted)
    return found


def keeping(seed: int = 1) -> AnswerKey:
    return AnswerKey(seed, keeps_seeded=True)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def contents(key: AnswerKey, exercise: Exercise = CUBE) -> list[Any]:
    """Return all that a key says of an exercise, to the last bit."""
    said: list[Any] = []
    for case in key.cases(exercise):
        answer = key.find(exercise, case)
        assert answer is not None
        said += [case.id, case.origin, answer.truth]
        said += [part.tobytes() for e in answer.outputs.values() for part in (e.hi, e.lo, e.allowed)]
    return said


def test_answers_to_seeded_cases_are_made_once_and_are_the_same_from_disk(made: list[str]) -> None:
    first = contents(keeping())
    count = len(made)

    assert count > 10
    assert contents(keeping()) == first
    assert len(made) == count
    assert contents(AnswerKey(1)) == first  # who keeps nothing finds the edges only
    assert len(made) > count


def test_without_being_told_a_key_keeps_its_edges_only(folder: Path) -> None:
    contents(AnswerKey(1))

    assert [path.name for path in files(folder)] == [keys.EDGES]


def test_another_seed_has_answers_of_its_own(made: list[str]) -> None:
    first = contents(keeping(1))
    count = len(made)

    assert contents(keeping(2)) != first
    assert len(made) > count


def test_only_their_owner_can_read_them_though_the_folder_was_open_before(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    contents(keeping())

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(files(folder)) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(folder)} == {0o600}


@pytest.mark.parametrize("damage", [b"", b"garbage", b"d\x00\x00\x00\x00", b"N"])
def test_a_damaged_file_is_made_again(damage: bytes, folder: Path) -> None:
    first = contents(keeping())
    for path in files(folder):
        path.write_bytes(damage)

    assert contents(keeping()) == first
    assert all(path.read_bytes() != damage for path in files(folder))


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(folder: Path) -> None:
    folder.write_text("a file in its place")

    assert contents(keeping()) == contents(AnswerKey(1))


def test_a_file_that_cannot_be_written_leaves_no_other(folder: Path) -> None:
    keys.store(folder / "a" / "good", 1)
    keys.store(folder / "a" / "bad", object())
    (folder / "a" / "taken").mkdir()
    keys.store(folder / "a" / "taken", 1)

    assert files(folder) == [folder / "a" / "good"]


def test_what_was_used_last_stays(folder: Path, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "SEEDS", 2)
    monkeypatch.setattr(keys, "TEXTS", 2)
    at = time.time() - 1000
    for number in range(3):
        old = folder / "answers" / f"text{number}"
        (old / "toys.cube").mkdir(parents=True)
        os.utime(old, (at + number, at + number))
    for seed in range(4):
        contents(keeping(seed))
        for older in range(seed + 1):
            with contextlib.suppress(FileNotFoundError):
                os.utime(
                    folder / "answers" / keys.source_digest() / CUBE.name / keeping(older)._seed_name, (at, at + older)
                )
        count = len(made)
        contents(keeping(0))  # used again: the others are older
        assert len(made) == count

    names = {keeping(seed)._seed_name for seed in (0, 3)}
    assert {path.name for path in files(folder)} == {keys.EDGES, *names}
    assert {path.name for path in (folder / "answers").iterdir()} == {"text2", keys.source_digest()}


def test_a_secret_seed_is_forgotten_and_no_other(folder: Path) -> None:
    for seed in (1, 2):
        contents(keeping(seed))
    keeping(1).forget()

    assert {path.name for path in files(folder)} == {keys.EDGES, keeping(2)._seed_name}


# ---------------------------------------------------------------- several at once


def at_once(*acts: Callable[[], object]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_graders_at_once_make_every_answer_once(made: list[str]) -> None:
    one, two = keeping(), keeping()
    at_once(lambda: contents(one), lambda: contents(two))

    assert len(made) == len(set(made)) > 10
    assert contents(one) == contents(two)


def test_what_another_is_making_is_left_to_it_and_the_next_is_taken(folder: Path, made: list[str]) -> None:
    key = keeping()
    at_it = keys._answers_folder() / CUBE.name
    with keys.alone(at_it, 0.0) as mine:
        assert mine
        key.prepare([(CUBE, NOTHING_HELD), (FOURTH, NOTHING_HELD)])

    assert list(key._cases) == [(FOURTH.name, NOTHING_HELD)]
    assert {path.parent.name for path in files(folder)} == {FOURTH.name}


def test_nobody_waits_for_ever_for_a_process_that_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PATIENCE", 0.05)
    expected = contents(AnswerKey(1))
    with keys.alone(keys._answers_folder() / CUBE.name, 0.0):
        assert contents(keeping()) == expected


def test_a_lock_goes_with_whoever_holds_it(folder: Path) -> None:
    with keys.alone(folder, 0.0) as first, keys.alone(folder, 0.0) as second:
        assert (first, second) == (True, False)
    with keys.alone(folder, 0.0) as again:
        assert again
