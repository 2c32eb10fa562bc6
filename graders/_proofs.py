"""Our derivations, verified: each claim proved, held against numbers, its mutants refused; each erratum refuted."""

from __future__ import annotations

import fnmatch
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from msgspec import Struct

from derivations import _kernel as kernel
from derivations._catalogue import claims, errata
from graders._nearest import nearest
from graders.harness.report import SCHEMA


class ClaimReport(Struct, frozen=True):
    """What is known of one claim."""

    name: str
    ids: list[str]
    status: str
    scope: str
    trust: str
    source: str
    seconds: float
    numeric_digits: int
    mutants: int
    mutants_proved: int
    first_wrong: str | None
    witness: str | None
    axioms: list[str]
    measured: list[str]


class ErratumReport(Struct, frozen=True):
    """A statement that is false as the lectures write it, and the claim that corrects it."""

    id: str
    as_written: str
    witness: str
    corrected_by: str


class Proofs(Struct, frozen=True):
    """The verification of many claims."""

    schema: int
    claims: list[ClaimReport]
    errata: list[ErratumReport]

    @property
    def sound(self) -> bool:
        """Return whether every claim is proved or measured, none of its mutants is, and every erratum is refuted."""
        return all(c.status in ("proved", "measured") and not c.mutants_proved for c in self.claims) and all(
            e.as_written == "refuted" for e in self.errata
        )


def said(witness: kernel.Witness | None) -> str:
    """Return a point at which two sides differ, in words."""
    if witness is None:
        return ""
    sizes = ", ".join(f"{name} = {size}" for name, size in dict(witness.sizes).items())
    where = f" at {list(witness.at)}" if witness.at else ""
    given = "; ".join(f"{name} = {_plainly(value)}" for name, value in witness.arguments.items())
    facts = ", ".join(fact for fact in (sizes, given) if fact)
    return f"{witness.left} against {witness.right}{where}" + (f", for {facts}" if facts else "")


def _plainly(value: Any) -> str:
    """Return nested fractions as a person writes them."""
    return f"[{', '.join(map(_plainly, value))}]" if isinstance(value, (list, tuple)) else str(value)


def select(patterns: Sequence[str]) -> Mapping[str, Any]:
    """Return the claims whose dotted or bare name fits one of the patterns; raise LookupError, with the nearest."""
    every = claims()
    chosen: dict[str, Any] = {}
    for pattern in patterns or ("*",):
        fitting = {
            name: claim
            for name, claim in every.items()
            if fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name.partition(".")[2], pattern)
        }
        if not fitting:
            raise LookupError(f"no claim is called {pattern!r}; {_instead(pattern, list(every))}")
        chosen |= fitting
    return chosen


def _instead(pattern: str, names: Sequence[str]) -> str:
    """Say what may have been meant by a name that no claim has, or else where the names are."""
    from graders import _catalogue

    judged = [name for name in _catalogue.names() if pattern in (name, name.partition(".")[2])]
    if judged:
        return f"{judged[0]} is judged without one: `gradproof show {judged[0]}` says how"
    near = nearest(pattern, names)
    if near:
        return f"did you mean {near}?"
    return "a claim bears the name of its function, as `gradproof list` shows them; `gradproof prove` proves them all"


def prove(
    names: str | Sequence[str] = (),
    *,
    mutants: int = 8,
    jobs: int = 1,
    progress: Callable[[str], None] = lambda name: None,
) -> Proofs:
    """Verify the claims that the names or patterns fit, all of them and the errata without any.

    Raises LookupError for a pattern that fits no claim. With more than one job they are verified in as many processes,
    which start by importing the main module again: a script that asks for it needs `if __name__ == "__main__"`.
    """
    names = (names,) if isinstance(names, str) else names
    chosen = select(names)
    wrong = {erratum.id: erratum for erratum in (() if names else errata())}
    work: list[tuple[Callable[[str, int], Any], str, int]] = [(_claim_report, name, mutants) for name in chosen]
    work += [(_erratum_report, id_, 0) for id_ in wrong]
    made: list[ClaimReport | ErratumReport] = []
    for report in _worked_off(work, jobs):
        progress(report.name if isinstance(report, ClaimReport) else report.id)
        made.append(report)
    return Proofs(
        SCHEMA,
        [report for report in made if isinstance(report, ClaimReport)],
        [report for report in made if isinstance(report, ErratumReport)],
    )


FEW = 40  # so many claims are verified before another process has started


def jobs_for(count: int) -> int:
    """Return how many processes verify so many claims soonest."""
    return 1 if count <= FEW else os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count() or 1


def _worked_off(work: list[tuple[Callable[[str, int], Any], str, int]], jobs: int) -> Iterator[Any]:
    """The reports in the order of the work."""
    if jobs <= 1:
        yield from (function(name, mutants) for function, name, mutants in work)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_done, work, chunksize=1)


def _done(task: tuple[Callable[[str, int], Any], str, int]) -> Any:
    function, name, mutants = task
    return function(name, mutants)


def _claim_report(name: str, mutants: int) -> ClaimReport:
    v = kernel.verify(claims()[name], mutants=mutants)
    return ClaimReport(
        name, list(v.ids), v.status, v.scope, v.trust, v.source, round(v.seconds, 4), v.numeric_digits,
        v.mutants, v.mutants_proved,
        None if v.first_wrong is None else v.first_wrong.equation,
        None if v.witness is None else said(v.witness),
        list(v.axioms), list(v.measured),
    )  # fmt: skip


def _erratum_report(id_: str, mutants: int) -> ErratumReport:
    (erratum,) = (e for e in errata() if e.id == id_)
    v = kernel.verify(erratum.as_written, mutants=mutants)
    return ErratumReport(erratum.id, v.status, said(v.witness), erratum.corrected_by)
