"""The answer key: the cases of a run and their answers, made once and used for every submission.

Answers to the hand-chosen edges are kept across runs in the user's cache, under the digest of everything they depend
on; answers to seeded cases live as long as the run, unless it is said that they be kept too. Only their owner can read
them, and no submission.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

from graders.harness import answers, cases
from graders.harness.answers import Answer, Expected, Undetermined
from graders.harness.cases import Case
from graders.harness.compare import errors, ratios
from graders.harness.exercise import Exercise, Function
from graders.harness.plans import Outputs
from graders.harness.precision import NARROW, truncated
from graders.harness.sandbox.codec import Malformed, decode, encode

if sys.platform != "win32":
    import fcntl

Proved = Callable[[Case, int], Outputs | None]
EDGES = "edges"
"""The file of an exercise that holds the answers to its edges; beside it stands one for each seed."""
TEXTS, SEEDS = 8, 16
"""For how many states of our text, and how many seeds of an exercise, answers are kept: the last used."""
PATIENCE = 10.0
"""Seconds for which answers are awaited that another process is making; it may have been stopped."""
KEPT_BITS = {"float64": 21, "float32": 12, "float16": 4, "bfloat16": 3}
"""How many leading bits are left of an answer that no case may let pass: about half of them, or fewer."""


def cache_folder() -> Path:
    """Return where answers and the cases of verdicts are kept: the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base, "gradproof")


