"""The answer key: the cases of a run and their answers, made once and used for every submission.

Answers to the hand-chosen edges are kept across runs in the user's cache, under the digest of everything they depend
on; answers to seeded cases live as long as the run. No submission can see either.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graders.harness import answers, cases
from graders.harness.answers import Answer, Expected, Undetermined
from graders.harness.cases import Case
from graders.harness.compare import errors, ratios
from graders.harness.exercise import Exercise, Function
from graders.harness.plans import Outputs
from graders.harness.sandbox.codec import Malformed, decode, encode

Proved = Callable[[Case, int], Outputs | None]


def cache_folder() -> Path:
    """Return where answers and the cases of verdicts are kept: the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base, "gradproof")


@functools.cache
def source_digest() -> str:
    """Return a digest of all that an answer depends on: our three rooms, NumPy and Python."""
    rooms = Path(__file__).parents[2]
    digest = hashlib.sha256(f"{np.__version__} {sys.version}".encode())
    for room in ("reference", "derivations", "graders"):
        for file in sorted((rooms / room).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def store(path: Path, value: Any) -> None:
    """Write a value whole or not at all; a folder that cannot be written is no reason to fail."""
    with contextlib.suppress(OSError, Malformed):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(encode(value))
        os.replace(file.name, path)


def stored(path: Path) -> Any:
    """Return a stored value, or None."""
    try:
        return decode(path.read_bytes())
    except (OSError, Malformed):
        return None


def is_vacuous(answer: Answer, case: Case) -> bool:
    """Return whether zeros, a constant, or an answer of half the precision would pass: then it is no case.

    An extreme case is there for what overflows, and its true values are often zeros and ones, which half precision
    knows: it must refuse zeros and constants only. So must integers, where nothing else is returned.
    """
    dtype = case.dtype
    decided = [e for e in answer.outputs.values() if np.any(np.isfinite(e.hi) & np.isfinite(e.allowed))]
    rounded = [e for e in decided if np.any(e.allowed > 0)]

    def passes(lie: Callable[[Expected], Any]) -> bool:
        with np.errstate(all="ignore"):
            return all(np.all(ratios(errors(lie(e), e), e) <= 1) for e in rounded or decided)

    def constant(e: Expected) -> Any:
        return np.full(e.shape, e.hi.flat[0]) if e.hi.size > 1 else np.ones(e.shape)

    def truncated(e: Expected) -> Any:
        kept = e.hi.astype(dtype)
        bits: Any = kept.view(np.uint64 if dtype == "float64" else np.uint32)
        dropped = 32 if dtype == "float64" else 12
        return ((bits >> dropped) << dropped).view(dtype).astype(float)

    def half(e: Expected) -> Any:
        return e.hi.astype(np.float16).astype(float)

    lies: list[Callable[[Expected], Any]] = [lambda e: np.zeros(e.shape), constant]
    if rounded and not case.extreme:
        lies += [half, truncated]
    return not decided or any(passes(lie) for lie in lies)


class AnswerKey:
    """Cases and answers by exercise; safe to use from several threads."""

    def __init__(self, seed: int, proved: Callable[[Exercise], Proved | None] = lambda exercise: None) -> None:
        self.seed = seed
        self._proved = functools.cache(proved)
        self._answers: dict[tuple[str, str, str], Answer | None] = {}
        self._cases: dict[tuple[str, frozenset[str]], list[Case]] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._lock = threading.Lock()

    def _locked(self, exercise: Exercise) -> threading.RLock:
        with self._lock:
            return self._locks.setdefault(exercise.name, threading.RLock())

    def cases(self, exercise: Exercise, held: frozenset[str] = frozenset()) -> list[Case]:
        """Return the cases that decide: edges and seeded ones, with `held` hyperparameters at their defaults."""
        with self._locked(exercise):
            if (exercise.name, held) not in self._cases:
                if not any(name == exercise.name for name, _ in self._cases):
                    self._load(exercise)
                defaults = {name: default for name, (_, default) in self._hyperparameters(exercise).items()}
                usable = [
                    case for case in cases.edges(exercise)
                    if all(case.hyperparameters[name] == defaults[name] for name in held)
                ]  # fmt: skip
                usable += cases.seeded(exercise, self.seed, held, rounds=1)
                self._cases[exercise.name, held] = [case for case in usable if self._is_case(exercise, case)]
            return self._cases[exercise.name, held]

    def _hyperparameters(self, exercise: Exercise) -> Mapping[str, Any]:
        return cases.signature(exercise.reference).hyperparameters

    def _is_case(self, exercise: Exercise, case: Case) -> bool:
        answer = self.find(exercise, case)
        return answer is not None and answer.decides and (case.special or not is_vacuous(answer, case))

    def find(self, exercise: Exercise, case: Case, function: Function | None = None) -> Answer | None:
        """Return the answer of a case, for the reference or for a convention; None if its truth cannot be found."""
        at = (exercise.name, case.id, function.__name__ if function else "")
        with self._locked(exercise):
            if at not in self._answers:
                try:
                    proved = None if function else self._proved(exercise)
                    self._answers[at] = answers.answer(exercise, case, function, proved)
                except Undetermined:
                    self._answers[at] = None
            return self._answers[at]

    # across runs

    def _path(self, exercise: Exercise) -> Path:
        return cache_folder() / "answers" / source_digest() / exercise.name

    def _load(self, exercise: Exercise) -> None:
        """Take the answers to the edges from the cache, or make them and put them there."""
        kept = stored(self._path(exercise))
        edges = cases.edges(exercise)
        if isinstance(kept, dict) and all(case.id in kept for case in edges):
            for case in edges:
                self._answers[exercise.name, case.id, ""] = _from_data(kept[case.id])
            return
        made = {case.id: self.find(exercise, case) for case in edges}
        store(self._path(exercise), {name: _as_data(answer) for name, answer in made.items()})


def _as_data(answer: Answer | None) -> Any:
    if answer is None:
        return None
    return {"truth": answer.truth, "outputs": {k: [e.hi, e.lo, e.allowed] for k, e in answer.outputs.items()}}


def _from_data(data: Any) -> Answer | None:
    return (
        None if data is None else Answer({k: Expected(*parts) for k, parts in data["outputs"].items()}, data["truth"])
    )
