"""Our exercises, audited: several at once, and the kill matrix as a file that is kept in the repository."""

from __future__ import annotations

import functools
import math
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec

from graders import _catalogue
from graders._api import PUBLIC_SEED, Key
from graders._exceptions import ALIKE, EQUIVALENT, TORCH_DEFECTS
from graders.harness import audit_trials
from graders.harness.audit import Audit, Kills, audit
from graders.harness.certify import proved
from graders.harness.children import can_fork, forking
from graders.harness.report import SCHEMA

SAMPLE = 20
"""So many mutants of an exercise are tried, unless all are asked for."""


class UnusableMatrix(ValueError):
    """A file that holds no kill matrix; the message says which, and why."""


def audited(
    names: Sequence[str],
    sample: int | None = SAMPLE,
    jobs: int = 1,
    progress: Callable[[str], None] = lambda name: None,
) -> Iterator[tuple[Audit, Kills | None]]:
    """Yield how exercises and trials fare, in the order of these names; several at once where processes fork.

    A trial has no cases, and so no row in the kill matrix.
    """
    if jobs <= 1 or not can_fork:
        for name in names:
            yield _one(name, sample)
            progress(name)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        with forking():
            every = pool.map(_one, names, [sample] * len(names))
        for name, made in zip(names, every, strict=True):
            yield made
            progress(name)


@functools.cache
def _key() -> Key:
    return Key(PUBLIC_SEED, proved)


def _one(name: str, sample: int | None) -> tuple[Audit, Kills | None]:
    if name in _catalogue.trials():
        return audit_trials.audit(_catalogue.trials()[name], ALIKE.get(name, {}), sample), None
    defects = ("torch",) if name in TORCH_DEFECTS else ()
    return audit(_catalogue.exercises()[name], _key(), EQUIVALENT.get(name, {}), defects, sample)


# ---------------------------------------------------------------- the file


class Matrix(msgspec.Struct, frozen=True):
    """The document that `gradproof audit --matrix` writes."""

    schema: int
    exercises: list[Kills]


def read(path: Path) -> dict[str, Kills]:
    """Return a kill matrix by the names of its exercises: an empty one where there is no file yet."""
    if not path.exists():
        return {}
    try:
        document = msgspec.json.decode(path.read_bytes(), type=Matrix)
    except (OSError, msgspec.MsgspecError) as error:
        raise UnusableMatrix(f"{path}: expected what `gradproof audit --matrix` writes ({error})") from None
    return {kills.name: kills for kills in document.exercises}


def write(path: Path, matrix: Sequence[Kills]) -> None:
    """Put the rows of some exercises into a file, a line for each, and leave the others as they are.

    Rows of exercises that are not in the catalogue any more are left out.
    """
    rows = read(path) | {kills.name: kills for kills in matrix}
    kept = [rows[name] for name in _catalogue.exercises() if name in rows]
    lines = ",\n".join(msgspec.json.encode(kills).decode() for kills in kept)
    path.write_text(f'{{"schema":{SCHEMA},"exercises":[\n{lines}\n]}}\n', encoding="utf-8")


def totals(audits: Sequence[Audit]) -> list[str]:
    """Return what many audits say together, in a few lines."""

    def total(what: str) -> int:
        return sum(getattr(audit, what) for audit in audits)

    lies = total("mutants") - total("equivalent")
    return [
        f"mistakes    {total('caught')} of {total('misconceptions')} caught, {total('named')} named",
        f"mutants     {total('killed')} of {lies} killed ({percent(total('killed'), lies)}), "
        f"{total('equivalent')} more compute the same; {total('stillborn')} raise everywhere and do not count",
        f"blunt lies  {total('refused')} of {total('blunt')} refused: zeros, a constant, half precision, half the data",
        f"fairness    {total('rejected')} of {total('honest')} honest programs rejected "
        f"({bound(total('rejected'), total('honest'))})",
        f"            {total('accepted')} of {total('conventions')} conventions accepted and named",
    ]


def percent(count: int, of: int) -> str:
    """Return a share as a person writes it, never rounded up to the whole."""
    share = 100 * count / of if of else 100.0
    return "100 %" if count == of else f"{min(share, 99.99):.2f} %"


def bound(seen: int, of: int) -> str:
    """Return up to what a share may be, with 95 % confidence, of which so much was seen (Clopper and Pearson)."""
    if not of or seen >= of:
        return "nothing can be said"
    low, high = seen / of, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(seen, of, middle) > 0.05 else (low, middle)
    return f"at most {100 * high:.2g} % with 95 % confidence"


def _at_most(seen: int, of: int, share: float) -> float:
    """Return the probability of at most so many in so many, if each has this one."""
    return float(sum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(seen + 1)))