@functools.cache
def source_digest() -> str:
    """Return a digest of all that an answer depends on: our three rooms, NumPy, mpmath and Python."""
    rooms = Path(__file__).parents[2]
    digest = hashlib.sha256(f"{np.__version__} {mpmath.__version__} {sys.version}".encode())
    for room in ("reference", "derivations", "graders"):
        for file in sorted((rooms / room).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _answers_folder() -> Path:
    return cache_folder() / "answers" / source_digest()


def _private(folder: Path) -> None:
    """Make a folder of the cache, into which nobody but its owner can look."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    if stat.S_IMODE(cache.stat().st_mode) & 0o077:
        cache.chmod(0o700)
    folder.mkdir(parents=True, exist_ok=True)


def store(path: Path, value: Any) -> None:
    """Write a value whole or not at all; a folder that cannot be written is no reason to fail."""
    with contextlib.suppress(OSError, Malformed):
        data = encode(value)
        _private(path.parent)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:  # which is its owner's alone
            try:
                file.write(data)
                file.flush()
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise


def stored(path: Path) -> Any:
    """Return a stored value, or None."""
    try:
        return decode(path.read_bytes())
    except (OSError, Malformed):
        return None


@contextlib.contextmanager
def alone(folder: Path, patience: float) -> Iterator[bool]:
    """Keep other processes from making what is to lie in a folder; yield whether this one may, after some patience.

    Where nothing can be locked, or written, each makes its own.
    """
    descriptor = None
    try:
        with contextlib.suppress(OSError):
            _private(folder)
            descriptor = os.open(folder, os.O_RDONLY)
        yield descriptor is None or _taken(descriptor, patience)
    finally:
        if descriptor is not None:
            os.close(descriptor)  # which unlocks it


def _taken(descriptor: int, patience: float) -> bool:
    """Lock a file; return False if another process holds it for longer than this."""
    until = time.monotonic() + patience
    while sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.01)
            continue
        except OSError:  # this kind of folder knows no locks
            return True
        return True
    return True


def remove_the_oldest(folder: Path, kept: int) -> None:
    """Leave in a folder so many files and folders, those used last; who still needs another makes it again."""
    with contextlib.suppress(OSError):
        by_age = sorted(((entry.stat().st_mtime, entry.path) for entry in os.scandir(folder)), reverse=True)
        for _, path in by_age[kept:]:
            shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.unlink(path)


def is_vacuous(answer: Answer, case: Case) -> bool:
    """Return whether zeros, a constant, or an answer of half the precision would pass: then it is no case.

    An extreme case is there for what overflows, and its true values are often zeros and ones, which half precision
    knows: it must refuse zeros and constants only. So must integers, where nothing else is returned.
    """
    decided = [e for e in answer.outputs.values() if np.any(np.isfinite(e.hi) & np.isfinite(e.allowed))]
    rounded = [e for e in decided if np.any(e.allowed > 0)]

    def passes(lie: Callable[[Expected], Any]) -> bool:
        with np.errstate(all="ignore"):
            return all(np.all(ratios(errors(lie(e), e), e) <= 1) for e in rounded or decided)

    def constant(e: Expected) -> Any:
        return np.full(e.shape, e.hi.flat[0]) if e.hi.size > 1 else np.ones(e.shape)

    def cut(e: Expected) -> Any:
        return truncated(e.hi, KEPT_BITS[case.dtype])

    def half(e: Expected) -> Any:
        return e.hi.astype(np.float16).astype(float)

    lies: list[Callable[[Expected], Any]] = [lambda e: np.zeros(e.shape), constant]
    if rounded and not case.extreme:
        lies += [cut] if case.dtype in NARROW else [half, cut]
    return not decided or any(passes(lie) for lie in lies)


class AnswerKey:
    """Cases and answers by exercise; safe to use from several threads."""

    def __init__(
        self,
        seed: int,
        proved: Callable[[Exercise], Proved | None] = lambda exercise: None,
        keeps_seeded: bool = False,
    ) -> None:
        """Begin with no case made; with `keeps_seeded` the answers to seeded cases, too, are kept in the cache."""
        self.seed = seed
        self.keeps_seeded = keeps_seeded
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
                self._make(exercise, held, PATIENCE)
            return self._cases[exercise.name, held]

    def prepare(self, asked: Iterable[tuple[Exercise, frozenset[str]]]) -> None:
        """Make cases that will be asked for; those that another process is making wait till then.

        So processes that share a seed, and begin at the same time, share the work.
        """
        for exercise, held in asked if self.keeps_seeded else ():
            with self._locked(exercise):
                if (exercise.name, held) not in self._cases:
                    self._make(exercise, held, 0.0)

    def _make(self, exercise: Exercise, held: frozenset[str], patience: float) -> None:
        """Make cases and their answers, unless another process is doing that and there is no patience to wait."""
        defaults = {name: default for name, (_, default) in self._hyperparameters(exercise).items()}
        edges, seeded = cases.edges(exercise), cases.seeded(exercise, self.seed, held)
        folder = self._folder(exercise)
        if folder is not None:
            answered = self._answer(exercise, edges, folder / EDGES, patience) and (
                not self.keeps_seeded or self._answer(exercise, seeded, folder / self._seed_name, patience)
            )
            if not answered:
                return
        usable = [case for case in edges if all(case.hyperparameters[name] == defaults[name] for name in held)]
        self._cases[exercise.name, held] = [case for case in usable + seeded if self._is_case(exercise, case)]

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

    def _folder(self, exercise: Exercise) -> Path | None:
        """Return where answers to an exercise are kept; None if they are not."""
        return _answers_folder() / exercise.name

    @property
    def _seed_name(self) -> str:
        return hashlib.sha256(f"seed {self.seed}".encode()).hexdigest()[:16]

    def _answer(self, exercise: Exercise, asked: Sequence[Case], path: Path, patience: float) -> bool:
        """Take the answers to cases from where they are kept, or make them and put them there.

        Return False if another process is making them, and there is no patience to wait.
        """
        if self._recall(exercise, asked, path):
            return True
        with alone(path.parent, patience) as first:
            if not first and not patience:
                return False
            if not self._recall(exercise, asked, path):  # which another process may have made meanwhile
                made = {case.id: _as_data(self.find(exercise, case)) for case in asked}
                kept = stored(path)
                store(path, (kept if isinstance(kept, dict) else {}) | made)
                remove_the_oldest(path.parent, SEEDS + 1)
                remove_the_oldest(path.parents[2], TEXTS)
        return True

    def _recall(self, exercise: Exercise, asked: Sequence[Case], path: Path) -> bool:
        """Take the answers to all of these cases from a file, if it has them."""
        asked = [case for case in asked if (exercise.name, case.id, "") not in self._answers]
        kept = stored(path) if asked else {}
        if not isinstance(kept, dict) or any(case.id not in kept for case in asked):
            return False
        for case in asked:
            self._answers[exercise.name, case.id, ""] = _from_data(kept[case.id])
        with contextlib.suppress(OSError):
            for used in (path, path.parents[1]) if asked else ():
                os.utime(used)
        return True

    def forget(self) -> None:
        """Remove what is kept of the seeded cases: those of a secret seed serve one run."""
        with contextlib.suppress(OSError):
            for path in (cache_folder() / "answers").glob(f"*/*/{self._seed_name}"):
                path.unlink(missing_ok=True)


def _as_data(answer: Answer | None) -> Any:
    if answer is None:
        return None
    return {"truth": answer.truth, "outputs": {k: [e.hi, e.lo, e.allowed] for k, e in answer.outputs.items()}}


def _from_data(data: Any) -> Answer | None:
    return (
        None if data is None else Answer({k: Expected(*parts) for k, parts in data["outputs"].items()}, data["truth"])
    )
